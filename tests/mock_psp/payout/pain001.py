"""A bank that takes pain.001.001.09 out of a directory and writes
pain.002.001.10, camt.053.001.08 and camt.054.001.08 into another: all of it on
command, so that an answer is late, never comes, rejects a part or comes twice.

The words of pain.002 are the states, and RTRN, which entries alone tell.
A MsgId is known for 30 days and refused as a duplicate (AM05); behind them the
same file pays again.  The books' key of a payment is its EndToEndId.
"""

import os
import secrets
import xml.etree.ElementTree as ET
from pathlib import Path

from .. import money
from ..dashboard import BadRequest
from .books import Payment
from .provider import Provider, is_iban

DAY_S = 86400
PAIN = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
REPORT = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"
STATEMENT = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
NOTICE = "urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"
REJECTED = ("RJCT",)
OPENING = 10**9
CURRENCY = "EUR"


class BadFile(Exception):
    """The bank refuses the file as a whole, with that code."""


class BankFiles(Provider):
    name = "payout-pain001"
    window_s = 30 * DAY_S
    first = "ACTC"
    legal = {
        "ACTC": ("ACCP", "ACSP", "ACSC", "PDNG", "RJCT"),
        "ACCP": ("ACSP", "ACSC", "PDNG", "RJCT"),
        "PDNG": ("ACSP", "ACSC", "RJCT"),
        "ACSP": ("ACSC", "RJCT"),
        "ACSC": ("ACCC", "RTRN"),
        "ACCC": ("RTRN",),
        "RJCT": (),
        "RTRN": (),
    }
    places = {
        "ACTC": "none",
        "ACCP": "none",
        "PDNG": "none",
        "ACSP": "held",
        "ACSC": "left",
        "ACCC": "left",
        "RJCT": "back",
        "RTRN": "back",
    }
    fate = ("ACSP", "ACSC")

    def __init__(self, world, books, config):
        super().__init__(world, books, config)
        self.reset()

    def reset(self) -> None:
        super().reset()
        self.groups: list[dict] = []  # each file that was taken
        self.told_states: dict[str, str] = {}  # as the last report had them
        self.booked: set = set()  # entries that a statement has
        self.notified: set = set()  # and those that a notification has
        self.written = 0
        self.balance = OPENING

    def routes(self, api) -> list:
        """A bank is spoken to by files alone."""
        return []

    # Files in.

    def take(self, inbox: Path) -> list:
        """Takes all files out of the directory, the oldest name first."""
        return [self._take(path) for path in sorted(inbox.glob("*.xml"))]

    def _take(self, path: Path) -> dict:
        text = path.read_bytes()
        path.unlink()
        group = {"file": path.name, "msg_id": "", "code": None, "count": 0}
        try:
            payments = self._read(text, group)
        except BadFile as why:
            group["code"] = str(why)
            payments = []
        for each in payments:
            self.pay(each)
        group["count"] = len(payments)
        group["is_new"] = True
        self.groups.append(group)
        return {k: group[k] for k in ("file", "msg_id", "code", "count")}

    def _read(self, text: bytes, group: dict) -> list:
        """-> the payments of a file that is right in itself and is new"""
        try:
            root = ET.fromstring(text)
        except ET.ParseError:
            raise BadFile("FF01") from None
        if root.tag != f"{{{PAIN}}}Document":
            raise BadFile("FF01")
        head = _one(root, "CstmrCdtTrfInitn/GrpHdr")
        info = _one(root, "CstmrCdtTrfInitn/PmtInf")
        group["msg_id"] = _text(head, "MsgId")
        group["info_id"] = _text(info, "PmtInfId")
        group["debtor"] = _text(info, "DbtrAcct/Id/IBAN")
        rows = info.findall("p:CdtTrfTxInf", {"p": PAIN})
        payments = [self._payment(group, each) for each in rows]
        total = sum(each.amount_minor for each in payments)
        for part in (head, info):
            if _text(part, "NbOfTxs") != str(len(payments)):
                raise BadFile("AM10")
            if _text(part, "CtrlSum") != money.render(total, CURRENCY):
                raise BadFile("AM10")
        if self.recall(group["msg_id"], ""):
            raise BadFile("AM05")
        self.remember(group["msg_id"], "", True)
        if self.ledger.balance(self.short, "", CURRENCY) < total:
            raise BadFile("AM04")
        return payments

    def _payment(self, group: dict, row) -> Payment:
        amount = _one(row, "Amt/InstdAmt")
        iban = _text(row, "CdtrAcct/Id/IBAN")
        if amount.get("Ccy") != CURRENCY:
            raise BadFile("AM03")
        if not is_iban(iban):
            raise BadFile("AC01")
        try:
            minor = money.parse(amount.text, CURRENCY)
        except money.BadAmount:
            raise BadFile("AM12") from None
        return Payment(
            provider=self.short,
            kind="payout",
            id=secrets.token_hex(8),
            key=_text(row, "PmtId/EndToEndId"),
            amount_minor=minor,
            currency=CURRENCY,
            to={"iban": iban, "name": _text(row, "Cdtr/Nm")},
            account_end=iban[-4:],
            state=self.first,
            parcel=group["msg_id"],
        )

    def _of(self, msg_id: str) -> list:
        return [e for e in self.ledger.of(self.short) if e.parcel == msg_id]

    # Files out.

    def report(self, outbox: Path, positive: bool, times: int) -> list:
        """A pain.002 for each group about which something is new; many banks
        tell of rejections only (`positive` false).
        """
        names = []
        for group in self.groups:
            text = self._report(group, positive)
            if text:
                names += [self._write(outbox, "pain002", text)]
                names += [
                    self._write(outbox, "pain002", text)
                    for _ in range(times - 1)
                ]
        return names

    def _report(self, group: dict, positive: bool) -> str | None:
        rows = []
        for each in self._of(group["msg_id"]) if not group["code"] else []:
            if self.told_states.get(each.id) == each.state:
                continue
            if each.state == "RTRN":
                continue
            if not positive and each.state not in REJECTED:
                continue
            self.told_states[each.id] = each.state
            rows.append(_status(each))
        is_new, group["is_new"] = group["is_new"], False
        refused = is_new and group["code"]
        if not rows and not refused:
            return None
        status = "RJCT" if group["code"] else self._group_status(group)
        return _pain002(self._number(), group, status, rows)

    def _group_status(self, group: dict) -> str:
        states = {each.state for each in self._of(group["msg_id"])}
        if states == {"RJCT"}:
            return "RJCT"
        return "PART" if "RJCT" in states else "ACCP"

    def statement(self, outbox: Path, batch: bool, times: int) -> list:
        """A camt.053: what left the account, as one entry a file or one an
        item, and what came back; [] when nothing happened.
        """
        entries = self._entries(self.booked, batch)
        if not entries:
            return []
        text = self._statement(entries)
        return [self._write(outbox, "camt053", text) for _ in range(times)]

    def notice(self, outbox: Path, batch: bool, times: int, status: str):
        """A camt.054 of the same entries, which their statement has again.
        Those that are pending are notified of once more when they are booked.
        """
        booked = status == "BOOK"
        known = self.notified if booked else set(self.notified)
        entries = self._entries(known, batch)
        if not entries:
            return []
        text = self._notice(entries, status)
        return [self._write(outbox, "camt054", text) for _ in range(times)]

    def _entries(self, known: set, batch: bool) -> list:
        """Those that are not known; now they are."""
        entries = []
        for group in self.groups:
            gone = [
                each
                for each in self._of(group["msg_id"])
                if each.was("left") and (each.id, "left") not in known
            ]
            known |= {(each.id, "left") for each in gone}
            parts = [gone] if batch else [[each] for each in gone]
            entries += [(group, "DBIT", part) for part in parts if part]
        for each in self.ledger.of(self.short):
            if each.state == "RTRN" and (each.id, "back") not in known:
                known.add((each.id, "back"))
                entries.append((None, "CRDT", [each]))
        return entries

    def _statement(self, entries: list) -> str:
        number, day = self._number(), self.clock.text()[:10]
        begin = self.balance
        for _, side, part in entries:
            minor = sum(each.amount_minor for each in part)
            self.balance += minor if side == "CRDT" else -minor
        body = [
            _entry(f"{number}-{place}", day, *entry)
            for place, entry in enumerate(entries)
        ]
        return "\n".join(
            [
                '<?xml version="1.0" encoding="UTF-8"?>',
                f'<Document xmlns="{STATEMENT}"><BkToCstmrStmt>',
                f"<GrpHdr><MsgId>BANK-S{number}</MsgId></GrpHdr>",
                f"<Stmt><Id>S{number}</Id>",
                self._account(),
                _balance("OPBD", begin, day),
                _balance("CLBD", self.balance, day),
                *body,
                "</Stmt></BkToCstmrStmt></Document>\n",
            ]
        )

    def _notice(self, entries: list, status: str) -> str:
        number, day = self._number(), self.clock.text()[:10]
        body = [
            _entry(f"{number}-{place}", day, *entry, status)
            for place, entry in enumerate(entries)
        ]
        return "\n".join(
            [
                '<?xml version="1.0" encoding="UTF-8"?>',
                f'<Document xmlns="{NOTICE}"><BkToCstmrDbtCdtNtfctn>',
                f"<GrpHdr><MsgId>BANK-N{number}</MsgId></GrpHdr>",
                f"<Ntfctn><Id>N{number}</Id>{self._account()}",
                *body,
                "</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>\n",
            ]
        )

    def _account(self) -> str:
        debtor = next(g["debtor"] for g in self.groups if g.get("debtor"))
        return f"<Acct><Id><IBAN>{debtor}</IBAN></Id></Acct>"

    def _number(self) -> int:
        self.written += 1
        return self.written

    def _write(self, outbox: Path, kind: str, text: str) -> str:
        """A reader never sees a part of a file."""
        name = f"{kind}-{secrets.token_hex(6)}.xml"
        part = outbox / f".{name}"
        part.write_text(text)
        os.replace(part, outbox / name)
        return name

    # The control API.

    def command(self, body: dict) -> dict:
        """{do: take, inbox} | {do: report, outbox, positive?, times?} |
        {do: statement, outbox, batch?, times?} |
        {do: notice, outbox, batch?, times?, status?}
        """
        times = body.get("times", 1)
        if type(times) is not int or times < 1:
            raise BadRequest("times is a number from 1 on")
        place = Path(str(body.get("inbox") or body.get("outbox")))
        if not place.is_dir():
            raise BadRequest("inbox or outbox: a directory")
        if body.get("do") == "take":
            return {"files": self.take(place)}
        if body.get("do") == "report":
            positive = body.get("positive", True)
            return {"files": self.report(place, positive, times)}
        if body.get("do") == "statement":
            batch = body.get("batch", True)
            return {"files": self.statement(place, batch, times)}
        if body.get("do") == "notice":
            batch, status = body.get("batch", True), body.get("status", "BOOK")
            if status not in ("BOOK", "PDNG"):
                raise BadRequest("status: BOOK or PDNG")
            return {"files": self.notice(place, batch, times, status)}
        raise BadRequest("do: take, report, statement or notice")


def _one(element, path: str):
    """The only element there; FF01 for none or several."""
    found = element.findall(
        "/".join(f"p:{part}" for part in path.split("/")), {"p": PAIN}
    )
    if len(found) != 1:
        raise BadFile("FF01")
    return found[0]


def _text(element, path: str) -> str:
    text = (_one(element, path).text or "").strip()
    if not text:
        raise BadFile("FF01")
    return text


def _reason(code: str | None) -> str:
    if not code:
        return ""
    return f"<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf>"


def _status(made: Payment) -> str:
    code = made.code or ("MS03" if made.state == "RJCT" else None)
    amount = money.render(made.amount_minor, made.currency)
    return (
        f"<TxInfAndSts><OrgnlEndToEndId>{made.key}</OrgnlEndToEndId>"
        f"<TxSts>{made.state}</TxSts>{_reason(code)}<OrgnlTxRef><Amt>"
        f'<InstdAmt Ccy="{made.currency}">{amount}</InstdAmt></Amt>'
        f"<CdtrAcct><Id><IBAN>{made.to['iban']}</IBAN></Id></CdtrAcct>"
        "</OrgnlTxRef></TxInfAndSts>"
    )


def _pain002(number: int, group: dict, status: str, rows: list) -> str:
    info = ""
    if rows:
        info = (
            "<OrgnlPmtInfAndSts>"
            f"<OrgnlPmtInfId>{group['info_id']}</OrgnlPmtInfId>\n"
            + "\n".join(rows)
            + "\n</OrgnlPmtInfAndSts>\n"
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Document xmlns="{REPORT}">\n<CstmrPmtStsRpt>\n'
        f"<GrpHdr><MsgId>BANK-{number}</MsgId></GrpHdr>\n"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{group['msg_id']}</OrgnlMsgId>"
        f"<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>"
        f"<GrpSts>{status}</GrpSts>{_reason(group['code'])}"
        f"</OrgnlGrpInfAndSts>\n{info}</CstmrPmtStsRpt>\n</Document>\n"
    )


def _money(minor: int, side: str) -> str:
    text = money.render(minor, CURRENCY)
    return f'<Amt Ccy="{CURRENCY}">{text}</Amt><CdtDbtInd>{side}</CdtDbtInd>'


def _balance(code: str, minor: int, day: str) -> str:
    side = "CRDT" if minor >= 0 else "DBIT"
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f"{_money(abs(minor), side)}<Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def _entry(
    reference: str, day: str, group, side: str, part: list, status="BOOK"
) -> str:
    """A return names the payment that it is of, and why."""
    rows = []
    for each in part:
        why = ""
        if group is None:
            code = each.code or "AC04"
            why = f"<RtrInf><Rsn><Cd>{code}</Cd></Rsn></RtrInf>"
        rows.append(
            f"<TxDtls><Refs><EndToEndId>{each.key}</EndToEndId></Refs>"
            f"{_money(each.amount_minor, side)}{why}</TxDtls>"
        )
    total = sum(each.amount_minor for each in part)
    info = ""
    if group is not None:
        info = f"<Btch><PmtInfId>{group['info_id']}</PmtInfId></Btch>"
    return (
        f"<Ntry>{_money(total, side)}<Sts><Cd>{status}</Cd></Sts>"
        f"<BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt>"
        f"<AcctSvcrRef>P{reference}</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd>"
        "<Fmly><Cd>ICDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>"
        f"<NtryDtls>{info}{''.join(rows)}</NtryDtls></Ntry>"
    )
