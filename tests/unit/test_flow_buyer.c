/*
 * The buyer's pages: the way to the hosted page, the status page, the way
 * back with a result that the storefront can check by itself.
 */

#include "flow_driver.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>


#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define STATUS_URL  BASE "/checkout/" HANDLE "/status"
#define FAILED(reason)                                                        \
    "[" STORED("order-1", "3000", "FAILED", "\"" reason "\"") "]"
#define SUCCESS  "[" STORED("order-1", "3000", "SUCCESS", "null") "]"
#define EXECUTING  "[" STORED("order-1", "3000", "EXECUTING", "null") "]"


static void
buyer_open(world_t *world, pay_buyer_t what)
{
    world_made(world, pay_flow_buyer(&world->flow, what, PAY_STR(HANDLE)));
    world_start(world);
}


static const pay_reply_t *
visit(world_t *world, pay_buyer_t what, const pay_checkout_row_t *view)
{
    world_open(world);
    buyer_open(world, what);
    expect_db(world, PAY_OP_GET_HANDLE);
    expect_arg(world, get_handle, handle, HANDLE);
    world_row(world, PAY_OUTCOME_FOUND, view);

    return world->effect.reply;
}


/* The return leg up to the question that the PSP is asked. */
static void
return_asked(world_t *world, const pay_checkout_row_t *view)
{
    visit(world, PAY_BUYER_RETURN, view);
    expect_http(world);
}


/* Independent of the code under test: HS256 by libcrypto alone. */
static void
check_jwt(pay_str_t url, const char *const *claims, size_t count)
{
    char                  token[4096], text[4096], mac64[64];
    char                 *start, *dot;
    size_t                i, len;
    unsigned              mac_len;
    unsigned char         mac[EVP_MAX_MD_SIZE], payload[4096];

    snprintf(text, sizeof(text), "%.*s", (int) url.len,
             (const char *) url.data);
    start = strstr(text, "&result=");
    cr_assert_not_null(start, "%s", text);
    snprintf(token, sizeof(token), "%s", start + strlen("&result="));

    dot = strrchr(token, '.');
    cr_assert_not_null(dot);
    HMAC(EVP_sha256(), RESULT_KEY, strlen(RESULT_KEY),
         (unsigned char *) token, (size_t) (dot - token), mac, &mac_len);
    EVP_EncodeBlock((unsigned char *) mac64, mac, (int) mac_len);

    for (i = 0; mac64[i] != '\0' && mac64[i] != '='; i++) {
        mac64[i] = mac64[i] == '+' ? '-' : mac64[i] == '/' ? '_' : mac64[i];
    }

    mac64[i] = '\0';
    cr_assert_str_eq(dot + 1, mac64, "the MAC of %s", token);

    *dot = '\0';
    start = strchr(token, '.');
    cr_assert_not_null(start++);

    for (len = 0; start[len] != '\0'; len++) {
        start[len] = start[len] == '-' ? '+' : start[len] == '_' ? '/'
                                                                 : start[len];
    }

    for ( /* void */ ; len % 4 != 0; len++) {
        start[len] = '=';
    }

    i = (size_t) EVP_DecodeBlock(payload, (unsigned char *) start, (int) len);
    payload[i] = '\0';

    for (i = 0; i < count; i++) {
        cr_expect_not_null(strstr((char *) payload, claims[i]), "%s in %s",
                           claims[i], payload);
    }
}


static void
expect_redirect(const world_t *world, const char *location)
{
    const pay_reply_t  *reply = expect_reply(world, PAY_REPLY_REDIRECT, 303);

    cr_expect(pay_str_is(reply->location, location), "%.*s",
              pay_fmt(reply->location));
}


Test(pay_flow_buyer, handles_that_cannot_be_are_404_without_the_database)
{
    size_t   i;
    world_t  world;

    static const char *const  handles[] = {
        "", "x", HANDLE "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA ",
        "' or 1=1 -- AAAAAAAAAAAAAAAAAAAA", "../../../../../../../../../../../"
    };

    for (i = 0; i < 3 * COUNT(handles); i++) {
        world_open(&world);
        world_made(&world, pay_flow_buyer(&world.flow, (pay_buyer_t) (i % 3),
                                          pay_str_of(handles[i / 3])));
        world_start(&world);
        expect_problem(&world, "not-found", 404);
        cr_expect_eq(world.db_count, 0);
        world_close(&world);
    }
}


Test(pay_flow_buyer, unknown_handle_is_404)
{
    unsigned  i;
    world_t   world;

    for (i = 0; i < 3; i++) {
        world_open(&world);
        buyer_open(&world, (pay_buyer_t) i);
        world_row(&world, PAY_OUTCOME_NOT_FOUND, NULL);
        expect_problem(&world, "not-found", 404);
        world_close(&world);
    }
}


Test(pay_flow_buyer, without_the_database_nobody_is_sent_anywhere)
{
    unsigned  i;
    world_t   world;

    for (i = 0; i < 3 * DB_FAILURES; i++) {
        world_open(&world);
        buyer_open(&world, (pay_buyer_t) (i / DB_FAILURES));
        world_db_failed(&world, (pay_db_failure_t) (i % DB_FAILURES));
        expect_reply(&world, PAY_REPLY_PROBLEM,
                     i % DB_FAILURES == PAY_DB_ERROR ? 500 : 503);
        cr_expect_eq(world.http_count, 0);
        world_close(&world);
    }
}


Test(pay_flow_buyer, open_checkout_leads_to_the_hosted_page)
{
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    visit(&world, PAY_BUYER_CHECKOUT, &view);
    expect_redirect(&world, "https://pay.psp.example/p/reg_01JD8Z#top");
    cr_expect_str_eq(world.flow.outcome, "hosted-page");
    world_close(&world);

    view = view_registered(stripe());
    visit(&world, PAY_BUYER_CHECKOUT, &view);
    expect_redirect(&world, (const char *) view.hosted_url.data);
    world_close(&world);
}


/* A browser with a cookie, or the one that it gets. */
static const pay_risk_t *
look(pay_risk_t *risk)
{
    pay_keyring_t  ring = { .count = 2, .keys = { [1].bytes = { 1 } } };

    *risk = (pay_risk_t) { 0 };
    cr_assert_eq(pay_risk_keys(&ring, risk), PAY_OK);

    return risk;
}


static void
open_seen(world_t *world, int is_new)
{
    const pay_risk_browser_t  browser = {
        PAY_STR("abcdefghijklmnopqrstuvwxyz-_0123"), is_new,
        PAY_STR("Firefox"), PAY_STR("2001:db8::7")
    };

    world_made(world, pay_flow_buyer_seen(&world->flow, PAY_STR(HANDLE),
                                          &browser));
    world_start(world);
}


Test(pay_flow_buyer, a_browser_is_seen_in_the_call_that_finds_the_checkout)
{
    int                 is_new;
    pay_risk_t          risk;
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    for (is_new = 0; is_new <= 1; is_new++) {
        world_open(&world);
        world.env.risk = look(&risk);
        open_seen(&world, is_new);
        expect_db(&world, PAY_OP_SEE_BROWSER);
        expect_arg(&world, see_browser, handle, HANDLE);
        expect_arg(&world, see_browser, user_agent, "Firefox");
        expect_arg(&world, see_browser, address, "2001:db8::7/128");
        cr_expect_eq(asked(&world, see_browser)->is_new, is_new);
        cr_expect_eq(asked(&world, see_browser)->browser.len, 64);
        cr_expect_eq(asked(&world, see_browser)->before.len, 64);
        cr_expect_eq(asked(&world, see_browser)->agent.len, 64);
        world_row(&world, PAY_OUTCOME_FOUND, &view);
        expect_redirect(&world, "https://pay.psp.example/p/reg_01JD8Z#top");
        cr_expect_eq(world.db_count, 1);
        expect_text(world.effect.reply->cookie, !is_new ? NULL
                    : "__Host-payments-browser="
                    "abcdefghijklmnopqrstuvwxyz-_0123; Max-Age=34128000; "
                    "Path=/; Secure; HttpOnly; SameSite=Lax");
        world_close(&world);
    }
}


/* A checkout that was blocked answers as one that is over, and its browser is
 * seen and named as any other. */
Test(pay_flow_buyer, a_checkout_that_cannot_be_paid_sets_the_same_cookie)
{
    pay_risk_t          risk;
    pay_checkout_row_t  view = view_of(generic());
    world_t             world;

    world_open(&world);
    world.env.risk = look(&risk);
    open_seen(&world, 1);
    world_row(&world, PAY_OUTCOME_FOUND, &view);
    expect_redirect(&world, STATUS_URL);
    cr_expect_gt(world.effect.reply->cookie.len, 32);
    world_close(&world);
}


Test(pay_flow_buyer, without_risk_no_browser_is_seen)
{
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    world_open(&world);
    open_seen(&world, 1);
    expect_db(&world, PAY_OP_GET_HANDLE);
    world_row(&world, PAY_OUTCOME_FOUND, &view);
    expect_reply(&world, PAY_REPLY_REDIRECT, 303);
    cr_expect_eq(world.effect.reply->cookie.len, 0);
    world_close(&world);
}


Test(pay_flow_buyer, who_guesses_handles_gets_no_cookie)
{
    pay_risk_t  risk;
    world_t     world;

    world_open(&world);
    world.env.risk = look(&risk);
    open_seen(&world, 1);
    world_row(&world, PAY_OUTCOME_NOT_FOUND, NULL);
    expect_problem(&world, "not-found", 404);
    cr_expect_eq(world.effect.reply->cookie.len, 0);
    world_close(&world);
}


Test(pay_flow_buyer, checkout_without_a_page_leads_to_its_status)
{
    pay_checkout_row_t  view = view_of(generic());
    world_t             world;

    visit(&world, PAY_BUYER_CHECKOUT, &view);
    expect_redirect(&world, STATUS_URL);
    world_close(&world);
}


Test(pay_flow_buyer, checkout_in_a_final_state_leads_to_its_status)
{
    size_t              i;
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    static const char *const  orders[] = {
        SUCCESS, FAILED("declined"), FAILED("expired"), FAILED("cancelled")
    };

    for (i = 0; i < COUNT(orders); i++) {
        set_orders(&view, orders[i]);
        visit(&world, PAY_BUYER_CHECKOUT, &view);
        expect_redirect(&world, STATUS_URL);
        world_close(&world);
    }
}


Test(pay_flow_buyer, expired_checkout_leads_to_its_status)
{
    int64_t             late;
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    for (late = -1; late < 2; late++) {
        world_open(&world);
        world.now_s = EXPIRES + late;
        buyer_open(&world, PAY_BUYER_CHECKOUT);
        world_row(&world, PAY_OUTCOME_FOUND, &view);
        expect_redirect(&world, late < 0
                                ? (const char *) view.hosted_url.data
                                : STATUS_URL);
        world_close(&world);
    }
}


/* A row from before the configuration changed, or tampered with: hosted_page_
 * host names the only hosts a buyer is ever sent to. */
Test(pay_flow_buyer, stored_page_on_a_host_not_configured_is_not_followed)
{
    size_t              i;
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    static const char *const  urls[] = {
        "https://evil.example/", "http://pay.psp.example/p/1",
        "https://checkout.stripe.com/c/pay/1", "javascript:alert(1)", NULL,
        "https://pay.psp.example@evil.example/"
    };

    for (i = 0; i < COUNT(urls); i++) {
        view.hosted_url = pay_str_of(urls[i]);
        visit(&world, PAY_BUYER_CHECKOUT, &view);
        expect_redirect(&world, STATUS_URL);
        world_close(&world);
    }

    view = view_registered(generic());
    view.psp = PAY_STR("removed");
    visit(&world, PAY_BUYER_CHECKOUT, &view);
    expect_redirect(&world, STATUS_URL);
    world_close(&world);
}


/* The block of that name was given another adapter: it crashed the worker. */
Test(pay_flow_buyer, a_psp_that_takes_no_orders_any_more_is_not_asked)
{
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    world_open(&world);
    world.psps[WORLD_GENERIC].adapter = pay_psp_find(PAY_STR("braintree"));
    buyer_open(&world, PAY_BUYER_RETURN);
    world_row(&world, PAY_OUTCOME_FOUND, &view);
    cr_expect_eq(world.http_count, 0);
    cr_expect_eq(world.effect.kind, PAY_DO_DONE);
    cr_assert_not_null(world.effect.reply);
    cr_expect_eq(world.effect.reply->kind, PAY_REPLY_PAGE);
    world_close(&world);
}


/* The buyer's page tells to wait where the PSP has money under way. */
Test(pay_flow_buyer, the_page_knows_its_language_and_what_is_under_way)
{
    world_t            world;
    pay_visit_row_t    row = { .is_pending = pay_some(1) };
    const pay_reply_t *reply;

    row.checkout = view_registered(generic());
    set_orders(&row.checkout, EXECUTING);
    row.page = PAY_STR("{\"locale\":\"de-AT\",\"descriptions\":[\"A <b>\"]}");

    world_open(&world);
    buyer_open(&world, PAY_BUYER_STATUS);
    expect_db(&world, PAY_OP_GET_HANDLE);
    world_visit_row(&world, PAY_OUTCOME_FOUND, &row);
    reply = expect_reply(&world, PAY_REPLY_PAGE, 200);
    cr_expect_eq(reply->psp_pending, 1);
    cr_expect(pay_str_is(reply->checkout->locale, "de-AT"));
    cr_expect(pay_str_is(reply->checkout->orders[0].description, "A <b>"));
    world_close(&world);

    reply = visit(&world, PAY_BUYER_STATUS, &row.checkout);
    cr_expect_eq(reply->psp_pending, 0);
    cr_expect_eq(reply->checkout->locale.len, 0);
    cr_expect_eq(reply->checkout->orders[0].description.len, 0);
    world_close(&world);
}


Test(pay_flow_buyer, status_is_a_page_that_asks_no_psp)
{
    size_t               i;
    pay_checkout_row_t   view = view_registered(generic());
    world_t              world;
    const pay_reply_t   *reply;

    static const char *const  orders[] = {
        "[" STORED("order-1", "3000", "NOT_STARTED", "null") "]", EXECUTING,
        SUCCESS, FAILED("declined")
    };

    for (i = 0; i < COUNT(orders); i++) {
        set_orders(&view, orders[i]);
        visit(&world, PAY_BUYER_STATUS, &view);
        reply = expect_reply(&world, PAY_REPLY_PAGE, 200);
        cr_expect_eq(reply->pending, i < 2, "row %zu", i);
        cr_expect(pay_str_is(reply->checkout->checkout_id, "c-1"));
        cr_expect_eq(world.http_count, 0);
        world_close(&world);
    }
}


/* A page left open for longer than a result lives handed on a stale one. */
Test(pay_flow_buyer, final_page_leads_back_by_the_return_leg)
{
    size_t               i;
    pay_checkout_row_t   view = view_registered(generic());
    world_t              world;
    const pay_reply_t   *reply;

    static const char *const  orders[] = { SUCCESS, FAILED("declined") };

    for (i = 0; i < COUNT(orders); i++) {
        set_orders(&view, orders[i]);
        visit(&world, PAY_BUYER_STATUS, &view);
        reply = expect_reply(&world, PAY_REPLY_PAGE, 200);
        cr_expect(contains(reply->shop_url, "/return/" HANDLE));
        cr_expect_not(contains(reply->shop_url, "result="));
        world_close(&world);
    }
}


/* return_host was looked at when the checkout was made, and never again. */
Test(pay_flow_buyer, a_host_that_was_removed_gets_neither_buyers_nor_results)
{
    size_t               i, k;
    pay_checkout_row_t   view = view_registered(generic());
    world_t              world;
    const pay_reply_t   *reply;

    static const char *const  orders[] = {
        SUCCESS, FAILED("declined"), EXECUTING
    };

    static const pay_str_t  others[] = {
        pay_string("shop.example.com:8443"), pay_string("www.example.com")
    };

    for (i = 0; i < 2 * COUNT(orders); i++) {
        set_orders(&view, orders[i / 2]);
        world_open(&world);

        for (k = 0; k < 2; k++) {
            world.merchants[k].return_hosts = others;
            world.merchants[k].return_host_count = 2;
        }

        world.no_shop = 1;
        buyer_open(&world, i % 2 ? PAY_BUYER_RETURN : PAY_BUYER_STATUS);
        world_row(&world, PAY_OUTCOME_FOUND, &view);

        if (i == 5) {
            world_no_answer(&world, PAY_SENT_SOME, PAY_FAILURE_TIMEOUT);
        }

        reply = expect_reply(&world, PAY_REPLY_PAGE, 200);
        cr_expect_eq(reply->pending, i > 3, "row %zu", i);
        cr_expect_eq(reply->shop_url.len, 0);
        cr_expect_eq(reply->location.len, 0);
        world_close(&world);
    }
}


/* The whole block is gone: there is no list at all. */
Test(pay_flow_buyer, a_merchant_who_is_gone_gets_no_buyers)
{
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    set_orders(&view, SUCCESS);
    view.merchant_id = PAY_STR("nobody");
    world_open(&world);
    world.no_shop = 1;
    buyer_open(&world, PAY_BUYER_RETURN);
    world_row(&world, PAY_OUTCOME_FOUND, &view);
    (void) expect_reply(&world, PAY_REPLY_PAGE, 200);
    world_close(&world);
}


Test(pay_flow_buyer, return_asks_only_while_open_and_registered)
{
    size_t              i;
    world_t             world;
    pay_checkout_row_t  views[4];

    views[0] = view_of(generic());
    views[1] = view_of(generic());
    set_orders(&views[1], EXECUTING);        /* without a token */
    views[2] = view_registered(generic());
    set_orders(&views[2], "[" STORED("order-1", "3000", "NOT_STARTED",
                                         "null") "]");
    views[3] = view_registered(generic());
    views[3].psp = PAY_STR("removed");

    for (i = 0; i < COUNT(views); i++) {
        visit(&world, PAY_BUYER_RETURN, &views[i]);
        cr_expect_eq(world.http_count, 0, "view %zu", i);
        cr_expect_eq(expect_reply(&world, PAY_REPLY_PAGE, 200)->pending, 1);
        world_close(&world);
    }
}


Test(pay_flow_buyer, return_asks_about_the_stored_token_with_a_short_deadline)
{
    unsigned            psp;
    pay_checkout_row_t  view;
    world_t             world;

    for (psp = 0; psp < WORLD_PSPS; psp++) {
        view = view_registered(psp == WORLD_STRIPE ? stripe() : generic());
        return_asked(&world, &view);
        cr_expect_eq(world.effect.psp, &world.psps[psp]);
        cr_expect_eq(world.effect.buyer_waits, 1);
        cr_expect(pay_str_is(world.effect.http.method, "GET"));
        cr_expect(contains(world.effect.http.url,
                           (const char *) view.token.data));
        world_close(&world);
    }
}


Test(pay_flow_buyer, word_of_the_psp_is_committed_before_it_is_believed)
{
    unsigned            psp;
    pay_checkout_row_t  view, paid;
    world_t             world;

    static const char *const  claims[] = {
        "\"iss\":\"" BASE "\"", "\"aud\":\"acme\"", "\"sub\":\"c-1\"",
        "\"status\":\"SUCCESS\"", "\"reason\":\"\"", "\"version\":4",
        "\"iat\":1795236600", "\"exp\":1795237200"
    };

    for (psp = 0; psp < WORLD_PSPS; psp++) {
        view = view_registered(psp == WORLD_STRIPE ? stripe() : generic());
        return_asked(&world, &view);
        world_answer(&world, world.psps[psp].adapter, 200, "query-paid.json");
        expect_db(&world, PAY_OP_APPLY_EVENT);
        expect_arg(&world, apply_event, source, "query");
        expect_arg(&world, apply_event, fact, "paid");
        cr_expect(pay_str_eq(asked(&world, apply_event)->token, view.token));

        paid = view;
        set_orders(&paid, SUCCESS);
        paid.version = 4;
        world_row(&world, PAY_OUTCOME_APPLIED, &paid);
        expect_reply(&world, PAY_REPLY_REDIRECT, 303);
        cr_expect(contains(world.effect.reply->location, RETURN_URL
                           "?checkout_id=c-1&status=SUCCESS&result="));
        check_jwt(world.effect.reply->location, claims, COUNT(claims));
        world_close(&world);
    }
}


/* The commit failed: the buyer sees the last state that was committed. */
Test(pay_flow_buyer, paid_but_not_committed_is_still_open)
{
    unsigned             i;
    pay_checkout_row_t   view = view_registered(generic());
    world_t              world;
    const pay_reply_t   *reply;

    for (i = 0; i < DB_FAILURES; i++) {
        return_asked(&world, &view);
        world_answer(&world, generic(), 200, "query-paid.json");
        world_db_failed(&world, (pay_db_failure_t) i);
        reply = expect_reply(&world, PAY_REPLY_PAGE, 200);
        cr_expect_eq(reply->pending, 1);
        cr_expect(contains(reply->shop_url, "&status=EXECUTING&"));
        world_close(&world);
    }
}


/* A wrong amount moves nothing: SQL's state is what counts. */
Test(pay_flow_buyer, mismatch_leaves_the_buyer_on_the_page)
{
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    return_asked(&world, &view);
    world_answer(&world, generic(), 200, "query-paid.json");
    world_row(&world, PAY_OUTCOME_MISMATCH, &view);
    cr_expect_eq(expect_reply(&world, PAY_REPLY_PAGE, 200)->pending, 1);
    world_close(&world);

    return_asked(&world, &view);
    world_answer(&world, generic(), 200, "query-paid.json");
    world_row(&world, PAY_OUTCOME_NOT_FOUND, NULL);
    cr_expect_eq(expect_reply(&world, PAY_REPLY_PAGE, 200)->pending, 1);
    world_close(&world);
}


Test(pay_flow_buyer, psp_that_says_nothing_still_gives_a_page)
{
    size_t              i;
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;
    pay_http_answer_t   answer;

    static const struct {
        pay_sent_t   sent;
        unsigned     status;
        const char  *body;
    } rows[] = {
        { PAY_SENT_NOTHING, 0, "" }, { PAY_SENT_SOME, 0, "" },
        { PAY_ANSWERED, 500, "" }, { PAY_ANSWERED, 404, "{}" },
        { PAY_ANSWERED, 200, "" }, { PAY_ANSWERED, 200, "{}" },
        { PAY_ANSWERED, 200, "{\"token\":\"reg_other\",\"status\":\"paid\","
          "\"amount\":\"30.00\",\"currency\":\"USD\"}" },
        { PAY_ANSWERED, 200, "{\"token\":\"reg_01JD8Z\",\"status\":\"paid\"}" },
        { PAY_ANSWERED, 200, "{\"token\":\"reg_01JD8Z\",\"status\":\"open\"}" },
        { PAY_ANSWERED, 302, "" }
    };

    for (i = 0; i < COUNT(rows); i++) {
        return_asked(&world, &view);
        answer = answered(rows[i].status, pay_str_of(rows[i].body));
        answer.sent = rows[i].sent;
        world_http(&world, answer);
        cr_expect_eq(expect_reply(&world, PAY_REPLY_PAGE, 200)->pending, 1,
                     "row %zu", i);
        cr_expect_eq(world.db_count, 1);
        world_close(&world);
    }
}


Test(pay_flow_buyer, final_state_goes_back_at_once_with_its_reason)
{
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    static const char *const  claims[] = {
        "\"status\":\"FAILED\"", "\"reason\":\"declined\"", "\"version\":3"
    };

    set_orders(&view, FAILED("declined"));
    visit(&world, PAY_BUYER_RETURN, &view);
    expect_reply(&world, PAY_REPLY_REDIRECT, 303);
    cr_expect_eq(world.http_count, 0);
    cr_expect_eq(world.db_count, 1);
    cr_expect_str_eq(world.flow.outcome, "returned");
    check_jwt(world.effect.reply->location, claims, COUNT(claims));
    world_close(&world);
}


Test(pay_flow_buyer, storefronts_own_query_is_kept)
{
    size_t              i;
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    static const char *const  rows[][2] = {
        { "https://shop.example.com/", "https://shop.example.com/?" },
        { "https://shop.example.com/?", "https://shop.example.com/?&" },
        { "https://shop.example.com/d?a=b&c=%20",
          "https://shop.example.com/d?a=b&c=%20&" }
    };

    set_orders(&view, SUCCESS);

    for (i = 0; i < COUNT(rows); i++) {
        char  prefix[128];

        view.return_url = pay_str_of(rows[i][0]);
        visit(&world, PAY_BUYER_RETURN, &view);
        expect_reply(&world, PAY_REPLY_REDIRECT, 303);
        snprintf(prefix, sizeof(prefix), "%scheckout_id=c-1&status=SUCCESS&"
                 "result=", rows[i][1]);
        cr_expect_eq(position(world.effect.reply->location, prefix), 0,
                     "%.*s", pay_fmt(world.effect.reply->location));
        world_close(&world);
    }
}


/* Without a key there is nothing that a storefront could check, so nothing
 * that it could be tempted to believe. */
Test(pay_flow_buyer, without_a_result_key_no_status_is_claimed)
{
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    set_orders(&view, SUCCESS);
    view.merchant_id = PAY_STR("other");
    visit(&world, PAY_BUYER_RETURN, &view);
    expect_redirect(&world, RETURN_URL "?checkout_id=c-1");
    world_close(&world);
}


Test(pay_flow_buyer, long_return_urls_fit)
{
    char                url[2049];
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    memset(url, 'a', sizeof(url) - 1);
    memcpy(url, "https://shop.example.com/", 25);
    url[sizeof(url) - 1] = '\0';
    view.return_url = pay_str_of(url);
    view.checkout_id = PAY_STR("01234567890123456789012345678901234567890123"
                               "45678901234567890123");
    set_orders(&view, SUCCESS);
    visit(&world, PAY_BUYER_RETURN, &view);
    expect_reply(&world, PAY_REPLY_REDIRECT, 303);
    check_jwt(world.effect.reply->location, NULL, 0);
    world_close(&world);
}


Test(pay_flow_buyer, broken_row_is_a_500)
{
    pay_checkout_row_t  view = view_registered(generic());
    world_t             world;

    set_orders(&view, "[]");
    visit(&world, PAY_BUYER_RETURN, &view);
    expect_problem(&world, "internal-error", 500);
    world_close(&world);
}


static void
play_return(world_t *world)
{
    pay_checkout_row_t  view = view_registered(generic());
    pay_checkout_row_t  paid = view_registered(generic());

    set_orders(&paid, SUCCESS);
    buyer_open(world, PAY_BUYER_RETURN);
    world_row(world, PAY_OUTCOME_FOUND, &view);
    world_answer(world, generic(), 200, "query-paid.json");
    world_row(world, PAY_OUTCOME_APPLIED, &paid);
}


static void
play_page(world_t *world)
{
    pay_checkout_row_t  view = view_registered(stripe());

    buyer_open(world, PAY_BUYER_RETURN);
    world_row(world, PAY_OUTCOME_FOUND, &view);
    world_no_answer(world, PAY_SENT_SOME, PAY_FAILURE_TIMEOUT);
}


static void
play_hosted(world_t *world)
{
    pay_checkout_row_t  view = view_registered(stripe());

    buyer_open(world, PAY_BUYER_CHECKOUT);
    world_row(world, PAY_OUTCOME_FOUND, &view);
}


static void
play_seen(world_t *world)
{
    pay_checkout_row_t  view = view_registered(stripe());
    static pay_risk_t   risk;

    world->env.risk = look(&risk);
    open_seen(world, 1);
    world_row(world, PAY_OUTCOME_FOUND, &view);
}


static void
play_expired(world_t *world)
{
    pay_checkout_row_t  view = view_registered(stripe());

    world->now_s = EXPIRES;
    buyer_open(world, PAY_BUYER_CHECKOUT);
    world_row(world, PAY_OUTCOME_FOUND, &view);
}


Test(pay_flow_buyer, failing_memory_ends_each_way_as_a_500)
{
    cr_expect_geq(world_torture(play_return), 40);
    cr_expect_geq(world_torture(play_page), 15);
    cr_expect_geq(world_torture(play_hosted), 12);
    cr_expect_geq(world_torture(play_expired), 12);
    cr_expect_geq(world_torture(play_seen), 18);
}
