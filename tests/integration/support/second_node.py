"""A second gateway beside an OwnStack's: another nginx with a prefix, a port,
shared memory and logs of its own, over the same PostgreSQL, with the same
secrets, PSPs and keys.  Both are known to the outside by the first one's
address, as behind a load balancer.
"""

import os
import shlex

from . import gateway
from .mock import Mock
from .own_stack import OwnStack
from .ports import free_port

DIRECTORY = "second"
SHARED = ("secrets", "tls")


class SecondNode(OwnStack):
    """What OwnStack does to nginx, done to this one; PostgreSQL and the mock
    are the first node's, whose judgement at the end is that of both."""

    def __init__(self, first: OwnStack):
        self.first = first
        self.dir = first.gateway.run / DIRECTORY
        self.env = first.env | {"PAY_RUN": str(self.dir)}
        self.values = self._values()
        self._directory()
        self.gateway = gateway.Gateway(self.values)
        self.url = self.gateway.url
        self.pristine = self._own(first.pristine)
        self.tls = self.gateway.ssl_context()
        self.link = None
        self.mock = Mock(self.gateway.mock_url)
        self.twins: set[str] = first.twins
        self.expected: list[str] = []
        self.gateway.conf.write_text(self.pristine)
        self.start_nginx()
        self.http = self.client()

    def _values(self) -> dict[str, str]:
        """The first's, where they are not of its own directory."""
        own = dict(self.first.values)
        old, new = own["RUN_DIR"], str(self.dir)
        for name in own:
            if name == "RUN_DIR" or name.startswith(("NGINX_", "AUDIT_SEALS")):
                own[name] = own[name].replace(old, new, 1)
        own["GATEWAY_URL"] = f"https://localhost:{free_port()}"
        return own

    def _directory(self) -> None:
        self.dir.mkdir(0o755)
        (self.dir / "tmp").mkdir()
        if "ASAN" in self.env:
            (self.dir / "san").mkdir()
            (self.dir / "san").chmod(0o777)
        for name in SHARED:
            (self.dir / name).symlink_to(self.first.gateway.run / name)
        lines = [f"{k}={shlex.quote(v)}\n" for k, v in self.values.items()]
        (self.dir / "gateway.env").write_text("".join(lines))

    def _own(self, text: str) -> str:
        """The first's configuration, in this directory and on this port."""
        first = self.first.gateway
        listen = f"listen       127.0.0.1:{first.port} "
        assert listen in text
        text = text.replace(str(first.run), str(self.dir))
        return text.replace(
            listen, f"listen       127.0.0.1:{self.gateway.port} "
        )

    def close(self) -> None:
        self.http.close()
        if self.gateway.run.joinpath("nginx.pid").exists():
            self.quit_nginx()
        self.check_log()
        for name in SHARED:
            os.unlink(self.dir / name)
