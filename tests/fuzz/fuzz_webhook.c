/*
 * Fuzz target: webhooks and PSP answers.  Input: a byte that names which
 * headers, which time and whether the body is a certificate, too, three
 * headers of one length byte and text each, a byte of HTTP status, then the
 * body.  All schemes judge it and all adapters read it, as if the first two
 * headers were the token and the payment that it is about; what must hold
 * for any input is checked.  tests/fuzz/run makes seeds of the adapters'
 * fixtures.
 */

#include "fuzz.h"
#include "../answer.h"

#include "pay_psp.h"
#include "pay_sig.h"
#include "psp/psp.h"


#define NOW      INT64_C(1795238460)
#define KEY      "0123456789abcdef0123456789abcdef"                            \
                 "0123456789abcdef0123456789abcdef"
#define HEADERS  3
#define FIXED    2                     /* headers of PayPal's, always there */

#define must     FUZZ_CHECK

typedef struct {
    const unsigned char  *data;
    size_t                len;
} input_t;


static unsigned char take(input_t *in);
static pay_str_t take_text(input_t *in);
static void walk_schemes(pay_arena_t *arena, pay_sig_input_t *input);
static int is_confirmed(const pay_sig_scheme_t *scheme,
    const pay_sig_input_t *input);
static void check_signed(pay_arena_t *arena,
    const pay_sig_scheme_t *scheme, const pay_sig_input_t *input);
static void check_challenge(pay_arena_t *arena,
    const pay_sig_scheme_t *scheme, const pay_sig_input_t *input);
static void walk_adapters(pay_arena_t *arena, const pay_header_t *headers,
    unsigned status, pay_str_t body);
static void walk_answers(pay_arena_t *arena, const pay_psp_adapter_t *psp,
    pay_str_t token, const pay_http_answer_t *answer);
static void walk_changes(pay_arena_t *arena, const pay_psp_adapter_t *psp,
    pay_str_t token, pay_str_t payment, const pay_http_answer_t *answer);
static void walk_list(pay_arena_t *arena, const pay_psp_adapter_t *psp,
    const pay_http_answer_t *answer);
static pay_str_t token_of(const pay_header_t *header, pay_str_t other);
static void check_events(const pay_psp_event_t *events, unsigned count);
static void check_word(pay_str_t word, size_t max);


static const char *const  names[][HEADERS] = {
    { "Stripe-Signature", "x-a", "x-b" },
    { "webhook-id", "webhook-timestamp", "webhook-signature" },
    { "svix-id", "svix-timestamp", "svix-signature" },
    { "webhook-id", "Webhook-Id", "stripe-signature" },
    { "HmacSignature", "Protocol", "x-a" },
    { "Webhook-Signature", "webhook-signature", "x-a" },
    { "X-Mollie-Signature", "x-a", "x-b" },
    { "X-Razorpay-Event-Id", "X-Razorpay-Signature", "x-a" },
    { "x-square-hmacsha256-signature", "x-square-signature", "x-a" },
    { "PAYPAL-CERT-URL", "PAYPAL-TRANSMISSION-SIG", "PAYPAL-AUTH-ALGO" },
    { "paypal-transmission-id", "PAYPAL-CERT-URL", "PAYPAL-AUTH-ALGO" },
    { "X-Signature-SHA256", "X-Test-Notification", "X-Delivery-Id" },
    { "Content-Type", "x-a", "x-b" }
};

#define NAMES  (sizeof(names) / sizeof(names[0]))

static const pay_header_t  fixed[FIXED] = {
    { pay_string("PAYPAL-TRANSMISSION-ID"), pay_string("51ad3487-6b3b") },
    { pay_string("PAYPAL-TRANSMISSION-TIME"),
      pay_string("2026-11-24T06:00:37Z") }
};

/* Signs nothing that exists. */
static const char  ca_pem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBdTCCARugAwIBAgIUN/Lz8RBdjq0+sGiDH5VpqbsiamgwCgYIKoZIzj0EAwIw\n"
    "DzENMAsGA1UEAwwEZnV6ejAgFw0yNjExMjExMjI0MzlaGA8yMTI2MTAyODEyMjQz\n"
    "OVowDzENMAsGA1UEAwwEZnV6ejBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABLx5\n"
    "gBSP777WD8KU3l08PNl6T9xyUKH88qAY8hEpAhacsqy9RewToXajscXXFBhMLAC5\n"
    "+5hQoVYcd5aYeD9jgcOjUzBRMB0GA1UdDgQWBBRWwxuL6T6AZHPTZbmXbz6EQVzX\n"
    "9jAfBgNVHSMEGDAWgBRWwxuL6T6AZHPTZbmXbz6EQVzX9jAPBgNVHRMBAf8EBTAD\n"
    "AQH/MAoGCCqGSM49BAMCA0gAMEUCIHQ6PBRuAPvOMfZL9DsV9BM35BPrCh0IpgOL\n"
    "GIiV4CfaAiEA8XdWomQ1hJV++SBcec+o33aV+LTr9T62cIAg0arKv9Y=\n"
    "-----END CERTIFICATE-----\n";

/* Its private half is nowhere. */
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

static const pay_str_t  cert_hosts[] = { pay_string("api.paypal.com") };

static const pay_psp_account_t  account = {
    .base_url = pay_string("https://psp.example"),
    .api_key = pay_string("sk_test_0123456789"),
    .account = pay_string("TestMerchant")
};

static const unsigned  statuses[] = {
    200, 201, 202, 302, 400, 401, 402, 404, 409, 422, 429, 500
};


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input_t             in = { data, size };
    unsigned            i, choice, status;
    pay_heap_t         *heap;
    pay_header_t        headers[HEADERS + FIXED];
    pay_sig_input_t     input;
    pay_sig_settings_t  settings;

    heap = pay_heap_create();
    must(heap != NULL);

    choice = take(&in);

    for (i = 0; i < HEADERS; i++) {
        headers[i].name = pay_str_of(
            names[((choice & 3) | (choice >> 2 & 12)) % NAMES][i]);
        headers[i].value = take_text(&in);
    }

    memcpy(headers + HEADERS, fixed, sizeof(fixed));
    status = statuses[take(&in) % (sizeof(statuses) / sizeof(statuses[0]))];

    memset(&settings, 0, sizeof(settings));
    settings.url = PAY_STR("https://shop.example.com/webhooks/psp");
    settings.public_key = PAY_STR("public_key_1");
    settings.webhook_id = PAY_STR("WH-1");
    settings.ca_pem = pay_str_of(ca_pem);
    settings.rsa_pem = pay_str_of(rsa_pem);
    settings.cert_hosts = cert_hosts;
    settings.cert_host_count = 1;

    memset(&input, 0, sizeof(input));
    input.headers = headers;
    input.header_count = HEADERS + FIXED;
    input.body = (pay_str_t) { in.len, in.data };
    input.settings = &settings;
    input.now_s = (choice & 4) ? 0 : (choice & 8) ? INT64_MAX : NOW;
    input.tolerance_s = PAY_SIG_TOLERANCE_S;

    if (choice & 0x40) {
        input.cert_pem = input.body;
        input.confirmed = headers[1].value;
    }

    walk_schemes(pay_heap_arena(heap), &input);
    walk_adapters(pay_heap_arena(heap), headers, status, input.body);

    pay_heap_destroy(heap);

    return 0;
}


static unsigned char
take(input_t *in)
{
    if (in->len == 0) {
        return 0;
    }

    in->len--;

    return *in->data++;
}


static pay_str_t
take_text(input_t *in)
{
    size_t     len = take(in);
    pay_str_t  text = { len < in->len ? len : in->len, in->data };

    in->data += text.len;
    in->len -= text.len;

    return text;
}


/* The fuzzer knows no way to a right MAC or certificate: nothing that asks for
 * one may be valid, and what we sign must be. */
static void
walk_schemes(pay_arena_t *arena, pay_sig_input_t *input)
{
    pay_err_t                       err;
    pay_secret_t                    key, odd;
    pay_sig_result_t                result;
    const pay_sig_scheme_t *const  *scheme;

    for (scheme = pay_sig_table(); *scheme != NULL; scheme++) {
        input->keys = &key;
        input->key_count = 0;

        if ((*scheme)->key_parse != NULL) {
            must((*scheme)->key_parse(PAY_STR(KEY), &key, NULL) == PAY_OK);
            input->key_count = 1;

            if ((*scheme)->key_parse(input->headers[0].value, &odd, &err)
                != PAY_OK)
            {
                fuzz_refused(&err);
            }
        }

        (void) (*scheme)->verify(arena, input, &result);
        must(result.verdict != PAY_SIG_ERROR);
        must(result.verdict != PAY_SIG_VALID || (*scheme)->needs == 0
             || is_confirmed(*scheme, input));
        must(result.verdict != PAY_SIG_NEED_CONFIRM
             || ((*scheme)->needs & PAY_SIG_NEEDS_CONFIRM));
        must(result.verdict == PAY_SIG_VALID || result.event_id.len == 0);
        must(result.verdict == PAY_SIG_VALID || !result.is_test);
        must((result.verdict == PAY_SIG_NEED_CERT)
             == (result.cert_url.len != 0));
        must(result.verdict != PAY_SIG_NEED_CERT
             || (((*scheme)->needs & PAY_SIG_NEEDS_CERT)
                 && input->cert_pem.len == 0));

        if ((*scheme)->needs & PAY_SIG_NEEDS_KEY) {
            check_signed(arena, *scheme, input);
        }

        if ((*scheme)->challenge != NULL) {
            check_challenge(arena, *scheme, input);
        }
    }
}


/* By its sender's word, which is the second header of the input here. */
static int
is_confirmed(const pay_sig_scheme_t *scheme, const pay_sig_input_t *input)
{
    pay_str_t  word = input->confirmed;

    while (word.len != 0 && word.data[word.len - 1] <= ' ') {
        word.len--;
    }

    return (scheme->needs & PAY_SIG_NEEDS_CONFIRM)
           && pay_str_is(word, "VERIFIED");
}


static void
check_signed(pay_arena_t *arena, const pay_sig_scheme_t *scheme,
    const pay_sig_input_t *input)
{
    size_t             count;
    pay_header_t       own[4];
    pay_status_t       status;
    pay_sig_input_t    own_input = *input;
    pay_sig_result_t   result;
    pay_sig_message_t  message = {
        input->settings, &input->keys[0], PAY_STR("msg_1"), NOW, input->body
    };

    status = scheme->sign(arena, &message, own, &count);
    must(status == PAY_OK || status == PAY_INVALID);

    if (status == PAY_INVALID) {
        return;                        /* the signature stands in the body */
    }

    must(count >= 1 && count <= 4);

    own_input.now_s = NOW;
    own_input.headers = own;
    own_input.header_count = count;
    must(scheme->verify(arena, &own_input, &result) == PAY_SIG_VALID);
    must(scheme->signs_time == (result.timestamp_s != 0));

    if (scheme->signs_time) {
        own_input.now_s = NOW + PAY_SIG_TOLERANCE_S + 1;
        must(scheme->verify(arena, &own_input, &result)
             == PAY_SIG_TIMESTAMP);
    }
}


static void
check_challenge(pay_arena_t *arena, const pay_sig_scheme_t *scheme,
    const pay_sig_input_t *input)
{
    pay_str_t     answer = pay_string("");
    pay_status_t  status;

    status = scheme->challenge(arena, input->settings, input->keys,
                               input->key_count, input->headers[0].value,
                               &answer);

    must(status == PAY_OK || status == PAY_INVALID);
    must((status == PAY_OK) == (answer.len != 0));
    must(status != PAY_OK
         || answer.len == input->settings->public_key.len + 1
                          + 2 * PAY_SHA1_SIZE);
}


static void
walk_adapters(pay_arena_t *arena, const pay_header_t *headers, unsigned status,
    pay_str_t body)
{
    unsigned                         count;
    pay_str_t                        token = token_of(&headers[0],
                                                      PAY_STR("t"));
    pay_str_t                        payment = token_of(&headers[1],
                                                        PAY_STR("r"));
    pay_err_t                        err;
    pay_psp_event_t                  events[PAY_PSP_EVENTS_MAX];
    pay_http_answer_t                answer = answer_blank(PAY_ANSWERED);
    const pay_psp_adapter_t *const  *psp;

    answer.status = status;
    answer.body = body;

    for (psp = pay_psp_table(); *psp != NULL; psp++) {
        count = 0;

        if ((*psp)->webhook_events(arena, &account, headers[0].value, body,
                                   events, &count, &err)
            != PAY_OK)
        {
            fuzz_refused(&err);

        } else {
            must(count <= PAY_PSP_EVENTS_MAX);
            check_events(events, count);
        }

        if ((*psp)->register_answer != NULL) {
            walk_answers(arena, *psp, token, &answer);
        }

        if ((*psp)->list_answer != NULL) {
            walk_list(arena, *psp, &answer);
        }

        if ((*psp)->changes != 0) {
            walk_changes(arena, *psp, token, payment, &answer);
        }
    }
}


static void
walk_list(pay_arena_t *arena, const pay_psp_adapter_t *psp,
    const pay_http_answer_t *answer)
{
    pay_psp_list_t    list;
    pay_psp_listed_t  listed;

    memset(&list, 0, sizeof(list));
    list.since_s = NOW - 3600;
    list.until_s = NOW;

    memset(&listed, 0, sizeof(listed));
    must(psp->list_answer(arena, &account, &list, answer, &listed) == PAY_OK);
    must(listed.count <= PAY_PSP_LIST_MAX);
    must(listed.known || (listed.count == 0 && listed.next.len == 0));
    check_events(listed.events, listed.count);
}


static pay_str_t
token_of(const pay_header_t *header, pay_str_t other)
{
    return pay_psp_token_is_valid(header->value) ? header->value : other;
}


static void
walk_answers(pay_arena_t *arena, const pay_psp_adapter_t *psp,
    pay_str_t token, const pay_http_answer_t *answer)
{
    int                   known;
    pay_status_t          status;
    pay_psp_auth_t        auth;
    pay_psp_event_t       event;
    pay_psp_checkout_t    checkout;
    pay_psp_registered_t  done;

    memset(&checkout, 0, sizeof(checkout));
    checkout.nonce = PAY_STR("order-1");
    checkout.merchant_reference =
        PAY_STR("0199c0de-0000-7000-8000-000000000001");
    checkout.amount_minor = 3000;
    must(pay_currency_find(PAY_STR("USD"), &checkout.currency, NULL) == PAY_OK);

    must(psp->register_answer(arena, &checkout, answer, &done) == PAY_OK);
    check_word(done.code, PAY_PSP_CODE_MAX);
    check_word(done.token, PAY_PSP_TOKEN_MAX);
    check_word(done.alias, PAY_PSP_TOKEN_MAX);
    must(done.outcome != PAY_PSP_PENDING);
    must((done.outcome == PAY_PSP_DONE)
         == (done.token.len != 0 && done.hosted_url.len != 0));
    must(done.outcome != PAY_PSP_DONE || answer->status / 100 == 2);
    must(done.outcome != PAY_PSP_REFUSED || answer->status / 100 == 4);

    known = -1;
    must(psp->query_answer(arena, token, answer, &event, &known) == PAY_OK);
    must(known == 0
         || (known == 1 && (answer->status == 200
                            || (answer->status == 404
                                && event.fact == PAY_FACT_NONE))));

    if (known) {
        must(event.token.len == token.len
             && memcmp(event.token.data, token.data, token.len) == 0);
        check_events(&event, 1);
    }

    if (psp->auth_answer != NULL) {
        status = psp->auth_answer(arena, answer, &auth);
        must(status == PAY_INVALID
             || (status == PAY_OK && auth.token.len != 0
                 && auth.token.len <= PAY_PSP_AUTH_MAX
                 && auth.lifetime_s > 0));
    }
}


static void
walk_changes(pay_arena_t *arena, const pay_psp_adapter_t *psp,
    pay_str_t token, pay_str_t payment, const pay_http_answer_t *answer)
{
    unsigned            kind;
    pay_psp_change_t    change;
    pay_psp_changed_t   done;

    memset(&change, 0, sizeof(change));
    change.key = PAY_STR("0199c0de-0000-7000-8000-000000000002");
    change.token = token;
    change.reference = payment;
    change.merchant_reference
        = PAY_STR("0199c0de-0000-7000-8000-000000000001");
    change.amount_minor = 3000;
    must(pay_currency_find(PAY_STR("USD"), &change.currency, NULL) == PAY_OK);

    for (kind = 0; kind < PAY_PSP_CHANGE_COUNT; kind++) {
        if (!(psp->changes & PAY_PSP_CAN(kind))) {
            continue;
        }

        change.kind = (pay_psp_change_kind_t) kind;
        must(psp->change_answer(arena, &change, answer, &done) == PAY_OK);
        check_word(done.code, PAY_PSP_CODE_MAX);
        check_word(done.reference, PAY_PSP_TOKEN_MAX);
        must(done.outcome != PAY_PSP_REFUSED || answer->status < 500);

        if (done.known) {
            check_events(&done.event, 1);
        }
    }
}


static void
check_events(const pay_psp_event_t *events, unsigned count)
{
    unsigned  i;

    for (i = 0; i < count; i++) {
        check_word(events[i].event_id, PAY_PSP_TOKEN_MAX);
        check_word(events[i].token, PAY_PSP_TOKEN_MAX);
        check_word(events[i].reference, PAY_PSP_TOKEN_MAX);
        check_word(events[i].type, PAY_PSP_CODE_MAX);
        check_word(events[i].code, PAY_PSP_CODE_MAX);

        check_word(events[i].object, PAY_PSP_TOKEN_MAX);
        check_word(events[i].operation, 36);
        check_word(events[i].fee_currency, 3);

        must(events[i].type.len != 0);
        must((unsigned) events[i].about <= PAY_ABOUT_FEE);
        must((unsigned) events[i].news <= PAY_NEWS_SINGLE);
        must(events[i].about == PAY_ABOUT_PAYMENT
             || (events[i].fact == PAY_FACT_NONE && !events[i].must_ask
                 && events[i].has_amount
                 && (events[i].token.len != 0
                     || events[i].reference.len != 0)));
        must((events[i].about == PAY_ABOUT_DISPUTE)
             == (events[i].news >= PAY_NEWS_OPENED
                 && events[i].news <= PAY_NEWS_LOST));
        must(!events[i].has_fee || (events[i].fee_minor > 0
                                    && events[i].fee_currency.len == 3));
        must((unsigned) events[i].fact < PAY_FACT_COUNT);
        must(events[i].fact == PAY_FACT_NONE || events[i].token.len != 0);
        must(events[i].fact == PAY_FACT_NONE
             || (!events[i].must_ask && !events[i].must_capture));
        must(events[i].fact != PAY_FACT_PAID || events[i].has_amount);
        must(!events[i].has_amount
             || (events[i].amount_minor >= 0 && events[i].currency.len == 3));
    }
}


/* Nothing that a log, a header or a page could trip over: letters of a PSP's
 * words and of our own ids, which come back in webhooks. */
static void
check_word(pay_str_t word, size_t max)
{
    size_t  i;

    must(word.len <= max);

    for (i = 0; i < word.len; i++) {
        must(strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                    "0123456789_.:~-", word.data[i]) != NULL
             && word.data[i] != '\0');
    }
}
