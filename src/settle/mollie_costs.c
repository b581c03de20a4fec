/*
 * The costs of Mollie's settlements: a settlement that spans the end of a
 * month has two periods, each with a line for each method and kind of cost.
 */

#include "settle/mollie.h"


#define COSTS_PARTS  9

/* The place in {year: {month: {costs: […]}}}, for the key of a line. */
typedef struct {
    pay_settle_reader_t  *reader;
    mollie_t             *state;
    pay_str_t             year;
    pay_str_t             month;
} costs_t;


static pay_status_t costs_year(pay_str_t name, const pay_json_t *value,
    void *data);
static pay_status_t costs_month(pay_str_t name, const pay_json_t *value,
    void *data);
static pay_status_t costs_line(costs_t *costs, const pay_json_t *line);
static pay_status_t costs_amounts(costs_t *costs, const pay_json_t *line,
    pay_settle_row_t *row);
static pay_status_t costs_key(costs_t *costs, const pay_json_t *line,
    pay_settle_row_t *row);


pay_status_t
pay_settle_mollie_costs(pay_settle_reader_t *reader, mollie_t *state,
    const pay_json_t *periods)
{
    costs_t  costs = { reader, state, pay_string(""), pay_string("") };

    return pay_json_each(periods, costs_year, &costs);
}


/* The walk is by callbacks, since the names of members are data here. */
static pay_status_t
costs_year(pay_str_t name, const pay_json_t *value, void *data)
{
    costs_t  *costs = data;

    costs->year = name;

    return pay_json_each(value, costs_month, costs);
}


/* Each line begins with an empty scratch: its texts are joined there. */
static pay_status_t
costs_month(pay_str_t name, const pay_json_t *value, void *data)
{
    size_t             n;
    costs_t           *costs = data;
    const pay_json_t  *lines = pay_json_get(value, "costs");

    costs->month = name;

    for (n = 0; n < pay_json_size(lines); n++) {
        costs->reader->scratch_len = 0;
        PAY_TRY(costs_line(costs, pay_json_at(lines, n)));
    }

    return PAY_OK;
}


/* A cost is a row of kind fee, with the tax apart. */
static pay_status_t
costs_line(costs_t *costs, const pay_json_t *line)
{
    pay_settle_row_t  row;

    pay_settle_row_init(costs->reader, &row);
    row.kind = PAY_SETTLE_FEE;
    row.raw_type = PAY_STR("cost");
    row.note = pay_settle_clip(pay_settle_string(line, "description"));

    PAY_TRY(costs_amounts(costs, line, &row));
    PAY_TRY(costs_key(costs, line, &row));

    return pay_settle_mollie_emit(costs->reader, costs->state,
                                  costs->state->currency, &row);
}


/* Gross leaves the balance; the tax in it is kept apart.  Gross is rounded as
 * a whole and the tax for itself, so that the sum of a line is exact and only
 * the share may be a unit off. */
static pay_status_t
costs_amounts(costs_t *costs, const pay_json_t *line, pay_settle_row_t *row)
{
    int64_t                gross, tax = 0;
    mollie_t              *state = costs->state;
    const pay_currency_t  *currency;

    PAY_TRY(pay_settle_mollie_money(costs->reader, line, "amountGross",
                                    &currency, &gross, &state->rounded));

    if (currency == state->currency
        && pay_json_type(pay_json_get(line, "amountVat")) == PAY_JSON_OBJECT)
    {
        PAY_TRY(pay_settle_mollie_money(costs->reader, line, "amountVat",
                                        &currency, &tax, &state->rounded));
    }

    if (currency != state->currency) {
        return pay_settle_refuse(costs->reader, "currency-differs",
                                 "amountGross", "%s as the settlement",
                                 state->currency->code);
    }

    row->net_minor = -gross;
    row->tax_minor = -tax;
    row->fee_minor = row->net_minor - row->tax_minor;

    return PAY_OK;
}


/* Lines have no id: year, month, method and text name them, and a number tells
 * equal ones apart. */
static pay_status_t
costs_key(costs_t *costs, const pay_json_t *line, pay_settle_row_t *row)
{
    unsigned              n;
    pay_str_t             parts[COSTS_PARTS];
    pay_settle_reader_t  *reader = costs->reader;

    parts[0] = pay_str_of(costs->state->id);
    parts[1] = parts[3] = parts[5] = parts[7] = PAY_STR("/");
    parts[2] = costs->year;
    parts[4] = costs->month;
    parts[6] = pay_settle_string(line, "method");
    parts[8] = row->note;

    PAY_TRY(pay_settle_join(reader, "periods", PAY_SETTLE_KEY_MAX,
                            &row->row_key, parts, COSTS_PARTS));
    PAY_TRY(pay_settle_equal(reader, row->row_key, &n));

    parts[0] = row->row_key;
    PAY_TRY(pay_settle_number(reader, n, &parts[2]));

    return pay_settle_join(reader, "periods", PAY_SETTLE_KEY_MAX,
                           &row->row_key, parts, 3);
}
