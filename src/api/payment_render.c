/*
 * What the API shows of a checkout and of an order.  One function makes the
 * order's members for both, so that they cannot drift apart.
 */

#include "pay_payment.h"
#include "pay_time.h"


static pay_status_t render_checkout(pay_arena_t *arena,
    const pay_checkout_t *checkout, pay_json_t *json);
static pay_status_t set_progress(pay_arena_t *arena,
    const pay_checkout_t *checkout, pay_json_t *json);
static pay_status_t add_orders(pay_arena_t *arena,
    const pay_checkout_t *checkout, pay_json_t *json);
static pay_status_t set_order(pay_arena_t *arena,
    const pay_checkout_t *checkout, const pay_order_t *order,
    pay_json_t *json);
static pay_status_t set_money(pay_arena_t *arena,
    const pay_checkout_t *checkout, const pay_order_t *order,
    pay_json_t *json);
static pay_status_t set_credit(pay_arena_t *arena, const pay_order_t *order,
    pay_json_t *json);
static pay_status_t fill_credit(pay_arena_t *arena, const pay_order_t *order,
    pay_json_t *json);


pay_status_t
pay_checkout_render(pay_arena_t *arena, const pay_checkout_t *checkout,
    pay_str_t *text)
{
    pay_json_t    *json;
    pay_status_t   status;

    json = pay_json_object_new();
    if (json == NULL) {
        return PAY_NO_MEMORY;
    }

    status = render_checkout(arena, checkout, json);

    if (status == PAY_OK) {
        status = pay_json_write(arena, json, text);
    }

    pay_json_free(json);

    return status;
}


pay_status_t
pay_order_render(pay_arena_t *arena, const pay_checkout_t *checkout,
    pay_str_t payment_order_id, pay_str_t *text)
{
    pay_json_t         *json;
    pay_status_t        status;
    const pay_order_t  *order;

    order = pay_checkout_order(checkout, payment_order_id);
    if (order == NULL) {
        return PAY_NOT_FOUND;
    }

    json = pay_json_object_new();
    if (json == NULL) {
        return PAY_NO_MEMORY;
    }

    status = set_order(arena, checkout, order, json);

    if (status == PAY_OK) {
        status = pay_json_set_string(json, "checkout_id",
                                     checkout->checkout_id);
    }

    if (status == PAY_OK) {
        status = set_progress(arena, checkout, json);
    }

    if (status == PAY_OK) {
        status = pay_json_write(arena, json, text);
    }

    pay_json_free(json);

    return status;
}


pay_status_t
pay_timeline_render(pay_arena_t *arena, pay_str_t payment_order_id,
    pay_str_t events, pay_str_t *json)
{
    pay_buf_t  buf;

    /* ids are of a JSON-safe alphabet; events is PostgreSQL's own JSON */
    pay_buf_init(&buf, arena, 4 * 1024 * 1024);
    pay_buf_text(&buf, "{\"payment_order_id\":\"");
    pay_buf_add(&buf, payment_order_id);
    pay_buf_text(&buf, "\",\"events\":");
    pay_buf_add(&buf, events);
    pay_buf_text(&buf, "}");

    return pay_buf_done(&buf, json);
}


static pay_status_t
render_checkout(pay_arena_t *arena, const pay_checkout_t *checkout,
    pay_json_t *json)
{
    pay_state_t  state;

    state = pay_checkout_state(checkout);

    PAY_TRY(pay_json_set_string(json, "checkout_id", checkout->checkout_id));
    PAY_TRY(pay_json_set_string(json, "status",
                                pay_str_of(pay_state_name(state))));
    PAY_TRY(set_progress(arena, checkout, json));

    return add_orders(arena, checkout, json);
}


/* redirect_url is shown once the token is committed, never before (step 4). */
static pay_status_t
set_progress(pay_arena_t *arena, const pay_checkout_t *checkout,
    pay_json_t *json)
{
    int        done;
    pay_str_t  url, time;

    done = pay_checkout_state(checkout) == PAY_SUCCESS;

    PAY_TRY(pay_json_set(json, "is_payment_done",
                         pay_json_boolean_new(done)));
    PAY_TRY(pay_json_set_string(json, "psp", checkout->psp));

    if (checkout->token.len != 0) {
        PAY_TRY(pay_format(arena, &url, 4096, "%.*s/checkout/%.*s",
                           pay_fmt(checkout->base_url),
                           pay_fmt(checkout->handle)));
        PAY_TRY(pay_json_set_string(json, "redirect_url", url));

    } else {
        PAY_TRY(pay_json_set(json, "redirect_url", pay_json_null_new()));
    }

    PAY_TRY(pay_time_format(arena, checkout->expires_s, &time));

    return pay_json_set_string(json, "expires_at", time);
}


static pay_status_t
add_orders(pay_arena_t *arena, const pay_checkout_t *checkout,
    pay_json_t *json)
{
    unsigned       i;
    pay_json_t    *array, *item;
    pay_status_t   status;

    array = pay_json_array_new();
    status = array == NULL ? PAY_NO_MEMORY : PAY_OK;

    for (i = 0; i < checkout->order_count && status == PAY_OK; i++) {
        item = pay_json_object_new();
        if (item == NULL) {
            status = PAY_NO_MEMORY;
            break;
        }

        status = set_order(arena, checkout, &checkout->orders[i], item);
        if (status != PAY_OK) {
            pay_json_free(item);
            break;
        }

        status = pay_json_append(array, item);
    }

    if (status != PAY_OK) {
        pay_json_free(array);
        return status;
    }

    return pay_json_set(json, "payment_orders", array);
}


static pay_status_t
set_order(pay_arena_t *arena, const pay_checkout_t *checkout,
    const pay_order_t *order, pay_json_t *json)
{
    pay_str_t  amount;

    PAY_TRY(pay_amount_format(arena, order->amount_minor, checkout->currency,
                              &amount));
    PAY_TRY(pay_json_set_string(json, "payment_order_id", order->id));
    PAY_TRY(pay_json_set_string(json, "seller_account", order->seller));
    PAY_TRY(pay_json_set_string(json, "amount", amount));
    PAY_TRY(pay_json_set_string(json, "currency",
                                pay_str_of(checkout->currency->code)));
    PAY_TRY(pay_json_set_string(json, "status",
                                pay_str_of(pay_state_name(order->status))));

    PAY_TRY(order->reason.len == 0
            ? pay_json_set(json, "reason", pay_json_null_new())
            : pay_json_set_string(json, "reason", order->reason));
    PAY_TRY(set_money(arena, checkout, order, json));

    return set_credit(arena, order, json);
}


/* wallet_updated and ledger_updated say what is_payment_done says of this
 * order: they are one commit. */
static pay_status_t
set_money(pay_arena_t *arena, const pay_checkout_t *checkout,
    const pay_order_t *order, pay_json_t *json)
{
    int        booked;
    unsigned   i;
    pay_str_t  text;

    const struct {
        const char  *name;
        int64_t      minor;
    } amounts[] = {
        { "amount_authorized", order->authorized_minor },
        { "amount_captured", order->captured_minor },
        { "amount_refunded", order->refunded_minor },
        { "amount_refundable", pay_order_refundable(order) }
    };

    for (i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++) {
        PAY_TRY(pay_amount_format(arena, amounts[i].minor, checkout->currency,
                                  &text));
        PAY_TRY(pay_json_set_string(json, amounts[i].name, text));
    }

    booked = order->captured_minor > 0;

    PAY_TRY(pay_json_set(json, "wallet_updated",
                         pay_json_boolean_new(booked)));

    return pay_json_set(json, "ledger_updated", pay_json_boolean_new(booked));
}


static pay_status_t
set_credit(pay_arena_t *arena, const pay_order_t *order, pay_json_t *json)
{
    pay_json_t    *credit;
    pay_status_t   status;

    if (order->credit == NULL) {
        return PAY_OK;
    }

    credit = pay_json_object_new();
    if (credit == NULL) {
        return PAY_NO_MEMORY;
    }

    status = fill_credit(arena, order, credit);
    if (status != PAY_OK) {
        pay_json_free(credit);
        return status;
    }

    return pay_json_set(json, "credit", credit);
}


static pay_status_t
fill_credit(pay_arena_t *arena, const pay_order_t *order, pay_json_t *json)
{
    pay_str_t  amount;

    PAY_TRY(pay_amount_format(arena, order->credit_minor, order->credit,
                              &amount));
    PAY_TRY(pay_json_set_string(json, "currency",
                                pay_str_of(order->credit->code)));
    PAY_TRY(pay_json_set_string(json, "amount", amount));
    PAY_TRY(pay_json_set_string(json, "rate", order->credit_rate));

    return pay_json_set_string(json, "expires_at", order->credit_until);
}
