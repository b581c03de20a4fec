/*
 * Razorpay's webhook signature (docs/psp/razorpay.md): X-Razorpay-Signature,
 * the lower-case hex of a MAC over the raw body.  No time is signed.  The id by
 * which Razorpay wants deliveries deduped is in a header that is not signed: an
 * attacker who replays a body can give it another id, so the id saves work but
 * protects from nothing; an event applied twice must change nothing.
 */

#include "sig/sig.h"


#define RAZORPAY_ID_MAX  64


static pay_sig_verdict_t razorpay_verify(pay_arena_t *arena,
    const pay_sig_input_t *input, pay_sig_result_t *result);
static pay_str_t razorpay_event_id(const pay_sig_input_t *input);
static pay_status_t razorpay_sign(pay_arena_t *arena,
    const pay_sig_message_t *message, pay_header_t headers[4], size_t *count);


static const char  razorpay_id_name[] = "X-Razorpay-Event-Id";

static const pay_sig_form_t  razorpay_form = {
    .header = "X-Razorpay-Signature",
    .prefix = "",
    .is_base64 = 0
};

const pay_sig_scheme_t  pay_sig_razorpay = {
    .name = "razorpay",
    .needs = PAY_SIG_NEEDS_KEY,
    .signs_time = 0,
    .ack = NULL,
    .key_parse = pay_sig_key_text,
    .verify = razorpay_verify,
    .sign = razorpay_sign,
    .challenge = NULL
};


/* The id is read from a header that is not signed, after the body has proved
 * to be Razorpay's; see the head of this file. */
static pay_sig_verdict_t
razorpay_verify(pay_arena_t *arena, const pay_sig_input_t *input,
    pay_sig_result_t *result)
{
    (void) pay_sig_form_verify(arena, input, &razorpay_form, &input->body, 1,
                               result);

    if (result->verdict == PAY_SIG_VALID) {
        result->event_id = razorpay_event_id(input);
    }

    return result->verdict;
}


/* The empty text when it is absent, doubled or no plain word: an unsigned
 * header must not be able to stop a signed event. */
static pay_str_t
razorpay_event_id(const pay_sig_input_t *input)
{
    size_t         i;
    pay_str_t      id, none = { 0, NULL };
    unsigned char  c;

    if (pay_header_find(input->headers, input->header_count,
                        razorpay_id_name, &id)
        != PAY_OK
        || id.len > RAZORPAY_ID_MAX)
    {
        return none;
    }

    for (i = 0; i < id.len; i++) {
        c = id.data[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z')
            && !(c >= '0' && c <= '9') && c != '_' && c != '-')
        {
            return none;
        }
    }

    return id;
}


static pay_status_t
razorpay_sign(pay_arena_t *arena, const pay_sig_message_t *message,
    pay_header_t headers[4], size_t *count)
{
    PAY_TRY(pay_sig_form_sign(arena, &razorpay_form, message, &message->body,
                              1, headers, count));

    if (message->id.len != 0) {
        headers[1].name = pay_str_of(razorpay_id_name);
        headers[1].value = message->id;
        *count = 2;
    }

    return PAY_OK;
}
