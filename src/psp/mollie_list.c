/*
 * Mollie's list of a profile's payments, newest first.  There is no search by
 * our reference, which each payment carries in its metadata together with the
 * nonce: so pages are looked through until one reaches back to before the
 * order was made.
 */

#include "psp/mollie.h"
#include "pay_time.h"


/* A payment of twenty lines may take 11 KiB: five of them fit into an
 * answer. */
#define MOLLIE_PAGE   "5"
#define MOLLIE_CLOCK  19       /* "2026-11-21T08:15:00" */


static pay_status_t mollie_look(pay_arena_t *arena,
    const pay_psp_order_t *order, const pay_json_t *root,
    pay_psp_registered_t *result);
static pay_status_t mollie_found(pay_arena_t *arena,
    const pay_psp_order_t *order, const pay_json_t *entry, int *ours,
    pay_psp_registered_t *result);
static pay_status_t mollie_reaches_back(pay_arena_t *arena,
    const pay_psp_order_t *order, const pay_json_t *payments, int *back);
static int mollie_is_time(pay_str_t text);
static pay_status_t mollie_next(pay_arena_t *arena, const pay_json_t *root,
    pay_str_t *from);
static int mollie_from(pay_str_t href, pay_str_t *from);


pay_status_t
pay_mollie_find_request(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_order_t *order, pay_http_request_t *request)
{
    pay_buf_t           query;
    pay_str_t           text;
    pay_http_request_t  made;

    if (!pay_psp_find_sane(order)) {
        return PAY_BUG;
    }

    pay_buf_init(&query, arena, PAY_PSP_URL_MAX);
    pay_buf_text(&query, "?limit=" MOLLIE_PAGE);

    if (order->find_from.len != 0) {
        pay_buf_text(&query, "&from=");
        pay_buf_percent(&query, order->find_from);
    }

    PAY_TRY(pay_buf_done(&query, &text));
    PAY_TRY(pay_psp_request_init(arena, account, "GET", PAY_MOLLIE_PAYMENTS,
                                 text, &made));
    pay_mollie_accept(&made);

    *request = made;

    return PAY_OK;
}


pay_status_t
pay_mollie_find_answer(pay_arena_t *arena, const pay_psp_order_t *order,
    const pay_http_answer_t *answer, pay_psp_registered_t *result)
{
    pay_json_t            *root;
    pay_status_t           status;
    pay_psp_registered_t   made;

    PAY_TRY(pay_psp_find_open(arena, answer, pay_mollie_error, &root, &made));

    status = (root == NULL) ? PAY_OK : mollie_look(arena, order, root, &made);
    pay_json_free(root);

    if (status != PAY_OK && status != PAY_INVALID) {
        return status;
    }

    *result = made;

    return PAY_OK;
}


static pay_status_t
mollie_look(pay_arena_t *arena, const pay_psp_order_t *order,
    const pay_json_t *root, pay_psp_registered_t *result)
{
    int                found, back;
    pay_str_t          from;
    const pay_json_t  *payments;

    payments = pay_json_path(root, "_embedded", "payments", NULL);

    PAY_TRY(mollie_next(arena, root, &from));
    PAY_TRY(pay_psp_find_in(arena, order, payments, mollie_found, result,
                            &found));

    if (found) {
        return PAY_OK;
    }

    PAY_TRY(mollie_reaches_back(arena, order, payments, &back));

    if (!back && from.len != 0 && pay_str_eq(from, order->find_from)) {
        return PAY_INVALID;
    }

    pay_psp_find_none(back ? PAY_STR("") : from, result);

    return PAY_OK;
}


static pay_status_t
mollie_found(pay_arena_t *arena, const pay_psp_order_t *order,
    const pay_json_t *entry, int *ours, pay_psp_registered_t *result)
{
    const pay_json_t  *metadata = pay_json_get(entry, "metadata");

    if (pay_mollie_echo_text(pay_json_get(metadata, "reference"),
                             order->reference) != PAY_MOLLIE_RIGHT
        || pay_mollie_echo_text(pay_json_get(metadata, "nonce"),
                                order->nonce) != PAY_MOLLIE_RIGHT)
    {
        return PAY_OK;
    }

    *ours = 1;

    return pay_mollie_registered(arena, order, entry, result);
}


/* The last one is the oldest.  Times of one form and zone compare as text;
 * another form proves nothing. */
static pay_status_t
mollie_reaches_back(pay_arena_t *arena, const pay_psp_order_t *order,
    const pay_json_t *payments, int *back)
{
    size_t             n = pay_json_size(payments);
    pay_str_t          since, created;
    const pay_json_t  *oldest;

    *back = 0;
    oldest = (n != 0) ? pay_json_at(payments, n - 1) : NULL;

    if (pay_json_string(pay_json_get(oldest, "createdAt"), &created) != PAY_OK
        || !mollie_is_time(created))
    {
        return PAY_OK;
    }

    PAY_TRY(pay_time_format(arena,
                            pay_psp_find_since(order,
                                               pay_psp_mollie.max_expiry_s),
                            &since));

    *back = memcmp(created.data, since.data, MOLLIE_CLOCK) < 0;

    return PAY_OK;
}


/* "2026-11-21T08:15:00" with "+00:00" or "Z" behind it. */
static int
mollie_is_time(pay_str_t text)
{
    size_t       i;
    pay_str_t    zone;

    static const char  form[] = "dddd-dd-ddTdd:dd:dd";

    if (text.len <= MOLLIE_CLOCK) {
        return 0;
    }

    for (i = 0; i < MOLLIE_CLOCK; i++) {
        if (form[i] == 'd' ? (text.data[i] < '0' || text.data[i] > '9')
                           : text.data[i] != form[i])
        {
            return 0;
        }
    }

    zone = (pay_str_t) { text.len - MOLLIE_CLOCK, text.data + MOLLIE_CLOCK };

    return pay_str_is(zone, "+00:00") || pay_str_is(zone, "Z");
}


/* Where the next page begins, of a link's query; empty when "next" is null.
 * PAY_INVALID when it is neither. */
static pay_status_t
mollie_next(pay_arena_t *arena, const pay_json_t *root, pay_str_t *from)
{
    pay_str_t          href, found;
    const pay_json_t  *links = pay_json_get(root, "_links"), *next;

    next = pay_json_get(links, "next");
    *from = PAY_STR("");

    if (next != NULL && pay_json_type(next) == PAY_JSON_NULL) {
        return PAY_OK;
    }

    if (pay_json_string(pay_json_get(next, "href"), &href) != PAY_OK
        || !mollie_from(href, &found))
    {
        return PAY_INVALID;
    }

    return pay_dup(arena, found, from);
}


/* The member `from` of a query; 1 when it is there and a payment's id. */
static int
mollie_from(pay_str_t href, pay_str_t *from)
{
    size_t  i, end;

    for (i = 1; i + 5 < href.len; i++) {
        if ((href.data[i - 1] == '?' || href.data[i - 1] == '&')
            && memcmp(href.data + i, "from=", 5) == 0)
        {
            break;
        }
    }

    if (i + 5 >= href.len) {
        return 0;
    }

    i += 5;

    for (end = i; end < href.len && href.data[end] != '&'; end++) {
        /* void */
    }

    *from = (pay_str_t) { end - i, href.data + i };

    return pay_psp_token_is_valid(*from);
}
