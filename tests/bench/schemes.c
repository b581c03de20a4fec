/*
 * What a stranger's webhook costs before it is refused: for each scheme the
 * CPU of the body that we know as its worst, of the largest size, signed for
 * another body.  Fails when a body costs more than its bound in proportion to
 * SHA-256 (measure.h), or when a scheme of the registry has no body here.
 */

#include "measure.h"

#include "pay_sig.h"


#define BODY_MAX  262144       /* of the hardened file */
#define TRIES     5
#define NOW       INT64_C(1795238460)

#define COUNT(list)  (sizeof(list) / sizeof((list)[0]))

#define A43       "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define RSA64     A43 A43 A43 A43 A43 A43 A43 A43 /* 258 bytes */
#define MAC64     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

typedef struct {
    const char  *scheme;
    const char  *what;
    const char  *before;
    const char  *piece;
    const char  *behind;
    size_t       max;
    double       bound_us;     /* about 1.5 times what docs/security.md says */
} bench_body_t;

typedef struct {
    const pay_sig_scheme_t  *scheme;
    pay_sig_input_t          input;
    pay_sig_verdict_t        verdict;
} bench_case_t;


#define ITEM  "{\"notificationItems\":[{\"NotificationRequestItem\":{"        \
    "\"additionalData\":{\"hmacSignature\":\"" MAC64 "\"},\"x\":["

static const bench_body_t  bodies[] = {
    { "stripe", "any", "", "x", "", BODY_MAX, 250 },
    { "standardwebhooks", "any", "", "x", "", BODY_MAX, 250 },
    { "svix", "any", "", "x", "", BODY_MAX, 250 },
    { "adyen", "empty arrays", ITEM, "[[],[],[],[],[],[],[],[]],", "[]]}}]}",
      6200, 350 },
    { "adyen", "one long text", ITEM "\"", "\\u0061", "\"]}}]}", 65536, 1400 },
    { "adyen", "too many values", ITEM,
      "[[],[],[],[],[],[],[],[]],", "[]]}}]}", 65536, 30 },
    { "adyen", "too long", ITEM, "[],", "[]]}}]}", BODY_MAX, 5 },
    { "adyen-platform", "any", "", "x", "", BODY_MAX, 250 },
    { "braintree", "escapes",
      "bt_signature=public_key_1%7C0123456789abcdef0123456789abcdef01234567&"
      "bt_payload=", "%41", "", BODY_MAX, 700 },
    { "gocardless", "any", "", "x", "", BODY_MAX, 250 },
    { "mollie", "any", "", "x", "", BODY_MAX, 250 },
    { "mollie-legacy", "a hint", "id=tr_", "a", "", 70, 5 },
    { "mollie-legacy", "too long", "id=tr_", "a", "", BODY_MAX, 5 },
    { "paypal", "any, no certificate yet", "", "x", "", BODY_MAX, 5 },
    { "paypal", "any, with what is none", "", "x", "", BODY_MAX, 1800 },
    { "razorpay", "any", "", "x", "", BODY_MAX, 250 },
    { "square", "any", "", "x", "", BODY_MAX, 250 },
    { "tipalti", "a form, not asked yet", "type=error&key=", "x", "", 65536,
      120 },
    { "tipalti", "too long", "type=error&key=", "x", "", BODY_MAX, 5 },
    { "wise", "any", "", "x", "", BODY_MAX, 350 }
};

static const pay_str_t  hosts[] = { pay_string("api.example.com") };

static const char  rsa_pem[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA9iftiHlGD1KBI/vbYnBw\n"
    "WS8dPstGOqQD/81l9WUYQ9qCbCENOlNHWEBKOyBa6HPze+k0HQJNFltcaItDyft1\n"
    "L/v0uYkEKkLoatVD87lUk8khxS5LAjAgMOeckIfFb7YxiMcdAuCOTDPXInhImHyI\n"
    "orABoxT9PCIBRDwDVo2E+u1biS3j31HDZpUmzG2CbKYEWNM+W/haA66kv2poEbof\n"
    "+uaIc5PbczVpJ/TJxOwm3yg0QXUqIvhvhyJeiC52HEekduYwVRzfT90f3mUlkIUQ\n"
    "gh91WqO78iAe81JOmqKwW+tHkw3XSG2wYgi1GbdZq0Po3NWiFhT/vdobh7f1Boun\n"
    "1QIDAQAB\n"
    "-----END PUBLIC KEY-----\n";

static const pay_sig_settings_t  settings = {
    .url = pay_string("https://shop.example.com/webhooks/psp"),
    .public_key = pay_string("public_key_1"),
    .webhook_id = pay_string("WH-1"),
    .ca_pem = pay_string("no certificate"),
    .rsa_pem = { sizeof(rsa_pem) - 1, (const unsigned char *) rsa_pem },
    .cert_hosts = hosts,
    .cert_host_count = 1
};

static pay_header_t  paypal[] = {
    { pay_string("PAYPAL-TRANSMISSION-ID"), pay_string("a") },
    { pay_string("PAYPAL-TRANSMISSION-TIME"),
      pay_string("2026-11-21T09:21:00Z") },
    { pay_string("PAYPAL-TRANSMISSION-SIG"), pay_string(MAC64) },
    { pay_string("PAYPAL-CERT-URL"),
      pay_string("https://api.example.com/v1/notifications/certs/a") },
    { pay_string("PAYPAL-AUTH-ALGO"), pay_string("SHA256withRSA") },
    { pay_string("X-Signature-SHA256"), pay_string(RSA64) },
    { pay_string("Content-Type"),
      pay_string("application/x-www-form-urlencoded") }
};


static void
verify(pay_str_t text, void *data)
{
    pay_heap_t        *heap = pay_heap_create();
    bench_case_t      *one = data;
    pay_sig_result_t   result;

    one->input.body = text;
    one->verdict = one->scheme->verify(pay_heap_arena(heap), &one->input,
                                       &result);
    pay_heap_destroy(heap);
}


static pay_str_t
body_of(const bench_body_t *body)
{
    size_t          at, n;
    unsigned char  *data = malloc(body->max);

    if (data == NULL) {
        abort();
    }

    at = strlen(body->before);
    memcpy(data, body->before, at);

    for (n = strlen(body->piece);
         at + n + strlen(body->behind) <= body->max;
         at += n)
    {
        memcpy(data + at, body->piece, n);
    }

    memcpy(data + at, body->behind, strlen(body->behind));

    return (pay_str_t) { at + strlen(body->behind), data };
}


/* The headers of another body, where the scheme has any. */
static void
sign(bench_case_t *one, pay_arena_t *arena, pay_secret_t *key,
    pay_header_t headers[4])
{
    size_t             count = 0;
    pay_sig_message_t  message;

    memset(&one->input, 0, sizeof(one->input));
    one->input.now_s = NOW;
    one->input.tolerance_s = PAY_SIG_TOLERANCE_S;
    one->input.settings = &settings;

    if (one->scheme->key_parse == NULL) {
        one->input.headers = paypal;
        one->input.header_count = sizeof(paypal) / sizeof(paypal[0]);
        return;
    }

    if (one->scheme->key_parse(PAY_STR("0123456789abcdef0123456789abcdef"
                                       "0123456789abcdef0123456789abcdef"),
                               key, NULL) != PAY_OK)
    {
        abort();
    }

    one->input.keys = key;
    one->input.key_count = 1;
    one->input.headers = headers;

    message = (pay_sig_message_t) {
        &settings, key, PAY_STR("msg_1"), NOW, PAY_STR("another")
    };

    if (one->scheme->sign(arena, &message, headers, &count) == PAY_OK) {
        one->input.header_count = count;
    }
}


/* In us; the best of some tries while it is too much, as in scan.c. */
static double
cost(pay_str_t body, bench_case_t *one, double bound_us, int *over)
{
    double    us, best = 0;
    unsigned  i;

    for (i = 0; i < TRIES; i++) {
        us = bench_ns(verify, body, one) / 1000;
        best = (i == 0 || us < best) ? us : best;
        *over = best > bench_bound(bound_us, bench_repeat("x", 4096));

        if (!*over) {
            break;
        }
    }

    return best;
}


static int
each_scheme_has_a_body(void)
{
    int                             all = 1;
    size_t                          i;
    const pay_sig_scheme_t *const  *scheme;

    for (scheme = pay_sig_table(); *scheme != NULL; scheme++) {
        for (i = 0; i < COUNT(bodies); i++) {
            if (strcmp(bodies[i].scheme, (*scheme)->name) == 0) {
                break;
            }
        }

        if (i == COUNT(bodies)) {
            printf("%s has no body here\n", (*scheme)->name);
            all = 0;
        }
    }

    return all;
}


int
main(void)
{
    int            bad, over;
    size_t         i;
    double         us;
    pay_str_t      body;
    pay_heap_t    *heap = pay_heap_create();
    bench_case_t   one;
    pay_header_t   headers[4];
    pay_secret_t   key;

    bad = !each_scheme_has_a_body();

    printf("%-18s %-24s %8s %8s %8s  %s\n", "scheme", "body", "bytes",
           "ns/byte", "us", "verdict");

    for (i = 0; i < COUNT(bodies); i++) {
        memset(&key, 0, sizeof(key));
        one.scheme = pay_sig_find(pay_str_of(bodies[i].scheme));
        sign(&one, pay_heap_arena(heap), &key, headers);

        one.input.cert_pem = (strstr(bodies[i].what, "with") != NULL)
                             ? PAY_STR("none") : PAY_STR("");

        body = body_of(&bodies[i]);
        us = cost(body, &one, bodies[i].bound_us, &over);
        bad |= over;

        printf("%-18s %-24s %8zu %8.2f %8.0f  %s%s\n", bodies[i].scheme,
               bodies[i].what, body.len, us * 1000 / (double) body.len, us,
               pay_sig_verdict_name(one.verdict), over ? "  (too much)" : "");
    }

    pay_heap_destroy(heap);

    return bad;
}
