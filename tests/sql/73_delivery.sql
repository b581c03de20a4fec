-- Ends of deliveries: a batch leaves what its items leave one by one.

BEGIN;
\ir helpers.psql
SELECT no_plan();

-- an endpoint with attempts under way: 1 to 6, the second of each
CREATE FUNCTION pg_temp.endpoint(
    p_id text, p_failures int, p_is_ordered boolean DEFAULT false,
    p_state text DEFAULT 'enabled', p_since interval DEFAULT '1 hour')
RETURNS void LANGUAGE sql AS $$
INSERT INTO pay.webhook_endpoint (merchant_id, endpoint_id, url, types,
    scheme, is_ordered, created_by, state, reason, failures, failing_since,
    paused_until, look_at)
VALUES ('m1', p_id, 'https://shop.example', '{}', 'v1', p_is_ordered, 'sue',
    p_state, CASE WHEN p_state = 'disabled' THEN 'merchant' END, p_failures,
    CASE WHEN p_failures > 0 THEN now() - p_since END,
    CASE WHEN p_failures >= 5 THEN now() END, now() + interval '1 hour');
INSERT INTO pay.webhook_delivery (endpoint_id, merchant_id, position,
    attempts, is_leased, run_at)
SELECT p_id, 'm1', n, 2, true, now() + interval '1 minute'
FROM generate_series(1, 6) n;
$$;
SELECT pg_temp.endpoint('well', 0), pg_temp.endpoint('back', 3),
    pg_temp.endpoint('paused', 6), pg_temp.endpoint('line', 0, true),
    pg_temp.endpoint('worse', 3), pg_temp.endpoint('away', 0),
    pg_temp.endpoint('dying', 9, false, 'enabled', '6 days'),
    pg_temp.endpoint('off', 2, false, 'disabled')
\g /dev/null

CREATE TEMP TABLE ends (n int GENERATED ALWAYS AS IDENTITY, id text,
    "position" bigint, number int DEFAULT 2, outcome text DEFAULT 'delivered',
    took_ms int DEFAULT 12, retry_s int DEFAULT 0);
INSERT INTO ends (id, position, number, outcome, took_ms, retry_s) VALUES
    ('well', 2, 2, 'delivered', 12, 0), ('back', 1, 2, 'delivered', 12, 0),
    -- failures in a row, and their end, in the order of the items
    ('worse', 1, 2, 'failed', 12, 0), ('worse', 2, 2, 'failed', 12, 90),
    ('worse', 3, 2, 'delivered', 12, 0), ('worse', 4, 2, 'failed', 12, 0),
    -- of another attempt, twice, unknown, and none
    ('well', 1, 1, 'delivered', 12, 0), ('well', 2, 2, 'delivered', 99, 0),
    ('none', 1, 2, 'delivered', 12, 0), ('well', 9, 2, 'delivered', 12, 0),
    ('well', 3, 2, 'lost', 12, 0), ('well', 4, 2, 'delivered', -1, 0),
    ('well', NULL, 2, 'delivered', 12, 0), (NULL, 1, 2, 'failed', 12, 0),
    ('worse', 1, 2, 'delivered', 12, 0),
    -- a wait that was asked for with a success
    ('well', 5, 2, 'delivered', 12, 60), ('line', 1, 2, 'delivered', 7, 0),
    ('paused', 3, 2, 'delivered', 12, 0),
    ('away', 1, 2, 'delivered', 12, 0), ('away', 2, 2, 'gone', 12, 0),
    ('away', 3, 2, 'delivered', 12, 0),
    ('dying', 1, 2, 'failed', 12, 0), ('off', 1, 2, 'failed', 12, 0),
    ('off', 2, 2, 'delivered', 12, 0);

-- the outcomes of the items from one to another
CREATE FUNCTION pg_temp.ended(p_from int, p_to int) RETURNS text
LANGUAGE sql AS $$
SELECT string_agg(p_from + e.item - 1 || ' ' || e.outcome, ', '
                  ORDER BY e.item)
FROM (SELECT array_agg('m1'::text ORDER BY n) AS merchants,
          array_agg(id ORDER BY n) AS ids,
          array_agg(position ORDER BY n) AS positions,
          array_agg(number::bigint ORDER BY n) AS numbers,
          array_agg(outcome ORDER BY n) AS outcomes,
          array_agg(200 + n::bigint ORDER BY n) AS statuses,
          array_agg(CASE WHEN outcome <> 'delivered' THEN 'status' END
                    ORDER BY n) AS failures,
          array_agg('said ' || n ORDER BY n) AS answers,
          array_agg(took_ms::bigint ORDER BY n) AS took,
          array_agg(retry_s::bigint ORDER BY n) AS retries
      FROM ends WHERE n BETWEEN p_from AND p_to) x,
    pay_api.end_delivery(x.merchants, x.ids, x.positions, x.numbers,
        x.outcomes, x.statuses, x.failures, x.answers, x.took, x.retries) e
$$;
-- all that is left; the clock's values and numbers of rows are those of no item
CREATE FUNCTION pg_temp.left_behind() RETURNS text
LANGUAGE sql AS $$
SELECT concat_ws(E'\n',
    (SELECT string_agg(concat_ws(' ', w.endpoint_id, w.state, w.reason,
         w.failures, w.failing_since, w.paused_until, w.look_at), E'\n'
         ORDER BY w.endpoint_id) FROM pay.webhook_endpoint w),
    (SELECT string_agg(concat_ws(' ', d.endpoint_id, d.position, d.state,
         d.attempts, d.run_at, d.is_leased, d.status, d.failure, d.took_ms,
         d.ended_at IS NOT NULL), E'\n' ORDER BY d.endpoint_id, d.position)
     FROM pay.webhook_delivery d),
    (SELECT string_agg(concat_ws(' ', a.endpoint_id, a.position, a.number,
         a.took_ms, a.status, a.failure, a.answer), E'\n'
         ORDER BY a.endpoint_id, a.position) FROM pay.webhook_attempt a),
    (SELECT string_agg(concat_ws(' ', o.endpoint_id, o.kind), E'\n'
         ORDER BY o.endpoint_id) FROM pay.webhook_outbox o))
$$;

-- the same waits by chance
SAVEPOINT before;
SELECT setseed(0.5)
\g /dev/null
SELECT string_agg(pg_temp.ended(n, n), ', ' ORDER BY n) AS outcomes
FROM (SELECT n FROM ends ORDER BY n) e \gset one_
SELECT pg_temp.left_behind() AS "left" \gset one_
ROLLBACK TO before;
SELECT setseed(0.5)
\g /dev/null
SELECT pg_temp.ended(1, 100) AS outcomes \gset all_
SELECT pg_temp.left_behind() AS "left" \gset all_

SELECT is(:'all_outcomes'::text, :'one_outcomes', 'the same outcomes');
SELECT is(:'all_left'::text, :'one_left', 'and the same is left');
SELECT is(:'all_outcomes'::text, '1 stored, 2 stored, 3 stored, 4 stored, '
    '5 stored, 6 stored, 7 gone, 8 gone, 9 gone, 10 gone, 11 invalid, '
    '12 invalid, 13 gone, 14 gone, 15 gone, 16 stored, 17 stored, 18 stored, '
    '19 stored, 20 stored, 21 gone, 22 stored, 23 stored, 24 stored',
    'what each item has come to');
SELECT is((SELECT string_agg(w.endpoint_id || ' ' || w.failures, ', '
                             ORDER BY w.endpoint_id)
           FROM pay.webhook_endpoint w WHERE w.state = 'enabled'),
    'back 0, line 0, paused 0, well 0, worse 1',
    'a success ends failures in a row, in its turn');
SELECT is((SELECT string_agg(w.endpoint_id, ' ' ORDER BY w.endpoint_id)
           FROM pay.webhook_endpoint w WHERE w.look_at = now()),
    'back line off paused worse',
    'those that had failed and the one with an order are looked at now');
SELECT is(d.took_ms, 12, 'the first of two ends counts')
FROM pay.webhook_delivery d WHERE d.endpoint_id = 'well' AND d.position = 2;

SELECT * FROM finish();
ROLLBACK;
