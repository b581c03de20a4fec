/*
 * How a job ends: it is done, it is due again later, or a dead letter stands in
 * its place.  The files of all kinds of jobs come here last.
 *
 *    send.end of a refund or a change ─┬─ it went through ─▶ done
 *                                      ├─ refused, key over ─▶ dead letter
 *                                      └─ no effect, unknown ─▶ later
 */

#include "flow_util.h"


/* Milliseconds after which a job looks again at a call that another worker
 * has, or whose journal could not be read. */
#define BUSY_MS  5000


static pay_status_t send_dead(pay_flow_t *flow, pay_job_t *job,
    const char *code, const char *dead, pay_effect_t *effect);


/* The owner goes with it: a job whose lease has run out may belong to another
 * worker by now, and then nothing is written. */
pay_status_t
pay_job_finish(pay_flow_t *flow, pay_job_t *job, const pay_job_end_t *end,
    pay_effect_t *effect)
{
    pay_finish_job_in_t  in = {
        .merchant_id = job->reg.checkout.merchant_id,
        .checkout_id = job->reg.checkout.checkout_id,
        .kind = job->kind,
        .operation_id = pay_str_is(job->kind, "change") ? job->operation_id
                                                        : PAY_STR(""),
        .owner = job->owner,
        .delay_ms = end->delay_ms,
        .code = pay_str_of(end->code),
        .dead = pay_str_of(end->dead)
    };

    flow->outcome = end->code;

    return pay_do_finish_job(flow, effect, &in, pay_job_ended);
}


/* Without a row from the database the job is not given back: its lease runs
 * out, and another worker starts over. */
pay_status_t
pay_job_ended(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    if (input->kind == PAY_INPUT_DB_FAILED) {
        flow->outcome = "not-stored";
    }

    pay_do_done(effect, NULL);

    return PAY_OK;
}


/* How the job goes on after each end of the call: it is done, it is a dead
 * letter, or it comes again.  OVER is a dead letter because the PSP may have
 * forgotten the key: a repetition could pay a second time. */
pay_status_t
pay_send_finish(pay_flow_t *flow, pay_job_t *job, const char *good,
    pay_effect_t *effect)
{
    switch (job->send.end) {

    case PAY_SENT_DONE:
    case PAY_SENT_PENDING:
    case PAY_SENT_ENDED:
        return pay_job_finish(flow, job, &(pay_job_end_t) { -1, good, NULL },
                              effect);

    case PAY_SENT_REFUSED:
        return send_dead(flow, job, "refused", PAY_DEAD_REFUSED, effect);

    case PAY_SENT_OVER:
        return send_dead(flow, job, "unknown", PAY_DEAD_KEY_WINDOW, effect);

    case PAY_SENT_NOT_SENT:
        return pay_send_again(flow, job, "not_sent", effect);

    case PAY_SENT_UNKNOWN:
        return pay_send_again(flow, job, "unknown", effect);

    case PAY_SENT_NOT_STORED:
        return pay_send_again(flow, job, "not_stored", effect);

    default:
        return pay_job_finish(flow, job, &(pay_job_end_t) { BUSY_MS, "busy",
                                                            NULL }, effect);
    }
}


/* delay_ms grows with job->attempts; the seed spreads the jobs of one failure
 * over time.  PAY_RETRY_REFUND is the directive for all changes. */
pay_status_t
pay_send_again(pay_flow_t *flow, pay_job_t *job, const char *code,
    pay_effect_t *effect)
{
    pay_job_end_t  end;

    end.code = code;
    end.dead = pay_retry_dead(job->reg.psp, PAY_RETRY_REFUND, job->attempts);
    end.delay_ms = pay_retry_ms(job->reg.psp, PAY_RETRY_REFUND, job->attempts,
                                job->send.retry_after_s, job->operation_id);

    return pay_job_finish(flow, job, &end, effect);
}


/* -1: the job ends, and the dead letter stands in its place. */
static pay_status_t
send_dead(pay_flow_t *flow, pay_job_t *job, const char *code,
    const char *dead, pay_effect_t *effect)
{
    return pay_job_finish(flow, job, &(pay_job_end_t) { -1, code, dead },
                          effect);
}
