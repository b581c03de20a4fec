/*
 * Mollie's payments (docs/psp/mollie.md): JSON calls, amounts as exact decimal
 * text.  The end of a payment cannot be set (expiresAt is Mollie's own choice,
 * by payment method: minutes to weeks), so the gateway cancels it; while Mollie
 * calls it not cancelable it is queried again.  Webhooks are hints: see
 * mollie_event.c.  Mollie lists a profile's payments, newest first.  There is
 * no search by our reference, which each payment carries in its metadata
 * together with the nonce: so pages are searched until one reaches back to
 * before the order was made.
 *
 * The life of a payment here:
 *
 *    POST /v2/payments ─▶ "open" ─▶ "paid", or "authorized" ─▶ captures
 *                            │ webhooks are hints: GET tells the state
 *                            └─ DELETE closes the page at expires_at
 */

#include "psp/mollie.h"
#include "pay_time.h"


/* A payment of twenty lines may take 11 KiB: five of them fit into an
 * answer. */
#define MOLLIE_PAGE   "5"
#define MOLLIE_CLOCK  19       /* "2026-11-21T08:15:00" */


static pay_status_t mollie_body(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_checkout_t *checkout,
    pay_json_t *root, pay_err_t *err);
static pay_status_t mollie_body_urls(pay_arena_t *arena,
    const pay_psp_checkout_t *checkout, pay_json_t *root);
static pay_status_t mollie_body_line(pay_arena_t *arena,
    const pay_psp_checkout_t *checkout, const pay_psp_line_t *line,
    pay_json_t *lines);
static pay_status_t mollie_registered(pay_arena_t *arena,
    const pay_psp_checkout_t *checkout, const pay_json_t *root,
    pay_psp_registered_t *result);
static pay_status_t mollie_find_request(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_checkout_t *checkout,
    pay_http_request_t *request);
static pay_status_t mollie_look(pay_arena_t *arena,
    const pay_psp_checkout_t *checkout, const pay_json_t *root,
    pay_psp_registered_t *result);
static pay_status_t mollie_found(pay_arena_t *arena,
    const pay_psp_checkout_t *checkout, const pay_json_t *entry, int *ours,
    pay_psp_registered_t *result);
static pay_status_t mollie_reaches_back(pay_arena_t *arena,
    const pay_psp_checkout_t *checkout, const pay_json_t *payments, int *back);
static int mollie_is_time(pay_str_t text);
static pay_status_t mollie_next(pay_arena_t *arena, const pay_json_t *root,
    pay_str_t *from);
static int mollie_from(pay_str_t href, pay_str_t *from);


/* docs.mollie.com, guide "Multicurrency"; with ISO's decimals, all of them. */
static const char *const  mollie_currencies[] = {
    "AED", "AUD", "BGN", "BRL", "CAD", "CHF", "CZK", "DKK", "EUR", "GBP",
    "HKD", "HUF", "ILS", "ISK", "JPY", "MXN", "MYR", "NOK", "NZD", "PHP",
    "PLN", "RON", "RUB", "SEK", "SGD", "THB", "TWD", "USD", "ZAR", NULL
};

static const pay_psp_wire_t  mollie_wire = {
    .open = pay_psp_request_init,
    .accept = PAY_MOLLIE_TYPE,
    .key_header = "Idempotency-Key",
    .key_max = 64,
    .currencies = mollie_currencies,
    .registrations = PAY_MOLLIE_PAYMENTS,
    .registration = PAY_MOLLIE_PAYMENTS "/",
    .body = mollie_body,
    .error = pay_mollie_error,
    .registered = mollie_registered,
    .state = pay_mollie_payment,
    .look = mollie_look,
    .calls = pay_mollie_calls
};

PAY_PSP_SLOTS(mollie)

/* How long Mollie's keys live is not confirmed: an hour is the safe guess. */
const pay_psp_adapter_t  pay_psp_mollie = {
    .name = "mollie",
    .scheme = "mollie",
    .key_window_hours = 1,
    .change_window_hours = {
        [PAY_PSP_CAPTURE] = 1, [PAY_PSP_CANCEL] = PAY_PSP_ALWAYS_HOURS,
        [PAY_PSP_REFUND] = 1, [PAY_PSP_EXPIRE] = PAY_PSP_ALWAYS_HOURS
    },
    .min_expiry_s = 60,
    .max_expiry_s = 86400,
    .hold_hours = 168,
    .traits = PAY_PSP_LINGERS | PAY_PSP_AUTHORIZES | PAY_PSP_NAMES_REFUNDS,
    .changes = PAY_PSP_CAN(PAY_PSP_CAPTURE) | PAY_PSP_CAN(PAY_PSP_CANCEL)
               | PAY_PSP_CAN(PAY_PSP_REFUND) | PAY_PSP_CAN(PAY_PSP_EXPIRE),
    .register_request = mollie_register_request,
    .register_answer = mollie_register_answer,
    .query_request = mollie_query_request,
    .query_answer = mollie_query_answer,
    .find_request = mollie_find_request,
    .find_answer = mollie_find_answer,
    .change_request = mollie_change_request,
    .change_answer = mollie_change_answer,
    .webhook_events = pay_mollie_webhook_events,
    .settlements = &pay_psp_mollie_settlements
};


/* The metadata carry our reference and the nonce: Mollie has no search by
 * either, so mollie_found() compares them in a list. */
static pay_status_t
mollie_body(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_checkout_t *checkout, pay_json_t *root, pay_err_t *err)
{
    unsigned     i;
    pay_json_t  *json;

    (void) account;
    (void) err;

    PAY_TRY(pay_mollie_set_amount(arena, root, "amount", checkout->currency,
                                  checkout->amount_minor));
    PAY_TRY(pay_json_set_string(root, "description",
                                checkout->merchant_reference));
    PAY_TRY(mollie_body_urls(arena, checkout, root));

    if (checkout->capture_later) {
        PAY_TRY(pay_json_set_string(root, "captureMode", PAY_STR("manual")));
    }

    json = pay_json_object_new();
    PAY_TRY(pay_json_set(root, "metadata", json));
    PAY_TRY(pay_json_set_string(json, "reference",
                                checkout->merchant_reference));
    PAY_TRY(pay_json_set_string(json, "nonce", checkout->nonce));

    json = pay_json_array_new();
    PAY_TRY(pay_json_set(root, "lines", json));

    for (i = 0; i < checkout->line_count; i++) {
        PAY_TRY(mollie_body_line(arena, checkout, &checkout->lines[i], json));
    }

    return PAY_OK;
}


/* cancelUrl leads to the same page as redirectUrl, with a mark that nothing
 * depends on: the state is asked for, never read from the query. */
static pay_status_t
mollie_body_urls(pay_arena_t *arena, const pay_psp_checkout_t *checkout,
    pay_json_t *root)
{
    pay_str_t  cancel;

    PAY_TRY(pay_format(arena, &cancel, PAY_PSP_URL_MAX + 16, "%.*s%s",
                       pay_fmt(checkout->return_url),
                       pay_psp_cancelled_query(checkout->return_url)));
    PAY_TRY(pay_json_set_string(root, "redirectUrl", checkout->return_url));
    PAY_TRY(pay_json_set_string(root, "cancelUrl", cancel));

    return checkout->webhook_url.len
           ? pay_json_set_string(root, "webhookUrl", checkout->webhook_url)
           : PAY_OK;
}


/* Unit price and total are equal because each order is one piece. */
static pay_status_t
mollie_body_line(pay_arena_t *arena, const pay_psp_checkout_t *checkout,
    const pay_psp_line_t *line, pay_json_t *lines)
{
    pay_json_t  *json;

    json = pay_json_object_new();
    PAY_TRY(pay_json_append(lines, json));
    PAY_TRY(pay_json_set_string(json, "description",
                                pay_psp_line_name(line)));
    PAY_TRY(pay_json_set_integer(json, "quantity", 1));
    PAY_TRY(pay_mollie_set_amount(arena, json, "unitPrice", checkout->currency,
                                  line->amount_minor));

    return pay_mollie_set_amount(arena, json, "totalAmount", checkout->currency,
                                 line->amount_minor);
}


/* A payment of the order as an answer or a list has it; *result is left as it
 * is when it has no page.  A captureMode that is not "manual" where we asked
 * for it would take the money at once, so it is a mismatch. */
static pay_status_t
mollie_registered(pay_arena_t *arena, const pay_psp_checkout_t *checkout,
    const pay_json_t *root, pay_psp_registered_t *result)
{
    pay_str_t       token, url;
    pay_status_t    status;
    pay_psp_echo_t  echo;

    PAY_TRY(pay_mollie_echo_amount(arena, root, checkout->currency,
                                   checkout->amount_minor, &echo));

    if (echo == PAY_PSP_ECHO_RIGHT) {
        echo = pay_psp_echo_needed(pay_json_get(root, "metadata"),
                                   "reference", checkout->merchant_reference);
    }

    if (echo == PAY_PSP_ECHO_RIGHT && checkout->capture_later
        && pay_json_get(root, "captureMode") != NULL)
    {
        echo = pay_psp_echo_needed(root, "captureMode", PAY_STR("manual"));
    }

    if (!pay_psp_believed(echo, &result->code)) {
        return PAY_OK;
    }

    status = pay_psp_token_get(arena, root, "id", &token);
    if (status != PAY_OK) {
        return (status == PAY_NOT_FOUND) ? PAY_OK : status;
    }

    if (pay_json_string(pay_json_path(root, "_links", "checkout", "href",
                                      NULL), &url) != PAY_OK
        || !pay_psp_url_is_plain(url))
    {
        return PAY_OK;
    }

    PAY_TRY(pay_dup(arena, url, &result->hosted_url));

    result->outcome = PAY_PSP_DONE;
    result->token = token;
    result->code = PAY_STR("");

    return PAY_OK;
}


/* `find_from` is the id of the payment that the page begins with, as Mollie's
 * own link had it. */
static pay_status_t
mollie_find_request(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_checkout_t *checkout, pay_http_request_t *request)
{
    pay_buf_t           query;
    pay_str_t           text;
    pay_http_request_t  made;

    if (!pay_psp_find_sane(checkout)) {
        return PAY_BUG;
    }

    pay_buf_init(&query, arena, PAY_PSP_URL_MAX);
    pay_buf_text(&query, "?limit=" MOLLIE_PAGE);

    if (checkout->find_from.len != 0) {
        pay_buf_text(&query, "&from=");
        pay_buf_percent(&query, checkout->find_from);
    }

    PAY_TRY(pay_buf_done(&query, &text));
    PAY_TRY(pay_psp_request_init(arena, account, "GET", PAY_MOLLIE_PAYMENTS,
                                 text, &made));
    pay_psp_accept(&made, PAY_MOLLIE_TYPE);

    *request = made;

    return PAY_OK;
}


/* The next position is read first: a page that ends without a link or a null
 * proves nothing, found or not. */
static pay_status_t
mollie_look(pay_arena_t *arena, const pay_psp_checkout_t *checkout,
    const pay_json_t *root, pay_psp_registered_t *result)
{
    int                found, back;
    pay_str_t          from;
    const pay_json_t  *payments;

    payments = pay_json_path(root, "_embedded", "payments", NULL);

    PAY_TRY(mollie_next(arena, root, &from));
    PAY_TRY(pay_psp_find_in(arena, checkout, payments, mollie_found, result,
                            &found));

    if (found) {
        return PAY_OK;
    }

    PAY_TRY(mollie_reaches_back(arena, checkout, payments, &back));

    return pay_psp_find_none(checkout, back ? PAY_STR("") : from, result);
}


/* Reference and nonce must both be ours, so that nothing in the metadata of
 * another system passes for them. */
static pay_status_t
mollie_found(pay_arena_t *arena, const pay_psp_checkout_t *checkout,
    const pay_json_t *entry, int *ours, pay_psp_registered_t *result)
{
    const pay_json_t  *metadata = pay_json_get(entry, "metadata");

    if (pay_psp_echo_needed(metadata, "reference", checkout->merchant_reference)
        != PAY_PSP_ECHO_RIGHT
        || pay_psp_echo_needed(metadata, "nonce", checkout->nonce)
           != PAY_PSP_ECHO_RIGHT)
    {
        return PAY_OK;
    }

    *ours = 1;

    return mollie_registered(arena, checkout, entry, result);
}


/* The last one is the oldest.  Times of one form and zone compare as text;
 * another form proves nothing.  Mollie has no filter by time, so the search
 * ends with the first page whose oldest payment is older than the checkout can
 * be. */
static pay_status_t
mollie_reaches_back(pay_arena_t *arena, const pay_psp_checkout_t *checkout,
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
                            pay_psp_find_since(checkout,
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

    static const unsigned char  form[] = "dddd-dd-ddTdd:dd:dd";

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


/* The position of the next page, from a link's query; empty when "next" is
 * null.  PAY_INVALID when it is neither. */
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


/* The member `from` of a query; 1 when it is there and a payment's id.  Only
 * the id is taken from the link, never its host or path: the call goes to
 * base_url in any case. */
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
