/*
 * Reads untrusted objects of providers: words, keys, amounts, times, and
 * whether all of it is the item's.  Nothing here moves money.
 */

#include "payout/payout.h"
#include "settle/settle.h"


#define US_PER_S  INT64_C(1000000)


static int64_t power_of_ten(unsigned exponent);


pay_payout_state_t
pay_payout_word(const pay_payout_word_t *rows, pay_str_t word)
{
    while (rows->word != NULL && !pay_str_is(word, rows->word)) {
        rows++;
    }

    return (rows->word != NULL) ? rows->state : PAY_PAYOUT_UNKNOWN;
}


pay_status_t
pay_payout_events(pay_arena_t *arena, size_t max, pay_payout_result_t *result)
{
    if (max > PAY_PAYOUT_EVENTS_MAX) {
        return PAY_INVALID;
    }

    result->events = pay_calloc(arena, (max + 1) * sizeof(*result->events));
    result->count = 0;

    return (result->events != NULL) ? PAY_OK : PAY_NO_MEMORY;
}


/* Other systems pay from the same account, with keys of other forms: those are
 * none of ours. */
pay_status_t
pay_payout_key_in(pay_arena_t *arena, pay_str_t text,
    pay_payout_event_t *event)
{
    return pay_payout_key_is_valid(text) ? pay_dup(arena, text, &event->key)
                                         : PAY_OK;
}


pay_status_t
pay_payout_amount_in(pay_arena_t *arena, pay_str_t text, pay_str_t currency,
    pay_payout_event_t *event)
{
    int64_t                minor = 0;
    const pay_currency_t  *known;

    if (pay_currency_find(currency, &known, NULL) != PAY_OK
        || !pay_payout_decimal(text, known, &minor))
    {
        minor = 0;
    }

    return pay_payout_minor_in(arena, minor, currency, event);
}


pay_status_t
pay_payout_number_in(pay_arena_t *arena, const pay_json_t *number,
    pay_str_t currency, pay_payout_event_t *event)
{
    int64_t                minor = 0;
    const pay_currency_t  *known;

    if (pay_currency_find(currency, &known, NULL) != PAY_OK
        || !pay_payout_number(number, known, &minor))
    {
        minor = 0;
    }

    return pay_payout_minor_in(arena, minor, currency, event);
}


/* A currency that is none leaves the event without an amount. */
pay_status_t
pay_payout_minor_in(pay_arena_t *arena, int64_t minor, pay_str_t currency,
    pay_payout_event_t *event)
{
    if (!pay_psp_is_currency(currency)) {
        return PAY_OK;
    }

    PAY_TRY(pay_dup(arena, currency, &event->currency));

    event->has_amount = 1;
    event->amount_minor = (minor > 0 && minor <= PAY_AMOUNT_MAX_MINOR)
                          ? minor : 0;

    return PAY_OK;
}


/* "****6789", "DE89…3000", "6789": letters and digits of the end, as far as no
 * other character stands between them. */
pay_status_t
pay_payout_end_in(pay_arena_t *arena, pay_str_t account,
    pay_payout_event_t *event)
{
    size_t         from = account.len;
    unsigned char  c;

    while (from > 0 && account.len - from < PAY_PAYOUT_END_MAX) {
        c = account.data[from - 1];

        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')
              || (c >= 'a' && c <= 'z')))
        {
            break;
        }

        from--;
    }

    if (from == account.len) {
        return PAY_OK;
    }

    return pay_dup(arena, (pay_str_t) { account.len - from,
                                        account.data + from },
                   &event->account_end);
}


/* The settlement files' reader of times takes any spelling of a zone. */
int64_t
pay_payout_time_us(pay_str_t text)
{
    int64_t            unix_s;
    pay_settle_when_t  when;

    if (pay_settle_when(text, &when) != PAY_OK) {
        return 0;
    }

    unix_s = when.local_s - (when.has_offset ? when.offset_s : 0);

    return (unix_s > 0 && unix_s < INT64_MAX / US_PER_S - 1)
           ? unix_s * US_PER_S + when.micro : 0;
}


/* "30", "30.0", "30.000" are 30.00, too; "30.001" is no amount of a currency
 * with two decimals. */
int
pay_payout_decimal(pay_str_t text, const pay_currency_t *currency,
    int64_t *minor)
{
    size_t    i;
    int64_t   value = 0;
    unsigned  decimals = 0, digits = 0;
    int       is_behind = 0;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] == '.' && !is_behind && digits > 0) {
            is_behind = 1;
            continue;
        }

        if (text.data[i] < '0' || text.data[i] > '9') {
            return 0;
        }

        digits++;

        if (is_behind && decimals == currency->exponent) {
            if (text.data[i] != '0') {
                return 0;
            }

            continue;
        }

        decimals += (unsigned) is_behind;
        value = value * 10 + (text.data[i] - '0');

        if (value > PAY_AMOUNT_MAX_MINOR) {
            return 0;
        }
    }

    while (decimals < currency->exponent) {
        value *= 10;
        decimals++;

        if (value > PAY_AMOUNT_MAX_MINOR) {
            return 0;
        }
    }

    *minor = value;

    return digits > 0;
}


/* The text of a JSON number is gone when jansson has read it, so that a double
 * is all there is.  Amounts are below 2^53 minor units: the nearest double to
 * "12.34" is the nearest to 1234 / 100, and no other number of cents has it. */
int
pay_payout_number(const pay_json_t *number, const pay_currency_t *currency,
    int64_t *minor)
{
    double   real, scale = (double) power_of_ten(currency->exponent);
    int64_t  whole;

    if (pay_json_integer(number, &whole) == PAY_OK) {
        if (whole < 0
            || whole > PAY_AMOUNT_MAX_MINOR / power_of_ten(currency->exponent))
        {
            return 0;
        }

        *minor = whole * power_of_ten(currency->exponent);
        return 1;
    }

    if (pay_json_real(number, &real) != PAY_OK || !(real >= 0)
        || real > (double) PAY_AMOUNT_MAX_MINOR / scale)
    {
        return 0;
    }

    whole = (int64_t) (real * scale + 0.5);

    if ((double) whole / scale != real) {
        return 0;
    }

    *minor = whole;

    return 1;
}


static int64_t
power_of_ten(unsigned exponent)
{
    int64_t  power = 1;

    while (exponent-- > 0) {
        power *= 10;
    }

    return power;
}


/* The account's end is compared as far as the provider tells it. */
int
pay_payout_contradicts(const pay_payout_item_t *item,
    const pay_payout_event_t *event)
{
    pay_str_t  end = item->to.iban;

    if (event->account_end.len != 0 && end.len > event->account_end.len) {
        end.data += end.len - event->account_end.len;
        end.len = event->account_end.len;
    }

    return (event->key.len != 0 && !pay_str_eq(event->key, item->key))
           || (event->has_amount
               && (event->amount_minor != item->amount_minor
                   || !pay_str_is(event->currency, item->currency->code)))
           || (event->payee.len != 0 && item->to.payee.len != 0
               && !pay_str_eq(event->payee, item->to.payee))
           || (event->account_end.len != 0
               && item->to.kind == PAY_PAYOUT_TO_IBAN
               && !pay_str_eq(event->account_end, end));
}


pay_status_t
pay_payout_done(pay_arena_t *arena, const pay_payout_item_t *item,
    const pay_payout_event_t *event, pay_payout_result_t *result)
{
    if (pay_payout_contradicts(item, event)) {
        pay_payout_mismatch(result, NULL);
        return PAY_OK;
    }

    if (!event->has_amount || event->reference.len == 0) {
        return PAY_OK;
    }

    PAY_TRY(pay_payout_events(arena, 1, result));

    result->events[0] = *event;
    result->events[0].key = item->key;
    result->count = 1;
    result->outcome = PAY_PSP_DONE;
    result->reference = event->reference;
    result->code = PAY_STR("");
    pay_psp_unread(&result->unread, NULL, NULL);

    return PAY_OK;
}


/* The list may be longer than the batch: other systems' items are not ours to
 * judge. */
pay_status_t
pay_payout_list(pay_arena_t *arena, const pay_payout_parcel_t *parcel,
    const pay_json_t *list, pay_payout_entry_pt read,
    pay_payout_result_t *result)
{
    size_t                    i;
    pay_status_t              status;
    pay_payout_event_t       *event;
    const pay_payout_item_t  *item;

    if (pay_json_type(list) != PAY_JSON_ARRAY) {
        return PAY_INVALID;
    }

    PAY_TRY(pay_payout_events(arena, pay_json_size(list), result));

    for (i = 0; i < pay_json_size(list); i++) {
        event = &result->events[result->count];
        memset(event, 0, sizeof(*event));

        status = read(arena, pay_json_at(list, i), event);
        if (status != PAY_OK && status != PAY_INVALID) {
            return status;
        }

        item = pay_payout_item_of(parcel, event->key);
        if (status == PAY_INVALID || item == NULL) {
            continue;
        }

        if (!event->has_amount || pay_payout_contradicts(item, event)) {
            event->state = PAY_PAYOUT_UNKNOWN;
            event->code = PAY_STR("answer_mismatch");
        }

        result->count++;
    }

    result->outcome = PAY_PSP_DONE;
    result->code = PAY_STR("");
    pay_psp_unread(&result->unread, NULL, NULL);

    return PAY_OK;
}


pay_status_t
pay_payout_made(pay_arena_t *arena, const pay_json_t *json,
    const char *member, pay_payout_result_t *result)
{
    PAY_TRY(pay_psp_token_may(arena, json, member, &result->reference));

    if (result->reference.len == 0) {
        pay_psp_unread(&result->unread, member, PAY_PSP_RULE_TOKEN);
        return PAY_OK;
    }

    result->outcome = PAY_PSP_DONE;
    result->code = PAY_STR("");
    pay_psp_unread(&result->unread, NULL, NULL);

    return PAY_OK;
}


/* A page that names itself as the next would be looked through for ever. */
pay_status_t
pay_payout_none(pay_arena_t *arena, const pay_payout_parcel_t *parcel,
    pay_str_t next, pay_payout_result_t *result)
{
    if (next.len == 0) {
        result->outcome = PAY_PSP_NOT_SENT;
        result->code = PAY_STR("not_found");
        pay_psp_unread(&result->unread, NULL, NULL);
        return PAY_OK;
    }

    if (next.len > PAY_PAYOUT_CURSOR_MAX
        || pay_str_eq(next, parcel->cursor))
    {
        return PAY_INVALID;
    }

    result->code = PAY_STR("not_on_page");
    pay_psp_unread(&result->unread, NULL, NULL);

    return pay_dup(arena, next, &result->next);
}


void
pay_payout_mismatch(pay_payout_result_t *result, const char *member)
{
    result->outcome = PAY_PSP_UNKNOWN;
    result->reference = PAY_STR("");
    result->code = PAY_STR("answer_mismatch");
    result->count = 0;
    pay_psp_unread(&result->unread, member, "must repeat the item");
}
