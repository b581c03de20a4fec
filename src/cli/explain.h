/*
 * payctl explain: explain.c asks the database, explain_text.c makes an English
 * text of its answer, explain_story.c prints the history, and explain_value.c
 * makes text of the answer's values for both.
 */

#ifndef PAY_SRC_CLI_EXPLAIN_H
#define PAY_SRC_CLI_EXPLAIN_H

#include "pay_json.h"


/* The newest 1000 events and 100 of each other kind, letters and mismatches
 * twice. */
#define EXPLAIN_LINES  1800
#define EXPLAIN_VALUES 65536


/* Prints what pay_view.explain says about an order of this merchant; 1, or 0
 * when it cannot be read. */
int pay_cli_explain_text(const char *merchant, pay_str_t explanation);

/* Prints what has happened; 1, or 0 when nothing has. */
int explain_put_story(pay_arena_t *arena, const pay_json_t *top);

/* A string or a number as text, a fraction with three decimals; empty for
 * anything else. */
const char *explain_value_of(pay_arena_t *arena, const pay_json_t *found);
const char *explain_text_of(pay_arena_t *arena, const pay_json_t *json,
    const char *member);
/* An amount with its currency, or the bare number when that is not known. */
const char *explain_amount_of(pay_arena_t *arena, const pay_json_t *json,
    const char *amount, const char *currency);


#endif /* PAY_SRC_CLI_EXPLAIN_H */
