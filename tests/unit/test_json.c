/*
 * JSON: the facts of docs/security.md F8, X37, X41 and X43,
 * the readers' answers on wrong types, and jansson's own allocations failing.
 */

#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "torture.h"
#include "pay_json.h"


typedef struct {
    const char  *text;
    size_t       len;
} raw_t;

typedef struct {
    unsigned     count;
    unsigned     stop_at;      /* the n-th visit fails; 0: none */
    char         seen[400];
} visits_t;

#define RAW(s)  { s, sizeof(s) - 1 }


static pay_status_t
parse(const char *text, pay_json_t **json, pay_err_t *err)
{
    return pay_json_parse(pay_str_of(text), NULL, json, err);
}


static pay_json_t *
parsed(const char *text)
{
    pay_err_t    err = { .slug = NULL };
    pay_json_t  *json = NULL;

    cr_assert_eq(parse(text, &json, &err), PAY_OK, "%s: %s", text, err.detail);

    return json;
}


static void
assert_refused(pay_str_t text, const char *slug)
{
    pay_err_t    err = { .slug = NULL };
    pay_json_t  *json = NULL;

    cr_assert_eq(pay_json_parse(text, NULL, &json, &err), PAY_INVALID, "%.*s",
                 (int) text.len, (const char *) text.data);
    cr_assert_str_eq(err.slug, slug, "%.*s: %s", (int) text.len,
                     (const char *) text.data, err.slug);
    cr_assert_not_null(err.detail);
    cr_assert_null(json);
}


Test(pay_json, refuses_what_is_not_strict_json)
{
    size_t  i;

    static const raw_t  bad[] = {
        RAW(""), RAW(" "), RAW("{"), RAW("}"), RAW("{}}"), RAW("{}{}"),
        RAW("{} x"), RAW("[]\0"), RAW("[]\n\0"), RAW("[1,]"), RAW("{\"a\":1,}"),
        RAW("[,1]"), RAW("[1 2]"), RAW("{\"a\" 1}"), RAW("{a:1}"),
        RAW("{'a':1}"), RAW("{\"a\":}"), RAW("[NaN]"), RAW("[Infinity]"),
        RAW("[-Infinity]"), RAW("[undefined]"), RAW("[TRUE]"), RAW("[nul]"),
        RAW("[1] // c"), RAW("/* c */[1]"), RAW("[1] # c"), RAW("[+1]"),
        RAW("[01]"), RAW("[.5]"), RAW("[5.]"), RAW("[1e]"), RAW("[0x10]"),
        RAW("[1_000]"), RAW("[\"\t\"]"), RAW("[\"\n\"]"), RAW("[\"\\x41\"]"),
        RAW("[\"\\'\"]"), RAW("[\"\\u12\"]"), RAW("[\"abc"), RAW("[\"abc\\"),
        RAW("[\"\\u0000\"]"), RAW("{\"\\u0000\":1}"), RAW("[\"a\0b\"]"),
        RAW("{\"a\0\":1}"), RAW("[9223372036854775808]"),
        RAW("[-9223372036854775809]"), RAW("[1e400]"),
        RAW("[123456789012345678901234567890]")
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_refused((pay_str_t) { bad[i].len, (const unsigned char *)
                                     bad[i].text },
                       "invalid-json");
    }
}


Test(pay_json, refuses_bad_utf8_and_byte_order_marks)
{
    size_t  i;

    static const raw_t  bad[] = {
        RAW("\xef\xbb\xbf{}"),              /* BOM */
        RAW("\xff\xfe{\0}\0"),              /* UTF-16 */
        RAW("{\0}\0"),
        RAW("[\"\x80\"]"),                  /* lone continuation */
        RAW("[\"\xc3\"]"),                  /* cut off */
        RAW("[\"\xc3(\"]"),
        RAW("[\"\xc0\xaf\"]"),              /* overlong '/' */
        RAW("[\"\xe0\x80\xaf\"]"),
        RAW("[\"\xc1\xbf\"]"),
        RAW("[\"\xed\xa0\x80\"]"),          /* surrogate */
        RAW("[\"\xf4\x90\x80\x80\"]"),      /* over U+10FFFF */
        RAW("[\"\xf8\x88\x80\x80\x80\"]"),
        RAW("[\"\xff\"]"),
        RAW("[\"\xe9\"]"),                  /* Latin-1 */
        RAW("{\"\xff\":1}"),
        RAW("[\"\\ud800\"]"),               /* lone surrogates */
        RAW("[\"\\udc00\"]"),
        RAW("[\"\\ud800\\u0041\"]")
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_refused((pay_str_t) { bad[i].len, (const unsigned char *)
                                     bad[i].text },
                       "invalid-json");
    }
}


/* X43: scalars at the top */
Test(pay_json, refuses_a_scalar_at_the_top)
{
    assert_refused(PAY_STR("null"), "invalid-json");
    assert_refused(PAY_STR("true"), "invalid-json");
    assert_refused(PAY_STR("1"), "invalid-json");
    assert_refused(PAY_STR("\"text\""), "invalid-json");
}


/* X41 */
Test(pay_json, refuses_duplicate_members_however_spelled)
{
    size_t  i;

    static const char *const  bad[] = {
        "{\"amount\":\"1.00\",\"amount\":\"9.00\"}",
        "{\"amount\":\"1.00\",\"\\u0061mount\":\"9.00\"}",
        "{\"\\u0061mount\":\"1.00\",\"a\\u006Dount\":\"9.00\"}",
        "{\"a\":1,\"a\":1}",
        "{\"\":1,\"\":2}",
        "{\"a\":{\"b\":[{\"c\":1,\"d\":2,\"c\":3}]}}",
        "[{\"a\":1},{\"b\":1,\"b\":1}]",
        "{\"\xc3\xa9\":1,\"\\u00e9\":2}"
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_refused(pay_str_of(bad[i]), "duplicate-member");
    }
}


Test(pay_json, members_that_only_look_alike_are_two)
{
    pay_json_t  *json = parsed("{\"a\":1,\"A\":2,\"a \":3,"
                               "\"\xc3\xa9\":4,\"e\xcc\x81\":5}");

    cr_assert_eq(pay_json_size(json), 5);
    pay_json_free(json);
}


static pay_str_t
nested(unsigned char *text, unsigned depth, unsigned char open,
    unsigned char close)
{
    memset(text, open, depth);
    memset(text + depth, close, depth);

    return (pay_str_t) { 2 * depth, text };
}


Test(pay_json, refuses_one_level_too_many)
{
    pay_json_t     *json = NULL;
    unsigned char   text[100];

    cr_assert_eq(pay_json_parse(nested(text, PAY_JSON_DEPTH, '[', ']'), NULL,
                                &json, NULL), PAY_OK);
    pay_json_free(json);

    assert_refused(nested(text, PAY_JSON_DEPTH + 1, '[', ']'),
                   "invalid-json");
}


Test(pay_json, sixty_thousand_brackets_are_refused_without_recursion)
{
    static unsigned char  text[65536];

    memset(text, '[', sizeof(text));
    assert_refused((pay_str_t) { sizeof(text), text }, "invalid-json");
    assert_refused(nested(text, sizeof(text) / 2, '{', '}'), "invalid-json");
}


static pay_str_t
wide_array(unsigned char *text, unsigned width)
{
    unsigned  i;

    for (i = 0; i < width; i++) {
        text[2 * i] = i == 0 ? '[' : ',';
        text[2 * i + 1] = '1';
    }

    text[2 * width] = ']';

    return (pay_str_t) { 2 * width + 1, text };
}


Test(pay_json, refuses_one_element_too_many)
{
    pay_json_t     *json = NULL;
    unsigned char   text[200];

    cr_assert_eq(pay_json_parse(wide_array(text, PAY_JSON_WIDTH), NULL, &json,
                                NULL), PAY_OK);
    cr_assert_eq(pay_json_size(json), PAY_JSON_WIDTH);
    pay_json_free(json);

    assert_refused(wide_array(text, PAY_JSON_WIDTH + 1), "invalid-json");
}


Test(pay_json, limits_of_the_caller_replace_the_defaults)
{
    pay_err_t          err;
    pay_json_t        *json = NULL;
    unsigned char      text[500];
    pay_json_limits_t  limits = { 0, 2, 200, 0 };

    cr_assert_eq(pay_json_parse(wide_array(text, 200), &limits, &json, &err),
                 PAY_OK);
    pay_json_free(json);

    cr_assert_eq(pay_json_parse(nested(text, 3, '[', ']'), &limits, &json,
                                &err), PAY_INVALID);

    limits.max_depth = PAY_JSON_DEPTH_HARD + 1;
    cr_assert_eq(pay_json_parse(PAY_STR("[]"), &limits, &json, &err), PAY_BUG);
}


Test(pay_json, refuses_one_byte_too_many_before_reading_it)
{
    pay_err_t          err;
    pay_json_t        *json = NULL;
    pay_json_limits_t  limits = { 4, 0, 0, 0 };

    cr_assert_eq(pay_json_parse(PAY_STR("[1] "), &limits, &json, &err),
                 PAY_OK);
    pay_json_free(json);

    cr_assert_eq(pay_json_parse(PAY_STR("[1]  "), &limits, &json, &err),
                 PAY_INVALID);
    cr_assert_str_eq(err.slug, "content-too-large");

    /* 64 KiB by default; a length that lies about its bytes is not read */
    assert_refused((pay_str_t) { 65537, (const unsigned char *) "[" },
                   "content-too-large");
    assert_refused((pay_str_t) { SIZE_MAX, NULL }, "content-too-large");
}


Test(pay_json, reads_each_type)
{
    int64_t      number = 7;
    pay_str_t    text = { 77, NULL };
    pay_json_t  *json = parsed(" {\"o\":{},\"a\":[1],\"s\":\"x\\u00e9\\n\","
                               "\"i\":-12,\"r\":1.5,\"t\":true,\"f\":false,"
                               "\"n\":null} \r\n");

    cr_assert_eq(pay_json_type(json), PAY_JSON_OBJECT);
    cr_assert_eq(pay_json_type(pay_json_get(json, "o")), PAY_JSON_OBJECT);
    cr_assert_eq(pay_json_type(pay_json_get(json, "a")), PAY_JSON_ARRAY);
    cr_assert_eq(pay_json_type(pay_json_get(json, "s")), PAY_JSON_STRING);
    cr_assert_eq(pay_json_type(pay_json_get(json, "i")), PAY_JSON_INTEGER);
    cr_assert_eq(pay_json_type(pay_json_get(json, "r")), PAY_JSON_REAL);
    cr_assert_eq(pay_json_type(pay_json_get(json, "t")), PAY_JSON_TRUE);
    cr_assert_eq(pay_json_type(pay_json_get(json, "f")), PAY_JSON_FALSE);
    cr_assert_eq(pay_json_type(pay_json_get(json, "n")), PAY_JSON_NULL);
    cr_assert_eq(pay_json_type(NULL), PAY_JSON_NULL);

    cr_assert_eq(pay_json_string(pay_json_get(json, "s"), &text), PAY_OK);
    cr_assert(pay_str_is(text, "x\xc3\xa9\n"));
    cr_assert_eq(pay_json_integer(pay_json_get(json, "i"), &number), PAY_OK);
    cr_assert_eq(number, -12);
    cr_assert_eq(pay_json_is_true(pay_json_get(json, "t")), 1);

    pay_json_free(json);
    pay_json_free(NULL);
}


Test(pay_json, reads_integers_at_their_edges)
{
    int64_t      number;
    pay_json_t  *json = parsed("[9223372036854775807,-9223372036854775808,"
                               "-0,0]");

    cr_assert_eq(pay_json_integer(pay_json_at(json, 0), &number), PAY_OK);
    cr_assert_eq(number, INT64_MAX);
    cr_assert_eq(pay_json_integer(pay_json_at(json, 1), &number), PAY_OK);
    cr_assert_eq(number, INT64_MIN);
    cr_assert_eq(pay_json_integer(pay_json_at(json, 2), &number), PAY_OK);
    cr_assert_eq(number, 0);

    pay_json_free(json);
}


/* 1.0, 1e2 and "1" are no integers: whoever wants a number gets no guess */
Test(pay_json, no_reader_converts_a_type)
{
    size_t       i;
    int64_t      number = 7;
    pay_str_t    text = { 77, NULL };
    pay_json_t  *json = parsed("[1.0,1e2,\"1\",true,null,{},[]]");

    for (i = 0; i < 9; i++) {
        cr_assert_eq(pay_json_integer(pay_json_at(json, i), &number),
                     PAY_NOT_FOUND, "%zu", i);
    }

    cr_assert_eq(number, 7);
    cr_assert_eq(pay_json_string(pay_json_at(json, 0), &text), PAY_NOT_FOUND);
    cr_assert_eq(pay_json_string(pay_json_at(json, 3), &text), PAY_NOT_FOUND);
    cr_assert_eq(pay_json_string(pay_json_at(json, 4), &text), PAY_NOT_FOUND);
    cr_assert_eq(pay_json_string(json, &text), PAY_NOT_FOUND);
    cr_assert_eq(pay_json_string(NULL, &text), PAY_NOT_FOUND);
    cr_assert_eq(text.len, 77);
    cr_assert_eq(pay_json_is_true(pay_json_at(json, 2)), 0);
    cr_assert_eq(pay_json_is_true(NULL), 0);

    pay_json_free(json);
}


Test(pay_json, children_of_the_wrong_type_are_null)
{
    pay_json_t  *json = parsed("{\"a\":{\"b\":{\"c\":1}},\"l\":[1],"
                               "\"n\":null}");

    cr_assert_not_null(pay_json_path(json, "a", "b", "c", NULL));
    cr_assert_eq(pay_json_path(json, NULL), json);
    cr_assert_null(pay_json_path(json, "a", "x", "c", NULL));
    cr_assert_null(pay_json_path(json, "a", "b", "c", "d", NULL));
    cr_assert_null(pay_json_path(json, "l", "0", NULL));
    cr_assert_null(pay_json_path(NULL, "a", NULL));

    cr_assert_null(pay_json_get(json, "A"));
    cr_assert_null(pay_json_get(pay_json_get(json, "l"), "a"));
    cr_assert_null(pay_json_get(NULL, "a"));
    cr_assert_null(pay_json_at(json, 0));
    cr_assert_null(pay_json_at(pay_json_get(json, "l"), 1));
    cr_assert_null(pay_json_at(pay_json_get(json, "l"), SIZE_MAX));
    cr_assert_null(pay_json_at(NULL, 0));

    cr_assert_eq(pay_json_size(pay_json_get(json, "n")), 0);
    cr_assert_eq(pay_json_size(NULL), 0);

    pay_json_free(json);
}


static pay_status_t
visit(pay_str_t name, const pay_json_t *value, void *data)
{
    size_t      len;
    visits_t   *visits = data;
    pay_str_t   text;

    if (pay_json_string(value, &text) != PAY_OK) {
        text = PAY_STR("?");
    }

    len = strlen(visits->seen);
    snprintf(visits->seen + len, sizeof(visits->seen) - len, "%.*s=%.*s;",
             pay_fmt(name), pay_fmt(text));

    return ++visits->count == visits->stop_at ? PAY_INVALID : PAY_OK;
}


Test(pay_json, each_goes_through_the_members_in_order)
{
    visits_t     visits = { 0, 0, "" };
    pay_json_t  *json = parsed("{\"z\":\"1\",\"a\":[\"x\"],\"m\":\"3\"}");

    cr_assert_eq(pay_json_each(json, visit, &visits), PAY_OK);
    cr_assert_str_eq(visits.seen, "z=1;a=?;m=3;");
    pay_json_free(json);
}


Test(pay_json, each_stops_where_the_visitor_says)
{
    visits_t     visits = { 0, 2, "" };
    pay_json_t  *json = parsed("{\"z\":\"1\",\"a\":\"2\",\"m\":\"3\"}");

    cr_assert_eq(pay_json_each(json, visit, &visits), PAY_INVALID);
    cr_assert_str_eq(visits.seen, "z=1;a=2;");

    visits = (visits_t) { 0, 2, "" };
    cr_assert_eq(pay_json_each_string(json, visit, &visits, NULL),
                 PAY_INVALID);
    cr_assert_str_eq(visits.seen, "z=1;a=2;");
    pay_json_free(json);
}


Test(pay_json, each_finds_nothing_in_other_types)
{
    visits_t     visits = { 0, 0, "" };
    pay_json_t  *json = parsed("[\"a\",[]]");

    cr_assert_eq(pay_json_each(json, visit, &visits), PAY_OK);
    cr_assert_eq(pay_json_each(pay_json_at(json, 0), visit, &visits), PAY_OK);
    cr_assert_eq(pay_json_each(NULL, visit, &visits), PAY_OK);
    cr_assert_eq(pay_json_each_string(NULL, visit, &visits, NULL), PAY_OK);
    cr_assert_eq(visits.count, 0);
    pay_json_free(json);
}


Test(pay_json, each_string_sees_every_name_and_value)
{
    visits_t     visits = { 0, 0, "" };
    pay_json_t  *json = parsed("{\"a\":\"1\",\"b\":{\"c\":[\"2\",[\"3\",{"
                               "\"d\":\"4\"}],5]},\"e\":{},\"f\":[],"
                               "\"g\":null,\"h\":\"6\"}");

    cr_assert_eq(pay_json_each_string(json, visit, &visits, NULL), PAY_OK);
    cr_assert_str_eq(visits.seen, "a=1;b=?;c=?;=2;=?;=3;=?;d=4;=?;e=?;f=?;"
                     "g=?;h=6;");

    visits = (visits_t) { 0, 0, "" };
    cr_assert_eq(pay_json_each_string(pay_json_get(json, "h"), visit, &visits,
                                      NULL), PAY_OK);
    cr_assert_str_eq(visits.seen, "=6;");
    pay_json_free(json);
}


Test(pay_json, each_string_is_bounded_in_depth)
{
    unsigned     i;
    visits_t     visits = { 0, 0, "" };
    pay_json_t  *outer;
    pay_json_t  *json = pay_json_array_new();

    for (i = 1; i < PAY_JSON_DEPTH_HARD; i++) {
        outer = pay_json_array_new();
        cr_assert_eq(pay_json_append(outer, json), PAY_OK);
        json = outer;
    }

    cr_assert_eq(pay_json_each_string(json, visit, &visits, NULL), PAY_OK);
    cr_assert_eq(visits.count, PAY_JSON_DEPTH_HARD - 1);

    outer = pay_json_array_new();
    cr_assert_eq(pay_json_append(outer, json), PAY_OK);
    visits = (visits_t) { 0, 0, "" };
    cr_assert_eq(pay_json_each_string(outer, visit, &visits, NULL), PAY_BUG);
    pay_json_free(outer);
}


static pay_json_t *
build(void)
{
    pay_json_t    *json = pay_json_object_new();
    pay_json_t    *list = pay_json_array_new();
    pay_status_t   status = PAY_OK;

    status |= pay_json_append(list, pay_json_integer_new(INT64_MIN));
    status |= pay_json_append(list, pay_json_boolean_new(1));
    status |= pay_json_append(list, pay_json_boolean_new(0));
    status |= pay_json_append(list, pay_json_null_new());
    status |= pay_json_set_string(json, "z", PAY_STR("a\"\\/\n\x01\xc3\xa9"));
    status |= pay_json_set_integer(json, "a", 5);
    status |= pay_json_set(json, "list", list);
    status |= pay_json_set(json, "empty", pay_json_string_new(PAY_STR("")));

    if (status != PAY_OK) {
        pay_json_free(json);
        return NULL;
    }

    return json;
}


Test(pay_json, writes_what_was_built_in_order)
{
    pay_str_t    text;
    pay_json_t  *json = build();

    cr_assert_eq(pay_json_write(test_arena(), json, &text), PAY_OK);
    cr_assert_str_eq((const char *) text.data,
        "{\"z\":\"a\\\"\\\\/\\n\\u0001\xc3\xa9\",\"a\":5,\"list\":"
        "[-9223372036854775808,true,false,null],\"empty\":\"\"}");
    cr_assert_eq(text.len, strlen((const char *) text.data));

    cr_assert_eq(pay_json_write(test_arena(),
                                pay_json_get(json, "z"), &text), PAY_OK);
    cr_assert_str_eq((const char *) text.data,
                     "\"a\\\"\\\\/\\n\\u0001\xc3\xa9\"");

    pay_json_free(json);
}


/* around the size of the first attempt */
Test(pay_json, writes_texts_of_every_length)
{
    size_t          len;
    pay_str_t       text;
    pay_json_t     *json;
    unsigned char   bytes[1100];

    memset(bytes, 'x', sizeof(bytes));

    for (len = 0; len < sizeof(bytes); len++) {
        json = pay_json_array_new();
        cr_assert_eq(pay_json_append(json, pay_json_string_new(
                         (pay_str_t) { len, bytes })), PAY_OK);
        cr_assert_eq(pay_json_write(test_arena(), json, &text),
                     PAY_OK);
        cr_assert_eq(text.len, len + 4);
        cr_assert_eq(strlen((const char *) text.data), len + 4);
        pay_json_free(json);
    }
}


Test(pay_json, refuses_to_build_with_what_it_would_not_read)
{
    pay_json_t  *json = pay_json_object_new();

    cr_assert_null(pay_json_string_new(PAY_STR("\xff")));
    cr_assert_null(pay_json_string_new(PAY_STR("\xc0\xaf")));
    cr_assert_null(pay_json_string_new(PAY_STR("a\0b")));
    cr_assert_eq(pay_json_set_string(json, "a", PAY_STR("\xed\xa0\x80")),
                 PAY_NO_MEMORY);
    cr_assert_eq(pay_json_set_integer(json, "\xff", 1), PAY_NO_MEMORY);
    cr_assert_eq(pay_json_size(json), 0);
    pay_json_free(json);
}


/* only the last result of a chain needs a check; nothing leaks (asan) */
Test(pay_json, null_values_make_building_fail)
{
    pay_str_t    text = { 77, NULL };
    pay_json_t  *json = pay_json_object_new();
    pay_json_t  *list = pay_json_array_new();

    cr_assert_neq(pay_json_set(json, "a", NULL), PAY_OK);
    cr_assert_neq(pay_json_set(NULL, "a", pay_json_null_new()), PAY_OK);
    cr_assert_neq(pay_json_set_integer(NULL, "a", 1), PAY_OK);
    cr_assert_neq(pay_json_set_integer(list, "a", 1), PAY_OK);
    cr_assert_neq(pay_json_append(list, NULL), PAY_OK);
    cr_assert_neq(pay_json_append(NULL, pay_json_integer_new(1)), PAY_OK);
    cr_assert_neq(pay_json_append(json, pay_json_integer_new(1)), PAY_OK);
    cr_assert_neq(pay_json_write(test_arena(), NULL, &text), PAY_OK);
    cr_assert_eq(text.len, 77);

    pay_json_free(json);
    pay_json_free(list);
}


static pay_status_t
run_write(pay_arena_t *arena, void *result)
{
    pay_json_t     *json = pay_json_array_new();
    pay_status_t    status;
    unsigned char   bytes[2000];

    memset(bytes, 'x', sizeof(bytes));

    status = pay_json_append(json, pay_json_string_new(
                                 (pay_str_t) { sizeof(bytes), bytes }));
    cr_assert_eq(status, PAY_OK);

    status = pay_json_write(arena, json, result);
    pay_json_free(json);

    return status;
}


Test(pay_json, writing_survives_each_failing_allocation)
{
    cr_assert_eq(torture(run_write, sizeof(pay_str_t)), 1);
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


Test(pay_json, building_survives_jansson_running_out_of_memory)
{
    unsigned     n;
    pay_json_t  *json = NULL;

    json_set_alloc_funcs(failing_malloc, free);

    for (n = 1; json == NULL; n++) {
        cr_assert_lt(n, 1000);
        fail_in = n;
        json = build();
    }

    cr_assert_gt(n, 10);
    fail_in = 0;
    cr_assert_eq(pay_json_size(json), 4);
    pay_json_free(json);
}


/* jansson 2.14 drops a byte of a token when its buffer can't grow: digits
 * fell out of a text that was then parsed "successfully" */
Test(pay_json, parsing_survives_jansson_running_out_of_memory)
{
    size_t         i;
    unsigned       n, len;
    pay_err_t      err = { .slug = NULL };
    pay_str_t      text, value;
    pay_json_t    *json;
    unsigned char  bytes[300] = "[\"";

    json_set_alloc_funcs(failing_malloc, free);

    for (len = 0; len < 280; len++) {
        for (i = 0; i < len; i++) {
            bytes[2 + i] = (unsigned char) ('0' + i % 10);
        }

        memcpy(bytes + 2 + len, "\",{\"a\":1}]", 11);
        text = (pay_str_t) { len + 12, bytes };

        for (n = 1; n < 100; n++) {
            json = NULL;
            fail_in = n;

            if (pay_json_parse(text, NULL, &json, &err) == PAY_OK) {
                break;
            }

            cr_assert_null(err.slug, "%u of length %u", n, len);
            cr_assert_null(json);
        }

        cr_assert_neq(fail_in, 0, "success beside a failure, length %u", len);
        cr_assert_gt(n, 5);
        cr_assert_eq(pay_json_string(pay_json_at(json, 0), &value), PAY_OK);
        cr_assert_eq(value.len, len);
        fail_in = 0;
        pay_json_free(json);
    }
}


Test(pay_json, parsing_gives_the_allocators_back)
{
    pay_json_t     *json = NULL;
    json_free_t     release;
    json_malloc_t   allocate;

    json_set_alloc_funcs(failing_malloc, free);
    cr_assert_eq(parse("[]", &json, NULL), PAY_OK);
    pay_json_free(json);
    cr_assert_eq(parse("[", &json, NULL), PAY_INVALID);

    json_get_alloc_funcs(&allocate, &release);
    cr_assert(allocate == failing_malloc);
    cr_assert(release == free);
}
