/*
 * The certificate of the PSP that answers a call.  Knows libcurl and OpenSSL.
 */

#ifndef NGX_PAYMENTS_CURL_PEER_H
#define NGX_PAYMENTS_CURL_PEER_H

#include "io/ngx_payments_http.h"


/* From inside a callback of libcurl, as the connection is there no longer than
 * the call.  Once a minute for each PSP its end and its issuer go into the
 * shared zone; a call over plain HTTP has none. */
void ngx_payments_easy_peer(ngx_payments_http_t *http);


#endif /* NGX_PAYMENTS_CURL_PEER_H */
