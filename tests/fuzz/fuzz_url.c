/*
 * Return URLs and hosted URLs.  Whatever is accepted starts with a registered
 * authority, holds only printable bytes, and is accepted as it stands when
 * it comes a second time.
 */

#include "fuzz.h"

#include "pay_url.h"


typedef pay_status_t (*check_pt)(pay_arena_t *arena, pay_str_t text,
    const pay_str_t *hosts, size_t count, pay_str_t *out, pay_err_t *err);


static const pay_str_t  hosts[] = {
    pay_string("shop.example"), pay_string("pay.example:8443"),
    pay_string("127.0.0.1:9000"), pay_string("10.0.0.7")
};

static const char *const  origins[] = {
    "https://shop.example/", "https://pay.example:8443/",
    "https://127.0.0.1:9000/", "http://127.0.0.1:9000/"
};


static int
starts_right(pay_str_t url)
{
    size_t  i, n;

    for (i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
        n = strlen(origins[i]);

        if (url.len >= n && memcmp(url.data, origins[i], n) == 0) {
            return 1;
        }
    }

    return 0;
}


static void
check(check_pt judge, pay_str_t text, int fragment)
{
    size_t        i;
    pay_err_t     err = { .slug = NULL };
    pay_str_t     out, again;
    pay_heap_t   *heap;
    pay_status_t  status;

    heap = pay_heap_create();
    FUZZ_CHECK(heap != NULL);

    status = judge(pay_heap_arena(heap), text, hosts, 4, &out, &err);

    if (status != PAY_OK) {
        FUZZ_CHECK(status == PAY_INVALID);
        fuzz_refused(&err);
        pay_heap_destroy(heap);
        return;
    }

    FUZZ_CHECK(text.len <= PAY_URL_MAX);
    FUZZ_CHECK(starts_right(out));

    for (i = 0; i < out.len; i++) {
        FUZZ_CHECK(out.data[i] > 0x20 && out.data[i] < 0x7f);
        FUZZ_CHECK(out.data[i] != '\\' && out.data[i] != '"');
        FUZZ_CHECK(out.data[i] != '<' && out.data[i] != '>');
        FUZZ_CHECK(fragment || out.data[i] != '#');
    }

    if (out.len <= PAY_URL_MAX) {
        FUZZ_CHECK(judge(pay_heap_arena(heap), out, hosts, 4, &again, NULL)
                   == PAY_OK);
        FUZZ_CHECK(pay_str_eq(out, again));
    }

    pay_heap_destroy(heap);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pay_err_t   err = { .slug = NULL };
    pay_str_t   text = { size, data };
    pay_url_t   url;

    check(pay_return_url_check, text, 0);
    check(pay_hosted_url_check, text, 1);

    if (pay_base_url_check(text, size % 2 == 0, &err) != PAY_OK) {
        fuzz_refused(&err);
    }

    if (pay_host_entry_is_valid(text)) {
        FUZZ_CHECK(memchr(data, '@', size) == NULL);
        FUZZ_CHECK(memchr(data, '/', size) == NULL);
    }

    if (pay_url_parse(text, &url, NULL) == PAY_OK) {
        FUZZ_CHECK(url.host.len > 0);
        FUZZ_CHECK(url.path.len == 0 || url.path.data[0] == '/');
    }

    return 0;
}
