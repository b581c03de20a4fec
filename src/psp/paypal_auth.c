/*
 * PayPal's access tokens (docs/psp/paypal.md#registration): OAuth2 client
 * credentials, of which the account's key is both halves,
 * "client:secret".  Whoever sends requests keeps the token; here is only what
 * to ask and what to believe.
 */

#include "psp/paypal.h"
#include "pay_crypto.h"


#define PAYPAL_TOKEN_PATH    "/v1/oauth2/token"
#define PAYPAL_LIFETIME_MAX  86400     /* seconds; PayPal's have nine hours */


static int paypal_key_is_pair(pay_str_t key);
static pay_status_t paypal_auth(pay_arena_t *arena, const pay_json_t *json,
    pay_psp_auth_t *auth);
static int paypal_access_token_is_plain(pay_str_t token);


pay_status_t
pay_paypal_auth_request(pay_arena_t *arena, const pay_psp_account_t *account,
    pay_http_request_t *request)
{
    pay_str_t           pair, authorization;
    pay_http_request_t  made;

    if (!paypal_key_is_pair(account->api_key)) {
        return PAY_BUG;
    }

    PAY_TRY(pay_psp_request_open(arena, account, "POST", PAYPAL_TOKEN_PATH,
                                 PAY_STR(""), &made));
    PAY_TRY(pay_base64_encode(arena, account->api_key, &pair));
    PAY_TRY(pay_format(arena, &authorization, 2 * PAY_PSP_KEY_MAX,
                       "Basic %.*s", pay_fmt(pair)));

    pay_psp_field_add(&made, "Authorization", authorization);
    pay_psp_field_add(&made, "Content-Type",
                      PAY_STR("application/x-www-form-urlencoded"));
    pay_psp_field_add(&made, "Accept", PAY_STR("application/json"));
    made.body = PAY_STR("grant_type=client_credentials");

    *request = made;

    return PAY_OK;
}


/* "client:secret", both printable and there. */
static int
paypal_key_is_pair(pay_str_t key)
{
    size_t  i, colon = 0;

    for (i = 0; i < key.len; i++) {
        if (key.data[i] <= ' ' || key.data[i] > '~') {
            return 0;
        }

        if (key.data[i] == ':' && colon == 0) {
            colon = i;
        }
    }

    return colon > 0 && colon + 1 < key.len && key.len <= PAY_PSP_KEY_MAX;
}


pay_status_t
pay_paypal_auth_answer(pay_arena_t *arena, const pay_http_answer_t *answer,
    pay_psp_auth_t *auth)
{
    pay_json_t    *json;
    pay_status_t   status;

    if (answer->sent != PAY_ANSWERED || answer->status != 200) {
        return PAY_INVALID;
    }

    PAY_TRY(pay_psp_parse(answer->body, &json, NULL));
    status = paypal_auth(arena, json, auth);
    pay_json_free(json);

    return status;
}


static pay_status_t
paypal_auth(pay_arena_t *arena, const pay_json_t *json, pay_psp_auth_t *auth)
{
    int64_t    lifetime_s;
    pay_str_t  token, type;

    if (pay_json_string(pay_json_get(json, "access_token"), &token) != PAY_OK
        || !paypal_access_token_is_plain(token)
        || pay_json_string(pay_json_get(json, "token_type"), &type) != PAY_OK
        || !(pay_str_is(type, "Bearer") || pay_str_is(type, "bearer"))
        || pay_json_integer(pay_json_get(json, "expires_in"), &lifetime_s)
           != PAY_OK
        || lifetime_s <= 0)
    {
        return PAY_INVALID;
    }

    PAY_TRY(pay_dup(arena, token, &auth->token));
    auth->lifetime_s = (lifetime_s < PAYPAL_LIFETIME_MAX)
                       ? lifetime_s : PAYPAL_LIFETIME_MAX;

    return PAY_OK;
}


/* Fit to stand in a header. */
static int
paypal_access_token_is_plain(pay_str_t token)
{
    size_t  i;

    for (i = 0; i < token.len; i++) {
        if (token.data[i] <= ' ' || token.data[i] > '~') {
            return 0;
        }
    }

    return token.len > 0 && token.len <= PAY_PSP_AUTH_MAX;
}
