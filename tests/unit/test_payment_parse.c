/*
 * The body of POST /v1/payments: what a storefront may say, and the long list
 * of what it may not (docs/security.md#hostile-requests).
 */

#include "torture.h"

#include "pay_payment.h"

#include <stdio.h>


#define URL     "\"return_url\":\"https://shop.example.com/r\""
#define BUYER   "\"buyer_info\":{}"
#define ID      "\"checkout_id\":\"c-1\""
#define SELLER  "\"seller_account\":\"s\""
#define MONEY   "\"amount\":\"12.34\",\"currency\":\"USD\""
#define ORDER   "{" SELLER "," MONEY "}"
#define ORDERS  "\"payment_orders\":[" ORDER "]"
#define WITH(x)        "{" ID "," BUYER "," URL "," ORDERS "," x "}"
#define WITH_ORDERS(x) "{" ID "," BUYER "," URL ",\"payment_orders\":" x "}"
#define WITH_AMOUNT(a, c)                                                     \
    WITH_ORDERS("[{" SELLER ",\"amount\":" a ",\"currency\":" c "}]")

#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))

typedef struct {
    const char  *body;
    const char  *slug;
    const char  *pointer;
} refusal_t;


static pay_status_t
parse(pay_arena_t *arena, const char *body, pay_payment_request_t *request,
    pay_err_t *err)
{
    memset(err, 0, sizeof(*err));

    return pay_payment_parse(arena, pay_str_of(body), request, err);
}


static void
expect_refused(const refusal_t *rows, size_t count)
{
    size_t                  i;
    pay_err_t               err;
    pay_heap_t             *heap;
    pay_payment_request_t   request;

    for (i = 0; i < count; i++) {
        heap = pay_heap_create();
        cr_expect_eq(parse(pay_heap_arena(heap), rows[i].body, &request,
                           &err), PAY_INVALID, "%s", rows[i].body);
        cr_assert_not_null(err.slug, "%s", rows[i].body);
        cr_expect_str_eq(err.slug, rows[i].slug, "%s: %s", rows[i].body,
                         err.slug);
        cr_expect_str_eq(err.pointer, rows[i].pointer, "%s: %s",
                         rows[i].body, err.pointer);
        cr_expect_not_null(err.detail);
        pay_heap_destroy(heap);
    }
}


static void
expect_taken(const char *body, pay_heap_t *heap,
    pay_payment_request_t *request)
{
    pay_err_t  err;

    cr_assert_eq(parse(pay_heap_arena(heap), body, request, &err), PAY_OK,
                 "%s: %s", body, err.detail ? err.detail : "?");
}


Test(pay_payment_parse, smallest_body_has_defaults)
{
    pay_heap_t             *heap = pay_heap_create();
    pay_payment_request_t   r;

    expect_taken("{" ID "," BUYER "," URL "," ORDERS "}", heap, &r);
    cr_expect(pay_str_is(r.checkout_id, "c-1"));
    cr_expect(pay_str_is(r.return_url, "https://shop.example.com/r"));
    cr_expect(pay_str_is(r.buyer_info, "{}"));
    cr_expect(r.psp.len == 0 && r.metadata.len == 0 && r.card_info.len == 0);
    cr_expect_eq(r.expires_in_s, PAY_EXPIRES_S);
    cr_expect_eq(r.has_expires_in, 0);
    cr_expect_eq(r.order_count, 1);
    cr_expect_eq(r.orders[0].id.len, 0);
    cr_expect_eq(r.total_minor, 1234);
    cr_expect_str_eq(r.currency->code, "USD");
    pay_heap_destroy(heap);
}


Test(pay_payment_parse, every_member_arrives)
{
    pay_heap_t             *heap = pay_heap_create();
    pay_payment_request_t   r;

    expect_taken(WITH("\"psp\":\"stripe\",\"expires_in\":1800,"
        "\"credit_card_info\":\"tok_1\",\"metadata\":{\"a\":1,\"b\":null}"),
        heap, &r);
    cr_expect(pay_str_is(r.psp, "stripe"));
    cr_expect_eq(r.expires_in_s, 1800);
    cr_expect_eq(r.has_expires_in, 1);
    cr_expect(pay_str_is(r.card_info, "\"tok_1\""), "%.*s",
              pay_fmt(r.card_info));
    cr_expect(pay_str_is(r.metadata, "{\"a\":1,\"b\":null}"));
    expect_taken(WITH("\"credit_card_info\":{\"token\":\"t\"}"), heap, &r);
    cr_expect(pay_str_is(r.card_info, "{\"token\":\"t\"}"));
    pay_heap_destroy(heap);
}


Test(pay_payment_parse, orders_add_up_in_minor_units)
{
    pay_heap_t             *heap = pay_heap_create();
    pay_payment_request_t   r;

    expect_taken(WITH_ORDERS("[{\"payment_order_id\":\"o-1\"," SELLER
        ",\"amount\":\"1.234\",\"currency\":\"KWD\"},{" SELLER
        ",\"amount\":\"0.001\",\"currency\":\"KWD\"}]"), heap, &r);
    cr_expect_eq(r.total_minor, 1235);
    cr_expect(pay_str_is(r.orders[0].id, "o-1"));
    cr_expect(pay_str_is(r.orders[0].seller, "s"));
    cr_expect_eq(r.orders[0].amount_minor, 1234);
    cr_expect_eq(r.orders[1].amount_minor, 1);
    pay_heap_destroy(heap);
}


Test(pay_payment_parse, a_body_that_is_no_object_is_refused)
{
    static const refusal_t  rows[] = {
        { "", "invalid-json", "" }, { "null", "invalid-json", "" },
        { "1", "invalid-json", "" }, { "\"x\"", "invalid-json", "" },
        { "{", "invalid-json", "" }, { "{}x", "invalid-json", "" },
        { "\xef\xbb\xbf{}", "invalid-json", "" },
        { "[]", "validation-error", "" }, { "[{}]", "validation-error", "" },
        { "{}", "validation-error", "/checkout_id" },
        { "{\"a\":1,\"a\":1}", "duplicate-member", "" },
        { "{\"amount\":\"1\",\"\\u0061mount\":\"9\"}", "duplicate-member", "" },
        { WITH("\"metadata\":{\"a\":\"\\u0000\"}"), "invalid-json", "" },
        { WITH("\"metadata\":{\"a\":\"\xff\"}"), "invalid-json", "" }
    };

    expect_refused(rows, COUNT(rows));
}


Test(pay_payment_parse, members_that_are_not_known_are_refused)
{
    static const refusal_t  rows[] = {
        { WITH("\"status\":\"SUCCESS\""), "validation-error", "/status" },
        { WITH("\"merchant_id\":\"other\""), "validation-error",
          "/merchant_id" },
        { WITH("\"is_payment_done\":true"), "validation-error",
          "/is_payment_done" },
        { WITH("\"Psp\":\"stripe\""), "validation-error", "/Psp" },
        { WITH("\"\":1"), "validation-error", "/" },
        { WITH("\"a/b~c\":1"), "validation-error", "/a~1b~0c" },
        { WITH("\"nonce\":\"n\""), "validation-error", "/nonce" },
        { WITH_ORDERS("[{" SELLER "," MONEY ",\"status\":\"SUCCESS\"}]"),
          "validation-error", "/payment_orders/0/status" },
        { WITH_ORDERS("[" ORDER ",{" SELLER "," MONEY ",\"reason\":1}]"),
          "validation-error", "/payment_orders/1/reason" }
    };

    expect_refused(rows, COUNT(rows));
}


/* Half a pointer would name another member. */
Test(pay_payment_parse, a_long_name_that_is_not_known_is_not_repeated)
{
    char                    body[512];
    char                    name[PAY_POINTER_MAX + 1];
    pay_err_t               err;
    pay_payment_request_t   request;

    memset(name, 'n', sizeof(name));
    name[PAY_POINTER_MAX] = '\0';
    snprintf(body, sizeof(body), WITH("\"%s\":1"), name);
    cr_assert_eq(parse(test_arena(), body, &request, &err),
                 PAY_INVALID);
    cr_expect_str_eq(err.pointer, "");
    cr_expect_not_null(strstr(err.detail, "too long"));
}


Test(pay_payment_parse, all_that_is_wrong_is_said_at_once)
{
    unsigned                i;
    pay_err_t               err;
    pay_payment_request_t   request;

    static const struct {
        const char  *slug, *pointer, *detail;
    } rows[] = {
        { "validation-error", "/ammount", "there is no such member here" },
        { "validation-error", "/checkout_id", "checkout_id is missing" },
        { "validation-error", "/expires_in", "expires_in must be a whole "
          "number of seconds from 60 to 86400" },
        { "validation-error", "/buyer_info", "buyer_info is missing" },
        { "validation-error", "/payment_orders/0/seller_account",
          "seller_account is missing" },
        { "amount-invalid", "/payment_orders/0/amount",
          "amount must be above zero with exactly 2 decimals, as many as USD "
          "has: for example \"12.30\"" },
        { "amount-invalid", "/payment_orders/1/amount",
          "amount must be a string, as \"12.30\", not a number" },
        { "currency-unsupported", "/payment_orders/2/currency",
          "currency is missing" }
    };

    cr_assert_eq(parse(test_arena(), "{" URL ",\"ammount\":1,"
        "\"expires_in\":5,\"payment_orders\":[{\"amount\":\"12.3\","
        "\"currency\":\"USD\"},{" SELLER ",\"amount\":12.34,"
        "\"currency\":\"USD\"},{" SELLER "},{},{},{}]}", &request, &err),
        PAY_INVALID);
    cr_assert_eq(request.errors.count, PAY_ERRORS_MAX);
    cr_assert_eq(COUNT(rows), PAY_ERRORS_MAX);

    for (i = 0; i < COUNT(rows); i++) {
        cr_expect_str_eq(request.errors.list[i].slug, rows[i].slug);
        cr_expect_str_eq(request.errors.list[i].pointer, rows[i].pointer);
        cr_expect_str_eq(request.errors.list[i].detail, rows[i].detail);
    }

    cr_expect_str_eq(err.slug, rows[0].slug);
    cr_expect_str_eq(err.pointer, rows[0].pointer);
}


/* Nothing else of such a body is looked at, or answered. */
Test(pay_payment_parse, card_data_is_refused_alone)
{
    pay_err_t               err;
    pay_payment_request_t   request;

    cr_assert_eq(parse(test_arena(), "{\"a\":1,\"checkout_id\":1,"
                       "\"psp\":\"4111111111111111\"}", &request, &err),
                 PAY_INVALID);
    cr_expect_str_eq(err.slug, "card-data-not-accepted");
    cr_expect_eq(request.errors.count, 0);
}


Test(pay_payment_parse, an_amount_says_how_many_decimals_its_currency_has)
{
    size_t                  i;
    char                    body[512];
    pay_err_t               err;
    pay_payment_request_t   request;

    static const char *const  rows[][2] = {
        { "JPY", "since JPY has none: for example \"1200\"" },
        { "EUR", "exactly 2 decimals, as many as EUR has" },
        { "KWD", "exactly 3 decimals, as many as KWD has: for example "
          "\"1.230\"" },
        { "CLF", "exactly 4 decimals, as many as CLF has" }
    };

    for (i = 0; i < COUNT(rows); i++) {
        snprintf(body, sizeof(body), WITH_AMOUNT("\"1.0\"", "\"%s\""),
                 rows[i][0]);
        cr_assert_eq(parse(test_arena(), body, &request, &err),
                     PAY_INVALID);
        cr_expect_not_null(strstr(err.detail, rows[i][1]), "%s", err.detail);
    }
}


Test(pay_payment_parse, bad_ids_and_texts_are_refused)
{
    static const refusal_t  rows[] = {
        { "{\"checkout_id\":\"\"}", "validation-error", "/checkout_id" },
        { "{\"checkout_id\":7}", "validation-error", "/checkout_id" },
        { "{\"checkout_id\":\"a b\"}", "validation-error", "/checkout_id" },
        { "{\"checkout_id\":\"../x\"}", "validation-error", "/checkout_id" },
        { "{\"checkout_id\":\"a:b\"}", "validation-error", "/checkout_id" },
        { "{\"checkout_id\":\"\xc3\xa9\"}", "validation-error",
          "/checkout_id" },
        { "{\"checkout_id\":\"'; drop table x\"}", "validation-error",
          "/checkout_id" },
        { "{\"checkout_id\":\"01234567890123456789012345678901234567890123456"
          "789012345678901234\"}", "validation-error", "/checkout_id" },
        { "{" ID "}", "validation-error", "/return_url" },
        { "{" ID ",\"return_url\":null}", "validation-error", "/return_url" },
        { "{" ID ",\"return_url\":[]}", "validation-error", "/return_url" },
        { "{" ID "," URL ",\"psp\":\"\"}", "validation-error", "/psp" },
        { "{" ID "," URL ",\"psp\":null}", "validation-error", "/psp" },
        { "{" ID "," URL ",\"psp\":\"a/b\"}", "validation-error", "/psp" },
        { "{" ID "," URL "," ORDERS "}", "validation-error", "/buyer_info" },
        { "{" ID "," URL ",\"buyer_info\":\"x\"}", "validation-error",
          "/buyer_info" },
        { WITH("\"credit_card_info\":1"), "validation-error",
          "/credit_card_info" },
        { WITH("\"credit_card_info\":null"), "validation-error",
          "/credit_card_info" },
        { WITH("\"credit_card_info\":[]"), "validation-error",
          "/credit_card_info" }
    };

    expect_refused(rows, COUNT(rows));
}


Test(pay_payment_parse, expires_in_is_a_whole_number_within_bounds)
{
    static const refusal_t  rows[] = {
        { WITH("\"expires_in\":59"), "validation-error", "/expires_in" },
        { WITH("\"expires_in\":86401"), "validation-error", "/expires_in" },
        { WITH("\"expires_in\":-60"), "validation-error", "/expires_in" },
        { WITH("\"expires_in\":0"), "validation-error", "/expires_in" },
        { WITH("\"expires_in\":60.0"), "validation-error", "/expires_in" },
        { WITH("\"expires_in\":\"60\""), "validation-error", "/expires_in" },
        { WITH("\"expires_in\":null"), "validation-error", "/expires_in" },
        { WITH("\"expires_in\":99999999999999999999"), "invalid-json", "" }
    };

    expect_refused(rows, COUNT(rows));
}


Test(pay_payment_parse, amounts_are_never_guessed)
{
    size_t      i;
    char        body[512];
    refusal_t   row = { body, "amount-invalid",
                        "/payment_orders/0/amount" };

    static const char *const  amounts[] = {
        "\"-1.00\"", "\"0.00\"", "\"0\"", "\"+1.00\"", "\"01.00\"", "\".50\"",
        "\"5.\"", "\"1e3\"", "\"0x10\"", "\" 1.00\"", "\"1.00 \"", "\"1,00\"",
        "\"\xd9\xa1.00\"", "\"\"", "\"1\"", "\"1.0\"", "\"1.000\"", "1.00",
        "100", "null", "true", "[\"1.00\"]", "\"NaN\"", "\"Infinity\"",
        "\"10000000000000.00\"", "\"99999999999999999999.00\""
    };

    for (i = 0; i < COUNT(amounts); i++) {
        snprintf(body, sizeof(body), WITH_AMOUNT("%s", "\"USD\""),
                 amounts[i]);
        expect_refused(&row, 1);
    }
}


Test(pay_payment_parse, currencies_are_iso_codes_and_one_per_checkout)
{
    static const refusal_t  rows[] = {
        { WITH_AMOUNT("\"1.00\"", "\"usd\""), "currency-unsupported",
          "/payment_orders/0/currency" },
        { WITH_AMOUNT("\"1.00\"", "\"USDT\""), "currency-unsupported",
          "/payment_orders/0/currency" },
        { WITH_AMOUNT("\"1.00\"", "\"XXX\""), "currency-unsupported",
          "/payment_orders/0/currency" },
        { WITH_AMOUNT("\"1.00\"", "\"XTS\""), "currency-unsupported",
          "/payment_orders/0/currency" },
        { WITH_AMOUNT("\"1.00\"", "\"\""), "currency-unsupported",
          "/payment_orders/0/currency" },
        { WITH_AMOUNT("\"1.00\"", "840"), "currency-unsupported",
          "/payment_orders/0/currency" },
        { WITH_ORDERS("[{" SELLER ",\"amount\":\"1.00\"}]"),
          "currency-unsupported", "/payment_orders/0/currency" },
        { WITH_ORDERS("[" ORDER ",{" SELLER
          ",\"amount\":\"1.00\",\"currency\":\"EUR\"}]"),
          "currency-unsupported", "/payment_orders/1/currency" }
    };

    expect_refused(rows, COUNT(rows));
}


Test(pay_payment_parse, bad_orders_are_refused_where_they_stand)
{
    static const refusal_t  rows[] = {
        { "{" ID "," BUYER "," URL "}", "validation-error",
          "/payment_orders" },
        { WITH_ORDERS("[]"), "validation-error", "/payment_orders" },
        { WITH_ORDERS("{}"), "validation-error", "/payment_orders" },
        { WITH_ORDERS("null"), "validation-error", "/payment_orders" },
        { WITH_ORDERS("[[]]"), "validation-error", "/payment_orders/0" },
        { WITH_ORDERS("[null]"), "validation-error", "/payment_orders/0" },
        { WITH_ORDERS("[{" MONEY "}]"), "validation-error",
          "/payment_orders/0/seller_account" },
        { WITH_ORDERS("[{\"seller_account\":\"\"," MONEY "}]"),
          "validation-error", "/payment_orders/0/seller_account" },
        { WITH_ORDERS("[{\"seller_account\":\"a b\"," MONEY "}]"),
          "validation-error", "/payment_orders/0/seller_account" },
        { WITH_ORDERS("[{\"seller_account\":\"a\\u007f\"," MONEY "}]"),
          "validation-error", "/payment_orders/0/seller_account" },
        { WITH_ORDERS("[{\"payment_order_id\":\"\"," SELLER "," MONEY "}]"),
          "validation-error", "/payment_orders/0/payment_order_id" },
        { WITH_ORDERS("[{\"payment_order_id\":null," SELLER "," MONEY "}]"),
          "validation-error", "/payment_orders/0/payment_order_id" },
        { WITH_ORDERS("[{\"payment_order_id\":\"o\"," SELLER "," MONEY
          "},{\"payment_order_id\":\"o\"," SELLER "," MONEY "}]"),
          "validation-error", "/payment_orders/1/payment_order_id" },
        { WITH_ORDERS("[{" SELLER ",\"amount\":\"9999999999999.99\","
          "\"currency\":\"USD\"}," ORDER "]"),
          "amount-invalid", "/payment_orders/1/amount" }
    };

    expect_refused(rows, COUNT(rows));
}


static pay_str_t
many_orders(pay_arena_t *arena, unsigned count)
{
    unsigned   i;
    pay_buf_t  buf;
    pay_str_t  body;

    pay_buf_init(&buf, arena, 65536);
    pay_buf_text(&buf, "{" ID "," BUYER "," URL ",\"payment_orders\":[");

    for (i = 0; i < count; i++) {
        pay_buf_text(&buf, i ? "," ORDER : ORDER);
    }

    pay_buf_text(&buf, "]}");
    cr_assert_eq(pay_buf_done(&buf, &body), PAY_OK);

    return body;
}


Test(pay_payment_parse, twenty_orders_pass_and_twenty_one_do_not)
{
    pay_err_t               err;
    pay_arena_t            *arena = test_arena();
    pay_payment_request_t   r;

    cr_assert_eq(pay_payment_parse(arena, many_orders(arena, 20), &r, &err),
                 PAY_OK);
    cr_expect_eq(r.order_count, 20);
    cr_expect_eq(r.total_minor, 20 * 1234);
    cr_assert_eq(pay_payment_parse(arena, many_orders(arena, 21), &r, &err),
                 PAY_INVALID);
    cr_expect_str_eq(err.pointer, "/payment_orders");
}


Test(pay_payment_parse, metadata_is_flat_and_small)
{
    pay_heap_t             *heap = pay_heap_create();
    pay_payment_request_t   r;

    static const refusal_t  rows[] = {
        { WITH("\"metadata\":null"), "validation-error", "/metadata" },
        { WITH("\"metadata\":\"x\""), "validation-error", "/metadata" },
        { WITH("\"metadata\":[]"), "validation-error", "/metadata" },
        { WITH("\"metadata\":{\"\":1}"), "validation-error", "/metadata" },
        { WITH("\"metadata\":{\"a\":{}}"), "validation-error", "/metadata" },
        { WITH("\"metadata\":{\"a\":[]}"), "validation-error", "/metadata" },
        { WITH("\"metadata\":{\"a\":1e19}"), "validation-error", "/metadata" },
        { WITH("\"metadata\":{\"a\":-1e19}"), "validation-error", "/metadata" },
        { WITH("\"metadata\":{\"a\":1e-19}"), "validation-error", "/metadata" },
        { WITH("\"metadata\":{\"a2345678901234567890123456789012345678901\":"
               "1}"), "validation-error", "/metadata" }
    };

    expect_refused(rows, COUNT(rows));
    expect_taken(WITH("\"metadata\":{\"status\":\"x\",\"amount\":1.5}"), heap,
                 &r);
    pay_heap_destroy(heap);
}


static void
expect_size(const char *member, size_t fill, const char *pointer)
{
    char                    text[8192];
    pay_err_t               err;
    pay_buf_t               buf;
    pay_str_t               body;
    pay_status_t            expected = pointer ? PAY_INVALID : PAY_OK;
    pay_payment_request_t   r;

    memset(text, 'x', fill);
    text[fill] = '\0';

    pay_buf_init(&buf, test_arena(), 65536);
    pay_buf_text(&buf, "{" ID "," URL "," ORDERS ",");

    if (strcmp(member, "\"buyer_info\":{\"a\":\"") != 0) {
        pay_buf_text(&buf, BUYER ",");
    }

    pay_buf_text(&buf, member);
    pay_buf_text(&buf, text);
    pay_buf_text(&buf, strchr(member, '{') ? "\"}}" : "\"}");
    cr_assert_eq(pay_buf_done(&buf, &body), PAY_OK);

    cr_expect_eq(pay_payment_parse(test_arena(), body, &r, &err),
                 expected, "%s %zu", member, fill);

    if (pointer != NULL) {
        cr_expect_str_eq(err.pointer, pointer);
    }
}


Test(pay_payment_parse, documents_have_a_largest_size)
{
    expect_size("\"buyer_info\":{\"a\":\"", 2048 - 8, NULL);
    expect_size("\"buyer_info\":{\"a\":\"", 2048 - 7, "/buyer_info");
    expect_size("\"credit_card_info\":\"", 2048 - 2, NULL);
    expect_size("\"credit_card_info\":\"", 2048 - 1, "/credit_card_info");
    expect_size("\"metadata\":{\"a\":\"", 500, NULL);
    expect_size("\"metadata\":{\"a\":\"", 501, "/metadata");
}


/* T5 and X51: wherever it stands and however it is written. */
Test(pay_payment_parse, card_numbers_are_refused_anywhere)
{
    static const refusal_t  rows[] = {
        { WITH("\"credit_card_info\":\"4111111111111111\""),
          "card-data-not-accepted", "" },
        { WITH("\"metadata\":{\"a\":\"4111 1111 1111 1111\"}"),
          "card-data-not-accepted", "" },
        { WITH("\"metadata\":{\"a\":\"x 4111-1111-1111-1111 y\"}"),
          "card-data-not-accepted", "" },
        { WITH("\"metadata\":{\"4111111111111111\":1}"),
          "card-data-not-accepted", "" },
        { WITH("\"metadata\":{\"a\":4111111111111111}"),
          "card-data-not-accepted", "" },
        { WITH("\"metadata\":{\"a\":\"\\u0034111111111111111\"}"),
          "card-data-not-accepted", "" },
        { "{" ID "," URL "," ORDERS
          ",\"buyer_info\":{\"a\":{\"b\":[\"378282246310005\"]}}}",
          "card-data-not-accepted", "" },
        { "{\"checkout_id\":\"4111111111111111\"}",
          "card-data-not-accepted", "" },
        { WITH("\"4111111111111111\":1"), "card-data-not-accepted", "" },
        /* reals were stored as 4111111111111111.0 */
        { WITH("\"metadata\":{\"a\":4.111111111111111e15}"),
          "card-data-not-accepted", "" },
        { WITH("\"metadata\":{\"a\":411111111111111.1e1}"),
          "card-data-not-accepted", "" },
        { WITH("\"metadata\":{\"a\":4111111111111111e0}"),
          "card-data-not-accepted", "" },
        { WITH("\"credit_card_info\":{\"n\":4111111111111111E0}"),
          "card-data-not-accepted", "" },
        { "{" ID "," URL "," ORDERS ",\"buyer_info\":{\"a\":[4.111111111111111"
          "E+15]}}", "card-data-not-accepted", "" },
        { "[\"4111111111111111\"]", "card-data-not-accepted", "" }
    };

    expect_refused(rows, COUNT(rows));
}


/* A verification code of three digits was stored: no scan finds one. */
Test(pay_payment_parse, names_of_card_data_are_refused_where_they_stand)
{
    static const refusal_t  rows[] = {
        { WITH("\"credit_card_info\":{\"token\":\"tok_1\",\"cvc\":\"123\"}"),
          "card-data-not-accepted", "/credit_card_info/cvc" },
        { WITH("\"credit_card_info\":{\"card\":[{\"Card-Number\":null}]}"),
          "card-data-not-accepted", "/credit_card_info/card/0/Card-Number" },
        { WITH("\"metadata\":{\"CVV 2\":\"\"}"), "card-data-not-accepted",
          "/metadata/CVV 2" },
        { "{" ID "," URL "," ORDERS
          ",\"buyer_info\":{\"a\":{\"b\":[1,{\"track.2\":\"x\"}]}}}",
          "card-data-not-accepted", "/buyer_info/a/b/1/track.2" },
        { WITH("\"pan\":\"x\""), "card-data-not-accepted", "/pan" },
        /* a path that spells a number is not repeated */
        { "{" ID "," URL "," ORDERS
          ",\"buyer_info\":{\"4111 1111 1111 1111\":{\"cvc\":1}}}",
          "card-data-not-accepted", "" }
    };

    expect_refused(rows, COUNT(rows));
}


Test(pay_payment_parse, capture_is_automatic_unless_it_is_manual)
{
    size_t                  i;
    pay_err_t               err;
    pay_heap_t             *heap;
    pay_payment_request_t   r;

    static const struct {
        const char  *body;
        int          manual;
    } rows[] = {
        { "{" ID "," BUYER "," URL "," ORDERS "}", 0 },
        { WITH("\"capture\":\"automatic\""), 0 },
        { WITH("\"capture\":\"manual\""), 1 }
    };

    static const refusal_t  bad[] = {
        { WITH("\"capture\":\"Manual\""), "validation-error", "/capture" },
        { WITH("\"capture\":\"\""), "validation-error", "/capture" },
        { WITH("\"capture\":true"), "validation-error", "/capture" },
        { WITH("\"capture\":null"), "validation-error", "/capture" }
    };

    for (i = 0; i < COUNT(rows); i++) {
        heap = pay_heap_create();
        cr_assert_eq(parse(pay_heap_arena(heap), rows[i].body, &r, &err),
                     PAY_OK, "%s", rows[i].body);
        cr_expect_eq(r.manual, rows[i].manual, "%s", rows[i].body);
        pay_heap_destroy(heap);
    }

    expect_refused(bad, COUNT(bad));
}


Test(pay_payment_parse, a_credit_in_another_currency_is_asked_for)
{
    pay_err_t               err;
    pay_payment_request_t   r;

    static const refusal_t  bad[] = {
        { WITH_ORDERS("[" ORDER ",{" SELLER "," MONEY
                      ",\"credit_currency\":\"eur\"}]"),
          "currency-unsupported", "/payment_orders/1/credit_currency" },
        { WITH_ORDERS("[{" SELLER "," MONEY ",\"credit_currency\":null}]"),
          "currency-unsupported", "/payment_orders/0/credit_currency" },
        { WITH_ORDERS("[{" SELLER "," MONEY ",\"credit_currency\":\"XXX\"}]"),
          "currency-unsupported", "/payment_orders/0/credit_currency" }
    };

    cr_assert_eq(parse(test_arena(), WITH_ORDERS(
        "[{\"payment_order_id\":\"a\"," SELLER "," MONEY
        ",\"credit_currency\":\"EUR\"},{\"payment_order_id\":\"b\"," SELLER
        "," MONEY ",\"credit_currency\":\"USD\"}]"), &r, &err), PAY_OK);
    cr_assert_not_null(r.orders[0].credit);
    cr_expect_str_eq(r.orders[0].credit->code, "EUR");
    cr_expect_null(r.orders[1].credit, "its own currency is no conversion");
    expect_refused(bad, COUNT(bad));
}


/* A fee of zero is one, and a fee may be the whole amount. */
Test(pay_payment_parse, a_fee_is_at_most_the_order)
{
    pay_err_t               err;
    pay_payment_request_t   r;

    static const refusal_t  bad[] = {
        { WITH_ORDERS("[{" SELLER "," MONEY ",\"fee\":\"12.35\"}]"),
          "amount-invalid", "/payment_orders/0/fee" },
        { WITH_ORDERS("[{" SELLER "," MONEY ",\"fee\":\"1.234\"}]"),
          "amount-invalid", "/payment_orders/0/fee" },
        { WITH_ORDERS("[" ORDER ",{" SELLER "," MONEY ",\"fee\":\"1\"}]"),
          "amount-invalid", "/payment_orders/1/fee" },
        { WITH_ORDERS("[{" SELLER "," MONEY ",\"fee\":\"-1.00\"}]"),
          "amount-invalid", "/payment_orders/0/fee" },
        { WITH_ORDERS("[{" SELLER "," MONEY ",\"fee\":1}]"),
          "amount-invalid", "/payment_orders/0/fee" },
        { WITH_ORDERS("[{" SELLER "," MONEY ",\"fee\":null}]"),
          "amount-invalid", "/payment_orders/0/fee" }
    };

    cr_assert_eq(parse(test_arena(), WITH_ORDERS(
        "[{\"payment_order_id\":\"a\"," SELLER "," MONEY
        ",\"fee\":\"12.34\"},{\"payment_order_id\":\"b\"," SELLER "," MONEY
        ",\"fee\":\"0.00\"}," ORDER "]"), &r, &err), PAY_OK);
    cr_expect(r.orders[0].has_fee && r.orders[0].fee_minor == 1234);
    cr_expect(r.orders[1].has_fee && r.orders[1].fee_minor == 0);
    cr_expect_not(r.orders[2].has_fee);
    expect_refused(bad, COUNT(bad));
}


Test(pay_payment_parse, a_locale_has_the_form_of_a_tag)
{
    pay_err_t               err;
    pay_payment_request_t   r;

    static const refusal_t  bad[] = {
        { WITH("\"locale\":\"d\""), "validation-error", "/locale" },
        { WITH("\"locale\":\"de_AT\""), "validation-error", "/locale" },
        { WITH("\"locale\":\"de,en\""), "validation-error", "/locale" },
        { WITH("\"locale\":\"\""), "validation-error", "/locale" },
        { WITH("\"locale\":7"), "validation-error", "/locale" },
        { WITH("\"locale\":null"), "validation-error", "/locale" },
        { WITH("\"locale\":\"de-1234567890123456789012345678901234\""),
          "validation-error", "/locale" }
    };

    cr_assert_eq(parse(test_arena(), WITH("\"locale\":\"zh-Hant-TW\""), &r,
                       &err), PAY_OK);
    cr_expect(pay_str_is(r.locale, "zh-Hant-TW"));
    expect_refused(bad, COUNT(bad));
}


#define DESCRIBED(text)                                                       \
    WITH_ORDERS("[{" SELLER "," MONEY ",\"description\":" text "}]")
#define SIXTEEN  "0x23456-89abcdef"
#define SIXTY    SIXTEEN SIXTEEN SIXTEEN SIXTEEN


/* UAX #9: an override would turn the words of our page behind it. */
Test(pay_payment_parse, a_description_is_a_short_text_without_tricks)
{
    pay_err_t               err;
    pay_payment_request_t   r;

    static const refusal_t  bad[] = {
        { DESCRIBED("\"\""), "validation-error",
          "/payment_orders/0/description" },
        { DESCRIBED("1"), "validation-error",
          "/payment_orders/0/description" },
        { DESCRIBED("null"), "validation-error",
          "/payment_orders/0/description" },
        { DESCRIBED("\"a\\nb\""), "validation-error",
          "/payment_orders/0/description" },
        { DESCRIBED("\"a\\u202eb\""), "validation-error",
          "/payment_orders/0/description" },
        { DESCRIBED("\"\\u2067a\""), "validation-error",
          "/payment_orders/0/description" },
        { DESCRIBED("\"" SIXTY SIXTY SIXTY SIXTY "x\""), "validation-error",
          "/payment_orders/0/description" },
        { WITH_ORDERS("[" ORDER ",{" SELLER "," MONEY
                      ",\"description\":\"\"}]"),
          "validation-error", "/payment_orders/1/description" }
    };

    cr_assert_eq(parse(test_arena(), DESCRIBED("\"B\u00fccher <img> \u0643\""),
                       &r, &err), PAY_OK);
    cr_expect(pay_str_is(r.orders[0].description, "B\u00fccher <img> \u0643"));
    cr_assert_eq(parse(test_arena(),
                       DESCRIBED("\"" SIXTY SIXTY SIXTY SIXTY "\""), &r,
                       &err), PAY_OK);
    cr_expect_eq(r.orders[0].description.len, PAY_DESCRIPTION_MAX);
    expect_refused(bad, COUNT(bad));
}


Test(pay_payment_parse, refusals_need_no_err)
{
    pay_payment_request_t   r;

    cr_expect_eq(pay_payment_parse(test_arena(), PAY_STR("{}"), &r,
                                   NULL), PAY_INVALID);
    cr_expect_eq(pay_payment_parse(test_arena(),
                                   PAY_STR("[\"4111111111111111\"]"), &r, NULL),
                 PAY_INVALID);
}


static pay_status_t
torture_parse(pay_arena_t *arena, void *result)
{
    pay_str_t               text;
    pay_status_t            status;
    pay_payment_request_t   r;

    status = pay_payment_parse(arena, PAY_STR(WITH("\"psp\":\"stripe\","
                 "\"credit_card_info\":\"t\",\"metadata\":{\"a\":1}")), &r,
                 NULL);
    if (status == PAY_OK) {
        text = r.orders[0].seller;
        memcpy(result, &text, sizeof(text));
    }

    return status;
}


Test(pay_payment_parse, failing_memory_is_an_ordinary_error)
{
    cr_expect_geq(torture(torture_parse, sizeof(pay_str_t)), 7);
}


/* Routes go by it: a country that is none is one that nobody knows. */
Test(pay_payment_parse, a_country_is_two_capital_letters)
{
    size_t                  i;
    pay_err_t               err;
    pay_str_t               body;
    pay_payment_request_t   request;

    static const char *const  rows[][2] = {
        { "\"DE\"", "DE" }, { "\"AZ\"", "AZ" }, { "\"D\"", "" },
        { "\"DEU\"", "" }, { "\"de\"", "" }, { "\"D1\"", "" },
        { "\"1D\"", "" }, { "\"D[\"", "" }, { "\"@D\"", "" },
        { "\"\"", "" }, { "7", "" }, { "null", "" }
    };

    for (i = 0; i < COUNT(rows); i++) {
        cr_assert_eq(pay_format(test_arena(), &body, 512, "{" ID "," URL ","
                                ORDERS ",\"buyer_info\":{\"country\":%s}}",
                                rows[i][0]), PAY_OK);
        cr_assert_eq(parse(test_arena(), (const char *) body.data, &request,
                           &err), PAY_OK, "%s", rows[i][0]);
        cr_expect(pay_str_is(request.country, rows[i][1]), "%s: %.*s",
                  rows[i][0], pay_fmt(request.country));
    }
}
