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
#include "conf/ngx_http_payments_conf_place.h"
#include "conf/ngx_http_payments_conf_retry.h"
#include "conf/ngx_http_payments_conf_route.h"
#include "conf/ngx_http_payments_conf_webhook.h"


#define LEASE_SLACK_MS    5000
#define POLL_AFTER_MS     15000


/* The digest of a key, in a form that is the same for all its spellings. */
typedef struct {
    u_char         bytes[PAY_JWT_DIGEST_SIZE];
} digest_t;


static ngx_msec_t longest_psp_timeout(ngx_http_payments_main_conf_t *pmcf);
static char *resolve_psps(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);
static char *resolve_merchants(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf, pay_merchant_t *core);
static char *resolve_merchant(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf, ngx_payments_merchant_t *merchant,
    pay_merchant_t *core);
static char *resolve_keys(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf, pay_merchant_t *merchants);
static char *add_key(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf,
    ngx_array_t *digests, const pay_jwt_key_t *key, pay_merchant_t *owner);
static const char *key_clash(const pay_jwt_key_t *a, digest_t *da,
    const pay_jwt_key_t *b, digest_t *db);


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
    at = ngx_http_payments_at(&place, cf, merchant, "psp", 0);

    for (i = 0; i < merchant->psps->nelts; i++) {
        psps[i] = pay_env_psp(&pmcf->env, ngx_payments_str(names[i]));

        if (ngx_http_payments_check_target(at, merchant, &names[i], psps[i])
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    *core = merchant->merchant;
    core->return_hosts = merchant->hosts->elts;
    core->return_host_count = merchant->hosts->nelts;
    core->psps = psps;
    core->psp_count = merchant->psps->nelts;

    return ngx_http_payments_resolve_routes(cf, pmcf, merchant, core);
}


/* All keys of all merchants stand in one table, as a token names its key and
 * not its merchant. */
static char *
resolve_keys(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf,
    pay_merchant_t *core)
{
    char                      *rv;
    ngx_uint_t                 i, j;
    ngx_conf_t                *at;
    ngx_array_t                digests;
    pay_jwt_key_t             *keys;
    ngx_http_payments_at_t     place;
    ngx_payments_merchant_t  **merchants;

    if (ngx_array_init(&digests, cf->temp_pool, 8, sizeof(digest_t))
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    merchants = pmcf->merchants.elts;

    for (i = 0; i < pmcf->merchants.nelts; i++) {
        keys = merchants[i]->jwt_keys->elts;

        for (j = 0; j < merchants[i]->jwt_keys->nelts; j++) {
            at = ngx_http_payments_at(&place, cf, merchants[i], "jwt_key", j);
            rv = add_key(at, pmcf, &digests, &keys[j], &core[i]);
            if (rv != NGX_CONF_OK) {
                return rv;
            }
        }
    }

    return NGX_CONF_OK;
}


/* One key speaks for one merchant only, or the one could be the other. */
static char *
add_key(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf,
    ngx_array_t *digests, const pay_jwt_key_t *key, pay_merchant_t *owner)
{
    digest_t       *digest, *of;
    ngx_uint_t      i;
    const char     *why;
    pay_jwt_key_t  *known, *slot;

    digest = ngx_array_push(digests);
    if (digest == NULL
        || pay_jwt_key_digest(key->alg, key->key, digest->bytes) != PAY_OK)
    {
        return NGX_CONF_ERROR;
    }

    of = digests->elts;
    known = pmcf->jwt_keys.elts;

    for (i = 0; i < pmcf->jwt_keys.nelts; i++) {
        why = key_clash(&known[i], &of[i], key, digest);

        if (why != NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                          "payments_merchant \"%V\" and \"%V\" have %s",
                          &ngx_payments_nstr(known[i].issuer),
                          &ngx_payments_nstr(key->issuer), why);
            return NGX_CONF_ERROR;
        }
    }

    slot = ngx_array_push(&pmcf->jwt_keys);
    if (slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = *key;
    slot->owner = owner;

    return NGX_CONF_OK;
}


/* Digests, not files: one key has many spellings. */
static const char *
key_clash(const pay_jwt_key_t *a, digest_t *da, const pay_jwt_key_t *b,
    digest_t *db)
{
    if (ngx_memcmp(da->bytes, db->bytes, sizeof(da->bytes)) == 0) {
        return "the same jwt_key: each merchant needs keys of its own";
    }

    if (pay_str_eq(a->issuer, b->issuer) && pay_str_eq(a->kid, b->kid)) {
        return "two keys of one kid: give each its own";
    }

    return NULL;
}
