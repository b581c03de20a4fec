/*
 * The module's directives, for nginx and for the defaults of those that are
 * tables of words.
 */

#ifndef NGX_HTTP_PAYMENTS_COMMANDS_H
#define NGX_HTTP_PAYMENTS_COMMANDS_H

#include <ngx_config.h>
#include <ngx_core.h>


/* Ends with ngx_null_command. */
extern ngx_command_t  ngx_http_payments_commands[];


#endif /* NGX_HTTP_PAYMENTS_COMMANDS_H */
