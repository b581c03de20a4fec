"""A storefront that takes webhooks over HTTPS: it remembers each message, and
answers each path as a test wants it to."""

import json
import threading
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from standardwebhooks import Webhook

from .own_stack import wait_for
from .tls_psp import Authority, Psp, server_context

OK = (200, {}, b"ok")
DRIP = "drip"  # a byte a second, without an end
HANG = "hang"  # no answer at all
HOOKS = "/v1/webhook-endpoints"


@dataclass
class Message:
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict:
        return json.loads(self.body)

    def verify(self, secret: str) -> dict:
        """As a storefront does, with the library of the specification."""
        return Webhook(secret).verify(self.body.decode(), self.headers)


class Receiver(Psp):
    """answers: by path, what comes next; the last one stays."""

    def __init__(self, authority: Authority, name: str = "localhost"):
        self.answers: dict[str, list] = {}
        self.over = threading.Event()
        leaf = authority.leaf(name)
        super().__init__(server_context(leaf), self.next_answer)

    def close(self) -> None:
        self.over.set()
        super().close()

    def url(self, path: str) -> str:
        return f"https://localhost:{self.port}{path}"

    def says(self, path: str, *answers) -> str:
        """The URL of the path, which gives these answers."""
        self.answers[path] = list(answers)
        return self.url(path)

    def next_answer(self, method, path, fields, body):
        left = self.answers.get(path, [OK])
        answer = left.pop(0) if len(left) > 1 else left[0]
        if answer == HANG:
            self.over.wait()
            raise ConnectionAbortedError
        return answer

    def one(self, sock) -> bool:
        self.sock = sock
        return super().one(sock)

    def got(self, path: str) -> list[Message]:
        return [
            Message(fields, body)
            for _, at, fields, body in list(self.requests)
            if at == path
        ]


class Dripping(Receiver):
    """Its header ends never: a byte of it comes each second."""

    def one(self, sock) -> bool:
        self.answer = partial(self.drip, sock)
        return super().one(sock)

    def drip(self, sock, *_):
        sock.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not self.over.wait(1):
            sock.sendall(b"x")
        raise ConnectionAbortedError


class Shop:
    """A merchant's use of the API for webhooks."""

    def __init__(self, stack, merchant: str = ""):
        self.stack = stack
        self.merchant = merchant

    def ask(self, method: str, path: str, **more):
        """Again where a machine that is busy with others refuses it, which is
        without effect."""
        headers = self.stack.headers(merchant=self.merchant)
        del headers["Content-Type"]
        headers |= more.pop("headers", {})

        def taken():
            answer = self.stack.http.request(
                method, path, headers=headers, **more
            )
            return None if "problems/overloaded" in answer.text else [answer]

        (answer,) = wait_for(taken, "the request to be taken")
        return answer

    def make(self, url: str, **more) -> dict:
        """An endpoint that hears of nothing but its own tests, by default."""
        body = {"url": url, "types": ["endpoint.test"]} | more
        answer = self.ask("POST", HOOKS, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def act(self, endpoint: dict, act: str, body=None, status=200) -> dict:
        path = f"{HOOKS}/{endpoint['endpoint_id']}/{act}"
        more = {} if body is None else {"json": body}
        answer = self.ask("POST", path, **more)
        assert answer.status_code == status, answer.text
        return answer.json()

    def get(self, path: str, status: int = 200) -> dict:
        answer = self.ask("GET", path)
        assert answer.status_code == status, answer.text
        return answer.json()

    def endpoint(self, endpoint: dict) -> dict:
        return self.get(f"{HOOKS}/{endpoint['endpoint_id']}")

    def deliveries(self, endpoint: dict, more: str = "") -> list[dict]:
        path = f"/v1/webhook-deliveries?endpoint={endpoint['endpoint_id']}"
        return self.get(path + more)["deliveries"]

    def now(self, endpoint: dict) -> None:
        """Its deliveries are due, instead of waiting for their time.  The
        endpoint comes last: a worker that looks finds them due, and does not
        put the look off again."""
        for query in (
            "UPDATE pay.webhook_delivery SET run_at = now() "
            "WHERE endpoint_id = %s AND state = 'due' AND NOT is_leased",
            "UPDATE pay.webhook_endpoint SET look_at = now(), "
            "paused_until = NULL WHERE endpoint_id = %s",
        ):
            self.stack.sql(query, endpoint["endpoint_id"])


def ordered(numbers: list[int]) -> bool:
    return all(one < next_ for one, next_ in pairwise(numbers))
