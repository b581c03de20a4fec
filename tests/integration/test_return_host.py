"""A host that was removed from return_host gets neither buyers nor signed
results from the next reload on, whatever older checkouts name."""

import re
import uuid
from urllib.parse import urlsplit

import pytest
from support import changes

LINK = "Back to the shop"
LOGGED = "the host of a return_url is not allowed any more, merchant:acme"


def without_host(stack) -> tuple[str, str]:
    """acme's return_host without that of the checkouts' return_url."""
    host = urlsplit(stack.values["RETURN_URL"]).netloc
    line = re.search(r"return_host .*;", stack.pristine)[0]
    assert f" {host}" in line
    return line, line.replace(f" {host}", "")


@pytest.fixture
def shop(stack):
    yield stack
    stack.configure()


def pages(stack, made) -> dict:
    handle = made.facts()[1]
    paths = {"return": f"/return/{handle}",
             "status": f"/checkout/{handle}/status"}  # fmt: skip
    return {name: stack.http.get(path) for name, path in paths.items()}


def has_no_way_back(stack, answer, made) -> None:
    assert answer.status_code == 200
    assert "Location" not in answer.headers
    assert LINK not in answer.text
    assert "result=" not in answer.text
    assert stack.values["RETURN_URL"] not in answer.text
    assert made.id in answer.text


@pytest.mark.parametrize("paid", (True, False), ids=("paid", "open"))
def test_a_removed_host_gets_no_buyers(shop, paid):
    made = changes.paid(shop) if paid else shop.created()
    before = pages(shop, made)
    assert before["return"].status_code == (303 if paid else 200)
    assert LINK in before["status"].text

    shop.configure(without_host(shop))
    for answer in pages(shop, made).values():
        has_no_way_back(shop, answer, made)
    assert LOGGED in shop.gateway.error_log.read_text()

    shop.configure()
    after = pages(shop, made)
    assert after["return"].status_code == (303 if paid else 200)
    assert LINK in after["status"].text
    if paid:
        location = after["return"].headers["Location"]
        assert location.startswith(shop.values["RETURN_URL"])
        assert "result=" in location


def test_a_removed_host_gets_no_new_checkouts(shop):
    """The other merchant keeps its own."""
    made = changes.paid(shop)
    shop.configure(without_host(shop))
    body = shop.order()
    answer = shop.post(body)
    assert answer.status_code == 422
    assert answer.json()["type"].endswith("/return-url-not-allowed")
    has_no_way_back(shop, pages(shop, made)["return"], made)
    other = shop.post(shop.order(), merchant="OTHER_")
    assert other.status_code == 201, other.text


def test_a_repetition_outlives_the_host(shop):
    """The same key gets the same answer, whatever is configured by now."""
    body, key = shop.order(), str(uuid.uuid4())
    first = shop.post(body, key)
    assert first.status_code == 201, first.text

    shop.configure(without_host(shop))
    again = shop.post(body, key)
    assert again.status_code == 201, again.text
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()

    other = shop.post(shop.order(), key)
    assert other.status_code == 422
    assert other.json()["type"].endswith("/idempotency-key-reused")
    fresh = shop.post(body | {"psp": "nobody"}, str(uuid.uuid4()))
    assert fresh.status_code == 422
    named = [error["pointer"] for error in fresh.json()["errors"]]
    assert named == ["/return_url", "/psp"]
