/*
 * How much of what proves nothing may be put aside: a bucket for each PSP in
 * the shared zone, so that a flood of forged webhooks costs no database.  Only
 * what is stored takes from it; genuine webhooks never do.
 */

#include "shm/ngx_payments_quarantine.h"
#include "shm/ngx_payments_shm.h"
#include "util/ngx_payments_process.h"


#define RATE     5000              /* per 1000 s */
#define BURST    49                /* beside the first: 50 at once */
#define KEY_MAX  80


/* By the PSP's index, in this worker: the bucket is empty until then. */
static ngx_msec_t  empty_until[NGX_PAYMENTS_PSPS_MAX];
static ngx_uint_t  empty[NGX_PAYMENTS_PSPS_MAX];


/* No lock is taken: a worker that has found the bucket empty knows until
 * when. */
ngx_uint_t
ngx_payments_quarantine_may(const pay_psp_conf_t *psp)
{
    if (!ngx_payments_main_conf()->quarantine
        || psp->index >= NGX_PAYMENTS_PSPS_MAX)
    {
        return 0;
    }

    if (empty[psp->index]
        && (ngx_msec_int_t) (ngx_current_msec - empty_until[psp->index]) >= 0)
    {
        empty[psp->index] = 0;
    }

    return !empty[psp->index];
}


/* The clock is the monotonic one of ngx_current_msec.  Keys of other buckets
 * begin with other letters, so "q:" cannot meet one of them. */
ngx_uint_t
ngx_payments_quarantine_take(const pay_psp_conf_t *psp)
{
    u_char               text[KEY_MAX];
    uint64_t             wait_ms;
    pay_str_t            key;
    ngx_uint_t           left;
    ngx_payments_gcra_e  rc;

    if (!ngx_payments_quarantine_may(psp)) {
        return 0;
    }

    key.data = text;
    key.len = ngx_snprintf(text, KEY_MAX, "q:%V",
                           &ngx_payments_nstr(psp->name)) - text;

    rc = ngx_payments_shm_gcra(ngx_payments_main_conf()->zone, key, RATE,
                               BURST, ngx_current_msec, &left, &wait_ms);

    if (rc == NGX_PAYMENTS_GCRA_ALLOWED) {
        return 1;
    }

    empty[psp->index] = 1;
    empty_until[psp->index] = ngx_current_msec
                              + (ngx_msec_t) ngx_max(wait_ms, 1);

    return 0;
}
