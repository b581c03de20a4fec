/*
 * Endpoints of storefronts, at which they take webhooks: which addresses may be
 * called, how their secrets are kept, and the signature of a message
 * (Standard Webhooks 1.0, https://www.standardwebhooks.com/).  Random bytes and
 * the time come from the caller.
 */

#ifndef PAY_ENDPOINT_H
#define PAY_ENDPOINT_H

#include "pay_ed25519.h"
#include "pay_keyring.h"
#include "pay_url.h"


#define PAY_ENDPOINT_SECRET   32       /* bytes, of either scheme */
#define PAY_ENDPOINT_ENTROPY  (PAY_KEYRING_NONCE + PAY_ENDPOINT_SECRET)
#define PAY_ENDPOINT_SECRETS  3        /* that sign at one time */
/* Bytes of one that an operator brings (Standard Webhooks 1.0). */
#define PAY_ENDPOINT_SECRET_MIN  24
#define PAY_ENDPOINT_SECRET_MAX  64
#define PAY_ENDPOINT_TYPES       50    /* in the list of an endpoint */
#define PAY_EVENT_TYPE_MAX       64    /* bytes */

/* The hosts that may be called, directive payments_webhook_endpoints. */
typedef enum {
    PAY_HOSTS_PUBLIC = 0,
    PAY_HOSTS_LOOPBACK,        /* and this machine, by http, too: for tests */
    PAY_HOSTS_ANY              /* and those of private networks */
} pay_hosts_t;

typedef enum {
    PAY_ENDPOINT_V1 = 0,       /* HMAC-SHA-256 */
    PAY_ENDPOINT_V1A,          /* Ed25519 */
    PAY_ENDPOINT_SCHEMES
} pay_endpoint_scheme_t;

/* A message that is signed.  The id has no dot. */
typedef struct {
    pay_str_t  id;
    int64_t    now_s;
    pay_str_t  body;
} pay_endpoint_message_t;


/* "v1" and "v1a". */
const char *pay_endpoint_scheme_name(pay_endpoint_scheme_t scheme);
/* By its name; PAY_NOT_FOUND: another text. */
pay_status_t pay_endpoint_scheme_find(pay_str_t name,
    pay_endpoint_scheme_t *scheme) PAY_MUST_CHECK;

/* An endpoint's URL, from a stranger: https (http for this machine where
 * `hosts` allows it), no user, no fragment, at most PAY_URL_MAX bytes, and no
 * literal of an address that `hosts` does not allow.  A name is judged by the
 * addresses that it leads to, at each call.  PAY_INVALID: err->detail says how
 * to mend it. */
pay_status_t pay_endpoint_url_check(pay_str_t text, pay_hosts_t hosts,
    pay_err_t *err) PAY_MUST_CHECK;

/* Seals the secret of an endpoint with the ring's first key: `entropy` has
 * PAY_ENDPOINT_ENTROPY random bytes, the nonce and the secret.  *sealed is the
 * arena's.  PAY_BUG: the ring is empty. */
pay_status_t pay_endpoint_seal(pay_arena_t *arena, const pay_keyring_t *ring,
    pay_str_t merchant_id, pay_str_t endpoint_id,
    const unsigned char entropy[PAY_ENDPOINT_ENTROPY], pay_str_t *sealed)
    PAY_MUST_CHECK;

/* The same for a secret that the caller brings, of PAY_ENDPOINT_SECRET_MIN to
 * _MAX bytes; else PAY_INVALID. */
pay_status_t pay_endpoint_seal_own(pay_arena_t *arena,
    const pay_keyring_t *ring, pay_str_t merchant_id, pay_str_t endpoint_id,
    const unsigned char nonce[PAY_KEYRING_NONCE], const pay_secret_t *secret,
    pay_str_t *sealed) PAY_MUST_CHECK;

/* The other way round; the caller wipes *secret.  PAY_INVALID: *why, a literal,
 * says why it cannot be opened: key_missing, secret_unreadable. */
pay_status_t pay_endpoint_open(pay_arena_t *arena, const pay_keyring_t *ring,
    pay_str_t merchant_id, pay_str_t endpoint_id, pay_str_t key_id,
    pay_str_t sealed, pay_secret_t *secret, const char **why) PAY_MUST_CHECK;

/* The key that the owner of the endpoint verifies with: the secret itself,
 * whsec_…, or the public half of it, whpk_…  The text is as secret as its
 * kind. */
pay_status_t pay_endpoint_key_text(pay_arena_t *arena,
    pay_endpoint_scheme_t scheme, const pay_secret_t *secret, pay_str_t *text)
    PAY_MUST_CHECK;

/* The value of webhook-signature, with a signature of each secret in their
 * order, and that of webhook-timestamp; texts of the arena.  PAY_BUG: no
 * secret, or more than PAY_ENDPOINT_SECRETS. */
pay_status_t pay_endpoint_sign(pay_arena_t *arena,
    pay_endpoint_scheme_t scheme, const pay_secret_t *secrets, unsigned count,
    const pay_endpoint_message_t *message, pay_str_t *timestamp,
    pay_str_t *signature) PAY_MUST_CHECK;

/* An id that follows from these parts, at most PAY_ENDPOINT_ID_PARTS: a UUID of
 * version 8 (RFC 9562, 5.8) of their digest, a text of the arena.  The first
 * part names the kind of id. */
#define PAY_ENDPOINT_ID_PARTS  4
pay_status_t pay_endpoint_id(pay_arena_t *arena, const pay_str_t *parts,
    unsigned count, pay_str_t *id) PAY_MUST_CHECK;
/* The id of an endpoint which stands in nginx.conf. */
pay_status_t pay_endpoint_line_id(pay_arena_t *arena, pay_str_t merchant_id,
    pay_str_t url, pay_str_t *id) PAY_MUST_CHECK;

/* By these bytes PostgreSQL knows the secret of a line again: a MAC of its
 * place, under the secret, which no one finds by them. */
pay_status_t pay_endpoint_fingerprint(pay_str_t merchant_id,
    pay_str_t endpoint_id, const pay_secret_t *secret,
    unsigned char out[PAY_SHA256_SIZE]) PAY_MUST_CHECK;

/* "payment.*,refund.failed" as the JSON of an endpoint's types, a text of the
 * arena; an empty text is [], all types.  PAY_INVALID: a type that no event
 * has, one that stands twice, or more than PAY_ENDPOINT_TYPES; *wrong is the
 * one that it is about. */
pay_status_t pay_endpoint_types_read(pay_arena_t *arena, pay_str_t text,
    pay_str_t *json, pay_str_t *wrong) PAY_MUST_CHECK;


#endif /* PAY_ENDPOINT_H */
