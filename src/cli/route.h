/*
 * The lines of routes that payctl route replay reads.  Private to src/cli.
 */

#ifndef PAY_SRC_CLI_ROUTE_H
#define PAY_SRC_CLI_ROUTE_H

#include "pay_arena.h"


/* The routes of a file as a JSON array in their order, the psp line last: by,
 * psps (psp, weight), and where they are given currencies, countries, methods,
 * min and max in minor units.  0 after a complaint. */
int pay_cli_route_read(pay_arena_t *arena, const char *path, pay_str_t *json);
/* One route for all; psps: with commas between them, NULL: all that have a
 * score.  PAY_INVALID: a name that no PSP has. */
pay_status_t pay_cli_route_one(pay_arena_t *arena, const char *by,
    const char *psps, pay_str_t *json) PAY_MUST_CHECK;


#endif /* PAY_SRC_CLI_ROUTE_H */
