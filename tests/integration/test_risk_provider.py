"""An external provider of risk: its word acts, its failures are the word that
the configuration has for them, and no replay asks it again."""

import secrets
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from support.own_stack import OwnStack, new_id, wait_for
from support.tls_psp import Authority, Psp, server_context

AUDIENCE = "payments_audience "
BLOCK = """payments_risk_provider {name} {{
        base_url     {url};
        secret_file  "{run}/secrets/risk.whsec";
        {words}
    }}
    """
RULES = """payments_risk_rule  not-there if shipping_country=KP then=block;
    payments_risk_rule  ours if shipping_country=VA then=allow;
    """
# The first one that fits is asked, and the amount of another currency than
# that of above always does: dollars lead to watch, euros to the others.
WATCH = """merchant  acme; fail  review; above  900000.00EUR; send  buyer;
    timeout  connect=500ms total=1s; breaker  off;"""
CLOSED = """merchant  acme; fail  block; above  1000.00EUR; send  buyer;
    timeout  total=5s; breaker  off;"""
QUIET = """merchant  acme; fail  block; above  100.00EUR; shadow  on;
    send  buyer; timeout  total=1s; breaker  off;"""
FRAGILE = """merchant  acme; fail  allow; send  buyer; timeout  total=1s;
    breaker  failures=50% calls=4 window=1h open=1s probes=1;"""
OPEN = "merchant  globex; fail  allow; timeout  total=2s; breaker  off; {}"
CLOSED_EUR, QUIET_EUR, FRAGILE_EUR = "1000.01", "1000.00", "100.00"
TROUBLE = {
    "hang": "timeout",
    "drip": "timeout",
    "huge": "too-large",
    "broken": "answer",
    "doubled": "answer",
    "strange": "answer",
    "swapped": "answer",
    "status": "status",
    "redirect": "status",
}


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    directory = tmp_path_factory.mktemp("tls")
    authority = Authority(directory, "theirs")
    server = Psp(
        server_context(authority.leaf("localhost")), lambda *_: (200, {}, b"")
    )
    yield server
    server.close()


@pytest.fixture(scope="module")
def stack(tls):
    stack = OwnStack()
    try:
        run = stack.values["MOCK_PSP_URL"]
        place = stack.dir / "run" / "secrets" / "risk.whsec"
        secret = "whsec_" + b64encode(secrets.token_bytes(32)).decode()
        place.write_text(secret + "\n")
        place.chmod(0o400)
        mock = f"{run}/risk"
        # a sanitized build reads all authorities of the system for seconds
        ours = Authority(stack.dir / "run", "ours")
        private = OPEN.format(
            f"allow_private_address  on; ca_file  {ours.file};"
        )
        blocks = "".join(
            BLOCK.format(name=name, url=url, run=stack.dir / "run", words=words)
            for name, url, words in (
                ("watch", mock, WATCH),
                ("closed", mock, CLOSED),
                ("quiet", mock, QUIET),
                ("fragile", mock, FRAGILE),
                ("dead", "http://127.0.0.1:1", OPEN.format("above 9.00EUR;")),
                ("stranger", tls.url, private),
            )
        )
        stack.configure((AUDIENCE, RULES + blocks + AUDIENCE))
        stack.risk_secret = secret
        yield stack
        stack.check_invariants()
    finally:
        stack.close()


def order(stack, buyer: str, eur: str | None = None, **info) -> dict:
    money = {"amounts": (eur,), "currency": "EUR"} if eur else {}
    named = {"id": f"{buyer}-{new_id()}"} | info
    return stack.order(buyer_info=named, **money)


def decision(stack, body: dict) -> tuple:
    ((word, by, hits),) = stack.sql(
        "SELECT decision, decided_by, hits FROM pay.risk_decision"
        " WHERE checkout_id = %s",
        body["checkout_id"],
    )
    return word, by, [hit for hit in hits if hit["by"] == "provider"]


def asked(stack, body: dict) -> list[dict]:
    questions = httpx.get(stack.values["MOCK_PSP_URL"] + "/risk/questions")
    return [
        each
        for each in questions.json()
        if each["checkout"] == body["checkout_id"]
    ]


def only(answer) -> dict:
    assert answer.status_code == 201, answer.text
    return answer.json()["payment_orders"][0]


def registrations(stack, body: dict) -> list[dict]:
    nonce = body["payment_orders"][0]["payment_order_id"]
    return stack.mock.books(nonce=nonce)["registrations"]


def metric(stack, name: str) -> float:
    for line in stack.http.get("/metrics").text.splitlines():
        if line.startswith(name + " "):
            return float(line.rsplit(" ", 1)[1])
    raise AssertionError(f"no {name}")


def circuit(stack, provider: str, state: str) -> bool:
    return bool(metric(
        stack, f'payments_risk_provider_circuit{{provider="{provider}"'
        f',state="{state}"}}'
    ))  # fmt: skip


@pytest.mark.parametrize("word", ["allow", "challenge", "review", "block"])
def test_its_word_acts(stack, word):
    name = f'payments_risk_provider_total{{provider="watch",result="{word}"}}'
    before = metric(stack, name)
    body = order(stack, word)
    made = only(stack.post(body))
    by = "none" if word == "allow" else "provider"
    said, decided_by, (hit,) = decision(stack, body)
    assert (said, decided_by) == (word, by)
    assert hit.pop("reference").startswith("risk-")
    assert hit == {"by": "provider", "name": "watch", "then": word,
                   "shadow": False}  # fmt: skip
    assert (made["status"] == "FAILED") == (word == "block"), made
    assert [each["challenge"] for each in registrations(stack, body)] == (
        [] if word == "block" else [word == "challenge"]
    )
    held = stack.sql(
        "SELECT count(*) FROM pay.payout_hold WHERE payment_order_id = %s",
        made["payment_order_id"],
    )
    assert held == [(int(word == "review"),)]
    wait_for(lambda: metric(stack, name) == before + 1, "the figure")


def test_a_blocked_checkout_reaches_no_psp_and_says_nothing(stack):
    body = order(stack, "block")
    answer = stack.post(body)
    made = only(answer)
    assert (made["status"], made["reason"]) == ("FAILED", "risk")
    assert stack.mock.calls(made["payment_order_id"]) == []
    for word in ("watch", "provider", "risk-"):
        assert word not in answer.text


@pytest.mark.parametrize("kind", TROUBLE)
def test_without_an_answer_the_word_of_fail_counts(stack, kind):
    body = order(stack, kind)
    assert only(stack.post(body))["status"] == "EXECUTING"
    assert decision(stack, body) == ("review", "provider", [
        {"by": "provider", "name": "watch", "then": "review", "shadow": False,
         "failed": TROUBLE[kind]}
    ])  # fmt: skip
    # a redirect would have led to the same place again
    assert len(asked(stack, body)) == 1


def test_closed_blocks_without_an_answer(stack):
    body = order(stack, "status", CLOSED_EUR)
    made = only(stack.post(body))
    assert (made["status"], made["reason"]) == ("FAILED", "risk")
    assert registrations(stack, body) == []


@pytest.mark.parametrize(
    ("eur", "name", "why"),
    [(None, "dead", "connect"), ("5.00", "stranger", "tls")],
)
def test_open_lets_through_without_an_answer(stack, tls, eur, name, why):
    body = order(stack, "block", eur)
    answer = stack.post(body, merchant="OTHER_")
    assert only(answer)["status"] == "EXECUTING"
    assert decision(stack, body) == ("allow", "none", [
        {"by": "provider", "name": name, "then": "allow", "shadow": False,
         "failed": why}
    ])  # fmt: skip


def test_in_shadow_its_word_is_stored_and_does_nothing(stack):
    for kind in ("block", "status"):
        body = order(stack, kind, QUIET_EUR)
        assert only(stack.post(body))["status"] == "EXECUTING"
        said, by, (hit,) = decision(stack, body)
        assert (said, by, hit["then"]) == ("allow", "none", "block")
        assert hit["shadow"] is True


def test_nobody_is_asked_about_what_a_rule_has_decided(stack):
    for country, word in (("KP", "block"), ("VA", "allow")):
        body = order(stack, "review", shipping_country=country)
        stack.post(body)
        assert decision(stack, body) == (word, "rule", [])
        assert asked(stack, body) == []


def test_a_replay_asks_once(stack):
    body, key = order(stack, "block"), new_id()
    first = stack.post(body, key)
    for _ in range(5):
        again = stack.post(body, key)
        assert again.json() == first.json()
        assert again.headers["Idempotent-Replayed"] == "true"
    assert stack.post(body).status_code == 409
    assert len(asked(stack, body)) == 1


def test_twins_at_once_ask_with_one_id(stack):
    body, key = order(stack, "review"), new_id()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: stack.post(body, key), range(8)))
    wait_for(lambda: stack.post(body, key).status_code == 201, "the answer")
    assert decision(stack, body)[0] == "review"
    assert len({each["id"] for each in asked(stack, body)}) == 1


def test_what_leaves_is_what_the_block_names(stack):
    told = {"email": f"{new_id()}@shop.example", "phone": "+49 170 98765432",
            "ip": "203.0.113.77", "device": f"device-{new_id()}",
            "user_agent": f"Canary/{new_id()}",
            "billing_country": "DE"}  # fmt: skip
    body = order(stack, "allow", **told)
    only(stack.post(body))
    (question,) = asked(stack, body)
    buyer = body["buyer_info"]["id"]
    assert question["personal"] == {"buyer": buyer}
    assert set(question["hashes"]) == {"email", "phone", "ip", "device"}
    assert question["facts"]["billing_country"] == "DE"
    assert (question["amount"], question["currency"]) == ("12.34", "USD")
    text = str(question)
    for name in ("email", "phone", "ip", "device", "user_agent"):
        assert told[name] not in text, name
    assert "shop.example" not in text
    # nor are the hashes those of the database
    (kept,) = stack.sql(
        "SELECT keys::text FROM pay.risk_decision WHERE checkout_id = %s",
        body["checkout_id"],
    )
    for value in question["hashes"].values():
        assert value not in kept[0]


def test_the_circuit_opens_and_closes_again(stack):
    for _ in range(4):
        stack.post(order(stack, "status", FRAGILE_EUR))
    assert circuit(stack, "fragile", "open")

    def why(body):
        only(stack.post(body))
        return decision(stack, body)[2][0].get("failed")

    body = order(stack, "block", FRAGILE_EUR)
    if why(body) == "circuit-open":  # else the second was over
        assert asked(stack, body) == []
    wait_for(
        lambda: why(order(stack, "allow", FRAGILE_EUR)) is None, "an answer"
    )
    assert circuit(stack, "fragile", "closed")


def test_others_do_not_wait_for_a_provider_that_hangs(stack):
    slow = [order(stack, "hang", CLOSED_EUR) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(stack.post, body) for body in slow]
        wait_for(lambda: all(asked(stack, body) for body in slow), "questions")
        only(stack.post(order(stack, "allow"), merchant="OTHER_"))
        # one after the other they would have waited for the deadlines of all
        assert not all(each.done() for each in waiting)
        assert all(only(each.result())["status"] == "FAILED"
                   for each in waiting)  # fmt: skip


def test_the_log_names_a_failure_and_no_secret(stack):
    # the lines are paced, so that those of this answer may be left out
    def logged():
        stack.post(order(stack, "status"))
        log = stack.gateway.error_log.read_text(errors="replace")
        return "provider:watch, why:status, then:review" in log and log

    log = wait_for(logged, "a line of it")
    assert "a provider of risk has given no answer" in log
    bare = stack.risk_secret.removeprefix("whsec_")
    assert bare not in log
    assert metric(
        stack, 'payments_risk_provider_seconds_count{provider="watch"}'
    )
