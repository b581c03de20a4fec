/*
 * A call to a PSP with all that belongs to it: the access token where the PSP
 * wants one, the circuit and the cap of calls in flight, the metrics.  An
 * answer 401 to an access token is without effect (the PSP has not looked at
 * the request), so the call is made once more at once with a new token.
 */

#include "util/ngx_http_payments.h"


#define BUSY_RETRY_S  1


static ngx_int_t call_start(ngx_payments_http_t *http);
static void authorized(ngx_payments_auth_wait_t *wait, ngx_uint_t ok);
static ngx_int_t call_send(ngx_payments_http_t *http);
static ngx_int_t begin_health(ngx_payments_http_t *http);
static void call_finished(ngx_payments_http_t *http);
static void end_health(ngx_payments_http_t *http);
static ngx_uint_t says_nothing(const ngx_payments_http_t *http);
static ngx_uint_t call_repeat(ngx_payments_http_t *http);
static ngx_int_t refuse(ngx_payments_http_t *http, pay_failure_t why,
    int64_t retry_after_s);
static ngx_uint_t is_over(const ngx_payments_http_t *http);


ngx_int_t
ngx_payments_psp_call(ngx_payments_http_t *http)
{
    http->deadline = ngx_current_msec + http->timeout;
    http->repeated = 0;
    http->unheard = 0;
    http->authorization.len = 0;
    http->finished = call_finished;

    return call_start(http);
}


static ngx_int_t
call_start(ngx_payments_http_t *http)
{
    if (http->call == PAY_CALL_AUTH || http->call == PAY_CALL_CERTIFICATE
        || http->psp->psp.adapter->auth_request == NULL)
    {
        return call_send(http);
    }

    http->wait.deadline = http->deadline;
    http->wait.ready = authorized;
    http->wait.data = http;

    switch (ngx_payments_auth_get(http->psp, http->pool, &http->authorization,
                                  &http->wait))
    {

    case NGX_OK:
        return call_send(http);

    case NGX_AGAIN:
        return NGX_OK;

    case NGX_BUSY:
        return refuse(http, PAY_FAILURE_BUSY, BUSY_RETRY_S);

    case NGX_DECLINED:
        return refuse(http, PAY_FAILURE_AUTH, -1);

    default:
        return refuse(http, PAY_FAILURE_MEMORY, -1);
    }
}


static void
authorized(ngx_payments_auth_wait_t *wait, ngx_uint_t ok)
{
    ngx_int_t             rc;
    ngx_payments_http_t  *http = wait->data;

    rc = ok && !is_over(http) ? call_start(http)
                              : refuse(http, PAY_FAILURE_AUTH, -1);

    if (rc != NGX_OK) {
        http->done(http, &http->answer);
    }
}


static ngx_int_t
call_send(ngx_payments_http_t *http)
{
    ngx_int_t  rc;

    rc = begin_health(http);
    if (rc != NGX_OK) {
        return rc;
    }

    http->timeout = http->deadline - ngx_current_msec;

    rc = ngx_payments_curl_call(http);
    if (rc == NGX_OK) {
        return NGX_OK;
    }

    if (http->call != PAY_CALL_CERTIFICATE) {
        ngx_payments_health_forget(http->psp);
    }

    return rc == NGX_BUSY ? refuse(http, PAY_FAILURE_BUSY, BUSY_RETRY_S)
                          : refuse(http, PAY_FAILURE_MEMORY, -1);
}


static ngx_int_t
begin_health(ngx_payments_http_t *http)
{
    if (http->call == PAY_CALL_CERTIFICATE) {
        return NGX_OK;
    }

    switch (ngx_payments_health_begin(http->psp, http->can_wait)) {

    case NGX_OK:
        return NGX_OK;

    case NGX_BUSY:
        return refuse(http, PAY_FAILURE_BUSY, BUSY_RETRY_S);

    default:
        return refuse(http, PAY_FAILURE_CIRCUIT_OPEN,
                      (http->psp->breaker.open_ms + 999) / 1000);
    }
}


static void
call_finished(ngx_payments_http_t *http)
{
    pay_http_answer_t  *answer = &http->answer;

    end_health(http);

    ngx_payments_count_psp(http, ngx_current_msec - http->started);

    if (answer->sent == PAY_ANSWERED && answer->status == 401
        && http->authorization.len != 0 && call_repeat(http))
    {
        return;
    }

    http->done(http, answer);
}


static void
end_health(ngx_payments_http_t *http)
{
    pay_http_answer_t  *answer = &http->answer;

    if (http->call == PAY_CALL_CERTIFICATE) {
        return;
    }

    if (says_nothing(http)) {
        ngx_payments_health_forget(http->psp);
        return;
    }

    ngx_payments_health_end(http->psp, answer->sent == PAY_ANSWERED
                                       && answer->status < 500,
                            ngx_current_msec - http->started);
}


/* Our own shortage, of memory or of patience: a request that the PSP has and
 * that was given less than its total= (a buyer waits, or a token came late).
 * Else whoever reloads a return page of a slow PSP opens its circuit. */
static ngx_uint_t
says_nothing(const ngx_payments_http_t *http)
{
    pay_failure_t  failure = http->answer.failure;

    return failure == PAY_FAILURE_MEMORY
           || (failure == PAY_FAILURE_TIMEOUT && http->begun
               && http->timeout < http->psp->total_timeout);
}


/* 1: under way again.  0: the answer stays what it is, a 401 or, when a new
 * token cannot be had, what is said of that; both are without effect. */
static ngx_uint_t
call_repeat(ngx_payments_http_t *http)
{
    ngx_payments_auth_forget(http->psp, http->authorization);

    if (http->repeated || is_over(http)) {
        return 0;
    }

    http->repeated = 1;
    http->authorization.len = 0;

    return call_start(http) == NGX_OK;
}


/* Nothing was sent this time; counted, too. */
static ngx_int_t
refuse(ngx_payments_http_t *http, pay_failure_t why, int64_t retry_after_s)
{
    pay_http_answer_t  *answer = &http->answer;

    ngx_memzero(answer, sizeof(pay_http_answer_t));
    answer->sent = PAY_SENT_NOTHING;
    answer->failure = why;
    answer->retry_after_s = retry_after_s;
    answer->should_retry = -1;
    answer->unheard = http->unheard;

    ngx_payments_count_psp(http, 0);

    return NGX_DECLINED;
}


static ngx_uint_t
is_over(const ngx_payments_http_t *http)
{
    return (ngx_msec_int_t) (http->deadline - ngx_current_msec) <= 0;
}
