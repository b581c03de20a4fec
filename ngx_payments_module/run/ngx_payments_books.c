/*
 * The look at our own books, by the clock, where payments_jobs is on: one
 * worker of all nodes compares what has changed since the last look
 * (pay_api.check_books).  A difference is in the mismatch queue; here it is
 * counted and logged, for those on call.
 */

#include "run/ngx_payments_books.h"
#include "io/ngx_payments_db.h"
#include "shm/ngx_payments_count.h"
#include "util/ngx_payments_process.h"


/* One call at a time, with arguments that never change. */
typedef struct {
    ngx_payments_call_t   call;
    pay_check_books_in_t  args;
    ngx_event_t           timer;
    ngx_msec_t            interval;
    ngx_uint_t            busy;
    int64_t               differences; /* that were logged */
} books_t;


static void books_handler(ngx_event_t *ev);
static void books_done(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure);
static ngx_msec_t books_pause(books_t *books);


ngx_int_t
ngx_payments_books_start(ngx_cycle_t *cycle, ngx_uint_t cell, pay_str_t owner)
{
    books_t  *books;
    books = ngx_pcalloc(cycle->pool, sizeof(books_t));
    if (books == NULL) {
        return NGX_ERROR;
    }

    books->interval = ngx_payments_main_conf()->watch.interval_ms;

    books->args.owner = owner;
    books->args.interval_ms = (int64_t) books->interval;

    books->call.op = PAY_OP_CHECK_BOOKS;
    books->call.args = &books->args;
    books->call.done = books_done;
    books->call.cell = cell;
    books->call.data = books;

    ngx_payments_timer_init(&books->timer, books_handler, cycle->log);
    books->timer.cancelable = 1;
    ngx_add_timer(&books->timer, books_pause(books));

    return NGX_OK;
}


/* The look runs in PostgreSQL; a worker only asks, and shows the result. */
static void
books_handler(ngx_event_t *ev)
{
    books_t  *books = ngx_queue_data(ev, books_t, timer);

    if (ngx_exiting || ngx_quit || ngx_terminate) {
        return;
    }

    if (!books->busy) {
        books->busy = ngx_payments_db_call(&books->call) == NGX_OK;
    }

    ngx_add_timer(ev, books_pause(books));
}


/* A difference is logged when there are more of them than at the last look, so
 * that one that waits for an operator does not fill the log. */
static void
books_done(ngx_payments_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure)
{
    books_t                 *books = call->data;
    int64_t                  differences;
    const pay_counts_row_t  *row;

    (void) failure;

    books->busy = 0;
    row = (result != NULL) ? pay_row_counts(result) : NULL;

    /* a worker that comes too early gets the counts of the last round */
    if (row == NULL) {
        return;
    }

    differences = ngx_payments_count_books(call->cell, row->counts);

    if (differences > books->differences) {
        ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, 0,
                      "payments: the books differ, see the mismatch queue and "
                      "payctl check, differences:%L%V", differences,
                      ngx_payments_cell_note(call->cell));
    }

    books->differences = differences;
}


/* Shorter than the interval, since after a round that left much PostgreSQL
 * says that the next one is due; and spread, so that workers do not ask in
 * step. */
static ngx_msec_t
books_pause(books_t *books)
{
    ngx_msec_t  pause = ngx_max(books->interval / 4, 100);

    return pause + ngx_random() % (pause / 4 + 1);
}
