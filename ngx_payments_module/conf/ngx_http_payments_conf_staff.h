/*
 * Staff and the console: payments_staff, payments_console_html,
 * payments_console_database.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_STAFF_H
#define NGX_HTTP_PAYMENTS_CONF_STAFF_H

#include "conf/ngx_http_payments_conf_option.h"
#include "util/ngx_payments_conf_types.h"
#include "pay_op.h"


extern ngx_http_payments_line_t  ngx_http_payments_console_database_line;
extern ngx_http_payments_line_t  ngx_http_payments_console_html_line;


/* Reads a connection string of that role, which only reads or not, into
 * *object.  The result is that of an option's function. */
char *ngx_http_payments_console_dsn(ngx_conf_t *cf, ngx_str_t *dsn,
    ngx_payments_db_conf_t *db, pay_op_role_t role);
/* The setter of the block. */
char *ngx_http_payments_staff_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* When the http block is read and merchants are resolved: that all is there
 * which a console needs, and that no key is a merchant's, too. */
char *ngx_http_payments_console_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);


#endif /* NGX_HTTP_PAYMENTS_CONF_STAFF_H */
