/*
 * When all servers are merged.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_WARN_H
#define NGX_HTTP_PAYMENTS_CONF_WARN_H

#include "util/ngx_payments_conf_types.h"


/* Refuses the API on a plain listen, and warns of what works and should not
 * stay so. */
ngx_int_t ngx_http_payments_warn(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);


#endif /* NGX_HTTP_PAYMENTS_CONF_WARN_H */
