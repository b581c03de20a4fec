/*
 * Lines of an export: what is one, and all the things that are none.
 */

#include <stdio.h>

#include "torture.h"
#include "pay_audit.h"


#define HASH  "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define SIGNATURE  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygp" \
                   "KissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="

static const char  event[] =
    "{\"t\":\"event\",\"merchant_id\":\"acme\",\"payment_order_id\":\"o-1\","
    "\"seq\":3,\"at\":\"2026-11-21T08:15:00.000123Z\",\"tx\":4711,"
    "\"kind\":\"paid\",\"actor\":\"webhook\",\"old_status\":\"EXECUTING\","
    "\"new_status\":\"SUCCESS\",\"reason\":null,"
    "\"detail\":\"{\\\"psp\\\": \\\"stripe\\\"}\",\"request_id\":\"r\","
    "\"hash\":\"" HASH "\"}";

static const char  leaf[] =
    "{\"t\":\"leaf\",\"number\":7,\"position\":2,\"merchant_id\":\"acme\","
    "\"payment_order_id\":\"o-1\",\"seq\":3,\"hash\":\"" HASH "\"}";

static const char  seal[] =
    "{\"t\":\"seal\",\"number\":7,\"message\":\"m\\n\","
    "\"key_id\":\"0123456789abcdef\",\"signature\":\"" SIGNATURE "\"}";

static const char  pending[] =
    "{\"t\":\"seal\",\"number\":7,\"message\":\"m\",\"key_id\":null,"
    "\"signature\":null}";


/* The line with the first `from` in it made `to`. */
static pay_status_t
parse_with(const char *line, const char *from, const char *to)
{
    char             text[1024];
    size_t           before;
    pay_err_t        err = { .slug = NULL };
    const char      *at = strstr(line, from);
    pay_status_t     status;
    pay_audit_row_t  row;

    cr_assert_not_null(at, "%s", from);
    before = (size_t) (at - line);
    memcpy(text, line, before);
    snprintf(text + before, sizeof(text) - before, "%s%s", to,
             at + strlen(from));

    status = pay_audit_parse(pay_str_of(text), &row, &err);

    if (status == PAY_OK) {
        pay_audit_row_free(&row);

    } else {
        cr_expect_not_null(err.detail);
        cr_expect_null(row.json);
    }

    return status;
}


Test(pay_audit_row, reads_an_event)
{
    pay_err_t        err;
    pay_audit_row_t  row;

    cr_assert_eq(pay_audit_parse(pay_str_of(event), &row, &err), PAY_OK);
    cr_expect_eq(row.kind, PAY_AUDIT_EVENT);
    cr_expect(pay_str_is(row.merchant_id, "acme"));
    cr_expect(pay_str_is(row.payment_order_id, "o-1"));
    cr_expect_eq(row.seq, 3);
    cr_expect(pay_str_is(row.event.at, "2026-11-21T08:15:00.000123Z"));
    cr_expect_eq(row.event.tx, 4711);
    cr_expect(pay_str_is(row.event.kind, "paid"));
    cr_expect(pay_str_is(row.event.actor, "webhook"));
    cr_expect(pay_str_is(row.event.old_status, "EXECUTING"));
    cr_expect(pay_str_is(row.event.new_status, "SUCCESS"));
    cr_expect_null(row.event.reason.data);
    cr_expect(pay_str_is(row.event.detail, "{\"psp\": \"stripe\"}"));
    cr_expect(pay_str_is(row.event.request_id, "r"));
    cr_expect_eq(row.hash[1], 0x11);
    pay_audit_row_free(&row);
}


Test(pay_audit_row, reads_an_anchor)
{
    pay_err_t        err;
    pay_audit_row_t  row;

    cr_assert_eq(pay_audit_parse(PAY_STR(
                     "{\"t\":\"anchor\",\"merchant_id\":\"acme\","
                     "\"payment_order_id\":\"o-1\",\"seq\":3,"
                     "\"hash\":\"" HASH "\"}"), &row, &err), PAY_OK);
    cr_expect_eq(row.kind, PAY_AUDIT_ANCHOR);
    cr_expect_eq(row.seq, 3);
    cr_expect_eq(row.hash[2], 0x22);
    pay_audit_row_free(&row);
}


Test(pay_audit_row, reads_a_leaf)
{
    pay_err_t        err;
    pay_audit_row_t  row;

    cr_assert_eq(pay_audit_parse(pay_str_of(leaf), &row, &err), PAY_OK);
    cr_expect_eq(row.kind, PAY_AUDIT_LEAF);
    cr_expect_eq(row.number, 7);
    cr_expect_eq(row.position, 2);
    cr_expect_eq(row.seq, 3);
    cr_expect(pay_str_is(row.payment_order_id, "o-1"));
    pay_audit_row_free(&row);
}


Test(pay_audit_row, reads_a_seal_with_and_without_its_signature)
{
    pay_err_t        err;
    pay_audit_row_t  row;

    cr_assert_eq(pay_audit_parse(pay_str_of(seal), &row, &err), PAY_OK);
    cr_expect_eq(row.kind, PAY_AUDIT_SEAL);
    cr_expect(pay_str_is(row.seal.message, "m\n"));
    cr_expect(row.seal.is_signed);
    cr_expect_eq(row.seal.signature[63], 63);
    pay_audit_row_free(&row);

    cr_assert_eq(pay_audit_parse(pay_str_of(pending), &row, &err), PAY_OK);
    cr_expect_not(row.seal.is_signed);
    cr_expect_null(row.seal.key_id.data);
    pay_audit_row_free(&row);
}


Test(pay_audit_row, an_empty_text_is_not_null)
{
    pay_err_t        err;
    pay_audit_row_t  row;
    char             text[sizeof(event)];

    snprintf(text, sizeof(text), "%s", event);
    memcpy(strstr(text, "null"), "\"\"  ", 4);
    cr_assert_eq(pay_audit_parse(pay_str_of(text), &row, &err), PAY_OK);
    cr_expect_not_null(row.event.reason.data);
    cr_expect_eq(row.event.reason.len, 0);
    pay_audit_row_free(&row);
}


/* What the hash does not cover must not stand beside it as if it were. */
Test(pay_audit_row, a_member_too_many_or_too_few_is_none)
{
    cr_expect_eq(parse_with(event, "\"seq\":3,", "\"seq\":3,\"amount\":1,"),
                 PAY_INVALID);
    cr_expect_eq(parse_with(event, "\"reason\":null,", ""), PAY_INVALID);
    cr_expect_eq(parse_with(event, "\"reason\":", "\"why\":"), PAY_INVALID);
    cr_expect_eq(parse_with(event, "\"reason\":null",
                            "\"reason\":null,\"reason\":null"), PAY_INVALID);
    cr_expect_eq(parse_with(leaf, "\"position\":2,", ""), PAY_INVALID);
    cr_expect_eq(parse_with(leaf, "\"position\":2,", "\"place\":2,"),
                 PAY_INVALID);
    cr_expect_eq(parse_with(seal, "\"number\":7,", "\"number\":7,\"x\":1,"),
                 PAY_INVALID);
}


Test(pay_audit_row, members_of_another_type_or_size_are_none)
{
    size_t  i;

    static const char *const  bad[][3] = {
        { event, "\"event\"", "\"Event\"" },
        { event, "\"event\"", "\"leaf\"" },
        { event, "\"event\"", "1" },
        { event, "\"acme\"", "\"\"" },
        { event, "\"acme\"", "null" },
        { event, "\"acme\"", "[\"acme\"]" },
        { event, "\"o-1\"", "{}" },
        { event, "\"seq\":3", "\"seq\":0" },
        { event, "\"seq\":3", "\"seq\":-3" },
        { event, "\"seq\":3", "\"seq\":3.0" },
        { event, "\"seq\":3", "\"seq\":\"3\"" },
        { event, "\"seq\":3", "\"seq\":9223372036854775808" },
        { event, "\"seq\":3", "\"seq\":03" },
        { event, "4711", "-1" },
        { event, "4711", "\"4711\"" },
        { event, "4711", "1e3" },
        { event, "00.000123Z", "00Z" },
        { event, "00.000123Z", "60.000123Z" },
        { event, "2026-11-21", "2026-11-31" },
        { event, "\"paid\"", "null" },
        { event, "\"SUCCESS\"", "true" },
        { event, "\"{\\\"psp\\\": \\\"stripe\\\"}\"", "{\"psp\":\"stripe\"}" },
        { event, "0011", "011" },
        { event, "aabb", "AABB" },
        { event, "\"r\"", "\"\\u0000\"" },
        { leaf, "\"number\":7", "\"number\":0" },
        { leaf, "\"position\":2", "\"position\":-1" },
        { seal, "\"m\\n\"", "\"\"" },
        { seal, "\"0123456789abcdef\"", "null" },
        { seal, "AAEC", "AAE" },
        { seal, "AAEC", "AA\\n" },
        { seal, "Pw==", "Px==" },
        { seal, "Pw==", "P0BB" },
        { pending, "\"key_id\":null", "\"key_id\":\"0123456789abcdef\"" },
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_expect_eq(parse_with(bad[i][0], bad[i][1], bad[i][2]), PAY_INVALID,
                     "%s -> %s", bad[i][1], bad[i][2]);
    }
}


Test(pay_audit_row, what_is_no_json_object_is_none)
{
    size_t           i;
    pay_err_t        err;
    pay_audit_row_t  row;

    static const char *const  texts[] = {
        "", " ", "x", "[]", "{}", "null", "\"event\"", "{\"t\":\"event\"}",
        "{\"t\":\"event\"", "[{\"t\":\"leaf\"}]", "{\"t\":{\"t\":\"seal\"}}",
        "\xef\xbb\xbf{\"t\":\"seal\"}", "{\"t\":\"\xff\"}"
    };

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        cr_expect_eq(pay_audit_parse(pay_str_of(texts[i]), &row, &err),
                     PAY_INVALID, "%s", texts[i]);
    }
}


Test(pay_audit_row, no_part_of_a_line_is_one)
{
    size_t           n;
    pay_err_t        err;
    pay_audit_row_t  row;

    for (n = 0; n < sizeof(event) - 1; n++) {
        cr_expect_eq(pay_audit_parse((pay_str_t) {
                         n, (const unsigned char *) event }, &row, &err),
                     PAY_INVALID, "%zu bytes", n);
    }
}


Test(pay_audit_row, a_line_that_is_too_long_is_none)
{
    pay_err_t        err;
    pay_str_t        line;
    pay_audit_row_t  row;
    unsigned char   *text = malloc(PAY_AUDIT_LINE_MAX + 1);

    cr_assert_not_null(text);
    memset(text, ' ', PAY_AUDIT_LINE_MAX + 1);
    memcpy(text, leaf, sizeof(leaf) - 1);

    line = (pay_str_t) { PAY_AUDIT_LINE_MAX, text };
    cr_assert_eq(pay_audit_parse(line, &row, &err), PAY_OK);
    pay_audit_row_free(&row);

    line.len++;
    cr_assert_eq(pay_audit_parse(line, &row, &err), PAY_INVALID);
    cr_expect_str_eq(err.detail, "the line is too long");
    free(text);
}
