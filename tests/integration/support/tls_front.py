"""TLS in front of a server of http on 127.0.0.1, for clients that call https
only, and a proxy that leads there, for those that know only the PSP's hosts.
No name is looked up and no byte leaves this machine.
"""

import contextlib
import select
import socket

from .tls_psp import DEADLINE_S, Authority, Listener, Proxy, server_context


class Front(Listener):
    """Passes each connection on.  `paths` says what is put before the path of
    a connection's request, by the name that its handshake asks for: the clients
    make one request a connection."""

    def __init__(self, leaf, paths: dict[str, str], port: int):
        self.context = server_context(leaf)
        self.context.sni_callback = self.named
        self.paths = paths
        self.to = port
        super().__init__()

    def named(self, sock, name, _) -> None:
        """The client itself refuses a name that the certificate lacks."""
        sock.before = self.paths.get(name, "")

    def serve(self, sock: socket.socket) -> None:
        with (
            self.context.wrap_socket(sock, server_side=True) as near,
            socket.create_connection(("127.0.0.1", self.to), DEADLINE_S) as far,
        ):
            data = b""
            while b" " not in data:
                more = near.recv(65536)
                if not more:
                    return
                data += more
            method, _, rest = data.partition(b" ")
            far.sendall(method + b" " + near.before.encode() + rest)
            relay(near, far)


def relay(near, far) -> None:
    """In one thread: two must not use a TLS connection at the same time."""
    other = {near: far, far: near}
    while True:
        ready = [near] if near.pending() else []
        ready = ready or select.select(list(other), [], [], DEADLINE_S)[0]
        for one in ready:
            data = one.recv(65536)
            if not data:
                return
            other[one].sendall(data)
        if not ready:
            return


@contextlib.contextmanager
def front(directory, paths: dict[str, str], port: int):
    """(front, proxy to it, file of the authority that vouches for it)"""
    ours = Authority(directory, "front")
    server = Front(ours.leaf("127.0.0.1", *paths), paths, port)
    proxy = Proxy(dict.fromkeys(paths, server.port))
    try:
        yield server, proxy, ours.file
    finally:
        proxy.close()
        server.close()
