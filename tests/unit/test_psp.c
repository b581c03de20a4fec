/*
 * PSP adapters, what Stripe and the generic one have in common: bearer keys,
 * an error object, a key in a header.  What holds for every adapter:
 * test_conformance.c; what is theirs alone: test_psp_<name>.c.
 */

#include "psp_world.h"


typedef struct {
    const char  *file;
    pay_fact_t   fact;
} expected_t;

typedef struct {
    pay_psp_event_t  events[PAY_PSP_EVENTS_MAX];
    unsigned         count;
} events_t;


static const pay_psp_adapter_t  *tortured;

/* Texts that are no answer of any PSP. */
static const pay_str_t  garbage[] = {
    pay_string(""), pay_string(" "), pay_string("null"), pay_string("true"),
    pay_string("0"), pay_string("\"ok\""), pay_string("[]"), pay_string("{}"),
    pay_string("[{}]"), pay_string("{"), pay_string("{}{}"),
    pay_string("{\"id\":1,\"id\":2}"), pay_string("\xef\xbb\xbf{}"),
    pay_string("{\"id\":\"\xff\xfe\"}"), pay_string("{\"id\":\"\\u0000\"}"),
    pay_string("<html><body>502 Bad Gateway</body></html>"),
    pay_string("\0\0\0\0"), pay_string("{\"error\":null}"),
    pay_string("{\"id\":[],\"token\":[],\"url\":{},\"hosted_url\":{}}"),
    pay_string("{\"id\":null,\"token\":null,\"url\":null,\"type\":null}"),
    pay_string("{\"id\":1,\"token\":1,\"status\":1,\"type\":1,\"data\":1}"),
    pay_string("{\"id\":\"a\",\"token\":\"a\",\"data\":[],\"type\":[]}"),
};

#define GARBAGE  (sizeof(garbage) / sizeof(garbage[0]))


Test(pay_psp, registry_finds_each_adapter_by_its_exact_name)
{
    cr_expect_not_null(stripe());
    cr_expect_not_null(generic());
    cr_expect_null(pay_psp_find(PAY_STR("")));
    cr_expect_null(pay_psp_find(PAY_STR("Stripe")));
    cr_expect_null(pay_psp_find(PAY_STR("stripe2")));
}


Test(pay_psp, register_request_carries_nonce_and_key_where_they_belong)
{
    unsigned                  i;
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    pay_psp_checkout_t        order = order_make();
    pay_http_request_t        request;
    const pay_psp_adapter_t  *psp;

    EACH_PSP(psp, heap, arena) {
        cr_assert_eq(psp->register_request(arena, &account, &order, &request,
                                           NULL), PAY_OK);

        cr_expect(pay_str_is(request.method, "POST"));
        cr_expect(contains(request.url, "https://psp.example/base/v1/"));
        cr_expect(pay_str_is(field_of(&request, "Idempotency-Key"), NONCE));
        cr_expect(pay_str_is(field_of(&request, "Authorization"),
                             "Bearer " API_KEY));
        cr_expect_gt(field_of(&request, "Content-Type").len, 0);
        cr_expect(contains(request.body, REFERENCE));

        cr_expect_not(contains(request.body, API_KEY));
        cr_expect_not(contains(request.url, API_KEY));

        for (i = 0; i < request.field_count; i++) {
            cr_expect_eq(contains(request.fields[i].value, API_KEY),
                         pay_str_is(request.fields[i].name, "Authorization"));
        }
    }
}


Test(pay_psp, query_request_names_the_token_and_sends_no_body)
{
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    pay_http_request_t        request;
    const pay_psp_adapter_t  *psp;

    EACH_PSP(psp, heap, arena) {
        cr_assert_eq(psp->query_request(arena, &account, token_of(psp),
                                        &request), PAY_OK);

        cr_expect(pay_str_is(request.method, "GET"));
        cr_expect_eq(request.body.len, 0);
        cr_expect(contains(request.url, token_text(psp)));
        cr_expect(pay_str_is(field_of(&request, "Authorization"),
                             "Bearer " API_KEY));
        cr_expect_eq(field_of(&request, "Idempotency-Key").len, 0);
        cr_expect_not(contains(request.url, API_KEY));
    }
}


Test(pay_psp, same_order_makes_the_same_bytes)
{
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    pay_psp_checkout_t        order = order_make();
    pay_http_request_t        one, two;
    const pay_psp_adapter_t  *psp;

    EACH_PSP(psp, heap, arena) {
        cr_assert_eq(psp->register_request(arena, &account, &order, &one,
                                           NULL), PAY_OK);
        cr_assert_eq(psp->register_request(arena, &account, &order, &two,
                                           NULL), PAY_OK);
        cr_expect(pay_str_eq(one.body, two.body));
        cr_expect(pay_str_eq(one.url, two.url));
        cr_expect_eq(one.field_count, two.field_count);
    }
}


/* What would break out of a header, a form or the sum is our own mistake. */
Test(pay_psp, an_order_that_is_not_sane_is_never_sent)
{
    unsigned                  i;
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    pay_psp_checkout_t        bad[14];
    pay_http_request_t        request;
    const pay_psp_adapter_t  *psp;

    for (i = 0; i < 14; i++) {
        bad[i] = order_make();
    }

    bad[0].nonce = PAY_STR("");
    bad[1].nonce = PAY_STR("a\r\nX-Evil: 1");
    bad[2].merchant_reference = PAY_STR("");
    bad[3].merchant_reference = PAY_STR("a b");
    bad[4].currency = NULL;
    bad[5].amount_minor = 2999;
    bad[6].lines[0].amount_minor = -1000;
    bad[7].lines[0].amount_minor = INT64_MAX;
    bad[8].line_count = 0;
    bad[9].line_count = PAY_PSP_LINES_MAX + 1;
    bad[10].expires_s = 0;
    bad[11].return_url = PAY_STR("");
    bad[12].return_url = PAY_STR("https://pay.example.com/a b");
    bad[13].lines[1].payment_order_id = PAY_STR("");

    EACH_PSP(psp, heap, arena) {
        for (i = 0; i < 14; i++) {
            cr_expect_eq(psp->register_request(arena, &account, &bad[i],
                                               &request, NULL), PAY_BUG,
                         "%s took %u", psp->name, i);
        }
    }
}


Test(pay_psp, a_key_that_breaks_out_of_its_header_is_never_sent)
{
    unsigned                  i;
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    pay_psp_checkout_t        order = order_make();
    pay_psp_account_t         other = account;
    pay_http_request_t        request;
    const pay_psp_adapter_t  *psp;

    static const pay_str_t  keys[] = {
        pay_string(""), pay_string("a b"), pay_string("a\r\nb"),
        pay_string("a\0b"), pay_string("k\xc3\xa4")
    };

    EACH_PSP(psp, heap, arena) {
        for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
            other.api_key = keys[i];
            cr_expect_eq(psp->register_request(arena, &other, &order,
                                               &request, NULL), PAY_BUG);
            cr_expect_eq(psp->query_request(arena, &other, token_of(psp),
                                            &request), PAY_BUG);
        }
    }
}


Test(pay_psp, a_token_that_changes_the_path_is_never_asked_for)
{
    unsigned                  i;
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    pay_str_t                 huge;
    pay_http_request_t        request;
    const pay_psp_adapter_t  *psp;

    static const pay_str_t  tokens[] = {
        pay_string(""), pay_string("a/b"), pay_string(".."),
        pay_string("a?b"), pay_string("a%2fb"), pay_string("a b"),
        pay_string("a\0")
    };

    EACH_PSP(psp, heap, arena) {
        for (i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
            cr_expect_eq(psp->query_request(arena, &account, tokens[i],
                                            &request), PAY_BUG);
        }

        huge.len = PAY_PSP_TOKEN_MAX + 1;
        huge.data = memset(pay_alloc(arena, huge.len), 'a', huge.len);
        cr_expect_eq(psp->query_request(arena, &account, huge, &request),
                     PAY_BUG);
    }
}


Test(pay_psp, fixture_of_a_good_answer_is_done)
{
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    pay_psp_checkout_t        order = order_make();
    pay_psp_registered_t      done;
    const pay_psp_adapter_t  *psp;

    EACH_PSP(psp, heap, arena) {
        done = register_judged(arena, psp, &order,
                   answered(201, fixture(arena, psp, "register-answer.json")));
        cr_expect_eq(done.outcome, PAY_PSP_DONE, "%s: %.*s", psp->name,
                     pay_fmt(done.code));
        cr_expect(pay_str_eq(done.token, token_of(psp)));
        cr_expect(contains(done.hosted_url, "https://"));
        cr_expect(contains(done.hosted_url, "#"), "the fragment is lost");
        cr_expect_eq(done.code.len, 0);
        cr_expect_eq(done.retry_after_s, -1);

        done = register_judged(arena, psp, &order,
                   answered(200, fixture(arena, psp, "register-answer.json")));
        cr_expect_eq(done.outcome, PAY_PSP_DONE);
    }
}


Test(pay_psp, unknown_members_are_ignored)
{
    int                       known;
    pay_heap_t               *heap;
    pay_str_t                 text;
    pay_arena_t              *arena;
    pay_psp_event_t           event;
    pay_psp_checkout_t        order = order_make();
    pay_http_answer_t         answer;
    const pay_psp_adapter_t  *psp;

    EACH_PSP(psp, heap, arena) {
        text = replaced(arena, fixture(arena, psp, "register-answer.json"),
                        "{", "{\"brand_new\":[1,{\"id\":\"x\"}],");
        cr_expect_eq(register_judged(arena, psp, &order,
                                     answered(200, text)).outcome,
                     PAY_PSP_DONE);

        text = replaced(arena, fixture(arena, psp, "query-paid.json"), "{",
                        "{\"brand_new\":[1,{\"id\":\"x\"}],");
        answer = answered(200, text);
        cr_assert_eq(psp->query_answer(arena, token_of(psp), &answer, &event,
                                       &known), PAY_OK);
        cr_expect(known && event.fact == PAY_FACT_PAID);
    }
}


/* The heart of exactly-once: silence is never a refusal. */
Test(pay_psp, trouble_on_the_way_is_unknown_or_not_sent)
{
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    pay_psp_checkout_t        order = order_make();
    pay_http_answer_t         answer = answered(0, PAY_STR(""));
    pay_psp_registered_t      result;
    const pay_psp_adapter_t  *psp;

    EACH_PSP(psp, heap, arena) {
        answer.sent = PAY_SENT_NOTHING;
        answer.failure = PAY_FAILURE_CONNECT;
        result = register_judged(arena, psp, &order, answer);
        cr_expect_eq(result.outcome, PAY_PSP_NOT_SENT);
        cr_expect(pay_str_is(result.code, "connect"));

        answer.sent = PAY_SENT_SOME;
        answer.failure = PAY_FAILURE_TIMEOUT;
        result = register_judged(arena, psp, &order, answer);
        cr_expect_eq(result.outcome, PAY_PSP_UNKNOWN);
        cr_expect(pay_str_is(result.code, "timeout"));

        /* left-overs of an answer that never completed don't count */
        answer.status = 422;
        answer.body = PAY_STR("{\"error\":{\"code\":\"x\"}}");
        answer.failure = PAY_FAILURE_NONE;
        result = register_judged(arena, psp, &order, answer);
        cr_expect_eq(result.outcome, PAY_PSP_UNKNOWN);
    }
}


Test(pay_psp, each_status_has_its_outcome)
{
    unsigned                  status;
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    pay_psp_checkout_t        order = order_make();
    pay_psp_outcome_t         expected;
    pay_psp_registered_t      result;
    const pay_psp_adapter_t  *psp;

    EACH_PSP(psp, heap, arena) {
        for (status = 0; status < 1000; status++) {
            switch (status) {
            case 400: case 402: case 404: case 422:
                expected = PAY_PSP_REFUSED;
                break;
            case 401: case 403: case 429:
                expected = PAY_PSP_NOT_SENT;
                break;
            default:
                expected = PAY_PSP_UNKNOWN;
            }

            result = register_judged(arena, psp, &order, answered(status,
                         PAY_STR("{\"error\":{\"code\":\"Some Code\"}}")));
            cr_expect_eq(result.outcome, expected, "%s: %u is %d", psp->name,
                         status, result.outcome);

            if (status >= 300 && status < 400) {
                cr_expect(pay_str_is(result.code, "redirect"));

            } else if (status == 200 || status == 201) {
                cr_expect(pay_str_is(result.code, "answer_invalid"));

            } else {
                cr_expect(pay_str_is(result.code, "some_code"));
            }
        }
    }
}


/* A bare 404 may come from anything on the way: style rule 14. */
Test(pay_psp, only_the_psps_own_words_refuse)
{
    size_t                    i;
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    pay_psp_checkout_t        order = order_make();
    const pay_psp_adapter_t  *psp;

    static const unsigned  statuses[] = { 400, 402, 404, 422 };

    EACH_PSP(psp, heap, arena) {
        for (i = 0; i < GARBAGE * 4; i++) {
            cr_expect_eq(register_judged(arena, psp, &order,
                             answered(statuses[i % 4], garbage[i / 4]))
                             .outcome,
                         PAY_PSP_UNKNOWN, "%s: %zu", psp->name, i / 4);
        }
    }
}


Test(pay_psp, no_garbage_is_done)
{
    size_t                    i;
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    pay_psp_checkout_t        order = order_make();
    pay_psp_registered_t      result;
    const pay_psp_adapter_t  *psp;

    EACH_PSP(psp, heap, arena) {
        for (i = 0; i < GARBAGE; i++) {
            result = register_judged(arena, psp, &order,
                                     answered(200, garbage[i]));
            cr_expect_eq(result.outcome, PAY_PSP_UNKNOWN, "%s: %zu",
                         psp->name, i);
            cr_expect(pay_str_is(result.code, "answer_invalid"));
        }

        /* 200 with an error in it, and 202/204, which nobody documents */
        result = register_judged(arena, psp, &order, answered(200,
                     replaced(arena, fixture(arena, psp,
                                             "register-answer.json"),
                              "{", "{\"error\":{\"code\":\"x\"},")));
        cr_expect_eq(result.outcome, PAY_PSP_UNKNOWN);

        result = register_judged(arena, psp, &order, answered(202,
                     fixture(arena, psp, "register-answer.json")));
        cr_expect_eq(result.outcome, PAY_PSP_UNKNOWN);
    }
}


Test(pay_psp, a_cut_answer_is_unknown_at_each_byte)
{
    size_t                    i;
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    pay_str_t                 text;
    pay_psp_checkout_t        order = order_make();
    const pay_psp_adapter_t  *psp;

    EACH_PSP(psp, heap, arena) {
        text = fixture(arena, psp, "register-answer.json");

        for (i = 0; i + 2 < text.len; i++) {
            cr_expect_eq(register_judged(arena, psp, &order,
                             answered(200, (pay_str_t) { i, text.data }))
                             .outcome, PAY_PSP_UNKNOWN);
        }
    }
}


Test(pay_psp, huge_deep_and_wide_answers_are_unknown)
{
    unsigned                  i;
    pay_buf_t                 buf;
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    pay_str_t                 deep, wide, huge;
    pay_psp_checkout_t        order = order_make();
    const pay_psp_adapter_t  *psp;

    EACH_PSP(psp, heap, arena) {
        pay_buf_init(&buf, arena, 1000000);
        for (i = 0; i < 100000; i++) {
            pay_buf_text(&buf, "{\"a\":");
        }
        cr_assert_eq(pay_buf_done(&buf, &deep), PAY_OK);

        pay_buf_init(&buf, arena, 1000000);
        pay_buf_text(&buf, "{\"a\":[0");
        for (i = 0; i < 100000; i++) {
            pay_buf_text(&buf, ",0");
        }
        pay_buf_text(&buf, "]}");
        cr_assert_eq(pay_buf_done(&buf, &wide), PAY_OK);

        pay_buf_init(&buf, arena, 1000000);
        pay_buf_text(&buf, "{\"a\":\"");
        for (i = 0; i < 30000; i++) {
            pay_buf_text(&buf, "aaaaaaaaaa");
        }
        pay_buf_text(&buf, "\"}");
        cr_assert_eq(pay_buf_done(&buf, &huge), PAY_OK);

        cr_expect_eq(register_judged(arena, psp, &order,
                         answered(200, deep)).outcome, PAY_PSP_UNKNOWN);
        cr_expect_eq(register_judged(arena, psp, &order,
                         answered(200, wide)).outcome, PAY_PSP_UNKNOWN);
        cr_expect_eq(register_judged(arena, psp, &order,
                         answered(200, huge)).outcome, PAY_PSP_UNKNOWN);
    }
}


Test(pay_psp, retry_advice_is_handed_on)
{
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    pay_psp_checkout_t        order = order_make();
    pay_http_answer_t         answer;
    pay_psp_registered_t      result;
    const pay_psp_adapter_t  *psp;

    EACH_PSP(psp, heap, arena) {
        answer = answered(429, fixture(arena, psp, "error-rate.json"));
        answer.retry_after_s = 7;
        result = register_judged(arena, psp, &order, answer);
        cr_expect_eq(result.outcome, PAY_PSP_NOT_SENT);
        cr_expect_eq(result.retry_after_s, 7);
    }
}


Test(pay_psp, error_codes_are_made_safe)
{
    size_t                    i;
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    pay_str_t                 body;
    pay_psp_checkout_t        order = order_make();
    pay_psp_registered_t      result;
    const pay_psp_adapter_t  *psp;

    static const struct {
        const char  *code;
        const char  *safe;
    } codes[] = {
        { "\"Card_Declined\"", "card_declined" },
        { "\"a.b-c\"", "a.b-c" },
        { "\"a\\r\\nb<script>\\\"\"", "a__b_script__" },
        { "\"\xc3\xa4\"", "__" },
        { "\"\"", "http_422" },
        { "null", "http_422" },
        { "17", "http_422" },
        { "{\"a\":\"b\"}", "http_422" },
        { "\"4111111111111111\"", "redacted" },
        { "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
          "tail\"",
          "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" }
    };

    EACH_PSP(psp, heap, arena) {
        for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
            cr_assert_eq(pay_format(arena, &body, 512,
                             "{\"error\":{\"code\":%s,\"message\":\"CANARY\"}}",
                             codes[i].code), PAY_OK);
            result = register_judged(arena, psp, &order, answered(422, body));
            cr_expect(pay_str_is(result.code, codes[i].safe), "%zu: %.*s", i,
                      pay_fmt(result.code));
            /* an error without a word of the PSP's proves nothing */
            cr_expect_eq(result.outcome, codes[i].safe[0] == 'h'
                                         ? PAY_PSP_UNKNOWN : PAY_PSP_REFUSED);
        }
    }
}


/* A filter on the way may have thrown away the answer to a registration that
 * was made: no other PSP must be tried. */
Test(pay_psp, a_403_that_is_not_the_psps_own_is_unknown)
{
    size_t                    i, k;
    pay_arena_t              *arena = test_arena();
    pay_psp_checkout_t        order = order_make();
    pay_psp_registered_t      result;
    const pay_psp_adapter_t  *psp;

    static const char *const  psps[] = {
        "stripe", "generic", "adyen", "paypal", "square", "mollie"
    };
    static const char *const  bodies[] = {
        "", "<html>Forbidden</html>", "{}", "[]", "{\"message\":\"no\"}"
    };

    for (i = 0; i < sizeof(psps) / sizeof(psps[0]); i++) {
        psp = pay_psp_find(pay_str_of(psps[i]));

        for (k = 0; k < sizeof(bodies) / sizeof(bodies[0]); k++) {
            result = register_judged(arena, psp, &order,
                                     answered(403, pay_str_of(bodies[k])));
            cr_expect_eq(result.outcome, PAY_PSP_UNKNOWN, "%s: %s", psps[i],
                         bodies[k]);
        }
    }
}


/* The good answer, its member `name` set to that JSON text. */
static pay_str_t
answer_with(pay_arena_t *arena, const pay_psp_adapter_t *psp,
    const char *name, const char *value)
{
    pay_str_t  from, to;

    cr_assert_eq(pay_format(arena, &from, 64, "\n  \"%s\": ", name), PAY_OK);
    cr_assert_eq(pay_format(arena, &to, 512, "\n  \"%s\": %s,\n  \"was\": ",
                            name, value), PAY_OK);

    return replaced(arena, fixture(arena, psp, "register-answer.json"),
                    (const char *) from.data, (const char *) to.data);
}


Test(pay_psp, tokens_and_urls_of_wrong_shape_are_no_answer)
{
    size_t                    i;
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    pay_psp_checkout_t        order = order_make();
    pay_psp_registered_t      result;
    const pay_psp_adapter_t  *psp;

    static const char *const  tokens[] = {
        "\"\"", "\"a/b\"", "\"..\"", "\"a b\"", "\"a\\nb\"", "null", "1",
        "[\"a\"]", "{}", "true", "\"\xc3\xa4\""
    };

    static const char *const  urls[] = {
        "\"\"", "null", "1", "[]", "\"https://a b/\"", "\"a\\r\\nb\"",
        "\"https://\xc3\xa4/\""
    };

    EACH_PSP(psp, heap, arena) {
        for (i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
            result = register_judged(arena, psp, &order, answered(200,
                         answer_with(arena, psp,
                                     psp == stripe() ? "id" : "token",
                                     tokens[i])));
            cr_expect_eq(result.outcome, PAY_PSP_UNKNOWN, "%s", tokens[i]);
            cr_expect(pay_str_is(result.code, "answer_invalid"));
        }

        for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
            result = register_judged(arena, psp, &order, answered(200,
                         answer_with(arena, psp,
                                     psp == stripe() ? "url" : "hosted_url",
                                     urls[i])));
            cr_expect_eq(result.outcome, PAY_PSP_UNKNOWN, "%s", urls[i]);
            cr_expect(pay_str_is(result.code, "answer_invalid"));
        }

        result = register_judged(arena, psp, &order, answered(200,
                     answer_with(arena, psp,
                                 psp == stripe() ? "id" : "token",
                                 "\"other_1-X\"")));
        cr_expect_eq(result.outcome, PAY_PSP_DONE);
    }
}


Test(pay_psp, query_fixtures_tell_their_facts)
{
    int                       known;
    char                      name[64];
    size_t                    i;
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    pay_psp_event_t           event;
    pay_http_answer_t         answer;
    const pay_psp_adapter_t  *psp;

    static const expected_t  rows[] = {
        { "open", PAY_FACT_NONE }, { "paid", PAY_FACT_PAID },
        { "pending", PAY_FACT_PENDING }, { "expired", PAY_FACT_EXPIRED }
    };

    EACH_PSP(psp, heap, arena) {
        for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            snprintf(name, sizeof(name), "query-%s.json", rows[i].file);
            answer = answered(200, fixture(arena, psp, name));
            cr_assert_eq(psp->query_answer(arena, token_of(psp), &answer,
                                           &event, &known), PAY_OK);
            cr_assert(known, "%s: %s", psp->name, name);
            cr_expect_eq(event.fact, rows[i].fact, "%s: %s", psp->name, name);
            cr_expect(pay_str_eq(event.token, token_of(psp)));
            cr_expect_eq(event.event_id.len, 0);
            cr_expect_gt(event.type.len, 0);
            cr_expect(event.has_amount && event.amount_minor == 3000
                      && pay_str_is(event.currency, "USD"));
        }
    }
}


Test(pay_psp, a_query_answered_badly_says_nothing)
{
    int                       known;
    size_t                    i;
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    pay_str_t                 paid;
    pay_psp_event_t           event;
    pay_http_answer_t         answer;
    const pay_psp_adapter_t  *psp;

    static const unsigned  statuses[] = {
        0, 100, 201, 204, 301, 400, 401, 404, 409, 422, 429, 500, 503
    };

    EACH_PSP(psp, heap, arena) {
        paid = fixture(arena, psp, "query-paid.json");

        for (i = 0; i < GARBAGE; i++) {
            answer = answered(200, garbage[i]);
            known = -1;
            cr_assert_eq(psp->query_answer(arena, token_of(psp), &answer,
                                           &event, &known), PAY_OK);
            cr_expect_eq(known, 0, "%s: %zu", psp->name, i);
        }

        for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
            answer = answered(statuses[i], paid);
            known = -1;
            cr_assert_eq(psp->query_answer(arena, token_of(psp), &answer,
                                           &event, &known), PAY_OK);
            cr_expect_eq(known, 0, "%s: %u", psp->name, statuses[i]);
        }

        answer = answered(200, paid);
        known = -1;
        cr_assert_eq(psp->query_answer(arena, PAY_STR("another"), &answer,
                                       &event, &known), PAY_OK);
        cr_expect_eq(known, 0, "believed about another token");

        answer.sent = PAY_SENT_SOME;
        known = -1;
        cr_assert_eq(psp->query_answer(arena, token_of(psp), &answer,
                                       &event, &known), PAY_OK);
        cr_expect_eq(known, 0);
    }
}


Test(pay_psp, garbage_is_no_event)
{
    size_t                    i;
    events_t                  out;
    pay_err_t                 err;
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    const pay_psp_adapter_t  *psp;

    EACH_PSP(psp, heap, arena) {
        for (i = 0; i < GARBAGE; i++) {
            out.count = 77;
            err.slug = "";
            cr_expect_eq(psp->webhook_events(arena, &account, PAY_STR("evt_1"),
                                             garbage[i], out.events,
                                             &out.count, &err),
                         PAY_INVALID, "%s: %zu", psp->name, i);
            cr_expect(strcmp(err.slug, "invalid-json") == 0
                      || strcmp(err.slug, "validation-error") == 0,
                      "%s", err.slug);
            cr_expect_eq(out.count, 77);
        }
    }
}


/* What follows `mark` in the text, up to `end`. */
static pay_str_t
between(pay_str_t text, const char *mark, char end)
{
    size_t     at = position(text, mark);
    pay_str_t  found;

    cr_assert_lt(at, text.len, "no %s", mark);
    at += strlen(mark);
    found = (pay_str_t) { 0, text.data + at };

    while (at + found.len < text.len && found.data[found.len] != end) {
        found.len++;
    }

    return found;
}


/* A query's answer that says "paid" in the very units of the request. */
static pay_http_answer_t
paid_as_asked(pay_arena_t *arena, const pay_psp_adapter_t *psp,
    const pay_http_request_t *request)
{
    pay_str_t  body, amount, currency;

    if (psp == stripe()) {
        amount = between(request->body, "%5Bunit_amount%5D=", '&');
        currency = between(request->body, "%5Bcurrency%5D=", '&');
        cr_assert_eq(pay_format(arena, &body, 512,
                         "{\"id\":\"t\",\"status\":\"complete\","
                         "\"payment_status\":\"paid\",\"amount_total\":%.*s,"
                         "\"currency\":\"%.*s\"}",
                         pay_fmt(amount), pay_fmt(currency)), PAY_OK);
    } else {
        amount = between(request->body, "\"amount\":\"", '"');
        currency = between(request->body, "\"currency\":\"", '"');
        cr_assert_eq(pay_format(arena, &body, 512,
                         "{\"token\":\"t\",\"status\":\"paid\","
                         "\"amount\":\"%.*s\",\"currency\":\"%.*s\"}",
                         pay_fmt(amount), pay_fmt(currency)), PAY_OK);
    }

    return answered(200, body);
}


/* Every currency, at the ends of its range: what comes back in the units that
 * went out is the same amount; or it is refused before it is sent. */
Test(pay_psp, amounts_keep_their_precision_in_every_currency)
{
    int                       known;
    size_t                    i;
    unsigned                  sent;
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    pay_err_t                 err;
    pay_status_t              status;
    pay_psp_event_t           event;
    pay_psp_checkout_t        order;
    pay_http_answer_t         answer;
    pay_http_request_t        request;
    const pay_currency_t     *currency;
    const pay_psp_adapter_t  *psp;

    static const int64_t  amounts[] = {
        1, 5, 10, 99, 100, 101, 1000, 12345, 1234500, 999999999999000,
        PAY_AMOUNT_MAX_MINOR
    };

    EACH_PSP(psp, heap, arena) {
        sent = 0;

        for (currency = pay_currency_table(); currency->code[0]; currency++) {
            for (i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++) {
                order = order_of(currency, amounts[i]);
                status = psp->register_request(arena, &account, &order,
                                               &request, &err);

                if (status != PAY_OK) {
                    cr_expect_eq(status, PAY_INVALID);
                    cr_expect(strcmp(err.slug, "amount-invalid") == 0
                              || strcmp(err.slug, "currency-unsupported")
                                 == 0);
                    cr_expect_neq(psp, generic(), "%s", currency->code);
                    continue;
                }

                answer = paid_as_asked(arena, psp, &request);
                cr_assert_eq(psp->query_answer(arena, PAY_STR("t"), &answer,
                                               &event, &known), PAY_OK);
                cr_assert(known && event.has_amount);
                cr_expect_eq(event.amount_minor, amounts[i], "%s: %s",
                             psp->name, currency->code);
                cr_expect(pay_str_is(event.currency, currency->code));
                sent++;
            }
        }

        cr_expect_gt(sent, 1000, "%s sent %u only", psp->name, sent);
    }
}


static pay_status_t
request_once(pay_arena_t *arena, void *result)
{
    pay_psp_checkout_t  checkout = order_make();

    return tortured->register_request(arena, &account, &checkout, result, NULL);
}


static pay_status_t
answer_once(pay_arena_t *arena, void *result)
{
    pay_psp_checkout_t  checkout = order_make();
    pay_http_answer_t   answer;

    answer = answered(200, fixture(test_arena(), tortured,
                                   "register-answer.json"));
    return tortured->register_answer(arena, &checkout, &answer, result);
}


static pay_status_t
query_once(pay_arena_t *arena, void *result)
{
    int                 known;
    pay_http_answer_t   answer;

    answer = answered(200, fixture(test_arena(), tortured,
                                   "query-paid.json"));
    return tortured->query_answer(arena, token_of(tortured), &answer,
                                  result, &known);
}


static pay_status_t
webhook_once(pay_arena_t *arena, void *result)
{
    events_t      *out = result;

    return tortured->webhook_events(arena, &account, PAY_STR(""),
               fixture(test_arena(), tortured,
                       "webhook-expired.json"),
               out->events, &out->count, NULL);
}


Test(pay_psp, each_failing_allocation_leaves_no_partial_result)
{
    const char *const  *name;

    for (name = psp_alike; *name != NULL; name++) {
        tortured = pay_psp_find(pay_str_of(*name));
        cr_expect_gt(torture(request_once, sizeof(pay_http_request_t)), 0);
        cr_expect_gt(torture(answer_once, sizeof(pay_psp_registered_t)), 0);
        cr_expect_gt(torture(query_once, sizeof(pay_psp_event_t)), 0);
        cr_expect_gt(torture(webhook_once, sizeof(events_t)), 0);
    }
}


Test(pay_psp, each_failure_has_a_word_of_its_own)
{
    unsigned  i, k;

    cr_expect_str_empty(pay_failure_name(PAY_FAILURE_NONE));
    cr_expect_str_eq(pay_failure_name(PAY_FAILURE_TIMEOUT), "timeout");
    cr_expect_str_eq(pay_failure_name(PAY_FAILURE_CIRCUIT_OPEN),
                     "circuit-open");

    for (i = 0; i < PAY_FAILURE_COUNT; i++) {
        for (k = 0; k < i; k++) {
            cr_expect_str_neq(pay_failure_name((pay_failure_t) i),
                              pay_failure_name((pay_failure_t) k));
        }
    }
}


/* The hours of docs/psps.md, and the shortest life of a page: a call that is
 * repeated after its key has gone is a second payment. */
Test(pay_psp, keys_and_pages_live_as_long_as_documented)
{
    size_t                    i, kind;
    const pay_psp_adapter_t  *psp;

    enum { ALWAYS = PAY_PSP_ALWAYS_HOURS };
    static const struct {
        const char  *name;
        unsigned     key, change[PAY_PSP_CHANGE_COUNT], shortest, longest;
    } rows[] = {
        { "adyen", 168, { 168, 168, 168, ALWAYS }, 300, 86400 },
        { "generic", 24, { 24, 24, 24, 24 }, 60, 604800 },
        { "mollie", 1, { 1, ALWAYS, 1, ALWAYS }, 60, 86400 },
        { "paypal", 6, { 6, 0, 1080, 0 }, 60, 10800 },
        { "square", 24, { ALWAYS, ALWAYS, 24, ALWAYS }, 60, 86400 },
        { "stripe", 24, { 24, 24, 24, ALWAYS }, 1800, 86400 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        psp = pay_psp_find(pay_str_of(rows[i].name));
        cr_expect_eq(psp->key_window_hours, rows[i].key, "%s", psp->name);
        cr_expect_eq(psp->min_expiry_s, rows[i].shortest, "%s", psp->name);
        cr_expect_eq(psp->max_expiry_s, rows[i].longest, "%s", psp->name);

        for (kind = 0; kind < PAY_PSP_CHANGE_COUNT; kind++) {
            cr_expect_eq(psp->change_window_hours[kind], rows[i].change[kind],
                         "%s %zu", psp->name, kind);
        }
    }
}
