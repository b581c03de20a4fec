"""What becomes of payments, as a test asks for it beforehand.

A fate waits for the next payment that fits and is used up by it, as a fault
is: states, each so long after the one before, on the providers' clock.
"""

import itertools
from dataclasses import dataclass

from ..dashboard import BadRequest


@dataclass
class Step:
    state: str
    after_s: float | None = None  # None: the setting payout_step_ms
    code: str | None = None
    back_minor: int | None = None  # comes back, when it is not the amount

    def view(self) -> dict:
        return dict(self.__dict__)


MEMBERS = {
    "state": str,
    "after_s": (int, float),
    "code": str,
    "back_minor": int,
}


def _step(spec: object) -> Step:
    if not isinstance(spec, dict) or "state" not in spec:
        raise BadRequest("a step is an object with a state")
    for name, value in spec.items():
        if name not in MEMBERS:
            raise BadRequest(f"a step has no {name!r}")
        if isinstance(value, bool) or not isinstance(value, MEMBERS[name]):
            raise BadRequest(f"{name}: not of that type")
    return Step(**spec)


class Fate:
    _ids = itertools.count(1)

    def __init__(self, provider, spec: dict):
        unknown = set(spec) - {"provider", "key", "steps", "times", "sticky"}
        if unknown:
            raise BadRequest(f"a fate has no {sorted(unknown)[0]!r}")
        self.id = next(self._ids)
        self.provider = provider.short
        self.key = spec.get("key")
        self.times = spec.get("times", 1)
        self.sticky = bool(spec.get("sticky", False))
        self.steps = [_step(each) for each in spec.get("steps", [])]
        if type(self.times) is not int or self.times < 1:
            raise BadRequest("times is a number from 1 on")
        self._walk(provider)

    def _walk(self, provider) -> None:
        """A fate that no payment can have is a mistake of the test."""
        state = provider.first
        for step in self.steps:
            if step.state not in provider.legal.get(state, ()):
                raise BadRequest(
                    f"{provider.short}: {step.state!r} never follows {state!r}"
                )
            state = step.state

    def view(self) -> dict:
        head = {
            name: getattr(self, name)
            for name in ("id", "provider", "key", "times", "sticky")
        }
        return head | {"steps": [each.view() for each in self.steps]}


class Fates:
    def __init__(self):
        self.queue: list[Fate] = []

    def add(self, provider, spec: dict) -> Fate:
        fate = Fate(provider, spec)
        self.queue.append(fate)
        return fate

    def take(self, provider, made) -> list[Step]:
        for fate in self.queue:
            if fate.provider != provider.short:
                continue
            if fate.key not in (None, made.key):
                continue
            if not fate.sticky:
                fate.times -= 1
                if fate.times == 0:
                    self.queue.remove(fate)
            return list(fate.steps)
        return [Step(state) for state in provider.fate]
