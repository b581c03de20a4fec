/*
 * What the PSP tests share: one order that the fixtures answer to, fixtures as
 * bytes, and answers made of text.
 */

#ifndef PSP_WORLD_H
#define PSP_WORLD_H

#include "fixture.h"
#include "torture.h"
#include "../answer.h"

#include <stdio.h>
#include <stdlib.h>


#define REFERENCE    "0199c0de-0000-7000-8000-000000000001"
#define NONCE        "order-1"
#define API_KEY      "sk_test_CANARY0123456789"

static const pay_psp_account_t  account = {
    .base_url = pay_string("https://psp.example/base"),
    .api_key = pay_string(API_KEY),
    .account = pay_string("YOUR_ACCOUNT")
};


static inline const pay_psp_adapter_t *
stripe(void)
{
    return pay_psp_find(PAY_STR("stripe"));
}


static inline const pay_psp_adapter_t *
generic(void)
{
    return pay_psp_find(PAY_STR("generic"));
}


/* The registration that the adapter's fixtures are about. */
static inline const char *
token_text(const pay_psp_adapter_t *adapter)
{
    return (adapter == stripe())
           ? "cs_test_a1YS1URlnyQCN5fUUduORoQ7Pw41PJqDWkIVQCpJPqkfIhd6tVY8XB1"
             "OLY"
           : "reg_01JD8Z";
}


static inline pay_str_t
token_of(const pay_psp_adapter_t *adapter)
{
    return pay_str_of(token_text(adapter));
}


static inline const pay_currency_t *
currency_of(const char *code)
{
    const pay_currency_t  *currency;

    cr_assert_eq(pay_currency_find(pay_str_of(code), &currency, NULL), PAY_OK,
                 "%s", code);

    return currency;
}


/* 10.00 and 20.00 USD, as in the fixtures. */
static inline pay_psp_checkout_t
order_make(void)
{
    pay_psp_checkout_t  checkout;

    memset(&checkout, 0, sizeof(checkout));
    checkout.nonce = PAY_STR(NONCE);
    checkout.merchant_reference = PAY_STR(REFERENCE);
    checkout.currency = currency_of("USD");
    checkout.amount_minor = 3000;
    checkout.expires_s = 1795240200;
    checkout.return_url = PAY_STR("https://pay.example.com/return/abc");
    checkout.lines[0].payment_order_id = PAY_STR("order-1");
    checkout.lines[0].name = PAY_STR("T-shirt & \"caf\xc3\xa9\" [x]=1");
    checkout.lines[0].amount_minor = 1000;
    checkout.lines[1].payment_order_id = PAY_STR("order-2");
    checkout.lines[1].name = PAY_STR("");
    checkout.lines[1].amount_minor = 2000;
    checkout.line_count = 2;

    return checkout;
}


/* One line of that amount. */
static inline pay_psp_checkout_t
order_of(const pay_currency_t *currency, int64_t minor)
{
    pay_psp_checkout_t  checkout = order_make();

    checkout.currency = currency;
    checkout.amount_minor = minor;
    checkout.lines[0].amount_minor = minor;
    checkout.line_count = 1;

    return checkout;
}


/* Where `part` begins, or text.len. */
static inline size_t
position(pay_str_t text, const char *part)
{
    size_t  i, len = strlen(part);

    for (i = 0; i + len <= text.len; i++) {
        if (memcmp(text.data + i, part, len) == 0) {
            return i;
        }
    }

    return text.len;
}


static inline int
contains(pay_str_t text, const char *part)
{
    return text.len != 0 && position(text, part) != text.len;
}


/* `text` with the first `from` replaced by `to`. */
static inline pay_str_t
replaced(pay_arena_t *arena, pay_str_t text, const char *from, const char *to)
{
    size_t                before;
    pay_buf_t             buf;
    pay_str_t             out;
    const unsigned char  *found;

    before = position(text, from);
    cr_assert_lt(before, text.len, "no %s", from);
    found = text.data + before;

    pay_buf_init(&buf, arena, 4 * FIXTURE_MAX);
    pay_buf_add(&buf, (pay_str_t) { before, text.data });
    pay_buf_text(&buf, to);
    pay_buf_add(&buf, (pay_str_t) { text.len - before - strlen(from),
                                    found + strlen(from) });
    cr_assert_eq(pay_buf_done(&buf, &out), PAY_OK);

    return out;
}


static inline pay_http_answer_t
answered(unsigned status, pay_str_t body)
{
    pay_http_answer_t  answer = answer_blank(PAY_ANSWERED);

    answer.status = status;
    answer.body = body;
    answer.content_type = PAY_STR("application/json");

    return answer;
}


static inline pay_str_t
field_of(const pay_http_request_t *request, const char *name)
{
    unsigned   found;
    pay_str_t  value = request_field(request, name, &found);

    cr_expect_leq(found, 1, "%s twice", name);

    return value;
}


static inline pay_psp_registered_t
register_judged(pay_arena_t *arena, const pay_psp_adapter_t *adapter,
    const pay_psp_checkout_t *checkout, pay_http_answer_t answer)
{
    pay_psp_registered_t  result;

    memset(&result, 0xa5, sizeof(result));
    cr_assert_eq(adapter->register_answer(arena, checkout, &answer, &result),
                 PAY_OK);

    if (result.outcome != PAY_PSP_DONE) {
        cr_expect_eq(result.token.len, 0);
        cr_expect_eq(result.hosted_url.len, 0);
        cr_expect_gt(result.code.len, 0);
    }

    cr_expect_leq(result.code.len, PAY_PSP_CODE_MAX);

    return result;
}


/* The two whose answers are alike; every one: EACH_ROW of conformance.h. */
static const char *const  psp_alike[] = { "generic", "stripe", NULL };

#define EACH_PSP(adapter, heap, arena)                                        \
    for (const char *const *row_ = psp_alike;                                 \
         *row_ != NULL && ((adapter) = pay_psp_find(pay_str_of(*row_)),       \
                           (heap) = pay_heap_create(),                        \
                           (arena) = pay_heap_arena(heap), 1);                \
         pay_heap_destroy(heap), row_++)


#endif /* PSP_WORLD_H */
