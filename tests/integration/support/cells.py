"""A gateway with two cells: acme in the one named default, whose PSP is
generic, and globex in b, whose PSP is stripe; and with a third one on demand:
initech in c, whose PSP is adyen.  The PostgreSQL of a further cell is that of
another stack, whose nginx is stopped.
"""

import contextlib
import os
import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psycopg2.extensions
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from . import many
from .nodes import Nodes, Seen
from .own_stack import QUICK_JOBS, Checkout, OwnStack, children, wait_for
from .second_node import SecondNode
from .tls_psp import shop_authority
from .tokens import Minter

PSPS = "generic stripe adyen paypal square mollie;"
DATABASES = (
    "payments_database",
    "payments_console_database",
    "payments_console_act_database",
)
GLOBEX = "    payments_merchant globex {\n"
HOOKS = "payments_webhook_endpoints hosts=loopback;"
CAP = 24  # creates under way in a cell, on all workers
TOKEN_S = 3600


@dataclass(frozen=True)
class Cell:
    """Whose payments are there; token: where OwnStack finds the merchant's."""

    name: str
    merchant: str
    token: str
    psp: str


PLAN = {
    each.name: each
    for each in (
        Cell("default", "acme", "", "generic"),
        Cell("b", "globex", "OTHER_", "stripe"),
        Cell("c", "initech", "THIRD_", "adyen"),
    )
}


def databases(cell: str, conf: str, **changes) -> str:
    """The lines of a further cell, whose databases are those of `conf` with
    these parameters changed."""
    lines = []
    for directive in DATABASES:
        dsn = re.search(rf'{directive} +"([^"]*)"', conf)[1]
        made = psycopg2.extensions.make_dsn(dsn, **changes)
        handle = f" handle={cell}" if directive == DATABASES[0] else ""
        lines.append(f'    {directive} {cell} "{made}"{handle};\n')
    return "".join(lines)


def edits(confs: dict[str, str], authority) -> list[tuple[str, str]]:
    """Of the first stack's nginx.conf; confs: those of further cells."""
    found = [
        QUICK_JOBS,
        (
            "    payments_audience ",
            "".join(
                databases(name, conf) for name, conf in confs.items()
            )
            + f"    payments_bulkhead intake={CAP};\n    payments_audience ",
        ),
        (
            HOOKS,
            "payments_webhook_endpoints hosts=loopback interval=50ms "
            f'"ca_file={authority.file}";',
        ),
        (GLOBEX, GLOBEX + "        cell b;\n"),
    ]
    for name in confs:
        block = f"    payments_psp {PLAN[name].psp} {{\n"
        found.append((block, f"{block}        cell {name};\n"))
    return found


class Cells:
    """home: the stack whose nginx and mock serve both cells."""

    def __init__(
        self, authority, *, names=("default", "b"), home=None, more=()
    ):
        """authority: that of storefronts' endpoints; names: of PLAN; home: the
        caller's, who closes it, or one of its own; more: edits of the
        configuration."""
        self.home = home or OwnStack()
        self.is_guest = home is not None
        self.more = more
        self.stacks = {"default": self.home}
        self.nodes = [self.home]
        self.conf = self.home.pristine
        try:
            self._begin(authority, names[1:])
        except BaseException:
            self.close()
            raise

    def _begin(self, authority, further) -> None:
        for name in further:
            self.stacks[name] = OwnStack()
            self.stacks[name].quit_nginx()
        self.away = self.stacks["b"]
        if "c" in further:
            many.write_keys(authority.directory, 1)
            self.home.values["THIRD_MERCHANT_JWT"] = _third_token()
        self.home.pristine = self._configured(authority)
        self.home.configure()
        # of new workers a node waits for one cell alone
        wait_for(self.all_are_ready, "all cells in each worker")

    def _configured(self, authority) -> str:
        text = self.conf
        confs = {
            name: stack.pristine
            for name, stack in self.stacks.items()
            if stack is not self.home
        }
        for old, new in (*self.more, *edits(confs, authority)):
            assert old in text
            text = text.replace(old, new, 1)
        acme, globex = text.split(GLOBEX)
        acme = acme.replace(PSPS, "generic;")
        globex = globex.replace(PSPS, "stripe;", 1)
        third = _third(globex, authority) if "c" in confs else ""
        return acme + third + GLOBEX + globex

    def second(self) -> SecondNode:
        """Another node over the same cells."""
        self.nodes.append(SecondNode(self.home))
        wait_for(self.all_are_ready, "all cells at each node")
        return self.nodes[-1]

    def order(self, cell: str, **more) -> dict:
        return self.home.order(PLAN[cell].psp, **more)

    def post(self, cell: str, body: dict | None = None, key=None, **more):
        body = body or self.order(cell)
        return self.home.post(body, key, merchant=PLAN[cell].token, **more)

    def created(self, cell: str, **more) -> Checkout:
        body = self.order(cell, **more)
        answer = self.post(cell, body)
        assert answer.status_code == 201, answer.text
        return Checkout(self.stack(cell), body, answer)

    def stack(self, cell: str) -> OwnStack:
        """The one whose PostgreSQL is the cell's."""
        return self.stacks[cell]

    def paid(self, cell: str) -> Checkout:
        made = self.created(cell)
        self.home.mock.pay(made.token)
        made.becomes("SUCCESS")
        return made

    def count(self, cell: str, table: str) -> int:
        return self.stack(cell).value(f"SELECT count(*) FROM pay.{table}")

    def ready(self, cell: str = "") -> int:
        query = f"?cell={cell}" if cell else ""
        return self.home.http.get(f"/readyz{query}").status_code

    def all_are_ready(self) -> bool:
        """Whichever worker is asked."""
        return {
            node.http.get(f"/readyz?cell={cell}").status_code
            for node in self.nodes
            for cell in self.stacks
            for _ in range(20)
        } == {200}

    def seen(self, cell: str, rounds: int = 1) -> Nodes:
        """Both nodes, by the storefronts of a cell's merchant."""
        return Nodes(
            *(Seen(n, PLAN[cell], self.stack(cell)) for n in self.nodes),
            rounds=rounds,
        )

    # A cell, frozen and awake again.

    def _postgres(self, cell: str) -> list[int]:
        file = Path(self.stack(cell).values["PG_DATA"]) / "postmaster.pid"
        postmaster = int(file.read_text().split()[0])
        return [postmaster, *children(postmaster)]

    @contextlib.contextmanager
    def frozen(self, cell: str = "b"):
        """Nothing of its PostgreSQL moves, and its sockets stay open."""
        pids = self._postgres(cell)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in self._postgres(cell):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    # The end.

    def check(self) -> None:
        """The invariants of each cell, what the PSPs have, and no checkout,
        handle or event in two."""
        self._payctl_check()
        for query in (
            "SELECT merchant_id || '/' || checkout_id FROM pay.checkout",
            "SELECT handle FROM pay.checkout",
            "SELECT psp || '/' || event_id FROM pay.webhook_inbox",
        ):
            found = [
                row[0]
                for stack in self.stacks.values()
                for row in stack.sql(query)
            ]
            assert len(found) == len(set(found)), query
        self.home.check_books(*self.stacks.values())

    def _payctl_check(self) -> None:
        file = self.home.dir / "cells"
        lines = [
            f"{name} {stack.values['PG_ADMIN_DSN']}\n"
            for name, stack in self.stacks.items()
        ]
        file.write_text("".join(lines))
        file.chmod(0o400)
        try:
            done = subprocess.run(
                [self.home.values["PAYCTL"], "--cells", file, "--all-cells",
                 "check"],
                capture_output=True, text=True, check=False, timeout=120,
            )  # fmt: skip
        finally:
            file.unlink()
        assert done.returncode == 0, done.stdout + done.stderr

    def close(self) -> None:
        self.home.pristine = self.conf
        with contextlib.ExitStack() as last:
            for stack in self.stacks.values():
                if stack is not self.home or not self.is_guest:
                    last.callback(stack.close)
            for node in self.nodes[1:]:
                last.callback(node.close)


@contextlib.contextmanager
def running_cells():
    """Two of them, whose books are looked at in the end."""
    with shop_authority() as authority:
        made = Cells(authority)
        try:
            yield made
            made.check()
        finally:
            made.close()


# initech, by the first key of support/many.py.


def _third_token() -> str:
    key = many.private_key(0).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    mint = Minter("initech", key, many.KID)
    return mint(exp=mint.claims()["iat"] + TOKEN_S)


def _third(globex: str, authority) -> str:
    """Its block, which is like globex' own."""
    block = GLOBEX + globex[: globex.index("    }\n")] + "    }\n\n"
    block = re.sub(
        r'"(file=)?[^"]*globex\.(pub|result)"',
        rf'"\1{authority.directory}/{many.merchant(0)}.\2"',
        block,
    )
    for old, new in (
        ("_merchant globex", "_merchant initech"),
        ("kid=globex-2026-01", f"kid={many.KID}"),
        ("cell b;", "cell c;"),
        ("stripe;", "adyen;"),
    ):
        assert old in block
        block = block.replace(old, new)
    return block
