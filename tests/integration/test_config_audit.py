"""payments_audit, wrong and right, as nginx -t sees it."""

import os
import subprocess

import pytest
from support.nginxconf import MINIMAL, Nginx, swap
from test_config import (
    directory,  # noqa: F401 - a fixture
    refuse,  # noqa: F401 - a fixture
)
from test_config_words import JOBS

KEY = "key_file=secrets/audit.pem"
SERVER = "server_name  localhost;"


def genpkey(path, *words) -> None:
    subprocess.run(
        ["openssl", "genpkey", "-out", path, *words],
        check=True,
        capture_output=True,
    )
    os.chmod(path, 0o400)


@pytest.fixture(name="keys", autouse=True)
def key_files(directory):  # noqa: F811
    secrets = directory / "secrets"
    genpkey(secrets / "audit.pem", "-algorithm", "ED25519")
    genpkey(secrets / "next.pem", "-algorithm", "ED25519")
    genpkey(secrets / "x25519.pem", "-algorithm", "X25519")
    genpkey(secrets / "rsa.pem", "-algorithm", "RSA")
    genpkey(secrets / "locked.pem", "-algorithm", "ED25519", "-aes128",
            "-pass", "pass:secret")  # fmt: skip
    genpkey(secrets / "shown.pem", "-algorithm", "ED25519")
    os.chmod(secrets / "shown.pem", 0o404)
    genpkey(secrets / "changeable.pem", "-algorithm", "ED25519")
    os.chmod(secrets / "changeable.pem", 0o420)
    one = (secrets / "audit.pem").read_bytes()
    (secrets / "two.pem").write_bytes(one + (secrets / "next.pem").read_bytes())
    (secrets / "cut.pem").write_bytes(one[:60])
    (secrets / "empty.pem").write_bytes(b"")
    (secrets / "text.pem").write_bytes(b"sk_live_do_not_print_me\n")
    public = subprocess.run(
        ["openssl", "pkey", "-in", secrets / "audit.pem", "-pubout"],
        check=True, capture_output=True,
    ).stdout  # fmt: skip
    (secrets / "public.pem").write_bytes(public)
    for name in ("two", "cut", "empty", "text", "public"):
        os.chmod(secrets / f"{name}.pem", 0o400)
    return secrets


def at_http(*lines: str) -> tuple[str, str]:
    return JOBS, JOBS + "".join(f" {line};" for line in lines)


@pytest.mark.parametrize("words", [
    KEY,
    f"{KEY} interval=10ms",
    f"interval=10m {KEY}",
    f"{KEY} next_key_file=secrets/next.pem",
    f"{KEY} export=seals.jsonl",
    f'{KEY} "export=syslog:server=127.0.0.1:5514"',
    f'{KEY} "export=syslog:server=unix:/nowhere,facility=auth,tag=pay,'
    'severity=info,nohostname"',
])  # fmt: skip
def test_a_right_line_passes(gateway, directory, words):  # noqa: F811
    text = swap(MINIMAL, at_http(f"payments_audit {words}"))
    code, said = Nginx(gateway, directory, text).test()
    assert code == 0, said


BAD = [
    # keys
    ("", "number of arguments"),
    ("interval=10s", "needs key_file="),
    ("key_file=", 'does not know "key_file="'),
    ("key_file=secrets", "is not a regular file"),
    ("key_file=secrets/none.pem", "cannot open"),
    ("key_file=secrets/shown.pem", "others can read or change it"),
    ("key_file=secrets/changeable.pem", "others can read or change it"),
    ("key_file=secrets/empty.pem", "is empty"),
    ("key_file=secrets/public.pem", "this is a public key"),
    ("key_file=secrets/x25519.pem", "this is no Ed25519 private key"),
    ("key_file=secrets/rsa.pem", "no Ed25519|one BEGIN PRIVATE KEY"),
    ("key_file=secrets/locked.pem", "without a pass phrase"),
    ("key_file=secrets/two.pem", "one BEGIN PRIVATE KEY block"),
    ("key_file=secrets/cut.pem", "this is no Ed25519 private key"),
    ("key_file=secrets/text.pem", "payctl audit keygen makes one"),
    (f"{KEY} {KEY}", "stands twice"),
    (f"{KEY} next_key_file=secrets/none.pem", "cannot open"),
    (f"{KEY} next_key_file=secrets/shown.pem", "others can read or change it"),
    (f"{KEY} next_key_file=secrets/public.pem", "this is a public key"),
    (f"{KEY} next_key_file=secrets/audit.pem", "the same key as key_file="),
    ("next_key_file=secrets/next.pem", "needs key_file="),
    # the other words
    (f"{KEY} keys=2", 'does not know "keys=2"'),
    (f"{KEY} on", 'does not know "on"'),
    (f"{KEY} interval=9ms", "from 10ms to 10m"),
    (f"{KEY} interval=11m", "from 10ms to 10m"),
    (f"{KEY} interval=0", "from 10ms to 10m"),
    (f"{KEY} interval=soon", "from 10ms to 10m"),
    (f"{KEY} interval=1s interval=2s", "stands twice"),
    (f"{KEY} export=", 'does not know "export="'),
    (f"{KEY} export=syslog:", "syslog"),
    (f"{KEY} export=syslog:local7", "syslog"),
    (f'{KEY} "export=syslog:server=127.0.0.1:5514,facility=kitchen"',
     "facility"),
    (f'{KEY} "export=syslog:server=nowhere.invalid"', "host not found|syslog"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "says"), BAD, ids=[w for w, _ in BAD])
def test_a_wrong_line_is_refused(refuse, words, says):  # noqa: F811
    said = refuse(says, at_http(f"payments_audit {words}"))
    assert "sk_live" not in said


def test_an_export_that_cannot_be_opened_is_refused(
    gateway,
    directory,  # noqa: F811
):
    line = f"payments_audit {KEY} export=nowhere/seals.jsonl"
    text = swap(MINIMAL, at_http(line))
    code, said = Nginx(gateway, directory, text).test()
    assert code != 0
    assert "open()" in said
    assert "nowhere/seals.jsonl" in said


def test_a_second_line_is_refused(refuse):  # noqa: F811
    line = f"payments_audit {KEY}"
    refuse("is duplicate", at_http(line, line))


def test_it_belongs_to_the_http_block(refuse):  # noqa: F811
    refuse("not allowed here", (SERVER, f"{SERVER} payments_audit {KEY};"))
