/*
 * Answers of the console that a worker keeps for some seconds, for all who have
 * the same key (pay_console_shared_key()).
 */

#ifndef NGX_HTTP_PAYMENTS_ANSWERS_H
#define NGX_HTTP_PAYMENTS_ANSWERS_H

#include "util/ngx_payments.h"

#include "pay_str.h"


/* `"` 32 hex digits of SHA-256 `"` */
#define NGX_PAYMENTS_ANSWER_TAG  34

/* The texts are valid until the next call of a function of this file. */
typedef struct {
    ngx_str_t   body;          /* JSON */
    u_char      etag[NGX_PAYMENTS_ANSWER_TAG + 1];
    ngx_uint_t  age;           /* whole seconds since it was made */
} ngx_http_payments_answer_t;


/* NGX_OK: there is one that this request may have; NGX_DECLINED: there is none,
 * or the request asks for a fresh one.  A request that names an earlier answer
 * (If-None-Match) or says max-age may have an older one. */
ngx_int_t ngx_http_payments_answer_find(ngx_http_request_t *r, ngx_str_t *key,
    ngx_http_payments_answer_t *answer);
/* Keeps a copy, when there is room; cost_ms: the time that the database took to
 * make it.  A dear answer is kept for longer. */
void ngx_http_payments_answer_keep(ngx_str_t *key,
    const ngx_http_payments_answer_t *answer, ngx_msec_t cost_ms);
/* An answer that was just made of this text; NGX_ERROR. */
ngx_int_t ngx_http_payments_answer_make(pay_str_t body,
    ngx_http_payments_answer_t *answer);
/* Sends it, or 304 to who has it; the code of a content handler. */
ngx_int_t ngx_http_payments_answer_send(ngx_http_request_t *r,
    ngx_http_payments_answer_t *answer);


#endif /* NGX_HTTP_PAYMENTS_ANSWERS_H */
