/*
 * The result of a call: the answer as it arrives, capped and never
 * decompressed, and how far the call came, by libcurl's own evidence.  Only
 * "the request was not begun" may be sent again without further checks.
 */

#include "io/ngx_payments_curl_answer.h"
#include "io/ngx_payments_curl_peer.h"


#define FIRST_BUFFER  4096
#define FIRST_FINAL   200              /* status; 1xx is no answer */
#define HEADER_MAX    65536            /* bytes of all header lines */
#define DELIVERY_MAX  4096             /* bytes of a storefront's answer */


static size_t max_of(const ngx_payments_http_t *http);
static ngx_int_t keep(ngx_payments_http_t *http, const char *data,
    size_t len);
static ngx_int_t grow(ngx_payments_http_t *http, size_t need);
static ngx_int_t header_value(pay_str_t line, const char *name,
    pay_str_t *value);
static int truth(pay_str_t value, int before);
static pay_reach_t how_far(ngx_payments_http_t *http, CURLcode result);
static pay_reach_t how_far_without(ngx_payments_http_t *http);
static pay_sent_t sent_of(pay_reach_t reach);
static pay_failure_t failure_of(const ngx_payments_http_t *http,
    CURLcode result);


/* Less than `len` back makes libcurl end the call with CURLE_WRITE_ERROR.
 * PAY_HTTP_ANSWER_MAX bounds the memory that a hostile answer costs; nothing
 * is decompressed, so a small body cannot grow. */
size_t
ngx_payments_easy_write(char *data, size_t size, size_t n, void *to)
{
    size_t                room, len = size * n;
    ngx_payments_http_t  *http = to;

    if (http->sink != NULL) {
        return http->sink(http, data, len) == NGX_OK ? len : 0;
    }

    room = max_of(http) - http->len;

    if (len > room && http->call == PAY_CALL_DELIVERY) {
        http->cut = keep(http, data, room) == NGX_OK;
        return 0;
    }

    if (len > room) {
        http->too_large = 1;
        return 0;
    }

    return keep(http, data, len) == NGX_OK ? len : 0;
}


static ngx_int_t
keep(ngx_payments_http_t *http, const char *data, size_t len)
{
    if (http->len + len > http->size && grow(http, http->len + len) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_memcpy(http->buf + http->len, data, len);
    http->len += len;

    return NGX_OK;
}


static size_t
max_of(const ngx_payments_http_t *http)
{
    return http->call == PAY_CALL_SETTLEMENT ? PAY_HTTP_SETTLE_MAX
           : http->call == PAY_CALL_DELIVERY ? DELIVERY_MAX
                                             : PAY_HTTP_ANSWER_MAX;
}


/* Only the fields that say when to repeat are read.  A line is not ended by a
 * NUL.  libcurl 7.88 keeps all lines, however many there are. */
size_t
ngx_payments_easy_header(char *data, size_t size, size_t n, void *to)
{
    int64_t               number;
    pay_str_t             line, value;
    ngx_payments_http_t  *http = to;
    pay_http_answer_t    *answer = &http->answer;

    line.len = size * n;
    line.data = (u_char *) data;
    http->header_len += line.len;

    if (http->header_len > HEADER_MAX) {
        http->too_large = 1;
        return 0;
    }

    /* not each line: trailers come after the body */
    if (ngx_strncmp(line.data, "HTTP/", ngx_min(line.len, 5)) == 0) {
        http->headed = 0;
        ngx_payments_easy_peer(http);

    } else if (line.len <= 2) {
        http->headed = 1;
    }

    if (header_value(line, "retry-after:", &value) == NGX_OK) {
        number = value.len <= 6 ? ngx_atoi((u_char *) value.data, value.len)
                                : NGX_ERROR;
        answer->retry_after_s = number == NGX_ERROR ? -1 : number;

    } else if (header_value(line, "stripe-should-retry:", &value) == NGX_OK
               || header_value(line, "transient-error:", &value) == NGX_OK)
    {
        answer->should_retry = truth(value, answer->should_retry);
    }

    return line.len;
}


/* A body is handed out only when it is whole; a status also without one, since
 * it says that the PSP has answered this copy. */
void
ngx_payments_easy_answer(ngx_payments_http_t *http, CURLcode result)
{
    long                status = 0;
    char               *type = NULL;
    curl_off_t          later = 0;             /* Retry-After as a date, too */
    ngx_str_t           copy;
    pay_http_answer_t  *answer = &http->answer;

    curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);

    if (result == CURLE_WRITE_ERROR && http->cut) {
        result = CURLE_OK;
    }

    /* libcurl calls it an answer when the header was cut off */
    if (result == CURLE_OK && (!http->headed || status < FIRST_FINAL)) {
        result = CURLE_RECV_ERROR;
    }

    if (http->call == PAY_CALL_DELIVERY && answer->retry_after_s == -1) {
        curl_easy_getinfo(http->easy, CURLINFO_RETRY_AFTER, &later);
        answer->retry_after_s = later > 0 ? later : -1;
    }

    answer->reach = how_far(http, result);
    answer->sent = sent_of(answer->reach);
    answer->failure = failure_of(http, result);

    http->unheard += http->begun > 1 ? http->begun - 1 : 0;
    answer->unheard = http->unheard;

    if (answer->reach >= PAY_REACH_STATUS) {
        answer->status = (unsigned) status;
    }

    if (answer->reach != PAY_REACH_COMPLETE) {
        return;
    }

    curl_easy_getinfo(http->easy, CURLINFO_CONTENT_TYPE, &type);
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


/* The buffer doubles, in the call's pool: pieces that were outgrown stay there
 * until the flow ends. */
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


/* The name is given with its colon; NGX_DECLINED: another field. */
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


/* A value that is neither changes nothing. */
static int
truth(pay_str_t value, int before)
{
    if (pay_str_is(value, "true")) {
        return 1;
    }

    return pay_str_is(value, "false") ? 0 : before;
}


/* The furthest that any try of this call has come: libcurl sends a request
 * once more when a kept connection turns out to be dead.  What went to a
 * proxy, or into a handshake, is none of the request.  A copy that was begun
 * before makes even "nothing written" uncertain: the first one may have been
 * read. */
static pay_reach_t
how_far(ngx_payments_http_t *http, CURLcode result)
{
    long        status = 0, request = 0;
    curl_off_t  upload = 0;

    if (result == CURLE_OK) {
        return PAY_REACH_COMPLETE;
    }

    if (!http->begun) {
        return how_far_without(http);
    }

    curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);

    if (status >= FIRST_FINAL) {
        return PAY_REACH_STATUS;
    }

    curl_easy_getinfo(http->easy, CURLINFO_REQUEST_SIZE, &request);
    curl_easy_getinfo(http->easy, CURLINFO_SIZE_UPLOAD_T, &upload);

    return request == 0 && upload == 0 && http->begun == 1
           ? PAY_REACH_TLS : PAY_REACH_WRITTEN;
}


/* The request was never begun.  A time that is 0 never came: libcurl rounds
 * what takes less than a microsecond up.  Its connect time waits for TLS; the
 * connections made are counted when TCP stands.  Connected to a proxy is not
 * connected: its tunnel must stand. */
static pay_reach_t
how_far_without(ngx_payments_http_t *http)
{
    long        connected = 0, tunnel = 0;
    curl_off_t  resolved = 0, verified = 0;

    if (http->private_address) {
        return PAY_REACH_NOTHING;
    }

    curl_easy_getinfo(http->easy, CURLINFO_NAMELOOKUP_TIME_T, &resolved);
    curl_easy_getinfo(http->easy, CURLINFO_NUM_CONNECTS, &connected);
    curl_easy_getinfo(http->easy, CURLINFO_APPCONNECT_TIME_T, &verified);
    curl_easy_getinfo(http->easy, CURLINFO_HTTP_CONNECTCODE, &tunnel);

    if (connected == 0 || (http->psp->proxy.len != 0 && tunnel / 100 != 2)) {
        return resolved != 0 ? PAY_REACH_RESOLVED : PAY_REACH_NOTHING;
    }

    return verified != 0 ? PAY_REACH_TLS : PAY_REACH_CONNECTED;
}


/* From WRITTEN on the PSP may have the request: such a call is never repeated
 * under a new key. */
static pay_sent_t
sent_of(pay_reach_t reach)
{
    if (reach == PAY_REACH_COMPLETE) {
        return PAY_ANSWERED;
    }

    return reach >= PAY_REACH_WRITTEN ? PAY_SENT_SOME : PAY_SENT_NOTHING;
}


/* The name for metrics and logs; whether a call may be repeated is decided by
 * `sent`, never by this. */
static pay_failure_t
failure_of(const ngx_payments_http_t *http, CURLcode result)
{
    if (result != CURLE_OK && !http->begun && http->private_address) {
        return PAY_FAILURE_PRIVATE_ADDRESS;
    }

    switch (result) {

    case CURLE_OK:
        return PAY_FAILURE_NONE;

    case CURLE_OPERATION_TIMEDOUT:
        return PAY_FAILURE_TIMEOUT;

    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
        return PAY_FAILURE_CONNECT;

    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        return PAY_FAILURE_TLS;

    case CURLE_WRITE_ERROR:
        return http->too_large ? PAY_FAILURE_TOO_LARGE : PAY_FAILURE_MEMORY;

    default:
        /* for example, the proxy has refused the tunnel */
        return http->begun ? PAY_FAILURE_BROKEN : PAY_FAILURE_CONNECT;
    }
}
