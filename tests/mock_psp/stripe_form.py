"""Stripe's form encoding and the parameters that its calls may have.

Brackets become nested dicts; each parameter is then held against a tree of
known names, as Stripe refuses what it does not know.
"""

import re
from urllib.parse import parse_qsl

# A leaf is the name of its check; a dict is a nest; "#" any list index and
# "*" any key.
TREE = {
    "mode": "text",
    "success_url": "url",
    "cancel_url": "url",
    "client_reference_id": "text",
    "expires_at": "integer",
    "locale": "text",
    "customer_email": "text",
    "submit_type": "text",
    "ui_mode": "text",
    "billing_address_collection": "text",
    "metadata": {"*": "metadata"},
    "payment_method_types": {"#": "text"},
    "expand": {"#": "text"},
    "line_items": {
        "#": {
            "quantity": "integer",
            "price_data": {
                "currency": "text",
                "unit_amount": "integer",
                "product_data": {
                    "name": "text",
                    "description": "text",
                    "metadata": {"*": "metadata"},
                },
            },
        }
    },
    "payment_method_options": {
        "card": {
            "request_multicapture": "text",
            "request_three_d_secure": "text",
        }
    },
    "payment_intent_data": {
        "capture_method": "text",
        "description": "text",
        "statement_descriptor": "text",
        "transfer_group": "text",
        "metadata": {"*": "metadata"},
    },
}
CAPTURE = {
    "amount_to_capture": "integer",
    "final_capture": "text",
    "statement_descriptor": "text",
    "metadata": {"*": "metadata"},
    "expand": {"#": "text"},
}
REFUND = {
    "payment_intent": "text",
    "charge": "text",
    "amount": "integer",
    "reason": "text",
    "metadata": {"*": "metadata"},
    "expand": {"#": "text"},
}
TRANSFER = {
    "amount": "integer",
    "currency": "text",
    "destination": "text",
    "description": "text",
    "metadata": {"*": "metadata"},
    "source_transaction": "text",
    "source_type": "text",
    "transfer_group": "text",
    "expand": {"#": "text"},
}
PAYOUT = {
    "amount": "integer",
    "currency": "text",
    "description": "text",
    "destination": "text",
    "metadata": {"*": "metadata"},
    "method": "text",
    "source_type": "text",
    "statement_descriptor": "text",
    "expand": {"#": "text"},
}
REVERSAL = {
    "amount": "integer",
    "description": "text",
    "metadata": {"*": "metadata"},
    "refund_application_fee": "text",
    "expand": {"#": "text"},
}
TREES = {
    "session": TREE,
    "capture": CAPTURE,
    "cancel": {"cancellation_reason": "text", "expand": {"#": "text"}},
    "refund": REFUND,
    "transfer": TRANSFER,
    "payout": PAYOUT,
    "reversal": REVERSAL,
}
METADATA_KEYS_MAX = 50
METADATA_KEY_MAX = 40
METADATA_VALUE_MAX = 500
URL_MAX = 5000

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")


class BadParameter(Exception):
    """`code` is Stripe's, `param` the name as it was sent."""

    def __init__(self, code: str, message: str, param: str | None = None):
        super().__init__(message)
        self.code, self.param = code, param


def _integer(name: str, value: str):
    if not re.fullmatch(r"-?[0-9]{1,18}", value):
        raise BadParameter(
            "parameter_invalid_integer", f"Invalid integer: {value[:40]}", name
        )
    return int(value)


def _url(name: str, value: str):
    if len(value) > URL_MAX or not re.match(r"https?://[^\s/]", value):
        raise BadParameter("url_invalid", "Not a valid URL", name)
    return value


def _text(name: str, value: str):
    if value == "":
        raise BadParameter(
            "parameter_invalid_empty",
            f"You passed an empty string for '{name}'.",
            name,
        )
    return value


def _metadata(name: str, value: str):
    key = name[name.rindex("[") + 1 : -1]
    if len(key) > METADATA_KEY_MAX or len(value) > METADATA_VALUE_MAX:
        raise BadParameter(
            "parameter_invalid_string", "Metadata key or value too long", name
        )
    return value


CHECKS = {
    "integer": _integer,
    "url": _url,
    "text": _text,
    "metadata": _metadata,
}


def _unknown(name: str) -> BadParameter:
    return BadParameter(
        "parameter_unknown", f"Received unknown parameter: {name[:80]}", name
    )


def _path(name: str) -> list[str]:
    found = _NAME.fullmatch(name)
    if not found:
        raise _unknown(name)
    return [found[1], *re.findall(r"\[([^\[\]]*)\]", found[2])]


def _check_of(tree: dict, name: str, path: list[str]):
    node = tree
    for part in path:
        if not isinstance(node, dict):
            raise _unknown(name)
        if "#" in node and (part == "" or part.isdigit()):
            node = node["#"]
        elif "*" in node and part:
            node = node["*"]
        elif part in node and part not in "#*":
            node = node[part]
        else:
            raise _unknown(name)
    if isinstance(node, dict):
        raise BadParameter("parameter_invalid", "Invalid hash or array", name)
    return CHECKS[node]


def parse(raw: bytes, of: str = "session") -> dict:
    """Form bytes -> nested dicts with checked leaves (lists as dicts); `of`:
    what is asked for.
    """
    try:
        pairs = parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, errors="strict"
        )
    except (UnicodeDecodeError, ValueError):
        raise BadParameter("parameter_invalid", "Invalid form") from None
    tree: dict = {}
    for name, value in pairs:
        path = _path(name)
        checked = _check_of(TREES[of], name, path)(name, value)
        node = tree
        for part in path[:-1]:
            node = node.setdefault(part, {})
        node[path[-1]] = checked
    if len(tree.get("metadata", {})) > METADATA_KEYS_MAX:
        raise BadParameter(
            "parameter_invalid", "Metadata can have 50 keys", "metadata"
        )
    return tree
