/*
 * Modifications of an Adyen payment or link (docs/psp/adyen.md#changes).
 * Captures, cancels and refunds are only "received": their outcome comes by
 * webhook, about the pspReference of this answer.  The reference sent here is
 * our id of the change for captures and refunds, the payment's for cancels;
 * Adyen may report the outcome under it, or under that of the payment.
 */

#include "psp/adyen.h"
#include "pay_id.h"


typedef struct {
    const char  *tail;         /* behind the payment's id; NULL: a link's */
    const char  *suffix;       /* of the idempotency key; no id of ours has a
                                  ':', so no order has such a nonce */
    const char  *reference;    /* behind our id in "reference"; NULL: it is
                                  the payment's */
} adyen_change_t;


static pay_status_t adyen_change_open(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_change_t *change,
    pay_http_request_t *request);
static pay_status_t adyen_change_body(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_change_t *change,
    pay_json_t *root, pay_err_t *err);
static pay_status_t adyen_change_reference(pay_arena_t *arena,
    const pay_psp_change_t *change, pay_str_t *reference);
static pay_status_t adyen_received(pay_arena_t *arena,
    const pay_psp_change_t *change, const pay_json_t *json,
    pay_psp_changed_t *result);
static pay_psp_echo_t adyen_received_echo(const pay_psp_change_t *change,
    const pay_json_t *json);
static pay_status_t adyen_expired(pay_arena_t *arena,
    const pay_psp_change_t *change, const pay_json_t *json,
    pay_psp_changed_t *result);


static const adyen_change_t  adyen_changes[PAY_PSP_CHANGE_COUNT] = {
    [PAY_PSP_CAPTURE] = { "/captures", ":capture", PAY_ADYEN_CAPTURE },
    [PAY_PSP_CANCEL] = { "/cancels", ":cancel", NULL },
    [PAY_PSP_REFUND] = { "/refunds", ":refund", PAY_ADYEN_REFUND },
    [PAY_PSP_EXPIRE] = { NULL, NULL, NULL }    /* Adyen: keys for POST only */
};

/* Adyen's own words; any other reason stays with us. */
static const char *const  adyen_reasons[] = {
    "FRAUD", "CUSTOMER REQUEST", "RETURN", "DUPLICATE", "OTHER", NULL
};


pay_status_t
pay_adyen_change_request(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_change_t *change, pay_http_request_t *request,
    pay_err_t *err)
{
    pay_json_t          *root;
    pay_status_t         status;
    pay_http_request_t   made;

    if (!pay_psp_change_sane(change)) {
        return PAY_BUG;
    }

    PAY_TRY(adyen_change_open(arena, account, change, &made));

    root = pay_json_object_new();
    status = (root == NULL) ? PAY_NO_MEMORY
                            : adyen_change_body(arena, account, change, root,
                                                err);
    PAY_TRY(pay_psp_json_done(arena, status, root, &made));

    *request = made;

    return PAY_OK;
}


pay_status_t
pay_adyen_change_answer(pay_arena_t *arena, const pay_psp_change_t *change,
    const pay_http_answer_t *answer, pay_psp_changed_t *result)
{
    return pay_psp_change_answer(arena, change, answer, pay_adyen_error,
                                 (change->kind == PAY_PSP_EXPIRE)
                                 ? adyen_expired : adyen_received, result);
}


static pay_status_t
adyen_change_open(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_change_t *change, pay_http_request_t *request)
{
    pay_str_t              last, key;
    const adyen_change_t  *row;

    row = &adyen_changes[change->kind];

    if (!pay_psp_token_is_valid(row->tail ? change->reference
                                          : change->token))
    {
        return PAY_BUG;
    }

    if (row->tail == NULL) {
        return pay_adyen_request(arena, account, "PATCH", PAY_ADYEN_LINKS "/",
                                 change->token, request);
    }

    PAY_TRY(pay_format(arena, &last, PAY_PSP_URL_MAX, "%.*s%s",
                       pay_fmt(change->reference), row->tail));
    PAY_TRY(pay_psp_key(arena, change->key, row->suffix, PAY_ADYEN_KEY_MAX,
                        &key));
    PAY_TRY(pay_adyen_request(arena, account, "POST", "/v72/payments/", last,
                              request));
    pay_psp_field_add(request, "Idempotency-Key", key);

    return PAY_OK;
}


static pay_status_t
adyen_change_body(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_change_t *change, pay_json_t *root, pay_err_t *err)
{
    pay_str_t  reference;

    if (change->kind == PAY_PSP_EXPIRE) {
        return pay_json_set_string(root, "status", PAY_STR("expired"));
    }

    PAY_TRY(adyen_change_reference(arena, change, &reference));
    PAY_TRY(pay_json_set_string(root, "merchantAccount", account->account));
    PAY_TRY(pay_json_set_string(root, "reference", reference));

    if (adyen_changes[change->kind].reference != NULL) {
        PAY_TRY(pay_adyen_set_amount(root, change->currency,
                                     change->amount_minor, err));
    }

    return (change->kind == PAY_PSP_REFUND
            && pay_psp_is_one_of(change->reason, adyen_reasons))
           ? pay_json_set_string(root, "merchantRefundReason", change->reason)
           : PAY_OK;
}


static pay_status_t
adyen_change_reference(pay_arena_t *arena, const pay_psp_change_t *change,
    pay_str_t *reference)
{
    const char  *end = adyen_changes[change->kind].reference;

    if (end != NULL) {
        return pay_format(arena, reference, PAY_PSP_TOKEN_MAX, "%.*s%s",
                          pay_fmt(change->key), end);
    }

    *reference = change->alias.len ? change->alias
                                   : change->merchant_reference;

    return pay_id_is_valid(*reference) ? PAY_OK : PAY_BUG;
}


static pay_status_t
adyen_received(pay_arena_t *arena, const pay_psp_change_t *change,
    const pay_json_t *json, pay_psp_changed_t *result)
{
    pay_str_t     id;
    pay_status_t  status;

    if (!pay_psp_believed(adyen_received_echo(change, json), &result->code)
        || !pay_psp_is(json, "status", "received"))
    {
        return PAY_OK;
    }

    status = pay_psp_token_get(arena, json, "pspReference", &id);
    if (status != PAY_OK) {
        return (status == PAY_NOT_FOUND) ? PAY_OK : status;
    }

    result->outcome = PAY_PSP_PENDING;
    result->reference = id;
    result->code = PAY_STR("");

    return PAY_OK;
}


static pay_psp_echo_t
adyen_received_echo(const pay_psp_change_t *change, const pay_json_t *json)
{
    pay_psp_echo_t  echo;

    echo = pay_psp_echo_needed(json, "paymentPspReference",
                               change->reference);

    if (echo == PAY_PSP_ECHO_RIGHT
        && adyen_changes[change->kind].reference != NULL)
    {
        echo = pay_adyen_echo_amount(json, change->currency,
                                     change->amount_minor);
    }

    return echo;
}


/* The link as it stands; only one that says so has expired. */
static pay_status_t
adyen_expired(pay_arena_t *arena, const pay_psp_change_t *change,
    const pay_json_t *json, pay_psp_changed_t *result)
{
    return pay_psp_expired(arena, change, json, pay_adyen_state, result);
}
