/*
 * Requests about events and endpoints: bodies and queries of strangers.
 */

#include <criterion/criterion.h>
#include <stdio.h>

#include "pay_endpoint_api.h"


#define SHOP  "\"url\":\"https://shop.example.com/hooks\""
#define PAGE  "{\"endpoint_id\" : \"e-1\", \"scheme\" : "


static pay_status_t
parse(pay_endpoint_act_kind_t kind, const char *body, pay_endpoint_act_t *act,
    pay_err_t *err)
{
    static pay_heap_t  *heap;

    if (heap != NULL) {
        pay_heap_destroy(heap);
    }

    heap = pay_heap_create();
    memset(err, 0, sizeof(*err));

    return pay_endpoint_act_parse(pay_heap_arena(heap), kind,
                                  PAY_HOSTS_PUBLIC, pay_str_of(body), act,
                                  err);
}


static pay_status_t
query_of(pay_events_list_t list, const char *id, const char *text,
    pay_events_query_t *query, pay_err_t *err)
{
    memset(query, 0, sizeof(*query));
    memset(err, 0, sizeof(*err));
    query->list = list;
    query->id = pay_str_of(id);

    return pay_events_parse(pay_str_of(text), query, err);
}


Test(pay_endpoint_act, reads_an_endpoint)
{
    pay_err_t           err;
    pay_endpoint_act_t  act;

    cr_assert_eq(parse(PAY_ENDPOINT_MAKE, "{" SHOP "}", &act, &err), PAY_OK);
    cr_expect(pay_str_is(act.url, "https://shop.example.com/hooks"));
    cr_expect(pay_str_is(act.types, "[]"));
    cr_expect_eq(act.scheme, PAY_ENDPOINT_V1);
    cr_expect(!act.is_ordered);

    cr_assert_eq(parse(PAY_ENDPOINT_MAKE, "{" SHOP ",\"types\":[\"a.b\","
                       "\"pay_out.*\"],\"scheme\":\"v1a\",\"ordered\":true}",
                       &act, &err), PAY_OK);
    cr_expect(pay_str_is(act.types, "[\"a.b\",\"pay_out.*\"]"));
    cr_expect_eq(act.scheme, PAY_ENDPOINT_V1A);
    cr_expect(act.is_ordered);
}


Test(pay_endpoint_act, refuses_what_breaks_a_rule)
{
    size_t              i;
    pay_err_t           err;
    pay_endpoint_act_t  act;

    static const struct {
        pay_endpoint_act_kind_t  kind;
        const char              *body;
        const char              *pointer;
    } cases[] = {
        { PAY_ENDPOINT_MAKE, "{}", "/url" },
        { PAY_ENDPOINT_MAKE, "{\"url\":1}", "/url" },
        { PAY_ENDPOINT_MAKE, "{\"url\":\"http://a.example\"}", "/url" },
        { PAY_ENDPOINT_MAKE, "{" SHOP ",\"types\":{}}", "/types" },
        { PAY_ENDPOINT_MAKE, "{" SHOP ",\"types\":\"a.b\"}", "/types" },
        { PAY_ENDPOINT_MAKE, "{" SHOP ",\"types\":[\"*\"]}", "/types" },
        { PAY_ENDPOINT_MAKE, "{" SHOP ",\"types\":[\"*.a\"]}", "/types" },
        { PAY_ENDPOINT_MAKE, "{" SHOP ",\"types\":[\"a.b.c\"]}", "/types" },
        { PAY_ENDPOINT_MAKE, "{" SHOP ",\"types\":[\"A.b\"]}", "/types" },
        { PAY_ENDPOINT_MAKE, "{" SHOP ",\"types\":[\"\"]}", "/types" },
        { PAY_ENDPOINT_MAKE, "{" SHOP ",\"types\":[1]}", "/types" },
        { PAY_ENDPOINT_MAKE, "{" SHOP ",\"scheme\":\"v2\"}", "/scheme" },
        { PAY_ENDPOINT_MAKE, "{" SHOP ",\"scheme\":null}", "/scheme" },
        { PAY_ENDPOINT_MAKE, "{" SHOP ",\"ordered\":1}", "/ordered" },
        { PAY_ENDPOINT_MAKE, "{" SHOP ",\"secret\":\"x\"}", "/secret" },
        { PAY_ENDPOINT_TEST, "{\"now\":true}", "/now" },
        { PAY_ENDPOINT_ROTATE, "{\"overlap_seconds\":-1}",
          "/overlap_seconds" },
        { PAY_ENDPOINT_ROTATE, "{\"overlap_seconds\":2592001}",
          "/overlap_seconds" },
        { PAY_ENDPOINT_ROTATE, "{\"overlap_seconds\":\"1\"}",
          "/overlap_seconds" },
        { PAY_ENDPOINT_REPLAY, "{}", "/event" },
        { PAY_ENDPOINT_REPLAY, "{\"event\":\"a b\"}", "/event" },
        { PAY_ENDPOINT_REPLAY, "{\"event\":\"a\",\"since\":"
          "\"2026-01-01T00:00:00Z\"}", "/event" },
        { PAY_ENDPOINT_REPLAY, "{\"event\":\"a\",\"failed_only\":true}",
          "/event" },
        { PAY_ENDPOINT_REPLAY, "{\"since\":\"2026-01-01\"}", "/since" },
        { PAY_ENDPOINT_REPLAY, "{\"since\":\"2026-01-01T00:00:00Z\","
          "\"until\":7}", "/until" },
        { PAY_ENDPOINT_REPLAY, "{\"since\":\"2026-01-01T00:00:00Z\","
          "\"failed_only\":\"yes\"}", "/failed_only" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_expect_eq(parse(cases[i].kind, cases[i].body, &act, &err),
                     PAY_INVALID, "%s", cases[i].body);
        cr_expect_str_eq(err.pointer, cases[i].pointer, "%s: %s",
                         cases[i].body, err.pointer);
    }
}


Test(pay_endpoint_act, a_list_of_types_has_an_end)
{
    int                 i;
    size_t              len;
    char                body[1024];
    pay_err_t           err;
    pay_endpoint_act_t  act;

    len = (size_t) snprintf(body, sizeof(body), "{" SHOP ",\"types\":[");

    for (i = 0; i < PAY_ENDPOINT_TYPES; i++) {
        len += (size_t) snprintf(body + len, sizeof(body) - len, "\"a.b\",");
    }

    snprintf(body + len - 1, sizeof(body) - len, "]}");
    cr_expect_eq(parse(PAY_ENDPOINT_MAKE, body, &act, &err), PAY_OK);
    snprintf(body + len - 1, sizeof(body) - len, ",\"a.b\"]}");
    cr_expect_eq(parse(PAY_ENDPOINT_MAKE, body, &act, &err), PAY_INVALID);
}


Test(pay_endpoint_act, acts_need_no_body)
{
    pay_err_t           err;
    pay_endpoint_act_t  act;

    cr_expect_eq(parse(PAY_ENDPOINT_ENABLE, "", &act, &err), PAY_OK);
    cr_expect_eq(parse(PAY_ENDPOINT_DISABLE, "{}", &act, &err), PAY_OK);
    cr_expect_eq(parse(PAY_ENDPOINT_ROTATE, "", &act, &err), PAY_OK);
    cr_expect_eq(act.overlap_s, 86400);
    cr_expect_eq(parse(PAY_ENDPOINT_ROTATE, "{\"overlap_seconds\":0}", &act,
                       &err), PAY_OK);
    cr_expect_eq(act.overlap_s, 0);
    cr_expect_neq(parse(PAY_ENDPOINT_REPLAY, "", &act, &err), PAY_OK);
    cr_expect_neq(parse(PAY_ENDPOINT_MAKE, "", &act, &err), PAY_OK);
}


Test(pay_endpoint_act, reads_a_replay)
{
    pay_err_t           err;
    pay_endpoint_act_t  act;

    cr_assert_eq(parse(PAY_ENDPOINT_REPLAY, "{\"event\":\"evt_1\"}", &act,
                       &err), PAY_OK);
    cr_expect(pay_str_is(act.event, "evt_1"));
    cr_expect(!act.since_us.is_set);

    cr_assert_eq(parse(PAY_ENDPOINT_REPLAY,
                       "{\"since\":\"1970-01-01T00:00:01Z\",\"until\":"
                       "\"1970-01-01T00:00:02.500Z\",\"failed_only\":true}",
                       &act, &err), PAY_OK);
    cr_expect_eq(act.since_us.number, 1000000);
    cr_expect_eq(act.until_us.number, 2500000);
    cr_expect(act.only_failed);
}


Test(pay_endpoint_render, shows_the_key_of_the_scheme)
{
    pay_str_t      json;
    pay_heap_t    *heap = pay_heap_create();
    pay_secret_t   secret;

    cr_assert_eq(pay_secret_set(&secret, PAY_STR("01234567890123456789012345"
                                                 "678901")), PAY_OK);
    cr_assert_eq(pay_endpoint_render(pay_heap_arena(heap),
                                     PAY_STR(PAGE "\"v1\"}"), &secret, &json),
                 PAY_OK);
    cr_expect(pay_str_is(json, PAGE "\"v1\",\"secret\":\"whsec_MDEyMzQ1Njc4"
                         "OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\"}"));
    cr_assert_eq(pay_endpoint_render(pay_heap_arena(heap),
                                     PAY_STR(PAGE "\"v1a\"}"), &secret,
                                     &json), PAY_OK);
    cr_expect_not_null(strstr((const char *) json.data,
                              ",\"public_key\":\"whpk_"));
    cr_expect_eq(pay_endpoint_render(pay_heap_arena(heap),
                                     PAY_STR(PAGE "\"v9\"}"), &secret, &json),
                 PAY_BUG);
    cr_expect_eq(pay_endpoint_render(pay_heap_arena(heap), PAY_STR("["),
                                     &secret, &json), PAY_BUG);
    pay_heap_destroy(heap);
}


Test(pay_events_parse, reads_a_query)
{
    pay_err_t           err;
    pay_events_query_t  query;

    cr_assert_eq(query_of(PAY_EVENTS_MESSAGES, "", "", &query, &err), PAY_OK);
    cr_expect_eq(query.limit, 100);
    cr_assert_eq(query_of(PAY_EVENTS_MESSAGES, "",
                          "after=&limit=1000&type=payment.succeeded", &query,
                          &err), PAY_OK);
    cr_expect_eq(query.limit, 1000);
    cr_expect_eq(query.after.len, 0);
    cr_expect(pay_str_is(query.type, "payment.succeeded"));
    cr_assert_eq(query_of(PAY_EVENTS_DELIVERIES, "",
                          "endpoint=e-1&state=failed&before=7", &query, &err),
                 PAY_OK);
    cr_expect(pay_str_is(query.endpoint, "e-1"));
    cr_expect(pay_str_is(query.state, "failed"));
    cr_expect(query.before.is_set && query.before.number == 7);
    cr_expect_eq(query_of(PAY_EVENTS_ENDPOINTS, "e-1", "", &query, &err),
                 PAY_OK);
}


Test(pay_events_parse, refuses_what_it_does_not_know)
{
    size_t              i;
    pay_err_t           err;
    pay_events_query_t  query;

    static const struct {
        pay_events_list_t  list;
        const char        *text;
    } cases[] = {
        { PAY_EVENTS_MESSAGES, "limit=0" },
        { PAY_EVENTS_MESSAGES, "limit=1001" },
        { PAY_EVENTS_MESSAGES, "limit=" },
        { PAY_EVENTS_MESSAGES, "after=a%20b" },
        { PAY_EVENTS_MESSAGES, "after=a&after=b" },
        { PAY_EVENTS_MESSAGES, "type=" },
        { PAY_EVENTS_MESSAGES, "before=7" },
        { PAY_EVENTS_MESSAGES, "after" },
        { PAY_EVENTS_MESSAGES, "&" },
        { PAY_EVENTS_MESSAGES, "limit=1&" },
        { PAY_EVENTS_ENDPOINTS, "limit=1" },
        { PAY_EVENTS_DELIVERIES, "" },
        { PAY_EVENTS_DELIVERIES, "state=failed" },
        { PAY_EVENTS_DELIVERIES, "endpoint=" },
        { PAY_EVENTS_DELIVERIES, "endpoint=a&state=lost" },
        { PAY_EVENTS_DELIVERIES, "endpoint=a&before=-1" },
        { PAY_EVENTS_DELIVERIES, "endpoint=a&after=b" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_expect_eq(query_of(cases[i].list, "", cases[i].text, &query, &err),
                     PAY_INVALID, "%s", cases[i].text);
        cr_expect_not_null(err.detail);
    }

    cr_expect_eq(query_of(PAY_EVENTS_MESSAGES, "a b", "", &query, &err),
                 PAY_NOT_FOUND);
    cr_expect_eq(query_of(PAY_EVENTS_MESSAGES, "evt_1", "limit=1", &query,
                          &err), PAY_INVALID);
}
