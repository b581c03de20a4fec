/*
 * The simple directives.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_H
#define NGX_HTTP_PAYMENTS_CONF_H

#include "conf/ngx_http_payments_conf_option.h"


extern ngx_http_payments_line_t  ngx_http_payments_database_line;
extern ngx_http_payments_line_t  ngx_http_payments_idempotency_line;
extern ngx_http_payments_line_t  ngx_http_payments_jobs_line;
extern ngx_http_payments_line_t  ngx_http_payments_public_url_line;
extern ngx_http_payments_line_t  ngx_http_payments_rate_limit_line;


/* Setters of ngx_command_t, of payments_zone, of the directives that make a
 * location one of the module's, and of payments_health.  They return
 * NGX_CONF_OK, NGX_CONF_ERROR when they have logged, or a text that nginx
 * logs. */
char *ngx_http_payments_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_payments_location(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_payments_health(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


#endif /* NGX_HTTP_PAYMENTS_CONF_H */
