/*
 * The directives payments_risk, payments_risk_rule and payments_risk_velocity.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_RISK_H
#define NGX_HTTP_PAYMENTS_CONF_RISK_H

#include "conf/ngx_http_payments_conf_option.h"
#include "util/ngx_payments_conf_types.h"


extern ngx_http_payments_line_t  ngx_http_payments_risk_line;

char *ngx_http_payments_risk_rule(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_payments_risk_velocity(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* Adds the line that is read to the version of decisions. */
char *ngx_http_payments_risk_note(ngx_conf_t *cf,
    ngx_payments_risk_conf_t *risk);
/* When all is read: the core's object and the windows' memory. */
char *ngx_http_payments_risk_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);


#endif /* NGX_HTTP_PAYMENTS_CONF_RISK_H */
