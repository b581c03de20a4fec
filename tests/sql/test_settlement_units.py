"""A payctl that reads amounts wrong reads none: one is linked in which a unit
has another number of decimals, and every settlement command refuses to run.
"""

import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("PAYCTL", ROOT / "build/payctl")).parent
SOURCE = ROOT / "src/settle/amount.c"
# an outer make hands down its flags, which print more than the commands
OUTER = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
UNITS = {
    # the unit that is named: the text that is changed, and what into
    "stripe json": ('{ "UGX", 2 }', '{ "UGX", 0 }'),
    "mt940": (".point = ','", ".point = '.'"),
    "generic csv": ("\"generic csv\", .point = '.'", '"generic csv"'),
}


def link(path: pathlib.Path, old: str, new: str) -> pathlib.Path:
    """payctl with that change, made by the commands of make."""
    text = SOURCE.read_text()
    assert text.count(old) == 1, old
    source = path / "amount.c"
    source.write_text(text.replace(old, new))
    script = subprocess.check_output(
        ["make", "-n", "--no-print-directory", "-W", "src/settle/amount.c",
         f"BUILD={BUILD}", f"{BUILD}/payctl"], cwd=ROOT, text=True,
        env={key: os.environ[key] for key in os.environ if key not in OUTER},
    )  # fmt: skip
    script = script.replace("-c src/settle/amount.c", f"-c {source}")
    for name in ("obj/src/settle/amount.o", "libpay.a"):
        script = script.replace(f"{BUILD}/{name}", str(path / name))
    script = re.sub(rf"-o {BUILD}/payctl\b", f"-o {path}/payctl", script)
    (path / "obj/src/settle").mkdir(parents=True)
    subprocess.run(["sh", "-e"], input=script, text=True, cwd=ROOT, check=True)
    return path / "payctl"


@pytest.fixture(name="broken", params=UNITS)
def wrong(request, tmp_path):
    """The unit, and the payctl that reads it wrong."""
    return request.param, link(tmp_path, *UNITS[request.param])


def test_a_payctl_that_reads_amounts_wrong_refuses_to_run(broken):
    unit, payctl = broken
    for words in (["import", "--source", "x", "y"], ["list"], ["files"],
                  ["accept", "1", "--who", "a", "--why", "b"]):  # fmt: skip
        done = subprocess.run(
            [payctl, "settlement", *words], capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (2, "")
        assert f'reads amounts of "{unit}" wrong' in done.stderr, done.stderr
