/*
 * Setters of the simple directives.  Each refusal says how to mend it.
 */

#include "conf/ngx_http_payments_conf.h"
#include "conf/ngx_http_payments_conf_cell.h"
#include "conf/ngx_http_payments_conf_place.h"
#include "conf/ngx_http_payments_conf_text.h"
#include "http/ngx_http_payments_handler.h"
#include "io/ngx_payments_pq_conf.h"
#include "shm/ngx_payments_shm.h"
#include "util/ngx_payments_conf_types.h"
#include "pay_url.h"


#define ZONE_MIN   (128 * 1024)
#define COUNT_MAX  1000000
#define RATE_MAX   ((int64_t) NGX_PAYMENTS_RATE_MAX * 1000)
#define UNSET      NGX_CONF_UNSET       /* merged with what stands outside */

#define DB(member)    NGX_PAYMENTS_FIELD(ngx_payments_db_conf_t, member)
#define MAIN(member)  NGX_PAYMENTS_FIELD(ngx_http_payments_main_conf_t, member)
#define LOC(member)   NGX_PAYMENTS_FIELD(ngx_http_payments_loc_conf_t, member)


static char *set_dsn(ngx_conf_t *cf, ngx_str_t *dsn, void *object);
static char *set_public_url(ngx_conf_t *cf, ngx_str_t *text, void *object);
static char *check_limit(ngx_conf_t *cf, void *object, ngx_uint_t given);
static ngx_uint_t name_fits(ngx_http_core_loc_conf_t *clcf, ngx_uint_t kind);
static void note_prefix(ngx_http_payments_srv_conf_t *pscf,
    const ngx_http_payments_loc_conf_t *plcf);


static const ngx_conf_enum_t  off[] = {
    { ngx_string("off"), 0 },
    { ngx_null_string, 0 }
};

static const ngx_conf_enum_t  required[] = {
    { ngx_string("required"), 1 },
    { ngx_null_string, 0 }
};

static const ngx_conf_enum_t  in_progress[] = {
    { ngx_string("429"), 429 },
    { ngx_string("409"), 409 },
    { ngx_null_string, 0 }
};


/* payments_database [CELL] "CONNINFO" [connections=N] … */
static const ngx_http_payments_option_t  database[] = {
    { "", .set = set_dsn },
    { "connections=", NGX_PAYMENTS_NUMBER, 1, 64, 2, DB(connections) },
    { "batch=", NGX_PAYMENTS_NUMBER, 1, 1024, 256, DB(batch) },
    { "queue=", NGX_PAYMENTS_NUMBER, 1, COUNT_MAX, 4096, DB(queue) },
    { "timeout=", NGX_PAYMENTS_MSEC, 10, 600000, 5000, DB(timeout) },
    { "wait=", NGX_PAYMENTS_MSEC, 10, 600000, 1000, DB(wait) },
    { "handle=", .set = ngx_http_payments_cell_letter },
    { .name = NULL }
};

static const ngx_http_payments_option_t  public_url[] = {
    { "", .set = set_public_url },
    { .name = NULL }
};

/* payments_jobs on|off [concurrency=N] … */
static const ngx_http_payments_option_t  jobs[] = {
    { "", NGX_PAYMENTS_WORD, 0, 0, 1, MAIN(jobs),
      .names = ngx_http_payments_on_off },
    { "concurrency=", NGX_PAYMENTS_NUMBER, 1, 256, 8, MAIN(jobs_concurrency) },
    { "interval=", NGX_PAYMENTS_MSEC, 10, 600000, 1000, MAIN(jobs_interval) },
    { "psp_rate=", NGX_PAYMENTS_RATE, 0, RATE_MAX, 50000, MAIN(psp_rate),
      .names = off, .must = "must be a rate such as 100r/s or 30r/m" },
    { .name = NULL }
};

static const ngx_http_payments_option_t  rate_limit[] = {
    { "rate=", NGX_PAYMENTS_RATE, 0, RATE_MAX, UNSET, LOC(rate) },
    { "burst=", NGX_PAYMENTS_NUMBER, 0, COUNT_MAX, UNSET, LOC(burst) },
    { "address_rate=", NGX_PAYMENTS_RATE, 0, RATE_MAX, UNSET,
      LOC(address_rate) },
    { "address_burst=", NGX_PAYMENTS_NUMBER, 0, COUNT_MAX, UNSET,
      LOC(address_burst) },
    { .name = NULL }
};

/* payments_idempotency required [ttl=TIME] [in_progress=429|409] */
static const ngx_http_payments_option_t  idempotency[] = {
    { "", NGX_PAYMENTS_WORD, 0, 0, UNSET, LOC(key_required),
      .names = required, .must = "must be required: a payment without a key "
                                 "cannot be retried safely" },
    { "ttl=", NGX_PAYMENTS_SEC, 60, INT64_MAX, UNSET, LOC(key_ttl),
      .must = "must be a time of 60s or more" },
    { "in_progress=", NGX_PAYMENTS_WORD, 0, 0, UNSET, LOC(in_progress),
      .names = in_progress },
    { .name = NULL }
};


ngx_http_payments_line_t  ngx_http_payments_database_line = { database, NULL };
ngx_http_payments_line_t  ngx_http_payments_public_url_line = { public_url,
                                                                NULL };
ngx_http_payments_line_t  ngx_http_payments_jobs_line = { jobs, NULL };
ngx_http_payments_line_t  ngx_http_payments_rate_limit_line = { rate_limit,
                                                                check_limit };
ngx_http_payments_line_t  ngx_http_payments_idempotency_line = { idempotency,
                                                                 NULL };


/* Through nginx' own shared memory, so that a reload with the same name and
 * size keeps the contents. */
char *
ngx_http_payments_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    u_char                         *colon;
    ssize_t                         size;
    ngx_str_t                      *value, name, text;
    ngx_http_payments_main_conf_t  *pmcf = conf;

    if (pmcf->zone != NULL) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_http_payments_option(&value[1], "zone=", &name) != NGX_OK
        || (colon = ngx_strlchr(name.data, name.data + name.len, ':')) == NULL
        || colon == name.data)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "payments_zone \"%V\" must be zone=NAME:SIZE, "
                           "for example zone=payments:16m", &value[1]);
        return NGX_CONF_ERROR;
    }

    text.data = colon + 1;
    text.len = name.data + name.len - text.data;
    name.len = colon - name.data;

    size = ngx_parse_size(&text);
    if (size == NGX_ERROR || size < ZONE_MIN) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "payments_zone needs a size of at least 128k, "
                           "not \"%V\"", &text);
        return NGX_CONF_ERROR;
    }

    pmcf->zone = ngx_shared_memory_add(cf, &name, (size_t) size,
                                       &ngx_http_payments_module);
    if (pmcf->zone == NULL) {
        return NGX_CONF_ERROR;
    }

    if (pmcf->zone->data != NULL) {
        return "names a zone that is in use already";
    }

    pmcf->zone->init = ngx_payments_shm_init_zone;
    pmcf->zone->data = pmcf;

    return NGX_CONF_OK;
}


/* For requests that nginx refuses before it knows the location. */
static void
note_prefix(ngx_http_payments_srv_conf_t *pscf,
    const ngx_http_payments_loc_conf_t *plcf)
{
    if (plcf->kind == NGX_HTTP_PAYMENTS_CHECKOUT) {
        pscf->checkout = plcf->prefix;

    } else if (plcf->kind == NGX_HTTP_PAYMENTS_RETURN) {
        pscf->back = plcf->prefix;
    }
}


/* The setter of all directives that are a handler; its kind is the command's
 * `post`. */
char *
ngx_http_payments_location(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_payments_location_t        *location;
    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_payments_loc_conf_t   *plcf = conf;
    ngx_http_payments_srv_conf_t   *pscf;
    ngx_http_payments_main_conf_t  *pmcf;

    if (plcf->kind != NGX_HTTP_PAYMENTS_NONE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "this location has a payments handler already: "
                           "give each its own location");
        return NGX_CONF_ERROR;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    /* the other order is found in merge_loc_conf */
    if (clcf->handler != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "this location has a handler of another module "
                           "already: give each its own location");
        return NGX_CONF_ERROR;
    }

    if (!name_fits(clcf, (ngx_uint_t) (uintptr_t) cmd->post)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%V takes what follows the location's name: it "
                           "needs a plain prefix that ends with \"/\", not "
                           "\"%V\"", &cmd->name, &clcf->name);
        return NGX_CONF_ERROR;
    }

    pscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_payments_module);
    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_payments_module);

    location = ngx_array_push(&pmcf->locations);
    if (location == NULL
        || ngx_http_payments_note(cf, plcf, "") != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    location->kind = (ngx_uint_t) (uintptr_t) cmd->post;
    location->server = ngx_http_conf_get_module_srv_conf(cf,
                                                         ngx_http_core_module);
    location->location = clcf;
    location->owner = plcf;

    plcf->kind = location->kind;
    plcf->prefix = clcf->name;
    plcf->owner = plcf;
    clcf->handler = ngx_http_payments_handler;
    pscf->active = 1;
    pmcf->active = 1;

    note_prefix(pscf, plcf);

    return NGX_CONF_OK;
}


/* Two kinds of location in one directive; its word says which. */
char *
ngx_http_payments_health(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t      *value = cf->args->elts;
    ngx_command_t   named = *cmd;

    if (ngx_strcmp(value[1].data, "live") == 0) {
        named.post = (void *) NGX_HTTP_PAYMENTS_LIVE;

    } else if (ngx_strcmp(value[1].data, "ready") == 0) {
        named.post = (void *) NGX_HTTP_PAYMENTS_READY;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "payments_health \"%V\" must be live or ready",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    return ngx_http_payments_location(cf, &named, conf);
}


static char *
set_dsn(ngx_conf_t *cf, ngx_str_t *dsn, void *object)
{
    ngx_payments_db_conf_t  *db = object;

    if (ngx_http_payments_dsn(cf, dsn, "payments_database") != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_payments_pq_hosts(cf, dsn, &db->dsns);
}


/* https only, but for a loopback host, where tests and first steps happen: the
 * links of buyers and PSPs are made of it. */
static char *
set_public_url(ngx_conf_t *cf, ngx_str_t *text, void *object)
{
    pay_err_t                       err;
    pay_url_t                       url;
    ngx_http_payments_main_conf_t  *pmcf = object;

    if (pay_url_parse(ngx_payments_str(*text), &url, &err) != PAY_OK
        || url.path.len != 0 || url.query.len != 0 || url.fragment.len != 0
        || (!pay_str_is(url.scheme, "https")
            && !pay_host_is_loopback(url.host)))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "payments_public_url \"%V\" must be "
                           "https://host[:port] without a path", text);
        return NGX_CONF_ERROR;
    }

    pmcf->public_url = *text;

    return NGX_CONF_OK;
}


/* Defaults follow from the values of the same line, never from an outer one. */
static char *
check_limit(ngx_conf_t *cf, void *object, ngx_uint_t given)
{
    ngx_http_payments_loc_conf_t  *plcf = object;

    (void) given;

    if (plcf->rate == NGX_CONF_UNSET_UINT) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "payments_rate_limit needs rate=, for example "
                           "rate=100r/s");
        return NGX_CONF_ERROR;
    }

    ngx_conf_init_uint_value(plcf->burst, 0);
    ngx_conf_init_uint_value(plcf->address_rate, plcf->rate);
    ngx_conf_init_uint_value(plcf->address_burst, plcf->burst);

    return NGX_CONF_OK;
}


/* With any other name every request would be a 404. */
static ngx_uint_t
name_fits(ngx_http_core_loc_conf_t *clcf, ngx_uint_t kind)
{
    ngx_uint_t  plain;

    plain = !clcf->named;

#if (NGX_PCRE)
    plain = plain && clcf->regex == NULL;
#endif

    switch (kind) {

    case NGX_HTTP_PAYMENTS_METRICS:
    case NGX_HTTP_PAYMENTS_LIVE:
    case NGX_HTTP_PAYMENTS_READY:
        return 1;

    case NGX_HTTP_PAYMENTS_PROBLEMS:
        return plain;

    default:
        return plain && !clcf->exact_match && clcf->name.len != 0
               && clcf->name.data[clcf->name.len - 1] == '/';
    }
}
