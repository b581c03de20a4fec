/*
 * The body of POST /v1/payments: whatever is accepted adds up, names ids of
 * our alphabet, holds no card number, can be written for PostgreSQL, read
 * back as a checkout, shown to the storefront and registered at a PSP or
 * refused by it; and nothing inside comes out.
 */

#include "fuzz.h"

#include "pay_id.h"
#include "pay_pan.h"
#include "pay_payment.h"
#include "pay_psp.h"


#define UUID    "0199c0de-0000-7000-8000-000000000001"
#define HANDLE  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA1"
#define EXPIRES  INT64_C(1795240200)
#define SLUGS   "|invalid-json|duplicate-member|content-too-large|"           \
                "validation-error|amount-invalid|currency-unsupported|"       \
                "card-data-not-accepted|"


static void
check_refusal(const pay_err_t *err)
{
    fuzz_refused(err);
    FUZZ_CHECK(strstr(SLUGS, err->slug) != NULL);
    FUZZ_CHECK(err->pointer[0] == '\0' || err->pointer[0] == '/');
}


static void
check_document(pay_str_t text)
{
    pay_json_t  *json;

    FUZZ_CHECK(text.len <= 4096);
    FUZZ_CHECK(!pay_pan_found(text));

    /* a string alone is no document for pay_json_parse() */
    if (text.len != 0 && text.data[0] != '"') {
        FUZZ_CHECK(pay_json_parse(text, NULL, &json, NULL) == PAY_OK);
        FUZZ_CHECK(pay_json_type(json) == PAY_JSON_OBJECT);
        pay_json_free(json);
    }
}


static void
check_request(pay_payment_request_t *request)
{
    int64_t            sum = 0;
    unsigned           i, j;
    const pay_order_t *order;

    FUZZ_CHECK(request->order_count >= 1
               && request->order_count <= PAY_ORDERS_MAX);
    FUZZ_CHECK(request->currency != NULL);
    FUZZ_CHECK(pay_id_is_valid(request->checkout_id));
    FUZZ_CHECK(request->psp.len == 0 || pay_id_is_valid(request->psp));
    FUZZ_CHECK(request->expires_in_s >= PAY_EXPIRES_MIN_S
               && request->expires_in_s <= PAY_EXPIRES_MAX_S);
    FUZZ_CHECK(!pay_pan_found(request->return_url));

    for (i = 0; i < request->order_count; i++) {
        order = &request->orders[i];
        FUZZ_CHECK(order->amount_minor > 0);
        FUZZ_CHECK(order->seller.len >= 1
                   && order->seller.len <= PAY_SELLER_MAX);
        FUZZ_CHECK(order->id.len == 0 || pay_id_is_valid(order->id));
        FUZZ_CHECK(order->credit != request->currency);

        for (j = 0; j < i; j++) {
            FUZZ_CHECK(order->id.len == 0
                       || !pay_str_eq(order->id, request->orders[j].id));
        }

        sum += order->amount_minor;
    }

    FUZZ_CHECK(sum == request->total_minor && sum <= PAY_AMOUNT_MAX_MINOR);
    check_document(request->buyer_info);
    check_document(request->metadata);
    check_document(request->card_info);
}


/* What SQL would store, as the row that it would give back. */
static void
decode(pay_arena_t *arena, const pay_payment_request_t *request,
    pay_checkout_t *checkout)
{
    unsigned             i;
    pay_line_row_t       lines[PAY_ORDERS_MAX];
    pay_checkout_row_t   row = {
        .merchant_id = PAY_STR("acme"),
        .checkout_id = request->checkout_id,
        .checkout_uuid = PAY_STR(UUID),
        .psp = PAY_STR("generic"),
        .nonce = PAY_STR("CANARY:nonce"),
        .handle = PAY_STR(HANDLE),
        .token = PAY_STR("CANARY:token"),
        .hosted_url = PAY_STR("https://hosted.invalid/CANARY"),
        .return_url = PAY_STR("https://shop.invalid/CANARY"),
        .base_url = PAY_STR("https://pay.example.com"),
        .currency = pay_str_of(request->currency->code),
        .total_minor = request->total_minor,
        .expires_s = EXPIRES,
        .registration_state = PAY_STR("REGISTERED"),
        .version = 1,
        .capture = PAY_STR("automatic"),
        .orders = lines,
        .orders_count = request->order_count
    };

    for (i = 0; i < request->order_count; i++) {
        lines[i] = (pay_line_row_t) {
            .place = (int64_t) i + 1,
            .order_id = request->orders[i].id.len != 0
                        ? request->orders[i].id : PAY_STR("o"),
            .seller_account = PAY_STR("s"),
            .order_minor = request->orders[i].amount_minor,
            .order_status = PAY_STR("EXECUTING")
        };
    }

    FUZZ_CHECK(pay_checkout_decode(arena, &row, checkout) == PAY_OK);
    FUZZ_CHECK(checkout->order_count == request->order_count);
}


static int
holds(pay_str_t text, const char *word)
{
    size_t  i, len = strlen(word);

    for (i = 0; i + len <= text.len; i++) {
        if (memcmp(text.data + i, word, len) == 0) {
            return 1;
        }
    }

    return 0;
}


/* Rendered amounts read back as the same number of minor units. */
static void
check_shown(pay_arena_t *arena, const pay_checkout_t *checkout)
{
    int64_t            minor;
    unsigned           i;
    pay_str_t          text, amount;
    pay_json_t        *json;
    const pay_json_t  *order;

    FUZZ_CHECK(pay_checkout_render(arena, checkout, &text) == PAY_OK);
    FUZZ_CHECK(!holds(text, "CANARY:") && !holds(text, "/CANARY"));
    FUZZ_CHECK(pay_json_parse(text, NULL, &json, NULL) == PAY_OK);

    for (i = 0; i < checkout->order_count; i++) {
        order = pay_json_at(pay_json_get(json, "payment_orders"), i);
        FUZZ_CHECK(pay_json_string(pay_json_get(order, "amount"), &amount)
                   == PAY_OK);
        FUZZ_CHECK(pay_amount_parse(amount, checkout->currency, &minor, NULL)
                   == PAY_OK);
        FUZZ_CHECK(minor == checkout->orders[i].amount_minor);
        FUZZ_CHECK(pay_order_render(arena, checkout, checkout->orders[i].id,
                                    &text) == PAY_OK);
    }

    pay_json_free(json);
}


static void
check_registered(pay_arena_t *arena, const pay_checkout_t *checkout)
{
    unsigned            i;
    pay_err_t           err = { .slug = NULL };
    pay_status_t        status;
    pay_psp_checkout_t  order;
    pay_http_request_t  request;
    const pay_psp_adapter_t *const  *psp;
    const pay_psp_account_t          account = {
        .base_url = pay_string("https://psp.example"),
        .api_key = pay_string("CANARY:key"),
        .account = pay_string("account")
    };

    memset(&order, 0, sizeof(order));
    order.nonce = checkout->orders[0].id;
    order.merchant_reference = checkout->checkout_uuid;
    order.currency = checkout->currency;
    order.amount_minor = checkout->total_minor;
    order.expires_s = checkout->expires_s;
    order.return_url = PAY_STR("https://pay.example.com/return/" HANDLE);
    order.line_count = checkout->order_count;

    for (i = 0; i < checkout->order_count; i++) {
        order.lines[i].payment_order_id = checkout->orders[i].id;
        order.lines[i].name = checkout->orders[i].id;
        order.lines[i].amount_minor = checkout->orders[i].amount_minor;
    }

    for (psp = pay_psp_table(); *psp != NULL; psp++) {
        if ((*psp)->register_request == NULL) {
            continue;
        }

        order.capture_later = ((*psp)->traits & PAY_PSP_AUTHORIZES) != 0;
        status = (*psp)->register_request(arena, &account, &order, &request,
                                          &err);

        if (status == PAY_INVALID) {
            check_refusal(&err);
            continue;
        }

        FUZZ_CHECK(status == PAY_OK);
        FUZZ_CHECK(request.body.len != 0);
        FUZZ_CHECK(!holds(request.body, "CANARY:key"));
    }
}


static void
fill_ids(pay_arena_t *arena, pay_payment_request_t *request)
{
    unsigned  i;

    for (i = 0; i < request->order_count; i++) {
        if (request->orders[i].id.len == 0) {
            FUZZ_CHECK(pay_format(arena, &request->orders[i].id, 64,
                                  "made-by-us-%u", i) == PAY_OK);
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pay_err_t              err = { .slug = NULL };
    pay_str_t              body = { size, data };
    pay_heap_t            *heap = pay_heap_create();
    pay_arena_t           *arena;
    pay_status_t           status;
    pay_checkout_t         checkout;
    pay_payment_request_t  request;

    FUZZ_CHECK(heap != NULL);
    arena = pay_heap_arena(heap);

    status = pay_payment_parse(arena, body, &request, &err);

    if (status == PAY_OK) {
        FUZZ_CHECK(!pay_pan_found(body));
        check_request(&request);
        fill_ids(arena, &request);
        decode(arena, &request, &checkout);
        check_shown(arena, &checkout);
        check_registered(arena, &checkout);

    } else {
        FUZZ_CHECK(status == PAY_INVALID);
        check_refusal(&err);
    }

    pay_heap_destroy(heap);

    return 0;
}
