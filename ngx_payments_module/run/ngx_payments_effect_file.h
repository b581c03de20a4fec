/*
 * Carries PAY_DO_FILE out.
 */

#ifndef NGX_PAYMENTS_EFFECT_FILE_H
#define NGX_PAYMENTS_EFFECT_FILE_H

#include "run/ngx_payments_flow_state.h"


/* NGX_AGAIN: under way; NGX_OK: *input has the result already. */
ngx_int_t ngx_payments_effect_file(ngx_payments_flow_t *flow,
    pay_effect_t *effect, pay_input_t *input);


#endif /* NGX_PAYMENTS_EFFECT_FILE_H */
