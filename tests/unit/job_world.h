/*
 * A background job with the world played against it: how one begins, and what
 * is expected of its end.  For the tests of src/flow/flow_job.c.
 */

#ifndef JOB_WORLD_H
#define JOB_WORLD_H

#include "flow_driver.h"


#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))
#define GRACE_S   900
#define OWNER     "worker-1"
#define REFUND_ID "0199c0de-0000-7000-8000-0000000000aa"

#define SUCCESS  "[" STORED("order-1", "3000", "SUCCESS", "null") "]"

#define OPEN(id)                                                              \
    STORED_MONEY(id, "3000", "EXECUTING",                                     \
                 MONEY("true", "0", "0", "0", "0", "0"))
#define HELD(id)                                                              \
    STORED_MONEY(id, "3000", "EXECUTING",                                     \
                 MONEY("true", "3000", "0", "0", "0", "0"))
#define SOLD(id)                                                              \
    STORED_MONEY(id, "3000", "SUCCESS",                                       \
                 MONEY("true", "0", "3000", "0", "0", "0"))


static inline void
job_open(world_t *world, const char *kind, int64_t attempts,
    const pay_checkout_row_t *view)
{
    pay_job_row_t  job = {
        .kind = pay_str_of(kind), .attempts = attempts,
        .operation_id = PAY_STR(REFUND_ID), .reference = PAY_STR("pay_1"),
        .checkout = *view
    };

    world->stored = view->token.len != 0;
    world_made(world, pay_flow_job(&world->flow, &job, PAY_STR(OWNER)));
    world_start(world);
}


static inline void
job_begin(world_t *world, const char *kind, int64_t now_s,
    const pay_checkout_row_t *view)
{
    world_open(world);
    world->now_s = now_s;
    job_open(world, kind, 1, view);
}


/* The job is put off, not dropped. */
static inline void
expect_again(const world_t *world, const char *kind, const char *code,
    int64_t delay_ms)
{
    expect_db(world, PAY_OP_FINISH_JOB);
    expect_arg(world, finish_job, merchant_id, "acme");
    expect_arg(world, finish_job, checkout_id, "c-1");
    expect_arg(world, finish_job, kind, kind);
    expect_arg(world, finish_job, operation_id, "");
    expect_arg(world, finish_job, owner, OWNER);
    cr_expect_eq(asked(world, finish_job)->delay_ms, delay_ms, "%ld",
                 (long) asked(world, finish_job)->delay_ms);
    expect_arg(world, finish_job, code, code);
    expect_arg(world, finish_job, dead, NULL);
}


/* The journal says that this is about to be sent, then how it went. */
static inline void
expect_journaled(world_t *world, const char *operation)
{
    expect_db(world, PAY_OP_BEGIN_DISPATCH);
    expect_arg(world, begin_dispatch, operation, operation);
    world_dispatch_row(world, PAY_OUTCOME_SEND, 7, 1);
}


static inline void
expect_noted(world_t *world, const char *operation, const char *state)
{
    expect_db(world, PAY_OP_END_DISPATCH);
    expect_arg(world, end_dispatch, operation, operation);
    cr_expect_eq(asked(world, end_dispatch)->attempt, 7);
    expect_arg(world, end_dispatch, state, state);
    world_result(world, PAY_OUTCOME_STORED, NULL);
}


static inline void
expect_silent_end(const world_t *world, const char *outcome)
{
    cr_assert_eq(world->effect.kind, PAY_DO_DONE);
    cr_expect_null(world->effect.reply, "nobody waits for a job");
    cr_expect_str_eq(world->flow.outcome, outcome);
}


#endif /* JOB_WORLD_H */
