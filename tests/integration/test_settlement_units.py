"""An nginx that reads amounts of settlement files wrong reads none of them."""

from pathlib import Path

import pytest
from support.gateway import ROOT
from support.nginxconf import MINIMAL, Nginx, swap
from support.planted import planted_module

AMOUNTS = ROOT / "src" / "settle" / "amount.c"
ZONE = "payments_zone      zone=payments:16m;"
SOURCE = (
    f"{ZONE}\n    payments_settlement inbox format=generic merchant=acme"
    " psp=generic dir=tmp;"
)


@pytest.fixture(name="planted", scope="module")
def wrong(gateway, tmp_path_factory):
    """A module in which a unit is a hundred times off."""
    return planted_module(
        Path(gateway.module).parents[1], AMOUNTS, '{ "UGX", 2 }',
        '{ "UGX", 0 }', tmp_path_factory.mktemp("planted"),
    )  # fmt: skip


@pytest.mark.parametrize("line, code", [(ZONE, 0), (SOURCE, 1)])
def test_a_module_that_reads_amounts_wrong_has_no_source(
    gateway, planted, tmp_path, line, code
):
    text = swap(MINIMAL, (ZONE, line))
    assert Nginx(gateway, tmp_path, text).test()[0] == 0
    text = text.replace("@MODULE@", str(planted))
    found, said = Nginx(gateway, tmp_path, text).test()
    assert found == code, said
    assert ('this build reads amounts of "stripe json" wrong' in said) == code
