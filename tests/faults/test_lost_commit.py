"""PostgreSQL has committed and nobody hears of it.  What is unknown is read
again; nothing is undone, and nothing done anew under another nonce.
"""

import random
import re

import pytest
from rig.pgproxy import Proxy
from rig.sale import Sale
from support.own_stack import wait_for

# The operation whose COMMIT is lost at that moment, and what may be said then.
CELLS = {
    "M1": ("begin_payment", {201, 202, 503}),
    "M4": ("store_token", {201, 202, 503}),
}


@pytest.fixture(scope="session")
def proxy(fault_stack):
    made = Proxy(fault_stack.values["PG_ADMIN_DSN"])
    yield made
    fault_stack.configure()
    made.close()


@pytest.fixture
def behind(stack, proxy):
    """nginx reaches PostgreSQL through the proxy alone."""
    found = re.search(r"host='[^']+' port=\d+", stack.pristine)
    stack.configure((found[0], f"host=127.0.0.1 port={proxy.port}"))
    return stack


def heard_nothing(proxy) -> None:
    """The server had said that all was well."""
    (answer,) = wait_for(lambda: proxy.lost, "the answer that is lost")
    assert b"SERROR" not in answer


@pytest.mark.parametrize("moment", CELLS)
def test_a_lost_commit_is_read_again(behind, proxy, moment, seed):
    operation, allowed = CELLS[moment]
    sale = Sale(behind, random.Random(f"commit/{moment}/{seed}"))
    proxy.lose(operation)
    heard = sale.post()
    heard_nothing(proxy)
    assert heard.status in allowed, heard
    if moment == "M1" and heard.status == 503:
        assert sale.calls() == []
    assert sale.rows() == 1
    sale.finish()
    sale.close()


def test_a_webhooks_lost_commit_is_no_200(behind, proxy, seed):
    """M6, M7: it is a 5xx; what comes again is a duplicate."""
    sale = Sale(behind, random.Random(f"commit/M6/{seed}"))
    sale.insist()
    proxy.lose("apply_event")
    sale.pay()
    heard_nothing(proxy)
    sale.finish()
    sale.close()
