/*
 * The checker of exports (src/core/audit_book.c, audit_seals.c,
 * audit_chain.c): a small log with two seals by two keys, tampered with in
 * each way that the row at fault must be named for.
 */

#include <stdarg.h>
#include <stdio.h>

#include "torture.h"
#include "pay_audit_check.h"


#define ROWS_MAX  32
#define TOLD_MAX  2048
#define AT        "2026-11-21T08:15:0%u.000000Z"


typedef struct {
    pay_audit_row_t    rows[ROWS_MAX];
    unsigned           count;
    pay_heap_t        *heap;
    pay_audit_key_t    keys[2];
    pay_secret_t       secrets[2];
    pay_audit_conf_t   conf;
    pay_audit_check_t *check;
    char               told[TOLD_MAX];
    size_t             len;
} world_t;


static void
tell(void *data, const pay_audit_finding_t *finding)
{
    world_t  *world = data;

    world->len += (size_t) snprintf(
        world->told + world->len, TOLD_MAX - world->len,
        "%.*s/%.*s/%d-%d@%d %s\n", pay_fmt(finding->merchant_id),
        pay_fmt(finding->payment_order_id), (int) finding->seq,
        (int) finding->last_seq, (int) finding->number,
        pay_audit_what_name(finding->what));
    cr_assert_lt(world->len, TOLD_MAX);
    cr_assert_not_null(finding->why);
}


static pay_str_t
text(world_t *world, const char *format, ...)
{
    int        len;
    char       out[PAY_AUDIT_MESSAGE_MAX];
    va_list    args;
    pay_str_t  kept;

    va_start(args, format);
    len = vsnprintf(out, sizeof(out), format, args);
    va_end(args);

    cr_assert_eq(pay_dup(pay_heap_arena(world->heap),
                         (pay_str_t) { (size_t) len, (unsigned char *) out },
                         &kept), PAY_OK);
    return kept;
}


/* An event with the hash that it must have behind the row before it. */
static void
add_event(world_t *world, const char *order, int64_t seq, uint64_t tx)
{
    pay_audit_row_t  *row = &world->rows[world->count++];

    row->kind = PAY_AUDIT_EVENT;
    row->merchant_id = PAY_STR("acme");
    row->payment_order_id = pay_str_of(order);
    row->seq = seq;
    row->event.at = text(world, AT, (unsigned) (tx / 10));
    row->event.tx = tx;
    row->event.kind = PAY_STR("paid");
    row->event.actor = PAY_STR("webhook");
    row->event.new_status = PAY_STR("SUCCESS");
    row->event.detail = PAY_STR("{}");

    cr_assert_eq(pay_audit_event_hash(row, seq == 1 ? NULL : row[-1].hash,
                                      row->hash), PAY_OK);
}


static void
add_leaf(world_t *world, int64_t number, int64_t position, unsigned event)
{
    pay_audit_row_t  *row = &world->rows[world->count++];

    *row = world->rows[event];
    row->kind = PAY_AUDIT_LEAF;
    row->number = number;
    row->position = position;
}


static pay_str_t
hex(world_t *world, const unsigned char *hash)
{
    pay_str_t  out;

    cr_assert_eq(pay_hex_encode(pay_heap_arena(world->heap),
                                (pay_str_t) { PAY_SHA256_SIZE, hash }, &out),
                 PAY_OK);
    return out;
}


static void
sign(world_t *world, pay_audit_row_t *row, unsigned key)
{
    row->seal.is_signed = 1;
    row->seal.key_id = pay_str_of(world->keys[key].id);
    cr_assert_eq(pay_ed25519_sign(&world->secrets[key], row->seal.message,
                                  row->seal.signature), PAY_OK);
}


/* The leaves from rows[first] on that are of this number, in its message. */
static void
add_seal(world_t *world, int64_t number, unsigned from, unsigned until,
    const pay_audit_row_t *before)
{
    unsigned          i;
    pay_str_t         bytes;
    pay_merkle_t      tree;
    unsigned char     root[PAY_SHA256_SIZE], previous[PAY_SHA256_SIZE];
    pay_audit_row_t  *row = &world->rows[world->count++];

    memset(previous, 0, sizeof(previous));
    pay_merkle_init(&tree);

    for (i = 0; i < world->count; i++) {
        if (world->rows[i].kind == PAY_AUDIT_LEAF
            && world->rows[i].number == number)
        {
            cr_assert_eq(pay_audit_leaf_bytes(pay_heap_arena(world->heap),
                                              &world->rows[i], &bytes),
                         PAY_OK);
            cr_assert_eq(pay_merkle_add(&tree, bytes), PAY_OK);
        }
    }

    cr_assert_eq(pay_merkle_root(&tree, root), PAY_OK);

    if (before != NULL) {
        cr_assert_eq(pay_sha256(before->seal.message, previous), PAY_OK);
    }

    row->kind = PAY_AUDIT_SEAL;
    row->number = number;
    row->seal.message = text(world, "ngx_payments seal 1\nnumber %d\nat " AT
                             "\nfrom %u\nuntil %u\nleaves %d\nroot %s\n"
                             "previous %s\n", (int) number, (unsigned) number,
                             from, until, (int) tree.count,
                             hex(world, root).data,
                             hex(world, previous).data);
    sign(world, row, number == 1 ? 0 : 1);
}


/* rows: 0 to 2 a, 3 and 4 b, 5 and 6 c; 7 and 8 the leaves of seal 1 (a2,
 * b2), 9 and 10 those of seal 2 (a3, c1); 11 and 12 the seals; c2 is newer */
static void
make(world_t *world)
{
    unsigned       i;
    unsigned char  seed[PAY_ED25519_KEY];

    memset(world, 0, sizeof(*world));
    world->heap = pay_heap_create();

    for (i = 0; i < 2; i++) {
        memset(seed, (int) i + 1, sizeof(seed));
        cr_assert_eq(pay_secret_set(&world->secrets[i], (pay_str_t) {
                                        sizeof(seed), seed }), PAY_OK);
        cr_assert_eq(pay_ed25519_public(&world->secrets[i],
                                        world->keys[i].key), PAY_OK);
        cr_assert_eq(pay_ed25519_key_id(world->keys[i].key,
                                        world->keys[i].id), PAY_OK);
    }

    add_event(world, "a", 1, 10);
    add_event(world, "a", 2, 20);
    add_event(world, "a", 3, 35);
    add_event(world, "b", 1, 12);
    add_event(world, "b", 2, 22);
    add_event(world, "c", 1, 30);
    add_event(world, "c", 2, 50);
    add_leaf(world, 1, 1, 1);
    add_leaf(world, 1, 2, 4);
    add_leaf(world, 2, 1, 2);
    add_leaf(world, 2, 2, 5);
    add_seal(world, 1, 0, 25, NULL);
    add_seal(world, 2, 25, 40, &world->rows[11]);

    world->conf.keys = world->keys;
    world->conf.key_count = 2;
    world->conf.found = tell;
    world->conf.data = world;
}


/* In the place of the rows before it. */
static void
anchor_at(world_t *world, unsigned row)
{
    world->rows[row].kind = PAY_AUDIT_ANCHOR;
}


static void
remove_rows(world_t *world, unsigned from, unsigned n)
{
    memmove(&world->rows[from], &world->rows[from + n],
            (world->count - from - n) * sizeof(pay_audit_row_t));
    world->count -= n;
}


static void
swap_rows(world_t *world, unsigned one, unsigned other)
{
    pay_audit_row_t  kept = world->rows[one];

    world->rows[one] = world->rows[other];
    world->rows[other] = kept;
}


static void
rehash(world_t *world, unsigned from, unsigned to)
{
    pay_audit_row_t  *row;

    for (row = &world->rows[from]; row <= &world->rows[to]; row++) {
        cr_assert_eq(pay_audit_event_hash(row, row->seq == 1 ? NULL
                                               : row[-1].hash, row->hash),
                     PAY_OK);
    }
}


static pay_status_t
run(world_t *world, pay_arena_t *arena, const pay_audit_row_t *root)
{
    unsigned  i;

    world->check = pay_audit_check_open(arena, &world->conf);
    if (world->check == NULL) {
        return PAY_NO_MEMORY;
    }

    for (i = 0; i < world->count; i++) {
        PAY_TRY(pay_audit_check_seal(world->check, &world->rows[i], i + 1));
    }

    PAY_TRY(pay_audit_check_seals(world->check));

    if (root != NULL) {
        PAY_TRY(pay_audit_check_root(world->check, root, 1));
    }

    for (i = 0; i < world->count; i++) {
        PAY_TRY(pay_audit_check_event(world->check, &world->rows[i], i + 1));
    }

    return pay_audit_check_end(world->check);
}


static void
assert_found(world_t *world, const char *expected)
{
    cr_assert_eq(run(world, pay_heap_arena(world->heap), NULL), PAY_OK);
    cr_expect_str_eq(world->told, expected);
    pay_heap_destroy(world->heap);
}


Test(pay_audit_check, a_whole_log_is_valid_and_counted)
{
    world_t                    world;
    const pay_audit_counts_t  *counts;

    make(&world);
    cr_assert_eq(run(&world, pay_heap_arena(world.heap), &world.rows[11]),
                 PAY_OK);
    cr_expect_str_eq(world.told, "");

    counts = pay_audit_counts(world.check);
    cr_expect_eq(counts->events, 7);
    cr_expect_eq(counts->orders, 3);
    cr_expect_eq(counts->leaves, 4);
    cr_expect_eq(counts->seals, 2);
    cr_expect_eq(counts->first, 1);
    cr_expect_eq(counts->last, 2);
    cr_expect_str_eq(counts->last_at, "2026-11-21T08:15:02.000000Z");
    cr_expect_eq(counts->unsealed, 1);
    cr_expect_str_eq(counts->unsealed_at, "2026-11-21T08:15:05.000000Z");
    cr_expect_eq(counts->pending, 0);
    cr_expect_eq(counts->roots, 1);
    cr_expect_eq(counts->last_root, 1);
    cr_expect_eq(world.keys[0].seals, 1);
    cr_expect_eq(world.keys[1].first, 2);
    pay_heap_destroy(world.heap);
}


Test(pay_audit_check, a_changed_field_names_its_row)
{
    world_t  world;

    make(&world);
    world.rows[1].event.new_status = PAY_STR("FAILED");
    assert_found(&world, "acme/a/2-0@0 changed\n");
}


Test(pay_audit_check, a_changed_first_row_is_named)
{
    world_t  world;

    make(&world);
    world.rows[3].event.request_id = PAY_STR("");
    assert_found(&world, "acme/b/1-0@0 changed\n");
}


Test(pay_audit_check, a_chain_that_was_computed_anew_does_not_fit_its_seals)
{
    world_t  world;

    make(&world);
    world.rows[0].event.new_status = PAY_STR("FAILED");
    rehash(&world, 0, 2);
    assert_found(&world, "acme/a/2-0@1 changed\nacme/a/3-0@2 changed\n");
}


Test(pay_audit_check, leaves_that_were_changed_with_it_do_not_fit_the_root)
{
    world_t  world;

    make(&world);
    world.rows[3].event.new_status = PAY_STR("FAILED");
    rehash(&world, 3, 4);
    memcpy(world.rows[8].hash, world.rows[4].hash, PAY_SHA256_SIZE);
    assert_found(&world, "//0-0@1 changed\n");
}


Test(pay_audit_check, a_row_in_the_middle_that_is_gone_is_named)
{
    world_t  world;

    make(&world);
    remove_rows(&world, 1, 1);
    assert_found(&world, "acme/a/2-2@0 missing\n");
}


Test(pay_audit_check, the_first_row_that_is_gone_is_named)
{
    world_t  world;

    make(&world);
    remove_rows(&world, 0, 2);
    assert_found(&world, "acme/a/1-2@0 missing\nacme/a/2-0@1 missing\n");
}


Test(pay_audit_check, the_last_row_that_is_gone_is_named)
{
    world_t  world;

    make(&world);
    remove_rows(&world, 4, 1);
    assert_found(&world, "acme/b/2-2@1 missing\n");
}


Test(pay_audit_check, an_order_that_is_gone_is_named)
{
    world_t  world;

    make(&world);
    remove_rows(&world, 3, 2);
    assert_found(&world, "acme/b/2-0@1 missing\n");
}


Test(pay_audit_check, an_order_that_is_gone_with_its_leaf_shows_in_the_seal)
{
    world_t  world;

    make(&world);
    remove_rows(&world, 8, 1);
    remove_rows(&world, 3, 2);
    assert_found(&world, "//0-0@1 missing\n");
}


Test(pay_audit_check, a_leaf_that_is_gone_names_its_order)
{
    world_t  world;

    make(&world);
    remove_rows(&world, 8, 1);
    assert_found(&world, "//0-0@1 missing\nacme/b/1-0@1 not sealed\n");
}


Test(pay_audit_check, a_row_put_at_the_end_of_a_sealed_chain_is_named)
{
    world_t  world;

    make(&world);
    memmove(&world.rows[6], &world.rows[5], 8 * sizeof(pay_audit_row_t));
    world.count = 5;
    add_event(&world, "b", 3, 23);
    world.count = 14;
    assert_found(&world, "acme/b/3-0@1 inserted\n");
}


Test(pay_audit_check, a_row_with_an_older_transaction_is_named)
{
    world_t  world;

    make(&world);
    world.rows[6].event.tx = 11;
    rehash(&world, 6, 6);
    assert_found(&world, "acme/c/2-0@1 inserted\n");
}


Test(pay_audit_check, an_order_that_no_seal_has_is_named)
{
    world_t  world;

    make(&world);
    memmove(&world.rows[8], &world.rows[7], 6 * sizeof(pay_audit_row_t));
    world.count = 7;
    add_event(&world, "d", 1, 13);
    world.count = 14;
    assert_found(&world, "acme/d/1-0@1 not sealed\n");
}


Test(pay_audit_check, a_row_that_is_there_twice_is_named)
{
    world_t  world;

    make(&world);
    memmove(&world.rows[2], &world.rows[1], 12 * sizeof(pay_audit_row_t));
    world.count++;
    assert_found(&world, "acme/a/2-0@0 inserted\n");
}


Test(pay_audit_check, swapped_rows_of_an_order_are_named)
{
    world_t  world;

    make(&world);
    swap_rows(&world, 1, 2);
    assert_found(&world, "acme/a/2-0@0 out of order\n");
}


Test(pay_audit_check, swapped_rows_of_two_orders_are_named)
{
    world_t  world;

    make(&world);
    swap_rows(&world, 2, 3);
    assert_found(&world, "acme/a/3-0@0 out of order\n");
}


Test(pay_audit_check, a_changed_leaf_names_its_row_and_its_seal)
{
    world_t  world;

    make(&world);
    world.rows[8].hash[0] ^= 1;
    assert_found(&world, "//0-0@1 changed\nacme/b/2-0@1 changed\n");
}


Test(pay_audit_check, swapped_leaves_are_named)
{
    world_t  world;

    make(&world);
    swap_rows(&world, 7, 8);
    assert_found(&world, "acme/a/2-0@1 out of order\n");
}


Test(pay_audit_check, leaves_in_each_others_places_are_named)
{
    world_t  world;

    make(&world);
    swap_rows(&world, 7, 8);
    world.rows[7].position = 1;
    world.rows[8].position = 2;
    cr_assert_eq(run(&world, pay_heap_arena(world.heap), NULL), PAY_OK);
    cr_expect_not_null(strstr(world.told, "acme/a/2-0@1 out of order\n"));
    cr_expect_not_null(strstr(world.told, "//0-0@1 changed\n"));
    pay_heap_destroy(world.heap);
}


Test(pay_audit_check, a_changed_seal_is_not_what_was_signed)
{
    world_t  world;

    make(&world);
    world.rows[11].seal.message = text(&world, "%.*s",
                                       pay_fmt(world.rows[11].seal.message));
    ((unsigned char *) world.rows[11].seal.message.data)[35] ^= 1;
    cr_assert_eq(run(&world, pay_heap_arena(world.heap), NULL), PAY_OK);
    cr_expect_not_null(strstr(world.told, "//0-0@1 bad signature\n"));
    cr_expect_not_null(strstr(world.told, "//0-0@2 seal changed\n"));
    pay_heap_destroy(world.heap);
}


Test(pay_audit_check, a_seal_that_cannot_be_read_vouches_for_nothing)
{
    world_t  world;

    make(&world);
    world.rows[12].seal.message = PAY_STR("nonsense");
    sign(&world, &world.rows[12], 1);
    cr_assert_eq(run(&world, pay_heap_arena(world.heap), NULL), PAY_OK);
    cr_expect_str_eq(world.told, "//0-0@2 seal changed\n");
    pay_heap_destroy(world.heap);
}


/* Who has the database has no key: so a seal of his own is by another. */
Test(pay_audit_check, a_forged_signature_is_none)
{
    world_t  world;

    make(&world);
    world.rows[12].seal.signature[63] ^= 0x80;
    assert_found(&world, "//0-0@2 bad signature\n");
}


Test(pay_audit_check, a_key_that_was_not_given_signs_nothing)
{
    world_t  world;

    make(&world);
    world.conf.key_count = 1;
    assert_found(&world, "//0-0@2 unknown key\n");
}


Test(pay_audit_check, a_key_signs_in_its_own_name_only)
{
    world_t  world;

    make(&world);
    sign(&world, &world.rows[12], 0);
    world.rows[12].seal.key_id = pay_str_of(world.keys[1].id);
    assert_found(&world, "//0-0@2 bad signature\n");
}


Test(pay_audit_check, a_seal_in_the_middle_that_is_gone_is_missed)
{
    world_t  world;

    make(&world);
    remove_rows(&world, 11, 1);
    assert_found(&world, "//0-0@1 seal missing\n//0-0@1 seal missing\n");
}


Test(pay_audit_check, the_last_seal_that_is_gone_is_missed)
{
    world_t  world;

    make(&world);
    remove_rows(&world, 12, 1);
    assert_found(&world, "//0-0@2 seal missing\n");
}


/* Only who has seen it can tell: that is what an exported seal is for. */
Test(pay_audit_check, the_end_of_a_log_that_is_gone_shows_outside_only)
{
    world_t          world;
    pay_audit_row_t  root;

    make(&world);
    root = world.rows[12];
    remove_rows(&world, 9, 4);
    world.count = 9;
    add_seal(&world, 1, 0, 25, NULL);
    remove_rows(&world, 5, 2);
    remove_rows(&world, 2, 1);
    cr_assert_eq(run(&world, pay_heap_arena(world.heap), NULL), PAY_OK);
    cr_expect_str_eq(world.told, "");
    cr_assert_eq(run(&world, pay_heap_arena(world.heap), &root), PAY_OK);
    cr_expect_str_eq(world.told, "//0-0@2 seal missing\n");
    pay_heap_destroy(world.heap);
}


/* Even the key is of no use to whoever cannot reach what was exported. */
Test(pay_audit_check, a_seal_signed_anew_is_not_the_one_that_was_exported)
{
    world_t          world;
    pay_audit_row_t  root;

    make(&world);
    root = world.rows[12];
    world.rows[2].event.new_status = PAY_STR("FAILED");
    rehash(&world, 2, 2);
    memcpy(world.rows[9].hash, world.rows[2].hash, PAY_SHA256_SIZE);
    memset(&world.rows[12], 0, sizeof(pay_audit_row_t));
    world.count = 12;
    add_seal(&world, 2, 25, 40, &world.rows[11]);
    cr_assert_eq(run(&world, pay_heap_arena(world.heap), NULL), PAY_OK);
    cr_expect_str_eq(world.told, "");
    cr_assert_eq(run(&world, pay_heap_arena(world.heap), &root), PAY_OK);
    cr_expect_str_eq(world.told, "//0-0@2 seal changed\n");
    pay_heap_destroy(world.heap);
}


Test(pay_audit_check, an_exported_seal_that_nobody_signed_is_no_witness)
{
    world_t          world;
    pay_audit_row_t  root;

    make(&world);
    root = world.rows[12];
    root.seal.signature[0] ^= 1;
    cr_assert_eq(run(&world, pay_heap_arena(world.heap), &root), PAY_OK);
    cr_expect_str_eq(world.told, "//0-0@2 bad signature\n");
    pay_heap_destroy(world.heap);
}


Test(pay_audit_check, a_seal_that_is_there_twice_is_named)
{
    world_t  world;

    make(&world);
    world.rows[13] = world.rows[12];
    world.count = 14;
    assert_found(&world, "//0-0@2 inserted\n");
}


Test(pay_audit_check, swapped_seals_are_named)
{
    world_t  world;

    make(&world);
    swap_rows(&world, 11, 12);
    assert_found(&world, "//0-0@1 out of order\n");
}


Test(pay_audit_check, the_newest_seal_may_wait_for_its_signature)
{
    world_t  world;

    make(&world);
    world.rows[12].seal.is_signed = 0;
    world.rows[12].seal.key_id = (pay_str_t) { 0, NULL };
    cr_assert_eq(run(&world, pay_heap_arena(world.heap), NULL), PAY_OK);
    cr_expect_str_eq(world.told, "");
    cr_expect_eq(pay_audit_counts(world.check)->pending, 2);
    cr_expect_eq(pay_audit_counts(world.check)->unsealed, 3);
    pay_heap_destroy(world.heap);
}


Test(pay_audit_check, an_older_seal_may_not)
{
    world_t  world;

    make(&world);
    world.rows[11].seal.is_signed = 0;
    assert_found(&world, "//0-0@1 bad signature\n");
}


Test(pay_audit_check, without_seals_nothing_is_proved)
{
    world_t  world;

    make(&world);
    remove_rows(&world, 7, 6);
    assert_found(&world, "//0-0@0 seal missing\n");
}


/* A part begins with the leaves of its first seal; the chain of an order may
 * begin before. */
Test(pay_audit_check, a_part_is_valid_when_it_is_said_to_be_one)
{
    world_t  world;

    make(&world);
    remove_rows(&world, 11, 1);
    remove_rows(&world, 7, 2);
    remove_rows(&world, 3, 2);
    world.conf.is_part = 1;
    assert_found(&world, "");
}


/* What is kept outside is of all of the log. */
Test(pay_audit_check, exported_seals_around_a_part_are_no_finding)
{
    world_t          world;
    pay_audit_row_t  root;

    make(&world);
    root = world.rows[11];
    remove_rows(&world, 11, 1);
    remove_rows(&world, 7, 2);
    remove_rows(&world, 3, 2);
    world.conf.is_part = 1;
    cr_assert_eq(run(&world, pay_heap_arena(world.heap), &root), PAY_OK);
    cr_expect_str_eq(world.told, "");
    cr_expect_eq(pay_audit_counts(world.check)->other_roots, 1);
    cr_expect_eq(pay_audit_counts(world.check)->roots, 0);
    pay_heap_destroy(world.heap);
}


Test(pay_audit_check, a_part_is_no_whole_log)
{
    world_t  world;

    make(&world);
    remove_rows(&world, 11, 1);
    remove_rows(&world, 7, 2);
    remove_rows(&world, 3, 2);
    cr_assert_eq(run(&world, pay_heap_arena(world.heap), NULL), PAY_OK);
    cr_expect_not_null(strstr(world.told, "//0-0@1 seal missing\n"));
    pay_heap_destroy(world.heap);
}


Test(pay_audit_check, the_end_of_a_chain_alone_is_checked_by_its_seal)
{
    world_t  world;

    make(&world);
    remove_rows(&world, 11, 1);
    remove_rows(&world, 7, 2);
    remove_rows(&world, 3, 2);
    remove_rows(&world, 0, 1);
    anchor_at(&world, 0);
    world.conf.is_part = 1;
    cr_assert_eq(run(&world, pay_heap_arena(world.heap), NULL), PAY_OK);
    cr_expect_str_eq(world.told, "");
    cr_expect_eq(pay_audit_counts(world.check)->anchored, 1);

    world.rows[0].hash[0] ^= 1;
    assert_found(&world, "acme/a/3-0@0 changed\n");
}


Test(pay_audit_check, an_order_of_a_part_without_its_anchor_is_not_whole)
{
    world_t  world;

    make(&world);
    remove_rows(&world, 11, 1);
    remove_rows(&world, 7, 2);
    remove_rows(&world, 3, 2);
    remove_rows(&world, 0, 2);
    world.conf.is_part = 1;
    assert_found(&world, "acme/a/1-2@0 missing\n");
}


/* Or else whoever removes an order's first rows would say that it is one. */
Test(pay_audit_check, an_anchor_is_nothing_in_a_whole_log)
{
    world_t  world;

    make(&world);
    anchor_at(&world, 3);
    assert_found(&world, "acme/b/1-1@0 missing\n");
}


Test(pay_audit_check, an_anchor_in_the_middle_of_an_order_is_named)
{
    world_t  world;

    make(&world);
    anchor_at(&world, 1);
    world.conf.is_part = 1;
    assert_found(&world, "acme/a/2-0@0 inserted\nacme/a/2-2@0 missing\n");
}


static pay_status_t
run_world(pay_arena_t *arena, void *result)
{
    world_t       world;
    pay_status_t  status;

    (void) result;
    make(&world);
    status = run(&world, arena, &world.rows[11]);
    cr_expect_str_eq(world.told, "");
    pay_heap_destroy(world.heap);

    return status;
}


Test(pay_audit_check, survives_a_failing_arena)
{
    cr_expect_geq(torture(run_world, 0), 3);
}
