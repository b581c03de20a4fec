/*
 * The browser in which a buyer opens a checkout: its cookie, and the hashes of
 * it that leave the worker.  The cookie is a random name and nothing else: no
 * answer depends on it.
 */

#include "risk.h"
#include "pay_id.h"

#include <string.h>


/* The prefix makes browsers refuse it from other hosts of the domain, and
 * without TLS: nobody can give a buyer another one's cookie. */
#define COOKIE       "__Host-payments-browser"
/* 13 months, as long as the browser is kept; it is never set anew before. */
#define COOKIE_LIFE  "34128000"


static pay_str_t next_pair(pay_str_t *header);
static int is_plain(pay_str_t text);


/* Two of one name are none: the gateway sets one, so that the sender of the
 * second is unknown. */
int
pay_risk_cookie_find(pay_str_t header, pay_str_t *cookie)
{
    int        found = 0;
    size_t     len = strlen(COOKIE "=");
    pay_str_t  pair;

    while (header.len != 0) {
        pair = next_pair(&header);

        if (pair.len < len || memcmp(pair.data, COOKIE "=", len) != 0) {
            continue;
        }

        cookie->data = pair.data + len;
        cookie->len = pair.len - len;
        found++;
    }

    return found == 1 && cookie->len == PAY_HANDLE_TEXT
           && pay_handle_is_valid(*cookie);
}


/* Takes a pair and the semicolon behind it (RFC 6265, section 4.2.1). */
static pay_str_t
next_pair(pay_str_t *header)
{
    size_t     skip;
    pay_str_t  pair = *header;

    while (pair.len != 0 && (*pair.data == ' ' || *pair.data == '\t')) {
        pair.data++;
        pair.len--;
    }

    for (skip = 0; skip < pair.len && pair.data[skip] != ';'; skip++) {
        /* void */
    }

    header->data = pair.data + skip + (skip < pair.len);
    header->len = pair.len - skip - (skip < pair.len);
    pair.len = skip;

    while (pair.len != 0 && (pair.data[pair.len - 1] == ' '
                             || pair.data[pair.len - 1] == '\t'))
    {
        pair.len--;
    }

    return pair;
}


/* Lax: the buyer comes from the storefront's site by a link. */
pay_status_t
pay_risk_cookie_set(pay_arena_t *arena, pay_str_t cookie, pay_str_t *header)
{
    return pay_format(arena, header, 256, COOKIE "=%.*s; Max-Age=" COOKIE_LIFE
                      "; Path=/; Secure; HttpOnly; SameSite=Lax",
                      pay_fmt(cookie));
}


pay_status_t
pay_risk_see(pay_arena_t *arena, const pay_risk_t *risk,
    const pay_risk_browser_t *browser, pay_risk_seen_t *seen)
{
    pay_str_t           agent = browser->user_agent;
    const pay_str_t     kind = PAY_STR("browser");
    pay_risk_address_t  address;

    memset(seen, 0, sizeof(*seen));

    PAY_TRY(pay_risk_hash(arena, risk, 0, kind, browser->cookie,
                          &seen->browser));

    /* entries of lists may be under the key before this one */
    if (risk->key_count > 1) {
        PAY_TRY(pay_risk_hash(arena, risk, 1, kind, browser->cookie,
                              &seen->before));
    }

    if (agent.len > PAY_RISK_AGENT_MAX) {
        agent.len = PAY_RISK_AGENT_MAX;

    } else if (is_plain(agent)) {
        seen->user_agent = agent;
    }

    if (agent.len != 0) {
        PAY_TRY(pay_risk_hash(arena, risk, 0, PAY_STR("user_agent"), agent,
                              &seen->agent));
    }

    return pay_risk_address(browser->address, &address) != PAY_OK
           ? PAY_OK
           : pay_risk_prefix(arena, &address, address.is_v6 ? 128 : 32,
                             &seen->address);
}


/* PostgreSQL refuses a text that is not UTF-8, and a whole batch with it. */
static int
is_plain(pay_str_t text)
{
    size_t  i;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] < 0x20 || text.data[i] > 0x7e) {
            return 0;
        }
    }

    return 1;
}
