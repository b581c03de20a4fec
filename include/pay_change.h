/*
 * Changes of an order: a capture, a cancellation or a refund, as a storefront
 * requests it, as PostgreSQL stores it and as the API shows it.
 */

#ifndef PAY_CHANGE_H
#define PAY_CHANGE_H

#include "pay_payment.h"


#define PAY_REASON_MAX    200          /* bytes */
#define PAY_CHANGES_MAX   1000         /* in a list */

typedef enum {
    PAY_CHANGE_CAPTURE = 0,
    PAY_CHANGE_CANCEL,
    PAY_CHANGE_REFUND,
    PAY_CHANGE_KINDS
} pay_change_kind_t;

/* The body of a POST after every check that needs no order. */
typedef struct {
    pay_str_t              amount;     /* empty: all that is left */
    const pay_currency_t  *currency;   /* NULL: the order's */
    int                    is_final;   /* of a capture: nothing follows */
    pay_str_t              reason;     /* UTF-8 without controls, or empty */
    pay_str_t              metadata;   /* JSON text, or empty */
    pay_errors_t           errors;     /* of one that is refused */
} pay_change_request_t;

/* A stored one: shape change of src/op/rows.list. */
typedef struct {
    pay_str_t              id;
    pay_change_kind_t      kind;
    int                    is_final;
    int                    closes;     /* a cancellation that is to close the
                                          page for good, whatever came of it */
    pay_str_t              order_id;
    pay_state_t            status;
    int64_t                amount_minor;
    const pay_currency_t  *currency;
    pay_str_t              reason;     /* these may be empty … */
    pay_str_t              code;
    pay_str_t              reference;  /* the PSP's id of it */
    pay_str_t              metadata;   /* JSON text */
    pay_str_t              created_at;
    pay_str_t              changed_at;
    pay_str_t              payment_reference;   /* … and this */
} pay_change_t;


/* "capture", "cancel", "refund" */
const char *pay_change_word(pay_change_kind_t kind);
/* The resource: "captures", "cancels", "refunds" */
const char *pay_change_plural(pay_change_kind_t kind);

/* Untrusted body (may be empty) → request.  PAY_INVALID with a slug of
 * docs/security.md#hostile-requests and a JSON pointer: the first of
 * request->errors, but for a text that is no JSON and for card data. */
pay_status_t pay_change_parse(pay_arena_t *arena, pay_change_kind_t kind,
    pay_str_t body, pay_change_request_t *request, pay_err_t *err)
    PAY_MUST_CHECK;

/* The amount in minor units of the order's currency, 0 when none was named.
 * PAY_INVALID "amount-invalid", or "validation-error" when the request names
 * another currency. */
pay_status_t pay_change_amount(const pay_change_request_t *request,
    const pay_currency_t *currency, int64_t *minor, pay_err_t *err)
    PAY_MUST_CHECK;

/* Makes a change from a row, without its checkout; bytes are copied into the
 * arena.  PAY_BUG when there is no row (NULL) or it breaks the rules of
 * src/op/rows.list. */
pay_status_t pay_change_decode(pay_arena_t *arena, const pay_change_row_t *row,
    pay_change_t *change) PAY_MUST_CHECK;

/* The API's representation. */
pay_status_t pay_change_render(pay_arena_t *arena, const pay_change_t *change,
    pay_str_t checkout_id, pay_str_t *json) PAY_MUST_CHECK;

/* Renders {"payment_order_id","refunds":[…]} from the rows of list_changes;
 * each is shown as pay_change_render() shows it, without its checkout. */
pay_status_t pay_changes_render(pay_arena_t *arena, pay_change_kind_t kind,
    pay_str_t payment_order_id, pay_str_t changes, pay_str_t *json)
    PAY_MUST_CHECK;


#endif /* PAY_CHANGE_H */
