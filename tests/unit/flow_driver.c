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
psp_fill(pay_psp_conf_t *psp, unsigned index, const pay_psp_adapter_t *adapter,
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
        /* stripe is the one that a merchant prefers */
        world->offered[WORLD_PSPS - 1 - i] = &world->psps[i];
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
        cr_assert_not_null(world->flow.type);
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
check_text(const pay_field_t *field, pay_str_t text)
{
    pay_json_t  *json;

    check_clean(text);

    if (field->type == PAY_JSON && text.len != 0 && text.data[0] != '"') {
        cr_assert_eq(pay_json_parse(text, NULL, &json, NULL), PAY_OK, "%s",
                     field->name);
        pay_json_free(json);
    }
}


static void
check_db(const pay_effect_t *effect)
{
    unsigned         i, k;
    pay_str_t        arrays[PAY_OP_COLUMNS_MAX], text;
    pay_heap_t      *heap = pay_heap_create();
    const char      *at = effect->args;
    const void      *items[1] = { effect->args };
    const pay_op_t  *op;

    cr_assert_lt((unsigned) effect->op, (unsigned) PAY_OP_COUNT);
    cr_assert_not_null(effect->args);
    op = pay_op(effect->op);

    cr_assert_eq(pay_op_encode(pay_heap_arena(heap), op, items, 1, arrays),
                 PAY_OK);

    for (i = 0; i < op->in_count; i++) {
        if (op->in[i].type == PAY_ROWS) {
            for (k = 0; k <= op->in[i].shape->field_count; k++) {
                check_clean(arrays[i + k]);
            }

            at += sizeof(void *) + sizeof(size_t);

        } else if (op->in[i].type == PAY_INT) {
            at += op->in[i].may_be_null ? sizeof(pay_int_t) : sizeof(int64_t);

        } else {
            memcpy(&text, at, sizeof(text));
            check_text(&op->in[i], text);
            at += sizeof(text);
        }
    }

    pay_heap_destroy(heap);
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
run(world_t *world, pay_input_t *input)
{
    if (world->ended) {
        cr_assert(world->tortured, "the flow is over");
        return;
    }

    input->now_s = world->now_s;
    input->is_stopping = world->is_stopping;
    memset(&world->effect, 0xa5, sizeof(world->effect));
    pay_flow_run(&world->flow, input, &world->effect);

    if (world->effect.reply != NULL) {
        check_reply(world, world->effect.reply);
    }

    switch (world->effect.kind) {

    case PAY_DO_DB:
        check_db(&world->effect);
        world->db_count++;
        break;

    case PAY_DO_HTTP:
        cr_assert_eq((world->effect.psp != NULL)
                     + (world->effect.payout != NULL)
                     + (world->effect.screening != NULL)
                     + (world->effect.risk_provider != NULL)
                     + (world->effect.call == PAY_CALL_DELIVERY), 1);
        cr_assert(world->effect.http.method.len && world->effect.http.url.len);
        world->http_count++;
        break;

    case PAY_DO_RATES:
        cr_assert_not_null(world->effect.rates);
        break;

    case PAY_DO_FILE:
        cr_assert_not_null(world->effect.settlement);
        break;

    case PAY_DO_COUNT:
        cr_assert_not_null(world->effect.counts);
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
    pay_input_t  input = { .kind = PAY_INPUT_START };

    run(world, &input);
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


/* The slices of a shape that lies at `at`, and the rows that belong to it. */
static char *
each_text(const pay_shape_t *shape, char *at, int dies)
{
    char               *row;
    size_t              k;
    unsigned            i;
    pay_str_t           text;
    const pay_field_t  *field;

    struct {
        char   *first;
        size_t  count;
    } rows;

    for (i = 0; i < shape->field_count; i++) {
        field = &shape->fields[i];

        if (field->type == PAY_SUB) {
            at = each_text(field->shape, at, dies);

        } else if (field->type == PAY_ROWS) {
            memcpy(&rows, at, sizeof(rows));
            at += sizeof(rows);

            for (k = 0, row = rows.first; k < rows.count; k++) {
                row = each_text(field->shape, row, dies);
            }

        } else if (field->type == PAY_INT) {
            at += field->may_be_null ? sizeof(pay_int_t) : sizeof(int64_t);

        } else {
            memcpy(&text, at, sizeof(text));

            if (dies) {
                bury(text);

            } else if (text.data != NULL) {
                text = mortal(text);
                memcpy(at, &text, sizeof(text));
            }

            at += sizeof(text);
        }
    }

    return at;
}


void
world_result(world_t *world, pay_outcome_t outcome, const void *row)
{
    char            *copy = NULL;
    pay_input_t      input = { .kind = PAY_INPUT_ROW };
    const pay_op_t  *op;

    if (world->ended) {
        cr_assert(world->tortured, "the flow is over");
        return;
    }

    cr_assert_eq(world->effect.kind, PAY_DO_DB);
    op = pay_op(world->effect.op);
    input.result = result_of(pay_heap_arena(world->own), op->id, outcome, row);
    cr_assert_neq(input.result.outcome, PAY_OUTCOME_NONE,
                  "%s does not answer so: %s", op->name,
                  pay_outcome_word(outcome));

    if (input.result.row != NULL) {
        copy = malloc(op->row->size);
        cr_assert_not_null(copy);
        memcpy(copy, input.result.row, op->row->size);
        input.result.row = copy;
        (void) each_text(op->row, copy, 0);
    }

    run(world, &input);

    if (copy != NULL) {
        (void) each_text(op->row, copy, 1);
        memset(copy, 0xdd, op->row->size);
    }

    free(copy);
}


static void
check_shape(const world_t *world, const pay_shape_t *shape)
{
    if (!world->ended) {
        cr_assert_eq(world->effect.kind, PAY_DO_DB);
        cr_assert_eq(pay_op(world->effect.op)->row, shape, "%s has no %s",
                     pay_op(world->effect.op)->name, shape->name);
    }
}


void
world_row(world_t *world, pay_outcome_t outcome, const pay_checkout_row_t *row)
{
    pay_visit_row_t  visit = { .is_pending = { 0, 0 } };

    if (!world->ended && pay_op(world->effect.op)->row == &pay_shape_visit) {
        visit.checkout = row != NULL ? *row : visit.checkout;
        world_visit_row(world, outcome, row != NULL ? &visit : NULL);
        return;
    }

    check_shape(world, &pay_shape_checkout);
    world->stored = row != NULL && row->token.len != 0;
    world_result(world, outcome, row);
}


void
world_visit_row(world_t *world, pay_outcome_t outcome,
    const pay_visit_row_t *row)
{
    check_shape(world, &pay_shape_visit);
    world->stored = row != NULL && row->checkout.token.len != 0;
    world_result(world, outcome, row);
}


void
world_order_row(world_t *world, pay_outcome_t outcome,
    const pay_order_row_t *row)
{
    check_shape(world, &pay_shape_order);
    world->stored = row != NULL && row->token.len != 0;
    world_result(world, outcome, row);
}


void
world_change_row(world_t *world, pay_outcome_t outcome,
    const pay_change_row_t *row)
{
    check_shape(world, &pay_shape_change);
    world_result(world, outcome, row);
}


void
world_dispatch_row(world_t *world, pay_outcome_t outcome, int64_t attempt,
    int64_t sends)
{
    pay_dispatch_row_t  row = { pay_some(attempt), pay_some(sends) };

    check_shape(world, &pay_shape_dispatch);
    world_result(world, outcome, &row);
}


void
world_replay_row(world_t *world, const char *psp, const char *event_id,
    const char *message_id, pay_str_t body)
{
    pay_replay_row_t  row = {
        7, pay_str_of(psp), pay_str_of(event_id), pay_str_of(message_id), body
    };

    world_result(world, PAY_OUTCOME_DUE, &row);
}


void
world_db_failed(world_t *world, pay_db_failure_t failure)
{
    pay_input_t  input = { .kind = PAY_INPUT_DB_FAILED,
                           .db_failure = failure };

    run(world, &input);
}


void
world_counted(world_t *world, uint32_t count)
{
    unsigned     i;
    pay_input_t  input = { .kind = PAY_INPUT_COUNTED };

    if (!world->ended) {
        for (i = 0; i < world->effect.counts->count; i++) {
            world->effect.counts->items[i].count = count;
        }
    }

    run(world, &input);
}


void
world_http(world_t *world, pay_http_answer_t answer)
{
    pay_input_t  input = { .kind = PAY_INPUT_HTTP, .answer = &answer };

    answer.body = mortal(answer.body);
    run(world, &input);
    bury(answer.body);
    memset(&answer, 0xdd, sizeof(answer));
}


void
world_file(world_t *world, const char *body, int64_t age_ms)
{
    pay_http_answer_t  answer = answered(200, mortal(pay_str_of(body)));
    pay_input_t        input = { .kind = PAY_INPUT_HTTP, .answer = &answer,
                                 .age_ms = age_ms };

    run(world, &input);
    bury(answer.body);
}


void
world_piece(world_t *world, pay_file_t file)
{
    pay_input_t  input = { .kind = PAY_INPUT_FILE, .file = &file };

    if (!world->ended) {
        cr_assert_eq(world->effect.kind, PAY_DO_FILE);
    }

    file.name = mortal(file.name);
    file.sha256 = mortal(file.sha256);
    file.bytes = mortal(file.bytes);
    run(world, &input);
    bury(file.name);
    bury(file.sha256);
    bury(file.bytes);
}


void
world_answer(world_t *world, const pay_psp_adapter_t *adapter,
    unsigned status, const char *fixture_name)
{
    world_http(world, answered(status, fixture(pay_heap_arena(world->own),
                                               adapter, fixture_name)));
}


void
world_no_answer(world_t *world, pay_sent_t sent, pay_failure_t failure)
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
expect_text(pay_str_t got, const char *text)
{
    cr_expect(pay_str_eq(got, pay_str_of(text)), "%.*s, not %s",
              pay_fmt(got), text ? text : "NULL");
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


pay_http_answer_t
answer_of(const ending_t *ending)
{
    pay_http_answer_t  answer;

    answer = answered(ending->status, pay_str_of(ending->body));
    answer.sent = ending->sent;
    answer.failure = ending->failure;

    return answer;
}
