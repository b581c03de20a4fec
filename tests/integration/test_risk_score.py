"""The learned score acts: a champion and its thresholds decide, a challenger is
only stored, and a bad model never takes the place of a good one."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from support.gateway import ROOT
from support.own_stack import new_id, wait_for
from test_risk import address, body, explained, is_blocked, only, payctl

sys.path.insert(0, str(ROOT / "tools" / "risk"))
import features  # noqa: E402

ON = "payments_risk              on;"
FINANCE = "payments:read reconciliation:read"


def scorecard(*features: dict, intercept: float = -4) -> str:
    names = re.findall(
        r"^FEATURE\((\w+)\)",
        (ROOT / "src" / "risk" / "feature.list").read_text(),
        re.M,
    )
    text = "".join(name + "\n" for name in names).encode()
    return json.dumps({
        "form": "scorecard",
        "features_hash": hashlib.sha256(text).hexdigest(),
        "intercept": intercept,
        "features": features,
    })  # fmt: skip


def feature(name: str, edge: float, *points: float) -> dict:
    return {"name": name, "bins": [edge], "points": points, "missing": 0,
            "average": 0}  # fmt: skip


# free mail is bad, all else is good
FREE = scorecard(feature("email_is_free", 0, 0, 8))
# everybody is bad
ALL = scorecard(feature("hour", 0, 0, 0), intercept=9)


@pytest.fixture
def model(stack, tmp_path):
    """model(TEXT): a file, until the test's end."""
    made = []

    def write(text: str):
        path = tmp_path / f"{len(made)}.model"
        path.write_text(text)
        made.append(path)
        return path

    yield write
    stack.configure()


def lines(*more: str) -> tuple[str, str]:
    return ON, ON + "".join(f"\n    {line};" for line in more)


def decision(stack, answer) -> tuple:
    ((found,),) = stack.sql(
        "SELECT row_to_json(d) FROM pay.risk_decision d"
        " WHERE checkout_id = %s",
        answer.json()["checkout_id"],
    )
    return found


def mail(domain: str) -> str:
    return f"{new_id()}@{domain}"


def test_the_shipped_rules_act(stack):
    example = ROOT / "examples" / "risk"
    stack.configure(
        lines(
            f"payments_risk_model demo {example / 'demo.txt'}",
            f"include {example / 'demo.conf'}",
        )
    )
    try:
        told = {"id": new_id(), "account_created_at": "2020-01-01T00:00:00Z"}
        made = []
        for country in ("FR", "DE"):
            sent = {"billing_country": "DE", "shipping_country": country}
            order = stack.order(amounts=["80.00"], buyer_info=told | sent)
            made.append(decision(stack, stack.post(order)))
    finally:
        stack.configure()
    for one, is_abroad in zip(made, (True, False), strict=True):
        names = [hit["name"] for hit in one["hits"]]
        assert ("elsewhere" in names) == is_abroad
        assert one["score"]["model"]["name"] == "demo"
    assert made[0]["decision"] != "allow"


def test_a_champion_blocks_and_a_challenger_does_not(stack, model):
    champion, challenger = model(FREE), model(ALL)
    stack.configure(lines(
        f"payments_risk_model mild {champion} merchant=acme",
        f"payments_risk_model wild {challenger} role=challenger",
        "payments_risk_score merchant=acme model=1 rules=0 velocity=0"
        " device=0 block=0.9",
    ))  # fmt: skip
    good = stack.post(body(stack, email=mail("shop.example")))
    assert not is_blocked(good)
    found = decision(stack, good)
    assert (found["decision"], found["decided_by"]) == ("allow", "none")
    (other,) = found["score"]["challengers"]
    assert other["name"] == "wild" and other["probability"] > 0.99
    assert other["sha256"] == hashlib.sha256(ALL.encode()).hexdigest()

    asked = body(stack, email=mail("gmail.com"))
    bad = stack.post(asked)
    assert is_blocked(bad)
    order_id = asked["payment_orders"][0]["payment_order_id"]
    assert stack.mock.calls(order_id) == []
    found = decision(stack, bad)
    assert (found["decision"], found["decided_by"]) == ("block", "score")
    assert found["features"]["email_is_free"] == 1
    assert found["features"]["buyer_orders"] == 0

    risk = explained(stack, order_id, FINANCE)["risk"]
    assert risk["by"] == "score"
    assert [hit["by"] for hit in risk["hits"]] == ["score"]
    assert risk["score"]["model"]["name"] == "mild"
    assert risk["score"]["model"]["reasons"] == [["email_is_free", 1]]
    assert "risk" not in explained(stack, order_id, "payments:read")
    shown = payctl(
        stack, "risk", "show", "--merchant", "acme", asked["checkout_id"]
    )
    assert "email_is_free" in shown and "mild" in shown
    told = payctl(stack, "explain", "--merchant", "acme", order_id)
    assert re.search(r"because of +email_is_free", told), told
    assert "score" not in bad.text and "email_is_free" not in bad.text

    free = stack.post(body(stack, email=mail("gmail.com")), merchant="OTHER_")
    assert not is_blocked(free)
    assert "model" not in decision(stack, free)["score"]


def test_attempts_before_this_one_are_scored_once(stack, model):
    often = model(scorecard(feature("attempts_email_1h", 2, 0, 12)))
    stack.configure(lines(
        f"payments_risk_model often {often}",
        "payments_risk_score model=1 rules=0 velocity=0 device=0 block=0.9",
    ))  # fmt: skip
    who = mail("shop.example")
    first, key = body(stack, email=who), new_id()
    told = stack.post(first, key)
    kept = decision(stack, told)
    for _ in range(5):
        assert stack.post(first, key).json() == told.json()
    assert decision(stack, told) == kept
    seen = []
    for _ in range(3):
        answer = stack.post(body(stack, email=who, ip=address()))
        features = decision(stack, answer)["features"]
        seen.append((features["attempts_email_1h"], is_blocked(answer)))
        assert features["attempts_ip_10m"] == 0
    assert seen == [(1, False), (2, False), (3, True)]


def test_in_shadow_a_score_is_stored_and_a_review_holds(stack, model):
    everybody = model(ALL)
    scored = (
        f"payments_risk_model all {everybody}",
        "payments_risk_score model=1 rules=0 velocity=0 device=0 review=0.5",
    )
    stack.configure(lines(scored[0], scored[1] + " shadow=on"))
    dark = stack.post(body(stack))
    assert decision(stack, dark)["hits"] == [
        {"by": "score", "name": "score", "then": "review", "shadow": True}
    ]
    assert decision(stack, dark)["decision"] == "allow"
    stack.configure(lines(*scored))
    asked = body(stack)
    order = only(stack.post(asked))
    assert order["status"] == "EXECUTING"
    assert stack.sql(
        "SELECT count(*) FROM pay.payout_hold WHERE payment_order_id = %s",
        order["payment_order_id"],
    ) == [(1,)]


def test_a_bad_model_leaves_the_old_one_at_work(stack, model):
    path = model(FREE)
    edit = lines(
        f"payments_risk_model mild {path}",
        "payments_risk_score model=1 rules=0 velocity=0 device=0 block=0.9",
    )
    stack.configure(edit)
    before = decision(stack, stack.post(body(stack, email=mail("gmx.de"))))
    workers = set(stack.workers())
    path.write_text(FREE[:-9])
    refused = f'"mild" cannot use "{path}"'
    said = subprocess.run(
        [stack.gateway.nginx, "-t", "-c", stack.gateway.conf,
         "-e", "stderr"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert said.returncode != 0 and refused in said.stderr, said.stderr
    assert "write the whole file again" in said.stderr

    stack.expected.append(refused)
    log = stack.gateway.error_log
    os.kill(stack.master(), signal.SIGHUP)
    wait_for(lambda: refused in log.read_text(), "the refusal")
    assert set(stack.workers()) == workers
    after = decision(stack, stack.post(body(stack, email=mail("gmx.de"))))
    assert after["decided_by"] == "score"
    assert after["version"] == before["version"]

    # another good one is another version
    path.write_text(ALL)
    stack.reload()
    answer = stack.post(body(stack, email=mail("shop.example")))
    assert is_blocked(answer)
    assert decision(stack, answer)["version"] != before["version"]


def test_the_shipped_example_scores(stack, model):
    example = (ROOT / "examples" / "risk" / "demo.json").read_text()
    stack.configure(lines(f"payments_risk_model demo {model(example)}"))
    score = decision(stack, stack.post(body(stack)))["score"]
    assert 0 < score["model"]["probability"] < 1
    assert "then" not in score, "without thresholds nothing acts"


class Buyer:
    """One who comes back, and the same as events of the training."""

    def __init__(self, stack):
        self.stack = stack
        self.info = {
            "id": new_id(), "email": mail("Gmail.com"), "ip": address(),
            "device": new_id(), "user_agent": "curl", "billing_country": "DE",
        }  # fmt: skip
        self.born = int(time.time()) - 5 * 86400 // 2
        self.events = []
        self.seen = []

    def comes(self, country: str, amount: str, currency: str, result: str,
              **changes):
        stack = self.stack
        born = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.born))
        info = self.info | {"shipping_country": country} | changes
        made = stack.created(
            amounts=(amount,), currency=currency,
            buyer_info=info | {"account_created_at": born},
        )  # fmt: skip
        self.seen.append(decision(stack, made.answer)["features"])
        stack.mock.pay(made.token, result=result)
        if result == "paid":
            made.becomes("SUCCESS")
        else:
            made.becomes("FAILED", result)
        decimals = 0 if currency == "JPY" else 2
        self.events.append({
            "id": str(len(self.events)), "at": 0, "merchant": "acme",
            "buyer_info": info | {"account_created_at": self.born},
            "amount": round(float(amount) * 10**decimals),
            "currency": currency, "orders": 1, "sellers": ["seller-0"],
            "outcome": result, "label": None, "label_at": None, "news": None,
            "psp_risk": 0 if result == "paid" else None,
        })  # fmt: skip

    def vectors(self):
        """All within two minutes, so that only the sequence counts."""
        now = int(time.time())
        for n, event in enumerate(self.events):
            event["at"] = now - 2 * (len(self.events) - n)
        return [row["features"] for row in features.vectors(self.events)]


def test_the_vector_is_that_of_the_training(stack, model):
    """Of the same events, feature by feature: what the gateway stores with its
    decisions, and what tools/risk/features.py makes of the events."""
    stack.configure(lines(f"payments_risk_model free {model(FREE)}"))
    rates = {code: str(units) for code, (units, _) in features.DOLLAR.items()}
    del rates["USD"]
    # those that other tests have left would be as good
    stack.sql("DELETE FROM pay.rate; DELETE FROM pay.rate_source")
    stack.sql("SELECT pay_api.begin_rates('{t}', '{t}', '{1}', '{60000}')")
    kept = stack.value(
        "SELECT e.outcome FROM pay_api.end_rates('{t}', '{t}', '{USD}',"
        " ARRAY[%s::jsonb], '{NULL}', '{0}', '{60000}') e",
        json.dumps(rates),
    )
    assert kept == "stored"
    try:
        buyer = Buyer(stack)
        buyer.comes("DE", "12.34", "USD", "paid")
        buyer.comes("FR", "1000.00", "EUR", "declined")
        buyer.comes("FR", "1499", "JPY", "paid")
        buyer.comes("FR", "0.99", "EUR", "paid", device=new_id())
        buyer.comes("FR", "0.99", "EUR", "paid")
    finally:
        stack.sql("DELETE FROM pay.rate; DELETE FROM pay.rate_source")
    wanted = buyer.vectors()
    for ours, theirs in zip(buyer.seen, wanted, strict=True):
        # of the moment, which is another one here
        for name in ("hour", "weekday"):
            del ours[name], theirs[name]
        assert ours == theirs
    assert [row["buyer_orders"] for row in wanted] == [0, 1, 1, 2, 3]
    assert [row["buyer_failures"] for row in wanted] == [0, 0, 1, 1, 1]
    assert [row["shipping_differs"] for row in wanted] == [None, 1, 1, 0, 0]
    assert [row["psp_risk"] for row in wanted] == [None, 0, 0, 0, 0]
    assert [row["device_days"] for row in wanted] == [None, 0, 0, 0, 0]
    assert [row["buyer_devices"] for row in wanted] == [None, 1, 1, 1, 2]

    # without a rate an amount is not known, and nothing else is missing
    buyer.comes("FR", "0.99", "EUR", "paid")
    gone = [name for name, value in buyer.seen[-1].items() if value is None]
    assert gone == ["amount_log"]
