/*
 * The frame of each call to a provider: checks before it, the judgement of its
 * answer behind it, the reading of webhooks.  Adapters bring the functions in
 * the middle.  How far a call came is judged as for PSPs (psp/answer.c): no
 * trouble of the network or of a parser becomes a failed or a payable item.
 */

#include "payout/payout.h"
#include "pay_crypto.h"


#define UUID_LEN  36


static pay_status_t call_judge(pay_arena_t *arena,
    const pay_payout_adapter_t *adapter, pay_payout_call_t call,
    const pay_payout_parcel_t *parcel, const pay_http_answer_t *answer,
    pay_payout_result_t *result);
static pay_status_t call_adopt(pay_arena_t *arena,
    const pay_payout_adapter_t *adapter, pay_payout_call_t call,
    const pay_payout_parcel_t *parcel, const pay_http_answer_t *answer,
    pay_payout_result_t *result);
static pay_status_t call_hook(pay_arena_t *arena,
    const pay_payout_adapter_t *adapter, const pay_payout_account_t *account,
    pay_str_t body, pay_payout_result_t *result, pay_err_t *err);
static void call_blame(const pay_payout_adapter_t *adapter,
    pay_payout_result_t *result);


/* Each item is held against the provider's limits again: a batch that was
 * made under an older table must not go out. */
pay_status_t
pay_payout_request(pay_arena_t *arena, const pay_payout_adapter_t *adapter,
    pay_payout_call_t call, const pay_payout_account_t *account,
    const pay_payout_parcel_t *parcel, pay_http_request_t *request,
    pay_err_t *err)
{
    unsigned            i;
    pay_http_request_t  made;

    if ((unsigned) call >= PAY_PAYOUT_CALL_COUNT
        || !pay_payout_parcel_sane(adapter, call, parcel)
        || ((adapter->traits & PAY_PAYOUT_NEEDS_ACCOUNT)
            && !pay_psp_token_is_valid(account->call.account)))
    {
        return PAY_BUG;
    }

    if (adapter->slots[call].request == NULL) {
        return pay_refuse(err, "validation-error",
                          "this provider has no such call");
    }

    for (i = 0; call == PAY_PAYOUT_SEND && i < parcel->count; i++) {
        PAY_TRY(pay_payout_fits(adapter, &parcel->items[i], err));
    }

    memset(&made, 0, sizeof(made));
    PAY_TRY(adapter->slots[call].request(arena, account, parcel, &made, err));

    *request = made;

    return PAY_OK;
}


/* FIND and ASK never refuse: a failed question proves nothing about the money.
 * A bare 404 to them is anybody's. */
pay_status_t
pay_payout_answer(pay_arena_t *arena, const pay_payout_adapter_t *adapter,
    pay_payout_call_t call, const pay_payout_parcel_t *parcel,
    const pay_http_answer_t *answer, pay_payout_result_t *result)
{
    pay_payout_result_t  made;

    if ((unsigned) call >= PAY_PAYOUT_CALL_COUNT
        || adapter->slots[call].read == NULL
        || !pay_payout_parcel_sane(adapter, call, parcel))
    {
        return PAY_BUG;
    }

    PAY_TRY(call_judge(arena, adapter, call, parcel, answer, &made));

    if (made.outcome == PAY_PSP_REFUSED && adapter->adopt != NULL) {
        PAY_TRY(call_adopt(arena, adapter, call, parcel, answer, &made));
    }

    call_blame(adapter, &made);

    *result = made;

    return PAY_OK;
}


/* The result that a reader leaves is handed on whole or not at all. */
static pay_status_t
call_judge(pay_arena_t *arena, const pay_payout_adapter_t *adapter,
    pay_payout_call_t call, const pay_payout_parcel_t *parcel,
    const pay_http_answer_t *answer, pay_payout_result_t *result)
{
    pay_json_t           *json;
    pay_status_t          status;
    pay_psp_changed_t     judged;
    pay_payout_result_t   made;

    PAY_TRY(pay_psp_change_open(arena, answer, adapter->error, &json,
                                &judged));

    memset(&made, 0, sizeof(made));
    made.outcome = judged.outcome;
    made.code = judged.code;
    made.retry_after_s = judged.retry_after_s;
    made.unread = judged.unread;
    *result = made;

    if (json == NULL) {
        if (call == PAY_PAYOUT_ASK || call == PAY_PAYOUT_FIND) {
            result->outcome = PAY_PSP_UNKNOWN;
        }

        return PAY_OK;
    }

    status = adapter->slots[call].read(arena, parcel, json, &made);
    pay_json_free(json);

    if (status == PAY_OK) {
        *result = made;
    }

    return (status == PAY_INVALID) ? PAY_OK : status;
}


/* "There is one with this key already", "it is taken back already": the first
 * call arrived after all.  The answer was read once, so parsing it again can
 * fail for memory alone. */
static pay_status_t
call_adopt(pay_arena_t *arena, const pay_payout_adapter_t *adapter,
    pay_payout_call_t call, const pay_payout_parcel_t *parcel,
    const pay_http_answer_t *answer, pay_payout_result_t *result)
{
    pay_json_t           *json;
    pay_status_t          status;
    pay_payout_result_t   made = *result;

    status = pay_psp_parse(answer->body, &json, NULL);
    if (status != PAY_OK) {
        return (status == PAY_INVALID) ? PAY_OK : status;
    }

    status = adapter->adopt(arena, call, parcel, json, &made);
    pay_json_free(json);

    if (status == PAY_OK) {
        *result = made;
    }

    return (status == PAY_INVALID) ? PAY_OK : status;
}


/* Lack of funds and the like say nothing against the seller's account. */
static void
call_blame(const pay_payout_adapter_t *adapter, pay_payout_result_t *result)
{
    unsigned  i;

    if (adapter->ours == NULL) {
        return;
    }

    result->is_ours = pay_psp_is_one_of(result->code, adapter->ours);

    for (i = 0; i < result->count; i++) {
        result->events[i].is_ours = pay_psp_is_one_of(result->events[i].code,
                                                      adapter->ours);
    }
}


pay_status_t
pay_payout_webhook(pay_arena_t *arena, const pay_payout_adapter_t *adapter,
    const pay_payout_account_t *account, pay_str_t body,
    pay_payout_event_t **events, unsigned *count, pay_err_t *err)
{
    pay_payout_result_t  made;

    memset(&made, 0, sizeof(made));

    if (adapter->form_hook != NULL) {
        PAY_TRY(adapter->form_hook(arena, account, body, &made, err));

    } else {
        PAY_TRY(call_hook(arena, adapter, account, body, &made, err));
    }

    call_blame(adapter, &made);
    *events = made.events;
    *count = made.count;

    return PAY_OK;
}


static pay_status_t
call_hook(pay_arena_t *arena, const pay_payout_adapter_t *adapter,
    const pay_payout_account_t *account, pay_str_t body,
    pay_payout_result_t *result, pay_err_t *err)
{
    pay_json_t    *root;
    pay_status_t   status;

    if (adapter->hook == NULL) {
        return pay_refuse(err, "validation-error",
                          "this provider sends no webhooks");
    }

    PAY_TRY(pay_psp_parse(body, &root, err));

    status = adapter->hook(arena, account, root, result, err);
    pay_json_free(root);

    return status;
}


pay_status_t
pay_payout_auth_request(pay_arena_t *arena,
    const pay_payout_adapter_t *adapter, const pay_payout_account_t *account,
    pay_http_request_t *request)
{
    return (adapter->auth_request == NULL)
           ? PAY_NOT_FOUND : adapter->auth_request(arena, account, request);
}


pay_status_t
pay_payout_auth_answer(pay_arena_t *arena,
    const pay_payout_adapter_t *adapter, const pay_http_answer_t *answer,
    pay_psp_auth_t *auth)
{
    return (adapter->auth_answer == NULL)
           ? PAY_NOT_FOUND : adapter->auth_answer(arena, answer, auth);
}


void
pay_payout_text(pay_buf_t *body, const char *before, pay_str_t text)
{
    pay_buf_text(body, before);
    pay_buf_text(body, "\"");
    pay_buf_json(body, text);
    pay_buf_text(body, "\"");
}


/* Written as digits, so that no double comes near it. */
void
pay_payout_major(pay_buf_t *body, const char *before, int64_t minor,
    const pay_currency_t *currency)
{
    pay_buf_text(body, before);
    pay_buf_amount(body, minor, currency);
}


pay_status_t
pay_payout_body(pay_buf_t *body, pay_http_request_t *request)
{
    PAY_TRY(pay_buf_done(body, &request->body));
    pay_psp_field_add(request, "Content-Type", PAY_STR("application/json"));
    pay_psp_accept(request, NULL);

    return PAY_OK;
}


/* The id is encoded: payees' ids may have bytes of their own. */
pay_status_t
pay_payout_path(pay_arena_t *arena, const char *path, pay_str_t id,
    const char *tail, pay_str_t *out)
{
    pay_buf_t  buf;

    pay_buf_init(&buf, arena, PAY_PSP_URL_MAX);
    pay_buf_text(&buf, path);
    pay_buf_percent(&buf, id);
    pay_buf_text(&buf, tail);

    return pay_buf_done(&buf, out);
}


/* Version 8 would be the right one for a hash of our own; older libraries of
 * the receivers know 1 to 5 alone. */
pay_status_t
pay_payout_uuid(pay_arena_t *arena, pay_str_t key, const char *suffix,
    pay_str_t *uuid)
{
    size_t          i, at;
    pay_str_t       parts[2] = { key, pay_str_of(suffix) };
    unsigned char  *out;
    unsigned char   sha256[PAY_SHA256_SIZE];

    static const char  hex[] = "0123456789abcdef";

    PAY_TRY(pay_sha256_parts(parts, 2, sha256));

    sha256[6] = (unsigned char) ((sha256[6] & 0x0f) | 0x50);
    sha256[8] = (unsigned char) ((sha256[8] & 0x3f) | 0x80);

    out = pay_alloc(arena, UUID_LEN + 1);
    if (out == NULL) {
        return PAY_NO_MEMORY;
    }

    for (i = 0, at = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            out[at++] = '-';
        }

        out[at++] = (unsigned char) hex[sha256[i] >> 4];
        out[at++] = (unsigned char) hex[sha256[i] & 15];
    }

    out[UUID_LEN] = '\0';
    *uuid = (pay_str_t) { UUID_LEN, out };

    return PAY_OK;
}
