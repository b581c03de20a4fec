"""The dialects that this PSP speaks; a new one is one more row."""

from .generic import Generic
from .stripe import Stripe

DIALECTS = (Generic, Stripe)
NAMES = tuple(each.name for each in DIALECTS)
