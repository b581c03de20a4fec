"""Routes decide which PSP takes a checkout: by currency, country, method and
amount, by order, weight and score; PSPs whose circuit is open or whose calls
are at their cap come last.  The reason is in the timeline, for the storefront
and for operators.
"""

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from support import routed
from support.own_stack import wait_for
from support.ports import free_port

SCORE = "payments_score  success=90 cost=10;\n    payments_audience "
NAMES = "closed flaky narrow dear cheap"
ROUTES = """
    method=closed closed stripe
    method=flaky flaky stripe
    method=narrow narrow stripe
    method=score by=score dear cheap
    method=weight by=weight adyen=70 stripe=30
    method=kwd stripe generic
    currency=EUR country=DE,AT adyen generic
    currency=EUR amount=-30.00 mollie generic
    currency=EUR amount=30.01-99.99 square generic
    currency=GBP,CHF stripe
    country=FR adyen
    method=capped generic stripe adyen
"""
CALLS = 4
# Nobody hangs here: a call that a busy machine holds up is no failure.
CONNECT, TOTAL = "2s", "10s"
# A look at a PSP's list is a call, too: none is counted and none has the place
# of a registration.
NO_LIST = "backfill off;"
UNLISTED = (f"total={TOTAL};", f"total={TOTAL}; {NO_LIST}")
WORDS = {
    "closed": "breaker off;",
    "flaky": f"breaker failures=50% calls={CALLS} window=1h open=4s probes=1;",
    "narrow": "concurrency 1;",
    "dear": "cost rate=3% fixed=30;",
    "cheap": "cost rate=1%;",
}
# the job comes back when the tests are over
DOWN = {"kind": "status", "status": 503, "retry_after": 600}
SAMPLE = re.compile(r'(\w+)\{psp="(\w+)"(?:,\w+="([\w-]+)")*\} ([0-9.]+)')


@pytest.fixture(scope="module")
def edits(own_stack):
    blocks = "".join(
        routed.block(
            own_stack,
            name,
            f"{WORDS[name]} {NO_LIST}",
            free_port() if name == "closed" else 0,
            f"connect={CONNECT} total={TOTAL}",
        )
        for name in NAMES.split()
    )
    return [
        UNLISTED,  # for the stack's own PSPs
        *routed.edits(NAMES, blocks, ROUTES),
        ("payments_audience ", SCORE),
        # a poll is a call, too, and what is counted here are calls
        (SCORE, f"payments_jobs  off;\n    {SCORE}"),
    ]


@pytest.fixture(scope="module", autouse=True)
def configured(own_stack, edits):
    own_stack.configure(*edits)
    yield
    own_stack.configure()


def metrics(stack) -> dict:
    """(PSP, name, last label's value or "") → number."""
    text = stack.http.get("/metrics").text
    return {
        (found[2], found[1].removeprefix("payments_psp_"), found[3] or ""): (
            float(found[4])
        )
        for found in SAMPLE.finditer(text)
    }


def metric(stack, psp: str, name: str) -> float:
    return metrics(stack)[psp, name, ""]


def circuit(stack, psp: str) -> str:
    now = metrics(stack)
    states = [
        state
        for state in ("closed", "open", "half-open")
        if now[psp, "circuit", state] == 1
    ]
    assert len(states) == 1
    return states[0]


def created(stack, method: str = "", **more):
    answer, made = routed.post(stack, routed.order(stack, method, **more))
    assert answer.status_code == 201, answer.text
    return made


def reason(made) -> str:
    return routed.detail(made, "created")["route"]


def timeline_of(stack, made) -> str:
    """As operators see it."""
    done = subprocess.run(
        [stack.values["PAYCTL"], "timeline", "--dsn", stack.values["PG_DSN"],
         made.order_id],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


# Rules.

RULES = {
    "currency-and-country": ("EUR", "50.00", "DE", "adyen", "rule 7"),
    "second-country": ("EUR", "50.00", "AT", "adyen", "rule 7"),
    "amount-below": ("EUR", "29.99", "", "mollie", "rule 8"),
    "amount-at-the-bound": ("EUR", "30.00", "ES", "mollie", "rule 8"),
    "amount-above": ("EUR", "30.01", "ES", "square", "rule 9"),
    "amount-at-the-other-bound": ("EUR", "99.99", "", "square", "rule 9"),
    "amount-beyond": ("EUR", "100.00", "", "generic", "by order"),
    "one-of-the-currencies": ("CHF", "1.00", "", "stripe", "rule 10"),
    "country-alone": ("USD", "1.00", "FR", "adyen", "rule 11"),
    "small-letters-are-no-country": ("USD", "1.00", "fr", "generic", "by"),
    "no-country-fits-no-list": ("USD", "1.00", "", "generic", "by order"),
    "nothing-fits": ("JPY", "1200", "JP", "generic", "by order"),
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_the_first_rule_that_fits_decides(stack, rule):
    currency, amount, country, psp, why = rule
    info = {"name": "Ada Example"} | ({"country": country} if country else {})
    made = created(stack, currency=currency, amounts=(amount,), buyer_info=info)
    assert made.shown["psp"] == psp
    assert routed.booked(stack, made) == [psp]
    assert reason(made).startswith(why + " ") or reason(made).startswith(
        why + ":"
    )


def test_the_total_of_all_orders_is_what_a_range_is_about(stack):
    made = created(stack, currency="EUR", amounts=("20.00", "20.00"))
    assert made.shown["psp"] == "square"


def test_a_method_picks_its_route(stack):
    made = created(stack, "weight", currency="EUR", amounts=("1.00",))
    assert reason(made).startswith("rule 5 by weight: ")


def test_a_method_that_no_route_knows_changes_nothing(stack):
    made = created(stack, "cowries")
    assert reason(made).startswith("by order: generic, stripe")


def test_a_psp_that_cannot_take_the_amount_is_left_out(stack):
    """Stripe takes no KWD that end in another digit than 0."""
    made = created(stack, "kwd", currency="KWD", amounts=("1.234",))
    assert made.shown["psp"] == "generic"
    assert routed.kinds(made) == ["created", "registered"]
    other = created(stack, "kwd", currency="KWD", amounts=("1.230",))
    assert other.shown["psp"] == "stripe"


def test_a_psp_that_cannot_take_the_time_is_left_out(stack):
    made = created(stack, "kwd", expires_in=600)
    assert made.shown["psp"] == "generic"


def test_the_reason_is_told_to_operators_too(stack):
    made = created(stack, "closed")
    text = timeline_of(stack, made)
    assert reason(made) in text
    moved = routed.detail(made, "rerouted")
    assert (moved["from"], moved["to"]) == ("closed", "stripe")
    (line,) = [each for each in text.splitlines() if " rerouted " in each]
    for word in ("closed", "stripe", "not_sent"):
        assert word in line


# Weights and scores.


def test_weights_share_the_checkouts_out(stack):
    taken = {"adyen": 0, "stripe": 0}
    for _ in range(40):
        made = created(stack, "weight")
        psp = made.shown["psp"]
        assert reason(made).startswith(f"rule 5 by weight: {psp} ")
        taken[psp] += 1
    assert min(taken.values()) > 0
    assert taken["adyen"] > taken["stripe"]


def scores(made) -> dict[str, int]:
    told = reason(made).partition("by score: ")[2].split(", ")
    return {each.split()[0]: int(each.split()[1]) for each in told}


def test_the_best_score_is_asked_first_and_costs_count(stack):
    made = created(stack, "score")
    found = scores(made)
    assert list(found) == ["cheap", "dear"]
    assert found["cheap"] > found["dear"]
    assert made.shown["psp"] == "cheap"


def test_failures_cost_more_than_money(stack):
    """cheap fails half of its calls; dear does not."""
    for _ in range(3):
        body = stack.order("cheap")
        answer, _ = routed.post(stack, body, generic=DOWN)
        assert answer.status_code == 202
    made = created(stack, "score")
    assert list(scores(made)) == ["dear", "cheap"]
    assert made.shown["psp"] == "dear"


# The circuit breaker.


def fail(stack):
    """A checkout whose registration the PSP answers 503."""
    answer, made = routed.post(
        stack, routed.order(stack, "flaky"),
        generic=DOWN,
    )  # fmt: skip
    assert answer.status_code == 202, (reason(made), routed.kinds(made))
    assert routed.is_at(made) == "flaky"
    return made


def called(stack, checkouts) -> list:
    """For the message of an assertion: who called the PSP meanwhile."""
    return [routed.calls(stack, made) for made in checkouts]


def test_an_open_circuit_sends_creates_to_the_next_psp(stack):
    """Opens, half-opens, opens again, closes: in the metrics each time."""
    assert circuit(stack, "flaky") == "closed"
    failed = [fail(stack) for _ in range(CALLS)]
    assert circuit(stack, "flaky") == "open", called(stack, failed)
    assert metric(stack, "flaky", "circuit_opened_total") == 1
    # all of them before it is half-open
    for made in [created(stack, "flaky") for _ in range(5)]:
        assert made.shown["psp"] == "stripe"
        assert routed.booked(stack, made) == ["stripe"]
        assert routed.calls(stack, made, "generic") == []
        assert reason(made) == "rule 2 by order: stripe, flaky (circuit open)"
        assert "rerouted" not in routed.kinds(made)
    wait_for(lambda: circuit(stack, "flaky") == "half-open", "half-open")
    failed.append(fail(stack))
    assert circuit(stack, "flaky") == "open", called(stack, failed)
    assert metric(stack, "flaky", "circuit_opened_total") == 2
    wait_for(lambda: circuit(stack, "flaky") == "half-open", "half-open")
    made = created(stack, "flaky")
    assert made.shown["psp"] == "flaky"
    assert circuit(stack, "flaky") == "closed"
    assert reason(created(stack, "flaky")) == "rule 2 by order: flaky, stripe"


# The cap of calls in flight.

# An answer that the test lets go.
HELD = {"kind": "hold", "wait_ms": 60_000}


def test_a_call_over_the_cap_goes_to_the_next_psp(stack):
    body = routed.order(stack, "narrow")
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(
            routed.post, stack, body, generic=HELD
        )
        wait_for(lambda: metric(stack, "narrow", "in_flight") == 1, "a call")
        made = created(stack, "narrow")
        assert not slow.done()
        stack.mock.release()
        answer, first = slow.result()
    assert reason(made) == "rule 3 by order: stripe, narrow (full)"
    assert routed.booked(stack, made) == ["stripe"]
    assert answer.status_code == 201
    assert first.shown["psp"] == "narrow"
    assert metric(stack, "narrow", "in_flight") == 0
    assert created(stack, "narrow").shown["psp"] == "narrow"


def test_many_at_once_never_go_over_the_cap(stack):
    """Who finds it full only when calling moves on, with nothing sent."""
    bodies = [routed.order(stack, "narrow") for _ in range(24)]
    for body in bodies:
        stack.mock.faults(
            {"operation": "register", "dialect": "generic", "kind": "delay",
             "ms": 50, "nonce": routed.nonce_of(body)}
        )  # fmt: skip
    with ThreadPoolExecutor(24) as pool:
        done = list(pool.map(lambda body: routed.post(stack, body), bodies))
    for answer, made in done:
        assert answer.status_code == 201, answer.text
        assert len(routed.booked(stack, made)) == 1
        for each in stack.timeline(made.order_id):
            if each["kind"] == "rerouted":
                assert each["detail"]["code"] in ("busy", "circuit-open")
    assert {made.shown["psp"] for _, made in done} == {"narrow", "stripe"}
    assert metric(stack, "narrow", "in_flight") == 0


def test_the_cap_for_all_psps_sends_the_next_one_on(stack, edits):
    """Two are full, so the third takes it."""
    cap = f"payments_psp_concurrency  1;\n    {SCORE}"
    stack.configure(*edits, (SCORE, cap))
    faults = dict.fromkeys(("generic", "stripe"), HELD)
    with ThreadPoolExecutor() as pool:
        slow = []
        for psp in ("generic", "stripe"):
            body = routed.order(stack, "capped")
            slow.append(pool.submit(routed.post, stack, body, **faults))
            wait_for(lambda psp=psp: metric(stack, psp, "in_flight") == 1, psp)
        made = created(stack, "capped")
        assert not any(each.done() for each in slow)
        stack.mock.release()
        done = [each.result() for each in slow]
    stack.configure(*edits)
    assert made.shown["psp"] == "adyen"
    assert reason(made) == (
        "rule 12 by order: adyen, generic (full), stripe (full)"
    )
    assert [each.shown["psp"] for _, each in done] == ["generic", "stripe"]
    assert {answer.status_code for answer, _ in done} == {201}
