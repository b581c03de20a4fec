/*
 * The members of buyer_info that the gateway reads, for routes and rules of
 * risk.  All are optional; one that is there must be right, since a rule that
 * cannot read it would let pass the checkouts that it was made for.
 */

#include "parse.h"
#include "pay_address.h"
#include "pay_time.h"


#define COUNTRY_LEN  2
#define US_PER_S     1000000

typedef int (*is_good_pt)(pay_str_t text);

/* A text of buyer_info. */
typedef struct {
    const char   *name;
    const char   *pointer;
    const char   *complaint;
    size_t        max;
    is_good_pt    is_good;     /* NULL: any text */
    size_t        offset;      /* in pay_buyer_info_t */
} member_t;

#define MEMBER(name, member, max, is_good, must)                              \
    { name, "/buyer_info/" name, "buyer_info." name " must be " must, max,    \
      is_good, offsetof(pay_buyer_info_t, member) }


static pay_status_t parse_text(pay_arena_t *arena, const pay_json_t *buyer,
    const member_t *member, pay_buyer_info_t *out, pay_err_t *err);
static pay_status_t parse_created(const pay_json_t *buyer,
    pay_buyer_info_t *out, pay_err_t *err);
static int is_email(pay_str_t text);
static int is_phone(pay_str_t text);
static int is_address(pay_str_t text);
static int is_country(pay_str_t text);


static const member_t  members[] = {
    MEMBER("id", id, 255, NULL, "a text of 1 to 255 bytes"),
    MEMBER("email", email, 254, is_email,
           "an address of mail, at most 254 bytes"),
    MEMBER("phone", phone, 32, is_phone,
           "a telephone number of digits, with + in front, blanks, dots, "
           "hyphens or brackets, at most 32 bytes"),
    MEMBER("ip", ip, 45, is_address, "an IPv4 or IPv6 address"),
    MEMBER("user_agent", user_agent, 512, NULL, "a text of 1 to 512 bytes"),
    MEMBER("device", device, 255, NULL, "a text of 1 to 255 bytes"),
    MEMBER("billing_country", billing_country, COUNTRY_LEN, is_country,
           "two capital letters of ISO 3166-1"),
    MEMBER("shipping_country", shipping_country, COUNTRY_LEN, is_country,
           "two capital letters of ISO 3166-1")
};


pay_status_t
pay_parse_buyer(pay_arena_t *arena, const pay_json_t *buyer,
    pay_buyer_info_t *out, pay_errors_t *errors, pay_err_t *err)
{
    size_t        i;
    pay_status_t  status;

    for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        status = parse_text(arena, buyer, &members[i], out, err);
        PAY_TRY(pay_parse_note(arena, errors, status, err));
    }

    status = parse_created(buyer, out, err);

    return pay_parse_note(arena, errors, status, err);
}


/* null is as good as absent: many clients write it for a value that they do
 * not know. */
static pay_status_t
parse_text(pay_arena_t *arena, const pay_json_t *buyer,
    const member_t *member, pay_buyer_info_t *out, pay_err_t *err)
{
    pay_str_t          text;
    const pay_json_t  *value;

    value = pay_json_get(buyer, member->name);
    if (value == NULL || pay_json_type(value) == PAY_JSON_NULL) {
        return PAY_OK;
    }

    if (pay_json_string(value, &text) != PAY_OK || text.len == 0
        || text.len > member->max
        || (member->is_good != NULL && !member->is_good(text)))
    {
        return pay_refuse_at(err, "validation-error", member->complaint,
                             "%s", member->pointer);
    }

    return pay_dup(arena, text, (pay_str_t *) ((char *) out + member->offset));
}


static pay_status_t
parse_created(const pay_json_t *buyer, pay_buyer_info_t *out, pay_err_t *err)
{
    int64_t            us;
    pay_str_t          text;
    const pay_json_t  *value;

    value = pay_json_get(buyer, "account_created_at");
    if (value == NULL || pay_json_type(value) == PAY_JSON_NULL) {
        return PAY_OK;
    }

    if (pay_json_string(value, &text) != PAY_OK
        || pay_parse_time(text, &us) != PAY_OK)
    {
        return pay_refuse_at(err, "validation-error",
                             "buyer_info.account_created_at must be a time in "
                             "UTC like 2026-01-31T12:00:00Z",
                             "/buyer_info/account_created_at");
    }

    out->account_created_s = us / US_PER_S;

    return PAY_OK;
}


/* Windows and lists need no more: something, an @, a domain. */
static int
is_email(pay_str_t text)
{
    size_t                i;
    const unsigned char  *at = memchr(text.data, '@', text.len);

    if (at == NULL || at == text.data || at == text.data + text.len - 1) {
        return 0;
    }

    for (i = 0; i < text.len; i++) {
        if (text.data[i] <= ' ' || text.data[i] == 0x7f) {
            return 0;
        }
    }

    return 1;
}


static int
is_phone(pay_str_t text)
{
    size_t  i, digits = 0;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] >= '0' && text.data[i] <= '9') {
            digits++;

        } else if (memchr("+ .-()/", text.data[i], 7) == NULL) {
            return 0;
        }
    }

    return digits != 0;
}


static int
is_address(pay_str_t text)
{
    size_t         len;
    unsigned char  bytes[PAY_ADDRESS_MAX];

    return pay_address_parse(text, bytes, &len) == PAY_OK;
}


static int
is_country(pay_str_t text)
{
    return text.len == COUNTRY_LEN
           && text.data[0] >= 'A' && text.data[0] <= 'Z'
           && text.data[1] >= 'A' && text.data[1] <= 'Z';
}
