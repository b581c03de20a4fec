"""The circuit breaker and the cap of calls in flight, in gateways of their
own with two workers; seen as operators see them, in the metrics."""

import os
import re
import signal
import threading

import httpx
import pytest
from support import aftermath
from support.client import Api
from support.nginxconf import MINIMAL, Nginx, swap

WORKERS = ("worker_processes  1;", "worker_processes  2;")
TIMEOUT = "timeout            connect=2s total=10s;"
CALLS = 4
BREAKER = f"breaker failures=50% calls={CALLS} window=1h"
SAMPLE = re.compile(r'(\w+)\{psp="generic"(?:,\w+="([\w-]+)")*\} ([0-9.]+)')


class Gateway:
    """A running one, its API and what it says of the PSP generic."""

    def __init__(self, nginx, api, mock, checkout):
        self.nginx = nginx
        self.api = api
        self.mock = mock
        self.checkout = checkout

    def metrics(self) -> dict:
        """(name, last label's value or "") → number."""
        text = self.api.get("/metrics").text
        return {
            (found[1], found[2] or ""): float(found[3])
            for found in SAMPLE.finditer(text)
        }

    def value(self, name, label="") -> float:
        return self.metrics()[f"payments_psp_{name}", label]

    def circuit(self) -> str:
        metrics = self.metrics()
        states = [
            state
            for state in ("closed", "open", "half-open")
            if metrics["payments_psp_circuit", state] == 1
        ]
        assert len(states) == 1
        return states[0]

    def create(self, **fault) -> int:
        """A checkout whose registration meets the fault; its status."""
        body = self.checkout(psp="generic")
        if fault:
            nonce = body["payment_orders"][0]["payment_order_id"]
            self.mock.faults({"operation": "register", "nonce": nonce} | fault)
        return self.api.create(body).status_code

    def fail(self, times=CALLS) -> None:
        for _ in range(times):
            assert self.create(kind="status", status=503) == 202

    def reload(self, text, wait_for) -> None:
        before = set(self.workers())
        self.nginx.conf.write_text(self.nginx.fill(text))
        self.nginx.process.send_signal(signal.SIGHUP)
        wait_for(
            lambda: not before & set(self.workers()), 20, "the new workers"
        )

    def workers(self) -> list[int]:
        pid = self.nginx.process.pid
        with open(f"/proc/{pid}/task/{pid}/children") as source:
            return [int(word) for word in source.read().split()]


@pytest.fixture
def start(gateway, tmp_path, mock, checkout):
    """start(words of the block) → a Gateway."""
    made = []

    def run(words):
        text = swap(MINIMAL, WORKERS, (TIMEOUT, f"{TIMEOUT} {words}"))
        nginx = Nginx(gateway, tmp_path, text).start()
        token = gateway.env["MERCHANT_JWT"]
        api = Api(nginx.url, gateway.ssl_context(), token)
        made.append((nginx, api))
        return Gateway(nginx, api, mock, checkout)

    yield run
    mock.clear_faults()
    for nginx, api in made:
        api.close()
        if nginx.process.poll() is None:
            nginx.stop()


def slow(gateway, ms=1500) -> threading.Thread:
    """A registration that the PSP takes its time for."""
    thread = threading.Thread(
        target=gateway.create, kwargs={"kind": "delay", "ms": ms}
    )
    thread.start()
    return thread


def test_it_opens_with_the_call_that_crosses_the_threshold(start):
    one = start(f"{BREAKER} open=1h;")
    one.fail(CALLS - 1)
    assert one.circuit() == "closed"
    one.fail(1)
    assert one.circuit() == "open"
    assert one.value("circuit_opened_total") == 1
    assert one.value("success_ratio") == 0


def test_an_open_circuit_sends_nothing(start):
    one = start(f"{BREAKER} open=1h;")
    one.fail()
    for n in range(1, 6):
        assert one.create() == 202
        assert one.value("refused_total", "circuit-open") == n
    assert one.value("in_flight") == 0
    assert one.value("circuit_opened_total") == 1


def test_probes_close_it(start, wait_for):
    one = start(f"{BREAKER} open=300ms probes=2;")
    one.fail()
    wait_for(lambda: one.circuit() == "half-open", what="half-open")
    assert one.create() == 201
    assert one.circuit() == "half-open"
    assert one.create() == 201
    assert one.circuit() == "closed"
    assert one.value("success_ratio") == 1
    log = one.nginx.error_log.read_text()
    assert "payments: circuit opened, psp:generic" in log
    assert "payments: circuit closed, psp:generic" in log


def test_a_probe_that_fails_opens_it_again(start, wait_for):
    one = start(f"{BREAKER} open=300ms probes=1;")
    one.fail()
    wait_for(lambda: one.circuit() == "half-open", what="half-open")
    one.fail(1)
    assert one.value("circuit_opened_total") == 2


def test_off_is_off(start):
    one = start("breaker off;")
    one.fail(12)
    assert one.circuit() == "closed"
    assert one.create() == 201
    assert one.value("success_ratio") < 0.1


def test_refusals_and_wrong_requests_are_no_failures(start):
    """The PSP is there: it says no."""
    one = start(f"{BREAKER} open=1h;")
    for status in (400, 402, 404, 409, 422, 429):
        one.create(kind="status", status=status, stored=False)
    assert one.circuit() == "closed"
    assert one.value("success_ratio") == 1


def test_a_reload_keeps_the_state_by_name(start, wait_for):
    """stripe comes before generic then, and two more are there."""
    one = start(f"{BREAKER} open=1h;")
    one.fail()
    begin = MINIMAL.index("    payments_psp generic {")
    middle = MINIMAL.index("    payments_psp stripe {")
    end = MINIMAL.index("    payments_merchant acme {")
    generic, stripe = MINIMAL[begin:middle], MINIMAL[middle:end]
    generic = swap(generic, (TIMEOUT, f"{TIMEOUT} {BREAKER} open=1h;"))
    more = [stripe.replace("stripe {", f"more{i} {{") for i in range(2)]
    text = MINIMAL[:begin] + stripe + "".join(more) + generic + MINIMAL[end:]
    one.reload(swap(text, WORKERS), wait_for)
    assert one.circuit() == "open"
    assert one.create() == 202
    assert one.value("refused_total", "circuit-open") == 1


def test_one_call_more_than_the_cap_is_not_made(start, wait_for):
    one = start("concurrency 2;")
    assert one.value("concurrency_limit") == 2
    calls = [slow(one), slow(one)]
    wait_for(lambda: one.value("in_flight") == 2, what="two in flight")
    assert one.create() == 202
    assert one.value("refused_total", "busy") == 1
    assert one.value("in_flight") == 2
    for call in calls:
        call.join()
    assert one.value("in_flight") == 0
    assert one.create() == 201
    assert one.value("latency_seconds") > 0.5


def test_the_cap_of_the_http_block_holds_where_none_is_said(start, wait_for):
    one = start("")
    old = "payments_jobs      off;"
    text = swap(MINIMAL, WORKERS, (old, f"{old} payments_psp_concurrency 1;"))
    one.reload(text, wait_for)
    assert one.value("concurrency_limit") == 1
    call = slow(one)
    wait_for(lambda: one.value("in_flight") == 1, what="one in flight")
    assert one.create() == 202
    call.join()
    assert one.create() == 201


def test_a_killed_worker_leaks_no_calls(start, wait_for):
    one = start("concurrency 1;")
    call = threading.Thread(target=lost, args=(one,))
    call.start()
    wait_for(lambda: one.value("in_flight") == 1, what="one in flight")
    for pid in one.workers():
        os.kill(pid, signal.SIGKILL)
    call.join()
    wait_for(lambda: seen(one) == 0, what="nothing in flight")
    assert one.create() == 201
    one.nginx.process.send_signal(signal.SIGQUIT)
    one.nginx.process.wait(20)
    bad = aftermath.bad_lines(one.nginx.error_log)
    assert all("exited on signal 9" in line for line in bad), bad


def lost(one):
    """Its connection ends with the worker."""
    with pytest.raises(httpx.TransportError):
        one.create(kind="delay", ms=5000)


def seen(one):
    try:
        return one.value("in_flight")
    except httpx.TransportError:
        return None
