"""The event log's format, written a second time: hashes, trees, seals and the
lines of an export as docs/audit.md has them.  What payctl audit verify says
of a log that is made here, or of one that the gateway has made, does not rest
on the gateway's own code.
"""

import base64
import hashlib
import json

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
)

# what an event's hash is over, behind the hash before it
HASHED = (
    "merchant_id", "payment_order_id", "seq", "at", "tx", "kind", "actor",
    "old_status", "new_status", "reason", "detail", "request_id",
)  # fmt: skip
NONE = "0" * 64


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def field(value) -> bytes:
    if value is None:
        return b"-,"
    text = str(value).encode()
    return b"%d:%s," % (len(text), text)


def event_hash(previous: str, event: dict) -> str:
    fields = [previous, *(event[name] for name in HASHED)]
    return sha256(b"".join(map(field, fields))).hex()


def leaf_bytes(row: dict) -> bytes:
    names = ("merchant_id", "payment_order_id", "seq", "hash")
    return "\n".join(str(row[name]) for name in names).encode()


def tree_root(leaves: list[bytes]) -> bytes:
    """RFC 9162 2.1.1, by its own words."""
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0])
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\1" + tree_root(leaves[:split]) + tree_root(leaves[split:]))


def seal_message(number, at, span, leaves, previous) -> str:
    root = tree_root([leaf_bytes(leaf) for leaf in leaves]).hex()
    return (
        f"ngx_payments seal 1\nnumber {number}\nat {at}\nfrom {span[0]}\n"
        f"until {span[1]}\nleaves {len(leaves)}\nroot {root}\n"
        f"previous {previous}\n"
    )


class Key:
    """An Ed25519 key pair, its public half in a file for payctl."""

    def __init__(self, directory, name: str):
        self.private = Ed25519PrivateKey.generate()
        public = self.private.public_key()
        raw = public.public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw
        )
        self.id = sha256(raw).hex()[:16]
        self.path = directory / f"{name}.pub"
        self.path.write_bytes(
            public.public_bytes(
                serialization.Encoding.PEM,
                serialization.PublicFormat.SubjectPublicKeyInfo,
            )
        )

    def sign(self, message: str) -> str:
        return base64.b64encode(self.private.sign(message.encode())).decode()


class Log:
    """Events, leaves and seals; what is added is hashed, sealed and signed."""

    def __init__(self):
        self.events: list[dict] = []
        self.leaves: list[dict] = []
        self.seals: list[dict] = []

    def event(self, order: str, tx: int, **members) -> dict:
        before = [e for e in self.events if e["payment_order_id"] == order]
        event = {
            "t": "event", "merchant_id": "acme", "payment_order_id": order,
            "seq": len(before) + 1, "at": f"2026-11-21T08:15:{tx:02}.000000Z",
            "tx": tx, "kind": "paid", "actor": "webhook",
            "old_status": "EXECUTING" if before else None,
            "new_status": "SUCCESS", "reason": None,
            "detail": '{"psp": "stripe"}', "request_id": "r",
        } | members  # fmt: skip
        event["hash"] = event_hash(before[-1]["hash"] if before else "", event)
        self.events.append(event)
        return event

    def rehash(self, order: str) -> None:
        """The chain of an order, computed anew."""
        before = ""
        for event in self.of(order):
            event["hash"] = before = event_hash(before, event)

    def of(self, order: str) -> list[dict]:
        return [e for e in self.events if e["payment_order_id"] == order]

    def seal(self, until: int, key: Key) -> dict:
        number = len(self.seals) + 1
        start, previous = 0, NONE
        if self.seals:
            message = self.seals[-1]["message"]
            start = int(message.split("until ")[1].split()[0])
            previous = sha256(message.encode()).hex()
        heads = {}
        for event in self.events:
            if start <= event["tx"] < until:
                heads[event["payment_order_id"]] = event
        leaves = [
            {"t": "leaf", "number": number, "position": place,
             "merchant_id": "acme", "payment_order_id": order,
             "seq": heads[order]["seq"], "hash": heads[order]["hash"]}
            for place, order in enumerate(sorted(heads), 1)
        ]  # fmt: skip
        message = seal_message(
            number, f"2026-11-21T08:16:{number:02}.000000Z", (start, until),
            leaves, previous,
        )  # fmt: skip
        seal = {"t": "seal", "number": number, "message": message,
                "key_id": key.id, "signature": key.sign(message)}  # fmt: skip
        self.leaves += leaves
        self.seals.append(seal)
        return seal

    def rows(self) -> list[dict]:
        events = sorted(
            self.events, key=lambda e: (e["payment_order_id"], e["seq"])
        )
        return events + self.leaves + self.seals


def write(path, rows) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def read(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]
