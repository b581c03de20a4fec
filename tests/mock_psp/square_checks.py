"""What Square refuses: the bodies of its calls, member by member."""

import json
import re

CURRENCIES = {"AUD", "CAD", "EUR", "GBP", "JPY", "USD"}
SWITCHES = {"allow_tipping", "enable_coupon", "enable_loyalty"}
KEY_MAX, REFUND_KEY_MAX = 192, 45


class Refused(Exception):
    def __init__(self, code: str, field: str, status: int = 400):
        super().__init__(field)
        self.code, self.status = code, status


def load(raw: bytes) -> dict:
    try:
        body = json.loads(raw)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def members(body: object, wanted: dict, where: str) -> None:
    """wanted: {name: (type, required)}"""
    if not isinstance(body, dict):
        raise Refused("EXPECTED_OBJECT", where)
    for name in body:
        if name not in wanted:
            raise Refused("UNKNOWN_BODY_PARAMETER", f"{where}{name}")
    for name, (kind, required) in wanted.items():
        if name not in body:
            if required:
                raise Refused("MISSING_REQUIRED_PARAMETER", f"{where}{name}")
        elif type(body[name]) is not kind:
            raise Refused("INCORRECT_TYPE", f"{where}{name}")


def text(value: str, longest: int, where: str) -> None:
    if not value:
        raise Refused("VALUE_EMPTY", where)
    if len(value) > longest:
        raise Refused("VALUE_TOO_LONG", where)


def units(body: dict, where: str) -> int:
    members(body, {"amount": (int, True), "currency": (str, True)}, where)
    if body["currency"] not in CURRENCIES:
        raise Refused("INVALID_VALUE", where + "currency")
    if body["amount"] <= 0:
        raise Refused("VALUE_TOO_LOW", where + "amount")
    return body["amount"]


def check_line(line: object, where: str) -> tuple[str, int, str]:
    """-> name, amount, currency"""
    wanted = {
        "name": (str, True),
        "quantity": (str, True),
        "base_price_money": (dict, True),
    }
    members(line, wanted, where)
    text(line["name"], 512, where + "name")
    if not re.fullmatch(r"[1-9][0-9]{0,10}", line["quantity"]):
        raise Refused("INVALID_VALUE", where + "quantity")
    price = line["base_price_money"]
    amount = units(price, where + "base_price_money.")
    return line["name"], amount * int(line["quantity"]), price["currency"]


def check_order(order: dict) -> list[tuple[str, int, str]]:
    wanted = {
        "location_id": (str, True),
        "reference_id": (str, False),
        "line_items": (list, True),
    }
    members(order, wanted, "order.")
    text(order["location_id"], 50, "order.location_id")
    if "reference_id" in order:
        text(order["reference_id"], 40, "order.reference_id")
    lines = [
        check_line(each, f"order.line_items[{n}].")
        for n, each in enumerate(order["line_items"])
    ]
    if not lines:
        raise Refused("ARRAY_EMPTY", "order.line_items")
    if len({currency for _, _, currency in lines}) != 1:
        raise Refused("INVALID_VALUE", "order.line_items")
    return lines


def quick_order(quick: dict) -> dict:
    """The order that a quick_pay stands for: one of one thing."""
    wanted = {
        "name": (str, True),
        "price_money": (dict, True),
        "location_id": (str, True),
    }
    members(quick, wanted, "quick_pay.")
    text(quick["name"], 255, "quick_pay.name")
    units(quick["price_money"], "quick_pay.price_money.")
    line = {"name": quick["name"], "quantity": "1"}
    line["base_price_money"] = quick["price_money"]
    return {"location_id": quick["location_id"], "line_items": [line]}


def order_of(body: dict) -> dict:
    """A link is of an order or of a quick_pay, and of one of them only."""
    if "quick_pay" not in body and "order" not in body:
        raise Refused("MISSING_REQUIRED_PARAMETER", "order")
    if "quick_pay" in body and "order" in body:
        raise Refused("CONFLICTING_PARAMETERS", "quick_pay")
    return body["order"] if "order" in body else quick_order(body["quick_pay"])


def check_link(body: dict) -> tuple[dict, list[tuple[str, int, str]]]:
    """-> the order and its lines"""
    wanted = {
        "idempotency_key": (str, False),
        "order": (dict, False),
        "quick_pay": (dict, False),
        "checkout_options": (dict, False),
    }
    members(body, wanted, "")
    if len(body.get("idempotency_key", "")) > KEY_MAX:
        raise Refused("VALUE_TOO_LONG", "idempotency_key")
    options = body.get("checkout_options", {})
    known = dict.fromkeys(SWITCHES, (bool, False))
    members(options, known | {"redirect_url": (str, False)}, "options.")
    url = options.get("redirect_url", "https://example.com/")
    text(url, 2048, "checkout_options.redirect_url")
    if not url.startswith(("https://", "http://")):
        raise Refused("INVALID_VALUE", "checkout_options.redirect_url")
    order = order_of(body)
    return order, check_order(order)
