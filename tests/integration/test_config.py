"""nginx -t refuses bad configurations with file, line and the way to mend
them; the example of docs/architecture.md passes."""

import os
import re
import subprocess

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from support.gateway import ROOT
from support.nginxconf import MINIMAL, Nginx, swap

# docs/architecture.md#the-configuration, word for word but for pin and address
DESIGN = """\
load_module "@MODULE@";
@USER@
pid        @DIR@/nginx.pid;
error_log  @DIR@/error.log;
events { }
http {
    payments_zone      zone=payments:16m;
    payments_database  "host=/run/postgresql dbname=payments user=payments_gateway" connections=2 batch=256 queue=4096;
    payments_psp stripe {
        adapter            stripe;
        base_url           https://api.stripe.com;
        api_key_file       secrets/stripe.key;
        webhook_key_file   secrets/stripe.whsec secrets/stripe.whsec.next;
        webhook_tolerance  300s;
        hosted_page_host   checkout.stripe.com;
        pinned_public_key  sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=;
        timeout            connect=2s total=10s;
    }
    payments_psp adyen {
        adapter            generic;
        base_url           https://checkout.example.com/v71;
        api_key_file       secrets/generic.key;
        webhook_key_file   secrets/generic.whsec;
        hosted_page_host   checkout.example.com;
    }
    payments_merchant acme { jwt_key kid=2026-01 alg=ES256 file=secrets/acme.pub; return_host shop.example.com; psp stripe adyen; }
    ssl_certificate      @TLS@;
    ssl_certificate_key  secrets/server.key;
    client_body_temp_path  @DIR@/tmp;
    proxy_temp_path        @DIR@/tmp;
    fastcgi_temp_path      @DIR@/tmp;
    uwsgi_temp_path        @DIR@/tmp;
    scgi_temp_path         @DIR@/tmp;
    access_log             off;
    server {
        listen 127.0.0.1:@PORT@ ssl http2;
        location /v1/        { payments_api;  payments_rate_limit rate=100r/s burst=200;  payments_idempotency required ttl=24h in_progress=429; }
        location /checkout/  { payments_checkout; }
        location /return/    { payments_return; }
        location /webhooks/  { payments_webhook; }
        location = /metrics  { payments_metrics; allow 127.0.0.1; deny all; }
        location = /healthz  { payments_health live; }
        location = /readyz   { payments_health ready; }
        location /problems   { payments_problems; }
    }
}
"""  # noqa: E501 - as the document writes it


def test_the_example_is_the_documents():
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    block = text.split("```nginx\n")[1].split("```")[0]
    ours = {" ".join(line.split()) for line in DESIGN.splitlines()}
    for line in block.splitlines():
        assert " ".join(line.split()) in ours, line


def public_pem(key) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM,
        serialization.PublicFormat.SubjectPublicKeyInfo,
    )


def private_pem(key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def key_files() -> dict[str, bytes]:
    """Every wrong key one may put into the configuration."""
    rsa_1024 = rsa.generate_private_key(65537, 1024)  # noqa: S505
    rsa_2048 = rsa.generate_private_key(65537, 2048)
    p256 = ec.generate_private_key(ec.SECP256R1())
    p384 = ec.generate_private_key(ec.SECP384R1())
    return {
        "rsa1024.pub": public_pem(rsa_1024),
        "rsa2048.pub": public_pem(rsa_2048),
        "rsa2048.key": private_pem(rsa_2048),
        "p256.pub": public_pem(p256),
        "p256.key": private_pem(p256),
        "p384.pub": public_pem(p384),
        "ed25519.pub": public_pem(ed25519.Ed25519PrivateKey.generate()),
        "twice.pub": public_pem(p256) + public_pem(rsa_2048),
        "half.pub": public_pem(p256)[:90],
        "noise.pub": b"this is no key\n",
        "empty": b"",
        "blank": b" \n\n\t\n",
        "short.hs": os.urandom(12).hex().encode() + b"\n",
        "31.hs": b"abcdefghijklmnopqrstuvwxyz01234\n",
        "same.hs": b"a" * 64 + b"\n",
        "good.hs": os.urandom(32).hex().encode() + b"\n",
        "huge": b"k" * 20_000,
        "words.key": b"two words\n",
        "lines.key": b"first\nsecond\n",
        "control.key": b"sk_test_\x01abcdefgh\n",
        "utf8.key": "sk_test_schl\u00fcssel\n".encode(),
        "bad64.whsec": b"whsec_!!!!not base64!!!!\n",
        "short.whsec": b"whsec_c2hvcnQ=\n",
        "six.whsec": b"".join(
            b"whsec_" + os.urandom(16).hex().encode() + b"\n" for _ in range(6)
        ),
        "good.whsec": b"whsec_" + os.urandom(16).hex().encode() + b"\n",
    }


@pytest.fixture(scope="module")
def directory(gateway, tmp_path_factory):
    """Secrets of a module's own, beside links to the stack's."""
    path = tmp_path_factory.mktemp("conf")
    (path / "secrets").mkdir()
    for name, data in key_files().items():
        file = path / "secrets" / name
        file.write_bytes(data)
        file.chmod(0o400)
    for name in os.listdir(gateway.secrets):
        (path / "secrets" / name).symlink_to(gateway.secrets / name)
    for mode in (0o404, 0o444, 0o604, 0o644, 0o402, 0o460, 0o666, 0o777):
        file = path / "secrets" / f"mode{mode:o}"
        file.write_bytes(b"sk_test_0123456789abcdef\n")
        file.chmod(mode)
    next_key = path / "secrets" / "stripe.whsec.next"
    next_key.write_bytes(b"whsec_" + os.urandom(16).hex().encode())
    next_key.chmod(0o400)
    (path / "secrets" / "fifo").mkdir()
    (path / "secrets" / "dangling").symlink_to(path / "nowhere")
    (path / "secrets" / "acme.crlf.pub").write_bytes(
        (gateway.secrets / "acme.pub").read_bytes().replace(b"\n", b"\r\n")
    )
    return path


@pytest.fixture
def refuse(gateway, directory):
    """refuse(says, (old, new), …): the mended text passes, the bad one is
    refused with file, line and those words, and no secret."""

    def run(says, *pairs):
        nginx = Nginx(gateway, directory, swap(MINIMAL, *pairs))
        code, said = nginx.test()
        assert code != 0, f"nginx -t took it: {pairs}"
        assert "test failed" in said
        line = r"\[emerg\] .* in " + re.escape(str(nginx.conf)) + r":\d+"
        assert re.search(line, said), said
        assert re.search(says, said), said
        assert "signal" not in said
        return said

    return run


def test_the_example_of_the_design_passes(gateway, directory):
    code, said = Nginx(gateway, directory, DESIGN).test()
    assert code == 0, said


def test_the_text_that_the_others_start_from_passes(gateway, directory):
    code, said = Nginx(gateway, directory, MINIMAL).test()
    assert code == 0, said


def test_a_module_that_is_loaded_and_not_used_passes(gateway, directory):
    text = MINIMAL[: MINIMAL.index("http {")]
    code, said = Nginx(gateway, directory, text).test()
    assert code == 0, said


API_KEY = "api_key_file       secrets/generic.key;"
WEBHOOK_KEY = "webhook_key_file   secrets/generic.whsec;"
ACME_KEY = "kid=acme-2026-01 alg=ES256 file=secrets/acme.pub;"
DB = 'payments_database  "@DSN@" connections=2 batch=256 queue=4096;'
LIMIT = "payments_rate_limit rate=100r/s burst=200;"
IDEMPOTENCY = "payments_idempotency required ttl=24h in_progress=429;"
BASE = "base_url           @MOCK@/generic;"
TIMEOUT = "timeout            connect=2s total=10s;"
HOST = """hosted_page_host   @MOCKHOST@;
        timeout"""
JWT_LINE = f"jwt_key      {ACME_KEY}"
ACME_HOSTS = "return_host  shop.example.com @MOCKHOST@;"
ACME_PSPS = "psp          generic stripe;"


@pytest.mark.parametrize("line", [API_KEY, WEBHOOK_KEY])
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("missing", "cannot open .*create the file"),
        ("dangling", "cannot open"),
        ("fifo", "not a regular file"),
        ("empty", "is empty: put the key into it"),
        ("blank", "is empty"),
        ("huge", "larger than 16k"),
        ("mode404", "chmod"),
        ("mode444", "chmod"),
        ("mode604", "chmod"),
        ("mode644", "chmod"),
        ("mode402", "chmod"),
        ("mode460", "chmod"),
        ("mode666", "chmod"),
        ("mode777", "chmod"),
    ],
)
def test_a_secret_that_is_none_is_refused(refuse, line, name, says):
    new = re.sub(r"secrets/\S+;", f"secrets/{name};", line)
    refuse(says, (line, new))


@pytest.mark.parametrize(
    ("alg", "name", "says"),
    [
        ("HS256", "short.hs", "32"),
        ("HS256", "31.hs", "32"),
        ("HS256", "same.hs", "repeated"),
        ("HS256", "mode644", "chmod"),
        ("HS256", "p256.pub", "PEM"),
        ("HS256", "missing", "cannot open"),
        ("HS256", "empty", "empty"),
        ("RS256", "rsa1024.pub", "2048"),
        ("RS256", "rsa2048.key", "private|public"),
        ("RS256", "p256.pub", "RSA"),
        ("RS256", "good.hs", "PEM|PUBLIC KEY|public key"),
        ("ES256", "rsa2048.pub", "P-256|EC"),
        ("ES256", "p256.key", "private|public"),
        ("ES256", "p384.pub", "P-256"),
        ("ES256", "ed25519.pub", "P-256|EC"),
        ("ES256", "twice.pub", "one"),
        ("ES256", "half.pub", "PEM|key"),
        ("ES256", "noise.pub", "PEM|key"),
        ("ES256", "empty", "empty"),
        ("ES256", "missing", "cannot open"),
        ("none", "p256.pub", "RS256"),
        ("es256", "p256.pub", "RS256"),
        ("HS512", "good.hs", "RS256"),
        ("PS256", "rsa2048.pub", "RS256"),
        ("EdDSA", "ed25519.pub", "RS256"),
    ],
)
def test_a_jwt_key_that_is_too_weak_or_another_is_refused(
    refuse, alg, name, says
):
    new = f"kid=acme-2026-01 alg={alg} file=secrets/{name};"
    refuse(says, (ACME_KEY, new))


@pytest.mark.parametrize(
    ("alg", "name"),
    [("RS256", "rsa2048.pub"), ("ES256", "p256.pub"), ("HS256", "good.hs")],
)
def test_a_good_jwt_key_of_each_kind_passes(gateway, directory, alg, name):
    new = f"kid=acme-2026-01 alg={alg} file=secrets/{name};"
    text = swap(MINIMAL, (ACME_KEY, new))
    code, said = Nginx(gateway, directory, text).test()
    assert code == 0, said


@pytest.mark.parametrize(
    "url",
    [
        "http://api.stripe.com", "http://10.0.0.1", "http://169.254.169.254",
        "https://169.254.169.254", "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1", "https://172.16.0.1", "https://192.168.1.1",
        "https://100.64.0.1", "https://0.0.0.0", "https://[::1]/", "https://",
        "https:///v1", "ftp://api.stripe.com", "file:///etc/passwd",
        "api.stripe.com", "//api.stripe.com", "https://user:x@api.stripe.com",
        "https://api.stripe.com?x=1", "https://api.stripe.com#x",
        "https://api.stripe.com:0", "https://api.stripe.com:99999",
        "https://api..com", "https://2130706433", "https://0x7f.1",
        "https://api.stripe.com\\\\@evil", "http://127.0.0.1.nip.io",
        "http://localhost.evil.example", "gopher://127.0.0.1",
    ],
)  # fmt: skip
def test_a_base_url_that_is_unsafe_is_refused(refuse, url):
    refuse("base_url", (BASE, f'base_url "{url}";'))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1",
        "http://localhost:8080/x",
        "https://psp.example/v1/",
    ],
)
def test_a_base_url_that_is_safe_passes(gateway, directory, url):
    text = swap(MINIMAL, (BASE, f"base_url {url};"))
    code, said = Nginx(gateway, directory, text).test()
    assert code == 0, said


@pytest.mark.parametrize(
    ("old", "says"),
    [
        ("adapter            generic;", "lacks adapter"),
        (BASE, "lacks base_url"),
        (API_KEY, "lacks api_key_file"),
        (WEBHOOK_KEY, "lacks webhook_key_file"),
        (HOST, "lacks hosted_page_host"),
        (JWT_LINE, "lacks jwt_key"),
        (ACME_HOSTS, "lacks return_host"),
        (ACME_PSPS, "lacks psp"),
        ("payments_zone      zone=payments:16m;", "payments_zone is missing"),
        (DB, "payments_database is missing"),
    ],
)
def test_what_cannot_be_left_out_is_asked_for(refuse, old, says):
    refuse(says, (old, "timeout" if old == HOST else ""))


def test_handlers_without_any_configuration_are_refused(gateway, directory):
    """A location that could only ever answer 500."""
    start = MINIMAL.index("    payments_zone")
    text = MINIMAL[:start] + MINIMAL[MINIMAL.index("    access_log") :]
    code, said = Nginx(gateway, directory, text).test()
    assert code != 0, "payments_api without payments_zone passes"
    assert "payments_zone" in said
    assert re.search(r"nginx\.conf:\d+", said)


def test_no_secret_is_ever_shown(gateway, directory, refuse):
    for name in ("short.hs", "31.hs"):
        new = f"kid=acme-2026-01 alg=HS256 file=secrets/{name};"
        said = refuse("32", (ACME_KEY, new))
        secret = (directory / "secrets" / name).read_text().strip()
        assert secret not in said
    new = API_KEY.replace("generic.key", "words.key")
    assert "two words" not in refuse("API", (API_KEY, new))


def test_nginx_T_shows_no_secret(gateway, directory):
    nginx = Nginx(gateway, directory, MINIMAL)
    assert nginx.test()[0] == 0
    done = subprocess.run(
        [*nginx.command(), "-T"],
        capture_output=True,
        timeout=60,
        env=nginx.environment(),
    )
    assert done.returncode == 0
    assert b"payments_merchant" in done.stdout
    for line in (b"whsec_", b"PRIVATE", b"password=", b"sk_test_"):
        assert line not in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["~ ^/v1/", "/v1", "= /v1/", "@v1"])
def test_a_location_whose_rest_cannot_be_told_is_refused(refuse, name):
    """Each request would have been a 404."""
    old = "location /v1/        {"
    refuse("plain prefix that ends with", (old, f"location {name} {{"))


@pytest.mark.parametrize(
    "inside",
    [
        "limit_except POST { allow 127.0.0.1; deny all; }",
        "set $one 1; if ($one) { add_header X-One 1; }",
    ],
)
def test_a_block_inside_a_location_keeps_its_handler(
    gateway, directory, inside
):
    """limit_except took the API away, if answered as /healthz does."""
    text = swap(MINIMAL, ("{ payments_api;", f"{{ payments_api; {inside}"))
    with Nginx(gateway, directory, text).start() as nginx:
        with httpx.Client(verify=gateway.ssl_context()) as http:
            answer = http.get(f"{nginx.url}/v1/payments")
        assert answer.status_code == 405
        assert answer.headers["Allow"] == "POST, OPTIONS"
