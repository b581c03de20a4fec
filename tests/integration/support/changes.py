"""What follows a sale, over HTTP: payments that are paid or held, and the
calls that capture, cancel and refund them."""

import json

import httpx

from .own_stack import Checkout, OwnStack, wait_for

PLURAL = {"refunds": "refunds", "capture": "captures", "cancel": "cancels"}
ID = {"refunds": "refund_id", "capture": "capture_id", "cancel": "cancel_id"}


def paid(stack: OwnStack, **more) -> Checkout:
    made = stack.created(**more)
    stack.mock.pay(made.token)
    made.becomes("SUCCESS")
    return made


def held(stack: OwnStack, **more) -> Checkout:
    """Authorised, to be captured by hand."""
    made = stack.created(capture="manual", **more)
    stack.mock.pay(made.token)
    wait_for(lambda: authorized(made) == total(made), f"{made.id} to be held")
    return made


def authorized(made: Checkout) -> int:
    return made.stack.value(
        "SELECT sum(authorized_minor)::bigint FROM pay.payment_order "
        "WHERE checkout_id = %s",
        made.id,
    )


def total(made: Checkout) -> int:
    return made.facts()[2]


def send(made: Checkout, what: str, body=None, key=None, **more):
    """POST …/refunds, /capture or /cancel; body: an object, bytes or None
    (none is sent); order=, merchant=, client=, or headers to be added."""
    stack = made.stack
    order = more.pop("order", made.order_id)
    client = more.pop("client", None) or stack.http
    headers = stack.headers(key, more.pop("merchant", "")) | more
    if body is None:
        del headers["Content-Type"]
    elif not isinstance(body, bytes):
        body = json.dumps(body).encode()
    path = f"/v1/payments/{order}/{what}"
    return client.post(path, content=body, headers=headers)


def read(made: Checkout, what: str, change_id: str = "") -> httpx.Response:
    path = f"/v1/payments/{made.order_id}/{PLURAL[what]}"
    return made.stack.get(f"{path}/{change_id}" if change_id else path)


def listed(made: Checkout, what: str) -> list[dict]:
    answer = read(made, what)
    assert answer.status_code == 200, answer.text
    return answer.json()[PLURAL[what]]


def statuses(made: Checkout, what: str) -> list[str]:
    return [each["status"] for each in listed(made, what)]


def accepted(answer: httpx.Response, what: str, status: int = 201) -> dict:
    """The change that an answer tells of."""
    assert answer.status_code == status, answer.text
    shown = answer.json()
    place = f"/{PLURAL[what]}/{shown[ID[what]]}"
    assert answer.headers["Location"].endswith(place)
    assert ("Retry-After" in answer.headers) == (status == 202)
    return shown


def money(made: Checkout) -> dict:
    """What the PSP's own books say."""
    (entry,) = made.stack.mock.books(token=made.token)["registrations"]
    return entry["money"]


def deeds(made: Checkout, kind: str) -> list[dict]:
    found = made.stack.mock.books(token=made.token)["deeds"]
    return [each for each in found if each["kind"] == kind]


def calls(made: Checkout, operation: str) -> list[dict]:
    found = made.stack.mock.books(token=made.token)["requests"]
    return [each for each in found if each["operation"] == operation]


def settles(made: Checkout, what: str, status: str = "SUCCESS") -> dict:
    """Its job goes on until its only change of that kind has ended so."""

    def ended():
        made.stack.jobs_now(made.id, "change")
        (found,) = listed(made, what)
        return found if found["status"] == status else None

    return wait_for(ended, f"{what} of {made.id} to be {status}")


def order_of(made: Checkout) -> dict:
    return made.stack.payment(made.order_id)
