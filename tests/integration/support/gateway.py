"""The running stack as gateway.env describes it; nothing is started here."""

import os
import shlex
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[3]
# that of a sanitized build where ci/asan runs the tests
PAYCTL = os.environ.get("PAYCTL", str(ROOT / "build" / "payctl"))


def env_path() -> Path:
    default = ROOT / "build" / "run" / "gateway.env"
    return Path(os.environ.get("GATEWAY_ENV", default))


def read_env(path: Path) -> dict[str, str]:
    words = shlex.split(path.read_text(), comments=True)
    return dict(word.split("=", 1) for word in words)


@dataclass
class Gateway:
    """Addresses, keys and files; `env` has every assignment of the file."""

    env: dict[str, str] = field(repr=False)

    def __post_init__(self):
        env = self.env
        self.url = env["GATEWAY_URL"].rstrip("/")
        self.ca = env["GATEWAY_CA"]
        parts = urlsplit(self.url)
        self.host = parts.hostname
        self.port = parts.port or 443
        self.authority = parts.netloc
        self.merchant = env["MERCHANT_ID"]
        self.other_merchant = env["OTHER_MERCHANT_ID"]
        self.mock_url = env["MOCK_PSP_URL"].rstrip("/")
        self.return_url = env["RETURN_URL"]
        self.error_log = Path(env["NGINX_ERROR_LOG"])
        self.access_log = Path(env["NGINX_ACCESS_LOG"])
        self.conf = Path(env["NGINX_CONF"])
        self.run = Path(env["RUN_DIR"])
        self.secrets = self.run / "secrets"
        self.nginx = env["NGINX_BIN"]
        self.module = env["MODULE"]

    def ssl_context(self, alpn=("http/1.1",)) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.ca)
        context.set_alpn_protocols(list(alpn))
        return context


def load() -> Gateway:
    path = env_path()
    if not path.is_file():
        raise AssertionError(f"no {path}: run `make up` first")
    return Gateway(read_env(path))
