/*
 * The problem types as documents, and the style sheet of all pages.
 */

#ifndef NGX_HTTP_PAYMENTS_PROBLEMS_H
#define NGX_HTTP_PAYMENTS_PROBLEMS_H

#include "util/ngx_payments.h"


/* /problems (the list), /problems/<slug>, /problems/style.css */
ngx_int_t ngx_http_payments_problems(ngx_http_request_t *r);
/* <prefix>style.css; NGX_DECLINED when the path is another */
ngx_int_t ngx_http_payments_style(ngx_http_request_t *r);


#endif /* NGX_HTTP_PAYMENTS_PROBLEMS_H */
