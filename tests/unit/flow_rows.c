/*
 * Rows that PostgreSQL would return, column by column, for tests of flows and
 * of what decodes them.
 */

#include "flow_driver.h"


static const char *const  one_registering =
    "[" STORED("order-1", "3000", "NOT_STARTED", "null") "]";
static const char *const  one_executing =
    "[" STORED("order-1", "3000", "EXECUTING", "null") "]";


view_t
view_of(const pay_psp_adapter_t *adapter)
{
    view_t  view = {
        "acme", "c-1", REFERENCE, adapter->name, NONCE, HANDLE, NULL, NULL,
        NULL, RETURN_URL, BASE, "USD", 3000, EXPIRES, "REGISTERING", 0, NULL, 1,
        one_registering
    };

    return view;
}


view_t
view_registered(const pay_psp_adapter_t *adapter)
{
    view_t  view = view_of(adapter);

    view.token = token_text(adapter);
    view.hosted_url = adapter == stripe()
                      ? "https://checkout.stripe.com/c/pay/cs_test_a1#frag"
                      : "https://pay.psp.example/p/reg_01JD8Z#top";
    view.registration = "REGISTERED";
    view.orders = one_executing;
    view.version = 3;

    return view;
}


order_row_t
order_registering(const pay_psp_adapter_t *adapter)
{
    view_t  view = view_of(adapter);

    return (order_row_t) {
        .checkout_id = view.checkout_id, .psp = view.psp,
        .handle = view.handle, .base_url = view.base_url,
        .expires_s = view.expires_s, .version = view.version, .id = "order-1",
        .seller = "seller-1", .currency = view.currency,
        .amount_minor = view.total_minor, .status = "NOT_STARTED"
    };
}


order_row_t
order_executing(const pay_psp_adapter_t *adapter)
{
    view_t       view = view_registered(adapter);
    order_row_t  row = order_registering(adapter);

    row.token = view.token;
    row.version = view.version;
    row.status = "EXECUTING";

    return row;
}


const pay_value_t *
order_columns(pay_arena_t *arena, const order_row_t *row)
{
    pay_value_t  *columns;

#define TEXT(s)   pay_value_opt(pay_str_of(s))
#define MINOR(n)  ((n) != 0 ? pay_value_int(n) : pay_value_null())

    const pay_value_t  all[PAY_ORDER_COLUMNS] = {
        TEXT(row->checkout_id), TEXT(row->psp), TEXT(row->handle),
        TEXT(row->token), TEXT(row->base_url), pay_value_int(row->expires_s),
        pay_value_int(row->version), TEXT(row->first_status), TEXT(row->id),
        TEXT(row->seller), TEXT(row->currency),
        pay_value_int(row->amount_minor), TEXT(row->status),
        TEXT(row->reason), MINOR(row->authorized_minor),
        MINOR(row->captured_minor), MINOR(row->refunding_minor),
        MINOR(row->refunded_minor), MINOR(row->charged_back_minor),
        TEXT(row->credit_currency),
        row->credit_currency ? pay_value_int(row->credit_minor)
                             : pay_value_null(),
        TEXT(row->credit_rate), TEXT(row->credit_until), TEXT(row->decline)
    };

#undef TEXT
#undef MINOR

    columns = pay_alloc(arena, sizeof(all));
    cr_assert_not_null(columns);
    memcpy(columns, all, sizeof(all));

    return columns;
}


change_row_t
change_of(const char *kind)
{
    change_row_t  row = {
        CHANGE_ID, kind, "order-1", "NOT_STARTED", 500, "USD", NULL, NULL,
        NULL, NULL, "2026-11-21T06:00:00.000Z", "2026-11-21T06:00:01.000Z",
        "pay_1"
    };

    return row;
}


const pay_value_t *
change_columns(pay_arena_t *arena, const change_row_t *row)
{
    unsigned      i;
    pay_value_t  *columns;

    const char *const  texts[PAY_CHANGE_COLUMNS] = {
        row->id, row->kind, row->order_id, row->status, NULL, row->currency,
        row->reason, row->code, row->reference, row->metadata,
        row->created_at, row->changed_at, row->payment_reference
    };

    columns = pay_calloc(arena, PAY_CHANGE_COLUMNS * sizeof(pay_value_t));
    cr_assert_not_null(columns);

    for (i = 0; i < PAY_CHANGE_COLUMNS; i++) {
        columns[i] = pay_value_opt(pay_str_of(texts[i]));
    }

    columns[4] = pay_value_int(row->amount_minor);

    return columns;
}


const pay_value_t *
view_columns(pay_arena_t *arena, const view_t *view)
{
    unsigned      i, n = 0;
    pay_value_t  *row;

    const char *const  head[] = {
        view->merchant_id, view->checkout_id, view->checkout_uuid, view->psp,
        view->nonce, view->handle, view->token, view->alias,
        view->hosted_url, view->return_url, view->base_url, view->currency
    };

    row = pay_calloc(arena, PAY_VIEW_COLUMNS * sizeof(pay_value_t));
    cr_assert_not_null(row);

    for (i = 0; i < sizeof(head) / sizeof(head[0]); i++) {
        row[n++] = pay_value_opt(pay_str_of(head[i]));
    }

    row[n++] = pay_value_int(view->total_minor);
    row[n++] = pay_value_int(view->expires_s);
    row[n++] = pay_value_opt(pay_str_of(view->registration));
    row[n++] = pay_value_int(view->attempt);
    row[n++] = pay_value_opt(pay_str_of(view->code));
    row[n++] = pay_value_int(view->version);
    row[n++] = pay_value_opt(pay_str_of(view->orders));
    cr_assert_eq(n, PAY_VIEW_COLUMNS);

    return row;
}
