"""docs/operations.md#upgrade: a new master beside the old one (USR2, QUIT).

Both have the same ports, one PostgreSQL, and a zone each; no client sees the
change, and the new master runs the module's background work.
"""

import os
import signal
import subprocess
import threading
from pathlib import Path

import httpx
import pytest
from support import aftermath
from support.nginxconf import MINIMAL, Nginx, swap
from support.waiting import wait_for


class Asked(threading.Thread):
    """/readyz over and over, each time on a connection of its own."""

    def __init__(self, nginx):
        super().__init__()
        self.url = f"{nginx.url}/readyz"
        self.context = nginx.gateway.ssl_context()
        self.over = threading.Event()
        self.answers = []

    def run(self):
        while not self.over.is_set():
            try:
                answer = httpx.get(self.url, verify=self.context)
                self.answers.append(answer.status_code)
            except httpx.TransportError as why:
                self.answers.append(repr(why))


@pytest.fixture
def nginx(gateway, tmp_path):
    """In the background, as a unit of systemd has it (in the foreground nginx
    ignores USR2), and by its absolute path.  nginx clears the environment of
    a new binary, so that the sanitizers' options are named.  The master that
    lives at the end is ended, whichever it is."""
    text = swap(
        MINIMAL,
        ("daemon            off;", "daemon            on;\nenv ASAN_OPTIONS;"),
    )
    made = Nginx(gateway, tmp_path, text)
    assert Path(made.command()[0]).is_absolute()
    made.conf.write_text(made.text)
    subprocess.run(
        made.command(), env=made.environment(), check=True, timeout=60,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(made.ready, what="nginx to be ready")
        yield made
    finally:
        for pid in filter(None, masters(made)):
            os.kill(pid, signal.SIGQUIT)
        wait_for(lambda: masters(made) == (None, None), what="its end")
        assert aftermath.bad_lines(made.error_log) == []


def pid_in(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (FileNotFoundError, ValueError):
        return None


def masters(nginx) -> tuple[int | None, int | None]:
    """The pids of the newest master and of the one before it."""
    return (
        pid_in(nginx.dir / "nginx.pid"),
        pid_in(nginx.dir / "nginx.pid.oldbin"),
    )


def test_a_new_binary_takes_over_and_nobody_is_turned_away(nginx):
    first, none = masters(nginx)
    assert none is None
    asked = Asked(nginx)
    asked.start()
    try:
        os.kill(first, signal.SIGUSR2)
        wait_for(lambda: masters(nginx)[1] == first, what="nginx.pid.oldbin")
        wait_for(
            lambda: masters(nginx)[0] not in (None, first),
            what="the new master",
        )
        wait_for(
            lambda: nginx.error_log.read_text().count("database connected") > 1,
            what="the new master's workers to be connected",
        )
        os.kill(first, signal.SIGQUIT)
        wait_for(lambda: masters(nginx)[1] is None, what="the old one's end")
        seen = len(asked.answers)
        wait_for(lambda: len(asked.answers) > seen + 3, what="more answers")
    finally:
        asked.over.set()
        asked.join()
    assert set(asked.answers) == {200}, asked.answers
    assert masters(nginx)[0] not in (None, first)
