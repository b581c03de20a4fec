/*
 * Webhook schemes that sign a time, as a conformance suite over the registry:
 * one more scheme is tested without new code.  Those without a time are in
 * test_sig_form.c and in files of their own.  The official SDKs' vectors are
 * run by tests/integration/test_vectors.py.
 */

#include "torture.h"

#include "pay_sig.h"


static const pay_sig_settings_t  no_settings;


#define NOW   INT64_C(1795238460)
#define BODY                                                                  \
    "{\"id\":\"evt_1\",\"amount\":\"12.34\",\"note\":\"\xc3\xa4 \\u00e4\"}\r\n"

typedef struct {
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    const pay_sig_scheme_t   *scheme;
    pay_secret_t              keys[PAY_SIG_KEYS_MAX + 1];
    pay_header_t              headers[8];
    size_t                    count;
    pay_sig_input_t           input;
    pay_sig_result_t          result;
} world_t;

typedef struct {
    const char  *text;
    int          valid;
} sample_t;


static const char *const  key_texts[] = {
    "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX",
    "whsec_MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0",
    "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4",
    "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldY",
    "whsec_enp6enp6enp6enp6enp6enp6enp6enp6",
};


/* Signs the world's body with that key, as the scheme's sender would. */
static pay_status_t
sign(world_t *w, size_t key, const char *id, int64_t now_s)
{
    pay_sig_message_t  message = {
        &no_settings, &w->keys[key], pay_str_of(id), now_s, w->input.body
    };

    return w->scheme->sign(w->arena, &message, w->headers, &w->count);
}


static void
world_open(world_t *w, const pay_sig_scheme_t *scheme)
{
    size_t  i;

    memset(w, 0, sizeof(*w));
    w->heap = pay_heap_create();
    cr_assert_not_null(w->heap);
    w->arena = pay_heap_arena(w->heap);
    w->scheme = scheme;

    for (i = 0; i < PAY_SIG_KEYS_MAX + 1; i++) {
        cr_assert_eq(scheme->key_parse(pay_str_of(key_texts[i]), &w->keys[i],
                                       NULL), PAY_OK);
    }

    w->input.headers = w->headers;
    w->input.body = PAY_STR(BODY);
    w->input.keys = w->keys;
    w->input.key_count = 1;
    w->input.settings = &no_settings;
    w->input.now_s = NOW;
    w->input.tolerance_s = PAY_SIG_TOLERANCE_S;

    cr_assert_eq(sign(w, 0, "msg_1", NOW), PAY_OK);
    cr_assert(w->count >= 1 && w->count <= 4);
}


static void
world_close(world_t *w)
{
    pay_heap_destroy(w->heap);
}


static pay_sig_verdict_t
judge(world_t *w)
{
    pay_sig_verdict_t  verdict;

    w->input.header_count = w->count;
    memset(&w->result, 0xa5, sizeof(w->result));
    verdict = w->scheme->verify(w->arena, &w->input, &w->result);

    cr_assert_eq(verdict, w->result.verdict);

    if (verdict != PAY_SIG_VALID) {
        cr_expect_eq(w->result.event_id.len, 0, "unsigned id handed on");
        cr_expect_eq(w->result.timestamp_s, 0, "unsigned time handed on");
    }

    return verdict;
}


/* A copy of the slice whose byte at `at` is changed by `mask`. */
static pay_str_t
flipped(world_t *w, pay_str_t from, size_t at, unsigned char mask)
{
    unsigned char  *bytes;

    bytes = pay_alloc(w->arena, from.len);
    cr_assert_not_null(bytes);
    memcpy(bytes, from.data, from.len);
    bytes[at] ^= mask;

    return (pay_str_t) { from.len, bytes };
}


/* The header that carries signatures is the last one of every scheme. */
static pay_str_t *
signature(world_t *w)
{
    return &w->headers[w->count - 1].value;
}


static int
is_stripe(const world_t *w)
{
    return strcmp(w->scheme->name, "stripe") == 0;
}


/* "<lead><item>…": `bad` wrong signatures of the right shape, then the right
 * one when `good`, as that scheme writes lists. */
static pay_str_t
list(world_t *w, unsigned bad, int good)
{
    pay_buf_t   buf;
    pay_str_t   text, right = *signature(w);

    pay_buf_init(&buf, w->arena, 4096);

    if (is_stripe(w)) {
        pay_buf_add(&buf, (pay_str_t) { 12, right.data });    /* t=… */

        while (bad--) {
            pay_buf_text(&buf, ",v1=0123456789abcdef0123456789abcdef"
                               "0123456789abcdef0123456789abcdef");
        }

        if (good) {
            pay_buf_add(&buf, (pay_str_t) { right.len - 12, right.data + 12 });
        }

    } else {
        while (bad--) {
            pay_buf_text(&buf, "v1,MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmN"
                               "kZWY=");
            pay_buf_text(&buf, (bad || good) ? " " : "");
        }

        if (good) {
            pay_buf_add(&buf, right);
        }
    }

    cr_assert_eq(pay_buf_done(&buf, &text), PAY_OK);

    return text;
}


/* The signature of the world's body for a time and id as text, whatever they
 * are: what a holder of the key could send. */
static void
sign_as(world_t *w, const char *id, pay_str_t timestamp)
{
    unsigned       n;
    pay_str_t      parts[5], text, mac_text, *value;
    unsigned char  mac[PAY_SHA256_SIZE];

    n = 0;

    if (!is_stripe(w)) {
        w->headers[0].value = pay_str_of(id);
        parts[n++] = w->headers[0].value;
        parts[n++] = PAY_STR(".");
        w->headers[1].value = timestamp;
    }

    parts[n++] = timestamp;
    parts[n++] = PAY_STR(".");
    parts[n++] = w->input.body;
    value = signature(w);

    cr_assert_eq(pay_hmac_sha256(pay_secret_str(&w->keys[0]), parts, n, mac),
                 PAY_OK);

    if (is_stripe(w)) {
        cr_assert_eq(pay_hex_encode(w->arena, (pay_str_t) { 32, mac },
                                    &mac_text), PAY_OK);
        cr_assert_eq(pay_format(w->arena, &text, 256, "t=%.*s,v1=%.*s",
                                pay_fmt(timestamp), pay_fmt(mac_text)),
                     PAY_OK);
    } else {
        cr_assert_eq(pay_base64_encode(w->arena, (pay_str_t) { 32, mac },
                                       &mac_text), PAY_OK);
        cr_assert_eq(pay_format(w->arena, &text, 256, "v1,%.*s",
                                pay_fmt(mac_text)), PAY_OK);
    }

    *value = text;
}


static const pay_sig_scheme_t *const *
with_time(const pay_sig_scheme_t *const *row)
{
    while (*row != NULL && !(*row)->signs_time) {
        row++;
    }

    return row;
}


#define EACH_SCHEME(w)                                                        \
    for (const pay_sig_scheme_t *const *row_ = with_time(pay_sig_table());    \
         *row_ != NULL && (world_open(&(w), *row_), 1);                       \
         world_close(&(w)), row_ = with_time(row_ + 1))

#define expect_verdict(w, expected)                                           \
    do {                                                                      \
        pay_sig_verdict_t  verdict_ = judge(&(w));                            \
        cr_expect_eq(verdict_, expected, "%s: %s", (w).scheme->name,          \
                     pay_sig_verdict_name(verdict_));                         \
    } while (0)


Test(pay_sig, registry_finds_each_scheme_by_its_exact_name)
{
    const pay_sig_scheme_t *const  *row;

    for (row = pay_sig_table(); *row != NULL; row++) {
        cr_expect_eq(pay_sig_find(pay_str_of((*row)->name)), *row);
        cr_expect(strlen((*row)->name) > 0 && (*row)->verify && (*row)->sign);
        cr_expect_eq((*row)->key_parse != NULL,
                     ((*row)->needs & PAY_SIG_NEEDS_KEY) != 0);
    }

    cr_expect_not_null(pay_sig_find(PAY_STR("stripe")));
    cr_expect_not_null(pay_sig_find(PAY_STR("standardwebhooks")));
    cr_expect_not_null(pay_sig_find(PAY_STR("svix")));
    cr_expect_null(pay_sig_find(PAY_STR("")));
    cr_expect_null(pay_sig_find(PAY_STR("Stripe")));
    cr_expect_null(pay_sig_find(PAY_STR("stripe\0")));
    cr_expect_null(pay_sig_find(PAY_STR("strip")));
}


Test(pay_sig, each_scheme_believes_what_it_signed)
{
    world_t  w;

    EACH_SCHEME(w) {
        expect_verdict(w, PAY_SIG_VALID);
        cr_expect_eq(w.result.timestamp_s, NOW);
        cr_expect(pay_str_is(w.result.event_id, is_stripe(&w) ? "" : "msg_1"));
    }
}


Test(pay_sig, each_flipped_byte_of_the_body_fails)
{
    size_t   i;
    world_t  w;

    EACH_SCHEME(w) {
        for (i = 0; i < sizeof(BODY) - 1; i++) {
            w.input.body = flipped(&w, PAY_STR(BODY), i, 1);
            expect_verdict(w, PAY_SIG_MISMATCH);
            w.input.body = flipped(&w, PAY_STR(BODY), i, 0x20);
            expect_verdict(w, PAY_SIG_MISMATCH);
        }
    }
}


Test(pay_sig, each_flipped_byte_of_each_header_fails)
{
    size_t     i, h;
    world_t    w;
    unsigned   m;
    pay_str_t  value;

    static const unsigned char  masks[] = { 1, 0x20, 0x80, 0xff };

    EACH_SCHEME(w) {
        for (h = 0; h < w.count; h++) {
            value = w.headers[h].value;

            for (i = 0; i < value.len * sizeof(masks); i++) {
                m = i % sizeof(masks);
                w.headers[h].value = flipped(&w, value, i / sizeof(masks),
                                             masks[m]);
                cr_expect_neq(judge(&w), PAY_SIG_VALID, "%s: %zu/%zu/%u",
                              w.scheme->name, h, i / sizeof(masks), m);
            }

            w.headers[h].value = value;
        }

        expect_verdict(w, PAY_SIG_VALID);
    }
}


Test(pay_sig, each_cut_or_lengthened_header_fails)
{
    size_t      i, h;
    world_t     w;
    pay_str_t   value;

    EACH_SCHEME(w) {
        for (h = 0; h < w.count; h++) {
            value = w.headers[h].value;

            for (i = 0; i < value.len; i++) {
                w.headers[h].value = (pay_str_t) { i, value.data };
                cr_expect_neq(judge(&w), PAY_SIG_VALID);
            }

            cr_assert_eq(pay_format(w.arena, &w.headers[h].value, 256,
                                    "%.*s0", pay_fmt(value)), PAY_OK);
            cr_expect_neq(judge(&w), PAY_SIG_VALID);
            w.headers[h].value = value;
        }
    }
}


Test(pay_sig, body_with_a_byte_more_or_less_fails)
{
    world_t  w;

    EACH_SCHEME(w) {
        w.input.body = PAY_STR(BODY "\n");
        expect_verdict(w, PAY_SIG_MISMATCH);
        w.input.body = (pay_str_t) { sizeof(BODY) - 2,
                                     (const unsigned char *) BODY };
        expect_verdict(w, PAY_SIG_MISMATCH);
        w.input.body = PAY_STR("");
        expect_verdict(w, PAY_SIG_MISMATCH);
    }
}


Test(pay_sig, time_is_bound_by_the_tolerance_in_both_directions)
{
    world_t  w;

    EACH_SCHEME(w) {
        w.input.now_s = NOW + 300;
        expect_verdict(w, PAY_SIG_VALID);
        w.input.now_s = NOW - 300;
        expect_verdict(w, PAY_SIG_VALID);
        w.input.now_s = NOW + 301;
        expect_verdict(w, PAY_SIG_TIMESTAMP);
        w.input.now_s = NOW - 301;
        expect_verdict(w, PAY_SIG_TIMESTAMP);
        w.input.now_s = INT64_MAX;
        expect_verdict(w, PAY_SIG_TIMESTAMP);
        w.input.now_s = INT64_MIN;
        expect_verdict(w, PAY_SIG_TIMESTAMP);
        w.input.now_s = 0;
        expect_verdict(w, PAY_SIG_TIMESTAMP);
    }
}


/* Stripe's library reads 0 as "do not check". */
Test(pay_sig, tolerance_zero_or_less_switches_nothing_off)
{
    world_t  w;

    EACH_SCHEME(w) {
        w.input.tolerance_s = 0;
        expect_verdict(w, PAY_SIG_VALID);
        w.input.now_s = NOW + 1;
        expect_verdict(w, PAY_SIG_TIMESTAMP);
        w.input.now_s = NOW;
        w.input.tolerance_s = -1;
        expect_verdict(w, PAY_SIG_TIMESTAMP);
    }
}


Test(pay_sig, timestamp_is_digits_even_under_a_right_signature)
{
    size_t   i;
    world_t  w;

    static const pay_str_t  texts[] = {
        pay_string(""), pay_string("1e9"), pay_string("-1"),
        pay_string("+1795238460"), pay_string(" 1795238460"),
        pay_string("1795238460 "), pay_string("1795238460.0"),
        pay_string("0x6b01a53c"), pay_string("1795238460x"),
        pay_string("0000001795238460"), pay_string("99999999999999999999"),
        pay_string("\xd9\xa1\xd9\xa7"), pay_string("NaN")
    };

    EACH_SCHEME(w) {
        for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
            sign_as(&w, "msg_1", texts[i]);
            expect_verdict(w, PAY_SIG_TIMESTAMP);
        }

        sign_as(&w, "msg_1", PAY_STR("1795238460"));
        expect_verdict(w, PAY_SIG_VALID);
    }
}


Test(pay_sig, any_configured_key_will_do)
{
    size_t   i;
    world_t  w;

    EACH_SCHEME(w) {
        for (i = 0; i < PAY_SIG_KEYS_MAX; i++) {
            w.input.key_count = PAY_SIG_KEYS_MAX;
            cr_assert_eq(sign(&w, i, "msg_1", NOW), PAY_OK);
            expect_verdict(w, PAY_SIG_VALID);

            w.input.key_count = i;                 /* the old ones only */
            expect_verdict(w, PAY_SIG_MISMATCH);
        }
    }
}


Test(pay_sig, more_keys_than_allowed_is_an_error_and_no_key_a_mismatch)
{
    world_t  w;

    EACH_SCHEME(w) {
        w.input.key_count = 0;
        expect_verdict(w, PAY_SIG_MISMATCH);
        w.input.key_count = PAY_SIG_KEYS_MAX + 1;
        expect_verdict(w, PAY_SIG_ERROR);
    }
}


Test(pay_sig, right_signature_counts_among_wrong_ones_up_to_eight)
{
    unsigned   bad;
    world_t    w;
    pay_str_t  right;

    EACH_SCHEME(w) {
        right = *signature(&w);

        for (bad = 0; bad < PAY_SIG_VALUES_MAX; bad++) {
            *signature(&w) = right;
            *signature(&w) = list(&w, bad, 1);
            expect_verdict(w, PAY_SIG_VALID);
        }

        *signature(&w) = right;
        *signature(&w) = list(&w, PAY_SIG_VALUES_MAX, 1);
        expect_verdict(w, PAY_SIG_HEADER_INVALID);

        *signature(&w) = right;
        *signature(&w) = list(&w, PAY_SIG_VALUES_MAX, 0);
        expect_verdict(w, PAY_SIG_MISMATCH);
    }
}


Test(pay_sig, absent_header_is_missing_and_doubled_one_invalid)
{
    size_t        i;
    world_t       w;
    pay_header_t  kept;

    EACH_SCHEME(w) {
        for (i = 0; i < w.count; i++) {
            kept = w.headers[i];

            w.headers[i].name = PAY_STR("x-other");
            expect_verdict(w, PAY_SIG_HEADER_MISSING);
            w.headers[i] = kept;

            w.headers[w.count++] = kept;
            expect_verdict(w, PAY_SIG_HEADER_INVALID);
            w.count--;
        }

        w.count = 0;
        expect_verdict(w, PAY_SIG_HEADER_MISSING);
    }
}


Test(pay_sig, header_names_match_in_any_case_and_order)
{
    size_t         i, k;
    world_t        w;
    pay_str_t      name;
    pay_header_t   first;
    unsigned char  upper[64];

    EACH_SCHEME(w) {
        for (i = 0; i < w.count; i++) {
            name = w.headers[i].name;

            for (k = 0; k < name.len; k++) {
                upper[k] = name.data[k];
                if (upper[k] >= 'a' && upper[k] <= 'z') {
                    upper[k] &= (unsigned char) ~0x20;
                }
            }

            w.headers[i].name.data = upper;
            expect_verdict(w, PAY_SIG_VALID);
            w.headers[i].name = name;
        }

        first = w.headers[0];
        w.headers[0] = w.headers[w.count - 1];
        w.headers[w.count - 1] = first;
        expect_verdict(w, PAY_SIG_VALID);
    }
}


Test(pay_sig, hostile_signature_headers_are_never_valid)
{
    size_t     i;
    world_t    w;
    pay_str_t  long_text;

    static const pay_str_t  texts[] = {
        pay_string(""), pay_string(","), pay_string(" "), pay_string("="),
        pay_string("v1"), pay_string("v1,"), pay_string("v1="),
        pay_string("t"), pay_string("t="), pay_string("t=1795238460"),
        pay_string("t=1795238460,"), pay_string("t=1795238460,v1"),
        pay_string("t=1795238460,v1="), pay_string(",,,,,,,,,"),
        pay_string("t=1795238460,v1=\0"), pay_string("\0"),
        pay_string("=,=,=,=,=,=,=,=,=,=,=,=,=,=,=,=,=,=,=,="),
        pay_string("          "), pay_string("v1,AAAA v1,AAAA"),
        pay_string("v1,\xff\xff\xff"), pay_string("v1a,AAAA v2,AAAA"),
        pay_string("t=1795238460,v0=00,v1=zz"),
        pay_string("t=1795238460,t=1795238460,v1=00")
    };

    EACH_SCHEME(w) {
        for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
            *signature(&w) = texts[i];
            cr_expect_neq(judge(&w), PAY_SIG_VALID, "%s: text %zu",
                          w.scheme->name, i);
        }

        long_text.len = 100000;
        long_text.data = pay_calloc(w.arena, long_text.len);
        cr_assert_not_null(long_text.data);
        *signature(&w) = long_text;
        cr_expect_neq(judge(&w), PAY_SIG_VALID);
    }
}


Test(pay_sig, empty_nul_and_large_bodies_are_just_bytes)
{
    size_t          i;
    world_t         w;
    unsigned char  *large;

    EACH_SCHEME(w) {
        large = pay_calloc(w.arena, 200000);
        cr_assert_not_null(large);

        for (i = 0; i < 200000; i = i * 10 + 1) {
            w.input.body = (pay_str_t) { i, large };
            sign_as(&w, "msg_1", PAY_STR("1795238460"));
            expect_verdict(w, PAY_SIG_VALID);
        }

        large[111110] = 1;             /* behind many NULs */
        expect_verdict(w, PAY_SIG_MISMATCH);
    }
}


Test(pay_sig, signature_of_another_scheme_does_not_fit)
{
    size_t                         k;
    world_t                        w;
    pay_sig_result_t               result;
    const pay_sig_scheme_t *const  *other;

    EACH_SCHEME(w) {
        w.input.header_count = w.count;

        for (other = pay_sig_table(), k = 0; other[k] != NULL; k++) {
            if (other[k] == w.scheme || !other[k]->signs_time
                || (strcmp(other[k]->name, "svix") == 0 && !is_stripe(&w)))
            {
                continue;              /* svix falls back to webhook-* */
            }

            cr_expect_eq(other[k]->verify(w.arena, &w.input, &result),
                         PAY_SIG_HEADER_MISSING, "%s as %s", w.scheme->name,
                         other[k]->name);
        }
    }
}


Test(pay_sig, failing_allocations_never_make_a_webhook_valid)
{
    world_t   w;
    unsigned  n;

    EACH_SCHEME(w) {
        *signature(&w) = list(&w, 3, 1);

        for (n = 1; n < 100; n++) {
            pay_heap_fail_at(w.heap, n);
            judge(&w);

            if (!pay_heap_failed(w.heap)) {
                break;
            }

            cr_expect_eq(w.result.verdict, PAY_SIG_ERROR);
        }

        pay_heap_fail_at(w.heap, 0);
        cr_assert_lt(n, 100);
        expect_verdict(w, PAY_SIG_VALID);
    }
}


typedef struct {
    pay_header_t  headers[4];
    size_t        count;
} signed_t;

static const pay_sig_scheme_t  *tortured;


static pay_status_t
sign_once(pay_arena_t *arena, void *result)
{
    signed_t           *out = result;
    pay_secret_t        key;
    pay_sig_message_t   message = {
        &no_settings, &key, PAY_STR("msg_1"), NOW, PAY_STR(BODY)
    };

    cr_assert_eq(tortured->key_parse(pay_str_of(key_texts[0]), &key, NULL),
                 PAY_OK);

    return tortured->sign(arena, &message, out->headers, &out->count);
}


Test(pay_sig, sign_survives_each_failing_allocation)
{
    const pay_sig_scheme_t *const  *row;

    for (row = with_time(pay_sig_table()); *row != NULL;
         row = with_time(row + 1))
    {
        tortured = *row;
        cr_expect_gt(torture(sign_once, sizeof(signed_t)), 0);
    }
}


Test(pay_sig, sign_refuses_a_time_before_1970)
{
    world_t  w;

    EACH_SCHEME(w) {
        cr_expect_eq(sign(&w, 0, "m", -1), PAY_BUG);
    }
}


Test(pay_sig_stripe, items_of_other_names_are_skipped_and_v1_may_come_first)
{
    world_t    w;
    pay_str_t  right, v1;

    world_open(&w, pay_sig_find(PAY_STR("stripe")));
    right = w.headers[0].value;
    v1 = (pay_str_t) { right.len - 13, right.data + 13 };

    cr_assert_eq(pay_format(w.arena, &w.headers[0].value, 512,
                            "v0=00,%.*s,x=,v1=nonsense,t=1795238460",
                            pay_fmt(v1)), PAY_OK);
    expect_verdict(w, PAY_SIG_VALID);

    /* the right MAC as another version's is worth nothing */
    cr_assert_eq(pay_format(w.arena, &w.headers[0].value, 512,
                            "t=1795238460,v0=%.*s",
                            (int) v1.len - 3, (const char *) v1.data + 3),
                 PAY_OK);
    expect_verdict(w, PAY_SIG_MISMATCH);
    world_close(&w);
}


/* As Stripe's library does (docs/psp/stripe.md#traps). */
Test(pay_sig_stripe, one_empty_v1_condemns_the_header)
{
    world_t  w;

    world_open(&w, pay_sig_find(PAY_STR("stripe")));
    cr_assert_eq(pay_format(w.arena, &w.headers[0].value, 512, "%.*s,v1=",
                            pay_fmt(w.headers[0].value)), PAY_OK);
    expect_verdict(w, PAY_SIG_HEADER_INVALID);
    world_close(&w);
}


Test(pay_sig_stripe, two_times_are_refused)
{
    world_t  w;

    world_open(&w, pay_sig_find(PAY_STR("stripe")));
    cr_assert_eq(pay_format(w.arena, &w.headers[0].value, 512,
                            "%.*s,t=1795238460",
                            pay_fmt(w.headers[0].value)), PAY_OK);
    expect_verdict(w, PAY_SIG_HEADER_INVALID);
    world_close(&w);
}


Test(pay_sig_standardwebhooks, ids_that_could_blur_the_signed_text_are_refused)
{
    size_t    i;
    world_t   w;
    char      long_id[257];

    static const char *const  ids[] = {
        "", ".", "msg.1", "msg_1.", "msg 1", "msg\t1", "msg\x7f",
        "ms\xc3\xa4"
    };

    memset(long_id, 'a', 256);
    long_id[256] = '\0';

    EACH_SCHEME(w) {
        if (is_stripe(&w)) {
            continue;
        }

        for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
            sign_as(&w, ids[i], PAY_STR("1795238460"));
            expect_verdict(w, PAY_SIG_HEADER_INVALID);
        }

        sign_as(&w, long_id, PAY_STR("1795238460"));
        expect_verdict(w, PAY_SIG_HEADER_INVALID);
        sign_as(&w, long_id + 1, PAY_STR("1795238460"));
        expect_verdict(w, PAY_SIG_VALID);

        cr_expect_eq(sign(&w, 0, "a.b", NOW), PAY_BUG);
    }
}


Test(pay_sig_standardwebhooks, other_versions_are_skipped)
{
    world_t    w;
    pay_str_t  right;

    EACH_SCHEME(w) {
        if (is_stripe(&w)) {
            continue;
        }

        right = *signature(&w);
        cr_assert_eq(pay_format(w.arena, signature(&w), 512,
                                "v1a,abcd v2,abcd  nonsense %.*s",
                                pay_fmt(right)), PAY_OK);
        expect_verdict(w, PAY_SIG_VALID);

        cr_assert_eq(pay_format(w.arena, signature(&w), 512, "v1a%.*s",
                                (int) right.len - 2,
                                (const char *) right.data + 2), PAY_OK);
        expect_verdict(w, PAY_SIG_MISMATCH);
    }
}


Test(pay_sig_svix, falls_back_to_the_standard_names_but_never_mixes)
{
    size_t    i;
    world_t   w;
    pay_header_t  own[3];

    world_open(&w, pay_sig_find(PAY_STR("svix")));
    memcpy(own, w.headers, sizeof(own));

    w.headers[0].name = PAY_STR("webhook-id");
    w.headers[1].name = PAY_STR("webhook-timestamp");
    expect_verdict(w, PAY_SIG_HEADER_MISSING);
    w.headers[2].name = PAY_STR("webhook-signature");
    expect_verdict(w, PAY_SIG_VALID);

    /* both sets: the svix one decides, right or wrong */
    for (i = 0; i < 3; i++) {
        w.headers[3 + i] = own[i];
    }

    w.count = 6;
    expect_verdict(w, PAY_SIG_VALID);
    w.headers[3].value = PAY_STR("msg_2");
    expect_verdict(w, PAY_SIG_MISMATCH);
    world_close(&w);
}


Test(pay_sig, keys_of_wrong_shape_are_refused)
{
    size_t         i;
    pay_err_t      err;
    pay_str_t      huge;
    pay_secret_t   key;

    static const sample_t  stripe[] = {
        { "whsec_0123456789", 1 }, { "0123456789abcdef", 1 },
        { "whsec_012345678", 0 }, { "", 0 },
        { "whsec_ 0123456789abcdef", 0 }, { "whsec_0123456789abcd\xc3\xa4", 0 },
        { "whsec_0123456789abcdef\t", 0 }
    };

    static const sample_t  standard[] = {
        { "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX", 1 },
        { "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX", 1 },
        { "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRY=", 0 },   /* 23 bytes */
        { "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX=", 0 },
        { "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFR_-", 0 },
        { "whsec_whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX", 0 },
        { "WHSEC_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX", 0 },
        { "whpk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX", 0 },
        { "whsec_", 0 }, { "", 0 }, { "not base64 at all, is it?", 0 }
    };

    for (i = 0; i < sizeof(stripe) / sizeof(stripe[0]); i++) {
        cr_expect_eq(pay_sig_find(PAY_STR("stripe"))->key_parse(
                         pay_str_of(stripe[i].text), &key, &err),
                     stripe[i].valid ? PAY_OK : PAY_INVALID, "stripe %zu", i);
    }

    for (i = 0; i < sizeof(standard) / sizeof(standard[0]); i++) {
        cr_expect_eq(pay_sig_find(PAY_STR("svix"))->key_parse(
                         pay_str_of(standard[i].text), &key, &err),
                     standard[i].valid ? PAY_OK : PAY_INVALID, "svix %zu", i);
    }

    huge.len = 1000000;
    huge.data = calloc(1, huge.len);
    cr_assert_not_null(huge.data);
    memset((void *) (uintptr_t) huge.data, 'A', huge.len);

    for (i = 0; pay_sig_table()[i] != NULL; i++) {
        if (pay_sig_table()[i]->key_parse == NULL) {
            continue;
        }

        err.detail = NULL;
        cr_expect_eq(pay_sig_table()[i]->key_parse(huge, &key, &err),
                     PAY_INVALID);
        cr_expect_not_null(err.detail);
    }

    free((void *) (uintptr_t) huge.data);
}


Test(pay_sig, a_standard_key_of_64_bytes_is_right_and_of_65_not)
{
    pay_str_t      text;
    pay_secret_t   key;
    unsigned char  bytes[65];

    memset(bytes, 7, sizeof(bytes));

    cr_assert_eq(pay_base64_encode(test_arena(),
                                   (pay_str_t) { 64, bytes }, &text), PAY_OK);
    cr_expect_eq(pay_sig_find(PAY_STR("standardwebhooks"))->key_parse(
                     text, &key, NULL), PAY_OK);
    cr_expect_eq(key.len, 64);

    cr_assert_eq(pay_base64_encode(test_arena(),
                                   (pay_str_t) { 65, bytes }, &text), PAY_OK);
    cr_expect_eq(pay_sig_find(PAY_STR("standardwebhooks"))->key_parse(
                     text, &key, NULL), PAY_INVALID);
}


Test(pay_sig, header_find_tells_absent_from_doubled)
{
    pay_str_t  value = pay_string("kept");

    static const pay_header_t  headers[] = {
        { pay_string("A-b"), pay_string("1") },
        { pay_string("a-c"), pay_string("2") },
        { pay_string("A-C"), pay_string("2") },
        { pay_string(""), pay_string("3") }
    };

    cr_expect_eq(pay_header_find(headers, 4, "a-B", &value), PAY_OK);
    cr_expect(pay_str_is(value, "1"));
    cr_expect_eq(pay_header_find(headers, 4, "a-c", &value), PAY_INVALID);
    cr_expect_eq(pay_header_find(headers, 4, "a", &value), PAY_NOT_FOUND);
    cr_expect_eq(pay_header_find(headers, 0, "a-b", &value), PAY_NOT_FOUND);
    cr_expect_eq(pay_header_find(NULL, 0, "a-b", &value), PAY_NOT_FOUND);
    cr_expect(pay_str_is(value, "1"));
}


Test(pay_sig, verdicts_have_names_even_impossible_ones)
{
    cr_expect_str_eq(pay_sig_verdict_name(PAY_SIG_VALID), "valid");
    cr_expect_str_eq(pay_sig_verdict_name(PAY_SIG_HEADER_MISSING),
                     "header-missing");
    cr_expect_str_eq(pay_sig_verdict_name(PAY_SIG_HEADER_INVALID),
                     "header-invalid");
    cr_expect_str_eq(pay_sig_verdict_name(PAY_SIG_TIMESTAMP), "timestamp");
    cr_expect_str_eq(pay_sig_verdict_name(PAY_SIG_MISMATCH), "mismatch");
    cr_expect_str_eq(pay_sig_verdict_name((pay_sig_verdict_t) 99), "error");
}
