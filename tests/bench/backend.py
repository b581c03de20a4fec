"""One connection to PostgreSQL with prepared statements, by libpq's own calls
as the gateway makes them, and the CPU that its backend has used.
"""

import ctypes
import ctypes.util
import pathlib
import sys

OK = {1, 2}  # PGRES_COMMAND_OK, PGRES_TUPLES_OK
PROCESSOR = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)

pq = ctypes.CDLL(ctypes.util.find_library("pq") or "libpq.so.5")
for name, result in {
    "PQconnectdb": ctypes.c_void_p,
    "PQerrorMessage": ctypes.c_char_p,
    "PQexecParams": ctypes.c_void_p,
    "PQprepare": ctypes.c_void_p,
    "PQexecPrepared": ctypes.c_void_p,
    "PQgetvalue": ctypes.c_char_p,
}.items():
    getattr(pq, name).restype = result


class Backend:
    """Use it in a with statement."""

    def __init__(self, dsn: str):
        self.conn = ctypes.c_void_p(pq.PQconnectdb(dsn.encode()))
        if pq.PQstatus(self.conn) != 0:
            sys.exit(f"no connection: {self.error()}")
        self.logged = 0  # messages of the server
        self.processor = PROCESSOR(self.heard)
        pq.PQsetNoticeProcessor(self.conn, self.processor, None)
        self.stat = pathlib.Path(
            f"/proc/{pq.PQbackendPID(self.conn)}/schedstat"
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pq.PQfinish(self.conn)

    def heard(self, _, message: bytes) -> None:
        self.logged += message.startswith(b"LOG:")

    def error(self) -> str:
        return pq.PQerrorMessage(self.conn).decode()

    def cpu_us(self) -> float:
        """That the backend has used so far."""
        return int(self.stat.read_text().split()[0]) / 1000

    def prepare(self, name: str, statement: str) -> None:
        self.rows(
            pq.PQprepare(self.conn, name.encode(), statement.encode(), 0, None)
        )

    def run(self, name: str, values: list[str]) -> list[list[str]]:
        """A prepared statement's rows."""
        return self.rows(
            pq.PQexecPrepared(
                self.conn, name.encode(), *given(values), None, None, 0
            )
        )

    def query(self, statement: str, *values: str) -> list[list[str]]:
        return self.rows(
            pq.PQexecParams(
                self.conn, statement.encode(), len(values), None,
                *given(values)[1:], None, None, 0
            )
        )  # fmt: skip

    def rows(self, result) -> list[list[str]]:
        result = ctypes.c_void_p(result)
        if pq.PQresultStatus(result) not in OK:
            sys.exit(f"PostgreSQL refuses: {self.error()}")
        rows = [
            [
                pq.PQgetvalue(result, row, column).decode()
                for column in range(pq.PQnfields(result))
            ]
            for row in range(pq.PQntuples(result))
        ]
        pq.PQclear(result)
        return rows


def given(values):
    """Of a number of texts, as libpq takes them."""
    texts = [value.encode() for value in values]
    return len(texts), (ctypes.c_char_p * len(texts))(*texts)
