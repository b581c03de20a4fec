/*
 * What risk knows of a checkout, what it counts by, and the document that
 * PostgreSQL decides with: nothing personal is in clear in it.
 */

#include "risk_world.h"
#include "torture.h"

#include <stdio.h>
#include <string.h>


static void
expect_value(const risk_world_t *world, pay_risk_attribute_t attribute,
    const char *text)
{
    const pay_risk_value_t  *value = &world->facts.values[attribute];

    cr_expect(value->is_known && pay_str_is(value->text, text), "%.*s",
              pay_fmt(value->text));
}


static int
has(const char *document, const char *part)
{
    return strstr(document, part) != NULL;
}


Test(pay_risk, facts_have_one_spelling)
{
    risk_world_t  world;

    risk_world_open(&world);
    expect_value(&world, PAY_RISK_email, "adal@gmail.com");
    expect_value(&world, PAY_RISK_email_domain, "gmail.com");
    expect_value(&world, PAY_RISK_phone, "+491701234");
    expect_value(&world, PAY_RISK_ip, "192.0.2.17");

    world.request.buyer.email = PAY_STR("Ada.L+x@Example.com");
    world.request.buyer.ip = PAY_STR("2001:0DB8::0001");
    risk_world_look(&world);
    expect_value(&world, PAY_RISK_email, "ada.l+x@example.com");
    expect_value(&world, PAY_RISK_ip, "2001:db8::1");
    risk_world_close(&world);
}


Test(pay_risk, an_account_from_the_future_is_not_known)
{
    risk_world_t  world;

    risk_world_open(&world);
    world.request.buyer.account_created_s = RISK_NOW + 1;
    risk_world_look(&world);
    cr_expect_not(world.facts.values[PAY_RISK_account_days].is_known);
    risk_world_close(&world);
}


Test(pay_risk, a_seller_counts_once)
{
    risk_world_t  world;

    risk_world_open(&world);
    world.orders[1].seller = PAY_STR("seller-2");
    world.orders[2].seller = PAY_STR("seller-1");
    world.request.order_count = 3;
    risk_world_look(&world);
    cr_expect_eq(world.facts.values[PAY_RISK_sellers].number, 2);
    cr_expect_eq(world.facts.values[PAY_RISK_orders].number, 3);

    (void) risk_world_velocity(&world, PAY_RISK_BY_seller, 60, 1,
                               PAY_RISK_BLOCK);
    (void) risk_world_findings(&world);
    cr_expect_eq(world.counts.count, 2);
    cr_expect_neq(world.counts.items[0].key, world.counts.items[1].key);
    risk_world_close(&world);
}


Test(pay_risk, windows_are_of_one_merchant_and_one_value)
{
    uint64_t      key;
    risk_world_t  world;

    risk_world_open(&world);
    (void) risk_world_velocity(&world, PAY_RISK_BY_ip, 600, 1, PAY_RISK_BLOCK);
    (void) risk_world_findings(&world);
    cr_assert_eq(world.counts.count, 1);
    key = world.counts.items[0].key;

    world.facts.merchant_id = PAY_STR("other");
    world.counts.items = NULL;
    (void) risk_world_findings(&world);
    cr_expect_neq(world.counts.items[0].key, key);

    world.facts.merchant_id = PAY_STR("acme");
    world.counts.items = NULL;
    (void) risk_world_findings(&world);
    cr_expect_eq(world.counts.items[0].key, key);

    world.request.buyer.ip = PAY_STR("192.0.2.18");
    risk_world_look(&world);
    world.counts.items = NULL;
    (void) risk_world_findings(&world);
    cr_expect_neq(world.counts.items[0].key, key);
    risk_world_close(&world);
}


Test(pay_risk, of_ipv6_a_household_is_one_address)
{
    uint64_t      key;
    risk_world_t  world;

    risk_world_open(&world);
    (void) risk_world_velocity(&world, PAY_RISK_BY_ip, 600, 1, PAY_RISK_BLOCK);
    world.request.buyer.ip = PAY_STR("2001:db8:0:1::1");
    risk_world_look(&world);
    (void) risk_world_findings(&world);
    key = world.counts.items[0].key;

    world.request.buyer.ip = PAY_STR("2001:db8:0:1:ffff::2");
    risk_world_look(&world);
    world.counts.items = NULL;
    (void) risk_world_findings(&world);
    cr_expect_eq(world.counts.items[0].key, key);

    world.request.buyer.ip = PAY_STR("2001:db8:0:2::1");
    risk_world_look(&world);
    world.counts.items = NULL;
    (void) risk_world_findings(&world);
    cr_expect_neq(world.counts.items[0].key, key);
    risk_world_close(&world);
}


Test(pay_risk, ipv4_in_the_clothes_of_ipv6_is_ipv4)
{
    uint64_t      key;
    pay_str_t     kept;
    risk_world_t  world;

    risk_world_open(&world);
    (void) risk_world_velocity(&world, PAY_RISK_BY_ip, 600, 1, PAY_RISK_BLOCK);
    (void) risk_world_findings(&world);
    key = world.counts.items[0].key;

    world.request.buyer.ip = PAY_STR("::FFFF:192.0.2.17");
    risk_world_look(&world);
    world.counts.items = NULL;
    cr_expect(has(risk_world_findings(&world), "ip=192.0.2.0/24;"));
    cr_expect_eq(world.counts.items[0].key, key);
    expect_value(&world, PAY_RISK_ip, "192.0.2.17");

    world.request.buyer.ip = PAY_STR("::ffff:192.0.2.18");
    risk_world_look(&world);
    world.counts.items = NULL;
    (void) risk_world_findings(&world);
    cr_expect_neq(world.counts.items[0].key, key, "not all buyers are one");

    cr_assert_eq(pay_risk_list_value(world.arena, &world.risk, 0,
                                     PAY_STR("ip"),
                                     PAY_STR("::ffff:c000:211"), &kept),
                 PAY_OK);
    cr_expect(pay_str_is(kept, "192.0.2.17/32"));
    risk_world_close(&world);
}


/* Letters that look alike are not the same: an entry about Ada's address must
 * not meet who has another one.  Only ASCII has two cases here. */
Test(pay_risk, an_address_of_look_alikes_is_another_one)
{
    size_t         i;
    pay_str_t      kept, other;
    risk_world_t   world;
    const char    *others[] = {
        "\xd0\xb0" "da@shop.example",       /* Cyrillic a */
        "\xef\xbd\x81" "da@shop.example",   /* full width */
        "a\xcc\x81" "da@shop.example",      /* a and an accent */
        "\xc3\xa1" "da@shop.example",       /* both in one */
        "ada@sh\xd0\xbe" "p.example", "ada@shop.example.",
        "ada+x@shop.example", "a.da@shop.example"
    };

    risk_world_open(&world);
    cr_assert_eq(pay_risk_list_value(world.arena, &world.risk, 0,
                                     PAY_STR("email"),
                                     PAY_STR("ADA@Shop.Example"), &kept),
                 PAY_OK);

    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        cr_assert_eq(pay_risk_list_value(world.arena, &world.risk, 0,
                                         PAY_STR("email"),
                                         pay_str_of(others[i]), &other),
                     PAY_OK, "%s", others[i]);
        cr_expect_not(pay_str_eq(kept, other), "%s", others[i]);
    }

    risk_world_close(&world);
}


Test(pay_risk, one_more_than_the_limit_hits)
{
    risk_world_t  world;

    risk_world_open(&world);
    (void) risk_world_velocity(&world, PAY_RISK_BY_ip, 600, 3, PAY_RISK_BLOCK);
    (void) risk_world_findings(&world);
    world.counts.items[0].count = 3;
    cr_expect(has(risk_world_findings(&world), " hits: keys"));
    world.counts.items[0].count = 4;
    cr_expect(has(risk_world_findings(&world), " hits:often=block; keys"));
    risk_world_close(&world);
}


Test(pay_risk, the_most_severe_rule_decides_and_shadows_do_not)
{
    risk_world_t  world;

    risk_world_open(&world);
    (void) risk_world_rule(&world, "if hour=11", PAY_RISK_CHALLENGE);
    (void) risk_world_rule(&world, "if hour=11", PAY_RISK_REVIEW);
    risk_world_rule(&world, "if hour=11", PAY_RISK_BLOCK)->is_shadow = 1;
    cr_expect(has(risk_world_findings(&world), "\"decision\":\"review\","
                  "\"allowed\":false"));
    (void) risk_world_rule(&world, "if hour=11", PAY_RISK_ALLOW);
    cr_expect(has(risk_world_findings(&world), "\"allowed\":true"));
    risk_world_close(&world);
}


Test(pay_risk, in_shadow_nothing_acts_and_no_list_is_asked)
{
    const char    *document;
    risk_world_t   world;

    risk_world_open(&world);
    world.risk.is_shadow = 1;
    (void) risk_world_rule(&world, "if hour=11", PAY_RISK_BLOCK);
    (void) risk_world_velocity(&world, PAY_RISK_BY_ip, 7200, 3,
                               PAY_RISK_BLOCK);
    document = risk_world_findings(&world);
    cr_expect(has(document, "\"decision\":\"allow\""));
    cr_expect(has(document, " keys: windows"));
    cr_expect(has(document, "hits:rule=block/shadow; "));
    cr_expect(has(document, "/shadow;") && has(document, "=2h:"));
    risk_world_close(&world);
}


Test(pay_risk, rules_of_another_merchant_do_not_apply)
{
    risk_world_t  world;

    risk_world_open(&world);
    (void) risk_world_rule(&world, "if hour=11", PAY_RISK_BLOCK);
    (void) risk_world_velocity(&world, PAY_RISK_BY_ip, 60, 1, PAY_RISK_BLOCK);
    (void) risk_world_velocity(&world, PAY_RISK_BY_ip, 7200, 1,
                               PAY_RISK_BLOCK);
    world.rules[0].merchant_id = PAY_STR("other");
    world.velocities[0].merchant_id = PAY_STR("other");
    world.velocities[1].merchant_id = PAY_STR("other");
    cr_expect(has(risk_world_findings(&world), " hits: keys"));
    cr_expect(has(risk_world_findings(&world), " windows:."));
    cr_expect_eq(world.counts.count, 0);
    risk_world_close(&world);
}


Test(pay_risk, nothing_personal_is_in_clear)
{
    size_t         i;
    const char    *document;
    risk_world_t   world;
    const char    *secrets[] = { "ada", "buyer-7", "491701234", "Mozilla" };

    risk_world_open(&world);
    world.request.buyer.user_agent = PAY_STR("Mozilla/5.0");
    risk_world_look(&world);
    (void) risk_world_velocity(&world, PAY_RISK_BY_email, 600, 1,
                               PAY_RISK_BLOCK);
    (void) risk_world_velocity(&world, PAY_RISK_BY_buyer, 7200, 1,
                               PAY_RISK_BLOCK);
    document = risk_world_findings(&world);

    for (i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        cr_expect_not(has(document, secrets[i]), "%s in %s", secrets[i],
                      document);
    }

    cr_expect(has(document, "\"email\":true"));
    cr_expect(has(document, "ip=192.0.2.0/24;"));
    cr_expect(has(document, "country=FR;"));
    cr_expect(has(document, "email_domain=gmail.com;"));
    risk_world_close(&world);
}


/* Each is a look into the lists. */
Test(pay_risk, a_country_that_is_there_twice_is_looked_up_once)
{
    const char    *found;
    risk_world_t   world;

    risk_world_open(&world);
    world.request.buyer.shipping_country = PAY_STR("DE");
    risk_world_look(&world);
    found = strstr(risk_world_findings(&world), "country=DE;");
    cr_assert_not_null(found);
    cr_expect_null(strstr(found + 1, "country=DE;"), "%s", found);
    risk_world_close(&world);
}


Test(pay_risk, long_windows_are_postgresqls)
{
    const char           *document;
    risk_world_t          world;
    pay_risk_velocity_t  *velocity;

    risk_world_open(&world);
    velocity = risk_world_velocity(&world, PAY_RISK_BY_email, 86400, 1000000,
                                   PAY_RISK_REVIEW);
    velocity->of = PAY_RISK_SUM;
    velocity->currency = world.request.currency;
    document = risk_world_findings(&world);
    cr_expect_eq(world.counts.count, 0);
    cr_expect(has(document, " windows:often=24h:"));
    cr_expect_not(has(document, "shadow"));
    risk_world_close(&world);
}


Test(pay_risk, the_value_of_a_list_is_that_of_a_checkout)
{
    size_t         i;
    char           part[128];
    pay_str_t      kept;
    const char    *document;
    risk_world_t   world;
    struct {
        const char  *kind;
        const char  *value;
    } same[] = {
        { "email", "ADAL@gmail.com" }, { "email", "a.d.a.l+y@GMAIL.com" },
        { "phone", "+49 170 1234" }, { "buyer", "buyer-7" },
        { "email_domain", "GMAIL.COM" }, { "ip", "192.0.2.17" },
        { "ip", "192.0.2.99/24" }, { "ip", "192.0.0.0/16" },
        { "country", "DE" }
    };

    risk_world_open(&world);
    document = risk_world_findings(&world);

    for (i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        cr_assert_eq(pay_risk_list_value(world.arena, &world.risk, 0,
                                         pay_str_of(same[i].kind),
                                         pay_str_of(same[i].value), &kept),
                     PAY_OK, "%s", same[i].value);
        (void) snprintf(part, sizeof(part), "%s=%.*s;", same[i].kind,
                        pay_fmt(kept));
        cr_expect(has(document, part), "%s in %s", part, document);
    }

    /* what an older key has hashed is found, too */
    cr_assert_eq(pay_risk_list_value(world.arena, &world.risk, 1,
                                     PAY_STR("email"),
                                     PAY_STR("adal@gmail.com"), &kept),
                 PAY_OK);
    (void) snprintf(part, sizeof(part), "email=%.*s;", pay_fmt(kept));
    cr_expect(has(document, part));
    risk_world_close(&world);
}


Test(pay_risk, values_that_no_list_can_have_are_refused)
{
    size_t         i;
    pay_str_t      kept;
    risk_world_t   world;
    struct {
        const char  *kind;
        const char  *value;
    } bad[] = {
        { "colour", "red" }, { "email", "" }, { "email", "nobody" },
        { "email_domain", "a@b.c" }, { "country", "de" }, { "country", "DEU" },
        { "ip", "192.0.2" }, { "ip", "192.0.2.1/25" }, { "ip", "192.0.2.1/" },
        { "ip", "192.0.2.1/240" }, { "ip", "2001:db8::/24" },
        { "ip", "192.0.2.1/2x" }, { "phone", "none" }
    };

    risk_world_open(&world);

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_expect_eq(pay_risk_list_value(world.arena, &world.risk, 0,
                                         pay_str_of(bad[i].kind),
                                         pay_str_of(bad[i].value), &kept),
                     PAY_INVALID, "%s %s", bad[i].kind, bad[i].value);
    }

    risk_world_close(&world);
}


Test(pay_risk, memory_that_ends_is_an_ordinary_error)
{
    unsigned           n;
    pay_risk_findings_t  found;
    risk_world_t       world;
    pay_status_t       status;
    pay_risk_facts_t   facts;
    pay_risk_counts_t  counts;

    risk_world_open(&world);
    (void) risk_world_rule(&world, "if hour=11", PAY_RISK_REVIEW);
    (void) risk_world_velocity(&world, PAY_RISK_BY_email, 600, 1,
                               PAY_RISK_BLOCK);
    (void) risk_world_velocity(&world, PAY_RISK_BY_ip, 7200, 1,
                               PAY_RISK_BLOCK);

    for (n = 1; n < 500; n++) {
        pay_heap_fail_at(world.heap, n);
        status = pay_risk_facts(world.arena, PAY_STR("acme"), &world.request,
                                RISK_NOW, &facts);

        if (status == PAY_OK) {
            status = pay_risk_count(world.arena, &world.risk, &facts, &counts);
        }

        if (status == PAY_OK) {
            status = pay_risk_find(world.arena, &world.risk, &facts, &counts,
                                   &found);
        }

        if (!pay_heap_failed(world.heap)) {
            break;
        }

        cr_expect_eq(status, PAY_NO_MEMORY, "at %u", n);
    }

    cr_expect(n > 5 && n < 500 && status == PAY_OK);
    risk_world_close(&world);
}


Test(pay_risk_delay, it_is_about_the_time_of_the_psp)
{
    cr_expect_eq(pay_risk_delay_ms(100, 400, 0), 300);
    cr_expect_eq(pay_risk_delay_ms(100, 400, 32768), 400);
    cr_expect_eq(pay_risk_delay_ms(100, 400, 65535), 499);
}


Test(pay_risk_delay, it_has_a_least_and_a_most)
{
    unsigned  draw;

    for (draw = 0; draw < 65536; draw += 4096) {
        cr_expect_geq(pay_risk_delay_ms(100, 0, draw), 100);
        cr_expect_leq(pay_risk_delay_ms(100, 0, draw), 170);
        cr_expect_geq(pay_risk_delay_ms(3000, 20, draw), 3000);
        cr_expect_leq(pay_risk_delay_ms(100, INT64_C(1) << 40, draw), 6250);
        cr_expect_eq(pay_risk_delay_ms(0, 400, draw), 0, "it is off");
    }

    cr_expect_neq(pay_risk_delay_ms(100, 0, 0),
                  pay_risk_delay_ms(100, 0, 65535), "never always the same");
}


/* The terms are sent with each word about a card, so that windows with other
 * keys do not stand in them. */
Test(pay_risk, windows_of_cards_are_terms_of_events)
{
    pay_str_t            json;
    pay_risk_t           risk = { .velocity_count = 2, .version = "c0ffee" };
    pay_risk_velocity_t  velocities[2] = {
        { .name = PAY_STR("mail"), .key = PAY_RISK_BY_email, .window_s = 60,
          .limit = 1, .then = PAY_RISK_REVIEW },
        { .name = PAY_STR("card"), .merchant_id = PAY_STR("acme"),
          .key = PAY_RISK_BY_card, .of = PAY_RISK_DECLINES, .window_s = 60,
          .limit = 3, .then = PAY_RISK_BLOCK, .is_shadow = 1 }
    };

    risk.velocities = velocities;
    cr_assert_eq(pay_risk_after(test_arena(), &risk, &json), PAY_OK);
    cr_expect(pay_str_is(json, "{\"shadow\":false,\"version\":\"c0ffee\","
                         "\"block\":\"hold\",\"windows\":[{\"shadow\":true,"
                         "\"name\":\"card\",\"key\":\"card\","
                         "\"of\":\"declines\",\"then\":\"block\","
                         "\"seconds\":60,\"limit\":3,"
                         "\"merchant\":\"acme\"}]}"), "%.*s",
              pay_fmt(json));

    risk.velocity_count = 0;
    risk.voids = 1;
    risk.is_shadow = 1;
    risk.review = PAY_STR("{\"deadline_s\":60}");
    cr_assert_eq(pay_risk_after(test_arena(), &risk, &json), PAY_OK);
    cr_expect(pay_str_is(json, "{\"shadow\":true,\"version\":\"c0ffee\","
                         "\"block\":\"void\",\"review\":"
                         "{\"deadline_s\":60},\"windows\":[]}"), "%.*s",
              pay_fmt(json));
}
