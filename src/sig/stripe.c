/*
 * Stripe's webhook signature (docs/psp/stripe.md#webhooks): Stripe-Signature:
 * t=<unix>,v1=<hex> and more v1 values while a secret is rolled.  The key is
 * the endpoint secret as text, whsec_ included; the MAC is over "<t>.<raw
 * body>".  Stricter than Stripe's own library in one point: a time ahead of
 * ours is bound by the tolerance too (docs/security.md W4).
 */

#include "sig/sig.h"


#define STRIPE_ITEMS_MAX  (1 + 2 * PAY_SIG_VALUES_MAX)   /* t, v1s, v0s */
#define STRIPE_KEY_MIN    16

typedef struct {
    /* The header taken apart; `time` is the text as it was signed, since
     * "01700000000" and "1700000000" are one number and two messages. */
    int               has_time;
    pay_str_t         time;
    unsigned          v1_count;
    pay_sig_values_t  values;
} stripe_header_t;


static pay_status_t stripe_key_parse(pay_str_t text, pay_secret_t *key,
    pay_err_t *err);
static pay_sig_verdict_t stripe_verify(pay_arena_t *arena,
    const pay_sig_input_t *input, pay_sig_result_t *result);
static pay_sig_verdict_t stripe_judge(const pay_sig_input_t *input,
    pay_sig_result_t *result);
static pay_sig_verdict_t stripe_header_parse(pay_str_t text,
    stripe_header_t *header);
static pay_sig_verdict_t stripe_item(pay_str_t name, pay_str_t value,
    stripe_header_t *header);
static pay_status_t stripe_sign(pay_arena_t *arena,
    const pay_sig_message_t *message, pay_header_t headers[4], size_t *count);


const pay_sig_scheme_t  pay_sig_stripe = {
    .name = "stripe",
    .needs = PAY_SIG_NEEDS_KEY,
    .signs_time = 1,
    .key_parse = stripe_key_parse,
    .verify = stripe_verify,
    .sign = stripe_sign
};


/* The whole text is the key, whsec_ included; Svix' keys look the same and are
 * decoded (standardwebhooks.c). */
static pay_status_t
stripe_key_parse(pay_str_t text, pay_secret_t *key, pay_err_t *err)
{
    size_t  i;

    if (text.len < STRIPE_KEY_MIN) {
        return pay_refuse(err, "configuration",
            "a Stripe webhook secret has at least 16 characters: "
            "copy the whole text, whsec_ included");
    }

    for (i = 0; i < text.len; i++) {
        if (text.data[i] <= ' ' || text.data[i] > '~') {
            return pay_refuse(err, "configuration",
                "a Stripe webhook secret is printable ASCII without blanks");
        }
    }

    if (pay_secret_set(key, text) != PAY_OK) {
        return pay_refuse(err, "configuration",
            "a Stripe webhook secret has at most 512 characters");
    }

    return PAY_OK;
}


static pay_sig_verdict_t
stripe_verify(pay_arena_t *arena, const pay_sig_input_t *input,
    pay_sig_result_t *result)
{
    (void) arena;

    memset(result, 0, sizeof(*result));
    result->verdict = stripe_judge(input, result);

    return result->verdict;
}


/* The time is judged before the MAC: a stale message costs no hash of its
 * body. result->timestamp_s is set for a valid message alone, since before
 * that the time is a stranger's. */
static pay_sig_verdict_t
stripe_judge(const pay_sig_input_t *input, pay_sig_result_t *result)
{
    int64_t            timestamp_s;
    pay_str_t          text, parts[3];
    pay_status_t       status;
    stripe_header_t    header;
    pay_sig_verdict_t  verdict;

    status = pay_header_find(input->headers, input->header_count,
                             "Stripe-Signature", &text);
    if (status != PAY_OK) {
        return (status == PAY_NOT_FOUND) ? PAY_SIG_HEADER_MISSING
                                         : PAY_SIG_HEADER_INVALID;
    }

    verdict = stripe_header_parse(text, &header);
    if (verdict != PAY_SIG_VALID) {
        return verdict;
    }

    verdict = pay_sig_time_check(input, header.time, &timestamp_s,
                                 &result->ahead);
    if (verdict != PAY_SIG_VALID) {
        return verdict;
    }

    /* "<t>.<body>", with the time as it was written. */
    parts[0] = header.time;
    parts[1] = PAY_STR(".");
    parts[2] = input->body;

    verdict = pay_sig_match(input, parts, 3, &header.values);
    if (verdict == PAY_SIG_VALID) {
        result->timestamp_s = timestamp_s;
    }

    return verdict;
}


/* Takes items of name=value with commas between, at most STRIPE_ITEMS_MAX of
 * them: the length of the header is otherwise the sender's to choose. */
static pay_sig_verdict_t
stripe_header_parse(pay_str_t text, stripe_header_t *header)
{
    int                more, has_value;
    unsigned           items;
    pay_str_t          item, name;
    pay_sig_verdict_t  verdict;

    memset(header, 0, sizeof(*header));
    items = 0;

    do {
        if (items++ == STRIPE_ITEMS_MAX) {
            return PAY_SIG_HEADER_INVALID;
        }

        item = pay_sig_cut(&text, ',', &more);
        name = pay_sig_cut(&item, '=', &has_value);

        if (!has_value) {
            return PAY_SIG_HEADER_INVALID;
        }

        verdict = stripe_item(name, item, header);
        if (verdict != PAY_SIG_VALID) {
            return verdict;
        }
    } while (more);

    return header->has_time ? PAY_SIG_VALID : PAY_SIG_HEADER_INVALID;
}


/* Items of other names are skipped: v0 is a fake of Stripe's test mode.  A v1
 * that is no lower-case hex of the right length fits nothing and is skipped,
 * too; an empty one condemns the header, as in Stripe's library. */
static pay_sig_verdict_t
stripe_item(pay_str_t name, pay_str_t value, stripe_header_t *header)
{
    pay_sig_values_t  *values = &header->values;

    if (pay_str_is(name, "t")) {
        if (header->has_time) {
            return PAY_SIG_HEADER_INVALID;
        }

        header->has_time = 1;
        header->time = value;

        return PAY_SIG_VALID;
    }

    if (!pay_str_is(name, "v1")) {
        return PAY_SIG_VALID;
    }

    if (value.len == 0 || header->v1_count++ == PAY_SIG_VALUES_MAX) {
        return PAY_SIG_HEADER_INVALID;
    }

    if (pay_hex_decode(value, values->mac[values->count], PAY_SHA256_SIZE)
        == PAY_OK)
    {
        values->count++;
    }

    return PAY_SIG_VALID;
}


static pay_status_t
stripe_sign(pay_arena_t *arena, const pay_sig_message_t *message,
    pay_header_t headers[4], size_t *count)
{
    pay_str_t      timestamp, hex, value, parts[3];
    unsigned char  mac[PAY_SHA256_SIZE];

    if (message->now_s < 0) {
        return PAY_BUG;
    }

    PAY_TRY(pay_format(arena, &timestamp, 20, "%lld",
                       (long long) message->now_s));

    parts[0] = timestamp;
    parts[1] = PAY_STR(".");
    parts[2] = message->body;

    PAY_TRY(pay_hmac_sha256(pay_secret_str(message->key), parts, 3, mac));
    PAY_TRY(pay_hex_encode(arena, (pay_str_t) { sizeof(mac), mac }, &hex));
    PAY_TRY(pay_format(arena, &value, 128, "t=%.*s,v1=%.*s",
                       pay_fmt(timestamp), pay_fmt(hex)));

    headers[0].name = PAY_STR("Stripe-Signature");
    headers[0].value = value;
    *count = 1;

    return PAY_OK;
}
