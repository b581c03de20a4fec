"""The worst day of docs/operations.md: its blocks of commands, run as they
stand, and the judgement of what has come back (tests/drills).
"""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .gateway import ROOT

DOCUMENT = ROOT / "docs" / "operations.md"
BLOCK = re.compile(r"^```sh\n# worst day: ([^\n]+)\n(.*?)^```$", re.S | re.M)
SEGMENT_BYTES = 16 << 20


def commands() -> dict[str, str]:
    """Name → text of each block."""
    found = BLOCK.findall(DOCUMENT.read_text(encoding="utf-8"))
    assert len(dict(found)) == len(found), "two blocks of one name"
    return dict(found)


class Operator:
    """Runs blocks of the document: `places` are what is this machine's."""

    def __init__(self, places: dict[str, str], env: dict[str, str], log: Path):
        self.places, self.env, self.log = places, env, log
        self.known = commands()

    def text(self, name: str) -> str:
        text = self.known[name]
        # the longest first: one may be the beginning of another
        for old in sorted(self.places, key=len, reverse=True):
            text = text.replace(old, self.places[old])
        return text

    def does(self, name: str, code: int = 0, **variables: str) -> str:
        """What it printed.  Into a file: a server that it starts would keep a
        pipe open."""
        with self.log.open("a+") as log:
            begin = log.seek(0, os.SEEK_END)
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", self.text(name)],
                env=os.environ | self.env | variables, cwd="/", check=False,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=300,
            )  # fmt: skip
            log.seek(begin)
            said = log.read()
        assert done.returncode == code, f"{name}: {done.returncode}\n{said}"
        return said


def lsn(text: str) -> int:
    high, low = text.split("/")
    return int(high, 16) << 32 | int(low, 16)


def end_of_segment(name: str) -> int:
    """The position behind a segment of WAL, by its file's name."""
    return (int(name[8:16], 16) << 32) + (
        int(name[16:24], 16) + 1
    ) * SEGMENT_BYTES


@dataclass(frozen=True)
class Promise:
    """A storefront was told so; PostgreSQL had flushed up to `place` by then,
    or None: nobody knows."""

    order_id: str
    status: str
    place: int | None
    at: float


@dataclass
class Verdict:
    kept: int
    lost: list[Promise]  # the ones that nobody can keep
    broken: list[Promise]  # the ones that had to be kept
    lost_s: float

    def __str__(self) -> str:
        lost = {each.order_id for each in self.lost}
        return f"{self.kept} promises kept, {len(lost)} payments lost" + (
            f" of the last {self.lost_s:.1f} s" if lost else ""
        )


def judge(
    promises: list[Promise], stored: dict[str, str], safe: int | None
) -> Verdict:
    """stored: order → status, in the database that has come back.  A promise
    up to the place `safe` must be kept, each one without it."""

    def is_kept(each: Promise) -> bool:
        return stored.get(each.order_id) in {each.status, "SUCCESS"}

    def had_to(each: Promise) -> bool:
        return safe is None or (each.place is not None and each.place <= safe)

    gone = [each for each in promises if not is_kept(each)]
    times = [each.at for each in promises]
    return Verdict(
        kept=len(promises) - len(gone),
        lost=[each for each in gone if not had_to(each)],
        broken=[each for each in gone if had_to(each)],
        lost_s=max(times) - min(each.at for each in gone) if gone else 0,
    )
