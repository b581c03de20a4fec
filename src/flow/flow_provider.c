/*
 * Parts of the flows of a call to a pay-out provider and of a question to a
 * screening provider.  Nothing is sent from here.
 */

#include "flow_provider.h"


#define LATE_S  10


int
provider_is_late(const pay_input_t *input, int64_t started_s)
{
    return input->now_s - started_s > LATE_S;
}


pay_status_t
provider_text(pay_flow_t *flow, pay_str_t text, size_t max, pay_str_t *to)
{
    return pay_dup(flow->args, text.len <= max ? text : PAY_STR(""), to);
}


pay_status_t
provider_stored(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    if (input->kind != PAY_INPUT_ROW) {
        flow->outcome = "not-stored";

    } else if (input->result.outcome == PAY_OUTCOME_GONE) {
        flow->outcome = "gone";

    } else if (input->result.outcome != PAY_OUTCOME_STORED) {
        flow->outcome = "not-taken";
    }

    pay_do_done(effect, NULL);

    return PAY_OK;
}
