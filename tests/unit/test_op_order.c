/*
 * The ORDER columns of get_order: they show what the VIEW columns of the same
 * order show, and a row that breaks SQL's promise is our bug.
 */

#include "flow_driver.h"


#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))

#define DECLINE                                                               \
    "{\"code\":\"do_not_honor\",\"attempts\":2,\"psp_code\":\"05\"}"

#define TWO                                                                   \
    "[{\"id\":\"order-1\",\"seller\":\"seller-1\",\"amount\":3000,"           \
    "\"status\":\"SUCCESS\",\"reason\":null,\"money\":{\"manual\":true,"      \
    "\"authorized\":0,\"captured\":2900,\"refunding\":50,\"refunded\":70,"    \
    "\"charged_back\":11,\"credit_currency\":\"JPY\",\"credit_minor\":4600,"  \
    "\"credit_rate\":\"155.60\","                                             \
    "\"credit_until\":\"2026-11-21T06:00:00Z\"}},"                            \
    "{\"id\":\"order-2\",\"seller\":\"s\\\"2\",\"amount\":7,"                 \
    "\"status\":\"FAILED\",\"reason\":\"declined\",\"money\":{"               \
    "\"manual\":true,\"authorized\":3,\"captured\":0,\"refunding\":0,"         \
    "\"refunded\":0,\"charged_back\":0,\"decline\":" DECLINE "}}]"


/* A column that is set to that text (NULL: NULL). */
typedef struct {
    unsigned     column;
    const char  *text;
} damage_t;


static pay_status_t
decode_damaged(damage_t damage, pay_heap_t *heap)
{
    pay_value_t     row[PAY_ORDER_COLUMNS];
    order_row_t     order = order_executing(generic());
    pay_checkout_t  c;

    order.credit_currency = "JPY";
    order.credit_rate = "155.6";
    order.credit_until = "2026-11-21T06:00:00Z";
    memcpy(row, order_columns(pay_heap_arena(heap), &order), sizeof(row));
    row[damage.column] = damage.text ? pay_value_text(pay_str_of(damage.text))
                                     : pay_value_null();

    return pay_order_decode(pay_heap_arena(heap), row, &c);
}


/* The order of that id, both ways. */
static void
expect_same(const view_t *view, const order_row_t *row)
{
    pay_str_t        by_view, by_row;
    pay_heap_t      *heap = pay_heap_create();
    pay_arena_t     *arena = pay_heap_arena(heap);
    pay_checkout_t   c;

    cr_assert_eq(pay_checkout_decode(arena, view_columns(arena, view), &c),
                 PAY_OK);
    cr_assert_eq(pay_order_render(arena, &c, pay_str_of(row->id), &by_view),
                 PAY_OK);
    cr_assert_eq(pay_order_decode(arena, order_columns(arena, row), &c),
                 PAY_OK);
    cr_assert_eq(pay_order_render(arena, &c, pay_str_of(row->id), &by_row),
                 PAY_OK);
    cr_expect(pay_str_eq(by_view, by_row), "%.*s\n%.*s", pay_fmt(by_view),
              pay_fmt(by_row));
    cr_expect_eq(c.version, view->version);
    pay_heap_destroy(heap);
}


Test(pay_op_order, columns_are_as_many_as_the_decoder_reads)
{
    cr_expect_eq(pay_op(PAY_OP_GET_ORDER)->out_count, 1 + PAY_ORDER_COLUMNS);
}


Test(pay_op_order, shows_what_the_view_shows)
{
    view_t       view = view_registered(stripe());
    order_row_t  row = order_executing(stripe());

    expect_same(&view, &row);

    view = view_of(generic());
    row = order_registering(generic());
    expect_same(&view, &row);
}


Test(pay_op_order, shows_the_money_that_the_view_shows)
{
    view_t       view = view_registered(generic());
    order_row_t  row = order_executing(generic());

    view.orders = TWO;
    row.status = "SUCCESS";
    row.captured_minor = 2900;
    row.refunding_minor = 50;
    row.refunded_minor = 70;
    row.charged_back_minor = 11;
    row.credit_currency = "JPY";
    row.credit_minor = 4600;
    row.credit_rate = "155.60";
    row.credit_until = "2026-11-21T06:00:00Z";
    expect_same(&view, &row);
}


/* The checkout's state is its first order's, whichever is asked for. */
Test(pay_op_order, shows_the_second_of_two_as_the_view_does)
{
    view_t       view = view_registered(generic());
    order_row_t  row = order_executing(generic());

    view.orders = TWO;
    row.id = "order-2";
    row.seller = "s\"2";
    row.amount_minor = 7;
    row.first_status = "SUCCESS";
    row.status = "FAILED";
    row.reason = "declined";
    row.authorized_minor = 3;
    row.decline = DECLINE;
    expect_same(&view, &row);
}


Test(pay_op_order, null_is_legal_only_for_what_there_need_not_be)
{
    unsigned     i;
    pay_heap_t  *heap = pay_heap_create();

    for (i = 0; i < PAY_ORDER_COLUMNS; i++) {
        if (i == 5 || i == 6) {
            continue;                              /* numbers of any value */
        }

        cr_expect_eq(decode_damaged((damage_t) { i, NULL }, heap),
                     i == 3 || i == 7 || i == 23
                     || (i >= 13 && i <= 19) ? PAY_OK
                                                              : PAY_BUG,
                     "column %u", i);
    }

    pay_heap_destroy(heap);
}


Test(pay_op_order, a_row_that_breaks_the_promise_is_a_bug)
{
    size_t       i;
    pay_heap_t  *heap = pay_heap_create();

    static const damage_t  rows[] = {
        { 0, "" }, { 1, "" }, { 2, "" }, { 4, "" }, { 8, "" }, { 9, "" },
        { 7, "PAID" }, { 7, "" }, { 12, "failed" }, { 12, "" },
        { 10, "usd" }, { 10, "XXX" }, { 10, "" }, { 19, "jpy" }, { 19, "" }
    };

    for (i = 0; i < COUNT(rows); i++) {
        cr_expect_eq(decode_damaged(rows[i], heap), PAY_BUG, "%u %s",
                     rows[i].column, rows[i].text);
    }

    pay_heap_destroy(heap);
}


Test(pay_op_order, less_than_nothing_is_a_bug)
{
    unsigned         i;
    pay_heap_t      *heap = pay_heap_create();
    pay_value_t      row[PAY_ORDER_COLUMNS];
    order_row_t      order = order_executing(generic());
    pay_checkout_t   c;

    for (i = 0; i < PAY_ORDER_COLUMNS; i++) {
        if (i != 11 && (i < 14 || i > 18)) {
            continue;
        }

        memcpy(row, order_columns(pay_heap_arena(heap), &order), sizeof(row));
        row[i].number = -1;
        cr_expect_eq(pay_order_decode(pay_heap_arena(heap), row, &c), PAY_BUG,
                     "column %u", i);
    }

    pay_heap_destroy(heap);
}
