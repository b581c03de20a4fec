/*
 * PSP calls on nginx's event loop, the only file that knows libcurl: its
 * multi interface driven by our events and one timer.
 *
 * Rules kept here: https only (http for a loopback base_url), no redirects,
 * verified chain and host, pins on top, answers capped, no automatic
 * decompression; how far a call came is libcurl's own evidence, and only "no
 * byte of the request left" may be sent again without thinking.
 */

#include <curl/curl.h>

#include "ngx_http_payments.h"
#include "ngx_payments_watch.h"


#define FIRST_BUFFER     4096
#define KEPT_PER_WORKER  64
#define RETRY_MS         50

/* One per socket that libcurl wants watched. */
typedef struct {
    ngx_queue_t        queue;          /* while it has no connection */
    ngx_connection_t  *c;              /* NULL: nginx has none left */
    curl_socket_t      fd;             /* libcurl's */
    int                what;
} watch_t;

typedef struct {
    CURLM             *multi;
    ngx_log_t         *log;
    ngx_event_t        timer;
    ngx_event_t        reap;           /* hands finished calls out */
    ngx_queue_t        waiting;        /* sockets without a connection */
    ngx_event_t        retry;
    ngx_uint_t         running;
    ngx_uint_t         most;           /* of running */
    ngx_uint_t         stopping;
} curl_t;


static ngx_int_t setup_easy(CURL *easy, ngx_payments_http_t *http);
static ngx_int_t setup_request(CURL *easy, ngx_payments_http_t *http);
static ngx_int_t setup_headers(CURL *easy, ngx_payments_http_t *http);
static ngx_int_t setup_tls(CURL *easy, ngx_payments_http_t *http);
static char *text_of(ngx_pool_t *pool, pay_str_t s);
static size_t write_callback(char *data, size_t size, size_t n, void *to);
static ngx_int_t grow(ngx_payments_http_t *http, size_t need);
static size_t header_callback(char *data, size_t size, size_t n, void *to);
static ngx_int_t header_value(pay_str_t line, const char *name,
    pay_str_t *value);
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
static pay_sent_t how_far(CURL *easy, CURLcode result);
static const char *failure_name(ngx_payments_http_t *http, CURLcode result);


static curl_t  curl;


ngx_int_t
ngx_payments_curl_start(ngx_cycle_t *cycle)
{
    ngx_memzero(&curl, sizeof(curl_t));

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return NGX_ERROR;
    }

    curl.multi = curl_multi_init();
    if (curl.multi == NULL) {
        return NGX_ERROR;
    }

    curl.log = cycle->log;
    curl.timer.handler = timer_handler;
    curl.timer.log = cycle->log;
    curl.reap.handler = reap_handler;
    curl.reap.log = cycle->log;
    curl.retry.handler = retry_handler;
    curl.retry.log = cycle->log;
    curl.retry.cancelable = 1;
    curl.most = ngx_max(cycle->connection_n / 2, 1);
    ngx_queue_init(&curl.waiting);

    curl_multi_setopt(curl.multi, CURLMOPT_SOCKETFUNCTION, socket_callback);
    curl_multi_setopt(curl.multi, CURLMOPT_TIMERFUNCTION, timer_callback);
    curl_multi_setopt(curl.multi, CURLMOPT_MAXCONNECTS,
                      (long) KEPT_PER_WORKER);

    return NGX_OK;
}


ngx_int_t
ngx_payments_curl_call(ngx_payments_http_t *http)
{
    CURL  *easy;

    if (curl.running >= curl.most) {
        return NGX_BUSY;
    }

    easy = curl_easy_init();
    if (easy == NULL) {
        return NGX_ERROR;
    }

    http->easy = easy;
    http->headers = NULL;
    http->buf = NULL;
    http->len = 0;
    http->size = 0;
    http->too_large = 0;
    http->started = ngx_current_msec;
    ngx_memzero(&http->answer, sizeof(pay_http_answer_t));
    http->answer.retry_after_s = -1;
    http->answer.should_retry = -1;

    /* counted first: the timer that adding it sets must hold a stopping
     * worker back */
    curl.running++;

    if (setup_easy(easy, http) != NGX_OK
        || curl_multi_add_handle(curl.multi, easy) != CURLM_OK)
    {
        curl.running--;
        curl_slist_free_all(http->headers);
        curl_easy_cleanup(easy);
        return NGX_ERROR;
    }

    return NGX_OK;
}


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
    curl_global_cleanup();
    curl.multi = NULL;
}


static ngx_int_t
setup_easy(CURL *easy, ngx_payments_http_t *http)
{
    if (setup_request(easy, http) != NGX_OK
        || setup_headers(easy, http) != NGX_OK
        || setup_tls(easy, http) != NGX_OK)
    {
        return NGX_ERROR;
    }

    curl_easy_setopt(easy, CURLOPT_PRIVATE, http);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NETRC, (long) CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, write_callback);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, http);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, header_callback);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, http);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long) ngx_min(http->psp->connect_timeout,
                                    http->timeout));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long) http->timeout);

    return NGX_OK;
}


static ngx_int_t
setup_request(CURL *easy, ngx_payments_http_t *http)
{
    char                      *url;
    const pay_http_request_t  *request = http->request;

    url = text_of(http->pool, request->url);
    if (url == NULL || curl_easy_setopt(easy, CURLOPT_URL, url) != CURLE_OK) {
        return NGX_ERROR;
    }

    if (!pay_str_is(request->method, "POST")) {
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
        return NGX_OK;
    }

    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     (curl_off_t) request->body.len);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
                     request->body.len ? (char *) request->body.data : "");

    return NGX_OK;
}


static ngx_int_t
setup_headers(CURL *easy, ngx_payments_http_t *http)
{
    unsigned                 i;
    pay_str_t                line;
    ngx_pool_t              *pool = http->pool;
    struct curl_slist       *list, *more;
    const pay_http_field_t  *field;

    /* no "Expect: 100-continue": it would cost a round trip */
    list = curl_slist_append(NULL, "Expect:");
    if (list == NULL) {
        return NGX_ERROR;
    }

    http->headers = list;

    for (i = 0; i < http->request->field_count; i++) {
        field = &http->request->fields[i];
        line.len = field->name.len + 2 + field->value.len;
        line.data = ngx_pnalloc(pool, line.len);
        if (line.data == NULL) {
            return NGX_ERROR;
        }

        (void) ngx_sprintf((u_char *) line.data, "%*s: %*s", field->name.len,
                           field->name.data, field->value.len,
                           field->value.data);

        more = curl_slist_append(list, text_of(pool, line));
        if (more == NULL) {
            return NGX_ERROR;
        }
    }

    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);

    return NGX_OK;
}


static ngx_int_t
setup_tls(CURL *easy, ngx_payments_http_t *http)
{
    const ngx_payments_psp_t  *psp = http->psp;

    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR,
                     ngx_strncmp(psp->base_url.data, "http://", 7) == 0
                     ? "http" : "https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                     (long) CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);

    if (psp->ca_file.len != 0
        && curl_easy_setopt(easy, CURLOPT_CAINFO, (char *) psp->ca_file.data)
           != CURLE_OK)
    {
        return NGX_ERROR;
    }

    if (psp->pinned.len != 0
        && curl_easy_setopt(easy, CURLOPT_PINNEDPUBLICKEY,
                            (char *) psp->pinned.data) != CURLE_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static char *
text_of(ngx_pool_t *pool, pay_str_t s)
{
    char  *text;

    if (s.len != 0 && ngx_strlchr((u_char *) s.data,
                                  (u_char *) s.data + s.len, '\0') != NULL)
    {
        return NULL;
    }

    text = ngx_pnalloc(pool, s.len + 1);
    if (text != NULL) {
        ngx_memcpy(text, s.data, s.len);
        text[s.len] = '\0';
    }

    return text;
}


static size_t
write_callback(char *data, size_t size, size_t n, void *to)
{
    size_t                len = size * n;
    ngx_payments_http_t  *http = to;

    if (len > PAY_HTTP_ANSWER_MAX - http->len) {
        http->too_large = 1;
        return 0;
    }

    if (http->len + len > http->size && grow(http, http->len + len) != NGX_OK)
    {
        return 0;
    }

    ngx_memcpy(http->buf + http->len, data, len);
    http->len += len;

    return len;
}


static ngx_int_t
grow(ngx_payments_http_t *http, size_t need)
{
    u_char  *buf;
    size_t   size;

    size = http->size ? http->size : FIRST_BUFFER;

    while (size < need) {
        size *= 2;
    }

    buf = ngx_pnalloc(http->pool, size);
    if (buf == NULL) {
        return NGX_ERROR;
    }

    if (http->len != 0) {
        ngx_memcpy(buf, http->buf, http->len);
    }

    http->buf = buf;
    http->size = size;

    return NGX_OK;
}


static size_t
header_callback(char *data, size_t size, size_t n, void *to)
{
    int64_t               number;
    pay_str_t             line, value;
    ngx_payments_http_t  *http = to;

    line.len = size * n;
    line.data = (u_char *) data;

    if (header_value(line, "retry-after:", &value) == NGX_OK) {
        number = value.len <= 6 ? ngx_atoi((u_char *) value.data, value.len)
                                : NGX_ERROR;
        http->answer.retry_after_s = number == NGX_ERROR ? -1 : number;

    } else if (header_value(line, "stripe-should-retry:", &value) == NGX_OK) {
        http->answer.should_retry = pay_str_is(value, "true");
    }

    return line.len;
}


static ngx_int_t
header_value(pay_str_t line, const char *name, pay_str_t *value)
{
    size_t         len = ngx_strlen(name);
    const u_char  *p, *last;

    if (line.len < len
        || ngx_strncasecmp((u_char *) line.data, (u_char *) name, len) != 0)
    {
        return NGX_DECLINED;
    }

    p = line.data + len;
    last = line.data + line.len;

    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    while (last > p && last[-1] <= ' ') {
        last--;
    }

    value->data = p;
    value->len = last - p;

    return NGX_OK;
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


static void
timer_handler(ngx_event_t *ev)
{
    socket_action(CURL_SOCKET_TIMEOUT, 0);
}


static void
socket_handler(ngx_event_t *ev)
{
    ngx_connection_t  *c = ev->data;
    watch_t           *w = c->data;

    socket_action(w->fd, ev->write ? CURL_CSELECT_OUT : CURL_CSELECT_IN);
}


static void
socket_action(curl_socket_t fd, int what)
{
    int  running;

    (void) curl_multi_socket_action(curl.multi, fd, what, &running);

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


static void
finish(ngx_payments_http_t *http, CURLcode result)
{
    long               status = 0;
    CURL              *easy = http->easy;
    char              *type = NULL;
    ngx_str_t          copy;
    pay_http_answer_t *answer = &http->answer;

    answer->sent = how_far(easy, result);
    answer->failure = failure_name(http, result);

    if (answer->sent == PAY_ANSWERED) {
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
        answer->status = (unsigned) status;
        answer->body.data = http->buf;
        answer->body.len = http->len;

        if (type != NULL) {
            copy.len = ngx_strlen(type);
            copy.data = ngx_pnalloc(http->pool, copy.len);
            if (copy.data != NULL) {
                ngx_memcpy(copy.data, type, copy.len);
                answer->content_type = ngx_payments_str(copy);
            }
        }
    }

    curl_multi_remove_handle(curl.multi, easy);
    curl_easy_cleanup(easy);
    curl_slist_free_all(http->headers);
    http->easy = NULL;
    curl.running--;

    ngx_payments_count_psp(http->psp->psp.index,
                           answer->failure != NULL ? answer->failure
                           : status >= 400 ? "http-error" : "ok",
                           ngx_current_msec - http->started);

    http->done(http, answer);
}


static pay_sent_t
how_far(CURL *easy, CURLcode result)
{
    long        request = 0;
    curl_off_t  upload = 0;

    if (result == CURLE_OK) {
        return PAY_ANSWERED;
    }

    curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &request);
    curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &upload);

    return request == 0 && upload == 0 ? PAY_SENT_NOTHING : PAY_SENT_SOME;
}


static const char *
failure_name(ngx_payments_http_t *http, CURLcode result)
{
    switch (result) {

    case CURLE_OK:
        return NULL;

    case CURLE_OPERATION_TIMEDOUT:
        return "timeout";

    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
        return "connect";

    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        return "tls";

    case CURLE_WRITE_ERROR:
        return http->too_large ? "too-large" : "memory";

    default:
        return "broken";
    }
}
