/*
 * Items and parcels before they leave the house: the rules of our own rows, and
 * the limits of a provider.  A violation of the first is our mistake
 * (PAY_BUG), one of the second is refused when the item is made.
 */

#include "payout/payout.h"
#include "pay_time.h"


#define KEY_HEX     32                 /* digits before the attempt */
#define PARCEL_MAX  36                 /* bytes of a parcel's key */


static int item_sane(const pay_payout_item_t *item);
static int to_sane(const pay_payout_destination_t *to);
static const pay_payout_limit_t *limit_of(const pay_payout_limit_t *limits,
    const pay_currency_t *currency);
static int is_visible(pay_str_t text, size_t max);
static int is_country(pay_str_t text);


/* The attempt grows when the last one is proven not to have paid; two digits
 * are more than any person lets it come to. */
int
pay_payout_key_is_valid(pay_str_t key)
{
    size_t         i;
    unsigned char  c;

    if (key.len < KEY_HEX + 2 || key.len > PAY_PAYOUT_KEY_MAX
        || key.data[KEY_HEX] != '-' || key.data[KEY_HEX + 1] == '0')
    {
        return 0;
    }

    for (i = 0; i < key.len; i++) {
        c = key.data[i];

        if (i != KEY_HEX && (c < '0' || c > '9')
            && (i > KEY_HEX || c < 'a' || c > 'f'))
        {
            return 0;
        }
    }

    return 1;
}


/* All items are looked at, since a batch goes out as a whole: one that is not
 * sane would leave with the others. */
int
pay_payout_parcel_sane(const pay_payout_adapter_t *adapter,
    pay_payout_call_t call, const pay_payout_parcel_t *parcel)
{
    unsigned  i;

    if (parcel->count == 0 || parcel->count > adapter->items_max
        || parcel->key.len > PARCEL_MAX
        || !pay_psp_token_is_valid(parcel->key) || parcel->made_s <= 0
        || pay_payout_step(adapter, parcel->step) == NULL
        || (parcel->cursor.len != 0
            && !is_visible(parcel->cursor, PAY_PAYOUT_CURSOR_MAX)))
    {
        return 0;
    }

    for (i = 0; i < parcel->count; i++) {
        if (!item_sane(&parcel->items[i])
            || parcel->items[i].currency != parcel->items[0].currency)
        {
            return 0;
        }
    }

    for (i = 0; call == PAY_PAYOUT_SEND && i < parcel->step; i++) {
        if (!pay_psp_token_is_valid(parcel->ids[i])) {
            return 0;
        }
    }

    return 1;
}


const pay_payout_item_t *
pay_payout_item_of(const pay_payout_parcel_t *parcel, pay_str_t key)
{
    unsigned  i;

    for (i = 0; i < parcel->count; i++) {
        if (pay_str_eq(parcel->items[i].key, key)) {
            return &parcel->items[i];
        }
    }

    return NULL;
}


pay_status_t
pay_payout_fits(const pay_payout_adapter_t *adapter,
    const pay_payout_item_t *item, pay_err_t *err)
{
    int64_t                    theirs;
    const pay_payout_limit_t  *limit;

    if (!item_sane(item)) {
        return PAY_BUG;
    }

    if (!(adapter->to & PAY_PAYOUT_TO(item->to.kind))) {
        return pay_refuse(err, "destination-invalid",
                          "this provider does not pay to such an account");
    }

    limit = limit_of(adapter->limits, item->currency);

    if (limit->max_minor == 0) {
        return pay_refuse(err, "currency-unsupported",
                          "this provider does not pay in that currency");
    }

    if (item->amount_minor < limit->min_minor
        || item->amount_minor > limit->max_minor
        || (limit->step_minor != 0
            && item->amount_minor % limit->step_minor != 0))
    {
        return pay_refuse(err, "amount-invalid",
                          "this provider does not pay that amount");
    }

    return (adapter->to_theirs != NULL)
           ? adapter->to_theirs(item->currency, item->amount_minor, &theirs,
                                err)
           : PAY_OK;
}


const char *
pay_payout_unfit(const char *slug)
{
    size_t  i;

    static const struct {
        const char  *slug;
        const char  *code;
    } unfit[] = {
        { "amount-invalid", "amount_unfit" },
        { "currency-unsupported", "currency_unfit" }
    };

    for (i = 0; slug != NULL && i < sizeof(unfit) / sizeof(unfit[0]); i++) {
        if (strcmp(slug, unfit[i].slug) == 0) {
            return unfit[i].code;
        }
    }

    return NULL;
}


/* The name may be empty where the provider knows the payee already. */
static int
item_sane(const pay_payout_item_t *item)
{
    return pay_payout_key_is_valid(item->key) && item->currency != NULL
           && item->amount_minor > 0
           && item->amount_minor <= PAY_AMOUNT_MAX_MINOR
           && to_sane(&item->to)
           && (item->text.len == 0
               || pay_payout_is_latin(item->text, PAY_PAYOUT_TEXT_MAX));
}


static int
to_sane(const pay_payout_destination_t *to)
{
    if ((to->bic.len != 0 && !pay_bic_is_valid(to->bic))
        || (to->country.len != 0 && !is_country(to->country))
        || (to->name.len != 0
            && !pay_payout_is_latin(to->name, PAY_PAYOUT_NAME_MAX)))
    {
        return 0;
    }

    if (to->kind == PAY_PAYOUT_TO_IBAN) {
        return pay_iban_is_valid(to->iban) && to->name.len != 0;
    }

    return (unsigned) to->kind < PAY_PAYOUT_TO_COUNT
           && is_visible(to->payee, PAY_PSP_TOKEN_MAX);
}


/* The last row when the currency has none. */
static const pay_payout_limit_t *
limit_of(const pay_payout_limit_t *limits, const pay_currency_t *currency)
{
    while (limits->code[0] != '\0'
           && !pay_str_is(pay_str_of(currency->code), limits->code))
    {
        limits++;
    }

    return limits;
}


/* [!-~]{1,max}: it breaks out of no header and no path once it is encoded. */
static int
is_visible(pay_str_t text, size_t max)
{
    size_t  i;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] <= ' ' || text.data[i] > '~') {
            return 0;
        }
    }

    return text.len > 0 && text.len <= max;
}


static int
is_country(pay_str_t text)
{
    return text.len == 2 && text.data[0] >= 'A' && text.data[0] <= 'Z'
           && text.data[1] >= 'A' && text.data[1] <= 'Z';
}
