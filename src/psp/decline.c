/*
 * Why an attempt was declined: the gateway's own codes, and the way from a
 * PSP's code to one of them.  docs/psps.md has the same table; a test compares
 * the two.
 */

#include "pay_decline.h"

#include "psp/decline.h"
#include "pay_status.h"

#include <string.h>


/* Sorted by the advice: later, the same method, another method, none.
 * "unknown" must be the last row: pay_decline_named() ends on it. */
static const pay_decline_t  pay_declines[] = {
    { "insufficient_funds", PAY_AGAIN_LATER,
      "The account or card has too little money." },
    { "limit_exceeded", PAY_AGAIN_LATER,
      "The attempt exceeds a limit of the card: amount, number of "
      "payments, or attempts with a wrong PIN." },
    { "issuer_unavailable", PAY_AGAIN_LATER,
      "The issuer did not answer." },
    { "try_again_later", PAY_AGAIN_LATER,
      "The PSP, acquirer or issuer had a technical fault." },
    { "incorrect_cvc", PAY_AGAIN_SAME_METHOD,
      "The security code is wrong." },
    { "incorrect_pin", PAY_AGAIN_SAME_METHOD,
      "The PIN is wrong." },
    { "incorrect_address", PAY_AGAIN_SAME_METHOD,
      "The billing address or postcode is wrong." },
    { "invalid_card", PAY_AGAIN_SAME_METHOD,
      "The card number, expiry date or name is wrong, or there is "
      "no such card." },
    { "authentication_required", PAY_AGAIN_SAME_METHOD,
      "The issuer wants the buyer to be authenticated (3-D Secure)." },
    { "authentication_failed", PAY_AGAIN_SAME_METHOD,
      "The buyer was not authenticated." },
    { "cancelled_by_buyer", PAY_AGAIN_SAME_METHOD,
      "The buyer cancelled, or did not finish in time." },
    { "approval_lapsed", PAY_AGAIN_SAME_METHOD,
      "The buyer had approved, and the money was not taken in time." },
    { "expired_card", PAY_AGAIN_OTHER_METHOD,
      "The card has expired." },
    { "do_not_honor", PAY_AGAIN_OTHER_METHOD,
      "The issuer declined without a reason." },
    { "do_not_retry", PAY_AGAIN_OTHER_METHOD,
      "The issuer, or the rules of the card scheme, forbid another "
      "attempt with this card." },
    { "not_permitted", PAY_AGAIN_OTHER_METHOD,
      "The issuer does not permit this kind of payment with this "
      "card." },
    { "account_closed", PAY_AGAIN_OTHER_METHOD,
      "The account or card is closed or not active." },
    { "card_not_supported", PAY_AGAIN_OTHER_METHOD,
      "The PSP or merchant account does not take this kind of card." },
    { "currency_not_supported", PAY_AGAIN_OTHER_METHOD,
      "The card cannot pay in this currency." },
    { "amount_not_permitted", PAY_AGAIN_OTHER_METHOD,
      "The amount is not allowed for this card or account." },
    { "merchant_not_permitted", PAY_AGAIN_OTHER_METHOD,
      "The merchant account may not take this payment." },
    { "revoked", PAY_AGAIN_NO,
      "The buyer has revoked the permission to charge this card." },
    { "duplicate_transaction", PAY_AGAIN_NO,
      "The same payment was made a moment ago." },
    { "fraud_suspected", PAY_AGAIN_NO,
      "The PSP or issuer suspects fraud." },
    { "lost_or_stolen", PAY_AGAIN_NO,
      "The card was reported lost or stolen." },
    { "unknown", PAY_AGAIN_OTHER_METHOD,
      "The PSP gave no reason, or one that the gateway does not "
      "know." },
    { NULL, PAY_AGAIN_NO, NULL }
};

static const char  *const pay_decline_retries[] = {
    [PAY_AGAIN_SAME_METHOD] = "same_method",
    [PAY_AGAIN_LATER] = "later",
    [PAY_AGAIN_OTHER_METHOD] = "other_method",
    [PAY_AGAIN_NO] = "no"
};
PAY_ROWS(pay_decline_retries, PAY_DECLINE_RETRY_COUNT);


/* Never NULL: a code that is not in the table reads as "unknown". */
const pay_decline_t *
pay_decline_named(pay_str_t code)
{
    const pay_decline_t  *row;

    for (row = pay_declines; row[1].code != NULL; row++) {
        if (pay_str_is(code, row->code)) {
            break;
        }
    }

    return row;                        /* "unknown" is the last one */
}


/* Without a row of the adapter a code may be one of the gateway's own, as the
 * generic protocol sends it. */
const pay_decline_t *
pay_decline_find(const char *adapter, pay_str_t code)
{
    const pay_decline_code_t   *row;
    const pay_decline_codes_t  *list;

    for (list = pay_decline_codes; list->adapter != NULL; list++) {
        if (strcmp(list->adapter, adapter) == 0) {
            break;
        }
    }

    for (row = list->codes; row != NULL && row->theirs != NULL; row++) {
        if (pay_str_is(code, row->theirs)) {
            return pay_decline_named(pay_str_of(row->ours));
        }
    }

    return pay_decline_named(code);
}


/* An advice outside the enum is "no": the safe one for the buyer's card. */
const char *
pay_decline_retry(const pay_decline_t *decline)
{
    return ((unsigned) decline->retry < PAY_DECLINE_RETRY_COUNT)
           ? pay_decline_retries[decline->retry] : "no";
}


const pay_decline_t *
pay_decline_table(void)
{
    return pay_declines;
}
