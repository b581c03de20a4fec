"""The dialects that this PSP speaks; a new one is one more row."""

from .adyen import Adyen
from .generic import Generic
from .mollie import Mollie
from .paypal import PayPal
from .square import Square
from .stripe import Stripe

DIALECTS = (Adyen, Generic, Mollie, PayPal, Square, Stripe)
NAMES = tuple(each.name for each in DIALECTS)
