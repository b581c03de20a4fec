"""A caller of the mock's pay-out providers: the gateway's own adapters behind
a pipe (tests/adapters/payout_driver.c), or plain HTTP.  Needs no gateway.

Each item pays 30.00 EUR; `change` replaces members of it.
"""

import base64
import json
import secrets
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import httpx

from .client import plain
from .mock_server import DEADLINE_S, Receiver, serve, until

ROOT = Path(__file__).resolve().parents[3]
BUILD = "build"
DAY_S = 86400
IBAN = "DE89370400440532013000"
KEYS = {
    "payout-adyen.key": "AQE" + secrets.token_hex(16),
    "payout-adyen.whsec": secrets.token_hex(32).upper(),
    "payout-generic.key": "pk_" + secrets.token_hex(16),
    "payout-generic.whsec": "whsec_"
    + base64.b64encode(secrets.token_bytes(32)).decode(),
    "payout-pain001.key": "a bank has none",
    "payout-paypal.key": "client_" + secrets.token_hex(8) + ":secret_x",
    "payout-paypal.whsec": "9J2" + secrets.token_hex(7).upper(),
    "payout-stripe.key": "sk_test_" + secrets.token_hex(16),
    "payout-stripe.whsec": "whsec_" + secrets.token_hex(16),
    "payout-tipalti.key": "client_" + secrets.token_hex(8) + ":secret_x",
    "payout-wise.key": secrets.token_hex(18),
}
ACCOUNTS = {"wise": "222", "adyen": "BA3227C223222B5CMD2SXFKGT"}
PATHS = {"adyen": "/btl/v4"}
# Where a step's answer is lost, and nothing is known of it.
LOST = {"status": 0, "body": ""}


def new_key(attempt: int = 1) -> str:
    return f"{secrets.token_hex(16)}-{attempt}"


class Driver:
    """build/payout-driver, a line for a line."""

    def __init__(self):
        make = ["make", "-s", "-C", str(ROOT), f"BUILD={BUILD}"]
        subprocess.run([*make, "payout-driver"], check=True)
        self.child = subprocess.Popen(
            [str(ROOT / BUILD / "payout-driver")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, **asked) -> dict:
        self.child.stdin.write(json.dumps(asked) + "\n")
        self.child.stdin.flush()
        return json.loads(self.child.stdout.readline())

    def close(self) -> None:
        self.child.stdin.close()
        assert self.child.wait(DEADLINE_S) == 0


class Payouts:
    def __init__(self, url: str, receiver: Receiver, keys: dict, driver, where):
        self.url, self.receiver, self.keys = url, receiver, keys
        self.where = Path(where)
        self.driver = driver
        self.http = plain(base_url=url, timeout=DEADLINE_S)
        self.tokens: dict = {}

    # the control API

    def control(self, verb: str, wanted: int = 200, /, **body) -> dict:
        answer = self.http.post(f"/_control/{verb}", json=body)
        assert answer.status_code in (wanted, 201), answer.text
        return answer.json()

    def fault(self, provider: str, operation: str, kind: str, **more) -> None:
        name = f"payout-{provider}"
        self.control(
            "faults", dialect=name, operation=operation, kind=kind, **more
        )

    def fate(self, provider: str, *steps, **more) -> None:
        """Steps are (state, seconds), or whole objects."""
        made = [
            step
            if isinstance(step, dict)
            else {"state": step[0], "after_s": step[1]}
            for step in steps
        ]
        self.control("payouts/fates", provider=provider, steps=made, **more)

    def advance(self, seconds: float) -> None:
        self.control("payouts/clock", advance_s=seconds)

    def books(self, **query) -> dict:
        return self.http.get("/_control/payouts", params=query).json()

    def paid(self, provider: str, key: str) -> dict:
        """What the provider has paid under a key; {} for nothing."""
        found = self.books(provider=provider, key=key)["paid"]
        return found.get(provider, {}).get(key, {})

    # parcels

    def item(self, key: str | None = None, **change) -> dict:
        to = {"kind": "iban", "iban": IBAN, "name": "Jane Mueller"}
        made = {
            "key": key or new_key(),
            "currency": "EUR",
            "amount_minor": 3000,
            "to": to,
            "text": "PAYOUT 4711 Acme",
        }
        return made | change

    def parcel(self, *items, **more) -> dict:
        items = items or (self.item(),)
        key = items[0]["key"]
        made = {"key": key, "items": list(items), "step": 0, "ids": []}
        return made | {"made_s": int(time.time())} | more

    # the adapters

    def account(self, provider: str) -> dict:
        return {
            "base_url": f"{self.url}/payout/{provider}"
            + PATHS.get(provider, ""),
            "api_key": self.keys[f"payout-{provider}.key"],
            "account": ACCOUNTS.get(provider, ""),
        }

    def ask(self, do: str, provider: str, **more) -> dict:
        return self.driver(
            do=do, adapter=provider, account=self.account(provider), **more
        )

    def call(self, provider: str, call: str, parcel: dict) -> dict:
        """One call of the adapter to the mock, and how it reads the answer."""
        request = self.ask("request", provider, call=call, parcel=parcel)
        assert "refused" not in request, request
        return self.read(provider, call, parcel, self.send(provider, request))

    def read(self, provider: str, call: str, parcel: dict, got: dict) -> dict:
        return self.ask("answer", provider, call=call, parcel=parcel, **got)

    def send(self, provider: str, request: dict) -> dict:
        """The bytes as they are; no answer is status 0."""
        try:
            answer = self.http.request(
                request["method"],
                request["url"],
                headers=request["fields"] | self.granted(provider),
                content=request["body"],
                follow_redirects=False,
            )
        except httpx.TransportError:
            return LOST
        return {"status": answer.status_code, "body": answer.text}

    def granted(self, provider: str) -> dict:
        """The access token, of a provider that has such."""
        if provider not in self.tokens:
            request = self.ask("auth", provider)
            self.tokens[provider] = ""
            if "refused" not in request:
                got = self.send(provider, request)
                answer = self.ask("auth", provider, **got)
                self.tokens[provider] = answer["token"]
        token = self.tokens[provider]
        return {"Authorization": f"Bearer {token}"} if token else {}

    def run(self, provider: str, parcel: dict, steps: int = 1) -> dict:
        """All steps; the answer of the last one.  The parcel keeps the ids."""
        for step in range(steps):
            parcel["step"] = step
            done = self.call(provider, "send", parcel)
            assert done["outcome"] == "done", (step, done)
            parcel["ids"] = [*parcel["ids"][:step], done["reference"]]
        return done

    def until(self, provider: str, parcel: dict, state: str) -> dict:
        """Asks until the parcel's first item is in that state."""

        def look():
            done = self.call(provider, "ask", parcel)
            return done if done["events"][0]["state"] == state else None

        return until(look, f"{provider} to say {state}")

    # webhooks

    def got(self, provider: str, count: int) -> list[dict]:
        return self.receiver.wait(count, f"/webhooks/payouts/{provider}")

    def told(self, provider: str, count: int) -> list[dict]:
        """Webhooks as the adapter reads them, in the order of arrival."""
        read = [
            self.ask("webhook", provider, body=each["body"].decode())
            for each in self.got(provider, count)
        ]
        assert all("events" in each for each in read), read
        return [event for each in read for event in each["events"]]


@contextmanager
def running(where, keys: dict = KEYS):
    receiver = Receiver()
    driver = Driver()
    with serve(where, keys, receiver.url) as url:
        yield Payouts(url, receiver, keys, driver, where)
    driver.close()
    receiver.server.shutdown()


def afresh(made: Payouts) -> Payouts:
    made.control("reset", seed=7)
    made.tokens.clear()
    made.control("settings", payout_step_ms=20, payout_fee_minor=0, list_page=6)
    made.receiver.forget()
    return made
