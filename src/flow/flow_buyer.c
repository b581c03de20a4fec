/*
 * The buyer's pages: the way to the hosted page, the status page, and the
 * way back.  The way back never believes the query string: it asks
 * PostgreSQL, and the PSP while the outcome is open.  It leads only to a host
 * that the configuration names now.
 *
 *   see_browser ─┐
 *    get_handle ─┼─ /checkout ─▶ 303 to the hosted page, or to /status
 *                ├─ /status ───▶ the page
 *                └─ /return ─┬─ open ─▶ query ─▶ apply_event ─┐
 *                            └────────────────────────────────┴┐
 *                        303 to the shop ◀─ ended, held ───────┤
 *                        the page        ◀─ open ──────────────┘
 */

#include "flow_util.h"
#include "pay_id.h"
#include "pay_jwt.h"
#include "pay_url.h"


/* Seconds for which a signed result is good.  The browser follows the redirect
 * at once; the rest is room for clocks that differ. */
#define RESULT_LIFE_S  600


/* The state of a buyer's request.  `checkout` is replaced by the row of
 * apply_event when the PSP has news; `psp` is NULL when the PSP has left the
 * configuration, and then nothing is asked and no hosted page is shown. */
typedef struct {
    pay_buyer_t            what;
    pay_str_t              handle;
    int                    is_seen;
    pay_risk_browser_t     browser;    /* if it is */
    pay_checkout_t         checkout;
    int                    is_pending;
    const pay_psp_conf_t  *psp;
    pay_ask_t              ask;
} buyer_t;


static pay_status_t buyer_start(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t see_browser(pay_flow_t *flow, const buyer_t *buyer,
    pay_effect_t *effect);
static pay_status_t buyer_found(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t buyer_asked(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t buyer_applied(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static void keep_page(const pay_checkout_t *before, pay_checkout_t *checkout);
static pay_status_t go_checkout(pay_flow_t *flow, buyer_t *buyer,
    const pay_input_t *input, pay_effect_t *effect);
static pay_status_t go_on(pay_flow_t *flow, const buyer_t *buyer,
    pay_effect_t *effect, pay_str_t location, const char *outcome);
static pay_status_t ask_psp(pay_flow_t *flow, buyer_t *buyer,
    const pay_input_t *input, pay_effect_t *effect);
static int buyer_is_done(const pay_checkout_t *checkout);
static pay_status_t go_back(pay_flow_t *flow, buyer_t *buyer,
    const pay_input_t *input, pay_effect_t *effect);
static pay_status_t show_page(pay_flow_t *flow, buyer_t *buyer,
    const pay_input_t *input, pay_effect_t *effect);
static pay_status_t redirect(pay_flow_t *flow, pay_effect_t *effect,
    pay_str_t location, pay_str_t cookie, const char *outcome);
static pay_status_t may_return(pay_flow_t *flow,
    const pay_checkout_t *checkout);
static pay_status_t shop_url(pay_flow_t *flow, const pay_checkout_t *checkout,
    int64_t now_s, pay_str_t *url);
static pay_status_t result_token(pay_flow_t *flow,
    const pay_checkout_t *checkout, const pay_merchant_t *merchant,
    int64_t now_s, pay_str_t *token);


static const pay_flow_type_t  buyer_type = {
    .name = "buyer", .start = buyer_start
};


/* `handle` comes out of the request's path, unchecked, and lives as long as
 * the flow. */
pay_status_t
pay_flow_buyer(pay_flow_t *flow, pay_buyer_t what, pay_str_t handle)
{
    buyer_t  *buyer;

    buyer = pay_calloc(flow->arena, sizeof(buyer_t));
    if (buyer == NULL) {
        return PAY_NO_MEMORY;
    }

    buyer->what = what;
    buyer->handle = handle;
    pay_flow_begin(flow, &buyer_type, buyer);

    return PAY_OK;
}


pay_status_t
pay_flow_buyer_seen(pay_flow_t *flow, pay_str_t handle,
    const pay_risk_browser_t *browser)
{
    buyer_t  *buyer;

    PAY_TRY(pay_flow_buyer(flow, PAY_BUYER_CHECKOUT, handle));

    buyer = flow->state;
    buyer->is_seen = flow->env->risk != NULL;
    buyer->browser = *browser;

    return PAY_OK;
}


/* A malformed handle and an unknown one get the same 404, and the former costs
 * no query. */
static pay_status_t
buyer_start(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    buyer_t             *buyer = flow->state;
    pay_get_handle_in_t  in = { .handle = buyer->handle };

    (void) input;

    if (!pay_handle_is_valid(buyer->handle)) {
        return pay_done_problem(flow, effect, "not-found", NULL);
    }

    return buyer->is_seen ? see_browser(flow, buyer, effect)
                          : pay_do_get_handle(flow, effect, &in, buyer_found);
}


/* In the same statement as the checkout is read: the page waits for nothing
 * more. */
static pay_status_t
see_browser(pay_flow_t *flow, const buyer_t *buyer, pay_effect_t *effect)
{
    pay_risk_seen_t          seen;
    pay_see_browser_in_t     in = {
        .handle = buyer->handle, .is_new = buyer->browser.is_new
    };

    PAY_TRY(pay_risk_see(flow->args, flow->env->risk, &buyer->browser,
                         &seen));

    in.browser = seen.browser;
    in.before = seen.before;
    in.agent = seen.agent;
    in.user_agent = seen.user_agent;
    in.address = seen.address;

    return pay_do_see_browser(flow, effect, &in, buyer_found);
}


/* Only the way back asks the PSP: the status page loads itself again and
 * again, and would turn each open browser into a stream of calls.  A payment
 * that is authorised waits for the merchant, so the PSP has nothing to add. */
static pay_status_t
buyer_found(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    buyer_t                *buyer = flow->state;
    const pay_visit_row_t  *row = pay_row_visit(&input->result);

    if (input->kind == PAY_INPUT_DB_FAILED) {
        return pay_done_db_failed(flow, input, effect);
    }

    if (input->result.outcome != PAY_OUTCOME_FOUND || row == NULL) {
        return pay_done_problem(flow, effect, "not-found", NULL);
    }

    PAY_TRY(pay_checkout_decode(flow->arena, &row->checkout,
                                &buyer->checkout));
    PAY_TRY(pay_checkout_page(flow->arena, row->page, &buyer->checkout));
    buyer->is_pending = row->is_pending.number != 0;
    pay_flow_note(flow, &buyer->checkout);

    buyer->psp = pay_flow_psp(flow, buyer->checkout.psp);

    if (buyer->what == PAY_BUYER_CHECKOUT) {
        return go_checkout(flow, buyer, input, effect);
    }

    if (buyer->what == PAY_BUYER_RETURN && buyer->psp != NULL
        && buyer->checkout.token.len != 0
        && pay_checkout_state(&buyer->checkout) == PAY_EXECUTING
        && !pay_checkout_is_authorized(&buyer->checkout))
    {
        return ask_psp(flow, buyer, input, effect);
    }

    if (buyer->what == PAY_BUYER_RETURN) {
        return go_back(flow, buyer, input, effect);
    }

    return show_page(flow, buyer, input, effect);
}


/* A query that fails is no news for the buyer, who sees the state as it is
 * stored; the job of the checkout asks again. */
static pay_status_t
buyer_asked(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    buyer_t  *buyer = flow->state;

    if (!buyer->ask.known || !pay_psp_event_says(&buyer->ask.fact)) {
        return go_back(flow, buyer, input, effect);
    }

    return pay_do_event(flow, buyer->psp, "query", &buyer->ask.fact,
                        PAY_STR(""), effect, buyer_applied);
}


static pay_status_t
buyer_applied(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    buyer_t                   *buyer = flow->state;
    pay_checkout_t             before = buyer->checkout;
    const pay_checkout_row_t  *row = pay_row_checkout(&input->result);

    /* without the commit the buyer sees the last state that was committed */
    if (row != NULL) {
        PAY_TRY(pay_checkout_decode(flow->arena, row, &buyer->checkout));
        keep_page(&before, &buyer->checkout);
        buyer->is_pending |= buyer->ask.fact.fact == PAY_FACT_PENDING;
    }

    return go_back(flow, buyer, input, effect);
}


/* The row of apply_event has neither language nor descriptions. */
static void
keep_page(const pay_checkout_t *before, pay_checkout_t *checkout)
{
    unsigned  i;

    checkout->locale = before->locale;

    for (i = 0; i < checkout->order_count && i < before->order_count; i++) {
        checkout->orders[i].description = before->orders[i].description;
    }
}


/* A page that cannot be paid any more is never shown again, even if the PSP
 * would still open it. */
static pay_status_t
go_checkout(pay_flow_t *flow, buyer_t *buyer, const pay_input_t *input,
    pay_effect_t *effect)
{
    pay_str_t              url;
    pay_status_t           status;
    const pay_checkout_t  *c = &buyer->checkout;

    if (pay_checkout_state(c) == PAY_EXECUTING && c->token.len != 0
        && !pay_checkout_is_authorized(c)
        && input->now_s < c->expires_s && buyer->psp != NULL)
    {
        /* again: the configuration may name fewer hosts than it did then */
        status = pay_hosted_url_check(flow->arena, c->hosted_url,
                                      buyer->psp->hosted_hosts,
                                      buyer->psp->hosted_host_count, &url,
                                      NULL);
        if (status == PAY_OK) {
            return go_on(flow, buyer, effect, url, "hosted-page");
        }

        if (status != PAY_INVALID) {
            return status;
        }
    }

    PAY_TRY(pay_format(flow->arena, &url, 4096, "%.*s/checkout/%.*s/status",
                       pay_fmt(c->base_url), pay_fmt(c->handle)));

    return go_on(flow, buyer, effect, url, "status-page");
}


/* The cookie belongs to both answers: it says nothing about the checkout. */
static pay_status_t
go_on(pay_flow_t *flow, const buyer_t *buyer, pay_effect_t *effect,
    pay_str_t location, const char *outcome)
{
    pay_str_t  cookie = PAY_STR("");

    if (buyer->is_seen && buyer->browser.is_new) {
        PAY_TRY(pay_risk_cookie_set(flow->arena, buyer->browser.cookie,
                                    &cookie));
    }

    return redirect(flow, effect, location, cookie, outcome);
}


/* The buyer's browser waits, so the call gets the short deadline
 * (payments_buyer_timeout).  An approval that comes back after expires_s is
 * left to the job, which knows when the order is given up. */
static pay_status_t
ask_psp(pay_flow_t *flow, buyer_t *buyer, const pay_input_t *input,
    pay_effect_t *effect)
{
    buyer->ask.checkout = &buyer->checkout;
    buyer->ask.psp = buyer->psp;
    buyer->ask.buyer_waits = 1;
    buyer->ask.may_capture = input->now_s < buyer->checkout.expires_s;
    buyer->ask.done = buyer_asked;

    return pay_ask_start(flow, &buyer->ask, effect);
}


/* An authorised payment waits for the merchant, not for the buyer.  Nothing
 * the buyer does changes it any more, so the shop's own page is the better
 * place. */
static int
buyer_is_done(const pay_checkout_t *checkout)
{
    pay_state_t  state;

    state = pay_checkout_state(checkout);

    return state == PAY_SUCCESS || state == PAY_FAILED
           || pay_checkout_is_authorized(checkout);
}


/* A final state hands the buyer on; an open one is shown, and keeps asking.
 * When the shop's host is not allowed any more, the final state is shown on
 * our page instead. */
static pay_status_t
go_back(pay_flow_t *flow, buyer_t *buyer, const pay_input_t *input,
    pay_effect_t *effect)
{
    pay_str_t     url;
    pay_status_t  status;

    if (!buyer_is_done(&buyer->checkout)) {
        return show_page(flow, buyer, input, effect);
    }

    status = may_return(flow, &buyer->checkout);
    if (status == PAY_INVALID) {
        return show_page(flow, buyer, input, effect);
    }

    PAY_TRY(status);
    PAY_TRY(shop_url(flow, &buyer->checkout, input->now_s, &url));

    return redirect(flow, effect, url, PAY_STR(""), "returned");
}


/* The link of a page that is open leads to the shop directly, with the present
 * state signed, so that a buyer who gives up gets home.  A final page links to
 * our own return leg. */
static pay_status_t
show_page(pay_flow_t *flow, buyer_t *buyer, const pay_input_t *input,
    pay_effect_t *effect)
{
    pay_reply_t  *reply;
    pay_status_t  status;

    PAY_TRY(pay_reply_new(flow, PAY_REPLY_PAGE, 200, &reply));

    reply->checkout = &buyer->checkout;
    reply->pending = !buyer_is_done(&buyer->checkout);
    reply->psp_pending = buyer->is_pending;
    status = may_return(flow, &buyer->checkout);

    /* a final page may stay open for hours: the return leg signs anew */
    if (status == PAY_INVALID) {
        reply->shop_url = PAY_STR("");

    } else if (status != PAY_OK) {
        return status;

    } else if (reply->pending) {
        PAY_TRY(shop_url(flow, &buyer->checkout, input->now_s,
                         &reply->shop_url));

    } else {
        PAY_TRY(pay_format(flow->arena, &reply->shop_url, 4096,
                           "%.*s/return/%.*s",
                           pay_fmt(buyer->checkout.base_url),
                           pay_fmt(buyer->checkout.handle)));
    }

    flow->outcome = "page";
    pay_do_done(effect, reply);

    return PAY_OK;
}


/* 303 makes the browser use GET (RFC 9110, section 15.4.4), so that no later
 * page depends on how this one was requested. */
static pay_status_t
redirect(pay_flow_t *flow, pay_effect_t *effect, pay_str_t location,
    pay_str_t cookie, const char *outcome)
{
    pay_reply_t  *reply;

    PAY_TRY(pay_reply_new(flow, PAY_REPLY_REDIRECT, 303, &reply));

    reply->location = location;
    reply->cookie = cookie;
    flow->outcome = outcome;
    pay_do_done(effect, reply);

    return PAY_OK;
}


/* The host was allowed when the checkout was made.  PAY_INVALID: it is not
 * any more, or the merchant is gone, so it gets neither buyers nor signed
 * results. */
static pay_status_t
may_return(pay_flow_t *flow, const pay_checkout_t *checkout)
{
    pay_str_t              url;
    const pay_merchant_t  *merchant;

    merchant = pay_env_merchant(flow->env, checkout->merchant_id);

    return merchant != NULL
           ? pay_return_url_check(flow->arena, checkout->return_url,
                                  merchant->return_hosts,
                                  merchant->return_host_count, &url, NULL)
           : PAY_INVALID;
}


/* return_url + checkout_id, status and, with a result key, the signed result.
 * Storefronts must not trust the status beside the result, since the buyer can
 * write it (docs/storefront.md#the-buyers-way-back). */
static pay_status_t
shop_url(pay_flow_t *flow, const pay_checkout_t *checkout, int64_t now_s,
    pay_str_t *url)
{
    pay_buf_t              buf;
    pay_str_t              token;
    const pay_merchant_t  *merchant;

    pay_buf_init(&buf, flow->arena, 8192);
    pay_buf_add(&buf, checkout->return_url);
    pay_buf_text(&buf, memchr(checkout->return_url.data, '?',
                              checkout->return_url.len) == NULL ? "?" : "&");
    pay_buf_text(&buf, "checkout_id=");
    pay_buf_percent(&buf, checkout->checkout_id);

    merchant = pay_env_merchant(flow->env, checkout->merchant_id);

    if (merchant != NULL && merchant->result_key.len != 0) {
        PAY_TRY(result_token(flow, checkout, merchant, now_s, &token));
        pay_buf_text(&buf, "&status=");
        pay_buf_text(&buf, pay_state_name(pay_checkout_state(checkout)));
        pay_buf_text(&buf, "&result=");
        pay_buf_percent(&buf, token);
    }

    return pay_buf_done(&buf, url);
}


/* A JWT (HS256) under the merchant's result key.  `aud` is the merchant and
 * `iss` this gateway, so that a result of one shop is worthless at another;
 * `version` lets the shop see which of two results is the later one.  The JSON
 * tree is malloc'ed by jansson and freed on every path. */
static pay_status_t
result_token(pay_flow_t *flow, const pay_checkout_t *checkout,
    const pay_merchant_t *merchant, int64_t now_s, pay_str_t *token)
{
    int           bad;
    pay_str_t     payload;
    pay_json_t   *json;
    pay_status_t  status;
    pay_state_t   state;

    state = pay_checkout_state(checkout);
    json = pay_json_object_new();

    bad = json == NULL
          || pay_json_set_string(json, "iss", checkout->base_url) != PAY_OK
          || pay_json_set_string(json, "aud", merchant->id) != PAY_OK
          || pay_json_set_string(json, "sub", checkout->checkout_id) != PAY_OK
          || pay_json_set_integer(json, "iat", now_s) != PAY_OK
          || pay_json_set_integer(json, "exp", now_s + RESULT_LIFE_S) != PAY_OK
          || pay_json_set_string(json, "status",
                                 pay_str_of(pay_state_name(state))) != PAY_OK
          || pay_json_set_string(json, "reason", checkout->orders[0].reason)
             != PAY_OK
          || pay_json_set_integer(json, "version", checkout->version)
             != PAY_OK;

    status = bad ? PAY_NO_MEMORY : pay_json_write(flow->arena, json, &payload);
    pay_json_free(json);
    PAY_TRY(status);

    return pay_jwt_sign_hs256(flow->arena, merchant->result_key, payload,
                              token);
}
