/*
 * See risk_world.h.
 */

#include "risk_world.h"

#include <string.h>


void
risk_world_open(risk_world_t *world)
{
    memset(world, 0, sizeof(*world));
    world->heap = pay_heap_create();
    cr_assert_not_null(world->heap);
    world->arena = pay_heap_arena(world->heap);

    world->ring.count = 2;
    memset(world->ring.keys[0].bytes, 1, PAY_KEYRING_KEY);
    memset(world->ring.keys[1].bytes, 2, PAY_KEYRING_KEY);
    cr_assert_eq(pay_risk_keys(&world->ring, &world->risk), PAY_OK);
    world->risk.rules = world->rules;
    world->risk.velocities = world->velocities;
    memcpy(world->risk.version, "v1", sizeof("v1"));

    world->orders[0].seller = PAY_STR("seller-1");
    world->orders[0].amount_minor = 50000;
    world->request.orders = world->orders;
    world->request.order_count = 1;
    world->request.total_minor = 50000;
    world->request.country = PAY_STR("DE");
    world->request.buyer = (pay_buyer_info_t) {
        .id = PAY_STR("buyer-7"), .email = PAY_STR("Ada.L+x@Gmail.com"),
        .phone = PAY_STR("0049 (170) 12-34"), .ip = PAY_STR("192.0.2.17"),
        .billing_country = PAY_STR("DE"), .shipping_country = PAY_STR("FR"),
        .account_created_s = RISK_NOW - 3 * 86400 - 1
    };
    cr_assert_eq(pay_currency_find(PAY_STR("USD"), &world->request.currency,
                                   NULL), PAY_OK);
    risk_world_look(world);
}


void
risk_world_close(risk_world_t *world)
{
    pay_heap_destroy(world->heap);
}


void
risk_world_look(risk_world_t *world)
{
    cr_assert_eq(pay_risk_facts(world->arena, PAY_STR("acme"),
                                &world->request, RISK_NOW, &world->facts),
                 PAY_OK);
}


pay_risk_rule_t *
risk_world_rule(risk_world_t *world, const char *line, pay_risk_action_t then)
{
    size_t            count = 0;
    pay_err_t         err;
    pay_str_t         words[40];
    const char       *end;
    pay_risk_rule_t  *rule = &world->rules[world->risk.rule_count++];

    memset(rule, 0, sizeof(*rule));
    rule->name = PAY_STR("rule");
    rule->then = then;

    for ( ; *line != '\0'; line = *end == ' ' ? end + 1 : end) {
        end = strchr(line, ' ');
        end = end != NULL ? end : line + strlen(line);
        words[count++] = (pay_str_t) { (size_t) (end - line),
                                       (const unsigned char *) line };
    }

    cr_assert_eq(pay_risk_rule_read(world->arena, words, count, rule, &err),
                 PAY_OK, "%s", err.detail);

    return rule;
}


pay_risk_velocity_t *
risk_world_velocity(risk_world_t *world, pay_risk_key_t key, int64_t window_s,
    int64_t limit, pay_risk_action_t then)
{
    pay_risk_velocity_t  *velocity;

    velocity = &world->velocities[world->risk.velocity_count++];
    *velocity = (pay_risk_velocity_t) {
        .name = PAY_STR("often"), .key = key, .window_s = window_s,
        .limit = limit, .then = then
    };

    return velocity;
}


/* hits:NAME=WORD; keys:KIND=VALUE; windows:NAME=HOURSh:HASH;. */
static void
describe(pay_buf_t *buf, const pay_risk_findings_t *found)
{
    size_t                    i;
    const pay_risk_window_t  *window;

    pay_buf_text(buf, " hits:");

    for (i = 0; i < found->hit_count; i++) {
        pay_buf_add(buf, found->hits[i].name);
        pay_buf_text(buf, "=");
        pay_buf_text(buf, pay_risk_action_name(found->hits[i].then));
        pay_buf_text(buf, found->hits[i].is_shadow ? "/shadow;" : ";");
    }

    pay_buf_text(buf, " keys:");

    for (i = 0; i < found->key_count; i++) {
        pay_buf_text(buf, found->keys[i].kind);
        pay_buf_text(buf, "=");
        pay_buf_add(buf, found->keys[i].value);
        pay_buf_text(buf, ";");
    }

    pay_buf_text(buf, " windows:");

    for (i = 0; i < found->window_count; i++) {
        window = &found->windows[i];
        pay_buf_add(buf, window->velocity->name);
        pay_buf_text(buf, "=");
        pay_buf_int(buf, window->hours);
        pay_buf_text(buf, "h:");
        pay_buf_add(buf, window->hash);
        pay_buf_text(buf, window->is_shadow ? "/shadow;" : ";");
    }

    pay_buf_text(buf, ".");
}


const char *
risk_world_findings(risk_world_t *world)
{
    pay_buf_t            buf;
    pay_str_t            text, copy;
    pay_risk_findings_t  found;

    if (world->counts.items == NULL) {
        cr_assert_eq(pay_risk_count(world->arena, &world->risk, &world->facts,
                                    &world->counts), PAY_OK);
    }

    cr_assert_eq(pay_risk_find(world->arena, &world->risk, &world->facts,
                               &world->counts, &found), PAY_OK);
    pay_buf_init(&buf, world->arena, 65536);
    pay_buf_add(&buf, found.json);
    describe(&buf, &found);
    cr_assert_eq(pay_buf_done(&buf, &text), PAY_OK);
    cr_assert_eq(pay_dup(world->arena, text, &copy), PAY_OK);

    return (const char *) copy.data;
}
