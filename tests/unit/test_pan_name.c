/*
 * Names of card data: every spelling of those that are listed, and none of
 * the ordinary names beside them.
 */

#include <criterion/criterion.h>

#include "pay_pan.h"


static void
refused(const char *name)
{
    cr_expect_eq(pay_pan_is_name(pay_str_of(name)), 1, "missed: %s", name);
}


static void
taken(const char *name)
{
    cr_expect_eq(pay_pan_is_name(pay_str_of(name)), 0, "tripped: %s", name);
}


/* Three digits under "cvc" were stored: no scan of values can find them. */
Test(pay_pan_name, codes_are_refused_by_their_names)
{
    size_t  i;

    static const char *const  names[] = {
        "cvc", "cvv", "cvc2", "cvv2", "cid", "csc", "cav2", "cvd", "cvn",
        "cvn2", "security_code", "card_verification_value", "cvv_code",
        "card_number", "cardNo", "cc_number", "credit_card_number", "pan",
        "primary account number", "track1", "track2", "track3", "track_data",
        "track2_equivalent_data", "mag_stripe", "pin", "pin_block"
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        refused(names[i]);
    }
}


Test(pay_pan_name, case_and_separators_do_not_matter)
{
    refused("CVC");
    refused("Cvv2");
    refused("c-v-v");
    refused("cvv.2");
    refused(" cvc ");
    refused("CARD NUMBER");
    refused("cardNumber");
    refused("Card-Number");
    refused("card.number");
    refused("card/number");
    refused("card_number:");
    refused("Track-1");
    refused("TRACK 2 DATA");
    refused("_pan_");
    refused("PINBlock");
}


Test(pay_pan_name, flat_names_end_with_the_code)
{
    refused("card[cvc]");
    refused("payment_method[card][cvc]");
    refused("payment_method_data.card.details.of.the.buyer.cvc");
    refused("buyerCvv");
    refused("card-cvv2");
}


Test(pay_pan_name, ordinary_names_are_taken)
{
    size_t  i;

    static const char *const  names[] = {
        "company", "span", "incident", "japan", "pane", "panel", "expand",
        "pan_size", "lunch_pan", "account", "number", "house_number",
        "account_number", "order_number", "card", "card_brand", "card_last4",
        "card_type", "loyalty_card_number", "gift_card_number", "card_token",
        "expiry", "exp_month", "exp_year", "expiry_date", "cvc_check",
        "cvv_result", "cvv_status", "avs_result", "track", "tracking",
        "tracking_number", "track_id", "track1_title", "soundtrack",
        "soundtrack1", "click_id", "ga_cid", "placid", "acid", "pincode",
        "shipping", "pinned", "spin", "opinion", "security", "token", "iban",
        "bic", "discount", "csc_id", "vcc", "c", "", "-", "__", "pan\xc3\xa9",
        "\xc3\xa9" "cid"
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        taken(names[i]);
    }
}


/* Only the end of a name is looked at; it must not pass for the whole. */
Test(pay_pan_name, long_names_are_not_taken_for_their_ends)
{
    taken("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxpan");
    taken("x_primaryaccountnumber_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    refused("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxcvc");
    refused("__________________________________________________________pan");
}
