"""GET /v1/checkouts: pages that hold still, and what a query may say."""

import pytest
from support.problems import assert_problem

PATH = "/v1/checkouts"


def page_of(api, **query):
    words = "&".join(f"{name}={value}" for name, value in query.items())
    answer = api.get(f"{PATH}?{words}" if words else PATH)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_each_checkout_comes_once_while_others_are_created(api, checkout):
    made = [checkout() for _ in range(5)]
    for body in made:
        assert api.create(body).status_code == 201
    seen, query = [], {"limit": 2}
    while len(seen) < 8:
        page = page_of(api, **query)
        assert len(page["checkouts"]) <= 2
        seen += [each["checkout_id"] for each in page["checkouts"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
        assert api.create(checkout()).status_code == 201
    assert seen[:5] == [body["checkout_id"] for body in made][::-1]
    assert len(seen) == len(set(seen))


def test_a_page_shows_what_a_checkout_is(api, checkout):
    body = checkout()
    assert api.create(body).status_code == 201
    (first,) = page_of(api, limit=1)["checkouts"]
    read = api.get(f"{PATH}/{body['checkout_id']}").json()
    for name in ("checkout_id", "status", "psp", "is_final"):
        assert first[name] == read[name]
    assert [o["payment_order_id"] for o in first["payment_orders"]] == [
        o["payment_order_id"] for o in read["payment_orders"]
    ]


def test_it_is_asked_for_a_time_and_a_status(api, checkout):
    assert api.create(checkout()).status_code == 201
    since = page_of(api, limit=1)["checkouts"][0]["created_at"]
    later = checkout()
    assert api.create(later).status_code == 201
    late = page_of(api, created_after=since)["checkouts"]
    assert later["checkout_id"] in {each["checkout_id"] for each in late}
    none = page_of(api, created_after="2200-01-01T00%3A00%3a00Z")
    assert none == {"checkouts": [], "next": None}
    some = page_of(api, status="EXECUTING")["checkouts"]
    assert {each["status"] for each in some} == {"EXECUTING"}


def test_another_merchant_sees_its_own_only(api, other_api, checkout):
    body, theirs = checkout(), checkout()
    assert other_api.create(theirs).status_code == 201
    assert api.create(body).status_code == 201
    (newest,) = page_of(other_api, limit=1)["checkouts"]
    assert newest["checkout_id"] == theirs["checkout_id"]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=", "limit"),
        ("limit=1&limit=1", "limit"),
        ("status=PAID", "status"),
        ("status=success", "status"),
        ("created_after=yesterday", "created_after"),
        ("created_after=2026-02-30T00:00:00Z", "created_after"),
        ("created_after=2026-01-01T00:00:00", "created_after"),
        ("cursor=", "cursor"),
        ("cursor=zz", "cursor"),
        ("cursor=" + "00" * 40, "cursor"),
        ("cursor=" + b"2026-11-21T08:15:00.123456Za/b".hex(), "cursor"),
        ("cursor=" + "30" * 500, "cursor"),
        ("page=2", "each once"),
        ("limit", "each once"),
    ],
)
def test_a_query_that_cannot_be_is_refused(api, gateway, query, name):
    answer = api.get(f"{PATH}?{query}")
    assert_problem(answer, 422, "validation-error", gateway.url)
    assert name in answer.json()["detail"]
