/*
 * Rate limits (docs/security.md RL1-RL8): one bucket per location and merchant,
 * or per location and address before authentication.  Decides and fills
 * ctx->limit; the reply turns that into 429, Retry-After and the RateLimit
 * fields.  Without memory for a bucket no request passes.  The published
 * values: q is the burst (1 without one) and w the seconds in which the steady
 * rate gives that many, so "q in w" always passes.  An idle bucket takes one
 * more than q at once.
 */

#include "http/ngx_http_payments_limit.h"
#include "shm/ngx_payments_count.h"
#include "shm/ngx_payments_shm.h"
#include "util/ngx_http_payments_ctx.h"
#include "util/ngx_payments_conf_types.h"


#define JITTER_S  2                              /* 0 or 1 on top */


static ngx_int_t make_key(ngx_http_request_t *r, pay_str_t merchant_id,
    pay_str_t *key);
static size_t address(ngx_connection_t *c, u_char **data);
static uint64_t fresh_ms(void);
static void publish(ngx_http_payments_limit_t *limit, ngx_uint_t rate,
    ngx_uint_t burst, ngx_uint_t left, uint64_t wait_ms);
static ngx_uint_t seconds_of(uint64_t requests, ngx_uint_t rate);
static void log_full(ngx_http_request_t *r);


/* rate is in requests per 1000 s.  0: the location has no such limit. */
ngx_int_t
ngx_http_payments_limit(ngx_http_request_t *r, pay_str_t merchant_id)
{
    uint64_t                        wait_ms;
    pay_str_t                       key;
    ngx_uint_t                      rate, burst, left;
    ngx_payments_gcra_e             rc;
    ngx_http_payments_ctx_t        *ctx;
    ngx_http_payments_loc_conf_t   *plcf;
    ngx_http_payments_main_conf_t  *pmcf;

    ctx = ngx_http_payments_get_ctx(r);
    plcf = ngx_http_get_module_loc_conf(r, ngx_http_payments_module);
    pmcf = ngx_http_get_module_main_conf(r, ngx_http_payments_module);

    rate = merchant_id.len != 0 ? plcf->rate : plcf->address_rate;
    burst = merchant_id.len != 0 ? plcf->burst : plcf->address_burst;

    if (rate == 0) {
        return NGX_OK;
    }

    if (ctx == NULL || make_key(r, merchant_id, &key) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_payments_shm_gcra(pmcf->zone, key, rate, burst,
                               fresh_ms(), &left, &wait_ms);

    if (rc == NGX_PAYMENTS_GCRA_FULL) {
        log_full(r);
        return NGX_ERROR;
    }

    ctx->limit.limited = 1;
    ctx->limit.allowed = rc == NGX_PAYMENTS_GCRA_ALLOWED;
    publish(&ctx->limit, rate, burst, left, wait_ms);

    if (ctx->limit.allowed) {
        return NGX_OK;
    }

    ngx_payments_count_limited(merchant_id.len != 0);

    return NGX_BUSY;
}


/* Not the time that nginx keeps for a turn of its loop: workers share a bucket,
 * and one in a long turn would refuse what another has just let in. */
static uint64_t
fresh_ms(void)
{
    struct timespec  now;

    (void) clock_gettime(CLOCK_MONOTONIC, &now);

    return (uint64_t) now.tv_sec * 1000 + (uint64_t) now.tv_nsec / 1000000;
}


/* The kind's letter, the location with its length, the merchant or address:
 * no two of these can run into each other. */
static ngx_int_t
make_key(ngx_http_request_t *r, pay_str_t merchant_id, pay_str_t *key)
{
    size_t                         len;
    u_char                        *p, *who;
    ngx_http_payments_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_payments_module);

    if (merchant_id.len != 0) {
        len = merchant_id.len;
        who = (u_char *) merchant_id.data;

    } else {
        len = address(r->connection, &who);
    }

    p = ngx_pnalloc(r->pool, 2 + NGX_SIZE_T_LEN + 1 + plcf->prefix.len + len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    key->data = p;
    p = ngx_sprintf(p, "%c:%uz:", merchant_id.len != 0 ? 'm' : 'a',
                    plcf->prefix.len);
    p = ngx_cpymem(p, plcf->prefix.data, plcf->prefix.len);
    p = ngx_cpymem(p, who, len);
    key->len = p - key->data;

    return NGX_OK;
}


/* IPv6 counts by /64, as that is what one customer is given: a bucket for
 * each of its addresses would be no limit, and fill the zone. */
static size_t
address(ngx_connection_t *c, u_char **data)
{
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;

    if (c->sockaddr->sa_family == AF_INET6) {
        sin6 = (struct sockaddr_in6 *) c->sockaddr;

        if (!IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)) {
            *data = sin6->sin6_addr.s6_addr;
            return 8;
        }
    }
#endif

    *data = c->addr_text.data;

    return c->addr_text.len;
}


/* Jitter is added, so that clients who were throttled together don't come back
 * together (RL7), and none comes too early.  `t` and Retry-After are rounded
 * up, so no client comes too early (RL4). */
static void
publish(ngx_http_payments_limit_t *limit, ngx_uint_t rate, ngx_uint_t burst,
    ngx_uint_t left, uint64_t wait_ms)
{
    limit->quota = burst > 0 ? burst : 1;
    limit->window = ngx_max(1, seconds_of(limit->quota, rate));

    if (limit->allowed) {
        limit->remaining = ngx_min(left, limit->quota);
        limit->reset = seconds_of((uint64_t) burst + 1 - left, rate);
        return;
    }

    limit->remaining = 0;
    limit->reset = (ngx_uint_t) ((wait_ms + 999) / 1000)
                   + (ngx_uint_t) ngx_random() % JITTER_S;

    if (limit->reset == 0) {
        limit->reset = 1;
    }
}


/* How long the steady rate, per 1000 s, takes for that many; rounded up. */
static ngx_uint_t
seconds_of(uint64_t requests, ngx_uint_t rate)
{
    return (ngx_uint_t) ((requests * 1000 + rate - 1) / rate);
}


/* Once a second and worker: who fills the zone must not fill the disk, too. */
static void
log_full(ngx_http_request_t *r)
{
    time_t         now = ngx_time();
    static time_t  last;

    if (now != last) {
        last = now;
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "payments: no memory for a rate limit, requests are "
                      "refused, enlarge payments_zone");
    }
}
