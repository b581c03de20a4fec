/*
 * Rows that PostgreSQL would return, for tests of flows and of what decodes
 * them; and the way from a row struct through PostgreSQL's format.
 */

#include "flow_driver.h"


#define CELLS_MAX  2048


/* As they lie in a row struct. */
typedef struct {
    const char  *first;
    size_t       count;
} rows_t;

/* What a test wants to be answered, cell by cell. */
typedef struct {
    pay_arena_t  *arena;
    pay_cell_t    cells[CELLS_MAX];
    unsigned      count;
    unsigned      columns;
} sheet_t;


static const pay_line_row_t  one_registering = {
    .place = 1, .order_id = pay_string("order-1"),
    .seller_account = pay_string("seller-1"),
    .order_minor = 3000, .order_status = pay_string("NOT_STARTED")
};
static const pay_line_row_t  one_executing = {
    .place = 1, .order_id = pay_string("order-1"),
    .seller_account = pay_string("seller-1"),
    .order_minor = 3000, .order_status = pay_string("EXECUTING")
};


pay_checkout_row_t
view_of(const pay_psp_adapter_t *adapter)
{
    return (pay_checkout_row_t) {
        .merchant_id = PAY_STR("acme"),
        .checkout_id = PAY_STR("c-1"),
        .checkout_uuid = PAY_STR(REFERENCE),
        .psp = pay_str_of(adapter->name),
        .nonce = PAY_STR(NONCE),
        .handle = PAY_STR(HANDLE),
        .return_url = PAY_STR(RETURN_URL),
        .base_url = PAY_STR(BASE),
        .currency = PAY_STR("USD"),
        .total_minor = 3000,
        .expires_s = EXPIRES,
        .registration_state = PAY_STR("REGISTERING"),
        .version = 1,
        .capture = PAY_STR("automatic"),
        .orders = &one_registering,
        .orders_count = 1
    };
}


pay_checkout_row_t
view_registered(const pay_psp_adapter_t *adapter)
{
    pay_checkout_row_t  view = view_of(adapter);

    view.token = pay_str_of(token_text(adapter));
    view.hosted_url = adapter == stripe()
                      ? PAY_STR("https://checkout.stripe.com/c/pay/"
                                "cs_test_a1#frag")
                      : PAY_STR("https://pay.psp.example/p/reg_01JD8Z#top");
    view.registration_state = PAY_STR("REGISTERED");
    view.orders = &one_executing;
    view.version = 3;

    return view;
}


pay_order_row_t
order_registering(const pay_psp_adapter_t *adapter)
{
    pay_checkout_row_t  view = view_of(adapter);

    return (pay_order_row_t) {
        .checkout_id = view.checkout_id, .psp = view.psp,
        .handle = view.handle, .base_url = view.base_url,
        .expires_s = view.expires_s, .version = view.version,
        .currency = view.currency, .line = one_registering
    };
}


pay_order_row_t
order_executing(const pay_psp_adapter_t *adapter)
{
    pay_checkout_row_t  view = view_registered(adapter);
    pay_order_row_t     row = order_registering(adapter);

    row.token = view.token;
    row.version = view.version;
    row.line.order_status = PAY_STR("EXECUTING");

    return row;
}


pay_change_row_t
change_of(const char *kind)
{
    return (pay_change_row_t) {
        .change_id = PAY_STR(CHANGE_ID),
        .change_kind = pay_str_of(kind),
        .payment_order_id = PAY_STR("order-1"),
        .change_status = PAY_STR("NOT_STARTED"),
        .amount_minor = 500,
        .change_currency = PAY_STR("USD"),
        .created_at = PAY_STR("2026-11-21T06:00:00.000Z"),
        .changed_at = PAY_STR("2026-11-21T06:00:01.000Z"),
        .payment_reference = PAY_STR("pay_1")
    };
}


pay_change_row_t
change_with(const char *kind, const pay_checkout_row_t *checkout)
{
    pay_change_row_t  row = change_of(kind);

    row.checkout = *checkout;

    return row;
}


static void
put_cell(sheet_t *sheet, const void *data, size_t len)
{
    unsigned char  *copy = pay_alloc(sheet->arena, len + 1);

    cr_assert(copy != NULL && sheet->count < CELLS_MAX);

    if (len != 0) {
        memcpy(copy, data, len);
    }

    sheet->cells[sheet->count++] = (pay_cell_t) { copy, len, 0 };
}


static void
put_null(sheet_t *sheet)
{
    cr_assert_lt(sheet->count, CELLS_MAX);
    sheet->cells[sheet->count++] = (pay_cell_t) { NULL, 0, 1 };
}


static void
put_number(sheet_t *sheet, int64_t number, size_t size)
{
    size_t         i;
    unsigned char  data[8];

    for (i = 0; i < size; i++) {
        data[i] = (unsigned char) ((uint64_t) number >> (8 * (size - 1 - i)));
    }

    put_cell(sheet, data, size);
}


static size_t
size_of(const pay_field_t *field)
{
    switch (field->type) {

    case PAY_SUB:
        return field->shape->size;

    case PAY_ROWS:
        return sizeof(rows_t);

    case PAY_INT:
        return field->may_be_null ? sizeof(pay_int_t) : sizeof(int64_t);

    default:
        return sizeof(pay_str_t);
    }
}


/* All of its own columns are zero: the shape is not there. */
static int
is_empty(const pay_shape_t *shape, const char *from)
{
    size_t    k, size;
    unsigned  i;

    for (i = 0; i < shape->field_count; i++, from += size) {
        size = size_of(&shape->fields[i]);

        if (shape->fields[i].shape != NULL) {
            continue;
        }

        for (k = 0; k < size; k++) {
            if (from[k] != 0) {
                return 0;
            }
        }
    }

    return 1;
}


static const char *
put_field(sheet_t *sheet, const pay_field_t *field, const char *from,
    int is_there)
{
    size_t     size;
    pay_int_t  some = { 0, 1 };
    pay_str_t  text;

    if (field->type != PAY_INT) {
        memcpy(&text, from, sizeof(text));

        if (text.data == NULL) {
            put_null(sheet);

        } else {
            put_cell(sheet, text.data, text.len);
        }

        return from + sizeof(text);
    }

    size = size_of(field);
    memcpy(&some, from, size);

    if (is_there && some.is_set) {
        put_number(sheet, some.number, 8);

    } else {
        put_null(sheet);
    }

    return from + size;
}


/* A text without bytes is NULL.  Of rows the n-th goes there; *count becomes
 * how many there are. */
static const char *
put_shape(sheet_t *sheet, const pay_shape_t *shape, const char *from, size_t n,
    size_t *count)
{
    int                 is_there = !is_empty(shape, from);
    rows_t              rows;
    unsigned            i;
    const pay_field_t  *field;

    static const char  none[512];

    for (i = 0; i < shape->field_count; i++) {
        field = &shape->fields[i];

        if (field->type == PAY_SUB) {
            from = put_shape(sheet, field->shape, from, n, count);

        } else if (field->type == PAY_ROWS) {
            memcpy(&rows, from, sizeof(rows));
            from += sizeof(rows);
            *count = rows.count;
            (void) put_shape(sheet, field->shape,
                             n < rows.count
                             ? rows.first + n * field->shape->size : none, 0,
                             count);

        } else {
            from = put_field(sheet, field, from, is_there);
        }
    }

    return from;
}


static pay_cell_t
sheet_cell(const void *rows, unsigned row, unsigned column)
{
    const sheet_t  *sheet = rows;

    return sheet->cells[row * sheet->columns + column];
}


pay_result_t
result_of(pay_arena_t *arena, pay_op_id_t id, pay_outcome_t outcome,
    const void *row)
{
    size_t           n, count = 1;
    sheet_t         *sheet = pay_calloc(arena, sizeof(sheet_t));
    const char      *word = pay_outcome_word(outcome);
    pay_table_t      table = { sheet, 0, 0, sheet_cell };
    pay_result_t     result;
    pay_column_t     columns[PAY_OP_COLUMNS_MAX];
    const pay_op_t  *op = pay_op(id);

    static const char  none[1024];

    cr_assert_not_null(sheet);
    sheet->arena = arena;
    sheet->columns = table.column_count = 2 + pay_op_columns(op, columns);

    for (n = 0; n == 0 || n < count; n++) {
        put_number(sheet, 1, 4);
        put_cell(sheet, word, strlen(word));

        if (op->row != NULL) {
            cr_assert_leq(op->row->size, sizeof(none));
            (void) put_shape(sheet, op->row, row == NULL ? none : row, n,
                             &count);
        }

        table.row_count++;
    }

    (void) (pay_op_decode(arena, op, &table, &result, 1) == PAY_OK);

    return result;
}


/* Of [STORED(…)], kept for as long as the tests run. */
static void
read_line(pay_arena_t *arena, const pay_json_t *json, pay_line_row_t *line,
    pay_checkout_row_t *view)
{
    int64_t            number;
    unsigned           i;
    pay_str_t          text;
    const pay_json_t  *money = pay_json_get(json, "money"), *value;

    const struct {
        const pay_json_t  *in;
        const char        *name;
        pay_str_t         *to;
    } texts[] = {
        { json, "id", &line->order_id },
        { json, "seller", &line->seller_account },
        { json, "status", &line->order_status },
        { json, "reason", &line->order_reason },
        { money, "credit_currency", &line->credit_currency },
        { money, "credit_rate", &line->credit_rate },
        { money, "credit_until", &line->credit_until }
    };
    const struct {
        const char  *name;
        pay_int_t   *to;
    } numbers[] = {
        { "authorized", &line->authorized_minor },
        { "captured", &line->captured_minor },
        { "refunding", &line->refunding_minor },
        { "refunded", &line->refunded_minor },
        { "charged_back", &line->charged_back_minor },
        { "credit_minor", &line->credit_minor }
    };

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (pay_json_string(pay_json_get(texts[i].in, texts[i].name), &text)
            == PAY_OK)
        {
            cr_assert_eq(pay_dup(arena, text, texts[i].to), PAY_OK);
        }
    }

    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (pay_json_integer(pay_json_get(money, numbers[i].name), &number)
            == PAY_OK)
        {
            *numbers[i].to = pay_maybe(number != 0, number);
        }
    }

    cr_assert_eq(pay_json_integer(pay_json_get(json, "amount"),
                                  &line->order_minor), PAY_OK);

    value = pay_json_get(money, "decline");
    if (pay_json_type(value) == PAY_JSON_OBJECT) {
        cr_assert_eq(pay_json_write(arena, value, &line->decline), PAY_OK);
    }

    if (pay_json_is_true(pay_json_get(money, "manual"))) {
        view->capture = PAY_STR("manual");
    }
}


void
set_orders(pay_checkout_row_t *view, const char *stored)
{
    size_t           i;
    pay_json_t      *json;
    pay_line_row_t  *lines;

    static pay_heap_t  *heap;

    if (heap == NULL) {
        heap = pay_heap_create();
        cr_assert_not_null(heap);
    }

    cr_assert_eq(pay_json_parse(pay_str_of(stored), NULL, &json, NULL), PAY_OK,
                 "%s", stored);
    view->orders_count = pay_json_size(json);
    view->capture = PAY_STR("automatic");
    lines = pay_calloc(pay_heap_arena(heap),
                       (view->orders_count + 1) * sizeof(pay_line_row_t));
    cr_assert_not_null(lines);

    for (i = 0; i < view->orders_count; i++) {
        read_line(pay_heap_arena(heap), pay_json_at(json, i), &lines[i], view);
        lines[i].place = (int64_t) i + 1;
    }

    view->orders = lines;
    pay_json_free(json);
}
