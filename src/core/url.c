/*
 * One URL parser and three judges: the storefront's return URL, the hosted
 * page's URL out of a PSP's answer, and a base_url of the configuration
 * (docs/security.md#rules-of-return-urls).  Nothing is normalised and nothing
 * is ever fetched; what goes out is built anew, with the authority taken from
 * configuration.
 */

#include "url_host.h"
#include "pay_address.h"


typedef struct {
    const char  *slug;
    const char  *detail;
    const char  *pointer;
    unsigned     fragment:1;    /* may the URL have one? */
    unsigned     named:1;       /* is a host that is refused? */
} pay_url_rule_t;


static pay_status_t pay_url_refuse(pay_err_t *err, const char *detail);
static int pay_url_text_is_sane(pay_str_t text);
static int pay_url_scheme(pay_str_t *rest, pay_url_t *url);
static int pay_url_authority(pay_str_t authority, pay_url_t *url);
static int pay_url_tail_is_sane(pay_str_t tail, const char *also);
static int pay_url_is_plain(pay_str_t path);
static pay_status_t pay_url_check(pay_arena_t *arena, pay_str_t text,
    const pay_str_t *hosts, size_t count, const pay_url_rule_t *rule,
    pay_str_t *out, pay_err_t *err);
static pay_status_t pay_url_build(pay_arena_t *arena, const pay_url_t *url,
    pay_str_t authority, pay_str_t *out);
static int pay_hex_value(unsigned char c);


static const pay_url_rule_t  pay_return_url_rule = {
    "return-url-not-allowed",
    "return_url must be https to one of the merchant's registered hosts, "
    "without a fragment",
    "/return_url", 0, 1
};

static const pay_url_rule_t  pay_hosted_url_rule = {
    "psp-refused",
    "The PSP named a payment page that the gateway does not allow.",
    "", 1, 0
};


/* Takes the text apart in the order of RFC 3986 appendix B, but accepts less
 * than the grammar: browsers, libcurl and nginx must all read the same host in
 * it.  *url borrows from `text` and is written only when all of it is
 * right. */
pay_status_t
pay_url_parse(pay_str_t text, pay_url_t *url, pay_err_t *err)
{
    pay_str_t  rest;
    pay_url_t  u;

    memset(&u, 0, sizeof(pay_url_t));

    if (text.len == 0 || text.len > PAY_URL_MAX) {
        return pay_url_refuse(err, "A URL must have 1 to 2048 bytes.");
    }

    if (!pay_url_text_is_sane(text)) {
        return pay_url_refuse(err, "A URL must be printable ASCII without "
                              "spaces, backslashes, broken percent escapes "
                              "or escaped control bytes.");
    }

    rest = text;

    if (!pay_url_scheme(&rest, &u)) {
        return pay_url_refuse(err, "A URL must start with https://.");
    }

    if (!pay_url_authority(pay_url_until(&rest, "/?#"), &u)) {
        return pay_url_refuse(err, "A URL must have a plain host name, no "
                              "user name and a valid port if any.");
    }

    /* The authority has ended at "/", "?", "#" or the end, so that a path is
     * empty or begins with "/". */
    u.path = pay_url_until(&rest, "?#");

    if (rest.len > 0 && rest.data[0] == '?') {
        rest.data++;
        rest.len--;
        u.query = pay_url_until(&rest, "#");
    }

    if (rest.len > 0) {
        u.fragment.data = rest.data + 1;
        u.fragment.len = rest.len - 1;
    }

    if (!pay_url_tail_is_sane(u.path, "/")
        || !pay_url_tail_is_sane(u.query, "/?[]")
        || !pay_url_tail_is_sane(u.fragment, "/?[]"))
    {
        return pay_url_refuse(err, "A URL must escape what RFC 3986 does not "
                              "allow as it stands.");
    }

    *url = u;

    return PAY_OK;
}


/* For paths that a webhook names (certificates of PayPal).  A comparison of
 * prefixes is safe only because the path holds no dot segments and no
 * escapes. */
int
pay_url_path_is_under(const pay_url_t *url, pay_str_t prefix)
{
    pay_str_t  path = url->path;

    return path.len > prefix.len
           && memcmp(path.data, prefix.data, prefix.len) == 0
           && path.data[path.len - 1] != '/' && pay_url_is_plain(path);
}


/* The prefix comes from the configuration and obeys the same rules, else
 * nothing could lie below it. */
int
pay_url_prefix_is_valid(pay_str_t prefix)
{
    if (prefix.len == 0 || prefix.len > PAY_URL_MAX
        || prefix.data[prefix.len - 1] != '/')
    {
        return 0;
    }

    prefix.len--;

    return prefix.len == 0 || pay_url_is_plain(prefix);
}


/* The port takes part: https://shop.example:8443 may be another service on the
 * same host. */
int
pay_url_host_is(const pay_url_t *url, pay_str_t allowed)
{
    unsigned   port, allowed_port, standard;
    pay_str_t  host;

    standard = pay_str_is(url->scheme, "https") ? 443 : 80;

    if (!pay_host_split(allowed, &host, &allowed_port)) {
        return 0;
    }

    if (allowed_port == 0) {
        allowed_port = standard;
    }

    port = standard;

    if (url->port.len > 0 && !pay_url_port(url->port, &port)) {
        return 0;
    }

    return port == allowed_port && pay_host_eq(url->host, host);
}


pay_status_t
pay_return_url_check(pay_arena_t *arena, pay_str_t text,
    const pay_str_t *hosts, size_t count, pay_str_t *out, pay_err_t *err)
{
    return pay_url_check(arena, text, hosts, count, &pay_return_url_rule, out,
                         err);
}


pay_status_t
pay_hosted_url_check(pay_arena_t *arena, pay_str_t text,
    const pay_str_t *hosts, size_t count, pay_str_t *out, pay_err_t *err)
{
    return pay_url_check(arena, text, hosts, count, &pay_hosted_url_rule, out,
                         err);
}


/* Hosts of calls to PSPs come from the configuration (docs/security.md T18),
 * so that a bad one is refused before nginx starts; names that resolve to
 * private addresses are found at each connection. */
pay_status_t
pay_base_url_check(pay_str_t text, int allow_private, pay_err_t *err)
{
    uint32_t       address;
    pay_url_t      url;
    unsigned char  bytes[4];

    memset(&url, 0, sizeof(url));

    if (pay_url_parse(text, &url, NULL) != PAY_OK) {
        return pay_refuse(err, "configuration",
                          "write it as https://host[:port][/path]");
    }

    if (url.query.data != NULL || url.fragment.data != NULL) {
        return pay_refuse(err, "configuration",
                          "remove the \"?\" or \"#\" and what follows it");
    }

    /* A mock on the same host: the tests and `make demo` need no certificate
     * for it. */
    if (pay_host_is_loopback(url.host)) {
        return PAY_OK;
    }

    if (!pay_str_is(url.scheme, "https")) {
        return pay_refuse(err, "configuration", "use https:// (http:// is for "
                          "a loopback host only)");
    }

    if (!pay_host_is_literal(url.host)) {
        return PAY_OK;
    }

    if (!pay_host_ipv4(url.host, &address)) {
        return pay_refuse(err, "configuration", "write an IPv4 address as "
                          "four decimal numbers, or use a host name");
    }

    bytes[0] = (unsigned char) (address >> 24);
    bytes[1] = (unsigned char) (address >> 16);
    bytes[2] = (unsigned char) (address >> 8);
    bytes[3] = (unsigned char) address;

    if (pay_address_is_special(bytes, sizeof(bytes)) && !allow_private) {
        return pay_refuse(err, "configuration", "use a host name or a public "
                          "address instead of a private one");
    }

    return PAY_OK;
}


static pay_status_t
pay_url_refuse(pay_err_t *err, const char *detail)
{
    return pay_refuse(err, "return-url-not-allowed", detail);
}


/* Characters that are refused everywhere, plain and behind a percent sign. */
static int
pay_url_text_is_sane(pay_str_t text)
{
    int     high, low, byte;
    size_t  i;

    for (i = 0; i < text.len; i++) {

        if (text.data[i] <= 0x20 || text.data[i] >= 0x7f
            || text.data[i] == '\\')
        {
            return 0;
        }

        if (text.data[i] != '%') {
            continue;
        }

        /* "%" and two digits, or the escape is broken. */
        if (text.len - i < 3) {
            return 0;
        }

        high = pay_hex_value(text.data[i + 1]);
        low = pay_hex_value(text.data[i + 2]);

        if (high < 0 || low < 0) {
            return 0;
        }

        byte = high * 16 + low;

        /* %0d%0a in a Location header or a log would begin a new line
         * (docs/security.md R2). */
        if (byte < 0x20 || byte == 0x7f) {
            return 0;
        }
    }

    return 1;
}


/* Exact case: "HTTPS://" is legal, but no caller needs it, and a second
 * spelling is a second chance to disagree. */
static int
pay_url_scheme(pay_str_t *rest, pay_url_t *url)
{
    size_t                  i;
    static const pay_str_t  schemes[2] = {
        pay_string("https"), pay_string("http")
    };

    for (i = 0; i < 2; i++) {

        if (rest->len < schemes[i].len + 3
            || memcmp(rest->data, schemes[i].data, schemes[i].len) != 0
            || memcmp(rest->data + schemes[i].len, "://", 3) != 0)
        {
            continue;
        }

        url->scheme.data = rest->data;
        url->scheme.len = schemes[i].len;
        rest->data += schemes[i].len + 3;
        rest->len -= schemes[i].len + 3;

        return 1;
    }

    return 0;
}


/* The part of the host ends at the first ":", so that a user name ("a@b",
 * "a:b@c") fails as a host or as a port. */
static int
pay_url_authority(pay_str_t authority, pay_url_t *url)
{
    unsigned  port;

    if (!pay_host_split(authority, &url->host, &port)) {
        return 0;
    }

    if (url->host.len < authority.len) {
        url->port.data = url->host.data + url->host.len + 1;
        url->port.len = authority.len - url->host.len - 1;
    }

    return 1;
}


/* RFC 3986 3.3: pchar, and what else `also` allows in this part.  Escapes
 * were judged before. */
static int
pay_url_tail_is_sane(pay_str_t tail, const char *also)
{
    size_t  i;

    for (i = 0; i < tail.len; i++) {
        if (!pay_url_alnum(tail.data[i])
            && !pay_url_in(tail.data[i], "-._~%!$&'()*+,;=:@")
            && !pay_url_in(tail.data[i], also))
        {
            return 0;
        }
    }

    return 1;
}


/* '/' before each segment, and no segment that a server may read otherwise. */
static int
pay_url_is_plain(pay_str_t path)
{
    size_t     i;
    pay_str_t  segment;

    while (path.len > 0) {
        if (path.data[0] != '/') {
            return 0;
        }

        path.data++;
        path.len--;
        segment = pay_url_until(&path, "/");

        if (segment.len == 0 || pay_str_is(segment, ".")
            || pay_str_is(segment, ".."))
        {
            return 0;
        }

        for (i = 0; i < segment.len; i++) {
            if (!pay_url_alnum(segment.data[i])
                && !pay_url_in(segment.data[i], "-._~"))
            {
                return 0;
            }
        }
    }

    return 1;
}


/* The list of a merchant's hosts is confidential: a message names only the host
 * that was in the request. */
static pay_status_t
pay_url_check(pay_arena_t *arena, pay_str_t text, const pay_str_t *hosts,
    size_t count, const pay_url_rule_t *rule, pay_str_t *out, pay_err_t *err)
{
    int        loopback;
    size_t     i;
    pay_url_t  url;

    memset(&url, 0, sizeof(url));

    if (pay_url_parse(text, &url, NULL) != PAY_OK) {
        return pay_refuse_at(err, rule->slug, rule->detail, "%s",
                             rule->pointer);
    }

    /* A host of the test system may be plain http, if the merchant has
     * registered it. */
    loopback = pay_host_is_loopback(url.host);

    if ((url.fragment.data != NULL && !rule->fragment)
        || (!loopback && !pay_str_is(url.scheme, "https"))
        || (!loopback && pay_host_is_literal(url.host)))
    {
        return pay_refuse_at(err, rule->slug, rule->detail, "%s",
                             rule->pointer);
    }

    for (i = 0; i < count; i++) {
        if (pay_url_host_is(&url, hosts[i])) {
            return pay_url_build(arena, &url, hosts[i], out);
        }
    }

    (void) pay_refuse_at(err, rule->slug, rule->detail, "%s", rule->pointer);

    if (rule->named) {
        pay_err_say(err, "%s; \"%.*s%s%.*s\" is not one of them",
                    rule->detail, pay_fmt(url.host),
                    url.port.len != 0 ? ":" : "", pay_fmt(url.port));
    }

    return PAY_INVALID;
}


/* Builds the target from its parts (docs/security.md R3).  The authority is
 * the configuration's spelling: nothing of the host that a client sent reaches
 * a Location header. */
static pay_status_t
pay_url_build(pay_arena_t *arena, const pay_url_t *url, pay_str_t authority,
    pay_str_t *out)
{
    pay_buf_t  buf;

    /* the entry may be longer than the host it names by ":65535" only */

    pay_buf_init(&buf, arena, PAY_URL_MAX + 8);

    pay_buf_add(&buf, url->scheme);
    pay_buf_text(&buf, "://");
    pay_buf_add(&buf, authority);

    if (url->path.len > 0) {
        pay_buf_add(&buf, url->path);

    } else {
        pay_buf_text(&buf, "/");
    }

    if (url->query.len > 0) {
        pay_buf_text(&buf, "?");
        pay_buf_add(&buf, url->query);
    }

    if (url->fragment.len > 0) {
        pay_buf_text(&buf, "#");
        pay_buf_add(&buf, url->fragment);
    }

    return pay_buf_done(&buf, out);
}


static int
pay_hex_value(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c = pay_url_lower(c);

    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
