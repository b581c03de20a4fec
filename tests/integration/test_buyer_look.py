"""The merchant's look on the buyer's status page: name, logo, colors and texts
by directive, from the gateway itself and inert; and the storefront's own words,
locale and description, escaped."""

import re

import pytest
from support.client import Api, plain
from support.nginxconf import MINIMAL, Nginx, swap
from support.problems import assert_headers, assert_problem

BROWSER = {"Accept": "text/html"}
SVG = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8">
<rect width="8" height="8" fill="#0b4fc0"/></svg>
"""
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360f8cf500f00040101003a8a1c"
    "1f0000000049454e44ae426082"
)
DECLINED = "4000000000000002"
NAME = "Ada's <b>Books</b>"
FSI, PDI = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"
MERCHANT = "payments_merchant acme {"
LOOK = f"""{MERCHANT}
    display_name "{NAME}";
    page_logo "@LOGO@";
    page_colors light=#7a1f3d,#ffffff dark=#ffb3c8,#000000;
    page_text "Questions? <i>help@shop.example</i>";
    page_text de "Fragen? hilfe@shop.example";
"""
FILE = re.compile(r'(?:href|src)="(/checkout/(?:look|logo)-[0-9a-f]{32}\.\w+)"')


def with_look(gateway, directory, logo: bytes, name: str) -> Nginx:
    path = directory / name
    path.write_bytes(logo)
    return Nginx(
        gateway,
        directory,
        swap(MINIMAL, (MERCHANT, LOOK.replace("@LOGO@", str(path)))),
    )


@pytest.fixture(scope="module")
def dressed(gateway, tmp_path_factory):
    """A second nginx, beside the stack's, whose merchant has a look."""
    directory = tmp_path_factory.mktemp("dressed")
    with with_look(gateway, directory, SVG, "logo.svg").start() as nginx:
        yield nginx


@pytest.fixture(scope="module")
def client(dressed, gateway):
    made = Api(dressed.url, gateway.ssl_context())
    made.http.event_hooks = {}
    yield made
    made.close()


@pytest.fixture(scope="module")
def sold(api, checkout):
    """sold(description=None, **members) -> path of its status page"""

    def make(description=None, **members):
        body = checkout(**members)
        if description is not None:
            body["payment_orders"][0]["description"] = description
        answer = api.create(body)
        assert answer.status_code == 201, answer.text
        return "/checkout/" + answer.json()["redirect_url"].rsplit("/", 1)[
            1
        ] + "/status"

    return make


@pytest.fixture(scope="module")
def page(client, sold):
    answer = client.get(sold(), headers=BROWSER)
    assert answer.status_code == 200
    return answer


def test_the_page_has_the_merchants_name_and_text(page):
    escaped = "Ada&#39;s &lt;b&gt;Books&lt;/b&gt;"
    assert f"Payment to {FSI}{escaped}{PDI}" in page.text
    assert "Questions? &lt;i&gt;help@shop.example&lt;/i&gt;" in page.text
    assert "Payment status" not in page.text
    assert_headers(page, html=True)


def test_an_error_has_no_look_while_it_may_be_of_two_merchants(client):
    """One merchant alone: tests/browser/test_look.py."""
    answer = client.get(f"/checkout/{'A' * 32}", headers=BROWSER)
    assert answer.status_code == 404
    assert "<p>Payment status</p>" in answer.text
    assert "logo-" not in answer.text and "look-" not in answer.text


def test_a_text_of_the_language_goes_first(client, sold):
    german = BROWSER | {"Accept-Language": "de"}
    answer = client.get(sold(), headers=german)
    assert "Fragen? hilfe@shop.example" in answer.text
    assert "Questions?" not in answer.text


def test_logo_and_style_sheet_are_files_of_the_gateway(client, page):
    style, logo = FILE.findall(page.text)
    sheet = client.get(style)
    assert sheet.headers["content-type"] == "text/css; charset=utf-8"
    assert "--button: #7a1f3d" in sheet.text
    assert "--on-button: #000000" in sheet.text
    image = client.get(logo)
    assert image.headers["content-type"] == "image/svg+xml"
    assert image.content == SVG
    for answer in (sheet, image):
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        policy = answer.headers.get_list("content-security-policy")
        assert len(policy) == 1
        assert "default-src 'none'" in policy[0] and "sandbox" in policy[0]
        assert "ratelimit" not in answer.headers


def test_another_name_of_a_file_is_not_found(client, page):
    _, logo = FILE.findall(page.text)
    for path in (logo.replace("logo-", "logo-0"), logo[:-4], "/checkout/logo-"):
        assert client.get(path).status_code == 404


def test_a_file_has_no_other_methods(client, page):
    style, _ = FILE.findall(page.text)
    assert client.request("DELETE", style).status_code == 405
    assert not client.http.head(style).content


def test_a_png_is_taken_too(gateway, tmp_path):
    nginx = with_look(gateway, tmp_path, PNG, "logo.png")
    assert nginx.test()[0] == 0


BAD = {
    "a script": (b"<svg><script>alert(1)</script></svg>", "x.svg", "a script"),
    "an entity": (b'<!DOCTYPE a [<!ENTITY b "c">]><svg/>', "x.svg", "entity"),
    "foreign": (b"<svg><foreignObject/></svg>", "x.svg", "foreign content"),
    "no image": (b"<html></html>", "x.svg", "no SVG"),
    "no PNG": (SVG, "x.png", "no PNG"),
    "another kind": (SVG, "x.gif", "ends with .svg or .png"),
    "too large": (SVG + b" " * 65536, "x.svg", "larger than 64k"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_logo_is_refused(gateway, tmp_path, name):
    logo, file, says = BAD[name]
    code, said = with_look(gateway, tmp_path, logo, file).test()
    assert code != 0
    assert says in said


def test_the_storefronts_locale_goes_before_the_browsers(anonymous, sold):
    french = BROWSER | {"Accept-Language": "fr"}
    answer = anonymous.get(sold(locale="ja-JP"), headers=french)
    assert answer.headers["content-language"] == "ja"
    answer = anonymous.get(sold(locale="zh-CN"), headers=french)
    assert answer.headers["content-language"] == "fr"


HOSTILE = [
    ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;"),
    ('"><script>1</script>', "&quot;&gt;&lt;script&gt;1&lt;/script&gt;"),
    ("{{pay_url}} {{@top}}", "{{pay_url}} {{@top}}"),
    ("كتاب\N{RIGHT-TO-LEFT MARK}", "كتاب\N{RIGHT-TO-LEFT MARK}"),
    ("W" * 256, "W" * 256),
]


@pytest.mark.parametrize(("said", "shown"), HOSTILE)
def test_a_description_is_shown_and_harmless(anonymous, sold, said, shown):
    answer = anonymous.get(sold(description=said), headers=BROWSER)
    assert f'<span class="item"><bdi>{shown}</bdi></span>' in answer.text
    assert "<script" not in answer.text
    # the logo of make up's shop
    assert re.findall("<img[^>]*", answer.text) == re.findall(
        '<img class="logo" src="[/a-z0-9.-]+" alt=""', answer.text
    )


@pytest.mark.parametrize(
    "text",
    ["", "a\nb", "a\u202eb", "\u2067a", "W" * 257, "W" * 10_000, 7,
     None],  # fmt: skip
)
def test_a_description_that_could_mislead_is_refused(
    api, checkout, gateway, text
):
    body = checkout()
    body["payment_orders"][0]["description"] = text
    answer = api.create(body)
    document = assert_problem(answer, 422, "validation-error", gateway.url)
    pointer = "/payment_orders/0/description"
    assert document["errors"][0]["pointer"] == pointer


def test_a_description_with_a_nul_is_no_json(api, checkout, gateway):
    body = checkout()
    body["payment_orders"][0]["description"] = "a\0b"
    assert_problem(api.create(body), 400, "invalid-json", gateway.url)



@pytest.mark.parametrize("tag", ["d", "de_AT", "de,en", "", 7, None])
def test_a_locale_that_is_no_tag_is_refused(api, checkout, gateway, tag):
    answer = api.create(checkout(locale=tag))
    document = assert_problem(answer, 422, "validation-error", gateway.url)
    assert document["errors"][0]["pointer"] == "/locale"


def test_a_pending_payment_tells_to_wait(
    anonymous, api, checkout, mock, wait_for
):
    """The PSP's word reaches the status page, not only the way back."""
    body = checkout(psp="stripe")
    answer = api.create(body)
    url = answer.json()["redirect_url"]
    order = body["payment_orders"][0]["payment_order_id"]
    (registration,) = mock.books(nonce=order)["registrations"]
    mock.settings(pending_ms=600_000)
    try:
        mock.pay(registration["token"], "pending")
        wait_for(
            lambda: "Your payment is being confirmed"
            in anonymous.get(f"{url}/status", headers=BROWSER).text,
            what="the page to tell of a pending payment",
        )
    finally:
        mock.settings(pending_ms=1500)
    shown = anonymous.get(f"{url}/status", headers=BROWSER)
    assert "Continue to payment" not in shown.text
    assert 'class="button"' not in shown.text
    assert "Refresh" in shown.headers


def test_a_decline_leaves_a_way_back_to_the_hosted_page(
    anonymous, api, checkout, wait_for
):
    body = checkout(psp="stripe")
    url = api.create(body).json()["redirect_url"]
    hosted = anonymous.get(url).headers["location"].partition("#")[0]
    form = {"number": DECLINED, "expiry": "12/39", "cvc": "123"}
    with plain(timeout=30) as buyer:
        assert buyer.post(hosted, data=form).status_code == 402
    shown = wait_for(
        lambda: next(
            (
                page
                for page in [anonymous.get(f"{url}/status", headers=BROWSER)]
                if "Your payment was not approved" in page.text
            ),
            None,
        ),
        what="the page to tell of the decline",
    )
    assert "No money was taken." in shown.text
    handle = url.rsplit("/", 1)[1]
    assert f'class="button" href="/checkout/{handle}"' in shown.text
    assert anonymous.get(url).status_code == 303
