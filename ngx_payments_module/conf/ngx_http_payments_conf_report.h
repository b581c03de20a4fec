/*
 * Sources of settlement whose reports are announced and downloaded.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_REPORT_H
#define NGX_HTTP_PAYMENTS_CONF_REPORT_H

#include "util/ngx_payments_conf_types.h"


/* The setter of report_user=. */
char *ngx_http_payments_report_user(ngx_conf_t *cf, ngx_str_t *text,
    void *object);
/* When the source's PSP is known: a pull of one that announces reports becomes
 * PAY_SETTLE_BY_REPORT, and its words are checked; any other source must not
 * have them. */
char *ngx_http_payments_report_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf,
    ngx_payments_settlement_t *settlement);


#endif /* NGX_HTTP_PAYMENTS_CONF_REPORT_H */
