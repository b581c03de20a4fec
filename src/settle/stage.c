/*
 * A file on its way to PostgreSQL: the batch that it is, the sums of its rows,
 * the reason of its refusal in words for operators, and the limits of a row.
 * payctl and the workers read files with these, so that both import alike.
 */

#include "settle/settle.h"

#include <inttypes.h>


#define STAGE_ID_MAX      255          /* bytes: the domain pay.id */
#define STAGE_RATE_MAX    40
#define STAGE_CURRENCIES  32
#define STAGE_BATCH_MAX   512
#define STAGE_STATED_MAX  16384
#define STAGE_REASON_MAX  500

/* The statements of a file in one currency. */
typedef struct {
    const char  *currency;
    int64_t      rows, gross, fee, tax, net, opening, closing;
    int          has_balance;          /* all of them */
} stage_sum_t;


static stage_sum_t *stage_sum(stage_sum_t *sums, unsigned *count,
    const pay_settle_statement_t *statement);
static void stage_page_sum(pay_buf_t *buf, const pay_settle_page_sum_t *sum,
    int is_next, int is_footer);
static void stage_add(pay_buf_t *buf, const char *name, int64_t value);


pay_status_t
pay_settle_batch(pay_arena_t *arena, const pay_settle_reader_t *reader,
    pay_str_t *batch)
{
    unsigned                       i;
    const pay_settle_statement_t  *one;

    *batch = PAY_STR("");

    if (reader->batch.len != 0) {
        return pay_dup(arena, reader->batch, batch);
    }

    for (i = 0; (one = pay_settle_statement(reader, i)) != NULL; i++) {
        if (one->id[0] != '\0') {
            return pay_format(arena, batch, STAGE_BATCH_MAX,
                              "%s/%s/%s/%" PRId64 "/%" PRId64, one->account,
                              one->id, one->currency, one->number, one->page);
        }
    }

    return PAY_OK;
}


pay_status_t
pay_settle_stated(pay_arena_t *arena, const pay_settle_reader_t *reader,
    pay_str_t *stated)
{
    unsigned                       i, count = 0;
    pay_buf_t                      buf;
    stage_sum_t                    sums[STAGE_CURRENCIES];
    const pay_settle_statement_t  *one;

    for (i = 0; (one = pay_settle_statement(reader, i)) != NULL; i++) {
        if (one->rows > 0 && stage_sum(sums, &count, one) == NULL) {
            break;
        }
    }

    pay_buf_init(&buf, arena, STAGE_STATED_MAX);
    pay_buf_text(&buf, "{");

    for (i = 0; i < count; i++) {
        pay_buf_text(&buf, i > 0 ? ",\"" : "\"");
        pay_buf_text(&buf, sums[i].currency);
        pay_buf_text(&buf, "\":{\"rows\":");
        pay_buf_int(&buf, sums[i].rows);
        stage_add(&buf, "gross", sums[i].gross);
        stage_add(&buf, "fee", sums[i].fee);
        stage_add(&buf, "tax", sums[i].tax);
        stage_add(&buf, "net", sums[i].net);

        if (sums[i].has_balance) {
            stage_add(&buf, "opening", sums[i].opening);
            stage_add(&buf, "closing", sums[i].closing);
        }

        pay_buf_text(&buf, "}");
    }

    pay_buf_text(&buf, "}");

    return pay_buf_done(&buf, stated);
}


/* NULL: too many currencies, or the file does not say which one. */
static stage_sum_t *
stage_sum(stage_sum_t *sums, unsigned *count,
    const pay_settle_statement_t *statement)
{
    unsigned      i;
    stage_sum_t  *sum;

    for (i = 0; i < *count; i++) {
        if (strcmp(sums[i].currency, statement->currency) == 0) {
            break;
        }
    }

    if (i == STAGE_CURRENCIES || strspn(statement->currency,
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3)
    {
        return NULL;
    }

    sum = &sums[i];

    if (i == *count) {
        memset(sum, 0, sizeof(*sum));
        sum->currency = statement->currency;
        sum->has_balance = 1;
        (*count)++;
    }

    sum->rows += statement->rows;
    sum->gross += statement->gross;
    sum->fee += statement->fee;
    sum->tax += statement->tax;
    sum->net += statement->net;

    /* each statement balances, and so do their sums */
    sum->has_balance = sum->has_balance
                       && (statement->has & PAY_SETTLE_HAS_OPENING)
                       && (statement->has & PAY_SETTLE_HAS_CLOSING)
                       && !__builtin_add_overflow(sum->opening,
                              statement->opening, &sum->opening)
                       && !__builtin_add_overflow(sum->closing,
                              statement->closing, &sum->closing);

    return sum;
}


int64_t
pay_settle_page(const pay_settle_reader_t *reader)
{
    return reader->page != NULL ? reader->page->number : 0;
}


pay_status_t
pay_settle_page_stated(pay_arena_t *arena, const pay_settle_reader_t *reader,
    pay_str_t *stated)
{
    unsigned                  i;
    pay_buf_t                 buf;
    const pay_settle_page_t  *page = reader->page;

    *stated = PAY_STR("");

    if (page == NULL) {
        return PAY_OK;
    }

    pay_buf_init(&buf, arena, 2 * STAGE_STATED_MAX);
    pay_buf_text(&buf, "{\"number\":");
    pay_buf_int(&buf, page->number);
    pay_buf_text(&buf, page->is_last ? ",\"last\":true" : ",\"last\":false");

    if (page->is_last && page->all_rows > 0) {
        stage_add(&buf, "rows", page->all_rows);
    }

    pay_buf_text(&buf, ",\"own\":{");

    for (i = 0; i < page->own_count; i++) {
        stage_page_sum(&buf, &page->own[i], i > 0, 0);
    }

    pay_buf_text(&buf, "},\"all\":{");

    for (i = 0; i < page->all_count; i++) {
        stage_page_sum(&buf, &page->all[i], i > 0, 1);
    }

    pay_buf_text(&buf, "}}");

    return pay_buf_done(&buf, stated);
}


/* The two fees of a footer may stand in either order. */
static void
stage_page_sum(pay_buf_t *buf, const pay_settle_page_sum_t *sum, int is_next,
    int is_footer)
{
    pay_buf_text(buf, is_next ? ",\"" : "\"");
    pay_buf_text(buf, sum->currency->code);
    pay_buf_text(buf, "\":{\"rows\":");
    pay_buf_int(buf, sum->rows);
    stage_add(buf, "in", sum->gross_in);
    stage_add(buf, "out", sum->gross_out);

    if (!is_footer) {
        stage_add(buf, "fee_in", sum->fees[0]);
        stage_add(buf, "fee_out", sum->fees[1]);
        pay_buf_text(buf, "}");
        return;
    }

    pay_buf_text(buf, ",\"fees\":[");
    pay_buf_int(buf, sum->fees[0]);
    pay_buf_text(buf, ",");
    pay_buf_int(buf, sum->fees[1]);
    pay_buf_text(buf, "],\"nets\":[");
    pay_buf_int(buf, sum->nets[0]);

    if (sum->net_count > 1) {
        pay_buf_text(buf, ",");
        pay_buf_int(buf, sum->nets[1]);
    }

    pay_buf_text(buf, "]}");
}


static void
stage_add(pay_buf_t *buf, const char *name, int64_t value)
{
    pay_buf_text(buf, ",\"");
    pay_buf_text(buf, name);
    pay_buf_text(buf, "\":");
    pay_buf_int(buf, value);
}


pay_status_t
pay_settle_why(pay_arena_t *arena, const pay_settle_reader_t *reader,
    pay_settle_verdict_t verdict, pay_str_t *reason)
{
    pay_buf_t                    buf;
    const pay_settle_refusal_t  *why = pay_settle_refusal(reader);

    pay_buf_init(&buf, arena, STAGE_REASON_MAX);

    if (why == NULL) {
        pay_buf_text(&buf, verdict == PAY_SETTLE_PARTIAL
                           ? "parts of it are in other files"
                           : "not readable");
        return pay_buf_done(&buf, reason);
    }

    if (why->line > 0) {
        pay_buf_text(&buf, "line ");
        pay_buf_int(&buf, why->line);
        pay_buf_text(&buf, why->column[0] != '\0' ? ", " : "");
    }

    if (why->column[0] != '\0') {
        pay_buf_text(&buf, "column ");
        pay_buf_text(&buf, why->column);

    } else if (why->line == 0) {
        pay_buf_text(&buf, "the file");
    }

    pay_buf_text(&buf, ": ");
    pay_buf_text(&buf, why->reason);

    if (why->expected[0] != '\0') {
        pay_buf_text(&buf, ", expected ");
        pay_buf_text(&buf, why->expected);
    }

    return pay_buf_done(&buf, reason);
}


const char *
pay_settle_too_long(const pay_settle_row_t *row)
{
    size_t  i;

    const struct {
        const char  *name;
        pay_str_t    text;
    } ids[] = {
        { "psp_ref", row->psp_ref }, { "parent_ref", row->parent_ref },
        { "our_ref", row->our_ref }, { "payout_id", row->payout_ref }
    };

    for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        if (ids[i].text.len > STAGE_ID_MAX) {
            return ids[i].name;
        }
    }

    return NULL;
}


pay_str_t
pay_settle_rate(pay_str_t rate)
{
    size_t  i, points = 0, digits = 0;

    for (i = 0; i < rate.len; i++) {
        points += rate.data[i] == '.';
        digits += rate.data[i] >= '1' && rate.data[i] <= '9';

        if (rate.data[i] != '.' && (rate.data[i] < '0' || rate.data[i] > '9')) {
            return PAY_STR("");
        }
    }

    return points <= 1 && digits > 0 && rate.len <= STAGE_RATE_MAX
           ? rate : PAY_STR("");
}
