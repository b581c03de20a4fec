"""Creates that wait for their PSP: what each of them holds, and on how many
connections.  Storefront and PSP speak HTTP/2; both are the benchmark's."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support import waiting
from support.client import Api
from support.nginxconf import MINIMAL, Nginx, swap
from support.ports import free_port

BENCH = Path(__file__).resolve().parents[1] / "bench"
KIB = 1024
WAITING = 90  # as many as one connection of HTTP/2 surely takes
SECONDS = 5
# one after the other: what a create needs only while it is sent can then be
# used again by the next
PAUSE = 0.01
# 25.3 as it is, and up to 27 where creates overlap as the machine has much
# else to do; a request that were kept beside its row, and the call beside
# libcurl's copy, would be 4 more, libcurl's buffer for what it sends 16, and
# nginx' for an unbuffered body 64
MOST = 28 * KIB


@pytest.fixture
def psp(gateway):
    """A port; the process answers at once until it gets SIGUSR1."""
    port = free_port()
    with subprocess.Popen(
        [sys.executable, BENCH / "slow_psp.py", str(port), str(SECONDS),
         str(WAITING), gateway.run / "tls" / "server.pem",
         gateway.secrets / "server.key"]
    ) as process:  # fmt: skip
        process.port = port
        try:
            waiting.wait_for(lambda: listens(port), 90, "the slow PSP")
            yield process
        finally:
            process.terminate()


def listens(port: int) -> bool:
    """By the kernel's list: a connection of ours would be one of its own."""
    return states(port, "0A") == 1


def states(port: int, state: str) -> int:
    local = f"0100007F:{port:04X}"
    rows = map(str.split, Path("/proc/net/tcp").read_text().splitlines())
    return sum(row[1] == local and row[3] == state for row in rows)


@pytest.fixture
def nginx(gateway, psp, tmp_path, monkeypatch):
    # malloc asks for no more than it needs: 128 KiB more or less are 1.4 for
    # each create
    monkeypatch.setenv("MALLOC_TOP_PAD_", "0")
    text = swap(
        MINIMAL,
        (
            "base_url           @MOCK@/stripe;",
            f"base_url           https://127.0.0.1:{psp.port};\n"
            f"        ca_file            {gateway.env['GATEWAY_CA']};",
        ),
        (
            "webhook_key_file   secrets/stripe.whsec;\n"
            "        hosted_page_host   @MOCKHOST@;",
            "webhook_key_file   secrets/stripe.whsec;\n"
            "        hosted_page_host   pay.example;",
        ),
    )
    tmp_path.chmod(0o755)
    with Nginx(gateway, tmp_path, text).start() as made:
        yield made


def in_flight(api) -> int:
    for line in api.http.get("/metrics").text.splitlines():
        if line.startswith('payments_psp_in_flight{psp="stripe"}'):
            return int(line.split()[1])
    return 0


def data_size(nginx) -> int:
    """Of the worker: also what it has asked for and not touched yet, which an
    older worker has."""
    pid = nginx.process.pid
    worker = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0]
    for line in Path(f"/proc/{worker}/status").read_text().splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * KIB
    raise AssertionError("no VmData")


def start_creates(gateway, nginx, prefix: str):
    return subprocess.Popen(
        [sys.executable, BENCH / "waiting.py", nginx.url, str(WAITING)],
        stdout=subprocess.PIPE,
        env=dict(
            os.environ,
            JWT=gateway.env["MERCHANT_JWT"],
            RETURN_URL=gateway.env["RETURN_URL"],
            GATEWAY_CA=gateway.env["GATEWAY_CA"],
            PREFIX=prefix,
            PAUSE=str(PAUSE),
        ),
    )


def test_creates_that_wait_share_a_connection_and_hold_little(
    gateway, nginx, psp, checkout
):
    if "asan" in str(gateway.module):
        pytest.skip("a sanitizer's memory is not ours")
    with contextlib.closing(
        Api(nginx.url, gateway.ssl_context(), gateway.env["MERCHANT_JWT"])
    ) as api:
        first = checkout(psp="stripe")
        assert api.create(first).status_code == 201
        psp.send_signal(signal.SIGUSR1)
        before = data_size(nginx)
        creates = start_creates(gateway, nginx, first["checkout_id"])
        waiting.wait_for(lambda: in_flight(api) == WAITING, 90, "the creates")
        each = (data_size(nginx) - before) / WAITING
        assert states(psp.port, "01") == 1
        assert json.loads(creates.communicate(timeout=60)[0]) == {
            "201": WAITING
        }
    assert each < MOST, f"{each / KIB:.1f} KiB for each create that waits"
