/*
 * URLs that clients or PSPs name, and to which the gateway sends buyers or
 * requests (docs/security.md#rules-of-return-urls).  One parser for all;
 * nothing is normalised, only accepted or refused.
 */

#ifndef PAY_URL_H
#define PAY_URL_H

#include "pay_arena.h"


#define PAY_URL_MAX  2048

typedef struct {
    pay_str_t  scheme;         /* "https" or "http" */
    pay_str_t  host;           /* without port */
    pay_str_t  port;           /* digits, or empty */
    pay_str_t  path;           /* with the leading '/', or empty */
    pay_str_t  query;          /* without '?'; data is NULL when absent */
    pay_str_t  fragment;       /* without '#'; data is NULL when absent */
} pay_url_t;


/* Splits an absolute http(s) URL of at most PAY_URL_MAX bytes.  Refuses
 * (PAY_INVALID, slug "return-url-not-allowed"; the caller may replace it):
 * anything outside printable ASCII, spaces, backslash, characters that RFC 3986
 * requires to be escaped ([] pass in query and fragment), a scheme in capitals,
 * userinfo, empty or percent-encoded host, IPv6 literals, host characters other
 * than [A-Za-z0-9.-], empty labels, port not 1-65535 or with leading zero,
 * broken percent escapes, escaped control bytes (%00-%1f, %7f) anywhere. */
pay_status_t pay_url_parse(pay_str_t text, pay_url_t *url, pay_err_t *err)
    PAY_MUST_CHECK;

/* 1 when "host" or "host:port" (from configuration) is exactly the URL's
 * authority, ASCII case aside; no port in `allowed` means the scheme's
 * default port. */
int pay_url_host_is(const pay_url_t *url, pay_str_t allowed);

/* 1 when the path lies below `prefix`, which begins and ends with '/', in plain
 * words: segments of [A-Za-z0-9._~-], none of them empty, "." or "..", nothing
 * percent-encoded, so that no server reads another path in it. */
int pay_url_path_is_under(const pay_url_t *url, pay_str_t prefix);

/* 1 for "/" and for '/'-terminated paths of such segments. */
int pay_url_prefix_is_valid(pay_str_t prefix);

/* A storefront's return URL: https, host in `hosts`, no fragment, no IPv4
 * literal (127.0.0.1 and localhost pass, http too, when a `hosts` entry
 * names exactly that).  *out is rebuilt (R3): scheme, authority as `hosts`
 * spells it, path ("/" when empty), query.  Slug "return-url-not-allowed". */
pay_status_t pay_return_url_check(pay_arena_t *arena, pay_str_t text,
    const pay_str_t *hosts, size_t count, pay_str_t *out, pay_err_t *err)
    PAY_MUST_CHECK;

/* A hosted page's URL out of a PSP's answer: https (http for a loopback host),
 * host in `hosts`; the fragment is kept
 * (docs/psp/stripe.md#registration).  *out is rebuilt.  Slug "psp-refused". */
pay_status_t pay_hosted_url_check(pay_arena_t *arena, pay_str_t text,
    const pay_str_t *hosts, size_t count, pay_str_t *out, pay_err_t *err)
    PAY_MUST_CHECK;

/* A base_url of the configuration: https, or http when the host is
 * loopback; no query, no fragment; IPv4 literals of private, link-local or
 * unspecified ranges refused unless `allow_private`.  err->detail says how
 * to mend it (slug "configuration"). */
pay_status_t pay_base_url_check(pay_str_t text, int allow_private,
    pay_err_t *err) PAY_MUST_CHECK;

/* 1 for localhost and 127.0.0.0/8 in four decimal numbers. */
int pay_host_is_loopback(pay_str_t host);

/* A host[:port] entry of return_host / hosted_page_host is well-formed; an
 * IPv4 address only as four decimal numbers. */
int pay_host_entry_is_valid(pay_str_t entry);


#endif /* PAY_URL_H */
