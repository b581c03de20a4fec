/*
 * The relay's loop.  A few batches are on their way at a time, and the mark
 * never passes a message whose report is not in:
 *
 *   mark ─▶ | batch | batch | … | ◀─ sent        claim: the rows behind sent
 *           reported all? mark it
 *
 * Each stream of messages thus begins at the mark and has no gaps.  When two
 * relays send for a moment, or one sends again after an error, the first copies
 * of all messages still arrive in their order.
 */

#include "relay/loop.h"

#include "relay/clock.h"
#include "relay/db.h"
#include "relay/kafka.h"
#include "relay/log.h"

#include <inttypes.h>
#include <poll.h>
#include <string.h>


#define BACKOFF_MS      500
#define BACKOFF_MAX_MS  10000
#define STANDBY_MS      1000           /* between looks at another's lease */
#define TURN_MS         100            /* a signal is noticed within it */
#define OPEN_MS         5000
#define NEWS_MS         60000          /* between lines about the progress */

typedef struct {
    /* Whole when as many arrived as it has. */
    int64_t  last;
    int      count;
    int      arrived;
} loop_batch_t;

typedef struct {
    const relay_conf_t  *conf;
    relay_db_t           db;
    relay_kafka_t        kafka;

    loop_batch_t         window[RELAY_WINDOW];
    unsigned             first;
    unsigned             filled;
    relay_rows_t         rows;         /* claimed, of the last batch */
    int                  next;         /* the first of them that is not sent */

    int64_t              sent;         /* claimed up to here; 0: to the mark */
    int64_t              done;         /* arrived up to here; 0: to the mark */
    int64_t              lag;
    int                  is_held;      /* the lease was ours when last seen */
    int                  is_stopping;
    int                  backoff_ms;
    int64_t              look_at;      /* ms; no claim before */
    int64_t              resume_at;    /* ms; no producer before */
    int64_t              mark_at;      /* ms; the lease is renewed then */
    int64_t              news_at;
    uint64_t             relayed;
    uint64_t             reported;     /* of them, in the log */
} relay_loop_t;


static void loop_turn(relay_loop_t *loop);
static void loop_claim(relay_loop_t *loop);
static int loop_may_claim(const relay_loop_t *loop);
static int loop_open(relay_loop_t *loop);
static void loop_begin_batch(relay_loop_t *loop);
static void loop_send(relay_loop_t *loop);
static void loop_mark_whole(relay_loop_t *loop);
static void loop_mark(relay_loop_t *loop);
static void loop_keep_lease(relay_loop_t *loop);
static void loop_fail(relay_loop_t *loop);
static void loop_lose(relay_loop_t *loop);
static void loop_begin_again(relay_loop_t *loop);
static void loop_drop(relay_loop_t *loop);
static void loop_wait(relay_loop_t *loop);
static void loop_tell(relay_loop_t *loop);
static void loop_end(relay_loop_t *loop);


int
relay_run(const relay_conf_t *conf, const volatile sig_atomic_t *is_stopping)
{
    relay_loop_t  loop;

    memset(&loop, 0, sizeof(loop));
    loop.conf = conf;
    loop.backoff_ms = BACKOFF_MS;
    loop.news_at = relay_now() + NEWS_MS;
    relay_kafka_init(&loop.kafka, conf);

    if (!relay_db_init(&loop.db, conf)) {
        return 0;
    }

    relay_log("info", "begins, topic:%s, reader:%s, owner:%s", conf->topic,
              conf->name, loop.db.owner);

    while (!*is_stopping) {
        loop_turn(&loop);
    }

    loop_end(&loop);
    relay_log("info", "ends, messages:%" PRIu64, loop.relayed);

    return 1;
}


static void
loop_turn(relay_loop_t *loop)
{
    loop_keep_lease(loop);

    if (loop_may_claim(loop)) {
        loop_claim(loop);
    }

    if (loop->next < loop->rows.count) {
        loop_send(loop);
    }

    loop_wait(loop);

    if (loop->kafka.failed) {
        loop_fail(loop);
        return;
    }

    loop_mark_whole(loop);
    loop_tell(loop);
}


static int
loop_may_claim(const relay_loop_t *loop)
{
    int64_t  now = relay_now();

    return !loop->is_stopping && loop->filled < RELAY_WINDOW
           && loop->next == loop->rows.count
           && now >= loop->look_at && now >= loop->resume_at;
}


static void
loop_claim(relay_loop_t *loop)
{
    relay_rows_t  rows;

    switch (relay_db_claim(&loop->db, loop->sent, &rows)) {

    case RELAY_DB_TAKEN:
        loop_lose(loop);
        return;

    case RELAY_DB_NEW:
        loop_begin_again(loop);
        return;

    case RELAY_DB_DOWN:
        loop->look_at = relay_now() + STANDBY_MS;
        return;

    case RELAY_DB_OK:
        break;
    }

    if (!loop->is_held) {
        relay_log("info", "holds the lease");
        loop->is_held = 1;
        loop->mark_at = relay_now() + loop->conf->lease_ms / 3;
    }

    if (!loop_open(loop)) {
        relay_rows_free(&rows);
        return;
    }

    if (rows.count < loop->conf->batch) {
        loop->look_at = relay_now() + loop->conf->poll_ms;
    }

    relay_rows_free(&loop->rows);
    loop->rows = rows;
    loop->next = 0;

    if (rows.count > 0) {
        loop_begin_batch(loop);
    }
}


/* The wait is a part of the lease, which nobody renews meanwhile. */
static int
loop_open(relay_loop_t *loop)
{
    int  wait_ms = loop->conf->lease_ms / 3;

    if (loop->kafka.producer != NULL) {
        return 1;
    }

    if (!relay_kafka_open(&loop->kafka,
                          wait_ms < OPEN_MS ? wait_ms : OPEN_MS))
    {
        loop_fail(loop);
        return 0;
    }

    relay_log("info", "sends, topic:%s", loop->conf->topic);

    return 1;
}


static void
loop_begin_batch(relay_loop_t *loop)
{
    loop_batch_t  *batch;

    batch = &loop->window[(loop->first + loop->filled) % RELAY_WINDOW];
    loop->filled++;

    batch->last = relay_rows_at(&loop->rows, loop->rows.count - 1).position;
    batch->count = loop->rows.count;
    batch->arrived = 0;
    loop->sent = batch->last;
}


/* The rest waits when the producer's memory is full. */
static void
loop_send(relay_loop_t *loop)
{
    unsigned       place = (loop->first + loop->filled - 1) % RELAY_WINDOW;
    relay_row_t    row;
    loop_batch_t  *batch = &loop->window[place];

    while (loop->next < loop->rows.count && !loop->kafka.failed) {
        row = relay_rows_at(&loop->rows, loop->next);

        if (relay_kafka_send(&loop->kafka, &row, &batch->arrived)
            != RELAY_SENT)
        {
            return;
        }

        loop->next++;
    }

    relay_rows_free(&loop->rows);
    loop->next = 0;
}


static void
loop_mark_whole(relay_loop_t *loop)
{
    int64_t        last = 0;
    loop_batch_t  *batch;

    while (loop->filled > 0) {
        batch = &loop->window[loop->first];

        if (batch->arrived < batch->count) {
            break;
        }

        last = batch->last;
        loop->relayed += (uint64_t) batch->count;
        loop->first = (loop->first + 1) % RELAY_WINDOW;
        loop->filled--;
    }

    if (last > 0) {
        loop->done = last;
        loop->backoff_ms = BACKOFF_MS;
        relay_log_forget(&loop->kafka.log);
        loop_mark(loop);
    }
}


/* A mark that PostgreSQL does not take now is made up for soon. */
static void
loop_mark(relay_loop_t *loop)
{
    relay_db_status_t  status;

    status = relay_db_mark(&loop->db, loop->done, loop->conf->lease_ms,
                           &loop->lag);

    loop->mark_at = relay_now() + (status == RELAY_DB_DOWN
                                   ? STANDBY_MS : loop->conf->lease_ms / 3);

    if (status == RELAY_DB_TAKEN) {
        loop_lose(loop);

    } else if (status == RELAY_DB_NEW) {
        loop_begin_again(loop);
    }
}


static void
loop_keep_lease(relay_loop_t *loop)
{
    if (loop->is_held && relay_now() >= loop->mark_at) {
        loop_mark(loop);
    }
}


/* Nothing is skipped: a new producer begins behind the last batch that arrived
 * as a whole. */
static void
loop_fail(relay_loop_t *loop)
{
    loop_drop(loop);
    loop->sent = loop->done;
    loop->resume_at = relay_now() + loop->backoff_ms;
    loop->backoff_ms *= 2;

    if (loop->backoff_ms > BACKOFF_MAX_MS) {
        loop->backoff_ms = BACKOFF_MAX_MS;
    }
}


/* Another relay is the owner, and goes on from the mark in PostgreSQL. */
static void
loop_lose(relay_loop_t *loop)
{
    if (loop->is_held) {
        relay_log("warn", "lost the lease, reader:%s", loop->conf->name);
    }

    loop_begin_again(loop);
    loop->is_held = 0;
    loop->look_at = relay_now() + STANDBY_MS;
}


/* The mark in PostgreSQL counts, whatever was sent.  After a failover it may be
 * that of an earlier moment, and positions may have been given anew. */
static void
loop_begin_again(relay_loop_t *loop)
{
    loop_drop(loop);
    loop->sent = 0;
    loop->done = 0;
}


static void
loop_drop(relay_loop_t *loop)
{
    relay_kafka_close(&loop->kafka);
    relay_rows_free(&loop->rows);
    loop->kafka.failed = 0;
    loop->next = 0;
    loop->first = 0;
    loop->filled = 0;
}


/* Until a report comes or the next claim is due; not at all when it is. */
static void
loop_wait(relay_loop_t *loop)
{
    int      wait_ms = TURN_MS;
    int64_t  due = loop->look_at > loop->resume_at ? loop->look_at
                                                   : loop->resume_at;

    due -= relay_now();

    if (loop_may_claim(loop)) {
        wait_ms = 0;

    } else if (due > 0 && due < wait_ms) {
        wait_ms = (int) due;
    }

    if (loop->kafka.producer != NULL) {
        relay_kafka_poll(&loop->kafka, wait_ms);

    } else {
        poll(NULL, 0, wait_ms);
    }
}


static void
loop_tell(relay_loop_t *loop)
{
    if (relay_now() < loop->news_at) {
        return;
    }

    loop->news_at = relay_now() + NEWS_MS;

    if (loop->relayed > loop->reported || loop->lag > 0) {
        relay_log("info", "relays, messages:%" PRIu64 ", lag:%" PRId64,
                  loop->relayed - loop->reported, loop->lag);
        loop->reported = loop->relayed;
    }
}


static void
loop_end(relay_loop_t *loop)
{
    int64_t  until = relay_now() + loop->conf->stop_ms;

    loop->is_stopping = 1;

    while (loop->filled > 0 && relay_now() < until) {
        loop_turn(loop);
    }

    if (loop->filled > 0) {
        relay_log("warn", "ends before the reports of its last messages, which"
                  " will be sent again, batches:%u", loop->filled);
    }

    if (loop->is_held) {
        relay_db_mark(&loop->db, loop->done, 0, &loop->lag);
    }

    loop_drop(loop);
    relay_db_close(&loop->db);
}
