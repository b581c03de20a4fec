/*
 * Parts of the blocks payments_payout, payments_screening and
 * payments_risk_provider.  The words of each, and whether a word is missing,
 * stand in its own file.
 */

#include "conf/ngx_http_payments_conf_provider.h"
#include "conf/ngx_http_payments_conf_client.h"
#include "conf/ngx_http_payments_conf_text.h"
#include "util/ngx_payments_memory.h"


#define INTERVAL_MS    2000
#define LEASE_SLACK_MS 30000           /* to the claim, to its place in time,
                                          and to the end's commit */


static ngx_int_t may_add(ngx_conf_t *cf,
    const ngx_http_payments_provider_kind_t *kind, const ngx_array_t *all,
    ngx_str_t *name);
static pay_str_t *name_of(const ngx_http_payments_provider_kind_t *kind,
    void *object);


void *
ngx_http_payments_provider_add(ngx_conf_t *cf,
    const ngx_http_payments_provider_kind_t *kind, ngx_array_t *all,
    ngx_str_t *name)
{
    void                **slot;
    ngx_payments_psp_t   *client;

    if (may_add(cf, kind, all, name) != NGX_OK) {
        return NULL;
    }

    client = ngx_pcalloc(cf->pool, kind->size);
    slot = ngx_array_push(all);
    if (client == NULL || slot == NULL) {
        return NULL;
    }

    *slot = client;
    *name_of(kind, client) = ngx_payments_str(*name);
    client->block = kind->block;
    client->psp.name = ngx_payments_str(*name);
    client->psp.index = (unsigned) (kind->index + all->nelts - 1);
    client->concurrency = NGX_CONF_UNSET_UINT;

    return client;
}


char *
ngx_http_payments_provider_check(ngx_conf_t *cf,
    ngx_payments_psp_t *client, ngx_msec_t *interval_ms)
{
    ngx_http_payments_client_defaults(client);

    if (*interval_ms == 0) {
        *interval_ms = INTERVAL_MS;
    }

    return ngx_http_payments_client_check(cf, client);
}


/* No PSP has a "/" in its name: they share circuits and metrics by it. */
char *
ngx_http_payments_provider_label(ngx_conf_t *cf,
    const ngx_http_payments_provider_kind_t *kind, void *object)
{
    pay_arena_t          arena = ngx_payments_arena(cf->pool);
    ngx_payments_psp_t  *client = object;

    return pay_format(&arena, &client->psp.name, NGX_MAX_CONF_ERRSTR,
                      "%s/%.*s", kind->label, pay_fmt(*name_of(kind, object)))
           == PAY_OK ? NGX_CONF_OK : NGX_CONF_ERROR;
}


char *
ngx_http_payments_provider_resolve(ngx_conf_t *cf,
    const ngx_http_payments_provider_kind_t *kind, void *object,
    ngx_http_payments_main_conf_t *pmcf, pay_str_t merchant)
{
    ngx_payments_psp_t    *client = object;
    const pay_merchant_t  *owner = pay_env_merchant(&pmcf->env, merchant);

    if (owner == NULL) {
        return ngx_http_payments_provider_refuse(cf, kind, object,
                                                 "has a merchant that no "
                                                 "payments_merchant block "
                                                 "has");
    }

    client->psp.cell = owner->cell;
    client->from = owner->from;

    return pmcf->keyring.count != 0
           ? NGX_CONF_OK
           : ngx_http_payments_provider_refuse(cf, kind, object,
                                               "needs payments_keyring in the "
                                               "http block: the accounts of "
                                               "sellers are stored sealed");
}


int64_t
ngx_http_payments_provider_lease_ms(const ngx_payments_psp_t *client)
{
    return (int64_t) (client->total_timeout + LEASE_SLACK_MS);
}


char *
ngx_http_payments_provider_refuse(ngx_conf_t *cf,
    const ngx_http_payments_provider_kind_t *kind, void *object,
    const char *why)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s \"%V\" %s", kind->block,
                       &ngx_payments_nstr(*name_of(kind, object)), why);

    return NGX_CONF_ERROR;
}


/* Names are those that PostgreSQL keeps: the domain payout_name. */
static ngx_int_t
may_add(ngx_conf_t *cf, const ngx_http_payments_provider_kind_t *kind,
    const ngx_array_t *all, ngx_str_t *name)
{
    void        **objects = all->elts;
    ngx_uint_t    i;

    if (!ngx_http_payments_is_name(name, kind->name_len)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%s needs a name first, of at most %uz small "
                           "letters, digits, \"-\" and \"_\", not \"%V\"",
                           kind->block, kind->name_len, name);
        return NGX_ERROR;
    }

    for (i = 0; i < all->nelts; i++) {
        if (pay_str_eq(*name_of(kind, objects[i]), ngx_payments_str(*name))) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "%s \"%V\" stands twice: merge the blocks",
                               kind->block, name);
            return NGX_ERROR;
        }
    }

    if (all->nelts == kind->count) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%s \"%V\" is one too many: at most %ui are %s",
                           kind->block, name, kind->count, kind->used);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static pay_str_t *
name_of(const ngx_http_payments_provider_kind_t *kind, void *object)
{
    return (pay_str_t *) ((u_char *) object + kind->name);
}
