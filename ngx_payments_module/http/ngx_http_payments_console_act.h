/*
 * Acts of staff on the console: POST below api/act/.
 */

#ifndef NGX_HTTP_PAYMENTS_CONSOLE_ACT_H
#define NGX_HTTP_PAYMENTS_CONSOLE_ACT_H

#include "util/ngx_payments.h"

#include "pay_problem.h"


/* Takes the act of that name; the caller of the request is known and comes from
 * the same origin.  Returns the code of a content handler. */
ngx_int_t ngx_http_payments_console_act(ngx_http_request_t *r,
    pay_str_t name);
/* The index of the cell that a request of the console names; an empty name is
 * the cell named default, or the first.  NGX_DECLINED and *err: there is
 * none. */
ngx_int_t ngx_http_payments_console_cell(pay_str_t name, ngx_uint_t *cell,
    pay_err_t *err);


#endif /* NGX_HTTP_PAYMENTS_CONSOLE_ACT_H */
