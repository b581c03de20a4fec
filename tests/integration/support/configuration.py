"""The table of configurations that nginx -t judges line by line,
tests/fixtures/configuration/cases.txt, as changes of MINIMAL: its first lines
say how it is written.
"""

import itertools
import re
from dataclasses import dataclass

from .gateway import ROOT
from .nginxconf import MINIMAL, swap

TABLE = ROOT / "tests/fixtures/configuration/cases.txt"

# Each stands once in MINIMAL.
PLACES = {
    "acme_head": "    payments_merchant acme {",
    "acme_key": "kid=acme-2026-01 alg=ES256 file=secrets/acme.pub;",
    "adapter": "adapter            generic;",
    "api_head": "location /v1/        {",
    "api_key": "api_key_file       secrets/generic.key;",
    "audience": "payments_audience  ngx_payments;",
    "base": "base_url           @MOCK@/generic;",
    "database": 'payments_database  "@DSN@" connections=2 batch=256 '
    "queue=4096;",
    "globex_head": "payments_merchant globex {",
    "globex_key": "kid=globex-2026-01 alg=ES256 file=secrets/globex.pub;",
    "globex_psps": "psp          generic;",
    "healthz": "location = /healthz  {",
    "host": "hosted_page_host   @MOCKHOST@;\n        timeout",
    "hosts": "return_host  shop.example.com @MOCKHOST@;",
    "idempotency": "payments_idempotency required ttl=24h in_progress=429;",
    "jobs": "payments_jobs      off;",
    "jwt_line": "jwt_key      kid=acme-2026-01 alg=ES256 "
    "file=secrets/acme.pub;",
    "lifetime": "payments_jwt_max_lifetime  25h;",
    "limit": "payments_rate_limit rate=100r/s burst=200;",
    "listen": "listen       127.0.0.1:@PORT@ ssl http2;",
    "live": "payments_health live;",
    "location": "location /           { return 404; }",
    "metrics": "{ payments_metrics; allow 127.0.0.1; deny all; }",
    "psps": "psp          generic stripe;",
    "server": "server_name  localhost;",
    "stripe_adapter": "adapter            stripe;",
    "stripe_base": "base_url           @MOCK@/stripe;",
    "stripe_head": "payments_psp stripe {",
    "timeout": "timeout            connect=2s total=10s;",
    "tolerance": "webhook_tolerance  300s;",
    "webhook_key": "webhook_key_file   secrets/generic.whsec;",
    "zone": "payments_zone      zone=payments:16m;",
}

HEAD = re.compile(r"(behind|before|instead of) (\w+)(?:: (.*))?$")
ROW = re.compile(r"(.*?)\s+(?:([!~]) (.*)|ok)$")


@dataclass
class Case:
    name: str
    pairs: list[tuple[str, str]]
    verdict: str  # "!" refused, "~" warned of, "" passes
    says: str

    @property
    def text(self) -> str:
        return swap(MINIMAL, *self.pairs)


def each_of(text: str) -> list[str]:
    """<a|b> is one, then the other."""
    parts = re.split(r"<([^<>]*)>", text)
    chosen = [
        part.split("|") if n % 2 else [part] for n, part in enumerate(parts)
    ]
    return ["".join(words) for words in itertools.product(*chosen)]


def pair(place: str, line: str) -> tuple[str, str]:
    """What one word of a section's head does with a line."""
    how, name, around = HEAD.match(place).groups()
    old = PLACES[name]
    line = line.replace("$ITSELF", old)
    new = (around or "*").replace("*", "" if line == "-" else line)
    return old, {
        "behind": f"{old} {new}",
        "before": f"{new}\n{old}",
        "instead of": new,
    }[how]


class Table:
    def __init__(self):
        self.texts, self.cases, self.heads, self.waiting = {}, [], [], ""
        for line in TABLE.read_text(encoding="utf-8").splitlines():
            if line.startswith("let "):
                name, _, text = line.removeprefix("let ").partition(" = ")
                self.texts[name] = self.filled(text)
            elif line.startswith("["):
                self.heads = each_of(self.filled(line[1:-1]))
            elif line and not line.startswith("#"):
                self.take(line)

    def filled(self, line: str) -> str:
        line = re.sub(
            r"\$\((.*?)\*(\d+)\)", lambda m: m[1] * int(m[2]), line
        )
        return re.sub(
            r"\$([A-Z]+\d*)\b",
            lambda m: self.texts.get(m[1], m[0]),
            line,
        )

    def take(self, line: str) -> None:
        """A row; what it says may stand in the line below."""
        found = ROW.match(f"{self.waiting} {line}" if self.waiting else line)
        if found is None:
            self.waiting = line
            return
        self.waiting = ""
        written, verdict, says = found.groups()
        for head in self.heads:
            for text in each_of(self.filled(written)):
                pairs = [pair(place, text) for place in head.split(" / ")]
                name = f"{head}: {text}"[-100:]
                says = self.filled(says or "")
                self.cases.append(Case(name, pairs, verdict or "", says))
