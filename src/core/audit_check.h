/*
 * The common part of audit_book.c, audit_seals.c and audit_chain.c: the seals
 * and leaves of an export in memory, and the progress of an order's chain.
 */

#ifndef PAY_SRC_CORE_AUDIT_CHECK_H
#define PAY_SRC_CORE_AUDIT_CHECK_H

#include "pay_audit_check.h"


typedef struct {
    pay_str_t      merchant_id;
    pay_str_t      payment_order_id;
    int64_t        seq;
    int64_t        number;
    int64_t        position;
    uint64_t       line;
    unsigned char  hash[PAY_SHA256_SIZE];
    int            is_met;             /* its order has a row that it covers */
} audit_leaf_t;

/* One whose message cannot be read covers nothing. */
typedef struct {
    int64_t              number;
    uint64_t             line;
    int                  is_read;
    int                  is_signed;
    int                  is_rooted;    /* seen outside, too */
    pay_audit_message_t  message;      /* its `at` is the next member */
    char                 at[PAY_AUDIT_TIME + 1];
    unsigned char        digest[PAY_SHA256_SIZE];    /* of the message */
    audit_leaf_t        *leaves;
    size_t               leaf_count;
} audit_seal_t;

/* The order that is being read. */
typedef struct {
    int                  is_open;
    pay_str_t            merchant_id;
    pay_str_t            payment_order_id;
    unsigned char        ids[2 * PAY_AUDIT_ID_MAX];
    int64_t              seq;          /* of the row before, 0: none */
    unsigned char        hash[PAY_SHA256_SIZE];
    int64_t              gap;          /* the first row that is not there … */
    int64_t              gap_end;      /* … and the first that is again */
    int64_t              gap_left;     /* how many have not come after all */
    uint64_t             gap_line;
    const audit_seal_t  *seal;         /* that covers the rows at hand */
    audit_leaf_t        *leaf;         /* … and this order's leaf of it */
    int64_t              newest;       /* number of the last seal so far */
    int                  is_told;
    int                  is_unsealed;  /* rows are newer than all seals */
} audit_chain_t;

struct pay_audit_check_s {
    pay_arena_t             *arena;
    const pay_audit_conf_t  *conf;
    pay_audit_counts_t       counts;
    audit_leaf_t            *leaves;
    size_t                   leaf_count;
    size_t                   leaf_size;
    audit_seal_t            *seals;
    size_t                   seal_count;
    size_t                   seal_size;
    unsigned char           *block;    /* where ids are kept */
    size_t                   block_left;
    audit_chain_t            chain;
};


/* PAY_INVALID: the signature is wrong, which was reported.  A right one counts
 * for its key if it is that of the export, not that of a seal that was kept
 * elsewhere. */
pay_status_t pay_audit_check_signature(pay_audit_check_t *check,
    const pay_audit_row_t *row, uint64_t line, int is_counted) PAY_MUST_CHECK;
/* By number, then position: below 0, 0, above 0. */
int pay_audit_leaf_order(const audit_leaf_t *one, const audit_leaf_t *other);
/* By merchant, then order, bytewise: below 0, 0, above 0. */
int pay_audit_compare(pay_str_t merchant, pay_str_t order,
    pay_str_t other_merchant, pay_str_t other_order);
audit_seal_t *pay_audit_find_number(const pay_audit_check_t *check,
    int64_t number);
/* The first seal whose transactions end behind tx; NULL: none does. */
const audit_seal_t *pay_audit_find_seal(const pay_audit_check_t *check,
    uint64_t tx);
/* The order's leaf in a seal, or NULL. */
audit_leaf_t *pay_audit_find_leaf(const audit_seal_t *seal,
    pay_str_t merchant, pay_str_t order);


static inline void
pay_audit_tell(const pay_audit_check_t *check,
    const pay_audit_finding_t *finding)
{
    check->conf->found(check->conf->data, finding);
}


static inline void
seals_tell(const pay_audit_check_t *check, pay_audit_what_t what,
    int64_t number, uint64_t line, const char *why)
{
    pay_audit_finding_t  finding = { .what = what, .why = why,
                                     .number = number, .line = line };

    pay_audit_tell(check, &finding);
}


static inline void
seals_tell_leaf(const pay_audit_check_t *check, pay_audit_what_t what,
    const audit_leaf_t *leaf, const char *why)
{
    pay_audit_finding_t  finding = {
        .what = what, .why = why, .merchant_id = leaf->merchant_id,
        .payment_order_id = leaf->payment_order_id, .seq = leaf->seq,
        .number = leaf->number, .line = leaf->line
    };

    pay_audit_tell(check, &finding);
}


#endif /* PAY_SRC_CORE_AUDIT_CHECK_H */
