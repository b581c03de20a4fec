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


/* A text of the row that is set to that (NULL: it is NULL). */
typedef struct {
    size_t       at;
    const char  *text;
} damage_t;

#define AT(member)  offsetof(pay_order_row_t, member)


static pay_order_row_t
with_credit(void)
{
    pay_order_row_t  row = order_executing(generic());

    row.line.credit_currency = PAY_STR("JPY");
    row.line.credit_minor = pay_some(4600);
    row.line.credit_rate = PAY_STR("155.60");
    row.line.credit_until = PAY_STR("2026-11-21T06:00:00Z");

    return row;
}


static pay_status_t
decode_damaged(damage_t damage, pay_heap_t *heap)
{
    pay_str_t        text = pay_str_of(damage.text);
    pay_order_row_t  row = with_credit();
    pay_checkout_t   c;

    memcpy((char *) &row + damage.at, &text, sizeof(text));

    return pay_order_decode(pay_heap_arena(heap), &row, &c);
}


/* The order of that id, both ways. */
static void
expect_same(const pay_checkout_row_t *view, const pay_order_row_t *row)
{
    pay_str_t        by_view, by_row;
    pay_arena_t     *arena = test_arena();
    pay_checkout_t   c;

    cr_assert_eq(pay_checkout_decode(arena, view, &c), PAY_OK);
    cr_assert_eq(pay_order_render(arena, &c, row->line.order_id, &by_view),
                 PAY_OK);
    cr_assert_eq(pay_order_decode(arena, row, &c), PAY_OK);
    cr_assert_eq(pay_order_render(arena, &c, row->line.order_id, &by_row),
                 PAY_OK);
    cr_expect(pay_str_eq(by_view, by_row), "%.*s\n%.*s", pay_fmt(by_view),
              pay_fmt(by_row));
    cr_expect_eq(c.version, view->version);
}


Test(pay_op_order, shows_what_the_view_shows)
{
    pay_checkout_row_t  view = view_registered(stripe());
    pay_order_row_t     row = order_executing(stripe());

    expect_same(&view, &row);

    view = view_of(generic());
    row = order_registering(generic());
    expect_same(&view, &row);
}


Test(pay_op_order, shows_the_money_that_the_view_shows)
{
    pay_checkout_row_t  view = view_registered(generic());
    pay_order_row_t     row = with_credit();

    set_orders(&view, TWO);
    row.line.order_status = PAY_STR("SUCCESS");
    row.line.captured_minor = pay_some(2900);
    row.line.refunding_minor = pay_some(50);
    row.line.refunded_minor = pay_some(70);
    row.line.charged_back_minor = pay_some(11);
    expect_same(&view, &row);
}


/* The checkout's state is its first order's, whichever is asked for. */
Test(pay_op_order, shows_the_second_of_two_as_the_view_does)
{
    pay_checkout_row_t  view = view_registered(generic());
    pay_order_row_t     row = order_executing(generic());

    set_orders(&view, TWO);
    row.line.order_id = PAY_STR("order-2");
    row.line.seller_account = PAY_STR("s\"2");
    row.line.order_minor = 7;
    row.first_status = PAY_STR("SUCCESS");
    row.line.order_status = PAY_STR("FAILED");
    row.line.order_reason = PAY_STR("declined");
    row.line.authorized_minor = pay_some(3);
    row.line.decline = PAY_STR(DECLINE);
    expect_same(&view, &row);
}


Test(pay_op_order, empty_is_legal_only_for_what_there_need_not_be)
{
    size_t       i;
    pay_heap_t  *heap = pay_heap_create();

    static const struct {
        size_t        at;
        pay_status_t  status;
    } rows[] = {
        { AT(checkout_id), PAY_BUG }, { AT(psp), PAY_BUG },
        { AT(handle), PAY_BUG }, { AT(token), PAY_OK },
        { AT(base_url), PAY_BUG }, { AT(first_status), PAY_OK },
        { AT(line.order_id), PAY_BUG }, { AT(line.seller_account), PAY_BUG },
        { AT(currency), PAY_BUG }, { AT(line.order_status), PAY_BUG },
        { AT(line.order_reason), PAY_OK }, { AT(line.credit_currency), PAY_OK },
        { AT(line.credit_rate), PAY_BUG }, { AT(line.credit_until), PAY_BUG },
        { AT(line.decline), PAY_OK }
    };

    for (i = 0; i < COUNT(rows); i++) {
        cr_expect_eq(decode_damaged((damage_t) { rows[i].at, NULL }, heap),
                     rows[i].status, "the one at %zu", rows[i].at);
    }

    pay_heap_destroy(heap);
}


Test(pay_op_order, a_row_that_breaks_the_promise_is_a_bug)
{
    size_t       i;
    pay_heap_t  *heap = pay_heap_create();

    static const damage_t  rows[] = {
        { AT(first_status), "PAID" }, { AT(line.order_status), "failed" },
        { AT(currency), "usd" }, { AT(currency), "XXX" },
        { AT(line.credit_currency), "jpy" }
    };

    for (i = 0; i < COUNT(rows); i++) {
        cr_expect_eq(decode_damaged(rows[i], heap), PAY_BUG, "%s",
                     rows[i].text);
    }

    pay_heap_destroy(heap);
}


Test(pay_op_order, less_than_nothing_is_a_bug)
{
    unsigned         i;
    pay_order_row_t  row;
    pay_checkout_t   c;

    for (i = 0; i < 7; i++) {
        row = with_credit();
        row.line.order_minor = i == 0 ? -1 : 3000;
        row.line.authorized_minor = pay_some(i == 1 ? -1 : 0);
        row.line.captured_minor = pay_some(i == 2 ? -1 : 0);
        row.line.refunding_minor = pay_some(i == 3 ? -1 : 0);
        row.line.refunded_minor = pay_some(i == 4 ? -1 : 0);
        row.line.charged_back_minor = pay_some(i == 5 ? -1 : 0);
        cr_expect_eq(pay_order_decode(test_arena(), &row, &c),
                     i < 6 ? PAY_BUG : PAY_OK, "number %u", i);
    }
}
