/*
 * The table of SQL operations: everything the gateway may ask PostgreSQL.
 * Each is one set-based function of schema pay_api: arrays in, one row per
 * item out, the item's 1-based number in the first column.  This knows types,
 * not libpq; ngx_payments_pq.c sends it.
 */

#ifndef PAY_OP_H
#define PAY_OP_H

#include "pay_str.h"


#define PAY_OP_COLUMNS_MAX  40

typedef enum {
    PAY_TEXT = 0,              /* text[]   · text; UTF-8 without NUL */
    PAY_BYTES,                 /* bytea[]  · bytea */
    PAY_INT,                   /* bigint[] · bigint */
    PAY_JSON                   /* jsonb[] (text of it) · text out */
} pay_type_t;

/* One argument or one column of one item. */
typedef struct {
    int        is_null;
    int64_t    number;         /* PAY_INT */
    pay_str_t  bytes;          /* the others */
} pay_value_t;

/* Under pressure the better class goes first. */
typedef enum {
    PAY_CLASS_MONEY = 0,       /* webhooks, changes of orders that exist, and
                                  what ends a call to a PSP */
    PAY_CLASS_INTAKE,          /* new payments, reads of a request */
    PAY_CLASS_JOBS             /* what nobody waits for */
} pay_class_t;

/* Parts of a request with a deadline and a histogram each. */
typedef enum {
    PAY_STAGE_KEY = 0,         /* the idempotency key, and what is stored with
                                  it */
    PAY_STAGE_RISK,            /* nothing yet */
    PAY_STAGE_ROUTING,         /* which PSPs may take the order */
    PAY_STAGE_PSP,             /* one call to a PSP */
    PAY_STAGE_LEDGER,          /* an operation that books */
    PAY_STAGE_NONE
} pay_stage_t;

#define PAY_STAGES  5          /* without the last */

typedef struct {
    const char        *name;           /* the statement's and function's */
    const char        *sql;
    unsigned           in_count;
    const pay_type_t  *in;
    unsigned           out_count;      /* without the item number */
    const pay_type_t  *out;
    pay_class_t        class;
} pay_op_t;

typedef enum {
    PAY_OP_BEGIN_PAYMENT = 0,
    PAY_OP_STORE_TOKEN,
    PAY_OP_STORE_NO_TOKEN,
    PAY_OP_REROUTE,
    PAY_OP_GET_ORDER,
    PAY_OP_GET_PAYMENT,
    PAY_OP_GET_CHECKOUT,
    PAY_OP_GET_EVENTS,
    PAY_OP_GET_HANDLE,
    PAY_OP_APPLY_EVENT,
    PAY_OP_CLAIM_JOBS,
    PAY_OP_FINISH_JOB,
    PAY_OP_BEGIN_DISPATCH,
    PAY_OP_END_DISPATCH,
    PAY_OP_QUARANTINE_WEBHOOK,
    PAY_OP_KEEP_WEBHOOK,
    PAY_OP_EXPLAIN_PAYMENT,
    PAY_OP_EXPLAIN_CHECKOUT,
    PAY_OP_LIST_CHECKOUTS,
    PAY_OP_SWEEP,
    PAY_OP_BEGIN_BACKFILL,
    PAY_OP_END_BACKFILL,
    PAY_OP_BEGIN_RATES,
    PAY_OP_END_RATES,
    PAY_OP_GET_BALANCE,
    PAY_OP_GET_STATEMENT,
    PAY_OP_BEGIN_CHANGE,
    PAY_OP_GET_CHANGE,
    PAY_OP_LIST_CHANGES,
    PAY_OP_APPLY_CHANGE,
    PAY_OP_CHECK_BOOKS,
    PAY_OP_BEGIN_SEAL,
    PAY_OP_END_SEAL,
    PAY_OP_RELEASE_REPLACEMENT,
    PAY_OP_COUNT
} pay_op_id_t;


const pay_op_t *pay_op(pay_op_id_t id);
/* PAY_STAGE_KEY, _LEDGER or _NONE. */
pay_stage_t pay_op_stage(pay_op_id_t id);
/* Whether it is taken although nothing new is: reconciliation, and what ends
 * what has begun; all of PAY_CLASS_MONEY. */
int pay_op_is_kept(pay_op_id_t id);
/* Whether it changes nothing: its function is STABLE (ci/check-ops). */
int pay_op_only_reads(pay_op_id_t id);


#endif /* PAY_OP_H */
