"""Debian's packages: built, looked at by lintian, installed in an overlay of
this machine up to a paid checkout, purged; systemd's judgement of the units.
make package-test does the same in a fresh Debian, with an upgrade."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from support.gateway import ROOT

UNITS = sorted((ROOT / "debian/units").glob("*.service"))
DROP_IN = ROOT / "debian/examples/nginx.service.d/payments.conf"
LIMIT = 1.5
DROP_IN_LIMIT = 2.8
HARDENING = re.compile(
    r"^(NoNew|Protect|Private|Restrict|System|Capab|Lock|Memory|Device|Dynamic)"
    r"\w*=.*\n",
    re.M,
)


def run(*command, **options) -> str:
    done = subprocess.run(
        [str(word) for word in command], text=True, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, **options,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


def exposure(unit: Path) -> float:
    said = run(
        "systemd-analyze", "security", "--offline=true", "--no-pager", unit
    )
    found = re.search(r"Overall exposure level for .*: ([0-9.]+)", said)
    assert found, said
    return float(found[1])


@pytest.fixture(name="debs", scope="module")
def built_packages(tmp_path_factory):
    """lintian has looked at them: an error or a warning fails."""
    out = tmp_path_factory.mktemp("debs")
    run(
        ROOT / "ci/deb", "--prebuilt", timeout=400,
        env=os.environ | {"DEB_OUT": str(out)},
    )  # fmt: skip
    assert len(list(out.glob("*.deb"))) == 3
    return out


# half a minute where nothing else runs
@pytest.mark.timeout(850)
def test_packages_install_pay_and_purge_clean(debs):
    command = [ROOT / "tests/package/run", "here"]
    if os.geteuid() != 0:
        command = ["sudo", "-n", "--preserve-env=DEBS", *command]
    said = run(*command, timeout=400, env=os.environ | {"DEBS": str(debs)})
    for line in ("pays: all well", "purge: clean"):
        assert line in said, said[-6000:]


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_a_unit_is_hardened(unit):
    assert exposure(unit) <= LIMIT


def test_the_drop_in_hardens_the_unit_of_debian(tmp_path):
    unit = tmp_path / "nginx.service"
    unit.write_text(Path("/lib/systemd/system/nginx.service").read_text())
    assert exposure(unit) > 9
    place = tmp_path / "nginx.service.d"
    place.mkdir()
    (place / DROP_IN.name).write_text(DROP_IN.read_text())
    assert exposure(unit) <= DROP_IN_LIMIT


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_a_unit_without_its_hardening_is_seen(unit, tmp_path):
    soft = tmp_path / unit.name
    text, count = HARDENING.subn("", unit.read_text())
    assert count > 15
    soft.write_text(text)
    assert exposure(soft) > LIMIT


def test_each_timer_has_its_service_and_a_time(tmp_path):
    timers = sorted((ROOT / "debian/units").glob("*.timer"))
    assert {t.stem for t in timers} == {
        u.stem for u in UNITS if u.stem.startswith("payctl-")
    }
    for timer in timers:
        when = re.search(r"^OnCalendar=(.*)$", timer.read_text(), re.M)
        run("systemd-analyze", "calendar", when[1])
