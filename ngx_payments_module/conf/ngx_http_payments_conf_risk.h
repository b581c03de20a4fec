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
/* Shared with payments_risk_model and payments_risk_score.  Names stand in
 * decisions: at most 32 visible characters without = " and \. */
ngx_uint_t ngx_http_payments_risk_is_name(ngx_str_t *name);
/* Whether it is that of a payments_merchant block, or none. */
ngx_uint_t ngx_http_payments_risk_knows(
    const ngx_http_payments_main_conf_t *pmcf, pay_str_t id);
/* Adds the line, or a text that belongs to it, to the configuration's
 * version. */
char *ngx_http_payments_risk_note_line(ngx_conf_t *cf,
    ngx_payments_risk_conf_t *risk);
char *ngx_http_payments_risk_note(ngx_payments_risk_conf_t *risk,
    pay_str_t text);
/* When all is read: the core's object and the windows' memory. */
char *ngx_http_payments_risk_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);


#endif /* NGX_HTTP_PAYMENTS_CONF_RISK_H */
