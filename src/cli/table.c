/*
 * Tables and records, see table.h.
 */

#include "cli/table.h"
#include "cli/fit.h"
#include "cli/output.h"

#include <stdint.h>
#include <string.h>


#define TABLE_COLUMNS   32
#define TABLE_ELLIPSIS  "\xe2\x80\xa6"


static void table_line(const PGresult *rows, int row,
    const pay_cli_column_t *columns, int count);
static size_t table_cell(const char *cell, const pay_cli_column_t *column,
    int is_head);


/* Two passes, since the width of a column is that of its longest cell.  Longer
 * cells would push the columns behind them off the screen; a record shows them
 * whole. */
void
pay_cli_table(const PGresult *rows)
{
    int               row, count, fits;
    pay_cli_column_t  columns[TABLE_COLUMNS];

    count = PQnfields(rows);
    count = count < TABLE_COLUMNS ? count : TABLE_COLUMNS;
    fits = pay_cli_fit(rows, count, pay_cli_columns(), columns);
    pay_cli_pager_begin();

    for (row = 0; !fits && row < PQntuples(rows); row++) {
        fputs(row > 0 ? "\n" : "", stdout);
        pay_cli_record(rows, row);
    }

    for (row = -1; fits && row < PQntuples(rows); row++) {
        table_line(rows, row, columns, count);
    }
}


/* For one row: names are aligned, values are whole. */
void
pay_cli_record(const PGresult *rows, int row)
{
    int     i;
    size_t  width, widest;

    widest = 0;
    pay_cli_pager_begin();

    for (i = 0; i < PQnfields(rows); i++) {
        width = pay_cli_width(PQfname(rows, i), PAY_CLI_CELL);
        widest = width > widest ? width : widest;
    }

    for (i = 0; i < PQnfields(rows); i++) {
        if (PQgetlength(rows, row, i) == 0) {
            continue;
        }

        width = pay_cli_put(stdout, PQfname(rows, i), PAY_CLI_CELL);
        printf("%*s", (int) (widest - width) + 2, "");
        (void) pay_cli_put(stdout, PQgetvalue(rows, row, i), SIZE_MAX);
        putchar('\n');
    }
}


/* row -1: the head */
static void
table_line(const PGresult *rows, int row, const pay_cli_column_t *columns,
    int count)
{
    int          i, pad;
    size_t       n;
    const char  *cell;

    for (i = 0, pad = 0; i < count; i++) {
        cell = row < 0 ? PQfname(rows, i) : PQgetvalue(rows, row, i);

        if (*cell != '\0') {
            printf("%*s", pad, "");
            pad = 0;
        }

        n = table_cell(cell, &columns[i], row < 0);
        pad += (int) (columns[i].width - n) + 2;
    }

    putchar('\n');
}


/* The end of an id is left out without a sign, since its beginning is a name
 * that payctl takes. */
static size_t
table_cell(const char *cell, const pay_cli_column_t *column, int is_head)
{
    size_t  n;

    if (column->prefix > 0 && !is_head) {
        return pay_cli_put(stdout, cell, column->prefix);
    }

    if (pay_cli_width(cell, SIZE_MAX) <= column->width) {
        return pay_cli_put(stdout, cell, column->width);
    }

    n = pay_cli_put(stdout, cell, column->width - 1);
    fputs(TABLE_ELLIPSIS, stdout);

    return n + 1;
}
