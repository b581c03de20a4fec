/*
 * Where a walk through a JSON text has ended, as a pointer (RFC 6901).
 */

#include <stdio.h>

#include <criterion/criterion.h>

#include "pay_json.h"


static pay_status_t
stop_at(pay_str_t name, const pay_json_t *value, void *data)
{
    pay_str_t  text;

    (void) data;
    (void) name;

    return (pay_json_string(value, &text) == PAY_OK
            && pay_str_is(text, "here"))
           ? PAY_INVALID : PAY_OK;
}


static void
points(const char *text, const char *wanted)
{
    char         pointer[PAY_POINTER_MAX];
    pay_json_t  *json;

    memset(pointer, 'x', sizeof(pointer));

    cr_assert_eq(pay_json_parse(pay_str_of(text), NULL, &json, NULL), PAY_OK,
                 "%s", text);
    cr_assert_eq(pay_json_each_string(json, stop_at, NULL, pointer),
                 PAY_INVALID, "%s", text);
    cr_expect_str_eq(pointer, wanted, "%s: %s", text, pointer);
    pay_json_free(json);
}


Test(pay_json_pointer, names_members_and_elements)
{
    points("{\"a\":\"here\"}", "/a");
    points("{\"x\":[1,{}],\"a\":{\"b\":[0,{\"c\":\"here\"}]}}", "/a/b/1/c");
    points("[[[\"x\"],[\"y\",\"here\"]]]", "/0/1/1");
    points("{\"\":\"here\"}", "/");
    points("[0,1,2,3,4,5,6,7,8,9,10,\"here\"]", "/11");
}


Test(pay_json_pointer, escapes_as_the_rfc_says)
{
    points("{\"a/b\":{\"m~n\":\"here\"}}", "/a~1b/m~0n");
    points("{\"a b%\":\"here\"}", "/a b%");
}


/* What an answer or a log must not repeat is left away, with all behind it. */
Test(pay_json_pointer, ends_before_other_bytes)
{
    points("{\"a\":{\"\xc3\xa9\":{\"b\":\"here\"}}}", "/a");
    points("{\"a\":{\"x\\ny\":\"here\"}}", "/a");
    points("{\"\\u007f\":\"here\"}", "");
}


Test(pay_json_pointer, ends_before_what_does_not_fit)
{
    char     text[512], pointer[PAY_POINTER_MAX + 8];
    size_t   fill;

    for (fill = PAY_POINTER_MAX - 12; fill < PAY_POINTER_MAX + 4; fill++) {
        memset(pointer, 0, sizeof(pointer));
        memset(pointer, 'n', fill);
        snprintf(text, sizeof(text), "{\"a\":{\"%s\":\"here\"}}", pointer);
        memmove(pointer + 3, pointer, fill);
        memcpy(pointer, "/a/", 3);

        /* with the NUL it must fit into PAY_POINTER_MAX */
        points(text, fill + 3 < PAY_POINTER_MAX ? pointer : "/a");
    }

    memset(text, 0, sizeof(text));
    memset(text, '~', 200);
    memcpy(text, "{\"", 2);
    memcpy(text + 200, "\":\"here\"}", 10);
    points(text, "");
}
