/*
 * The pages: the status of a checkout, and remittance advices.  Their
 * texts stand in html/, loaded and checked by ngx_payments_pages.c; here they
 * get their values.  Nothing is sent here.
 */

#include "http/ngx_http_payments_page.h"
#include "http/ngx_http_payments_language.h"
#include "http/ngx_http_payments_look.h"
#include "http/ngx_http_payments_request.h"
#include "http/ngx_http_payments_send.h"
#include "util/ngx_http_payments_ctx.h"
#include "util/ngx_payments_memory.h"
#include "pay_trace.h"


#define PAGE_MAX  (1024 * 1024)
#define PATH_MAX_LEN  4096
#define REFRESH   "3"                            /* seconds */
#define LOG_MS    (60 * 1000)


static void set_state(ngx_payments_value_t *v, const pay_reply_t *reply);
static ngx_uint_t open_state(const pay_reply_t *reply);
static pay_status_t set_links(ngx_http_request_t *r, pay_arena_t *arena,
    ngx_payments_value_t *v, const pay_reply_t *reply);
static pay_status_t set_look(ngx_http_request_t *r, pay_arena_t *arena,
    ngx_payments_value_t *v, ngx_uint_t language,
    const pay_checkout_t *checkout);
static pay_status_t set_times(pay_locale_t *locale, pay_arena_t *arena,
    ngx_payments_value_t *v, const pay_checkout_t *checkout);
static void log_no_way_back(const pay_checkout_t *checkout);
static pay_status_t set_money(pay_locale_t *locale, pay_arena_t *arena,
    ngx_payments_value_t *v, const pay_checkout_t *checkout);


/* A page that waits comes again by a Refresh field and not by script, which
 * its policy forbids (B2). */
ngx_int_t
ngx_http_payments_status_html(ngx_http_request_t *r, const pay_reply_t *reply,
    ngx_str_t *html)
{
    ngx_str_t                       value, refresh = ngx_string(REFRESH);
    ngx_uint_t                      language;
    pay_arena_t                     arena = ngx_payments_arena(r->pool);
    ngx_payments_value_t            v[STATUS_SLOTS];
    ngx_http_payments_main_conf_t  *pmcf;

    pmcf = ngx_http_get_module_main_conf(r, ngx_http_payments_module);

    language = pay_locale_pick(reply->checkout->locale,
                               ngx_http_payments_language(r));

    ngx_memzero(v, sizeof(v));
    set_state(v, reply);

    if (set_links(r, &arena, v, reply) != PAY_OK
        || set_look(r, &arena, v, language, reply->checkout) != PAY_OK
        || set_money(pmcf->pages.locales[language], &arena, v,
                     reply->checkout) != PAY_OK
        || set_times(pmcf->pages.locales[language], &arena, v,
                     reply->checkout) != PAY_OK)
    {
        return NGX_DECLINED;
    }

    /* who wants to read in peace stops the updates by a link (WCAG 2.2.2) */

    if (reply->pending) {
        v[STATUS_PAUSED].count =
            ngx_http_arg(r, (u_char *) "pause", 5, &value) == NGX_OK;
        v[STATUS_UPDATING].count = !v[STATUS_PAUSED].count;
    }

    /* its result would grow old with the page */

    if (v[STATUS_PAUSED].count
        && pay_format(&arena, &v[STATUS_SHOP_URL].text, PATH_MAX_LEN,
                      "/checkout/%.*s/status?leave=1",
                      pay_fmt(reply->checkout->handle)) != PAY_OK)
    {
        return NGX_DECLINED;
    }

    if ((v[STATUS_UPDATING].count
         && ngx_http_payments_add_header(r, "Refresh", refresh) != NGX_OK)
        || ngx_http_payments_say_language(r, language, "Accept-Language")
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_payments_render(r, &pmcf->pages.status[language],
                                    ngx_payments_status_slots, v, html)
           == NGX_OK ? NGX_OK : NGX_DECLINED;
}


/* The stylesheet is that of the pages of problems, which every configuration
 * has under this path. */
ngx_int_t
ngx_http_payments_advice_html(ngx_http_request_t *r,
    const pay_advice_t *advice, ngx_str_t *html)
{
    ngx_uint_t                      i;
    ngx_payments_value_t            v[ADVICE_SLOTS];
    ngx_http_payments_main_conf_t  *pmcf;

    pmcf = ngx_http_get_module_main_conf(r, ngx_http_payments_module);

    ngx_memzero(v, sizeof(v));
    v[ADVICE_STYLE].text = PAY_STR("/problems/style.css");
    v[ADVICE_LINES].count = advice->lines;
    v[ADVICE_MORE].count = advice->has_more;

    for (i = 0; i < PAY_ADVICE_VALUES; i++) {
        v[ADVICE_VALUES + i].text = advice->values[i];
    }

    for (i = 0; i < PAY_ADVICE_COLUMNS; i++) {
        v[ADVICE_COLUMNS + i].items = advice->columns[i];
    }

    return ngx_http_payments_render(r, &pmcf->pages.advice,
                                    ngx_payments_advice_slots, v, html)
           == NGX_OK ? NGX_OK : NGX_DECLINED;
}


/* ctx->html makes the filter send the policy of pages. */
ngx_int_t
ngx_http_payments_render(ngx_http_request_t *r, ngx_str_t *page,
    const ngx_payments_slot_t *slots, const ngx_payments_value_t *values,
    ngx_str_t *html)
{
    pay_buf_t                 buf;
    pay_str_t                 out;
    pay_arena_t               arena = ngx_payments_arena(r->pool);
    ngx_http_payments_ctx_t  *ctx;

    pay_buf_init(&buf, &arena, PAGE_MAX);
    ngx_payments_template_render(&buf, ngx_payments_str(*page), slots,
                                 values);

    ctx = ngx_http_payments_get_ctx(r);

    if (ctx == NULL || pay_buf_done(&buf, &out) != PAY_OK) {
        return NGX_ERROR;
    }

    ctx->html = 1;
    *html = ngx_payments_nstr(out);

    return NGX_OK;
}


/* Exactly one of the states; FAILED is several states, by its reason. */
static void
set_state(ngx_payments_value_t *v, const pay_reply_t *reply)
{
    ngx_uint_t             i, state;
    pay_str_t              reason = PAY_STR("");
    const pay_checkout_t  *checkout = reply->checkout;
    static const struct {
        const char  *reason;
        ngx_uint_t   state, detail;
    }  reasons[] = {
        { "cancelled", STATUS_CANCELLED, STATUS_CANCELLED },
        { "expired", STATUS_EXPIRED, STATUS_EXPIRED },
        { "declined", STATUS_FAILED, STATUS_DECLINED },
        { "rejected", STATUS_FAILED, STATUS_REJECTED },
        { "risk", STATUS_FAILED, STATUS_RISK },
    };

    switch (pay_checkout_state(checkout)) {

    case PAY_NOT_STARTED:
        v[STATUS_PREPARING].count = 1;
        return;

    case PAY_EXECUTING:
        v[open_state(reply)].count = 1;
        return;

    case PAY_SUCCESS:
        v[STATUS_PAID].count = 1;
        return;

    default:
        break;
    }

    state = STATUS_FAILED;

    if (checkout->order_count != 0) {
        reason = checkout->orders[0].reason;
    }

    for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (pay_str_is(reason, reasons[i].reason)) {
            state = reasons[i].state;
            v[reasons[i].detail].count = 1;
        }
    }

    v[state].count = 1;
}


/* A decline leaves the hosted page open, until money is under way or the time
 * is over. */
static ngx_uint_t
open_state(const pay_reply_t *reply)
{
    const pay_checkout_t  *checkout = reply->checkout;

    /* the buyer has done his part */
    if (pay_checkout_is_authorized(checkout)) {
        return STATUS_PAID;
    }

    if (checkout->token.len == 0) {
        return STATUS_PREPARING;
    }

    if (reply->psp_pending) {
        return STATUS_PENDING;
    }

    return checkout->orders[0].decline.len != 0
           && ngx_time() < checkout->expires_s
           ? STATUS_REFUSED : STATUS_WAITING;
}


/* The link to the PSP is our own /checkout address and never the PSP's, so
 * that each use of it is judged anew. */
static pay_status_t
set_links(ngx_http_request_t *r, pay_arena_t *arena, ngx_payments_value_t *v,
    const pay_reply_t *reply)
{
    pay_str_t                      prefix;
    const pay_checkout_t          *checkout = reply->checkout;
    ngx_http_payments_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_payments_module);
    prefix = ngx_payments_str(plcf->prefix);

    PAY_TRY(pay_format(arena, &v[STATUS_STYLE].text, PATH_MAX_LEN,
                       "%.*sstyle.css", pay_fmt(prefix)));

    v[STATUS_CHECKOUT].text = checkout->checkout_id;
    v[STATUS_SHOP_URL].text = reply->shop_url;
    v[STATUS_SHOP].count = reply->shop_url.len != 0;

    if (reply->shop_url.len == 0) {
        log_no_way_back(checkout);
    }

    /* as long as /checkout/<handle> itself would send the buyer on */

    if (v[STATUS_WAITING].count + v[STATUS_REFUSED].count == 0
        || ngx_time() >= checkout->expires_s)
    {
        return PAY_OK;
    }

    if (plcf->kind != NGX_HTTP_PAYMENTS_CHECKOUT) {
        prefix = PAY_STR("/checkout/");
    }

    v[STATUS_PAY].count = 1;

    return pay_format(arena, &v[STATUS_PAY_URL].text, PATH_MAX_LEN,
                      "%.*s%.*s", pay_fmt(prefix), pay_fmt(checkout->handle));
}


/* The merchant's text stands in an element of its own direction. */
static pay_status_t
set_look(ngx_http_request_t *r, pay_arena_t *arena, ngx_payments_value_t *v,
    ngx_uint_t language, const pay_checkout_t *checkout)
{
    const ngx_payments_look_t       *look;
    ngx_http_payments_loc_conf_t    *plcf;
    ngx_http_payments_main_conf_t   *pmcf;
    ngx_http_payments_shown_look_t   shown;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_payments_module);
    pmcf = ngx_http_get_module_main_conf(r, ngx_http_payments_module);
    look = ngx_http_payments_look_of(pmcf, checkout->merchant_id);

    PAY_TRY(ngx_http_payments_look_show(look, arena,
                                        ngx_payments_str(plcf->prefix),
                                        &shown));

    v[STATUS_NAMED].count = shown.has_name;
    v[STATUS_UNNAMED].count = !shown.has_name;
    v[STATUS_MERCHANT].text = shown.name;
    v[STATUS_LOGO].count = shown.has_logo;
    v[STATUS_LOGO_URL].text = shown.logo_url;
    v[STATUS_LOOK].count = shown.has_style;
    v[STATUS_LOOK_URL].text = shown.style_url;

    if (look != NULL) {
        v[STATUS_NOTE_TEXT].text = ngx_payments_str(
            look->texts[language].len != 0 ? look->texts[language]
                                           : look->text);
        v[STATUS_NOTE].count = v[STATUS_NOTE_TEXT].text.len != 0;
    }

    return PAY_OK;
}


/* A page that waits comes again by itself: its time shows that it has. */
static pay_status_t
set_times(pay_locale_t *locale, pay_arena_t *arena, ngx_payments_value_t *v,
    const pay_checkout_t *checkout)
{
    PAY_TRY(pay_locale_time(locale, arena, checkout->expires_s,
                            &v[STATUS_UNTIL].text));

    return pay_locale_time(locale, arena, ngx_time(), &v[STATUS_NOW].text);
}


/* A page that waits comes again every few seconds: one line a minute. */
static void
log_no_way_back(const pay_checkout_t *checkout)
{
    static ngx_msec_t  told;

    if (told != 0 && ngx_current_msec - told < LOG_MS) {
        return;
    }

    told = ngx_max(ngx_current_msec, 1);
    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                  "payments: the host of a return_url is not allowed any "
                  "more, merchant:%V, checkout:%V, trace:%V",
                  &ngx_payments_nstr(checkout->merchant_id),
                  &ngx_payments_nstr(checkout->checkout_id),
                  &ngx_payments_nstr(pay_trace_id(checkout->trace)));
}


/* Amounts as the language writes them and, for pages of one's own, as the API
 * does; both from integers. */
static pay_status_t
set_money(pay_locale_t *locale, pay_arena_t *arena, ngx_payments_value_t *v,
    const pay_checkout_t *checkout)
{
    unsigned    i;
    pay_str_t  *ids, *amounts, *texts, *descriptions;

    ids = pay_calloc(arena, PAY_ORDERS_MAX * sizeof(pay_str_t));
    amounts = pay_calloc(arena, PAY_ORDERS_MAX * sizeof(pay_str_t));
    texts = pay_calloc(arena, PAY_ORDERS_MAX * sizeof(pay_str_t));
    descriptions = pay_calloc(arena, PAY_ORDERS_MAX * sizeof(pay_str_t));

    if (ids == NULL || amounts == NULL || texts == NULL
        || descriptions == NULL)
    {
        return PAY_NO_MEMORY;
    }

    for (i = 0; i < checkout->order_count; i++) {
        ids[i] = checkout->orders[i].id;
        descriptions[i] = checkout->orders[i].description;
        PAY_TRY(pay_amount_format(arena, checkout->orders[i].amount_minor,
                                  checkout->currency, &amounts[i]));
        PAY_TRY(pay_locale_money(locale, arena,
                                 checkout->orders[i].amount_minor,
                                 checkout->currency, &texts[i]));
    }

    v[STATUS_ORDERS].count = checkout->order_count;
    v[STATUS_ORDER_ID].items = ids;
    v[STATUS_AMOUNT].items = amounts;
    v[STATUS_AMOUNT_TEXT].items = texts;
    v[STATUS_DESCRIPTION].items = descriptions;
    v[STATUS_CURRENCY].text = pay_str_of(checkout->currency->code);

    PAY_TRY(pay_locale_money(locale, arena, checkout->total_minor,
                             checkout->currency, &v[STATUS_TOTAL_TEXT].text));

    return pay_amount_format(arena, checkout->total_minor,
                             checkout->currency, &v[STATUS_TOTAL].text);
}
