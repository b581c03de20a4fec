/*
 * The state of a flow at run time.  For the files of run/ alone: who begins a
 * flow includes ngx_payments_flow.h.
 */

#ifndef NGX_PAYMENTS_FLOW_STATE_H
#define NGX_PAYMENTS_FLOW_STATE_H

#include "io/ngx_payments_db.h"
#include "io/ngx_payments_http.h"
#include "run/ngx_payments_flow.h"
#include "shm/ngx_payments_bulkhead.h"


/* The part that only a flow has for which no request waits. */
typedef struct {
    void                          (*answered)(void *data);   /* or NULL */
    void                          (*ended)(void *data);
    void                           *data;
    ngx_event_t                    *pace;        /* its call waits; NULL: none
                                                    has yet */
    ngx_uint_t                      waits;       /* for PostgreSQL, in a row */
    void                           *file;        /* of PAY_DO_FILE */
} ngx_payments_alone_t;


/* Lies in its own pool.  From start to end it belongs to nobody but the call
 * that is under way: flow_end() is the only one that frees it.
 *
 * - pool, arena: the flow's memory, the second as the core sees the first.
 * - args_pool, args: of the arguments of one operation, dropped when its row
 *   has come.
 * - core: the state that the core keeps, and its next step.
 * - request, reply, cleanup: the subscriber.  The cleanup runs when nginx
 *   frees the request first, and clears `request`.
 * - call, http: one effect is under way at a time, so they share their memory;
 *   an answer in `http` ends when the next operation begins.
 * - wait_started, db_ms, psp_ms: in ngx_current_msec, for the request's log
 *   line and the metrics of stages. */
struct ngx_payments_flow_s {
    ngx_pool_t                     *pool;
    pay_arena_t                     arena;
    ngx_pool_t                     *args_pool;   /* NULL: none are needed */
    pay_arena_t                     args;
    pay_flow_t                      core;
    ngx_http_payments_main_conf_t  *pmcf;

    ngx_http_request_t             *request;     /* NULL: nobody waits */
    ngx_payments_reply_pt           reply;       /* of the request */
    ngx_http_cleanup_t             *cleanup;

    /* goes on with what an effect has brought, until something has to be
     * waited for or the flow ends */
    void                          (*step)(ngx_payments_flow_t *flow,
                                          pay_input_t *input);

    union {                                      /* one effect at a time */
        ngx_payments_call_t         call;
        ngx_payments_http_t         http;
    };

    ngx_msec_t                      wait_started;
    ngx_msec_t                      db_ms;
    ngx_msec_t                      psp_ms;

    ngx_payments_alone_t           *alone;       /* NULL: a request's */
    ngx_payments_place_t            place;       /* of payments_bulkhead */
    unsigned                        late:1;      /* this took too long: */
    unsigned                        late_stage:3;  /* a pay_stage_t */
    unsigned                        in_handler:1;  /* of the request */
};


/* An arena whose pool is made when something is first taken of it. */
pay_arena_t ngx_payments_flow_args(ngx_payments_flow_t *flow);
/* Its pool; NULL: no memory. */
ngx_pool_t *ngx_payments_flow_args_pool(ngx_payments_flow_t *flow);
/* The memory of an operation's arguments is free once its row has come. */
void ngx_payments_flow_drop_args(ngx_payments_flow_t *flow);


#endif /* NGX_PAYMENTS_FLOW_STATE_H */
