/*
 * Modifications of a Stripe payment or session (docs/psp/stripe.md#changes):
 * capture, cancel, refund, expire.  Stripe echoes amounts and ids; an answer
 * with others is never believed.
 */

#include "psp/stripe.h"


typedef struct {
    const char  *path;
    const char  *tail;         /* behind the id; NULL: the path takes none */
    const char  *suffix;       /* of the idempotency key; no id of ours has a
                                  ':', so no order has such a nonce */
    pay_status_t  (*form)(pay_buf_t *form, const pay_psp_change_t *change,
        pay_err_t *err);
    pay_status_t  (*read)(pay_arena_t *arena, const pay_psp_change_t *change,
        const pay_json_t *json, pay_psp_changed_t *result);
} stripe_change_t;


static pay_str_t stripe_change_id(const pay_psp_change_t *change);
static pay_status_t stripe_form_nothing(pay_buf_t *form,
    const pay_psp_change_t *change, pay_err_t *err);
static pay_status_t stripe_form_capture(pay_buf_t *form,
    const pay_psp_change_t *change, pay_err_t *err);
static pay_status_t stripe_form_refund(pay_buf_t *form,
    const pay_psp_change_t *change, pay_err_t *err);
static pay_status_t stripe_change_error(pay_arena_t *arena,
    const pay_json_t *root, pay_psp_error_t *error);
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


static const stripe_change_t  stripe_changes[PAY_PSP_CHANGE_COUNT] = {
    [PAY_PSP_CAPTURE] = { "/v1/payment_intents/", "/capture", ":capture",
                          stripe_form_capture, stripe_captured },
    [PAY_PSP_CANCEL] = { "/v1/payment_intents/", "/cancel", ":cancel",
                         stripe_form_nothing, stripe_cancelled },
    [PAY_PSP_REFUND] = { "/v1/refunds", NULL, ":refund",
                         stripe_form_refund, stripe_refunded },
    [PAY_PSP_EXPIRE] = { PAY_STRIPE_SESSIONS "/", "/expire", ":expire",
                         stripe_form_nothing, stripe_expired }
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


pay_status_t
pay_stripe_change_request(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_change_t *change,
    pay_http_request_t *request, pay_err_t *err)
{
    pay_buf_t               form;
    pay_str_t               last, key, body;
    pay_http_request_t      made;
    const stripe_change_t  *row;

    if (!pay_psp_change_sane(change)
        || !pay_psp_token_is_valid(stripe_change_id(change)))
    {
        return PAY_BUG;
    }

    row = &stripe_changes[change->kind];
    last = PAY_STR("");

    if (row->tail != NULL) {
        PAY_TRY(pay_format(arena, &last, PAY_PSP_URL_MAX, "%.*s%s",
                           pay_fmt(stripe_change_id(change)), row->tail));
    }

    pay_buf_init(&form, arena, PAY_PSP_REQUEST_MAX);
    PAY_TRY(row->form(&form, change, err));
    PAY_TRY(pay_buf_done(&form, &body));
    PAY_TRY(pay_psp_key(arena, change->key, row->suffix, 255, &key));
    PAY_TRY(pay_stripe_request(arena, account, "POST", row->path, last,
                               &made));

    pay_stripe_form_add(&made, key, body);
    *request = made;

    return PAY_OK;
}


pay_status_t
pay_stripe_change_answer(pay_arena_t *arena, const pay_psp_change_t *change,
    const pay_http_answer_t *answer, pay_psp_changed_t *result)
{
    return pay_psp_change_answer(arena, change, answer, stripe_change_error,
                                 stripe_changes[change->kind].read, result);
}


static pay_str_t
stripe_change_id(const pay_psp_change_t *change)
{
    return (change->kind == PAY_PSP_EXPIRE) ? change->token
                                            : change->reference;
}


static pay_status_t
stripe_form_nothing(pay_buf_t *form, const pay_psp_change_t *change,
    pay_err_t *err)
{
    (void) form;
    (void) change;
    (void) err;

    return PAY_OK;
}


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


static pay_status_t
stripe_change_error(pay_arena_t *arena, const pay_json_t *root,
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
