/*
 * A call to a PSP with all that belongs to it: the access token where the PSP
 * wants one, and the attempts.  An answer 401 to an access token is without
 * effect (the PSP has not looked at the request), so the call is made once more
 * at once with a new token.
 *
 *     psp_call ─▶ token? ─▶ attempt ─▶ finished ─▶ done
 *                  │ ▲        ▲            │
 *                  ▼ │        └── once ────┘ 401: forget the token
 *              wait for a token
 */

#include "io/ngx_payments_psp.h"
#include "io/ngx_payments_attempt.h"


#define BUSY_RETRY_S  1


static ngx_int_t call_start(ngx_payments_http_t *http);
static void authorized(ngx_payments_oauth_wait_t *wait, ngx_uint_t ok);
static void call_finished(ngx_payments_http_t *http);
static ngx_uint_t call_repeat(ngx_payments_http_t *http);
static ngx_uint_t is_over(const ngx_payments_http_t *http);


/* One deadline for all of it: waiting for a token and a second attempt take
 * from the same time. */
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


/* A question for a token needs none itself. */
static ngx_int_t
call_start(ngx_payments_http_t *http)
{
    if (http->call == PAY_CALL_AUTH || pay_call_is_aside(http->call)
        || !ngx_payments_oauth_is_wanted(http->psp))
    {
        return ngx_payments_attempt(http);
    }

    http->wait.deadline = http->deadline;
    http->wait.ready = authorized;
    http->wait.data = http;

    switch (ngx_payments_oauth_get(http->psp, http->pool, &http->authorization,
                                   &http->wait))
    {

    case NGX_OK:
        return ngx_payments_attempt(http);

    case NGX_AGAIN:
        return NGX_OK;

    case NGX_BUSY:
        return ngx_payments_attempt_refuse(http, PAY_FAILURE_BUSY,
                                           BUSY_RETRY_S);

    case NGX_DECLINED:
        return ngx_payments_attempt_refuse(http, PAY_FAILURE_AUTH, -1);

    default:
        return ngx_payments_attempt_refuse(http, PAY_FAILURE_MEMORY, -1);
    }
}


/* Called from the token's answer: the call may begin only now, so a refusal,
 * too, goes through `done`. */
static void
authorized(ngx_payments_oauth_wait_t *wait, ngx_uint_t ok)
{
    ngx_int_t             rc;
    ngx_payments_http_t  *http = wait->data;

    rc = ok && !is_over(http)
         ? call_start(http)
         : ngx_payments_attempt_refuse(http, PAY_FAILURE_AUTH, -1);

    if (rc != NGX_OK) {
        http->done(http, &http->answer);
    }
}


/* 401 counts only when we had sent an access token; PSPs with a static key use
 * it for a wrong key, where a second attempt changes nothing. */
static void
call_finished(ngx_payments_http_t *http)
{
    pay_http_answer_t  *answer = &http->answer;

    ngx_payments_attempt_end(http);

    if (answer->sent == PAY_ANSWERED && answer->status == 401
        && http->authorization.len != 0 && call_repeat(http))
    {
        return;
    }

    http->done(http, answer);
}


/* 1: under way again.  0: the answer stays what it is, a 401 or, when a new
 * token cannot be had, what is said of that; both are without effect. */
static ngx_uint_t
call_repeat(ngx_payments_http_t *http)
{
    ngx_payments_oauth_forget(http->psp, http->authorization);

    if (http->repeated || is_over(http)) {
        return 0;
    }

    http->repeated = 1;
    http->authorization.len = 0;

    return call_start(http) == NGX_OK;
}


static ngx_uint_t
is_over(const ngx_payments_http_t *http)
{
    return (ngx_msec_int_t) (http->deadline - ngx_current_msec) <= 0;
}
