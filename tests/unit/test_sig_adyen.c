/*
 * Adyen's Standard webhooks, whose signature stands in each item of the body,
 * and the hex keys of both kinds.  The header form is in test_sig_form.c.
 */

#include "sig_world.h"


#define ITEM_TEXT  2048
#define BODY_TEXT  65536

/* What one item says; NULL leaves a member out. */
typedef struct {
    const char  *psp_reference;
    const char  *original;     /* as JSON text */
    const char  *account;
    const char  *reference;
    const char  *value;        /* as JSON text */
    const char  *currency;
    const char  *event_code;
    const char  *success;
} item_t;


static const item_t  paid = {
    "NXTNCX4KB9ZFHJ0S", NULL, "TestMerchant", "order-1", "1130", "EUR",
    "AUTHORISATION", "true"
};


/* A stranger's 240 kB of "{}" took 16 ms and 20 MB before any key was asked. */
static void
adyen_refuses_unread(const char *piece, size_t size)
{
    size_t          n;
    sig_world_t     w;
    unsigned char  *body;

    static const char  head[] = "{\"notificationItems\":[{"
        "\"NotificationRequestItem\":{\"additionalData\":{\"hmacSignature\":\""
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"},\"x\":[";
    static const char  tail[] = "0]}}]}";

    sig_open(&w, pay_sig_find(PAY_STR("adyen")));
    body = pay_alloc(w.arena, size + sizeof(head) + sizeof(tail) + 64);
    cr_assert_not_null(body);

    memcpy(body, head, sizeof(head) - 1);

    for (n = sizeof(head) - 1; n < size; n += strlen(piece)) {
        memcpy(body + n, piece, strlen(piece));
    }

    memcpy(body + n, tail, sizeof(tail) - 1);
    w.input.body = (pay_str_t) { n + sizeof(tail) - 1, body };

    cr_expect_eq(w.scheme->verify(w.arena, &w.input, &w.result),
                 PAY_SIG_HEADER_INVALID, "%s", piece);

    /* it is the size that decides: the same in small is judged by its MAC */
    memcpy(body + sizeof(head) - 1, tail, sizeof(tail) - 1);
    w.input.body.len = sizeof(head) + sizeof(tail) - 2;
    cr_expect_eq(w.scheme->verify(w.arena, &w.input, &w.result),
                 PAY_SIG_MISMATCH, "%s", piece);

    pay_heap_destroy(w.heap);
}


Test(pay_sig_adyen, what_is_larger_than_any_webhook_is_refused_unread)
{
    adyen_refuses_unread("[[],[],[],[],[],[],[],[]],", 12000);
    adyen_refuses_unread("{\"a\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14]},", 20000);
    adyen_refuses_unread("          ", 65536);
}


static void
adyen_open(sig_world_t *w)
{
    sig_open(w, pay_sig_find(PAY_STR("adyen")));
}


/* The MAC over the joined text under the key of that number, in base64. */
static pay_str_t
mac_of(sig_world_t *w, size_t key, const char *text)
{
    pay_str_t      part = pay_str_of(text), base64;
    unsigned char  mac[PAY_SHA256_SIZE];

    cr_assert_eq(pay_hmac_sha256(pay_secret_str(&w->keys[key]), &part, 1,
                                 mac), PAY_OK);
    cr_assert_eq(pay_base64_encode(w->arena, (pay_str_t) { 32, mac },
                                   &base64), PAY_OK);

    return base64;
}


static pay_str_t
item_json(sig_world_t *w, const item_t *item, pay_str_t signature)
{
    pay_buf_t  buf;
    pay_str_t  text;

    pay_buf_init(&buf, w->arena, ITEM_TEXT);
    pay_buf_text(&buf, "{\"NotificationRequestItem\":{\"additionalData\":{"
                       "\"hmacSignature\":\"");
    pay_buf_add(&buf, signature);
    pay_buf_text(&buf, "\"},\"amount\":{\"currency\":\"");
    pay_buf_text(&buf, item->currency);
    pay_buf_text(&buf, "\",\"value\":");
    pay_buf_text(&buf, item->value);
    pay_buf_text(&buf, "},\"eventCode\":\"");
    pay_buf_text(&buf, item->event_code);
    pay_buf_text(&buf, "\",\"merchantAccountCode\":\"");
    pay_buf_text(&buf, item->account);
    pay_buf_text(&buf, "\",\"merchantReference\":\"");
    pay_buf_text(&buf, item->reference);

    if (item->original != NULL) {
        pay_buf_text(&buf, "\",\"originalReference\":");
        pay_buf_text(&buf, item->original);
        pay_buf_text(&buf, ",\"pspReference\":\"");

    } else {
        pay_buf_text(&buf, "\",\"pspReference\":\"");
    }

    pay_buf_text(&buf, item->psp_reference);
    pay_buf_text(&buf, "\",\"success\":\"");
    pay_buf_text(&buf, item->success);
    pay_buf_text(&buf, "\"}}");
    cr_assert_eq(pay_buf_done(&buf, &text), PAY_OK);

    return text;
}


static void
wrap(sig_world_t *w, const pay_str_t *items, unsigned count)
{
    unsigned   i;
    pay_buf_t  buf;

    pay_buf_init(&buf, w->arena, BODY_TEXT);
    pay_buf_text(&buf, "{\"live\":\"false\",\"notificationItems\":[");

    for (i = 0; i < count; i++) {
        pay_buf_text(&buf, i ? "," : "");
        pay_buf_add(&buf, items[i]);
    }

    pay_buf_text(&buf, "]}");
    cr_assert_eq(pay_buf_done(&buf, &w->input.body), PAY_OK);
}


/* A body of one item under the MAC of `text`. */
static void
send(sig_world_t *w, const item_t *item, const char *text)
{
    pay_str_t  json = item_json(w, item, mac_of(w, 0, text));

    wrap(w, &json, 1);
}


#define PAID_TEXT                                                             \
    "NXTNCX4KB9ZFHJ0S::TestMerchant:order-1:1130:EUR:AUTHORISATION:true"


Test(pay_sig_adyen, an_item_signed_by_the_documented_formula_is_valid)
{
    item_t       item = paid;
    sig_world_t  w;

    adyen_open(&w);
    send(&w, &item, PAID_TEXT);
    sig_expect(w, PAY_SIG_VALID);
    cr_expect_eq(w.result.event_id.len, 0);
    cr_expect_eq(w.result.timestamp_s, 0);

    item.original = "\"NXTNCX4KB9ZFHJ0S\"";
    item.psp_reference = "5QLXWM70ZCZE9B5S";
    item.event_code = "CAPTURE";
    send(&w, &item, "5QLXWM70ZCZE9B5S:NXTNCX4KB9ZFHJ0S:TestMerchant:order-1:"
                    "1130:EUR:CAPTURE:true");
    sig_expect(w, PAY_SIG_VALID);
    sig_close(&w);
}


Test(pay_sig_adyen, absent_empty_and_null_are_signed_alike)
{
    size_t       i;
    item_t       item = paid;
    sig_world_t  w;

    static const char *const  originals[] = { NULL, "\"\"", "null" };

    adyen_open(&w);

    for (i = 0; i < sizeof(originals) / sizeof(originals[0]); i++) {
        item.original = originals[i];
        send(&w, &item, PAID_TEXT);
        sig_expect(w, PAY_SIG_VALID);
    }

    sig_close(&w);
}


Test(pay_sig_adyen, the_decoded_text_is_signed_and_not_its_spelling)
{
    item_t       item = paid;
    sig_world_t  w;

    adyen_open(&w);
    item.reference = "a\\/b \\u00e4\\u6771";
    send(&w, &item, "NXTNCX4KB9ZFHJ0S::TestMerchant:a/b \xc3\xa4\xe6\x9d\xb1:"
                    "1130:EUR:AUTHORISATION:true");
    sig_expect(w, PAY_SIG_VALID);
    sig_close(&w);
}


/* Each byte of the body that is not layout matters or is unsigned by design;
 * none of the signed ones may change. */
Test(pay_sig_adyen, each_flipped_byte_of_a_signed_value_fails)
{
    size_t       i, k, at;
    pay_str_t    body, value;
    sig_world_t  w;

    static const char *const  values[] = {
        "NXTNCX4KB9ZFHJ0S", "TestMerchant", "order-1", "1130", "EUR",
        "AUTHORISATION", "\"true\""
    };

    adyen_open(&w);
    send(&w, &paid, PAID_TEXT);
    body = w.input.body;

    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        value = pay_str_of(values[i]);

        for (at = 0; at + value.len <= body.len
             && memcmp(body.data + at, value.data, value.len) != 0; at++)
        {
            /* void */
        }

        cr_assert_leq(at + value.len, body.len);

        for (k = 0; k < value.len; k++) {
            w.input.body = sig_flipped(&w, body, at + k, 1);
            cr_expect_neq(sig_judge(&w), PAY_SIG_VALID, "%s[%zu]", values[i],
                          k);
        }
    }

    w.input.body = body;
    sig_expect(w, PAY_SIG_VALID);
    sig_close(&w);
}


Test(pay_sig_adyen, each_flipped_or_missing_byte_of_the_signature_fails)
{
    size_t       i;
    pay_str_t    right, json;
    sig_world_t  w;

    static const unsigned char  masks[] = { 1, 0x20, 0x80 };

    adyen_open(&w);
    right = mac_of(&w, 0, PAID_TEXT);

    for (i = 0; i < right.len * sizeof(masks); i++) {
        json = item_json(&w, &paid, sig_flipped(&w, right, i / sizeof(masks),
                                                masks[i % sizeof(masks)]));
        wrap(&w, &json, 1);
        cr_expect_neq(sig_judge(&w), PAY_SIG_VALID, "byte %zu",
                      i / sizeof(masks));
    }

    for (i = 0; i < right.len; i++) {
        json = item_json(&w, &paid, (pay_str_t) { i, right.data });
        wrap(&w, &json, 1);
        sig_expect(w, PAY_SIG_HEADER_INVALID);
    }

    sig_close(&w);
}


Test(pay_sig_adyen, any_configured_key_will_do)
{
    size_t       i;
    pay_str_t    json;
    sig_world_t  w;

    adyen_open(&w);

    for (i = 0; i < PAY_SIG_KEYS_MAX; i++) {
        json = item_json(&w, &paid, mac_of(&w, i, PAID_TEXT));
        wrap(&w, &json, 1);

        w.input.key_count = PAY_SIG_KEYS_MAX;
        sig_expect(w, PAY_SIG_VALID);
        w.input.key_count = i;
        sig_expect(w, PAY_SIG_MISMATCH);
    }

    w.input.key_count = PAY_SIG_KEYS_MAX + 1;
    sig_expect(w, PAY_SIG_ERROR);
    sig_close(&w);
}


Test(pay_sig_adyen, one_wrong_item_among_right_ones_condemns_all)
{
    unsigned     bad;
    pay_str_t    right, items[3];
    sig_world_t  w;

    adyen_open(&w);
    right = item_json(&w, &paid, mac_of(&w, 0, PAID_TEXT));

    for (bad = 0; bad < 3; bad++) {
        items[0] = items[1] = items[2] = right;
        wrap(&w, items, 3);
        sig_expect(w, PAY_SIG_VALID);

        items[bad] = item_json(&w, &paid, mac_of(&w, 4, PAID_TEXT));
        wrap(&w, items, 3);
        sig_expect(w, PAY_SIG_MISMATCH);

        items[bad] = PAY_STR("{\"NotificationRequestItem\":{}}");
        wrap(&w, items, 3);
        sig_expect(w, PAY_SIG_HEADER_MISSING);

        items[bad] = PAY_STR("null");
        wrap(&w, items, 3);
        sig_expect(w, PAY_SIG_HEADER_MISSING);
    }

    sig_close(&w);
}


Test(pay_sig_adyen, sixteen_items_are_judged_and_seventeen_refused)
{
    unsigned     i;
    pay_str_t    items[17];
    sig_world_t  w;

    adyen_open(&w);
    items[0] = item_json(&w, &paid, mac_of(&w, 0, PAID_TEXT));

    for (i = 1; i < 17; i++) {
        items[i] = items[0];
    }

    wrap(&w, items, 16);
    sig_expect(w, PAY_SIG_VALID);
    wrap(&w, items, 17);
    sig_expect(w, PAY_SIG_HEADER_INVALID);
    wrap(&w, items, 0);
    sig_expect(w, PAY_SIG_HEADER_INVALID);
    sig_close(&w);
}


/* docs/psp/adyen.md#traps: the parts are joined unescaped, so a colon that may
 * stand in two members lets two items share one signature. */
Test(pay_sig_adyen, a_colon_is_believed_in_the_reference_alone)
{
    size_t       i;
    item_t       item;
    sig_world_t  w;

    static const item_t  shifted[] = {
        { "P:O", NULL, "M", "R", "1", "EUR", "E", "true" },
        { "P", "\"O:M\"", "R", "1", "1", "EUR", "E", "true" },
        { "P", NULL, "M:R", "S", "1", "EUR", "E", "true" },
        { "P", NULL, "M", "R", "\"1:2\"", "EUR", "E", "true" },
        { "P", NULL, "M", "R", "1", "EUR:E", "F", "true" },
        { "P", NULL, "M", "R", "1", "EUR", "E:F", "true" },
        { "P", NULL, "M", "R", "1", "EUR", "E", "true:x" }
    };

    static const char *const  texts[] = {
        "P:O::M:R:1:EUR:E:true", "P:O:M:R:1:1:EUR:E:true",
        "P::M:R:S:1:EUR:E:true", "P::M:R:1:2:EUR:E:true",
        "P::M:R:1:EUR:E:F:true", "P::M:R:1:EUR:E:F:true",
        "P::M:R:1:EUR:E:true:x"
    };

    adyen_open(&w);

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        send(&w, &shifted[i], texts[i]);
        cr_expect_eq(sig_judge(&w), PAY_SIG_HEADER_INVALID, "item %zu", i);
    }

    item = paid;
    item.reference = "A:B:C";
    send(&w, &item, "NXTNCX4KB9ZFHJ0S::TestMerchant:A:B:C:1130:EUR:"
                    "AUTHORISATION:true");
    sig_expect(w, PAY_SIG_VALID);
    sig_close(&w);
}


Test(pay_sig_adyen, hostile_bodies_are_refused)
{
    size_t       i;
    sig_world_t  w;

    static const pay_str_t  bodies[] = {
        pay_string(""), pay_string("null"), pay_string("[]"),
        pay_string("live=false&eventCode=AUTHORISATION"),
        pay_string("{\"notificationItems\":{}}"),
        pay_string("{\"notificationItems\":\"x\"}"),
        pay_string("{\"notificationItems\":[]}"),
        pay_string("{\"notificationItems\":[[]]}"),
        pay_string("{\"notificationItems\":[{}]}"),
        pay_string("{\"notificationItems\":[1,2,3]}"),
        pay_string("{\"notificationItems\":"
                   "[{\"NotificationRequestItem\":[]}]}"),
        pay_string("{\"notificationItems\":[{\"NotificationRequestItem\":"
                   "{\"additionalData\":{\"hmacSignature\":null}}}]}"),
        pay_string("{\"notificationItems\":[{\"NotificationRequestItem\":"
                   "{\"additionalData\":{\"hmacSignature\":[\"a\"]}}}]}"),
        pay_string("{\"notificationItems\":[],\"notificationItems\":[]}"),
        pay_string("\xef\xbb\xbf{\"notificationItems\":[]}"),
        pay_string("{\"notificationItems\":[]}x"),
        pay_string("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[")
    };

    adyen_open(&w);

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        w.input.body = bodies[i];
        cr_expect_neq(sig_judge(&w), PAY_SIG_VALID, "body %zu", i);
        cr_expect_neq(w.result.verdict, PAY_SIG_ERROR, "body %zu", i);
    }

    sig_close(&w);
}


Test(pay_sig_adyen, members_of_wrong_types_are_refused_even_if_signed)
{
    size_t       i;
    item_t       item;
    sig_world_t  w;

    static const char *const  values[] = {
        "11.30", "1130.0", "1e3", "true", "[1130]", "{}"
    };

    adyen_open(&w);
    item = paid;

    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        item.value = values[i];
        send(&w, &item, PAID_TEXT);
        cr_expect_eq(sig_judge(&w), PAY_SIG_HEADER_INVALID, "%s", values[i]);
    }

    item.value = "1130";
    item.original = "{\"x\":1}";
    send(&w, &item, PAID_TEXT);
    sig_expect(w, PAY_SIG_HEADER_INVALID);
    sig_close(&w);
}


/* JavaScript takes the last of two members, others the first. */
Test(pay_sig_adyen, a_doubled_member_is_refused)
{
    pay_str_t    json;
    sig_world_t  w;

    adyen_open(&w);
    json = mac_of(&w, 0, "P:::::::");
    cr_assert_eq(pay_format(w.arena, &w.input.body, 512,
                            "{\"notificationItems\":[{\"NotificationRequest"
                            "Item\":{\"pspReference\":\"P\",\"additionalData"
                            "\":{\"hmacSignature\":\"%.*s\"}}}]}",
                            pay_fmt(json)), PAY_OK);
    sig_expect(w, PAY_SIG_VALID);
    cr_assert_eq(pay_format(w.arena, &w.input.body, 512,
                            "{\"notificationItems\":[{\"NotificationRequest"
                            "Item\":{\"pspReference\":\"P\",\"pspReference\":"
                            "\"P\",\"additionalData"
                            "\":{\"hmacSignature\":\"%.*s\"}}}]}",
                            pay_fmt(json)), PAY_OK);
    sig_expect(w, PAY_SIG_HEADER_INVALID);
    sig_close(&w);
}


Test(pay_sig_adyen, a_wide_additional_data_is_no_reason_to_refuse)
{
    unsigned     i;
    pay_buf_t    buf;
    pay_str_t    item;
    sig_world_t  w;

    adyen_open(&w);
    pay_buf_init(&buf, w.arena, BODY_TEXT);
    pay_buf_text(&buf, "{\"NotificationRequestItem\":{\"pspReference\":\"P\","
                       "\"additionalData\":{\"hmacSignature\":\"");
    pay_buf_add(&buf, mac_of(&w, 0, "P:::::::"));

    for (i = 0; i < 300; i++) {
        pay_buf_text(&buf, "\",\"riskprofile");
        pay_buf_int(&buf, i);
        pay_buf_text(&buf, "\":\"x");
    }

    pay_buf_text(&buf, "\"}}}");
    cr_assert_eq(pay_buf_done(&buf, &item), PAY_OK);
    wrap(&w, &item, 1);
    sig_expect(w, PAY_SIG_VALID);
    sig_close(&w);
}


Test(pay_sig_adyen, failing_allocations_never_make_a_webhook_valid)
{
    sig_world_t  w;

    adyen_open(&w);
    send(&w, &paid, PAID_TEXT);
    cr_expect_gt(sig_torture(&w), 0);
    sig_close(&w);
}


Test(pay_sig_adyen, it_cannot_sign_with_headers)
{
    sig_world_t  w;

    adyen_open(&w);
    cr_expect_eq(sig_sign(&w, 0), PAY_INVALID);
    sig_close(&w);
}


/* Adyen's library cuts a key at its first bad letter: "x…" became the empty
 * key, under which everybody can sign. */
Test(pay_sig_adyen, keys_are_64_hex_digits_and_nothing_else)
{
    size_t                   i, k, at;
    char                     text[65];
    pay_err_t                err;
    pay_secret_t             key;
    const pay_sig_scheme_t  *scheme;

    static const char *const  schemes[] = { "adyen", "adyen-platform" };

    static const char *const  bad[] = {
        "", "0", "zz", "0123456789abcdef",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef00",
        "0x23456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "0123456789abcdef 123456789abcdef0123456789abcdef0123456789abcdef",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    };

    for (i = 0; i < 2; i++) {
        scheme = pay_sig_find(pay_str_of(schemes[i]));

        for (k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
            err.detail = NULL;
            cr_expect_eq(scheme->key_parse(pay_str_of(bad[k]), &key, &err),
                         PAY_INVALID, "key %zu", k);
            cr_assert_not_null(err.detail);
            cr_expect_not_null(strstr(err.detail, "64 hex digits"));
        }

        for (at = 0; at < 64; at++) {
            memcpy(text, sig_keys[0], sizeof(text));
            text[at] = 'g';
            cr_expect_eq(scheme->key_parse(pay_str_of(text), &key, NULL),
                         PAY_INVALID, "digit %zu", at);
        }
    }
}


Test(pay_sig_adyen, a_key_means_the_same_in_either_case)
{
    pay_secret_t             lower, upper;
    const pay_sig_scheme_t  *scheme = pay_sig_find(PAY_STR("adyen"));

    cr_assert_eq(scheme->key_parse(PAY_STR(
        "e226c5f616aed506af6f05e3733c40b21a9c4b06d3a01c0917614fd95718d496"),
        &lower, NULL), PAY_OK);
    cr_assert_eq(scheme->key_parse(PAY_STR(
        "E226C5F616AED506AF6F05E3733C40B21A9C4B06D3A01C0917614FD95718D496"),
        &upper, NULL), PAY_OK);
    cr_expect(pay_str_eq(pay_secret_str(&lower), pay_secret_str(&upper)));
    cr_expect_eq(lower.len, 32);
}
