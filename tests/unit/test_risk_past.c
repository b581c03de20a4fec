/*
 * Windows in memory that are new learn the attempts of before: the same keys,
 * and none that has left its window.
 */

#include "risk_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define SIZE    65536
#define EMAIL   "5555555555555555555555555555555555555555"
#define OLDER   "6666666666666666666666666666666666666666"
#define KEYS    "[[\"email\", \"" EMAIL "\"], [\"email\", \"" OLDER "\"],"   \
                "[\"ip\", \"192.0.0.0/8\"], [\"ip\", \"192.0.0.0/16\"],"    \
                "[\"ip\", \"192.0.2.0/24\"], [\"ip\", \"192.0.2.17/32\"]]"
#define AT      "1764068400"


static pay_risk_table_t *
table_of(void)
{
    void  *memory = aligned_alloc(16, SIZE);

    cr_assert_not_null(memory);

    return pay_risk_table(memory, SIZE);
}


static pay_status_t
read_page(risk_world_t *world, const char *text, pay_risk_past_page_t *page)
{
    return pay_risk_past(world->arena, &world->risk, pay_str_of(text), page);
}


/* What the next attempt of the world's request finds, of its first window. */
static uint32_t
counted_then(risk_world_t *world, const char *text)
{
    size_t                 i;
    uint32_t               count;
    pay_risk_table_t      *table = table_of();
    pay_risk_past_page_t   page;

    cr_assert_eq(read_page(world, text, &page), PAY_OK);

    for (i = 0; i < page.count; i++) {
        pay_risk_table_put(table, page.items[i].key, page.items[i].window_s,
                           page.items[i].at_s);
    }

    cr_assert_eq(pay_risk_count(world->arena, &world->risk, &world->facts,
                                &world->counts), PAY_OK);
    cr_assert_gt(world->counts.count, 0);
    count = pay_risk_table_add(table, world->counts.items[0].key,
                               world->counts.items[0].velocity->window_s,
                               RISK_NOW);
    free(table);

    return count;
}


Test(pay_risk_past, each_key_is_found_by_the_next_attempt)
{
    size_t        i;
    char          page[1024];
    pay_str_t     hash;
    risk_world_t  world;

    static const struct {
        pay_risk_key_t  key;
        const char     *keys;
    } cases[] = {
        { PAY_RISK_BY_ip, KEYS }, { PAY_RISK_BY_ip_net, KEYS },
        { PAY_RISK_BY_seller, KEYS }, { PAY_RISK_BY_merchant, "[]" },
        { PAY_RISK_BY_email, NULL }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        risk_world_open(&world);
        (void) risk_world_velocity(&world, cases[i].key, 600, 10,
                                   PAY_RISK_BLOCK);
        cr_assert_eq(pay_risk_list_value(world.arena, &world.risk, 0,
                                         PAY_STR("email"),
                                         world.request.buyer.email, &hash),
                     PAY_OK);
        (void) snprintf(page, sizeof(page), "{\"attempts\": [[" AT
                        ", \"acme\", %s%.*s%s, [\"seller-1\"]], [" AT
                        ", \"other\", " KEYS ", [\"seller-1\"]]], "
                        "\"next\": null}",
                        cases[i].keys != NULL ? cases[i].keys
                                              : "[[\"email\", \"",
                        cases[i].keys != NULL ? 0 : (int) hash.len, hash.data,
                        cases[i].keys != NULL ? "" : "\"], [\"email\", \""
                        OLDER "\"]]");
        cr_expect_eq(counted_then(&world, page), 2, "%zu: %s", i, page);
        risk_world_close(&world);
    }
}


Test(pay_risk_past, a_network_of_ipv6_is_no_address_of_ipv4)
{
    risk_world_t  world;

    risk_world_open(&world);
    (void) risk_world_velocity(&world, PAY_RISK_BY_ip, 600, 10,
                               PAY_RISK_BLOCK);
    world.request.buyer.ip = PAY_STR("2001:db8:0:7::1");
    risk_world_look(&world);
    cr_expect_eq(counted_then(&world, "{\"attempts\": [[" AT ", \"acme\", "
                              "[[\"ip\", \"2001:db8::/32\"], "
                              "[\"ip\", \"2001:db8:0:7::/64\"]], []]]}"), 2);
    cr_expect_eq(counted_then(&world, "{\"attempts\": [[" AT ", \"acme\", "
                              "[[\"ip\", \"2001:db8::/32\"]], []]]}"), 1);
    risk_world_close(&world);
}


Test(pay_risk_past, windows_of_others_and_long_ones_are_left_out)
{
    risk_world_t           world;
    pay_risk_past_page_t   page;
    pay_risk_velocity_t   *velocity;

    risk_world_open(&world);
    cr_expect_eq(pay_risk_memory_s(&world.risk), 0);
    velocity = risk_world_velocity(&world, PAY_RISK_BY_ip, 600, 10,
                                   PAY_RISK_BLOCK);
    velocity->merchant_id = PAY_STR("other");
    cr_expect_eq(pay_risk_memory_s(&world.risk), 640);
    (void) risk_world_velocity(&world, PAY_RISK_BY_ip, 86400, 10,
                               PAY_RISK_BLOCK);
    velocity = risk_world_velocity(&world, PAY_RISK_BY_ip, 3600, 10,
                                   PAY_RISK_BLOCK);
    velocity->of = PAY_RISK_DECLINES;
    cr_expect_eq(pay_risk_memory_s(&world.risk), 640);
    cr_assert_eq(read_page(&world, "{\"attempts\": [[" AT ", \"acme\", " KEYS
                           ", []]], \"next\": [17, \"acme\", \"c-1\"]}",
                           &page), PAY_OK);
    cr_expect_eq(page.count, 0);
    cr_expect_eq(page.attempts, 1);
    cr_expect_eq(page.next_us, 17);
    cr_expect(pay_str_is(page.next_merchant_id, "acme"));
    cr_expect(pay_str_is(page.next_checkout_id, "c-1"));
    risk_world_close(&world);
}


Test(pay_risk_past, another_page_is_refused)
{
    size_t                i;
    risk_world_t          world;
    pay_risk_past_page_t  page;

    static const char  *const pages[] = {
        "", "[]", "{}", "{\"attempts\": {}}", "{\"attempts\": [7]}",
        "{\"attempts\": [[1, \"m\", []]]}",
        "{\"attempts\": [[\"1\", \"m\", [], []]]}",
        "{\"attempts\": [[0, \"m\", [], []]]}",
        "{\"attempts\": [[4294967296, \"m\", [], []]]}",
        "{\"attempts\": [[1, 2, [], []]]}",
        "{\"attempts\": [[1, \"m\", {}, []]]}",
        "{\"attempts\": [[1, \"m\", [], null]]}",
        "{\"attempts\": [[1, \"m\", [], [3]]]}",
        "{\"attempts\": [], \"next\": [0, \"m\", \"c\"]}",
        "{\"attempts\": [], \"next\": [1, \"m\"]}",
        "{\"attempts\": [], \"next\": 3}"
    };

    risk_world_open(&world);
    (void) risk_world_velocity(&world, PAY_RISK_BY_seller, 600, 10,
                               PAY_RISK_BLOCK);

    for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        cr_expect_eq(read_page(&world, pages[i], &page), PAY_INVALID, "%s",
                     pages[i]);
    }

    risk_world_close(&world);
}


Test(pay_risk_past, an_attempt_of_before_leaves_its_window_in_time)
{
    int64_t            back;
    uint32_t           count;
    pay_risk_table_t  *table;

    for (back = 0; back < 1300; back++) {
        table = table_of();
        cr_expect_not(pay_risk_table_is_whole(table, 0));
        (void) pay_risk_table_add(table, 7, 600, RISK_NOW);
        pay_risk_table_put(table, 7, 600, RISK_NOW - back);
        count = pay_risk_table_add(table, 7, 600, RISK_NOW);

        if (back <= 600) {
            cr_expect_eq(count, 3, "%d", (int) back);

        } else if (back > 640) {
            cr_expect_eq(count, 2, "%d", (int) back);
        }

        pay_risk_table_set_whole(table, 0);
        cr_expect(pay_risk_table_is_whole(table, 0));
        cr_expect_not(pay_risk_table_is_whole(table, 2));
        free(table);
    }
}


/* The order in which they come makes no difference. */
Test(pay_risk_past, newest_first_counts_as_oldest_first)
{
    int64_t            back;
    pay_risk_table_t  *up = table_of(), *down = table_of();

    for (back = 0; back <= 1200; back += 7) {
        pay_risk_table_put(down, 7, 600, RISK_NOW - back);
        pay_risk_table_put(up, 7, 600, RISK_NOW - 1197 + back);
    }

    cr_expect_eq(pay_risk_table_add(down, 7, 600, RISK_NOW),
                 pay_risk_table_add(up, 7, 600, RISK_NOW));
    free(up);
    free(down);
}
