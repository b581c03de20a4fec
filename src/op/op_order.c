/*
 * A row of shape line → an order; and get_order's row → as much of a checkout
 * as pay_order_render() shows.  A row that breaks SQL's promise is our bug.
 */

#include "pay_payment.h"


typedef struct {
    pay_str_t   from;
    pay_str_t  *to;
    int         may_be_empty;
} text_t;


static pay_status_t copy_head(pay_arena_t *arena, const pay_order_row_t *row,
    pay_checkout_t *c);
static pay_status_t copy_texts(pay_arena_t *arena, const text_t *texts,
    size_t count);
static pay_status_t take_numbers(const pay_line_row_t *row,
    pay_order_t *order);
static pay_status_t take_credit(pay_arena_t *arena, const pay_line_row_t *row,
    pay_order_t *order);
static pay_status_t take_fee(const pay_line_row_t *row, pay_order_t *order);


/* For orders of a whole checkout and for the one of get_order alike, so that
 * an order is the same whichever way it was read. */
pay_status_t
pay_line_decode(pay_arena_t *arena, const pay_line_row_t *row,
    pay_order_t *order)
{
    const text_t  texts[] = {
        { row->order_id, &order->id, 0 },
        { row->seller_account, &order->seller, 0 },
        { row->order_reason, &order->reason, 1 },
        { row->decline, &order->decline, 1 }
    };

    memset(order, 0, sizeof(*order));

    if (!pay_state_parse(row->order_status, &order->status)) {
        return PAY_BUG;
    }

    PAY_TRY(copy_texts(arena, texts, sizeof(texts) / sizeof(texts[0])));
    PAY_TRY(take_numbers(row, order));
    PAY_TRY(take_fee(row, order));

    return take_credit(arena, row, order);
}


/* Makes two orders of one row: pay_checkout_state() reads the first order of
 * the checkout, which need not be the one that was asked for.  first_status is
 * NULL when it is. */
pay_status_t
pay_order_decode(pay_arena_t *arena, const pay_order_row_t *row,
    pay_checkout_t *c)
{
    pay_order_t  *orders;

    memset(c, 0, sizeof(*c));

    if (row == NULL) {
        return PAY_BUG;
    }

    orders = pay_calloc(arena, 2 * sizeof(pay_order_t));
    if (orders == NULL) {
        return PAY_NO_MEMORY;
    }

    c->orders = orders;
    c->order_count = 2;
    c->expires_s = row->expires_s;
    c->version = row->version;

    PAY_TRY(copy_head(arena, row, c));
    PAY_TRY(pay_line_decode(arena, &row->line, &orders[1]));

    orders[0].status = orders[1].status;

    return ((row->first_status.len == 0
             || pay_state_parse(row->first_status, &orders[0].status))
            && pay_currency_find(row->currency, &c->currency, NULL) == PAY_OK)
           ? PAY_OK : PAY_BUG;
}


static pay_status_t
copy_head(pay_arena_t *arena, const pay_order_row_t *row, pay_checkout_t *c)
{
    const text_t  texts[] = {
        { row->checkout_id, &c->checkout_id, 0 },
        { row->psp, &c->psp, 0 },
        { row->handle, &c->handle, 0 },
        { row->token, &c->token, 1 },
        { row->base_url, &c->base_url, 0 }
    };

    return copy_texts(arena, texts, sizeof(texts) / sizeof(texts[0]));
}


static pay_status_t
copy_texts(pay_arena_t *arena, const text_t *texts, size_t count)
{
    size_t  i;

    for (i = 0; i < count; i++) {
        if (texts[i].from.len != 0) {
            PAY_TRY(pay_dup(arena, texts[i].from, texts[i].to));

        } else if (!texts[i].may_be_empty) {
            return PAY_BUG;
        }
    }

    return PAY_OK;
}


/* NULL is a 0. */
static pay_status_t
take_numbers(const pay_line_row_t *row, pay_order_t *order)
{
    order->amount_minor = row->order_minor;
    order->authorized_minor = row->authorized_minor.number;
    order->captured_minor = row->captured_minor.number;
    order->refunding_minor = row->refunding_minor.number;
    order->refunded_minor = row->refunded_minor.number;
    order->charged_back_minor = row->charged_back_minor.number;

    return (order->amount_minor > 0 && order->authorized_minor >= 0
            && order->captured_minor >= 0 && order->refunding_minor >= 0
            && order->refunded_minor >= 0 && order->charged_back_minor >= 0)
           ? PAY_OK : PAY_BUG;
}


/* Amount, rate and end of a quote come with its currency or not at all. */
static pay_status_t
take_credit(pay_arena_t *arena, const pay_line_row_t *row, pay_order_t *order)
{
    if (row->credit_currency.len == 0) {
        return PAY_OK;
    }

    if (pay_currency_find(row->credit_currency, &order->credit, NULL) != PAY_OK
        || !row->credit_minor.is_set || row->credit_rate.len == 0
        || row->credit_until.len == 0)
    {
        return PAY_BUG;
    }

    order->credit_minor = row->credit_minor.number;
    PAY_TRY(pay_dup(arena, row->credit_rate, &order->credit_rate));

    return pay_dup(arena, row->credit_until, &order->credit_until);
}


/* Fee and VAT come together or not at all. */
static pay_status_t
take_fee(const pay_line_row_t *row, pay_order_t *order)
{
    order->has_fee = row->fee_minor.is_set;
    order->fee_minor = row->fee_minor.number;
    order->fee_tax_minor = row->fee_tax_minor.number;

    return (row->fee_tax_minor.is_set == row->fee_minor.is_set
            && order->fee_minor >= 0 && order->fee_tax_minor >= 0)
           ? PAY_OK : PAY_BUG;
}
