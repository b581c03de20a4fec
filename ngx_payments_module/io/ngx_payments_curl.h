/*
 * The transport of calls; nothing here shows libcurl.
 */

#ifndef NGX_PAYMENTS_CURL_H
#define NGX_PAYMENTS_CURL_H

#include "io/ngx_payments_http.h"


/* At the start of a worker; NGX_ERROR: it cannot serve. */
ngx_int_t ngx_payments_curl_start(ngx_cycle_t *cycle);
/* `finished` is called once, never from inside, with http->answer filled.
 * NGX_OK: under way; NGX_BUSY: half of nginx's connections are with PSPs
 * already; NGX_ERROR: no memory.  In the last two nothing was sent. */
ngx_int_t ngx_payments_curl_call(ngx_payments_http_t *http);
/* At its end: calls that are under way are dropped, and `finished` is not
 * called. */
void ngx_payments_curl_stop(void);


#endif /* NGX_PAYMENTS_CURL_H */
