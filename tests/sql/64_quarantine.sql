-- quarantine_webhook: what is kept, that it goes round, and who sees it.

BEGIN;
\ir helpers.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.keep(
    p_psp text DEFAULT 'stripe', p_reason text DEFAULT 'stale',
    p_digest bytea DEFAULT sha256('body'), p_headers jsonb DEFAULT '{"a":"b"}',
    p_body bytea DEFAULT 'body', p_size bigint DEFAULT 4)
RETURNS text LANGUAGE sql AS $$
SELECT q.outcome FROM pay_api.quarantine_webhook(ARRAY[p_psp],
    ARRAY[p_reason], ARRAY[p_digest], ARRAY[p_headers], ARRAY[p_body],
    ARRAY[p_size], ARRAY['request-6']) q
$$;

SELECT is(pg_temp.keep(p_reason => r), 'stored', r)
FROM unnest('{no_key,malformed,stale,skew,wrong_key,altered_body,mismatch,
              certificate}'::text[]) r;
SELECT is(count(*), 8::bigint, 'all are kept') FROM pay.webhook_quarantine;
SELECT is((psp, slot, number, digest = sha256('body'), headers, body, size,
           request_id)::text,
          '(stripe,1,1,t,"{""a"": ""b""}","\\x626f6479",4,request-6)', 'a row')
FROM pay.webhook_quarantine WHERE slot = 1;

SELECT is(outcome, 'invalid', what)
FROM (VALUES
    (pg_temp.keep(p_psp => NULL), 'no PSP'),
    (pg_temp.keep(p_psp => ''), 'an empty PSP'),
    (pg_temp.keep(p_psp => repeat('x', 256)), 'a long PSP'),
    (pg_temp.keep(p_reason => 'because'), 'another reason'),
    (pg_temp.keep(p_reason => NULL), 'no reason'),
    (pg_temp.keep(p_digest => 'short'), 'a short digest'),
    (pg_temp.keep(p_digest => NULL), 'no digest'),
    (pg_temp.keep(p_headers => NULL), 'no headers'),
    (pg_temp.keep(p_headers => to_jsonb(repeat('x', 16383))), 'long headers'),
    (pg_temp.keep(p_body => NULL), 'no body'),
    (pg_temp.keep(p_body => convert_to(repeat('x', 4097), 'UTF8'),
                  p_size => 4097), 'more than the beginning of a body'),
    (pg_temp.keep(p_size => 3), 'smaller than its beginning'),
    (pg_temp.keep(p_size => NULL), 'no size')) v (outcome, what);
SELECT is(count(*), 8::bigint, 'none of them is kept')
FROM pay.webhook_quarantine;
SELECT is(pg_temp.keep(p_body => convert_to(repeat('x', 4096), 'UTF8'),
    p_size => 900000, p_headers => to_jsonb(repeat('x', 16382))), 'stored',
    'as much as there may be');
SELECT is(pg_temp.keep(p_body => '', p_size => 0), 'stored', 'an empty body');

-- batches: in any order, bad ones beside good ones
SELECT is(string_agg(q.item || q.outcome, ' ' ORDER BY q.item),
          '1stored 2invalid 3stored 4stored', 'a batch')
FROM pay_api.quarantine_webhook('{z,z,a,z}', '{stale,no,stale,skew}',
    array_fill(sha256('b'), '{4}'), array_fill('{}'::jsonb, '{4}'),
    array_fill('b'::bytea, '{4}'), '{1,1,1,1}', '{r,r,r,r}') q;
SELECT is(string_agg(psp || number || reason, ' ' ORDER BY psp, number),
          'a1stale z1stale z2skew', 'numbered by PSP')
FROM pay.webhook_quarantine WHERE psp IN ('a', 'z');
SELECT is_empty($$
    SELECT * FROM pay_api.quarantine_webhook('{}', '{}', '{}', '{}', '{}',
                                             '{}', '{}')$$, 'no items');

-- it goes round
SELECT q.outcome FROM pay_api.quarantine_webhook(
    array_fill('flood'::text, '{2500}'), array_fill('mismatch'::text, '{2500}'),
    array_fill(sha256('f'), '{2500}'), array_fill('{}'::jsonb, '{2500}'),
    array_fill('f'::bytea, '{2500}'), array_fill(1::bigint, '{2500}'),
    ARRAY(SELECT 'r' || n FROM generate_series(1, 2500) n)) q
\g /dev/null
SELECT is((count(*), min(number), max(number))::text, '(1000,1501,2500)',
          'the newest thousand')
FROM pay.webhook_quarantine WHERE psp = 'flood';
SELECT is(request_id, 'r2500', 'what is new takes the place of what was there')
FROM pay.webhook_quarantine WHERE psp = 'flood' AND slot = 500;
SELECT is(count(*), 10::bigint, 'another PSP''s stay')
FROM pay.webhook_quarantine WHERE psp = 'stripe';

-- who sees what
SELECT is((q.psp, q.number, q.reason, q.size, q.digest, q.request_id)::text,
    format('(stripe,3,stale,4,%s,request-6)', encode(sha256('body'), 'hex')),
    'people see why, how large, and the digest')
FROM pay_view.quarantine q WHERE q.psp = 'stripe' AND q.number = 3;
SELECT is_empty($$
    SELECT attname FROM pg_attribute
    WHERE attrelid = 'pay_view.quarantine'::regclass
        AND attname IN ('body', 'headers')$$, 'but neither body nor headers');
SELECT is(pg_temp.run_as(r, sql), s, r || ' ' || sql)
FROM (VALUES
    ('payments_gateway', 'SELECT * FROM pay_api.quarantine_webhook(''{}'',
        ''{}'', ''{}'', ''{}'', ''{}'', ''{}'', ''{}'')', 'ok'),
    ('payments_gateway', 'SELECT * FROM pay.webhook_quarantine', '42501'),
    ('payments_gateway', 'SELECT * FROM pay_view.quarantine', '42501'),
    ('payments_auditor', 'SELECT * FROM pay_view.quarantine', 'ok'),
    ('payments_operator', 'SELECT * FROM pay_view.quarantine', 'ok')
    ) v (r, sql, s);

\i :checks
SELECT finish();
ROLLBACK;
