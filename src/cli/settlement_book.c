/*
 * payctl settlement import --jobs: books one file on several connections, each
 * of which takes the next part that no other has.  PostgreSQL's locks decide
 * which part is whose (pay.lock_part), so that a connection that is lost leaves
 * its part to the others, or to the next import.
 */

#include "cli/db.h"
#include "cli/settlement.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>


#define BOOK_ROWS   "5000"             /* booked in one step */
#define BOOK_TRIES  3                  /* of a step that others stand against */

typedef struct {
    PGconn    *conn;
    int        is_busy;
    unsigned   tries;                  /* of its step */
} book_job_t;

/* All connections of one file; `state` is the answer of the last step. */
typedef struct {
    const char  *file_id;
    unsigned     count;
    book_job_t   jobs[SETTLEMENT_JOBS];
    int          is_lost;              /* it is said why */
    char        *state;
    size_t       size;
} book_t;


static int book_goes_on(const book_t *book);
static void book_send(book_t *book);
static int book_wait(book_t *book);
static void book_take(book_t *book, book_job_t *job);
static void book_answer(book_t *book, book_job_t *job, PGresult *result);
static int book_may_retry(const PGresult *result);
static void book_complain(book_t *book, const book_job_t *job);


int
pay_cli_settlement_book(PGconn *const *conns, unsigned count,
    const char *file_id, char *state, size_t size)
{
    unsigned  n;
    book_t    book = { .file_id = file_id, .count = count, .state = state,
                       .size = size };

    for (n = 0; n < count; n++) {
        book.jobs[n].conn = conns[n];
    }

    do {
        book_send(&book);
    } while (book_wait(&book));

    return !book.is_lost;
}


static int
book_goes_on(const book_t *book)
{
    return !book->is_lost && (strcmp(book->state, "proven") == 0
                              || strcmp(book->state, "booking") == 0);
}


/* Connections that have nothing to do get a step, as long as there are any. */
static void
book_send(book_t *book)
{
    unsigned     n;
    book_job_t  *job;

    for (n = 0; n < book->count && book_goes_on(book); n++) {
        job = &book->jobs[n];

        if (job->is_busy) {
            continue;
        }

        job->is_busy = PQsendQueryParams(job->conn,
                                         "SELECT pay_ops.advance_settlement("
                                         "$1::bigint, " BOOK_ROWS ")", 1,
                                         NULL, &book->file_id, NULL, NULL,
                                         0);
        if (!job->is_busy) {
            book_complain(book, job);
        }
    }
}


/* 0: no step is under way any more. */
static int
book_wait(book_t *book)
{
    unsigned        n, busy = 0;
    book_job_t     *waits[SETTLEMENT_JOBS];
    struct pollfd   sockets[SETTLEMENT_JOBS];

    memset(sockets, 0, sizeof(sockets));

    for (n = 0; n < book->count; n++) {
        if (book->jobs[n].is_busy) {
            waits[busy] = &book->jobs[n];
            sockets[busy].fd = PQsocket(book->jobs[n].conn);
            sockets[busy].events = POLLIN;
            busy++;
        }
    }

    if (busy > 0 && poll(sockets, busy, -1) < 0 && errno != EINTR) {
        book->is_lost = 1;
        return 0;
    }

    for (n = 0; n < busy; n++) {
        if (sockets[n].revents != 0) {
            book_take(book, waits[n]);
        }
    }

    return busy > 0;
}


/* Whatever has come; a result is followed by NULL when it was the last. */
static void
book_take(book_t *book, book_job_t *job)
{
    PGresult  *result;

    if (!PQconsumeInput(job->conn)) {
        job->is_busy = 0;
        book_complain(book, job);
        return;
    }

    while (!PQisBusy(job->conn)) {
        result = PQgetResult(job->conn);

        if (result == NULL) {
            job->is_busy = 0;
            return;
        }

        book_answer(book, job, result);
        PQclear(result);
    }
}


static void
book_answer(book_t *book, book_job_t *job, PGresult *result)
{
    const char  *state;

    if (PQresultStatus(result) == PGRES_TUPLES_OK) {
        job->tries = 0;
        state = PQgetvalue(result, 0, 0);

        /* a step that ended late answers "booking" behind the last one */
        if (book_goes_on(book)) {
            snprintf(book->state, book->size, "%s", state);
        }

    } else if (!book_may_retry(result) || ++job->tries == BOOK_TRIES) {
        book_complain(book, job);
    }
}


/* Two parts have the same key of a row (23505), or each waits for the other
 * (40P01, 40001): the one that was rolled back goes on behind the other. */
static int
book_may_retry(const PGresult *result)
{
    const char  *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    return state != NULL
           && (strcmp(state, "23505") == 0 || strcmp(state, "40P01") == 0
               || strcmp(state, "40001") == 0);
}


static void
book_complain(book_t *book, const book_job_t *job)
{
    if (!book->is_lost) {
        fprintf(stderr, "payctl: settlement import: %s",
                PQerrorMessage(job->conn));
    }

    book->is_lost = 1;
}
