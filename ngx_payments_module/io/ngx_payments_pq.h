/*
 * The connections to PostgreSQL, as the queues see them.
 */

#ifndef NGX_PAYMENTS_PQ_H
#define NGX_PAYMENTS_PQ_H

#include "io/ngx_payments_batch.h"
#include "util/ngx_payments_conf_types.h"


typedef struct ngx_payments_pq_s  ngx_payments_pq_t;

/* The functions that the connections call when a batch has ended, with the
 * owner's data.  `lost` and `failed` hand all calls out and free the batch. */
typedef struct {
    void  (*wake)(void *data);             /* a connection became free */
    /* it is lost on the wire: nobody knows whether it was done */
    void  (*lost)(void *data, ngx_payments_batch_t *batch);
    /* it was rolled back */
    void  (*failed)(void *data, ngx_payments_batch_t *batch,
                    const char *sqlstate, const char *message);
    /* it was answered; the connections hand the rows out and free it.  Each of
     * the three comes once for a batch, and counts it */
    void  (*answered)(void *data, ngx_payments_batch_t *batch);
} ngx_payments_pq_owner_t;


/* A set of connections to one database as one role, which prepares the
 * operations of that role; NULL: no memory.  `owner` and `data` live as long as
 * the worker. */
ngx_payments_pq_t *ngx_payments_pq_start(ngx_cycle_t *cycle, ngx_uint_t cell,
    ngx_payments_db_conf_t *conf, const ngx_payments_pq_owner_t *owner,
    void *data);
void ngx_payments_pq_stop(ngx_payments_pq_t *pq);
/* A connection is up, or the first attempt to have one is still open. */
ngx_uint_t ngx_payments_pq_usable(const ngx_payments_pq_t *pq);
/* How many connections could take a batch now. */
ngx_uint_t ngx_payments_pq_idle(const ngx_payments_pq_t *pq);
/* The number of the connection where there is one alone, above 0 and another
 * one after each reconnect; 0 while it is not ready. */
ngx_uint_t ngx_payments_pq_session(const ngx_payments_pq_t *pq);
/* The server of the only connection is the wrong one: it is closed, and the
 * next of the hosts is tried.  A batch on the wire is lost. */
void ngx_payments_pq_leave(ngx_payments_pq_t *pq, const char *why);
/* Takes the batch over; pq_idle() was not 0. */
void ngx_payments_pq_send(ngx_payments_pq_t *pq, ngx_payments_batch_t *batch);


#endif /* NGX_PAYMENTS_PQ_H */
