/*
 * The table of operations against itself, and rows of PostgreSQL decoded into
 * checkouts.  That the table fits pg_proc is tests/sql's business.
 */

#include "flow_driver.h"


#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))

/* A column that is set to that text (NULL: NULL). */
typedef struct {
    unsigned     column;
    const char  *text;
} damage_t;


static pay_status_t
decode_damaged(damage_t damage, pay_checkout_t *checkout, pay_heap_t *heap)
{
    view_t        view = view_registered(generic());
    pay_value_t   row[PAY_VIEW_COLUMNS];

    memcpy(row, view_columns(pay_heap_arena(heap), &view), sizeof(row));
    row[damage.column] = damage.text ? pay_value_text(pay_str_of(damage.text))
                                     : pay_value_null();

    return pay_checkout_decode(pay_heap_arena(heap), row, checkout);
}


Test(pay_op, statements_have_a_place_for_each_argument)
{
    char             last[8], over[8];
    unsigned         i;
    const pay_op_t  *op;

    for (i = 0; i < PAY_OP_COUNT; i++) {
        op = pay_op((pay_op_id_t) i);
        cr_assert(op->name != NULL && op->sql != NULL, "row %u", i);
        cr_expect_not_null(strstr(op->sql, op->name));
        cr_expect_eq(strncmp(op->sql, "SELECT * FROM pay_api.", 22), 0);
        cr_expect_null(strchr(op->sql, ';'));
        cr_expect(op->in_count > 0 && op->in_count <= PAY_OP_COLUMNS_MAX);
        cr_expect(op->out_count > 0 && op->out_count <= PAY_OP_COLUMNS_MAX);
        snprintf(last, sizeof(last), "$%u)", op->in_count);
        snprintf(over, sizeof(over), "$%u", op->in_count + 1);
        cr_expect_not_null(strstr(op->sql, last), "%s", op->sql);
        cr_expect_null(strstr(op->sql, over), "%s", op->sql);
        cr_expect_eq(op->out[0], PAY_TEXT, "the outcome of %s", op->name);
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


Test(pay_op, view_of_a_checkout_is_as_long_as_its_decoder_reads)
{
    cr_expect_eq(pay_op(PAY_OP_GET_HANDLE)->out_count, 1 + PAY_VIEW_COLUMNS);
    cr_expect_eq(pay_op(PAY_OP_CLAIM_JOBS)->out_count, 5 + PAY_VIEW_COLUMNS);
}


Test(pay_op, decode_copies_every_column)
{
    view_t           view = view_registered(generic());
    pay_heap_t      *heap = pay_heap_create();
    pay_checkout_t   c;

    view.code = "declined_by_bank";
    view.attempt = 4;
    view.alias = "link-1";
    view.orders = "[" STORED("order-1", "1000", "FAILED", "\"declined\"") ","
                  STORED("order-2", "2000", "FAILED", "null") "]";
    cr_assert_eq(pay_checkout_decode(pay_heap_arena(heap),
                     view_columns(pay_heap_arena(heap), &view), &c), PAY_OK);

    cr_expect(pay_str_is(c.merchant_id, "acme"));
    cr_expect(pay_str_is(c.checkout_id, "c-1"));
    cr_expect(pay_str_is(c.checkout_uuid, REFERENCE));
    cr_expect(pay_str_is(c.psp, "generic"));
    cr_expect(pay_str_is(c.nonce, NONCE));
    cr_expect(pay_str_is(c.handle, HANDLE));
    cr_expect(pay_str_is(c.token, view.token));
    cr_expect(pay_str_is(c.alias, "link-1"));
    cr_expect(pay_str_is(c.hosted_url, view.hosted_url));
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
    pay_heap_destroy(heap);
}


Test(pay_op, decode_reads_what_became_of_the_money)
{
    view_t           view = view_registered(generic());
    pay_heap_t      *heap = pay_heap_create();
    pay_arena_t     *arena = pay_heap_arena(heap);
    pay_checkout_t   c;

    view.orders = "[" STORED_MONEY("o-1", "3000", "SUCCESS",
        "{\"manual\":true,\"authorized\":1,\"captured\":2,\"refunding\":3,"
        "\"refunded\":4,\"charged_back\":5,\"credit_currency\":\"EUR\","
        "\"credit_minor\":6,\"credit_rate\":\"0.92\","
        "\"credit_until\":\"2026-11-21T06:00:00Z\"}") "]";
    cr_assert_eq(pay_checkout_decode(arena, view_columns(arena, &view), &c),
                 PAY_OK);
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

    view.orders = "[" STORED_MONEY("o-1", "3000", "NOT_STARTED", "null") "]";
    cr_assert_eq(pay_checkout_decode(arena, view_columns(arena, &view), &c),
                 PAY_OK);
    cr_expect(!c.manual && c.orders[0].captured_minor == 0);
    cr_expect_null(c.orders[0].credit);
    pay_heap_destroy(heap);
}


Test(pay_op, money_that_breaks_the_promise_is_a_bug)
{
    size_t           i;
    view_t           view = view_registered(generic());
    pay_heap_t      *heap = pay_heap_create();
    pay_arena_t     *arena = pay_heap_arena(heap);
    pay_checkout_t   c;

    static const char *const  orders[] = {
        "[" STORED_MONEY("o", "3000", "SUCCESS", "{}") "]",
        "[" STORED_MONEY("o", "3000", "SUCCESS",
                         MONEY("true", "-1", "0", "0", "0", "0")) "]",
        "[" STORED_MONEY("o", "3000", "SUCCESS",
                         MONEY("true", "0", "1.5", "0", "0", "0")) "]",
        "[" STORED_MONEY("o", "3000", "SUCCESS",
            "{\"authorized\":1,\"captured\":2,\"refunding\":3,\"refunded\":4,"
            "\"charged_back\":5,\"credit_currency\":\"EUR\"}") "]",
        "[" STORED_MONEY("o", "3000", "SUCCESS",
            "{\"authorized\":1,\"captured\":2,\"refunding\":3,\"refunded\":4,"
            "\"charged_back\":5,\"credit_currency\":\"eur\","
            "\"credit_minor\":1}") "]"
    };

    for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        view.orders = orders[i];
        cr_expect_eq(pay_checkout_decode(arena, view_columns(arena, &view),
                                         &c), PAY_BUG, "%s", orders[i]);
    }

    pay_heap_destroy(heap);
}


Test(pay_op, null_is_legal_only_for_token_alias_url_and_code)
{
    unsigned         i;
    pay_heap_t      *heap = pay_heap_create();
    pay_checkout_t   c;

    for (i = 0; i < PAY_VIEW_COLUMNS; i++) {
        if (i == 12 || i == 13 || i == 15 || i == 17) {
            continue;                                      /* numbers */
        }

        cr_expect_eq(decode_damaged((damage_t) { i, NULL }, &c, heap),
                     i == 6 || i == 7 || i == 8 || i == 16 ? PAY_OK : PAY_BUG,
                     "column %u", i);
    }

    pay_heap_destroy(heap);
}


/* A broken row is our bug: never a storefront's, and never a state. */
Test(pay_op, a_row_that_breaks_the_promise_is_a_bug)
{
    size_t           i;
    pay_heap_t      *heap = pay_heap_create();
    pay_checkout_t   c;

    static const damage_t  rows[] = {
        { 11, "usd" }, { 11, "XXX" }, { 11, "" }, { 0, "" }, { 1, "" },
        { 4, "" }, { 5, "" }, { 18, "" }, { 18, "null" }, { 18, "[]" },
        { 18, "{}" }, { 18, "[1]" }, { 18, "[{}]" }, { 18, "[" },
        { 18, "[" STORED("o", "\"1\"", "FAILED", "null") "]" },
        { 18, "[" STORED("o", "1.5", "FAILED", "null") "]" },
        { 18, "[" STORED("o", "1", "PAID", "null") "]" },
        { 18, "[" STORED("o", "1", "failed", "null") "]" },
        { 18, "[{\"seller\":\"s\",\"amount\":1,\"status\":\"FAILED\"}]" },
        { 18, "[{\"id\":\"o\",\"amount\":1,\"status\":\"FAILED\"}]" }
    };

    for (i = 0; i < COUNT(rows); i++) {
        cr_expect_eq(decode_damaged(rows[i], &c, heap), PAY_BUG, "%u %s",
                     rows[i].column, rows[i].text);
    }

    pay_heap_destroy(heap);
}


Test(pay_op, more_orders_than_a_checkout_holds_are_a_bug)
{
    unsigned         i;
    pay_buf_t        buf;
    pay_str_t        text;
    pay_heap_t      *heap = pay_heap_create();
    pay_checkout_t   c;

    pay_buf_init(&buf, pay_heap_arena(heap), 65536);

    for (i = 0; i <= PAY_ORDERS_MAX; i++) {
        pay_buf_text(&buf, i ? "," : "[");
        pay_buf_text(&buf, STORED("o", "1", "FAILED", "null"));
    }

    pay_buf_text(&buf, "]");
    cr_assert_eq(pay_buf_done(&buf, &text), PAY_OK);
    cr_expect_eq(decode_damaged((damage_t) { 18, (const char *) text.data },
                                &c, heap), PAY_BUG);
    pay_heap_destroy(heap);
}


static pay_status_t
torture_decode(pay_arena_t *arena, void *result)
{
    view_t           view = view_registered(stripe());
    pay_heap_t      *rows = pay_heap_create();
    pay_checkout_t   checkout;
    pay_status_t     status;

    (void) result;

    view.code = "x";
    view.orders = "[" STORED("o", "3000", "FAILED", "\"declined\"") "]";
    status = pay_checkout_decode(arena,
                 view_columns(pay_heap_arena(rows), &view), &checkout);
    pay_heap_destroy(rows);

    return status;
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
        cr_expect_eq(pay_op_stage(money[i]), PAY_STAGE_LEDGER);
        cr_expect(pay_op_is_kept(money[i]));
    }

    cr_expect_eq(pay_op(PAY_OP_BEGIN_PAYMENT)->class, PAY_CLASS_INTAKE);
    cr_expect_eq(pay_op(PAY_OP_CLAIM_JOBS)->class, PAY_CLASS_JOBS);
}


Test(pay_op, the_first_operation_of_a_create_is_the_stage_key)
{
    unsigned  i, keys;

    for (i = 0, keys = 0; i < PAY_OP_COUNT; i++) {
        keys += pay_op_stage((pay_op_id_t) i) == PAY_STAGE_KEY;
    }

    cr_expect_eq(keys, 1);
    cr_expect_eq(pay_op_stage(PAY_OP_BEGIN_PAYMENT), PAY_STAGE_KEY);
    cr_expect_eq(pay_op_stage(PAY_OP_GET_ORDER), PAY_STAGE_NONE);
    cr_expect_eq(pay_op_stage(PAY_OP_GET_PAYMENT), PAY_STAGE_NONE);
    cr_expect_eq(pay_op_stage(PAY_OP_CLAIM_JOBS), PAY_STAGE_NONE);
}


Test(pay_op, what_only_reads_is_named_so)
{
    int          named;
    unsigned     i;
    const char  *name;

    for (i = 0; i < PAY_OP_COUNT; i++) {
        name = pay_op((pay_op_id_t) i)->name;
        named = strncmp(name, "get_", 4) == 0 || strncmp(name, "list_", 5) == 0
                || strncmp(name, "explain_", 8) == 0;
        cr_expect_eq(!!pay_op_only_reads((pay_op_id_t) i), named, "%s", name);
    }
}


Test(pay_op, reconciliation_is_taken_when_nothing_new_is)
{
    cr_expect(pay_op_is_kept(PAY_OP_CHECK_BOOKS));
    cr_expect(pay_op_is_kept(PAY_OP_END_BACKFILL));
    cr_expect(pay_op_is_kept(PAY_OP_FINISH_JOB));
    cr_expect_not(pay_op_is_kept(PAY_OP_CLAIM_JOBS));
    cr_expect_not(pay_op_is_kept(PAY_OP_BEGIN_PAYMENT));
    cr_expect_not(pay_op_is_kept(PAY_OP_GET_ORDER));
    cr_expect_not(pay_op_is_kept(PAY_OP_GET_PAYMENT));
}
