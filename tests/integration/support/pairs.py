"""What can happen to one checkout at the database, for the races of each
pair: transitions (one call each, its outcome comes back), situations (each
brings a fresh checkout somewhere) and what may come in each.
"""

from .sql_gateway import outcomes

OWNER = "worker"

# Transitions: (gateway, subject) → the outcome, as far as it is definite.


def begin(offset="", **more):
    def run(gateway, subject):
        ((_, checkout, order),) = subject.item
        items = [(subject.id + offset, checkout, order)]
        return outcomes(gateway.begin(items, **more))[0]

    return run


def claim(gateway, subject):
    for row in gateway.claim(OWNER, 8):
        if row.checkout_id == subject.id:
            return row.kind
    return "none"


def store(suffix):
    def run(gateway, subject):
        return outcomes(gateway.store([(subject.id, subject.id + suffix)]))[0]

    return run


def store_no(outcome, dead=None):
    def run(gateway, subject):
        return outcomes(gateway.store_no([(subject.id, outcome)], dead=dead))[0]

    return run


def reroute(outcome):
    def run(gateway, subject):
        return outcomes(gateway.reroute([(subject.id, outcome)]))[0]

    return run


def event(source, fact, name=None, amount=None):
    """name: two with the same are one event."""

    def run(gateway, subject):
        event_id = None
        if source in ("webhook", "backfill"):
            event_id = f"{subject.id}-{name or fact}"
        return outcomes(
            gateway.apply([(source, event_id, fact, f"{subject.id}-t")], amount)
        )[0]

    return run


def finish(kind, delay, dead=None):
    def run(gateway, subject):
        return outcomes(
            gateway.finish([(subject.id, kind, OWNER, delay)], dead)
        )[0]

    return run


def operation_id(subject, operation):
    return subject.refund if operation == "refund" else f"{subject.id}-o"


def send(operation):
    def run(gateway, subject):
        return outcomes(
            gateway.send(
                [(subject.id, operation, operation_id(subject, operation))]
            )
        )[0]

    return run


def sent(operation, state):
    def run(gateway, subject):
        return outcomes(
            gateway.sent(
                [
                    (
                        subject.id,
                        operation,
                        operation_id(subject, operation),
                        1,
                        state,
                    )
                ]
            )
        )[0]

    return run


def people(verb):
    return lambda gateway, subject: gateway.settle(verb, subject.letter)


def sweep(gateway, subject):
    assert subject.id
    return gateway.sweep(
        registering_s=3600, executing_s=3600, unknown_s=3600, parked_s=3600
    )


TRANSITIONS = {
    "begin": begin(),
    "begin_other_body": begin(body=b"\1"),
    "begin_other_key": begin("-other"),
    "claim": claim,
    "store": store("-t"),
    "store_other": store("-u"),
    "refused": store_no("refused"),
    "not_sent": store_no("not_sent"),
    "unknown": store_no("unknown"),
    "expired": store_no("expired"),
    "held": store_no("held"),
    "given_up": store_no("not_sent", "retry_limit"),
    "lost_key": store_no("held", "key_window_over"),
    "move": reroute("not_sent"),
    "paid": event("webhook", "paid"),
    "paid_twin": event("webhook", "paid", "paid"),
    "paid_backfill": event("backfill", "paid", "paid"),
    "declined": event("webhook", "declined"),
    "pending": event("webhook", "pending"),
    "mismatch": event("webhook", "paid", "wrong", 99),
    "ask": event("webhook", "ask"),
    "hint": event("hint", "ask"),
    "query_paid": event("query", "paid"),
    "query_declined": event("query", "declined"),
    "time_out": event("gateway", "expired"),
    "again": finish("poll", 60000),
    "over": finish("poll", -1),
    "dead": finish("poll", 60000, "retry_limit"),
    "register_again": finish("register", 60000),
    "refund_dead": finish("refund", 60000, "retry_limit"),
    "send_capture": send("capture"),
    "capture_done": sent("capture", "DONE"),
    "capture_unknown": sent("capture", "UNKNOWN"),
    "capture_not_sent": sent("capture", "NOT_SENT"),
    "send_expire": send("expire"),
    "expire_done": sent("expire", "DONE"),
    "expire_refused": sent("expire", "REFUSED"),
    "send_refund": send("refund"),
    "refund_done": sent("refund", "DONE"),
    "refund_refused": sent("refund", "REFUSED"),
    "refund_unknown": sent("refund", "UNKNOWN"),
    "requeue": people("requeue"),
    "accept": people("accept"),
    "resolve": people("resolve"),
    "sweep": sweep,
}


def do(subject, *names):
    for name in names:
        TRANSITIONS[name](subject.gateway, subject)


# Situations: each brings a fresh checkout somewhere.


def nothing(subject):
    subject.aged()


def begun(subject):
    subject.begun()


def due(subject):
    subject.begun()
    subject.due()


def resend(subject):
    subject.begun()
    do(subject, "unknown")
    subject.due()
    subject.aged()


def find(subject):
    subject.begun(windows="0 0 0")
    do(subject, "unknown")
    subject.due()
    subject.aged()


def leased(subject):
    subject.begun()
    do(subject, "not_sent")
    subject.due()
    do(subject, "claim")


def parked(subject):
    subject.begun()
    do(subject, "paid")
    subject.aged()


def parked_letter(subject):
    parked(subject)
    do(subject, "sweep")
    subject.sql(
        "UPDATE pay.dead_letter SET state = 'settled', closed_at ="
        " now(), closed_by = 'gateway', closed_why = 'a race'"
        " WHERE merchant_id = 'acme' AND checkout_id = %(id)s"
        " AND state = 'open'"
    )
    subject.lettered()
    subject.aged()


def pending(subject):
    subject.begun()
    do(subject, "store")
    subject.leased()


def capturing(subject):
    pending(subject)
    do(subject, "send_capture")
    subject.aged()


def expiring(subject):
    pending(subject)
    do(subject, "send_expire")
    subject.aged()


def paid(subject):
    subject.begun()
    do(subject, "store", "query_paid")


def failed(subject):
    subject.begun()
    do(subject, "store", "query_declined", "ask")
    subject.leased()


def timed_out(late):
    def reach(subject):
        subject.begun(late=late)
        do(subject, "store", "time_out")

    return reach


def held(subject):
    timed_out("hold")(subject)
    do(subject, "query_paid")
    subject.refundable()
    subject.lettered()
    subject.aged()


def refunding(subject):
    timed_out("refund")(subject)
    do(subject, "query_paid")
    subject.refundable()
    subject.due()


def refund_out(subject):
    refunding(subject)
    do(subject, "claim", "send_refund")
    subject.aged()


def refund_letter(subject):
    refund_out(subject)
    do(subject, "refund_unknown", "refund_dead")
    subject.lettered()
    subject.aged()


def register_letter(subject):
    subject.begun()
    do(subject, "given_up")
    subject.lettered()
    subject.aged()


def poll_letter(subject):
    pending(subject)
    do(subject, "dead")
    subject.lettered()
    subject.aged()


def stuck(subject):
    subject.begun()
    do(subject, "unknown")
    subject.aged()
    do(subject, "sweep")
    subject.lettered()
    subject.aged()


# What may come in each situation; each two of these race.
SITUATIONS = {
    "nothing": (
        nothing,
        "begin begin_other_body begin_other_key paid",
    ),
    "begun": (
        begun,
        "begin store store_other refused not_sent unknown move paid ",
    ),
    "due": (
        due,
        "claim store refused not_sent unknown expired move ",
    ),
    "resend": (
        resend,
        "claim unknown not_sent move paid sweep",
    ),
    "find": (
        find,
        "claim store held lost_key refused sweep",
    ),
    "leased": (
        leased,
        "claim store not_sent move register_again",
    ),
    "parked": (
        parked,
        "store store_other refused paid_twin declined sweep",
    ),
    "parked_letter": (
        parked_letter,
        "store paid_twin requeue resolve sweep",
    ),
    "pending": (
        pending,
        "paid paid_backfill declined mismatch pending ask "
        "query_paid query_declined time_out again dead send_capture",
    ),
    "capturing": (
        capturing,
        "paid time_out send_capture capture_done capture_unknown "
        "capture_not_sent sweep",
    ),
    "expiring": (
        expiring,
        "paid time_out send_expire expire_done expire_refused sweep",
    ),
    "paid": (
        paid,
        "paid declined query_declined time_out store_other send_capture",
    ),
    "failed": (
        failed,
        "paid query_paid ask hint again over time_out",
    ),
    "held_back": (
        timed_out("hold"),
        "paid paid_backfill query_paid declined ask mismatch",
    ),
    "paid_back": (
        timed_out("refund"),
        "paid query_paid ask claim",
    ),
    "held": (
        held,
        "paid accept requeue resolve send_refund sweep",
    ),
    "refunding": (
        refunding,
        "paid claim send_refund refund_done",
    ),
    "refund_out": (
        refund_out,
        "paid send_refund refund_done refund_refused refund_unknown sweep",
    ),
    "refund_letter": (
        refund_letter,
        "requeue resolve send_refund refund_done claim sweep",
    ),
    "register_letter": (
        register_letter,
        "requeue resolve store refused given_up sweep",
    ),
    "poll_letter": (
        poll_letter,
        "requeue resolve paid ask time_out sweep",
    ),
    "stuck": (
        stuck,
        "requeue resolve store claim sweep",
    ),
}
