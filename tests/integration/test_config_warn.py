"""nginx -t speaks about configurations that work and should not stay so, each
with the remedy; warnings and errors name the line of the word."""

import re
import subprocess

import pytest
from support.configuration import PLACES
from support.nginxconf import MINIMAL, Nginx, swap
from test_config import (
    directory,  # noqa: F401 - a fixture
    refuse,  # noqa: F401 - a fixture
)

ACME_HOSTS = PLACES["hosts"]
ACME_KEY = PLACES["acme_key"]
ACME_PSPS = PLACES["psps"]
API_KEY = PLACES["api_key"]
AUDIENCE = PLACES["audience"]
BASE = PLACES["base"]
DB = PLACES["database"]
JOBS = PLACES["jobs"]
LIMIT = PLACES["limit"]
METRICS = PLACES["metrics"]
TIMEOUT = PLACES["timeout"]
WEBHOOK_KEY = PLACES["webhook_key"]
LOG = "error_log         @DIR@/error.log notice;"
CHECKOUT = "location /checkout/  { payments_checkout; }"
RETURN = "location /return/    { payments_return; }"
WEBHOOKS = "location /webhooks/  { payments_webhook; }"
NAME = PLACES["server"]


def public(url: str) -> tuple[str, str]:
    return JOBS, f"{JOBS}\n    payments_public_url {url};"


@pytest.fixture
def tried(gateway, directory):  # noqa: F811
    """tried((old, new), …): the text passes; gives the lines of warning."""

    def run(*pairs):
        nginx = Nginx(gateway, directory, swap(MINIMAL, *pairs))
        code, said = nginx.test()
        assert code == 0, said
        return [line for line in said.splitlines() if "[warn]" in line]

    return run


def line_of(gateway, directory, text: str, word: str) -> int:  # noqa: F811
    filled = Nginx(gateway, directory, text).text
    at = filled.index(word)
    return filled[:at].count("\n") + 1


def test_a_good_configuration_has_no_warning(tried):
    assert tried() == []


@pytest.mark.parametrize(
    ("pairs", "says", "word"),
    [
        (
            [(AUDIENCE, "")],
            "payments_audience is not set.*set payments_audience",
            None,
        ),
        (
            [(CHECKOUT, "")],
            r'/checkout/…, where no .*add "location /checkout/ '
            r'\{ payments_checkout; \}"',
            "location /v1/",
        ),
        (
            [(CHECKOUT, "location /pay/ { payments_checkout; }")],
            "no location of that host has payments_checkout",
            "location /v1/",
        ),
        (
            [(RETURN, "")],
            "no location of that host has payments_return",
            "location /v1/",
        ),
        (
            [(WEBHOOKS, "")],
            r'nothing that a PSP sends is heard: add "location /webhooks/',
            "location /v1/",
        ),
        (
            [public("https://other.example")],
            r'payments_public_url "https://other.example" .* no server_name '
            r'.*add "server_name other.example"',
            "payments_public_url",
        ),
        (
            [public("https://example"), (NAME, "server_name *.e .f;")],
            "no server_name",
            "payments_public_url",
        ),
        (
            [(DB, 'payments_database "host=x dbname=y user=postgres";')],
            "superuser postgres.*user=payments_gateway",
            "payments_database",
        ),
        (
            [(METRICS, "{ payments_metrics; }")],
            'payments_metrics answers everybody.*"allow 10.0.0.0/8; deny all;"',
            "location = /metrics",
        ),
        (
            [(LOG, "error_log @DIR@/error.log info;")],
            'error_log "[^"]+/error.log" .*tokens.*notice"',
            "location /v1/",
        ),
        (
            [(LOG, "error_log @DIR@/error.log debug;")],
            "level info or debug",
            "location /v1/",
        ),
        (
            [(WEBHOOKS, WEBHOOKS.replace(
                "{", "{ error_log @DIR@/w.log info;"))],
            "w.log",
            "location /webhooks/",
        ),
    ],
)  # fmt: skip
def test_what_should_not_stay_so_has_one_warning_with_the_remedy(
    tried,
    gateway,
    directory,  # noqa: F811
    pairs,
    says,
    word,  # noqa: F811
):
    warnings = tried(*pairs)
    assert len(warnings) == 1, warnings
    assert re.search(says, warnings[0]), warnings
    if word is not None:
        line = line_of(gateway, directory, swap(MINIMAL, *pairs), word)
        assert warnings[0].endswith(f"nginx.conf:{line}"), warnings


# TLS


@pytest.fixture
def rsa_certificate(directory):  # noqa: F811
    """Its file; the key is the module's rsa2048.key."""
    key = directory / "secrets" / "rsa2048.key"
    cert = directory / "rsa.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-new", "-key", key, "-days", "2",
         "-subj", "/CN=localhost", "-out", cert],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return cert


ECDSA = "ECDHE-ECDSA-AES128-GCM-SHA256"
RSA = "ECDHE-RSA-AES128-GCM-SHA256"


def tls(ciphers: str, protocols: str, certificate=None) -> list:
    lines = f"ssl_ciphers {ciphers}; ssl_protocols {protocols};"
    pairs = [(NAME, f"{NAME} {lines}")]
    if certificate is not None:
        pairs += [
            (
                "ssl_certificate        @TLS@;",
                f"ssl_certificate {certificate};",
            ),
            ("secrets/server.key;", "secrets/rsa2048.key;"),
        ]
    return pairs


def test_an_rsa_certificate_under_ecdsa_suites_is_warned_of(
    tried, rsa_certificate
):
    (warning,) = tried(*tls(ECDSA, "TLSv1.2 TLSv1.3", rsa_certificate))
    assert re.search("ssl_ciphers.*TLS 1.2 cannot connect.*ECDHE-RSA", warning)


def test_an_ecdsa_certificate_under_rsa_suites_is_warned_of(tried):
    (warning,) = tried(*tls(RSA, "TLSv1.2 TLSv1.3"))
    assert "ECDHE-ECDSA" in warning


def test_suites_that_fit_the_certificate_are_not_warned_of(
    tried, rsa_certificate
):
    both = "TLSv1.2 TLSv1.3"
    assert tried(*tls(ECDSA, both)) == []
    assert tried(*tls(RSA, both, rsa_certificate)) == []
    assert tried(*tls(f"{ECDSA}:{RSA}", both, rsa_certificate)) == []
    assert tried(*tls(ECDSA, "TLSv1.3", rsa_certificate)) == []


# the line of the word

REUSED = ("kid=globex-2026-01 alg=ES256 file=secrets/globex.pub;",
          "kid=globex-2026-01 alg=ES256 file=secrets/acme.pub;")  # fmt: skip


@pytest.mark.parametrize(
    ("says", "word", "pair"),
    [
        ("no such payments_psp", "psp          generic strip",
         (ACME_PSPS, "psp          generic strip;")),
        ("which is not in its psp list", "route by=weight",
         (ACME_PSPS, "psp generic;\n route generic amount=1.00- currency=EUR;\n"
                     " route by=weight stripe;")),
        ("the same jwt_key", "jwt_key      kid=globex", REUSED),
        ("two keys of one kid", "jwt_key kid=acme",
         (ACME_HOSTS, f"{ACME_HOSTS}\n jwt_key kid=acme-2026-01 alg=ES256 "
                      "file=secrets/p256.pub;")),
        ("another module's", "payments_api;",
         (LIMIT, f"{LIMIT}\n proxy_pass http://127.0.0.1;\n")),
        ("lacks api_key_file", "payments_psp generic", (API_KEY, "")),
        ("lacks webhook_key_file", "payments_psp generic", (WEBHOOK_KEY, "")),
        ("lacks return_host", "payments_merchant acme", (ACME_HOSTS, "")),
        ("cannot open", "webhook_key_file   secrets/missing",
         (WEBHOOK_KEY, "webhook_key_file   secrets/missing;")),
        ("base_url", "base_url http:", (BASE, "base_url http://10.0.0.1;")),
        ("has no use for webhook_id", "webhook_id",
         (TIMEOUT, "webhook_id x;\n timeout total=10s;\n")),
        ("payments_stage_timeout", "payments_stage_timeout",
         (JOBS, "payments_stage_timeout ledger=9m;\n payments_jobs off;")),
        ("payments_html|status.html", "payments_html",
         (JOBS, "payments_html nowhere;\n payments_jobs off;")),
    ],
)  # fmt: skip
def test_an_error_names_the_line_of_its_word(
    refuse,  # noqa: F811
    gateway,
    directory,  # noqa: F811
    says,
    word,
    pair,  # noqa: F811
):
    said = refuse(says, pair)
    line = line_of(gateway, directory, swap(MINIMAL, pair), word)
    assert re.search(rf"\[emerg\] .*nginx\.conf:{line}$", said, re.M), (
        line, said,
    )  # fmt: skip


def test_a_word_like_none_gets_the_list(refuse):  # noqa: F811
    said = refuse(
        "payments_merchant does not know", (ACME_KEY, f"{ACME_KEY} colour red;")
    )
    assert "did you mean" not in said
    assert "it takes jwt_key, return_host, psp, " in said
