/*
 * Cards of webhooks on their way to PostgreSQL: as keyed hashes alone.
 */

#include "flow_driver.h"


#define RISK  "\"risk\":{\"card\":\"f1\",\"bin\":\"424242\",\"score\":0},"


static void
deliver(world_t *world, pay_str_t body)
{
    pay_header_t                headers[6];
    pay_webhook_input_t         in = { .body = body, .headers = headers };
    const pay_psp_conf_t       *psp = &world->psps[WORLD_GENERIC];
    const pay_sig_message_t     message = {
        .settings = &psp->settings, .key = psp->webhook_keys,
        .id = PAY_STR("evt_01JD90"), .now_s = NOW, .body = body
    };

    in.psp = psp;
    cr_assert_eq(psp->scheme->sign(pay_heap_arena(world->own), &message,
                                   headers, &in.header_count), PAY_OK);
    world_made(world, pay_flow_webhook(&world->flow, &in));
    world_start(world);
}


/* The name of the card stays here; without a look at risk, all of it. */
Test(pay_flow_card, a_card_leaves_as_a_keyed_hash)
{
    int                         looks;
    world_t                     world;
    pay_str_t                   body;
    pay_risk_t                  risk = { 0 };
    pay_keyring_t               ring = { .count = 1 };
    const pay_psp_card_row_t   *row;

    cr_assert_eq(pay_risk_keys(&ring, &risk), PAY_OK);
    risk.after = PAY_STR("{}");

    for (looks = 0; looks <= 1; looks++) {
        world_open(&world);
        world.env.risk = looks ? &risk : NULL;
        body = fixture(pay_heap_arena(world.own),
                       world.psps[WORLD_GENERIC].adapter,
                       "webhook-paid.json");
        deliver(&world, replaced(pay_heap_arena(world.own), body,
                                 "\"token\"", RISK "\"token\""));
        cr_assert_eq(asked(&world, apply_event)->cards_count,
                     (size_t) looks);

        if (looks) {
            row = asked(&world, apply_event)->cards;
            cr_expect(pay_str_is(row->bin, "424242"));
            cr_expect_eq(row->card.len, 2 * PAY_SHA256_SIZE);
            cr_expect(row->score.is_set && row->score.number == 0);
            cr_expect_eq(row->is_hint, 0);
            cr_expect_eq(row->country.len, 0);
            cr_expect_eq(row->card_before.len, 0);
            cr_expect(pay_str_eq(asked(&world, apply_event)->after,
                                 risk.after));
        }

        world_close(&world);
    }
}


/* The buyer's browser is judged, too, where the PSP says nothing of a card. */
Test(pay_flow_card, a_sale_without_a_card_is_judged)
{
    size_t      i;
    world_t     world;
    pay_str_t   body;
    pay_risk_t  risk = { .after = PAY_STR("{}") };

    static const struct {
        const char  *type;
        int          is_judged;
    } cases[] = {
        { "registration.paid", 1 }, { "registration.authorized", 1 },
        { "registration.declined", 0 }, { "registration.expired", 0 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        world_open(&world);
        world.env.risk = &risk;
        body = fixture(pay_heap_arena(world.own),
                       world.psps[WORLD_GENERIC].adapter,
                       "webhook-paid.json");
        deliver(&world, replaced(pay_heap_arena(world.own), body,
                                 "registration.paid", cases[i].type));
        cr_expect_eq(asked(&world, apply_event)->cards_count, 0);
        cr_expect_eq(asked(&world, apply_event)->after.len != 0,
                     cases[i].is_judged, "%s", cases[i].type);
        world_close(&world);
    }
}


/* One is never that of another PSP or account. */
Test(pay_flow_card, cards_of_two_accounts_differ)
{
    size_t         i, k;
    pay_str_t      hex[4];
    pay_arena_t   *arena = test_arena();
    pay_risk_t     risk = { 0 };
    pay_keyring_t  ring = { .count = 1 };

    static const char *const  names[][3] = {
        { "one", "acct", "f1" }, { "two", "acct", "f1" },
        { "one", "", "f1" }, { "one", "acct", "f2" }
    };

    cr_assert_eq(pay_risk_keys(&ring, &risk), PAY_OK);

    for (i = 0; i < 4; i++) {
        const pay_risk_card_name_t  name = {
            pay_str_of(names[i][0]), pay_str_of(names[i][1]),
            pay_str_of(names[i][2])
        };

        cr_assert_eq(pay_risk_card(arena, &risk, 0, &name, &hex[i]), PAY_OK);

        for (k = 0; k < i; k++) {
            cr_expect_not(pay_str_eq(hex[i], hex[k]), "%zu, %zu", i, k);
        }
    }
}
