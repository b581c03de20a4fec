/*
 * The word that a misspelt one was probably meant to be.  Used for messages
 * about configurations and command lines, never for a decision.
 */

#ifndef PAY_NEAR_H
#define PAY_NEAR_H

#include "pay_str.h"


/* A longer word is like none. */
#define PAY_NEAR_MAX  64


/* How many letters must be inserted, removed, replaced or swapped with their
 * neighbour to make `b` of `a`; the case of a letter does not count.  Both are
 * at most PAY_NEAR_MAX bytes long, else the answer is PAY_NEAR_MAX + 1. */
unsigned pay_near_distance(pay_str_t a, pay_str_t b);

/* The one of `words` (NULL behind the last one) that `word` was probably meant
 * to be: one letter in three may be wrong, at least one and at most three, or
 * it is the beginning of exactly one of them.  NULL when there is none.
 * `word` is untrusted. */
const char *pay_near(pay_str_t word, const char *const *words);


#endif /* PAY_NEAR_H */
