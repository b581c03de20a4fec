"""How much at once and for how long, wrong and right: payments_bulkhead and
payments_stage_timeout."""

import pytest
from support.nginxconf import MINIMAL, Nginx, swap
from test_config import (
    DB,
    TIMEOUT,
    directory,  # noqa: F401 - a fixture
    refuse,  # noqa: F401 - a fixture
)
from test_config_retry import LOCATION, SERVER, at_http
from test_config_words import JOBS

BULKHEAD = "takes merchant=, intake=, read= and job="
STAGE = "takes key=, risk=, routing=, psp= and ledger="
STAGES = ("key", "risk", "routing", "psp", "ledger")
SHORT_DB = (DB, DB.replace("queue=4096", "queue=4096 timeout=1s"))

WRONG = [
    # payments_bulkhead
    (*at_http("payments_bulkhead"), "number of arguments"),
    (*at_http("payments_bulkhead 100"), BULKHEAD),
    (*at_http("payments_bulkhead off"), BULKHEAD),
    (*at_http("payments_bulkhead merchant="), BULKHEAD),
    (*at_http("payments_bulkhead Merchant=1"), BULKHEAD),
    (*at_http("payments_bulkhead change=1"), BULKHEAD),
    (*at_http("payments_bulkhead webhook=1"), BULKHEAD),
    *[
        (*at_http(f"payments_bulkhead {name}={n}"), "from 0 to 1000000")
        for name in ("merchant", "intake", "read", "job")
        for n in ("-1", "1000001", "many", "1e3", "9" * 25)
    ],
    (*at_http("payments_bulkhead read=1 read=2"), "stands twice"),
    (
        *at_http("payments_bulkhead read=1", "payments_bulkhead job=2"),
        "duplicate",
    ),
    (SERVER, f"{SERVER} payments_bulkhead read=1;", "not allowed here"),
    (LOCATION, f"{LOCATION} payments_bulkhead read=1;", "not allowed here"),
    (TIMEOUT, f"{TIMEOUT} payments_bulkhead read=1;", "does not know"),
    # payments_stage_timeout
    (*at_http("payments_stage_timeout"), "number of arguments"),
    (*at_http("payments_stage_timeout 1s"), STAGE),
    (*at_http("payments_stage_timeout key="), STAGE),
    (*at_http("payments_stage_timeout Key=1s"), STAGE),
    (*at_http("payments_stage_timeout total=1s"), STAGE),
    *[
        (*at_http(f"payments_stage_timeout {name}={t}"), "from 10ms to 10m")
        for name in STAGES
        for t in ("0", "9ms", "11m", "-1s", "soon", "9" * 25)
    ],
    (*at_http("payments_stage_timeout psp=1s psp=2s"), "stands twice"),
    (
        *at_http(
            "payments_stage_timeout key=1s", "payments_stage_timeout psp=1s"
        ),
        "duplicate",
    ),
    *[
        (
            *at_http(f"payments_stage_timeout {name}=4001ms"),
            f"{name}= must be at most 4000ms, which is 80% of timeout=",
        )
        for name in ("key", "ledger")
    ],
    (SERVER, f"{SERVER} payments_stage_timeout key=1s;", "not allowed here"),
    (
        LOCATION,
        f"{LOCATION} payments_stage_timeout key=1s;",
        "not allowed here",
    ),
    (TIMEOUT, f"{TIMEOUT} payments_stage_timeout psp=1s;", "does not know"),
]


@pytest.mark.parametrize(
    ("old", "new", "says"), WRONG, ids=[new[-60:] for _, new, _ in WRONG]
)
def test_a_wrong_line_is_refused_with_the_mend(
    refuse,  # noqa: F811
    old,
    new,
    says,
):
    refuse(says, (old, new))


def test_a_stage_must_end_before_the_databases_own_timeout(
    refuse,  # noqa: F811
):
    refuse(
        "at most 800ms",
        SHORT_DB,
        at_http("payments_stage_timeout ledger=801ms"),
    )


@pytest.mark.parametrize(
    "line",
    [
        "payments_bulkhead merchant=0 intake=0 read=0 job=0",
        "payments_bulkhead merchant=1000000 intake=1 read=1 job=1",
        "payments_bulkhead job=4",
        "payments_stage_timeout key=50ms risk=200ms routing=10ms psp=10s"
        " ledger=100ms",
        "payments_stage_timeout key=10ms",
        "payments_stage_timeout key=4s ledger=4s",
        # risk bounds nothing yet, and psp= may be longer than any total=
        "payments_stage_timeout risk=10m psp=10m routing=10m",
    ],
)
def test_a_right_line_passes(gateway, directory, line):  # noqa: F811
    text = swap(MINIMAL, at_http(line))
    code, said = Nginx(gateway, directory, text).test()
    assert code == 0, said
    assert "warn" not in said


def test_both_stand_in_one_file(gateway, directory):  # noqa: F811
    lines = ("payments_bulkhead read=9", "payments_stage_timeout key=1s")
    text = swap(MINIMAL, at_http(*lines))
    assert JOBS in text
    code, said = Nginx(gateway, directory, text).test()
    assert code == 0, said
