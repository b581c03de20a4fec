/*
 * Access tokens of the PSPs and pay-out providers that need one (OAuth2 client
 * credentials), for each of them and each worker.  One call at a time requests
 * it, and other calls wait for it
 * meanwhile; it is renewed while the old one still serves.  Tokens stay in this
 * file's memory, are wiped when their time is over, and never logged.
 *
 *     no token ─ask─▶ asked ─▶ keep ─▶ token ─renew─▶ ask (the old one serves)
 *        ▲  └ calls wait  └▶ failed: pause 1 s              │
 *        └───────────────── ends, or 401: wiped ◀───────────┘
 */

#include "io/ngx_payments_oauth.h"
#include "io/ngx_payments_attempt.h"
#include "util/ngx_payments_memory.h"

#include <openssl/crypto.h>


#define WAITERS_MAX     512
#define POOL_SIZE       4096
#define LIFETIME_MAX_S  86400
#define MARGIN_MS       60000                    /* before the end */
#define PAUSE_MS        1000                     /* after a failure */
#define SCHEME          "Bearer "
#define SCHEME_LEN      (sizeof(SCHEME) - 1)
#define AUTHS_MAX       (NGX_PAYMENTS_PSPS_MAX + PAY_PAYOUT_PROVIDERS_MAX)


/* Without a token `len` is 0.  `pool` is set while a request for one is under
 * way; calls wait only then.  `http` and `request` are of the question; times
 * are in ngx_current_msec. */
typedef struct {
    ngx_payments_http_t   http;
    pay_http_request_t    request;
    ngx_pool_t           *pool;
    ngx_queue_t           waiting;
    ngx_uint_t            waiters;
    ngx_event_t           timer;                 /* of the first to give up */
    ngx_msec_t            ends;
    ngx_msec_t            renew;
    ngx_msec_t            pause;                 /* no question before it */
    size_t                len;
    u_char                token[PAY_PSP_AUTH_MAX];
} auth_t;


static auth_t *auth_of(const ngx_payments_psp_t *psp);
static ngx_int_t field_of(const auth_t *auth, ngx_pool_t *pool,
    pay_str_t *field);
static ngx_int_t ask(auth_t *auth, const ngx_payments_psp_t *psp);
static pay_status_t make_request(pay_arena_t *arena,
    const ngx_payments_psp_t *psp, pay_http_request_t *request);
static void asked(ngx_payments_http_t *http);
static ngx_int_t keep(auth_t *auth, const pay_http_answer_t *answer);
static pay_status_t read_answer(pay_arena_t *arena,
    const ngx_payments_psp_t *psp, const pay_http_answer_t *answer,
    pay_psp_auth_t *fresh);
static ngx_uint_t token_is_plain(pay_str_t token);
static void close_question(auth_t *auth, ngx_uint_t ok);
static void wait_for(auth_t *auth, ngx_payments_oauth_wait_t *wait);
static void give_up(ngx_event_t *ev);
static void wake(auth_t *auth, ngx_uint_t ok, ngx_uint_t late);
static void set_timer(auth_t *auth);
static ngx_uint_t is_past(ngx_msec_t time);
static void wipe(auth_t *auth);


/* More than a megabyte of zeros, of which the kernel gives memory to those
 * pages alone that are written: those of PSPs that want a token. */
static auth_t  auths[AUTHS_MAX];


ngx_uint_t
ngx_payments_oauth_is_wanted(const ngx_payments_psp_t *psp)
{
    return psp->payout != NULL
           ? (ngx_uint_t) pay_payout_wants_token(psp->payout)
           : psp->psp.adapter != NULL
             && psp->psp.adapter->auth_request != NULL;
}


/* While a token serves, a renewal that fails delays no call.  Without one the
 * first call asks, and those that follow wait for the same answer. */
ngx_int_t
ngx_payments_oauth_get(const ngx_payments_psp_t *psp, ngx_pool_t *pool,
    pay_str_t *field, ngx_payments_oauth_wait_t *wait)
{
    auth_t  *auth = auth_of(psp);

    if (auth->len != 0 && is_past(auth->ends)) {
        wipe(auth);
    }

    if (auth->len != 0) {
        if (is_past(auth->renew) && auth->pool == NULL
            && is_past(auth->pause))
        {
            /* for the next ones: the old one is good still */
            (void) ask(auth, psp);
        }

        return field_of(auth, pool, field);
    }

    if (auth->waiters == WAITERS_MAX) {
        return NGX_BUSY;
    }

    if (auth->pool == NULL
        && (!is_past(auth->pause) || ask(auth, psp) != NGX_OK))
    {
        return NGX_DECLINED;
    }

    wait_for(auth, wait);

    return NGX_AGAIN;
}


/* Compared in constant time, as secrets are. */
void
ngx_payments_oauth_forget(const ngx_payments_psp_t *psp, pay_str_t field)
{
    auth_t     *auth = auth_of(psp);
    pay_str_t   token;

    if (field.len <= SCHEME_LEN) {
        return;
    }

    token.data = field.data + SCHEME_LEN;
    token.len = field.len - SCHEME_LEN;

    /* another call may have fetched a new one since */
    if (token.len == auth->len
        && CRYPTO_memcmp(token.data, auth->token, token.len) == 0)
    {
        wipe(auth);
    }
}


/* A timer that is wiped while it is set breaks nginx's tree of timers, which
 * others may still take theirs out of. */
void
ngx_payments_oauth_stop(void)
{
    ngx_uint_t  i;

    for (i = 0; i < AUTHS_MAX; i++) {
        if (auths[i].timer.timer_set) {
            ngx_del_timer(&auths[i].timer);
        }

        if (auths[i].waiting.next != NULL) {
            OPENSSL_cleanse(&auths[i], sizeof(auth_t));
        }
    }
}


/* Made on first use: an index is a PSP or a provider of this configuration, and
 * the process has one configuration. */
static auth_t *
auth_of(const ngx_payments_psp_t *psp)
{
    auth_t  *auth = &auths[psp->psp.index];

    if (auth->waiting.next == NULL) {
        ngx_queue_init(&auth->waiting);
        auth->timer.handler = give_up;
        auth->timer.data = auth;
        auth->timer.log = ngx_cycle->log;
        auth->pause = ngx_current_msec;
    }

    return auth;
}


/* A copy in the call's pool: the token may be wiped meanwhile, and
 * oauth_forget() compares the copy with it. */
static ngx_int_t
field_of(const auth_t *auth, ngx_pool_t *pool, pay_str_t *field)
{
    u_char  *p;

    p = ngx_pnalloc(pool, SCHEME_LEN + auth->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    field->data = p;
    field->len = SCHEME_LEN + auth->len;
    p = ngx_cpymem(p, SCHEME, SCHEME_LEN);
    ngx_memcpy(p, auth->token, auth->len);

    return NGX_OK;
}


/* The question goes through attempt(), so it counts for the PSP's circuit as
 * any call does. */
static ngx_int_t
ask(auth_t *auth, const ngx_payments_psp_t *psp)
{
    pay_arena_t  arena;

    auth->pool = ngx_create_pool(POOL_SIZE, ngx_cycle->log);
    if (auth->pool == NULL) {
        return NGX_ERROR;
    }

    arena = ngx_payments_arena(auth->pool);
    ngx_memzero(&auth->http, sizeof(ngx_payments_http_t));

    auth->http.request = &auth->request;
    auth->http.psp = psp;
    auth->http.call = PAY_CALL_AUTH;
    auth->http.deadline = ngx_current_msec + psp->total_timeout;
    auth->http.pool = auth->pool;
    auth->http.finished = asked;
    auth->http.data = auth;

    if (make_request(&arena, psp, &auth->request) == PAY_OK
        && ngx_payments_attempt(&auth->http) == NGX_OK)
    {
        return NGX_OK;
    }

    close_question(auth, 0);

    return NGX_ERROR;
}


static pay_status_t
make_request(pay_arena_t *arena, const ngx_payments_psp_t *psp,
    pay_http_request_t *request)
{
    pay_payout_account_t  account;

    if (psp->payout == NULL) {
        return psp->psp.adapter->auth_request(arena, &psp->psp.account,
                                              request);
    }

    ngx_memzero(&account, sizeof(pay_payout_account_t));
    account.call = psp->psp.account;

    return pay_payout_auth_request(arena, psp->payout, &account, request);
}


/* A failure is answered to all that wait: each of them fails as "nothing was
 * sent". */
static void
asked(ngx_payments_http_t *http)
{
    auth_t                   *auth = http->data;
    ngx_uint_t                ok;
    const pay_http_answer_t  *answer = &http->answer;

    ngx_payments_attempt_end(http);

    ok = keep(auth, answer) == NGX_OK;

    if (!ok) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "payments: the psp gives no access token, psp:%V, "
                      "why:%s, status:%ui",
                      &ngx_payments_nstr(http->psp->psp.name),
                      answer->failure != PAY_FAILURE_NONE
                      ? pay_failure_name(answer->failure) : "answer",
                      (ngx_uint_t) answer->status);
    }

    close_question(auth, ok);

    /* a renewal that failed leaves the old one to those who come */
    wake(auth, ok, 0);
}


/* The token is renewed a fifth of its life before its end, or a minute if that
 * is more and less than half of its life.  The adapter's copy is wiped as soon
 * as ours is made. */
static ngx_int_t
keep(auth_t *auth, const pay_http_answer_t *answer)
{
    int64_t          life_ms, early_ms;
    pay_arena_t      arena = ngx_payments_arena(auth->pool);
    pay_psp_auth_t   fresh;

    ngx_memzero(&fresh, sizeof(pay_psp_auth_t));

    if (read_answer(&arena, auth->http.psp, answer, &fresh) != PAY_OK
        || !token_is_plain(fresh.token) || fresh.lifetime_s <= 0)
    {
        return NGX_ERROR;
    }

    life_ms = 1000 * ngx_min(fresh.lifetime_s, LIFETIME_MAX_S);
    early_ms = life_ms / 5;

    /* of a short life a minute would be too much */
    if (early_ms < MARGIN_MS && MARGIN_MS < life_ms / 2) {
        early_ms = MARGIN_MS;
    }

    wipe(auth);
    ngx_memcpy(auth->token, fresh.token.data, fresh.token.len);
    auth->len = fresh.token.len;
    auth->ends = ngx_current_msec + (ngx_msec_t) life_ms;
    auth->renew = auth->ends - (ngx_msec_t) early_ms;

    OPENSSL_cleanse((u_char *) fresh.token.data, fresh.token.len);

    return NGX_OK;
}


static pay_status_t
read_answer(pay_arena_t *arena, const ngx_payments_psp_t *psp,
    const pay_http_answer_t *answer, pay_psp_auth_t *fresh)
{
    return psp->payout != NULL
           ? pay_payout_auth_answer(arena, psp->payout, answer, fresh)
           : psp->psp.adapter->auth_answer(arena, answer, fresh);
}


/* It becomes a header field: nothing that could end one.  A PSP must not add
 * fields to our requests. */
static ngx_uint_t
token_is_plain(pay_str_t token)
{
    size_t  i;

    for (i = 0; i < token.len; i++) {
        if (token.data[i] <= ' ' || token.data[i] > '~') {
            return 0;
        }
    }

    return token.len != 0 && token.len <= PAY_PSP_AUTH_MAX;
}


/* The answer's buffer held the token in clear text; pools are freed without
 * being wiped. */
static void
close_question(auth_t *auth, ngx_uint_t ok)
{
    if (auth->http.size != 0) {
        OPENSSL_cleanse(auth->http.buf, auth->http.size);
    }

    if (!ok) {
        auth->pause = ngx_current_msec + PAUSE_MS;
    }

    ngx_destroy_pool(auth->pool);
    auth->pool = NULL;
}


/* The wait is the caller's memory, in its call. */
static void
wait_for(auth_t *auth, ngx_payments_oauth_wait_t *wait)
{
    ngx_queue_insert_tail(&auth->waiting, &wait->queue);
    auth->waiters++;
    set_timer(auth);
}


/* The question goes on: its answer serves calls to come. */
static void
give_up(ngx_event_t *ev)
{
    wake(ev->data, 0, 1);
}


/* Takes out all waiting calls, or those alone whose time is over, before it
 * answers any: a call that is answered may come back and wait again. */
static void
wake(auth_t *auth, ngx_uint_t ok, ngx_uint_t late)
{
    ngx_queue_t                told, *q, *next;
    ngx_payments_oauth_wait_t  *wait;

    ngx_queue_init(&told);

    for (q = ngx_queue_head(&auth->waiting);
         q != ngx_queue_sentinel(&auth->waiting);
         q = next)
    {
        next = ngx_queue_next(q);
        wait = ngx_queue_data(q, ngx_payments_oauth_wait_t, queue);

        if (!late || is_past(wait->deadline)) {
            ngx_queue_remove(q);
            ngx_queue_insert_tail(&told, q);
            auth->waiters--;
        }
    }

    set_timer(auth);

    while (!ngx_queue_empty(&told)) {
        q = ngx_queue_head(&told);
        ngx_queue_remove(q);
        wait = ngx_queue_data(q, ngx_payments_oauth_wait_t, queue);
        wait->ready(wait, ok);
    }
}


/* The timer is set for the first deadline of all, whatever the order in which
 * they came. */
static void
set_timer(auth_t *auth)
{
    ngx_msec_t                 first = 0;
    ngx_queue_t               *q;
    ngx_payments_oauth_wait_t  *wait;

    if (auth->timer.timer_set) {
        ngx_del_timer(&auth->timer);
    }

    for (q = ngx_queue_head(&auth->waiting);
         q != ngx_queue_sentinel(&auth->waiting);
         q = ngx_queue_next(q))
    {
        wait = ngx_queue_data(q, ngx_payments_oauth_wait_t, queue);

        /* a call has its deadline before it waits */
        if (q == ngx_queue_head(&auth->waiting)
            /* NOLINTNEXTLINE(clang-analyzer-core.Undefined*) */
            || (ngx_msec_int_t) (wait->deadline - first) < 0)
        {
            first = wait->deadline;
        }
    }

    if (!ngx_queue_empty(&auth->waiting)) {
        ngx_add_timer(&auth->timer,
                      is_past(first) ? 1 : first - ngx_current_msec);
    }
}


static ngx_uint_t
is_past(ngx_msec_t time)
{
    return (ngx_msec_int_t) (time - ngx_current_msec) <= 0;
}


/* Only the bytes that were used; the length says that there is no token. */
static void
wipe(auth_t *auth)
{
    OPENSSL_cleanse(auth->token, auth->len);
    auth->len = 0;
}
