"""tests/openapi/check: the documents of a directory against requests on
standard input.  Prints a line a call; exit 1 when a document complains.
"""

import sys
from pathlib import Path

from documents import Document, calls

# A PSP may publish several documents, and the first that knows a path counts.
FILES = {
    "adyen": ["adyen.json"],
    "mollie": ["mollie.yaml"],
    "paypal": [
        "paypal-orders.json",
        "paypal-payments.json",
        "paypal-webhooks.json",
    ],
    "square": ["square.json"],
    "stripe": ["stripe.json", "stripe.yaml"],
}

# What the documents leave out: header fields, what came after the document
# (sessions by time, at Stripe), and a call that stands among the security
# schemes.
UNNAMED = {
    "square": ["header square-version"],
    "stripe": [
        "header stripe-version",
        "header idempotency-key",
        "query created",
    ],
}
ELSEWHERE = {("paypal", "auth")}


def documents(place: Path) -> dict:
    return {
        psp: [
            Document(place / name) for name in names if (place / name).exists()
        ]
        for psp, names in FILES.items()
    }


def judge(call: dict, known: list) -> list[str]:
    said = [["no document"]]
    for each in known:
        said.append(each.complaints(call))
    missing = [each for each in said if each[:1] and each[0].startswith("no ")]
    found = [each for each in said if each not in missing]
    return found[0] if found else missing[-1]


def main(place: str) -> int:
    known = documents(Path(place))
    wrong = 0
    for call in calls(sys.stdin.read()):
        if call["psp"] not in FILES:
            print(f"{call['psp']} {call['operation']}: no published document")
            continue
        if (call["psp"], call["operation"]) in ELSEWHERE:
            print(f"{call['psp']} {call['operation']}: not in the document")
            continue
        unnamed = tuple(UNNAMED.get(call["psp"], ["-"]))
        said = [
            each
            for each in judge(call, known[call["psp"]])
            if not each.startswith(unnamed)
        ]
        wrong += bool(said)
        print(f"{call['psp']} {call['operation']}: {'; '.join(said) or 'ok'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
