"""Bodies of POST /v1/payments: a fresh good one, and changes to it."""

import copy
import uuid


class Bodies:
    """bodies() → a new checkout of one order that the gateway takes."""

    def __init__(self, return_url):
        self.return_url = return_url

    def __call__(self, orders=1, **changes) -> dict:
        body = {
            "checkout_id": f"chk-{uuid.uuid4()}",
            "buyer_info": {"email": "buyer@shop.example", "country": "DE"},
            "payment_orders": [self.order() for _ in range(orders)],
            "return_url": self.return_url,
        }
        body.update(changes)
        return body

    @staticmethod
    def order(**changes) -> dict:
        order = {
            "payment_order_id": str(uuid.uuid4()),
            "seller_account": "seller-0001",
            "amount": "12.34",
            "currency": "USD",
        }
        order.update(changes)
        return order


DELETE = object()


def changed(body: dict, path, value) -> dict:
    """A copy with the member at `path` (a tuple) set, or DELETEd."""
    new = copy.deepcopy(body)
    at = new
    for step in path[:-1]:
        at = at[step]
    if value is DELETE:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return new
