-- One attempt of an operation at a time (I1): they run from 1 without a gap,
-- and whatever came before the newest has come to nothing for sure.
SELECT a.merchant_id, a.checkout_id, a.operation, a.operation_id, a.attempt,
    a.state, a.newest
FROM (
    SELECT d.*, count(*) OVER w AS attempts, max(d.attempt) OVER w AS newest
    FROM pay.journal d
    WINDOW w AS (PARTITION BY d.merchant_id, d.checkout_id, d.operation,
                 d.operation_id)
    ) a
WHERE a.attempts <> a.newest
    OR (a.attempt < a.newest AND a.state NOT IN ('NOT_SENT', 'REFUSED'));
