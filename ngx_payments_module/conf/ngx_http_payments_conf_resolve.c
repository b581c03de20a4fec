/*
 * The checks that need the whole http block: missing directives, the PSPs that
 * a merchant names, a key that must belong to one merchant alone.
 *
 *     missing directives ─▶ defaults of health and retries ─▶ PSPs (webhooks)
 *       ─▶ each merchant: its PSPs, its routes, late payments ─▶ all keys
 */

#include "conf/ngx_http_payments_conf_resolve.h"
#include "conf/ngx_http_payments_conf_cell.h"
#include "conf/ngx_http_payments_conf_health.h"
#include "conf/ngx_http_payments_conf_key.h"
#include "conf/ngx_http_payments_conf_place.h"
#include "conf/ngx_http_payments_conf_retry.h"
#include "conf/ngx_http_payments_conf_route.h"
#include "conf/ngx_http_payments_conf_webhook.h"
#include "pay_sorted.h"


#define LEASE_SLACK_MS    5000
#define POLL_AFTER_MS     15000


static ngx_msec_t longest_psp_timeout(ngx_http_payments_main_conf_t *pmcf);
static char *resolve_psps(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);
static char *resolve_merchants(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf, pay_merchant_t *core);
static char *resolve_merchant(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf, ngx_payments_merchant_t *merchant,
    pay_merchant_t *core);
static char *resolve_from(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf, ngx_payments_merchant_t *merchant);
static char *check_both(ngx_conf_t *cf,
    const ngx_http_payments_main_conf_t *pmcf,
    const ngx_payments_merchant_t *merchant, const pay_psp_conf_t **psps);
static char *resolve_keys(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf, pay_merchant_t *merchants);
static ngx_int_t collect_keys(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf, pay_merchant_t *core);
static ngx_uint_t has_kid(const ngx_payments_merchant_t *merchant,
    ngx_uint_t n);
static char *check_shared(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf);
static ngx_conf_t *at_key(ngx_http_payments_at_t *at, ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf, const pay_jwt_key_t *key);
static int by_digest(const void *a, const void *b);
static char *clash(ngx_conf_t *cf, const pay_jwt_key_t *known,
    const pay_jwt_key_t *key, const char *why);
static char *sort(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf);
static int by_name(const void *a, const void *b);
static int by_id(const void *a, const void *b);


/* A module that is loaded and not used is no error: nothing of it runs then. */
char *
ngx_http_payments_resolve(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf)
{
    char            *rv;
    pay_merchant_t  *core;

    if (pmcf->html.len != 0
        && ngx_conf_full_name(cf->cycle, &pmcf->html, 1) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (pmcf->cells.nelts == 0 && pmcf->psps.nelts == 0
        && pmcf->merchants.nelts == 0 && pmcf->settlements.nelts == 0
        && pmcf->zone == NULL && !pmcf->active)
    {
        return NGX_CONF_OK;             /* loaded, not used */
    }

    if (pmcf->cells.nelts == 0 || pmcf->zone == NULL
        || pmcf->psps.nelts == 0 || pmcf->merchants.nelts == 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                      "payments: %s is missing in the http block: see "
                      "docs/directives.md",
                      pmcf->zone == NULL ? "payments_zone"
                      : pmcf->cells.nelts == 0 ? "payments_database"
                      : pmcf->psps.nelts == 0 ? "payments_psp"
                      : "payments_merchant");
        return NGX_CONF_ERROR;
    }

    rv = sort(cf, pmcf);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    pmcf->env.lease_ms = (int64_t) (longest_psp_timeout(pmcf)
                                    + LEASE_SLACK_MS);
    pmcf->env.poll_after_ms = POLL_AFTER_MS;
    ngx_http_payments_health_defaults(pmcf);
    ngx_http_payments_retry_defaults(pmcf);

    rv = resolve_psps(cf, pmcf);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    core = ngx_pcalloc(cf->pool, pmcf->merchants.nelts
                                 * sizeof(pay_merchant_t));
    if (core == NULL) {
        return NGX_CONF_ERROR;
    }

    rv = resolve_merchants(cf, pmcf, core);

    return rv == NGX_CONF_OK ? resolve_keys(cf, pmcf, core) : rv;
}


/* Each request searches these, so they are sorted once.  Two of one id stand
 * beside each other then; for PSPs, of which there are few, that was found when
 * they were read. */
static char *
sort(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf)
{
    ngx_uint_t                 i;
    ngx_conf_t                *at;
    ngx_payments_psp_t       **psps = pmcf->psps.elts;
    ngx_http_payments_at_t     place;
    ngx_payments_merchant_t  **merchants = pmcf->merchants.elts;

    ngx_qsort(psps, pmcf->psps.nelts, sizeof(ngx_payments_psp_t *), by_name);

    for (i = 0; i < pmcf->psps.nelts; i++) {
        psps[i]->psp.index = (unsigned) i;
    }

    ngx_qsort(merchants, pmcf->merchants.nelts,
              sizeof(ngx_payments_merchant_t *), by_id);

    for (i = 1; i < pmcf->merchants.nelts; i++) {
        if (by_id(&merchants[i - 1], &merchants[i]) == 0) {
            at = ngx_http_payments_at(&place, cf, merchants[i], "", 0);
            ngx_conf_log_error(NGX_LOG_EMERG, at, 0,
                               "payments_merchant \"%V\" stands twice: merge "
                               "the blocks",
                               &ngx_payments_nstr(merchants[i]->merchant.id));
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static int
by_name(const void *a, const void *b)
{
    ngx_payments_psp_t *const  *one = a, *const *two = b;

    return pay_str_cmp((*one)->psp.name, (*two)->psp.name);
}


static int
by_id(const void *a, const void *b)
{
    ngx_payments_merchant_t *const  *one = a, *const *two = b;

    return pay_str_cmp((*one)->merchant.id, (*two)->merchant.id);
}


/* A lease lasts as long as the longest call and a slack, so a job is not given
 * to another worker while its call may still be answered. */
static ngx_msec_t
longest_psp_timeout(ngx_http_payments_main_conf_t *pmcf)
{
    ngx_uint_t            i;
    ngx_msec_t            longest = 0;
    ngx_payments_psp_t  **psps = pmcf->psps.elts;

    for (i = 0; i < pmcf->psps.nelts; i++) {
        longest = ngx_max(longest, psps[i]->total_timeout);
    }

    return longest;
}


static char *
resolve_merchants(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf,
    pay_merchant_t *core)
{
    char                      *rv;
    ngx_uint_t                 i;
    ngx_conf_t                *at;
    ngx_http_payments_at_t     place;
    ngx_payments_merchant_t  **merchants = pmcf->merchants.elts;

    for (i = 0; i < pmcf->merchants.nelts; i++) {
        rv = resolve_merchant(cf, pmcf, merchants[i], &core[i]);

        if (rv == NGX_CONF_OK) {
            at = ngx_http_payments_at(&place, cf, pmcf,
                                      "payments_late_success", 0);
            rv = ngx_http_payments_late_check(at, pmcf, &core[i]);
        }

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    pmcf->env.merchants = core;
    pmcf->env.merchant_count = pmcf->merchants.nelts;

    return NGX_CONF_OK;
}


/* The core wants plain arrays; the glue's PSP begins with the core's, and
 * pay_env_t.psps points at copies that carry their index. */
static char *
resolve_psps(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf)
{
    pay_psp_conf_t         *core;
    ngx_int_t               cell;
    ngx_uint_t              i;
    ngx_conf_t             *at;
    ngx_payments_psp_t    **psps;
    ngx_http_payments_at_t  place;

    psps = pmcf->psps.elts;

    core = ngx_pcalloc(cf->pool, pmcf->psps.nelts * sizeof(pay_psp_conf_t));
    if (core == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < pmcf->psps.nelts; i++) {
        at = ngx_http_payments_at(&place, cf, psps[i], "", 0);
        cell = ngx_http_payments_cell_find(at, pmcf, &psps[i]->cell);

        if (cell == NGX_ERROR
            || ngx_http_payments_webhook_resolve(at, pmcf, psps[i])
               != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }

        psps[i]->psp.cell = (unsigned) cell;
        core[i] = psps[i]->psp;
    }

    pmcf->env.psps = core;
    pmcf->env.psp_count = pmcf->psps.nelts;

    return NGX_CONF_OK;
}


/* The glue's arrays become the core's plain ones; both live in cf->pool. */
static char *
resolve_merchant(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf,
    ngx_payments_merchant_t *merchant, pay_merchant_t *core)
{
    ngx_str_t              *names;
    ngx_int_t               cell;
    ngx_uint_t              i;
    ngx_conf_t             *at;
    const pay_psp_conf_t  **psps;
    ngx_http_payments_at_t  place;

    names = merchant->psps->elts;

    psps = ngx_pcalloc(cf->pool,
                       merchant->psps->nelts * sizeof(pay_psp_conf_t *));
    if (psps == NULL) {
        return NGX_CONF_ERROR;
    }

    at = ngx_http_payments_at(&place, cf, merchant, "", 0);
    cell = ngx_http_payments_cell_find(at, pmcf, &merchant->cell);
    if (cell == NGX_ERROR) {
        return NGX_CONF_ERROR;
    }

    merchant->merchant.cell = (unsigned) cell;
    merchant->merchant.from = (unsigned) cell;

    if (merchant->from.len != 0
        && resolve_from(cf, pmcf, merchant) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    at = ngx_http_payments_at(&place, cf, merchant, "psp", 0);

    for (i = 0; i < merchant->psps->nelts; i++) {
        psps[i] = pay_env_psp(&pmcf->env, ngx_payments_str(names[i]));

        if (ngx_http_payments_check_target(at, merchant, &names[i], psps[i])
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (merchant->from.len != 0
        && check_both(at, pmcf, merchant, psps) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    *core = merchant->merchant;
    core->return_hosts = merchant->hosts->elts;
    core->return_host_count = merchant->hosts->nelts;
    core->psps = psps;
    core->psp_count = merchant->psps->nelts;

    return ngx_http_payments_resolve_routes(cf, pmcf, merchant, core);
}


static char *
resolve_from(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf,
    ngx_payments_merchant_t *merchant)
{
    ngx_int_t               from;
    ngx_conf_t             *at;
    ngx_http_payments_at_t  place;

    at = ngx_http_payments_at(&place, cf, merchant, "from", 0);
    from = ngx_http_payments_cell_find(at, pmcf, &merchant->from);
    if (from == NGX_ERROR) {
        return NGX_CONF_ERROR;
    }

    if ((unsigned) from == merchant->merchant.cell) {
        ngx_conf_log_error(NGX_LOG_EMERG, at, 0,
                           "payments_merchant \"%V\" has from and cell "
                           "alike: from names another cell, with its older "
                           "payments; remove it when there is none",
                           &ngx_payments_nstr(merchant->merchant.id));
        return NGX_CONF_ERROR;
    }

    merchant->merchant.from = (unsigned) from;

    return NGX_CONF_OK;
}


/* It begins payments in one of the two until payctl merchant move has come to
 * its end, and in the other one from then on. */
static char *
check_both(ngx_conf_t *cf, const ngx_http_payments_main_conf_t *pmcf,
    const ngx_payments_merchant_t *merchant, const pay_psp_conf_t **psps)
{
    ngx_uint_t             i, in_cell = 0, in_from = 0;
    ngx_payments_cell_t  **cells = pmcf->cells.elts;

    for (i = 0; i < merchant->psps->nelts; i++) {
        in_cell += psps[i]->cell == merchant->merchant.cell;
        in_from += psps[i]->cell == merchant->merchant.from;
    }

    if (in_cell == 0 || in_from == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "payments_merchant \"%V\" moves and names no psp "
                           "of the cell \"%V\": it needs one in each of its "
                           "two cells",
                           &ngx_payments_nstr(merchant->merchant.id),
                           &cells[in_cell == 0 ? merchant->merchant.cell
                                  : merchant->merchant.from]->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* All keys of all merchants stand in one table, as a token names its key and
 * not its merchant; by issuer, since the merchants are sorted. */
static char *
resolve_keys(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf,
    pay_merchant_t *core)
{
    ngx_uint_t                 i, j;
    ngx_conf_t                *at;
    pay_jwt_key_t             *keys;
    ngx_http_payments_at_t     place;
    ngx_payments_merchant_t  **merchants = pmcf->merchants.elts;

    if (collect_keys(cf, pmcf, core) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < pmcf->merchants.nelts; i++) {
        keys = merchants[i]->jwt_keys->elts;

        for (j = 1; j < merchants[i]->jwt_keys->nelts; j++) {
            if (has_kid(merchants[i], j)) {
                at = ngx_http_payments_at(&place, cf, merchants[i], "jwt_key",
                                          j);
                return clash(at, &keys[j], &keys[j],
                             "two keys of one kid: give each its own");
            }
        }
    }

    return check_shared(cf, pmcf);
}


/* The array of the block ends with the reading, as its lines do. */
static ngx_int_t
collect_keys(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf,
    pay_merchant_t *core)
{
    ngx_uint_t                 i, j, n = 0;
    pay_jwt_key_t             *keys, *slot;
    ngx_payments_merchant_t  **merchants = pmcf->merchants.elts;

    for (i = 0; i < pmcf->merchants.nelts; i++) {
        n += merchants[i]->jwt_keys->nelts;
    }

    if (ngx_array_init(&pmcf->jwt_keys, cf->pool, n, sizeof(pay_jwt_key_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < pmcf->merchants.nelts; i++) {
        keys = merchants[i]->jwt_keys->elts;

        for (j = 0; j < merchants[i]->jwt_keys->nelts; j++) {
            slot = ngx_array_push(&pmcf->jwt_keys);
            if (slot == NULL) {
                return NGX_ERROR;
            }

            *slot = keys[j];
            slot->owner = &core[i];
        }
    }

    return NGX_OK;
}


/* 1: a key in front of the n-th has its kid. */
static ngx_uint_t
has_kid(const ngx_payments_merchant_t *merchant, ngx_uint_t n)
{
    ngx_uint_t            i;
    const pay_jwt_key_t  *keys = merchant->jwt_keys->elts;

    for (i = 0; i < n; i++) {
        if (pay_str_eq(keys[i].kid, keys[n].kid)) {
            return 1;
        }
    }

    return 0;
}


/* One key speaks for one merchant only, or the one could be the other.  Sorted
 * by digest, equal ones stand beside each other; digests, not files, as one key
 * has many spellings. */
static char *
check_shared(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf)
{
    ngx_uint_t               i, n = pmcf->jwt_keys.nelts;
    ngx_conf_t              *at;
    pay_jwt_key_t           *keys = pmcf->jwt_keys.elts, **sorted;
    ngx_http_payments_at_t   place;

    sorted = ngx_palloc(cf->temp_pool, n * sizeof(pay_jwt_key_t *));
    if (sorted == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < n; i++) {
        sorted[i] = &keys[i];
    }

    ngx_qsort(sorted, n, sizeof(pay_jwt_key_t *), by_digest);

    for (i = 1; i < n; i++) {
        if (ngx_http_payments_same_key(sorted[i - 1], sorted[i])) {
            at = at_key(&place, cf, pmcf, sorted[i]);
            return clash(at, sorted[i - 1], sorted[i],
                         "the same jwt_key: each merchant needs keys of its "
                         "own");
        }
    }

    return NGX_CONF_OK;
}


/* cf, as if it were reading the key's line: the n-th of its block. */
static ngx_conf_t *
at_key(ngx_http_payments_at_t *at, ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf, const pay_jwt_key_t *key)
{
    ngx_uint_t                 i, n = 0;
    const pay_jwt_key_t       *keys = pmcf->jwt_keys.elts;
    ngx_payments_merchant_t  **merchants = pmcf->merchants.elts;

    i = (const pay_merchant_t *) key->owner - pmcf->env.merchants;

    while (key - n > keys && key[-(ngx_int_t) n - 1].owner == key->owner) {
        n++;
    }

    return ngx_http_payments_at(at, cf, merchants[i], "jwt_key", n);
}


/* The one that stands later in the table comes later among equals. */
static int
by_digest(const void *a, const void *b)
{
    const pay_jwt_key_t *const  *one = a, *const *two = b;
    int                          order;

    order = ngx_memcmp((*one)->digest, (*two)->digest, PAY_JWT_DIGEST_SIZE);

    return order != 0 ? order : (*one > *two) - (*one < *two);
}


static char *
clash(ngx_conf_t *cf, const pay_jwt_key_t *known, const pay_jwt_key_t *key,
    const char *why)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "payments_merchant \"%V\" and \"%V\" have %s",
                       &ngx_payments_nstr(known->issuer),
                       &ngx_payments_nstr(key->issuer), why);

    return NGX_CONF_ERROR;
}
