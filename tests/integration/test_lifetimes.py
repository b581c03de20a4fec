"""Requests whose client is gone at the worst moment: nothing may be used
after it was freed.  Under `make asan` each of these fails loudly; without it
a worker that dies is what shows.
"""

import json
import re
import socket
import struct
import threading
import time

import pytest

HOST = b"Host: localhost\r\n\r\n"
# Answers that are made inside the content handler: no database is asked.
PAGE = b"GET /checkout/" + b"a" * 43 + b"! HTTP/1.1\r\n" + HOST
HOOK = (b"POST /webhooks/generic HTTP/1.1\r\nContent-Length: 2\r\n"
        + HOST + b"{}")
RECORD = 15000


def connect(tls, gateway):
    plain = socket.create_connection((gateway.host, gateway.port), timeout=30)
    return tls.wrap_socket(plain, server_hostname="localhost")


def hang_up(tls, gateway, request: bytes, after_s: float) -> None:
    """Many requests in one TLS record, and a reset in their midst."""
    link = connect(tls, gateway)
    link.sendall(request * (RECORD // len(request)))
    time.sleep(after_s)  # where in the midst: each time elsewhere
    raw = socket.socket(fileno=link.detach())
    linger = struct.pack("ii", 1, 0)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    raw.close()


def test_a_reset_under_an_answer_made_at_once_frees_nothing_twice(stack):
    """flow_reply() ran the posted requests below the content handler, which
    then finalized what they had freed."""
    workers = stack.generation()
    for request in (PAGE, HOOK):
        for n in range(40):
            hang_up(stack.tls, stack.gateway, request, n * 0.0003)
    assert stack.is_ready()
    assert stack.workers() == workers


@pytest.fixture
def few_connections(stack):
    stack.configure(
        ("worker_connections  2048", "worker_connections  64"),
        ("worker_processes        2", "worker_processes        1"),
    )
    stack.expected.append("worker_connections are not enough")
    yield
    stack.configure()


def payment(stack) -> bytes:
    body = json.dumps(stack.order()).encode()
    head = stack.headers() | {"Host": "localhost", "Content-Length": len(body)}
    lines = [f"{name}: {value}\r\n" for name, value in head.items()]
    top = "POST /v1/payments HTTP/1.1\r\n"
    return (top + "".join(lines) + "\r\n").encode() + body


def crowd(stack) -> list:
    """Half a request on each connection that nginx has left."""
    links = []
    try:
        while len(links) < 100:
            links.append(connect(stack.tls, stack.gateway))
            links[-1].sendall(b"GET / HTTP/1.1\r\nHost: loc")
    except OSError:
        return links
    raise AssertionError("64 connections do not run out")


@pytest.mark.usefixtures("few_connections")
def test_no_connection_left_harms_no_call_that_is_under_way(stack):
    """A refusing socket callback made libcurl crash, or at least give up
    all calls of the worker."""
    stack.mock.faults(
        {"operation": "register", "kind": "delay", "ms": 3000, "times": 10}
    )
    workers = stack.generation()
    answers = []

    def create(link, rest):
        link.sendall(rest)
        answers.append(link.recv(16))

    late, request = connect(stack.tls, stack.gateway), payment(stack)
    late.sendall(request[:40])
    threads = [
        threading.Thread(
            target=create,
            args=(connect(stack.tls, stack.gateway), payment(stack)),
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    links = crowd(stack)
    threads.append(threading.Thread(target=create, args=(late, request[40:])))
    threads[-1].start()
    for thread in threads:
        thread.join()
    for link in links:
        link.close()
    assert len(answers) == 5
    assert all(re.match(rb"HTTP/1.1 20[12] ", text) for text in answers)
    assert stack.workers() == workers
