"""Pay-outs by the API: orders are released, items are made once for each key,
and each refusal says why.  A merchant reads its own items only."""

import csv
import io
import os
import subprocess
import uuid

import pytest
from support.client import Api, fresh_key
from support.documented import document
from support.problems import assert_problem
from support.tokens import ABSENT
from support.waiting import wait_for

IBAN = "DE89370400440532013000"
NOBODY = "00000000-0000-4000-8000-000000000000"
SETTINGS = """
SELECT pay_ops.set_payout_provider(%(merchant)s, 'bank', 'generic', '{iban}',
    '{USD,EUR}', NULL, 'sue', 'test'),
    pay_ops.set_payout_policy(%(merchant)s, 'sue', 'test', 'delivered')"""
ACCOUNT = """
SELECT outcome FROM pay_ops.store_destination(%(merchant)s, %(seller)s,
    %(currency)s, 'bank', 'iban', 'DE', %(number)s, 'opaque', 'k1',
    'sue', 'test')"""


@pytest.fixture(scope="module")
def operate(gateway):
    """operate(sql, **values) → the rows, as an operator."""
    import psycopg2

    connection = psycopg2.connect(gateway.env["PG_ADMIN_DSN"])
    connection.autocommit = True

    def run(sql, **values):
        with connection.cursor() as cursor:
            cursor.execute(sql, {"merchant": "acme"} | values)
            return cursor.fetchall()

    run(SETTINGS)
    yield run
    connection.close()


@pytest.fixture
def person(gateway, tls, mint):
    """person(name) → the API as that person, with scopes of pay-outs."""
    made = []

    def client(name, scope="payouts:read payouts:create"):
        made.append(Api(gateway.url, tls, mint(sub=name, scope=scope)))
        return made[-1]

    yield client
    for each in made:
        each.close()


@pytest.fixture(scope="module")
def seller_of(api, mock, checkout, operate, query):
    """seller_of(*amounts) → a seller with an account, and its paid orders."""

    def sell(*amounts, account=True):
        seller = f"seller/{uuid.uuid4().hex[:12]}"
        body = checkout(orders=len(amounts))
        for order, amount in zip(body["payment_orders"], amounts, strict=True):
            order |= {"amount": amount, "seller_account": seller}
        answer = api.create(body)
        assert answer.status_code == 201, answer.text
        ((token,),) = query(
            "SELECT token FROM pay.registration WHERE checkout_id = %s",
            body["checkout_id"],
        )
        mock.pay(token)
        orders = [each["payment_order_id"] for each in body["payment_orders"]]
        wait_for(
            lambda: (
                api.get(f"/v1/payments/{orders[-1]}").json()["status"]
                == "SUCCESS"
            ),
            what="the order to be paid",
        )
        if account:
            operate(ACCOUNT, seller=seller, currency="USD", number=IBAN)
        return seller, orders

    return sell


def post(client, path, body=None, key=None, **headers):
    headers["Idempotency-Key"] = key or fresh_key()
    how = {} if body is None else {"json": body}
    return client.post(f"/v1/{path}", headers=headers, **how)


def release(client, *orders):
    for order in orders:
        answer = post(client, f"payments/{order}/release")
        assert answer.status_code == 200, answer.text
        assert answer.json()["released_at"] is not None


def pay(client, seller, key=None, currency="USD"):
    body = {"seller_account": seller, "currency": currency}
    return post(client, "payouts", body, key)


def test_a_delivered_order_is_paid_out_once(person, seller_of, query, gateway):
    max_, (seller, orders) = person("max"), seller_of("10.00", "5.50")
    refused = pay(max_, seller)
    assert_problem(refused, 409, "payout-state-conflict", gateway.url)
    assert refused.json()["detail"].startswith("nothing:")
    release(max_, *orders)
    key = fresh_key()
    answer = pay(max_, seller, key)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["state"], made["amount"]) == ("ready", "15.50")
    assert (made["currency"], made["left"]) == ("USD", "0.00")
    assert (made["made_by"], made["account"]) == ("max", "DE…3000")
    place = f"/v1/payouts/{made['payout_id']}"
    assert answer.headers["Location"].endswith(place)
    assert "Idempotent-Replayed" not in answer.headers
    again = pay(max_, seller, key)
    assert again.status_code == 201
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == made == max_.get(place).json()
    assert [act["act"] for act in made["acts"]] == ["made"]
    assert pay(max_, seller).status_code == 409
    ((count,),) = query(
        "SELECT count(*) FROM pay.payout WHERE seller_account = %s", seller
    )
    assert count == 1


def test_a_release_has_an_operator_and_a_reason(person, seller_of, query):
    ann, (_, (order,)) = person("ann"), seller_of("1.00")
    key = fresh_key()
    for replayed in (None, "true"):
        answer = post(ann, f"payments/{order}/release", {"why": "parcel 7"},
                      key)  # fmt: skip
        assert answer.status_code == 200, answer.text
        assert answer.headers.get("Idempotent-Replayed") == replayed
        assert answer.json()["payment_order_id"] == order
    assert query(
        "SELECT act, who, why FROM pay.payout_act WHERE subject = 'order' "
        "AND subject_id = %s",
        order,
    ) == [("released", "ann", "parcel 7")]


def test_a_key_is_of_one_request(person, seller_of, gateway):
    max_, (seller, orders) = person("max"), seller_of("2.00", "3.00")
    key = fresh_key()
    assert post(max_, f"payments/{orders[0]}/release", key=key).is_success
    for answer in (
        post(max_, f"payments/{orders[1]}/release", key=key),
        post(max_, f"payments/{orders[0]}/release", {"why": "x"}, key),
    ):
        assert_problem(answer, 422, "idempotency-key-reused", gateway.url)
    assert pay(max_, seller, key).status_code == 201
    answer = pay(max_, seller, key, "EUR")
    assert_problem(answer, 422, "idempotency-key-reused", gateway.url)


def test_each_thing_that_stops_an_item_is_named(
    person, seller_of, operate, gateway
):
    max_, (seller, orders) = person("max"), seller_of("4.00", account=False)
    release(max_, *orders)
    key = fresh_key()

    def stopped(word):
        answer = pay(max_, seller, key)
        assert_problem(answer, 409, "payout-state-conflict", gateway.url)
        assert answer.json()["detail"].startswith(f"{word}:")

    stopped("no_destination")
    for currency in ("EUR", "USD"):
        operate(ACCOUNT, seller=seller, currency=currency, number=IBAN)
    stopped("cooling_off")
    hold = "SELECT pay_ops.hold_payouts('acme', %(seller)s, NULL, %(on)s, "
    operate(hold + "'sue', 'test')", seller=seller, on=True)
    stopped("hold")
    operate(hold + "'sue', 'test')", seller=seller, on=False)
    for state in ("suspect", "blocked"):
        operate(
            "UPDATE pay.payout_account SET state = %(state)s "
            "WHERE seller_account = %(seller)s RETURNING 1",
            seller=seller, state=state,
        )  # fmt: skip
        stopped(state)


def test_an_amount_below_the_minimum_carries_over(person, seller_of, operate):
    max_, (seller, orders) = person("max"), seller_of("4.00", "6.00")
    least = "SELECT pay_ops.set_payout_minimum('acme', 'USD', %(least)s, "
    operate(least + "'sue', 'test')", least=700)
    try:
        release(max_, orders[0])
        assert pay(max_, seller).json()["detail"].startswith("minimum:")
        release(max_, orders[1])
        assert pay(max_, seller).json()["amount"] == "10.00"
    finally:
        operate(least + "'sue', 'test')", least=1)


@pytest.fixture(scope="module")
def listed(gateway, tls, mint, seller_of):
    """A client, a seller and the ids of three items, the newest first."""
    client = Api(gateway.url, tls, mint(sub="max"))
    seller, orders = seller_of("1.00", "2.00", "3.00")
    made = []
    for order in orders:
        release(client, order)
        made.insert(0, pay(client, seller).json()["payout_id"])
    yield client, seller, made
    client.close()


def all_of(client, **query):
    """Every item, page by page."""
    seen, query = [], query | {"limit": 2}
    while True:
        words = "&".join(f"{name}={value}" for name, value in query.items())
        answer = client.get(f"/v1/payouts?{words}")
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["payouts"]) <= 2
        seen += page["payouts"]
        if page["next"] is None:
            return seen
        query["before"] = page["next"]


@pytest.mark.parametrize(
    "more",
    [{}, {"state": "ready"}, {"currency": "USD"}, {"provider": "bank"}],
)
def test_items_come_page_by_page_each_once(listed, more):
    client, seller, made = listed
    seller = seller.replace("/", "%2F")
    found = all_of(client, seller_account=seller, **more)
    assert [each["payout_id"] for each in found] == made
    assert [each["amount"] for each in found] == ["3.00", "2.00", "1.00"]
    everything = [each["payout_id"] for each in all_of(client)]
    assert everything[:3] == made
    assert len(everything) == len(set(everything))
    assert all_of(client, seller_account=seller, state="paid") == []
    assert all_of(client, seller_account=seller, day="2020-01-01") == []


def test_an_export_has_all_that_is_selected(listed):
    client, seller, made = listed
    for path, wanted in (
        (f"/v1/payouts?seller_account={seller}&provider=bank", made),
        (f"/v1/payouts/{made[1]}", [made[1]]),
    ):
        answer = client.get(path, headers={"Accept": "text/csv"})
        assert answer.status_code == 200, answer.text
        rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
        assert [row["payout_id"] for row in rows] == wanted
        item = client.get(f"/v1/payouts/{made[1]}").json()
        assert list(rows[0]) == [key for key in item if key != "acts"]
        assert {row["currency"] for row in rows} == {"USD"}


def test_members_are_the_documented_ones(listed):
    client, seller, made = listed
    described = document()
    schemas = described["components"]["schemas"]
    (item, *_) = all_of(client, seller_account=seller)
    one = client.get(f"/v1/payouts/{made[0]}").json()
    order = client.get(f"/v1/payouts/{made[0]}").json()["acts"][0]
    for found, name in (
        (item, "Payout"), (one, "PayoutWithActs"), (order, "PayoutAct"),
    ):  # fmt: skip
        wanted = schemas[name]
        assert list(found) == wanted["required"] == list(wanted["properties"])


def test_another_merchant_sees_nothing_of_it(
    listed, gateway, tls, other_mint, seller_of
):
    _, seller, made = listed
    _, (order,) = seller_of("1.00")
    theirs = Api(gateway.url, tls, other_mint(sub="max"))
    for answer in (
        theirs.get(f"/v1/payouts/{made[0]}"),
        post(theirs, f"payments/{order}/release"),
    ):
        assert_problem(answer, 404, "not-found", gateway.url)
    assert all_of(theirs, seller_account=seller) == []
    answer = pay(theirs, seller)
    assert_problem(answer, 409, "payout-state-conflict", gateway.url)
    theirs.close()


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "payouts", "payouts:read"),
        ("GET", f"payouts/{NOBODY}", "payouts:read"),
        ("POST", "payouts", "payouts:create"),
        ("POST", "payments/x/release", "payouts:create"),
    ],
)
def test_each_operation_has_its_scope(person, gateway, method, path, scope):
    scopes = {f"payouts:{each}" for each in
              ("read", "create", "approve", "send")}  # fmt: skip
    others = " ".join(scopes - {scope})
    client = person("max", f"payments:write payments:read {others}")
    answer = client.request(method, f"/v1/{path}")
    assert_problem(answer, 403, "insufficient-scope", gateway.url)
    assert f'scope="{scope}"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("body", "status", "slug", "pointer"),
    [
        (b"", 400, "invalid-json", None),
        (b"[]", 422, "validation-error", None),
        (b'{"seller_account":"s"}', 422, "currency-unsupported", "/currency"),
        (b'{"currency":"USD"}', 422, "validation-error", "/seller_account"),
        (b'{"seller_account":"s","currency":"usd"}', 422,
         "currency-unsupported", "/currency"),
        (b'{"seller_account":7,"currency":"USD"}', 422, "validation-error",
         "/seller_account"),
        (b'{"seller_account":"a b","currency":"USD"}', 422,
         "validation-error", "/seller_account"),
        (b'{"seller_account":"' + b"s" * 65 + b'","currency":"USD"}', 422,
         "validation-error", "/seller_account"),
        (b'{"seller_account":"s\\u0000","currency":"USD"}', 400,
         "invalid-json", None),
        (b'{"seller_account":"s","currency":"USD","amount":"1.00"}', 422,
         "validation-error", "/amount"),
        (b'{"seller_account":"s","seller_account":"t","currency":"USD"}', 400,
         "duplicate-member", None),
        (b'{"seller_account":"4111111111111111","currency":"USD"}', 422,
         "card-data-not-accepted", None),
        (b'{"seller_account":"s","currency":"USD"', 400, "invalid-json",
         None),
        (b'{"seller_account":"' + b"s" * 70000 + b'"}', 413,
         "content-too-large", None),
    ],
    ids=range(14),
)  # fmt: skip
def test_a_wrong_body_is_refused(person, gateway, body, status, slug, pointer):
    answer = person("max").post(
        "/v1/payouts", content=body,
        headers={"Content-Type": "application/json",
                 "Idempotency-Key": fresh_key()},
    )  # fmt: skip
    assert_problem(answer, status, slug, gateway.url)
    if pointer is not None:
        told = [each["pointer"] for each in answer.json()["errors"]]
        assert told == [pointer]


def test_a_wrong_request_is_refused(person, gateway):
    max_, body = person("max"), {"seller_account": "s", "currency": "USD"}
    for answer, status, slug in (
        (max_.post("/v1/payouts", json=body), 400, "idempotency-key-missing"),
        (max_.post("/v1/payments/x/release"), 400, "idempotency-key-missing"),
        (post(max_, "payouts", body, "short"), 400, "idempotency-key-invalid"),
        (post(person(ABSENT), "payouts", body), 422, "validation-error"),
        (post(max_, "payments/none/release"), 404, "not-found"),
        (post(max_, "payments/a:b/release"), 404, "not-found"),
        (post(max_, f"payments/{'x' * 65}/release"), 404, "not-found"),
        (post(max_, "payments/x/release", {"why": " "}), 422,
         "validation-error"),
        (post(max_, "payments/x/release", {"why": "a\nb"}), 422,
         "validation-error"),
        (post(max_, "payments/x/release", {"why": "x" * 201}), 422,
         "validation-error"),
        (max_.get("/v1/payouts/none"), 404, "not-found"),
        (max_.get("/v1/payouts/a%20b"), 404, "not-found"),
        (max_.get("/v1/payouts?state=open"), 422, "validation-error"),
        (max_.get("/v1/payouts?seller_account=a%00b"), 422,
         "validation-error"),
        (max_.get("/v1/payouts?psp=x"), 422, "validation-error"),
        (max_.get("/v1/payouts?format=csv&limit=2"), 422, "validation-error"),
        (max_.request("DELETE", "/v1/payouts"), 405, "method-not-allowed"),
    ):  # fmt: skip
        assert_problem(answer, status, slug, gateway.url)


def test_two_requests_at_once_make_one_item(
    gateway, tls, mint, seller_of, query
):
    """With one key both get the item; with two one of them gets nothing."""
    from concurrent.futures import ThreadPoolExecutor

    clients = [Api(gateway.url, tls, mint(sub="max")) for _ in range(8)]
    for keys, wanted in (([fresh_key()] * 8, [201] * 8),
                         ([fresh_key() for _ in range(8)],
                          [201] + [409] * 7)):  # fmt: skip
        seller, orders = seller_of("7.00")
        release(clients[0], *orders)
        with ThreadPoolExecutor(8) as pool:
            answers = list(
                pool.map(lambda c, k: pay(c, seller, k), clients, keys)  # noqa: B023
            )
        assert sorted(each.status_code for each in answers) == wanted
        made = {each.json().get("payout_id") for each in answers} - {None}
        assert len(made) == 1
        assert query(
            "SELECT count(*) FROM pay.payout WHERE seller_account = %s",
            seller,
        ) == [(1,)]
    for client in clients:
        client.close()


def test_the_books_agree(gateway, listed):
    done = subprocess.run(
        [gateway.env["PAYCTL"], "check"],
        env=os.environ | {"PAYCTL_DSN": gateway.env["PG_ADMIN_DSN"]},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
