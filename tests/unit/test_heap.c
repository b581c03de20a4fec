/*
 * The heap arena's switch: the torture tests stand on it.
 */

#include <criterion/criterion.h>

#include "pay_arena.h"


Test(pay_heap, fails_exactly_the_planned_allocation)
{
    pay_heap_t   *heap = pay_heap_create();
    pay_arena_t  *arena = pay_heap_arena(heap);

    pay_heap_fail_at(heap, 3);

    cr_assert_not_null(pay_alloc(arena, 1));
    cr_assert_not_null(pay_alloc(arena, 1));
    cr_assert_eq(pay_heap_failed(heap), 0);
    cr_assert_null(pay_alloc(arena, 1));
    cr_assert_eq(pay_heap_failed(heap), 1);
    cr_assert_not_null(pay_alloc(arena, 1));

    pay_heap_destroy(heap);
}


Test(pay_heap, a_new_plan_forgets_the_old_failure)
{
    pay_heap_t   *heap = pay_heap_create();
    pay_arena_t  *arena = pay_heap_arena(heap);

    pay_heap_fail_at(heap, 1);
    cr_assert_null(pay_alloc(arena, 1));

    pay_heap_fail_at(heap, 0);
    cr_assert_eq(pay_heap_failed(heap), 0);
    cr_assert_not_null(pay_alloc(arena, 1));

    pay_heap_destroy(heap);
}


Test(pay_heap, an_allocation_too_large_for_malloc_is_no_planned_failure)
{
    pay_heap_t  *heap = pay_heap_create();

    volatile size_t  huge = SIZE_MAX;

    cr_assert_null(pay_alloc(pay_heap_arena(heap), huge));
    cr_assert_eq(pay_heap_failed(heap), 0);

    pay_heap_destroy(heap);
    pay_heap_destroy(NULL);
}
