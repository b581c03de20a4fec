-- Runs of schedules: one for each due time, in pieces, whichever worker makes
-- them; batches behind it; and the figures of pay-outs.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir settlement.psql
\ir payout.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.due(
    p_wallets int DEFAULT 200, p_owner text DEFAULT 'w1')
RETURNS text LANGUAGE sql AS $$
SELECT d.outcome FROM pay_api.make_due_payouts(ARRAY[p_owner],
                                               ARRAY[p_wallets]) d
$$;
-- until nothing is due: how many pieces
CREATE FUNCTION pg_temp.all_due(p_wallets int DEFAULT 200) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    v_pieces int := 0;
BEGIN
    WHILE pg_temp.due(p_wallets, 'w' || v_pieces) = 'again' LOOP
        v_pieces := v_pieces + 1;
    END LOOP;
    RETURN v_pieces;
END
$$;
CREATE FUNCTION pg_temp.schedule(
    p_every text DEFAULT 'day', p_seller text DEFAULT NULL,
    p_batch int DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
SELECT pay_ops.set_payout_schedule('m1', p_seller, p_every, NULL, '00:00',
    'UTC', NULL, p_batch, 'ann', 'test')
$$;
-- its time has come, so many days ago
CREATE FUNCTION pg_temp.comes(p_days int DEFAULT 0, p_seller text DEFAULT '')
RETURNS void LANGUAGE sql AS $$
UPDATE pay.payout_schedule s SET next_day = d.day,
    next_at = d.day AT TIME ZONE 'UTC'
FROM (SELECT (now() AT TIME ZONE 'UTC')::date - p_days AS day) d
WHERE s.merchant_id = 'm1' AND s.seller_account = p_seller
$$;
CREATE FUNCTION pg_temp.runs() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', nullif(r.seller_account, ''), r.state,
    r.wallets, r.items, r.batches, r.outcomes), ', ' ORDER BY r.run_id)
FROM pay.payout_run r
$$;

SELECT pg_temp.provider(), pg_temp.policy('days', 0)
\g /dev/null
SELECT pg_temp.sold('c' || n, ARRAY['o' || n || ':' || n * 100 || ':s' || n]),
    pg_temp.account(p_seller => 's' || n)
FROM generate_series(1, 5) n
\g /dev/null
SELECT pg_temp.sold('c6', ARRAY['o6:600:s6'])
\g /dev/null

SELECT is(pg_temp.due(), 'not_due', 'there is no schedule');
SELECT is(pg_temp.due(0), 'invalid', 'no wallets');
SELECT is(pg_temp.due(1, ''), 'invalid', 'nobody');
SELECT is(pg_temp.schedule(), 'stored', 'a schedule');
SELECT is(pg_temp.due(), 'not_due', 'its time has not come');
SELECT pg_temp.comes()
\g /dev/null
SELECT is(pg_temp.due(), 'again', 'a run begins');
SELECT is((SELECT (s.run_day = r.due_day)::text || ' '
               || (s.next_day - s.run_day)
           FROM pay.payout_run r, pay.payout_schedule s), 'true 1',
          'and its schedule is due on the next day');
SELECT is(pg_temp.due(2, 'w1'), 'again', 'a piece');
SELECT is(pg_temp.runs(), 'making 2 2 0 {"made": 2}', 'of two wallets');
SELECT is(pg_temp.due(2, 'w2'), 'again', 'another worker goes on');
SELECT is((SELECT concat_ws(' ', r.owner, r.pieces, r.at_seller)
           FROM pay.payout_run r), 'w2 2 s4', 'behind the last wallet');
SELECT is(pg_temp.all_due(2), 1, 'the last piece');
SELECT is(pg_temp.runs(), 'done 6 5 0 {"made": 5, "no_destination": 1}',
          'a seller has no account');
SELECT is((SELECT string_agg(concat_ws(' ', p.seller_account, p.amount_minor,
               p.state, p.made_by = 'schedule/' || r.run_id), ', '
               ORDER BY p.seller_account)
           FROM pay.payout p, pay.payout_run r),
          's1 100 ready t, s2 200 ready t, s3 300 ready t, s4 400 ready t, '
          's5 500 ready t', 'the items, whose maker is the run');
SELECT is(pg_temp.due(), 'not_due', 'the day is done');

-- once for each due time, whatever becomes of its schedule
SELECT pg_temp.comes()
\g /dev/null
SELECT is(pg_temp.all_due(), 1, 'the same day again');
SELECT is((SELECT count(*) FROM pay.payout_run), 1::bigint, 'has its run');
SELECT is(pay_ops.drop_payout_schedule('m1', NULL, 'ann', 'test'), 'removed',
          'without its schedule');
SELECT is(pg_temp.schedule(), 'stored', 'and with another one');
SELECT ok((SELECT s.next_day > s.run_day FROM pay.payout_schedule s),
          'a day that had its run is not due');

-- days that nobody has made are made late, the oldest first
SELECT pg_temp.sold('d1', ARRAY['p1:1000:s1'])
\g /dev/null
UPDATE pay.payout_schedule SET run_day = NULL;
SELECT pg_temp.comes(3)
\g /dev/null
SELECT is(pg_temp.all_due(), 7, 'three runs, and a day that has had its own');
SELECT is((SELECT string_agg(concat_ws(' ',
               (now() AT TIME ZONE 'UTC')::date - r.due_day, r.items), ', '
               ORDER BY r.run_id) FROM pay.payout_run r),
          '0 5, 3 1, 2 0, 1 0', 'the first one finds the money');

-- a seller's own schedule, and batches
SELECT pg_temp.sold('e' || n, ARRAY['q' || n || ':10:s' || n])
FROM generate_series(1, 5) n
\g /dev/null
SELECT pg_temp.schedule(p_seller => 's2'),
    pg_temp.schedule('demand', p_seller => 's4'),
    pg_temp.schedule(p_batch => 3)
\g /dev/null
UPDATE pay.payout_schedule SET run_day = NULL;
SELECT pg_temp.comes(9)
\g /dev/null
SELECT is(pg_temp.due(), 'again', 'the merchant''s begins');
UPDATE pay.payout_schedule SET next_at = now() + interval '1 h'
WHERE every <> 'demand';
SELECT ok(pg_temp.all_due() > 0, 'and ends');
SELECT is((SELECT concat_ws(' ', r.state, r.wallets, r.items, r.batches)
           FROM pay.payout_run r ORDER BY r.run_id DESC LIMIT 1),
          'done 4 3 3', 'without both; all ready items are in batches');
SELECT is((SELECT string_agg(concat_ws(' ', b.item_count, b.state), ', '
                             ORDER BY b.number)
           FROM pay.payout_batch b), '3 open, 3 open, 3 open',
          'of three, which wait for an approval');
SELECT is((SELECT count(*) FROM pay.payout_batch b
           WHERE b.made_by ~ '^schedule/[0-9]+$'), 3::bigint,
          'an operator has made none');
UPDATE pay.payout_schedule SET run_day = NULL WHERE seller_account = 's2';
SELECT pg_temp.comes(9, 's2')
\g /dev/null
SELECT is(pg_temp.due(), 'again', 'the seller''s begins');
UPDATE pay.payout_schedule SET next_at = now() + interval '1 h'
WHERE every <> 'demand';
SELECT ok(pg_temp.all_due() > 0, 'and ends');
SELECT is((SELECT concat_ws(' ', r.seller_account, r.wallets, r.items,
                            r.batches)
           FROM pay.payout_run r ORDER BY r.run_id DESC LIMIT 1),
          's2 1 1 0', 'with its own item, and no batch');

-- a wallet whose item PostgreSQL refuses keeps no other one waiting
SELECT pg_temp.sold('f' || n, ARRAY['r' || n || ':10:s' || n])
FROM generate_series(1, 5) n
\g /dev/null
CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'not this one' USING ERRCODE = 'check_violation';
END
$$;
CREATE TRIGGER refuse BEFORE INSERT ON pay.payout FOR EACH ROW
    WHEN (NEW.seller_account = 's3') EXECUTE FUNCTION pg_temp.refuse();
UPDATE pay.payout_schedule SET run_day = NULL WHERE seller_account = '';
SELECT pg_temp.comes(20)
\g /dev/null
SELECT is(pg_temp.due(), 'again', 'a run');
UPDATE pay.payout_schedule SET next_at = now() + interval '1 h'
WHERE every <> 'demand';
SELECT is(pg_temp.due(), 'again', 'its piece');
SELECT is((SELECT r.outcomes FROM pay.payout_run r
           ORDER BY r.run_id DESC LIMIT 1),
          '{"made": 2, "refused": 1, "no_destination": 1}', 'one is refused');
DROP TRIGGER refuse ON pay.payout;

-- figures
CREATE FUNCTION pg_temp.figures() RETURNS jsonb LANGUAGE sql AS $$
SELECT w.counts::jsonb FROM pay_api.watch_payouts('{w1}', '{0}') w
$$;
SELECT ok(pg_temp.figures() @> '{"runs": 1, "items": {"ready": 12,
    "unknown": 0}}', 'the run, and the items, in batches or not');
SELECT is((pg_temp.figures() ->> 'due_at')::bigint,
          extract(epoch FROM date_trunc('day', now(), 'UTC')
                  - interval '20 days')::bigint, 'since when it is due');
SELECT ok(pg_temp.figures() ? 'open_at' AND pg_temp.figures() -> 'items_at'
          ? 'ready', 'since when others wait');
SELECT is(pg_temp.all_due() > 0, true, 'the run ends');
SELECT ok(NOT pg_temp.figures() ? 'due_at', 'none is due');
SELECT is((SELECT string_agg(w.outcome, ' ' ORDER BY w.item)
           FROM pay_api.watch_payouts('{w1,w2,NULL}',
                                      '{60000,60000,60000}') w),
          'checked not_due invalid', 'one of all workers counts');

-- guards
SELECT throws_ok(sql, state, NULL, sql) FROM (VALUES
    ('DELETE FROM pay.payout_run', 'PAY20'),
    ('UPDATE pay.payout_run SET due_at = now()', 'PAY11'),
    ('UPDATE pay.payout_run SET items = 0', 'PAY11'),
    ('INSERT INTO pay.payout_run (merchant_id, seller_account, due_day, '
     'due_at) SELECT r.merchant_id, r.seller_account, r.due_day, now() '
     'FROM pay.payout_run r', '23505')) AS g (sql, state);

SET CONSTRAINTS ALL IMMEDIATE;
\i :checks

SELECT finish();
ROLLBACK;
