"""A checkout made by the storefront's API, and its addresses."""

from support.client import plain
from support.waiting import wait_for

DEADLINE_S = 60
DECLINED = "4000000000000002"


class Sale:
    def __init__(self, api, mock, body, checkout_url, db):
        self.db = db
        self.api = api
        self.mock = mock
        self.body = body
        self.order_id = body["payment_orders"][0]["payment_order_id"]
        self.checkout_url = checkout_url
        self.status_url = self.checkout_url + "/status"
        self.return_url = self.checkout_url.replace("/checkout/", "/return/")
        assert self.return_url != self.checkout_url

    @property
    def registration(self) -> dict:
        found = self.mock.books(nonce=self.order_id)["registrations"]
        assert len(found) == 1
        return found[0]

    def settle(self, result: str, **more) -> "Sale":
        """At the PSP, without a browser; until the gateway has it."""
        self.mock.pay(self.registration["token"], result, **more)
        final = "SUCCESS" if result == "paid" else "FAILED"
        self.becomes(final)
        return self

    def attempt(self, page: str) -> "Sale":
        """A payment under way, or a declined one whose page stays open; until
        the gateway has it."""
        kind = {"pending": "pending", "refused": "attempt_declined"}[page]
        if page == "pending":
            self.mock.settings(pending_ms=600_000)
            self.mock.pay(self.registration["token"], "pending")
            self.mock.settings(pending_ms=1500)
        else:
            shown = self.api.get(self.checkout_url).headers["location"]
            card = {"number": DECLINED, "expiry": "12/39", "cvc": "123"}
            with plain(timeout=DEADLINE_S) as buyer:
                answer = buyer.post(shown.partition("#")[0], data=card)
            assert answer.status_code == 402, answer.text
        wait_for(lambda: kind in self.kinds(), DEADLINE_S, kind)
        return self

    def kinds(self) -> set[str]:
        with self.db.cursor() as cursor:
            cursor.execute(
                "SELECT kind FROM pay.event WHERE payment_order_id = %s",
                (self.order_id,),
            )
            return {kind for (kind,) in cursor.fetchall()}

    def order(self) -> dict:
        answer = self.api.get(f"/v1/payments/{self.order_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def payments(self) -> list[dict]:
        """What the timeline says was paid."""
        answer = self.api.get(f"/v1/payments/{self.order_id}/events")
        assert answer.status_code == 200, answer.text
        events = answer.json()["events"]
        return [each for each in events if each["kind"] == "paid"]

    def becomes(self, status: str):
        wait_for(
            lambda: self.order()["status"] == status,
            DEADLINE_S,
            f"{self.order_id} to be {status}",
        )


class Sales:
    """sales(psp="stripe", **members of the body) -> a Sale, registered."""

    def __init__(self, url, api, mock, bodies, db):
        self.url = url
        self.api = api
        self.mock = mock
        self.bodies = bodies
        self.db = db

    def __call__(self, psp="generic", description=None, **members) -> Sale:
        body = self.bodies(psp=psp, **members)
        if description is not None:
            body["payment_orders"][0]["description"] = description
        answer = self.api.create(body)
        assert answer.status_code == 201, answer.text
        url = answer.json()["redirect_url"]
        return Sale(self.api, self.mock, body, url, self.db)

    def preparing(self) -> Sale:
        """One that the PSP is too busy to register for a long while."""
        body = self.bodies(psp="generic")
        nonce = body["payment_orders"][0]["payment_order_id"]
        self.mock.faults(
            {"operation": "register", "kind": "status", "status": 503,
             "accept": False, "retry_after": 300, "nonce": nonce, "times": 3}
        )  # fmt: skip
        answer = self.api.create(body)
        assert answer.status_code == 202, answer.text
        assert answer.json()["redirect_url"] is None
        url = f"{self.url}/checkout/{self._handle(body)}"
        return Sale(self.api, self.mock, body, url, self.db)

    def _handle(self, body) -> str:
        """Not told to anybody before the PSP has it: from PostgreSQL."""
        with self.db.cursor() as cursor:
            cursor.execute(
                "SELECT handle FROM pay.checkout WHERE checkout_id = %s",
                (body["checkout_id"],),
            )
            return cursor.fetchone()[0]
