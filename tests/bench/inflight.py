"""The part of make bench that keeps ten thousand creates waiting."""

import json
import signal
import socket
import subprocess
import sys
import time

from parts import head, line, prepare
from rig import HERE, WORKERS, free_port, median_of


class SlowPsp:
    """A PSP that, once told, answers after 20 s; over HTTP/2 and TLS, as PSPs
    do, or plain HTTP/1.1."""

    def __init__(self, tls: bool, count: int):
        self.tls, self.count = tls, count
        self.port = free_port()
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.process = None

    def start(self, stack) -> None:
        files = [stack / "tls" / "server.pem",
                 stack / "secrets" / "server.key"]  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, HERE / "slow_psp.py", str(self.port), "20",
             str(self.count), *(files if self.tls else [])]
        )  # fmt: skip
        ends = time.monotonic() + 20
        while time.monotonic() < ends:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.05)  # between two tries
        sys.exit("the slow PSP does not start")

    def be_slow(self) -> None:
        self.process.send_signal(signal.SIGUSR1)

    def connections(self) -> int:
        """That are open to it; counted in the kernel's own list."""
        local = f"0100007F:{self.port:04X}"
        with open("/proc/net/tcp") as lines:
            return sum(
                words[1] == local and words[3] == "01"
                for words in map(str.split, lines)
            )

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait()


def measure(rig, count: int = 10_000) -> dict:
    """So many creates that wait 20 s for the PSP; GETs meanwhile.  At a PSP of
    plain HTTP/1.1, a connection for each call, and at one of HTTP/2 and TLS."""
    found = {"HTTP/1.1": [], "HTTP/2": []}
    for _ in range(rig.rounds):
        for name, rounds in found.items():
            psp = SlowPsp(name == "HTTP/2", count)
            rounds.append(waiting(rig, count, psp))
    found = {name: median_of(rounds) for name, rounds in found.items()}
    rig.restart(WORKERS)
    head(f"GET while {count} creates wait for the PSP")
    for name, each in found.items():
        line(f"PSP of {name}", 16, each["meanwhile"])
        line("before", 16, each["calm"])
    for name, each in found.items():
        print(f"{name}: {each['mb']} MB for {each['waiting']:.0f} that wait on"
              f" {each['connections']:.0f} connections")  # fmt: skip
    plain, two = found["HTTP/1.1"], found["HTTP/2"]
    return {"inflight_10k_mb": plain["mb"],
            "inflight_10k_get_p99_ms": plain["meanwhile"]["p99_ms"],
            "inflight_10k_http2_mb": two["mb"],
            "inflight_10k_http2_get_p99_ms": two["meanwhile"]["p99_ms"],
            "inflight": found}  # fmt: skip


def waiting(rig, count: int, psp: SlowPsp) -> dict:
    try:
        # two: a call takes two files, and 20,000 may be all of a process
        rig.restart(2, psp)
        prefix = rig.prefix()
        prepare(rig, prefix, 1000)
        gets = {"rate": 200, "PREFIX": prefix, "ORDERS": 1000}
        # one at a time, to each worker: they have connections to the PSP
        rig.wrk("create", 64, 2, rate=50)
        psp.be_slow()
        calm = rig.wrk("status", 16, 3, **gets)
        before = rig.rss_kb()
        creates = rig.start_waiting(count)
        full = wait_for_calls(rig, count)
        grown = (rig.rss_kb() - before) / 1024
        found = {"mb": round(grown, 1), "waiting": full,
                 "connections": psp.connections(), "calm": calm,
                 "meanwhile": rig.wrk("status", 16, 5, **gets),
                 "waiting_after": in_flight(rig)}  # fmt: skip
        told = json.loads(creates.communicate()[0])
    finally:
        psp.stop()
    if told != {"201": count}:
        sys.exit(f"not all of {count} creates were answered by 201: {told}")
    return found


def in_flight(rig) -> float:
    for text in rig.metrics().splitlines():
        if text.startswith('payments_psp_in_flight{psp="stripe"}'):
            return float(text.split()[1])
    return 0.0


def wait_for_calls(rig, count: int) -> float:
    """Until so many calls wait, or no more come; how many."""
    most, since = 0.0, time.monotonic()
    while time.monotonic() < since + 18:
        now = in_flight(rig)
        if now >= count:
            return now
        most = max(most, now)
        time.sleep(0.1)  # between two looks
    return most
