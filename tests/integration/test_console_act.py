"""Acts of staff over HTTPS: the matrix of act, role and merchant, requests from
other sites, old log-ins, double clicks, two persons for money, the rows of who
did it, and the signed proof (docs/console.md#acts)."""

import json
import subprocess
import time
import uuid

import jsonschema
import pytest
import yaml
from support.console import ABSENT, ROLES, Staff
from support.documented import LOADER
from support.gateway import ROOT
from support.problems import assert_problem

MONEY = {"amount": "1.00", "currency": "EUR"}


@pytest.fixture(scope="module")
def staff(gateway, tls):
    made = Staff(gateway, tls)
    yield made
    made.api.close()


@pytest.fixture(scope="module")
def rights(query):
    """{(act, step): roles}, as PostgreSQL has it."""
    found = {}
    for act, step, role in query(
        "SELECT act, step, role FROM pay.console_act_right"
    ):
        found.setdefault((act, step), set()).add(role)
    return found


@pytest.fixture(scope="module")
def document():
    text = (ROOT / "docs/console-openapi.yaml").read_text(encoding="utf-8")
    return yaml.load(text, Loader=LOADER)


@pytest.fixture
def paid(api, checkout, mock, wait_for):
    """Makes a paid order of 12.00 EUR, and gives its id."""

    def make():
        orders = [checkout.order(amount="12.00", currency="EUR")]
        body = checkout(psp="generic", payment_orders=orders)
        answer = api.create(body)
        assert answer.status_code == 201, answer.text
        (order,) = answer.json()["payment_orders"]
        order_id = order["payment_order_id"]
        (entry,) = mock.books(nonce=order_id)["registrations"]
        mock.pay(entry["token"])
        wait_for(
            lambda: (
                api.get(f"/v1/payments/{order_id}").json()["status"]
                == "SUCCESS"
            )
        )
        return order_id

    return make


@pytest.fixture(scope="module")
def endpoint(api):
    answer = api.post(
        "/v1/webhook-endpoints",
        json={"url": "https://shop.example.com/console-act"},
        headers={"Idempotency-Key": str(uuid.uuid4())},
    )
    assert answer.status_code == 201, answer.text
    return answer.json()["endpoint_id"]


def rows(query, **where):
    names = " AND ".join(f"{name} = %s" for name in where)
    return query(
        "SELECT who, act, result, reason FROM pay.console_act WHERE "
        f"{names} ORDER BY seq",
        *where.values(),
    )


def test_each_act_needs_its_role_and_its_merchant(
    staff, rights, gateway, endpoint, paid
):
    order = paid()
    merchant = {"merchant": gateway.merchant}
    bodies = {
        ("requeue", "act"): {"object": "999999999"},
        ("disable", "act"): {"object": endpoint},
        ("enable", "act"): {"object": endpoint},
        ("refund", "propose"): {"object": order, **merchant, **MONEY},
        ("settle", "propose"): {
            "object": str(uuid.uuid4()), **merchant, "outcome": "done",
        },
        ("proof", "act"): {"object": order, **merchant},
    }  # fmt: skip
    assert set(rights) == {*bodies, ("refund", "approve"),
                           ("settle", "approve")}  # fmt: skip
    for (act, step), body in bodies.items():
        may = rights[act, step]
        for role in ROLES:
            old = int(time.time()) - 900
            answer = staff.act(act, role, body=body, auth_time=old)
            if role not in may:
                found = assert_problem(answer, 403, "forbidden", gateway.url)
                assert set(
                    found["detail"].split("role ")[1].split(", ")
                ) == may, (act, role)  # fmt: skip
            elif act in ("settle", "requeue"):  # there is no such thing
                assert_problem(answer, 404, "not-found", gateway.url)
            elif act == "proof":  # changes nothing: an old log-in will do
                assert answer.status_code == 200, answer.text
            else:
                assert_problem(answer, 403, "login-too-old", gateway.url)
            if role in may:
                answer = staff.act(
                    act, role, body=body, merchants=[gateway.other_merchant]
                )
                assert_problem(answer, 404, "not-found", gateway.url)


def test_a_log_in_must_be_fresh_and_stated(staff, gateway, endpoint, query):
    now = int(time.time())
    body = {"object": endpoint}
    for auth_time, words in (
        (ABSENT, "auth_time"),
        (now - 301, "five minutes"),
        (now + 3600, "auth_time"),
    ):
        answer = staff.act(
            "disable", "operations", body=body, auth_time=auth_time
        )
        found = assert_problem(answer, 403, "login-too-old", gateway.url)
        assert words in found["detail"]
    kept = rows(query, object=endpoint, result="stale")
    assert kept[-1] == ("operations@example.com", "disable", "stale", "a test")


def test_a_double_click_acts_once(staff, gateway, endpoint, query):
    request = str(uuid.uuid4())
    body = {"object": endpoint, "request": request}
    answers = [staff.act("disable", "operations", body=body) for _ in range(2)]
    assert [each.status_code for each in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["result"] == "disabled"
    assert len(query(
        "SELECT FROM pay.console_act WHERE request = %s", request
    )) == 1  # fmt: skip
    other = staff.act("enable", "operations", body=body)
    assert_problem(other, 422, "idempotency-key-reused", gateway.url)
    # another person's request of the same id is another one
    answer = staff.act("enable", "admin", body=body)
    assert answer.status_code == 200, answer.text


def test_money_moves_by_two_persons_and_once(
    staff, gateway, paid, api, mock, query, wait_for
):
    order = paid()
    body = {"object": order, "merchant": gateway.merchant, **MONEY}
    answer = staff.act("refund", "support", body=body, sub="ann@example.com")
    assert answer.status_code == 200, answer.text
    proposed = answer.json()
    assert proposed["result"] == "waiting"
    number = {"object": str(proposed["proposal_id"])}
    own = staff.act(
        "approve", "support", "finance-approver", body=number,
        sub="ann@example.com",
    )  # fmt: skip
    assert_problem(own, 403, "second-person-needed", gateway.url)
    (waits,) = [
        each
        for each in staff.rows("approvals", "finance-approver")
        if each["proposal_id"] == proposed["proposal_id"]
    ]
    assert waits["amount"] == "1.00"
    assert waits["proposed_by"] == "ann@example.com"
    approval = {**number, "request": str(uuid.uuid4())}
    answers = [
        staff.act("approve", "finance-approver", body=approval)
        for _ in range(2)
    ]
    assert [each.status_code for each in answers] == [200, 200]
    change = answers[0].json()["change_id"]
    again = staff.act("approve", "finance-approver", body=number)
    assert_problem(again, 409, "act-not-possible", gateway.url)

    def refunded():
        found = api.get(f"/v1/payments/{order}/refunds").json()["refunds"]
        return [
            (each["refund_id"], each["amount"], each["status"])
            for each in found
        ] == [(change, "1.00", "SUCCESS")]

    wait_for(refunded)
    page = staff.read("payment", "auditor", query={"order": order})
    assert [
        (each["act"], each["who"], each["result"]) for each in page["acts"]
    ] == [
        ("refund", "ann@example.com", "done"),
        ("approve", "ann@example.com", "own"),
        ("approve", "finance-approver@example.com", "done"),
        ("approve", "finance-approver@example.com", "unchanged"),
    ]
    assert page["proposals"] == []


def test_a_refund_above_a_limit_is_refused(staff, gateway, api, checkout, paid):
    order = paid()
    body = {"object": order, "merchant": gateway.merchant, **MONEY}
    for change, status, slug in (
        ({"amount": "100.01"}, 409, "act-not-possible"),  # more than is left
        ({"amount": "1.001"}, 422, "validation-error"),
        ({"amount": "0.00"}, 422, "validation-error"),
        ({"currency": "USD"}, 422, "validation-error"),
    ):
        answer = staff.act("refund", "support", body={**body, **change})
        assert_problem(answer, status, slug, gateway.url)
    big = {**body, "amount": "12.00"}
    # a person may have 250.00 waiting: twenty times 12.00, and no more
    sub = f"{uuid.uuid4().hex[:8]}@example.com"
    made = []
    while len(made) < 30:
        answer = staff.act("refund", "support", body=big, sub=sub)
        if answer.status_code != 200:
            break
        made.append(answer.json()["proposal_id"])
    found = assert_problem(answer, 403, "limit-exceeded", gateway.url)
    assert "250.00 EUR a day" in found["detail"]
    assert len(made) == 20
    for number in made:
        answer = staff.act(
            "withdraw", "support", body={"object": str(number)}, sub=sub
        )
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "act, body",
    [
        ("requeue", {}),
        ("requeue", {"object": "1", "reason": ABSENT}),
        ("requeue", {"object": "1", "reason": ""}),
        ("requeue", {"object": "1", "reason": "é" * 101}),
        ("requeue", {"object": "1", "reason": " "}),
        ("requeue", {"object": "1", "request": "1"}),
        ("requeue", {"object": "1", "request": str(uuid.uuid4()).upper()}),
        ("requeue", {"object": "1", "merchant": "acme"}),
        ("requeue", {"object": 1}),
        ("requeue", {"object": "a" * 129}),
        ("requeue", {"object": "é"}),
        ("refund", {"object": "o", "merchant": "acme", "currency": "EUR"}),
        ("settle", {"object": "c", "merchant": "acme", "outcome": "maybe"}),
        ("export", {"object": "audit", "reason": ABSENT, "filter": "",
                    "rows": -1}),
        ("export", {"object": "audit", "reason": ABSENT, "filter": "",
                    "rows": "3"}),
    ],
)  # fmt: skip
def test_a_wrong_body_is_refused(staff, gateway, act, body):
    answer = staff.act(act, *ROLES, body=body)
    assert_problem(answer, 422, "validation-error", gateway.url)


def test_another_sites_page_cannot_act(staff, gateway, endpoint):
    token = staff.token("operations")
    cookie = {"Cookie": f"__Host-staff={token}"}
    bearer = {"Authorization": f"Bearer {token}"}
    ours = {"Sec-Fetch-Site": "same-origin"}
    guard = {"X-Payments-Console": "1"}
    media = {"Content-Type": "application/json"}
    body = json.dumps({
        "object": endpoint, "request": str(uuid.uuid4()), "reason": "a test",
    }).encode()  # fmt: skip
    for headers, status in (
        ({**cookie, **guard, **media}, 403),
        ({**cookie, **ours, **media}, 403),
        ({**cookie, **guard, **media, "Sec-Fetch-Site": "cross-site"}, 403),
        ({**cookie, **guard, **media, "Sec-Fetch-Site": "same-site"}, 403),
        ({**cookie, **guard, **media, "Sec-Fetch-Site": "none"}, 403),
        ({**bearer, **guard, **media, "Cookie": "a=b"}, 403),
        ({**bearer, **media}, 403),
        ({**cookie, **ours, **guard, "Content-Type": "text/plain"}, 415),
        ({**guard, **media, **ours}, 401),
        ({**cookie, **ours, **guard, **media}, 200),
        ({**bearer, **guard, **media}, 200),
    ):
        answer = staff.api.post(
            "/console/api/act/enable", headers=headers, content=body
        )
        assert answer.status_code == status, (headers, answer.text)


def test_other_methods_and_acts_are_refused(staff, gateway):
    bearer = {"Authorization": f"Bearer {staff.token('operations')}"}
    answer = staff.api.get("/console/api/act/requeue", headers=bearer)
    assert_problem(answer, 405, "method-not-allowed", gateway.url)
    assert answer.headers["allow"] == "POST, OPTIONS"
    for act in ("", "refund/", "accept", "REFUND", "look"):
        answer = staff.act(act, *ROLES, body={"object": "1"})
        assert answer.status_code in (401, 404), (act, answer.text)
    body = {"object": "1", "reason": "x" * 5000}
    answer = staff.act("requeue", "operations", body=body)
    assert_problem(answer, 413, "content-too-large", gateway.url)


def test_a_look_at_a_buyer_and_a_saved_list_are_rows(
    staff, gateway, api, checkout, query
):
    made = api.create(checkout(buyer_info={"email": "a@b.example"})).json()
    checkout_id = made["checkout_id"]
    asked = {"checkout": checkout_id, "personal": "1"}
    staff.read("payment", "viewer", query=asked)
    assert rows(query, checkout_id=checkout_id) == []
    staff.read("payment", "support", query=asked)
    assert rows(query, checkout_id=checkout_id) == [
        ("support@example.com", "look", "done", None)
    ]
    body = {"object": "audit", "filter": "audit ?x=1", "rows": 3,
            "reason": ABSENT}  # fmt: skip
    answer = staff.act("export", "auditor", body=body, auth_time=ABSENT)
    assert answer.status_code == 200, answer.text
    answer = staff.act("export", "viewer", body=body)
    assert_problem(answer, 403, "forbidden", gateway.url)
    (found,) = staff.read(
        "acts", "auditor", query={"act": "export", "limit": "1",
                                  "person": "auditor@example.com"}
    )["items"]  # fmt: skip
    assert found["detail"] == {"filter": "audit ?x=1", "rows": "3"}


def test_a_proof_is_signed_and_verified_by_payctl(
    staff, gateway, paid, query, document, tmp_path
):
    order = paid()
    body = {"object": order, "merchant": gateway.merchant}
    answer = staff.act("proof", "support", body=body)
    assert answer.status_code == 200, answer.text
    jsonschema.Draft202012Validator(
        {**document, "$ref": "#/components/schemas/Proof"}
    ).validate(answer.json())
    assert answer.json()["proof"]["payment_order_id"] == order
    file = tmp_path / "proof.json"
    file.write_bytes(answer.content)
    public = tmp_path / "audit.pub.pem"
    payctl = ROOT / "build/payctl"
    public.write_bytes(subprocess.run(
        [payctl, "audit", "pubkey", gateway.run / "secrets/audit.pem"],
        check=True, capture_output=True,
    ).stdout)  # fmt: skip
    done = subprocess.run(
        [payctl, "proof", "verify", file, "--pub", public],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert rows(query, object=order, act="proof") == [
        ("support@example.com", "proof", "done", "a test")
    ]


def test_answers_and_me_are_as_the_document_says(staff, document, endpoint):
    def validate(name, value):
        jsonschema.Draft202012Validator(
            {**document, "$ref": f"#/components/schemas/{name}"}
        ).validate(value)

    answer = staff.act("enable", "operations", body={"object": endpoint})
    validate("ActAnswer", answer.json())
    me = staff.read("me", "operations")
    validate("Me", me)
    assert me["can_act"] is True
    assert {"act": "settle", "step": "propose"} in me["acts"]
    assert staff.read("me", "viewer")["acts"] == []


def test_acts_are_read_by_person_object_and_time(staff, endpoint):
    for query in (
        {"person": "operations@example.com"},
        {"object": endpoint},
        {"act": "enable"},
        {"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"},
    ):
        found = staff.rows("acts", "admin", query={**query, "limit": "7"})
        if "from" in query:
            assert found == []
            continue
        ((name, value),) = query.items()
        member = {"person": "who"}.get(name, name)
        assert found, query
        assert {each[member] for each in found} == {value}
