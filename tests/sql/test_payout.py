"""Pay-outs from the command line to the books, as operators run payctl payout,
and the races that one connection cannot show: two who make items, two who
approve, a refund beside an item.

libpq's PGHOST, PGPORT and PGUSER name a superuser; tests/sql/run sets PAYCTL.
"""

import re
import subprocess
import threading
import uuid

import migrated
import psycopg2
import pytest
from test_merchant_move import Call, Held
from test_settlement import PAYCTL, Shop

ACCOUNT = """
SELECT outcome FROM pay_ops.store_destination('m', 's', 'EUR', 'bank', 'iban',
    'DE', 'DE89370400440532013000', 'opaque', 'k1', 'sue', 'test')"""
PROVIDER = """
SELECT pay_ops.set_payout_provider('m', 'bank', 'generic', '{iban}', '{EUR}',
    NULL, 'sue', 'test')"""
WHO = ("--who", "max", "--why", "test")


class Payer(Shop):
    """A shop that pays its seller out."""

    def table(self, *words, code=0):
        """The rows of a table that payctl prints, as lists of words."""
        lines = self.payctl("payout", *words, code=code).splitlines()
        return [re.split(r" {2,}", line.strip()) for line in lines[1:]]

    def item(self):
        """The id of the newest item."""
        return self.sql(
            "SELECT payout_id FROM pay.payout ORDER BY created_at DESC LIMIT 1"
        )[0][0]

    def release(self, *orders):
        for order in orders:
            self.payctl("payout", "release", order, "--merchant", "m", *WHO)

    def together(self, calls):
        """Each query on a connection of its own, all of them at once; what
        each answered."""
        gate = threading.Barrier(len(calls))
        answers = [None] * len(calls)

        def run(place, query):
            with psycopg2.connect(dbname=self.database) as connection:
                with connection.cursor() as cursor:
                    gate.wait(30)
                    cursor.execute(query)
                    answers[place] = cursor.fetchall()
            connection.close()

        threads = [
            threading.Thread(target=run, args=call)
            for call in enumerate(calls)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert None not in answers
        return answers


@pytest.fixture(name="payer")
def scratch(tmp_path):
    """A shop with a provider and an account, on a database of its own."""
    name = f"pay_payout_{uuid.uuid4().hex[:12]}"
    migrated.create(name)
    payer = Payer(name, tmp_path)
    assert payer.sql(PROVIDER) == [("stored",)]
    assert payer.sql(ACCOUNT) == [("stored",)]
    yield payer
    payer.connection.close()
    subprocess.run(["dropdb", "--force", name], check=True)


def test_an_item_goes_from_a_sale_to_its_approval(payer):
    payer.sell(1, 2)
    assert "DE…3000" in payer.payctl("payout", "accounts")
    assert payer.payctl("payout", "list") == "no pay-outs\n"
    payer.release("o1")
    make = ("make", "s", "--merchant", "m", "--who", "max")
    assert [row[:3] for row in payer.table(*make)] == [["made", "EUR", "10.00"]]
    assert payer.table(*make, code=1)[0][0] == "nothing"
    payer.payctl(
        "payout", "unrelease", "o1", "--merchant", "m", *WHO, code=1
    )
    item = payer.item()
    assert payer.payctl("payout", "hold", item, *WHO) == "held\n"
    batch = ("batch", "--merchant", "m", "--provider", "bank", "--currency",
             "EUR", "--who", "max")  # fmt: skip
    assert payer.table(*batch, code=1)[0][0] == "nothing"
    assert payer.payctl("payout", "unhold", item, *WHO) == "ready\n"
    made, name, items, amount, digest = payer.table(*batch)[0]
    assert (made, items, amount, len(digest)) == ("made", "1", "10.00", 64)
    approve = ("payout", "approve", name, "--hash", digest, "--who")
    for who, code in (("max", 1), ("sue", 1), ("eve", 1), ("ann", 0)):
        payer.payctl(*approve, who, code=code)
    assert payer.table("list")[0][:3] == [item, "approved", "s"]
    assert payer.payctl("payout", "withdraw", name, *WHO) == "withdrawn\n"
    assert payer.payctl("payout", "cancel", item, *WHO) == "cancelled\n"
    assert payer.payctl("payout", "list") == "no pay-outs\n"
    shown = payer.payctl("payout", "show", item)
    for word in ("cancelled", "o1", "approved", "held", "max"):
        assert word in shown
    payer.check()


@pytest.mark.parametrize(
    "words",
    [
        ("hold", "1"),
        ("make", "s"),
        ("approve", "b"),
        ("batch", "--merchant", "m"),
        ("show",),
        ("list", "more"),
        ("cancel", "1", "--merchant", "m", *WHO),
        ("release", "o1", *WHO),
        ("pay",),
    ],
)
def test_words_that_are_missing_are_named(payer, words):
    done = subprocess.run(
        [PAYCTL, "payout", *words, "--dsn", payer.dsn],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr and not done.stdout


def test_an_auditor_reads_and_does_not_act(payer):
    payer.dsn = payer.dsn.replace("operator", "auditor")
    payer.payctl("payout", "list")
    payer.payctl("payout", "batches")
    payer.payctl(
        "payout", "release", "o1", "--merchant", "m", *WHO, code=2
    )


def test_many_who_make_items_at_once_make_one(payer):
    payer.sell(1, 8)
    payer.release(*[f"o{n}" for n in range(1, 9)])
    answers = payer.together(
        ["SELECT outcome FROM pay_ops.make_payouts('m', 's', 'EUR', 'max')"] * 6
    )
    assert sorted(answer[0][0] for answer in answers) == (
        ["made"] + ["nothing"] * 5
    )
    assert payer.sql("SELECT amount_minor, line_count FROM pay.payout") == [
        (8000, 8)
    ]
    payer.check()


def test_two_approvers_at_once_both_count(payer):
    payer.sell(1, 1)
    payer.release("o1")
    payer.payctl("payout", "make", "s", "--merchant", "m", "--who", "max")
    payer.sql("SELECT pay_ops.make_payout_batch('m', 'bank', 'EUR', 9, 'max')")
    approve = (
        "SELECT pay_ops.approve_payout_batch(merchant_id, batch_id,"
        " encode(hash, 'hex'), '{}') FROM pay.payout_batch"
    )
    answers = payer.together(
        [approve.format(who) for who in ("ann", "eve", "eve", "max")]
    )
    told = [answer[0][0] for answer in answers]
    # the maker is refused before the batch is full and after it
    assert told[3] in ("maker", "closed")
    assert sorted(told[:3]) in (
        ["again", "approved", "second"],
        ["approved", "closed", "second"],
    )
    assert payer.sql("SELECT state FROM pay.payout") == [("approved",)]
    payer.check()


def test_a_release_is_taken_back_before_an_item_or_not_at_all(payer):
    payer.sell(1, 6)
    for n in range(1, 7):
        payer.release(f"o{n}")
        back, made = payer.together([
            f"SELECT pay_ops.unrelease_order('m', 'o{n}', 'max', 'test')",
            "SELECT outcome FROM pay_ops.make_payouts('m', 's', 'EUR', 'max')",
        ])  # fmt: skip
        assert (back[0][0], made[0][0]) in (
            ("unreleased", "nothing"),
            ("paid_out", "made"),
        )
    payer.check()


REFUND = """
SELECT outcome FROM pay_api.begin_change(ARRAY['m'], ARRAY['o{n}'],
    ARRAY['refund'], ARRAY[gen_random_uuid()::text], ARRAY['key-{n}'],
    ARRAY[sha256('body')], ARRAY[86400]::bigint[], ARRAY[1000]::bigint[],
    ARRAY['EUR'], ARRAY['why'], ARRAY['{{}}']::jsonb[],
    ARRAY[30000]::bigint[], ARRAY['r'],
    ARRAY[NULL]::jsonb[])"""


def test_a_refund_beside_an_item_takes_its_money_or_is_a_debt(payer):
    """Of one order, whole: whichever of them is first."""
    payer.sell(1, 6)
    for n in range(1, 7):
        payer.release(f"o{n}")
        refund, made = payer.together([
            REFUND.format(n=n),
            "SELECT outcome FROM pay_ops.make_payouts('m', 's', 'EUR', 'max')",
        ])  # fmt: skip
        assert refund == [("created",)]
        assert made[0][0] in ("made", "nothing")
    items = "SELECT coalesce(sum(amount_minor), 0)::bigint FROM pay.payout"
    ((paid,),) = payer.sql(items)
    ((available,),) = payer.sql("SELECT available_minor FROM pay.wallet")
    assert available == -paid
    payer.check()


BEGIN_CALL = """
SELECT outcome, payout_id, number, call FROM pay_api.begin_payout_call('{m}',
    '{bank}', '{generic}', ARRAY['{"window_s": [86400], "moves": [true],
    "looks": 1, "gap_s": 0, "asks": true, "finds": true, "takes_back": false,
    "return_s": 0}']::jsonb[], '{w}', '{30000}')"""


def test_workers_at_once_claim_each_item_once(payer):
    """None of them waits for another one's call, and no item goes to two."""
    for n in range(1, 4):
        payer.sell(n, n)
        payer.release(f"o{n}")
        payer.payctl("payout", "make", "s", "--merchant", "m", "--who", "max")
    payer.sql("SELECT pay_ops.make_payout_batch('m', 'bank', 'EUR', 9, 'max')")
    for who in ("ann", "eve"):
        payer.sql(
            "SELECT pay_ops.approve_payout_batch(merchant_id, batch_id,"
            f" encode(hash, 'hex'), '{who}') FROM pay.payout_batch"
        )
    claimed = []
    for _ in range(3):
        for answer in payer.together([BEGIN_CALL] * 6):
            claimed += [row for row in answer if row[0] == "due"]
    assert sorted(row[2:] for row in claimed) == [(1, "send")] * 3
    assert len({row[1] for row in claimed}) == 3
    assert payer.sql(
        "SELECT count(*) FROM pay.payout_dispatch WHERE ended_at IS NULL"
    ) == [(3,)]
    payer.check()


def test_no_send_begins_behind_the_stop_switch(payer):
    payer.sell(1, 1)
    payer.release("o1")
    payer.payctl("payout", "make", "s", "--merchant", "m", "--who", "max")
    payer.sql("SELECT pay_ops.make_payout_batch('m', 'bank', 'EUR', 9, 'max')")
    for who in ("ann", "eve"):
        payer.sql(
            "SELECT pay_ops.approve_payout_batch(merchant_id, batch_id,"
            f" encode(hash, 'hex'), '{who}') FROM pay.payout_batch"
        )
    stop = "SELECT pay_ops.stop_payout_provider('m', 'bank', true, 'a', 'b')"
    with psycopg2.connect(dbname=payer.database) as connection:
        with connection.cursor() as cursor:
            cursor.execute(stop)
            waiting = threading.Thread(
                target=lambda: answers.extend(payer.together([BEGIN_CALL]))
            )
            answers = []
            waiting.start()
            while payer.sql(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type"
                " = 'Lock' AND datname = current_database()"
            ) == [(0,)]:
                pass
    connection.close()
    waiting.join(60)
    assert answers == [[("none", None, None, None)]]


def test_an_item_that_is_released_beside_a_withdrawal_is_free(payer):
    """It was held when the withdrawal began, and is not when that goes on."""
    payer.sell(1, 1)
    payer.release("o1")
    payer.payctl("payout", "make", "s", "--merchant", "m", "--who", "max")
    item = payer.item()
    batch = payer.table("batch", "--merchant", "m", "--provider", "bank",
                        "--currency", "EUR", "--who", "max")[0][1]  # fmt: skip
    payer.payctl("payout", "hold", item, *WHO)
    release = Held(
        payer,
        f"SELECT pay_ops.hold_payout('m', '{item}', false, 'ann', 'fine')",
    )
    withdrawal = Call(
        payer,
        f"SELECT pay_ops.withdraw_payout_batch('m', '{batch}', 'ann', 'test')",
    ).blocked()
    release.commit()
    assert withdrawal.end() == "withdrawn"
    assert payer.sql("SELECT state, batch_id FROM pay.payout") == [
        ("ready", None)
    ]
    payer.check()
