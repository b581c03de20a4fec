/*
 * The events of an export, order by order: each row's hash and place, and
 * whether the seal that covers its transaction has it.  See
 * pay_audit_check.h.
 */

#include "core/audit_check.h"


static void chain_anchor(pay_audit_check_t *check, const pay_audit_row_t *row,
    uint64_t line);
static int chain_is_displaced(const audit_chain_t *chain,
    const pay_audit_row_t *row);
static void chain_displaced(pay_audit_check_t *check,
    const pay_audit_row_t *row, uint64_t line);
static void chain_begin(pay_audit_check_t *check, const pay_audit_row_t *row,
    uint64_t line);
static int chain_is_same(const audit_chain_t *chain,
    const pay_audit_row_t *row);
static void chain_end(pay_audit_check_t *check);
static pay_status_t chain_next(pay_audit_check_t *check,
    const pay_audit_row_t *row, uint64_t line);
static int chain_place(pay_audit_check_t *check, const pay_audit_row_t *row,
    uint64_t line, int *has_previous);
static void chain_gap_end(pay_audit_check_t *check);
static void chain_seal(pay_audit_check_t *check, const pay_audit_row_t *row,
    uint64_t line);
static void chain_leaf(pay_audit_check_t *check, const pay_audit_row_t *row,
    uint64_t line);
static void chain_seal_end(pay_audit_check_t *check);
static void chain_unsealed(pay_audit_check_t *check,
    const pay_audit_row_t *row);
static void chain_tell(pay_audit_check_t *check, pay_audit_what_t what,
    int64_t seq, int64_t number, uint64_t line, const char *why);


/* Rows come sorted by merchant, order and seq.  A row that sorts before the
 * open order, and is not the first of its own, was moved here: it is reported
 * alone, so that the open order goes on behind it instead of counting as
 * two. */
pay_status_t
pay_audit_check_event(pay_audit_check_t *check, const pay_audit_row_t *row,
    uint64_t line)
{
    audit_chain_t  *chain = &check->chain;

    if (row->kind == PAY_AUDIT_ANCHOR) {
        chain_anchor(check, row, line);
        return PAY_OK;
    }

    if (row->kind != PAY_AUDIT_EVENT) {
        return PAY_OK;
    }

    check->counts.events++;

    if (chain->is_open && chain_is_same(chain, row)) {
        return chain_next(check, row, line);
    }

    if (row->seq != 1 && chain_is_displaced(chain, row)) {
        chain_displaced(check, row, line);
        return PAY_OK;
    }

    chain_begin(check, row, line);

    return chain_next(check, row, line);
}


/* Reports the leaves that a seal has and no row has matched: their orders, or
 * the ends of them, have been removed. */
pay_status_t
pay_audit_check_end(pay_audit_check_t *check)
{
    size_t                i, k;
    audit_seal_t         *seal;
    audit_leaf_t         *leaf;
    pay_audit_finding_t   finding;

    chain_end(check);

    for (i = 0; i < check->seal_count; i++) {
        seal = &check->seals[i];

        for (k = 0; seal->is_read && k < seal->leaf_count; k++) {
            leaf = &seal->leaves[k];

            if (leaf->is_met) {
                continue;
            }

            finding = (pay_audit_finding_t) {
                .what = PAY_AUDIT_MISSING,
                .why = "the seal has this row, and it is not here",
                .merchant_id = leaf->merchant_id,
                .payment_order_id = leaf->payment_order_id, .seq = leaf->seq,
                .number = leaf->number
            };
            pay_audit_tell(check, &finding);
        }
    }

    return PAY_OK;
}


/* In a part of a log an order goes on behind its anchor, which gives the hash
 * to begin with; nobody vouches for it.  In a whole log nothing comes before
 * an order's first row, so that the anchor is ignored and the gap shows. */
static void
chain_anchor(pay_audit_check_t *check, const pay_audit_row_t *row,
    uint64_t line)
{
    audit_chain_t  *chain = &check->chain;

    if (chain->is_open && chain_is_same(chain, row)) {
        chain_tell(check, PAY_AUDIT_INSERTED, row->seq, 0, line,
                   "an anchor stands before the rows of its order only");
        return;
    }

    chain_begin(check, row, line);

    if (check->conf->is_part) {
        check->counts.anchored++;
        chain->seq = row->seq;
        memcpy(chain->hash, row->hash, sizeof(chain->hash));
    }
}


/* 1 when the row sorts before the order that is open. */
static int
chain_is_displaced(const audit_chain_t *chain, const pay_audit_row_t *row)
{
    return chain->is_open
           && pay_audit_compare(row->merchant_id, row->payment_order_id,
                                chain->merchant_id, chain->payment_order_id)
              < 0;
}


/* Reports a row that stands among those of a later order.  Its leaf counts as
 * met, since the row is there, if in the wrong place. */
static void
chain_displaced(pay_audit_check_t *check, const pay_audit_row_t *row,
    uint64_t line)
{
    audit_leaf_t         *leaf = NULL;
    const audit_seal_t   *seal;
    pay_audit_finding_t   finding = {
        .what = PAY_AUDIT_OUT_OF_ORDER,
        .why = "it stands behind a later order",
        .merchant_id = row->merchant_id,
        .payment_order_id = row->payment_order_id, .seq = row->seq,
        .line = line
    };

    pay_audit_tell(check, &finding);

    seal = pay_audit_find_seal(check, row->event.tx);

    if (seal != NULL) {
        leaf = pay_audit_find_leaf(seal, row->merchant_id,
                                   row->payment_order_id);
    }

    if (leaf != NULL) {
        leaf->is_met = 1;
    }
}


/* The ids are copied: the row that brought them ends with its line. */
static void
chain_begin(pay_audit_check_t *check, const pay_audit_row_t *row,
    uint64_t line)
{
    int             is_behind = chain_is_displaced(&check->chain, row);
    pay_str_t       merchant = row->merchant_id;
    pay_str_t       order = row->payment_order_id;
    audit_chain_t  *chain = &check->chain;

    chain_end(check);
    memset(chain, 0, sizeof(*chain));
    memcpy(chain->ids, merchant.data, merchant.len);
    memcpy(chain->ids + merchant.len, order.data, order.len);
    chain->merchant_id = (pay_str_t) { merchant.len, chain->ids };
    chain->payment_order_id = (pay_str_t) { order.len,
                                            chain->ids + merchant.len };
    chain->is_open = 1;
    check->counts.orders++;

    if (is_behind) {
        chain_tell(check, PAY_AUDIT_OUT_OF_ORDER, row->seq, 0, line,
                   "it stands behind a later order");
    }
}


static int
chain_is_same(const audit_chain_t *chain, const pay_audit_row_t *row)
{
    return pay_str_eq(chain->merchant_id, row->merchant_id)
           && pay_str_eq(chain->payment_order_id, row->payment_order_id);
}


/* Findings about an order's end are known now: rows that did not come, and a
 * seal that has the order further. */
static void
chain_end(pay_audit_check_t *check)
{
    if (check->chain.is_open) {
        chain_gap_end(check);
        chain_seal_end(check);
        check->chain.is_open = 0;
    }
}


/* Compares the row's hash with the one computed of its fields and the hash
 * before. A row behind a gap cannot be judged so, since the hash before it is
 * not there; its own hash is taken as given, and the chain goes on from it. */
static pay_status_t
chain_next(pay_audit_check_t *check, const pay_audit_row_t *row,
    uint64_t line)
{
    int             has_previous;
    audit_chain_t  *chain = &check->chain;
    unsigned char   hash[PAY_SHA256_SIZE];

    if (!chain_place(check, row, line, &has_previous)) {
        return PAY_OK;
    }

    if (has_previous) {
        PAY_TRY(pay_audit_event_hash(row, row->seq == 1 ? NULL : chain->hash,
                                     hash));

        if (memcmp(hash, row->hash, sizeof(hash)) != 0) {
            chain_tell(check, PAY_AUDIT_CHANGED, row->seq, 0, line,
                       row->seq == 1
                       ? "its fields do not give its hash"
                       : "its fields and the hash before it do not give its "
                         "hash");
        }
    }

    chain->seq = row->seq;
    memcpy(chain->hash, row->hash, sizeof(chain->hash));
    chain_seal(check, row, line);

    return PAY_OK;
}


/* Returns 0 when the row does not belong here, which was reported;
 * *has_previous is 1 when it follows the row before it.  A gap is reported at
 * the order's end: until then its rows may still come, out of sequence. */
static int
chain_place(pay_audit_check_t *check, const pay_audit_row_t *row,
    uint64_t line, int *has_previous)
{
    audit_chain_t  *chain = &check->chain;

    *has_previous = row->seq == chain->seq + 1;

    if (*has_previous) {
        return 1;
    }

    if (row->seq > chain->seq) {
        chain_gap_end(check);
        chain->gap = chain->seq + 1;
        chain->gap_end = row->seq;
        chain->gap_left = chain->gap_end - chain->gap;
        chain->gap_line = line;

        return 1;
    }

    if (row->seq >= chain->gap && row->seq < chain->gap_end
        && chain->gap_left > 0)
    {
        chain->gap_left--;
        chain_tell(check, PAY_AUDIT_OUT_OF_ORDER, row->seq, 0, line,
                   "it stands behind a later row of its order");

    } else {
        chain_tell(check, PAY_AUDIT_INSERTED, row->seq, 0, line,
                   "its order has another row of this number");
    }

    return 0;
}


/* One finding for the whole gap, with its first and last number. */
static void
chain_gap_end(pay_audit_check_t *check)
{
    audit_chain_t        *chain = &check->chain;
    pay_audit_finding_t   finding;

    if (chain->gap_left > 0) {
        finding = (pay_audit_finding_t) {
            .what = PAY_AUDIT_MISSING,
            .why = "the rows of its order go on behind it",
            .merchant_id = chain->merchant_id,
            .payment_order_id = chain->payment_order_id, .seq = chain->gap,
            .last_seq = chain->gap_end - 1, .line = chain->gap_line
        };
        pay_audit_tell(check, &finding);
    }

    chain->gap_left = 0;
}


/* Finds the seal that covers the row's transaction.  Seals cover transactions
 * from the oldest on, and an order's rows were committed one after the other:
 * a row whose seal is older than that of the row before it was put in
 * later. */
static void
chain_seal(pay_audit_check_t *check, const pay_audit_row_t *row,
    uint64_t line)
{
    audit_chain_t       *chain = &check->chain;
    const audit_seal_t  *seal;

    seal = pay_audit_find_seal(check, row->event.tx);

    if (seal == NULL) {
        chain_seal_end(check);
        chain->is_unsealed = 1;
        chain_unsealed(check, row);
        return;
    }

    if (chain->is_unsealed || seal->number < chain->newest) {
        chain_tell(check, PAY_AUDIT_INSERTED, row->seq, seal->number, line,
                   "its transaction is older than that of the row before it");
        return;
    }

    /* before all seals of a part, or where one is missing */
    if (!seal->is_read || row->event.tx < seal->message.from_tx) {
        chain_seal_end(check);
        chain->seal = NULL;
        return;
    }

    if (seal != chain->seal) {
        chain_seal_end(check);
        chain->seal = seal;
        chain->newest = seal->number;
        chain->is_told = 0;
        chain->leaf = pay_audit_find_leaf(seal, chain->merchant_id,
                                          chain->payment_order_id);
    }

    chain_leaf(check, row, line);
}


/* A seal holds the newest row of each order, by number and hash; it vouches
 * for all rows before, because their hashes lead to it.  One finding a seal is
 * enough, since all rows behind the first wrong one are wrong as well. */
static void
chain_leaf(pay_audit_check_t *check, const pay_audit_row_t *row,
    uint64_t line)
{
    audit_chain_t  *chain = &check->chain;

    if (chain->is_told) {
        return;
    }

    if (chain->leaf == NULL) {
        chain->is_told = 1;
        chain_tell(check, PAY_AUDIT_NOT_SEALED, row->seq, chain->newest,
                   line, "the seal of its transaction has no leaf of its "
                         "order: it was inserted, or its leaf is missing");
        return;
    }

    chain->leaf->is_met = 1;

    if (row->seq > chain->leaf->seq) {
        chain->is_told = 1;
        chain_tell(check, PAY_AUDIT_INSERTED, row->seq, chain->newest,
                   line, "the seal of its transaction ends its order before "
                         "it");

    } else if (row->seq == chain->leaf->seq
               && memcmp(row->hash, chain->leaf->hash, PAY_SHA256_SIZE) != 0)
    {
        chain_tell(check, PAY_AUDIT_CHANGED, row->seq, chain->newest,
                   line, "the seal has another hash for it: it, a row before "
                         "it or the leaf was changed");
    }
}


/* The leaf may name a row behind the last one of the order here: the end was
 * cut off, which the chain alone cannot show. */
static void
chain_seal_end(pay_audit_check_t *check)
{
    audit_leaf_t         *leaf = check->chain.leaf;
    audit_chain_t        *chain = &check->chain;
    pay_audit_finding_t   finding;

    if (leaf != NULL && leaf->seq > chain->seq) {
        finding = (pay_audit_finding_t) {
            .what = PAY_AUDIT_MISSING,
            .why = "the seal has its order up to there",
            .merchant_id = chain->merchant_id,
            .payment_order_id = chain->payment_order_id,
            .seq = chain->seq + 1, .last_seq = leaf->seq,
            .number = leaf->number
        };
        pay_audit_tell(check, &finding);
    }

    chain->leaf = NULL;
}


/* Rows that no seal covers prove nothing yet: they are counted, with the
 * oldest time, so that an auditor sees how far back that reaches.  Times of
 * one form compare as text. */
static void
chain_unsealed(pay_audit_check_t *check, const pay_audit_row_t *row)
{
    pay_audit_counts_t  *counts = &check->counts;

    counts->unsealed++;

    if (counts->unsealed == 1
        || memcmp(row->event.at.data, counts->unsealed_at, PAY_AUDIT_TIME) < 0)
    {
        memcpy(counts->unsealed_at, row->event.at.data, PAY_AUDIT_TIME);
    }
}


static void
chain_tell(pay_audit_check_t *check, pay_audit_what_t what, int64_t seq,
    int64_t number, uint64_t line, const char *why)
{
    audit_chain_t        *chain = &check->chain;
    pay_audit_finding_t   finding = {
        .what = what, .why = why, .merchant_id = chain->merchant_id,
        .payment_order_id = chain->payment_order_id, .seq = seq,
        .number = number, .line = line
    };

    pay_audit_tell(check, &finding);
}
