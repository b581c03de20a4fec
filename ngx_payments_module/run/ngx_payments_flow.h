/*
 * A flow at run time.  Private to the glue's flow and worker files.
 */

#ifndef NGX_PAYMENTS_FLOW_H
#define NGX_PAYMENTS_FLOW_H

#include "util/ngx_http_payments.h"


struct ngx_payments_flow_s {
    ngx_pool_t                     *pool;
    pay_arena_t                     arena;
    ngx_pool_t                     *args_pool;   /* NULL: none are needed */
    pay_arena_t                     args;
    pay_flow_t                      core;
    ngx_http_payments_main_conf_t  *pmcf;

    ngx_http_request_t             *request;     /* NULL: nobody waits */
    ngx_http_cleanup_t             *cleanup;

    union {                                      /* one effect at a time */
        ngx_payments_call_t         call;
        ngx_payments_http_t         http;
    };

    ngx_event_t                    *pace;        /* a job's call waits; NULL:
                                                    none has yet */
    ngx_msec_t                      wait_started;
    ngx_msec_t                      db_ms;
    ngx_msec_t                      psp_ms;

    void                          (*ended)(void *data);
    void                           *ended_data;
    ngx_payments_place_t            place;       /* of payments_bulkhead */
    unsigned                        late:1;      /* routing took too long */
    unsigned                        started:1;
    unsigned                        alone:1;       /* nobody ever waits */
    unsigned                        in_handler:1;  /* of the request */
};


/* Of the operation whose row is there: nobody needs its arguments. */
void ngx_payments_flow_drop_args(ngx_payments_flow_t *flow);

/* Steps until something has to be waited for, or the flow's end. */
void ngx_payments_flow_step(ngx_payments_flow_t *flow, pay_input_t *input);

/* ngx_payments_worker.c.  Gives a flow that no request waits for an id of its
 * own and takes the first step.  NGX_ERROR: it was dropped, never started;
 * `ended` is not called. */
ngx_int_t ngx_payments_flow_start_alone(ngx_payments_flow_t *flow);

/* ngx_payments_rounds.c; `owner` lives as long as the worker. */
ngx_int_t ngx_payments_rounds_start(ngx_cycle_t *cycle, pay_str_t owner);
/* ngx_payments_books.c, the same. */
void ngx_payments_books_start(ngx_cycle_t *cycle, pay_str_t owner);

/* ngx_payments_seal.c, the same. */
void ngx_payments_audit_start(ngx_cycle_t *cycle, pay_str_t owner);

/* ngx_payments_rates.c; as the one before */
ngx_int_t ngx_payments_rates_start(ngx_cycle_t *cycle, pay_str_t owner);
ngx_int_t ngx_payments_effect_rates(ngx_payments_flow_t *flow,
    pay_effect_t *effect, pay_input_t *input);

/* ngx_payments_effect.c.  Each NGX_AGAIN: under way; NGX_OK: *event already
 * says what came of it. */
ngx_int_t ngx_payments_effect_db(ngx_payments_flow_t *flow,
    pay_effect_t *effect, pay_input_t *input);
ngx_int_t ngx_payments_effect_http(ngx_payments_flow_t *flow,
    pay_effect_t *effect, pay_input_t *input);


#endif /* NGX_PAYMENTS_FLOW_H */
