/*
 * The replica of a cell.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_REPLICA_H
#define NGX_HTTP_PAYMENTS_CONF_REPLICA_H

#include "conf/ngx_http_payments_conf_option.h"
#include "util/ngx_payments_conf_types.h"


extern ngx_http_payments_line_t  ngx_http_payments_database_replica_line;

/* When all is read, of a cell that has a primary: whether its replica is
 * another server, and can be found without asking for its address. */
char *ngx_http_payments_replica_check(ngx_conf_t *cf,
    ngx_payments_cell_t *cell);


#endif /* NGX_HTTP_PAYMENTS_CONF_REPLICA_H */
