/*
 * PSP adapters: one file per PSP in src/psp filling one const struct, one row
 * in the registry.  An adapter turns a stored order into a request and an
 * untrusted answer into an outcome; it never does I/O.
 */

#ifndef PAY_PSP_H
#define PAY_PSP_H

#include "pay_http.h"
#include "pay_json.h"
#include "pay_money.h"
#include "pay_state.h"


#define PAY_PSP_LINES_MAX      20
#define PAY_PSP_TOKEN_MAX      255
#define PAY_PSP_EVENTS_MAX     16
#define PAY_PSP_CODE_MAX       64

/* From the payments_psp block. */
typedef struct {
    pay_str_t  base_url;               /* no trailing slash */
    pay_str_t  api_key;
} pay_psp_account_t;

typedef struct {
    pay_str_t  payment_order_id;
    pay_str_t  name;                   /* what the buyer reads */
    int64_t    amount_minor;           /* ISO 4217 minor units */
} pay_psp_line_t;

/* A registration, a pure function of stored rows: the same on every attempt. */
typedef struct {
    pay_str_t                nonce;    /* the PSP's idempotency key */
    pay_str_t                reference;   /* our checkout's UUID */
    const pay_currency_t    *currency;
    int64_t                  amount_minor;
    int64_t                  expires_s;
    pay_str_t                return_url;  /* <gateway>/return/<handle> */
    pay_psp_line_t           lines[PAY_PSP_LINES_MAX];
    unsigned                 line_count;
} pay_psp_order_t;

typedef enum {
    PAY_PSP_DONE = 0,          /* accepted; token and hosted_url are set */
    PAY_PSP_REFUSED,           /* definitely not accepted, never will be */
    PAY_PSP_NOT_SENT,          /* provably without effect; may be sent again */
    PAY_PSP_UNKNOWN            /* may or may not have happened */
} pay_psp_outcome_t;

typedef struct {
    pay_psp_outcome_t  outcome;
    pay_str_t          token;
    pay_str_t          hosted_url;     /* unchecked: see pay_hosted_url_check */
    pay_str_t          code;           /* PSP's error code made safe:
                                          [a-z0-9_.-]{0,64}, or our literal */
    int64_t            retry_after_s;  /* -1: the PSP did not say */
} pay_psp_registered_t;

/* One fact about one registration, from a webhook or a query. */
typedef struct {
    pay_str_t   event_id;              /* empty in a query's answer */
    pay_str_t   type;                  /* the PSP's word, made safe */
    pay_fact_t  fact;
    pay_str_t   token;                 /* empty: not about a registration */
    pay_str_t   reference;             /* the PSP's payment id, or empty */
    pay_str_t   code;                  /* decline code and the like, safe */
    int         has_amount;
    int64_t     amount_minor;          /* ISO 4217 minor units */
    pay_str_t   currency;              /* upper case, when has_amount */
} pay_psp_event_t;

typedef struct {
    const char   *name;                /* "stripe", "generic" */
    const char   *scheme;              /* default webhook scheme */
    unsigned      key_window_hours;    /* life of the PSP's idempotency keys */
    unsigned      min_expiry_s;        /* shortest and longest life of a */
    unsigned      max_expiry_s;        /*   hosted page at this PSP */

    /* Ours → theirs.  PAY_INVALID "currency-unsupported" or
     * "amount-invalid" when this PSP cannot take it (three-decimal currencies
     * with a last digit at Stripe, say). */
    pay_status_t  (*register_request)(pay_arena_t *arena,
        const pay_psp_account_t *account, const pay_psp_order_t *order,
        pay_http_request_t *request, pay_err_t *err);
    /* Theirs → ours.  Never fails but for memory: trouble is an outcome.
     * An echoed amount, currency or reference that differs from the order's
     * is PAY_PSP_UNKNOWN with code "answer_mismatch". */
    pay_status_t  (*register_answer)(pay_arena_t *arena,
        const pay_psp_order_t *order, const pay_http_answer_t *answer,
        pay_psp_registered_t *result);

    pay_status_t  (*query_request)(pay_arena_t *arena,
        const pay_psp_account_t *account, pay_str_t token,
        pay_http_request_t *request);
    /* *known 0: the answer says nothing (failure, malformed, other token). */
    pay_status_t  (*query_answer)(pay_arena_t *arena, pay_str_t token,
        const pay_http_answer_t *answer, pay_psp_event_t *event, int *known);

    /* A verified webhook body → events.  `event_id` comes from the scheme's
     * headers (may be empty).  PAY_INVALID "invalid-json" or
     * "validation-error" when it is no event of this PSP. */
    pay_status_t  (*webhook_events)(pay_arena_t *arena, pay_str_t event_id,
        pay_str_t body, pay_psp_event_t events[PAY_PSP_EVENTS_MAX],
        unsigned *count, pay_err_t *err);
} pay_psp_adapter_t;


/* NULL when there is none of that name. */
const pay_psp_adapter_t *pay_psp_find(pay_str_t name);
/* Ends with NULL. */
const pay_psp_adapter_t *const *pay_psp_table(void);


#endif /* PAY_PSP_H */
