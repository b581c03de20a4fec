"""Two nodes over one PostgreSQL lose nothing and double nothing: whatever
storefronts, PSPs and jobs do at both at once, it is done once; what one leaves
behind, killed or stopped, the other finishes.
"""

import contextlib
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from support import nodes as races
from support.load import (
    Load,
    all_get_paid,
    many,
    nonce_of,
    registered_once,
    retry_all,
    slowly,
    together,
)
from support.nodes import ROUNDS, Nodes
from support.own_stack import (
    HASTY_PSP,
    QUICK_JOBS,
    Checkout,
    OwnStack,
    new_id,
    wait_for,
)
from support.rate_server import Server
from support.second_node import SecondNode
from support.sold import Sold, books_hold

LOOKS = 3  # at a PSP's list of events
PSPS = ("generic", "stripe")
NO_JOBS = ("payments_audience ", "payments_jobs off;\n    payments_audience ")
MAY_BE_RETRIED = {None, 429, 503}  # None: the connection broke


@pytest.fixture(scope="module")
def running():
    with contextlib.ExitStack() as last:
        first = OwnStack()
        last.callback(first.close)
        second = SecondNode(first)
        last.callback(second.close)
        last.callback(first.check_invariants)
        for node in (first, second):
            node.configure(QUICK_JOBS, HASTY_PSP)
            node.expected += ["still could not bind"]
        yield Nodes(first, second)


@pytest.fixture
def nodes(running):
    yield running
    running.first.mock.clear_faults()
    running.psp_tells(running.first)
    books_hold(running.first)


# Races of storefronts.


@pytest.mark.parametrize("psp", PSPS)
def test_one_key_at_both_nodes_is_one_payment(nodes, psp):
    races.one_key_is_one_payment(nodes, psp)


def test_one_checkout_under_several_keys_is_one_payment(nodes):
    races.one_checkout_is_one_payment(nodes, "generic")


def test_one_key_with_two_bodies_lets_one_through(nodes):
    races.one_body_of_a_key_gets_through(nodes, "generic")


# Webhooks.


@pytest.mark.parametrize("psp", PSPS)
def test_one_event_told_to_both_nodes_is_booked_once(nodes, psp):
    races.one_event_is_booked_once(nodes, psp)


@pytest.mark.parametrize("psp", PSPS)
def test_a_webhook_may_overtake_the_other_nodes_answer(nodes, psp):
    """The first node is still waiting for the PSP when the second is told
    that the buyer has paid."""
    first, second = nodes.both
    bodies = [first.order(psp) for _ in range(ROUNDS)]
    nodes.psp_tells(second)
    for body in bodies:
        first.mock.faults(
            {"operation": "webhook", "kind": "early", "wait_ms": 500,
             "nonce": nonce_of(body)}
        )  # fmt: skip
    answers = together(len(bodies), lambda n: first.post(bodies[n]))
    assert {answer.status_code for answer in answers} == {201}
    for body in bodies:
        made = Checkout(second, body, None)
        made.becomes("SUCCESS")
        kinds = [each["kind"] for each in second.timeline(made.order_id)]
        assert kinds == ["created", "registered", "paid"]
        registered_once(first, body)


# After the sale.


@pytest.mark.parametrize("psp", PSPS)
def test_refunds_at_both_nodes_never_exceed_the_payment(nodes, psp):
    races.refunds_never_exceed_the_payment(nodes, psp)


@pytest.mark.parametrize("what", ("refund", "capture"))
def test_one_change_asked_for_at_both_nodes_is_made_once(nodes, what):
    races.one_change_is_made_once(nodes, "generic", what)


def test_captures_at_both_nodes_never_exceed_what_is_held(nodes):
    for _ in range(max(1, ROUNDS // 8)):
        made = Sold.paid(nodes.first, capture="manual")
        answers = together(
            6, lambda n: made.capture("5.00", client=nodes.both[n % 2].http)
        )
        taken = [a for a in answers if a.status_code in (201, 202)]
        assert len(taken) == 2, [a.text for a in answers]
        for answer in taken:
            made.ends(answer, "SUCCESS")
        assert made.money()["captured"] == 1000
        made.agree()


def test_a_refund_and_a_dispute_at_different_nodes_add_up(nodes):
    first, second = nodes.both
    nodes.psp_tells(second)
    for _ in range(ROUNDS):
        made = Sold.paid(first)
        with ThreadPoolExecutor(2) as pool:
            refund = pool.submit(made.refund, "5.00")
            pool.submit(made.at_psp, "dispute", amount_minor=500).result()
        made.ends(refund.result(), "SUCCESS")
        made.reaches(amount_refundable="2.34")
        made.agree()


# Reads and pages.


def test_each_node_shows_what_the_other_has_taken(nodes):
    first, second = nodes.both
    for one, other in (nodes.both, (second, first)):
        made = one.created()
        handle = made.facts()[1]
        page, here = (n.http.get(f"/checkout/{handle}") for n in (other, one))
        assert page.status_code == 303
        assert page.headers["Location"] == here.headers["Location"]
        assert other.payment(made.order_id)["status"] == "EXECUTING"
        assert other.timeline(made.order_id) == one.timeline(made.order_id)
        shown = other.get(f"/v1/checkouts/{made.id}").json()
        assert shown == one.get(f"/v1/checkouts/{made.id}").json()
        one.mock.pay(made.token)
        made.becomes("SUCCESS")
        assert other.payment(made.order_id)["status"] == "SUCCESS"
        back = other.http.get(f"/return/{handle}")
        assert back.status_code in (200, 303)
        assert back.status_code == one.http.get(f"/return/{handle}").status_code
        foreign = other.get(f"/v1/payments/{made.order_id}", "OTHER_")
        assert foreign.status_code == 404


# What one leaves behind.


@contextlib.contextmanager
def ended(node: OwnStack, end):
    """The node is away, and comes back."""
    end()
    try:
        yield
    finally:
        node.start_nginx()


def posted(node: OwnStack, body: dict, key: str) -> int | None:
    with node.client() as http:
        try:
            return node.post(body, key, client=http).status_code
        except httpx.TransportError:
            return None


def test_what_a_killed_node_was_about_is_finished_by_the_other(nodes):
    """Nobody helps: its leases run out, and the nonces are sent again."""
    first, second = nodes.both
    bodies = [first.order(PSPS[n % 2]) for n in range(8)]
    keys = [new_id() for _ in bodies]
    slowly(first, 900)
    with ThreadPoolExecutor(len(bodies)) as pool:
        told = [
            pool.submit(posted, first, *each)
            for each in zip(bodies, keys, strict=True)
        ]
        for body in bodies:
            wait_for(lambda: first.mock.calls(nonce_of(body)), "the call")
        with ended(first, first.kill_nginx):
            assert {each.result() for each in told} == {None}
            nodes.psp_tells(second)
            first.mock.clear_faults()
            assert second.post(bodies[0], keys[0]).status_code == 429
            for body, key in zip(bodies, keys, strict=True):
                made = Checkout(second, body, None)
                wait_for(
                    lambda: made.registration["state"] == "REGISTERED",
                    "the other node's job",
                )
                assert second.post(body, key).status_code == 201
                second.mock.pay(made.token)
                made.becomes("SUCCESS")
                registered_once(second, body)
                assert len(second.mock.calls(made.nonce)) == 2


def test_a_job_that_a_killed_node_had_claimed_is_done_by_the_other(nodes):
    """Exactly once, and not before the lease is over."""
    first, second = nodes.both
    second.configure(NO_JOBS, HASTY_PSP)
    bodies = [first.order() for _ in range(4)]
    ids = [body["checkout_id"] for body in bodies]
    for body in bodies:
        first.mock.faults(
            {"operation": "register", "kind": "status", "status": 503,
             "nonce": nonce_of(body)}
        )  # fmt: skip
    answers = together(len(bodies), lambda n: first.post(bodies[n]))
    assert {answer.status_code for answer in answers} == {202}
    slowly(first, 900)

    def leases() -> list[tuple]:
        for each in ids:
            first.jobs_now(each)
        return first.sql(
            "SELECT checkout_id, lease_owner, lease_until FROM pay.job "
            "WHERE checkout_id = ANY (%s) AND lease_until IS NOT NULL",
            ids,
        )

    wait_for(lambda: len(leases()) == len(ids), "the jobs to be claimed")
    for body in bodies:
        wait_for(
            lambda: len(first.mock.calls(nonce_of(body))) == 2,
            "the job's call",
        )
    with ended(first, first.kill_nginx):
        before = leases()
        first.mock.clear_faults()
        second.configure(QUICK_JOBS, HASTY_PSP)
        for checkout_id, owner, until in before:
            wait_for(
                lambda: (
                    not second.sql(
                        "SELECT 1 FROM pay.job WHERE checkout_id = %s "
                        "AND lease_owner = %s",
                        checkout_id,
                        owner,
                    )
                ),
                "the other node to take it",
            )
            assert second.value("SELECT now() >= %s", until)
        for body in bodies:
            made = Checkout(second, body, None)
            wait_for(
                lambda: made.registration["state"] == "REGISTERED",
                "the registration",
            )
            registered_once(second, body)
            assert len(second.mock.calls(made.nonce)) == 3


def test_a_graceful_stop_of_one_node_loses_nothing(nodes):
    first, second = nodes.both
    bodies = [first.order(PSPS[n % 2]) for n in range(8)]
    slowly(first, 700)
    with ThreadPoolExecutor(len(bodies)) as pool:
        told = [pool.submit(first.post, body) for body in bodies]
        for body in bodies:
            wait_for(lambda: first.mock.calls(nonce_of(body)), "the call")
        with ended(first, first.quit_nginx):
            assert {each.result().status_code for each in told} == {201}
            nodes.psp_tells(second)
            for body in bodies:
                made = Checkout(second, body, None)
                assert made.registration["attempt"] == 1
                second.mock.pay(made.token)
                made.becomes("SUCCESS")
                registered_once(second, body)


def test_a_rolling_restart_of_both_nodes_under_load_loses_nothing(nodes):
    """A storefront hears nothing, or 503, and goes to the other node."""
    slowly(nodes.first, 30)
    with Load(nodes.first, 3) as one, Load(nodes.second, 3) as two:
        loads = (one, two)
        for n in (0, 1) * max(1, ROUNDS // 16):
            node, other = nodes.both[n], nodes.both[1 - n]
            nodes.psp_tells(other)
            wait_for(many(loads[n], len(loads[n].calls) + 10), "load")
            with ended(node, node.quit_nginx):
                goes_on = many(loads[1 - n], len(loads[1 - n].calls) + 5)
                wait_for(goes_on, "load at the other node")
        for load in loads:
            wait_for(many(load, len(load.calls) + 10), "load afterwards")
    nodes.first.mock.clear_faults()
    for load, other in ((one, nodes.second), (two, nodes.first)):
        assert load.lost() == set()
        assert {call.status for call in load.failed()} <= MAY_BE_RETRIED
        failed = load.failed()
        for call in failed:
            call.stack = other
        retry_all(other, failed)
        all_get_paid(other, load.calls)


# Rounds that one worker of all nodes makes at a time.


def test_each_seal_is_made_and_exported_by_one_node(nodes):
    first, second = nodes.both
    together(20, lambda n: nodes.both[n % 2].created())

    def exported() -> list[dict]:
        files = [Path(node.values["AUDIT_SEALS"]) for node in nodes.both]
        lines = [line for f in files for line in f.read_text().splitlines()]
        return sorted(map(json.loads, lines), key=lambda s: int(s["number"]))

    def all_sealed() -> bool:
        return not first.sql(
            "SELECT 1 FROM pay.event WHERE tx >= "
            "(SELECT coalesce(max(until_tx), 0) FROM pay.seal "
            "WHERE signature IS NOT NULL) LIMIT 1"
        )

    wait_for(all_sealed, "the seals")
    wait_for(
        lambda: (
            [int(each["number"]) for each in exported()]
            == [
                n
                for (n,) in first.sql("SELECT number FROM pay.seal ORDER BY 1")
            ]
        ),
        "each seal to be exported once",
    )
    assert len(exported()) > 1


def test_a_list_of_events_is_read_by_one_node_at_a_time(nodes):
    def runs() -> int:
        rows = "SELECT runs FROM pay.backfill WHERE psp = 'stripe'"
        return nodes.first.value(rows)

    def idle() -> bool:
        return nodes.second.value(
            "SELECT lease_until IS NULL AND run_at > now() FROM pay.backfill "
            "WHERE psp = 'stripe'"
        )

    wait_for(idle, "the look before")
    before = runs()
    for n in range(1, LOOKS + 1):
        nodes.first.sql(
            "UPDATE pay.backfill SET run_at = now() WHERE psp = 'stripe'"
        )
        wait_for(lambda: runs() == before + n and idle(), "one look")
    together(8, lambda n: nodes.both[n % 2].created())
    assert runs() == before + LOOKS


def test_a_source_of_rates_is_asked_by_one_node_at_a_time(nodes):
    server = Server()
    server.says({"base": "EUR", "rates": {"USD": 1.5}})
    source = (
        "payments_audience ",
        f"payments_rates pair url=http://127.0.0.1:{server.port}/latest "
        "base=EUR interval=1s;\n    payments_audience ",
    )
    try:
        for node in nodes.both:
            node.configure(source, QUICK_JOBS, HASTY_PSP)
        wait_for(lambda: server.paths, "the first look")
        begun, before = time.monotonic(), len(server.paths)
        wait_for(lambda: len(server.paths) >= before + 6, "six more")
        # 6 s, or less by as much as the first look was late
        assert time.monotonic() - begun > 3.5
    finally:
        for node in nodes.both:
            node.configure(QUICK_JOBS, HASTY_PSP)
        server.close()
    runs = "SELECT runs FROM pay.rate_source WHERE source = 'pair'"
    wait_for(lambda: nodes.first.value(runs) == len(server.paths), "its end")


# Windows of risk.

HOUR_WINDOW = (
    "payments_risk_velocity     ip-10m",
    "payments_risk_velocity     mail-day merchant=acme key=email window=24h"
    " limit=4 then=block;\n"
    "    payments_risk_velocity     ip-10m",
)


@pytest.fixture(name="counting")
def nodes_with_a_window_of_a_day(nodes):
    for node in nodes.both:
        node.configure(QUICK_JOBS, HASTY_PSP, HOUR_WINDOW)
    yield nodes
    for node in nodes.both:
        node.configure(QUICK_JOBS, HASTY_PSP)


def passed(nodes, count: int, **buyer) -> int:
    """How many of count creates, in turn at both nodes, are not blocked."""
    answers = [
        nodes.both[n % 2].post(nodes.first.order(buyer_info=buyer))
        for n in range(count)
    ]
    assert {answer.status_code for answer in answers} == {201}
    return sum(
        order["status"] != "FAILED"
        for answer in answers
        for order in answer.json()["payment_orders"]
    )


def test_both_nodes_count_a_window_of_a_day_together(counting):
    assert passed(counting, 10, email=f"{new_id()}@example.org") == 4


def test_each_node_counts_a_window_of_minutes_of_its_own(counting):
    digits = new_id().replace("-", "")
    ip = "2001:db8:" + ":".join(digits[n : n + 4] for n in range(0, 24, 4))
    assert passed(counting, 24, ip=ip) == 20
