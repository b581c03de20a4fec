/*
 * GoCardless' webhook signature (docs/psp/gocardless.md): Webhook-Signature,
 * the lower-case hex of a MAC over the raw body.  No time is signed; one body
 * holds several events, each with its own id, which is what to dedupe by.
 */

#include "sig/sig.h"


static const pay_sig_form_t  gocardless_form = {
    .header = "Webhook-Signature",
    .prefix = "",
    .is_base64 = 0
};

PAY_SIG_FORM_SLOTS(gocardless)

const pay_sig_scheme_t  pay_sig_gocardless = {
    .name = "gocardless",
    .needs = PAY_SIG_NEEDS_KEY,
    .signs_time = 0,
    .ack = NULL,
    .key_parse = pay_sig_key_text,
    .verify = gocardless_verify,
    .sign = gocardless_sign,
    .challenge = NULL
};
