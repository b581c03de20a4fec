/*
 * The facts that routes choose PSPs by: words of payments_psp, and
 * payments_score.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_HEALTH_H
#define NGX_HTTP_PAYMENTS_CONF_HEALTH_H

#include "conf/ngx_http_payments_conf_option.h"
#include "util/ngx_payments_conf_types.h"


extern ngx_http_payments_line_t  ngx_http_payments_score_line;


/* Words of payments_psp. */
char *ngx_http_payments_psp_breaker(ngx_conf_t *cf, void *object);
char *ngx_http_payments_psp_cost(ngx_conf_t *cf, void *object);
/* The defaults of the words that routes go by. */
void ngx_http_payments_health_defaults(ngx_http_payments_main_conf_t *pmcf);


#endif /* NGX_HTTP_PAYMENTS_CONF_HEALTH_H */
