/*
 * Acts of staff on the console: as whom PostgreSQL is asked, and how much may
 * be refunded.  A currency without a line is not refunded on the console.
 * Each refusal says how to mend it.
 */

#include "conf/ngx_http_payments_conf_act.h"
#include "conf/ngx_http_payments_conf_staff.h"
#include "util/ngx_payments_memory.h"
#include "pay_money.h"


#define QUEUE_MAX   4096
#define TERMS_MAX   (512 * 1024)

#define DB(member)  NGX_PAYMENTS_FIELD(ngx_payments_db_conf_t, member)


static char *set_dsn(ngx_conf_t *cf, ngx_str_t *dsn, void *object);
static char *set_currency(ngx_conf_t *cf, ngx_str_t *text, void *object);
static char *set_each(ngx_conf_t *cf, ngx_str_t *text, void *object);
static char *set_person(ngx_conf_t *cf, ngx_str_t *text, void *object);
static char *set_day(ngx_conf_t *cf, ngx_str_t *text, void *object);
static char *check_limit(ngx_conf_t *cf,
    const ngx_payments_refund_limit_t *limit);
static int64_t minor_of(const ngx_payments_refund_limit_t *limit,
    pay_str_t text);
static void add_text(pay_buf_t *buf, const char *before, pay_str_t value);


/* payments_console_act_database "CONNINFO" [connections=N] … */
static const ngx_http_payments_option_t  database[] = {
    { "", .set = set_dsn },
    { "connections=", NGX_PAYMENTS_NUMBER, 1, 16, 1, DB(connections) },
    { "batch=", NGX_PAYMENTS_NUMBER, 1, 1, 1, DB(batch) },
    { "queue=", NGX_PAYMENTS_NUMBER, 1, QUEUE_MAX, 64, DB(queue) },
    { "timeout=", NGX_PAYMENTS_MSEC, 100, 60000, 6000, DB(timeout) },
    { "wait=", NGX_PAYMENTS_MSEC, 10, 60000, 2000, DB(wait) },
    { .name = NULL }
};

/* payments_console_refund CURRENCY each=AMOUNT person=AMOUNT day=AMOUNT */
static const ngx_http_payments_option_t  refund[] = {
    { "", .set = set_currency },
    { "each=", .set = set_each },
    { "person=", .set = set_person },
    { "day=", .set = set_day },
    { .name = NULL }
};

ngx_http_payments_line_t  ngx_http_payments_console_act_database_line = {
    database, NULL
};


static char *
set_dsn(ngx_conf_t *cf, ngx_str_t *dsn, void *object)
{
    return ngx_http_payments_console_dsn(cf, dsn, object, PAY_ROLE_ACT);
}


char *
ngx_http_payments_console_refund(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    char                           *rv;
    ngx_uint_t                      i, given;
    ngx_payments_console_conf_t    *console;
    ngx_payments_refund_limit_t    *limit, *limits;
    ngx_http_payments_main_conf_t  *pmcf = conf;

    (void) cmd;

    console = &pmcf->console;

    if (console->refunds == NULL) {
        console->refunds = ngx_array_create(cf->pool, 4,
            sizeof(ngx_payments_refund_limit_t));
        if (console->refunds == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    limit = ngx_array_push(console->refunds);
    if (limit == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(limit, sizeof(ngx_payments_refund_limit_t));

    rv = ngx_http_payments_options(cf, refund, 1, limit, &given);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    limits = console->refunds->elts;

    for (i = 0; i < console->refunds->nelts - 1; i++) {
        if (pay_str_eq(limits[i].currency, limit->currency)) {
            return "names a currency that has a line already: keep one";
        }
    }

    return check_limit(cf, limit);
}


static char *
set_currency(ngx_conf_t *cf, ngx_str_t *text, void *object)
{
    pay_err_t                     err;
    const pay_currency_t         *currency;
    ngx_payments_refund_limit_t  *limit = object;

    (void) cf;

    if (pay_currency_find(ngx_payments_str(*text), &currency, &err)
        != PAY_OK)
    {
        return "must be the code of a currency, such as EUR";
    }

    limit->currency = ngx_payments_str(*text);

    return NGX_CONF_OK;
}


static char *
set_each(ngx_conf_t *cf, ngx_str_t *text, void *object)
{
    ngx_payments_refund_limit_t  *limit = object;

    (void) cf;
    limit->each = ngx_payments_str(*text);

    return NGX_CONF_OK;
}


static char *
set_person(ngx_conf_t *cf, ngx_str_t *text, void *object)
{
    ngx_payments_refund_limit_t  *limit = object;

    (void) cf;
    limit->person = ngx_payments_str(*text);

    return NGX_CONF_OK;
}


static char *
set_day(ngx_conf_t *cf, ngx_str_t *text, void *object)
{
    ngx_payments_refund_limit_t  *limit = object;

    (void) cf;
    limit->day = ngx_payments_str(*text);

    return NGX_CONF_OK;
}


static char *
check_limit(ngx_conf_t *cf, const ngx_payments_refund_limit_t *limit)
{
    int64_t  each, person, day;

    each = minor_of(limit, limit->each);
    person = minor_of(limit, limit->person);
    day = minor_of(limit, limit->day);

    if (each < 0 || person < 0 || day < 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "payments_console_refund needs each=, person= and "
                           "day=, amounts with the decimals of the currency, "
                           "for example \"EUR each=100.00 person=500.00 "
                           "day=2000.00\"");
        return NGX_CONF_ERROR;
    }

    if (each > person || person > day) {
        return "must not have a limit of each that is above that of person, "
               "nor one of person above that of day";
    }

    return NGX_CONF_OK;
}


/* -1: no amount of the currency. */
static int64_t
minor_of(const ngx_payments_refund_limit_t *limit, pay_str_t text)
{
    int64_t                minor;
    pay_err_t              err;
    const pay_currency_t  *currency;

    return pay_currency_find(limit->currency, &currency, &err) == PAY_OK
           && pay_amount_parse(text, currency, &minor, &err) == PAY_OK
           ? minor : -1;
}


char *
ngx_http_payments_act_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf)
{
    pay_buf_t                           buf;
    ngx_uint_t                          i, n = 0;
    pay_arena_t                         arena = ngx_payments_arena(cf->pool);
    ngx_array_t                        *refunds = pmcf->console.refunds;
    ngx_payments_merchant_t           **merchants = pmcf->merchants.elts;
    const ngx_payments_refund_limit_t  *limits;

    if (!pmcf->console.is_served) {
        return NGX_CONF_OK;
    }

    pay_buf_init(&buf, &arena, TERMS_MAX);
    pay_buf_text(&buf, "{\"limits\":[");
    limits = refunds != NULL ? refunds->elts : NULL;

    for (i = 0; refunds != NULL && i < refunds->nelts; i++) {
        add_text(&buf, i == 0 ? "{\"currency\":" : ",{\"currency\":",
                 limits[i].currency);
        add_text(&buf, ",\"each\":", limits[i].each);
        add_text(&buf, ",\"person\":", limits[i].person);
        add_text(&buf, ",\"day\":", limits[i].day);
        pay_buf_text(&buf, "}");
    }

    pay_buf_text(&buf, "],\"covered\":[");

    for (i = 0; i < pmcf->merchants.nelts; i++) {
        if (merchants[i]->merchant.refuse_overdraw) {
            add_text(&buf, n++ == 0 ? "" : ",", merchants[i]->merchant.id);
        }
    }

    pay_buf_text(&buf, "]}");

    if (pay_buf_done(&buf, &pmcf->console.terms) != PAY_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "payments_console_refund: the limits and the "
                           "merchants with refund_overdraw refuse are more "
                           "than 512 KiB of JSON: serve the console by a "
                           "configuration with fewer merchants");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static void
add_text(pay_buf_t *buf, const char *before, pay_str_t value)
{
    pay_buf_text(buf, before);
    pay_buf_text(buf, "\"");
    pay_buf_json(buf, value);
    pay_buf_text(buf, "\"");
}
