/*
 * The PSP's own balance, asked for once a day behind a pull that has brought
 * all there is: the files are then as young as they can be.  PostgreSQL
 * compares it with the ledger.  A PSP that says nothing holds no file up: it is
 * asked again an hour later.
 */

#include "flow_settlement.h"


static pay_status_t balance_came(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t balance_rows(pay_arena_t *args,
    const pay_settle_balances_t *balances, pay_store_balance_in_t *in);
static pay_status_t balance_stored(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);


int
settlement_has_balance(const settlement_t *look)
{
    return look->balance_due
           && pay_psp_has_balance(look->source->psp->adapter);
}


pay_status_t
settlement_balance(pay_flow_t *flow, pay_effect_t *effect)
{
    settlement_t          *look = flow->state;
    const pay_psp_conf_t  *psp = look->source->psp;

    look->balance_due = 0;

    PAY_TRY(pay_psp_balance_request(flow->scratch, psp->adapter,
                                    &psp->account, &effect->http));
    pay_do_call(flow, effect, psp, PAY_CALL_SETTLEMENT, balance_came);

    return PAY_OK;
}


static pay_status_t
balance_came(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_status_t            status = PAY_INVALID;
    settlement_t           *look = flow->state;
    pay_settle_balances_t  *balances;

    pay_store_balance_in_t  in = {
        .source = look->source->name,
        .owner = look->owner
    };

    balances = pay_alloc(flow->scratch, sizeof(*balances));
    if (balances == NULL) {
        return PAY_NO_MEMORY;
    }

    if (input->answer->sent == PAY_ANSWERED && input->answer->status == 200) {
        status = pay_settle_balances(
            pay_str_of(look->source->psp->adapter->name),
            input->answer->body, balances);
    }

    if (status == PAY_OK) {
        in.is_complete = balances->is_complete;
        PAY_TRY(balance_rows(flow->args, balances, &in));

    } else if (status == PAY_NO_MEMORY) {
        return status;

    } else {
        look->later_why = settlement_why_not(input->answer);
        in.code = pay_str_of(look->later_why);
    }

    return pay_do_store_balance(flow, effect, &in, balance_stored);
}


static pay_status_t
balance_rows(pay_arena_t *args, const pay_settle_balances_t *balances,
    pay_store_balance_in_t *in)
{
    unsigned                     i;
    pay_psp_balance_row_t       *rows;
    const pay_settle_balance_t  *from;

    rows = pay_alloc(args, (balances->count + 1) * sizeof(*rows));
    if (rows == NULL) {
        return PAY_NO_MEMORY;
    }

    for (i = 0; i < balances->count; i++) {
        from = &balances->items[i];
        rows[i] = (pay_psp_balance_row_t) {
            .currency = pay_str_of(from->currency->code),
            .available_minor = from->available_minor,
            .pending_minor = from->pending_minor,
            .reserved_minor = pay_maybe(from->has_reserved,
                                        from->reserved_minor)
        };
    }

    in->rows = rows;
    in->rows_count = balances->count;

    return PAY_OK;
}


static pay_status_t
balance_stored(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    if (input->kind != PAY_INPUT_ROW) {
        return settlement_end(flow, "not-stored", effect);
    }

    return settlement_end(flow,
                          input->result.outcome == PAY_OUTCOME_STORED
                          ? NULL : "overtaken", effect);
}
