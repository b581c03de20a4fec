"""Pay-outs through the gateway's workers to a provider, and its webhooks back:
whatever happens on the way, the provider's own books have each item once or
not at all, as ours do."""

import base64
import contextlib
import os
import re
import secrets
import subprocess

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from support.gateway import ROOT
from support.own_stack import QUICK_JOBS, OwnStack, new_id, wait_for

AUDIENCE = "payments_audience "
IBAN = "DE89370400440532013000"
# the stack's own block, more hastily
HASTY = (
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
BLOCK = """payments_payout {name} {{
        merchant               acme;
        provider               {name};
        base_url               {mock}/payout/{name};
        api_key_file           "{run}/secrets/payout-{name}.key";
        webhook_key_file       "{run}/secrets/payout-{name}.whsec";
        timeout                connect=500ms total=1s;
        breaker                off;
        interval               100ms;
    }}
    """
# how each provider is told an account, and its country
KINDS = {"generic": ("iban", "DE"), "stripe": ("payee", "IE")}
PROVIDER = """SELECT pay_ops.set_payout_provider('acme', %s, %s, ARRAY[%s],
    '{EUR}', NULL, 'sue', 'test')"""
LIMIT = "SELECT pay_ops.set_payout_limit('acme', 'EUR', 1000, 2000, 'sue', 't')"


class Payer:
    """Sellers of acme, and what became of their items at the provider."""

    def __init__(self, stack):
        self.stack = stack
        self.run = stack.gateway.run
        ring = (self.run / "secrets" / "keyring").read_text()
        self.key = base64.b64decode(ring.split()[1])

    def blocks(self):
        mock = self.stack.values["MOCK_PSP_URL"]
        return BLOCK.format(run=self.run, mock=mock, name="stripe")

    def sealed(self, seller, clear):
        nonce = secrets.token_bytes(12)
        place = f"payments payout account 1\nacme\n{seller}\nEUR"
        bytes_ = AESGCM(self.key).encrypt(nonce, clear.encode(), place.encode())
        return nonce + bytes_

    def account(self, seller, provider, sealed_for=None):
        kind, country = KINDS[provider]
        number = IBAN if kind == "iban" else f"acct_{secrets.token_hex(8)}"
        clear = f'{{"{kind}":"{number}","name":"Jane Mueller"}}'
        ((outcome,),) = self.stack.sql(
            "SELECT outcome FROM pay_ops.store_destination('acme', %s, 'EUR', "
            "%s, %s, %s, %s, %s, 'k1', 'sue', 'test')",
            seller,
            provider,
            kind,
            country,
            number,
            self.sealed(sealed_for or seller, clear),
        )
        assert outcome == "stored"

    def payctl(self, *words, code=0):
        done = subprocess.run(
            [ROOT / "build" / "payctl", "payout", *words],
            env=os.environ | {"PAYCTL_DSN": self.stack.values["PG_ADMIN_DSN"]},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def ready(self, provider="generic", **account):
        """An item of 12.34 EUR of a new seller, that may be approved; its
        id."""
        seller = f"seller-{new_id()}"
        self.account(seller, provider, **account)
        orders = [
            {
                "payment_order_id": new_id(),
                "seller_account": seller,
                "amount": "12.34",
                "currency": "EUR",
            }
        ]
        made = self.stack.created("generic", payment_orders=orders)
        self.stack.mock.pay(made.registration["token"])
        made.becomes("SUCCESS")
        who = ("--merchant", "acme", "--who", "max")
        self.payctl("release", made.order_id, *who, "--why", "test")
        assert "made" in self.payctl("make", seller, *who)
        return self.stack.value(
            "SELECT payout_id FROM pay.payout WHERE seller_account = %s",
            seller,
        )

    def send(self, item):
        """The item, approved: the workers do the rest."""
        who = ("--merchant", "acme", "--provider", self.provider(item))
        self.payctl("batch", *who, "--currency", "EUR", "--who", "max")
        ((batch, digest),) = self.stack.sql(
            "SELECT b.batch_id, encode(b.hash, 'hex') FROM pay.payout_batch b "
            "JOIN pay.payout p USING (merchant_id, batch_id) "
            "WHERE p.payout_id = %s",
            item,
        )
        self.payctl("approve", batch, "--hash", digest, "--who", "ann")
        return item

    def provider(self, item):
        return self.stack.value(
            "SELECT provider FROM pay.payout WHERE payout_id = %s", item
        )

    def state(self, item):
        return self.stack.value(
            "SELECT state FROM pay.payout WHERE payout_id = %s", item
        )

    def becomes(self, item, state):
        wait_for(
            lambda: self.state(item) == state,
            f"{item} to be {state}, it is {self.state(item)} "
            f"({self.journal(item)})",
        )

    def journal(self, item):
        return [
            " ".join(str(word) for word in row if word is not None)
            for row in self.stack.sql(
                "SELECT call, coalesce(outcome, 'open'), code "
                "FROM pay.payout_dispatch WHERE payout_id = %s "
                "ORDER BY number",
                item,
            )
        ]

    def provider_key(self, item):
        return self.stack.value(
            "SELECT payout_key || '-' || attempt FROM pay.payout "
            "WHERE payout_id = %s",
            item,
        )

    def control(self, verb, **body):
        answer = self.stack.mock.http.post(f"/{verb}", json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def fate(self, item, *steps):
        self.control(
            "payouts/fates",
            provider=self.provider(item),
            key=self.provider_key(item),
            steps=[
                {"state": state, "after_s": after_s, **more}
                for state, after_s, more in steps
            ],
        )

    def fault(self, item, operation, kind, **more):
        self.control(
            "faults",
            dialect=f"payout-{self.provider(item)}",
            operation=operation,
            kind=kind,
            nonce=self.provider_key(item),
            **more,
        )

    @contextlib.contextmanager
    def no_webhooks(self):
        name = "payout-generic"
        url = self.control("settings")["webhook_urls"][name]
        self.control("settings", webhook_urls={name: ""})
        try:
            yield
        finally:
            self.control("settings", webhook_urls={name: url})

    def paid(self, item):
        """What the provider has paid of it; None: nothing."""
        provider, key = self.provider(item), self.provider_key(item)
        answer = self.stack.mock.http.get(
            "/payouts", params={"provider": provider, "key": key}
        )
        return answer.json()["paid"].get(provider, {}).get(key)


@pytest.fixture(scope="module")
def payer():
    stack = OwnStack()
    try:
        payer = Payer(stack)
        stack.configure(
            (AUDIENCE, payer.blocks() + AUDIENCE), *HASTY, QUICK_JOBS
        )
        for name, (kind, _) in KINDS.items():
            assert stack.value(PROVIDER, name, name, kind) == "stored"
        assert stack.value(LIMIT) == "stored"
        yield payer
        stack.check_invariants()
    finally:
        stack.close()


def expect_paid_once(payer, item):
    once = payer.paid(item)
    assert once["count"] == once["live"] == 1
    assert (once["left_minor"], once["back_minor"]) == (1234, 0)
    assert (once["currency"], once["account_end"]) == ("EUR", "3000")


def test_an_approved_item_is_paid_and_its_webhooks_say_so(payer):
    item = payer.send(payer.ready())
    payer.becomes(item, "paid")
    assert payer.journal(item)[0] == "send done"
    expect_paid_once(payer, item)
    told = payer.stack.sql(
        "SELECT state, outcome FROM pay.payout_event WHERE payout_id = %s",
        item,
    )
    assert ("paid", "applied") in told or ("sent", "applied") in told


def test_an_answer_that_is_lost_is_told_by_the_webhook(payer):
    item = payer.ready()
    payer.fault(item, "send", "malformed")
    payer.send(item)
    payer.becomes(item, "paid")
    assert payer.journal(item)[0].startswith("send unknown")
    expect_paid_once(payer, item)


def test_an_answer_that_is_lost_is_asked_for_under_the_same_key(payer):
    item = payer.ready()
    payer.fault(item, "send", "malformed")
    with payer.no_webhooks():
        payer.send(item)
        payer.becomes(item, "paid")
    first, second, *more = payer.journal(item)
    assert first.startswith("send unknown")
    assert second == "send done"
    assert {line.split()[0] for line in more} <= {"ask"}
    expect_paid_once(payer, item)


def test_behind_the_window_of_its_key_a_lost_payment_is_looked_for(payer):
    """The provider may have forgotten the key: nothing is sent any more."""
    item = payer.ready()
    payer.fault(item, "send", "malformed")
    with payer.no_webhooks():
        payer.send(item)
        wait_for(
            lambda: payer.stack.sql(
                "UPDATE pay.payout_sending SET key_until = now() "
                "WHERE payout_id = %s AND is_doubtful RETURNING 1",
                item,
            ),
            "a lost answer",
        )
        payer.becomes(item, "paid")
    calls = [line.split()[0] for line in payer.journal(item)]
    assert calls[:2] == ["send", "find"]
    assert "send" not in calls[2:]
    expect_paid_once(payer, item)


def test_a_refused_item_fails_and_its_money_is_available_again(payer):
    item = payer.ready()
    payer.fault(item, "send", "refuse")
    payer.send(item)
    payer.becomes(item, "failed")
    assert payer.paid(item) is None
    assert re.match("send refused", payer.journal(item)[0])


def test_a_payment_that_comes_back_is_a_return(payer):
    item = payer.ready()
    payer.fate(item, ("sent", 0, {}), ("paid", 0, {}))
    payer.send(item)
    payer.becomes(item, "paid")
    reference = payer.stack.value(
        "SELECT provider_ref FROM pay.payout WHERE payout_id = %s", item
    )
    payer.control(
        "payouts/move",
        provider="generic",
        id=reference,
        state="returned",
        code="account_closed",
    )
    payer.becomes(item, "returned")
    back = payer.paid(item)
    assert (back["left_minor"], back["back_minor"]) == (1234, 1234)
    assert "suspect" in payer.payctl("accounts", "--merchant", "acme")


def test_an_account_that_was_sealed_for_another_seller_is_paid_nothing(payer):
    payer.stack.expected.append("was not made or not stored")
    item = payer.send(payer.ready(sealed_for="seller-of-others"))
    wait_for(
        lambda: payer.journal(item) == ["send not_sent details_unreadable"],
        "the call that was not made",
    )
    assert payer.paid(item) is None
    assert payer.state(item) == "approved"
    payer.payctl("cancel", item, "--who", "max", "--why", "test")


def test_stripe_is_sent_a_transfer_and_a_payout(payer):
    item = payer.send(payer.ready("stripe"))
    payer.becomes(item, "paid")
    assert payer.journal(item)[:2] == ["send done", "send done"]
    once = payer.paid(item)
    assert once["count"] == once["live"] == 1
    assert once["left_minor"] == 1234


@pytest.mark.parametrize("step", ["transfer", "send"])
def test_stripe_pays_once_when_the_answer_of_a_step_is_lost(payer, step):
    item = payer.ready("stripe")
    payer.fault(item, step, "malformed")
    payer.send(item)
    payer.becomes(item, "paid")
    assert any(line.startswith("send unknown") for line in payer.journal(item))
    assert payer.paid(item)["count"] == 1


def test_a_payout_that_fails_at_stripe_is_taken_back_before_it_failed(payer):
    item = payer.ready("stripe")
    payer.fate(item, ("failed", 0, {"code": "account_closed"}))
    payer.send(item)
    payer.becomes(item, "failed")
    assert "cancel done" in payer.journal(item)
    assert (payer.paid(item) or {"live": 0})["live"] == 0


def test_a_stopped_provider_is_sent_nothing(payer):
    who = ("--merchant", "acme", "--who", "max", "--why", "test")
    assert payer.payctl("stop", "generic", *who) == "stopped\n"
    item = payer.send(payer.ready())
    other = payer.send(payer.ready("stripe"))
    payer.becomes(other, "paid")
    assert payer.state(item) == "approved"
    assert payer.journal(item) == []
    assert payer.payctl("start", "generic", *who) == "started\n"
    payer.becomes(item, "paid")
    payer.payctl("stop", "nobody", *who, code=1)


def test_what_the_provider_has_not_signed_changes_nothing(payer):
    for name, status in (("generic", 401), ("nobody", 404)):
        answer = payer.stack.http.post(
            f"/webhooks/payouts/{name}", content=b"{}"
        )
        assert answer.status_code == status, answer.text


def test_nothing_of_an_account_is_in_the_log(payer):
    payer.becomes(payer.send(payer.ready()), "paid")
    log = payer.stack.gateway.error_log.read_text(errors="replace")
    assert IBAN not in log
    assert "Jane Mueller" not in log
