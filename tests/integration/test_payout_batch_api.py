"""Batches of pay-outs by the API: one operator makes them, others approve and
send them, and nobody approves that person's own work."""

import csv
import io
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.client import Api, fresh_key
from support.documented import document
from support.problems import assert_problem
from test_payout_api import (  # noqa: F401
    operate,
    pay,
    post,
    release,
    seller_of,
)

BATCH = {"provider": "bank", "currency": "USD"}
ALL = "payouts:read payouts:create payouts:approve payouts:send"


# make up needs one approver; here two are needed
TWO = """SELECT pay_ops.set_payout_limit(%(merchant)s, 'USD', 0, 2000000,
    'sue', 'test')"""


@pytest.fixture(autouse=True, scope="module")
def two_approvers(operate):  # noqa: F811
    assert operate(TWO) == [("stored",)]


@pytest.fixture
def person(gateway, tls, mint):
    """person(name) → the API as that person."""
    made = []

    def client(name, scope=ALL):
        made.append(Api(gateway.url, tls, mint(sub=name, scope=scope)))
        return made[-1]

    yield client
    for each in made:
        each.close()


@pytest.fixture
def batch(person, seller_of):  # noqa: F811
    """batch(*amounts) → a batch of max's items, as max got it."""

    def make(*amounts):
        max_ = person("max")
        for amount in amounts:
            seller, orders = seller_of(amount)
            release(max_, *orders)
            assert pay(max_, seller).status_code == 201
        answer = post(max_, "payout-batches", BATCH)
        assert answer.status_code == 201, answer.text
        return answer.json()

    return make


def act(client, made, word, key=None, **body):
    path = f"payout-batches/{made['batch_id']}/{word}"
    return post(client, path, body or None, key)


def approve(client, made, key=None):
    return act(client, made, "approve", key, hash=made["hash"])


def test_a_batch_is_approved_by_two_others(person, batch, gateway):
    made = batch("10.00", "20.00")
    assert (made["state"], made["approvals_missing"]) == ("open", 2)
    assert made["item_count"] == len(made["items"]) >= 2
    for name, word in (("max", "maker:"), ("sue", "entered:")):
        answer = approve(person(name), made)
        assert_problem(answer, 409, "payout-state-conflict", gateway.url)
        assert answer.json()["detail"].startswith(word)
    eve, ann, key = person("eve"), person("ann"), fresh_key()
    answer = act(eve, made, "approve", hash="0" * 64)
    assert answer.json()["detail"].startswith("other_hash:")
    answer = act(eve, made, "send")
    assert answer.json()["detail"].startswith("not_approved:")
    for replayed in (None, "true"):
        answer = approve(eve, made, key)
        assert answer.status_code == 200, answer.text
        assert answer.headers.get("Idempotent-Replayed") == replayed
        assert answer.json()["approvals_missing"] == 1
    assert approve(eve, made).json()["detail"].startswith("again:")
    # the key of another person's approval is not taken for one's own
    answer = approve(ann, made, key)
    assert_problem(answer, 422, "idempotency-key-reused", gateway.url)
    done = approve(ann, made).json()
    assert (done["state"], done["approvals_missing"]) == ("approved", 0)
    assert [each["approver"] for each in done["approvals"]] == ["eve", "ann"]
    assert {each["state"] for each in done["items"]} == {"approved"}
    assert approve(person("joe"), made).json()["detail"].startswith("closed:")
    sent = act(eve, made, "send")
    assert sent.status_code == 200
    assert sent.json()["send_at"] == done["send_at"] is not None


def test_a_batch_waits_to_be_sent_where_the_policy_says_so(
    person,
    batch,
    operate,  # noqa: F811
    query,
):
    policy = (
        "SELECT pay_ops.set_payout_policy('acme', 'sue', 'test', "
        "p_sends_by => %(by)s)"
    )
    operate(policy, by="act")
    try:
        made = batch("5.00")
        approve(person("eve"), made)
        approved = approve(person("ann"), made).json()
        assert (approved["state"], approved["send_at"]) == ("approved", None)
        sent = act(person("joe"), made, "send").json()
        assert sent["send_at"] is not None
        assert ("sent", "joe") in [
            (each["act"], each["who"]) for each in sent["acts"]
        ]
    finally:
        operate(policy, by="approval")


def test_approvals_and_sends_at_once_count_once(person, batch, query):
    """Twelve requests of three persons race: two approvals are counted, and
    one send."""
    made = batch("4.00")
    names = ("eve", "ann", "joe")
    clients = [person(name) for name in names for _ in range(4)]
    with ThreadPoolExecutor(len(clients)) as pool:
        answers = list(pool.map(lambda each: approve(each, made), clients))
        done = [each for each in answers if each.status_code == 200]
        assert len(done) == 2
        assert {
            each.json()["detail"].split(":")[0]
            for each in answers
            if each not in done
        } <= {"again", "closed"}
        sent = list(pool.map(lambda each: act(each, made, "send"), clients))
    assert {each.status_code for each in sent} == {200}
    assert len({each.json()["send_at"] for each in sent}) == 1
    ((approvals, persons),) = query(
        "SELECT count(*), count(DISTINCT approver) FROM pay.payout_approval "
        "WHERE batch_id = %s",
        made["batch_id"],
    )
    assert (approvals, persons) == (2, 2)


def test_an_approver_sees_an_account_that_stops_an_item(person, batch, operate):  # noqa: F811
    item = batch("9.00")["items"][-1]
    assert (item["account"], item["account_state"]) == ("DE…3000", "open")
    operate(
        "UPDATE pay.payout_account a SET state = 'suspect' FROM pay.payout p "
        "WHERE p.payout_id = %(id)s AND a.merchant_id = p.merchant_id "
        "AND a.destination_id = p.destination_id RETURNING 1",
        id=item["payout_id"],
    )
    eve = person("eve")
    found = eve.get(f"/v1/payouts/{item['payout_id']}").json()
    found = eve.get(f"/v1/payout-batches/{found['batch_id']}").json()
    assert {
        each["payout_id"]: each["account_state"] for each in found["items"]
    }[item["payout_id"]] == "suspect"


def test_an_item_that_is_held_changes_the_batch(person, batch, operate):  # noqa: F811
    made = batch("6.00")
    hold = "SELECT pay_ops.hold_payout('acme', %(id)s, %(on)s, 'sue', 'test')"
    item = made["items"][-1]["payout_id"]
    operate(hold, id=item, on=True)
    answer = approve(person("eve"), made)
    assert answer.json()["detail"].startswith("changed:")
    operate(hold, id=item, on=False)
    assert approve(person("eve"), made).status_code == 200


def test_an_approval_ends(person, batch, operate):  # noqa: F811
    made = batch("7.00")
    for name in ("eve", "ann"):
        assert approve(person(name), made).status_code == 200
    operate(
        "UPDATE pay.payout_batch SET until = now() WHERE batch_id = %(id)s "
        "RETURNING 1",
        id=made["batch_id"],
    )
    found = person("eve").get(f"/v1/payout-batches/{made['batch_id']}").json()
    assert found["state"] == "expired"
    answer = act(person("eve"), made, "send")
    assert answer.json()["detail"].startswith("closed:")


def test_a_batch_is_withdrawn_until_it_is_sent(person, batch):
    made, max_ = batch("8.00"), person("max")
    assert approve(person("eve"), made).status_code == 200
    key = fresh_key()
    for replayed in (None, "true"):
        answer = act(max_, made, "withdraw", key, why="typing mistake")
        assert answer.status_code == 200, answer.text
        assert answer.headers.get("Idempotent-Replayed") == replayed
        told = answer.json()
        assert told["state"] == "withdrawn"
        assert {each["state"] for each in told["items"]} == {"ready"}
        (said,) = [a for a in told["acts"] if a["act"] == "withdrawn"]
        assert (said["who"], said["why"]) == ("max", "typing mistake")
    for client, word in ((person("ann"), "approve"), (max_, "withdraw")):
        body = {"hash": made["hash"]} if word == "approve" else {}
        answer = act(client, made, word, **body)
        assert answer.status_code == 409, answer.text
        assert answer.json()["detail"].startswith("closed:")
    again = post(max_, "payout-batches", BATCH).json()
    assert [each["payout_id"] for each in again["items"]] == [
        each["payout_id"] for each in made["items"]
    ]
    # an approved one, too, until it is sent; a reason is not needed
    for name in ("eve", "ann"):
        assert approve(person(name), again).status_code == 200
    answer = act(max_, again, "withdraw")
    assert answer.json()["state"] == "withdrawn", answer.text


def test_batches_are_listed_and_exported(person, batch):
    first, second = batch("1.00"), batch("2.00")
    eve = person("eve", "payouts:read")
    page = eve.get("/v1/payout-batches?state=open&limit=1").json()
    assert [each["batch_id"] for each in page["batches"]] == [
        second["batch_id"]
    ]
    page = eve.get(
        f"/v1/payout-batches?state=open&limit=1&before={page['next']}"
    ).json()
    assert [each["batch_id"] for each in page["batches"]] == [first["batch_id"]]
    described = document()
    schemas = described["components"]["schemas"]
    for found, name in (
        (page["batches"][0], "PayoutBatch"), (first, "PayoutBatchWhole"),
        (first["items"][0], "PayoutBatchItem"),
    ):  # fmt: skip
        wanted = schemas[name]
        assert list(found) == wanted["required"] == list(wanted["properties"])
    answer = eve.get("/v1/payout-batches?format=csv")
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert list(rows[0]) == list(page["batches"][0])
    path = f"/v1/payout-batches/{first['batch_id']}"
    answer = eve.get(f"{path}?format=csv")
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [row["payout_id"] for row in rows] == [
        item["payout_id"] for item in first["items"]
    ]


def test_another_merchant_has_no_part_in_it(batch, gateway, tls, other_mint):
    made = batch("3.00")
    theirs = Api(gateway.url, tls, other_mint(sub="eve"))
    for answer in (
        theirs.get(f"/v1/payout-batches/{made['batch_id']}"),
        approve(theirs, made),
        act(theirs, made, "send"),
    ):
        assert_problem(answer, 404, "not-found", gateway.url)
    assert theirs.get("/v1/payout-batches").json()["batches"] == []
    theirs.close()


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "", "payouts:read"),
        ("GET", "/x", "payouts:read"),
        ("POST", "", "payouts:create"),
        ("POST", "/x/approve", "payouts:approve"),
        ("POST", "/x/send", "payouts:send"),
        ("POST", "/x/withdraw", "payouts:create"),
    ],
)
def test_each_operation_has_its_scope(person, gateway, method, path, scope):
    others = " ".join(set(ALL.split()) - {scope})
    answer = person("eve", others).request(method, f"/v1/payout-batches{path}")
    assert_problem(answer, 403, "insufficient-scope", gateway.url)
    assert f'scope="{scope}"' in answer.headers["www-authenticate"]


def test_a_wrong_request_is_refused(person, gateway):
    eve, path = person("eve"), "payout-batches"
    for answer, status, slug in (
        (post(eve, path), 415, "unsupported-media-type"),
        (post(eve, path, {}), 422, "validation-error"),
        (post(eve, path, BATCH | {"provider": "A"}), 422, "validation-error"),
        (post(eve, path, BATCH | {"provider": "-a"}), 422,
         "validation-error"),
        (post(eve, path, BATCH | {"currency": "XXY"}), 422,
         "currency-unsupported"),
        (post(eve, path, BATCH | {"limit": 0}), 422, "validation-error"),
        (post(eve, path, BATCH | {"limit": 1001}), 422, "validation-error"),
        (post(eve, path, BATCH | {"limit": "5"}), 422, "validation-error"),
        (post(eve, path, BATCH | {"items": []}), 422, "validation-error"),
        (post(eve, path, BATCH | {"provider": "none"}), 409,
         "payout-state-conflict"),
        (post(eve, f"{path}/x/approve"), 400, "invalid-json"),
        (post(eve, f"{path}/x/approve", {"hash": "0" * 63}), 422,
         "validation-error"),
        (post(eve, f"{path}/x/approve", {"hash": "G" * 64}), 422,
         "validation-error"),
        (post(eve, f"{path}/x/approve", {"hash": "0" * 64}), 404,
         "not-found"),
        (post(eve, f"{path}/x/send"), 404, "not-found"),
        (post(eve, f"{path}/x/send", {"now": True}), 422,
         "validation-error"),
        (eve.get(f"/v1/{path}?state=ready"), 422, "validation-error"),
        (eve.get(f"/v1/{path}?seller_account=s"), 422, "validation-error"),
        (eve.get(f"/v1/{path}/x"), 404, "not-found"),
    ):  # fmt: skip
        assert_problem(answer, status, slug, gateway.url)


def test_maker_and_checker_of_the_demo_are_two(gateway, tls, seller_of):  # noqa: F811
    maker, checker = (
        Api(gateway.url, tls, gateway.env[f"PAYOUT_{name}_JWT"])
        for name in ("MAKER", "CHECKER")
    )
    seller, orders = seller_of("8.00")
    release(maker, *orders)
    assert pay(maker, seller).status_code == 201
    made = post(maker, "payout-batches", BATCH).json()
    assert approve(maker, made).status_code == 403
    assert post(checker, "payout-batches", BATCH).status_code == 403
    assert approve(checker, made).status_code == 200
    maker.close()
    checker.close()
