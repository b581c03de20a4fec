"""The certificates of the ``paypal`` dialect: a CA made at start-up, the leaf
that webhooks are signed with, and a small TLS server that hands it out.

The CA's own certificate goes to DIR/paypal.ca.pem of --secrets, for the
gateway to trust: as the webhooks' CA and as that of the TLS server.
"""

import base64
import datetime
import ssl
import tempfile
from pathlib import Path

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAME = "messageverificationcerts.sandbox.paypal.com"
ROOT = "/v1/notifications/certs/"
DAYS = 30


def _pem(certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(subject: str, key, issuer: str, issuer_key, hosts=()):
    """`hosts` empty and subject the issuer's: a CA."""
    now = datetime.datetime.utcnow()
    is_ca = subject == issuer
    made = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=DAYS))
        .add_extension(
            x509.BasicConstraints(ca=is_ca, path_length=None), critical=True
        )
    )
    if not is_ca:
        names = x509.SubjectAlternativeName([x509.DNSName(n) for n in hosts])
        use = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        made = made.add_extension(names, critical=False)
        made = made.add_extension(use, critical=False)
    return made.sign(issuer_key, hashes.SHA256())


class Certificates:
    """Made once; `start` begins to serve them on localhost."""

    CA = "CA of the mock's PayPal"

    def __init__(self):
        self.ca_key = ec.generate_private_key(ec.SECP256R1())
        self.ca = _certificate(self.CA, self.ca_key, self.CA, self.ca_key)
        self.key = rsa.generate_private_key(65537, 2048)
        self.leaf = _certificate(NAME, self.key, self.CA, self.ca_key, [NAME])
        self.name = f"CERT-{self.leaf.serial_number:x}"[:40]
        self.runner = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}{ROOT}{self.name}"

    def sign(self, text: bytes) -> str:
        raw = self.key.sign(text, padding.PKCS1v15(), hashes.SHA256())
        return base64.b64encode(raw).decode()

    def impostor(self) -> bytes:
        """PayPal's name and key, signed by somebody of the CA's name."""
        other = ec.generate_private_key(ec.SECP256R1())
        return _pem(_certificate(NAME, self.key, self.CA, other, [NAME]))

    async def start(self, place: Path, port: int) -> None:
        """Writes place/paypal.ca.pem; port 0 is a free one."""
        (place / "paypal.ca.pem").write_bytes(_pem(self.ca))
        app = web.Application()
        app.add_routes([web.get(ROOT + "{name}", self._serve)])
        self.runner = web.AppRunner(app)
        await self.runner.setup()
        site = web.TCPSite(
            self.runner, "127.0.0.1", port, ssl_context=self._context()
        )
        await site.start()
        self.port = self.runner.addresses[0][1]

    async def stop(self) -> None:
        if self.runner:
            await self.runner.cleanup()

    def _context(self) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = _certificate(
            "localhost", key, self.CA, self.ca_key, ["localhost"]
        )
        text = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        with tempfile.NamedTemporaryFile() as file:  # ssl reads files only
            file.write(text + _pem(leaf))
            file.flush()
            context.load_cert_chain(file.name)
        return context

    async def _serve(self, request):
        """The leaf by its name; `impostor` and `garbage` for tests."""
        made = {
            self.name: lambda: _pem(self.leaf),
            "impostor": self.impostor,
            "garbage": lambda: b"<html>Service unavailable</html>\n",
        }.get(request.match_info["name"])
        if made is None:
            return web.Response(status=404, text="no such certificate\n")
        return web.Response(body=made(), content_type="application/x-pem-file")
