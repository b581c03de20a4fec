/*
 * Checks an export of the event log offline: the chain of each order, that
 * each leaf of a seal is its order's row, the roots, the chain of the seals
 * and their signatures.  Rows are fed in twice, so that memory goes by seals
 * and leaves and not by events: first all of them to pay_audit_check_seal(),
 * then pay_audit_check_seals(), then the events to pay_audit_check_event(),
 * then pay_audit_check_end().  Called by payctl audit verify.
 */

#ifndef PAY_AUDIT_CHECK_H
#define PAY_AUDIT_CHECK_H

#include "pay_audit.h"


#define PAY_AUDIT_KEYS_MAX  16

typedef enum {
    PAY_AUDIT_CHANGED = 0,
    PAY_AUDIT_MISSING,
    PAY_AUDIT_INSERTED,
    PAY_AUDIT_OUT_OF_ORDER,
    PAY_AUDIT_NOT_SEALED,
    PAY_AUDIT_BAD_SIGNATURE,
    PAY_AUDIT_UNKNOWN_KEY,
    PAY_AUDIT_SEAL_MISSING,
    PAY_AUDIT_SEAL_CHANGED,
    PAY_AUDIT_NO_ROW,          /* a line that cannot be read */
    PAY_AUDIT_WHAT_COUNT
} pay_audit_what_t;

/* Valid only during the call that passes it. */
typedef struct {
    pay_audit_what_t  what;
    const char       *why;                 /* a literal */
    pay_str_t         merchant_id;         /* empty: it is about a seal */
    pay_str_t         payment_order_id;
    int64_t           seq;                 /* 0: none */
    int64_t           last_seq;            /* of rows that are missing */
    int64_t           number;              /* of a seal; 0: none */
    pay_str_t         key_id;              /* that is unknown */
    uint64_t          line;                /* where it shows; 0: at the end */
} pay_audit_finding_t;

typedef struct {
    unsigned char  key[PAY_ED25519_KEY];
    char           id[PAY_ED25519_KEY_ID + 1];
    uint64_t       seals;                  /* that it has signed … */
    int64_t        first;                  /* … and their numbers */
    int64_t        last;
} pay_audit_key_t;

typedef struct {
    pay_audit_key_t  *keys;
    size_t            key_count;
    int               is_part;             /* it may begin in the middle */
    void            (*found)(void *data, const pay_audit_finding_t *finding);
    void             *data;
} pay_audit_conf_t;

typedef struct {
    uint64_t  events;
    uint64_t  orders;
    uint64_t  anchored;                    /* orders that begin in the middle */
    uint64_t  leaves;
    uint64_t  seals;                       /* signed */
    int64_t   first;                       /* number of a seal; 0: none */
    int64_t   last;
    char      first_at[PAY_AUDIT_TIME + 1];
    char      last_at[PAY_AUDIT_TIME + 1];
    int64_t   pending;                     /* begun and not signed; 0: none */
    uint64_t  unsealed;                    /* events after the last seal */
    char      unsealed_at[PAY_AUDIT_TIME + 1];     /* the oldest of them */
    uint64_t  roots;                       /* seals that were seen outside */
    int64_t   last_root;
    uint64_t  other_roots;                 /* outside of a part */
} pay_audit_counts_t;

typedef struct pay_audit_check_s  pay_audit_check_t;


/* Owned by the arena; `conf` must outlive it.  NULL: no memory. */
pay_audit_check_t *pay_audit_check_open(pay_arena_t *arena,
    const pay_audit_conf_t *conf);

/* Each returns PAY_NO_MEMORY when it cannot go on, whatever was found.
 * Takes leaves and seals and passes over events. */
pay_status_t pay_audit_check_seal(pay_audit_check_t *check,
    const pay_audit_row_t *row, uint64_t line) PAY_MUST_CHECK;
pay_status_t pay_audit_check_seals(pay_audit_check_t *check) PAY_MUST_CHECK;

/* A seal that was kept elsewhere; after pay_audit_check_seals(). */
pay_status_t pay_audit_check_root(pay_audit_check_t *check,
    const pay_audit_row_t *row, uint64_t line) PAY_MUST_CHECK;

/* Takes events and anchors and passes over the others; after
 * pay_audit_check_seals(). */
pay_status_t pay_audit_check_event(pay_audit_check_t *check,
    const pay_audit_row_t *row, uint64_t line) PAY_MUST_CHECK;
/* After the last event: reports leaves of seals that no event has matched. */
pay_status_t pay_audit_check_end(pay_audit_check_t *check) PAY_MUST_CHECK;

/* Borrowed; they grow until pay_audit_check_end(). */
const pay_audit_counts_t *pay_audit_counts(const pay_audit_check_t *check);

/* "changed", "missing", "inserted", … */
const char *pay_audit_what_name(pay_audit_what_t what);


#endif /* PAY_AUDIT_CHECK_H */
