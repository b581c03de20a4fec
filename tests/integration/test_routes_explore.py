"""The exploring share of a route by score: which checkouts begin at another PSP
than the best, in the timeline, in the stored chances and in the metric; PSPs
that cannot take the order, or whose circuit is open, are never drawn.
"""

import hashlib
import re
import secrets
import subprocess

import pytest
from support import routed
from support.own_stack import Checkout

NAMES = "sick dear cheap"
SCORE = "payments_score  success=50 cost=50;\n    payments_audience "
SHARE, SEED = 400000, "7"
ROUTES = f"""
    method=explore by=score explore=40% floor=5% seed={SEED} dear cheap
    method=kwd by=score explore=50% stripe dear cheap
    method=sick by=score explore=50% sick dear cheap
    method=plain by=score dear cheap
"""
WORDS = {
    "sick": "breaker failures=1% calls=1 window=1h open=1h probes=1;",
    "dear": "cost rate=3% fixed=30;",
    "cheap": "cost rate=1%;",
}
DOWN = {"kind": "status", "status": 503, "retry_after": 600}
COUNT = re.compile(r'payments_route_explored_total\{psp="(\w+)"\} (\d+)')


@pytest.fixture(scope="module", autouse=True)
def configured(own_stack):
    blocks = "".join(
        routed.block(
            own_stack, name, f"{WORDS[name]} backfill off;",
            timeout="connect=2s total=10s",
        )
        for name in NAMES.split()
    )  # fmt: skip
    own_stack.configure(
        *routed.edits(NAMES, blocks, ROUTES),
        ("payments_audience ", f"payments_jobs  off;\n    {SCORE}"),
    )
    yield
    own_stack.configure()


def created(stack, method: str, **more):
    answer, made = routed.post(stack, routed.order(stack, method, **more))
    assert answer.status_code == 201, answer.text
    return made


def explored(stack) -> dict[str, int]:
    text = stack.http.get("/metrics").text
    return {psp: int(count) for psp, count in COUNT.findall(text)}


def drawn(checkout_id: str, scores: dict) -> str | None:
    """The draw anew: floors of 5 %, the rest by score, rounded to the best."""
    names = sorted(scores, key=scores.get, reverse=True)
    rest = SHARE - 50000 * len(names)
    chances = {
        name: 50000 + rest * scores[name] // sum(scores.values())
        for name in names
    }
    chances[names[0]] += SHARE - sum(chances.values())
    data = "\0".join((SEED, "acme", checkout_id)).encode()
    digest = hashlib.sha256(data).digest()
    hit = int.from_bytes(digest[:8], "big") % 1000000
    if hit >= SHARE:
        return None
    for name in names:
        if hit < chances[name]:
            return name
        hit -= chances[name]
    raise AssertionError("the chances do not add up")


def test_a_share_of_checkouts_begins_where_the_draw_says(stack):
    """Until the worse PSP has been drawn, which it is once in about six."""
    before = explored(stack)
    counted = {"dear": 0, "cheap": 0}
    best = 0
    while min(best, *counted.values()) == 0:
        made = created(stack, "explore")
        detail = routed.detail(made, "created")
        kept = detail["explore"]
        scores = kept["scores"]
        assert set(scores) == {"dear", "cheap"}
        assert scores["cheap"] > scores["dear"]
        assert kept["share"] == SHARE
        psp = drawn(made.id, scores)
        assert kept.get("drawn") == psp
        assert made.shown["psp"] == detail["psp"] == (psp or "cheap")
        tail = f"; explored 40%: {psp}" if psp else ""
        assert detail["route"] == (
            f"rule 1 by score: cheap {scores['cheap']}, "
            f"dear {scores['dear']}{tail}"
        )
        if psp:
            counted[psp] += 1
            assert 125000 <= kept["chance"] <= 875000
        else:
            best += 1
            assert "chance" not in kept
    after = explored(stack)
    for psp, count in counted.items():
        assert after[psp] - before[psp] == count


def test_a_repetition_has_the_same_psp_and_counts_once(stack):
    while True:
        body, key = routed.order(stack, "explore"), secrets.token_hex(16)
        first = stack.post(body, key)
        made = Checkout(stack, body, first)
        if "drawn" in routed.detail(made, "created")["explore"]:
            break
    before = explored(stack)
    again = stack.post(body, key)
    assert again.status_code == first.status_code == 201
    assert again.json()["psp"] == first.json()["psp"]
    assert explored(stack) == before


def test_a_psp_that_cannot_take_the_amount_is_never_drawn(stack):
    """Stripe takes no KWD that end in another digit than 0."""
    for _ in range(8):
        made = created(stack, "kwd", currency="KWD", amounts=("1.234",))
        kept = routed.detail(made, "created")["explore"]
        assert set(kept["scores"]) == {"dear", "cheap"}
        assert made.shown["psp"] != "stripe"
    made = created(stack, "kwd", currency="KWD", amounts=("1.230",))
    kept = routed.detail(made, "created")["explore"]
    assert "stripe" in kept["scores"]


def test_a_psp_whose_circuit_is_open_is_never_drawn(stack):
    # the best until its first call
    answer, made = routed.post(
        stack, routed.order(stack, "sick"), generic=DOWN
    )
    while routed.is_at(made) != "sick":
        answer, made = routed.post(
            stack, routed.order(stack, "sick"), generic=DOWN
        )
    assert answer.status_code == 202
    before = explored(stack)["sick"]
    for _ in range(8):
        made = created(stack, "sick")
        detail = routed.detail(made, "created")
        assert "sick" not in detail["explore"]["scores"]
        assert "(circuit open)" in detail["route"]
        assert made.shown["psp"] != "sick"
    assert explored(stack)["sick"] == before


def test_a_route_that_does_not_explore_keeps_nothing(stack):
    detail = routed.detail(created(stack, "plain"), "created")
    assert "explore" not in detail
    assert "explored" not in detail["route"]


def test_operators_see_it(stack):
    while True:
        made = created(stack, "explore")
        detail = routed.detail(made, "created")
        if "drawn" in detail["explore"]:
            break
    done = subprocess.run(
        [stack.values["PAYCTL"], "timeline", "--dsn", stack.values["PG_DSN"],
         made.order_id],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert detail["route"] in done.stdout
