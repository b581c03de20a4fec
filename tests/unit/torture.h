/*
 * The failing-arena torture (style rule 26): runs a function with the 1st,
 * 2nd, … allocation failing until it succeeds.  Each failure must be an
 * ordinary PAY_NO_MEMORY that leaves the result untouched; sanitizers see
 * the rest.
 */

#ifndef TORTURE_H
#define TORTURE_H

#include <criterion/criterion.h>

#include "pay_arena.h"


#define TORTURE_ROUNDS  2000
#define TORTURE_RESULT  8192
#define TORTURE_FILL    0xa5


/* Memory for the length of the test, which has a process of its own. */
static inline pay_arena_t *
test_arena(void)
{
    static pay_heap_t  *heap;

    if (heap == NULL) {
        heap = pay_heap_create();
        cr_assert_not_null(heap);
    }

    return pay_heap_arena(heap);
}


/* A suite each of whose tests has a heap and its arena for itself. */
#define ARENA_SUITE(name)                                                     \
    static pay_heap_t   *heap;                                                \
    static pay_arena_t  *arena;                                               \
                                                                              \
    static void                                                               \
    setup(void)                                                               \
    {                                                                         \
        heap = pay_heap_create();                                             \
        cr_assert_not_null(heap);                                             \
        arena = pay_heap_arena(heap);                                         \
    }                                                                         \
                                                                              \
    static void                                                               \
    teardown(void)                                                            \
    {                                                                         \
        pay_heap_destroy(heap);                                               \
    }                                                                         \
                                                                              \
    TestSuite(name, .init = setup, .fini = teardown)


/* Does the work in `arena` and writes to `result`. */
typedef pay_status_t (*torture_run_pt)(pay_arena_t *arena, void *result);


/* `size` bytes at the start of the result must stay as they were when the
 * run fails; 0 for functions that promise nothing about it.  Returns the
 * number of failures that were survived. */
static inline unsigned
torture(torture_run_pt run, size_t size)
{
    size_t         i;
    unsigned       n;
    pay_heap_t    *heap;
    pay_status_t   status;

    static _Alignas(16) unsigned char  result[TORTURE_RESULT];

    cr_assert(size <= sizeof(result));

    for (n = 1; n <= TORTURE_ROUNDS; n++) {
        memset(result, TORTURE_FILL, sizeof(result));

        heap = pay_heap_create();
        cr_assert_not_null(heap);

        pay_heap_fail_at(heap, n);
        status = run(pay_heap_arena(heap), result);

        if (!pay_heap_failed(heap)) {
            cr_assert_eq(status, PAY_OK, "status %d without a failure",
                         status);
            pay_heap_destroy(heap);
            return n - 1;
        }

        cr_assert_eq(status, PAY_NO_MEMORY, "status %d at failure %u",
                     status, n);

        for (i = 0; i < size; i++) {
            cr_assert_eq(result[i], TORTURE_FILL,
                         "byte %zu written at failure %u", i, n);
        }

        pay_heap_destroy(heap);
    }

    cr_assert_fail("no success in %d rounds", TORTURE_ROUNDS);

    return n;
}


#endif /* TORTURE_H */
