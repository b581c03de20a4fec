/*
 * A registration at a PSP, shared by the request that starts it and by the
 * job that goes on with it: same stored checkout, same nonce, same bytes.
 */

#include "flow_util.h"
#include "pay_url.h"


static pay_status_t store_token(pay_flow_t *flow,
    const pay_checkout_t *checkout, const pay_psp_registered_t *result,
    pay_effect_t *effect, pay_flow_step_pt step);
static pay_status_t store_no_token(pay_flow_t *flow,
    const pay_checkout_t *checkout, const pay_psp_registered_t *result,
    pay_effect_t *effect, pay_flow_step_pt step);


pay_status_t
pay_register_build(pay_flow_t *flow, const pay_psp_t *psp,
    const pay_checkout_t *checkout, pay_http_request_t *request,
    pay_err_t *err)
{
    unsigned          i;
    pay_psp_order_t  *order;

    order = pay_calloc(flow->arena, sizeof(pay_psp_order_t));
    if (order == NULL) {
        return PAY_NO_MEMORY;
    }

    order->nonce = checkout->nonce;
    order->reference = checkout->checkout_uuid;
    order->currency = checkout->currency;
    order->amount_minor = checkout->total_minor;
    order->expires_s = checkout->expires_s;
    order->line_count = checkout->order_count;

    PAY_TRY(pay_format(flow->arena, &order->return_url, 4096,
                       "%.*s/return/%.*s", pay_fmt(checkout->base_url),
                       pay_fmt(checkout->handle)));

    for (i = 0; i < checkout->order_count; i++) {
        order->lines[i].payment_order_id = checkout->orders[i].id;
        order->lines[i].amount_minor = checkout->orders[i].amount_minor;
        PAY_TRY(pay_format(flow->arena, &order->lines[i].name, 128,
                           "Order %.*s", pay_fmt(checkout->orders[i].id)));
    }

    return psp->adapter->register_request(flow->arena, &psp->account, order,
                                          request, err);
}


pay_status_t
pay_register_store(pay_flow_t *flow, const pay_psp_t *psp,
    const pay_checkout_t *checkout, const pay_http_answer_t *answer,
    pay_effect_t *effect, pay_flow_step_pt step)
{
    pay_str_t             url;
    pay_psp_order_t       order;
    pay_psp_registered_t  result;

    memset(&order, 0, sizeof(order));
    order.nonce = checkout->nonce;
    order.reference = checkout->checkout_uuid;
    order.currency = checkout->currency;
    order.amount_minor = checkout->total_minor;
    order.expires_s = checkout->expires_s;

    PAY_TRY(psp->adapter->register_answer(flow->arena, &order, answer,
                                          &result));

    if (result.outcome != PAY_PSP_DONE) {
        return store_no_token(flow, checkout, &result, effect, step);
    }

    switch (pay_hosted_url_check(flow->arena, result.hosted_url,
                                 psp->hosted_hosts, psp->hosted_host_count,
                                 &url, NULL))
    {

    case PAY_OK:
        result.hosted_url = url;
        return store_token(flow, checkout, &result, effect, step);

    case PAY_INVALID:
        /* nobody is sent to a host that the configuration does not name */
        result.outcome = PAY_PSP_REFUSED;
        result.code = PAY_STR("hosted_page_host_not_allowed");
        return store_no_token(flow, checkout, &result, effect, step);

    default:
        return PAY_NO_MEMORY;
    }
}


static pay_status_t
store_token(pay_flow_t *flow, const pay_checkout_t *checkout,
    const pay_psp_registered_t *result, pay_effect_t *effect,
    pay_flow_step_pt step)
{
    pay_value_t  *v;

    v = pay_calloc(flow->arena, 6 * sizeof(pay_value_t));
    if (v == NULL) {
        return PAY_NO_MEMORY;
    }

    v[0] = pay_value_text(checkout->merchant_id);
    v[1] = pay_value_text(checkout->checkout_id);
    PAY_TRY(pay_dup(flow->arena, result->token, &v[2].bytes));
    v[3] = pay_value_text(result->hosted_url);
    v[4] = pay_value_int(flow->env->poll_after_ms);
    v[5] = pay_value_text(flow->request_id);

    pay_do_db(flow, effect, PAY_OP_STORE_TOKEN, v, step);

    return PAY_OK;
}


static pay_status_t
store_no_token(pay_flow_t *flow, const pay_checkout_t *checkout,
    const pay_psp_registered_t *result, pay_effect_t *effect,
    pay_flow_step_pt step)
{
    pay_value_t                *v;
    static const char  *const   words[] = {
        [PAY_PSP_DONE] = "unknown", [PAY_PSP_REFUSED] = "refused",
        [PAY_PSP_NOT_SENT] = "not_sent", [PAY_PSP_UNKNOWN] = "unknown"
    };

    v = pay_calloc(flow->arena, 6 * sizeof(pay_value_t));
    if (v == NULL) {
        return PAY_NO_MEMORY;
    }

    v[0] = pay_value_text(checkout->merchant_id);
    v[1] = pay_value_text(checkout->checkout_id);
    v[2] = pay_value_text(pay_str_of(words[result->outcome]));
    v[3].is_null = result->code.len == 0;
    PAY_TRY(pay_dup(flow->arena, result->code, &v[3].bytes));
    v[4] = pay_value_int(pay_backoff_ms(checkout->attempt,
                                        result->retry_after_s,
                                        checkout->nonce));
    v[5] = pay_value_text(flow->request_id);

    pay_do_db(flow, effect, PAY_OP_STORE_NO_TOKEN, v, step);

    return PAY_OK;
}
