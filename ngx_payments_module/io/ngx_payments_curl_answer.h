/*
 * The parts of an answer, as libcurl brings them.  Knows libcurl.
 */

#ifndef NGX_PAYMENTS_CURL_ANSWER_H
#define NGX_PAYMENTS_CURL_ANSWER_H

#include "io/ngx_payments_http.h"

#include <curl/curl.h>


/* libcurl's callbacks; `to` is the ngx_payments_http_t. */
size_t ngx_payments_easy_write(char *data, size_t size, size_t n, void *to);
size_t ngx_payments_easy_header(char *data, size_t size, size_t n, void *to);
/* Fills http->answer when the call has ended. */
void ngx_payments_easy_answer(ngx_payments_http_t *http, CURLcode result);


#endif /* NGX_PAYMENTS_CURL_ANSWER_H */
