/*
 * POST /webhooks/<psp>: nothing touches PostgreSQL before the signature holds,
 * and nothing but a commit is answered 2xx (docs/reliability.md, M6 and M7).
 */

#include "flow_driver.h"


#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))

/* A delivery as the PSP signs it; `headers` may be tampered with. */
typedef struct {
    pay_header_t         headers[6];
    pay_webhook_input_t  in;
} delivery_t;


static const char *const  paid_files[] = {
    [WORLD_STRIPE] = "webhook-completed-paid.json",
    [WORLD_GENERIC] = "webhook-paid.json"
};


static void
sign(world_t *world, unsigned psp, pay_str_t body, int64_t at_s,
    delivery_t *delivery)
{
    const pay_psp_conf_t  *p = &world->psps[psp];

    memset(delivery, 0, sizeof(*delivery));
    delivery->in.psp = p;
    delivery->in.body = body;
    delivery->in.headers = delivery->headers;

    pay_sig_message_t  message = {
        .settings = &p->settings,
        .key = p->webhook_keys,
        .id = PAY_STR("evt_01JD90"),
        .now_s = at_s,
        .body = body
    };

    cr_assert_eq(p->scheme->sign(pay_heap_arena(world->own), &message,
                                 delivery->headers,
                                 &delivery->in.header_count), PAY_OK);
}


static void
deliver(world_t *world, delivery_t *delivery)
{
    world_made(world, pay_flow_webhook(&world->flow, &delivery->in));
    world_start(world);
}


static pay_str_t
paid_body(world_t *world, unsigned psp)
{
    return fixture(pay_heap_arena(world->own), world->psps[psp].adapter,
                   paid_files[psp]);
}


static void
deliver_signed(world_t *world, unsigned psp, pay_str_t body,
    delivery_t *delivery)
{
    sign(world, psp, body, NOW, delivery);
    deliver(world, delivery);
}


static void
expect_untouched(world_t *world, const char *slug, unsigned status)
{
    expect_problem(world, slug, status);
    cr_expect_eq(world->db_count + world->http_count, 0);
}


/* The answer does not wait for the operation. */
static void
expect_refused(const world_t *world, const char *slug)
{
    cr_assert_not_null(world->effect.reply);
    cr_expect_eq(world->effect.reply->kind, PAY_REPLY_PROBLEM);
    cr_expect_str_eq(world->effect.reply->problem->slug, slug);
    cr_expect_eq(world->effect.reply->status, 401);
    cr_assert_eq(world->effect.kind, PAY_DO_DB);
    cr_assert_eq(world->effect.op, PAY_OP_QUARANTINE_WEBHOOK);
}


/* Refused at once, and put aside for people. */
static void
expect_quarantine(world_t *world, const char *slug, const char *why)
{
    const pay_quarantine_webhook_in_t  *in;

    expect_refused(world, slug);
    in = world->effect.args;
    expect_text(in->psp, world->flow.psp_name.data[0] == 's' ? "stripe"
                                                             : "generic");
    expect_text(in->reason, why);
    cr_expect_eq(in->digest.len, 32);
    cr_expect_null(world->flow.quarantined, "not yet");
    world_result(world, PAY_OUTCOME_STORED, NULL);
    cr_expect_eq(world->effect.kind, PAY_DO_DONE);
    cr_expect_null(world->effect.reply, "answered already");
    cr_expect_str_eq(world->flow.quarantined, why);
    cr_expect_str_eq(world->flow.outcome, slug);
    cr_expect_eq(world->http_count, 0);
}


Test(pay_flow_webhook, a_good_one_is_one_operation_with_its_digest)
{
    unsigned        psp;
    world_t         world;
    delivery_t      delivery;
    unsigned char   digest[PAY_SHA256_SIZE];

    for (psp = 0; psp < WORLD_PSPS; psp++) {
        world_open(&world);
        deliver_signed(&world, psp, paid_body(&world, psp), &delivery);
        expect_db(&world, PAY_OP_APPLY_EVENT);
        expect_arg(&world, apply_event, psp, world.psps[psp].adapter->name);
        expect_arg(&world, apply_event, source, "webhook");
        cr_expect_not((asked(&world, apply_event)->event_id.len == 0));
        expect_arg(&world, apply_event, fact, "paid");
        expect_arg(&world, apply_event, token,
                   token_text(world.psps[psp].adapter));
        cr_expect_eq(asked(&world, apply_event)->amount_minor.number, 3000);
        expect_arg(&world, apply_event, currency, "USD");
        cr_assert_eq(pay_sha256(delivery.in.body, digest), PAY_OK);
        cr_expect(pay_str_eq(asked(&world, apply_event)->digest,
                             (pay_str_t) { sizeof(digest), digest }));
        expect_arg(&world, apply_event, request_id, REQUEST_ID);
        world_close(&world);
    }
}


Test(pay_flow_webhook, every_committed_outcome_is_200)
{
    size_t              i;
    char                body[64];
    const char         *word;
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;
    delivery_t          delivery;
    const pay_reply_t  *reply;

    static const pay_outcome_t  outcomes[] = {
        PAY_OUTCOME_APPLIED, PAY_OUTCOME_UNCHANGED, PAY_OUTCOME_DUPLICATE,
        PAY_OUTCOME_PARKED, PAY_OUTCOME_MISMATCH, PAY_OUTCOME_IGNORED
    };

    for (i = 0; i < 2 * COUNT(outcomes); i++) {
        world_open(&world);
        deliver_signed(&world, WORLD_GENERIC, paid_body(&world, WORLD_GENERIC),
                       &delivery);
        word = pay_outcome_word(outcomes[i / 2]);
        world_row(&world, outcomes[i / 2], i % 2 ? &view : NULL);
        reply = expect_reply(&world, PAY_REPLY_JSON, 200);
        snprintf(body, sizeof(body), "{\"outcome\":\"%s\"}", word);
        cr_expect(pay_str_is(reply->body, body), "%.*s",
                  pay_fmt(reply->body));
        cr_expect_eq(world.db_count, 1);
        cr_expect(i % 2 == 0 || pay_str_is(world.flow.order_id, "order-1"));
        world_close(&world);
    }
}


/* I6: what is not known to be in the inbox must come again. */
Test(pay_flow_webhook, without_a_commit_there_is_no_2xx)
{
    unsigned            i;
    world_t             world;
    delivery_t          delivery;
    const pay_reply_t  *reply;

    for (i = 0; i < DB_FAILURES; i++) {
        world_open(&world);
        deliver_signed(&world, WORLD_GENERIC, paid_body(&world, WORLD_GENERIC),
                       &delivery);
        world_db_failed(&world, (pay_db_failure_t) i);
        reply = expect_reply(&world, PAY_REPLY_PROBLEM,
                             i == PAY_DB_ERROR ? 500 : 503);
        cr_expect_geq(reply->status, 500);
        world_close(&world);
    }
}


Test(pay_flow_webhook, each_flipped_byte_of_the_body_is_401)
{
    size_t          at;
    unsigned        psp;
    world_t         world;
    pay_str_t       body;
    delivery_t      delivery;
    unsigned char  *copy;

    for (psp = 0; psp < WORLD_PSPS; psp++) {
        world_open(&world);
        body = paid_body(&world, psp);
        world_close(&world);

        for (at = 0; at < 400; at += 37) {
            world_open(&world);
            body = paid_body(&world, psp);
            sign(&world, psp, body, NOW, &delivery);
            copy = (unsigned char *) delivery.in.body.data;
            copy[at % body.len] ^= 1;
            deliver(&world, &delivery);
            expect_untouched(&world, "webhook-signature-invalid", 401);
            world_close(&world);
        }
    }
}


Test(pay_flow_webhook, other_keys_and_missing_headers_are_401)
{
    unsigned    psp, i;
    world_t     world;
    delivery_t  delivery;

    for (psp = 0; psp < WORLD_PSPS; psp++) {
        world_open(&world);
        sign(&world, psp, paid_body(&world, psp), NOW, &delivery);
        world.webhook_keys[psp].data[3] ^= 1;
        deliver(&world, &delivery);
        expect_untouched(&world, "webhook-signature-invalid", 401);
        world_close(&world);

        for (i = 0; i < 3; i++) {
            world_open(&world);
            sign(&world, psp, paid_body(&world, psp), NOW, &delivery);

            if (i == 0) {
                delivery.in.header_count = 0;

            } else if (i == 1) {
                delivery.headers[0].name = PAY_STR("x-other");

            } else {                                   /* the same, twice */
                delivery.headers[delivery.in.header_count++]
                    = delivery.headers[0];
            }

            deliver(&world, &delivery);
            expect_untouched(&world, "webhook-signature-invalid", 401);
            world_close(&world);
        }
    }
}


/* One PSP's secret does not speak for another. */
Test(pay_flow_webhook, signature_of_another_psp_is_401)
{
    world_t     world;
    delivery_t  delivery;

    world_open(&world);
    sign(&world, WORLD_GENERIC, paid_body(&world, WORLD_GENERIC), NOW,
         &delivery);
    delivery.in.psp = &world.psps[WORLD_STRIPE];
    deliver(&world, &delivery);
    expect_untouched(&world, "webhook-signature-invalid", 401);
    world_close(&world);
}


Test(pay_flow_webhook, stale_and_future_ones_are_told_so)
{
    size_t      i;
    unsigned    psp;
    world_t     world;
    delivery_t  delivery;

    static const int64_t  off[] = { -301, 301, -86400, 86400, -NOW };

    for (i = 0; i < 2 * COUNT(off); i++) {
        psp = i % 2 ? WORLD_STRIPE : WORLD_GENERIC;
        world_open(&world);
        sign(&world, psp, paid_body(&world, psp), NOW + off[i / 2], &delivery);
        deliver(&world, &delivery);
        expect_untouched(&world, "webhook-timestamp-invalid", 401);
        world_close(&world);
    }
}


Test(pay_flow_webhook, one_that_proves_nothing_is_put_aside_with_its_reason)
{
    size_t      i;
    unsigned    psp;
    world_t     world;
    delivery_t  delivery;

    static const struct {
        int64_t      off_s;
        const char  *slug, *why;
    } rows[] = {
        { -301, "webhook-timestamp-invalid", "stale" },
        { 301, "webhook-timestamp-invalid", "skew" },
        { 0, "webhook-signature-invalid", "mismatch" },
        { 0, "webhook-signature-invalid", "no_key" }
    };

    for (i = 0; i < 2 * COUNT(rows); i++) {
        psp = i % 2 ? WORLD_STRIPE : WORLD_GENERIC;
        world_open(&world);
        sign(&world, psp, paid_body(&world, psp), NOW + rows[i / 2].off_s,
             &delivery);
        delivery.in.may_quarantine = 1;

        if (i / 2 == 2) {
            world.webhook_keys[psp].data[3] ^= 1;
        }

        if (i / 2 == 3) {
            delivery.in.header_count = 0;
        }

        deliver(&world, &delivery);
        expect_quarantine(&world, rows[i / 2].slug, rows[i / 2].why);
        world_close(&world);
    }
}


/* The two endpoints are mixed up at the PSP. */
Test(pay_flow_webhook, one_of_another_block_of_the_scheme_has_the_wrong_key)
{
    world_t     world;
    delivery_t  delivery;

    world_open(&world);
    world.psps[WORLD_STRIPE].scheme = world.psps[WORLD_GENERIC].scheme;
    sign(&world, WORLD_GENERIC, paid_body(&world, WORLD_GENERIC), NOW,
         &delivery);
    delivery.in.psp = &world.psps[WORLD_STRIPE];
    delivery.in.may_quarantine = 1;
    deliver(&world, &delivery);
    expect_quarantine(&world, "webhook-signature-invalid", "wrong_key");
    world_close(&world);
}


/* What proxies do to a body; believed it is not. */
Test(pay_flow_webhook, one_whose_line_end_went_or_came_is_altered)
{
    unsigned    i;
    pay_str_t   body;
    world_t     world;
    delivery_t  delivery;

    static const pay_str_t  said = pay_string("{\"type\":\"x\"}\n");

    for (i = 0; i < 2; i++) {
        world_open(&world);
        body = said;
        body.len -= i;
        sign(&world, WORLD_GENERIC, body, NOW, &delivery);
        delivery.in.body.len = said.len - 1 + i;
        delivery.in.may_quarantine = 1;
        deliver(&world, &delivery);
        expect_quarantine(&world, "webhook-signature-invalid",
                          "altered_body");
        world_close(&world);
    }
}


Test(pay_flow_webhook, the_quarantine_keeps_little_and_no_secret)
{
    unsigned       i;
    world_t        world;
    delivery_t     delivery;
    unsigned char  body[9000];

    const pay_quarantine_webhook_in_t  *in;

    memset(body, 'x', sizeof(body));

    for (i = 0; i < 2; i++) {
        world_open(&world);
        sign(&world, WORLD_STRIPE, (pay_str_t) { sizeof(body), body }, NOW,
             &delivery);
        world.webhook_keys[WORLD_STRIPE].data[3] ^= 1;
        delivery.headers[delivery.in.header_count++] = (pay_header_t) {
            PAY_STR("Authorization"), PAY_STR("Bearer CANARY")
        };
        delivery.headers[delivery.in.header_count++] = (pay_header_t) {
            PAY_STR("cookie"), PAY_STR("CANARY")
        };
        delivery.headers[delivery.in.header_count++] = (pay_header_t) {
            PAY_STR("x-odd"), PAY_STR("a\"\x01\xff")
        };
        delivery.in.may_quarantine = 1;
        deliver(&world, &delivery);
        expect_refused(&world, "webhook-signature-invalid");
        in = world.effect.args;
        cr_expect_eq(in->body.len, i ? 0 : 4096,
                     "a card number is kept nowhere");
        cr_expect_eq(in->size, sizeof(body));
        world_close(&world);
        memcpy(body + 10, " 4242424242424242 ", 18);
    }
}


Test(pay_flow_webhook, the_answer_does_not_wait_for_the_quarantine)
{
    unsigned    i;
    world_t     world;
    delivery_t  delivery;

    for (i = 0; i < DB_FAILURES; i++) {
        world_open(&world);
        sign(&world, WORLD_STRIPE, PAY_STR("{}"), NOW - 9999, &delivery);
        delivery.in.may_quarantine = 1;
        deliver(&world, &delivery);
        expect_refused(&world, "webhook-timestamp-invalid");
        world_db_failed(&world, (pay_db_failure_t) i);
        cr_expect_eq(world.effect.kind, PAY_DO_DONE);
        cr_expect_null(world.effect.reply);
        cr_expect_null(world.flow.quarantined);
        world_close(&world);
    }
}


Test(pay_flow_webhook, both_keys_speak_during_rotation)
{
    world_t       world;
    delivery_t    delivery;
    pay_secret_t  keys[2];

    world_open(&world);
    keys[1] = world.webhook_keys[WORLD_GENERIC];
    keys[0] = keys[1];
    keys[0].data[0] ^= 1;
    sign(&world, WORLD_GENERIC, paid_body(&world, WORLD_GENERIC), NOW,
         &delivery);
    world.psps[WORLD_GENERIC].webhook_keys = keys;
    world.psps[WORLD_GENERIC].webhook_key_count = 2;
    deliver(&world, &delivery);
    expect_db(&world, PAY_OP_APPLY_EVENT);
    world_close(&world);
}


Test(pay_flow_webhook, signed_nonsense_is_422_and_not_stored)
{
    size_t      i;
    unsigned    psp;
    world_t     world;
    delivery_t  delivery;

    static const char *const  bodies[] = {
        "", "null", "[]", "{", "{}", "<xml/>", "{\"id\":1,\"id\":1}",
        "{\"type\":\"registration.paid\",\"data\":{}}",
        "{\"type\":\"registration.paid\",\"data\":{\"token\":\"t\"}}",
        "{\"id\":\"evt_1\",\"object\":\"event\","
        "\"type\":\"checkout.session.completed\"}"
    };

    for (i = 0; i < 2 * COUNT(bodies); i++) {
        psp = i % 2 ? WORLD_STRIPE : WORLD_GENERIC;
        world_open(&world);
        deliver_signed(&world, psp, pay_str_of(bodies[i / 2]), &delivery);
        expect_untouched(&world, "webhook-payload-invalid", 422);
        world_close(&world);
    }
}


/* An adapter whose PSP puts several facts into one delivery. */
static unsigned  bundle_size;
static int       bundle_asks;          /* 2: and has no id */
static int       bundle_reports;       /* the first one announces a report */

static pay_status_t
bundle_events(pay_arena_t *arena, const pay_psp_account_t *psp_account,
    pay_str_t event_id, pay_str_t body,
    pay_psp_event_t events[PAY_PSP_EVENTS_MAX], unsigned *count,
    pay_err_t *err)
{
    (void) psp_account;
    (void) event_id;
    (void) body;
    (void) err;

    for (*count = 0; *count < bundle_size; (*count)++) {
        memset(&events[*count], 0, sizeof(events[0]));
        PAY_TRY(pay_format(arena, &events[*count].event_id, 32, "evt_%u",
                           *count));
        events[*count].type = PAY_STR("note");
        events[*count].must_ask = bundle_asks;
        events[*count].token = PAY_STR("reg_1");
    }

    if (bundle_reports) {
        events[0].report = PAY_STR("r_0.csv");
        events[0].report_url = PAY_STR("https://x.example/r_0.csv");
    }

    if (bundle_asks > 1) {
        events[0].event_id = PAY_STR("");
    }

    return PAY_OK;
}


static void
bundle_adapter(world_t *world)
{
    static pay_psp_adapter_t  bundle;

    bundle = *generic();
    bundle.webhook_events = bundle_events;
    world->psps[WORLD_GENERIC].adapter = &bundle;
}


static void
bundle_open(world_t *world, unsigned size, delivery_t *delivery)
{
    bundle_size = size;
    bundle_adapter(world);
    deliver_signed(world, WORLD_GENERIC, PAY_STR("{}"), delivery);
}


Test(pay_flow_webhook, several_events_are_one_operation_each_in_order)
{
    char        id[16];
    unsigned    i;
    world_t     world;
    delivery_t  delivery;

    world_open(&world);
    bundle_open(&world, PAY_PSP_EVENTS_MAX, &delivery);

    for (i = 0; i < PAY_PSP_EVENTS_MAX; i++) {
        expect_db(&world, PAY_OP_APPLY_EVENT);
        snprintf(id, sizeof(id), "evt_%u", i);
        expect_arg(&world, apply_event, event_id, id);
        world_row(&world, i ? PAY_OUTCOME_APPLIED : PAY_OUTCOME_DUPLICATE,
                  NULL);
    }

    expect_reply(&world, PAY_REPLY_JSON, 200);
    cr_expect_eq(world.db_count, PAY_PSP_EVENTS_MAX);
    world_close(&world);
}


/* A report is kept before its event is, or a crash between the two loses it. */
Test(pay_flow_webhook, a_report_is_kept_before_its_event)
{
    unsigned    i;
    world_t     world;
    delivery_t  delivery;

    for (i = 0; i <= DB_FAILURES; i++) {
        world_open(&world);
        bundle_reports = 1;
        bundle_open(&world, 2, &delivery);
        bundle_reports = 0;
        expect_arg(&world, announce_report, psp, "generic");
        expect_arg(&world, announce_report, name, "r_0.csv");
        expect_arg(&world, announce_report, url, "https://x.example/r_0.csv");

        if (i < DB_FAILURES) {
            world_db_failed(&world, (pay_db_failure_t) i);
            expect_reply(&world, PAY_REPLY_PROBLEM,
                         i == PAY_DB_ERROR ? 500 : 503);
            cr_expect_eq(world.db_count, 1, "and no event");

        } else {
            world_result(&world, PAY_OUTCOME_STORED, NULL);
            expect_arg(&world, apply_event, event_id, "evt_0");
            world_row(&world, PAY_OUTCOME_IGNORED, NULL);
            expect_arg(&world, apply_event, event_id, "evt_1");
            world_row(&world, PAY_OUTCOME_IGNORED, NULL);
            expect_reply(&world, PAY_REPLY_JSON, 200);
        }

        world_close(&world);
    }
}


/* It was 500: the PSP sent it for ever, and nobody heard of it. */
Test(pay_flow_webhook, one_that_sql_cannot_read_is_422_behind_the_others)
{
    unsigned    bad, i;
    char        id[16];
    world_t     world;
    delivery_t  delivery;

    for (bad = 0; bad < 3; bad++) {
        world_open(&world);
        bundle_open(&world, 3, &delivery);

        for (i = 0; i < 3; i++) {
            world_row(&world, bad == i ? PAY_OUTCOME_INVALID
                                       : PAY_OUTCOME_APPLIED, NULL);
        }

        expect_problem(&world, "webhook-payload-invalid", 422);
        cr_expect_eq(world.db_count, 3);
        snprintf(id, sizeof(id), "evt_%u", bad);
        cr_expect(pay_str_is(world.flow.invalid_event, id), "for the log");
        world_close(&world);
    }
}


/* It was the last event's outcome that counted: operators never heard. */
Test(pay_flow_webhook, a_mismatch_among_several_is_told)
{
    unsigned    bad;
    world_t     world;
    delivery_t  delivery;

    for (bad = 0; bad < 4; bad++) {
        world_open(&world);
        bundle_open(&world, 3, &delivery);
        world_row(&world, bad == 0 ? PAY_OUTCOME_MISMATCH
                                    : PAY_OUTCOME_APPLIED, NULL);
        world_row(&world, bad == 1 ? PAY_OUTCOME_MISMATCH
                                    : PAY_OUTCOME_DUPLICATE, NULL);
        world_row(&world, bad == 2 ? PAY_OUTCOME_MISMATCH
                                    : PAY_OUTCOME_APPLIED, NULL);
        expect_reply(&world, PAY_REPLY_JSON, 200);
        cr_expect_eq(world.flow.differs, bad < 3);
        cr_expect_str_eq(pay_flow_label(&world.flow),
                         bad < 3 ? "mismatch" : "applied");
        world_close(&world);
    }
}


/* The label is not the slug of the problem. */
Test(pay_flow_webhook, a_refusal_counts_under_a_word_of_its_own)
{
    unsigned    i;
    world_t     world;
    pay_str_t   body;
    delivery_t  delivery;

    static const struct {
        const char  *body;             /* NULL: a good one */
        int64_t      at_s;
        int          altered;
        const char  *label;
    } sent[] = {
        { NULL, NOW, 1, "signature" }, { NULL, NOW - 3600, 0, "timestamp" },
        { "{", NOW, 0, "payload" }, { "[]", NOW, 0, "payload" },
        { "{\"id\":1,\"id\":1}", NOW, 0, "payload" }
    };

    for (i = 0; i < COUNT(sent); i++) {
        world_open(&world);
        body = sent[i].body != NULL ? pay_str_of(sent[i].body)
                                    : paid_body(&world, WORLD_GENERIC);
        sign(&world, WORLD_GENERIC, body, sent[i].at_s, &delivery);
        delivery.in.body.len -= sent[i].altered;
        deliver(&world, &delivery);
        cr_expect_str_eq(pay_flow_label(&world.flow), sent[i].label);
        cr_expect_str_neq(world.flow.outcome, sent[i].label);
        world_close(&world);
    }
}


Test(pay_flow_webhook, last_of_several_failing_is_no_2xx)
{
    world_t     world;
    delivery_t  delivery;

    world_open(&world);
    bundle_open(&world, 3, &delivery);
    world_row(&world, PAY_OUTCOME_APPLIED, NULL);
    world_row(&world, PAY_OUTCOME_APPLIED, NULL);
    world_db_failed(&world, PAY_DB_UNKNOWN);
    expect_problem(&world, "dependency-unavailable", 503);
    world_close(&world);
}


Test(pay_flow_webhook, no_event_is_200_without_an_operation)
{
    world_t             world;
    delivery_t          delivery;
    const pay_reply_t  *reply;

    world_open(&world);
    bundle_open(&world, 0, &delivery);
    reply = expect_reply(&world, PAY_REPLY_JSON, 200);
    cr_expect(pay_str_is(reply->body, "{\"outcome\":\"ignored\"}"));
    cr_expect_eq(world.db_count, 0);
    world_close(&world);
}


/* What only says "ask again" moves nothing; without an id, and so without
 * anybody who vouches for it, it is not even stored. */
Test(pay_flow_webhook, a_hint_is_told_as_one)
{
    world_t             world;
    delivery_t          delivery;
    const pay_reply_t  *reply;

    for (bundle_asks = 1; bundle_asks <= 2; bundle_asks++) {
        world_open(&world);
        bundle_open(&world, 1, &delivery);
        expect_db(&world, PAY_OP_APPLY_EVENT);
        expect_arg(&world, apply_event, source,
                   bundle_asks == 1 ? "webhook" : "hint");
        expect_arg(&world, apply_event, event_id,
                   bundle_asks == 1 ? "evt_0" : NULL);
        expect_arg(&world, apply_event, fact, "ask");
        expect_arg(&world, apply_event, token, "reg_1");
        world_row(&world, PAY_OUTCOME_ASKED, NULL);
        reply = expect_reply(&world, PAY_REPLY_JSON, 200);
        cr_expect(pay_str_is(reply->body, "{\"outcome\":\"asked\"}"));
        world_close(&world);
    }
}


/* A scheme whose certificate has to be fetched: it is right when it says so. */
static pay_sig_verdict_t
certified(pay_arena_t *arena, const pay_sig_input_t *input,
    pay_sig_result_t *result)
{
    (void) arena;

    memset(result, 0, sizeof(*result));
    result->verdict = input->now_s != NOW ? PAY_SIG_ERROR
                      : input->cert_pem.len == 0 ? PAY_SIG_NEED_CERT
                      : pay_str_is(input->cert_pem, "right") ? PAY_SIG_VALID
                      : PAY_SIG_CERT_INVALID;
    result->cert_url = PAY_STR("https://api.psp.example/certs/1");

    return result->verdict;
}


static void
certified_open(world_t *world, delivery_t *delivery)
{
    static pay_sig_scheme_t  scheme;

    world_open(world);
    bundle_asks = 0;
    bundle_size = 1;
    sign(world, WORLD_GENERIC, PAY_STR("{}"), NOW, delivery);
    scheme = *world->psps[WORLD_GENERIC].scheme;
    scheme.verify = certified;
    scheme.ack = "[accepted]";
    world->psps[WORLD_GENERIC].scheme = &scheme;
    deliver(world, delivery);
    expect_http(world);
    cr_expect_eq(world->effect.call, PAY_CALL_CERTIFICATE);
    cr_expect(pay_str_is(world->effect.http.url,
                         "https://api.psp.example/certs/1"));
    cr_expect_eq(world->effect.http.field_count, 0, "no key leaves");
    world->now_s = NOW + 9;            /* judged at the time it came */
}


Test(pay_flow_webhook, a_certificate_is_fetched_before_the_judgement)
{
    world_t             world;
    delivery_t          delivery;
    const pay_reply_t  *reply;

    certified_open(&world, &delivery);
    world.psps[WORLD_GENERIC].adapter = stripe();
    world_http(&world, answered(200, PAY_STR("right")));
    expect_problem(&world, "webhook-payload-invalid", 422);
    world_close(&world);

    certified_open(&world, &delivery);
    world_http(&world, answered(200, PAY_STR("wrong")));
    expect_problem(&world, "webhook-signature-invalid", 401);
    cr_expect_eq(world.db_count, 0);
    world_close(&world);

    certified_open(&world, &delivery);
    bundle_adapter(&world);
    world_http(&world, answered(200, PAY_STR("right")));
    expect_db(&world, PAY_OP_APPLY_EVENT);
    world_row(&world, PAY_OUTCOME_APPLIED, NULL);
    reply = expect_reply(&world, PAY_REPLY_TEXT, 200);
    cr_expect(pay_str_is(reply->body, "[accepted]"));
    world_close(&world);
}


Test(pay_flow_webhook, without_the_certificate_the_psp_is_asked_to_come_again)
{
    size_t              i;
    world_t             world;
    delivery_t          delivery;
    pay_http_answer_t   answer;

    static const struct {
        pay_sent_t   sent;
        unsigned     status;
        const char  *body;
    } rows[] = {
        { PAY_SENT_NOTHING, 0, "" }, { PAY_SENT_SOME, 0, "" },
        { PAY_ANSWERED, 404, "right" }, { PAY_ANSWERED, 302, "right" },
        { PAY_ANSWERED, 200, "" }
    };

    for (i = 0; i < COUNT(rows); i++) {
        certified_open(&world, &delivery);
        answer = answered(rows[i].status, pay_str_of(rows[i].body));
        answer.sent = rows[i].sent;
        world_http(&world, answer);
        expect_problem(&world, "dependency-unavailable", 503);
        cr_expect_gt(world.effect.reply->retry_after_s, 0);
        cr_expect_eq(world.db_count, 0);
        world_close(&world);
    }
}


static void
play_applied(world_t *world)
{
    pay_checkout_row_t  view = view_registered(stripe());
    delivery_t          delivery;

    deliver_signed(world, WORLD_STRIPE, paid_body(world, WORLD_STRIPE),
                   &delivery);
    world_row(world, PAY_OUTCOME_APPLIED, &view);
}


static void
play_several(world_t *world)
{
    pay_checkout_row_t  view = view_registered(generic());
    delivery_t          delivery;

    bundle_open(world, 2, &delivery);
    world_row(world, PAY_OUTCOME_APPLIED, &view);
    world_row(world, PAY_OUTCOME_APPLIED, &view);
}


static void
play_forged(world_t *world)
{
    delivery_t  delivery;

    sign(world, WORLD_GENERIC, paid_body(world, WORLD_GENERIC), NOW,
         &delivery);
    delivery.in.body.len--;
    deliver(world, &delivery);
}


Test(pay_flow_webhook, failing_memory_is_never_a_2xx)
{
    cr_expect_geq(world_torture(play_applied), 20);
    cr_expect_geq(world_torture(play_several), 30);
    cr_expect_geq(world_torture(play_forged), 2);
}


/* Answered as without: the body follows behind the answer. */
static void
expect_kept(world_t *world, const delivery_t *delivery, const char *left_out)
{
    const pay_keep_webhook_in_t  *in = world->effect.args;

    cr_assert_not_null(world->effect.reply);
    cr_expect_eq(world->effect.reply->status, 200);
    cr_assert_eq(world->effect.kind, PAY_DO_DB);
    cr_assert_eq(world->effect.op, PAY_OP_KEEP_WEBHOOK);
    expect_text(in->psp, "generic");
    cr_expect_eq(in->digest.len, PAY_SHA256_SIZE);
    cr_expect_eq(in->size, (int64_t) delivery->in.body.len);
    cr_expect_eq(in->days, 30);
    expect_text(in->left_out, left_out);

    if (left_out != NULL) {
        cr_expect_eq(in->body.len, 0);

    } else {
        cr_expect(pay_str_eq(in->body, delivery->in.body));
        expect_text(in->message_id, "evt_01JD90");
    }
}


Test(pay_flow_webhook, the_body_of_a_verified_one_is_kept_behind_the_answer)
{
    unsigned    i;
    size_t      len;
    world_t     world;
    delivery_t  delivery;
    pay_str_t   card, body;

    static const char *const  left_out[] = {
        NULL, "too_large", "card_number", NULL
    };

    for (i = 0; i < COUNT(left_out); i++) {
        world_open(&world);
        body = paid_body(&world, WORLD_GENERIC);

        if (i == 2) {
            for (len = body.len; body.data[len - 1] != '}'; len--) {
                /* void */
            }

            cr_assert_eq(pay_format(pay_heap_arena(world.own), &card,
                                    body.len + 64,
                                    "%.*s,\"x\":\"4242 4242 4242 4242\"}",
                                    (int) len - 1, (const char *) body.data),
                         PAY_OK);
            body = card;
        }

        sign(&world, WORLD_GENERIC, body, NOW, &delivery);
        delivery.in.keep_days = 30;
        delivery.in.keep_max = body.len - (i == 1);
        deliver(&world, &delivery);
        expect_db(&world, PAY_OP_APPLY_EVENT);
        world_row(&world, PAY_OUTCOME_APPLIED, NULL);
        expect_kept(&world, &delivery, left_out[i]);

        if (i == 3) {
            world_db_failed(&world, PAY_DB_OVERLOADED);

        } else {
            world_result(&world, PAY_OUTCOME_KEPT, NULL);
        }

        cr_expect_eq(world.effect.kind, PAY_DO_DONE);
        cr_expect_null(world.effect.reply, "answered already");
        cr_expect_str_eq(world.flow.outcome, "applied");
        world_close(&world);
    }
}


Test(pay_flow_webhook, a_duplicates_body_is_not_stored_again)
{
    world_t     world;
    delivery_t  delivery;

    world_open(&world);
    sign(&world, WORLD_GENERIC, paid_body(&world, WORLD_GENERIC), NOW,
         &delivery);
    delivery.in.keep_days = 30;
    delivery.in.keep_max = 65536;
    deliver(&world, &delivery);
    world_row(&world, PAY_OUTCOME_DUPLICATE, NULL);
    (void) expect_reply(&world, PAY_REPLY_JSON, 200);
    cr_expect_eq(world.db_count, 1);
    world_close(&world);
}
