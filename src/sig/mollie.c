/*
 * Mollie's two kinds of webhook (docs/psp/mollie.md).  "mollie":
 * X-Mollie-Signature, "sha256=" and the lower-case hex of a MAC over the raw
 * body; a request without it is refused, never taken for one of the other kind.
 * "mollie-legacy": the form id=tr_…, which is not signed; only its shape is
 * checked, and it is only a hint to query the API.
 */

#include "sig/sig.h"


#define MOLLIE_ID_MAX  64


static pay_sig_verdict_t legacy_verify(pay_arena_t *arena,
    const pay_sig_input_t *input, pay_sig_result_t *result);
static pay_status_t legacy_sign(pay_arena_t *arena,
    const pay_sig_message_t *message, pay_header_t headers[4], size_t *count);


static const pay_sig_form_t  mollie_form = {
    .header = "X-Mollie-Signature",
    .prefix = "sha256=",
    .is_base64 = 0
};

PAY_SIG_FORM_SLOTS(mollie)

const pay_sig_scheme_t  pay_sig_mollie = {
    .name = "mollie",
    .needs = PAY_SIG_NEEDS_KEY,
    .signs_time = 0,
    .ack = NULL,
    .key_parse = pay_sig_key_text,
    .verify = mollie_verify,
    .sign = mollie_sign,
    .challenge = NULL
};

const pay_sig_scheme_t  pay_sig_mollie_legacy = {
    .name = "mollie-legacy",
    .told_where = 1,
    .needs = 0,
    .signs_time = 0,
    .ack = NULL,
    .key_parse = NULL,
    .verify = legacy_verify,
    .sign = legacy_sign,
    .challenge = NULL
};


/* Nothing is proved here: a valid verdict says that the body has the form of a
 * hint. The adapter asks Mollie's API about the id, and only that answer
 * counts. */
static pay_sig_verdict_t
legacy_verify(pay_arena_t *arena, const pay_sig_input_t *input,
    pay_sig_result_t *result)
{
    size_t         i;
    pay_str_t      body = input->body, start = pay_string("id=tr_");
    unsigned char  c;

    (void) arena;

    memset(result, 0, sizeof(*result));
    result->verdict = PAY_SIG_HEADER_INVALID;

    if (body.len <= start.len || body.len > start.len + MOLLIE_ID_MAX
        || memcmp(body.data, start.data, start.len) != 0)
    {
        return result->verdict;
    }

    for (i = start.len; i < body.len; i++) {
        c = body.data[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z')
            && !(c >= '0' && c <= '9'))
        {
            return result->verdict;
        }
    }

    result->verdict = PAY_SIG_VALID;

    return result->verdict;
}


/* Mollie signs nothing of this kind: the sender adds no header. */
static pay_status_t
legacy_sign(pay_arena_t *arena, const pay_sig_message_t *message,
    pay_header_t headers[4], size_t *count)
{
    (void) arena;
    (void) message;
    (void) headers;

    *count = 0;

    return PAY_OK;
}
