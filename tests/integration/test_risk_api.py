"""Lists and reviews of risk by the API: as a merchant's reviewers, another
merchant and a stranger meet them."""

import re
from pathlib import Path

import pytest
from support import tokens
from support.own_stack import new_id, wait_for

LISTS = "/v1/risk/lists"
REVIEWS = "/v1/risk/reviews"


@pytest.fixture
def who(stack):
    """who(SUBJECT, SCOPE): the headers of a person's token."""

    def headers(sub="ann", scope="risk:read risk:write", of="MERCHANT"):
        token = tokens.minter_of(stack.values, of)(sub=sub, scope=scope)
        return {"Authorization": f"Bearer {token}"}

    return headers


def email() -> str:
    return f"{new_id()}@shop.example"


def ask(stack, path: str, headers: dict, body: dict | None = None):
    return (
        stack.http.get(path, headers=headers)
        if body is None
        else stack.http.post(path, headers=headers, json=body)
    )


def entry(**members) -> dict:
    return {
        "effect": "block",
        "kind": "email",
        "value": email(),
        "why": "a test",
    } | members


@pytest.fixture
def review(stack) -> tuple[int, str]:
    """The number of a new review and the id of its order, which is not paid."""
    asked = stack.order(
        amounts=("6000.00",),
        buyer_info={"name": "Ada Example", "email": email()},
    )
    answer = stack.post(asked)
    assert answer.status_code == 201, answer.text
    number = stack.value(
        "SELECT review_id FROM pay.risk_review WHERE checkout_id = %s",
        asked["checkout_id"],
    )
    return number, answer.json()["payment_orders"][0]["payment_order_id"]


def test_an_entry_blocks_until_it_is_removed(stack, who):
    listed = entry()
    made = ask(stack, LISTS, who(), listed)
    assert made.status_code == 201, made.text
    told = made.json()
    assert told["value"] is None and told["who"] == "ann", told
    path = re.sub(r"^https?://[^/]+", "", made.headers["Location"])
    assert ask(stack, path, who()).json() == told
    again = ask(stack, LISTS, who("bob"), listed)
    assert (again.status_code, again.json()) == (200, told)

    buyer = {"name": "Ada Example", "email": listed["value"].upper()}
    answer = stack.post(stack.order(buyer_info=buyer)).json()
    assert answer["payment_orders"][0]["reason"] == "risk", answer

    gone = ask(stack, f"{path}/remove", who("bob"), {"why": "a mistake"})
    assert (gone.status_code, gone.json()) == (200, told)
    for last in ("", "/remove"):
        body = {"why": "again"} if last else None
        assert ask(stack, path + last, who(), body).status_code == 404
    answer = stack.post(stack.order(buyer_info=buyer)).json()
    assert answer["payment_orders"][0]["reason"] is None, answer


def test_no_value_of_a_buyer_is_shown_or_logged(stack, who):
    listed = entry()
    told = ask(stack, LISTS, who(), listed).json()
    found = ask(stack, f"{LISTS}?kind=email&limit=1000", who()).text
    assert f'"entry_id" : {told["entry_id"]},' in found
    name = listed["value"].split("@")[0]
    kept = stack.sql(
        "SELECT l::text FROM pay.risk_list l WHERE list_id = %s",
        told["entry_id"],
    )[0][0]
    hashed = re.search(r"[0-9a-f]{64}", kept)[0]
    log = Path(stack.values["NGINX_ERROR_LOG"]).read_text(errors="replace")
    for text in (found, kept, log):
        assert name not in text
    assert hashed not in found
    refused = ask(stack, LISTS, who(), entry(value=f"<{name}>", kind="ip"))
    assert refused.status_code == 422 and name not in refused.text


def test_pages_have_each_entry_once(stack, who):
    made = [
        ask(stack, LISTS, who(), entry(kind="device", value=new_id()))
        for _ in range(3)
    ]
    wanted = [each.json()["entry_id"] for each in made]
    seen, after = [], wanted[0] - 1
    while after is not None:
        page = ask(stack, f"{LISTS}?limit=1&after={after}", who()).json()
        seen += [each["entry_id"] for each in page["entries"]]
        after = page["next"]
    assert [each for each in seen if each in wanted] == wanted
    assert len(set(seen)) == len(seen)


def test_another_merchant_sees_and_changes_nothing(stack, who, review):
    number, _ = review
    told = ask(stack, LISTS, who(), entry()).json()
    other = who(of="OTHER_MERCHANT")
    path = f"{LISTS}/{told['entry_id']}"
    assert ask(stack, path, other).status_code == 404
    assert ask(stack, path + "/remove", other, {"why": "x"}).status_code == 404
    assert ask(stack, LISTS, other).json()["entries"] == []
    path = f"{REVIEWS}/{number}"
    assert ask(stack, path, other).status_code == 404
    answer = ask(stack, path + "/approve", other, {"reason": "known_buyer"})
    assert answer.status_code == 404
    assert ask(stack, REVIEWS, other).json() == {"reviews": [], "next": None}
    assert ask(stack, path, who()).json()["state"] == "open"


@pytest.mark.parametrize(
    "method, path, scope",
    [
        ("GET", LISTS, "risk:write"),
        ("POST", LISTS, "risk:read payments:write"),
        ("GET", REVIEWS, "risk:write payments:read"),
        ("POST", f"{REVIEWS}/1/approve", "risk:read reconciliation:write"),
    ],
)
def test_it_needs_its_scope(stack, who, method, path, scope):
    answer = stack.http.request(method, path, headers=who(scope=scope))
    assert answer.status_code == 403, answer.text
    needs = "risk:read" if method == "GET" else "risk:write"
    assert f'scope="{needs}"' in answer.headers["WWW-Authenticate"]


def test_a_token_without_a_subject_cannot_act(stack, who, review):
    for path, body in (
        (LISTS, entry()),
        (f"{REVIEWS}/{review[0]}/claim", {}),
    ):
        answer = ask(stack, path, who(sub=""), body)
        assert answer.status_code == 422 and "sub" in answer.text


@pytest.mark.parametrize(
    "wrong, pointer",
    [
        ({"effect": "forget"}, "/effect"),
        ({"kind": "card"}, "/kind"),
        ({"kind": "ip", "value": "192.0.2.1/31"}, "/value"),
        ({"kind": "country", "value": "xx"}, "/value"),
        ({"value": ""}, "/value"),
        ({"value": "x" * 256}, "/value"),
        ({"until": "tomorrow"}, "/until"),
        ({"until": "2020-01-01T00:00:00Z"}, "/until"),
        ({"why": " "}, "/why"),
        ({"why": "x" * 201}, "/why"),
        ({"merchant": "*"}, "/merchant"),
    ],
)
def test_an_entry_that_is_none_is_refused(stack, who, wrong, pointer):
    answer = ask(stack, LISTS, who(), entry(**wrong))
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(
    "path, code",
    [
        (f"{LISTS}?kind=name", 422),
        (f"{LISTS}?limit=0", 422),
        (f"{LISTS}?limit=1&limit=2", 422),
        (f"{LISTS}?state=open", 422),
        (f"{LISTS}/0", 404),
        (f"{LISTS}/x", 404),
        (f"{LISTS}/1?limit=1", 422),
        (f"{REVIEWS}?state=lost", 422),
        (f"{REVIEWS}?after=-1", 422),
        (f"{REVIEWS}/99999999999999999999", 404),
    ],
)
def test_a_query_that_is_none_is_refused(stack, who, path, code):
    assert ask(stack, path, who()).status_code == code


def test_a_review_is_claimed_and_approved_once(stack, who, review):
    number, order_id = review
    path = f"{REVIEWS}/{number}"
    listed = ask(stack, f"{REVIEWS}?after={number - 1}&limit=1", who()).json()
    assert [each["review_id"] for each in listed["reviews"]] == [number]
    claimed = ask(stack, f"{path}/claim", who(), {"lease_seconds": 60}).json()
    assert claimed["claimed_by"] == "ann" and claimed["linked"] == []
    assert claimed["orders"][0]["payment_order_id"] == order_id
    yes = {"reason": "buyer_confirmed", "note": "called back"}
    for last, body in (("claim", {}), ("approve", yes)):
        answer = ask(stack, f"{path}/{last}", who("bob"), body)
        assert answer.status_code == 409, answer.text
        assert answer.json()["detail"].startswith("busy")
    for _ in range(2):
        answer = ask(stack, f"{path}/approve", who(), yes)
        assert answer.status_code == 200, answer.text
        assert answer.json()["state"] == "approved"
    acts = [(each["act"], each["who"]) for each in answer.json()["acts"]]
    assert acts == [("claimed", "ann"), ("approved", "ann")]
    answer = ask(stack, f"{path}/reject", who(), {"reason": "no_answer"})
    assert answer.status_code == 409
    held = "SELECT count(*) FROM pay.payout_hold WHERE payment_order_id = %s"
    assert stack.value(held, order_id) == 0


def test_a_rejection_closes_the_page_and_blocks_the_buyer(stack, who, review):
    number, order_id = review
    body = {"reason": "stolen_card", "block": True}
    answer = ask(stack, f"{REVIEWS}/{number}/reject", who(), body)
    assert answer.status_code == 200, answer.text
    wait_for(
        lambda: stack.payment(order_id)["status"] == "FAILED", "a cancellation"
    )
    blocked = "SELECT count(*) FROM pay.risk_list WHERE why = %s AND kind = %s"
    assert stack.value(blocked, "review: stolen_card", "email") >= 1


def test_above_an_amount_two_subjects_say_the_same(stack, who):
    asked = stack.order(amounts=("50000.01",))
    assert stack.post(asked).status_code == 201
    number = stack.value(
        "SELECT review_id FROM pay.risk_review WHERE checkout_id = %s",
        asked["checkout_id"],
    )
    path, yes = f"{REVIEWS}/{number}/approve", {"reason": "documents_seen"}
    for sub, code, state in (
        ("ann", 202, "open"),
        ("Ann", 202, "open"),
        ("bob", 200, "approved"),
    ):
        answer = ask(stack, path, who(sub), yes)
        assert (answer.status_code, answer.json()["state"]) == (code, state)


@pytest.mark.parametrize(
    "act, body, pointer",
    [
        ("approve", {"reason": "stolen_card"}, "/reason"),
        ("approve", {}, "/reason"),
        ("approve", {"reason": "known_buyer", "block": True}, "/block"),
        ("reject", {"reason": "no_answer", "block": 1}, "/block"),
        ("escalate", {"reason": "unclear", "note": "x" * 1001}, "/note"),
        ("claim", {"lease_seconds": 86401}, "/lease_seconds"),
    ],
)
def test_an_act_that_is_none_is_refused(stack, who, review, act, body, pointer):
    answer = ask(stack, f"{REVIEWS}/{review[0]}/{act}", who(), body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer
