/*
 * Reads connection strings of libpq; makes no connection.
 */

#ifndef NGX_PAYMENTS_PQ_CONF_H
#define NGX_PAYMENTS_PQ_CONF_H

#include "util/ngx_payments.h"


/* NGX_OK: a libpq connection string (the text ends
 * with a NUL) without a password; NGX_DECLINED: none; NGX_ABORT: a password
 * is in it.  No connection is made. */
ngx_int_t ngx_payments_pq_check(ngx_str_t *dsn);
/* 1 when it names the user postgres. */
ngx_uint_t ngx_payments_pq_superuser(ngx_str_t *dsn);
/* 1 when it names that user. */
ngx_uint_t ngx_payments_pq_user_is(ngx_str_t *dsn, const char *name);
/* 1 when libpq would have to ask for the address of its host. */
ngx_uint_t ngx_payments_pq_resolves(ngx_str_t *dsn);
/* One connection string for each host of `dsn`, which pq_check has passed, in
 * the order it names them: *dsns (ngx_str_t, each with a NUL behind it, in
 * cf->pool).  NGX_CONF_OK, or what is wrong with the hosts, to be logged. */
char *ngx_payments_pq_hosts(ngx_conf_t *cf, ngx_str_t *dsn,
    ngx_array_t **dsns);
/* The same for connections to a replica: a standby and nothing else. */
char *ngx_payments_pq_standbys(ngx_conf_t *cf, ngx_str_t *dsn,
    ngx_array_t **dsns);
/* 1 when two strings of one host each name one database of one server. */
ngx_uint_t ngx_payments_pq_is_same_place(ngx_str_t *one, ngx_str_t *two);
/* The same for connections that only read: a standby will do. */
char *ngx_payments_pq_readers(ngx_conf_t *cf, ngx_str_t *dsn,
    ngx_array_t **dsns);


#endif /* NGX_PAYMENTS_PQ_CONF_H */
