/*
 * The outgoing half that all adapters share: what must hold before an order
 * leaves the house, and the head of a call.  Everything here comes from our
 * own rows and configuration; a violation is our mistake.
 */

#include "psp/psp.h"
#include "pay_crypto.h"
#include "pay_id.h"


/* Bytes of the reason of a change: flow_change_job.c cuts it before. */
#define REASON_MAX  100


/* The sum is checked here and not at the PSP: lines that do not add up would
 * show the buyer one amount and charge another. */
int
pay_psp_checkout_sane(const pay_psp_checkout_t *checkout)
{
    int64_t   sum;
    unsigned  i;

    if (!pay_id_is_valid(checkout->nonce)
        || !pay_id_is_valid(checkout->merchant_reference)
        || checkout->currency == NULL || checkout->expires_s <= 0
        || !pay_psp_url_is_plain(checkout->return_url)
        || checkout->line_count == 0
        || checkout->line_count > PAY_PSP_LINES_MAX)
    {
        return 0;
    }

    sum = 0;

    for (i = 0; i < checkout->line_count; i++) {
        if (!pay_id_is_valid(checkout->lines[i].payment_order_id)
            || checkout->lines[i].amount_minor <= 0
            || pay_amount_add(sum, checkout->lines[i].amount_minor, &sum, NULL)
               != PAY_OK)
        {
            return 0;
        }
    }

    return sum == checkout->amount_minor;
}


/* A cancellation and an expiry have no amount: they end all that is open. */
int
pay_psp_change_sane(const pay_psp_change_t *change)
{
    size_t  i;

    if ((unsigned) change->kind >= PAY_PSP_CHANGE_COUNT
        || !pay_id_is_valid(change->key)
        || !pay_id_is_valid(change->merchant_reference)
        || change->currency == NULL || change->reason.len > REASON_MAX)
    {
        return 0;
    }

    for (i = 0; i < change->reason.len; i++) {
        if (change->reason.data[i] < ' ' || change->reason.data[i] > '~') {
            return 0;
        }
    }

    return change->amount_minor > 0 || change->kind == PAY_PSP_CANCEL
           || change->kind == PAY_PSP_EXPIRE;
}


/* RFC 6750, section 2.1. */
pay_status_t
pay_psp_request_init(pay_arena_t *arena, const pay_psp_account_t *account,
    const char *method, const char *path, pay_str_t last,
    pay_http_request_t *request)
{
    pay_str_t  authorization;

    if (!pay_psp_api_key_is_plain(account->api_key)) {
        return PAY_BUG;
    }

    PAY_TRY(pay_format(arena, &authorization, PAY_PSP_KEY_MAX + 8,
                       "Bearer %.*s", pay_fmt(account->api_key)));
    PAY_TRY(pay_psp_request_open(arena, account, method, path, last, request));
    pay_psp_field_add(request, "Authorization", authorization);

    return PAY_OK;
}


/* The base URL comes from the configuration, the path from a constant, and
 * `last` is checked or encoded by the caller: no byte of a stranger chooses
 * the host. */
pay_status_t
pay_psp_request_open(pay_arena_t *arena, const pay_psp_account_t *account,
    const char *method, const char *path, pay_str_t last,
    pay_http_request_t *request)
{
    pay_str_t  url;

    PAY_TRY(pay_format(arena, &url, PAY_PSP_URL_MAX, "%.*s%s%.*s",
                       pay_fmt(account->base_url), path, pay_fmt(last)));

    memset(request, 0, sizeof(*request));
    request->method = pay_str_of(method);
    request->url = url;

    return PAY_OK;
}


/* No adapter has as many fields as the limit, so none is ever dropped. */
void
pay_psp_field_add(pay_http_request_t *request, const char *name,
    pay_str_t value)
{
    pay_http_field_t  *field;

    if (request->field_count < PAY_HTTP_HEADERS_MAX) {
        field = &request->fields[request->field_count++];
        field->name = pay_str_of(name);
        field->value = value;
    }
}


/* A field is changed in place, because two Accept fields would be a list. */
void
pay_psp_accept(pay_http_request_t *request, const char *type)
{
    unsigned   i;
    pay_str_t  value = pay_str_of(type != NULL ? type : "application/json");

    for (i = 0; i < request->field_count; i++) {
        if (pay_str_is(request->fields[i].name, "Accept")) {
            request->fields[i].value = value;
            return;
        }
    }

    pay_psp_field_add(request, "Accept", value);
}


/* RFC 7617, section 2. */
pay_status_t
pay_psp_basic_add(pay_arena_t *arena, pay_str_t pair,
    pay_http_request_t *request)
{
    pay_str_t  encoded, value;

    PAY_TRY(pay_base64_encode(arena, pair, &encoded));
    PAY_TRY(pay_format(arena, &value, 2 * PAY_PSP_KEY_MAX, "Basic %.*s",
                       pay_fmt(encoded)));
    pay_psp_field_add(request, "Authorization", value);

    return PAY_OK;
}


/* The digest begins with ':' for the same reason that suffixes do: no id of
 * ours has one, so no merchant can choose an id that is the key of another
 * call. */
pay_status_t
pay_psp_key(pay_arena_t *arena, pay_str_t id, const char *suffix, size_t max,
    pay_str_t *key)
{
    pay_str_t      whole, digest, hex, made;
    unsigned char  sha256[PAY_SHA256_SIZE];

    PAY_TRY(pay_format(arena, &whole, 512, "%.*s%s", pay_fmt(id), suffix));

    if (whole.len <= max) {
        *key = whole;
        return PAY_OK;
    }

    PAY_TRY(pay_sha256(whole, sha256));
    digest = (pay_str_t) { sizeof(sha256), sha256 };
    PAY_TRY(pay_hex_encode(arena, digest, &hex));
    PAY_TRY(pay_format(arena, &made, 512, ":%.*s", pay_fmt(hex)));

    key->data = made.data;
    key->len = (made.len < max) ? made.len : max;

    return PAY_OK;
}


/* `json` is freed even if writing fails, so callers need no second path. */
pay_status_t
pay_psp_json_body(pay_arena_t *arena, pay_json_t *json,
    pay_http_request_t *request)
{
    pay_status_t  status;

    status = pay_json_write(arena, json, &request->body);
    pay_json_free(json);
    PAY_TRY(status);

    pay_psp_field_add(request, "Content-Type", PAY_STR("application/json"));
    pay_psp_field_add(request, "Accept", PAY_STR("application/json"));

    return PAY_OK;
}


/* A line end in a key would be another header (request splitting). */
int
pay_psp_api_key_is_plain(pay_str_t key)
{
    size_t  i;

    for (i = 0; i < key.len; i++) {
        if (key.data[i] <= ' ' || key.data[i] > '~') {
            return 0;
        }
    }

    return key.len > 0 && key.len <= PAY_PSP_KEY_MAX;
}
