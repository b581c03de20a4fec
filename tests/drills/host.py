"""A gateway of its own with its database's host around it: where the document
says /etc, /var/lib and systemctl, the drills have these.
"""

import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from shops import Shops, stored
from support.gateway import ROOT
from support.own_stack import PGBIN, OwnStack, wait_for
from support.worst_day import (
    Operator,
    Promise,
    Verdict,
    end_of_segment,
    judge,
)

TOOLS = {"ctl": f"{PGBIN}/pg_ctl", "root": ROOT}
# No systemd here.
SYSTEMCTL = """#!/bin/bash
set -euo pipefail
ctl() { runuser -u postgres -- %(ctl)s -D %(data)s -l %(log)s -w -t 120 "$@"; }
case "$*" in
    'start postgresql@15-main') ctl start ;;
    'restart postgresql@15-main') ctl -m fast restart ;;
    'stop postgresql@15-main')
        if runuser -u postgres -- %(ctl)s -D %(data)s status; then
            ctl -m fast stop
        fi ;;
    'start nginx') %(root)s/ci/stack nginx ;;
    'stop nginx')
        pid=$(cat %(run)s/nginx.pid)
        kill -QUIT "$pid"
        # a process that nobody has waited for is gone, too
        while grep -qs '^State:.[^Z]' "/proc/$pid/status"; do
            sleep 0.05
        done ;;
    *) echo "no such unit here: $*"; exit 1 ;;
esac
"""
# What is named must be installed.
APT = """#!/bin/sh
shift
for package; do
    dpkg-query -W -f '${db:Status-Status}\\n' "$package" | grep -qx installed ||
        { echo "$package is not installed: ci/install drill"; exit 1; }
done
"""


class Host:
    def __init__(self):
        self.stack = OwnStack()
        try:
            self._host()
            self.prepare()
        except BaseException:
            self.close()
            raise

    def prepare(self) -> None:
        """For the drills of a kind."""

    def _host(self) -> None:
        self.run = self.stack.gateway.run
        self.data = Path(self.stack.values["PG_DATA"])
        self.wrong = self.data.with_name("data.wrong")
        self.dsn = self.stack.values["PG_ADMIN_DSN"]
        self.url = urlsplit(self.dsn)
        self.sockets = self.stack.value("SHOW unix_socket_directories")
        self.etc = self.run / "host"
        self.repository = self.run / "repository"
        self.examples = self.etc / "examples"
        self.conf = self.etc / "conf.d"
        for place in (self.etc, self.examples, self.conf, self.etc / "bin"):
            place.mkdir()
        for place in ("repository", "locks", "log"):
            (self.run / place).mkdir()
            shutil.chown(self.run / place, "postgres")
        words = TOOLS | {
            "data": self.data, "log": self.stack.values["PG_LOG"],
            "run": self.run,
        }  # fmt: skip
        self.tools(self.etc / "bin", SYSTEMCTL, words)
        self.operator = Operator(
            self.places(),
            self.environment(self.etc / "bin"),
            self.run / "operator.log",
        )

    def places(self) -> dict[str, str]:
        """The document's → this machine's."""
        return {
            "/etc/pgbackrest.conf": f"{self.etc}/pgbackrest.conf",
            "/etc/postgresql/15/main/conf.d": str(self.conf),
            "/var/lib/postgresql/15/main": str(self.data),
            "/var/lib/postgresql/15/main.wrong": str(self.wrong),
            "/usr/share/doc/payctl/examples": str(self.examples),
            "/usr/lib/payctl/backup-check": str(ROOT / "debian/backup-check"),
        }

    def environment(self, tools: Path) -> dict[str, str]:
        return self.stack.env | {
            "PATH": f"{tools}:{os.environ['PATH']}",
            "PGHOST": self.sockets,
            "PGPORT": str(self.url.port),
            "PGUSER": "postgres",
            "PGPASSWORD": self.url.password,
            "PGBACKREST_CONFIG": f"{self.etc}/pgbackrest.conf",
            "PGBACKREST_LOCK_PATH": f"{self.run}/locks",
            "PGBACKREST_LOG_PATH": f"{self.run}/log",
        }

    def tools(self, place: Path, systemctl: str, words: dict) -> None:
        for name, text in (("systemctl", systemctl % words), ("apt", APT)):
            tool = place / name
            tool.write_text(text)
            tool.chmod(0o755)
        shutil.copy2(self.stack.values["PAYCTL"], place / "payctl")

    def example(self, name: str, *edits: tuple[str, str]) -> None:
        """The shipped file, where this machine differs."""
        text = (ROOT / "debian" / "examples" / name).read_text()
        for old, new in edits:
            assert old in text, f"{name} has no {old!r}"
            text = text.replace(old, new)
        (self.examples / name).write_text(text)

    def close(self) -> None:
        try:
            self.stack.close()
        finally:
            subprocess.run(["rm", "-rf", self.stack.dir], check=False)


class Backed(Host):
    """With a repository, its first back-up and the nightly one."""

    def prepare(self) -> None:
        self.example(
            "pgbackrest.conf",
            ("/var/lib/pgbackrest", str(self.repository)),
            ("/var/lib/postgresql/15/main", str(self.data)),
            ("pg1-port=5432", f"pg1-port={self.url.port}"),
            ("/var/run/postgresql", self.sockets),
        )
        self.example("postgresql-archive.conf")
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.write(f"include_dir = '{self.conf}'\n")
        self.operator.does("the repository")
        with self.shops() as load:
            load.sell(20)
        self.operator.does("the nightly back-up")

    def shops(self) -> Shops:
        return Shops(self.stack, self.dsn)

    def segments(self) -> dict[str, Path]:
        """Whole segments of WAL in the repository."""
        found = self.repository.glob("archive/payments/15-1/*/*-*.zst")
        return {
            path.name[:24]: path
            for path in found
            if ".partial" not in path.name
        }

    def archived(self) -> int:
        """The place up to which the archive goes, whatever it lacks."""
        return max(map(end_of_segment, self.segments()))

    def switch(self) -> str:
        """The segment that was written until now is in the archive."""
        name = self.stack.value("SELECT pg_walfile_name(pg_switch_wal())")
        wait_for(lambda: name in self.segments(), f"{name} in the archive")
        return name

    def flushed(self) -> str:
        return self.stack.value("SELECT pg_current_wal_flush_lsn()::text")

    def lose(self) -> None:
        """The server is killed, and its disk is gone."""
        self.stack.crash_postgres()
        shutil.rmtree(self.data)

    def judge(self, promises: list[Promise], safe: int | None) -> Verdict:
        return judge(promises, stored(self.stack), safe)
