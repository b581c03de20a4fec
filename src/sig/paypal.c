/*
 * PayPal's webhook signature (docs/psp/paypal.md#webhooks): RSA over
 * transmission id, time, webhook id and the CRC-32 of the body, under a
 * certificate whose address comes with the message.  What this proves is
 * little: anyone who holds one genuine message makes other bodies of the same
 * CRC, so the adapter believes none of them without asking PayPal.  The time
 * is signed but not judged: PayPal documents no tolerance and repeats for
 * three days; a replay is a repeated event id and a question more.
 */

#include "pay_url.h"
#include "pay_x509.h"

#include "sig/sig.h"


#define PAYPAL_WORD_MAX       128      /* bytes of an id or a time */
#define PAYPAL_URL_MAX        512
#define PAYPAL_SIGNATURE_MAX  1400     /* base64 of RSA 8192 */
#define PAYPAL_TEXT_MAX       512
#define PAYPAL_ALGORITHM      "SHA256withRSA"

/* Part of the subject's common name that PayPal's own SDKs require. */
#define PAYPAL_CERT_PATH      "/v1/notifications/certs/"
#define PAYPAL_NAME_PREFIX    "messageverificationcerts"
#define PAYPAL_NAME_SUFFIX    ".paypal.com"

typedef enum {
    PAYPAL_ID = 0,
    PAYPAL_TIME,
    PAYPAL_SIGNATURE,
    PAYPAL_CERT_URL,
    PAYPAL_AUTH_ALGO,
    PAYPAL_HEADERS
} paypal_header_t;

typedef struct {
    /* The texts of the headers, and the signature decoded. */
    pay_str_t  values[PAYPAL_HEADERS];
    pay_str_t  signature;              /* raw bytes */
} paypal_message_t;


static pay_sig_verdict_t paypal_verify(pay_arena_t *arena,
    const pay_sig_input_t *input, pay_sig_result_t *result);
static pay_sig_verdict_t paypal_judge(pay_arena_t *arena,
    const pay_sig_input_t *input, pay_sig_result_t *result);
static pay_sig_verdict_t paypal_headers(pay_arena_t *arena,
    const pay_sig_input_t *input, paypal_message_t *message);
static int paypal_word_is_plain(pay_str_t word);
static int paypal_url_is_allowed(const pay_sig_input_t *input,
    pay_str_t text);
static pay_sig_verdict_t paypal_certificate(const pay_sig_input_t *input,
    pay_str_t text, pay_str_t signature);
static pay_sig_verdict_t paypal_verdict(pay_status_t status,
    pay_sig_verdict_t invalid);


static const char *const  paypal_names[] = {
    [PAYPAL_ID] = "PAYPAL-TRANSMISSION-ID",
    [PAYPAL_TIME] = "PAYPAL-TRANSMISSION-TIME",
    [PAYPAL_SIGNATURE] = "PAYPAL-TRANSMISSION-SIG",
    [PAYPAL_CERT_URL] = "PAYPAL-CERT-URL",
    [PAYPAL_AUTH_ALGO] = "PAYPAL-AUTH-ALGO"
};
PAY_ROWS(paypal_names, PAYPAL_HEADERS);


const pay_sig_scheme_t  pay_sig_paypal = {
    .name = "paypal",
    .needs = PAY_SIG_NEEDS_WEBHOOK_ID | PAY_SIG_NEEDS_CERT,
    .signs_time = 0,
    .verify = paypal_verify,
    .sign = pay_sig_sign_never
};


static pay_sig_verdict_t
paypal_verify(pay_arena_t *arena, const pay_sig_input_t *input,
    pay_sig_result_t *result)
{
    memset(result, 0, sizeof(*result));
    result->verdict = paypal_judge(arena, input, result);

    return result->verdict;
}


/*
 *   no certificate at hand ──▶ NEED_CERT ── the glue fetches it ──▶ again
 *
 * Everything that can be refused without the certificate is refused before it
 * is fetched: a stranger must not make us call out (docs/psp/paypal.md). */
static pay_sig_verdict_t
paypal_judge(pay_arena_t *arena, const pay_sig_input_t *input,
    pay_sig_result_t *result)
{
    pay_str_t                  text;
    paypal_message_t           message;
    pay_sig_verdict_t          verdict;
    const pay_sig_settings_t  *settings = input->settings;

    memset(&message, 0, sizeof(message));

    verdict = paypal_headers(arena, input, &message);
    if (verdict != PAY_SIG_VALID) {
        return verdict;
    }

    /* a setting that is absent must not make anything valid */
    if (!paypal_word_is_plain(settings->webhook_id)
        || settings->ca_pem.len == 0)
    {
        return PAY_SIG_ERROR;
    }

    if (input->cert_pem.len == 0) {
        result->cert_url = message.values[PAYPAL_CERT_URL];
        return PAY_SIG_NEED_CERT;
    }

    if (pay_format(arena, &text, PAYPAL_TEXT_MAX, "%.*s|%.*s|%.*s|%lu",
                   pay_fmt(message.values[PAYPAL_ID]),
                   pay_fmt(message.values[PAYPAL_TIME]),
                   pay_fmt(settings->webhook_id),
                   (unsigned long) pay_crc32(input->body))
        != PAY_OK)
    {
        return PAY_SIG_ERROR;
    }

    return paypal_certificate(input, text, message.signature);
}


/* Runs every check that needs no certificate.  The algorithm is compared as a
 * word: the message must not choose another digest. */
static pay_sig_verdict_t
paypal_headers(pay_arena_t *arena, const pay_sig_input_t *input,
    paypal_message_t *message)
{
    unsigned      i;
    pay_str_t    *values = message->values;
    pay_status_t  status;

    for (i = 0; i < PAYPAL_HEADERS; i++) {
        status = pay_header_find(input->headers, input->header_count,
                                 paypal_names[i], &values[i]);
        if (status != PAY_OK) {
            return (status == PAY_NOT_FOUND) ? PAY_SIG_HEADER_MISSING
                                             : PAY_SIG_HEADER_INVALID;
        }
    }

    if (!paypal_word_is_plain(values[PAYPAL_ID])
        || !paypal_word_is_plain(values[PAYPAL_TIME])
        || !pay_str_is(values[PAYPAL_AUTH_ALGO], PAYPAL_ALGORITHM)
        || !paypal_url_is_allowed(input, values[PAYPAL_CERT_URL])
        || values[PAYPAL_SIGNATURE].len == 0
        || values[PAYPAL_SIGNATURE].len > PAYPAL_SIGNATURE_MAX)
    {
        return PAY_SIG_HEADER_INVALID;
    }

    return paypal_verdict(pay_base64_decode(arena, values[PAYPAL_SIGNATURE],
                                            &message->signature),
                          PAY_SIG_HEADER_INVALID);
}


/* Printable and without "|", which separates the parts of the signed text: no
 * two messages share one text. */
static int
paypal_word_is_plain(pay_str_t word)
{
    size_t  i;

    for (i = 0; i < word.len; i++) {
        if (word.data[i] <= ' ' || word.data[i] > '~' || word.data[i] == '|') {
            return 0;
        }
    }

    return word.len > 0 && word.len <= PAYPAL_WORD_MAX;
}


/* The message says where the key lies that it is to be believed by: only
 * configured hosts and below one path, spelled in one way, at their own port.
 * Without a list nothing is ever fetched; a certificate that is there all the
 * same is the caller's own file (payctl), whatever the message calls it. */
static int
paypal_url_is_allowed(const pay_sig_input_t *input, pay_str_t text)
{
    size_t                     i;
    pay_url_t                  url;
    const pay_sig_settings_t  *settings = input->settings;

    if (settings->cert_host_count == 0 && input->cert_pem.len != 0) {
        return 1;
    }

    if (text.len > PAYPAL_URL_MAX || pay_url_parse(text, &url, NULL) != PAY_OK
        || !pay_str_is(url.scheme, "https") || url.query.data != NULL
        || url.fragment.data != NULL
        || !pay_url_path_is_under(&url, settings->cert_path.len
                                        ? settings->cert_path
                                        : PAY_STR(PAYPAL_CERT_PATH)))
    {
        return 0;
    }

    for (i = 0; i < settings->cert_host_count; i++) {
        if (pay_url_host_is(&url, settings->cert_hosts[i])) {
            return 1;
        }
    }

    return 0;
}


/* Chain first, name second, signature last.  A certificate of PayPal for
 * another purpose has another common name and must not sign webhooks. */
static pay_sig_verdict_t
paypal_certificate(const pay_sig_input_t *input, pay_str_t text,
    pay_str_t signature)
{
    pay_x509_t    *leaf;
    pay_status_t   status;

    if (input->cert_pem.len > PAY_SIG_CERT_MAX) {
        return PAY_SIG_CERT_INVALID;
    }

    status = pay_x509_open(input->cert_pem, input->settings->ca_pem,
                           input->now_s, &leaf);
    if (status != PAY_OK) {
        return paypal_verdict(status, PAY_SIG_CERT_INVALID);
    }

    if (!pay_x509_name_is(leaf, PAYPAL_NAME_PREFIX, PAYPAL_NAME_SUFFIX)) {
        pay_x509_close(leaf);
        return PAY_SIG_CERT_INVALID;
    }

    status = pay_x509_rsa_verify(leaf, text, signature);
    pay_x509_close(leaf);

    return paypal_verdict(status, PAY_SIG_MISMATCH);
}


/* Keeps trouble of ours (no memory) apart from a message that is wrong: the
 * former is answered 5xx and sent again. */
static pay_sig_verdict_t
paypal_verdict(pay_status_t status, pay_sig_verdict_t invalid)
{
    if (status == PAY_OK) {
        return PAY_SIG_VALID;
    }

    return (status == PAY_INVALID) ? invalid : PAY_SIG_ERROR;
}
