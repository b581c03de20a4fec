/*
 * The common part of reading the bodies of all requests: members that are
 * known, documents within bounds, no card numbers.  Private to src/api.
 */

#ifndef PAY_API_PARSE_H
#define PAY_API_PARSE_H

#include "pay_json.h"
#include "pay_money.h"
#include "pay_payment.h"
#include "pay_payout_api.h"
#include "pay_problem.h"


/* The body of a request as a JSON object, which the caller frees.  PAY_INVALID:
 * it is none, or a name or a string in it, or the raw text, looks like a card
 * number.  Members that are not among `allowed` (ends with NULL) are kept in
 * *errors. */
pay_status_t pay_parse_body(pay_arena_t *arena, pay_str_t body,
    const char *const *allowed, pay_errors_t *errors, pay_json_t **json,
    pay_err_t *err) PAY_MUST_CHECK;

/* The result of reading one part of a body.  A refusal is kept and PAY_OK
 * returned, so that the other parts are read, too.  Text that looks like card
 * data is the exception: it ends the whole reading. */
pay_status_t pay_parse_note(pay_arena_t *arena, pay_errors_t *errors,
    pay_status_t status, const pay_err_t *err) PAY_MUST_CHECK;

/* Keeps one for each member that is not among `allowed` (ends with NULL),
 * with its pointer; that of the object is `base`. */
pay_status_t pay_parse_members(pay_arena_t *arena, const pay_json_t *json,
    const char *const *allowed, const char *base, pay_errors_t *errors)
    PAY_MUST_CHECK;

/* An amount of a currency, from a member that may be missing (NULL). */
pay_status_t pay_parse_amount(const pay_json_t *value,
    const pay_currency_t *currency, const char *pointer, int64_t *minor,
    pay_err_t *err) PAY_MUST_CHECK;

/* The refusal of a text that is no amount of this currency. */
pay_status_t pay_parse_bad_amount(const pay_currency_t *currency,
    const char *pointer, pay_err_t *err) PAY_MUST_CHECK;

/* destination.c: the account of a seller, checked, masked, and as banks take
 * it; its faults are kept in act->errors. */
pay_status_t pay_parse_destination(pay_arena_t *arena, const pay_json_t *body,
    pay_payout_act_t *act, pay_err_t *err) PAY_MUST_CHECK;

/* order_parse.c: the orders of a checkout, from its body; what is wrong with
 * them is kept. */
pay_status_t pay_parse_orders(pay_arena_t *arena, const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err) PAY_MUST_CHECK;

/* buyer_parse.c: the members of buyer_info that are read; complaints are
 * kept. */
pay_status_t pay_parse_buyer(pay_arena_t *arena, const pay_json_t *buyer,
    pay_buyer_info_t *out, pay_errors_t *errors, pay_err_t *err) PAY_MUST_CHECK;

/* A time in UTC as clients write it, with seconds, milliseconds (as the API
 * shows them) or microseconds, in microseconds since 1970.  PAY_INVALID:
 * another text. */
pay_status_t pay_parse_time(pay_str_t text, int64_t *us) PAY_MUST_CHECK;

/* The member as JSON text of at most `max` bytes. */
pay_status_t pay_parse_document(pay_arena_t *arena, const pay_json_t *value,
    const char *pointer, size_t max, pay_str_t *text, pay_err_t *err)
    PAY_MUST_CHECK;

/* The member "metadata" as JSON text: names and plain values within bounds;
 * *text stays as it is when it is absent. */
pay_status_t pay_parse_metadata(pay_arena_t *arena, const pay_json_t *body,
    pay_str_t *text, pay_err_t *err) PAY_MUST_CHECK;


#endif /* PAY_API_PARSE_H */
