/*
 * GoCardless' webhook signature (docs/psp/gocardless.md): Webhook-Signature,
 * the lower-case hex of a MAC over the raw body.  No time is signed; one body
 * holds several events, each with its own id, which is what to dedupe by.
 */

#include "sig/sig.h"


static pay_sig_verdict_t gocardless_verify(pay_arena_t *arena,
    const pay_sig_input_t *input, pay_sig_result_t *result);
static pay_status_t gocardless_sign(pay_arena_t *arena,
    const pay_sig_message_t *message, pay_header_t headers[4], size_t *count);


static const pay_sig_form_t  gocardless_form = {
    .header = "Webhook-Signature",
    .prefix = "",
    .is_base64 = 0
};

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


static pay_sig_verdict_t
gocardless_verify(pay_arena_t *arena, const pay_sig_input_t *input,
    pay_sig_result_t *result)
{
    return pay_sig_form_verify(arena, input, &gocardless_form, &input->body, 1,
                               result);
}


static pay_status_t
gocardless_sign(pay_arena_t *arena, const pay_sig_message_t *message,
    pay_header_t headers[4], size_t *count)
{
    return pay_sig_form_sign(arena, &gocardless_form, message,
                             &message->body, 1, headers, count);
}
