/*
 * Deliveries of messages to the endpoints of storefronts, where payments_jobs
 * is on and there is a keyring.  A worker has so many slots
 * (payments_webhook_endpoints concurrency=), each with one delivery under a
 * lease, from the question for it to the answer of the endpoint.  How many an
 * endpoint may have under way, and whether it is paused, is for PostgreSQL to
 * say: an endpoint that hangs holds its own share of slots and no others.
 *
 *     free ─tick─▶ begin_delivery asked ─▶ none: free
 *      ▲                 └▶ due: its flow runs ─▶ answered ─▶ asked again
 *      └──────────────────── none is due ◀─────────┤
 *                                                  └▶ end_delivery ─▶ ended
 *
 * While PostgreSQL commits the ends of some deliveries, the slots have others:
 * with the end in the slot, all slots of a worker waited in step, for
 * PostgreSQL and for the endpoints in turn.  An endpoint that does not answer
 * for SLOW_MS gives its slot up, too, or one that hangs would slow all others
 * down.  There are no more deliveries without a slot than slots.
 *
 * A tick asks for one delivery while there are none, and for twice as many as
 * the last time as long as all are there, which is soon all free slots.
 */

#include "run/ngx_payments_deliveries.h"
#include "io/ngx_payments_db.h"
#include "run/ngx_payments_flow.h"
#include "shm/ngx_payments_bulkhead.h"
#include "util/ngx_payments_log_pace.h"
#include "util/ngx_payments_process.h"


#define PATIENCE_MS    50
#define BUSY_PAUSE_MS  25              /* PostgreSQL looks at an endpoint every
                                          20 ms */
#define LATE_MS        10000
#define SLOW_MS        500             /* without an answer */
#define LEASE_SLACK_MS 45000           /* to the claim, and to the commit of
                                          the end */


/* One delivery at a time; `busy` covers the question, too. */
typedef struct {
    struct deliveries_s       *deliveries;
    ngx_payments_call_t        call;
    pay_begin_delivery_in_t    args;
    struct delivery_s         *delivery;   /* NULL: none, or it is asked for */
    ngx_msec_t                 asked;
    ngx_uint_t                 busy;
    unsigned                   ticked:1;   /* asked for by a tick */
} slot_t;

/* In the memory of its flow. */
typedef struct delivery_s {
    ngx_payments_flow_t       *flow;
    struct deliveries_s       *deliveries;
    slot_t                    *slot;   /* NULL: it is slow, or its end is to be
                                          stored */
    ngx_msec_t                 begun;
} delivery_t;

/* - most: deliveries that the next tick asks for.
 * - ticked, came: those that the last tick has asked for, and that were there.
 * - active: when the last one was there.
 * - without: deliveries that have given their slot up.
 * - is_dry: none was due when last asked for. */
typedef struct deliveries_s {
    ngx_http_payments_main_conf_t  *pmcf;
    ngx_uint_t                      cell;
    slot_t                         *slots;       /* NULL: nothing is delivered
                                                    here */
    ngx_uint_t                      count;
    ngx_event_t                     timer;
    ngx_uint_t                      most;
    ngx_uint_t                      ticked;
    ngx_uint_t                      came;
    ngx_msec_t                      active;
    ngx_uint_t                      is_active;
    ngx_uint_t                      without;
    ngx_uint_t                      is_dry;
} deliveries_t;


static void deliveries_handler(ngx_event_t *ev);
static void set_most(deliveries_t *deliveries);
static ngx_msec_t next_tick(deliveries_t *deliveries);
static ngx_uint_t claim(slot_t *slot, ngx_uint_t ticked);
static void claim_done(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure);
static ngx_int_t start(slot_t *slot, const pay_delivery_row_t *row);
static void free_slow(deliveries_t *deliveries);
static ngx_uint_t give_up_slot(delivery_t *delivery);
static void delivery_answered(void *data);
static void delivery_ended(void *data);
static void ask_again(deliveries_t *deliveries);
static void complain(const ngx_payments_flow_t *flow, const char *outcome);
static ngx_uint_t is_ending(void);


/* One for each cell; NULL: nothing is delivered here. */
static deliveries_t  *all[NGX_PAYMENTS_CELLS_MAX];


/* Without a keyring no secret could be opened: nodes that have one deliver. */
ngx_int_t
ngx_payments_deliveries_start(ngx_cycle_t *cycle, ngx_uint_t cell,
    pay_str_t owner)
{
    deliveries_t                   *deliveries;
    slot_t                         *slot;
    ngx_uint_t                      i;
    ngx_payments_endpoints_t       *conf;
    ngx_http_payments_main_conf_t  *pmcf = ngx_payments_main_conf();

    if (pmcf->keyring.count == 0) {
        return NGX_OK;
    }

    deliveries = ngx_pcalloc(cycle->pool, sizeof(deliveries_t));
    if (deliveries == NULL) {
        return NGX_ERROR;
    }

    conf = &pmcf->endpoints;
    deliveries->pmcf = pmcf;
    deliveries->cell = cell;
    deliveries->count = conf->concurrency;
    deliveries->most = 1;

    deliveries->slots = ngx_pcalloc(cycle->pool,
                                    deliveries->count * sizeof(slot_t));
    if (deliveries->slots == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < deliveries->count; i++) {
        slot = &deliveries->slots[i];
        slot->deliveries = deliveries;
        slot->call.cell = cell;
        slot->args.owner = owner;
        slot->args.lease_ms = (int64_t) conf->client.total_timeout
                              + LEASE_SLACK_MS;
        slot->call.op = PAY_OP_BEGIN_DELIVERY;
        slot->call.args = &slot->args;
        slot->call.done = claim_done;
        slot->call.data = slot;
        slot->call.patience = PATIENCE_MS;
        slot->call.is_brief = 1;
    }

    ngx_payments_timer_init(&deliveries->timer, deliveries_handler,
                            cycle->log);
    deliveries->timer.cancelable = 1;
    ngx_add_timer(&deliveries->timer, next_tick(deliveries));
    all[cell] = deliveries;

    return NGX_OK;
}


/* nginx moves no timer by less than 300 ms. */
void
ngx_payments_deliveries_soon(ngx_uint_t cell)
{
    deliveries_t  *deliveries = all[cell];

    if (deliveries != NULL && deliveries->timer.timer_set
        && !deliveries->is_active)
    {
        ngx_del_timer(&deliveries->timer);
        ngx_add_timer(&deliveries->timer, 1);
    }
}


/* While requests are refused for want of room, one delivery at a time is asked
 * for: storefronts can wait, buyers cannot. */
static void
deliveries_handler(ngx_event_t *ev)
{
    deliveries_t  *deliveries = ngx_queue_data(ev, deliveries_t, timer);
    ngx_uint_t     i, n;

    if (is_ending()) {
        return;
    }

    free_slow(deliveries);
    set_most(deliveries);
    n = ngx_payments_bulkhead_is_pressed(deliveries->cell)
        ? 1 : deliveries->most;

    deliveries->ticked = 0;
    deliveries->came = 0;

    for (i = 0; i < deliveries->count && deliveries->ticked < n; i++) {
        if (deliveries->slots[i].busy) {
            continue;
        }

        if (!claim(&deliveries->slots[i], 1)) {
            break;
        }

        deliveries->ticked++;
    }

    ngx_add_timer(ev, next_tick(deliveries));
}


static void
set_most(deliveries_t *deliveries)
{
    deliveries->is_active = deliveries->is_active
        && ngx_current_msec - deliveries->active
           < deliveries->pmcf->endpoints.interval_ms;

    if (deliveries->ticked != 0 && deliveries->came == deliveries->ticked) {
        deliveries->most = ngx_min(deliveries->most * 2, deliveries->count);

    } else {
        deliveries->most = ngx_max(deliveries->most / 2, 1);
    }
}


/* Spread, so that workers do not ask in step. */
static ngx_msec_t
next_tick(deliveries_t *deliveries)
{
    ngx_msec_t  interval = deliveries->pmcf->endpoints.interval_ms;

    if (deliveries->is_active) {
        interval = ngx_min(interval, BUSY_PAUSE_MS);
    }

    return interval + ngx_random() % (interval / 4 + 1);
}


/* 0: the queue does not take it, and the next tick asks again. */
static ngx_uint_t
claim(slot_t *slot, ngx_uint_t ticked)
{
    slot->asked = ngx_current_msec;
    slot->ticked = ticked ? 1 : 0;
    slot->busy = ngx_payments_db_call(&slot->call) == NGX_OK;

    return slot->busy;
}


/* A delivery that comes too late behind its question, or is not begun for want
 * of memory, is left to its lease: it could reach into the time of another
 * worker. */
static void
claim_done(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure)
{
    slot_t                    *slot = call->data;
    deliveries_t              *deliveries = slot->deliveries;
    const pay_delivery_row_t  *row;

    (void) failure;

    row = result != NULL ? pay_row_delivery(result) : NULL;

    deliveries->is_dry = row == NULL;

    if (row == NULL) {
        slot->busy = 0;
        return;
    }

    deliveries->active = ngx_current_msec;
    deliveries->is_active = 1;
    deliveries->came += slot->ticked;

    if (ngx_current_msec - slot->asked > LATE_MS
        || start(slot, row) != NGX_OK)
    {
        slot->busy = 0;
    }
}


/* NGX_ERROR: nothing was begun, and nothing will end. */
static ngx_int_t
start(slot_t *slot, const pay_delivery_row_t *row)
{
    pay_flow_t           *core;
    delivery_t           *delivery;
    deliveries_t         *deliveries = slot->deliveries;
    ngx_payments_flow_t  *flow;

    flow = ngx_payments_flow_create(deliveries->pmcf, deliveries->cell);
    if (flow == NULL) {
        return NGX_ERROR;
    }

    core = ngx_payments_flow_core(flow);
    delivery = pay_calloc(core->arena, sizeof(delivery_t));

    if (delivery == NULL || pay_flow_delivery(core, row) != PAY_OK) {
        ngx_payments_flow_discard(flow);
        return NGX_ERROR;
    }

    delivery->flow = flow;
    delivery->deliveries = deliveries;
    delivery->slot = slot;
    delivery->begun = ngx_current_msec;
    slot->delivery = delivery;

    if (ngx_payments_flow_start_watched(flow, delivery_answered,
                                        delivery_ended, delivery) != NGX_OK)
    {
        slot->delivery = NULL;
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
free_slow(deliveries_t *deliveries)
{
    ngx_uint_t   i;
    delivery_t  *delivery;

    for (i = 0; i < deliveries->count; i++) {
        delivery = deliveries->slots[i].delivery;

        if (delivery != NULL
            && ngx_current_msec - delivery->begun > SLOW_MS)
        {
            (void) give_up_slot(delivery);
        }
    }
}


/* 0: it has none, or too many are without. */
static ngx_uint_t
give_up_slot(delivery_t *delivery)
{
    deliveries_t  *deliveries = delivery->deliveries;

    if (delivery->slot == NULL || deliveries->without >= deliveries->count) {
        return 0;
    }

    delivery->slot->busy = 0;
    delivery->slot->delivery = NULL;
    delivery->slot = NULL;
    deliveries->without++;

    return 1;
}


static void
delivery_answered(void *data)
{
    deliveries_t  *deliveries = ((delivery_t *) data)->deliveries;

    if (give_up_slot(data) && !deliveries->is_dry) {
        ask_again(deliveries);
    }
}


/* An endpoint that wants its order has the next one due by now. */
static void
delivery_ended(void *data)
{
    delivery_t    *delivery = data;
    const char    *outcome;
    deliveries_t  *deliveries = delivery->deliveries;

    outcome = ngx_payments_flow_core(delivery->flow)->outcome;

    if (outcome != NULL && ngx_strcmp(outcome, "delivered") != 0
        && ngx_strcmp(outcome, "failed") != 0
        && ngx_strcmp(outcome, "gone") != 0)
    {
        complain(delivery->flow, outcome);
    }

    if (delivery->slot != NULL) {
        delivery->slot->busy = 0;
        delivery->slot->delivery = NULL;

    } else {
        deliveries->without--;
    }

    ask_again(deliveries);
}


/* For one delivery, where a slot is free. */
static void
ask_again(deliveries_t *deliveries)
{
    ngx_uint_t  i;

    if (is_ending() || ngx_payments_bulkhead_is_pressed(deliveries->cell)) {
        return;
    }

    for (i = 0; i < deliveries->count; i++) {
        if (!deliveries->slots[i].busy) {
            (void) claim(&deliveries->slots[i], 0);
            return;
        }
    }
}


/* Paced: an outage of PostgreSQL would make one for each delivery. */
static void
complain(const ngx_payments_flow_t *flow, const char *outcome)
{
    ngx_uint_t                       omitted;
    static ngx_payments_log_pace_t   pace;

    if (!ngx_payments_log_may(&pace, &omitted)) {
        return;
    }

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "payments: a webhook to a storefront was not sent or its end "
                  "not stored, merchant:%V, why:%s, omitted:%ui",
                  &ngx_payments_nstr(ngx_payments_flow_core(
                      (ngx_payments_flow_t *) flow)->merchant_id),
                  outcome, omitted);
}


static ngx_uint_t
is_ending(void)
{
    return ngx_exiting || ngx_quit || ngx_terminate;
}
