/*
 * The queues in front of PostgreSQL, one per operation, in order of arrival.  A
 * queue goes out whole, as one set-based call.  Rules kept here: money first,
 * jobs last, but no queue starves.  Never sends and never answers.
 */

#include "io/ngx_payments_queue.h"


#define QUIET_MS  100                  /* behind the last request */


static void count_in(ngx_payments_queues_t *queues,
    const ngx_payments_call_t *call, ngx_int_t delta);
static ngx_payments_call_t *next_call(ngx_payments_queues_t *queues,
    ngx_uint_t idle);
static ngx_uint_t may_go(ngx_payments_queues_t *queues, pay_op_id_t op);
static ngx_uint_t has_connection(const ngx_payments_queues_t *queues,
    const ngx_payments_call_t *call, ngx_uint_t idle);
static ngx_uint_t goes_before(const ngx_payments_queues_t *queues,
    const ngx_payments_call_t *a, const ngx_payments_call_t *b);
static ngx_uint_t waits_long(const ngx_payments_queues_t *queues,
    const ngx_payments_call_t *call);
static ngx_payments_batch_t *make_batch(const ngx_payments_queues_t *queues,
    pay_op_id_t op, ngx_log_t *log);
static void take_calls(ngx_payments_queues_t *queues,
    ngx_payments_batch_t *batch, ngx_queue_t *late);
static ngx_payments_call_t *head_of(ngx_payments_queues_t *queues,
    pay_op_id_t op);


void
ngx_payments_queue_init(ngx_payments_queues_t *queues,
    const ngx_payments_db_conf_t *conf)
{
    ngx_uint_t  i;

    ngx_memzero(queues, sizeof(ngx_payments_queues_t));

    queues->batch = conf->batch;
    queues->wait = conf->wait;
    queues->asked = ngx_current_msec;
    ngx_queue_init(&queues->wire);

    for (i = 0; i < PAY_OP_COUNT; i++) {
        ngx_queue_init(&queues->calls[i]);
        queues->batch_max[i] = conf->batch;
    }
}


/* In order of arrival, those about money before the others. */
void
ngx_payments_queue_put(ngx_payments_queues_t *queues,
    ngx_payments_call_t *call)
{
    ngx_queue_t          *q, *queue = &queues->calls[call->op];
    ngx_payments_call_t  *other;

    q = call->money ? ngx_queue_head(queue) : queue;

    while (q != queue) {
        other = ngx_queue_data(q, ngx_payments_call_t, queue);

        if (!other->money) {
            break;
        }

        q = ngx_queue_next(q);
    }

    ngx_queue_insert_tail(q, &call->queue);         /* before q */
    count_in(queues, call, 1);

    if (ngx_payments_queue_class(call) != PAY_CLASS_JOBS) {
        queues->asked = ngx_current_msec;
    }
}


/* The call goes in front, also of calls about money: it was on the wire before
 * them. */
void
ngx_payments_queue_put_back(ngx_payments_queues_t *queues,
    ngx_payments_call_t *call)
{
    ngx_queue_insert_head(&queues->calls[call->op], &call->queue);
    count_in(queues, call, 1);
}


/* The element is the caller's now; it stands in no queue. */
void
ngx_payments_queue_remove(ngx_payments_queues_t *queues,
    ngx_payments_call_t *call)
{
    /* the debug build's NULL is of the element that has left:
     * NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
    ngx_queue_remove(&call->queue);
    count_in(queues, call, -1);
}


/* Each change of a queue passes here, so the three counts agree. */
static void
count_in(ngx_payments_queues_t *queues, const ngx_payments_call_t *call,
    ngx_int_t delta)
{
    queues->count += delta;
    queues->lengths[call->op] += delta;
    queues->classes[ngx_payments_queue_class(call)] += delta;
}


/* The whole time since it was queued counts, as it does for its client. */
ngx_uint_t
ngx_payments_queue_is_late(const ngx_payments_call_t *call)
{
    return call->timeout != 0
           && ngx_current_msec - call->queued >= call->timeout;
}


pay_class_t
ngx_payments_queue_class(const ngx_payments_call_t *call)
{
    return call->money ? PAY_CLASS_MONEY : pay_op(call->op)->class;
}


/* A queue whose calls were all late gives an empty batch, and the next queue
 * is tried. */
ngx_payments_batch_t *
ngx_payments_queue_next(ngx_payments_queues_t *queues, ngx_uint_t idle,
    ngx_log_t *log, ngx_queue_t *late)
{
    ngx_payments_call_t   *call;
    ngx_payments_batch_t  *batch;

    while ((call = next_call(queues, idle)) != NULL) {
        batch = make_batch(queues, call->op, log);
        if (batch == NULL) {
            return NULL;
        }

        take_calls(queues, batch, late);

        if (batch->count != 0) {
            ngx_queue_insert_tail(&queues->wire, &batch->wire);
            queues->sent += batch->count;
            return batch;
        }

        ngx_destroy_pool(batch->pool);  /* all of them were late */
    }

    return NULL;
}


void
ngx_payments_queue_leave(ngx_payments_queues_t *queues,
    ngx_payments_batch_t *batch)
{
    ngx_queue_remove(&batch->wire);
    queues->sent -= batch->count;
}


/* Only heads are compared: the order within a queue is made when a call comes
 * in. */
static ngx_payments_call_t *
next_call(ngx_payments_queues_t *queues, ngx_uint_t idle)
{
    ngx_uint_t            i;
    ngx_payments_call_t  *call, *best = NULL;

    for (i = 0; i < PAY_OP_COUNT; i++) {
        if (queues->lengths[i] == 0 || !may_go(queues, i)) {
            continue;
        }

        call = head_of(queues, i);

        if (has_connection(queues, call, idle)
            && (best == NULL || goes_before(queues, call, best)))
        {
            best = call;
        }
    }

    return best;
}


/* Calls of one operation go together rather than beside each other, as a batch
 * costs much more than an item in it.  But one that is out for long holds no
 * other up, and as many as fit in a batch need not wait for more; nor do those
 * that only read, whose batches cost little: while PostgreSQL has one, the
 * worker answers another. */
static ngx_uint_t
may_go(ngx_payments_queues_t *queues, pay_op_id_t op)
{
    ngx_queue_t           *q;
    ngx_payments_batch_t  *batch;

    if (queues->lengths[op] >= queues->batch_max[op]
        || pay_op(op)->only_reads)
    {
        return 1;
    }

    for (q = ngx_queue_head(&queues->wire);
         q != ngx_queue_sentinel(&queues->wire);
         q = ngx_queue_next(q))
    {
        batch = ngx_queue_data(q, ngx_payments_batch_t, wire);

        if (batch->op == op
            && ngx_current_msec - batch->sent < NGX_PAYMENTS_QUEUE_TICK_MS)
        {
            return 0;
        }
    }

    return 1;
}


/* The last free connection is not for a job: a job may take its time, and a
 * request may come for which a client waits.  A job that is many calls in a row
 * takes it when its patience is over: each of them would wait for long.  A
 * brief job takes it while no requests come: with two connections the claims
 * and the ends of deliveries would wait for each other's commit. */
static ngx_uint_t
has_connection(const ngx_payments_queues_t *queues,
    const ngx_payments_call_t *call, ngx_uint_t idle)
{
    return idle > 1 || ngx_queue_empty(&queues->wire)
           || ngx_payments_queue_class(call) != PAY_CLASS_JOBS
           || waits_long(queues, call)
           || (call->patience != 0
               && ngx_current_msec - call->since > call->patience)
           || (call->is_brief
               && ngx_current_msec - queues->asked > QUIET_MS);
}


/* A queue that has waited for half of its time goes first, whatever its class;
 * else the better class; among equals the oldest. */
static ngx_uint_t
goes_before(const ngx_payments_queues_t *queues, const ngx_payments_call_t *a,
    const ngx_payments_call_t *b)
{
    ngx_uint_t   a_long, b_long;
    pay_class_t  a_class, b_class;

    a_long = waits_long(queues, a);
    b_long = waits_long(queues, b);

    if (a_long != b_long) {
        return a_long;
    }

    a_class = ngx_payments_queue_class(a);
    b_class = ngx_payments_queue_class(b);

    if (!a_long && a_class != b_class) {
        return a_class < b_class;
    }

    return (ngx_msec_int_t) (a->since - b->since) < 0;
}


/* The wait counts from `since`, so a call that was just tried has its whole
 * time again. */
static ngx_uint_t
waits_long(const ngx_payments_queues_t *queues,
    const ngx_payments_call_t *call)
{
    return ngx_current_msec - call->since > queues->wait / 2;
}


/* There is room for the configured number, although fewer may go: batch_max
 * may rise. */
static ngx_payments_batch_t *
make_batch(const ngx_payments_queues_t *queues, pay_op_id_t op, ngx_log_t *log)
{
    ngx_pool_t            *pool;
    ngx_payments_batch_t  *batch;

    pool = ngx_create_pool(NGX_PAYMENTS_BATCH_POOL, log);
    if (pool == NULL) {
        return NULL;
    }

    batch = ngx_pcalloc(pool, sizeof(ngx_payments_batch_t));

    if (batch != NULL) {
        batch->calls = ngx_palloc(pool, queues->batch
                                        * sizeof(ngx_payments_call_t *));
    }

    if (batch == NULL || batch->calls == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    batch->pool = pool;
    batch->op = op;
    batch->sent = ngx_current_msec;

    return batch;
}


/* A call that must go alone makes a batch of one.  The deadline of the batch
 * is the longest of its items', since an earlier one would end work whose
 * client still waits. */
static void
take_calls(ngx_payments_queues_t *queues, ngx_payments_batch_t *batch,
    ngx_queue_t *late)
{
    ngx_payments_call_t  *call;

    while (queues->lengths[batch->op] != 0
           && batch->count < queues->batch_max[batch->op])
    {
        call = head_of(queues, batch->op);

        if (ngx_payments_queue_is_late(call)) {
            ngx_payments_queue_remove(queues, call);
            ngx_queue_insert_tail(late, &call->queue);
            continue;
        }

        if (call->alone && batch->count != 0) {
            break;
        }

        ngx_payments_queue_remove(queues, call);
        batch->calls[batch->count++] = call;
        batch->timeout = ngx_max(batch->timeout, call->timeout);

        if (call->alone) {
            break;
        }
    }
}


static ngx_payments_call_t *
head_of(ngx_payments_queues_t *queues, pay_op_id_t op)
{
    return ngx_queue_data(ngx_queue_head(&queues->calls[op]),
                          ngx_payments_call_t, queue);
}
