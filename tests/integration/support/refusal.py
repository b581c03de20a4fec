"""POST /v1/payments that must be refused, with all that this means: the
right problem, no echo, no row, no call to the PSP, and a key that is still
good for the mended request (IK11)."""

from .client import fresh_key
from .problems import assert_no_echo, assert_problem

STORED = """
SELECT (SELECT count(*) FROM pay.checkout WHERE checkout_id = %s),
    (SELECT count(*) FROM pay.payment_order WHERE payment_order_id = %s),
    (SELECT count(*) FROM pay.idempotency_key WHERE key = %s)
"""


class Refusal:
    """refused(body, good, status, slug) → the problem document.

    `body` goes out, an object or bytes; `good` is the same request mended,
    sent afterwards with the same key.
    """

    def __init__(self, api, gateway, query, mock):
        self.api = api
        self.gateway = gateway
        self.query = query
        self.mock = mock

    def __call__(self, body, good, status, slug, *, key=None, **headers):
        key = key or fresh_key()
        answer = self.api.create(body, key, **headers)
        document = assert_problem(answer, status, slug, self.gateway.url)
        assert_no_echo(answer, body if not isinstance(body, bytes) else good)
        assert key not in answer.text
        self.assert_nothing_stored(good, key)
        self.assert_key_is_good(good, key)
        return document

    def assert_nothing_stored(self, good, key):
        order = good["payment_orders"][0]["payment_order_id"]
        rows = self.query(STORED, good["checkout_id"], order, key)
        assert rows == [(0, 0, 0)]

    def assert_key_is_good(self, good, key):
        """The mended request runs; only that one reached the PSP."""
        answer = self.api.create(good, key)
        assert answer.status_code == 201, answer.text
        assert "idempotent-replayed" not in answer.headers
        order = good["payment_orders"][0]["payment_order_id"]
        assert len(self.mock.calls(order)) == 1
