-- Reads for people: support, finance, payctl.  Amounts stand in the
-- currency's own decimals beside the minor units.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE VIEW pay_view.checkouts AS
SELECT c.merchant_id, c.checkout_id, c.checkout_uuid, c.psp, c.currency,
    c.total_minor,
    round(c.total_minor / 10::numeric ^ k.exponent, k.exponent) AS total,
    c.created_at, c.expires_at, c.is_payment_done, c.version,
    r.state AS registration_state, r.attempt, r.nonce, r.token, r.alias,
    r.reference, r.code, r.psps, r.refused_psps, r.open_attempts,
    j.kind AS job, j.run_at AS job_run_at, j.attempts AS job_attempts,
    j.code AS job_code
FROM pay.checkout c
JOIN pay.currency k ON k.code = c.currency
LEFT JOIN pay.registration r ON r.merchant_id = c.merchant_id
    AND r.checkout_id = c.checkout_id
LEFT JOIN pay.job j ON j.merchant_id = c.merchant_id
    AND j.checkout_id = c.checkout_id;
COMMENT ON VIEW pay_view.checkouts IS
    'Checkouts with their registration and job, without buyer details; '
    'open_attempts counts calls of which nobody knows that they came to '
    'nothing';


CREATE OR REPLACE VIEW pay_view.orders AS
SELECT o.merchant_id, o.payment_order_id, o.checkout_id, o.position,
    o.seller_account, o.currency, o.amount_minor,
    round(o.amount_minor / 10::numeric ^ k.exponent, k.exponent) AS amount,
    o.status, o.reason, c.psp, c.created_at, o.version AS events
FROM pay.payment_order o
JOIN pay.checkout c ON c.merchant_id = o.merchant_id
    AND c.checkout_id = o.checkout_id
JOIN pay.currency k ON k.code = o.currency;
COMMENT ON VIEW pay_view.orders IS 'Payment orders and where they stand';


CREATE OR REPLACE VIEW pay_view.timeline AS
SELECT e.merchant_id, o.checkout_id, e.payment_order_id, e.seq, e.at, e.kind,
    e.actor, e.old_status, e.new_status, e.reason, e.detail, e.request_id
FROM pay.event e
JOIN pay.payment_order o ON o.merchant_id = e.merchant_id
    AND o.payment_order_id = e.payment_order_id;
COMMENT ON VIEW pay_view.timeline IS 'What happened to each order, in order';


CREATE OR REPLACE VIEW pay_view.jobs AS
SELECT j.merchant_id, j.checkout_id, c.psp, j.kind,
    CASE WHEN j.lease_until > now() THEN 'leased'
         WHEN j.run_at > now() THEN 'waiting'
         ELSE 'due' END AS state,
    j.run_at,
    CASE WHEN greatest(j.run_at, j.lease_until) <= now()
         THEN now() - greatest(j.run_at, j.lease_until) END AS overdue,
    j.attempts, j.code, j.lease_owner, j.lease_until, j.again_at
FROM pay.job j
JOIN pay.checkout c ON c.merchant_id = j.merchant_id
    AND c.checkout_id = j.checkout_id;
COMMENT ON VIEW pay_view.jobs IS
    'Background work: what is due, since when, and who is at it; overdue by '
    'more than a minute means that no worker takes jobs';


CREATE OR REPLACE VIEW pay_view.parked AS
SELECT i.psp, i.event_id, i.received_at, now() - i.received_at AS age,
    i.type, i.fact, i.token, i.reference, i.code, i.currency,
    i.amount_minor,
    round(i.amount_minor / 10::numeric ^ k.exponent, k.exponent) AS amount,
    i.request_id
FROM pay.webhook_inbox i
LEFT JOIN pay.currency k ON k.code = i.currency
WHERE i.state = 'parked';
COMMENT ON VIEW pay_view.parked IS
    'Webhooks about tokens that nobody has: normal for seconds; an old one '
    'that says paid is money that is not ours, or not booked';


CREATE OR REPLACE VIEW pay_view.mismatches AS
SELECT m.mismatch_id, m.at, m.merchant_id, m.checkout_id, m.kind, m.source,
    m.psp, m.event_id, m.token, m.alias, m.own_token, m.currency,
    round(m.amount_minor / 10::numeric ^ k.exponent, k.exponent) AS amount,
    m.own_currency,
    round(m.total_minor / 10::numeric ^ o.exponent, o.exponent) AS total,
    (SELECT p.status
     FROM pay.payment_order p
     WHERE p.merchant_id = m.merchant_id AND p.checkout_id = m.checkout_id
         AND p.position = 1) AS status,
    m.request_id
FROM pay.mismatch m
JOIN pay.currency o ON o.code = m.own_currency
LEFT JOIN pay.currency k ON k.code = m.currency;
COMMENT ON VIEW pay_view.mismatches IS
    'What a PSP said and was not believed (token, alias, currency, amount) '
    'beside what is ours (own_token, own_currency, total), and the orders'' '
    'status';


-- Each open checkout has a job (checks/job_missing.sql), so this looks at
-- open ones only, however many there are in all, and at those failed ones
-- whose PSP is asked for a late payment.
CREATE OR REPLACE VIEW pay_view.stuck AS
SELECT s.*
FROM (
    SELECT j.merchant_id, j.checkout_id, j.psp,
        CASE
            WHEN EXISTS (
                SELECT FROM pay.mismatch m
                WHERE m.merchant_id = j.merchant_id
                    AND m.checkout_id = j.checkout_id) THEN 'mismatch'
            WHEN j.code IN ('psp_not_configured', 'request_refused')
                THEN j.code
            WHEN j.overdue > interval '1 minute' THEN 'no_worker'
            WHEN o.status <> 'FAILED'
                AND c.expires_at < now() - interval '30 minutes'
                THEN 'past_expiry'
            WHEN j.kind = 'register'
                AND c.created_at < now() - interval '5 minutes'
                THEN 'not_registered'
            WHEN j.code = 'no_answer' AND j.attempts >= 5 THEN 'no_answer'
        END AS why,
        o.status, c.currency,
        round(c.total_minor / 10::numeric ^ k.exponent, k.exponent) AS total,
        c.created_at, c.expires_at, r.state AS registration_state, r.attempt,
        r.code, r.token, j.kind AS job, j.run_at AS job_run_at,
        j.attempts AS job_attempts, j.code AS job_code
    FROM pay_view.jobs j
    JOIN pay.checkout c ON c.merchant_id = j.merchant_id
        AND c.checkout_id = j.checkout_id
    JOIN pay.registration r ON r.merchant_id = j.merchant_id
        AND r.checkout_id = j.checkout_id
    JOIN pay.payment_order o ON o.merchant_id = j.merchant_id
        AND o.checkout_id = j.checkout_id AND o.position = 1
    JOIN pay.currency k ON k.code = c.currency
    ) s
WHERE s.why IS NOT NULL;
COMMENT ON VIEW pay_view.stuck IS
    'Open checkouts that do not go on as they should: mismatch, '
    'psp_not_configured, request_refused, no_worker, past_expiry, '
    'not_registered or no_answer';
