/*
 * Sources of settlement files (payments_settlement).  Nothing is read here;
 * each refusal says how to mend it.
 */

#include "conf/ngx_http_payments_conf_settlement.h"
#include "conf/ngx_http_payments_conf_option.h"
#include "conf/ngx_http_payments_conf_place.h"
#include "conf/ngx_http_payments_conf_report.h"
#include "conf/ngx_http_payments_conf_text.h"
#include "pay_settle.h"


#define NAME_MAX_LEN     63
#define ID_MAX_LEN       255
#define ACCOUNT_MAX_LEN  127
#define HOUR_MS          3600000
#define DAY_MS           (24 * HOUR_MS)
#define FORMATS_MAX      256

#define SETTLEMENT(member)                                                    \
    NGX_PAYMENTS_FIELD(ngx_payments_settlement_t, member)


static ngx_payments_settlement_t *settlement_add(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf, ngx_str_t *name);
static char *set_format(ngx_conf_t *cf, ngx_str_t *text, void *object);
static char *set_merchant(ngx_conf_t *cf, ngx_str_t *text, void *object);
static char *set_account(ngx_conf_t *cf, ngx_str_t *text, void *object);
static char *settlement_check(ngx_conf_t *cf,
    ngx_payments_settlement_t *settlement);
static char *check_way(ngx_conf_t *cf, ngx_payments_settlement_t *settlement,
    ngx_uint_t given);
static ngx_uint_t is_of_bank(pay_str_t format);
static char *check_dir(ngx_conf_t *cf, ngx_payments_settlement_t *settlement);
static char *check_twice(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf,
    const ngx_payments_settlement_t *settlement);
static char *check_units(ngx_conf_t *cf);
static char *resolve_one(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf,
    ngx_payments_settlement_t *settlement);
static char *refuse(ngx_conf_t *cf,
    const ngx_payments_settlement_t *settlement, const char *why);


static const ngx_conf_enum_t  keep[] = {
    { ngx_string("digest"), 0 },
    { ngx_string("copy"), 1 },
    { ngx_null_string, 0 }
};


/* payments_settlement NAME format= merchant= [psp=] [account=]
 *     dir= … | pull= [reports= report_user=]  [keep=digest|copy] */
static const ngx_http_payments_option_t  options[] = {
    { "format=", .set = set_format },
    { "merchant=", .set = set_merchant },
    { "psp=", NGX_PAYMENTS_PLAIN, 1, ID_MAX_LEN, 0, SETTLEMENT(psp) },
    { "account=", .set = set_account },
    { "dir=", NGX_PAYMENTS_TEXT, SETTLEMENT(dir) },
    { "age=", NGX_PAYMENTS_SEC, 1, 3600, 10, SETTLEMENT(age_s) },
    { "interval=", NGX_PAYMENTS_MSEC, 1000, HOUR_MS, 10000,
      SETTLEMENT(source.interval_ms) },
    { "pull=", NGX_PAYMENTS_MSEC, 1000, DAY_MS, 0, SETTLEMENT(pull_ms) },
    { "reports=", NGX_PAYMENTS_TEXT, SETTLEMENT(client.base_url) },
    { "report_user=", .set = ngx_http_payments_report_user },
    { "keep=", NGX_PAYMENTS_WORD, 0, 0, 0, SETTLEMENT(keeps_copy),
      .names = keep },
    { .name = NULL }
};


char *
ngx_http_payments_settlement(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                      *value = cf->args->elts;
    ngx_uint_t                      given;
    ngx_payments_settlement_t      *settlement;
    ngx_http_payments_main_conf_t  *pmcf = conf;

    (void) cmd;

    settlement = settlement_add(cf, pmcf, &value[1]);

    if (settlement == NULL
        || ngx_http_payments_options(cf, options, 2, settlement, &given)
           != NGX_CONF_OK
        || settlement_check(cf, settlement) != NGX_CONF_OK
        || check_way(cf, settlement, given) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (settlement->source.way == PAY_SETTLE_BY_PULL) {
        settlement->source.interval_ms = (int64_t) settlement->pull_ms;
        return NGX_CONF_OK;
    }

    return check_dir(cf, settlement) == NGX_CONF_OK
           ? check_twice(cf, pmcf, settlement) : NGX_CONF_ERROR;
}


/* The core's plain array; the merchant and the PSP may stand anywhere in the
 * http block. */
char *
ngx_http_payments_settlement_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf)
{
    ngx_uint_t                   i;
    ngx_conf_t                  *at;
    pay_settle_source_t         *core;
    ngx_http_payments_at_t       place;
    ngx_payments_settlement_t  **all = pmcf->settlements.elts;

    core = ngx_pcalloc(cf->pool, (pmcf->settlements.nelts + 1)
                                 * sizeof(pay_settle_source_t));
    if (core == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < pmcf->settlements.nelts; i++) {
        at = ngx_http_payments_at(&place, cf, all[i], "", 0);

        if (check_units(at) != NGX_CONF_OK
            || resolve_one(at, pmcf, all[i]) != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }

        all[i]->source.index = (unsigned) i;
        core[i] = all[i]->source;
    }

    pmcf->env.settlements = core;
    pmcf->env.settlement_count = pmcf->settlements.nelts;

    return NGX_CONF_OK;
}


static ngx_payments_settlement_t *
settlement_add(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf,
    ngx_str_t *name)
{
    ngx_uint_t                   i;
    ngx_payments_settlement_t   *settlement, **slot;
    ngx_payments_settlement_t  **all = pmcf->settlements.elts;

    if (!ngx_http_payments_is_name(name, NAME_MAX_LEN)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "payments_settlement needs a name first, of at "
                           "most 63 small letters, digits, \"-\" and \"_\", "
                           "not \"%V\"", name);
        return NULL;
    }

    for (i = 0; i < pmcf->settlements.nelts; i++) {
        if (pay_str_eq(all[i]->source.name, ngx_payments_str(*name))) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "payments_settlement \"%V\" is there twice: "
                               "give each source a name of its own", name);
            return NULL;
        }
    }

    if (pmcf->settlements.nelts == PAY_SETTLE_SOURCES_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "payments_settlement \"%V\" is one too many: at "
                           "most %d sources are read", name,
                           PAY_SETTLE_SOURCES_MAX);
        return NULL;
    }

    settlement = ngx_pcalloc(cf->pool, sizeof(ngx_payments_settlement_t));
    slot = ngx_array_push(&pmcf->settlements);
    if (settlement == NULL || slot == NULL
        || ngx_http_payments_note(cf, settlement, "") != NGX_OK)
    {
        return NULL;
    }

    *slot = settlement;
    settlement->source.name = ngx_payments_str(*name);
    ngx_http_payments_defaults(options, settlement);

    return settlement;
}


static char *
set_format(ngx_conf_t *cf, ngx_str_t *text, void *object)
{
    unsigned                    n;
    u_char                      names[FORMATS_MAX], *p = names;
    ngx_payments_settlement_t  *settlement = object;

    if (pay_settle_is_known(ngx_payments_str(*text))) {
        settlement->source.format = ngx_payments_str(*text);
        return NGX_CONF_OK;
    }

    for (n = 0; pay_settle_name(n) != NULL; n++) {
        p = ngx_slprintf(p, names + FORMATS_MAX, "%s%s", n == 0 ? "" : ", ",
                         pay_settle_name(n));
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"format=%V\" must be one of %*s", text,
                       (size_t) (p - names), names);

    return NGX_CONF_ERROR;
}


static char *
set_merchant(ngx_conf_t *cf, ngx_str_t *text, void *object)
{
    ngx_payments_settlement_t  *settlement = object;

    (void) cf;

    settlement->source.merchant_id = ngx_payments_str(*text);

    return NGX_CONF_OK;
}


static char *
set_account(ngx_conf_t *cf, ngx_str_t *text, void *object)
{
    ngx_payments_settlement_t  *settlement = object;

    (void) cf;

    if (!ngx_http_payments_is_plain(text, ACCOUNT_MAX_LEN)) {
        return "must have 1 to 127 visible ASCII characters";
    }

    settlement->source.account = ngx_payments_str(*text);

    return NGX_CONF_OK;
}


static char *
settlement_check(ngx_conf_t *cf, ngx_payments_settlement_t *settlement)
{
    const pay_settle_source_t  *source = &settlement->source;

    if (source->format.len == 0) {
        return refuse(cf, settlement, "needs format=, the format of its "
                      "files, for example format=camt.053");
    }

    if (source->merchant_id.len == 0) {
        return refuse(cf, settlement, "needs merchant=, the merchant whose "
                      "money it is, for example merchant=acme");
    }

    if (is_of_bank(source->format)) {
        return settlement->psp.len == 0 ? NGX_CONF_OK
               : refuse(cf, settlement, "has psp= and a format of banks: "
                        "remove psp=, a bank is no PSP");
    }

    return settlement->psp.len != 0 || pay_str_is(source->format, "generic")
           ? NGX_CONF_OK
           : refuse(cf, settlement, "has a PSP's format: it needs psp=, the "
                    "name of its payments_psp block");
}


/* One way, and only its words. */
static char *
check_way(ngx_conf_t *cf, ngx_payments_settlement_t *settlement,
    ngx_uint_t given)
{
    ngx_uint_t                         i, of_dir = 0;
    const ngx_http_payments_option_t  *option;

    for (i = 0, option = options; option->name != NULL; i++, option++) {
        if (ngx_strcmp(option->name, "dir=") == 0
            || ngx_strcmp(option->name, "age=") == 0
            || ngx_strcmp(option->name, "interval=") == 0)
        {
            of_dir |= given & ((ngx_uint_t) 1 << i);
        }
    }

    if (settlement->pull_ms == 0) {
        return settlement->dir.len != 0 ? NGX_CONF_OK
               : refuse(cf, settlement, "needs dir=, the directory that its "
                        "files come into, or pull=, the time between looks "
                        "at the PSP's API");
    }

    settlement->source.way = PAY_SETTLE_BY_PULL;

    if (of_dir != 0) {
        return refuse(cf, settlement, "has pull= and a word of directories: "
                      "remove dir=, age= and interval=, or pull=");
    }

    return settlement->psp.len != 0 ? NGX_CONF_OK
           : refuse(cf, settlement, "has pull= and no psp=: nobody is "
                    "there to be asked");
}


static ngx_uint_t
is_of_bank(pay_str_t format)
{
    return pay_str_is(format, "camt.053") || pay_str_is(format, "mt940");
}


/* It may be missing: each host reads the directories that it has. */
static char *
check_dir(ngx_conf_t *cf, ngx_payments_settlement_t *settlement)
{
    ngx_file_info_t  fi;

    if (ngx_conf_full_name(cf->cycle, &settlement->dir, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_file_info(settlement->dir.data, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, ngx_errno,
                           "payments_settlement \"%V\": \"%V\" is not there: "
                           "this host reads no files of it",
                           &ngx_payments_nstr(settlement->source.name),
                           &settlement->dir);
        return NGX_CONF_OK;
    }

    if (!ngx_is_dir(&fi)) {
        return refuse(cf, settlement, "names no directory: dir= needs one "
                      "that files come into");
    }

    if (fi.st_mode & S_IWOTH) {
        return refuse(cf, settlement, "has a dir= that everybody may write "
                      "to, so that anybody could forge settlements: take that "
                      "right away (chmod o-w)");
    }

    return NGX_CONF_OK;
}


/* One file would be read for two accounts. */
static char *
check_twice(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf,
    const ngx_payments_settlement_t *settlement)
{
    ngx_uint_t                   i;
    ngx_payments_settlement_t  **all = pmcf->settlements.elts;

    for (i = 0; i < pmcf->settlements.nelts; i++) {
        if (all[i] != settlement
            && all[i]->dir.len == settlement->dir.len
            && ngx_strncmp(all[i]->dir.data, settlement->dir.data,
                           settlement->dir.len) == 0)
        {
            return refuse(cf, settlement, "has the dir= of another source: "
                          "give each a directory of its own");
        }
    }

    return NGX_CONF_OK;
}


/* A build that reads known amounts wrong must read none. */
static char *
check_units(ngx_conf_t *cf)
{
    const char  *unit;

    if (pay_settle_self_test(&unit) == PAY_OK) {
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "this build reads amounts of "
                       "\"%s\" wrong, and payments_settlement cannot be used "
                       "with it: install another one", unit);

    return NGX_CONF_ERROR;
}


static char *
resolve_one(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf,
    ngx_payments_settlement_t *settlement)
{
    pay_settle_source_t   *source = &settlement->source;
    const pay_merchant_t  *merchant;

    if (settlement->keeps_copy) {
        if (pmcf->keyring.count == 0) {
            return refuse(cf, settlement, "has keep=copy: it needs "
                          "payments_keyring, a file with the key of copies, "
                          "for example payments_keyring secrets/keyring");
        }

        source->keyring = &pmcf->keyring;
    }

    merchant = pay_env_merchant(&pmcf->env, source->merchant_id);
    if (merchant == NULL) {
        return refuse(cf, settlement, "has a merchant= that no "
                      "payments_merchant block has");
    }

    settlement->cell = merchant->cell;

    if (settlement->psp.len != 0) {
        source->psp = pay_env_psp(&pmcf->env,
                                  ngx_payments_str(settlement->psp));

        if (source->psp == NULL) {
            return refuse(cf, settlement, "has a psp= that no payments_psp "
                          "block has");
        }

        settlement->cell = source->psp->cell;

        if (settlement->cell != merchant->cell
            && settlement->cell != merchant->from)
        {
            return refuse(cf, settlement, "has a psp= of another cell than "
                          "that of its merchant=");
        }
    }

    if (ngx_http_payments_report_resolve(cf, pmcf, settlement)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (source->way == PAY_SETTLE_BY_PULL
        && (source->psp->adapter->settlements == NULL
            || !pay_str_is(source->format, source->psp->adapter->name)))
    {
        return refuse(cf, settlement, "has pull= for a PSP whose settlements "
                      "are not pulled in this format: only those of the "
                      "adapters stripe, square, mollie and adyen are, each "
                      "in its own format; take dir=");
    }

    return NGX_CONF_OK;
}


static char *
refuse(ngx_conf_t *cf, const ngx_payments_settlement_t *settlement,
    const char *why)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "payments_settlement \"%V\" %s",
                       &ngx_payments_nstr(settlement->source.name), why);

    return NGX_CONF_ERROR;
}
