/*
 * A flow at run time.  Private to the glue's flow and worker files.
 */

#ifndef NGX_PAYMENTS_FLOW_H
#define NGX_PAYMENTS_FLOW_H

#include "ngx_http_payments.h"


struct ngx_payments_flow_s {
    ngx_pool_t                     *pool;
    pay_arena_t                     arena;
    pay_flow_t                      core;
    ngx_http_payments_main_conf_t  *pmcf;

    ngx_http_request_t             *request;     /* NULL: nobody waits */
    ngx_http_cleanup_t             *cleanup;

    ngx_payments_call_t             call;
    ngx_payments_http_t             http;
    pay_http_request_t              http_request;
    pay_http_answer_t               no_answer;

    ngx_msec_t                      wait_started;
    ngx_msec_t                      db_ms;
    ngx_msec_t                      psp_ms;

    void                          (*ended)(void *data);
    void                           *ended_data;
    unsigned                        started:1;
    unsigned                        in_handler:1;  /* of the request */
};


#endif /* NGX_PAYMENTS_FLOW_H */
