/*
 * What payctl's subcommands for people on call share: one thing shown with all
 * that belongs to it, and one action of pay_ops, with who and why.  Private to
 * src/cli.
 */

#ifndef PAY_SRC_CLI_ACT_H
#define PAY_SRC_CLI_ACT_H

#include <stddef.h>


/* What belongs to it, one table each; none that is empty is shown. */
typedef struct {
    const char  *title;
    const char  *sql;                  /* $1: the id */
} pay_cli_part_t;

typedef struct {
    const char            *what;       /* begins complaints */
    const char            *sql;        /* one row; $1: the id */
    const char            *none;       /* said when there is no row */
    const pay_cli_part_t  *parts;      /* ends with a title of NULL */
} pay_cli_show_t;

/* Connects, prints the record and its parts; returns the exit code. */
int pay_cli_show(const pay_cli_show_t *show, const char *dsn, const char *id);

/* An outcome that is a no, and what it means. */
typedef struct {
    const char  *outcome;
    const char  *means;
} pay_cli_refusal_t;

typedef struct {
    const char               *what;    /* begins complaints */
    const char               *sql;     /* no row: "not_found" */
    int                       count;   /* of its parameters */
    const char               *done;    /* the outcome that is a yes */
    const pay_cli_refusal_t  *refusals;    /* ends with an outcome of NULL */
} pay_cli_act_t;

/* Connects, acts, prints the outcome, what a no means to stderr; returns the
 * exit code. */
int pay_cli_act(const pay_cli_act_t *act, const char *dsn,
    const char *const *values);

/* 1 for what can be the number of a row. */
int pay_cli_is_number(const char *id);


#endif /* PAY_SRC_CLI_ACT_H */
