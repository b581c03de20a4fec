/*
 * One HTTP call to a PSP, on all its ways.
 */

#ifndef NGX_PAYMENTS_HTTP_H
#define NGX_PAYMENTS_HTTP_H

#include "io/ngx_payments_oauth.h"

#include "pay_http.h"


typedef struct ngx_payments_http_s  ngx_payments_http_t;

/* Lies in its caller's memory (a flow, or a PSP's access token) and must stay
 * there until it is finished.  `answer` is filled in by the lowest floor that
 * knows it, and ends with its pool. */
struct ngx_payments_http_s {
    const pay_http_request_t  *request;          /* alive until done */
    const ngx_payments_psp_t  *psp;
    pay_call_t                 call;             /* see pay_call_is_aside() */
    ngx_uint_t                 can_wait;         /* a question of a job */
    ngx_msec_t                 timeout;
    pay_str_t                  request_id;       /* of its flow, for metrics */
    pay_str_t                  trace_id;         /* both may be empty */
    ngx_pool_t                *pool;             /* for the answer */
    void                     (*done)(ngx_payments_http_t *http,
                                     const pay_http_answer_t *answer);
    void                      *data;
    /* takes the body as it comes, so that the answer has none; NULL: it is kept
     * for the answer.  NGX_ERROR ends the call. */
    ngx_int_t                (*sink)(ngx_payments_http_t *http,
                                     const char *bytes, size_t len);

    pay_http_answer_t          answer;

    /* private to ngx_payments_psp.c */
    ngx_payments_oauth_wait_t  wait;
    pay_str_t                  authorization;    /* empty: none is added */
    ngx_uint_t                 repeated;         /* after a 401 */
    ngx_uint_t                 unheard;          /* of all its tries */

    /* of ngx_payments_attempt.c and those who call it; `finished` is called
     * when the transport is done, once, never from inside */
    ngx_msec_t                 deadline;
    void                     (*finished)(ngx_payments_http_t *http);

    /* private to ngx_payments_curl*.c */
    void                      *easy;
    void                      *headers;
    ngx_queue_t                queue;            /* while `sending` */
    size_t                     body_len;         /* of the request */
    u_char                    *buf;
    size_t                     len;
    size_t                     size;
    ngx_msec_t                 started;
    ngx_uint_t                 begun;            /* copies of the request
                                                    itself */
    size_t                     header_len;       /* of all its answers */
    unsigned                   too_large:1;
    unsigned                   cut:1;            /* a delivery's body, which
                                                    nobody reads to its end */
    unsigned                   sending:1;        /* begun, and was not whole at
                                                    the last look */
    unsigned                   headed:1;         /* the answer's header is
                                                    whole */
    unsigned                   private_address:1;    /* was refused */
};


#endif /* NGX_PAYMENTS_HTTP_H */
