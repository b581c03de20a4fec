"""The hooks are in the test build only: what is delivered cannot be told to
stand still."""

import subprocess

import pytest
from support.gateway import ROOT

MODULE = "modules/ngx_http_payments_module.so"
RELEASE = ROOT / "build" / MODULE
TEST = ROOT / "build" / "faults" / MODULE
# debug information names the (empty) source file; these name its insides
SYMBOL = "ngx_payments_fault_hit"
FILE = b"%Vfaults/"


def symbols(module) -> set[str]:
    out = subprocess.check_output(["nm", "-a", module], text=True)
    return {line.split()[-1].partition("@")[0] for line in out.splitlines()}


def test_the_test_build_has_them():
    assert SYMBOL in symbols(TEST)
    assert FILE in TEST.read_bytes()


@pytest.mark.parametrize("name", (SYMBOL, "raise", "rename"))
def test_the_release_has_no_symbol_of_them(name):
    assert name not in symbols(RELEASE)


def test_the_release_has_no_name_of_their_files():
    assert FILE not in RELEASE.read_bytes()
