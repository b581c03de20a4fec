/*
 * Settlements by a PSP's API: which ones there are, and the answers that are
 * one of them together.  A row of a table describes each PSP; nothing here
 * reads an amount, that is src/settle's.
 *
 * Stripe: docs.stripe.com/api/payouts, /api/balance_transactions/list;
 * Square: developer.squareup.com, Payouts API; Mollie:
 * docs.mollie.com/reference/list-settlements.  Stripe and Mollie tell the
 * account's balance, too; Square has no such call.
 */

#include "psp/psp.h"
#include "psp/square.h"
#include "psp/stripe.h"

#include "pay_time.h"


#define SETTLE_BODY_MAX    1048576     /* bytes: a page of rows */
#define SETTLE_VALUES_MAX  262144
#define SETTLE_WIDTH_MAX   1024
#define SETTLE_LISTS_MAX   4
#define SETTLE_FINAL_MAX   3
#define SETTLE_SECONDS     19          /* bytes of a time before its fraction */
#define US_PER_S           1000000

/* Where an answer names the next page. */
typedef enum {
    SETTLE_BY_LAST = 0,        /* has_more, and the id of the last entry */
    SETTLE_BY_MEMBER,          /* `cursor` */
    SETTLE_BY_LINK             /* _links.next.href, its parameter `from` */
} settle_next_t;

/* A list of one settlement: the URL is path, id, tail; or path alone, and the
 * id in the query. */
typedef struct {
    const char  *path;
    const char  *tail;         /* NULL: the id stands in the query */
    const char  *query;        /* before the id, or whole */
    const char  *items;        /* the array */
} settle_list_t;

struct pay_psp_settle_api_s {
    pay_psp_open_pt  open;
    const char      *path;     /* of the list, and before an id */
    const char      *query;    /* of the list */
    const char      *since;    /* parameter; NULL: there is none, and the
                                  newest come first */
    int              since_is_text;        /* RFC 3339 */
    const char      *account;  /* parameter of the account; NULL: none */
    const char      *cursor;   /* parameter */
    settle_next_t    next;
    const char      *inside;   /* object around the arrays; NULL: none */
    const char      *items;    /* the array of settlements */
    const char      *at;       /* member: when it was made */
    int              at_is_text;
    const char      *only;     /* member that must be "completed"; NULL */
    const char      *final[SETTLE_FINAL_MAX];  /* words of `status` */
    settle_list_t    lists[SETTLE_LISTS_MAX + 1];
    const char      *balance;  /* path of the account's balance; NULL: the PSP
                                  does not tell it */
};


static pay_status_t settle_get(pay_arena_t *arena,
    const pay_psp_settle_api_t *api, const pay_psp_account_t *account,
    const char *path, pay_buf_t *rest, pay_http_request_t *request);
static void settle_pair(pay_buf_t *query, const char *name, pay_str_t value);
static pay_status_t settle_page(pay_arena_t *arena,
    const pay_psp_settle_api_t *api, int64_t since_s, const pay_json_t *root,
    pay_psp_settlements_t *page);
static pay_status_t settle_item(pay_arena_t *arena,
    const pay_psp_settle_api_t *api, int64_t since_s, const pay_json_t *item,
    pay_psp_settlements_t *page, int *is_past);
static int settle_is_final(const pay_psp_settle_api_t *api,
    const pay_json_t *item);
static pay_status_t settle_at(const pay_psp_settle_api_t *api,
    const pay_json_t *item, int64_t *at_s);
static pay_status_t settle_time(pay_str_t text, int64_t *at_s);
static pay_status_t settle_next(pay_arena_t *arena,
    const pay_psp_settle_api_t *api, const pay_json_t *root,
    const pay_json_t *items, pay_str_t *next);
static pay_status_t settle_link(pay_arena_t *arena, pay_str_t href,
    pay_str_t *next);
static const pay_json_t *settle_inside(const pay_psp_settle_api_t *api,
    const pay_json_t *root);
static pay_status_t settle_open(const pay_http_answer_t *answer,
    pay_json_t **root);


const pay_psp_settle_api_t  pay_psp_stripe_settlements = {
    .open = pay_stripe_request,
    .path = "/v1/payouts",
    .query = "limit=50",
    .since = "created[gte]",
    .cursor = "starting_after",
    .next = SETTLE_BY_LAST,
    .items = "data",
    .at = "created",
    .only = "reconciliation_status",
    .final = { "paid", "failed" },
    .lists = {
        /* without the expansion a row names a charge, which we do not know */
        { "/v1/balance_transactions", NULL,
          "limit=50&expand%5B%5D=data.source&payout=", "data" }
    },
    .balance = "/v1/balance"
};

const pay_psp_settle_api_t  pay_psp_square_settlements = {
    .open = pay_square_request,
    .path = "/v2/payouts",
    .query = "limit=50",
    .since = "begin_time",
    .since_is_text = 1,
    .account = "location_id",
    .cursor = "cursor",
    .next = SETTLE_BY_MEMBER,
    .items = "payouts",
    .at = "created_at",
    .at_is_text = 1,
    .final = { "SENT", "PAID", "FAILED" },
    .lists = {
        { "/v2/payouts/", "/payout-entries", "limit=100", "payout_entries" }
    }
};

const pay_psp_settle_api_t  pay_psp_mollie_settlements = {
    .open = pay_psp_request_init,
    .path = "/v2/settlements",
    .query = "limit=50",
    .cursor = "from",
    .next = SETTLE_BY_LINK,
    .inside = "_embedded",
    .items = "settlements",
    .at = "settledAt",
    .at_is_text = 1,
    .final = { "paidout" },
    .lists = {
        { "/v2/settlements/", "/payments", "limit=100", "payments" },
        { "/v2/settlements/", "/refunds", "limit=100", "refunds" },
        { "/v2/settlements/", "/chargebacks", "limit=100", "chargebacks" },
        { "/v2/settlements/", "/captures", "limit=100", "captures" }
    },
    .balance = "/v2/balances/primary"
};


pay_status_t
pay_psp_settlements_request(pay_arena_t *arena,
    const pay_psp_adapter_t *adapter, const pay_psp_account_t *account,
    int64_t since_s, pay_str_t cursor, pay_http_request_t *request)
{
    pay_str_t                    text;
    pay_buf_t                    query;
    const pay_psp_settle_api_t  *api = adapter->settlements;

    pay_buf_init(&query, arena, PAY_PSP_URL_MAX);
    pay_buf_text(&query, "?");
    pay_buf_text(&query, api->query);

    if (api->account != NULL && account->account.len != 0) {
        settle_pair(&query, api->account, account->account);
    }

    if (api->since != NULL && api->since_is_text) {
        PAY_TRY(pay_time_format(arena, since_s, &text));
        settle_pair(&query, api->since, text);

    } else if (api->since != NULL) {
        settle_pair(&query, api->since, PAY_STR(""));
        pay_buf_int(&query, since_s);
    }

    if (cursor.len != 0) {
        settle_pair(&query, api->cursor, cursor);
    }

    return settle_get(arena, api, account, api->path, &query, request);
}


pay_status_t
pay_psp_settlements_answer(pay_arena_t *arena,
    const pay_psp_adapter_t *adapter, int64_t since_s, pay_str_t cursor,
    const pay_http_answer_t *answer, pay_psp_settlements_t *page)
{
    pay_json_t    *root;
    pay_status_t   status;

    memset(page, 0, sizeof(*page));
    status = settle_open(answer, &root);

    if (status == PAY_OK) {
        status = settle_page(arena, adapter->settlements, since_s, root, page);
        pay_json_free(root);
    }

    if (status == PAY_INVALID || (page->next.len != 0
                                  && pay_str_eq(page->next, cursor)))
    {
        memset(page, 0, sizeof(*page));
        return PAY_OK;
    }

    page->known = status == PAY_OK;

    return status;
}


pay_status_t
pay_psp_settlement_request(pay_arena_t *arena,
    const pay_psp_adapter_t *adapter, const pay_psp_account_t *account,
    const pay_psp_settle_page_t *page, pay_http_request_t *request)
{
    pay_buf_t                    rest;
    const settle_list_t         *list;
    const pay_psp_settle_api_t  *api = adapter->settlements;

    if (!pay_psp_token_is_valid(page->id) || page->part > SETTLE_LISTS_MAX) {
        return PAY_BUG;
    }

    pay_buf_init(&rest, arena, PAY_PSP_URL_MAX);

    if (page->part == 0) {
        pay_buf_text(&rest, "/");
        pay_buf_add(&rest, page->id);
        return settle_get(arena, api, account, api->path, &rest, request);
    }

    list = &api->lists[page->part - 1];

    if (list->tail != NULL) {
        pay_buf_add(&rest, page->id);
        pay_buf_text(&rest, list->tail);
    }

    pay_buf_text(&rest, "?");
    pay_buf_text(&rest, list->query);

    if (list->tail == NULL) {
        pay_buf_add(&rest, page->id);
    }

    if (page->cursor.len != 0) {
        settle_pair(&rest, api->cursor, page->cursor);
    }

    return settle_get(arena, api, account, list->path, &rest, request);
}


pay_status_t
pay_psp_settlement_next(pay_arena_t *arena, const pay_psp_adapter_t *adapter,
    const pay_http_answer_t *answer, pay_psp_settle_page_t *page, int *is_end)
{
    pay_str_t                    next = PAY_STR("");
    pay_json_t                  *root;
    pay_status_t                 status;
    const pay_json_t            *items;
    const pay_psp_settle_api_t  *api = adapter->settlements;

    PAY_TRY(settle_open(answer, &root));
    status = PAY_OK;

    if (page->part > 0) {
        items = pay_json_get(settle_inside(api, root),
                             api->lists[page->part - 1].items);
        status = settle_next(arena, api, root, items, &next);
    }

    pay_json_free(root);

    if (status != PAY_OK
        || (next.len != 0 && pay_str_eq(next, page->cursor)))
    {
        return status != PAY_OK ? status : PAY_INVALID;
    }

    page->part += next.len == 0;
    page->cursor = next;
    *is_end = page->part > SETTLE_LISTS_MAX
              || api->lists[page->part - 1].path == NULL;

    return PAY_OK;
}


int
pay_psp_has_balance(const pay_psp_adapter_t *adapter)
{
    return adapter->settlements != NULL
           && adapter->settlements->balance != NULL;
}


pay_status_t
pay_psp_balance_request(pay_arena_t *arena, const pay_psp_adapter_t *adapter,
    const pay_psp_account_t *account, pay_http_request_t *request)
{
    const pay_psp_settle_api_t  *api = adapter->settlements;

    return api->open(arena, account, "GET", api->balance, PAY_STR(""),
                     request);
}


static pay_status_t
settle_get(pay_arena_t *arena, const pay_psp_settle_api_t *api,
    const pay_psp_account_t *account, const char *path, pay_buf_t *rest,
    pay_http_request_t *request)
{
    pay_str_t  text;

    PAY_TRY(pay_buf_done(rest, &text));

    return api->open(arena, account, "GET", path, text, request);
}


static void
settle_pair(pay_buf_t *query, const char *name, pay_str_t value)
{
    pay_buf_text(query, "&");
    pay_buf_percent(query, pay_str_of(name));
    pay_buf_text(query, "=");
    pay_buf_percent(query, value);
}


static pay_status_t
settle_page(pay_arena_t *arena, const pay_psp_settle_api_t *api,
    int64_t since_s, const pay_json_t *root, pay_psp_settlements_t *page)
{
    int                is_past = 0;
    size_t             i;
    const pay_json_t  *items;

    items = pay_json_get(settle_inside(api, root), api->items);

    for (i = 0; i < pay_json_size(items); i++) {
        PAY_TRY(settle_item(arena, api, since_s, pay_json_at(items, i), page,
                            &is_past));
    }

    PAY_TRY(settle_next(arena, api, root, items, &page->next));

    /* the newest come first: nothing younger follows */
    if (api->since == NULL && is_past) {
        page->next = PAY_STR("");
    }

    return PAY_OK;
}


static pay_status_t
settle_item(pay_arena_t *arena, const pay_psp_settle_api_t *api,
    int64_t since_s, const pay_json_t *item, pay_psp_settlements_t *page,
    int *is_past)
{
    int64_t                at_s;
    pay_psp_settlement_t  *one;

    if (!settle_is_final(api, item)) {
        return PAY_OK;
    }

    PAY_TRY(settle_at(api, item, &at_s));

    if (at_s < since_s) {
        *is_past = 1;
        return PAY_OK;
    }

    if (page->count == PAY_PSP_SETTLEMENTS_MAX) {
        return PAY_INVALID;
    }

    one = &page->items[page->count];
    one->at_s = at_s;

    if (pay_psp_token_get(arena, item, "id", &one->id) != PAY_OK) {
        return PAY_INVALID;
    }

    page->count++;

    return PAY_OK;
}


/* Stripe ties rows to automatic payouts alone, once they are reconciled. */
static int
settle_is_final(const pay_psp_settle_api_t *api, const pay_json_t *item)
{
    size_t     i;
    pay_str_t  word = PAY_STR("");

    if (api->only != NULL
        && (pay_json_string(pay_json_get(item, api->only), &word) != PAY_OK
            || !pay_str_is(word, "completed")))
    {
        return 0;
    }

    if (pay_json_string(pay_json_get(item, "status"), &word) != PAY_OK) {
        return 0;
    }

    for (i = 0; i < SETTLE_FINAL_MAX && api->final[i] != NULL; i++) {
        if (pay_str_is(word, api->final[i])) {
            return 1;
        }
    }

    return 0;
}


static pay_status_t
settle_at(const pay_psp_settle_api_t *api, const pay_json_t *item,
    int64_t *at_s)
{
    pay_str_t          text;
    const pay_json_t  *at = pay_json_get(item, api->at);

    if (!api->at_is_text) {
        return pay_json_integer(at, at_s) == PAY_OK ? PAY_OK : PAY_INVALID;
    }

    return pay_json_string(at, &text) == PAY_OK ? settle_time(text, at_s)
                                                : PAY_INVALID;
}


/* RFC 3339, with or without a fraction, "Z" or an offset of the same day. */
static pay_status_t
settle_time(pay_str_t text, int64_t *at_s)
{
    int64_t        at_us, hours, minutes;
    size_t         i = SETTLE_SECONDS;
    pay_str_t      zone;
    unsigned char  spelled[] = "yyyy-mm-ddThh:mm:ss.000000Z";

    if (text.len <= i) {
        return PAY_INVALID;
    }

    memcpy(spelled, text.data, i);
    PAY_TRY(pay_time_parse((pay_str_t) { sizeof(spelled) - 1, spelled },
                           &at_us));
    *at_s = at_us / US_PER_S;

    for (i += text.data[i] == '.';
         i < text.len && text.data[i] >= '0' && text.data[i] <= '9'; i++)
    {
        /* the fraction */
    }

    zone = (pay_str_t) { text.len - i, text.data + i };

    if (pay_str_is(zone, "Z")) {
        return PAY_OK;
    }

    if (zone.len != 6 || zone.data[3] != ':'
        || (zone.data[0] != '+' && zone.data[0] != '-'))
    {
        return PAY_INVALID;
    }

    PAY_TRY(pay_digits_parse((pay_str_t) { 2, zone.data + 1 }, &hours));
    PAY_TRY(pay_digits_parse((pay_str_t) { 2, zone.data + 4 }, &minutes));
    *at_s -= (hours * 3600 + minutes * 60) * (zone.data[0] == '+' ? 1 : -1);

    return PAY_OK;
}


/* The cursor of the next page; empty: there is none. */
static pay_status_t
settle_next(pay_arena_t *arena, const pay_psp_settle_api_t *api,
    const pay_json_t *root, const pay_json_t *items, pay_str_t *next)
{
    size_t             count = pay_json_size(items);
    pay_str_t          text;
    const pay_json_t  *more;

    *next = PAY_STR("");

    switch (api->next) {

    case SETTLE_BY_LAST:
        more = pay_json_get(root, "has_more");

        if (pay_json_type(items) != PAY_JSON_ARRAY
            || pay_json_type(more) == PAY_JSON_NULL)
        {
            return PAY_INVALID;
        }

        if (pay_json_type(more) != PAY_JSON_TRUE) {
            return PAY_OK;
        }

        return count != 0
               && pay_psp_token_get(arena, pay_json_at(items, count - 1), "id",
                                    next) == PAY_OK ? PAY_OK : PAY_INVALID;

    case SETTLE_BY_MEMBER:
        if (pay_json_string(pay_json_get(root, "cursor"), &text) != PAY_OK
            || text.len == 0)
        {
            return PAY_OK;
        }

        return pay_psp_url_is_plain(text) ? pay_dup(arena, text, next)
                                          : PAY_INVALID;

    default:
        more = pay_json_get(pay_json_get(pay_json_get(root, "_links"), "next"),
                            "href");

        return pay_json_string(more, &text) == PAY_OK
               ? settle_link(arena, text, next) : PAY_OK;
    }
}


/* One parameter of the address counts: the next call goes to our base_url
 * again. */
static pay_status_t
settle_link(pay_arena_t *arena, pay_str_t href, pay_str_t *next)
{
    size_t     i, n;
    pay_str_t  id;

    for (i = 0; i + 6 <= href.len; i++) {
        if ((href.data[i] != '?' && href.data[i] != '&')
            || memcmp(href.data + i + 1, "from=", 5) != 0)
        {
            continue;
        }

        id.data = href.data + i + 6;

        for (n = 0; i + 6 + n < href.len && id.data[n] != '&'; n++) {
            /* to the end of the value */
        }

        id.len = n;

        return pay_psp_token_is_valid(id) ? pay_dup(arena, id, next)
                                          : PAY_INVALID;
    }

    return PAY_INVALID;
}


static const pay_json_t *
settle_inside(const pay_psp_settle_api_t *api, const pay_json_t *root)
{
    return api->inside != NULL ? pay_json_get(root, api->inside) : root;
}


/* PAY_INVALID: there is nothing to read. */
static pay_status_t
settle_open(const pay_http_answer_t *answer, pay_json_t **root)
{
    pay_err_t                       err;
    pay_status_t                    status;
    static const pay_json_limits_t  limits = {
        .max_size = SETTLE_BODY_MAX, .max_width = SETTLE_WIDTH_MAX,
        .max_values = SETTLE_VALUES_MAX, .max_depth = PAY_PSP_DEPTH_MAX
    };

    if (answer->sent != PAY_ANSWERED || answer->status != 200) {
        return PAY_INVALID;
    }

    status = pay_json_parse(answer->body, &limits, root, &err);

    return status == PAY_OK || status == PAY_NO_MEMORY ? status : PAY_INVALID;
}
