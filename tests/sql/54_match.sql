-- Captures of ours that a PSP tells of by themselves without our id, in any
-- order with the answer to our call, or without it; the same of refunds; and
-- what is not ours.

BEGIN;
\ir helpers.psql
\ir changes.psql
SELECT no_plan();

SELECT pg_temp.sold('c' || n, ARRAY['o' || n || ':1000'], true)
FROM generate_series(1, 40) n
\g /dev/null
SELECT pg_temp.sold('r' || n, ARRAY['or' || n || ':1000'])
FROM generate_series(1, 20) n
\g /dev/null
-- as the API lists them
CREATE FUNCTION pg_temp.shown(p_order text, p_kind text) RETURNS text
LANGUAGE sql AS $$
SELECT string_agg(j ->> 'status', ' ')
FROM pay_api.list_changes('{m1}', ARRAY[p_order], ARRAY[p_kind]) l,
    json_array_elements(l.changes::json) j
$$;
-- ours, its order, and what the API lists
CREATE FUNCTION pg_temp.of(p_name text) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' / ', pg_temp.how(p_name), o.status,
    pg_temp.money(o.payment_order_id),
    pg_temp.shown(o.payment_order_id, 'capture'))
FROM pay.change c
JOIN pay.payment_order o USING (merchant_id, payment_order_id)
WHERE c.change_id = pg_temp.uuid(p_name)
$$;
CREATE FUNCTION pg_temp.sales(p_checkout text) RETURNS bigint
LANGUAGE sql AS $$
SELECT sum(e.amount_minor)::bigint FROM pay.journal_entry e
WHERE e.checkout_id = p_checkout AND e.kind = 'sale'
$$;
CREATE FUNCTION pg_temp.out(
    p_checkout text, p_order text, p_name text, p_amount bigint,
    p_kind text DEFAULT 'final_capture')
RETURNS text LANGUAGE sql AS $$
SELECT pg_temp.change(p_order, p_kind, p_name, p_amount);
SELECT pg_temp.send(p_checkout, replace(p_kind, 'final_', ''), p_name)
$$;

-- each kind of change, by our id or by the payment's; the PSP's word before,
-- after and instead of the answer: always done, booked once, seen once
CREATE FUNCTION pg_temp.whole_way(
    p_n int, p_kind text, p_word text, p_answer text, p_first boolean,
    p_named boolean)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_checkout text := CASE p_kind WHEN 'refund' THEN 'r' ELSE 'c' END || p_n;
    v_order    text := CASE p_kind WHEN 'refund' THEN 'or' ELSE 'o' END
        || p_n;
    v_name     text := 'w-' || v_checkout;
    v_dispatch text := replace(p_kind, 'final_', '');
    v_own      text := CASE WHEN p_named THEN pg_temp.uuid(v_name) END;
BEGIN
    PERFORM pg_temp.out(v_checkout, v_order, v_name, 300, p_kind);
    IF NOT p_first THEN
        PERFORM pg_temp.sent(v_checkout, v_dispatch, v_name, p_answer,
            p_reference => CASE WHEN p_answer <> 'UNKNOWN'
                                THEN 'psp-' || v_name END);
    END IF;
    PERFORM pg_temp.news(v_dispatch, p_word, 'psp-' || v_name, 300,
                         't-' || v_checkout, p_operation => v_own);
    IF p_first THEN
        PERFORM pg_temp.sent(v_checkout, v_dispatch, v_name, p_answer,
            p_reference => CASE WHEN p_answer <> 'UNKNOWN'
                                THEN 'psp-' || v_name END);
    END IF;

    RETURN concat_ws(' / ', pg_temp.how(v_name), pg_temp.money(v_order),
        pg_temp.job_of(v_name), pg_temp.shown(v_order, v_dispatch),
        pg_temp.doubts(v_checkout));
END
$$;
SELECT is(pg_temp.whole_way(n::int, k, w, a, f, o),
          concat('SUCCESS psp-w-', CASE k WHEN 'refund' THEN 'r' ELSE 'c' END,
                 n, ' / ', CASE k WHEN 'refund' THEN '0 1000 0 300 0'
                                  ELSE '0 300 0 0 0' END, ' / SUCCESS'),
          concat_ws(' ', k, 'told', CASE WHEN f THEN 'before' ELSE 'behind' END,
                    a, CASE WHEN o THEN 'by our id'
                            ELSE 'by the payment''s' END))
FROM (
    SELECT k, w, a, f, o,
        row_number() OVER (PARTITION BY k ORDER BY a, f, o) AS n
    FROM (VALUES ('final_capture', 'single'), ('refund', 'succeeded'))
            t (k, w),
        unnest('{PENDING,DONE,UNKNOWN}'::text[]) a,
        unnest('{t,f}'::boolean[]) f, unnest('{t,f}'::boolean[]) o) x;
SELECT is(pg_temp.sales('c' || n), 300::bigint, 'sold once')
FROM generate_series(1, 12) n;
SELECT is(concat_ws(' ', e.kind, e.detail ->> 'by', c.reference, c.matched_to
              = e.detail ->> 'change_id'), 'capture_matched amount psp-w-c11 t',
          'the timeline says so, and the evidence is kept')
FROM pay.event e
JOIN pay.change c ON c.change_id = e.detail ->> 'matched'
WHERE e.payment_order_id = 'o11' AND e.kind = 'capture_matched';
SELECT is(pg_temp.news('capture', 'single', 'psp-w-c11', 300, 't-c11',
                       p_event => 'again'), 'unchanged', 'told again');

-- a refund that was booked as somebody else's and had been done: the PSP does
-- not say so again
SELECT is(pg_temp.out('r13', 'or13', 'k-r13', 300, 'refund'), 'send 1 1',
          'ours is out');
SELECT is(pg_temp.news('refund', 'succeeded', 're-13', 300, 't-r13',
                       p_operation => '-'), 'applied', 'somebody else''s');
SELECT is(pg_temp.sent('r13', 'refund', 'k-r13', 'PENDING',
                       p_reference => 're-13'), 'stored', 'it was ours');
SELECT is(concat_ws(' / ', pg_temp.how('k-r13'), pg_temp.money('or13')),
          'SUCCESS re-13 / 0 1000 0 300 0', 'and is done');
SELECT is(pg_temp.out('r14', 'or14', 'k-r14', 300, 'refund'), 'send 1 1',
          'ours is out');
SELECT is(pg_temp.news('refund', 'succeeded', 're-14', 300, 't-r14',
                       p_operation => '-'), 'applied', 'somebody else''s');
SELECT is(pg_temp.news('refund', 'pending', 're-14', 300, 't-r14',
                       p_operation => pg_temp.uuid('k-r14')), 'applied',
          'an older word names it');
SELECT is(concat_ws(' / ', pg_temp.how('k-r14'), pg_temp.money('or14')),
          'SUCCESS re-14 / 0 1000 0 300 0', 'it is done, too');
SELECT is(pg_temp.out('r15', 'or15', 'k-r15', 800, 'refund'), 'send 1 1',
          'ours is out');
SELECT is(pg_temp.news('refund', 'succeeded', 're-15', 800, 't-r15',
                       p_operation => '-'), 'mismatch',
          'more than is left beside it');
SELECT is(pg_temp.sent('r15', 'refund', 'k-r15', 'PENDING',
                       p_reference => 're-15'), 'stored', 'it was ours');
SELECT is(concat_ws(' / ', pg_temp.how('k-r15'), pg_temp.money('or15'),
                    pg_temp.booked('event/stripe/re-15')),
          'SUCCESS re-15 / 0 1000 0 800 0 / unknown_refund 800, '
          'unknown_refund_cleared 800', 'and is done');

-- one that failed before anybody had named it
SELECT is(pg_temp.out('c13', 'o13', 'k13', 300), 'send 1 1', 'ours is out');
SELECT is(pg_temp.news('capture', 'failed', 'cap-13', 0, 't-c13'), 'applied',
          'something has failed');
SELECT is(pg_temp.of('k13'), 'NOT_STARTED / EXECUTING / 1000 0 0 0 0 / '
          'NOT_STARTED FAILED', 'nobody knows what');
SELECT is(pg_temp.sent('c13', 'capture', 'k13', 'PENDING',
                       p_reference => 'cap-13'), 'stored', 'which is ours');
SELECT is(concat_ws(' / ', pg_temp.of('k13'), pg_temp.job_of('k13')),
          'FAILED cap-13 / EXECUTING / 1000 0 0 0 0 / FAILED', 'it was ours');
SELECT is(pg_temp.news('capture', 'failed', 'cap-14', 0, 't-c14'),
          'unchanged', 'where none of ours is out it says nothing');

-- the answer names another one: what was taken for ours is somebody else's
SELECT is(pg_temp.out('c15', 'o15', 'k15', 300), 'send 1 1', 'ours is out');
SELECT is(pg_temp.news('capture', 'single', 'cap-x', 300, 't-c15'), 'applied',
          'one of that amount');
SELECT is(pg_temp.of('k15'), 'SUCCESS cap-x / SUCCESS / 0 300 0 0 0 / '
          'SUCCESS', 'is taken for ours');
SELECT is(pg_temp.sent('c15', 'capture', 'k15', 'PENDING',
                       p_reference => 'cap-15'), 'stored', 'ours is another');
SELECT is(pg_temp.of('k15'), 'EXECUTING cap-15 / SUCCESS / 0 300 0 0 0 / '
          'EXECUTING SUCCESS', 'ours is open again');
SELECT is(split_part(pg_temp.kinds('m1', 'o15'), 'captured', 2),
          ' paid capture_matched released capture_parted', 'the timeline');
SELECT is(pg_temp.news('capture', 'failed', 'cap-15', 0, 't-c15'), 'applied',
          'and comes to nothing');
SELECT is(pg_temp.of('k15'), 'FAILED cap-15 / SUCCESS / 0 300 0 0 0 / '
          'FAILED SUCCESS', 'the other one stays');
SELECT is(pg_temp.out('c16', 'o16', 'k16', 300), 'send 1 1', 'another');
SELECT is(pg_temp.news('capture', 'single', 'cap-y', 300, 't-c16'), 'applied',
          'taken for ours');
SELECT is(pg_temp.sent('c16', 'capture', 'k16', 'REFUSED',
                       p_code => 'captured_already'), 'stored', 'is refused');
SELECT is(pg_temp.of('k16'), 'FAILED captured_already / SUCCESS / 0 300 0 0 '
          '0 / FAILED SUCCESS', 'so it was not ours');
SELECT is(pg_temp.out('c17', 'o17', 'k17', 300), 'send 1 1', 'another');
SELECT is(pg_temp.news('capture', 'single', 'cap-z', 300, 't-c17'), 'applied',
          'taken for ours');
SELECT is(pg_temp.sent('c17', 'capture', 'k17', 'NOT_SENT'), 'stored',
          'never sent');
SELECT is(concat_ws(' / ', pg_temp.of('k17'), pg_temp.job_of('k17')),
          'EXECUTING / SUCCESS / 0 300 0 0 0 / EXECUTING SUCCESS / '
          'change 0 00:00:00', 'its job goes on');
SELECT is(pg_temp.out('c18', 'o18', 'k18', 300), 'send 1 1', 'another');
SELECT is(pg_temp.news('capture', 'single', 'cap-v', 300, 't-c18'), 'applied',
          'taken for ours');
SELECT is(pg_temp.news('capture', 'single', 'cap-18', 300, 't-c18',
                       p_operation => pg_temp.uuid('k18')), 'applied',
          'until one comes with our id');
SELECT is(concat_ws(' / ', pg_temp.of('k18'), pg_temp.sales('c18')),
          'SUCCESS cap-18 / SUCCESS / 0 600 0 0 0 / SUCCESS SUCCESS / 600',
          'both are booked');

-- somebody else's
SELECT is(pg_temp.out('c19', 'o19', 'k19', 300), 'send 1 1', 'ours is out');
SELECT is(pg_temp.news('capture', 'single', 'cap-19', 200, 't-c19'),
          'applied', 'another amount');
SELECT is(pg_temp.of('k19'), 'NOT_STARTED / SUCCESS / 0 200 0 0 0 / '
          'NOT_STARTED SUCCESS', 'is not ours');
SELECT is(pg_temp.sent('c19', 'capture', 'k19', 'PENDING',
                       p_reference => 'cap-19'), 'stored',
          'but its name is that of ours');
SELECT is(concat_ws(' / ', pg_temp.of('k19'), pg_temp.doubts('c19')),
          'FAILED amount cap-19 / SUCCESS / 0 200 0 0 0 / FAILED SUCCESS / '
          'capture amount cap-19', 'another than we asked for: for people');
SELECT is(pg_temp.out('c20', 'o20', 'k20', 300), 'send 1 1', 'ours is out');
SELECT is(pg_temp.news('capture', 'single', 'cap-20', 300, 't-c20',
                       p_operation => 'somebody'), 'applied',
          'one with another id');
SELECT is(pg_temp.of('k20'), 'NOT_STARTED / SUCCESS / 0 300 0 0 0 / '
          'NOT_STARTED SUCCESS', 'is not ours');
SELECT is(pg_temp.sent('c20', 'capture', 'k20', 'PENDING',
                       p_reference => 'cap-20'), 'stored',
          'until the answer names it');
SELECT is(concat_ws(' / ', pg_temp.of('k20'), pg_temp.sales('c20')),
          'SUCCESS cap-20 / SUCCESS / 0 300 0 0 0 / SUCCESS / 300',
          'then the two are one');
SELECT is((e.kind, e.detail ->> 'by')::text, '(capture_matched,reference)',
          'in the timeline, too')
FROM pay.event e WHERE e.payment_order_id = 'o20' ORDER BY e.seq DESC LIMIT 1;
SELECT is(pg_temp.change('o21', 'final_capture', 'k21', 300),
          'created final_capture NOT_STARTED 300', 'one that is not out');
SELECT is(pg_temp.news('capture', 'single', 'cap-21', 300, 't-c21'),
          'applied', 'somebody captures that much');
SELECT is(pg_temp.of('k21'), 'NOT_STARTED / SUCCESS / 0 300 0 0 0 / '
          'NOT_STARTED SUCCESS', 'it is not ours');
SELECT throws_ok(format('UPDATE pay.change SET status = ''EXECUTING'' '
    'WHERE change_id = %L', pg_temp.uuid('k20')), 'PAY10', NULL,
    'a match by name is never undone');

\i :checks
SELECT * FROM finish();
ROLLBACK;
