"""Runs as root on a machine, a chroot or a container on which the packages are
installed and nothing is set up: payctl init, the secrets that others hand over,
the three edits of payments.conf, the unit's main process, the mock PSP; then

  pays     pays one checkout, and asks payctl doctor, check and audit verify
  upgrade DIRECTORY  buys without a break while the packages of DIRECTORY
           take the place of the installed ones; only 503 may be answered, for a
           second at most where the machine has nothing else to do
  purge    removes the packages and looks for what is left

Each step is printed; a step that fails ends it with a message.
usage: inside.py pays|upgrade DIRECTORY|purge ...
"""

import contextlib
import fcntl
import json
import os
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import jwt

HOST = "pay.shop.test"
MOCK = 18080
CONF = Path("/etc/nginx/payments.conf")
SECRETS = Path("/etc/nginx/secrets")
WORK = Path("/srv/handed-over")
NOTIFY = "/run/ngx-payments-notify"
PACKAGES = ("libnginx-mod-http-payments", "payctl", "ngx-payments-mock")
SUPERVISE = "/usr/lib/ngx_payments/supervise"
ERRORS = Path("/var/log/ngx-payments/error.log")
BUYERS = 3
# Directives that nginx -t refuses, and that only the master does, as the mock
# has the port; and the lines of both in the log.
REFUSED = ("payments_nonsense on", f"listen 127.0.0.1:{MOCK}")
REFUSALS = ("payments_nonsense", f"bind() to 127.0.0.1:{MOCK}", "still could")
# Other packages' own, what is evidence, and what is no file of a package.
NOT_OURS = (
    "/proc/", "/sys/", "/dev/", "/run/", "/tmp/", "/srv/", "/packages",
    "/var/lib/dpkg/", "/var/lib/apt/", "/var/cache/", "/var/log/apt/",
    "/var/log/dpkg.log", "/var/lib/postgresql/", "/etc/postgresql/",
    "/var/log/postgresql/", "/etc/nginx/secrets/", "/etc/nginx/tls/",
    "/var/log/nginx/", "/var/log/alternatives.log", "/var/lib/nginx/",
    "/etc/ssl/", "/var/lib/systemd/", "/etc/hosts", "/etc/ld.so.cache",
    "/opt/",
)  # fmt: skip


def run(*command, **options) -> str:
    """Fails with what the command said."""
    print("$", *command, flush=True)
    done = subprocess.run(
        [str(word) for word in command], text=True, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=300, **options,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{command}: {done.returncode}\n{done.stdout}")
    return done.stdout


def until(condition, seconds: float, about):
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            about = about() if callable(about) else about
            raise SystemExit(f"gave up after {seconds} s: {about}")
        time.sleep(0.05)
    return value


# Set-up


def loopback_up():
    """In a network namespace of its own."""
    with socket.socket() as sock:
        request = struct.pack("16sh14x", b"lo", 1)
        fcntl.ioctl(sock, 0x8914, request)  # SIOCSIFFLAGS, IFF_UP


def start_postgres():
    Path("/run/postgresql").mkdir(exist_ok=True)
    run("chown", "postgres:", "/run/postgresql")
    if "online" not in run("pg_lsclusters", "-h"):
        # into a file: the server would keep a pipe open
        with open("/srv/postgres.log", "w") as log:
            subprocess.run(
                ["pg_ctlcluster", "15", "main", "start"], check=True,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
    until(
        lambda: Path("/run/postgresql/.s.PGSQL.5432").exists(), 20,
        lambda: Path("/srv/postgres.log").read_text()
        + run("sh", "-c", "pg_lsclusters; tail -n 30 /var/log/postgresql/*"),
    )  # fmt: skip


def payctl_init() -> list[str]:
    """A version before payctl init has the new one's, and its own SQL."""
    probe = subprocess.run(
        ["payctl", "init", "--help"], check=False, capture_output=True
    )
    if probe.returncode == 0:
        return ["payctl", "init"]
    new = next(Path("/packages/new").glob("payctl_*.deb"))
    run("dpkg-deb", "-x", new, "/opt/new")
    return ["/opt/new/usr/bin/payctl", "init", "--sql",
            "/usr/share/payctl/sql"]  # fmt: skip


def init_twice():
    """The second run changes nothing."""
    init = payctl_init()
    said = run(*init)
    print(said)
    for line in ("made      database payments", "left to do:",
                 "put your own names into"):  # fmt: skip
        assert line in said, line
    keys = {p: p.read_bytes() for p in SECRETS.iterdir()}
    assert len(keys) == 2, keys.keys()
    said = run(*init)
    assert "made" not in said, said
    assert "nothing to do" in said, said
    assert keys == {p: p.read_bytes() for p in SECRETS.iterdir()}


def openssl(*words):
    run("openssl", *words, cwd=WORK)


def handed_over():
    """What the PSP, the merchant and the CA hand over."""
    WORK.mkdir(exist_ok=True)
    mock = WORK / "mock"
    mock.mkdir(exist_ok=True)
    for name in ("stripe.key", "stripe.whsec"):
        (mock / name).write_text(f"{name.replace('.', '_')}_{uuid.uuid4()}\n")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
            "ca.key", "-out", "ca.pem", "-days", "60", "-subj", "/CN=ca",
            "-addext", "basicConstraints=critical,CA:TRUE")  # fmt: skip
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key",
            "-out", "server.csr", "-subj", f"/CN={HOST}")  # fmt: skip
    (WORK / "names").write_text(f"subjectAltName=DNS:{HOST}\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey",
            "ca.key", "-days", "60", "-CAcreateserial", "-extfile", "names",
            "-out", "server.pem")  # fmt: skip
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out",
            "acme.key")  # fmt: skip
    openssl("ec", "-in", "acme.key", "-pubout", "-out", "acme.pub")
    own = ["install", "-o", "root", "-g", "www-data", "-m", "0440"]
    run(*own, mock / "stripe.key", mock / "stripe.whsec", WORK / "server.key",
        SECRETS)  # fmt: skip
    run("install", "-m", "0444", WORK / "acme.pub", SECRETS)
    run("install", "-m", "0444", WORK / "server.pem", "/etc/nginx/tls")


def three_edits():
    """The host, the merchant's shop, the PSP: here the mock in its place."""
    edits = (
        ("pay.example.com", HOST),
        ("shop.example.com", "shop.test"),
        ("https://api.stripe.com", f"http://127.0.0.1:{MOCK}/stripe"),
        ("checkout.stripe.com", f"127.0.0.1:{MOCK}"),
    )
    text = CONF.read_text()
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    CONF.write_text(text)
    with open("/etc/hosts", "a") as hosts:
        hosts.write(f"127.0.0.1 localhost {HOST}\n")


def start_mock() -> subprocess.Popen:
    mock = subprocess.Popen(
        ["/usr/bin/ngx-payments-mock", "--port", str(MOCK), "--secrets",
         WORK / "mock", "--gateway", f"https://{HOST}", "--webhook-ca",
         WORK / "ca.pem"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    until(lambda: asked(f"http://127.0.0.1:{MOCK}/_control/health")[0] == 200,
          30, "the mock")  # fmt: skip
    return mock


class Unit:
    """The unit's main process as systemd would start it: as www-data with one
    capability, and with a socket that hears what it says."""

    def __init__(self):
        for place in ("/run/ngx-payments", "/var/log/ngx-payments"):
            run("install", "-d", "-o", "www-data", "-g", "www-data", place)
        Path(NOTIFY).unlink(missing_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(NOTIFY)
        run("chown", "www-data", NOTIFY)
        self.lines: list[str] = []
        threading.Thread(target=self.hear, daemon=True).start()
        self.process = subprocess.Popen(
            ["setpriv", "--reuid", "www-data", "--regid", "www-data",
             "--init-groups", "--no-new-privs", "--bounding-set",
             "-all,+net_bind_service", "--inh-caps", "-all,+net_bind_service",
             "--ambient-caps", "+net_bind_service", SUPERVISE, CONF],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                 "NOTIFY_SOCKET": NOTIFY, "WATCHDOG_USEC": "2000000"},
        )  # fmt: skip

    def hear(self):
        with contextlib.suppress(OSError):
            while True:
                self.lines += self.socket.recv(4096).decode().split("\n")

    def said(self, word: str, after: int = 0) -> bool:
        if self.process.poll() is not None:
            raise SystemExit("the unit's process has ended\n" + error_log())
        return any(line.startswith(word) for line in self.lines[after:])

    def wait(self, word: str, after: int = 0):
        until(lambda: self.said(word, after), 60,
              lambda: f"{word}; heard {self.lines}\n{error_log()}")  # fmt: skip

    def reload(self) -> int:
        """ExecReload= of the unit."""
        text = Path("/lib/systemd/system/ngx-payments.service").read_text()
        (line,) = [each for each in text.splitlines()
                   if each.startswith("ExecReload=")]  # fmt: skip
        command = line.partition("=")[2].replace(
            "$MAINPID", str(self.process.pid)
        )
        return subprocess.run(
            ["setpriv", "--reuid", "www-data", "--regid", "www-data",
             "--init-groups", *command.split()],
            check=False, timeout=90,
        ).returncode  # fmt: skip

    def workers(self) -> set[str]:
        master = Path("/run/ngx-payments/nginx.pid").read_text().strip()
        place = Path(f"/proc/{master}/task/{master}/children")
        return set(place.read_text().split())

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(70)
        assert code == 0, f"the unit's process ended with {code}"
        assert "STOPPING=1" in self.lines
        self.socket.close()


def error_log() -> str:
    return ERRORS.read_text()[-4000:] if ERRORS.exists() else "no error.log"


# Buying


def asked(url: str, body=None, headers=None) -> tuple[int, dict, dict]:
    """Status, JSON, header fields; 0: no answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers or {})
    if data is not None:
        request.add_header("Content-Type", "application/json")
    context = None
    if url.startswith("https"):
        context = ssl.create_default_context(cafile=WORK / "ca.pem")
    try:
        with urllib.request.urlopen(
            request, timeout=20, context=context
        ) as answer:
            text, status, fields = answer.read(), answer.status, answer.headers
    except urllib.error.HTTPError as error:
        text, status, fields = error.read(), error.code, error.headers
    except OSError as error:
        return 0, {"error": str(error)}, {}
    try:
        return status, json.loads(text), dict(fields)
    except ValueError:
        return status, {}, dict(fields)


def token() -> str:
    now = int(time.time())
    claims = {"iss": "acme", "aud": HOST, "iat": now, "exp": now + 600,
              "scope": "payments:write payments:read"}  # fmt: skip
    return jwt.encode(
        claims, (WORK / "acme.key").read_text(), algorithm="ES256",
        headers={"kid": "2026-01"},
    )  # fmt: skip


class Buyer:
    """One checkout from the request to SUCCESS.  503 with Retry-After is
    repeated with the same key, as a storefront does; all answers are kept."""

    def __init__(self, answers: list):
        self.answers = answers
        self.order = str(uuid.uuid4())
        self.fields = {"Authorization": f"Bearer {token()}"}

    def ask(self, url: str, **more):
        while True:
            got = asked(f"https://{HOST}{url}", **more)
            self.answers.append((time.monotonic(), got))
            if got[0] != 503 or "Retry-After" not in got[2]:
                return got
            time.sleep(0.02)  # the measure is how long it is refused

    def buy(self):
        body = {
            "checkout_id": str(uuid.uuid4()),
            "buyer_info": {"name": "Ada Example"},
            "payment_orders": [{"payment_order_id": self.order,
                                "seller_account": "seller-1",
                                "amount": "12.34", "currency": "USD"}],
            "return_url": "https://shop.test/back",
        }  # fmt: skip
        status, made, _ = self.ask(
            "/v1/payments", body=body,
            headers=self.fields | {"Idempotency-Key": str(uuid.uuid4())},
        )  # fmt: skip
        assert status in (201, 202), (status, made)
        page = until(lambda: self.page(), 30, f"a page of {self.order}")
        name = page.rpartition("/")[2].split("?")[0].split("#")[0]
        status, made, _ = asked(
            f"http://127.0.0.1:{MOCK}/_control/pay",
            {"token": name, "result": "paid"},
        )
        assert status == 200, made
        until(self.is_paid, 40, f"SUCCESS of {self.order}")

    def page(self) -> str:
        return run_quietly(
            "runuser", "-u", "postgres", "--", "psql", "-XAtd", "payments",
            "-c", "SELECT r.token FROM pay.registration r"
            " JOIN pay.payment_order o USING (merchant_id, checkout_id)"
            f" WHERE o.payment_order_id = '{self.order}'"
            " AND r.token IS NOT NULL LIMIT 1",
        ).strip()  # fmt: skip

    def is_paid(self) -> bool:
        status, state, _ = self.ask(
            f"/v1/payments/{self.order}", headers=self.fields
        )
        assert status == 200, (status, state)
        return state["status"] == "SUCCESS"


def run_quietly(*command) -> str:
    return subprocess.run(
        command, text=True, check=True, capture_output=True, timeout=60,
        stdin=subprocess.DEVNULL, cwd="/",
    ).stdout  # fmt: skip


def set_up() -> tuple[Unit, subprocess.Popen]:
    loopback_up()
    start_postgres()
    init_twice()
    handed_over()
    three_edits()
    mock = start_mock()
    unit = Unit()
    unit.wait("READY=1")
    unit.wait("WATCHDOG=1")
    return unit, mock


def looked_at():
    """payctl's own verdicts: of the installation one finding is left, that
    nothing is backed up."""
    done = subprocess.run(
        ["payctl", "doctor"], text=True, check=False, capture_output=True,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    print(done.stdout, done.stderr)
    findings = [w for w in done.stdout.splitlines() if w.startswith("MEND")]
    assert done.returncode == 1, done
    assert len(findings) == 1, findings
    assert "archive_mode is off" in findings[0], findings
    as_postgres = ("runuser", "-u", "postgres", "--")
    dsn = ("--dsn", "dbname=payments")
    run(*as_postgres, "payctl", "check", "--quiet", *dsn, cwd="/")
    # the log is verified once there is a seal
    until(lambda: int(run_quietly(
        *as_postgres, "psql", "-XAtd", "payments", "-c",
        "SELECT count(*) FROM pay.seal") or 0) > 0, 40, "a seal")  # fmt: skip
    run("bash", "-o", "pipefail", "-c",
        f"{' '.join(as_postgres)} payctl audit export {' '.join(dsn)} | "
        "payctl audit verify --key /etc/payctl/audit.pub.pem -",
        cwd="/")  # fmt: skip


def one_wrong(edit, undo, check: str):
    """A fault that is planted is found, with how to mend it."""
    edit()
    done = subprocess.run(
        ["payctl", "doctor", "--only", check], text=True, check=False,
        capture_output=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    undo()
    assert done.returncode == 1 and f"MEND      {check}:" in done.stdout, (
        check, done,
    )  # fmt: skip


def faults():
    key = SECRETS / "stripe.key"
    text = CONF.read_text()
    public = Path("/etc/payctl/audit.pub.pem")
    pem = public.read_text()
    psql = ("runuser", "-u", "postgres", "--", "psql", "-qXd", "payments", "-c")
    one_wrong(lambda: key.chmod(0o444), lambda: key.chmod(0o440), "secrets")
    one_wrong(lambda: key.rename("/srv/away"),
              lambda: Path("/srv/away").rename(key), "files")  # fmt: skip
    one_wrong(lambda: CONF.write_text(text.replace(HOST, "pay.example.com")),
              lambda: CONF.write_text(text), "configuration")  # fmt: skip
    public.chmod(0o644)
    one_wrong(lambda: public.write_text(other_public()),
              lambda: public.write_text(pem), "audit-key")  # fmt: skip
    public.chmod(0o444)
    one_wrong(lambda: run(*psql, "ALTER ROLE payments_gateway CREATEDB"),
              lambda: run(*psql, "ALTER ROLE payments_gateway NOCREATEDB"),
              "roles")  # fmt: skip
    one_wrong(
        lambda: run(*psql, "UPDATE pay.schema_migration SET sha256 = "
                    "repeat('0', 64) WHERE file = 'reapplied'"),
        lambda: run("payctl", "init", "--only", "database"),
        "schema",
    )  # fmt: skip
    ident = Path("/etc/postgresql/15/main/pg_ident.conf")
    lines = ident.read_text()
    one_wrong(
        lambda: ident.write_text(lines.replace("payments_gateway", "nobody")),
        lambda: ident.write_text(lines), "access",
    )  # fmt: skip


def other_public() -> str:
    openssl("genpkey", "-algorithm", "ed25519", "-out", "other.pem")
    return run("openssl", "pkey", "-in", "other.pem", "-pubout", cwd=WORK)


def pieces():
    """payments.d for an nginx.conf of one's own."""
    text = CONF.read_text()
    blocks = text[text.index("    payments_zone"):
                  text.index("    client_body_temp_path")]  # fmt: skip
    own = CONF.with_name("own.conf")
    own.write_text(f"""
        load_module modules/ngx_http_payments_module.so;
        user www-data; pid /run/own.pid; error_log /srv/own.log;
        events {{ }}
        http {{
            {blocks}
            include payments.d/limits.conf;
            include payments.d/tls.conf;
            include payments.d/log.conf;
            server {{
                listen 443 ssl http2; server_name {HOST};
                ssl_certificate tls/server.pem;
                ssl_certificate_key secrets/server.key;
                include payments.d/locations.conf;
            }}
        }}""")
    said = run("/usr/sbin/nginx", "-t", "-c", own)
    own.unlink()
    assert "[warn]" not in said, said


def reloads(unit: Unit):
    """systemctl reload fails where the old workers go on; it said that all is
    well, as kill(1) had."""
    text = CONF.read_text()
    old = unit.workers()
    assert unit.reload() == 0
    until(lambda: not old & unit.workers(), 90, lambda: "the old ones' end")
    before = unit.workers()
    for planted in REFUSED:
        CONF.write_text(text.replace("listen ", f"{planted}; listen ", 1))
        heard = len(unit.lines)
        assert unit.reload() == 1, planted
        assert unit.said("STATUS=reload refused", heard), unit.lines[heard:]
        assert unit.workers() == before, planted
        Buyer([]).buy()
    CONF.write_text(text)
    assert unit.reload() == 0
    assert unit.workers() - before
    Buyer([]).buy()


def pays():
    start = time.monotonic()
    unit, mock = set_up()
    Buyer([]).buy()
    print(f"paid after {time.monotonic() - start:.1f} s", flush=True)
    looked_at()
    faults()
    pieces()
    heard = len(unit.lines)
    unit.process.send_signal(signal.SIGHUP)
    unit.wait("STATUS=reload done", heard)
    Buyer([]).buy()
    reloads(unit)
    unit.stop()
    mock.terminate()
    errors = [line for line in ERRORS.read_text().splitlines()
              if "[alert]" in line or "[emerg]" in line]  # fmt: skip
    assert [line for line in errors
            if not any(word in line for word in REFUSALS)] == []  # fmt: skip
    print("pays: all well", flush=True)


def upgrade(place: str):
    """Bought without a break; what is acknowledged must be paid and booked."""
    unit, mock = set_up()
    answers: list = []
    paid: list[str] = []
    troubles: list[str] = []
    over = threading.Event()

    def shop():
        while not over.is_set():
            buyer = Buyer(answers)
            try:
                buyer.buy()
                paid.append(buyer.order)
            except (AssertionError, SystemExit) as trouble:
                troubles.append(str(trouble))

    buyers = [threading.Thread(target=shop) for _ in range(BUYERS)]
    for buyer in buyers:
        buyer.start()
    until(lambda: len(paid) >= 2 * BUYERS or troubles, 60, "payments before")
    keep = ("-o", "Dpkg::Options::=--force-confold")
    run("apt-get", "install", "-y", *keep, *sorted(Path(place).glob("*.deb")),
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"})  # fmt: skip
    print("the new packages are installed", flush=True)
    before = len(paid)
    until(lambda: len(paid) >= before + BUYERS or troubles, 60,
          "payments of the old master")  # fmt: skip
    heard = len(unit.lines)
    start = time.monotonic()
    print(run("payctl", "init", "--only", "database"))
    migrated = time.monotonic()
    unit.process.send_signal(signal.SIGHUP)
    unit.wait("STATUS=reload", heard)
    assert "STATUS=reload done" in unit.lines[heard:], unit.lines[heard:]
    done = time.monotonic()
    before = len(paid)
    until(lambda: len(paid) >= before + 2 * BUYERS or troubles, 60,
          "payments of the new master")  # fmt: skip
    over.set()
    for buyer in buyers:
        buyer.join()
    refused = [at for at, got in answers if got[0] == 503]
    good = (200, 201, 202, 503)
    others = [got[:2] for _, got in answers if got[0] not in good]
    gap = max(refused) - min(refused) if refused else 0.0
    print(f"upgrade: {len(paid)} payments, {len(answers)} answers, "
          f"{len(refused)} of them 503 within {gap:.2f} s; "
          f"migrate {migrated - start:.2f} s, "
          f"new master {done - migrated:.2f} s", flush=True)  # fmt: skip
    assert not troubles, troubles
    assert not others, others
    assert gap <= 1.0, gap
    booked = run_quietly(
        "runuser", "-u", "postgres", "--", "psql", "-XAtd", "payments", "-c",
        "SELECT count(*) FROM pay.payment_order WHERE status = 'SUCCESS'",
    )  # fmt: skip
    assert int(booked) == len(paid), (booked, len(paid))
    looked_at()
    unit.stop()
    mock.terminate()
    print("upgrade: all well", flush=True)


# Purge


def changed() -> set[str]:
    """Files and directories that are in the upper layer of the overlay: all
    that was written since the packages were installed, or by installing.
    Without an overlay: all files of this machine."""
    upper = os.environ.get("UPPER", "/upper")
    if not os.path.isdir(upper):
        upper = "/"
    found = subprocess.run(
        ["find", upper, "-xdev", "!", "-type", "c", "-printf", "/%P\\n"],
        text=True, check=True, capture_output=True,
    ).stdout.splitlines()  # fmt: skip
    return set(found)


def left_behind(owned: set[str]) -> list[str]:
    """Of what the packages had, or what has their names, and no package has."""
    words = ("payments", "payctl", "mock_psp")
    left = []
    for name in sorted(owned | changed()):
        if name.startswith(NOT_OURS) or not os.path.lexists(name):
            continue
        if not (name in owned or any(word in name for word in words)):
            continue
        keeper = subprocess.run(
            ["dpkg", "-S", name], check=False, capture_output=True
        )
        if keeper.returncode:
            left.append(name)
    return left


def purge():
    owned = set()
    for package in PACKAGES:
        owned |= set(run_quietly("dpkg", "-L", package).splitlines()) - {"/."}
    run("dpkg", "--purge", *PACKAGES)
    left = left_behind(owned)
    if left:
        raise SystemExit(f"left behind by purge: {left}")
    assert any(SECRETS.iterdir()), "purge took the keys"
    # the judge sees what would be left
    for planted in ("/usr/share/payctl/sql", "/var/log/ngx-payments"):
        Path(planted).mkdir(parents=True)
        assert planted in left_behind(owned), planted
    print("purge: clean", flush=True)


if __name__ == "__main__":
    {"pays": pays, "upgrade": upgrade, "purge": purge}[sys.argv[1]](
        *sys.argv[2:]
    )
