/*
 * The context of a request of ours.
 */

#ifndef NGX_HTTP_PAYMENTS_CTX_H
#define NGX_HTTP_PAYMENTS_CTX_H

#include "util/ngx_payments.h"

#include "pay_flow.h"
#include "pay_id.h"
#include "pay_jwt.h"
#include "pay_staff.h"


/* The figures of the RateLimit fields, of the last limit that was asked: the
 * merchant's where there is one, as its answer is for the merchant. */
typedef struct {
    ngx_uint_t                  limited;         /* a limit was asked */
    ngx_uint_t                  allowed;
    ngx_uint_t                  quota;           /* q */
    ngx_uint_t                  window;          /* w, seconds */
    ngx_uint_t                  remaining;       /* r */
    ngx_uint_t                  reset;           /* t, seconds */
} ngx_http_payments_limit_t;


/* All that the module knows of a request; lies in its pool and ends with it,
 * and a flow must take copies of whatever it needs for longer.
 *
 * - flow: until the flow has answered; behind that the texts and times below
 *   speak for it.
 * - limit: filled in by http/ngx_http_payments_limit.c, sent by
 *   ngx_http_payments_send.c.
 * - body_timer, body_handler, body, body_size: while the body is being read.
 * - cell: whose database the flow asks; an index.
 * - merchant, jwt_key, subject, scopes, staff: of a token that was verified,
 *   and of nothing else that the request says.
 * - key: the Idempotency-Key, parsed. */
typedef struct {
    ngx_http_request_t         *request;
    struct ngx_payments_flow_s *flow;
    u_char                      request_id[PAY_UUID_TEXT];
    ngx_http_payments_limit_t   limit;
    ngx_event_t                 body_timer;
    void                      (*body_handler)(ngx_http_request_t *r,
                                              pay_str_t body);
    ngx_str_t                   body;            /* read so far */
    size_t                      body_size;       /* room in body.data */
    ngx_uint_t                  cell;
    ngx_msec_t                  max_age;         /* how old an answer of a
                                                    replica may be; 0: none */
    ngx_msec_t                  age;             /* of the answer; 0: it is the
                                                    primary's */
    const pay_merchant_t       *merchant;
    const pay_jwt_key_t        *jwt_key;         /* that signed the token */
    pay_str_t                   subject;         /* the token's, or empty */
    unsigned                    scopes;          /* PAY_SCOPE_… */
    pay_str_t                   key;             /* idempotency key */
    const pay_staff_t          *staff;           /* of the console, or NULL */
    ngx_str_t                   shared;          /* key of the answer, or
                                                    empty */

    /* for logs; literals or the request pool's */
    ngx_str_t                   merchant_id;
    ngx_str_t                   staff_id;
    ngx_str_t                   page;            /* of the console */
    ngx_str_t                   checkout_id;
    ngx_str_t                   order_id;
    ngx_str_t                   psp;
    ngx_str_t                   trace_id;
    ngx_str_t                   outcome;
    ngx_msec_t                  db_ms;
    ngx_msec_t                  psp_ms;
    unsigned                    counted:1;       /* in the metrics */

    unsigned                    ours:1;          /* the reply is made here */
    unsigned                    html:1;          /* … and is a page */
    unsigned                    kept:1;          /* … or a file that browsers
                                                    may keep */
    unsigned                    asset:1;         /* … or a file of the
                                                    console */
    unsigned                    replace:1;       /* nginx's page goes away */
    unsigned                    replaced:1;
    ngx_str_t                   replacement;
} ngx_http_payments_ctx_t;


/* The context of the main request; NULL: no memory. */
ngx_http_payments_ctx_t *ngx_http_payments_get_ctx(ngx_http_request_t *r);


#endif /* NGX_HTTP_PAYMENTS_CTX_H */
