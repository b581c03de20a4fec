"""PSPs over TLS as they should not be: certificates made to order, a server
in threads that remembers every byte it was told after the handshake, and a
proxy that remembers what it was asked."""

import base64
import contextlib
import datetime
import hashlib
import ipaddress
import json
import socket
import ssl
import tempfile
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DEADLINE_S = 20
DAY = datetime.timedelta(days=1)
PEM = serialization.Encoding.PEM


def san(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


class Authority:
    """A CA; leaf() writes key and certificate to a file and names it."""

    def __init__(self, directory: Path, name: str, begin=-DAY, end=DAY):
        self.directory = directory
        self.name = subject(name)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.cert = self.sign(
            self.name, self.key, x509.BasicConstraints(True, None), begin, end
        )
        self.file = directory / f"{name}.pem"
        self.file.write_bytes(self.cert.public_bytes(PEM))
        self.file.chmod(0o644)

    def sign(self, name, key, constraints, begin, end, names=()):
        now = datetime.datetime.now(datetime.UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + begin)
            .not_valid_after(now + end)
            .add_extension(constraints, True)
        )
        if names:
            listed = x509.SubjectAlternativeName([san(each) for each in names])
            made = made.add_extension(listed, False)
        return made.sign(self.key, hashes.SHA256())

    def leaf(self, *names: str, begin=-DAY, end=DAY) -> "Leaf":
        key = ec.generate_private_key(ec.SECP256R1())
        ends = x509.BasicConstraints(False, None)
        cert = self.sign(subject("leaf"), key, ends, begin, end, names)
        return Leaf(self.directory, key, cert)


@contextlib.contextmanager
def shop_authority():
    """That of storefronts' endpoints; nginx' workers can read its files."""
    with tempfile.TemporaryDirectory(prefix="payments-shop.") as name:
        path = Path(name)
        path.chmod(0o755)
        yield Authority(path, "shop-ca")


class Leaf:
    def __init__(self, directory: Path, key, cert):
        self.file = directory / f"{cert.serial_number:x}.pem"
        secret = key.private_bytes(
            PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        self.file.write_bytes(secret + cert.public_bytes(PEM))
        spki = key.public_key().public_bytes(
            serialization.Encoding.DER,
            serialization.PublicFormat.SubjectPublicKeyInfo,
        )
        digest = hashlib.sha256(spki).digest()
        self.pin = "sha256//" + base64.b64encode(digest).decode()


def server_context(leaf: Leaf, **versions) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(leaf.file)
    for name, version in versions.items():
        setattr(context, f"{name}_version", version)
    return context


class Listener:
    """Takes connections on a port, or on a free one; serve(sock) runs in a
    thread each."""

    def __init__(self, port: int = 0):
        self.socket = socket.create_server(("127.0.0.1", port))
        self.port = self.socket.getsockname()[1]
        self.connections = 0
        self.open = set()
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self) -> None:
        while True:
            try:
                sock, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            self.open.add(sock)
            threading.Thread(target=self.run, args=(sock,), daemon=True).start()

    def run(self, sock: socket.socket) -> None:
        sock.settimeout(DEADLINE_S)
        with contextlib.suppress(OSError), sock:
            self.serve(sock)
        self.open.discard(sock)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for sock in list(self.open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self.thread.join(DEADLINE_S)

    def serve(self, sock: socket.socket) -> None:
        raise NotImplementedError


def read_head(sock) -> tuple[bytes, bytes]:
    """A head, without its empty line, and what came behind it."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(65536)
        if not more:
            return data, b""
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def fields(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    pairs = (line.split(":", 1) for line in lines)
    return {name.lower(): text.strip() for name, text in pairs}


class Psp(Listener):
    """answer(method, path, fields, body) → status, fields, bytes.

    `told` is what arrived in plain text: TLS' own records are not in it, and
    without a context everything is."""

    def __init__(self, context, answer):
        self.context = context
        self.answer = answer
        self.told = b""
        self.requests = []
        self.resumed = []
        super().__init__()

    def serve(self, sock: socket.socket) -> None:
        if self.context is None:
            self.told += sock.recv(65536)
            sock.sendall(b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n")
            return
        with self.context.wrap_socket(sock, server_side=True) as sock:
            self.resumed.append(sock.session_reused)
            while self.one(sock):
                pass
            with contextlib.suppress(OSError):
                sock.unwrap()

    def one(self, sock) -> bool:
        head, body = read_head(sock)
        self.told += head + body
        if not head:
            return False
        method, path, _ = head.split(b"\r\n")[0].decode().split(" ")
        found = fields(head)
        while len(body) < int(found.get("content-length", 0)):
            more = sock.recv(65536)
            self.told += more
            body += more
        self.requests.append((method, path, found, body))
        status, more, content = self.answer(method, path, found, body)
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content)}"]
        lines += [f"{name}: {text}" for name, text in more.items()]
        sock.sendall("\r\n".join([*lines, "", ""]).encode() + content)
        return True

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"


class Silent(Listener):
    """Takes connections and never says a word."""

    def serve(self, sock: socket.socket) -> None:
        while sock.recv(65536):
            pass


class Proxy(Listener):
    """CONNECT to any name leads to the port that `to` has for it; a status
    other than 200 refuses.  `heads` is all that the proxy itself saw."""

    def __init__(self, to: dict[str, int], context=None, status=200):
        self.to = to
        self.context = context
        self.status = status
        self.heads = []
        super().__init__()

    def serve(self, sock: socket.socket) -> None:
        if self.context is not None:
            sock = self.context.wrap_socket(sock, server_side=True)
        head, _ = read_head(sock)
        self.heads.append(head)
        if self.status != 200:
            sock.sendall(
                f"HTTP/1.1 {self.status} No\r\nRetry-After: 77\r\n"
                "Content-Length: 0\r\n\r\n".encode()
            )
            return
        method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
        assert method == "CONNECT"
        port = self.to[target.split(":")[0]]
        with socket.create_connection(("127.0.0.1", port), DEADLINE_S) as far:
            sock.sendall(b"HTTP/1.1 200 OK\r\nRetry-After: 77\r\n\r\n")
            self.tunnel(sock, far)

    @staticmethod
    def tunnel(near, far) -> None:
        def pump(source, sink):
            with contextlib.suppress(OSError):
                while data := source.recv(65536):
                    sink.sendall(data)
            with contextlib.suppress(OSError):
                sink.shutdown(socket.SHUT_WR)

        back = threading.Thread(target=pump, args=(far, near), daemon=True)
        back.start()
        pump(near, far)
        back.join(DEADLINE_S)


def registration(hosted: str):
    """The generic dialect's answer to a registration (docs/psp-generic.md)."""

    def answer(method, path, found, body):
        order = json.loads(body)
        made = {
            "token": f"reg_{hashlib.sha256(body).hexdigest()}",
            "nonce": order["nonce"],
            "status": "open",
            "amount": order["amount"],
            "currency": order["currency"],
            "hosted_url": hosted,
            "expires_at": order["expires_at"],
        }
        kind = {"Content-Type": "application/json"}
        return 201, kind, json.dumps(made).encode()

    return answer
