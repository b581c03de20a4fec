/*
 * The directives of background work: jobs, retries, sweeps.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_RETRY_H
#define NGX_HTTP_PAYMENTS_CONF_RETRY_H

#include "conf/ngx_http_payments_conf_option.h"
#include "util/ngx_payments_conf_types.h"


extern ngx_http_payments_line_t  ngx_http_payments_late_success_line;
extern ngx_http_payments_line_t  ngx_http_payments_watchdog_line;


/* payments_retry */
char *ngx_http_payments_retry(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
/* The word retry of payments_psp. */
char *ngx_http_payments_psp_retry(ngx_conf_t *cf, void *object);
/* At the block's end. */
char *ngx_http_payments_retry_check(ngx_conf_t *cf, ngx_payments_psp_t *psp);
/* The defaults of retry, backfill and last_look. */
void ngx_http_payments_retry_defaults(ngx_http_payments_main_conf_t *pmcf);
/* Refuses a merchant whose late payments could not be paid back. */
char *ngx_http_payments_late_check(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf, const pay_merchant_t *merchant);


#endif /* NGX_HTTP_PAYMENTS_CONF_RETRY_H */
