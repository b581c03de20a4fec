"""Settlement days of the mock PSP and the mock bank, imported by payctl: what
the tests of settlement share.
"""

import datetime
import json
import os
import subprocess
from pathlib import Path

from .sold import Sold, books_hold

OPERATOR = {"PGOPTIONS": "-c role=payments_operator"}
BANKS = {"bank-camt": "camt", "bank-mt940": "mt940"}
PSPS = ("stripe", "adyen", "paypal", "square", "mollie", "generic")
# What a PSP owes us stands on these; together they are its balance.
OWED = ("psp_clearing", "refunds", "chargebacks", "psp_reserve")
BALANCES = """
SELECT l.account, sum(l.amount_minor)::bigint
FROM pay.journal_line l
JOIN pay.journal_entry e USING (merchant_id, source, kind)
WHERE e.psp = %s AND l.currency = %s
GROUP BY 1
"""


class Settled:
    """A stack whose PSPs settle, and what payctl makes of it."""

    def __init__(self, stack, where: Path):
        self.stack, self.where = stack, where
        self.mock = stack.mock
        self.count = 0

    def payctl(self, *words, code=0) -> str:
        env = os.environ | {"PAYCTL_DSN": self.stack.values["PG_ADMIN_DSN"]}
        if words[0] == "settlement":
            env |= OPERATOR
        done = subprocess.run(
            [self.stack.values["PAYCTL"], *map(str, words)],
            env=env,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == code, (words, done.stdout, done.stderr)
        return done.stdout

    def file(self, text: str, name: str) -> Path:
        self.count += 1
        path = self.where / f"{self.count}-{name}"
        path.write_bytes(text.encode(errors="surrogateescape"))
        return path

    def load(self, source: str, path: Path, code=0) -> dict:
        """payctl settlement import: its only line."""
        words = ("settlement", "import", "--source", source, "-o", "json")
        (line,) = self.payctl(*words, path, code=code).splitlines()
        return json.loads(line)

    def settle(self, psp: str, which=0, code=0, **more) -> tuple[dict, dict]:
        """Closes a day and imports its file, of several the one at `which`
        of each payout -> what the mock and what payctl said of the last."""
        made = self.mock.call("settle", dialect=psp, **more)
        step = max(1, len(made["files"]) // max(1, len(made["payouts"])))
        if len(made["files"]) < len(made["payouts"]):
            step = len(made["files"])
        said = None
        for each in made["files"][which::step]:
            path = self.file(each["text"], each["name"])
            said = self.load(psp, path, code)
        return made, said

    def bank(self, source: str, code=0, **more) -> tuple[dict, dict]:
        made = self.mock.call("bank", format=BANKS[source], **more)
        path = self.file(made["text"], made["name"])
        return made, self.load(source, path, code)

    def matters(self, number: int | None = None) -> list[dict]:
        """What waits for operators, as payctl prints it."""
        words = ["settlement", "list", "-o", "json"]
        if number is not None:
            words += ["--class", number]
        lines = self.payctl(*words).splitlines()
        return [json.loads(each) for each in lines]

    def about(self, *names) -> list[dict]:
        """What waits and names one of these orders or rows."""
        return [
            each
            for each in self.matters()
            if each["order"] in names or each["row"] in names
        ]

    def sold(self, psp: str, **more) -> Sold:
        return Sold.paid(self.stack, psp, **more)

    def accounts(self, psp: str, currency: str) -> dict:
        return dict(self.stack.sql(BALANCES, psp, currency))

    def owed(self, psp: str, currency: str) -> int:
        """What the PSP still has of ours, by the ledger."""
        found = self.accounts(psp, currency)
        return sum(found.get(each, 0) for each in OWED)

    def is_clean(self) -> None:
        books_hold(self.stack)
        self.payctl("check")

    def close(self) -> tuple[str, dict]:
        """The close of today, which is over by a clock that is a day ahead,
        as `payctl close make` keeps and signs it."""
        day = datetime.datetime.now(datetime.UTC).date()
        outcome = self.stack.value(
            "SET search_path = pay, public; SELECT outcome"
            " FROM pay.make_close(%s, now() + interval '1 day')",
            day,
        )
        assert outcome in ("made", "closed")
        key = self.stack.values["AUDIT_KEY_FILE"]
        self.payctl("close", "make", "--key", key, "--day", day)
        text = self.payctl("close", "show", "--day", day, "-o", "json")
        return text, json.loads(text)
