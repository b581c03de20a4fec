/*
 * The requests of most adapters: a registration, a question about one, a
 * change, each as the adapter's table describes it (pay_psp_wire_t).  The
 * request is written when all of it is there, and is a pure function of its
 * arguments.
 */

#include "psp/psp.h"


static pay_status_t call_currency(const pay_psp_wire_t *wire,
    const pay_currency_t *currency, pay_err_t *err);
static pay_status_t call_key_add(pay_arena_t *arena,
    const pay_psp_wire_t *wire, pay_str_t id, const char *suffix,
    pay_http_request_t *request);
static pay_str_t call_id(const pay_psp_change_t *change, pay_psp_id_t id);


/* PAY_BUG for a checkout that our own rows must not contain; the PSP's limits
 * (currency, amount) are PAY_INVALID, so that routing passes this PSP over.
 * *request is written only when all of it is there. */
pay_status_t
pay_psp_call_register(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_checkout_t *checkout, const pay_psp_wire_t *wire,
    pay_http_request_t *request, pay_err_t *err)
{
    pay_json_t          *root;
    pay_status_t         status;
    pay_http_request_t   made;

    if (!pay_psp_checkout_sane(checkout)) {
        return PAY_BUG;
    }

    PAY_TRY(call_currency(wire, checkout->currency, err));
    PAY_TRY(wire->open(arena, account, "POST", wire->registrations,
                       PAY_STR(""), &made));
    PAY_TRY(call_key_add(arena, wire, checkout->nonce, "", &made));

    root = pay_json_object_new();
    status = (root == NULL) ? PAY_NO_MEMORY
                            : wire->body(arena, account, checkout, root, err);
    PAY_TRY(pay_psp_json_done(arena, status, root, &made));
    pay_psp_accept(&made, wire->accept);

    *request = made;

    return PAY_OK;
}


/* The token comes from a PSP's earlier answer; it was checked when it was
 * stored and is checked again, because it becomes part of a path. */
pay_status_t
pay_psp_call_query(pay_arena_t *arena, const pay_psp_account_t *account,
    pay_str_t token, const pay_psp_wire_t *wire, pay_http_request_t *request)
{
    pay_http_request_t  made;

    if (!pay_psp_token_is_valid(token)) {
        return PAY_BUG;
    }

    PAY_TRY(wire->open(arena, account, "GET", wire->registration, token,
                       &made));
    pay_psp_accept(&made, wire->accept);

    *request = made;

    return PAY_OK;
}


/* A body without amounts, as the empty one, needs no check of the currency. */
pay_status_t
pay_psp_call_change(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_change_t *change, const pay_psp_wire_t *wire,
    pay_http_request_t *request, pay_err_t *err)
{
    pay_json_t            *root;
    pay_status_t           status;
    pay_http_request_t     made;
    const pay_psp_call_t  *call;

    PAY_TRY(pay_psp_call_head(arena, account, change, wire, &made, err));
    call = &wire->calls[change->kind];

    if (call->body != NULL && call->body != pay_psp_body_empty) {
        PAY_TRY(call_currency(wire, change->currency, err));
    }

    if (call->body != NULL) {
        root = pay_json_object_new();
        status = (root == NULL) ? PAY_NO_MEMORY
                                : call->body(arena, account, change, root,
                                             err);
        PAY_TRY(pay_psp_json_done(arena, status, root, &made));
    }

    pay_psp_accept(&made, wire->accept);

    *request = made;

    return PAY_OK;
}


/* The id that the PSP wants must be there: without it the path would name a
 * list instead of a payment.  Flows make sure of it (flow_change_job.c:
 * pay_change_prepare()). */
pay_status_t
pay_psp_call_head(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_change_t *change, const pay_psp_wire_t *wire,
    pay_http_request_t *request, pay_err_t *err)
{
    pay_str_t              id, last = PAY_STR("");
    const pay_psp_call_t  *call;

    if (!pay_psp_change_sane(change)) {
        return PAY_BUG;
    }

    call = &wire->calls[change->kind];

    if (call->method == NULL) {
        return pay_refuse(err, "validation-error",
                          "this PSP has no such change");
    }

    id = call_id(change, call->id);

    if (!pay_psp_token_is_valid(id)) {
        return PAY_BUG;
    }

    if (call->tail != NULL) {
        PAY_TRY(pay_format(arena, &last, PAY_PSP_URL_MAX, "%.*s%s",
                           pay_fmt(id), call->tail));
    }

    PAY_TRY(wire->open(arena, account, call->method, call->path, last,
                       request));

    return call_key_add(arena, wire, change->key, call->suffix, request);
}


/* A PSP without a list leaves the decision to the functions that write
 * amounts. */
static pay_status_t
call_currency(const pay_psp_wire_t *wire, const pay_currency_t *currency,
    pay_err_t *err)
{
    return (wire->currencies == NULL
            || pay_psp_is_one_of(pay_str_of(currency->code),
                                 wire->currencies))
           ? PAY_OK : pay_refuse(err, "currency-unsupported",
                                 "this PSP takes no payments in that "
                                 "currency");
}


/* The suffix keeps the keys of one id apart: the capture of an order's nonce
 * must not share the key of its registration. */
static pay_status_t
call_key_add(pay_arena_t *arena, const pay_psp_wire_t *wire, pay_str_t id,
    const char *suffix, pay_http_request_t *request)
{
    pay_str_t  key;

    if (wire->key_header == NULL || suffix == NULL) {
        return PAY_OK;
    }

    PAY_TRY(pay_psp_key(arena, id, suffix, wire->key_max, &key));
    pay_psp_field_add(request, wire->key_header, key);

    return PAY_OK;
}


/* PSPs name the thing to be changed by its payment, its session or another id
 * of the session. */
static pay_str_t
call_id(const pay_psp_change_t *change, pay_psp_id_t id)
{
    return (id == PAY_PSP_ID_PAYMENT) ? change->reference
           : (id == PAY_PSP_ID_ALIAS) ? change->alias : change->token;
}


/* For PSPs that want a JSON body where there is nothing to say. */
pay_status_t
pay_psp_body_empty(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_change_t *change, pay_json_t *root, pay_err_t *err)
{
    (void) arena;
    (void) account;
    (void) change;
    (void) root;
    (void) err;

    return PAY_OK;
}
