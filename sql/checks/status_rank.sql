-- The rank of a status and the table of ranks say the same.
SELECT u.status, pay.status_rank(u.status) AS in_function, r.rank AS in_table
FROM unnest(ARRAY['NOT_STARTED', 'EXECUTING', 'FAILED', 'SUCCESS'])
    AS u (status)
FULL JOIN pay.status_rank r ON r.status = u.status
WHERE pay.status_rank(coalesce(u.status, r.status)) IS DISTINCT FROM r.rank;
