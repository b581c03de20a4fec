"""Sellers of acme who are paid by files for a bank, and the mock's bank, which
takes the files and answers with files."""

import os
import subprocess
import uuid

import psycopg2

from .client import Api, fresh_key
from .gateway import PAYCTL
from .mock_payouts import IBAN
from .waiting import wait_for

BANK = "pain001"
DEBTOR = "NL91ABNA0417164300"
ALL = (
    "payouts:read payouts:create payouts:approve payouts:send "
    "payouts:destinations"
)
SETTINGS = """
SELECT pay_ops.set_payout_provider('acme', %s, %s, '{iban}', '{EUR}', NULL,
        'sue', 'test'),
    pay_ops.set_payout_policy('acme', 'sue', 'test', 'delivered'),
    pay_ops.set_payout_limit('acme', 'EUR', 100000000, 200000000, 'sue',
        'test'),
    pay_ops.set_payout_limit('acme', 'EUR', 100000000, 200000000, 'max',
        'test')"""
# Ends payctl where a file gets its final name, or right behind it.
SHIM = r"""
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
int renameat2(int from, const char *old, int to, const char *made,
              unsigned flags)
{
    size_t len = strlen(made);
    int is_final = len > 4 && strcmp(made + len - 4, ".xml") == 0, done;
    if (is_final && getenv("DIES_BEFORE") != NULL) _exit(9);
    done = (int) syscall(SYS_renameat2, from, old, to, made, flags);
    if (is_final && getenv("DIES_BEHIND") != NULL) _exit(9);
    return done;
}
"""


class Files:
    """payctl payout file for one provider of acme, with two directories.
    secrets: where its keyring is."""

    def __init__(self, dsn: str, secrets, provider: str, where):
        self.dsn, self.secrets = dsn, secrets
        self.provider, self.where = provider, where
        self.inbox, self.outbox = where / "in", where / "out"
        self.inbox.mkdir()
        self.outbox.mkdir()

    def words(self, act: str, *more: str) -> list:
        return [PAYCTL, "payout", "file", act,
                "--merchant", "acme", *more]  # fmt: skip

    def env(self, **more: str) -> dict:
        return os.environ | {"PAYCTL_DSN": self.dsn} | more

    def write_words(self, *more: str, keyring=None, where=None) -> list:
        return self.words(
            "write",
            *("--provider", self.provider),
            *("--dir", where or self.inbox),
            *("--keyring", keyring or self.secrets / "keyring"),
            *("--debtor-name", "Acme GmbH"),
            *("--debtor-iban", DEBTOR),
            *("--who", "cron"),
            *more,
        )

    def run(self, words: list, code: int = 0, **env: str) -> str:
        done = subprocess.run(
            words,
            env=self.env(**env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, (done.returncode, done.stdout,
                                         done.stderr)  # fmt: skip
        return done.stdout + done.stderr

    def write(self, *more: str, code: int = 0, env=None, **other) -> str:
        words = self.write_words(*more, **other)
        return self.run(words, code, **(env or {}))

    def dies(self, where: str) -> None:
        """write ends without a word at that place."""
        shim, source = self.where / "shim.so", self.where / "shim.c"
        source.write_text(SHIM)
        made = ["gcc", "-shared", "-fPIC", "-o", shim, source]
        subprocess.run(made, check=True)
        # of a sanitized payctl the runtime is linked, and the shim before it
        more = {"LD_PRELOAD": shim, "ASAN_OPTIONS": "verify_asan_link_order=0"}
        added = {
            name: f"{os.environ.get(name, '')}:{value}".lstrip(":")
            for name, value in more.items()
        }
        self.write(code=9, env=added | {where: "1"})

    def read(self, *files, code: int = 0, provider: str = "") -> str:
        name = provider or self.provider
        words = ("--provider", name, "--who", "cron", *files)
        return self.run(self.words("read", *words), code)

    def files(self) -> list:
        """Those that the bank's client takes."""
        return sorted(self.inbox.glob("*.xml"))

    def hidden(self) -> list[str]:
        return [p.name for p in self.inbox.iterdir() if p.name[0] == "."]


class House(Files):
    """A new provider of acme, of adapter pain001, and its sellers."""

    def __init__(self, gateway, tls, mint, api, mock, checkout, where):
        self.gateway, self.tls, self.mint = gateway, tls, mint
        self.api, self.mock, self.checkout = api, mock, checkout
        provider = f"house-{uuid.uuid4().hex[:8]}"
        dsn = gateway.env["PG_ADMIN_DSN"]
        super().__init__(dsn, gateway.secrets, provider, where)
        self.link = psycopg2.connect(dsn)
        self.link.autocommit = True
        self.clients = {}
        self.sql(SETTINGS, self.provider, BANK)

    def close(self) -> None:
        self.link.close()
        for client in self.clients.values():
            client.close()

    def sql(self, query: str, *args) -> list[tuple]:
        with self.link.cursor() as cursor:
            cursor.execute(query, args)
            return cursor.fetchall()

    def value(self, query: str, *args):
        ((value,),) = self.sql(query, *args)
        return value

    # The API.

    def person(self, name: str) -> Api:
        if name not in self.clients:
            token = self.mint(sub=name, scope=ALL)
            self.clients[name] = Api(self.gateway.url, self.tls, token)
        return self.clients[name]

    def post(self, who: str, path: str, body=None, wanted=(200, 201)) -> dict:
        how = {} if body is None else {"json": body}
        headers = {"Idempotency-Key": fresh_key()}
        answer = self.person(who).post(f"/v1/{path}", headers=headers, **how)
        assert answer.status_code in wanted, (path, answer.text)
        return answer.json()

    def sold(self, amount: str, name: str) -> str:
        """A seller with an account and a paid order that is delivered."""
        seller = f"seller/{uuid.uuid4().hex[:12]}"
        body = self.checkout()
        order = body["payment_orders"][0]
        order |= {"amount": amount, "currency": "EUR", "seller_account": seller}
        answer = self.api.create(body)
        assert answer.status_code == 201, answer.text
        place = f"/v1/payments/{order['payment_order_id']}"
        token = self.value(
            "SELECT token FROM pay.registration WHERE checkout_id = %s",
            body["checkout_id"],
        )
        self.mock.pay(token)
        wait_for(
            lambda: self.api.get(place).json()["status"] == "SUCCESS",
            what="the order to be paid",
        )
        account = {"currency": "EUR", "provider": self.provider, "iban": IBAN,
                   "name": name}  # fmt: skip
        self.post("sue", f"sellers/{seller}/destinations", account)
        order = order["payment_order_id"]
        self.post("max", f"payments/{order}/release")
        return seller

    def pays(self, seller: str) -> str:
        """The item of a seller."""
        body = {"seller_account": seller, "currency": "EUR"}
        return self.post("max", "payouts", body)["payout_id"]

    def approve(self) -> None:
        """All items that are ready, by another person."""
        body = {"provider": self.provider, "currency": "EUR"}
        batch = self.post("max", "payout-batches", body)
        path = f"payout-batches/{batch['batch_id']}/approve"
        self.post("eve", path, {"hash": batch["hash"]})

    def approved(self, *amounts: str, name: str = "Jane Mueller") -> list[str]:
        items = [self.pays(self.sold(amount, name)) for amount in amounts]
        self.approve()
        return items

    def item(self, item: str) -> dict:
        return self.person("max").get(f"/v1/payouts/{item}").json()

    def state(self, item: str) -> str:
        return self.item(item)["state"]

    def key(self, item: str) -> str:
        return self.value(
            "SELECT payout_key || '-' || attempt FROM pay.payout "
            "WHERE payout_id = %s",
            item,
        )

    def journal(self, item: str) -> list[str]:
        return [
            " ".join(word for word in row if word is not None)
            for row in self.sql(
                "SELECT call::text, coalesce(outcome, 'open'), code "
                "FROM pay.payout_dispatch WHERE payout_id = %s "
                "ORDER BY number",
                item,
            )
        ]

    def booked(self, item: str) -> list[str]:
        return [
            kind
            for (kind,) in self.sql(
                "SELECT kind::text FROM pay.journal_entry WHERE source = %s "
                "ORDER BY at",
                f"pay-out/{item}",
            )
        ]


class Bank:
    """The mock's bank, with the directories of these files.  payouts: the
    mock's control API, and its clock."""

    def __init__(self, payouts, files: Files):
        self.payouts, self.files = payouts, files

    def control(self, do: str, **more) -> list:
        inbox = do == "take"
        where = {"inbox": str(self.files.inbox)} if inbox else {
            "outbox": str(self.files.outbox)
        }  # fmt: skip
        made = self.payouts.control("payouts/bank", do=do, **where, **more)
        return made["files"]

    def take(self) -> list:
        taken = self.control("take")
        self.payouts.advance(1)
        return taken

    def told(self, do: str = "report", **more) -> list:
        """The files that it writes now."""
        found = self.control(do, **more)
        return [self.files.outbox / name for name in found]

    def fate(self, key: str, *steps) -> None:
        self.payouts.fate(BANK, *steps, key=key)

    def paid(self, key: str) -> dict:
        return self.payouts.paid(BANK, key)
