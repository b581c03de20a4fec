"""A configuration of many merchants and many PSPs, as text for the http block,
and the files of keys that it names.  The same count always makes the same keys:
that of the n-th merchant is made of its number, so that a test can sign for any
of them.
"""

import base64
import hashlib
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
)

KID = "2026-11"
PSP = """
    payments_psp {name} {{
        adapter            generic;
        base_url           {mock}/generic;
        api_key_file       {secrets}/generic.key;
        webhook_key_file   {secrets}/generic.whsec;
        webhook_tolerance  300s;
        hosted_page_host   {host};
        timeout            connect=2s total=10s;{cell}
    }}
"""
MERCHANT = """
    payments_merchant {name} {{
        jwt_key          kid={kid} alg=ES256 file={keys}/{name}.pub;
        return_host      {name}.example.com www.{name}.example.com;
        psp              {psps};
        route            currency=EUR {last};
        result_key_file  {keys}/{name}.result;
        display_name     "The shop of {name}";
        refund_overdraw  refuse;{cell}
    }}
"""


def private_key(n: int):
    """That of the n-th merchant."""
    return ec.derive_private_key(1_000_003 + n, ec.SECP256R1())


def merchant(n: int) -> str:
    return f"shop-{n:05}"


def psp(n: int) -> str:
    return f"psp-{n:03}"


def write_keys(directory: Path, count: int) -> None:
    directory.mkdir(exist_ok=True)
    for n in range(count):
        public = directory / f"{merchant(n)}.pub"
        public.write_bytes(
            private_key(n)
            .public_key()
            .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )
        secret = directory / f"{merchant(n)}.result"
        secret.write_bytes(
            base64.b64encode(hashlib.sha256(secret.name.encode()).digest())
        )
        secret.chmod(0o400)


def _cell(cells: list[str], n: int) -> str:
    """The lines of the first cell, "default", have no word of it."""
    name = cells[n % len(cells)]
    return "" if name == "default" else f"\n        cell {name};"


def psps(count: int, cells: list[str], mock: str, secrets: str) -> str:
    """The n-th is of the n-th cell, in turn.  mock: a URL, or @MOCK@ as in
    support/nginxconf.py."""
    return "".join(
        PSP.format(
            name=psp(n),
            mock=mock,
            host=mock.partition("//")[2] or "@MOCKHOST@",
            secrets=secrets,
            cell=_cell(cells, n),
        )
        for n in range(count)
    )


def psps_of(n: int, psp_count: int, cells: list[str]) -> list[str]:
    """Two PSPs of the n-th merchant's cell, unless there is one alone."""
    step = len(cells)
    first = (n % step + n // step * step) % (psp_count - psp_count % step)
    second = (first + psp_count // step // 2 * step) % (
        psp_count - psp_count % step
    )
    return [psp(each) for each in dict.fromkeys((first, second))]


def merchants(
    count: int, psp_count: int, cells: list[str], keys: str
) -> str:
    """The n-th is of the n-th cell, in turn."""
    made = []
    for n in range(count):
        names = psps_of(n, psp_count, cells)
        made.append(
            MERCHANT.format(
                name=merchant(n),
                kid=KID,
                keys=keys,
                psps=" ".join(names),
                last=names[-1],
                cell=_cell(cells, n),
            )
        )
    return "".join(made)
