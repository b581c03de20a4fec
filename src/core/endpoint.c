/*
 * Endpoints of storefronts: their addresses, their secrets, the signatures of
 * their messages (Standard Webhooks 1.0,
 * https://github.com/standard-webhooks/standard-webhooks).  Knows no flow and
 * no row.
 *
 * A secret is sealed for its endpoint (AAD), so that it cannot sign in the
 * place of another one's, not even by a role that may write the table.
 */

#include "pay_address.h"
#include "pay_endpoint.h"
#include "url_host.h"


#define PLACE_MAX      256
#define SIGNATURE_MAX  512
#define FRAME          (PAY_KEYRING_NONCE + PAY_KEYRING_TAG)


static pay_status_t check_literal(pay_str_t host, pay_hosts_t hosts,
    pay_err_t *err);
static int size_ok(size_t size);
static pay_status_t seal(pay_arena_t *arena, const pay_keyring_t *ring,
    pay_str_t merchant_id, pay_str_t endpoint_id,
    const unsigned char nonce[PAY_KEYRING_NONCE], pay_str_t secret,
    pay_str_t *sealed);
static pay_status_t place_of(pay_arena_t *arena, pay_str_t merchant_id,
    pay_str_t endpoint_id, pay_str_t *place);
static pay_status_t sign_one(pay_arena_t *arena,
    pay_endpoint_scheme_t scheme, const pay_secret_t *secret,
    const pay_str_t parts[5], pay_buf_t *out);
static pay_status_t join(pay_arena_t *arena, const pay_str_t parts[5],
    pay_str_t *text);


static const char  *const schemes[] = {
    [PAY_ENDPOINT_V1] = "v1", [PAY_ENDPOINT_V1A] = "v1a"
};
PAY_ROWS(schemes, PAY_ENDPOINT_SCHEMES);


const char *
pay_endpoint_scheme_name(pay_endpoint_scheme_t scheme)
{
    return schemes[scheme];
}


pay_status_t
pay_endpoint_scheme_find(pay_str_t name, pay_endpoint_scheme_t *scheme)
{
    unsigned  i;

    for (i = 0; i < PAY_ENDPOINT_SCHEMES; i++) {
        if (pay_str_is(name, schemes[i])) {
            *scheme = (pay_endpoint_scheme_t) i;
            return PAY_OK;
        }
    }

    return PAY_NOT_FOUND;
}


pay_status_t
pay_endpoint_url_check(pay_str_t text, pay_hosts_t hosts, pay_err_t *err)
{
    pay_url_t  url;

    if (pay_url_parse(text, &url, NULL) != PAY_OK) {
        return pay_refuse(err, "validation-error",
                          "url must be https://host[:port][/path][?query], in "
                          "at most 2048 characters, without a user");
    }

    if (url.fragment.data != NULL) {
        return pay_refuse(err, "validation-error",
                          "url must not have a fragment (#)");
    }

    if (pay_host_is_loopback(url.host)) {
        return hosts != PAY_HOSTS_PUBLIC ? PAY_OK
               : pay_refuse(err, "validation-error",
                            "url must lead to a public host");
    }

    if (!pay_str_is(url.scheme, "https")) {
        return pay_refuse(err, "validation-error", "url must begin with "
                          "https://");
    }

    return pay_host_is_literal(url.host)
           ? check_literal(url.host, hosts, err) : PAY_OK;
}


static pay_status_t
check_literal(pay_str_t host, pay_hosts_t hosts, pay_err_t *err)
{
    uint32_t       address;
    unsigned char  bytes[4];

    if (!pay_host_ipv4(host, &address)) {
        return pay_refuse(err, "validation-error", "url must have an address "
                          "as four decimal numbers, or a host name");
    }

    bytes[0] = (unsigned char) (address >> 24);
    bytes[1] = (unsigned char) (address >> 16);
    bytes[2] = (unsigned char) (address >> 8);
    bytes[3] = (unsigned char) address;

    return hosts == PAY_HOSTS_ANY
           || !pay_address_is_special(bytes, sizeof(bytes))
           ? PAY_OK : pay_refuse(err, "validation-error",
                                 "url must lead to a public host");
}


pay_status_t
pay_endpoint_seal(pay_arena_t *arena, const pay_keyring_t *ring,
    pay_str_t merchant_id, pay_str_t endpoint_id,
    const unsigned char entropy[PAY_ENDPOINT_ENTROPY], pay_str_t *sealed)
{
    pay_str_t  secret;

    secret.data = entropy + PAY_KEYRING_NONCE;
    secret.len = PAY_ENDPOINT_SECRET;

    return seal(arena, ring, merchant_id, endpoint_id, entropy, secret,
                sealed);
}


pay_status_t
pay_endpoint_seal_own(pay_arena_t *arena, const pay_keyring_t *ring,
    pay_str_t merchant_id, pay_str_t endpoint_id,
    const unsigned char nonce[PAY_KEYRING_NONCE], const pay_secret_t *secret,
    pay_str_t *sealed)
{
    return size_ok(secret->len)
           ? seal(arena, ring, merchant_id, endpoint_id, nonce,
                  pay_secret_str(secret), sealed)
           : PAY_INVALID;
}


static int
size_ok(size_t size)
{
    return size >= PAY_ENDPOINT_SECRET_MIN && size <= PAY_ENDPOINT_SECRET_MAX;
}


static pay_status_t
seal(pay_arena_t *arena, const pay_keyring_t *ring, pay_str_t merchant_id,
    pay_str_t endpoint_id, const unsigned char nonce[PAY_KEYRING_NONCE],
    pay_str_t secret, pay_str_t *sealed)
{
    pay_str_t       place;
    unsigned char  *out;

    PAY_TRY(place_of(arena, merchant_id, endpoint_id, &place));

    out = pay_alloc(arena, secret.len + FRAME);
    if (out == NULL) {
        return PAY_NO_MEMORY;
    }

    memcpy(out, nonce, PAY_KEYRING_NONCE);
    PAY_TRY(pay_keyring_seal(ring, out, place, secret,
                             out + PAY_KEYRING_NONCE));
    *sealed = (pay_str_t) { secret.len + FRAME, out };

    return PAY_OK;
}


/* The number of the secret is none of its place: it is given by PostgreSQL,
 * behind the seal. */
static pay_status_t
place_of(pay_arena_t *arena, pay_str_t merchant_id, pay_str_t endpoint_id,
    pay_str_t *place)
{
    return pay_format(arena, place, PLACE_MAX,
                      "payments webhook secret 1\n%.*s\n%.*s",
                      pay_fmt(merchant_id), pay_fmt(endpoint_id));
}


pay_status_t
pay_endpoint_open(pay_arena_t *arena, const pay_keyring_t *ring,
    pay_str_t merchant_id, pay_str_t endpoint_id, pay_str_t key_id,
    pay_str_t sealed, pay_secret_t *secret, const char **why)
{
    pay_str_t     place;
    pay_status_t  status;

    secret->len = 0;

    if (sealed.len < FRAME || !size_ok(sealed.len - FRAME)) {
        *why = "secret_unreadable";
        return PAY_INVALID;
    }

    PAY_TRY(place_of(arena, merchant_id, endpoint_id, &place));

    status = ring == NULL ? PAY_NOT_FOUND
             : pay_keyring_open(ring, key_id, sealed.data, place,
                                (pay_str_t) { sealed.len - PAY_KEYRING_NONCE,
                                              sealed.data
                                              + PAY_KEYRING_NONCE },
                                secret->data);
    switch (status) {

    case PAY_OK:
        secret->len = sealed.len - FRAME;
        return PAY_OK;

    case PAY_NOT_FOUND:
        *why = "key_missing";
        return PAY_INVALID;

    case PAY_INVALID:
        *why = "secret_unreadable";
        return PAY_INVALID;

    default:
        return status;
    }
}


pay_status_t
pay_endpoint_key_text(pay_arena_t *arena, pay_endpoint_scheme_t scheme,
    const pay_secret_t *secret, pay_str_t *text)
{
    pay_str_t      base64, bytes;
    unsigned char  public_key[PAY_ED25519_KEY];

    bytes = pay_secret_str(secret);

    if (scheme == PAY_ENDPOINT_V1A) {
        PAY_TRY(pay_ed25519_public(secret, public_key));
        bytes = (pay_str_t) { sizeof(public_key), public_key };
    }

    PAY_TRY(pay_base64_encode(arena, bytes, &base64));

    return pay_format(arena, text, PLACE_MAX, "%s%.*s",
                      scheme == PAY_ENDPOINT_V1A ? "whpk_" : "whsec_",
                      pay_fmt(base64));
}


pay_status_t
pay_endpoint_sign(pay_arena_t *arena, pay_endpoint_scheme_t scheme,
    const pay_secret_t *secrets, unsigned count,
    const pay_endpoint_message_t *message, pay_str_t *timestamp,
    pay_str_t *signature)
{
    unsigned   i;
    pay_buf_t  out;
    pay_str_t  stamp, parts[5];

    if (count == 0 || count > PAY_ENDPOINT_SECRETS) {
        return PAY_BUG;
    }

    PAY_TRY(pay_format(arena, &stamp, PAY_INT_TEXT_MAX, "%lld",
                       (long long) message->now_s));

    parts[0] = message->id;
    parts[1] = PAY_STR(".");
    parts[2] = stamp;
    parts[3] = PAY_STR(".");
    parts[4] = message->body;

    pay_buf_init(&out, arena, SIGNATURE_MAX);

    for (i = 0; i < count; i++) {
        pay_buf_text(&out, i == 0 ? "" : " ");
        PAY_TRY(sign_one(arena, scheme, &secrets[i], parts, &out));
    }

    PAY_TRY(pay_buf_done(&out, signature));
    *timestamp = stamp;

    return PAY_OK;
}


static pay_status_t
sign_one(pay_arena_t *arena, pay_endpoint_scheme_t scheme,
    const pay_secret_t *secret, const pay_str_t parts[5], pay_buf_t *out)
{
    pay_str_t      base64, text, bytes;
    unsigned char  mac[PAY_ED25519_SIGNATURE];

    bytes.data = mac;

    if (scheme == PAY_ENDPOINT_V1A) {
        PAY_TRY(join(arena, parts, &text));
        PAY_TRY(pay_ed25519_sign(secret, text, mac));
        bytes.len = PAY_ED25519_SIGNATURE;

    } else {
        PAY_TRY(pay_hmac_sha256(pay_secret_str(secret), parts, 5, mac));
        bytes.len = PAY_SHA256_SIZE;
    }

    PAY_TRY(pay_base64_encode(arena, bytes, &base64));
    pay_buf_text(out, schemes[scheme]);
    pay_buf_text(out, ",");
    pay_buf_add(out, base64);

    return PAY_OK;
}


/* Ed25519 signs in two passes over one text. */
static pay_status_t
join(pay_arena_t *arena, const pay_str_t parts[5], pay_str_t *text)
{
    size_t          size = 0;
    unsigned        i;
    unsigned char  *p;

    for (i = 0; i < 5; i++) {
        size += parts[i].len;
    }

    text->data = p = pay_alloc(arena, size + 1);
    if (p == NULL) {
        return PAY_NO_MEMORY;
    }

    text->len = size;

    for (i = 0; i < 5; i++) {
        if (parts[i].len != 0) {
            memcpy(p, parts[i].data, parts[i].len);
            p += parts[i].len;
        }
    }

    return PAY_OK;
}
