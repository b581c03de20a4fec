/*
 * The pages of the console as JSON, and the parameters of their addresses.  Who
 * may see a page, and whose rows, PostgreSQL says
 * (sql/functions/99_console.sql).
 */

#ifndef PAY_CONSOLE_H
#define PAY_CONSOLE_H

#include "pay_problem.h"
#include "pay_staff.h"


typedef struct pay_console_page_s  pay_console_page_t;

/* Facts of the configuration, of which each page shows those that are its. */
typedef struct {
    pay_str_t  settings;       /* JSON without a secret */
    pay_str_t  cells;          /* JSON array of the cells' names */
    int        can_act;        /* staff may act in them */
} pay_console_facts_t;

/* The page that a request names; all texts are the arena's. */
typedef struct {
    const pay_console_page_t  *page;
    pay_str_t                  query;    /* JSON object of texts */
    pay_str_t                  cell;     /* whose database is asked; empty: it
                                            was not said */
    int                        is_first; /* of a list: its first page */
    int                        is_personal;  /* data of a buyer is asked for */
} pay_console_asked_t;


/* The page of that name, or NULL. */
const pay_console_page_t *pay_console_page(pay_str_t name);
const char *pay_console_page_name(const pay_console_page_t *page);
/* Reads the query string of a stranger.  Each parameter may stand once, and
 * must be `cell` or one of the page's; PAY_INVALID with slug "validation-error"
 * names it.  Of *facts are added those that the page shows. */
pay_status_t pay_console_parse(pay_arena_t *arena, pay_str_t args,
    const pay_console_page_t *page, const pay_console_facts_t *facts,
    pay_console_asked_t *asked, pay_err_t *err) PAY_MUST_CHECK;
/* The same of an act, whose query string has nothing but `cell`: *cell is
 * empty without it. */
pay_status_t pay_console_parse_cell(pay_arena_t *arena, pay_str_t args,
    pay_str_t *cell, pay_err_t *err) PAY_MUST_CHECK;

/* An act of staff; all texts are the arena's. */
typedef struct {
    const char  *name;         /* of pay_console_act_name() */
    pay_str_t    body;         /* JSON object of texts */
} pay_console_act_t;

#define PAY_CONSOLE_ACT_MAX  4096      /* bytes of a body */

/* The literal of an act's name, "requeue" …; NULL: there is no such act. */
const char *pay_console_act_name(pay_str_t name);
/* Reads the body of an act (untrusted): `request` and `object` and the members
 * of this act, each a text within bounds.  PAY_INVALID with
 * "validation-error" and *errors, or with another slug. */
pay_status_t pay_console_act_parse(pay_arena_t *arena, const char *name,
    pay_str_t body, pay_console_act_t *act, pay_errors_t *errors,
    pay_err_t *err) PAY_MUST_CHECK;
/* 1: the page shows the figures of the node, a JSON array, which the caller
 * adds. */
int pay_console_wants_node(const pay_console_asked_t *asked);
pay_status_t pay_console_add_node(pay_arena_t *arena, pay_str_t node,
    pay_console_asked_t *asked) PAY_MUST_CHECK;

/* All that an answer depends on, for pages that staff poll: who has the same
 * key has the same answer.  PAY_NOT_FOUND: the answer belongs to its caller
 * alone, as each one that may hold data of a person does. */
pay_status_t pay_console_shared_key(pay_arena_t *arena,
    const pay_staff_t *staff, const pay_console_asked_t *asked,
    pay_str_t *key) PAY_MUST_CHECK;


#endif /* PAY_CONSOLE_H */
