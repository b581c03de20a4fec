/*
 * Webhook schemes: how the sender of a webhook proves that it is the PSP.  One
 * file per scheme in src/sig, one row each in the registry.  A scheme judges
 * raw bytes.  None parses the body before the MAC has matched but Adyen's and
 * Braintree's, whose signature is inside the body.
 */

#ifndef PAY_SIG_H
#define PAY_SIG_H

#include "pay_crypto.h"


#define PAY_SIG_KEYS_MAX     4
#define PAY_SIG_VALUES_MAX   8         /* signatures tried in one header */
#define PAY_SIG_TOLERANCE_S  300
#define PAY_SIG_CERT_MAX     16384     /* bytes of a fetched certificate */

/* The settings that a payments_psp block must have for a scheme. */
#define PAY_SIG_NEEDS_KEY         0x01
#define PAY_SIG_NEEDS_URL         0x02 /* settings.url */
#define PAY_SIG_NEEDS_PUBLIC_KEY  0x04
#define PAY_SIG_NEEDS_WEBHOOK_ID  0x08
#define PAY_SIG_NEEDS_CERT        0x10 /* ca_pem and cert_hosts */
#define PAY_SIG_NEEDS_RSA_KEY     0x20 /* settings.rsa_pem */
#define PAY_SIG_NEEDS_CONFIRM     0x40 /* settings.confirm_url */

typedef struct {
    pay_str_t  name;
    pay_str_t  value;
} pay_header_t;

typedef enum {
    PAY_SIG_VALID = 0,
    PAY_SIG_HEADER_MISSING,    /* a header of the scheme is absent */
    PAY_SIG_HEADER_INVALID,    /* malformed, doubled, too many signatures */
    PAY_SIG_TIMESTAMP,         /* not a number, too old or too far ahead */
    PAY_SIG_MISMATCH,          /* no key and signature fit */
    PAY_SIG_NEED_CERT,         /* result.cert_url must be fetched (it is https
                                  and its host is one of cert_hosts), then
                                  verify again with cert_pem */
    PAY_SIG_NEED_CONFIRM,      /* the body must be posted to confirm_url as it
                                  is, then verify again with the answer's body
                                  as `confirmed`; the same verdict then: it
                                  was no answer */
    PAY_SIG_CERT_INVALID,      /* chain, name or dates of the certificate */
    PAY_SIG_ERROR,             /* out of memory or libcrypto failed */
    PAY_SIG_VERDICT_COUNT
} pay_sig_verdict_t;

/* From the payments_psp block or payctl's options. */
typedef struct {
    pay_str_t         url;             /* as registered at the PSP */
    pay_str_t         public_key;      /* Braintree's, beside the key */
    pay_str_t         webhook_id;      /* PayPal's id of the listener */
    pay_str_t         ca_pem;          /* trusted certificates, PEM text */
    pay_str_t         rsa_pem;         /* as pay_rsa_check() wants it: the
                                          sender's public keys */
    pay_str_t         confirm_url;     /* the sender's address that says
                                          whether a message is its own */
    const pay_str_t  *cert_hosts;      /* only these may issue certificates;
                                          none: from cert_pem alone, whose
                                          address is not judged */
    size_t            cert_host_count;
    pay_str_t         cert_path;       /* and from below this path alone,
                                          which ends with '/'; empty: the
                                          scheme's own */
} pay_sig_settings_t;

typedef struct {
    const pay_header_t  *headers;      /* as received, any case, any order */
    size_t               header_count;
    pay_str_t            body;         /* raw bytes */
    const pay_secret_t  *keys;         /* decoded by the scheme's key_parse */
    size_t               key_count;
    int64_t              now_s;
    int64_t              tolerance_s;  /* exactly this far off, back or
                                          ahead, passes; 0 is no switch */
    const pay_sig_settings_t  *settings;   /* never NULL */
    pay_str_t            cert_pem;     /* untrusted, the answer of cert_url;
                                          empty: not fetched yet */
    pay_str_t            confirmed;    /* the answer of confirm_url; empty: not
                                          asked yet */
    unsigned            *fits;         /* bit n is set where keys[n] has
                                          signed; NULL: nobody asks */
} pay_sig_input_t;

typedef struct {
    pay_sig_verdict_t  verdict;
    pay_str_t          event_id;       /* from a header, signed (Razorpay's
                                          is not), or empty */
    pay_str_t          cert_url;       /* with PAY_SIG_NEED_CERT */
    int64_t            timestamp_s;    /* 0 when the scheme has none */
    int                is_test;        /* with PAY_SIG_VALID: a trial of the
                                          sender's, which is about nothing */
    int                ahead;          /* with PAY_SIG_TIMESTAMP: 1 too far
                                          ahead, -1 too old, 0 no number */
} pay_sig_result_t;

/* A webhook that is to be signed, as its PSP would sign it. */
typedef struct {
    const pay_sig_settings_t  *settings;   /* never NULL */
    const pay_secret_t        *key;    /* NULL for a scheme without keys */
    pay_str_t                  id;     /* may be empty where the scheme has
                                          none */
    int64_t                    now_s;
    pay_str_t                  body;   /* raw bytes */
} pay_sig_message_t;

typedef struct {
    const char  *name;         /* "stripe", "standardwebhooks", "svix" */
    unsigned     needs;        /* PAY_SIG_NEEDS_… */
    int          signs_time;   /* webhook_tolerance has a meaning */
    int          told_where;   /* the PSP learns with each registration where
                                  to send these */
    const char  *ack;          /* body of the 200 that the PSP expects
                                  (text/plain), NULL: ours, JSON */
    /* One line of a key file (surrounding white space removed) → key bytes.
     * PAY_INVALID with err->detail for a malformed or too short key.  NULL
     * when the scheme has no keys. */
    pay_status_t  (*key_parse)(pay_str_t text, pay_secret_t *key,
        pay_err_t *err);
    pay_sig_verdict_t  (*verify)(pay_arena_t *arena,
        const pay_sig_input_t *input, pay_sig_result_t *result);
    /* Writes the headers that a sender would add, at most 4; returns how many
     * in *count.  PAY_INVALID when a key alone cannot sign (PayPal:
     * certificates; Adyen and Braintree: the signature is in the body). */
    pay_status_t  (*sign)(pay_arena_t *arena,
        const pay_sig_message_t *message, pay_header_t headers[4],
        size_t *count);
    /* The answer to GET /webhooks/<psp>?<query>; PAY_INVALID when that is no
     * challenge of this scheme.  NULL: it has none. */
    pay_status_t  (*challenge)(pay_arena_t *arena,
        const pay_sig_settings_t *settings, const pay_secret_t *keys,
        size_t key_count, pay_str_t query, pay_str_t *answer);
} pay_sig_scheme_t;


/* NULL when there is none of that name. */
const pay_sig_scheme_t *pay_sig_find(pay_str_t name);
/* Ends with NULL. */
const pay_sig_scheme_t *const *pay_sig_table(void);

/* verdict → literal: "valid", "header-missing", "header-invalid",
 * "timestamp", "mismatch", "need-cert", "need-confirm", "cert-invalid",
 * "error". */
const char *pay_sig_verdict_name(pay_sig_verdict_t verdict);

/* The only value of that header, case-insensitively: PAY_NOT_FOUND when
 * absent, PAY_INVALID when present twice. */
pay_status_t pay_header_find(const pay_header_t *headers, size_t count,
    const char *name, pay_str_t *value) PAY_MUST_CHECK;


#endif /* PAY_SIG_H */
