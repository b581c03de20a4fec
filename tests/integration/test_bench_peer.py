"""What the gateway is measured against in Node (tests/bench/peer) does a
payment right, so that its figures mean something.
"""

import hashlib
import hmac
import http.server
import json
import secrets
import ssl
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import psycopg2
import pytest
from support.gateway import ROOT

sys.path.insert(0, str(ROOT / "tests" / "bench"))
import databases
import peer
import rig

RETURN_URL = "https://shop.example.com/back"


class Sessions(http.server.BaseHTTPRequestHandler):
    """A PSP that opens a session for each key, or fails."""

    fails = False

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        key = self.headers["Idempotency-Key"]
        host = self.headers["Host"]
        answer = {
            "object": "checkout.session",
            "id": f"cs_test_{key}",
            "url": f"http://{host}/pay/{key}",
        }
        if Sessions.fails:
            answer = {"error": {"type": "invalid_request_error"}}
        self.send_response(400 if Sessions.fails else 200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_):
        pass


@contextmanager
def psp():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sessions)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Shop:
    def __init__(self, gateway, url: str, dsn: str):
        self.env, self.url, self.dsn = gateway.env, url, dsn
        self.context = ssl.create_default_context(cafile=gateway.ca)

    def call(self, path: str, body=None, headers=None):
        request = urllib.request.Request(
            self.url + path,
            data=body,
            headers={"Content-Type": "application/json"} | (headers or {}),
        )
        try:
            answer = urllib.request.urlopen(request, context=self.context)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, json.loads(answer.read())

    def create(self, name: str, amount="12.34", key=None, token=None):
        order = {
            "payment_order_id": name,
            "seller_account": f"seller-{name}",
            "amount": amount,
            "currency": "USD",
        }
        body = {
            "checkout_id": name,
            "buyer_info": {},
            "return_url": RETURN_URL,
            "payment_orders": [order],
        }
        return self.call(
            "/v1/payments",
            json.dumps(body).encode(),
            {
                "Authorization": f"Bearer {token or self.env['MERCHANT_JWT']}",
                "Idempotency-Key": key or f"key-{name}",
            },
        )

    def pay(self, name: str, event: str, amount=1234, key=None):
        session = {
            "id": f"cs_test_{name}",
            "amount_total": amount,
            "currency": "usd",
            "payment_intent": f"pi_{name}",
            "payment_status": "paid",
        }
        body = json.dumps(
            {
                "id": event,
                "object": "event",
                "type": "checkout.session.completed",
                "data": {"object": session},
            }
        ).encode()
        at = str(int(time.time()))
        key = key or self.env["STRIPE_WEBHOOK_SECRET"]
        mac = hmac.new(key.encode(), at.encode() + b"." + body, hashlib.sha256)
        return self.call(
            "/webhooks/stripe",
            body,
            {"Stripe-Signature": f"t={at},v1={mac.hexdigest()}"},
        )

    def status(self, name: str):
        return self.call(
            f"/v1/payments/{name}",
            headers={"Authorization": f"Bearer {self.env['MERCHANT_JWT']}"},
        )[1]["status"]

    def lines(self, name: str) -> list[int]:
        connection = psycopg2.connect(self.dsn)
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT amount_minor FROM lean.ledger_line"
                    " WHERE payment_order_id = %s ORDER BY 1",
                    (name,),
                )
                return [row[0] for row in cursor]
        finally:
            connection.close()


@pytest.fixture(scope="module")
def shop(gateway):
    name = f"bench_peer_{secrets.token_hex(4)}"
    dsn = databases.lean(gateway.env, name)
    port = rig.free_port()
    url = f"https://localhost:{port}"
    with psp() as host:
        process = peer.start(
            peer.settings(gateway.env, port, dsn, host, "shop.example.com"),
            url,
            gateway.ca,
        )
        try:
            yield Shop(gateway, url, dsn)
        finally:
            peer.stop(process)
            databases.psql(
                gateway.env["PG_ADMIN_DSN"], "-c", f"DROP DATABASE {name}"
            )
    assert process.returncode == 0


def test_a_payment_is_created_paid_and_booked_once(shop):
    status, body = shop.create("a1")
    assert status == 201
    assert body["redirect_url"].endswith("/pay/a1")
    assert shop.status("a1") == "EXECUTING"
    assert shop.pay("a1", "evt-a1") == (200, {"outcome": "applied"})
    assert shop.pay("a1", "evt-a1") == (200, {"outcome": "duplicate"})
    assert shop.pay("a1", "evt-a2") == (200, {"outcome": "unchanged"})
    assert shop.status("a1") == "SUCCESS"
    assert shop.lines("a1") == [-1234, 1234]


def test_a_replayed_key_has_the_first_answer(shop):
    assert shop.create("b1")[0] == 201
    again = shop.create("b1")
    assert (again[0], again[1]["payment_orders"][0]["payment_order_id"]) == (
        201,
        "b1",
    )
    assert shop.create("b1", amount="12.35")[0] == 422
    assert shop.create("b1", key="another")[0] == 409


def test_what_the_psp_did_not_take_is_asked_again(shop, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(Sessions, "fails", True)
        assert shop.create("c1")[0] == 202
    assert shop.status("c1") == "NOT_STARTED"
    assert shop.create("c1")[0] == 201


def test_nobody_is_believed_without_a_key(shop):
    other = shop.env["OTHER_MERCHANT_JWT"]
    assert shop.create("d1", token=other)[0] == 401
    assert shop.create("d1", token="x.y.z")[0] == 401
    assert shop.create("d1")[0] == 201
    assert shop.pay("d1", "evt-d1", key="whsec_" + "0" * 32)[0] == 401
    assert shop.pay("d1", "evt-d2", amount=1)[1] == {"outcome": "mismatch"}
    assert shop.pay("d9", "evt-d3")[0] == 409
    assert shop.lines("d1") == []


def test_an_amount_is_never_rounded(shop):
    for amount in ("12.3", "12.345", "-1.00", "0.00", "1e3"):
        assert shop.create("e1", amount=amount)[0] == 422
