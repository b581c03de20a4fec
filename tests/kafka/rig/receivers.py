"""Receivers of the example (revenue.py): processes of one consumer group with
one store.
"""

import sqlite3
import subprocess
import sys
from pathlib import Path

RECEIVER = Path(__file__).parents[1] / "revenue.py"
ROWS = "SELECT seller, day, currency, minor FROM revenue ORDER BY 1, 2, 3"


class Receivers:
    """Two of one group, with one store."""

    def __init__(self, address: str, topic: str, place: Path):
        self.store = place / "revenue.db"
        self.words = [address, topic, "revenue", str(self.store)]
        self.log = (place / "receivers.log").open("ab")
        self.running = {}

    def start(self, name: str) -> None:
        self.running[name] = subprocess.Popen(
            [sys.executable, RECEIVER, *self.words],
            stdout=self.log,
            stderr=self.log,
        )

    def kill(self, name: str) -> None:
        process = self.running.pop(name)
        assert process.poll() is None, Path(self.log.name).read_text()
        process.kill()
        process.wait(30)

    def again(self, name: str) -> None:
        self.kill(name)
        self.start(name)

    def rows(self, query: str = ROWS) -> list[tuple]:
        with sqlite3.connect(self.store, timeout=30) as store:
            return store.execute(query).fetchall()

    def seen(self) -> int:
        try:
            return self.rows("SELECT count(*) FROM seen")[0][0]
        except sqlite3.OperationalError:
            return 0  # its tables are not made yet

    def close(self) -> None:
        for name in list(self.running):
            self.kill(name)
        self.log.close()
