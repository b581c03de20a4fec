"""An nginx to which the official SDKs' webhook vectors can be sent as a PSP
sends them: a payments_psp for each of their settings, the clock at the
vector's own time, PayPal's certificates from hosts of PayPal's names.
"""

import base64
import uuid
from urllib.parse import quote

from .client import raw
from .clocked_nginx import ClockedNginx
from .nginxconf import MINIMAL, swap
from .tls_psp import DAY, Authority, Proxy, Psp, server_context

# Of this process: an event is no duplicate of an earlier run's.
RUN = uuid.uuid4().hex[:8]
YEAR = 365 * DAY
PAYPAL_HOSTS = (
    "api.paypal.com",
    "api-m.paypal.com",
    "api.sandbox.paypal.com",
    "api-m.sandbox.paypal.com",
)

API = """base_url          https://psp.example;
        hosted_page_host  psp.example;
        api_key_file      {dir}/api.key;"""
# scheme: adapter, and what this wants beside the scheme's own words
ADAPTERS = {
    "stripe": ("stripe", API),
    "standardwebhooks": ("generic", API),
    "svix": ("generic", API),
    "adyen": ("adyen", API + " account NgxPaymentsECOM; mode test;"),
    "adyen-platform": ("adyen", API + " account NgxPaymentsECOM; mode test;"),
    "paypal": ("paypal", API + " {fetch}"),
    "square": ("square", API + " account LNGXPAYMENTS1;"),
    "mollie": ("mollie", API),
    "braintree": ("braintree", ""),
    "razorpay": ("razorpay", ""),
    "gocardless": ("gocardless", ""),
    "wise": ("generic", API),
}
# member of a vector, and so of its block: its unit there
WORDS = {"url": "", "public_key": "", "webhook_id": "", "tolerance": "s"}


def settings(vector) -> tuple:
    """What a payments_psp block says; one block for all that say the same."""
    keys = vector.get("secrets") or [vector.get("secret")]
    rest = (vector.get(word) for word in (*WORDS, "ca_pem"))
    return (vector["scheme"], tuple(keys), *rest)


def write(path, text: str):
    path.write_text(text)
    path.chmod(0o400)
    return path


def block(name, vector, directory, fetch) -> str:
    """fetch: the words by which paypal's certificates are to be had."""
    adapter, words = ADAPTERS[vector["scheme"]]
    lines = [words.format(dir=directory, fetch=fetch)]
    lines.append(f"webhook_scheme {vector['scheme']};")
    keys = vector.get("secrets") or [vector.get("secret")]
    if keys != [None]:
        file = write(directory / f"{name}.key", "\n".join(keys) + "\n")
        lines.append(f"webhook_key_file {file};")
    if vector.get("ca_pem"):
        file = write(directory / f"{name}.ca", vector["ca_pem"])
        lines.append(f"webhook_ca_file {file};")
    for word, unit in WORDS.items():
        if word in vector:
            word_there = f"webhook_{word.removeprefix('webhook_')}"
            lines.append(f"{word_there} {vector[word]}{unit};")
    body = "\n        ".join(lines)
    return f"    payments_psp {name} {{\n adapter {adapter}; {body}\n    }}\n"


def make_api_key(directory):
    """paypal's has two halves; to the others it is a text."""
    write(directory / "api.key", "the-client:0123456789abcdef\n")


class Certificates:
    """The hosts of PayPal's certificates, behind a proxy that leads all of
    them here: so that not a byte of a vector's address is to be changed."""

    def __init__(self, directory):
        ca = Authority(directory, "hosts", -30 * YEAR, 30 * YEAR)
        leaf = ca.leaf(*PAYPAL_HOSTS, begin=-29 * YEAR, end=29 * YEAR)
        self.pem = b""
        self.hosts = Psp(server_context(leaf), self.answer)
        self.proxy = Proxy(dict.fromkeys(PAYPAL_HOSTS, self.hosts.port))
        self.words = (
            f"proxy http://127.0.0.1:{self.proxy.port}; ca_file {ca.file};"
        )

    def answer(self, *_):
        return 200, {"Content-Type": "application/x-pem-file"}, self.pem

    def asked(self) -> list[str]:
        """The URLs that were fetched, and nothing but GET."""
        assert {method for method, *_ in self.hosts.requests} <= {"GET"}
        return [
            f"https://{found['host']}{path}"
            for _, path, found, _ in self.hosts.requests
        ]

    def close(self):
        self.proxy.close()
        self.hosts.close()


class World:
    """One nginx with a payments_psp for each of the vectors' settings."""

    def __init__(self, gateway, directory, vectors):
        self.gateway = gateway
        self.certificates = Certificates(directory)
        self.names = {}
        blocks = []
        for vector in vectors:
            if settings(vector) in self.names:
                continue
            name = f"{vector['scheme']}-{len(self.names)}-{RUN}"
            self.names[settings(vector)] = name
            blocks.append(
                block(name, vector, directory, self.certificates.words)
            )
        head = "    payments_merchant acme {"
        text = swap(MINIMAL, (head, "".join(blocks) + head))
        self.nginx = ClockedNginx(gateway, directory, text)

    def name(self, vector) -> str:
        return self.names[settings(vector)]

    def serve(self, pem: str) -> None:
        """A worker keeps a certificate by its URL: another needs another."""
        kept = self.certificates
        if kept.pem != pem.encode():
            kept.pem = pem.encode()
            self.nginx.reload()
        kept.hosts.requests.clear()
        kept.proxy.heads.clear()

    def send(self, vector, *more: str, to: str | None = None):
        """more: header lines behind the vector's own; to: another PSP."""
        assert vector["body_len"] <= 256 * 1024
        if "cert_pem" in vector:
            self.serve(vector["cert_pem"])
        self.nginx.set_clock(vector["now"])
        body = base64.b64decode(vector["body_b64"])
        lines = [
            f"POST /webhooks/{to or self.name(vector)} HTTP/1.1",
            "Host: localhost",
            "Connection: close",
            f"Content-Length: {len(body)}",
        ]
        lines += [f"{name}: {text}" for name, text in vector["headers"].items()]
        head = "\r\n".join([*lines, *more, "", ""]).encode("ascii")
        return raw(self.gateway, head + body, port=self.nginx.port)

    def challenge(self, vector, text: str):
        target = f"/webhooks/{self.name(vector)}?bt_challenge={quote(text)}"
        head = f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n"
        return raw(self.gateway, head.encode(), port=self.nginx.port)

    def close(self):
        self.certificates.close()
