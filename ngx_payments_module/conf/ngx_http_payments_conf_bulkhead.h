/*
 * payments_bulkhead and payments_stage_timeout
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_BULKHEAD_H
#define NGX_HTTP_PAYMENTS_CONF_BULKHEAD_H

#include "conf/ngx_http_payments_conf_option.h"
#include "util/ngx_payments_conf_types.h"


extern ngx_http_payments_line_t  ngx_http_payments_bulkhead_line;
extern ngx_http_payments_line_t  ngx_http_payments_stage_timeout_line;


/* When all is read. */
char *ngx_http_payments_stages_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);


#endif /* NGX_HTTP_PAYMENTS_CONF_BULKHEAD_H */
