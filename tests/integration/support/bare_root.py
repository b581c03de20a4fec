"""A machine that has Debian's packages and nothing of ours, to try the
documented installation on.  Run as root by test_install.py inside namespaces
of its own (mounts, network, processes): the running root below an overlay,
with a fresh /run, /tmp and PostgreSQL cluster.  Prints what each step said; the
last line is "installed" when all was well.

usage: bare_root.py DIRECTORY ROOT SECRETS
"""

import fcntl
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import jwt

HOST = "pay.example.com"
MOCK = 18080
PG = "/etc/postgresql/15/main"
SUDO = """#!/bin/sh
# root already; of the options only -u USER
if [ "$1" = -u ]; then user=$2; shift 2; exec runuser -u "$user" -- "$@"; fi
exec "$@"
"""
# No network here: what is named must be a package that is installed.
APT = """#!/bin/sh
shift
for package; do
    case $package in -*) continue ;; esac
    dpkg-query -W -f '${db:Status-Status}\\n' "$package" | grep -qx installed ||
        { echo "$package is not installed"; exit 1; }
done
"""
# As nginx.service does: by the absolute path.
SYSTEMCTL = """#!/bin/sh
[ "$1 $2" = "restart nginx" ] && exec /usr/sbin/nginx
echo "no systemd here: $*"; exit 1
"""


def said_by(*command, **options) -> tuple[int, str]:
    """Into a file: a server that it starts would keep a pipe open."""
    with tempfile.TemporaryFile("w+") as out:
        done = subprocess.run(
            command, text=True, stdin=subprocess.DEVNULL, stdout=out,
            stderr=subprocess.STDOUT, timeout=60, check=False, **options,
        )  # fmt: skip
        out.seek(0)
        text = out.read()
    print("$", *command, "\n", text, done.returncode, flush=True)
    return done.returncode, text


def run(*command, **options) -> str:
    code, text = said_by(*command, **options)
    assert code == 0, (command, code)
    return text


def loopback_up():
    with socket.socket() as sock:
        request = struct.pack("16sh14x", b"lo", 1)
        fcntl.ioctl(sock, 0x8914, request)  # SIOCSIFFLAGS, IFF_UP


def overlay(base: Path, root: Path) -> Path:
    run("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", base)
    for name in ("up", "work", "root"):
        (base / name).mkdir()
    new = base / "root"
    run("mount", "-t", "overlay", "overlay", "-o",
        f"lowerdir=/,upperdir={base}/up,workdir={base}/work", new)  # fmt: skip
    run("mount", "-t", "proc", "proc", new / "proc")
    run("mount", "--rbind", "/dev", new / "dev")
    run("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", new / "run")
    run("mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", new / "tmp")
    source = new / "opt" / "source"
    source.mkdir(parents=True)
    for name in ("docs", "sql", "tests"):
        shutil.copytree(root / name, source / name, symlinks=True)
    for name in ("payctl", "modules/ngx_http_payments_module.so"):
        to = source / "build" / name
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / "build" / name, to)
    return new


def strip(new: Path):
    """Nothing of ours, and no cluster that somebody has made."""
    for path in ("usr/lib/nginx/modules/ngx_http_payments_module.so",
                 "usr/local/bin/payctl"):  # fmt: skip
        (new / path).unlink(missing_ok=True)
    shutil.rmtree(new / "etc/nginx/secrets", ignore_errors=True)
    shutil.rmtree(new / "etc/postgresql/15", ignore_errors=True)
    shutil.rmtree(new / "var/lib/postgresql/15", ignore_errors=True)
    for name, text in (
        ("sudo", SUDO), ("apt-get", APT), ("systemctl", SYSTEMCTL),
    ):  # fmt: skip
        tool = new / "usr/local/sbin" / name
        tool.write_text(text)
        tool.chmod(0o755)
    (new / "etc/hosts").write_text(f"127.0.0.1 localhost {HOST}\n")
    (new / "usr/sbin/policy-rc.d").unlink(missing_ok=True)


class Bare:
    def __init__(self, new: Path):
        self.new = new
        self.env = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin",
            "LC_ALL": "C.UTF-8",
            "CURL_CA_BUNDLE": "/opt/source/ca.pem",
        }

    def sh(self, script: str) -> str:
        return run(
            "chroot", self.new, "bash", "-euo", "pipefail", "-c",
            f"cd /opt/source\n{script}", env=self.env,
        )  # fmt: skip

    def fails(self, script: str) -> str:
        code, text = said_by(
            "chroot", self.new, "bash", "-c", f"cd /opt/source\n{script}",
            env=self.env,
        )  # fmt: skip
        assert code != 0, script
        return text


def blocks(root: Path) -> dict[str, str]:
    """The commands of docs/operations.md, by the comment above them."""
    text = (root / "docs/operations.md").read_text()
    found = re.findall(
        r"^```sh\n# (\w+: [\w ]+)\n(.*?)^```$", text, re.S | re.M
    )
    return dict(found)


def given(bare: Bare, secrets: Path):
    """What the PSP, the merchant and the CA hand over."""
    source = bare.new / "opt/source"
    for name in ("stripe.key", "stripe.whsec", "acme.pub"):
        shutil.copy2(secrets / name, source / name)
    bare.sh(
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem "
        "-days 2 -subj /CN=ca 2>/dev/null\n"
        "openssl req -newkey rsa:2048 -nodes -keyout privkey.pem -out s.csr "
        f"-subj /CN={HOST} 2>/dev/null\n"
        f"openssl x509 -req -in s.csr -CA ca.pem -CAkey ca.key -days 2 "
        f"-CAcreateserial -extfile <(echo subjectAltName=DNS:{HOST}) "
        "-out fullchain.pem 2>/dev/null"
    )


def own_names(bare: Bare):
    """The mock in the place of Stripe, and its page as the shop."""
    conf = bare.new / "etc/nginx/nginx.conf"
    text = conf.read_text()
    for old, new in (
        ("https://api.stripe.com", f"http://127.0.0.1:{MOCK}/stripe"),
        ("checkout.stripe.com", f"127.0.0.1:{MOCK}"),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    conf.write_text(text)


def start_mock(bare: Bare, secrets: Path):
    subprocess.Popen(
        [sys.executable, "-m", "mock_psp", "--port", str(MOCK), "--secrets",
         secrets, "--gateway", f"https://{HOST}", "--webhook-ca",
         bare.new / "opt/source/ca.pem"],
        env=os.environ | {
            "PYTHONPATH": str(bare.new / "opt/source/tests"),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
    )  # fmt: skip
    bare.sh(
        "curl -fsS --retry 50 --retry-delay 1 --retry-all-errors "
        f"http://127.0.0.1:{MOCK}/_control/health"
    )


def pay(bare: Bare, secrets: Path):
    now = int(time.time())
    claims = {"iss": "acme", "aud": HOST, "iat": now, "exp": now + 600,
              "scope": "payments:write payments:read"}  # fmt: skip
    token = jwt.encode(
        claims, (secrets / "acme.jwt.key").read_text(), algorithm="ES256",
        headers={"kid": "2026-01"},
    )  # fmt: skip
    order = str(uuid.uuid4())
    body = {
        "checkout_id": str(uuid.uuid4()),
        "buyer_info": {"name": "Ada Example"},
        "payment_orders": [{"payment_order_id": order,
                            "seller_account": "seller-1",
                            "amount": "12.34", "currency": "USD"}],
        "return_url": "https://shop.example.com/back",
    }  # fmt: skip
    (bare.new / "opt/source/body.json").write_text(json.dumps(body))
    ask = f"curl -fsS -H 'Authorization: Bearer {token}'"
    made = json.loads(bare.sh(
        f"{ask} -H 'Content-Type: application/json' "
        f"-H 'Idempotency-Key: {uuid.uuid4()}' --data @body.json "
        f"https://{HOST}/v1/payments"
    ))  # fmt: skip
    assert made["status"] == "EXECUTING", made
    name = bare.sh(
        "runuser -u postgres -- psql -XAtd payments -c "
        "'SELECT token FROM pay.registration WHERE token IS NOT NULL'"
    ).strip()
    bare.sh(
        "curl -fsS -H 'Content-Type: application/json' --data "
        f"'{json.dumps({'token': name, 'result': 'paid'})}' "
        f"http://127.0.0.1:{MOCK}/_control/pay"
    )
    limit = time.monotonic() + 20
    while True:
        state = json.loads(bare.sh(f"{ask} https://{HOST}/v1/payments/{order}"))
        if state["status"] == "SUCCESS":
            return
        assert time.monotonic() < limit, state
        time.sleep(0.2)  # between two looks


def people(bare: Bare):
    dsn = "dbname=payments user=payments_"
    bare.sh(f'runuser -u ann -- payctl dlq list --dsn "{dsn}operator"')
    bare.sh(f'runuser -u bob -- payctl check --dsn "{dsn}auditor"')
    psql = f'runuser -u carol -- psql -XAt "{dsn}finance" -c'
    bare.sh(f"{psql} 'SELECT count(*) FROM pay_view.wallets'")
    said = bare.fails(f"{psql} 'SELECT * FROM pay.checkout'")
    assert "permission denied" in said
    said = bare.fails(f'runuser -u carol -- psql "{dsn}operator" -c "SELECT 1"')
    assert "Peer authentication failed" in said
    said = bare.fails(f'runuser -u ann -- psql "{dsn}gateway" -c "SELECT 1"')
    assert "Peer authentication failed" in said


def main(base: str, source: str, secret_files: str) -> None:
    root, secrets = Path(source), Path(secret_files)
    loopback_up()
    new = overlay(Path(base), root)
    strip(new)
    bare = Bare(new)
    commands = blocks(root)
    bare.sh("for name in ann bob carol; do useradd -M $name; done")
    bare.sh("mkdir -p /run/postgresql; chown postgres: /run/postgresql")
    bare.sh("pg_createcluster 15 main; pg_ctlcluster 15 main start")
    given(bare, secrets)
    assert not (new / "usr/lib/nginx/modules/x").parent.is_dir() or not list(
        (new / "usr/lib/nginx/modules").glob("*payments*")
    )
    bare.sh(commands.pop("install: the files"))
    own_names(bare)
    bare.sh(commands.pop("install: the secrets"))
    said = bare.fails("cd /; sudo -u postgres payctl migrate --dsn dbname=x")
    assert "--sql DIR or PAYCTL_SQL" in said, said
    bare.sh(commands.pop("database: the schema"))
    bare.sh(commands.pop("database: the roles"))
    start_mock(bare, secrets)
    said = bare.sh(commands.pop("install: the start"))
    assert "[warn]" not in said.replace("conflicting server name", ""), said
    assert commands == {}, commands
    pay(bare, secrets)
    people(bare)
    log = (new / "var/log/nginx/payments.log").read_text()
    assert '"request_id":"' in log
    assert '"route":"/v1/payments"' in log
    errors = (new / "var/log/nginx/error.log").read_text()
    assert "connection lost" not in errors, errors
    print("installed")


if __name__ == "__main__":
    main(*sys.argv[1:])
