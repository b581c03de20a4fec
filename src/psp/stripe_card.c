/*
 * The card of a charge at Stripe, and Stripe's opinion of the risk
 * (docs/psp/stripe.md).  The fingerprint is one of the account's.
 */

#include "psp/stripe.h"


static const pay_psp_said_t  stripe_three_d[] = {
    { "authenticated", "authenticated" },
    { "attempt_acknowledged", "attempted" },
    { "exempted", "exempted" },
    { "failed", "failed" },
    { NULL, NULL }
};

static const pay_psp_said_t  stripe_levels[] = {
    { "normal", "normal" }, { "elevated", "elevated" },
    { "highest", "highest" }, { NULL, NULL }
};


pay_status_t
pay_stripe_card(pay_arena_t *arena, const pay_json_t *charge,
    pay_psp_card_t *said)
{
    const pay_json_t  *outcome = pay_json_get(charge, "outcome");
    const pay_json_t  *card = pay_json_path(charge, "payment_method_details",
                                            "card", NULL);

    PAY_TRY(pay_psp_token_may(arena, charge, "id", &said->attempt));
    PAY_TRY(pay_psp_card_name(arena, card, "fingerprint", &said->card));
    PAY_TRY(pay_psp_card_bin(arena, card, "iin", &said->bin));
    PAY_TRY(pay_psp_card_country(arena, card, "country", &said->country));
    pay_psp_card_word(pay_psp_fundings, card, "funding", &said->funding);
    pay_psp_card_word(stripe_three_d, pay_json_get(card, "three_d_secure"),
                      "result", &said->three_d);
    pay_psp_card_word(stripe_levels, outcome, "risk_level", &said->level);
    pay_psp_card_score(outcome, "risk_score", said);

    return PAY_OK;
}
