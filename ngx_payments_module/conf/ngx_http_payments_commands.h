/*
 * The module's directives, for nginx and for the defaults of those that are
 * tables of words.
 */

#ifndef NGX_HTTP_PAYMENTS_COMMANDS_H
#define NGX_HTTP_PAYMENTS_COMMANDS_H

#include <ngx_config.h>
#include <ngx_core.h>


typedef char *(*ngx_http_payments_setter_pt)(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);


/* Ends with ngx_null_command. */
extern ngx_command_t  ngx_http_payments_commands[];

/* Before the first line of a http block: from here on each line of a directive
 * is kept (conf_lines), then handed to its setter. */
void ngx_http_payments_keep_lines(void);
/* The setter of a directive, which is no more in the table then. */
ngx_http_payments_setter_pt ngx_http_payments_setter(
    const ngx_command_t *cmd);


#endif /* NGX_HTTP_PAYMENTS_COMMANDS_H */
