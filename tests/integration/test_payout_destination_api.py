"""Accounts of sellers by the API: what is entered is paid to, and nobody reads
its number, neither in an answer, nor in a log, nor in the database."""

import subprocess

import pytest
from support.client import Api, fresh_key
from support.own_stack import QUICK_JOBS, OwnStack, new_id
from support.payer import AUDIENCE, HASTY_OWN, Payer
from support.problems import assert_problem
from support.tokens import minter_of

IBAN = "DE89370400440532013000"
ACCOUNT = {"currency": "EUR", "provider": "generic", "iban": IBAN,
           "name": "Jörg Müller & Söhne"}  # fmt: skip
WRITES = "payouts:read payouts:create payouts:destinations"


@pytest.fixture(scope="module")
def payer():
    stack = OwnStack()
    try:
        payer = Payer(stack, "stripe", asks=False)
        stack.configure(
            (AUDIENCE, payer.blocks() + AUDIENCE), *HASTY_OWN, QUICK_JOBS
        )
        payer.enter("generic")
        yield payer
        stack.check_invariants()
    finally:
        stack.close()


@pytest.fixture(scope="module")
def person(payer):
    """person(name) → the API as that person of acme, or of globex."""
    made = []

    def client(name, scope=WRITES, merchant=""):
        mint = minter_of(payer.stack.values, f"{merchant}MERCHANT")
        token = mint(sub=name, scope=scope)
        made.append(Api(payer.stack.url, payer.stack.tls, token))
        return made[-1]

    yield client
    for each in made:
        each.close()


def post(client, path, body=None, key=None):
    how = {} if body is None else {"json": body}
    headers = {"Idempotency-Key": key or fresh_key()}
    return client.post(f"/v1/{path}", headers=headers, **how)


def enter(client, seller, key=None, **changes):
    body = {k: v for k, v in (ACCOUNT | changes).items() if v is not None}
    return post(client, f"sellers/{seller}/destinations", body, key)


def conflict(payer, answer, word):
    assert_problem(answer, 409, "payout-state-conflict", payer.stack.url)
    assert answer.json()["detail"].startswith(f"{word}:")


def seller_of():
    return f"shop/{new_id()}"


def test_an_account_that_was_entered_is_paid_to(payer, person):
    """From the request to the provider's books: what was sealed is opened."""
    max_, seller = person("max"), seller_of()
    answer = enter(max_, seller)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["account"], made["state"]) == ("DE…3000", "open")
    assert (made["entered_by"], made["version"]) == ("max", 1)
    order = {"payment_order_id": new_id(), "seller_account": seller,
             "amount": "12.34", "currency": "EUR"}  # fmt: skip
    sale = payer.stack.created("generic", payment_orders=[order])
    payer.stack.mock.pay(sale.registration["token"])
    sale.becomes("SUCCESS")
    assert post(max_, f"payments/{sale.order_id}/release").status_code == 200
    body = {"seller_account": seller, "currency": "EUR"}
    item = post(max_, "payouts", body).json()["payout_id"]
    body = {"provider": "generic", "currency": "EUR"}
    batch = post(max_, "payout-batches", body).json()
    answer = post(
        person("max", "payouts:approve"),
        f"payout-batches/{batch['batch_id']}/approve",
        {"hash": batch["hash"]},
    )
    conflict(payer, answer, "maker")
    answer = post(
        person("eve", "payouts:approve"),
        f"payout-batches/{batch['batch_id']}/approve",
        {"hash": batch["hash"]},
    )
    assert answer.status_code == 200, answer.text
    payer.becomes(item, "paid")
    payer.expect_paid_once(item)


def test_a_request_is_done_once_for_its_key(payer, person):
    max_, seller, key = person("max"), seller_of(), fresh_key()
    first = enter(max_, seller, key)
    place = f"/v1/payout-destinations/{first.json()['destination_id']}"
    assert first.headers["Location"].endswith(place)
    again = enter(max_, seller, key)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == first.json() == max_.get(place).json()
    for answer in (
        enter(max_, seller, key, iban="NL91ABNA0417164300"),
        enter(max_, seller_of(), key),
        enter(person("ann"), seller, key),
    ):
        assert_problem(answer, 422, "idempotency-key-reused", payer.stack.url)
    assert max_.get(place).json()["version"] == 1


def test_a_change_is_a_version_that_cools_off(payer, person):
    max_, seller = person("max"), seller_of()
    first = enter(max_, seller).json()
    assert first["usable_from"] <= first["entered_at"]
    answer = enter(person("ann"), seller, iban="NL91ABNA0417164300")
    changed = answer.json()
    assert changed["destination_id"] == first["destination_id"]
    assert (changed["version"], changed["account"]) == (2, "NL…4300")
    assert changed["usable_from"] > changed["entered_at"]
    assert [each["entered_by"] for each in changed["versions"]] == [
        "ann", "max",
    ]  # fmt: skip
    assert [each["act"] for each in changed["acts"]] == ["entered", "changed"]
    body = {"seller_account": seller, "currency": "EUR"}
    assert post(max_, "payouts", body).status_code == 409
    listed = max_.get(f"/v1/sellers/{seller}/destinations").json()
    assert [each["account"] for each in listed["destinations"]] == ["NL…4300"]
    answer = max_.get(f"/v1/sellers/{seller}/destinations?format=csv")
    assert "NL…4300" in answer.text


def test_an_account_is_closed(payer, person):
    max_, seller = person("max"), seller_of()
    made = enter(max_, seller).json()
    path = f"payout-destinations/{made['destination_id']}/close"
    payer.stack.sql(
        "UPDATE pay.payout_account SET state = 'suspect' "
        "WHERE destination_id = %s RETURNING 1",
        made["destination_id"],
    )
    conflict(payer, post(max_, path), "suspect")
    payer.stack.sql(
        "UPDATE pay.payout_account SET state = 'open' "
        "WHERE destination_id = %s RETURNING 1",
        made["destination_id"],
    )
    closed = post(max_, path, {"why": "the shop has left"}).json()
    assert (closed["state"], closed["acts"][-1]["why"]) == (
        "closed", "the shop has left",
    )  # fmt: skip
    listed = max_.get(f"/v1/sellers/{seller}/destinations").json()
    assert listed["destinations"] == []
    other = enter(max_, seller).json()
    assert other["destination_id"] != made["destination_id"]
    assert other["usable_from"] > other["entered_at"]


def test_another_merchant_has_no_part_in_it(payer, person):
    seller = seller_of()
    made = enter(person("max"), seller).json()["destination_id"]
    theirs = person("max", merchant="OTHER_")
    for answer in (
        theirs.get(f"/v1/payout-destinations/{made}"),
        post(theirs, f"payout-destinations/{made}/close"),
    ):
        assert_problem(answer, 404, "not-found", payer.stack.url)
    listed = theirs.get(f"/v1/sellers/{seller}/destinations").json()
    assert listed["destinations"] == []
    conflict(payer, enter(theirs, seller), "unfit")


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "sellers/s/destinations", "payouts:read"),
        ("POST", "sellers/s/destinations", "payouts:destinations"),
        ("GET", "payout-destinations/x", "payouts:read"),
        ("POST", "payout-destinations/x/close", "payouts:destinations"),
    ],
)
def test_each_operation_has_its_scope(payer, person, method, path, scope):
    others = set(f"{WRITES} payouts:approve payouts:send".split()) - {scope}
    answer = person("eve", " ".join(others)).request(method, f"/v1/{path}")
    assert_problem(answer, 403, "insufficient-scope", payer.stack.url)
    assert f'scope="{scope}"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"iban": "DE89370400440532013001"}, "/iban"),
        ({"iban": IBAN[:-1]}, "/iban"),
        ({"iban": None}, "/iban"),
        ({"payee": "p-7"}, "/iban"),
        ({"name": None}, "/name"),
        ({"name": "漢字"}, "/name"),
        ({"country": "FR"}, "/country"),
        ({"bic": "deutdeff"}, "/bic"),
        ({"iban": None, "payee": "p 7", "country": "DE"}, "/payee"),
        ({"iban": None, "email": "nobody", "country": "DE"}, "/email"),
        ({"provider": "Bank"}, "/provider"),
        ({"why": " "}, "/why"),
        ({"number": "1"}, "/number"),
    ],
)
def test_what_cannot_be_an_account_is_refused(payer, person, changes, pointer):
    answer = enter(person("max"), "seller-1", **changes)
    assert_problem(answer, 422, "validation-error", payer.stack.url)
    assert pointer in {each["pointer"] for each in answer.json()["errors"]}


def test_what_is_not_fit_is_refused(payer, person):
    max_ = person("max")
    conflict(payer, enter(max_, "seller-1", currency="USD"), "unfit")
    conflict(payer, enter(max_, "seller-1", provider="other"), "unfit")
    answer = enter(max_, "seller-1", name="4111 1111 1111 1111")
    assert_problem(answer, 422, "card-data-not-accepted", payer.stack.url)
    assert_problem(enter(max_, "a%20b"), 404, "not-found", payer.stack.url)


def test_the_number_is_nowhere_in_clear(payer, person):
    number = "NL20INGB0001234567"
    seller = seller_of()
    answer = enter(person("max"), seller, iban=number, name="Canary Bird")
    assert answer.status_code == 201, answer.text
    said = (
        answer.text
        + person("max").get(f"/v1/sellers/{seller}/destinations").text
    )
    dump = subprocess.run(
        ["pg_dump", "--data-only", payer.stack.values["PG_ADMIN_DSN"]],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert seller in dump
    logs = payer.stack.gateway.error_log.read_text(errors="replace")
    for place in (said, dump, logs):
        for secret in (
            number,
            number[4:],
            "Canary Bird",
            number.encode().hex(),
        ):
            assert secret not in place
