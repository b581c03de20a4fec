"""A real Prometheus and a real Alertmanager beside a gateway under load: each
panel of monitoring/boards has data, the rules are healthy, and operators are
paged when a PSP fails, the books differ, and the database goes.
"""

import contextlib
import datetime
import json
import re
import subprocess
import time

import pytest
from support import events
from support.monitor import HERE, Monitor
from support.own_stack import OwnStack, wait_for
from support.sold import Sold
from support.tls_front import Front
from support.tls_psp import Authority

BOARDS = sorted((HERE / "boards").glob("*.json"))
QUICK = (
    "payments_audience ",
    "payments_jobs  on interval=100ms;\n"
    "    payments_watchdog  interval=500ms;\n    payments_audience ",
)
BREAKER = "failures=50% calls=5 window=1h"
# PSPs of the stack that are called over TLS here -> when their certificates end
DAYS = {"mollie": 90, "square": 3}


def over_tls(stack, fronts: dict, trusted):
    """Edits of nginx.conf: these PSPs are behind TLS."""
    for psp, front in fronts.items():
        yield (
            f"base_url           {stack.gateway.mock_url}/{psp};",
            f"base_url  https://127.0.0.1:{front.port}/{psp};\n"
            f"        ca_file  {trusted};  allow_private_address  on;",
        )


@pytest.fixture(scope="module")
def stack():
    made = OwnStack(PAY_BREAKER=BREAKER)
    place = made.dir / "run" / "authority"  # which workers can read
    place.mkdir()
    end = datetime.timedelta(days=100)
    ours = Authority(place, "ours", end=end)
    port = int(made.gateway.mock_url.rsplit(":", 1)[1])
    fronts = {
        psp: Front(
            ours.leaf("127.0.0.1", end=datetime.timedelta(days=days)), {}, port
        )
        for psp, days in DAYS.items()
    }
    try:
        made.configure(QUICK, *over_tls(made, fronts, ours.file))
        yield made
    finally:
        made.close()
        for front in fronts.values():
            front.close()


@pytest.fixture(scope="module")
def monitor(stack, tmp_path_factory):
    made = Monitor(
        tmp_path_factory.mktemp("monitor"),
        {"payments": stack.url.removeprefix("https://")},
        ca=stack.values["GATEWAY_CA"],
    )
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def load(stack, monitor):
    """All that the boards show has happened, more than once."""
    for _ in range(2):
        sold = Sold.paid(stack)
        sold.ends(sold.refund("1.00"), "SUCCESS")
        events.message(stack.created(), "declined").send()
        stack.created("mollie")
        seen = len(monitor.ask("count_over_time(up[1m])"))
        wait_for(lambda: monitor.is_up() and seen, "another scrape")


def queries() -> list[tuple[str, str]]:
    return [
        (f"{path.stem}: {panel['title']}: {target['legendFormat']}",
         target["expr"])
        for path in BOARDS
        for panel in json.loads(path.read_text())["panels"]
        for target in panel["targets"]
    ]  # fmt: skip


def test_boards_are_those_of_the_table():
    subprocess.run([HERE / "boards.py", "--check"], check=True)
    assert len(BOARDS) == 4


@pytest.mark.parametrize(
    "query", [pytest.param(query, id=name) for name, query in queries()]
)
def test_no_panel_is_empty(monitor, load, query):
    query = query.replace("$job", "payments").replace(
        "$__rate_interval", "1m"
    )
    wait_for(lambda: monitor.ask(query), query)


def test_all_rules_are_healthy(monitor, load):
    def healths():
        groups = monitor.http.get("/api/v1/rules").json()["data"]["groups"]
        return {r["name"]: r["health"] for g in groups for r in g["rules"]}

    wait_for(lambda: set(healths().values()) == {"ok"}, "all rules are asked")
    known = (HERE / "alerts.yml").read_text() + (HERE / "rules.yml").read_text()
    assert set(healths()) == set(
        re.findall(r"- (?:alert|record): (\S+)", known)
    )


def test_a_bucket_leads_to_a_request(stack, monitor, load):
    """Prometheus asks for OpenMetrics and keeps its exemplars."""
    answer = stack.post(stack.order("generic"))
    name = "payments_request_duration_seconds_bucket"

    def kept():
        found = monitor.http.get(
            "/api/v1/query_exemplars",
            params={"query": f'{name}{{flow="api"}}',
                    "start": time.time() - 600, "end": time.time() + 60},
        ).json()["data"]  # fmt: skip
        return answer.headers["X-Request-Id"] in {
            each["labels"]["request_id"]
            for series in found for each in series["exemplars"]
        }  # fmt: skip

    wait_for(kept, "the request is an exemplar")


def test_the_dead_mans_switch_is_pressed(monitor):
    monitor.is_paged("PaymentsWatchdog", "/alive")


def test_the_documented_test_alarm_reaches_the_pager(monitor):
    text = (HERE.parent / "docs/operations.md").read_text()
    command = re.search(r"^ *(amtool .* alert add .*)$", text, re.M)[1]
    assert "http://127.0.0.1:9093" in command
    subprocess.run(
        command.replace("http://127.0.0.1:9093", monitor.alertmanager),
        shell=True, check=True,
    )  # fmt: skip
    monitor.is_paged("PaymentsTest")


def test_nobody_is_woken_while_all_is_well(monitor, load):
    """Load alone, and the rules have looked at it."""
    assert monitor.ask('ALERTS{alertstate="firing",severity!="none"}') == []


# The series themselves.


def series(stack, name: str) -> dict:
    """Of one family: labels -> the value."""
    found = {}
    for line in stack.http.get("/metrics").text.splitlines():
        match = re.fullmatch(rf"{name}\{{(.*)\}} (\S+)", line)
        if match:
            labels = re.findall(r'(\w+)="([^"]*)"', match[1])
            found[frozenset(labels)] = float(match[2])
    return found


def one(stack, name: str, **labels) -> float | None:
    return series(stack, name).get(frozenset(labels.items()))


def test_a_webhook_counts_for_its_psp_and_its_key_if_it_is_proven(stack, load):
    last = ("payments_webhook_last_timestamp_seconds", {"psp": "stripe"})
    key = ("payments_webhook_key_used_timestamp_seconds",
           {"psp": "stripe", "key": "1"})  # fmt: skip

    def count(outcome):
        return one(stack, "payments_webhook_events_total", psp="stripe",
                   outcome=outcome)  # fmt: skip

    sent = events.message(stack.created("stripe"), "paid")
    assert (count("signature"), count("applied")) == (0, 0)
    sent.send(headers={"Stripe-Signature": f"t={sent.when},v1={'0' * 64}"})
    # the counters are those of the flow's end, which is behind the answer
    wait_for(lambda: count("signature") == 1, "the forged one is counted")
    assert one(stack, last[0], **last[1]) is None
    assert one(stack, key[0], **key[1]) is None
    before = int(time.time())
    sent.send()
    wait_for(lambda: count("applied") == 1, "the webhook is counted")
    assert before <= one(stack, last[0], **last[1]) <= time.time()
    assert before <= one(stack, key[0], **key[1]) <= time.time()


def test_a_good_token_moves_the_meter_of_its_key(stack, load):
    labels = {"merchant": "globex", "kid": "globex-2026-01"}
    name = "payments_jwt_key_used_timestamp_seconds"
    assert one(stack, name, **labels) is None
    forged = stack.headers(merchant="OTHER_")
    forged["Authorization"] = forged["Authorization"][:-8] + "AAAAAAAA"
    path = "/v1/payments/none"
    assert stack.http.get(path, headers=forged).status_code == 401
    assert one(stack, name, **labels) is None
    before = int(time.time())
    assert stack.get(path, merchant="OTHER_").status_code == 404
    assert before <= one(stack, name, **labels) <= time.time()


def test_orders_and_declines_are_those_of_the_books(stack, load):
    def agree():
        orders = {
            (kind["psp"], kind["method"], kind["currency"], kind["status"]): n
            for kind, n in ((dict(k), n) for k, n in
                            series(stack, "payments_orders_total").items())
            if kind["status"] in ("SUCCESS", "FAILED")
        }  # fmt: skip
        told = stack.sql(
            """SELECT c.psp, coalesce(c.payment_method, '-'), c.currency,
                o.status, count(*)
            FROM pay.payment_order o
            JOIN pay.checkout c USING (merchant_id, checkout_id)
            WHERE o.status IN ('SUCCESS', 'FAILED') GROUP BY 1, 2, 3, 4"""
        )
        return told and {k: n for k, n in orders.items() if n} == {
            tuple(row[:4]): row[4] for row in told
        }

    wait_for(agree, "the orders are counted")
    (declined,) = stack.sql(
        "SELECT count(*) FROM pay.event WHERE detail ? 'decline'"
    )
    assert sum(series(stack, "payments_declines_total").values()) == declined[0]


def test_an_answer_is_small_and_names_no_payment(stack, load):
    text = stack.http.get("/metrics").text
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert len(lines) < 2000 and len(text) < 200_000
    names = stack.sql("SELECT payment_order_id, seller_account FROM"
                      " pay.payment_order")  # fmt: skip
    assert not [name for row in names for name in row if name in text]


def test_books_that_differ_wake_somebody(stack, monitor, load):
    sold = Sold.paid(stack)
    change = (
        "UPDATE pay.wallet SET available_minor = available_minor + %s"
        " WHERE seller_account = %s RETURNING 1"
    )
    assert stack.sql(change, 1, sold.seller)
    # wallets are compared where their sellers have something new
    body = stack.order("generic")
    body["payment_orders"][0]["seller_account"] = sold.seller
    assert stack.post(body).status_code == 201
    monitor.is_paged("PaymentsBooksDiffer")
    assert stack.sql(change, -1, sold.seller)


@contextlib.contextmanager
def forbidden(stack, function: str):
    """The gateway may not call it meanwhile."""
    act = f"EXECUTE ON FUNCTION pay_api.{function}"
    stack.sql(f"REVOKE {act} FROM payments_gateway")
    try:
        yield
    finally:
        stack.sql(f"GRANT {act} TO payments_gateway")


def test_a_queue_that_is_stuck_wakes_somebody(stack, monitor, load):
    stack.created()
    with forbidden(stack, "claim_jobs"):
        stack.sql("UPDATE pay.job SET run_at = now() - interval '5 minutes'"
                  " WHERE lease_until IS NULL")  # fmt: skip
        monitor.is_paged("PaymentsJobsLate")
    monitor.is_over("PaymentsJobsLate")


def test_a_seal_that_is_late_makes_a_ticket(stack, monitor, load):
    with forbidden(stack, "begin_seal"):
        stack.created()
        monitor.is_paged("PaymentsSealFails", "/ticket")


def test_a_certificate_of_a_psp_that_ends_soon_makes_a_ticket(
    stack, monitor, load
):
    stack.created("square")
    monitor.is_paged("PaymentsPspCertificateEnds", "/ticket")
    told = [
        each["labels"]["psp"]
        for each in monitor.receiver.heard["/ticket"]
        if each["labels"]["alertname"] == "PaymentsPspCertificateEnds"
    ]
    assert set(told) == {"square"}


def test_a_psp_that_fails_wakes_somebody(stack, monitor, load):
    """Behind the others, as its circuit stays open."""
    state = {"psp": "generic", "state": "open"}
    while one(stack, "payments_psp_circuit", **state) == 0:
        body = stack.order("generic")
        nonce = body["payment_orders"][0]["payment_order_id"]
        stack.mock.faults(
            {"operation": "register", "nonce": nonce, "kind": "status",
             "status": 503}
        )  # fmt: skip
        stack.post(body)
    monitor.is_paged("PaymentsPspCircuitOpen")
    (page,) = [
        each
        for each in monitor.receiver.heard["/page"]
        if each["labels"]["alertname"] == "PaymentsPspCircuitOpen"
    ][:1]
    assert page["labels"]["psp"] == "generic"
    assert page["annotations"]["runbook"].endswith("#a-psp-is-down")
    stack.mock.clear_faults()


def test_a_database_that_is_gone_wakes_somebody(stack, monitor, load):
    stack.postgres("stop", "-m", "fast")
    monitor.is_paged("PaymentsDatabaseGone")
    # and a scrape needs no database
    assert series(stack, "payments_orders_total")
    stack.postgres("start")
    monitor.is_over("PaymentsDatabaseGone")
