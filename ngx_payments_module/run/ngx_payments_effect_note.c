/*
 * The end of an effect, for metrics and the log.  Addresses and bodies
 * stay out of both.
 */

#include "run/ngx_payments_effect_note.h"
#include "shm/ngx_payments_count.h"
#include "shm/ngx_payments_count_deliveries.h"
#include "shm/ngx_payments_count_rates.h"
#include "shm/ngx_payments_count_stage.h"
#include "pay_trace.h"


static void note_stage(const ngx_payments_flow_t *flow);
static void note_done(const ngx_payments_call_t *call,
    const pay_result_t *result);
static void note_rates(ngx_uint_t cell, const pay_end_rates_in_t *in);
static void note_call(const ngx_payments_flow_t *flow,
    const pay_http_answer_t *answer);


void
ngx_payments_note_row(const ngx_payments_flow_t *flow,
    const pay_result_t *result)
{
    note_stage(flow);
    note_done(&flow->call, result);
}


/* Jobs wait on purpose; their waits would hide those of buyers. */
static void
note_stage(const ngx_payments_flow_t *flow)
{
    if (!flow->alone) {
        ngx_payments_count_stage(pay_op(flow->call.op)->stage,
                                 (uint64_t) (ngx_current_msec
                                             - flow->wait_started) * 1000,
                                 flow->core.request_id,
                                 pay_trace_id(flow->core.trace));
    }
}


/* The numbers that metrics need of an operation, beyond its calls. */
static void
note_done(const ngx_payments_call_t *call, const pay_result_t *result)
{
    const pay_age_row_t          *age;
    const pay_begin_rates_in_t   *rates;
    const pay_end_backfill_in_t  *backfill;
    const pay_end_delivery_in_t  *delivery;

    if (call->op == PAY_OP_END_BACKFILL && result != NULL
        && result->outcome == PAY_OUTCOME_STORED)
    {
        backfill = call->args;
        ngx_payments_count_backfill(backfill->psp, backfill->listed,
                                    backfill->missed);
    }

    if (call->op == PAY_OP_BEGIN_RATES && result != NULL) {
        age = pay_row_age(result);
        rates = call->args;
        ngx_payments_count_rates_age(call->cell, rates->source,
                                     age != NULL ? age->age_ms
                                                 : pay_maybe(0, 0));
    }

    if (call->op == PAY_OP_END_DELIVERY && result != NULL) {
        delivery = call->args;
        ngx_payments_count_delivery(delivery->outcome,
                                    (ngx_msec_t) delivery->took_ms);
    }

    if (call->op == PAY_OP_END_RATES) {
        note_rates(call->cell, call->args);
    }
}


/* Why: a code of the core, never the text of the source. */
static void
note_rates(ngx_uint_t cell, const pay_end_rates_in_t *in)
{
    if (in->rates.len != 0) {
        ngx_payments_count_rates_age(cell, in->source, pay_some(in->age_ms));
        return;
    }

    ngx_payments_count_rates_failed(cell, in->source);
    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                  "payments: a source has given no rates, source:%V, why:%V",
                  &ngx_payments_nstr(in->source),
                  &ngx_payments_nstr(in->code));
}


/* An endpoint of a storefront that fails makes no line: its owner finds why in
 * the log of deliveries. */
void
ngx_payments_note_answer(const ngx_payments_flow_t *flow,
    const pay_http_answer_t *answer)
{
    if (flow->http.call == PAY_CALL_DELIVERY) {
        return;
    }

    note_call(flow, answer);

    if (answer->failure != PAY_FAILURE_NONE) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "payments: psp call failed, psp:%V, why:%s, sent:%d, "
                      "reach:%s, trace:%V",
                      &ngx_payments_nstr(flow->http.psp->psp.name),
                      pay_failure_name(answer->failure), (int) answer->sent,
                      pay_reach_name(answer->reach),
                      &ngx_payments_nstr(pay_trace_id(flow->core.trace)));
    }

    if (answer->unheard != 0) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "payments: psp call was sent again on another "
                      "connection, psp:%V, what:%s, unheard:%ui, status:%ui, "
                      "trace:%V",
                      &ngx_payments_nstr(flow->http.psp->psp.name),
                      pay_call_name(flow->http.call),
                      (ngx_uint_t) answer->unheard,
                      (ngx_uint_t) answer->status,
                      &ngx_payments_nstr(pay_trace_id(flow->core.trace)));
    }
}


/* The PSP's own calls, for whichever flow they are made; a provider of risk is
 * no PSP. */
static void
note_call(const ngx_payments_flow_t *flow, const pay_http_answer_t *answer)
{
    ngx_msec_t  took = ngx_current_msec - flow->wait_started;
    ngx_msec_t  deadline = flow->pmcf->stages[PAY_STAGE_PSP];

    if (pay_call_is_aside(flow->http.call)
        || flow->http.call == PAY_CALL_RISK)
    {
        return;
    }

    ngx_payments_count_stage(PAY_STAGE_PSP, (uint64_t) took * 1000,
                             flow->core.request_id,
                             pay_trace_id(flow->core.trace));

    if (deadline != 0 && took + 1 >= deadline
        && answer->failure == PAY_FAILURE_TIMEOUT)
    {
        ngx_payments_count_stage_timeout(PAY_STAGE_PSP);
    }
}
