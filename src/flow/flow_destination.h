/*
 * The seal of a seller's account, from the request that enters it to the call
 * that pays to it.  Private to src/flow.
 */

#ifndef PAY_FLOW_DESTINATION_H
#define PAY_FLOW_DESTINATION_H

#include "flow_util.h"


/* The account of a request as it is stored: its nonce, and the sealed
 * bytes.  PAY_BUG without a keyring. */
pay_status_t destination_seal(pay_flow_t *flow,
    const pay_payout_act_input_t *in, const pay_payout_act_t *act,
    pay_str_t *details) PAY_MUST_CHECK;

/* The fingerprint of the body, changed with a key: those who read the table
 * cannot try numbers of accounts until one has that digest. */
pay_status_t destination_blind(const pay_keyring_t *ring,
    unsigned char digest[PAY_SHA256_SIZE]) PAY_MUST_CHECK;


#endif /* PAY_FLOW_DESTINATION_H */
