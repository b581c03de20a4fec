"""error.log says why: what PostgreSQL or libpq said when a connection or an
operation fails, the rule that a token broke, the member of a webhook or of an
answer that cannot be read.  Nothing of it holds a secret or floods the log."""

import contextlib
import http.server
import json
import os
import re
import socket
import subprocess
import threading
import time
import uuid

import httpx
import psycopg2
import pytest
from support.client import Api
from support.events import event_id, sign_standard
from support.gateway import ROOT
from support.nginxconf import MINIMAL, Nginx, gateway_dsn, swap
from support.tokens import Minter, b64
from support.waiting import wait_for

PAYCTL = os.environ.get("PAYCTL", str(ROOT / "build" / "payctl"))
DSN = '"@DSN@" connections=2'
LOST = "database connection lost"


class Alive(Nginx):
    """A gateway whose database need not be there."""

    def ready(self) -> bool:
        try:
            answer = httpx.get(
                f"{self.url}/healthz", verify=self.gateway.ssl_context()
            )
        except httpx.TransportError:
            return False
        return answer.status_code == 200

    def lines(self, says: str) -> list[str]:
        text = self.error_log.read_text(errors="replace")
        return [line for line in text.splitlines() if re.search(says, line)]

    def line(self, says: str) -> str:
        return wait_for(lambda: self.lines(says), what=says)[0]


@pytest.fixture
def alive(gateway, tmp_path):
    """alive(dsn) → a gateway with that connection string."""
    with contextlib.ExitStack() as stack:

        def start(dsn, *pairs):
            text = swap(MINIMAL, (DSN, f'"{dsn}" connections=2'), *pairs)
            nginx = Alive(gateway, tmp_path, text)
            return stack.enter_context(nginx.start())

        yield start


@pytest.fixture
def passfile(gateway, open_directory):
    """passfile(user, password) → the words of a connection string."""
    words = dict(re.findall(r"(\w+)=(\S+)", gateway_dsn(gateway.conf)))

    def make(user, password, **changes):
        path = open_directory / f"{user}.pgpass"
        path.write_text(f"*:*:*:*:{password}\n")
        path.chmod(0o600)
        if os.geteuid() == 0:
            os.chown(path, *nobody())
        given = words | {"user": user, "passfile": f"'{path}'"} | changes
        return " ".join(f"{name}={value}" for name, value in given.items())

    return make


def nobody() -> tuple[int, int]:
    import grp
    import pwd

    return pwd.getpwnam("nobody").pw_uid, grp.getgrnam("nogroup").gr_gid


# PostgreSQL


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("dbname=payments", "dbname=nosuch"),
         r'message:.*FATAL: database "nosuch" does not exist'),
        (("user=payments_gateway", "user=nosuch"),
         "message:.*(authentication failed|no password supplied)"),
        ((r"port=\d+", "port=1"),
         "message:connection to server .* failed: No such file.*"
         "Is the server running"),
        ((r"host='[^']+' port=\d+", "host=127.0.0.1 port=1"),
         "message:.*Connection refused"),
        (("dbname=", "sslmode=require host=127.0.0.1 dbname="),
         "message:.*server does not support SSL"),
    ],
)  # fmt: skip
def test_why_there_is_no_connection_is_in_the_log(gateway, alive, change, says):
    dsn = gateway_dsn(gateway.conf)
    if "sslmode" in change[1]:
        dsn = re.sub(r"host='[^']+' ", "", dsn)
    changed = re.sub(*change, dsn, count=1)
    assert changed != dsn
    nginx = alive(changed)
    assert re.search(says, nginx.line(LOST))


def test_a_wrong_password_is_named_and_not_shown(alive, passfile):
    nginx = alive(passfile("payments_gateway", "canary-of-a-password"))
    line = nginx.line("password authentication failed for user")
    assert "payments_gateway" in line
    assert "canary" not in nginx.error_log.read_text()


def test_a_role_without_rights_is_named(gateway, alive, passfile):
    password = re.search(
        "payments_auditor:([^@]+)@", os.environ.get("PG_DSN") or pg_dsn(gateway)
    )[1]
    nginx = alive(passfile("payments_auditor", password))
    line = nginx.line("cannot be prepared")
    assert re.search("sqlstate:42501, .*message:permission denied for", line)
    assert password not in nginx.error_log.read_text()


def pg_dsn(gateway) -> str:
    return dict(
        line.split("=", 1)
        for line in (gateway.run / "gateway.env").read_text().splitlines()
    )["PG_DSN"].replace("\\", "")


def admin_dsn(gateway) -> str:
    return dict(
        line.split("=", 1)
        for line in (gateway.run / "gateway.env").read_text().splitlines()
    )["PG_ADMIN_DSN"].replace("\\", "")


def test_a_superuser_is_warned_of_at_each_connection(gateway, alive, passfile):
    password = re.search("postgres:([^@]+)@", admin_dsn(gateway))[1]
    nginx = alive(passfile("postgres", password))
    nginx.line("connected as a superuser")


@contextlib.contextmanager
def revoked(gateway, function):
    with psycopg2.connect(admin_dsn(gateway)) as db:
        cursor = db.cursor()
        cursor.execute(
            "SELECT p.oid::regprocedure::text FROM pg_proc p "
            "JOIN pg_namespace n ON n.oid = p.pronamespace "
            "WHERE n.nspname = 'pay_api' AND p.proname = %s",
            (function,),
        )
        (name,) = cursor.fetchone()
        cursor.execute(
            f"REVOKE EXECUTE ON FUNCTION {name} FROM payments_gateway"
        )
        db.commit()
        try:
            yield
        finally:
            cursor.execute(
                f"GRANT EXECUTE ON FUNCTION {name} TO payments_gateway"
            )
            db.commit()


def test_why_an_operation_fails_is_in_the_log(gateway, alive, mint):
    nginx = alive(gateway_dsn(gateway.conf))
    nginx.line("database connected")
    api = Api(nginx.url, gateway.ssl_context(), mint(), patient=False)
    with revoked(gateway, "get_order"):
        for _ in range(20):
            answer = api.get(f"/v1/payments/{uuid.uuid4()}")
            assert answer.status_code in (500, 503)
            assert "permission" not in answer.text
    lines = nginx.lines("operation failed")
    assert 5 <= len(lines) <= 8, lines
    assert "message:permission denied for function get_order" in lines[0]
    assert "sqlstate:42501" in lines[0]


def test_a_loop_of_reconnects_does_not_flood_the_log(alive):
    """Each connection says it once; the next one tells how many were not."""
    tried = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up():
            with contextlib.suppress(OSError):
                while True:
                    client, _ = server.accept()
                    tried.append(client)
                    client.close()

        threading.Thread(target=hang_up, daemon=True).start()
        port = server.getsockname()[1]
        nginx = alive(f"host=127.0.0.1 port={port} dbname=x user=y")
        wait_for(lambda: len(tried) >= 12, what="a dozen attempts")
    lines = nginx.lines(LOST)
    assert len(lines) <= 4, lines
    assert "message:" in lines[0]


# tokens


@pytest.fixture
def refusals(gateway):
    """refusals(n) → the lines about tokens that were refused since."""
    start = gateway.error_log.stat().st_size

    def find():
        with open(gateway.error_log, errors="replace") as log:
            log.seek(start)
            return [line for line in log if "token refused" in line]

    return find


def get(anonymous, token):
    return anonymous.get(
        "/v1/payments/none", headers={"Authorization": f"Bearer {token}"}
    )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"headers": {"kid": "acme-1999"}},
         "why:kid is none of the keys of iss, kid:acme-1999, merchant:acme"),
        ({"aud": "other"}, "why:aud is missing, or is not the gateway's"),
        ({"exp": 1_500_000_000}, "why:exp has passed, kid:acme-2026-01"),
        ({"exp": 4_000_000_000}, "why:its lifetime, exp minus iat, is longer"),
        ({"iss": "evil\nline"}, "why:iss is no merchant here, "
                                "kid:acme-2026-01, merchant:,"),
        ({"headers": {"kid": "a\n[alert] b"}}, "why:kid is not 1 to 64 of "
                                               "[^,]*, kid:, merchant:,"),
    ],
)  # fmt: skip
def test_why_a_token_is_refused_is_in_the_log(
    gateway, anonymous, mint, refusals, changes, says
):
    changes = dict(changes)
    headers = changes.pop("headers", {})
    token = mint.sign(
        json.dumps(mint.claims(**changes)).encode(),
        headers=mint.header(**headers),
    ) if headers else mint(**changes)  # fmt: skip

    def logged():
        answer = get(anonymous, token)
        assert answer.status_code == 401
        assert "detail" not in answer.json()
        return [line for line in refusals() if re.search(says, line)]

    (line, *_) = wait_for(logged, what=says)
    assert "[notice]" in line
    assert token not in line
    assert re.search(r"request_id:[0-9a-f-]{36}, omitted:\d+", line)


def test_a_flood_of_wrong_tokens_does_not_flood_the_log(anonymous, refusals):
    begun = time.monotonic()
    for i in range(200):
        assert get(
            anonymous, f"e30.e30.{b64(str(i).encode())}"
        ).status_code in (
            401,
            429,
        )
    seconds = time.monotonic() - begun
    assert len(refusals()) <= 2 * (5 + seconds + 1)


# payctl jwt verify


def judge(gateway, token, *more, kid="acme-2026-01", issuer="acme"):
    done = subprocess.run(
        [PAYCTL, "jwt", "verify", "--key", gateway.secrets / "acme.pub",
         "--kid", kid, "--alg", "ES256", "--issuer", issuer, *more],
        input=token, text=True, timeout=20, check=False, capture_output=True,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_payctl_says_valid_of_a_good_token(gateway, mint):
    assert judge(gateway, mint() + "\n") == (0, "valid\n", "")
    assert judge(gateway, f"Bearer {mint()}") == (0, "valid\n", "")


@pytest.mark.parametrize(
    ("changes", "more", "reason"),
    [
        ({}, ["--audience", "pay.example.com"], "aud is missing"),
        ({}, ["--now", "1500000000"], "iat is in the future"),
        ({}, ["--max-lifetime", "60"], "its lifetime, exp minus iat"),
        ({"iss": "globex"}, [], "iss is no merchant here"),
        ({"exp": None}, [], "exp is missing"),
    ],
)
def test_payctl_says_why_a_token_is_refused(
    gateway, mint, changes, more, reason
):
    code, said, complaint = judge(gateway, mint(**changes), *more)
    assert (code, complaint) == (1, "")
    assert said.startswith(f"invalid: {reason}")


def test_payctl_says_that_a_signature_is_another_keys(gateway, other_mint):
    other = Minter("acme", other_mint.key, "acme-2026-01")
    assert judge(gateway, other()) == (
        1, "invalid: the signature is not of this key\n", "",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--key", "/nowhere"], "--kid"),
        (["--key", "/nowhere", "--kid", "a"], "--alg"),
        (["--key", "/nowhere", "--kid", "a", "--alg", "none"], "RS256"),
        (["--key", "/nowhere", "--kid", "a", "--alg", "ES256"], "--issuer"),
        (["--key", "/nowhere", "--kid", "a", "--alg", "ES256",
          "--issuer", "a"], "/nowhere: cannot be opened"),
        (["--kid", "a"], "--key"),
    ],
)  # fmt: skip
def test_payctl_jwt_names_what_is_missing(arguments, says):
    done = subprocess.run(
        [PAYCTL, "jwt", "verify", *arguments], input="", text=True, timeout=20,
        check=False, capture_output=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


# webhooks


def paid(**changes) -> dict:
    data = {
        "token": "tok-1", "payment_id": "pay-1", "amount": "12.34",
        "currency": "EUR",
    }  # fmt: skip
    data.update(changes)
    return {k: v for k, v in data.items() if v is not None}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"type": "registration.paid", "data": paid(amount=None)},
         "/data/amount"),
        ({"type": "registration.paid", "data": paid(token="a b")},
         "/data/token"),
        ({"type": "refund.done", "data": paid(id=None)}, "/data/id"),
        ({"type": "refund.done", "data": paid(id="re-1", amount=12)},
         "/data/amount"),
        ({"type": "refund.done",
          "data": paid(id="re-1", token=None, payment_id=None)},
         "/data/token"),
        ({"data": paid()}, "/type"),
        ({"id": "another", "type": "registration.paid", "data": paid()},
         "/id"),
    ],
)  # fmt: skip
def test_a_webhook_that_is_no_event_is_told_which_member(
    gateway, anonymous, body, pointer
):
    secret = (gateway.secrets / "generic.whsec").read_text().strip()
    start = gateway.error_log.stat().st_size
    says = f"what:webhook, member:{pointer}, rule:must "

    def logged():
        raw = json.dumps(body).encode()
        headers = sign_standard(secret, event_id(), int(time.time()), raw)
        answer = anonymous.post(
            "/webhooks/generic", content=raw,
            headers=[*dict(headers).items(),
                     ("Content-Type", "application/json")],
        )  # fmt: skip
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"].endswith(pointer)
        with open(gateway.error_log, errors="replace") as log:
            log.seek(start)
            return [line for line in log if says in line]

    (line, *_) = wait_for(logged, what=says)
    assert "[warn]" in line
    assert "psp:generic" in line
    assert "12.34" not in line


def test_another_psps_webhook_is_told_nothing_but_the_log(gateway, anonymous):
    import hashlib
    import hmac

    secret = (gateway.secrets / "stripe.whsec").read_text().strip()
    raw, when = b'{"object":"event"}', int(time.time())
    digest = hmac.new(
        secret.encode(), f"{when}.".encode() + raw, hashlib.sha256
    ).hexdigest()
    start = gateway.error_log.stat().st_size

    def logged():
        answer = anonymous.post(
            "/webhooks/stripe", content=raw,
            headers={"Stripe-Signature": f"t={when},v1={digest}",
                     "Content-Type": "application/json"},
        )  # fmt: skip
        assert answer.status_code == 422
        assert "errors" not in answer.json()
        with open(gateway.error_log, errors="replace") as log:
            log.seek(start)
            return [x for x in log if "an event has its id and its type" in x]

    assert wait_for(logged, what="the rule")


# answers


class Bridge(http.server.BaseHTTPRequestHandler):
    """A generic PSP; `mend` changes its answer to a registration."""

    def do_POST(self):
        size = int(self.headers["Content-Length"])
        sent = json.loads(self.rfile.read(size))
        answer = {
            name: sent[name]
            for name in ("nonce", "reference", "amount", "currency")
        }
        answer |= {"token": "tok-1", "status": "open"}
        answer["hosted_url"] = f"http://{self.headers['Host']}/pay"
        body = self.server.mend(answer)
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def bridge():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bridge)
    server.status = 201
    server.mend = dict
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def without(name):
    return lambda answer: {k: v for k, v in answer.items() if k != name}


@pytest.mark.parametrize(
    ("mend", "status", "says"),
    [
        (without("amount"), 201, "member:amount, rule:must be a string"),
        (without("nonce"), 201, "member:nonce, rule:must be a string"),
        (without("token"), 201, "member:token, rule:must be 1 to 255"),
        (without("hosted_url"), 201, "member:hosted_url, rule:must be a URL"),
        (without("status"), 201, "member:status, rule:must be one of"),
        (lambda a: a | {"amount": "0.01"}, 201,
         "member:amount, rule:must repeat what was sent"),
        (lambda _: b"<html>", 200, "member:, rule:must be a JSON object"),
        (lambda _: {}, 404, "member:, rule:a refusal must have the PSP's own"),
    ],
)  # fmt: skip
def test_an_answer_that_cannot_be_read_says_which_member(
    gateway, alive, bridge, mint, checkout, mend, status, says
):
    bridge.mend, bridge.status = mend, status
    address = f"127.0.0.1:{bridge.server_address[1]}"
    nginx = alive(
        gateway_dsn(gateway.conf),
        ("base_url           @MOCK@/generic;", f"base_url http://{address};"),
        (
            "hosted_page_host   @MOCKHOST@;\n        timeout",
            f"hosted_page_host {address};\n        timeout",
        ),
    )
    nginx.line("database connected")
    api = Api(nginx.url, gateway.ssl_context(), mint(), patient=False)
    answer = api.create(checkout(psp="generic"))
    assert answer.status_code == 202, answer.text
    line = nginx.line("cannot be read")
    assert f"psp:generic, what:register, {says}" in line
    assert answer.json()["checkout_id"] in line
