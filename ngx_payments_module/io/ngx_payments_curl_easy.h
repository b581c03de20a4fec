/*
 * A handle of libcurl for one call.  Knows libcurl.
 */

#ifndef NGX_PAYMENTS_CURL_EASY_H
#define NGX_PAYMENTS_CURL_EASY_H

#include "io/ngx_payments_http.h"

#include <curl/curl.h>


/* The state that all handles share: set up before the first, freed after the
 * last. */
ngx_int_t ngx_payments_easy_start(void);
void ngx_payments_easy_stop(void);

/* Fills http->easy and what hangs on it; NGX_ERROR: no memory, and nothing is
 * left behind. */
ngx_int_t ngx_payments_easy_create(ngx_payments_http_t *http);
/* The handle must have left its multi handle. */
void ngx_payments_easy_destroy(ngx_payments_http_t *http);
/* Behind each turn of libcurl: frees what requests that have gone need no more
 * while they wait for their answers. */
void ngx_payments_easy_drop_sent(void);


#endif /* NGX_PAYMENTS_CURL_EASY_H */
