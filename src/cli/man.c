/*
 * The manual's page payctl(1) in roff (payctl help --man): an introduction, and
 * a section for each page of help.
 */

#include "cli/cells.h"
#include "cli/cli.h"
#include "cli/help.h"

#include <string.h>


static void man_page(FILE *out, const pay_cli_page_t *page);
static void man_text(FILE *out, const char *text);
static void man_lines(FILE *out, const char *text);
static void man_line(FILE *out, const char *line, size_t len);


static const char  man_head[] =
    ".SH NAME\n"
    "payctl \\- the operator's tool of ngx_payments\n"
    ".SH SYNOPSIS\n"
    ".B payctl\n"
    "[\\-\\-all\\-cells | \\-\\-cell\n.I NAME\n]\n"
    "[\\-\\-cells\n.I FILE\n]\n"
    ".I command\n"
    "[options]\n"
    ".br\n"
    ".B payctl help\n"
    "[\n.I command\n]\n"
    ".SH DESCRIPTION\n"
    "The commands read PostgreSQL, which holds the truth of all payments, and"
    " call\nthe functions that it has for operators.  A DSN is a connection"
    " string of libpq.\n"
    ".PP\n"
    "Lists are tables, or with\n.B \\-o json\none JSON array of objects, or"
    " with\n.B \\-o csv\na CSV as RFC 4180 has it, in which no cell begins like"
    " a formula.  On a terminal\ntables fit its width: ids end where they"
    " differ, and long cells end with an\nellipsis; where there is no room for"
    " all columns, each row\nis a record.  In files and pipes cells"
    " are whole.\n";

static const char  man_tail[] =
    ".SH OPTIONS\n"
    ".TP\n.B \\-\\-all\\-cells\nIn front of the command: asks each"
    " database of a gateway with cells, and prints\none answer, whose first"
    " column is the cell.  Commands that change something, or\nare about one"
    " payment, are refused.\n"
    ".TP\n.BI \\-\\-cell \" NAME\"\nIn front of the command: asks the cell"
    " of that name, in the place of\n.BR \\-\\-dsn .\n"
    ".TP\n.BI \\-\\-cells \" FILE\"\nThe file of cells: a name and a"
    " connection string a line, readable by nobody\nelse.  Otherwise\n"
    ".B PAYCTL_CELLS\nnames it, else it is\n.IR " PAY_CLI_CELLS_FILE " .\n"
    ".TP\n.B \\-\\-no\\-pager\nLong output is printed as it is.\n"
    ".TP\n.B \\-\\-help\nThe usage of the command, with examples.\n"
    ".TP\n.B \\-\\-version\nThe version of payctl.\n"
    ".SH ENVIRONMENT\n"
    ".TP\n.B PAYCTL_DSN\nThe connection string where\n.B \\-\\-dsn\nis"
    " not given; else the variables of libpq count, if\n.B PGDATABASE\nor\n"
    ".B PGSERVICE\nis set.\n"
    ".TP\n.B PAYCTL_PAGER, PAGER\nThe command that shows output longer than"
    " the terminal, else\n.BR \"less \\-FRX\" ;\nempty or\n.BR cat :\nnone.\n"
    ".TP\n.B PAYCTL_SQL\nThe directory of\n.BR \"payctl migrate\" .\n"
    ".TP\n.B PAYCTL_KEYRING\nThe gateway's keyring, for\n"
    ".B payctl risk\nand\n.BR \"payctl find\" .\n"
    ".SH EXIT STATUS\n"
    ".TP\n.B 0\nDone.\n"
    ".TP\n.B 1\nDone, and the answer is no: not found, refused, invalid.\n"
    ".TP\n.B 2\nNot done: a wrong call, no database, no right.\n"
    ".TP\n.B 4\nWith\n.BR \\-\\-all\\-cells :\nsome cells have not"
    " answered; the answers of the others were printed.\n"
    ".PP\nSome commands have further ones, which their sections name.\n";


int
pay_cli_man(FILE *out)
{
    const pay_cli_page_t  *page;

    fputs(".TH PAYCTL 1 \"\" \"payctl " PAY_CLI_VERSION
          "\" \"ngx_payments\"\n", out);
    fputs(man_head, out);
    fputs(".SH COMMANDS\n", out);

    for (page = pay_cli_pages; page->name != NULL; page++) {
        man_page(out, page);
    }

    fputs(man_tail, out);

    return PAY_CLI_OK;
}


static void
man_page(FILE *out, const pay_cli_page_t *page)
{
    const char               *text = page->usage;
    char                      form[PAY_CLI_FORM];
    const pay_cli_command_t  *command = pay_cli_find_command(page->name);

    fputs(".SS payctl ", out);
    man_line(out, page->name, strlen(page->name));

    if (command != NULL) {
        man_line(out, command->help, strlen(command->help));
        fputs(".PP\n", out);
    }

    while (pay_cli_next_form(&text, form)) {
        fputs(".HP 4\n", out);
        fputs("payctl ", out);
        man_line(out, form, strlen(form));
    }

    man_text(out, text);
    fputs(".PP\nExamples:\n", out);
    man_lines(out, page->examples);
}


/* Paragraphs; lines with blanks in front stand as they are. */
static void
man_text(FILE *out, const char *text)
{
    size_t  len;
    int     is_open = 0, is_kept = 0;

    for ( /* void */ ; *text != '\0'; text += len + (text[len] == '\n')) {
        len = strcspn(text, "\n");

        if (is_kept && *text != ' ') {
            fputs(".fi\n", out);
            is_kept = 0;
            is_open = 0;
        }

        if (len == 0) {
            is_open = 0;
            continue;
        }

        if (!is_open) {
            fputs(".PP\n", out);
            is_open = 1;
        }

        if (*text == ' ' && !is_kept) {
            fputs(".nf\n", out);
            is_kept = 1;
        }

        man_line(out, text, len);
    }

    if (is_kept) {
        fputs(".fi\n", out);
    }
}


static void
man_lines(FILE *out, const char *text)
{
    size_t  len;

    fputs(".PP\n.nf\n", out);

    for ( /* void */ ; *text != '\0'; text += len + (text[len] == '\n')) {
        len = strcspn(text, "\n");
        man_line(out, text, len);
    }

    fputs(".fi\n", out);
}


/* A point or an apostrophe begins a request of roff, and a hyphen would become
 * a typographic one. */
static void
man_line(FILE *out, const char *line, size_t len)
{
    size_t  i;

    if (len > 0 && (line[0] == '.' || line[0] == '\'')) {
        fputs("\\&", out);
    }

    for (i = 0; i < len; i++) {
        if (line[i] == '\\') {
            fputs("\\e", out);

        } else if (line[i] == '-') {
            fputs("\\-", out);

        } else if (line[i] == '\'') {
            fputs("\\(aq", out);

        } else {
            fputc(line[i], out);
        }
    }

    fputc('\n', out);
}
