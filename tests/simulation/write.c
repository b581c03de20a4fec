/*
 * The files of the simulator's PSPs: the first one's are reports like Stripe's,
 * which come again with other bytes, the second one's are the generic CSV,
 * whose last rows are totals.  They are written without src/settle.
 */

#include <stdio.h>
#include <time.h>

#include "settle.h"


typedef struct {
    unsigned  rows;
    int64_t   gross, fee, net;
} sums_t;

/* A file as it grows; sums by currency: of the rows, those of the payouts
 * included. */
typedef struct {
    sim_t       *sim;
    sim_file_t  *file;
    sums_t       sums[2];
} writer_t;


static int is_report(const sim_file_t *file);
static void add(writer_t *writer, const sim_line_t *line, const char *suffix);
static void add_payout(writer_t *writer, unsigned currency);
static void add_row(writer_t *writer, const sim_line_t *line, pay_str_t key,
    int64_t gross, unsigned currency);
static const char *type_of(const sim_file_t *file, const sim_line_t *line);
static void add_total(writer_t *writer, unsigned currency);
static pay_str_t major(sim_t *sim, int64_t minor);
static const char *when(sim_t *sim, int64_t at, char separator);
static void digest(sim_file_t *file);


static const char  *const currencies[2] = { "EUR", "USD" };


void
sim_file_write(sim_t *sim, sim_file_t *file)
{
    unsigned   i;
    writer_t   writer = { .sim = sim, .file = file };

    file->text = is_report(file)
        ? PAY_STR("balance_transaction_id,payment_intent_id,source_id,"
                  "created_utc,currency,gross,fee,net,reporting_category,"
                  "automatic_payout_id,payment_metadata[payment_reference]\n")
        : PAY_STR("row_id,type,psp_ref,parent_ref,our_ref,occurred_at,gross,"
                  "fee,net,currency,payout_id\n");

    for (i = 0; i < file->row_count; i++) {
        add(&writer, file->rows[i], "");

        if (file->rows[i]->fault == SIM_LINE_DOUBLED) {
            add(&writer, file->rows[i], "-again");
        }
    }

    for (i = 0; i < 2; i++) {
        add_payout(&writer, i);
    }

    for (i = 0; i < 2 && !is_report(file); i++) {
        add_total(&writer, i);
    }

    digest(file);
}


/* The first currency of a report is that of its first row, by which its batch
 * is named. */
static int
is_report(const sim_file_t *file)
{
    return file->psp->index == 0;
}


static void
add(writer_t *writer, const sim_line_t *line, const char *suffix)
{
    add_row(writer, line, sim_format(writer->sim, "%.*s%s",
                                     pay_fmt(line->key), suffix),
            sim_line_net(line) - line->fee,
            line->fault == SIM_LINE_CURRENCY);
}


int64_t
sim_line_net(const sim_line_t *line)
{
    return line->minor + (line->fault == SIM_LINE_AMOUNT ? 7 : 0);
}


static void
add_payout(writer_t *writer, unsigned currency)
{
    sim_file_t  *file = writer->file;
    sim_line_t   line = { .kind = "payout", .at = writer->sim->now };

    if (writer->sums[currency].net == 0) {
        return;
    }

    line.object = sim_format(writer->sim, "%.*s_%s", pay_fmt(file->payout),
                             currencies[currency]);
    add_row(writer, &line, line.object, -writer->sums[currency].net,
            currency);
}


/* Stripe's fees of the account stand in gross, and a fee in a row is positive
 * when it was charged. */
static void
add_row(writer_t *writer, const sim_line_t *line, pay_str_t key,
    int64_t gross, unsigned currency)
{
    int         own = strcmp(line->kind, "fee") == 0;
    sim_t      *sim = writer->sim;
    sums_t     *sums = &writer->sums[currency];
    int64_t     fee = line->fee, net = gross + line->fee;
    pay_str_t   parent = PAY_STR(""), ours = PAY_STR(""), payout;

    if (line->reg != NULL) {
        parent = line->reg->token;
        ours = line->reg->nonce;

    } else if (line->fault == SIM_LINE_EXTRA) {
        parent = sim_format(sim, "x%.*s", pay_fmt(line->object));
    }

    payout = sim_format(sim, "%.*s_%s", pay_fmt(writer->file->payout),
                        currencies[currency]);

    if (is_report(writer->file)) {
        writer->file->text = sim_format(sim,
            "%.*s%.*s,%.*s,%.*s,%s,%s,%s,%s,%s,%s,%.*s,%.*s\n",
            pay_fmt(writer->file->text), pay_fmt(key), pay_fmt(parent),
            pay_fmt(line->object), when(sim, line->at, ' '),
            currency ? "usd" : "eur", (const char *) major(sim, gross).data,
            (const char *) major(sim, -fee).data,
            (const char *) major(sim, net).data,
            type_of(writer->file, line), pay_fmt(payout), pay_fmt(ours));

    } else {
        fee = own ? net : fee;
        gross = net - fee;
        writer->file->text = sim_format(sim,
            "%.*s%.*s,%s,%.*s,%.*s,%.*s,%sZ,%s,%s,%s,%s,%.*s\n",
            pay_fmt(writer->file->text), pay_fmt(key),
            type_of(writer->file, line), pay_fmt(line->object),
            pay_fmt(parent), pay_fmt(ours), when(sim, line->at, 'T'),
            (const char *) major(sim, gross).data,
            (const char *) major(sim, fee).data,
            (const char *) major(sim, net).data, currencies[currency],
            pay_fmt(payout));
    }

    sums->rows++;
    sums->gross += gross;
    sums->fee += fee;
    sums->net += net;
}


static const char *
type_of(const sim_file_t *file, const sim_line_t *line)
{
    size_t  i;

    static const char  *const words[][2] = {
        { "sale", "charge" }, { "refund_returned", "refund_failure" },
        { "dispute_returned", "dispute_reversal" }
    };

    if (line->fault == SIM_LINE_STRANGE) {
        return "surprise";
    }

    for (i = 0; is_report(file) && i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(line->kind, words[i][0]) == 0) {
            return words[i][1];
        }
    }

    return line->kind;
}


static void
add_total(writer_t *writer, unsigned currency)
{
    sim_t         *sim = writer->sim;
    const sums_t  *sums = &writer->sums[currency];

    if (sums->rows == 0) {
        return;
    }

    writer->file->text = sim_format(sim, "%.*stotal,%u,,,,,%s,%s,%s,%s,\n",
        pay_fmt(writer->file->text), sums->rows,
        (const char *) major(sim, sums->gross).data,
        (const char *) major(sim, sums->fee).data,
        (const char *) major(sim, sums->net).data, currencies[currency]);
}


static pay_str_t
major(sim_t *sim, int64_t minor)
{
    pay_str_t  text = sim_amount(sim, minor < 0 ? -minor : minor);

    return minor < 0 ? sim_format(sim, "-%.*s", pay_fmt(text)) : text;
}


static const char *
when(sim_t *sim, int64_t at, char separator)
{
    time_t     seconds = (time_t) (at / SIM_S);
    struct tm  tm;

    (void) gmtime_r(&seconds, &tm);

    return (const char *) sim_format(sim, "%04d-%02d-%02d%c%02d:%02d:%02d",
        tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, separator, tm.tm_hour,
        tm.tm_min, tm.tm_sec).data;
}


static void
digest(sim_file_t *file)
{
    if (pay_sha256(file->text, file->sha256) != PAY_OK) {
        sim_die("no digest");
    }
}


/* A total or a payout that is off by one, or a file without its end. */
int
sim_file_spoil(sim_t *sim, sim_file_t *file)
{
    size_t          i, n = file->text.len;
    unsigned char  *text = (unsigned char *) sim_text(sim, file->text);

    /* the last line */
    for (i = n - 1; i > 0 && text[i - 1] != '\n'; i--) { /* void */ }

    if (!is_report(file) && sim_chance(sim, 500)) {
        n = (size_t) sim_between(sim, (int64_t) i / 2, (int64_t) i);

    } else if (sim_find((pay_str_t) { n - i, text + i },
                        is_report(file) ? ",payout," : "total,") == NULL)
    {
        return 0;

    } else {
        for (i = n - 1; text[i] != '.'; i--) { /* void */ }

        text[i + 1] = (unsigned char) (text[i + 1] == '9' ? '8'
                                                          : text[i + 1] + 1);
    }

    file->text = (pay_str_t) { n, text };
    file->is_bad = 1;
    digest(file);

    return 1;
}
