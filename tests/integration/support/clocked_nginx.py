"""A small nginx (nginxconf.py) whose wall clock a test sets, as often as it
likes: libfaketime stands before its gettimeofday() and reads the time from a
file at each call.  Timers go on as ever: their clock is the monotonic one.
"""

import datetime
import glob
import os
import signal

from . import waiting
from .nginxconf import STOP_S, Nginx, swap
from .own_stack import children, shutting_down

# without its path, which has the machine's architecture in it; the variant
# with locks, since curl looks up names in threads
LIBRARY = "/usr/lib/*/faketime/libfaketimeMT.so.1"
VARIABLES = {
    "FAKETIME_NO_CACHE": "1",
    "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    "TZ": "UTC",
}


def library() -> str:
    found = glob.glob(LIBRARY)
    assert found, "libfaketime is missing: run ci/install test"
    return found[0]


class ClockedNginx(Nginx):
    def __init__(self, gateway, directory, text):
        self.file = directory / "clock"
        self.set_clock(datetime.datetime.now(datetime.UTC).timestamp())
        # workers are left no variable that the configuration does not name
        kept = "".join(
            f"env {name};\n" for name in (*VARIABLES, "FAKETIME_TIMESTAMP_FILE")
        )
        text = swap(text, ("events {", kept + "events {"))
        super().__init__(gateway, directory, text)

    def environment(self) -> dict[str, str]:
        env = super().environment()
        # a sanitizer's runtime comes first
        loaded = [env["LD_PRELOAD"]] if "LD_PRELOAD" in env else []
        return env | VARIABLES | {
            "LD_PRELOAD": ":".join([*loaded, library()]),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
        }  # fmt: skip

    def set_clock(self, now_s: float) -> None:
        """From here on it is this second, and stays it."""
        then = datetime.datetime.fromtimestamp(now_s, datetime.UTC)
        new = self.file.with_suffix(".new")
        new.write_text(f"{then:%Y-%m-%d %H:%M:%S}\n")
        new.chmod(0o644)
        os.replace(new, self.file)

    def reload(self) -> None:
        """New workers, which remember nothing."""
        old = self.workers()
        self.process.send_signal(signal.SIGHUP)
        waiting.wait_for(
            lambda: self.workers() and not self.workers() & old,
            STOP_S,
            "new workers",
        )
        waiting.wait_for(self.ready, STOP_S, "the new workers to be ready")

    def workers(self) -> set[int]:
        """Those that take connections."""
        return {
            pid for pid in children(self.process.pid) if not shutting_down(pid)
        }
