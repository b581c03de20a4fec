/*
 * An endpoint that stands in nginx.conf and not in a request: an id that
 * follows from its line, the digest by which PostgreSQL knows its secret again,
 * and its list of types.  Knows no file and no nginx.
 */

#include "pay_endpoint.h"


#define TYPES_SIZE  (PAY_ENDPOINT_TYPES * (PAY_EVENT_TYPE_MAX + 3) + 2)


static int type_is_known(pay_str_t type);
static pay_str_t family_of(pay_str_t type);
static int stands_before(pay_str_t list, pay_str_t type);
static pay_str_t next_type(pay_str_t *rest);


static const char *const  types[] = {
#define TYPE(name)  name,
#include "core/event_type.list"
};


pay_status_t
pay_endpoint_id(pay_arena_t *arena, const pay_str_t *parts, unsigned count,
    pay_str_t *id)
{
    pay_str_t      hex;
    unsigned char  digest[PAY_SHA256_SIZE];

    if (count > PAY_ENDPOINT_ID_PARTS) {
        return PAY_BUG;
    }

    PAY_TRY(pay_sha256_parts(parts, count, digest));
    digest[6] = (unsigned char) (0x80 | (digest[6] & 0x0f));
    digest[8] = (unsigned char) (0x80 | (digest[8] & 0x3f));
    PAY_TRY(pay_hex_encode(arena, (pay_str_t) { 16, digest }, &hex));

    return pay_format(arena, id, 36, "%.*s-%.*s-%.*s-%.*s-%.*s",
                      8, (const char *) hex.data,
                      4, (const char *) hex.data + 8,
                      4, (const char *) hex.data + 12,
                      4, (const char *) hex.data + 16,
                      12, (const char *) hex.data + 20);
}


/* No merchant has a line feed in its id, so that no two places have one
 * text. */
pay_status_t
pay_endpoint_line_id(pay_arena_t *arena, pay_str_t merchant_id, pay_str_t url,
    pay_str_t *id)
{
    const pay_str_t  parts[] = {
        PAY_STR("payments webhook endpoint of nginx.conf 1\n"), merchant_id,
        PAY_STR("\n"), url
    };

    return pay_endpoint_id(arena, parts, 4, id);
}


pay_status_t
pay_endpoint_fingerprint(pay_str_t merchant_id, pay_str_t endpoint_id,
    const pay_secret_t *secret, unsigned char out[PAY_SHA256_SIZE])
{
    const pay_str_t  parts[] = {
        PAY_STR("payments webhook fingerprint 1\n"), merchant_id,
        PAY_STR("\n"), endpoint_id
    };

    return pay_hmac_sha256(pay_secret_str(secret), parts, 4, out);
}


/* A text of known types needs no escapes. */
pay_status_t
pay_endpoint_types_read(pay_arena_t *arena, pay_str_t text, pay_str_t *json,
    pay_str_t *wrong)
{
    unsigned   count = 0;
    pay_buf_t  buf;
    pay_str_t  type, rest = text;

    pay_buf_init(&buf, arena, TYPES_SIZE);
    pay_buf_text(&buf, "[");

    rest.data = text.len != 0 ? text.data : NULL;

    while (rest.data != NULL) {
        type = next_type(&rest);

        if (!type_is_known(type) || count == PAY_ENDPOINT_TYPES
            || stands_before(text, type))
        {
            *wrong = type;
            return PAY_INVALID;
        }

        pay_buf_text(&buf, count++ == 0 ? "\"" : ",\"");
        pay_buf_add(&buf, type);
        pay_buf_text(&buf, "\"");
    }

    pay_buf_text(&buf, "]");

    return pay_buf_done(&buf, json);
}


/* "payment.succeeded", or "payment.*" for all of a family. */
static int
type_is_known(pay_str_t type)
{
    size_t     i;
    int        is_family;
    pay_str_t  family = family_of(type);

    is_family = family.len != 0 && type.len == family.len + 1
                && type.data[family.len] == '*';

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (is_family ? pay_str_eq(family, family_of(pay_str_of(types[i])))
                      : pay_str_is(type, types[i]))
        {
            return 1;
        }
    }

    return 0;
}


/* With its dot; empty: there is none. */
static pay_str_t
family_of(pay_str_t type)
{
    const unsigned char  *dot;

    dot = type.len == 0 ? NULL : memchr(type.data, '.', type.len);

    return dot == NULL ? PAY_STR("")
           : (pay_str_t) { (size_t) (dot - type.data) + 1, type.data };
}


/* `type` is a slice of the list. */
static int
stands_before(pay_str_t list, pay_str_t type)
{
    pay_str_t  other = next_type(&list);

    while (other.data != type.data) {
        if (pay_str_eq(other, type)) {
            return 1;
        }

        other = next_type(&list);
    }

    return 0;
}


/* rest->data is NULL behind the last one.  A comma at the end has an empty type
 * behind it, which is none. */
static pay_str_t
next_type(pay_str_t *rest)
{
    pay_str_t             type = *rest;
    const unsigned char  *comma;

    comma = rest->len == 0 ? NULL : memchr(rest->data, ',', rest->len);

    if (comma == NULL) {
        *rest = (pay_str_t) { 0, NULL };
        return type;
    }

    type.len = (size_t) (comma - rest->data);
    rest->data += type.len + 1;
    rest->len -= type.len + 1;

    return type;
}
