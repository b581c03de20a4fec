/*
 * A row of shape checkout → a checkout.  A row that breaks SQL's promise is
 * our bug, never the storefront's.
 */

#include "pay_payment.h"


static pay_status_t copy_texts(pay_arena_t *arena,
    const pay_checkout_row_t *row, pay_checkout_t *c);
static pay_status_t read_page(pay_arena_t *arena, const pay_json_t *json,
    pay_checkout_t *checkout);
static pay_status_t decode_orders(pay_arena_t *arena,
    const pay_checkout_row_t *row, pay_checkout_t *c);


/* Everything but the orders is in columns of their own; currency and states
 * become numbers here once, so that no later code compares words of SQL. */
pay_status_t
pay_checkout_decode(pay_arena_t *arena, const pay_checkout_row_t *row,
    pay_checkout_t *c)
{
    memset(c, 0, sizeof(*c));

    if (row == NULL
        || pay_currency_find(row->currency, &c->currency, NULL) != PAY_OK)
    {
        return PAY_BUG;
    }

    c->total_minor = row->total_minor;
    c->expires_s = row->expires_s;
    c->attempt = row->attempt;
    c->version = row->version;

    c->manual = pay_str_is(row->capture, "manual");

    PAY_TRY(copy_texts(arena, row, c));

    return decode_orders(arena, row, c);
}


/* A column that SQL promises and that is empty is PAY_BUG: the flow ends as
 * after an error of PostgreSQL instead of sending an empty nonce or URL to a
 * PSP. */
static pay_status_t
copy_texts(pay_arena_t *arena, const pay_checkout_row_t *row,
    pay_checkout_t *c)
{
    unsigned  i;

    const struct {
        pay_str_t   from;
        pay_str_t  *to;
        int         may_be_empty;
    } texts[] = {
        { row->merchant_id, &c->merchant_id, 0 },
        { row->checkout_id, &c->checkout_id, 0 },
        { row->checkout_uuid, &c->checkout_uuid, 0 },
        { row->psp, &c->psp, 0 }, { row->nonce, &c->nonce, 0 },
        { row->handle, &c->handle, 0 }, { row->token, &c->token, 1 },
        { row->alias, &c->alias, 1 }, { row->hosted_url, &c->hosted_url, 1 },
        { row->return_url, &c->return_url, 0 },
        { row->base_url, &c->base_url, 0 },
        { row->registration_state, &c->registration, 0 },
        { row->code, &c->code, 1 }, { row->replaces, &c->replaces, 1 },
        { row->replaced_by, &c->replaced_by, 1 }, { row->risk, &c->risk, 1 },
        { row->trace, &c->trace, 1 }
    };

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].from.len == 0 && !texts[i].may_be_empty) {
            return PAY_BUG;
        }

        if (texts[i].from.len != 0) {
            PAY_TRY(pay_dup(arena, texts[i].from, texts[i].to));
        }
    }

    return PAY_OK;
}


/* All orders of a checkout move together, since the PSP sees one payment: the
 * first one speaks for all. */
pay_state_t
pay_checkout_state(const pay_checkout_t *checkout)
{
    return checkout->orders[0].status;
}


/* The buyer is done, and money is held until it is captured or cancelled. */
int
pay_checkout_is_authorized(const pay_checkout_t *checkout)
{
    return pay_checkout_state(checkout) == PAY_EXECUTING
           && checkout->orders[0].authorized_minor > 0;
}


int
pay_checkout_holds(const pay_checkout_t *checkout)
{
    unsigned  i;

    for (i = 0; i < checkout->order_count; i++) {
        if (checkout->orders[i].authorized_minor > 0) {
            return 1;
        }
    }

    return 0;
}


/* 1 when every order is final or has its money held, and some money is held:
 * nothing more is expected from the buyer or the PSP.  A checkout of final
 * orders alone does not rest, it is over. */
int
pay_checkout_rests(const pay_checkout_t *checkout)
{
    unsigned            i;
    const pay_order_t  *order;

    for (i = 0; i < checkout->order_count; i++) {
        order = &checkout->orders[i];

        if (order->status != PAY_SUCCESS && order->status != PAY_FAILED
            && order->authorized_minor == 0)
        {
            return 0;
        }
    }

    return pay_checkout_holds(checkout);
}


const pay_order_t *
pay_checkout_order(const pay_checkout_t *checkout, pay_str_t payment_order_id)
{
    unsigned  i;

    for (i = 0; i < checkout->order_count; i++) {
        if (pay_str_eq(checkout->orders[i].id, payment_order_id)) {
            return &checkout->orders[i];
        }
    }

    return NULL;
}


/* Captured less all that went back, is on its way back or was taken by a
 * dispute. A chargeback after a full refund would make it negative; it is 0
 * then. */
int64_t
pay_order_refundable(const pay_order_t *order)
{
    int64_t  left;

    left = order->captured_minor - order->refunding_minor
           - order->refunded_minor - order->charged_back_minor;

    return left > 0 ? left : 0;
}


/* Both were checked before they were stored, so another text is our bug. */
pay_status_t
pay_checkout_page(pay_arena_t *arena, pay_str_t page,
    pay_checkout_t *checkout)
{
    pay_json_t    *json;
    pay_status_t   status;

    if (page.len == 0) {
        return PAY_OK;
    }

    status = pay_json_parse(page, NULL, &json, NULL);

    if (status == PAY_OK) {
        status = read_page(arena, json, checkout);
        pay_json_free(json);
    }

    return status == PAY_INVALID ? PAY_BUG : status;
}


static pay_status_t
read_page(pay_arena_t *arena, const pay_json_t *json,
    pay_checkout_t *checkout)
{
    unsigned           i;
    pay_str_t          text;
    const pay_json_t  *texts = pay_json_get(json, "descriptions");

    if (pay_json_string(pay_json_get(json, "locale"), &text) == PAY_OK) {
        PAY_TRY(pay_dup(arena, text, &checkout->locale));
    }

    for (i = 0; i < checkout->order_count; i++) {
        if (pay_json_string(pay_json_at(texts, i), &text) == PAY_OK) {
            PAY_TRY(pay_dup(arena, text, &checkout->orders[i].description));
        }
    }

    return PAY_OK;
}


/* `place` must be 1, 2, 3 …: a hole or another sequence means that rows of two
 * checkouts were mixed, and amounts with them. */
static pay_status_t
decode_orders(pay_arena_t *arena, const pay_checkout_row_t *row,
    pay_checkout_t *c)
{
    size_t  i;

    if (row->orders_count == 0 || row->orders_count > PAY_ORDERS_MAX) {
        return PAY_BUG;
    }

    c->order_count = (unsigned) row->orders_count;
    c->orders = pay_calloc(arena, row->orders_count * sizeof(pay_order_t));
    if (c->orders == NULL) {
        return PAY_NO_MEMORY;
    }

    for (i = 0; i < row->orders_count; i++) {
        if (row->orders[i].place != (int64_t) i + 1) {
            return PAY_BUG;
        }

        PAY_TRY(pay_line_decode(arena, &row->orders[i], &c->orders[i]));
    }

    return PAY_OK;
}
