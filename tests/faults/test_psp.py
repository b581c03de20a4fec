"""A PSP that is away, that is slow, that talks nonsense or says two things
(rows "PSP …" of the matrix).  tests/integration/test_psp_faults.py has each
of its ways of being wrong; here they meet random payments, and the referee.
"""

import contextlib
import random
import socket
from urllib.parse import urlsplit

import pytest
from rig.faults import stop_worker
from rig.sale import Sale
from rig.scene import Scene

# A reused connection that ends before the first line is tried again.
OFTEN = {"times": 6}
TOO_LONG_MS = 1400

# kind -> fault of the mock: the outcome is open, a job goes on
OPEN = {
    "reset": OFTEN | {"kind": "drop"},
    "answer-lost": OFTEN | {"kind": "drop_after_accept"},
    "hangs-before": {"kind": "delay", "ms": TOO_LONG_MS, "before": True},
    "hangs-after": {"kind": "delay", "ms": TOO_LONG_MS},
    "500": {"kind": "status", "status": 500, "stored": False},
    "429": {"kind": "status", "status": 429, "retry_after": 1},
    "malformed": {"kind": "malformed"},
    "oversized": {"kind": "huge"},
    "gzip-bomb": {"kind": "gzip_bomb"},
}


def sale_of(stack, name: str, seed: int, psp: str | None = None) -> Sale:
    return Sale(stack, random.Random(f"psp/{name}/{seed}"), psp)


def spoil(stack, **fault) -> None:
    stack.mock.faults({"operation": "register"} | fault)


@pytest.mark.parametrize("kind", OPEN)
def test_an_open_outcome_is_found_out(stack, kind, seed):
    """M2 and M3: 202, then the same nonce again; one registration."""
    sale = sale_of(stack, kind, seed)
    spoil(stack, **OPEN[kind])
    heard = sale.post()
    assert heard.status == 202, heard
    assert sale.checkout.registration["state"] == "REGISTERING"
    stack.mock.clear_faults()
    sale.finish()
    sale.close()


def test_a_refusal_is_the_end_of_it(stack, seed):
    """A permanent answer: 502, FAILED, and nobody is asked again."""
    sale = sale_of(stack, "refusal", seed, "generic")
    status = sale.rng.choice((400, 402, 404, 422))
    spoil(stack, kind="status", status=status)
    heard = sale.post()
    assert heard.status == 502, heard
    assert sale.checkout.states() == {("FAILED", "rejected")}
    assert stack.jobs_now(sale.id) == 0
    assert sale.post().status == 502
    assert len(sale.calls()) == 1
    assert sale.booked() == []
    sale.close()


@contextlib.contextmanager
def nobody(swallows: bool):
    """A port that refuses connections, or one that drops their SYNs."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        fillers = []
        if swallows:
            place.listen(0)
            fillers = [socket.socket() for _ in range(4)]
        for each in fillers:
            each.setblocking(False)
            each.connect_ex(place.getsockname())
        try:
            yield place.getsockname()[1]
        finally:
            for each in fillers:
                each.close()


@pytest.mark.parametrize("how", ("refused", "blackhole"))
def test_a_psp_that_is_away_is_waited_for(stack, how, seed):
    sale = sale_of(stack, how, seed)
    there = urlsplit(stack.gateway.mock_url).port
    with nobody(how == "blackhole") as port:
        stack.configure((f"127.0.0.1:{there}/", f"127.0.0.1:{port}/"))
        heard = sale.post()
        assert heard.status == 202, heard
    stack.configure()
    assert sale.calls() == []
    sale.finish()
    sale.close()


def test_of_two_answers_the_first_that_is_stored_wins(stack, seed):
    """M4: one worker sleeps with its token in memory, another is given a
    second one for the same nonce."""
    rng = random.Random(f"psp/twice/{seed}")
    scene = Scene(stack, rng, "M4")
    sale = scene.sale
    with scene.held():
        sale.twin = True
        stack.twins |= {each["nonce"] for each in sale.booked()}
        spoil(stack, kind="other_token")
        with stop_worker(scene):
            stored = sale.checkout.token
            scene.release()
            assert scene.answered().status in (201, 202)
    assert sale.checkout.token == stored
    assert {each["token"] for each in sale.booked()} > {stored}
    sale.finish()
