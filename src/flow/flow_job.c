/*
 * A claimed background job: it goes on with a registration whose outcome is not
 * known (same nonce), searches for it when its key window is over, or queries
 * the PSP about a pending payment.  flow_refund.c has refunds of late payments,
 * flow_change_job.c changes.  Unknown is never failed: only the PSP's answer or
 * the end of the checkout's life ends a registration, and a hosted page that no
 * buyer was ever shown cannot be paid.
 *
 *    claim_jobs ─┬─ register ─▶ PSP ─▶ store_token or store_no_token
 *                ├─ find ─────▶ PSP's search ─▶ store_token or store_no_token
 *                ├─ over ─────▶ store_no_token (expired)
 *                ├─ replace ──▶ release_replacement ─▶ as register
 *                ├─ poll ─────▶ query ─▶ apply_event ─▶ finish_job
 *                ├─ refund ───▶ flow_refund.c ─▶ finish_job
 *                └─ change ───▶ flow_change_job.c ─▶ finish_job
 */

#include "flow_util.h"


/* Seconds after expires_s in which a payment that began in time may still
 * arrive.  A checkout that the PSP calls open after them has expired. */
#define EXPIRY_GRACE_S  900
/* Milliseconds between queries about money that is held: only a capture or a
 * cancellation moves it, and both have jobs of their own. */
#define REST_MS         (3600 * INT64_C(1000))


static pay_status_t job_start(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t job_stored(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t job_released(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t job_polled(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t job_attempt_told(pay_flow_t *flow,
    const pay_input_t *input, pay_effect_t *effect);
static pay_status_t poll_open(pay_flow_t *flow, pay_job_t *job, int64_t now_s,
    pay_effect_t *effect);
static pay_status_t job_applied(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t give_up(pay_flow_t *flow, pay_job_t *job,
    pay_effect_t *effect);
static pay_status_t start_poll(pay_flow_t *flow, pay_job_t *job,
    const pay_input_t *input, pay_effect_t *effect);
static int may_capture(const pay_job_t *job, int64_t now_s);
static int lingers(const pay_job_t *job);
static int must_expire(const pay_job_t *job, int64_t now_s);
static pay_status_t apply(pay_flow_t *flow, pay_job_t *job, const char *source,
    const pay_psp_event_t *fact, pay_effect_t *effect);
static pay_status_t look_again(pay_flow_t *flow, pay_job_t *job, int64_t now_s,
    int answered, const char *code, pay_effect_t *effect);
static pay_status_t last_look(pay_flow_t *flow, pay_job_t *job,
    int64_t delay_s, pay_effect_t *effect);
static int64_t last_look_left_s(const pay_job_t *job, int64_t now_s);


static const pay_flow_type_t  job_type = {
    .name = "job", .start = job_start,
    .clock = PAY_CLOCK_STEADY, .needs_health = 1, .tally = PAY_TALLY_JOBS
};


/* Copies the row into the flow: it is freed after this call, the flow lives
 * until the job is given back.  `owner` is the worker's and outlives the
 * flow. */
pay_status_t
pay_flow_job(pay_flow_t *flow, const pay_job_row_t *row, pay_str_t owner)
{
    pay_job_t  *job;

    job = pay_calloc(flow->arena, sizeof(pay_job_t));
    if (job == NULL) {
        return PAY_NO_MEMORY;
    }

    job->owner = owner;
    job->attempts = row->attempts;
    job->reg.looks = row->attempts;
    PAY_TRY(pay_dup(flow->arena, row->kind, &job->kind));
    PAY_TRY(pay_dup(flow->arena, row->operation_id, &job->operation_id));
    PAY_TRY(pay_dup(flow->arena, row->reference, &job->reference));
    PAY_TRY(pay_checkout_decode(flow->arena, &row->checkout,
                                &job->reg.checkout));

    job->reg.psp = pay_flow_psp(flow, job->reg.checkout.psp);
    pay_flow_begin(flow, &job_type, job);
    pay_flow_note(flow, &job->reg.checkout);

    return PAY_OK;
}


/* The first step: the kind under which claim_jobs handed the job out
 * decides, not the flow's clock. A job whose PSP left the configuration
 * waits for the operator to bring it back. */
static pay_status_t
job_start(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    int         finding, registering;
    pay_job_t  *job = flow->state;

    finding = pay_str_is(job->kind, "find");
    registering = finding || pay_str_is(job->kind, "register");

    /* PostgreSQL's clock says that the registration has expired, so no call
     * is journaled.  The PSP is not called even if our clock is behind. */
    if (pay_str_is(job->kind, "over")) {
        return give_up(flow, job, effect);
    }

    if (pay_str_is(job->kind, "replace")) {
        return pay_release(flow, &job->reg.checkout, effect, job_released);
    }

    if (registering) {
        job->reg.done = job_stored;
        return finding ? pay_register_find(flow, &job->reg, effect)
                       : pay_register_start(flow, &job->reg, effect);
    }

    if (job->reg.psp == NULL) {
        return pay_job_finish(flow, job, &(pay_job_end_t) {
            pay_retry_ms(NULL, PAY_RETRY_POLL, 0, -1, PAY_STR("")),
            "psp_not_configured", NULL }, effect);
    }

    if (pay_str_is(job->kind, "refund")) {
        return pay_refund_start(flow, job, effect);
    }

    if (pay_str_is(job->kind, "change")) {
        return pay_change_job_start(flow, job, effect);
    }

    return pay_str_is(job->kind, "poll") ? start_poll(flow, job, input, effect)
                                         : PAY_BUG;
}


/* store_token and store_no_token have moved the job on themselves; after a
 * failed one the lease runs out and another worker starts over. */
static pay_status_t
job_stored(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    flow->outcome = input->kind == PAY_INPUT_ROW ? "stored" : "not-stored";
    pay_do_done(effect, NULL);

    return PAY_OK;
}


/* release_replacement has already postponed or ended a checkout that still
 * waits, or that will never be registered. */
static pay_status_t
job_released(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_job_t  *job = flow->state;

    if (input->result.outcome != PAY_OUTCOME_RELEASED) {
        return job_stored(flow, input, effect);
    }

    PAY_TRY(pay_checkout_decode(flow->arena, pay_row_checkout(&input->result),
                                &job->reg.checkout));
    job->reg.psp = pay_flow_psp(flow, job->reg.checkout.psp);
    job->reg.looks = 0;
    job->reg.done = job_stored;

    return pay_register_start(flow, &job->reg, effect);
}


/* The PSP's answer to the query. A declined attempt is stored and does not end
 * the payment; a fact is applied; an open payment is looked at again.  An
 * answer that cannot be read is none: the job comes again, and counts it. */
static pay_status_t
job_polled(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_job_t        *job = flow->state;
    pay_psp_event_t  *fact = &job->ask.fact;

    if (!job->ask.known) {
        return look_again(flow, job, input->now_s, 0, "no_answer", effect);
    }

    if (fact->fact == PAY_FACT_ATTEMPT) {
        return pay_do_event(flow, job->reg.psp, "query", fact, PAY_STR(""),
                            effect, job_attempt_told);
    }

    if (pay_psp_event_says(fact)) {
        return apply(flow, job, "query", fact, effect);
    }

    return poll_open(flow, job, input->now_s, effect);
}


/* A declined attempt was stored.  The page lives on, since the buyer may try
 * another card, and ends like any other. */
static pay_status_t
job_attempt_told(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    pay_job_t  *job = flow->state;

    if (input->kind == PAY_INPUT_DB_FAILED) {
        return pay_job_ended(flow, input, effect);
    }

    job->ask.fact.fact = PAY_FACT_NONE;

    return poll_open(flow, job, input->now_s, effect);
}


/* The PSP calls the payment open. Past its end the page is closed (PSPs
 * whose pages do not end by themselves), queried a last time, or the
 * checkout is ended by the gateway's clock. */
static pay_status_t
poll_open(pay_flow_t *flow, pay_job_t *job, int64_t now_s,
    pay_effect_t *effect)
{
    pay_psp_event_t  *fact = &job->ask.fact;

    if (must_expire(job, now_s)) {
        job->expiring = 1;
        return pay_ask_expire(flow, &job->ask, effect);
    }

    if (last_look_left_s(job, now_s) > 0) {
        return last_look(flow, job, last_look_left_s(job, now_s),
                         effect);
    }

    if (now_s > job->reg.checkout.expires_s + EXPIRY_GRACE_S
        && !lingers(job)
        && pay_checkout_state(&job->reg.checkout) != PAY_FAILED)
    {
        /* the PSP was asked and still calls it open: its time is over */
        fact->fact = PAY_FACT_EXPIRED;
        fact->token = job->reg.checkout.token;
        fact->has_amount = 0;
        job->ended = 1;

        return apply(flow, job, "gateway", fact, effect);
    }

    return look_again(flow, job, now_s, 1, "open", effect);
}


/* apply_event has stored the fact. After the gateway has ended a checkout
 * itself one more query follows, since the PSP has not confirmed the end. */
static pay_status_t
job_applied(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_job_t  *job = flow->state;

    if (input->kind == PAY_INPUT_DB_FAILED) {
        return pay_job_ended(flow, input, effect);
    }

    if (job->ended) {
        PAY_TRY(pay_checkout_decode(flow->arena,
                                    pay_row_checkout(&input->result),
                                    &job->reg.checkout));

        if (pay_checkout_state(&job->reg.checkout) == PAY_FAILED
            && job->reg.psp->last_look_s > 0)
        {
            return last_look(flow, job, job->reg.psp->last_look_s, effect);
        }
    }

    /* a final state has deleted the job; a mismatch waits for an operator */
    return look_again(flow, job, input->now_s, 1, "applied", effect);
}


/* No token was ever stored, so no buyer saw a page: it cannot be paid. */
static pay_status_t
give_up(pay_flow_t *flow, pay_job_t *job, pay_effect_t *effect)
{
    pay_store_no_token_in_t  in = {
        .merchant_id = job->reg.checkout.merchant_id,
        .checkout_id = job->reg.checkout.checkout_id,
        .psp = job->reg.checkout.psp,
        .outcome = PAY_STR("expired"),
        .code = PAY_STR("expired_unregistered"),
        .request_id = flow->request_id,
        .attempt = job->reg.checkout.attempt
    };

    return pay_do_store_no_token(flow, effect, &in, job_stored);
}


/* Queries the PSP; an approved payment is captured on the way where the
 * approval is not yet the money (PayPal). */
static pay_status_t
start_poll(pay_flow_t *flow, pay_job_t *job, const pay_input_t *input,
    pay_effect_t *effect)
{
    job->ask.checkout = &job->reg.checkout;
    job->ask.psp = job->reg.psp;
    job->ask.done = job_polled;
    job->ask.may_capture = may_capture(job, input->now_s);

    return pay_ask_start(flow, &job->ask, effect);
}


/* The buyer has approved in time; an order that has failed stays so. */
static int
may_capture(const pay_job_t *job, int64_t now_s)
{
    return now_s < job->reg.checkout.expires_s + EXPIRY_GRACE_S
           && pay_checkout_state(&job->reg.checkout) == PAY_EXECUTING;
}


/* Its page stays open until a call to the PSP closes it. */
static int
lingers(const pay_job_t *job)
{
    const pay_psp_adapter_t  *adapter = job->reg.psp->adapter;

    return (adapter->traits & PAY_PSP_LINGERS)
           && (adapter->changes & PAY_PSP_CAN(PAY_PSP_EXPIRE));
}


/* A page that does not end by itself is closed once in a job, as soon as its
 * time is over. */
static int
must_expire(const pay_job_t *job, int64_t now_s)
{
    return lingers(job) && !job->expiring
           && now_s >= job->reg.checkout.expires_s;
}


/* Stores a fact about the payment by apply_event; `source` is query, or
 * gateway for the end by our own clock. */
static pay_status_t
apply(pay_flow_t *flow, pay_job_t *job, const char *source,
    const pay_psp_event_t *fact, pay_effect_t *effect)
{
    return pay_do_event(flow, job->reg.psp, source, fact, PAY_STR(""), effect,
                        job_applied);
}


/* As the directives say, and soon after the page's life is over.  A PSP that
 * answers is asked for as long as the payment is open, but seldom while all
 * that is open is held, and the merchant's word is waited for.  The limit of
 * the retry directive counts queries without an answer, never those that the
 * PSP has answered.  Times are in milliseconds, the checkout's in seconds. */
static pay_status_t
look_again(pay_flow_t *flow, pay_job_t *job, int64_t now_s, int answered,
    const char *code, pay_effect_t *effect)
{
    int64_t                left_ms;
    pay_job_end_t          end;
    const pay_checkout_t  *c = &job->reg.checkout;

    end.code = code;
    end.dead = answered ? NULL : pay_retry_dead(job->reg.psp, PAY_RETRY_POLL,
                                                job->attempts);
    end.delay_ms = pay_retry_ms(job->reg.psp, PAY_RETRY_POLL, job->attempts,
                                -1, c->nonce);

    left_ms = (c->expires_s + EXPIRY_GRACE_S + 1 - now_s) * 1000;

    if (pay_checkout_rests(c) && answered) {
        end.delay_ms = end.delay_ms < REST_MS ? REST_MS : end.delay_ms;

    } else if (left_ms > 0 && left_ms < end.delay_ms) {
        end.delay_ms = left_ms;
    }

    return pay_job_finish(flow, job, &end, effect);
}


/* The PSP has not confirmed that a checkout is over, and a webhook about a
 * late payment may be lost: the job has outlived the end, for one question. */
static pay_status_t
last_look(pay_flow_t *flow, pay_job_t *job, int64_t delay_s,
    pay_effect_t *effect)
{
    return pay_job_finish(flow, job, &(pay_job_end_t) {
        delay_s * 1000, "last_look", NULL }, effect);
}


/* The time that is left until the last query of an expired checkout, for a
 * worker that took over from one that stopped before it. */
static int64_t
last_look_left_s(const pay_job_t *job, int64_t now_s)
{
    const pay_checkout_t  *c = &job->reg.checkout;

    if (lingers(job) || pay_checkout_state(c) != PAY_FAILED
        || !pay_str_is(c->orders[0].reason, "expired"))
    {
        return 0;
    }

    return c->expires_s + EXPIRY_GRACE_S + job->reg.psp->last_look_s - now_s;
}
