/*
 * What has become of the lines of the PSPs' books, at the end: each file is
 * booked or refused as it should be, each row is found to be what it is, what
 * no row has brought is overdue, and the PSPs owe what they say.
 */

#include "settle.h"


/* A row as the gateway has it; literals of the scenario. */
typedef struct {
    const char  *key, *finding, *closed, *queued, *file;
    int          version, class;
    int          is_judged;
} row_t;

typedef struct {
    sim_t     *sim;
    row_t     *rows;
    unsigned   count;
} book_t;


static void judge_files(sim_t *sim);
static void judge_again(sim_t *sim, const sim_file_t *file);
static void read_rows(book_t *book);
static row_t *row_of(const book_t *book, pay_str_t key, const char *suffix,
    int version);
static void judge_line(book_t *book, sim_line_t *line);
static int is_found(const row_t *row, const sim_line_t *line);
static int is_in_doubt(sim_t *sim, const row_t *row, const sim_line_t *line);
static int lacks_captures(sim_t *sim, const sim_line_t *line);
static void judge_doubled(book_t *book, sim_line_t *line, row_t *row);
static void judge_batch(book_t *book, const sim_file_t *file);
static int are_beside(sim_t *sim, const sim_file_t *file);
static int version_of(sim_t *sim, const sim_file_t *file);
static void judge_rest(book_t *book);
static void judge_overdue(sim_t *sim);
static int64_t left_open(const sim_t *sim, const sim_reg_t *reg,
    const char *family);
static const char *family_of(const sim_line_t *line);
static void judge_reg(sim_t *sim, const sim_reg_t *reg);
static void judge_days(sim_t *sim);


void
sim_judge_settled(sim_t *sim)
{
    book_t       book = { .sim = sim };
    unsigned     i;
    sim_line_t  *line;
    sim_file_t  *file;

    if (sim->settle == NULL) {
        return;
    }

    judge_files(sim);
    read_rows(&book);

    for (file = sim->settle->files; file != NULL; file = file->next) {
        if (file->first != NULL) {
            judge_batch(&book, file);
        }
    }

    for (i = 0; i < SIM_PSPS; i++) {
        for (line = sim->settle->lines[i]; line != NULL; line = line->next) {
            judge_line(&book, line);
        }
    }

    judge_rest(&book);
    judge_overdue(sim);
    judge_days(sim);
}


/* I9: a file that does not hold is refused; whoever begins it again, and ends,
 * leaves it as one that has come. */
static void
judge_files(sim_t *sim)
{
    sim_rows_t   found;
    sim_file_t  *file;
    const char  *state;

    for (file = sim->settle->files; file != NULL; file = file->next) {
        found = sim_db_ask(sim->db, "SELECT f.state, f.row_count, "
            "coalesce(f.reason, '') FROM pay.settlement_file f WHERE f.source "
            "= $1 AND f.name = $2", 2,
            sim_text(sim, sim->settle->sources[file->psp->index].name),
            sim_text(sim, file->name));
        state = found.rows == 1 ? sim_db_cell(sim->db, 0, 0) : "nowhere";

        if (file->is_bad ? strcmp(state, "refused") != 0
                           && strcmp(state, "received") != 0
                         : strcmp(state, "booked") != 0)
        {
            sim_violation(sim, "I9: file %.*s is %s: %s",
                          pay_fmt(file->name), state,
                          found.rows ? sim_db_cell(sim->db, 0, 2) : "");

        } else if (!file->is_bad) {
            judge_again(sim, file);
        }
    }
}


/* The same bytes again are no news. */
static void
judge_again(sim_t *sim, const sim_file_t *file)
{
    (void) sim_db_ask(sim->db, "SELECT o.outcome FROM pay_ops.open_settlement("
        "$1, $2, 'again') o", 2,
        sim_text(sim, sim->settle->sources[file->psp->index].name),
        sim_hex(sim, file->sha256));

    if (strcmp(sim_db_cell(sim->db, 0, 0), "known") != 0) {
        sim_violation(sim, "I9: the bytes of %.*s are %s",
                      pay_fmt(file->name), sim_db_cell(sim->db, 0, 0));
    }
}


static void
read_rows(book_t *book)
{
    int          i;
    sim_t       *sim = book->sim;
    row_t       *row;
    sim_db_t    *db = sim->db;
    sim_rows_t   found;

    found = sim_db_ask(db, "SELECT r.row_key, r.version, r.class, r.finding, "
        "coalesce(x.closed_as, ''), coalesce(x.finding, ''), f.name FROM "
        "pay.settlement_row r JOIN pay.settlement_file f USING (file_id) LEFT "
        "JOIN pay.settlement_exception x USING (row_id) WHERE r.source IN "
        "($1, $2) ORDER BY r.row_key, r.version", 2,
        sim_text(sim, sim->settle->sources[0].name),
        sim_text(sim, sim->settle->sources[1].name));

    book->count = (unsigned) found.rows;
    book->rows = sim_alloc(sim, (book->count + 1) * sizeof(row_t));
    sim->figures.rows += book->count;

    for (i = 0; i < found.rows; i++) {
        row = &book->rows[i];
        row->key = sim_text(sim, pay_str_of(sim_db_cell(db, i, 0)));
        row->version = (int) strtol(sim_db_cell(db, i, 1), NULL, 10);
        row->class = (int) strtol(sim_db_cell(db, i, 2), NULL, 10);
        row->finding = sim_text(sim, pay_str_of(sim_db_cell(db, i, 3)));
        row->closed = sim_text(sim, pay_str_of(sim_db_cell(db, i, 4)));
        row->queued = sim_text(sim, pay_str_of(sim_db_cell(db, i, 5)));
        row->file = sim_text(sim, pay_str_of(sim_db_cell(db, i, 6)));
    }
}


static row_t *
row_of(const book_t *book, pay_str_t key, const char *suffix, int version)
{
    unsigned   i;
    pay_str_t  name = sim_format(book->sim, "%.*s%s", pay_fmt(key), suffix);

    for (i = 0; i < book->count; i++) {
        if (pay_str_is(name, book->rows[i].key)
            && book->rows[i].version == version)
        {
            return &book->rows[i];
        }
    }

    return NULL;
}


/* I9: the row of a line is what it is, once. */
static void
judge_line(book_t *book, sim_line_t *line)
{
    row_t  *row = row_of(book, line->key, "", 1);

    if (line->file == NULL) {
        return;                  /* in no file: the rest is judged later */
    }

    if (row == NULL) {
        sim_violation(book->sim, "I9: the row %.*s of %.*s is not kept",
                      pay_fmt(line->key), pay_fmt(line->file->name));
        return;
    }

    if (row->is_judged) {
        return;                  /* with its batch */
    }

    row->is_judged = 1;

    if (line->fault == SIM_LINE_DOUBLED) {
        judge_doubled(book, line, row);
        return;
    }

    line->is_settled = row->class <= 1 || strcmp(row->closed, "matched") == 0
                       || strcmp(row->finding, "exceeds") == 0;

    if (!is_found(row, line) && !is_in_doubt(book->sim, row, line)) {
        sim_violation(book->sim, "I9: %s %.*s of %.*s (fault %d) in %s is of "
                      "class %d: %s, %s", line->kind, pay_fmt(line->key),
                      pay_fmt(line->object), (int) line->fault, row->file,
                      row->class, row->finding, row->closed);
    }
}


static int
is_found(const row_t *row, const sim_line_t *line)
{
    switch (line->fault) {

    case SIM_LINE_AMOUNT:
    case SIM_LINE_CURRENCY:
        return row->class == 2 && *row->closed == '\0'
               && (strcmp(row->finding, "contradiction") == 0
                   || strcmp(row->finding, line->fault == SIM_LINE_AMOUNT
                                           ? "amount" : "currency") == 0);

    case SIM_LINE_STRANGE:
    case SIM_LINE_EXTRA:
        return row->class == 3 && strcmp(row->finding, "unknown") == 0
               && *row->closed == '\0';

    default:
        return row->class <= 1 || strcmp(row->closed, "matched") == 0;
    }
}


/* It is in the queue for another reason: a refund of more than there was, one
 * of several captures, or a dispute's money that comes back and has not gone,
 * as far as files say. */
static int
is_in_doubt(sim_t *sim, const row_t *row, const sim_line_t *line)
{
    const sim_line_t  *taken;

    if (strcmp(row->finding, "exceeds") == 0) {
        return sim_db_ask(sim->db, "SELECT FROM pay.mismatch WHERE "
            "merchant_id = $1 AND object = $2", 2,
            sim_text(sim, sim->merchant.id),
            sim_text(sim, line->object)).rows != 0;
    }

    if (strcmp(row->finding, "amount") == 0) {
        return lacks_captures(sim, line);
    }

    if (strcmp(line->kind, "dispute_returned") != 0
        || strcmp(row->finding, "early") != 0)
    {
        return 0;
    }

    for (taken = line->next; taken != NULL; taken = taken->next) {
        if (strcmp(taken->kind, "dispute") == 0
            && pay_str_eq(taken->object, line->object))
        {
            return taken->fault == SIM_LINE_MISSING
                   || taken->fault == SIM_LINE_STRANGE;
        }
    }

    return 0;
}


/* The PSP said of the whole order that it is paid, so that its captures are one
 * entry, which their rows settle together; and one of these does not come or
 * is of an unknown type. */
static int
lacks_captures(sim_t *sim, const sim_line_t *line)
{
    const sim_line_t  *other;

    if (line->reg == NULL || strcmp(line->kind, "sale") != 0) {
        return 0;
    }

    (void) sim_db_ask(sim->db, "SELECT coalesce(sum(j.amount_minor), 0) "
        "FROM pay.journal_entry j JOIN pay.checkout c "
        "USING (merchant_id, checkout_id) WHERE j.merchant_id = $1 "
        "AND c.checkout_uuid = $2::text::uuid AND j.kind = 'sale' "
        "AND starts_with(j.source, 'order/')", 2,
        sim_text(sim, sim->merchant.id), sim_text(sim, line->reg->reference));

    if (strtoll(sim_db_cell(sim->db, 0, 0), NULL, 10) <= line->minor) {
        return 0;
    }

    for (other = sim->settle->lines[line->reg->psp->index]; other != NULL;
         other = other->next)
    {
        if (other != line && other->reg == line->reg
            && strcmp(other->kind, "sale") == 0
            && (other->fault == SIM_LINE_MISSING
                || other->fault == SIM_LINE_STRANGE))
        {
            return 1;
        }
    }

    return 0;
}


/* One of the two is the payment's. */
static void
judge_doubled(book_t *book, sim_line_t *line, row_t *row)
{
    row_t  *twin = row_of(book, line->key, "-again", 1);
    int     good = is_found(row, line), other;

    if (twin == NULL) {
        sim_violation(book->sim, "I9: the second row of %.*s is not kept",
                      pay_fmt(line->key));
        return;
    }

    twin->is_judged = 1;
    other = is_found(twin, line);
    line->is_settled = good || other;
    row = good ? twin : row;

    if (good + other != 1 || row->class != 2
        || strcmp(row->finding, "duplicate") != 0)
    {
        sim_violation(book->sim, "I9: of two rows %.*s %d count, the other "
                      "one is of class %d: %s", pay_fmt(line->key),
                      good + other, row->class, row->finding);
    }
}


/* It came before the gateway knew of its payment, so that nothing was booked
 * of it: without it in the next version nobody has to act. */
static int
has_ended_early(const row_t *row)
{
    return row->class == 2 && strcmp(row->finding, "early") == 0
           && strcmp(row->closed, "gone") == 0;
}


/* I9: of two versions of a batch, the difference waits for an operator, and
 * nothing else: the row that only one of them has is gone or was added.  A
 * version whose booking was left and went on behind that of the other one is
 * compared with it: then the row that is booked last was added. */
static void
judge_batch(book_t *book, const sim_file_t *file)
{
    int          is_second = version_of(book->sim, file) == 2;
    int          is_beside = are_beside(book->sim, file);
    int          was_added, is_whole;
    row_t       *row;
    unsigned     i;
    sim_line_t  *lines[2];       /* of the second one alone, of the first */

    lines[is_second] = file->gone;
    lines[!is_second] = file->rows[file->row_count - 1];

    for (i = 0; i < 2; i++) {
        row = row_of(book, lines[i]->key, "", 1);

        if (row == NULL) {
            sim_violation(book->sim, "I9: the row %.*s is not kept",
                          pay_fmt(lines[i]->key));
            continue;
        }

        row->is_judged = 1;
        lines[i]->is_settled = row->class <= 1;

        was_added = strcmp(row->finding, "added") == 0;
        is_whole = is_found(row, lines[i])
                   && (i == 0 || strcmp(row->queued, "gone") == 0);
        is_whole = is_whole || (i == 1 && has_ended_early(row));

        if (is_beside ? !was_added && !is_whole
                      : i == 0 ? !was_added : !is_whole)
        {
            sim_violation(book->sim, "I9: %.*s, which %s version has alone, is "
                          "of class %d: %s, %s", pay_fmt(lines[i]->key),
                          i == 0 ? "the second" : "the first", row->class,
                          row->finding, row->queued);
        }
    }
}


/* Whether the first version was booked behind the beginning of the second. */
static int
are_beside(sim_t *sim, const sim_file_t *file)
{
    sim_rows_t  found;

    found = sim_db_ask(sim->db, "SELECT FROM pay.settlement_file f "
        "JOIN pay.settlement_file o USING (source, batch_key) "
        "WHERE f.source = $1 AND f.name = $2 AND f.version + o.version = 3 "
        "AND CASE WHEN f.version = 1 THEN f.changed_at > o.received_at "
        "ELSE o.changed_at > f.received_at END", 2,
        sim_text(sim, sim->settle->sources[file->psp->index].name),
        sim_text(sim, file->name));

    return found.rows != 0;
}


static int
version_of(sim_t *sim, const sim_file_t *file)
{
    sim_rows_t  found;

    found = sim_db_ask(sim->db, "SELECT f.version FROM pay.settlement_file f "
        "WHERE f.source = $1 AND f.name = $2", 2,
        sim_text(sim, sim->settle->sources[file->psp->index].name),
        sim_text(sim, file->name));

    return found.rows == 1
           ? (int) strtol(sim_db_cell(sim->db, 0, 0), NULL, 10) : 0;
}


/* The rest are payouts, which may come again with a version. */
static void
judge_rest(book_t *book)
{
    unsigned      i;
    const row_t  *row;

    for (i = 0; i < book->count; i++) {
        row = &book->rows[i];

        if (!row->is_judged
            && (strncmp(row->key, "po", 2) != 0
                || (row->class > 1 && strcmp(row->finding, "changed") != 0
                    && strcmp(row->finding, "added") != 0)))
        {
            sim_violation(book->sim, "I9: the row %s (version %d) of %s is of "
                          "class %d: %s", row->key, row->version, row->file,
                          row->class, row->finding);
        }
    }
}


/* I9: what the ledger has and no row has settled is overdue, and nothing
 * else. */
static void
judge_overdue(sim_t *sim)
{
    unsigned     i;
    sim_reg_t   *reg;
    sim_rows_t   found;

    for (i = 0; i < SIM_PSPS; i++) {
        do {
            found = sim_db_ask(sim->db, "SELECT FROM pay_ops.raise_overdue("
                               "$1, now() + interval '99 days') r "
                               "WHERE r.again", 1,
                               sim_text(sim, sim->settle->sources[i].name));
        } while (found.rows != 0);

        for (reg = sim->books[i].regs; reg != NULL; reg = reg->next) {
            if (!sim_reg_is_open(sim, reg)) {
                judge_reg(sim, reg);
            }
        }
    }
}


static void
judge_reg(sim_t *sim, const sim_reg_t *reg)
{
    size_t   i;
    int64_t  overdue, missing;

    static const char  *const families[] = { "sale", "refund", "fee" };

    for (i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        (void) sim_db_ask(sim->db, "SELECT coalesce(sum(x.amount_minor), 0) "
            "FROM pay.settlement_exception x JOIN pay.settlement_expected e "
            "USING (kind) JOIN pay.checkout c USING (merchant_id, checkout_id)"
            " WHERE x.finding = 'overdue' AND x.closed_at IS NULL AND "
            "x.merchant_id = $1 AND c.checkout_uuid = $2::text::uuid AND "
            "e.family = $3", 3, sim_text(sim, sim->merchant.id),
            sim_text(sim, reg->reference), families[i]);

        overdue = strtoll(sim_db_cell(sim->db, 0, 0), NULL, 10);
        missing = left_open(sim, reg, families[i]);

        if (overdue != missing) {
            sim_violation(sim, "I9: %s of %.*s: files lack %" PRId64 ", %"
                          PRId64 " are overdue", families[i],
                          pay_fmt(reg->token), missing, overdue);
        }
    }
}


static int64_t
left_open(const sim_t *sim, const sim_reg_t *reg, const char *family)
{
    int64_t            minor = 0;
    const sim_line_t  *line = sim->settle->lines[reg->psp->index];

    for ( ; line != NULL; line = line->next) {
        if (line->reg == reg && !line->is_settled
            && strcmp(family_of(line), family) == 0)
        {
            minor += line->minor - (strcmp(family, "fee") ? line->fee : 0);
        }
    }

    return minor;
}


static const char *
family_of(const sim_line_t *line)
{
    return strncmp(line->kind, "refund", 6) == 0 ? "refund"
           : strncmp(line->kind, "dispute", 7) == 0 ? "dispute" : line->kind;
}


/* I9: a closed day stays as it was. */
static void
judge_days(sim_t *sim)
{
    (void) sim_db_ask(sim->db, "SELECT c.outcome, c.document FROM "
                      "pay_ops.make_close($1::text::date) c", 1,
                      sim->settle->day);

    if (strcmp(sim_db_cell(sim->db, 0, 0), "closed") != 0
        || strcmp(sim_db_cell(sim->db, 0, 1), sim->settle->closed) != 0)
    {
        sim_violation(sim, "I9: the closed day %s is another one now",
                      sim->settle->day);
    }
}


/* Fees of rows that count, beside those that the PSP has told of. */
int64_t
sim_settled_fees(const sim_t *sim, const sim_psp_t *psp)
{
    int64_t            fees = 0;
    const sim_line_t  *line;

    line = sim->settle != NULL ? sim->settle->lines[psp->index] : NULL;

    for ( ; line != NULL; line = line->next) {
        if (line->is_settled) {
            fees -= strcmp(line->kind, "fee") != 0 ? line->fee
                    : line->reg == NULL ? line->minor : 0;
        }
    }

    return fees;
}
