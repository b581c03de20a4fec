/*
 * Counters for /metrics; each function is a no-op without a zone.
 */

#ifndef NGX_PAYMENTS_COUNT_H
#define NGX_PAYMENTS_COUNT_H

#include "shm/ngx_payments_shm.h"
#include "util/ngx_payments_conf_types.h"

#include "pay_op.h"


/* Each of these is one atomic add or a few.  Without a zone they do nothing; a
 * word that is in no table of ngx_payments_labels.h counts as "other".
 *
 * A request has ended with that status; `flow`: its type's name.  The ids of
 * requests, here and below, are for exemplars; trace_id may be empty. */
void ngx_payments_count_request(const char *flow, ngx_uint_t status,
    ngx_msec_t ms, pay_str_t request_id, pay_str_t trace_id);
/* 429 by the limit of a merchant (1) or of an address (0). */
void ngx_payments_count_limited(ngx_uint_t per_merchant);
/* A request was refused because it holds card data. */
void ngx_payments_count_card_data(void);
/* is_proven: its signature was right. */
void ngx_payments_count_webhook(pay_str_t psp, const char *outcome,
    ngx_uint_t is_proven);
/* 1 once a minute for each PSP of the configuration. */
ngx_uint_t ngx_payments_wants_certificate(pay_str_t psp);
/* A call over TLS has seen the certificate of the PSP: `end` in seconds since
 * 1970. */
void ngx_payments_count_certificate(pay_str_t psp, time_t end,
    pay_str_t issuer);
/* A call to PostgreSQL has ended, with so many items; `failed`: as a whole. */
void ngx_payments_count_db(ngx_uint_t cell, pay_op_id_t op, ngx_uint_t items,
    ngx_uint_t failed, ngx_msec_t ms);
/* An item was not sent: the queue is full, or its stage's time was over. */
void ngx_payments_count_db_rejected(ngx_uint_t cell);
/* A connection is up (1) or lost (0); only those that payments need count. */
void ngx_payments_count_db_connect(ngx_uint_t cell, ngx_uint_t role,
    ngx_uint_t up);
/* A call that has ended; request_id may be empty, too. */
void ngx_payments_count_psp(const ngx_payments_psp_t *psp, pay_call_t call,
    const pay_http_answer_t *answer, ngx_msec_t ms, pay_str_t request_id,
    pay_str_t trace_id);
void ngx_payments_count_job(const char *outcome);
void ngx_payments_count_change(const char *kind, const char *status);
void ngx_payments_count_quarantined(pay_str_t psp, const char *reason);
void ngx_payments_count_backfill(pay_str_t psp, int64_t listed,
    int64_t missed);
/* The figures of a sweep; the text is SQL's (pay_api.sweep). */
void ngx_payments_count_sweep(ngx_uint_t cell, pay_str_t json);
/* The same of pay_api.check_books; returns how many differences there are. */
int64_t ngx_payments_count_books(ngx_uint_t cell, pay_str_t json);
void ngx_payments_count_refused(ngx_uint_t cell, ngx_payments_work_e work,
    ngx_payments_full_e why);
void ngx_payments_gauge_flows(ngx_int_t delta);
/* The counters of a PSP; NULL: nothing of it was counted since nginx'
 * start. */
const ngx_payments_psp_stat_t *ngx_payments_psp_stat_find(
    const ngx_payments_counters_t *c, pay_str_t name);
/* 1 when the process that owned the slot is still there. */
ngx_uint_t ngx_payments_gauges_alive(ngx_payments_gauges_t *gauges);


#endif /* NGX_PAYMENTS_COUNT_H */
