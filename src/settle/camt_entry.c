/*
 * Entries of a camt.053 or camt.054.  One with a single part takes that part's
 * references; one with several is followed by nothing of theirs but preceded by
 * a detail for each, whose parent is the entry.
 *
 *    Ntry opens ─┬─ no TxDtls ──────────────▶ one row, of the entry
 *                ├─ one TxDtls ─────────────▶ one row, with its references
 *                └─ TxDtls, TxDtls, … ──────▶ a detail each, then the row
 *
 * A batched entry is one amount on the account and several payments, for
 * example a direct debit run; only the entry is in the sums.
 */

#include "settle/camt.h"


#define ENTRY        "/Ntry"
#define PART         "/Ntry/NtryDtls/TxDtls"
#define ENTRY_PARTS  9

/* Where the text of a path is kept: an offset in camt_entry_t or camt_part_t,
 * and how many bytes fit. */
typedef struct {
    const char  *path;
    size_t       offset;
    size_t       size;
} entry_text_t;

#define ENTRY_TEXT(path, member)                                              \
    { path, offsetof(camt_entry_t, member),                                   \
      sizeof(((camt_entry_t *) NULL)->member) }
#define PART_TEXT(path, member)                                               \
    { path, offsetof(camt_part_t, member),                                    \
      sizeof(((camt_part_t *) NULL)->member) }


static pay_status_t entry_leaf(pay_settle_reader_t *reader,
    camt_entry_t *entry, const char *path, pay_str_t text,
    pay_str_t currency);
static pay_status_t entry_text(pay_settle_reader_t *reader,
    const entry_text_t *texts, void *to, const char *path, pay_str_t text);
static pay_status_t part_leaf(pay_settle_reader_t *reader, camt_part_t *part,
    const char *path, pay_str_t text, pay_str_t currency);
static pay_status_t part_amount(pay_settle_reader_t *reader,
    camt_part_t *part, const char *column, pay_str_t text,
    pay_str_t currency);
static void part_note(camt_part_t *part, pay_str_t text);
static pay_status_t entry_end(pay_settle_reader_t *reader, camt_t *state);
static pay_status_t entry_check(pay_settle_reader_t *reader, camt_t *state);
static pay_status_t entry_detail(pay_settle_reader_t *reader, camt_t *state);
static pay_status_t entry_row(pay_settle_reader_t *reader, camt_t *state,
    const camt_part_t *part, pay_settle_row_t *row);
static pay_status_t entry_key(pay_settle_reader_t *reader, camt_t *state,
    unsigned detail, pay_str_t *key);
static pay_status_t entry_type(pay_settle_reader_t *reader,
    const camt_entry_t *entry, pay_str_t *type);


/* Sts is a text in older versions and holds Cd in newer ones.  BkTxCd has the
 * ISO code of the transaction (domain, family, sub-family) and the bank's
 * own. */
static const entry_text_t  entry_texts[] = {
    ENTRY_TEXT("/Sts", status),
    ENTRY_TEXT("/Sts/Cd", status),
    ENTRY_TEXT("/BkTxCd/Domn/Cd", domain),
    ENTRY_TEXT("/BkTxCd/Domn/Fmly/Cd", family),
    ENTRY_TEXT("/BkTxCd/Domn/Fmly/SubFmlyCd", sub_family),
    ENTRY_TEXT("/BkTxCd/Prtry/Cd", own_code),
    ENTRY_TEXT("/AcctSvcrRef", whole.bank_ref),
    { NULL, 0, 0 }
};

/* Two spellings of the creditor's reference occur in files: Ref, CdtrRef. */
static const entry_text_t  part_texts[] = {
    PART_TEXT("/Refs/EndToEndId", end_to_end),
    PART_TEXT("/Refs/AcctSvcrRef", bank_ref),
    PART_TEXT("/RmtInf/Strd/CdtrRefInf/Ref", structured),
    PART_TEXT("/RmtInf/Strd/CdtrRefInf/CdtrRef", structured),
    PART_TEXT("/RtrInf/Rsn/Cd", reason),
    { NULL, 0, 0 }
};


/* A second part proves that the entry is a batch, so the first one, which was
 * kept back, becomes a detail. */
pay_status_t
pay_settle_camt_opened(pay_settle_reader_t *reader, camt_t *state,
    const char *path)
{
    camt_entry_t  *entry = &state->entry;

    if (strcmp(path, ENTRY) == 0) {
        memset(entry, 0, sizeof(*entry));
        entry->line = reader->line;
        reader->scratch_len = 0;
        state->entries++;
        return PAY_OK;
    }

    if (strcmp(path, PART) != 0) {
        return PAY_OK;
    }

    /* the part before this one can't be the only one any more */
    if (entry->details != 0) {
        reader->row_line = entry->line;
        PAY_TRY(entry_detail(reader, state));
    }

    entry->details++;
    memset(&entry->part, 0, sizeof(entry->part));

    return PAY_OK;
}


/* Elements outside of entries are not its matter: PAY_OK. */
pay_status_t
pay_settle_camt_closed(pay_settle_reader_t *reader, camt_t *state,
    const char *path, pay_str_t text, pay_str_t currency)
{
    size_t  part_len = strlen(PART), entry_len = strlen(ENTRY);

    if (strncmp(path, ENTRY, entry_len) != 0
        || (path[entry_len] != '\0' && path[entry_len] != '/'))
    {
        return PAY_OK;
    }

    reader->row_line = state->entry.line;

    if (path[entry_len] == '\0') {
        return entry_end(reader, state);
    }

    if (strncmp(path, PART, part_len) == 0 && path[part_len] == '/') {
        return part_leaf(reader, &state->entry.part, path + part_len, text,
                         currency);
    }

    return entry_leaf(reader, &state->entry, path + entry_len, text, currency);
}


/* RvslInd does not turn the sign: CdtDbtInd has the direction of this booking
 * already, and the flag only says that it takes back another one. */
static pay_status_t
entry_leaf(pay_settle_reader_t *reader, camt_entry_t *entry, const char *path,
    pay_str_t text, pay_str_t currency)
{
    if (strcmp(path, "/Amt") == 0) {
        return part_amount(reader, &entry->whole, "Ntry/Amt", text, currency);
    }

    if (strcmp(path, "/CdtDbtInd") == 0) {
        return pay_settle_camt_side(reader, text, &entry->whole.sign);
    }

    if (strcmp(path, "/RvslInd") == 0) {
        entry->is_reversal = pay_str_is(text, "true")
                             || pay_str_is(text, "1");
        return PAY_OK;
    }

    if (strcmp(path, "/BookgDt/Dt") == 0 || strcmp(path, "/BookgDt/DtTm") == 0)
    {
        PAY_TRY(pay_settle_keep(reader, "Ntry/BookgDt", text,
                                entry->booked_text,
                                sizeof(entry->booked_text)));
        return pay_settle_camt_day(reader, "Ntry/BookgDt", text,
                                   entry->booked_on);
    }

    if (strcmp(path, "/ValDt/Dt") == 0 || strcmp(path, "/ValDt/DtTm") == 0) {
        return pay_settle_camt_day(reader, "Ntry/ValDt", text,
                                   entry->value_on);
    }

    if (strcmp(path, "/AddtlNtryInf") == 0) {
        part_note(&entry->whole, text);
        return PAY_OK;
    }

    /* a container that is also a name of a text: Sts of version 8 */
    return text.len == 0 ? PAY_OK : entry_text(reader, entry_texts, entry,
                                               path, text);
}


/* Paths that are in no table are left out: the schema has hundreds that say
 * nothing about the booking. */
static pay_status_t
entry_text(pay_settle_reader_t *reader, const entry_text_t *texts, void *to,
    const char *path, pay_str_t text)
{
    while (texts->path != NULL) {
        if (strcmp(path, texts->path) == 0) {
            return pay_settle_keep(reader, path, text,
                                   (char *) to + texts->offset,
                                   texts->size);
        }

        texts++;
    }

    return PAY_OK;
}


/* AmtDtls/TxAmt counts only where the part has no Amt of its own. */
static pay_status_t
part_leaf(pay_settle_reader_t *reader, camt_part_t *part, const char *path,
    pay_str_t text, pay_str_t currency)
{
    if (strcmp(path, "/Amt") == 0
        || (strcmp(path, "/AmtDtls/TxAmt/Amt") == 0 && !part->has_amount))
    {
        return part_amount(reader, part, "TxDtls/Amt", text, currency);
    }

    if (strcmp(path, "/CdtDbtInd") == 0) {
        return pay_settle_camt_side(reader, text, &part->sign);
    }

    if (strcmp(path, "/RmtInf/Ustrd") == 0
        || strcmp(path, "/AddtlTxInf") == 0)
    {
        part_note(part, text);
        return PAY_OK;
    }

    return entry_text(reader, part_texts, part, path, text);
}


/* The amount has no sign and its currency as an attribute. */
static pay_status_t
part_amount(pay_settle_reader_t *reader, camt_part_t *part,
    const char *column, pay_str_t text, pay_str_t currency)
{
    PAY_TRY(pay_settle_currency(reader, column, currency, &part->currency));
    PAY_TRY(pay_settle_amount(reader, &pay_settle_unit_camt, column, text,
                              part->currency, &part->amount));
    part->has_amount = 1;

    return PAY_OK;
}


/* Texts of a reference are cut at 140 characters and go on in the next
 * element: they are joined without a blank.  A text that does not fit any more
 * is left out: the note is for reading and for finding a reference, and never
 * a sum. */
static void
part_note(camt_part_t *part, pay_str_t text)
{
    if (text.len != 0 && text.len < CAMT_NOTE_MAX - part->note_len) {
        memcpy(part->note + part->note_len, text.data, text.len);
        part->note_len += text.len;
    }
}


/* BOOK is the only status that moved money; PDNG and INFO are counted as
 * skipped. */
static pay_status_t
entry_end(pay_settle_reader_t *reader, camt_t *state)
{
    camt_entry_t            *entry = &state->entry;
    pay_settle_row_t         row;
    const camt_part_t       *part = &entry->whole;

    PAY_TRY(entry_check(reader, state));

    if (strcmp(entry->status, "BOOK") != 0) {
        reader->skipped++;
        return PAY_OK;
    }

    if (entry->details > 1) {
        PAY_TRY(entry_detail(reader, state));

    } else if (entry->details == 1) {
        part = &entry->part;
    }

    pay_settle_row_init(reader, &row);
    PAY_TRY(entry_row(reader, state, part, &row));
    PAY_TRY(entry_key(reader, state, 0, &row.row_key));

    row.gross_minor = entry->whole.sign * entry->whole.amount;
    row.net_minor = row.gross_minor;
    row.kind = entry->whole.sign > 0 ? PAY_SETTLE_RECEIPT : PAY_SETTLE_DEBIT;

    if (row.bank_ref.len == 0) {
        row.bank_ref = pay_str_of(entry->whole.bank_ref);
    }

    if (row.note.len == 0) {
        row.note = (pay_str_t) { entry->whole.note_len,
                                 (unsigned char *) entry->whole.note };
    }

    return pay_settle_emit(reader, &row);
}


/* The statement's currency is that of its first entry; an account has one. */
static pay_status_t
entry_check(pay_settle_reader_t *reader, camt_t *state)
{
    camt_entry_t  *entry = &state->entry;

    if (!entry->whole.has_amount || entry->whole.sign == 0
        || entry->status[0] == '\0')
    {
        return pay_settle_refuse(reader, "member-missing", "Ntry",
                                 "Amt, CdtDbtInd and Sts in this element");
    }

    PAY_TRY(pay_settle_camt_begin(reader, state, entry->whole.currency));

    if (entry->whole.currency != state->currency) {
        return pay_settle_refuse(reader, "currency-differs", "Ntry/Amt/@Ccy",
                                 "%s as in the entries before",
                                 state->currency->code);
    }

    return PAY_OK;
}


/* The part that was read last, as a row of its own.  Entries that are not
 * booked have none.  A part in another currency than the account's has no
 * amount in the account's terms; it is kept as the paid amount. */
static pay_status_t
entry_detail(pay_settle_reader_t *reader, camt_t *state)
{
    int                 sign;
    camt_entry_t       *entry = &state->entry;
    pay_settle_row_t    row;
    const camt_part_t  *part = &entry->part;

    PAY_TRY(entry_check(reader, state));

    if (strcmp(entry->status, "BOOK") != 0) {
        return PAY_OK;
    }

    reader->scratch_len = 0;
    pay_settle_row_init(reader, &row);
    PAY_TRY(entry_row(reader, state, part, &row));
    PAY_TRY(entry_key(reader, state, 0, &row.parent_ref));
    PAY_TRY(entry_key(reader, state, ++entry->emitted, &row.row_key));

    sign = part->sign != 0 ? part->sign : entry->whole.sign;
    row.is_detail = 1;
    row.kind = sign > 0 ? PAY_SETTLE_RECEIPT : PAY_SETTLE_DEBIT;

    if (part->has_amount && part->currency == state->currency) {
        row.gross_minor = sign * part->amount;
        row.net_minor = row.gross_minor;

    } else if (part->has_amount) {
        row.paid_minor = sign * part->amount;
        memcpy(row.paid_currency, part->currency->code,
               sizeof(row.paid_currency));
    }

    return pay_settle_emit(reader, &row);
}


/* A return carries the bank's reason code (RtrInf) in front of the note, where
 * an operator sees it. */
static pay_status_t
entry_row(pay_settle_reader_t *reader, camt_t *state, const camt_part_t *part,
    pay_settle_row_t *row)
{
    pay_str_t      booked;
    camt_entry_t  *entry = &state->entry;

    row->statement = state->index;
    memcpy(row->currency, state->currency->code, sizeof(row->currency));
    row->account = pay_str_of(state->account);
    row->payout_ref = pay_str_of(state->id);
    row->booked_on = pay_str_of(entry->booked_on[0] != '\0'
                                ? entry->booked_on : entry->value_on);
    row->value_on = pay_str_of(entry->value_on);
    row->bank_ref = pay_str_of(part->bank_ref);
    row->psp_ref = pay_str_of(part->structured);
    row->our_ref = pay_str_of(part->end_to_end);
    row->rate = PAY_STR("");
    row->note = (pay_str_t) { part->note_len, (unsigned char *) part->note };

    if (pay_str_is(row->our_ref, "NOTPROVIDED")) {
        row->our_ref = PAY_STR("");
    }

    if (part->reason[0] != '\0') {
        const pay_str_t  parts[] = { PAY_STR("RETURN "),
                                     pay_str_of(part->reason), PAY_STR(" "),
                                     row->note };
        unsigned         count = row->note.len != 0 ? 4 : 2;

        PAY_TRY(pay_settle_join(reader, "RtrInf", 2 * CAMT_NOTE_MAX,
                                &row->note, parts, count));
        row->note = pay_settle_clip(row->note);
    }

    /* a date has no time, whether or not it has a zone */
    booked = pay_str_of(entry->booked_text);
    if (booked.len > 10 && memchr("Z+-", booked.data[10], 3) == NULL) {
        PAY_TRY(pay_settle_occurred(reader, "Ntry/BookgDt", booked,
                                    PAY_STR(""), row));
    }

    return entry_type(reader, entry, &row->raw_type);
}


/* The bank's own reference is optional and not always unique.  So the place of
 * the entry in the statement names it: account, statement, page, number of the
 * entry, and number of the detail. */
static pay_status_t
entry_key(pay_settle_reader_t *reader, camt_t *state, unsigned detail,
    pay_str_t *key)
{
    unsigned   count = 7;
    pay_str_t  parts[ENTRY_PARTS];

    parts[0] = pay_str_of(state->account);
    parts[1] = PAY_STR("/");
    parts[2] = pay_str_of(state->id);
    parts[3] = PAY_STR("/");
    parts[5] = PAY_STR("/");
    parts[7] = PAY_STR("/");

    PAY_TRY(pay_settle_number(reader, state->page, &parts[4]));
    PAY_TRY(pay_settle_number(reader, state->entries, &parts[6]));

    if (detail != 0) {
        PAY_TRY(pay_settle_number(reader, detail, &parts[8]));
        count = ENTRY_PARTS;
    }

    return pay_settle_join(reader, "Stmt/Id", PAY_SETTLE_KEY_MAX, key, parts,
                           count);
}


/* "PMNT-RCDT-ESCT", or the bank's own; a reversal says so. */
static pay_status_t
entry_type(pay_settle_reader_t *reader, const camt_entry_t *entry,
    pay_str_t *type)
{
    unsigned   count = 0;
    pay_str_t  parts[6];

    if (entry->domain[0] != '\0') {
        parts[count++] = pay_str_of(entry->domain);
        parts[count++] = PAY_STR("-");
        parts[count++] = pay_str_of(entry->family);
        parts[count++] = PAY_STR("-");
        parts[count++] = pay_str_of(entry->sub_family);

    } else if (entry->own_code[0] != '\0') {
        parts[count++] = pay_str_of(entry->own_code);
    }

    if (entry->is_reversal) {
        parts[count] = count != 0 ? PAY_STR(" REVERSAL")
                                  : PAY_STR("REVERSAL");
        count++;
    }

    return pay_settle_join(reader, "BkTxCd", PAY_SETTLE_TEXT_MAX, type, parts,
                           count);
}
