"""The providers' clock, which a test puts forward, and what is due on it.

Keys run out, payments come back and files are answered on this clock.
Signatures of webhooks have the machine's own time, since their receivers
compare it with theirs.
"""

import heapq
import itertools
import time
from datetime import UTC, datetime


class Clock:
    def __init__(self):
        self.reset()

    def reset(self) -> None:
        self.offset = 0.0
        self.moment: float | None = None  # of the work that is being done
        self.due: list = []
        self.numbers = itertools.count()

    def now(self) -> float:
        if self.moment is not None:
            return self.moment
        return time.time() + self.offset

    def later(self, seconds: float, work) -> None:
        """Has work() done when so much time has passed on this clock."""
        when = self.now() + seconds
        heapq.heappush(self.due, (when, next(self.numbers), work))

    def advance(self, seconds: float) -> None:
        """What falls into the time that is skipped happens in its order, each
        at its own moment.
        """
        self.offset += seconds
        self.run()

    def run(self) -> None:
        """Does what is due."""
        limit = self.now()
        while self.due and self.due[0][0] <= limit:
            self.moment, _, work = heapq.heappop(self.due)
            try:
                work()
            finally:
                self.moment = None

    def text(self, when: float | None = None) -> str:
        """RFC 3339, UTC, whole seconds."""
        moment = datetime.fromtimestamp(
            self.now() if when is None else when, UTC
        )
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
