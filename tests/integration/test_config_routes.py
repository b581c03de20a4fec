"""Words that choose among PSPs, wrong and right: nginx -t names the mend."""

import pytest
from support.nginxconf import MINIMAL, Nginx, swap
from test_config import (
    ACME_PSPS,
    TIMEOUT,
    directory,  # noqa: F401 - a fixture
    refuse,  # noqa: F401 - a fixture
)
from test_config_words import JOBS

LONG = "a" * 65
MANY = ",".join(f"m{i}" for i in range(33))


def routes(*lines: str) -> tuple[str, str]:
    """acme's psp line and routes behind it."""
    return ACME_PSPS, " ".join([ACME_PSPS, *(f"route {x};" for x in lines)])


ROUTES = [
    # targets
    ("nobody", "no such payments_psp"),
    ("", "from 1 to 13 arguments"),
    ("currency=EUR", "names no PSP"),
    ("by=score", "names no PSP"),
    ("stripe stripe", "twice"),
    ("by=weight stripe=1 stripe=2", "twice"),
    ("by=weight stripe stripe=2", "twice"),
    ("by=weight stripe=0 generic", "from 1 to 1000"),
    ("by=weight stripe=1001 generic", "from 1 to 1000"),
    ("by=weight stripe=-1 generic", "from 1 to 1000"),
    ("by=weight stripe=1.5 generic", "from 1 to 1000"),
    ("by=weight stripe= generic", "from 1 to 1000"),
    ("by=weight stripe=99999999999999999999", "from 1 to 1000"),
    ("by=weight =5", "does not know"),
    ("stripe=5", "by=weight"),
    ("by=score stripe=5 generic", "by=weight"),
    ("by=order generic stripe=2", "by=weight"),
    ("stripe/x", "does not know"),
    ('"stripe generic"', "does not know"),
    ('""', "does not know"),
    (LONG, "does not know"),
    ("a b c d e f g h i", "at most 8"),
    ("colour=red stripe", "does not know"),
    ("Currency=EUR stripe", "does not know"),
    ("by=weight by=score stripe", "stands twice"),
    ("currency=EUR currency=USD stripe", "stands twice"),
    ("by=chance stripe", "by=order, by=weight or by=score"),
    ("by=Weight stripe", "by=order, by=weight or by=score"),
    ("by= stripe", "does not know"),
    # lists
    ("currency= stripe", "does not know"),
    ("currency=eur stripe", "currencies of ISO 4217"),
    ("currency=EURO stripe", "currencies of ISO 4217"),
    ("currency=XXX stripe", "currencies of ISO 4217"),
    ("currency=EUR, stripe", "currencies of ISO 4217"),
    ("currency=,EUR stripe", "currencies of ISO 4217"),
    ("currency=EUR,,USD stripe", "currencies of ISO 4217"),
    ("currency=EUR,EUR stripe", "each once"),
    ("currency=EUR;USD stripe", "names no PSP|does not know"),
    ('"currency=EUR, USD" stripe', "currencies of ISO 4217"),
    ("country=de stripe", "two capital letters"),
    ("country=DEU stripe", "two capital letters"),
    ("country=D stripe", "two capital letters"),
    ("country=D1 stripe", "two capital letters"),
    ("country=DE,DE stripe", "each once"),
    ("method=card/x stripe", "payment methods"),
    (f"method={LONG} stripe", "payment methods"),
    (f"method={MANY} stripe", "1 to 32"),
    ("method=card,card stripe", "each once"),
    # ranges
    ("amount=1.00-2.00 stripe", "exactly one currency="),
    ("currency=EUR,USD amount=1.00-2.00 stripe", "exactly one currency="),
    *[
        (f"currency=EUR amount={amount} stripe", "decimals of EUR")
        for amount in (
            "-", "--", "1.00", "1-2", "1.0-2.0", "1.000-2.000", "2.00-1.00",
            "1.00-2", "a-b", "1.00-2.00-3.00", "-1.00-2.00", "01.00-2.00",
            "1,00-2,00", "0.00-2.00", "1.00-2.00x", "1e2-1e3", "1.00:2.00",
            "1.00-9999999999999999.00",
        )
    ],
    ("currency=JPY amount=1.00-2.00 stripe", "0 decimals of JPY"),
    ("currency=KWD amount=1.00-2.00 stripe", "3 decimals of KWD"),
    ("currency=EUR amount= stripe", "does not know"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "says"), ROUTES, ids=[line[:60] for line, _ in ROUTES]
)
def test_a_wrong_route_is_refused_with_the_mend(
    refuse,  # noqa: F811
    line,
    says,
):
    refuse(says, routes(line))


def test_a_route_to_a_psp_that_the_merchant_has_not(refuse):  # noqa: F811
    """The block exists: it is another merchant's."""
    one = "psp          generic;\n    }\n\n    server_tokens"
    bad = one.replace(";", "; route generic stripe;", 1)
    refuse('route to psp "stripe".*not in its psp list', (one, bad))


@pytest.mark.parametrize("adapter", ["razorpay", "gocardless"])
def test_a_psp_that_only_sends_webhooks_takes_no_orders(
    refuse,  # noqa: F811
    adapter,
):
    old = "adapter            stripe;"
    refuse(
        f'names psp "stripe".*{adapter} only understands webhooks',
        (old, f"adapter {adapter};"),
    )


def test_a_route_that_is_never_reached(refuse):  # noqa: F811
    refuse("never be taken", routes("stripe", "currency=EUR generic"))


def test_more_routes_than_there_may_be(refuse):  # noqa: F811
    lines = ["currency=EUR stripe"] * 33
    refuse("more than 32 times", routes(*lines))


def test_a_list_too_long_is_not_taken_in_part(refuse):  # noqa: F811
    currencies = "currency=" + ",".join(["EUR"] * 33)
    refuse("each once", routes(f"{currencies} stripe"))


def psp(line: str) -> tuple[str, str]:
    return TIMEOUT, f"{TIMEOUT} {line}"


def http(line: str) -> tuple[str, str]:
    return JOBS, f"{JOBS} {line}"


WORDS = [
    (psp("breaker;"), "arguments"),
    (psp("breaker on;"), 'breaker does not know "on": it takes off, or'),
    (psp("breaker off calls=5;"), "takes off, or"),
    (psp("breaker calls=5 off;"), "takes off, or"),
    (psp("breaker off; breaker off;"), "duplicate"),
    (psp("breaker off; breaker calls=3;"), "duplicate"),
    (psp("breaker calls=3; breaker off;"), "duplicate"),
    (psp("breaker failures=50;"), "1% to 100%"),
    (psp("breaker failures=0%;"), "1% to 100%"),
    (psp("breaker failures=101%;"), "1% to 100%"),
    (psp("breaker failures=-5%;"), "1% to 100%"),
    (psp("breaker failures=5.5%;"), "1% to 100%"),
    (psp("breaker failures=%;"), "1% to 100%"),
    (psp("breaker failures=half;"), "1% to 100%"),
    (psp("breaker failures=;"), "takes off, or"),
    (psp("breaker failures=1% failures=2%;"), "stands twice"),
    (psp("breaker calls=0;"), "from 1 to 100000"),
    (psp("breaker calls=100001;"), "from 1 to 100000"),
    (psp("breaker calls=many;"), "from 1 to 100000"),
    (psp("breaker window=0;"), "100ms to 1h"),
    (psp("breaker window=99ms;"), "100ms to 1h"),
    (psp("breaker window=61m;"), "100ms to 1h"),
    (psp("breaker window=soon;"), "100ms to 1h"),
    (psp("breaker open=9ms;"), '"open=9ms" must be a time from 10ms to 1h'),
    (psp("breaker open=2h;"), "10ms to 1h"),
    (psp("breaker open=-1s;"), "10ms to 1h"),
    (psp("breaker probes=0;"), "from 1 to 100"),
    (psp("breaker probes=101;"), "from 1 to 100"),
    (psp("breaker errors=5%;"), "takes off, or"),
    (psp("concurrency;"), "arguments"),
    (psp("concurrency -1;"), "from 0"),
    (psp("concurrency 100001;"), "to 100000"),
    (psp("concurrency many;"), "from 0"),
    (psp("concurrency 1.5;"), "from 0"),
    (psp("concurrency 5; concurrency 5;"), "duplicate"),
    (psp("concurrency 0; concurrency 5;"), "duplicate"),
    (psp("cost;"), "arguments"),
    (psp("cost 1.4%;"), "takes rate= and fixed="),
    (psp("cost rate=1.4;"), "0% to 100%"),
    (psp("cost rate=100.0001%;"), "0% to 100%"),
    (psp("cost rate=-1%;"), "0% to 100%"),
    (psp("cost rate=1.23456%;"), "at most 4 decimals"),
    (psp("cost rate=1,4%;"), "0% to 100%"),
    (psp("cost rate=1.%;"), "0% to 100%"),
    (psp("cost rate=.5%;"), "0% to 100%"),
    (psp("cost rate=.%;"), "0% to 100%"),
    (psp("cost rate=%;"), "0% to 100%"),
    (psp("cost rate=1%%;"), "0% to 100%"),
    (psp("cost rate=999999999999999999999%;"), "0% to 100%"),
    (psp("cost rate=0%;"), "above 0"),
    (psp("cost rate=0% fixed=0;"), "above 0"),
    (psp("cost fixed=-1;"), "from 0 to 1000000000"),
    (psp("cost fixed=0.25;"), "from 0 to 1000000000"),
    (psp("cost fixed=1000000001;"), "from 0 to 1000000000"),
    (psp("cost fixed=1 fixed=2;"), "stands twice"),
    (psp("cost fixed=1; cost rate=1%;"), "duplicate"),
    (psp("route stripe;"), "does not know"),
    (http("payments_score;"), "number of arguments"),
    (http("payments_score success=0;"), "share above 0"),
    (http("payments_score success=0 cost=0 latency=0 load=0;"), "above 0"),
    (http("payments_score success=1001;"), "from 0 to 1000"),
    (http("payments_score success=-1;"), "from 0 to 1000"),
    (http("payments_score success=most;"), "from 0 to 1000"),
    (http("payments_score success=1 success=2;"), "stands twice"),
    (http("payments_score success=1; payments_score cost=1;"), "duplicate"),
    (http("payments_score price=1;"), "does not know"),
    (http("payments_score success;"), "does not know"),
    (http("payments_score success=;"), "does not know"),
    (http("payments_psp_concurrency;"), "number of arguments"),
    (http("payments_psp_concurrency -1;"), "invalid number"),
    (http("payments_psp_concurrency many;"), "invalid number"),
    (http("payments_psp_concurrency 100001;"), "100000"),
    (
        http("payments_psp_concurrency 5; payments_psp_concurrency 5;"),
        "duplicate",
    ),
]


@pytest.mark.parametrize(
    ("pair", "says"), WORDS, ids=[pair[1][-60:] for pair, _ in WORDS]
)
def test_a_wrong_word_is_refused_with_the_mend(
    refuse,  # noqa: F811
    pair,
    says,
):
    refuse(says, pair)


PLACES = [
    ("payments_score success=1;", "location = /healthz  {"),
    ("payments_psp_concurrency 5;", "location = /healthz  {"),
    ("payments_score success=1;", "server_name  localhost;"),
    ("payments_psp_concurrency 5;", "server_name  localhost;"),
]


@pytest.mark.parametrize(("line", "place"), PLACES)
def test_a_directive_in_the_wrong_place(refuse, line, place):  # noqa: F811
    refuse("not allowed here", (place, f"{place} {line}"))


ALL_METHODS = ",".join(f"m{i}" for i in range(32))

GOOD = [
    routes("stripe"),
    routes("currency=EUR,USD country=DE,FR method=card by=score stripe"),
    routes("currency=EUR amount=0.01-99.99 stripe", "by=score generic stripe"),
    routes("amount=-99.99 currency=EUR stripe"),
    routes("amount=100.00- currency=EUR stripe"),
    routes("currency=JPY amount=1-200 stripe"),
    routes("currency=KWD amount=1.000-1.000 stripe"),
    routes("by=weight stripe=1000 generic"),
    routes("stripe=1 by=weight generic=1"),
    routes(f"method={ALL_METHODS} stripe"),
    routes(*["currency=EUR stripe"] * 32),
    psp("breaker off;"),
    psp("breaker failures=1% calls=1 window=100ms open=10ms probes=1;"),
    psp("breaker failures=100% calls=100000 window=1h open=1h probes=100;"),
    psp("concurrency 0;"),
    psp("concurrency 100000;"),
    psp("cost rate=1.4% fixed=25;"),
    psp("cost rate=0.0001%;"),
    psp("cost rate=100%;"),
    psp("cost fixed=1000000000;"),
    http("payments_score success=60 cost=30 latency=10;"),
    http("payments_score load=1000;"),
    http("payments_psp_concurrency 0;"),
    http("payments_psp_concurrency 100000;"),
]


@pytest.mark.parametrize("pair", GOOD, ids=[good[1][-60:] for good in GOOD])
def test_a_right_word_passes(gateway, directory, pair):  # noqa: F811
    code, said = Nginx(gateway, directory, swap(MINIMAL, pair)).test()
    assert code == 0, said
