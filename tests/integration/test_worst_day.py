"""What the drills of tests/drills rest on, without a server: every block of the
document is one that a drill runs, the judge sees a promise that was not kept,
and the check of back-ups sees a hole, an old one and an unreadable one.
"""

import json
import os
import re
import subprocess
import time

import pytest
from support.gateway import ROOT
from support.worst_day import Promise, commands, end_of_segment, judge, lsn

CHECK = ROOT / "debian" / "backup-check"
EXAMPLES = ROOT / "debian" / "examples"
RUNS = re.compile(r'\.(?:does|restore)\(\s*"([^"]+)"')
HOUR_S = 3600


def test_every_block_of_the_worst_day_is_run_by_a_drill():
    run = set()
    for path in (ROOT / "tests" / "drills").glob("*.py"):
        run |= set(RUNS.findall(path.read_text(encoding="utf-8")))
    assert run == set(commands())


def test_the_clock_backs_up_as_the_document_does():
    told = set()
    for text in commands().values():
        told |= set(re.findall(r"runuser -u postgres -- (.*)", text))
    jobs = re.findall(
        r"^30 1 \* \* \S+ postgres (.*)$",
        (EXAMPLES / "payments-backup.cron").read_text(),
        re.M,
    )
    assert len(jobs) == 2
    assert set(jobs) <= told
    unit = (ROOT / "debian/units/payctl-pgbackrest.service").read_text()
    start = re.search(r"^ExecStart=(.*)$", unit, re.M)[1]
    assert start in told
    install = (ROOT / "debian/payctl.install").read_text()
    assert f"debian/backup-check {os.path.dirname(start)[1:]}\n" in install


def test_every_example_that_the_document_names_is_in_the_package():
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    named = set(re.findall(r"/usr/share/doc/payctl/examples/([\w.-]+\w)", text))
    listed = (ROOT / "debian/payctl.examples").read_text().split()
    assert {f"debian/examples/{name}" for name in named} == set(listed)
    assert all((ROOT / each).is_file() for each in listed)


# The judge.


def told(order_id: str, place: int | None = 10, status="EXECUTING") -> Promise:
    return Promise(order_id, status, place, 100.0)


def test_what_is_stored_is_kept():
    verdict = judge(
        [told("a"), told("b", status="SUCCESS"), told("c", None)],
        {"a": "SUCCESS", "b": "SUCCESS", "c": "EXECUTING"},
        None,
    )
    assert (verdict.kept, verdict.lost, verdict.broken) == (3, [], [])


def test_one_promise_more_than_is_stored_is_broken():
    """As of a fail-over that is not synchronous."""
    more = told("b", None)
    verdict = judge([told("a"), more], {"a": "EXECUTING"}, None)
    assert verdict.broken == [more]


def test_a_payment_that_is_open_again_is_broken():
    paid = told("a", status="SUCCESS")
    assert judge([paid], {"a": "EXECUTING"}, 10).broken == [paid]


@pytest.mark.parametrize(
    ("place", "lost", "broken"), [(10, 0, 1), (11, 1, 0), (None, 1, 0)]
)
def test_only_what_is_not_archived_may_be_lost(place, lost, broken):
    verdict = judge([told("a", place)], {}, 10)
    assert (len(verdict.lost), len(verdict.broken)) == (lost, broken)


def test_a_segment_ends_where_the_next_one_begins():
    assert end_of_segment("0000000100000000000000FF") == lsn("1/0")
    assert end_of_segment("000000020000000100000000") == lsn("1/1000000")


# The check of back-ups, with pgBackRest's answers.


@pytest.fixture
def checked(tmp_path):
    """checked(segments, hours=…): exit code and text of backup-check."""

    def run(segments, *, hours=1.0, code=0, error=False, backups=True):
        backup = {
            "label": "20261126-013000F",
            "timestamp": {"stop": time.time() - hours * HOUR_S},
            "error": error,
            "archive": {"start": "000000010000000000000002"},
        }
        stanza = {
            "name": "payments",
            "status": {"code": code, "message": "told"},
            "backup": [backup] if backups else [],
        }
        names = {
            f"15-1/{name[:16]}/{name}-{'a' * 40}.zst": {"type": "file"}
            for name in segments
        }
        (tmp_path / "info").write_text(json.dumps([stanza]))
        (tmp_path / "repo-ls").write_text(json.dumps(names))
        tool = tmp_path / "pgbackrest"
        tool.write_text(
            "#!/bin/sh\nfor each; do\n"
            f'[ -e "{tmp_path}/$each" ] && exec cat "{tmp_path}/$each"\n'
            "done\nexit 1\n"
        )
        tool.chmod(0o755)
        return check(tmp_path)

    return run


def check(path) -> tuple[int, str]:
    done = subprocess.run(
        [CHECK], env={"PATH": f"{path}:/usr/bin:/bin"}, text=True,
        stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=30,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def line(timeline: int, first: int, last: int) -> list[str]:
    return [f"{timeline:08X}{0:08X}{n:08X}" for n in range(first, last + 1)]


def test_a_whole_archive_has_no_finding(checked):
    assert checked(line(1, 2, 9)) == (0, "no finding\n")


def test_timelines_that_follow_each_other_have_no_finding(checked):
    """Restored to segment 6, later to 8: where each was left, a new begins."""
    names = line(1, 1, 9) + line(2, 6, 8) + line(3, 8, 12)
    assert checked(names) == (0, "no finding\n")


@pytest.mark.parametrize(
    ("names", "hole"),
    [
        (line(1, 2, 4) + line(1, 6, 9), line(1, 5, 5)[0]),
        (line(1, 2, 9) + line(2, 7, 7) + line(2, 9, 9), line(2, 8, 8)[0]),
        (line(1, 2, 5) + line(2, 7, 9), line(2, 6, 6)[0]),
    ],
    ids=["in a timeline", "in the next", "between two"],
)
def test_a_hole_is_named(checked, names, hole):
    code, said = checked(names)
    assert code == 1
    assert f"1 segments of WAL are missing, the first is {hole}:" in said


def test_a_segment_before_the_oldest_back_up_is_not_missed(checked):
    assert checked(line(1, 2, 4))[0] == 0


def test_an_old_back_up_is_a_finding(checked):
    code, said = checked(line(1, 2, 4), hours=30)
    assert code == 1
    assert "20261126-013000F, is 30 hours old" in said


def test_a_back_up_with_errors_is_a_finding(checked):
    code, said = checked(line(1, 2, 4), error=True)
    assert code == 1
    assert "has pages with errors" in said


def test_a_repository_without_a_back_up_is_a_finding(checked):
    code, said = checked([], code=2, backups=False)
    assert code == 1
    assert "there is no back-up" in said


def test_a_stanza_that_is_missing_is_a_finding(checked):
    code, said = checked([], code=1, backups=False)
    assert code == 1
    assert "there is no stanza payments" in said


def test_what_cannot_be_asked_is_not_called_well(tmp_path):
    tool = tmp_path / "pgbackrest"
    tool.write_text("#!/bin/sh\necho 'no such repository' >&2\nexit 37\n")
    tool.chmod(0o755)
    code, said = check(tmp_path)
    assert code == 2
    assert said == "backup-check: not checked: no such repository\n"
