"""Endpoints that stand in nginx.conf: messages come to them signed, a new
secret overlaps the old one, and a line that is gone takes its endpoint with
it."""

import base64
import os
import re
from pathlib import Path

import psycopg2
import pytest
from support.own_stack import OwnStack, children, new_id, wait_for
from support.receiver import HOOKS, Receiver, Shop
from support.tls_psp import shop_authority

DIRECTIVE = "payments_webhook_endpoints hosts=loopback;"


@pytest.fixture(scope="module")
def authority():
    with shop_authority() as made:
        yield made


@pytest.fixture(scope="module")
def receiver(authority):
    made = Receiver(authority)
    yield made
    made.close()


@pytest.fixture(scope="module")
def gate():
    stack = OwnStack()
    try:
        yield stack
        stack.check_invariants()
    finally:
        stack.close()


class Lines:
    """The lines of nginx.conf, and the files of their secrets."""

    def __init__(self, gate, authority, directory: Path):
        self.gate = gate
        self.ca = authority.file
        self.directory = directory

    def secret(self, name: str = "shop") -> str:
        """A new one in the file of that name."""
        text = "whsec_" + base64.b64encode(os.urandom(24)).decode()
        file = self.directory / f"{name}.whsec"
        file.unlink(missing_ok=True)
        file.write_text(text + "\n")
        file.chmod(0o400)
        return text

    def line(self, url: str, words: str = "", name: str = "shop") -> str:
        file = self.directory / f"{name}.whsec"
        merchant = self.gate.values["MERCHANT_ID"]
        return (
            f"payments_webhook_endpoint {merchant} {url} "
            f'"secret_file={file}" {words};'
        )

    def are(self, *lines: str) -> None:
        head = (
            "payments_webhook_endpoints hosts=loopback interval=50ms "
            f'"ca_file={self.ca}";'
        )
        self.gate.configure((DIRECTIVE, "\n".join([head, *lines])))


@pytest.fixture
def lines(gate, authority, tmp_path):
    made = Lines(gate, authority, tmp_path)
    yield made
    look_now(gate)
    made.are()


@pytest.fixture
def shop(gate):
    return Shop(gate)


@pytest.fixture
def url(receiver):
    return receiver.url(f"/{new_id()}")


def log(gate) -> str:
    return gate.gateway.error_log.read_text()


def path_of(url: str) -> str:
    return "/" + url.rsplit("/", 1)[1]


def shown(shop, url: str) -> dict | None:
    found = [e for e in shop.get(HOOKS)["endpoints"] if e["url"] == url]
    assert len(found) <= 1, found
    return found[0] if found else None


def there(shop, url: str, **values) -> dict:
    """The endpoint, as soon as it is as it should be."""

    def so():
        found = shown(shop, url)
        is_so = found and all(found[k] == v for k, v in values.items())
        return found if is_so else None

    return wait_for(so, f"an endpoint with {values}")


def attempt(shop, receiver, endpoint):
    """The message of a test; others may come meanwhile."""
    path = path_of(endpoint["url"])

    def tests():
        found = receiver.got(path)
        return [m for m in found if m.event["type"] == "endpoint.test"]

    before = len(tests())
    shop.act(endpoint, "test")
    wait_for(lambda: len(tests()) > before, "a message")
    return tests()[before]


def pass_time(gate, endpoint) -> None:
    grow_old(gate, endpoint)
    look_now(gate)


def grow_old(gate, endpoint) -> None:
    """Nobody has declared it for 16 minutes."""
    gate.sql(
        "UPDATE pay.webhook_endpoint SET declared_at = now() - "
        "interval '16 minutes' WHERE endpoint_id = %s",
        endpoint["endpoint_id"],
    )


def look_now(gate) -> None:
    gate.sql("UPDATE pay.round SET run_at = now() WHERE name = 'endpoints'")


def wait_for_the_end_of_old_workers(gate) -> None:
    """One that ends may still declare what it has."""
    wait_for(
        lambda: len(children(gate.master())) == gate.processes(),
        "the end of workers that have the line",
    )


END_OF_LOOK = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND query LIKE '%%watch_endpoints%%'
    AND datname = current_database()"""


def looks(gate, result: str) -> int:
    """How many looks for endpoints without a line have ended so."""
    found = re.search(
        r'^payments_db_calls_total\{op="watch_endpoints",'
        rf'result="{result}"\}} (\d+)$',
        gate.http.get("/metrics").text,
        re.MULTILINE,
    )
    return int(found[1]) if found else 0


def lost_looks(gate) -> int:
    """The connection of a look that is under way is closed."""
    gate.sql(END_OF_LOOK)
    return looks(gate, "failed")


def looks_fail_again(gate) -> bool:
    """After a reload, more looks fail than the first one of each worker.

    They do not if a worker that ends had the round when the new ones asked.
    """
    gate.reload()
    wait_for_the_end_of_old_workers(gate)
    enough = looks(gate, "failed") + gate.processes() + 1
    try:
        wait_for(
            lambda: lost_looks(gate) >= enough, "lost looks", deadline_s=30
        )
    except AssertionError:
        return False
    return True


def test_a_line_gets_signed_messages_and_survives_a_reload(
    gate, shop, receiver, lines, url
):
    secret = lines.secret()
    line = lines.line(url, "types=payment.*,endpoint.test order=on")
    lines.are(line)
    made = there(shop, url)
    assert made["source"] == "directive"
    assert made["types"] == ["payment.*", "endpoint.test"]
    assert made["ordered"] is True
    assert made["state"] == "enabled"

    paid = gate.created()
    gate.mock.pay(paid.token, "paid")
    paid.becomes("SUCCESS")

    def told():
        return [
            m
            for m in receiver.got(path_of(url))
            if m.event["type"] == "payment.succeeded"
            and m.event["subject"] == f"payment/{paid.order_id}"
        ]

    (message,) = wait_for(told, "the message of a payment")
    assert message.verify(secret) == message.event

    gate.reload()
    attempt(shop, receiver, made).verify(secret)
    again = shown(shop, url)
    assert again["endpoint_id"] == made["endpoint_id"]
    assert again["changed_at"] == made["changed_at"]
    assert [each["number"] for each in again["secrets"]] == [1]

    lines.are(lines.line(url, "types=endpoint.*"))
    there(shop, url, types=["endpoint.*"], ordered=False)


def test_another_secret_in_the_file_overlaps_the_old_one(
    gate, shop, receiver, lines, url
):
    old = lines.secret()
    lines.are(lines.line(url, "overlap=1h"))
    made = there(shop, url)
    new = lines.secret()
    gate.reload()
    wait_for(lambda: len(shown(shop, url)["secrets"]) == 2, "the rotation")
    message = attempt(shop, receiver, made)
    message.verify(old)
    message.verify(new)
    first, second = shown(shop, url)["secrets"]
    assert first["until"] is not None
    assert second["until"] is None

    gate.sql(
        "UPDATE pay.webhook_secret SET until = now() WHERE endpoint_id = %s "
        "AND number = 1",
        made["endpoint_id"],
    )
    message = attempt(shop, receiver, made)
    message.verify(new)
    with pytest.raises(Exception, match="No matching signature"):
        message.verify(old)


def test_a_line_that_is_gone_disables_its_endpoint_until_it_is_back(
    gate, shop, receiver, lines, url
):
    secret = lines.secret()
    line = lines.line(url)
    lines.are(line)
    made = there(shop, url)
    lines.are()
    wait_for_the_end_of_old_workers(gate)
    pass_time(gate, made)
    gate.reload()  # new workers ask at once
    there(shop, url, state="disabled", reason="undeclared")
    refused = shop.act(made, "enable", status=409)
    assert "nginx.conf" in refused["detail"]

    lines.are(line)
    there(shop, url, state="enabled", reason=None)
    attempt(shop, receiver, made).verify(secret)


def test_a_look_whose_connection_is_lost_comes_again_soon(
    gate, shop, lines, url
):
    """Not with the next one, which is minutes away."""
    lines.secret()
    lines.are(lines.line(url))
    made = there(shop, url)
    lines.are()
    wait_for_the_end_of_old_workers(gate)
    held = psycopg2.connect(gate.values["PG_ADMIN_DSN"])
    with held, held.cursor() as cursor:
        grow_old(gate, made)
        cursor.execute(
            "SELECT FROM pay.webhook_endpoint WHERE endpoint_id = %s "
            "FOR NO KEY UPDATE",
            (made["endpoint_id"],),
        )
        assert cursor.rowcount == 1
        look_now(gate)
        assert any(looks_fail_again(gate) for _ in range(5))
    held.close()
    there(shop, url, state="disabled", reason="undeclared")


def test_a_line_that_is_there_outlives_a_look(gate, shop, lines, url):
    lines.secret()
    lines.are(lines.line(url))
    made = there(shop, url)
    look_now(gate)
    gate.reload()
    wait_for(
        lambda: gate.value(
            "SELECT run_at > now() FROM pay.round WHERE name = 'endpoints'"
        ),
        "a look",
    )
    assert shown(shop, url)["state"] == "enabled"
    assert shown(shop, url)["changed_at"] == made["changed_at"]


@pytest.mark.parametrize("act", ["rotate", "disable"])
def test_the_api_does_not_change_a_line(shop, lines, url, act):
    lines.secret()
    lines.are(lines.line(url))
    made = there(shop, url)
    refused = shop.act(made, act, status=409)
    assert refused["type"].endswith("endpoint-state-conflict")
    assert "nginx.conf" in refused["detail"]
    assert shown(shop, url)["state"] == "enabled"
    assert len(shown(shop, url)["secrets"]) == 1


def test_a_merchant_may_have_the_address_by_the_api_too(
    shop, receiver, lines, url
):
    secret = lines.secret()
    lines.are(lines.line(url, "types=endpoint.test"))
    line = there(shop, url)
    own = shop.make(url)
    assert own["source"] == "api"
    assert own["endpoint_id"] != line["endpoint_id"]
    shop.act(own, "test")
    wait_for(lambda: receiver.got(path_of(url)), "its message")
    (message,) = receiver.got(path_of(url))
    message.verify(own["secret"])
    with pytest.raises(Exception, match="No matching signature"):
        message.verify(secret)
    shop.act(own, "disable")


def test_a_secret_of_a_line_comes_into_no_log_answer_or_table(
    gate, shop, receiver, lines, url
):
    secret = lines.secret()
    lines.are(lines.line(url + "?key=canary-of-a-url"))
    made = there(shop, url + "?key=canary-of-a-url")
    wait_for(lambda: made["endpoint_id"] in log(gate), "the line of the log")
    bare = secret.removeprefix("whsec_")
    raw = base64.b64decode(bare)
    for text in (log(gate), str(shop.get(HOOKS))):
        assert bare not in text
        assert raw.hex() not in text.lower()
    assert "canary-of-a-url" not in log(gate)
    rows = gate.sql(
        "SELECT s.sealed, s.fingerprint FROM pay.webhook_secret s "
        "WHERE endpoint_id = %s",
        made["endpoint_id"],
    )
    assert rows
    for row in rows:
        for value in row:
            assert raw not in bytes(value)
