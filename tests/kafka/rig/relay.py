"""build/payments-relay as a process, with a file of its own."""

import os
import signal
import subprocess
from pathlib import Path

from support.waiting import wait_for

ROOT = Path(__file__).resolve().parents[3]
RELAY = os.environ.get("RELAY", str(ROOT / "build" / "payments-relay"))
LEASE_MS = 3000


class Relay:
    def __init__(self, place: Path, name: str, settings: dict[str, str]):
        self.file = place / f"{name}.conf"
        self.log = place / f"{name}.log"
        self.process = None
        self.write(settings)

    def write(self, settings: dict[str, str]) -> None:
        lines = [f"{key} = {value}\n" for key, value in settings.items()]
        self.file.write_text("# of a test\n\n" + "".join(lines))
        self.file.chmod(0o600)

    def start(self) -> "Relay":
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [RELAY, self.file],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self

    def text(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def wait_for_line(self, part: str, deadline: float = 120) -> str:
        def line():
            return [each for each in self.text().splitlines() if part in each]

        return wait_for(line, deadline, f"{part!r} in {self.text()}")[-1]

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def rss_kb(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = [x for x in status.splitlines() if x.startswith("VmRSS")]
        return int(line.split()[1])

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(30)

    def stop(self) -> int:
        """By SIGTERM; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        if self.is_alive():
            self.thaw()
            self.kill()
