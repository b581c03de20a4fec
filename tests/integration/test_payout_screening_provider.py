"""A provider of sanctions screening is asked by the workers: its word lets an
item go on or holds it, and without a word that is new enough nothing is
paid."""

import re

import pytest
from support.own_stack import OwnStack, wait_for
from support.payer import AUDIENCE, HASTY_OWN, Payer

QUICK_ROUNDS = (
    AUDIENCE,
    "payments_jobs  on interval=100ms;\n"
    "    payments_watchdog  interval=200ms;\n    " + AUDIENCE,
)
BLOCK = """payments_screening {name} {{
        merchant      acme;
        base_url      {url};
        api_key_file  "{run}/secrets/payout-generic.key";
        timeout       connect=500ms total=1s;
        breaker       off;
        interval      100ms;
        retry         1s;
    }}
    """
LIST = """SELECT outcome FROM pay_ops.import_sanctions('eu', sha256('x'),
    '{1}', '{Nobody Atall}', true, 'ann')"""
FINDINGS = """SELECT string_agg(DISTINCT f.why, ' ') FROM pay.payout p
    CROSS JOIN LATERAL pay.screen_payout(p) f WHERE p.payout_id = %s"""
WAITS = "SELECT count(*) FROM pay_view.screening_waits()"
ANSWER = """SELECT a.{} FROM pay.screening_answer a
    JOIN pay.payout p ON p.destination_id = a.destination_id
    WHERE p.payout_id = %s AND a.provider = %s"""


@pytest.fixture(scope="module")
def payer():
    stack = OwnStack()
    try:
        payer = Payer(stack)
        mock = stack.values["MOCK_PSP_URL"] + "/screening"
        blocks = "".join(
            BLOCK.format(name=name, url=url, run=payer.run)
            for name, url in (("watch", mock), ("dead", "http://127.0.0.1:1"))
        )
        stack.configure((AUDIENCE, blocks + AUDIENCE), *HASTY_OWN,
                        QUICK_ROUNDS)  # fmt: skip
        payer.enter("generic")
        assert stack.value(LIST) == "imported"
        screened_by(payer, "watch")
        yield payer
        stack.check_invariants()
    finally:
        stack.close()


def screened_by(payer, provider: str) -> None:
    for who in ("ann", "bob"):
        said = payer.payctl(
            "screening", "set", "--merchant", "acme", "--lists", "eu",
            "--provider", provider, "--who", who, "--why", "law", code=None
        )  # fmt: skip
    assert said.split() == ["stored"]


def findings(payer, item: str):
    return payer.stack.value("SET search_path = pay; " + FINDINGS, item)


def answer(payer, item: str, what: str, provider: str = "watch"):
    rows = payer.stack.sql(ANSWER.format(what), item, provider)
    return rows[0][0] if rows else None


def cleared(payer, item: str, who: str) -> str:
    return payer.payctl("screening", "clear", item, "--who", who, "--why", "no",
                        code=None).strip()  # fmt: skip


def test_a_holder_who_is_clear_is_paid(payer):
    item = payer.ready(name="Jane Mueller")
    payer.becomes(item, "ready")
    assert answer(payer, item, "answer") == "clear"
    payer.send(item)
    payer.becomes(item, "paid")


def test_a_hit_is_held_until_two_operators_clear_it(payer):
    item = payer.ready(name="Listed Person")
    wait_for(lambda: answer(payer, item, "answer") == "hit", "an answer")
    assert payer.state(item) == "held"
    held = payer.payctl("screening", "held")
    line = next(line for line in held.splitlines() if item in line)
    assert "provider/watch" in line and "case-" in line, held
    assert [cleared(payer, item, who) for who in ("ann", "ann", "bob")] == [
        "second", "second", "ready"]  # fmt: skip
    payer.send(item)
    payer.becomes(item, "paid")


@pytest.mark.parametrize("name", ["Unanswered Person", "Swapped Person"])
def test_without_an_answer_an_item_stays_held_and_is_asked_about_again(
    payer, name
):
    item = payer.ready(name=name)
    wait_for(lambda: (answer(payer, item, "calls") or 0) >= 2, "two questions")
    assert payer.state(item) == "held"
    assert findings(payer, item) == "pending"
    assert cleared(payer, item, "ann") == "no_list"


def test_a_dead_provider_pays_nobody_until_another_one_answers(payer):
    screened_by(payer, "dead")
    try:
        item = payer.ready(name="Late Person")
        wait_for(lambda: (answer(payer, item, "calls", "dead") or 0) >= 2,
                 "two questions")  # fmt: skip
        assert payer.state(item) == "held"
        assert answer(payer, item, "answer", "dead") is None
    finally:
        screened_by(payer, "watch")
    payer.becomes(item, "ready")


def test_an_answer_that_is_too_old_holds_the_item_until_a_new_one(payer):
    item = payer.ready(name="Old Person")
    payer.becomes(item, "ready")
    age = """UPDATE pay.screening_answer a
        SET run_at = now() + {}, asked_at = a.asked_at - interval '49 h'
        FROM pay.payout p WHERE p.destination_id = a.destination_id
            AND p.payout_id = %s RETURNING 1"""
    assert payer.stack.sql(age.format("interval '1 h'"), item)
    with pytest.raises(AssertionError, match="changed"):
        payer.send(item)
    assert payer.state(item) == "held"
    assert findings(payer, item) == "pending"
    assert payer.stack.sql(age.format("interval '0'"), item)
    payer.becomes(item, "ready")


def waiting(payer):
    """Accounts; seconds of the oldest; for how long nobody has asked."""
    text = payer.stack.http.get("/metrics").text
    found = re.findall(
        r"^payments_screening_(?:waiting|waiting_oldest_seconds|unasked_seconds)"
        r" (\d+)$",
        text,
        re.MULTILINE,
    )
    return [int(one) for one in found]


def complaints(payer) -> list[str]:
    log = payer.stack.gateway.error_log.read_text(errors="replace")
    return re.findall(r"names a provider that no .* provider:(\w+)", log)


def test_a_policy_whose_provider_has_no_block_is_seen(payer):
    """Its items were held for ever, and nothing but a document said why."""
    assert complaints(payer) == []
    wait_for(lambda: waiting(payer), "figures")
    before = payer.stack.value(WAITS)
    screened_by(payer, "nobody")
    try:
        item = payer.ready(name="Forgotten Person")
        wait_for(lambda: complaints(payer), "the warning")
        wait_for(lambda: waiting(payer)[0] == before + 1, "the account")
        wait_for(lambda: all(waiting(payer)), "that nobody asks")
        line = payer.payctl("screening", "waiting").splitlines()[1]
        assert re.match(rf"acme +nobody +{before + 1} +\d+ +20\S+Z +"
                        r"00:0\d:\d\d +0", line), line  # fmt: skip
    finally:
        screened_by(payer, "watch")
    payer.becomes(item, "ready")
    wait_for(lambda: waiting(payer)[0] == before, "nothing more that waits")
    wait_for(lambda: waiting(payer)[2] < 3, "that somebody asks")
    assert len(complaints(payer)) <= len(payer.stack.workers())
