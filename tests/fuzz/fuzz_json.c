/*
 * Untrusted JSON.  What is accepted keeps within the limits and survives
 * being written and read again; the limits come from the first byte.
 */

#include "fuzz.h"

#include "pay_json.h"


#define FUZZ_SIZE  4096


static pay_status_t
visit(pay_str_t name, const pay_json_t *value, void *data)
{
    pay_str_t  text;
    unsigned  *count = data;

    (*count)++;
    FUZZ_CHECK(name.len <= FUZZ_SIZE);

    if (pay_json_string(value, &text) == PAY_OK) {
        FUZZ_CHECK(text.len <= FUZZ_SIZE);
        FUZZ_CHECK(text.len == 0 || memchr(text.data, 0, text.len) == NULL);
    }

    return PAY_OK;
}


static void
read_again(const pay_json_t *json, const pay_json_limits_t *limits)
{
    unsigned     count;
    pay_str_t    first, second;
    pay_heap_t  *heap;
    pay_json_t  *again;

    heap = pay_heap_create();
    FUZZ_CHECK(heap != NULL);
    FUZZ_CHECK(pay_json_write(pay_heap_arena(heap), json, &first) == PAY_OK);

    /* escapes may make it longer, reals may be spelled otherwise */

    FUZZ_CHECK(pay_json_parse(first, limits, &again, NULL) == PAY_OK);
    FUZZ_CHECK(pay_json_type(again) == pay_json_type(json));
    FUZZ_CHECK(pay_json_size(again) == pay_json_size(json));
    FUZZ_CHECK(pay_json_write(pay_heap_arena(heap), again, &second) == PAY_OK);
    FUZZ_CHECK(pay_str_eq(first, second));

    count = 0;
    FUZZ_CHECK(pay_json_each_string(again, visit, &count, NULL)
               == PAY_OK);

    pay_json_free(again);
    pay_heap_destroy(heap);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pay_err_t          err = { .slug = NULL };
    pay_str_t          text;
    pay_json_t        *json;
    pay_status_t       status;
    pay_json_limits_t  limits = { FUZZ_SIZE, 0, 0, 0 };

    if (size == 0) {
        return 0;
    }

    if (data[0] >= '0' && data[0] <= '9') {
        limits.max_depth = 1 + (data[0] - '0') % 4;
        limits.max_width = 1 + (data[0] - '0');
        data++;
        size--;
    }

    text = (pay_str_t) { size, data };
    status = pay_json_parse(text, &limits, &json, &err);

    if (status != PAY_OK) {
        FUZZ_CHECK(status == PAY_INVALID);
        fuzz_refused(&err);
        return 0;
    }

    FUZZ_CHECK(pay_json_size(json)
               <= (limits.max_width ? limits.max_width : PAY_JSON_WIDTH));

    limits.max_size = 8 * FUZZ_SIZE;
    read_again(json, &limits);
    pay_json_free(json);

    return 0;
}
