/*
 * Lists for finance, /v1/reconciliation and /v1/payouts: the list that a query
 * asks for, and its rows as CSV (RFC 4180) that no spreadsheet takes for
 * formulas.
 */

#ifndef PAY_FINANCE_H
#define PAY_FINANCE_H

#include "pay_op.h"
#include "pay_payment.h"


#define PAY_FINANCE_LIMIT      50      /* items of a page, when the query is
                                          silent */
#define PAY_FINANCE_LIMIT_MAX  100
#define PAY_EXPORT_PAGE        1000    /* rows of an export that come at once */
#define PAY_EXPORT_ROWS_MAX    10000
#define PAY_EXPORT_PAGES_MAX   200     /* pages of a filtered list may be
                                          empty */
#define PAY_EXPORT_SIZE_MAX    (16 * 1024 * 1024)

typedef enum {
    PAY_FINANCE_FILES = 0,
    PAY_FINANCE_ROWS,
    PAY_FINANCE_EXCEPTIONS,
    PAY_FINANCE_CLOSES,
    PAY_FINANCE_AGEING,
    PAY_FINANCE_BALANCES,
    PAY_FINANCE_PAYOUTS,
    PAY_FINANCE_BATCHES,
    PAY_FINANCE_DESTINATIONS,          /* of the seller of the path */
    PAY_FINANCE_ADVICE,                /* the lines of one, of the pay-out of
                                          the path */
    PAY_FINANCE_LISTS
} pay_finance_list_t;

/* A request, all of it untrusted. */
typedef struct {
    pay_finance_list_t  list;
    pay_str_t           id;            /* of the path; empty: a page */
    pay_str_t           seller;        /* of the path, or empty */
    pay_str_t           query;         /* class=2&psp=stripe&format=csv */
    pay_str_t           accept;        /* RFC 9110 12.5.1: CSV where it names
                                          text/csv and no JSON, and a page of
                                          an advice where it names text/html
                                          and neither; the query's format
                                          counts before it */
} pay_finance_asked_t;

/* Slices point into the query and the id.  An empty one, and a number that is
 * not set, filter nothing. */
typedef struct {
    pay_finance_list_t  list;
    int                 is_csv;
    int                 is_html;       /* of an advice */
    int                 is_one;        /* a file, an exception, a pay-out, a
                                          batch, an account or the close of a
                                          day, instead of a page */
    pay_int_t           id;            /* of that file or exception */
    pay_str_t           payout_id;     /* of that pay-out, batch or account, or
                                          of the advice */
    pay_int_t           file_id;       /* of rows */
    pay_int_t           class;
    pay_int_t           before;        /* the next of an earlier page */
    int64_t             limit;         /* of a page */
    pay_str_t           source;
    pay_str_t           psp;
    pay_str_t           provider;      /* of pay-outs */
    pay_str_t           currency;
    pay_str_t           state;
    pay_str_t           day;           /* 2026-11-21; of a close, too */
    size_t              seller_len;    /* 0: of all sellers */
    unsigned char       seller[PAY_SELLER_MAX];
} pay_finance_query_t;

#define PAY_WHY_MAX   200              /* bytes */
#define PAY_WHY_RULE                                                          \
    "why must be a string of 1 to 200 bytes without control characters, and " \
    "not blank"

typedef enum {
    PAY_ACT_ACCEPT = 0,
    PAY_ACT_RESOLVE,
    PAY_ACT_WRITE_OFF,
    PAY_ACT_KINDS
} pay_finance_act_kind_t;

/* The body of an act after every check that needs no exception. */
typedef struct {
    pay_str_t     why;
    pay_str_t     as;                  /* of accept: a kind, or empty */
    pay_int_t     with;                /* of resolve: another exception */
    pay_errors_t  errors;              /* of one that is refused */
} pay_finance_act_t;

/* A request for an act; id, subject and body are untrusted. */
typedef struct {
    pay_finance_act_kind_t  kind;
    pay_str_t               merchant_id;
    pay_str_t               id;        /* of the path */
    pay_str_t               subject;   /* of the token */
    pay_str_t               body;
} pay_finance_act_input_t;


/* Whether a text can be the reason of an operator's act: PAY_WHY_RULE. */
int pay_why_is_fit(pay_str_t text);

/* "accept", "resolve", "write_off" */
const char *pay_finance_act_word(pay_finance_act_kind_t kind);

/* Reads the body of an act.  PAY_INVALID with a slug of
 * docs/security.md#hostile-requests and a JSON pointer: the first of
 * act->errors, but for a text that is no JSON and for card data. */
pay_status_t pay_finance_act_parse(pay_arena_t *arena,
    pay_finance_act_kind_t kind, pay_str_t body, pay_finance_act_t *act,
    pay_err_t *err) PAY_MUST_CHECK;

/* Reads the query and the id of a request.  PAY_NOT_FOUND: nothing can have
 * that id.  PAY_INVALID "validation-error", whose detail names the parameter,
 * for one that the list has not, that comes twice or breaks its rule. */
pay_status_t pay_finance_parse(const pay_finance_asked_t *asked,
    pay_finance_query_t *query, pay_err_t *err) PAY_MUST_CHECK;

/* Adds the line of column names. */
void pay_finance_csv_head(const pay_finance_query_t *query, pay_buf_t *buf);

/* Adds a line for each item of an answer of SQL.  *next is where the next page
 * begins, unless it is not set.  An answer of another form is PAY_BUG. */
pay_status_t pay_finance_csv_rows(pay_arena_t *arena,
    const pay_finance_query_t *query, pay_str_t page, pay_buf_t *buf,
    size_t *rows, pay_int_t *next) PAY_MUST_CHECK;


#endif /* PAY_FINANCE_H */
