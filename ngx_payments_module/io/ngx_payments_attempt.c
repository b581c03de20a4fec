/*
 * One attempt of a call to a PSP: the circuit and the cap of calls in flight in
 * front of it, the metrics behind it.
 */

#include "io/ngx_payments_attempt.h"
#include "io/ngx_payments_curl.h"
#include "shm/ngx_payments_count.h"
#include "shm/ngx_payments_health.h"


#define BUSY_RETRY_S  1


static void count(const ngx_payments_http_t *http, ngx_msec_t ms);
static ngx_int_t begin_health(ngx_payments_http_t *http);
static void end_health(ngx_payments_http_t *http);
static ngx_uint_t says_nothing(const ngx_payments_http_t *http);


/* The timeout is the rest of the time until the deadline: libcurl takes 0 for
 * no limit.  A place that health_begin() has given is returned on every way. */
ngx_int_t
ngx_payments_attempt(ngx_payments_http_t *http)
{
    ngx_int_t  rc;

    http->timeout = http->deadline - ngx_current_msec;

    if ((ngx_msec_int_t) http->timeout <= 0) {
        return ngx_payments_attempt_refuse(http, PAY_FAILURE_TIMEOUT, -1);
    }

    rc = begin_health(http);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_payments_curl_call(http);
    if (rc == NGX_OK) {
        return NGX_OK;
    }

    if (!pay_call_is_aside(http->call)) {
        ngx_payments_health_forget(http->psp);
    }

    return rc == NGX_BUSY
           ? ngx_payments_attempt_refuse(http, PAY_FAILURE_BUSY, BUSY_RETRY_S)
           : ngx_payments_attempt_refuse(http, PAY_FAILURE_MEMORY, -1);
}


/* Before anything else is done with the answer, so that the place is free for
 * a second attempt. */
void
ngx_payments_attempt_end(ngx_payments_http_t *http)
{
    end_health(http);

    http->answer.took_ms = (int64_t) (ngx_current_msec - http->started);
    count(http, ngx_current_msec - http->started);
}


/* Nothing was sent this time; counted, too. */
ngx_int_t
ngx_payments_attempt_refuse(ngx_payments_http_t *http, pay_failure_t why,
    int64_t retry_after_s)
{
    pay_http_answer_t  *answer = &http->answer;

    ngx_memzero(answer, sizeof(pay_http_answer_t));
    answer->sent = PAY_SENT_NOTHING;
    answer->failure = why;
    answer->retry_after_s = retry_after_s;
    answer->should_retry = -1;
    answer->unheard = http->unheard;

    count(http, 0);

    return NGX_DECLINED;
}


/* Deliveries and questions about risk go to no PSP and have counters of their
 * own. */
static void
count(const ngx_payments_http_t *http, ngx_msec_t ms)
{
    if (http->call != PAY_CALL_DELIVERY && http->call != PAY_CALL_RISK) {
        ngx_payments_count_psp(http->psp, http->call, &http->answer, ms,
                               http->request_id, http->trace_id);
    }
}


/* An answer of another server says nothing about the API. */
static ngx_int_t
begin_health(ngx_payments_http_t *http)
{
    if (pay_call_is_aside(http->call)) {
        return NGX_OK;
    }

    switch (ngx_payments_health_begin(http->psp, http->can_wait)) {

    case NGX_OK:
        return NGX_OK;

    case NGX_BUSY:
        return ngx_payments_attempt_refuse(http, PAY_FAILURE_BUSY,
                                           BUSY_RETRY_S);

    default:
        return ngx_payments_attempt_refuse(http, PAY_FAILURE_CIRCUIT_OPEN,
                                           (http->psp->breaker.open_ms + 999)
                                           / 1000);
    }
}


/* An answer below 500 is a healthy PSP's, whatever it says. */
static void
end_health(ngx_payments_http_t *http)
{
    pay_http_answer_t  *answer = &http->answer;

    if (pay_call_is_aside(http->call)) {
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
 * Else a buyer who reloads the return page of a slow PSP opens its circuit. */
static ngx_uint_t
says_nothing(const ngx_payments_http_t *http)
{
    pay_failure_t  failure = http->answer.failure;

    return failure == PAY_FAILURE_MEMORY
           || (failure == PAY_FAILURE_TIMEOUT && http->begun
               && http->timeout < http->psp->total_timeout);
}
