/*
 * payctl ops: prints the tables that SQL must agree with, for ci/check-ops:
 * the operations (src/op/ops.list) with their arguments, columns and outcomes,
 * the currencies (src/core/money.c) with their exponents, or the
 * state machine (src/core/transition.list).
 */

#include "cli/cli.h"
#include "cli/help.h"

#include <stdio.h>
#include <string.h>

#include "pay_money.h"
#include "pay_op.h"
#include "pay_state.h"


const char  pay_cli_ops_usage[] =
    "usage: payctl ops [--currencies | --transitions | --news]\n"
    "Prints the tables of the program that SQL must agree with, for tests.\n";


static void ops_print(void);
static void ops_print_columns(const pay_column_t *columns, unsigned count,
    const char *suffix);
static void ops_print_outcomes(const pay_op_t *op);
static const char *ops_type(pay_type_t type);
static void ops_print_currencies(void);
static void ops_print_transitions(void);
static void ops_print_news(void);


int
pay_cli_ops(int argc, char **argv)
{
    if (argc == 1) {
        ops_print();
        return PAY_CLI_OK;
    }

    if (argc == 2 && strcmp(argv[1], "--currencies") == 0) {
        ops_print_currencies();
        return PAY_CLI_OK;
    }

    if (argc == 2 && strcmp(argv[1], "--transitions") == 0) {
        ops_print_transitions();
        return PAY_CLI_OK;
    }

    if (argc == 2 && strcmp(argv[1], "--news") == 0) {
        ops_print_news();
        return PAY_CLI_OK;
    }

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        pay_cli_help(pay_cli_ops_usage);
        return PAY_CLI_OK;
    }

    pay_cli_help_forms(stderr, pay_cli_ops_usage);

    return PAY_CLI_USAGE;
}


/* With a tab between: the name, the arguments and their types, the shape of
 * its rows, the columns behind item and outcome and their types, the outcomes,
 * reads, late or writes. */
static void
ops_print(void)
{
    unsigned         i;
    pay_column_t     columns[PAY_OP_COLUMNS_MAX];
    const pay_op_t  *op;

    for (i = 0; i < PAY_OP_COUNT; i++) {
        op = pay_op((pay_op_id_t) i);

        printf("%s\t", op->name);
        ops_print_columns(columns, pay_op_args(op, columns), "[]");
        printf("\t%s\t", op->row != NULL ? op->row->name : "");
        ops_print_columns(columns, pay_op_columns(op, columns), "");
        putchar('\t');
        ops_print_outcomes(op);
        printf("\t%s\n", op->may_be_late ? "late"
                       : op->only_reads ? "reads" : "writes");
    }
}


/* As SQL spells them: p_ is left out on both sides by ci/check-ops. */
static void
ops_print_columns(const pay_column_t *columns, unsigned count,
    const char *suffix)
{
    unsigned             i;
    const pay_column_t  *column;

    for (i = 0; i < count; i++) {
        column = &columns[i];

        printf("%s%s%s%s %s%s", i == 0 ? "" : ",",
               column->group != NULL ? column->group : "",
               column->group != NULL ? "_" : "", column->name,
               ops_type(column->type), suffix);
    }
}


static void
ops_print_outcomes(const pay_op_t *op)
{
    unsigned     i;
    const char  *between = "";

    for (i = 1; i < PAY_OUTCOME_COUNT; i++) {
        if (op->outcomes >> i & 1) {
            printf("%s%s", between, pay_outcome_word((pay_outcome_t) i));
            between = ",";
        }
    }
}


/* Names of pg_type, without which ci/check-ops could not compare. */
static const char *
ops_type(pay_type_t type)
{
    switch (type) {

    case PAY_BYTES:
        return "bytea";

    case PAY_INT:
        return "bigint";

    case PAY_JSON:
        return "jsonb";

    default:
        return "text";
    }
}


static void
ops_print_currencies(void)
{
    const pay_currency_t  *currency, *current;

    for (currency = pay_currency_table(); currency->code[0] != '\0';
         currency++)
    {
        printf("%s\t%d\t%s\n", currency->code, currency->exponent,
               pay_currency_current(pay_str_of(currency->code), &current, NULL)
               == PAY_OK ? "current" : "withdrawn");
    }
}


/* kind, status, rank among those, conditions, news, next status */
static void
ops_print_transitions(void)
{
    unsigned                     i, count, rank;
    const pay_transition_row_t  *row;

    row = pay_state_transitions(&count);

    for (i = 0, rank = 1; i < count; i++, row++, rank++) {
        if (i > 0 && (strcmp(row->kind, row[-1].kind) != 0
                      || row->state != row[-1].state))
        {
            rank = 1;
        }

        printf("%s\t%s\t%u\t%s\t%s\t%s\t%s\t%s\t%s\n", row->kind,
               row->status, rank, row->actor, row->capture,
               row->is_held ? "held" : "any", row->provided, row->news,
               row->next);
    }
}


/* news, when it is an event, as what storefronts hear of it, who sees it */
static void
ops_print_news(void)
{
    unsigned               i, count;
    const pay_news_row_t  *row;

    row = pay_state_news(&count);

    for (i = 0; i < count; i++, row++) {
        printf("%s\t%s\t%s\t%s\n", row->news, row->logged, row->told,
               row->is_shown ? "shown" : "hidden");
    }
}
