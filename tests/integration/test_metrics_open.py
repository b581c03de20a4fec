"""/metrics as OpenMetrics 1.0, read by the strict parser of Prometheus' own
client for Python: who gets it, that it says what the text format says, and
which request a bucket shows.
"""

import re
import time
import uuid

import pytest
from prometheus_client.openmetrics import parser as open_parser
from prometheus_client.parser import text_string_to_metric_families

OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PLAIN = "text/plain; version=0.0.4; charset=utf-8"
# What Prometheus 2.42 sends.
PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0,"
    "application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
FAMILIES = {
    "payments_request_duration_seconds",
    "payments_stage_seconds",
    "payments_psp_call_duration_seconds",
}
NAME = r"[a-z_]+"
VALUE = r'"(?:[^"\\\n]|\\["\\n])*"'
LINE = re.compile(
    rf"# HELP {NAME} [^\n]+|# TYPE {NAME} (?:counter|gauge|histogram)"
    rf"|{NAME}(?:\{{{NAME}={VALUE}(?:,{NAME}={VALUE})*\}})? -?[0-9.]+"
)
BUYER = {"name": "Ada Quibblewick", "email": "ada.quibblewick@example.com"}


@pytest.fixture(scope="module")
def trace(api, checkout):
    return traced(api, checkout)


def traced(api, checkout) -> tuple[str, str]:
    """(id of the request, id of its trace) of a checkout with a page."""
    trace = uuid.uuid4().hex
    body = checkout(buyer_info=BUYER)
    answer = api.create(body, traceparent=f"00-{trace}-{trace[:16]}-01")
    assert answer.status_code == 201, answer.text
    return answer.headers["X-Request-Id"], trace


def scrape(anonymous, accept: str = PROMETHEUS):
    answer = anonymous.get("/metrics", headers={"Accept": accept})
    assert answer.status_code == 200
    return answer


def opened(anonymous) -> list:
    answer = scrape(anonymous)
    assert answer.headers["Content-Type"] == OPEN
    return list(open_parser.text_string_to_metric_families(answer.text))


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (PROMETHEUS, OPEN),
        ("application/openmetrics-text", OPEN),
        ("text/plain;q=0.4, application/openmetrics-text;q=0.5", OPEN),
        ("text/plain;q=0.5, application/openmetrics-text;q=0.4", PLAIN),
        ("application/openmetrics-text;version=0.0.1, */*;q=0.1", PLAIN),
        ("application/openmetrics-text;q=0", PLAIN),
        ("*/*", PLAIN),
        ("text/html", PLAIN),
        ("", PLAIN),
    ],
)
def test_openmetrics_is_for_those_who_ask_for_it(anonymous, accept, wanted):
    answer = scrape(anonymous, accept)
    assert answer.headers["Content-Type"] == wanted
    assert answer.headers["Vary"] == "Accept"
    assert answer.text.endswith("\n# EOF\n") == (wanted == OPEN)
    head = anonymous.request("HEAD", "/metrics", headers={"Accept": accept})
    assert head.headers["Content-Type"] == wanted


def test_the_text_format_is_as_ever(anonymous, trace):
    """Nothing of OpenMetrics is in it."""
    lines = scrape(anonymous, "text/plain").text.removesuffix("\n").split("\n")
    assert [line for line in lines if not LINE.fullmatch(line)] == []
    types = dict(
        line.split(" ")[2:] for line in lines if line.startswith("# TYPE ")
    )
    assert {
        name for name, kind in types.items() if name.endswith("_total")
    } == {name for name, kind in types.items() if kind == "counter"}
    text = "\n".join(lines)
    bounds = set(re.findall(r'[{,]le="([^"]+)"', text))
    assert {"0.001", "1", "2.5", "30", "+Inf"} < bounds
    assert not [bound for bound in bounds if bound.endswith(".0")]


def names(families, bound=str) -> set:
    """Each series that is there from the start, or of a finished request."""
    return {
        (family.name, family.type, sample.name,
         frozenset(sample.labels.items() - {("le", sample.labels.get("le"))}),
         bound(sample.labels.get("le", "+Inf")))
        for family in families for sample in family.samples
    }  # fmt: skip


def test_both_formats_have_the_same_series(anonymous, trace):
    wanted = opened(anonymous)
    plain = text_string_to_metric_families(
        scrape(anonymous, "text/plain").text
    )
    found = names(plain, float)
    mine = names(wanted, float)
    # a sweep or a first call between the two may add some
    grown = {each for each in found ^ mine if each[0] not in FAMILIES}
    assert len(found & mine) > 500
    assert {each[0] for each in mine - found} == set()
    assert len(grown) < len(mine) / 20


def exemplars(anonymous) -> list:
    return [
        (family.name, sample)
        for family in opened(anonymous)
        for sample in family.samples
        if sample.exemplar is not None
    ]


def test_a_bucket_shows_its_newest_request(anonymous, api, checkout, wait_for):
    """A job may take the request's place before it is read: then again."""
    wanted = {
        "payments_request_duration_seconds",
        "payments_psp_call_duration_seconds",
    }

    def shown():
        request, trace_id = traced(api, checkout)
        labels = {"request_id": request, "trace_id": trace_id}
        return wanted <= {
            name
            for name, sample in exemplars(anonymous)
            if sample.exemplar.labels == labels
        }

    wait_for(shown, what="a request that is an exemplar")


def test_exemplars_are_small_and_lie_in_their_buckets(anonymous, trace):
    found = exemplars(anonymous)
    assert {name for name, _ in found} == FAMILIES
    below = {}
    for family in opened(anonymous):
        if family.type == "histogram":
            bounds = sorted(
                {float(s.labels["le"]) for s in family.samples
                 if "le" in s.labels}
            )  # fmt: skip
            below[family.name] = dict(zip(bounds, [-1.0, *bounds],
                                          strict=False))  # fmt: skip
    for name, sample in found:
        labels = sample.exemplar.labels
        assert set(labels) <= {"request_id", "trace_id"}
        assert str(uuid.UUID(labels["request_id"])) == labels["request_id"]
        assert re.fullmatch("[0-9a-f]{32}", labels.get("trace_id", "0" * 32))
        assert sum(len(part) for pair in labels.items() for part in pair) <= 128
        bound = float(sample.labels["le"])
        assert below[name][bound] < sample.exemplar.value <= bound
        assert abs(time.time() - float(sample.exemplar.timestamp)) < 86400


def test_no_buyer_is_in_an_answer(anonymous, trace):
    text = scrape(anonymous).text
    assert not [word for word in BUYER.values() if word in text]
    assert len(text) < 500_000
