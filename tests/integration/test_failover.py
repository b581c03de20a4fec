"""Another PSP is tried only when nothing can have happened at the first: it
was not reached, or refused before there was a page.  What may have arrived
stays where it is, whatever happens next; the mock's books say how often
something was registered, and where.
"""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from support import routed
from support.events import slug
from support.own_stack import HASTY_PSP, QUICK_JOBS, Checkout, wait_for
from support.ports import free_port

SANITIZED = bool(os.environ.get("ASAN"))
EXTRA_S = 0.5 if SANITIZED else 0.1
ROUTES = """
    method=pair generic stripe
    method=closed closed stripe
    method=gone closed gone
    method=last closed generic
    method=three closed gone stripe
    method=stripe stripe
"""
NAMES = "closed gone"


@pytest.fixture(scope="module")
def edits(own_stack):
    """closed and gone: ports where nobody listens."""
    blocks = "".join(
        routed.block(own_stack, name, "breaker off;", free_port())
        for name in NAMES.split()
    )
    return [QUICK_JOBS, HASTY_PSP, *routed.edits(NAMES, blocks, ROUTES)]


@pytest.fixture(scope="module", autouse=True)
def configured(own_stack, edits):
    own_stack.configure(*edits)
    own_stack.expected.append("exited on signal 9")
    yield
    own_stack.configure()


def generic_is_away(stack, edits) -> None:
    """From now on it refuses connections."""
    there = f"{stack.gateway.mock_url}/generic;"
    away = f"http://127.0.0.1:{free_port()}/generic;"
    stack.configure(*edits, (there, away))


def stays(stack, made, psp: str) -> None:
    assert routed.is_at(made) == psp
    assert "rerouted" not in routed.kinds(made)


# A refuses connections.


def test_a_psp_that_is_not_there_is_passed_over(stack):
    body = routed.order(stack, "closed")
    answer, made = routed.post(stack, body)
    assert answer.status_code == 201, answer.text
    assert made.shown["psp"] == "stripe"
    assert routed.booked(stack, made) == ["stripe"]
    assert made.nonce == made.order_id
    assert routed.kinds(made) == ["created", "rerouted", "registered"]
    routed.can_be_paid(stack, made)


def test_the_timeline_tells_from_where_to_where_and_why(stack):
    _, made = routed.post(stack, routed.order(stack, "closed"))
    told = routed.detail(made, "rerouted")
    assert (told["from"], told["to"]) == ("closed", "stripe")
    assert told["why"] == "not_sent"
    assert told["code"] == "connect"


def test_the_way_around_costs_less_than_100_ms(stack):
    # in turns: what else the machine does is the same for both
    times = {"stripe": [], "closed": []}
    for _ in range(15):
        for method, found in times.items():
            start = time.monotonic()
            answer = stack.post(routed.order(stack, method))
            found.append(time.monotonic() - start)
            assert answer.json()["psp"] == "stripe"
    # the best of each: what the machine does meanwhile is no cost of ours
    alone_s, around_s = map(min, times.values())
    assert around_s - alone_s < EXTRA_S


def test_two_psps_that_are_not_there_are_passed_over(stack):
    answer, made = routed.post(stack, routed.order(stack, "three"))
    assert answer.status_code == 201
    assert routed.booked(stack, made) == ["stripe"]
    moves = [
        (each["detail"]["from"], each["detail"]["to"])
        for each in stack.timeline(made.order_id)
        if each["kind"] == "rerouted"
    ]
    assert moves == [("closed", "gone"), ("gone", "stripe")]


def test_many_orders_move_with_one_nonce(stack):
    body = routed.order(stack, "closed", amounts=("1.00", "2.50", "0.99"))
    answer = stack.post(body)
    assert answer.status_code == 201
    made = Checkout(stack, body, answer)
    uuid = made.facts()[0]
    (booked,) = stack.mock.books(reference=uuid)["registrations"]
    assert (booked["nonce"], booked["amount"]) == (uuid, "4.49")
    for order_id in made.order_ids:
        steps = [each["kind"] for each in stack.timeline(order_id)]
        assert steps == ["created", "rerouted", "registered"]


def test_without_anybody_there_a_job_goes_around_again(stack):
    body = routed.order(stack, "gone")
    answer, made = routed.post(stack, body)
    assert answer.status_code == 202
    assert answer.json()["redirect_url"] is None
    routed.retried(stack, made)
    assert made.states() == {("NOT_STARTED", None)}
    assert routed.calls(stack, made) == []


def test_a_replay_shows_where_it_went(stack):
    body = routed.order(stack, "closed")
    key = f"key-{body['checkout_id']}"
    first = stack.post(body, key)
    again = stack.post(body, key)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    assert again.json()["psp"] == "stripe"
    assert len(stack.mock.calls(routed.nonce_of(body))) == 1


# A refuses definitely.


@pytest.mark.parametrize("status", (400, 402, 404, 422))
def test_a_refusal_without_a_page_goes_to_the_next(stack, status):
    answer, made = routed.post(
        stack, routed.order(stack, "pair"),
        generic={"kind": "status", "status": status},
    )  # fmt: skip
    assert answer.status_code == 201, answer.text
    assert routed.booked(stack, made) == ["stripe"]
    told = routed.detail(made, "rerouted")
    assert (told["from"], told["to"]) == ("generic", "stripe")
    assert told["why"] == "refused"
    routed.can_be_paid(stack, made)


def test_two_refusals_are_502(stack):
    refusal = {"kind": "status", "status": 400}
    answer, made = routed.post(
        stack, routed.order(stack, "pair"), generic=refusal, stripe=refusal
    )
    assert (answer.status_code, slug(answer)) == (502, "psp-refused")
    assert made.states() == {("FAILED", "rejected")}
    assert routed.booked(stack, made) == []
    assert len(routed.calls(stack, made)) == 2


def test_a_psp_that_has_refused_is_not_asked_again(stack, edits):
    """generic says no, closed is not there: nobody else is left."""
    generic_first = ("method=last closed generic", "method=last generic closed")
    stack.configure(*edits, generic_first)
    answer, made = routed.post(
        stack, routed.order(stack, "last"),
        generic={"kind": "status", "status": 400},
    )  # fmt: skip
    assert answer.status_code == 202
    for _ in range(2):
        routed.retried(stack, made)
    stack.configure(*edits)
    assert routed.is_at(made) == "closed"
    assert len(routed.calls(stack, made, "generic")) == 1
    assert routed.booked(stack, made) == []


# A may have it.

UNSURE = {
    "hangs": {"kind": "delay", "ms": 2500},
    "hangs-before-booking": {"kind": "delay", "ms": 2500, "before": True},
    "hangs-in-the-body": {"kind": "slow_body", "ms": 4000},
    "accepted-and-dropped": {"kind": "drop_after_accept", "times": 6},
    "dropped": {"kind": "drop", "times": 6},
    "reset-in-the-answer": {"kind": "reset_at_byte", "at": 60},
    "500": {"kind": "status", "status": 500},
    "503": {"kind": "status", "status": 503},
    "504-after-accepting": {"kind": "status", "status": 504, "accept": True},
    "409": {"kind": "status", "status": 409},
    "html": {"kind": "html"},
    "redirect": {"kind": "redirect", "accept": True},
    "other-amount": {"kind": "wrong_amount"},
    "200-with-an-error": {"kind": "ok_with_error"},
}


@pytest.mark.parametrize("fault", UNSURE.values(), ids=UNSURE.keys())
def test_what_may_have_arrived_is_never_registered_elsewhere(stack, fault):
    answer, made = routed.post(
        stack, routed.order(stack, "pair"), generic=fault
    )
    assert answer.status_code == 202, answer.text
    assert answer.json()["redirect_url"] is None
    stays(stack, made, "generic")
    routed.goes_on(stack, made)
    stays(stack, made, "generic")
    assert routed.booked(stack, made) == ["generic"]
    assert routed.calls(stack, made, "stripe") == []
    routed.can_be_paid(stack, made)


def test_a_psp_that_hangs_for_good_keeps_it(stack):
    """And a refusal later on is no reason to move: the first call is open."""
    answer, made = routed.post(
        stack, routed.order(stack, "pair"),
        generic={"kind": "delay", "ms": 1300, "times": 3},
    )  # fmt: skip
    assert answer.status_code == 202
    for _ in range(3):
        routed.retried(stack, made)
        stays(stack, made, "generic")
    routed.goes_on(stack, made)
    assert routed.booked(stack, made) == ["generic"]
    assert routed.calls(stack, made, "stripe") == []


def test_a_refusal_after_an_open_call_is_no_reason_to_move(stack):
    # both wait before the first call: the jobs may use up the drops at once
    body = routed.order(stack, "pair")
    drops = {"kind": "drop", "times": 6}
    # all calls behind them: one that meets it may end unknown
    refusals = {"kind": "status", "status": 400, "times": 1000}
    for fault in (drops, refusals):
        stack.mock.faults(
            {"operation": "register", "dialect": "generic",
             "nonce": routed.nonce_of(body)} | fault
        )  # fmt: skip
    answer, made = routed.post(stack, body)
    assert answer.status_code == 202
    routed.ends(stack, made, {("FAILED", "rejected")})
    stays(stack, made, "generic")
    assert routed.calls(stack, made, "stripe") == []


def test_an_open_call_and_then_nobody_there_stays(stack, edits):
    answer, made = routed.post(
        stack, routed.order(stack, "pair"),
        generic={"kind": "drop_after_accept", "times": 6},
    )  # fmt: skip
    assert answer.status_code == 202
    generic_is_away(stack, edits)
    for _ in range(2):
        routed.retried(stack, made)
        stays(stack, made, "generic")
    assert "registration_not_sent" in routed.kinds(made)
    stack.configure(*edits)
    routed.goes_on(stack, made)
    assert routed.booked(stack, made) == ["generic"]
    assert routed.calls(stack, made, "stripe") == []


def test_a_call_that_died_with_its_worker_keeps_the_order_there(stack, edits):
    """kill -9 in mid-call; then nobody is there: the first call is open."""
    body = routed.order(stack, "pair")
    nonce = routed.nonce_of(body)
    stack.mock.faults(
        {"operation": "register", "dialect": "generic", "kind": "delay",
         "ms": 2000, "nonce": nonce}
    )  # fmt: skip
    killed_in_mid_call(stack, body)
    generic_is_away(stack, edits)
    made = Checkout(stack, body, None)
    for _ in range(3):
        routed.retried(stack, made)
        stays(stack, made, "generic")
    told = routed.kinds(made)
    assert told[:2] == ["created", "registration_not_sent"]
    assert routed.calls(stack, made, "stripe") == []
    stack.configure(*edits)
    routed.goes_on(stack, made)
    assert routed.booked(stack, made) == ["generic"]
    routed.can_be_paid(stack, made)


def killed_in_mid_call(stack, body: dict) -> None:
    nonce = routed.nonce_of(body)

    def call():
        with pytest.raises(httpx.TransportError), stack.client() as http:
            stack.post(body, client=http)

    with ThreadPoolExecutor() as pool:
        lost = pool.submit(call)
        wait_for(lambda: stack.mock.calls(nonce), "the call to the PSP")
        for pid in stack.generation():
            os.kill(pid, signal.SIGKILL)
        lost.result()
    wait_for(stack.is_ready, "new workers")


@pytest.mark.parametrize(
    "url", ("https://evil.example/pay", "http://127.0.0.1:1/pay", "")
)
def test_a_page_on_a_foreign_host_is_refused_and_not_moved(stack, url):
    """There is a registration: another one would be a second."""
    answer, made = routed.post(
        stack, routed.order(stack, "pair"),
        generic={"kind": "evil_host", "url": url},
    )  # fmt: skip
    assert answer.status_code in (202, 502), answer.text
    stays(stack, made, "generic")
    assert routed.booked(stack, made) == ["generic"]
    assert routed.calls(stack, made, "stripe") == []
    assert made.registration["hosted_url"] is None


# The request named its PSP.


def test_a_named_psp_that_is_not_there_is_waited_for(stack):
    answer, made = routed.post(stack, stack.order("closed"))
    assert answer.status_code == 202
    routed.retried(stack, made)
    stays(stack, made, "closed")
    assert routed.calls(stack, made) == []
    assert routed.detail(made, "created")["route"] == "named by the request"


def test_a_named_psp_that_refuses_is_502(stack):
    answer, made = routed.post(
        stack, stack.order("generic"),
        generic={"kind": "status", "status": 400},
    )  # fmt: skip
    assert (answer.status_code, slug(answer)) == (502, "psp-refused")
    stays(stack, made, "generic")
    assert routed.booked(stack, made) == []


# B is no better.


def test_an_open_call_at_the_second_psp_stays_at_the_second(stack):
    answer, made = routed.post(
        stack, routed.order(stack, "closed"),
        stripe={"kind": "drop_after_accept", "times": 6},
    )  # fmt: skip
    assert answer.status_code == 202
    assert routed.is_at(made) == "stripe"
    routed.goes_on(stack, made)
    assert routed.booked(stack, made) == ["stripe"]
    told = routed.kinds(made)
    assert told[:3] == ["created", "rerouted", "registration_unknown"]
    assert told[-1] == "registered"


def test_a_refusal_by_the_second_psp_is_502(stack):
    answer, made = routed.post(
        stack, routed.order(stack, "last"),
        generic={"kind": "status", "status": 400},
    )  # fmt: skip
    assert (answer.status_code, slug(answer)) == (502, "psp-refused")
    assert routed.booked(stack, made) == []
    assert len(routed.calls(stack, made, "generic")) == 1
