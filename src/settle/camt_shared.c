/*
 * The parts that statements (camt.c) and entries (camt_entry.c) of a camt.053
 * or camt.054 share.
 */

#include "settle/camt.h"


/* Pages of one statement have one id; they are one statement here.  It is
 * called at the first entry, or at the end of a statement without any; the id
 * and the account stand before both in the schema. */
pay_status_t
pay_settle_camt_begin(pay_settle_reader_t *reader, camt_t *state,
    const pay_currency_t *currency)
{
    unsigned  before = reader->statements;

    if (state->statement != NULL) {
        return PAY_OK;
    }

    if (state->id[0] == '\0' || state->account[0] == '\0') {
        return pay_settle_refuse(reader, "member-missing",
                                 state->id[0] == '\0' ? "Stmt/Id"
                                                      : "Stmt/Acct/Id",
                                 "a text in this element");
    }

    PAY_TRY(pay_settle_statement_of(reader, pay_str_of(state->id),
                                    pay_str_of(state->account), currency,
                                    &state->statement, &state->index));

    state->currency = currency;
    state->is_first = reader->statements != before;

    return PAY_OK;
}


/* Amounts of camt have no sign: this word is the only one that says which way
 * the money went. */
pay_status_t
pay_settle_camt_side(pay_settle_reader_t *reader, pay_str_t text, int *sign)
{
    if (!pay_str_is(text, "CRDT") && !pay_str_is(text, "DBIT")) {
        return pay_settle_refuse(reader, "word-unknown", "CdtDbtInd",
                                 "CRDT or DBIT");
    }

    *sign = pay_str_is(text, "CRDT") ? 1 : -1;

    return PAY_OK;
}


/* pay_settle_when() takes an offset behind a time alone, so that the day gets
 * one.  The day stays as it is written: an entry belongs to the bank's day. */
pay_status_t
pay_settle_camt_day(pay_settle_reader_t *reader, const char *column,
    pay_str_t text, char *day)
{
    unsigned char       timed[] = "0000-00-00T00:00:00+00:00";
    pay_settle_when_t   when;
    const size_t        date = 10, time = 9, zone = 6;

    if (text.len > date && text.len <= date + zone
        && memchr("Z+-", text.data[date], 3) != NULL)
    {
        memcpy(timed, text.data, date);
        memcpy(timed + date + time, text.data + date, text.len - date);
        text = (pay_str_t) { text.len + time, timed };
    }

    if (pay_settle_when(text, &when) != PAY_OK) {
        return pay_settle_refuse(reader, "time-invalid", column,
                                 "a day such as 2026-11-20");
    }

    memcpy(day, when.day, sizeof(when.day));

    return PAY_OK;
}
