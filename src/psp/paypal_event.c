/*
 * PayPal's webhooks, and the list of the events that it has sent or tried to
 * send, under the same ids.  A webhook's signature covers only a CRC of the
 * body, so every one that names an order is only a hint: the order is queried
 * before anything moves.  The list comes from PayPal itself, over a call of
 * ours: there the same events report declined attempts, refunds, disputes and
 * fees.  These additional events have ids of their own, so that a webhook that
 * came before does not hide them.  The next page of the list is a link; only
 * the few query members that hold its position are taken from that, never its
 * host, path or span of time.
 */

#include "psp/paypal.h"
#include "pay_time.h"


#define PAYPAL_ORDER_EVENT     "CHECKOUT.ORDER."
#define PAYPAL_APPROVAL_EVENT  "CHECKOUT.PAYMENT-APPROVAL."
#define PAYPAL_PATH            "/v2/payments/captures/"
#define PAYPAL_EVENTS  "/v1/notifications/webhooks-events"
/* An event holds an order of up to twenty items: six of them fit into an
 * answer. */
#define PAYPAL_PAGE    "6"

typedef pay_status_t (*paypal_read_pt)(pay_arena_t *arena,
    const pay_json_t *resource, pay_psp_told_t *told);

/* A type of listed event that says more than the hint, and its reader. */
typedef struct {
    const char      *type;
    paypal_read_pt   read;
} paypal_after_t;


static pay_status_t paypal_event_order(pay_arena_t *arena, pay_str_t type,
    const pay_json_t *resource, pay_str_t *token);
static int paypal_begins_with(pay_str_t text, const char *prefix);
static pay_status_t paypal_next(pay_arena_t *arena, const pay_json_t *link,
    pay_str_t *cursor);
static int paypal_take(pay_str_t text, size_t *at, pay_str_t *pair);
static int paypal_pair_is_place(pay_str_t pair);
static int paypal_pair_is_safe(pay_str_t pair);
static int paypal_cursor_is_valid(pay_str_t cursor);
static pay_status_t paypal_listed(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_json_t *entry,
    pay_psp_told_t *told, pay_err_t *err);
static pay_status_t paypal_after(pay_arena_t *arena, pay_str_t type,
    const pay_json_t *resource, pay_psp_told_t *told);
static pay_status_t paypal_capture(pay_arena_t *arena,
    const pay_json_t *resource, pay_psp_told_t *told);
static pay_status_t paypal_declined(pay_arena_t *arena,
    const pay_json_t *resource, pay_psp_told_t *told);
static pay_status_t paypal_reversed(pay_arena_t *arena,
    const pay_json_t *resource, pay_psp_told_t *told);
static pay_status_t paypal_attempt(pay_arena_t *arena,
    const pay_psp_event_t *made, pay_psp_told_t *told);
static pay_status_t paypal_refund(pay_arena_t *arena,
    const pay_json_t *resource, pay_psp_told_t *told);
static pay_status_t paypal_taken_back(pay_arena_t *arena,
    const pay_json_t *resource, pay_psp_told_t *told);
static pay_status_t paypal_up(pay_arena_t *arena, const pay_json_t *resource,
    pay_str_t *capture);
static pay_status_t paypal_dispute(pay_arena_t *arena,
    const pay_json_t *resource, pay_psp_told_t *told);
static pay_status_t paypal_tell(pay_arena_t *arena,
    const pay_psp_event_t *made, pay_psp_told_t *told);
static pay_status_t paypal_fee(pay_arena_t *arena, pay_str_t id,
    pay_str_t reference, const pay_json_t *fee, int sign,
    pay_psp_told_t *told);


/* The position of a page, from PayPal's own links. */
static const char *const  paypal_places[] = {
    "move_to", "index_time", "index_id", "offset", "prev_offset", "page",
    "page_token", "next_page_token", NULL
};

static const paypal_after_t  paypal_afters[] = {
    { "PAYMENT.CAPTURE.COMPLETED", paypal_capture },
    { "PAYMENT.CAPTURE.DECLINED", paypal_declined },
    { "PAYMENT.CAPTURE.DENIED", paypal_declined },
    { "CHECKOUT.PAYMENT-APPROVAL.REVERSED", paypal_reversed },
    { "PAYMENT.CAPTURE.REFUNDED", paypal_refund },
    { "PAYMENT.CAPTURE.REVERSED", paypal_taken_back },
    { "PAYMENT.REFUND.PENDING", paypal_refund },
    { "PAYMENT.REFUND.FAILED", paypal_refund },
    { "CUSTOMER.DISPUTE.CREATED", paypal_dispute },
    { "CUSTOMER.DISPUTE.UPDATED", paypal_dispute },
    { "CUSTOMER.DISPUTE.RESOLVED", paypal_dispute },
    { NULL, NULL }
};

static const pay_psp_news_row_t  paypal_refunds[] = {
    { "COMPLETED", PAY_NEWS_SUCCEEDED },
    { "PENDING", PAY_NEWS_PENDING },
    { "FAILED", PAY_NEWS_FAILED },
    { "CANCELLED", PAY_NEWS_FAILED },
    { NULL, PAY_NEWS_PENDING }
};

/* Other outcomes do not say who keeps the money. */
static const pay_psp_news_row_t  paypal_outcomes[] = {
    { "RESOLVED_BUYER_FAVOUR", PAY_NEWS_LOST },
    { "RESOLVED_SELLER_FAVOUR", PAY_NEWS_WON },
    { "CANCELED_BY_BUYER", PAY_NEWS_WON },
    { NULL, PAY_NEWS_PENDING }
};

static const pay_psp_news_row_t  paypal_stages[] = {
    { "CHARGEBACK", PAY_NEWS_OPENED },
    { "PRE_ARBITRATION", PAY_NEWS_OPENED },
    { "ARBITRATION", PAY_NEWS_OPENED },
    { NULL, PAY_NEWS_PENDING }
};


/* Its headers name a transmission, which each repeat of an event has its own
 * of: the id is the body's. */
pay_status_t
pay_paypal_event(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_json_t *root, pay_psp_told_t *told, pay_err_t *err)
{
    pay_str_t          type;
    pay_status_t       status;
    pay_psp_event_t   *event = pay_psp_told_add(told);
    const pay_json_t  *resource;

    (void) account;            /* PayPal's events do not show their mode */

    status = pay_psp_token_get(arena, root, "id", &event->event_id);
    if (status == PAY_NO_MEMORY) {
        return status;
    }

    resource = pay_json_get(root, "resource");

    if (status != PAY_OK
        || pay_json_string(pay_json_get(root, "event_type"), &type) != PAY_OK
        || type.len == 0 || pay_json_type(resource) != PAY_JSON_OBJECT)
    {
        return pay_refuse(err, "validation-error",
                          "an event has id, event_type and resource");
    }

    PAY_TRY(pay_psp_safe(arena, type, &event->type));

    status = paypal_event_order(arena, type, resource, &event->token);
    if (status != PAY_OK && status != PAY_NOT_FOUND) {
        return status;
    }

    event->must_ask = (status == PAY_OK);

    return PAY_OK;
}


/* PAY_NOT_FOUND when it is about no order. */
static pay_status_t
paypal_event_order(pay_arena_t *arena, pay_str_t type,
    const pay_json_t *resource, pay_str_t *token)
{
    if (paypal_begins_with(type, PAYPAL_ORDER_EVENT)) {
        return pay_psp_token_get(arena, resource, "id", token);
    }

    if (paypal_begins_with(type, PAYPAL_APPROVAL_EVENT)) {
        return pay_psp_token_get(arena, resource, "order_id", token);
    }

    return pay_psp_token_get(arena, pay_json_path(resource,
                                                  "supplementary_data",
                                                  "related_ids", NULL),
                             "order_id", token);
}


/* Something must follow the prefix. */
static int
paypal_begins_with(pay_str_t text, const char *prefix)
{
    size_t  len = strlen(prefix);

    return text.len > len && memcmp(text.data, prefix, len) == 0;
}


/* Times are RFC 3339 with seconds.  The cursor is pairs of a query that are
 * encoded already, so it is appended as it is, after its check. */
pay_status_t
pay_paypal_list_request(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_list_t *list, pay_http_request_t *request)
{
    pay_buf_t           query;
    pay_str_t           text, since, until;
    pay_http_request_t  made;

    if (!pay_psp_list_sane(list) || !paypal_cursor_is_valid(list->cursor)) {
        return PAY_BUG;
    }

    PAY_TRY(pay_time_format(arena, list->since_s, &since));
    PAY_TRY(pay_time_format(arena, list->until_s, &until));

    pay_buf_init(&query, arena, PAY_PSP_URL_MAX);
    pay_buf_text(&query, "?page_size=" PAYPAL_PAGE "&start_time=");
    pay_buf_percent(&query, since);
    pay_buf_text(&query, "&end_time=");
    pay_buf_percent(&query, until);

    if (list->cursor.len != 0) {
        pay_buf_text(&query, "&");
        pay_buf_add(&query, list->cursor);
    }

    PAY_TRY(pay_buf_done(&query, &text));
    PAY_TRY(pay_psp_request_open(arena, account, "GET", PAYPAL_EVENTS, text,
                                 &made));
    pay_psp_field_add(&made, "Accept", PAY_STR("application/json"));

    *request = made;

    return PAY_OK;
}


/* An empty page is the last one, whatever it links to. */
pay_status_t
pay_paypal_page(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_list_t *list, const pay_json_t *root,
    pay_psp_listed_t *listed)
{
    size_t             i;
    pay_str_t          cursor;
    const pay_json_t  *events, *links, *link;

    events = pay_json_get(root, "events");
    links = pay_json_get(root, "links");

    PAY_TRY(pay_psp_list_in(arena, account, events, paypal_listed,
                            listed));

    if (links != NULL && pay_json_type(links) != PAY_JSON_ARRAY) {
        return PAY_INVALID;
    }

    for (i = 0; i < pay_json_size(links) && pay_json_size(events); i++) {
        link = pay_json_at(links, i);

        if (pay_psp_is(link, "rel", "next")) {
            PAY_TRY(paypal_next(arena, link, &cursor));

            return pay_psp_list_next(arena, list, cursor, listed);
        }
    }

    return PAY_OK;
}


/* The places of the link's query, one after the other as they stand there. */
static pay_status_t
paypal_next(pay_arena_t *arena, const pay_json_t *link, pay_str_t *cursor)
{
    int        safe = 1;
    size_t     at = 0;
    pay_buf_t  places;
    pay_str_t  href, pair;

    if (pay_json_string(pay_json_get(link, "href"), &href) != PAY_OK
        || !pay_psp_url_is_plain(href))
    {
        return PAY_INVALID;
    }

    while (at < href.len && href.data[at] != '?') {
        at++;
    }

    href.data += at;
    href.len -= at;
    at = 1;
    pay_buf_init(&places, arena, PAY_PSP_URL_MAX);

    while (safe && paypal_take(href, &at, &pair)) {
        if (paypal_pair_is_place(pair)) {
            pay_buf_text(&places, places.len ? "&" : "");
            pay_buf_add(&places, pair);
            safe = paypal_pair_is_safe(pair);
        }
    }

    PAY_TRY(pay_buf_done(&places, cursor));

    return (safe && cursor->len != 0) ? PAY_OK : PAY_INVALID;
}


/* The pair of a query that begins at *at, which moves behind it; 0 at the
 * end.  PayPal's documents show links with "&amp;" between pairs. */
static int
paypal_take(pay_str_t text, size_t *at, pay_str_t *pair)
{
    size_t  end;

    if (*at >= text.len) {
        return 0;
    }

    while (text.len - *at > 4 && memcmp(text.data + *at, "amp;", 4) == 0) {
        *at += 4;
    }

    for (end = *at; end < text.len && text.data[end] != '&'; end++) {
        /* void */
    }

    *pair = (pay_str_t) { end - *at, text.data + *at };
    *at = end + 1;

    return 1;
}


/* Only these names: a link must not be able to change the span or the size of
 * the page. */
static int
paypal_pair_is_place(pay_str_t pair)
{
    size_t              len;
    const char *const  *name;

    for (name = paypal_places; *name != NULL; name++) {
        len = strlen(*name);

        if (pair.len > len && pair.data[len] == '='
            && memcmp(pair.data, *name, len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* Already encoded, and nothing that an URL would read otherwise. */
static int
paypal_pair_is_safe(pay_str_t pair)
{
    size_t             i;
    unsigned char      c;
    static const char  marks[] = "-._~:%+=,";

    for (i = 0; i < pair.len; i++) {
        c = pair.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9') || memchr(marks, c, sizeof(marks) - 1)))
        {
            return 0;
        }
    }

    return 1;
}


/* Checks a cursor of paypal_next() again, since it is handed back by the
 * caller. */
static int
paypal_cursor_is_valid(pay_str_t cursor)
{
    size_t     at = 0;
    pay_str_t  pair;

    while (paypal_take(cursor, &at, &pair)) {
        if (!paypal_pair_is_place(pair) || !paypal_pair_is_safe(pair)) {
            return 0;
        }
    }

    return 1;
}


/* Reads an event object of the list: also those about changes and disputes. */
static pay_status_t
paypal_listed(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_json_t *entry, pay_psp_told_t *told, pay_err_t *err)
{
    pay_str_t     type;
    pay_status_t  status;

    PAY_TRY(pay_paypal_event(arena, account, entry, told, err));

    if (pay_json_string(pay_json_get(entry, "event_type"), &type) != PAY_OK) {
        return PAY_OK;
    }

    status = paypal_after(arena, type, pay_json_get(entry, "resource"), told);

    /* the hint is as good as before */
    return (status == PAY_INVALID || status == PAY_NOT_FOUND) ? PAY_OK
                                                              : status;
}


/* An event of another type stays the hint that it was. */
static pay_status_t
paypal_after(pay_arena_t *arena, pay_str_t type, const pay_json_t *resource,
    pay_psp_told_t *told)
{
    const paypal_after_t  *row;

    for (row = paypal_afters; row->type != NULL; row++) {
        if (pay_str_is(type, row->type)) {
            return row->read(arena, resource, told);
        }
    }

    return PAY_OK;
}


/* The money itself is queried; only its fee is taken from the event. */
static pay_status_t
paypal_capture(pay_arena_t *arena, const pay_json_t *resource,
    pay_psp_told_t *told)
{
    pay_str_t  id;

    PAY_TRY(pay_psp_token_get(arena, resource, "id", &id));

    return paypal_fee(arena, id, id,
                      pay_json_path(resource, "seller_receivable_breakdown",
                                    "paypal_fee", NULL), 1, told);
}


/* A capture that was declined: the attempt has its id, and the processor's
 * reason. */
static pay_status_t
paypal_declined(pay_arena_t *arena, const pay_json_t *resource,
    pay_psp_told_t *told)
{
    pay_psp_event_t  made;

    memset(&made, 0, sizeof(made));
    PAY_TRY(pay_psp_token_get(arena, resource, "id", &made.object));
    PAY_TRY(pay_paypal_why(arena, resource, &made.code));

    return paypal_attempt(arena, &made, told);
}


/* The buyer had approved and nothing captured it in time: an attempt with a
 * code of ours. */
static pay_status_t
paypal_reversed(pay_arena_t *arena, const pay_json_t *resource,
    pay_psp_told_t *told)
{
    pay_psp_event_t  made;

    (void) resource;

    memset(&made, 0, sizeof(made));
    made.code = PAY_STR("approval_reversed");

    return paypal_attempt(arena, &made, told);
}


/* Reads the order that the hint names. */
static pay_status_t
paypal_attempt(pay_arena_t *arena, const pay_psp_event_t *made,
    pay_psp_told_t *told)
{
    pay_psp_event_t  attempt = *made;

    if (told->events[0].token.len == 0) {
        return PAY_OK;
    }

    attempt.fact = PAY_FACT_ATTEMPT;
    attempt.token = told->events[0].token;

    return paypal_tell(arena, &attempt, told);
}


/* A refund without a readable amount or with an unknown status stays a hint. */
static pay_status_t
paypal_refund(pay_arena_t *arena, const pay_json_t *resource,
    pay_psp_told_t *told)
{
    pay_str_t                  operation;
    pay_psp_event_t            made;
    const pay_psp_news_row_t  *row = pay_psp_news_row(paypal_refunds, resource,
                                                      "status");

    memset(&made, 0, sizeof(made));
    PAY_TRY(pay_psp_token_get(arena, resource, "id", &made.object));
    PAY_TRY(paypal_up(arena, resource, &made.reference));
    PAY_TRY(pay_paypal_money_in(arena, pay_json_get(resource, "amount"),
                                &made));

    if (row->word == NULL || !made.has_amount) {
        return PAY_OK;
    }

    pay_psp_about(&made, PAY_ABOUT_REFUND, row->news);
    PAY_TRY(pay_psp_word_get(arena, pay_json_get(resource, "status_details"),
                             "reason", &made.code));

    if (pay_json_string(pay_json_get(resource, "custom_id"), &operation)
        == PAY_OK)
    {
        PAY_TRY(pay_psp_operation(arena, operation, &made.operation));
    }

    PAY_TRY(paypal_tell(arena, &made, told));

    return (row->news == PAY_NEWS_SUCCEEDED)
           ? paypal_fee(arena, made.object, made.reference,
                        pay_json_path(resource, "seller_payable_breakdown",
                                      "paypal_fee", NULL), -1, told)
           : PAY_OK;
}


/* PayPal itself has taken a capture back, in PayPal's example in the form of a
 * refund.  A dispute may take the same money, in an event of its own, so that
 * nothing is booked for this one: the capture has failed after all, of which an
 * operator hears.  Without a link the object may be the capture. */
static pay_status_t
paypal_taken_back(pay_arena_t *arena, const pay_json_t *resource,
    pay_psp_told_t *told)
{
    pay_status_t     status;
    pay_psp_event_t  made;

    memset(&made, 0, sizeof(made));
    PAY_TRY(pay_psp_token_get(arena, resource, "id", &made.object));
    status = paypal_up(arena, resource, &made.reference);

    if (status == PAY_NOT_FOUND) {
        made.reference = made.object;

    } else if (status != PAY_OK) {
        return status;
    }

    PAY_TRY(pay_paypal_money_in(arena, pay_json_get(resource, "amount"),
                                &made));

    if (!made.has_amount) {
        return PAY_OK;
    }

    pay_psp_about(&made, PAY_ABOUT_CAPTURE, PAY_NEWS_FAILED);
    made.code = PAY_STR("reversed");

    return paypal_tell(arena, &made, told);
}


/* The capture that was refunded stands in a link alone. */
static pay_status_t
paypal_up(pay_arena_t *arena, const pay_json_t *resource, pay_str_t *capture)
{
    size_t             i, k, len = strlen(PAYPAL_PATH);
    pay_str_t          href;
    const pay_json_t  *links = pay_json_get(resource, "links");

    for (i = 0; i < pay_json_size(links); i++) {
        if (!pay_psp_is(pay_json_at(links, i), "rel", "up")
            || pay_json_string(pay_json_get(pay_json_at(links, i), "href"),
                               &href) != PAY_OK)
        {
            continue;
        }

        for (k = 0; k + len < href.len; k++) {
            if (memcmp(href.data + k, PAYPAL_PATH, len) == 0) {
                href.data += k + len;
                href.len -= k + len;

                return pay_psp_token_is_valid(href)
                       ? pay_dup(arena, href, capture) : PAY_NOT_FOUND;
            }
        }
    }

    return PAY_NOT_FOUND;
}


/* An inquiry takes no money; what is agreed on in one is a refund.  A dispute
 * that is resolved may go on under its id: its own time says so. */
static pay_status_t
paypal_dispute(pay_arena_t *arena, const pay_json_t *resource,
    pay_psp_told_t *told)
{
    pay_psp_event_t            made;
    const pay_json_t          *outcome, *disputed;
    const pay_psp_news_row_t  *row = pay_psp_news_row(paypal_stages, resource,
                                                   "dispute_life_cycle_stage");

    if (row->word == NULL) {
        return PAY_OK;
    }

    memset(&made, 0, sizeof(made));
    PAY_TRY(pay_psp_token_get(arena, resource, "dispute_id", &made.object));

    disputed = pay_json_get(resource, "disputed_transactions");
    PAY_TRY(pay_psp_token_get(arena, pay_json_at(disputed, 0),
                              "seller_transaction_id", &made.reference));
    PAY_TRY(pay_paypal_money_in(arena,
                                pay_json_get(resource, "dispute_amount"),
                                &made));
    PAY_TRY(pay_psp_word_get(arena, resource, "reason", &made.code));

    if (pay_psp_is(resource, "status", "RESOLVED")) {
        outcome = pay_json_get(resource, "dispute_outcome");
        row = pay_psp_news_row(paypal_outcomes, outcome, "outcome_code");
    }

    if (row->word == NULL || !made.has_amount
        || pay_json_size(disputed) != 1)
    {
        return PAY_OK;
    }

    pay_psp_about(&made, PAY_ABOUT_DISPUTE, row->news);
    made.said_s = pay_paypal_time(resource, "update_time");

    return paypal_tell(arena, &made, told);
}


/* One event more than the webhook has. */
static pay_status_t
paypal_tell(pay_arena_t *arena, const pay_psp_event_t *made,
    pay_psp_told_t *told)
{
    pay_str_t         event_id;
    pay_psp_event_t  *event, first = told->events[0];

    PAY_TRY(pay_psp_key(arena, first.event_id, ":listed", PAY_PSP_TOKEN_MAX,
                        &event_id));

    event = pay_psp_told_add(told);
    *event = *made;
    event->event_id = event_id;
    event->type = first.type;

    return PAY_OK;
}


/* A refund's is given back. */
static pay_status_t
paypal_fee(pay_arena_t *arena, pay_str_t id, pay_str_t reference,
    const pay_json_t *fee, int sign, pay_psp_told_t *told)
{
    unsigned         before = told->count;
    pay_psp_event_t  amount;

    memset(&amount, 0, sizeof(amount));
    PAY_TRY(pay_paypal_money_in(arena, fee, &amount));

    if (!amount.has_amount) {
        return PAY_OK;
    }

    PAY_TRY(pay_psp_fee_add(arena, id, sign * amount.amount_minor,
                            amount.currency, told));

    if (told->count > before) {
        told->events[before].reference = reference;
    }

    return PAY_OK;
}
