/*
 * Answers.  Each function sends a whole one and returns the code of a content
 * handler.
 */

#ifndef NGX_HTTP_PAYMENTS_REPLY_H
#define NGX_HTTP_PAYMENTS_REPLY_H

#include "util/ngx_payments.h"

#include "pay_flow.h"


/* Sends the reply of a flow, which may end behind this call: all is copied into
 * r->pool.  Each of these returns the code of a content handler. */
ngx_int_t ngx_http_payments_reply(ngx_http_request_t *r,
    const pay_reply_t *reply);
/* Sends a problem (RFC 9457).  `slug`: of pay_problem.h; `detail`: a literal,
 * or NULL for the slug's own; `pointer`: a JSON pointer, or NULL. */
ngx_int_t ngx_http_payments_problem(ngx_http_request_t *r, const char *slug,
    const char *detail, const char *pointer);
/* All that is wrong with a request; `errors` as long as this call lasts. */
ngx_int_t ngx_http_payments_refused(ngx_http_request_t *r,
    const pay_err_t *err, const pay_errors_t *errors);
ngx_int_t ngx_http_payments_overloaded(ngx_http_request_t *r,
    int64_t retry_after_s);
ngx_int_t ngx_http_payments_method_not_allowed(ngx_http_request_t *r,
    const char *allow);
/* Sends nothing: the JSON of a problem for this request, in r->pool. */
ngx_int_t ngx_http_payments_problem_json(ngx_http_request_t *r,
    const pay_reply_t *reply, ngx_str_t *json);


#endif /* NGX_HTTP_PAYMENTS_REPLY_H */
