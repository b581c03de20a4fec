"""python3 -m mock_psp: starts the PSP on 127.0.0.1.

Prints "listening <url>" once it answers, and ends on SIGTERM or SIGINT.
Secrets come from files, never from the command line.
"""

import argparse
import asyncio
import signal
import socket
from pathlib import Path

from aiohttp import web

from .dialects import NAMES as DIALECTS
from .payout.providers import NAMES as PROVIDERS
from .psp import Config, Psp

NAMES = DIALECTS + PROVIDERS


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="mock_psp", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--seed", help="of everything random")
    parser.add_argument("--public-url", help="as the buyer's browser sees it")
    parser.add_argument(
        "--secrets",
        required=True,
        type=Path,
        metavar="DIR",
        help="<dialect>.key and <dialect>.whsec of each dialect to speak",
    )
    parser.add_argument(
        "--gateway", metavar="URL", help="its /webhooks/<dialect> are told"
    )
    parser.add_argument("--webhook-ca", help="PEM file of the gateway's CA")
    parser.add_argument("--webhook-retry-ms", type=int, default=500)
    parser.add_argument("--webhook-attempts", type=int, default=12)
    parser.add_argument("--pending-ms", type=int, default=1500)
    parser.add_argument(
        "--cert-port", type=int, default=0, help="PayPal's certificates, TLS"
    )
    parser.add_argument("--result-key-file", help="of the shop's merchant")
    return parser.parse_args()


def _secret(path: str | Path) -> str:
    return Path(path).read_text().strip()


def _secrets(place: Path, suffix: str) -> dict:
    """The files that are there; a dialect without a key is not spoken."""
    found = {name: place / f"{name}.{suffix}" for name in NAMES}
    return {
        name: _secret(path) for name, path in found.items() if path.exists()
    }


def _hook(name: str) -> str:
    """The path of the gateway that hears of it."""
    short = name.removeprefix("payout-")
    return (
        f"/webhooks/{name}" if short == name else f"/webhooks/payouts/{short}"
    )


def _config(args: argparse.Namespace, port: int) -> Config:
    result = args.result_key_file
    keys = _secrets(args.secrets, "key")
    if not keys:
        raise SystemExit(f"mock_psp: no <dialect>.key in {args.secrets}")
    base = args.gateway
    return Config(
        public_url=args.public_url or f"http://127.0.0.1:{port}",
        keys=keys,
        webhook_secrets=_secrets(args.secrets, "whsec"),
        reports=_secrets(args.secrets, "report"),
        webhook_urls={
            name: f"{base}{_hook(name)}" if base else None for name in keys
        },
        webhook_ca=args.webhook_ca,
        webhook_retry_ms=args.webhook_retry_ms,
        webhook_attempts=args.webhook_attempts,
        pending_ms=args.pending_ms,
        result_key=_secret(result).encode() if result else None,
        secrets=args.secrets,
        seed=args.seed,
        cert_port=args.cert_port,
    )


async def _serve(args: argparse.Namespace) -> None:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", args.port))
    port = sock.getsockname()[1]
    runner = web.AppRunner(Psp(_config(args, port)).application())
    await runner.setup()
    await web.SockSite(runner, sock, shutdown_timeout=1, backlog=1024).start()
    print(f"listening http://127.0.0.1:{port}", flush=True)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve(_arguments()))
