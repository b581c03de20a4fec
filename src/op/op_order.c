/*
 * Decodes the ORDER columns of get_order: typed ones, so that a GET parses no
 * JSON.  What it gives pay_order_render() shows as it does an order of a
 * checkout's VIEW.
 */

#include "pay_payment.h"


static pay_status_t copy_texts(pay_arena_t *arena, const pay_value_t *row,
    pay_checkout_t *c, pay_order_t *order);
static pay_status_t take_numbers(const pay_value_t *row, pay_order_t *order);
static pay_status_t take_credit(pay_arena_t *arena, const pay_value_t *row,
    pay_order_t *order);


pay_status_t
pay_order_decode(pay_arena_t *arena, const pay_value_t *row,
    pay_checkout_t *c)
{
    pay_order_t  *orders;

    memset(c, 0, sizeof(*c));

    orders = pay_calloc(arena, 2 * sizeof(pay_order_t));
    if (orders == NULL) {
        return PAY_NO_MEMORY;
    }

    c->orders = orders;
    c->order_count = 2;
    c->expires_s = row[5].number;
    c->version = row[6].number;

    if (row[12].is_null || row[10].is_null
        || !pay_state_parse(row[12].bytes, &orders[1].status)
        || !pay_state_parse(row[row[7].is_null ? 12 : 7].bytes,
                            &orders[0].status)
        || pay_currency_find(row[10].bytes, &c->currency, NULL) != PAY_OK)
    {
        return PAY_BUG;
    }

    PAY_TRY(copy_texts(arena, row, c, &orders[1]));
    PAY_TRY(take_numbers(row, &orders[1]));

    return take_credit(arena, row, &orders[1]);
}


static pay_status_t
copy_texts(pay_arena_t *arena, const pay_value_t *row, pay_checkout_t *c,
    pay_order_t *order)
{
    unsigned  i;

    const struct {
        unsigned    column;
        int         may_be_null;
        pay_str_t  *to;
    } texts[] = {
        { 0, 0, &c->checkout_id },
        { 1, 0, &c->psp },
        { 2, 0, &c->handle },
        { 3, 1, &c->token },
        { 4, 0, &c->base_url },
        { 8, 0, &order->id },
        { 9, 0, &order->seller },
        { 13, 1, &order->reason },
        { 23, 1, &order->decline }
    };

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (!row[texts[i].column].is_null) {
            PAY_TRY(pay_dup(arena, row[texts[i].column].bytes, texts[i].to));
        }

        if (texts[i].to->len == 0 && !texts[i].may_be_null) {
            return PAY_BUG;
        }
    }

    return PAY_OK;
}


static pay_status_t
take_numbers(const pay_value_t *row, pay_order_t *order)
{
    unsigned  i;

    const struct {
        unsigned   column;
        int64_t   *to;
    } numbers[] = {
        { 11, &order->amount_minor },
        { 14, &order->authorized_minor },
        { 15, &order->captured_minor },
        { 16, &order->refunding_minor },
        { 17, &order->refunded_minor },
        { 18, &order->charged_back_minor }
    };

    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        /* NULL is a 0 */
        *numbers[i].to = row[numbers[i].column].number;

        if (*numbers[i].to < 0) {
            return PAY_BUG;
        }
    }

    return order->amount_minor > 0 ? PAY_OK : PAY_BUG;
}


static pay_status_t
take_credit(pay_arena_t *arena, const pay_value_t *row, pay_order_t *order)
{
    if (row[19].is_null) {
        return PAY_OK;
    }

    if (pay_currency_find(row[19].bytes, &order->credit, NULL) != PAY_OK
        || row[20].is_null || row[21].is_null || row[22].is_null)
    {
        return PAY_BUG;
    }

    order->credit_minor = row[20].number;
    PAY_TRY(pay_dup(arena, row[21].bytes, &order->credit_rate));

    return pay_dup(arena, row[22].bytes, &order->credit_until);
}
