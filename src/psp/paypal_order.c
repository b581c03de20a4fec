/*
 * The PayPal order that we ask for (docs/psp/paypal.md#registration): one
 * purchase unit, captured later as a whole, with our checkout's id wherever
 * PayPal repeats one.
 */

#include "psp/paypal.h"


#define PAYPAL_NAME_MAX  127           /* bytes of an item's name */


static pay_status_t paypal_order(pay_arena_t *arena,
    const pay_psp_order_t *order, pay_json_t *root, pay_err_t *err);
static pay_status_t paypal_unit(pay_arena_t *arena,
    const pay_psp_order_t *order, pay_json_t *unit, pay_err_t *err);
static int paypal_lines_fit(const pay_psp_order_t *order);
static pay_status_t paypal_items(pay_arena_t *arena,
    const pay_psp_order_t *order, pay_json_t *unit, pay_err_t *err);
static pay_str_t paypal_name(const pay_psp_line_t *line);
static pay_status_t paypal_experience(pay_arena_t *arena,
    const pay_psp_order_t *order, pay_json_t *root);


pay_status_t
pay_paypal_register_request(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_order_t *order,
    pay_http_request_t *request, pay_err_t *err)
{
    pay_str_t            key;
    pay_json_t          *root;
    pay_status_t         status;
    pay_http_request_t   made;

    if (!pay_psp_order_sane(order)) {
        return PAY_BUG;
    }

    PAY_TRY(pay_psp_key(arena, order->nonce, "", PAY_PAYPAL_KEY_MAX, &key));
    PAY_TRY(pay_psp_request_open(arena, account, "POST", PAY_PAYPAL_ORDERS,
                                 PAY_STR(""), &made));

    root = pay_json_object_new();
    if (root == NULL) {
        return PAY_NO_MEMORY;
    }

    status = paypal_order(arena, order, root, err);
    if (status != PAY_OK) {
        pay_json_free(root);
        return status;
    }

    PAY_TRY(pay_psp_json_body(arena, root, &made));
    pay_paypal_fields_add(&made, key);

    *request = made;

    return PAY_OK;
}


static pay_status_t
paypal_order(pay_arena_t *arena, const pay_psp_order_t *order,
    pay_json_t *root, pay_err_t *err)
{
    pay_json_t  *units, *unit;

    PAY_TRY(pay_json_set_string(root, "intent", PAY_STR("CAPTURE")));

    units = pay_json_array_new();
    PAY_TRY(pay_json_set(root, "purchase_units", units));
    unit = pay_json_object_new();
    PAY_TRY(pay_json_append(units, unit));
    PAY_TRY(paypal_unit(arena, order, unit, err));

    return paypal_experience(arena, order, root);
}


/* invoice_id: PayPal can be told to let each be paid once only. */
static pay_status_t
paypal_unit(pay_arena_t *arena, const pay_psp_order_t *order,
    pay_json_t *unit, pay_err_t *err)
{
    pay_json_t  *amount, *breakdown, *total;

    PAY_TRY(pay_json_set_string(unit, "reference_id", order->reference));
    PAY_TRY(pay_json_set_string(unit, "custom_id", order->reference));
    PAY_TRY(pay_json_set_string(unit, "invoice_id", order->reference));
    PAY_TRY(pay_paypal_object_add(unit, "amount", &amount));
    PAY_TRY(pay_paypal_money_set(arena, amount, order->currency,
                                 order->amount_minor, err));

    if (!paypal_lines_fit(order)) {
        return PAY_OK;
    }

    PAY_TRY(pay_paypal_object_add(amount, "breakdown", &breakdown));
    PAY_TRY(pay_paypal_object_add(breakdown, "item_total", &total));
    PAY_TRY(pay_paypal_money_set(arena, total, order->currency,
                                 order->amount_minor, err));

    return paypal_items(arena, order, unit, err);
}


/* Lines of fractions may still sum up to whole units: then the sum alone is
 * sent. */
static int
paypal_lines_fit(const pay_psp_order_t *order)
{
    unsigned  i;

    for (i = 0; i < order->line_count; i++) {
        if (!pay_paypal_money_fits(order->currency,
                                   order->lines[i].amount_minor))
        {
            return 0;
        }
    }

    return 1;
}


static pay_status_t
paypal_items(pay_arena_t *arena, const pay_psp_order_t *order,
    pay_json_t *unit, pay_err_t *err)
{
    unsigned               i;
    pay_json_t            *items, *item, *amount;
    const pay_psp_line_t  *line;

    items = pay_json_array_new();
    PAY_TRY(pay_json_set(unit, "items", items));

    for (i = 0; i < order->line_count; i++) {
        line = &order->lines[i];
        item = pay_json_object_new();

        PAY_TRY(pay_json_append(items, item));
        PAY_TRY(pay_json_set_string(item, "name", paypal_name(line)));
        PAY_TRY(pay_json_set_string(item, "sku", line->payment_order_id));
        PAY_TRY(pay_json_set_string(item, "quantity", PAY_STR("1")));
        PAY_TRY(pay_paypal_object_add(item, "unit_amount", &amount));
        PAY_TRY(pay_paypal_money_set(arena, amount, order->currency,
                                     line->amount_minor, err));
    }

    return PAY_OK;
}


/* Cut between two characters of UTF-8. */
static pay_str_t
paypal_name(const pay_psp_line_t *line)
{
    pay_str_t  name = line->name.len ? line->name : line->payment_order_id;

    if (name.len > PAYPAL_NAME_MAX) {
        name.len = PAYPAL_NAME_MAX;

        while (name.len > 1 && (name.data[name.len] & 0xc0) == 0x80) {
            name.len--;
        }
    }

    return name;
}


/* Nothing is shipped by us, so the buyer is asked for no address. */
static pay_status_t
paypal_experience(pay_arena_t *arena, const pay_psp_order_t *order,
    pay_json_t *root)
{
    int          has_query;
    pay_str_t    cancel;
    pay_json_t  *source, *wallet, *context;

    has_query = memchr(order->return_url.data, '?', order->return_url.len)
                != NULL;

    PAY_TRY(pay_format(arena, &cancel, PAY_PSP_URL_MAX + 16, "%.*s%s",
                       pay_fmt(order->return_url),
                       has_query ? "&cancelled=1" : "?cancelled=1"));

    PAY_TRY(pay_paypal_object_add(root, "payment_source", &source));
    PAY_TRY(pay_paypal_object_add(source, "paypal", &wallet));
    PAY_TRY(pay_paypal_object_add(wallet, "experience_context", &context));
    PAY_TRY(pay_json_set_string(context, "user_action", PAY_STR("PAY_NOW")));
    PAY_TRY(pay_json_set_string(context, "shipping_preference",
                                PAY_STR("NO_SHIPPING")));
    PAY_TRY(pay_json_set_string(context, "return_url", order->return_url));

    return pay_json_set_string(context, "cancel_url", cancel);
}
