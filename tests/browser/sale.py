"""A checkout made by the storefront's API, and its addresses."""

from support.waiting import wait_for

DEADLINE_S = 15


class Sale:
    def __init__(self, api, mock, body, answer):
        self.api = api
        self.mock = mock
        self.body = body
        self.shown = answer.json()
        self.order_id = body["payment_orders"][0]["payment_order_id"]
        self.checkout_url = self.shown["redirect_url"]
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

    def order(self) -> dict:
        answer = self.api.get(f"/v1/payments/{self.order_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def becomes(self, status: str):
        wait_for(
            lambda: self.order()["status"] == status,
            DEADLINE_S,
            f"{self.order_id} to be {status}",
        )


class Sales:
    """sales(psp="stripe", **members of the body) -> a Sale; 201 unless
    `status` says 202."""

    def __init__(self, api, mock, bodies):
        self.api = api
        self.mock = mock
        self.bodies = bodies

    def __call__(self, psp="generic", status=201, **members) -> Sale:
        body = self.bodies(psp=psp, **members)
        return self.send(body, status)

    def send(self, body: dict, status=201) -> Sale:
        answer = self.api.create(body)
        assert answer.status_code == status, answer.text
        return Sale(self.api, self.mock, body, answer)

    def preparing(self) -> Sale:
        """One that the PSP is too busy to register for a long while."""
        body = self.bodies(psp="generic")
        nonce = body["payment_orders"][0]["payment_order_id"]
        self.mock.faults(
            {"operation": "register", "kind": "status", "status": 503,
             "accept": False, "retry_after": 60, "nonce": nonce, "times": 3}
        )  # fmt: skip
        return self.send(body, 202)
