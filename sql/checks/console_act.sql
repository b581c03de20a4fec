-- Each act on the console is an event of the log that says the same, and the
-- reverse, but for events that were dropped with their month.
SELECT coalesce(a.seq, e.seq) AS seq, a.who, a.act, a.object
FROM pay.console_act a
FULL JOIN (
    SELECT x.* FROM pay.event x
    WHERE (x.merchant_id, x.payment_order_id) = (':console', ':acts')) e
    ON e.seq = a.seq
WHERE (a.hash, a.at, a.tx, jsonb_strip_nulls(jsonb_build_object('who', a.who,
        'roles', a.roles, 'act', a.act, 'object', a.object,
        'merchant_id', a.merchant_id, 'checkout_id', a.checkout_id,
        'reason', a.reason, 'result', a.result,
        'proposal_id', a.proposal_id, 'detail', a.detail,
        'request', a.request)))
    IS DISTINCT FROM (e.hash, e.at, e.tx, e.detail)
    AND NOT EXISTS (
        SELECT FROM pay.event_anchor n
        WHERE (n.merchant_id, n.payment_order_id) = (':console', ':acts')
            AND n.seq >= a.seq);
