/*
 * The configuration as JSON for the console: names, hosts and limits, and the
 * lines themselves (conf_lines).  A secret is never written, nor the place of
 * one, nor a connection string.
 */

#include "conf/ngx_http_payments_settings.h"
#include "conf/ngx_http_payments_commands.h"
#include "conf/ngx_http_payments_conf_lines.h"
#include "util/ngx_payments_memory.h"
#include "pay_json.h"


/* the lines, the keys and the list of merchants end early, the rest does not */
#define SETTINGS_MAX   (768 * 1024)
#define MERCHANTS_END  (640 * 1024)


static void add_gateway(pay_buf_t *buf,
    const ngx_http_payments_main_conf_t *pmcf);
static int64_t connections(const ngx_http_payments_main_conf_t *pmcf);
static void add_psps(pay_buf_t *buf,
    const ngx_http_payments_main_conf_t *pmcf);
static void add_merchants(pay_buf_t *buf,
    const ngx_http_payments_main_conf_t *pmcf);
static void add_keys(pay_buf_t *buf, const ngx_array_t *array);
static void add_groups(pay_buf_t *buf,
    const ngx_http_payments_main_conf_t *pmcf);
static void add_sources(pay_buf_t *buf,
    const ngx_http_payments_main_conf_t *pmcf);
static void text(pay_buf_t *buf, const char *before, pay_str_t value);
static void number(pay_buf_t *buf, const char *before, int64_t value);
static void flag(pay_buf_t *buf, const char *before, ngx_uint_t value);


ngx_int_t
ngx_http_payments_settings(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf)
{
    pay_buf_t    buf;
    pay_arena_t  arena = ngx_payments_arena(cf->pool);

    if (!pmcf->console.is_served) {
        return NGX_OK;
    }

    pay_buf_init(&buf, &arena, SETTINGS_MAX);
    pay_buf_text(&buf, "{");
    pay_buf_text(&buf, "\"directives\":");
    ngx_http_payments_lines_write(&buf, pmcf, ngx_http_payments_commands);
    pay_buf_text(&buf, ",\"keys\":");
    ngx_http_payments_lines_keys(&buf, pmcf);
    add_gateway(&buf, pmcf);
    add_psps(&buf, pmcf);
    add_merchants(&buf, pmcf);
    add_groups(&buf, pmcf);
    add_sources(&buf, pmcf);
    pay_buf_text(&buf, "}");

    if (pay_buf_done(&buf, &pmcf->console.facts.settings) != PAY_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "payments_console: the settings are more than 768 "
                           "KiB of JSON: serve the console by a configuration "
                           "with fewer groups of staff, settlements and "
                           "pay-outs");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
add_gateway(pay_buf_t *buf, const ngx_http_payments_main_conf_t *pmcf)
{
    static const char  *const  risk[] = { "off", "on", "shadow" };
    static const char  *const  late[] = { "accept", "hold", "refund" };
    PAY_ROWS(late, PAY_LATE_COUNT);

    text(buf, ",\"gateway\":{\"public_url\":",
         ngx_payments_str(pmcf->public_url));
    text(buf, ",\"audience\":", ngx_payments_str(pmcf->audience));
    text(buf, ",\"late_success\":", pay_str_of(late[pmcf->env.late]));
    text(buf, ",\"risk\":", pay_str_of(risk[pmcf->risk.mode]));
    flag(buf, ",\"jobs\":", pmcf->jobs);
    flag(buf, ",\"quarantine\":", pmcf->quarantine);
    number(buf, ",\"webhook_body_days\":", (int64_t) pmcf->body_days);
    number(buf, ",\"connections\":", connections(pmcf));
    number(buf, ",\"jwt_max_lifetime_s\":", pmcf->jwt_max_lifetime);
    number(buf, ",\"bulkhead_intake\":",
           (int64_t) pmcf->bulkhead.works[NGX_PAYMENTS_WORK_INTAKE]);
    number(buf, ",\"bulkhead_merchant\":", (int64_t) pmcf->bulkhead.merchant);
    number(buf, ",\"review_deadline_s\":", pmcf->risk.review_deadline_s);
    flag(buf, ",\"sealed\":",
         pmcf->audit.interval_ms != NGX_CONF_UNSET_MSEC);
    pay_buf_text(buf, "}");
}


/* Those of a worker to all cells. */
static int64_t
connections(const ngx_http_payments_main_conf_t *pmcf)
{
    int64_t                n = 0;
    ngx_uint_t             i;
    ngx_payments_cell_t  **cells = pmcf->cells.elts;

    for (i = 0; i < pmcf->cells.nelts; i++) {
        n += (int64_t) cells[i]->dbs[PAY_ROLE_GATEWAY].connections;
    }

    return n;
}


/* A pin is public, but how many there are is all that matters. */
static void
add_psps(pay_buf_t *buf, const ngx_http_payments_main_conf_t *pmcf)
{
    ngx_uint_t            i;
    ngx_payments_psp_t  **psps = pmcf->psps.elts;

    pay_buf_text(buf, ",\"psps\":[");

    for (i = 0; i < pmcf->psps.nelts; i++) {
        text(buf, i == 0 ? "{\"name\":" : ",{\"name\":", psps[i]->psp.name);
        text(buf, ",\"adapter\":", pay_str_of(psps[i]->psp.adapter->name));
        text(buf, ",\"base_url\":", ngx_payments_str(psps[i]->base_url));
        number(buf, ",\"connect_timeout_ms\":",
               (int64_t) psps[i]->connect_timeout);
        number(buf, ",\"total_timeout_ms\":",
               (int64_t) psps[i]->total_timeout);
        number(buf, ",\"concurrency\":", (int64_t) psps[i]->concurrency);
        number(buf, ",\"webhook_keys\":", psps[i]->keys == NULL ? 0
               : (int64_t) psps[i]->keys->nelts);
        flag(buf, ",\"pinned\":", psps[i]->pinned.len != 0);
        pay_buf_text(buf, "}");
    }

    pay_buf_text(buf, "]");
}


static void
add_merchants(pay_buf_t *buf, const ngx_http_payments_main_conf_t *pmcf)
{
    size_t                     k;
    ngx_uint_t                 i;
    const pay_merchant_t      *merchant;
    ngx_payments_merchant_t  **blocks = pmcf->merchants.elts;

    number(buf, ",\"merchant_count\":", (int64_t) pmcf->env.merchant_count);
    pay_buf_text(buf, ",\"merchants\":[");

    for (i = 0;
         i < pmcf->env.merchant_count && buf->len < MERCHANTS_END;
         i++)
    {
        merchant = &pmcf->env.merchants[i];

        text(buf, i == 0 ? "{\"id\":" : ",{\"id\":", merchant->id);
        flag(buf, ",\"disabled\":", merchant->disabled);
        pay_buf_text(buf, ",\"psps\":[");

        for (k = 0; k < merchant->psp_count; k++) {
            text(buf, k == 0 ? "" : ",", merchant->psps[k]->name);
        }

        pay_buf_text(buf, "],\"return_hosts\":[");

        for (k = 0; k < merchant->return_host_count; k++) {
            text(buf, k == 0 ? "" : ",", merchant->return_hosts[k]);
        }

        pay_buf_text(buf, "]");
        number(buf, ",\"routes\":", (int64_t) merchant->rule_count);
        add_keys(buf, blocks[i]->jwt_keys);
        pay_buf_text(buf, "}");
    }

    pay_buf_text(buf, "]");
}


/* The names of keys alone. */
static void
add_keys(pay_buf_t *buf, const ngx_array_t *array)
{
    ngx_uint_t            i;
    const pay_jwt_key_t  *keys = array->elts;

    pay_buf_text(buf, ",\"jwt_keys\":[");

    for (i = 0; i < array->nelts; i++) {
        text(buf, i == 0 ? "" : ",", keys[i].kid);
    }

    pay_buf_text(buf, "]");
}


static void
add_groups(pay_buf_t *buf, const ngx_http_payments_main_conf_t *pmcf)
{
    pay_str_t                 roles;
    ngx_uint_t                i;
    const pay_staff_group_t  *groups = pmcf->console.groups->elts;

    text(buf, ",\"staff\":{\"issuer\":",
         ngx_payments_str(pmcf->console.issuer));
    text(buf, ",\"audience\":", ngx_payments_str(pmcf->console.audience));
    number(buf, ",\"max_lifetime_s\":", pmcf->console.max_lifetime);
    add_keys(buf, pmcf->console.keys);
    pay_buf_text(buf, ",\"groups\":[");

    for (i = 0; i < pmcf->console.groups->nelts; i++) {
        text(buf, i == 0 ? "{\"name\":" : ",{\"name\":", groups[i].name);

        if (pay_roles_write(buf->arena, groups[i].roles, &roles) != PAY_OK) {
            pay_buf_fail(buf, PAY_NO_MEMORY);
            return;
        }

        pay_buf_text(buf, ",\"roles\":");
        pay_buf_add(buf, roles);
        pay_buf_text(buf, "}");
    }

    pay_buf_text(buf, "]}");
}


static void
add_sources(pay_buf_t *buf, const ngx_http_payments_main_conf_t *pmcf)
{
    ngx_uint_t                   i;
    ngx_payments_payout_t      **payouts = pmcf->payouts.elts;
    ngx_payments_settlement_t  **sources = pmcf->settlements.elts;

    pay_buf_text(buf, ",\"settlements\":[");

    for (i = 0; i < pmcf->settlements.nelts; i++) {
        text(buf, i == 0 ? "{\"name\":" : ",{\"name\":",
             sources[i]->source.name);
        text(buf, ",\"format\":", sources[i]->source.format);
        text(buf, ",\"merchant_id\":", sources[i]->source.merchant_id);
        pay_buf_text(buf, "}");
    }

    pay_buf_text(buf, "],\"payouts\":[");

    for (i = 0; i < pmcf->payouts.nelts; i++) {
        text(buf, i == 0 ? "{\"name\":" : ",{\"name\":",
             payouts[i]->provider.name);
        text(buf, ",\"merchant_id\":", payouts[i]->provider.merchant_id);
        pay_buf_text(buf, "}");
    }

    pay_buf_text(buf, "]");
}


static void
text(pay_buf_t *buf, const char *before, pay_str_t value)
{
    pay_buf_text(buf, before);
    pay_buf_text(buf, "\"");
    pay_buf_json(buf, value);
    pay_buf_text(buf, "\"");
}


static void
number(pay_buf_t *buf, const char *before, int64_t value)
{
    pay_buf_text(buf, before);
    pay_buf_int(buf, value);
}


static void
flag(pay_buf_t *buf, const char *before, ngx_uint_t value)
{
    pay_buf_text(buf, before);
    pay_buf_text(buf, value ? "true" : "false");
}
