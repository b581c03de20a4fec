/*
 * Acts of staff on the console: POST below api/act/.
 */

#ifndef NGX_HTTP_PAYMENTS_CONSOLE_ACT_H
#define NGX_HTTP_PAYMENTS_CONSOLE_ACT_H

#include "util/ngx_payments.h"

#include "pay_str.h"


/* Takes the act of that name; the caller of the request is known and comes from
 * the same origin.  Returns the code of a content handler. */
ngx_int_t ngx_http_payments_console_act(ngx_http_request_t *r,
    pay_str_t name);


#endif /* NGX_HTTP_PAYMENTS_CONSOLE_ACT_H */
