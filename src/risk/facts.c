/*
 * The facts of a checkout when it is created, each in one spelling, so that
 * rules, windows and lists mean the same by the same text.
 */

#include "risk.h"
#include "pay_time.h"


#define DAY_S       86400
#define HOUR_S      3600
#define EPOCH_DAY   3          /* 1 January 1970 was a Thursday */
#define PHONE_MAX   32


static void set_text(pay_risk_facts_t *facts, pay_risk_attribute_t attribute,
    pay_str_t text);
static void set_number(pay_risk_facts_t *facts,
    pay_risk_attribute_t attribute, int64_t number);
static void set_time(pay_risk_facts_t *facts);
static unsigned count_sellers(const pay_payment_request_t *request);
static pay_status_t set_buyer(pay_arena_t *arena, pay_risk_facts_t *facts);
static pay_status_t set_email(pay_arena_t *arena, pay_risk_facts_t *facts,
    pay_str_t text);
static int ignores_dots(pay_str_t domain);
static pay_str_t behind_at(pay_str_t email);


const pay_risk_attribute_row_t  pay_risk_attributes[] = {
#define ATTRIBUTE(name, type)  { #name, PAY_RISK_##type },
#include "risk/attribute.list"
#undef ATTRIBUTE
};


pay_status_t
pay_risk_facts(pay_arena_t *arena, pay_str_t merchant_id,
    const pay_payment_request_t *request, int64_t now_s,
    pay_risk_facts_t *facts)
{
    memset(facts, 0, sizeof(pay_risk_facts_t));
    facts->request = request;
    facts->merchant_id = merchant_id;
    facts->now_s = now_s;

    set_number(facts, PAY_RISK_amount, request->total_minor);
    set_text(facts, PAY_RISK_currency, pay_str_of(request->currency->code));
    set_text(facts, PAY_RISK_method, request->method);
    set_number(facts, PAY_RISK_orders, request->order_count);
    set_number(facts, PAY_RISK_sellers, count_sellers(request));
    set_text(facts, PAY_RISK_country, request->country);
    set_time(facts);

    return set_buyer(arena, facts);
}


int
pay_risk_is_of(pay_str_t merchant_id, const pay_risk_facts_t *facts)
{
    return merchant_id.len == 0 || pay_str_eq(merchant_id, facts->merchant_id);
}


/* An empty text is not known. */
static void
set_text(pay_risk_facts_t *facts, pay_risk_attribute_t attribute,
    pay_str_t text)
{
    facts->values[attribute].is_known = text.len != 0;
    facts->values[attribute].text = text;
}


static void
set_number(pay_risk_facts_t *facts, pay_risk_attribute_t attribute,
    int64_t number)
{
    facts->values[attribute].is_known = 1;
    facts->values[attribute].number = number;
}


static void
set_time(pay_risk_facts_t *facts)
{
    int64_t  day = facts->now_s / DAY_S;

    set_number(facts, PAY_RISK_hour, facts->now_s % DAY_S / HOUR_S);
    set_number(facts, PAY_RISK_weekday, (day + EPOCH_DAY) % 7 + 1);
}


static unsigned
count_sellers(const pay_payment_request_t *request)
{
    unsigned  i, k, count = 0;

    for (i = 0; i < request->order_count; i++) {
        for (k = 0; k < i; k++) {
            if (pay_str_eq(request->orders[k].seller,
                           request->orders[i].seller))
            {
                break;
            }
        }

        count += k == i;
    }

    return count;
}


static pay_status_t
set_buyer(pay_arena_t *arena, pay_risk_facts_t *facts)
{
    pay_str_t            text;
    const pay_buyer_info_t   *buyer = &facts->request->buyer;
    pay_risk_address_t   address;

    set_text(facts, PAY_RISK_buyer, buyer->id);
    set_text(facts, PAY_RISK_device, buyer->device);
    set_text(facts, PAY_RISK_user_agent, buyer->user_agent);
    set_text(facts, PAY_RISK_billing_country, buyer->billing_country);
    set_text(facts, PAY_RISK_shipping_country, buyer->shipping_country);

    if (buyer->account_created_s > 0
        && buyer->account_created_s <= facts->now_s)
    {
        set_number(facts, PAY_RISK_account_days,
                   (facts->now_s - buyer->account_created_s) / DAY_S);
    }

    if (buyer->ip.len != 0) {
        PAY_TRY(pay_risk_address(buyer->ip, &address));
        PAY_TRY(pay_risk_prefix(arena, &address, address.is_v6 ? 128 : 32,
                                &text));
        text.len -= address.is_v6 ? sizeof("/128") - 1 : sizeof("/32") - 1;
        set_text(facts, PAY_RISK_ip, text);
    }

    if (buyer->phone.len != 0) {
        PAY_TRY(pay_risk_phone(arena, buyer->phone, &text));
        set_text(facts, PAY_RISK_phone, text);
    }

    return buyer->email.len == 0 ? PAY_OK
                                 : set_email(arena, facts, buyer->email);
}


static pay_status_t
set_email(pay_arena_t *arena, pay_risk_facts_t *facts, pay_str_t text)
{
    pay_str_t  email;

    PAY_TRY(pay_risk_email(arena, text, &email));
    set_text(facts, PAY_RISK_email, email);
    set_text(facts, PAY_RISK_email_domain, behind_at(email));

    return PAY_OK;
}


/* In lower case, since no provider tells cases apart; without dots and a tag
 * behind + where the provider ignores them. */
pay_status_t
pay_risk_email(pay_arena_t *arena, pay_str_t text, pay_str_t *email)
{
    int             is_tag = 0, drops;
    size_t          i, at, len = 0;
    unsigned char   c, *out;

    out = pay_alloc(arena, text.len + 1);
    if (out == NULL) {
        return PAY_NO_MEMORY;
    }

    at = text.len - behind_at(text).len;
    drops = ignores_dots(behind_at(text));

    for (i = 0; i < text.len; i++) {
        c = text.data[i];

        if (drops && i + 1 < at) {
            is_tag |= c == '+';

            if (is_tag || c == '.') {
                continue;
            }
        }

        out[len++] = (c >= 'A' && c <= 'Z') ? (unsigned char) (c | 0x20) : c;
    }

    *email = (pay_str_t) { len, out };

    return PAY_OK;
}


/* Google says so of its mail: dots don't matter, and a tag stands behind +. */
static int
ignores_dots(pay_str_t domain)
{
    size_t              i, k;
    static const char  *const domains[] = { "gmail.com", "googlemail.com" };

    for (i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
        for (k = 0; k < domain.len && domains[i][k] != '\0'; k++) {
            if ((domain.data[k] | 0x20) != (domains[i][k] | 0x20)) {
                break;
            }
        }

        if (k == domain.len && domains[i][k] == '\0') {
            return 1;
        }
    }

    return 0;
}


/* Behind the last @; empty: there is none. */
static pay_str_t
behind_at(pay_str_t email)
{
    size_t  i;

    for (i = email.len; i > 0; i--) {
        if (email.data[i - 1] == '@') {
            return (pay_str_t) { email.len - i, email.data + i };
        }
    }

    return PAY_STR("");
}


/* Digits, and a + in front of them; two zeros in front are a +. */
pay_status_t
pay_risk_phone(pay_arena_t *arena, pay_str_t text, pay_str_t *phone)
{
    size_t          i, len = 0;
    unsigned char   c, *out;

    out = pay_alloc(arena, text.len + 1);
    if (out == NULL) {
        return PAY_NO_MEMORY;
    }

    for (i = 0; i < text.len; i++) {
        c = text.data[i];

        if ((c >= '0' && c <= '9') || (c == '+' && len == 0)) {
            out[len++] = c;
        }
    }

    *phone = (pay_str_t) { len, out };

    if (len > 2 && out[0] == '0' && out[1] == '0') {
        out[1] = '+';
        *phone = (pay_str_t) { len - 1, out + 1 };
    }

    return PAY_OK;
}
