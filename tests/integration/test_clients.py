"""Clients that generators make of docs/openapi.yaml, in Python and TypeScript:
each creates a payment, pays it, refunds some of it, and reads typed errors.

The programs are tests/fixtures/clients/shop.*; ci/install puts the generators
into build/venv and build/node.
"""

import json
import os
import shutil
import subprocess

import pytest
from support.gateway import ROOT
from support.own_stack import CARDS

DOCUMENT = ROOT / "docs" / "openapi.yaml"
SHOPS = ROOT / "tests" / "fixtures" / "clients"
VENV = ROOT / "build" / "venv" / "bin"
NODE = ROOT / "build" / "node" / "node_modules"
# A member that no answer has, which a compiler must find.
MISSPELT = ("error.status", "error.statuss")


def run(*command, **options) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True, check=False, text=True, timeout=60, **options,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def compiled(where, text: str) -> subprocess.CompletedProcess:
    (where / "shop.ts").write_text(text)
    return subprocess.run(
        [NODE / ".bin" / "tsc", "--strict", "--target", "es2022", "--module",
         "nodenext", "--lib", "es2022,dom,dom.iterable", "--skipLibCheck",
         "shop.ts"],
        cwd=where, capture_output=True, check=False, text=True, timeout=60,
    )  # fmt: skip


@pytest.fixture(name="variables")
def what_a_shop_is_told(gateway):
    return {
        "PATH": f"{VENV}:{os.environ['PATH']}",
        "GATEWAY_URL": gateway.url,
        "GATEWAY_CA": gateway.ca,
        "NODE_EXTRA_CA_CERTS": gateway.ca,
        "MERCHANT_JWT": gateway.env["MERCHANT_JWT"],
        "RETURN_URL": gateway.return_url,
        "CARD": CARDS["paid"],
    }


@pytest.fixture(name="typescript", scope="module")
def directory_of_the_typescript_client(tmp_path_factory):
    where = tmp_path_factory.mktemp("typescript")
    (where / "node_modules").symlink_to(NODE)
    (where / "package.json").write_text('{"type": "module"}')
    run(NODE / ".bin" / "openapi-typescript", DOCUMENT, "-o", "api.d.ts",
        "--default-non-nullable=false", cwd=where)  # fmt: skip
    return where


def assert_paid_and_told(seen: dict, url: str) -> None:
    assert (seen["status"], seen["done"]) == ("SUCCESS", True)
    assert (seen["captured"], seen["refund"]) == ("12.34", "2.00")
    assert "registered" in seen["kinds"]
    assert seen["bad amount"] == {
        "status": 422,
        "type": f"{url}/problems/amount-invalid",
        "pointers": ["/payment_orders/0/amount"],
    }
    assert seen["stranger"]["status"] == 401
    assert seen["stranger"]["type"] == f"{url}/problems/invalid-token"
    assert seen["nothing"]["status"] == 404


def test_a_client_in_python_pays_and_has_typed_errors(
    gateway, variables, tmp_path
):
    said = run(VENV / "openapi-python-client", "generate", "--path", DOCUMENT,
               "--output-path", tmp_path / "shop_client", "--meta", "none",
               env=variables)  # fmt: skip
    assert "WARNING" not in said.upper(), said
    shutil.copy(SHOPS / "shop.py", tmp_path)
    answer = run(VENV / "python", "shop.py", cwd=tmp_path, env=variables)
    assert_paid_and_told(json.loads(answer), gateway.url)


def test_a_client_in_typescript_pays_and_has_typed_errors(
    gateway, variables, typescript
):
    done = compiled(typescript, (SHOPS / "shop.ts").read_text())
    assert done.returncode == 0, done.stdout
    answer = run("node", "shop.js", cwd=typescript, env=variables)
    assert_paid_and_told(json.loads(answer), gateway.url)


def test_the_compiler_knows_what_an_error_has(typescript):
    text = (SHOPS / "shop.ts").read_text()
    assert text.count(MISSPELT[0]) == 1
    done = compiled(typescript, text.replace(*MISSPELT))
    assert done.returncode != 0
    assert "Property 'statuss' does not exist" in done.stdout
