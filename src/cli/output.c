/*
 * Formats, terminal and pager, see output.h.
 */

#include "cli/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>


/* F: ends at once when all fits after all; R: colours; X: leaves the lines on
 * the screen. */
#define PAGER          "less -FRX"
#define OUTPUT_BUFFER  8192
#define NOT_RUN        126     /* exit codes of a shell from here on: the
                                  command could not be started */

typedef struct {
    /* The terminal as it was at the first look; columns 0: stdout is none. */
    int       is_known;
    unsigned  columns;
    unsigned  lines;
} output_terminal_t;

typedef struct {
    int    is_off;
    int    terminal;           /* a copy of stdout's descriptor … */
    FILE  *kept;               /* … for which this stands meanwhile */
} output_pager_t;


static const output_terminal_t *output_terminal(void);
static const char *output_pager(void);
static int output_is_long(FILE *kept, const output_terminal_t *terminal);
static int output_page(FILE *kept, const char *command);
static void output_copy(FILE *kept);


pay_cli_output_t       pay_cli_output;

static output_pager_t  pager;


int
pay_cli_format(const char *what, pay_cli_format_t *format)
{
    const char  *word = pay_cli_output.format;

    *format = pay_cli_output.as_json ? PAY_CLI_JSON : PAY_CLI_TABLE;

    if (word == NULL) {
        return 1;
    }

    *format = strcmp(word, "json") == 0 ? PAY_CLI_JSON
              : strcmp(word, "csv") == 0 ? PAY_CLI_CSV : PAY_CLI_TABLE;

    if ((*format == PAY_CLI_TABLE && strcmp(word, "table") != 0)
        || (*format != PAY_CLI_JSON && pay_cli_output.as_json))
    {
        fprintf(stderr, "payctl: %s: -o takes json, csv or table, once, not"
                " \"%s\"\n", what, word);
        return 0;
    }

    return 1;
}


int
pay_cli_no_format(const char *what)
{
    if (pay_cli_output.format == NULL && !pay_cli_output.as_json) {
        return 1;
    }

    fprintf(stderr, "payctl: %s takes neither -o nor --json, which are for"
            " lists\n", what);

    return 0;
}


unsigned
pay_cli_columns(void)
{
    return output_terminal()->columns;
}


void
pay_cli_pager_off(void)
{
    pager.is_off = 1;
}


/* Commands print their results bit by bit; a file without a name takes them, so
 * that the number of lines is known before anything is shown. */
void
pay_cli_pager_begin(void)
{
    if (pager.is_off || pager.kept != NULL || output_terminal()->columns == 0
        || output_pager() == NULL)
    {
        return;
    }

    (void) fflush(stdout);
    pager.terminal = dup(STDOUT_FILENO);
    pager.kept = tmpfile();

    if (pager.terminal < 0 || pager.kept == NULL
        || dup2(fileno(pager.kept), STDOUT_FILENO) < 0)
    {
        if (pager.kept != NULL) {
            (void) fclose(pager.kept);
        }

        if (pager.terminal >= 0) {
            (void) close(pager.terminal);
        }

        pager.kept = NULL;
    }
}


void
pay_cli_pager_end(void)
{
    FILE  *kept = pager.kept;

    if (kept == NULL) {
        return;
    }

    (void) fflush(stdout);
    (void) dup2(pager.terminal, STDOUT_FILENO);
    (void) close(pager.terminal);
    pager.kept = NULL;

    if (!output_is_long(kept, output_terminal())
        || !output_page(kept, output_pager()))
    {
        output_copy(kept);
    }

    (void) fclose(kept);
}


static const output_terminal_t *
output_terminal(void)
{
    struct winsize            size;
    static output_terminal_t  terminal;

    if (terminal.is_known) {
        return &terminal;
    }

    terminal.is_known = 1;

    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
        terminal.columns = size.ws_col > 0 ? size.ws_col : 80;
        terminal.lines = size.ws_row > 0 ? size.ws_row : 24;
    }

    return &terminal;
}


/* NULL: none is wanted, which git spells "cat", too. */
static const char *
output_pager(void)
{
    const char  *command = getenv("PAYCTL_PAGER");

    if (command == NULL) {
        command = getenv("PAGER");
    }

    if (command == NULL) {
        command = PAGER;
    }

    return *command == '\0' || strcmp(command, "cat") == 0 ? NULL : command;
}


/* Lines that are wider than the terminal take several of its own. */
static int
output_is_long(FILE *kept, const output_terminal_t *terminal)
{
    int       byte;
    unsigned  column = 0, lines = 0;

    rewind(kept);

    while ((byte = getc(kept)) != EOF && lines < terminal->lines) {
        if (byte == '\n' || column == terminal->columns) {
            lines++;
            column = 0;
        }

        /* the bytes of a character behind its first have no width */
        column += byte != '\n' && (byte & 0xc0) != 0x80;
    }

    return lines >= terminal->lines;
}


/* 0: the pager could not be started.  It reads the file itself. */
static int
output_page(FILE *kept, const char *command)
{
    int               status = 0;
    pid_t             child;
    struct sigaction  ignore, before;

    if (lseek(fileno(kept), 0, SEEK_SET) != 0) {
        return 0;
    }

    /* an interrupt is for the pager */
    memset(&ignore, 0, sizeof(ignore));
    ignore.sa_handler = SIG_IGN;
    (void) sigaction(SIGINT, &ignore, &before);

    child = fork();

    if (child == 0) {
        (void) sigaction(SIGINT, &before, NULL);

        if (dup2(fileno(kept), STDIN_FILENO) >= 0) {
            (void) execl("/bin/sh", "sh", "-c", command, (char *) NULL);
        }

        _exit(NOT_RUN);
    }

    if (child > 0) {
        (void) waitpid(child, &status, 0);
    }

    (void) sigaction(SIGINT, &before, NULL);

    return child > 0
           && !(WIFEXITED(status) && WEXITSTATUS(status) >= NOT_RUN);
}


static void
output_copy(FILE *kept)
{
    size_t  n;
    char    bytes[OUTPUT_BUFFER];

    rewind(kept);

    while ((n = fread(bytes, 1, sizeof(bytes), kept)) > 0) {
        (void) fwrite(bytes, 1, n, stdout);
    }

    (void) fflush(stdout);
}
