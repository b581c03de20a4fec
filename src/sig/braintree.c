/*
 * Braintree's webhook signature (docs/psp/braintree.md#webhooks): a form with
 * bt_payload, base64 text, and bt_signature, "public_key|hex" pairs joined by
 * "&".  The hex is an HMAC-SHA-1 over the payload's text, keyed with the SHA-1
 * of the private key; the pair of our public key counts.  The payload is never
 * decoded here.  No time and no id are signed.  An endpoint is checked by GET
 * ?bt_challenge=….
 */

#include "pay_form.h"

#include "sig/sig.h"


#define BRAINTREE_FIELDS_MAX     16    /* of a form or a query */
#define BRAINTREE_CHALLENGE_MIN  20
#define BRAINTREE_CHALLENGE_MAX  32
#define BRAINTREE_ANSWER_MAX     256

typedef struct {
    /* As pay_sig_values_t, for the shorter MACs of SHA-1. */
    unsigned       count;
    unsigned char  mac[PAY_SIG_VALUES_MAX][PAY_SHA1_SIZE];
} braintree_values_t;


static pay_status_t braintree_key_parse(pay_str_t text, pay_secret_t *key,
    pay_err_t *err);
static pay_sig_verdict_t braintree_verify(pay_arena_t *arena,
    const pay_sig_input_t *input, pay_sig_result_t *result);
static pay_sig_verdict_t braintree_judge(pay_arena_t *arena,
    const pay_sig_input_t *input);
static pay_sig_verdict_t braintree_field(pay_arena_t *arena, pay_str_t form,
    const char *name, pay_str_t *value);
static int braintree_is_payload(pay_str_t text);
static int braintree_is_challenge(pay_str_t text);
static pay_sig_verdict_t braintree_pairs(pay_str_t text, pay_str_t public_key,
    braintree_values_t *values);
static pay_sig_verdict_t braintree_match(const pay_sig_input_t *input,
    pay_str_t payload, const braintree_values_t *values);
static pay_status_t braintree_challenge(pay_arena_t *arena,
    const pay_sig_settings_t *settings, const pay_secret_t *keys,
    size_t key_count, pay_str_t query, pay_str_t *answer);


const pay_sig_scheme_t  pay_sig_braintree = {
    .name = "braintree",
    .needs = PAY_SIG_NEEDS_KEY | PAY_SIG_NEEDS_PUBLIC_KEY,
    .signs_time = 0,
    .ack = NULL,
    .key_parse = braintree_key_parse,
    .verify = braintree_verify,
    .sign = pay_sig_sign_never,
    .challenge = braintree_challenge
};


/* Verification needs the digest alone; the private key's text is wiped. */
static pay_status_t
braintree_key_parse(pay_str_t text, pay_secret_t *key, pay_err_t *err)
{
    pay_secret_t   private_key;
    pay_status_t   status;
    unsigned char  digest[PAY_SHA1_SIZE];

    PAY_TRY(pay_sig_key_text(text, &private_key, err));

    status = pay_sha1(pay_secret_str(&private_key), digest);
    pay_secret_wipe(&private_key);

    if (status == PAY_OK) {
        status = pay_secret_set(key, (pay_str_t) { sizeof(digest), digest });
    }

    explicit_bzero(digest, sizeof(digest));

    return status;
}


static pay_sig_verdict_t
braintree_verify(pay_arena_t *arena, const pay_sig_input_t *input,
    pay_sig_result_t *result)
{
    memset(result, 0, sizeof(*result));
    result->verdict = braintree_judge(arena, input);

    return result->verdict;
}


/* A payload that is a challenge is refused: Braintree's GET lets anybody have
 * such a text signed, so that its MAC proves nothing. */
static pay_sig_verdict_t
braintree_judge(pay_arena_t *arena, const pay_sig_input_t *input)
{
    pay_str_t           signature, payload;
    pay_sig_verdict_t   verdict;
    braintree_values_t  values;

    if (input->settings->public_key.len == 0) {
        return PAY_SIG_ERROR;
    }

    verdict = braintree_field(arena, input->body, "bt_signature", &signature);
    if (verdict != PAY_SIG_VALID) {
        return verdict;
    }

    verdict = braintree_field(arena, input->body, "bt_payload", &payload);
    if (verdict != PAY_SIG_VALID) {
        return verdict;
    }

    /* who asks for a challenge gets a MAC over a text of his choice */
    if (!braintree_is_payload(payload) || braintree_is_challenge(payload)) {
        return PAY_SIG_HEADER_INVALID;
    }

    verdict = braintree_pairs(signature, input->settings->public_key,
                              &values);
    if (verdict != PAY_SIG_VALID) {
        return verdict;
    }

    return braintree_match(input, payload, &values);
}


/* Each field must stand in the form once; see pay_header_find() for the
 * reason. */
static pay_sig_verdict_t
braintree_field(pay_arena_t *arena, pay_str_t form, const char *name,
    pay_str_t *value)
{
    pay_status_t  status;

    status = pay_form_get(arena, form, BRAINTREE_FIELDS_MAX, name, value);

    if (status == PAY_NOT_FOUND) {
        return PAY_SIG_HEADER_MISSING;
    }

    if (status == PAY_NO_MEMORY) {
        return PAY_SIG_ERROR;
    }

    return (status == PAY_OK) ? PAY_SIG_VALID : PAY_SIG_HEADER_INVALID;
}


/* The same as Braintree's library allows: base64 with line feeds, and no
 * more. */
static int
braintree_is_payload(pay_str_t text)
{
    size_t         i;
    unsigned char  c;

    for (i = 0; i < text.len; i++) {
        c = text.data[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z')
            && !(c >= '0' && c <= '9') && c != '+' && c != '/' && c != '='
            && c != '\n')
        {
            return 0;
        }
    }

    return text.len != 0;
}


/* 20 to 32 lower-case hex digits, as Braintree documents it: the one kind of
 * text that braintree_challenge() signs for a stranger. */
static int
braintree_is_challenge(pay_str_t text)
{
    size_t  i;

    for (i = 0; i < text.len; i++) {
        if (!(text.data[i] >= '0' && text.data[i] <= '9')
            && !(text.data[i] >= 'a' && text.data[i] <= 'f'))
        {
            return 0;
        }
    }

    return text.len >= BRAINTREE_CHALLENGE_MIN
           && text.len <= BRAINTREE_CHALLENGE_MAX;
}


/* A pair of another public key, without a bar or with anything but lower-case
 * hex of the right length fits nothing and is skipped. */
static pay_sig_verdict_t
braintree_pairs(pay_str_t text, pay_str_t public_key,
    braintree_values_t *values)
{
    int        more, has_bar;
    unsigned   pairs;
    pay_str_t  pair, name;

    pairs = 0;
    values->count = 0;

    do {
        if (pairs++ == PAY_SIG_VALUES_MAX) {
            return PAY_SIG_HEADER_INVALID;
        }

        pair = pay_sig_cut(&text, '&', &more);
        name = pay_sig_cut(&pair, '|', &has_bar);

        if (has_bar && pay_str_eq(name, public_key)
            && pay_hex_decode(pair, values->mac[values->count],
                              PAY_SHA1_SIZE)
               == PAY_OK)
        {
            values->count++;
        }
    } while (more);

    return PAY_SIG_VALID;
}


/* All keys, all pairs, and the payload with and without the line feed at its
 * end that some senders' forms lose. */
static pay_sig_verdict_t
braintree_match(const pay_sig_input_t *input, pay_str_t payload,
    const braintree_values_t *values)
{
    int            equal, fits;
    size_t         k;
    unsigned       i, n;
    pay_str_t      expected, parts[2];
    unsigned char  mac[PAY_SHA1_SIZE];

    if (input->key_count > PAY_SIG_KEYS_MAX) {
        return PAY_SIG_ERROR;
    }

    equal = 0;
    expected = (pay_str_t) { sizeof(mac), mac };
    parts[0] = payload;
    parts[1] = PAY_STR("\n");

    for (k = 0; k < input->key_count; k++) {
        fits = 0;

        /* n is the number of parts: the payload alone, then with the line
         * feed. */
        for (n = 1; n <= 2; n++) {

            if (pay_hmac_sha1(pay_secret_str(&input->keys[k]), parts, n, mac)
                != PAY_OK)
            {
                return PAY_SIG_ERROR;
            }

            for (i = 0; i < values->count; i++) {
                fits |= pay_equal_ct(expected, (pay_str_t) {
                                         PAY_SHA1_SIZE, values->mac[i] });
            }
        }

        pay_sig_note(input, k, fits);
        equal |= fits;
    }

    return equal ? PAY_SIG_VALID : PAY_SIG_MISMATCH;
}


/* Answered with the first key: it belongs to the public key. */
static pay_status_t
braintree_challenge(pay_arena_t *arena, const pay_sig_settings_t *settings,
    const pay_secret_t *keys, size_t key_count, pay_str_t query,
    pay_str_t *answer)
{
    pay_str_t      text, hex;
    unsigned char  mac[PAY_SHA1_SIZE];

    if (key_count == 0 || settings->public_key.len == 0) {
        return PAY_BUG;
    }

    if (pay_form_raw(query, BRAINTREE_FIELDS_MAX, "bt_challenge", &text)
        != PAY_OK
        || !braintree_is_challenge(text))
    {
        return PAY_INVALID;
    }

    PAY_TRY(pay_hmac_sha1(pay_secret_str(&keys[0]), &text, 1, mac));
    PAY_TRY(pay_hex_encode(arena, (pay_str_t) { sizeof(mac), mac }, &hex));

    return pay_format(arena, answer, BRAINTREE_ANSWER_MAX, "%.*s|%.*s",
                      pay_fmt(settings->public_key), pay_fmt(hex));
}
