"""Requests whose client is gone at the worst moment: nothing may be used
after it was freed.  Under `make asan` each of these fails loudly; without it
a worker that dies is what shows.
"""

import socket
import struct
import time

HOST = b"Host: localhost\r\n\r\n"
# Answers that are made inside the content handler: no database is asked.
PAGE = b"GET /checkout/" + b"a" * 43 + b"! HTTP/1.1\r\n" + HOST
HOOK = b"POST /webhooks/generic HTTP/1.1\r\nContent-Length: 2\r\n" + HOST + b"{}"
RECORD = 15000


def hang_up(tls, gateway, request: bytes, after_s: float) -> None:
    """Many requests in one TLS record, and a reset in their midst."""
    plain = socket.create_connection((gateway.host, gateway.port))
    link = tls.wrap_socket(plain, server_hostname="localhost")
    link.sendall(request * (RECORD // len(request)))
    time.sleep(after_s)  # where in the midst: each time elsewhere
    raw = socket.socket(fileno=link.detach())
    linger = struct.pack("ii", 1, 0)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    raw.close()


def test_a_reset_under_an_answer_made_at_once_frees_nothing_twice(stack):
    """flow_reply() ran the posted requests below the content handler, which
    then finalized what they had freed."""
    workers = stack.workers()
    for request in (PAGE, HOOK):
        for n in range(40):
            hang_up(stack.tls, stack.gateway, request, n * 0.0003)
    assert stack.is_ready()
    assert stack.workers() == workers
