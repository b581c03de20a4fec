"""What a dialect of this PSP is: the frame that ``generic``, ``stripe`` and
the others fill.  A new one is a subclass in a file of its own and a row in
``dialects.DIALECTS``; README.md lists what to do in which order.

A dialect turns requests into book entries and entries into answers and events.
It knows no sockets: ``api``, ``hosted`` and ``webhooks`` do the rest.
"""

import copy
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field

from .answers import Answer
from .settle_form import Form


@dataclass
class Mail:
    """One attempt to deliver an event, before it goes out.

    ``sign`` adds headers, or writes the signature into the body where that
    PSP has it there.
    """

    id: str
    now: int
    url: str
    body: bytes
    headers: dict = field(
        default_factory=lambda: {"Content-Type": "application/json"}
    )


class Dialect:
    # The path of the API, of the files DIR/<name>.key and .whsec, and of the
    # gateway's /webhooks/<name>.
    name = ""
    # Where the hosted page is, before the token; /<name>/pay/ when empty.
    page = ""
    # The header with the idempotency key.
    key_header = "Idempotency-Key"
    # What a buyer's success on the hosted page leads to.
    success = "paid"
    # Does a decline on the hosted page settle anything, or may the buyer
    # just try again and nobody hears of it?
    tells_declines = True
    # Does the cancel link end the registration, or only lead back?
    cancels = True
    # How it settles: see ``settle_form``.
    form = Form

    def __init__(self, books, config):
        self.books = books
        self.config = config
        # set by ``Psp``
        self.lifecycle = self.aftersale = self.settlement = None
        self.stored: dict[str, tuple[str, Answer, float]] = {}
        self.round = False  # the list of this call has no end: `loop`

    async def start(self) -> None:
        """What else it serves, before the first call comes."""

    async def stop(self) -> None:
        pass

    def reset(self) -> None:
        self.stored.clear()

    @property
    def secret(self) -> str:
        """The API key."""
        return self.config.keys[self.name]

    @property
    def root(self) -> str:
        return self.page or f"/{self.name}/pay/"

    # The API.

    def routes(self, api) -> list:
        """Made with api.register(self), api.query(self) and, for the rest,
        api.change(self, operation, work).
        """
        raise NotImplementedError

    def key(self, request, raw: bytes) -> str:
        """The idempotency key: what tells one registration from another."""
        return request.headers.get(self.key_header, "")

    def bearer(self, request) -> bool:
        sent = request.headers.get("Authorization", "").encode()
        return hmac.compare_digest(sent, f"Bearer {self.secret}".encode())

    def authorise(self, request) -> Answer | None:
        """None, or what a caller without the key hears."""
        raise NotImplementedError

    def trouble(self, status: int) -> Answer:
        """An answer of that status, as this PSP words it."""
        raise NotImplementedError

    def busy(self, nonce: str) -> Answer:
        """Another call with that key is still being worked on."""
        raise NotImplementedError

    def register(self, request, raw: bytes):
        """-> answer, registration or None, what happened; "created" is the
        first time.
        """
        raise NotImplementedError

    def show(self, made, status: int = 200) -> Answer:
        raise NotImplementedError

    def query(self, token: str) -> Answer:
        raise NotImplementedError

    def twin(self, first):
        """The fault `other_token`: a second registration of one key."""
        made = copy.copy(first)
        made.token = self.new_token()
        made.hosted_url = self.url(made.token)
        self.books.add(made, first=False)
        return made

    def new_token(self) -> str:
        raise NotImplementedError

    def url(self, token: str) -> str:
        """The hosted page's."""
        return f"{self.config.public_url}{self.root}{token}"

    def new_payment_id(self) -> str:
        return self.books.random_id("pay_", 23)

    # Lists.

    def bad_query(self, why: str) -> Answer:
        """What a list with parameters that it does not know is told."""
        raise NotImplementedError

    def entries(self, body: dict) -> list:
        """The entries of a page."""
        raise NotImplementedError

    def loop(self, body: dict, request) -> None:
        """The fault `loop`: the page leads on to one that leads back, with
        another cursor than the one that was asked for.
        """
        raise NotImplementedError

    # Idempotency keys, for those that store answers by them.

    def fresh(self, since: float) -> bool:
        """Is a key of that time still known?"""
        window = self.config.key_window_s
        return not window or time.time() < since + window

    def known(self, nonce: str):
        """The registration of a key that has not run out, or None."""
        made = self.books.of_nonce(self.name, nonce)
        return made if made and self.fresh(made.created) else None

    def failed(self, key: str, raw: bytes, answer: Answer, fault) -> None:
        """An answer was spoilt by the fault `status` and nothing was booked:
        the place to store it, at a PSP that replays its own 500.
        """

    def remember(self, key: str, raw: bytes, answer: Answer) -> None:
        if key:
            print_ = hashlib.sha256(raw).hexdigest()
            self.stored[key] = (print_, copy.deepcopy(answer), time.time())

    def recall(self, key: str, raw: bytes):
        """-> None, or whether the body is the first one's, and its answer;
        None again when the key has run out
        """
        if key not in self.stored:
            return None
        print_, answer, since = self.stored[key]
        if not self.fresh(since):
            del self.stored[key]
            return None
        same = print_ == hashlib.sha256(raw).hexdigest()
        return same, copy.deepcopy(answer)

    # The buyer.

    def pend(self, made) -> None:
        """The buyer's money takes its time."""
        self.lifecycle.pend(made)

    def back(self, made, url: str) -> str:
        """Where the buyer is sent back to."""
        return url

    def attempted(self, made, code: str) -> list:
        """The events of one declined attempt on a page that stays open."""
        return []

    def settled(self, made, before: str, result: str) -> list:
        """The events of a change, after made.status has moved."""
        return [self.event(made, result)]

    # What happens after the sale: see ``aftersale``.

    def new_deed_id(self, kind: str, prefix: str) -> str:
        return self.books.random_id(prefix, 24)

    def told(self, deed, before: str) -> list:
        """The events of a deed that has become what it is."""
        return []

    def rest_released(self, made, result: str) -> list:
        """The events when the rest of a payment will not be captured:
        cancelled, or expired.
        """
        return []

    # The faults: they change an answer's body or an event's object.

    def change_amount(self, body: dict) -> None:
        raise NotImplementedError

    def change_currency(self, body: dict) -> None:
        raise NotImplementedError

    def change_url(self, body: dict, url: str) -> None:
        raise NotImplementedError

    def change_token(self, body: dict) -> None:
        raise NotImplementedError

    # Events.

    def event(self, made, fact: str) -> dict:
        raise NotImplementedError

    def envelope(self, kind: str, data: dict) -> dict:
        """An event of any kind and content, for the control API."""
        raise NotImplementedError

    def event_id(self, event: dict) -> str:
        return event["id"]

    def event_type(self, event: dict) -> str:
        return event["type"]

    def rename(self, event: dict, event_id: str) -> None:
        event["id"] = event_id

    def event_object(self, event: dict) -> dict:
        """The part of an event that holds amount and currency."""
        return event

    def wire(self, event: dict) -> bytes:
        return json.dumps(event, indent=2).encode()

    def sign(self, secret: str, mail: Mail) -> None:
        raise NotImplementedError

    def wrong_secret(self) -> str:
        raise NotImplementedError
