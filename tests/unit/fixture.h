/*
 * A fixture of a PSP adapter as bytes: a file of tests/fixtures/psp/<psp>, or
 * what a line of its expected.txt makes of another one, see the README there.
 */

#ifndef FIXTURE_H
#define FIXTURE_H

#include <criterion/criterion.h>

#include "pay_psp.h"


#define FIXTURE_MAX    65536
#define FIXTURE_PARTS  " <"            /* what stands before a recipe */


/* Its bytes in `arena`; a fixture that cannot be had fails the test.  The tests
 * run from the project's root. */
pay_str_t fixture(pay_arena_t *arena, const pay_psp_adapter_t *adapter,
    const char *name);

/* 1 when a line of expected.txt makes it and there is no file. */
int fixture_is_made(const pay_psp_adapter_t *adapter, const char *name);


#endif /* FIXTURE_H */
