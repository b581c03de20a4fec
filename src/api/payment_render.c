/*
 * The JSON of a checkout and of an order.  One function makes the order's
 * members for both, so that they cannot drift apart.  It is written as text at
 * once: building a tree costs more than everything else in a GET.
 */

#include "pay_json.h"
#include "pay_payment.h"
#include "pay_time.h"


#define ANSWER_FIRST_SIZE  640         /* most of one order fit */
#define ANSWER_MAX         (256 * 1024)


static pay_status_t put_progress(pay_buf_t *buf,
    const pay_checkout_t *checkout);
static void put_places(pay_buf_t *buf, const pay_checkout_t *checkout);
static void put_orders(pay_buf_t *buf, const pay_checkout_t *checkout);
static void put_order(pay_buf_t *buf, const pay_checkout_t *checkout,
    const pay_order_t *order);
static void put_money(pay_buf_t *buf, const pay_checkout_t *checkout,
    const pay_order_t *order);
static void put_credit(pay_buf_t *buf, const pay_order_t *order);
static void put_fee(pay_buf_t *buf, const pay_order_t *order,
    const pay_currency_t *currency);
static void put_text(pay_buf_t *buf, const char *member, pay_str_t text);
static void put_amount(pay_buf_t *buf, const char *member, int64_t minor,
    const pay_currency_t *currency);
static void put_flag(pay_buf_t *buf, const char *member, int is_true);


pay_status_t
pay_checkout_render(pay_arena_t *arena, const pay_checkout_t *checkout,
    pay_str_t *text)
{
    pay_buf_t    buf;
    pay_state_t  state;

    state = pay_checkout_state(checkout);

    pay_buf_init(&buf, arena, ANSWER_MAX);
    pay_buf_expect(&buf, ANSWER_FIRST_SIZE);
    put_text(&buf, "{\"checkout_id\":\"", checkout->checkout_id);
    put_text(&buf, ",\"status\":\"", pay_str_of(pay_state_name(state)));
    PAY_TRY(put_progress(&buf, checkout));
    put_places(&buf, checkout);
    put_orders(&buf, checkout);
    pay_buf_text(&buf, "}");

    return pay_buf_done(&buf, text);
}


pay_status_t
pay_order_render(pay_arena_t *arena, const pay_checkout_t *checkout,
    pay_str_t payment_order_id, pay_str_t *text)
{
    pay_buf_t           buf;
    const pay_order_t  *order;

    order = pay_checkout_order(checkout, payment_order_id);
    if (order == NULL) {
        return PAY_NOT_FOUND;
    }

    pay_buf_init(&buf, arena, ANSWER_MAX);
    pay_buf_expect(&buf, ANSWER_FIRST_SIZE);
    put_order(&buf, checkout, order);
    put_text(&buf, ",\"checkout_id\":\"", checkout->checkout_id);
    PAY_TRY(put_progress(&buf, checkout));
    pay_buf_text(&buf, "}");

    return pay_buf_done(&buf, text);
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


/* redirect_url is shown once the token is committed, never before (step 4). */
static pay_status_t
put_progress(pay_buf_t *buf, const pay_checkout_t *checkout)
{
    pay_str_t    time;
    pay_state_t  state = pay_checkout_state(checkout);

    PAY_TRY(pay_time_format(buf->arena, checkout->expires_s, &time));

    put_flag(buf, ",\"is_payment_done\":", state == PAY_SUCCESS);
    put_flag(buf, ",\"is_final\":",
             state == PAY_SUCCESS || state == PAY_FAILED);
    put_text(buf, ",\"psp\":\"", checkout->psp);

    if (checkout->token.len != 0) {
        pay_buf_text(buf, ",\"redirect_url\":\"");
        pay_buf_json(buf, checkout->base_url);
        put_text(buf, "/checkout/", checkout->handle);

    } else {
        pay_buf_text(buf, ",\"redirect_url\":null");
    }

    put_text(buf, ",\"expires_at\":\"", time);

    return PAY_OK;
}


/* Most checkouts have neither member.  replaced_by stands there as soon as the
 * other checkout is stored, before this one's page is closed for it. */
static void
put_places(pay_buf_t *buf, const pay_checkout_t *checkout)
{
    if (checkout->replaces.len != 0) {
        put_text(buf, ",\"replaces\":\"", checkout->replaces);
    }

    if (checkout->replaced_by.len != 0) {
        put_text(buf, ",\"replaced_by\":\"", checkout->replaced_by);
    }
}


static void
put_orders(pay_buf_t *buf, const pay_checkout_t *checkout)
{
    unsigned  i;

    pay_buf_text(buf, ",\"payment_orders\":[");

    for (i = 0; i < checkout->order_count; i++) {
        if (i != 0) {
            pay_buf_text(buf, ",");
        }

        put_order(buf, checkout, &checkout->orders[i]);
        pay_buf_text(buf, "}");
    }

    pay_buf_text(buf, "]");
}


/* An object that is still open. */
static void
put_order(pay_buf_t *buf, const pay_checkout_t *checkout,
    const pay_order_t *order)
{
    put_text(buf, "{\"payment_order_id\":\"", order->id);
    put_text(buf, ",\"seller_account\":\"", order->seller);
    put_amount(buf, ",\"amount\":\"", order->amount_minor,
               checkout->currency);
    put_text(buf, ",\"currency\":\"", pay_str_of(checkout->currency->code));
    put_text(buf, ",\"status\":\"",
             pay_str_of(pay_state_name(order->status)));

    if (order->reason.len != 0) {
        put_text(buf, ",\"reason\":\"", order->reason);

    } else {
        pay_buf_text(buf, ",\"reason\":null");
    }

    if (order->decline.len != 0) {
        pay_buf_text(buf, ",\"decline\":");
        pay_buf_add(buf, order->decline);
    }

    put_money(buf, checkout, order);

    if (order->credit != NULL) {
        put_credit(buf, order);
    }

    if (order->has_fee) {
        put_fee(buf, order, order->credit != NULL ? order->credit
                                                  : checkout->currency);
    }
}


/* wallet_updated and ledger_updated say what is_payment_done says of this
 * order: they are one commit. */
static void
put_money(pay_buf_t *buf, const pay_checkout_t *checkout,
    const pay_order_t *order)
{
    int                    booked = order->captured_minor > 0;
    const pay_currency_t  *currency = checkout->currency;

    put_amount(buf, ",\"amount_authorized\":\"", order->authorized_minor,
               currency);
    put_amount(buf, ",\"amount_captured\":\"", order->captured_minor,
               currency);
    put_amount(buf, ",\"amount_refunded\":\"", order->refunded_minor,
               currency);
    put_amount(buf, ",\"amount_refundable\":\"", pay_order_refundable(order),
               currency);
    put_flag(buf, ",\"wallet_updated\":", booked);
    put_flag(buf, ",\"ledger_updated\":", booked);
}


/* The quote of an order that is credited in another currency: rate and end of
 * it as they were stored, since they bind the gateway. */
static void
put_credit(pay_buf_t *buf, const pay_order_t *order)
{
    put_text(buf, ",\"credit\":{\"currency\":\"",
             pay_str_of(order->credit->code));
    put_amount(buf, ",\"amount\":\"", order->credit_minor, order->credit);
    put_text(buf, ",\"rate\":\"", order->credit_rate);
    put_text(buf, ",\"expires_at\":\"", order->credit_until);
    pay_buf_text(buf, "}");
}


/* The fee is taken from the seller's wallet, in its currency. */
static void
put_fee(pay_buf_t *buf, const pay_order_t *order,
    const pay_currency_t *currency)
{
    put_amount(buf, ",\"fee\":{\"amount\":\"", order->fee_minor, currency);
    put_amount(buf, ",\"tax\":\"", order->fee_tax_minor, currency);
    put_text(buf, ",\"currency\":\"", pay_str_of(currency->code));
    pay_buf_text(buf, "}");
}


/* `member` ends with the value's first quote. */
static void
put_text(pay_buf_t *buf, const char *member, pay_str_t text)
{
    pay_buf_text(buf, member);
    pay_buf_json(buf, text);
    pay_buf_text(buf, "\"");
}


static void
put_amount(pay_buf_t *buf, const char *member, int64_t minor,
    const pay_currency_t *currency)
{
    pay_buf_text(buf, member);
    pay_buf_amount(buf, minor, currency);
    pay_buf_text(buf, "\"");
}


static void
put_flag(pay_buf_t *buf, const char *member, int is_true)
{
    pay_buf_text(buf, member);
    pay_buf_text(buf, is_true ? "true" : "false");
}
