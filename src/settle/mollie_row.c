/*
 * Amounts and rows of a settlement of Mollie, for its parts and its periods.
 */

#include "settle/mollie.h"


/* With `rounded` the amount may have four decimals, as costs have; without it
 * a fraction of a minor unit is refused. */
pay_status_t
pay_settle_mollie_money(pay_settle_reader_t *reader, const pay_json_t *item,
    const char *member, const pay_currency_t **currency, int64_t *minor,
    int64_t *rounded)
{
    pay_str_t          code, value;
    const pay_json_t  *money = pay_json_get(item, member);

    if (pay_json_type(money) != PAY_JSON_OBJECT) {
        return pay_settle_refuse(reader, "member-missing", member,
                                 "an amount in this member");
    }

    PAY_TRY(pay_settle_need_string(reader, money, "currency", &code));
    PAY_TRY(pay_settle_currency(reader, member, code, currency));
    PAY_TRY(pay_settle_need_string(reader, money, "value", &value));

    if (rounded != NULL) {
        return pay_settle_amount_round(reader, &pay_settle_unit_mollie,
                                       member, value, *currency, minor,
                                       rounded);
    }

    return pay_settle_amount(reader, &pay_settle_unit_mollie, member, value,
                             *currency, minor);
}


/* The statement has no id before the end: parts may come before the settlement
 * that names it, so mollie_finish() writes it into all of them. */
pay_status_t
pay_settle_mollie_emit(pay_settle_reader_t *reader, mollie_t *state,
    const pay_currency_t *currency, pay_settle_row_t *row)
{
    pay_settle_statement_t  *statement;

    memcpy(row->currency, currency->code, sizeof(row->currency));
    row->payout_ref = pay_str_of(state->id);

    if (row->booked_on.len == 0) {
        row->booked_on = pay_str_of(state->day);
    }

    PAY_TRY(pay_settle_statement_of(reader, PAY_STR(""), PAY_STR(""),
                                    currency, &statement, &row->statement));

    return pay_settle_emit(reader, row);
}
