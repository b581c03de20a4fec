/*
 * One thing with its parts, one action with its outcome, see act.h.
 */

#include "cli/act.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/list.h"
#include "cli/output.h"
#include "cli/table.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>


#define ACT_WORDS  256           /* of all kinds */
#define ACT_SQL    8192


static int act_text(PGconn *conn, const pay_cli_show_t *show, int count,
    const char *const *values);
static int act_json(PGconn *conn, const pay_cli_show_t *show, int count,
    const char *const *values);
static int act_value(PGconn *conn, const pay_cli_show_t *show,
    const char *query, int is_record, int count, const char *const *values);
static int act_parts(PGconn *conn, const pay_cli_show_t *show,
    int count, const char *const *values);
static int act_say(const pay_cli_act_t *act, const char *outcome);
static void act_means(const char *what, const pay_cli_refusal_t *refusals,
    const char *outcome);
static int act_rows(PGconn *conn, const pay_cli_act_list_t *act,
    pay_cli_format_t format, const char *const *values);
static void act_words(const char *const *words, char *text, size_t size);
static const char *act_nearest(const char *const *words, const char *word);


int
pay_cli_show(const pay_cli_show_t *show, const char *dsn, const char *id)
{
    return pay_cli_show_of(show, dsn, 1, &id);
}


/* Not in one transaction: the record and its parts are for reading, and a row
 * that changes between two queries does no harm. */
int
pay_cli_show_of(const pay_cli_show_t *show, const char *dsn, int count,
    const char *const *values)
{
    int                code;
    PGconn            *conn;
    pay_cli_format_t   format;

    if (!pay_cli_format(show->what, &format)) {
        return PAY_CLI_USAGE;
    }

    if (format == PAY_CLI_CSV) {
        fprintf(stderr, "payctl: %s takes -o json, and no csv or table, "
                "which are for lists\n", show->what);
        return PAY_CLI_USAGE;
    }

    conn = pay_cli_connect(dsn);
    if (conn == NULL) {
        return PAY_CLI_USAGE;
    }

    code = format == PAY_CLI_JSON ? act_json(conn, show, count, values)
                                  : act_text(conn, show, count, values);
    PQfinish(conn);

    return code;
}


static int
act_text(PGconn *conn, const pay_cli_show_t *show, int count,
    const char *const *values)
{
    int        code = PAY_CLI_OK;
    PGresult  *rows;

    rows = pay_cli_query(conn, show->what, show->sql, count, values);

    if (rows == NULL) {
        code = PAY_CLI_USAGE;

    } else if (PQntuples(rows) == 0) {
        fprintf(stderr, "payctl: %s\n", show->none);
        code = PAY_CLI_NO;

    } else {
        pay_cli_record(rows, 0);
        code = act_parts(conn, show, count, values);
    }

    PQclear(rows);

    return code;
}


/* {"record": {column: value, ...}, "parts": {title: [row, ...], ...}}, in one
 * line; a part without a row is an empty array. */
static int
act_json(PGconn *conn, const pay_cli_show_t *show, int count,
    const char *const *values)
{
    int                    code;
    const char            *separator = "";
    const pay_cli_part_t  *part;

    code = act_value(conn, show, show->sql, 1, count, values);

    if (code != PAY_CLI_OK) {
        return code;
    }

    fputs(",\"parts\":{", stdout);

    for (part = show->parts; part->title != NULL && code == PAY_CLI_OK;
         part++)
    {
        printf("%s\"%s\":", separator, part->title);
        separator = ",";
        code = act_value(conn, show, part->sql, 0, count, values);
    }

    puts("}}");

    return code;
}


/* The record, with the beginning of the document, or the rows of a part. */
static int
act_value(PGconn *conn, const pay_cli_show_t *show, const char *query,
    int is_record, int count, const char *const *values)
{
    int        code = PAY_CLI_OK;
    char       sql[ACT_SQL];
    PGresult  *rows;

    (void) snprintf(sql, sizeof(sql), is_record
                    ? "SELECT row_to_json(q)::text FROM (%s) q LIMIT 1"
                    : "SELECT replace(coalesce(json_agg(q), '[]')::text,"
                      " chr(10), '') FROM (%s) q", query);
    rows = pay_cli_query(conn, show->what, sql, count, values);

    if (rows == NULL) {
        code = PAY_CLI_USAGE;

    } else if (PQntuples(rows) == 0) {
        fprintf(stderr, "payctl: %s\n", show->none);
        code = PAY_CLI_NO;

    } else {
        fputs(is_record ? "{\"record\":" : "", stdout);
        (void) pay_cli_put(stdout, PQgetvalue(rows, 0, 0), SIZE_MAX);
    }

    PQclear(rows);

    return code;
}


/* Parts without a row are left out, title and all. */
static int
act_parts(PGconn *conn, const pay_cli_show_t *show, int count,
    const char *const *values)
{
    PGresult              *rows;
    const pay_cli_part_t  *part;

    for (part = show->parts; part->title != NULL; part++) {
        rows = pay_cli_query(conn, show->what, part->sql, count, values);
        if (rows == NULL) {
            return PAY_CLI_USAGE;
        }

        if (PQntuples(rows) > 0) {
            printf("\n%s\n", part->title);
            pay_cli_table(rows);
        }

        PQclear(rows);
    }

    return PAY_CLI_OK;
}


/* One statement, which commits by itself.  No row means that the id is
 * unknown, since the acts that look it up in a view return nothing then. */
int
pay_cli_act(const pay_cli_act_t *act, const char *dsn,
    const char *const *values)
{
    int        code;
    PGconn    *conn;
    PGresult  *rows;

    if (!pay_cli_no_format(act->what)) {
        return PAY_CLI_USAGE;
    }

    conn = pay_cli_connect(dsn);
    if (conn == NULL) {
        return PAY_CLI_USAGE;
    }

    rows = pay_cli_query(conn, act->what, act->sql, act->count, values);

    if (rows == NULL) {
        code = PAY_CLI_USAGE;

    } else {
        code = act_say(act, PQntuples(rows) == 0 ? "not_found"
                                                 : PQgetvalue(rows, 0, 0));
    }

    PQclear(rows);
    PQfinish(conn);

    return code;
}


/* The outcome goes to stdout for scripts, its meaning to stderr for operators;
 * an outcome without a row in the table explains itself. */
static int
act_say(const pay_cli_act_t *act, const char *outcome)
{
    puts(outcome);

    if (strcmp(outcome, act->done) == 0) {
        return PAY_CLI_OK;
    }

    act_means(act->what, act->refusals, outcome);

    return PAY_CLI_NO;
}


static void
act_means(const char *what, const pay_cli_refusal_t *refusals,
    const char *outcome)
{
    const pay_cli_refusal_t  *row;

    for (row = refusals; row->outcome != NULL; row++) {
        if (strcmp(outcome, row->outcome) == 0) {
            fprintf(stderr, "payctl: %s: %s\n", what, row->means);
        }
    }
}


int
pay_cli_act_list(const pay_cli_act_list_t *act, const char *dsn,
    const char *const *values)
{
    int                code;
    PGconn            *conn;
    pay_cli_format_t   format;

    if (!pay_cli_format(act->list.what, &format)) {
        return PAY_CLI_USAGE;
    }

    conn = pay_cli_connect(dsn);
    if (conn == NULL) {
        return PAY_CLI_USAGE;
    }

    code = act_rows(conn, act, format, values);
    PQfinish(conn);

    return code;
}


/* One statement, since it acts: for JSON each row has the whole array behind
 * its outcome. */
static int
act_rows(PGconn *conn, const pay_cli_act_list_t *act, pay_cli_format_t format,
    const char *const *values)
{
    int          row, code = PAY_CLI_NO;
    char         sql[ACT_SQL];
    PGresult    *rows;
    const char  *outcome;

    (void) snprintf(sql, sizeof(sql), "SELECT q.outcome, replace((json_agg(q)"
                    " OVER ())::text, chr(10), '') FROM (%s) q",
                    act->list.sql);
    rows = pay_cli_query(conn, act->list.what, format == PAY_CLI_JSON
                         ? sql : act->list.sql, act->list.count, values);
    if (rows == NULL) {
        return PAY_CLI_USAGE;
    }

    if (format != PAY_CLI_JSON) {
        (void) pay_cli_list_print(&act->list, format, rows);

    } else {
        (void) pay_cli_put(stdout, PQntuples(rows) > 0
                           ? PQgetvalue(rows, 0, 1) : "[]", SIZE_MAX);
        putchar('\n');
    }

    for (row = 0; row < PQntuples(rows); row++) {
        outcome = PQgetvalue(rows, row, 0);

        if (strcmp(outcome, act->done) == 0) {
            code = PAY_CLI_OK;

        } else {
            act_means(act->list.what, act->refusals, outcome);
        }
    }

    PQclear(rows);

    return code;
}


/* Fewer than 19 digits fit a bigint, so that the cast in SQL cannot fail. */
int
pay_cli_is_number(const char *id)
{
    size_t  len = strlen(id);

    return len > 0 && len < 19 && strspn(id, "0123456789") == len;
}


/* Checks in the order in which a person types: verb, then id.  The first verb
 * of each command is its list, which alone takes no id. */
int
pay_cli_verb(const pay_cli_verbs_t *verbs, int words,
    const char *const *word, int *code)
{
    int          i;
    const char  *id = words >= 2 ? word[1] : NULL;

    if (words < 0) {
        *code = pay_cli_say_usage(words, verbs->usage);
        return -1;
    }

    for (i = 0; words > 0 && verbs->verbs[i] != NULL; i++) {
        if (strcmp(verbs->verbs[i], word[0]) == 0) {
            break;
        }
    }

    if (words == 0 || verbs->verbs[i] == NULL) {
        *code = pay_cli_no_verb(verbs->command, verbs->usage, verbs->verbs,
                                words == 0 ? NULL : word[0]);
        return -1;
    }

    /* list takes no id: one behind it was meant for show. */
    if (i == 0 && id != NULL) {
        *code = pay_cli_misuse(verbs->usage, "%s %s takes no \"%s\"",
                               verbs->command, word[0], id);
        return -1;
    }

    if (i > 0 && (id == NULL || (verbs->numbered && !pay_cli_is_number(id)))) {
        *code = pay_cli_misuse(verbs->usage, id == NULL
                               ? "%s %s needs an ID, the first column of "
                                 "payctl %s list"
                               : "%s %s needs an ID, the first column of "
                                 "payctl %s list, and \"%s\" is none",
                               verbs->command, word[0], verbs->command, id);
        return -1;
    }

    return i;
}


/* An unknown kind would match no row and print an empty list, as if all were
 * well. */
int
pay_cli_is_kind(const pay_cli_verbs_t *verbs, const char *kind)
{
    size_t       i;
    char         all[ACT_WORDS];
    const char  *nearest;

    for (i = 0; kind != NULL && verbs->kinds[i] != NULL; i++) {
        if (strcmp(verbs->kinds[i], kind) == 0) {
            return 1;
        }
    }

    if (kind == NULL) {
        return 1;
    }

    nearest = act_nearest(verbs->kinds, kind);
    act_words(verbs->kinds, all, sizeof(all));
    fprintf(stderr, "payctl: %s list: there is no kind \"%s\", but %s%s%s%s\n",
            verbs->command, kind, all,
            nearest != NULL ? "; did you mean " : "",
            nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");

    return 0;
}


/* Every act of an operator is kept with a name and a reason, and PostgreSQL
 * refuses it without them; this only says so before a connection is made. */
int
pay_cli_says_who(const pay_cli_verbs_t *verbs, const char *who,
    const char *why)
{
    if (who != NULL && why != NULL) {
        return 1;
    }

    (void) pay_cli_misuse(verbs->usage, "%s is missing: %s",
                          who == NULL ? "--who" : "--why",
                          who == NULL ? "who decides this"
                                      : "why it is decided so");

    return 0;
}


/* "a, b, c" */
static void
act_words(const char *const *words, char *text, size_t size)
{
    size_t  i, len;

    for (i = 0, len = 0; words[i] != NULL && len < size; i++) {
        len += (size_t) snprintf(text + len, size - len, "%s%s",
                                 i > 0 ? ", " : "", words[i]);
    }
}


/* NULL when nothing is near enough to be a typing mistake. */
static const char *
act_nearest(const char *const *words, const char *word)
{
    size_t       i;
    unsigned     distance, least = PAY_CLI_FAR;
    const char  *nearest = NULL;

    for (i = 0; words[i] != NULL; i++) {
        distance = pay_cli_distance(word, words[i]);

        if (distance < least) {
            least = distance;
            nearest = words[i];
        }
    }

    return nearest;
}


int
pay_cli_list_cases(const pay_cli_verbs_t *verbs, const pay_cli_list_t *list,
    const pay_cli_case_t *args)
{
    const char  *values[3];

    values[0] = args->all ? "true" : "false";
    values[1] = args->kind;
    values[2] = args->merchant;

    if (!pay_cli_is_kind(verbs, args->kind)) {
        return PAY_CLI_USAGE;
    }

    return pay_cli_list(list, args->dsn, values);
}


int
pay_cli_act_on(const pay_cli_verbs_t *verbs, const pay_cli_act_t *act,
    const pay_cli_case_t *args, const char *id)
{
    const char  *values[3];

    if (!pay_cli_says_who(verbs, args->who, args->why)) {
        return PAY_CLI_USAGE;
    }

    values[0] = id;
    values[1] = args->who;
    values[2] = args->why;

    return pay_cli_act(act, args->dsn, values);
}
