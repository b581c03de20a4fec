/*
 * Sources of settlement files, where payments_jobs is on.  A worker that finds
 * a file in its host's directory, or has a PSP's API to look at, asks
 * PostgreSQL whether a look is due; of all
 * workers of all nodes one then reads it.  Its first question makes the row of
 * the source as the directive has it.
 */

#include "run/ngx_payments_settlement.h"
#include "io/ngx_payments_directory.h"
#include "run/ngx_payments_flow.h"
#include "shm/ngx_payments_count_settled.h"
#include "util/ngx_payments_process.h"
#include "util/ngx_payments_random.h"


#define SOON_MS     20                 /* behind a file comes the next one */
#define ASK_SHARE   4                  /* of a pull's interval, between
                                          questions */
#define ASK_MAX_MS  30000


typedef struct {
    ngx_event_t                       timer;
    const ngx_payments_settlement_t  *settlement;
    ngx_payments_flow_t              *flow;      /* NULL: none is under way */
    ngx_uint_t                        declared;  /* the row is as the directive
                                                    has it */
    const char                       *told;      /* the last complaint */
} round_t;

typedef struct {
    ngx_http_payments_main_conf_t  *pmcf;
    pay_str_t                       owner;
    round_t                        *rounds;
} settlements_t;


static void round_handler(ngx_event_t *ev);
static ngx_uint_t has_something(round_t *round);
static void round_begin(round_t *round);
static void round_ended(void *data);
static void round_complain(round_t *round, const char *outcome);
static ngx_msec_t pause_of(const round_t *round);


static settlements_t  all;


ngx_int_t
ngx_payments_settlement_start(ngx_cycle_t *cycle, pay_str_t owner)
{
    ngx_uint_t                   i;
    round_t                     *round;
    ngx_payments_settlement_t  **settlements;

    all.pmcf = ngx_payments_main_conf();
    all.owner = owner;
    settlements = all.pmcf->settlements.elts;

    all.rounds = ngx_pcalloc(cycle->pool, (all.pmcf->settlements.nelts + 1)
                                          * sizeof(round_t));
    if (all.rounds == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < all.pmcf->settlements.nelts; i++) {
        round = &all.rounds[i];
        round->settlement = settlements[i];
        round->timer.handler = round_handler;
        round->timer.data = round;
        round->timer.log = cycle->log;
        round->timer.cancelable = 1;
        ngx_add_timer(&round->timer, ngx_random() % 1000);
    }

    return NGX_OK;
}


static void
round_handler(ngx_event_t *ev)
{
    round_t  *round = ev->data;

    if (ngx_exiting || ngx_quit || ngx_terminate) {
        return;
    }

    if (round->flow == NULL && has_something(round)) {
        round_begin(round);
    }

    if (!ev->timer_set) {
        ngx_add_timer(ev, pause_of(round));
    }
}


static ngx_uint_t
has_something(round_t *round)
{
    u_char  name[NGX_PAYMENTS_NAME_MAX + 1];

    return !round->declared
           || round->settlement->source.way != PAY_SETTLE_BY_DIR
           || ngx_payments_directory_next(&round->settlement->dir,
                                          round->settlement->age_s, name)
              == NGX_OK;
}


static void
round_begin(round_t *round)
{
    u_char                seed[PAY_SETTLE_SEED];
    ngx_payments_flow_t  *flow;

    flow = ngx_payments_flow_create(all.pmcf);
    if (flow == NULL) {
        return;
    }

    if (ngx_payments_random(seed, sizeof(seed)) != NGX_OK
        || pay_flow_settlement(ngx_payments_flow_core(flow),
                               &round->settlement->source, all.owner,
                               (pay_str_t) { sizeof(seed), seed }) != PAY_OK)
    {
        ngx_payments_flow_discard(flow);
        return;
    }

    /* before it starts: it may end at once */
    round->flow = flow;

    if (ngx_payments_flow_start_alone(flow, round_ended, round) != NGX_OK) {
        round->flow = NULL;
    }
}


static void
round_ended(void *data)
{
    round_t     *round = data;
    const char  *outcome = ngx_payments_flow_core(round->flow)->outcome;

    round->flow = NULL;

    if (outcome == NULL) {
        return;
    }

    if (ngx_strcmp(outcome, "read") == 0) {
        round->declared = 1;
        round->told = NULL;

        if (round->timer.timer_set) {
            ngx_del_timer(&round->timer);
        }

        ngx_add_timer(&round->timer, SOON_MS);

    } else if (ngx_strcmp(outcome, "empty") == 0
               || ngx_strcmp(outcome, "not-due") == 0
               || ngx_strcmp(outcome, "stopped") == 0)
    {
        round->declared = 1;

    } else {
        round_complain(round, outcome);
    }
}


/* Logged once for each reason, until a file goes well. */
static void
round_complain(round_t *round, const char *outcome)
{
    pay_str_t  name = round->settlement->source.name;

    ngx_payments_count_settled_failed(name);

    if (round->told != NULL && ngx_strcmp(round->told, outcome) == 0) {
        return;
    }

    round->told = outcome;

    if (ngx_strcmp(outcome, "exists") == 0) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "payments: a source of settlement has brought files for "
                      "another merchant or PSP than its payments_settlement "
                      "names, and is not read, source:%V",
                      &ngx_payments_nstr(name));
        return;
    }

    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                  "payments: a look at a source of settlement has ended "
                  "early, source:%V, why:%s", &ngx_payments_nstr(name),
                  outcome);
}


/* Spread, so that workers do not ask in step. */
static ngx_msec_t
pause_of(const round_t *round)
{
    ngx_msec_t  pause = (ngx_msec_t) round->settlement->source.interval_ms;

    if (round->settlement->source.way != PAY_SETTLE_BY_DIR) {
        pause = ngx_min(pause / ASK_SHARE, ASK_MAX_MS);
    }

    return pause + ngx_random() % (pause / 4 + 1);
}
