/*
 * Certificates that webhooks name by URL, by that URL, in this worker.  Which
 * URL anybody may make up: those that could not be fetched have a few places
 * of their own, so that they never push out a good one, and only a few are
 * fetched at a time.
 */

#include "ngx_http_payments.h"
#include "pay_url.h"


#define GOOD_MAX      12
#define BAD_MAX       4
#define FETCHING_MAX  4
#define GOOD_MS       (3600 * 1000)
#define BAD_MS        (30 * 1000)
#define PEM_BEGIN     "-----BEGIN CERTIFICATE-----"


typedef struct {
    size_t      url_len;               /* 0: free */
    u_char      url[PAY_URL_MAX];
    size_t      pem_len;               /* 0: could not be fetched */
    ngx_msec_t  ends;
    ngx_msec_t  used;
} entry_t;


static entry_t *find(pay_str_t url);
static entry_t *free_entry(ngx_uint_t good);
static ngx_uint_t has_begin(pay_str_t pem);


/* The first GOOD_MAX hold certificates, the others failures. */
static entry_t     entries[GOOD_MAX + BAD_MAX];
static u_char      pems[GOOD_MAX][PAY_SIG_CERT_MAX];
static ngx_uint_t  fetching;


ngx_int_t
ngx_payments_cert_get(pay_str_t url, ngx_pool_t *pool, pay_str_t *pem)
{
    entry_t      *entry;
    pay_arena_t   arena = ngx_payments_arena(pool);
    pay_str_t     kept;

    if (url.len == 0 || url.len > PAY_URL_MAX) {
        return NGX_BUSY;
    }

    entry = find(url);

    if (entry == NULL) {
        if (fetching == FETCHING_MAX) {
            return NGX_BUSY;
        }

        fetching++;
        return NGX_DECLINED;
    }

    if (entry->pem_len == 0) {
        return NGX_BUSY;
    }

    entry->used = ngx_current_msec;
    kept.data = pems[entry - entries];
    kept.len = entry->pem_len;

    return pay_dup(&arena, kept, pem) == PAY_OK ? NGX_OK : NGX_ERROR;
}


void
ngx_payments_cert_put(pay_str_t url, pay_str_t pem)
{
    entry_t     *entry;
    ngx_uint_t   good;

    fetching--;
    good = pem.len <= PAY_SIG_CERT_MAX && has_begin(pem);

    /* another call may have been faster; what it has brought is not taken
     * away by one that failed */
    entry = find(url);

    if (entry != NULL && entry->pem_len != 0 && !good) {
        return;
    }

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
    entry->used = ngx_current_msec;
    entry->ends = ngx_current_msec + (good ? GOOD_MS : BAD_MS);

    if (good) {
        ngx_memcpy(pems[entry - entries], pem.data, pem.len);
    }
}


static entry_t *
find(pay_str_t url)
{
    ngx_uint_t  i;

    for (i = 0; i < GOOD_MAX + BAD_MAX; i++) {
        if ((ngx_msec_int_t) (entries[i].ends - ngx_current_msec) <= 0) {
            entries[i].url_len = 0;
        }

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
