/*
 * Modifications of a registration of the generic PSP: capture, cancel, refund,
 * expire (docs/psp-generic.md, "Change").  Every answer echoes the request; one
 * that does not is never believed.
 */

#include "psp/generic.h"


static pay_status_t generic_change_body(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_change_t *change,
    pay_json_t *root, pay_err_t *err);
static int generic_has_amount(const pay_psp_change_t *change);
static pay_status_t generic_changed(pay_arena_t *arena,
    const pay_psp_change_t *change, const pay_json_t *json,
    pay_psp_changed_t *result);
static pay_status_t generic_echo(pay_arena_t *arena,
    const pay_psp_change_t *change, const pay_json_t *json, int *same);
static pay_status_t generic_captured(pay_arena_t *arena,
    const pay_psp_change_t *change, const pay_json_t *json, pay_str_t id,
    pay_psp_changed_t *result);
static pay_status_t generic_expired(pay_arena_t *arena,
    const pay_psp_change_t *change, const pay_json_t *json,
    pay_psp_changed_t *result);


const pay_psp_call_t  pay_generic_calls[PAY_PSP_CHANGE_COUNT] = {
    [PAY_PSP_CAPTURE] = { "POST", PAY_GENERIC_PATH "/", PAY_PSP_ID_TOKEN,
                          "/capture", ":capture", generic_change_body,
                          generic_changed },
    [PAY_PSP_CANCEL] = { "POST", PAY_GENERIC_PATH "/", PAY_PSP_ID_TOKEN,
                         "/cancel", ":cancel", generic_change_body,
                         generic_changed },
    [PAY_PSP_REFUND] = { "POST", PAY_GENERIC_PATH "/", PAY_PSP_ID_TOKEN,
                         "/refunds", ":refund", generic_change_body,
                         generic_changed },
    [PAY_PSP_EXPIRE] = { "POST", PAY_GENERIC_PATH "/", PAY_PSP_ID_TOKEN,
                         "/expire", ":expire", generic_change_body,
                         generic_expired }
};

/* An unknown word is UNKNOWN: the change is asked about again under its key. */
static const pay_psp_outcome_row_t  generic_outcomes[] = {
    { "done", PAY_PSP_DONE, NULL },
    { "pending", PAY_PSP_PENDING, NULL },
    { "refused", PAY_PSP_REFUSED, NULL },
    { NULL, PAY_PSP_UNKNOWN, NULL }
};


/* The nonce is repeated in the body as in a registration.  A cancellation and
 * an expiry carry no amount: they are of everything. */
static pay_status_t
generic_change_body(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_change_t *change, pay_json_t *root, pay_err_t *err)
{
    pay_str_t  nonce;

    (void) account;
    (void) err;

    PAY_TRY(pay_psp_key(arena, change->key,
                        pay_generic_calls[change->kind].suffix,
                        PAY_GENERIC_KEY_MAX, &nonce));
    PAY_TRY(pay_json_set_string(root, "nonce", nonce));
    PAY_TRY(pay_json_set_string(root, "reference",
                                change->merchant_reference));

    if (!generic_has_amount(change)) {
        return PAY_OK;
    }

    PAY_TRY(pay_generic_set_amount(arena, root, change->amount_minor,
                                   change->currency));
    PAY_TRY(pay_json_set_string(root, "currency",
                                pay_str_of(change->currency->code)));

    if (change->reason.len) {
        PAY_TRY(pay_json_set_string(root, "reason", change->reason));
    }

    return (change->kind == PAY_PSP_CAPTURE && change->is_final)
           ? pay_json_set(root, "final", pay_json_boolean_new(1)) : PAY_OK;
}


static int
generic_has_amount(const pay_psp_change_t *change)
{
    return change->kind == PAY_PSP_CAPTURE || change->kind == PAY_PSP_REFUND;
}


/* The answer to a capture, a cancel or a refund. */
static pay_status_t
generic_changed(pay_arena_t *arena, const pay_psp_change_t *change,
    const pay_json_t *json, pay_psp_changed_t *result)
{
    int                           same;
    pay_str_t                     id, code;
    pay_status_t                  status;
    const pay_psp_outcome_row_t  *row;

    PAY_TRY(generic_echo(arena, change, json, &same));

    if (!same) {
        result->code = PAY_STR("answer_mismatch");
        pay_psp_unread(&result->unread, "nonce, token, amount, currency",
                       "must repeat what was sent");
        return PAY_OK;
    }

    row = pay_psp_outcome_row(generic_outcomes, json);
    if (row->word == NULL) {
        pay_psp_unread(&result->unread, "status", PAY_GENERIC_RULE_STATUS);
        return PAY_OK;
    }

    status = pay_psp_token_get(arena, json, "id", &id);
    if (status == PAY_NOT_FOUND || status == PAY_INVALID) {
        pay_psp_unread(&result->unread, "id", PAY_PSP_RULE_TOKEN);
        return PAY_OK;
    }

    PAY_TRY(status);

    PAY_TRY(pay_psp_word_get(arena, json, "code", &code));

    if (row->outcome == PAY_PSP_REFUSED && code.len == 0) {
        code = PAY_STR("refused");
    }

    if (row->outcome == PAY_PSP_DONE && change->kind == PAY_PSP_CAPTURE) {
        PAY_TRY(generic_captured(arena, change, json, id, result));
    }

    result->outcome = row->outcome;
    result->reference = id;
    result->code = (row->outcome == PAY_PSP_REFUSED) ? code : PAY_STR("");

    return PAY_OK;
}


/* The nonce is made anew from the change, since it is a pure function of it. */
static pay_status_t
generic_echo(pay_arena_t *arena, const pay_psp_change_t *change,
    const pay_json_t *json, int *same)
{
    pay_str_t  nonce, amount;

    PAY_TRY(pay_psp_key(arena, change->key,
                        pay_generic_calls[change->kind].suffix,
                        PAY_GENERIC_KEY_MAX, &nonce));

    *same = pay_psp_echo_needed(json, "nonce", nonce) == PAY_PSP_ECHO_RIGHT
            && pay_psp_echo_needed(json, "token", change->token)
               == PAY_PSP_ECHO_RIGHT;

    if (*same && generic_has_amount(change)) {
        PAY_TRY(pay_amount_format(arena, change->amount_minor,
                                  change->currency, &amount));
        *same = pay_psp_echo_needed(json, "amount", amount)
                == PAY_PSP_ECHO_RIGHT
                && pay_psp_is(json, "currency", change->currency->code);
    }

    return PAY_OK;
}


/* A capture that is done is the payment, or of held money what was captured
 * so far. */
static pay_status_t
generic_captured(pay_arena_t *arena, const pay_psp_change_t *change,
    const pay_json_t *json, pay_str_t id, pay_psp_changed_t *result)
{
    PAY_TRY(pay_psp_token_may(arena, json, "payment_id",
                              &result->event.reference));
    PAY_TRY(pay_generic_amount_in(arena, json, "amount", &result->event));

    result->event.token = change->token;
    result->event.type = PAY_STR("paid");
    result->event.fact = PAY_FACT_PAID;
    result->known = 1;

    if (pay_json_get(json, "captured") == NULL) {
        return PAY_OK;
    }

    result->event.object = id;
    PAY_TRY(pay_psp_operation(arena, change->key, &result->event.operation));
    pay_psp_about(&result->event, PAY_ABOUT_CAPTURE, PAY_NEWS_SUCCEEDED);

    return pay_generic_amount_in(arena, json, "captured", &result->event);
}


/* The answer is the registration as it stands, expired or not. */
static pay_status_t
generic_expired(pay_arena_t *arena, const pay_psp_change_t *change,
    const pay_json_t *json, pay_psp_changed_t *result)
{
    return pay_psp_expired(arena, change, json, pay_generic_state, result);
}
