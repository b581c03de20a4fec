/*
 * What the files that know libcurl share; nobody else includes this.
 */

#ifndef NGX_PAYMENTS_CURL_H
#define NGX_PAYMENTS_CURL_H

#include "util/ngx_http_payments.h"

#include <curl/curl.h>


/* ngx_payments_curl_easy.c */

/* What all handles share; before the first and behind the last. */
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

/* ngx_payments_curl_fields.c */

/* Makes http->headers, for ngx_free(), and gives it to libcurl; NGX_ERROR: no
 * memory, or a NUL in a field. */
ngx_int_t ngx_payments_easy_fields(CURL *easy, ngx_payments_http_t *http);
/* Without a NUL. */
ngx_uint_t ngx_payments_easy_is_text(pay_str_t s);

/* ngx_payments_curl_answer.c */

/* libcurl's callbacks; `to` is the ngx_payments_http_t. */
size_t ngx_payments_easy_write(char *data, size_t size, size_t n, void *to);
size_t ngx_payments_easy_header(char *data, size_t size, size_t n, void *to);
/* Fills http->answer when the call has ended. */
void ngx_payments_easy_answer(ngx_payments_http_t *http, CURLcode result);


#endif /* NGX_PAYMENTS_CURL_H */
