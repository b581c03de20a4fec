/*
 * The claims of a token of staff beyond those that a storefront's has, and the
 * words of roles.  A group that the configuration does not name gives no role
 * and is no error: an identity provider sends groups of other services, too.
 */

#include "jwt_parts.h"

#include "pay_id.h"
#include "pay_staff.h"


#define MERCHANTS_MAX  (PAY_STAFF_MERCHANTS_MAX * 70)
#define ROLES_MAX      256


typedef struct {
    const pay_staff_group_t  *groups;
    size_t                    count;
    pay_staff_t               staff;
} reader_t;


static pay_status_t read_claims(pay_arena_t *arena, pay_jwt_t *jwt,
    void *data);
static pay_status_t read_groups(const pay_json_t *claim, reader_t *reader);
static void add_group(pay_str_t name, reader_t *reader);
static pay_status_t read_merchants(pay_arena_t *arena,
    const pay_json_t *claim, pay_staff_t *staff);
static pay_status_t read_auth_time(const pay_json_t *payload,
    pay_staff_t *staff);


/* The place is the number of the bit. */
static const char *const  words[] = {
    "viewer", "support", "operations", "finance", "finance-approver", "risk",
    "admin", "auditor"
};
PAY_ROWS(words, PAY_ROLES);


const char *
pay_role_word(unsigned role)
{
    return words[role];
}


pay_status_t
pay_role_parse(pay_str_t word, unsigned *bit)
{
    unsigned  i;

    for (i = 0; i < PAY_ROLES; i++) {
        if (pay_str_is(word, words[i])) {
            *bit = 1u << i;
            return PAY_OK;
        }
    }

    return PAY_NOT_FOUND;
}


pay_status_t
pay_staff_copy(pay_arena_t *arena, const pay_staff_t *from, pay_staff_t *to)
{
    *to = *from;

    PAY_TRY(pay_dup(arena, from->subject, &to->subject));

    return pay_dup(arena, from->merchants, &to->merchants);
}


pay_status_t
pay_roles_write(pay_arena_t *arena, unsigned roles, pay_str_t *json)
{
    unsigned     i;
    pay_buf_t    buf;
    const char  *before = "[\"";

    pay_buf_init(&buf, arena, ROLES_MAX);

    for (i = 0; i < PAY_ROLES; i++) {
        if (roles >> i & 1) {
            pay_buf_text(&buf, before);
            pay_buf_text(&buf, words[i]);
            before = "\",\"";
        }
    }

    pay_buf_text(&buf, roles == 0 ? "[]" : "\"]");

    return pay_buf_done(&buf, json);
}


pay_status_t
pay_staff_verify(pay_arena_t *arena, pay_str_t token,
    const pay_jwt_policy_t *policy, const pay_staff_group_t *groups,
    size_t count, pay_staff_t *staff, pay_jwt_why_t *why)
{
    reader_t      reader = { groups, count, { .auth_time_s = -1 } };
    pay_claims_t  claims;

    PAY_TRY(pay_jwt_judge_more(arena, token, policy, &claims, why,
                               read_claims, &reader));

    *staff = reader.staff;
    staff->subject = claims.subject;
    staff->expires_s = claims.expires_s;

    return PAY_OK;
}


/* sub was read as a text by then, and stands in the log of each look at a
 * person's data: without a fit one nobody could be held to it. */
static pay_status_t
read_claims(pay_arena_t *arena, pay_jwt_t *jwt, void *data)
{
    reader_t          *reader = data;
    pay_str_t          subject = PAY_STR("");
    const pay_json_t  *payload = jwt->payload;

    if (pay_json_string(pay_json_get(payload, "sub"), &subject) != PAY_OK
        || !pay_jwt_subject_is_fit(subject))
    {
        return pay_jwt_refuse(jwt, "sub is not 1 to 128 printable ASCII "
                                   "characters without a card number");
    }

    jwt->why = "groups is neither a string nor an array of strings";
    PAY_TRY(read_groups(pay_json_get(payload, "groups"), reader));

    jwt->why = "merchants is neither \"*\" nor an array of 1 to 64 ids of "
               "merchants";
    PAY_TRY(read_merchants(arena, pay_json_get(payload, "merchants"),
                           &reader->staff));

    jwt->why = "auth_time is no whole number of seconds since 1970";

    return read_auth_time(payload, &reader->staff);
}


/* A token without the claim gives no role, as one with groups that are not
 * known here. */
static pay_status_t
read_groups(const pay_json_t *claim, reader_t *reader)
{
    size_t     i;
    pay_str_t  name;

    if (claim == NULL) {
        return PAY_OK;
    }

    if (pay_json_string(claim, &name) == PAY_OK) {
        add_group(name, reader);
        return PAY_OK;
    }

    if (pay_json_type(claim) != PAY_JSON_ARRAY) {
        return PAY_INVALID;
    }

    for (i = 0; i < pay_json_size(claim); i++) {
        if (pay_json_string(pay_json_at(claim, i), &name) != PAY_OK) {
            return PAY_INVALID;
        }

        add_group(name, reader);
    }

    return PAY_OK;
}


static void
add_group(pay_str_t name, reader_t *reader)
{
    size_t  i;

    for (i = 0; i < reader->count; i++) {
        if (pay_str_eq(reader->groups[i].name, name)) {
            reader->staff.roles |= reader->groups[i].roles;
        }
    }
}


/* No default: a token that names no merchant shows nothing rather than all. */
static pay_status_t
read_merchants(pay_arena_t *arena, const pay_json_t *claim,
    pay_staff_t *staff)
{
    size_t     i, n = pay_json_size(claim);
    pay_str_t  id;
    pay_buf_t  buf;

    if (pay_json_string(claim, &id) == PAY_OK) {
        staff->merchants = PAY_STR("");
        return pay_str_is(id, "*") ? PAY_OK : PAY_INVALID;
    }

    if (pay_json_type(claim) != PAY_JSON_ARRAY || n == 0
        || n > PAY_STAFF_MERCHANTS_MAX)
    {
        return PAY_INVALID;
    }

    pay_buf_init(&buf, arena, MERCHANTS_MAX);

    for (i = 0; i < n; i++) {
        if (pay_json_string(pay_json_at(claim, i), &id) != PAY_OK
            || !pay_id_is_valid(id))
        {
            return PAY_INVALID;
        }

        /* an id has no character that JSON would escape */
        pay_buf_text(&buf, i == 0 ? "[\"" : "\",\"");
        pay_buf_add(&buf, id);
    }

    pay_buf_text(&buf, "\"]");

    return pay_buf_done(&buf, &staff->merchants);
}


static pay_status_t
read_auth_time(const pay_json_t *payload, pay_staff_t *staff)
{
    pay_status_t  status;

    status = pay_jwt_time(payload, "auth_time", &staff->auth_time_s);

    return status == PAY_NOT_FOUND ? PAY_OK : status;
}


/* RFC 6265 4.2.1: pairs with "; " between.  A value in quotes is no token of
 * ours, and is refused where it is read. */
pay_status_t
pay_cookie_get(pay_str_t field, const char *name, pay_str_t *value)
{
    int        found = 0;
    size_t     i, start = 0, len = strlen(name);
    pay_str_t  pair;

    for (i = 0; i <= field.len; i++) {
        if (i < field.len && field.data[i] != ';') {
            continue;
        }

        while (start < i && field.data[start] == ' ') {
            start++;
        }

        pair = (pay_str_t) { i - start, field.data + start };
        start = i + 1;

        if (pair.len > len && pair.data[len] == '='
            && memcmp(pair.data, name, len) == 0)
        {
            if (found++) {
                return PAY_INVALID;
            }

            *value = (pay_str_t) { pair.len - len - 1, pair.data + len + 1 };
        }
    }

    return found ? PAY_OK : PAY_NOT_FOUND;
}
