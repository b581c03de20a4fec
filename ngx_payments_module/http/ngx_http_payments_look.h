/*
 * Logos and style sheets of merchants, under the prefix of a buyer's location.
 */

#ifndef NGX_HTTP_PAYMENTS_LOOK_H
#define NGX_HTTP_PAYMENTS_LOOK_H

#include "util/ngx_payments_conf_types.h"


/* A look as the slots of a page take it; flags say which parts there are. */
typedef struct {
    pay_str_t                   name;            /* isolated */
    pay_str_t                   logo_url;
    pay_str_t                   style_url;
    ngx_uint_t                  has_name;
    ngx_uint_t                  has_logo;
    ngx_uint_t                  has_style;
} ngx_http_payments_shown_look_t;


/* Answers a request for such a file; NGX_DECLINED: it is for none. */
ngx_int_t ngx_http_payments_look(ngx_http_request_t *r);
/* The look of the merchant; NULL: it is not in the configuration. */
const ngx_payments_look_t *ngx_http_payments_look_of(
    const ngx_http_payments_main_conf_t *pmcf, pay_str_t merchant_id);
/* With the files' addresses below the prefix of a buyer's location; of NULL it
 * has no part. */
pay_status_t ngx_http_payments_look_show(const ngx_payments_look_t *look,
    pay_arena_t *arena, pay_str_t prefix,
    ngx_http_payments_shown_look_t *shown);


#endif /* NGX_HTTP_PAYMENTS_LOOK_H */
