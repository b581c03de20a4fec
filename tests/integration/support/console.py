"""The console as members of staff see it, and tokens of staff."""

import time
import uuid

import jwt

from .client import Api

ROLES = (
    "viewer support operations finance finance-approver risk admin auditor"
).split()
# the groups of ci/nginx.conf.in
GROUPS = {
    "viewer": "payments-viewers",
    "support": "payments-support",
    "operations": "payments-operations",
    "finance": "payments-finance",
    "finance-approver": "payments-approvers",
    "risk": "payments-risk",
    "admin": "payments-admins",
    "auditor": "payments-auditors",
}
ISSUER = "https://login.example"
AUDIENCE = "ngx_payments_console"
KID = "staff-2026-01"
ABSENT = object()


class Staff:
    """Signs tokens with the stack's own key, and asks with them."""

    def __init__(self, gateway, tls):
        self.key = (gateway.run / "secrets" / "staff.jwt.key").read_text()
        self.api = Api(gateway.url, tls)

    def claims(self, *roles, **changes):
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": f"{'-'.join(roles) or 'nobody'}@example.com",
            "groups": [GROUPS[role] for role in roles] + ["everybody"],
            "merchants": "*",
            "auth_time": now,
            "iat": now,
            "exp": now + 300,
            **changes,
        }
        return {k: v for k, v in claims.items() if v is not ABSENT}

    def token(self, *roles, key=None, kid=KID, alg="ES256", **changes):
        return jwt.encode(
            self.claims(*roles, **changes),
            self.key if key is None else key,
            algorithm=alg,
            headers={} if kid is None else {"kid": kid},
        )

    def get(self, page, *roles, query=None, token=None, headers=None, **claims):
        token = token or self.token(*roles, **claims)
        return self.api.get(
            f"/console/api/{page}",
            params=query or {},
            headers={"Authorization": f"Bearer {token}", **(headers or {})},
        )

    def read(self, page, *roles, query=None, **claims):
        """The page's JSON."""
        answer = self.get(page, *roles, query=query, **claims)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def act(
        self, act, *roles, body=None, token=None, headers=None, **claims
    ):
        """POST of an act, as a script with a bearer token sends it; body is
        completed with a request id and a reason."""
        token = token or self.token(*roles, **claims)
        fresh = {"request": str(uuid.uuid4()), "reason": "a test"}
        body = {**fresh, **(body or {})}
        return self.api.post(
            f"/console/api/act/{act}",
            json={k: v for k, v in body.items() if v is not ABSENT},
            headers={
                "Authorization": f"Bearer {token}",
                "X-Payments-Console": "1",
                **(headers or {}),
            },
        )

    def rows(self, page, *roles, query=None, **claims):
        """All rows of a list, page by page."""
        query, found = dict(query or {}), []
        for _ in range(1000):
            document = self.read(page, *roles, query=query, **claims)
            found += document["items"]
            if document["next"] is None:
                return found
            query["after" if page == "wallets" else "before"] = document["next"]
        raise AssertionError(f"{page} has no end")
