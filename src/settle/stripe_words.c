/*
 * Stripe's words for changes of a balance (docs.stripe.com, reporting
 * categories and types of balance transactions).  The list is open: a word
 * that is not here is an unknown row, never one to leave out.
 */

#include "settle/stripe.h"


static const pay_settle_word_t  categories[] = {
    { "charge", PAY_SETTLE_SALE },
    { "charge_failure", PAY_SETTLE_SALE_RETURNED },
    { "partial_capture_reversal", PAY_SETTLE_SALE_RETURNED },
    { "refund", PAY_SETTLE_REFUND },
    { "refund_failure", PAY_SETTLE_REFUND_RETURNED },
    { "dispute", PAY_SETTLE_DISPUTE },
    { "dispute_reversal", PAY_SETTLE_DISPUTE_RETURNED },
    { "fee", PAY_SETTLE_FEE },
    { "network_cost", PAY_SETTLE_FEE },
    { "tax", PAY_SETTLE_TAX },
    { "payout", PAY_SETTLE_PAYOUT },
    { "payout_reversal", PAY_SETTLE_PAYOUT_RETURNED },
    { "topup", PAY_SETTLE_TRANSFER },
    { "topup_reversal", PAY_SETTLE_TRANSFER },
    { "connect_collection_transfer", PAY_SETTLE_TRANSFER },
    { "transfer", PAY_SETTLE_SENT },
    { "transfer_reversal", PAY_SETTLE_SENT_RETURNED },
    { "other_adjustment", PAY_SETTLE_ADJUSTMENT },
    { "connect_reserved_funds", PAY_SETTLE_WITHHELD },
    { "risk_reserved_funds", PAY_SETTLE_WITHHELD },
    { NULL, PAY_SETTLE_UNKNOWN }
};

static const pay_settle_word_t  types[] = {
    { "reserve_hold", PAY_SETTLE_WITHHELD },
    { "reserve_release", PAY_SETTLE_RELEASED },
    { "payment_network_reserve_hold", PAY_SETTLE_WITHHELD },
    { "payment_network_reserve_release", PAY_SETTLE_RELEASED },
    { "payout_minimum_balance_hold", PAY_SETTLE_WITHHELD },
    { "payout_minimum_balance_release", PAY_SETTLE_RELEASED },
    { "payout_failure", PAY_SETTLE_PAYOUT_RETURNED },
    { "payout_cancel", PAY_SETTLE_PAYOUT_RETURNED },
    { "refund_failure", PAY_SETTLE_REFUND_RETURNED },
    { "payment_refund", PAY_SETTLE_REFUND },
    { "payment", PAY_SETTLE_SALE },
    { "stripe_fx_fee", PAY_SETTLE_FEE },
    { "stripe_fee", PAY_SETTLE_FEE },
    { "payout", PAY_SETTLE_PAYOUT },
    { NULL, PAY_SETTLE_UNKNOWN }
};


/* The type is looked at first, because it is the finer word. */
pay_settle_kind_t
pay_settle_stripe_kind(pay_str_t category, pay_str_t type, int64_t net)
{
    pay_settle_kind_t  kind = pay_settle_word(types, type);

    if (kind == PAY_SETTLE_UNKNOWN) {
        kind = pay_settle_word(categories, category);
    }

    if (kind == PAY_SETTLE_WITHHELD && net > 0) {
        kind = PAY_SETTLE_RELEASED;
    }

    return kind;
}


/* Amounts are below 10^17, so their sum fits; the check is a guard. */
void
pay_settle_stripe_move(pay_settle_row_t *row)
{
    int64_t  *to = row->kind == PAY_SETTLE_TAX ? &row->tax_minor
                                               : &row->fee_minor;

    if (row->kind != PAY_SETTLE_FEE && row->kind != PAY_SETTLE_TAX) {
        return;
    }

    if (!__builtin_add_overflow(*to, row->gross_minor, to)) {
        row->gross_minor = 0;
    }
}
