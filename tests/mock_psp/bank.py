"""A bank: statements of what the PSPs have paid out, as camt.053 or MT940.

It has an account for each format and currency; a statement goes on where the
one before it ended.  What can be wrong: a payout comes in parts, together with
another, later, less a fee, without its name; money comes from a stranger.
"""

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from . import money
from .dashboard import BadRequest

FAULTS = {
    "split": {"payout": None, "parts": 2},
    "merge": {"payouts": []},
    "late": {"payout": None},
    "fee": {"payout": None, "minor": 100},
    "unnamed": {"payout": None},
    "foreign": {"minor": 777, "currency": "EUR"},
    "footer": {"by_minor": 1},
    "cut": {},
}
OPENING = 100000


@dataclass
class Entry:
    minor: int
    currency: str
    text: str
    payouts: list


class Bank:
    def __init__(self, books, settlements, dialects):
        self.books = books
        self.settlements = settlements
        self.dialects = dialects

    def statement(self, body: dict) -> dict:
        """{format, day?, payouts?, faults?} → the file and its entries"""
        write = FORMATS.get(body.get("format"))
        if write is None:
            raise BadRequest(f"format is one of {', '.join(FORMATS)}")
        faults = [_checked(each) for each in body.get("faults", [])]
        day = body.get("day", str(datetime.now(UTC).date()))
        entries = self._entries(self._payouts(body), faults)
        if not entries:
            raise BadRequest("nothing has come in")
        self.books.statements += 1
        off = sum(e["by_minor"] for e in faults if e["kind"] == "footer")
        sheets = [
            self._sheet(body["format"], currency, list(part), day, off)
            for currency, part in itertools.groupby(
                sorted(entries, key=lambda each: each.currency),
                key=lambda each: each.currency,
            )
        ]
        name, text = write(self.books.statements, sheets)
        if any(each["kind"] == "cut" for each in faults):
            text = text[: len(text) * 2 // 3]
        shown = [
            {
                "minor": each.minor,
                "currency": each.currency,
                "text": each.text,
                "payouts": [payout.id for payout in each.payouts],
            }
            for each in entries
        ]
        return {"name": name, "text": text, "entries": shown}

    def _payouts(self, body: dict) -> list:
        """Those asked for, or all that are on their way."""
        found = [
            payout
            for name in self.dialects
            for payout in self.settlements.payouts_of(name)
        ]
        wanted = body.get("payouts")
        if wanted is None:
            return [e for e in found if not e.banked and e.status == "paid"]
        chosen = [each for each in found if each.id in wanted]
        if len(chosen) != len(wanted):
            raise BadRequest("payouts: ids of payouts")
        return chosen

    def _entries(self, payouts: list, faults: list) -> list:
        def of(kind: str, payout):
            return next(
                (
                    each
                    for each in faults
                    if each["kind"] == kind
                    and each["payout"] in (None, payout.id)
                ),
                None,
            )

        entries, merged = [], []
        for each in faults:
            if each["kind"] == "merge":
                together = [e for e in payouts if e.id in each["payouts"]]
                merged += together
                entries.append(_together(together))
            if each["kind"] == "foreign":
                text = "RENT OF A STRANGER"
                entries.append(Entry(each["minor"], each["currency"], text, []))
        for payout in payouts:
            if of("late", payout):
                continue
            payout.banked = True
            if payout in merged:
                continue
            fee = of("fee", payout)
            minor = payout.amount - (fee["minor"] if fee else 0)
            text = "" if of("unnamed", payout) else _text(payout)
            split = of("split", payout)
            for part in _parts(minor, split["parts"] if split else 1):
                entries.append(Entry(part, payout.currency, text, [payout]))
        return entries

    def _sheet(self, form: str, currency: str, entries, day: str, off: int):
        account = (f"bank {form}", currency)
        begin = self.books.balances.get(account, OPENING)
        end = begin + sum(each.minor for each in entries)
        self.books.balances[account] = end
        return {
            "account": f"DE0212030000000020{sum(map(ord, currency)):04d}",
            "currency": currency,
            "begin": begin,
            "end": end + off,
            "entries": entries,
            "day": day,
        }


def _checked(spec: dict) -> dict:
    known = FAULTS.get(spec.get("kind"))
    if known is None or set(spec) - set(known) - {"kind"}:
        raise BadRequest(f"a fault is one of {FAULTS}")
    return known | spec


def _text(payout) -> str:
    return f"PAYOUT {payout.reference}"


def _together(payouts: list) -> Entry:
    if len({each.currency for each in payouts}) != 1:
        raise BadRequest("merge: payouts of one currency")
    text = " ".join(_text(each) for each in payouts)
    minor = sum(each.amount for each in payouts)
    return Entry(minor, payouts[0].currency, text, payouts)


def _parts(minor: int, count: int) -> list:
    part = minor // count
    return [part] * (count - 1) + [minor - part * (count - 1)]


# camt.053


def _camt(number: int, sheets: list):
    parts = [_camt_statement(number, n, each) for n, each in enumerate(sheets)]
    space = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Document xmlns="{space}"><BkToCstmrStmt>\n'
        f"<GrpHdr><MsgId>M{number}</MsgId></GrpHdr>\n"
        + "\n".join(parts)
        + "\n</BkToCstmrStmt></Document>\n"
    )
    return f"camt.053-{number}.xml", text


def _camt_statement(number: int, n: int, sheet: dict) -> str:
    entries = [
        _camt_entry(number, n, place, sheet["day"], each)
        for place, each in enumerate(sheet["entries"])
    ]
    account = f"<Acct><Id><IBAN>{sheet['account']}</IBAN></Id></Acct>"
    head = f"<Stmt><Id>S{number}-{n}</Id>{account}"
    return "\n".join(
        [
            head,
            _camt_balance("OPBD", sheet["begin"], sheet),
            _camt_balance("CLBD", sheet["end"], sheet),
            *entries,
            "</Stmt>",
        ]
    )


def _camt_money(minor: int, currency: str) -> str:
    side = "CRDT" if minor >= 0 else "DBIT"
    text = money.render(abs(minor), currency)
    amount = f'<Amt Ccy="{currency}">{text}</Amt>'
    return f"{amount}<CdtDbtInd>{side}</CdtDbtInd>"


def _camt_balance(code: str, minor: int, sheet: dict) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f"{_camt_money(minor, sheet['currency'])}"
        f"<Dt><Dt>{sheet['day']}</Dt></Dt></Bal>"
    )


def _camt_entry(number: int, n: int, place: int, day: str, entry) -> str:
    """The text in two parts, as banks break it."""
    text = escape(entry.text)
    half = len(entry.text) // 2
    parts = [escape(e) for e in (entry.text[:half], entry.text[half:]) if e]
    lines = "".join(f"<Ustrd>{each}</Ustrd>" for each in parts)
    remittance = f"<RmtInf>{lines}</RmtInf>" if text else ""
    code = "<Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd>"
    return (
        f"<Ntry>{_camt_money(entry.minor, entry.currency)}"
        "<Sts><Cd>BOOK</Cd></Sts>"
        f"<BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt>"
        f"<AcctSvcrRef>B{number}-{n}-{place}</AcctSvcrRef>"
        f"<BkTxCd><Domn><Cd>PMNT</Cd><Fmly>{code}</Fmly></Domn></BkTxCd>"
        "<NtryDtls><TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>"
        f"{remittance}</TxDtls></NtryDtls></Ntry>"
    )


# MT940


def _mt940(number: int, sheets: list):
    parts = [_mt940_statement(number, n, e) for n, e in enumerate(sheets)]
    return f"mt940-{number}.sta", "".join(parts)


def _comma(minor: int, currency: str) -> str:
    text = money.render(abs(minor), currency)
    return text.replace(".", ",") if "." in text else f"{text},"


def _mt940_balance(tag: str, minor: int, sheet: dict) -> str:
    side = "C" if minor >= 0 else "D"
    day = sheet["day"][2:].replace("-", "")
    amount = _comma(minor, sheet["currency"])
    return f":{tag}:{side}{day}{sheet['currency']}{amount}"


def _mt940_statement(number: int, n: int, sheet: dict) -> str:
    day = sheet["day"][2:].replace("-", "")
    lines = [
        ":20:STARTUMSE",
        f":25:{sheet['account'][4:12]}/{sheet['account'][12:]}",
        f":28C:{number:05d}/{n + 1:03d}",
        _mt940_balance("60F", sheet["begin"], sheet),
    ]
    for place, entry in enumerate(sheet["entries"]):
        side = "C" if entry.minor >= 0 else "D"
        amount = _comma(entry.minor, entry.currency)
        lines.append(
            f":61:{day}{day[2:]}{side}{amount}NTRFNONREF//B{number}{place}"
        )
        lines += _mt940_text(entry.text)
    lines.append(_mt940_balance("62F", sheet["end"], sheet))
    return "\r\n".join([*lines, "-", ""])


def _mt940_text(text: str) -> list:
    """German fields of 27 characters, in lines of 65."""
    parts = ["EREF+NOTPROVIDED"]
    text = f"SVWZ+{text}"
    parts += [text[n : n + 27] for n in range(0, len(text), 27)]
    fields = [f"?{20 + n}{part}" for n, part in enumerate(parts[:10])]
    whole = "166?00GUTSCHRIFT" + "".join(fields)
    first, rest = whole[:60], whole[60:]
    more = [rest[n : n + 65] for n in range(0, len(rest), 65)]
    return [f":86:{first}", *more]


FORMATS = {"camt": _camt, "mt940": _mt940}
