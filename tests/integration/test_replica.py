"""A replica answers reads within its limit, and never more: when it is behind,
has no answer, is away or is no standby any more, the primary is asked, and
nobody sees an error.  The last test promotes it.
"""

import contextlib
import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from support.events import message, outcome
from support.own_stack import QUICK_JOBS, OwnStack, children, new_id, wait_for
from support.pg_pair import Pair

LAG_S = 2
TIMEOUT_S = 0.5  # of a call to the replica
# the longest that a GET may take behind a replica that does not answer: its
# wait, its call, and what a busy machine takes for the primary's
LONGEST_S = 3.0
DATABASE = "    payments_database "
CALLS = (
    "SELECT funcname, calls FROM pg_stat_user_functions "
    "WHERE schemaname = 'pay_api'"
)


@pytest.fixture(scope="module")
def stack():
    made = OwnStack()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def pair(stack):
    # counted at the standby, too: the copy has the primary's settings
    stack.sql("ALTER SYSTEM SET track_functions = 'pl'")
    stack.sql("SELECT pg_reload_conf()")
    made = Pair(stack, is_synchronous=False)
    made.second.stop()
    stack.configure(QUICK_JOBS, replica_of(made))
    made.unheard_s = figure(stack, "payments_replica_lag_seconds")
    made.second.start()
    try:
        yield made
        stack.check_invariants()
    finally:
        made.second.stop()


@pytest.fixture
def replica(stack, pair):
    """The standby, which answers in each worker."""
    is_used(stack)
    return pair.second


def replica_of(pair) -> tuple[str, str]:
    """nginx.conf with the directive."""
    for line in pair.stack.pristine.splitlines():
        if line.startswith(DATABASE):
            dsn = line.split('"')[1]
    dsn = dsn.replace(f"port={pair.first.port}", f"port={pair.second.port}")
    line = f'    payments_database_replica "{dsn}" lag={LAG_S}s;\n'
    return DATABASE, line + DATABASE


def ages(stack, path: str, count: int = 20, **headers) -> list[str | None]:
    """Of answers over links of their own, so that each worker has some."""
    got = []
    for _ in range(count):
        with stack.client() as http:
            answer = http.get(path, headers=stack.headers() | headers)
        assert answer.status_code == 200, answer.text
        assert answer.elapsed.total_seconds() < LONGEST_S
        got.append(answer.headers.get("Age"))
    return got


def all_late(got: list) -> list | None:
    """got, when the replica has given each answer."""
    return got if None not in got else None


def is_used(stack) -> None:
    made = stack.created()
    path = f"/v1/payments/{made.order_id}"
    wait_for(lambda: None not in ages(stack, path), "answers of the replica")


def is_unused(stack, path: str) -> None:
    wait_for(lambda: set(ages(stack, path)) == {None}, "the primary's answers")


def figure(stack, name: str) -> int:
    for line in stack.http.get("/metrics").text.splitlines():
        if line.startswith(name + " "):
            return int(line.split(" ")[1])
    return -1


def passed(stack, why: str) -> int:
    return figure(stack, f'payments_replica_passed_total{{why="{why}"}}')


def log_of(stack) -> list[str]:
    return stack.gateway.error_log.read_text(errors="replace").splitlines()


def calls(server) -> dict[str, int]:
    return dict(server.sql(CALLS))


def looks_on(server) -> None:
    """The workers look for their beats some more; with these calls the server
    counts those that came before."""
    before = calls(server)["read_beat"]
    wait_for(lambda: calls(server)["read_beat"] > before + 16, "its count")


@contextlib.contextmanager
def paused(server):
    """Replay stands still, and the standby still receives."""
    server.sql("SELECT pg_wal_replay_pause()")
    wait_for(
        lambda: server.answers("SELECT pg_get_wal_replay_pause_state()")
        == "paused",
        "the pause",
    )
    try:
        yield
    finally:
        server.sql("SELECT pg_wal_replay_resume()")


# What it answers.


def test_reads_are_the_replicas(stack, pair, replica):
    made = stack.created()
    order = f"/v1/payments/{made.order_id}"
    for path in (order, f"/v1/checkouts/{made.id}"):
        wait_for(lambda path=path: None not in ages(stack, path), "answers")
    answered = figure(stack, "payments_replica_answers_total")
    at_replica = calls(replica).get("get_order", 0)
    got = wait_for(lambda: all_late(ages(stack, order)), "answers")
    assert all(1 <= int(age) <= LAG_S for age in got)
    assert figure(stack, "payments_replica_answers_total") >= answered + 20
    wait_for(
        lambda: calls(replica).get("get_order", 0) >= at_replica + 20,
        "the replica's own count",
    )


@pytest.mark.parametrize(
    "path",
    ["checkouts", "events", "webhook-endpoints", "payouts"],
)
def test_lists_are_the_replicas(stack, replica, path):
    with stack.client() as http:
        answer = http.get(f"/v1/{path}", headers=stack.headers())
    if answer.status_code == 403:
        pytest.skip("the stack's token has no such scope")
    assert answer.status_code == 200, answer.text
    wait_for(lambda: None not in ages(stack, f"/v1/{path}", 4), "its answers")


def test_a_storefront_may_ask_for_the_present_state(stack, replica):
    path = f"/v1/payments/{stack.created().order_id}"
    is_used(stack)
    asked = passed(stack, "asked")
    for word in ("no-cache", "max-age=0", "no-cache, max-age=60", "max-age=x"):
        got = ages(stack, path, 6, **{"Cache-Control": word})
        assert set(got) == {None}, word
    assert passed(stack, "asked") == asked + 24
    old = {"Cache-Control": "max-age=60"}
    wait_for(lambda: all_late(ages(stack, path, 6, **old)), "its answers")


def test_the_metrics_say_how_far_it_is_behind(stack, replica):
    assert 0 <= figure(stack, "payments_replica_lag_seconds") <= LAG_S


def test_one_that_never_came_has_a_gauge(pair):
    """Without it nobody would hear of a replica with a wrong address."""
    assert pair.unheard_s >= 0


# What it does not know yet.


def test_what_it_has_not_is_found_at_the_primary(stack, replica):
    """A 404 behind a 201 would make a storefront create it again."""
    with paused(replica):
        missed = passed(stack, "not_found")
        made = stack.created()
        answer = stack.get(f"/v1/payments/{made.order_id}")
        assert answer.status_code == 200
        assert "Age" not in answer.headers
        # unless the replay had stood still for the limit already
        assert passed(stack, "not_found") + passed(stack, "behind") > missed
    assert stack.get(f"/v1/payments/{new_id()}").status_code == 404


def test_one_that_is_behind_is_not_asked(stack, replica):
    made = stack.created()
    path = f"/v1/payments/{made.order_id}"
    is_used(stack)
    with paused(replica):
        stack.mock.pay(made.token)
        made.becomes("SUCCESS")
        is_unused(stack, path)
        assert stack.get(path).json()["status"] == "SUCCESS"
        looks_on(replica)
        reads = calls(replica)["get_order"]
        behind = passed(stack, "behind")
        stack.get(path)
        assert passed(stack, "behind") == behind + 1
        ages(stack, path)
        looks_on(replica)
        assert calls(replica)["get_order"] == reads
        assert figure(stack, "payments_replica_lag_seconds") > LAG_S
        assert stack.http.get("/readyz").status_code == 200
    wait_for(lambda: None not in ages(stack, path), "answers of the replica")
    assert stack.get(path).json()["status"] == "SUCCESS"


# No decision is made of it.


def late_operations(stack) -> set[str]:
    out = subprocess.run(
        [stack.values["PAYCTL"], "ops"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    rows = [line.split("\t") for line in out.splitlines()]
    return {row[0] for row in rows if row[-1] == "late"}


def test_decisions_are_the_primarys(stack, replica):
    """Payments, replays, changes, webhooks and buyers, while it answers."""
    body, key = stack.order(), new_id()
    first = stack.post(body, key)
    again = stack.post(body, key)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Age" not in first.headers
    assert "Age" not in again.headers
    made = stack.created()
    handle = made.facts()[1]
    for path in (f"/checkout/{handle}", f"/checkout/{handle}/status"):
        assert "Age" not in stack.http.get(path).headers
    assert outcome(message(made, "paid").send()) == "applied"
    assert "Age" not in stack.http.get(f"/return/{handle}").headers
    with stack.client() as http:
        refund = http.post(
            f"/v1/payments/{made.order_id}/refunds",
            json={},
            headers=stack.headers(new_id()),
        )
    assert refund.status_code < 300, refund.text
    assert "Age" not in refund.headers
    path = f"/v1/payments/{made.order_id}/refunds"
    wait_for(lambda: None not in ages(stack, path), "its answers")
    wait_for(lambda: "list_changes" in calls(replica), "its count")
    allowed = late_operations(stack)
    assert {"read_beat", "get_order"} <= allowed
    assert not {"get_payment", "get_handle", "get_buyer_history"} & allowed
    assert set(calls(replica)) <= allowed


# It goes away.


def processes(server) -> list[int]:
    pid = int((server.data / "postmaster.pid").read_text().split()[0])
    return [pid, *children(pid)]


def asked_at_once(stack, path: str) -> None:
    """Many at a time, all of which are answered."""
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ages, stack, path, 10) for _ in range(8)]
        for each in asked:
            each.result()


def test_one_that_dies_takes_no_answer_with_it(stack, replica):
    path = f"/v1/payments/{stack.created().order_id}"
    is_used(stack)
    replica.kill()
    asked_at_once(stack, path)
    assert set(ages(stack, path)) == {None}
    assert stack.http.get("/readyz").status_code == 200
    assert passed(stack, "away") > 0
    replica.start()
    wait_for(lambda: None not in ages(stack, path), "answers of the replica")


def test_one_that_hangs_takes_no_answer_with_it(stack, replica):
    path = f"/v1/payments/{stack.created().order_id}"
    is_used(stack)
    failed = passed(stack, "failed")
    pids = processes(replica)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        asked_at_once(stack, path)
        assert set(ages(stack, path)) == {None}
        assert stack.http.get("/readyz").status_code == 200
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    assert passed(stack, "failed") > failed
    wait_for(lambda: None not in ages(stack, path), "answers of the replica")


def test_sessions_that_end_take_no_answer_with_them(stack, replica):
    """As PostgreSQL ends them when they are in the way of its replay."""
    path = f"/v1/payments/{stack.created().order_id}"
    is_used(stack)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ages, stack, path, 10) for _ in range(8)]
        while not all(each.done() for each in asked):
            replica.sql(SESSIONS_END)
        for each in asked:
            each.result()
    wait_for(lambda: None not in ages(stack, path), "answers of the replica")


# a read takes longer than the replay waits for it, and less than its deadline
SLOW = """BEGIN
    IF pg_is_in_recovery() THEN
        PERFORM FROM pay.beat;
        PERFORM pg_sleep(0.3);
    END IF;
"""
CONFLICTS = "SELECT sum(confl_lock) FROM pg_stat_database_conflicts"
SESSIONS_END = (
    "SELECT pg_cancel_backend(pid), pg_terminate_backend(pid) "
    "FROM pg_stat_activity WHERE usename = 'payments_gateway'"
)
IS_RENAMED = "SELECT to_regproc('pay_api.read_bit')"
SESSIONS = (
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE usename = 'payments_gateway'"
)
LOCK = "DO 'BEGIN LOCK TABLE pay.beat IN ACCESS EXCLUSIVE MODE; END'"


@contextlib.contextmanager
def slow(pair):
    """get_order at the standby alone, whose replay waits for no query."""
    text = pair.first.sql(
        "SELECT pg_get_functiondef('pay_api.get_order'::regproc)"
    )[0][0]
    pair.first.sql(text.replace("BEGIN\n", SLOW, 1))
    pair.second.set("max_standby_streaming_delay", "0")
    try:
        yield
    finally:
        pair.second.reset("max_standby_streaming_delay")
        pair.first.sql(text)


def test_reads_that_the_replay_ends_are_the_primarys(stack, pair, replica):
    path = f"/v1/payments/{stack.created().order_id}"
    is_used(stack)
    failed = passed(stack, "failed")
    before = replica.answers(CONFLICTS)
    known = len(log_of(stack))
    with slow(pair), ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ages, stack, path, 10) for _ in range(8)]
        while not all(each.done() for each in asked):
            pair.first.sql(LOCK)
        for each in asked:
            each.result()
    wait_for(lambda: replica.answers(CONFLICTS) > before, "the conflicts")
    assert passed(stack, "failed") > failed
    assert any("sqlstate:40001" in each for each in log_of(stack)[known:])
    wait_for(lambda: None not in ages(stack, path), "answers of the replica")


def test_a_client_that_leaves_harms_no_worker(stack, pair, replica):
    path = f"/v1/payments/{stack.created().order_id}"
    is_used(stack)
    workers = stack.workers()
    with slow(pair), stack.client() as http:
        for _ in range(20):
            with contextlib.suppress(httpx.TimeoutException):
                http.get(path, headers=stack.headers(), timeout=0.1)
    wait_for(lambda: None not in ages(stack, path), "answers of the replica")
    assert stack.workers() == workers


def test_a_reload_loses_no_call_and_leaves_no_session(stack, pair, replica):
    path = f"/v1/payments/{stack.created().order_id}"
    is_used(stack)
    with slow(pair), ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(ages, stack, path, 20) for _ in range(4)]
        stack.reload()
        for each in asked:
            each.result()
    wait_for(
        lambda: replica.answers(SESSIONS) == len(stack.workers()),
        "one session for each worker",
    )
    wait_for(lambda: None not in ages(stack, path), "answers of the replica")


@contextlib.contextmanager
def without_function(pair):
    """Only replicas call read_beat."""
    name = "ALTER FUNCTION pay_api.read_{}(text[]) RENAME TO read_{}"
    pair.first.sql(name.format("beat", "bit"))
    try:
        wait_for(
            lambda: pair.second.sql(IS_RENAMED) != [(None,)],
            "the name at the standby",
        )
        yield
    finally:
        pair.first.sql(name.format("bit", "beat"))


def test_one_with_an_older_schema_is_not_asked(stack, pair, replica):
    path = f"/v1/payments/{stack.created().order_id}"
    is_used(stack)
    known = len(log_of(stack))
    refused = "[warn]", "cannot be prepared, sqlstate:42883, replica:1"
    with without_function(pair):
        replica.sql(SESSIONS_END)
        is_unused(stack, path)
        wait_for(
            lambda: any(
                all(word in line for word in refused)
                for line in log_of(stack)[known:]
            ),
            "its refusal in the log",
        )
        assert stack.http.get("/readyz").status_code == 200
    wait_for(lambda: None not in ages(stack, path), "answers of the replica")


def test_one_that_is_promoted_is_asked_no_more(stack, pair, replica):
    """It takes part in nothing that comes later, and says yes to everything.
    A worker leaves it by itself, before its state is too old."""
    made = stack.created()
    path = f"/v1/payments/{made.order_id}"
    is_used(stack)
    known = len(log_of(stack))
    pair.promote()
    asked_at_once(stack, path)
    is_unused(stack, path)
    left = "connection lost, why:the server is no standby"
    assert any(left in each for each in log_of(stack)[known:])
    stack.mock.pay(made.token)
    made.becomes("SUCCESS")
    assert stack.get(path).json()["status"] == "SUCCESS"
    assert stack.get(f"/v1/payments/{stack.created().order_id}").is_success
    assert replica.sql("SELECT pg_is_in_recovery()") == [(False,)]
