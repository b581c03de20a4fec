/*
 * May a buyer pay once more: the last question about a page that only we have
 * called over.
 */

#include "flow_driver.h"


#define OWNER    "worker-1"
#define GRACE_S  900


static void
job_begin(world_t *world, const char *kind, int64_t now_s,
    const pay_checkout_row_t *view)
{
    pay_job_row_t  job = {
        .kind = pay_str_of(kind), .attempts = 1, .checkout = *view
    };

    world_open(world);
    world->now_s = now_s;
    world->stored = view->token.len != 0;
    world_made(world, pay_flow_job(&world->flow, &job, PAY_STR(OWNER)));
    world_start(world);
}


/* The job is put off, not dropped. */
static void
expect_again(const world_t *world, const char *kind, const char *code,
    int64_t delay_ms)
{
    expect_db(world, PAY_OP_FINISH_JOB);
    expect_arg(world, finish_job, kind, kind);
    expect_arg(world, finish_job, owner, OWNER);
    cr_expect_eq(asked(world, finish_job)->delay_ms, delay_ms, "%ld",
                 (long) asked(world, finish_job)->delay_ms);
    expect_arg(world, finish_job, code, code);
    expect_arg(world, finish_job, dead, NULL);
}


/* A webhook about what is paid after that may be lost. */
Test(pay_flow_again, what_is_expired_by_us_is_asked_about_once_more)
{
    pay_checkout_row_t  view = view_registered(generic()), over = view;
    world_t             world;

    set_orders(&over, "[" STORED("order-1", "3000", "FAILED",
                                     "\"expired\"") "]");

    job_begin(&world, "poll", EXPIRES + GRACE_S + 1, &view);
    world.psps[WORLD_GENERIC].last_look_s = 86400;
    world_answer(&world, generic(), 200, "query-open.json");
    expect_db(&world, PAY_OP_APPLY_EVENT);
    world_row(&world, PAY_OUTCOME_APPLIED, &over);
    expect_again(&world, "poll", "last_look", 86400000);
    world_close(&world);

    /* money that is held has not expired */
    job_begin(&world, "poll", EXPIRES + GRACE_S + 1, &view);
    world.psps[WORLD_GENERIC].last_look_s = 86400;
    world_answer(&world, generic(), 200, "query-open.json");
    world_row(&world, PAY_OUTCOME_UNCHANGED, &view);
    expect_again(&world, "poll", "applied", 5000);
    world_close(&world);

    /* a worker that died before it could put the job off */
    job_begin(&world, "poll", EXPIRES + GRACE_S + 400, &over);
    world.psps[WORLD_GENERIC].last_look_s = 86400;
    world_answer(&world, generic(), 200, "query-open.json");
    expect_again(&world, "poll", "last_look", 86000000);
    world_close(&world);

    job_begin(&world, "poll", EXPIRES + GRACE_S + 86400, &over);
    world.psps[WORLD_GENERIC].last_look_s = 86400;
    world_answer(&world, generic(), 200, "query-open.json");
    expect_again(&world, "poll", "open", 5000);
    world_close(&world);
}
