"""Nothing blocks the event loop (docs/security.md F3, T28, T29, T36): whoever
waits for a slow PSP or a stopped PostgreSQL waits alone, and not for ever.
"""

import contextlib
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg2
import pytest
from support.events import message, outcome, slug
from support.own_stack import QUICK_JOBS, Checkout, wait_for

# One worker, so that nobody can be served by another one meanwhile.
ONE_WORKER = ("worker_processes        2;", "worker_processes        1;")
POOL = 2  # connections of that worker, see ci/nginx.conf.in
STACKS_PSP = "connect=2s total=10s"
SHORT_PSP = (STACKS_PSP, "connect=1s total=3s")
PATIENT_PSP = (STACKS_PSP, "connect=1s total=6s")
# The test lets the answers go long before.
ENDLESS_PSP = (STACKS_PSP, "connect=1s total=60s")
# A sanitized build is slow itself, and so is a machine that others use, too;
# this stays below what others wait for.
SANITIZED = bool(os.environ.get("ASAN"))
CALM_S = 1.5
ENOUGH = 20
REFUSED = 10 if SANITIZED else 36


@pytest.fixture(scope="module", autouse=True)
def one_worker(own_stack):
    own_stack.configure(ONE_WORKER, QUICK_JOBS, SHORT_PSP)
    yield
    own_stack.configure()


def nonce_of(body: dict) -> str:
    return body["payment_orders"][0]["payment_order_id"]


def slowly(stack, body: dict, ms: int) -> None:
    stack.mock.faults(
        {"operation": "register", "kind": "delay", "ms": ms,
         "nonce": nonce_of(body)}
    )  # fmt: skip


def timed(work) -> float:
    start = time.monotonic()
    work()
    return time.monotonic() - start


def p99(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.99)]


@contextlib.contextmanager
def locked(stack, checkout_id: str):
    """Somebody holds the row of one checkout."""
    link = psycopg2.connect(stack.values["PG_ADMIN_DSN"])
    try:
        with link.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM pay.checkout WHERE checkout_id = %s FOR UPDATE",
                (checkout_id,),
            )
            assert cursor.rowcount == 1
        yield
    finally:
        link.rollback()
        link.close()


@pytest.fixture
def endless(own_stack):
    own_stack.configure(ONE_WORKER, QUICK_JOBS, ENDLESS_PSP)
    yield
    own_stack.configure(ONE_WORKER, QUICK_JOBS, SHORT_PSP)


@pytest.mark.usefixtures("endless")
def test_20_answers_that_the_psp_keeps_back_delay_nobody_else(stack):
    made = stack.created()
    bodies = [stack.order() for _ in range(20)]
    for body in bodies:
        stack.mock.faults(
            {"operation": "register", "kind": "hold", "wait_ms": 60_000,
             "nonce": nonce_of(body)}
        )  # fmt: skip
    with ThreadPoolExecutor(20) as pool:
        waiting = [pool.submit(stack.post, body) for body in bodies]
        wait_for(
            lambda: all(stack.mock.calls(nonce_of(body)) for body in bodies),
            "the calls to the PSP",
        )
        for _ in range(ENOUGH):
            assert stack.payment(made.order_id)
            assert stack.created("stripe")
        assert not any(each.done() for each in waiting)
        stack.mock.release()
        answers = [each.result() for each in waiting]
    assert {answer.status_code for answer in answers} == {201}


@pytest.fixture
def patient(own_stack):
    own_stack.configure(ONE_WORKER, QUICK_JOBS, PATIENT_PSP)
    yield
    own_stack.configure(ONE_WORKER, QUICK_JOBS, SHORT_PSP)


@pytest.mark.usefixtures("patient")
def test_a_psp_that_hangs_for_long_holds_up_only_its_own(stack):
    body = stack.order()
    slowly(stack, body, 60_000)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(stack.post, body)
        wait_for(lambda: stack.mock.calls(nonce_of(body)), "the call")
        served = 0
        while not waiting.done():
            assert stack.created("stripe")
            served += 1
        answer = waiting.result()
    # it would be one, at the end of the deadline
    assert served > 3
    assert answer.status_code == 202
    assert 5.5 < answer.elapsed.total_seconds() < 25  # not the PSP's 60


def test_a_locked_order_delays_nobody_elses(stack):
    """A batch that waits for a row blocks one connection of two."""
    held = stack.created()
    other = stack.created()
    with ThreadPoolExecutor() as pool, locked(stack, held.id):
        waiting = pool.submit(message(held, "paid").send)
        wait_for(
            lambda: stack.sql(
                "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            ),
            "the webhook to wait",
        )
        limit = time.monotonic() + (1 if SANITIZED else 2)
        times = []
        while time.monotonic() < limit and not waiting.done():
            times.append(timed(lambda: stack.payment(other.order_id)))
            times.append(timed(lambda: stack.http.get("/healthz")))
            times.append(timed(stack.created))
        assert len(times) > 2
    assert waiting.result().status_code == 200
    assert held.states() == {("SUCCESS", None)}
    assert p99(times) < CALM_S


def test_a_lock_that_stays_is_answered_within_the_deadline(stack):
    held = stack.created()
    sent = message(held, "paid")
    with locked(stack, held.id):
        answer = sent.send()
        assert answer.status_code == 503
        assert answer.elapsed.total_seconds() < 8
        assert int(answer.headers["Retry-After"]) >= 1
    wait_for(stack.is_ready, "the gateway to be ready")
    assert outcome(sent.send()) in ("applied", "duplicate")
    assert held.states() == {("SUCCESS", None)}
    assert sent.rows() == 1


def signalled(pids: list[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def frozen_at_rest(stack) -> list[int]:
    """The gateway's backends, stopped while they wait for a statement.

    All of its connections are there: one that it opens a moment later would not
    be stopped.  A backend that is stopped within a commit would hold up the
    whole cluster.
    """
    pids = stack.backends()
    signalled(pids, signal.SIGSTOP)
    resting = stack.sql(
        "SELECT pid FROM pg_stat_activity WHERE usename = 'payments_gateway'"
        " AND state = 'idle' AND wait_event = 'ClientRead'"
    )
    if len(pids) == POOL and sorted(pids) == sorted(pid for (pid,) in resting):
        return pids
    signalled(pids, signal.SIGCONT)
    return []


@contextlib.contextmanager
def frozen(stack):
    pids = wait_for(lambda: frozen_at_rest(stack), "backends at rest")
    try:
        yield
    finally:
        signalled(pids, signal.SIGCONT)


def created_at_last(stack, body: dict, key: str) -> Checkout:
    """The retries of a storefront that is told 503: the payment."""

    def taken():
        answer = stack.post(body, key)
        assert answer.status_code in (201, 202, 429, 503), answer.text
        return answer if answer.status_code == 201 else None

    return Checkout(stack, body, wait_for(taken, "the payment"))


def test_a_frozen_backend_is_given_up_within_the_deadline(stack):
    """statement_timeout cannot help: the backend is stopped."""
    made = stack.created()
    sent = message(made, "paid")
    body = stack.order()
    with frozen(stack):
        answer = sent.send()
        assert answer.status_code == 503
        assert answer.elapsed.total_seconds() < 8
        assert stack.http.get("/healthz").status_code == 200
        wait_for(stack.is_ready, "other connections")
        late = created_at_last(stack, body, "late-" + body["checkout_id"])
    wait_for(stack.is_ready, "the gateway to be ready")
    assert sent.send().status_code == 200
    assert made.states() == {("SUCCESS", None)}
    assert late.states() == {("EXECUTING", None)}


def test_a_frozen_backend_in_a_create_registers_once(stack):
    """Whether it committed is unknown: the retry with the key settles it."""
    wait_for(stack.is_ready, "the gateway to be ready")
    body = stack.order()
    key = "frozen-" + body["checkout_id"]
    stack.created()
    with frozen(stack):
        answer = stack.post(body, key)
        assert answer.status_code == 503
        # the second when jobs were on both connections: it was not even sent
        assert slug(answer) in ("dependency-unavailable", "overloaded")
        assert stack.mock.calls(nonce_of(body)) == []
    made = created_at_last(stack, body, key)
    books = stack.mock.books(nonce=made.nonce)
    assert len(books["registrations"]) == 1


# PostgreSQL is away.


@pytest.fixture
def away(stack):
    """PostgreSQL is stopped; started again at the end at the latest."""
    made = stack.created()
    stack.postgres("stop", "-m", "fast")
    started = threading.Event()

    def start():
        started.set()
        stack.postgres("start")

    try:
        yield made, start
    finally:
        if not started.is_set():
            stack.postgres("start")
        wait_for(stack.is_ready, "the gateway to be ready again")


def test_without_postgresql_it_lives_but_is_not_ready(stack, away):
    wait_for(
        lambda: stack.http.get("/readyz").status_code == 503, "/readyz: 503"
    )
    answer = stack.http.get("/readyz")
    assert answer.elapsed.total_seconds() < 3
    assert stack.http.get("/healthz").status_code == 200
    assert stack.http.get("/metrics").status_code == 200
    assert stack.http.get("/problems").status_code == 200


def test_without_postgresql_a_post_is_503_and_calls_no_psp(stack, away):
    body = stack.order()
    answer = stack.post(body)
    assert answer.status_code == 503
    assert slug(answer) == "dependency-unavailable"
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.elapsed.total_seconds() < 3
    assert stack.mock.calls(nonce_of(body)) == []


def test_without_postgresql_nothing_stale_is_shown(stack, away):
    made, _ = away
    handle = made.shown["redirect_url"].rpartition("/")[2]
    for path in (
        f"/v1/payments/{made.order_id}",
        f"/v1/checkouts/{made.id}",
        f"/checkout/{handle}",
        f"/checkout/{handle}/status",
        f"/return/{handle}",
    ):
        answer = stack.get(path)
        assert answer.status_code == 503, path
        assert "Location" not in answer.headers


def test_the_gateway_recovers_without_help(stack, away):
    _, start = away
    body, key = stack.order(), "recovery-key-00000001" + stack.url[-5:]
    assert stack.post(body, key).status_code == 503
    start()
    wait_for(stack.is_ready, "the gateway to be ready")
    answer = stack.post(body, key)
    assert answer.status_code == 201
    assert "Idempotent-Replayed" not in answer.headers


def test_a_webhook_meanwhile_is_5xx_and_its_redelivery_counts(stack, away):
    made, start = away
    token = stack.mock.books(nonce=made.order_id)["registrations"][0]["token"]
    stack.mock.pay(token, "paid")

    def refused():
        (sent,) = stack.mock.books(token=token)["webhooks"]
        return sent["last_status"]

    status = wait_for(refused, "the first delivery")
    assert 500 <= status < 600
    start()
    made.becomes("SUCCESS")
    (sent,) = stack.mock.books(token=token)["webhooks"]
    assert sent["attempts"] >= 2


def test_a_token_that_cannot_be_stored_is_not_shown(stack):
    """M4: PostgreSQL stops while the PSP works; a job finds the token."""
    body = stack.order()
    nonce = nonce_of(body)
    slowly(stack, body, 1500)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(stack.post, body)
        wait_for(lambda: stack.mock.calls(nonce), "the call to the PSP")
        stack.postgres("stop", "-m", "fast")
        answer = waiting.result()
    assert answer.status_code in (202, 503)
    if answer.status_code == 202:
        assert answer.json()["redirect_url"] is None
    stack.postgres("start")
    wait_for(stack.is_ready, "the gateway to be ready")

    def registered():
        stack.sql(
            "UPDATE pay.job SET run_at = now() WHERE checkout_id = %s",
            body["checkout_id"],
        )
        return stack.payment(nonce)["redirect_url"]

    wait_for(registered, "the token")
    assert len(stack.mock.books(nonce=nonce)["registrations"]) == 1


# Overload.

SMALL = ("connections=2 batch=256 queue=4096", "connections=1 batch=1 queue=4")


def test_a_full_queue_is_503_at_once(stack):
    stack.configure(ONE_WORKER, ("payments_audience ", "payments_jobs off;\n"
                                 "payments_audience "), SMALL)  # fmt: skip
    held = stack.created()
    with ThreadPoolExecutor(41) as pool, locked(stack, held.id):
        stuck = pool.submit(message(held, "paid").send)
        wait_for(
            lambda: stack.sql(
                "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            ),
            "the webhook to wait",
        )
        reads = [
            pool.submit(stack.get, f"/v1/payments/{held.order_id}")
            for _ in range(40)
        ]

        def refused():
            done = [each.result() for each in reads if each.done()]
            full = [
                each
                for each in done
                if each.status_code == 503 and slug(each) == "overloaded"
            ]
            return full if len(full) >= REFUSED else None

        answers = wait_for(refused, "the refusals", 4)
        assert not stuck.done()
    assert {answer.status_code for answer in answers} == {503}
    for answer in answers:
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.elapsed.total_seconds() < 2 * CALM_S
    for each in [stuck, *reads]:
        assert each.result().status_code in (200, 503)
    assert stack.payment(held.order_id)["status"]
    stack.configure(ONE_WORKER, QUICK_JOBS, SHORT_PSP)


def test_a_client_that_sends_nothing_more_holds_up_nobody(stack):
    """Half a request on many connections; the others are served."""
    made = stack.created()
    body = b'{"checkout_id":'

    def endless():
        yield body
        done.wait(20)

    done = threading.Event()
    with ThreadPoolExecutor(30) as pool:
        slow = []
        for _ in range(30):
            slow.append(
                pool.submit(
                    httpx.post,
                    f"{stack.url}/v1/payments",
                    content=endless(),
                    headers=stack.headers(),
                    verify=stack.tls,
                    timeout=30,
                )
            )
        times = [timed(lambda: stack.payment(made.order_id)) for _ in range(50)]
        done.set()
        codes = {each.result().status_code for each in slow}
    assert p99(times) < CALM_S
    assert codes == {400}
