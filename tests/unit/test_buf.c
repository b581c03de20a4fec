/*
 * The growing buffer: limits, failures that stick, and the escapers.
 */

#include "torture.h"


static pay_heap_t   *heap;
static pay_arena_t  *arena;
static pay_buf_t     buf;
static pay_str_t     out;


static void
setup(void)
{
    heap = pay_heap_create();
    arena = pay_heap_arena(heap);
    pay_buf_init(&buf, arena, 1000);
    out = (pay_str_t) { 77, NULL };
}


static void
teardown(void)
{
    pay_heap_destroy(heap);
}


TestSuite(pay_buf, .init = setup, .fini = teardown);


Test(pay_buf, an_empty_buffer_is_the_empty_text)
{
    pay_buf_add(&buf, PAY_STR(""));
    pay_buf_text(&buf, NULL);

    cr_assert_eq(pay_buf_done(&buf, &out), PAY_OK);
    cr_assert_eq(out.len, 0);
    cr_assert_not_null(out.data);
    cr_assert_eq(out.data[0], 0);
}


Test(pay_buf, grows_over_many_appends)
{
    unsigned  i;

    for (i = 0; i < 100; i++) {
        pay_buf_text(&buf, "0123456789");
    }

    cr_assert_eq(pay_buf_done(&buf, &out), PAY_OK);
    cr_assert_eq(out.len, 1000);
    cr_assert_eq(memcmp(out.data + 990, "0123456789", 11), 0);
}


Test(pay_buf, one_byte_over_the_limit_fails_and_stays_failed)
{
    unsigned  i;

    for (i = 0; i < 1000; i++) {
        pay_buf_text(&buf, "x");
    }

    pay_buf_text(&buf, "y");
    pay_buf_text(&buf, "");

    cr_assert_eq(pay_buf_done(&buf, &out), PAY_INVALID);
    cr_assert_eq(out.len, 77);
}


Test(pay_buf, a_failed_append_fails_the_later_ones_that_would_fit)
{
    unsigned char  big[1001];

    memset(big, 'x', sizeof(big));

    pay_buf_add(&buf, (pay_str_t) { sizeof(big), big });
    pay_buf_text(&buf, "fits");
    pay_buf_int(&buf, 1);
    pay_buf_percent(&buf, PAY_STR("a b"));
    pay_buf_html(&buf, PAY_STR("a<b"));

    cr_assert_eq(pay_buf_done(&buf, &out), PAY_INVALID);
    cr_assert_eq(buf.len, 0);
}


Test(pay_buf, an_impossible_length_is_refused_before_it_is_read)
{
    pay_buf_t  open;

    pay_buf_init(&open, arena, SIZE_MAX);
    pay_buf_text(&open, "a");
    pay_buf_add(&open, (pay_str_t) { SIZE_MAX - 1,
                                     (const unsigned char *) "a" });

    cr_assert_eq(pay_buf_done(&open, &out), PAY_INVALID);
}


Test(pay_buf, writes_numbers_at_their_edges)
{
    pay_buf_int(&buf, 0);
    pay_buf_text(&buf, " ");
    pay_buf_int(&buf, INT64_MAX);
    pay_buf_text(&buf, " ");
    pay_buf_int(&buf, INT64_MIN);

    cr_assert_eq(pay_buf_done(&buf, &out), PAY_OK);
    cr_assert(pay_str_is(out, "0 9223372036854775807 -9223372036854775808"));
}


Test(pay_buf, percent_escapes_all_but_unreserved_bytes)
{
    unsigned       i;
    unsigned char  all[256];
    pay_str_t      unreserved = pay_string("abcxyzABCXYZ0189-._~");

    pay_buf_percent(&buf, unreserved);
    pay_buf_percent(&buf, PAY_STR("/?#[]@!$&'()*+,;= %\"<>\\^`{|}"));
    pay_buf_percent(&buf, (pay_str_t) { 4, (const unsigned char *)
                                           "\0\r\n\xff" });

    cr_assert_eq(pay_buf_done(&buf, &out), PAY_OK);
    cr_assert(pay_str_is(out, "abcxyzABCXYZ0189-._~"
        "%2F%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2B%2C%3B%3D%20%25%22%3C%3E"
        "%5C%5E%60%7B%7C%7D%00%0D%0A%FF"));

    for (i = 0; i < 256; i++) {
        all[i] = (unsigned char) i;
    }

    pay_buf_init(&buf, arena, 1000);
    pay_buf_percent(&buf, (pay_str_t) { 256, all });
    cr_assert_eq(pay_buf_done(&buf, &out), PAY_OK);
    cr_assert_eq(out.len, 66 + (256 - 66) * 3);
}


Test(pay_buf, html_escapes_what_could_end_text_or_an_attribute)
{
    pay_buf_html(&buf, PAY_STR("<script>\"'&amp;</script>"));
    pay_buf_html(&buf, PAY_STR("plain"));
    pay_buf_html(&buf, PAY_STR("&"));

    cr_assert_eq(pay_buf_done(&buf, &out), PAY_OK);
    cr_assert(pay_str_is(out, "&lt;script&gt;&quot;&#39;&amp;amp;"
                         "&lt;/script&gt;plain&amp;"));
}


Test(pay_buf, escaping_cannot_pass_the_limit)
{
    unsigned char  quotes[200];

    memset(quotes, '"', sizeof(quotes));

    pay_buf_html(&buf, (pay_str_t) { sizeof(quotes), quotes });
    cr_assert_eq(pay_buf_done(&buf, &out), PAY_INVALID);

    memset(quotes, '\'', sizeof(quotes));

    pay_buf_init(&buf, arena, 599);
    pay_buf_percent(&buf, (pay_str_t) { sizeof(quotes), quotes });
    cr_assert_eq(pay_buf_done(&buf, &out), PAY_INVALID);
}


Test(pay_buf, what_is_expected_needs_no_second_piece)
{
    unsigned        i;
    unsigned char  *data;

    pay_buf_expect(&buf, 400);
    pay_buf_text(&buf, "x");
    data = buf.data;

    for (i = 0; i < 398; i++) {
        pay_buf_text(&buf, "x");
    }

    cr_expect_eq(buf.data, data);
    pay_buf_text(&buf, "xx");
    cr_assert_eq(pay_buf_done(&buf, &out), PAY_OK);
    cr_expect_eq(out.len, 401);
}


Test(pay_buf, may_append_its_own_bytes)
{
    unsigned  i;

    pay_buf_text(&buf, "ab");

    for (i = 0; i < 8; i++) {
        pay_buf_add(&buf, (pay_str_t) { buf.len, buf.data });
    }

    cr_assert_eq(pay_buf_done(&buf, &out), PAY_OK);
    cr_assert_eq(out.len, 512);
    cr_assert_eq(memcmp(out.data + 508, "abab", 4), 0);
}


static pay_status_t
run(pay_arena_t *a, void *result)
{
    unsigned   i;
    pay_buf_t  growing;

    pay_buf_init(&growing, a, 100000);

    for (i = 0; i < 1000; i++) {
        pay_buf_text(&growing, "0123456789");
        pay_buf_int(&growing, i);
        pay_buf_html(&growing, PAY_STR("<&>"));
        pay_buf_percent(&growing, PAY_STR("<&>"));
    }

    return pay_buf_done(&growing, result);
}


Test(pay_buf, survives_each_failing_allocation)
{
    cr_assert_geq(torture(run, sizeof(pay_str_t)), 5);
}
