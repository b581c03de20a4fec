"""A share of one CPU for a tree of processes: the bandwidth of a control group,
version 2 where its controller of the CPU is delegated, else version 1.  Other
ways do not hold: cpulimit stops a process by signals and so stops it with its
locks, and priorities share nothing while a core is idle.
"""

import contextlib
import os
import sys
from pathlib import Path

from rig import children

ROOT = Path("/sys/fs/cgroup")
PERIOD_US = 10_000  # a commit waits so long at most; the kernel has 100 ms


def hierarchy(root: Path = ROOT) -> tuple[Path, int]:
    """Where groups with a controller of the CPU are made, and the version."""
    with contextlib.suppress(OSError):
        given = (root / "cgroup.subtree_control").read_text().split()
        if "cpu" in given and os.access(root, os.W_OK):
            return root, 2
    # the root of version 1 has shares, and only its groups a quota
    old = root / "cpu"
    if (old / "cpu.shares").exists() and os.access(old, os.W_OK):
        return old, 1
    sys.exit(
        "cells need a control group for the CPU: one of version 2 whose"
        " cgroup.subtree_control has cpu, or version 1 in /sys/fs/cgroup/cpu,"
        " writable by who runs this"
    )


def limits(version: int, share: float) -> dict[str, str]:
    """Files of a group and what is written to each."""
    quota = round(share * PERIOD_US)
    if version == 2:
        return {"cpu.max": f"{quota} {PERIOD_US}"}
    return {"cpu.cfs_period_us": str(PERIOD_US), "cpu.cfs_quota_us": str(quota)}


class Share:
    """Close it: the group goes, its processes stay."""

    def __init__(self, name: str, share: float):
        above, self.version = hierarchy()
        self.place = above / f"payments-bench-{os.getpid()}-{name}"
        self.place.mkdir()
        for file, text in limits(self.version, share).items():
            (self.place / file).write_text(text)

    def hold(self, pid: int) -> None:
        """The process and its children, those that it makes meanwhile too."""
        while not {pid, *children(pid)} <= self.held():
            for each in (pid, *children(pid)):
                with contextlib.suppress(OSError):  # it has ended
                    (self.place / "cgroup.procs").write_text(str(each))

    def held(self) -> set[int]:
        text = (self.place / "cgroup.procs").read_text()
        return {int(line) for line in text.split()}

    def throttled_us(self) -> int:
        """How long it was held back so far."""
        words = (self.place / "cpu.stat").read_text().split()
        found = dict(zip(words[::2], words[1::2], strict=True))
        if self.version == 2:
            return int(found["throttled_usec"])
        return int(found["throttled_time"]) // 1000

    def close(self) -> None:
        """Its processes live on in the group above, without a limit."""
        for pid in self.held():
            with contextlib.suppress(OSError):
                (self.place.parent / "cgroup.procs").write_text(str(pid))
        self.place.rmdir()
