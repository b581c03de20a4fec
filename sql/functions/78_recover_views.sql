-- pay_view.recoveries and its findings, which pay_ops.end_recovery reads, too
-- (78_recover.sql).

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The view has the newest recovery.  Buyers may still pay on pages that are
-- lost, so that parked webhooks count for as long as a page can live.  A dead
-- letter that an operator has resolved settles its finding.  A refund whose
-- request is lost is a finding however it came: its webhook may have been sent
-- again right behind the restore.
CREATE OR REPLACE VIEW pay_view.recovery_findings AS
WITH r AS (
    SELECT x.* FROM pay.recovery x ORDER BY x.recovery_id DESC LIMIT 1)
SELECT r.recovery_id, 'unknown' AS finding,
    i.fact IN ('paid', 'authorized', 'pending')
        OR i.fact ~ '^(capture|refund|dispute)[.]' AS is_open,
    i.received_at AS at, i.psp, i.token, i.reference, i.event_id, i.fact,
    round(i.amount_minor / 10::numeric ^ k.exponent, k.exponent) AS amount,
    i.currency, NULL::text AS merchant_id, NULL::text AS checkout_id,
    NULL::text AS payment_order_id
FROM r
CROSS JOIN LATERAL (
    SELECT DISTINCT ON (w.psp, w.token) w.*
    FROM pay.webhook_inbox w
    WHERE w.state = 'parked' AND w.checkout_id IS NULL
        AND w.received_at >= r.since
        AND w.received_at < coalesce(r.ended_at + interval '8 days',
                                     'infinity')
        AND NOT EXISTS (
            SELECT FROM pay.dead_letter d
            WHERE d.psp = w.psp AND d.event_id = w.event_id
                AND d.state = 'resolved')
    ORDER BY w.psp, w.token,
        coalesce(array_position(ARRAY['paid', 'authorized', 'pending'],
                                w.fact), CASE WHEN w.fact LIKE '%.%' THEN 4
                                              ELSE 5 END),
        w.received_at) i
LEFT JOIN pay.currency k ON k.code = i.currency
UNION ALL
SELECT r.recovery_id,
    CASE WHEN c.kind = 'refund' THEN 'refund' ELSE 'found' END,
    coalesce(c.kind = 'refund', false) AND r.ended_at IS NULL, e.at, x.psp,
    x.token, c.reference, e.detail ->> 'event_id', e.kind,
    round(coalesce(c.amount_minor, o.amount_minor)
          / 10::numeric ^ k.exponent, k.exponent),
    o.currency, e.merchant_id, x.checkout_id, e.payment_order_id
FROM r
JOIN pay.event e ON e.at >= r.since
    AND e.at < coalesce(r.ended_at, 'infinity')
JOIN pay.payment_order o ON o.merchant_id = e.merchant_id
    AND o.payment_order_id = e.payment_order_id
JOIN pay.checkout x ON x.merchant_id = o.merchant_id
    AND x.checkout_id = o.checkout_id
LEFT JOIN pay.change c ON c.merchant_id = e.merchant_id
    AND c.change_id = e.detail ->> 'change_id' AND c.origin = 'psp'
LEFT JOIN pay.currency k ON k.code = o.currency
WHERE c.kind = 'refund' OR e.at >= r.begun_at
    AND (e.actor = 'query' OR e.detail ->> 'via' = 'backfill');
COMMENT ON VIEW pay_view.recovery_findings IS
    'Facts that the PSPs knew, and the restored database did not: unknown (no '
    'checkout has the token), refund (made at the PSP, or asked for by a '
    'request that is lost), found (booked, its order was known); is_open: an '
    'operator has to act';


-- lists_left: PSPs whose list has not been read up to the begin; one more while
-- workers may not have come to the lists that are new to this database (they
-- come at least every 5 s), and while no list was ever read.  jobs_left:
-- payments that their PSPs have not been asked about since.
CREATE OR REPLACE VIEW pay_view.recoveries AS
SELECT r.recovery_id,
    CASE WHEN r.ended_at IS NULL THEN 'open' ELSE 'ended' END AS state,
    r.since, r.begun_at, r.begun_by, r.seal, r.message,
    CASE WHEN r.ended_at IS NULL THEN (
        SELECT count(*) FILTER (
                WHERE b.seen_until < date_trunc('second', r.begun_at))
            + (count(*) = 0 OR now() < r.begun_at + interval '10 seconds')::int
        FROM pay.backfill b)
        ELSE 0 END AS lists_left,
    CASE WHEN r.ended_at IS NULL THEN (
        SELECT count(*) FROM pay.job j
        WHERE j.kind IN ('register', 'poll') AND j.run_at = r.begun_at)
        ELSE 0 END AS jobs_left,
    (SELECT count(*) FROM pay_view.recovery_findings f
     WHERE f.recovery_id = r.recovery_id AND f.is_open) AS findings_left,
    (SELECT count(*) FROM pay_view.recovery_findings f
     WHERE f.recovery_id = r.recovery_id) AS findings,
    r.ended_at, r.ended_by, r.ended_why
FROM pay.recovery r;
COMMENT ON VIEW pay_view.recoveries IS
    'Restores to an earlier moment: how far the PSPs have been searched '
    'behind each, and who let new payments in again';
