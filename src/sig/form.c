/*
 * The common form of webhook signatures: one header with one HMAC-SHA-256,
 * in hex or base64, keyed with the secret's text.  Adyen, GoCardless, Mollie,
 * Razorpay and Square are built of it.  It never looks into a body.  Also the
 * sign of schemes that only a PSP can sign.
 */

#include "sig/sig.h"


/* Shorter than any secret that these PSPs hand out: a shorter text was copied
 * by half, or is the name of the secret. */
#define FORM_KEY_MIN   16
#define FORM_TEXT_MAX  128


static pay_sig_verdict_t form_judge(pay_arena_t *arena,
    const pay_sig_input_t *input, const pay_sig_form_t *form,
    const pay_str_t *parts, unsigned part_count);
static pay_str_t form_strip(pay_str_t text, const char *prefix);


/* The text itself is the key, as these PSPs document it, even where it looks
 * like hex or base64. */
pay_status_t
pay_sig_key_text(pay_str_t text, pay_secret_t *key, pay_err_t *err)
{
    size_t  i;

    if (text.len < FORM_KEY_MIN) {
        return pay_refuse(err, "configuration",
            "a webhook secret of this scheme has at least 16 characters: "
            "copy the whole text");
    }

    for (i = 0; i < text.len; i++) {
        if (text.data[i] <= ' ' || text.data[i] > '~') {
            return pay_refuse(err, "configuration",
                "a webhook secret of this scheme is printable ASCII without "
                "blanks");
        }
    }

    if (pay_secret_set(key, text) != PAY_OK) {
        return pay_refuse(err, "configuration",
            "a webhook secret of this scheme has at most 512 characters");
    }

    return PAY_OK;
}


/* The MAC goes into the next place of *values, which the caller has
 * emptied. */
pay_sig_verdict_t
pay_sig_value_read(pay_arena_t *arena, pay_str_t text, int is_base64,
    pay_sig_values_t *values)
{
    pay_str_t     bytes;
    pay_status_t  status;

    if (values->count == PAY_SIG_VALUES_MAX || text.len > FORM_TEXT_MAX) {
        return PAY_SIG_HEADER_INVALID;
    }

    if (is_base64) {
        status = pay_base64_decode(arena, text, &bytes);

        if (status == PAY_NO_MEMORY) {
            return PAY_SIG_ERROR;
        }

        if (status != PAY_OK || bytes.len != PAY_SHA256_SIZE) {
            return PAY_SIG_HEADER_INVALID;
        }

        memcpy(values->mac[values->count], bytes.data, PAY_SHA256_SIZE);

    } else if (pay_hex_decode(text, values->mac[values->count],
                              PAY_SHA256_SIZE)
               != PAY_OK)
    {
        return PAY_SIG_HEADER_INVALID;
    }

    values->count++;

    return PAY_SIG_VALID;
}


pay_sig_verdict_t
pay_sig_form_verify(pay_arena_t *arena, const pay_sig_input_t *input,
    const pay_sig_form_t *form, const pay_str_t *parts, unsigned part_count,
    pay_sig_result_t *result)
{
    memset(result, 0, sizeof(*result));
    result->verdict = form_judge(arena, input, form, parts, part_count);

    return result->verdict;
}


/* values.count stays 0 or becomes 1: a header of these schemes has one
 * signature, and a list of them is malformed. */
static pay_sig_verdict_t
form_judge(pay_arena_t *arena, const pay_sig_input_t *input,
    const pay_sig_form_t *form, const pay_str_t *parts, unsigned part_count)
{
    pay_str_t          text;
    pay_status_t       status;
    pay_sig_values_t   values;
    pay_sig_verdict_t  verdict;

    status = pay_header_find(input->headers, input->header_count,
                             form->header, &text);
    if (status != PAY_OK) {
        return (status == PAY_NOT_FOUND) ? PAY_SIG_HEADER_MISSING
                                         : PAY_SIG_HEADER_INVALID;
    }

    text = form_strip(text, form->prefix);
    values.count = 0;

    verdict = pay_sig_value_read(arena, text, form->is_base64, &values);
    if (verdict != PAY_SIG_VALID) {
        return verdict;
    }

    return pay_sig_match(input, parts, part_count, &values);
}


/* For the simulator, whose PSPs sign their webhooks with the same table that
 * the gateway verifies with. */
pay_status_t
pay_sig_form_sign(pay_arena_t *arena, const pay_sig_form_t *form,
    const pay_sig_message_t *message, const pay_str_t *parts,
    unsigned part_count, pay_header_t headers[4], size_t *count)
{
    pay_str_t      bytes, text, value;
    unsigned char  mac[PAY_SHA256_SIZE];

    PAY_TRY(pay_hmac_sha256(pay_secret_str(message->key), parts, part_count,
                            mac));
    bytes = (pay_str_t) { sizeof(mac), mac };

    if (form->is_base64) {
        PAY_TRY(pay_base64_encode(arena, bytes, &text));

    } else {
        PAY_TRY(pay_hex_encode(arena, bytes, &text));
    }

    PAY_TRY(pay_format(arena, &value, FORM_TEXT_MAX, "%s%.*s", form->prefix,
                       pay_fmt(text)));

    headers[0].name = pay_str_of(form->header);
    headers[0].value = value;
    *count = 1;

    return PAY_OK;
}


pay_status_t
pay_sig_sign_never(pay_arena_t *arena, const pay_sig_message_t *message,
    pay_header_t headers[4], size_t *count)
{
    (void) arena;
    (void) message;
    (void) headers;
    (void) count;

    return PAY_INVALID;
}


/* The prefix of a form is written and may be missing when it is read
 * (pay_sig_form_t). */
static pay_str_t
form_strip(pay_str_t text, const char *prefix)
{
    pay_str_t  wanted = pay_str_of(prefix);

    if (wanted.len != 0 && wanted.len <= text.len
        && memcmp(text.data, wanted.data, wanted.len) == 0)
    {
        text.data += wanted.len;
        text.len -= wanted.len;
    }

    return text;
}
