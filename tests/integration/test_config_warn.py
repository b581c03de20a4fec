"""nginx -t speaks about configurations that work and should not stay so, each
with the remedy; the API on a plain listen is refused; errors name the line of
the word; a misspelt word finds what was meant."""

import re
import subprocess

import pytest
from support.nginxconf import MINIMAL, Nginx, swap
from test_config import (
    ACME_HOSTS,
    ACME_KEY,
    ACME_PSPS,
    API_KEY,
    BASE,
    DB,
    HOST,
    IDEMPOTENCY,
    LIMIT,
    TIMEOUT,
    WEBHOOK_KEY,
    directory,  # noqa: F401 - a fixture
    refuse,  # noqa: F401 - a fixture
)

AUDIENCE = "payments_audience  ngx_payments;"
LISTEN = "listen       127.0.0.1:@PORT@ ssl http2;"
PLAIN = (LISTEN, "listen       127.0.0.1:@PORT@;")
METRICS = "{ payments_metrics; allow 127.0.0.1; deny all; }"
JOBS = "payments_jobs      off;"
LOG = "error_log         @DIR@/error.log notice;"
CHECKOUT = "location /checkout/  { payments_checkout; }"
RETURN = "location /return/    { payments_return; }"
WEBHOOKS = "location /webhooks/  { payments_webhook; }"
NAME = "server_name  localhost;"
HTTP = "http {\n"


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


@pytest.mark.parametrize(
    "dsn",
    [
        "host=/run/postgresql dbname=payments user=postgres",
        "postgresql://postgres@127.0.0.1/payments",
    ],
)
def test_a_superuser_in_the_connection_string_is_warned_of(tried, dsn):
    (warning,) = tried((DB, f'payments_database "{dsn}";'))
    assert re.search("superuser postgres.*user=payments_gateway", warning)
    line = MINIMAL[: MINIMAL.index("payments_database")].count("\n") + 1
    assert warning.endswith(f"nginx.conf:{line}")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://pay.example.com", "server_name pay.example.com;"),
        ("https://pay.example.com:8443", "server_name a PAY.example.com;"),
        ("https://pay.example.com", "server_name *.example.com;"),
        ("https://pay.example.com", "server_name .example.com;"),
        ("https://example.com", "server_name .example.com;"),
        ("https://pay.example.com", "server_name pay.*;"),
        ("https://pay.example.com", r'server_name "~^pay\.example";'),
    ],
)
def test_a_public_url_that_a_server_name_has_is_not_warned_of(tried, url, name):
    assert tried(public(url), (NAME, name)) == []


@pytest.mark.parametrize(
    "guard",
    [
        "{ payments_metrics; allow ::1; deny all; }",
        "{ payments_metrics; allow unix:; deny all; }",
        '{ payments_metrics; auth_basic "metrics"; }',
        "{ payments_metrics; auth_request /problems; }",
    ],
)
def test_metrics_behind_a_guard_are_not_warned_of(tried, guard):
    assert tried((METRICS, guard)) == []


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


# the API on a plain listen


def test_the_api_on_a_plain_listen_is_refused(refuse):  # noqa: F811
    said = refuse("payments_api is reached over plain HTTP", PLAIN)
    assert re.search(
        r'"listen 127.0.0.1:\d+".*add ssl.*"payments_insecure_http on".*'
        r"nginx.conf:\d+",
        said,
    )


def test_one_plain_listen_beside_an_encrypted_one_is_refused(refuse):  # noqa: F811
    refuse("plain HTTP", (LISTEN, f"{LISTEN} listen 127.0.0.2:@PORT@;"))


def test_insecure_http_off_in_the_server_wins(refuse):  # noqa: F811
    refuse(
        "plain HTTP",
        (HTTP, f"{HTTP} payments_insecure_http on;"),
        (LISTEN, f"{PLAIN[1]} payments_insecure_http off;"),
    )


@pytest.mark.parametrize("old", [HTTP, NAME])
def test_insecure_http_lets_a_balancer_in(tried, old):
    new = f"{old} payments_insecure_http on;\n"
    assert tried(PLAIN, (old, new)) == []


def test_a_plain_listen_without_the_api_passes(tried):
    server = "server { listen 127.0.0.2:@PORT@; return 301 https://x; }\n"
    assert tried((HTTP, f"{HTTP}{server}")) == []


@pytest.mark.parametrize("bad", ["yes", "", "on off", "1"])
def test_insecure_http_takes_on_or_off(refuse, bad):  # noqa: F811
    refuse(
        "payments_insecure_http",
        (NAME, f"{NAME} payments_insecure_http {bad};"),
    )


def test_insecure_http_in_a_location_is_refused(refuse):  # noqa: F811
    refuse("not allowed here", (LIMIT, f"{LIMIT} payments_insecure_http on;"))


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


# what was meant


@pytest.mark.parametrize(
    ("pair", "meant"),
    [
        ((ACME_HOSTS, "return_hosts shop.example.com;"), "return_host"),
        ((ACME_HOSTS, "retrun_host shop.example.com;"), "return_host"),
        ((API_KEY, "api_key secrets/generic.key;"), "api_key_file"),
        ((TIMEOUT, "timeuot total=10s;"), "timeout"),
        (("adapter            generic;", "adapter genric;"), "generic"),
        ((TIMEOUT, "webhook_scheme standardwebhook;"), "standardwebhooks"),
        ((ACME_PSPS, "psp generic strip;"), "stripe"),
        ((JOBS, "payments_jobs off concurency=3;"), "concurrency="),
        ((DB, DB.replace("batch=256", "bach=256")), "batch="),
        ((LIMIT, "payments_rate_limit rate=1r/s brust=2;"), "burst="),
        ((JOBS, "payments_watchdog registring=1m;"), "registering="),
        ((JOBS, "payments_audit keyfile=x;"), "key_file="),
        ((JOBS, "payments_score sucess=1;"), "success="),
        ((JOBS, "payments_bulkhead intakes=1;"), "intake="),
        ((JOBS, "payments_stage_timeout ledgr=1s;"), "ledger="),
        ((JOBS, "payments_rates x ulr=https://a.example base=EUR;"), "url="),
        ((IDEMPOTENCY, IDEMPOTENCY.replace("ttl", "tll")), "ttl="),
    ],
)  # fmt: skip
def test_a_misspelt_word_finds_what_was_meant(refuse, pair, meant):  # noqa: F811
    refuse(re.escape(f"did you mean {meant}?"), pair)


def test_a_word_like_none_gets_the_list(refuse):  # noqa: F811
    said = refuse(
        "payments_merchant does not know", (ACME_KEY, f"{ACME_KEY} colour red;")
    )
    assert "did you mean" not in said
    assert "it takes jwt_key, return_host, psp, " in said


def test_examples_are_introduced_in_english(refuse):  # noqa: F811
    zone = "payments_zone      zone=payments:16m;"
    refuse("for example zone=payments:16m in", (zone, "payments_zone 16m;"))
    refuse(
        "for example rate=100r/s in", (LIMIT, "payments_rate_limit burst=1;")
    )
    refuse("lacks hosted_page_host", (HOST, "timeout"))
