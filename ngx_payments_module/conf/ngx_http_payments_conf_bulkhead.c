/*
 * How much at once and for how long: payments_bulkhead and
 * payments_stage_timeout.
 */

#include "conf/ngx_http_payments_conf_bulkhead.h"
#include "conf/ngx_http_payments_conf_place.h"


#define LIMIT_MAX  1000000

#define LIMIT(member)                                                         \
    NGX_PAYMENTS_FIELD(ngx_payments_bulkhead_conf_t, member)
#define STAGE(name, stage)                                                    \
    [stage] = { name, NGX_PAYMENTS_MSEC, 10, 600000, 0,                       \
                .offset = (stage) * sizeof(ngx_msec_t),                       \
                .size = sizeof(ngx_msec_t) }


static ngx_msec_t shortest_statement(
    const ngx_http_payments_main_conf_t *pmcf);
static char *stage_too_long(ngx_conf_t *cf, const char *word, ngx_msec_t limit);


/* A change is of money that exists: it has no cap. */
static const ngx_http_payments_option_t  limits[] = {
    { "merchant=", NGX_PAYMENTS_NUMBER, 0, LIMIT_MAX, 12000, LIMIT(merchant) },
    { "intake=", NGX_PAYMENTS_NUMBER, 0, LIMIT_MAX, 24000,
      LIMIT(works[NGX_PAYMENTS_WORK_INTAKE]) },
    { "read=", NGX_PAYMENTS_NUMBER, 0, LIMIT_MAX, 24000,
      LIMIT(works[NGX_PAYMENTS_WORK_READ]) },
    { "job=", NGX_PAYMENTS_NUMBER, 0, LIMIT_MAX, 0,
      LIMIT(works[NGX_PAYMENTS_WORK_JOB]) },
    { "console=", NGX_PAYMENTS_NUMBER, 0, LIMIT_MAX, 64,
      LIMIT(works[NGX_PAYMENTS_WORK_CONSOLE]) },
    { .name = NULL }
};

_Static_assert(sizeof(limits) / sizeof(limits[0]) == 1 + NGX_PAYMENTS_WORKS,
               "a class of work has no word; the merchant's is in the place "
               "of the changes'");

static const ngx_http_payments_option_t  stages[] = {
    STAGE("key=", PAY_STAGE_KEY),
    STAGE("risk=", PAY_STAGE_RISK),
    STAGE("routing=", PAY_STAGE_ROUTING),
    STAGE("psp=", PAY_STAGE_PSP),
    STAGE("ledger=", PAY_STAGE_LEDGER),
    { .name = NULL }
};

_Static_assert(sizeof(stages) / sizeof(stages[0]) == PAY_STAGES + 1,
               "a stage has no word");


ngx_http_payments_line_t  ngx_http_payments_bulkhead_line = { limits, NULL };
ngx_http_payments_line_t  ngx_http_payments_stage_timeout_line = { stages,
                                                                   NULL };


/* When all is read.  A PSP's call ends at the earlier of two deadlines, which
 * is then simply the PSP's: its breaker judges by it, and leases go by it. */
char *
ngx_http_payments_stages_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf)
{
    ngx_msec_t            limit = shortest_statement(pmcf);
    ngx_msec_t            call = pmcf->stages[PAY_STAGE_PSP];
    ngx_uint_t            i;
    ngx_conf_t           *at;
    ngx_payments_psp_t  **psps = pmcf->psps.elts;
    ngx_http_payments_at_t  place;

    static const pay_stage_t  in_database[] = {
        PAY_STAGE_KEY, PAY_STAGE_LEDGER
    };

    for (i = 0; i < 2; i++) {
        if (pmcf->stages[in_database[i]] > limit) {
            at = ngx_http_payments_at(&place, cf, pmcf,
                                      "payments_stage_timeout", 0);
            return stage_too_long(at, stages[in_database[i]].name, limit);
        }
    }

    for (i = 0; call != 0 && i < pmcf->psps.nelts; i++) {
        psps[i]->total_timeout = ngx_min(psps[i]->total_timeout, call);
        psps[i]->connect_timeout = ngx_min(psps[i]->connect_timeout,
                                           psps[i]->total_timeout);
    }

    return NGX_CONF_OK;
}


/* The shortest of all cells.  Without one there is no limit. */
static ngx_msec_t
shortest_statement(const ngx_http_payments_main_conf_t *pmcf)
{
    ngx_uint_t             i;
    ngx_msec_t             timeout, shortest = NGX_MAX_INT_T_VALUE;
    ngx_payments_cell_t  **cells = pmcf->cells.elts;

    for (i = 0; i < pmcf->cells.nelts; i++) {
        timeout = cells[i]->dbs[PAY_ROLE_GATEWAY].timeout;
        shortest = ngx_min(shortest, timeout - timeout / 5);
    }

    return shortest;
}


/* The server's statement_timeout is set to 80 % of timeout=
 * (ngx_payments_pq_rows.c); a stage beyond that would never be the one that
 * ends an operation. */
static char *
stage_too_long(ngx_conf_t *cf, const char *word, ngx_msec_t limit)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "payments_stage_timeout %s must be at most %Mms, which "
                       "is 80%% of timeout= of payments_database: that would "
                       "end the operation first; make the one shorter or the "
                       "other longer", word, limit);

    return NGX_CONF_ERROR;
}
