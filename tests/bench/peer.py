"""The same job in Node (tests/bench/peer), on the same PostgreSQL, PSP and
certificate, in a database of its own with lean's schema.
"""

import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import databases
from rig import BUILD, HERE, children, cpu_of, free_port

MODULES = BUILD / "node" / "node_modules"


class Peer:
    """Use it in a with statement."""

    def __init__(self, rig):
        self.rig = rig
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"
        self.process = None

    def __enter__(self):
        env = self.rig.env
        back = urllib.parse.urlsplit(env["RETURN_URL"]).netloc
        psp = f"127.0.0.1:{self.rig.port}"
        dsn = databases.lean(env, "bench_peer")
        self.process = start(
            settings(env, self.port, dsn, psp, back),
            self.url,
            env["GATEWAY_CA"],
        )
        return self

    def __exit__(self, *_):
        stop(self.process)

    def cpu_us(self) -> int:
        pid = self.process.pid
        return sum(map(cpu_of, [pid, *children(pid)]))

    def wrk(self, mode: str, clients: int, **named) -> dict:
        return self.rig.wrk(
            mode, clients, url=self.url, cpu=self.cpu_us, **named
        )


def settings(env: dict, port: int, dsn: str, psp: str, back: str) -> dict:
    """env: gateway.env's; psp and back: host and port of the PSP, and of the
    shop that buyers are sent back to"""
    secrets = pathlib.Path(env["RUN_DIR"]) / "secrets"
    return {
        "PEER_PORT": port,
        "PEER_DSN": dsn,
        "PEER_TLS_KEY": secrets / "server.key",
        "PEER_TLS_CERTIFICATE": f"{env['RUN_DIR']}/tls/server.pem",
        "PEER_MERCHANT": env["MERCHANT_ID"],
        "PEER_JWT_KEY": secrets / "acme.pub",
        "PEER_JWT_KID": env["MERCHANT_JWT_KID"],
        "PEER_STRIPE_URL": f"http://{psp}",
        "PEER_STRIPE_KEY": secrets / "stripe.key",
        "PEER_WEBHOOK_KEY": secrets / "stripe.whsec",
        "PEER_HOSTED_PAGE_HOST": psp,
        "PEER_RETURN_HOST": back,
    }


def start(given: dict, url: str, ca: str) -> subprocess.Popen:
    """Node with these settings, when it answers."""
    if shutil.which("node") is None or not (MODULES / "express").is_dir():
        sys.exit("no build/node: run ci/install --node first")
    process = subprocess.Popen(
        ["node", HERE / "peer" / "server.js"],
        env=dict(
            os.environ,
            NODE_PATH=str(MODULES),
            NODE_ENV="production",
            **{name: str(value) for name, value in given.items()},
        ),
    )
    context = ssl.create_default_context(cafile=ca)
    ends = time.monotonic() + 30
    while time.monotonic() < ends and process.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/healthz", context=context).close()
            return process
        except OSError:
            time.sleep(0.05)  # between two tries
    stop(process)
    sys.exit("the Node server does not start")


def stop(process) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
