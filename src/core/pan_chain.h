/*
 * Groups of digits that stand in a row, for the scan for card numbers;
 * private to pan.c and pan_chain.c.
 */

#ifndef PAY_SRC_PAN_CHAIN_H
#define PAY_SRC_PAN_CHAIN_H

#include "core/pan.h"


#define PAY_PAN_BLOCK  64      /* characters that are read at once */
#define PAY_PAN_KEPT   32      /* digits before them */

#define PAY_PAN_LAST   7       /* digits of the longest group of several */

/* The last groups of a chain are remembered. */
#define PAY_PAN_RING   32
#define PAY_PAN_MASK   (PAY_PAN_RING - 1)


typedef struct {
    size_t  at;                /* where it begins */
    size_t  count;             /* digits of the chain before it */
} pay_pan_group_t;

/* Digits and separators without anything else between them. */
typedef struct {
    pay_str_t        text;
    pay_pan_span_t  *span;     /* of the number that was found */

    /* the characters that are being read */
    uint64_t         digits;   /* one bit for each: is it a digit */
    size_t           length;   /* characters */
    size_t           read;     /* digits of them */
    size_t           base;     /* `count` of the first digit of them */
    size_t           at[PAY_PAN_BLOCK + 1];
    unsigned char    digit[PAY_PAN_KEPT + PAY_PAN_BLOCK];

    /* the chain up to where it is judged */
    size_t           begin;
    size_t           end;      /* behind the last digit */
    size_t           count;    /* digits */
    size_t           groups;
    size_t           singles;  /* groups of one digit before the last group */
    unsigned         sizes;    /* of groups before the last group, the last
                                  of them in the lowest byte */
    pay_pan_group_t  group[PAY_PAN_RING];
} pay_pan_chain_t;


/* A group of that many digits has ended, and pay_pan_may_end() has said 1: 1
 * when a number ends with it. */
int pay_pan_ended(pay_pan_chain_t *chain, size_t size);

/* Each digit on its own, "4 1 1 1 ...", up to the last of them, which is
 * before the group `behind`: 1 when that is a number. */
int pay_pan_singles(pay_pan_chain_t *chain, size_t behind);


/* 1 when a number may end with the group of that many digits that follows:
 * this is asked for each group, and seldom true. */
static inline int
pay_pan_may_end(const pay_pan_chain_t *chain, size_t size)
{
    return ((chain->sizes & 0xffffff) == 0x040404)
           | ((chain->sizes & 0xffff) == 0x0406)
           | (size >= PAY_PAN_MIN)
           | ((chain->singles >= PAY_PAN_MIN - 1)
              & ((size != 1) | (chain->singles < PAY_PAN_MAX)));
}


#endif /* PAY_SRC_PAN_CHAIN_H */
