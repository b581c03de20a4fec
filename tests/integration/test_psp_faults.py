"""A PSP that answers late, never, or nonsense (docs/reliability.md, M2 to
M4; T17, T29, T37, T48).  Unknown is never failed, a retry carries the same
nonce, and the mock's own books say how often something was registered.
"""

import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support.events import message, outcome, slug
from support.own_stack import HASTY_PSP, QUICK_JOBS, Checkout, wait_for

MIB = 1024 * 1024


@pytest.fixture(scope="module", autouse=True)
def hasty(own_stack):
    """A PSP has one second; jobs are looked for all the time."""
    own_stack.configure(QUICK_JOBS, HASTY_PSP)
    yield
    own_stack.configure()


@pytest.fixture(params=("generic", "stripe"))
def psp(request):
    return request.param


def nonce_of(body: dict) -> str:
    return body["payment_orders"][0]["payment_order_id"]


def post_with(stack, psp: str, fault: dict):
    """A checkout whose registration meets the fault."""
    body = stack.order(psp)
    stack.mock.faults(
        {"operation": "register", "nonce": nonce_of(body)} | fault
    )
    answer = stack.post(body)
    return answer, Checkout(stack, body, answer)


def goes_on(stack, made) -> None:
    """The job registers it, however far off its next try was."""

    def registered():
        stack.jobs_now(made.id, "register")
        return made.registration["state"] == "REGISTERED"

    wait_for(registered, f"the registration of {made.id}")


def registered_once(stack, made) -> None:
    books = stack.mock.books(nonce=made.nonce)
    assert len(books["registrations"]) == 1
    assert books["registrations"][0]["token"] == made.token
    uuid = made.facts()[0]
    same = stack.mock.books(reference=uuid)["registrations"]
    assert same == books["registrations"]


# Answers to a registration that leave its outcome open.  A reused connection
# that ends before the first line is tried again by libcurl, five times, with
# the same bytes and nonce: such faults must come more often.

OFTEN = {"times": 6}

OPEN = {
    "late": {"kind": "delay", "ms": 1500},
    "late-and-not-begun": {"kind": "delay", "ms": 1500, "before": True},
    "slow-body": {"kind": "slow_body", "ms": 3000},
    "dropped": OFTEN | {"kind": "drop"},
    "accepted-and-dropped": OFTEN | {"kind": "drop_after_accept"},
    "reset-at-once": OFTEN | {"kind": "reset_at_byte", "at": 0},
    "reset-in-the-status-line": OFTEN | {"kind": "reset_at_byte", "at": 9},
    "reset-in-the-header": {"kind": "reset_at_byte", "at": 40},
    "reset-in-the-body": {"kind": "reset_at_byte", "at": 150},
    "500": {"kind": "status", "status": 500, "stored": False},
    "502": {"kind": "status", "status": 502},
    "503": {"kind": "status", "status": 503, "retry_after": 1},
    "504-after-accepting": {"kind": "status", "status": 504, "accept": True},
    "429": {"kind": "status", "status": 429, "retry_after": 1},
    "401": {"kind": "status", "status": 401, "stored": False},
    "409": {"kind": "status", "status": 409, "stored": False},
    "418": {"kind": "status", "status": 418, "stored": False},
    "truncated": {"kind": "malformed"},
    "huge": {"kind": "huge"},
    "gzip-bomb": {"kind": "gzip_bomb"},
    "html": {"kind": "html"},
    "redirect": {"kind": "redirect"},
    "permanent-redirect": {"kind": "redirect", "status": 308},
    "redirect-after-accepting": {"kind": "redirect", "accept": True},
    "200-with-an-error": {"kind": "ok_with_error"},
    "other-amount": {"kind": "wrong_amount"},
    "other-currency": {"kind": "wrong_currency"},
}


@pytest.mark.parametrize("fault", OPEN.values(), ids=OPEN.keys())
def test_an_open_outcome_is_202_and_a_job_goes_on(stack, psp, fault):
    answer, made = post_with(stack, psp, fault)
    assert answer.status_code == 202, answer.text
    assert int(answer.headers["Retry-After"]) >= 1
    assert made.shown["redirect_url"] is None
    assert made.shown["status"] in ("NOT_STARTED", "EXECUTING")
    assert made.registration["state"] == "REGISTERING"
    goes_on(stack, made)
    registered_once(stack, made)
    assert made.states() == {("EXECUTING", None)}
    stack.mock.pay(made.token, "paid")
    made.becomes("SUCCESS")


@pytest.mark.parametrize("kind", ("drop_after_accept", "drop", "malformed"))
def test_every_retry_carries_the_same_nonce(stack, psp, kind):
    _, made = post_with(stack, psp, {"kind": kind, "times": 12})
    goes_on(stack, made)
    registered_once(stack, made)
    calls = stack.mock.calls(made.nonce)
    assert len(calls) == 13
    assert {each["operation"] for each in calls} == {"register"}
    attempt = made.registration["attempt"]
    assert 3 <= attempt <= 13
    kinds = [each["kind"] for each in stack.timeline(made.order_id)]
    unknown = ["registration_unknown"] * (attempt - 1)
    assert kinds == ["created", *unknown, "registered"]


def test_many_orders_keep_their_nonce_over_a_lost_answer(stack, psp):
    body = stack.order(psp, amounts=("1.00", "2.00"))
    stack.mock.faults(
        {"operation": "register", "kind": "drop_after_accept"} | OFTEN
    )
    answer = stack.post(body)
    assert answer.status_code == 202
    made = Checkout(stack, body, answer)
    goes_on(stack, made)
    registered_once(stack, made)
    assert made.nonce == made.facts()[0]


def test_stripes_stored_500_is_never_a_failure_nor_a_new_nonce(stack):
    """Stripe replays the 500 for as long as it keeps the key."""
    answer, made = post_with(stack, "stripe", {"kind": "status", "status": 500})
    assert answer.status_code == 202

    def tried_again():
        stack.jobs_now(made.id)
        return made.registration["attempt"] >= 4

    wait_for(tried_again, "three more tries")
    assert made.registration["state"] == "REGISTERING"
    assert {status for status, _ in made.states()} <= {
        "NOT_STARTED",
        "EXECUTING",
    }
    assert stack.mock.books(nonce=made.nonce)["registrations"] == []


def test_retry_after_is_kept(stack, psp):
    _, made = post_with(
        stack, psp, {"kind": "status", "status": 429, "retry_after": 40}
    )
    left = stack.value(
        "SELECT extract(epoch FROM run_at - now()) FROM pay.job "
        "WHERE checkout_id = %s",
        made.id,
    )
    assert left > 35


def test_a_silly_retry_after_is_no_eternity(stack, psp):
    _, made = post_with(
        stack,
        psp,
        {"kind": "status", "status": 429, "retry_after": 2_000_000_000},
    )
    left = stack.value(
        "SELECT extract(epoch FROM run_at - now()) FROM pay.job "
        "WHERE checkout_id = %s",
        made.id,
    )
    assert 0 < left <= 24 * 3600


def test_a_replay_follows_the_job(stack, psp):
    body, key = (
        stack.order(psp),
        "key-" + "x" * 8 + stack.order()["checkout_id"],
    )
    stack.mock.faults(
        {"operation": "register", "kind": "malformed", "nonce": nonce_of(body)}
    )
    first = stack.post(body, key)
    assert first.status_code == 202
    made = Checkout(stack, body, first)
    goes_on(stack, made)
    again = stack.post(body, key)
    assert again.status_code == 201
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json()["redirect_url"]
    registered_once(stack, made)


def test_a_buyer_without_a_hosted_page_yet_is_asked_to_wait(stack, psp):
    _, made = post_with(
        stack, psp, {"kind": "status", "status": 429, "retry_after": 60}
    )
    handle = made.facts()[1]
    answer = stack.http.get(f"/checkout/{handle}")
    assert answer.status_code == 303
    status = f"{stack.url}/checkout/{handle}/status"
    assert answer.headers["Location"] == status
    page = stack.http.get(status)
    assert "We are preparing your payment" in page.text


# A webhook that comes although the answer was lost.


def test_a_paid_webhook_with_the_answer_lost_ends_in_success(stack, psp):
    _, made = post_with(stack, psp, OFTEN | {"kind": "drop_after_accept"})
    (booked,) = stack.mock.books(nonce=made.nonce)["registrations"]
    stack.mock.pay(booked["token"], "paid")
    wait_for(
        lambda: stack.sql(
            "SELECT 1 FROM pay.webhook_inbox WHERE token = %s",
            booked["token"],
        ),
        "the webhook",
    )

    def settled():
        stack.jobs_now(made.id)
        return made.states() == {("SUCCESS", None)}

    wait_for(settled, "success")
    registered_once(stack, made)


# Hosted pages on hosts that nobody configured (T17, R4).

EVIL = (
    "https://evil.example/pay",
    "http://127.0.0.1:1/pay",
    "https://{host}.evil.example/pay",
    "https://{host}@evil.example/pay",
    "https://user@{host}/pay",
    "https://evil.example/?{host}",
    "https://evil.example#{host}",
    "https://evil.example\\@{host}/",
    "http://evil.example/pay",
    "//evil.example/pay",
    "/pay",
    "javascript:alert(1)",
    "data:text/html,x",
    "http://{host}/pay\r\nSet-Cookie: a=b",
    "http://{host}/pay\x00",
    "http://{host}/p\u00e4y",
    "http://127.0.0.1%2e:80/",
    "http://[::1]/pay",
    "",
)


@pytest.mark.parametrize("url", EVIL)
def test_a_buyer_is_never_sent_to_another_host(stack, psp, url):
    host = urlsplit(stack.gateway.mock_url).netloc
    url = url.format(host=host)
    answer, made = post_with(stack, psp, {"kind": "evil_host", "url": url})
    assert answer.status_code in (502, 202), answer.text
    assert "evil.example" not in answer.text
    way = stack.http.get(f"/checkout/{made.facts()[1]}")
    assert way.headers["Location"].startswith(f"{stack.url}/checkout/")
    assert made.registration["hosted_url"] is None


@pytest.mark.parametrize("url", EVIL[:9])
def test_an_evil_host_is_502_and_ends_the_checkout(stack, psp, url):
    host = urlsplit(stack.gateway.mock_url).netloc
    url = url.format(host=host)
    answer, made = post_with(stack, psp, {"kind": "evil_host", "url": url})
    assert answer.status_code == 502
    assert slug(answer) == "psp-refused"
    assert "Location" not in answer.headers
    assert answer.json()["existing"].endswith(made.id)
    assert made.states() == {("FAILED", "rejected")}


# Refused for good.


@pytest.mark.parametrize("status", (400, 402, 404, 422))
def test_a_refusal_is_502_and_is_not_tried_again(stack, status):
    answer, made = post_with(
        stack, "generic", {"kind": "status", "status": status}
    )
    assert answer.status_code == 502
    assert slug(answer) == "psp-refused"
    assert made.states() == {("FAILED", "rejected")}
    assert stack.jobs_now(made.id) == 0
    assert len(stack.mock.calls(made.nonce)) == 1


def test_a_refusal_tells_nothing_of_the_psps_words(stack):
    answer, _ = post_with(stack, "generic", {"kind": "status", "status": 422})
    assert "could not be handled" not in answer.text
    assert "127.0.0.1" not in answer.text


# Nobody there.


def at(stack, port: int) -> tuple[str, str]:
    mock_port = urlsplit(stack.gateway.mock_url).port
    return (f"127.0.0.1:{mock_port}/", f"127.0.0.1:{port}/")


def test_a_psp_that_refuses_connections_is_202_and_waited_for(stack, psp):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        stack.configure(
            QUICK_JOBS, HASTY_PSP, at(stack, closed.getsockname()[1])
        )
        body = stack.order(psp)
        answer = stack.post(body)
    stack.configure(QUICK_JOBS, HASTY_PSP)
    assert answer.status_code == 202
    made = Checkout(stack, body, answer)
    kinds = [each["kind"] for each in stack.timeline(made.order_id)]
    assert "registration_not_sent" in kinds
    goes_on(stack, made)
    registered_once(stack, made)


def test_a_psp_that_swallows_connections_is_202_in_time(stack, psp):
    """Its queue is full: SYNs are dropped."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for each in fillers:
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        port = full.getsockname()[1]
        stack.configure(QUICK_JOBS, HASTY_PSP, at(stack, port))
        body = stack.order(psp)
        answer = stack.post(body)
        for each in fillers:
            each.close()
    stack.configure(QUICK_JOBS, HASTY_PSP)
    assert answer.status_code == 202
    assert answer.elapsed.total_seconds() < 20
    made = Checkout(stack, body, answer)
    goes_on(stack, made)
    registered_once(stack, made)


def test_a_checkout_that_was_never_registered_expires(stack, psp):
    _, made = post_with(stack, psp, {"kind": "drop", "sticky": True})
    stack.sql(
        "UPDATE pay.checkout SET expires_at = now() - '1s'::interval "
        "WHERE checkout_id = %s",
        made.id,
    )
    wait_for(
        lambda: (
            stack.jobs_now(made.id) is None
            or made.states() == {("FAILED", "expired")}
        ),
        "the end",
    )
    assert stack.mock.books(nonce=made.nonce)["registrations"] == []


# A lost webhook: the poll settles it.


def lost(stack, psp: str, result: str):
    """A settled payment that no webhook told us about."""
    made = stack.created(psp)
    stack.mock.faults(
        {"operation": "webhook", "kind": "none", "nonce": made.nonce,
         "sticky": True}
    )  # fmt: skip
    stack.mock.pay(made.token, result)
    return made


def polled(stack, made, states: set) -> None:
    def settled():
        stack.jobs_now(made.id)
        return made.states() == states

    wait_for(settled, f"the poll of {made.id}")


@pytest.mark.parametrize(
    ("result", "state"),
    (
        ("paid", ("SUCCESS", None)),
        ("declined", ("FAILED", "declined")),
        ("expired", ("FAILED", "expired")),
        ("cancelled", ("FAILED", "cancelled")),
    ),
)
def test_a_poll_settles_what_no_webhook_told(stack, result, state):
    made = lost(stack, "generic", result)
    polled(stack, made, {state})
    assert stack.timeline(made.order_id)[-1]["actor"] == "query"


@pytest.mark.parametrize(
    ("result", "state"),
    (("paid", ("SUCCESS", None)), ("expired", ("FAILED", "expired"))),
)
def test_a_poll_settles_stripes_payments_too(stack, result, state):
    made = lost(stack, "stripe", result)
    polled(stack, made, {state})


SPOILT_QUERIES = {
    "late": {"kind": "delay", "ms": 1500},
    "dropped": {"kind": "drop"},
    "reset": {"kind": "reset_at_byte", "at": 150},
    "500": {"kind": "status", "status": 500},
    "404": {"kind": "status", "status": 404},
    "429": {"kind": "status", "status": 429, "retry_after": 1},
    "truncated": {"kind": "malformed"},
    "huge": {"kind": "huge"},
    "gzip-bomb": {"kind": "gzip_bomb"},
    "html": {"kind": "html"},
    "redirect": {"kind": "redirect"},
    "200-with-an-error": {"kind": "ok_with_error"},
    "other-token": {"kind": "other_token"},
    "other-amount": {"kind": "wrong_amount"},
    "other-currency": {"kind": "wrong_currency"},
}


@pytest.mark.parametrize(
    "fault", SPOILT_QUERIES.values(), ids=SPOILT_QUERIES.keys()
)
def test_a_spoilt_answer_to_a_poll_says_nothing(stack, psp, fault):
    made = stack.created(psp)
    stack.mock.faults(
        {"operation": "webhook", "kind": "none", "nonce": made.nonce,
         "sticky": True},
        {"operation": "query", "nonce": made.nonce, "sticky": True} | fault,
    )  # fmt: skip
    stack.mock.pay(made.token, "paid")
    assert stack.jobs_now(made.id) == 1

    def asked():
        calls = stack.mock.books(nonce=made.nonce)["requests"]
        return [each for each in calls if each["operation"] == "query"]

    wait_for(asked, "the query")
    free = (
        "SELECT 1 FROM pay.job WHERE checkout_id = %s "
        "AND lease_until IS NULL AND run_at > now()"
    )
    wait_for(lambda: stack.sql(free, made.id), "the job to be put off")
    assert made.states() == {("EXECUTING", None)}
    stack.mock.clear_faults()
    polled(stack, made, {("SUCCESS", None)})


def test_a_poll_of_another_amount_is_told_to_people_once(stack, psp):
    made = stack.created(psp)
    stack.mock.faults(
        {"operation": "webhook", "kind": "none", "nonce": made.nonce,
         "sticky": True},
        {"operation": "query", "kind": "wrong_amount", "nonce": made.nonce,
         "times": 3},
    )  # fmt: skip
    stack.mock.pay(made.token, "paid")
    polled(stack, made, {("SUCCESS", None)})
    rows = stack.sql(
        "SELECT kind, source FROM pay.mismatch WHERE checkout_id = %s",
        made.id,
    )
    assert rows == [("amount", "query")]


def test_an_open_session_long_after_its_end_is_expired(stack, psp):
    """And a late webhook still counts."""
    made = stack.created(psp)
    stack.sql(
        "UPDATE pay.checkout SET expires_at = now() - '901s'::interval "
        "WHERE checkout_id = %s",
        made.id,
    )
    polled(stack, made, {("FAILED", "expired")})
    assert stack.timeline(made.order_id)[-1]["actor"] == "gateway"
    assert outcome(message(made, "paid").send()) == "applied"
    assert made.states() == {("SUCCESS", None)}


def test_the_way_back_answers_although_the_psp_hangs(stack, psp):
    made = stack.created(psp)
    stack.mock.faults(
        {"operation": "query", "kind": "delay", "nonce": made.nonce,
         "ms": 60_000}
    )  # fmt: skip
    answer = stack.http.get(f"/return/{made.facts()[1]}")
    assert answer.status_code == 200
    assert answer.elapsed.total_seconds() < 20
    assert "We are waiting for your payment" in answer.text


# Answers that want to be kept in memory.


def resident(stack) -> int:
    total = 0
    for pid in stack.generation():
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1]) * 1024
    return total


@pytest.mark.parametrize("kind", ("huge", "gzip_bomb"))
def test_an_enormous_answer_is_not_kept_in_memory(stack, kind):
    size = 20_000_000
    post_with(stack, "generic", {"kind": kind, "bytes": size})
    before = resident(stack)
    for _ in range(5):
        answer, _ = post_with(stack, "generic", {"kind": kind, "bytes": size})
        assert answer.status_code == 202
    assert resident(stack) - before < 40 * MIB
