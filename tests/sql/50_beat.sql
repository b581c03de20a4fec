-- Beats: what a process writes is what it finds, and others find nothing of it.
BEGIN;
\ir helpers.psql
SELECT no_plan();

SELECT results_eq(
    $$SELECT b.item, b.outcome, b.number, b.is_standby
      FROM pay_api.read_beat('{one}') b$$,
    $$VALUES (1, 'found', 0::bigint, 0::bigint)$$,
    'a process that has written none has the number 0');
SELECT results_eq(
    $$SELECT b.item, b.outcome FROM pay_api.beat('{one,two}', '{1,1}') b$$,
    $$VALUES (1, 'stored'), (2, 'stored')$$, 'each item is stored');
SELECT results_eq(
    $$SELECT b.outcome FROM pay_api.beat('{one,one}', '{3,2}') b$$,
    $$VALUES ('stored'), ('stored')$$, 'twice in a batch');
SELECT results_eq(
    $$SELECT b.number FROM pay_api.read_beat('{one,two,three}') b
      ORDER BY b.item$$,
    $$VALUES (3::bigint), (1), (0)$$, 'each has its own newest number');
SELECT lives_ok($$SELECT FROM pay_api.beat('{one}', '{2}')$$,
                'a number that comes late');
SELECT results_eq($$SELECT b.number FROM pay_api.read_beat('{one}') b$$,
                  $$VALUES (3::bigint)$$, 'never goes back');

UPDATE pay.beat SET at = now() - interval '61 minutes' WHERE writer = 'two';
SELECT lives_ok($$SELECT FROM pay_api.beat('{one}', '{4}')$$, 'another one');
SELECT results_eq('SELECT writer COLLATE "default" FROM pay.beat ORDER BY 1',
                  $$VALUES ('one'), ('two')$$, 'deletes nothing');
SELECT lives_ok($$SELECT FROM pay_api.beat('{new}', '{1}')$$, 'the first');
SELECT results_eq('SELECT writer COLLATE "default" FROM pay.beat ORDER BY 1',
                  $$VALUES ('new'), ('one')$$,
                  'of a process deletes those of processes that are gone');
SELECT is_empty($$SELECT FROM pay_api.beat('{}', '{}')$$, 'none');

SELECT finish();
ROLLBACK;
