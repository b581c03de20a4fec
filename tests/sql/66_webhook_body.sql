-- keep_webhook: what is kept, for how long, and who sees it.

BEGIN;
\ir helpers.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.keep(
    p_psp text DEFAULT 'stripe', p_digest bytea DEFAULT sha256('body'),
    p_body bytea DEFAULT 'body', p_size bigint DEFAULT 4,
    p_left_out text DEFAULT NULL, p_days bigint DEFAULT 30,
    p_message_id text DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
SELECT k.outcome FROM pay_api.keep_webhook(ARRAY[p_psp], ARRAY[p_digest],
    ARRAY[p_body], ARRAY[p_size], ARRAY[p_left_out], ARRAY[p_days],
    ARRAY[p_message_id]) k
$$;

SELECT is(pg_temp.keep(), 'kept', 'a body is kept');
SELECT is(pg_temp.keep(p_days => 300), 'kept', 'and again');
SELECT is((psp, size, left_out, body, keep_until - received_at
           < interval '31 days')::text, '(stripe,4,,"\\x626f6479",t)',
          'once, as long as it was to be kept at first')
FROM pay.webhook_body;
SELECT is(pg_temp.keep(p_digest => sha256(w::bytea), p_body => NULL,
                       p_left_out => w), 'kept', w)
FROM unnest('{card_number,too_large}'::text[]) w;

SELECT is(outcome, 'invalid', what)
FROM (VALUES
    (pg_temp.keep(p_psp => NULL), 'no PSP'),
    (pg_temp.keep(p_psp => ''), 'an empty PSP'),
    (pg_temp.keep(p_digest => 'short'), 'a short digest'),
    (pg_temp.keep(p_digest => NULL), 'no digest'),
    (pg_temp.keep(p_body => 'ydob'), 'the digest of another body'),
    (pg_temp.keep(p_body => NULL), 'no body and no word why'),
    (pg_temp.keep(p_left_out => 'too_large'), 'a body, and why it is not'),
    (pg_temp.keep(p_body => NULL, p_left_out => 'because'), 'another why'),
    (pg_temp.keep(p_size => 5), 'another size'),
    (pg_temp.keep(p_size => NULL), 'no size'),
    (pg_temp.keep(p_days => 0), 'no day'),
    (pg_temp.keep(p_days => 366), 'too many days'),
    (pg_temp.keep(p_days => NULL), 'no number of days'),
    (pg_temp.keep(p_message_id => ''), 'an empty id of its message'),
    (pg_temp.keep(p_message_id => repeat('i', 256)), 'a long one'),
    (pg_temp.keep(p_body => convert_to(repeat('x', 262145), 'UTF8'),
                  p_digest => sha256(convert_to(repeat('x', 262145), 'UTF8')),
                  p_size => 262145), 'too large')
    ) v (outcome, what);
SELECT is(count(*), 3::bigint, 'none of these is kept') FROM pay.webhook_body;

-- shown with its event
INSERT INTO pay.webhook_inbox (psp, event_id, state, fact, digest)
VALUES ('stripe', 'e1', 'ignored', 'none', sha256('body')),
    ('stripe', 'e2', 'ignored', 'none', sha256('too_large')),
    ('stripe', 'e3', 'ignored', 'none', NULL),
    ('other', 'e1', 'ignored', 'none', sha256('body'));
SELECT is((SELECT (s.body_state, s.body)::text
           FROM pay_ops.show_webhook(p, e) s), said, p || ' ' || e)
FROM (VALUES
    ('stripe', 'e1', '(kept,"\\x626f6479")'), ('stripe', 'e2', '(too_large,)'),
    ('stripe', 'e3', '(not_kept,)'), ('other', 'e1', '(not_kept,)'),
    ('stripe', 'e4', NULL)) v (p, e, said);

-- goes after its time
UPDATE pay.webhook_body SET keep_until = now() - interval '1 second'
WHERE left_out IS NOT NULL;
SELECT is((pay.purge(1)).webhook_bodies, 1::bigint, 'stops at the limit');
SELECT is((pay.purge()).webhook_bodies, 1::bigint, 'the other one');
SELECT is(string_agg(size::text, ' '), '4', 'whose time is to come stays')
FROM pay.webhook_body;

-- who sees what
SELECT is(pg_temp.run_as(r, sql), s, r || ' ' || sql)
FROM (VALUES
    ('payments_gateway', 'SELECT * FROM pay_api.keep_webhook(''{}'', ''{}'',
        ''{}'', ''{}'', ''{}'', ''{}'', ''{}'')', 'ok'),
    ('payments_gateway', 'SELECT * FROM pay.webhook_body', '42501'),
    ('payments_gateway', 'SELECT * FROM pay_ops.show_webhook(''a'', ''b'')',
     '42501'),
    ('payments_auditor', 'SELECT * FROM pay_ops.show_webhook(''a'', ''b'')',
     '42501'),
    ('payments_operator', 'SELECT * FROM pay_ops.show_webhook(''a'', ''b'')',
     'ok')
    ) v (r, sql, s);

\i :checks
SELECT finish();
ROLLBACK;
