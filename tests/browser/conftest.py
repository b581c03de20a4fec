"""Fixtures of the browser tests: the running stack, two browsers, a shop.

The stack is `make up`'s, as for tests/integration, whose support package
serves here, too.  One browser runs pages' scripts, the other does not.
"""

import sys
from pathlib import Path

import psycopg2
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "integration"))

from buyer import Buyer  # noqa: E402
from chrome import Chrome  # noqa: E402
from gallery import Gallery  # noqa: E402
from sale import Sales  # noqa: E402
from support import aftermath, bodies  # noqa: E402
from support.client import Api  # noqa: E402
from support.mock import Mock  # noqa: E402
from support.worker_stack import worker_stack  # noqa: E402


def connect(gateway):
    connection = psycopg2.connect(gateway.env["PG_DSN"])
    connection.autocommit = True
    return connection


@pytest.fixture(scope="session")
def gateway():
    """The stack; at the end its logs are clean and its invariants hold."""
    with worker_stack() as found:
        after = aftermath.Aftermath(found)
        yield found
        connection = connect(found)
        try:
            after.check(connection)
        finally:
            connection.close()


@pytest.fixture(scope="session")
def certificate(gateway):
    return gateway.run / "tls" / "server.pem"


@pytest.fixture(scope="session")
def scripted(certificate):
    made = Chrome(certificate)
    yield made
    made.close()


@pytest.fixture(scope="session")
def scriptless(certificate):
    made = Chrome(certificate, scripts=False)
    yield made
    made.close()


@pytest.fixture
def chrome(scripted):
    """A browser as most people have it, with one empty window."""
    scripted.fresh()
    return scripted


@pytest.fixture(params=("scripts", "no-scripts"))
def buyer(request):
    """A buyer, once with and once without JavaScript."""
    name = "scripted" if request.param == "scripts" else "scriptless"
    made = request.getfixturevalue(name)
    made.fresh()
    return Buyer(made)


@pytest.fixture
def plain_buyer(scriptless):
    """Without JavaScript only, for what the other case cannot change."""
    scriptless.fresh()
    return Buyer(scriptless)


@pytest.fixture(scope="session")
def mock(gateway):
    client = Mock(gateway.mock_url)
    yield client
    client.close()


@pytest.fixture(scope="session")
def sales(gateway, mock):
    """sales(psp="stripe") -> a checkout that waits for its buyer (sale.py)."""
    api = Api(gateway.url, gateway.ssl_context(), gateway.env["MERCHANT_JWT"])
    db = connect(gateway)
    made = bodies.Bodies(gateway.return_url)
    yield Sales(gateway.url, api, mock, made, db)
    db.close()
    api.close()


@pytest.fixture(scope="session")
def gallery(gateway, sales):
    return Gallery(gateway.url, sales)


@pytest.fixture(scope="session")
def failed(sales):
    """One that was declined, for tests that only look."""
    return sales("generic").settle("declined")
