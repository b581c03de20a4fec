/*
 * What the CPU benchmarks share: the CPU time of a piece of work, beside the
 * SHA-256 of the same bytes, which any request costs at least once.  Bounds
 * are those of the core on which SHA-256 costs BENCH_SHA_NS a byte; a slower
 * core, or one that is shared, has wider ones in proportion.
 */

#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pay_crypto.h"


#define BENCH_ROUNDS  7
#define BENCH_NS      20000000 /* a round lasts at least as long */
#define BENCH_SHA_NS  0.57

typedef void (*bench_work_pt)(pay_str_t text, void *data);


static inline double
bench_now_ns(void)
{
    struct timespec  t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);

    return (double) t.tv_sec * 1e9 + (double) t.tv_nsec;
}


/* The best of some rounds, in ns of CPU for one time. */
static inline double
bench_ns(bench_work_pt work, pay_str_t text, void *data)
{
    double    best = 0, begin, spent;
    unsigned  round, times;

    for (round = 0; round < BENCH_ROUNDS; round++) {
        begin = bench_now_ns();
        times = 0;

        do {
            work(text, data);
            times++;
            spent = bench_now_ns() - begin;
        } while (spent < BENCH_NS);

        if (round == 0 || spent / times < best) {
            best = spent / times;
        }
    }

    return best;
}


static inline void
bench_sha256(pay_str_t text, void *data)
{
    unsigned char  digest[PAY_SHA256_SIZE];

    (void) data;

    if (pay_sha256(text, digest) != PAY_OK) {
        abort();
    }
}


/* What is allowed on this core at this moment, of what is allowed on that
 * one; never less. */
static inline double
bench_bound(double bound, pay_str_t text)
{
    double  sha = bench_ns(bench_sha256, text, NULL) / (double) text.len;

    return (sha > BENCH_SHA_NS) ? bound * sha / BENCH_SHA_NS : bound;
}


/* `size` bytes of a piece that is repeated; never released. */
static inline pay_str_t
bench_repeat(const char *piece, size_t size)
{
    size_t          i, len = strlen(piece);
    unsigned char  *data = malloc(size);

    if (data == NULL) {
        abort();
    }

    for (i = 0; i < size; i++) {
        data[i] = (unsigned char) piece[i % len];
    }

    return (pay_str_t) { size, data };
}


#endif /* BENCH_MEASURE_H */
