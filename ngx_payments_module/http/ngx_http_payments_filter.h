/*
 * Filters for the answers of a server that has a payments location.
 */

#ifndef NGX_HTTP_PAYMENTS_FILTER_H
#define NGX_HTTP_PAYMENTS_FILTER_H

#include "util/ngx_payments.h"


/* Security headers on all, problem documents in place of nginx's own error
 * pages. */
ngx_int_t ngx_http_payments_filter_init(ngx_conf_t *cf);


#endif /* NGX_HTTP_PAYMENTS_FILTER_H */
