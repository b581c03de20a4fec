/*
 * Mollie's signed webhooks and its unsigned ones.  What the signed ones have
 * in common with others is in test_sig_form.c.
 */

#include "sig_world.h"


/* Mollie's own library answers "false", not an error, when there is no
 * header: a caller once read that as "of the old kind, fine". */
Test(pay_sig_mollie, an_unsigned_webhook_of_the_old_kind_is_refused)
{
    sig_world_t  w;

    sig_open(&w, pay_sig_find(PAY_STR("mollie")));
    w.input.body = PAY_STR("id=tr_7UhSN1zuXS");
    sig_expect(w, PAY_SIG_HEADER_MISSING);

    w.headers[0].name = PAY_STR("X-Mollie-Signature");
    w.headers[0].value = PAY_STR("");
    w.count = 1;
    sig_expect(w, PAY_SIG_HEADER_INVALID);
    sig_close(&w);
}


Test(pay_sig_mollie, the_prefix_may_be_missing_but_never_another_or_twice)
{
    pay_str_t    hex;
    sig_world_t  w;

    sig_open(&w, pay_sig_find(PAY_STR("mollie")));
    cr_assert_eq(sig_sign(&w, 0), PAY_OK);
    cr_assert(memcmp(w.headers[0].value.data, "sha256=", 7) == 0);
    hex = (pay_str_t) { w.headers[0].value.len - 7,
                        w.headers[0].value.data + 7 };

    w.headers[0].value = hex;
    sig_expect(w, PAY_SIG_VALID);

    cr_assert_eq(pay_format(w.arena, &w.headers[0].value, 128,
                            "sha512=%.*s", pay_fmt(hex)), PAY_OK);
    sig_expect(w, PAY_SIG_HEADER_INVALID);
    cr_assert_eq(pay_format(w.arena, &w.headers[0].value, 128,
                            "SHA256=%.*s", pay_fmt(hex)), PAY_OK);
    sig_expect(w, PAY_SIG_HEADER_INVALID);
    cr_assert_eq(pay_format(w.arena, &w.headers[0].value, 128,
                            "sha256=sha256=%.*s", pay_fmt(hex)), PAY_OK);
    sig_expect(w, PAY_SIG_HEADER_INVALID);
    sig_close(&w);
}


Test(pay_sig_mollie_legacy, the_form_with_a_payment_id_has_the_right_shape)
{
    sig_world_t        w;
    pay_sig_message_t  message;

    sig_open(&w, pay_sig_find(PAY_STR("mollie-legacy")));
    w.input.body = PAY_STR("id=tr_7UhSN1zuXS");
    message = sig_message(&w);
    message.key = NULL;
    message.id = PAY_STR("");
    cr_assert_eq(w.scheme->sign(w.arena, &message, w.headers, &w.count),
                 PAY_OK);
    cr_expect_eq(w.count, 0);
    sig_expect(w, PAY_SIG_VALID);
    cr_expect_eq(w.result.event_id.len, 0);

    w.input.body = PAY_STR("id=tr_a");
    sig_expect(w, PAY_SIG_VALID);
    sig_close(&w);
}


Test(pay_sig_mollie_legacy, anything_else_is_refused)
{
    size_t          i;
    sig_world_t     w;
    unsigned char   body[6 + 65];

    static const pay_str_t  bodies[] = {
        pay_string(""), pay_string("id"), pay_string("id="),
        pay_string("id=tr"), pay_string("id=tr_"), pay_string("ID=tr_a"),
        pay_string("id=ord_a"), pay_string("id=tr_a\n"),
        pay_string("id=tr_a\r\n"), pay_string(" id=tr_a"),
        pay_string("id=tr_a&id=tr_b"), pay_string("x=1&id=tr_a"),
        pay_string("id=tr_a&x=1"), pay_string("id=tr_a%20"),
        pay_string("id=tr_a/../b"), pay_string("id=tr_a?x"),
        pay_string("id=tr_a+b"), pay_string("id=tr_a\0"),
        pay_string("id=tr_\0"), pay_string("id=tr_\xc3\xa4"),
        pay_string("id=tr_a_b"), pay_string("{\"id\":\"tr_a\"}"),
        pay_string("testByMollie=1")
    };

    sig_open(&w, pay_sig_find(PAY_STR("mollie-legacy")));

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        w.input.body = bodies[i];
        cr_expect_eq(sig_judge(&w), PAY_SIG_HEADER_INVALID, "body %zu", i);
    }

    memset(body, 'a', sizeof(body));
    memcpy(body, "id=tr_", 6);
    w.input.body = (pay_str_t) { sizeof(body) - 1, body };
    sig_expect(w, PAY_SIG_VALID);
    w.input.body.len++;
    sig_expect(w, PAY_SIG_HEADER_INVALID);
    sig_close(&w);
}


Test(pay_sig_mollie_legacy, each_byte_that_is_no_letter_or_digit_is_refused)
{
    unsigned       c;
    sig_world_t    w;
    unsigned char  body[] = "id=tr_7UhSN1zuXS";

    sig_open(&w, pay_sig_find(PAY_STR("mollie-legacy")));
    w.input.body = (pay_str_t) { sizeof(body) - 1, body };

    for (c = 0; c < 256; c++) {
        body[9] = (unsigned char) c;
        cr_expect_eq(sig_judge(&w) == PAY_SIG_VALID,
                     (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')
                     || (c >= 'a' && c <= 'z'), "byte %u", c);
    }

    sig_close(&w);
}
