/*
 * payments_audit
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_AUDIT_H
#define NGX_HTTP_PAYMENTS_CONF_AUDIT_H

#include "conf/ngx_http_payments_conf_option.h"
#include "util/ngx_payments_conf_types.h"


extern ngx_http_payments_line_t  ngx_http_payments_audit_line;


/* When all is read: the files that seals go to, one for each cell. */
char *ngx_http_payments_audit_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);


#endif /* NGX_HTTP_PAYMENTS_CONF_AUDIT_H */
