/*
 * The variables $payments_….
 */

#ifndef NGX_HTTP_PAYMENTS_VARIABLES_H
#define NGX_HTTP_PAYMENTS_VARIABLES_H

#include "util/ngx_payments.h"


/* Before the configuration is read.  NGX_ERROR: no memory, or a name is
 * taken. */
ngx_int_t ngx_http_payments_add_variables(ngx_conf_t *cf);


#endif /* NGX_HTTP_PAYMENTS_VARIABLES_H */
