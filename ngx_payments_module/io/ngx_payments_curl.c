/*
 * HTTP calls on nginx's event loop: libcurl's multi interface, driven by our
 * events and one timer.  What a call is stands in ngx_payments_curl_easy.c,
 * what came of it in _answer.c; no other file knows libcurl.
 *
 *     nginx: socket or timer ─▶ socket_action ─▶ libcurl ─▶ reap (posted)
 *     libcurl: socket_callback, timer_callback ─▶ watch, timer of nginx
 *     reap: each finished call ─▶ answer filled, handle freed ─▶ finished()
 */

#include "io/ngx_payments_curl.h"
#include "io/ngx_payments_curl_answer.h"
#include "io/ngx_payments_curl_easy.h"
#include "io/ngx_payments_watch.h"
#include "util/ngx_payments_process.h"

#include <openssl/err.h>


#define KEPT_PER_WORKER  64
#define RETRY_MS         50

/* One per socket that libcurl wants watched. */
typedef struct {
    ngx_queue_t        queue;          /* while it has no connection */
    ngx_connection_t  *c;              /* NULL: nginx has none left */
    curl_socket_t      fd;             /* libcurl's */
    int                what;
} watch_t;

/* Calls and sockets of this worker.
 *
 * - running: calls that libcurl has; while there are any, its timer holds a
 *   stopping worker back.
 * - running_max: half of nginx' connections, so that PSPs that hang leave
 *   buyers a way in. */
typedef struct {
    CURLM             *multi;
    ngx_log_t         *log;
    ngx_event_t        timer;
    ngx_event_t        reap;           /* hands finished calls out */
    ngx_queue_t        waiting;        /* sockets without a connection */
    ngx_event_t        retry;
    ngx_uint_t         running;
    ngx_uint_t         running_max;
    ngx_uint_t         stopping;
} curl_t;


static int socket_callback(CURL *easy, curl_socket_t fd, int what, void *data,
    void *watched);
static void watch_socket(watch_t *w);
static void unwatch_socket(watch_t *w);
static void retry_handler(ngx_event_t *ev);
static int timer_callback(CURLM *multi, long timeout_ms, void *data);
static void timer_handler(ngx_event_t *ev);
static void socket_handler(ngx_event_t *ev);
static void socket_action(curl_socket_t fd, int what);
static void reap_handler(ngx_event_t *ev);
static void finish(ngx_payments_http_t *http, CURLcode result);


static curl_t  curl;


/* Behind their calls libcurl keeps KEPT_PER_WORKER connections at most, and one
 * for each delivery that may be under way, those without a slot included; by
 * default its cache would grow with the calls.  With fewer, each call above the
 * limit would cost a handshake. */
ngx_int_t
ngx_payments_curl_start(ngx_cycle_t *cycle)
{
    ngx_uint_t                      kept;
    ngx_http_payments_main_conf_t  *pmcf = ngx_payments_main_conf();

    kept = KEPT_PER_WORKER
           + 2 * pmcf->endpoints.concurrency * pmcf->cells.nelts;

    ngx_memzero(&curl, sizeof(curl_t));

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return NGX_ERROR;
    }

    curl.multi = curl_multi_init();
    if (curl.multi == NULL || ngx_payments_easy_start() != NGX_OK) {
        return NGX_ERROR;
    }

    curl.log = cycle->log;
    ngx_payments_timer_init(&curl.timer, timer_handler, cycle->log);
    curl.reap.handler = reap_handler;
    curl.reap.log = cycle->log;
    ngx_payments_timer_init(&curl.retry, retry_handler, cycle->log);
    curl.retry.cancelable = 1;
    curl.running_max = ngx_max(cycle->connection_n / 2, 1);
    ngx_queue_init(&curl.waiting);

    curl_multi_setopt(curl.multi, CURLMOPT_SOCKETFUNCTION, socket_callback);
    curl_multi_setopt(curl.multi, CURLMOPT_TIMERFUNCTION, timer_callback);
    curl_multi_setopt(curl.multi, CURLMOPT_MAXCONNECTS,
                      (long) kept);

    return NGX_OK;
}


/* NGX_OK even if the call fails within libcurl's first step: such a failure,
 * too, comes out of reap_handler(). */
ngx_int_t
ngx_payments_curl_call(ngx_payments_http_t *http)
{
    if (curl.running >= curl.running_max) {
        return NGX_BUSY;
    }

    http->started = ngx_current_msec;

    if (ngx_payments_easy_create(http) != NGX_OK) {
        return NGX_ERROR;
    }

    /* counted first: the timer that adding it sets must hold a stopping
     * worker back */
    curl.running++;

    if (curl_multi_add_handle(curl.multi, http->easy) != CURLM_OK) {
        curl.running--;
        ngx_payments_easy_destroy(http);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* Timers go first: one that fires later would call into freed memory. */
void
ngx_payments_curl_stop(void)
{
    if (curl.multi == NULL) {
        return;
    }

    curl.stopping = 1;

    if (curl.timer.timer_set) {
        ngx_del_timer(&curl.timer);
    }

    if (curl.retry.timer_set) {
        ngx_del_timer(&curl.retry);
    }

    curl_multi_cleanup(curl.multi);
    ngx_payments_easy_stop();
    curl_global_cleanup();
    curl.multi = NULL;
}


/* Inside libcurl: only watch and unwatch, never call back into it.  Never a
 * failure: libcurl would give up all calls for one socket (and 7.88 crashes
 * on the way). */
static int
socket_callback(CURL *easy, curl_socket_t fd, int what, void *data,
    void *watched)
{
    watch_t  *w = watched;

    if (what == CURL_POLL_REMOVE) {
        if (w != NULL) {
            unwatch_socket(w);
            ngx_free(w);
            curl_multi_assign(curl.multi, fd, NULL);
        }

        return 0;
    }

    if (w == NULL) {
        w = ngx_calloc(sizeof(watch_t), curl.log);
        if (w == NULL) {
            return 0;                   /* the call runs into its timeout */
        }

        w->fd = fd;
        curl_multi_assign(curl.multi, fd, w);

    } else if (w->c == NULL) {
        w->what = what;
        return 0;                       /* waits already */
    }

    w->what = what;
    watch_socket(w);

    return 0;
}


/* Without a free connection it waits for one. */
static void
watch_socket(watch_t *w)
{
    if (w->c == NULL) {
        w->c = ngx_payments_watch_open(w->fd, w, socket_handler, curl.log);
    }

    if (w->c != NULL
        && ngx_payments_watch(w->c, w->what & CURL_POLL_IN,
                              w->what & CURL_POLL_OUT) == NGX_OK)
    {
        return;
    }

    ngx_payments_watch_close(w->c);
    w->c = NULL;
    ngx_queue_insert_tail(&curl.waiting, &w->queue);

    if (!curl.retry.timer_set) {
        ngx_add_timer(&curl.retry, RETRY_MS);
    }
}


/* libcurl is about to close its socket; ours is a duplicate. */
static void
unwatch_socket(watch_t *w)
{
    if (w->c == NULL) {
        ngx_queue_remove(&w->queue);
        return;
    }

    ngx_payments_watch_close(w->c);
}


/* Asks nginx only when it has one, or each try would be an alert. */
static void
retry_handler(ngx_event_t *ev)
{
    watch_t      *w;
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&curl.waiting)
           && ngx_cycle->free_connection_n != 0)
    {
        q = ngx_queue_head(&curl.waiting);
        w = ngx_queue_data(q, watch_t, queue);

        ngx_queue_remove(q);
        watch_socket(w);

        if (w->c == NULL) {
            break;
        }
    }

    if (!ngx_queue_empty(&curl.waiting) && !curl.retry.timer_set) {
        ngx_add_timer(&curl.retry, RETRY_MS);
    }
}


/* 0 means "next turn of the loop": we may be inside libcurl now. */
static int
timer_callback(CURLM *multi, long timeout_ms, void *data)
{
    if (curl.timer.timer_set) {
        ngx_del_timer(&curl.timer);
    }

    if (timeout_ms >= 0 && !curl.stopping) {
        curl.timer.cancelable = curl.running == 0;
        ngx_add_timer(&curl.timer, (ngx_msec_t) timeout_ms);
    }

    return 0;
}


/* libcurl's own timeouts are worked off here, those of calls among them. */
static void
timer_handler(ngx_event_t *ev)
{
    socket_action(CURL_SOCKET_TIMEOUT, 0);
}


/* The event says on which side; libcurl looks itself for the rest. */
static void
socket_handler(ngx_event_t *ev)
{
    ngx_connection_t  *c = ev->data;
    watch_t           *w = c->data;

    socket_action(w->fd, ev->write ? CURL_CSELECT_OUT : CURL_CSELECT_IN);
}


/* Finished calls are handed out in a posted event, since `finished` may begin
 * another call and we may be deep in libcurl here. */
static void
socket_action(curl_socket_t fd, int what)
{
    int  running;

    (void) curl_multi_socket_action(curl.multi, fd, what, &running);
    ngx_payments_easy_drop_sent();

    /* libcurl leaves a failed handshake's errors in OpenSSL's queue, where
     * nginx would find them in the midst of a request and call it an alert */
    ERR_clear_error();

    ngx_post_event(&curl.reap, &ngx_posted_events);
}


static void
reap_handler(ngx_event_t *ev)
{
    int                   left;
    char                 *private;
    CURLMsg              *message;
    CURLcode              result;
    ngx_payments_http_t  *http;

    while ((message = curl_multi_info_read(curl.multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE) {
            continue;
        }

        /* the message dies with the handle: copy first */
        result = message->data.result;
        private = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
        http = (ngx_payments_http_t *) private;

        finish(http, result);
    }
}


/* The handle is gone before `finished` runs: the caller may use its memory for
 * the next call. */
static void
finish(ngx_payments_http_t *http, CURLcode result)
{
    ngx_payments_easy_answer(http, result);

    curl_multi_remove_handle(curl.multi, http->easy);
    ngx_payments_easy_destroy(http);
    curl.running--;
    ERR_clear_error();

    http->finished(http);
}
