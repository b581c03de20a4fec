"""What must never be found in a log or in the database
(docs/architecture.md#rules-of-the-house).

Tests add() what they send; secrets() reads the stack's own.  Scanner finds
them in any stream, hex-encoded too, as bytea columns are dumped that way.
"""

from pathlib import Path

# Test numbers of the card schemes; each passes Luhn.
PANS = (
    "4111111111111111",
    "4242424242424242",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "30569309025904",
    "6011111111111117",
    "3566002020360505",
    "6304000000000000",
    "4000000000000000006",
)
MIN = 12
PIECE = 1 << 20

_added: set[str] = set()


def add(*texts: str) -> None:
    """A token also counts by its signature alone."""
    for text in texts:
        _added.add(text)
        if text.count(".") == 2:
            _added.add(text.rpartition(".")[2])


def spaced(pan: str, separator: str = " ") -> str:
    """As cards print it."""
    if len(pan) == 15 or len(pan) == 14:
        groups = (pan[:4], pan[4:10], pan[10:])
    else:
        groups = [pan[i : i + 4] for i in range(0, len(pan), 4)]
    return separator.join(groups)


def card_numbers() -> set[str]:
    return {
        form for pan in PANS for form in (pan, spaced(pan), spaced(pan, "-"))
    }


def secrets(directory: Path) -> set[str]:
    """Every secret below the directory, public keys apart."""
    found = set()
    for path in directory.iterdir():
        if path.suffix == ".pub" or not path.is_file():
            continue
        for line in path.read_text(errors="replace").split("\n"):
            line = line.strip()
            if path.suffix == ".pgpass":
                line = line.rpartition(":")[2]
            if len(line) >= MIN and not line.startswith("-----"):
                found.update((line, line.removeprefix("whsec_")))
    return found


class Scanner:
    """A file object for COPY, and a reader of files; collects what it finds.

    A piece's end is kept, so that nothing hides across two pieces.
    """

    def __init__(self, texts):
        texts = {text for text in texts if len(text) >= MIN}
        forms = {text.encode() for text in texts}
        forms |= {text.encode().hex().encode() for text in texts}
        self.longest = max(map(len, forms))
        self.forms = sorted(forms)
        self.tail = b""
        self.found: list[str] = []
        self.size = 0
        self.pending: list[bytes] = []
        self.held = 0

    def write(self, data: bytes) -> None:
        """COPY brings a row at a time: a search is worth a megabyte."""
        self.pending.append(bytes(data))
        self.held += len(data)
        if self.held >= PIECE:
            self.flush()

    def flush(self) -> None:
        data = self.tail + b"".join(self.pending)
        self.size += self.held
        self.pending, self.held = [], 0
        # a plain search each is far faster than one regular expression
        for form in self.forms:
            at = data.find(form)
            if at >= 0:
                around = data[max(0, at - 80) : at]
                self.found.append(f"{form[:6]!r}… behind {around!r}")
        self.tail = data[-(self.longest - 1) :]

    def end(self) -> None:
        """What follows is another text."""
        self.flush()
        self.tail = b""

    def read_file(self, path: Path, offset: int = 0) -> None:
        with open(path, "rb") as source:
            source.seek(offset)
            while piece := source.read(PIECE):
                self.write(piece)
        self.end()


def scanner(directory: Path, *more: str) -> Scanner:
    return Scanner(secrets(directory) | card_numbers() | _added | set(more))
