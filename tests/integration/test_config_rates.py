"""Sources of rates and the life of a quote: wrong and right."""

import pytest
from support.nginxconf import MINIMAL, Nginx, swap
from test_config import (
    directory,  # noqa: F401 - a fixture
    refuse,  # noqa: F401 - a fixture
)
from test_config_words import JOBS

URL = "url=https://rates.example/latest"
ECB = f"payments_rates ecb {URL} base=EUR"

BAD = [
    # the name, and how many
    (f"payments_rates {URL}", "number of arguments"),
    ("payments_rates ecb", "number of arguments"),
    (f"payments_rates {URL} base=EUR", "needs a name first"),
    (f'payments_rates "" {URL} base=EUR', "needs a name first"),
    (f"payments_rates {'a' * 65} {URL} base=EUR", "needs a name first"),
    (f'payments_rates "e c" {URL} base=EUR', "needs a name first"),
    (f"{ECB}; {ECB}", "a name of its own"),
    # where from
    ("payments_rates ecb base=EUR interval=1m", "either url= or file="),
    (f"{ECB} file=rates.json", "either url= or file="),
    (f"{ECB} {URL}", "stands twice"),
    ("payments_rates ecb url= base=EUR", "does not know"),
    ("payments_rates ecb url=rates.example base=EUR", "absolute url="),
    ("payments_rates ecb url=ftp://rates.example/ base=EUR", "absolute url="),
    ("payments_rates ecb url=file:///etc/passwd base=EUR", "absolute url="),
    ("payments_rates ecb url=https://u:p@r.example/ base=EUR", "a user"),
    ("payments_rates ecb url=https://[::1]/ base=EUR", "absolute url="),
    ("payments_rates ecb url=https://r.example/%00 base=EUR", "absolute"),
    ('payments_rates ecb "url=https://r.example/a b" base=EUR', "absolute"),
    ("payments_rates ecb url=https://r.example/#x base=EUR", "fragment"),
    ("payments_rates ecb url=http://rates.example/ base=EUR", "https"),
    ("payments_rates ecb url=http://127.0.0.1.example/ base=EUR", "https"),
    ("payments_rates ecb url=https://10.0.0.1/ base=EUR", "private|allow"),
    ("payments_rates ecb url=https://169.254.169.254/ base=EUR", "priv|allow"),
    ("payments_rates ecb file=secrets base=EUR", "regular file"),
    ("payments_rates ecb file=/dev/zero base=EUR", "regular file"),
    # of what
    (f"payments_rates ecb {URL} interval=1m", "needs base="),
    (f"payments_rates ecb {URL} base=", "does not know"),
    (f"payments_rates ecb {URL} base=eur", "ISO 4217"),
    (f"payments_rates ecb {URL} base=EURO", "ISO 4217"),
    (f"payments_rates ecb {URL} base=XXX", "ISO 4217"),
    (f"payments_rates ecb {URL} base=BTC", "ISO 4217"),
    (f"{ECB} base=USD", "stands twice"),
    # how often, how long
    (f"{ECB} interval=0", "from 1s to 1h"),
    (f"{ECB} interval=999ms", "from 1s to 1h"),
    (f"{ECB} interval=-1s", "from 1s to 1h"),
    (f"{ECB} interval=61m", "from 1s to 1h"),
    (f"{ECB} interval=soon", "from 1s to 1h"),
    (f"{ECB} interval=99999999999999999999s", "from 1s to 1h"),
    (f"{ECB} interval=1m interval=2m", "stands twice"),
    (f"{ECB} max_age=0", "from 1s to 7d"),
    (f"{ECB} max_age=8d", "from 1s to 7d"),
    (f"{ECB} max_age=119s", "at least twice"),
    (f"{ECB} interval=151s", "at least twice"),
    (f"{ECB} interval=5m max_age=5m", "at least twice"),
    (f"{ECB} Interval=1m", "does not know"),
    (f"{ECB} redirects=on", "does not know"),
    # the quote
    ("payments_quote", "number of arguments"),
    ("payments_quote 15m", "takes ttl="),
    ("payments_quote ttl=", "takes ttl="),
    ("payments_quote ttl=0", "from 1s to 24h"),
    ("payments_quote ttl=25h", "from 1s to 24h"),
    ("payments_quote ttl=-1m", "from 1s to 24h"),
    ("payments_quote ttl=15m ttl=16m", "number of arguments"),
    ("payments_quote max_age=5m", "takes ttl="),
    ("payments_quote ttl=15m; payments_quote ttl=15m", "duplicate"),
]

GOOD = [
    ECB,
    f"{ECB} interval=1s max_age=2s",
    f"{ECB} interval=1h max_age=7d",
    f"payments_rates r {URL}?key=abc&symbols=USD base=EUR interval=150s",
    "payments_rates own file=secrets/acme.pub base=USD",
    "payments_rates own url=http://127.0.0.1:8080/r base=JPY",
    "payments_rates own url=http://localhost/r base=KWD",
    "payments_rates own url=https://127.0.0.1/r base=CLF",
    "payments_quote ttl=1s",
    f"payments_quote ttl=24h; {ECB}",
    "; ".join(f"payments_rates r{i} {URL} base=EUR" for i in range(5)),
]


def at_http(line: str) -> tuple[str, str]:
    return JOBS, f"{JOBS} {line};"


@pytest.mark.parametrize(("line", "says"), BAD, ids=[line for line, _ in BAD])
def test_a_wrong_line_is_refused_and_says_how_to_mend_it(
    refuse,  # noqa: F811
    line,
    says,
):
    refuse(says, at_http(line))


@pytest.mark.parametrize("line", GOOD)
def test_a_right_line_is_taken(gateway, directory, line):  # noqa: F811
    code, said = Nginx(gateway, directory, swap(MINIMAL, at_http(line))).test()
    assert code == 0, said
    assert "not there yet" not in said


def test_a_sixth_source_is_refused(refuse):  # noqa: F811
    lines = (f"payments_rates r{i} {URL} base=EUR" for i in range(6))
    refuse("at most 5 sources", at_http("; ".join(lines)))


@pytest.mark.parametrize("name", ["payments_rates", "payments_quote"])
def test_both_belong_into_http_alone(refuse, name):  # noqa: F811
    line = {"payments_rates": ECB, "payments_quote": "payments_quote ttl=9m"}
    server = "server_name  localhost;"
    refuse("not allowed here", (server, f"{server} {line[name]};"))


def test_a_file_that_comes_later_is_only_a_warning(
    gateway,
    directory,  # noqa: F811
):
    line = "payments_rates own file=not/yet.json base=EUR"
    code, said = Nginx(gateway, directory, swap(MINIMAL, at_http(line))).test()
    assert code == 0, said
    assert "[warn]" in said
    assert "not there yet" in said


# The query of a source's URL is a password: of the customer there.
@pytest.mark.parametrize("host", ["10.0.0.1", "rates.example"])
def test_no_refusal_shows_the_query(refuse, host):  # noqa: F811
    scheme = "http" if host == "rates.example" else "https"
    canary = "k3y" * 8
    said = refuse(
        "payments_rates",
        at_http(
            f"payments_rates r url={scheme}://{host}/r?key={canary} base=EUR"
        ),
    )
    assert canary not in said
