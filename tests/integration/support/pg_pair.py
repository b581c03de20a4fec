"""A second PostgreSQL for an own stack: a streaming standby of its primary,
synchronous unless it is said, so that what is acknowledged is on both.
"""

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2

from .own_stack import PGBIN, children, wait_for
from .ports import free_port
from .scratch import fetch


def run(command: list[str], **env) -> subprocess.CompletedProcess:
    """As the clusters' owner; what starts a server keeps no pipe of ours."""
    if os.geteuid() == 0:
        command = ["runuser", "-u", "postgres", "--", *command]
    return subprocess.run(
        command,
        cwd="/",
        env=os.environ | env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )


class Server:
    """One of the two: where it is, and what is done to it."""

    def __init__(self, data: Path, port: int, dsn: str):
        self.data = data
        self.port = port
        self.dsn = dsn

    def sql(self, query: str, *args) -> list[tuple]:
        return fetch(self.dsn, query, *args)

    def answers(self, query: str):
        """The query's only value; None while the server takes nobody."""
        with contextlib.suppress(psycopg2.OperationalError):
            return self.sql(query)[0][0]
        return None

    def start(self) -> None:
        log = str(self.data.parent / f"log.{self.port}")
        command = [f"{PGBIN}/pg_ctl", "-D", str(self.data), "-l", log]

        def started():
            return run([*command, "-w", "-t", "60", "start"]).returncode == 0

        wait_for(started, f"PostgreSQL on port {self.port}", 60)

    def stop(self) -> None:
        command = [f"{PGBIN}/pg_ctl", "-D", str(self.data), "-m", "immediate"]
        run([*command, "-w", "-t", "60", "stop"])

    def kill(self) -> None:
        """-9 for the postmaster and all its children, at once."""
        pid = int((self.data / "postmaster.pid").read_text().split()[0])
        for each in [pid, *children(pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        wait_for(lambda: not Path(f"/proc/{pid}").exists(), "its end")

    def set(self, name: str, value: str) -> None:
        self.sql(f"ALTER SYSTEM SET {name} = '{value}'")
        self.sql("SELECT pg_reload_conf()")

    def reset(self, name: str) -> None:
        self.sql(f"ALTER SYSTEM RESET {name}")
        self.sql("SELECT pg_reload_conf()")


class Pair:
    """The stack's own server and its standby; nginx knows both."""

    def __init__(self, stack, is_synchronous: bool = True):
        self.stack = stack
        url = urlsplit(stack.values["PG_ADMIN_DSN"])
        self.first = Server(
            Path(stack.values["PG_DATA"]), url.port, url.geturl()
        )
        port = free_port()
        netloc = url.netloc.replace(f":{url.port}", f":{port}")
        self.second = Server(
            self.first.data.parent / "standby",
            port,
            url._replace(netloc=netloc).geturl(),
        )
        self.copy(url)
        self.second.start()
        if is_synchronous:
            self.first.set("synchronous_standby_names", "standby")
        wait_for(
            lambda: self.is_streaming("sync" if is_synchronous else "async"),
            "the standby to stream",
        )

    def copy(self, url) -> None:
        source = f"host=127.0.0.1 port={url.port} user=postgres"
        source += " application_name=standby"
        done = run(
            [f"{PGBIN}/pg_basebackup", "-d", source, "-D",
             str(self.second.data), "-R", "-X", "stream", "-c", "fast"],
            PGPASSWORD=url.password,
        )  # fmt: skip
        assert done.returncode == 0, "pg_basebackup failed"
        with (self.second.data / "postgresql.conf").open("a") as conf:
            conf.write(f"port = {self.second.port}\n")

    def is_streaming(self, how: str) -> bool:
        rows = self.first.sql("SELECT sync_state FROM pg_stat_replication")
        return rows == [(how,)]

    def edit(self) -> tuple[str, str]:
        """nginx.conf with both hosts."""
        port = self.first.port
        sockets = self.first.sql("SHOW unix_socket_directories")[0][0]
        both = f"host='{sockets},{sockets}' port={port},{self.second.port} "
        both += "target_session_attrs=read-write "
        return f"host='{sockets}' port={port} ", both

    def promote(self) -> None:
        assert self.second.sql("SELECT pg_promote(true, 60)") == [(True,)]

    def point_stack_at(self, server: Server) -> None:
        """The tests' own superuser connection."""
        self.stack.values["PG_ADMIN_DSN"] = server.dsn
        self.stack.link = None
