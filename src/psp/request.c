/*
 * The outgoing half that all adapters share: what must hold before an order
 * leaves the house, and the head of a call.  Everything here comes from our
 * own rows and configuration; a violation is our mistake.
 */

#include "psp/psp.h"
#include "pay_id.h"


static int key_is_plain(pay_str_t key);


int
pay_psp_order_sane(const pay_psp_order_t *order)
{
    int64_t   sum;
    unsigned  i;

    if (!pay_id_is_valid(order->nonce) || !pay_id_is_valid(order->reference)
        || order->currency == NULL || order->expires_s <= 0
        || !pay_psp_url_is_plain(order->return_url)
        || order->line_count == 0 || order->line_count > PAY_PSP_LINES_MAX)
    {
        return 0;
    }

    sum = 0;

    for (i = 0; i < order->line_count; i++) {
        if (!pay_id_is_valid(order->lines[i].payment_order_id)
            || order->lines[i].amount_minor <= 0
            || pay_amount_add(sum, order->lines[i].amount_minor, &sum, NULL)
               != PAY_OK)
        {
            return 0;
        }
    }

    return sum == order->amount_minor;
}


pay_status_t
pay_psp_request_init(pay_arena_t *arena, const pay_psp_account_t *account,
    const char *method, const char *path, pay_str_t last,
    pay_http_request_t *request)
{
    pay_str_t  url, authorization;

    if (!key_is_plain(account->api_key)) {
        return PAY_BUG;
    }

    PAY_TRY(pay_format(arena, &url, PAY_PSP_URL_MAX, "%.*s%s%.*s",
                       pay_fmt(account->base_url), path, pay_fmt(last)));
    PAY_TRY(pay_format(arena, &authorization, PAY_PSP_KEY_MAX + 8,
                       "Bearer %.*s", pay_fmt(account->api_key)));

    memset(request, 0, sizeof(*request));
    request->method = pay_str_of(method);
    request->url = url;
    pay_psp_field_add(request, "Authorization", authorization);

    return PAY_OK;
}


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


static int
key_is_plain(pay_str_t key)
{
    size_t  i;

    for (i = 0; i < key.len; i++) {
        if (key.data[i] <= ' ' || key.data[i] > '~') {
            return 0;
        }
    }

    return key.len > 0 && key.len <= PAY_PSP_KEY_MAX;
}
