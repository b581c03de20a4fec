"""The buyer's pages in the browser's language: which one, what its header
fields say, amounts as they are written there; errors as pages, and catalogues
that nginx -t refuses."""

import re
import shutil

import pytest
from support.client import raw
from support.configuration import PLACES
from support.gateway import ROOT
from support.nginxconf import MINIMAL, Nginx, swap
from support.problems import assert_headers, assert_problem

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
HTML = ROOT / "html"
JOBS = PLACES["jobs"]
NOBODY = "A" * 32
NBSP = "\N{NO-BREAK SPACE}"
RLM = "\N{RIGHT-TO-LEFT MARK}"
TAGS = ("en", "de", "fr", "es", "pt-BR", "ja", "ar")


def catalogue(tag: str) -> dict[str, str]:
    lines = (HTML / "locale" / f"{tag}.txt").read_text("utf-8").splitlines()
    return dict(
        line.split(" = ", 1) for line in lines if line and line[0] != "#"
    )


def in_language(tag: str) -> dict[str, str]:
    return BROWSER | {"Accept-Language": tag}


def vary(answer) -> list[str]:
    return sorted(answer.headers["vary"].split(", "))


@pytest.fixture(scope="module")
def sold(api, checkout):
    """sold(currency, amount) -> path of the status page of a new checkout"""

    def make(currency, amount):
        order = checkout.order(currency=currency, amount=amount)
        answer = api.create(checkout(payment_orders=[order]))
        assert answer.status_code == 201, answer.text
        return answer.json()["redirect_url"] + "/status"

    return make


@pytest.fixture(scope="module")
def page(sold):
    return sold("EUR", "1234.50")


@pytest.mark.parametrize("tag", TAGS)
def test_a_page_is_in_the_browsers_language(anonymous, page, tag):
    answer = anonymous.get(page, headers=in_language(f"{tag},en;q=0.3"))
    texts = catalogue(tag)
    assert answer.status_code == 200
    assert_headers(answer, html=True)
    assert answer.headers.get_list("content-language") == [tag]
    assert vary(answer) == ["Accept-Language"]
    direction = "rtl" if tag == "ar" else "ltr"
    assert f'<html lang="{tag}" dir="{direction}">' in answer.text
    # the name that ci/nginx.conf.in gives the shop
    name = "\u2068Acme Books\u2069"
    texts["top_merchant"] = texts["top_merchant"].replace("{{merchant}}", name)
    for name in (
        "top_merchant", "waiting_head", "pay_button", "shop_button", "orders"
    ):  # fmt: skip
        assert texts[name].replace("'", "&#39;") in answer.text, name
    assert "{{" not in answer.text
    assert "<script" not in answer.text and "style=" not in answer.text


@pytest.mark.parametrize(
    ("accept", "tag"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("en;q=0.5,fr;q=0.7", "fr"),
        ("de;q=0,es;q=0.1", "es"),
        ("pt-PT", "pt-BR"),
        ("zh-CN,zh;q=0.9", "en"),
        ("de;q=nonsense", "en"),
        ("*", "en"),
        ("", "en"),
        ("x" * 4000, "en"),
    ],
)
def test_the_best_language_that_there_is(anonymous, page, accept, tag):
    answer = anonymous.get(page, headers=in_language(accept))
    assert answer.headers["content-language"] == tag


def test_without_a_wish_it_is_english(anonymous, page):
    answer = anonymous.http.get(page, headers={"Accept": "text/html"})
    assert answer.headers["content-language"] == "en"
    assert "€1,234.50" in answer.text


MONEY = [
    ("EUR", "1234.50", "de", f"1.234,50{NBSP}€"),
    ("EUR", "1234.50", "ar", f"{RLM}١٬٢٣٤٫٥٠{NBSP}€"),
    ("JPY", "1234", "en", "¥1,234"),
    ("JPY", "1234", "ja", "￥1,234"),
    ("KWD", "1234.567", "en", f"KWD{NBSP}1,234.567"),
    ("KWD", "1234.567", "ar", f"{RLM}١٬٢٣٤٫٥٦٧{NBSP}د.ك.{RLM}"),
]


@pytest.mark.parametrize(("currency", "amount", "tag", "text"), MONEY)
def test_amounts_are_written_as_the_language_does(
    anonymous, sold, currency, amount, tag, text
):
    """Total and order; with the decimals of the currency."""
    path = sold(currency, amount)
    answer = anonymous.get(path, headers=in_language(tag))
    assert answer.text.count(f"<bdi>{text}</bdi>") == 2, answer.text


@pytest.mark.parametrize("tag", TAGS)
def test_an_error_is_in_the_browsers_language(anonymous, tag):
    path = f"/checkout/{NOBODY}"
    answer = anonymous.get(path, headers=in_language(tag))
    texts = catalogue(tag)
    assert answer.status_code == 404
    assert_headers(answer, html=True)
    assert answer.headers.get_list("content-language") == [tag]
    assert vary(answer) == ["Accept", "Accept-Language"]
    for name in ("missing_head", "missing_text", "error_money", "error_help"):
        assert texts[name].replace("'", "&#39;") in answer.text, name
    assert answer.headers["x-request-id"] in answer.text
    assert ">404<" in answer.text


def sent(gateway, request: str, port=None):
    text = f"{request} HTTP/1.1\r\nHost: HOST\r\n\r\n"
    host = f"localhost:{port or gateway.port}"
    return raw(gateway, text.replace("HOST", host).encode(), port=port)


def got(nginx, path: str, fields: dict):
    more = "".join(f"\r\n{name}: {fields[name]}" for name in fields)
    text = f"GET {path} HTTP/1.1\r\nHost: localhost:{nginx.port}{more}\r\n\r\n"
    return raw(nginx.gateway, text.encode(), port=nginx.port)


BENT = {
    "an escape that is none": "/checkout/%zz",
    "an escaped NUL": "/return/abc%00",
    "a line that is too long": f"/checkout/{'a' * 9000}",
}


@pytest.mark.parametrize("name", BENT)
def test_a_link_that_was_bent_on_its_way_is_answered_with_a_page(
    gateway, name
):
    """nginx refuses it before it reads any field."""
    answer = sent(gateway, f"GET {BENT[name]}")
    assert answer.status_code in (400, 414)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "This link is not valid" in answer.text
    assert answer.headers["x-request-id"] in answer.text
    assert_headers(answer, html=True)


def test_other_bent_paths_stay_problems(gateway):
    answer = sent(gateway, "GET /v1/%zz")
    assert_problem(answer, 400, "malformed-request", gateway.url)


def test_a_buyer_above_the_limit_is_told_to_wait(gateway, tmp_path):
    text = swap(
        MINIMAL,
        (
            "location /checkout/  {",
            "location /checkout/  { payments_rate_limit rate=1r/m;",
        ),
    )
    with Nginx(gateway, tmp_path, text).start() as nginx:
        answers = [
            got(nginx, f"/checkout/{NOBODY}", BROWSER) for _ in range(3)
        ]
    last = answers[-1]
    assert last.status_code == 429
    assert last.headers["content-type"] == "text/html; charset=utf-8"
    assert int(last.headers["retry-after"]) > 0
    assert catalogue("en")["many_head"] in last.text


def test_nginx_own_503_says_when_to_come_again(gateway, tmp_path):
    text = swap(
        MINIMAL,
        ("location /checkout/  {", "location /checkout/  { return 503;"),
    )
    with Nginx(gateway, tmp_path, text).start() as nginx:
        answer = got(nginx, f"/checkout/{NOBODY}", in_language("ja"))
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert catalogue("ja")["busy_head"] in answer.text


def test_the_files_say_the_same_in_each_language():
    """Names, their order, and placeholders."""
    english = catalogue("en")
    for tag in TAGS:
        texts = catalogue(tag)
        assert list(texts) == list(english), tag
        for name, text in texts.items():
            found = sorted(re.findall(r"\{\{.*?\}\}", text))
            wanted = sorted(re.findall(r"\{\{.*?\}\}", english[name]))
            assert found == wanted, (tag, name)
            assert tag == "en" or text != english[name] or name == "total"


def test_each_text_stands_in_a_page():
    pages = "".join(
        (HTML / name).read_text() for name in ("status.html", "error.html")
    )
    used = set(re.findall(r"\{\{@(\w+)\}\}", pages))
    assert used - {"lang", "dir"} == set(catalogue("en"))


@pytest.fixture
def directory(tmp_path):
    shutil.copytree(HTML, tmp_path / "html")
    return tmp_path / "html"


def tried(gateway, tmp_path, directory) -> tuple[int, str]:
    text = swap(MINIMAL, (JOBS, f"{JOBS}\n    payments_html {directory};"))
    return Nginx(gateway, tmp_path, text).test()


def test_a_copy_of_the_pages_is_taken(gateway, tmp_path, directory):
    code, said = tried(gateway, tmp_path, directory)
    assert code == 0, said


BROKEN = {
    "ja.txt: a missing text": (
        lambda text: text.replace("pay_button = お支払いに進む\n", ""),
        r'ja.txt": en.txt has a text that is missing here, add "pay_button"',
    ),
    "de.txt: an unknown text": (
        lambda text: text + "pay_buton = Weiter\n",
        r'de.txt": en.txt has no such text, remove or correct "pay_buton"',
    ),
    "fr.txt: a lost placeholder": (
        lambda text: text.replace("{{merchant}}", "la boutique"),
        r'fr.txt": the placeholders are not those of en.txt, correct '
        r'"top_merchant"',
    ),
    "ar.txt: a placeholder twice": (
        lambda text: text.replace("{{merchant}}", "{{merchant}}{{merchant}}"),
        r"the placeholders are not those of en.txt",
    ),
    "es.txt: a placeholder that is not closed": (
        lambda text: text.replace("{{merchant}}", "{{merchant"),
        r'es.txt", line \d+: a placeholder of a text is no {{name}}',
    ),
    "en.txt: a section": (
        lambda text: text.replace("{{merchant}}", "{{#merchant}}"),
        r"a placeholder of a text is no {{name}}",
    ),
    "en.txt: a text twice": (
        lambda text: text + "total = Sum\n",
        r'en.txt", line \d+: a text stands twice, remove "total = Sum"',
    ),
    "en.txt: no text": (
        lambda text: text.replace("total = Total", "total = "),
        r"a text is empty, too long, or not clean UTF-8",
    ),
    "en.txt: a control character": (
        lambda text: text.replace("total = Total", "total = To\x1btal"),
        r"a text is empty, too long, or not clean UTF-8",
    ),
    "en.txt: a line of another kind": (
        lambda text: text + "<b>hello</b>\n",
        r"a line is no .name = text.",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_bad_catalogue_is_refused(gateway, tmp_path, directory, name):
    change, says = BROKEN[name]
    path = directory / "locale" / name.partition(":")[0]
    before = path.read_text("utf-8")
    path.write_text(change(before), "utf-8")
    assert path.read_text("utf-8") != before
    code, said = tried(gateway, tmp_path, directory)
    assert code != 0
    assert re.search(says, said), said
    assert "signal" not in said


def test_bytes_that_are_no_utf8_are_refused(gateway, tmp_path, directory):
    path = directory / "locale" / "de.txt"
    path.write_bytes(path.read_bytes().replace(b"Details", b"\xff\xfe"))
    path.write_bytes(path.read_bytes() + b"x = \xc3\x28\n")
    code, said = tried(gateway, tmp_path, directory)
    assert code != 0
    assert "not clean UTF-8" in said


def test_a_page_with_a_text_of_nobody_is_refused(
    gateway, tmp_path, directory
):
    path = directory / "status.html"
    text = path.read_text().replace("{{@details}}", "{{@detials}}")
    path.write_text(text)
    code, said = tried(gateway, tmp_path, directory)
    assert code != 0
    where = r'status.html", line \d+: no catalogue has the text, remove or '
    assert re.search(where + r'correct "{{@detials}}"', said), said


def test_a_language_that_is_not_there_is_refused(gateway, tmp_path, directory):
    (directory / "locale" / "ar.txt").unlink()
    code, said = tried(gateway, tmp_path, directory)
    assert code != 0
    assert "copy html/ of the module's source" in said


def test_a_text_is_escaped(gateway, tmp_path, directory):
    """An apostrophe or a bracket of a translator is no markup."""
    path = directory / "locale" / "en.txt"
    text = path.read_text().replace(
        "missing_head = This link", "missing_head = <b>'This' & \"link"
    )
    path.write_text(text)
    config = swap(MINIMAL, (JOBS, f"{JOBS}\n    payments_html {directory};"))
    with Nginx(gateway, tmp_path, config).start() as nginx:
        answer = got(nginx, f"/checkout/{NOBODY}", BROWSER)
    assert answer.status_code == 404
    assert "&lt;b&gt;&#39;This&#39; &amp; &quot;link" in answer.text
    assert "<b>" not in answer.text
