"""monitoring/*.yml by Prometheus' own tools: each alert is quiet, fires after
its time and ends, on series that were made for it; routes lead where they
should.
"""

import re
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "monitoring"
RULES = yaml.safe_load((HERE / "alerts.yml").read_text())
ALERTS = {r["alert"]: r for g in RULES["groups"] for r in g["rules"]}
QUIET = 60  # minutes before the fault
BAD = 30  # that it lasts, besides the alert's own time
MINUTES = {"m": 1, "h": 60, "d": 1440}
RECORDED = re.compile(r"\bjob\w*:payments")


class Case(NamedTuple):
    """series: name -> [good, bad], and a third one for the time behind the
    fault where that is not as before it; a counter's are steps a minute.
    after, until: minutes from the begin and from the end of the fault after
    which the alert surely stands or is over."""

    series: dict
    is_counter: bool = False
    after: int = 0
    until: int = 0
    labels: dict | None = None  # where those of the expression are not all


def gauge(series: str, good=0, bad=1, **more) -> Case:
    return Case({series: [good, bad]}, **more)


def counter(series: str, window: int, **more) -> Case:
    """Which somebody looks back at for so many minutes."""
    return Case({series: [0, 1]}, True, 1, window, **more)


def budget(bad: float, after: int, until: int) -> Case:
    """Of 60 requests a minute so many fail."""
    return Case(
        {
            'payments_requests_total{flow="api",code="201"}': [60, 60],
            'payments_requests_total{flow="api",code="503"}': [0, bad],
        },
        True, after, until,
    )  # fmt: skip


CASES = {
    "PaymentsMoneyNeedsHuman": counter(
        'payments_webhook_events_total{outcome="mismatch"}', 10
    ),
    "PaymentsBooksDiffer": gauge("payments_books_differences"),
    "PaymentsDeadLetters": gauge('payments_dead_letters{kind="refund"}'),
    "PaymentsCallsUnknown": gauge("payments_dispatch_unknown"),
    "PaymentsPayoutUnknown": gauge('payments_payouts{state="unknown"}'),
    "PaymentsHoldNotCaptured": gauge(
        'payments_risk_review_captures{state="failed"}'
    ),
    "PaymentsMoneyInSuspense": gauge(
        'payments_settlement_suspense_minor{currency="EUR"}', 0, 1250
    ),
    "PaymentsBalanceDiffers": gauge("payments_settlement_balances_differ"),
    "PaymentsBalanceNotCompared": gauge(
        'payments_settlement_balance_age_seconds{source="s"}', 900, 172801
    ),
    "PaymentsEntriesOverdue": gauge("payments_settlement_overdue"),
    "PaymentsExceptionsOld": gauge(
        'payments_settlement_unexplained_oldest_seconds{class="2"}', 0, 259201
    ),
    "PaymentsDayNotClosed": gauge("payments_close_age_seconds", 600, 129601),
    "PaymentsCloseFails": counter(
        "payments_close_failures_total", 60
    )._replace(after=6),
    "PaymentsFileRefused": counter(
        'payments_settlement_files_total{source="s",state="refused"}', 60
    ),
    "PaymentsFileMissing": gauge(
        'payments_settlement_file_age_seconds{source="s"}', 3600, 345601
    ),
    "PaymentsSourceUnreadable": counter(
        'payments_settlement_look_failures_total{source="s"}', 60
    )._replace(after=6),
    "PaymentsFileUnfinished": gauge(
        "payments_settlement_unfinished_seconds", 0, 3601
    ),
    "PaymentsJobsLate": gauge("payments_jobs_overdue_seconds", 2, 61),
    "PaymentsNoSweep": gauge(
        "payments_dead_letters", 0, None, after=6, labels={}
    ),
    "PaymentsJobsDoNotEnd": counter(
        'payments_jobs_total{outcome="request_refused"}', 10
    ),
    "PaymentsSealFails": gauge("payments_seal_age_seconds", 60, 601),
    "PaymentsEventsUntold": gauge("payments_events_untold_seconds", 1, 61),
    "PaymentsRelayBehind": gauge("payments_events_behind_seconds", 1, 301),
    "PaymentsPlotsBehind": gauge("payments_rollup_age_seconds", 30, 901),
    "PaymentsEndpointDisabled": Case(
        {"payments_endpoints_disabled": [0, 1]}, True, 1, 60
    ),
    "PaymentsDeliveriesLate": gauge("payments_deliveries_due_seconds", 9, 3601),
    "PaymentsPayoutsNotMade": gauge(
        "payments_payout_run_overdue_seconds", 0, 3601
    ),
    "PaymentsPayoutsNotApproved": gauge(
        "payments_payout_approval_wait_seconds", 60, 86401
    ),
    "PaymentsPayoutsNotSent": gauge(
        'payments_payouts_oldest_seconds{state="approved"}', 5, 3601
    ),
    "PaymentsSanctionsListOld": gauge(
        "payments_screening_list_age_seconds", 3600, 129601
    ),
    "PaymentsScreeningUnasked": gauge(
        "payments_screening_unasked_seconds", 0, 601
    ),
    "PaymentsScreeningWaits": gauge(
        "payments_screening_waiting_oldest_seconds", 0, 3601
    ),
    "PaymentsPspFails": Case(
        {
            'payments_psp_calls_total{psp="p",result="ok"}': [30, 30],
            'payments_psp_calls_total{psp="p",result="timeout"}': [0, 5],
        },
        True, 5, 6,
    ),  # fmt: skip
    "PaymentsPspCircuitOpen": gauge(
        'payments_psp_circuit{psp="p",state="open"}'
    ),
    "PaymentsPspCertificate": counter(
        'payments_psp_calls_total{psp="p",result="tls"}', 5
    ),
    "PaymentsPspCertificateEnds": gauge(
        'payments_psp_certificate_end_timestamp_seconds{psp="p"}',
        90000000, 1200000,
    ),
    "PaymentsWebhooksMissed": counter(
        'payments_backfill_missed_total{psp="p"}', 60
    ),
    "PaymentsWebhooksSilent": Case(
        {
            'payments_webhook_last_timestamp_seconds{psp="p"}':
                ["0+60", "3600+0", "90000+60"],
            'payments_psp_calls_total{psp="p",operation="register",'
            'result="ok"}': ["0+1", "60+1", "0+1"],
        },
        after=61, labels={"job": "payments", "psp": "p"},
    ),  # fmt: skip
    "PaymentsWebhooksRefused": counter(
        'payments_webhook_events_total{outcome="signature"}', 10
    ),
    "PaymentsRatesOld": gauge('payments_rate_age_seconds{source="s"}', 30, 181),
    "PaymentsReviewsOverdue": gauge("payments_risk_reviews_overdue"),
    "PaymentsRiskProviderAway": gauge(
        'payments_risk_provider_circuit{provider="p",state="open"}'
    ),
    "PaymentsCardTesting": gauge("payments_risk_modes"),
    "PaymentsRiskMemoryFull": counter("payments_risk_evicted_total", 60),
    "PaymentsCardDataSent": counter("payments_card_data_refused_total", 60),
    "PaymentsGatewayDown": gauge("up", 1, 0),
    "PaymentsNotScraped": gauge(
        "up", 1, None, after=6, labels={"job": "payments"}
    ),
    "PaymentsDatabaseGone": gauge("payments_db_connections", 2, 0),
    "PaymentsReplicaUnused": gauge("payments_replica_lag_seconds", 1, 61),
    "PaymentsBug": counter(
        'payments_requests_total{flow="api",code="500"}', 5
    ),
    "PaymentsOverload": counter("payments_db_rejected_total", 5),
    "PaymentsChangesRefused": counter(
        'payments_bulkhead_refused_total{class="change",reason="queue"}', 5
    ),
    "PaymentsStageTimeouts": counter(
        'payments_stage_timeouts_total{stage="psp"}', 5
    ),
    "PaymentsBuyersWait": Case(
        {
            'payments_requests_total{flow="api",code="201"}': [60, 60],
            'payments_requests_total{flow="api",code="202"}': [0, 30],
        },
        True, 4, 11,
    ),  # fmt: skip
    "PaymentsDiskNearlyFull": Case(
        {
            'node_filesystem_avail_bytes{mountpoint="/var"}': [50, 9],
            'node_filesystem_size_bytes{mountpoint="/var"}': [100, 100],
            'node_filesystem_readonly{mountpoint="/var"}': [0, 0],
        }
    ),
    "PaymentsReplicaBehind": gauge(
        'pg_stat_replication_pg_wal_lsn_diff{application_name="r"}',
        1024, 67108865,
    ),
    "PaymentsCertificateEnds": gauge(
        "probe_ssl_earliest_cert_expiry", 90000000, 1000000
    ),
    "PaymentsErrorBudgetFast": budget(60, 5, 6),
    "PaymentsErrorBudgetSlow": budget(6, 30, 31),
    "PaymentsErrorBudgetTrickle": budget(0.3, 29, 361),
}


def minutes(text: str | None) -> int:
    return int(text[:-1]) * MINUTES[text[-1]] if text else 0


def points(values: list, times: list[int], is_counter: bool) -> str:
    """promtool's notation: so many minutes good, bad and good again."""
    good, bad, again = (*values, values[0])[:3]
    if not is_counter:
        words = [good, bad, again]
        return " ".join(
            f"{'_' if word is None else word}x{n - 1}"
            for word, n in zip(words, times, strict=True)
        )
    at, words = 0, []
    for step, n in zip((good, bad, again), times, strict=True):
        words.append(f"{at}+{step}x{n - 1}")
        at += step * n
    return " ".join(words)


def labels_of(case: Case, rule: dict) -> dict:
    """Those that the expression leaves of its series."""
    if case.labels is not None:
        found = case.labels
    else:
        series = list(case.series)[-1]
        known = dict(re.findall(r'(\w+)="([^"]*)"', series))
        known |= {"job": "payments", "instance": "a"}
        kept = re.search(r"by \(([\w, ]+)\)", rule["expr"])
        names = kept[1].split(", ") if kept else known
        if "job_psp:" in rule["expr"]:
            names = ["job", "psp"]
        elif "job:" in rule["expr"]:
            names = ["job"]
        elif "max without (instance)" in rule["expr"]:
            names = set(known) - {"instance"}
        found = {name: known[name] for name in names if name in known}
    return found | rule["labels"]


def annotations_of(rule: dict, labels: dict) -> dict:
    return {
        name: re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda m: labels[m[1]], text)
        for name, text in rule["annotations"].items()
    }


def series_of(name: str, values: list, times: list[int], case: Case) -> dict:
    inner = re.search(r"\{(.*)\}", name)
    inner = (inner[1] + "," if inner else "") + 'job="payments",instance="a"'
    return {
        "series": f"{name.split('{')[0]}{{{inner}}}",
        "values": points(values, times, case.is_counter),
    }


def story_of(name: str) -> dict:
    case, rule = CASES[name], ALERTS[name]
    for_m = minutes(rule.get("for"))
    bad = BAD + for_m + case.after
    end = QUIET + bad
    times = [QUIET, bad, case.until + 30]
    labels = labels_of(case, rule)
    stands = {
        "exp_labels": labels,
        "exp_annotations": annotations_of(rule, labels),
    }
    looks = {
        QUIET - 1: [],
        QUIET + for_m + case.after + 1: [stands],
        end + case.until + 2: [],
    }
    if for_m > 1:
        looks[QUIET + for_m - 1] = []  # not before its time
    return {
        "name": name,
        "interval": "1m",
        "input_series": [
            series_of(series, values, times, case)
            for series, values in case.series.items()
        ],
        "alert_rule_test": [
            {"eval_time": f"{at}m", "alertname": name, "exp_alerts": expected}
            for at, expected in sorted(looks.items())
        ],
    }


def promtool(place: Path, rules: dict) -> str:
    """Its complaints about all cases; empty: none.  Each case has a file with
    its rule alone: promtool evaluates all rules of a file each minute."""
    (place / "rules.yml").write_text((HERE / "rules.yml").read_text())
    for name, rule in rules.items():
        groups = {"groups": [{"name": "one", "rules": [rule]}]}
        (place / f"{name}.rule.yml").write_text(yaml.safe_dump(groups))
        story = {
            "rule_files": ["rules.yml"] * bool(RECORDED.search(rule["expr"]))
            + [f"{name}.rule.yml"],
            "evaluation_interval": "1m",
            "tests": [story_of(name)],
        }
        (place / f"{name}.yml").write_text(yaml.safe_dump(story))
    done = subprocess.run(
        ["promtool", "test", "rules", *(f"{name}.yml" for name in rules)],
        cwd=place, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return "" if done.returncode == 0 else done.stdout


def test_each_alert_has_a_case():
    assert set(CASES) == set(ALERTS) - {"PaymentsWatchdog"}


def test_each_alert_fires_in_time_and_ends(tmp_path):
    assert promtool(tmp_path, {name: ALERTS[name] for name in CASES}) == ""


def test_an_alert_without_its_rule_is_noticed(tmp_path):
    """The same cases, with rules of which none can hold."""
    broken = {name: ALERTS[name] | {"expr": "vector(0) > 1"} for name in CASES}
    said = promtool(tmp_path, broken)
    silent = set(re.findall(r"alertname: ?(\w+)", said))
    assert silent == set(CASES)


@pytest.mark.parametrize(
    "arguments",
    [
        ["promtool", "check", "rules", "rules.yml", "alerts.yml"],
        ["promtool", "check", "config", "--syntax-only", "prometheus.yml"],
        ["amtool", "check-config", "alertmanager.yml"],
    ],
    ids=lambda each: each[-1],
)
def test_files_are_good(arguments):
    subprocess.run(arguments, cwd=HERE, check=True, stdout=subprocess.PIPE)


@pytest.mark.parametrize("name", sorted(ALERTS))
def test_routes_lead_to_whoever_acts(name):
    severity = ALERTS[name]["labels"]["severity"]
    receiver = {"page": "pager", "ticket": "tickets", "none": "dead-man"}
    said = subprocess.run(
        ["amtool", "config", "routes", "test", "--config.file",
         HERE / "alertmanager.yml", f"alertname={name}",
         f"severity={severity}"],
        check=True, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ).stdout  # fmt: skip
    assert said.strip() == receiver[severity]


def test_inhibitions_name_alerts_and_never_hide_money():
    text = (HERE / "alertmanager.yml").read_text()
    named = set(re.findall(r"Payments[A-Z]\w+", text))
    assert named <= set(ALERTS)
    hidden = set()
    for rule in yaml.safe_load(text)["inhibit_rules"]:
        for matcher in rule["target_matchers"]:
            label, _, value = (part.strip() for part in
                               re.split(r"(=~|=)", matcher, maxsplit=1))
            value = re.compile(value.strip('"'))
            hidden |= {
                name for name, alert in ALERTS.items()
                if value.fullmatch(name if label == "alertname"
                                   else alert["labels"].get(label, ""))
            }  # fmt: skip
    assert hidden and not [
        name for name in hidden
        if ALERTS[name]["labels"]["area"] in ("money", "settlement", "payouts")
    ]  # fmt: skip


def anchors(path: Path) -> set[str]:
    heads = re.findall(r"^#+ (.*)$", path.read_text(), re.M)
    return {
        re.sub(r"[^a-z0-9 _-]", "", head.lower()).replace(" ", "-")
        for head in heads
    }


@pytest.mark.parametrize("name", sorted(ALERTS))
def test_each_alert_says_its_cost_and_the_remedy(name):
    said = ALERTS[name]["annotations"]
    assert said["summary"] and said["cost"].endswith(".")
    path, _, anchor = said["runbook"].partition("#")
    assert (ROOT / path).is_file()
    assert not anchor or anchor in anchors(ROOT / path)


def test_the_table_of_alarms_has_each_alert():
    text = (ROOT / "docs/operations.md").read_text()
    table = text.split("\n## Alarms")[1].split("\n## ")[0]
    assert set(re.findall(r"`(Payments\w+)`", table)) == set(ALERTS)
