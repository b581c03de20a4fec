/*
 * JSON text that is written around values: what stands between two quotes.
 */

#include "torture.h"

#include "pay_json.h"


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
}


static void
teardown(void)
{
    pay_heap_destroy(heap);
}


TestSuite(pay_json_text, .init = setup, .fini = teardown);


Test(pay_json_text, escapes_what_rfc_8259_wants_and_no_more)
{
    pay_buf_json(&buf, PAY_STR("\"\\\b\f\n\r\t\x01\x1f/\x7f<"));
    pay_buf_json(&buf, PAY_STR(""));
    pay_buf_json(&buf, PAY_STR("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"));

    cr_assert_eq(pay_buf_done(&buf, &out), PAY_OK);
    cr_assert(pay_str_is(out, "\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001F/\x7f<"
                         "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"));
}


/* The edges of RFC 3629's table. */
Test(pay_json_text, takes_utf8_and_nothing_else)
{
    size_t  i;

    static const struct {
        pay_str_t     text;
        pay_status_t  status;
    } rows[] = {
        { pay_string("\xc2\x80"), PAY_OK },
        { pay_string("\xdf\xbf"), PAY_OK },
        { pay_string("\xe0\xa0\x80"), PAY_OK },
        { pay_string("\xed\x9f\xbf"), PAY_OK },
        { pay_string("\xee\x80\x80"), PAY_OK },
        { pay_string("\xef\xbf\xbf"), PAY_OK },
        { pay_string("\xf0\x90\x80\x80"), PAY_OK },
        { pay_string("\xf4\x8f\xbf\xbf"), PAY_OK },
        { pay_string("\0"), PAY_INVALID },
        { pay_string("a\0b"), PAY_INVALID },
        { pay_string("\x80"), PAY_INVALID },
        { pay_string("\xbf"), PAY_INVALID },
        { pay_string("\xc0\x80"), PAY_INVALID },
        { pay_string("\xc1\xbf"), PAY_INVALID },
        { pay_string("\xc3"), PAY_INVALID },
        { pay_string("\xc3("), PAY_INVALID },
        { pay_string("\xc3\xc3"), PAY_INVALID },
        { pay_string("\xe0\x9f\xbf"), PAY_INVALID },
        { pay_string("\xed\xa0\x80"), PAY_INVALID },
        { pay_string("\xe2\x82"), PAY_INVALID },
        { pay_string("\xe2\x82("), PAY_INVALID },
        { pay_string("\xf0\x8f\xbf\xbf"), PAY_INVALID },
        { pay_string("\xf4\x90\x80\x80"), PAY_INVALID },
        { pay_string("\xf5\x80\x80\x80"), PAY_INVALID },
        { pay_string("\xf0\x9f\x98"), PAY_INVALID },
        { pay_string("\xff"), PAY_INVALID }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        pay_buf_init(&buf, arena, 100);
        pay_buf_json(&buf, rows[i].text);
        cr_expect_eq(pay_buf_done(&buf, &out), rows[i].status, "row %zu", i);
    }
}


/* What is read back is what was written, whatever it was. */
Test(pay_json_text, comes_back_through_the_parser)
{
    unsigned        i;
    pay_str_t       value;
    pay_json_t     *json;
    unsigned char   byte;

    for (i = 1; i < 128; i++) {
        byte = (unsigned char) i;
        pay_buf_init(&buf, arena, 100);
        pay_buf_text(&buf, "[\"");
        pay_buf_json(&buf, (pay_str_t) { 1, &byte });
        pay_buf_text(&buf, "\"]");
        cr_assert_eq(pay_buf_done(&buf, &out), PAY_OK);
        cr_assert_eq(pay_json_parse(out, NULL, &json, NULL), PAY_OK);
        cr_assert_eq(pay_json_string(pay_json_at(json, 0), &value), PAY_OK);
        cr_expect(value.len == 1 && value.data[0] == byte, "byte %u", i);
        pay_json_free(json);
    }
}


Test(pay_json_text, escaping_cannot_pass_the_limit)
{
    unsigned char  quotes[200];

    memset(quotes, '"', sizeof(quotes));

    pay_buf_init(&buf, arena, 399);
    pay_buf_json(&buf, (pay_str_t) { sizeof(quotes), quotes });
    cr_assert_eq(pay_buf_done(&buf, &out), PAY_INVALID);
}


Test(pay_json_text, the_first_failure_counts)
{
    pay_buf_fail(&buf, PAY_NO_MEMORY);
    pay_buf_json(&buf, PAY_STR("\xff"));

    cr_assert_eq(pay_buf_done(&buf, &out), PAY_NO_MEMORY);
}


static pay_status_t
run(pay_arena_t *a, void *result)
{
    unsigned   i;
    pay_buf_t  growing;

    pay_buf_init(&growing, a, 100000);

    for (i = 0; i < 1000; i++) {
        pay_buf_json(&growing, PAY_STR("\"\n\xc3\xa9"));
        pay_buf_json(&growing, PAY_STR("plain"));
    }

    return pay_buf_done(&growing, result);
}


Test(pay_json_text, survives_each_failing_allocation)
{
    cr_assert_geq(torture(run, sizeof(pay_str_t)), 5);
}
