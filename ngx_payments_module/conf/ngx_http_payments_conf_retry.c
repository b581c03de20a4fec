/*
 * The settings of background work: when things are tried again (payments_retry
 * and retry), the rule for late payments, the limits of the watchdog, and the
 * word backfill.
 */

#include "conf/ngx_http_payments_conf_retry.h"
#include "conf/ngx_http_payments_conf_place.h"


#define IMMEDIATE_MAX    10
#define BACKFILL_MS      600000
#define LAST_LOOK_S      86400

/* The words of a line, as bits: the rows of `words`. */
#define WORD_BASE        0x01
#define WORD_MAX         0x02
#define WORD_JITTER      0x04
#define WORD_LIMIT       0x08

#define RETRY(member)  NGX_PAYMENTS_FIELD(pay_retry_t, member)

#define AGE(name, init, member)                                               \
    { name, NGX_PAYMENTS_SEC, 0, 30 * 86400, init,                            \
      NGX_PAYMENTS_FIELD(ngx_payments_watch_conf_t, member),                  \
      .must = "must be a time from 1s to 30d, or 0 for no limit" }


static char *retry_line(ngx_conf_t *cf, pay_retry_t *retries,
    ngx_uint_t *said);
static char *retry_check(ngx_conf_t *cf, pay_retry_what_t what,
    pay_retry_t *retry, ngx_uint_t given);
static char *retry_refuse(ngx_conf_t *cf, const char *why);


static const char  *const whats[] = {
    [PAY_RETRY_REGISTER] = "register",
    [PAY_RETRY_POLL] = "poll",
    [PAY_RETRY_REFUND] = "refund"
};
PAY_ROWS(whats, PAY_RETRY_COUNT);


static const pay_retry_t  retry_defaults[] = {
    [PAY_RETRY_REGISTER] = { PAY_RETRY_EXPONENTIAL, 1000, 60000, 25, 100 },
    [PAY_RETRY_POLL] = { PAY_RETRY_EXPONENTIAL, 5000, 300000, 0, 100 },
    [PAY_RETRY_REFUND] = { PAY_RETRY_EXPONENTIAL, 5000, 3600000, 25, 50 }
};
PAY_ROWS(retry_defaults, PAY_RETRY_COUNT);


/* [payments_]retry WHAT STRATEGY [base=1s] [max=60s] [jitter=25] [limit=9] */
static const ngx_http_payments_option_t  words[] = {
    { "base=", NGX_PAYMENTS_MSEC, 10, PAY_RETRY_DELAY_MAX_MS, 0,
      RETRY(base_ms) },
    { "max=", NGX_PAYMENTS_MSEC, 10, PAY_RETRY_DELAY_MAX_MS, 0,
      RETRY(max_ms) },
    { "jitter=", NGX_PAYMENTS_NUMBER, 0, 100, 0, RETRY(jitter_percent) },
    { "limit=", NGX_PAYMENTS_NUMBER, 0, PAY_RETRY_LIMIT_MAX, 0,
      RETRY(limit) },
    { .name = NULL }
};


/* The words that each strategy goes by.  Jitter of `immediate` spreads what
 * the PSP asks for. */
static const ngx_uint_t  uses[] = {
    [PAY_RETRY_EXPONENTIAL] = WORD_BASE | WORD_MAX | WORD_JITTER | WORD_LIMIT,
    [PAY_RETRY_INCREMENTAL] = WORD_BASE | WORD_MAX | WORD_JITTER | WORD_LIMIT,
    [PAY_RETRY_FIXED] = WORD_BASE | WORD_JITTER | WORD_LIMIT,
    [PAY_RETRY_IMMEDIATE] = WORD_JITTER | WORD_LIMIT,
    [PAY_RETRY_CANCEL] = 0
};
PAY_ROWS(uses, PAY_RETRY_BY_COUNT);


static const ngx_conf_enum_t  lates[] = {
    { ngx_string("accept"), PAY_LATE_ACCEPT },
    { ngx_string("hold"), PAY_LATE_HOLD },
    { ngx_string("refund"), PAY_LATE_REFUND },
    { ngx_null_string, 0 }
};
PAY_ROWS(lates, PAY_LATE_COUNT + 1);

static const ngx_http_payments_option_t  late_success[] = {
    { "", NGX_PAYMENTS_WORD, 0, 0, PAY_LATE_ACCEPT,
      NGX_PAYMENTS_FIELD(ngx_http_payments_main_conf_t, env.late),
      .names = lates },
    { .name = NULL }
};

static const ngx_http_payments_option_t  watchdog[] = {
    AGE("registering=", 900, registering_s),
    AGE("executing=", 86400, executing_s),
    AGE("unknown=", 900, unknown_s),
    AGE("parked=", 3600, parked_s),
    { "interval=", NGX_PAYMENTS_MSEC, 10, 600000, 10000,
      NGX_PAYMENTS_FIELD(ngx_payments_watch_conf_t, interval_ms) },
    { .name = NULL }
};


ngx_http_payments_line_t  ngx_http_payments_late_success_line = {
    late_success, NULL
};
ngx_http_payments_line_t  ngx_http_payments_watchdog_line = { watchdog, NULL };


/* The line of the http block is for all PSPs. */
char *
ngx_http_payments_retry(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_payments_main_conf_t  *pmcf = conf;

    return retry_line(cf, pmcf->retry, &pmcf->retries);
}


/* A PSP's own line goes before that of the http block. */
char *
ngx_http_payments_psp_retry(ngx_conf_t *cf, void *object)
{
    ngx_payments_psp_t  *psp = object;

    return retry_line(cf, psp->psp.retry, &psp->retries);
}


/* Runs when the block is whole and its adapter is known. */
char *
ngx_http_payments_retry_check(ngx_conf_t *cf, ngx_payments_psp_t *psp)
{
    ngx_conf_t               *at;
    ngx_http_payments_at_t    place;
    const pay_psp_adapter_t  *adapter = psp->psp.adapter;

    if (psp->psp.backfill_ms > 0 && adapter->list_request == NULL) {
        at = ngx_http_payments_at(&place, cf, psp, "backfill", 0);
        ngx_conf_log_error(NGX_LOG_EMERG, at, 0,
                           "payments_psp \"%V\" has a backfill, but adapter "
                           "%s has no list of events to look at: remove it",
                           &ngx_payments_nstr(psp->psp.name), adapter->name);
        return NGX_CONF_ERROR;
    }

    /* harmless, and easily copied from a block that needs it */
    if (psp->retries != 0 && adapter->register_request == NULL) {
        at = ngx_http_payments_at(&place, cf, psp, "retry", 0);
        ngx_conf_log_error(NGX_LOG_WARN, at, 0,
                           "payments_psp \"%V\" has no use for retry: the "
                           "PSP of adapter %s is never called; remove it",
                           &ngx_payments_nstr(psp->psp.name), adapter->name);
    }

    if (psp->psp.last_look_s == NGX_CONF_UNSET) {
        psp->psp.last_look_s = LAST_LOOK_S;
    }

    if (psp->psp.backfill_ms == NGX_CONF_UNSET) {
        psp->psp.backfill_ms = adapter->list_request != NULL ? BACKFILL_MS
                                                             : 0;
    }

    return NGX_CONF_OK;
}


/* A PSP goes by its own line, else by the http block's, else by ours. */
void
ngx_http_payments_retry_defaults(ngx_http_payments_main_conf_t *pmcf)
{
    ngx_uint_t            i, what;
    ngx_payments_psp_t  **psps = pmcf->psps.elts;

    for (what = 0; what < PAY_RETRY_COUNT; what++) {
        if (!(pmcf->retries & (1u << what))) {
            pmcf->retry[what] = retry_defaults[what];
        }

        for (i = 0; i < pmcf->psps.nelts; i++) {
            if (!(psps[i]->retries & (1u << what))) {
                psps[i]->psp.retry[what] = pmcf->retry[what];
            }
        }
    }
}


/* A PSP that cannot refund cannot have late payments paid back. */
char *
ngx_http_payments_late_check(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf, const pay_merchant_t *merchant)
{
    size_t                 i;
    const pay_psp_conf_t  *psp;

    if (pmcf->env.late != PAY_LATE_REFUND) {
        return NGX_CONF_OK;
    }

    for (i = 0; i < merchant->psp_count; i++) {
        psp = merchant->psps[i];

        if (psp->adapter->changes & PAY_PSP_CAN(PAY_PSP_REFUND)) {
            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "payments_late_success refund: merchant \"%V\" "
                           "has psp \"%V\", whose adapter %s cannot refund: "
                           "use hold, or give the merchant another PSP",
                           &ngx_payments_nstr(merchant->id),
                           &ngx_payments_nstr(psp->name), psp->adapter->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* Words that the line leaves out have the defaults of its subject, not of an
 * outer line. */
static char *
retry_line(ngx_conf_t *cf, pay_retry_t *retries, ngx_uint_t *said)
{
    ngx_str_t      *value = cf->args->elts;
    ngx_uint_t      what, given;
    pay_retry_t     retry;
    pay_retry_by_t  by;

    for (what = 0; what < PAY_RETRY_COUNT; what++) {
        if (ngx_strcmp(value[1].data, whats[what]) == 0) {
            break;
        }
    }

    if (what == PAY_RETRY_COUNT) {
        return retry_refuse(cf, "must be about register, poll or refund");
    }

    if (*said & (1u << what)) {
        return retry_refuse(cf, "is a second line about the same: keep one");
    }

    if (!pay_retry_parse(ngx_payments_str(value[2]), &by)) {
        return retry_refuse(cf, "must be exponential, incremental, fixed, "
                                "immediate or cancel");
    }

    retry = retry_defaults[what];
    retry.by = by;

    if (ngx_http_payments_options(cf, words, 3, &retry, &given) != NGX_CONF_OK
        || retry_check(cf, what, &retry, given) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    retries[what] = retry;
    *said |= 1u << what;

    return NGX_CONF_OK;
}


/* A setting that the strategy does not use is refused where it is written, and
 * dropped where it is a default. */
static char *
retry_check(ngx_conf_t *cf, pay_retry_what_t what, pay_retry_t *retry,
    ngx_uint_t given)
{
    ngx_uint_t  used = uses[retry->by];

    if (what == PAY_RETRY_POLL && retry->by == PAY_RETRY_IMMEDIATE) {
        return retry_refuse(cf, "would ask the PSP without a pause while a "
                                "buyer pays: use fixed");
    }

    if (given & ~used) {
        return retry_refuse(cf, retry->by == PAY_RETRY_CANCEL
                            ? "takes no further word: cancel never tries again"
                            : retry->by == PAY_RETRY_FIXED
                            ? "has no use for max=: fixed always waits base="
                            : "has no use for base= and max=: immediate does "
                              "not wait");
    }

    if (retry->by == PAY_RETRY_IMMEDIATE
        && (!(given & WORD_LIMIT) || retry->limit < 1
            || retry->limit > IMMEDIATE_MAX))
    {
        return retry_refuse(cf, "needs a limit from limit=1 to limit=10: "
                                "immediate does not wait");
    }

    if ((used & WORD_MAX) && retry->base_ms > retry->max_ms) {
        return retry_refuse(cf, "needs a base= that is not longer than max=: "
                                "set both");
    }

    retry->base_ms = used & WORD_BASE ? retry->base_ms : 0;
    retry->max_ms = used & WORD_MAX ? retry->max_ms : retry->base_ms;
    retry->jitter_percent = used & WORD_JITTER ? retry->jitter_percent : 0;
    retry->limit = used & WORD_LIMIT ? retry->limit : 0;

    return NGX_CONF_OK;
}


/* The first three words tell which of several lines is meant. */
static char *
retry_refuse(ngx_conf_t *cf, const char *why)
{
    ngx_str_t  *value = cf->args->elts;

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V %V %V\" %s", &value[0],
                       &value[1], &value[2], why);

    return NGX_CONF_ERROR;
}
