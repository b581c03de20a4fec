/*
 * The end of an effect, for metrics and the log.
 */

#ifndef NGX_PAYMENTS_EFFECT_NOTE_H
#define NGX_PAYMENTS_EFFECT_NOTE_H

#include "run/ngx_payments_flow_state.h"


/* The operation in flow->call has its row, or (NULL) none. */
void ngx_payments_note_row(const ngx_payments_flow_t *flow,
    const pay_result_t *result);
/* The call in flow->http has ended. */
void ngx_payments_note_answer(const ngx_payments_flow_t *flow,
    const pay_http_answer_t *answer);


#endif /* NGX_PAYMENTS_EFFECT_NOTE_H */
