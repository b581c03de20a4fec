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
