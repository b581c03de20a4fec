/*
 * Square's webhook signature (docs/psp/square.md#webhooks):
 * x-square-hmacsha256-signature, the base64 of a MAC over the notification URL
 * exactly as registered and the raw body behind it.  The URL is configuration,
 * never taken from the request.  No time is signed; the adapter dedupes by the
 * event_id in the body.  The legacy header x-square-signature (HMAC-SHA-1) is
 * not looked at.
 */

#include "sig/sig.h"


static pay_sig_verdict_t square_verify(pay_arena_t *arena,
    const pay_sig_input_t *input, pay_sig_result_t *result);
static pay_status_t square_sign(pay_arena_t *arena,
    const pay_sig_message_t *message, pay_header_t headers[4], size_t *count);


static const pay_sig_form_t  square_form = {
    .header = "x-square-hmacsha256-signature",
    .prefix = "",
    .is_base64 = 1
};

const pay_sig_scheme_t  pay_sig_square = {
    .name = "square",
    .needs = PAY_SIG_NEEDS_KEY | PAY_SIG_NEEDS_URL,
    .signs_time = 0,
    .ack = NULL,
    .key_parse = pay_sig_key_text,
    .verify = square_verify,
    .sign = square_sign,
    .challenge = NULL
};


/* The URL is signed together with the body: it is the one that was registered,
 * since behind a proxy the request's own may differ. */
static pay_sig_verdict_t
square_verify(pay_arena_t *arena, const pay_sig_input_t *input,
    pay_sig_result_t *result)
{
    pay_str_t  parts[2];

    parts[0] = input->settings->url;
    parts[1] = input->body;

    /* without the URL any body that starts with one would do */
    if (parts[0].len == 0) {
        memset(result, 0, sizeof(*result));
        result->verdict = PAY_SIG_ERROR;
        return result->verdict;
    }

    return pay_sig_form_verify(arena, input, &square_form, parts, 2, result);
}


static pay_status_t
square_sign(pay_arena_t *arena, const pay_sig_message_t *message,
    pay_header_t headers[4], size_t *count)
{
    pay_str_t  parts[2];

    if (message->settings->url.len == 0) {
        return PAY_BUG;
    }

    parts[0] = message->settings->url;
    parts[1] = message->body;

    return pay_sig_form_sign(arena, &square_form, message, parts, 2, headers,
                             count);
}
