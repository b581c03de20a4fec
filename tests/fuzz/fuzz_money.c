/*
 * Amounts: a currency's code, a newline, the decimal text.  What is accepted
 * is positive, within the limit, and formats to the very bytes it came in.
 */

#include "fuzz.h"

#include "pay_money.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t                minor, sum;
    pay_err_t              err = { .slug = NULL };
    pay_str_t              code, text = { size, data }, back;
    pay_heap_t            *heap;
    const pay_currency_t  *currency;

    code = fuzz_line(&text);

    if (pay_currency_find(code, &currency, &err) != PAY_OK) {
        fuzz_refused(&err);
        return 0;
    }

    FUZZ_CHECK(pay_str_is(code, currency->code));

    if (pay_amount_parse(text, currency, &minor, &err) != PAY_OK) {
        fuzz_refused(&err);
        return 0;
    }

    FUZZ_CHECK(minor > 0 && minor <= PAY_AMOUNT_MAX_MINOR);

    heap = pay_heap_create();
    FUZZ_CHECK(heap != NULL);
    FUZZ_CHECK(pay_amount_format(pay_heap_arena(heap), minor, currency, &back)
               == PAY_OK);
    FUZZ_CHECK(pay_str_eq(back, text));
    pay_heap_destroy(heap);

    FUZZ_CHECK(pay_amount_add(minor, -minor, &sum, &err) == PAY_OK);
    FUZZ_CHECK(sum == 0);
    FUZZ_CHECK(pay_amount_add(INT64_MAX, minor, &sum, &err) == PAY_INVALID);

    return 0;
}
