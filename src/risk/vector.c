/*
 * The vector of features that models score: facts of the request, how many
 * attempts came before this one, and the buyer's earlier checkouts.  A value
 * that the gateway does not know is missing (NAN), never 0.
 * tools/risk/features.py makes the same of events.
 */

#include <math.h>

#include "risk.h"


#define DAY_S      86400
#define CENTS      100.0
#define MILLION    1e6
#define MINUTES_10 600
#define HOUR_1     3600

#define WINDOW(key_name, seconds)                                             \
    { .name = { sizeof("feature " #key_name) - 1,                             \
                (const unsigned char *) "feature " #key_name },               \
      .key = PAY_RISK_BY_##key_name, .of = PAY_RISK_ATTEMPTS,                 \
      .window_s = seconds, .limit = INT64_MAX, .then = PAY_RISK_ALLOW,        \
      .is_shadow = 1 }


static void fill_attempts(const pay_risk_counts_t *counts, double *values);
static void fill_history(const pay_risk_facts_t *facts, double *values);
static void fill_devices(const pay_risk_facts_t *facts, double *values);
static double number_of(const pay_risk_facts_t *facts,
    pay_risk_attribute_t attribute);
static double amount_log(const pay_risk_facts_t *facts);
static double account_age(const pay_risk_facts_t *facts);
static double email_is_free(const pay_risk_facts_t *facts);
static double country_differs(const pay_risk_facts_t *facts);


/* No velocity of the configuration has a blank in its name. */
const pay_risk_velocity_t  pay_risk_feature_windows[] = {
    WINDOW(ip, MINUTES_10), WINDOW(email, HOUR_1), WINDOW(buyer, HOUR_1),
    WINDOW(device, HOUR_1)
};
PAY_ROWS(pay_risk_feature_windows, PAY_RISK_FEATURE_WINDOWS);

static const pay_risk_feature_t  counted[] = {
    PAY_RISK_F_attempts_ip_10m, PAY_RISK_F_attempts_email_1h,
    PAY_RISK_F_attempts_buyer_1h, PAY_RISK_F_attempts_device_1h
};
PAY_ROWS(counted, PAY_RISK_FEATURE_WINDOWS);

static const char *const  free_mail[] = {
#define FREE_MAIL(domain)  domain,
#include "risk/free_mail.list"
#undef FREE_MAIL
};


int
pay_risk_is_feature(const pay_risk_velocity_t *velocity)
{
    unsigned  i;

    for (i = 0; i < PAY_RISK_FEATURE_WINDOWS; i++) {
        if (velocity == &pay_risk_feature_windows[i]) {
            return 1;
        }
    }

    return 0;
}


int
pay_risk_is_dollar(const pay_risk_facts_t *facts)
{
    return pay_str_is(facts->values[PAY_RISK_currency].text, "USD");
}


void
pay_risk_vector(const pay_risk_facts_t *facts, const pay_risk_counts_t *counts,
    double values[PAY_RISK_FEATURES])
{
    unsigned  i;

    for (i = 0; i < PAY_RISK_FEATURES; i++) {
        values[i] = NAN;
    }

    values[PAY_RISK_F_amount_log] = amount_log(facts);
    values[PAY_RISK_F_hour] = number_of(facts, PAY_RISK_hour);
    values[PAY_RISK_F_weekday] = number_of(facts, PAY_RISK_weekday);
    values[PAY_RISK_F_orders] = number_of(facts, PAY_RISK_orders);
    values[PAY_RISK_F_sellers] = number_of(facts, PAY_RISK_sellers);
    values[PAY_RISK_F_account_age_days] = account_age(facts);
    values[PAY_RISK_F_email_is_free] = email_is_free(facts);
    values[PAY_RISK_F_country_differs] = country_differs(facts);
    fill_attempts(counts, values);
    fill_history(facts, values);
}


/* Before this one, which is counted.  0: nobody could count. */
static void
fill_attempts(const pay_risk_counts_t *counts, double *values)
{
    unsigned                 i, k;
    const pay_risk_count_t  *item;

    for (i = 0; i < counts->count; i++) {
        item = &counts->items[i];

        for (k = 0; k < PAY_RISK_FEATURE_WINDOWS; k++) {
            if (item->velocity == &pay_risk_feature_windows[k]
                && item->count > 0)
            {
                values[counted[k]] = (double) item->count - 1;
            }
        }
    }
}


/* Nobody has no history: 0 orders would be one. */
static void
fill_history(const pay_risk_facts_t *facts, double *values)
{
    const pay_risk_history_t  *history = facts->history;

    if (history == NULL
        || (!facts->values[PAY_RISK_buyer].is_known
            && !facts->values[PAY_RISK_email].is_known))
    {
        return;
    }

    values[PAY_RISK_F_shipping_differs] = 1 - history->ships;
    values[PAY_RISK_F_buyer_orders] = history->orders;
    values[PAY_RISK_F_buyer_failures] = history->failures;
    values[PAY_RISK_F_buyer_disputes] = history->disputes;
    values[PAY_RISK_F_psp_risk] = history->psp_risk;
    fill_devices(facts, values);
}


/* A buyer who has paid from no device that is known has none that is new. */
static void
fill_devices(const pay_risk_facts_t *facts, double *values)
{
    const pay_risk_history_t  *history = facts->history;

    if (history->devices == 0) {
        return;
    }

    values[PAY_RISK_F_buyer_devices] = history->devices;

    if (!facts->values[PAY_RISK_device].is_known) {
        return;
    }

    values[PAY_RISK_F_device_days] =
        isnan(history->device_s) || history->device_s > (double) facts->now_s
        ? 0
        : floor(((double) facts->now_s - history->device_s) / DAY_S);
}


static double
number_of(const pay_risk_facts_t *facts, pay_risk_attribute_t attribute)
{
    const pay_risk_value_t  *value = &facts->values[attribute];

    return value->is_known ? (double) value->number : NAN;
}


/* Other currencies are converted where the history is looked up.  Rounded, so
 * that the stored decimal is the number that was scored. */
static double
amount_log(const pay_risk_facts_t *facts)
{
    double  cents = NAN;

    if (pay_risk_is_dollar(facts)) {
        cents = (double) facts->request->total_minor;

    } else if (facts->history != NULL) {
        cents = facts->history->cents;
    }

    return nearbyint(log1p(cents / CENTS) * MILLION) / MILLION;
}


static double
account_age(const pay_risk_facts_t *facts)
{
    int64_t  born_s = facts->request->buyer.account_created_s;

    if (born_s <= 0) {
        return NAN;
    }

    return born_s > facts->now_s ? 0
                                 : (double) ((facts->now_s - born_s) / DAY_S);
}


static double
email_is_free(const pay_risk_facts_t *facts)
{
    size_t                   i;
    const pay_risk_value_t  *domain = &facts->values[PAY_RISK_email_domain];

    if (!domain->is_known) {
        return NAN;
    }

    for (i = 0; i < sizeof(free_mail) / sizeof(free_mail[0]); i++) {
        if (pay_str_is(domain->text, free_mail[i])) {
            return 1;
        }
    }

    return 0;
}


static double
country_differs(const pay_risk_facts_t *facts)
{
    const pay_risk_value_t  *to = &facts->values[PAY_RISK_shipping_country];
    const pay_risk_value_t  *of = &facts->values[PAY_RISK_billing_country];

    if (!to->is_known || !of->is_known) {
        return NAN;
    }

    return !pay_str_eq(to->text, of->text);
}
