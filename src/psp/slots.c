/*
 * The frame of each slot that reads an answer: open it, have the adapter's own
 * function read its object, free that, and write the result when all went
 * well.  An adapter brings the function in the middle.
 */

#include "psp/psp.h"


/* The tree is freed before the result is handed on: readers copy all that they
 * keep into the arena. */
pay_status_t
pay_psp_register_answer(pay_arena_t *arena, const pay_psp_checkout_t *checkout,
    const pay_http_answer_t *answer, pay_psp_error_pt error,
    pay_psp_register_pt read, pay_psp_registered_t *result)
{
    pay_json_t           *json;
    pay_status_t          status;
    pay_psp_registered_t  made;

    PAY_TRY(pay_psp_answer_open(arena, answer, error, &json, &made));

    status = (json == NULL) ? PAY_OK : read(arena, checkout, json, &made);
    pay_json_free(json);

    if (status == PAY_OK) {
        *result = made;
    }

    return status;
}


/* As pay_psp_register_answer(), for changes. */
pay_status_t
pay_psp_change_answer(pay_arena_t *arena, const pay_psp_change_t *change,
    const pay_http_answer_t *answer, pay_psp_error_pt error,
    pay_psp_change_pt read, pay_psp_changed_t *result)
{
    pay_json_t        *json;
    pay_status_t       status;
    pay_psp_changed_t  made;

    PAY_TRY(pay_psp_change_open(arena, answer, error, &json, &made));

    status = (json == NULL) ? PAY_OK : read(arena, change, json, &made);
    pay_json_free(json);

    if (status == PAY_OK) {
        *result = made;
    }

    return status;
}


/* *known is 0 for every answer that cannot be read; *event is left alone then,
 * but for the reason in `unread`. */
pay_status_t
pay_psp_query_answer(pay_arena_t *arena, pay_str_t token,
    const pay_http_answer_t *answer, pay_psp_state_pt state,
    pay_psp_event_t *event, int *known)
{
    pay_json_t      *json;
    pay_status_t     status;
    pay_psp_event_t  made;

    PAY_TRY(pay_psp_query_open(answer, &json));

    if (json == NULL) {
        *known = 0;
        return PAY_OK;
    }

    memset(&made, 0, sizeof(made));
    status = state(arena, json, &made);
    pay_json_free(json);

    return pay_psp_query_done(status, token, &made, event, known);
}


/* An answer that cannot be read, or shows another registration, leaves the
 * outcome unknown. */
pay_status_t
pay_psp_change_state(pay_arena_t *arena, const pay_psp_change_t *change,
    const pay_json_t *json, pay_psp_state_pt state, pay_psp_changed_t *result)
{
    pay_status_t     status;
    pay_psp_event_t  event;

    memset(&event, 0, sizeof(event));

    status = state(arena, json, &event);
    if (status != PAY_OK) {
        return (status == PAY_INVALID) ? PAY_OK : status;
    }

    if (!pay_str_eq(event.token, change->token)) {
        result->code = PAY_STR("answer_mismatch");
        return PAY_OK;
    }

    if (event.type.len != 0) {
        result->known = 1;
        result->event = event;
    }

    return PAY_OK;
}


/* Closing is DONE only when the registration itself says that it has expired:
 * 200 alone may have met a page that was paid a moment before. */
pay_status_t
pay_psp_expired(pay_arena_t *arena, const pay_psp_change_t *change,
    const pay_json_t *json, pay_psp_state_pt state, pay_psp_changed_t *result)
{
    PAY_TRY(pay_psp_change_state(arena, change, json, state, result));

    if (result->known && result->event.fact == PAY_FACT_EXPIRED) {
        result->outcome = PAY_PSP_DONE;
        result->code = PAY_STR("");
    }

    return PAY_OK;
}


/* A list that cannot be read leaves the search open (UNKNOWN), as
 * pay_psp_find_open() has set it. */
pay_status_t
pay_psp_find_answer(pay_arena_t *arena, const pay_psp_checkout_t *checkout,
    const pay_http_answer_t *answer, pay_psp_error_pt error,
    pay_psp_register_pt look, pay_psp_registered_t *result)
{
    pay_json_t           *root;
    pay_status_t          status;
    pay_psp_registered_t  made;

    PAY_TRY(pay_psp_find_open(arena, answer, error, &root, &made));

    status = (root == NULL) ? PAY_OK : look(arena, checkout, root, &made);
    pay_json_free(root);

    if (status != PAY_OK && status != PAY_INVALID) {
        return status;
    }

    *result = made;

    return PAY_OK;
}


/* `page` is called without an object, too, so that an answer that cannot be
 * read ends as PAY_INVALID in one place. */
pay_status_t
pay_psp_list_answer(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_list_t *list, const pay_http_answer_t *answer,
    pay_psp_page_pt page, pay_psp_listed_t *listed)
{
    pay_json_t       *root;
    pay_status_t      status;
    pay_psp_listed_t  made;

    PAY_TRY(pay_psp_query_open(answer, &root));

    memset(&made, 0, sizeof(made));
    status = page(arena, account, list, root, &made);
    pay_json_free(root);

    return pay_psp_list_done(status, &made, listed);
}


/* Frees `json` whatever the outcome, so that builders can return at their
 * first error. */
pay_status_t
pay_psp_json_done(pay_arena_t *arena, pay_status_t status, pay_json_t *json,
    pay_http_request_t *request)
{
    if (status != PAY_OK) {
        pay_json_free(json);
        return status;
    }

    return pay_psp_json_body(arena, json, request);
}


pay_status_t
pay_psp_get(pay_arena_t *arena, const pay_psp_account_t *account,
    const char *path, pay_str_t last, pay_http_request_t *request)
{
    PAY_TRY(pay_psp_request_init(arena, account, "GET", path, last, request));
    pay_psp_field_add(request, "Accept", PAY_STR("application/json"));

    return PAY_OK;
}


pay_str_t
pay_psp_line_name(const pay_psp_line_t *line)
{
    return line->name.len ? line->name : line->payment_order_id;
}


/* The gateway itself never reads the mark: the buyer can write it. */
const char *
pay_psp_cancelled_query(pay_str_t return_url)
{
    return (memchr(return_url.data, '?', return_url.len) != NULL)
           ? "&cancelled=1" : "?cancelled=1";
}
