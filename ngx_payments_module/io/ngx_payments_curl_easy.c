/*
 * One call as libcurl wants it: method, fields, trust.
 *
 * Rules kept here: https only (http for a loopback address), no redirects,
 * verified chain and host, TLS 1.2 or newer, pins on top, and no connection
 * to an address that is no public host's.
 */

#include "io/ngx_payments_curl_easy.h"
#include "io/ngx_payments_curl_answer.h"
#include "io/ngx_payments_curl_fields.h"
#include "util/ngx_payments_memory.h"

#include <arpa/inet.h>

#include "pay_address.h"


/* of an answer at a time: each call that waits keeps it, answers are short */
#define READ_SIZE  1024
/* of a body that is handed on as it comes */
#define SINK_SIZE  65536
/* of a request that goes over TLS, libcurl's least; it would be 64 kB */
#define SEND_SIZE  16384
#define LOOKS      64                  /* at calls that send, in one turn */


static ngx_int_t setup_easy(CURL *easy, ngx_payments_http_t *http);
static ngx_uint_t pays_out(const ngx_payments_http_t *http);
static ngx_int_t setup_request(CURL *easy, ngx_payments_http_t *http);
static ngx_int_t setup_body(CURL *easy, ngx_payments_http_t *http);
static ngx_int_t setup_tls(CURL *easy, ngx_payments_http_t *http);
static ngx_uint_t is_plain(const ngx_payments_http_t *http);
static ngx_int_t trust_only(CURL *easy, CURLoption cafile, CURLoption capath,
    const ngx_str_t *file);
static ngx_int_t setup_proxy(CURL *easy, const ngx_payments_psp_t *psp);
static char *text_of(pay_str_t s);
static curl_socket_t open_callback(void *data, curlsocktype purpose,
    struct curl_sockaddr *address);
static int begin_callback(void *data, char *address, char *local, int port,
    int local_port);
static ngx_uint_t may_connect(const ngx_payments_http_t *http,
    const u_char *bytes, size_t len);
static ngx_uint_t is_loopback(const u_char *bytes, size_t len);


/* TLS sessions with PSPs.  A handle makes one call, so each alone would keep
 * its session in vain, in 900 bytes of its own.  libcurl resumes one only where
 * host, port and all that is verified are the same. */
static CURLSH       *shared;
/* Calls whose request has begun and may not be sent as a whole. */
static ngx_queue_t   sending;


ngx_int_t
ngx_payments_easy_start(void)
{
    ngx_queue_init(&sending);
    shared = curl_share_init();

    return shared != NULL
           && curl_share_setopt(shared, CURLSHOPT_SHARE,
                                CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK
           ? NGX_OK : NGX_ERROR;
}


void
ngx_payments_easy_stop(void)
{
    curl_share_cleanup(shared);
}


/* One handle for each call and no reuse: nothing of one PSP's call can be left
 * over in another's.  Connections are kept by the multi handle, so they are
 * used again all the same. */
ngx_int_t
ngx_payments_easy_create(ngx_payments_http_t *http)
{
    http->headers = NULL;
    http->body_len = 0;
    http->buf = NULL;
    http->len = 0;
    http->size = 0;
    http->header_len = 0;
    http->too_large = 0;
    http->cut = 0;
    http->begun = 0;
    http->sending = 0;
    http->headed = 0;
    http->private_address = 0;
    ngx_memzero(&http->answer, sizeof(pay_http_answer_t));
    http->answer.retry_after_s = -1;
    http->answer.should_retry = -1;

    http->easy = curl_easy_init();
    if (http->easy == NULL) {
        return NGX_ERROR;
    }

    if (setup_easy(http->easy, http) != NGX_OK) {
        ngx_payments_easy_destroy(http);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* Takes the call out of the list of senders, or drop_sent() would touch a
 * handle that is gone. */
void
ngx_payments_easy_destroy(ngx_payments_http_t *http)
{
    if (http->sending) {
        ngx_queue_remove(&http->queue);
        http->sending = 0;
    }

    curl_easy_cleanup(http->easy);
    ngx_free(http->headers);
    http->easy = NULL;
    http->headers = NULL;
}


/* libcurl copies a body that goes over TLS or HTTP/2 into a buffer of SEND_SIZE
 * and would keep that until the answer.  Setting its size frees it, and libcurl
 * makes another one if it needs it again.  When all of the body was taken by
 * the connection, nothing is left in the buffer. */
void
ngx_payments_easy_drop_sent(void)
{
    ngx_uint_t            looks;
    curl_off_t            sent;
    ngx_queue_t          *q;
    ngx_payments_http_t  *http;

    for (looks = LOOKS; looks > 0 && !ngx_queue_empty(&sending); looks--) {
        q = ngx_queue_head(&sending);
        http = ngx_queue_data(q, ngx_payments_http_t, queue);
        /* the debug build's NULL is of the element that has left:
         * NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
        ngx_queue_remove(q);

        sent = 0;
        curl_easy_getinfo(http->easy, CURLINFO_SIZE_UPLOAD_T, &sent);

        if (sent < (curl_off_t) http->body_len) {
            ngx_queue_insert_tail(&sending, q);
            continue;
        }

        http->sending = 0;
        curl_easy_setopt(http->easy, CURLOPT_UPLOAD_BUFFERSIZE,
                         (long) SEND_SIZE);
    }
}


/* No signals, since libcurl would use SIGALRM; no .netrc, which could hold
 * credentials; no redirects, which could lead the call to another host
 * (T18). */
static ngx_int_t
setup_easy(CURL *easy, ngx_payments_http_t *http)
{
    if (setup_request(easy, http) != NGX_OK
        || ngx_payments_easy_fields(easy, http) != NGX_OK
        || setup_tls(easy, http) != NGX_OK
        || setup_proxy(easy, http->psp) != NGX_OK)
    {
        return NGX_ERROR;
    }

    curl_easy_setopt(easy, CURLOPT_PRIVATE, http);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_SHARE, shared);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE,
                     (long) (http->sink != NULL ? SINK_SIZE : READ_SIZE));
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long) SEND_SIZE);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_NETRC, (long) CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_callback);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, http);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, begin_callback);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, http);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ngx_payments_easy_write);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, http);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION,
                     ngx_payments_easy_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, http);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long) ngx_min(http->psp->connect_timeout,
                                    http->timeout));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long) http->timeout);
    /* a look-up that lasts longer ends without us: libcurl would wait for its
     * thread, and the worker with it */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, (long) pays_out(http));

    return NGX_OK;
}


/* Pay-outs take no kept connection: when one dies before the first byte of an
 * answer, libcurl sends the request again by itself, and not each provider
 * dedupes (docs/payout-providers.md#tipalti). */
static ngx_uint_t
pays_out(const ngx_payments_http_t *http)
{
    return http->call == PAY_CALL_PAYOUT_SEND
           || http->call == PAY_CALL_PAYOUT_CANCEL;
}


/* A DELETE has no body; any other method but GET is a POST with another
 * name. */
static ngx_int_t
setup_request(CURL *easy, ngx_payments_http_t *http)
{
    char                      *url, *method;
    const pay_http_request_t  *request = http->request;

    url = text_of(request->url);
    if (url == NULL || curl_easy_setopt(easy, CURLOPT_URL, url) != CURLE_OK) {
        return NGX_ERROR;
    }

    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);

    if (pay_str_is(request->method, "GET")) {
        return NGX_OK;
    }

    if (!pay_str_is(request->method, "DELETE")
        && setup_body(easy, http) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (pay_str_is(request->method, "POST")) {
        return NGX_OK;
    }

    method = text_of(request->method);

    return method != NULL
           && curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method)
              == CURLE_OK
           ? NGX_OK : NGX_ERROR;
}


/* The body is not copied: it is in the memory of the call's owner and outlives
 * the call. */
static ngx_int_t
setup_body(CURL *easy, ngx_payments_http_t *http)
{
    pay_str_t  body = http->request->body;

    http->body_len = body.len;

    return curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK
           && curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                               (curl_off_t) body.len) == CURLE_OK
           && curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
                               body.len ? (char *) body.data : "")
              == CURLE_OK
           ? NGX_OK : NGX_ERROR;
}


/* A plain http base_url is possible for a loopback address only, which conf/
 * has checked.  With ca_file= the system's CAs count no more. */
static ngx_int_t
setup_tls(CURL *easy, ngx_payments_http_t *http)
{
    ngx_uint_t                 plain;
    const ngx_payments_psp_t  *psp = http->psp;

    plain = is_plain(http);

    if (curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, plain ? "http" : "https")
        != CURLE_OK)
    {
        return NGX_ERROR;
    }

    /* without CURLOPT_PIPEWAIT: what waits for another call's connection is
     * under no timeout of libcurl 7.88 */
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                     (long) CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);

    if ((plain || psp->ca_file.len != 0)
        && trust_only(easy, CURLOPT_CAINFO, CURLOPT_CAPATH, &psp->ca_file)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* a pin is the API's, which others need not have */
    if (psp->pinned.len != 0 && !pay_call_is_aside(http->call)
        && curl_easy_setopt(easy, CURLOPT_PINNEDPUBLICKEY,
                            (char *) psp->pinned.data) != CURLE_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* A certificate's address is a stranger's word: never.  The URL of a delivery
 * was judged by its flow. */
static ngx_uint_t
is_plain(const ngx_payments_http_t *http)
{
    pay_str_t  url = http->call == PAY_CALL_CONFIRM
                     || http->call == PAY_CALL_DELIVERY
                     ? http->request->url
                     : ngx_payments_str(http->psp->base_url);

    return http->call != PAY_CALL_CERTIFICATE && url.len > 7
           && ngx_strncmp(url.data, "http://", 7) == 0;
}


/* The system's directory of CAs is libcurl's default, beside any file. */
static ngx_int_t
trust_only(CURL *easy, CURLoption cafile, CURLoption capath,
    const ngx_str_t *file)
{
    return curl_easy_setopt(easy, capath, NULL) == CURLE_OK
           && curl_easy_setopt(easy, cafile,
                               file->len ? (char *) file->data : NULL)
              == CURLE_OK
           ? NGX_OK : NGX_ERROR;
}


/* Through the proxy's tunnel the PSP's own certificate is verified as without
 * one.  The environment's proxies are never taken. */
static ngx_int_t
setup_proxy(CURL *easy, const ngx_payments_psp_t *psp)
{
    if (curl_easy_setopt(easy, CURLOPT_PROXY,
                         psp->proxy.len ? (char *) psp->proxy.data : "")
        != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_NOPROXY, "") != CURLE_OK)
    {
        return NGX_ERROR;
    }

    if ((psp->proxy.len == 0 || psp->ca_file.len != 0)
        && trust_only(easy, CURLOPT_PROXY_CAINFO, CURLOPT_PROXY_CAPATH,
                      &psp->ca_file) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (psp->proxy.len == 0) {
        return NGX_OK;
    }

    curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_PROXY_SSLVERSION,
                     (long) CURL_SSLVERSION_TLSv1_2);

    return NGX_OK;
}


/* libcurl copies it. */
static char *
text_of(pay_str_t s)
{
    char        *text;
    ngx_pool_t  *pool = ngx_payments_scratch();

    if (!ngx_payments_easy_is_text(s)) {
        return NULL;
    }

    text = pool != NULL ? ngx_pnalloc(pool, s.len + 1) : NULL;
    if (text != NULL) {
        ngx_memcpy(text, s.data, s.len);
        text[s.len] = '\0';
    }

    return text;
}


/* The address is what the name has resolved to, just now: no later answer of
 * a name server changes where this socket goes. */
static curl_socket_t
open_callback(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
    size_t                len = 0;
    const u_char         *bytes = NULL;
    struct sockaddr      *sa = &address->addr;
    ngx_payments_http_t  *http = data;

    if (address->family == AF_INET) {
        bytes = (u_char *) &((struct sockaddr_in *) (void *) sa)->sin_addr;
        len = 4;
    }

#if (NGX_HAVE_INET6)
    if (address->family == AF_INET6) {
        bytes = (u_char *) &((struct sockaddr_in6 *) (void *) sa)->sin6_addr;
        len = 16;
    }
#endif

    if (purpose != CURLSOCKTYPE_IPCXN || !may_connect(http, bytes, len)) {
        http->private_address = 1;
        return CURL_SOCKET_BAD;
    }

    return socket(address->family, address->socktype | SOCK_CLOEXEC,
                  address->protocol);
}


/* The connection stands, certificate and pin are right: the request's first
 * byte is next.  libcurl calls this anew for each copy that it sends by itself,
 * when a kept connection has died or HTTP/2 has refused the stream.  A kept
 * connection may have been another PSP's, who may go where this one may not. */
static int
begin_callback(void *data, char *address, char *local, int port,
    int local_port)
{
    u_char                bytes[16];
    size_t                len;
    ngx_payments_http_t  *http = data;

    (void) local;
    (void) port;
    (void) local_port;

    len = inet_pton(AF_INET, address, bytes) == 1 ? 4
          : inet_pton(AF_INET6, address, bytes) == 1 ? 16 : 0;

    if (!may_connect(http, bytes, len)) {
        http->private_address = 1;
        return CURL_PREREQFUNC_ABORT;
    }

    http->begun++;

    /* without a body nothing says when the header has gone */
    if (!http->sending && http->body_len != 0) {
        http->sending = 1;
        ngx_queue_insert_tail(&sending, &http->queue);
    }

    return CURL_PREREQFUNC_OK;
}


/* With a proxy it is the proxy's address, which is configuration; where the
 * tunnel leads is the proxy's to judge.  The URL of an endpoint is a
 * storefront's: where this machine is allowed, the private network is not. */
static ngx_uint_t
may_connect(const ngx_payments_http_t *http, const u_char *bytes, size_t len)
{
    const ngx_payments_psp_t  *psp = http->psp;

    return psp->allow_private || psp->proxy.len != 0
           || (psp->loopback && http->call != PAY_CALL_CERTIFICATE
               && (http->call != PAY_CALL_DELIVERY
                   || is_loopback(bytes, len)))
           || !pay_address_is_special(bytes, len);
}


static ngx_uint_t
is_loopback(const u_char *bytes, size_t len)
{
    static const u_char  v6[16] = { [15] = 1 };

    return (len == 4 && bytes[0] == 127)
           || (len == sizeof(v6) && ngx_memcmp(bytes, v6, sizeof(v6)) == 0);
}
