"""Work in flight outlives its request, its worker and PostgreSQL: reloads,
graceful stops, crashes and clients that hang up (T35, T36, T37;
docs/reliability.md).
"""

import contextlib
import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg2
import pytest
from support.client import tls_socket
from support.load import (
    Load,
    all_get_paid,
    many,
    nonce_of,
    registered_once,
    retry_all,
    slowly,
)
from support.own_stack import (
    HASTY_PSP,
    QUICK_JOBS,
    Checkout,
    OwnStack,
    alive,
    shutting_down,
    wait_for,
)

# A new worker of a sanitized build needs longer until it has connections.
PATIENT = (
    [("queue=4096;", "queue=4096 wait=5s;")] if os.environ.get("ASAN") else []
)


@pytest.fixture(scope="module", autouse=True)
def hasty(own_stack):
    """A PSP has one second, so that a lease is over after six."""
    own_stack.configure(QUICK_JOBS, HASTY_PSP, *PATIENT)
    own_stack.expected += ["exited on signal 9", "was locked by"]
    yield
    own_stack.configure()


@pytest.fixture(params=("generic", "stripe"))
def psp(request):
    return request.param


def called(stack, body: dict) -> None:
    wait_for(lambda: stack.mock.calls(nonce_of(body)), "the call to the PSP")


def goes_on(stack, made) -> None:
    def registered():
        stack.jobs_now(made.id, "register")
        return made.registration["state"] == "REGISTERED"

    wait_for(registered, f"the registration of {made.id}")


# Reloads.


def test_reloads_under_load_lose_nothing(stack):
    """Each request on a connection of its own: not one may fail."""
    slowly(stack)
    with Load(stack) as load:
        for count in (15, 30, 45):
            wait_for(many(load, count), "load")
            stack.reload()
        wait_for(many(load, 60), "load after the last reload")
    assert [each.error or each.status for each in load.failed()] == []
    assert load.lost() == set()
    all_get_paid(stack, load.acknowledged())


def test_a_connection_closed_by_a_reload_can_be_retried(stack):
    """Keep-alive: what was cut goes through with the same key, once."""
    with Load(stack, keep_alive=True) as load:
        for count in (20, 40):
            wait_for(many(load, count), "load")
            stack.reload()
        wait_for(many(load, 60), "load after the last reload")
    assert load.lost() == set()
    for call in load.failed():
        assert call.status is None, call.status
        call.run(stack.http)
        assert call.status == 201
        registered_once(stack, call.body)


def test_old_workers_end_after_a_reload(stack):
    slowly(stack)
    body = stack.order()
    before = set(stack.generation())
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(stack.post, body)
        called(stack, body)
        stack.reload()
        assert waiting.result().status_code == 201
    wait_for(lambda: not any(map(alive, before)), "the old workers to end", 10)


def test_the_debug_log_ends_no_worker(stack):
    """nginx logs the descriptor of each event's connection; the timers of a
    worker have none.  Of events alone: bodies and tokens stay out of the log.
    """
    debug = ('error.log" notice;', 'error.log" debug_event;')
    stack.configure(QUICK_JOBS, HASTY_PSP, *PATIENT, debug)
    try:
        before = set(stack.workers())
        made = stack.created("generic")
        stack.mock.pay(made.token, "paid")
        made.becomes("SUCCESS")
        assert set(stack.workers()) == before
    finally:
        stack.configure(QUICK_JOBS, HASTY_PSP, *PATIENT)


def test_webhooks_during_reloads_are_all_booked(stack):
    made = [stack.created("generic") for _ in range(20)]
    for n, each in enumerate(made):
        stack.mock.pay(each.token, "paid")
        if n % 10 == 5:
            stack.reload()
    for each in made:
        each.becomes("SUCCESS")
        kinds = [event["kind"] for event in stack.timeline(each.order_id)]
        assert kinds == ["created", "registered", "paid"]


def test_a_bad_configuration_is_refused_and_the_old_one_goes_on(stack):
    before = set(stack.generation())
    text = stack.gateway.conf.read_text()
    stack.gateway.conf.write_text(text.replace("adapter ", "adaptor "))
    stack.expected.append("adaptor")
    try:
        os.kill(stack.master(), signal.SIGHUP)
        wait_for(
            lambda: "adaptor" in stack.gateway.error_log.read_text(),
            "the refusal",
        )
        assert set(stack.workers()) == before
        stack.created()
    finally:
        stack.gateway.conf.write_text(text)


# Graceful stop and a start after it.


@pytest.fixture
def second():
    """A stack of this test's own, to be ended."""
    made = OwnStack()
    made.configure(QUICK_JOBS, HASTY_PSP)
    try:
        yield made
        made.check_invariants()
    finally:
        made.close()


def test_a_graceful_stop_finishes_what_is_in_flight(second):
    """For clients that wait and for clients that are gone."""
    slowly(second, 700)
    master, workers = second.master(), second.generation()
    waiting = [second.order(psp) for psp in ("generic", "stripe") * 3]
    gone = [second.order(psp) for psp in ("generic", "stripe") * 3]
    paid = second.created("generic")
    with ThreadPoolExecutor(6) as pool:
        answers = [pool.submit(second.post, body) for body in waiting]
        for body in gone:
            hang_up(second, body)
        for body in waiting + gone:
            called(second, body)
        os.kill(master, signal.SIGQUIT)
        statuses = [each.result().status_code for each in answers]
    wait_for(lambda: not alive(master), "the master to end", 15)
    assert not any(map(alive, workers))
    assert statuses == [201] * 6
    rows = second.sql(
        "SELECT count(*) FROM pay.registration WHERE state = 'REGISTERED' "
        "AND attempt = 1 AND checkout_id = ANY (%s)",
        [body["checkout_id"] for body in waiting + gone],
    )
    assert rows == [(12,)]
    second.mock.pay(paid.token, "paid")
    second.start_nginx()
    paid.becomes("SUCCESS")
    assert second.created().states() == {("EXECUTING", None)}


def test_a_killed_master_and_workers_lose_nothing_acknowledged(second):
    second.expected += ["exited on signal 9", "still could not bind"]
    slowly(second, 400)
    with Load(second, threads=8) as load:
        wait_for(many(load, 20), "load")
        second.kill_nginx()
        load.stop.set()
    second.start_nginx()
    assert load.lost() == set()
    second.mock.clear_faults()
    retry_all(second, load.failed())
    all_get_paid(second, load.calls)


# Workers that die.


def kill_workers(stack) -> None:
    """All of them; the master starts new ones."""
    old = stack.generation()
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    wait_for(
        lambda: stack.workers() and not set(stack.workers()) & set(old),
        "new workers",
    )
    wait_for(stack.is_ready, "the new workers to be ready")


def cut_off(stack, body: dict, key: str | None = None):
    """Posts; the workers die while the PSP is at work."""
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(stack.post, body, key)
        called(stack, body)
        kill_workers(stack)
        with pytest.raises(httpx.TransportError):
            waiting.result()


def known(stack, body: dict) -> Checkout:
    return Checkout(
        stack, body, stack.get(f"/v1/checkouts/{body['checkout_id']}")
    )


def test_after_a_crash_the_lease_runs_out_and_a_job_goes_on(stack, psp):
    """Nobody helps: six seconds later the same nonce is sent again."""
    slowly(stack, 900, times=1)
    stack.mock.clear_faults()
    body, key = stack.order(psp), "crash-key-" + stack.order()["checkout_id"]
    stack.mock.faults(
        {"operation": "register", "kind": "delay", "ms": 900,
         "nonce": nonce_of(body)}
    )  # fmt: skip
    cut_off(stack, body, key)
    made = known(stack, body)
    assert made.shown["redirect_url"] is None
    busy = stack.post(body, key)
    assert busy.status_code == 429
    wait_for(lambda: made.registration["state"] == "REGISTERED", "the job", 15)
    registered_once(stack, body)
    assert len(stack.mock.calls(made.nonce)) == 2
    again = stack.post(body, key)
    assert again.status_code == 201
    assert again.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("before", (True, False), ids=("M2", "M3"))
@pytest.mark.parametrize("amounts", (("1.00",), ("1.00", "2.00")))
def test_a_crash_around_the_psps_work_keeps_the_nonce(
    stack, psp, before, amounts
):
    body = stack.order(psp, amounts=amounts)
    stack.mock.faults(
        {"operation": "register", "kind": "delay", "ms": 900,
         "before": before}
    )  # fmt: skip

    def called_by_its_nonce():
        rows = stack.sql(
            "SELECT nonce FROM pay.registration WHERE checkout_id = %s",
            body["checkout_id"],
        )
        return rows and stack.mock.calls(rows[0][0])

    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(stack.post, body)
        wait_for(called_by_its_nonce, "the call to the PSP")
        kill_workers(stack)
        with pytest.raises(httpx.TransportError):
            waiting.result()
    made = known(stack, body)
    goes_on(stack, made)
    uuid = made.facts()[0]
    books = stack.mock.books(reference=uuid)
    assert len(books["registrations"]) == 1
    assert made.nonce == (uuid if len(amounts) > 1 else made.order_id)
    assert {each["nonce"] for each in books["requests"]} == {made.nonce}


@contextlib.contextmanager
def locked(stack, checkout_id: str):
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


def someone_waits(stack):
    return stack.sql(
        "SELECT 1 FROM pg_stat_activity WHERE usename = 'payments_gateway' "
        "AND wait_event_type = 'Lock'"
    )


def test_a_crash_while_the_token_is_stored_loses_no_token(stack, psp):
    """M4: the commit may have happened or not."""
    body = stack.order(psp)
    stack.mock.faults(
        {"operation": "register", "kind": "delay", "ms": 400,
         "nonce": nonce_of(body)}
    )  # fmt: skip
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(stack.post, body)
        called(stack, body)
        with locked(stack, body["checkout_id"]):
            wait_for(lambda: someone_waits(stack), "the commit to wait")
            kill_workers(stack)
        with pytest.raises(httpx.TransportError):
            waiting.result()
    made = known(stack, body)
    goes_on(stack, made)
    registered_once(stack, body)
    (booked,) = stack.mock.books(nonce=made.nonce)["registrations"]
    assert made.token == booked["token"]


def test_a_crash_while_a_webhook_is_booked_books_it_once(stack, psp):
    """M6 and M7: the PSP sends it again, whatever became of it."""
    made = stack.created(psp)
    token = made.token
    with locked(stack, made.id):
        stack.mock.pay(token, "paid")
        wait_for(lambda: someone_waits(stack), "the commit to wait")
        kill_workers(stack)
    made.becomes("SUCCESS")

    def delivered():
        (sent,) = stack.mock.books(token=token)["webhooks"]
        return sent["state"] == "delivered" and sent["attempts"] >= 2

    wait_for(delivered, "the second delivery")
    kinds = [each["kind"] for each in stack.timeline(made.order_id)]
    assert kinds == ["created", "registered", "paid"]


def test_workers_killed_again_and_again_lose_nothing_acknowledged(stack):
    slowly(stack, 50)
    with Load(stack) as load:
        for count in (10, 20, 30, 40):
            wait_for(many(load, count), "load")
            kill_workers(stack)
        wait_for(many(load, 50), "load after the last crash")
    stack.mock.clear_faults()
    assert load.lost() == set()
    assert {call.status for call in load.failed()} <= {None, 503}
    retry_all(stack, load.failed())


# A worker that stands still while another one goes on.


def frozen_worker(stack, body: dict, second_fault: dict | None = None):
    """Posts; the worker is stopped with the PSP's answer unread, another
    one's job registers; then the first goes on.  → the first's answer"""
    nonce = nonce_of(body)
    stack.mock.faults(
        {"operation": "register", "kind": "delay", "ms": 400, "nonce": nonce}
    )
    old = set(stack.generation())
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(stack.post, body)
        called(stack, body)
        for pid in sorted(old):
            os.kill(pid, signal.SIGSTOP)
        try:
            os.kill(stack.master(), signal.SIGHUP)
            wait_for(
                lambda: len(set(stack.workers()) - old) == len(old),
                "new workers",
            )
            wait_for(lambda: stack.mock.calls(nonce)[0]["status"], "the answer")
            if second_fault:
                stack.mock.faults(second_fault)
            checkout_id = body["checkout_id"]
            assert stack.jobs_now(checkout_id, "register") == 1
            wait_for(
                lambda: stack.value(
                    "SELECT token FROM pay.registration WHERE checkout_id = %s",
                    checkout_id,
                ),
                "the other worker",
            )
        finally:
            for pid in old:
                os.kill(pid, signal.SIGCONT)
        answer = waiting.result()
    wait_for(lambda: all(map(shutting_down, old)), "the old workers to end")
    return answer


def test_a_worker_that_wakes_up_late_changes_nothing(stack, psp):
    body = stack.order(psp)
    answer = frozen_worker(stack, body)
    assert answer.status_code in (201, 202)
    made = Checkout(stack, body, answer)
    registered_once(stack, body)
    assert made.states() == {("EXECUTING", None)}
    kinds = [each["kind"] for each in stack.timeline(made.order_id)]
    assert kinds.count("registered") == 1


def test_of_two_tokens_for_one_nonce_the_first_stored_wins(stack, psp):
    body = stack.order(psp)
    nonce = nonce_of(body)
    stack.twins.add(nonce)
    other = {"operation": "register", "kind": "other_token", "nonce": nonce}
    answer = frozen_worker(stack, body, other)
    made = Checkout(stack, body, answer)
    first, second = stack.mock.books(nonce=nonce)["registrations"]
    stored = made.token
    assert stored in (first["token"], second["token"])
    if answer.status_code == 201:
        hosted = stack.http.get(made.shown["redirect_url"])
        assert stored in hosted.headers["Location"]


# Clients that hang up.


def hang_up(stack, body: dict, cut: int | None = None) -> None:
    """Sends a request, or the first bytes of one, and is gone."""
    raw = json.dumps(body).encode()
    head = {"Host": stack.gateway.authority, "Content-Length": len(raw)}
    lines = [f"{name}: {value}" for name, value in (
        head | stack.headers()).items()]  # fmt: skip
    request = "\r\n".join(["POST /v1/payments HTTP/1.1", *lines, "", ""])
    with tls_socket(stack.gateway) as sock:
        sock.sendall((request.encode() + raw)[:cut])


def test_a_registration_completes_when_the_client_hangs_up(stack, psp):
    slowly(stack)
    body = stack.order(psp)
    hang_up(stack, body)
    called(stack, body)
    made = known(stack, body)
    wait_for(
        lambda: made.registration["state"] == "REGISTERED", "the registration"
    )
    assert made.registration["attempt"] == 1
    assert len(stack.mock.calls(made.nonce)) == 1
    registered_once(stack, body)


def test_a_request_that_was_cut_short_leaves_nothing(stack):
    body = stack.order()
    whole = len(json.dumps(body))
    for cut in (-1, -whole, -whole - 5):
        hang_up(stack, body, cut)
    stack.created()
    assert stack.get(f"/v1/checkouts/{body['checkout_id']}").status_code == 404
    assert stack.mock.calls(nonce_of(body)) == []


def test_a_crowd_that_hangs_up_leaves_no_half_checkout(stack):
    slowly(stack, 100)
    bodies = [stack.order(("generic", "stripe")[n % 2]) for n in range(40)]
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda body: hang_up(stack, body), bodies))
    ids = [body["checkout_id"] for body in bodies]

    def quiet():
        return not stack.sql(
            "SELECT 1 FROM pay.registration "
            "WHERE checkout_id = ANY (%s) AND state = 'REGISTERING'",
            ids,
        )

    wait_for(quiet, "all registrations")
    for body in bodies:
        stored = stack.get(f"/v1/checkouts/{body['checkout_id']}")
        made = stack.mock.books(nonce=nonce_of(body))["registrations"]
        assert len(made) == (stored.status_code == 200)


# PostgreSQL that dies.


def test_a_crash_of_postgresql_loses_nothing_acknowledged(stack):
    slowly(stack, 50)
    with Load(stack) as load:
        wait_for(many(load, 25), "load")
        stack.crash_postgres()
        stack.postgres("start")
        wait_for(stack.is_ready, "the gateway to be ready")
        wait_for(many(load, 50), "load after the last crash")
    stack.mock.clear_faults()
    assert load.lost() == set()
    assert {call.status for call in load.failed()} <= {503}
    acknowledged = load.acknowledged()
    retry_all(stack, load.failed())
    all_get_paid(stack, acknowledged)
