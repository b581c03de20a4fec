/*
 * Rules of risk: what they mean, what is not known, and lines that are none.
 */

#include "risk_world.h"

#include <stdio.h>
#include <string.h>


static int
hits(risk_world_t *world, const char *line)
{
    world->risk.rule_count = 0;

    return pay_risk_rule_hits(risk_world_rule(world, line, PAY_RISK_REVIEW),
                              &world->facts);
}


Test(pay_risk_rule, each_comparison_means_what_it_says)
{
    risk_world_t  world;

    risk_world_open(&world);
    cr_expect(hits(&world, "if amount>=500.00USD"));
    cr_expect(hits(&world, "if amount<=500.00USD"));
    cr_expect(hits(&world, "if amount=500.00USD"));
    cr_expect_not(hits(&world, "if amount>500.00USD"));
    cr_expect_not(hits(&world, "if amount<500.00USD"));
    cr_expect_not(hits(&world, "if amount!=500.00USD"));
    cr_expect(hits(&world, "if amount!=500.01USD"));
    cr_expect(hits(&world, "if hour=11"));
    cr_expect(hits(&world, "if weekday=2"));
    cr_expect(hits(&world, "if account_days=3"));
    cr_expect(hits(&world, "if country=FR,DE"));
    cr_expect_not(hits(&world, "if country!=FR,DE"));
    cr_expect(hits(&world, "if country!=FR"));
    cr_expect(hits(&world, "if billing_country!=:shipping_country"));
    cr_expect(hits(&world, "if country=:billing_country"));
    cr_expect(hits(&world, "if orders=:sellers"));
    risk_world_close(&world);
}


Test(pay_risk_rule, amounts_of_another_currency_are_not_compared)
{
    risk_world_t  world;

    risk_world_open(&world);
    cr_expect_not(hits(&world, "if amount>0.01EUR"));
    cr_expect_not(hits(&world, "if amount<100000.00EUR"));
    cr_expect_not(hits(&world, "if amount!=1.00EUR"));
    risk_world_close(&world);
}


Test(pay_risk_rule, and_binds_closer_than_or)
{
    risk_world_t  world;

    risk_world_open(&world);
    cr_expect(hits(&world, "if country=DE or country=US and hour=3"));
    cr_expect(hits(&world, "if country=US and hour=3 or country=DE"));
    cr_expect_not(hits(&world, "if country=US or country=DE and hour=3"));
    cr_expect(hits(&world, "if hour=3 or hour=4 or hour=11"));
    cr_expect_not(hits(&world, "if hour=11 and country=DE and orders=2"));
    risk_world_close(&world);
}


Test(pay_risk_rule, what_is_missing_makes_no_comparison_hold)
{
    size_t         i;
    risk_world_t   world;
    const char    *lines[] = {
        "if email=a@b.c", "if email!=a@b.c", "if ip=192.0.2.1",
        "if account_days<1", "if account_days>=0", "if billing_country=DE",
        "if billing_country!=:shipping_country",
        "if country=:billing_country", "if email!=missing"
    };

    risk_world_open(&world);
    memset(&world.request.buyer, 0, sizeof(pay_buyer_info_t));
    risk_world_look(&world);

    for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        cr_expect_not(hits(&world, lines[i]), "%s", lines[i]);
    }

    cr_expect(hits(&world, "if email=missing"));
    cr_expect(hits(&world, "if country!=missing"));
    cr_expect(hits(&world, "if email=missing and hour=11"));
    risk_world_close(&world);
}


/* Each attribute that may be missing, with each comparison that it has. */
Test(pay_risk_rule, no_comparison_of_any_attribute_holds_of_what_is_missing)
{
    size_t         i, k;
    char           line[64];
    risk_world_t   world;

    static const struct {
        const char  *name;
        const char  *value;
        int          has_order;
    } missing[] = {
        { "method", "card", 0 }, { "country", "DE", 0 },
        { "billing_country", "DE", 0 }, { "shipping_country", "DE", 0 },
        { "ip", "192.0.2.17", 0 }, { "email", "a@b.c", 0 },
        { "email_domain", "b.c", 0 }, { "phone", "+491", 0 },
        { "buyer", "b", 0 }, { "device", "d", 0 }, { "user_agent", "u", 0 },
        { "account_days", "0", 1 }
    };
    static const char  *const signs[] = { "=", "!=", "<", "<=", ">", ">=" };

    risk_world_open(&world);
    memset(&world.request.buyer, 0, sizeof(pay_buyer_info_t));
    world.request.country = PAY_STR("");
    risk_world_look(&world);

    for (i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
        for (k = 0; k < (missing[i].has_order ? 6u : 2u); k++) {
            (void) snprintf(line, sizeof(line), "if %s%s%s", missing[i].name,
                            signs[k], missing[i].value);
            cr_expect_not(hits(&world, line), "%s", line);
        }

        (void) snprintf(line, sizeof(line), "if %s=missing", missing[i].name);
        cr_expect(hits(&world, line), "%s", line);
    }

    risk_world_close(&world);
}


Test(pay_risk_rule, lines_that_are_none_are_refused)
{
    size_t           i;
    pay_err_t        err;
    risk_world_t     world;
    pay_risk_rule_t  rule;
    struct {
        const char  *words[4];
        size_t       count;
    } lines[] = {
        { { "if" }, 1 },
        { { "when", "hour=1" }, 2 },
        { { "if", "hour=1", "and" }, 3 },
        { { "if", "hour=1", "xor", "hour=2" }, 4 },
        { { "if", "colour=red" }, 2 },
        { { "if", "hour" }, 2 },
        { { "if", "hour=" }, 2 },
        { { "if", "=1" }, 2 },
        { { "if", "hour=x" }, 2 },
        { { "if", "hour=1234567890" }, 2 },
        { { "if", "hour=-1" }, 2 },
        { { "if", "country>DE" }, 2 },
        { { "if", "country=DE,," }, 2 },
        { { "if", "country=," }, 2 },
        { { "if", "hour>missing" }, 2 },
        { { "if", "amount>=500" }, 2 },
        { { "if", "amount>=500.0USD" }, 2 },
        { { "if", "amount>=500.00XXX" }, 2 },
        { { "if", "amount>=USD" }, 2 },
        { { "if", "country=:hour" }, 2 },
        { { "if", "country=:" }, 2 },
    };
    pay_str_t  words[4];
    unsigned   k;

    risk_world_open(&world);

    for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        for (k = 0; k < lines[i].count; k++) {
            words[k] = pay_str_of(lines[i].words[k]);
        }

        memset(&rule, 0, sizeof(rule));
        cr_expect_eq(pay_risk_rule_read(world.arena, words, lines[i].count,
                                        &rule, &err), PAY_INVALID, "%zu", i);
    }

    risk_world_close(&world);
}


Test(pay_risk_rule, seventeen_comparisons_are_too_many)
{
    unsigned         i;
    pay_err_t        err;
    pay_str_t        words[34];
    risk_world_t     world;
    pay_risk_rule_t  rule;

    risk_world_open(&world);

    for (i = 0; i < 34; i++) {
        words[i] = i % 2 != 0 ? PAY_STR("hour=1")
                   : i == 0 ? PAY_STR("if") : PAY_STR("and");
    }

    memset(&rule, 0, sizeof(rule));
    cr_expect_eq(pay_risk_rule_read(world.arena, words, 34, &rule, &err),
                 PAY_INVALID);
    cr_expect_eq(pay_risk_rule_read(world.arena, words, 32, &rule, &err),
                 PAY_OK);
    risk_world_close(&world);
}


/* A replay knows of some values only that they are there, of others nothing. */
Test(pay_risk_rule, a_value_that_is_not_stored_is_neither_true_nor_false)
{
    size_t        i;
    risk_world_t  world;

    static const struct {
        const char        *line;
        pay_risk_truth_t   truth;
    } cases[] = {
        { "if email=x@y.example", PAY_RISK_UNKNOWN },
        { "if email!=x@y.example", PAY_RISK_UNKNOWN },
        { "if email=missing", PAY_RISK_NO },
        { "if email!=missing", PAY_RISK_YES },
        { "if phone=missing", PAY_RISK_UNKNOWN },
        { "if phone=1", PAY_RISK_UNKNOWN },
        { "if country=:email", PAY_RISK_UNKNOWN },
        { "if hour=11 and email=x@y.example", PAY_RISK_UNKNOWN },
        { "if hour=12 and email=x@y.example", PAY_RISK_NO },
        { "if email=x@y.example and hour=12", PAY_RISK_NO },
        { "if email=x@y.example or hour=11", PAY_RISK_YES },
        { "if email=x@y.example or hour=12", PAY_RISK_UNKNOWN }
    };

    risk_world_open(&world);
    world.facts.values[PAY_RISK_email].is_known = 1;
    world.facts.values[PAY_RISK_email].is_hidden = 1;
    memset(&world.facts.values[PAY_RISK_phone], 0, sizeof(pay_risk_value_t));
    world.facts.values[PAY_RISK_phone].is_lost = 1;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        world.risk.rule_count = 0;
        cr_expect_eq(pay_risk_rule_truth(risk_world_rule(&world, cases[i].line,
                                                         PAY_RISK_REVIEW),
                                         &world.facts),
                     cases[i].truth, "%s", cases[i].line);
    }

    risk_world_close(&world);
}
