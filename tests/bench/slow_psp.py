"""A PSP that takes its time: answers each registration after so many seconds.
Arguments: port, seconds, how many wait at most.
"""

import asyncio
import json
import resource
import sys


async def serve(reader, writer):
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            fields = dict(
                line.split(": ", 1) for line in head.split("\r\n")[1:] if line
            )
            await reader.readexactly(int(fields.get("content-length", "0")))
            session = "cs_test_" + fields.get("idempotency-key", "none")
            await asyncio.sleep(SECONDS)
            body = json.dumps(
                {
                    "object": "checkout.session",
                    "id": session,
                    "url": f"http://127.0.0.1:{PORT}/pay/{session}",
                    "status": "open",
                    "payment_status": "unpaid",
                }
            ).encode()
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
            )
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", PORT, backlog=COUNT)
    await server.serve_forever()


PORT, SECONDS, COUNT = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
asyncio.run(main())
