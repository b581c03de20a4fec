"""A PSP's genuine webhooks, caught before they reach the gateway, so that a
test can spoil, replay or withhold what that PSP itself has signed.
"""

import json
import zlib
from dataclasses import dataclass

SIGNATURES = (
    "webhook-signature",
    "stripe-signature",
    "x-square-hmacsha256-signature",
    "x-mollie-signature",
    "paypal-transmission-sig",
)


@dataclass
class Caught:
    psp: str
    headers: dict
    body: bytes

    def send(self, stack, body: bytes | None = None, headers=None):
        return stack.http.post(
            f"/webhooks/{self.psp}",
            content=self.body if body is None else body,
            headers=self.headers if headers is None else headers,
        )

    def signature(self) -> str:
        """The header that holds it; Adyen's is in the body."""
        found = [name for name in self.headers if name in SIGNATURES]
        return found[0] if found else ""

    def forgeries(self, other: "Caught") -> dict[str, tuple[bytes, dict]]:
        """Bodies and headers that nobody may believe; `other`: a genuine
        message about something else."""
        raised = self.body.replace(b"12.34", b"92.34").replace(b"1234", b"9234")
        assert raised != self.body
        made = {"another-amount": (raised, self.headers)}
        name = self.signature()
        if not name:
            bare = unsigned(self.body)
            made["without-a-signature"] = (bare, self.headers)
            swapped = with_signature(self.body, other.body)
            made["with-anothers"] = (swapped, self.headers)
            return made
        bare = {key: self.headers[key] for key in self.headers if key != name}
        made["without-a-signature"] = (self.body, bare)
        made["with-anothers"] = (self.body, self.headers | other.envelope())
        spoilt = flip(self.headers[name])
        made["one-bit-less"] = (self.body, self.headers | {name: spoilt})
        return made

    def envelope(self) -> dict:
        return {
            name: text
            for name, text in self.headers.items()
            if name != "content-type"
        }


def flip(text: str) -> str:
    """Another character in the middle."""
    at = len(text) * 3 // 4
    other = "A" if text[at] != "A" else "B"
    if text[at] in "0123456789abcdef":
        other = "0" if text[at] != "0" else "1"
    return text[:at] + other + text[at + 1 :]


def items(message: dict) -> list[dict]:
    return [
        each["NotificationRequestItem"] for each in message["notificationItems"]
    ]


def unsigned(body: bytes) -> bytes:
    message = json.loads(body)
    for item in items(message):
        del item["additionalData"]["hmacSignature"]
    return json.dumps(message).encode()


def with_signature(body: bytes, other: bytes) -> bytes:
    message, another = json.loads(body), json.loads(other)
    for mine, theirs in zip(items(message), items(another), strict=True):
        mine["additionalData"] = theirs["additionalData"]
    return json.dumps(message).encode()


def withheld(stack, made) -> None:
    """The PSP's webhooks about it are kept from the gateway from now on."""
    stack.mock.faults(
        {"operation": "webhook", "kind": "none", "nonce": made.nonce,
         "sticky": True}
    )  # fmt: skip


def unsent(stack, made) -> list[Caught]:
    """What was withheld, oldest first."""
    sent = stack.mock.books(token=made.token)["webhooks"]
    return [
        Caught(each["dialect"], named(each["unsent"]), body(each["unsent"]))
        for each in sent
        if each.get("unsent")
    ]


def named(mail: dict) -> dict:
    return {name.lower(): text for name, text in mail["headers"].items()}


def body(mail: dict) -> bytes:
    return mail["body"].encode()


def with_crc_of(body: bytes, wanted: int) -> bytes:
    """The JSON object with a member more, so that its CRC-32 is `wanted`.

    CRC-32 is linear: each character of the padding that is b instead of a
    changes the sum by a constant, and 32 independent ones reach any sum.
    """
    assert body.endswith(b"}")
    count = 64
    head = body[:-1] + b',"pad":"'
    tail = b'"}'

    def crc(bits: int) -> int:
        pad = bytes(0x61 + 2 * (bits >> i & 1) for i in range(count))
        return zlib.crc32(head + pad + tail)

    base = crc(0)
    rows = [(crc(1 << i) ^ base, 1 << i) for i in range(count)]
    target, chosen = base ^ wanted, 0
    for bit in reversed(range(32)):
        pivot = next((row for row in rows if row[0] >> bit & 1), None)
        if pivot is None:
            continue
        rows = [
            (row[0] ^ pivot[0], row[1] ^ pivot[1]) if row[0] >> bit & 1 else row
            for row in rows
            if row is not pivot
        ]
        if target >> bit & 1:
            target ^= pivot[0]
            chosen ^= pivot[1]
    assert target == 0
    pad = bytes(0x61 + 2 * (chosen >> i & 1) for i in range(count))
    made = head + pad + tail
    assert zlib.crc32(made) == wanted
    return made
