"""HTTP/2 by hand (python3-h2), so that wrong frames can be sent, and all that
comes back on one stream can be seen."""

import json

import h2.config
import h2.connection
import h2.events
import httpx

from .client import tls_socket


class Answer:
    """One stream's response; `reset` and `goaway` are error codes or None."""

    def __init__(self):
        self.status_code = 0
        self.headers = httpx.Headers()
        self.content = b""
        self.reset = None
        self.goaway = None
        self.ended = False

    @property
    def text(self):
        return self.content.decode()

    def json(self):
        return json.loads(self.content)

    def take(self, event, connection) -> None:
        if isinstance(event, h2.events.ResponseReceived):
            pairs = [(name, value) for name, value in event.headers]
            self.status_code = int(dict(pairs)[b":status"])
            self.headers = httpx.Headers(
                [pair for pair in pairs if not pair[0].startswith(b":")]
            )
        elif isinstance(event, h2.events.DataReceived):
            self.content += event.data
            connection.acknowledge_received_data(
                event.flow_controlled_length, event.stream_id
            )
        elif isinstance(event, h2.events.StreamEnded):
            self.ended = True
        elif isinstance(event, h2.events.StreamReset):
            self.reset = int(event.error_code)
        elif isinstance(event, h2.events.ConnectionTerminated):
            self.goaway = int(event.error_code)


def exchange(gateway, headers, body=b"", port=None, finish=True) -> Answer:
    """One request; `headers` go out as they are, pseudo headers included.

    Without `finish` the stream is left open behind the body.
    """
    config = h2.config.H2Configuration(
        header_encoding=None,
        validate_outbound_headers=False,
        normalize_outbound_headers=False,
    )
    connection = h2.connection.H2Connection(config)
    connection.initiate_connection()
    answer = Answer()
    with tls_socket(gateway, alpn=("h2",), port=port) as sock:
        assert sock.selected_alpn_protocol() == "h2"
        connection.send_headers(1, headers, end_stream=not body)
        sock.sendall(connection.data_to_send())
        while not over(answer):
            body = send_some(sock, connection, body, finish)
            data = sock.recv(65536)
            if not data:
                break
            for event in connection.receive_data(data):
                answer.take(event, connection)
            sock.sendall(connection.data_to_send())
    return answer


def over(answer) -> bool:
    return answer.ended or answer.reset is not None or answer.goaway is not None


def send_some(sock, connection, body, finish) -> bytes:
    """What the flow control window allows; returns the rest."""
    while body:
        room = min(
            connection.local_flow_control_window(1),
            connection.max_outbound_frame_size,
        )
        if room <= 0:
            break
        part, body = body[:room], body[room:]
        connection.send_data(1, part, end_stream=finish and not body)
        sock.sendall(connection.data_to_send())
    return body


def request_headers(gateway, method, path, **more) -> list:
    pairs = [
        (":method", method),
        (":scheme", "https"),
        (":authority", gateway.authority),
        (":path", path),
    ]
    return pairs + [(k.replace("_", "-"), v) for k, v in more.items()]
