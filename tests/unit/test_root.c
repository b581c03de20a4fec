/*
 * The root of a day over cells: one spelling, one order, one root.  Its files,
 * signatures and exported seals are tested with databases in
 * tests/sql/test_cells.py.
 */

#include <criterion/criterion.h>

#include <stdio.h>

#include "pay_root.h"
#include "torture.h"


#define DAY     "2026-11-21"
#define NEXT    "2026-11-22"
#define NOUGHTS                                                               \
    "0000000000000000000000000000000000000000000000000000000000000000"
#define MESSAGE_MAX  512

ARENA_SUITE(pay_root);


/* A seal's message; its root has the number in it. */
static pay_str_t
message_of(int number, const char *day, const char *previous)
{
    static char  texts[8][MESSAGE_MAX];
    static int   next;

    char  *text = texts[next++ % 8];

    snprintf(text, MESSAGE_MAX, "ngx_payments seal 1\nnumber %d\nat %sT10:00:00"
             ".000001Z\nfrom 1\nuntil 2\nleaves 3\nroot %064d\nprevious %s\n",
             number, day, number, previous);

    return pay_str_of(text);
}


/* Two cells, the second name first. */
static void
fill(pay_root_t *root)
{
    memset(root, 0, sizeof(pay_root_t));
    root->day = PAY_STR(DAY);
    root->count = 2;
    root->heads[0].cell = PAY_STR("b");
    root->heads[0].database = PAY_STR("74/2");
    root->heads[1].cell = PAY_STR("a-1");
    root->heads[1].database = PAY_STR("74/1");
    cr_assert_eq(pay_root_head(message_of(7, DAY, NOUGHTS), &root->heads[0]),
                 PAY_OK);
    cr_assert_eq(pay_root_head(PAY_STR(""), &root->heads[1]), PAY_OK);
}


static pay_str_t
written(void)
{
    pay_str_t   document;
    pay_root_t  root;

    fill(&root);
    cr_assert_eq(pay_root_write(arena, &root, &document), PAY_OK);

    return document;
}


/* The reason why a document is none, NULL: it is one. */
static const char *
refused(pay_str_t document)
{
    pay_err_t   err = { .detail = NULL };
    pay_root_t  root;

    return pay_root_read(arena, document, &root, &err) == PAY_OK ? NULL
                                                                 : err.detail;
}


/* The document with one word of it replaced. */
static pay_str_t
replaced(const char *from, const char *to)
{
    char       *at;
    size_t      n = strlen(from);
    pay_buf_t   buf;
    pay_str_t   text, document = written();
    char        copy[PAY_ROOT_MAX];

    memcpy(copy, document.data, document.len);
    copy[document.len] = '\0';
    at = strstr(copy, from);
    cr_assert_not_null(at, "%s", from);

    pay_buf_init(&buf, arena, PAY_ROOT_MAX);
    pay_buf_add(&buf, (pay_str_t) { (size_t) (at - copy),
                                    (unsigned char *) copy });
    pay_buf_text(&buf, to);
    pay_buf_text(&buf, at + n);
    cr_assert_eq(pay_buf_done(&buf, &text), PAY_OK);

    return text;
}


Test(pay_root, is_read_as_it_was_written)
{
    pay_err_t   err;
    pay_str_t   document = written(), again;
    pay_root_t  root;

    cr_assert_eq(pay_root_read(arena, document, &root, &err), PAY_OK);
    cr_assert_eq(root.count, 2);
    cr_assert(pay_str_is(root.heads[0].cell, "a-1"));
    cr_assert_eq(root.heads[0].number, 0);
    cr_assert(pay_str_is(root.heads[1].cell, "b"));
    cr_assert_eq(root.heads[1].number, 7);
    cr_assert_eq(root.heads[1].leaves, 3);
    cr_assert_eq(pay_root_write(arena, &root, &again), PAY_OK);
    cr_assert(pay_str_eq(document, again));
}


/* Another cell would be missing. */
Test(pay_root, one_database_is_not_two_cells)
{
    pay_str_t   document;
    pay_root_t  root;

    fill(&root);
    root.heads[1].database = root.heads[0].database;
    cr_assert_eq(pay_root_write(arena, &root, &document), PAY_INVALID);
    cr_assert_not_null(refused(replaced("74/1", "74/2")));
}


/* Whatever the sequence in which the cells have answered. */
Test(pay_root, does_not_depend_on_the_sequence_of_cells)
{
    pay_str_t        document;
    pay_root_t       root;
    pay_root_head_t  head;

    fill(&root);
    head = root.heads[0];
    root.heads[0] = root.heads[1];
    root.heads[1] = head;
    cr_assert_eq(pay_root_write(arena, &root, &document), PAY_OK);
    cr_assert(pay_str_eq(document, written()));
}


Test(pay_root, binds_each_member_of_a_head)
{
    size_t          i;
    pay_str_t       document;
    pay_root_t      root;
    unsigned char   first[PAY_SHA256_SIZE];

    fill(&root);
    cr_assert_eq(pay_root_write(arena, &root, &document), PAY_OK);
    memcpy(first, root.root, sizeof(first));

    for (i = 0; i < 7; i++) {
        fill(&root);
        root.heads[0].cell = i == 0 ? PAY_STR("c") : root.heads[0].cell;
        root.heads[0].database = i == 1 ? PAY_STR("74/3")
                                        : root.heads[0].database;
        root.heads[0].number += i == 2;
        root.heads[0].at = i == 3 ? PAY_STR(DAY "T10:00:00.000002Z")
                                  : root.heads[0].at;
        root.heads[0].leaves += i == 4;
        root.heads[0].root[31] ^= i == 5;
        root.heads[0].digest[31] ^= i == 6;
        cr_assert_eq(pay_root_write(arena, &root, &document), PAY_OK);
        cr_assert_neq(memcmp(first, root.root, sizeof(first)), 0, "%zu", i);
    }
}


Test(pay_root, is_not_written_over_what_is_none)
{
    size_t      i;
    pay_str_t   document;
    pay_root_t  root;

    for (i = 0; i < 9; i++) {
        fill(&root);
        root.day = i == 0 ? PAY_STR("2026-1-211") : root.day;
        root.heads[0].cell = i == 1 ? PAY_STR("a-1")
                             : i == 2 ? PAY_STR("B") : root.heads[0].cell;
        root.heads[0].database = i == 3 ? PAY_STR("74\"")
                                 : i == 4 ? PAY_STR("")
                                          : root.heads[0].database;
        root.heads[0].at = i == 5 ? PAY_STR(NEXT "T00:00:00.000000Z")
                                  : root.heads[0].at;
        root.heads[0].number = i == 6 ? 0 : root.heads[0].number;
        root.count = i == 7 ? 0 : i == 8 ? PAY_CELLS_MAX + 1 : 2;
        cr_assert_eq(pay_root_write(arena, &root, &document), PAY_INVALID,
                     "%zu", i);
    }
}


Test(pay_root, has_one_spelling)
{
    cr_assert_null(refused(written()));
    cr_assert_not_null(refused(replaced("\"cells\":[", "\"cells\": [")));
    cr_assert_not_null(refused(replaced("\"seal\":7", "\"seal\":07")));
    cr_assert_not_null(refused(replaced("\"cell\":\"b\"",
                                        "\"cell\":\"\\u0062\"")));
    cr_assert_not_null(refused(replaced("]}", "],\"more\":1}")));
    cr_assert_not_null(refused(replaced("\"day\":\"2026", "\"day\":\"x026")));
    cr_assert_not_null(refused(PAY_STR("")));
    cr_assert_not_null(refused(PAY_STR("[]")));
    cr_assert_not_null(refused(PAY_STR("{\"day\":\"" DAY "\",\"root\":\""
                                       NOUGHTS "\",\"cells\":[]}")));
}


Test(pay_root, is_that_of_its_cells)
{
    cr_assert_str_eq(refused(replaced("\"seal\":7", "\"seal\":8")),
                     "its cells do not give its root");
    cr_assert_str_eq(refused(replaced("\"74/2\"", "\"74/3\"")),
                     "its cells do not give its root");
}


static pay_root_seal_t
compared(const pay_root_t *root, size_t head, pay_str_t message)
{
    pay_root_seal_t  is;

    cr_assert_eq(pay_root_compare(root, &root->heads[head], message, &is),
                 PAY_OK);

    return is;
}


Test(pay_root, compares_seals_of_the_same_cell)
{
    size_t          i;
    char            digest[2 * PAY_SHA256_SIZE + 1];
    pay_root_t      root;
    const char     *other = NOUGHTS;

    fill(&root);

    for (i = 0; i < PAY_SHA256_SIZE; i++) {
        snprintf(&digest[2 * i], 3, "%02x", root.heads[0].digest[i]);
    }

    cr_assert_eq(compared(&root, 0, message_of(6, DAY, other)), PAY_ROOT_OTHER);
    cr_assert_eq(compared(&root, 0, message_of(7, DAY, other)), PAY_ROOT_SAME);
    cr_assert_eq(compared(&root, 0, message_of(7, NEXT, other)),
                 PAY_ROOT_DIFFERS);
    cr_assert_eq(compared(&root, 0, message_of(8, NEXT, digest)),
                 PAY_ROOT_SAME);
    cr_assert_eq(compared(&root, 0, message_of(8, NEXT, other)),
                 PAY_ROOT_DIFFERS);
    cr_assert_eq(compared(&root, 0, message_of(8, DAY, digest)),
                 PAY_ROOT_LATER);
    cr_assert_eq(compared(&root, 0, message_of(9, NEXT, other)),
                 PAY_ROOT_OTHER);
    cr_assert_eq(compared(&root, 0, message_of(9, DAY, other)),
                 PAY_ROOT_LATER);
    /* the cell that had none */
    cr_assert_eq(compared(&root, 1, message_of(1, NEXT, other)),
                 PAY_ROOT_SAME);
    cr_assert_eq(compared(&root, 1, message_of(1, DAY, other)),
                 PAY_ROOT_LATER);
}


static pay_status_t
read_it(pay_arena_t *from, void *result)
{
    pay_err_t  err;

    return pay_root_read(from, written(), result, &err);
}


Test(pay_root, bears_that_memory_ends)
{
    cr_expect_geq(torture(read_it, sizeof(pay_root_t)), 3);
}
