"""ca_file is all that is trusted: the system's CAs, a file and a directory by
libcurl's default, are not beside it (docs/security.md L5)."""

import contextlib
import subprocess
from pathlib import Path

import pytest
from support import tls_psp
from support.client import Api
from support.nginxconf import MINIMAL, Nginx
from support.tls_psp import Authority, Psp, server_context

SHIM = Path(__file__).parent / "support" / "system_cas.c"
BLOCK = """
    payments_psp {name} {{
        adapter            generic;
        base_url           https://localhost:{port};
        api_key_file       secrets/generic.key;
        webhook_key_file   secrets/generic.whsec;
        hosted_page_host   psp.example;
        timeout            connect=1s total=2s;
        allow_private_address  on;
        {words}
    }}
"""


class Trusting(Nginx):
    """An nginx whose system trusts what lies in a directory."""

    def environment(self):
        env = super().environment()
        shim = self.dir / "system_cas.so"
        subprocess.run(
            ["gcc", "-shared", "-fPIC", "-o", shim, SHIM], check=True
        )
        before = env.get("LD_PRELOAD", "")
        return env | {
            "LD_PRELOAD": f"{before}:{shim}".lstrip(":"),
            "SYSTEM_CAS": str(self.system),
        }


@pytest.fixture
def psp(open_directory):
    """Its CA is one of the system's."""
    system = Authority(open_directory, "system")
    directory = open_directory / "trusted"
    directory.mkdir(mode=0o755)
    (directory / "ca.pem").write_bytes(system.file.read_bytes())
    subprocess.run(["openssl", "rehash", directory], check=True)
    made = Psp(
        server_context(system.leaf("localhost")),
        tls_psp.registration("https://psp.example/pay/1"),
    )
    with contextlib.closing(made):
        yield made


@pytest.fixture
def api(gateway, psp, open_directory, tmp_path):
    ours = Authority(open_directory, "ours")
    blocks = {"default": "", "ours": f"ca_file {ours.file};"}
    head = "    payments_merchant acme {"
    text = MINIMAL.replace(
        head,
        "".join(
            BLOCK.format(name=name, port=psp.port, words=words)
            for name, words in blocks.items()
        )
        + head,
    ).replace("psp          generic stripe;", "psp generic default ours;")
    nginx = Trusting(gateway, tmp_path, text)
    nginx.system = open_directory / "trusted"
    with (
        nginx.start(),
        contextlib.closing(
            Api(nginx.url, gateway.ssl_context(), gateway.env["MERCHANT_JWT"])
        ) as made,
    ):
        yield made


def test_a_ca_of_the_system_is_not_trusted_beside_ca_file(api, psp, checkout):
    assert api.create(checkout(psp="default")).status_code == 201
    before = len(psp.requests)
    assert before == 1
    assert api.create(checkout(psp="ours")).status_code == 202
    assert len(psp.requests) == before
