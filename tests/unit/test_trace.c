/*
 * traceparent, as https://www.w3.org/TR/trace-context/ has it.
 */

#include "torture.h"
#include "pay_trace.h"


#define ID      "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT  "00f067aa0ba902b7"
#define GOOD    "00-" ID "-" PARENT "-01"


static pay_str_t
parsed(const char *text)
{
    static unsigned char  trace[PAY_TRACE_TEXT];

    return pay_trace_parse(pay_str_of(text), trace) == PAY_OK
           ? (pay_str_t) { PAY_TRACE_TEXT, trace } : PAY_STR("");
}


Test(pay_trace, reads_a_value)
{
    cr_assert(pay_str_is(parsed(GOOD), GOOD));
    cr_assert(pay_str_is(pay_trace_id(parsed(GOOD)), ID));
    cr_assert_eq(pay_trace_id(PAY_STR("")).len, 0);
}


Test(pay_trace, keeps_no_flag_but_sampled)
{
    cr_assert(pay_str_is(parsed("00-" ID "-" PARENT "-ff"), GOOD));
    cr_assert(pay_str_is(parsed("00-" ID "-" PARENT "-fe"),
                         "00-" ID "-" PARENT "-00"));
}


Test(pay_trace, takes_what_it_knows_of_a_later_version)
{
    cr_assert(pay_str_is(parsed("cc-" ID "-" PARENT "-01"), GOOD));
    cr_assert(pay_str_is(parsed("cc-" ID "-" PARENT "-01-more"), GOOD));
    cr_assert_eq(parsed("cc-" ID "-" PARENT "-01.more").len, 0);
}


Test(pay_trace, ignores_a_malformed_value)
{
    size_t              i;
    static const char  *const bad[] = {
        "", "00", "00-" ID "-" PARENT, "00-" ID "-" PARENT "-0",
        "ff-" ID "-" PARENT "-01", "0g-" ID "-" PARENT "-01",
        "00-" ID "-" PARENT "-01-", "00-" ID "-" PARENT "-01 ",
        " " GOOD, "00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01",
        "00-" ID "-00F067AA0BA902B7-01", "00-" ID "-" PARENT "-0x",
        "00-00000000000000000000000000000000-" PARENT "-01",
        "00-" ID "-0000000000000000-01", "00_" ID "-" PARENT "-01",
        "00-" ID "_" PARENT "-01", "00-" ID "-" PARENT "_01",
        GOOD "," GOOD
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_assert_eq(parsed(bad[i]).len, 0, "%s", bad[i]);
    }
}


/* each byte that becomes another one that is no hex digit or hyphen */
Test(pay_trace, refuses_each_spoilt_byte)
{
    char    text[] = GOOD;
    size_t  i;

    for (i = 0; i < sizeof(text) - 1; i++) {
        text[i] ^= 0x40;
        cr_assert_eq(parsed(text).len, 0, "%s", text);
        text[i] ^= 0x40;
    }
}


Test(pay_trace, gives_a_call_an_id_of_its_own)
{
    pay_str_t      one, two, again;
    pay_arena_t   *arena = test_arena();
    unsigned char  kept[PAY_TRACE_TEXT];

    cr_assert_eq(pay_trace_child(arena, PAY_STR(GOOD), PAY_STR("a"), &one),
                 PAY_OK);
    cr_assert_eq(pay_trace_child(arena, PAY_STR(GOOD), PAY_STR("a"), &again),
                 PAY_OK);
    cr_assert_eq(pay_trace_child(arena, PAY_STR(GOOD), PAY_STR("b"), &two),
                 PAY_OK);

    cr_assert_eq(pay_trace_parse(one, kept), PAY_OK);
    cr_assert(pay_str_is(pay_trace_id(one), ID));
    cr_assert_eq(memcmp(one.data, again.data, PAY_TRACE_TEXT), 0);
    cr_assert_neq(memcmp(one.data, two.data, PAY_TRACE_TEXT), 0);
    cr_assert(!pay_str_is(one, GOOD));
    cr_assert_eq(pay_trace_child(arena, PAY_STR("x"), PAY_STR("b"), &two),
                 PAY_BUG);
}
