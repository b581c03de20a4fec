/*
 * One attempt of a call to a PSP.
 */

#ifndef NGX_PAYMENTS_ATTEMPT_H
#define NGX_PAYMENTS_ATTEMPT_H

#include "io/ngx_payments_http.h"


/* NGX_OK: `finished` will be called with http->answer filled, and begins with
 * ngx_payments_attempt_end(); NGX_DECLINED: nothing was sent, and http->answer
 * says why.  It ends at http->deadline. */
ngx_int_t ngx_payments_attempt(ngx_payments_http_t *http);
void ngx_payments_attempt_end(ngx_payments_http_t *http);
/* Fills http->answer for a call of which nothing was sent this time, and counts
 * it; NGX_DECLINED. */
ngx_int_t ngx_payments_attempt_refuse(ngx_payments_http_t *http,
    pay_failure_t why, int64_t retry_after_s);


#endif /* NGX_PAYMENTS_ATTEMPT_H */
