#!/usr/bin/python3
"""Grafana's boards out of one table: BOARDS below.  Writes boards/*.json, or with
--check says which of them are not what the table makes.

A panel is (title, unit, [(legend, query), …]).  $job and $__rate_interval are
Grafana's; a link leads from each board to the console.  The queries are asked of
a real Prometheus by tests/integration/test_monitoring_live.py.
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent / "boards"
RATE = "[$__rate_interval]"
J = 'job="$job"'
FLOWS = 'flow=~"api|checkout|return|webhook"'


def rate(metric: str, labels: str = "", by: str = "") -> str:
    inner = f"{J},{labels}" if labels else J
    return f"sum by ({by}) (rate({metric}{{{inner}}}{RATE}))"


def newest(metric: str, labels: str = "") -> str:
    """A gauge that covers all hosts."""
    inner = f"{J},{labels}" if labels else J
    return f"max without (instance) ({metric}{{{inner}}})"


def once(metric: str, by: str, labels: str = "") -> str:
    """A counter of all hosts, which each of them shows."""
    inner = f"{J},{labels}" if labels else J
    return (
        f"sum by ({by}) (max without (instance) "
        f"(rate({metric}{{{inner}}}{RATE})))"
    )


def quantile(q: float, metric: str, by: str, labels: str = "") -> str:
    inner = f"{J},{labels}" if labels else J
    return (
        f"histogram_quantile({q}, sum by ({by}, le) "
        f"(rate({metric}_bucket{{{inner}}}{RATE})))"
    )


BOARDS = {
    "overview": ("Payments: overview", [
        ("Requests", "reqps", [
            ("{{flow}} {{code}}",
             rate("payments_requests_total", FLOWS, "flow, code"))]),
        ("Not served (the objective is 99.9 % served)", "percentunit", [
            ("5 minutes", f"job:payments_requests:error_ratio5m{{{J}}}"),
            ("1 hour", f"job:payments_requests:error_ratio1h{{{J}}}")]),
        ("Requests of storefronts: time", "s", [
            (f"p{q * 100:g}",
             quantile(q, "payments_request_duration_seconds", "flow",
                      'flow="api"'))
            for q in (0.5, 0.95, 0.99)]),
        ("Stages: p99", "s", [
            ("{{stage}}", quantile(0.99, "payments_stage_seconds", "stage"))]),
        ("Webhooks by outcome", "reqps", [
            ("{{outcome}}",
             rate("payments_webhook_events_total", "", "outcome"))]),
        ("Orders by status", "reqps", [
            ("{{status}}", once("payments_orders_total", "status"))]),
        ("Decisions of risk", "reqps", [
            ("{{decision}}",
             rate("payments_risk_decisions_total", "", "decision"))]),
        ("Refused by limits and bulkheads", "reqps", [
            ("limit by {{by}}", rate("payments_rate_limited_total", "", "by")),
            ("{{class}}: {{reason}}",
             rate("payments_bulkhead_refused_total", "", "class, reason"))]),
        ("Hosts", "none", [
            ("{{instance}}", f"up{{{J}}}")]),
    ]),
    "psps": ("Payments: PSPs", [
        ("Calls", "reqps", [
            ("{{psp}}", rate("payments_psp_calls_total", "", "psp"))]),
        ("Calls by result", "reqps", [
            ("{{psp}} {{result}}",
             rate("payments_psp_calls_total", "", "psp, result"))]),
        ("Time of calls", "s", [
            (f"{{{{psp}}}} p{q * 100:g}",
             quantile(q, "payments_psp_call_duration_seconds", "psp"))
            for q in (0.5, 0.99)]),
        ("Good calls in the window of the breaker", "percentunit", [
            ("{{psp}}", newest("payments_psp_success_ratio"))]),
        ("Under way", "none", [
            ("{{psp}}", f"sum by (psp) (payments_psp_in_flight{{{J}}})"),
            ("{{psp}}: limit",
             f"sum by (psp) (payments_psp_concurrency_limit{{{J}}}) > 0 or "
             f"0 * sum by (psp) (payments_psp_in_flight{{{J}}})")]),
        ("Orders that have succeeded", "reqps", [
            ("{{psp}} {{method}} {{currency}}",
             once("payments_orders_total", "psp, method, currency",
                  'status="SUCCESS"'))]),
        ("Declined attempts by code", "reqps", [
            ("{{psp}} {{code}}",
             once("payments_declines_total", "psp, code"))]),
        ("Since the last webhook", "s", [
            ("{{psp}}",
             "time() - max by (psp) "
             f"(payments_webhook_last_timestamp_seconds{{{J}}})")]),
        ("Webhooks by outcome", "reqps", [
            ("{{psp}} {{outcome}}",
             rate("payments_webhook_events_total", "", "psp, outcome"))]),
        ("Circuits that are open", "none", [
            ("{{psp}}", newest("payments_psp_circuit", 'state="open"'))]),
        ("Calls that were not made", "reqps", [
            ("{{psp}}: {{why}}",
             rate("payments_psp_refused_total", "", "psp, why"))]),
        ("Until the certificate of the PSP ends", "s", [
            ("{{psp}}",
             "max by (psp) "
             f"(payments_psp_certificate_end_timestamp_seconds{{{J}}}) "
             "- time()")]),
    ]),
    "money": ("Payments: money", [
        ("Contradictions of the books", "none", [
            ("differences", newest("payments_books_differences"))]),
        ("Dead letters", "none", [
            ("{{kind}}", newest("payments_dead_letters"))]),
        ("Calls with an unknown outcome", "none", [
            ("calls", newest("payments_dispatch_unknown"))]),
        ("Webhooks without a checkout", "none", [
            ("parked", newest("payments_webhooks_parked"))]),
        ("Changes by their status", "reqps", [
            ("{{kind}} {{status}}",
             rate("payments_changes_total", "", "kind, status"))]),
        ("Exceptions of the reconciliation", "none", [
            ("class {{class}}", newest("payments_settlement_unexplained")),
            ("overdue", newest("payments_settlement_overdue"))]),
        ("Oldest exception", "s", [
            ("class {{class}}",
             newest("payments_settlement_unexplained_oldest_seconds"))]),
        ("Pay-outs by state", "none", [
            ("{{state}}", newest("payments_payouts"))]),
        ("Oldest pay-out in its state", "s", [
            ("{{state}}", newest("payments_payouts_oldest_seconds"))]),
        ("Reviews of risk", "none", [
            ("{{state}}", newest("payments_risk_reviews"))]),
    ]),
    "workers": ("Payments: workers and PostgreSQL", [
        ("Calls to PostgreSQL", "reqps", [
            ("{{op}}", rate("payments_db_calls_total", "", "op"))]),
        ("Items in a call", "none", [
            ("{{op}}",
             rate("payments_db_items_total", "", "op")
             + " / " + rate("payments_db_calls_total", "", "op"))]),
        ("Time of a call: p99", "s", [
            ("{{op}}",
             quantile(0.99, "payments_db_call_duration_seconds", "op"))]),
        ("Connections", "none", [
            ("{{instance}}", f"payments_db_connections{{{J}}}")]),
        ("Refused, as the queue was full", "reqps", [
            ("all", rate("payments_db_rejected_total", "", "job"))]),
        ("Under way", "none", [
            ("{{class}}",
             f"sum by (class) (payments_bulkhead_in_flight{{{J}}})")]),
        ("Oldest background job", "s", [
            ("overdue", newest("payments_jobs_overdue_seconds"))]),
        ("Jobs by outcome", "reqps", [
            ("{{outcome}}", rate("payments_jobs_total", "", "outcome"))]),
        ("Age of the newest seal", "s", [
            ("seal", newest("payments_seal_age_seconds"))]),
        ("Oldest event that is not published", "s", [
            ("untold", newest("payments_events_untold_seconds"))]),
        ("Deliveries to storefronts", "reqps", [
            ("{{outcome}}",
             rate("payments_webhook_deliveries_total", "", "outcome"))]),
        ("Oldest delivery that is due", "s", [
            ("due", newest("payments_deliveries_due_seconds"))]),
    ]),
}  # fmt: skip


def panel(n: int, title: str, unit: str, queries: list) -> dict:
    source = {"type": "prometheus", "uid": "${datasource}"}
    return {
        "id": n + 1,
        "type": "timeseries",
        "title": title,
        "datasource": source,
        "gridPos": {"h": 8, "w": 12, "x": n % 2 * 12, "y": n // 2 * 8},
        "fieldConfig": {
            "defaults": {"unit": unit, "min": 0, "custom": {"lineWidth": 2}},
            "overrides": [],
        },
        "options": {
            "legend": {"displayMode": "table", "placement": "bottom",
                       "calcs": ["lastNotNull", "max"]},
            "tooltip": {"mode": "multi"},
        },
        "targets": [
            {"refId": chr(ord("A") + k), "datasource": source,
             "expr": query, "legendFormat": legend}
            for k, (legend, query) in enumerate(queries)
        ],
    }  # fmt: skip


def variables() -> list[dict]:
    return [
        {"name": "datasource", "label": "Prometheus", "type": "datasource",
         "query": "prometheus"},
        {"name": "job", "label": "Job", "type": "query",
         "datasource": {"type": "prometheus", "uid": "${datasource}"},
         "query": "label_values(payments_build_info, job)",
         "refresh": 2, "current": {"text": "payments", "value": "payments"}},
        {"name": "console", "label": "Console", "type": "textbox",
         "query": "https://payments-console.example.com"},
    ]  # fmt: skip


def board(name: str) -> dict:
    title, panels = BOARDS[name]
    return {
        "uid": f"ngx-payments-{name}",
        "title": title,
        "tags": ["payments"],
        "schemaVersion": 39,
        "timezone": "utc",
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": variables()},
        "annotations": {"list": [{
            "name": "Versions", "enable": True, "iconColor": "blue",
            "datasource": {"type": "prometheus", "uid": "${datasource}"},
            "expr": f"changes(payments_build_info{{{J}}}[5m]) > 0"
            f" or payments_build_info{{{J}}} unless"
            f" payments_build_info{{{J}}} offset 5m",
            "titleFormat": "{{version}} at {{instance}}",
        }]},
        "links": [{"title": "Console", "type": "link", "url": "${console}",
                   "targetBlank": True}],
        "panels": [panel(n, *each) for n, each in enumerate(panels)],
    }  # fmt: skip


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    old = []
    for name in BOARDS:
        path, text = HERE / f"{name}.json", json.dumps(board(name), indent=1)
        if sys.argv[1:]:
            fresh = path.is_file() and path.read_text() == text + "\n"
            old += [] if fresh else [path.name]
        else:
            HERE.mkdir(exist_ok=True)
            path.write_text(text + "\n")
    if old:
        sys.exit(f"not what boards.py makes: {', '.join(old)}; run it")


if __name__ == "__main__":
    main()
