/*
 * The seals of an export, in memory: read, kept and found again. audit_seals.c
 * checks them.  See pay_audit_check.h.
 */

#include "core/audit_check.h"


/* Ids of leaves are packed into blocks of this size; an id has at most
 * PAY_AUDIT_ID_MAX bytes, so that every id fits into a new one. */
#define AUDIT_BLOCK  65536
#define AUDIT_FIRST  64                /* elements that a list begins with */


static pay_status_t book_add_leaf(pay_audit_check_t *check,
    const pay_audit_row_t *row, uint64_t line);
static pay_status_t book_add_seal(pay_audit_check_t *check,
    const pay_audit_row_t *row, uint64_t line);
static pay_status_t book_grow(pay_arena_t *arena, void **list, size_t count,
    size_t *size, size_t element);
static pay_status_t book_keep(pay_audit_check_t *check, pay_str_t text,
    pay_str_t *kept);


static const char *const  names[] = {
    [PAY_AUDIT_CHANGED] = "changed",
    [PAY_AUDIT_MISSING] = "missing",
    [PAY_AUDIT_INSERTED] = "inserted",
    [PAY_AUDIT_OUT_OF_ORDER] = "out of order",
    [PAY_AUDIT_NOT_SEALED] = "not sealed",
    [PAY_AUDIT_BAD_SIGNATURE] = "bad signature",
    [PAY_AUDIT_UNKNOWN_KEY] = "unknown key",
    [PAY_AUDIT_SEAL_MISSING] = "seal missing",
    [PAY_AUDIT_SEAL_CHANGED] = "seal changed",
    [PAY_AUDIT_NO_ROW] = "no row"
};
PAY_ROWS(names, PAY_AUDIT_WHAT_COUNT);


/* The file is read twice (pay_audit_check.h), so that memory grows with seals
 * and leaves and not with events. */
pay_audit_check_t *
pay_audit_check_open(pay_arena_t *arena, const pay_audit_conf_t *conf)
{
    pay_audit_check_t  *check = pay_calloc(arena, sizeof(*check));

    if (check != NULL) {
        check->arena = arena;
        check->conf = conf;
    }

    return check;
}


const pay_audit_counts_t *
pay_audit_counts(const pay_audit_check_t *check)
{
    return &check->counts;
}


const char *
pay_audit_what_name(pay_audit_what_t what)
{
    return names[what];
}


/* Bytewise, as the export is sorted (COLLATE "C" in SQL), and the merchant
 * first. */
int
pay_audit_compare(pay_str_t merchant, pay_str_t order,
    pay_str_t other_merchant, pay_str_t other_order)
{
    int     order_of;
    size_t  n;

    n = merchant.len < other_merchant.len ? merchant.len : other_merchant.len;
    order_of = memcmp(merchant.data, other_merchant.data, n);

    if (order_of != 0) {
        return order_of;
    }

    if (merchant.len != other_merchant.len) {
        return merchant.len < other_merchant.len ? -1 : 1;
    }

    n = order.len < other_order.len ? order.len : other_order.len;
    order_of = memcmp(order.data, other_order.data, n);

    if (order_of != 0 || order.len == other_order.len) {
        return order_of;
    }

    return order.len < other_order.len ? -1 : 1;
}


pay_status_t
pay_audit_check_seal(pay_audit_check_t *check, const pay_audit_row_t *row,
    uint64_t line)
{
    switch (row->kind) {

    case PAY_AUDIT_LEAF:
        return book_add_leaf(check, row, line);

    case PAY_AUDIT_SEAL:
        return book_add_seal(check, row, line);

    default:
        return PAY_OK;
    }
}


/* Seals are sorted by number when pay_audit_check_seals() has run; of two with
 * one number it finds the first. */
audit_seal_t *
pay_audit_find_number(const pay_audit_check_t *check, int64_t number)
{
    size_t  low = 0, high = check->seal_count, middle;

    while (low < high) {
        middle = low + (high - low) / 2;

        if (check->seals[middle].number >= number) {
            high = middle;

        } else {
            low = middle + 1;
        }
    }

    return low < check->seal_count && check->seals[low].number == number
           ? &check->seals[low] : NULL;
}


/* until_tx grows with the number; seals_chain() has mended the rest, so that
 * the search ends in the right place for the seals that can be trusted. */
const audit_seal_t *
pay_audit_find_seal(const pay_audit_check_t *check, uint64_t tx)
{
    size_t  low = 0, high = check->seal_count, middle;

    while (low < high) {
        middle = low + (high - low) / 2;

        if (check->seals[middle].message.until_tx > tx) {
            high = middle;

        } else {
            low = middle + 1;
        }
    }

    return low < check->seal_count ? &check->seals[low] : NULL;
}


/* Leaves of a seal are sorted by merchant and order, which seals_leaf_order()
 * has checked; where they are not, a leaf may be missed, and its order is
 * reported. */
audit_leaf_t *
pay_audit_find_leaf(const audit_seal_t *seal, pay_str_t merchant,
    pay_str_t order)
{
    int            order_of;
    size_t         low = 0, high = seal->leaf_count, middle;
    audit_leaf_t  *leaf;

    while (low < high) {
        middle = low + (high - low) / 2;
        leaf = &seal->leaves[middle];
        order_of = pay_audit_compare(leaf->merchant_id,
                                     leaf->payment_order_id, merchant, order);
        if (order_of == 0) {
            return leaf;
        }

        if (order_of > 0) {
            high = middle;

        } else {
            low = middle + 1;
        }
    }

    return NULL;
}


int
pay_audit_leaf_order(const audit_leaf_t *one, const audit_leaf_t *other)
{
    if (one->number != other->number) {
        return one->number > other->number ? 1 : -1;
    }

    return (one->position > other->position)
           - (one->position < other->position);
}


/* A leaf that is out of sequence in the file is reported here, while lines are
 * known, and sorted afterwards. */
static pay_status_t
book_add_leaf(pay_audit_check_t *check, const pay_audit_row_t *row,
    uint64_t line)
{
    void          *list = check->leaves;
    audit_leaf_t  *leaf;

    PAY_TRY(book_grow(check->arena, &list, check->leaf_count,
                      &check->leaf_size, sizeof(audit_leaf_t)));
    check->leaves = list;

    leaf = &check->leaves[check->leaf_count];
    memset(leaf, 0, sizeof(*leaf));

    PAY_TRY(book_keep(check, row->merchant_id, &leaf->merchant_id));
    PAY_TRY(book_keep(check, row->payment_order_id, &leaf->payment_order_id));

    leaf->seq = row->seq;
    leaf->number = row->number;
    leaf->position = row->position;
    leaf->line = line;
    memcpy(leaf->hash, row->hash, sizeof(leaf->hash));

    if (check->leaf_count != 0 && pay_audit_leaf_order(leaf - 1, leaf) > 0) {
        seals_tell_leaf(check, PAY_AUDIT_OUT_OF_ORDER, leaf,
                        "this leaf stands behind a later one");
    }

    check->leaf_count++;
    check->counts.leaves++;

    return PAY_OK;
}


/* A seal whose message cannot be read stays in the list, without transactions:
 * its number and its leaves are still compared. */
static pay_status_t
book_add_seal(pay_audit_check_t *check, const pay_audit_row_t *row,
    uint64_t line)
{
    void          *list = check->seals;
    audit_seal_t  *seal;
    pay_status_t   status;

    PAY_TRY(book_grow(check->arena, &list, check->seal_count,
                      &check->seal_size, sizeof(audit_seal_t)));
    check->seals = list;

    seal = &check->seals[check->seal_count];
    memset(seal, 0, sizeof(*seal));

    seal->number = row->number;
    seal->line = line;
    seal->is_signed = row->seal.is_signed;
    seal->is_read = pay_audit_message_read(row->seal.message, &seal->message)
                    == PAY_OK
                    && seal->message.number == row->number;

    /* The message borrows from the row, which ends with this line: `at` is
     * copied. */
    if (seal->is_read) {
        memcpy(seal->at, seal->message.at.data, PAY_AUDIT_TIME);

    } else {
        memset(&seal->message, 0, sizeof(seal->message));
        seals_tell(check, PAY_AUDIT_SEAL_CHANGED, seal->number, line,
                   "its message is not that of a seal of this number");
    }

    PAY_TRY(pay_sha256(row->seal.message, seal->digest));

    if (check->seal_count != 0 && seal[-1].number > seal->number) {
        seals_tell(check, PAY_AUDIT_OUT_OF_ORDER, seal->number, line,
                   "it stands behind a later seal");
    }

    check->seal_count++;

    /* Reported later, unless it is the newest (seals_drop_pending). */
    if (!seal->is_signed) {
        return PAY_OK;
    }

    status = pay_audit_check_signature(check, row, line, 1);

    return status == PAY_INVALID ? PAY_OK : status;
}


/* Doubles the list when it is full.  The old copy stays in the arena until the
 * end, which costs as much again as the list. */
static pay_status_t
book_grow(pay_arena_t *arena, void **list, size_t count, size_t *size,
    size_t element)
{
    void    *grown;
    size_t   wanted = *size == 0 ? AUDIT_FIRST : 2 * *size;

    if (count < *size) {
        return PAY_OK;
    }

    if (wanted > SIZE_MAX / element) {
        return PAY_NO_MEMORY;
    }

    grown = pay_alloc(arena, wanted * element);
    if (grown == NULL) {
        return PAY_NO_MEMORY;
    }

    if (count != 0) {
        memcpy(grown, *list, count * element);
    }

    *list = grown;
    *size = wanted;

    return PAY_OK;
}


/* Rows are freed line by line; ids that leaves need are copied. */
static pay_status_t
book_keep(pay_audit_check_t *check, pay_str_t text, pay_str_t *kept)
{
    if (text.len > check->block_left) {
        check->block = pay_alloc(check->arena, AUDIT_BLOCK);
        if (check->block == NULL) {
            check->block_left = 0;
            return PAY_NO_MEMORY;
        }

        check->block_left = AUDIT_BLOCK;
    }

    memcpy(check->block, text.data, text.len);
    *kept = (pay_str_t) { text.len, check->block };
    check->block += text.len;
    check->block_left -= text.len;

    return PAY_OK;
}
