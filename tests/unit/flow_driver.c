/*
 * The world of flow tests: configuration, rows and answers that die after
 * the step, and what must hold for every effect.  Has no opinion of its own
 * about any one flow.
 */

#include "flow_driver.h"


static const pay_str_t  stripe_hosts[] = {
    pay_string("checkout.stripe.com")
};
static const pay_str_t  generic_hosts[] = { pay_string("pay.psp.example") };
static const pay_str_t  shop_hosts[] = { pay_string("shop.example.com") };


static void
psp_fill(pay_psp_t *psp, unsigned index, const pay_psp_adapter_t *adapter,
    const pay_str_t *hosts, const pay_secret_t *keys)
{
    psp->name = pay_str_of(adapter->name);
    psp->adapter = adapter;
    psp->account = account;
    psp->hosted_hosts = hosts;
    psp->hosted_host_count = 1;
    psp->scheme = pay_sig_find(pay_str_of(adapter->scheme));
    psp->webhook_keys = keys;
    psp->webhook_key_count = 1;
    psp->webhook_tolerance_s = PAY_SIG_TOLERANCE_S;
    psp->index = index;

    psp->retry[PAY_RETRY_REGISTER] = (pay_retry_t) {
        PAY_RETRY_EXPONENTIAL, 1000, 60000, 25, 100
    };
    psp->retry[PAY_RETRY_POLL] = (pay_retry_t) {
        PAY_RETRY_EXPONENTIAL, 5000, 300000, 0, 100
    };
    psp->retry[PAY_RETRY_REFUND] = (pay_retry_t) {
        PAY_RETRY_EXPONENTIAL, 5000, 3600000, 0, 50
    };
}


static void
merchant_fill(pay_merchant_t *merchant, const char *id, world_t *world)
{
    merchant->id = pay_str_of(id);
    merchant->return_hosts = shop_hosts;
    merchant->return_host_count = 1;
    merchant->psps = world->offered;
    merchant->psp_count = WORLD_PSPS;
}


void
world_open(world_t *world)
{
    unsigned  i;

    static const char *const  keys[] = {
        "whsec_CANARYAAECAwQFBgcICQoLDA0ODxARST",
        "whsec_CANARYQgIiMkJSYnKCkqKywtLi8wMTIz"
    };

    memset(world, 0, sizeof(*world));
    world->own = pay_heap_create();
    world->heap = pay_heap_create();
    cr_assert(world->own != NULL && world->heap != NULL);
    world->now_s = NOW;

    psp_fill(&world->psps[WORLD_STRIPE], WORLD_STRIPE, stripe(), stripe_hosts,
             &world->webhook_keys[WORLD_STRIPE]);
    psp_fill(&world->psps[WORLD_GENERIC], WORLD_GENERIC, generic(),
             generic_hosts, &world->webhook_keys[WORLD_GENERIC]);

    for (i = 0; i < WORLD_PSPS; i++) {
        world->offered[i] = &world->psps[i];
        cr_assert_eq(world->psps[i].scheme->key_parse(pay_str_of(keys[i]),
                         &world->webhook_keys[i], NULL), PAY_OK);
    }

    merchant_fill(&world->merchants[0], "acme", world);
    merchant_fill(&world->merchants[1], "other", world);
    world->merchants[0].result_key = PAY_STR(RESULT_KEY);

    world->env.psps = world->psps;
    world->env.psp_count = WORLD_PSPS;
    world->env.merchants = world->merchants;
    world->env.merchant_count = 2;
    world->env.lease_ms = 15000;
    world->env.poll_after_ms = 5000;

    world->flow.arena = pay_heap_arena(world->heap);
    world->flow.scratch = world->flow.arena;
    world->flow.args = world->flow.arena;
    world->flow.env = &world->env;
    world->flow.request_id = PAY_STR(REQUEST_ID);
}


void
world_close(world_t *world)
{
    pay_heap_destroy(world->heap);
    pay_heap_destroy(world->own);
}


void
world_made(world_t *world, pay_status_t status)
{
    if (status == PAY_OK) {
        cr_assert_not_null(world->flow.step);
        cr_assert_not_null(world->flow.name);
        return;
    }

    cr_assert(world->tortured && status == PAY_NO_MEMORY, "status %d",
              status);
    world->ended = 1;
}


/* What must never leave the house, anywhere but in the PSP call itself. */
static void
check_clean(pay_str_t text)
{
    cr_assert(text.len == 0 || text.data != NULL);
    cr_assert_not(contains(text, "CANARY"), "a secret: %.*s", pay_fmt(text));
}


static void
check_db(const pay_effect_t *effect)
{
    unsigned         i;
    pay_json_t      *json;
    const pay_op_t  *op;

    cr_assert_lt((unsigned) effect->op, (unsigned) PAY_OP_COUNT);
    cr_assert_not_null(effect->args);
    op = pay_op(effect->op);

    for (i = 0; i < op->in_count; i++) {
        if (effect->args[i].is_null || op->in[i] == PAY_INT) {
            continue;
        }

        check_clean(effect->args[i].bytes);

        if (op->in[i] == PAY_JSON && effect->args[i].bytes.data[0] != '"') {
            cr_assert_eq(pay_json_parse(effect->args[i].bytes, NULL, &json,
                                        NULL), PAY_OK, "argument %u", i);
            pay_json_free(json);
        }
    }
}


static void
check_reply(const world_t *world, const pay_reply_t *reply)
{
    pay_json_t  *json;

    check_clean(reply->body);
    check_clean(reply->location);
    check_clean(reply->pointer);
    check_clean(reply->shop_url);

    if (reply->kind == PAY_REPLY_PROBLEM) {
        cr_assert_not_null(reply->problem);
        cr_assert_eq(reply->body.len, 0);
        cr_assert_geq(reply->status, 400);
    }

    if (reply->kind == PAY_REPLY_REDIRECT) {
        cr_assert(reply->status == 303 && reply->location.len != 0);
    }

    if (reply->kind == PAY_REPLY_PAGE) {
        cr_assert(reply->checkout != NULL);
        cr_assert_eq(reply->shop_url.len != 0, !world->no_shop);
    }

    if (reply->kind != PAY_REPLY_JSON) {
        return;
    }

    cr_assert_eq(pay_json_parse(reply->body, NULL, &json, NULL), PAY_OK);
    cr_assert(world->stored || pay_json_type(pay_json_get(json,
                  "redirect_url")) == PAY_JSON_NULL, "shown too early");
    cr_assert_not(contains(reply->body, "psp.example"));
    cr_assert_not(contains(reply->body, "stripe.com"));
    pay_json_free(json);
}


static void
run(world_t *world, pay_event_t *event)
{
    if (world->ended) {
        cr_assert(world->tortured, "the flow is over");
        return;
    }

    event->now_s = world->now_s;
    memset(&world->effect, 0xa5, sizeof(world->effect));
    pay_flow_run(&world->flow, event, &world->effect);

    if (world->effect.reply != NULL) {
        check_reply(world, world->effect.reply);
    }

    switch (world->effect.kind) {

    case PAY_DO_DB:
        check_db(&world->effect);
        world->db_count++;
        break;

    case PAY_DO_HTTP:
        cr_assert_not_null(world->effect.psp);
        cr_assert(world->effect.http.method.len && world->effect.http.url.len);
        world->http_count++;
        break;

    case PAY_DO_RATES:
        cr_assert_not_null(world->effect.rates);
        break;

    default:
        cr_assert_eq(world->effect.kind, PAY_DO_DONE);
        cr_assert_not_null(world->flow.outcome);
        world->ended = 1;
    }
}


void
world_start(world_t *world)
{
    pay_event_t  event = { .kind = PAY_EVENT_START };

    run(world, &event);
}


/* A copy that sanitizers watch and that is gone after the step. */
static pay_str_t
mortal(pay_str_t text)
{
    unsigned char  *copy = malloc(text.len + 1);

    cr_assert_not_null(copy);

    if (text.len) {
        memcpy(copy, text.data, text.len);
    }

    return (pay_str_t) { text.len, copy };
}


static void
bury(pay_str_t text)
{
    if (text.data != NULL) {
        memset((unsigned char *) text.data, 0xdd, text.len);
        free((unsigned char *) text.data);
    }
}


static void
run_row(world_t *world, const pay_value_t *columns, unsigned count)
{
    unsigned      i;
    pay_event_t   event = { .kind = PAY_EVENT_ROW };
    pay_value_t  *row = malloc(count * sizeof(pay_value_t));

    cr_assert_not_null(row);

    for (i = 0; i < count; i++) {
        row[i] = columns[i];

        if (!row[i].is_null && row[i].bytes.data != NULL) {
            row[i].bytes = mortal(row[i].bytes);
        }
    }

    event.row = row;
    run(world, &event);

    for (i = 0; i < count; i++) {
        bury(row[i].bytes);
    }

    memset(row, 0xdd, count * sizeof(pay_value_t));
    free(row);
}


void
world_row(world_t *world, const char *outcome, const view_t *view)
{
    unsigned      i;
    pay_value_t   row[1 + PAY_VIEW_COLUMNS];
    pay_arena_t  *arena = pay_heap_arena(world->own);

    row[0] = pay_value_text(pay_str_of(outcome));

    for (i = 0; i < PAY_VIEW_COLUMNS; i++) {
        row[1 + i] = view ? view_columns(arena, view)[i] : pay_value_null();
    }

    world->stored = view != NULL && view->token != NULL;
    run_row(world, row, 1 + PAY_VIEW_COLUMNS);
}


void
world_order_row(world_t *world, const char *outcome, const order_row_t *order)
{
    unsigned      i;
    pay_value_t   row[1 + PAY_ORDER_COLUMNS];
    pay_arena_t  *arena = pay_heap_arena(world->own);

    row[0] = pay_value_text(pay_str_of(outcome));

    for (i = 0; i < PAY_ORDER_COLUMNS; i++) {
        row[1 + i] = order ? order_columns(arena, order)[i]
                           : pay_value_null();
    }

    world->stored = order != NULL && order->token != NULL;
    run_row(world, row, 1 + PAY_ORDER_COLUMNS);
}


void
world_change_row(world_t *world, const char *outcome,
    const change_row_t *change, const view_t *view)
{
    unsigned      i, n = 1 + PAY_CHANGE_COLUMNS;
    pay_value_t   row[1 + PAY_CHANGE_COLUMNS + PAY_VIEW_COLUMNS];
    pay_arena_t  *arena = pay_heap_arena(world->own);

    row[0] = pay_value_text(pay_str_of(outcome));

    for (i = 0; i < PAY_CHANGE_COLUMNS; i++) {
        row[1 + i] = change ? change_columns(arena, change)[i]
                            : pay_value_null();
    }

    for (i = 0; i < PAY_VIEW_COLUMNS; i++) {
        row[n + i] = view ? view_columns(arena, view)[i] : pay_value_null();
    }

    run_row(world, row, n + PAY_VIEW_COLUMNS);
}


void
world_text_row(world_t *world, const char *outcome, const char *text)
{
    pay_value_t  row[2];

    row[0] = pay_value_text(pay_str_of(outcome));
    row[1] = text ? pay_value_text(pay_str_of(text)) : pay_value_null();
    run_row(world, row, 2);
}


void
world_numbers_row(world_t *world, const char *outcome, int64_t first,
    int64_t second)
{
    pay_value_t  row[3];

    row[0] = pay_value_text(pay_str_of(outcome));
    row[1] = pay_value_int(first);
    row[2] = pay_value_int(second);
    run_row(world, row, 3);
}


void
world_db_failed(world_t *world, pay_db_failure_t failure)
{
    pay_event_t  event = { .kind = PAY_EVENT_DB_FAILED,
                           .db_failure = failure };

    run(world, &event);
}


void
world_http(world_t *world, pay_http_answer_t answer)
{
    pay_event_t  event = { .kind = PAY_EVENT_HTTP, .answer = &answer };

    answer.body = mortal(answer.body);
    run(world, &event);
    bury(answer.body);
    memset(&answer, 0xdd, sizeof(answer));
}


void
world_file(world_t *world, const char *body, int64_t age_ms)
{
    pay_http_answer_t  answer = answered(200, mortal(pay_str_of(body)));
    pay_event_t        event = { .kind = PAY_EVENT_HTTP, .answer = &answer,
                                 .age_ms = age_ms };

    run(world, &event);
    bury(answer.body);
}


void
world_answer(world_t *world, const pay_psp_adapter_t *adapter,
    unsigned status, const char *fixture_name)
{
    world_http(world, answered(status, fixture(pay_heap_arena(world->own),
                                               adapter, fixture_name)));
}


void
world_no_answer(world_t *world, pay_sent_t sent, const char *failure)
{
    pay_http_answer_t  answer = answered(0, PAY_STR(""));

    answer.sent = sent;
    answer.failure = failure;
    world_http(world, answer);
}


/* The 500, or the whole of the reply that a run without failures ends with:
 * a refusal may come before the missing memory is needed. */
static void
check_tortured(const world_t *world, const world_t *whole, unsigned n)
{
    const pay_reply_t  *reply, *expected = whole->effect.reply;

    if (world->flow.outcome == NULL) {
        return;                                  /* the flow was not made */
    }

    reply = world->effect.reply;

    if (reply != NULL && expected != NULL
        && strcmp(world->flow.outcome, "internal-error") != 0)
    {
        cr_expect_str_eq(world->flow.outcome, whole->flow.outcome);
        cr_expect(reply->status == expected->status
                  && reply->problem == expected->problem
                  && pay_str_eq(reply->body, expected->body)
                  && pay_str_eq(reply->location, expected->location)
                  && pay_str_eq(reply->pointer, expected->pointer),
                  "a partial reply at failure %u", n);
        return;
    }

    expect_problem(world, "internal-error", 500);
    cr_expect_str_eq(world->flow.outcome, "internal-error");
}


unsigned
world_torture(world_play_pt play)
{
    unsigned   n, failed;
    world_t    whole, world;

    world_open(&whole);
    play(&whole);
    cr_assert(whole.ended);

    for (n = 1, failed = 1; failed; n++) {
        cr_assert_leq(n, TORTURE_ROUNDS);
        world_open(&world);
        world.tortured = 1;
        pay_heap_fail_at(world.heap, n);
        play(&world);
        cr_assert(world.ended, "not over at failure %u", n);
        failed = (unsigned) pay_heap_failed(world.heap);

        if (failed) {
            check_tortured(&world, &whole, n);
        }

        world_close(&world);
    }

    world_close(&whole);

    return n - 2;
}


void
create_fill(world_t *world, unsigned psp, const char *body)
{
    pay_err_t            err;
    pay_create_input_t  *in = &world->create;

    static const unsigned char  fingerprint[PAY_SHA256_SIZE] = { 1, 2, 3 };

    cr_assert_eq(pay_payment_parse(pay_heap_arena(world->own),
                                   pay_str_of(body), &world->request, &err),
                 PAY_OK, "%s", err.detail);

    in->merchant = &world->merchants[0];
    in->request = &world->request;
    in->psp = &world->psps[psp];
    in->idempotency_key = PAY_STR("key-0123456789abcdef");
    in->fingerprint = (pay_str_t) { sizeof(fingerprint), fingerprint };
    in->base_url = PAY_STR(BASE);
    in->ttl_s = 86400;
    in->in_progress_status = 429;
    in->checkout_uuid = PAY_STR(REFERENCE);
    in->handle = PAY_STR(HANDLE);
    in->now_s = NOW;
}


void
create_open(world_t *world, unsigned psp, const char *body)
{
    create_fill(world, psp, body);
    world_made(world, pay_flow_create(&world->flow, &world->create));
    world_start(world);
}


void
expect_db(const world_t *world, pay_op_id_t op)
{
    if (world->tortured && world->ended) {
        return;
    }

    cr_assert_eq(world->effect.kind, PAY_DO_DB);
    cr_assert_eq(world->effect.op, op, "%s", pay_op(world->effect.op)->name);
    cr_expect_null(world->effect.reply);
}


void
expect_arg(const world_t *world, unsigned index, const char *text)
{
    const pay_value_t  *arg = &world->effect.args[index];

    cr_assert_eq(world->effect.kind, PAY_DO_DB);
    cr_expect_eq(arg->is_null, text == NULL, "argument %u", index);

    if (text != NULL && !arg->is_null) {
        cr_expect(pay_str_is(arg->bytes, text), "argument %u: %.*s", index,
                  pay_fmt(arg->bytes));
    }
}


void
expect_http(const world_t *world)
{
    cr_assert_eq(world->effect.kind, PAY_DO_HTTP);
    cr_expect_null(world->effect.reply);
}


const pay_reply_t *
expect_reply(const world_t *world, pay_reply_kind_t kind, unsigned status)
{
    cr_assert_eq(world->effect.kind, PAY_DO_DONE);
    cr_assert_not_null(world->effect.reply);
    cr_assert_eq(world->effect.reply->kind, kind);
    cr_expect_eq(world->effect.reply->status, status, "status %u",
                 world->effect.reply->status);

    return world->effect.reply;
}


const pay_reply_t *
expect_problem(const world_t *world, const char *slug, unsigned status)
{
    const pay_reply_t  *reply;

    reply = expect_reply(world, PAY_REPLY_PROBLEM, status);
    cr_expect_str_eq(reply->problem->slug, slug);
    cr_expect_eq(reply->location.len, 0);

    return reply;
}
