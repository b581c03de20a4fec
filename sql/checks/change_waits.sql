-- No change waits while nothing is under way for it.  Under way is: its job, an
-- open call, an open dead letter, or, once the PSP has it, the PSP's statement
-- about its end.  That statement is outstanding only as long as it has not
-- arrived: no other change of that PSP reference has ended, and no webhook
-- states its end.
SELECT c.merchant_id, c.change_id, c.kind, c.status, c.psp, c.reference
FROM pay.change c
WHERE c.status IN ('NOT_STARTED', 'EXECUTING')
    AND NOT EXISTS (
        SELECT FROM pay.job j
        WHERE j.merchant_id = c.merchant_id
            AND j.checkout_id = c.checkout_id AND j.kind = 'change'
            AND j.operation_id = c.change_id)
    AND NOT EXISTS (
        SELECT FROM pay.dispatch d
        WHERE d.merchant_id = c.merchant_id
            AND d.checkout_id = c.checkout_id
            AND d.operation_id = c.change_id AND d.state = 'OPEN')
    AND NOT EXISTS (
        SELECT FROM pay.dead_letter d
        WHERE d.merchant_id = c.merchant_id
            AND d.checkout_id = c.checkout_id
            AND (d.kind = 'change' AND d.operation_id = c.change_id
                 OR d.kind = 'stuck' AND d.reason = 'changing')
            AND d.state IN ('open', 'resolved'))
    AND ((c.reference IS NULL AND NOT EXISTS (
            SELECT FROM pay.dispatch d
            WHERE d.merchant_id = c.merchant_id
                AND d.checkout_id = c.checkout_id
                AND d.operation_id = c.change_id
                AND d.state IN ('DONE', 'PENDING')))
        OR EXISTS (
            SELECT FROM pay.change x
            WHERE x.merchant_id = c.merchant_id
                AND x.checkout_id = c.checkout_id AND x.kind = c.kind
                AND x.psp = c.psp AND x.reference = c.reference
                AND x.change_id <> c.change_id
                AND x.created_at >= c.created_at
                AND x.status IN ('SUCCESS', 'FAILED'))
        OR EXISTS (
            SELECT FROM pay.webhook_inbox i
            WHERE i.merchant_id = c.merchant_id
                AND i.checkout_id = c.checkout_id AND i.psp = c.psp
                AND i.state IN ('applied', 'unchanged')
                AND i.about ->> 'about' = c.kind
                AND i.about ->> 'object' = c.reference
                AND (i.about ->> 'news' IN ('single', 'failed')
                     OR c.kind = 'refund'
                        AND i.about ->> 'news' = 'succeeded')));
