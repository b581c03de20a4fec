/*
 * Braintree's webhooks: a form whose one field signs the other, and the
 * challenge to the endpoint.
 */

#include "sig_world.h"


#define PAYLOAD   "PG5vdGlmaWNhdGlvbj4K\nPC9ub3RpZmljYXRpb24+Cg==\n"
#define FORM_MAX  65536


/* "public_key|hex" over the text under the key of that number. */
static pay_str_t
pair_of(sig_world_t *w, size_t key, const char *public_key, const char *text)
{
    pay_str_t      part = pay_str_of(text), hex, pair;
    unsigned char  mac[PAY_SHA1_SIZE];

    cr_assert_eq(pay_hmac_sha1(pay_secret_str(&w->keys[key]), &part, 1, mac),
                 PAY_OK);
    cr_assert_eq(pay_hex_encode(w->arena, (pay_str_t) { sizeof(mac), mac },
                                &hex), PAY_OK);
    cr_assert_eq(pay_format(w->arena, &pair, 256, "%s|%.*s", public_key,
                            pay_fmt(hex)), PAY_OK);

    return pair;
}


static void
send(sig_world_t *w, pay_str_t signature, pay_str_t payload)
{
    pay_buf_t  buf;

    pay_buf_init(&buf, w->arena, FORM_MAX);
    pay_buf_text(&buf, "bt_signature=");
    pay_buf_percent(&buf, signature);
    pay_buf_text(&buf, "&bt_payload=");
    pay_buf_percent(&buf, payload);
    cr_assert_eq(pay_buf_done(&buf, &w->input.body), PAY_OK);
}


static void
braintree_open(sig_world_t *w)
{
    sig_open(w, pay_sig_find(PAY_STR("braintree")));
    send(w, pair_of(w, 0, "public_key_1", PAYLOAD), PAY_STR(PAYLOAD));
}


Test(pay_sig_braintree, what_the_private_key_signed_is_valid)
{
    sig_world_t  w;

    braintree_open(&w);
    sig_expect(w, PAY_SIG_VALID);
    cr_expect_eq(w.result.event_id.len, 0);
    cr_expect_eq(w.keys[0].len, PAY_SHA1_SIZE);
    w.input.now_s = INT64_MAX;
    sig_expect(w, PAY_SIG_VALID);
    sig_close(&w);
}


Test(pay_sig_braintree, each_flipped_byte_of_the_payload_fails)
{
    size_t       i;
    pay_str_t    pair;
    sig_world_t  w;

    static const unsigned char  masks[] = { 1, 0x20, 0x80 };

    braintree_open(&w);
    pair = pair_of(&w, 0, "public_key_1", PAYLOAD);

    for (i = 0; i < (sizeof(PAYLOAD) - 1) * sizeof(masks); i++) {
        send(&w, pair, sig_flipped(&w, PAY_STR(PAYLOAD), i / sizeof(masks),
                                   masks[i % sizeof(masks)]));
        cr_expect_neq(sig_judge(&w), PAY_SIG_VALID, "byte %zu",
                      i / sizeof(masks));
    }

    sig_close(&w);
}


Test(pay_sig_braintree, each_flipped_or_missing_byte_of_the_signature_fails)
{
    size_t       i;
    pay_str_t    pair;
    sig_world_t  w;

    static const unsigned char  masks[] = { 1, 0x20, 0x80 };

    braintree_open(&w);
    pair = pair_of(&w, 0, "public_key_1", PAYLOAD);

    for (i = 0; i < pair.len * sizeof(masks); i++) {
        send(&w, sig_flipped(&w, pair, i / sizeof(masks),
                             masks[i % sizeof(masks)]), PAY_STR(PAYLOAD));
        cr_expect_neq(sig_judge(&w), PAY_SIG_VALID, "byte %zu",
                      i / sizeof(masks));
    }

    for (i = 0; i < pair.len; i++) {
        send(&w, (pay_str_t) { i, pair.data }, PAY_STR(PAYLOAD));
        sig_expect(w, PAY_SIG_MISMATCH);
    }

    sig_close(&w);
}


/* Each byte of the form as it travels: none may be meaningless but an escape
 * that spells the same byte. */
Test(pay_sig_braintree, each_flipped_byte_of_the_raw_form_fails)
{
    size_t       i;
    pay_str_t    body;
    sig_world_t  w;

    braintree_open(&w);
    body = w.input.body;

    for (i = 0; i < body.len; i++) {
        w.input.body = sig_flipped(&w, body, i, 1);
        cr_expect_neq(sig_judge(&w), PAY_SIG_VALID, "byte %zu", i);
    }

    sig_close(&w);
}


Test(pay_sig_braintree, a_line_feed_lost_at_the_end_does_not_matter)
{
    sig_world_t  w;

    braintree_open(&w);
    send(&w, pair_of(&w, 0, "public_key_1", PAYLOAD),
         (pay_str_t) { sizeof(PAYLOAD) - 2, (const unsigned char *) PAYLOAD });
    sig_expect(w, PAY_SIG_VALID);

    send(&w, pair_of(&w, 0, "public_key_1", PAYLOAD),
         (pay_str_t) { sizeof(PAYLOAD) - 3, (const unsigned char *) PAYLOAD });
    sig_expect(w, PAY_SIG_MISMATCH);

    send(&w, pair_of(&w, 0, "public_key_1", PAYLOAD), PAY_STR(PAYLOAD "\n"));
    sig_expect(w, PAY_SIG_MISMATCH);
    sig_close(&w);
}


Test(pay_sig_braintree, only_pairs_of_our_public_key_count)
{
    unsigned     others;
    pay_buf_t    buf;
    pay_str_t    list, own;
    sig_world_t  w;

    braintree_open(&w);
    own = pair_of(&w, 0, "public_key_1", PAYLOAD);

    /* the right MAC under another public key's name */
    send(&w, pair_of(&w, 0, "public_key_2", PAYLOAD), PAY_STR(PAYLOAD));
    sig_expect(w, PAY_SIG_MISMATCH);
    send(&w, pair_of(&w, 0, "PUBLIC_KEY_1", PAYLOAD), PAY_STR(PAYLOAD));
    sig_expect(w, PAY_SIG_MISMATCH);
    send(&w, pair_of(&w, 0, "", PAYLOAD), PAY_STR(PAYLOAD));
    sig_expect(w, PAY_SIG_MISMATCH);

    for (others = 0; others <= PAY_SIG_VALUES_MAX; others++) {
        unsigned  i;

        pay_buf_init(&buf, w.arena, 4096);

        for (i = 0; i < others; i++) {
            pay_buf_add(&buf, pair_of(&w, 4, "public_key_2", PAYLOAD));
            pay_buf_text(&buf, "&");
        }

        pay_buf_add(&buf, own);
        cr_assert_eq(pay_buf_done(&buf, &list), PAY_OK);
        send(&w, list, PAY_STR(PAYLOAD));
        sig_expect(w, others < PAY_SIG_VALUES_MAX ? PAY_SIG_VALID
                                                  : PAY_SIG_HEADER_INVALID);
    }

    sig_close(&w);
}


Test(pay_sig_braintree, malformed_pairs_fit_nothing)
{
    size_t       i;
    sig_world_t  w;

    static const char *const  texts[] = {
        "|", "public_key_1", "public_key_1|", "public_key_1||", "&", "&&&",
        "public_key_1|zz", "|0000000000000000000000000000000000000000",
        "public_key_1|0000000000000000000000000000000000000000",
        "public_key_1|00000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000"
    };

    braintree_open(&w);

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        send(&w, pay_str_of(texts[i]), PAY_STR(PAYLOAD));
        cr_expect_eq(sig_judge(&w), PAY_SIG_MISMATCH, "%s", texts[i]);
    }

    sig_close(&w);
}


Test(pay_sig_braintree, any_configured_key_will_do)
{
    size_t       i;
    sig_world_t  w;

    braintree_open(&w);

    for (i = 0; i < PAY_SIG_KEYS_MAX; i++) {
        send(&w, pair_of(&w, i, "public_key_1", PAYLOAD), PAY_STR(PAYLOAD));

        w.input.key_count = PAY_SIG_KEYS_MAX;
        sig_expect(w, PAY_SIG_VALID);
        w.input.key_count = i;
        sig_expect(w, PAY_SIG_MISMATCH);
    }

    w.input.key_count = PAY_SIG_KEYS_MAX + 1;
    sig_expect(w, PAY_SIG_ERROR);
    sig_close(&w);
}


Test(pay_sig_braintree, payloads_of_other_characters_are_refused_even_if_signed)
{
    size_t       i;
    sig_world_t  w;

    static const char *const  payloads[] = {
        "", "PG5v PG5v", "PG5v\r\n", "PG5v\t", "PG5v-", "PG5v_", "<a/>",
        "PG5v\x7f", "PG5v\xc3\xa4"
    };

    braintree_open(&w);

    for (i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
        send(&w, pair_of(&w, 0, "public_key_1", payloads[i]),
             pay_str_of(payloads[i]));
        cr_expect_eq(sig_judge(&w), PAY_SIG_HEADER_INVALID, "payload %zu", i);
    }

    sig_close(&w);
}


Test(pay_sig_braintree, forms_that_could_be_read_in_two_ways_are_refused)
{
    size_t             i;
    pay_str_t          body;
    sig_world_t        w;
    pay_sig_verdict_t  wanted;

    static const char *const  formats[] = {
        "%.*s&bt_payload=PG5v", "%.*s&bt_signature=x", "bt_payload&%.*s",
        "bt_signature=&%.*s", "%.*s%%", "%.*s%%4", "%.*s%%zz",
        "%.*s&a&b&c&d&e&f&g&h&i&j&k&l&m&n&o"
    };

    braintree_open(&w);
    body = w.input.body;

    for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        pay_buf_t      buf;
        const char    *at = strstr(formats[i], "%.*s");
        const char    *p;

        pay_buf_init(&buf, w.arena, FORM_MAX);
        pay_buf_add(&buf, (pay_str_t) { (size_t) (at - formats[i]),
                          (const unsigned char *) formats[i] });
        pay_buf_add(&buf, body);

        for (p = at + 4; *p != '\0'; p += (p[0] == '%') ? 2 : 1) {
            pay_buf_add(&buf, (pay_str_t) { 1, (const unsigned char *) p });
        }

        cr_assert_eq(pay_buf_done(&buf, &w.input.body), PAY_OK);
        wanted = PAY_SIG_HEADER_INVALID;
        cr_expect_eq(sig_judge(&w), wanted, "%s", formats[i]);
    }

    /* fields of other names are somebody else's */
    cr_assert_eq(pay_format(w.arena, &w.input.body, FORM_MAX, "a=1&&%.*s&b",
                            pay_fmt(body)), PAY_OK);
    sig_expect(w, PAY_SIG_VALID);
    sig_close(&w);
}


Test(pay_sig_braintree, absent_fields_are_missing)
{
    size_t       i;
    sig_world_t  w;

    static const pay_str_t  bodies[] = {
        pay_string(""), pay_string("&"), pay_string("="), pay_string("\0"),
        pay_string("bt_payload=PG5v"), pay_string("bt_signature=a%7Cb"),
        pay_string("BT_SIGNATURE=a&BT_PAYLOAD=b"),
        pay_string("{\"bt_signature\":\"a\"}")
    };

    braintree_open(&w);

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        w.input.body = bodies[i];
        cr_expect_eq(sig_judge(&w), PAY_SIG_HEADER_MISSING, "body %zu", i);
    }

    sig_close(&w);
}


Test(pay_sig_braintree, without_a_configured_public_key_nothing_is_valid)
{
    sig_world_t  w;

    braintree_open(&w);
    send(&w, pair_of(&w, 0, "", PAYLOAD), PAY_STR(PAYLOAD));
    w.settings.public_key = PAY_STR("");
    sig_expect(w, PAY_SIG_ERROR);
    sig_close(&w);
}


Test(pay_sig_braintree, failing_allocations_never_make_a_webhook_valid)
{
    sig_world_t  w;

    braintree_open(&w);
    cr_expect_gt(sig_torture(&w), 0);
    sig_close(&w);
}


Test(pay_sig_braintree, it_cannot_sign_with_headers)
{
    sig_world_t  w;

    braintree_open(&w);
    cr_expect_eq(sig_sign(&w, 0), PAY_INVALID);
    sig_close(&w);
}


/* Made by braintree@3.40.0, webhookNotification.verify(). */
Test(pay_sig_braintree, challenges_are_answered_as_the_library_does)
{
    size_t                   i;
    pay_str_t                answer, query;
    pay_secret_t             key;
    pay_sig_settings_t       settings;
    const pay_sig_scheme_t  *scheme = pay_sig_find(PAY_STR("braintree"));

    static const char *const  ok[][2] = {
        { "c6b52af0023e4fa2c4be",
          "j02444dupmuxvhsq|b82124c68d9bbf805af459ee6ebf667f17dfa092" },
        { "b2fe7fa3d03a76a811b946d4f22f83b0",
          "j02444dupmuxvhsq|39da916075198cc4ae3c052fc0c00608838583e5" },
        { "3c3b7fd18a97a1cb1642",
          "j02444dupmuxvhsq|af63ff11fe09150107fce5e1a740c3313c38d89f" }
    };

    static const char *const  refused[] = {
        "", "bt_challenge", "bt_challenge=", "bt_challenge=abc",
        "bt_challenge=zzzzzzzzzzzzzzzzzzzz",
        "bt_challenge=AAAAAAAAAAAAAAAAAAAA",
        "bt_challenge=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "bt_challenge=aaaaaaaaaaaaaaaaaaa",
        "bt_challenge=deadbeef00 deadbeef00",
        "bt_challenge=deadbeef00+deadbeef00",
        "bt_challenge=%61aaaaaaaaaaaaaaaaaaa",
        "BT_CHALLENGE=aaaaaaaaaaaaaaaaaaaa", "x=aaaaaaaaaaaaaaaaaaaa",
        "bt_challenge=aaaaaaaaaaaaaaaaaaaa&bt_challenge=bbbbbbbbbbbbbbbbbbbb",
        "aaaaaaaaaaaaaaaaaaaa"
    };

    memset(&settings, 0, sizeof(settings));
    settings.public_key = PAY_STR("j02444dupmuxvhsq");
    cr_assert_eq(scheme->key_parse(PAY_STR("6147a26c6bd2da8cdb89ac5f7322033a"),
                                   &key, NULL), PAY_OK);

    for (i = 0; i < sizeof(ok) / sizeof(ok[0]); i++) {
        cr_assert_eq(pay_format(test_arena(), &query, 64,
                                "bt_challenge=%s", ok[i][0]), PAY_OK);
        cr_assert_eq(scheme->challenge(test_arena(), &settings, &key,
                                       1, query, &answer), PAY_OK);
        cr_expect(pay_str_is(answer, ok[i][1]), "%.*s", pay_fmt(answer));
    }

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        cr_expect_eq(scheme->challenge(test_arena(), &settings, &key,
                                       1, pay_str_of(refused[i]), &answer),
                     PAY_INVALID, "%s", refused[i]);
    }

    cr_expect_eq(scheme->challenge(test_arena(), &settings, &key, 0,
                                   query, &answer), PAY_BUG);
}


static pay_status_t
challenge_once(pay_arena_t *arena, void *result)
{
    sig_world_t   w;
    pay_status_t  status;

    sig_open(&w, pay_sig_find(PAY_STR("braintree")));
    status = w.scheme->challenge(arena, &w.settings, w.keys, 2,
                                 PAY_STR("bt_challenge=aaaaaaaaaaaaaaaaaaaa"),
                                 result);
    sig_close(&w);

    return status;
}


Test(pay_sig_braintree, challenge_survives_each_failing_allocation)
{
    cr_expect_gt(torture(challenge_once, sizeof(pay_str_t)), 0);
}


Test(pay_sig_braintree, a_challenge_of_33_digits_is_one_too_many)
{
    pay_str_t    answer;
    sig_world_t  w;

    braintree_open(&w);
    cr_expect_eq(w.scheme->challenge(w.arena, &w.settings, w.keys, 1,
                                     PAY_STR("bt_challenge=0123456789abcdef"
                                             "0123456789abcdef"), &answer),
                 PAY_OK);
    cr_expect_eq(w.scheme->challenge(w.arena, &w.settings, w.keys, 1,
                                     PAY_STR("bt_challenge=0123456789abcdef"
                                             "0123456789abcdef0"), &answer),
                 PAY_INVALID);
    sig_close(&w);
}


/* Anybody may ask for a challenge: the endpoint signs 20 to 32 hex digits of
 * his choice, which are legal base64. */
Test(pay_sig_braintree, the_answer_to_a_challenge_signs_no_webhook)
{
    pay_str_t    answer;
    sig_world_t  w;

    braintree_open(&w);
    cr_assert_eq(w.scheme->challenge(w.arena, &w.settings, w.keys, 1,
                                     PAY_STR("bt_challenge=0123456789abcdef"
                                             "0123"), &answer), PAY_OK);
    send(&w, answer, PAY_STR("0123456789abcdef0123"));
    sig_expect(w, PAY_SIG_HEADER_INVALID);
    send(&w, answer, PAY_STR("0123456789abcdef0123\n"));
    sig_expect(w, PAY_SIG_MISMATCH);
    sig_close(&w);
}


Test(pay_sig_braintree, keys_of_wrong_shape_are_refused)
{
    size_t                   i;
    pay_err_t                err;
    pay_secret_t             key;
    const pay_sig_scheme_t  *scheme = pay_sig_find(PAY_STR("braintree"));

    static const char *const  bad[] = {
        "", "6147a26c6bd2da8", "6147a26c 6bd2da8cdb89ac5f7322033a",
        "6147a26c6bd2da8cdb89ac5f7322033a\xc3\xa4"
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        err.detail = NULL;
        cr_expect_eq(scheme->key_parse(pay_str_of(bad[i]), &key, &err),
                     PAY_INVALID);
        cr_expect_not_null(err.detail);
    }
}
