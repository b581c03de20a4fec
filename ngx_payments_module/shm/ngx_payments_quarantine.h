/*
 * How many refused webhooks of a PSP may be stored.
 */

#ifndef NGX_PAYMENTS_QUARANTINE_H
#define NGX_PAYMENTS_QUARANTINE_H

#include "util/ngx_payments_conf_types.h"


/* May a refused webhook of that PSP be stored?  The first only looks, before it
 * is known whether it is refused; the second is for one that will be. */
ngx_uint_t ngx_payments_quarantine_may(const pay_psp_conf_t *psp);
ngx_uint_t ngx_payments_quarantine_take(const pay_psp_conf_t *psp);


#endif /* NGX_PAYMENTS_QUARANTINE_H */
