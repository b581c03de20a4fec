/*
 * Certificates that webhooks name by URL, by that URL, in this worker.  Which
 * URL anybody may make up: those that could not be fetched have a few places
 * of their own, so that they never push out a good one, only a few are fetched
 * at a time, and those never seen before take from a bucket of their PSP in the
 * shared zone: forged webhooks must not make this gateway call out at will.
 */

#include "io/ngx_payments_cert.h"
#include "shm/ngx_payments_shm.h"
#include "util/ngx_payments_memory.h"
#include "util/ngx_payments_process.h"
#include "pay_url.h"


#define GOOD_MAX      12
#define BAD_MAX       4
#define FETCHING_MAX  4
#define GOOD_MS       (3600 * 1000)
#define BAD_MS        (30 * 1000)
#define KEY_MAX       80
#define LOG_MS        (60 * 1000)
#define PEM_BEGIN     "-----BEGIN CERTIFICATE-----"


/* A place of the table, and of the same index in pems for the first
 * GOOD_MAX. */
typedef struct {
    size_t      url_len;               /* 0: free */
    u_char      url[PAY_URL_MAX];
    size_t      pem_len;               /* 0: could not be fetched; of a good
                                          one it stays when that is too old */
    ngx_uint_t  is_stale;              /* good once, and the last fetch failed:
                                          its certificate is not used */
    ngx_msec_t  ends;
    ngx_msec_t  used;
} entry_t;


static void put_stale(entry_t *entry);
static ngx_int_t begin_fetch(const ngx_payments_psp_t *psp,
    const entry_t *old);
static ngx_uint_t may_fetch(const ngx_payments_psp_t *psp);
static ngx_uint_t is_over(const entry_t *entry);
static entry_t *find(pay_str_t url);
static entry_t *free_entry(ngx_uint_t good);
static ngx_uint_t has_begin(pay_str_t pem);


/* The first GOOD_MAX hold certificates, stale ones, too, the others
 * failures. */
static entry_t     entries[GOOD_MAX + BAD_MAX];
static u_char      pems[GOOD_MAX][PAY_SIG_CERT_MAX];
static ngx_uint_t  fetching;


/* The copy is the caller's, as the place may be taken by another URL while the
 * flow goes on. */
ngx_int_t
ngx_payments_cert_get(const ngx_payments_psp_t *psp, pay_str_t url,
    ngx_pool_t *pool, pay_str_t *pem)
{
    entry_t      *entry;
    pay_arena_t   arena = ngx_payments_arena(pool);
    pay_str_t     kept;

    if (url.len == 0 || url.len > PAY_URL_MAX) {
        return NGX_BUSY;
    }

    entry = find(url);

    if (entry == NULL || is_over(entry)) {
        return begin_fetch(psp, entry);
    }

    if (entry->pem_len == 0 || entry->is_stale) {
        return NGX_BUSY;
    }

    entry->used = ngx_current_msec;
    kept.data = pems[entry - entries];
    kept.len = entry->pem_len;

    return pay_dup(&arena, kept, pem) == PAY_OK ? NGX_OK : NGX_ERROR;
}


/* Each DECLINED of cert_get() must be followed by one call of this, which
 * frees the place of the fetch. */
void
ngx_payments_cert_put(pay_str_t url, pay_str_t pem)
{
    entry_t     *entry;
    ngx_uint_t   good;

    fetching--;
    good = pem.len <= PAY_SIG_CERT_MAX && has_begin(pem);

    entry = find(url);

    if (entry != NULL && entry->pem_len != 0 && !good) {
        put_stale(entry);
        return;
    }

    /* it changes places */
    if (entry != NULL && entry->pem_len == 0 && good) {
        entry->url_len = 0;
        entry = NULL;
    }

    if (entry == NULL) {
        entry = free_entry(good);
    }

    ngx_memcpy(entry->url, url.data, url.len);
    entry->url_len = url.len;
    entry->pem_len = good ? pem.len : 0;
    entry->is_stale = 0;
    entry->used = ngx_current_msec;
    entry->ends = ngx_current_msec + (good ? GOOD_MS : BAD_MS);

    if (good) {
        ngx_memcpy(pems[entry - entries], pem.data, pem.len);
    }
}


/* Another call may have been faster: its certificate is not taken away by one
 * that failed.  A certificate that is over keeps its place, so that the next
 * fetch needs no room in the bucket: a PSP's host that is down for a moment
 * must not lose to a flood of made-up addresses. */
static void
put_stale(entry_t *entry)
{
    if (is_over(entry)) {
        entry->is_stale = 1;
        entry->ends = ngx_current_msec + BAD_MS;
    }
}


/* A certificate that was good before is fetched anew without asking the bucket:
 * no flood of made-up addresses keeps a PSP's own certificate from being
 * renewed. */
static ngx_int_t
begin_fetch(const ngx_payments_psp_t *psp, const entry_t *old)
{
    if (fetching == FETCHING_MAX
        || ((old == NULL || old->pem_len == 0) && !may_fetch(psp)))
    {
        return NGX_BUSY;
    }

    fetching++;

    return NGX_DECLINED;
}


/* The bucket is in the shared zone, so that more workers do not mean more
 * fetches.  The line of the log is written once a minute. */
static ngx_uint_t
may_fetch(const ngx_payments_psp_t *psp)
{
    u_char             text[KEY_MAX];
    uint64_t           wait_ms;
    pay_str_t          key;
    ngx_str_t          name = ngx_payments_nstr(psp->psp.name);
    ngx_uint_t         left;
    static ngx_msec_t  told;

    key.data = text;
    key.len = ngx_snprintf(text, KEY_MAX, "c:%V", &name) - text;

    if (ngx_payments_shm_gcra(ngx_payments_main_conf()->zone, key,
                              psp->cert_rate, psp->cert_burst,
                              ngx_current_msec, &left, &wait_ms)
        == NGX_PAYMENTS_GCRA_ALLOWED)
    {
        return 1;
    }

    if (told == 0 || ngx_current_msec - told >= LOG_MS) {
        told = ngx_max(ngx_current_msec, 1);
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "payments: too many certificates of webhooks, "
                      "psp:%V, directive:webhook_cert_rate", &name);
    }

    return 0;
}


static ngx_uint_t
is_over(const entry_t *entry)
{
    return (ngx_msec_int_t) (entry->ends - ngx_current_msec) <= 0;
}


/* URLs are compared as bytes: two spellings are two places. */
static entry_t *
find(pay_str_t url)
{
    ngx_uint_t  i;

    for (i = 0; i < GOOD_MAX + BAD_MAX; i++) {
        if (entries[i].url_len != 0 && entries[i].url_len == url.len
            && ngx_memcmp(entries[i].url, url.data, url.len) == 0)
        {
            return &entries[i];
        }
    }

    return NULL;
}


/* A free one, or the one that was unused the longest. */
static entry_t *
free_entry(ngx_uint_t good)
{
    entry_t     *oldest = NULL;
    ngx_uint_t   i, from = good ? 0 : GOOD_MAX;
    ngx_uint_t   to = good ? GOOD_MAX : GOOD_MAX + BAD_MAX;

    for (i = from; i < to; i++) {
        if (entries[i].url_len == 0) {
            return &entries[i];
        }

        if (oldest == NULL
            || (ngx_msec_int_t) (entries[i].used - oldest->used) < 0)
        {
            oldest = &entries[i];
        }
    }

    return oldest;
}


/* A page that says "not found" with status 200 is no certificate. */
static ngx_uint_t
has_begin(pay_str_t pem)
{
    return pem.len != 0
           && ngx_strnstr((u_char *) pem.data, PEM_BEGIN, pem.len) != NULL;
}
