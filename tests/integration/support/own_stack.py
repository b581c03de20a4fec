"""A gateway that no other test uses, so that it may be stopped, starved,
reloaded or configured anew: its own PostgreSQL, mock PSP and nginx.

``OwnStack`` starts it with ci/stack, speaks to each of its parts, and at its
end checks what must always hold: the log is clean, the invariants of
sql/checks return no row, and the mock's own books agree.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile
import uuid
from collections import Counter
from pathlib import Path

import httpx
import psycopg2

from . import aftermath, gateway, waiting
from .client import transport
from .documented import documented
from .gateway import ROOT
from .mock import Mock

PGBIN = os.environ.get("PGBIN", "/usr/lib/postgresql/15/bin")
DEADLINE_S = 90
CARDS = {
    "paid": "4242 4242 4242 4242",
    "declined": "4000000000000002",
    "three_ds": "4000002500003155",
    "pending": "4000000000003220",
}
# Edits of the stack's nginx.conf, for configure().
QUICK_JOBS = (
    "payments_audience ",
    "payments_jobs  on interval=100ms;\n    payments_audience ",
)
HASTY_PSP = ("connect=2s total=10s", "connect=500ms total=1s")
PROCESSES = re.compile(r"worker_processes +(\d+);")
BAD_EXIT = re.compile(r"exited with code [1-9]")


def wait_for(condition, what: str, deadline_s: float = DEADLINE_S):
    return waiting.wait_for(condition, deadline_s, what)


def new_id() -> str:
    return str(uuid.uuid4())


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1]
    except OSError:
        return False
    return state.split()[0] != "Z"


def children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(word) for word in text.split()]


def shutting_down(pid: int) -> bool:
    try:
        title = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True
    # a process that ends loses its title before its state says so
    return not title or b"shutting down" in title or not alive(pid)


class OwnStack:
    is_kept = False
    log_start = 0

    def __init__(self, kept: str | None = None, **variables: str):
        """kept: the run directory of a stack that stays up afterwards, and may
        be up before.  variables: more of ci/stack's.  No circuit opens: tests
        break the PSPs on purpose, and what the circuit breaker has counted
        survives a reload, so that one test would open the circuit of the
        next."""
        self.is_kept = kept is not None
        self.dir = Path(tempfile.mkdtemp(prefix="payments-own."))
        os.chmod(self.dir, 0o755)  # noqa: S103  for other users
        run = Path(kept) if kept else self.dir / "run"
        log = run / "error.log"
        self.log_start = log.stat().st_size if log.exists() else 0
        self.env = {"PG_MODEL": str(ROOT / "build" / "pg-model")}
        self.env |= os.environ
        self.env |= {
            "PAY_RUN": str(run),
            "PAY_RATE": "rate=20000r/s burst=20000",
            "MOCK_RETRY_MS": "100",
            "PAY_BREAKER": "off",
            # a test that needs rates brings its own
            "PAY_RATES": "off",
        }
        self.env |= variables
        try:
            self._script("up")
        except BaseException:
            self.dir.rmdir()
            raise
        self.values = gateway.read_env(run / "gateway.env")
        self.gateway = gateway.Gateway(self.values)
        self.url = self.gateway.url
        self.pristine = self.gateway.conf.read_text()
        self.tls = self.gateway.ssl_context()
        self.http = self.client()
        self.link = None
        self.mock = Mock(self.gateway.mock_url)
        # nonces that met `other_token`: those of earlier tests, and of ours
        self.twins = {nonce for _, nonce in self.registered_twice()}
        self.expected: list[str] = []  # lines of the log that a test caused

    def _script(self, verb: str) -> None:
        done = subprocess.run(
            [ROOT / "ci/stack", verb],
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def client(self, **more) -> httpx.Client:
        limits = httpx.Limits(max_connections=256)
        return httpx.Client(
            base_url=self.url,
            transport=transport(self.tls, limits=limits),
            timeout=30,
            event_hooks={"response": [documented]},
            **more,
        )

    # The storefront.

    def order(
        self, psp: str = "generic", amounts=("12.34",), currency="USD", **more
    ) -> dict:
        orders = [
            {
                "payment_order_id": new_id(),
                "seller_account": f"seller-{n}",
                "amount": amount,
                "currency": currency,
            }
            for n, amount in enumerate(amounts)
        ]
        body = {
            "checkout_id": new_id(),
            "buyer_info": {"name": "Ada Example"},
            "payment_orders": orders,
            "return_url": self.values["RETURN_URL"],
            "psp": psp,
        }
        return body | more

    def headers(self, key: str | None = None, merchant: str = "") -> dict:
        """merchant: "" or "OTHER_" """
        return {
            "Authorization": f"Bearer {self.values[merchant + 'MERCHANT_JWT']}",
            "Content-Type": "application/json",
            "Idempotency-Key": key or new_id(),
        }

    def post(self, body, key=None, *, merchant="", client=None, **more):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = self.headers(key, merchant) | more
        http = client or self.http
        return http.post("/v1/payments", content=raw, headers=headers)

    def get(self, path: str, merchant: str = "") -> httpx.Response:
        return self.http.get(path, headers=self.headers(merchant=merchant))

    def payment(self, order_id: str) -> dict:
        answer = self.get(f"/v1/payments/{order_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def timeline(self, order_id: str) -> list[dict]:
        answer = self.get(f"/v1/payments/{order_id}/events")
        assert answer.status_code == 200, answer.text
        return answer.json()["events"]

    def created(self, psp: str = "generic", **more) -> "Checkout":
        """A checkout that is registered: 201."""
        body = self.order(psp, **more)
        answer = self.post(body)
        assert answer.status_code == 201, answer.text
        return Checkout(self, body, answer)

    # PostgreSQL, as a superuser.

    def sql(self, query: str, *args) -> list[tuple]:
        try:
            return self._run(query, args)
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            self.link = None  # PostgreSQL was stopped in between
            return self._run(query, args)

    def _run(self, query: str, args: tuple) -> list[tuple]:
        if self.link is None:
            dsn = self.values["PG_ADMIN_DSN"]
            self.link = psycopg2.connect(dsn, connect_timeout=5)
            self.link.autocommit = True
        with self.link.cursor() as cursor:
            cursor.execute(query, args)
            return cursor.fetchall() if cursor.description else []

    def value(self, query: str, *args):
        rows = self.sql(query, *args)
        assert len(rows) == 1, f"{len(rows)} rows: {query}"
        return rows[0][0]

    def backends(self) -> list[int]:
        rows = self.sql(
            "SELECT pid FROM pg_stat_activity WHERE usename = %s",
            "payments_gateway",
        )
        return [pid for (pid,) in rows]

    def jobs_now(self, checkout_id: str, kind: str = "%") -> int:
        """Makes the checkout's job due, instead of waiting for its time."""
        rows = self.sql(
            "UPDATE pay.job SET run_at = now() WHERE checkout_id = %s "
            "AND kind LIKE %s AND lease_until IS NULL RETURNING 1",
            checkout_id,
            kind,
        )
        return len(rows)

    def postgres(self, verb: str, *more: str) -> None:
        """pg_ctl; a start fails while a child of a killed server lives."""
        command = [f"{PGBIN}/pg_ctl", "-D", self.values["PG_DATA"], "-w"]
        command += ["-t", "60", "-l", self.values["PG_LOG"], *more, verb]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]

        def succeeds():
            done = subprocess.run(
                command,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
            )
            return done.returncode == 0

        wait_for(succeeds, f"pg_ctl {verb}", 30)

    def crash_postgres(self) -> None:
        """kill -9, the postmaster and all its children."""
        file = Path(self.values["PG_DATA"]) / "postmaster.pid"
        postmaster = int(file.read_text().split()[0])
        pids = [postmaster, *children(postmaster)]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not any(map(alive, pids)), "PostgreSQL's end")

    # nginx.

    def master(self) -> int:
        return int(Path(self.values["NGINX_PID"]).read_text())

    def workers(self) -> list[int]:
        """Those that take connections."""
        return [
            pid for pid in children(self.master()) if not shutting_down(pid)
        ]

    def generation(self) -> list[int]:
        """The workers of this configuration, once no older one takes
        connections: an old worker may not have learned yet that it is to end,
        and the master needs a moment to replace one that was killed."""

        def complete():
            found = self.workers()
            return found if len(found) == self.processes() else None

        return wait_for(complete, "one generation of workers")

    def processes(self) -> int:
        """As many workers as nginx.conf asks for."""
        return int(PROCESSES.search(self.gateway.conf.read_text())[1])

    def configure(self, *edits: tuple[str, str]) -> None:
        """The stack's own configuration with these replacements, at once."""
        text = self.pristine
        for old, new in edits:
            assert old in text, f"nginx.conf has no {old!r}"
            text = text.replace(old, new)
        if text != self.gateway.conf.read_text():
            self.gateway.conf.write_text(text)
            self.reload()

    def reload(self) -> None:
        old = set(self.workers())
        os.kill(self.master(), signal.SIGHUP)

        # one that the master started in place of a killed one is neither old
        # nor new
        count = self.processes()

        def taken_over():
            now = set(self.workers())
            return len(now) == count and not now & old

        wait_for(taken_over, "new workers")
        wait_for(self.is_ready, "the new workers to be ready")

    def is_ready(self) -> bool:
        with self.client() as http:
            try:
                return http.get("/readyz").status_code == 200
            except httpx.TransportError:
                return False

    def kill_nginx(self) -> None:
        """kill -9 of all; the master first, so that it starts nobody anew."""
        master = self.master()
        pids = [master, *children(master)]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not any(map(alive, pids)), "nginx's end")
        Path(self.values["NGINX_PID"]).unlink()

    def quit_nginx(self) -> None:
        """A graceful stop, to its end."""
        master = self.master()
        os.kill(master, signal.SIGQUIT)
        wait_for(lambda: not alive(master), "a graceful stop", 90)

    def start_nginx(self) -> None:
        self._script("nginx")

    # The end.

    def check_invariants(self) -> None:
        link = psycopg2.connect(self.values["PG_ADMIN_DSN"])
        try:
            broken = aftermath.broken_invariants(link)
            assert broken == [], "\n".join(broken)
        finally:
            link.close()
        self.check_books()

    def registered_twice(self) -> list[tuple[str, str]]:
        made = self.mock.books()["registrations"]
        once = Counter((each["dialect"], each["nonce"]) for each in made)
        return [key for key, n in once.items() if n > 1]

    def check_books(self, *cells: "OwnStack") -> None:
        """I1: one nonce for a checkout, one registration for a nonce, and
        no call with a nonce that PostgreSQL does not know.  cells: those whose
        PostgreSQL has the payments, when they are several."""
        books = self.mock.books()
        made = books["registrations"]
        twice = [
            key for key in self.registered_twice() if key[1] not in self.twins
        ]
        assert not twice, f"registered twice: {twice}"
        stored = {
            row
            for each in cells or (self,)
            for row in each.sql(
                "SELECT c.checkout_uuid::text, r.nonce FROM pay.checkout c "
                "JOIN pay.registration r USING (merchant_id, checkout_id)"
            )
        }
        # adyen's reference says whether the money is to be held
        told = {
            (each["reference"].removesuffix("-held"), each["nonce"])
            for each in made
        }
        assert told <= stored, f"not stored: {told - stored}"
        called = {
            each["nonce"]
            for each in books["requests"]
            if each["operation"] == "register"
        }
        strange = called - {nonce for _, nonce in stored}
        assert not strange, f"nonces that were never stored: {strange}"

    def check_log(self) -> None:
        log = self.gateway.error_log
        bad = [
            line
            for line in aftermath.bad_lines(log, self.log_start)
            if not any(each in line for each in self.expected)
        ]
        said = log.read_bytes()[self.log_start :]
        bad += BAD_EXIT.findall(said.decode(errors="replace"))
        reports = self.gateway.run.glob("san/san.*")
        bad += [path.read_text() for path in reports]
        assert bad == [], "\n".join(bad[:20])

    def close(self) -> None:
        self.http.close()
        if self.is_kept:
            self.check_log()
            self.dir.rmdir()
            return
        try:
            self.env["NGINX_STOP"] = "QUIT"
            if Path(self.values["NGINX_PID"]).exists():
                self.quit_nginx()
            self.check_log()
        finally:
            self._script("down")
            self.dir.rmdir()


class Checkout:
    """A checkout that the gateway took, and its way through the PSP."""

    def __init__(
        self, stack: OwnStack, body: dict, answer: httpx.Response | None
    ):
        """answer: None when nobody heard it; the body may name no PSP."""
        self.stack = stack
        self.body = body
        self.answer = answer
        self.shown = answer.json() if answer is not None else {}
        self.id = body["checkout_id"]
        self.psp = body.get("psp") or self.shown.get("psp", "")
        orders = body["payment_orders"]
        self.order_ids = [each["payment_order_id"] for each in orders]
        self.order_id = self.order_ids[0]
        self.currency = orders[0]["currency"]

    @property
    def registration(self) -> dict:
        names = "nonce token state attempt hosted_url".split()
        rows = self.stack.sql(
            f"SELECT {', '.join(names)} FROM pay.registration "
            "WHERE checkout_id = %s",
            self.id,
        )
        assert len(rows) == 1
        return dict(zip(names, rows[0], strict=True))

    @property
    def token(self) -> str:
        return self.registration["token"]

    @property
    def nonce(self) -> str:
        return self.registration["nonce"]

    def facts(self) -> tuple[str, str, int]:
        """reference, handle, total in minor units"""
        ((uuid_, handle, total),) = self.stack.sql(
            "SELECT checkout_uuid::text, handle, total_minor "
            "FROM pay.checkout WHERE checkout_id = %s",
            self.id,
        )
        return uuid_, handle, total

    def status(self) -> str:
        return self.stack.payment(self.order_id)["status"]

    def states(self) -> set[tuple]:
        """Statuses with reasons, from PostgreSQL."""
        return set(
            self.stack.sql(
                "SELECT status, reason FROM pay.payment_order "
                "WHERE checkout_id = %s",
                self.id,
            )
        )

    def becomes(self, status: str, reason: str | None = None) -> None:
        wanted = {(status, reason)}
        wait_for(
            lambda: self.states() == wanted,
            f"checkout {self.id} to be {status} {reason or ''}",
        )
