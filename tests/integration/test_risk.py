"""A checkout is looked at before its PSP is asked: windows, rules and lists, as
a storefront, an operator and an attacker meet them."""

import os
import pwd
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from support import tokens
from support.own_stack import new_id, wait_for

LIMIT = 10  # ip-10m of ci/nginx.conf.in
OFF = ("payments_risk              on;", "payments_risk              shadow;")
SLOW = (OFF[0], "payments_risk              on block_delay=700ms;")


def address() -> str:
    """One that no other test has used."""
    raw = new_id().replace("-", "")
    return ":".join(["2001", "db8", *(raw[i : i + 4] for i in range(0, 24, 4))])


def body(stack, **buyer) -> dict:
    return stack.order(buyer_info={"name": "Ada Example"} | buyer)


def only(answer) -> dict:
    assert answer.status_code == 201, answer.text
    (order,) = answer.json()["payment_orders"]
    return order


def is_blocked(answer) -> bool:
    order = only(answer)
    blocked = order["status"] == "FAILED"
    assert blocked == (order["reason"] == "risk"), order
    return blocked


def payctl(stack, *words: str, code: int = 0, dsn="PG_ADMIN_DSN") -> str:
    done = subprocess.run(
        [stack.values["PAYCTL"], *words],
        env={
            "PAYCTL_DSN": stack.values[dsn],
            "PAYCTL_KEYRING": stack.values["PAYCTL_KEYRING"],
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def listed(stack):
    """listed(EFFECT, KIND, VALUE): an entry until the test's end."""
    made = []

    def add(*words):
        payctl(stack, "risk", "list", "add", *words, "--why", "a test")
        made.append(words)

    yield add
    for words in made:
        payctl(stack, "risk", "list", "remove", *words, "--why", "over")


def explained(stack, order_id: str, scope: str) -> dict:
    token = tokens.minter_of(stack.values, "MERCHANT")(scope=scope)
    answer = stack.http.get(
        f"/v1/payments/{order_id}/explain",
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_of_a_hundred_at_once_exactly_the_limit_passes(stack):
    ip = address()
    bodies = [body(stack, ip=ip) for _ in range(100)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(stack.post, bodies))
    assert sum(not is_blocked(answer) for answer in answers) == LIMIT


def test_a_blocked_order_reaches_no_psp(stack):
    ip = address()
    for _ in range(LIMIT):
        assert not is_blocked(stack.post(body(stack, ip=ip)))
    asked = body(stack, ip=ip)
    answer = stack.post(asked)
    assert is_blocked(answer)
    order_id = asked["payment_orders"][0]["payment_order_id"]
    assert answer.json()["redirect_url"] is None
    assert stack.mock.calls(order_id) == []
    assert stack.sql(
        "SELECT count(*) FROM pay.job WHERE checkout_id = %s",
        asked["checkout_id"],
    ) == [(0,)]
    kinds = [each["kind"] for each in stack.timeline(order_id)]
    assert kinds[0] == "created" and len(kinds) == 2, kinds
    text = answer.text.lower()
    assert "ip-10m" not in text and "block" not in text, text


def test_a_repetition_counts_once_and_gets_its_own_answer(stack):
    ip = address()
    first, key = body(stack, ip=ip), new_id()
    told = stack.post(first, key)
    for _ in range(30):
        again = stack.post(first, key)
        assert again.json() == told.json()
        assert again.headers["Idempotent-Replayed"] == "true"
    for _ in range(LIMIT - 1):
        assert not is_blocked(stack.post(body(stack, ip=ip)))
    last, last_key = body(stack, ip=ip), new_id()
    blocked = stack.post(last, last_key)
    assert is_blocked(blocked)
    assert stack.post(last, last_key).json() == blocked.json()


def test_what_is_refused_before_it_is_stored_does_not_count(stack):
    ip, key = address(), new_id()
    first = body(stack, ip=ip)
    assert not is_blocked(stack.post(first, key))
    for _ in range(LIMIT):
        # the same key for another body, and a body that is none
        assert stack.post(body(stack, ip=ip), key).status_code == 422
        bad = body(stack, ip=ip) | {"return_url": "http://elsewhere.example"}
        assert stack.post(bad).status_code == 422
    for _ in range(LIMIT - 1):
        assert not is_blocked(stack.post(body(stack, ip=ip)))
    assert is_blocked(stack.post(body(stack, ip=ip)))


def test_of_ipv6_a_household_is_one(stack):
    network = address().rsplit(":", 4)[0]
    for n in range(LIMIT):
        assert not is_blocked(
            stack.post(body(stack, ip=f"{network}:0:0:0:{n:x}"))
        )
    assert is_blocked(stack.post(body(stack, ip=f"{network}::ffff")))


def test_no_header_is_an_address_of_a_buyer(stack):
    """Without realip anybody may write them; the window is buyer_info's."""
    ip = address()
    names = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via")
    for n in range(LIMIT):
        forged = dict.fromkeys(names, f"198.51.100.{n}")
        assert not is_blocked(stack.post(body(stack, ip=ip), **forged))
    forged = {name: address() for name in names}
    assert is_blocked(stack.post(body(stack, ip=ip), **forged))
    for _ in range(LIMIT + 1):
        forged = dict.fromkeys(names, ip)
        assert not is_blocked(stack.post(body(stack), **forged))


def test_another_merchant_has_windows_of_its_own(stack):
    ip = address()
    for _ in range(LIMIT + 1):
        stack.post(body(stack, ip=ip))
    answer = stack.post(body(stack, ip=ip), merchant="OTHER_")
    assert not is_blocked(answer)


def test_a_reload_keeps_the_windows(stack):
    ip = address()
    for _ in range(LIMIT):
        assert not is_blocked(stack.post(body(stack, ip=ip)))
    stack.configure()
    assert is_blocked(stack.post(body(stack, ip=ip)))


@pytest.mark.parametrize("how", ["quit_nginx", "kill_nginx"])
def test_a_restart_in_mid_window_lets_nobody_more_through(stack, how):
    """The memory is gone; the decisions in PostgreSQL are not."""
    ip, fresh, v4 = address(), address(), "203.0.113.77"
    for _ in range(LIMIT - 1):
        assert not is_blocked(stack.post(body(stack, ip=ip)))
    repeated, key = body(stack, ip=ip), new_id()
    told = stack.post(repeated, key)
    assert not is_blocked(told)
    seen = sum(not is_blocked(stack.post(body(stack, ip=v4)))
               for _ in range(LIMIT + 1))  # fmt: skip
    getattr(stack, how)()
    stack.start_nginx()
    wait_for(stack.is_ready, "windows that are whole")
    assert seen <= LIMIT and is_blocked(stack.post(body(stack, ip=v4)))
    assert is_blocked(stack.post(body(stack, ip=ip)))
    # it counts once, as before
    assert stack.post(repeated, key).json() == told.json()
    for _ in range(LIMIT):
        assert not is_blocked(stack.post(body(stack, ip=fresh)))
    assert is_blocked(stack.post(body(stack, ip=fresh)))


def test_an_address_of_mail_on_the_list_is_blocked(stack, listed):
    email = f"Mallory.{new_id()}@Shop.Example"
    assert not is_blocked(stack.post(body(stack, email=email)))
    listed("block", "email", email)
    assert is_blocked(stack.post(body(stack, email=email.upper())))
    assert not is_blocked(stack.post(body(stack, email="ada@shop.example")))
    shown = payctl(stack, "risk", "list")
    assert "Mallory" not in shown and email.lower() not in shown


def test_a_network_and_a_country_on_the_list_are_blocked(stack, listed):
    listed("block", "ip", "198.51.100.0/24")
    listed("block", "country", "KP")
    assert is_blocked(stack.post(body(stack, ip="198.51.100.77")))
    assert not is_blocked(stack.post(body(stack, ip="198.51.101.77")))
    for member in ("country", "billing_country", "shipping_country"):
        assert is_blocked(stack.post(body(stack, **{member: "KP"})))


def test_a_list_that_allows_ends_all(stack, listed):
    ip, buyer = address(), new_id()
    for _ in range(LIMIT + 1):
        stack.post(body(stack, ip=ip))
    listed("block", "buyer", buyer)
    assert is_blocked(stack.post(body(stack, ip=ip, id=buyer)))
    listed("allow", "buyer", buyer)
    assert not is_blocked(stack.post(body(stack, ip=ip, id=buyer)))


def test_a_removed_entry_counts_no_more(stack):
    buyer = new_id()
    words = ("block", "buyer", buyer)
    payctl(stack, "risk", "list", "add", *words, "--why", "a test")
    assert is_blocked(stack.post(body(stack, id=buyer)))
    payctl(stack, "risk", "list", "remove", *words, "--why", "over")
    assert not is_blocked(stack.post(body(stack, id=buyer)))
    assert "not_found" in payctl(
        stack, "risk", "list", "remove", *words, "--why", "over", code=1
    )


def test_an_act_of_a_timer_has_the_name_of_its_account(stack, listed):
    """Neither LOGNAME nor USER is set there."""
    name = new_id()
    listed("block", "device", name)
    (account,) = stack.sql(
        "SELECT who FROM pay.risk_list_act ORDER BY act_id DESC LIMIT 1"
    )
    assert account == (pwd.getpwuid(os.geteuid()).pw_name,)


def test_a_file_of_entries_is_taken_whole_or_not(stack, tmp_path):
    names = [f"{new_id()}@shop.example" for _ in range(50)]
    good = tmp_path / "good.txt"
    good.write_text("# disposable\n\n" + "\n".join(names) + "\n")
    bad = tmp_path / "bad.txt"
    bad.write_text("\n".join([f"{new_id()}@shop.example", "nobody"]))
    why = ("--why", "a test")
    counted = "SELECT count(*) FROM pay.risk_list WHERE kind = 'email'"
    ((before,),) = stack.sql(counted)
    said = payctl(
        stack, "risk", "list", "import", "block", "email", str(bad), *why,
        code=2,
    )  # fmt: skip
    assert "line 2" in said and stack.sql(counted) == [(before,)]
    payctl(stack, "risk", "list", "import", "block", "email", str(good), *why)
    assert stack.sql(counted) == [(before + 50,)]
    assert is_blocked(stack.post(body(stack, email=names[7])))
    for name in names:
        payctl(stack, "risk", "list", "remove", "block", "email", name, *why)


def test_a_large_amount_is_reviewed_and_its_pay_out_waits(stack):
    asked = stack.order(amounts=("5000.01",))
    order = only(stack.post(asked))
    assert order["status"] == "EXECUTING"
    order_id = order["payment_order_id"]
    assert stack.sql(
        "SELECT count(*) FROM pay.payout_hold WHERE payment_order_id = %s",
        order_id,
    ) == [(1,)]
    seen = explained(stack, order_id, "payments:read reconciliation:read")
    assert seen["risk"]["decision"] == "review"
    assert [hit["name"] for hit in seen["risk"]["hits"]] == ["large"]
    assert "risk" not in explained(stack, order_id, "payments:read")
    just = only(stack.post(stack.order(amounts=("5000.00",))))
    seen = explained(
        stack, just["payment_order_id"], "payments:read reconciliation:read"
    )
    assert seen["risk"]["decision"] == "allow"


@pytest.mark.parametrize("psp", ["stripe", "generic"])
def test_a_challenge_reaches_the_psp(stack, listed, psp):
    buyer = new_id()
    listed("challenge", "buyer", buyer)
    for name, wanted in ((buyer, True), (new_id(), False)):
        asked = stack.order(psp, buyer_info={"id": name})
        order = only(stack.post(asked))
        books = stack.mock.books(nonce=order["payment_order_id"])
        (made,) = books["registrations"]
        assert made["challenge"] == wanted


def test_in_shadow_nothing_acts(stack, listed):
    ip, buyer = address(), new_id()
    listed("block", "buyer", buyer)
    stack.configure(OFF)
    try:
        for _ in range(LIMIT + 2):
            answer = stack.post(body(stack, ip=ip, id=buyer))
            assert not is_blocked(answer)
    finally:
        stack.configure()
    ((decision, hits),) = stack.sql(
        "SELECT decision, hits FROM pay.risk_decision WHERE checkout_id = %s",
        answer.json()["checkout_id"],
    )
    assert decision == "allow"
    assert [(hit["name"], hit["shadow"]) for hit in hits] == [
        ("ip-10m", True)
    ]


def test_the_answer_of_a_block_comes_no_sooner_than_others(stack, listed):
    buyer, key = new_id(), new_id()
    listed("block", "buyer", buyer)
    stack.configure(SLOW)
    try:
        asked = body(stack, id=buyer)
        answer = stack.post(asked, key)
        again = stack.post(asked, key)
    finally:
        stack.configure()
    assert is_blocked(answer) and again.json() == answer.json()
    assert answer.elapsed.total_seconds() >= 0.7
    assert again.headers["Idempotent-Replayed"] == "true"


def test_each_checkout_has_one_decision(stack):
    asked, key = body(stack, email="a@shop.example"), new_id()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: stack.post(asked, key), range(16)))
    wait_for(lambda: stack.post(asked, key).status_code == 201, "the answer")
    assert stack.sql(
        "SELECT count(*) FROM pay.risk_decision WHERE checkout_id = %s",
        asked["checkout_id"],
    ) == [(1,)]


def test_nothing_personal_is_kept_with_a_decision(stack):
    secrets = {
        "id": f"buyer-{new_id()}",
        "email": f"{new_id()}@shop.example",
        "phone": "+49 170 98765432",
        "device": f"device-{new_id()}",
        "user_agent": f"Canary/{new_id()}",
    }
    answer = stack.post(body(stack, **secrets))
    ((text,),) = stack.sql(
        "SELECT d::text FROM pay.risk_decision d WHERE checkout_id = %s",
        answer.json()["checkout_id"],
    )
    for secret in (*secrets.values(), "4917098765432"):
        assert secret not in text, secret


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("email", 5),
        ("email", ""),
        ("email", "nobody"),
        ("email", "a b@shop.example"),
        ("ip", "192.0.2"),
        ("ip", "192.0.2.1/24"),
        ("ip", "fe80::1%eth0"),
        ("phone", "call me"),
        ("id", ""),
        ("id", "x" * 256),
        ("device", ["x"]),
        ("user_agent", "x" * 513),
        ("billing_country", "de"),
        ("shipping_country", "DEU"),
        ("account_created_at", "yesterday"),
        ("account_created_at", 5),
    ],
)
def test_what_a_rule_could_not_read_is_refused(stack, member, value):
    answer = stack.post(body(stack, **{member: value}))
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert error["pointer"] == f"/buyer_info/{member}"
    assert error["detail"].startswith(f"buyer_info.{member} must be")


def test_null_and_strange_members_pass(stack):
    answer = stack.post(body(stack, email=None, ip=None, shoe_size=43))
    assert not is_blocked(answer)


def test_decisions_are_counted_and_shown(stack):
    def counted() -> int:
        for line in stack.http.get("/metrics").text.splitlines():
            if line.startswith('payments_risk_decisions_total{decision="rev'):
                return int(line.rsplit(" ", 1)[1])
        raise AssertionError("no payments_risk_decisions_total")

    before = counted()
    asked = stack.order(amounts=("6000.00",))
    stack.post(asked)
    assert counted() == before + 1
    shown = payctl(stack, "risk", "decisions", "--decision", "review")
    assert asked["checkout_id"] in shown and "large" in shown
    shown = payctl(
        stack, "risk", "show", "--merchant", "acme", asked["checkout_id"],
        dsn="PG_DSN",
    )  # fmt: skip
    assert "large" in shown.split()


def cards(stack, made) -> list:
    return stack.sql(
        "SELECT c.bin, c.country, c.funding, c.level, c.score, c.is_declined,"
        " length(c.card), c.is_hint FROM pay.risk_card c"
        " WHERE c.checkout_id = %s ORDER BY c.at",
        made["checkout_id"],
    )


def test_a_psp_s_word_about_a_card_is_kept_once(stack):
    made = stack.post(stack.order("generic")).json()
    token = stack.mock.books(
        nonce=made["payment_orders"][0]["payment_order_id"]
    )["registrations"][0]["token"]
    stack.mock.pay(token)
    said = [("424242", "DE", "credit", "normal", 7, False, 64, False)]
    wait_for(lambda: cards(stack, made) == said, "the card")
    shown = payctl(
        stack, "risk", "show", "--merchant", "acme", made["checkout_id"]
    )
    assert "424242" in shown
    assert "card-of-" not in shown
    ((text,),) = stack.sql(
        "SELECT c::text FROM pay.risk_card c WHERE checkout_id = %s",
        made["checkout_id"],
    )
    assert "card-of-" not in text


def test_a_declined_charge_of_stripe_names_its_card(stack):
    made = stack.post(stack.order("stripe")).json()
    token = stack.mock.books(
        nonce=made["payment_orders"][0]["payment_order_id"]
    )["registrations"][0]["token"]
    stack.mock.pay(token, "declined", code="insufficient_funds")
    said = [(None, "US", "prepaid", "elevated", 66, True, 64, False)]
    wait_for(lambda: cards(stack, made) == said, "the card")
