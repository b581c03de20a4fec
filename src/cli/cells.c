/*
 * The file of cells and the walk over them, see cells.h.  A line of the file is
 * the name of a cell and its connection string; lines that are empty or begin
 * with "#" are left out.  The file may hold passwords, so that it is read as
 * other files with secrets are, and no complaint repeats a line of it.
 */

#include "cli/cells.h"
#include "cli/args.h"
#include "cli/keyring.h"
#include "pay_id.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define CELLS_TEXT  32768      /* bytes of the file */
#define BLANKS      " \t\r"

typedef struct {
    const char  *name;
    const char  *conninfo;     /* both within the text of the file */
} cell_t;

typedef struct {
    int             is_all;
    int             is_read;
    const char     *wanted;    /* of --cell */
    const char     *path;
    int             count;
    cell_t          cells[PAY_CELLS_MAX];
    const cell_t   *current;
    unsigned char   text[CELLS_TEXT + 1];
} cells_t;


static int cells_is_option(const char *word);
static int cells_read(void);
static const char *cells_line(char *line);
static const char *cells_lack(const char *conninfo);
static int cells_find(void);
static void cells_names(void);


static cells_t  cells;


/* The options behind the command are the command's own. */
int
pay_cli_cells_args(int *argc, char **argv)
{
    int  i, n = 1;

    const pay_cli_option_t  options[] = {
        { "--all-cells", NULL, &cells.is_all },
        { "--cell", &cells.wanted, NULL },
        { "--cells", &cells.path, NULL },
        { NULL, NULL, NULL }
    };

    while (n < *argc && cells_is_option(argv[n])) {
        n += strncmp(argv[n], "--cell", strlen("--cell")) == 0
             && strchr(argv[n], '=') == NULL ? 2 : 1;
    }

    n = n < *argc ? n : *argc;

    if (pay_cli_args(n, argv, options, NULL, 0) != 0) {
        return 0;
    }

    if (cells.is_all && cells.wanted != NULL) {
        fputs("payctl: --all-cells asks all of them, --cell one: give one of"
              " both\n", stderr);
        return 0;
    }

    if (cells.path != NULL && !cells.is_all && cells.wanted == NULL) {
        fputs("payctl: --cells is the file of --all-cells and of --cell"
              " NAME: give one of both\n", stderr);
        return 0;
    }

    for (i = 1; n + i - 1 < *argc; i++) {
        argv[i] = argv[n + i - 1];
    }

    *argc -= n - 1;
    argv[*argc] = NULL;

    return 1;
}


static int
cells_is_option(const char *word)
{
    return strcmp(word, "--all-cells") == 0
           || strncmp(word, "--cell", strlen("--cell")) == 0;
}


void
pay_cli_cells_refuse(const char *command, const char *verb)
{
    if (cells_read()) {
        fprintf(stderr, "payctl: \"%s%s%s\" is for one cell: name it with"
                " --cell NAME", command, *verb != '\0' ? " " : "", verb);
        cells_names();
    }
}


int
pay_cli_cells_all(void)
{
    return cells.is_all;
}


const char *
pay_cli_cell(void)
{
    return cells.current != NULL ? cells.current->name : NULL;
}


int
pay_cli_cells_dsn(const char **dsn)
{
    if (!cells.is_all && cells.wanted == NULL) {
        return 1;
    }

    if (*dsn != NULL) {
        fputs("payctl: a database is named twice: by --cell or --all-cells, and"
              " by --dsn or as this host's\n", stderr);
        return 0;
    }

    if (!cells_read() || (cells.wanted != NULL && !cells_find())) {
        return 0;
    }

    if (cells.current == NULL) {
        fputs("payctl: that is for one cell: name it with --cell NAME",
              stderr);
        cells_names();
        return 0;
    }

    *dsn = cells.current->conninfo;

    return 1;
}


int
pay_cli_cells_count(void)
{
    return cells_read() ? cells.count : 0;
}


void
pay_cli_cells_at(int place)
{
    cells.current = place >= 0 ? &cells.cells[place] : NULL;
}


/* 1: there is one cell or more. */
static int
cells_read(void)
{
    char        *line, *next;
    size_t       len;
    unsigned     number = 0;
    const char  *trouble;

    if (cells.is_read) {
        return 1;
    }

    if (cells.path == NULL) {
        cells.path = getenv("PAYCTL_CELLS");
    }

    if (cells.path == NULL) {
        cells.path = PAY_CLI_CELLS_FILE;
    }

    trouble = pay_cli_secret_text(cells.path, cells.text, CELLS_TEXT, &len);

    if (trouble == NULL && strlen((char *) cells.text) != len) {
        trouble = "is no text";
    }

    for (line = (char *) cells.text; trouble == NULL && line != NULL;
         line = next)
    {
        next = strchr(line, '\n');

        if (next != NULL) {
            *next++ = '\0';
        }

        number++;
        trouble = cells_line(line);
    }

    if (trouble == NULL && cells.count == 0) {
        number = 0;
        trouble = "names no cell: a line is NAME CONNINFO";
    }

    if (trouble != NULL) {
        fprintf(stderr, "payctl: cells: %s: ", cells.path);

        if (number > 0) {
            fprintf(stderr, "line %u: ", number);
        }

        fprintf(stderr, "%s\n", trouble);
        return 0;
    }

    cells.is_read = 1;

    return 1;
}


/* NULL, or the fault in it. */
static const char *
cells_line(char *line)
{
    int          i;
    char        *end;
    cell_t       cell;
    const char  *lack;

    line += strspn(line, BLANKS);

    if (*line == '\0' || *line == '#') {
        return NULL;
    }

    cell.name = line;
    end = line + strcspn(line, BLANKS);
    cell.conninfo = *end != '\0' ? end + 1 + strspn(end + 1, BLANKS) : end;
    *end = '\0';

    if (!pay_cell_is_valid(pay_str_of(cell.name))) {
        return "the name of a cell is 1 to 32 of a-z, 0-9 and \"-\"";
    }

    for (i = 0; i < cells.count; i++) {
        if (strcmp(cells.cells[i].name, cell.name) == 0) {
            return "the name of another line";
        }

        if (strcmp(cells.cells[i].conninfo, cell.conninfo) == 0) {
            return "the database of another line: its figures would count"
                   " twice";
        }
    }

    lack = cells_lack(cell.conninfo);

    if (lack == NULL && cells.count == PAY_CELLS_MAX) {
        lack = "there are more than 16 cells";
    }

    if (lack == NULL) {
        cells.cells[cells.count++] = cell;
    }

    return lack;
}


/* libpq's own complaint would repeat a piece of the line, which may be that of
 * a password. */
static const char *
cells_lack(const char *conninfo)
{
    int                      has = 0;
    PQconninfoOption        *options, *option;

    options = PQconninfoParse(conninfo, NULL);
    if (options == NULL) {
        return "there is no connection string behind the name";
    }

    for (option = options; option->keyword != NULL; option++) {
        has |= option->val != NULL
               && (strcmp(option->keyword, "dbname") == 0
                   || strcmp(option->keyword, "service") == 0);
    }

    PQconninfoFree(options);

    return has ? NULL : "the connection string names no dbname";
}


static int
cells_find(void)
{
    int  i;

    for (i = 0; i < cells.count; i++) {
        if (strcmp(cells.cells[i].name, cells.wanted) == 0) {
            cells.current = &cells.cells[i];
            return 1;
        }
    }

    fprintf(stderr, "payctl: %s names no cell \"%s\"", cells.path,
            cells.wanted);
    cells_names();

    return 0;
}


static void
cells_names(void)
{
    int  i;

    for (i = 0; i < cells.count; i++) {
        fprintf(stderr, "%s%s", i > 0 ? ", " : " (", cells.cells[i].name);
    }

    fputs(")\n", stderr);
}
