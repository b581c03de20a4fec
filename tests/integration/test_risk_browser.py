"""The buyer's own browser at /checkout/<handle>: its address, its cookie, and
what operators and later payments see of it."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest
from support.own_stack import new_id, wait_for
from test_risk import explained, payctl
from test_risk_cards import after, first_id, order, review

NAME = "__Host-payments-browser"
ON = "payments_risk              on;"
# realip, and a window of one payment
STRICT = (
    (
        "location /checkout/ {",
        "location /checkout/ { set_real_ip_from 127.0.0.1;"
        " real_ip_header X-Forwarded-For;",
    ),
    (
        ON,
        f"{ON} payments_risk_velocity browser-1m key=browser window=1m"
        " limit=1 then=review;",
    ),
)
FORGED = {
    "X-Forwarded-For": "198.51.100.7",
    "X-Real-IP": "198.51.100.7",
    "Forwarded": "for=198.51.100.7",
}
ATTRIBUTES = {
    "Max-Age=34128000", "Path=/", "Secure", "HttpOnly", "SameSite=Lax",
}  # fmt: skip


def page(made: dict) -> str:
    return urlsplit(made["redirect_url"]).path


def look(stack, made, cookie=None, **headers) -> httpx.Response:
    """A browser that keeps nothing of an earlier test."""
    if cookie is not None:
        headers["Cookie"] = cookie
    with stack.client() as http:
        answer = http.get(page(made), headers=headers)
    assert answer.status_code == 303, answer.text
    return answer


def cookie_of(answer) -> str | None:
    """The pair that a browser sends from then on."""
    cookies = answer.headers.get_list("set-cookie")
    assert len(cookies) <= 1
    if not cookies:
        return None
    pair, *attributes = cookies[0].split("; ")
    assert set(attributes) == ATTRIBUTES and len(attributes) == 5
    assert re.fullmatch(NAME + "=[A-Za-z0-9_-]{32}", pair), pair
    return pair


def seen(stack, made) -> list:
    return stack.sql(
        "SELECT place, address::text, distance, same_agent"
        " FROM pay.risk_browser WHERE checkout_id = %s ORDER BY place",
        made["checkout_id"],
    )


def new(stack, psp="generic", **words) -> dict:
    return stack.post(stack.order(psp, **words)).json()


def pay(stack, made, **words) -> dict:
    (registered,) = stack.mock.books(nonce=first_id(made))["registrations"]
    stack.mock.pay(registered["token"], **words)
    wait_for(lambda: order(stack, made)["status"] == "SUCCESS", "the money")
    return made


@pytest.fixture(scope="module")
def configured(own_stack):
    """One reload for all tests that want the same."""
    yield own_stack.configure
    own_stack.configure()


@pytest.fixture(autouse=True)
def pristine(request, stack):
    if "configured" not in request.fixturenames:
        stack.configure()


def test_a_browser_gets_a_cookie_once_and_one_row(stack):
    made = new(stack)
    cookie = cookie_of(look(stack, made))
    assert cookie is not None
    for _ in range(20):
        assert cookie_of(look(stack, made, cookie)) is None
        assert cookie_of(look(stack, made, f"a=b; {cookie}; c=d")) is None
    assert seen(stack, made) == [(1, "127.0.0.1/32", None, None)]
    # neither the status page nor the way back looks
    back = page(made).replace("checkout", "return")
    for path in (f"{page(made)}/status", back):
        with stack.client() as http:
            answer = http.get(path)
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
    with stack.client() as http:
        answer = http.get("/checkout/" + "A" * 32)
    assert answer.status_code == 404 and "set-cookie" not in answer.headers


def test_a_bad_cookie_is_replaced_and_never_sent_back(stack):
    made = new(stack)
    good = cookie_of(look(stack, made))
    twice = f"{'v' * 32}; {good}"
    for value in ("shortened", "y" * 33, "", "é" * 16, "z" * 31 + "%", twice):
        answer = look(stack, made, f"{NAME}={value}".encode())
        given = cookie_of(answer)
        assert given not in (None, good)
        assert value == "" or value not in str(answer.headers)
    # a name in other letters is another cookie
    assert cookie_of(look(stack, made, good.lower())) is not None
    # two fields, of which one may be a stranger's
    with stack.client() as http:
        answer = http.get(
            page(made), headers=[("Cookie", good), ("Cookie", good)]
        )
    assert answer.status_code == 303


def test_who_keeps_no_cookies_fills_eight_rows(stack):
    made = new(stack)

    def open_page(_) -> str | None:
        return cookie_of(look(stack, made))

    with ThreadPoolExecutor(8) as pool:
        cookies = list(pool.map(open_page, range(40)))
    assert len(set(cookies)) == 40 and None not in cookies
    places = [place for place, *_ in seen(stack, made)]
    assert 1 <= len(places) <= 8 and max(places) <= 8


def test_no_header_is_the_address_without_realip(stack):
    made = new(stack, buyer_info={"ip": "198.51.100.7"})
    look(stack, made, **FORGED)
    assert seen(stack, made) == [(1, "127.0.0.1/32", "other", None)]


def test_hostile_user_agents_store_nothing_in_clear(stack):
    made = new(stack, buyer_info={"user_agent": "x"})
    for agent in (b"\xff\xfe", b"'; DROP TABLE x", b"a" * 3000, b""):
        look(stack, made, **{"User-Agent": agent})
    text = stack.value(
        "SELECT string_agg(b::text, '') FROM pay.risk_browser b"
        " WHERE checkout_id = %s",
        made["checkout_id"],
    )
    assert len(seen(stack, made)) == 4
    assert "DROP" not in text and "aaaaaaaa" not in text


def test_a_browser_is_listed_by_an_order(stack):
    first = new(stack)
    cookie = cookie_of(look(stack, first))
    words = ("risk", "list", "add", "block", "browser", first_id(first))
    payctl(stack, *words, "--why", "no merchant", code=2)
    said = payctl(stack, *words, "--merchant", "acme", "--why", "a thief")
    assert said.startswith("added")
    second = new(stack)
    look(stack, second, cookie)
    look(stack, second)
    assert after(stack, second) == [] and review(stack, second) is None
    pay(stack, second)
    assert after(stack, second) == [("block", "hold", "browser")]
    assert review(stack, second) == ("open", 1)
    scopes = "payments:read reconciliation:read"
    browsers = explained(stack, first_id(second), scopes)["risk"]["browsers"]
    assert [each["other_checkouts"] for each in browsers] == [1, 0]
    text = json.dumps(browsers)
    assert cookie.split("=")[1] not in text and "127.0.0.1" not in text


def test_behind_realip_the_address_is_compared(stack, configured):
    configured(*STRICT)
    agent = "Mozilla/5.0 (X11; Linux)"
    made = new(stack, buyer_info={"ip": "198.51.100.7", "user_agent": agent})
    addresses = ("198.51.100.7", "198.51.100.8", "198.51.9.9", "2001:db8::1")
    for n, address in enumerate(addresses):
        look(
            stack, made,
            **{"X-Forwarded-For": f"192.0.2.66, {address}",
               "User-Agent": agent if n == 0 else "curl/8"},
        )  # fmt: skip
    assert seen(stack, made) == [
        (1, "198.51.100.7/32", "same", True),
        (2, "198.51.100.8/32", "network", False),
        (3, "198.51.9.9/32", "region", False),
        (4, "2001:db8::1/128", None, False),
    ]
    shown = payctl(
        stack, "risk", "show", "--merchant", "acme", made["checkout_id"]
    )
    table = shown.split("browsers that opened the checkout\n")[1]
    rows = [line.split()[2:] for line in table.splitlines()[1:5]]
    assert [row[:-1] for row in rows] == [
        ["same", "yes"], ["network", "no"], ["region", "no"], ["no"],
    ]  # fmt: skip
    assert "198.51.9.9" not in shown


# of PayPal no event names an attempt, and the sale is an answer to our capture
@pytest.mark.parametrize(
    "psp,words",
    (("generic", {"card": "x"}), ("generic", {}), ("paypal", {})),
    ids=("named", "none", "paypal"),
)
def test_a_browser_that_pays_too_often_is_held(stack, configured, psp, words):
    configured(*STRICT)
    cookie, checkouts = None, []
    for _ in range(2):
        made = new(stack, psp)
        answer = look(stack, made, cookie)
        # the page says nothing, whatever the gateway thinks
        assert urlsplit(answer.headers["location"]).path.startswith("/")
        assert cookie_of(answer) is None or cookie is None
        cookie = cookie or cookie_of(answer)
        more = {key: value + new_id() for key, value in words.items()}
        checkouts.append(pay(stack, made, **more))
    first, second = checkouts
    wait_for(lambda: after(stack, second), "the decision")
    assert after(stack, first) == [] and review(stack, first) is None
    assert after(stack, second) == [("review", "hold", "browser-1m")]
    assert review(stack, second) == ("open", 1)
    linked = payctl(
        stack, "risk", "review", "linked", str(stack.value(
            "SELECT review_id FROM pay.risk_review WHERE checkout_id = %s",
            second["checkout_id"],
        )),
    )  # fmt: skip
    assert first["checkout_id"] in linked and "browser" in linked


def test_without_risk_there_is_no_cookie(stack, configured):
    made = new(stack)
    configured((ON, "payments_risk              off;"))
    assert cookie_of(look(stack, made)) is None
    assert seen(stack, made) == []
