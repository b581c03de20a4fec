/*
 * What goes on without anybody asking: when things are tried again
 * (payments_retry and retry), what becomes of late payments, what the
 * watchdog looks for, and the word backfill.
 */

#include "ngx_http_payments_conf.h"


#define DELAY_MIN_MS     10
#define IMMEDIATE_MAX    10
#define BACKFILL_MS      600000
#define LAST_LOOK_S      86400
#define LAST_LOOK_MAX_S  2592000
#define BACKFILL_MIN_MS  60000
#define BACKFILL_MAX_MS  86400000
#define AGE_MAX_S        (30 * 86400)

/* The words of a line, as bits. */
#define WORD_BASE        0x01
#define WORD_MAX         0x02
#define WORD_JITTER      0x04
#define WORD_LIMIT       0x08


typedef struct {
    const char  *name;
    size_t       offset;                /* in ngx_payments_watch_conf_t */
} age_t;


static char *retry_line(ngx_conf_t *cf, pay_retry_t *retries,
    ngx_uint_t *said);
static char *retry_words(ngx_conf_t *cf, pay_retry_t *retry,
    ngx_uint_t *given);
static ngx_int_t retry_word(ngx_conf_t *cf, ngx_str_t *word,
    pay_retry_t *retry, ngx_uint_t *given);
static ngx_int_t delay_word(ngx_conf_t *cf, ngx_str_t *word,
    const char *name, int64_t *ms);
static char *retry_check(ngx_conf_t *cf, pay_retry_what_t what,
    pay_retry_t *retry, ngx_uint_t given);
static char *retry_refuse(ngx_conf_t *cf, const char *why);
static ngx_int_t age_word(ngx_conf_t *cf, ngx_str_t *word,
    ngx_payments_watch_conf_t *watch);


static const char  *const whats[] = {
    [PAY_RETRY_REGISTER] = "register",
    [PAY_RETRY_POLL] = "poll",
    [PAY_RETRY_REFUND] = "refund"
};


static const pay_retry_t  retry_defaults[] = {
    [PAY_RETRY_REGISTER] = { PAY_RETRY_EXPONENTIAL, 1000, 60000, 25, 100 },
    [PAY_RETRY_POLL] = { PAY_RETRY_EXPONENTIAL, 5000, 300000, 0, 100 },
    [PAY_RETRY_REFUND] = { PAY_RETRY_EXPONENTIAL, 5000, 3600000, 25, 50 }
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


static const char  *const lates[] = {
    [PAY_LATE_ACCEPT] = "accept",
    [PAY_LATE_HOLD] = "hold",
    [PAY_LATE_REFUND] = "refund"
};


static const ngx_payments_watch_conf_t  watch_defaults = {
    900, 86400, 900, 3600, 10000
};


static const age_t  ages[] = {
    { "registering=", offsetof(ngx_payments_watch_conf_t, registering_s) },
    { "executing=", offsetof(ngx_payments_watch_conf_t, executing_s) },
    { "unknown=", offsetof(ngx_payments_watch_conf_t, unknown_s) },
    { "parked=", offsetof(ngx_payments_watch_conf_t, parked_s) },
    { NULL, 0 }
};


char *
ngx_http_payments_retry(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_payments_main_conf_t  *pmcf = conf;

    return retry_line(cf, pmcf->retry, &pmcf->retries);
}


char *
ngx_http_payments_psp_retry(ngx_conf_t *cf, void *object)
{
    ngx_payments_psp_t  *psp = object;

    return retry_line(cf, psp->psp.retry, &psp->retries);
}


/* backfill off|TIME */
char *
ngx_http_payments_psp_backfill(ngx_conf_t *cf, void *object)
{
    ngx_int_t        n;
    ngx_str_t       *value = cf->args->elts;
    pay_psp_conf_t  *psp = &((ngx_payments_psp_t *) object)->psp;

    if (psp->backfill_ms != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    if (ngx_strcmp(value[1].data, "off") == 0) {
        psp->backfill_ms = 0;
        return NGX_CONF_OK;
    }

    n = ngx_parse_time(&value[1], 0);

    if (n == NGX_ERROR || n < BACKFILL_MIN_MS || n > BACKFILL_MAX_MS) {
        return "must be off or a time from 1m to 24h";
    }

    psp->backfill_ms = (int64_t) n;

    return NGX_CONF_OK;
}


/* last_look off|TIME */
char *
ngx_http_payments_psp_last_look(ngx_conf_t *cf, void *object)
{
    ngx_int_t        n;
    ngx_str_t       *value = cf->args->elts;
    pay_psp_conf_t  *psp = &((ngx_payments_psp_t *) object)->psp;

    if (psp->last_look_s != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    if (ngx_strcmp(value[1].data, "off") == 0) {
        psp->last_look_s = 0;
        return NGX_CONF_OK;
    }

    n = ngx_parse_time(&value[1], 1);

    if (n == NGX_ERROR || n < 1 || n > LAST_LOOK_MAX_S) {
        return "must be off or a time from 1s to 30d";
    }

    psp->last_look_s = (int64_t) n;

    return NGX_CONF_OK;
}


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

    if (pmcf->watch.interval_ms == NGX_CONF_UNSET_MSEC) {
        pmcf->watch = watch_defaults;
    }
}


char *
ngx_http_payments_late_success(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                      *value = cf->args->elts;
    ngx_uint_t                      i;
    ngx_http_payments_main_conf_t  *pmcf = conf;

    if (pmcf->late != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    if (ngx_http_payments_note(cf, pmcf, "payments_late_success") != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < sizeof(lates) / sizeof(lates[0]); i++) {
        if (ngx_strcmp(value[1].data, lates[i]) == 0) {
            pmcf->late = i;
            return NGX_CONF_OK;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "%V \"%V\" must be accept, hold or refund", &cmd->name,
                       &value[1]);

    return NGX_CONF_ERROR;
}


/* Whoever promises to pay late money back must be able to. */
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


char *
ngx_http_payments_watchdog(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_int_t                       rc;
    ngx_str_t                      *value = cf->args->elts;
    ngx_uint_t                      i;
    ngx_http_payments_main_conf_t  *pmcf = conf;
    static const char              *const words[] = {
        "registering=", "executing=", "unknown=", "parked=", "interval=", NULL
    };

    if (pmcf->watch.interval_ms != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    if (ngx_http_payments_check_words(cf, 1) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    pmcf->watch = watch_defaults;

    for (i = 1; i < cf->args->nelts; i++) {
        rc = age_word(cf, &value[i], &pmcf->watch);

        if (rc == NGX_DECLINED) {
            rc = ngx_http_payments_msec(cf, &value[i], "interval=",
                                        &pmcf->watch.interval_ms);
        }

        if (rc == NGX_DECLINED) {
            (void) ngx_http_payments_unknown(cf, (char *) cmd->name.data,
                                             &value[i], words);
        }

        if (rc != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* [payments_]retry WHAT STRATEGY [base=1s] [max=60s] [jitter=25] [limit=9] */
static char *
retry_line(ngx_conf_t *cf, pay_retry_t *retries, ngx_uint_t *said)
{
    ngx_str_t      *value = cf->args->elts;
    ngx_uint_t      what, given = 0;
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

    if (retry_words(cf, &retry, &given) != NGX_CONF_OK
        || retry_check(cf, what, &retry, given) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    retries[what] = retry;
    *said |= 1u << what;

    return NGX_CONF_OK;
}


static char *
retry_words(ngx_conf_t *cf, pay_retry_t *retry, ngx_uint_t *given)
{
    ngx_int_t   rc;
    ngx_str_t  *value = cf->args->elts;
    ngx_uint_t  i;

    if (ngx_http_payments_check_words(cf, 3) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    for (i = 3; i < cf->args->nelts; i++) {
        rc = retry_word(cf, &value[i], retry, given);

        if (rc == NGX_DECLINED) {
            return retry_refuse(cf, "takes base=, max=, jitter= and limit=");
        }

        if (rc != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static ngx_int_t
retry_word(ngx_conf_t *cf, ngx_str_t *word, pay_retry_t *retry,
    ngx_uint_t *given)
{
    ngx_int_t   rc;
    ngx_uint_t  jitter = retry->jitter_percent, limit = retry->limit, bit;

    bit = WORD_BASE;
    rc = delay_word(cf, word, "base=", &retry->base_ms);

    if (rc == NGX_DECLINED) {
        bit = WORD_MAX;
        rc = delay_word(cf, word, "max=", &retry->max_ms);
    }

    if (rc == NGX_DECLINED) {
        bit = WORD_JITTER;
        rc = ngx_http_payments_number(cf, word, "jitter=", 0, 100, &jitter);
    }

    if (rc == NGX_DECLINED) {
        bit = WORD_LIMIT;
        rc = ngx_http_payments_number(cf, word, "limit=", 0,
                                      PAY_RETRY_LIMIT_MAX, &limit);
    }

    retry->jitter_percent = (unsigned) jitter;
    retry->limit = (unsigned) limit;
    *given |= bit;

    return rc;
}


static ngx_int_t
delay_word(ngx_conf_t *cf, ngx_str_t *word, const char *name, int64_t *ms)
{
    ngx_int_t  n;
    ngx_str_t  text;

    if (ngx_http_payments_option(word, name, &text) != NGX_OK) {
        return NGX_DECLINED;
    }

    n = ngx_parse_time(&text, 0);

    if (n == NGX_ERROR || n < DELAY_MIN_MS || n > PAY_RETRY_DELAY_MAX_MS) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must be a time from 10ms to 24h", word);
        return NGX_ERROR;
    }

    *ms = (int64_t) n;

    return NGX_OK;
}


/* What the strategy does not use is refused where it is said, and put away
 * where it is a default. */
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


static char *
retry_refuse(ngx_conf_t *cf, const char *why)
{
    ngx_str_t  *value = cf->args->elts;

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V %V %V\" %s", &value[0],
                       &value[1], &value[2], why);

    return NGX_CONF_ERROR;
}


static ngx_int_t
age_word(ngx_conf_t *cf, ngx_str_t *word, ngx_payments_watch_conf_t *watch)
{
    time_t        n;
    ngx_str_t     text;
    const age_t  *age;

    for (age = ages; age->name != NULL; age++) {
        if (ngx_http_payments_option(word, age->name, &text) == NGX_OK) {
            break;
        }
    }

    if (age->name == NULL) {
        return NGX_DECLINED;
    }

    n = ngx_parse_time(&text, 1);

    if (n == (time_t) NGX_ERROR || n > AGE_MAX_S) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must be a time from 1s to 30d, or 0 for no "
                           "limit", word);
        return NGX_ERROR;
    }

    *(time_t *) ((u_char *) watch + age->offset) = n;

    return NGX_OK;
}
