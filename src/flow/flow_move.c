/*
 * A merchant that moves to another cell: a new payment is asked for in the cell
 * with its older payments first, a read goes to its new one first, so that
 * nothing is there twice and all is found.
 *
 *     a new payment:  explain_begin in `from` ─┬─ known ───▶ answered
 *                                              ├─ unknown ─▶ asked in `cell`
 *                                              ├─ moving ──▶ 503
 *                                              └─ moved ───▶ begins in `cell`
 *                     explain_begin in `cell` ─┬─ known ───▶ answered
 *                                              └─ else ────▶ begins in `from`
 *     a read:         `cell` ── not found ──▶ `from`
 */

#include "flow_util.h"


/* In seconds: a fence stands for as long as the transactions that began before
 * it. */
#define MOVING_RETRY_S  2


static pay_status_t order_ids(pay_flow_t *flow,
    const pay_payment_request_t *request, pay_str_t *ids);


int
pay_move_asks(const pay_merchant_t *merchant)
{
    return merchant->from != merchant->cell;
}


/* The flow's arguments stay, since begin_payment follows. */
pay_status_t
pay_move_ask(pay_flow_t *flow, const pay_create_input_t *in, unsigned cell,
    pay_effect_t *effect, pay_flow_step_pt step)
{
    pay_explain_begin_in_t  ask = {
        .merchant_id = in->merchant->id,
        .idempotency_key = in->idempotency_key,
        .fingerprint = in->fingerprint,
        .checkout_id = in->request->checkout_id
    };

    PAY_TRY(order_ids(flow, in->request, &ask.orders));

    flow->cell = cell;
    flow->keeps_args = 1;

    return pay_do_explain_begin(flow, effect, &ask, step);
}


/* Ids have no blanks. */
static pay_status_t
order_ids(pay_flow_t *flow, const pay_payment_request_t *request,
    pay_str_t *ids)
{
    unsigned   i;
    pay_buf_t  buf;

    pay_buf_init(&buf, flow->args,
                 request->order_count * (size_t) (PAY_ID_MAX + 1));

    for (i = 0; i < request->order_count; i++) {
        pay_buf_text(&buf, i == 0 ? "" : " ");
        pay_buf_add(&buf, request->orders[i].id);
    }

    return pay_buf_done(&buf, ids);
}


/* Also of a node with an older configuration, which does not know yet where the
 * merchant begins. */
pay_status_t
pay_done_moving(pay_flow_t *flow, pay_effect_t *effect)
{
    pay_reply_t  *reply;

    PAY_TRY(pay_done_problem_reply(flow, effect, "dependency-unavailable",
                                   "New payments of the merchant are being "
                                   "moved to another database. This request "
                                   "did nothing: repeat it with its key.",
                                   &reply));
    reply->retry_after_s = MOVING_RETRY_S;

    return PAY_OK;
}


int
pay_move_next(pay_flow_t *flow, const pay_input_t *input)
{
    const pay_merchant_t  *merchant;

    if (input->kind != PAY_INPUT_ROW
        || input->result.outcome != PAY_OUTCOME_NOT_FOUND)
    {
        return 0;
    }

    merchant = pay_env_merchant(flow->env, flow->merchant_id);

    if (merchant == NULL || flow->cell != merchant->cell
        || merchant->from == merchant->cell)
    {
        return 0;
    }

    flow->cell = merchant->from;

    return 1;
}
