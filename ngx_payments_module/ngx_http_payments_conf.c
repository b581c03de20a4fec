/*
 * Setters of the simple directives.  Each refusal says how to mend it.
 */

#include "ngx_http_payments_conf.h"
#include "pay_url.h"


#define ZONE_MIN       (128 * 1024)
#define CONNECTIONS    2
#define BATCH          256
#define QUEUE          4096
#define DB_TIMEOUT_MS  5000
#define DB_WAIT_MS     1000


static char *set_dsn(ngx_conf_t *cf, ngx_payments_db_conf_t *db,
    ngx_str_t *dsn);
static ngx_uint_t name_fits(ngx_http_core_loc_conf_t *clcf, ngx_uint_t kind);
static ngx_int_t psp_rate(ngx_conf_t *cf, ngx_str_t *word, ngx_uint_t *rate);
static char *unknown(ngx_conf_t *cf, ngx_command_t *cmd, ngx_str_t *word,
    const char *const *words);


/* What each line takes beside its first word. */
static const char  *const database_words[] = {
    "connections=", "batch=", "queue=", "timeout=", "wait=", NULL
};

static const char  *const limit_words[] = {
    "rate=", "burst=", "address_rate=", "address_burst=", NULL
};

static const char  *const key_words[] = {
    "ttl=", "in_progress=", NULL
};

static const char  *const jobs_words[] = {
    "concurrency=", "interval=", "psp_rate=", NULL
};


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


char *
ngx_http_payments_database(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                           *rv;
    ngx_int_t                       rc;
    ngx_str_t                      *value;
    ngx_uint_t                      i;
    ngx_payments_db_conf_t         *db;
    ngx_http_payments_main_conf_t  *pmcf = conf;

    db = &pmcf->db;
    if (db->dsns != NULL) {
        return "is duplicate";
    }

    value = cf->args->elts;

    rv = set_dsn(cf, db, &value[1]);

    if (rv == NGX_CONF_OK) {
        rv = ngx_http_payments_check_words(cf, 2);
    }

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    db->connections = CONNECTIONS;
    db->batch = BATCH;
    db->queue = QUEUE;
    db->timeout = DB_TIMEOUT_MS;
    db->wait = DB_WAIT_MS;

    for (i = 2; i < cf->args->nelts; i++) {
        rc = ngx_http_payments_number(cf, &value[i], "connections=", 1, 64,
                                      &db->connections);

        if (rc == NGX_DECLINED) {
            rc = ngx_http_payments_number(cf, &value[i], "batch=", 1, 1024,
                                          &db->batch);
        }

        if (rc == NGX_DECLINED) {
            rc = ngx_http_payments_number(cf, &value[i], "queue=", 1, 1000000,
                                          &db->queue);
        }

        if (rc == NGX_DECLINED) {
            rc = ngx_http_payments_msec(cf, &value[i], "timeout=",
                                        &db->timeout);
        }

        if (rc == NGX_DECLINED) {
            rc = ngx_http_payments_msec(cf, &value[i], "wait=", &db->wait);
        }

        if (rc == NGX_DECLINED) {
            return unknown(cf, cmd, &value[i], database_words);
        }

        if (rc != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
set_dsn(ngx_conf_t *cf, ngx_payments_db_conf_t *db, ngx_str_t *dsn)
{
    switch (ngx_payments_pq_check(dsn)) {

    case NGX_OK:
        if (ngx_payments_pq_superuser(dsn)) {
            ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                               "payments_database connects as the superuser "
                               "postgres, who may change every row: make it "
                               "user=payments_gateway, the role that payctl "
                               "migrate has made");
        }

        return ngx_payments_pq_hosts(cf, dsn, &db->dsns);

    case NGX_ABORT:
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "payments_database must not hold a password: "
                           "name a file by passfile=, or use peer or "
                           "certificate authentication");
        return NGX_CONF_ERROR;

    default:
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "payments_database needs a libpq connection "
                           "string without a password first, for example "
                           "\"host=… dbname=…\": psql with the same string "
                           "shows what is wrong");
        return NGX_CONF_ERROR;
    }
}


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

    return NGX_CONF_OK;
}


char *
ngx_http_payments_health(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t      *value;
    ngx_command_t   named = *cmd;

    value = cf->args->elts;

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


char *
ngx_http_payments_rate_limit(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_int_t                      rc;
    ngx_str_t                     *value;
    ngx_uint_t                     i;
    ngx_http_payments_loc_conf_t  *plcf = conf;

    if (plcf->rate != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    if (ngx_http_payments_check_words(cf, 1) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        rc = ngx_http_payments_rate(cf, &value[i], "rate=", &plcf->rate);

        if (rc == NGX_DECLINED) {
            rc = ngx_http_payments_number(cf, &value[i], "burst=", 0, 1000000,
                                          &plcf->burst);
        }

        if (rc == NGX_DECLINED) {
            rc = ngx_http_payments_rate(cf, &value[i], "address_rate=",
                                        &plcf->address_rate);
        }

        if (rc == NGX_DECLINED) {
            rc = ngx_http_payments_number(cf, &value[i], "address_burst=", 0,
                                          1000000, &plcf->address_burst);
        }

        if (rc == NGX_DECLINED) {
            return unknown(cf, cmd, &value[i], limit_words);
        }

        if (rc != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (plcf->rate == NGX_CONF_UNSET_UINT) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "payments_rate_limit needs rate=, for example "
                           "rate=100r/s");
        return NGX_CONF_ERROR;
    }

    if (plcf->burst == NGX_CONF_UNSET_UINT) {
        plcf->burst = 0;
    }

    if (plcf->address_rate == NGX_CONF_UNSET_UINT) {
        plcf->address_rate = plcf->rate;
    }

    if (plcf->address_burst == NGX_CONF_UNSET_UINT) {
        plcf->address_burst = plcf->burst;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_payments_idempotency(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                     *value, text;
    ngx_uint_t                     i;
    ngx_http_payments_loc_conf_t  *plcf = conf;

    if (plcf->key_required != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    if (ngx_http_payments_check_words(cf, 2) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "required") != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "payments_idempotency \"%V\" must be required: a "
                           "payment without a key cannot be retried safely",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    plcf->key_required = 1;

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_http_payments_option(&value[i], "ttl=", &text) == NGX_OK) {
            plcf->key_ttl = ngx_parse_time(&text, 1);

            if (plcf->key_ttl == (time_t) NGX_ERROR || plcf->key_ttl < 60) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "payments_idempotency ttl \"%V\" must be "
                                   "a time of 60s or more", &text);
                return NGX_CONF_ERROR;
            }

        } else if (ngx_http_payments_option(&value[i], "in_progress=", &text)
                   == NGX_OK)
        {
            if (ngx_strcmp(text.data, "429") != 0
                && ngx_strcmp(text.data, "409") != 0)
            {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "payments_idempotency in_progress \"%V\" "
                                   "must be 429 or 409", &text);
                return NGX_CONF_ERROR;
            }

            plcf->in_progress = (ngx_uint_t) ngx_atoi(text.data, text.len);

        } else {
            return unknown(cf, cmd, &value[i], key_words);
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_http_payments_public_url(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                      *value;
    pay_err_t                       err;
    pay_url_t                       url;
    ngx_http_payments_main_conf_t  *pmcf = conf;

    if (pmcf->public_url.data != NULL) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (pay_url_parse(ngx_payments_str(value[1]), &url, &err) != PAY_OK
        || url.path.len != 0 || url.query.len != 0 || url.fragment.len != 0
        || (!pay_str_is(url.scheme, "https")
            && !pay_host_is_loopback(url.host)))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "payments_public_url \"%V\" must be "
                           "https://host[:port] without a path", &value[1]);
        return NGX_CONF_ERROR;
    }

    pmcf->public_url = value[1];

    return ngx_http_payments_note(cf, pmcf, "payments_public_url") == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


char *
ngx_http_payments_jobs(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_int_t                       rc;
    ngx_str_t                      *value;
    ngx_uint_t                      i;
    ngx_http_payments_main_conf_t  *pmcf = conf;

    if (pmcf->jobs != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    if (ngx_http_payments_check_words(cf, 2) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "on") == 0) {
        pmcf->jobs = 1;

    } else if (ngx_strcmp(value[1].data, "off") == 0) {
        pmcf->jobs = 0;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "payments_jobs \"%V\" must be on or off",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {
        rc = ngx_http_payments_number(cf, &value[i], "concurrency=", 1, 256,
                                      &pmcf->jobs_concurrency);

        if (rc == NGX_DECLINED) {
            rc = ngx_http_payments_msec(cf, &value[i], "interval=",
                                        &pmcf->jobs_interval);
        }

        if (rc == NGX_DECLINED) {
            rc = psp_rate(cf, &value[i], &pmcf->psp_rate);
        }

        if (rc == NGX_DECLINED) {
            return unknown(cf, cmd, &value[i], jobs_words);
        }

        if (rc != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

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


ngx_int_t
ngx_http_payments_option(ngx_str_t *word, const char *name,
    ngx_str_t *value)
{
    size_t  len = ngx_strlen(name);

    if (word->len <= len || ngx_strncmp(word->data, name, len) != 0) {
        return NGX_DECLINED;
    }

    value->data = word->data + len;
    value->len = word->len - len;

    return NGX_OK;
}


ngx_int_t
ngx_http_payments_number(ngx_conf_t *cf, ngx_str_t *word, const char *name,
    ngx_uint_t min, ngx_uint_t max, ngx_uint_t *number)
{
    ngx_int_t  n;
    ngx_str_t  text;

    if (ngx_http_payments_option(word, name, &text) != NGX_OK) {
        return NGX_DECLINED;
    }

    n = ngx_atoi(text.data, text.len);

    if (n == NGX_ERROR || (ngx_uint_t) n < min || (ngx_uint_t) n > max) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must be a number from %ui to %ui", word,
                           min, max);
        return NGX_ERROR;
    }

    *number = (ngx_uint_t) n;

    return NGX_OK;
}


ngx_int_t
ngx_http_payments_msec(ngx_conf_t *cf, ngx_str_t *word, const char *name,
    ngx_msec_t *msec)
{
    ngx_int_t  n;
    ngx_str_t  text;

    if (ngx_http_payments_option(word, name, &text) != NGX_OK) {
        return NGX_DECLINED;
    }

    n = ngx_parse_time(&text, 0);

    if (n == NGX_ERROR || n < 10 || n > 600000) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must be a time from 10ms to 10m", word);
        return NGX_ERROR;
    }

    *msec = (ngx_msec_t) n;

    return NGX_OK;
}


ngx_int_t
ngx_http_payments_rate(ngx_conf_t *cf, ngx_str_t *word, const char *name,
    ngx_uint_t *rate)
{
    size_t      len;
    ngx_int_t   n;
    ngx_str_t   text;
    ngx_uint_t  scale;

    if (ngx_http_payments_option(word, name, &text) != NGX_OK) {
        return NGX_DECLINED;
    }

    scale = 0;
    len = text.len;

    if (len > 3 && ngx_strncmp(text.data + len - 3, "r/s", 3) == 0) {
        scale = 1;

    } else if (len > 3 && ngx_strncmp(text.data + len - 3, "r/m", 3) == 0) {
        scale = 60;
    }

    n = scale ? ngx_atoi(text.data, len - 3) : NGX_ERROR;

    if (n <= 0 || n > 1000000) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must be a rate such as 100r/s or 30r/m",
                           word);
        return NGX_ERROR;
    }

    *rate = (ngx_uint_t) n * 1000 / scale;

    return NGX_OK;
}


static ngx_int_t
psp_rate(ngx_conf_t *cf, ngx_str_t *word, ngx_uint_t *rate)
{
    if (ngx_strcmp(word->data, "psp_rate=off") == 0) {
        *rate = 0;
        return NGX_OK;
    }

    return ngx_http_payments_rate(cf, word, "psp_rate=", rate);
}


static char *
unknown(ngx_conf_t *cf, ngx_command_t *cmd, ngx_str_t *word,
    const char *const *words)
{
    return ngx_http_payments_unknown(cf, (char *) cmd->name.data, word,
                                     words);
}
