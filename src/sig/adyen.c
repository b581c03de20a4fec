/*
 * Adyen's two families of webhooks (docs/psp/adyen.md#webhooks); both keys are
 * hex text, and anything but 64 hex digits is refused: read leniently, a bad
 * key becomes an empty one, under which everybody can sign.  "adyen"
 * (Standard): each item of the JSON body carries the base64 MAC of eight of
 * its own values, and every item must be right.  "adyen-platform": header
 * HmacSignature over the raw body.  Neither signs a time.
 */

#include "sig/sig.h"
#include "pay_json.h"


#define ADYEN_KEY_SIZE   32
/* The signature stands in the body, so strangers make us parse this much: an
 * item has 1 to 2 KB.  A longer body is refused unread. */
#define ADYEN_BODY_MAX   65536
#define ADYEN_VALUES_MAX 4096
#define ADYEN_WIDTH_MAX  512           /* additionalData can be wide */
#define ADYEN_ITEMS_MAX  16

enum { ADYEN_REFERENCE = 3, ADYEN_FIELDS = 8 };

typedef struct {
    /* Where a signed value stands in an item of the body. */
    const char  *object;       /* NULL: the item itself */
    const char  *member;
} adyen_field_t;


static pay_status_t adyen_key_parse(pay_str_t text, pay_secret_t *key,
    pay_err_t *err);
static pay_sig_verdict_t adyen_verify(pay_arena_t *arena,
    const pay_sig_input_t *input, pay_sig_result_t *result);
static pay_sig_verdict_t adyen_items(pay_arena_t *arena,
    const pay_sig_input_t *input, const pay_json_t *items);
static pay_sig_verdict_t adyen_item(pay_arena_t *arena,
    const pay_sig_input_t *input, const pay_json_t *item);
static pay_sig_verdict_t adyen_text(pay_arena_t *arena,
    const pay_json_t *json, pay_str_t *text);
static int adyen_is_blurring(pay_str_t text);


/* In the order in which they are signed, with ":" between. */
static const adyen_field_t  adyen_fields[] = {
    { NULL, "pspReference" },
    { NULL, "originalReference" },
    { NULL, "merchantAccountCode" },
    { NULL, "merchantReference" },
    { "amount", "value" },
    { "amount", "currency" },
    { NULL, "eventCode" },
    { NULL, "success" }
};
PAY_ROWS(adyen_fields, ADYEN_FIELDS);

static const pay_sig_form_t  platform_form = {
    .header = "HmacSignature",
    .prefix = "",
    .is_base64 = 1
};

PAY_SIG_FORM_SLOTS(platform)

const pay_sig_scheme_t  pay_sig_adyen = {
    .name = "adyen",
    .needs = PAY_SIG_NEEDS_KEY,
    .signs_time = 0,
    .ack = "[accepted]",
    .key_parse = adyen_key_parse,
    .verify = adyen_verify,
    .sign = pay_sig_sign_never,
    .challenge = NULL
};

const pay_sig_scheme_t  pay_sig_adyen_platform = {
    .name = "adyen-platform",
    .needs = PAY_SIG_NEEDS_KEY,
    .signs_time = 0,
    .ack = "[accepted]",
    .key_parse = adyen_key_parse,
    .verify = platform_verify,
    .sign = platform_sign,
    .challenge = NULL
};


/* Hex of either case is read, and nothing else; the copies on the stack are
 * wiped. */
static pay_status_t
adyen_key_parse(pay_str_t text, pay_secret_t *key, pay_err_t *err)
{
    size_t         i;
    pay_status_t   status;
    unsigned char  lower[2 * ADYEN_KEY_SIZE], bytes[ADYEN_KEY_SIZE];

    status = PAY_INVALID;

    if (text.len == sizeof(lower)) {
        for (i = 0; i < sizeof(lower); i++) {
            lower[i] = text.data[i];

            if (lower[i] >= 'A' && lower[i] <= 'F') {
                lower[i] |= 0x20;
            }
        }

        status = pay_hex_decode((pay_str_t) { sizeof(lower), lower }, bytes,
                                sizeof(bytes));
    }

    if (status == PAY_OK) {
        status = pay_secret_set(key, (pay_str_t) { sizeof(bytes), bytes });
    }

    explicit_bzero(lower, sizeof(lower));
    explicit_bzero(bytes, sizeof(bytes));

    if (status != PAY_OK) {
        return pay_refuse(err, "configuration",
            "an Adyen HMAC key is exactly 64 hex digits (0-9, A-F): copy it "
            "whole from the Customer Area");
    }

    return PAY_OK;
}


/* The body must be parsed before it can be verified, because the signature is
 * in it. So its size, width and number of values are bounded more tightly than
 * elsewhere. */
static pay_sig_verdict_t
adyen_verify(pay_arena_t *arena, const pay_sig_input_t *input,
    pay_sig_result_t *result)
{
    pay_json_t    *json;
    pay_status_t   status;

    static const pay_json_limits_t  limits = {
        .max_size = ADYEN_BODY_MAX,
        .max_width = ADYEN_WIDTH_MAX,
        .max_values = ADYEN_VALUES_MAX
    };

    memset(result, 0, sizeof(*result));

    status = pay_json_parse(input->body, &limits, &json, NULL);
    if (status != PAY_OK) {
        result->verdict = (status == PAY_INVALID) ? PAY_SIG_HEADER_INVALID
                                                  : PAY_SIG_ERROR;
        return result->verdict;
    }

    result->verdict = adyen_items(arena, input,
                                  pay_json_get(json, "notificationItems"));
    pay_json_free(json);

    return result->verdict;
}


/* One wrong item condemns the body: nothing of a body that is partly forged is
 * applied. */
static pay_sig_verdict_t
adyen_items(pay_arena_t *arena, const pay_sig_input_t *input,
    const pay_json_t *items)
{
    size_t             i, count;
    pay_sig_verdict_t  verdict;

    count = pay_json_size(items);

    if (pay_json_type(items) != PAY_JSON_ARRAY || count == 0
        || count > ADYEN_ITEMS_MAX)
    {
        return PAY_SIG_HEADER_INVALID;
    }

    for (i = 0; i < count; i++) {
        verdict = adyen_item(arena, input,
                             pay_json_get(pay_json_at(items, i),
                                          "NotificationRequestItem"));
        if (verdict != PAY_SIG_VALID) {
            return verdict;
        }
    }

    return PAY_SIG_VALID;
}


/* Signed are the decoded values, joined unescaped.  A ":" in one of them
 * could pass for the separator; with it in the merchant's reference alone the
 * joined text can be taken apart in one way only, so that one is fine. */
static pay_sig_verdict_t
adyen_item(pay_arena_t *arena, const pay_sig_input_t *input,
    const pay_json_t *item)
{
    unsigned             i;
    pay_str_t            text, parts[2 * ADYEN_FIELDS - 1];
    const pay_json_t    *from;
    pay_sig_values_t     values;
    pay_sig_verdict_t    verdict;

    if (pay_json_string(pay_json_path(item, "additionalData",
                                      "hmacSignature", NULL), &text)
        != PAY_OK)
    {
        return PAY_SIG_HEADER_MISSING;
    }

    /* One signature an item; read strictly, as one value has one spelling. */
    values.count = 0;

    verdict = pay_sig_value_read(arena, text, 1, &values);
    if (verdict != PAY_SIG_VALID) {
        return verdict;
    }

    for (i = 0; i < ADYEN_FIELDS; i++) {
        from = (adyen_fields[i].object != NULL)
               ? pay_json_get(item, adyen_fields[i].object) : item;

        verdict = adyen_text(arena, pay_json_get(from,
                                                 adyen_fields[i].member),
                             &parts[2 * i]);
        if (verdict != PAY_SIG_VALID) {
            return verdict;
        }

        if (i != ADYEN_REFERENCE && adyen_is_blurring(parts[2 * i])) {
            return PAY_SIG_HEADER_INVALID;
        }

        if (i != 0) {
            parts[2 * i - 1] = PAY_STR(":");
        }
    }

    return pay_sig_match(input, parts, 2 * ADYEN_FIELDS - 1, &values);
}


/* As Adyen's library prints it; absent and null are the empty text. */
static pay_sig_verdict_t
adyen_text(pay_arena_t *arena, const pay_json_t *json, pay_str_t *text)
{
    int64_t  number;

    *text = PAY_STR("");

    if (pay_json_type(json) == PAY_JSON_NULL
        || pay_json_string(json, text) == PAY_OK)
    {
        return PAY_SIG_VALID;
    }

    if (pay_json_integer(json, &number) != PAY_OK) {
        return PAY_SIG_HEADER_INVALID;
    }

    return (pay_format(arena, text, 20, "%lld", (long long) number)
            == PAY_OK)
           ? PAY_SIG_VALID : PAY_SIG_ERROR;
}


/* 1 for a text with the separator in it. */
static int
adyen_is_blurring(pay_str_t text)
{
    return text.len != 0 && memchr(text.data, ':', text.len) != NULL;
}
