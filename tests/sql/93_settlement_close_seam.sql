-- Which worker closes a day and signs it: under a lease, one day after the
-- other, and once.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir settlement.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.begin_close(
    p_owner text, p_delay_ms bigint DEFAULT 1000,
    p_lease_ms bigint DEFAULT 30000)
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', c.outcome, c.number,
    ((c.document::json ->> 'day')::date
     - (now() AT TIME ZONE 'UTC')::date)::text)
FROM pay_api.begin_close(ARRAY[p_owner], ARRAY[p_delay_ms],
                         ARRAY[p_lease_ms]) c
$$;
CREATE FUNCTION pg_temp.end_close(
    p_number bigint, p_byte text DEFAULT 'ab', p_key text DEFAULT 'k1')
RETURNS text LANGUAGE sql AS $$
SELECT c.outcome FROM pay_api.end_close(ARRAY[p_number], ARRAY[p_key],
    ARRAY[decode(repeat(p_byte, 64), 'hex')]) c
$$;
CREATE FUNCTION pg_temp.lease_ends() RETURNS void LANGUAGE sql AS
$$UPDATE pay.round SET lease_until = now() WHERE name = 'close'$$;

SELECT is(pg_temp.begin_close(NULL), 'invalid', 'nobody');
SELECT is(pg_temp.begin_close('w1', -1), 'invalid', 'no delay');
SELECT is(pg_temp.begin_close('w1', 86400000), 'not_due',
          'yesterday is over, but not for so long');
-- the answer, and nothing is kept
CREATE FUNCTION pg_temp.would_begin(p_owner text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_said text;
BEGIN
    BEGIN
        v_said := pg_temp.begin_close(p_owner);
        RAISE EXCEPTION 'undone';
    EXCEPTION WHEN raise_exception THEN
        RETURN v_said;
    END;
END
$$;
SELECT is(pg_temp.would_begin('w1'), 'due 1 -1',
          'the first close is yesterday''s');
SELECT is(c.outcome, 'made', 'an operator has closed an older day')
FROM pay_ops.make_close((now() AT TIME ZONE 'UTC')::date - 4) c;
SELECT is(pg_temp.begin_close('w1'), 'due 1 -4', 'and has not signed it');
SELECT is(pg_temp.begin_close('w2'), 'not_due', 'one worker has it');
SELECT is(pg_temp.begin_close('w1'), 'due 1 -4',
          'which gets it again, when its answer was lost');
SELECT pg_temp.lease_ends()
\g /dev/null
SELECT is(pg_temp.begin_close('w2'), 'due 1 -4',
          'another one goes on when the first is dead');
SELECT is(pg_temp.end_close(1), 'stored', 'and signs it');
SELECT is(pg_temp.end_close(1, 'cd'), 'already', 'the first signature stays');
SELECT is(pg_temp.end_close(2), 'invalid', 'there is no such close');
SELECT is((SELECT string_agg(concat_ws(' ', c.number, c.key_id,
        left(c.signature, 2)), ', ') FROM pay_view.closes c), '1 k1 ab',
    'as it was signed');

-- days that nobody has closed, the oldest first
SELECT is(pg_temp.begin_close('w1'), 'due 2 -3', 'a day that was missed');
SELECT is(pg_temp.end_close(2), 'stored', 'is signed');
SELECT is(pg_temp.begin_close('w2'), 'due 3 -2', 'and the next');
SELECT is(pg_temp.end_close(3), 'stored', 'is signed, too');
-- one that an operator has made, and could not sign
SELECT is(c.outcome, 'made', 'by hand')
FROM pay_ops.make_close((now() AT TIME ZONE 'UTC')::date - 1) c;
SELECT is(pg_temp.begin_close('w1'), 'due 4 -1', 'without its signature');
SELECT is(pg_temp.end_close(4), 'stored', 'gets one');
SELECT is(pg_temp.begin_close('w1'), 'not_due', 'up to yesterday');
SELECT is((SELECT count(DISTINCT c.day) || ' ' || count(*)
    FROM pay_view.closes c), '4 4', 'each day once');
SELECT is((SELECT bool_and(c.document::json ->> 'previous'
        = encode(sha256(convert_to(b.document, 'UTF8')), 'hex'))
    FROM pay_view.closes c JOIN pay_view.closes b ON b.number = c.number - 1),
    true, 'each names the one before it');

\i :checks
SELECT * FROM finish();
ROLLBACK;
