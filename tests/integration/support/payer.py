"""Sellers of acme who are paid through the gateway's workers, by any provider
of the mock, and what became of their items in its own books.
"""

import base64
import contextlib
import hashlib
import os
import secrets
import subprocess
import time
import uuid
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .gateway import PAYCTL
from .own_stack import OwnStack, new_id, wait_for

AUDIENCE = "payments_audience "  # where nginx.conf takes more directives
# The stack's own block, more hastily.
HASTY_OWN = (
    (
        "payments_payout generic {",
        "payments_payout generic {\n"
        + " " * 8
        + "breaker off;\n        interval 100ms;",
    ),
    (
        "timeout            connect=1s total=5s;",
        "timeout            connect=500ms total=1s;",
    ),
)
IBAN = "DE89370400440532013000"
BLOCK = """payments_payout {name} {{
        merchant               acme;
        provider               {name};
        base_url               {mock}/payout/{name}{path};
        api_key_file           "{run}/secrets/payout-{name}.key";
        timeout                connect=500ms total=1s;
        breaker                off;
        interval               100ms;
        {more}
    }}
    """
PUBLIC = """account  222;
        webhook_key_file   "{run}/secrets/payout-wise.pub.pem";"""
CONFIRMED = "webhook_confirm_url  {mock}/payout/tipalti/notif/ipn.aspx;"
SIGNED = 'webhook_key_file  "{run}/secrets/payout-{name}.whsec";'
CERTIFIED = """webhook_id  {webhook_id};
        webhook_ca_file    "{run}/secrets/paypal.ca.pem";
        webhook_cert_host  {cert_host};
        ca_file            "{run}/secrets/paypal.ca.pem";
        allow_private_address  on;"""
AMOUNTS = {"EUR": "12.34", "JPY": "1234", "KWD": "1.234"}
PROVIDER = """SELECT pay_ops.set_payout_provider('acme', %s, %s, ARRAY[%s],
    '{EUR,JPY,KWD}', NULL, 'sue', 'test')"""
LIMIT = "SELECT pay_ops.set_payout_limit('acme', '***', 9000, 9999, 'sue', 't')"
MINOR = 1234
ASK_S = 0.3  # between two questions that a test makes due


@dataclass
class Spec:
    """How a provider is told an account, and the words of its block."""

    kind: str
    country: str
    more: str = SIGNED
    path: str = ""
    payee: str = ""  # of a payee: what its ids begin with
    keyed: bool = True  # its books have our key


OWN = {  # those of the stack itself
    "generic": Spec("iban", "DE"),
    "stripe": Spec("payee", "IE", payee="acct_"),
}
SPECS = {
    "adyen": Spec(
        "iban",
        "DE",
        SIGNED + "\n        account  BA3227C223222B5CMD2SXFKGT;\n"
        "        mode     test;",
        "/btl/v4",
    ),
    "wise": Spec("iban", "DE", PUBLIC, keyed=False),
    "tipalti": Spec("payee", "IE", CONFIRMED, payee="payee-"),
    "paypal": Spec("payee", "IE", CERTIFIED, payee="PAYEE"),
}
FILES = {"pain001": Spec("iban", "DE")}  # a bank: no worker calls it
KNOWN = SPECS | OWN | FILES


def book_key(provider: str, key: str) -> str:
    """As the provider's books have it: Wise's is a UUID made of ours."""
    if KNOWN[provider].keyed:
        return key
    made = bytearray(hashlib.sha256(f"{key}:transfer".encode()).digest())
    made[6] = made[6] & 0x0F | 0x50
    made[8] = made[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(made[:16])))


class Payer:
    """names: the providers whose blocks are added; asks: questions about items
    are made due, instead of waiting for their time."""

    def __init__(self, stack: OwnStack, *names: str, asks: bool = True):
        self.stack, self.names, self.asks = stack, names, asks
        self.run = stack.gateway.run
        ring = (self.run / "secrets" / "keyring").read_text()
        self.key = base64.b64decode(ring.split()[1])

    def enter(self, *names: str) -> None:
        """The rows of these providers in PostgreSQL, or of those with a block,
        and one approver's limit."""
        for name in names or self.names:
            kind = KNOWN[name].kind
            assert self.stack.value(PROVIDER, name, name, kind) == "stored"
        assert self.stack.value(LIMIT) == "stored"

    def blocks(self) -> str:
        mock = self.stack.values["MOCK_PSP_URL"]
        words = {"mock": mock, "run": self.run}
        if "paypal" in self.names:
            file = self.run / "secrets" / "payout-paypal.whsec"
            words["webhook_id"] = file.read_text().strip()
            host = self.stack.pristine.split("webhook_cert_host")[1]
            words["cert_host"] = host.split(";")[0]
        made = []
        for name in self.names:
            spec = KNOWN[name]
            more = spec.more.format(name=name, **words)
            made.append(
                BLOCK.format(name=name, path=spec.path, more=more, **words)
            )
        return "".join(made)

    # Items.

    def sealed(self, seller: str, currency: str, clear: str) -> bytes:
        nonce = secrets.token_bytes(12)
        place = f"payments payout account 1\nacme\n{seller}\n{currency}"
        bytes_ = AESGCM(self.key).encrypt(nonce, clear.encode(), place.encode())
        return nonce + bytes_

    def account(
        self,
        seller: str,
        provider: str,
        currency: str = "EUR",
        sealed_for: str = "",
        name: str = "Jane Mueller",
    ) -> None:
        spec = KNOWN[provider]
        number = spec.payee + secrets.token_hex(4).upper()
        number = IBAN if spec.kind == "iban" else number
        clear = f'{{"{spec.kind}":"{number}","name":"{name}"}}'
        ((outcome,),) = self.stack.sql(
            "SELECT outcome FROM pay_ops.store_destination('acme', %s, %s, "
            "%s, %s, %s, %s, %s, 'k1', 'sue', 'test', %s)",
            seller,
            currency,
            provider,
            spec.kind,
            spec.country,
            number,
            self.sealed(sealed_for or seller, currency, clear),
            name,
        )
        assert outcome == "stored"

    def payctl(self, *words: str, code: int | None = 0) -> str:
        """code None: any."""
        done = subprocess.run(
            [PAYCTL, "payout", *words],
            env=os.environ | {"PAYCTL_DSN": self.stack.values["PG_ADMIN_DSN"]},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        assert code is None or done.returncode == code, said
        return done.stdout

    def sold(
        self, provider: str = "generic", currency: str = "EUR", **account: str
    ) -> str:
        """A new seller with a paid order of 1234 minor units that is
        delivered."""
        seller = f"seller-{new_id()}"
        self.account(seller, provider, currency, **account)
        orders = [
            {
                "payment_order_id": new_id(),
                "seller_account": seller,
                "amount": AMOUNTS[currency],
                "currency": currency,
            }
        ]
        made = self.stack.created("generic", payment_orders=orders)
        self.stack.mock.pay(made.registration["token"])
        made.becomes("SUCCESS")
        who = ("--merchant", "acme", "--who", "max")
        self.payctl("release", made.order_id, *who, "--why", "test")
        return seller

    def ready(
        self, provider: str = "generic", currency: str = "EUR", **account: str
    ) -> str:
        """An item of such a seller, that may be approved; its id."""
        seller = self.sold(provider, currency, **account)
        who = ("--merchant", "acme", "--who", "max")
        assert "made" in self.payctl("make", seller, *who)
        return self.of_item("payout_id", "seller_account = %s", seller)

    def of_item(self, what: str, where: str, *args):
        return self.stack.value(
            f"SELECT {what} FROM pay.payout WHERE {where}",
            *args,
        )

    def send(self, item: str) -> str:
        """The item, approved: the workers do the rest."""
        currency = self.of_item("currency", "payout_id = %s", item)
        who = ("--merchant", "acme", "--provider", self.provider(item))
        self.payctl("batch", *who, "--currency", currency, "--who", "max")
        ((batch, digest),) = self.stack.sql(
            "SELECT b.batch_id, encode(b.hash, 'hex') FROM pay.payout_batch b "
            "JOIN pay.payout p USING (merchant_id, batch_id) "
            "WHERE p.payout_id = %s",
            item,
        )
        self.payctl("approve", batch, "--hash", digest, "--who", "ann")
        return item

    def provider(self, item: str) -> str:
        return self.of_item("provider", "payout_id = %s", item)

    def state(self, item: str) -> str:
        return self.of_item("state", "payout_id = %s", item)

    def ask(self, item: str) -> bool:
        """The next question about the item is due now."""
        return bool(
            self.stack.sql(
                "UPDATE pay.payout_sending SET run_at = now() "
                "WHERE payout_id = %s AND lease_until IS NULL "
                "AND call IN ('ask', 'find') AND run_at > now() RETURNING 1",
                item,
            )
        )

    def asks_until(self, item: str, condition, what: str) -> None:
        asked = 0.0

        def is_so() -> bool:
            nonlocal asked
            if self.asks and time.monotonic() > asked + ASK_S:
                self.ask(item)
                asked = time.monotonic()
            return condition()

        wait_for(is_so, what)

    def becomes(self, item: str, state: str) -> None:
        try:
            self.asks_until(item, lambda: self.state(item) == state, state)
        except AssertionError as why:
            raise AssertionError(
                f"{self.provider(item)}: not {state} but {self.state(item)}, "
                f"{self.journal(item)}, {self.told(item)}"
            ) from why

    def rests(self, item: str) -> None:
        """No question is due any more: only a message makes one so."""
        wait_for(
            lambda: self.stack.sql(
                "UPDATE pay.payout_sending "
                "SET run_at = now() + interval '1 day' "
                "WHERE payout_id = %s AND lease_until IS NULL "
                "AND call = 'ask' RETURNING 1",
                item,
            ),
            f"a question about {item}: {self.journal(item)}",
        )

    def sent_to_us(self, item: str) -> list[dict]:
        """The provider's messages about it, and what became of them."""
        key = self.item_key(item)
        sent = self.stack.mock.books()["webhooks"]
        return [each for each in sent if each["token"] == key]

    def lapse(self, item: str) -> None:
        """The provider may have forgotten the key of a lost send."""
        wait_for(
            lambda: self.stack.sql(
                "UPDATE pay.payout_sending SET key_until = now() "
                "WHERE payout_id = %s AND is_doubtful RETURNING 1",
                item,
            ),
            "a lost answer",
        )

    def journal(self, item: str) -> list[str]:
        return [
            " ".join(str(word) for word in row if word is not None)
            for row in self.stack.sql(
                "SELECT call, coalesce(outcome, 'open'), code "
                "FROM pay.payout_dispatch WHERE payout_id = %s "
                "ORDER BY number",
                item,
            )
        ]

    def calls(self, item: str) -> list[str]:
        return [line.split()[0] for line in self.journal(item)]

    def told(self, item: str) -> list[tuple]:
        """The messages of the provider, and what each has done."""
        return self.stack.sql(
            "SELECT state, outcome FROM pay.payout_event "
            "WHERE payout_id = %s ORDER BY at",
            item,
        )

    def acts(self, item: str) -> list[str]:
        return [
            act
            for (act,) in self.stack.sql(
                "SELECT act FROM pay.payout_act WHERE subject_id = %s", item
            )
        ]

    def booked(self, item: str) -> list[str]:
        """The kinds of the entries that have left and come back, in order."""
        return [
            kind
            for (kind,) in self.stack.sql(
                "SELECT kind FROM pay.journal_entry WHERE source = %s "
                "AND merchant_id = 'acme' ORDER BY at",
                f"pay-out/{item}",
            )
        ]

    # The provider.

    def item_key(self, item: str) -> str:
        key = self.of_item(
            "payout_key || '-' || attempt", "payout_id = %s", item
        )
        return book_key(self.provider(item), key)

    def control(self, verb: str, **body):
        answer = self.stack.mock.http.post(f"/{verb}", json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def advance(self, seconds: float) -> None:
        self.control("payouts/clock", advance_s=seconds)

    def fate(self, item: str, *states: str, **more) -> None:
        self.control(
            "payouts/fates",
            provider=self.provider(item),
            key=self.item_key(item),
            steps=[{"state": state, "after_s": 0} | more for state in states],
        )

    def fault(self, item: str, operation: str, kind: str, **more) -> None:
        self.control(
            "faults",
            dialect=f"payout-{self.provider(item)}",
            operation=operation,
            kind=kind,
            **{"nonce": self.item_key(item)} | more,
        )

    def move(self, item: str, *states: str) -> None:
        """By hand, one after the other."""
        (made,) = self.payments(item)
        for state in states:
            self.control(
                "payouts/move",
                provider=self.provider(item),
                id=made["id"],
                state=state,
            )

    @contextlib.contextmanager
    def no_webhooks(self, provider: str = "generic"):
        name = f"payout-{provider}"
        url = self.control("settings")["webhook_urls"][name]
        self.control("settings", webhook_urls={name: ""})
        try:
            yield
        finally:
            self.control("settings", webhook_urls={name: url})

    def books(self, item: str) -> dict:
        answer = self.stack.mock.http.get(
            "/payouts",
            params={
                "provider": self.provider(item),
                "key": self.item_key(item),
            },
        )
        return answer.json()

    def payments(self, item: str) -> list[dict]:
        return self.books(item)["payments"]

    def paid(self, item: str) -> dict | None:
        """What the provider has paid of it; None: nothing."""
        provider = self.provider(item)
        paid = self.books(item)["paid"].get(provider, {})
        return paid.get(self.item_key(item))

    def expect_paid_once(self, item: str, currency: str = "EUR") -> None:
        once = self.paid(item)
        assert once["count"] == once["live"] == 1, once
        assert (once["left_minor"], once["back_minor"]) == (MINOR, 0)
        assert once["currency"] == currency
        if KNOWN[self.provider(item)].kind == "iban":
            assert once["account_end"] == IBAN[-4:]
