"""Sources of rates, quotes and what is booked by them: two files and a URL
on loopback, whose server does whatever a test tells it to."""

import json
import os
import re
import shutil
import tempfile
import time
from decimal import Decimal
from pathlib import Path

import pytest
from support.own_stack import wait_for
from support.rate_server import Server

AUDIENCE = "payments_audience "
NAMES = ("one", "two", "web")


class Sources:
    """The three sources, and what the gateway has made of them."""

    def __init__(self, stack):
        self.stack = stack
        self.dir = Path(tempfile.mkdtemp())
        self.dir.chmod(0o755)  # the workers are nobody
        self.web = Server()
        self.say(one={"USD": 1.08}, two={"USD": "1.10"}, web={"USD": 1.09})

    def file(self, name: str) -> Path:
        return self.dir / f"{name}.json"

    def write(self, name: str, text: str) -> None:
        """Whole or not at all, as docs/currencies.md asks for."""
        new = self.dir / f"{name}.new"
        new.write_text(text)
        new.chmod(0o644)
        new.rename(self.file(name))

    def say(self, base: str = "EUR", **rates) -> None:
        for name, said in rates.items():
            document = {"base": base, "rates": said}
            if name == "web":
                self.web.says(document)
            else:
                self.write(name, json.dumps(document))

    def configuration(self, *, interval="1s", ttl="15m") -> tuple[str, str]:
        end = f"base=EUR interval={interval};\n    "
        lines = [
            f"payments_rates one file={self.file('one')} {end}",
            f"payments_rates two file={self.file('two')} {end}",
            "payments_rates web url=http://127.0.0.1:"
            f"{self.web.port}/latest?key=s3cr3t {end}",
            f"payments_quote ttl={ttl};\n    ",
            "payments_jobs on interval=100ms;\n    ",
        ]
        return AUDIENCE, "".join([*lines, AUDIENCE])

    def known(self, quote: str = "USD") -> dict[str, Decimal]:
        rows = self.stack.sql(
            "SELECT r.source, r.rate FROM pay.rate r JOIN pay.rate_source s "
            "USING (source) WHERE r.quote = %s "
            "AND s.fetched_at > now() - s.max_age",
            quote,
        )
        return dict(rows)

    def become(self, quote: str = "USD", **rates) -> None:
        wanted = {n: Decimal(r) for n, r in rates.items()}
        wait_for(lambda: self.known(quote) == wanted, f"rates {rates}")

    def age(self, *names: str) -> None:
        """What they have said is an hour old."""
        self.stack.sql(
            "UPDATE pay.rate_source SET fetched_at = now() - interval '1 h' "
            "WHERE source = ANY (%s)",
            list(names),
        )

    def code(self, name: str) -> str | None:
        return self.stack.value(
            "SELECT code FROM pay.rate_source WHERE source = %s", name
        )

    def failures(self, name: str) -> int:
        return metric(
            self.stack, f'payments_rate_failures_total{{source="{name}"}}'
        )

    def close(self) -> None:
        self.web.close()
        shutil.rmtree(self.dir)


def metric(stack, name: str) -> int | None:
    text = stack.http.get("/metrics").text
    found = re.search(rf"^{re.escape(name)} (\d+)$", text, re.MULTILINE)
    return int(found[1]) if found else None


@pytest.fixture(scope="module")
def made(own_stack):
    sources = Sources(own_stack)
    own_stack.configure(sources.configuration())
    yield sources
    own_stack.configure()
    sources.close()


@pytest.fixture
def sources(made, stack):  # noqa: ARG001 - its mock behaves again
    made.say(one={"USD": 1.08}, two={"USD": "1.10"}, web={"USD": 1.09})
    made.become(one="1.08", two="1.10", web="1.09")
    return made


def converted(stack, amount="10.00", credit="USD", currency="EUR", **more):
    body = stack.order(amounts=(amount,), currency=currency, **more)
    body["payment_orders"][0]["credit_currency"] = credit
    return body


def order_of(answer) -> dict:
    (order,) = answer.json()["payment_orders"]
    return order


def lines(stack, order_id: str, kind: str = "sale") -> list[tuple]:
    return stack.sql(
        "SELECT l.account, l.currency, l.amount_minor FROM pay.journal_line l "
        "JOIN pay.journal_entry e USING (merchant_id, source, kind) "
        "WHERE e.payment_order_id = %s AND e.kind = %s ORDER BY l.line",
        order_id,
        kind,
    )


def paid(stack, answer) -> str:
    """The order's id, once it is paid and booked."""
    order_id = order_of(answer)["payment_order_id"]
    token = stack.value(
        "SELECT token FROM pay.registration r JOIN pay.payment_order o "
        "USING (merchant_id, checkout_id) WHERE o.payment_order_id = %s",
        order_id,
    )
    stack.mock.pay(token)
    wait_for(lambda: lines(stack, order_id), "the sale in the books")
    return order_id


# What sources say.


def test_the_median_of_three_sources_is_quoted(stack, sources):
    body = converted(stack)
    answer = stack.post(body, "median-0123456789")
    assert answer.status_code == 201, answer.text
    credit = order_of(answer)["credit"]
    assert credit.pop("expires_at")
    assert credit == {"currency": "USD", "amount": "10.90", "rate": "1.09"}
    # the first quote, wherever the rates go
    sources.say(one={"USD": 2}, two={"USD": 3}, web={"USD": 4})
    sources.become(one="2", two="3", web="4")
    again = stack.post(body, "median-0123456789")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert order_of(again)["credit"] == order_of(answer)["credit"]


def test_the_server_is_asked_plainly_and_once_an_interval(stack, sources):
    sources.web.paths.clear()
    wait_for(lambda: len(sources.web.paths) >= 3, "three looks")
    begun = time.monotonic()
    sources.web.paths.clear()
    wait_for(lambda: len(sources.web.paths) >= 6, "six more")
    # Two workers, one look a second between them: 5 s, or less by as much as
    # the look before was late.  Each for itself would take 3 s at most.
    assert time.monotonic() - begun > 3.5
    assert set(sources.web.paths) == {"/latest?key=s3cr3t"}
    assert sources.web.seen["Accept"] == "application/json"
    assert not {"Authorization", "Cookie"} & set(sources.web.seen)


def test_all_pairs_that_a_base_knows_are_quoted(stack, sources):
    all_of = {"USD": "1.25", "JPY": "160", "KWD": "0.33"}
    sources.say(one=all_of, two=all_of, web=all_of)
    sources.become("KWD", one="0.33", two="0.33", web="0.33")
    for amount, currency, credit, wanted, rate in [
        ("10.00", "EUR", "JPY", "1600", "160"),
        ("1600", "JPY", "EUR", "10.00", "0.00625"),
        ("10.00", "USD", "JPY", "1280", "128"),
        ("10.00", "EUR", "KWD", "3.300", "0.33"),
        ("3.300", "KWD", "USD", "12.50", "3.78787878788"),
        ("128", "JPY", "USD", "1.00", "0.0078125"),
    ]:
        answer = stack.post(converted(stack, amount, credit, currency))
        assert answer.status_code == 201, answer.text
        quote = order_of(answer)["credit"]
        assert (quote["amount"], quote["rate"]) == (wanted, rate)


def test_the_same_currency_is_not_converted(stack, sources):
    answer = stack.post(converted(stack, credit="EUR"))
    assert answer.status_code == 201
    assert "credit" not in order_of(answer)


# What is not fit to be kept: by URL.

WEB_DOCUMENT = b'{"base":"EUR","rates":{"USD":5}}'


def usd(rate: str) -> bytes:
    return b'{"base":"EUR","rates":{"USD":%s}}' % rate.encode()


# what the server says, and what is made of it
BAD_WEB = {
    "garbage": (b"<html>503</html>", 200, "invalid-json"),
    "nothing": (b"", 200, "invalid-json"),
    "nan": (usd("NaN"), 200, "invalid-json"),
    "infinity": (usd('"Infinity"'), 200, "rate-invalid"),
    "huge": (usd("1e400"), 200, "invalid-json"),
    "huge-text": (usd('"1e400"'), 200, "rate-invalid"),
    "negative": (usd("-5"), 200, "rate-invalid"),
    "zero": (usd("0"), 200, "rate-invalid"),
    "thirteen-digits": (usd("5.123456789012"), 200, "rate-invalid"),
    "duplicate": (usd('5,"USD":6'), 200, "duplicate-member"),
    "one-bad-rate": (usd('5,"JPY":-1'), 200, "rate-invalid"),
    "other-base": (b'{"base":"USD","rates":{"EUR":5}}', 200, "base-differs"),
    "no-rates": (b'{"base":"EUR","rates":{}}', 200, "rates-missing"),
    "oversized": (WEB_DOCUMENT + b" " * 65536, 200, "too-large"),
    "error": (WEB_DOCUMENT, 500, "http-error"),
    "no-content": (b"", 204, "http-error"),
    "redirect": (WEB_DOCUMENT, 302, "http-error"),
    "moved": (WEB_DOCUMENT, 301, "http-error"),
}


@pytest.mark.parametrize("name", BAD_WEB)
def test_a_bad_answer_is_counted_and_changes_nothing(sources, name):
    body, status, code = BAD_WEB[name]
    before = sources.failures("web")
    sources.web.paths.clear()
    sources.web.says(body, status, Location="/elsewhere")
    # a look at what the test before has said may come to its end first
    wait_for(
        lambda: (
            sources.web.paths
            and sources.failures("web") > before
            and sources.code("web") == code
        ),
        code,
    )
    assert sources.known()["web"] == Decimal("1.09")
    assert set(sources.web.paths) == {"/latest?key=s3cr3t"}


def test_a_server_that_is_gone_is_counted(stack, sources):
    before = sources.failures("web")
    stack.configure(
        sources.configuration(),
        (f"127.0.0.1:{sources.web.port}/", "127.0.0.1:1/"),
    )
    wait_for(lambda: sources.code("web") == "connect", "no connection")
    wait_for(lambda: sources.failures("web") > before, "a failure")
    stack.configure(sources.configuration())


# What is not fit to be kept: a file.


def a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def an_old_file(path: Path) -> None:
    os.utime(path, (time.time() - 301,) * 2)


BAD_FILES = {
    "gone": (Path.unlink, "no-file"),
    "locked": (lambda path: path.chmod(0), "unreadable"),
    "directory": (a_directory, "unreadable"),
    "pipe": (a_pipe, "unreadable"),
    "large": (lambda path: path.write_bytes(b" " * 65537), "too-large"),
    "empty": (lambda path: path.write_bytes(b""), "invalid-json"),
    "cut": (lambda path: path.write_bytes(b'{"base":"EUR"'), "invalid-json"),
    "binary": (lambda path: path.write_bytes(b"\0\xff"), "invalid-json"),
    "forgotten": (an_old_file, "stale"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_counted_and_changes_nothing(sources, name):
    spoil, code = BAD_FILES[name]
    before = sources.failures("one")
    try:
        spoil(sources.file("one"))
        wait_for(
            lambda: (
                sources.failures("one") > before and sources.code("one") == code
            ),
            code,
        )
        assert sources.known()["one"] == Decimal("1.08")
    finally:
        if sources.file("one").is_dir():
            sources.file("one").rmdir()


def test_a_files_age_is_that_of_its_rates(stack, sources):
    os.utime(sources.file("one"), (time.time() - 100,) * 2)
    age = 'payments_rate_age_seconds{source="one"}'
    wait_for(lambda: (metric(stack, age) or 0) >= 100, "its age")
    assert metric(stack, age) < 140


def test_metrics_tell_ages_and_failures(stack, sources):  # noqa: ARG001
    def ages():
        return [
            metric(stack, f'payments_rate_age_seconds{{source="{name}"}}')
            for name in NAMES
        ]

    wait_for(lambda: all(0 <= age < 60 for age in ages()), "young rates")
    text = stack.http.get("/metrics").text
    assert "# TYPE payments_rate_age_seconds gauge\n" in text
    assert "# TYPE payments_rate_failures_total counter\n" in text
    assert "s3cr3t" not in text


# No rate.


def test_without_a_fresh_rate_a_payment_is_refused(stack, sources):
    for name in ("one", "two"):
        sources.file(name).unlink()
    sources.web.says(b"", 503)
    wait_for(lambda: sources.code("web") == "http-error", "the server's end")
    for name in ("one", "two"):
        wait_for(lambda n=name: sources.code(n) == "no-file", "the files' end")
    # what they have said is still good
    assert stack.post(converted(stack)).status_code == 201

    sources.age(*NAMES)
    body = converted(stack)
    (order,) = body["payment_orders"]
    refused = stack.post(body, "no-rate-0123456789")
    assert refused.status_code == 503, refused.text
    assert refused.json()["type"].endswith("/rate-unavailable")
    assert int(refused.headers["Retry-After"]) > 0
    assert stack.mock.calls(order["payment_order_id"]) == []
    path = f"/v1/payments/{order['payment_order_id']}"
    assert stack.get(path).status_code == 404
    # one that is not converted goes its way
    assert stack.post(stack.order(currency="EUR")).status_code == 201

    # the same key, when there is a rate again
    sources.say(one={"USD": 1.5})
    sources.become(one="1.5")
    answer = stack.post(body, "no-rate-0123456789")
    assert answer.status_code == 201, answer.text
    assert order_of(answer)["credit"]["rate"] == "1.5"


def test_a_currency_that_no_source_knows_is_refused(stack, sources):  # noqa: ARG001
    answer = stack.post(converted(stack, credit="CHF"))
    assert answer.status_code == 503
    assert answer.json()["type"].endswith("/rate-unavailable")


def test_too_much_of_a_currency_is_refused(stack, sources):
    rates = {"USD": 1, "IRR": 1000000}
    sources.say(one=rates, two=rates, web=rates)
    sources.become("IRR", **dict.fromkeys(NAMES, "1000000"))
    answer = stack.post(converted(stack, "99999999.99", "IRR"))
    assert answer.status_code == 422, answer.text
    assert answer.json()["type"].endswith("/amount-invalid")


# The books.


def test_both_legs_are_booked_at_the_quoted_rate(stack, sources):
    answer = stack.post(converted(stack, "10.05"))
    sources.say(one={"USD": 2}, two={"USD": 2}, web={"USD": 2})
    sources.become(one="2", two="2", web="2")
    order_id = paid(stack, answer)
    # 10.05 · 1.09 = 10.9545
    assert lines(stack, order_id) == [
        ("psp_clearing", "EUR", 1005),
        ("fx", "EUR", -1005),
        ("fx", "USD", 1095),
        ("seller_available", "USD", -1095),
    ]
    rate = stack.value(
        "SELECT rate FROM pay.journal_entry WHERE payment_order_id = %s",
        order_id,
    )
    assert rate == Decimal("1.09")


def test_what_is_paid_after_the_quote_has_the_rate_of_the_day(stack, sources):
    stack.configure(sources.configuration(ttl="1s"))
    first = stack.post(converted(stack))
    second = stack.post(converted(stack))
    assert order_of(first)["credit"]["rate"] == "1.09"
    sources.say(one={"USD": 2}, two={"USD": 2}, web={"USD": 2})
    sources.become(one="2", two="2", web="2")
    wait_for(
        lambda: (
            stack.value(
                "SELECT count(*) FROM pay.payment_order "
                "WHERE credit_until < now() AND payment_order_id IN (%s, %s)",
                order_of(first)["payment_order_id"],
                order_of(second)["payment_order_id"],
            )
            == 2
        ),
        "the quotes' end",
    )
    assert lines(stack, paid(stack, first))[-1] == (
        "seller_available",
        "USD",
        -2000,
    )

    # no rate any more: what was quoted is the best that is known
    stack.configure()
    sources.age(*NAMES)
    assert lines(stack, paid(stack, second))[-1] == (
        "seller_available",
        "USD",
        -1090,
    )
    stack.configure(sources.configuration())


def test_parts_of_a_refund_sum_to_the_whole(stack, sources):
    rates = {"USD": "1.0843"}
    sources.say(one=rates, two=rates, web=rates)
    sources.become(**dict.fromkeys(NAMES, "1.0843"))
    order_id = paid(stack, stack.post(converted(stack, "10.00")))
    parts = ["3.33", "0.01", "3.33", "0.01", "3.32"]
    for part in parts:
        answer = stack.http.post(
            f"/v1/payments/{order_id}/refunds",
            json={"amount": part, "currency": "EUR"},
            headers=stack.headers(),
        )
        assert answer.status_code == 201, answer.text

    def refunds():
        rows = stack.sql(
            "SELECT l.account, l.currency, sum(l.amount_minor)::int "
            "FROM pay.journal_line l JOIN pay.journal_entry e "
            "USING (merchant_id, source, kind) "
            "WHERE e.payment_order_id = %s AND e.kind = 'refund' "
            "AND l.account IN ('refunds', 'seller_reserved') "
            "GROUP BY 1, 2 ORDER BY 1",
            order_id,
        )
        wanted = [
            ("refunds", "EUR", -1000),
            ("seller_reserved", "USD", 1084),
        ]
        return rows == wanted

    wait_for(refunds, "all refunds in the books")
    fx = stack.sql(
        "SELECT l.currency, sum(l.amount_minor)::int FROM pay.journal_line l "
        "JOIN pay.journal_entry e USING (merchant_id, source, kind) "
        "WHERE e.payment_order_id = %s AND l.account = 'fx' GROUP BY 1",
        order_id,
    )
    assert set(fx) == {("EUR", 0), ("USD", 0)}


def test_the_log_tells_what_failed_and_no_secret(stack, sources):
    before = sources.failures("web")
    sources.web.says(b"canary-of-the-body", 200)
    wait_for(lambda: sources.failures("web") > before, "a failure")
    log = stack.gateway.conf.parent.joinpath("error.log").read_text()
    assert "payments: a source has given no rates, source:web" in log
    assert "s3cr3t" not in log
    assert "canary-of-the-body" not in log


# The stack of `make up`.


def test_the_demonstration_has_rates(gateway, query, api, checkout):
    assert "payments_rates             shop " in gateway.conf.read_text()
    found = wait_for(
        lambda: query(
            "SELECT r.quote, r.rate FROM pay.rate r JOIN pay.rate_source s"
            " USING (source) WHERE source = 'shop' AND s.base = 'USD'"
            " AND s.fetched_at > now() - s.max_age ORDER BY 1"
        ),
        "its rates",
    )
    assert found == [
        ("EUR", Decimal("0.9")), ("GBP", Decimal("0.8")), ("JPY", 150)
    ]  # fmt: skip
    body = checkout()
    (order,) = body["payment_orders"]
    order |= {"amount": "10.00", "currency": "USD", "credit_currency": "EUR"}
    answer = api.create(body)
    assert answer.status_code == 201, answer.text
    (made,) = answer.json()["payment_orders"]
    credit = made["credit"]
    assert (credit["amount"], credit["rate"]) == ("9.00", "0.9")
