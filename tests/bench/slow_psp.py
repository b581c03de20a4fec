"""A PSP that takes its time: from SIGUSR1 on it answers each registration after
so many seconds, before at once.  Arguments: port, seconds, how many wait at
most; for HTTP/2 over TLS, as PSPs speak it, the files of certificate and key,
else it is plain HTTP/1.1.  A connection of HTTP/2 takes a hundred at once.
"""

import asyncio
import json
import resource
import signal
import ssl
import sys

import h2.config
import h2.connection
import h2.events


def registration(key: str) -> bytes:
    session = "cs_test_" + key
    return json.dumps(
        {
            "object": "checkout.session",
            "id": session,
            "url": f"https://pay.example/{session}",
            "status": "open",
            "payment_status": "unpaid",
        }
    ).encode()


async def serve(reader, writer):
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            fields = dict(
                line.split(": ", 1) for line in head.split("\r\n")[1:] if line
            )
            await reader.readexactly(int(fields.get("content-length", "0")))
            await asyncio.sleep(seconds)
            body = registration(fields.get("idempotency-key", "none"))
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
            )
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


class Streams(asyncio.Protocol):
    """One connection of HTTP/2."""

    def __init__(self):
        self.h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(
                client_side=False, header_encoding="utf-8"
            )
        )
        self.keys = {}

    def connection_made(self, transport):
        self.transport = transport
        self.h2.initiate_connection()
        self.flush()

    def flush(self) -> None:
        self.transport.write(self.h2.data_to_send())

    def data_received(self, data):
        for event in self.h2.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                fields = dict(event.headers)
                key = fields.get("idempotency-key", "none")
                self.keys[event.stream_id] = key
            elif isinstance(event, h2.events.DataReceived):
                self.h2.acknowledge_received_data(
                    event.flow_controlled_length, event.stream_id
                )
            elif isinstance(event, h2.events.StreamReset):
                self.keys.pop(event.stream_id, None)
            elif isinstance(event, h2.events.StreamEnded):
                asyncio.get_running_loop().call_later(
                    seconds, self.answer, event.stream_id
                )
        self.flush()

    def answer(self, stream: int) -> None:
        key = self.keys.pop(stream, None)
        if key is None or self.transport.is_closing():
            return
        body = registration(key)
        fields = {
            ":status": "200",
            "content-type": "application/json",
            "content-length": str(len(body)),
        }
        self.h2.send_headers(stream, list(fields.items()))
        self.h2.send_data(stream, body, end_stream=True)
        self.flush()


def be_slow() -> None:
    global seconds
    seconds = SECONDS


async def main():
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, be_slow)
    if TLS:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*TLS)
        context.set_alpn_protocols(["h2"])
        server = await loop.create_server(
            Streams, "127.0.0.1", PORT, backlog=COUNT, ssl=context
        )
    else:
        server = await asyncio.start_server(
            serve, "127.0.0.1", PORT, backlog=COUNT
        )
    await server.serve_forever()


seconds = 0.0
PORT, SECONDS, COUNT = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
TLS = sys.argv[4:6]
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
asyncio.run(main())
