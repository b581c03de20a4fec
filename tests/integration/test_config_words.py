"""Every word of every payments directive, wrong: nginx -t names file, line
and the mend; none is taken silently."""

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
    JWT_LINE,
    LIMIT,
    TIMEOUT,
    WEBHOOK_KEY,
    directory,  # noqa: F401 - a fixture
    refuse,  # noqa: F401 - a fixture
)

ZONE = "payments_zone      zone=payments:16m;"
TOLERANCE = "webhook_tolerance  300s;"
ADAPTER = "adapter            generic;"
JOBS = "payments_jobs      off;"
LIFETIME = "payments_jwt_max_lifetime  25h;"
LIVE = "payments_health live;"
GLOBEX_KEY = "kid=globex-2026-01 alg=ES256 file=secrets/globex.pub;"
PSP_HEAD = "payments_psp stripe {"
MERCHANT_HEAD = "payments_merchant globex {"
LONG = "a" * 65

WORDS = [
    # the zone
    (ZONE, "payments_zone payments:16m;", "zone=NAME:SIZE"),
    (ZONE, "payments_zone zone=payments;", "zone=NAME:SIZE"),
    (ZONE, "payments_zone zone=:16m;", "zone=NAME:SIZE"),
    (ZONE, "payments_zone zone=payments:;", "128k"),
    (ZONE, "payments_zone zone=payments:1k;", "128k"),
    (ZONE, "payments_zone zone=payments:127k;", "128k"),
    (ZONE, "payments_zone zone=payments:-1;", "128k"),
    (ZONE, "payments_zone zone=payments:16x;", "128k"),
    (ZONE, "payments_zone zone=payments:much;", "128k"),
    (ZONE, "payments_zone zone=payments:99999999999999999999m;", "128k"),
    (ZONE, "payments_zone;", "number of arguments"),
    (ZONE, f"{ZONE} {ZONE}", "duplicate"),
    (ZONE, "payments_zone zone=payments:16m more;", "number of arguments"),
    # the database
    (DB, "payments_database;", "number of arguments"),
    (DB, 'payments_database "";', "connection string"),
    (DB, "payments_database payments;", "connection string"),
    (DB, 'payments_database "host=x password=secret";', "password"),
    (DB, 'payments_database "host=x PASSWORD=secret";', "password"),
    (DB, "payments_database \"host=x password = 's'\";", "password"),
    (
        DB,
        'payments_database "postgresql://u:secret@h/db?sslmode=require";',
        "password",
    ),
    (DB, 'payments_database "postgres://u:secret@h/db?a=b";', "password"),
    (DB, 'payments_database "host=x nonsense=1";', "nonsense|connection"),
    (DB, "payments_database \"host='x dbname=y\";", "connection"),
    (DB, f"{DB} {DB}", "duplicate"),
    (DB, DB.replace("connections=2", "connections=0"), "from 1 to 64"),
    (DB, DB.replace("connections=2", "connections=65"), "from 1 to 64"),
    (DB, DB.replace("connections=2", "connections=-1"), "from 1 to 64"),
    (DB, DB.replace("connections=2", "connections=two"), "from 1 to 64"),
    (DB, DB.replace("connections=2", "connections=2 connections=3"), "conn"),
    (DB, DB.replace("connections=2", "connections="), "does not know"),
    (DB, DB.replace("batch=256", "batch=0"), "from 1 to 1024"),
    (DB, DB.replace("batch=256", "batch=1025"), "from 1 to 1024"),
    (DB, DB.replace("queue=4096", "queue=0"), "from 1 to"),
    (DB, DB.replace("queue=4096", "queue=1e9"), "from 1 to"),
    (DB, DB.replace("queue=4096", "timeout=1ms"), "10ms"),
    (DB, DB.replace("queue=4096", "timeout=0s"), "10ms"),
    (DB, DB.replace("queue=4096", "timeout=11m"), "10m"),
    (DB, DB.replace("queue=4096", "wait=soon"), "10ms"),
    (DB, DB.replace("queue=4096", "pool=3"), "does not know"),
    # a PSP
    (ADAPTER, "adapter unknown;", "adapter does not know"),
    (ADAPTER, "adapter Generic;", "adapter does not know"),
    (ADAPTER, 'adapter "";', "adapter does not know"),
    (ADAPTER, "adapter;", "argument"),
    (ADAPTER, "adapter generic stripe;", "argument"),
    (ADAPTER, f"{ADAPTER} {ADAPTER}", "duplicate"),
    (ADAPTER, f"{ADAPTER} adaptor generic;", "does not know"),
    (ADAPTER, f"{ADAPTER} proxy_pass http://x;", "does not know"),
    (ADAPTER, f"{ADAPTER} api_key sk_live_x;", "does not know"),
    (ADAPTER, f"{ADAPTER} location /x {{ }}", "does not know|unexpected"),
    (ADAPTER, f"{ADAPTER} webhook_scheme none;", "scheme"),
    (ADAPTER, f"{ADAPTER} webhook_scheme Stripe;", "scheme"),
    (
        ADAPTER,
        f"{ADAPTER} webhook_scheme stripe; webhook_scheme stripe;",
        "duplicate",
    ),
    (BASE, f"{BASE} {BASE}", "duplicate"),
    (API_KEY, f"{API_KEY} {API_KEY}", "duplicate"),
    (WEBHOOK_KEY, f"{WEBHOOK_KEY} {WEBHOOK_KEY}", "duplicate"),
    (WEBHOOK_KEY, "webhook_key_file secrets/bad64.whsec;", "key for scheme"),
    (WEBHOOK_KEY, "webhook_key_file secrets/short.whsec;", "key for scheme"),
    (WEBHOOK_KEY, "webhook_key_file secrets/six.whsec;", "webhook"),
    (
        WEBHOOK_KEY,
        "webhook_key_file secrets/generic.whsec secrets/generic.whsec;",
        "same|twice",
    ),
    (API_KEY, "api_key_file secrets/words.key;", "API key"),
    (API_KEY, "api_key_file secrets/lines.key;", "API key"),
    (API_KEY, "api_key_file secrets/control.key;", "API key"),
    (API_KEY, "api_key_file secrets/utf8.key;", "API key"),
    (TOLERANCE, "webhook_tolerance 0;", "1s to 1h"),
    (TOLERANCE, "webhook_tolerance 0s;", "1s to 1h"),
    (TOLERANCE, "webhook_tolerance -1s;", "1s to 1h"),
    (TOLERANCE, "webhook_tolerance 2h;", "1s to 1h"),
    (TOLERANCE, "webhook_tolerance off;", "1s to 1h"),
    (TOLERANCE, f"{TOLERANCE} {TOLERANCE}", "duplicate"),
    (HOST, "hosted_page_host https://x.example; timeout", "host:port"),
    (HOST, "hosted_page_host x.example/path; timeout", "host:port"),
    (HOST, "hosted_page_host *; timeout", "host:port"),
    (HOST, "hosted_page_host *.example.com; timeout", "host:port"),
    (HOST, "hosted_page_host .example.com; timeout", "host:port"),
    (HOST, "hosted_page_host x.example:0; timeout", "host:port"),
    (HOST, "hosted_page_host x.example:99999; timeout", "host:port"),
    (HOST, "hosted_page_host user@x.example; timeout", "host:port"),
    (HOST, 'hosted_page_host ""; timeout', "host:port"),
    (TIMEOUT, "timeout 2s;", "connect= and total="),
    (TIMEOUT, "timeout connect=0 total=10s;", '"connect=0" must be a time '
     "from 10ms to 2m in "),
    (TIMEOUT, "timeout connect= total=10s;", 'does not know "connect=": it'),
    (TIMEOUT, "timeout connect=2s total=3m;", "2m"),
    (TIMEOUT, "timeout connect=2s total=never;", "10ms"),
    (TIMEOUT, "timeout connect=2s read=10s;", "connect= and total="),
    (TIMEOUT, "timeout connect=10s total=2s;", "total"),
    (TIMEOUT, f"{TIMEOUT} {TIMEOUT}", "duplicate"),
    (TIMEOUT, f"{TIMEOUT} allow_private_address yes;", "on or off"),
    (TIMEOUT, f"{TIMEOUT} ca_file secrets/missing;", "cannot open"),
    (TIMEOUT, f"{TIMEOUT} ca_file secrets/noise.pub;", "PEM|certificate"),
    (TIMEOUT, f"{TIMEOUT} pinned_public_key abc;", "sha256//"),
    (TIMEOUT, f"{TIMEOUT} pinned_public_key sha1//{'A' * 43}=;", "sha256//"),
    (TIMEOUT, f"{TIMEOUT} pinned_public_key sha256//{'A' * 44};", "sha256//"),
    (TIMEOUT, f"{TIMEOUT} pinned_public_key sha256//{'!' * 43}=;", "sha256//"),
    (PSP_HEAD, "payments_psp generic {", "stands twice"),
    (PSP_HEAD, "payments_psp {", "number of arguments"),
    (PSP_HEAD, "payments_psp a b {", "number of arguments"),
    (PSP_HEAD, 'payments_psp "a b" {', "name"),
    (PSP_HEAD, "payments_psp a/b {", "name"),
    (PSP_HEAD, f"payments_psp {LONG} {{", "name"),
    # a merchant
    (JWT_LINE, f"{JWT_LINE} {JWT_LINE}", "same jwt_key|one kid"),
    (
        JWT_LINE,
        f"{JWT_LINE} jwt_key kid=acme-2026-01 alg=ES256 file=secrets/p256.pub;",
        "one kid",
    ),
    (
        GLOBEX_KEY,
        "kid=globex-2026-01 alg=ES256 file=secrets/acme.pub;",
        "same jwt_key",
    ),
    (
        GLOBEX_KEY,
        "kid=globex-2026-01 alg=ES256 file=secrets/acme.crlf.pub;",
        "same jwt_key",
    ),
    (ACME_KEY, "alg=ES256 file=secrets/acme.pub;", "arguments"),
    (ACME_KEY, "kid= alg=ES256 file=secrets/acme.pub;", "kid=NAME"),
    (ACME_KEY, "kid=a/b alg=ES256 file=secrets/acme.pub;", "kid of"),
    (ACME_KEY, "kid=a~b alg=ES256 file=secrets/acme.pub;", "kid of"),
    (ACME_KEY, f"kid={LONG} alg=ES256 file=secrets/acme.pub;", "kid"),
    (ACME_KEY, "key=a alg=ES256 file=secrets/acme.pub;", "kid=NAME"),
    (ACME_KEY, "kid=a kid=b file=secrets/acme.pub;", "kid=NAME"),
    (ACME_HOSTS, "return_host https://shop.example.com;", "host:port"),
    (ACME_HOSTS, "return_host shop.example.com/back;", "host:port"),
    (ACME_HOSTS, "return_host *.example.com;", "host:port"),
    (ACME_HOSTS, "return_host sh\u00f6p.example;", "host:port"),
    (ACME_HOSTS, "return_host 2130706433;", "host:port"),
    (ACME_HOSTS, "return_host [::1];", "host:port"),
    (ACME_HOSTS, "return_host;", "argument"),
    (ACME_PSPS, "psp nobody;", "no such payments_psp"),
    (ACME_PSPS, "psp generic stripe adyen;", "no such payments_psp"),
    (ACME_PSPS, "psp generic generic;", "twice|duplicate"),
    (ACME_PSPS, "psp;", "argument"),
    (ACME_PSPS, f"{ACME_PSPS} {ACME_PSPS}", "duplicate"),
    (ACME_PSPS, f"{ACME_PSPS} disabled now;", "argument"),
    (ACME_PSPS, f"{ACME_PSPS} disable;", "does not know"),
    (ACME_PSPS, f"{ACME_PSPS} result_key_file secrets/short.hs;", "32"),
    (ACME_PSPS, f"{ACME_PSPS} result_key_file secrets/missing;", "cannot open"),
    (ACME_PSPS, f"{ACME_PSPS} result_key_file secrets/mode644;", "chmod"),
    (ACME_PSPS, f"{ACME_PSPS} refund_overdraw maybe;", "allow or refuse"),
    (ACME_PSPS, f"{ACME_PSPS} refund_overdraw;", "argument"),
    (
        ACME_PSPS,
        f"{ACME_PSPS} refund_overdraw allow; refund_overdraw refuse;",
        '"refund_overdraw" is duplicate',
    ),
    (ACME_PSPS, f"{ACME_PSPS} disabled; disabled;", '"disabled" is dup'),
    (MERCHANT_HEAD, "payments_merchant acme {", "stands twice"),
    (MERCHANT_HEAD, "payments_merchant {", "number of arguments"),
    (MERCHANT_HEAD, "payments_merchant a/b {", "name"),
    (MERCHANT_HEAD, 'payments_merchant "" {', "name"),
    (MERCHANT_HEAD, f"payments_merchant {LONG} {{", "name"),
    # the rest of http
    (JOBS, "payments_jobs maybe;", "on or off"),
    (JOBS, "payments_jobs off; payments_jobs off;", "duplicate"),
    (JOBS, "payments_jobs on concurrency=0;", "from 1 to 256"),
    (JOBS, "payments_jobs on concurrency=257;", "from 1 to 256"),
    (JOBS, "payments_jobs on interval=0;", "10ms"),
    (JOBS, "payments_jobs on psp_rate=0r/s;", "must be a rate"),
    (JOBS, "payments_jobs on psp_rate=on;", "must be a rate"),
    (JOBS, "payments_jobs on psp_rate=9r/s psp_rate=8r/s;", "stands twice"),
    (JOBS, "payments_jobs on sometimes;", "does not know"),
    (JOBS, f"{JOBS} payments_unknown on;", "unknown directive"),
    (JOBS, f"{JOBS} payments_api;", "not allowed here"),
    (JOBS, f"{JOBS} payments_audience a; payments_audience b;", "duplicate"),
    (JOBS, f"{JOBS} payments_html nowhere;", "nowhere"),
    (JOBS, f"{JOBS} payments_buyer_timeout never;", "invalid value"),
    (LIFETIME, "payments_jwt_max_lifetime 1s;", "60"),
    (LIFETIME, "payments_jwt_max_lifetime 30d;", "172800"),
    (LIFETIME, "payments_jwt_max_lifetime long;", "invalid value"),
    (LIFETIME, f"{LIFETIME} {LIFETIME}", "duplicate"),
    *[
        (JOBS, f'{JOBS} payments_public_url "{url}";', "payments_public_url")
        for url in (
            "", "pay.example.com", "http://pay.example.com",
            "https://pay.example.com/", "https://pay.example.com/x",
            "https://pay.example.com?x", "https://pay.example.com#x",
            "https://u@pay.example.com", "ftp://pay.example.com", "https://",
            "https://pay.example.com:0", "https://p\u00e4y.example.com",
        )
    ],
    # a location
    (LIMIT, "payments_rate_limit;", "number of arguments"),
    (LIMIT, "payments_rate_limit burst=1;", "needs rate="),
    (LIMIT, "payments_rate_limit rate=100;", "100r/s"),
    (LIMIT, "payments_rate_limit rate=0r/s;", "100r/s"),
    (LIMIT, "payments_rate_limit rate=-1r/s;", "100r/s"),
    (LIMIT, "payments_rate_limit rate=1r/h;", "100r/s"),
    (LIMIT, "payments_rate_limit rate=r/s;", "100r/s|does not know"),
    (LIMIT, "payments_rate_limit rate=1.5r/s;", "100r/s"),
    (LIMIT, "payments_rate_limit rate=9999999r/s;", "100r/s"),
    (LIMIT, "payments_rate_limit rate=1r/s burst=-1;", "from 0 to"),
    (LIMIT, "payments_rate_limit rate=1r/s burst=many;", "from 0 to"),
    (LIMIT, "payments_rate_limit rate=1r/s nodelay;", "does not know"),
    (LIMIT, "payments_rate_limit rate=1r/s rate=2r/s;", "twice|duplicate"),
    (LIMIT, f"{LIMIT} {LIMIT}", "duplicate"),
    (IDEMPOTENCY, "payments_idempotency optional;", "must be required"),
    (IDEMPOTENCY, "payments_idempotency off;", "must be required"),
    (IDEMPOTENCY, "payments_idempotency ttl=24h;", "must be required"),
    (IDEMPOTENCY, "payments_idempotency required ttl=1s;", "60s"),
    (IDEMPOTENCY, "payments_idempotency required ttl=0;", '"ttl=0" must be'),
    (IDEMPOTENCY, "payments_idempotency required ttl=day;", "60s"),
    (IDEMPOTENCY, "payments_idempotency required in_progress=200;", "409"),
    (IDEMPOTENCY, "payments_idempotency required in_progress=4290;",
     '"in_progress=4290" must be 429 or 409 in '),
    (IDEMPOTENCY, "payments_idempotency required forever;", "does not know"),
    (IDEMPOTENCY, f"{IDEMPOTENCY} {IDEMPOTENCY}", "duplicate"),
    (IDEMPOTENCY, f"{IDEMPOTENCY} payments_checkout;", "handler already"),
    (IDEMPOTENCY, f"{IDEMPOTENCY} payments_api;", "handler already"),
    (IDEMPOTENCY, f"{IDEMPOTENCY} payments_health live;", "handler already"),
    (IDEMPOTENCY, f"{IDEMPOTENCY} payments_max_body 2m;", "at most 1m"),
    (IDEMPOTENCY, f"{IDEMPOTENCY} payments_max_body 0;", "payments_max_body"),
    (IDEMPOTENCY, f"{IDEMPOTENCY} payments_max_body big;", "invalid value"),
    (IDEMPOTENCY, f"{IDEMPOTENCY} payments_body_timeout x;", "invalid value"),
    (IDEMPOTENCY, f"{IDEMPOTENCY} payments_body_timeout 0;", "body_timeout"),
    (LIVE, "payments_health;", "number of arguments"),
    (LIVE, "payments_health dead;", "live or ready"),
    (LIVE, "payments_health live ready;", "number of arguments"),
    (LIVE, "payments_health live; payments_health ready;", "handler already"),
    (LIVE, "payments_api on;", "number of arguments"),
    (LIVE, "payments_metrics; proxy_pass http://127.0.0.1:1;",
     "duplicate|handler"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "says"), WORDS, ids=[new[:70] for _, new, _ in WORDS]
)
def test_a_wrong_word_is_refused_with_the_mend(
    refuse,  # noqa: F811
    old,
    new,
    says,
):
    refuse(says, (old, new))


GOOD = [
    (DB, DB.replace("queue=4096", "queue=1 timeout=10ms wait=10m")),
    (TIMEOUT, "timeout total=120s;"),
    (TOLERANCE, "webhook_tolerance 1h;"),
    (ACME_PSPS, f"{ACME_PSPS} disabled;"),
    (LIMIT, "payments_rate_limit rate=30r/m address_rate=1r/s;"),
    (IDEMPOTENCY, "payments_idempotency required in_progress=409;"),
    (JOBS, "payments_jobs on concurrency=1 interval=10ms psp_rate=30r/m;"),
    (JOBS, "payments_jobs on psp_rate=off;"),
    (JOBS, f"{JOBS} payments_public_url https://pay.example.com:8443;"),
    ("payments_audience  ngx_payments;", "payments_audience other;"),
    (ZONE, "payments_zone zone=payments:128k;"),
    (
        JWT_LINE,
        f"{JWT_LINE} jwt_key kid=next alg=HS256 file=secrets/good.hs;",
    ),
]


@pytest.mark.parametrize(("old", "new"), GOOD, ids=[new for _, new in GOOD])
def test_a_right_word_passes(gateway, directory, old, new):  # noqa: F811
    nginx = Nginx(gateway, directory, swap(MINIMAL, (old, new)))
    code, said = nginx.test()
    assert code == 0, said
