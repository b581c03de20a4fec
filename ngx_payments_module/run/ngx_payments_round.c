/*
 * Flows that begin again and again, by the clock.
 */

#include "run/ngx_payments_round.h"
#include "util/ngx_payments_process.h"


#define FIRST_MS  1000


static void round_handler(ngx_event_t *ev);
static void round_begin(ngx_payments_round_t *round);
static void round_ended(void *data);
static ngx_msec_t round_pause(const ngx_payments_round_t *round);


void
ngx_payments_round_start(ngx_payments_round_t *round, ngx_log_t *log,
    ngx_msec_t first_ms)
{
    round->timer.handler = round_handler;
    round->timer.data = round;
    round->timer.log = log;
    round->timer.cancelable = 1;
    ngx_add_timer(&round->timer, first_ms);
}


/* One more than there are blocks, as an allocation of 0 bytes would look like a
 * failure. */
ngx_int_t
ngx_payments_round_start_all(ngx_cycle_t *cycle,
    const ngx_payments_round_kind_t *kind, const ngx_array_t *subjects,
    ngx_uint_t cell, pay_str_t owner)
{
    void                  **all = subjects->elts;
    ngx_uint_t              i;
    ngx_payments_round_t   *rounds;

    rounds = ngx_pcalloc(cycle->pool, (subjects->nelts + 1)
                                      * sizeof(ngx_payments_round_t));
    if (rounds == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < subjects->nelts; i++) {
        if (!kind->is_in(all[i], cell)) {
            continue;
        }

        rounds[i].kind = kind;
        rounds[i].cell = cell;
        rounds[i].pmcf = ngx_payments_main_conf();
        rounds[i].subject = all[i];
        rounds[i].owner = owner;
        ngx_payments_round_start(&rounds[i], cycle->log,
                                 ngx_random() % FIRST_MS);
    }

    return NGX_OK;
}


ngx_uint_t
ngx_payments_round_news(ngx_payments_round_t *round, const char *complaint)
{
    ngx_uint_t  same;

    same = complaint != NULL && round->told != NULL
           && ngx_strcmp(round->told, complaint) == 0;
    round->told = complaint;

    return !same;
}


/* The timer is set again whatever happens: a failure today says nothing about
 * the next round. */
static void
round_handler(ngx_event_t *ev)
{
    ngx_payments_round_t  *round = ev->data;

    if (ngx_exiting || ngx_quit || ngx_terminate) {
        return;
    }

    if (round->flow == NULL
        && (round->kind->is_due == NULL || round->kind->is_due(round)))
    {
        round_begin(round);
    }

    /* a flow that has ended at once may have set it */
    if (!ev->timer_set) {
        ngx_add_timer(ev, round_pause(round));
    }
}


static void
round_begin(ngx_payments_round_t *round)
{
    ngx_payments_flow_t  *flow;

    flow = ngx_payments_flow_create(round->pmcf, round->cell);
    if (flow == NULL) {
        return;
    }

    if (round->kind->prepare(round, ngx_payments_flow_core(flow)) != PAY_OK) {
        ngx_payments_flow_discard(flow);
        return;
    }

    /* before it starts: it may end at once */
    round->flow = flow;

    if (ngx_payments_flow_start_alone(flow, round_ended, round) != NGX_OK) {
        round->flow = NULL;
    }
}


/* An outcome of NULL is that of a worker which ends. */
static void
round_ended(void *data)
{
    ngx_payments_round_t  *round = data;
    const char            *outcome;

    outcome = ngx_payments_flow_core(round->flow)->outcome;
    round->flow = NULL;

    if (outcome == NULL || round->kind->ended == NULL
        || !round->kind->ended(round, outcome))
    {
        return;
    }

    if (round->timer.timer_set) {
        ngx_del_timer(&round->timer);
    }

    ngx_add_timer(&round->timer, round->kind->soon_ms);
}


static ngx_msec_t
round_pause(const ngx_payments_round_t *round)
{
    ngx_msec_t  pause = round->kind->pause(round);

    return pause + ngx_random() % (pause / 4 + 1);
}
