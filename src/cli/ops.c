/*
 * payctl ops: prints the tables that SQL must agree with, for ci/check-ops:
 * the operations (src/op/op_table.c) with the types of their arguments and
 * columns, the currencies (src/core/money.c) with their exponents, or the
 * state machine (src/core/state.c).
 */

#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "pay_money.h"
#include "pay_op.h"
#include "pay_state.h"


static void ops_print(void);
static void ops_print_types(const pay_type_t *types, unsigned count,
    const char *suffix);
static void ops_print_currencies(void);
static void ops_print_states(void);


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

    if (argc == 2 && strcmp(argv[1], "--states") == 0) {
        ops_print_states();
        return PAY_CLI_OK;
    }

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        puts("usage: payctl ops [--currencies | --states]");
        return PAY_CLI_OK;
    }

    fputs("usage: payctl ops [--currencies | --states]\n", stderr);

    return PAY_CLI_USAGE;
}


/* name, tab, argument types, tab, column types without the item number, tab,
 * reads or writes */
static void
ops_print(void)
{
    unsigned         i;
    const pay_op_t  *op;

    for (i = 0; i < PAY_OP_COUNT; i++) {
        op = pay_op((pay_op_id_t) i);

        printf("%s\t", op->name);
        ops_print_types(op->in, op->in_count, "[]");
        putchar('\t');
        ops_print_types(op->out, op->out_count, "");
        printf("\t%s\n", pay_op_only_reads((pay_op_id_t) i) ? "reads"
                                                            : "writes");
    }
}


static void
ops_print_types(const pay_type_t *types, unsigned count, const char *suffix)
{
    unsigned     i;
    const char  *name;

    for (i = 0; i < count; i++) {
        switch (types[i]) {

        case PAY_BYTES:
            name = "bytea";
            break;

        case PAY_INT:
            name = "bigint";
            break;

        case PAY_JSON:
            /* jsonb in, the text of it out */
            name = suffix[0] == '\0' ? "text" : "jsonb";
            break;

        default:
            name = "text";
            break;
        }

        printf("%s%s%s", i == 0 ? "" : ",", name, suffix);
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


/* from, fact, to */
static void
ops_print_states(void)
{
    unsigned          state, fact;
    pay_transition_t  next;

    for (state = 0; state < PAY_STATE_COUNT; state++) {
        for (fact = 0; fact < PAY_FACT_COUNT; fact++) {
            next = pay_state_next((pay_state_t) state, (pay_fact_t) fact);

            printf("%s\t%s\t%s\n", pay_state_name((pay_state_t) state),
                   pay_fact_name((pay_fact_t) fact),
                   pay_state_name(next.state));
        }
    }
}
