/*
 * The text of payctl explain: how an order stands and what comes next, then
 * its story (explain_story.c).
 */

#include "cli/explain.h"
#include "cli/table.h"

#include <stdint.h>
#include <string.h>


#define JSON_BYTES  (64 * 1024 * 1024)


static void put_field(const char *name, const char *value);
static void put_head(pay_arena_t *arena, const char *merchant,
    const pay_json_t *top);
static void put_judgement(pay_arena_t *arena, const pay_json_t *top);
static void put_risk(pay_arena_t *arena, const pay_json_t *risk);
static void put_score(pay_arena_t *arena, const pay_json_t *score);
static void put_payout(pay_arena_t *arena, const pay_json_t *payout);
static void put_stop(pay_arena_t *arena, const char *name,
    const pay_json_t *payout, const char *stop, const char *until);


/* 0 when the JSON cannot be read, which is a mismatch of versions between
 * payctl and the database. */
int
pay_cli_explain_text(const char *merchant, pay_str_t explanation)
{
    int           done;
    pay_heap_t   *heap;
    pay_json_t   *top;
    pay_err_t     err;
    pay_arena_t  *arena;

    const pay_json_limits_t  limits = { JSON_BYTES, PAY_JSON_DEPTH_HARD,
                                        EXPLAIN_LINES, EXPLAIN_VALUES };

    heap = pay_heap_create();
    if (heap == NULL) {
        return 0;
    }

    arena = pay_heap_arena(heap);
    done = pay_json_parse(explanation, &limits, &top, &err) == PAY_OK;

    if (done) {
        put_head(arena, merchant, top);
        put_judgement(arena, top);
        put_risk(arena, pay_json_get(top, "risk"));
        put_payout(arena, pay_json_get(top, "payout"));
        done = explain_put_story(arena, top);
        pay_json_free(top);
    }

    pay_heap_destroy(heap);

    return done;
}


static void
put_field(const char *name, const char *value)
{
    printf("%-15s", name);
    (void) pay_cli_put(stdout, value, SIZE_MAX);
    putchar('\n');
}


static void
put_head(pay_arena_t *arena, const char *merchant, const pay_json_t *top)
{
    const char        *reason, *token;
    const pay_json_t  *reg;

    reg = pay_json_get(top, "registration");
    reason = explain_text_of(arena, top, "reason");
    token = explain_text_of(arena, reg, "token");

    put_field("order", explain_text_of(arena, top, "payment_order_id"));
    put_field("checkout", explain_text_of(arena, top, "checkout_id"));
    put_field("merchant", merchant);
    put_field("amount", explain_amount_of(arena, top, "amount",
                                          "currency"));
    put_field("status", explain_text_of(arena, top, "status"));

    if (*reason != '\0') {
        put_field("reason", reason);
    }

    put_field("expires", explain_text_of(arena, top, "expires_at"));
    put_field("psp", explain_text_of(arena, top, "psp"));
    put_field("registration", explain_text_of(arena, reg, "state"));
    put_field("  attempt", explain_text_of(arena, reg, "attempt"));
    put_field("  nonce", explain_text_of(arena, reg, "nonce"));

    if (*token != '\0') {
        put_field("  token", token);
    }
}


/* The judgement: the party that everything waits for, the next step, and
 * whether a new checkout is safe. */
static void
put_judgement(pay_arena_t *arena, const pay_json_t *top)
{
    const char        *at;
    const pay_json_t  *next, *retry;

    next = pay_json_get(top, "next_step");
    retry = pay_json_get(top, "safe_to_retry");

    putchar('\n');
    put_field("waits for", explain_text_of(arena, top, "waits_for"));
    put_field("", explain_text_of(arena, top, "why"));

    at = explain_text_of(arena, next, "at");
    put_field("next step", explain_text_of(arena, next, "what"));

    if (*at != '\0') {
        put_field("  at", at);
    }

    at = explain_text_of(arena, retry, "after");
    put_field("safe to retry", explain_text_of(arena, retry, "answer"));

    if (*at != '\0') {
        put_field("  after", at);
    }

    put_field("", explain_text_of(arena, retry, "reason"));
}


/* The decision before the PSP was asked; nothing where nothing was looked at.
 * The name of a hit of a list is the kind of its key, never the key. */
static void
put_risk(pay_arena_t *arena, const pay_json_t *risk)
{
    size_t             i;
    const pay_json_t  *hit, *hits;

    if (risk == NULL) {
        return;
    }

    putchar('\n');
    put_field("risk", explain_text_of(arena, risk, "decision"));
    put_field("  decided by", explain_text_of(arena, risk, "by"));
    put_field("  rules", explain_text_of(arena, risk, "version"));

    hits = pay_json_get(risk, "hits");

    for (i = 0; i < pay_json_size(hits); i++) {
        hit = pay_json_at(hits, i);
        put_field("  hit", explain_text_of(arena, hit, "name"));
        put_field("    of", explain_text_of(arena, hit, "by"));
        put_field("    asks for", explain_text_of(arena, hit, "then"));

        if (pay_json_is_true(pay_json_get(hit, "shadow"))) {
            put_field("    in shadow", "yes");
        }
    }

    put_score(arena, pay_json_get(risk, "score"));
}


/* The total and its parts, and the features that raised the model's
 * probability, the strongest first. */
static void
put_score(pay_arena_t *arena, const pay_json_t *score)
{
    size_t             i;
    const pay_json_t  *parts = pay_json_get(score, "parts");
    const pay_json_t  *model = pay_json_get(score, "model");
    const pay_json_t  *reasons = pay_json_get(model, "reasons");

    if (*explain_text_of(arena, score, "total") == '\0') {
        return;
    }

    put_field("  score", explain_text_of(arena, score, "total"));
    put_field("    model", explain_text_of(arena, parts, "model"));
    put_field("    rules", explain_text_of(arena, parts, "rules"));
    put_field("    velocity", explain_text_of(arena, parts, "velocity"));
    put_field("    device", explain_text_of(arena, parts, "device"));

    if (*explain_text_of(arena, model, "name") != '\0') {
        put_field("  model", explain_text_of(arena, model, "name"));
    }

    for (i = 0; i < pay_json_size(reasons); i++) {
        put_field("    because of", explain_value_of(
                      arena, pay_json_at(pay_json_at(reasons, i), 0)));
    }
}


/* The seller's money of the order; nothing where none was sold. */
static void
put_payout(pay_arena_t *arena, const pay_json_t *payout)
{
    const char  *at;

    if (*explain_text_of(arena, payout, "open") == '\0') {
        return;
    }

    putchar('\n');
    put_field("to pay out", explain_amount_of(arena, payout, "open",
                                              "currency"));
    put_field("  seller", explain_text_of(arena, payout, "seller_account"));
    put_stop(arena, "  stopped by", payout, "stop", "until");
    put_stop(arena, "  seller's stop", payout, "seller_stop", "seller_until");

    at = explain_text_of(arena, payout, "reserved_until");

    if (*at != '\0') {
        put_field("  reserved", explain_amount_of(arena, payout, "reserved",
                                                  "currency"));
        put_field("    until", at);
    }

    at = explain_text_of(arena, payout, "next_run_at");

    if (*at != '\0') {
        put_field("  next run", at);
    }
}


static void
put_stop(pay_arena_t *arena, const char *name, const pay_json_t *payout,
    const char *stop, const char *until)
{
    const char  *why = explain_text_of(arena, payout, stop);
    const char  *at = explain_text_of(arena, payout, until);

    if (*why != '\0') {
        put_field(name, why);
    }

    if (*at != '\0') {
        put_field("    until", at);
    }
}
