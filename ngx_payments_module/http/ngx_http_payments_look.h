/*
 * Logos and style sheets of merchants, under the prefix of a buyer's location.
 */

#ifndef NGX_HTTP_PAYMENTS_LOOK_H
#define NGX_HTTP_PAYMENTS_LOOK_H

#include "util/ngx_payments_conf_types.h"


/* Answers a request for such a file; NGX_DECLINED: it is for none. */
ngx_int_t ngx_http_payments_look(ngx_http_request_t *r);
/* The look of the merchant; NULL: it is not in the configuration. */
const ngx_payments_look_t *ngx_http_payments_look_of(
    const ngx_http_payments_main_conf_t *pmcf, pay_str_t merchant_id);


#endif /* NGX_HTTP_PAYMENTS_LOOK_H */
