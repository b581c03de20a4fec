/*
 * The bodies of POST …/refunds, …/capture and …/cancel, from a stranger's
 * bytes to a checked request.  Everything that is not expected is refused,
 * with a pointer to it.
 */

#include "parse.h"
#include "pay_change.h"


typedef pay_status_t (*part_pt)(pay_arena_t *arena, const pay_json_t *body,
    pay_change_request_t *request, pay_err_t *err);


static pay_status_t parse_object(pay_arena_t *arena, const pay_json_t *body,
    pay_change_request_t *request, pay_err_t *err);
static pay_status_t parse_money(pay_arena_t *arena, const pay_json_t *body,
    pay_change_request_t *request, pay_err_t *err);
static pay_status_t parse_final(pay_arena_t *arena, const pay_json_t *body,
    pay_change_request_t *request, pay_err_t *err);
static pay_status_t parse_reason(pay_arena_t *arena, const pay_json_t *body,
    pay_change_request_t *request, pay_err_t *err);
static pay_status_t parse_metadata(pay_arena_t *arena, const pay_json_t *body,
    pay_change_request_t *request, pay_err_t *err);


/* Each judges some members of the body, whatever the others are like. */
static const part_pt  parts[] = {
    parse_money, parse_final, parse_reason, parse_metadata
};

static const char  *const capture_members[] = {
    "amount", "currency", "final", NULL
};

static const char  *const cancel_members[] = { "reason", NULL };

static const char  *const refund_members[] = {
    "amount", "currency", "reason", "metadata", NULL
};

static const char  *const *const members[] = {
    [PAY_CHANGE_CAPTURE] = capture_members,
    [PAY_CHANGE_CANCEL] = cancel_members,
    [PAY_CHANGE_REFUND] = refund_members
};
PAY_ROWS(members, PAY_CHANGE_KINDS);


/* An empty body is legal and means everything that is left: a capture of the
 * rest, final; a refund or a cancellation of all. */
pay_status_t
pay_change_parse(pay_arena_t *arena, pay_change_kind_t kind, pay_str_t body,
    pay_change_request_t *request, pay_err_t *err)
{
    pay_err_t      unused = { .slug = NULL };
    pay_json_t    *json;
    pay_status_t   status;

    memset(request, 0, sizeof(*request));
    err = (err != NULL) ? err : &unused;

    if ((unsigned) kind >= PAY_CHANGE_KINDS) {
        return PAY_BUG;
    }

    /* A cancellation, or a change of everything: no body is needed, and none
     * is asked for. */
    if (body.len == 0) {
        request->is_final = 1;
        return PAY_OK;
    }

    PAY_TRY(pay_parse_body(arena, body, members[kind], &request->errors,
                           &json, err));
    status = parse_object(arena, json, request, err);
    pay_json_free(json);

    return status;
}


/* Also called once the order is known.  *minor 0 stands for "all that is
 * left", which SQL decides under its locks: a number computed here could be
 * stale. */
pay_status_t
pay_change_amount(const pay_change_request_t *request,
    const pay_currency_t *currency, int64_t *minor, pay_err_t *err)
{
    if (request->currency != NULL && request->currency != currency) {
        return pay_refuse_at(err, "validation-error",
                             "currency must be that of the order",
                             "/currency");
    }

    if (request->amount.len == 0) {
        *minor = 0;
        return PAY_OK;
    }

    if (pay_amount_parse(request->amount, currency, minor, NULL) == PAY_OK) {
        return PAY_OK;
    }

    return pay_parse_bad_amount(currency, "/amount", err);
}


/* Every kind goes through the same parts; a member that is not of its kind has
 * been refused by pay_parse_members() already. */
static pay_status_t
parse_object(pay_arena_t *arena, const pay_json_t *body,
    pay_change_request_t *request, pay_err_t *err)
{
    size_t         i;
    pay_status_t   status;
    pay_errors_t  *errors = &request->errors;

    for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        status = parts[i](arena, body, request, err);
        PAY_TRY(pay_parse_note(arena, errors, status, err));
    }

    return pay_errors_verdict(errors, err);
}


/* The amount is kept as text when no currency is given: the order's currency,
 * which decides how many decimals it must have, is in the database. */
static pay_status_t
parse_money(pay_arena_t *arena, const pay_json_t *body,
    pay_change_request_t *request, pay_err_t *err)
{
    int64_t            minor;
    pay_str_t          text;
    const pay_json_t  *value;

    value = pay_json_get(body, "currency");

    if (value != NULL
        && (pay_json_string(value, &text) != PAY_OK
            || pay_currency_find(text, &request->currency, NULL) != PAY_OK))
    {
        return pay_refuse_at(err, "currency-unsupported",
                             "the currency must be an ISO 4217 code, for "
                             "example \"EUR\"",
                             "/currency");
    }

    /* Absent: all that is left, which is the database's to know. */
    value = pay_json_get(body, "amount");
    if (value == NULL) {
        return PAY_OK;
    }

    if (pay_json_string(value, &text) != PAY_OK || text.len == 0
        || text.len > PAY_AMOUNT_TEXT_MAX)
    {
        return pay_refuse_at(err, "amount-invalid",
                             "amount must be a string, as \"12.30\", above "
                             "zero with exactly the currency's number of "
                             "decimals", "/amount");
    }

    /* Kept for pay_change_amount(), which judges it again in the order's own
     * currency. */
    PAY_TRY(pay_dup(arena, text, &request->amount));

    return (request->currency == NULL)
           ? PAY_OK : pay_change_amount(request, request->currency, &minor,
                                        err);
}


/* A capture without an amount takes the whole rest, so that nothing can follow
 * it: it is final without saying so. */
static pay_status_t
parse_final(pay_arena_t *arena, const pay_json_t *body,
    pay_change_request_t *request, pay_err_t *err)
{
    const pay_json_t  *value;

    (void) arena;

    value = pay_json_get(body, "final");

    if (value != NULL && pay_json_type(value) != PAY_JSON_TRUE
        && pay_json_type(value) != PAY_JSON_FALSE)
    {
        return pay_refuse_at(err, "validation-error",
                             "final must be true or false", "/final");
    }

    request->is_final = request->amount.len == 0 || pay_json_is_true(value);

    return PAY_OK;
}


/* Free text for the merchant's own records, any UTF-8 without control
 * characters. */
static pay_status_t
parse_reason(pay_arena_t *arena, const pay_json_t *body,
    pay_change_request_t *request, pay_err_t *err)
{
    size_t             i;
    pay_str_t          text;
    const pay_json_t  *value;

    value = pay_json_get(body, "reason");
    if (value == NULL) {
        return PAY_OK;
    }

    if (pay_json_string(value, &text) != PAY_OK || text.len == 0
        || text.len > PAY_REASON_MAX)
    {
        goto refused;
    }

    for (i = 0; i < text.len; i++) {
        if (text.data[i] < ' ' || text.data[i] == 0x7f) {
            goto refused;
        }
    }

    return pay_dup(arena, text, &request->reason);

refused:

    return pay_refuse_at(err, "validation-error",
                         "reason must be a string of 1 to 200 bytes without "
                         "control characters", "/reason");
}


static pay_status_t
parse_metadata(pay_arena_t *arena, const pay_json_t *body,
    pay_change_request_t *request, pay_err_t *err)
{
    return pay_parse_metadata(arena, body, &request->metadata, err);
}
