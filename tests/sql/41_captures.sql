-- Captures that were made at the PSP: by themselves or as a sum, and what was
-- held of the rest.

BEGIN;
\ir helpers.psql
\ir changes.psql
SELECT no_plan();

SELECT pg_temp.sold('c' || n, ARRAY['o' || n || ':1000'], true)
FROM generate_series(1, 12) n
\g /dev/null
SELECT pg_temp.sold('d1', '{od1:100,od2:200}', true)
\g /dev/null
CREATE FUNCTION pg_temp.of(p_order text) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', pg_temp.status('m1', p_order), '/',
                 pg_temp.money(p_order))
$$;

-- a sum, and nothing follows
SELECT is(pg_temp.news('capture', 'ended', NULL, 300, 't-c1'), 'applied',
          'a part, and the rest is given back');
SELECT is(pg_temp.of('o1'), 'SUCCESS / 0 300 0 0 0', 'nothing is held');
SELECT is(pg_temp.kinds('m1', 'o1'), 'created registered authorized captured '
          'paid released', 'the timeline');
SELECT is(pg_temp.booked('order/o1'), 'authorized 1000, unauthorized 700',
          'the books');
SELECT pg_temp.everything() AS before
\gset
SELECT is(pg_temp.news('capture', 'ended', NULL, 300, 't-c1',
                       p_event => 'again-' || n), 'unchanged', 'once')
FROM generate_series(1, 2) n;
SELECT is(pg_temp.news('capture', 'ended', NULL, 300, 't-c1',
                       p_source => 'query'), 'unchanged', 'asked');
SELECT is(pg_temp.fact('t-c1', 'expired'), 'unchanged', 'the end of the hold');
SELECT is(pg_temp.everything(), :'before', 'nothing has changed');
SELECT is(pg_temp.news('capture', 'succeeded', NULL, 400, 't-c2'), 'applied',
          'a part that may be followed');
SELECT is(pg_temp.of('o2'), 'SUCCESS / 600 400 0 0 0', 'keeps its hold');
SELECT is(pg_temp.news('capture', 'ended', NULL, 300, 't-c2',
                       p_event => 'e-2a'), 'unchanged', 'a sum that is not ours');
SELECT is(pg_temp.of('o2'), 'SUCCESS / 600 400 0 0 0', 'ends no hold');
SELECT is(pg_temp.news('capture', 'ended', NULL, 400, 't-c2',
                       p_event => 'e-2b'), 'applied',
          'that sum, and its end');
SELECT is(pg_temp.of('o2'), 'SUCCESS / 0 400 0 0 0', 'the hold is over');
SELECT is(pg_temp.news('capture', 'ended', NULL, 0, 't-c3',
                       p_event => 'e-3'), 'mismatch',
          'an amount that cannot be');
SELECT is(pg_temp.of('o3'), 'EXECUTING / 1000 0 0 0 0', 'ends nothing');

-- one by itself, then a smaller one
SELECT is(pg_temp.news('capture', 'single', 'cap-a', 500, 't-c4'), 'applied',
          'one');
SELECT is(pg_temp.of('o4'), 'SUCCESS / 0 500 0 0 0', 'its rest is released');
SELECT is(pg_temp.news('capture', 'single', 'cap-b', 200, 't-c4'), 'applied',
          'a smaller one after it is no repetition');
SELECT is(pg_temp.of('o4'), 'SUCCESS / 0 700 0 0 0', 'it counts');
SELECT pg_temp.everything() AS before
\gset
SELECT is(pg_temp.news('capture', 'single', o, a, 't-c4',
                       p_event => 'again-' || o), 'unchanged', o || ' again')
FROM (VALUES ('cap-a', 500), ('cap-b', 200)) v (o, a);
SELECT is(pg_temp.everything(), :'before', 'nothing has changed');
SELECT is(pg_temp.news('capture', 'single', 'cap-c', 301, 't-c4'),
          'mismatch', 'more than was sold');
SELECT is(pg_temp.news('capture', 'single', 'cap-a', 400, 't-c4',
                       p_event => 'e-less'), 'mismatch',
          'another amount of the same');
SELECT is(pg_temp.of('o4'), 'SUCCESS / 0 700 0 0 0', 'for people');
SELECT is(pg_temp.doubts('c4'), 'capture exceeds cap-c, capture amount cap-a',
          'who hear why');

-- ours are known by their names, and an open one is not taken for another
SELECT is(pg_temp.whole('c5', 'o5', 'final_capture', 'k5', 300, 'PENDING',
                        'cap-5'), 'EXECUTING cap-5', 'ours is on its way');
SELECT is(pg_temp.news('capture', 'single', 'cap-x', 600, 't-c5'),
          'applied', 'somebody else''s');
SELECT is(concat_ws(' ', pg_temp.how('k5'), pg_temp.of('o5')),
          'EXECUTING cap-5 SUCCESS / 0 600 0 0 0', 'is not ours');
SELECT is(pg_temp.news('capture', 'single', 'cap-5', 300, 't-c5'),
          'applied', 'now ours');
SELECT is(concat_ws(' ', pg_temp.how('k5'), pg_temp.of('o5')),
          'SUCCESS cap-5 SUCCESS / 0 900 0 0 0', 'is done');
SELECT is(pg_temp.whole('c6', 'o6', 'final_capture', 'k6', 300, 'UNKNOWN'),
          'EXECUTING', 'ours, of which nothing is known');
SELECT is(pg_temp.news('capture', 'single', 'cap-6', 300, 't-c6',
                       p_operation => pg_temp.uuid('k6')), 'applied', 'is told');
SELECT is(concat_ws(' ', pg_temp.how('k6'), pg_temp.of('o6')),
          'SUCCESS cap-6 SUCCESS / 0 300 0 0 0', 'by our id');
SELECT is(pg_temp.whole('c7', 'o7', 'final_capture', 'k7', 300, 'REFUSED'),
          'FAILED', 'ours was refused');
SELECT is(pg_temp.news('capture', 'single', 'cap-7', 300, 't-c7',
                       p_operation => pg_temp.uuid('k7')), 'contradiction',
          'and done?');
SELECT is(pg_temp.of('o7'), 'EXECUTING / 1000 0 0 0 0', 'for people');

-- heard of as a sum first
SELECT is(pg_temp.news('capture', 'ended', NULL, 250, 't-c8',
                       p_source => 'query'), 'applied', 'asked');
SELECT is(pg_temp.news('capture', 'single', 'cap-8', 250, 't-c8'),
          'unchanged', 'then told: the same');
SELECT is(pg_temp.news('capture', 'single', 'cap-8b', 250, 't-c8'),
          'applied', 'then a twin of it');
SELECT is(pg_temp.of('o8'), 'SUCCESS / 0 500 0 0 0', 'each once');
SELECT is(pg_temp.news('capture', 'ended', NULL, 250, 't-c9',
                       p_source => 'query'), 'applied', 'a sum');
SELECT is(pg_temp.news('capture', 'single', 'cap-9', 100, 't-c9'),
          'mismatch', 'of which this may be a part');
SELECT is(pg_temp.of('o9'), 'SUCCESS / 0 250 0 0 0', 'is not counted twice');

-- where it moves nothing
SELECT pg_temp.sold('a1', '{oa1:70}')
\g /dev/null
SELECT is(pg_temp.news('capture', n, 'cap-a1', 30, 't-a1'), 'unchanged',
          n || ' of what is taken at once')
FROM unnest('{ended,single}'::text[]) n;
SELECT is(pg_temp.news('refund', 'single', 're', 30, 't-a1'), 'invalid',
          'no such word about a refund');
SELECT is(pg_temp.news('capture', 'single', 'cap-d', 100, 't-d1'),
          'mismatch', 'whose it is');
SELECT is(pg_temp.of('od1'), 'EXECUTING / 100 0 0 0 0', 'people say');
SELECT is(pg_temp.news('capture', 'single', NULL, 100, 't-c10'), 'mismatch',
          'one without a name');


\i :checks
SELECT * FROM finish();
ROLLBACK;
