/*
 * Certificates by URL, a few per worker, for an hour.  One that could not be
 * fetched is not asked for again for a while, and how many are fetched for a
 * PSP in a time is limited (webhook_cert_rate).
 */

#ifndef NGX_PAYMENTS_CERT_H
#define NGX_PAYMENTS_CERT_H

#include "util/ngx_payments_conf_types.h"


/* NGX_OK: *pem is it, in `pool`; NGX_DECLINED: fetch it, then call cert_put,
 * whatever came of it; NGX_BUSY: not now; NGX_ERROR: no memory. */
ngx_int_t ngx_payments_cert_get(const ngx_payments_psp_t *psp, pay_str_t url,
    ngx_pool_t *pool, pay_str_t *pem);
void ngx_payments_cert_put(pay_str_t url, pay_str_t pem);   /* empty: failed */


#endif /* NGX_PAYMENTS_CERT_H */
