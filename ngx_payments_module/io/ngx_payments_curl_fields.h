/*
 * The header fields of a request, as libcurl wants them.  Knows libcurl.
 */

#ifndef NGX_PAYMENTS_CURL_FIELDS_H
#define NGX_PAYMENTS_CURL_FIELDS_H

#include "io/ngx_payments_http.h"

#include <curl/curl.h>


/* Makes http->headers, for ngx_free(), and gives it to libcurl; NGX_ERROR: no
 * memory, or a NUL in a field. */
ngx_int_t ngx_payments_easy_fields(CURL *easy, ngx_payments_http_t *http);
/* Without a NUL. */
ngx_uint_t ngx_payments_easy_is_text(pay_str_t s);


#endif /* NGX_PAYMENTS_CURL_FIELDS_H */
