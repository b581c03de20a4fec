/*
 * pay_alloc and friends over the heap arena.
 */

#include <stdint.h>

#include "torture.h"


ARENA_SUITE(pay_arena);


Test(pay_arena, memory_is_aligned_for_any_type)
{
    size_t          size;
    unsigned char  *memory;

    for (size = 0; size < 70; size++) {
        memory = pay_alloc(arena, size);
        cr_assert_not_null(memory);
        cr_assert_eq((uintptr_t) memory % _Alignof(max_align_t), 0);
        memset(memory, 0xff, size);
    }
}


Test(pay_arena, calloc_gives_zeros)
{
    size_t          i;
    unsigned char  *memory = pay_calloc(arena, 500);

    cr_assert_not_null(memory);

    for (i = 0; i < 500; i++) {
        cr_assert_eq(memory[i], 0);
    }
}


Test(pay_arena, an_impossible_size_is_null)
{
    volatile size_t  huge = SIZE_MAX;

    cr_assert_null(pay_alloc(arena, huge));
    cr_assert_null(pay_alloc(arena, huge - 8));
    cr_assert_null(pay_calloc(arena, huge / 2));
}


Test(pay_arena, dup_copies_and_adds_a_nul)
{
    pay_str_t      copy;
    unsigned char  from[] = { 'a', 0, 'b', 'x' };

    cr_assert_eq(pay_dup(arena, (pay_str_t) { 3, from }, &copy), PAY_OK);
    from[0] = 'z';

    cr_assert_eq(copy.len, 3);
    cr_assert_eq(memcmp(copy.data, "a\0b", 4), 0);
}


Test(pay_arena, dup_takes_the_empty_slice)
{
    pay_str_t  copy = { 9, NULL };

    cr_assert_eq(pay_dup(arena, (pay_str_t) { 0, NULL }, &copy), PAY_OK);
    cr_assert_eq(copy.len, 0);
    cr_assert_eq(copy.data[0], 0);
}


Test(pay_arena, dup_of_an_impossible_length_writes_nothing)
{
    pay_str_t  copy = { 9, NULL };

    cr_assert_eq(pay_dup(arena, (pay_str_t) { SIZE_MAX, NULL }, &copy),
                 PAY_NO_MEMORY);
    cr_assert_eq(copy.len, 9);
}


Test(pay_arena, format_writes_up_to_the_limit)
{
    pay_str_t  text;

    cr_assert_eq(pay_format(arena, &text, 5, "%s", "12345"), PAY_OK);
    cr_assert(pay_str_is(text, "12345"));
    cr_assert_eq(text.data[5], 0);
    cr_assert_eq(pay_format(arena, &text, 0, "%s", ""), PAY_OK);
    cr_assert_eq(text.len, 0);
}


Test(pay_arena, format_refuses_a_longer_text_and_writes_nothing)
{
    pay_str_t  text = { 77, NULL };

    cr_assert_eq(pay_format(arena, &text, 5, "%s", "123456"), PAY_INVALID);
    cr_assert_eq(pay_format(arena, &text, 0, "%u", 0u), PAY_INVALID);
    cr_assert_eq(text.len, 77);
}


static pay_status_t
run_dup(pay_arena_t *a, void *result)
{
    return pay_dup(a, PAY_STR("text"), result);
}


static pay_status_t
run_format(pay_arena_t *a, void *result)
{
    return pay_format(a, result, 100, "%s %d", "text", -1);
}


Test(pay_arena, survives_each_failing_allocation)
{
    cr_assert_eq(torture(run_dup, sizeof(pay_str_t)), 1);
    cr_assert_eq(torture(run_format, sizeof(pay_str_t)), 1);
}
