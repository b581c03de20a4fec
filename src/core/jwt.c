/*
 * The strict reader of bearer tokens (RFC 8725;
 * docs/security.md#rules-of-tokens): takes a token apart, refuses whatever
 * can be read in two ways, picks the one key and algorithm that may have signed
 * it, and only then has the signature and the claims judged.  Every refusal
 * looks the same from outside (J18).
 */

#include "jwt_parts.h"

#include "pay_crypto.h"
#include "pay_sorted.h"


/* Deep enough for an object of claims; docs/security.md J15. */
#define PAY_JWT_DEPTH  4


/*
 *   header . payload . signature
 *     │         │          └─ base64url ─▶ bytes
 *     │         └─ strict JSON ─▶ iss ─┐
 *     └─ strict JSON ─▶ alg, kid ──────┴▶ one key ─▶ signature ─▶ claims
 *
 * Nothing to the right of a step is looked at before that step has passed. */

static pay_status_t pay_jwt_take(pay_arena_t *arena, pay_str_t token,
    const pay_jwt_policy_t *policy, pay_jwt_t *jwt, pay_claims_t *claims);
static void pay_jwt_tell(const pay_jwt_t *jwt, pay_jwt_why_t *why);
static pay_status_t pay_jwt_split(pay_jwt_t *jwt, pay_str_t token,
    pay_str_t parts[3]);
static pay_status_t pay_jwt_decode_part(pay_arena_t *arena, pay_str_t part,
    pay_str_t *bytes);
static pay_status_t pay_jwt_parse(pay_arena_t *arena, pay_str_t part,
    pay_json_t **json);
static pay_status_t pay_jwt_header_read(pay_jwt_t *jwt);
static pay_status_t pay_jwt_header_typ(pay_jwt_t *jwt);
static pay_status_t pay_jwt_header_kid(pay_jwt_t *jwt);
static pay_status_t pay_jwt_key_find(const pay_jwt_policy_t *policy,
    pay_jwt_t *jwt, const pay_jwt_key_t **key);
static const char *pay_jwt_key_lacks(const pay_jwt_t *jwt, size_t owned,
    const pay_jwt_key_t *found);
static int pay_jwt_base64url_char(unsigned char c);


/* Members that change how a token is to be read or where its key comes
 * from; we know no use for any of them (J6, J7, RFC 7797, RFC 7516). */
static const char  *const pay_jwt_forbidden[] = {
    "crit", "jku", "jwk", "x5u", "x5c", "b64", "zip", NULL
};


/* For callers that answer the token's sender: they must not even see the
 * reason. */
pay_status_t
pay_jwt_verify(pay_arena_t *arena, pay_str_t token,
    const pay_jwt_policy_t *policy, pay_claims_t *claims, pay_err_t *err)
{
    pay_status_t  status;

    status = pay_jwt_judge(arena, token, policy, claims, NULL);

    return status == PAY_INVALID
           ? pay_refuse(err, "invalid-token",
                        "The bearer token is not valid for this gateway.")
           : status;
}


pay_status_t
pay_jwt_judge(pay_arena_t *arena, pay_str_t token,
    const pay_jwt_policy_t *policy, pay_claims_t *claims, pay_jwt_why_t *why)
{
    return pay_jwt_judge_more(arena, token, policy, claims, why, NULL, NULL);
}


/* *claims is written only when all of it holds; the two JSON values live for
 * this call alone, so that nothing of a refused token is kept. */
pay_status_t
pay_jwt_judge_more(pay_arena_t *arena, pay_str_t token,
    const pay_jwt_policy_t *policy, pay_claims_t *claims, pay_jwt_why_t *why,
    pay_jwt_more_pt more, void *data)
{
    pay_jwt_t     jwt;
    pay_status_t  status;
    pay_claims_t  result;

    if (policy->audience.len == 0) {
        return PAY_BUG;
    }

    memset(&jwt, 0, sizeof(pay_jwt_t));
    memset(&result, 0, sizeof(pay_claims_t));

    status = pay_jwt_take(arena, token, policy, &jwt, &result);

    if (status == PAY_OK && more != NULL) {
        status = more(arena, &jwt, data);
    }

    if (status == PAY_INVALID && why != NULL) {
        pay_jwt_tell(&jwt, why);
    }

    pay_json_free(jwt.header);
    pay_json_free(jwt.payload);

    if (status == PAY_OK) {
        *claims = result;
    }

    return status;
}


/* The steps, each with the reason that a refusal of it has.  The signature is
 * checked before any claim but `iss` is read, and `iss` only picks the key. */
static pay_status_t
pay_jwt_take(pay_arena_t *arena, pay_str_t token,
    const pay_jwt_policy_t *policy, pay_jwt_t *jwt, pay_claims_t *claims)
{
    pay_str_t  parts[3];

    jwt->why = "it is not three parts of base64url with dots between";
    PAY_TRY(pay_jwt_split(jwt, token, parts));
    /* The signed bytes are those that came, not a text that was written
     * anew. */
    PAY_TRY(pay_dup(arena, token, &jwt->text));

    jwt->signed_text.data = jwt->text.data;
    jwt->signed_text.len = parts[0].len + 1 + parts[1].len;

    PAY_TRY(pay_jwt_decode_part(arena, parts[2], &jwt->signature));

    jwt->why = "its header is not a JSON object in strict base64url";
    PAY_TRY(pay_jwt_parse(arena, parts[0], &jwt->header));
    PAY_TRY(pay_jwt_header_read(jwt));

    jwt->why = "its payload is not a JSON object in strict base64url";
    PAY_TRY(pay_jwt_parse(arena, parts[1], &jwt->payload));
    PAY_TRY(pay_jwt_key_find(policy, jwt, &claims->key));

    jwt->why = "the signature is not of this key";
    PAY_TRY(pay_jwt_signature_check(jwt, claims->key));

    return pay_jwt_claims_read(arena, jwt, policy, claims);
}


/* The kid is a stranger's text, but pay_jwt_header_kid() has let nothing pass
 * that could harm a log; without it, or when the header was refused, it stays
 * empty. */
static void
pay_jwt_tell(const pay_jwt_t *jwt, pay_jwt_why_t *why)
{
    memset(why, 0, sizeof(pay_jwt_why_t));

    why->reason = jwt->why;
    why->issuer = jwt->issuer;

    if (jwt->kid.len != 0) {
        memcpy(why->kid, jwt->kid.data, jwt->kid.len);
    }
}


/* Exactly two dots and three parts that are not empty (docs/security.md J13):
 * five parts would be an encrypted token (RFC 7516), an empty third one an
 * unsigned one. */
static pay_status_t
pay_jwt_split(pay_jwt_t *jwt, pay_str_t token, pay_str_t parts[3])
{
    size_t    i;
    unsigned  part;

    if (token.len == 0 || token.len > PAY_JWT_MAX) {
        return pay_jwt_refuse(jwt, "it is empty or longer than 8192 bytes");
    }

    part = 0;
    parts[0].data = token.data;
    parts[0].len = 0;

    for (i = 0; i < token.len; i++) {

        if (token.data[i] != '.') {
            if (!pay_jwt_base64url_char(token.data[i])) {
                return PAY_INVALID;
            }

            parts[part].len++;
            continue;
        }

        /* An empty part, or a third dot. */
        if (parts[part].len == 0 || part == 2) {
            return PAY_INVALID;
        }

        part++;
        parts[part].data = token.data + i + 1;
        parts[part].len = 0;
    }

    return part == 2 && parts[2].len > 0 ? PAY_OK : PAY_INVALID;
}


/* Canonical base64url alone: one signature has one spelling (docs/security.md
 * J13), else a token that was refused once could come back in another text. */
static pay_status_t
pay_jwt_decode_part(pay_arena_t *arena, pay_str_t part, pay_str_t *bytes)
{
    PAY_TRY(pay_base64url_decode(arena, part, bytes));

    return bytes->len > 0 ? PAY_OK : PAY_INVALID;
}


/* The top must be an object; jansson also parses arrays, and libjwt takes
 * them. */
static pay_status_t
pay_jwt_parse(pay_arena_t *arena, pay_str_t part, pay_json_t **json)
{
    pay_str_t  text;

    static const pay_json_limits_t  limits = {
        PAY_JWT_MAX, PAY_JWT_DEPTH, PAY_JSON_WIDTH, 0
    };

    PAY_TRY(pay_jwt_decode_part(arena, part, &text));
    PAY_TRY(pay_json_parse(text, &limits, json, NULL));

    return pay_json_type(*json) == PAY_JSON_OBJECT ? PAY_OK : PAY_INVALID;
}


/* kid is read before alg, so that the operator's log names the key even when
 * the algorithm is refused. */
static pay_status_t
pay_jwt_header_read(pay_jwt_t *jwt)
{
    size_t        i;
    pay_str_t     alg;
    pay_status_t  status;

    for (i = 0; pay_jwt_forbidden[i] != NULL; i++) {
        if (pay_json_get(jwt->header, pay_jwt_forbidden[i]) != NULL) {
            return pay_jwt_refuse(jwt, "its header has one of crit, jku, jwk, "
                                       "x5u, x5c, b64 and zip");
        }
    }

    PAY_TRY(pay_jwt_header_kid(jwt));

    status = pay_json_string(pay_json_get(jwt->header, "alg"), &alg);

    if (status != PAY_OK || pay_alg_parse(alg, &jwt->alg) != PAY_OK) {
        return pay_jwt_refuse(jwt, "alg is not RS256, ES256 or HS256");
    }

    return pay_jwt_header_typ(jwt);
}


/* RFC 8725 section 3.11: a type keeps tokens of other kinds (an id token, a
 * logout token) from passing as access tokens. */
static pay_status_t
pay_jwt_header_typ(pay_jwt_t *jwt)
{
    pay_str_t          typ;
    const pay_json_t  *member;

    member = pay_json_get(jwt->header, "typ");

    if (member == NULL) {
        return PAY_OK;
    }

    jwt->why = "typ is not JWT or at+jwt";

    if (pay_json_string(member, &typ) != PAY_OK) {
        return PAY_INVALID;
    }

    return pay_str_is(typ, "at+jwt") || pay_str_is(typ, "JWT") ? PAY_OK
                                                               : PAY_INVALID;
}


/* A small alphabet: the text is compared with configuration and goes to a
 * log. */
static pay_status_t
pay_jwt_header_kid(pay_jwt_t *jwt)
{
    size_t             i;
    pay_str_t          kid;
    const pay_json_t  *member;

    member = pay_json_get(jwt->header, "kid");

    if (member == NULL) {
        return PAY_OK;
    }

    jwt->why = "kid is not 1 to 64 of A-Z a-z 0-9 . _ -";

    if (pay_json_string(member, &kid) != PAY_OK
        || kid.len == 0 || kid.len > PAY_JWT_KID_MAX)
    {
        return PAY_INVALID;
    }

    for (i = 0; i < kid.len; i++) {
        if (!pay_jwt_base64url_char(kid.data[i]) && kid.data[i] != '.') {
            return PAY_INVALID;
        }
    }

    jwt->kid = kid;

    return PAY_OK;
}


/* The key belongs to the issuer and is bound to one algorithm (J1, J5, J9);
 * a token without a kid is unambiguous only when the issuer has one key. */
static pay_status_t
pay_jwt_key_find(const pay_jwt_policy_t *policy, pay_jwt_t *jwt,
    const pay_jwt_key_t **key)
{
    size_t                i, owned;
    pay_str_t             issuer;
    pay_status_t          status;
    const pay_jwt_key_t  *k, *found;

    status = pay_json_string(pay_json_get(jwt->payload, "iss"), &issuer);

    if (status != PAY_OK || issuer.len == 0) {
        return pay_jwt_refuse(jwt, "iss is missing");
    }

    owned = 0;
    found = NULL;

    for (i = pay_sorted_first(policy->keys, policy->count,
                              sizeof(pay_jwt_key_t),
                              offsetof(pay_jwt_key_t, issuer), issuer);
         i < policy->count && pay_str_eq(policy->keys[i].issuer, issuer);
         i++)
    {
        k = &policy->keys[i];
        owned++;
        /* The configuration's text, which outlives the token, for the
         * operator's log. */
        jwt->issuer = k->issuer;

        if (jwt->kid.len == 0 || pay_str_eq(k->kid, jwt->kid)) {
            found = k;
        }
    }

    jwt->why = pay_jwt_key_lacks(jwt, owned, found);

    if (jwt->why != NULL) {
        return PAY_INVALID;
    }

    *key = found;

    return PAY_OK;
}


/* NULL when `found` is the key.  alg is compared with the key's own before the
 * signature is checked: a token must not choose how it is verified (RFC 8725
 * section 2.1, "RS256" against "HS256" with the public key as secret). */
static const char *
pay_jwt_key_lacks(const pay_jwt_t *jwt, size_t owned,
    const pay_jwt_key_t *found)
{
    if (owned == 0) {
        return "iss is no merchant here";
    }

    if (found == NULL) {
        return "kid is none of the keys of iss";
    }

    if (jwt->kid.len == 0 && owned != 1) {
        return "kid is missing, and iss has several keys";
    }

    return found->alg == jwt->alg ? NULL : "alg is another than the key's";
}


static int
pay_jwt_base64url_char(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
           || (c >= '0' && c <= '9') || c == '-' || c == '_';
}
