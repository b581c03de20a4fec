/*
 * Rows of a settlement file as PostgreSQL's COPY takes them: columns between
 * tabs, \N for a column that is absent.
 */

#include "cli/cli.h"
#include "cli/db.h"
#include "cli/settlement.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>


#define COPY_ROW_MAX  (40 * 1024)      /* all texts of a row, escaped */


static int copy_check(settlement_copy_t *copy, const pay_settle_row_t *row);
static void copy_text(settlement_copy_t *copy, pay_str_t text);
static void copy_number(settlement_copy_t *copy, int64_t value);
static void copy_time(settlement_copy_t *copy, const pay_settle_row_t *row);
static void copy_amounts(settlement_copy_t *copy, const pay_settle_row_t *row);
static void copy_last(settlement_copy_t *copy, const char *text);
static int copy_flush(settlement_copy_t *copy);
static int copy_commit(settlement_copy_t *copy, int is_kept);


static const char  hold_sql[] =
    "SELECT pay_ops.hold_settlement($1::bigint, $2::bigint)";

static const char  copy_sql[] =
    "COPY pay.settlement_staging (file_id, line, row_key, kind, raw_type,"
    " psp_ref, parent_ref, our_ref, occurred_at, booked_on, gross_minor,"
    " fee_minor, tax_minor, net_minor, currency, paid_minor, paid_currency,"
    " rate, payout_ref, account, bank_ref, note, is_external, is_detail)"
    " FROM STDIN";


int
pay_cli_copy_hold(settlement_copy_t *copy)
{
    int          is_held;
    PGresult    *result;
    const char  *values[2];

    PQclear(PQexec(copy->conn, "BEGIN"));
    values[0] = copy->file_id;
    values[1] = copy->attempt;
    result = PQexecParams(copy->conn, hold_sql, 2, NULL, values, NULL, NULL,
                          0);
    is_held = PQresultStatus(result) == PGRES_TUPLES_OK;

    if (!is_held) {
        snprintf(copy->reason, sizeof(copy->reason), "%s",
                 PQerrorMessage(copy->conn));
        PQclear(PQexec(copy->conn, "ROLLBACK"));
    }

    PQclear(result);

    return is_held;
}


void
pay_cli_copy_drop(settlement_copy_t *copy)
{
    PQclear(PQexec(copy->conn, "ROLLBACK"));
}


int
pay_cli_copy_begin(settlement_copy_t *copy)
{
    PGresult  *result = PQexec(copy->conn, copy_sql);
    int        is_begun = PQresultStatus(result) == PGRES_COPY_IN;

    if (!is_begun) {
        fprintf(stderr, "payctl: settlement import: %s",
                PQerrorMessage(copy->conn));
    }

    PQclear(result);

    return is_begun;
}


/* A row is written into the buffer whole or not at all, since COPY_ROW_MAX of
 * room is made before. */
pay_status_t
pay_cli_copy_row(void *data, const pay_settle_row_t *row)
{
    settlement_copy_t  *copy = data;

    if (!copy_check(copy, row)) {
        return PAY_INVALID;
    }

    if (copy->used + COPY_ROW_MAX > sizeof(copy->text) && !copy_flush(copy)) {
        return PAY_INVALID;
    }

    copy->rows++;
    copy_text(copy, pay_str_of(copy->file_id));
    copy_number(copy, row->ordinal);
    copy_text(copy, row->row_key);
    copy_text(copy, pay_str_of(pay_settle_kind_name(row->kind)));
    copy_text(copy, row->raw_type);
    copy_text(copy, row->psp_ref);
    copy_text(copy, row->parent_ref);
    copy_text(copy, row->our_ref);
    copy_time(copy, row);
    copy_text(copy, row->booked_on);
    copy_amounts(copy, row);
    copy_text(copy, pay_settle_rate(row->rate));
    copy_text(copy, row->payout_ref);
    copy_text(copy, row->account);
    copy_text(copy, row->bank_ref);
    copy_text(copy, row->note);
    copy_text(copy, pay_str_of(row->is_external ? "t" : "f"));
    copy_last(copy, row->is_detail ? "t" : "f");

    return PAY_OK;
}


/* The complaint about a value that PostgreSQL would refuse names the row, so
 * that the operator finds it in the file. */
static int
copy_check(settlement_copy_t *copy, const pay_settle_row_t *row)
{
    const char  *column = pay_settle_too_long(row);

    if (column != NULL) {
        snprintf(copy->reason, sizeof(copy->reason), "line %" PRId64
                 ", column %s: longer than 255 bytes", row->line, column);
    }

    return column == NULL;
}


/* Escapes of COPY's text format: backslash, tab and line ends.  The empty text
 * is NULL, which is how every column here says that it is absent. */
static void
copy_text(settlement_copy_t *copy, pay_str_t text)
{
    char    c;
    size_t  i;

    if (text.len == 0) {
        copy->text[copy->used++] = '\\';
        copy->text[copy->used++] = 'N';
    }

    for (i = 0; i < text.len; i++) {
        c = (char) text.data[i];

        if (c == '\\' || c == '\t' || c == '\n' || c == '\r') {
            copy->text[copy->used++] = '\\';
            c = (char) (c == '\t' ? 't' : c == '\n' ? 'n'
                        : c == '\r' ? 'r' : c);
        }

        copy->text[copy->used++] = c;
    }

    copy->text[copy->used++] = '\t';
}


static void
copy_number(settlement_copy_t *copy, int64_t value)
{
    char  text[24];

    snprintf(text, sizeof(text), "%" PRId64, value);
    copy_text(copy, pay_str_of(text));
}


/* Microseconds since 1970; a time before that becomes NULL. */
static void
copy_time(settlement_copy_t *copy, const pay_settle_row_t *row)
{
    char       text[64] = "";
    time_t     seconds = (time_t) (row->occurred_us / 1000000);
    struct tm  at;

    if (row->has_occurred && row->occurred_us >= 0
        && gmtime_r(&seconds, &at) != NULL)
    {
        snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ",
                 at.tm_year + 1900, at.tm_mon + 1, at.tm_mday, at.tm_hour,
                 at.tm_min, at.tm_sec, (int) (row->occurred_us % 1000000));
    }

    copy_text(copy, pay_str_of(text));
}


/* Minor units as the reader has computed them.  An amount that was paid in
 * another currency is there with that currency alone. */
static void
copy_amounts(settlement_copy_t *copy, const pay_settle_row_t *row)
{
    copy_number(copy, row->gross_minor);
    copy_number(copy, row->fee_minor);
    copy_number(copy, row->tax_minor);
    copy_number(copy, row->net_minor);
    copy_text(copy, pay_str_of(row->currency));

    if (row->paid_currency[0] != '\0') {
        copy_number(copy, row->paid_minor);

    } else {
        copy_text(copy, pay_str_of(""));
    }

    copy_text(copy, pay_str_of(row->paid_currency));
}


/* Replaces the tab behind the last column by the end of the row. */
static void
copy_last(settlement_copy_t *copy, const char *text)
{
    copy_text(copy, pay_str_of(text));
    copy->text[copy->used - 1] = '\n';
}


/* Blocks until libpq has taken the bytes.  After a failure the connection is
 * of no use (is_lost), and the file is taken up by the next import. */
static int
copy_flush(settlement_copy_t *copy)
{
    if (copy->used > 0
        && PQputCopyData(copy->conn, copy->text, (int) copy->used) != 1)
    {
        fprintf(stderr, "payctl: settlement import: %s",
                PQerrorMessage(copy->conn));
        copy->is_lost = 1;
        return 0;
    }

    copy->used = 0;

    return 1;
}


/* Returns 1 when PostgreSQL has kept the rows.  With `refused` the error that
 * ends COPY is our own and is not printed. */
int
pay_cli_copy_end(settlement_copy_t *copy, int refused)
{
    int        is_kept = 0;
    PGresult  *result;

    if (!refused && !copy_flush(copy)) {
        refused = 1;
    }

    if (PQputCopyEnd(copy->conn, refused ? "refused" : NULL) != 1) {
        fprintf(stderr, "payctl: settlement import: %s",
                PQerrorMessage(copy->conn));
        copy->is_lost = 1;
        return 0;
    }

    while ((result = PQgetResult(copy->conn)) != NULL) {
        if (PQresultStatus(result) == PGRES_COMMAND_OK) {
            is_kept = 1;

        } else if (!refused) {
            fprintf(stderr, "payctl: settlement import: %s",
                    PQerrorMessage(copy->conn));
            copy->is_lost = 1;
        }

        PQclear(result);
    }

    return copy_commit(copy, is_kept);
}


/* Behind a COPY that has failed the transaction can only be rolled back. */
static int
copy_commit(settlement_copy_t *copy, int is_kept)
{
    PGresult  *result = PQexec(copy->conn, is_kept ? "COMMIT" : "ROLLBACK");

    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        if (is_kept) {
            fprintf(stderr, "payctl: settlement import: %s",
                    PQerrorMessage(copy->conn));
        }

        copy->is_lost = 1;
        is_kept = 0;
    }

    PQclear(result);

    return is_kept;
}
