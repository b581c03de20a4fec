/*
 * Settlement in /metrics: the files that this host's workers have read, and the
 * figures of the last round of settlement on any host.  A source is found by
 * its name and gets its slot when first counted; the slot is never freed, so
 * that no counter runs backwards over reloads.
 */

#include "shm/ngx_payments_count_settled.h"
#include "shm/ngx_payments_figures.h"
#include "shm/ngx_payments_zone.h"
#include "pay_json.h"
#include "pay_metric.h"
#include "pay_money.h"


#define NAME_ROOM   24


static void note_sources(ngx_payments_settled_t *settled,
    const pay_json_t *sources);
static void note_suspense(ngx_payments_settled_t *settled,
    const pay_json_t *suspense);
static void write_source_ages(pay_buf_t *buf,
    const ngx_payments_settled_t *settled, const char *name,
    const char *help, size_t offset);
static void write_exceptions(pay_buf_t *buf,
    const ngx_payments_settled_t *settled);
static void write_suspense(pay_buf_t *buf,
    const ngx_payments_settled_t *settled);
static void write_ages(pay_buf_t *buf, const ngx_payments_settled_t *settled);
static void write_counts(pay_buf_t *buf, const char *name, const char *label,
    const ngx_payments_settled_t *settled, const char *const *words,
    size_t offset);
static ngx_payments_source_stat_t *place(ngx_payments_settled_t *settled,
    pay_str_t source);
static ngx_payments_settled_t *settled_of(ngx_uint_t cell);
static ngx_uint_t word(const char *const *table, const char *text);


void
ngx_payments_count_settled_file(ngx_uint_t cell, pay_str_t source,
    const char *state)
{
    ngx_uint_t                   i;
    ngx_payments_source_stat_t  *stat;

    stat = place(settled_of(cell), source);
    i = word(ngx_payments_file_names, state);

    if (stat != NULL && i < NGX_PAYMENTS_FILES) {
        (void) ngx_atomic_fetch_add(&stat->files[i], 1);
    }
}


void
ngx_payments_count_settled_failed(ngx_uint_t cell, pay_str_t source)
{
    ngx_payments_source_stat_t  *stat;

    stat = place(settled_of(cell), source);

    if (stat != NULL) {
        (void) ngx_atomic_fetch_add(&stat->failures, 1);
    }
}


void
ngx_payments_count_close(ngx_uint_t cell, ngx_uint_t is_signed)
{
    ngx_payments_settled_t  *settled;

    settled = settled_of(cell);

    if (settled != NULL) {
        (void) ngx_atomic_fetch_add(is_signed ? &settled->closes
                                              : &settled->close_failures, 1);
    }
}


/* The figures replace the last ones; `at` is set last, so that a reader who
 * sees it sees them.  Ages are kept as points in time, since as numbers they
 * would stand still between two rounds. */
void
ngx_payments_count_settled_round(ngx_uint_t cell, pay_str_t text)
{
    pay_json_t              *json;
    ngx_uint_t               i;
    const pay_json_t        *counts, *since;
    ngx_payments_settled_t  *settled;

    settled = settled_of(cell);

    if (settled == NULL || pay_json_parse(text, NULL, &json, NULL) != PAY_OK) {
        return;
    }

    counts = pay_json_get(json, "unexplained");
    since = pay_json_get(json, "unexplained_at");

    for (i = 0; i < NGX_PAYMENTS_CLASSES; i++) {
        settled->unexplained[i] = ngx_payments_figure(
            counts, ngx_payments_class_names[i]);
        settled->unexplained_at[i] = ngx_payments_figure(
            since, ngx_payments_class_names[i]);
    }

    settled->overdue = ngx_payments_figure(json, "overdue");
    settled->differ = ngx_payments_figure(json, "differ");
    settled->expected_at = ngx_payments_figure(json, "expected_at");
    settled->unfinished_at = ngx_payments_figure(json, "unfinished_at");
    settled->closed_at = ngx_payments_figure(json, "closed_at");
    note_suspense(settled, pay_json_get(json, "suspense"));
    note_sources(settled, pay_json_get(json, "sources"));

    ngx_memory_barrier();
    settled->at = (ngx_atomic_uint_t) ngx_time();
    pay_json_free(json);
}


/* [{"source": "stripe", "file_at": 1790000000, "matched": 4, …}, …] */
static void
note_sources(ngx_payments_settled_t *settled, const pay_json_t *sources)
{
    size_t                       i, k;
    pay_str_t                    name;
    const pay_json_t            *item;
    ngx_payments_source_stat_t  *stat;

    for (i = 0; i < pay_json_size(sources); i++) {
        item = pay_json_at(sources, i);

        if (pay_json_string(pay_json_get(item, "source"), &name) != PAY_OK) {
            continue;
        }

        stat = place(settled, name);

        if (stat == NULL) {
            continue;
        }

        for (k = 0; k < NGX_PAYMENTS_ROWS; k++) {
            stat->rows[k] = ngx_payments_figure(item,
                                                ngx_payments_row_names[k]);
        }

        stat->file_at = ngx_payments_figure(item, "file_at");
        stat->balance_at = ngx_payments_figure(item, "balance_at");
    }
}


/* By the currency's place in the table, so that each amount has one writer's
 * place whatever others write. */
static void
note_suspense(ngx_payments_settled_t *settled, const pay_json_t *suspense)
{
    ngx_uint_t             i;
    const pay_currency_t  *currency = pay_currency_table();

    for (i = 0; i < NGX_PAYMENTS_CURRENCIES && currency[i].code[0] != '\0';
         i++)
    {
        settled->suspense[i] = ngx_payments_figure(suspense, currency[i].code);
    }
}


void
ngx_payments_settled_write(pay_buf_t *buf,
    const ngx_payments_cell_stat_t *stat)
{
    const ngx_payments_settled_t  *settled = &stat->settled;

    pay_metric_family(buf, "payments_settlement_files_total", "counter",
                      "Settlement files that workers have read to their end.");
    write_counts(buf, "payments_settlement_files_total", "state", settled,
                 ngx_payments_file_names,
                 offsetof(ngx_payments_source_stat_t, files));

    pay_metric_family(buf, "payments_settlement_look_failures_total",
                      "counter", "Looks at a source that have ended early.");
    write_counts(buf, "payments_settlement_look_failures_total", NULL, settled,
                 NULL, offsetof(ngx_payments_source_stat_t, failures));

    pay_metric_family(buf, "payments_closes_total", "counter",
                      "Closed days that this host has signed.");
    pay_metric_simple(buf, "payments_closes_total", settled->closes);
    pay_metric_family(buf, "payments_close_failures_total", "counter",
                      "Closes that could not be made or signed.");
    pay_metric_simple(buf, "payments_close_failures_total",
                      settled->close_failures);

    if (ngx_payments_figures_are_old(settled->at)) {
        return;
    }

    pay_metric_family(buf, "payments_settlement_rows", "gauge",
                      "Rows of booked files, by their outcome.");
    write_counts(buf, "payments_settlement_rows", "outcome", settled,
                 ngx_payments_row_names,
                 offsetof(ngx_payments_source_stat_t, rows));
    write_source_ages(buf, settled, "payments_settlement_file_age_seconds",
                      "Since when no file of a source has been booked.",
                      offsetof(ngx_payments_source_stat_t, file_at));
    write_source_ages(buf, settled,
                      "payments_settlement_balance_age_seconds",
                      "Since when the balance of a source's account at its "
                      "PSP has not been compared.",
                      offsetof(ngx_payments_source_stat_t, balance_at));
    write_exceptions(buf, settled);
    write_suspense(buf, settled);
    write_ages(buf, settled);
}


/* A series for each source that has the time at this offset. */
static void
write_source_ages(pay_buf_t *buf, const ngx_payments_settled_t *settled,
    const char *name, const char *help, size_t offset)
{
    ngx_uint_t                         i;
    const ngx_atomic_t                *at;
    const ngx_payments_source_stat_t  *stat;

    pay_metric_family(buf, name, "gauge", help);

    for (i = 0; i < NGX_PAYMENTS_SOURCES; i++) {
        stat = &settled->sources[i];
        at = (const ngx_atomic_t *) ((const u_char *) stat + offset);

        if (stat->len != 0 && *at != 0) {
            pay_metric_series(buf, name, "source",
                              (pay_str_t) { stat->len, stat->name });
            pay_metric_end(buf, ngx_payments_figure_age(*at));
        }
    }
}


static void
write_exceptions(pay_buf_t *buf, const ngx_payments_settled_t *settled)
{
    ngx_uint_t   i;
    const char  *name;

    name = "payments_settlement_unexplained";
    pay_metric_family(buf, name, "gauge",
                      "Exceptions that wait for operators, by class.");

    for (i = 0; i < NGX_PAYMENTS_CLASSES; i++) {
        pay_metric_series(buf, name, "class",
                          pay_str_of(ngx_payments_class_names[i]));
        pay_metric_end(buf, settled->unexplained[i]);
    }

    name = "payments_settlement_unexplained_oldest_seconds";
    pay_metric_family(buf, name, "gauge",
                      "How long the oldest of them has waited; 0: none.");

    for (i = 0; i < NGX_PAYMENTS_CLASSES; i++) {
        pay_metric_series(buf, name, "class",
                          pay_str_of(ngx_payments_class_names[i]));
        pay_metric_end(buf,
                       ngx_payments_figure_age(settled->unexplained_at[i]));
    }

    pay_metric_family(buf, "payments_settlement_overdue", "gauge",
                      "Exceptions that are entries which no file has brought "
                      "in time.");
    pay_metric_simple(buf, "payments_settlement_overdue", settled->overdue);

    pay_metric_family(buf, "payments_settlement_balances_differ", "gauge",
                      "Exceptions that are balances of PSPs which differ from "
                      "the ledger.");
    pay_metric_simple(buf, "payments_settlement_balances_differ",
                      settled->differ);
}


static void
write_suspense(pay_buf_t *buf, const ngx_payments_settled_t *settled)
{
    ngx_uint_t             i;
    const char            *name = "payments_settlement_suspense_minor";
    const pay_currency_t  *currency = pay_currency_table();

    pay_metric_family(buf, name, "gauge",
                      "Money of rows in suspense, whatever its sign, in minor "
                      "units.");

    for (i = 0; i < NGX_PAYMENTS_CURRENCIES && currency[i].code[0] != '\0';
         i++)
    {
        if (settled->suspense[i] != 0) {
            pay_metric_series(buf, name, "currency",
                              pay_str_of(currency[i].code));
            pay_metric_end(buf, settled->suspense[i]);
        }
    }
}


/* The close has no age before the first day is closed. */
static void
write_ages(pay_buf_t *buf, const ngx_payments_settled_t *settled)
{
    ngx_uint_t  i;

    const struct {
        const char         *name;
        const char         *help;
        ngx_atomic_uint_t   at;
        ngx_uint_t          is_left_out;
    } ages[] = {
        { "payments_settlement_expected_oldest_seconds",
          "Age of the oldest entry that no file has brought; 0: none.",
          settled->expected_at, 0 },
        { "payments_settlement_unfinished_seconds",
          "How long the oldest file that is neither booked nor refused has "
          "been left so; 0: none.", settled->unfinished_at, 0 },
        { "payments_close_age_seconds",
          "Since the end of the last day that is closed and signed.",
          settled->closed_at, settled->closed_at == 0 }
    };

    for (i = 0; i < sizeof(ages) / sizeof(ages[0]); i++) {
        pay_metric_family(buf, ages[i].name, "gauge", ages[i].help);

        if (!ages[i].is_left_out) {
            pay_metric_simple(buf, ages[i].name,
                              ngx_payments_figure_age(ages[i].at));
        }
    }
}


/* A series for each source, or for each of its words. */
static void
write_counts(pay_buf_t *buf, const char *name, const char *label,
    const ngx_payments_settled_t *settled, const char *const *words,
    size_t offset)
{
    ngx_uint_t                         i, k;
    const ngx_atomic_t                *counts;
    const ngx_payments_source_stat_t  *stat;

    for (i = 0; i < NGX_PAYMENTS_SOURCES; i++) {
        stat = &settled->sources[i];
        counts = (const ngx_atomic_t *) ((const u_char *) stat + offset);

        if (stat->len == 0) {
            continue;
        }

        for (k = 0; k == 0 || (words != NULL && words[k] != NULL); k++) {
            pay_metric_series(buf, name, "source",
                              (pay_str_t) { stat->len, stat->name });

            if (words != NULL) {
                pay_metric_more(buf, label, pay_str_of(words[k]));
            }

            pay_metric_end(buf, counts[k]);
        }
    }
}


/* NULL: there is no zone, or no place left.  The length comes last: readers,
 * who take no lock, see a name that is whole. */
static ngx_payments_source_stat_t *
place(ngx_payments_settled_t *settled, pay_str_t source)
{
    ngx_uint_t                   i;
    ngx_slab_pool_t             *pool;
    ngx_payments_source_stat_t  *stat = NULL;

    if (settled == NULL || source.len == 0
        || source.len > NGX_PAYMENTS_PSP_NAME)
    {
        return NULL;
    }

    (void) ngx_payments_shctx(&pool);
    ngx_shmtx_lock(&pool->mutex);

    for (i = 0; i < NGX_PAYMENTS_SOURCES; i++) {
        stat = &settled->sources[i];

        if (stat->len == 0) {
            ngx_memcpy(stat->name, source.data, source.len);
            ngx_memory_barrier();
            stat->len = source.len;
        }

        if (stat->len == source.len
            && ngx_memcmp(stat->name, source.data, source.len) == 0)
        {
            break;
        }
    }

    ngx_shmtx_unlock(&pool->mutex);

    return i < NGX_PAYMENTS_SOURCES ? stat : NULL;
}


static ngx_payments_settled_t *
settled_of(ngx_uint_t cell)
{
    ngx_payments_cell_stat_t  *stat = ngx_payments_cell_stat(cell);

    return stat != NULL ? &stat->settled : NULL;
}


static ngx_uint_t
word(const char *const *table, const char *text)
{
    ngx_uint_t  i;

    for (i = 0; table[i] != NULL; i++) {
        if (text != NULL && ngx_strcmp(table[i], text) == 0) {
            break;
        }
    }

    return i;
}
