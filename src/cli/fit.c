/*
 * The widths of a table's columns, see fit.h.
 */

#include "cli/fit.h"
#include "cli/table.h"

#include <stdint.h>
#include <string.h>


#define FIT_GAP      2
#define FIT_NARROW   10        /* no column of text gets narrower */
/* A UUID of version 7 begins with 12 digits of time, a hyphen behind eight of
 * them: ids of one moment differ behind it. */
#define FIT_ID       36
#define FIT_ID_LEAST 13
#define FIT_TIME     "dddd-dd-ddTdd:dd:dd.dddZ"
#define FIT_TIME_LEAST  19     /* of it, up to the second */
#define FIT_ROWS     1000      /* of more rows no id is shortened */


static size_t fit_total(const pay_cli_column_t *columns, int count);
static int fit_is_id(const char *cell);
static int fit_is_time(const PGresult *rows, int column);
static size_t fit_prefix(const PGresult *rows, int column);
static size_t fit_common(const char *a, const char *b);
static int fit_is_number(const PGresult *rows, int column);
static int fit_widest(const PGresult *rows, const pay_cli_column_t *columns,
    int count);


int
pay_cli_fit(const PGresult *rows, int count, unsigned room,
    pay_cli_column_t *columns)
{
    int           i, row;
    size_t        width;
    const size_t  most = room > 0 ? PAY_CLI_CELL : SIZE_MAX;

    for (i = 0; i < count; i++) {
        columns[i].prefix = 0;
        columns[i].width = pay_cli_width(PQfname(rows, i), most);

        for (row = 0; row < PQntuples(rows); row++) {
            width = pay_cli_width(PQgetvalue(rows, row, i), most);
            columns[i].width = width > columns[i].width ? width
                                                        : columns[i].width;
        }
    }

    for (i = 0; room > 0 && i < count && fit_total(columns, count) > room; i++)
    {
        columns[i].prefix = fit_is_time(rows, i) ? FIT_TIME_LEAST
                                                 : fit_prefix(rows, i);

        if (columns[i].prefix > 0) {
            width = pay_cli_width(PQfname(rows, i), most);
            columns[i].width = columns[i].prefix > width ? columns[i].prefix
                                                         : width;
        }
    }

    while (room > 0 && fit_total(columns, count) > room) {
        i = fit_widest(rows, columns, count);

        if (i < 0) {
            return 0;
        }

        columns[i].width--;
    }

    return 1;
}


static size_t
fit_total(const pay_cli_column_t *columns, int count)
{
    int     i;
    size_t  total = 0;

    for (i = 0; i < count; i++) {
        total += columns[i].width + (i > 0 ? FIT_GAP : 0);
    }

    return total;
}


/* -1: each is as narrow as it may be.  An amount without its end would be
 * another amount. */
static int
fit_widest(const PGresult *rows, const pay_cli_column_t *columns, int count)
{
    int  i, widest = -1;

    for (i = 0; i < count; i++) {
        if (columns[i].width > FIT_NARROW && columns[i].prefix == 0
            && (widest < 0 || columns[i].width > columns[widest].width)
            && !fit_is_number(rows, i))
        {
            widest = i;
        }
    }

    return widest;
}


/* 0: the column has other texts than ids.  payctl find knows them by their
 * beginnings. */
static size_t
fit_prefix(const PGresult *rows, int column)
{
    int          row, other;
    size_t       common, prefix = FIT_ID_LEAST;
    const char  *cell, *last;

    if (PQntuples(rows) == 0 || PQntuples(rows) > FIT_ROWS) {
        return 0;
    }

    for (row = 0; row < PQntuples(rows); row++) {
        cell = PQgetvalue(rows, row, column);

        if (*cell != '\0' && !fit_is_id(cell)) {
            return 0;
        }

        for (other = 0; other < row; other++) {
            last = PQgetvalue(rows, other, column);
            common = fit_common(cell, last);

            if (common < FIT_ID && common + 1 > prefix) {
                prefix = common + 1;
            }
        }
    }

    return prefix;
}


static int
fit_is_id(const char *cell)
{
    size_t  i;

    if (strlen(cell) != FIT_ID) {
        return 0;
    }

    for (i = 0; i < FIT_ID; i++) {
        if ((i == 8 || i == 13 || i == 18 || i == 23)
            ? cell[i] != '-'
            : strchr("0123456789abcdef", cell[i]) == NULL)
        {
            return 0;
        }
    }

    return 1;
}


/* All of them are UTC. */
static int
fit_is_time(const PGresult *rows, int column)
{
    int          row;
    size_t       i;
    const char  *cell;

    for (row = 0; row < PQntuples(rows); row++) {
        cell = PQgetvalue(rows, row, column);

        for (i = 0; *cell != '\0' && i < sizeof(FIT_TIME); i++) {
            if (FIT_TIME[i] == 'd' ? cell[i] < '0' || cell[i] > '9'
                                   : cell[i] != FIT_TIME[i])
            {
                return 0;
            }
        }
    }

    return PQntuples(rows) > 0;
}


static size_t
fit_common(const char *a, const char *b)
{
    size_t  i;

    for (i = 0; a[i] != '\0' && a[i] == b[i]; i++) { /* void */ }

    return i;
}


/* Digits, signs and points, with a currency behind them or none. */
static int
fit_is_number(const PGresult *rows, int column)
{
    int          row;
    const char  *cell;

    for (row = 0; row < PQntuples(rows); row++) {
        cell = PQgetvalue(rows, row, column);

        if (cell[strspn(cell, "-0123456789., ABCDEFGHIJKLMNOPQRSTUVWXYZ")]
            != '\0')
        {
            return 0;
        }
    }

    return 1;
}
