/*
 * Questions to providers of sanctions screening, where payments_jobs is on.
 * Each worker asks PostgreSQL for the next account whose holder a provider is
 * asked about; of all workers of all nodes one gets it.  Behind an answer it
 * asks at once, behind none when the interval is over.
 */

#include "run/ngx_payments_screenings.h"
#include "run/ngx_payments_round.h"
#include "util/ngx_payments_process.h"

#include "pay_json.h"


#define SOON_MS  1


static ngx_uint_t screening_is_in(const void *subject, ngx_uint_t cell);
static pay_status_t screening_prepare(const ngx_payments_round_t *round,
    pay_flow_t *flow);
static ngx_msec_t screening_pause(const ngx_payments_round_t *round);
static ngx_uint_t screening_ended(ngx_payments_round_t *round,
    const char *outcome);
static uint32_t unasked_digest(const pay_json_t *policies);
static void unasked_log(const pay_json_t *policies);
static ngx_uint_t is_unasked(const pay_json_t *policy, pay_str_t *merchant,
    pay_str_t *provider);


static const ngx_payments_round_kind_t  screening_round = {
    screening_is_in, screening_prepare, screening_pause, NULL, screening_ended,
    SOON_MS
};

/* of the policies of each cell that were logged; 0: none */
static uint32_t  unasked[NGX_PAYMENTS_CELLS_MAX];


ngx_int_t
ngx_payments_screenings_start(ngx_cycle_t *cycle, ngx_uint_t cell,
    pay_str_t owner)
{
    return ngx_payments_round_start_all(cycle, &screening_round,
                                        &ngx_payments_main_conf()->screenings,
                                        cell, owner);
}


void
ngx_payments_screenings_watch(ngx_uint_t cell, pay_str_t figures)
{
    uint32_t           digest;
    pay_json_t        *json;
    const pay_json_t  *policies;

    if (pay_json_parse(figures, NULL, &json, NULL) != PAY_OK) {
        return;
    }

    policies = pay_json_get(json, "providers");
    digest = unasked_digest(policies);

    if (digest != unasked[cell]) {
        unasked_log(policies);
    }

    unasked[cell] = digest;
    pay_json_free(json);
}


static ngx_uint_t
screening_is_in(const void *subject, ngx_uint_t cell)
{
    const ngx_payments_screening_t  *screening = subject;

    return screening->client.psp.cell == cell
           || screening->client.from == cell;
}


static pay_status_t
screening_prepare(const ngx_payments_round_t *round, pay_flow_t *flow)
{
    const ngx_payments_screening_t  *screening = round->subject;

    return pay_flow_screening(flow, &screening->provider);
}


static ngx_msec_t
screening_pause(const ngx_payments_round_t *round)
{
    const ngx_payments_screening_t  *screening = round->subject;

    return screening->interval_ms;
}


/* A failure is logged once for each reason, until something goes well; a
 * provider that fails is not asked in a hurry about the next account. */
static ngx_uint_t
screening_ended(ngx_payments_round_t *round, const char *outcome)
{
    ngx_uint_t                       called;
    const ngx_payments_screening_t  *screening = round->subject;

    called = ngx_strcmp(outcome, "called") == 0;

    if (called) {
        ngx_payments_round_news(round, NULL);

    } else if (ngx_strcmp(outcome, "none") != 0
               && ngx_payments_round_news(round, outcome))
    {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "payments: a screening provider has given no answer, and "
                      "pay-outs stay held, provider:%V, why:%s",
                      &ngx_payments_nstr(screening->provider.name), outcome);
    }

    return called;
}


static uint32_t
unasked_digest(const pay_json_t *policies)
{
    size_t     i;
    uint32_t   crc;
    pay_str_t  merchant, provider;

    ngx_crc32_init(crc);

    for (i = 0; i < pay_json_size(policies); i++) {
        if (is_unasked(pay_json_at(policies, i), &merchant, &provider)) {
            ngx_crc32_update(&crc, (u_char *) merchant.data, merchant.len);
            ngx_crc32_update(&crc, (u_char *) "\n", 1);
            ngx_crc32_update(&crc, (u_char *) provider.data, provider.len);
            ngx_crc32_update(&crc, (u_char *) "\n", 1);
        }
    }

    ngx_crc32_final(crc);

    return crc;
}


static void
unasked_log(const pay_json_t *policies)
{
    size_t     i;
    pay_str_t  merchant, provider;

    for (i = 0; i < pay_json_size(policies); i++) {
        if (is_unasked(pay_json_at(policies, i), &merchant, &provider)) {
            ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                          "payments: a screening policy names a provider that "
                          "no payments_screening block of this host has, and "
                          "pay-outs are held, merchant:%V, provider:%V",
                          &ngx_payments_nstr(merchant),
                          &ngx_payments_nstr(provider));
        }
    }
}


/* Another gateway on the database may serve the merchants that are not known
 * here, so that only those of this configuration count. */
static ngx_uint_t
is_unasked(const pay_json_t *policy, pay_str_t *merchant, pay_str_t *provider)
{
    ngx_uint_t                            i;
    const ngx_http_payments_main_conf_t  *pmcf = ngx_payments_main_conf();
    ngx_payments_screening_t            **all = pmcf->screenings.elts;

    if (pay_json_string(pay_json_get(policy, "merchant"), merchant) != PAY_OK
        || pay_json_string(pay_json_get(policy, "provider"), provider)
           != PAY_OK
        || pay_env_merchant(&pmcf->env, *merchant) == NULL)
    {
        return 0;
    }

    for (i = 0; i < pmcf->screenings.nelts; i++) {
        if (pay_str_eq(all[i]->provider.name, *provider)
            && pay_str_eq(all[i]->provider.merchant_id, *merchant))
        {
            return 0;
        }
    }

    return 1;
}
