"""Amounts: ISO 4217 decimal text on one side, a PSP's minor units on the other.

Written apart from the gateway's own table on purpose, so that a slip in
either shows as a difference between both sides' books.
"""

import re

TWO = set(
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV "
    "BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK "
    "DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL "
    "HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL "
    "MAD MDL MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK "
    "NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD "
    "SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH "
    "USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG ZWL MGA".split()
)
ZERO = set(
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF "
    "XPF".split()
)
THREE = set("BHD IQD JOD KWD LYD OMR TND".split())
FOUR = {"CLF"}

STRIPE_ZERO = set(
    "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split()
)
STRIPE_WHOLE_HUNDREDS = {"ISK", "UGX"}
STRIPE_THREE = {"BHD", "JOD", "KWD", "OMR", "TND"}

_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,14})(?:\.([0-9]+))?")


class BadAmount(ValueError):
    """The text is no amount of that currency."""


def exponent(currency: str) -> int:
    """Digits after the point; KeyError for a currency we do not know."""
    for digits, codes in ((2, TWO), (0, ZERO), (3, THREE), (4, FOUR)):
        if currency in codes:
            return digits
    raise KeyError(currency)


def parse(text: object, currency: str) -> int:
    """Decimal text in the currency's own precision -> ISO minor units."""
    digits = exponent(currency)
    found = _DECIMAL.fullmatch(text) if isinstance(text, str) else None
    if not found or len(found[2] or "") != digits:
        raise BadAmount(f"not an amount in {currency}")
    minor = int(found[1] + (found[2] or ""))
    if minor == 0:
        raise BadAmount("zero")
    return minor


def render(minor: int, currency: str) -> str:
    digits = exponent(currency)
    if digits == 0:
        return str(minor)
    whole, part = divmod(minor, 10**digits)
    return f"{whole}.{part:0{digits}d}"


def signed(minor: int, currency: str) -> str:
    """As `render`, with a sign below 0."""
    text = render(abs(minor), currency)
    return f"-{text}" if minor < 0 else text


def stripe_exponent(currency: str) -> int:
    if currency in STRIPE_ZERO:
        return 0
    return 3 if currency in STRIPE_THREE else 2


def from_stripe(units: int, currency: str) -> int:
    """Stripe's integer -> ISO minor units, by Stripe's own exceptions."""
    if currency in STRIPE_WHOLE_HUNDREDS:
        if units % 100:
            raise BadAmount(f"{currency} amounts end in 00")
        return units // 100
    if currency in STRIPE_THREE and units % 10:
        raise BadAmount(f"the last digit of a {currency} amount must be 0")
    shift = exponent(currency) - stripe_exponent(currency)
    return units * 10**shift if shift >= 0 else units // 10**-shift


def to_stripe(minor: int, currency: str) -> int:
    """ISO minor units -> Stripe's integer."""
    if currency in STRIPE_WHOLE_HUNDREDS:
        return minor * 100
    shift = stripe_exponent(currency) - exponent(currency)
    return minor * 10**shift if shift >= 0 else minor // 10**-shift


ADYEN = {"CLP": 2, "ISK": 2, "CVE": 0, "IDR": 0}


def to_adyen(minor: int, currency: str) -> int:
    """ISO minor units -> Adyen's integer; BadAmount when it is none."""
    if currency in FOUR:
        raise BadAmount(f"no {currency} here")
    shift = ADYEN.get(currency, exponent(currency)) - exponent(currency)
    if shift >= 0:
        return minor * 10**shift
    if minor % 10**-shift:
        raise BadAmount(f"whole {currency} only")
    return minor // 10**-shift


def from_adyen(units: int, currency: str) -> int:
    """Adyen's integer -> ISO minor units, by Adyen's own exceptions."""
    if currency in FOUR:
        raise BadAmount(f"no {currency} here")
    shift = exponent(currency) - ADYEN.get(currency, exponent(currency))
    if shift >= 0:
        return units * 10**shift
    if units % 10**-shift:
        raise BadAmount(f"{currency} amounts end in {'0' * -shift}")
    return units // 10**-shift
