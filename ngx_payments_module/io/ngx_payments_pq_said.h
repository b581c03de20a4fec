/*
 * The newest message of PostgreSQL or libpq about a connection, and the time at
 * which the last loss of each host was logged.  Knows libpq.
 */

#ifndef NGX_PAYMENTS_PQ_SAID_H
#define NGX_PAYMENTS_PQ_SAID_H

#include "util/ngx_payments_conf_types.h"

#include <libpq-fe.h>

#include "pay_line.h"


#define NGX_PAYMENTS_PQ_HOSTS  8

typedef struct {
    char        message[PAY_LINE_SIZE];
    uint32_t    told[NGX_PAYMENTS_PQ_HOSTS];
    ngx_msec_t  told_at[NGX_PAYMENTS_PQ_HOSTS];
    ngx_uint_t  untold;
} ngx_payments_pq_said_t;

/* Keeps the message of `res`, else of the connection when there is none yet:
 * one bounded line without a password and without a value. */
void ngx_payments_pq_said(ngx_payments_pq_said_t *said, PGconn *pg,
    PGresult *res, const char *sqlstate);
/* 1 when the last loss of the host that was logged, less than a minute ago, was
 * this one. */
ngx_uint_t ngx_payments_pq_is_told(const ngx_payments_pq_said_t *said,
    ngx_uint_t host, const char *why);
/* 1: log the loss, and that *untold before it were not logged.  0: it was
 * logged a moment ago, and `again` says that it may be left out. */
ngx_uint_t ngx_payments_pq_tell(ngx_payments_pq_said_t *said,
    ngx_uint_t host, const char *why, ngx_uint_t again, ngx_uint_t *untold);
/* A notice processor that writes nothing: notices may quote values. */
void ngx_payments_pq_drop_notice(void *arg, const PGresult *notice);
void ngx_payments_pq_warn_superuser(const PGconn *pg, ngx_log_t *log);
/* The mark of a replica's lines in the log, "" for others, and the level of
 * such lines: the loss of a replica takes nothing from a payment. */
const char *ngx_payments_pq_note(const ngx_payments_db_conf_t *conf);
ngx_uint_t ngx_payments_pq_level(const ngx_payments_db_conf_t *conf);
/* It is a standby, has become read-only, or is about to end. */
ngx_uint_t ngx_payments_pq_takes_no_writes(const char *sqlstate);

/* How long to wait after so many failures in a row, one of each host in turn,
 * before the next attempt to connect. */
ngx_msec_t ngx_payments_pq_pause(ngx_uint_t failures, ngx_uint_t hosts);


#endif /* NGX_PAYMENTS_PQ_SAID_H */
