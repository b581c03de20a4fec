"""A checkout that two transitions race for (pairs.py): the steps that bring
it into a situation, and the picture of all that the database has of it.
"""

import itertools
import json

from .sql_gateway import outcomes

NUMBERS = itertools.count()

# All that a checkout has, but for what the clock or chance brings.
PICTURE = """
SELECT json_build_object(
    'checkout', (SELECT json_agg(json_build_array(
            c.psp, c.is_payment_done, c.version))
        FROM pay.checkout c WHERE c.merchant_id = 'acme'
            AND c.checkout_id = %(id)s),
    'orders', (SELECT json_agg(json_build_array(
            o.status, o.reason, o.version))
        FROM pay.payment_order o WHERE o.merchant_id = 'acme'
            AND o.checkout_id = %(id)s),
    'registration', (SELECT json_agg(json_build_array(
            r.state, r.psp, r.token, r.alias, r.attempt, r.open_attempts,
            r.reference, r.refused_psps, r.tried_psps,
            r.lease_until > now()))
        FROM pay.registration r WHERE r.merchant_id = 'acme'
            AND r.checkout_id = %(id)s),
    'names', (SELECT json_agg(json_build_array(
            t.token, t.checkout_id) ORDER BY t.token)
        FROM pay.psp_token t WHERE t.psp = 'stripe'
            AND t.token IN (%(id)s || '-t', %(id)s || '-u',
                'alias-' || %(id)s || '-t', 'alias-' || %(id)s || '-u')
            AND t.checkout_id IS NOT NULL),
    'keys', (SELECT count(*) FROM pay.idempotency_key k
        WHERE k.merchant_id = 'acme' AND k.route = 'POST /v1/payments'
            AND k.key IN (%(id)s, %(id)s || '-other')),
    'dispatches', (SELECT json_agg(json_build_array(
            d.operation, d.attempt, d.psp, d.state, d.sends, d.unsure,
            d.reach, d.settled) ORDER BY d.operation, d.attempt)
        FROM pay.journal d WHERE d.merchant_id = 'acme'
            AND d.checkout_id = %(id)s),
    'jobs', (SELECT json_agg(json_build_array(
            j.kind, j.attempts, j.lease_owner, j.run_at <= now(),
            j.again_at IS NOT NULL) ORDER BY j.kind)
        FROM pay.job j WHERE j.merchant_id = 'acme'
            AND j.checkout_id = %(id)s),
    'inbox', (SELECT json_agg(json_build_array(
            i.event_id, i.state, i.via, i.checkout_id) ORDER BY i.event_id)
        FROM pay.webhook_inbox i WHERE i.psp = 'stripe'
            AND i.event_id BETWEEN %(id)s AND %(id)s || '~'),
    'letters', (SELECT json_agg(json_build_array(
            d.kind, d.reason, d.state) ORDER BY d.kind, d.reason, d.state)
        FROM pay.dead_letter d WHERE d.merchant_id = 'acme'
                AND d.checkout_id = %(id)s
            OR d.psp = 'stripe'
                AND d.event_id BETWEEN %(id)s AND %(id)s || '~'),
    'late', (SELECT json_agg(json_build_array(l.state, l.source))
        FROM pay.late_success l WHERE l.merchant_id = 'acme'
            AND l.checkout_id = %(id)s),
    'mismatches', (SELECT json_agg(json_build_array(m.kind, m.source)
            ORDER BY m.kind, m.source)
        FROM pay.mismatch m WHERE m.merchant_id = 'acme'
            AND m.checkout_id = %(id)s),
    'events', (SELECT json_agg(json_build_array(
            e.kind, e.actor, e.old_status, e.new_status) ORDER BY e.seq)
        FROM pay.event e WHERE e.merchant_id = 'acme'
            AND e.payment_order_id = %(id)s || '-o'))::text
"""


class Subject:
    """A checkout in its situation.  admin: a superuser's cursor."""

    def __init__(self, name, gateway, admin):
        self.id = f"{name}.{next(NUMBERS):05}"
        self.gateway = gateway
        self.admin = admin
        self.letter = None
        self.refund = None

    @property
    def item(self):
        return [(self.id, self.id, f"{self.id}-o")]

    def sql(self, query):
        self.admin.execute(query, {"id": self.id})
        return self.admin.fetchall() if self.admin.description else []

    def picture(self):
        ((text,),) = self.sql(PICTURE)
        return json.loads(text.replace(self.id, "@"))

    def put_away(self):
        """No later claim or sweep meets it."""
        self.sql(
            "UPDATE pay.job SET run_at = 'infinity', lease_owner = NULL,"
            " lease_until = NULL"
            " WHERE merchant_id = 'acme' AND checkout_id = %(id)s"
        )

    # Steps to a situation.

    def begun(self, **more):
        assert outcomes(self.gateway.begin(self.item, **more)) == ["created"]

    def due(self):
        self.sql(
            "UPDATE pay.job SET run_at = now() - interval '1 h',"
            " lease_owner = NULL, lease_until = NULL"
            " WHERE merchant_id = 'acme' AND checkout_id = %(id)s"
        )

    def leased(self):
        self.sql(
            "UPDATE pay.job SET run_at = now() - interval '1 h',"
            " attempts = 1, lease_owner = 'worker',"
            " lease_until = now() + interval '1 h'"
            " WHERE merchant_id = 'acme' AND checkout_id = %(id)s"
        )

    def aged(self):
        """Old enough for the sweep, which begins with this checkout."""
        self.sql(
            "UPDATE pay.checkout SET created_at = now() - interval '1 d'"
            " WHERE merchant_id = 'acme' AND checkout_id = %(id)s;"
            "UPDATE pay.dispatch SET first_sent_at = now() - interval '1 d'"
            " WHERE merchant_id = 'acme' AND checkout_id = %(id)s;"
            "UPDATE pay.webhook_inbox"
            " SET received_at = now() - interval '1 d' WHERE psp = 'stripe'"
            " AND event_id BETWEEN %(id)s AND %(id)s || '~';"
            "UPDATE pay.round SET run_at = now() - interval '1 s',"
            " merchant_id = 'acme',"
            " checkout_id = left(%(id)s, -1),"
            " sent_at = now() - interval '1 d 1 s',"
            " received_at = now() - interval '1 d 1 s', letter_id = coalesce(("
            "     SELECT min(d.dead_letter_id) - 1 FROM pay.dead_letter d"
            "     WHERE d.merchant_id = 'acme' AND d.checkout_id = %(id)s"
            "     OR d.psp = 'stripe'"
            "         AND d.event_id BETWEEN %(id)s AND %(id)s || '~'), ("
            "     SELECT max(d.dead_letter_id) FROM pay.dead_letter d), 0)"
        )

    def lettered(self):
        """Remembers the one letter that is open."""
        ((self.letter,),) = self.sql(
            "SELECT dead_letter_id FROM pay.dead_letter WHERE state = 'open'"
            " AND (merchant_id = 'acme' AND checkout_id = %(id)s"
            " OR psp = 'stripe'"
            "     AND event_id BETWEEN %(id)s AND %(id)s || '~')"
        )

    def refundable(self):
        """Remembers the name of its refund."""
        ((self.refund,),) = self.sql(
            "SELECT refund_id::text FROM pay.late_success"
            " WHERE merchant_id = 'acme' AND checkout_id = %(id)s"
        )
