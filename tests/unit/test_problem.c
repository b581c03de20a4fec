/*
 * Problem documents: the table's contract (PD3, PD4), statuses that nginx
 * makes, and bodies parsed back (PD2, PD5, RL5).
 */

#include <ctype.h>
#include <stdlib.h>

#include <jansson.h>

#include "torture.h"
#include "pay_json.h"
#include "pay_problem.h"


#define REQUEST_ID  "019aa3f0-0000-7000-8000-000000000001"


typedef struct {
    unsigned     status;
    const char  *slug;
} row_t;


/* docs/security.md#hostile-requests and the slugs that refusals use */
static const row_t  slugs[] = {
    { 401, "unauthenticated" }, { 400, "malformed-request" },
    { 401, "invalid-token" }, { 403, "insufficient-scope" },
    { 403, "merchant-disabled" }, { 400, "idempotency-key-missing" },
    { 400, "idempotency-key-invalid" }, { 422, "idempotency-key-reused" },
    { 429, "idempotency-in-progress" }, { 405, "method-not-allowed" },
    { 501, "not-implemented" }, { 415, "unsupported-media-type" },
    { 400, "invalid-json" }, { 413, "content-too-large" },
    { 400, "duplicate-member" }, { 422, "validation-error" },
    { 422, "amount-invalid" }, { 422, "currency-unsupported" },
    { 422, "card-data-not-accepted" }, { 422, "return-url-not-allowed" },
    { 409, "order-exists" }, { 404, "not-found" }, { 429, "quota-exceeded" },
    { 414, "uri-too-long" }, { 431, "header-fields-too-large" },
    { 411, "length-required" }, { 408, "request-timeout" },
    { 421, "misdirected-request" }, { 401, "webhook-signature-invalid" },
    { 401, "webhook-timestamp-invalid" }, { 404, "webhook-unknown-psp" },
    { 422, "webhook-payload-invalid" }, { 502, "psp-refused" },
    { 504, "psp-timeout" }, { 503, "overloaded" },
    { 503, "dependency-unavailable" }, { 500, "internal-error" },
    { 505, "http-version-not-supported" }, { 416, "range-not-satisfiable" },
    { 403, "forbidden" }, { 412, "precondition-failed" },
    { 409, "payment-state-conflict" }, { 422, "amount-exceeds-remaining" },
    { 409, "seller-overdrawn" }, { 409, "payout-state-conflict" },
    { 409, "endpoint-state-conflict" }, { 409, "risk-state-conflict" },
    { 422, "operation-not-supported" }, { 503, "rate-unavailable" },
    { 403, "login-too-old" }, { 403, "second-person-needed" },
    { 403, "limit-exceeded" }, { 409, "act-not-possible" },
    { 403, "acts-off" }
};

static const row_t  statuses[] = {
    { 400, "malformed-request" }, { 401, "unauthenticated" },
    { 403, "forbidden" }, { 404, "not-found" }, { 405, "method-not-allowed" },
    { 408, "request-timeout" }, { 411, "length-required" },
    { 412, "precondition-failed" }, { 413, "content-too-large" },
    { 414, "uri-too-long" }, { 415, "unsupported-media-type" },
    { 416, "range-not-satisfiable" }, { 421, "misdirected-request" },
    { 422, "validation-error" }, { 429, "quota-exceeded" },
    { 431, "header-fields-too-large" }, { 494, "header-fields-too-large" },
    { 495, "malformed-request" }, { 496, "malformed-request" },
    { 497, "malformed-request" }, { 500, "internal-error" },
    { 501, "not-implemented" }, { 502, "psp-refused" }, { 503, "overloaded" },
    { 504, "psp-timeout" }, { 505, "http-version-not-supported" },
    { 507, "internal-error" }, { 418, "malformed-request" },
    { 0, "malformed-request" }, { 499, "malformed-request" },
    { 508, "internal-error" }, { 4294967295u, "internal-error" }
};


static pay_heap_t   *heap;
static pay_arena_t  *arena;
static pay_json_t   *json;


static void
setup(void)
{
    heap = pay_heap_create();
    arena = pay_heap_arena(heap);
    json = NULL;
}


static void
teardown(void)
{
    pay_json_free(json);
    pay_heap_destroy(heap);
}


TestSuite(pay_problem, .init = setup, .fini = teardown);


static pay_problem_doc_t
doc_of(const char *slug)
{
    pay_problem_doc_t  doc;

    memset(&doc, 0, sizeof(doc));
    doc.problem = pay_problem_find(pay_str_of(slug));
    cr_assert_not_null(doc.problem, "%s", slug);
    doc.base_url = PAY_STR("https://pay.example.com:8443");
    doc.request_id = PAY_STR(REQUEST_ID);

    return doc;
}


static void
render(const pay_problem_doc_t *doc)
{
    pay_str_t  text;

    cr_assert_eq(pay_problem_render(arena, doc, &text), PAY_OK);
    cr_assert_eq(pay_json_parse(text, NULL, &json, NULL), PAY_OK, "%.*s",
                 pay_fmt(text));
}


static void
assert_member(const char *name, const char *expected)
{
    pay_str_t  value;

    cr_assert_eq(pay_json_string(pay_json_get(json, name), &value), PAY_OK,
                 "%s", name);
    cr_assert(pay_str_is(value, expected), "%s: %.*s", name, pay_fmt(value));
}


Test(pay_problem, every_slug_has_its_status)
{
    size_t                i;
    const pay_problem_t  *problem;

    for (i = 0; i < sizeof(slugs) / sizeof(slugs[0]); i++) {
        problem = pay_problem_find(pay_str_of(slugs[i].slug));
        cr_assert_not_null(problem, "%s", slugs[i].slug);
        cr_assert_eq(problem->status, slugs[i].status, "%s", slugs[i].slug);
    }

    for (i = 0; pay_problem_table()[i].slug != NULL; i++) { /* count */ }

    cr_assert_eq(i, sizeof(slugs) / sizeof(slugs[0]));
}


static void
assert_sentences(const char *slug, const char *text)
{
    const char  *p;

    cr_assert_gt(strlen(text), 10, "%s", slug);
    cr_assert_eq(text[strlen(text) - 1], '.', "%s: %s", slug, text);
    cr_assert(isupper((unsigned char) text[0]), "%s: %s", slug, text);
    cr_assert_null(strstr(text, "  "), "%s: %s", slug, text);

    for (p = text; *p != '\0'; p++) {
        cr_assert(*p >= ' ' && *p <= '~', "%s: %s", slug, text);
    }
}


Test(pay_problem, every_row_is_complete_and_single)
{
    const char           *p;
    const pay_problem_t  *row;

    for (row = pay_problem_table(); row->slug != NULL; row++) {
        cr_assert_eq(pay_problem_find(pay_str_of(row->slug)), row, "%s twice",
                     row->slug);
        cr_assert(row->status >= 400 && row->status < 600);
        assert_sentences(row->slug, row->title);
        assert_sentences(row->slug, row->meaning);
        assert_sentences(row->slug, row->remedy);

        for (p = row->slug; *p != '\0'; p++) {
            cr_assert((*p >= 'a' && *p <= 'z') || *p == '-', "%s", row->slug);
        }
    }
}


Test(pay_problem, finds_nothing_under_other_names)
{
    size_t  i;

    static const char *const  bad[] = {
        "", "configuration", "Not-Found", "not-found ", "not_found", "not-foun",
        "not-founds", "../etc/passwd", "<script>", "amount-invalid\n"
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_assert_null(pay_problem_find(pay_str_of(bad[i])), "%s", bad[i]);
    }

    cr_assert_null(pay_problem_find((pay_str_t) { 0, NULL }));
    cr_assert_null(pay_problem_find(PAY_STR("not-found\0")));
}


Test(pay_problem, every_status_of_nginx_has_a_problem)
{
    size_t                i;
    const pay_problem_t  *problem;

    for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        problem = pay_problem_of_status(statuses[i].status);
        cr_assert_not_null(problem, "%u", statuses[i].status);
        cr_assert_str_eq(problem->slug, statuses[i].slug, "%u: %s",
                         statuses[i].status, problem->slug);
    }
}


Test(pay_problem, renders_exactly_what_is_given)
{
    pay_str_t          text;
    pay_problem_doc_t  doc = doc_of("not-found");

    cr_assert_eq(pay_problem_render(arena, &doc, &text), PAY_OK);
    cr_assert(pay_str_is(text,
        "{\"type\":\"https://pay.example.com:8443/problems/not-found\","
        "\"title\":\"There is nothing at this address.\",\"status\":404,"
        "\"instance\":\"urn:uuid:" REQUEST_ID "\"}"), "%.*s", pay_fmt(text));
}


Test(pay_problem, renders_detail_pointer_and_existing)
{
    pay_str_t          value;
    const pay_json_t  *error;
    pay_problem_doc_t  doc = doc_of("amount-invalid");

    doc.detail = "The amount \"must\" be plain.";
    doc.pointer = "/payment_orders/0/amount";
    doc.order_url = PAY_STR("https://pay.example.com/v1/checkouts/c-1");
    render(&doc);

    assert_member("detail", "The amount \"must\" be plain.");
    assert_member("existing", "https://pay.example.com/v1/checkouts/c-1");

    cr_assert_eq(pay_json_size(pay_json_get(json, "errors")), 1);
    error = pay_json_at(pay_json_get(json, "errors"), 0);
    cr_assert_eq(pay_json_string(pay_json_get(error, "pointer"), &value),
                 PAY_OK);
    cr_assert(pay_str_is(value, "/payment_orders/0/amount"));
    cr_assert_eq(pay_json_string(pay_json_get(error, "detail"), &value),
                 PAY_OK);
    cr_assert(pay_str_is(value, "The amount \"must\" be plain."));
}


Test(pay_problem, an_error_without_detail_gets_the_title)
{
    pay_problem_doc_t  doc = doc_of("validation-error");

    doc.pointer = "/x";
    render(&doc);

    cr_assert_null(pay_json_get(json, "detail"));
    cr_assert_not_null(pay_json_get(pay_json_at(pay_json_get(json, "errors"),
                                                0), "detail"));
}


Test(pay_problem, an_empty_pointer_makes_no_errors)
{
    pay_problem_doc_t  doc = doc_of("validation-error");

    doc.pointer = "";
    render(&doc);

    cr_assert_null(pay_json_get(json, "errors"));
    cr_assert_null(pay_json_get(json, "existing"));
    cr_assert_null(pay_json_get(json, "violated-policies"));
}


Test(pay_problem, quota_has_the_type_of_iana_and_names_the_policy)
{
    pay_str_t          value;
    pay_problem_doc_t  doc = doc_of("quota-exceeded");

    doc.policy = "default";
    render(&doc);

    assert_member("type", "https://iana.org/assignments/http-problem-types"
                  "#quota-exceeded");
    cr_assert_eq(pay_json_string(pay_json_at(
                     pay_json_get(json, "violated-policies"), 0), &value),
                 PAY_OK);
    cr_assert(pay_str_is(value, "default"));
}


/* PD2: a directive turns 429 into 409 */
Test(pay_problem, status_is_the_one_that_is_sent)
{
    int64_t            status;
    pay_problem_doc_t  doc = doc_of("idempotency-in-progress");

    doc.status = 409;
    render(&doc);

    cr_assert_eq(pay_json_integer(pay_json_get(json, "status"), &status),
                 PAY_OK);
    cr_assert_eq(status, 409);
}


Test(pay_problem, refuses_urls_and_ids_that_are_none)
{
    size_t             i;
    pay_str_t          text = { 77, NULL };
    pay_problem_doc_t  doc;

    static const char *const  bad[] = {
        "https://a b", "https://a\r\nX: y", "https://\xff", "\t", "\x7f",
        "https://\xc3\xa9.example"
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        doc = doc_of("not-found");
        doc.base_url = pay_str_of(bad[i]);
        cr_assert_eq(pay_problem_render(arena, &doc, &text), PAY_INVALID);

        doc = doc_of("not-found");
        doc.request_id = pay_str_of(bad[i]);
        cr_assert_eq(pay_problem_render(arena, &doc, &text), PAY_INVALID);

        doc = doc_of("not-found");
        doc.order_url = pay_str_of(bad[i]);
        cr_assert_eq(pay_problem_render(arena, &doc, &text), PAY_INVALID);
    }

    cr_assert_eq(text.len, 77);
}


Test(pay_problem, refuses_a_base_url_without_end)
{
    pay_str_t          text = { 77, NULL };
    pay_problem_doc_t  doc = doc_of("not-found");
    unsigned char      url[600];

    memset(url, 'a', sizeof(url));
    doc.base_url = (pay_str_t) { sizeof(url), url };

    cr_assert_eq(pay_problem_render(arena, &doc, &text), PAY_INVALID);
    cr_assert_eq(text.len, 77);
}


Test(pay_problem, text_from_outside_stays_inside_its_string)
{
    pay_problem_doc_t  doc = doc_of("not-found");

    doc.base_url = PAY_STR("https://a\",\"status\":200,\"x\":\"\\");
    render(&doc);

    cr_assert_eq(pay_json_size(json), 4);
    assert_member("type",
                  "https://a\",\"status\":200,\"x\":\"\\/problems/not-found");
}


Test(pay_problem, every_problem_renders)
{
    const pay_problem_t  *row;

    for (row = pay_problem_table(); row->slug != NULL; row++) {
        pay_problem_doc_t  doc = doc_of(row->slug);

        render(&doc);
        assert_member("title", row->title);
        pay_json_free(json);
        json = NULL;
    }
}


static pay_problem_doc_t
full_doc(void)
{
    pay_problem_doc_t  doc = doc_of("validation-error");

    doc.detail = "Some detail.";
    doc.pointer = "/a/0";
    doc.order_url = PAY_STR("https://pay.example.com/v1/checkouts/c-1");
    doc.policy = "default";

    return doc;
}


static pay_status_t
run(pay_arena_t *a, void *result)
{
    pay_problem_doc_t  doc = full_doc();

    return pay_problem_render(a, &doc, result);
}


Test(pay_problem, survives_each_failing_allocation)
{
    cr_assert_geq(torture(run, sizeof(pay_str_t)), 3);
}


static unsigned  fail_in;


static void *
failing_malloc(size_t size)
{
    if (fail_in != 0 && --fail_in == 0) {
        return NULL;
    }

    return malloc(size);
}


Test(pay_problem, survives_jansson_running_out_of_memory)
{
    unsigned            n;
    pay_str_t           text = { 77, NULL };
    pay_status_t        status;
    pay_problem_doc_t   doc = full_doc();

    json_set_alloc_funcs(failing_malloc, free);

    for (n = 1; n < 1000; n++) {
        fail_in = n;
        status = pay_problem_render(arena, &doc, &text);

        if (status == PAY_OK) {
            break;
        }

        cr_assert_eq(status, PAY_NO_MEMORY);
        cr_assert_eq(text.len, 77);
    }

    cr_assert_neq(fail_in, 0, "success beside a failure");
    cr_assert_gt(n, 20);
    fail_in = 0;
}
