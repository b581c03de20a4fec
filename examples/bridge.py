#!/usr/bin/python3
"""Bank transfers as a payment service provider: a bridge that speaks the
protocol of docs/psp-generic.md.  Python's standard library only.

    bridge.py serve      answers the gateway and shows buyers where to pay
    bridge.py list       open registrations and refunds
    bridge.py paid REG   the transfer for this registration has arrived
    bridge.py repaid CHG the transfer of this refund has been made

The environment names: BRIDGE_URL (its own address), BRIDGE_DB (an SQLite
file), BRIDGE_API_KEY_FILE, BRIDGE_WEBHOOK_KEY_FILE, BRIDGE_WEBHOOK_URL (the
gateway's /webhooks/NAME), BRIDGE_IBAN, and BRIDGE_CA for a private CA.
"""

import base64
import hmac
import html
import json
import os
import sqlite3
import ssl
import sys
import threading
import time
import urllib.request
import uuid
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

ENV = os.environ
BODY_MAX = 65536
ROUNDS_S = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS registration (
    token TEXT PRIMARY KEY, nonce TEXT NOT NULL UNIQUE, body TEXT NOT NULL,
    status TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS refund (
    nonce TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, token TEXT NOT NULL,
    body TEXT NOT NULL, status TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS event (
    id TEXT PRIMARY KEY, created INTEGER NOT NULL, body TEXT NOT NULL,
    delivered INTEGER NOT NULL DEFAULT 0);
"""


class Refused(Exception):
    """An error answer; its arguments are the status and the code."""


def database():
    link = sqlite3.connect(ENV["BRIDGE_DB"], timeout=10)
    link.executescript(SCHEMA)
    return link


def secret(name):
    return Path(ENV[name]).read_text().strip()


def tell(link, kind, data):
    """Stores an event in the transaction of what it is about."""
    made = {"type": kind, "id": f"evt_{uuid.uuid4().hex}"}
    made |= {"created": int(time.time()), "data": data}
    row = (made["id"], made["created"], json.dumps(made))
    link.execute("INSERT INTO event (id, created, body) VALUES (?, ?, ?)", row)


# The protocol: each function is one call, in one transaction.


def view(row):
    token, _, body, status = row
    body = json.loads(body)
    names = ("nonce", "reference", "amount", "currency", "expires_at")
    shown = {name: body[name] for name in names}
    shown |= {"token": token, "status": status}
    shown["hosted_url"] = f"{ENV['BRIDGE_URL']}/pay/{token}"
    if status == "open" and body["expires_at"] <= time.time():
        shown["status"] = "expired"
    if status == "paid":
        shown["payment_id"] = "pay_" + token.removeprefix("reg_")
    return shown


def registration(link, column, value):
    query = f"SELECT * FROM registration WHERE {column} = ?"  # noqa: S608
    return link.execute(query, (value,)).fetchone()


def register(link, body):
    if body.get("capture") == "manual":
        raise Refused(422, "capture_not_supported")
    known = registration(link, "nonce", body["nonce"])
    if known:  # the same call again: the same answer, nothing new
        if json.loads(known[2]) != body:
            raise Refused(422, "nonce_reused")
        return 200, view(known)
    row = (f"reg_{uuid.uuid4().hex}", body["nonce"], json.dumps(body), "open")
    link.execute("INSERT INTO registration VALUES (?, ?, ?, ?)", row)
    return 201, view(row)


def expire(link, row):
    if view(row)["status"] in ("open", "expired"):
        change = "UPDATE registration SET status = 'expired' WHERE token = ?"
        link.execute(change, row[:1])
    return 200, view(registration(link, "token", row[0]))


def refund(link, row, body):
    known = "SELECT id, body, status FROM refund WHERE nonce = ?"
    known = link.execute(known, (body["nonce"],)).fetchone()
    if known and json.loads(known[1]) != body:
        raise Refused(422, "nonce_reused")
    if not known:
        asked = link.execute("SELECT body FROM refund WHERE token = ?", row[:1])
        taken = sum(Decimal(json.loads(each)["amount"]) for (each,) in asked)
        if row[3] != "paid":
            raise Refused(422, "not_paid")
        if taken + Decimal(body["amount"]) > Decimal(view(row)["amount"]):
            raise Refused(422, "more_than_paid")
        known = (f"chg_{uuid.uuid4().hex}", json.dumps(body), "pending")
        new = (body["nonce"], known[0], row[0], *known[1:])
        link.execute("INSERT INTO refund VALUES (?, ?, ?, ?, ?)", new)
    said = {name: body[name] for name in ("nonce", "amount", "currency")}
    return 201, said | {"id": known[0], "token": row[0], "status": known[2]}


def events(link, query):
    since, until = (int(query[name][0]) for name in ("since", "until"))
    after = int(query.get("cursor", ["0"])[0])
    found = link.execute(
        "SELECT rowid, body FROM event WHERE created >= ? AND created < ? "
        "AND rowid > ? ORDER BY rowid LIMIT 20", (since, until, after),
    ).fetchall()  # fmt: skip
    bodies = [json.loads(body) for _, body in found]
    more = str(found[-1][0]) if len(found) == 20 else None
    return 200, {"events": bodies, "next": more}


# What the bridge's operator does.


def paid(link, token):
    row = registration(link, "token", token)
    if not row or row[3] == "paid":
        raise SystemExit("no such registration, or paid already")
    done = "UPDATE registration SET status = 'paid' WHERE token = ?"
    link.execute(done, (token,))
    names = ("token", "nonce", "amount", "currency", "payment_id")
    data = view(registration(link, "token", token))
    tell(link, "registration.paid", {name: data[name] for name in names})


def repaid(link, change):
    done = "UPDATE refund SET status = 'done' WHERE id = ? AND status = ?"
    if not link.execute(done, (change, "pending")).rowcount:
        raise SystemExit("no such refund, or repaid already")
    row = "SELECT token, body FROM refund WHERE id = ?"
    token, body = link.execute(row, (change,)).fetchone()
    names = ("nonce", "amount", "currency")
    said = {name: json.loads(body)[name] for name in names}
    tell(link, "refund.done", said | {"id": change, "token": token})


def overview(link):
    query = "SELECT * FROM registration WHERE status = 'open'"
    for row in link.execute(query):
        line = "{token} {status} {amount} {currency} {reference}"
        print(line.format(**view(row)))
    query = "SELECT id, body FROM refund WHERE status = 'pending'"
    for name, body in link.execute(query):
        print(name, "pending {amount} {currency}".format(**json.loads(body)))


# Webhooks, and the server.


def deliver_once():
    """Standard Webhooks; an event stays until it is answered by a 2xx."""
    key = secret("BRIDGE_WEBHOOK_KEY_FILE").removeprefix("whsec_")
    key = base64.b64decode(key)
    context = ssl.create_default_context(cafile=ENV.get("BRIDGE_CA"))
    link = database()
    waiting = "SELECT id, body FROM event WHERE NOT delivered ORDER BY rowid"
    for name, body in link.execute(waiting).fetchall():
        now = str(int(time.time()))
        mac = hmac.digest(key, f"{name}.{now}.{body}".encode(), "sha256")
        head = {"Content-Type": "application/json", "webhook-id": name}
        head |= {"webhook-timestamp": now}
        head["webhook-signature"] = "v1," + base64.b64encode(mac).decode()
        request = urllib.request.Request(  # noqa: S310
            ENV["BRIDGE_WEBHOOK_URL"], body.encode(), head
        )
        try:
            urllib.request.urlopen(  # noqa: S310
                request, timeout=10, context=context
            ).close()
        except OSError as reason:
            print(f"event {name} waits: {reason}", file=sys.stderr, flush=True)
            continue
        with link:
            link.execute("UPDATE event SET delivered = 1 WHERE id = ?", (name,))
    link.close()


def deliver(stop):
    while not stop.wait(ROUNDS_S):
        deliver_once()


def page(link, token):
    row = registration(link, "token", token)
    if not row:
        raise Refused(404, "unknown")
    shown, back = view(row), json.loads(row[2])["return_url"]
    facts = (shown["amount"], shown["currency"], ENV["BRIDGE_IBAN"], token)
    facts = [html.escape(each) for each in facts]
    return (
        "<!doctype html><title>Bank transfer</title>"
        "<p>Please transfer {} {} to {} with the reference {}.".format(*facts)
        + f"<p><a href='{html.escape(back)}'>Back to the shop</a>"
    )


class Bridge(BaseHTTPRequestHandler):
    timeout = 10

    def do_GET(self):
        self.answer(None)

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.answer(self.rfile.read(length) if length <= BODY_MAX else None)

    def answer(self, raw):
        link = database()
        try:
            with link:  # one transaction, committed before the answer
                link.execute("BEGIN IMMEDIATE")
                status, said = self.work(link, raw)
        except Refused as reason:
            status, code = reason.args
            said = {"error": {"code": code, "message": "see the code"}}
        except (LookupError, ValueError, ArithmeticError, TypeError):
            status = 400
            said = {"error": {"code": "malformed", "message": "no such call"}}
        finally:
            link.close()
        kind = "text/html" if isinstance(said, str) else "application/json"
        text = said if isinstance(said, str) else json.dumps(said)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def work(self, link, raw):
        place = urlsplit(self.path)
        path, query = place.path.strip("/").split("/"), parse_qs(place.query)
        if path[0] == "pay" and raw is None:
            return 200, page(link, path[1])
        right = "Bearer " + secret("BRIDGE_API_KEY_FILE")
        given = self.headers.get("Authorization") or ""
        if not hmac.compare_digest(given.encode(), right.encode()):
            raise Refused(401, "unauthorized")
        if path == ["v1", "events"]:
            return events(link, query)
        if path == ["v1", "registrations"] and raw is None:
            row = registration(link, "nonce", query["nonce"][0])
            return 200, {"registrations": [view(row)] if row else []}
        if path == ["v1", "registrations"]:
            return register(link, json.loads(raw))
        row = registration(link, "token", path[2])
        if not row:
            raise Refused(404, "unknown")
        if raw is None:
            return 200, view(row)
        if path[3] == "expire":
            return expire(link, row)
        if path[3] == "refunds":
            return refund(link, row, json.loads(raw))
        raise Refused(422, "not_supported")


def serve():
    stop = threading.Event()
    threading.Thread(target=deliver, args=(stop,), daemon=True).start()
    place = urlsplit(ENV["BRIDGE_URL"])
    ThreadingHTTPServer((place.hostname, place.port), Bridge).serve_forever()


def main(verb="", *arguments):
    verbs = {"paid": (paid, 1), "repaid": (repaid, 1), "list": (overview, 0)}
    if verb == "serve":
        return serve()
    work, count = verbs.get(verb, (None, 0))
    if not work or len(arguments) != count:
        sys.exit(__doc__)
    with database() as link:
        return work(link, *arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
