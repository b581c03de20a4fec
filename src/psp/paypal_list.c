/*
 * The events that PayPal has told or tried to, under the ids of their
 * webhooks, and what they say that a webhook cannot prove (paypal_after.c).
 * The next page is a link; of that only the few query members that say where
 * it begins are taken, never its host, path or span of time.
 */

#include "psp/paypal.h"
#include "pay_time.h"


#define PAYPAL_EVENTS  "/v1/notifications/webhooks-events"
/* An event holds an order of up to twenty items: six of them fit into an
 * answer. */
#define PAYPAL_PAGE    "6"


static pay_status_t paypal_page(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_list_t *list,
    const pay_json_t *root, pay_psp_listed_t *listed);
static pay_status_t paypal_next(pay_arena_t *arena, const pay_json_t *link,
    pay_str_t *cursor);
static int paypal_take(pay_str_t text, size_t *at, pay_str_t *pair);
static int paypal_pair_is_place(pay_str_t pair);
static int paypal_pair_is_safe(pay_str_t pair);
static int paypal_cursor_is_valid(pay_str_t cursor);


/* Where a page begins, as PayPal's own links say it. */
static const char *const  paypal_places[] = {
    "move_to", "index_time", "index_id", "offset", "prev_offset", "page",
    "page_token", "next_page_token", NULL
};


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


pay_status_t
pay_paypal_list_answer(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_list_t *list, const pay_http_answer_t *answer,
    pay_psp_listed_t *listed)
{
    pay_json_t        *root;
    pay_status_t       status;
    pay_psp_listed_t   made;

    PAY_TRY(pay_psp_query_open(answer, &root));

    memset(&made, 0, sizeof(made));
    status = paypal_page(arena, account, list, root, &made);
    pay_json_free(root);

    return pay_psp_list_done(status, &made, listed);
}


/* An empty page is the last one, whatever it links to. */
static pay_status_t
paypal_page(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_list_t *list, const pay_json_t *root,
    pay_psp_listed_t *listed)
{
    size_t             i;
    pay_str_t          cursor;
    const pay_json_t  *events, *links, *link;

    events = pay_json_get(root, "events");
    links = pay_json_get(root, "links");

    PAY_TRY(pay_psp_list_in(arena, account, events, pay_paypal_listed,
                            listed));

    if (links != NULL && pay_json_type(links) != PAY_JSON_ARRAY) {
        return PAY_INVALID;
    }

    for (i = 0; i < pay_json_size(links) && pay_json_size(events); i++) {
        link = pay_json_at(links, i);

        if (pay_paypal_is(link, "rel", "next")) {
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
    size_t         i;
    unsigned char  c;

    for (i = 0; i < pair.len; i++) {
        c = pair.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9') || memchr("-._~:%+=,", c, 9)))
        {
            return 0;
        }
    }

    return 1;
}


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
