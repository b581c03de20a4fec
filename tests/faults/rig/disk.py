"""A disk of PostgreSQL's that is full when a test wants it: a part of the
cluster moves onto a small tmpfs (root), or its files may not grow (ulimit -f,
for who may not mount).
"""

import contextlib
import os
import resource
import shutil
import subprocess
from pathlib import Path

from support.own_stack import alive, children

# Beyond what is there already.  The log keeps some segments for later.
ROOM_MIB = {"base": 48, "pg_wal": 256}
# A checkpoint makes old segments of the log free again: the log of a server
# that may take one never ends.
NO_CHECKPOINT = {"max_wal_size": "64GB", "checkpoint_timeout": "1h"}


def postmaster_of(stack) -> int:
    """0 when there is none."""
    file = Path(stack.values["PG_DATA"]) / "postmaster.pid"
    pid = int(file.read_text().split()[0]) if file.exists() else 0
    return pid if pid and alive(pid) else 0


class Disk:
    """part: base (tables and indexes) or pg_wal"""

    def __init__(self, stack, part: str):
        self.stack, self.part = stack, part
        self.place = Path(stack.values["PG_DATA"]) / part
        self.mount = stack.gateway.run / "pg" / f"small.{part}"
        self.filler = self.mount / "filler"
        self.mounted = os.geteuid() == 0
        for name, value in NO_CHECKPOINT.items():
            stack.sql(f"ALTER SYSTEM SET {name} = '{value}'")
        stack.sql("SELECT pg_reload_conf()")
        if self.mounted:
            self._move()

    def segments(self) -> int:
        """of the log, those that wait to be used again included"""
        return len(os.listdir(self.place))

    def _move(self) -> None:
        self.stack.postgres("stop", "-m", "fast")
        self.mount.mkdir()
        du = ["du", "-sm", str(self.place)]
        used = int(subprocess.check_output(du, text=True).split()[0])
        options = f"size={used + ROOM_MIB[self.part]}m,mode=0755"
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", self.mount]
        subprocess.run(command, check=True)
        copy = ["cp", "-a", self.place, self.mount / "part"]
        subprocess.run(copy, check=True)
        self.place.rename(self.place.with_name(self.part + ".old"))
        self.place.symlink_to(self.mount / "part")
        self.stack.postgres("start")

    @contextlib.contextmanager
    def full(self):
        if self.mounted:
            self._fill()
        else:
            self._limit(0)
        try:
            yield
        finally:
            self.free()

    def _fill(self) -> None:
        """To the last page: writes until no more go in."""
        with open(self.filler, "wb", buffering=0) as out:
            for size in (1 << 20, 4096):
                with contextlib.suppress(OSError):
                    while out.write(bytes(size)) == size:
                        pass

    def free(self) -> None:
        if self.mounted:
            self.filler.unlink(missing_ok=True)
        else:
            self._limit(resource.RLIM_INFINITY)

    def _limit(self, size: int) -> None:
        postmaster = postmaster_of(self.stack)
        for pid in [postmaster, *children(postmaster)] if postmaster else []:
            with contextlib.suppress(ProcessLookupError):
                hard = resource.RLIM_INFINITY
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))

    def close(self) -> None:
        """Back onto the large disk: the stack goes on."""
        self._move_back()
        for name in NO_CHECKPOINT:
            self.stack.sql(f"ALTER SYSTEM RESET {name}")
        self.stack.sql("SELECT pg_reload_conf()")

    def _move_back(self) -> None:
        if not self.mounted:
            return
        try:
            if postmaster_of(self.stack):
                self.stack.postgres("stop", "-m", "fast")
            self.place.unlink()
            shutil.rmtree(self.place.with_name(self.part + ".old"))
            copy = ["cp", "-a", self.mount / "part", self.place]
            subprocess.run(copy, check=True)
        finally:
            subprocess.run(["umount", "-l", self.mount], check=True)
        self.mount.rmdir()
        self.stack.postgres("start")
