/*
 * The generic PSP's lists (docs/psp-generic.md): the registration of a nonce,
 * and the events of a span of time, each as its webhook's body has it.
 */

#include "psp/generic.h"


#define GENERIC_FIND    PAY_GENERIC_PATH "?nonce="
#define GENERIC_EVENTS  "/v1/events"


static pay_status_t generic_get(pay_arena_t *arena,
    const pay_psp_account_t *account, const char *path, pay_str_t rest,
    pay_http_request_t *request);
static pay_status_t generic_found(pay_arena_t *arena,
    const pay_psp_order_t *order, const pay_json_t *entry, int *ours,
    pay_psp_registered_t *result);
static pay_status_t generic_page(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_list_t *list,
    const pay_json_t *root, pay_psp_listed_t *listed);
static pay_status_t generic_listed(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_json_t *entry,
    pay_psp_told_t *told, pay_err_t *err);


/* One answer has all of a nonce: there are no pages. */
pay_status_t
pay_generic_find_request(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_order_t *order, pay_http_request_t *request)
{
    pay_buf_t  query;
    pay_str_t  text;

    if (!pay_psp_find_sane(order) || order->find_from.len != 0) {
        return PAY_BUG;
    }

    pay_buf_init(&query, arena, PAY_PSP_URL_MAX);
    pay_buf_percent(&query, order->nonce);
    PAY_TRY(pay_buf_done(&query, &text));

    return generic_get(arena, account, GENERIC_FIND, text, request);
}


static pay_status_t
generic_get(pay_arena_t *arena, const pay_psp_account_t *account,
    const char *path, pay_str_t rest, pay_http_request_t *request)
{
    pay_http_request_t  made;

    PAY_TRY(pay_psp_request_init(arena, account, "GET", path, rest, &made));
    pay_psp_field_add(&made, "Accept", PAY_STR("application/json"));

    *request = made;

    return PAY_OK;
}


pay_status_t
pay_generic_find_answer(pay_arena_t *arena, const pay_psp_order_t *order,
    const pay_http_answer_t *answer, pay_psp_registered_t *result)
{
    int                    found;
    pay_json_t            *root;
    pay_status_t           status;
    pay_psp_registered_t   made;

    PAY_TRY(pay_psp_find_open(arena, answer, pay_generic_error, &root,
                              &made));

    if (root != NULL) {
        status = pay_psp_find_in(arena, order,
                                 pay_json_get(root, "registrations"),
                                 generic_found, &made, &found);
        pay_json_free(root);

        if (status == PAY_OK && !found) {
            pay_psp_find_none(PAY_STR(""), &made);

        } else if (status != PAY_OK && status != PAY_INVALID) {
            return status;
        }
    }

    *result = made;

    return PAY_OK;
}


/* It was asked for this nonce alone: an entry of another one is an answer to
 * another question, not a foreign entry. */
static pay_status_t
generic_found(pay_arena_t *arena, const pay_psp_order_t *order,
    const pay_json_t *entry, int *ours, pay_psp_registered_t *result)
{
    *ours = 1;

    return pay_generic_registered(arena, order, entry, result);
}


pay_status_t
pay_generic_list_request(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_list_t *list, pay_http_request_t *request)
{
    pay_buf_t  query;
    pay_str_t  text;

    if (!pay_psp_list_sane(list)) {
        return PAY_BUG;
    }

    pay_buf_init(&query, arena, PAY_PSP_URL_MAX);
    pay_buf_text(&query, "?since=");
    pay_buf_int(&query, list->since_s);
    pay_buf_text(&query, "&until=");
    pay_buf_int(&query, list->until_s);

    if (list->cursor.len != 0) {
        pay_buf_text(&query, "&cursor=");
        pay_buf_percent(&query, list->cursor);
    }

    PAY_TRY(pay_buf_done(&query, &text));

    return generic_get(arena, account, GENERIC_EVENTS, text, request);
}


pay_status_t
pay_generic_list_answer(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_list_t *list, const pay_http_answer_t *answer,
    pay_psp_listed_t *listed)
{
    pay_json_t        *root;
    pay_status_t       status;
    pay_psp_listed_t   made;

    PAY_TRY(pay_psp_query_open(answer, &root));

    memset(&made, 0, sizeof(made));
    status = generic_page(arena, account, list, root, &made);
    pay_json_free(root);

    return pay_psp_list_done(status, &made, listed);
}


static pay_status_t
generic_page(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_list_t *list, const pay_json_t *root,
    pay_psp_listed_t *listed)
{
    pay_str_t          cursor;
    const pay_json_t  *next;

    PAY_TRY(pay_psp_list_in(arena, account, pay_json_get(root, "events"),
                            generic_listed, listed));

    next = pay_json_get(root, "next");

    if (next == NULL || pay_json_type(next) == PAY_JSON_NULL) {
        return PAY_OK;
    }

    return (pay_json_string(next, &cursor) == PAY_OK)
           ? pay_psp_list_next(arena, list, cursor, listed) : PAY_INVALID;
}


static pay_status_t
generic_listed(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_json_t *entry, pay_psp_told_t *told, pay_err_t *err)
{
    (void) account;

    return pay_generic_event(arena, PAY_STR(""), entry, told, err);
}
