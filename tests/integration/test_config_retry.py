"""What goes on without anybody asking: retries, late payments, watchdog,
quarantine, kept bodies and back-fill, wrong and right."""

import re

import pytest
from support.nginxconf import MINIMAL, Nginx, swap
from test_config import (
    ACME_PSPS,
    BASE,
    TIMEOUT,
    directory,  # noqa: F401 - a fixture
    refuse,  # noqa: F401 - a fixture
)
from test_config_words import JOBS

SERVER = "server_name  localhost;"
LOCATION = "location /           { return 404; }"
STRIPE = "base_url           @MOCK@/stripe;"

# One line of a retry, behind payments_retry and behind retry.
BAD_RETRIES = [
    ("capture fixed", "must be about register, poll or refund"),
    ("Register fixed", "must be about register, poll or refund"),
    ('"" fixed', "must be about register, poll or refund"),
    ("registers fixed", "must be about register, poll or refund"),
    ("register sometimes", "exponential, incremental, fixed, immediate"),
    ("register Fixed", "exponential, incremental, fixed, immediate"),
    ('register ""', "exponential, incremental, fixed, immediate"),
    ("register base=1s", "exponential, incremental, fixed, immediate"),
    ("register fixed 1s", "takes base=, max=, jitter= and limit="),
    ("register fixed base=", "takes base=, max=, jitter= and limit="),
    ("register fixed Base=1s", "takes base=, max=, jitter= and limit="),
    ("register fixed attempts=3", "takes base=, max=, jitter= and limit="),
    ("register fixed base=1s base=2s", "stands twice"),
    ("register fixed limit=1 limit=1", "stands twice"),
    # base and max
    ("register fixed base=0", "from 10ms to 24h"),
    ("register fixed base=0s", "from 10ms to 24h"),
    ("register fixed base=9ms", "from 10ms to 24h"),
    ("register fixed base=-1s", "from 10ms to 24h"),
    ("register fixed base=soon", "from 10ms to 24h"),
    ("register fixed base=86401s", "from 10ms to 24h"),
    ("register fixed base=99999999999999999999s", "from 10ms to 24h"),
    ("poll exponential max=25h", "from 10ms to 24h"),
    ("poll exponential max=0", "from 10ms to 24h"),
    ("poll exponential max=1y", "from 10ms to 24h"),
    ("register exponential base=2s max=1s", "not longer than max="),
    ("register incremental base=61s", "not longer than max="),
    ("register exponential max=999ms", "not longer than max="),
    ("poll exponential max=4s", "not longer than max="),
    ("refund incremental base=2h", "not longer than max="),
    # jitter and limit
    ("register fixed jitter=101", "from 0 to 100"),
    ("register fixed jitter=-1", "from 0 to 100"),
    ("register fixed jitter=25%", "from 0 to 100"),
    ("register fixed limit=1000001", "from 0 to 1000000"),
    ("register fixed limit=-1", "from 0 to 1000000"),
    ("register fixed limit=none", "from 0 to 1000000"),
    ("register fixed limit=1e3", "from 0 to 1000000"),
    # words that the strategy does not go by
    ("register fixed base=1s max=2s", "no use for max="),
    ("register fixed max=2s", "no use for max="),
    ("register immediate base=1s limit=3", "no use for base= and max="),
    ("register immediate max=1s limit=3", "no use for base= and max="),
    ("register cancel limit=1", "takes no further word"),
    ("register cancel base=1s", "takes no further word"),
    ("refund cancel jitter=0", "takes no further word"),
    ("poll cancel max=1h", "takes no further word"),
    # at once, and for how long
    ("register immediate", "from limit=1 to limit=10"),
    ("register immediate limit=0", "from limit=1 to limit=10"),
    ("register immediate limit=11", "from limit=1 to limit=10"),
    ("refund immediate jitter=5", "from limit=1 to limit=10"),
    ("poll immediate", "without a pause"),
    ("poll immediate limit=3", "without a pause"),
]

GOOD_RETRIES = [
    "register exponential",
    "register exponential base=10ms max=10ms jitter=0 limit=0",
    "register exponential limit=1000000 jitter=100 max=24h base=24h",
    "register incremental base=60s",
    "register fixed base=24h",
    "register fixed base=2m",
    "register immediate limit=1",
    "register immediate limit=10 jitter=100",
    "register cancel",
    "poll exponential base=1s max=1m jitter=10 limit=50",
    "poll fixed base=15s",
    "poll incremental",
    "poll cancel",
    "refund immediate limit=3",
    "refund exponential base=1h",
    "refund cancel",
]


def at_http(*lines: str) -> tuple[str, str]:
    return JOBS, " ".join([JOBS, *(f"{line};" for line in lines)])


def at_psp(*lines: str) -> tuple[str, str]:
    return TIMEOUT, " ".join([TIMEOUT, *(f"{line};" for line in lines)])


@pytest.fixture
def take(gateway, directory):  # noqa: F811
    """take((old, new), …): nginx -t passes; what it has said."""

    def run(*pairs):
        code, said = Nginx(gateway, directory, swap(MINIMAL, *pairs)).test()
        assert code == 0, said
        return said

    return run


@pytest.mark.parametrize(
    ("line", "says"), BAD_RETRIES, ids=[line for line, _ in BAD_RETRIES]
)
def test_a_wrong_retry_is_refused_in_both_places(
    refuse,  # noqa: F811
    line,
    says,
):
    refuse(says, at_http(f"payments_retry {line}"))
    refuse(says, at_psp(f"retry {line}"))


@pytest.mark.parametrize("line", GOOD_RETRIES)
def test_a_right_retry_passes_in_both_places(take, line):
    said = take(at_http(f"payments_retry {line}"), at_psp(f"retry {line}"))
    assert "warn" not in said


WHOLE = [
    # contexts
    (JOBS, f"{JOBS} retry poll fixed;", "unknown directive"),
    (JOBS, f"{JOBS} backfill off;", "unknown directive"),
    *[
        (place, f"{place} {line}", "not allowed here")
        for place in (SERVER, LOCATION)
        for line in (
            "payments_retry poll fixed;", "payments_late_success hold;",
            "payments_watchdog parked=1h;", "payments_quarantine off;",
            "payments_webhook_bodies off;",
        )
    ],
    (TIMEOUT, f"{TIMEOUT} payments_retry poll fixed;", "does not know"),
    (TIMEOUT, f"{TIMEOUT} payments_quarantine off;", "does not know"),
    (ACME_PSPS, f"{ACME_PSPS} retry poll fixed;", "does not know"),
    (ACME_PSPS, f"{ACME_PSPS} backfill off;", "does not know"),
    # number of words
    (*at_http("payments_retry"), "number of arguments"),
    (*at_http("payments_retry poll"), "number of arguments"),
    (*at_psp("retry"), "from 2 to 6 arguments"),
    (*at_psp("retry poll"), "from 2 to 6 arguments"),
    (*at_psp("retry poll fixed a=1 b=2 c=3 d=4 e=5"), "from 2 to 6 arguments"),
    # twice
    (
        *at_http("payments_retry poll fixed", "payments_retry poll cancel"),
        "second line about the same",
    ),
    (*at_psp("retry poll fixed", "retry poll fixed"), "second line about"),
    # late payments
    (*at_http("payments_late_success"), "number of arguments"),
    (*at_http("payments_late_success on"), "accept, hold or refund"),
    (*at_http("payments_late_success Hold"), "accept, hold or refund"),
    (*at_http('payments_late_success ""'), "accept, hold or refund"),
    (*at_http("payments_late_success hold refund"), "number of arguments"),
    (
        *at_http("payments_late_success accept", "payments_late_success hold"),
        "duplicate",
    ),
    # the watchdog
    (*at_http("payments_watchdog"), "number of arguments"),
    (*at_http("payments_watchdog on"), "does not know"),
    (*at_http("payments_watchdog parked="), "does not know"),
    (*at_http("payments_watchdog sending=1m"), "does not know"),
    (*at_http("payments_watchdog Parked=1m"), "does not know"),
    (*at_http("payments_watchdog parked=1m parked=2m"), "stands twice"),
    (*at_http("payments_watchdog parked=1m", "payments_watchdog unknown=1m"),
     "duplicate"),
    (*at_http("payments_watchdog interval=10s", "payments_watchdog parked=0"),
     "duplicate"),
    *[
        (*at_http(f"payments_watchdog {name}={age}"), "from 1s to 30d")
        for name, age in (
            ("registering", "31d"), ("executing", "-1s"), ("unknown", "off"),
            ("parked", "500ms"), ("parked", "1" + "0" * 20),
        )
    ],
    *[
        (*at_http(f"payments_watchdog interval={time}"), "from 10ms to 10m")
        for time in ("0", "9ms", "11m", "often", "-1s")
    ],
    # the quarantine
    (*at_http("payments_quarantine"), "number of arguments"),
    (*at_http("payments_quarantine 1"), '"on" or "off"'),
    (*at_http("payments_quarantine no"), '"on" or "off"'),
    (*at_http("payments_quarantine on", "payments_quarantine off"),
     "duplicate"),
    # bodies of webhooks
    (*at_http("payments_webhook_bodies"), "number of arguments"),
    (*at_http("payments_webhook_bodies on"), "does not know"),
    (*at_http("payments_webhook_bodies off days=1"), "does not know"),
    (*at_http("payments_webhook_bodies Days=1"), "does not know"),
    (*at_http("payments_webhook_bodies days=1 days=2"), "stands twice"),
    *[
        (*at_http(f"payments_webhook_bodies days={days}"), "from 1 to 365")
        for days in ("0", "366", "-1", "1d")
    ],
    *[
        (*at_http(f"payments_webhook_bodies size={size}"), "from 1 to 256k")
        for size in ("0", "257k", "-1", "much")
    ],
    (
        *at_http("payments_webhook_bodies off",
                 "payments_webhook_bodies days=1"),
        "duplicate",
    ),
    # the back-fill
    *[
        (STRIPE, f"{STRIPE} backfill {text};", "off or a time from 1m to 24h")
        for text in (
            "on", "0", "59s", "59999ms", "86401s", "2d", "Off", "-1m", '""',
        )
    ],
    (STRIPE, f"{STRIPE} backfill;", "argument"),
    (STRIPE, f"{STRIPE} backfill 1m 2m;", "argument"),
    (STRIPE, f"{STRIPE} backfill off; backfill off;", "duplicate"),
    (*at_psp("backfill off", "backfill 10m"), "duplicate"),
    # the last look
    *[
        (STRIPE, f"{STRIPE} last_look {text};", "off or a time from 1s to 30d")
        for text in ("on", "0", "500ms", "31d", "Off", "-1s", '""')
    ],
    (STRIPE, f"{STRIPE} last_look;", "argument"),
    (*at_psp("last_look off", "last_look 1h"), "duplicate"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "says"), WHOLE, ids=[new[-60:] for _, new, _ in WHOLE]
)
def test_a_wrong_line_is_refused_with_the_mend(
    refuse,  # noqa: F811
    old,
    new,
    says,
):
    refuse(says, (old, new))


@pytest.mark.parametrize(
    "pair",
    [
        at_http(
            "payments_retry register fixed",
            "payments_retry poll fixed",
            "payments_retry refund fixed",
        ),
        at_psp(
            "retry register fixed", "retry poll fixed", "retry refund cancel"
        ),
        at_psp("backfill off"),
        *[
            at_http(f"payments_late_success {word}")
            for word in ("accept", "hold", "refund")
        ],
        at_http("payments_quarantine on"),
        at_http("payments_quarantine off"),
        at_http("payments_webhook_bodies off"),
        at_http("payments_webhook_bodies days=1"),
        at_http("payments_webhook_bodies size=256k"),
        at_http("payments_webhook_bodies size=1 days=365"),
        at_http(
            "payments_watchdog registering=15m executing=24h unknown=15m"
            " parked=1h interval=10s"
        ),
        at_http("payments_watchdog registering=0 executing=0s"),
        at_http("payments_watchdog unknown=1s parked=30d interval=10ms"),
        at_http("payments_watchdog interval=10m"),
        (STRIPE, f"{STRIPE} backfill off;"),
        at_psp("last_look off"),
        at_psp("last_look 1s"),
        at_psp("last_look 30d"),
    ],
    ids=lambda pair: pair[1][-60:],
)
def test_a_right_line_passes(take, pair):
    take(pair)


@pytest.mark.parametrize("text", ["1m", "10m", "24h", "86400s"])
def test_a_backfill_of_an_adapter_that_lists_events_passes(take, text):
    take((STRIPE, f"{STRIPE} backfill {text};"))


def test_lines_about_others_stand_together(take):
    """One line each for register, poll and refund, here and in a block."""
    take(
        at_http("payments_retry register cancel", "payments_retry poll fixed"),
        at_psp("retry refund cancel", "retry register fixed"),
        (STRIPE, f"{STRIPE} retry register immediate limit=2;"),
    )


def test_a_retry_that_nothing_goes_by_is_warned_of(take):
    """A PSP that only sends webhooks is never called."""
    head = "payments_psp stripe {"
    block = (
        "payments_psp razorpay { adapter razorpay;"
        f" webhook_key_file secrets/generic.whsec; @ }}\n    {head}"
    )
    said = take((head, block.replace("@", "retry poll fixed;")))
    assert "no use for retry" in said
    assert "remove it" in said
    assert "no use for retry" not in take((head, block.replace("@", "")))


@pytest.mark.parametrize(
    ("adapter", "words"),
    [
        ("razorpay", "adapter razorpay; backfill 10m;"),
        ("razorpay", "backfill 10m; adapter razorpay;"),
        (
            "mollie",
            "adapter mollie; base_url https://api.mollie.com; backfill 1m;"
            " api_key_file secrets/generic.key;"
            " hosted_page_host www.mollie.com;",
        ),
    ],
)
def test_a_backfill_from_a_psp_that_lists_nothing_is_refused(
    refuse,  # noqa: F811
    take,
    adapter,
    words,
):
    head = "payments_psp stripe {"
    block = (
        f"payments_psp other {{ {words}"
        f" webhook_key_file secrets/generic.whsec; }}\n    {head}"
    )
    refuse(
        f"adapter {adapter} has no list of events.*remove it", (head, block)
    )
    take((head, re.sub(r"backfill \w+;", "backfill off;", block)))


def test_a_base_that_the_default_max_is_shorter_than_names_both(
    refuse,  # noqa: F811
):
    said = refuse(
        "set both", (BASE, f"{BASE} retry register exponential base=2m;")
    )
    assert '"retry register exponential"' in said
