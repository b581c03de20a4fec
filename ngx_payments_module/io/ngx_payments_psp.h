/*
 * Calls to PSPs with all that belongs to them.
 */

#ifndef NGX_PAYMENTS_PSP_H
#define NGX_PAYMENTS_PSP_H

#include "io/ngx_payments_http.h"


/* The access token, the circuit, the metrics, and a second try after a 401.
 * NGX_OK: `done` will be called once, never from inside; NGX_DECLINED: nothing
 * was sent, and http->answer says why; `done` will not be called. */
ngx_int_t ngx_payments_psp_call(ngx_payments_http_t *http);


#endif /* NGX_PAYMENTS_PSP_H */
