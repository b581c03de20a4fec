/*
 * The gateway's look at checkouts, behind a pipe, for tests/risk: `risk-world
 * RULES [MODEL]` reads lines payments_risk_rule, payments_risk_velocity and
 * payments_risk_score, and a model, as the gateway reads them, and then events
 * of tests/risk/world.py as JSON lines in the order of their time.  Facts,
 * windows in memory, rules and score are those of src/risk; windows of
 * PostgreSQL are counted here as count_findings() of
 * sql/functions/28_risk_find.sql counts them, by the hour.  For each event it
 * writes a line: decision, total, the model's probability, and the names of all
 * hits.  Values of the member "known" of an event stand for features that
 * nobody has told the gateway.  A configuration that is refused, or that needs
 * more than this: exit 3.
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "risk/risk.h"
#include "pay_json.h"
#include "pay_risk_trial.h"


#define REFUSED   3
#define MEMORY    (64 << 20)
#define COUNTERS  (1 << 21)
#define BYTES_MAX (64 << 10)
#define HOUR_S    3600


/* Attempts of a merchant with a value of a key in an hour.  name: 0: it is
 * free. */
typedef struct {
    uint64_t  name;
    uint32_t  attempts;
    uint32_t  last;                    /* the event that was counted last */
} counter_t;

typedef struct {
    pay_risk_trial_t    trial;
    pay_risk_scale_t    scales[PAY_RISK_TRIAL_SCALES];
    pay_risk_scorer_t   scorer;
    pay_risk_t          risk;
    pay_risk_table_t   *table;
    counter_t          *counters;
    uint32_t            events;
} gateway_t;

typedef struct {
    pay_arena_t            *arena;
    const pay_json_t       *json;
    int64_t                 at_s;
    pay_str_t               merchant;
    pay_order_t             orders[PAY_ORDERS_MAX];
    pay_payment_request_t   request;
} event_t;


static void configure(gateway_t *gateway, pay_arena_t *arena,
    const char *rules, const char *model);
static void set_risk(gateway_t *gateway);
static void refuse(const char *path, const char *detail);
static pay_str_t file_read(const char *path, size_t most);
static void event_read(event_t *event);
static void buyer_read(event_t *event);
static void orders_read(event_t *event);
static pay_str_t text_of(const pay_json_t *object, const char *name);
static int64_t number_of(const pay_json_t *object, const char *name);
static void decide(gateway_t *gateway, event_t *event);
static pay_risk_action_t count_windows(gateway_t *gateway,
    const event_t *event, const pay_risk_findings_t *found);
static int64_t count_window(gateway_t *gateway, const event_t *event,
    const pay_risk_window_t *window);
static uint64_t name_of(const event_t *event, const pay_risk_window_t *window,
    int64_t hour);
static counter_t *counter_of(gateway_t *gateway, uint64_t name);
static void write_line(const pay_risk_findings_t *found,
    pay_risk_action_t windows);
static void read_value(const pay_json_t *json, double *value);
static void must(int holds, const char *why);

/* The linker puts the second one in the place of the first (--wrap). */
void __real_pay_risk_vector(const pay_risk_facts_t *facts,
    const pay_risk_counts_t *counts, double values[PAY_RISK_FEATURES]);
void __wrap_pay_risk_vector(const pay_risk_facts_t *facts,
    const pay_risk_counts_t *counts, double values[PAY_RISK_FEATURES]);


/* Of the event under way; NULL: there are none. */
static const pay_json_t  *known;


int
main(int argc, char **argv)
{
    static char       line[BYTES_MAX];
    event_t           event;
    gateway_t        *gateway = calloc(1, sizeof(gateway_t));
    pay_err_t         err;
    pay_heap_t       *heap = pay_heap_create();
    pay_json_t       *json;

    must(argc == 2 || argc == 3, "usage: risk-world RULES [MODEL]");
    must(gateway != NULL && heap != NULL, "no memory");
    configure(gateway, pay_heap_arena(heap), argv[1],
              argc == 3 ? argv[2] : NULL);

    while (fgets(line, sizeof(line), stdin) != NULL) {
        pay_heap_t  *own = pay_heap_create();

        must(own != NULL, "no memory");
        must(pay_json_parse(pay_str_of(line), NULL, &json, &err) == PAY_OK,
             "an event is no JSON");
        memset(&event, 0, sizeof(event));
        event.arena = pay_heap_arena(own);
        event.json = json;
        event_read(&event);
        decide(gateway, &event);
        pay_json_free(json);
        pay_heap_destroy(own);
    }

    pay_heap_destroy(heap);
    free(gateway->counters);
    free(gateway->table);
    free(gateway);

    return 0;
}


static void
configure(gateway_t *gateway, pay_arena_t *arena, const char *rules,
    const char *model)
{
    char       detail[256];
    unsigned   line;
    pay_err_t  err;
    pay_str_t  text = file_read(rules, PAY_RISK_TRIAL_MAX);

    if (pay_risk_trial_read(arena, text, &gateway->trial, &line, &err)
        != PAY_OK)
    {
        snprintf(detail, sizeof(detail), "line %u %s", line, err.detail);
        refuse(rules, detail);
    }

    if (model != NULL
        && pay_risk_model_read(arena, file_read(model, PAY_RISK_MODEL_MAX),
                               pay_risk_features(), &gateway->scorer.model,
                               &err) != PAY_OK)
    {
        refuse(model, err.detail);
    }

    gateway->table = aligned_alloc(64, MEMORY);
    gateway->counters = calloc(COUNTERS, sizeof(counter_t));
    must(gateway->table != NULL && gateway->counters != NULL, "no memory");
    must(pay_risk_table(gateway->table, MEMORY) != NULL, "no table");
    set_risk(gateway);
}


static void
set_risk(gateway_t *gateway)
{
    unsigned                    i, k;
    pay_keyring_t               ring = { .count = 1 };
    pay_risk_t                 *risk = &gateway->risk;
    const pay_risk_velocity_t  *velocity;

    for (i = 0; i < gateway->trial.velocity_count; i++) {
        velocity = &gateway->trial.velocities[i];

        if (velocity->of != PAY_RISK_ATTEMPTS
            || pay_risk_is_after(velocity->key))
        {
            refuse("a velocity", "counts more than attempts of a checkout");
        }
    }

    for (i = 0; i < gateway->trial.scale_count; i++) {
        gateway->scales[i].merchant_id = gateway->trial.scales[i].merchant_id;
        gateway->scales[i].is_shadow = gateway->trial.scales[i].is_shadow;

        for (k = 0; k < PAY_RISK_PARTS; k++) {
            gateway->scales[i].weights[k] =
                (unsigned) gateway->trial.scales[i].weights[k];
            gateway->scales[i].thresholds[k] =
                (unsigned) gateway->trial.scales[i].thresholds[k];
        }
    }

    risk->rules = gateway->trial.rules;
    risk->rule_count = gateway->trial.rule_count;
    risk->velocities = gateway->trial.velocities;
    risk->velocity_count = gateway->trial.velocity_count;
    risk->scales = gateway->scales;
    risk->scale_count = gateway->trial.scale_count;
    risk->scorers = &gateway->scorer;
    risk->scorer_count = gateway->scorer.model != NULL;
    gateway->scorer.name = PAY_STR("model");
    must(pay_risk_keys(&ring, risk) == PAY_OK, "no keys");
}


static void
refuse(const char *path, const char *detail)
{
    fprintf(stderr, "%s: %s\n", path, detail);
    exit(REFUSED);
}


static pay_str_t
file_read(const char *path, size_t most)
{
    FILE           *file = fopen(path, "rb");
    size_t          len;
    unsigned char  *bytes = malloc(most + 1);

    must(file != NULL && bytes != NULL, path);
    len = fread(bytes, 1, most + 1, file);
    must(len <= most, "a file is too long");
    fclose(file);

    return (pay_str_t) { len, bytes };
}


static void
event_read(event_t *event)
{
    pay_err_t               err;
    pay_payment_request_t  *request = &event->request;

    event->at_s = number_of(event->json, "at");
    event->merchant = text_of(event->json, "merchant");
    request->total_minor = number_of(event->json, "amount");
    must(pay_currency_find(text_of(event->json, "currency"),
                           &request->currency, &err) == PAY_OK,
         "an event is in no currency");
    known = pay_json_get(event->json, "known");
    buyer_read(event);
    orders_read(event);
}


static void
buyer_read(event_t *event)
{
    int64_t            at_s;
    const pay_json_t  *info = pay_json_get(event->json, "buyer_info");
    pay_buyer_info_t  *buyer = &event->request.buyer;

    buyer->id = text_of(info, "id");
    buyer->email = text_of(info, "email");
    buyer->phone = text_of(info, "phone");
    buyer->ip = text_of(info, "ip");
    buyer->user_agent = text_of(info, "user_agent");
    buyer->device = text_of(info, "device");
    buyer->billing_country = text_of(info, "billing_country");
    buyer->shipping_country = text_of(info, "shipping_country");

    if (pay_json_integer(pay_json_get(info, "account_created_at"), &at_s)
        == PAY_OK)
    {
        buyer->account_created_s = at_s;
    }
}


/* One order for each seller; amounts of orders are in no rule. */
static void
orders_read(event_t *event)
{
    size_t             i;
    const pay_json_t  *sellers = pay_json_get(event->json, "sellers");

    event->request.orders = event->orders;
    event->request.order_count = (unsigned) pay_json_size(sellers);
    must(event->request.order_count > 0
         && event->request.order_count <= PAY_ORDERS_MAX,
         "an event has no sellers, or too many");

    for (i = 0; i < event->request.order_count; i++) {
        must(pay_json_string(pay_json_at(sellers, i), &event->orders[i].seller)
             == PAY_OK, "a seller is no text");
    }
}


/* Empty: there is none. */
static pay_str_t
text_of(const pay_json_t *object, const char *name)
{
    pay_str_t  text;

    return pay_json_string(pay_json_get(object, name), &text) == PAY_OK
           ? text : PAY_STR("");
}


static int64_t
number_of(const pay_json_t *object, const char *name)
{
    int64_t  number = 0;

    must(pay_json_integer(pay_json_get(object, name), &number) == PAY_OK,
         name);

    return number;
}


/* As the worker does it: counted, then looked at. */
static void
decide(gateway_t *gateway, event_t *event)
{
    unsigned             i;
    pay_risk_facts_t     facts;
    pay_risk_counts_t    counts;
    pay_risk_findings_t  found;

    must(pay_risk_facts(event->arena, event->merchant, &event->request,
                        event->at_s, &facts) == PAY_OK, "no facts");
    must(pay_risk_count(event->arena, &gateway->risk, &facts, &counts)
         == PAY_OK, "no windows");

    for (i = 0; i < counts.count; i++) {
        counts.items[i].count = pay_risk_table_add(
            gateway->table, counts.items[i].key,
            counts.items[i].velocity->window_s, counts.at_s);
    }

    must(pay_risk_find(event->arena, &gateway->risk, &facts, &counts, &found)
         == PAY_OK, "no findings");
    gateway->events++;
    write_line(&found, count_windows(gateway, event, &found));
}


/* All are counted before one is judged.  Their names are written first. */
static pay_risk_action_t
count_windows(gateway_t *gateway, const event_t *event,
    const pay_risk_findings_t *found)
{
    size_t                    i;
    uint64_t                  name;
    counter_t                *counter;
    pay_risk_action_t         most = PAY_RISK_ALLOW;
    const pay_risk_window_t  *window;

    for (i = 0; i < found->window_count; i++) {
        name = name_of(event, &found->windows[i], event->at_s / HOUR_S);
        counter = counter_of(gateway, name);
        counter->name = name;

        if (counter->last != gateway->events) {
            counter->last = gateway->events;
            counter->attempts++;
        }
    }

    for (i = 0; i < found->window_count; i++) {
        window = &found->windows[i];

        if (count_window(gateway, event, window) > window->velocity->limit) {
            printf("%.*s,", pay_fmt(window->velocity->name));

            if (!window->is_shadow && window->velocity->then > most) {
                most = window->velocity->then;
            }
        }
    }

    return most;
}


/* The hour that has begun, and the whole ones before it. */
static int64_t
count_window(gateway_t *gateway, const event_t *event,
    const pay_risk_window_t *window)
{
    int64_t  hour = event->at_s / HOUR_S, back, sum = 0;

    for (back = 0; back <= window->hours; back++) {
        sum += counter_of(gateway, name_of(event, window, hour - back))
               ->attempts;
    }

    return sum;
}


/* By a hash of 64 bits alone: two of a world's names are hardly the same. */
static uint64_t
name_of(const event_t *event, const pay_risk_window_t *window, int64_t hour)
{
    size_t     i, n;
    uint64_t   name = UINT64_C(14695981039346656037);
    pay_str_t  parts[] = {
        event->merchant, pay_str_of(pay_risk_key_name(window->velocity->key)),
        window->hash
    };

    for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        for (n = 0; n < parts[i].len; n++) {
            name = (name ^ parts[i].data[n]) * UINT64_C(1099511628211);
        }

        name = (name ^ '\n') * UINT64_C(1099511628211);
    }

    return (name ^ (uint64_t) hour) * UINT64_C(0x9e3779b97f4a7c15);
}


/* Its own, or a free one. */
static counter_t *
counter_of(gateway_t *gateway, uint64_t name)
{
    size_t      i;
    counter_t  *counter;

    for (i = 0; i < COUNTERS / 2; i++) {
        counter = &gateway->counters[(name + i) % COUNTERS];

        if (counter->name == name || counter->name == 0) {
            return counter;
        }
    }

    must(0, "too many counters");

    return NULL;
}


static void
write_line(const pay_risk_findings_t *found, pay_risk_action_t windows)
{
    double              total = 0, probability = 0;
    size_t              i;
    pay_err_t           err;
    pay_json_t         *json;
    pay_risk_action_t   decision;
    const pay_json_t   *score;

    for (i = 0; i < found->hit_count; i++) {
        printf("%.*s,", pay_fmt(found->hits[i].name));
    }

    must(pay_json_parse(found->json, NULL, &json, &err) == PAY_OK,
         "no document");
    must(pay_risk_action_find(text_of(json, "decision"), &decision) == PAY_OK,
         "no decision");
    score = pay_json_get(json, "score");
    printf("%s", pay_json_get(score, "then") != NULL ? "score" : "");
    read_value(pay_json_get(score, "total"), &total);
    read_value(pay_json_path(score, "parts", "model", NULL), &probability);

    if (pay_json_is_true(pay_json_get(json, "allowed"))) {
        decision = PAY_RISK_ALLOW;

    } else if (windows > decision) {
        decision = windows;
    }

    printf("\t%s\t%.6f\t%.6f\n", pay_risk_action_name(decision), total,
           probability);
    pay_json_free(json);
}


void
__wrap_pay_risk_vector(const pay_risk_facts_t *facts,
    const pay_risk_counts_t *counts, double values[PAY_RISK_FEATURES])
{
    unsigned                    i;
    const pay_risk_features_t  *features = pay_risk_features();

    __real_pay_risk_vector(facts, counts, values);

    for (i = 0; i < features->count; i++) {
        if (isnan(values[i])) {
            read_value(pay_json_get(known, features->names[i]), &values[i]);
        }
    }
}


/* No number: *value stays. */
static void
read_value(const pay_json_t *json, double *value)
{
    double   real;
    int64_t  integer;

    if (pay_json_integer(json, &integer) == PAY_OK) {
        *value = (double) integer;

    } else if (pay_json_real(json, &real) == PAY_OK) {
        *value = real;
    }
}


static void
must(int holds, const char *why)
{
    if (!holds) {
        fprintf(stderr, "risk-world: %s\n", why);
        exit(1);
    }
}
