"""nginx -t refuses bad configurations with file, line and the way to mend
them (tests/fixtures/configuration/cases.txt); the example of
docs/architecture.md passes."""

import base64
import os
import re
import shutil
import subprocess

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from support.configuration import PLACES, Table
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


KEY = base64.b64encode(bytes(range(32)))


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
        "shop.whsec": b"whsec_" + KEY + b"\n",
        "24.whsec": b"whsec_" + base64.b64encode(b"s" * 24) + b"\n",
        "64.whsec": b"whsec_" + base64.b64encode(b"s" * 64) + b"\n",
        "23.whsec": b"whsec_" + base64.b64encode(b"s" * 23) + b"\n",
        "65.whsec": b"whsec_" + base64.b64encode(b"s" * 65) + b"\n",
        "two.whsec": (b"whsec_" + KEY + b"\n") * 2,
        "webhook.text": b"a-webhook-key-of-some-length\n",
        "webhook.hex": os.urandom(32).hex().upper().encode() + b"\n",
        "client.pair": b"the-client:its-secret\n",
    } | audit_keys() | models()


def models() -> dict[str, bytes]:
    """The shipped model, and broken ones made of it."""
    text = (ROOT / "examples" / "risk" / "demo.json").read_bytes()
    return {
        "good.model": text,
        "cut.model": text[:-200],
        "empty.model": b"",
        "features.model": re.sub(rb'hash": "..', b'hash": "00', text),
        "intercept.model": re.sub(rb'cept": [^,]*', b'cept": 1e12', text),
        "large.model": text + b" " * (16 << 20),
    }


def audit_keys() -> dict[str, bytes]:
    one, following, shown = (
        private_pem(ed25519.Ed25519PrivateKey.generate()) for _ in range(3)
    )
    key = serialization.load_pem_private_key(one, None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    return {
        "audit.pem": one,
        "next.pem": following,
        "shown.pem": shown,
        "changeable.pem": shown,
        "x25519.pem": private_pem(x25519.X25519PrivateKey.generate()),
        "bare.whsec": KEY + b"\n",
        "rsa.pem": private_pem(rsa.generate_private_key(65537, 2048)),
        "locked.pem": locked,
        "two.pem": one + following,
        "cut.pem": one[:60],
        "empty.pem": b"",
        "text.pem": b"sk_live_do_not_print_me\n",
        "public.pem": public_pem(key),
        "one.ring": b"a " + KEY + b"\n",
        "two.ring": b"b.2 " + KEY + b"\n\na-1 " + KEY + b"\n",
        "short.ring": b"a " + KEY + b"\nb " + KEY[4:] + b"\n",
        "twice.ring": b"a " + KEY + b"\na " + KEY + b"\n",
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
    (path / "secrets" / "shown.pem").chmod(0o404)
    (path / "secrets" / "changeable.pem").chmod(0o420)
    for page in ("pages/index.html", "bare/app.js", "odd/notes.txt",
                 "upper/Index.html", "a/b/c/d/index.html"):  # fmt: skip
        (path / page).parent.mkdir(parents=True)
        (path / page).write_text("<!doctype html>\n")
    (path / "void").mkdir()
    (path / "void" / "index.html").touch()
    shutil.copy(gateway.ca, path / "ca.pem")
    ours = set(os.listdir(path / "secrets"))
    for name in set(os.listdir(gateway.secrets)) - ours:
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


JUDGED = Table().cases


def test_the_table_is_whole():
    assert len(JUDGED) > 1000


@pytest.mark.parametrize("case", JUDGED, ids=[case.name for case in JUDGED])
def test_nginx_t_says_of_a_line(gateway, directory, refuse, case):
    if case.verdict == "!":
        said = refuse(case.says, *case.pairs)
        assert not re.search(r"=secret\b|[:@]secret\b|sk_live", said), said
        return
    code, said = Nginx(gateway, directory, case.text).test()
    assert code == 0, said
    warnings = [line for line in said.splitlines() if "[warn]" in line]
    assert len(warnings) == (case.verdict == "~"), said
    assert re.search(case.says, said), said


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
        said = refuse("32", (PLACES["acme_key"], new))
        secret = (directory / "secrets" / name).read_text().strip()
        assert secret not in said
    words = (PLACES["api_key"], "api_key_file secrets/words.key;")
    assert "two words" not in refuse("API", words)


def test_the_secret_of_an_endpoint_is_never_shown(refuse, directory):
    jobs = PLACES["jobs"]
    ring = f"{jobs} payments_keyring secrets/one.ring;"
    for name in ("23.whsec", "65.whsec", "two.whsec", "bare.whsec"):
        line = f"acme https://shop.example/x secret_file=secrets/{name}"
        text = f"{ring} payments_webhook_endpoint {line};"
        said = refuse("holds no secret", (jobs, text))
        secret = (directory / "secrets" / name).read_text().split()[0]
        assert secret.removeprefix("whsec_") not in said


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


# The query of a source's URL is a password: of the customer there.
def test_no_refusal_shows_the_url_of_an_endpoint(refuse):
    canary = "k3y" * 8
    jobs = PLACES["jobs"]
    url = f"http://shop.example/r?key={canary}"
    line = f"{jobs} payments_webhook_endpoint acme {url} secret_file=x;"
    assert canary not in refuse("payments_webhook_endpoint", (jobs, line))


@pytest.mark.parametrize("host", ["10.0.0.1", "rates.example"])
def test_no_refusal_shows_the_query(refuse, host):
    scheme = "http" if host == "rates.example" else "https"
    canary = "k3y" * 8
    jobs = PLACES["jobs"]
    url = f"{scheme}://{host}/r?key={canary}"
    line = f"{jobs} payments_rates r url={url} base=EUR;"
    assert canary not in refuse("payments_rates", (jobs, line))


def test_an_export_that_cannot_be_opened_is_refused(gateway, directory):
    jobs = PLACES["jobs"]
    words = "key_file=secrets/audit.pem export=nowhere/seals.jsonl"
    text = swap(MINIMAL, (jobs, f"{jobs} payments_audit {words};"))
    code, said = Nginx(gateway, directory, text).test()
    assert code != 0
    assert "open()" in said
    assert "nowhere/seals.jsonl" in said


@pytest.mark.parametrize(
    "words, says",
    [
        ("close=1h", "needs key_file="),
        ("key_file=secrets/nowhere.pem close=1h", "nowhere.pem"),
        ("key_file=secrets/audit.pem close=24h", "close="),
        ("key_file=secrets/audit.pem close=0", "close="),
        ("key_file=secrets/audit.pem close=noon", "close="),
    ],
)
def test_a_close_that_nobody_could_sign_in_time_is_refused(refuse, words, says):
    jobs = PLACES["jobs"]
    refuse(says, (jobs, f"{jobs} payments_audit {words};"))


def test_more_trusted_certificates_than_are_judged_by_are_refused(
    refuse, directory
):
    """They would pass here, and then no webhook would."""
    many = directory / "many.pem"
    many.write_text((directory / "ca.pem").read_text() * 513)
    head = PLACES["acme_head"]
    block = (
        "payments_psp other { adapter paypal; base_url https://psp.example;"
        " api_key_file secrets/client.pair; hosted_page_host psp.example;"
        f" webhook_id 1JE4291016473214C; webhook_ca_file {many}; }}"
    )
    says = r"many\.pem.*1 to 512 certificates"
    refuse(says, (head, f"{block}\n{head}"))


RULES = "".join(
    f"payments_risk_rule r{n} if hour=3 then=review; " for n in range(65)
)
VELOCITIES = "".join(
    f"payments_risk_velocity v{n} key=ip window=10m limit=1 then=review; "
    for n in range(17)
)
ONE_LESS = re.compile(r"[^;]*; $")


@pytest.mark.parametrize(
    ("first", "then", "says"),
    [
        (ONE_LESS.sub("", RULES), VELOCITIES, '"v16" .*16 velocities'),
        (ONE_LESS.sub("", VELOCITIES), RULES, '"r64" .*64 rules'),
    ],
)
def test_rules_and_velocities_have_limits_of_their_own(
    gateway, directory, refuse, first, then, says
):
    """Behind 16 velocities no rule was taken, and behind 64 rules no
    velocity."""
    jobs = PLACES["jobs"]
    begin = f"{jobs} payments_keyring secrets/one.ring; payments_risk on; "
    full = begin + first + ONE_LESS.sub("", then)
    text = swap(MINIMAL, (jobs, full))
    code, said = Nginx(gateway, directory, text).test()
    assert code == 0, said
    refuse(says, (jobs, begin + first + then))


def test_a_webhook_inside_the_api_has_a_limit_of_its_own(gateway, directory):
    """It had inherited 64k, the default of the API."""
    head = "location /v1/        {"
    inside = f"{head} location /v1/hooks/ {{ payments_webhook; }}"
    text = swap(MINIMAL, (head, inside))
    with Nginx(gateway, directory, text).start() as nginx:
        with httpx.Client(verify=gateway.ssl_context()) as http:
            sent = {"url": f"{nginx.url}/v1/hooks/generic", "method": "POST"}
            codes = [
                http.request(**sent, content=b"x" * size).status_code
                for size in (100_000, 300_000)
            ]
    assert codes == [401, 413]


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
