-- A dispute that goes on under its id after its end, as PayPal's may: the PSP's
-- own times say which word is the newest, whatever the order of the events.

BEGIN;
\ir helpers.psql
\ir changes.psql
SELECT no_plan();

-- a word of PayPal's, so many seconds behind the beginning; each is an event
CREATE SEQUENCE pg_temp.words;
CREATE FUNCTION pg_temp.said(
    p_news text, p_object text, p_after bigint, p_checkout text,
    p_amount bigint DEFAULT 40)
RETURNS text LANGUAGE sql AS $$
SELECT e.outcome FROM pay_api.apply_change('{stripe}', '{backfill}',
    ARRAY['w-' || nextval('pg_temp.words')], '{x}', '{dispute}',
    ARRAY[p_news], ARRAY['t-' || p_checkout], '{NULL}', ARRAY[p_object],
    '{NULL}', ARRAY[p_amount], '{USD}', '{NULL}', '{NULL}', '{NULL}',
    '{NULL}', '{request-10}', '{NULL}', ARRAY[1800000000 - 86400 * 365 * 10
        + p_after]) e
$$;
CREATE FUNCTION pg_temp.rounds(p_object text) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', d.round, d.part, d.state, d.amount_minor),
                  ', ' ORDER BY d.part)
FROM pay.dispute d WHERE d.dispute_id = p_object
$$;

SELECT pg_temp.sold('a' || n, ARRAY['oa' || n || ':100'])
FROM generate_series(1, 9) n
\g /dev/null
SELECT pg_temp.sold('b', '{ob1:100,ob2:50}')
\g /dev/null

-- won, and taken again: lost in the end
SELECT is(pg_temp.said(w, 'd1', s, 'a1'), o, format('%s at %s', w, s))
FROM (VALUES (1, 'opened', 10, 'applied'), (2, 'won', 20, 'applied'),
    (3, 'opened', 15, 'unchanged'), (4, 'opened', 20, 'unchanged'),
    (5, 'opened', 30, 'applied'), (6, 'opened', 31, 'unchanged'),
    (7, 'won', 20, 'unchanged'), (8, 'lost', 40, 'applied'),
    (9, 'opened', 31, 'unchanged'), (10, 'won', 20, 'unchanged'))
    t (n, w, s, o);
SELECT is(concat_ws(' / ', pg_temp.rounds('d1'), pg_temp.money('oa1'),
        pg_temp.booked('dispute/stripe/d1'),
        pg_temp.booked('dispute/stripe/d1 2'), pg_temp.doubts('a1')),
    '1 1 won 40, 2 2 lost 40 / 0 100 0 0 40 / '
    'dispute_opened 40, dispute_won 40 / dispute_lost 40, dispute_opened 40',
    'the money is gone, once');
SELECT is(pg_temp.kinds('m1', 'oa1'), 'created registered paid '
    'dispute_opened dispute_won dispute_opened dispute_lost', 'told');

-- an end without a time, as of a file, is one of the time when it was heard
SELECT is(pg_temp.said(w, 'd0', s, 'a9'), o, format('%s at %s', w, s))
FROM (VALUES (1, 'opened', 10, 'applied'), (2, 'won', NULL, 'applied'),
    (3, 'opened', 15, 'unchanged'), (4, 'lost', 16, 'contradiction'))
    t (n, w, s, o);
SELECT is(pg_temp.rounds('d0'), '1 1 won 40', 'so that it stays won');

-- won twice, and taken a third time
SELECT is(pg_temp.said(w, 'd2', s, 'a2'), 'applied', format('%s at %s', w, s))
FROM (VALUES (1, 'opened', 10), (2, 'won', 20), (3, 'opened', 30),
    (4, 'won', 40), (5, 'opened', 50)) t (n, w, s);
SELECT is(concat_ws(' / ', pg_temp.rounds('d2'), pg_temp.money('oa2')),
    '1 1 won 40, 2 2 won 40, 3 3 open 40 / 0 100 0 0 40', 'it is held');

-- the same events, the newest first, as a list may have them
SELECT is(pg_temp.said(w, 'd3', s, 'a3'), o, format('%s at %s', w, s))
FROM (VALUES (1, 'opened', 30, 'applied'), (2, 'won', 20, 'unchanged'),
    (3, 'opened', 10, 'unchanged')) t (n, w, s, o);
SELECT is(concat_ws(' / ', pg_temp.rounds('d3'), pg_temp.money('oa3'),
                    pg_temp.doubts('a3')),
          '1 1 open 40 / 0 100 0 0 40', 'open, as at the PSP');

-- the second opening was not heard of
SELECT is(pg_temp.said(w, 'd4', s, 'a4'), 'applied', format('%s at %s', w, s))
FROM (VALUES (1, 'won', 20), (2, 'lost', 40)) t (n, w, s);
SELECT is(concat_ws(' / ', pg_temp.rounds('d4'), pg_temp.money('oa4')),
          '1 1 won 40, 2 2 lost 40 / 0 100 0 0 40', 'lost');

-- lost, and the merchant appeals: nothing is given back yet, operators know
SELECT is(pg_temp.said(w, 'd5', s, 'a5'), o, format('%s at %s', w, s))
FROM (VALUES (1, 'lost', 20, 'applied'), (2, 'opened', 10, 'unchanged'),
    (3, 'opened', 30, 'contradiction'), (4, 'opened', 31, 'unchanged'),
    (5, 'won', 40, 'contradiction')) t (n, w, s, o);
SELECT is(concat_ws(' / ', pg_temp.rounds('d5'), pg_temp.money('oa5'),
                    pg_temp.doubts('a5')),
          '1 1 lost 40 / 0 100 0 0 40 / dispute contradiction d5, '
          'dispute contradiction d5', 'a doubt');

-- an end that was heard before words had times: the hearing counts
SELECT is(pg_temp.news('dispute', 'won', 'd6', 40, 't-a6'), 'applied', 'won');
SELECT is(pg_temp.said('opened', 'd6', 0, 'a6'), 'unchanged', 'late');
UPDATE pay.dispute SET changed_at = to_timestamp(1400000000), said_at = NULL
WHERE dispute_id = 'd6';
SELECT is(pg_temp.said('opened', 'd6', 0, 'a6'), 'applied', 'open again');
SELECT is(pg_temp.rounds('d6'), '1 1 won 40, 2 2 open 40', 'a second round');

-- a word without a time is late, or a contradiction, as ever
SELECT is(pg_temp.said('won', 'd7', 20, 'a7'), 'applied', 'won');
SELECT is(pg_temp.news('dispute', w, 'd7', 40, 't-a7'), o, w)
FROM (VALUES ('opened', 'unchanged'), ('lost', 'contradiction')) t (w, o);
SELECT is(pg_temp.said(w, 'd7', s, 'a7'), 'unchanged', 'no such time')
FROM (VALUES ('opened', 99999999999), ('opened', -1800000000)) t (w, s);

-- more than is left meanwhile, and no amount
SELECT is(pg_temp.said('won', 'd8', 20, 'a8'), 'applied', 'won');
SELECT is(pg_temp.said('opened', 'd8b', 20, 'a8', 90), 'applied', 'another');
SELECT is(pg_temp.said('opened', 'd8', 30, 'a8'), 'mismatch', 'no room');
SELECT is(pg_temp.said('opened', 'd8', 31, 'a8', NULL), 'mismatch',
          'no amount');
SELECT is(concat_ws(' / ', pg_temp.rounds('d8'), pg_temp.doubts('a8')),
          '1 1 won 40 / dispute exceeds d8, dispute amount d8', 'doubts');

-- of several orders: each round has its parts, and the last one can be moved
SELECT is(pg_temp.said(w, 'd9', s, 'b', 30), 'applied', format('%s at %s',
                                                               w, s))
FROM (VALUES (1, 'won', 20), (2, 'opened', 30)) t (n, w, s);
SELECT is(pg_temp.rounds('d9'), '1 1 won 20, 1 2 won 10, 2 3 open 20, '
    '2 4 open 10', 'split again');
SELECT is(pay_ops.assign_mismatch((SELECT max(m.mismatch_id)
    FROM pay.mismatch m WHERE m.object = 'd9'), '{ob2}', '{0.30}', 'ann',
    'b'), 'assigned', 'moved');
SELECT is(pg_temp.said('lost', 'd9', 40, 'b', 30), 'applied', 'lost');
SELECT is(concat_ws(' / ', pg_temp.rounds('d9'), pg_temp.money('ob1'),
                    pg_temp.money('ob2')),
    '1 1 won 20, 1 2 won 10, 2 3 moved 20, 2 4 moved 10, 2 5 lost 30 / '
    '0 100 0 0 0 / 0 50 0 0 30', 'the other one bears it');

-- parked with its time
SELECT is(pg_temp.said('opened', 'd10', 30, 'later'), 'unknown',
          'a list of strangers is not kept');
SELECT is((SELECT e.outcome FROM pay_api.apply_change('{stripe}',
    '{webhook}', '{w-later}', '{x}', '{dispute}', '{opened}', '{t-later}',
    '{NULL}', '{d10}', '{NULL}', '{40}', '{USD}', '{NULL}', '{NULL}',
    '{NULL}', ARRAY[sha256('x')], '{request-10}', '{NULL}',
    '{1500000000}') e), 'parked', 'waits for its page');
SELECT pg_temp.sold('later', '{olater:100}')
\g /dev/null
SELECT is(concat_ws(' ', pg_temp.rounds('d10'), extract(epoch FROM d.said_at)),
          '1 1 open 40 1500000000.000000', 'with its time')
FROM pay.dispute d WHERE d.dispute_id = 'd10';

-- each counts once in the console, by its last round, and where it is now
CREATE FUNCTION pg_temp.rate() RETURNS jsonb
LANGUAGE sql SET search_path = pay, pg_temp AS $$
SELECT console_dispute_rate(NULL, '{}') - 'days'
$$;
SELECT is(pg_temp.rate(), '{"won": 3, "lost": 4, "open": 5}', 'd0 d7 d8, '
    'd1 d4 d5 d9, d2 d3 d6 d8b d10');

\i :checks
SELECT * FROM finish();
ROLLBACK;
