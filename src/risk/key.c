/*
 * Keys, by which attempts are counted, and which lists hold.  A personal value
 * leaves this file as a keyed hash alone.
 */

#include "risk.h"


#define LABEL  "ngx_payments risk"
#define V4_ONE  32
#define V4_NET  24
#define V6_ONE  64             /* a household has a /64 */
#define V6_NET  48
#define CARD_LEN  (2 * PAY_SHA256_SIZE)
#define BIN_MIN   6
#define BIN_MAX   8


typedef struct {
    const char  *name;
    int          is_personal;
} kind_t;


static pay_status_t one_value(pay_arena_t *arena, pay_str_t text,
    pay_str_t **values, unsigned *count);
static pay_status_t network_of(pay_arena_t *arena, pay_str_t ip,
    pay_risk_key_t key, pay_str_t *text);
static pay_status_t sellers_of(pay_arena_t *arena,
    const pay_risk_facts_t *facts, pay_str_t **values, unsigned *count);
static pay_status_t normal_value(pay_arena_t *arena, pay_str_t kind,
    pay_str_t value, pay_str_t *normal);
static pay_status_t normal_network(pay_arena_t *arena, pay_str_t value,
    pay_str_t *normal);
static int all_of(pay_str_t text, const char *characters);
static int is_country(pay_str_t text);


const pay_risk_key_row_t  pay_risk_key_rows[] = {
#define KEY(name, attribute, personal)                                        \
    { #name, PAY_RISK_##attribute, personal },
#include "risk/key.list"
#undef KEY
};

static const char  *const action_names[] = {
    [PAY_RISK_ALLOW] = "allow", [PAY_RISK_CHALLENGE] = "challenge",
    [PAY_RISK_REVIEW] = "review", [PAY_RISK_BLOCK] = "block"
};
PAY_ROWS(action_names, PAY_RISK_ACTIONS);

static const char  *const of_names[] = {
    [PAY_RISK_ATTEMPTS] = "attempts", [PAY_RISK_DECLINES] = "declines",
    [PAY_RISK_SUM] = "amount"
};
PAY_ROWS(of_names, PAY_RISK_OF_COUNT);

/* The kinds of lists.  The value of a card or browser is its hash already. */
static const kind_t  kinds[] = {
    { "email", 1 }, { "email_domain", 0 }, { "phone", 1 }, { "buyer", 1 },
    { "device", 1 }, { "ip", 0 }, { "country", 0 }, { "card", 0 },
    { "bin", 0 }, { "card_country", 0 }, { "browser", 0 }, { NULL, 0 }
};


const char *
pay_risk_action_name(pay_risk_action_t action)
{
    return action_names[action];
}


const char *
pay_risk_key_name(pay_risk_key_t key)
{
    return pay_risk_key_rows[key].name;
}


const char *
pay_risk_of_name(pay_risk_of_t of)
{
    return of_names[of];
}


pay_status_t
pay_risk_action_find(pay_str_t name, pay_risk_action_t *action)
{
    unsigned  i;

    for (i = 0; i < PAY_RISK_ACTIONS; i++) {
        if (pay_str_is(name, action_names[i])) {
            *action = (pay_risk_action_t) i;
            return PAY_OK;
        }
    }

    return PAY_NOT_FOUND;
}


pay_status_t
pay_risk_key_find(pay_str_t name, pay_risk_key_t *key)
{
    unsigned  i;

    for (i = 0; i < PAY_RISK_KEYS; i++) {
        if (pay_str_is(name, pay_risk_key_rows[i].name)) {
            *key = (pay_risk_key_t) i;
            return PAY_OK;
        }
    }

    return PAY_NOT_FOUND;
}


/* Derived, so that no key of the ring has two uses. */
pay_status_t
pay_risk_keys(const pay_keyring_t *ring, pay_risk_t *risk)
{
    unsigned   i;
    pay_str_t  key, label = PAY_STR(LABEL);

    risk->key_count = ring->count < PAY_RISK_HASHES ? ring->count
                                                    : PAY_RISK_HASHES;

    for (i = 0; i < risk->key_count; i++) {
        key = (pay_str_t) { PAY_KEYRING_KEY, ring->keys[i].bytes };
        PAY_TRY(pay_hmac_sha256(key, &label, 1, risk->keys[i]));
    }

    return PAY_OK;
}


/* The kind is hashed, too, so that equal texts of two kinds differ. */
pay_status_t
pay_risk_hash(pay_arena_t *arena, const pay_risk_t *risk, unsigned hash,
    pay_str_t kind, pay_str_t value, pay_str_t *hex)
{
    pay_str_t      parts[3] = { kind, { 1, (const unsigned char *) "" },
                                value };
    unsigned char  digest[PAY_SHA256_SIZE];

    if (hash >= risk->key_count) {
        return PAY_BUG;
    }

    PAY_TRY(pay_hmac_sha256((pay_str_t) { PAY_SHA256_SIZE, risk->keys[hash] },
                            parts, 3, digest));

    return pay_hex_encode(arena, (pay_str_t) { sizeof(digest), digest }, hex);
}


/* No name of a PSP and none of an account has a line's end. */
pay_status_t
pay_risk_card(pay_arena_t *arena, const pay_risk_t *risk, unsigned hash,
    const pay_risk_card_name_t *card, pay_str_t *hex)
{
    pay_str_t  name;

    PAY_TRY(pay_format(arena, &name, 1024, "%.*s\n%.*s\n%.*s",
                       pay_fmt(card->psp), pay_fmt(card->account),
                       pay_fmt(card->card)));

    return pay_risk_hash(arena, risk, hash, PAY_STR("card"), name, hex);
}


pay_status_t
pay_risk_buyer(pay_arena_t *arena, const pay_risk_t *risk, unsigned hash,
    const pay_risk_facts_t *facts, pay_str_t *hex)
{
    const pay_risk_value_t  *buyer = &facts->values[PAY_RISK_buyer];
    const pay_risk_value_t  *email = &facts->values[PAY_RISK_email];

    *hex = PAY_STR("");

    if (hash >= risk->key_count) {
        return PAY_OK;
    }

    if (buyer->is_known) {
        return pay_risk_hash(arena, risk, hash, PAY_STR("buyer"), buyer->text,
                             hex);
    }

    return email->is_known
           ? pay_risk_hash(arena, risk, hash, PAY_STR("email"), email->text,
                           hex)
           : PAY_OK;
}


pay_status_t
pay_risk_device(pay_arena_t *arena, const pay_risk_t *risk, unsigned hash,
    const pay_risk_facts_t *facts, pay_str_t *hex)
{
    const pay_risk_value_t  *device = &facts->values[PAY_RISK_device];

    *hex = PAY_STR("");

    return hash < risk->key_count && device->is_known
           ? pay_risk_hash(arena, risk, hash, PAY_STR("device"), device->text,
                           hex)
           : PAY_OK;
}


int
pay_risk_is_after(pay_risk_key_t key)
{
    return key == PAY_RISK_BY_card || key == PAY_RISK_BY_bin
           || key == PAY_RISK_BY_browser;
}


pay_status_t
pay_risk_key_values(pay_arena_t *arena, const pay_risk_t *risk,
    const pay_risk_facts_t *facts, pay_risk_key_t key, pay_str_t **values,
    unsigned *count)
{
    pay_str_t                  text;
    const pay_risk_value_t    *value;
    const pay_risk_key_row_t  *row = &pay_risk_key_rows[key];

    *count = 0;

    switch (key) {

    case PAY_RISK_BY_merchant:
        return one_value(arena, facts->merchant_id, values, count);

    case PAY_RISK_BY_seller:
        return sellers_of(arena, facts, values, count);

    case PAY_RISK_BY_card:
    case PAY_RISK_BY_bin:
    case PAY_RISK_BY_browser:
        return PAY_OK;

    default:
        break;
    }

    value = &facts->values[row->attribute];

    if (!value->is_known) {
        return PAY_OK;
    }

    if (row->attribute == PAY_RISK_ip) {
        PAY_TRY(network_of(arena, value->text, key, &text));

    } else {
        PAY_TRY(pay_risk_hash(arena, risk, 0, pay_str_of(row->name),
                              value->text, &text));
    }

    return one_value(arena, text, values, count);
}


static pay_status_t
one_value(pay_arena_t *arena, pay_str_t text, pay_str_t **values,
    unsigned *count)
{
    *values = pay_alloc(arena, sizeof(pay_str_t));
    if (*values == NULL) {
        return PAY_NO_MEMORY;
    }

    **values = text;
    *count = 1;

    return PAY_OK;
}


static pay_status_t
network_of(pay_arena_t *arena, pay_str_t ip, pay_risk_key_t key,
    pay_str_t *text)
{
    pay_risk_address_t  address;

    PAY_TRY(pay_risk_address(ip, &address));

    return pay_risk_prefix(arena, &address,
                           pay_risk_key_bits(key, address.is_v6), text);
}


unsigned
pay_risk_key_bits(pay_risk_key_t key, int is_v6)
{
    int  is_net = key == PAY_RISK_BY_ip_net;

    return is_v6 ? (is_net ? V6_NET : V6_ONE) : (is_net ? V4_NET : V4_ONE);
}


/* Each once. */
static pay_status_t
sellers_of(pay_arena_t *arena, const pay_risk_facts_t *facts,
    pay_str_t **values, unsigned *count)
{
    unsigned                      i, k;
    pay_str_t                     seller;
    const pay_payment_request_t  *request = facts->request;

    *values = pay_alloc(arena, request->order_count * sizeof(pay_str_t));
    if (*values == NULL) {
        return PAY_NO_MEMORY;
    }

    for (i = 0; i < request->order_count; i++) {
        seller = request->orders[i].seller;

        for (k = 0; k < *count && !pay_str_eq((*values)[k], seller); k++) {
            /* void */
        }

        if (k == *count) {
            (*values)[(*count)++] = seller;
        }
    }

    return PAY_OK;
}


pay_status_t
pay_risk_list_value(pay_arena_t *arena, const pay_risk_t *risk,
    unsigned hash, pay_str_t kind, pay_str_t value, pay_str_t *kept)
{
    pay_str_t      normal;
    const kind_t  *row;

    for (row = kinds; row->name != NULL; row++) {
        if (pay_str_is(kind, row->name)) {
            break;
        }
    }

    if (row->name == NULL || value.len == 0 || value.len > 255) {
        return PAY_INVALID;
    }

    PAY_TRY(normal_value(arena, kind, value, &normal));

    if (!row->is_personal) {
        *kept = normal;
        return PAY_OK;
    }

    return normal.len == 0
           ? PAY_INVALID : pay_risk_hash(arena, risk, hash, kind, normal, kept);
}


static pay_status_t
normal_value(pay_arena_t *arena, pay_str_t kind, pay_str_t value,
    pay_str_t *normal)
{
    if (pay_str_is(kind, "email")) {
        return memchr(value.data, '@', value.len) == NULL
               ? PAY_INVALID : pay_risk_email(arena, value, normal);
    }

    if (pay_str_is(kind, "email_domain")) {
        return memchr(value.data, '@', value.len) != NULL
               ? PAY_INVALID : pay_risk_email(arena, value, normal);
    }

    if (pay_str_is(kind, "phone")) {
        return pay_risk_phone(arena, value, normal);
    }

    if (pay_str_is(kind, "ip")) {
        return normal_network(arena, value, normal);
    }

    *normal = value;

    if (pay_str_is(kind, "card") || pay_str_is(kind, "browser")) {
        return all_of(value, "0123456789abcdef") && value.len == CARD_LEN
               ? PAY_OK : PAY_INVALID;
    }

    if (pay_str_is(kind, "bin")) {
        return all_of(value, "0123456789") && value.len >= BIN_MIN
               && value.len <= BIN_MAX ? PAY_OK : PAY_INVALID;
    }

    return (pay_str_is(kind, "country") || pay_str_is(kind, "card_country"))
           && !is_country(value) ? PAY_INVALID : PAY_OK;
}


static int
all_of(pay_str_t text, const char *characters)
{
    size_t  i;

    for (i = 0; i < text.len; i++) {
        if (memchr(characters, text.data[i], strlen(characters)) == NULL) {
            return 0;
        }
    }

    return 1;
}


/* An address, or one with the bits of one of its networks that lists may
 * have. */
static pay_status_t
normal_network(pay_arena_t *arena, pay_str_t value, pay_str_t *normal)
{
    size_t               i;
    unsigned             n, bits = 0;
    const unsigned      *allowed;
    pay_risk_address_t   address;

    for (i = 0; i < value.len && value.data[i] != '/'; i++) {
        /* void */
    }

    PAY_TRY(pay_risk_address((pay_str_t) { i, value.data }, &address));
    allowed = pay_risk_prefix_bits(&address);

    if (i == value.len) {
        return pay_risk_prefix(arena, &address, allowed[PAY_RISK_PREFIXES - 1],
                               normal);
    }

    for (i++, n = 0; i < value.len && n < 3; i++, n++) {
        if (value.data[i] < '0' || value.data[i] > '9') {
            return PAY_INVALID;
        }

        bits = bits * 10 + value.data[i] - '0';
    }

    for (n = 0; n < PAY_RISK_PREFIXES; n++) {
        if (i == value.len && allowed[n] == bits) {
            return pay_risk_prefix(arena, &address, bits, normal);
        }
    }

    return PAY_INVALID;
}


static int
is_country(pay_str_t text)
{
    return text.len == 2 && text.data[0] >= 'A' && text.data[0] <= 'Z'
           && text.data[1] >= 'A' && text.data[1] <= 'Z';
}
