"""The mock PSP's lists: registrations that are looked for, events that are
asked for, and their faults.

Needs no gateway.
"""

import json
import time
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import pytest
from support.mock_client import Psp

FINDING = ("generic", "mollie", "stripe")
LISTING = ("generic", "paypal", "stripe")
FIRST = {"generic": "paid", "paypal": "approved", "stripe": "paid"}


def sold(psp: Psp, dialect: str) -> list[str]:
    """The ids of what is told of one sale."""
    return psp.pay(psp.made(dialect)["token"], FIRST[dialect])


def get(psp: Psp, dialect: str, path: str, **query):
    return psp.call(dialect, "GET", f"{path}?{urlencode(query)}")


def found(psp: Psp, dialect: str, nonce: str, **more) -> tuple[list, str]:
    """-> entries of a page, and where the next one begins"""
    paths = {
        "generic": "/generic/v1/registrations",
        "mollie": "/mollie/v2/payments",
        "stripe": "/stripe/v1/checkout/sessions",
    }
    query = {"nonce": nonce} if dialect == "generic" else {"limit": "5"}
    answer = get(psp, dialect, paths[dialect], **(query | more))
    assert answer.status_code == 200, answer.text
    body = answer.json()
    if dialect == "generic":
        return body["registrations"], ""
    if dialect == "stripe":
        data = body["data"]
        return data, data[-1]["id"] if body["has_more"] else ""
    link = body["_links"]["next"]
    place = parse_qs(urlsplit(link["href"]).query)["from"][0] if link else ""
    return body["_embedded"]["payments"], place


def stamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def listed(psp: Psp, dialect: str, since=None, until=None, place=""):
    """-> events of a page, and where the next one begins"""
    since = int(time.time() - 600 if since is None else since)
    until = int(time.time() + 2 if until is None else until)
    if dialect == "generic":
        query = {"since": since, "until": until}
        query |= {"cursor": place} if place else {}
        body = get(psp, dialect, "/generic/v1/events", **query).json()
        return body["events"], body["next"] or ""
    if dialect == "stripe":
        query = {"limit": 6, "created[gte]": since, "created[lt]": until}
        query |= {"starting_after": place} if place else {}
        body = get(psp, dialect, "/stripe/v1/events", **query).json()
        data = body["data"]
        return data, data[-1]["id"] if body["has_more"] else ""
    query = {"start_time": stamp(since), "end_time": stamp(until)}
    query |= {"page_size": "6"} | dict(parse_qsl(place))
    path = "/paypal/v1/notifications/webhooks-events"
    body = get(psp, dialect, path, **query).json()
    links = [each for each in body["links"] if each["rel"] == "next"]
    place = ""
    if links:
        pairs = parse_qsl(urlsplit(links[0]["href"]).query)
        kept = [f"{k}={v}" for k, v in pairs if k in ("move_to", "index_id")]
        place = "&".join(kept)
    return body["events"], place


def walk(work) -> list:
    """All entries of all pages; work(place) brings one."""
    entries, place = [], ""
    for _ in range(20):
        page, place = work(place)
        entries += page
        if not place:
            return entries
    raise AssertionError("the pages have no end")


# Registrations.


@pytest.mark.parametrize("dialect", FINDING)
def test_a_registration_is_found(psp, dialect):
    names = {"mollie": "description", "stripe": "client_reference_id"}
    for n in ("1", "2"):
        change = {names.get(dialect, "reference"): f"ref-{n}"}
        psp.made(dialect, f"n-{n}", change)
    entries, _ = found(psp, dialect, "n-1")
    assert "ref-1" in str(entries)
    assert ("ref-2" in str(entries)) == (dialect != "generic")


@pytest.mark.parametrize("dialect", FINDING)
def test_what_was_never_registered_is_not_found(psp, dialect):
    assert found(psp, dialect, "n-1") == ([], "")


@pytest.mark.parametrize("dialect", ("mollie", "stripe"))
def test_pages_of_registrations_go_from_new_to_old(psp, dialect):
    tokens = [psp.made(dialect, f"n-{n}")["token"] for n in range(13)]
    psp.control("settings", list_page=4)
    name = "from" if dialect == "mollie" else "starting_after"

    def page(place: str):
        return found(psp, dialect, "", **({name: place} if place else {}))

    assert [each["id"] for each in walk(page)] == tokens[::-1]


def test_a_lost_registration_can_be_found(psp):
    psp.fault("register", "drop_after_accept")
    with pytest.raises(httpx.TransportError):
        psp.register("generic", "n-1")
    entries, _ = found(psp, "generic", "n-1")
    assert [each["nonce"] for each in entries] == ["n-1"]
    assert entries[0]["hosted_url"]


@pytest.mark.parametrize("dialect", FINDING)
def test_fault_lag_hides_the_newest(psp, dialect):
    psp.register(dialect, "n-1")
    psp.fault("find", "lag", dialect=dialect)
    assert found(psp, dialect, "n-1")[0] == []
    assert len(found(psp, dialect, "n-1")[0]) == 1


# Events.


@pytest.mark.parametrize("dialect", LISTING)
def test_an_event_whose_webhook_was_lost_is_listed(psp, dialect):
    psp.fault("webhook", "none", dialect=dialect)
    sent = sold(psp, dialect)
    events, place = listed(psp, dialect)
    assert [each["id"] for each in events] == sent
    assert place == ""
    assert psp.receiver.got == []
    assert [each["id"] for each in psp.books()["events"]] == sent


@pytest.mark.parametrize("dialect", LISTING)
def test_a_listed_event_is_the_webhooks_body(psp, dialect):
    sold(psp, dialect)
    body = json.loads(psp.got(dialect, 1)[0]["body"])
    assert listed(psp, dialect)[0] == [body]


@pytest.mark.parametrize("dialect", LISTING)
def test_pages_of_events_have_each_event_once(psp, dialect):
    psp.control("settings", list_page=3)
    sent = []
    for _ in range(8):
        sent += sold(psp, dialect)
    events = walk(lambda place: listed(psp, dialect, place=place))
    ids = [each["id"] for each in events]
    assert ids == (sent if dialect == "generic" else sent[::-1])


@pytest.mark.parametrize("dialect", LISTING)
def test_a_span_of_time_has_the_events_of_that_time(psp, dialect):
    psp.control("settings", event_age_s=300)
    old = sold(psp, dialect)
    psp.control("settings", event_age_s=0)
    new = sold(psp, dialect)
    now = time.time()
    before, _ = listed(psp, dialect, since=now - 400, until=now - 200)
    after, _ = listed(psp, dialect, since=now - 200)
    assert [each["id"] for each in before] == old
    assert [each["id"] for each in after] == new


@pytest.mark.parametrize("dialect", LISTING)
def test_fault_repeat_shows_each_event_twice(psp, dialect):
    sold(psp, dialect)
    psp.fault("list", "repeat")
    ids = [each["id"] for each in listed(psp, dialect)[0]]
    assert len(ids) == 2
    assert ids[0] == ids[1]


@pytest.mark.parametrize("dialect", LISTING)
def test_fault_loop_has_no_end(psp, dialect):
    for _ in range(2):
        sold(psp, dialect)
    psp.fault("list", "loop", sticky=True)
    places = [""]
    for _ in range(6):
        events, place = listed(psp, dialect, place=places[-1])
        assert len(events) <= 2
        assert place
        if events:
            assert place != places[-1]
        places.append(place)


@pytest.mark.parametrize(
    "kind", ("status", "malformed", "html", "redirect", "ok_with_error")
)
def test_other_faults_spoil_lists_as_other_answers(psp, kind):
    sold(psp, "generic")
    psp.fault("list", kind)
    answer = get(psp, "generic", "/generic/v1/events", since=1, until=99)
    whole = b'{\n  "events": [],\n  "next": null\n}\n'
    assert (answer.status_code, answer.content) != (200, whole)
    assert len(listed(psp, "generic")[0]) == 1


@pytest.mark.parametrize(
    ("dialect", "path", "query", "status"),
    [
        ("generic", "/generic/v1/events", {"since": 1}, 422),
        ("generic", "/generic/v1/events", {"since": 2, "until": 1}, 422),
        ("generic", "/generic/v1/events", {"since": "x", "until": 1}, 422),
        ("generic", "/generic/v1/registrations", {}, 422),
        ("generic", "/generic/v1/registrations", {"token": "reg_1"}, 422),
        ("stripe", "/stripe/v1/events", {"limit": 101}, 400),
        ("stripe", "/stripe/v1/events", {"starting_after": "evt_1"}, 400),
        ("stripe", "/stripe/v1/checkout/sessions", {"reference": "a"}, 400),
        ("mollie", "/mollie/v2/payments", {"limit": 251}, 400),
        ("mollie", "/mollie/v2/payments", {"from": "tr_none"}, 400),
        ("mollie", "/mollie/v2/payments", {"metadata": "a"}, 400),
    ],
)
def test_bad_questions_are_refused(psp, dialect, path, query, status):
    assert get(psp, dialect, path, **query).status_code == status


@pytest.mark.parametrize("dialect", FINDING)
def test_lists_need_the_key(psp, dialect):
    wrong = {"Authorization": "Bearer other"}
    path = "?nonce=a" if dialect == "generic" else ""
    answer = psp.call(dialect, "GET", path, **wrong)
    assert answer.status_code == 401
