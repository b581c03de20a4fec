"""Many merchants and 200 PSPs behind one gateway: a merchant in the middle pays
through the last of the PSPs, and its webhook, its metrics and its row in the
console are found among all of them."""

import re

import psycopg2.extensions
import pytest
from support import many, scratch
from support.cells import databases
from support.console import Staff
from support.nginxconf import MINIMAL, Nginx, swap
from support.own_stack import Checkout, OwnStack, new_id, wait_for
from support.tokens import Minter

MERCHANTS = 2000
PSPS = 200
LIMIT = 256
IN_MINIMAL = 2  # PSPs
# PSPs and merchants are of them in turn: those of odd numbers of the default
CELLS = ["b", "default"]
LAST = many.psp(PSPS - 1)
MIDDLE = 999
PLACE = "    payments_audience "
assert LAST in many.psps_of(MIDDLE, PSPS, CELLS)
SERIES = re.compile(r'psp="([^"]+)"')


class Discovery:
    def __init__(self, stack: OwnStack, dsn: str):
        """dsn: of the database of cell b"""
        self.stack = stack
        keys = stack.gateway.run / "many"
        many.write_keys(keys, MERCHANTS)
        name = psycopg2.extensions.parse_dsn(dsn)["dbname"]
        stack.configure(
            (
                PLACE,
                databases("b", stack.pristine, dbname=name)
                + many.psps(
                    PSPS, CELLS, stack.mock.url, str(stack.gateway.secrets)
                )
                + many.merchants(MERCHANTS, PSPS, CELLS, str(keys))
                + PLACE,
            )
        )

    def headers(self, n: int, signed_by: int | None = None) -> dict:
        """Of the n-th merchant."""
        key = many.private_key(n if signed_by is None else signed_by)
        mint = Minter(many.merchant(n), key, many.KID)
        return {
            "Authorization": f"Bearer {mint()}",
            "Content-Type": "application/json",
            "Idempotency-Key": new_id(),
        }

    def paid(self, n: int, psp: str) -> Checkout:
        """By the n-th merchant, which is of the default cell, through this PSP,
        up to its webhook."""
        stack = self.stack
        stack.mock.settings(
            webhook_urls={"generic": f"{stack.url}/webhooks/{psp}"}
        )
        body = stack.order(
            psp, return_url=f"https://{many.merchant(n)}.example.com/back"
        )
        answer = stack.http.post(
            "/v1/payments", json=body, headers=self.headers(n)
        )
        assert answer.status_code == 201, answer.text
        made = Checkout(stack, body, answer)
        stack.mock.pay(made.token)
        wait_for(
            lambda: self.status(n, made.order_id) == "SUCCESS",
            f"the webhook of {psp}",
        )
        return made

    def status(self, n: int, order_id: str) -> str:
        answer = self.stack.http.get(
            f"/v1/payments/{order_id}", headers=self.headers(n)
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["status"]

    def metrics(self) -> list[str]:
        return self.stack.http.get("/metrics").text.splitlines()


@pytest.fixture(scope="module")
def running():
    stack = OwnStack()
    server = stack.values["PG_ADMIN_DSN"]
    try:
        with scratch.database(server, "cell_b") as dsn:
            yield Discovery(stack, dsn)
            stack.configure()  # nobody is connected to cell b any more
        stack.check_invariants()
    finally:
        stack.close()


def test_a_merchant_in_the_middle_pays_through_the_last_psp(running):
    made = running.paid(MIDDLE, LAST)
    rows = running.stack.sql(
        "SELECT merchant_id, r.psp FROM pay.checkout c JOIN pay.registration r "
        "USING (merchant_id, checkout_id) WHERE checkout_id = %s",
        made.id,
    )
    assert rows == [(many.merchant(MIDDLE), LAST)]


@pytest.mark.parametrize("n", [0, 1, MERCHANTS - 2, MERCHANTS - 1])
def test_a_merchant_at_an_end_of_the_list_is_found(running, n):
    answer = running.stack.http.get(
        f"/v1/payments/{new_id()}", headers=running.headers(n)
    )
    assert answer.status_code == 404, answer.text


def test_a_key_of_another_merchant_is_none_of_this_one(running):
    answer = running.stack.http.get(
        f"/v1/payments/{new_id()}",
        headers=running.headers(MIDDLE, signed_by=MIDDLE + 1),
    )
    assert answer.status_code == 401


def test_a_webhook_for_a_psp_behind_the_last_is_refused(running):
    answer = running.stack.http.post(f"/webhooks/{many.psp(PSPS)}", json={})
    assert answer.status_code == 404


def test_metrics_know_each_psp(running):
    running.paid(MIDDLE, LAST)
    lines = running.metrics()
    everyone = {many.psp(n) for n in range(PSPS)}
    for name in (
        "payments_psp_circuit",
        "payments_psp_refused_total",
        "payments_webhook_events_total",
    ):
        known = [
            SERIES.search(line)[1]
            for line in lines
            if line.startswith(f"{name}{{")
        ]
        assert everyone <= set(known), name
    calls = [
        line
        for line in lines
        if line.startswith("payments_psp_calls_total{")
        and f'psp="{LAST}"' in line
        and 'operation="register"' in line
    ]
    assert len(calls) == 1
    assert 'result="ok"' in calls[0]


def test_a_series_stands_once(running):
    running.paid(MIDDLE, LAST)
    series = [
        line.rpartition(" ")[0]
        for line in running.metrics()
        if line and not line.startswith("#")
    ]
    assert len(series) == len(set(series))


def test_the_console_shows_the_last_psp(running):
    running.paid(MIDDLE, LAST)
    staff = Staff(running.stack.gateway, running.stack.tls)
    node = staff.read("psps", "operations")["node"]
    (found,) = [each for each in node if each["psp"] == LAST]
    assert found["circuit"] == "closed"
    assert found["calls"] > 0


def test_the_console_shows_settings_of_many_merchants(running):
    staff = Staff(running.stack.gateway, running.stack.tls)
    shown = staff.read("settings", "operations")["settings"]
    assert shown["merchant_count"] == MERCHANTS + 2  # of the stack
    assert shown["merchants"]
    assert LAST in {each["name"] for each in shown["psps"]}


def with_psps(gateway, directory, count: int) -> tuple[int, str]:
    """nginx -t of a configuration with so many PSPs."""
    directory.mkdir()
    more = many.psps(count - IN_MINIMAL, ["default"], "@MOCK@", "secrets")
    text = swap(MINIMAL, (PLACE, more + PLACE))
    return Nginx(gateway, directory, text).test()


def test_there_is_room_for_so_many_psps_and_no_more(running, tmp_path):
    gateway = running.stack.gateway
    code, said = with_psps(gateway, tmp_path / "room", LIMIT)
    assert code == 0, said
    code, said = with_psps(gateway, tmp_path / "full", LIMIT + 1)
    assert code == 1
    assert '"payments_psp" directive stands more than 256 times' in said
    assert "run a second gateway" in said


def test_two_merchants_with_one_key_are_refused_at_the_second(
    running, tmp_path
):
    """Wherever they stand among many."""
    keys = tmp_path / "many"
    many.write_keys(keys, 50)
    (keys / f"{many.merchant(40)}.pub").write_bytes(
        (keys / f"{many.merchant(7)}.pub").read_bytes()
    )
    more = many.psps(4, ["default"], "@MOCK@", "secrets")
    more += many.merchants(50, 4, ["default"], str(keys))
    directory = tmp_path / "twins"
    directory.mkdir()
    nginx = Nginx(
        running.stack.gateway, directory, swap(MINIMAL, (PLACE, more + PLACE))
    )
    code, said = nginx.test()
    assert code == 1
    assert (
        f'payments_merchant "{many.merchant(7)}" and "{many.merchant(40)}" '
        "have the same jwt_key" in said
    )
    lines = nginx.text.splitlines()
    line = int(re.search(r"nginx\.conf:(\d+)", said)[1])
    assert f"{many.merchant(40)}.pub" in lines[line - 1]


def test_a_merchant_that_stands_twice_is_refused(running, tmp_path):
    keys = tmp_path / "many"
    many.write_keys(keys, 50)
    more = many.psps(4, ["default"], "@MOCK@", "secrets")
    more += many.merchants(50, 4, ["default"], str(keys))
    more = more.replace(
        f"payments_merchant {many.merchant(40)} ",
        f"payments_merchant {many.merchant(7)} ",
    )
    directory = tmp_path / "twice"
    directory.mkdir()
    nginx = Nginx(
        running.stack.gateway, directory, swap(MINIMAL, (PLACE, more + PLACE))
    )
    code, said = nginx.test()
    assert code == 1
    assert f'payments_merchant "{many.merchant(7)}" stands twice' in said
