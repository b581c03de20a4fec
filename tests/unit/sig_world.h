/*
 * A webhook on its way to one scheme, for the tests of src/sig: settings for
 * everything that any scheme needs, four keys and one too many, headers to
 * meddle with.
 */

#ifndef SIG_WORLD_H
#define SIG_WORLD_H

#include "torture.h"

#include "pay_sig.h"


#define SIG_NOW   INT64_C(1795238460)
#define SIG_BODY                                                              \
    "{\"id\":\"evt_1\",\"amount\":\"12.34\",\"note\":\"\xc3\xa4 \\u00e4\"}\r\n"

typedef struct {
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    const pay_sig_scheme_t   *scheme;
    pay_secret_t              keys[PAY_SIG_KEYS_MAX + 1];
    pay_header_t              headers[8];
    size_t                    count;
    pay_sig_settings_t        settings;
    pay_sig_input_t           input;
    pay_sig_result_t          result;
} sig_world_t;


/* Right for every scheme: as text, as hex, as base64. */
static const char *const  sig_keys[PAY_SIG_KEYS_MAX + 1] = {
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "2123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "3123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "4123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
};

/* Of a key that opens nothing. */
static const char  sig_rsa_pem[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA9iftiHlGD1KBI/vbYnBw\n"
    "WS8dPstGOqQD/81l9WUYQ9qCbCENOlNHWEBKOyBa6HPze+k0HQJNFltcaItDyft1\n"
    "L/v0uYkEKkLoatVD87lUk8khxS5LAjAgMOeckIfFb7YxiMcdAuCOTDPXInhImHyI\n"
    "orABoxT9PCIBRDwDVo2E+u1biS3j31HDZpUmzG2CbKYEWNM+W/haA66kv2poEbof\n"
    "+uaIc5PbczVpJ/TJxOwm3yg0QXUqIvhvhyJeiC52HEekduYwVRzfT90f3mUlkIUQ\n"
    "gh91WqO78iAe81JOmqKwW+tHkw3XSG2wYgi1GbdZq0Po3NWiFhT/vdobh7f1Boun\n"
    "1QIDAQAB\n"
    "-----END PUBLIC KEY-----\n";

static const pay_str_t  sig_hosts[] = { pay_string("api.example.com") };


static inline void
sig_open(sig_world_t *w, const pay_sig_scheme_t *scheme)
{
    size_t  i;

    cr_assert_not_null(scheme);

    memset(w, 0, sizeof(*w));
    w->heap = pay_heap_create();
    cr_assert_not_null(w->heap);
    w->arena = pay_heap_arena(w->heap);
    w->scheme = scheme;

    w->settings.url = PAY_STR("https://shop.example.com/webhooks/psp");
    w->settings.public_key = PAY_STR("public_key_1");
    w->settings.webhook_id = PAY_STR("WH-1");
    w->settings.ca_pem = PAY_STR("no certificate");
    w->settings.rsa_pem = pay_str_of(sig_rsa_pem);
    w->settings.cert_hosts = sig_hosts;
    w->settings.cert_host_count = 1;

    w->input.headers = w->headers;
    w->input.body = PAY_STR(SIG_BODY);
    w->input.keys = w->keys;
    w->input.settings = &w->settings;
    w->input.now_s = SIG_NOW;
    w->input.tolerance_s = PAY_SIG_TOLERANCE_S;

    if (scheme->key_parse == NULL) {
        return;
    }

    for (i = 0; i < PAY_SIG_KEYS_MAX + 1; i++) {
        cr_assert_eq(scheme->key_parse(pay_str_of(sig_keys[i]), &w->keys[i],
                                       NULL), PAY_OK);
    }

    w->input.key_count = 1;
}


static inline void
sig_close(sig_world_t *w)
{
    pay_heap_destroy(w->heap);
}


/* The world's body, to be signed with its first key. */
static inline pay_sig_message_t
sig_message(sig_world_t *w)
{
    return (pay_sig_message_t) {
        .settings = &w->settings,
        .key = &w->keys[0],
        .id = PAY_STR("msg_1"),
        .now_s = SIG_NOW,
        .body = w->input.body
    };
}


/* Signs the world's body with that key, as the scheme's sender would. */
static inline pay_status_t
sig_sign(sig_world_t *w, size_t key)
{
    pay_sig_message_t  message = sig_message(w);

    message.key = &w->keys[key];

    return w->scheme->sign(w->arena, &message, w->headers, &w->count);
}


static inline pay_sig_verdict_t
sig_judge(sig_world_t *w)
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
static inline pay_str_t
sig_flipped(sig_world_t *w, pay_str_t from, size_t at, unsigned char mask)
{
    unsigned char  *bytes;

    bytes = pay_alloc(w->arena, from.len);
    cr_assert_not_null(bytes);
    memcpy(bytes, from.data, from.len);
    bytes[at] ^= mask;

    return (pay_str_t) { from.len, bytes };
}


#define sig_expect(w, expected)                                               \
    do {                                                                      \
        pay_sig_verdict_t  verdict_ = sig_judge(&(w));                        \
        cr_expect_eq(verdict_, expected, "%s: %s", (w).scheme->name,          \
                     pay_sig_verdict_name(verdict_));                         \
    } while (0)

/* Every allocation of the judgement fails in turn: an error each time, and
 * the right verdict once all of them succeed.  Evaluates to the number of
 * failures. */
static inline unsigned
sig_torture(sig_world_t *w)
{
    unsigned  n;

    for (n = 1; n < 100; n++) {
        pay_heap_fail_at(w->heap, n);
        sig_judge(w);

        if (!pay_heap_failed(w->heap)) {
            break;
        }

        cr_expect_eq(w->result.verdict, PAY_SIG_ERROR);
    }

    pay_heap_fail_at(w->heap, 0);
    cr_assert_lt(n, 100);
    cr_expect_eq(sig_judge(w), PAY_SIG_VALID);

    return n - 1;
}


#endif /* SIG_WORLD_H */
