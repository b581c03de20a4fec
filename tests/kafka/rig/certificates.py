"""Certificates for the broker, made by openssl: a CA, and those of servers that
it has signed."""

import subprocess
from pathlib import Path

EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def openssl(*words) -> None:
    subprocess.run(
        ["openssl", *map(str, words)],
        check=True,
        capture_output=True,
        timeout=60,
    )


class Authority:
    """file: its certificate, for those who trust it."""

    def __init__(self, place: Path, name: str):
        self.place = place
        self.file = place / f"{name}.pem"
        self.key = place / f"{name}.key"
        openssl(
            *("req", "-x509", *EC, "-days", 2, "-subj", f"/CN={name}"),
            *("-keyout", self.key, "-out", self.file),
        )

    def server(self, host: str) -> Path:
        """Key and certificate of a host in one file, as Kafka reads them."""
        key, asked, signed, names = (
            self.place / f"{host}.{part}"
            for part in ("key", "csr", "crt", "names")
        )
        names.write_text(f"subjectAltName=DNS:{host}\n")
        openssl(
            *("req", "-new", *EC, "-subj", f"/CN={host}"),
            *("-keyout", key, "-out", asked),
        )
        openssl(
            *("x509", "-req", "-in", asked, "-days", 2, "-extfile", names),
            *("-CA", self.file, "-CAkey", self.key, "-CAcreateserial"),
            *("-out", signed),
        )
        both = self.place / f"{host}.pem"
        both.write_text(
            key.read_text() + signed.read_text() + self.file.read_text()
        )
        return both
