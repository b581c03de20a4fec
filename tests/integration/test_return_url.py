"""Return URLs (docs/security.md X53-X55): only https on the merchant's
registered hosts, or exactly the loopback host that is registered."""

import pytest
from support.bodies import changed
from support.client import fresh_key

SLUG = "return-url-not-allowed"
SHOP = "https://shop.example.com"

REFUSED = [
    "", " ", "/", "/back", "back", "?x=1", "#x", "//shop.example.com/",
    "//evil.example/", "///evil.example", "https:", "https:/", "https://",
    "https:///", "https:shop.example.com", "https:/shop.example.com/",
    "https:\\\\shop.example.com/", "http://shop.example.com/",
    "HTTP://shop.example.com/", "ftp://shop.example.com/",
    "ws://shop.example.com/", "file:///etc/passwd", "javascript:alert(1)",
    "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "vbscript:x",
    "data:text/html,<script>alert(1)</script>", "blob:https://x/y",
    "about:blank", "mailto:x@shop.example.com", "intent://x#Intent;end",
    f"view-source:{SHOP}/", f"jar:{SHOP}/!/",
    "https://evil.example/", "https://evil.example/shop.example.com",
    "https://shop.example.com@evil.example/",
    "https://shop.example.com:x@evil.example/",
    "https://user@shop.example.com/", "https://:@shop.example.com/",
    "https://@shop.example.com/", "https://shop.example.com.evil.example/",
    "https://evilshop.example.com/", "https://www.shop.example.com/",
    "https://example.com/", "https://shop.example.com./",
    "https://.shop.example.com/", "https://shop..example.com/",
    "https://shop.example.com\\@evil.example/",
    "https://shop.example.com\\.evil.example/", "https://evil.example#@"
    "shop.example.com/", "https://evil.example?@shop.example.com/",
    "https://evil.example/@shop.example.com/",
    "https://evil.example;shop.example.com/",
    "https://shop.example.com%2eevil.example/",
    "https://shop%2eexample%2ecom/", "https://%73hop.example.com/",
    "https://shop.example.com%00.evil.example/",
    "https://shop.example.com%0d%0a/", "https://sh\u043ep.example.com/",
    "https://shop\u3002example\u3002com/", "https://shop\uff0eexample.com/",
    "https://\uff53hop.example.com/", "https://xn--shp-tna.example.com/",
    "https://shop.ex\u00e4mple.com/", "https://shop.example.com\u2044x/",
    "https://shop.example\u00ad.com/", "https://shop.example.com\u200b/",
    "https://127.0.0.1/", "https://127.1/", "https://2130706433/",
    "https://0x7f000001/", "https://0177.0.0.1/", "https://[::1]/",
    "https://[::ffff:127.0.0.1]/", "https://169.254.169.254/latest",
    "https://10.0.0.1/", "https://0.0.0.0/", "https://localhost/",
    "http://localhost/", "http://127.0.0.1/", "http://127.0.0.1:1/",
    "http://[::1]/", "http://metadata.google.internal/",
    "https://shop.example.com:443@evil.example/",
    "https://shop.example.com:8443/", "https://shop.example.com:80/",
    "https://shop.example.com:0/", "https://shop.example.com:65536/",
    "https://shop.example.com:/", "https://shop.example.com:0443/",
    "https://shop.example.com:443x/", "https://shop.example.com:-1/",
    "https://shop.example.com: 443/", f"{SHOP}/#fragment", f"{SHOP}/#",
    f"{SHOP}/%0d%0aSet-Cookie:%20a=b", f"{SHOP}/?a=%0d%0aX:%20y",
    f"{SHOP}/%0A", f"{SHOP}/%00", f"{SHOP}/%7f", f"{SHOP}/%1b[31m",
    f"{SHOP}/\r\nSet-Cookie: a=b", f"{SHOP}/\n", f"{SHOP}/\r", f"{SHOP}/\t",
    f"\t{SHOP}/", f" {SHOP}/", f"{SHOP}/ ", f"{SHOP}/a b", f"{SHOP}/a\\b",
    f"{SHOP}\\", f'{SHOP}/"x"', f"{SHOP}/<x>", f"{SHOP}/{{x}}",
    f"{SHOP}/|x", f"{SHOP}/^x", f"{SHOP}/`x`", f"{SHOP}/%", f"{SHOP}/%4",
    f"{SHOP}/%zz", f"{SHOP}/%u0041", f"{SHOP}/caf\u00e9",
    f"{SHOP}/\u202e/", f"{SHOP}/\u0001", f"{SHOP}/\u007f", f"{SHOP}/\u0085",
    f"{SHOP}/\U0001f600", f"{SHOP}/{'a' * (2049 - len(SHOP) - 1)}",
    f"{SHOP}/?{'a' * 8000}", f"{SHOP},https://evil.example/",
    f"{SHOP}/ https://evil.example/", "https://https://shop.example.com/",
    "https://shop.example.com https://evil.example/", "url:https://x/",
]  # fmt: skip

NO_STRING = [None, 0, 1, True, False, [], {}, [f"{SHOP}/"], {"url": SHOP}]

ALLOWED = [
    f"{SHOP}/", SHOP, f"{SHOP}/back", f"{SHOP}/a/b/../c?x=1&y=%20",
    f"{SHOP}?x=1", "https://SHOP.example.COM/", f"{SHOP}:443/",
    f"{SHOP}//evil.example/", f"{SHOP}/@evil.example", f"{SHOP}/%2e%2e/",
    f"{SHOP}/?u=https://evil.example/", f"{SHOP}/~a_b-c.d;e=f,g!$&'()*+:@",
    f"{SHOP}/{'a' * (2048 - len(SHOP) - 1)}",
]  # fmt: skip


@pytest.mark.parametrize("url", REFUSED, ids=lambda url: ascii(url)[:60])
def test_return_url_elsewhere_is_refused(refused, checkout, url):
    good = checkout()
    document = refused(changed(good, ("return_url",), url), good, 422, SLUG)
    assert document["errors"][0]["pointer"] == "/return_url"


@pytest.mark.parametrize("value", NO_STRING, ids=ascii)
def test_return_url_that_is_no_string_is_refused(refused, checkout, value):
    good = checkout()
    refused(
        changed(good, ("return_url",), value), good, 422, "validation-error"
    )


@pytest.mark.parametrize("url", ALLOWED, ids=lambda url: url[:60])
def test_return_url_on_a_registered_host_is_taken(api, query, checkout, url):
    body = checkout(return_url=url)
    assert api.create(body).status_code == 201
    stored = query(
        "SELECT return_url FROM pay.checkout WHERE checkout_id = %s",
        body["checkout_id"],
    )[0][0]
    assert stored.startswith((f"{SHOP}/", f"{SHOP}:443/", f"{SHOP}?"))


def test_each_merchant_has_return_hosts_of_its_own(
    other_api, gateway, checkout
):
    mine = checkout(return_url="https://shop.globex.example/")
    assert other_api.create(mine).status_code == 201
    theirs = checkout(return_url=f"{SHOP}/")
    answer = other_api.create(theirs, fresh_key())
    assert answer.status_code == 422
    assert answer.json()["type"] == f"{gateway.url}/problems/{SLUG}"
