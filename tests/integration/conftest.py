"""Fixtures of the integration tests: the running stack and ways to reach it.

The stack is `make up`'s (build/run/gateway.env, or $GATEWAY_ENV); it is used
by all tests and never stopped by one.  When the tests that used it are over,
the logs must be clean, every invariant must hold and no secret may be found
in a log or the database (support/aftermath.py).

With pytest-xdist the files are dealt out to several workers, each of which
has a stack like that for itself (support/worker_stack.py).
"""

import os
import tempfile
from pathlib import Path

import psycopg2
import pytest
from support import (
    aftermath,
    bodies,
    mock_client,
    mock_payouts,
    tokens,
    waiting,
)
from support.client import Api
from support.mock import Mock
from support.own_stack import OwnStack
from support.refusal import Refusal
from support.worker_stack import worker_stack

# The files that take longest are dealt out first: who takes one last would end
# long after the others.
LONGEST = (
    "test_openapi.py",
    "test_settlement_large.py",
    "test_payout_month.py",
    "test_sql_races.py",
    "test_money_machine.py",
    "test_install.py",
    "test_rounds.py",
    "test_nodes_cells.py",
    "test_two_nodes.py",
    "test_sql_pairs.py",
    "test_payout_providers.py",
    "test_config.py",
)


def pytest_collection_modifyitems(items):
    place = {name: n for n, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(place)))


def connect(dsn):
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    return connection


@pytest.fixture(scope="session")
def gateway():
    """The stack (support/gateway.py); checks the aftermath at the end."""
    with worker_stack() as found:
        after = aftermath.Aftermath(found)
        yield found
        connection = connect(found.env["PG_DSN"])
        try:
            after.check(connection)
        finally:
            connection.close()


@pytest.fixture(scope="session")
def db(gateway):
    """A psycopg2 connection that may read every table; autocommit."""
    connection = connect(gateway.env["PG_DSN"])
    yield connection
    connection.close()


@pytest.fixture(scope="session")
def query(db):
    """query(sql, *arguments) → the rows."""

    def run(sql, *arguments):
        with db.cursor() as cursor:
            cursor.execute(sql, arguments)
            return cursor.fetchall()

    return run


@pytest.fixture(scope="session")
def tls(gateway):
    """An SSLContext that trusts the stack's CA only."""
    return gateway.ssl_context()


@pytest.fixture(scope="session")
def api(gateway, tls):
    """The API as the merchant; waits out the stack's rate limit."""
    client = Api(gateway.url, tls, gateway.env["MERCHANT_JWT"])
    yield client
    client.close()


@pytest.fixture(scope="session")
def other_api(gateway, tls):
    """The API as the other merchant."""
    client = Api(gateway.url, tls, gateway.env["OTHER_MERCHANT_JWT"])
    yield client
    client.close()


@pytest.fixture(scope="session")
def anonymous(gateway, tls):
    """The gateway without a token: pages, webhooks, refusals."""
    client = Api(gateway.url, tls)
    yield client
    client.close()


@pytest.fixture(scope="session")
def mint(gateway):
    """mint(**claims) → a token signed with the merchant's key."""
    return tokens.minter_of(gateway.env, "MERCHANT")


@pytest.fixture(scope="session")
def other_mint(gateway):
    return tokens.minter_of(gateway.env, "OTHER_MERCHANT")


@pytest.fixture(scope="session")
def mock(gateway):
    """The mock PSP's control API (support/mock.py)."""
    client = Mock(gateway.mock_url)
    yield client
    client.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A mock PSP without a gateway, for the tests of the mock itself."""
    with mock_client.running(tmp_path_factory.mktemp("keys")) as made:
        yield made


@pytest.fixture
def psp(server):
    """A storefront of it that nothing has happened to."""
    return mock_client.afresh(server)


@pytest.fixture(scope="module")
def payout_server(tmp_path_factory):
    """The mock's pay-out providers, and the adapters that call them."""
    with mock_payouts.running(tmp_path_factory.mktemp("keys")) as made:
        yield made


@pytest.fixture
def payouts(payout_server):
    """Providers that have paid nobody yet."""
    return mock_payouts.afresh(payout_server)


@pytest.fixture(scope="session")
def checkout(gateway):
    """checkout(orders=1, **members) → a fresh body that will be accepted."""
    return bodies.Bodies(gateway.return_url)


@pytest.fixture(scope="session")
def wait_for():
    """wait_for(condition, deadline=90, what="…") → its true value."""
    return waiting.wait_for


@pytest.fixture(scope="module")
def open_directory():
    """One that nginx' own user can enter, as long as it runs: pytest's own
    are closed to others by each pytest that begins."""
    with tempfile.TemporaryDirectory(prefix="payments-open.") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


@pytest.fixture(scope="session")
def own_stack():
    """A gateway that tests may stop, starve, reload and configure anew.
    KEEP_STACK: the directory of one that stays up (ci/postgres)."""
    made = OwnStack(os.environ.get("KEEP_STACK"))
    try:
        yield made
        made.check_invariants()
    finally:
        made.close()


@pytest.fixture
def stack(own_stack):
    """The session's own stack; its mock behaves again afterwards."""
    yield own_stack
    own_stack.mock.clear_faults()


@pytest.fixture(scope="session")
def refused(api, gateway, query, mock):
    """refused(body, good, status, slug) (support/refusal.py)."""
    return Refusal(api, gateway, query, mock)
