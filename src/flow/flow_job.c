/*
 * A claimed background job: go on with a registration whose outcome is not
 * known (same nonce), or ask the PSP how a pending payment stands.  Unknown
 * is never failed: only the PSP's word or the end of the checkout's life ends
 * it, and a hosted page that nobody was ever shown cannot be paid.
 */

#include "flow_util.h"


#define POLL_FIRST_MS   5000
#define POLL_MAX_MS     300000
#define EXPIRY_GRACE_S  900
#define NO_PSP_MS       60000


typedef struct {
    pay_str_t         kind;
    pay_str_t         owner;
    int64_t           attempts;
    pay_register_t    reg;             /* its checkout is the job's */
    pay_ask_t         ask;
    int               expiring;
} job_t;


static pay_status_t job_start(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t job_stored(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t job_polled(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t job_applied(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t job_end(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t give_up(pay_flow_t *flow, job_t *job,
    pay_effect_t *effect);
static pay_status_t start_poll(pay_flow_t *flow, job_t *job,
    const pay_event_t *event, pay_effect_t *effect);
static int may_capture(const job_t *job, int64_t now_s);
static int lingers(const job_t *job);
static int must_expire(const job_t *job, int64_t now_s);
static pay_status_t apply(pay_flow_t *flow, job_t *job, const char *source,
    const pay_psp_event_t *fact, pay_effect_t *effect);
static pay_status_t again(pay_flow_t *flow, job_t *job, int64_t delay_ms,
    const char *code, pay_effect_t *effect);
static int64_t poll_delay_ms(const job_t *job, int64_t now_s);


pay_status_t
pay_flow_job(pay_flow_t *flow, const pay_value_t *row, pay_str_t owner)
{
    job_t  *job;

    job = pay_calloc(flow->arena, sizeof(job_t));
    if (job == NULL) {
        return PAY_NO_MEMORY;
    }

    job->owner = owner;
    job->attempts = row[1].number;
    PAY_TRY(pay_dup(flow->arena, row[0].bytes, &job->kind));
    PAY_TRY(pay_checkout_decode(flow->arena, row + 2, &job->reg.checkout));

    job->reg.psp = pay_flow_psp(flow, job->reg.checkout.psp);
    flow->name = "job";
    flow->state = job;
    flow->step = job_start;
    pay_flow_note(flow, &job->reg.checkout);

    return PAY_OK;
}


static pay_status_t
job_start(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    int     registering;
    job_t  *job = flow->state;

    registering = pay_str_is(job->kind, "register");

    /* needs no PSP: nothing is sent any more */
    if (registering && event->now_s >= job->reg.checkout.expires_s) {
        return give_up(flow, job, effect);
    }

    if (registering) {
        job->reg.done = job_stored;
        return pay_register_start(flow, &job->reg, effect);
    }

    if (job->reg.psp == NULL) {
        return again(flow, job, NO_PSP_MS, "psp_not_configured", effect);
    }

    if (pay_str_is(job->kind, "poll")) {
        return start_poll(flow, job, event, effect);
    }

    return PAY_BUG;
}


/* store_token and store_no_token have moved the job on themselves; after a
 * failed one the lease runs out and another worker starts over. */
static pay_status_t
job_stored(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    flow->outcome = event->kind == PAY_EVENT_ROW ? "stored" : "not-stored";
    pay_do_done(effect, NULL);

    return PAY_OK;
}


static pay_status_t
job_polled(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    job_t            *job = flow->state;
    pay_psp_event_t  *fact = &job->ask.fact;

    if (!job->ask.known) {
        return again(flow, job, poll_delay_ms(job, event->now_s),
                     "no_answer", effect);
    }

    if (fact->fact != PAY_FACT_NONE) {
        return apply(flow, job, "query", fact, effect);
    }

    if (must_expire(job, event->now_s)) {
        job->expiring = 1;
        return pay_ask_expire(flow, &job->ask, effect);
    }

    if (event->now_s > job->reg.checkout.expires_s + EXPIRY_GRACE_S
        && !lingers(job))
    {
        /* the PSP was asked and still calls it open: its time is over */
        fact->fact = PAY_FACT_EXPIRED;
        fact->token = job->reg.checkout.token;
        fact->has_amount = 0;

        return apply(flow, job, "gateway", fact, effect);
    }

    return again(flow, job, poll_delay_ms(job, event->now_s), "open", effect);
}


static pay_status_t
job_applied(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    job_t  *job = flow->state;

    if (event->kind == PAY_EVENT_DB_FAILED) {
        return job_end(flow, event, effect);
    }

    /* a final state has dropped the job; a mismatch waits for people */
    return again(flow, job, poll_delay_ms(job, event->now_s), "applied",
                 effect);
}


static pay_status_t
job_end(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    if (event->kind == PAY_EVENT_DB_FAILED) {
        flow->outcome = "not-stored";
    }

    pay_do_done(effect, NULL);

    return PAY_OK;
}


/* No token was ever stored, so no buyer saw a page: it cannot be paid. */
static pay_status_t
give_up(pay_flow_t *flow, job_t *job, pay_effect_t *effect)
{
    pay_value_t  *v;

    v = pay_calloc(flow->arena, 7 * sizeof(pay_value_t));
    if (v == NULL) {
        return PAY_NO_MEMORY;
    }

    v[0] = pay_value_text(job->reg.checkout.merchant_id);
    v[1] = pay_value_text(job->reg.checkout.checkout_id);
    v[2] = pay_value_text(job->reg.checkout.psp);
    v[3] = pay_value_text(PAY_STR("expired"));
    v[4] = pay_value_text(PAY_STR("expired_unregistered"));
    v[5] = pay_value_int(0);
    v[6] = pay_value_text(flow->request_id);

    pay_do_db(flow, effect, PAY_OP_STORE_NO_TOKEN, v, job_stored);

    return PAY_OK;
}


static pay_status_t
start_poll(pay_flow_t *flow, job_t *job, const pay_event_t *event,
    pay_effect_t *effect)
{
    job->ask.checkout = &job->reg.checkout;
    job->ask.psp = job->reg.psp;
    job->ask.done = job_polled;
    job->ask.may_capture = may_capture(job, event->now_s);

    return pay_ask_start(flow, &job->ask, effect);
}


/* The buyer has approved in time; an order that has failed stays so. */
static int
may_capture(const job_t *job, int64_t now_s)
{
    return now_s < job->reg.checkout.expires_s + EXPIRY_GRACE_S
           && pay_checkout_state(&job->reg.checkout) == PAY_EXECUTING;
}


/* Its page stays open until the PSP is told to close it. */
static int
lingers(const job_t *job)
{
    const pay_psp_adapter_t  *adapter = job->reg.psp->adapter;

    return (adapter->traits & PAY_PSP_LINGERS)
           && (adapter->changes & PAY_PSP_CAN(PAY_PSP_EXPIRE));
}


static int
must_expire(const job_t *job, int64_t now_s)
{
    return lingers(job) && !job->expiring
           && now_s >= job->reg.checkout.expires_s;
}


static pay_status_t
apply(pay_flow_t *flow, job_t *job, const char *source,
    const pay_psp_event_t *fact, pay_effect_t *effect)
{
    const pay_value_t  *args;

    PAY_TRY(pay_event_args(flow, job->reg.psp, source, fact, PAY_STR(""),
                           &args));
    pay_do_db(flow, effect, PAY_OP_APPLY_EVENT, args, job_applied);

    return PAY_OK;
}


static pay_status_t
again(pay_flow_t *flow, job_t *job, int64_t delay_ms, const char *code,
    pay_effect_t *effect)
{
    pay_value_t  *v;

    v = pay_calloc(flow->arena, 6 * sizeof(pay_value_t));
    if (v == NULL) {
        return PAY_NO_MEMORY;
    }

    v[0] = pay_value_text(job->reg.checkout.merchant_id);
    v[1] = pay_value_text(job->reg.checkout.checkout_id);
    v[2] = pay_value_text(job->kind);
    v[3] = pay_value_text(job->owner);
    v[4] = pay_value_int(delay_ms);
    v[5] = pay_value_text(pay_str_of(code));

    flow->outcome = code;
    pay_do_db(flow, effect, PAY_OP_FINISH_JOB, v, job_end);

    return PAY_OK;
}


/* Often at first, seldom later, and soon after the page's life is over. */
static int64_t
poll_delay_ms(const job_t *job, int64_t now_s)
{
    int64_t  delay_ms, left_ms;

    delay_ms = job->attempts >= 7 ? POLL_MAX_MS
                                  : (int64_t) POLL_FIRST_MS
                                    << (job->attempts < 0 ? 0
                                        : job->attempts);
    if (delay_ms > POLL_MAX_MS) {
        delay_ms = POLL_MAX_MS;
    }

    left_ms = (job->reg.checkout.expires_s + EXPIRY_GRACE_S + 1 - now_s) * 1000;

    return left_ms > 0 && left_ms < delay_ms ? left_ms : delay_ms;
}
