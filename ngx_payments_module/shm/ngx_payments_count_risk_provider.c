/*
 * External providers of risk on this host: their words, how long they take, and
 * their circuits.  A provider is found by its name and keeps its slot, so that
 * no counter runs backwards over reloads.
 */

#include "shm/ngx_payments_count_risk_provider.h"
#include "shm/ngx_payments_health.h"
#include "shm/ngx_payments_zone.h"
#include "util/ngx_payments_process.h"
#include "pay_metric.h"


#define TOTAL    "payments_risk_provider_total"
#define SECONDS  "payments_risk_provider_seconds"
#define CIRCUIT  "payments_risk_provider_circuit"


static const ngx_payments_risk_provider_stat_t *find(
    const ngx_payments_counters_t *counters, pay_str_t provider);
static ngx_payments_risk_provider_stat_t *place(pay_str_t provider);
static ngx_payments_risk_provider_stat_t *claim(
    ngx_payments_counters_t *counters, pay_str_t provider);
static void write_total(pay_buf_t *buf, pay_str_t provider,
    const ngx_payments_risk_provider_stat_t *stat);
static void write_seconds(pay_buf_t *buf, pay_str_t provider,
    const ngx_payments_histogram_t *histogram);
static void write_circuit(pay_buf_t *buf,
    const ngx_payments_risk_provider_t *provider);


/* Words first, then why there was none; the last one is of any other why. */
static const char  *const results[] = {
    "allow", "challenge", "review", "block",
    "timeout", "connect", "tls", "private-address", "too-large", "broken",
    "busy", "circuit-open", PAY_RISK_STATUS, PAY_RISK_ANSWER, "other"
};
PAY_ROWS(results, NGX_PAYMENTS_RISK_RESULTS);

static const ngx_payments_risk_provider_stat_t  nothing;


void
ngx_payments_count_risk_provider(pay_str_t provider, const char *said,
    int64_t ms)
{
    ngx_uint_t                          i;
    ngx_payments_risk_provider_stat_t  *stat = place(provider);

    if (stat == NULL) {
        return;
    }

    for (i = 0; i < NGX_PAYMENTS_RISK_RESULTS - 1; i++) {
        if (ngx_strcmp(results[i], said) == 0) {
            break;
        }
    }

    (void) ngx_atomic_fetch_add(&stat->results[i], 1);

    if (ms == 0) {
        return;
    }

    for (i = 0; i < NGX_PAYMENTS_LES; i++) {
        if (ms <= (int64_t) ngx_payments_le_ms[i]) {
            break;
        }
    }

    (void) ngx_atomic_fetch_add(&stat->duration.count[i], 1);
    (void) ngx_atomic_fetch_add(&stat->duration.sum_ms, (ngx_atomic_int_t) ms);
}


void
ngx_payments_risk_providers_write(pay_buf_t *buf,
    const ngx_payments_counters_t *counters)
{
    ngx_uint_t                       i;
    ngx_http_payments_main_conf_t   *pmcf = ngx_payments_main_conf();
    ngx_payments_risk_provider_t   **all = pmcf->risk.providers.elts;

    if (pmcf->risk.zone == NULL) {
        return;
    }

    pay_metric_family(buf, TOTAL, "counter",
                      "Questions to external providers of risk by their end.");

    for (i = 0; i < pmcf->risk.providers.nelts; i++) {
        write_total(buf, all[i]->provider.name,
                    find(counters, all[i]->provider.name));
    }

    pay_metric_family(buf, SECONDS, "histogram",
                      "How long a question to a provider of risk took.");

    for (i = 0; i < pmcf->risk.providers.nelts; i++) {
        write_seconds(buf, all[i]->provider.name,
                      &find(counters, all[i]->provider.name)->duration);
    }

    pay_metric_family(buf, CIRCUIT, "gauge",
                      "1 for the state that the circuit breaker is in, else "
                      "0.");

    for (i = 0; i < pmcf->risk.providers.nelts; i++) {
        write_circuit(buf, all[i]);
    }
}


/* One that has never been asked has counted nothing. */
static const ngx_payments_risk_provider_stat_t *
find(const ngx_payments_counters_t *counters, pay_str_t provider)
{
    ngx_uint_t                                i;
    const ngx_payments_risk_provider_stat_t  *stat;

    for (i = 0; i < PAY_RISK_PROVIDERS_MAX; i++) {
        stat = &counters->risk_providers[i];

        if (stat->len != 0 && stat->len == provider.len
            && ngx_memcmp(stat->name, provider.data, provider.len) == 0)
        {
            return stat;
        }
    }

    return &nothing;
}


/* NULL: there is no zone, or no place left. */
static ngx_payments_risk_provider_stat_t *
place(pay_str_t provider)
{
    ngx_slab_pool_t                          *pool;
    ngx_payments_shctx_t                     *ctx;
    const ngx_payments_risk_provider_stat_t  *stat;

    ctx = ngx_payments_shctx(&pool);
    if (ctx == NULL || provider.len > PAY_RISK_NAME_MAX) {
        return NULL;
    }

    stat = find(&ctx->counters, provider);

    if (stat == &nothing) {
        ngx_shmtx_lock(&pool->mutex);
        stat = claim(&ctx->counters, provider);
        ngx_shmtx_unlock(&pool->mutex);
    }

    return (ngx_payments_risk_provider_stat_t *) stat;
}


/* The length comes last: readers, who take no lock, see a whole slot. */
static ngx_payments_risk_provider_stat_t *
claim(ngx_payments_counters_t *counters, pay_str_t provider)
{
    ngx_uint_t                                i;
    ngx_payments_risk_provider_stat_t        *slot;
    const ngx_payments_risk_provider_stat_t  *stat;

    stat = find(counters, provider);
    if (stat != &nothing) {
        return (ngx_payments_risk_provider_stat_t *) stat;
    }

    for (i = 0; i < PAY_RISK_PROVIDERS_MAX; i++) {
        slot = &counters->risk_providers[i];

        if (slot->len == 0) {
            ngx_memcpy(slot->name, provider.data, provider.len);
            ngx_memory_barrier();
            slot->len = provider.len;
            return slot;
        }
    }

    return NULL;
}


static void
write_total(pay_buf_t *buf, pay_str_t provider,
    const ngx_payments_risk_provider_stat_t *stat)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_PAYMENTS_RISK_RESULTS; i++) {
        pay_metric_series(buf, TOTAL, "provider", provider);
        pay_metric_more(buf, "result", pay_str_of(results[i]));
        pay_metric_end(buf, stat->results[i]);
    }
}


/* The count is the sum of the buckets, as in all histograms. */
static void
write_seconds(pay_buf_t *buf, pay_str_t provider,
    const ngx_payments_histogram_t *histogram)
{
    u_char             text[NGX_ATOMIC_T_LEN + 8];
    pay_str_t          sum;
    ngx_uint_t         i;
    ngx_atomic_uint_t  count;

    for (i = 0, count = 0; i <= NGX_PAYMENTS_LES; i++) {
        count += histogram->count[i];
        pay_metric_series(buf, SECONDS "_bucket", "provider", provider);
        pay_metric_more(buf, "le", i == NGX_PAYMENTS_LES
                                   ? PAY_STR("+Inf")
                                   : pay_str_of(ngx_payments_le_names[i]));
        pay_metric_end(buf, count);
    }

    sum.data = text;
    sum.len = ngx_sprintf(text, "%uA.%03uA", histogram->sum_ms / 1000,
                          histogram->sum_ms % 1000) - text;
    pay_metric_series(buf, SECONDS "_sum", "provider", provider);
    pay_buf_text(buf, "} ");
    pay_buf_add(buf, sum);
    pay_buf_text(buf, "\n");
    pay_metric_series(buf, SECONDS "_count", "provider", provider);
    pay_metric_end(buf, count);
}


static void
write_circuit(pay_buf_t *buf, const ngx_payments_risk_provider_t *provider)
{
    ngx_uint_t                  i;
    ngx_payments_health_stat_t  stat;

    ngx_payments_health_client(&provider->client, &stat);

    for (i = PAY_CIRCUIT_CLOSED; i <= PAY_CIRCUIT_HALF_OPEN; i++) {
        pay_metric_series(buf, CIRCUIT, "provider", provider->provider.name);
        pay_metric_more(buf, "state",
                        pay_str_of(pay_circuit_name((pay_circuit_t) i)));
        pay_metric_end(buf, i == (ngx_uint_t) stat.circuit);
    }
}
