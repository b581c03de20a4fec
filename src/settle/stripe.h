/*
 * Shared by Stripe's two media: the words of its balance.
 */

#ifndef PAY_SETTLE_STRIPE_H
#define PAY_SETTLE_STRIPE_H

#include "settle/settle.h"


/* the member of a payment's metadata that holds our reference (src/psp) */
#define PAY_STRIPE_METADATA  "payment_reference"


/* The kind of a reporting category and, where it is finer, of a type; holds
 * and reserves by the sign of their net.  Both may be empty. */
pay_settle_kind_t pay_settle_stripe_kind(pay_str_t category, pay_str_t type,
    int64_t net);

/* Rows of fees and taxes have their amount in gross: it is moved to where
 * fees and taxes are looked for. */
void pay_settle_stripe_move(pay_settle_row_t *row);


#endif /* PAY_SETTLE_STRIPE_H */
