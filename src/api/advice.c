/*
 * A remittance advice, from the JSON of PostgreSQL to the texts of its page.
 */

#include "pay_advice.h"
#include "pay_json.h"

#include <string.h>


#define LINE_VALUES  16                /* of a line, and some to spare */


static pay_status_t read_object(pay_arena_t *arena, const pay_json_t *json,
    pay_advice_t *advice);
static pay_status_t read_line(pay_arena_t *arena, const pay_json_t *line,
    size_t place, pay_advice_t *advice);
static pay_status_t read_text(pay_arena_t *arena, const pay_json_t *value,
    pay_str_t *text);


static const char *const  names[] = {
    [PAY_ADVICE_PAYOUT] = "payout_id",
    [PAY_ADVICE_STATE] = "state",
    [PAY_ADVICE_MERCHANT] = "merchant_id",
    [PAY_ADVICE_SELLER] = "seller_account",
    [PAY_ADVICE_CURRENCY] = "currency",
    [PAY_ADVICE_PROVIDER] = "provider",
    [PAY_ADVICE_ACCOUNT] = "account",
    [PAY_ADVICE_MADE_AT] = "made_at",
    [PAY_ADVICE_OPENING] = "opening",
    [PAY_ADVICE_SALES] = "sales",
    [PAY_ADVICE_REFUNDS] = "refunds",
    [PAY_ADVICE_DISPUTES] = "disputes",
    [PAY_ADVICE_FEES] = "fees",
    [PAY_ADVICE_RESERVE] = "reserve",
    [PAY_ADVICE_PAYOUTS] = "payouts",
    [PAY_ADVICE_ADJUSTMENTS] = "adjustments",
    [PAY_ADVICE_PAID] = "paid",
    [PAY_ADVICE_CLOSING] = "closing",
    [PAY_ADVICE_SHA256] = "sha256"
};
PAY_ROWS(names, PAY_ADVICE_VALUES);

/* paid is no text in JSON */
static const char *const  columns[] = {
    [PAY_ADVICE_LINE_AT] = "at",
    [PAY_ADVICE_LINE_PART] = "part",
    [PAY_ADVICE_LINE_KIND] = "kind",
    [PAY_ADVICE_LINE_ORDER] = "payment_order_id",
    [PAY_ADVICE_LINE_AMOUNT] = "amount",
    [PAY_ADVICE_LINE_PAID] = "paid"
};
PAY_ROWS(columns, PAY_ADVICE_COLUMNS);


const char *
pay_advice_name(pay_advice_value_t value)
{
    return names[value];
}


pay_status_t
pay_advice_read(pay_arena_t *arena, pay_str_t page, pay_advice_t *advice)
{
    pay_json_t    *json;
    pay_status_t   status;

    static const pay_json_limits_t  limits = {
        .max_size = 4 * 1024 * 1024,
        .max_width = PAY_ADVICE_LINES_MAX,
        .max_values = (PAY_ADVICE_LINES_MAX + 4) * LINE_VALUES
    };

    memset(advice, 0, sizeof(*advice));
    status = pay_json_parse(page, &limits, &json, NULL);

    if (status != PAY_OK) {
        return status == PAY_NO_MEMORY ? status : PAY_BUG;
    }

    status = read_object(arena, json, advice);
    pay_json_free(json);

    return status;
}


static pay_status_t
read_object(pay_arena_t *arena, const pay_json_t *json, pay_advice_t *advice)
{
    size_t             i;
    int64_t            next;
    const pay_json_t  *lines = pay_json_get(json, "lines");

    for (i = 0; i < PAY_ADVICE_VALUES; i++) {
        PAY_TRY(read_text(arena, pay_json_get(json, names[i]),
                          &advice->values[i]));
    }

    if (pay_json_type(lines) != PAY_JSON_ARRAY) {
        return PAY_BUG;
    }

    advice->lines = pay_json_size(lines);
    advice->has_more = pay_json_integer(pay_json_get(json, "next"), &next)
                       == PAY_OK;

    for (i = 0; i < PAY_ADVICE_COLUMNS; i++) {
        advice->columns[i] = pay_calloc(arena, (advice->lines + 1)
                                               * sizeof(pay_str_t));
        if (advice->columns[i] == NULL) {
            return PAY_NO_MEMORY;
        }
    }

    for (i = 0; i < advice->lines; i++) {
        PAY_TRY(read_line(arena, pay_json_at(lines, i), i, advice));
    }

    return PAY_OK;
}


static pay_status_t
read_line(pay_arena_t *arena, const pay_json_t *line, size_t place,
    pay_advice_t *advice)
{
    size_t             i;
    const pay_json_t  *value;

    for (i = 0; i < PAY_ADVICE_COLUMNS; i++) {
        value = pay_json_get(line, columns[i]);

        if (value == NULL) {
            return PAY_BUG;
        }

        if (i == PAY_ADVICE_LINE_PAID) {
            advice->columns[i][place] = pay_json_type(value) == PAY_JSON_TRUE
                                        ? PAY_STR("yes") : PAY_STR("no");

        } else if (pay_json_type(value) != PAY_JSON_NULL) {
            PAY_TRY(read_text(arena, value, &advice->columns[i][place]));
        }
    }

    return PAY_OK;
}


static pay_status_t
read_text(pay_arena_t *arena, const pay_json_t *value, pay_str_t *text)
{
    pay_str_t  slice;

    return pay_json_string(value, &slice) == PAY_OK
           ? pay_dup(arena, slice, text) : PAY_BUG;
}
