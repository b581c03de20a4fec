-- A refund at a PSP is one of ours, once.
SELECT c.psp, c.reference, count(*) AS changes
FROM pay.change c
WHERE c.kind = 'refund' AND c.reference IS NOT NULL
GROUP BY c.psp, c.reference
HAVING count(*) > 1;
