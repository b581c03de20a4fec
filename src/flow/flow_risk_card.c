/*
 * A PSP's word about a card, as a row of apply_event.  The card's name leaves
 * the worker as a keyed hash; that of two PSPs is never the same.
 */

#include "flow_util.h"


pay_status_t
pay_risk_card_row(pay_flow_t *flow, const pay_psp_conf_t *psp,
    const pay_psp_event_t *event, pay_apply_event_in_t *in)
{
    const pay_risk_t      *risk = flow->env->risk;
    const pay_psp_card_t  *said = &event->card;
    pay_psp_card_row_t    *row;

    const pay_risk_card_name_t  name = {
        psp->name, psp->account.account, said->card
    };

    if (risk == NULL) {
        return PAY_OK;
    }

    /* a sale is judged by the buyer's browser, too */
    if (event->fact == PAY_FACT_PAID || event->fact == PAY_FACT_AUTHORIZED) {
        in->after = risk->after;
    }

    if (said->attempt.len == 0 || !pay_psp_card_says(said)) {
        return PAY_OK;
    }

    row = pay_calloc(flow->args, sizeof(*row));
    if (row == NULL) {
        return PAY_NO_MEMORY;
    }

    row->attempt = said->attempt;
    row->bin = said->bin;
    row->country = said->country;
    row->funding = said->funding;
    row->three_d = said->three_d;
    row->level = said->level;
    row->score = pay_maybe(said->has_score, said->score);
    row->warning = said->warning;
    row->is_hint = said->is_hint;

    if (said->card.len != 0) {
        PAY_TRY(pay_risk_card(flow->args, risk, 0, &name, &row->card));
    }

    /* entries of lists may be under the key before this one */
    if (said->card.len != 0 && risk->key_count > 1) {
        PAY_TRY(pay_risk_card(flow->args, risk, 1, &name, &row->card_before));
    }

    in->cards = row;
    in->cards_count = 1;
    in->after = risk->after;

    return PAY_OK;
}
