/*
 * The table of operations against itself, and rows made into checkouts.  That
 * the table fits pg_proc is tests/sql's business.
 */

#include "flow_driver.h"


#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))

/* A text of a checkout's row that is set to that (NULL: it is NULL). */
typedef struct {
    size_t       at;
    const char  *text;
} damage_t;

#define AT(member)  offsetof(pay_checkout_row_t, member)


static pay_status_t
decode_damaged(damage_t damage, pay_checkout_t *checkout, pay_heap_t *heap)
{
    pay_str_t           text = pay_str_of(damage.text);
    pay_checkout_row_t  view = view_registered(generic());

    memcpy((char *) &view + damage.at, &text, sizeof(text));

    return pay_checkout_decode(pay_heap_arena(heap), &view, checkout);
}


Test(pay_op, statements_name_each_argument)
{
    char             sql[PAY_OP_SQL_MAX], last[8], over[8], name[128];
    size_t           len;
    unsigned         i, k, n;
    const char      *head;
    pay_column_t     args[PAY_OP_COLUMNS_MAX];
    const pay_op_t  *op;

    static const char  *const  heads[PAY_ROLE_COUNT] = {
        "SELECT * FROM pay_api.", "SELECT * FROM pay_console.",
        "SELECT * FROM pay_console_act."
    };

    for (i = 0; i < PAY_OP_COUNT; i++) {
        op = pay_op((pay_op_id_t) i);
        cr_expect_eq(op->id, i);
        cr_expect_eq(pay_op_sql(op, sql), strlen(sql));
        head = heads[pay_op_role((pay_op_id_t) i)];
        len = strlen(head);
        cr_expect_eq(strncmp(sql, head, len), 0);
        cr_expect_eq(strncmp(sql + len, op->name, strlen(op->name)), 0);
        cr_expect_null(strchr(sql, ';'));
        n = pay_op_args(op, args);
        cr_expect(n > 0 && n <= PAY_OP_COLUMNS_MAX);
        snprintf(last, sizeof(last), "$%u)", n);
        snprintf(over, sizeof(over), "$%u", n + 1);
        cr_expect_not_null(strstr(sql, last), "%s", sql);
        cr_expect_null(strstr(sql, over), "%s", sql);

        for (k = 0; k < n; k++) {
            snprintf(name, sizeof(name), "%cp_%s%s%s=>$%u", k ? ',' : '(',
                     args[k].group ? args[k].group : "",
                     args[k].group ? "_" : "", args[k].name, k + 1);
            cr_expect_not_null(strstr(sql, name), "%s in %s", name, sql);
        }
    }
}


Test(pay_op, names_are_unique)
{
    unsigned  i, j;

    for (i = 0; i < PAY_OP_COUNT; i++) {
        for (j = 0; j < i; j++) {
            cr_expect_str_neq(pay_op((pay_op_id_t) i)->name,
                              pay_op((pay_op_id_t) j)->name);
        }
    }
}


Test(pay_op, decode_copies_every_column)
{
    pay_checkout_row_t   view = view_registered(generic());
    pay_checkout_t       c;

    view.code = PAY_STR("declined_by_bank");
    view.attempt = 4;
    view.alias = PAY_STR("link-1");
    set_orders(&view, "[" STORED("order-1", "1000", "FAILED",
                                     "\"declined\"") ","
                          STORED("order-2", "2000", "FAILED", "null") "]");
    cr_assert_eq(pay_checkout_decode(test_arena(), &view, &c),
                 PAY_OK);

    cr_expect(pay_str_is(c.merchant_id, "acme"));
    cr_expect(pay_str_is(c.checkout_id, "c-1"));
    cr_expect(pay_str_is(c.checkout_uuid, REFERENCE));
    cr_expect(pay_str_is(c.psp, "generic"));
    cr_expect(pay_str_is(c.nonce, NONCE));
    cr_expect(pay_str_is(c.handle, HANDLE));
    cr_expect(pay_str_eq(c.token, view.token));
    cr_expect(pay_str_is(c.alias, "link-1"));
    cr_expect(pay_str_eq(c.hosted_url, view.hosted_url));
    cr_expect(pay_str_is(c.return_url, RETURN_URL));
    cr_expect(pay_str_is(c.base_url, BASE));
    cr_expect_str_eq(c.currency->code, "USD");
    cr_expect(c.total_minor == 3000 && c.expires_s == EXPIRES);
    cr_expect(pay_str_is(c.registration, "REGISTERED"));
    cr_expect(c.attempt == 4 && c.version == 3);
    cr_expect(pay_str_is(c.code, "declined_by_bank"));
    cr_assert_eq(c.order_count, 2);
    cr_expect(pay_str_is(c.orders[0].reason, "declined"));
    cr_expect(c.orders[1].reason.len == 0 && c.orders[1].amount_minor == 2000);
    cr_expect_eq(pay_checkout_state(&c), PAY_FAILED);
}


Test(pay_op, decode_reads_what_became_of_the_money)
{
    pay_checkout_row_t   view = view_registered(generic());
    pay_arena_t         *arena = test_arena();
    pay_checkout_t       c;

    set_orders(&view, "[" STORED_MONEY("o-1", "3000", "SUCCESS",
        "{\"manual\":true,\"authorized\":1,\"captured\":2,\"refunding\":3,"
        "\"refunded\":4,\"charged_back\":5,\"credit_currency\":\"EUR\","
        "\"credit_minor\":6,\"credit_rate\":\"0.92\","
        "\"credit_until\":\"2026-11-21T06:00:00Z\"}") "]");
    cr_assert_eq(pay_checkout_decode(arena, &view, &c), PAY_OK);
    cr_expect(c.manual);
    cr_expect_eq(c.orders[0].authorized_minor, 1);
    cr_expect_eq(c.orders[0].captured_minor, 2);
    cr_expect_eq(c.orders[0].refunding_minor, 3);
    cr_expect_eq(c.orders[0].refunded_minor, 4);
    cr_expect_eq(c.orders[0].charged_back_minor, 5);
    cr_assert_not_null(c.orders[0].credit);
    cr_expect_str_eq(c.orders[0].credit->code, "EUR");
    cr_expect_eq(c.orders[0].credit_minor, 6);
    cr_expect(pay_str_is(c.orders[0].credit_rate, "0.92"));
    cr_expect(pay_str_is(c.orders[0].credit_until, "2026-11-21T06:00:00Z"));

    set_orders(&view, "[" STORED_MONEY("o-1", "3000", "NOT_STARTED",
                                           "null") "]");
    cr_assert_eq(pay_checkout_decode(arena, &view, &c), PAY_OK);
    cr_expect(!c.manual && c.orders[0].captured_minor == 0);
    cr_expect_null(c.orders[0].credit);
}


Test(pay_op, money_that_breaks_the_promise_is_a_bug)
{
    unsigned             i;
    pay_order_t          order;
    pay_line_row_t       line;
    pay_checkout_row_t   view = view_registered(generic());

    for (i = 0; i <= 13; i++) {
        line = view.orders[0];
        line.credit_currency = i == 6 ? PAY_STR("eur") : PAY_STR("EUR");
        line.credit_minor = pay_maybe(i != 7, 6);
        line.credit_rate = i == 8 ? PAY_STR("") : PAY_STR("0.92");
        line.credit_until = i == 9 ? PAY_STR("")
                                   : PAY_STR("2026-11-21T06:00:00Z");
        line.order_id = i == 10 ? PAY_STR("") : line.order_id;
        line.seller_account = i == 11 ? PAY_STR("") : line.seller_account;
        line.order_status = i == 12 ? PAY_STR("PAID") : line.order_status;
        line.order_minor = i == 0 ? 0 : 3000;
        line.authorized_minor = pay_some(i == 1 ? -1 : 0);
        line.captured_minor = pay_some(i == 2 ? -1 : 0);
        line.refunding_minor = pay_some(i == 3 ? -1 : 0);
        line.refunded_minor = pay_some(i == 4 ? -1 : 0);
        line.charged_back_minor = pay_some(i == 5 ? -1 : 0);
        cr_expect_eq(pay_line_decode(test_arena(), &line, &order),
                     i < 13 ? PAY_BUG : PAY_OK, "damage %u", i);
    }
}


Test(pay_op, empty_is_legal_only_for_token_alias_url_and_code)
{
    size_t           i;
    pay_heap_t      *heap = pay_heap_create();
    pay_checkout_t   c;

    static const struct {
        size_t        at;
        pay_status_t  status;
    } rows[] = {
        { AT(merchant_id), PAY_BUG }, { AT(checkout_id), PAY_BUG },
        { AT(checkout_uuid), PAY_BUG }, { AT(psp), PAY_BUG },
        { AT(nonce), PAY_BUG }, { AT(handle), PAY_BUG },
        { AT(token), PAY_OK }, { AT(alias), PAY_OK },
        { AT(hosted_url), PAY_OK }, { AT(return_url), PAY_BUG },
        { AT(base_url), PAY_BUG }, { AT(currency), PAY_BUG },
        { AT(registration_state), PAY_BUG }, { AT(code), PAY_OK },
        { AT(replaces), PAY_OK }, { AT(replaced_by), PAY_OK },
        { AT(trace), PAY_OK },
        { AT(risk), PAY_OK }
    };

    for (i = 0; i < COUNT(rows); i++) {
        cr_expect_eq(decode_damaged((damage_t) { rows[i].at, NULL }, &c, heap),
                     rows[i].status, "the one at %zu", rows[i].at);
    }

    cr_expect_eq(pay_checkout_decode(pay_heap_arena(heap), NULL, &c), PAY_BUG);
    pay_heap_destroy(heap);
}


/* A broken row is our bug: never a storefront's, and never a state. */
Test(pay_op, a_row_that_breaks_the_promise_is_a_bug)
{
    size_t              i;
    pay_heap_t         *heap = pay_heap_create();
    pay_checkout_t      c;
    pay_line_row_t      lines[PAY_ORDERS_MAX + 1];
    pay_checkout_row_t  view = view_registered(generic());

    static const damage_t  rows[] = {
        { AT(currency), "usd" }, { AT(currency), "XXX" }
    };

    for (i = 0; i < COUNT(rows); i++) {
        cr_expect_eq(decode_damaged(rows[i], &c, heap), PAY_BUG, "%s",
                     rows[i].text);
    }

    for (i = 0; i <= PAY_ORDERS_MAX; i++) {
        lines[i] = view.orders[0];
        lines[i].place = (int64_t) i + 1;
    }

    view.orders = lines;

    for (i = 0; i <= PAY_ORDERS_MAX + 1; i++) {
        view.orders_count = i;
        cr_expect_eq(pay_checkout_decode(pay_heap_arena(heap), &view, &c),
                     i == 0 || i > PAY_ORDERS_MAX ? PAY_BUG : PAY_OK,
                     "%zu orders", i);
    }

    view.orders_count = 3;
    lines[1].place = 3;
    lines[2].place = 2;
    cr_expect_eq(pay_checkout_decode(pay_heap_arena(heap), &view, &c),
                 PAY_BUG, "not in their order");
    lines[1].place = 2;
    lines[1].order_status = PAY_STR("failed");
    view.orders_count = 2;
    cr_expect_eq(pay_checkout_decode(pay_heap_arena(heap), &view, &c),
                 PAY_BUG);
    pay_heap_destroy(heap);
}


static pay_status_t
torture_decode(pay_arena_t *arena, void *result)
{
    pay_checkout_t      checkout;
    pay_checkout_row_t  view = view_registered(stripe());

    (void) result;

    view.code = PAY_STR("x");
    set_orders(&view, "[" STORED("o", "3000", "FAILED", "\"declined\"")
                          "]");

    return pay_checkout_decode(arena, &view, &checkout);
}


Test(pay_op, failing_memory_is_no_bug)
{
    cr_expect_geq(torture(torture_decode, 0), 15);
}


/* What is about money that exists goes before what is not yet. */
Test(pay_op, changes_webhooks_and_tokens_are_of_the_first_class)
{
    unsigned           i;
    const pay_op_id_t  money[] = {
        PAY_OP_STORE_TOKEN, PAY_OP_STORE_NO_TOKEN, PAY_OP_REROUTE,
        PAY_OP_APPLY_EVENT, PAY_OP_APPLY_CHANGE, PAY_OP_BEGIN_CHANGE,
        PAY_OP_BEGIN_DISPATCH, PAY_OP_END_DISPATCH
    };

    for (i = 0; i < COUNT(money); i++) {
        cr_expect_eq(pay_op(money[i])->class, PAY_CLASS_MONEY, "%s",
                     pay_op(money[i])->name);
        cr_expect_eq(pay_op(money[i])->stage, PAY_STAGE_LEDGER);
        cr_expect(pay_op(money[i])->is_kept);
    }

    cr_expect_eq(pay_op(PAY_OP_BEGIN_PAYMENT)->class, PAY_CLASS_INTAKE);
    cr_expect_eq(pay_op(PAY_OP_CLAIM_JOBS)->class, PAY_CLASS_JOBS);
}


/* Of a merchant that moves the first one is explain_begin. */
Test(pay_op, the_first_operation_of_a_create_is_the_stage_key)
{
    unsigned  i, keys;

    for (i = 0, keys = 0; i < PAY_OP_COUNT; i++) {
        keys += pay_op((pay_op_id_t) i)->stage == PAY_STAGE_KEY;
    }

    cr_expect_eq(keys, 2);
    cr_expect_eq(pay_op(PAY_OP_EXPLAIN_BEGIN)->stage, PAY_STAGE_KEY);
    cr_expect_eq(pay_op(PAY_OP_BEGIN_PAYMENT)->stage, PAY_STAGE_KEY);
    cr_expect_eq(pay_op(PAY_OP_GET_ORDER)->stage, PAY_STAGE_NONE);
    cr_expect_eq(pay_op(PAY_OP_GET_PAYMENT)->stage, PAY_STAGE_NONE);
    cr_expect_eq(pay_op(PAY_OP_CLAIM_JOBS)->stage, PAY_STAGE_NONE);
}


Test(pay_op, what_only_reads_is_named_so)
{
    int          named;
    unsigned     i;
    const char  *name;

    for (i = 0; i < PAY_OP_COUNT; i++) {
        name = pay_op((pay_op_id_t) i)->name;
        named = strncmp(name, "get_", 4) == 0 || strncmp(name, "list_", 5) == 0
                || strncmp(name, "explain_", 8) == 0
                || strncmp(name, "read_", 5) == 0;
        cr_expect_eq(!!pay_op((pay_op_id_t) i)->only_reads, named, "%s", name);
    }
}


Test(pay_op, reconciliation_is_taken_when_nothing_new_is)
{
    cr_expect(pay_op(PAY_OP_CHECK_BOOKS)->is_kept);
    cr_expect(pay_op(PAY_OP_END_BACKFILL)->is_kept);
    cr_expect(pay_op(PAY_OP_FINISH_JOB)->is_kept);
    cr_expect_not(pay_op(PAY_OP_CLAIM_JOBS)->is_kept);
    cr_expect_not(pay_op(PAY_OP_BEGIN_PAYMENT)->is_kept);
    cr_expect_not(pay_op(PAY_OP_GET_ORDER)->is_kept);
    cr_expect_not(pay_op(PAY_OP_GET_PAYMENT)->is_kept);
}
