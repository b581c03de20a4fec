/*
 * The proof of a file: each statement's own figures against its rows.  A
 * format has refused or noted before whether something else is missing (a
 * footer, the last page).  Nothing of a file is booked before it has passed
 * here.
 *
 *    rows, gross, fee, net as declared     = as read
 *    payout as declared                    = the rows without the payout
 *    opening balance + rows                = closing balance
 *    none of these declared                : UNDECLARED
 *    pages in other files                  : PARTIAL
 */

#include "settle/settle.h"


/* Figures that prove a statement by themselves. */
#define PROVE_TOTALS                                                          \
    (PAY_SETTLE_HAS_ROWS | PAY_SETTLE_HAS_GROSS | PAY_SETTLE_HAS_FEE          \
     | PAY_SETTLE_HAS_NET | PAY_SETTLE_HAS_PAYOUT)
#define PROVE_BALANCES  (PAY_SETTLE_HAS_OPENING | PAY_SETTLE_HAS_CLOSING)
#define PROVE_PAGES     (PAY_SETTLE_MORE_BEFORE | PAY_SETTLE_MORE_AFTER)
#define PROVE_AMOUNT    32             /* bytes of an amount in words */


static pay_status_t prove_statement(pay_settle_reader_t *reader,
    pay_settle_statement_t *statement);
static pay_status_t prove_totals(pay_settle_reader_t *reader,
    const pay_settle_statement_t *statement);
static pay_status_t prove_payout(pay_settle_reader_t *reader,
    const pay_settle_statement_t *statement);
static pay_status_t prove_balance(pay_settle_reader_t *reader,
    const pay_settle_statement_t *statement);
static pay_status_t prove_one(pay_settle_reader_t *reader,
    const pay_settle_statement_t *statement, const char *reason,
    const char *column, int64_t said, int64_t found);
static pay_status_t prove_text(pay_settle_reader_t *reader,
    const pay_settle_statement_t *statement, int64_t minor,
    char out[PROVE_AMOUNT]);
static pay_settle_verdict_t prove_verdict(
    const pay_settle_statement_t *statement);


/* The first statement that does not hold refuses the file as a whole, because
 * its rows belong to one delivery.  A file without statements is refused: an
 * empty file looks like a day without sales, and may be a failed export. */
pay_status_t
pay_settle_prove(pay_settle_reader_t *reader, pay_settle_verdict_t *verdict)
{
    unsigned                 n;
    pay_status_t             status;
    pay_settle_verdict_t     worst = PAY_SETTLE_PROVEN;
    pay_settle_statement_t  *statement;

    if (reader->stage != PAY_SETTLE_ENDED) {
        *verdict = PAY_SETTLE_REFUSED;
        return reader->stage == PAY_SETTLE_FAILED ? reader->status : PAY_BUG;
    }

    if (reader->statements == 0) {
        *verdict = PAY_SETTLE_REFUSED;
        return pay_settle_refuse_file(reader, "empty", "", "rows");
    }

    for (n = 0; n < reader->statements; n++) {
        statement = pay_settle_at(reader, n);

        status = prove_statement(reader, statement);
        if (status != PAY_OK) {
            statement->verdict = PAY_SETTLE_REFUSED;
            reader->stage = PAY_SETTLE_FAILED;
            reader->status = status;
            *verdict = PAY_SETTLE_REFUSED;
            return status;
        }

        statement->verdict = prove_verdict(statement);
        if (statement->verdict > worst) {
            worst = statement->verdict;
        }
    }

    *verdict = worst;

    return PAY_OK;
}


/* Errors name the line at which the statement begins. */
static pay_status_t
prove_statement(pay_settle_reader_t *reader,
    pay_settle_statement_t *statement)
{
    reader->row_line = statement->line;

    PAY_TRY(prove_totals(reader, statement));
    PAY_TRY(prove_payout(reader, statement));

    return prove_balance(reader, statement);
}


/* Only declared figures are compared; the format has set `has` for each. */
static pay_status_t
prove_totals(pay_settle_reader_t *reader,
    const pay_settle_statement_t *statement)
{
    unsigned  has = statement->has;

    if ((has & PAY_SETTLE_HAS_ROWS)
        && statement->said_rows != statement->rows)
    {
        return pay_settle_refuse(reader, "count-differs", "rows",
                                 "%lld rows of %s, but there are %lld",
                                 (long long) statement->said_rows,
                                 statement->currency,
                                 (long long) statement->rows);
    }

    if (has & PAY_SETTLE_HAS_GROSS) {
        PAY_TRY(prove_one(reader, statement, "gross-differs", "gross",
                          statement->said_gross, statement->gross));
    }

    if (has & PAY_SETTLE_HAS_FEE) {
        PAY_TRY(prove_one(reader, statement, "fee-differs", "fee",
                          statement->said_fee, statement->fee));
    }

    if (has & PAY_SETTLE_HAS_NET) {
        PAY_TRY(prove_one(reader, statement, "net-differs", "net",
                          statement->said_net, statement->net));
    }

    return PAY_OK;
}


/* The payout equals the sum of the other rows.  Where the payout stands among
 * the rows, they come to zero with it. */
static pay_status_t
prove_payout(pay_settle_reader_t *reader,
    const pay_settle_statement_t *statement)
{
    int64_t  rest = statement->net;

    if (!(statement->has & PAY_SETTLE_HAS_PAYOUT)) {
        return PAY_OK;
    }

    if (__builtin_sub_overflow(rest, statement->payout, &rest)) {
        return pay_settle_refuse(reader, "amount-too-large", "net",
                                 "sums below 2^63");
    }

    PAY_TRY(prove_one(reader, statement, "payout-differs", "net",
                      statement->said_payout, rest));

    if (statement->payouts == 0) {
        return PAY_OK;
    }

    return prove_one(reader, statement, "payout-differs", "net", 0,
                     statement->net);
}


/* The opening balance and all rows come to the closing one, so a missing row
 * shows. */
static pay_status_t
prove_balance(pay_settle_reader_t *reader,
    const pay_settle_statement_t *statement)
{
    int64_t  balance = statement->opening;

    /* with pages in other files the balances are of all of them */
    if ((statement->has & PROVE_BALANCES) != PROVE_BALANCES
        || (statement->has & PROVE_PAGES) != 0)
    {
        return PAY_OK;
    }

    PAY_TRY(pay_settle_add(reader, &balance, statement->net));

    return prove_one(reader, statement, "closing-differs", "closing balance",
                     statement->closing, balance);
}


/* The message has both numbers, so that an operator can see which amount is
 * missing. */
static pay_status_t
prove_one(pay_settle_reader_t *reader,
    const pay_settle_statement_t *statement, const char *reason,
    const char *column, int64_t said, int64_t found)
{
    char  expected[PROVE_AMOUNT], come_to[PROVE_AMOUNT];

    if (said == found) {
        return PAY_OK;
    }

    PAY_TRY(prove_text(reader, statement, said, expected));
    PAY_TRY(prove_text(reader, statement, found, come_to));

    return pay_settle_refuse(reader, reason, column,
                             "%s %s%s%s, but the rows come to %s", expected,
                             statement->currency,
                             statement->id[0] != '\0' ? " of " : "",
                             statement->id, come_to);
}


/* In major units: "-12.34". */
static pay_status_t
prove_text(pay_settle_reader_t *reader,
    const pay_settle_statement_t *statement, int64_t minor,
    char out[PROVE_AMOUNT])
{
    pay_str_t              text;
    const pay_currency_t  *currency;

    PAY_TRY(pay_currency_find(pay_str_of(statement->currency), &currency,
                              NULL));
    PAY_TRY(pay_amount_format(reader->arena, minor, currency, &text));

    if (text.len >= PROVE_AMOUNT) {
        return PAY_BUG;
    }

    memcpy(out, text.data, text.len);
    out[text.len] = '\0';

    return PAY_OK;
}


/* Without any declared figure the rows prove nothing, and the payout on the
 * bank's statement has to. */
static pay_settle_verdict_t
prove_verdict(const pay_settle_statement_t *statement)
{
    if (statement->has & PROVE_PAGES) {
        return PAY_SETTLE_PARTIAL;
    }

    if ((statement->has & PROVE_TOTALS) != 0
        || (statement->has & PROVE_BALANCES) == PROVE_BALANCES)
    {
        return PAY_SETTLE_PROVEN;
    }

    return PAY_SETTLE_UNDECLARED;
}
