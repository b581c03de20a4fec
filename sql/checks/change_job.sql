-- An open change that the PSP is not known to have has a job that goes on with
-- it, or an open dead letter says that it does not (I8); a change that has
-- ended has neither.
SELECT 'missing' AS what, c.merchant_id, c.change_id, c.kind, c.status
FROM pay.change c
WHERE c.status IN ('NOT_STARTED', 'EXECUTING') AND c.reference IS NULL
    AND NOT EXISTS (
        SELECT FROM pay.job j
        WHERE j.merchant_id = c.merchant_id
            AND j.checkout_id = c.checkout_id AND j.kind = 'change'
            AND j.operation_id = c.change_id)
    AND NOT EXISTS (
        SELECT FROM pay.dead_letter d
        WHERE d.merchant_id = c.merchant_id
            AND d.checkout_id = c.checkout_id AND d.kind = 'change'
            AND d.operation_id = c.change_id
            AND d.state IN ('open', 'resolved'))
    AND NOT EXISTS (
        SELECT FROM pay.dispatch d
        WHERE d.merchant_id = c.merchant_id
            AND d.checkout_id = c.checkout_id
            AND d.operation_id = c.change_id
            AND d.state IN ('DONE', 'PENDING'))
UNION ALL
SELECT 'unwanted', j.merchant_id, j.operation_id, j.kind, c.status
FROM pay.job j
LEFT JOIN pay.change c ON c.merchant_id = j.merchant_id
    AND c.change_id = j.operation_id AND c.checkout_id = j.checkout_id
WHERE j.kind = 'change'
    AND (c.status IN ('NOT_STARTED', 'EXECUTING')) IS NOT TRUE
UNION ALL
SELECT 'letter', d.merchant_id, d.operation_id, d.kind, c.status
FROM pay.dead_letter d
LEFT JOIN pay.change c ON c.merchant_id = d.merchant_id
    AND c.change_id = d.operation_id AND c.checkout_id = d.checkout_id
WHERE d.kind = 'change' AND d.state = 'open'
    AND (c.status IN ('NOT_STARTED', 'EXECUTING')) IS NOT TRUE;
