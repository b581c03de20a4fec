"""Each command in a block of docs/operations.md is run by a test: here against
the stack, with the stack's names in place of the document's, or by the test
that a table names.  A command that is in no table fails.
"""

import hashlib
import hmac
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import psycopg2
import pytest
from support.gateway import ROOT
from support.scratch import fetch

TEXT = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
UNITS = ROOT / "debian/units"
# A block with a title is run as a whole where the title, or the part behind its
# colon, stands in quotes in one of these.
WHOLE = [
    ROOT / "tests/integration/support/bare_root.py",
    *sorted((ROOT / "tests/drills").rglob("*.py")),
]
INSIDE = "tests/package/inside.py"
# The begin of a command -> the test that runs it, and words in it.
ELSEWHERE = {
    "apt install ./libnginx-mod-http-payments_*.deb ./payctl_*.deb nginx":
        ("tests/package/run", "./packages/*.deb nginx postgresql"),
    "apt install ./libnginx-mod-http-payments_*.deb ./payctl_*.deb":
        (INSIDE, "def upgrade"),
    "payctl init": (INSIDE, '["payctl", "init"]'),
    "payctl init --only database":
        (INSIDE, 'run("payctl", "init", "--only", "database")'),
    "systemctl reload ngx-payments": (INSIDE, "send_signal(signal.SIGHUP)"),
    "payctl doctor": (INSIDE, '"payctl", "doctor"'),
    "sudo apt-get install -y make": ("ci/apt.txt", "\nmake\n"),
    "ci/install build": ("ci/run", '"$ROOT/ci/install" build'),
    "ci/build": ("ci/run", '"$ROOT/ci/build"'),
    "kill -USR2 $(cat /run/nginx.pid)":
        ("tests/integration/test_upgrade.py", "signal.SIGUSR2"),
    "kill -QUIT $(cat /run/nginx.pid.oldbin)":
        ("tests/integration/test_upgrade.py", "signal.SIGQUIT"),
    "amtool --alertmanager.url=http://127.0.0.1:9093 alert add":
        ("tests/integration/test_monitoring_live.py", "amtool .* alert add"),
}  # fmt: skip
# Nothing of ours is in them, and they need a running systemd.
SYSTEMD = {"systemctl daemon-reload", "systemctl restart nginx"}
# Ids and names of an example are unknown to the stack.
EXAMPLES = re.compile(
    r"payctl (?:--cell b |--all-cells )?(?:retention erase|find|"
    r"(mismatch|change|dispute|dlq) (show|settle|assign|requeue)) "
)


def blocks(language: str) -> list[str]:
    return re.findall(
        rf"^ *```{language}\n(.*?)^ *```$", TEXT, re.DOTALL | re.MULTILINE
    )


def title(block: str) -> str:
    found = re.match(r"# ([\w ]+: [\w ,'-]+)\n", block)
    return found[1] if found else ""


def is_whole(name: str) -> bool:
    words = (f'"{name}"', f'"{name.partition(": ")[2]}"')
    return any(
        word in path.read_text() for word in words for path in WHOLE
    )  # fmt: skip


def commands(block: str) -> list[str]:
    """Without comments; a line that ends with \\ or | goes on."""
    lines = [re.sub(r"(^|\s{2,})# .*$", "", x) for x in block.splitlines()]
    text = "\n".join(line.rstrip() for line in lines)
    text = re.sub(r"\\\n\s*", "", text)
    text = re.sub(r"\|\n\s*", "| ", text)
    return [line.strip() for line in text.splitlines() if line.strip()]


SINGLE = [
    command
    for block in blocks("sh")
    if not (title(block) and is_whole(title(block)))
    for command in commands(block)
]


def elsewhere(command: str) -> tuple[str, str] | None:
    fitting = [begin for begin in ELSEWHERE if command.startswith(begin)]
    return ELSEWHERE[max(fitting, key=len)] if fitting else None


def is_here(command: str) -> bool:
    return re.match(r"payctl |printf |openssl |install |systemctl ", command)


HERE = [
    each
    for each in SINGLE
    if not elsewhere(each) and each not in SYSTEMD and is_here(each)
]


def test_no_command_is_run_by_nobody():
    left = [
        each
        for each in SINGLE
        if not elsewhere(each) and each not in SYSTEMD and each not in HERE
    ]
    assert left == []
    assert len(SINGLE) > 40 and len(HERE) > 25


def test_the_tables_have_no_command_that_is_gone():
    assert set(SINGLE) >= SYSTEMD
    for begin in ELSEWHERE:
        assert [each for each in SINGLE if each.startswith(begin)], begin


@pytest.mark.parametrize("begin", ELSEWHERE)
def test_the_named_test_runs_it(begin):
    path, words = ELSEWHERE[begin]
    assert words in (ROOT / path).read_text()


@pytest.fixture(scope="module")
def place(gateway, tmp_path_factory):
    """A root for files, and the commands' environment: sudo is nothing, payctl
    is this build's, with the rights of an operator."""
    made = tmp_path_factory.mktemp("root")
    programs = made / "bin"
    programs.mkdir()
    (programs / "payctl").symlink_to(gateway.env["PAYCTL"])
    (programs / "sudo").write_text('#!/bin/sh\nexec "$@"\n')
    (programs / "sudo").chmod(0o755)
    for name in (
        "usr/local/share/man/man1",
        "etc/bash_completion.d",
        "usr/share/zsh/site-functions",
        "lib/systemd/system",
    ):
        (made / name).mkdir(parents=True)
    for unit in UNITS.iterdir():
        shutil.copy2(unit, made / "lib/systemd/system")
    (made / "lib/systemd/system/nginx.service").write_text(
        "[Service]\nExecStart=/usr/sbin/nginx\n[Install]\nWantedBy=multi-user.target\n"
    )
    return made


@pytest.fixture(scope="module")
def environment(gateway, place, api, checkout, wait_for):
    """Behind a payment that is sealed, as on a day one."""
    dsn = gateway.env["PG_ADMIN_DSN"]
    answer = api.create(checkout())
    assert answer.status_code == 201, answer.text
    wait_for(lambda: fetch(dsn, "SELECT 1 FROM pay.seal"), what="a seal")
    operator = f"{dsn}?options=-c%20role%3Dpayments_operator"
    cells = place / "etc/cells"
    cells.write_text(f"b {operator}\n")
    cells.chmod(0o400)
    return {
        "PATH": f"{place / 'bin'}:{os.environ['PATH']}",
        "LC_ALL": "C.UTF-8",
        "PAYCTL_DSN": operator,
        "PAYCTL_CELLS": str(cells),
    }


def signed(gateway, body: bytes) -> tuple[str, str]:
    """(t, v1) of a delivery of Stripe's."""
    at = str(int(time.time()))
    key = gateway.env["STRIPE_WEBHOOK_SECRET"].encode()
    mac = hmac.new(key, f"{at}.".encode() + body, hashlib.sha256)
    return at, mac.hexdigest()


def here(command: str, gateway, place: Path) -> str:
    """The command with the names of this stack."""
    if command.startswith("openssl s_client"):
        where = gateway.url.removeprefix("https://")
        command = command.replace("api.psp.example:443", where)
        return command.replace("api.psp.example", "localhost")
    if command.startswith("payctl webhook verify"):
        (place / "body").write_bytes(b'{"id":"evt_1"}')
        at, mac = signed(gateway, (place / "body").read_bytes())
        secret = Path(gateway.env["RUN_DIR"]) / "secrets/stripe.whsec"
        command = command.replace(
            "/etc/nginx/secrets/stripe.whsec", str(secret)
        )
        command = re.sub(r"--now \d+", f"--now {at}", command)
        command = re.sub(r"t=\d+,v1=…", f"t={at},v1={mac}", command)
        return command.replace("< body", f"<{place / 'body'}")
    if EXAMPLES.search(command):
        # a row of another test must not be settled
        return re.sub(
            r"(show|settle|assign|requeue) (\d+)", r"\1 9000000\2", command
        )
    if command.startswith("systemctl"):
        # offline: links are made, nothing is started
        return command.replace(" --now", "").replace(
            "systemctl", f"systemctl --root={place}"
        )
    if command.startswith("install"):
        source = ROOT / "debian/examples/nginx.service.d/payments.conf"
        command = re.sub(r"/usr/share/doc/\S+/payments.conf", str(source),
                         command)  # fmt: skip
        return command.replace(" /etc/", f" {place}/etc/")
    if " sudo tee " in command:
        return re.sub(r"tee /", f"tee {place}/", command)
    return command


@pytest.mark.parametrize("command", HERE)
def test_a_command_works(command, gateway, place, environment):
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", here(command, gateway, place)],
        env=environment, cwd=place, text=True, check=False, timeout=60,
        stdin=subprocess.DEVNULL, capture_output=True,
    )  # fmt: skip
    said = done.stdout + done.stderr
    if EXAMPLES.search(command):
        # the database was asked
        none = ("not_found", "no ", "nothing is known")
        assert done.returncode == 0 or any(word in said for word in none)
        assert done.returncode in (0, 1), said
    else:
        assert done.returncode == 0, said


def test_the_units_that_are_enabled_are_there(place):
    (command,) = [c for c in SINGLE if c.startswith("systemctl enable")]
    units = command.split()[3:]
    known = {path.name for path in UNITS.iterdir()}
    for unit in units:
        assert {unit, f"{unit}.service"} & known, unit


def test_statements_that_change_rows_are_right(gateway):
    """Each in a transaction that is rolled back."""
    changes = [
        text for text in blocks("sql")
        if not text.lstrip().startswith("SELECT")
    ]  # fmt: skip
    assert changes
    link = psycopg2.connect(gateway.env["PG_ADMIN_DSN"])
    try:
        with link.cursor() as cursor:
            for text in changes:
                cursor.execute(text)
    finally:
        link.rollback()
        link.close()
