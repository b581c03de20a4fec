/*
 * The module: its directives, how configuration is created and merged, and
 * where it hooks into nginx.  Setters live in ngx_http_payments_conf*.c.
 *
 * When nginx reads its configuration:
 *
 *     create_*_conf (defaults) ─▶ directives ─▶ init_main_conf (resolve)
 *       ─▶ merge_srv_conf, merge_loc_conf ─▶ postconfiguration (warnings)
 *       ─▶ fork ─▶ ngx_payments_init_process
 */

#include "conf/ngx_http_payments_conf.h"
#include "conf/ngx_http_payments_conf_audit.h"
#include "conf/ngx_http_payments_conf_keyring.h"
#include "conf/ngx_http_payments_conf_bodies.h"
#include "conf/ngx_http_payments_conf_bulkhead.h"
#include "conf/ngx_http_payments_conf_health.h"
#include "conf/ngx_http_payments_conf_merchant.h"
#include "conf/ngx_http_payments_conf_option.h"
#include "conf/ngx_http_payments_conf_declared.h"
#include "conf/ngx_http_payments_conf_endpoints.h"
#include "conf/ngx_http_payments_conf_place.h"
#include "conf/ngx_http_payments_conf_psp.h"
#include "conf/ngx_http_payments_conf_payout.h"
#include "conf/ngx_http_payments_conf_screening.h"
#include "conf/ngx_http_payments_conf_rates.h"
#include "conf/ngx_http_payments_conf_resolve.h"
#include "conf/ngx_http_payments_conf_review.h"
#include "conf/ngx_http_payments_conf_risk.h"
#include "conf/ngx_http_payments_conf_retry.h"
#include "conf/ngx_http_payments_conf_settlement.h"
#include "conf/ngx_http_payments_conf_warn.h"
#include "http/ngx_http_payments_filter.h"
#include "http/ngx_http_payments_handler.h"
#include "http/ngx_http_payments_jwt.h"
#include "http/ngx_http_payments_variables.h"
#include "http/ngx_payments_pages.h"
#include "run/ngx_payments_worker.h"
#include "util/ngx_payments_conf_types.h"


#define ARRAY(member, type)                                                   \
    { offsetof(ngx_http_payments_main_conf_t, member), sizeof(type) }

/* of a directive that reads its line itself */
#define IN_MAIN  NGX_HTTP_MAIN_CONF_OFFSET, 0, NULL

#define JWT_MAX_LIFETIME  3600
#define KEY_TTL           86400
#define MAX_BODY_LIMIT    (1024 * 1024)
#define BODY_TIMEOUT_MIN  10
#define BODY_TIMEOUT_MAX  600000


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
static char *ngx_http_payments_note_html(ngx_conf_t *cf, void *post,
    void *data);
static char *ngx_http_payments_check_max_body(ngx_conf_t *cf, void *post,
    void *data);
static char *ngx_http_payments_check_body_timeout(ngx_conf_t *cf, void *post,
    void *data);


static ngx_conf_num_bounds_t  jwt_lifetime_bounds = {
    ngx_conf_check_num_bounds, 60, 172800
};


static ngx_conf_num_bounds_t  concurrency_bounds = {
    ngx_conf_check_num_bounds, 0, NGX_PAYMENTS_CONCURRENCY_MAX
};


static ngx_conf_post_t  html_post = {
    ngx_http_payments_note_html
};


static ngx_conf_post_t  max_body_post = {
    ngx_http_payments_check_max_body
};


static ngx_conf_post_t  body_timeout_post = {
    ngx_http_payments_check_body_timeout
};


static ngx_command_t  ngx_http_payments_commands[] = {

    { ngx_string("payments_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_payments_zone,
      IN_MAIN },

    { ngx_string("payments_database"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_payments_set_line,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, db),
      &ngx_http_payments_database_line },

    { ngx_string("payments_audience"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, audience),
      NULL },

    { ngx_string("payments_jwt_max_lifetime"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_sec_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, jwt_max_lifetime),
      &jwt_lifetime_bounds },

    { ngx_string("payments_public_url"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_payments_set_line,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      &ngx_http_payments_public_url_line },

    { ngx_string("payments_insecure_http"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_SRV_CONF_OFFSET,
      offsetof(ngx_http_payments_srv_conf_t, insecure_http),
      NULL },

    { ngx_string("payments_html"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, html),
      &html_post },

    { ngx_string("payments_jobs"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_payments_set_line,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      &ngx_http_payments_jobs_line },

    { ngx_string("payments_buyer_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, buyer_timeout),
      NULL },

    { ngx_string("payments_score"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_payments_set_line,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, env.weights),
      &ngx_http_payments_score_line },

    { ngx_string("payments_psp_concurrency"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, psp_concurrency),
      &concurrency_bounds },

    { ngx_string("payments_retry"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_payments_retry,
      IN_MAIN },

    { ngx_string("payments_late_success"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_payments_set_line,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      &ngx_http_payments_late_success_line },

    { ngx_string("payments_watchdog"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_payments_set_line,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, watch),
      &ngx_http_payments_watchdog_line },

    { ngx_string("payments_quarantine"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, quarantine),
      NULL },

    { ngx_string("payments_webhook_bodies"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE12,
      ngx_http_payments_set_line,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      &ngx_http_payments_webhook_bodies_line },

    { ngx_string("payments_audit"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_payments_set_line,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, audit),
      &ngx_http_payments_audit_line },

    { ngx_string("payments_keyring"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_payments_set_line,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, keyring),
      &ngx_http_payments_keyring_line },

    { ngx_string("payments_rates"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_payments_rates,
      IN_MAIN },

    { ngx_string("payments_quote"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_payments_set_line,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      &ngx_http_payments_quote_line },

    { ngx_string("payments_settlement"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_payments_settlement,
      IN_MAIN },

    { ngx_string("payments_payout"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_payments_payout_block,
      IN_MAIN },

    { ngx_string("payments_screening"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_payments_screening_block,
      IN_MAIN },

    { ngx_string("payments_webhook_endpoints"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_payments_set_line,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, endpoints),
      &ngx_http_payments_endpoints_line },

    { ngx_string("payments_webhook_endpoint"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_payments_declared,
      IN_MAIN },

    { ngx_string("payments_risk"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE12,
      ngx_http_payments_set_line,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, risk),
      &ngx_http_payments_risk_line },

    { ngx_string("payments_risk_rule"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_payments_risk_rule,
      IN_MAIN },

    { ngx_string("payments_risk_velocity"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_payments_risk_velocity,
      IN_MAIN },

    { ngx_string("payments_risk_review"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE123,
      ngx_http_payments_set_line,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, risk),
      &ngx_http_payments_risk_review_line },

    { ngx_string("payments_bulkhead"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_payments_set_line,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, bulkhead),
      &ngx_http_payments_bulkhead_line },

    { ngx_string("payments_stage_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_payments_set_line,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, stages),
      &ngx_http_payments_stage_timeout_line },

    { ngx_string("payments_psp"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_payments_psp_block,
      IN_MAIN },

    { ngx_string("payments_merchant"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_payments_merchant_block,
      IN_MAIN },

    { ngx_string("payments_api"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_payments_location,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      (void *) NGX_HTTP_PAYMENTS_API },

    { ngx_string("payments_checkout"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_payments_location,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      (void *) NGX_HTTP_PAYMENTS_CHECKOUT },

    { ngx_string("payments_return"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_payments_location,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      (void *) NGX_HTTP_PAYMENTS_RETURN },

    { ngx_string("payments_webhook"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_payments_location,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      (void *) NGX_HTTP_PAYMENTS_WEBHOOK },

    { ngx_string("payments_metrics"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_payments_location,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      (void *) NGX_HTTP_PAYMENTS_METRICS },

    { ngx_string("payments_problems"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_payments_location,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      (void *) NGX_HTTP_PAYMENTS_PROBLEMS },

    { ngx_string("payments_health"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_payments_health,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("payments_rate_limit"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_payments_set_line,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      &ngx_http_payments_rate_limit_line },

    { ngx_string("payments_idempotency"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_payments_set_line,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      &ngx_http_payments_idempotency_line },

    { ngx_string("payments_max_body"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_payments_loc_conf_t, max_body),
      &max_body_post },

    { ngx_string("payments_body_timeout"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_payments_loc_conf_t, body_timeout),
      &body_timeout_post },

    ngx_null_command
};


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
        || ngx_http_payments_warn(cf, pmcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_payments_jwt_forget();

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
        ARRAY(rates, ngx_payments_rates_t *),
        ARRAY(settlements, ngx_payments_settlement_t *),
        ARRAY(payouts, ngx_payments_payout_t *),
        ARRAY(screenings, ngx_payments_screening_t *),
        ARRAY(declared, ngx_payments_declared_t *),
        ARRAY(locations, ngx_payments_location_t),
        ARRAY(risk.rules, pay_risk_rule_t),
        ARRAY(risk.velocities, pay_risk_velocity_t)
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
    ngx_http_payments_stages_resolve, ngx_http_payments_rates_resolve,
    ngx_http_payments_resolve, ngx_http_payments_settlement_resolve,
    ngx_http_payments_payout_resolve, ngx_http_payments_endpoints_resolve,
    ngx_http_payments_declared_resolve, ngx_http_payments_risk_resolve,
    ngx_http_payments_screening_resolve
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

    /* its default goes by the handler: unset while there is none */
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

    if (conf->max_body == NGX_CONF_UNSET_SIZE) {
        conf->max_body = conf->kind == NGX_HTTP_PAYMENTS_WEBHOOK
                         ? NGX_PAYMENTS_WEBHOOK_BODY : NGX_PAYMENTS_API_BODY;
    }

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
        || clcf->client_max_body_size > (off_t) conf->max_body)
    {
        clcf->client_max_body_size = (off_t) conf->max_body;
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
        if (cmd->set == ngx_http_payments_set_line && cmd->conf == where) {
            line = cmd->post;
            ngx_http_payments_defaults(line->options,
                                       (u_char *) conf + cmd->offset);
        }
    }
}


/* nginx' setter notes no place; later messages need it. */
static char *
ngx_http_payments_note_html(ngx_conf_t *cf, void *post, void *data)
{
    ngx_http_payments_main_conf_t  *pmcf;

    (void) post;
    (void) data;
    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_payments_module);

    return ngx_http_payments_note(cf, pmcf, "payments_html") == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* There is no "off", as each body is held in memory. */
static char *
ngx_http_payments_check_max_body(ngx_conf_t *cf, void *post, void *data)
{
    size_t  *max_body = data;

    return *max_body >= 1 && *max_body <= MAX_BODY_LIMIT ? NGX_CONF_OK
           : "must be at least 1 byte and at most 1m; there is no \"off\"";
}


static char *
ngx_http_payments_check_body_timeout(ngx_conf_t *cf, void *post, void *data)
{
    ngx_msec_t  *timeout = data;

    return *timeout >= BODY_TIMEOUT_MIN && *timeout <= BODY_TIMEOUT_MAX
           ? NGX_CONF_OK : "must be a time from 10ms to 10m";
}
