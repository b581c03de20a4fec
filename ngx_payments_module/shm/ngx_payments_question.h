/*
 * How often the return of a buyer may ask a PSP about a payment.
 */

#ifndef NGX_PAYMENTS_QUESTION_H
#define NGX_PAYMENTS_QUESTION_H

#include "util/ngx_payments.h"

#include "pay_str.h"


/* 1: this URL of a PSP may be called now, and the call is noted. */
ngx_uint_t ngx_payments_question_may(pay_str_t url);


#endif /* NGX_PAYMENTS_QUESTION_H */
