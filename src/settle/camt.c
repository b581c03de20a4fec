/*
 * camt.053 of ISO 20022, bank to customer statement, versions 2 to 8.  Each
 * entry that is booked is a row; the parts of a batched entry are details of
 * it.  Opening balance and entries come to the closing balance.  camt.052
 * repeats the same entries during the day, so it is refused.
 *
 * The elements of a statement, in the order of the schema:
 *
 *    Stmt: Id, number, pages, copy? ─▶ Acct ─▶ Bal, Bal … ─▶ TxsSummry?
 *      ─▶ Ntry, Ntry … (camt_entry.c) ─▶ the end: counts, pages, balances
 *
 * A statement with one entry, shortened (tests/fixtures/settle/camt.053):
 *
 *    <Stmt><Id>S1</Id><Acct><Id><IBAN>…</IBAN></Id></Acct>
 *     <Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp>
 *      <Amt Ccy="EUR">18.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>…</Bal>
 *     <Ntry><Amt Ccy="EUR">6.50</Amt><CdtDbtInd>CRDT</CdtDbtInd>
 *      <Sts>BOOK</Sts><BookgDt><Dt>2026-12-31</Dt></BookgDt>
 *      <NtryDtls><TxDtls>…</TxDtls></NtryDtls></Ntry>
 *    </Stmt>
 *
 * Balances: OPBD opens, CLBD closes, PRCD is the closing balance of the
 * statement before, ITBD one between pages.  Others (available, forward) are
 * left out.
 *
 * Pages: of a statement (StmtPgntn), or, as version 2 has them alone, of the
 * message (GrpHdr/MsgPgntn).  A message has pages of several statements, so
 * that only its first one may have begun on the page before, and only its last
 * one may go on.
 *
 * camt.054, the notification of debits and credits, has the same entries below
 * Ntfctn instead of Stmt, with other words for its pages, and no balances: it
 * proves no account, and the next camt.053 repeats it.  So it is a format of
 * its own that no source can name, for the answers to bank files alone.
 */

#include "settle/camt.h"


#define CAMT_STATEMENT  "Document/BkToCstmrStmt/Stmt"
#define CAMT_NOTICE     "Document/BkToCstmrDbtCdtNtfctn/Ntfctn"
#define CAMT_PAGES      "Document/BkToCstmrStmt/GrpHdr/MsgPgntn"
#define CAMT_BALANCE    "/Bal"
#define CAMT_FREE       "/Ustrd"

/* A function for the text of one element; `currency` is the attribute Ccy, or
 * empty. */
typedef pay_status_t (*camt_leaf_pt)(pay_settle_reader_t *reader,
    camt_t *state, pay_str_t text, pay_str_t currency);

typedef struct {
    const char    *path;
    camt_leaf_pt   take;
} camt_leaf_t;


static int camt_is_notice(const pay_settle_reader_t *reader);
static const char *camt_inside(const pay_settle_reader_t *reader,
    const char *path);
static pay_status_t camt_opened(pay_settle_reader_t *reader,
    const char *path);
static pay_status_t camt_statement(pay_settle_reader_t *reader,
    camt_t *state);
static pay_status_t camt_closed(pay_settle_reader_t *reader, const char *path,
    pay_str_t text, pay_str_t currency);
static pay_status_t camt_id(pay_settle_reader_t *reader, camt_t *state,
    pay_str_t text, pay_str_t currency);
static pay_status_t camt_account(pay_settle_reader_t *reader, camt_t *state,
    pay_str_t text, pay_str_t currency);
static pay_status_t camt_number(pay_settle_reader_t *reader, camt_t *state,
    pay_str_t text, pay_str_t currency);
static pay_status_t camt_page(pay_settle_reader_t *reader, camt_t *state,
    pay_str_t text, pay_str_t currency);
static pay_status_t camt_last(pay_settle_reader_t *reader, camt_t *state,
    pay_str_t text, pay_str_t currency);
static pay_status_t camt_message(pay_settle_reader_t *reader,
    camt_message_t *message, const char *path, pay_str_t text);
static pay_status_t camt_goes_on(pay_settle_reader_t *reader,
    const char *column, pay_str_t text, int *has_more);
static pay_status_t camt_copy(pay_settle_reader_t *reader, camt_t *state,
    pay_str_t text, pay_str_t currency);
static pay_status_t camt_count(pay_settle_reader_t *reader, camt_t *state,
    pay_str_t text, pay_str_t currency);
static pay_status_t camt_balance_code(pay_settle_reader_t *reader,
    camt_t *state, pay_str_t text, pay_str_t currency);
static pay_status_t camt_balance_amount(pay_settle_reader_t *reader,
    camt_t *state, pay_str_t text, pay_str_t currency);
static pay_status_t camt_balance_side(pay_settle_reader_t *reader,
    camt_t *state, pay_str_t text, pay_str_t currency);
static pay_status_t camt_balance_day(pay_settle_reader_t *reader,
    camt_t *state, pay_str_t text, pay_str_t currency);
static pay_status_t camt_balance(pay_settle_reader_t *reader, camt_t *state);
static pay_status_t camt_end(pay_settle_reader_t *reader, camt_t *state);
static pay_status_t camt_balanced(pay_settle_reader_t *reader,
    camt_t *state);
static pay_status_t camt_pages(pay_settle_reader_t *reader, camt_t *state,
    pay_settle_statement_t *statement);
static pay_status_t camt_whole(pay_settle_reader_t *reader,
    const pay_settle_statement_t *statement);
static pay_status_t camt_digits(pay_settle_reader_t *reader,
    const char *column, pay_str_t text, int64_t *number);


/* The version is the namespace of the document; the elements that are used
 * here are the same in all of these. */
static const char *const  camt_namespaces[] = {
    "urn:iso:std:iso:20022:tech:xsd:camt.053.001.02",
    "urn:iso:std:iso:20022:tech:xsd:camt.053.001.03",
    "urn:iso:std:iso:20022:tech:xsd:camt.053.001.04",
    "urn:iso:std:iso:20022:tech:xsd:camt.053.001.05",
    "urn:iso:std:iso:20022:tech:xsd:camt.053.001.06",
    "urn:iso:std:iso:20022:tech:xsd:camt.053.001.07",
    "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08",
    NULL
};

static const char *const  notice_namespaces[] = {
    "urn:iso:std:iso:20022:tech:xsd:camt.054.001.02",
    "urn:iso:std:iso:20022:tech:xsd:camt.054.001.03",
    "urn:iso:std:iso:20022:tech:xsd:camt.054.001.04",
    "urn:iso:std:iso:20022:tech:xsd:camt.054.001.05",
    "urn:iso:std:iso:20022:tech:xsd:camt.054.001.06",
    "urn:iso:std:iso:20022:tech:xsd:camt.054.001.07",
    "urn:iso:std:iso:20022:tech:xsd:camt.054.001.08",
    NULL
};

/* Behind CAMT_STATEMENT or CAMT_NOTICE. */
static const camt_leaf_t  camt_leaves[] = {
    { "/Id", camt_id },
    { "/ElctrncSeqNb", camt_number },
    { "/StmtPgntn/PgNb", camt_page },
    { "/StmtPgntn/LastPgInd", camt_last },
    { "/NtfctnPgntn/PgNb", camt_page },
    { "/NtfctnPgntn/LastPgInd", camt_last },
    { "/CpyDplctInd", camt_copy },
    { "/Acct/Id/IBAN", camt_account },
    { "/Acct/Id/Othr/Id", camt_account },
    { "/TxsSummry/TtlNtries/NbOfNtries", camt_count },
    { "/Bal/Tp/CdOrPrtry/Cd", camt_balance_code },
    { "/Bal/Amt", camt_balance_amount },
    { "/Bal/CdtDbtInd", camt_balance_side },
    { "/Bal/Dt/Dt", camt_balance_day },
    { "/Bal/Dt/DtTm", camt_balance_day },
    { NULL, NULL }
};

const pay_settle_format_t  pay_settle_camt = {
    .name = "camt.053",
    .medium = "xml",
    .lexer = &pay_settle_xml,
    .state_size = sizeof(camt_t),
    .namespaces = camt_namespaces,
    .opened = camt_opened,
    .closed = camt_closed
};

const pay_settle_format_t  pay_settle_notice = {
    .name = "camt.054",
    .medium = "xml",
    .lexer = &pay_settle_xml,
    .state_size = sizeof(camt_t),
    .namespaces = notice_namespaces,
    .opened = camt_opened,
    .closed = camt_closed
};


static int
camt_is_notice(const pay_settle_reader_t *reader)
{
    return reader->format == &pay_settle_notice;
}


/* The path behind the statement's, or the notification's; NULL: it stands
 * outside of both. */
static const char *
camt_inside(const pay_settle_reader_t *reader, const char *path)
{
    const char  *top = camt_is_notice(reader) ? CAMT_NOTICE : CAMT_STATEMENT;
    size_t       len = strlen(top);

    return strncmp(path, top, len) == 0 ? path + len : NULL;
}


static pay_status_t
camt_opened(pay_settle_reader_t *reader, const char *path)
{
    camt_t  *state = reader->state;

    path = camt_inside(reader, path);

    if (path == NULL) {
        return PAY_OK;
    }

    if (path[0] == '\0') {
        PAY_TRY(camt_statement(reader, state));

    } else if (strcmp(path, CAMT_BALANCE) == 0) {
        memset(&state->balance, 0, sizeof(state->balance));
    }

    return pay_settle_camt_opened(reader, state, path);
}


/* The statement's state is cleared as a whole, so that nothing of one
 * statement leaks into the next in the file; the pages of the message are
 * those of all its statements.  One that another statement follows does not go
 * on behind the message. */
static pay_status_t
camt_statement(pay_settle_reader_t *reader, camt_t *state)
{
    camt_message_t           message = state->message;
    pay_settle_statement_t  *before = message.last;

    if (before != NULL) {
        reader->row_line = before->line;
        before->has &= ~(unsigned) PAY_SETTLE_MORE_AFTER;
        PAY_TRY(camt_whole(reader, before));
    }

    reader->row_line = reader->line;
    memset(state, 0, sizeof(*state));
    state->line = reader->line;

    if (!message.has_begun && (message.page > 1 || message.has_more)) {
        state->page = message.page;
    }

    message.has_begun = 1;
    message.last = NULL;
    state->message = message;

    return PAY_OK;
}


/* Paths are compared as a whole: the same name stands at many places of the
 * schema with another meaning. */
static pay_status_t
camt_closed(pay_settle_reader_t *reader, const char *path, pay_str_t text,
    pay_str_t currency)
{
    size_t              len;
    camt_t             *state = reader->state;
    const camt_leaf_t  *leaf;

    if (strncmp(path, CAMT_PAGES, strlen(CAMT_PAGES)) == 0) {
        reader->row_line = reader->line;
        return camt_message(reader, &state->message,
                            path + strlen(CAMT_PAGES),
                            pay_settle_trim(text));
    }

    path = camt_inside(reader, path);

    if (path == NULL) {
        return PAY_OK;
    }

    if (path[0] == '\0') {
        return camt_end(reader, state);
    }

    if (strcmp(path, CAMT_BALANCE) == 0) {
        reader->row_line = reader->line;
        return camt_balance(reader, state);
    }

    len = strlen(path);

    /* a reference may go on in the next of these texts, behind a blank */
    if (len < strlen(CAMT_FREE)
        || strcmp(path + len - strlen(CAMT_FREE), CAMT_FREE) != 0)
    {
        text = pay_settle_trim(text);
    }

    for (leaf = camt_leaves; leaf->path != NULL; leaf++) {
        if (strcmp(path, leaf->path) == 0) {
            reader->row_line = reader->line;
            return leaf->take(reader, state, text, currency);
        }
    }

    return pay_settle_camt_closed(reader, state, path, text, currency);
}


static pay_status_t
camt_id(pay_settle_reader_t *reader, camt_t *state, pay_str_t text,
    pay_str_t currency)
{
    (void) currency;

    return pay_settle_keep(reader, "Stmt/Id", text, state->id,
                           sizeof(state->id));
}


static pay_status_t
camt_account(pay_settle_reader_t *reader, camt_t *state, pay_str_t text,
    pay_str_t currency)
{
    (void) currency;

    return pay_settle_keep(reader, "Stmt/Acct/Id", text, state->account,
                           sizeof(state->account));
}


/* The electronic sequence number: a bank counts its statements of an account
 * with it. */
static pay_status_t
camt_number(pay_settle_reader_t *reader, camt_t *state, pay_str_t text,
    pay_str_t currency)
{
    (void) currency;

    return camt_digits(reader, "Stmt/ElctrncSeqNb", text, &state->number);
}


static pay_status_t
camt_page(pay_settle_reader_t *reader, camt_t *state, pay_str_t text,
    pay_str_t currency)
{
    (void) currency;

    state->has_pages = 1;

    return camt_digits(reader, "StmtPgntn/PgNb", text, &state->page);
}


static pay_status_t
camt_last(pay_settle_reader_t *reader, camt_t *state, pay_str_t text,
    pay_str_t currency)
{
    (void) currency;

    state->has_pages = 1;

    return camt_goes_on(reader, "StmtPgntn/LastPgInd", text,
                        &state->has_more);
}


/* They stand before all statements, and count for those without pages of their
 * own. */
static pay_status_t
camt_message(pay_settle_reader_t *reader, camt_message_t *message,
    const char *path, pay_str_t text)
{
    if (strcmp(path, "/PgNb") == 0) {
        return camt_digits(reader, "MsgPgntn/PgNb", text, &message->page);
    }

    if (strcmp(path, "/LastPgInd") == 0) {
        return camt_goes_on(reader, "MsgPgntn/LastPgInd", text,
                            &message->has_more);
    }

    return PAY_OK;
}


/* The last page is the normal case and may be left unsaid; only "false"
 * announces more. */
static pay_status_t
camt_goes_on(pay_settle_reader_t *reader, const char *column, pay_str_t text,
    int *has_more)
{
    if (!pay_str_is(text, "true") && !pay_str_is(text, "1")) {
        if (!pay_str_is(text, "false") && !pay_str_is(text, "0")) {
            return pay_settle_refuse(reader, "word-unknown", column,
                                     "true or false");
        }

        *has_more = 1;
    }

    return PAY_OK;
}


/* COPY, DUPL or CODU: a repeat of a statement that was sent before, which is
 * marked and read all the same. */
static pay_status_t
camt_copy(pay_settle_reader_t *reader, camt_t *state, pay_str_t text,
    pay_str_t currency)
{
    (void) reader;
    (void) currency;

    state->is_copy = text.len != 0;

    return PAY_OK;
}


/* The number of entries that the bank has counted; prove() compares it with
 * the rows. */
static pay_status_t
camt_count(pay_settle_reader_t *reader, camt_t *state, pay_str_t text,
    pay_str_t currency)
{
    (void) currency;

    state->has_count = 1;

    return camt_digits(reader, "TtlNtries/NbOfNtries", text, &state->count);
}


/* Codes that do not fit are none of those that matter; an empty code is left
 * out later. */
static pay_status_t
camt_balance_code(pay_settle_reader_t *reader, camt_t *state, pay_str_t text,
    pay_str_t currency)
{
    (void) reader;
    (void) currency;

    if (text.len < sizeof(state->balance.code)) {
        memset(state->balance.code, 0, sizeof(state->balance.code));
        memcpy(state->balance.code, text.data, text.len);
    }

    return PAY_OK;
}


/* The amount has no sign; CdtDbtInd gives it, and may stand before or
 * behind. */
static pay_status_t
camt_balance_amount(pay_settle_reader_t *reader, camt_t *state,
    pay_str_t text, pay_str_t currency)
{
    PAY_TRY(pay_settle_currency(reader, "Bal/Amt/@Ccy", currency,
                                &state->balance.currency));

    return pay_settle_amount(reader, &pay_settle_unit_camt, "Bal/Amt", text,
                             state->balance.currency,
                             &state->balance.amount);
}


static pay_status_t
camt_balance_side(pay_settle_reader_t *reader, camt_t *state, pay_str_t text,
    pay_str_t currency)
{
    (void) currency;

    return pay_settle_camt_side(reader, text, &state->balance.sign);
}


static pay_status_t
camt_balance_day(pay_settle_reader_t *reader, camt_t *state, pay_str_t text,
    pay_str_t currency)
{
    (void) currency;

    return pay_settle_camt_day(reader, "Bal/Dt", text, state->balance.day);
}


/* Balances that are booked; available ones and forecasts are no proof.  An
 * intermediate one begins a page, the next ends it.  All balances of a
 * statement must be in one currency, that of its account. */
static pay_status_t
camt_balance(pay_settle_reader_t *reader, camt_t *state)
{
    int              is_opening, is_closing, is_between;
    camt_balance_t  *balance = &state->balance;

    if (camt_is_notice(reader)) {
        return PAY_OK;             /* it has none by the schema */
    }

    is_between = strcmp(balance->code, "ITBD") == 0;
    is_opening = strcmp(balance->code, "OPBD") == 0
                 || strcmp(balance->code, "PRCD") == 0
                 || (is_between && !state->has_opening);
    is_closing = strcmp(balance->code, "CLBD") == 0
                 || (is_between && !is_opening);

    if (!is_opening && !is_closing) {
        return PAY_OK;
    }

    if (balance->currency == NULL || balance->sign == 0) {
        return pay_settle_refuse(reader, "member-missing", "Bal",
                                 "Amt and CdtDbtInd in this element");
    }

    if (state->balances_in != NULL && state->balances_in != balance->currency) {
        return pay_settle_refuse(reader, "currency-differs", "Bal/Amt/@Ccy",
                                 "%s as in the other balances",
                                 state->balances_in->code);
    }

    state->balances_in = balance->currency;

    if (is_opening) {
        /* PRCD repeats OPBD */
        if (!state->has_opening || strcmp(balance->code, "OPBD") == 0) {
            state->opening = balance->sign * balance->amount;
        }

        state->has_opening = 1;
        memcpy(state->first_day, balance->day, sizeof(state->first_day));
        return PAY_OK;
    }

    state->has_closing = 1;
    state->closing = balance->sign * balance->amount;
    memcpy(state->last_day, balance->day, sizeof(state->last_day));

    return PAY_OK;
}


/* Everything that the statement declares about itself is compared here; the
 * sums of money are pay_settle_prove()'s.  A notification without entries has
 * no currency, and is nothing. */
static pay_status_t
camt_end(pay_settle_reader_t *reader, camt_t *state)
{
    pay_settle_statement_t  *statement;

    reader->row_line = state->line;

    if (!camt_is_notice(reader)) {
        PAY_TRY(camt_balanced(reader, state));
    }

    if (state->has_count && state->count != state->entries) {
        return pay_settle_refuse(reader, "count-differs",
                                 "TtlNtries/NbOfNtries",
                                 "%lld entries, found %lld",
                                 (long long) state->count,
                                 (long long) state->entries);
    }

    statement = state->statement;

    if (statement == NULL) {
        return PAY_OK;
    }

    statement->number = state->number;
    statement->line = state->line;

    if (state->is_copy) {
        statement->has |= PAY_SETTLE_IS_COPY;
    }

    pay_settle_day(statement, pay_str_of(state->first_day));
    pay_settle_day(statement, pay_str_of(state->last_day));

    return camt_pages(reader, state, statement);
}


/* Entries are in the currency of the balances. */
static pay_status_t
camt_balanced(pay_settle_reader_t *reader, camt_t *state)
{
    if (state->balances_in == NULL) {
        return pay_settle_refuse(reader, "balance-missing", "Stmt/Bal",
                                 "the booked balances OPBD and CLBD");
    }

    PAY_TRY(pay_settle_camt_begin(reader, state, state->balances_in));

    if (state->currency != state->balances_in) {
        return pay_settle_refuse(reader, "currency-differs", "Ntry/Amt/@Ccy",
                                 "%s as in the balances",
                                 state->balances_in->code);
    }

    return PAY_OK;
}


/* A statement over several messages: the opening balance of the first page and
 * the closing balance of the last one count.  A page that another file holds
 * leaves it partial.  The verdict of such a statement is PARTIAL, because its
 * balances are those of all pages. */
static pay_status_t
camt_pages(pay_settle_reader_t *reader, camt_t *state,
    pay_settle_statement_t *statement)
{
    if (!state->is_first) {
        if (!(statement->has & PAY_SETTLE_MORE_AFTER)
            || state->page != statement->page + 1)
        {
            return pay_settle_refuse(reader, "statement-doubled", "Stmt/Id",
                                     "each page of a statement once, in "
                                     "their order");
        }

    } else if (state->page > 1) {
        statement->has |= PAY_SETTLE_MORE_BEFORE;
    }

    statement->page = state->page;
    statement->has &= ~(unsigned) PAY_SETTLE_MORE_AFTER;

    if (!state->has_pages && state->message.has_more) {
        state->message.last = statement;
    }

    if (state->has_more || state->message.last != NULL) {
        statement->has |= PAY_SETTLE_MORE_AFTER;
    }

    if (state->has_opening && state->is_first) {
        statement->has |= PAY_SETTLE_HAS_OPENING;
        statement->opening = state->opening;
    }

    statement->has &= ~(unsigned) PAY_SETTLE_HAS_CLOSING;

    if (state->has_closing) {
        statement->has |= PAY_SETTLE_HAS_CLOSING;
        statement->closing = state->closing;
    }

    return camt_whole(reader, statement);
}


/* A statement without pages in other files has both balances. */
static pay_status_t
camt_whole(pay_settle_reader_t *reader,
    const pay_settle_statement_t *statement)
{
    if (!camt_is_notice(reader)
        && !(statement->has & (PAY_SETTLE_MORE_AFTER | PAY_SETTLE_MORE_BEFORE))
        && (!(statement->has & PAY_SETTLE_HAS_OPENING)
            || !(statement->has & PAY_SETTLE_HAS_CLOSING)))
    {
        return pay_settle_refuse(reader, "balance-missing", "Stmt/Bal",
                                 "the booked balances OPBD and CLBD");
    }

    return PAY_OK;
}


/* Numbers of the schema are decimal text without a sign. */
static pay_status_t
camt_digits(pay_settle_reader_t *reader, const char *column, pay_str_t text,
    int64_t *number)
{
    if (pay_digits_parse(text, number) != PAY_OK) {
        return pay_settle_refuse(reader, "number-invalid", column,
                                 "at most 15 digits");
    }

    return PAY_OK;
}
