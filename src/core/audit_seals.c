/*
 * The seals of an export: their leaves, roots, chain and signatures, and
 * whether seals that were kept elsewhere are the same.  See
 * pay_audit_check.h.
 */

#include <stdlib.h>

#include "core/audit_check.h"


static void seals_share(pay_audit_check_t *check);
static void seals_drop_pending(pay_audit_check_t *check);
static void seals_chain(pay_audit_check_t *check);
static int seals_follows(const audit_seal_t *seal,
    const audit_seal_t *before);
static pay_status_t seals_root(pay_audit_check_t *check,
    const audit_seal_t *seal);
static pay_status_t seals_tree(const audit_seal_t *seal, pay_merkle_t *tree);
static void seals_leaf_order(const pay_audit_check_t *check,
    const audit_seal_t *seal);
static void seals_summarize(pay_audit_check_t *check);
static int by_number(const void *a, const void *b);
static int by_position(const void *a, const void *b);


/* Each step reports its findings and goes on, because one damaged line must
 * not hide a forged one behind it. */
pay_status_t
pay_audit_check_seals(pay_audit_check_t *check)
{
    size_t  i;

    if (check->seal_count != 0) {
        qsort(check->seals, check->seal_count, sizeof(audit_seal_t),
              by_number);
    }

    if (check->leaf_count != 0) {
        qsort(check->leaves, check->leaf_count, sizeof(audit_leaf_t),
              by_position);
    }

    seals_drop_pending(check);
    seals_share(check);
    seals_chain(check);

    for (i = 0; i < check->seal_count; i++) {
        /* the second seal of one number was reported */
        if (i != 0 && check->seals[i].number == check->seals[i - 1].number) {
            continue;
        }

        seals_leaf_order(check, &check->seals[i]);
        PAY_TRY(seals_root(check, &check->seals[i]));
    }

    seals_summarize(check);

    return PAY_OK;
}


/* Compares a seal that was kept outside the host with the log's.  It is the
 * only check that a holder of the private key cannot pass: a log signed anew
 * has another digest for that number. */
pay_status_t
pay_audit_check_root(pay_audit_check_t *check, const pay_audit_row_t *row,
    uint64_t line)
{
    audit_seal_t   *seal;
    pay_status_t    status;
    unsigned char   digest[PAY_SHA256_SIZE];

    if (row->kind != PAY_AUDIT_SEAL || !row->seal.is_signed) {
        return PAY_OK;
    }

    /* an unsigned seal proves nothing, which was reported */
    status = pay_audit_check_signature(check, row, line, 0);
    if (status != PAY_OK) {
        return status == PAY_INVALID ? PAY_OK : status;
    }

    seal = pay_audit_find_number(check, row->number);

    /* The seal lies before or behind the part of the log that was given. */
    if (seal == NULL && check->conf->is_part
        && (row->number < check->counts.first
            || row->number > check->counts.last))
    {
        check->counts.other_roots++;
        return PAY_OK;
    }

    if (seal == NULL) {
        seals_tell(check, PAY_AUDIT_SEAL_MISSING, row->number, 0,
                   "it was exported when it was signed, and is not here");
        return PAY_OK;
    }

    PAY_TRY(pay_sha256(row->seal.message, digest));

    if (memcmp(digest, seal->digest, sizeof(digest)) != 0) {
        seals_tell(check, PAY_AUDIT_SEAL_CHANGED, row->number, seal->line,
                   "the seal that was exported when it was signed is another");
        return PAY_OK;
    }

    if (!seal->is_rooted) {
        seal->is_rooted = 1;
        check->counts.roots++;
    }

    if (row->number > check->counts.last_root) {
        check->counts.last_root = row->number;
    }

    return PAY_OK;
}


/* The newest seal may have been begun and not signed yet when the export was
 * made: it seals nothing and is counted apart.  Any other seal without a
 * signature is reported. */
static void
seals_drop_pending(pay_audit_check_t *check)
{
    size_t         i;
    audit_seal_t  *seal;

    for (i = 0; i < check->seal_count; i++) {
        seal = &check->seals[i];

        if (seal->is_signed) {
            continue;
        }

        if (i + 1 == check->seal_count) {
            check->counts.pending = seal->number;
            check->seal_count--;
            return;
        }

        seals_tell(check, PAY_AUDIT_BAD_SIGNATURE, seal->number, seal->line,
                   "it is not signed, and later ones are");
    }
}


/* Gives each seal its part of the sorted leaves, and reports leaves whose seal
 * is not in the file, or that claim one place. */
static void
seals_share(pay_audit_check_t *check)
{
    size_t         i, end;
    int64_t        number;
    audit_seal_t  *seal;

    for (i = 0; i < check->leaf_count; i = end) {
        number = check->leaves[i].number;

        for (end = i + 1; end < check->leaf_count
                          && check->leaves[end].number == number; end++)
        {
            if (by_position(&check->leaves[end - 1], &check->leaves[end]) == 0)
            {
                seals_tell_leaf(check, PAY_AUDIT_INSERTED, &check->leaves[end],
                                "two leaves of a seal have one place");
            }
        }

        seal = pay_audit_find_number(check, number);

        if (seal != NULL) {
            seal->leaves = &check->leaves[i];
            seal->leaf_count = end - i;

        } else if (number != check->counts.pending) {
            seals_tell(check, PAY_AUDIT_SEAL_MISSING, number, 0,
                       "its leaves are here, and it is not");
        }
    }
}


/* Numbers follow each other without a gap, and each message names the digest
 * of the one before and begins with the transaction at which that one
 * ended. */
static void
seals_chain(pay_audit_check_t *check)
{
    size_t         i;
    int64_t        number;
    audit_seal_t  *seal, *before = NULL;

    if (check->seal_count == 0) {
        seals_tell(check, PAY_AUDIT_SEAL_MISSING, 0, 0, "there is no signed "
                   "seal: a chain can be computed anew by anybody");
    }

    for (i = 0; i < check->seal_count; i++) {
        seal = &check->seals[i];
        number = before != NULL ? before->number + 1 : 1;

        if (before != NULL && seal->number == before->number) {
            seals_tell(check, PAY_AUDIT_INSERTED, seal->number, seal->line,
                       "there are two seals of this number");

        } else if (seal->number != number
                   && (before != NULL || !check->conf->is_part))
        {
            seals_tell(check, PAY_AUDIT_SEAL_MISSING, number, seal->line,
                       "a later one is here, and it is not");

        } else if (seal->is_read && !seals_follows(seal, before)) {
            seals_tell(check, PAY_AUDIT_SEAL_CHANGED, seal->number,
                       seal->line, "it does not follow from the seal before "
                                   "it: one of the two was changed");
        }

        /* a seal that ends before others begin would hide them from a search */
        if (before != NULL
            && seal->message.until_tx < before->message.until_tx)
        {
            seal->is_read = 0;
            seal->message.until_tx = before->message.until_tx;
        }

        before = seal;
    }
}


/* 1 when this seal can stand behind `before`.  The first seal of all names no
 * seal before it (64 zeros); the first of a part names one that is not
 * here. */
static int
seals_follows(const audit_seal_t *seal, const audit_seal_t *before)
{
    static const unsigned char  none[PAY_SHA256_SIZE];

    if (before == NULL) {
        return seal->number != 1
               || memcmp(seal->message.previous, none, sizeof(none)) == 0;
    }

    return memcmp(seal->message.previous, before->digest, PAY_SHA256_SIZE) == 0
           && (!before->is_read
               || seal->message.from_tx == before->message.until_tx);
}


/* Within a seal leaves are sorted by merchant and order, each order once, and
 * numbered from 1 without a gap. */
static void
seals_leaf_order(const pay_audit_check_t *check, const audit_seal_t *seal)
{
    size_t         i;
    audit_leaf_t  *leaf;

    for (i = 0; i < seal->leaf_count; i++) {
        leaf = &seal->leaves[i];

        /* where one is missing or too many the others are in their places */
        if (seal->leaf_count == seal->message.leaves
            && leaf->position != (int64_t) i + 1)
        {
            seals_tell_leaf(check, PAY_AUDIT_CHANGED, leaf,
                            "the number of its place in the seal is wrong");
        }

        if (i != 0
            && pay_audit_compare(leaf[-1].merchant_id,
                                 leaf[-1].payment_order_id, leaf->merchant_id,
                                 leaf->payment_order_id) >= 0)
        {
            seals_tell_leaf(check, PAY_AUDIT_OUT_OF_ORDER, leaf,
                            "this leaf has the place of another order's");
        }
    }
}


/* The number of leaves is compared before the root, since it says more: a leaf
 * is missing, or one is too many. */
static pay_status_t
seals_root(pay_audit_check_t *check, const audit_seal_t *seal)
{
    pay_merkle_t    tree;
    unsigned char   root[PAY_SHA256_SIZE];

    if (!seal->is_read) {
        return PAY_OK;
    }

    if (seal->leaf_count != seal->message.leaves) {
        seals_tell(check, seal->leaf_count < seal->message.leaves
                          ? PAY_AUDIT_MISSING : PAY_AUDIT_INSERTED,
                   seal->number, seal->line, "it was made of another number "
                                             "of leaves than are here");
        return PAY_OK;
    }

    PAY_TRY(seals_tree(seal, &tree));
    PAY_TRY(pay_merkle_root(&tree, root));

    if (memcmp(root, seal->message.root, sizeof(root)) != 0) {
        seals_tell(check, PAY_AUDIT_CHANGED, seal->number, seal->line,
                   "its leaves do not give its root: a leaf was changed");
    }

    return PAY_OK;
}


/* One heap for each leaf, or the arena would keep the bytes of all of them. */
static pay_status_t
seals_tree(const audit_seal_t *seal, pay_merkle_t *tree)
{
    size_t            i;
    pay_str_t         bytes;
    pay_heap_t       *heap;
    pay_status_t      status = PAY_OK;
    pay_audit_row_t   row;

    pay_merkle_init(tree);
    memset(&row, 0, sizeof(row));

    for (i = 0; i < seal->leaf_count && status == PAY_OK; i++) {
        heap = pay_heap_create();
        if (heap == NULL) {
            return PAY_NO_MEMORY;
        }

        row.merchant_id = seal->leaves[i].merchant_id;
        row.payment_order_id = seal->leaves[i].payment_order_id;
        row.seq = seal->leaves[i].seq;
        memcpy(row.hash, seal->leaves[i].hash, sizeof(row.hash));

        status = pay_audit_leaf_bytes(pay_heap_arena(heap), &row, &bytes);

        if (status == PAY_OK) {
            status = pay_merkle_add(tree, bytes);
        }

        pay_heap_destroy(heap);
    }

    return status;
}


/* For the lines that payctl audit verify prints above its verdict. */
static void
seals_summarize(pay_audit_check_t *check)
{
    audit_seal_t        *first, *last;
    pay_audit_counts_t  *counts = &check->counts;

    counts->seals = check->seal_count;

    if (check->seal_count != 0) {
        first = &check->seals[0];
        last = &check->seals[check->seal_count - 1];
        counts->first = first->number;
        counts->last = last->number;
        memcpy(counts->first_at, first->at, sizeof(first->at));
        memcpy(counts->last_at, last->at, sizeof(last->at));
    }
}


static int
by_number(const void *a, const void *b)
{
    const audit_seal_t  *one = a, *other = b;

    return (one->number > other->number) - (one->number < other->number);
}


static int
by_position(const void *a, const void *b)
{
    return pay_audit_leaf_order(a, b);
}
