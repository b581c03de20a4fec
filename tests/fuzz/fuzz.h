/*
 * What every fuzz target needs.  A target checks properties, not only that
 * nothing crashes: FUZZ_CHECK() stops at the first one that does not hold.
 */

#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdlib.h>

#include "pay_arena.h"


#define FUZZ_CHECK(x)                                                         \
    do {                                                                      \
        if (!(x)) {                                                           \
            abort();                                                          \
        }                                                                     \
    } while (0)


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);


/* Cuts the input at the first newline: its first line, and the rest. */
static inline pay_str_t
fuzz_line(pay_str_t *rest)
{
    size_t     n;
    pay_str_t  line;

    for (n = 0; n < rest->len && rest->data[n] != '\n'; n++) { /* void */ }

    line = (pay_str_t) { n, rest->data };

    if (n < rest->len) {
        n++;
    }

    *rest = (pay_str_t) { rest->len - n, rest->data + n };

    return line;
}


/* A refusal says why, with a slug and a text of our own. */
static inline void
fuzz_refused(const pay_err_t *err)
{
    FUZZ_CHECK(err->slug != NULL && err->slug[0] != '\0');
    FUZZ_CHECK(err->detail != NULL && err->detail[0] != '\0');
}


#endif /* FUZZ_H */
