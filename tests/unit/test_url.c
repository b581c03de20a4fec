/*
 * URLs that want to lead elsewhere (docs/security.md R1-R4, T16, T17).  The
 * registered host is shop.example.com throughout, so that each spelling that
 * a browser would send to another place must be refused.
 */

#include <criterion/criterion.h>

#include "torture.h"
#include "pay_url.h"


#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))
#define SHOP      "shop.example.com"


static const pay_str_t  hosts[] = {
    pay_string(SHOP), pay_string("pay.example.com:8443"),
    pay_string("127.0.0.1:9000"), pay_string("localhost"),
    pay_string("10.0.0.7"), pay_string("8.8.8.8")
};


static const char *const  hostile[] = {
    /* other places */
    "https://evil.example/", "https://example.com/",
    "https://" SHOP ".evil.example/", "https://evil" SHOP "/",
    "https://xshop.example.com/", "https://sub." SHOP "/",
    "https://shop-example.com/", "https://shop.example.co/",
    "https://shopXexample.com/",
    /* userinfo */
    "https://" SHOP "@evil.example/", "https://" SHOP ":443@evil.example/",
    "https://user@" SHOP "/", "https://user:pw@" SHOP "/",
    "https://@" SHOP "/", "https://:@" SHOP "/",
    "https://" SHOP "%40evil.example/",
    /* backslashes and what browsers take for slashes */
    "https://" SHOP "\\@evil.example/", "https://evil.example\\" SHOP "/",
    "https:\\\\" SHOP "/", "https://" SHOP "\\evil", "https:/\\" SHOP "/",
    "\\\\evil.example/", "https://" SHOP "/a\\b",
    /* relative and schemeless */
    "//evil.example/", "//" SHOP "/", "/done", "done", "", "?x=1", "#x",
    "https:evil.example", "https:" SHOP "/", "https:/" SHOP "/",
    "https:///" SHOP "/", "https:////" SHOP "/", "https://", "https:///",
    "https:", "https", "://" SHOP "/", SHOP "/done",
    /* other schemes */
    "http://" SHOP "/", "javascript:alert(1)", "javascript://" SHOP "/%0aalert",
    "data:text/html,hi", "ftp://" SHOP "/", "file:///etc/passwd",
    "vbscript:x", "wss://" SHOP "/", "blob:https://" SHOP "/1",
    "view-source:https://" SHOP "/", "httpss://" SHOP "/", "https ://" SHOP "/",
    "HTTPS://" SHOP "/", "Https://" SHOP "/", "jar:https://" SHOP "!/",
    /* fragments */
    "https://evil.example#" SHOP, "https://" SHOP "/#", "https://" SHOP "/#x",
    "https://" SHOP "#@evil.example/", "https://" SHOP "/?a=1#b",
    /* the authority ends where a browser says */
    "https://evil.example?" SHOP "/", "https://evil.example/" SHOP,
    "https://evil.example;" SHOP "/", "https://" SHOP ";evil.example/",
    "https://" SHOP ",evil.example/", "https://" SHOP "&evil.example/",
    /* ports */
    "https://" SHOP ":8443/", "https://" SHOP ":80/", "https://" SHOP ":0/",
    "https://" SHOP ":/", "https://" SHOP ":0443/", "https://" SHOP ":65979/",
    "https://" SHOP ":99999/", "https://" SHOP ":4294967739/",
    "https://" SHOP ":+443/", "https://" SHOP ":443:443/",
    "https://" SHOP ":44a/", "https://" SHOP ":-1/", "https://" SHOP ": 443/",
    "https://pay.example.com/", "https://pay.example.com:443/",
    /* escapes and empty labels in the host */
    "https://shop%2eexample.com/", "https://shop%2Eexample.com/",
    "https://%73hop.example.com/", "https://" SHOP "%2f.evil.example/",
    "https://" SHOP "%00.evil.example/", "https://" SHOP "./",
    "https://." SHOP "/", "https://shop..example.com/", "https://./",
    "https://-" SHOP "/", "https://" SHOP "-/", "https://shop_.example.com/",
    "https://*.example.com/", "https://.example.com/",
    /* Unicode: full stops, full-width letters, a soft hyphen, a look-alike */
    "https://shop\xe3\x80\x82" "example.com/",
    "https://shop\xef\xbc\x8e" "example.com/",
    "https://\xef\xbd\x93hop.example.com/", "https://sh\xc2\xadop.example.com/",
    "https://sh\xd0\xbep.example.com/", "https://" SHOP "/caf\xc3\xa9",
    "https://evil\xef\xbc\x8f." SHOP "/", "https://xn--shp-tdc.example.com/",
    /* IP literals */
    "https://127.0.0.1/", "https://127.1/", "https://2130706433/",
    "https://0x7f.1/", "https://0x7f000001/", "https://0X7F000001/",
    "https://017700000001/", "https://0177.0.0.1/", "https://127.0.0.1./",
    "https://127.0.0.01/", "https://127.0.0.1.example.0x1/",
    "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[fe80::1%25lo]/",
    "https://[" SHOP "]/", "https://8.8.8.8/", "https://134744072/",
    "https://10.0.0.7/", "https://169.254.169.254/", "https://0/",
    "https://0.0.0.0/", "https://256.256.256.256/", "https://1.2.3/",
    "http://10.0.0.7/", "http://0x7f.1:9000/", "http://127.0.0.1/",
    "http://127.0.0.2:9000/", "http://2130706433:9000/",
    "http://localhost:8080/", "http://localhost.evil.example/",
    "http://127.0.0.1.evil.example:9000/",
    /* control bytes, raw and escaped, anywhere */
    "https://" SHOP "/%0d%0aSet-Cookie:a=b", "https://" SHOP "/?a=%0a",
    "https://" SHOP "/%00", "https://" SHOP "/%1f", "https://" SHOP "/%7F",
    "https://" SHOP "/\r\nSet-Cookie: a=b", "https://" SHOP "/a\tb",
    "https://" SHOP "\t/", "https://" SHOP "\n/", "\thttps://" SHOP "/",
    " https://" SHOP "/", "https://" SHOP "/ ", "https://" SHOP "/a b",
    "h\nttps://" SHOP "/", "https:\n//" SHOP "/", "https://" SHOP "/\x7f",
    "https://" SHOP "/\x1b[31m", "https://" SHOP "/\x01",
    /* broken escapes, and bytes that no URL holds */
    "https://" SHOP "/%", "https://" SHOP "/%2", "https://" SHOP "/%zz",
    "https://" SHOP "/%2g", "https://" SHOP "/?%", "https://" SHOP "/%u0041",
    "https://" SHOP "/<script>", "https://" SHOP "/\"onload=", "https://"
    SHOP "/`", "https://" SHOP "/{x}", "https://" SHOP "/?a|b", "https://"
    SHOP "/^", "https://" SHOP "/[a]"
};


static void
expect_refused(pay_str_t text)
{
    pay_str_t    out = { 4711, NULL };
    pay_err_t    err = { .slug = NULL };
    pay_heap_t  *heap;

    heap = pay_heap_create();
    cr_expect_eq(pay_return_url_check(pay_heap_arena(heap), text, hosts,
                                      COUNT(hosts), &out, &err),
                 PAY_INVALID, "let pass: %.*s", pay_fmt(text));
    cr_expect_eq(out.len, 4711);
    cr_assert_not_null(err.slug);
    cr_expect_str_eq(err.slug, "return-url-not-allowed");
    pay_heap_destroy(heap);
}


static void
expect_return_url(const char *text, const char *expected)
{
    pay_str_t    out = { 0, NULL };
    pay_err_t    err;
    pay_heap_t  *heap;

    heap = pay_heap_create();
    cr_assert_eq(pay_return_url_check(pay_heap_arena(heap), pay_str_of(text),
                                      hosts, COUNT(hosts), &out, &err),
                 PAY_OK, "%s", text);
    cr_expect(pay_str_is(out, expected), "%s gave %.*s", text, pay_fmt(out));
    pay_heap_destroy(heap);
}


static pay_status_t
hosted(const char *text, pay_str_t *out, pay_heap_t *heap)
{
    pay_err_t     err = { .slug = NULL };
    pay_status_t  status;

    static const pay_str_t  allowed[] = {
        pay_string("checkout.stripe.com"), pay_string("127.0.0.1:8080")
    };

    status = pay_hosted_url_check(pay_heap_arena(heap), pay_str_of(text),
                                  allowed, COUNT(allowed), out, &err);

    if (status == PAY_INVALID) {
        cr_expect_str_eq(err.slug, "psp-refused");
    }

    return status;
}


Test(pay_url, hostile_return_urls_are_refused)
{
    size_t  i;

    cr_assert(COUNT(hostile) >= 60);

    for (i = 0; i < COUNT(hostile); i++) {
        expect_refused(pay_str_of(hostile[i]));
    }
}


/* None of them may reach the buyer by way of a PSP's answer either; those that
 * differ by the fragment alone are the exception
 * (docs/psp/stripe.md#registration). */
Test(pay_url, hostile_hosted_urls_are_refused)
{
    size_t       i;
    pay_str_t    out;
    pay_heap_t  *heap;

    heap = pay_heap_create();

    for (i = 0; i < COUNT(hostile); i++) {
        cr_expect_eq(hosted(hostile[i], &out, heap), PAY_INVALID, "%s",
                     hostile[i]);
    }

    pay_heap_destroy(heap);
}


Test(pay_url, nul_bytes_are_refused_anywhere)
{
    static const unsigned char  host[] = "https://" SHOP "\0/";
    static const unsigned char  path[] = "https://" SHOP "/\0";
    static const unsigned char  front[] = "\0https://" SHOP "/";

    expect_refused((pay_str_t) { sizeof(host) - 1, host });
    expect_refused((pay_str_t) { sizeof(path) - 1, path });
    expect_refused((pay_str_t) { sizeof(front) - 1, front });
    expect_refused((pay_str_t) { 0, NULL });
}


Test(pay_url, every_other_byte_in_the_host_is_refused)
{
    unsigned       c;
    unsigned char  text[] = "https://" SHOP "/";

    for (c = 0; c < 256; c++) {
        if ((c | 0x20) == 'p') {
            continue;
        }

        text[11] = (unsigned char) c;
        expect_refused((pay_str_t) { sizeof(text) - 1, text });
    }
}


Test(pay_url, return_url_on_a_registered_host_is_rebuilt)
{
    expect_return_url("https://" SHOP "/done", "https://" SHOP "/done");
    expect_return_url("https://" SHOP "/a/b;c=1?d=e&f=%20%C3%A9&g[]=1",
                      "https://" SHOP "/a/b;c=1?d=e&f=%20%C3%A9&g[]=1");
    expect_return_url("https://" SHOP "/?next=https://evil.example/",
                      "https://" SHOP "/?next=https://evil.example/");
    expect_return_url("https://" SHOP "//evil.example/",
                      "https://" SHOP "//evil.example/");
    expect_return_url("https://" SHOP "/@evil.example",
                      "https://" SHOP "/@evil.example");
}


/* R3: nothing of the authority is echoed. */
Test(pay_url, authority_comes_from_the_configuration)
{
    expect_return_url("https://SHOP.Example.COM/Done", "https://" SHOP "/Done");
    expect_return_url("https://" SHOP ":443/", "https://" SHOP "/");
    expect_return_url("https://PAY.example.com:8443/x",
                      "https://pay.example.com:8443/x");
}


Test(pay_url, empty_path_becomes_a_slash)
{
    expect_return_url("https://" SHOP, "https://" SHOP "/");
    expect_return_url("https://" SHOP "?a=1", "https://" SHOP "/?a=1");
    expect_return_url("https://" SHOP "/?", "https://" SHOP "/");
}


Test(pay_url, loopback_passes_when_registered_as_it_stands)
{
    expect_return_url("http://127.0.0.1:9000/done",
                      "http://127.0.0.1:9000/done");
    expect_return_url("https://127.0.0.1:9000/", "https://127.0.0.1:9000/");
    expect_return_url("http://localhost/x", "http://localhost/x");
}


Test(pay_url, nothing_passes_without_registered_hosts)
{
    pay_str_t    out;
    pay_err_t    err;
    pay_heap_t  *heap;

    static const pay_str_t  empty[] = { { 0, NULL } };

    heap = pay_heap_create();
    cr_expect_eq(pay_return_url_check(pay_heap_arena(heap),
                                      PAY_STR("https://" SHOP "/"), NULL, 0,
                                      &out, &err), PAY_INVALID);
    cr_expect_eq(pay_return_url_check(pay_heap_arena(heap),
                                      PAY_STR("https://" SHOP "/"), empty, 1,
                                      &out, NULL), PAY_INVALID);
    pay_heap_destroy(heap);
}


Test(pay_url, length_limit_is_2048)
{
    char         text[PAY_URL_MAX + 2];
    pay_str_t    out, url = { PAY_URL_MAX, (unsigned char *) text };
    pay_heap_t  *heap;

    memset(text, 'a', sizeof(text));
    memcpy(text, "https://" SHOP "/", sizeof("https://" SHOP "/") - 1);

    heap = pay_heap_create();
    cr_expect_eq(pay_return_url_check(pay_heap_arena(heap), url, hosts,
                                      COUNT(hosts), &out, NULL), PAY_OK);
    cr_expect_eq(out.len, PAY_URL_MAX);
    pay_heap_destroy(heap);

    url.len++;
    expect_refused(url);
}


Test(pay_url, host_and_label_lengths_are_limited)
{
    char       text[400];
    size_t     i;
    pay_url_t  url;

    memset(text, 'a', sizeof(text));
    memcpy(text, "https://", 8);
    text[8 + 64] = '/';
    cr_expect_eq(pay_url_parse((pay_str_t) { 73, (unsigned char *) text },
                               &url, NULL), PAY_INVALID);
    text[8 + 63] = '/';
    cr_expect_eq(pay_url_parse((pay_str_t) { 72, (unsigned char *) text },
                               &url, NULL), PAY_OK);

    for (i = 9; i < sizeof(text); i += 2) {
        text[i] = '.';
        text[i - 1] = 'a';
    }

    cr_expect_eq(pay_url_parse((pay_str_t) { 8 + 253,
                                             (unsigned char *) text },
                               &url, NULL), PAY_OK);
    cr_expect_eq(pay_url_parse((pay_str_t) { 8 + 255,
                                             (unsigned char *) text },
                               &url, NULL), PAY_INVALID);
}


Test(pay_url, parts_of_a_url_point_into_it)
{
    pay_url_t        u;
    pay_str_t        text;

    text = PAY_STR("https://a-1.example:8443/p/q?x=1?y#f/?");
    cr_assert_eq(pay_url_parse(text, &u, NULL), PAY_OK);
    cr_expect(pay_str_is(u.scheme, "https"));
    cr_expect(pay_str_is(u.host, "a-1.example"));
    cr_expect(pay_str_is(u.port, "8443"));
    cr_expect(pay_str_is(u.path, "/p/q"));
    cr_expect(pay_str_is(u.query, "x=1?y"));
    cr_expect(pay_str_is(u.fragment, "f/?"));
    cr_expect(u.fragment.data + u.fragment.len == text.data + text.len);

    cr_assert_eq(pay_url_parse(PAY_STR("http://h"), &u, NULL), PAY_OK);
    cr_expect_eq(u.port.len + u.path.len + u.query.len + u.fragment.len, 0);
    cr_expect_null(u.query.data);
    cr_expect_null(u.fragment.data);
}


Test(pay_url, second_hash_is_refused)
{
    pay_url_t  u;

    cr_expect_eq(pay_url_parse(PAY_STR("https://h/#a#b"), &u, NULL),
                 PAY_INVALID);
}


Test(pay_url, refused_url_leaves_the_parts_alone)
{
    pay_url_t  u;
    pay_err_t  err;

    u.host.len = 4711;
    cr_expect_eq(pay_url_parse(PAY_STR("https://a/%"), &u, &err), PAY_INVALID);
    cr_expect_eq(u.host.len, 4711);
    cr_expect_str_eq(err.slug, "return-url-not-allowed");
}


static int
host_is(const char *text, const char *allowed)
{
    pay_url_t  u;

    cr_assert_eq(pay_url_parse(pay_str_of(text), &u, NULL), PAY_OK);

    return pay_url_host_is(&u, pay_str_of(allowed));
}


Test(pay_url, host_is_compares_the_whole_authority)
{
    cr_expect(host_is("https://a.example/", "a.example"));
    cr_expect(host_is("https://a.example/", "A.EXAMPLE"));
    cr_expect(host_is("https://a.example:443/", "a.example"));
    cr_expect(host_is("https://a.example/", "a.example:443"));
    cr_expect(host_is("http://a.example/", "a.example:80"));
    cr_expect(host_is("http://a.example:8080/", "a.example:8080"));

    cr_expect_not(host_is("http://a.example/", "a.example:443"));
    cr_expect_not(host_is("https://a.example:444/", "a.example"));
    cr_expect_not(host_is("https://a.example/", "a.example:444"));
    cr_expect_not(host_is("https://a.example/", ".example"));
    cr_expect_not(host_is("https://a.example/", "*.example"));
    cr_expect_not(host_is("https://a.example/", "a.example/"));
    cr_expect_not(host_is("https://a.example/", "https://a.example"));
    cr_expect_not(host_is("https://a.example/", "a.example:"));
    cr_expect_not(host_is("https://a.example/", ""));
    cr_expect_not(host_is("https://a.example/", "b.a.example"));
}


Test(pay_url, hosted_url_keeps_its_fragment)
{
    pay_str_t    out;
    pay_heap_t  *heap;

    static const char  page[] =
        "https://checkout.stripe.com/c/pay/cs_test_a1B2#fidkdWxOYHwnPyd1%2F";

    heap = pay_heap_create();
    cr_assert_eq(hosted(page, &out, heap), PAY_OK);
    cr_expect(pay_str_is(out, page));
    cr_assert_eq(hosted("http://127.0.0.1:8080/pay/1?x=2#f", &out, heap),
                 PAY_OK);
    cr_expect(pay_str_is(out, "http://127.0.0.1:8080/pay/1?x=2#f"));
    pay_heap_destroy(heap);
}


/* T17: a swapped host in a PSP's answer. */
Test(pay_url, hosted_url_on_another_host_is_refused)
{
    size_t       i;
    pay_str_t    out;
    pay_heap_t  *heap;

    static const char *const  wrong[] = {
        "https://evil.example/c/pay/cs_test_a1",
        "http://checkout.stripe.com/c/pay/cs_test_a1",
        "https://checkout.stripe.com.evil.example/",
        "https://checkout.stripe.com:8443/",
        "https://checkout.stripe.com@evil.example/",
        "https://evil.example/#https://checkout.stripe.com/",
        "https://checkout.stripe.com/#%0a",
        "https://checkout.stripe.com/#<script>",
        "http://127.0.0.1/pay", "http://localhost:8080/pay",
        "javascript:alert(1)", ""
    };

    heap = pay_heap_create();

    for (i = 0; i < COUNT(wrong); i++) {
        cr_expect_eq(hosted(wrong[i], &out, heap), PAY_INVALID, "%s",
                     wrong[i]);
    }

    pay_heap_destroy(heap);
}


static pay_status_t
base(const char *text, int allow_private)
{
    pay_err_t     err = { .slug = NULL };
    pay_status_t  status;

    status = pay_base_url_check(pay_str_of(text), allow_private, &err);

    if (status != PAY_OK) {
        cr_expect_str_eq(err.slug, "configuration");
        cr_expect_not_null(err.detail);
    }

    return status;
}


Test(pay_url, base_urls_that_are_good)
{
    cr_expect_eq(base("https://api.stripe.com", 0), PAY_OK);
    cr_expect_eq(base("https://api.example.com:8443/v1/", 0), PAY_OK);
    cr_expect_eq(base("http://127.0.0.1:8080", 0), PAY_OK);
    cr_expect_eq(base("http://localhost:8080", 0), PAY_OK);
    cr_expect_eq(base("https://8.8.8.8", 0), PAY_OK);
    cr_expect_eq(base("https://10.1.2.3/", 1), PAY_OK);
    cr_expect_eq(base("https://172.32.0.1/", 0), PAY_OK);
    cr_expect_eq(base("https://100.128.0.1/", 0), PAY_OK);
}


Test(pay_url, base_urls_that_are_refused)
{
    size_t  i;

    static const char *const  wrong[] = {
        "", "api.stripe.com", "http://api.stripe.com", "ftp://a.example",
        "https://", "https://a.example/?x=1", "https://a.example/?",
        "https://a.example/#", "https://a.example/#x",
        "https://user:pw@a.example/", "https://a.example:0",
        "https://10.1.2.3", "https://172.16.0.1", "https://172.31.255.255",
        "https://192.168.1.1", "https://169.254.169.254", "https://0.0.0.0",
        "https://100.64.0.1", "https://224.0.0.1", "https://255.255.255.255",
        "http://10.1.2.3", "https://[::1]/", "http://128.0.0.1",
        "http://127.0.0.1.example.com", "http://localhost.example.com"
    };

    for (i = 0; i < COUNT(wrong); i++) {
        cr_expect_eq(base(wrong[i], 0), PAY_INVALID, "%s", wrong[i]);
    }
}


Test(pay_url, base_url_in_an_odd_spelling_of_an_address_is_always_refused)
{
    size_t  i;

    static const char *const  wrong[] = {
        "https://2130706433", "https://0x7f000001", "https://0x7f.1",
        "https://017700000001", "https://127.1", "https://10.1",
        "https://010.0.0.1", "https://1.2.3.4.5", "https://256.1.1.1",
        "http://127.1:8080", "https://a.example.0x10"
    };

    for (i = 0; i < COUNT(wrong); i++) {
        cr_expect_eq(base(wrong[i], 1), PAY_INVALID, "%s", wrong[i]);
    }
}


Test(pay_url, http_to_a_private_address_is_refused_even_when_allowed)
{
    cr_expect_eq(base("http://10.1.2.3", 1), PAY_INVALID);
}


Test(pay_url, loopback_is_localhost_and_127_slash_8)
{
    cr_expect(pay_host_is_loopback(PAY_STR("localhost")));
    cr_expect(pay_host_is_loopback(PAY_STR("LocalHost")));
    cr_expect(pay_host_is_loopback(PAY_STR("127.0.0.1")));
    cr_expect(pay_host_is_loopback(PAY_STR("127.255.0.9")));

    cr_expect_not(pay_host_is_loopback(PAY_STR("128.0.0.1")));
    cr_expect_not(pay_host_is_loopback(PAY_STR("127.0.0.1.")));
    cr_expect_not(pay_host_is_loopback(PAY_STR("127.0.0.1.example.com")));
    cr_expect_not(pay_host_is_loopback(PAY_STR("127.1")));
    cr_expect_not(pay_host_is_loopback(PAY_STR("127.0.0")));
    cr_expect_not(pay_host_is_loopback(PAY_STR("127.0.0.256")));
    cr_expect_not(pay_host_is_loopback(PAY_STR("127.0.0.001")));
    cr_expect_not(pay_host_is_loopback(PAY_STR("localhost.example.com")));
    cr_expect_not(pay_host_is_loopback(PAY_STR("")));
    cr_expect_not(pay_host_is_loopback((pay_str_t) { 0, NULL }));
}


Test(pay_url, host_entries)
{
    size_t  i;

    static const char *const  right[] = {
        "shop.example.com", "shop.example.com:8443", "localhost",
        "127.0.0.1:8080", "a", "A-1.Example"
    };

    static const char *const  wrong[] = {
        "", ":", ":80", "a:", "a:0", "a:65536", "a:080", "a:8 0", "a:80:80",
        "https://a", "a/", "a/b", "*.example.com", ".example.com", "a..b",
        "a.", "-a", "a-", "a b", "a_b", "user@a", "[::1]", "a?b", "a#b",
        "a%2eb", "\xc3\xa9.example", "2130706433", "0x7f.1", "127.1",
        "0x7f000001:80", "10.0.0.256"
    };

    for (i = 0; i < COUNT(right); i++) {
        cr_expect(pay_host_entry_is_valid(pay_str_of(right[i])), "%s",
                  right[i]);
    }

    for (i = 0; i < COUNT(wrong); i++) {
        cr_expect_not(pay_host_entry_is_valid(pay_str_of(wrong[i])), "%s",
                      wrong[i]);
    }

    cr_expect_not(pay_host_entry_is_valid((pay_str_t) pay_string("a\0" "80")));
}


static pay_status_t
return_url_once(pay_arena_t *arena, void *result)
{
    return pay_return_url_check(arena, PAY_STR("https://" SHOP "/?a=1"), hosts,
                                COUNT(hosts), result, NULL);
}


Test(pay_url, checks_survive_each_failing_allocation)
{
    cr_expect(torture(return_url_once, sizeof(pay_str_t)) >= 1);
}


Test(pay_url, a_prefix_ends_with_a_slash_and_is_plain)
{
    size_t  i;

    static const char *const  good[] = {
        "/", "/a/", "/v1/notifications/certs/", "/.a/a.b/~_-/"
    };

    static const char *const  bad[] = {
        "", "a/", "/a", "//", "/a//", "/../", "/a/./", "/a b/", "/%41/",
        "/a?/", "/a#/", "/a;/", "/a\\/", "https://x.example/"
    };

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        cr_expect(pay_url_prefix_is_valid(pay_str_of(good[i])), "%s", good[i]);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_expect_not(pay_url_prefix_is_valid(pay_str_of(bad[i])), "%s",
                      bad[i]);
    }
}
