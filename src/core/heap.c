/*
 * An arena over malloc for payctl and tests.  Every piece is an allocation
 * of its own, so that sanitizers see each overrun; all go with the heap.
 */

#include <stdlib.h>

#include "pay_arena.h"


/* 64 GiB: a size beyond is a length that has underflowed.  Sanitizers would
 * end the process at such a malloc() where the caller expects NULL. */
#define PAY_HEAP_PIECE_MAX  ((size_t) 1 << 36)


typedef struct pay_piece_s  pay_piece_t;

/* max_align_t puts the caller's memory at an address that suits any type. */
struct pay_piece_s {
    pay_piece_t  *next;
    max_align_t   memory[];
};

/* The arena comes with the heap, so that pay_heap_arena() cannot fail. */
struct pay_heap_s {
    pay_arena_t   arena;
    pay_piece_t  *pieces;
    unsigned      fail_in;     /* the n-th from now fails; 0: none planned */
    int           failed;
};


static void *pay_heap_alloc(void *owner, size_t size);


pay_heap_t *
pay_heap_create(void)
{
    pay_heap_t  *heap = calloc(1, sizeof(*heap));

    if (heap != NULL) {
        heap->arena.alloc = pay_heap_alloc;
        heap->arena.owner = heap;
    }

    return heap;
}


/* NULL is fine, so that an error path need not know how far it came. */
void
pay_heap_destroy(pay_heap_t *heap)
{
    pay_piece_t  *piece;

    if (heap == NULL) {
        return;
    }

    while (heap->pieces != NULL) {
        piece = heap->pieces;
        heap->pieces = piece->next;
        free(piece);
    }

    free(heap);
}


pay_arena_t *
pay_heap_arena(pay_heap_t *heap)
{
    return &heap->arena;
}


/* Tests walk n from 1 until nothing fails any more: each allocation of a
 * function fails once, and its caller has to come out without a leak or half a
 * result. */
void
pay_heap_fail_at(pay_heap_t *heap, unsigned n)
{
    heap->fail_in = n;
    heap->failed = 0;
}


int
pay_heap_failed(const pay_heap_t *heap)
{
    return heap->failed;
}


/* Fails once and goes on: code that ignores the NULL is to be found by its
 * later steps, which a heap that stays exhausted would hide. */
static void *
pay_heap_alloc(void *owner, size_t size)
{
    pay_heap_t   *heap = owner;
    pay_piece_t  *piece;

    if (heap->fail_in != 0 && --heap->fail_in == 0) {
        heap->failed = 1;
        return NULL;
    }

    if (size > PAY_HEAP_PIECE_MAX) {
        return NULL;
    }

    piece = malloc(sizeof(*piece) + size);
    if (piece == NULL) {
        return NULL;
    }

    piece->next = heap->pieces;
    heap->pieces = piece;

    return piece->memory;
}
