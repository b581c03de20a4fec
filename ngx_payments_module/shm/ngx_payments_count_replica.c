/*
 * A replica in /metrics: its answers, why the primary was asked instead, and
 * how far it is behind.
 */

#include "shm/ngx_payments_count_replica.h"
#include "shm/ngx_payments_series.h"
#include "shm/ngx_payments_zone.h"
#include "util/ngx_payments_process.h"
#include "pay_metric.h"


#define ANSWERS  "payments_replica_answers_total"
#define PASSED   "payments_replica_passed_total"
#define LAG      "payments_replica_lag_seconds"
#define MS_IN_S  1000


static const char *const  whys[] = {
    [NGX_PAYMENTS_REPLICA_ASKED] = "asked",
    [NGX_PAYMENTS_REPLICA_AWAY] = "away",
    [NGX_PAYMENTS_REPLICA_BEHIND] = "behind",
    [NGX_PAYMENTS_REPLICA_FULL] = "full",
    [NGX_PAYMENTS_REPLICA_FAILED] = "failed",
    [NGX_PAYMENTS_REPLICA_NOT_FOUND] = "not_found",
    NULL
};


void
ngx_payments_count_replica_answer(ngx_uint_t cell)
{
    ngx_payments_cell_stat_t  *stat = ngx_payments_cell_stat(cell);

    if (stat != NULL) {
        (void) ngx_atomic_fetch_add(&stat->replica.answers, 1);
    }
}


void
ngx_payments_count_replica_passed(ngx_uint_t cell,
    ngx_payments_replica_why_e why)
{
    ngx_payments_cell_stat_t  *stat = ngx_payments_cell_stat(cell);

    if (stat != NULL) {
        (void) ngx_atomic_fetch_add(&stat->replica.passed[why], 1);
    }
}


/* A replica that nobody has ever heard of is away since then. */
void
ngx_payments_count_replica_begins(ngx_uint_t cell)
{
    ngx_payments_cell_stat_t  *stat = ngx_payments_cell_stat(cell);

    if (stat != NULL && stat->replica.as_of == 0) {
        stat->replica.as_of = ngx_current_msec;
    }
}


/* The clock is one for all workers of a host, so the newest time of any counts.
 * Two that write at once may leave the older one, until the next look. */
void
ngx_payments_count_replica_as_of(ngx_uint_t cell, ngx_msec_t as_of)
{
    ngx_payments_cell_stat_t  *stat = ngx_payments_cell_stat(cell);

    if (stat != NULL
        && (ngx_msec_int_t) (as_of - (ngx_msec_t) stat->replica.as_of) > 0)
    {
        stat->replica.as_of = as_of;
    }
}


/* The lag in whole seconds, rounded up. */
void
ngx_payments_replica_write(pay_buf_t *buf, ngx_uint_t cell,
    const ngx_payments_cell_stat_t *stat)
{
    ngx_uint_t               has;
    ngx_msec_t               lag, as_of = (ngx_msec_t) stat->replica.as_of;
    ngx_payments_cell_t    **cells = ngx_payments_main_conf()->cells.elts;

    has = cells[cell]->dbs[PAY_ROLE_REPLICA].dsns != NULL;

    pay_metric_family(buf, ANSWERS, "counter",
                      "Reads that the replica has answered.");
    if (has) {
        pay_metric_simple(buf, ANSWERS, stat->replica.answers);
    }

    pay_metric_family(buf, PASSED, "counter",
                      "Reads that the primary was asked for, by why the "
                      "replica has not answered.");
    if (has) {
        ngx_payments_words_write(buf, PASSED, "why", whys,
                                 stat->replica.passed);
    }

    pay_metric_family(buf, LAG, "gauge",
                      "The most by which the replica is behind, and the time "
                      "since the start while it has not been heard of.");
    if (has) {
        lag = ngx_max((ngx_msec_int_t) (ngx_current_msec - as_of), 0);
        pay_metric_simple(buf, LAG, (lag + MS_IN_S - 1) / MS_IN_S);
    }
}
