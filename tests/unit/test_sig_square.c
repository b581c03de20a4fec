/*
 * Square's webhooks: the registered URL is part of what is signed.  What it
 * has in common with others is in test_sig_form.c.
 */

#include "sig_world.h"


static void
square_open(sig_world_t *w)
{
    sig_open(w, pay_sig_find(PAY_STR("square")));
    cr_assert_eq(sig_sign(w, 0), PAY_OK);
}


Test(pay_sig_square, each_change_of_the_url_fails)
{
    size_t       i;
    pay_str_t    url;
    sig_world_t  w;

    static const char *const  urls[] = {
        "http://shop.example.com/webhooks/psp",
        "https://shop.example.com/webhooks/psp/",
        "https://shop.example.com:443/webhooks/psp",
        "https://shop.example.com/webhooks/psp?",
        "https://SHOP.example.com/webhooks/psp",
        "https://shop.example.org/webhooks/psp"
    };

    square_open(&w);
    url = w.settings.url;

    for (i = 0; i < url.len; i++) {
        w.settings.url = sig_flipped(&w, url, i, 0x20);
        sig_expect(w, PAY_SIG_MISMATCH);
        w.settings.url = (pay_str_t) { i + 1 < url.len ? i + 1 : 1,
                                       url.data };
        sig_expect(w, PAY_SIG_MISMATCH);
    }

    for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        w.settings.url = pay_str_of(urls[i]);
        sig_expect(w, PAY_SIG_MISMATCH);
    }

    w.settings.url = url;
    sig_expect(w, PAY_SIG_VALID);
    sig_close(&w);
}


/* A MAC over a body that begins with the URL must not pass for another. */
Test(pay_sig_square, without_a_configured_url_nothing_is_valid_or_signed)
{
    sig_world_t  w;

    square_open(&w);
    w.input.body = PAY_STR("https://shop.example.com/webhooks/psp" SIG_BODY);
    w.settings.url = PAY_STR("");
    sig_expect(w, PAY_SIG_ERROR);
    cr_expect_eq(sig_sign(&w, 0), PAY_BUG);
    sig_close(&w);
}


Test(pay_sig_square, the_legacy_sha1_header_is_not_looked_at)
{
    sig_world_t  w;

    square_open(&w);
    w.headers[0].name = PAY_STR("x-square-signature");
    sig_expect(w, PAY_SIG_HEADER_MISSING);
    sig_close(&w);
}
