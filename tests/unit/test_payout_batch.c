/*
 * Batches of several items: the body has each of them once, an answer tells the
 * state of each, and an item that is not as it was sent is not believed.
 */

#include "payout_world.h"


#define ITEMS  3

static const char *const  keys[ITEMS] = {
    "0123456789abcdef0123456789abcdef-1", "1123456789abcdef0123456789abcdef-1",
    "2123456789abcdef0123456789abcdef-12"
};


static pay_payout_parcel_t
batch(const payout_table_t *table, pay_payout_item_t *items)
{
    unsigned             i;
    pay_payout_parcel_t  parcel = payout_parcel(table);

    for (i = 0; i < ITEMS; i++) {
        items[i] = table->item;
        items[i].key = str(keys[i]);
        items[i].amount_minor = 1000 * (i + 1);
    }

    parcel.key = PAY_STR("batch-7");
    parcel.items = items;
    parcel.count = ITEMS;

    return parcel;
}


static const char *
sent_body(const char *name, const char *currency)
{
    unsigned              i;
    pay_err_t             err;
    pay_heap_t           *heap = pay_heap_create();
    pay_payout_item_t     items[ITEMS];
    pay_http_request_t    request;
    pay_payout_parcel_t   parcel;
    pay_payout_account_t  account;
    const payout_table_t *table = payout_table(pay_payout_find(str(name)));

    static char  kept[8192];

    parcel = batch(table, items);
    account = payout_account(table);

    for (i = 0; i < ITEMS; i++) {
        items[i].currency = currency_of(currency);
        items[i].text = PAY_STR("");
    }

    cr_assert_eq(pay_payout_request(pay_heap_arena(heap),
                                    pay_payout_find(str(name)),
                                    PAY_PAYOUT_SEND, &account, &parcel,
                                    &request, &err), PAY_OK);
    snprintf(kept, sizeof(kept), "%.*s", pay_fmt(request.body));
    pay_heap_destroy(heap);

    return kept;
}


Test(pay_payout_batch, paypal_gets_each_item_once_under_the_batchs_key)
{
    cr_expect_str_eq(sent_body("paypal", "EUR"),
        "{\"sender_batch_header\":{\"sender_batch_id\":\"batch-7\"},\"items\":["
        "{\"recipient_type\":\"EMAIL\",\"receiver\":\"seller@example.com\","
        "\"amount\":{\"currency\":\"EUR\",\"value\":\"10.00\"},"
        "\"sender_item_id\":\"0123456789abcdef0123456789abcdef-1\"},"
        "{\"recipient_type\":\"EMAIL\",\"receiver\":\"seller@example.com\","
        "\"amount\":{\"currency\":\"EUR\",\"value\":\"20.00\"},"
        "\"sender_item_id\":\"1123456789abcdef0123456789abcdef-1\"},"
        "{\"recipient_type\":\"EMAIL\",\"receiver\":\"seller@example.com\","
        "\"amount\":{\"currency\":\"EUR\",\"value\":\"30.00\"},"
        "\"sender_item_id\":\"2123456789abcdef0123456789abcdef-12\"}]}");
    cr_expect(strstr(sent_body("paypal", "HUF"), "\"value\":\"10\"") != NULL);
    cr_expect(strstr(sent_body("paypal", "JPY"), "\"value\":\"1000\"")
              != NULL);
}


static pay_payout_result_t
asked(pay_heap_t *heap, const char *name, const char *body)
{
    pay_payout_item_t     items[ITEMS];
    pay_http_answer_t     answer = answered(200, str(body));
    pay_payout_parcel_t   parcel;
    pay_payout_result_t   result;

    parcel = batch(payout_table(pay_payout_find(str(name))), items);
    cr_assert_eq(pay_payout_answer(pay_heap_arena(heap),
                                   pay_payout_find(str(name)),
                                   PAY_PAYOUT_ASK, &parcel, &answer, &result),
                 PAY_OK);

    return result;
}


/* The batch is SUCCESS, one item failed, one has another amount, one is another
 * system's; a second page follows. */
Test(pay_payout_batch, paypal_tells_each_item_for_itself)
{
    pay_heap_t           *heap = pay_heap_create();
    pay_payout_result_t   result;

    result = asked(heap, "paypal",
        "{\"batch_header\":{\"payout_batch_id\":\"5UXD2E8A7EBQJ\","
        "\"batch_status\":\"SUCCESS\"},\"items\":["
        "{\"payout_item_id\":\"I1\",\"transaction_status\":\"FAILED\","
        "\"payout_item\":{\"amount\":{\"currency\":\"EUR\",\"value\":\"10\"},"
        "\"sender_item_id\":\"0123456789abcdef0123456789abcdef-1\"}},"
        "{\"payout_item_id\":\"I2\",\"transaction_status\":\"SUCCESS\","
        "\"payout_item\":{\"amount\":{\"currency\":\"EUR\",\"value\":\"2.00\"}"
        ",\"sender_item_id\":\"1123456789abcdef0123456789abcdef-1\"}},"
        "{\"payout_item_id\":\"I9\",\"transaction_status\":\"SUCCESS\","
        "\"payout_item\":{\"amount\":{\"currency\":\"EUR\",\"value\":\"2.00\"}"
        ",\"sender_item_id\":\"invoice-9\"}}],"
        "\"links\":[{\"rel\":\"next\",\"href\":\"https://x/?page=9\"}]}");

    cr_assert_eq(result.outcome, PAY_PSP_DONE);
    cr_assert_eq(result.count, 2);
    cr_expect_eq(result.events[0].state, PAY_PAYOUT_FAILED);
    cr_expect(pay_str_is(result.events[0].reference, "I1"));
    cr_expect_eq(result.events[1].state, PAY_PAYOUT_UNKNOWN);
    cr_expect(pay_str_is(result.events[1].code, "answer_mismatch"));
    cr_expect(pay_str_is(result.next, "2"));
    pay_heap_destroy(heap);
}


Test(pay_payout_batch, items_of_two_currencies_are_no_batch)
{
    pay_err_t             err;
    pay_heap_t           *heap = pay_heap_create();
    pay_payout_item_t     items[ITEMS];
    pay_http_request_t    request;
    pay_payout_parcel_t   parcel;
    pay_payout_account_t  account;
    const payout_table_t *table = payout_table(pay_payout_find(str("paypal")));

    parcel = batch(table, items);
    account = payout_account(table);
    items[1].currency = currency_of("USD");
    cr_expect_eq(pay_payout_request(pay_heap_arena(heap),
                                    pay_payout_find(str("paypal")),
                                    PAY_PAYOUT_SEND, &account, &parcel,
                                    &request, &err), PAY_BUG);
    pay_heap_destroy(heap);
}
