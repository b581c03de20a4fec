/*
 * How payctl writes: the format that -o names, the size of the terminal, and
 * a pager for more lines than it has.  Private to src/cli.
 */

#ifndef PAY_SRC_CLI_OUTPUT_H
#define PAY_SRC_CLI_OUTPUT_H


typedef enum {
    PAY_CLI_TABLE = 0,
    PAY_CLI_JSON,
    PAY_CLI_CSV
} pay_cli_format_t;

/* The words of -o and --json, which pay_cli_args() clears first. */
typedef struct {
    const char  *format;
    int          as_json;
} pay_cli_output_t;

extern pay_cli_output_t  pay_cli_output;

/* Rows of a pay_cli_option_t table: of commands that print a list. */
#define PAY_CLI_OUTPUT_OPTIONS                                                \
    { "-o", &pay_cli_output.format, NULL },                                   \
    { "--json", NULL, &pay_cli_output.as_json }

/* 1 with the format that was asked for, or 0 after a complaint that begins with
 * `what`. */
int pay_cli_format(const char *what, pay_cli_format_t *format);

/* 1 when no format was asked for, or 0 after a complaint: `what` has one form
 * of output. */
int pay_cli_no_format(const char *what);

/* The width of the terminal that stdout is, in characters; 0: it is none. */
unsigned pay_cli_columns(void);

/* From here on stdout is kept back, if it is a terminal, until
 * pay_cli_pager_end(), which main() calls: that runs a pager when there are
 * more lines than the terminal has, else prints them. */
void pay_cli_pager_begin(void);
void pay_cli_pager_end(void);
/* --no-pager */
void pay_cli_pager_off(void);


#endif /* PAY_SRC_CLI_OUTPUT_H */
