/*
 * The browser of a buyer: its cookie comes back only as it was set, and only
 * hashes of it go on.
 */

#include "torture.h"
#include "pay_id.h"
#include "pay_risk.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>


#define ID     "abcdefghijklmnopqrstuvwxyz-_0123"
#define OTHER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_0123"
#define NAME   "__Host-payments-browser="


static pay_risk_t
risk_of(unsigned keys)
{
    pay_risk_t     risk = { 0 };
    pay_keyring_t  ring = { .count = keys };

    memset(ring.keys[0].bytes, 1, sizeof(ring.keys[0].bytes));
    memset(ring.keys[1].bytes, 2, sizeof(ring.keys[1].bytes));
    cr_assert_eq(pay_risk_keys(&ring, &risk), PAY_OK);

    return risk;
}


Test(pay_risk_browser, a_cookie_is_found_among_others)
{
    size_t     i;
    pay_str_t  cookie;

    static const char *const  headers[] = {
        NAME ID, "a=b; " NAME ID, NAME ID "; a=b", " a=b;" NAME ID ";c",
        "\t" NAME ID " ", ";;;" NAME ID ";;", "x" NAME OTHER "; " NAME ID,
        "a=\"; " NAME ID
    };

    for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        cr_assert(pay_risk_cookie_find(pay_str_of(headers[i]), &cookie), "%s",
                  headers[i]);
        cr_expect(pay_str_is(cookie, ID), "%s", headers[i]);
    }
}


/* Whatever else stands there is replaced. */
Test(pay_risk_browser, a_cookie_of_another_form_is_none)
{
    size_t     i;
    pay_str_t  cookie;

    static const char *const  headers[] = {
        "", ";", "=", NAME, NAME ID "x", NAME "bcdefghijklmnopqrstuvwxyz-_0123",
        NAME "\"" ID "\"", NAME ID "; " NAME OTHER, NAME ID "; " NAME,
        NAME "abcdefghijklmnopqrstuvwxyz-_012%",
        NAME "abcdefghijklmnopqrstuvwxyz-_01\r\n",
        "payments-browser=" ID, "__host-payments-browser=" ID,
        "__Host-payments-browser =" ID, "x" NAME ID, "a=" NAME ID,
        NAME "abcdefghijklmnop," NAME "qrstuv"
    };

    for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        cr_expect_not(pay_risk_cookie_find(pay_str_of(headers[i]), &cookie),
                      "%s", headers[i]);
    }
}


Test(pay_risk_browser, a_cookie_that_is_set_is_found)
{
    char           text[PAY_HANDLE_MAX], wanted[256];
    pay_str_t      header, cookie;
    unsigned char  entropy[PAY_HANDLE_BYTES] = { 0xff, 0xfe, 0xfb, 7 };

    pay_handle(entropy, 0, text);
    cr_assert_eq(pay_risk_cookie_set(test_arena(), (pay_str_t) {
        PAY_HANDLE_TEXT, (unsigned char *) text }, &header), PAY_OK);
    cr_assert(pay_risk_cookie_find(header, &cookie));
    cr_expect(pay_str_eq(cookie, (pay_str_t) {
        PAY_HANDLE_TEXT, (unsigned char *) text }));
    /* no Domain: the prefix __Host- forbids it */
    snprintf(wanted, sizeof(wanted), NAME "%.*s; Max-Age=34128000; Path=/; "
             "Secure; HttpOnly; SameSite=Lax", PAY_HANDLE_TEXT, text);
    cr_expect(pay_str_is(header, wanted), "%.*s", pay_fmt(header));
}


Test(pay_risk_browser, only_hashes_leave_under_both_keys)
{
    unsigned         keys;
    pay_risk_t       risk;
    pay_risk_seen_t  seen, other;

    pay_risk_browser_t  browser = {
        PAY_STR(ID), 1, PAY_STR("Firefox"), PAY_STR("192.0.2.7")
    };

    for (keys = 1; keys <= 2; keys++) {
        risk = risk_of(keys);
        cr_assert_eq(pay_risk_see(test_arena(), &risk, &browser, &seen),
                     PAY_OK);
        cr_expect_eq(seen.browser.len, 2 * PAY_SHA256_SIZE);
        cr_expect_eq(seen.agent.len, 2 * PAY_SHA256_SIZE);
        cr_expect_eq(seen.before.len, keys == 1 ? 0 : 2 * PAY_SHA256_SIZE);
        cr_expect_not(pay_str_eq(seen.before, seen.browser));
        cr_expect(pay_str_is(seen.address, "192.0.2.7/32"));
        cr_expect(pay_str_is(seen.user_agent, "Firefox"));
    }

    browser.cookie = PAY_STR(OTHER);
    cr_assert_eq(pay_risk_see(test_arena(), &risk, &browser, &other), PAY_OK);
    cr_expect_not(pay_str_eq(seen.browser, other.browser));
    cr_expect(pay_str_eq(seen.agent, other.agent));
}


Test(pay_risk_browser, an_address_is_one_or_none)
{
    size_t           i;
    pay_risk_t       risk = risk_of(1);
    pay_risk_seen_t  seen;

    static const char *const  addresses[][2] = {
        { "2001:db8::1", "2001:db8::1/128" },
        { "::ffff:192.0.2.7", "192.0.2.7/32" },
        { "unix:", "" }, { "", "" }, { "192.0.2.7:443", "" },
        { "192.0.2.7, 10.0.0.1", "" }
    };

    for (i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        const pay_risk_browser_t  browser = {
            PAY_STR(ID), 0, PAY_STR(""), pay_str_of(addresses[i][0])
        };

        cr_assert_eq(pay_risk_see(test_arena(), &risk, &browser, &seen),
                     PAY_OK);
        cr_expect(pay_str_is(seen.address, addresses[i][1]), "%s",
                  addresses[i][0]);
        cr_expect_eq(seen.agent.len, 0);
    }
}


/* PostgreSQL would refuse the batch of a text that is not UTF-8. */
Test(pay_risk_browser, a_user_agent_is_bounded_and_plain)
{
    char             text[PAY_RISK_AGENT_MAX + 1];
    pay_risk_t       risk = risk_of(1);
    pay_risk_seen_t  seen, longer;

    pay_risk_browser_t  browser = { .cookie = PAY_STR(ID) };

    memset(text, 'x', sizeof(text));
    browser.user_agent = (pay_str_t) { PAY_RISK_AGENT_MAX,
                                       (unsigned char *) text };
    cr_assert_eq(pay_risk_see(test_arena(), &risk, &browser, &seen), PAY_OK);
    cr_expect_eq(seen.user_agent.len, (size_t) PAY_RISK_AGENT_MAX);

    browser.user_agent.len++;
    cr_assert_eq(pay_risk_see(test_arena(), &risk, &browser, &longer), PAY_OK);
    cr_expect_eq(longer.user_agent.len, 0);
    cr_expect(pay_str_eq(longer.agent, seen.agent));

    text[3] = '\xff';
    browser.user_agent.len = 8;
    cr_assert_eq(pay_risk_see(test_arena(), &risk, &browser, &seen), PAY_OK);
    cr_expect_eq(seen.user_agent.len, 0);
    cr_expect_eq(seen.agent.len, 2 * PAY_SHA256_SIZE);
}
