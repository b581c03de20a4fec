"""Two regions with a round trip between them: at home a gateway and the
primary; abroad a gateway, and the standby that the primary's WAL goes to.
"""

import statistics
import time
from urllib.parse import urlsplit

from support.far_link import Far
from support.own_stack import QUICK_JOBS, OwnStack, wait_for
from support.pg_pair import Pair
from support.second_node import SecondNode

ROUND_TRIP_S = 0.08
LOOKS = 25


class FarPair(Pair):
    """Both servers; the link between the regions carries the WAL."""

    def copy(self, url) -> None:
        self.link = Far(url.port, ROUND_TRIP_S)
        netloc = url.netloc.replace(f":{url.port}", f":{self.link.port}")
        super().copy(url._replace(netloc=netloc))

    def waits_for_abroad(self, does: bool) -> None:
        """Whether a commit waits for the standby."""
        self.first.set("synchronous_standby_names", "standby" if does else "")
        state = "sync" if does else "async"
        wait_for(
            lambda: (
                self.first.sql("SELECT sync_state FROM pg_stat_replication")
                == [(state,)]
            ),
            f"the standby to be {state}",
        )

    def received(self) -> int:
        """The place in the WAL up to which the standby has it all, once no
        more is on its way."""
        wait_for(
            lambda: self.second.sql("SELECT * FROM pg_stat_wal_receiver") == [],
            "the last of the WAL",
        )
        ((place,),) = self.second.sql(
            "SELECT (pg_last_wal_receive_lsn() - '0/0')::bigint"
        )
        return place


class Regions:
    def __init__(self):
        self.home = OwnStack()
        self.balancer = self.pair = self.abroad = None
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        self.pair = FarPair(self.home)
        self.home.configure(QUICK_JOBS)
        self.abroad = SecondNode(self.home)
        # the primary over the link, its standby next door
        port = urlsplit(self.home.values["PG_ADMIN_DSN"]).port
        ((sockets,),) = self.home.sql("SHOW unix_socket_directories")
        self.abroad.configure(
            QUICK_JOBS,
            (
                f"host='{sockets}' port={port} ",
                "host=127.0.0.1,127.0.0.1 "
                f"port={self.pair.link.port},{self.pair.second.port} "
                "target_session_attrs=read-write ",
            ),
        )

    def lose_home(self) -> float:
        """Everything in it at one moment, which is returned."""
        self.pair.first.kill()
        at = time.time()
        self.home.kill_nginx()
        return at

    def take_over(self) -> None:
        """The standby takes writes, and the name of the gateway leads to the
        other region."""
        self.pair.promote()
        self.pair.point_stack_at(self.pair.second)
        self.balancer = Far(
            self.abroad.gateway.port, 0, at=self.home.gateway.port
        )

    def close(self) -> None:
        if self.balancer is not None:
            self.balancer.close()
        try:
            if self.abroad is not None:
                self.abroad.close()
        finally:
            if self.pair is not None:
                self.pair.second.stop()
                self.pair.link.close()
            self.home.close()


def median_ms(work) -> float:
    """Of one call after the other; the first ones open connections."""
    took = []
    for _ in range(LOOKS):
        begin = time.monotonic()
        work()
        took.append(time.monotonic() - begin)
    return statistics.median(took[LOOKS // 5 :]) * 1000
