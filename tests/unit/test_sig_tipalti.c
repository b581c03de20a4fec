/*
 * Tipalti's webhook scheme: which messages are posted back, and which answers
 * are a verdict.
 */

#include "torture.h"

#include "pay_form.h"
#include "pay_sig.h"


#define FORM  "application/x-www-form-urlencoded"
#define BODY  "key=04041a8f&type=completed&ref_code=a-1&c_date=11%2f24+08%3a00"

static pay_heap_t         *heap;
static pay_header_t        headers[2];
static pay_sig_input_t     input;
static pay_sig_settings_t  settings;


static void
setup(void)
{
    heap = pay_heap_create();
    cr_assert_not_null(heap);

    memset(&settings, 0, sizeof(settings));
    settings.confirm_url = PAY_STR("https://console.example/notif/ipn.aspx");
    memset(&input, 0, sizeof(input));
    headers[0].name = headers[1].name = PAY_STR("content-type");
    headers[0].value = headers[1].value = PAY_STR(FORM);
    input.headers = headers;
    input.header_count = 1;
    input.body = PAY_STR(BODY);
    input.settings = &settings;
}


static void
teardown(void)
{
    pay_heap_destroy(heap);
}


TestSuite(pay_sig_tipalti, .init = setup, .fini = teardown);


static void
expect(pay_sig_verdict_t expected, const char *about)
{
    pay_sig_result_t  result;

    memset(&result, 0xa5, sizeof(result));
    cr_expect_eq(pay_sig_find(PAY_STR("tipalti"))->verify(
                     pay_heap_arena(heap), &input, &result), expected,
                 "%s: %s", about, pay_sig_verdict_name(result.verdict));
    cr_expect_eq(result.event_id.len, 0, "%s", about);
    cr_expect_not(result.is_test, "%s", about);
}


Test(pay_sig_tipalti, only_the_two_words_are_verdicts)
{
    size_t  i;

    static const struct {
        const char         *answer;
        pay_sig_verdict_t   verdict;
    } rows[] = {
        { "", PAY_SIG_NEED_CONFIRM }, { "VERIFIED", PAY_SIG_VALID },
        { "VERIFIED\r\n", PAY_SIG_VALID }, { "INVALID", PAY_SIG_MISMATCH },
        { "INVALID\n", PAY_SIG_MISMATCH },
        { "verified", PAY_SIG_NEED_CONFIRM },
        { " VERIFIED", PAY_SIG_NEED_CONFIRM },
        { "VERIFIEDX", PAY_SIG_NEED_CONFIRM },
        { "NOT VERIFIED", PAY_SIG_NEED_CONFIRM },
        { "<html>VERIFIED</html>", PAY_SIG_NEED_CONFIRM }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        input.confirmed = pay_str_of(rows[i].answer);
        expect(rows[i].verdict, rows[i].answer);
    }
}


/* Nobody is asked about them, and no answer makes them good. */
Test(pay_sig_tipalti, what_is_no_ipn_is_never_posted_back)
{
    size_t          i;
    unsigned char  *huge = malloc(65537);

    const pay_str_t  bodies[] = {
        pay_string(""), pay_string("{\"type\":\"completed\"}"),
        pay_string("key=1&ref_code=2"), pay_string("type=&key=1"),
        pay_string("type=a&type=b"), pay_string("type&key=1"),
        pay_string("type=a&key=1\n"), pay_string("type=a&key=\xc3\xa4"),
        pay_string("type=a&key=\0" "b"), { 65537, huge }
    };
    static const char *const  types[] = {
        "application/json", "", "text/plain", "multipart/form-data",
        FORM "x", "x" FORM
    };

    memset(huge, 'x', 65537);
    memcpy(huge, "type=a&", 7);
    input.confirmed = PAY_STR("VERIFIED");

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        input.body = bodies[i];
        expect(PAY_SIG_HEADER_INVALID, "a body");
    }

    input.body.len = 65536;
    expect(PAY_SIG_VALID, "the largest");
    input.body = PAY_STR(BODY);

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        headers[0].value = pay_str_of(types[i]);
        expect(PAY_SIG_HEADER_INVALID, types[i]);
    }

    headers[0].value = PAY_STR(FORM " ; charset=utf-8");
    expect(PAY_SIG_VALID, "a parameter");
    input.header_count = 2;
    expect(PAY_SIG_HEADER_INVALID, "two types");
    input.header_count = 0;
    expect(PAY_SIG_HEADER_MISSING, "no type");
    free(huge);
}


Test(pay_sig_tipalti, a_form_is_read_field_by_field)
{
    pay_str_t     value;
    pay_arena_t  *arena = pay_heap_arena(heap);

#define expect_field(form, name, status)                                      \
    cr_expect_eq(pay_form_get(arena, PAY_STR(form), 4, name, &value), status, \
                 "%s of %s", name, form)

    expect_field("a=1&b=%2f+%2B&c=", "b", PAY_OK);
    cr_expect(pay_str_is(value, "/ +"), "%.*s", pay_fmt(value));
    expect_field("a=1&b=%2f+%2B&c=", "c", PAY_OK);
    cr_expect_eq(value.len, 0);
    expect_field("a=b=c", "a", PAY_OK);
    cr_expect(pay_str_is(value, "b=c"), "%.*s", pay_fmt(value));
    expect_field("ab=1", "a", PAY_NOT_FOUND);
    expect_field("", "a", PAY_NOT_FOUND);
    expect_field("&&&", "a", PAY_NOT_FOUND);
    expect_field("&&&&", "a", PAY_INVALID);
    expect_field("a=1&a=1", "a", PAY_INVALID);
    expect_field("a", "a", PAY_INVALID);
    expect_field("a=%2", "a", PAY_INVALID);
    expect_field("a=%", "a", PAY_INVALID);
    expect_field("a=%g0", "a", PAY_INVALID);
}
