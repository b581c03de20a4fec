-- A seal's root is that of its leaves, which are as many as it says, in order.
SELECT s.number, s.count, l.leaves
FROM pay.seal s
CROSS JOIN LATERAL (
    SELECT count(*) AS leaves, max(l.position) AS last
    FROM pay.seal_leaf l WHERE l.number = s.number) l
WHERE s.count <> l.leaves OR s.count <> l.last
    OR s.root IS DISTINCT FROM pay.seal_root(s.number)
UNION ALL
SELECT DISTINCT l.number, 0, 0
FROM pay.seal_leaf l
WHERE NOT EXISTS (SELECT FROM pay.seal s WHERE s.number = l.number);
