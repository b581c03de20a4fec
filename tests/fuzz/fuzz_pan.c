/*
 * The card data canary and the redaction of log texts: whatever comes in,
 * what goes to a log holds no card number and only plain printable bytes.
 */

#include "fuzz.h"

#include "pay_pan.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t       i;
    pay_str_t    safe, text = { size, data };
    pay_heap_t  *heap;

    heap = pay_heap_create();
    FUZZ_CHECK(heap != NULL);
    FUZZ_CHECK(pay_redact(pay_heap_arena(heap), text, 4 * size, &safe)
               == PAY_OK);

    FUZZ_CHECK(!pay_pan_found(safe));
    FUZZ_CHECK(safe.len >= size && safe.len <= 4 * size);

    for (i = 0; i < safe.len; i++) {
        FUZZ_CHECK(safe.data[i] >= 0x20 && safe.data[i] < 0x7f);
        FUZZ_CHECK(safe.data[i] != '"' && safe.data[i] != '\'');
    }

    /* the digits of an escape may complete a number */
    if (!pay_pan_found(text) && safe.len == size) {
        FUZZ_CHECK(size == 0 || memcmp(safe.data, data, size) == 0);
    }

    FUZZ_CHECK(pay_redact(pay_heap_arena(heap), text, size / 2, &safe)
               == PAY_OK);
    FUZZ_CHECK(safe.len <= size / 2 + 3);

    pay_heap_destroy(heap);

    return 0;
}
