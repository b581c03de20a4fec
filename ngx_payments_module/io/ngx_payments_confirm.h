/*
 * Webhooks that are posted back to their sender, who says whether they are its
 * own: how many of them in a time (webhook_confirm_rate).
 */

#ifndef NGX_PAYMENTS_CONFIRM_H
#define NGX_PAYMENTS_CONFIRM_H

#include "util/ngx_payments_conf_types.h"


/* 1 when one more may be posted back now, which is counted. */
ngx_uint_t ngx_payments_confirm_may(const ngx_payments_psp_t *psp);


#endif /* NGX_PAYMENTS_CONFIRM_H */
