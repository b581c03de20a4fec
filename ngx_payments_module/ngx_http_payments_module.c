/*
 * The module: how configuration is created and merged, and where it hooks
 * into nginx.  The directives stand in ngx_http_payments_commands.c.
 *
 * When nginx reads its configuration:
 *
 *     create_*_conf (defaults) ─▶ directives ─▶ init_main_conf (resolve)
 *       ─▶ merge_srv_conf, merge_loc_conf ─▶ postconfiguration (warnings)
 *       ─▶ fork ─▶ ngx_payments_init_process
 */

#include "conf/ngx_http_payments_commands.h"
#include "conf/ngx_http_payments_conf_audit.h"
#include "conf/ngx_http_payments_conf_bulkhead.h"
#include "conf/ngx_http_payments_conf_cell.h"
#include "conf/ngx_http_payments_conf_option.h"
#include "conf/ngx_http_payments_conf_declared.h"
#include "conf/ngx_http_payments_conf_endpoints.h"
#include "conf/ngx_http_payments_conf_look.h"
#include "conf/ngx_http_payments_conf_place.h"
#include "conf/ngx_http_payments_conf_payout.h"
#include "conf/ngx_http_payments_conf_screening.h"
#include "conf/ngx_http_payments_conf_rates.h"
#include "conf/ngx_http_payments_conf_resolve.h"
#include "conf/ngx_http_payments_conf_risk.h"
#include "conf/ngx_http_payments_conf_risk_provider.h"
#include "conf/ngx_http_payments_conf_score.h"
#include "conf/ngx_http_payments_conf_settlement.h"
#include "conf/ngx_http_payments_conf_act.h"
#include "conf/ngx_http_payments_conf_staff.h"
#include "conf/ngx_http_payments_conf_warn.h"
#include "conf/ngx_http_payments_settings.h"
#include "http/ngx_http_payments_assets.h"
#include "http/ngx_http_payments_filter.h"
#include "http/ngx_http_payments_handler.h"
#include "http/ngx_http_payments_jwt.h"
#include "http/ngx_http_payments_variables.h"
#include "http/ngx_payments_pages.h"
#include "run/ngx_payments_worker.h"
#include "util/ngx_payments_conf_types.h"


#define ARRAY(member, type)                                                   \
    { offsetof(ngx_http_payments_main_conf_t, member), sizeof(type) }

#define JWT_MAX_LIFETIME  3600
#define KEY_TTL           86400


static ngx_int_t ngx_http_payments_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_payments_postconfiguration(ngx_conf_t *cf);
static void *ngx_http_payments_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_payments_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_http_payments_create_srv_conf(ngx_conf_t *cf);
static char *ngx_http_payments_merge_srv_conf(ngx_conf_t *cf, void *parent,
    void *child);
static void *ngx_http_payments_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_payments_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static void ngx_http_payments_init_lines(ngx_uint_t where, void *conf);


static ngx_http_module_t  ngx_http_payments_module_ctx = {
    ngx_http_payments_preconfiguration,    /* preconfiguration */
    ngx_http_payments_postconfiguration,   /* postconfiguration */
    ngx_http_payments_create_main_conf,    /* create main configuration */
    ngx_http_payments_init_main_conf,      /* init main configuration */
    ngx_http_payments_create_srv_conf,     /* create server configuration */
    ngx_http_payments_merge_srv_conf,      /* merge server configuration */
    ngx_http_payments_create_loc_conf,     /* create location configuration */
    ngx_http_payments_merge_loc_conf       /* merge location configuration */
};


ngx_module_t  ngx_http_payments_module = {
    NGX_MODULE_V1,
    &ngx_http_payments_module_ctx,         /* module context */
    ngx_http_payments_commands,            /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_payments_init_process,             /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_payments_exit_process,             /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* As nginx' own modules do: variables exist before any directive names one. */
static ngx_int_t
ngx_http_payments_preconfiguration(ngx_conf_t *cf)
{
    ngx_http_payments_keep_lines();

    return ngx_http_payments_add_variables(cf);
}


/* All locations are merged here, so the checks see each of them as a request
 * will. */
static ngx_int_t
ngx_http_payments_postconfiguration(ngx_conf_t *cf)
{
    ngx_conf_t                     *at;
    ngx_http_payments_at_t          place;
    ngx_http_payments_main_conf_t  *pmcf;

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_payments_module);

    at = ngx_http_payments_at(&place, cf, pmcf, "payments_html", 0);

    if (ngx_http_payments_load_pages(at, pmcf) != NGX_OK
        || ngx_http_payments_load_assets(cf, pmcf) != NGX_OK
        || ngx_http_payments_settings(cf, pmcf) != NGX_OK
        || ngx_http_payments_warn(cf, pmcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_payments_jwt_forget();
    ngx_http_payments_places_forget(pmcf);

    return ngx_http_payments_filter_init(cf);
}


/* Zeros, but for values that nginx' setters recognise as unset. */
static void *
ngx_http_payments_create_main_conf(ngx_conf_t *cf)
{
    ngx_uint_t                      i;
    ngx_http_payments_main_conf_t  *pmcf;

    static const struct { size_t offset, size; } arrays[] = {
        ARRAY(psps, ngx_payments_psp_t *), ARRAY(jwt_keys, pay_jwt_key_t),
        ARRAY(merchants, ngx_payments_merchant_t *),
        ARRAY(look_files, ngx_payments_look_file_t),
        ARRAY(rates, ngx_payments_rates_t *),
        ARRAY(settlements, ngx_payments_settlement_t *),
        ARRAY(payouts, ngx_payments_payout_t *),
        ARRAY(screenings, ngx_payments_screening_t *),
        ARRAY(declared, ngx_payments_declared_t *),
        ARRAY(locations, ngx_payments_location_t),
        ARRAY(cells, ngx_payments_cell_t *),
        ARRAY(risk.rules, pay_risk_rule_t),
        ARRAY(risk.velocities, pay_risk_velocity_t),
        ARRAY(risk.providers, ngx_payments_risk_provider_t *),
        ARRAY(risk.scorers, pay_risk_scorer_t),
        ARRAY(risk.scales, pay_risk_scale_t)
    };

    pmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_payments_main_conf_t));
    if (pmcf == NULL) {
        return NULL;
    }

    for (i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
        if (ngx_array_init((ngx_array_t *) ((char *) pmcf + arrays[i].offset),
                           cf->pool, 4, arrays[i].size) != NGX_OK)
        {
            return NULL;
        }
    }

    pmcf->jwt_max_lifetime = NGX_CONF_UNSET;
    pmcf->psp_concurrency = NGX_CONF_UNSET;
    pmcf->buyer_timeout = NGX_CONF_UNSET_MSEC;
    pmcf->quarantine = NGX_CONF_UNSET;
    ngx_http_payments_init_lines(NGX_HTTP_MAIN_CONF_OFFSET, pmcf);

    return pmcf;
}


/* The http block is read.  Each of them may need those before it. */
static char *(*const  resolves[])(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf) = {
    ngx_http_payments_cells_resolve, ngx_http_payments_audit_resolve,
    ngx_http_payments_stages_resolve, ngx_http_payments_rates_resolve,
    ngx_http_payments_resolve, ngx_http_payments_looks_resolve,
    ngx_http_payments_settlement_resolve,
    ngx_http_payments_payout_resolve, ngx_http_payments_endpoints_resolve,
    ngx_http_payments_declared_resolve,
    ngx_http_payments_risk_provider_resolve, ngx_http_payments_score_resolve,
    ngx_http_payments_risk_resolve, ngx_http_payments_screening_resolve,
    ngx_http_payments_console_resolve, ngx_http_payments_act_resolve
};


static char *
ngx_http_payments_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_uint_t                      i;
    ngx_http_payments_main_conf_t  *pmcf = conf;

    if (pmcf->audience.len == 0) {
        ngx_str_set(&pmcf->audience, "ngx_payments");
        pmcf->audience_unset = 1;
    }

    ngx_conf_init_value(pmcf->jwt_max_lifetime, JWT_MAX_LIFETIME);
    ngx_conf_init_value(pmcf->psp_concurrency, 0);
    ngx_conf_init_msec_value(pmcf->buyer_timeout, 3000);
    ngx_conf_init_value(pmcf->quarantine, 1);

    for (i = 0; i < sizeof(resolves) / sizeof(resolves[0]); i++) {
        if (resolves[i](cf, pmcf) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static void *
ngx_http_payments_create_srv_conf(ngx_conf_t *cf)
{
    ngx_http_payments_srv_conf_t  *pscf;

    pscf = ngx_pcalloc(cf->pool, sizeof(ngx_http_payments_srv_conf_t));
    if (pscf == NULL) {
        return NULL;
    }

    pscf->insecure_http = NGX_CONF_UNSET;

    return pscf;
}


/* `active` is not inherited: it is a server's own. */
static char *
ngx_http_payments_merge_srv_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_payments_srv_conf_t  *prev = parent;
    ngx_http_payments_srv_conf_t  *conf = child;

    (void) cf;

    ngx_conf_merge_value(conf->insecure_http, prev->insecure_http, 0);

    return NGX_CONF_OK;
}


/* kind is NONE until a handler's directive stands in the location. */
static void *
ngx_http_payments_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_payments_loc_conf_t  *plcf;

    plcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_payments_loc_conf_t));
    if (plcf == NULL) {
        return NULL;
    }

    plcf->max_body = NGX_CONF_UNSET_SIZE;
    plcf->body_timeout = NGX_CONF_UNSET_MSEC;
    ngx_http_payments_init_lines(NGX_HTTP_LOC_CONF_OFFSET, plcf);

    return plcf;
}


/* A limit of the server holds in each of its locations that has none; nginx'
 * own limit of the body is lowered to ours, as it is checked before any
 * handler runs. */
static char *
ngx_http_payments_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_conf_t                    *at;
    ngx_http_payments_at_t         place;
    ngx_http_core_loc_conf_t      *clcf;
    ngx_http_payments_loc_conf_t  *prev = parent;
    ngx_http_payments_loc_conf_t  *conf = child;

    ngx_conf_merge_uint_value(conf->rate, prev->rate, 0);
    ngx_conf_merge_uint_value(conf->burst, prev->burst, 0);
    ngx_conf_merge_uint_value(conf->address_rate, prev->address_rate, 0);
    ngx_conf_merge_uint_value(conf->address_burst, prev->address_burst, 0);
    ngx_conf_merge_value(conf->key_required, prev->key_required, 1);
    ngx_conf_merge_sec_value(conf->key_ttl, prev->key_ttl, KEY_TTL);
    ngx_conf_merge_uint_value(conf->in_progress, prev->in_progress, 429);
    ngx_conf_merge_msec_value(conf->body_timeout, prev->body_timeout, 10000);

    /* unset while no directive says it: its default goes by the handler, and
     * is none of a location inside that has another one */
    if (conf->max_body == NGX_CONF_UNSET_SIZE) {
        conf->max_body = prev->max_body;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    /* "if" and "limit_except" are locations of their own inside this one */
    if (clcf->noname && clcf->handler == NULL) {
        conf->kind = prev->kind;
        conf->prefix = prev->prefix;
        conf->owner = prev->owner;
        clcf->handler = prev->kind ? ngx_http_payments_handler : NULL;
    }

    if (conf->kind == NGX_HTTP_PAYMENTS_NONE) {
        return NGX_CONF_OK;
    }

    conf->body_limit = conf->max_body != NGX_CONF_UNSET_SIZE ? conf->max_body
                       : conf->kind == NGX_HTTP_PAYMENTS_WEBHOOK
                       ? NGX_PAYMENTS_WEBHOOK_BODY : NGX_PAYMENTS_API_BODY;

    /* proxy_pass behind payments_api wins silently, without our checks */
    if (clcf->handler != ngx_http_payments_handler) {
        at = ngx_http_payments_at(&place, cf, conf->owner, "", 0);
        ngx_conf_log_error(NGX_LOG_EMERG, at, 0,
                           "location \"%V\" has a payments handler and "
                           "another module's: give each its own location",
                           &clcf->name);
        return NGX_CONF_ERROR;
    }

    if (clcf->client_max_body_size == 0
        || clcf->client_max_body_size > (off_t) conf->body_limit)
    {
        clcf->client_max_body_size = (off_t) conf->body_limit;
    }

    return NGX_CONF_OK;
}


/* The defaults of the directives that are tables of words. */
static void
ngx_http_payments_init_lines(ngx_uint_t where, void *conf)
{
    ngx_command_t             *cmd;
    ngx_http_payments_line_t  *line;

    for (cmd = ngx_http_payments_commands; cmd->name.len != 0; cmd++) {
        if (ngx_http_payments_setter(cmd) == ngx_http_payments_set_line
            && cmd->conf == where)
        {
            line = cmd->post;
            ngx_http_payments_defaults(line->options,
                                       (u_char *) conf + cmd->offset);
        }
    }
}
