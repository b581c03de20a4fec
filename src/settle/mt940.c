/*
 * MT940, SWIFT's customer statement.  Opening balance and lines come to the
 * closing balance; a statement over several messages is a chain in which each
 * one begins with the balance that the one before ended with.
 *
 * A message, and a statement of several:
 *
 *    :20: :25: :28C: :60F: ─▶ :61: :86: … ─▶ :62F: "-"
 *    :60F: … :62M: "-"  :60M: … :62M: "-"  :60M: … :62F: "-"
 *                 └── equal ──┘       └── equal ──┘
 *
 * From tests/fixtures/settle/mt940/day.sta, shortened:
 *
 *    {1:F01BANKDEFFXXXX0000000000}{2:O940…}{4:      blocks of the network
 *    :20:STARTUMSE                                  reference, not used
 *    :25:12030000/0000202051                        account
 *    :28C:00223/001                                 statement/page
 *    :60F:C261120EUR000000000100,00                 opening balance
 *    :61:2611231123CR6,50NTRFNONREF//B1             a line
 *    STRIPE PAYOUT                                  and its details
 *    :86:166?00GUTSCHRIFT?20EREF+NOTPROVIDED…       the text behind the line
 *    :62F:C261123EUR86,85                           closing balance
 *    -}
 */

#include "pay_time.h"
#include "settle/mt940.h"


typedef pay_status_t (*mt940_tag_pt)(pay_settle_reader_t *reader,
    pay_str_t text);

typedef struct {
    const char    *tag;
    mt940_tag_pt   take;
} mt940_tag_t;

/* The message that is open, and the chain that it belongs to.  A line is kept
 * back until its text or the next tag comes. */
typedef struct {
    int                    is_open;    /* a message has begun */
    int                    has_closing;
    int                    has_line;   /* waiting for its :86: */
    char                   account[PAY_SETTLE_ID_MAX + 1];
    char                   number_text[PAY_SETTLE_ID_MAX + 1];
    char                   id[PAY_SETTLE_ID_MAX + 1];
    int64_t                number;
    int64_t                page;
    int64_t                entries;    /* of the statement, all pages */
    int                    goes_on;    /* the message before ended with 62M */
    int64_t                closing;    /* of that message */
    const pay_currency_t  *currency;
    unsigned               index;
    mt940_line_t           line;
} mt940_t;

/* A balance with its sign, in minor units. */
typedef struct {
    int64_t                minor;
    char                   day[11];
    const pay_currency_t  *currency;
} mt940_balance_t;


static pay_status_t mt940_tag(pay_settle_reader_t *reader, pay_str_t tag,
    pay_str_t text);
static size_t mt940_first_line(pay_str_t text);
static pay_status_t mt940_end(pay_settle_reader_t *reader, mt940_t *state);
static pay_status_t mt940_account(pay_settle_reader_t *reader,
    pay_str_t text);
static pay_status_t mt940_number(pay_settle_reader_t *reader, pay_str_t text);
static pay_status_t mt940_opening_first(pay_settle_reader_t *reader,
    pay_str_t text);
static pay_status_t mt940_opening_next(pay_settle_reader_t *reader,
    pay_str_t text);
static pay_status_t mt940_opening(pay_settle_reader_t *reader, pay_str_t text,
    int is_next);
static pay_status_t mt940_id(pay_settle_reader_t *reader, mt940_t *state,
    const char *day, int is_next);
static pay_status_t mt940_entry(pay_settle_reader_t *reader, pay_str_t text);
static pay_status_t mt940_info(pay_settle_reader_t *reader, pay_str_t text);
static pay_status_t mt940_closing_last(pay_settle_reader_t *reader,
    pay_str_t text);
static pay_status_t mt940_closing_more(pay_settle_reader_t *reader,
    pay_str_t text);
static pay_status_t mt940_closing(pay_settle_reader_t *reader, pay_str_t text,
    int has_more);
static pay_status_t mt940_balance(pay_settle_reader_t *reader,
    const char *column, pay_str_t text, mt940_balance_t *balance);
static pay_status_t mt940_flush(pay_settle_reader_t *reader, mt940_t *state,
    const mt940_text_t *text);
static pay_status_t mt940_key(pay_settle_reader_t *reader, mt940_t *state,
    pay_str_t *key);
static pay_status_t mt940_finish(pay_settle_reader_t *reader);


/* The tags that matter; each function gets the text behind the tag. */
static const mt940_tag_t  tags[] = {
    { "25", mt940_account },
    { "25P", mt940_account },
    { "28", mt940_number },
    { "28C", mt940_number },
    { "60F", mt940_opening_first },
    { "60M", mt940_opening_next },
    { "61", mt940_entry },
    { "86", mt940_info },
    { "62F", mt940_closing_last },
    { "62M", mt940_closing_more },
    { NULL, NULL }
};

const pay_settle_format_t  pay_settle_mt940 = {
    .name = "mt940",
    .medium = "swift",
    .lexer = &pay_settle_swift,
    .state_size = sizeof(mt940_t),
    .tag = mt940_tag,
    .finish = mt940_finish
};


/* :20: begins a message.  A message before it must have had its closing
 * balance. */
static pay_status_t
mt940_tag(pay_settle_reader_t *reader, pay_str_t tag, pay_str_t text)
{
    mt940_t            *state = reader->state;
    const mt940_tag_t  *known = tags;

    reader->scratch_len = 0;

    if (tag.len == 0) {
        return mt940_end(reader, state);
    }

    if (pay_str_is(tag, "20")) {
        PAY_TRY(mt940_end(reader, state));
        state->is_open = 1;
        return PAY_OK;
    }

    if (!state->is_open) {
        return pay_settle_refuse(reader, "tag-missing", ":20:",
                                 "a message that begins with this tag");
    }

    while (known->tag != NULL && !pay_str_is(tag, known->tag)) {
        known++;
    }

    /* banks write texts of their own behind the others */
    if (!pay_str_is(tag, "61") && !pay_str_is(tag, "86")) {
        text.len = mt940_first_line(text);
    }

    /* :13D:, :64:, :65: and banks' own tags change nothing */
    return known->tag != NULL ? known->take(reader, text) : PAY_OK;
}


static size_t
mt940_first_line(pay_str_t text)
{
    size_t  len = 0;

    while (len < text.len && text.data[len] != '\n') {
        len++;
    }

    return len;
}


/* Without :62F: or :62M: the message was cut. */
static pay_status_t
mt940_end(pay_settle_reader_t *reader, mt940_t *state)
{
    if (state->is_open && !state->has_closing) {
        return pay_settle_refuse(reader, "footer-missing", ":62F:",
                                 "a closing balance of this message");
    }

    state->is_open = 0;
    state->has_closing = 0;
    state->currency = NULL;

    return PAY_OK;
}


/* Longer accounts are cut: they are compared and shown, never parsed. */
static pay_status_t
mt940_account(pay_settle_reader_t *reader, pay_str_t text)
{
    mt940_t  *state = reader->state;

    (void) reader;
    pay_settle_mt940_copy(state->account, sizeof(state->account), text);

    return PAY_OK;
}


/* Number and page, "00004/00001"; the page may be missing.  The text is kept
 * beside the number, since leading zeros are part of the id. */
static pay_status_t
mt940_number(pay_settle_reader_t *reader, pay_str_t text)
{
    size_t      len = 0;
    mt940_t    *state = reader->state;
    pay_str_t   number = pay_settle_trim(text), page = pay_string("");

    while (len < number.len && number.data[len] != '/') {
        len++;
    }

    if (len < number.len) {
        page = (pay_str_t) { number.len - len - 1, number.data + len + 1 };
        number.len = len;
    }

    state->page = 0;

    if (pay_digits_parse(number, &state->number) != PAY_OK
        || (page.len != 0
            && pay_digits_parse(page, &state->page) != PAY_OK))
    {
        return pay_settle_refuse(reader, "number-invalid", ":28C:",
                                 "a statement's number such as 4/1");
    }

    pay_settle_mt940_copy(state->number_text, sizeof(state->number_text),
                          number);

    return PAY_OK;
}


static pay_status_t
mt940_opening_first(pay_settle_reader_t *reader, pay_str_t text)
{
    return mt940_opening(reader, text, 0);
}


/* :60M: is the opening of a message that continues the one before. */
static pay_status_t
mt940_opening_next(pay_settle_reader_t *reader, pay_str_t text)
{
    return mt940_opening(reader, text, 1);
}


/* :60M: goes on with the statement of the message before, and must begin where
 * that ended.  Without such a message in this file the statement is partial:
 * its beginning is in another file. */
static pay_status_t
mt940_opening(pay_settle_reader_t *reader, pay_str_t text, int is_next)
{
    int                      goes_on;
    unsigned                 before = reader->statements;
    mt940_t                 *state = reader->state;
    mt940_balance_t          balance;
    pay_settle_statement_t  *statement;

    PAY_TRY(mt940_balance(reader, ":60F:", text, &balance));

    if (state->account[0] == '\0' || state->currency != NULL) {
        return pay_settle_refuse(reader, "tag-missing", ":25:",
                                 "an account, then one opening balance");
    }

    goes_on = is_next && state->goes_on;

    if (goes_on && state->closing != balance.minor) {
        return pay_settle_refuse(reader, "chain-broken", ":60M:",
                                 "%lld in minor units, as the message before "
                                 "ended", (long long) state->closing);
    }

    state->currency = balance.currency;
    state->goes_on = 0;

    if (goes_on) {
        return PAY_OK;
    }

    state->entries = 0;
    PAY_TRY(mt940_id(reader, state, balance.day, is_next));
    PAY_TRY(pay_settle_statement_of(reader, pay_str_of(state->id),
                                    pay_str_of(state->account),
                                    state->currency, &statement,
                                    &state->index));

    if (reader->statements == before) {
        return pay_settle_refuse(reader, "statement-doubled", ":28C:",
                                 "each statement once");
    }

    statement->has = PAY_SETTLE_HAS_OPENING;
    statement->opening = balance.minor;
    statement->number = state->number;
    statement->page = state->page;
    pay_settle_day(statement, pay_str_of(balance.day));

    if (is_next) {
        statement->has |= PAY_SETTLE_MORE_BEFORE;
    }

    return PAY_OK;
}


/* Numbers begin anew with each year, and some banks give none: the day of the
 * opening balance makes them different.  A page that opens for itself (:60F:)
 * is a statement beside the first page: some banks send several a day under
 * one number. */
static pay_status_t
mt940_id(pay_settle_reader_t *reader, mt940_t *state, const char *day,
    int is_next)
{
    unsigned   count = 0;
    pay_str_t  id, parts[5];

    parts[count++] = pay_str_of(state->number_text);
    parts[count++] = PAY_STR("/");

    if (state->page > 1 && !is_next) {
        PAY_TRY(pay_settle_number(reader, state->page, &parts[count++]));
        parts[count++] = PAY_STR("/");
    }

    parts[count++] = pay_str_of(day);

    PAY_TRY(pay_settle_join(reader, ":28C:", PAY_SETTLE_ID_MAX, &id, parts,
                            count));
    pay_settle_mt940_copy(state->id, sizeof(state->id), id);

    return PAY_OK;
}


/* The line before goes out without a text if none came. */
static pay_status_t
mt940_entry(pay_settle_reader_t *reader, pay_str_t text)
{
    mt940_t  *state = reader->state;

    PAY_TRY(mt940_flush(reader, state, NULL));

    if (state->currency == NULL || state->has_closing) {
        return pay_settle_refuse(reader, "tag-missing", ":60F:",
                                 "lines between the balances");
    }

    PAY_TRY(pay_settle_mt940_line(reader, text, state->currency,
                                  &state->line));
    state->line.line = reader->row_line;
    state->has_line = 1;

    return PAY_OK;
}


/* Without a line before it, it is about the statement.  The text of a line
 * ends it: the row is complete. */
static pay_status_t
mt940_info(pay_settle_reader_t *reader, pay_str_t text)
{
    mt940_t       *state = reader->state;
    mt940_text_t   info;

    if (!state->has_line) {
        return PAY_OK;
    }

    pay_settle_mt940_text(text, &info);

    return mt940_flush(reader, state, &info);
}


static pay_status_t
mt940_closing_last(pay_settle_reader_t *reader, pay_str_t text)
{
    return mt940_closing(reader, text, 0);
}


/* :62M: is the closing of a message that another one continues. */
static pay_status_t
mt940_closing_more(pay_settle_reader_t *reader, pay_str_t text)
{
    return mt940_closing(reader, text, 1);
}


/* :62M: announces that the statement goes on.  Each message moves the
 * statement's closing balance on, so that the last one counts. */
static pay_status_t
mt940_closing(pay_settle_reader_t *reader, pay_str_t text, int has_more)
{
    mt940_t                 *state = reader->state;
    mt940_balance_t          balance;
    pay_settle_statement_t  *statement;

    PAY_TRY(mt940_flush(reader, state, NULL));
    PAY_TRY(mt940_balance(reader, ":62F:", text, &balance));

    if (state->currency == NULL || state->has_closing) {
        return pay_settle_refuse(reader, "tag-missing", ":60F:",
                                 "one opening and one closing balance");
    }

    if (balance.currency != state->currency) {
        return pay_settle_refuse(reader, "currency-differs", ":62F:",
                                 "%s as in the opening balance",
                                 state->currency->code);
    }

    statement = pay_settle_at(reader, state->index);
    statement->has |= PAY_SETTLE_HAS_CLOSING;
    statement->has &= ~(unsigned) PAY_SETTLE_MORE_AFTER;
    statement->closing = balance.minor;
    pay_settle_day(statement, pay_str_of(balance.day));

    if (has_more) {
        statement->has |= PAY_SETTLE_MORE_AFTER;
    }

    state->goes_on = has_more;
    state->closing = balance.minor;
    state->has_closing = 1;

    return PAY_OK;
}


/* "D070903EUR1234718,36": C or D, the day, the currency, the amount. */
static pay_status_t
mt940_balance(pay_settle_reader_t *reader, const char *column, pay_str_t text,
    mt940_balance_t *balance)
{
    pay_str_t  field = pay_settle_trim(text);

    if (field.len < 11 || (field.data[0] != 'C' && field.data[0] != 'D')) {
        return pay_settle_refuse(reader, "balance-invalid", column,
                                 "a balance such as C261120EUR12,00");
    }

    PAY_TRY(pay_settle_mt940_day(reader, column,
                                 (pay_str_t) { 6, field.data + 1 },
                                 balance->day));
    PAY_TRY(pay_settle_currency(reader, column,
                                (pay_str_t) { 3, field.data + 7 },
                                &balance->currency));
    PAY_TRY(pay_settle_amount(reader, &pay_settle_unit_mt940, column,
                              (pay_str_t) { field.len - 10, field.data + 10 },
                              balance->currency, &balance->minor));

    if (field.data[0] == 'D') {
        balance->minor = -balance->minor;
    }

    return PAY_OK;
}


/* Hands the line out with its text; row_line is that of :61: for this row, and
 * is set back afterwards. */
static pay_status_t
mt940_flush(pay_settle_reader_t *reader, mt940_t *state,
    const mt940_text_t *text)
{
    int64_t             line = reader->row_line;
    mt940_line_t       *entry = &state->line;
    pay_status_t        status;
    pay_settle_row_t    row;

    if (!state->has_line) {
        return PAY_OK;
    }

    state->has_line = 0;
    state->entries++;
    reader->row_line = entry->line;
    pay_settle_row_init(reader, &row);

    PAY_TRY(mt940_key(reader, state, &row.row_key));

    row.statement = state->index;
    row.kind = entry->minor < 0 ? PAY_SETTLE_DEBIT : PAY_SETTLE_RECEIPT;
    row.raw_type = pay_str_of(entry->type);
    row.gross_minor = entry->minor;
    row.net_minor = entry->minor;
    memcpy(row.currency, state->currency->code, sizeof(row.currency));
    row.booked_on = pay_str_of(entry->booked_on);
    row.value_on = pay_str_of(entry->value_on);
    row.account = pay_str_of(state->account);
    row.payout_ref = pay_str_of(state->id);
    row.bank_ref = pay_str_of(entry->bank_ref);
    row.our_ref = pay_str_of(entry->customer_ref);
    row.note = pay_str_of(text != NULL && text->note[0] != '\0'
                          ? text->note : entry->details);

    if (text != NULL && text->end_to_end[0] != '\0') {
        row.our_ref = pay_str_of(text->end_to_end);
    }

    status = pay_settle_emit(reader, &row);
    reader->row_line = line;

    return status;
}


/* Lines have no id of their own, so their number in the statement names
 * them. */
static pay_status_t
mt940_key(pay_settle_reader_t *reader, mt940_t *state, pay_str_t *key)
{
    pay_str_t  parts[5];

    parts[0] = pay_str_of(state->account);
    parts[1] = PAY_STR("/");
    parts[2] = pay_str_of(state->id);
    parts[3] = PAY_STR("/");

    PAY_TRY(pay_settle_number(reader, state->entries, &parts[4]));

    return pay_settle_join(reader, ":28C:", PAY_SETTLE_KEY_MAX, key, parts, 5);
}


/* The end of the file ends the last message, which needs its closing
 * balance. */
static pay_status_t
mt940_finish(pay_settle_reader_t *reader)
{
    return mt940_end(reader, reader->state);
}
