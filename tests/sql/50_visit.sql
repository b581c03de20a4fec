-- get_handle's words for the buyer's page: language and descriptions as the
-- storefront gave them, and whether money is under way.

BEGIN;
\ir helpers.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.visit(p_checkout text) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', g.outcome, coalesce(g.is_pending, 0), g.page)
FROM pay_api.get_handle(ARRAY['h-' || 'm1' || p_checkout]) g
ORDER BY g.place LIMIT 1
$$;

CREATE FUNCTION pg_temp.paged(p_checkout text, p_page jsonb) RETURNS text
LANGUAGE sql AS $$
SELECT b.outcome FROM pg_temp.begin('m1', 'k-' || p_checkout, p_checkout,
    ARRAY['o-' || p_checkout || ':1000'],
    p_terms => jsonb_build_object('page', p_page)) b LIMIT 1
$$;

CREATE FUNCTION pg_temp.attempt(
    p_token text, p_event text, p_attempt text,
    p_decline text DEFAULT 'insufficient_funds',
    p_fact text DEFAULT 'attempt_declined', p_retry text DEFAULT 'later',
    p_source text DEFAULT 'webhook')
RETURNS text LANGUAGE sql AS $$
SELECT e.outcome FROM pay_api.apply_event('{stripe}', ARRAY[p_source],
    ARRAY[p_event], '{charge.failed}', ARRAY[p_fact], ARRAY[p_token],
    '{NULL}', '{their_code}', '{NULL}', '{NULL}', ARRAY[sha256('body')],
    '{request-4}', ARRAY[p_decline], ARRAY[p_retry], ARRAY[p_attempt]) e
$$;

-- as it was given, or not at all
SELECT is(pg_temp.paged('c1', '{"locale": "pt-BR", "descriptions": ["<b>"]}'),
          'created', 'a page is taken');
SELECT is(pg_temp.visit('c1'),
          'found 0 {"locale": "pt-BR", "descriptions": ["<b>"]}', 'and shown');
SELECT is(pg_temp.paged('c2', '{"descriptions": [null]}'), 'created',
          'without a description');
SELECT b.outcome FROM pg_temp.begin('m1', 'k-c3', 'c3', '{o-c3:1000}') b
\g /dev/null
SELECT is(pg_temp.visit('c3'), 'found 0', 'nothing was given');
SELECT is(g.page, NULL, 'nobody''s page')
FROM pay_api.get_handle('{h-nobody}') g;

-- what the core never sends
SELECT is(pg_temp.paged('x' || n, p), 'invalid', p::text)
FROM unnest(ARRAY['{"locale": "d"}', '{"locale": "de,en"}', '[]',
    '{"locale": 7}', '{"locale": "de", "more": 1}', '{"descriptions": "a"}',
    '{"descriptions": [7]}', '{"descriptions": [""]}',
    jsonb_build_object('descriptions',
                       jsonb_build_array(repeat('x', 257)))::text]::jsonb[])
    WITH ORDINALITY u (p, n);

-- pending is the last word until an attempt is declined behind it
SELECT is(pg_temp.token('m1', 'c1', 't1'), 'stored', 'registered');
SELECT is(split_part(pg_temp.visit('c1'), ' ', 2), '0', 'nothing is known');
SELECT is(pg_temp.fact('t1', 'pending'), 'unchanged', 'the PSP says pending');
SELECT is(split_part(pg_temp.visit('c1'), ' ', 2), '1', 'it is under way');
SELECT is(pg_temp.attempt('t1', 'e1', 'ch_1'), 'unchanged', 'it fails');
SELECT is(split_part(pg_temp.visit('c1'), ' ', 2), '0', 'and may be tried');
SELECT is(pg_temp.token('m1', 'c2', 't2'), 'stored', 'another one');
SELECT is(pg_temp.fact('t2', 'pending'), 'unchanged', 'pending');
SELECT is(pg_temp.fact('t2', 'paid', p_amount => 1000, p_currency => 'USD'),
          'applied', 'paid');
SELECT is(split_part(pg_temp.visit('c2'), ' ', 2), '0', 'it has arrived');

SELECT * FROM finish();
ROLLBACK;
