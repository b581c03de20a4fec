/*
 * Webhook schemes with one MAC over the raw body in one header, as a
 * conformance suite over the registry, and what every scheme promises of
 * itself.
 */

#include "sig_world.h"


typedef struct {
    const char  *name;
    unsigned     needs;
    int          signs_time;
    const char  *ack;
    int          has_challenge;
} promise_t;


static const promise_t  promises[] = {
    { "adyen", PAY_SIG_NEEDS_KEY, 0, "[accepted]", 0 },
    { "adyen-platform", PAY_SIG_NEEDS_KEY, 0, "[accepted]", 0 },
    { "braintree", PAY_SIG_NEEDS_KEY | PAY_SIG_NEEDS_PUBLIC_KEY, 0, NULL, 1 },
    { "gocardless", PAY_SIG_NEEDS_KEY, 0, NULL, 0 },
    { "mollie", PAY_SIG_NEEDS_KEY, 0, NULL, 0 },
    { "mollie-legacy", 0, 0, NULL, 0 },
    { "paypal", PAY_SIG_NEEDS_WEBHOOK_ID | PAY_SIG_NEEDS_CERT, 0, NULL, 0 },
    { "razorpay", PAY_SIG_NEEDS_KEY, 0, NULL, 0 },
    { "square", PAY_SIG_NEEDS_KEY | PAY_SIG_NEEDS_URL, 0, NULL, 0 },
    { "standardwebhooks", PAY_SIG_NEEDS_KEY, 1, NULL, 0 },
    { "stripe", PAY_SIG_NEEDS_KEY, 1, NULL, 0 },
    { "svix", PAY_SIG_NEEDS_KEY, 1, NULL, 0 },
    { "tipalti", PAY_SIG_NEEDS_CONFIRM, 0, NULL, 0 },
    { "wise", PAY_SIG_NEEDS_RSA_KEY, 0, NULL, 0 }
};

static const char *const  forms[] = {
    "adyen-platform", "gocardless", "mollie", "razorpay", "square"
};

#define FORMS  (sizeof(forms) / sizeof(forms[0]))


static int
form_open(sig_world_t *w, const char *name)
{
    sig_open(w, pay_sig_find(pay_str_of(name)));
    cr_assert_eq(sig_sign(w, 0), PAY_OK);
    w->count = 1;                      /* without Razorpay's unsigned id */

    return 1;
}


#define EACH_FORM(w)                                                          \
    for (size_t form_ = 0; form_ < FORMS && form_open(&(w), forms[form_]);    \
         sig_close(&(w)), form_++)


Test(pay_sig_table, schemes_need_and_promise_what_is_documented)
{
    size_t                   i;
    const pay_sig_scheme_t  *scheme;

    for (i = 0; i < sizeof(promises) / sizeof(promises[0]); i++) {
        scheme = pay_sig_find(pay_str_of(promises[i].name));
        cr_assert_not_null(scheme, "%s", promises[i].name);

        cr_expect_eq(scheme->needs, promises[i].needs, "%s", scheme->name);
        cr_expect_eq(scheme->signs_time, promises[i].signs_time, "%s",
                     scheme->name);
        cr_expect_eq(scheme->challenge != NULL, promises[i].has_challenge,
                     "%s", scheme->name);
        cr_expect_eq(scheme->key_parse != NULL,
                     (scheme->needs & PAY_SIG_NEEDS_KEY) != 0, "%s",
                     scheme->name);
        cr_expect(pay_str_eq(pay_str_of(scheme->ack),
                             pay_str_of(promises[i].ack)), "%s",
                  scheme->name);
    }

    for (i = 0; pay_sig_table()[i] != NULL; i++) { /* void */ }

    cr_expect_eq(i, sizeof(promises) / sizeof(promises[0]), "%zu schemes are "
                 "in src/sig/registry.c, each has a row in promises[]", i);
}


Test(pay_sig_table, no_scheme_believes_a_request_without_anything)
{
    size_t       i, k;
    sig_world_t  w;

    static const pay_str_t  bodies[] = {
        pay_string(""), pay_string("{}"), pay_string("[]"),
        pay_string("\0"), pay_string("{\"notificationItems\":null}"),
        pay_string("bt_signature=&bt_payload="), pay_string("id=")
    };

    for (i = 0; pay_sig_table()[i] != NULL; i++) {
        sig_open(&w, pay_sig_table()[i]);

        for (k = 0; k < sizeof(bodies) / sizeof(bodies[0]); k++) {
            w.input.body = bodies[k];
            cr_expect_neq(sig_judge(&w), PAY_SIG_VALID, "%s: %zu",
                          w.scheme->name, k);
            cr_expect_neq(w.result.verdict, PAY_SIG_ERROR, "%s: %zu",
                          w.scheme->name, k);
        }

        sig_close(&w);
    }
}


Test(pay_sig_form, each_believes_what_it_signed_at_any_time)
{
    sig_world_t  w;

    EACH_FORM(w) {
        sig_expect(w, PAY_SIG_VALID);
        cr_expect_eq(w.result.timestamp_s, 0);
        cr_expect_eq(w.result.event_id.len, 0);
        w.input.now_s = 0;
        sig_expect(w, PAY_SIG_VALID);
        w.input.now_s = INT64_MAX;
        w.input.tolerance_s = 0;
        sig_expect(w, PAY_SIG_VALID);
    }
}


Test(pay_sig_form, each_flipped_byte_of_the_body_fails)
{
    size_t       i;
    sig_world_t  w;

    EACH_FORM(w) {
        for (i = 0; i < sizeof(SIG_BODY) - 1; i++) {
            w.input.body = sig_flipped(&w, PAY_STR(SIG_BODY), i, 1);
            sig_expect(w, PAY_SIG_MISMATCH);
            w.input.body = sig_flipped(&w, PAY_STR(SIG_BODY), i, 0x20);
            sig_expect(w, PAY_SIG_MISMATCH);
        }

        w.input.body = PAY_STR(SIG_BODY "\n");
        sig_expect(w, PAY_SIG_MISMATCH);
        w.input.body = (pay_str_t) { sizeof(SIG_BODY) - 2,
                                     (const unsigned char *) SIG_BODY };
        sig_expect(w, PAY_SIG_MISMATCH);
        w.input.body = PAY_STR("");
        sig_expect(w, PAY_SIG_MISMATCH);
    }
}


Test(pay_sig_form, each_flipped_byte_of_the_signature_fails)
{
    size_t       i;
    pay_str_t    right;
    sig_world_t  w;

    static const unsigned char  masks[] = { 1, 0x20, 0x80, 0xff };

    EACH_FORM(w) {
        right = w.headers[0].value;

        for (i = 0; i < right.len * sizeof(masks); i++) {
            w.headers[0].value = sig_flipped(&w, right, i / sizeof(masks),
                                             masks[i % sizeof(masks)]);
            cr_expect_neq(sig_judge(&w), PAY_SIG_VALID, "%s: byte %zu",
                          w.scheme->name, i / sizeof(masks));
        }
    }
}


Test(pay_sig_form, each_cut_or_lengthened_signature_is_malformed)
{
    size_t       i;
    pay_str_t    right;
    sig_world_t  w;

    static const char *const  formats[] = {
        "%.*s0", "%.*s=", "%.*s ", " %.*s", "%.*s,", "%.*s\n", "v1=%.*s"
    };

    EACH_FORM(w) {
        right = w.headers[0].value;

        for (i = 0; i < right.len; i++) {
            w.headers[0].value = (pay_str_t) { i, right.data };
            sig_expect(w, PAY_SIG_HEADER_INVALID);
        }

        for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
            pay_buf_t  buf;
            pay_str_t  lead = pay_str_of(formats[i]), tail;

            for (tail = lead; tail.data[0] != '%'; tail.data++, tail.len--) {
                /* void */
            }

            lead.len -= tail.len;
            tail = (pay_str_t) { tail.len - 4, tail.data + 4 };
            pay_buf_init(&buf, w.arena, 256);
            pay_buf_add(&buf, lead);
            pay_buf_add(&buf, right);
            pay_buf_add(&buf, tail);
            cr_assert_eq(pay_buf_done(&buf, &w.headers[0].value), PAY_OK);
            sig_expect(w, PAY_SIG_HEADER_INVALID);
        }
    }
}


Test(pay_sig_form, hostile_signatures_are_never_valid)
{
    size_t       i;
    pay_str_t    huge;
    sig_world_t  w;

    static const pay_str_t  texts[] = {
        pay_string(""), pay_string(" "), pay_string("="), pay_string("\0"),
        pay_string("sha256="), pay_string("sha256"), pay_string("===="),
        pay_string("sha256=sha256="), pay_string("AAAA"),
        pay_string("0000000000000000000000000000000000000000000000000000"
                   "000000000000"),
        pay_string("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        pay_string("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB="),
        pay_string("\xff\xff\xff\xff"), pay_string("null"), pay_string("{}")
    };

    EACH_FORM(w) {
        for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
            w.headers[0].value = texts[i];
            cr_expect_neq(sig_judge(&w), PAY_SIG_VALID, "%s: text %zu",
                          w.scheme->name, i);
        }

        huge.len = 100000;
        huge.data = pay_calloc(w.arena, huge.len);
        cr_assert_not_null(huge.data);
        w.headers[0].value = huge;
        sig_expect(w, PAY_SIG_HEADER_INVALID);
    }
}


Test(pay_sig_form, upper_case_hex_is_another_spelling_and_refused)
{
    size_t          i;
    pay_str_t       right;
    sig_world_t     w;
    unsigned char   upper[128];

    EACH_FORM(w) {
        right = w.headers[0].value;

        if (right.data[right.len - 1] == '=') {
            continue;                  /* base64 */
        }

        for (i = 0; i < right.len; i++) {
            upper[i] = right.data[i];

            if (upper[i] >= 'a' && upper[i] <= 'f' && right.len - i <= 64) {
                upper[i] &= (unsigned char) ~0x20;
            }
        }

        w.headers[0].value = (pay_str_t) { right.len, upper };
        sig_expect(w, PAY_SIG_HEADER_INVALID);
    }
}


Test(pay_sig_form, any_configured_key_will_do)
{
    size_t       i;
    sig_world_t  w;

    EACH_FORM(w) {
        for (i = 0; i < PAY_SIG_KEYS_MAX; i++) {
            cr_assert_eq(sig_sign(&w, i), PAY_OK);

            w.input.key_count = PAY_SIG_KEYS_MAX;
            sig_expect(w, PAY_SIG_VALID);
            w.input.key_count = i;                 /* the old ones only */
            sig_expect(w, PAY_SIG_MISMATCH);
        }

        w.input.key_count = PAY_SIG_KEYS_MAX + 1;
        sig_expect(w, PAY_SIG_ERROR);
    }
}


Test(pay_sig_form, absent_header_is_missing_and_doubled_one_invalid)
{
    sig_world_t   w;
    pay_header_t  kept;

    EACH_FORM(w) {
        kept = w.headers[0];

        w.headers[0].name = PAY_STR("x-other");
        sig_expect(w, PAY_SIG_HEADER_MISSING);
        w.count = 0;
        sig_expect(w, PAY_SIG_HEADER_MISSING);

        w.headers[0] = kept;
        w.headers[1] = kept;
        w.count = 2;
        sig_expect(w, PAY_SIG_HEADER_INVALID);

        w.headers[1].value = PAY_STR("");
        sig_expect(w, PAY_SIG_HEADER_INVALID);
    }
}


Test(pay_sig_form, header_names_match_in_any_case)
{
    size_t         i;
    pay_str_t      name;
    sig_world_t    w;
    unsigned char  changed[64];

    EACH_FORM(w) {
        name = w.headers[0].name;

        for (i = 0; i < name.len; i++) {
            changed[i] = name.data[i];

            if ((changed[i] | 0x20) >= 'a' && (changed[i] | 0x20) <= 'z') {
                changed[i] ^= 0x20;
            }
        }

        w.headers[0].name.data = changed;
        sig_expect(w, PAY_SIG_VALID);
    }
}


Test(pay_sig_form, empty_nul_and_large_bodies_are_just_bytes)
{
    size_t          i;
    sig_world_t     w;
    unsigned char  *large;

    EACH_FORM(w) {
        large = pay_calloc(w.arena, 200000);
        cr_assert_not_null(large);

        for (i = 0; i < 200000; i = i * 10 + 1) {
            w.input.body = (pay_str_t) { i, large };
            cr_assert_eq(sig_sign(&w, 0), PAY_OK);
            w.count = 1;
            sig_expect(w, PAY_SIG_VALID);
        }

        large[111110] = 1;             /* behind many NULs */
        sig_expect(w, PAY_SIG_MISMATCH);
    }
}


Test(pay_sig_form, signature_of_another_scheme_does_not_fit)
{
    size_t                   i;
    sig_world_t              w;
    const pay_sig_scheme_t  *own;

    EACH_FORM(w) {
        own = w.scheme;

        for (i = 0; pay_sig_table()[i] != NULL; i++) {
            if (pay_sig_table()[i] == own) {
                continue;
            }

            w.scheme = pay_sig_table()[i];
            cr_expect_neq(sig_judge(&w), PAY_SIG_VALID, "%s as %s",
                          own->name, w.scheme->name);
        }

        w.scheme = own;
    }
}


Test(pay_sig_form, failing_allocations_never_make_a_webhook_valid)
{
    sig_world_t  w;

    EACH_FORM(w) {
        sig_torture(&w);
    }
}


typedef struct {
    pay_header_t  headers[4];
    size_t        count;
} signed_t;

static const char  *tortured;


static pay_status_t
sign_once(pay_arena_t *arena, void *result)
{
    signed_t          *out = result;
    sig_world_t        w;
    pay_status_t       status;
    pay_sig_message_t  message;

    sig_open(&w, pay_sig_find(pay_str_of(tortured)));
    message = sig_message(&w);
    status = w.scheme->sign(arena, &message, out->headers, &out->count);
    sig_close(&w);

    return status;
}


Test(pay_sig_form, sign_survives_each_failing_allocation)
{
    size_t  i;

    for (i = 0; i < FORMS; i++) {
        tortured = forms[i];
        cr_expect_gt(torture(sign_once, sizeof(signed_t)), 0);
    }
}


Test(pay_sig_form, keys_that_are_too_short_or_not_printable_are_refused)
{
    size_t         i, k;
    pay_err_t      err;
    sig_world_t    w;
    pay_secret_t   key;

    static const pay_str_t  bad[] = {
        pay_string(""), pay_string("0123456789abcde"),
        pay_string("0123456789 abcdef"), pay_string("0123456789abcdef\t"),
        pay_string("0123456789abcdef\0"), pay_string("0123456789abcdef\x7f"),
        pay_string("0123456789abcdef\xc3\xa4")
    };

    for (i = 0; i < FORMS; i++) {
        sig_open(&w, pay_sig_find(pay_str_of(forms[i])));

        for (k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
            err.detail = NULL;
            cr_expect_eq(w.scheme->key_parse(bad[k], &key, &err),
                         PAY_INVALID, "%s: %zu", forms[i], k);
            cr_expect_not_null(err.detail);
        }

        sig_close(&w);
    }

    cr_expect_eq(pay_sig_find(PAY_STR("square"))->key_parse(
                     PAY_STR("0123456789abcdef"), &key, NULL), PAY_OK);
    cr_expect(pay_str_is(pay_secret_str(&key), "0123456789abcdef"));
}
