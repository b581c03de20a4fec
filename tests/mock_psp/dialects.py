"""The dialects that this PSP speaks; a new one is one more row."""

from .adyen import Adyen
from .generic import Generic
from .stripe import Stripe

DIALECTS = (Adyen, Generic, Stripe)
NAMES = tuple(each.name for each in DIALECTS)
