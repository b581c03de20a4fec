/*
 * The claims of a token whose signature was found right (RFC 7519 section 4;
 * docs/security.md J9-J12, J15): for us, now, not for too long, and what for.
 * Knows no keys and no libjwt; called by jwt.c only.
 */

#include "jwt_parts.h"


/* Times from 1970 to 9999: sums and differences of two never overflow. */
#define PAY_JWT_TIME_MAX  INT64_C(253402300799)


typedef struct {
    pay_str_t  word;
    unsigned   bit;
} pay_scope_t;


static int pay_jwt_audience_is(const pay_json_t *aud, pay_str_t ours);
static pay_status_t pay_jwt_times(pay_jwt_t *jwt,
    const pay_jwt_policy_t *policy, int64_t *expires_s);
static pay_status_t pay_jwt_span(pay_jwt_t *jwt,
    const pay_jwt_policy_t *policy, int64_t exp);
static pay_status_t pay_jwt_scopes(const pay_json_t *payload,
    unsigned *scopes);
static unsigned pay_jwt_scope_bit(pay_str_t word);


static const pay_scope_t  pay_scopes[] = {
    { pay_string("payments:write"), PAY_SCOPE_PAYMENTS_WRITE },
    { pay_string("payments:read"), PAY_SCOPE_PAYMENTS_READ },
    { pay_string("refunds:write"), PAY_SCOPE_REFUNDS_WRITE },
    { pay_string("payouts:read"), PAY_SCOPE_PAYOUTS_READ },
    { pay_string("payouts:create"), PAY_SCOPE_PAYOUTS_CREATE },
    { pay_string("payouts:approve"), PAY_SCOPE_PAYOUTS_APPROVE },
    { pay_string("payouts:send"), PAY_SCOPE_PAYOUTS_SEND },
    { pay_string("payouts:destinations"), PAY_SCOPE_DESTINATIONS },
    { pay_string("events:read"), PAY_SCOPE_EVENTS_READ },
    { pay_string("events:write"), PAY_SCOPE_EVENTS_WRITE },
    { pay_string("risk:read"), PAY_SCOPE_RISK_READ },
    { pay_string("risk:write"), PAY_SCOPE_RISK_WRITE },
    { pay_string("balance:read"), PAY_SCOPE_BALANCE_READ },
    { pay_string("reconciliation:read"), PAY_SCOPE_FINANCE_READ },
    { pay_string("reconciliation:write"), PAY_SCOPE_FINANCE_WRITE }
};


/* The audience comes first: a token for another service says nothing to us,
 * not even that it has expired. */
pay_status_t
pay_jwt_claims_read(pay_arena_t *arena, pay_jwt_t *jwt,
    const pay_jwt_policy_t *policy, pay_claims_t *claims)
{
    pay_str_t          subject;
    const pay_json_t  *member, *payload = jwt->payload;

    if (!pay_jwt_audience_is(pay_json_get(payload, "aud"), policy->audience)) {
        return pay_jwt_refuse(jwt, "aud is missing, or is not the gateway's "
                                   "payments_audience");
    }

    PAY_TRY(pay_jwt_times(jwt, policy, &claims->expires_s));

    jwt->why = "scope is not a string";
    PAY_TRY(pay_jwt_scopes(payload, &claims->scopes));

    subject = PAY_STR("");
    member = pay_json_get(payload, "sub");

    if (member != NULL && pay_json_string(member, &subject) != PAY_OK) {
        return pay_jwt_refuse(jwt, "sub is not a string");
    }

    return pay_dup(arena, subject, &claims->subject);
}


/* RFC 7519 4.1.3: a string, or an array of nothing but strings. */
static int
pay_jwt_audience_is(const pay_json_t *aud, pay_str_t ours)
{
    int        found;
    size_t     i;
    pay_str_t  name;

    if (aud == NULL) {
        return 0;
    }

    if (pay_json_type(aud) != PAY_JSON_ARRAY) {
        return pay_json_string(aud, &name) == PAY_OK && pay_str_eq(name, ours);
    }

    found = 0;

    for (i = 0; i < pay_json_size(aud); i++) {

        if (pay_json_string(pay_json_at(aud, i), &name) != PAY_OK) {
            return 0;
        }

        if (pay_str_eq(name, ours)) {
            found = 1;
        }
    }

    return found;
}


/* Times are compared by differences, which cannot overflow below
 * PAY_JWT_TIME_MAX. The leeway covers clocks of merchants that are a minute
 * off. */
static pay_status_t
pay_jwt_times(pay_jwt_t *jwt, const pay_jwt_policy_t *policy,
    int64_t *expires_s)
{
    int64_t            exp, nbf, now;
    pay_status_t       status;
    const pay_json_t  *payload = jwt->payload;

    now = policy->now_s;

    /* The clock is ours: such a value is a bug, and no token's fault. */
    if (now < 0 || now > PAY_JWT_TIME_MAX) {
        return PAY_BUG;
    }

    if (pay_jwt_time(payload, "exp", &exp) != PAY_OK) {
        return pay_jwt_refuse(jwt, "exp is missing, or is no whole number of "
                                   "seconds since 1970");
    }

    if (now - exp >= PAY_JWT_LEEWAY_S) {
        return pay_jwt_refuse(jwt, "exp has passed");
    }

    status = pay_jwt_time(payload, "nbf", &nbf);

    if (status == PAY_INVALID) {
        return pay_jwt_refuse(jwt, "nbf is no whole number of seconds since "
                                   "1970");
    }

    if (status == PAY_OK && nbf - now > PAY_JWT_LEEWAY_S) {
        return pay_jwt_refuse(jwt, "nbf is in the future");
    }

    PAY_TRY(pay_jwt_span(jwt, policy, exp));

    *expires_s = exp;

    return PAY_OK;
}


/* Bounds how long a stolen token is of use.  Without iat the lifetime is
 * counted from now, which is shorter than it was, but all that can be
 * known. */
static pay_status_t
pay_jwt_span(pay_jwt_t *jwt, const pay_jwt_policy_t *policy, int64_t exp)
{
    int64_t       iat, now = policy->now_s;
    pay_status_t  status;

    status = pay_jwt_time(jwt->payload, "iat", &iat);

    if (status == PAY_NOT_FOUND) {
        iat = now;

    } else if (status != PAY_OK) {
        return pay_jwt_refuse(jwt, "iat is no whole number of seconds since "
                                   "1970");

    } else if (iat - now > PAY_JWT_LEEWAY_S) {
        return pay_jwt_refuse(jwt, "iat is in the future");

    } else if (iat > exp) {
        return pay_jwt_refuse(jwt, "iat is later than exp");
    }

    return exp - iat <= policy->max_lifetime_s ? PAY_OK
           : pay_jwt_refuse(jwt, "its lifetime, exp minus iat, is longer than "
                                 "payments_jwt_max_lifetime");
}


/* libjwt reads another type as 0. */
pay_status_t
pay_jwt_time(const pay_json_t *payload, const char *member, int64_t *time_s)
{
    int64_t            value;
    const pay_json_t  *json;

    json = pay_json_get(payload, member);

    if (json == NULL) {
        return PAY_NOT_FOUND;
    }

    if (pay_json_integer(json, &value) != PAY_OK
        || value < 0 || value > PAY_JWT_TIME_MAX)
    {
        return PAY_INVALID;
    }

    *time_s = value;

    return PAY_OK;
}


/* RFC 8693 4.2: words with spaces between; absent means none. */
static pay_status_t
pay_jwt_scopes(const pay_json_t *payload, unsigned *scopes)
{
    size_t             i;
    unsigned           bits;
    pay_str_t          text, word;
    const pay_json_t  *json;

    bits = 0;
    json = pay_json_get(payload, "scope");

    if (json == NULL) {
        *scopes = 0;
        return PAY_OK;
    }

    if (pay_json_string(json, &text) != PAY_OK) {
        return PAY_INVALID;
    }

    word.data = text.data;
    word.len = 0;

    for (i = 0; i < text.len; i++) {

        if (text.data[i] != ' ') {
            word.len++;
            continue;
        }

        /* Two blanks in a row make an empty word, which is no scope. */
        bits |= pay_jwt_scope_bit(word);
        word.data = text.data + i + 1;
        word.len = 0;
    }

    *scopes = bits | pay_jwt_scope_bit(word);

    return PAY_OK;
}


/* 0 for an unknown word and for the empty one between two spaces. */
static unsigned
pay_jwt_scope_bit(pay_str_t word)
{
    size_t  i;

    for (i = 0; i < sizeof(pay_scopes) / sizeof(pay_scopes[0]); i++) {
        if (pay_str_eq(word, pay_scopes[i].word)) {
            return pay_scopes[i].bit;
        }
    }

    return 0;
}
