/*
 * Webhook schemes: who may speak for a PSP.  One file per scheme in src/sig,
 * one row each in the registry.  A scheme judges raw bytes; it never parses
 * the body before the MAC has matched.
 */

#ifndef PAY_SIG_H
#define PAY_SIG_H

#include "pay_crypto.h"


#define PAY_SIG_KEYS_MAX     4
#define PAY_SIG_VALUES_MAX   8         /* signatures tried in one header */
#define PAY_SIG_TOLERANCE_S  300

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
    PAY_SIG_ERROR              /* out of memory or libcrypto failed */
} pay_sig_verdict_t;

typedef struct {
    const pay_header_t  *headers;      /* as received, any case, any order */
    size_t               header_count;
    pay_str_t            body;         /* raw bytes */
    const pay_secret_t  *keys;         /* decoded by the scheme's key_parse */
    size_t               key_count;
    int64_t              now_s;
    int64_t              tolerance_s;  /* exactly this far off, back or
                                          ahead, passes; 0 is no switch */
    pay_str_t            url;          /* for schemes that sign it */
} pay_sig_input_t;

typedef struct {
    pay_sig_verdict_t  verdict;
    pay_str_t          event_id;       /* signed by the header, or empty */
    int64_t            timestamp_s;    /* 0 when the scheme has none */
} pay_sig_result_t;

typedef struct {
    const char  *name;         /* "stripe", "standardwebhooks", "svix" */
    /* One line of a key file (surrounding white space removed) → key bytes.
     * PAY_INVALID with err->detail for a malformed or too short key. */
    pay_status_t  (*key_parse)(pay_str_t text, pay_secret_t *key,
        pay_err_t *err);
    pay_sig_verdict_t  (*verify)(pay_arena_t *arena,
        const pay_sig_input_t *input, pay_sig_result_t *result);
    /* Writes the headers a sender would add, at most 4; returns how many in
     * *count.  `id` may be empty where the scheme has none. */
    pay_status_t  (*sign)(pay_arena_t *arena, const pay_secret_t *key,
        pay_str_t id, int64_t now_s, pay_str_t body, pay_header_t headers[4],
        size_t *count);
} pay_sig_scheme_t;


/* NULL when there is none of that name. */
const pay_sig_scheme_t *pay_sig_find(pay_str_t name);
/* Ends with NULL. */
const pay_sig_scheme_t *const *pay_sig_table(void);

/* verdict → literal: "valid", "header-missing", "header-invalid",
 * "timestamp", "mismatch", "error". */
const char *pay_sig_verdict_name(pay_sig_verdict_t verdict);

/* The only value of that header, case-insensitively: PAY_NOT_FOUND when
 * absent, PAY_INVALID when present twice. */
pay_status_t pay_header_find(const pay_header_t *headers, size_t count,
    const char *name, pay_str_t *value) PAY_MUST_CHECK;


#endif /* PAY_SIG_H */
