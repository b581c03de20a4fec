/*
 * The table of webhook schemes and what they share.  The gateway and payctl
 * find a scheme here by its name; one more scheme is one more row.  This
 * never looks into a body.
 */

#include "sig/sig.h"
#include "pay_time.h"


static unsigned char lower(unsigned char c);


static const pay_sig_scheme_t *const  schemes[] = {
    &pay_sig_stripe,
    &pay_sig_standardwebhooks,
    &pay_sig_svix,
    &pay_sig_adyen,
    &pay_sig_adyen_platform,
    &pay_sig_braintree,
    &pay_sig_gocardless,
    &pay_sig_mollie,
    &pay_sig_mollie_legacy,
    &pay_sig_paypal,
    &pay_sig_razorpay,
    &pay_sig_square,
    &pay_sig_tipalti,
    &pay_sig_wise,
    NULL
};

static const char *const  verdict_names[] = {
    [PAY_SIG_VALID] = "valid",
    [PAY_SIG_HEADER_MISSING] = "header-missing",
    [PAY_SIG_HEADER_INVALID] = "header-invalid",
    [PAY_SIG_TIMESTAMP] = "timestamp",
    [PAY_SIG_MISMATCH] = "mismatch",
    [PAY_SIG_NEED_CERT] = "need-cert",
    [PAY_SIG_NEED_CONFIRM] = "need-confirm",
    [PAY_SIG_CERT_INVALID] = "cert-invalid",
    [PAY_SIG_ERROR] = "error"
};
PAY_ROWS(verdict_names, PAY_SIG_VERDICT_COUNT);


/* NULL for an unknown name, which nginx -t reports with the line of the
 * directive. */
const pay_sig_scheme_t *
pay_sig_find(pay_str_t name)
{
    size_t  i;

    for (i = 0; schemes[i] != NULL; i++) {
        if (pay_str_is(name, schemes[i]->name)) {
            return schemes[i];
        }
    }

    return NULL;
}


const pay_sig_scheme_t *const *
pay_sig_table(void)
{
    return schemes;
}


/* The names are words that payctl webhook verify prints. */
const char *
pay_sig_verdict_name(pay_sig_verdict_t verdict)
{
    if ((unsigned) verdict > PAY_SIG_ERROR) {
        return "error";
    }

    return verdict_names[verdict];
}


/* A header that stands twice is refused: proxies and libraries differ in which
 * of two they take, so that the signed one and the read one might not be the
 * same. */
pay_status_t
pay_header_find(const pay_header_t *headers, size_t count, const char *name,
    pay_str_t *value)
{
    size_t               i, k;
    pay_str_t            wanted = pay_str_of(name);
    const pay_header_t  *found = NULL;

    for (i = 0; i < count; i++) {
        if (headers[i].name.len != wanted.len) {
            continue;
        }

        for (k = 0; k < wanted.len; k++) {
            if (lower(headers[i].name.data[k]) != lower(wanted.data[k])) {
                break;
            }
        }

        if (k < wanted.len) {
            continue;
        }

        if (found != NULL) {
            return PAY_INVALID;
        }

        found = &headers[i];
    }

    if (found == NULL) {
        return PAY_NOT_FOUND;
    }

    *value = found->value;

    return PAY_OK;
}


/* Binds both ways (docs/security.md W4): a sender that could date a message
 * ahead could keep it for a later replay. */
pay_sig_verdict_t
pay_sig_time_check(const pay_sig_input_t *input, pay_str_t text,
    int64_t *timestamp_s, int *ahead)
{
    int64_t  t, distance;

    if (input->now_s < 0 || pay_digits_parse(text, &t) != PAY_OK) {
        return PAY_SIG_TIMESTAMP;
    }

    distance = (t > input->now_s) ? t - input->now_s : input->now_s - t;

    if (distance > input->tolerance_s) {
        *ahead = (t > input->now_s) ? 1 : -1;
        return PAY_SIG_TIMESTAMP;
    }

    *timestamp_s = t;

    return PAY_SIG_VALID;
}


/* Goes through all pairs even after one fits, in constant time
 * (docs/security.md W3), so that neither the place nor the number of right
 * bytes can be measured. Several keys are usual while a secret is rotated
 * (W8). */
pay_sig_verdict_t
pay_sig_match(const pay_sig_input_t *input, const pay_str_t *parts,
    unsigned part_count, const pay_sig_values_t *values)
{
    int            equal, fits;
    size_t         k;
    unsigned       i;
    pay_str_t      expected, value;
    unsigned char  mac[PAY_SHA256_SIZE];

    if (input->key_count > PAY_SIG_KEYS_MAX) {
        return PAY_SIG_ERROR;
    }

    equal = 0;
    expected = (pay_str_t) { sizeof(mac), mac };

    for (k = 0; k < input->key_count; k++) {

        if (pay_hmac_sha256(pay_secret_str(&input->keys[k]), parts, part_count,
                            mac)
            != PAY_OK)
        {
            return PAY_SIG_ERROR;
        }

        for (i = 0, fits = 0; i < values->count; i++) {
            value = (pay_str_t) { PAY_SHA256_SIZE, values->mac[i] };
            fits |= pay_equal_ct(expected, value);
        }

        pay_sig_note(input, k, fits);
        equal |= fits;
    }

    return equal ? PAY_SIG_VALID : PAY_SIG_MISMATCH;
}


/* Without a branch on the result, as above. */
void
pay_sig_note(const pay_sig_input_t *input, size_t key, int fits)
{
    if (input->fits != NULL) {
        *input->fits |= (unsigned) (fits != 0) << key;
    }
}


/* The end of the text and a separator as last byte differ: "a," has a second,
 * empty part, for which *more is 1 first. */
pay_str_t
pay_sig_cut(pay_str_t *rest, unsigned char separator, int *more)
{
    size_t     i;
    pay_str_t  head = *rest;

    for (i = 0; i < rest->len && rest->data[i] != separator; i++) {
        /* void */
    }

    head.len = i;
    *more = (i < rest->len);

    if (*more) {
        rest->data += i + 1;
        rest->len -= i + 1;

    } else {
        rest->len = 0;
    }

    return head;
}


/* ASCII alone: names of headers have no other letters (RFC 9110 section
 * 5.1). */
static unsigned char
lower(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') ? (unsigned char) (c | 0x20) : c;
}
