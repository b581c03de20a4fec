/*
 * Wise's webhook signature (docs/payout-providers.md#wise,
 * docs.wise.com/guides/developer/webhooks/event-handling): X-Signature-SHA256,
 * the base64 of RSASSA-PKCS1-v1_5 with SHA-256 over the raw body, by a key
 * whose public half Wise publishes, one for the sandbox and one for production.
 * Only the body is signed: X-Delivery-Id is another one for each subscription
 * that tells of an event, so that the adapter makes the event's id of signed
 * members.
 */

#include "pay_rsa.h"

#include "sig/sig.h"


#define WISE_SIGNATURE_MAX  1400       /* base64 of RSA 8192 */
#define WISE_SIGNATURE      "X-Signature-SHA256"
#define WISE_TEST           "X-Test-Notification"


static pay_sig_verdict_t wise_verify(pay_arena_t *arena,
    const pay_sig_input_t *input, pay_sig_result_t *result);
static pay_sig_verdict_t wise_judge(pay_arena_t *arena,
    const pay_sig_input_t *input);
static int wise_is_test(const pay_sig_input_t *input);


const pay_sig_scheme_t  pay_sig_wise = {
    .name = "wise",
    .needs = PAY_SIG_NEEDS_RSA_KEY,
    .signs_time = 0,
    .verify = wise_verify,
    .sign = pay_sig_sign_never
};


static pay_sig_verdict_t
wise_verify(pay_arena_t *arena, const pay_sig_input_t *input,
    pay_sig_result_t *result)
{
    memset(result, 0, sizeof(*result));
    result->verdict = wise_judge(arena, input);
    result->is_test = result->verdict == PAY_SIG_VALID
                      && wise_is_test(input);

    return result->verdict;
}


static pay_sig_verdict_t
wise_judge(pay_arena_t *arena, const pay_sig_input_t *input)
{
    pay_str_t     text, signature;
    pay_status_t  status;

    /* a setting that is absent must not make anything valid */
    if (input->settings->rsa_pem.len == 0) {
        return PAY_SIG_ERROR;
    }

    status = pay_header_find(input->headers, input->header_count,
                             WISE_SIGNATURE, &text);
    if (status != PAY_OK) {
        return (status == PAY_NOT_FOUND) ? PAY_SIG_HEADER_MISSING
                                         : PAY_SIG_HEADER_INVALID;
    }

    if (text.len == 0 || text.len > WISE_SIGNATURE_MAX) {
        return PAY_SIG_HEADER_INVALID;
    }

    status = pay_base64_decode(arena, text, &signature);
    if (status != PAY_OK) {
        return (status == PAY_INVALID) ? PAY_SIG_HEADER_INVALID
                                       : PAY_SIG_ERROR;
    }

    status = pay_rsa_verify(input->settings->rsa_pem, input->body, signature);
    if (status != PAY_OK) {
        return (status == PAY_INVALID) ? PAY_SIG_MISMATCH : PAY_SIG_ERROR;
    }

    return PAY_SIG_VALID;
}


/* Sent while a subscription is made, to see whether the address answers.  The
 * header is not signed: a message that has it changes nothing. */
static int
wise_is_test(const pay_sig_input_t *input)
{
    pay_str_t  value;

    switch (pay_header_find(input->headers, input->header_count, WISE_TEST,
                            &value))
    {
    case PAY_OK:
        return !pay_str_is(value, "false");

    case PAY_NOT_FOUND:
        return 0;

    default:
        return 1;
    }
}
