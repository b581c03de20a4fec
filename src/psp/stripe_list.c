/*
 * Stripe's lists, newest first.  Sessions cannot be listed by our reference,
 * so those of the time in which ours can have been made are looked through.
 * Events are the objects that webhooks bring, under the same ids; Stripe has
 * them for 30 days.
 */

#include "psp/stripe.h"


#define STRIPE_EVENTS  "/v1/events"
/* A session may take 8 KiB, in an event, too: six of them fit into an
 * answer. */
#define STRIPE_PAGE    6


static void stripe_query_int(pay_buf_t *query, const char *name,
    int64_t number);
static pay_status_t stripe_get(pay_arena_t *arena,
    const pay_psp_account_t *account, const char *path, pay_buf_t *query,
    pay_http_request_t *request);
static pay_status_t stripe_look(pay_arena_t *arena,
    const pay_psp_order_t *order, const pay_json_t *root,
    pay_psp_registered_t *result);
static pay_status_t stripe_found(pay_arena_t *arena,
    const pay_psp_order_t *order, const pay_json_t *entry, int *ours,
    pay_psp_registered_t *result);
static pay_status_t stripe_page(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_list_t *list,
    const pay_json_t *root, pay_psp_listed_t *listed);
static pay_status_t stripe_after(pay_arena_t *arena, const pay_json_t *root,
    pay_str_t *after);


pay_status_t
pay_stripe_find_request(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_order_t *order, pay_http_request_t *request)
{
    pay_buf_t  query;

    if (!pay_psp_find_sane(order)) {
        return PAY_BUG;
    }

    pay_buf_init(&query, arena, PAY_PSP_URL_MAX);
    pay_buf_text(&query, "?limit=");
    pay_buf_int(&query, STRIPE_PAGE);
    stripe_query_int(&query, "created[gte]",
                     pay_psp_find_since(order, pay_psp_stripe.max_expiry_s));
    stripe_query_int(&query, "created[lte]", order->expires_s);

    if (order->find_from.len != 0) {
        pay_stripe_pair(&query, "starting_after", order->find_from);
    }

    return stripe_get(arena, account, PAY_STRIPE_SESSIONS, &query, request);
}


static void
stripe_query_int(pay_buf_t *query, const char *name, int64_t number)
{
    pay_stripe_pair(query, name, PAY_STR(""));
    pay_buf_int(query, number);
}


static pay_status_t
stripe_get(pay_arena_t *arena, const pay_psp_account_t *account,
    const char *path, pay_buf_t *query, pay_http_request_t *request)
{
    pay_str_t           text;
    pay_http_request_t  made;

    PAY_TRY(pay_buf_done(query, &text));
    PAY_TRY(pay_stripe_request(arena, account, "GET", path, text, &made));

    *request = made;

    return PAY_OK;
}


pay_status_t
pay_stripe_find_answer(pay_arena_t *arena, const pay_psp_order_t *order,
    const pay_http_answer_t *answer, pay_psp_registered_t *result)
{
    pay_json_t            *root;
    pay_status_t           status;
    pay_psp_registered_t   made;

    PAY_TRY(pay_psp_find_open(arena, answer, pay_stripe_error, &root, &made));

    status = (root == NULL) ? PAY_OK : stripe_look(arena, order, root, &made);
    pay_json_free(root);

    if (status != PAY_OK && status != PAY_INVALID) {
        return status;
    }

    *result = made;

    return PAY_OK;
}


static pay_status_t
stripe_look(pay_arena_t *arena, const pay_psp_order_t *order,
    const pay_json_t *root, pay_psp_registered_t *result)
{
    int        found;
    pay_str_t  after;

    PAY_TRY(stripe_after(arena, root, &after));
    PAY_TRY(pay_psp_find_in(arena, order, pay_json_get(root, "data"),
                            stripe_found, result, &found));

    if (found) {
        return PAY_OK;
    }

    if (after.len != 0 && pay_str_eq(after, order->find_from)) {
        return PAY_INVALID;
    }

    pay_psp_find_none(after, result);

    return PAY_OK;
}


static pay_status_t
stripe_found(pay_arena_t *arena, const pay_psp_order_t *order,
    const pay_json_t *entry, int *ours, pay_psp_registered_t *result)
{
    pay_str_t          reference;
    pay_stripe_echo_t  echo;

    if (pay_json_string(pay_json_get(entry, "client_reference_id"),
                        &reference) != PAY_OK
        || !pay_str_eq(reference, order->reference))
    {
        return PAY_OK;
    }

    *ours = 1;
    echo = pay_stripe_echo(order, entry);

    if (echo == PAY_STRIPE_ECHO_WRONG) {
        result->code = PAY_STR("answer_mismatch");
    }

    return (echo == PAY_STRIPE_ECHO_RIGHT)
           ? pay_stripe_registered(arena, order, entry, result) : PAY_OK;
}


pay_status_t
pay_stripe_list_request(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_list_t *list, pay_http_request_t *request)
{
    unsigned    i;
    pay_buf_t   query;
    const char *type;

    if (!pay_psp_list_sane(list)) {
        return PAY_BUG;
    }

    pay_buf_init(&query, arena, PAY_PSP_URL_MAX);
    pay_buf_text(&query, "?limit=");
    pay_buf_int(&query, STRIPE_PAGE);
    stripe_query_int(&query, "created[gte]", list->since_s);
    stripe_query_int(&query, "created[lt]", list->until_s);

    for (i = 0; (type = pay_stripe_event_type(i)) != NULL; i++) {
        pay_buf_text(&query, "&types");
        pay_buf_percent(&query, PAY_STR("["));
        pay_buf_int(&query, i);
        pay_buf_percent(&query, PAY_STR("]"));
        pay_buf_text(&query, "=");
        pay_buf_percent(&query, pay_str_of(type));
    }

    if (list->cursor.len != 0) {
        pay_stripe_pair(&query, "starting_after", list->cursor);
    }

    return stripe_get(arena, account, STRIPE_EVENTS, &query, request);
}


pay_status_t
pay_stripe_list_answer(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_list_t *list, const pay_http_answer_t *answer,
    pay_psp_listed_t *listed)
{
    pay_json_t        *root;
    pay_status_t       status;
    pay_psp_listed_t   made;

    PAY_TRY(pay_psp_query_open(answer, &root));

    memset(&made, 0, sizeof(made));
    status = stripe_page(arena, account, list, root, &made);
    pay_json_free(root);

    return pay_psp_list_done(status, &made, listed);
}


static pay_status_t
stripe_page(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_list_t *list, const pay_json_t *root,
    pay_psp_listed_t *listed)
{
    pay_str_t  after;

    PAY_TRY(stripe_after(arena, root, &after));
    PAY_TRY(pay_psp_list_in(arena, account, pay_json_get(root, "data"),
                            pay_stripe_event, listed));

    return after.len ? pay_psp_list_next(arena, list, after, listed) : PAY_OK;
}


/* The id after which the next page begins; empty when this is the last one.
 * PAY_INVALID when it is no list, or more is to come and nobody knows
 * where. */
static pay_status_t
stripe_after(pay_arena_t *arena, const pay_json_t *root, pay_str_t *after)
{
    pay_status_t       status;
    pay_json_type_t    more;
    const pay_json_t  *data = pay_json_get(root, "data");

    more = pay_json_type(pay_json_get(root, "has_more"));

    if (pay_json_type(data) != PAY_JSON_ARRAY
        || (more != PAY_JSON_TRUE && more != PAY_JSON_FALSE))
    {
        return PAY_INVALID;
    }

    *after = PAY_STR("");

    if (more == PAY_JSON_FALSE) {
        return PAY_OK;
    }

    if (pay_json_size(data) == 0) {
        return PAY_INVALID;
    }

    status = pay_psp_token_get(arena, pay_json_at(data,
                                                  pay_json_size(data) - 1),
                               "id", after);

    return (status == PAY_NOT_FOUND) ? PAY_INVALID : status;
}
