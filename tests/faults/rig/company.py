"""Faults that come from outside while a payment is held: clients that leave,
crowds that ask again, messages that come too early, keys that change.
"""

import base64
import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from support.events import SECRETS, event_id, message, raw_message
from support.own_stack import new_id, wait_for

from .sale import Heard, heard_of

CROWD = 100
MAILS = 50
THREADS = 20
LEAVES_S = 0.7


def impatient(scene) -> None:
    """Before the payment is held: its client will not wait."""
    if scene.creates:
        scene.sale.patience_s = LEAVES_S
    else:
        scene.stack.mock.settings(webhook_timeout_s=LEAVES_S)


@contextlib.contextmanager
def client_leaves(scene):
    """The payment goes on when nobody listens any more."""
    if scene.creates:
        assert scene.sale.answer().status is None
        scene.sale.patience_s = 30
    else:
        scene.sale.tried()
        scene.stack.mock.settings(webhook_timeout_s=1.5)
    yield
    if scene.moment in ("M2", "M3", "M4", "M5"):
        wait_for(
            lambda: scene.sale.checkout.registration["state"] == "REGISTERED",
            "the registration",
        )
        assert scene.sale.checkout.registration["attempt"] == 1


def by_hand(scene) -> None:
    scene.by_hand = not scene.creates


@contextlib.contextmanager
def crowd(scene):
    """The same request, or the same message, again and again, at once."""
    if scene.creates:
        _storefronts(scene)
        yield
        return
    first = "duplicate" if scene.moment == "M6" else "applied"
    with ThreadPoolExecutor(THREADS) as pool:
        told = list(pool.map(lambda _: scene.mail.send(), range(MAILS)))
    applied = 1 if scene.moment == "M6" else 0
    assert told.count("applied") == applied, told
    assert set(told) <= {"applied", "duplicate"}, told
    yield
    assert scene.sale.answer() == first


def _storefronts(scene) -> None:
    sale = scene.sale
    local = threading.local()
    clients = []

    def ask(_) -> Heard:
        if not hasattr(local, "http"):
            local.http = scene.stack.client()
            clients.append(local.http)
        return heard_of(
            scene.stack.post(sale.body, sale.key, client=local.http)
        )

    # the worker that is left may have been born a moment ago
    wait_for(scene.stack.is_ready, "it to be ready")
    with ThreadPoolExecutor(THREADS) as pool:
        heard = list(pool.map(ask, range(CROWD)))
    for each in clients:
        each.close()
    allowed = {
        "M1": {201, 429}, "M2": {429}, "M3": {429}, "M4": {429}, "M5": {201},
    }  # fmt: skip
    seen = {each.status for each in heard}
    assert seen <= allowed[scene.moment], seen
    assert sale.rows() == 1
    sale.heard += heard


@contextlib.contextmanager
def early_webhook(scene):
    """The buyer has paid before the payment is where it should be."""
    stack, sale, moment = scene.stack, scene.sale, scene.moment
    if moment == "M1":
        _unknown(scene)
        yield
        return
    if moment == "M2":
        stack.mock.faults(
            {"operation": "webhook", "kind": "early", "wait_ms": 700}
        )
        sale.result, sale.settled = "paid", True
    elif scene.creates:
        sale.pay("paid")
        sale.tried()
    else:
        with crowd(scene):
            yield
        return
    yield


def _unknown(scene) -> None:
    """Nobody knows the token: it is parked, and moves nothing."""
    body = {
        "type": "registration.paid",
        "id": event_id(),
        "created": 0,
        "data": {
            "token": "reg_" + scene.sale.id.replace("-", ""),
            "nonce": scene.sale.id,
            "amount": "1.00",
            "currency": "USD",
        },
    }
    sent = raw_message(scene.stack, "generic", body, body["id"])
    with scene.stack.client() as http:
        answer = sent.send(client=http)
    assert answer.json() == {"outcome": "parked"}, answer.text
    scene.sale.result = "paid"


@contextlib.contextmanager
def rotated(scene):
    """Keys change: what was let in with the old ones goes through."""
    if scene.moment == "M1":
        _rotate_jwt(scene)
    elif scene.moment == "M2":
        _rotate_psp(scene)
    else:
        _rotate_webhook(scene)
    yield
    if not scene.creates:
        assert scene.sale.answer() == "duplicate"
    scene.stack.configure()


def _relieved_with(scene, old: str, new: str) -> None:
    text = scene.stack.gateway.conf.read_text()
    assert old in text, old
    scene.stack.gateway.conf.write_text(text.replace(old, new))
    scene.stack.relieve()


def _secret(path: Path, text: str) -> Path:
    path.unlink(missing_ok=True)
    path.write_text(text + "\n")
    path.chmod(0o400)
    return path


def _rotate_jwt(scene) -> None:
    """Nobody signs acme's tokens with the old key any more."""
    secrets = scene.stack.gateway.secrets
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    pem = key.public_bytes(serialization.Encoding.PEM, form)
    new = _secret(secrets / "acme.pub.next", pem.decode())
    _relieved_with(scene, f"{secrets}/acme.pub", str(new))
    assert scene.sale.post().status == 401


def _rotate_psp(scene) -> None:
    """The new key is none yet: only the old one can get a page."""
    key = scene.stack.gateway.secrets / f"{scene.sale.psp}.key"
    new = _secret(key.with_suffix(".next"), "key_" + new_id())
    _relieved_with(scene, f'"{key}"', f'"{new}"')


def _rotate_webhook(scene) -> None:
    """Two keys: messages of either are valid."""
    stack, psp = scene.stack, scene.sale.psp
    key = stack.gateway.secrets / f"{psp}.whsec"
    old = key.read_text().strip()
    fresh = "whsec_" + base64.b64encode(new_id().encode()).decode()
    new = _secret(key.with_suffix(".next"), fresh)
    _relieved_with(scene, f'"{key}";', f'"{new}" "{key}";')
    assert scene.mail.send() == "applied"
    name = SECRETS[psp]
    stack.values[name] = fresh
    sent = message(scene.sale.checkout, scene.sale.result)
    stack.values[name] = old
    with stack.client() as http:
        assert sent.send(client=http).status_code == 200
