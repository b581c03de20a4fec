/*
 * What follows a sale beside the changes themselves: their reads, a seller's
 * balance and statement, the webhooks that tell of it, and the buyer's way
 * back from what is only authorised.
 */

#include "flow_driver.h"


#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define PAID                                                                  \
    "[" STORED_MONEY("order-1", "3000", "SUCCESS",                            \
                     MONEY("false", "0", "3000", "100", "400", "0")) "]"
#define HELD                                                                  \
    "[" STORED_MONEY("order-1", "3000", "EXECUTING",                          \
                     MONEY("true", "3000", "0", "0", "0", "0")) "]"
#define OPEN                                                                  \
    "[" STORED_MONEY("order-1", "3000", "EXECUTING",                          \
                     MONEY("true", "0", "0", "0", "0", "0")) "]"


static pay_psp_adapter_t  made;


static void
setup(void)
{
    made = *generic();
    made.traits = PAY_PSP_AUTHORIZES | PAY_PSP_MULTICAPTURE;
    made.changes = PAY_PSP_CAN(PAY_PSP_CAPTURE) | PAY_PSP_CAN(PAY_PSP_CANCEL)
                   | PAY_PSP_CAN(PAY_PSP_REFUND) | PAY_PSP_CAN(PAY_PSP_EXPIRE);
}


TestSuite(pay_flow_after, .init = setup);


static pay_checkout_row_t
view_with(const char *orders)
{
    pay_checkout_row_t  view = view_registered(generic());

    set_orders(&view, orders);

    return view;
}


/* --- GETs ---------------------------------------------------------------- */

Test(pay_flow_after, one_and_all_can_be_read)
{
    pay_checkout_row_t  view = view_with(PAID);
    world_t             world;
    pay_change_row_t    row = change_of("refund");

    world_open(&world);
    world_made(&world, pay_flow_read_change(&world.flow, PAY_CHANGE_REFUND,
                   PAY_STR("acme"), PAY_STR("order-1"), PAY_STR(CHANGE_ID)));
    world_start(&world);
    expect_db(&world, PAY_OP_GET_CHANGE);
    expect_arg(&world, get_change, merchant_id, "acme");
    expect_arg(&world, get_change, payment_order_id, "order-1");
    expect_arg(&world, get_change, change_id, CHANGE_ID);
    row.checkout = view;
    world_change_row(&world, PAY_OUTCOME_FOUND, &row);
    cr_expect(contains(expect_reply(&world, PAY_REPLY_JSON, 200)->body,
                       "\"checkout_id\":\"c-1\""));
    world_close(&world);

    world_open(&world);
    world_made(&world, pay_flow_read_change(&world.flow, PAY_CHANGE_CANCEL,
                   PAY_STR("acme"), PAY_STR("order-1"), PAY_STR("")));
    world_start(&world);
    expect_db(&world, PAY_OP_LIST_CHANGES);
    expect_arg(&world, list_changes, kind, "cancel");
    world_result(&world, PAY_OUTCOME_FOUND,
                 &(pay_changes_row_t) { PAY_STR("[]") });
    cr_expect(pay_str_is(expect_reply(&world, PAY_REPLY_JSON, 200)->body,
                         "{\"payment_order_id\":\"order-1\","
                         "\"cancels\":[]}"));
    world_close(&world);
}


/* A refund is no capture, whatever id it is asked for by. */
Test(pay_flow_after, what_is_of_another_kind_or_absent_is_404)
{
    size_t              i;
    pay_checkout_row_t  view = view_with(PAID);
    world_t             world;
    pay_change_row_t    row = change_with("refund", &view);

    for (i = 0; i < 4; i++) {
        world_open(&world);
        world_made(&world, pay_flow_read_change(&world.flow,
                       PAY_CHANGE_CAPTURE, PAY_STR("acme"),
                       i == 3 ? PAY_STR("a b") : PAY_STR("order-1"),
                       i == 2 ? PAY_STR("a b") : PAY_STR(CHANGE_ID)));
        world_start(&world);

        if (i < 2) {
            world_change_row(&world, i == 0 ? PAY_OUTCOME_FOUND
                                            : PAY_OUTCOME_NOT_FOUND,
                             i == 0 ? &row : NULL);
        }

        expect_problem(&world, "not-found", 404);
        world_close(&world);
    }
}


Test(pay_flow_after, a_seller_is_looked_up_with_its_page)
{
    world_t          world;
    pay_statement_t  s;

    cr_assert_eq(pay_statement_parse(PAY_STR("currency=EUR&before=9"), &s,
                                     NULL), PAY_OK);

    world_open(&world);
    world_made(&world, pay_flow_read_seller(&world.flow, PAY_STR("acme"),
                                            PAY_STR("s-1"), NULL));
    world_start(&world);
    expect_db(&world, PAY_OP_GET_BALANCE);
    expect_arg(&world, get_balance, merchant_id, "acme");
    expect_arg(&world, get_balance, seller_account, "s-1");
    world_result(&world, PAY_OUTCOME_FOUND,
                 &(pay_balances_row_t) { PAY_STR("[]") });
    expect_reply(&world, PAY_REPLY_JSON, 200);
    world_close(&world);

    world_open(&world);
    world_made(&world, pay_flow_read_seller(&world.flow, PAY_STR("acme"),
                                            PAY_STR("s-1"), &s));
    world_start(&world);
    expect_db(&world, PAY_OP_GET_STATEMENT);
    expect_arg(&world, get_statement, currency, "EUR");
    cr_expect_eq(asked(&world, get_statement)->before_seq.number, 9);
    cr_expect_eq(asked(&world, get_statement)->limit, 50);
    world_result(&world, PAY_OUTCOME_NOT_FOUND, NULL);
    expect_problem(&world, "not-found", 404);
    world_close(&world);

    world_open(&world);
    world_made(&world, pay_flow_read_seller(&world.flow, PAY_STR("acme"),
                                            PAY_STR("s 1"), NULL));
    world_start(&world);
    expect_problem(&world, "not-found", 404);
    cr_expect_eq(world.db_count, 0);
    world_close(&world);
}


/* --- What PSPs tell, and the buyer's way back ---------------------------- */

static pay_psp_event_t  told;

static pay_status_t
tell(pay_arena_t *arena, const pay_psp_account_t *psp_account,
    pay_str_t event_id, pay_str_t body,
    pay_psp_event_t events[PAY_PSP_EVENTS_MAX], unsigned *count,
    pay_err_t *err)
{
    (void) arena;
    (void) psp_account;
    (void) event_id;
    (void) body;
    (void) err;

    events[0] = told;
    *count = 1;

    return PAY_OK;
}


static pay_sig_verdict_t
trust(pay_arena_t *arena, const pay_sig_input_t *input,
    pay_sig_result_t *result)
{
    (void) arena;
    (void) input;
    result->event_id = PAY_STR("evt_1");

    return PAY_SIG_VALID;
}


static void
webhook_open(world_t *world)
{
    pay_webhook_input_t       in;
    static pay_sig_scheme_t   scheme;

    world_open(world);
    made.webhook_events = tell;
    scheme = *world->psps[WORLD_GENERIC].scheme;
    scheme.verify = trust;
    world->psps[WORLD_GENERIC].adapter = &made;
    world->psps[WORLD_GENERIC].scheme = &scheme;
    memset(&in, 0, sizeof(in));
    in.psp = &world->psps[WORLD_GENERIC];
    in.body = PAY_STR("{}");
    world_made(world, pay_flow_webhook(&world->flow, &in));
    world_start(world);
}


Test(pay_flow_after, news_of_what_follows_a_sale_has_an_operation_of_its_own)
{
    unsigned  i;
    world_t   world;

    static const char *const  abouts[] = {
        [PAY_ABOUT_CAPTURE] = "capture", [PAY_ABOUT_REFUND] = "refund",
        [PAY_ABOUT_DISPUTE] = "dispute", [PAY_ABOUT_FEE] = "fee"
    };
    static const char *const  news[] = {
        "pending", "succeeded", "failed", "opened", "won", "lost", "ended",
        "single"
    };

    memset(&told, 0, sizeof(told));
    told.event_id = PAY_STR("evt_1");
    told.type = PAY_STR("dispute.opened");
    told.token = PAY_STR("reg_1");
    told.reference = PAY_STR("pay_1");
    told.object = PAY_STR("dp_1");
    told.operation = PAY_STR(CHANGE_ID);
    told.code = PAY_STR("fraudulent");
    told.has_amount = 1;
    told.amount_minor = 500;
    told.currency = PAY_STR("USD");
    told.has_fee = 1;
    told.fee_minor = 1500;
    told.fee_currency = PAY_STR("EUR");
    told.evidence_until_s = 1900000000;
    told.said_s = 1800000000;

    for (i = 0; i < 4 * 8; i++) {
        told.about = (pay_psp_about_t) (PAY_ABOUT_CAPTURE + i / 8);
        told.news = (pay_psp_news_t) (i % 8);
        webhook_open(&world);
        expect_db(&world, PAY_OP_APPLY_CHANGE);
        expect_arg(&world, apply_change, psp, "generic");
        expect_arg(&world, apply_change, source, "webhook");
        expect_arg(&world, apply_change, event_id, "evt_1");
        expect_arg(&world, apply_change, type, "dispute.opened");
        expect_arg(&world, apply_change, about, abouts[told.about]);
        expect_arg(&world, apply_change, news, news[told.news]);
        expect_arg(&world, apply_change, token, "reg_1");
        expect_arg(&world, apply_change, reference, "pay_1");
        expect_arg(&world, apply_change, object, "dp_1");
        expect_arg(&world, apply_change, operation_id, CHANGE_ID);
        cr_expect_eq(asked(&world, apply_change)->amount_minor.number, 500);
        expect_arg(&world, apply_change, currency, "USD");
        cr_expect_eq(asked(&world, apply_change)->fee_minor.number, 1500);
        expect_arg(&world, apply_change, fee_currency, "EUR");
        expect_arg(&world, apply_change, code, "fraudulent");
        cr_expect_eq(asked(&world, apply_change)->digest.len, PAY_SHA256_SIZE);
        expect_arg(&world, apply_change, request_id, REQUEST_ID);
        cr_expect_eq(asked(&world, apply_change)->evidence_until.number,
                     1900000000);
        cr_expect_eq(asked(&world, apply_change)->said_at.number, 1800000000);
        world_close(&world);
    }
}


/* One of the amount of ours was taken for it. */
Test(pay_flow_after, a_refund_that_a_psp_would_have_named_is_not_ours)
{
    size_t   i;
    world_t  world;

    static const struct {
        pay_psp_about_t   about;
        unsigned          traits;
        const char       *operation;   /* NULL: none is told */
    } rows[] = {
        { PAY_ABOUT_REFUND, PAY_PSP_NAMES_REFUNDS, "-" },
        { PAY_ABOUT_REFUND, 0, NULL },
        { PAY_ABOUT_DISPUTE, PAY_PSP_NAMES_REFUNDS, NULL }
    };

    memset(&told, 0, sizeof(told));

    for (i = 0; i < COUNT(rows); i++) {
        told.about = rows[i].about;
        made.traits = rows[i].traits;
        webhook_open(&world);
        expect_db(&world, PAY_OP_APPLY_CHANGE);

        if (rows[i].operation != NULL) {
            expect_arg(&world, apply_change, operation_id, rows[i].operation);
        } else {
            cr_expect((asked(&world, apply_change)->operation_id.len == 0));
        }

        world_close(&world);
    }
}


Test(pay_flow_after, every_outcome_of_such_news_is_200)
{
    size_t   i;
    world_t  world;

    static const pay_outcome_t  outcomes[] = {
        PAY_OUTCOME_APPLIED, PAY_OUTCOME_UNCHANGED, PAY_OUTCOME_DUPLICATE,
        PAY_OUTCOME_PARKED, PAY_OUTCOME_MISMATCH, PAY_OUTCOME_IGNORED,
        PAY_OUTCOME_CONTRADICTION, PAY_OUTCOME_UNKNOWN, PAY_OUTCOME_NOT_FOUND
    };

    memset(&told, 0, sizeof(told));
    told.about = PAY_ABOUT_REFUND;

    for (i = 0; i < COUNT(outcomes); i++) {
        webhook_open(&world);
        expect_db(&world, PAY_OP_APPLY_CHANGE);
        cr_expect_not(asked(&world, apply_change)->amount_minor.is_set
                      || asked(&world, apply_change)->fee_minor.is_set);
        world_row(&world, outcomes[i], NULL);
        expect_reply(&world, PAY_REPLY_JSON, 200);
        cr_expect_str_eq(world.flow.outcome,
                         pay_outcome_word(outcomes[i]));
        world_close(&world);
    }
}


/* A hint says nothing, whatever it is about: the PSP is asked. */
Test(pay_flow_after, a_hint_about_a_refund_is_a_question_about_the_payment)
{
    world_t  world;

    memset(&told, 0, sizeof(told));
    told.about = PAY_ABOUT_REFUND;
    told.must_ask = 1;
    told.event_id = PAY_STR("evt_1");
    webhook_open(&world);
    expect_db(&world, PAY_OP_APPLY_EVENT);
    expect_arg(&world, apply_event, fact, "ask");
    world_close(&world);
}


static pay_status_t
approved(pay_arena_t *arena, pay_str_t token, const pay_http_answer_t *answer,
    pay_psp_event_t *event, int *known)
{
    (void) arena;
    (void) answer;

    memset(event, 0, sizeof(*event));
    event->token = token;
    event->must_capture = 1;
    *known = 1;

    return PAY_OK;
}


/* PayPal's approval is the money only where that is taken at once. */
Test(pay_flow_after, an_approval_is_an_authorisation_where_capture_is_manual)
{
    pay_checkout_row_t  view = view_with(OPEN);
    world_t             world;

    made.query_answer = approved;
    world_open(&world);
    world.psps[WORLD_GENERIC].adapter = &made;
    world_made(&world, pay_flow_buyer(&world.flow, PAY_BUYER_RETURN,
                                      PAY_STR(HANDLE)));
    world_start(&world);
    world_row(&world, PAY_OUTCOME_FOUND, &view);
    expect_http(&world);
    world_http(&world, answered(200, PAY_STR("{}")));
    expect_db(&world, PAY_OP_APPLY_EVENT);
    expect_arg(&world, apply_event, fact, "authorized");
    cr_expect_eq(world.http_count, 1, "nothing is captured");
    world_close(&world);
}


/* He has done his part; what the merchant does with it he need not wait for. */
Test(pay_flow_after, the_buyer_of_what_is_authorised_goes_back_to_the_shop)
{
    pay_checkout_row_t   view = view_with(HELD);
    world_t              world;
    const pay_reply_t   *reply;

    world_open(&world);
    world_made(&world, pay_flow_buyer(&world.flow, PAY_BUYER_RETURN,
                                      PAY_STR(HANDLE)));
    world_start(&world);
    world_row(&world, PAY_OUTCOME_FOUND, &view);
    reply = expect_reply(&world, PAY_REPLY_REDIRECT, 303);
    cr_expect(contains(reply->location, RETURN_URL));
    cr_expect_eq(world.http_count, 0);
    world_close(&world);

    world_open(&world);
    world_made(&world, pay_flow_buyer(&world.flow, PAY_BUYER_STATUS,
                                      PAY_STR(HANDLE)));
    world_start(&world);
    world_row(&world, PAY_OUTCOME_FOUND, &view);
    cr_expect_eq(expect_reply(&world, PAY_REPLY_PAGE, 200)->pending, 0);
    world_close(&world);

    world_open(&world);
    world_made(&world, pay_flow_buyer(&world.flow, PAY_BUYER_CHECKOUT,
                                      PAY_STR(HANDLE)));
    world_start(&world);
    world_row(&world, PAY_OUTCOME_FOUND, &view);
    cr_expect(contains(expect_reply(&world, PAY_REPLY_REDIRECT, 303)->location,
                       "/status"), "he is not sent to pay again");
    world_close(&world);
}


/* The answer is held against what was asked for: without the word the
 * registration of a manual checkout never became known. */
Test(pay_flow_after, the_answer_to_a_manual_registration_is_taken)
{
    pay_checkout_row_t   view = view_of(generic());
    world_t              world;
    pay_str_t            text;
    pay_arena_t         *arena;

    set_orders(&view, "[" STORED_MONEY("order-1", "3000", "NOT_STARTED",
                                   MONEY("true", "0", "0", "0", "0", "0"))
                  "]");
    world_open(&world);
    create_open(&world, WORLD_GENERIC,
                BODY_WITH("\"capture\":\"manual\",", ONE_ORDER));
    expect_db(&world, PAY_OP_BEGIN_PAYMENT);
    world_row(&world, PAY_OUTCOME_CREATED, &view);
    expect_http(&world);
    cr_expect(contains(world.effect.http.body, "\"capture\":\"manual\""));
    arena = pay_heap_arena(world.own);
    text = replaced(arena, fixture(arena, generic(), "register-answer.json"),
                    "\"token\"", "\"capture\":\"manual\",\"token\"");
    world_http(&world, answered(201, text));
    expect_db(&world, PAY_OP_STORE_TOKEN);
    world_close(&world);
}
