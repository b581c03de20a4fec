"""Two nodes of Patroni with a gateway before them: the stack's own PostgreSQL
becomes the first one, and etcd has a single member, on this machine.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import httpx
import psycopg2
from host import TOOLS, Host
from support.gateway import ROOT
from support.own_stack import QUICK_JOBS, alive, children, wait_for
from support.ports import free_port
from support.scratch import fetch
from support.worst_day import Operator

SYSTEMCTL = """#!/bin/bash
set -euo pipefail
case "$*" in
    'disable --now postgresql@15-main')
        ctl="runuser -u postgres -- %(ctl)s -D %(data)s"
        if $ctl status; then $ctl -w -m fast stop; fi ;;
    'enable --now patroni' | 'start patroni')
        # not runuser, which stops when its child is stopped
        env -i PATH=/usr/bin:/bin LC_ALL=C.UTF-8 setsid \\
            setpriv --reuid=postgres --regid=postgres --init-groups \\
            /bin/sh -c 'echo $$ >%(pid)s; exec patroni %(conf)s' \\
            >>%(log)s 2>&1 </dev/null & ;;
    *) echo "no such unit here: $*"; exit 1 ;;
esac
"""
DEADLINE_S = 90


class Node:
    """One of the two, and who operates it."""

    def __init__(self, pair, name: str, data: Path, port: int):
        self.pair, self.name, self.data, self.port = pair, name, data, port
        self.rest = free_port()
        self.place = pair.run / name
        self.examples = self.place / "examples"
        for place in (self.place, self.examples, self.place / "bin"):
            place.mkdir()
        shutil.chown(self.place, "postgres")
        self.dsn = pair.url._replace(
            netloc=pair.url.netloc.replace(f":{pair.url.port}", f":{port}")
        ).geturl()
        self._example()
        pair.tools(self.place / "bin", SYSTEMCTL, self._words())
        self.operator = Operator(
            self._places(),
            pair.environment(self.place / "bin") | {"PGPORT": str(port)},
            self.place / "operator.log",
        )

    def _words(self) -> dict:
        return TOOLS | {
            "data": self.data, "pid": self.place / "patroni.pid",
            "conf": self.place / "config.yml", "log": self.place / "log",
        }  # fmt: skip

    def _places(self) -> dict[str, str]:
        return {
            "/etc/patroni/config.yml": f"{self.place}/config.yml",
            "/var/lib/postgresql/15/main": str(self.data),
            "/usr/share/doc/payctl/examples": str(self.examples),
        }

    def _example(self) -> None:
        """Addresses and places of this machine, which has no watchdog."""
        text = (ROOT / "debian/examples/patroni.yml").read_text()
        hosts = "10.0.0.1:2379,10.0.0.2:2379,10.0.0.3:2379"
        for old, new in (
            (hosts, f"127.0.0.1:{self.pair.etcd_port}"),
            ("name: node-a", f"name: {self.name}"),
            ("10.0.0.1:8008", f"127.0.0.1:{self.rest}"),
            ("10.0.0.1:5432", f"127.0.0.1:{self.port}"),
            ("/var/lib/postgresql/15/main", str(self.data)),
            ("/etc/postgresql/15/main", str(self.data)),
            ("/var/lib/postgresql/15/patroni.pgpass", f"{self.place}/pgpass"),
            ("mode: required", "mode: 'off'"),
        ):
            assert old in text, f"patroni.yml has no {old!r}"
            text = text.replace(old, new)
        (self.examples / "patroni.yml").write_text(text)

    def sql(self, query: str, *args) -> list[tuple]:
        return fetch(self.dsn, query, *args)

    def is_called(self, role: str) -> bool:
        """By Patroni, on the word of etcd."""
        with contextlib.suppress(httpx.TransportError):
            asked = httpx.get(f"http://127.0.0.1:{self.rest}/{role}")
            return asked.status_code == 200
        return False

    def leads(self) -> bool:
        """Patroni says so, and PostgreSQL takes writes."""
        with contextlib.suppress(psycopg2.Error):
            return self.is_called("primary") and self.sql(
                "SELECT NOT pg_is_in_recovery()"
            ) == [(True,)]
        return False

    def replica(self) -> tuple | None:
        """Name and state of the other node, as the leader has it."""
        with contextlib.suppress(psycopg2.Error):
            rows = self.sql(
                "SELECT application_name, sync_state FROM pg_stat_replication"
                " WHERE state = 'streaming'"
            )
            return rows[0] if rows else None
        return None

    def has_synchronous(self, other: "Node") -> None:
        """Commits wait for it, and, seconds later, it may become the leader."""
        wait_for(
            lambda: (
                self.replica() == (other.name, "sync")
                and other.is_called("synchronous")
            ),
            f"{other.name} to be the synchronous standby of {self.name}",
            DEADLINE_S,
        )

    def changes(self, *settings: str) -> None:
        """Settings of the whole cluster, which Patroni applies in a while."""
        command = ["patronictl", "-c", f"{self.place}/config.yml",
                   "edit-config", "--force", "--quiet"]  # fmt: skip
        for each in settings:
            command += ["-s", each]
        subprocess.run(
            command, check=True, stdin=subprocess.DEVNULL, capture_output=True
        )

    def pids(self) -> list[int]:
        """Patroni, the postmaster and its children."""
        found = []
        for file in (self.place / "patroni.pid", self.data / "postmaster.pid"):
            with contextlib.suppress(OSError, ValueError):
                found.append(int(file.read_text().split()[0]))
        return [
            pid
            for each in found
            for pid in (each, *children(each))
            if alive(pid)
        ]

    def freeze(self) -> None:
        """Patroni hangs; PostgreSQL goes on."""
        os.kill(int((self.place / "patroni.pid").read_text()), signal.SIGSTOP)

    def kill(self) -> None:
        """-9 for all of them."""
        pids = self.pids()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not any(map(alive, pids)), f"the end of {self.name}")


class TwoNodes(Host):
    def prepare(self) -> None:
        self.etcd = None
        self.etcd_port = free_port()
        place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.etcd_data = tempfile.mkdtemp(prefix="payments-etcd.", dir=place)
        self._start_etcd()
        self.passwords = {
            "SUPERUSER_PASSWORD": self.url.password,
            "REPLICATION_PASSWORD": os.urandom(8).hex(),
        }
        second = self.data.with_name("second")
        self.a = Node(self, "node-a", self.data, self.url.port)
        self.b = Node(self, "node-b", second, free_port())
        self.a.operator.does("the first node", **self.passwords)
        wait_for(self.a.leads, "node-a to lead", DEADLINE_S)
        self.b.operator.does("the second node", **self.passwords)
        self.a.has_synchronous(self.b)
        ports = f"{self.a.port},{self.b.port}"
        # the edit of nginx.conf that names both
        self.hosts = (
            f"host='{self.sockets}' port={self.url.port} ",
            f"host='127.0.0.1,127.0.0.1' port={ports} "
            "target_session_attrs=read-write ",
        )
        self.stack.configure(QUICK_JOBS, self.hosts)

    def _start_etcd(self) -> None:
        peer = f"http://127.0.0.1:{free_port()}"
        client = f"http://127.0.0.1:{self.etcd_port}"
        with (self.run / "etcd.log").open("w") as log:
            self.etcd = subprocess.Popen(
                ["etcd", "--data-dir", self.etcd_data,
                 "--listen-client-urls", client,
                 "--advertise-client-urls", client,
                 "--listen-peer-urls", peer,
                 "--initial-advertise-peer-urls", peer,
                 "--initial-cluster", f"default={peer}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

        def healthy():
            with contextlib.suppress(httpx.TransportError):
                return httpx.get(f"{client}/health").json()["health"] == "true"
            return False

        wait_for(healthy, "etcd")

    def asks(self, node: Node) -> None:
        """The tests' own superuser connection."""
        self.stack.values["PG_ADMIN_DSN"] = node.dsn
        self.stack.link = None

    def close(self) -> None:
        for node in (getattr(self, "a", None), getattr(self, "b", None)):
            if node is not None:
                node.kill()
        try:
            super().close()
        finally:
            if self.etcd is not None:
                self.etcd.kill()
                self.etcd.wait(30)
            shutil.rmtree(self.etcd_data)
