/*
 * The vector of a checkout, the parts and the total of its score, and the
 * decision that it asks for.
 */

#include "risk_world.h"

#include "risk/risk.h"

#include <math.h>
#include <stdio.h>
#include <string.h>


/* Scores that differ by the hour of the attempt alone: 11 at RISK_NOW. */
#define CARD_HEAD                                                             \
    "{\"form\":\"scorecard\",\"features_hash\":\"%s\",\"intercept\":0,"       \
    "\"features\":["
#define HOUR(points)                                                          \
    "{\"name\":\"hour\",\"bins\":[10],\"points\":[0," points "],"             \
    "\"missing\":0,\"average\":0}"
#define MINOR(name)                                                           \
    ",{\"name\":\"" name "\",\"bins\":[0],\"points\":[0,1],"                  \
    "\"missing\":0,\"average\":0}"


static pay_risk_scorer_t  scorers[3];
static pay_risk_scale_t   scales[2];


static const pay_risk_model_t *
model_of(risk_world_t *world, const char *features)
{
    char                     hash[PAY_RISK_HASH_SIZE];
    char                     text[2048];
    pay_err_t                err = { .slug = NULL };
    const pay_risk_model_t  *model = NULL;

    cr_assert_eq(pay_risk_features_hash(pay_risk_features(), hash), PAY_OK);
    (void) snprintf(text, sizeof(text), CARD_HEAD "%s]}", hash, features);
    cr_assert_eq(pay_risk_model_read(world->arena, pay_str_of(text),
                                     pay_risk_features(), &model, &err),
                 PAY_OK, "%s", err.detail);

    return model;
}


static pay_risk_scorer_t *
add_model(risk_world_t *world, const char *name, const char *features,
    int is_challenger)
{
    pay_risk_scorer_t  *scorer = &scorers[world->risk.scorer_count++];

    *scorer = (pay_risk_scorer_t) {
        .name = pay_str_of(name), .is_challenger = is_challenger,
        .sha256 = "5ha", .model = model_of(world, features)
    };
    world->risk.scorers = scorers;

    return scorer;
}


static pay_risk_scale_t *
add_scale(risk_world_t *world)
{
    unsigned           i;
    pay_risk_scale_t  *scale = &scales[world->risk.scale_count++];

    memset(scale, 0, sizeof(*scale));
    world->risk.scales = scales;

    for (i = 0; i < PAY_RISK_PARTS; i++) {
        scale->weights[i] = pay_risk_part_weight((pay_risk_part_t) i);
    }

    return scale;
}


static void
count_all(risk_world_t *world, uint32_t count)
{
    unsigned  i;

    cr_assert_eq(pay_risk_count(world->arena, &world->risk, &world->facts,
                                &world->counts), PAY_OK);

    for (i = 0; i < world->counts.count; i++) {
        world->counts.items[i].count = count;
    }
}


static pay_risk_total_t
total_of(risk_world_t *world, pay_risk_action_t rules)
{
    pay_risk_total_t  total;

    pay_risk_total(&world->risk, &world->facts, &world->counts, rules, &total);

    return total;
}


static void
expect_value(const double *values, pay_risk_feature_t feature, double wanted)
{
    cr_expect(isnan(wanted) ? isnan(values[feature])
                            : values[feature] == wanted,
              "%s is %.17g", pay_risk_features()->names[feature],
              values[feature]);
}


Test(pay_risk_total, the_vector_has_the_known_values)
{
    double        values[PAY_RISK_FEATURES];
    risk_world_t  world;

    risk_world_open(&world);
    (void) add_model(&world, "m", HOUR("1"), 1);
    count_all(&world, 3);
    pay_risk_vector(&world.facts, &world.counts, values);

    expect_value(values, PAY_RISK_F_amount_log, 6.216606);
    expect_value(values, PAY_RISK_F_hour, 11);
    expect_value(values, PAY_RISK_F_weekday, 2);
    expect_value(values, PAY_RISK_F_orders, 1);
    expect_value(values, PAY_RISK_F_sellers, 1);
    expect_value(values, PAY_RISK_F_account_age_days, 3);
    expect_value(values, PAY_RISK_F_email_is_free, 1);
    expect_value(values, PAY_RISK_F_country_differs, 1);
    expect_value(values, PAY_RISK_F_attempts_ip_10m, 2);
    expect_value(values, PAY_RISK_F_attempts_email_1h, 2);
    expect_value(values, PAY_RISK_F_attempts_buyer_1h, 2);
    expect_value(values, PAY_RISK_F_attempts_device_1h, NAN);
    expect_value(values, PAY_RISK_F_shipping_differs, NAN);
    expect_value(values, PAY_RISK_F_buyer_orders, NAN);
    expect_value(values, PAY_RISK_F_psp_risk, NAN);
    risk_world_close(&world);
}


/* Never 0: a model takes 0 for a value that is known. */
Test(pay_risk_total, a_value_that_is_not_known_is_missing)
{
    size_t                    i;
    double                    values[PAY_RISK_FEATURES];
    risk_world_t              world;
    const pay_risk_feature_t  known[] = {
        PAY_RISK_F_hour, PAY_RISK_F_weekday, PAY_RISK_F_orders,
        PAY_RISK_F_sellers
    };

    risk_world_open(&world);
    memset(&world.request.buyer, 0, sizeof(world.request.buyer));
    cr_assert_eq(pay_currency_find(PAY_STR("JPY"), &world.request.currency,
                                   NULL), PAY_OK);
    risk_world_look(&world);
    (void) add_model(&world, "m", HOUR("1"), 0);
    count_all(&world, 1);
    pay_risk_vector(&world.facts, &world.counts, values);

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        cr_expect_not(isnan(values[known[i]]));
        values[known[i]] = NAN;
    }

    for (i = 0; i < PAY_RISK_FEATURES; i++) {
        cr_expect(isnan(values[i]), "%s", pay_risk_features()->names[i]);
    }

    risk_world_close(&world);
}


static const pay_risk_history_t  history = {
    .orders = 4, .failures = 2, .disputes = 1, .ships = 0, .psp_risk = 3,
    .cents = 99900, .devices = 2, .device_s = RISK_NOW - 3 * 86400 + 1
};


Test(pay_risk_total, the_vector_has_the_buyers_history)
{
    double        values[PAY_RISK_FEATURES];
    risk_world_t  world;

    risk_world_open(&world);
    world.facts.history = &history;
    pay_risk_vector(&world.facts, &world.counts, values);

    expect_value(values, PAY_RISK_F_buyer_orders, 4);
    expect_value(values, PAY_RISK_F_buyer_failures, 2);
    expect_value(values, PAY_RISK_F_buyer_disputes, 1);
    expect_value(values, PAY_RISK_F_shipping_differs, 1);
    expect_value(values, PAY_RISK_F_psp_risk, 3);
    expect_value(values, PAY_RISK_F_amount_log, 6.216606);
    risk_world_close(&world);
}


static void
expect_device(risk_world_t *world, double devices, double device_s,
    double days, double count)
{
    double              values[PAY_RISK_FEATURES];
    pay_risk_history_t  known = {
        .devices = devices, .device_s = device_s
    };

    world->facts.history = &known;
    pay_risk_vector(&world->facts, &world->counts, values);
    expect_value(values, PAY_RISK_F_device_days, days);
    expect_value(values, PAY_RISK_F_buyer_devices, count);
    world->facts.history = NULL;
}


/* Missing until the buyer has paid from a device that is known. */
Test(pay_risk_total, a_device_is_new_until_it_was_paid_from)
{
    risk_world_t  world;

    risk_world_open(&world);
    expect_device(&world, 2, RISK_NOW - 86400, NAN, 2);

    world.request.buyer.device = PAY_STR("d-1");
    risk_world_look(&world);
    expect_device(&world, 0, NAN, NAN, NAN);
    expect_device(&world, 2, NAN, 0, 2);
    expect_device(&world, 1, RISK_NOW, 0, 1);
    expect_device(&world, 1, RISK_NOW + 3, 0, 1);
    expect_device(&world, 1, RISK_NOW - 86399, 0, 1);
    expect_device(&world, 1, RISK_NOW - 86400, 1, 1);
    risk_world_close(&world);
}


Test(pay_risk_total, a_device_has_one_hash_under_each_key)
{
    pay_str_t     hex, wanted;
    risk_world_t  world;

    risk_world_open(&world);
    cr_assert_eq(pay_risk_device(world.arena, &world.risk, 0, &world.facts,
                                 &hex), PAY_OK);
    cr_expect_eq(hex.len, 0, "none is given");

    world.request.buyer.device = PAY_STR("d-1");
    risk_world_look(&world);
    cr_assert_eq(pay_risk_device(world.arena, &world.risk, 0, &world.facts,
                                 &hex), PAY_OK);
    cr_assert_eq(pay_risk_hash(world.arena, &world.risk, 0, PAY_STR("device"),
                               PAY_STR("d-1"), &wanted), PAY_OK);
    cr_expect(pay_str_eq(hex, wanted));
    cr_assert_eq(pay_risk_device(world.arena, &world.risk,
                                 world.risk.key_count, &world.facts, &hex),
                 PAY_OK);
    cr_expect_eq(hex.len, 0, "there is no such key");
    risk_world_close(&world);
}


Test(pay_risk_total, a_history_may_have_gaps)
{
    double              values[PAY_RISK_FEATURES];
    risk_world_t        world;
    pay_risk_history_t  gaps = { .ships = NAN, .psp_risk = NAN, .cents = NAN };

    risk_world_open(&world);
    cr_assert_eq(pay_currency_find(PAY_STR("EUR"), &world.request.currency,
                                   NULL), PAY_OK);
    risk_world_look(&world);
    world.facts.history = &gaps;
    pay_risk_vector(&world.facts, &world.counts, values);

    expect_value(values, PAY_RISK_F_buyer_orders, 0);
    expect_value(values, PAY_RISK_F_shipping_differs, NAN);
    expect_value(values, PAY_RISK_F_psp_risk, NAN);
    expect_value(values, PAY_RISK_F_amount_log, NAN);
    risk_world_close(&world);
}


/* Nobody has a history of 0 orders; the rate is known all the same. */
Test(pay_risk_total, of_nobody_the_history_is_missing)
{
    double        values[PAY_RISK_FEATURES];
    risk_world_t  world;

    risk_world_open(&world);
    world.request.buyer.id = PAY_STR("");
    world.request.buyer.email = PAY_STR("");
    cr_assert_eq(pay_currency_find(PAY_STR("JPY"), &world.request.currency,
                                   NULL), PAY_OK);
    risk_world_look(&world);
    world.facts.history = &history;
    pay_risk_vector(&world.facts, &world.counts, values);

    expect_value(values, PAY_RISK_F_buyer_orders, NAN);
    expect_value(values, PAY_RISK_F_shipping_differs, NAN);
    expect_value(values, PAY_RISK_F_amount_log, 6.907755);
    risk_world_close(&world);
}


Test(pay_risk_total, only_a_scored_checkout_looks_back)
{
    risk_world_t  world;

    risk_world_open(&world);
    cr_expect_not(pay_risk_looks_back(&world.risk, &world.facts));
    (void) add_model(&world, "m", HOUR("1"), 1);
    cr_expect(pay_risk_looks_back(&world.risk, &world.facts));

    world.request.buyer.id = PAY_STR("");
    risk_world_look(&world);
    cr_expect(pay_risk_looks_back(&world.risk, &world.facts), "of an email");

    world.request.buyer.email = PAY_STR("");
    risk_world_look(&world);
    cr_expect_not(pay_risk_looks_back(&world.risk, &world.facts));

    cr_assert_eq(pay_currency_find(PAY_STR("EUR"), &world.request.currency,
                                   NULL), PAY_OK);
    risk_world_look(&world);
    cr_expect(pay_risk_looks_back(&world.risk, &world.facts), "for its rate");
    risk_world_close(&world);
}


/* The id before the address of mail, and another key is another hash. */
Test(pay_risk_total, a_buyer_has_one_hash_under_each_key)
{
    unsigned      i;
    pay_str_t     hex, wanted;
    risk_world_t  world;

    risk_world_open(&world);

    for (i = 0; i < world.risk.key_count; i++) {
        cr_assert_eq(pay_risk_buyer(world.arena, &world.risk, i, &world.facts,
                                    &hex), PAY_OK);
        cr_assert_eq(pay_risk_hash(world.arena, &world.risk, i,
                                   PAY_STR("buyer"), world.request.buyer.id,
                                   &wanted), PAY_OK);
        cr_expect(pay_str_eq(hex, wanted), "%u", i);
    }

    cr_assert_eq(pay_risk_buyer(world.arena, &world.risk, i, &world.facts,
                                &hex), PAY_OK);
    cr_expect_eq(hex.len, 0, "there is no such key");

    world.request.buyer.id = PAY_STR("");
    risk_world_look(&world);
    cr_assert_eq(pay_risk_buyer(world.arena, &world.risk, 0, &world.facts,
                                &hex), PAY_OK);
    cr_assert_eq(pay_risk_hash(world.arena, &world.risk, 0, PAY_STR("email"),
                               world.facts.values[PAY_RISK_email].text,
                               &wanted), PAY_OK);
    cr_expect(pay_str_eq(hex, wanted));
    risk_world_close(&world);
}


Test(pay_risk_total, without_a_memory_attempts_are_missing)
{
    double        values[PAY_RISK_FEATURES];
    risk_world_t  world;

    risk_world_open(&world);
    (void) add_model(&world, "m", HOUR("1"), 0);
    count_all(&world, 0);
    pay_risk_vector(&world.facts, &world.counts, values);
    expect_value(values, PAY_RISK_F_attempts_ip_10m, NAN);
    risk_world_close(&world);
}


Test(pay_risk_total, an_account_of_the_future_is_new)
{
    double        values[PAY_RISK_FEATURES];
    risk_world_t  world;

    risk_world_open(&world);
    world.request.buyer.account_created_s = RISK_NOW + 86400;
    risk_world_look(&world);
    pay_risk_vector(&world.facts, &world.counts, values);
    expect_value(values, PAY_RISK_F_account_age_days, 0);
    risk_world_close(&world);
}


Test(pay_risk_total, attempts_are_counted_for_a_model_alone)
{
    risk_world_t  world;

    risk_world_open(&world);
    count_all(&world, 1);
    cr_expect_eq(world.counts.count, 0);
    add_model(&world, "m", HOUR("1"), 1)->merchant_id = PAY_STR("other");
    count_all(&world, 1);
    cr_expect_eq(world.counts.count, 0, "another merchant's model");
    scorers[0].merchant_id = PAY_STR("acme");
    count_all(&world, 1);
    cr_expect_eq(world.counts.count, 3, "address, mail and buyer");
    risk_world_close(&world);
}


/* Of a velocity with the same key and time they are counted apart. */
Test(pay_risk_total, windows_of_features_are_their_own)
{
    risk_world_t          world;
    pay_risk_velocity_t  *velocity;

    risk_world_open(&world);
    velocity = risk_world_velocity(&world, PAY_RISK_BY_ip, 600, 5,
                                   PAY_RISK_BLOCK);
    (void) add_model(&world, "m", HOUR("1"), 0);
    count_all(&world, 1);
    cr_expect_eq(world.counts.items[0].velocity, velocity);
    cr_expect_neq(world.counts.items[0].key, world.counts.items[1].key);
    cr_expect(pay_risk_is_feature(world.counts.items[1].velocity));
    cr_expect_not(pay_risk_is_feature(velocity));
    risk_world_close(&world);
}


Test(pay_risk_total, without_model_and_weights_nothing_is_scored)
{
    risk_world_t      world;
    pay_risk_total_t  total;

    risk_world_open(&world);
    count_all(&world, 1);
    total = total_of(&world, PAY_RISK_BLOCK);
    cr_expect_eq(total.is_scored, 0);
    cr_expect_eq(total.then, PAY_RISK_ALLOW);
    cr_expect_null(strstr(risk_world_findings(&world), "score"));
    risk_world_close(&world);
}


Test(pay_risk_total, parts_are_weighed)
{
    risk_world_t      world;
    pay_risk_total_t  total;

    risk_world_open(&world);
    (void) risk_world_velocity(&world, PAY_RISK_BY_ip, 600, 8,
                               PAY_RISK_BLOCK);
    /* 1 / (1 + e^-2) */
    (void) add_model(&world, "m", HOUR("2"), 0);
    count_all(&world, 2);
    total = total_of(&world, PAY_RISK_REVIEW);
    cr_expect_eq(total.parts[PAY_RISK_PART_MODEL], 880797);
    cr_expect_eq(total.parts[PAY_RISK_PART_RULES], 666667);
    cr_expect_eq(total.parts[PAY_RISK_PART_VELOCITY], 250000);
    cr_expect_eq(total.parts[PAY_RISK_PART_DEVICE], 666667);
    cr_expect_eq(total.total, 668986, "%lld", (long long) total.total);
    cr_expect_eq(total.then, PAY_RISK_ALLOW, "no threshold, no decision");
    risk_world_close(&world);
}


Test(pay_risk_total, a_full_window_is_one_and_shadow_is_none)
{
    risk_world_t          world;
    pay_risk_velocity_t  *velocity;

    risk_world_open(&world);
    velocity = risk_world_velocity(&world, PAY_RISK_BY_ip, 600, 3,
                                   PAY_RISK_BLOCK);
    (void) add_scale(&world);
    count_all(&world, 400);
    cr_expect_eq(total_of(&world, 0).parts[PAY_RISK_PART_VELOCITY], 1000000);
    velocity->is_shadow = 1;
    cr_expect_eq(total_of(&world, 0).parts[PAY_RISK_PART_VELOCITY], 0);
    risk_world_close(&world);
}


Test(pay_risk_total, a_device_that_says_all_is_none)
{
    risk_world_t  world;

    risk_world_open(&world);
    (void) add_scale(&world);
    world.request.buyer.device = PAY_STR("d");
    world.request.buyer.user_agent = PAY_STR("Mozilla");
    risk_world_look(&world);
    cr_expect_eq(total_of(&world, 0).parts[PAY_RISK_PART_DEVICE], 0);
    memset(&world.request.buyer, 0, sizeof(world.request.buyer));
    risk_world_look(&world);
    cr_expect_eq(total_of(&world, 0).parts[PAY_RISK_PART_DEVICE], 1000000);
    risk_world_close(&world);
}


Test(pay_risk_total, a_threshold_that_is_reached_decides)
{
    size_t             i;
    risk_world_t       world;
    pay_risk_scale_t  *scale;

    /* by its rules alone, 0.667 */
    const struct {
        unsigned           challenge, review, block;
        pay_risk_action_t  then;
    } cases[] = {
        { 0, 0, 0, PAY_RISK_ALLOW },
        { 0, 0, 666, PAY_RISK_BLOCK },
        { 0, 0, 667, PAY_RISK_ALLOW },
        { 100, 200, 900, PAY_RISK_REVIEW },
        { 100, 0, 900, PAY_RISK_CHALLENGE },
        { 100, 200, 300, PAY_RISK_BLOCK }
    };

    risk_world_open(&world);
    scale = add_scale(&world);
    memset(scale->weights, 0, sizeof(scale->weights));
    scale->weights[PAY_RISK_PART_RULES] = PAY_RISK_ONE;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        scale->thresholds[PAY_RISK_CHALLENGE] = cases[i].challenge;
        scale->thresholds[PAY_RISK_REVIEW] = cases[i].review;
        scale->thresholds[PAY_RISK_BLOCK] = cases[i].block;
        cr_expect_eq(total_of(&world, PAY_RISK_REVIEW).then, cases[i].then,
                     "%zu", i);
    }

    risk_world_close(&world);
}


Test(pay_risk_total, a_merchant_s_own_lines_come_first)
{
    risk_world_t       world;
    pay_risk_total_t   total;
    pay_risk_scale_t  *scale;

    risk_world_open(&world);
    scale = add_scale(&world);
    scale->merchant_id = PAY_STR("acme");
    scale->thresholds[PAY_RISK_REVIEW] = 1;
    add_scale(&world)->thresholds[PAY_RISK_BLOCK] = 1;
    add_model(&world, "own", HOUR("2"), 0)->merchant_id = PAY_STR("acme");
    (void) add_model(&world, "of-all", HOUR("-2"), 0);
    add_model(&world, "other", HOUR("1"), 1)->merchant_id = PAY_STR("other");
    total = total_of(&world, 0);
    cr_expect_eq(total.champion, &scorers[0]);
    cr_expect_eq(total.challenger_count, 0);
    cr_expect_eq(total.then, PAY_RISK_REVIEW);
    risk_world_close(&world);
}


Test(pay_risk_total, a_challenger_is_stored_and_acts_never)
{
    const char        *text;
    risk_world_t       world;
    pay_risk_total_t   total;
    pay_risk_scale_t  *scale;

    risk_world_open(&world);
    scale = add_scale(&world);
    memset(scale->weights, 0, sizeof(scale->weights));
    scale->weights[PAY_RISK_PART_MODEL] = PAY_RISK_ONE;
    scale->thresholds[PAY_RISK_BLOCK] = 500;
    (void) add_model(&world, "mild", HOUR("-2"), 0);
    (void) add_model(&world, "wild", HOUR("40"), 1);
    total = total_of(&world, 0);
    cr_expect_eq(total.total, 119203);
    cr_expect_eq(total.then, PAY_RISK_ALLOW);
    cr_expect_eq(total.probabilities[0], 1000000);
    text = risk_world_findings(&world);
    cr_expect_not_null(strstr(text, "\"decision\":\"allow\""));
    cr_expect_not_null(strstr(text, "\"challengers\":[{\"name\":\"wild\","
                              "\"sha256\":\"5ha\",\"probability\":1}]"));
    risk_world_close(&world);
}


Test(pay_risk_total, the_document_has_vector_and_score)
{
    const char        *text;
    risk_world_t       world;
    pay_risk_scale_t  *scale;

    risk_world_open(&world);
    scale = add_scale(&world);
    scale->thresholds[PAY_RISK_BLOCK] = 400;
    (void) add_model(&world, "m", HOUR("3") MINOR("attempts_ip_10m"), 0);
    count_all(&world, 2);
    text = risk_world_findings(&world);
    cr_expect_not_null(strstr(text, "\"decision\":\"block\""), "%s", text);
    cr_expect_not_null(strstr(text, "\"features\":{\"amount_log\":6.216606,"
                              "\"hour\":11,\"weekday\":2,\"orders\":1,"), "%s",
                       text);
    cr_expect_not_null(strstr(text, "\"attempts_ip_10m\":1,"));
    cr_expect_not_null(strstr(text, "\"buyer_devices\":null}"));
    cr_expect_not_null(strstr(text,
        "\"score\":{\"total\":0.459472,\"parts\":{\"model\":0.982014,"
        "\"rules\":0,\"velocity\":0,\"device\":0.666667},\"model\":"
        "{\"name\":\"m\",\"sha256\":\"5ha\",\"probability\":0.982014,"
        "\"reasons\":[[\"hour\",0.75],[\"attempts_ip_10m\",0.25]]},"
        "\"challengers\":[],\"then\":\"block\",\"shadow\":false}"), "%s", text);
    cr_expect_not_null(strstr(text, "\"counts\":[]"), "none of features");
    risk_world_close(&world);
}


Test(pay_risk_total, in_shadow_a_score_decides_nothing)
{
    const char        *text;
    risk_world_t       world;
    pay_risk_scale_t  *scale;

    risk_world_open(&world);
    scale = add_scale(&world);
    scale->thresholds[PAY_RISK_BLOCK] = 1;
    scale->is_shadow = 1;
    text = risk_world_findings(&world);
    cr_expect_not_null(strstr(text, "\"decision\":\"allow\""));
    cr_expect_not_null(strstr(text, "\"then\":\"block\",\"shadow\":true"));
    scale->is_shadow = 0;
    world.risk.is_shadow = 1;
    text = risk_world_findings(&world);
    cr_expect_not_null(strstr(text, "\"decision\":\"allow\""));
    risk_world_close(&world);
}


Test(pay_risk_total, a_rule_that_allows_ends_all)
{
    const char    *text;
    risk_world_t   world;

    risk_world_open(&world);
    add_scale(&world)->thresholds[PAY_RISK_BLOCK] = 1;
    (void) risk_world_rule(&world, "if hour>=0", PAY_RISK_ALLOW);
    text = risk_world_findings(&world);
    cr_expect_not_null(strstr(text, "\"allowed\":true"), "%s", text);
    risk_world_close(&world);
}
