/*
 * PayPal's transaction event codes (developer.paypal.com).  The first two
 * digits name the group; codes with a meaning of their own come first.
 */

#include "settle/paypal.h"


/* Kinds of money that comes in and that goes out. */
typedef struct {
    const char         *start;
    pay_settle_kind_t   in;
    pay_settle_kind_t   out;
} paypal_code_t;


/* PayPal's event codes, by their first digits: T00nn payments, T01nn fees,
 * T02nn currency, T03nn deposits from a bank, T04nn withdrawals to one, T11nn
 * reversals, T12nn disputes and adjustments, T13nn authorisations, T15nn holds,
 * T20nn transfers, T21nn reserves and their releases (developer.paypal.com,
 * "Transaction event code reference").  A reversal means one thing when money
 * comes back and another when it goes. */
static const paypal_code_t  codes[] = {
    { "T00", PAY_SETTLE_SALE, PAY_SETTLE_SENT },
    { "T01", PAY_SETTLE_FEE, PAY_SETTLE_FEE },
    { "T02", PAY_SETTLE_CONVERSION, PAY_SETTLE_CONVERSION },
    { "T03", PAY_SETTLE_PAYOUT, PAY_SETTLE_PAYOUT },
    { "T04", PAY_SETTLE_PAYOUT_RETURNED, PAY_SETTLE_PAYOUT },
    { "T1105", PAY_SETTLE_RELEASED, PAY_SETTLE_WITHHELD },
    { "T1106", PAY_SETTLE_DISPUTE_RETURNED, PAY_SETTLE_DISPUTE },
    { "T1107", PAY_SETTLE_SENT_RETURNED, PAY_SETTLE_REFUND },
    { "T1108", PAY_SETTLE_FEE, PAY_SETTLE_FEE },
    { "T1109", PAY_SETTLE_FEE, PAY_SETTLE_FEE },
    { "T1110", PAY_SETTLE_RELEASED, PAY_SETTLE_WITHHELD },
    { "T1111", PAY_SETTLE_RELEASED, PAY_SETTLE_WITHHELD },
    { "T1114", PAY_SETTLE_SENT_RETURNED, PAY_SETTLE_ADJUSTMENT },
    { "T1115", PAY_SETTLE_SENT_RETURNED, PAY_SETTLE_ADJUSTMENT },
    { "T1201", PAY_SETTLE_DISPUTE_RETURNED, PAY_SETTLE_DISPUTE },
    { "T1202", PAY_SETTLE_DISPUTE_RETURNED, PAY_SETTLE_DISPUTE },
    { "T12", PAY_SETTLE_ADJUSTMENT, PAY_SETTLE_ADJUSTMENT },
    { "T13", PAY_SETTLE_MEMO, PAY_SETTLE_MEMO },
    { "T15", PAY_SETTLE_RELEASED, PAY_SETTLE_WITHHELD },
    { "T19", PAY_SETTLE_ADJUSTMENT, PAY_SETTLE_ADJUSTMENT },
    { "T20", PAY_SETTLE_TRANSFER, PAY_SETTLE_TRANSFER },
    { "T21", PAY_SETTLE_RELEASED, PAY_SETTLE_WITHHELD },
    { "T22", PAY_SETTLE_ADJUSTMENT, PAY_SETTLE_ADJUSTMENT },
    { NULL, PAY_SETTLE_UNKNOWN, PAY_SETTLE_UNKNOWN }
};


/* The first prefix that fits counts, so longer ones stand before the
 * shorter. */
pay_settle_kind_t
pay_settle_paypal_kind(pay_str_t code, int64_t net)
{
    const paypal_code_t  *known = codes;

    while (known->start != NULL && !pay_settle_starts(code, known->start)) {
        known++;
    }

    return net < 0 ? known->out : known->in;
}
