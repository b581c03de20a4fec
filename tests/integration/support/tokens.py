"""Signs storefronts' tokens, right ones and wrong ones."""

import base64
import json
import time
from pathlib import Path

import jwt

from . import canary

SCOPES = (
    "payments:write payments:read refunds:write balance:read "
    "reconciliation:read reconciliation:write "
    "payouts:read payouts:create payouts:approve payouts:send "
    "payouts:destinations events:read events:write "
    "risk:read risk:write"
)


class Absent:
    def __repr__(self):  # the same in the name of a test, run for run
        return "ABSENT"


ABSENT = Absent()


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Minter:
    """mint(**claims) → a token of one merchant; ABSENT leaves a claim out."""

    def __init__(
        self, merchant, key, kid, alg="ES256", audience="ngx_payments"
    ):
        self.merchant = merchant
        self.key = key
        self.kid = kid
        self.alg = alg
        self.audience = audience

    def claims(self, **changes) -> dict:
        now = int(time.time())
        claims = {
            "iss": self.merchant,
            "aud": self.audience,
            "sub": f"{self.merchant}-storefront",
            "iat": now,
            "exp": now + 600,
            "scope": SCOPES,
        }
        claims.update(changes)
        return {k: v for k, v in claims.items() if v is not ABSENT}

    def __call__(self, headers=None, **changes) -> str:
        return self.sign(
            json.dumps(self.claims(**changes)).encode(), headers=headers
        )

    def header(self, **changes) -> dict:
        header = {"alg": self.alg, "typ": "JWT", "kid": self.kid}
        header.update(changes)
        return {k: v for k, v in header.items() if v is not ABSENT}

    def sign(self, payload: bytes, headers=None, header=None) -> str:
        """Any bytes as payload; `header` is the header's whole text."""
        if header is None:
            header = json.dumps(self.header(**(headers or {}))).encode()
        signed = f"{b64(header)}.{b64(payload)}"
        token = f"{signed}.{b64(self.signature(signed.encode()))}"
        canary.add(token)
        return token

    def signature(self, signed: bytes) -> bytes:
        algorithm = jwt.algorithms.get_default_algorithms()[self.alg]
        return algorithm.sign(signed, algorithm.prepare_key(self.key))


def minter_of(env: dict, prefix: str) -> Minter:
    """prefix "MERCHANT" or "OTHER_MERCHANT"."""
    return Minter(
        env[f"{prefix}_ID"],
        Path(env[f"{prefix}_JWT_KEY"]).read_bytes(),
        env[f"{prefix}_JWT_KID"],
    )
