"""Small nginx configurations: written, tested with nginx -t, or run on a free
port against the stack's PostgreSQL and mock PSP.

A test starts from a good text and swap()s one thing in it.
"""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import httpx

from . import aftermath, canary
from .ports import free_port

READY_S = 60
STOP_S = 60

# The example of docs/architecture.md with what a test machine has.
MINIMAL = """\
load_module "@MODULE@";
@USER@
worker_processes  1;
daemon            off;
pid               @DIR@/nginx.pid;
error_log         @DIR@/error.log notice;

events {
    worker_connections  256;
}

http {
    payments_zone      zone=payments:16m;
    payments_database  "@DSN@" connections=2 batch=256 queue=4096;
    payments_audience  ngx_payments;
    payments_jobs      off;
    payments_jwt_max_lifetime  25h;

    payments_psp generic {
        adapter            generic;
        base_url           @MOCK@/generic;
        api_key_file       secrets/generic.key;
        webhook_key_file   secrets/generic.whsec;
        webhook_tolerance  300s;
        hosted_page_host   @MOCKHOST@;
        timeout            connect=2s total=10s;
    }

    payments_psp stripe {
        adapter            stripe;
        base_url           @MOCK@/stripe;
        api_key_file       secrets/stripe.key;
        webhook_key_file   secrets/stripe.whsec;
        hosted_page_host   @MOCKHOST@;
    }

    payments_merchant acme {
        jwt_key      kid=acme-2026-01 alg=ES256 file=secrets/acme.pub;
        return_host  shop.example.com @MOCKHOST@;
        psp          generic stripe;
    }

    payments_merchant globex {
        jwt_key      kid=globex-2026-01 alg=ES256 file=secrets/globex.pub;
        return_host  shop.globex.example;
        psp          generic;
    }

    server_tokens          off;
    access_log             @DIR@/access.log;
    client_body_temp_path  @DIR@/tmp;
    proxy_temp_path        @DIR@/tmp;
    fastcgi_temp_path      @DIR@/tmp;
    uwsgi_temp_path        @DIR@/tmp;
    scgi_temp_path         @DIR@/tmp;
    ssl_certificate        @TLS@;
    ssl_certificate_key    secrets/server.key;

    server {
        listen       127.0.0.1:@PORT@ ssl http2;
        server_name  localhost;

        location /v1/        { payments_api;  payments_rate_limit rate=100r/s burst=200;  payments_idempotency required ttl=24h in_progress=429; }
        location /checkout/  { payments_checkout; }
        location /return/    { payments_return; }
        location /webhooks/  { payments_webhook; }
        location = /metrics  { payments_metrics; allow 127.0.0.1; deny all; }
        location = /healthz  { payments_health live; }
        location = /readyz   { payments_health ready; }
        location /problems   { payments_problems; }
        location /           { return 404; }
    }
}
"""  # noqa: E501 - as the document writes it


def gateway_dsn(conf: Path) -> str:
    """The gateway role's DSN out of the stack's nginx.conf."""
    found = re.search(r'payments_database\s+"([^"]+)"', conf.read_text())
    assert found, f"no payments_database in {conf}"
    return found.group(1)


def swap(text: str, *pairs: tuple[str, str]) -> str:
    """Replaces each old by its new; each old must stand there once."""
    for old, new in pairs:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
        text = text.replace(old, new)
    return text


class Nginx:
    """A directory with a configuration of its own; `secrets` are the stack's.

    Used as a context manager after start(): stopped by pid, then its error
    log must be clean and hold no secret.
    """

    def __init__(self, gateway, directory: Path, text: str = MINIMAL):
        self.gateway = gateway
        self.dir = directory
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"
        self.error_log = directory / "error.log"
        self.conf = directory / "nginx.conf"
        self.process = None
        (directory / "tmp").mkdir(exist_ok=True)
        self.secrets = directory / "secrets"
        if not self.secrets.exists():
            self.secrets.symlink_to(gateway.secrets)
        self.text = self.fill(text)

    def fill(self, text: str) -> str:
        gateway = self.gateway
        root = os.geteuid() == 0
        for name, value in {
            "MODULE": gateway.module,
            "USER": "user nobody nogroup;" if root else "",
            "DIR": str(self.dir),
            "DSN": gateway_dsn(gateway.conf),
            "MOCK": gateway.mock_url,
            "MOCKHOST": gateway.mock_url.partition("//")[2],
            "TLS": str(gateway.run / "tls" / "server.pem"),
            "PORT": str(self.port),
        }.items():
            text = text.replace(f"@{name}@", value)
        return text

    def command(self) -> list[str]:
        return [self.gateway.nginx, "-p", str(self.dir), "-c", str(self.conf)]

    def environment(self) -> dict[str, str]:
        """A sanitized module needs its runtime in front (docs/security.md F7);
        leaks are looked for in the stack's nginx, which lives longer."""
        built = Path(self.gateway.module).parents[1]
        env = dict(os.environ)
        if (built / "nodlclose.so").exists():
            library = subprocess.check_output(
                ["gcc", "-print-file-name=libasan.so"], text=True
            ).strip()
            env |= {
                "LD_PRELOAD": f"{library}:{built / 'nodlclose.so'}",
                "ASAN_OPTIONS": "detect_leaks=0:detect_odr_violation=0",
                "UBSAN_OPTIONS": "print_stacktrace=1",
            }
        return env

    def test(self) -> tuple[int, str]:
        """nginx -t: its exit code and what it says."""
        self.conf.write_text(self.text)
        done = subprocess.run(
            [*self.command(), "-t"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
            env=self.environment(),
        )
        return done.returncode, done.stdout.decode(errors="replace")

    def start(self) -> "Nginx":
        self.conf.write_text(self.text)
        with open(self.dir / "nginx.out", "wb") as out:
            self.process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=self.environment(),
            )
        limit = time.monotonic() + READY_S
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > limit:
                self.process.kill()
                said = (self.dir / "nginx.out").read_text()
                raise AssertionError(f"nginx did not come up: {said}")
            time.sleep(0.02)  # between two looks at /readyz
        return self

    def ready(self) -> bool:
        context = self.gateway.ssl_context()
        try:
            answer = httpx.get(f"{self.url}/readyz", verify=context)
        except httpx.TransportError:
            return False
        return answer.status_code == 200

    def stop(self) -> None:
        self.process.send_signal(signal.SIGQUIT)
        try:
            code = self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("nginx did not end on SIGQUIT") from None
        said = (self.dir / "nginx.out").read_text()
        assert code == 0, f"nginx ended with {code}: {said}"
        assert aftermath.bad_lines(self.error_log) == []
        scanner = canary.scanner(self.gateway.secrets)
        for log in (self.error_log, self.dir / "access.log"):
            scanner.read_file(log)
        assert scanner.found == [], scanner.found[:10]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
