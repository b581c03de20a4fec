/*
 * Tipalti's IPN (docs/payout-providers.md#tipalti; the public clients github
 * peek-travel/tipalti-elixir and riipen/tipalti-ruby): a form without any
 * signature.  The whole body is posted back to Tipalti, unchanged, and the one
 * word of the answer is the verdict: VERIFIED or INVALID.
 *
 *    no answer at hand ──▶ NEED_CONFIRM ── the flow posts it back ──▶ again
 *
 * Everything that can be refused without an answer is refused before: a
 * stranger makes us call out for the form of an IPN alone.
 */

#include "pay_form.h"

#include "sig/sig.h"


#define TIPALTI_BODY_MAX    65536      /* a group of 250 payments fits */
#define TIPALTI_FIELDS_MAX  64
#define TIPALTI_TYPE_MAX    64
#define TIPALTI_FORM        "application/x-www-form-urlencoded"


static pay_sig_verdict_t tipalti_verify(pay_arena_t *arena,
    const pay_sig_input_t *input, pay_sig_result_t *result);
static pay_sig_verdict_t tipalti_judge(const pay_sig_input_t *input);
static pay_sig_verdict_t tipalti_type(const pay_sig_input_t *input);
static int tipalti_is_ipn(pay_str_t body);


const pay_sig_scheme_t  pay_sig_tipalti = {
    .name = "tipalti",
    .needs = PAY_SIG_NEEDS_CONFIRM,
    .signs_time = 0,
    .verify = tipalti_verify,
    .sign = pay_sig_sign_never
};


static pay_sig_verdict_t
tipalti_verify(pay_arena_t *arena, const pay_sig_input_t *input,
    pay_sig_result_t *result)
{
    (void) arena;

    memset(result, 0, sizeof(*result));
    result->verdict = tipalti_judge(input);

    return result->verdict;
}


/* Any other word, a page of a proxy for example, is no verdict: the flow has
 * Tipalti send the message again. */
static pay_sig_verdict_t
tipalti_judge(const pay_sig_input_t *input)
{
    pay_str_t          answer = input->confirmed;
    pay_sig_verdict_t  verdict = tipalti_type(input);

    if (verdict != PAY_SIG_VALID) {
        return verdict;
    }

    while (answer.len != 0 && answer.data[answer.len - 1] <= ' ') {
        answer.len--;
    }

    return pay_str_is(answer, "VERIFIED") ? PAY_SIG_VALID
           : pay_str_is(answer, "INVALID") ? PAY_SIG_MISMATCH
           : PAY_SIG_NEED_CONFIRM;
}


/* Parameters behind the type, such as a charset, do not count. */
static pay_sig_verdict_t
tipalti_type(const pay_sig_input_t *input)
{
    int           more;
    pay_str_t     type, word;
    pay_status_t  status;

    status = pay_header_find(input->headers, input->header_count,
                             "Content-Type", &type);
    if (status != PAY_OK) {
        return (status == PAY_NOT_FOUND) ? PAY_SIG_HEADER_MISSING
                                         : PAY_SIG_HEADER_INVALID;
    }

    word = pay_sig_cut(&type, ';', &more);

    while (word.len != 0 && word.data[word.len - 1] == ' ') {
        word.len--;
    }

    return pay_str_is(word, TIPALTI_FORM) && tipalti_is_ipn(input->body)
           ? PAY_SIG_VALID : PAY_SIG_HEADER_INVALID;
}


/* A form of visible ASCII that has a type. */
static int
tipalti_is_ipn(pay_str_t body)
{
    size_t     i;
    pay_str_t  type;

    if (body.len > TIPALTI_BODY_MAX) {
        return 0;
    }

    for (i = 0; i < body.len; i++) {
        if (body.data[i] <= ' ' || body.data[i] > '~') {
            return 0;
        }
    }

    return pay_form_raw(body, TIPALTI_FIELDS_MAX, "type", &type) == PAY_OK
           && type.len != 0 && type.len <= TIPALTI_TYPE_MAX;
}
