/*
 * payctl that keeps its connections: the histories of settlement call it
 * thousands of times, and most of such a call would be the beginning of a
 * process, of a connection, and the first plans of a session.  It is linked of
 * payctl's own objects; only connect and finish are wrapped (ld's --wrap).
 *
 * stdin: one command a line, its words behind each a tab.  stdout: all that it
 * prints, a NUL, its exit code, a line feed.  It ends with its stdin.
 */

#include "cli/cli.h"
#include "cli/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>


#define KEPT_MAX    8
#define KEPT_WORDS  32
#define KEPT_LINE   16384

typedef struct {
    /* A connection to dsn; is_used: a command has it. */
    PGconn  *conn;
    char    *dsn;
    int      is_used;
} kept_t;

typedef struct {
    const char  *name;
    int        (*run)(int argc, char **argv);
} kept_command_t;


/* ld's --wrap has made these names */
PGconn *__real_pay_cli_connect(const char *dsn);
PGconn *__wrap_pay_cli_connect(const char *dsn);
void __real_PQfinish(PGconn *conn);
void __wrap_PQfinish(PGconn *conn);

static int kept_run(char *line);
static kept_t *kept_place(void);


static kept_t  kept[KEPT_MAX];

static const kept_command_t  kept_commands[] = {
    { "check", pay_cli_check },
    { "close", pay_cli_close },
    { "settlement", pay_cli_settlement },
    { NULL, NULL }
};


int
main(void)
{
    int          code;
    static char  line[KEPT_LINE];

    if (dup2(STDOUT_FILENO, STDERR_FILENO) < 0) {
        return PAY_CLI_USAGE;
    }

    while (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        code = kept_run(line);
        printf("%c%d\n", '\0', code);
        fflush(stdout);
    }

    return PAY_CLI_OK;
}


static int
kept_run(char *line)
{
    int                    count = 0;
    char                  *words[KEPT_WORDS + 1], *next = line;
    const kept_command_t  *command;

    while (next != NULL && count < KEPT_WORDS) {
        words[count++] = strsep(&next, "\t");
    }

    words[count] = NULL;

    for (command = kept_commands; command->name != NULL; command++) {
        if (strcmp(command->name, words[0]) == 0) {
            return command->run(count, words);
        }
    }

    fprintf(stderr, "payctl-kept: no such command as \"%s\"\n", words[0]);

    return PAY_CLI_USAGE;
}


/* A free connection of this DSN, or a new one that is kept. */
PGconn *
__wrap_pay_cli_connect(const char *dsn)
{
    kept_t  *place;
    size_t   i;

    for (i = 0; dsn != NULL && i < KEPT_MAX; i++) {
        if (kept[i].conn != NULL && !kept[i].is_used
            && strcmp(kept[i].dsn, dsn) == 0)
        {
            kept[i].is_used = 1;
            return kept[i].conn;
        }
    }

    place = dsn != NULL ? kept_place() : NULL;
    if (place == NULL) {
        return __real_pay_cli_connect(dsn);
    }

    place->conn = __real_pay_cli_connect(dsn);
    place->is_used = place->conn != NULL;
    place->dsn = place->is_used ? strdup(dsn) : NULL;

    return place->conn;
}


/* An empty place, or that of a connection which nobody uses. */
static kept_t *
kept_place(void)
{
    size_t  i;

    for (i = 0; i < KEPT_MAX; i++) {
        if (kept[i].conn == NULL) {
            return &kept[i];
        }
    }

    for (i = 0; i < KEPT_MAX; i++) {
        if (!kept[i].is_used) {
            __real_PQfinish(kept[i].conn);
            free(kept[i].dsn);
            memset(&kept[i], 0, sizeof(kept_t));
            return &kept[i];
        }
    }

    return NULL;
}


/* A connection that is lost, or in the middle of a transaction, is not kept:
 * the next command gets another one. */
void
__wrap_PQfinish(PGconn *conn)
{
    size_t  i;

    for (i = 0; conn != NULL && i < KEPT_MAX; i++) {
        if (kept[i].conn != conn) {
            continue;
        }

        kept[i].is_used = 0;

        if (PQstatus(conn) == CONNECTION_OK
            && PQtransactionStatus(conn) == PQTRANS_IDLE)
        {
            return;
        }

        free(kept[i].dsn);
        memset(&kept[i], 0, sizeof(kept_t));
    }

    __real_PQfinish(conn);
}
