/*
 * The directives payments_risk_model and payments_risk_score.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_SCORE_H
#define NGX_HTTP_PAYMENTS_CONF_SCORE_H

#include "util/ngx_payments_conf_types.h"


char *ngx_http_payments_risk_model(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_payments_risk_score(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* When all is read: merchants, champions and weights fit together. */
char *ngx_http_payments_score_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);


#endif /* NGX_HTTP_PAYMENTS_CONF_SCORE_H */
