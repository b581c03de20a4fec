/*
 * Conformance of the webhook schemes over the registry and the official
 * vectors: what an SDK has signed is valid, and not with one bit changed, not
 * by another key, not by another scheme.  A new scheme brings its vectors and
 * needs no new test code; what is its own: test_sig_<name>.c.
 */

#include "torture.h"

#include "pay_sig.h"

#include <jansson.h>
#include <stdio.h>


#define TRIED        3                 /* valid vectors taken of a file */
#define HEADERS_MAX  8
#define OTHER_KEY                                                             \
    "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

typedef struct {
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    const pay_sig_scheme_t   *scheme;
    const char               *id;
    pay_header_t              headers[HEADERS_MAX];
    size_t                    count;
    pay_secret_t              keys[PAY_SIG_KEYS_MAX];
    pay_sig_settings_t        settings;
    pay_sig_input_t           input;
} vector_t;

typedef void (*vector_pt)(vector_t *vector);


/* Not signed by their senders. */
static const char *const  unsigned_headers[] = {
    "Content-Type", "Protocol", "X-Razorpay-Event-Id", "Paypal-Cert-Url",
    "X-Delivery-Id", NULL
};

/* Sign nothing at all, their webhooks are hints; no scheme gets into here
 * unnoticed. */
static const char *const  signs_nothing[] = { "mollie-legacy", NULL };

/* Sign nothing either, and are asked whether a message is their own:
 * test_sig_tipalti.c. */
static const char *const  is_asked[] = { "tipalti", NULL };

/* Some values of the body are signed, not its bytes. */
static const char *const  signs_values[] = { "adyen", NULL };

static const pay_str_t  hosts[] = {
    pay_string("api.paypal.com"), pay_string("api-m.paypal.com"),
    pay_string("api.sandbox.paypal.com")
};

static vector_t  one;


static int
listed(const char *const *list, pay_str_t name)
{
    while (*list != NULL && !pay_str_is(name, *list)) {
        list++;
    }

    return *list != NULL;
}


static pay_str_t
text_of(const json_t *json, const char *member)
{
    const json_t  *value = json_object_get(json, member);

    return (pay_str_t) { json_string_length(value),
                         (const unsigned char *) json_string_value(value) };
}


/* Not by pay_json_parse: some bodies in it hold NULs. */
static json_t *
vectors_of(const pay_sig_scheme_t *scheme)
{
    char     path[128];
    json_t  *json;

    snprintf(path, sizeof(path), "tests/fixtures/webhooks/%s.json",
             scheme->name);
    json = json_load_file(path, JSON_ALLOW_NUL, NULL);
    cr_assert_not_null(json, "%s: a scheme without vectors", path);

    return json;
}


static void
headers_add(vector_t *vector, json_t *headers)
{
    json_t        *value;
    const char    *name;
    pay_header_t  *header;

    json_object_foreach(headers, name, value) {
        cr_assert_lt(vector->count, HEADERS_MAX);
        header = &vector->headers[vector->count++];
        header->name = pay_str_of(name);
        header->value = text_of(headers, name);
    }
}


/* The vector's public keys one behind another, as in a webhook_key_file. */
static pay_str_t
rsa_pem_of(pay_arena_t *arena, const json_t *json)
{
    size_t         i;
    json_t        *secret;
    pay_str_t      pem = { 0, NULL };
    const json_t  *list = json_object_get(json, "secrets");

    if (list == NULL) {
        return text_of(json, "secret");
    }

    json_array_foreach(list, i, secret) {
        pem.len += json_string_length(secret);
    }

    pem.data = pay_alloc(arena, pem.len);
    cr_assert_not_null(pem.data);
    pem.len = 0;

    json_array_foreach(list, i, secret) {
        memcpy((unsigned char *) pem.data + pem.len, json_string_value(secret),
               json_string_length(secret));
        pem.len += json_string_length(secret);
    }

    return pem;
}


static void
vector_open(vector_t *vector, const pay_sig_scheme_t *scheme,
    const json_t *file, const json_t *json)
{
    memset(vector, 0, sizeof(*vector));
    vector->heap = pay_heap_create();
    vector->arena = pay_heap_arena(vector->heap);
    vector->scheme = scheme;
    vector->id = (const char *) text_of(json, "id").data;
    vector->settings.url = text_of(json, "url");
    vector->settings.public_key = text_of(json, "public_key");
    vector->settings.webhook_id = text_of(json, "webhook_id");
    vector->settings.ca_pem = text_of(file, "ca_pem");
    vector->settings.cert_hosts = hosts;
    vector->settings.cert_host_count = sizeof(hosts) / sizeof(hosts[0]);

    headers_add(vector, json_object_get(json, "headers"));
    cr_assert_eq(pay_base64_decode(vector->arena, text_of(json, "body_b64"),
                                   &vector->input.body), PAY_OK);

    vector->input.settings = &vector->settings;
    vector->input.headers = vector->headers;
    vector->input.header_count = vector->count;
    vector->input.cert_pem = text_of(json, "cert_pem");
    vector->input.now_s = json_integer_value(json_object_get(json, "now"));
    vector->input.tolerance_s = PAY_SIG_TOLERANCE_S;
    vector->input.keys = vector->keys;

    if (scheme->needs & PAY_SIG_NEEDS_RSA_KEY) {
        vector->settings.rsa_pem = rsa_pem_of(vector->arena, json);
    }

    if (scheme->key_parse != NULL) {
        cr_assert_eq(scheme->key_parse(text_of(json, "secret"),
                                       &vector->keys[0], NULL), PAY_OK, "%s",
                     vector->id);
        vector->input.key_count = 1;
    }
}


static pay_sig_verdict_t
judge(vector_t *vector)
{
    pay_sig_result_t  result;

    return vector->scheme->verify(vector->arena, &vector->input, &result);
}


/* Calls it with the first valid core vectors of each scheme. */
static void
each_vector(vector_pt test)
{
    size_t                          i, tried;
    json_t                         *file;
    const json_t                   *list, *json;
    const pay_sig_scheme_t *const  *row;

    for (row = pay_sig_table(); *row != NULL; row++) {
        if (listed(signs_nothing, pay_str_of((*row)->name))
            || listed(is_asked, pay_str_of((*row)->name)))
        {
            continue;
        }

        file = vectors_of(*row);
        list = json_object_get(file, "vectors");
        tried = 0;

        for (i = 0; i < json_array_size(list) && tried < TRIED; i++) {
            json = json_array_get(list, i);

            if (pay_str_is(text_of(json, "expect"), "valid")
                && pay_str_is(text_of(json, "tier"), "core")
                && (text_of(json, "secret").len
                    + text_of(json, "cert_pem").len != 0
                    || ((*row)->needs & PAY_SIG_NEEDS_RSA_KEY)))
            {
                vector_open(&one, *row, file, json);
                test(&one);
                pay_heap_destroy(one.heap);
                tried++;
            }
        }

        cr_assert_eq(tried, TRIED, "%s: %d vectors of the tier core must be "
                     "valid", (*row)->name, TRIED);
        json_decref(file);
    }
}


/* `text` with the byte at `at` changed by `mask`, in the vector's arena. */
static pay_str_t
flipped(vector_t *vector, pay_str_t text, size_t at, unsigned char mask)
{
    unsigned char  *bytes = pay_alloc(vector->arena, text.len);

    cr_assert_not_null(bytes);
    memcpy(bytes, text.data, text.len);
    bytes[at] ^= mask;

    return (pay_str_t) { text.len, bytes };
}


static void
is_valid(vector_t *vector)
{
    cr_expect_eq(judge(vector), PAY_SIG_VALID, "%s", vector->id);
}


Test(pay_conformance_sig, what_the_sdk_signed_is_valid)
{
    each_vector(is_valid);
}


static void
body_flips(vector_t *vector)
{
    size_t     i;
    pay_str_t  body = vector->input.body;

    if (listed(signs_values, pay_str_of(vector->scheme->name))) {
        return;
    }

    for (i = 0; i < body.len; i++) {
        vector->input.body = flipped(vector, body, i, 0x01);
        cr_expect_neq(judge(vector), PAY_SIG_VALID, "%s: byte %zu",
                      vector->id, i);
    }

    vector->input.body = (pay_str_t) { body.len - 1, body.data };
    cr_expect_neq(judge(vector), PAY_SIG_VALID, "%s: one less", vector->id);
}


Test(pay_conformance_sig, each_flipped_byte_of_the_body_fails)
{
    each_vector(body_flips);
}


/* Signatures, ids and times alike. */
static void
header_flips(vector_t *vector)
{
    size_t     i, j;
    pay_str_t  value;

    for (i = 0; i < vector->count; i++) {
        if (listed(unsigned_headers, vector->headers[i].name)) {
            continue;
        }

        value = vector->headers[i].value;

        for (j = 0; j < value.len; j++) {
            vector->headers[i].value = flipped(vector, value, j, 0x01);
            cr_expect_neq(judge(vector), PAY_SIG_VALID, "%s: %.*s byte %zu",
                          vector->id, pay_fmt(vector->headers[i].name), j);
        }

        vector->headers[i].value = PAY_STR("");
        cr_expect_neq(judge(vector), PAY_SIG_VALID, "%s", vector->id);
        vector->headers[i].value = value;
    }
}


Test(pay_conformance_sig, each_flipped_byte_of_each_signed_header_fails)
{
    each_vector(header_flips);
}


/* While a key is changed both are configured; alone, the other fits nothing. */
static void
keys_turn(vector_t *vector)
{
    pay_secret_t  right = vector->keys[0];

    if (vector->scheme->key_parse == NULL) {
        return;
    }

    cr_assert_eq(vector->scheme->key_parse(PAY_STR(OTHER_KEY),
                                           &vector->keys[0], NULL), PAY_OK,
                 "%s", vector->scheme->name);
    cr_expect_eq(judge(vector), PAY_SIG_MISMATCH, "%s", vector->id);

    vector->keys[1] = right;
    vector->input.key_count = 2;
    cr_expect_eq(judge(vector), PAY_SIG_VALID, "%s", vector->id);

    vector->keys[1] = vector->keys[0];
    vector->keys[0] = right;
    cr_expect_eq(judge(vector), PAY_SIG_VALID, "%s", vector->id);

    vector->input.key_count = 0;
    cr_expect_neq(judge(vector), PAY_SIG_VALID, "%s: no key", vector->id);
}


Test(pay_conformance_sig, two_keys_serve_while_one_is_changed)
{
    each_vector(keys_turn);
}


/* Signed times grow stale, in both directions; where none is signed the clock
 * says nothing. */
static void
time_passes(vector_t *vector)
{
    size_t   i;
    int64_t  now = vector->input.now_s;

    static const int64_t  offs[] = {
        -86400, -3600, -601, 601, 3600, 86400
    };

    for (i = 0; i < sizeof(offs) / sizeof(offs[0]); i++) {
        vector->input.now_s = now + offs[i];

        if (vector->scheme->signs_time) {
            cr_expect_eq(judge(vector), PAY_SIG_TIMESTAMP, "%s: %lld",
                         vector->id, (long long) offs[i]);

        } else {
            cr_expect_eq(judge(vector), PAY_SIG_VALID, "%s", vector->id);
        }
    }
}


Test(pay_conformance_sig, stale_and_future_times_fail_where_one_is_signed)
{
    each_vector(time_passes);
}


static void
others_judge(vector_t *vector)
{
    const pay_sig_scheme_t         *own = vector->scheme;
    const pay_sig_scheme_t *const  *row;

    for (row = pay_sig_table(); *row != NULL; row++) {
        /* svix is standardwebhooks under other names, or the same ones */
        if (*row == own || strcmp((*row)->name, "svix") == 0) {
            continue;
        }

        vector->scheme = *row;
        cr_expect_neq(judge(vector), PAY_SIG_VALID, "%s as %s", vector->id,
                      (*row)->name);
    }

    vector->scheme = own;
}


Test(pay_conformance_sig, no_scheme_believes_what_another_has_signed)
{
    each_vector(others_judge);
}


/* A malformed key must not become an empty or shorter one that anybody could
 * sign with. */
Test(pay_conformance_sig, malformed_keys_are_refused)
{
    char                            huge[PAY_SECRET_MAX * 3];
    size_t                          i;
    pay_secret_t                    key;
    const pay_sig_scheme_t *const  *row;

    const pay_str_t  keys[] = {
        pay_string(""), pay_string(" "), pay_string("a"), pay_string("00"),
        pay_string("whsec_"), pay_string("whsec_AA=="),
        pay_string("0123456789abcdef\n0123456789abcdef0123456789abcdef"),
        pay_string("0123456789abcdef\0" "123456789abcdef0123456789abcdef"),
        pay_string("zzzzzzzzzzzzzzzzzzzzzzzz\xc3\xa4zzzzzzzzzzzzzzzzzzz"),
        { sizeof(huge), (const unsigned char *) huge }
    };

    memset(huge, 'a', sizeof(huge));

    for (row = pay_sig_table(); *row != NULL; row++) {
        for (i = 0; (*row)->key_parse != NULL
                    && i < sizeof(keys) / sizeof(keys[0]); i++)
        {
            cr_expect_eq((*row)->key_parse(keys[i], &key, NULL), PAY_INVALID,
                         "%s took %zu", (*row)->name, i);
        }
    }
}


Test(pay_conformance_sig, names_and_needs_fit_together)
{
    const pay_sig_scheme_t *const  *row;

    for (row = pay_sig_table(); *row != NULL; row++) {
        cr_expect_eq(pay_sig_find(pay_str_of((*row)->name)), *row);
        cr_expect_eq((*row)->key_parse != NULL,
                     ((*row)->needs & PAY_SIG_NEEDS_KEY) != 0, "%s",
                     (*row)->name);
        cr_expect_eq((*row)->needs == 0,
                     listed(signs_nothing, pay_str_of((*row)->name)), "%s",
                     (*row)->name);
        cr_expect((*row)->verify != NULL && (*row)->sign != NULL, "%s",
                  (*row)->name);
    }
}
