/*
 * Carries PAY_DO_RATES out.
 */

#ifndef NGX_PAYMENTS_EFFECT_RATES_H
#define NGX_PAYMENTS_EFFECT_RATES_H

#include "run/ngx_payments_flow_state.h"


/* NGX_AGAIN: under way; NGX_OK: *input already says what came of it. */
ngx_int_t ngx_payments_effect_rates(ngx_payments_flow_t *flow,
    pay_effect_t *effect, pay_input_t *input);


#endif /* NGX_PAYMENTS_EFFECT_RATES_H */
