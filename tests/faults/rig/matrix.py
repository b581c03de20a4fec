"""The cells of the sweep, and what the storefront may hear in each.

The whole matrix, with the cells that are tested elsewhere, is the table in
docs/reliability.md; test_matrix.py holds the two together.
"""

EVERY = ("M1", "M2", "M3", "M4", "M5", "M6", "M7")

ROWS = {
    "kill-worker": EVERY,
    "kill-all": EVERY,
    "stop-worker": EVERY,
    "reload": EVERY,
    "upgrade": EVERY,
    "kill-postgres": EVERY,
    "stop-postgres": EVERY,
    "read-only": EVERY,
}
CELLS = [(fault, moment) for fault, row in ROWS.items() for moment in row]

# None: the connection broke.
BROKEN = {None}
DONE = {201}
OPEN = {202, 503}
WITHOUT_DATABASE = {
    "M1": {503}, "M2": OPEN, "M3": OPEN, "M4": OPEN, "M5": DONE,
}  # fmt: skip
ANSWERS = {
    "kill-worker": dict.fromkeys(EVERY, BROKEN),
    "kill-all": dict.fromkeys(EVERY, BROKEN),
    "stop-worker": dict.fromkeys(EVERY, {201, 202, 503}),
    "reload": dict.fromkeys(EVERY, DONE),
    "upgrade": dict.fromkeys(EVERY, DONE),
    "kill-postgres": WITHOUT_DATABASE,
    "stop-postgres": WITHOUT_DATABASE,
    "read-only": WITHOUT_DATABASE,
}
DEADLINE_S = 8


def told(fault: str, moment: str, sale, heard) -> None:
    """The first answer is one that may be given in this cell."""
    allowed = ANSWERS[fault][moment]
    assert heard.status in allowed, (heard, allowed)
    assert heard.seconds < DEADLINE_S or fault == "stop-worker"
    if moment == "M1" and heard.status in (None, 503):
        assert sale.calls() == []
