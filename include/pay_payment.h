/*
 * A checkout: as a storefront asks for it, as PostgreSQL keeps it, as the API
 * shows it.
 */

#ifndef PAY_PAYMENT_H
#define PAY_PAYMENT_H

#include "pay_json.h"
#include "pay_money.h"
#include "pay_op.h"
#include "pay_problem.h"
#include "pay_state.h"


#define PAY_ORDERS_MAX      20
#define PAY_EXPIRES_MIN_S   60
#define PAY_EXPIRES_MAX_S   86400
#define PAY_EXPIRES_S       3600       /* when the request does not say */
#define PAY_SELLER_MAX      64

/* An order.  The members behind `reason` are the stored sums of its money; a
 * request fills only `credit` and the fee of them. */
typedef struct {
    pay_str_t              id;
    pay_str_t              seller;
    int64_t                amount_minor;
    pay_state_t            status;
    pay_str_t              reason;     /* empty: none */
    int64_t                authorized_minor;     /* and not captured yet */
    int64_t                captured_minor;
    int64_t                refunding_minor;      /* asked for, not heard of */
    int64_t                refunded_minor;
    int64_t                charged_back_minor;
    const pay_currency_t  *credit;     /* the seller's credit currency, if it
                                          is another one; else NULL */
    int64_t                credit_minor;
    pay_str_t              credit_rate;          /* decimal text */
    pay_str_t              credit_until;         /* ISO 8601 */
    int                    has_fee;    /* the merchant's of this sale; of a
                                          request: the storefront gives it */
    int64_t                fee_minor;
    int64_t                fee_tax_minor;        /* VAT on it */
    pay_str_t              decline;    /* of the last declined attempt, JSON
                                          text by SQL; empty: none */
    pay_str_t              description;          /* of a request, and on the
                                                    buyer's page; or empty */
} pay_order_t;

/* The members of buyer_info that the gateway reads: the storefront's word for
 * them.  Empty, or 0: not given. */
typedef struct {
    pay_str_t              id;
    pay_str_t              email;
    pay_str_t              phone;
    pay_str_t              ip;             /* IPv4 or IPv6 as text */
    pay_str_t              user_agent;
    pay_str_t              device;
    pay_str_t              billing_country;
    pay_str_t              shipping_country;
    int64_t                account_created_s;
} pay_buyer_info_t;

#define PAY_DESCRIPTION_MAX  256       /* bytes */
#define PAY_LOCALE_TAG_MIN   2
#define PAY_LOCALE_TAG_MAX   35        /* bytes; RFC 5646, section 4.4.1 */

/* The body of POST /v1/payments after every check. */
typedef struct {
    pay_str_t              checkout_id;
    pay_str_t              psp;            /* empty: routes decide */
    pay_str_t              method;         /* payment_method, or empty */
    pay_str_t              replaces;       /* a checkout's id, or empty */
    pay_str_t              locale;         /* a language tag, or empty */
    pay_str_t              country;        /* buyer_info.country, or empty */
    pay_buyer_info_t            buyer;
    pay_str_t              return_url;     /* unchecked: needs the hosts */
    pay_str_t              buyer_info;     /* JSON text, or empty */
    pay_str_t              metadata;       /* JSON text, or empty */
    pay_str_t              card_info;      /* JSON text, or empty */
    const pay_currency_t  *currency;
    int64_t                total_minor;
    int64_t                expires_in_s;
    int                    has_expires_in;
    int                    manual;         /* captured by calls of its own */
    pay_order_t           *orders;         /* id empty: make one */
    unsigned               order_count;
    pay_errors_t           errors;         /* of one that is refused */
} pay_payment_request_t;

/* As it is stored: shape checkout of src/op/rows.list. */
typedef struct {
    pay_str_t              merchant_id;
    pay_str_t              checkout_id;
    pay_str_t              checkout_uuid;
    pay_str_t              psp;
    pay_str_t              nonce;
    pay_str_t              handle;
    pay_str_t              token;          /* empty: none yet */
    pay_str_t              alias;          /* of the token, or empty */
    pay_str_t              hosted_url;     /* empty: none yet */
    pay_str_t              return_url;
    pay_str_t              base_url;
    const pay_currency_t  *currency;
    int64_t                total_minor;
    int64_t                expires_s;
    pay_str_t              registration;   /* REGISTERING|REGISTERED|REFUSED */
    int64_t                attempt;
    pay_str_t              code;
    int64_t                version;
    int                    manual;         /* captured by calls of its own */
    pay_str_t              replaces;       /* a checkout_id, or empty */
    pay_str_t              replaced_by;
    pay_str_t              trace;          /* traceparent, or empty */
    pay_str_t              risk;           /* the decision before the PSP was
                                              asked; empty: there was none */
    pay_str_t              locale;     /* on the buyer's page; or empty */
    pay_order_t           *orders;
    unsigned               order_count;
} pay_checkout_t;


/* Untrusted body → request.  PAY_INVALID with the slug of
 * docs/security.md#hostile-requests and a JSON pointer.  Unknown members are
 * refused, metadata's and buyer_info's own apart; card numbers anywhere are
 * refused.  *err is the first of request->errors; of a text that is no JSON
 * and of card data there is one alone, which is in *err only. */
pay_status_t pay_payment_parse(pay_arena_t *arena, pay_str_t body,
    pay_payment_request_t *request, pay_err_t *err) PAY_MUST_CHECK;

/* Reads the column "page" of a visit, NULL as the empty slice, into locale and
 * the orders' descriptions.  PAY_BUG: SQL has kept another text. */
pay_status_t pay_checkout_page(pay_arena_t *arena, pay_str_t page,
    pay_checkout_t *checkout) PAY_MUST_CHECK;

/* Makes a checkout from a row; bytes are copied into the arena.  PAY_BUG when
 * there is no row (NULL) or it breaks the rules of src/op/rows.list. */
pay_status_t pay_checkout_decode(pay_arena_t *arena,
    const pay_checkout_row_t *row, pay_checkout_t *checkout) PAY_MUST_CHECK;

/* One of its orders → order, the same way. */
pay_status_t pay_line_decode(pay_arena_t *arena, const pay_line_row_t *row,
    pay_order_t *order) PAY_MUST_CHECK;

/* get_order's row → a checkout of which only that is set which
 * pay_order_render() shows; before the order comes one of which only the
 * status is known: the first one's. */
pay_status_t pay_order_decode(pay_arena_t *arena, const pay_order_row_t *row,
    pay_checkout_t *checkout) PAY_MUST_CHECK;

/* The state of the whole: its orders move together. */
pay_state_t pay_checkout_state(const pay_checkout_t *checkout);

/* The buyer is done, the money is held: it waits for captures. */
int pay_checkout_is_authorized(const pay_checkout_t *checkout);
/* Money of any of its orders is held. */
int pay_checkout_holds(const pay_checkout_t *checkout);
/* So is that of all that are open: only the merchant's word is missing. */
int pay_checkout_rests(const pay_checkout_t *checkout);

/* The order of that id, or NULL. */
const pay_order_t *pay_checkout_order(const pay_checkout_t *checkout,
    pay_str_t payment_order_id);

/* The amount of it that can still be refunded; never below 0. */
int64_t pay_order_refundable(const pay_order_t *order);

/* The API's representation of a checkout. */
pay_status_t pay_checkout_render(pay_arena_t *arena,
    const pay_checkout_t *checkout, pay_str_t *json) PAY_MUST_CHECK;

/* The representation of one of its orders; PAY_NOT_FOUND when absent. */
pay_status_t pay_order_render(pay_arena_t *arena,
    const pay_checkout_t *checkout, pay_str_t payment_order_id,
    pay_str_t *json) PAY_MUST_CHECK;

/* {"payment_order_id","events":[…]} around the array that SQL made. */
pay_status_t pay_timeline_render(pay_arena_t *arena,
    pay_str_t payment_order_id, pay_str_t events, pay_str_t *json)
    PAY_MUST_CHECK;


#endif /* PAY_PAYMENT_H */
