/*
 * Standard Webhooks 1.0 and Svix (docs/psp/standardwebhooks.md,
 * docs/security.md#rules-of-webhooks): three headers, id, timestamp and a list
 * of signatures split by blanks; the MAC is over "<id>.<timestamp>.<raw
 * body>", the key the base64 text behind whsec_.  Svix names its headers
 * svix-* and falls back to webhook-*.  Versions other than v1 (v1a is Ed25519)
 * are skipped.
 */

#include "sig/sig.h"


/* The specification asks for 24 to 64 bytes of randomness. */
#define WEBHOOK_KEY_MIN    24
#define WEBHOOK_KEY_MAX    64
#define WEBHOOK_KEY_TEXT   128
#define WEBHOOK_ID_MAX     255
#define WEBHOOK_VALUE_LEN  44          /* base64 of 32 bytes */

enum { WEBHOOK_ID = 0, WEBHOOK_TIMESTAMP, WEBHOOK_SIGNATURE, WEBHOOK_HEADERS };

/* Room for a decoded key that is wiped afterwards, as an arena. */
typedef struct {
    size_t        used;
    pay_secret_t  room;
} webhook_room_t;


static pay_status_t webhook_key_parse(pay_str_t text, pay_secret_t *key,
    pay_err_t *err);
static void *webhook_room_alloc(void *owner, size_t size);
static pay_sig_verdict_t webhook_verify(pay_arena_t *arena,
    const pay_sig_input_t *input, pay_sig_result_t *result);
static pay_sig_verdict_t svix_verify(pay_arena_t *arena,
    const pay_sig_input_t *input, pay_sig_result_t *result);
static pay_sig_verdict_t webhook_headers(const pay_sig_input_t *input,
    const char *const *names, pay_str_t *values);
static pay_sig_verdict_t webhook_judge(pay_arena_t *arena,
    const pay_sig_input_t *input, const pay_str_t *headers,
    pay_sig_result_t *result);
static int webhook_id_is_valid(pay_str_t id);
static pay_sig_verdict_t webhook_list(pay_arena_t *arena, pay_str_t text,
    pay_sig_values_t *values);
static pay_sig_verdict_t webhook_list_item(pay_arena_t *arena, pay_str_t item,
    pay_sig_values_t *values);
static pay_status_t webhook_sign(pay_arena_t *arena,
    const pay_sig_message_t *message, pay_header_t headers[4], size_t *count);
static pay_status_t svix_sign(pay_arena_t *arena,
    const pay_sig_message_t *message, pay_header_t headers[4], size_t *count);


static const char *const  webhook_names[] = {
    "webhook-id", "webhook-timestamp", "webhook-signature"
};
PAY_ROWS(webhook_names, WEBHOOK_HEADERS);

static const char *const  svix_names[] = {
    "svix-id", "svix-timestamp", "svix-signature"
};
PAY_ROWS(svix_names, WEBHOOK_HEADERS);


const pay_sig_scheme_t  pay_sig_standardwebhooks = {
    .name = "standardwebhooks",
    .needs = PAY_SIG_NEEDS_KEY,
    .signs_time = 1,
    .key_parse = webhook_key_parse,
    .verify = webhook_verify,
    .sign = webhook_sign
};

const pay_sig_scheme_t  pay_sig_svix = {
    .name = "svix",
    .needs = PAY_SIG_NEEDS_KEY,
    .signs_time = 1,
    .key_parse = webhook_key_parse,
    .verify = svix_verify,
    .sign = svix_sign
};


/* The decoded key goes through a room that is wiped, and never into an arena:
 * arenas are freed unwiped.  whsec_ is a label and may be missing. */
static pay_status_t
webhook_key_parse(pay_str_t text, pay_secret_t *key, pay_err_t *err)
{
    pay_str_t       prefix = pay_string("whsec_");
    pay_str_t       bytes;
    pay_arena_t     arena;
    pay_status_t    status;
    webhook_room_t  room;

    if (text.len >= prefix.len && memcmp(text.data, prefix.data, prefix.len)
                                  == 0)
    {
        text.data += prefix.len;
        text.len -= prefix.len;
    }

    if (text.len == 0 || text.len > WEBHOOK_KEY_TEXT) {
        return pay_refuse(err, "configuration",
            "a webhook key is whsec_ and base64 of 24 to 64 bytes");
    }

    room.used = 0;
    arena.alloc = webhook_room_alloc;
    arena.owner = &room;

    status = pay_base64_decode(&arena, text, &bytes);

    if (status != PAY_OK) {
        status = pay_refuse(err, "configuration",
            "a webhook key is whsec_ and canonical, padded base64");

    } else if (bytes.len < WEBHOOK_KEY_MIN || bytes.len > WEBHOOK_KEY_MAX) {
        status = pay_refuse(err, "configuration",
            "a webhook key has 24 to 64 bytes once decoded");

    } else {
        status = pay_secret_set(key, bytes);
    }

    pay_secret_wipe(&room.room);

    return status;
}


/* NULL when the key is longer than any that would be accepted. */
static void *
webhook_room_alloc(void *owner, size_t size)
{
    void            *p;
    webhook_room_t  *room = owner;

    if (size > PAY_SECRET_MAX - room->used) {
        return NULL;
    }

    p = room->room.data + room->used;
    room->used += size;

    return p;
}


/* The three headers of Standard Webhooks alone. */
static pay_sig_verdict_t
webhook_verify(pay_arena_t *arena, const pay_sig_input_t *input,
    pay_sig_result_t *result)
{
    pay_str_t  headers[WEBHOOK_HEADERS];

    memset(result, 0, sizeof(*result));

    result->verdict = webhook_headers(input, webhook_names, headers);
    if (result->verdict == PAY_SIG_VALID) {
        result->verdict = webhook_judge(arena, input, headers, result);
    }

    return result->verdict;
}


/* Svix' own headers win where all three are there; a message that lacks one of
 * them is judged by the standard ones, as Svix' library does. */
static pay_sig_verdict_t
svix_verify(pay_arena_t *arena, const pay_sig_input_t *input,
    pay_sig_result_t *result)
{
    pay_str_t  headers[WEBHOOK_HEADERS];

    memset(result, 0, sizeof(*result));

    result->verdict = webhook_headers(input, svix_names, headers);
    if (result->verdict == PAY_SIG_HEADER_MISSING) {
        return webhook_verify(arena, input, result);
    }

    if (result->verdict == PAY_SIG_VALID) {
        result->verdict = webhook_judge(arena, input, headers, result);
    }

    return result->verdict;
}


/* A header that stands twice condemns the message even when another one is
 * missing. */
static pay_sig_verdict_t
webhook_headers(const pay_sig_input_t *input, const char *const *names,
    pay_str_t *values)
{
    unsigned           i;
    pay_status_t       status;
    pay_sig_verdict_t  verdict = PAY_SIG_VALID;

    for (i = 0; i < WEBHOOK_HEADERS; i++) {
        status = pay_header_find(input->headers, input->header_count,
                                 names[i], &values[i]);

        if (status == PAY_NOT_FOUND) {
            verdict = PAY_SIG_HEADER_MISSING;

        } else if (status != PAY_OK) {
            return PAY_SIG_HEADER_INVALID;
        }
    }

    return verdict;
}


/* Form first, time second, MAC last: the cheap checks come first.  The id is
 * signed, so that it may serve as the event's id once the MAC is right. */
static pay_sig_verdict_t
webhook_judge(pay_arena_t *arena, const pay_sig_input_t *input,
    const pay_str_t *headers, pay_sig_result_t *result)
{
    int64_t            timestamp_s;
    pay_str_t          parts[5];
    pay_sig_values_t   values;
    pay_sig_verdict_t  verdict;

    if (!webhook_id_is_valid(headers[WEBHOOK_ID])) {
        return PAY_SIG_HEADER_INVALID;
    }

    verdict = pay_sig_time_check(input, headers[WEBHOOK_TIMESTAMP],
                                 &timestamp_s, &result->ahead);
    if (verdict != PAY_SIG_VALID) {
        return verdict;
    }

    verdict = webhook_list(arena, headers[WEBHOOK_SIGNATURE], &values);
    if (verdict != PAY_SIG_VALID) {
        return verdict;
    }

    /* "<id>.<timestamp>.<body>", as the texts came. */
    parts[0] = headers[WEBHOOK_ID];
    parts[1] = PAY_STR(".");
    parts[2] = headers[WEBHOOK_TIMESTAMP];
    parts[3] = PAY_STR(".");
    parts[4] = input->body;

    verdict = pay_sig_match(input, parts, 5, &values);
    if (verdict == PAY_SIG_VALID) {
        result->event_id = headers[WEBHOOK_ID];
        result->timestamp_s = timestamp_s;
    }

    return verdict;
}


/* A dot would let two messages share one signed text (W5). */
static int
webhook_id_is_valid(pay_str_t id)
{
    size_t  i;

    if (id.len == 0 || id.len > WEBHOOK_ID_MAX) {
        return 0;
    }

    for (i = 0; i < id.len; i++) {
        if (id.data[i] <= ' ' || id.data[i] > '~' || id.data[i] == '.') {
            return 0;
        }
    }

    return 1;
}


/* At most PAY_SIG_VALUES_MAX items: each costs a decoding and a comparison for
 * each key. */
static pay_sig_verdict_t
webhook_list(pay_arena_t *arena, pay_str_t text, pay_sig_values_t *values)
{
    int                more;
    unsigned           items;
    pay_str_t          item;
    pay_sig_verdict_t  verdict;

    items = 0;
    values->count = 0;

    do {
        if (items++ == PAY_SIG_VALUES_MAX) {
            return PAY_SIG_HEADER_INVALID;
        }

        item = pay_sig_cut(&text, ' ', &more);

        verdict = webhook_list_item(arena, item, values);
        if (verdict != PAY_SIG_VALID) {
            return verdict;
        }
    } while (more);

    return PAY_SIG_VALID;
}


/* A value that is no well-formed v1 signature fits nothing and is skipped. */
static pay_sig_verdict_t
webhook_list_item(pay_arena_t *arena, pay_str_t item,
    pay_sig_values_t *values)
{
    int           has_value;
    pay_str_t     version, bytes;
    pay_status_t  status;

    version = pay_sig_cut(&item, ',', &has_value);

    if (!has_value || !pay_str_is(version, "v1")
        || item.len != WEBHOOK_VALUE_LEN)
    {
        return PAY_SIG_VALID;
    }

    status = pay_base64_decode(arena, item, &bytes);

    if (status == PAY_NO_MEMORY) {
        return PAY_SIG_ERROR;
    }

    if (status == PAY_OK && bytes.len == PAY_SHA256_SIZE) {
        memcpy(values->mac[values->count++], bytes.data, PAY_SHA256_SIZE);
    }

    return PAY_SIG_VALID;
}


/* For the simulator; the id must be one that webhook_judge() would accept. */
static pay_status_t
webhook_sign(pay_arena_t *arena, const pay_sig_message_t *message,
    pay_header_t headers[4], size_t *count)
{
    unsigned       i;
    pay_str_t      timestamp, base64, value, parts[5];
    unsigned char  mac[PAY_SHA256_SIZE];

    if (message->now_s < 0 || !webhook_id_is_valid(message->id)) {
        return PAY_BUG;
    }

    PAY_TRY(pay_format(arena, &timestamp, 20, "%lld",
                       (long long) message->now_s));

    parts[0] = message->id;
    parts[1] = PAY_STR(".");
    parts[2] = timestamp;
    parts[3] = PAY_STR(".");
    parts[4] = message->body;

    PAY_TRY(pay_hmac_sha256(pay_secret_str(message->key), parts, 5, mac));
    PAY_TRY(pay_base64_encode(arena, (pay_str_t) { sizeof(mac), mac },
                              &base64));
    PAY_TRY(pay_format(arena, &value, 64, "v1,%.*s", pay_fmt(base64)));

    for (i = 0; i < WEBHOOK_HEADERS; i++) {
        headers[i].name = pay_str_of(webhook_names[i]);
    }

    headers[WEBHOOK_ID].value = message->id;
    headers[WEBHOOK_TIMESTAMP].value = timestamp;
    headers[WEBHOOK_SIGNATURE].value = value;
    *count = WEBHOOK_HEADERS;

    return PAY_OK;
}


static pay_status_t
svix_sign(pay_arena_t *arena, const pay_sig_message_t *message,
    pay_header_t headers[4], size_t *count)
{
    unsigned  i;

    PAY_TRY(webhook_sign(arena, message, headers, count));

    for (i = 0; i < WEBHOOK_HEADERS; i++) {
        headers[i].name = pay_str_of(svix_names[i]);
    }

    return PAY_OK;
}
