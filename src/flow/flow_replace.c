/*
 * A checkout that takes the place of another one: the old page is closed at
 * its PSP, through the journal, before the new one is registered anywhere.
 * Whether it is closed is PostgreSQL's to say (release_replacement); what is
 * left open the jobs of both checkouts go on with.
 */

#include "flow_util.h"


static pay_status_t replace_found(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t replace_sent(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);


pay_status_t
pay_replace_start(pay_flow_t *flow, pay_replace_t *replace,
    pay_effect_t *effect)
{
    pay_value_t  *v;

    flow->sub = replace;

    v = pay_calloc(flow->arena, 3 * sizeof(pay_value_t));
    if (v == NULL) {
        return PAY_NO_MEMORY;
    }

    v[0] = pay_value_text(replace->checkout->merchant_id);
    v[1] = pay_value_null();
    v[2] = pay_value_text(replace->change_id);

    pay_do_db(flow, effect, PAY_OP_GET_CHANGE, v, replace_found);

    return PAY_OK;
}


/* What cannot be sent now its job sends, or gives up. */
static pay_status_t
replace_found(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    pay_send_t     *send;
    pay_status_t    status;
    pay_replace_t  *replace = flow->sub;

    if (event->kind != PAY_EVENT_ROW
        || !pay_str_is(event->row[0].bytes, "found"))
    {
        return pay_release(flow, replace->checkout, effect, replace->done);
    }

    PAY_TRY(pay_change_decode(flow->arena, event->row + 1, &replace->change));
    PAY_TRY(pay_checkout_decode(flow->arena,
                                event->row + 1 + PAY_CHANGE_COLUMNS,
                                &replace->old));

    send = &replace->send;
    send->checkout = &replace->old;
    send->psp = pay_flow_psp(flow, replace->old.psp);
    send->done = replace_sent;

    status = pay_change_prepare(flow, &replace->change, send);

    if (status == PAY_INVALID || status == PAY_NOT_FOUND) {
        return pay_release(flow, replace->checkout, effect, replace->done);
    }

    PAY_TRY(status);

    return pay_send_start(flow, send, effect);
}


static pay_status_t
replace_sent(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    pay_replace_t  *replace = flow->sub;

    (void) event;

    return pay_release(flow, replace->checkout, effect, replace->done);
}


pay_status_t
pay_release(pay_flow_t *flow, const pay_checkout_t *checkout,
    pay_effect_t *effect, pay_flow_step_pt step)
{
    pay_value_t  *v;

    v = pay_calloc(flow->arena, 4 * sizeof(pay_value_t));
    if (v == NULL) {
        return PAY_NO_MEMORY;
    }

    v[0] = pay_value_text(checkout->merchant_id);
    v[1] = pay_value_text(checkout->checkout_id);
    v[2] = pay_value_int(flow->env->lease_ms);
    v[3] = pay_value_text(flow->request_id);

    pay_do_db(flow, effect, PAY_OP_RELEASE_REPLACEMENT, v, step);

    return PAY_OK;
}
