/*
 * Counters of the seals of the event log.
 */

#ifndef NGX_PAYMENTS_COUNT_SEALS_H
#define NGX_PAYMENTS_COUNT_SEALS_H

#include "util/ngx_payments.h"


/* A seal of the event log was signed here, or it or its export failed. */
void ngx_payments_count_seal(ngx_uint_t cell, ngx_uint_t is_signed);
/* The newest signed seal that is known, and when it was made. */
void ngx_payments_note_seal(ngx_uint_t cell, int64_t number, time_t at);


#endif /* NGX_PAYMENTS_COUNT_SEALS_H */
