"""Settlement reports that a webhook announces (payments_settlement pull= of
Adyen): they are downloaded from the configured place alone, by the report user,
and read like any other file."""

import contextlib
import socket
import threading

import pytest
from support.own_stack import HASTY_PSP, wait_for

AUDIENCE = "payments_audience "
PLACE = "/adyen/reports/download/MerchantAccount/NgxPaymentsECOM"
SOURCE = "adyen-reports"


def line(stack, user="adyen.report"):
    return (
        f"payments_settlement {SOURCE} format=adyen merchant=acme psp=adyen "
        f"pull=1s reports={stack.gateway.mock_url}{PLACE} "
        f"report_user={stack.values['RUN_DIR']}/secrets/{user};\n    "
    )


@pytest.fixture(scope="module")
def reading(own_stack):
    own_stack.configure((AUDIENCE, line(own_stack) + AUDIENCE), HASTY_PSP)
    yield own_stack
    own_stack.configure()


class Listener:
    """Counts connections that must never come."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.visits = 0
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self):
        with contextlib.suppress(OSError):
            while True:
                visitor, _ = self.socket.accept()
                self.visits += 1
                visitor.close()


@pytest.fixture
def listener():
    made = Listener()
    yield made
    made.socket.close()


def sold(stack, count):
    for _ in range(count):
        made = stack.created("adyen", currency="EUR")
        stack.mock.pay(made.registration["token"])
        wait_for(
            lambda order=made.order_id: stack.sql(
                "SELECT 1 FROM pay.journal_entry WHERE kind = 'sale' "
                "AND payment_order_id = %s",
                order,
            ),
            "the sale",
        )


def settles(stack):
    """The PSP closes its day and announces its report."""
    (report,) = stack.mock.call("settle", dialect="adyen")["files"]
    return report


def announce(stack, name, url):
    item = {"pspReference": name, "reason": url}
    answer = stack.mock.webhook(
        dialect="adyen", type="REPORT_AVAILABLE", data=item
    )
    assert answer["status"] == 200, answer


def files(stack, name):
    return stack.sql(
        "SELECT state, row_count, matched, class2, class3, "
        "encode(sha256, 'hex') FROM pay.settlement_file "
        "WHERE source = %s AND name = %s",
        SOURCE,
        name,
    )


def booked(stack, name):
    def found():
        rows = files(stack, name)
        return rows if rows and rows[0][0] in ("booked", "refused") else None

    (file,) = wait_for(found, "the report")
    assert file[0] == "booked", file
    return file


def stands(stack, name):
    rows = stack.sql(
        "SELECT state, tries, code FROM pay.settlement_report "
        "WHERE psp = 'adyen' AND name = %s",
        name,
    )
    return rows[0] if rows else ("none", 0, None)


def hurry(stack, name):
    """The next try at once instead of after its pause."""
    stack.sql(
        "UPDATE pay.settlement_report SET run_at = now() WHERE name = %s", name
    )


def downloads(stack):
    books = stack.mock.books()["requests"]
    return sum(
        each["dialect"] == "adyen" and each["operation"] == "settlement"
        for each in books
    )


def test_an_announced_report_is_downloaded_and_booked(reading):
    stack = reading
    # what other tests have sold, or nothing, is in a report of its own
    sold(stack, 1)
    booked(stack, settles(stack)["name"])
    sold(stack, 3)
    report = settles(stack)
    file = booked(stack, report["name"])
    assert file[1:5] == (4, file[2], 0, 0), file
    matched = stack.value(
        "SELECT count(*) FROM pay.settlement_row r JOIN pay.settlement_link l "
        "USING (row_id) JOIN pay.settlement_file f USING (file_id) "
        "WHERE f.name = %s AND r.kind = 'sale'",
        report["name"],
    )
    assert matched == 3
    wait_for(
        lambda: stands(stack, report["name"]) == ("read", 0, None),
        "the end of the report",
    )


def test_the_digest_is_that_of_the_bytes(reading, tmp_path):
    """Imported by hand, the report is the same file."""
    stack = reading
    sold(stack, 1)
    report = settles(stack)
    file = booked(stack, report["name"])
    here = stack.value(
        "SELECT encode(sha256(convert_to(%s, 'UTF8')), 'hex')", report["text"]
    )
    assert file[5] == here


def test_one_that_is_announced_twice_is_read_once(reading):
    stack = reading
    sold(stack, 1)
    report = settles(stack)
    booked(stack, report["name"])
    before = downloads(stack)
    url = f"{stack.gateway.mock_url}{PLACE}/{report['name']}"
    announce(stack, report["name"], url)
    runs = "SELECT runs FROM pay.settlement_look WHERE source = %s"
    first = stack.value(runs, SOURCE)
    wait_for(lambda: stack.value(runs, SOURCE) >= first + 3, "three more looks")
    assert downloads(stack) == before
    assert len(files(stack, report["name"])) == 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "status", "status": 503}, "http-error"),
        ({"kind": "reset_at_byte", "at": 40, "body": True}, "broken"),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_one_that_cannot_be_had_is_tried_again(reading, fault, code):
    stack = reading
    sold(stack, 1)
    stack.mock.faults({"dialect": "adyen", "operation": "settlement"} | fault)
    name = settles(stack)["name"]
    tried = wait_for(
        lambda: stands(stack, name) if stands(stack, name)[1] else None,
        "the first try",
    )
    assert tried == ("waiting", 1, code)
    assert files(stack, name) == []
    hurry(stack, name)
    booked(stack, name)
    assert wait_for(
        lambda: (
            stands(stack, name) if stands(stack, name)[0] == "read" else None
        ),
        "the end",
    )


def test_a_page_in_place_of_the_report_is_refused(reading):
    """Nothing of it is booked, and the report is read when it is there."""
    stack = reading
    sold(stack, 1)
    stack.mock.faults(
        {"dialect": "adyen", "operation": "settlement", "kind": "html"}
    )
    name = settles(stack)["name"]
    wait_for(lambda: stands(stack, name)[:2] == ("waiting", 1), "the page")
    assert [file[:2] for file in files(stack, name)] == [("refused", 0)]
    hurry(stack, name)
    wait_for(lambda: stands(stack, name)[0] == "read", "the report")
    states = sorted(file[0] for file in files(stack, name))
    assert states == ["booked", "refused"]


def test_a_redirect_is_not_followed(reading, listener):
    stack = reading
    sold(stack, 1)
    stack.mock.faults(
        {
            "dialect": "adyen",
            "operation": "settlement",
            "kind": "redirect",
            "location": f"http://127.0.0.1:{listener.port}/report.csv",
        }
    )
    name = settles(stack)["name"]
    wait_for(
        lambda: stands(stack, name) == ("waiting", 1, "redirect"), "the try"
    )
    hurry(stack, name)
    booked(stack, name)
    assert listener.visits == 0


def test_one_that_stands_elsewhere_is_refused(reading, listener):
    """The host of the announcement is a stranger's word."""
    stack = reading
    here = stack.gateway.mock_url
    port = here.rsplit(":", 1)[1]
    urls = {
        "port": f"http://127.0.0.1:{listener.port}{PLACE}",
        "scheme": f"https://127.0.0.1:{port}{PLACE}",
        "user": f"http://a:b@127.0.0.1:{port}{PLACE}",
        "host": f"http://127.0.0.1:{port}@127.0.0.1:{listener.port}{PLACE}",
        "name": f"http://localhost:{port}{PLACE}",
        "path": f"{here}/_control/books?x=",
        "file": "file:///etc/passwd",
    }
    before = downloads(stack)
    for about, url in urls.items():
        name = f"settlement_detail_report_batch_{about}.csv"
        announce(stack, name, f"{url}/{name}")
        wait_for(
            lambda name=name: (
                stands(stack, name) == ("refused", 1, "foreign-url")
            ),
            f"another {about}",
        )
        assert files(stack, name) == []
    assert listener.visits == 0
    assert downloads(stack) == before
    log = stack.gateway.error_log.read_text(errors="replace")
    assert "why:foreign-url" in log
    assert f":{listener.port}" not in log, "a stranger's text"


def test_other_reports_are_left_alone(reading):
    stack = reading
    name = "payments_accounting_report_2026_11_22.csv"
    announce(stack, name, f"{stack.gateway.mock_url}{PLACE}/{name}")
    assert stands(stack, name)[0] == "none"


def test_a_wrong_password_is_told_and_mended(reading):
    stack = reading
    secret = stack.gateway.run / "secrets" / "adyen.guessed"
    secret.write_text("report@Company.NgxPayments:CANARY-guessed\n")
    secret.chmod(0o600)
    try:
        stack.configure((AUDIENCE, line(stack, secret.name) + AUDIENCE))
        sold(stack, 1)
        name = settles(stack)["name"]
        wait_for(
            lambda: stands(stack, name) == ("waiting", 1, "auth"), "the try"
        )
    finally:
        stack.configure((AUDIENCE, line(stack) + AUDIENCE), HASTY_PSP)
        secret.unlink()
    hurry(stack, name)
    booked(stack, name)
    log = stack.gateway.error_log.read_text(errors="replace")
    assert "a settlement report was not downloaded" in log
    assert "CANARY-guessed" not in log
