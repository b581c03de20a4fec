"""The PSPs' own clients against the mock PSP: each sells, reads, refunds,
captures, cancels, lists and fails, and its webhook verifier judges the mock's
webhooks.  What the mock says must be what the PSP's own client understands.

The sales are tests/fixtures/psp_clients; ci/install puts the clients into
build/venv and build/node.  In Node those of Adyen, Mollie and PayPal call https
only: TLS stands in front of the mock for them.  Adyen's and PayPal's know only
their own hosts: they are given a proxy, which leads there too.
"""

import json
import os
import secrets
import shutil
import subprocess

import pytest
from support.gateway import ROOT
from support.mock import Mock
from support.mock_server import serve
from support.tls_front import front

SALES = ROOT / "tests" / "fixtures" / "psp_clients"
PYTHON = ROOT / "build" / "venv" / "bin" / "python"
NODE = ROOT / "build" / "node" / "node_modules"
DEADLINE_S = 60
NOBODY = "http://127.0.0.1:9"
HOSTS = {
    "api-m.sandbox.paypal.com": "/paypal",
    "checkout-test.adyen.com": "/adyen",
}
KEYS = {
    "adyen.key": "AQE" + secrets.token_hex(16),
    "adyen.whsec": secrets.token_hex(32).upper(),
    "mollie.key": "test_" + secrets.token_hex(16),
    "mollie.whsec": secrets.token_hex(16),
    "paypal.key": f"A{secrets.token_hex(16)}:{secrets.token_hex(16)}",
    "paypal.whsec": "5GP028458E2496506",
    "square.key": "EAAA" + secrets.token_hex(16),
    "square.whsec": secrets.token_hex(11),
    "stripe.key": "sk_test_" + secrets.token_hex(12),
    "stripe.whsec": "whsec_" + secrets.token_hex(16),
}


@pytest.fixture(scope="module")
def mock(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("keys"), KEYS, NOBODY) as url:
        yield url


@pytest.fixture(scope="module")
def tls(mock, tmp_path_factory):
    """The environment of the clients in Node that call https only."""
    port = int(mock.rpartition(":")[2])
    with front(tmp_path_factory.mktemp("tls"), HOSTS, port) as made:
        server, proxy, authority = made
        yield {
            "MOCK_PSP_TLS_URL": f"https://127.0.0.1:{server.port}",
            "MOCK_PSP_PROXY_PORT": str(proxy.port),
            "NODE_EXTRA_CA_CERTS": str(authority),
        }


@pytest.fixture
def python(mock):
    return lambda psp: sold(psp, mock, [PYTHON, SALES / f"sale_{psp}.py"])


@pytest.fixture
def node(mock, tls, tmp_path):
    """Node looks for packages beside the program."""
    for each in SALES.glob("*.mjs"):
        shutil.copy(each, tmp_path)
    (tmp_path / "node_modules").symlink_to(NODE)
    return lambda psp: sold(
        psp, mock, ["node", tmp_path / f"sale_{psp}.mjs"], tls
    )


def sold(psp: str, mock: str, command: list, more: dict | None = None) -> dict:
    """What a sale has seen, at a mock that knows of no other: one line of
    JSON.
    """
    control = Mock(mock)
    control.call("reset")
    control.close()
    told = {
        "MOCK_PSP_URL": mock,
        "PSP_KEY": KEYS[f"{psp}.key"],
        "PSP_SECRET": KEYS[f"{psp}.whsec"],
        "NO_PROXY": "*",
        "no_proxy": "*",
    }
    done = subprocess.run(
        [str(word) for word in command], env=os.environ | told | (more or {}),
        capture_output=True, check=False, text=True, timeout=DEADLINE_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def assert_holds(seen: dict, wanted: dict) -> None:
    assert {name: seen.get(name) for name in wanted} == wanted
    assert set(seen) == set(wanted), "each thing seen is asserted"


STRIPE = {
    "made": ["open", "unpaid", 1234],
    "again": True,
    "paid": ["complete", "paid", "succeeded"],
    "refund": ["succeeded", 200],
    "captured": ["succeeded", 1234],
    "released": "canceled",
    "lapsed": "expired",
    "listed": 4,
    "events": 3,
    "webhook": "checkout.session.completed",
}
ADYEN = {
    "made": ["active", 1234],
    "again": True,
    "paid": "completed",
    "refund": ["received", 200],
    "captured": "received",
    "released": "received",
    "lapsed": "expired",
    "over": "received",
    "webhook": ["AUTHORISATION", True],
    "forged": False,
    "told": [
        "AUTHORISATION true",
        "AUTHORISATION true",
        "CANCELLATION true",
        "CAPTURE true",
        "OFFER_CLOSED true",
        "REFUND false",
        "REFUND true",
    ],
    "all_verified": True,
}
SQUARE = {
    "made": True,
    "again": True,
    "quick": ["DRAFT", "Tea", 1234],
    "paid": ["OPEN", "CAPTURED", 0],
    "refund": ["PENDING", 200],
    "captured": "COMPLETED",
    "released": "CANCELED",
    "lapsed": True,
    "webhook": True,
    "forged": False,
}
MOLLIE = {
    "made": ["open", True, True],
    "again": True,
    "paid": ["paid", True, "12.34"],
    "refund": ["queued", "2.00"],
    "held": ["authorized", True],
    "captured": ["cpt_", "12.34"],
    "lapsed": "canceled",
    "listed": [2, True, 1, False],
    "webhook": ["payment.paid", True],
}
PAYPAL = {
    "made": "PAYER_ACTION_REQUIRED",
    "links": ["self", "payer-action"],
    "again": True,
    "bare": ["CREATED", ["self", "approve", "update", "capture"]],
    "bare_paid": "COMPLETED",
    "approved": ["APPROVED", "12.34"],
    "paid": ["COMPLETED", "COMPLETED", "12.34"],
    "refund": ["COMPLETED", "2.00"],
    "webhook": "CHECKOUT.ORDER.APPROVED",
}


def test_stripes_client_in_python_sells(python):
    invalid = "InvalidRequestError"
    assert_holds(
        python("stripe"),
        STRIPE
        | {
            "forged": "SignatureVerificationError",
            "bad_key": "AuthenticationError 401",
            "unknown": f"{invalid} 404 resource_missing",
            "over": f"{invalid} 400",
            "invalid": f"{invalid} 400 parameter_missing",
            "other_body": "IdempotencyError 400",
        },
    )


def test_stripes_client_in_node_sells(node):
    invalid = "StripeInvalidRequestError"
    assert_holds(
        node("stripe"),
        STRIPE
        | {
            "forged": "StripeSignatureVerificationError",
            "bad_key": "StripeAuthenticationError 401",
            "unknown": f"{invalid} 404 resource_missing",
            "over": f"{invalid} 400",
            "invalid": f"{invalid} 400 parameter_missing",
            "other_body": "StripeIdempotencyError 400",
        },
    )


def test_adyens_client_in_python_sells(python):
    unprocessable = "AdyenAPIUnprocessableEntity 422"
    assert_holds(
        python("adyen"),
        ADYEN
        | {
            "bad_key": "AdyenAPIAuthenticationError 401 000",
            "unknown": f"{unprocessable} 14_014",
            "invalid": f"{unprocessable} 14_004",
            "stranger": "AdyenAPIInvalidPermission 403 901",
            "other_body": f"{unprocessable} 704",
        },
    )


def test_adyens_client_in_node_sells(node):
    unprocessable = "HttpClientException 422"
    assert_holds(
        node("adyen"),
        ADYEN
        | {
            "bad_key": "HttpClientException 401 000",
            "unknown": f"{unprocessable} 14_014",
            "invalid": f"{unprocessable} 14_004",
            "stranger": "HttpClientException 403 901",
            "other_body": f"{unprocessable} 704",
        },
    )


def test_squares_client_in_python_sells(python):
    assert_holds(
        python("square"),
        SQUARE
        | {
            "bad_key": "ApiError 401 UNAUTHORIZED",
            "unknown": "ApiError 404 NOT_FOUND",
            "over": "ApiError 400 REFUND_AMOUNT_INVALID",
            "invalid": "ApiError 400 MISSING_REQUIRED_PARAMETER",
            "other_body": "ApiError 400 IDEMPOTENCY_KEY_REUSED",
        },
    )


def test_squares_client_in_node_sells(node):
    assert_holds(
        node("square"),
        SQUARE
        | {
            "bad_key": "SquareError 401 UNAUTHORIZED",
            "unknown": "SquareError 404 NOT_FOUND",
            "over": "SquareError 400 REFUND_AMOUNT_INVALID",
            "invalid": "SquareError 400 MISSING_REQUIRED_PARAMETER",
            "other_body": "SquareError 400 IDEMPOTENCY_KEY_REUSED",
        },
    )


def test_mollies_client_in_python_sells(python):
    assert_holds(
        python("mollie"),
        MOLLIE
        | {
            "bad_key": "UnauthorizedError 401",
            "unknown": "NotFoundError 404",
            "over": "UnprocessableEntityError 422 amount",
            "invalid": "UnprocessableEntityError 422 amount",
            "other_body": "ConflictError 409",
        },
    )


def test_mollies_client_in_node_sells(node):
    assert_holds(
        node("mollie"),
        MOLLIE
        | {
            "made": ["open", True],
            "paid": ["paid", "12.34"],
            "held": "authorized",
            "listed": [2, 1, True],
            "bad_key": "ApiError 401",
            "unknown": "ApiError 404",
            "over": "ApiError 422 amount",
            "invalid": "ApiError 422 amount",
            "other_body": "ApiError 409",
        },
    )


def test_paypals_client_in_python_sells(python):
    assert_holds(
        python("paypal"),
        PAYPAL
        | {
            "early": "ErrorException 422 ORDER_NOT_APPROVED",
            "bad_key": "AuthValidationException",
            "unknown": "ErrorException 404 INVALID_RESOURCE_ID",
            "over": "ErrorException 422 REFUND_AMOUNT_EXCEEDED",
            "twice": "ErrorException 422 ORDER_ALREADY_CAPTURED",
            "invalid": "ErrorException 400 INVALID_PARAMETER_VALUE",
        },
    )


def test_paypals_client_in_node_sells(node):
    assert_holds(
        node("paypal"),
        PAYPAL
        | {
            "early": "CustomError 422 ORDER_NOT_APPROVED",
            "bad_key": "OAuthProviderError 401",
            "unknown": "CustomError 404 INVALID_RESOURCE_ID",
            "over": "CustomError 422 REFUND_AMOUNT_EXCEEDED",
            "twice": "CustomError 422 ORDER_ALREADY_CAPTURED",
            "invalid": "CustomError 400 INVALID_PARAMETER_VALUE",
        },
    )
