/*
 * Lists for finance as CSV (RFC 4180): a column for each member, in the order
 * of the JSON.  Texts come from PSPs and banks, and none of them is a formula
 * (pay_csv.h).  Amounts and counts stay numbers, negative ones, too.
 */

#include "pay_advice.h"
#include "pay_csv.h"
#include "pay_finance.h"
#include "pay_json.h"


#define COLUMNS_MAX  32

typedef struct {
    const char  *name;
    int          is_number;
} column_t;

typedef struct {
    const char      *member;           /* that holds the items; NULL: the whole
                                          is one item */
    const column_t  *columns;
} table_t;


static const table_t *find_table(const pay_finance_query_t *query);
static pay_status_t add_item(pay_arena_t *arena, const table_t *table,
    const pay_json_t *item, pay_buf_t *buf);
static pay_status_t add_value(pay_arena_t *arena, const pay_json_t *value,
    int is_number, pay_buf_t *buf);
static pay_status_t add_totals(pay_arena_t *arena, const pay_json_t *json,
    pay_buf_t *buf);


static const column_t  file_columns[] = {
    { "file_id", 1 }, { "source", 0 }, { "psp", 0 }, { "medium", 0 },
    { "format", 0 }, { "name", 0 }, { "sha256", 0 }, { "batch_key", 0 },
    { "version", 1 }, { "state", 0 }, { "reason", 0 }, { "received_at", 0 },
    { "changed_at", 0 }, { "rows", 1 }, { "matched", 1 }, { "class1", 1 },
    { "class2", 1 }, { "class3", 1 }, { "repeats", 1 }, { NULL, 0 }
};

static const column_t  row_columns[] = {
    { "row_id", 1 }, { "source", 0 }, { "psp", 0 }, { "file_id", 1 },
    { "line", 1 }, { "row_key", 0 }, { "version", 1 }, { "kind", 0 },
    { "raw_type", 0 }, { "psp_ref", 0 }, { "parent_ref", 0 }, { "our_ref", 0 },
    { "occurred_at", 0 }, { "booked_on", 0 }, { "payout_ref", 0 },
    { "bank_ref", 0 },
    { "checkout_id", 0 }, { "currency", 0 }, { "gross", 1 }, { "fee", 1 },
    { "tax", 1 }, { "net", 1 }, { "class", 1 }, { "finding", 0 },
    { "playbook", 0 }, { "state", 0 }, { "rule", 0 }, { "match_id", 1 },
    { "exception_id", 1 }, { "at", 0 }, { "note", 0 }, { NULL, 0 }
};

static const column_t  exception_columns[] = {
    { "exception_id", 1 }, { "class", 1 }, { "finding", 0 }, { "playbook", 0 },
    { "state", 0 }, { "psp", 0 }, { "source", 0 }, { "file_id", 1 },
    { "row_key", 0 }, { "kind", 0 }, { "entry", 0 }, { "entry_kind", 0 },
    { "checkout_id", 0 }, { "payment_order_id", 0 }, { "psp_ref", 0 },
    { "parent_ref", 0 }, { "our_ref", 0 }, { "currency", 0 }, { "amount", 1 },
    { "proposed", 0 }, { "opened_at", 0 }, { "closed_at", 0 },
    { "closed_as", 0 }, { "act", 0 }, { "act_state", 0 }, { "who", 0 },
    { "why", 0 }, { NULL, 0 }
};

static const column_t  close_columns[] = {
    { "number", 1 }, { "day", 0 }, { "made_at", 0 }, { "until", 0 },
    { "sha256", 0 }, { "previous", 0 }, { "key_id", 0 }, { "signature", 0 },
    { NULL, 0 }
};

static const column_t  line_columns[] = {
    { "psp", 0 }, { "currency", 0 }, { "item", 0 }, { "count", 1 },
    { "amount", 1 }, { NULL, 0 }
};

static const column_t  ageing_columns[] = {
    { "psp", 0 }, { "currency", 0 }, { "family", 0 }, { "days", 0 },
    { "entries", 1 }, { "amount", 1 }, { "overdue", 1 }, { "oldest_at", 0 },
    { "counted_at", 0 }, { NULL, 0 }
};

static const column_t  balance_columns[] = {
    { "source", 0 }, { "psp", 0 }, { "currency", 0 }, { "looked_at", 0 },
    { "available", 1 }, { "pending", 1 }, { "reserved", 1 }, { "ledger", 1 },
    { "difference", 1 }, { "accepted", 1 }, { "lowest", 1 }, { "highest", 1 },
    { "verdict", 0 }, { "exception_id", 1 }, { NULL, 0 }
};

static const column_t  payout_columns[] = {
    { "payout_id", 0 }, { "state", 0 }, { "reason", 0 },
    { "seller_account", 0 }, { "currency", 0 }, { "amount", 1 },
    { "left", 1 }, { "lines", 1 }, { "provider", 0 }, { "destination_id", 0 },
    { "destination_version", 1 }, { "account", 0 }, { "batch_id", 0 },
    { "provider_key", 0 }, { "provider_ref", 0 }, { "proof", 0 },
    { "made_by", 0 }, { "created_at", 0 }, { "changed_at", 0 }, { NULL, 0 }
};

static const column_t  batch_columns[] = {
    { "batch_id", 0 }, { "state", 0 }, { "provider", 0 }, { "currency", 0 },
    { "amount", 1 }, { "item_count", 1 }, { "hash", 0 }, { "made_by", 0 },
    { "made_at", 0 }, { "approvals", 0 }, { "approvals_missing", 1 },
    { "approved_at", 0 }, { "until", 0 }, { "send_at", 0 }, { NULL, 0 }
};

/* of one batch */
static const column_t  batch_item_columns[] = {
    { "payout_id", 0 }, { "state", 0 }, { "seller_account", 0 },
    { "amount", 1 }, { "account", 0 }, { "account_state", 0 },
    { "entered_by", 0 }, { "made_by", 0 }, { NULL, 0 }
};

static const column_t  destination_columns[] = {
    { "destination_id", 0 }, { "seller_account", 0 }, { "currency", 0 },
    { "state", 0 }, { "version", 1 }, { "provider", 0 }, { "kind", 0 },
    { "country", 0 }, { "account", 0 }, { "entered_by", 0 },
    { "entered_at", 0 }, { "usable_from", 0 }, { "returns", 1 }, { NULL, 0 }
};

/* of an advice, whose sums come first: they have the first four of them */
static const column_t  advice_columns[] = {
    { "part", 0 }, { "kind", 0 }, { "amount", 1 }, { "currency", 0 },
    { "line", 1 }, { "at", 0 }, { "payment_order_id", 0 }, { "new", 0 },
    { "paid", 0 }, { NULL, 0 }
};

/* of a page, and of one item */
static const table_t  tables[PAY_FINANCE_LISTS][2] = {
    [PAY_FINANCE_FILES] = { { "files", file_columns }, { NULL, file_columns } },
    [PAY_FINANCE_ROWS] = { { "rows", row_columns }, { NULL, row_columns } },
    [PAY_FINANCE_EXCEPTIONS] = { { "exceptions", exception_columns },
                                 { NULL, exception_columns } },
    [PAY_FINANCE_CLOSES] = { { "closes", close_columns },
                             { "lines", line_columns } },
    [PAY_FINANCE_AGEING] = { { "ageing", ageing_columns },
                             { NULL, ageing_columns } },
    [PAY_FINANCE_BALANCES] = { { "balances", balance_columns },
                               { NULL, balance_columns } },
    [PAY_FINANCE_PAYOUTS] = { { "payouts", payout_columns },
                              { NULL, payout_columns } },
    [PAY_FINANCE_BATCHES] = { { "batches", batch_columns },
                              { "items", batch_item_columns } },
    [PAY_FINANCE_DESTINATIONS] = { { "destinations", destination_columns },
                                   { NULL, destination_columns } },
    [PAY_FINANCE_ADVICE] = { { "lines", advice_columns },
                             { NULL, advice_columns } }
};


void
pay_finance_csv_head(const pay_finance_query_t *query, pay_buf_t *buf)
{
    const column_t  *column;

    for (column = find_table(query)->columns; column->name != NULL; column++) {
        if (column != find_table(query)->columns) {
            pay_buf_text(buf, ",");
        }

        pay_buf_text(buf, column->name);
    }

    pay_buf_text(buf, "\r\n");
}


pay_status_t
pay_finance_csv_rows(pay_arena_t *arena, const pay_finance_query_t *query,
    pay_str_t page, pay_buf_t *buf, size_t *rows, pay_int_t *next)
{
    size_t             i, count = 1;
    pay_json_t        *json;
    pay_status_t       status = PAY_OK;
    const table_t     *table = find_table(query);
    const pay_json_t  *items;

    static const pay_json_limits_t  limits = {
        .max_size = PAY_EXPORT_SIZE_MAX,
        .max_width = PAY_EXPORT_ROWS_MAX,
        .max_values = PAY_EXPORT_PAGE * (COLUMNS_MAX + 16)
    };

    status = pay_json_parse(page, &limits, &json, NULL);
    if (status != PAY_OK) {
        return status == PAY_NO_MEMORY ? status : PAY_BUG;
    }

    items = table->member != NULL ? pay_json_get(json, table->member) : json;

    if (table->member != NULL) {
        count = pay_json_size(items);
        status = pay_json_type(items) == PAY_JSON_ARRAY ? PAY_OK : PAY_BUG;
    }

    if (status == PAY_OK && query->list == PAY_FINANCE_ADVICE
        && !query->before.is_set)
    {
        status = add_totals(arena, json, buf);
    }

    for (i = 0; i < count && status == PAY_OK; i++) {
        status = add_item(arena, table, table->member != NULL
                                        ? pay_json_at(items, i) : items, buf);
    }

    memset(next, 0, sizeof(*next));
    next->is_set = pay_json_integer(pay_json_get(json, "next"), &next->number)
                   == PAY_OK;
    *rows += count;
    pay_json_free(json);

    return status;
}


static const table_t *
find_table(const pay_finance_query_t *query)
{
    return &tables[query->list][query->is_one != 0];
}


static pay_status_t
add_item(pay_arena_t *arena, const table_t *table, const pay_json_t *item,
    pay_buf_t *buf)
{
    const column_t  *column;

    for (column = table->columns; column->name != NULL; column++) {
        if (column != table->columns) {
            pay_buf_text(buf, ",");
        }

        PAY_TRY(add_value(arena, pay_json_get(item, column->name),
                          column->is_number, buf));
    }

    pay_buf_text(buf, "\r\n");

    return PAY_OK;
}


/* A row for each sum, on the first page. */
static pay_status_t
add_totals(pay_arena_t *arena, const pay_json_t *json, pay_buf_t *buf)
{
    unsigned  value;

    for (value = PAY_ADVICE_OPENING; value <= PAY_ADVICE_CLOSING; value++) {
        pay_buf_text(buf, "\"total\",\"");
        pay_buf_text(buf, pay_advice_name((pay_advice_value_t) value));
        pay_buf_text(buf, "\",");
        PAY_TRY(add_value(arena, pay_json_get(json, pay_advice_name(
                          (pay_advice_value_t) value)), 1, buf));
        pay_buf_text(buf, ",");
        PAY_TRY(add_value(arena, pay_json_get(json, "currency"), 0, buf));
        pay_buf_text(buf, ",,,,,\r\n");
    }

    return PAY_OK;
}


static pay_status_t
add_value(pay_arena_t *arena, const pay_json_t *value, int wants_number,
    pay_buf_t *buf)
{
    int64_t    number;
    pay_str_t  text;

    if (value == NULL) {
        return PAY_BUG;                /* a member that SQL has not */
    }

    if (pay_json_type(value) == PAY_JSON_NULL) {
        return PAY_OK;
    }

    if (pay_json_integer(value, &number) == PAY_OK) {
        pay_buf_int(buf, number);
        return PAY_OK;
    }

    if (pay_json_string(value, &text) != PAY_OK) {
        PAY_TRY(pay_json_write(arena, value, &text));
    }

    if (wants_number && pay_csv_is_number(text)) {
        pay_buf_add(buf, text);
    } else {
        pay_csv_text(text, buf);
    }

    return PAY_OK;
}
