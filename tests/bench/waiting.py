"""Creates that wait, over HTTP/2 as shops send them: a hundred at once on each
connection.  Arguments: URL, how many.  Environment: JWT, RETURN_URL, PREFIX,
GATEWAY_CA; PAUSE, seconds between two creates of a connection, else they go
together.  Prints at the end how many answers of each status there were.
"""

import asyncio
import collections
import json
import os
import ssl
import sys
import urllib.parse

import h2.config
import h2.connection
import h2.events

STREAMS = 100
PAUSE = float(os.environ.get("PAUSE", "0"))


class Shop(asyncio.Protocol):
    """One connection: its share of the creates."""

    def __init__(self, names: list[str], authority: str, told):
        self.names, self.authority, self.told = names, authority, told
        self.left = len(names)
        self.over = asyncio.get_running_loop().create_future()
        self.h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(header_encoding=None)
        )

    def connection_made(self, transport):
        self.transport = transport
        self.h2.initiate_connection()
        loop = asyncio.get_running_loop()
        for place, name in enumerate(self.names):
            if PAUSE:
                loop.call_later(place * PAUSE, self.create_now, name)
            else:
                self.create(name)
        self.flush()

    def create_now(self, name: str) -> None:
        self.create(name)
        self.flush()

    def create(self, name: str) -> None:
        order = {
            "payment_order_id": name,
            "seller_account": "seller-1",
            "amount": "12.34",
            "currency": "USD",
        }
        body = json.dumps(
            {
                "checkout_id": name,
                "buyer_info": {},
                "return_url": os.environ["RETURN_URL"],
                "psp": "stripe",
                "payment_orders": [order],
            }
        ).encode()
        fields = {
            ":method": "POST",
            ":scheme": "https",
            ":authority": self.authority,
            ":path": "/v1/payments",
            "authorization": "Bearer " + os.environ["JWT"],
            "content-type": "application/json",
            "content-length": str(len(body)),
            "idempotency-key": f"{name}-idempotency",
        }
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, list(fields.items()))
        self.h2.send_data(stream, body, end_stream=True)

    def flush(self) -> None:
        self.transport.write(self.h2.data_to_send())

    def data_received(self, data):
        for event in self.h2.receive_data(data):
            if isinstance(event, h2.events.ResponseReceived):
                self.told[dict(event.headers)[b":status"].decode()] += 1
            elif isinstance(event, h2.events.DataReceived):
                self.h2.acknowledge_received_data(
                    event.flow_controlled_length, event.stream_id
                )
            elif isinstance(event, h2.events.StreamReset):
                self.told["reset"] += 1
                self.ended()
            elif isinstance(event, h2.events.StreamEnded):
                self.ended()
        self.flush()

    def ended(self) -> None:
        self.left -= 1
        if not self.left and not self.over.done():
            self.over.set_result(None)

    def connection_lost(self, why):
        if not self.over.done():
            self.told["lost"] += self.left
            self.over.set_result(None)


async def main(url: str, count: int) -> None:
    at = urllib.parse.urlsplit(url)
    tls = ssl.create_default_context(cafile=os.environ["GATEWAY_CA"])
    tls.set_alpn_protocols(["h2"])
    told = collections.Counter()
    names = [f"{os.environ['PREFIX']}-{n}" for n in range(count)]
    shops = []
    for first in range(0, count, STREAMS):
        share = names[first : first + STREAMS]
        _, shop = await asyncio.get_running_loop().create_connection(
            lambda share=share: Shop(share, at.netloc, told),
            at.hostname,
            at.port,
            ssl=tls,
        )
        shops.append(shop)
    await asyncio.gather(*(shop.over for shop in shops))
    print(json.dumps(told))


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
