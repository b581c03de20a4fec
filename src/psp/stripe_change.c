/*
 * Modifications of a Stripe payment or session (docs/psp/stripe.md#changes):
 * capture, cancel, refund, expire.  Stripe echoes amounts and ids; an answer
 * with others is never believed.
 */

#include "psp/stripe.h"


#define STRIPE_INTENTS  "/v1/payment_intents/"

typedef pay_status_t (*stripe_form_pt)(pay_buf_t *form,
    const pay_psp_change_t *change, pay_err_t *err);


static pay_status_t stripe_form_capture(pay_buf_t *form,
    const pay_psp_change_t *change, pay_err_t *err);
static pay_status_t stripe_form_refund(pay_buf_t *form,
    const pay_psp_change_t *change, pay_err_t *err);
static pay_status_t stripe_captured(pay_arena_t *arena,
    const pay_psp_change_t *change, const pay_json_t *json,
    pay_psp_changed_t *result);
static pay_status_t stripe_cancelled(pay_arena_t *arena,
    const pay_psp_change_t *change, const pay_json_t *json,
    pay_psp_changed_t *result);
static pay_status_t stripe_refunded(pay_arena_t *arena,
    const pay_psp_change_t *change, const pay_json_t *json,
    pay_psp_changed_t *result);
static pay_status_t stripe_expired(pay_arena_t *arena,
    const pay_psp_change_t *change, const pay_json_t *json,
    pay_psp_changed_t *result);


const pay_psp_call_t  pay_stripe_calls[PAY_PSP_CHANGE_COUNT] = {
    [PAY_PSP_CAPTURE] = { "POST", STRIPE_INTENTS, PAY_PSP_ID_PAYMENT,
                          "/capture", ":capture", NULL, stripe_captured },
    [PAY_PSP_CANCEL] = { "POST", STRIPE_INTENTS, PAY_PSP_ID_PAYMENT,
                         "/cancel", ":cancel", NULL, stripe_cancelled },
    [PAY_PSP_REFUND] = { "POST", "/v1/refunds", PAY_PSP_ID_PAYMENT, NULL,
                         ":refund", NULL, stripe_refunded },
    [PAY_PSP_EXPIRE] = { "POST", PAY_STRIPE_SESSIONS "/", PAY_PSP_ID_TOKEN,
                         "/expire", ":expire", NULL, stripe_expired }
};

static const pay_psp_wire_t  stripe_change_wire = {
    .open = pay_stripe_request,
    .key_header = "Idempotency-Key",
    .key_max = 255,
    .calls = pay_stripe_calls
};

/* The bodies; NULL: empty. */
static const stripe_form_pt  stripe_forms[PAY_PSP_CHANGE_COUNT] = {
    [PAY_PSP_CAPTURE] = stripe_form_capture,
    [PAY_PSP_REFUND] = stripe_form_refund
};

/* Stripe's own words; any other reason stays with us. */
static const char *const  stripe_reasons[] = {
    "duplicate", "fraudulent", "requested_by_customer", NULL
};

/* The answers to a repetition after the first call succeeded and its key was
 * forgotten: no proof that nothing happened. */
static const char *const  stripe_unsure_codes[] = {
    "charge_already_captured", "charge_already_refunded",
    "payment_intent_unexpected_state", "lock_timeout", NULL
};

/* A PaymentIntent's words behind a capture; requires_capture and others are no
 * result of one. */
static const pay_psp_outcome_row_t  stripe_captures[] = {
    { "succeeded", PAY_PSP_DONE, NULL },
    { "processing", PAY_PSP_PENDING, NULL },
    { NULL, PAY_PSP_UNKNOWN, NULL }
};

static const pay_psp_outcome_row_t  stripe_refunds[] = {
    { "pending", PAY_PSP_PENDING, NULL },
    { "requires_action", PAY_PSP_PENDING, NULL },
    { "succeeded", PAY_PSP_DONE, NULL },
    { "failed", PAY_PSP_REFUSED, NULL },
    { "canceled", PAY_PSP_REFUSED, NULL },
    { NULL, PAY_PSP_UNKNOWN, NULL }
};


/* As pay_psp_call_change(), but with a form for a body; an empty body is sent
 * as one, too. */
pay_status_t
pay_stripe_change(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_change_t *change, pay_http_request_t *request,
    pay_err_t *err)
{
    pay_buf_t           form;
    pay_str_t           body;
    pay_http_request_t  made;

    PAY_TRY(pay_psp_call_head(arena, account, change, &stripe_change_wire,
                              &made, err));

    pay_buf_init(&form, arena, PAY_PSP_REQUEST_MAX);

    if (stripe_forms[change->kind] != NULL) {
        PAY_TRY(stripe_forms[change->kind](&form, change, err));
    }

    PAY_TRY(pay_buf_done(&form, &body));
    pay_stripe_form_add(&made, body);
    *request = made;

    return PAY_OK;
}


/* The operation in the metadata comes back in the events of the payment. */
static pay_status_t
stripe_form_capture(pay_buf_t *form, const pay_psp_change_t *change,
    pay_err_t *err)
{
    int64_t  amount;

    PAY_TRY(pay_stripe_to_theirs(change->currency, change->amount_minor,
                                 &amount, err));

    pay_buf_text(form, "amount_to_capture=");
    pay_buf_int(form, amount);
    pay_stripe_pair(form, "metadata[operation]", change->key);

    return PAY_OK;
}


/* The reason is sent only if it is one of Stripe's words. */
static pay_status_t
stripe_form_refund(pay_buf_t *form, const pay_psp_change_t *change,
    pay_err_t *err)
{
    int64_t  amount;

    PAY_TRY(pay_stripe_to_theirs(change->currency, change->amount_minor,
                                 &amount, err));

    pay_buf_text(form, "amount=");
    pay_buf_int(form, amount);
    pay_stripe_pair(form, "payment_intent", change->reference);
    pay_stripe_pair(form, "metadata[operation]", change->key);
    pay_stripe_pair(form, "metadata[payment_reference]",
                    change->merchant_reference);

    if (pay_psp_is_one_of(change->reason, stripe_reasons)) {
        pay_stripe_pair(form, "reason", change->reason);
    }

    return PAY_OK;
}


/* Errors of a repetition look like refusals, although the first call may have
 * moved the money. */
pay_status_t
pay_stripe_change_error(pay_arena_t *arena, const pay_json_t *root,
    pay_psp_error_t *error)
{
    PAY_TRY(pay_stripe_error(arena, root, error));

    error->unsure |= pay_psp_is_one_of(error->code, stripe_unsure_codes);

    return PAY_OK;
}


/* A PaymentIntent.  Its amount is known once it has succeeded: the payment when
 * that is all of it, else a part, and the rest has been released. */
static pay_status_t
stripe_captured(pay_arena_t *arena, const pay_psp_change_t *change,
    const pay_json_t *json, pay_psp_changed_t *result)
{
    pay_psp_echo_t                echo;
    const pay_psp_outcome_row_t  *row;

    row = pay_psp_outcome_row(stripe_captures, json);
    echo = pay_psp_echo_text(json, "id", change->reference);

    if (echo == PAY_PSP_ECHO_RIGHT && row->outcome == PAY_PSP_DONE) {
        echo = pay_stripe_echo_money(json, "amount_received",
                                     change->currency, change->amount_minor);
    }

    if (row->word == NULL || !pay_psp_believed(echo, &result->code)) {
        return PAY_OK;
    }

    result->outcome = row->outcome;
    result->reference = change->reference;
    result->code = PAY_STR("");
    result->event.token = change->token;
    result->event.reference = change->reference;
    result->event.type = pay_str_of(row->word);
    PAY_TRY(pay_stripe_amount_in(arena, json, "amount_received",
                                 &result->event));

    if (row->outcome != PAY_PSP_DONE || !result->event.has_amount) {
        return PAY_OK;
    }

    result->event.fact = PAY_FACT_PAID;
    result->known = 1;

    if (pay_stripe_echo_money(json, "amount", change->currency,
                              change->amount_minor) != PAY_PSP_ECHO_RIGHT)
    {
        pay_psp_about(&result->event, PAY_ABOUT_CAPTURE, PAY_NEWS_ENDED);
        return pay_psp_operation(arena, change->key,
                                 &result->event.operation);
    }

    return PAY_OK;
}


/* Only the status canceled is a result; any other leaves the outcome open. */
static pay_status_t
stripe_cancelled(pay_arena_t *arena, const pay_psp_change_t *change,
    const pay_json_t *json, pay_psp_changed_t *result)
{
    (void) arena;

    if (pay_psp_believed(pay_psp_echo_text(json, "id", change->reference),
                         &result->code)
        && pay_psp_is(json, "status", "canceled"))
    {
        result->outcome = PAY_PSP_DONE;
        result->reference = change->reference;
        result->code = PAY_STR("");
    }

    return PAY_OK;
}


/* A pending refund is accepted and may still fail, which a webhook reports. */
static pay_status_t
stripe_refunded(pay_arena_t *arena, const pay_psp_change_t *change,
    const pay_json_t *json, pay_psp_changed_t *result)
{
    pay_str_t                     id, code;
    pay_status_t                  status;
    pay_psp_echo_t                echo;
    const pay_psp_outcome_row_t  *row;

    echo = pay_stripe_echo_money(json, "amount", change->currency,
                                 change->amount_minor);
    if (echo == PAY_PSP_ECHO_RIGHT) {
        echo = pay_psp_echo_text(json, "payment_intent",
                                 change->reference);
    }

    row = pay_psp_outcome_row(stripe_refunds, json);

    if (row->word == NULL || !pay_psp_believed(echo, &result->code)) {
        return PAY_OK;
    }

    status = pay_psp_token_get(arena, json, "id", &id);
    if (status != PAY_OK) {
        return (status == PAY_NOT_FOUND) ? PAY_OK : status;
    }

    PAY_TRY(pay_psp_word_get(arena, json, "failure_reason", &code));

    result->outcome = row->outcome;
    result->reference = id;
    result->code = PAY_STR("");

    if (row->outcome == PAY_PSP_REFUSED) {
        result->code = code.len ? code : pay_str_of(row->word);
    }

    return PAY_OK;
}


/* The session as it stands; only one that says so has expired. */
static pay_status_t
stripe_expired(pay_arena_t *arena, const pay_psp_change_t *change,
    const pay_json_t *json, pay_psp_changed_t *result)
{
    return pay_psp_expired(arena, change, json, pay_stripe_state, result);
}
