/*
 * The lines of the configuration as they stand there, and when the files of
 * keys were changed: for the console's page "settings".
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_LINES_H
#define NGX_HTTP_PAYMENTS_CONF_LINES_H

#include "util/ngx_payments_conf_types.h"
#include "pay_json.h"


/* Keeps the words of the line that is being read, cf->args, with its place: a
 * block such as "payments_psp stripe", a location, "server" or "http". */
ngx_int_t ngx_http_payments_lines_keep(ngx_conf_t *cf, ngx_str_t *place);
/* Keeps when a file that a line names was changed; `path` is its full name. */
ngx_int_t ngx_http_payments_lines_file(ngx_conf_t *cf, const ngx_str_t *path,
    time_t changed_s);
/* Keeps that a block may have these names, NULL behind the last. */
ngx_int_t ngx_http_payments_lines_block(ngx_conf_t *cf, ngx_str_t *place,
    const char *const *names);

/* Adds an array of the lines, and of those that do not stand there with their
 * defaults: no word that may be a secret, nor the place of one.  `commands` are
 * the module's.  The array ends early rather than being larger than 192 KiB. */
void ngx_http_payments_lines_write(pay_buf_t *buf,
    const ngx_http_payments_main_conf_t *pmcf, const ngx_command_t *commands);
/* Adds an array of the keys with the time of their files. */
void ngx_http_payments_lines_keys(pay_buf_t *buf,
    const ngx_http_payments_main_conf_t *pmcf);


#endif /* NGX_HTTP_PAYMENTS_CONF_LINES_H */
