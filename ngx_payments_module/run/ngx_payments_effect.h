/*
 * Carries PAY_DO_DB and PAY_DO_HTTP out.
 */

#ifndef NGX_PAYMENTS_EFFECT_H
#define NGX_PAYMENTS_EFFECT_H

#include "run/ngx_payments_flow_state.h"


/* Each NGX_AGAIN: under way; NGX_OK: *input already says what came of it. */
ngx_int_t ngx_payments_effect_db(ngx_payments_flow_t *flow,
    pay_effect_t *effect, pay_input_t *input);
ngx_int_t ngx_payments_effect_http(ngx_payments_flow_t *flow,
    pay_effect_t *effect, pay_input_t *input);


#endif /* NGX_PAYMENTS_EFFECT_H */
