-- Pages of the console beside lists: the last results of payctl check, disputes
-- by their deadline and how they ended, PSPs with the node's view of them.

BEGIN;
\ir helpers.psql
\ir changes.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.shown(
    p_page text, p_query jsonb DEFAULT '{}', p_merchants jsonb DEFAULT NULL)
RETURNS jsonb LANGUAGE sql AS $$
SELECT r.page::jsonb
FROM pay_console.read_page(ARRAY[p_page], '{ann}', '{"[\"auditor\"]"}',
                           ARRAY[p_merchants], ARRAY[p_query]) r
WHERE r.outcome = 'found'
$$;

-- checks of the books
SELECT is(pg_temp.shown('money') #> '{checks,checked}', '0',
          'nothing was checked yet');
SELECT pay_ops.keep_checks('{journal_balances,event_head,gone}', '{0,2,5}',
                           '2026-11-20T00:00:00Z') \g /dev/null
SELECT is(pg_temp.shown('money') -> 'checks', '{"checked": 2,
    "at": "2026-11-20T00:00:00.000Z", "oldest_at": "2026-11-20T00:00:00.000Z",
    "violated": [{"name": "event_head", "rows": 2,
                  "at": "2026-11-20T00:00:00.000Z"}]}',
    'what did not hold is named, and no check that there is not');
SELECT pay_ops.keep_checks('{event_head}', '{0}', '2026-11-21T00:00:00Z'),
    pay_ops.keep_checks('{event_head}', '{7}', '2026-11-20T12:00:00Z')
\g /dev/null
SELECT is(pg_temp.shown('money') -> 'checks', '{"checked": 2,
    "at": "2026-11-21T00:00:00.000Z", "oldest_at": "2026-11-20T00:00:00.000Z",
    "violated": []}', 'the newest look counts, whichever ended last');
SELECT is(pg_temp.shown('money', '{}', '["m1"]') -> 'checks', 'null',
    'the books as a whole are for those who see all merchants');

-- disputes
CREATE FUNCTION pg_temp.dispute(
    p_name text, p_news text, p_until bigint, p_event text DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
SELECT e.outcome FROM pay_api.apply_change('{stripe}', '{webhook}',
    ARRAY[concat_ws('-', 'evt', p_name, p_news, p_event)], '{dispute}',
    '{dispute}', ARRAY[p_news], ARRAY['t-' || p_name], '{NULL}',
    ARRAY['dp-' || p_name], '{NULL}', '{100}', '{USD}', '{NULL}', '{NULL}',
    '{NULL}', '{NULL}', '{request-1}', ARRAY[p_until]) e
$$;
CREATE FUNCTION pg_temp.until(p_name text) RETURNS int LANGUAGE sql AS $$
SELECT extract(epoch FROM d.evidence_until)::int FROM pay.dispute d
WHERE d.dispute_id = 'dp-' || p_name
$$;

SELECT pg_temp.sold('s' || n, ARRAY['o' || n || ':1000'])
FROM generate_series(1, 6) n \g /dev/null
SELECT is(pg_temp.dispute('s' || n, 'opened', u), 'applied', 'opened ' || n)
FROM (VALUES (1, 1900000300), (2, NULL), (3, 1900000100), (4, 1900000200),
    (5, NULL), (6, 1900000100)) v (n, u);
SELECT is(pg_temp.until('s1'), 1900000300, 'the deadline is kept');
SELECT is(pg_temp.until('s2'), NULL, 'where the PSP says one');
SELECT is(pg_temp.dispute('s1', 'opened', 1900000400, 'again'), 'unchanged',
          'the PSP has put it off');
SELECT is(pg_temp.until('s1'), 1900000400, 'the newest word counts');
SELECT is(pg_temp.dispute('s1', 'opened', 1900000500, 'again'), 'duplicate',
          'a copy of an event');
SELECT is(pg_temp.dispute('s1', 'opened', u, 'odd' || u), 'unchanged',
          'no time: ' || u)
FROM unnest('{0,-1,4102444801}'::bigint[]) u;
SELECT is(pg_temp.until('s1'), 1900000400, 'moves nothing');

CREATE FUNCTION pg_temp.names(p_query jsonb) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(i ->> 'dispute_id', ' ' ORDER BY n)
FROM jsonb_array_elements(pg_temp.shown('disputes', p_query) -> 'items')
    WITH ORDINALITY AS x (i, n)
$$;
SELECT is(pg_temp.names('{"state":"open"}'),
          'dp-s3 dp-s6 dp-s4 dp-s1 dp-s2 dp-s5',
          'open disputes by their deadline, those without one last');
SELECT is(pg_temp.names('{}'),
          'dp-s6 dp-s5 dp-s4 dp-s3 dp-s2 dp-s1', 'all of them newest first');
CREATE FUNCTION pg_temp.walk() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_query jsonb := '{"state":"open","limit":"1"}';
    v_page  jsonb;
    v_names text;
BEGIN
    FOR n IN 1 .. 20 LOOP
        v_page := pg_temp.shown('disputes', v_query);
        v_names := concat_ws(' ', v_names,
                             v_page #>> '{items,0,dispute_id}');
        EXIT WHEN v_page ->> 'next' IS NULL;
        v_query := v_query || jsonb_build_object('before', v_page -> 'next');
    END LOOP;
    RETURN v_names;
END
$$;
SELECT is(pg_temp.walk(), 'dp-s3 dp-s6 dp-s4 dp-s1 dp-s2 dp-s5',
          'page by page without a gap');

SELECT is(pg_temp.dispute('s' || n, w, NULL), 'applied', w || ' ' || n)
FROM (VALUES (1, 'won'), (2, 'lost'), (3, 'won')) v (n, w);
UPDATE pay.dispute SET opened_at = now() - interval '181 days'
WHERE dispute_id = 'dp-s4';
SELECT is(pg_temp.shown('disputes') -> 'rate',
          '{"days": 180, "won": 2, "lost": 1, "open": 2}',
          'how those of the last days have ended');
SELECT is(pg_temp.shown('disputes', '{"psp":"adyen"}') -> 'rate',
          '{"days": 180, "won": 0, "lost": 0, "open": 0}', 'of another PSP');
SELECT is(pg_temp.shown('disputes', '{}', '["m2"]') -> 'rate',
          '{"days": 180, "won": 0, "lost": 0, "open": 0}',
          'of another merchant');

-- the node's view of the PSPs
UPDATE pay.checkout SET created_at = now() - interval '1 hour';
SELECT is(jsonb_path_query_array(pg_temp.shown('psps', jsonb_build_object(
    'node', '[{"psp":"stripe","calls":3},{"psp":"nobody","calls":1}]'),
    m), '$.node[*].psp'), n, 'the node''s PSPs for ' || coalesce(m::text, '*'))
FROM (VALUES (NULL::jsonb, '["stripe"]'::jsonb), ('["m1"]', '["stripe"]'),
    ('["m2"]', '[]')) v (m, n);

SELECT finish();
ROLLBACK;
