/*
 * Razorpay's event id, which nobody signs.  What the scheme has in common
 * with others is in test_sig_form.c.
 */

#include "sig_world.h"


static void
razorpay_open(sig_world_t *w)
{
    sig_open(w, pay_sig_find(PAY_STR("razorpay")));
    cr_assert_eq(sig_sign(w, 0), PAY_OK);
    cr_assert_eq(w->count, 2);
}


Test(pay_sig_razorpay, a_sane_event_id_is_handed_on_though_it_is_unsigned)
{
    sig_world_t  w;

    razorpay_open(&w);
    sig_expect(w, PAY_SIG_VALID);
    cr_expect(pay_str_is(w.result.event_id, "msg_1"));

    w.headers[1].value = PAY_STR("MffBVrCjBgbeFj");
    sig_expect(w, PAY_SIG_VALID);
    cr_expect(pay_str_is(w.result.event_id, "MffBVrCjBgbeFj"));
    sig_close(&w);
}


/* An unsigned header must not be able to stop a signed event. */
Test(pay_sig_razorpay, an_odd_absent_or_doubled_event_id_is_ignored)
{
    size_t       i;
    sig_world_t  w;

    static const pay_str_t  ids[] = {
        pay_string(""), pay_string(" "), pay_string("a b"), pay_string("a\0"),
        pay_string("a'--"), pay_string("<b>"), pay_string("\xc3\xa4"),
        pay_string("a\r\nb"), pay_string("a.b"), pay_string("%41"),
        pay_string("0123456789012345678901234567890123456789012345678901234"
                   "5678901234")
    };

    razorpay_open(&w);

    for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        w.headers[1].value = ids[i];
        sig_expect(w, PAY_SIG_VALID);
        cr_expect_eq(w.result.event_id.len, 0, "id %zu", i);
    }

    w.headers[1].value = PAY_STR("once");
    w.headers[2] = w.headers[1];
    w.count = 3;
    sig_expect(w, PAY_SIG_VALID);
    cr_expect_eq(w.result.event_id.len, 0);

    w.count = 1;
    sig_expect(w, PAY_SIG_VALID);
    cr_expect_eq(w.result.event_id.len, 0);
    sig_close(&w);
}


Test(pay_sig_razorpay, an_event_id_of_64_characters_is_the_longest)
{
    sig_world_t  w;

    razorpay_open(&w);
    w.headers[1].value = PAY_STR("0123456789012345678901234567890123456789"
                                 "012345678901234567890123");
    sig_expect(w, PAY_SIG_VALID);
    cr_expect_eq(w.result.event_id.len, 64);
    sig_close(&w);
}


Test(pay_sig_razorpay, a_wrong_signature_hands_no_event_id_on)
{
    sig_world_t  w;

    razorpay_open(&w);
    w.input.body = PAY_STR("{}");
    sig_expect(w, PAY_SIG_MISMATCH);
    cr_expect_eq(w.result.event_id.len, 0);
    sig_close(&w);
}


Test(pay_sig_razorpay, without_an_id_the_sender_writes_one_header)
{
    sig_world_t        w;
    pay_sig_message_t  message;

    razorpay_open(&w);
    message = sig_message(&w);
    message.id = PAY_STR("");
    cr_assert_eq(w.scheme->sign(w.arena, &message, w.headers, &w.count),
                 PAY_OK);
    cr_expect_eq(w.count, 1);
    sig_expect(w, PAY_SIG_VALID);
    sig_close(&w);
}
