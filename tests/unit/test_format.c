/*
 * The formatter through pay_format(): each directive at its edges, and what
 * it must not guess at.
 */

#include <inttypes.h>
#include <limits.h>

#include <criterion/criterion.h>

#include "pay_arena.h"
#include "core/format.h"


static pay_heap_t   *heap;
static pay_arena_t  *arena;
static pay_str_t     text;


static void
setup(void)
{
    heap = pay_heap_create();
    arena = pay_heap_arena(heap);
    text = (pay_str_t) { 77, NULL };
}


static void
teardown(void)
{
    pay_heap_destroy(heap);
}


TestSuite(pay_format, .init = setup, .fini = teardown);


/* the formatter with directives that the compiler would complain about */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

static pay_status_t
format_anything(char *out, size_t size, size_t *len, const char *format, ...)
{
    va_list       args;
    pay_status_t  status;

    va_start(args, format);
    status = pay_format_to(out, size, len, format, args);
    va_end(args);

    return status;
}


#pragma GCC diagnostic pop


Test(pay_format, writes_numbers_at_their_edges)
{
    cr_assert_eq(pay_format(arena, &text, 200,
                            "%d %d %u %zu %ld %lu %lld %llu",
                            INT_MIN, INT_MAX, UINT_MAX, SIZE_MAX, LONG_MIN,
                            ULONG_MAX, LLONG_MIN, ULLONG_MAX), PAY_OK);
    cr_assert(pay_str_is(text, "-2147483648 2147483647 4294967295 "
                         "18446744073709551615 -9223372036854775808 "
                         "18446744073709551615 -9223372036854775808 "
                         "18446744073709551615"));
}


Test(pay_format, writes_zero_and_fixed_width_types)
{
    cr_assert_eq(pay_format(arena, &text, 200, "%d %" PRId64 " %" PRIu64,
                            0, INT64_C(-7), UINT64_C(8)), PAY_OK);
    cr_assert(pay_str_is(text, "0 -7 8"));
}


Test(pay_format, writes_slices_percent_signs_and_plain_text)
{
    pay_str_t  slice = { 2, (const unsigned char *) "abcdef" };

    cr_assert_eq(pay_format(arena, &text, 200, "%%%.*s%%d<%s>", pay_fmt(slice),
                            "%s"), PAY_OK);
    cr_assert(pay_str_is(text, "%ab%d<%s>"));
}


Test(pay_format, a_slice_ends_at_a_nul_as_in_printf)
{
    pay_str_t  slice = { 3, (const unsigned char *) "a\0b" };

    cr_assert_eq(pay_format(arena, &text, 200, "%.*s|", pay_fmt(slice)),
                 PAY_OK);
    cr_assert(pay_str_is(text, "a|"));
}


Test(pay_format, takes_the_empty_slice)
{
    const char *volatile  nothing = NULL;

    cr_assert_eq(pay_format(arena, &text, 200, "<%.*s>", 0, nothing), PAY_OK);
    cr_assert(pay_str_is(text, "<>"));
}


Test(pay_format, a_null_string_is_a_bug)
{
    const char *volatile  nothing = NULL;

    cr_assert_eq(pay_format(arena, &text, 200, "<%s>", nothing), PAY_BUG);
    cr_assert_eq(pay_format(arena, &text, 200, "<%.*s>", 3, nothing),
                 PAY_BUG);
    cr_assert_eq(text.len, 77);
}


/* a slice of more than INT_MAX bytes turns into a negative precision, which
 * printf takes for "no limit" */
Test(pay_format, a_negative_precision_is_a_bug)
{
    volatile int  precision = -1;

    cr_assert_eq(pay_format(arena, &text, 200, "%.*s", precision, "abc"),
                 PAY_BUG);
    cr_assert_eq(text.len, 77);
}


Test(pay_format, an_unknown_directive_is_a_bug)
{
    size_t  i;
    size_t  len = 77;

    static const char *const  bad[] = {
        "%", "a%", "%x", "%5d", "%-d", "%+d", "%05u", "%.3s", "%*d", "%f",
        "%c", "%p", "%n", "%hd", "%jd", "%zd", "%l", "%ll", "%.*d", "%.", "% d"
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_assert_eq(format_anything(NULL, 0, &len, bad[i], 1, 1, 1), PAY_BUG,
                     "%s", bad[i]);
    }

    cr_assert_eq(len, 77);
}


Test(pay_format, tells_the_whole_length_and_never_writes_past_the_size)
{
    size_t  len;
    char    out[] = "........";

    cr_assert_eq(format_anything(NULL, 0, &len, "%s-%d", "abc", 12), PAY_OK);
    cr_assert_eq(len, 6);

    cr_assert_eq(format_anything(out, 5, &len, "%s-%d|", "abc", 12), PAY_OK);
    cr_assert_eq(len, 7);
    cr_assert_str_eq(out, "abc-1...");
}
