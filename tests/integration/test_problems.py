"""The pages that explain problems, and what operators read: /metrics,
/healthz, /readyz."""

import re
import socket
import uuid
from html.parser import HTMLParser

import pytest
from support.client import Api, fresh_key, read_answer
from support.gateway import ROOT
from support.nginxconf import MINIMAL, Nginx, swap
from support.problems import assert_headers, assert_problem

TABLE = (ROOT / "src" / "core" / "problem_table.c").read_text()
ROW = re.compile(r'\{ "([a-z0-9-]+)", ([0-9]{3}),\s+"([^"]+)"')
PROBLEMS = ROW.findall(TABLE)


class Page(HTMLParser):
    """What a page is made of: tags, links, text."""

    VOID = ("meta", "link", "br", "img", "hr")

    def __init__(self, text):
        super().__init__()
        self.tags, self.links, self.text, self.open = [], [], "", []
        self.language = None
        self.feed(text)
        assert self.open == [], "tags stay open"

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append(tag)
        self.links += [attrs[k] for k in ("href", "src") if k in attrs]
        if tag == "html":
            self.language = attrs.get("lang")
        assert not any(name.startswith("on") for name in attrs)
        assert "style" not in attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def page_of(answer) -> Page:
    assert answer.status_code == 200
    assert_headers(answer, html=True)
    types = answer.headers.get_list("content-type")
    assert types == ["text/html; charset=utf-8"]
    assert answer.text.startswith("<!DOCTYPE html>")
    assert "{{" not in answer.text
    page = Page(answer.text)
    assert page.language == "en"
    for tag in ("script", "style", "iframe", "form", "img", "object"):
        assert tag not in page.tags
    assert page.tags.count("h1") == 1
    return page


def test_the_table_has_every_problem_of_the_contract():
    slugs = {slug for slug, _, _ in PROBLEMS}
    assert len(slugs) == len(PROBLEMS) > 30
    contract = (
        "unauthenticated malformed-request invalid-token merchant-disabled"
        " idempotency-key-missing idempotency-key-invalid"
        " idempotency-key-reused idempotency-in-progress method-not-allowed"
        " not-implemented unsupported-media-type invalid-json"
        " content-too-large duplicate-member validation-error amount-invalid"
        " currency-unsupported card-data-not-accepted return-url-not-allowed"
        " order-exists quota-exceeded uri-too-long header-fields-too-large"
        " webhook-timestamp-invalid dependency-unavailable"
    )
    assert set(contract.split()) <= slugs


@pytest.mark.parametrize("path", ["/problems", "/problems/"])
def test_the_list_leads_to_every_problem(anonymous, path):
    page = page_of(anonymous.get(path))
    for slug, status, _ in PROBLEMS:
        assert f"/problems/{slug}" in page.links
        assert f"{slug} · status {status}" in page.text
    local = [link for link in page.links if link.startswith("/problems")]
    assert local == page.links, "a link to elsewhere"


@pytest.mark.parametrize(("slug", "status", "title"), PROBLEMS)
def test_each_problem_has_a_page(anonymous, slug, status, title):
    answer = anonymous.get(f"/problems/{slug}")
    page = page_of(answer)
    assert title in page.text
    assert slug in page.text
    assert status in page.text
    assert "What to do" in page.text
    assert all(link.startswith("/problems") for link in page.links)
    head = anonymous.request("HEAD", f"/problems/{slug}")
    assert head.content == b""
    assert head.headers["content-length"] == answer.headers["content-length"]
    assert_headers(head, html=True)


def test_the_page_has_the_title_of_the_document(anonymous, api, gateway):
    document = assert_problem(
        api.get("/v1/payments/none"), 404, "not-found", gateway.url
    )
    page = page_of(anonymous.get(document["type"]))
    assert document["title"] in page.text


def test_the_style_sheet_is_ours_and_complete(anonymous):
    answer = anonymous.get("/problems/style.css")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/css")
    assert_headers(answer, html="style-src" in str(answer.headers))
    assert not re.search(r"url\(|@import|https?:", answer.text)
    assert answer.text.count("{") == answer.text.count("}") > 5


@pytest.mark.parametrize(
    "path",
    [
        "/problems/nothing", "/problems/NOT-FOUND", "/problems/not-found/",
        "/problems/not-found/x", "/problems/%3Cscript%3E", "/problemsx",
        "/problems/style.css.", "/problems/status.html", "/problems/%00x",
        "/problems/..%2f..%2fetc%2fpasswd", f"/problems/{'a' * 3000}",
    ],
)  # fmt: skip
def test_a_problem_that_there_is_not_is_404(anonymous, gateway, path):
    answer = anonymous.get(path)
    status, slug = (404, "not-found")
    if "%00" in path or "%2f" in path:
        status, slug = (
            answer.status_code,
            {
                400: "malformed-request",
                404: "not-found",
            }[answer.status_code],
        )
    assert_problem(answer, status, slug, gateway.url)
    assert "script" not in answer.text


SAMPLE = re.compile(
    r"([a-z][a-z0-9_]*)(\{([^{}]*)\})? (-?[0-9.]+(?:e[+-]?[0-9]+)?|\+Inf|NaN)"
)
LABEL = re.compile(r'([a-z_]+)="([A-Za-z0-9_./+-]*)"')


def metrics_of(answer) -> dict:
    """Prometheus' text format, read strictly: (name, labels) → value."""
    assert answer.status_code == 200
    assert_headers(answer)
    types = answer.headers.get_list("content-type")
    assert types == ["text/plain; version=0.0.4; charset=utf-8"]
    assert answer.text.endswith("\n")
    samples, kinds, helped = {}, {}, set()
    for line in answer.text.splitlines():
        if line.startswith("# HELP "):
            name = line.split(" ", 3)[2]
            assert name not in helped
            helped.add(name)
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in kinds
            assert name in helped
            assert kind in ("counter", "gauge", "histogram")
            kinds[name] = kind
        else:
            match = SAMPLE.fullmatch(line)
            assert match, line
            key = (match[1], labels_of(match[3]))
            assert key not in samples, f"twice: {line}"
            samples[key] = float(match[4])
            family = re.sub(r"_(bucket|sum|count)$", "", match[1])
            assert match[1] in kinds or kinds.get(family) == "histogram"
    for name, kind in kinds.items():
        assert name.startswith("payments_")
        assert kind != "counter" or name.endswith("_total")
    return samples


def labels_of(text) -> frozenset:
    if not text:
        return frozenset()
    labels = text.split(",")
    pairs = [LABEL.fullmatch(label) for label in labels]
    assert all(pairs), text
    return frozenset(pair.groups() for pair in pairs)


def test_metrics_are_valid_prometheus_text(anonymous):
    samples = metrics_of(anonymous.get("/metrics"))
    assert all(value >= 0 for value in samples.values())
    names = {name for name, _ in samples}
    assert "payments_requests_total" in names
    assert len(names) > 8


def test_histograms_are_cumulative_and_end_in_their_count(anonymous):
    samples = metrics_of(anonymous.get("/metrics"))
    series = {}
    for (name, labels), value in samples.items():
        if name.endswith("_bucket"):
            bound = dict(labels)["le"]
            rest = frozenset(pair for pair in labels if pair[0] != "le")
            series.setdefault((name[:-7], rest), []).append(
                (float(bound.replace("+Inf", "inf")), value)
            )
    assert series
    for (name, labels), buckets in series.items():
        counts = [count for _, count in sorted(buckets)]
        assert counts == sorted(counts), name
        assert max(buckets)[0] == float("inf")
        assert counts[-1] == samples[f"{name}_count", labels]
        assert (f"{name}_sum", labels) in samples


def total(samples, name, **wanted):
    return sum(
        value
        for (found, labels), value in samples.items()
        if found == name and set(wanted.items()) <= labels
    )


def test_requests_are_counted(anonymous, api, checkout):
    """Others use the gateway, too: at least as many as ours."""
    name = "payments_requests_total"
    before = metrics_of(anonymous.get("/metrics"))
    for _ in range(5):
        assert api.create(checkout()).status_code == 201
        assert api.get("/v1/payments/none").status_code == 404
    after = metrics_of(anonymous.get("/metrics"))
    for code in ("201", "404"):
        grown = total(after, name, flow="api", code=code) - total(
            before, name, flow="api", code=code
        )
        assert grown >= 5


def test_strangers_cannot_invent_labels(anonymous, api):
    """Nor read an id, a handle or a merchant's data there."""
    marker = f"m{uuid.uuid4().hex}"
    anonymous.post(f"/webhooks/{marker}", content=b"{}")
    anonymous.get(f"/checkout/{marker}")
    anonymous.get(f"/{marker}")
    api.get(f"/v1/payments/{marker}")
    api.post("/v1/payments", headers={"Idempotency-Key": marker})
    text = anonymous.get("/metrics").text
    assert marker not in text
    assert len(text) < 200_000


def test_metrics_are_for_the_allowed_addresses_only(gateway, tmp_path):
    listen = "listen       127.0.0.1:@PORT@ ssl http2;"
    text = swap(MINIMAL, (listen, f"{listen} listen 127.0.0.2:@PORT@ ssl;"))
    with Nginx(gateway, tmp_path, text).start() as nginx:
        refused = from_elsewhere(gateway, nginx, "/metrics")
        assert_problem(refused, 403, "forbidden", nginx.url)
        live = from_elsewhere(gateway, nginx, "/healthz")
        assert live.status_code == 200
        client = Api(nginx.url, gateway.ssl_context())
        assert client.get("/metrics").status_code == 200
        client.close()


def from_elsewhere(gateway, nginx, path):
    with socket.create_connection(
        ("127.0.0.2", nginx.port), 10, source_address=("127.0.0.3", 0)
    ) as plain:
        context = gateway.ssl_context()
        with context.wrap_socket(plain, server_hostname="localhost") as sock:
            head = f"GET {path} HTTP/1.1\r\nHost: localhost:{nginx.port}\r\n"
            head += "X-Forwarded-For: 127.0.0.1\r\n\r\n"
            sock.sendall(head.encode())
            return read_answer(sock)


@pytest.mark.parametrize(
    ("path", "word"), [("/healthz", "live"), ("/readyz", "ready")]
)
def test_health_says_so(anonymous, path, word):
    answer = anonymous.get(path)
    assert answer.status_code == 200
    assert answer.json() == {"status": word}
    assert answer.headers["content-type"] == "application/json"
    assert_headers(answer)


def test_health_needs_no_token_and_takes_any(anonymous):
    headers = {"Authorization": "Bearer x", "Idempotency-Key": fresh_key()}
    for path in ("/healthz", "/readyz", "/metrics"):
        assert anonymous.get(path, headers=headers).status_code == 200
