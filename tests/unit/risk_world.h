/*
 * A request, a configuration of risk and the facts of both, for the tests of
 * src/risk.
 */

#ifndef RISK_WORLD_H
#define RISK_WORLD_H

#include "pay_risk.h"

#include <criterion/criterion.h>


#define RISK_NOW  INT64_C(1764068400)  /* 2025-11-25 11:00:00, a Tuesday */

typedef struct {
    pay_heap_t             *heap;
    pay_arena_t            *arena;
    pay_order_t             orders[3];
    pay_payment_request_t   request;
    pay_keyring_t           ring;
    pay_risk_t              risk;
    pay_risk_rule_t         rules[4];
    pay_risk_velocity_t     velocities[4];
    pay_risk_facts_t        facts;
    pay_risk_counts_t       counts;
} risk_world_t;


/* 500.00 USD for one seller, of a buyer who is known. */
void risk_world_open(risk_world_t *world);
void risk_world_close(risk_world_t *world);
/* The facts anew. */
void risk_world_look(risk_world_t *world);
/* A rule of these words with a blank between them, as the next one. */
pay_risk_rule_t *risk_world_rule(risk_world_t *world, const char *line,
    pay_risk_action_t then);
pay_risk_velocity_t *risk_world_velocity(risk_world_t *world,
    pay_risk_key_t key, int64_t window_s, int64_t limit,
    pay_risk_action_t then);
/* What is found as a text, see describe(); the counts are asked for first. */
const char *risk_world_findings(risk_world_t *world);


#endif /* RISK_WORLD_H */
