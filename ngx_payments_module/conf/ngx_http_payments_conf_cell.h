/*
 * Cells: the databases that merchants are assigned to.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_CELL_H
#define NGX_HTTP_PAYMENTS_CONF_CELL_H

#include "conf/ngx_http_payments_conf_option.h"
#include "util/ngx_payments_conf_types.h"


/* The setter of payments_database and its sisters: [NAME] "CONNINFO" and
 * words.  The command's offset is the pay_op_role_t of the connections, its
 * post the table of its words, whose object is the cell's
 * ngx_payments_db_conf_t. */
char *ngx_http_payments_database(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* Reads the word handle= of payments_database; `object` as above. */
char *ngx_http_payments_cell_letter(ngx_conf_t *cf, ngx_str_t *text,
    void *object);

/* When all is read: a cell without a gateway's database, letters.  Comes
 * first. */
char *ngx_http_payments_cells_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);
/* Whether any cell has a database for that role. */
ngx_uint_t ngx_http_payments_cells_have(
    const ngx_http_payments_main_conf_t *pmcf, pay_op_role_t role);
/* The index of the cell that a line named; an empty name is the one named
 * "default", or the only one.  NGX_ERROR, and it is logged at cf: there is
 * none. */
ngx_int_t ngx_http_payments_cell_find(ngx_conf_t *cf,
    const ngx_http_payments_main_conf_t *pmcf, const ngx_str_t *name);


#endif /* NGX_HTTP_PAYMENTS_CONF_CELL_H */
