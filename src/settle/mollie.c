/*
 * Mollie's settlements: the settlement object and the pages of its payments,
 * refunds, chargebacks and captures, one answer after the other.  Amounts are
 * decimal texts; costs have four decimals, per method and month, and their
 * tax apart, so each is rounded and the rest of their sum is a row.
 *
 * The objects, in any order, as one file:
 *
 *    settlement stl_… (amount, periods with costs) ─▶ fees, the payout
 *    payments, refunds, chargebacks, captures ─────▶ a row each
 *
 * Shortened (tests/fixtures/settle/mollie/settlement.json):
 *
 *    {"resource":"settlement","id":"stl_…","reference":"1182161.1506.02",
 *     "amount":{"currency":"EUR","value":"6.12"},"periods":{"2026":{"11":
 *     {"costs":[{"method":"ideal","amountVat":{"value":"0.0735"},
 *      "amountGross":{"value":"0.4235"}}], …}, …}}}
 *    {"_embedded":{"payments":[{"id":"tr_1","settlementAmount":{…}, …}]},
 *     "_links":{"next":null}}
 *
 * The arithmetic: 12.00 - 5.03 less the costs, each rounded (0.42, 0.30,
 * 0.13), is 6.12; a rest of the rounding is a row of its own.
 */

#include "settle/mollie.h"


/* The lists, by which a page is recognised. */
enum {
    MOLLIE_PAYMENTS = 0, MOLLIE_REFUNDS, MOLLIE_CHARGEBACKS, MOLLIE_CAPTURES,
    MOLLIE_LISTS
};


static pay_status_t mollie_item(pay_settle_reader_t *reader, const char *list,
    const pay_json_t *item);
static pay_status_t mollie_amounts(pay_settle_reader_t *reader,
    const pay_json_t *item, unsigned list, const pay_currency_t **currency,
    pay_settle_row_t *row);
static pay_status_t mollie_texts(pay_settle_reader_t *reader,
    const pay_json_t *item, pay_settle_row_t *row);
static pay_status_t mollie_document(pay_settle_reader_t *reader,
    const pay_json_t *rest);
static pay_status_t mollie_settlement(pay_settle_reader_t *reader,
    const pay_json_t *object);
static pay_status_t mollie_finish(pay_settle_reader_t *reader);
static pay_status_t mollie_rounding(pay_settle_reader_t *reader,
    mollie_t *state, int64_t rest);


static const char *const  mollie_lists[] = {
    [MOLLIE_PAYMENTS] = "payments",
    [MOLLIE_REFUNDS] = "refunds",
    [MOLLIE_CHARGEBACKS] = "chargebacks",
    [MOLLIE_CAPTURES] = "captures",
    [MOLLIE_LISTS] = NULL
};
PAY_ROWS(mollie_lists, MOLLIE_LISTS + 1);

/* The resource of an entry of each list. */
static const char *const  mollie_resources[] = {
    [MOLLIE_PAYMENTS] = "payment",
    [MOLLIE_REFUNDS] = "refund",
    [MOLLIE_CHARGEBACKS] = "chargeback",
    [MOLLIE_CAPTURES] = "capture"
};
PAY_ROWS(mollie_resources, MOLLIE_LISTS);

static const pay_settle_kind_t  mollie_kinds[] = {
    [MOLLIE_PAYMENTS] = PAY_SETTLE_SALE,
    [MOLLIE_REFUNDS] = PAY_SETTLE_REFUND,
    [MOLLIE_CHARGEBACKS] = PAY_SETTLE_DISPUTE,
    [MOLLIE_CAPTURES] = PAY_SETTLE_SALE
};
PAY_ROWS(mollie_kinds, MOLLIE_LISTS);

const pay_settle_format_t  pay_settle_mollie = {
    .name = "mollie",
    .medium = "json",
    .lexer = &pay_settle_json,
    .state_size = sizeof(mollie_t),
    .lists = mollie_lists,
    .inside = "_embedded",
    .item = mollie_item,
    .document = mollie_document,
    .finish = mollie_finish
};


/* Lists are compared by name, since the lexer hands over the format's own
 * literal. */
static pay_status_t
mollie_item(pay_settle_reader_t *reader, const char *list,
    const pay_json_t *item)
{
    unsigned                n = 0;
    mollie_t               *state = reader->state;
    pay_settle_row_t        row;
    const pay_currency_t   *currency;

    while (strcmp(list, mollie_lists[n]) != 0) {
        n++;
    }

    pay_settle_row_init(reader, &row);
    row.kind = mollie_kinds[n];

    PAY_TRY(mollie_amounts(reader, item, n, &currency, &row));
    PAY_TRY(mollie_texts(reader, item, &row));

    if (!pay_str_is(row.raw_type, mollie_resources[n])) {
        row.kind = PAY_SETTLE_UNKNOWN;
    }

    return pay_settle_mollie_emit(reader, state, currency, &row);
}


/* settlementAmount is signed by Mollie for refunds and chargebacks; a positive
 * one would be read as money that comes in, so it is refused. */
static pay_status_t
mollie_amounts(pay_settle_reader_t *reader, const pay_json_t *item,
    unsigned list, const pay_currency_t **currency, pay_settle_row_t *row)
{
    int64_t                paid;
    const pay_currency_t  *other;

    PAY_TRY(pay_settle_mollie_money(reader, item, "settlementAmount", currency,
                                    &row->gross_minor, NULL));

    if ((list == MOLLIE_REFUNDS || list == MOLLIE_CHARGEBACKS)
        && row->gross_minor > 0)
    {
        return pay_settle_refuse(reader, "amount-invalid", "settlementAmount",
                                 "an amount below 0");
    }

    row->net_minor = row->gross_minor;

    PAY_TRY(pay_settle_mollie_money(reader, item, "amount", &other, &paid,
                                    NULL));

    if (other != *currency) {
        memcpy(row->paid_currency, other->code, sizeof(row->paid_currency));
        row->paid_minor = (row->gross_minor < 0 && paid > 0) ? -paid : paid;
    }

    return PAY_OK;
}


/* paymentId is absent in payments, which are their own parent. */
static pay_status_t
mollie_texts(pay_settle_reader_t *reader, const pay_json_t *item,
    pay_settle_row_t *row)
{
    pay_str_t  created;

    PAY_TRY(pay_settle_need_string(reader, item, "id", &row->row_key));
    PAY_TRY(pay_settle_need_string(reader, item, "resource", &row->raw_type));
    PAY_TRY(pay_settle_need_string(reader, item, "createdAt", &created));
    PAY_TRY(pay_settle_occurred(reader, "createdAt", created, PAY_STR(""),
                                row));

    row->psp_ref = row->row_key;
    row->parent_ref = pay_settle_string(item, "paymentId");
    row->our_ref = pay_settle_string(pay_json_get(item, "metadata"),
                                     MOLLIE_METADATA);
    row->note = pay_settle_clip(pay_settle_string(item, "description"));

    if (row->parent_ref.len == 0) {
        row->parent_ref = row->psp_ref;
    }

    return PAY_OK;
}


/* A page must hold exactly one of the known lists: another object in the file
 * is a mistake that must not pass unread.  A "next" link says that pages are
 * missing. */
static pay_status_t
mollie_document(pay_settle_reader_t *reader, const pay_json_t *rest)
{
    unsigned           n, known = 0;
    mollie_t          *state = reader->state;
    const pay_json_t  *inside, *next;

    if (pay_str_is(pay_settle_string(rest, "resource"), "settlement")) {
        return mollie_settlement(reader, rest);
    }

    inside = pay_json_get(rest, "_embedded");
    next = pay_json_path(rest, "_links", "next", NULL);

    for (n = 0; n < MOLLIE_LISTS; n++) {
        if (pay_json_type(pay_json_get(inside, mollie_lists[n]))
            == PAY_JSON_ARRAY)
        {
            known++;
            state->has_more[n] = pay_json_type(next) != PAY_JSON_NULL;
        }
    }

    if (known != 1) {
        return pay_settle_refuse(reader, "object-unknown", "_embedded",
                                 "a settlement, or one of its payments, "
                                 "refunds, chargebacks and captures");
    }

    return PAY_OK;
}


/* A settlement that is still open changes daily; its rows would be booked and
 * never come to its amount. */
static pay_status_t
mollie_settlement(pay_settle_reader_t *reader, const pay_json_t *object)
{
    mollie_t           *state = reader->state;
    pay_settle_when_t   when;

    if (state->currency != NULL) {
        return pay_settle_refuse(reader, "payout-doubled", "id",
                                 "one settlement and its parts");
    }

    PAY_TRY(pay_settle_keep_member(reader, object, "id", state->id,
                                   sizeof(state->id)));
    PAY_TRY(pay_settle_keep_member(reader, object, "reference",
                                   state->reference,
                                   sizeof(state->reference)));

    /* "open" and "next" move on, and so does one that is not closed */
    if (!pay_settle_starts(pay_str_of(state->id), "stl_")
        || pay_str_is(pay_settle_string(object, "status"), "open"))
    {
        return pay_settle_refuse(reader, "not-closed", "status",
                                 "a settlement that has been closed");
    }

    PAY_TRY(pay_settle_mollie_money(reader, object, "amount",
                                    &state->currency, &state->amount,
                                    &state->rounded));
    PAY_TRY(pay_settle_keep_member(reader, object,
                                   pay_settle_string(object, "settledAt").len
                                   != 0 ? "settledAt" : "createdAt",
                                   state->settled, sizeof(state->settled)));

    if (pay_settle_when(pay_str_of(state->settled), &when) != PAY_OK) {
        return pay_settle_refuse(reader, "time-invalid", "settledAt",
                                 "a time such as 2026-11-20T10:00:00+00:00");
    }

    memcpy(state->day, when.day, sizeof(state->day));

    return pay_settle_mollie_costs(reader, state,
                                   pay_json_get(object, "periods"));
}


/* The rest between the settlement's amount and its parts may be at most one
 * minor unit for each amount that was rounded, and then becomes a row of its
 * own; anything more is left for the proof to refuse. */
static pay_status_t
mollie_finish(pay_settle_reader_t *reader)
{
    int64_t                  rest;
    unsigned                 n, index;
    mollie_t                *state = reader->state;
    pay_settle_row_t         row;
    pay_settle_statement_t  *statement;

    if (state->currency == NULL) {
        return pay_settle_refuse(reader, "payout-missing", "settlement",
                                 "the settlement of these parts");
    }

    for (n = 0; n < MOLLIE_LISTS; n++) {
        if (state->has_more[n]) {
            return pay_settle_refuse(reader, "pages-missing", mollie_lists[n],
                                     "pages up to the last");
        }
    }

    PAY_TRY(pay_settle_statement_of(reader, PAY_STR(""), PAY_STR(""),
                                    state->currency, &statement, &index));

    rest = state->amount;
    PAY_TRY(pay_settle_add(reader, &rest, -statement->net));
    reader->scratch_len = 0;

    if (rest != 0 && rest <= state->rounded && rest >= -state->rounded) {
        PAY_TRY(mollie_rounding(reader, state, rest));
    }

    pay_settle_row_init(reader, &row);
    row.kind = PAY_SETTLE_PAYOUT;
    row.raw_type = PAY_STR("settlement");
    row.row_key = pay_str_of(state->id);
    row.psp_ref = pay_str_of(state->id);
    row.bank_ref = pay_str_of(state->reference);
    row.gross_minor = -state->amount;
    row.net_minor = -state->amount;
    PAY_TRY(pay_settle_occurred(reader, "settledAt",
                                pay_str_of(state->settled), PAY_STR(""),
                                &row));
    PAY_TRY(pay_settle_mollie_emit(reader, state, state->currency, &row));

    statement->has |= PAY_SETTLE_HAS_PAYOUT;
    statement->said_payout = state->amount;

    for (n = 0; n < reader->statements; n++) {
        statement = pay_settle_at(reader, n);
        memcpy(statement->id, state->id, sizeof(statement->id));
    }

    return PAY_OK;
}


/* Never more than one minor unit for each amount that was rounded. */
static pay_status_t
mollie_rounding(pay_settle_reader_t *reader, mollie_t *state, int64_t rest)
{
    pay_str_t         parts[] = { pay_str_of(state->id),
                                  pay_string("/rounding") };
    pay_settle_row_t  row;

    pay_settle_row_init(reader, &row);
    PAY_TRY(pay_settle_join(reader, "id", PAY_SETTLE_KEY_MAX, &row.row_key,
                            parts, 2));

    row.kind = PAY_SETTLE_ADJUSTMENT;
    row.raw_type = PAY_STR("rounding");
    row.gross_minor = rest;
    row.net_minor = rest;

    return pay_settle_mollie_emit(reader, state, state->currency, &row);
}
