/*
 * Series that several parts of /metrics write: histograms, and a counter for
 * each word of a table.
 */

#include "shm/ngx_payments_series.h"
#include "pay_metric.h"


/* The count is the sum of what is printed here, so that it always equals the
 * last bucket, whatever is counted meanwhile. */
void
ngx_payments_histogram_write(pay_buf_t *buf, const char *name,
    const char *label, pay_str_t value, const ngx_payments_histogram_t *h,
    const ngx_payments_exemplar_t *seen)
{
    u_char              text[NGX_ATOMIC_T_LEN + 4];
    char                full[80];
    pay_str_t           sum = { 0, text };
    ngx_uint_t          i;
    ngx_atomic_uint_t   count, ms;
    ngx_payments_exemplar_text_t   exemplar;

    for (i = 0, count = 0; i <= NGX_PAYMENTS_LES; i++) {
        count |= h->count[i];
    }

    if (count == 0) {
        return;
    }

    (void) ngx_snprintf((u_char *) full, sizeof(full), "%s_bucket%Z", name);

    for (i = 0, count = 0; i <= NGX_PAYMENTS_LES; i++) {
        count += h->count[i];
        pay_metric_series(buf, full, label, value);
        pay_metric_more(buf, "le",
                        i == NGX_PAYMENTS_LES
                        ? PAY_STR("+Inf")
                        : pay_str_of(ngx_payments_le_names[i]));
        pay_metric_end_seen(buf, count,
                            seen == NULL ? NULL
                            : ngx_payments_exemplar_get(&seen[i], &exemplar));
    }

    ms = h->sum_ms;
    sum.len = ngx_sprintf(text, "%uA.%03uA", ms / 1000, ms % 1000) - text;

    (void) ngx_snprintf((u_char *) full, sizeof(full), "%s_sum%Z", name);
    pay_metric_series(buf, full, label, value);
    pay_buf_text(buf, "} ");
    pay_buf_add(buf, sum);
    pay_buf_text(buf, "\n");

    (void) ngx_snprintf((u_char *) full, sizeof(full), "%s_count%Z", name);
    pay_metric_series(buf, full, label, value);
    pay_metric_end(buf, count);
}


void
ngx_payments_words_write(pay_buf_t *buf, const char *name, const char *label,
    const char *const *table, const ngx_atomic_t *counts)
{
    ngx_uint_t  i;

    for (i = 0; table[i] != NULL; i++) {
        pay_metric_series(buf, name, label, pay_str_of(table[i]));
        pay_metric_end(buf, counts[i]);
    }
}
