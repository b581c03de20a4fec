/*
 * The common part of payctl's subcommands for operators: one row shown with all
 * rows that belong to it, and one action of pay_ops, with the operator's name
 * and the reason.  Private to src/cli.
 */

#ifndef PAY_SRC_CLI_ACT_H
#define PAY_SRC_CLI_ACT_H

#include "cli/output.h"
#include "cli/table.h"

#include <stddef.h>


/* The rows that belong to it, one table each; an empty table is not shown. */
typedef struct {
    const char  *title;
    const char  *sql;                  /* $1: the id, or the values */
} pay_cli_part_t;

typedef struct {
    const char            *what;       /* begins complaints */
    const char            *sql;        /* one row; $1: the id, or the values */
    const char            *none;       /* said when there is no row */
    const pay_cli_part_t  *parts;      /* ends with a title of NULL */
} pay_cli_show_t;

/* Connects, prints the record and its parts; returns the exit code. */
int pay_cli_show(const pay_cli_show_t *show, const char *dsn, const char *id);
/* The same of a row that `count` values name. */
int pay_cli_show_of(const pay_cli_show_t *show, const char *dsn, int count,
    const char *const *values);

/* An outcome that is a no, and its meaning. */
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

/* Connects, acts, prints the outcome, the meaning of a no to stderr; returns
 * the exit code. */
int pay_cli_act(const pay_cli_act_t *act, const char *dsn,
    const char *const *values);

/* An act with a row for each of its results; the list's first column is the
 * outcome, a text.  It is done when one row at least has the outcome `done`. */
typedef struct {
    pay_cli_list_t            list;
    const char               *done;
    const pay_cli_refusal_t  *refusals;    /* ends with an outcome of NULL */
} pay_cli_act_list_t;

/* Connects, acts, prints the rows as -o says, and the meaning of each row's no
 * to stderr; returns the exit code. */
int pay_cli_act_list(const pay_cli_act_list_t *act, const char *dsn,
    const char *const *values);

/* 1 for a text that can be the number of a row. */
int pay_cli_is_number(const char *id);

/* The arguments of a command that takes a verb: "list" alone needs no ID. Texts
 * end with NULL. */
typedef struct {
    const char         *command;       /* "dlq" */
    const char         *usage;
    const char *const  *verbs;
    const char *const  *kinds;         /* of --kind */
    int                 numbered;      /* its IDs are numbers */
} pay_cli_verbs_t;

/* The place of the verb in its table, for what pay_cli_args() has returned, or
 * -1 with the exit code: help was printed, or what is wrong. */
int pay_cli_verb(const pay_cli_verbs_t *verbs, int words,
    const char *const *word, int *code);
/* 1 when --kind is one of them or was not given, else 0 after a complaint. */
int pay_cli_is_kind(const pay_cli_verbs_t *verbs, const char *kind);
/* 1 when --who and --why are there, else 0 after a complaint. */
int pay_cli_says_who(const pay_cli_verbs_t *verbs, const char *who,
    const char *why);

/* The other arguments of the commands that take a verb and an ID. */
typedef struct {
    const char  *dsn;
    const char  *kind;
    const char  *merchant;
    const char  *who;
    const char  *why;
    const char  *as;           /* of "change settle" */
    int          bears;        /* of "mismatch assign" */
    int          all;
} pay_cli_case_t;

/* Rows of a pay_cli_option_t table: options that each of these commands
 * takes. */
#define PAY_CLI_CASE_OPTIONS(args)                                            \
    { "--dsn", &(args)->dsn, NULL },                                          \
    { "--kind", &(args)->kind, NULL },                                        \
    { "--merchant", &(args)->merchant, NULL },                                \
    { "--who", &(args)->who, NULL },                                          \
    { "--why", &(args)->why, NULL },                                          \
    { "--all", NULL, &(args)->all },                                          \
    PAY_CLI_OUTPUT_OPTIONS

/* Columns of the parts that several of them show: of the timeline "t", of
 * the calls "d". */
#define PAY_CLI_TIMELINE                                                      \
    "t.payment_order_id AS \"order\", t.seq, " PAY_CLI_AT("t.at") " AS at,"   \
    " t.kind, t.actor,"                                                       \
    " concat_ws(' > ', t.old_status, t.new_status) AS status"
#define PAY_CLI_CALLS                                                         \
    "d.operation, d.attempt, d.psp, d.state, d.sends,"                        \
    " " PAY_CLI_AT("d.first_sent_at") " AS first_sent_at,"                    \
    " " PAY_CLI_AT("d.ended_at") " AS ended_at"

/* "list", whose parameters are --all, --kind and --merchant; and an act whose
 * parameters are the ID, --who and --why.  Both return the exit code. */
int pay_cli_list_cases(const pay_cli_verbs_t *verbs,
    const pay_cli_list_t *list, const pay_cli_case_t *args);
int pay_cli_act_on(const pay_cli_verbs_t *verbs, const pay_cli_act_t *act,
    const pay_cli_case_t *args, const char *id);


#endif /* PAY_SRC_CLI_ACT_H */
