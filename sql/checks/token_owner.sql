-- Tokens, aliases and registrations agree in both directions.  A checkout may
-- have several payment ids.
SELECT coalesce(r.merchant_id, t.merchant_id) AS merchant_id,
    coalesce(r.checkout_id, t.checkout_id) AS checkout_id, r.name,
    t.token AS owned_name
FROM (SELECT DISTINCT g.merchant_id, g.checkout_id, g.psp, n.name
      FROM pay.registration g,
          unnest(ARRAY[g.token, g.alias]::text[]) AS n (name)
      WHERE n.name IS NOT NULL) r
FULL JOIN (SELECT * FROM pay.psp_token WHERE checkout_id IS NOT NULL) t
    ON t.psp = r.psp AND t.token = r.name AND NOT t.is_reference
WHERE (r.merchant_id IS DISTINCT FROM t.merchant_id
       OR r.checkout_id IS DISTINCT FROM t.checkout_id)
    AND NOT (r.name IS NULL AND t.is_reference);
