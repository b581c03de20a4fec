/*
 * The cache of tokens that were valid: sets of four by the first byte of the
 * digest; a new token in a full set replaces one in turn.  Only verified tokens
 * get in, so strangers cannot fill it.
 */

#include "pay_jwt_memory.h"


static const pay_jwt_known_t *recall(const pay_jwt_memory_t *memory,
    const unsigned char *digest, int64_t now_s);
static void keep(pay_jwt_memory_t *memory, const unsigned char *digest,
    int64_t now_s, const pay_claims_t *claims);


/* The digest is the key of the memory: an attacker would have to find a second
 * token with the same SHA-256.  A key that left the configuration does not
 * live on in it: workers of a new configuration begin with an empty memory,
 * and another array of keys clears it. */
pay_status_t
pay_jwt_verify_known(pay_jwt_memory_t *memory, pay_arena_t *arena,
    pay_str_t token, const pay_jwt_policy_t *policy, pay_claims_t *claims,
    pay_jwt_why_t *why)
{
    unsigned char           digest[PAY_SHA256_SIZE];
    const pay_jwt_known_t  *known;

    if (memory->keys != policy->keys) {
        pay_jwt_memory_clear(memory);
        memory->keys = policy->keys;
    }

    /* a text that is too long for a token is not worth a digest */
    if (token.len > PAY_JWT_MAX) {
        return pay_jwt_judge(arena, token, policy, claims, why);
    }

    PAY_TRY(pay_sha256(token, digest));
    known = recall(memory, digest, policy->now_s);

    if (known == NULL) {
        PAY_TRY(pay_jwt_judge(arena, token, policy, claims, why));

        if (!pay_jwt_subject_is_fit(claims->subject)) {
            claims->subject = PAY_STR("");
        }

        keep(memory, digest, policy->now_s, claims);

    } else {
        claims->key = known->key;
        claims->expires_s = known->expires_s;
        claims->scopes = known->scopes;

        /* another token may take the record's place meanwhile */
        return pay_dup(arena, (pay_str_t) { known->subject_len,
                                            known->subject },
                       &claims->subject);
    }

    return PAY_OK;
}


void
pay_jwt_memory_clear(pay_jwt_memory_t *memory)
{
    memset(memory, 0, sizeof(*memory));
}


/* NULL: verify anew.  nbf, iat and lifetime held when the token was verified,
 * and hold at each later moment; only exp runs out.  A clock that went back
 * before that moment makes them open again. */
static const pay_jwt_known_t *
recall(const pay_jwt_memory_t *memory, const unsigned char *digest,
    int64_t now_s)
{
    unsigned                i;
    const pay_jwt_known_t  *known;

    for (i = 0; i < PAY_JWT_MEMORY_WAYS; i++) {
        known = &memory->known[digest[0]][i];

        if (known->key != NULL
            && memcmp(known->digest, digest, PAY_SHA256_SIZE) == 0)
        {
            return (now_s >= known->verified_s
                    && now_s - known->expires_s < PAY_JWT_LEEWAY_S)
                   ? known : NULL;
        }
    }

    return NULL;
}


/* In the place of its own older record, else of a free one, else in turn. */
static void
keep(pay_jwt_memory_t *memory, const unsigned char *digest, int64_t now_s,
    const pay_claims_t *claims)
{
    unsigned          i;
    pay_jwt_known_t  *known, *place;

    place = NULL;

    for (i = 0; i < PAY_JWT_MEMORY_WAYS; i++) {
        known = &memory->known[digest[0]][i];

        if (known->key != NULL
            && memcmp(known->digest, digest, PAY_SHA256_SIZE) == 0)
        {
            place = known;
            break;
        }

        if (known->key == NULL && place == NULL) {
            place = known;
        }
    }

    if (place == NULL) {
        /* All four places are taken by tokens that were valid: one of them
         * goes in turn, and its owner pays one verification. */
        place = &memory->known[digest[0]][memory->next++
                                          % PAY_JWT_MEMORY_WAYS];
    }

    memcpy(place->digest, digest, PAY_SHA256_SIZE);
    place->key = claims->key;
    place->verified_s = now_s;
    place->expires_s = claims->expires_s;
    place->scopes = claims->scopes;
    place->subject_len = (unsigned) claims->subject.len;
    memcpy(place->subject, claims->subject.data, claims->subject.len);
}
