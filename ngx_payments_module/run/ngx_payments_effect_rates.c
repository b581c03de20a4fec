/*
 * Reads a source of rates, from its URL or its file.  A file is read here, at
 * once: it is small, and no request waits for it.
 *
 * A document of rates is no call to a PSP: no circuit, no access token, no
 * copies to count, so it goes to libcurl directly.
 */

#include "run/ngx_payments_effect_rates.h"
#include "io/ngx_payments_curl.h"
#include "pay_rates.h"


static ngx_int_t fetch(ngx_payments_flow_t *flow,
    const ngx_payments_rates_t *rates);
static void fetched(ngx_payments_http_t *http);
static void read_file(ngx_payments_flow_t *flow, ngx_str_t *name,
    pay_input_t *input);
static pay_failure_t read_all(ngx_pool_t *pool, ngx_fd_t fd, pay_input_t *input,
    pay_str_t *bytes);
static void answer_with(pay_http_answer_t *answer, pay_failure_t failure,
    pay_str_t body);


/* The same kind of input for both ways, so the core's flow cannot tell a file
 * from a server. */
ngx_int_t
ngx_payments_effect_rates(ngx_payments_flow_t *flow, pay_effect_t *effect,
    pay_input_t *input)
{
    pay_str_t               none = PAY_STR("");
    ngx_payments_rates_t   *rates;
    ngx_payments_rates_t  **sources = flow->pmcf->rates.elts;

    rates = sources[effect->rates->index];

    ngx_memzero(input, sizeof(pay_input_t));
    input->kind = PAY_INPUT_HTTP;
    input->answer = &flow->http.answer;

    if (rates->file.len != 0) {
        read_file(flow, &rates->file, input);
        return NGX_OK;
    }

    switch (fetch(flow, rates)) {

    case NGX_OK:
        return NGX_AGAIN;

    case NGX_BUSY:
        answer_with(&flow->http.answer, PAY_FAILURE_BUSY, none);
        return NGX_OK;

    default:
        answer_with(&flow->http.answer, PAY_FAILURE_MEMORY, none);
        return NGX_OK;
    }
}


/* NGX_OK: under way; NGX_BUSY, NGX_ERROR: nothing was sent.  libcurl copies
 * all that it needs of the request, which lives on this stack. */
static ngx_int_t
fetch(ngx_payments_flow_t *flow, const ngx_payments_rates_t *rates)
{
    ngx_int_t             rc;
    pay_http_request_t    request;
    ngx_payments_http_t  *http = &flow->http;

    ngx_memzero(http, sizeof(ngx_payments_http_t));
    ngx_memzero(&request, sizeof(pay_http_request_t));

    request.method = PAY_STR("GET");
    request.url = ngx_payments_str(rates->client.base_url);
    request.fields[0].name = PAY_STR("Accept");
    request.fields[0].value = PAY_STR("application/json");
    request.field_count = 1;

    http->request = &request;
    http->psp = &rates->client;
    http->call = PAY_CALL_RATES;
    http->pool = flow->pool;
    http->data = flow;
    http->timeout = rates->client.total_timeout;
    http->finished = fetched;

    rc = ngx_payments_curl_call(http);
    http->request = NULL;

    return rc;
}


/* Whatever came, the core judges it: status, size and content. */
static void
fetched(ngx_payments_http_t *http)
{
    pay_input_t           input;
    ngx_payments_flow_t  *flow = http->data;

    ngx_memzero(&input, sizeof(pay_input_t));
    input.kind = PAY_INPUT_HTTP;
    input.answer = &http->answer;

    flow->step(flow, &input);
}


/* A file answers as a server would.  The age of a file is that of its last
 * change, since no header says it. */
static void
read_file(ngx_payments_flow_t *flow, ngx_str_t *name, pay_input_t *input)
{
    ngx_fd_t     fd;
    pay_str_t    bytes = PAY_STR("");
    pay_failure_t  failure;

    /* neither a FIFO nor a terminal stops the worker */
    fd = open((const char *) name->data,
              O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd == NGX_INVALID_FILE) {
        failure = ngx_errno == NGX_ENOENT ? PAY_FAILURE_NO_FILE
                                          : PAY_FAILURE_UNREADABLE;

    } else {
        failure = read_all(flow->pool, fd, input, &bytes);
        (void) ngx_close_file(fd);
    }

    answer_with(&flow->http.answer, failure, bytes);
}


/* PAY_FAILURE_NONE, or why not; a file that is written at this moment may be
 * anything.  The size is bounded before memory is taken, and again while
 * reading, as the file may grow between the two. */
static pay_failure_t
read_all(ngx_pool_t *pool, ngx_fd_t fd, pay_input_t *input, pay_str_t *bytes)
{
    u_char           *buf;
    size_t            len = 0;
    ssize_t           n;
    ngx_file_info_t   fi;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR || !ngx_is_file(&fi)) {
        return PAY_FAILURE_UNREADABLE;
    }

    if (ngx_file_size(&fi) > PAY_RATES_DOCUMENT_MAX) {
        return PAY_FAILURE_TOO_LARGE;
    }

    buf = ngx_pnalloc(pool, PAY_RATES_DOCUMENT_MAX);
    if (buf == NULL) {
        return PAY_FAILURE_MEMORY;
    }

    do {
        n = read(fd, buf + len, PAY_RATES_DOCUMENT_MAX - len);

        if (n < 0) {
            return PAY_FAILURE_UNREADABLE;
        }

        len += n;
    } while (n > 0 && len < PAY_RATES_DOCUMENT_MAX);

    input->age_ms = (int64_t) ngx_max(ngx_time() - ngx_file_mtime(&fi), 0)
                    * 1000;
    bytes->data = buf;
    bytes->len = len;

    return PAY_FAILURE_NONE;
}


/* Failures of a file have names of their own (no-file, unreadable), so that
 * the log tells an operator where to look. */
static void
answer_with(pay_http_answer_t *answer, pay_failure_t failure, pay_str_t body)
{
    ngx_memzero(answer, sizeof(pay_http_answer_t));
    answer->failure = failure;
    answer->retry_after_s = -1;
    answer->should_retry = -1;

    if (failure == PAY_FAILURE_NONE) {
        answer->sent = PAY_ANSWERED;
        answer->reach = PAY_REACH_COMPLETE;
        answer->status = NGX_HTTP_OK;
        answer->body = body;
    }
}
