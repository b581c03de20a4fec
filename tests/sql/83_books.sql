-- The gateway's look at its own books: what has changed since the last look
-- is compared once more, and a contradiction is told once.

BEGIN;
\ir helpers.psql
SELECT no_plan();

SELECT b.outcome FROM generate_series(1, 6) n,
    pg_temp.begin('m1', 'k' || n, 'c' || n, ARRAY['o' || n || ':100']) b
\g /dev/null
SELECT pg_temp.token('m1', 'c' || n, 't' || n) FROM generate_series(1, 6) n
\g /dev/null
SELECT pg_temp.fact('t' || n, 'paid') FROM generate_series(1, 5) n
\g /dev/null
SET CONSTRAINTS ALL IMMEDIATE;

CREATE FUNCTION pg_temp.differences(p_order text) RETURNS text
LANGUAGE sql SET search_path = pay, pg_temp AS $$
SELECT string_agg(d ->> 'check', ' ')
FROM payment_order o, LATERAL (
    SELECT d.detail FROM order_differences(
        ARRAY[o.merchant_id::text], ARRAY[o.payment_order_id::text]) d
    UNION ALL
    SELECT d.detail FROM wallet_differences(ARRAY[o.merchant_id::text],
        ARRAY[o.seller_account::text], ARRAY[o.checkout_id::text]) d) x (d)
WHERE o.payment_order_id = p_order
$$;

SELECT is(pg_temp.differences('o' || n), NULL, 'o' || n || ' agrees')
FROM generate_series(1, 6) n;

ALTER TABLE pay.event DISABLE TRIGGER USER;
ALTER TABLE pay.payment_order DISABLE TRIGGER USER;
ALTER TABLE pay.journal_entry DISABLE TRIGGER USER;
ALTER TABLE pay.journal_line DISABLE TRIGGER USER;

CREATE FUNCTION pg_temp.after(p_breach text, p_order text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_seen text;
BEGIN
    EXECUTE p_breach;
    v_seen := pg_temp.differences(p_order);
    RAISE EXCEPTION USING ERRCODE = 'TTT01', MESSAGE = coalesce(v_seen, '-');
EXCEPTION WHEN SQLSTATE 'TTT01' THEN
    RETURN SQLERRM;
END
$$;
SELECT is(pg_temp.after(breach, 'o1'), seen, breach)
FROM (VALUES
    ('SELECT 1', '-'),
    ('UPDATE pay.payment_order SET captured_minor = 99 WHERE payment_order_id = ''o1''', 'order_ledger'),
    ('UPDATE pay.payment_order SET refunding_minor = 1 WHERE payment_order_id = ''o1''', 'order_ledger'),
    ('UPDATE pay.payment_order SET refunded_minor = 1 WHERE payment_order_id = ''o1''', 'order_ledger'),
    ('DELETE FROM pay.journal_entry WHERE source = ''order/o1''', 'order_ledger'),
    ('UPDATE pay.journal_line SET amount_minor = 101 WHERE source = ''order/o1'' AND line = 1', 'journal_balances'),
    ('DELETE FROM pay.journal_line WHERE source = ''order/o1'' AND line = 1', 'journal_balances'),
    ('UPDATE pay.journal_line SET currency = ''EUR'' WHERE source = ''order/o1'' AND line = 1', 'journal_balances'),
    ('UPDATE pay.payment_order SET status = ''FAILED'', reason = ''risk'' WHERE payment_order_id = ''o1''', 'sale_booked event_head'),
    ('UPDATE pay.event SET detail = ''{}'' WHERE payment_order_id = ''o1'' AND new_status = ''SUCCESS''', 'event_head'),
    ('DELETE FROM pay.event WHERE payment_order_id = ''o1'' AND new_status = ''SUCCESS''', 'event_head'),
    ('UPDATE pay.wallet SET available_minor = 1', 'wallet_lines'),
    ('UPDATE pay.wallet SET seq = seq + 1', 'wallet_lines'),
    ('UPDATE pay.journal_line SET wallet_seq = 99 WHERE wallet_seq = 2', 'wallet_lines')
    ) AS t (breach, seen);

-- the round
UPDATE pay.payment_order SET captured_minor = 99 WHERE payment_order_id = 'o2';
UPDATE pay.wallet SET available_minor = 7;
-- what this transaction has written is not complete before its end
CREATE FUNCTION pg_temp.compare(p_from bigint) RETURNS text
LANGUAGE sql SET search_path = pay, pg_temp AS $$
SELECT concat_ws(' ', c.until_tx <= pg_current_xact_id()::text::bigint,
                 c.orders, c.more)
FROM compare_books(p_from, 10) c
$$;
SELECT is(pg_temp.compare(0), 't 0 f',
          'nothing that is still open is compared');
SELECT is((SELECT string_agg(b.outcome, ' ' ORDER BY b.item)
           FROM pay_api.check_books('{w1,w1,NULL,w}',
                                    '{60000,60000,60000,-1}') b),
          'checked not_due invalid invalid', 'one of a batch');
SELECT is((SELECT b.outcome FROM pay_api.check_books('{w2}', '{60000}') b),
          'not_due', 'and nobody else');
SELECT is((SELECT b.counts::jsonb ->> 'orders'
           FROM pay_api.check_books('{w2}', '{60000}') b), '0',
          'who hears what was counted');
CREATE FUNCTION pg_temp.keep(p_checkout text, p_check text) RETURNS void
LANGUAGE sql SET search_path = pay, pg_temp AS $$
SELECT keep_difference('m1', p_checkout, jsonb_build_object('check', p_check))
$$;
SELECT pg_temp.keep('c2', 'x'), pg_temp.keep('c2', 'x'),
    pg_temp.keep('c2', 'y'), pg_temp.keep('nowhere', 'y')
\g /dev/null
SELECT is((SELECT string_agg(m.detail ->> 'check', ' ' ORDER BY m.mismatch_id)
           FROM pay.mismatch m WHERE m.kind = 'books'), 'x y',
          'a difference is told once');
UPDATE pay.round SET run_at = now() WHERE name = 'books';
SELECT is((SELECT b.counts::jsonb ->> 'differences'
           FROM pay_api.check_books('{w2}', '{60000}') b), '2',
          'and counted');

-- a backlog is compared bite by bite, and no bite reads all of it
CREATE FUNCTION pg_temp.events_read() RETURNS bigint LANGUAGE sql AS $$
SELECT sum(s.seq_tup_read + coalesce(s.idx_tup_fetch, 0))::bigint
FROM pg_stat_xact_all_tables s, pg_partition_tree('pay.event') t
WHERE s.relid = t.relid
$$;
INSERT INTO pay.event (merchant_id, payment_order_id, seq, at, tx, kind,
    actor, new_status, hash)
SELECT 'm1', 'gone' || n, 1, '2001-01-01', n / 100, 'created', 'merchant',
    'NOT_STARTED', sha256('x')
FROM generate_series(1, 60000) n;
SELECT brin_summarize_new_values('pay.event_default_tx_idx')
\g /dev/null
CREATE FUNCTION pg_temp.bite() RETURNS text
LANGUAGE sql SET search_path = pay, pg_temp AS
'SELECT c::text FROM compare_books(0, 10) c';
SET LOCAL enable_seqscan = off;
SELECT pg_temp.events_read() AS before
\gset
SELECT is(pg_temp.bite(), '(1,0,t)', 'one transaction, and there is more');
SELECT cmp_ok(pg_temp.events_read() - :before, '<', 30000::bigint,
              'of sixty thousand most are not read');
CREATE FUNCTION pg_temp.bites() RETURNS text
LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_done  record;
    v_from  bigint := 580;
    v_bites int := 0;
BEGIN
    LOOP
        SELECT * INTO v_done FROM pay.compare_books(v_from, 10);
        v_bites := v_bites + 1;
        EXIT WHEN NOT v_done.more OR v_bites > 99;
        v_from := v_done.until_tx;
    END LOOP;
    RETURN concat_ws(' ', v_from >= 600, v_done.until_tx
        = pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
        v_bites BETWEEN 20 AND 40);
END
$$;
SELECT is(pg_temp.bites(), 't t t', 'to the end, in a few bites');

SELECT finish();
ROLLBACK;
