"""A region is lost, with its gateway and its primary: the other one, a round
trip away, takes over.  With a synchronous standby there, nothing that
was acknowledged is lost; without, what had not arrived there is.
"""

from urllib.parse import urlsplit

import pytest
from shops import Shops, stored
from support.own_stack import wait_for
from support.worst_day import judge
from two_regions import ROUND_TRIP_S, Regions, median_ms

SOME = 15  # payments
RTT_MS = ROUND_TRIP_S * 1000


@pytest.fixture
def regions():
    made = Regions()
    try:
        yield made
    finally:
        made.close()


def latencies(node) -> tuple[float, float, float]:
    """ms of a create, of a GET, and of the buyer's redirect."""
    made = node.created()
    redirect = urlsplit(made.shown["redirect_url"]).path

    def get():
        assert node.payment(made.order_id)["status"] == "EXECUTING"

    def redirected():
        assert node.http.get(redirect).status_code in (302, 303)

    return median_ms(node.created), median_ms(get), median_ms(redirected)


def test_each_commit_of_a_far_standby_takes_a_round_trip(regions, say):
    """Where a round trip is due, it is seen: a create is two operations that
    write, and a GET one that reads."""
    say("ms (median) of a create, of a GET, of a redirect:")
    measured = {}
    for waits in (False, True):
        regions.pair.waits_for_abroad(waits)
        for name in ("home", "abroad"):
            node = getattr(regions, name)
            took = measured[name, waits] = latencies(node)
            what = "waits for the standby abroad" if waits else "waits for none"
            say(f"  gateway {name}, a commit {what}: "
                + ", ".join(f"{each:.0f}" for each in took))  # fmt: skip
    (create, get, _), waiting = measured["home", True], measured["home", False]
    assert create > 2 * RTT_MS > waiting[0]
    assert get < RTT_MS
    create, get, _ = measured["abroad", False]
    assert create > 2 * RTT_MS
    assert get > RTT_MS
    create, get, _ = measured["abroad", True]
    assert create > 4 * RTT_MS
    assert 2 * RTT_MS > get > RTT_MS


def is_served(shops, since: float) -> float | None:
    later = [each.at for each in shops.promises if each.at > since]
    return min(later, default=None)


def test_a_region_is_lost_and_no_promise_with_it(regions, say):
    regions.pair.waits_for_abroad(True)
    waiting = regions.home.created()
    redirect = urlsplit(waiting.shown["redirect_url"]).path
    with Shops(regions.home) as shops:
        shops.sell(SOME)
        lost = regions.lose_home()
        regions.take_over()
        first = wait_for(lambda: is_served(shops, lost + 0.001), "payments")
        shops.sell(SOME)
    with regions.home.client() as buyer:
        assert buyer.get(redirect).status_code in (302, 303)
    verdict = judge(shops.promises, stored(regions.home), None)
    assert verdict.broken == [], verdict.broken[:5]
    assert set(shops.statuses) <= {0, 201, 202, 503}, shops.statuses
    regions.home.check_invariants()
    say(
        "region lost, synchronous standby abroad: payments again after "
        f"{first - lost:.1f} s, {verdict}"
    )


def test_without_a_synchronous_standby_what_had_not_arrived_is_lost(
    regions, say
):
    """The link between the regions goes down first, as on such days."""
    pair = regions.pair
    pair.waits_for_abroad(False)
    with Shops(regions.home, pair.first.dsn) as shops:
        shops.sell(SOME)
        pair.link.cut()
        shops.sell(SOME)
        lost = regions.lose_home()
        arrived = pair.received()
        regions.take_over()
        wait_for(lambda: is_served(shops, lost + 0.001), "payments")
    before = [each for each in shops.promises if each.at < lost]
    verdict = judge(before, stored(regions.home), arrived)
    assert verdict.broken == [], verdict.broken[:5]
    assert len({each.order_id for each in verdict.lost}) >= SOME - 4
    say(f"region lost, standby abroad not synchronous: {verdict}")
