-- Endpoints that stand in nginx.conf: made once by whichever node comes first,
-- rotated by another secret, disabled when no node declares them any more.

BEGIN;
\ir helpers.psql
\pset fieldsep '\n'
SELECT no_plan();

CREATE FUNCTION pg_temp.declared(
    p_secret text DEFAULT 'one', p_types text DEFAULT '[]',
    p_ordered int DEFAULT 0, p_id text DEFAULT 'e1',
    p_url text DEFAULT 'https://shop.example/hook',
    p_overlap int DEFAULT 600, p_merchant text DEFAULT 'm1')
RETURNS text LANGUAGE sql AS $$
SELECT d.outcome FROM pay_api.declare_endpoints(ARRAY[p_merchant],
    ARRAY[p_id], ARRAY[p_url], ARRAY[p_types]::jsonb[], ARRAY[p_ordered],
    ARRAY[sha256(p_secret::bytea)], ARRAY[p_secret::bytea], '{k1}',
    ARRAY[p_overlap]) d
$$;
CREATE FUNCTION pg_temp.shown(
    p_id text DEFAULT 'e1', p_merchant text DEFAULT 'm1')
RETURNS json LANGUAGE sql AS $$
SELECT l.page::json FROM pay_api.list_endpoints(ARRAY[p_merchant],
                                                ARRAY[p_id]) l
$$;
CREATE FUNCTION pg_temp.act(p_act text, p_id text DEFAULT 'e1') RETURNS text
LANGUAGE sql AS $$
SELECT c.outcome FROM pay_api.change_endpoint('{m1}', ARRAY[p_id],
    ARRAY[p_act], ARRAY['other'::bytea], '{k2}', '{60}', '{sue}') c
$$;
CREATE FUNCTION pg_temp.watch() RETURNS text LANGUAGE sql AS $$
SELECT w.outcome FROM pay_api.watch_endpoints('{w1}') w
$$;
-- now() stands still in a transaction: time goes by for rows instead
CREATE FUNCTION pg_temp.pass(p_time interval) RETURNS void
LANGUAGE sql AS $$
UPDATE pay.webhook_endpoint SET declared_at = declared_at - p_time;
UPDATE pay.webhook_secret SET declared_at = declared_at - p_time,
    until = until - p_time
$$;
-- Those that sign, newest first, as their seals say.
CREATE FUNCTION pg_temp.signing() RETURNS text LANGUAGE sql
SET search_path = pay, pg_temp AS $$
SELECT string_agg(convert_from(s.sealed, 'UTF8'), ' ' ORDER BY s.number DESC)
FROM (SELECT x.* FROM webhook_secret x
      WHERE x.merchant_id = 'm1' AND x.endpoint_id = 'e1'
          AND coalesce(x.until > now(), true)
      ORDER BY x.number DESC LIMIT 3) s
$$;

CREATE FUNCTION pg_temp.disabled(
    p_merchant text, p_id text, p_reason text) RETURNS void LANGUAGE sql
SET search_path = pay, pg_temp AS $$
SELECT disable_endpoint(p_merchant, p_id, p_reason)
$$;

SELECT is(pg_temp.declared(), 'stored', 'the first node makes it');
SELECT is(pg_temp.declared(), 'replayed', 'the next one finds it');
SELECT is(pg_temp.shown() ->> 'source', 'directive', 'it says where it stands');
SELECT is(pg_temp.shown() ->> 'url', 'https://shop.example/hook', 'its URL');
SELECT is(pg_temp.shown() ->> 'state', 'enabled', 'it is enabled');
SELECT is((SELECT count(*) FROM pay.webhook_secret), 1::bigint, 'one secret');
SELECT is(pg_temp.signing(), 'one', 'which signs');

SELECT is(pg_temp.declared(p_types => '["payment.*"]', p_ordered => 1),
    'stored', 'a line that says something else changes it');
SELECT is(pg_temp.shown() -> 'types' ->> 0, 'payment.*', 'its types');
SELECT is(pg_temp.shown() ->> 'ordered', 'true', 'its order');
SELECT is(pg_temp.declared(), 'stored', 'and back');

-- a node reads a changed nginx.conf before the others do
SELECT is(pg_temp.declared('two'), 'stored', 'another secret rotates');
SELECT is(pg_temp.signing(), 'two one', 'both sign while they overlap');
SELECT is(pg_temp.declared('one'), 'replayed',
    'a node that has the old one yet rotates nothing back');
SELECT is(pg_temp.declared('two'), 'replayed', 'nor does the other');
SELECT is(pg_temp.signing(), 'two one', 'they are as they were');
SELECT pg_temp.pass('11 minutes');
SELECT is(pg_temp.signing(), 'two', 'the old one ends');
SELECT is(pg_temp.declared('two'), 'replayed', 'the new one is declared');
SELECT is(pg_temp.declared('one'), 'replayed',
    'an old secret that is over is not brought back by a node that is late');
SELECT pg_temp.pass('16 minutes');
SELECT is(pg_temp.declared('one'), 'stored',
    'but when nobody declares the new one any more, the operator wants it');
SELECT is(pg_temp.signing(), 'one two', 'it signs as the newest');

-- a leak: the old one must not sign a second longer
SELECT is(pg_temp.declared('three', p_overlap => 0), 'stored', 'no overlap');
SELECT is(pg_temp.signing(), 'three', 'ends the others at once');

-- the words of a line are changed in nginx.conf
SELECT is(pg_temp.act('rotate'), 'declared', 'the API does not rotate it');
SELECT is(pg_temp.act('disable'), 'declared', 'nor disable it');
SELECT is(pg_temp.act('test'), 'stored', 'but test it');
SELECT is(pg_temp.act('rotate', 'e9'), 'not_found', 'one that is not there');

-- a line that is gone
SELECT is(pg_temp.watch(), 'checked', 'a look');
SELECT is(pg_temp.watch(), 'not_due', 'once a minute');
SELECT is(pg_temp.shown() ->> 'state', 'enabled', 'it was declared just now');
UPDATE pay.round SET run_at = now() WHERE name = 'endpoints';
SELECT pg_temp.pass('16 minutes');
SELECT is(pg_temp.watch(), 'checked', 'nobody declares it');
SELECT is(pg_temp.shown() ->> 'reason', 'undeclared', 'it is disabled');
SELECT is((SELECT count(*) FROM pay.webhook_outbox
           WHERE kind = 'endpoint.disabled'), 1::bigint,
    'the other receivers hear of it');
SELECT is(pg_temp.act('enable'), 'declared', 'the API does not enable it');
SELECT is(pg_temp.act('test'), 'refused', 'nor test it');
SELECT is(pg_temp.declared('three'), 'stored', 'the line is back');
SELECT is(pg_temp.shown() ->> 'state', 'enabled', 'and the endpoint');
SELECT is(pg_temp.signing(), 'three', 'with its secret');

-- while no node runs, nobody can declare
UPDATE pay.round SET run_at = now() - interval '6 minutes'
WHERE name = 'endpoints';
SELECT pg_temp.pass('1 day');
SELECT is(pg_temp.watch(), 'checked', 'the first look behind an outage');
SELECT is(pg_temp.shown() ->> 'state', 'enabled', 'disables nothing');

-- a line says nothing about a receiver that fails
SELECT pg_temp.disabled('m1', 'e1', 'failing');
SELECT is(pg_temp.declared('three'), 'replayed', 'it is declared again');
SELECT is(pg_temp.shown() ->> 'reason', 'failing', 'and stays disabled');
SELECT is(pg_temp.act('enable'), 'stored', 'until it is enabled');

-- those of the API are none of it
SELECT is((SELECT s.outcome FROM pay_api.store_endpoint('{m1}', '{a1}',
    '{https://shop.example/hook}', '{[]}', '{v1}', '{0}',
    ARRAY['opaque'::bytea], '{k1}', '{sue}') s), 'stored', 'one by the API');
SELECT is(pg_temp.shown('a1') ->> 'source', 'api', 'says so');
SELECT is(pg_temp.declared(p_id => 'a1'), 'invalid',
    'a line takes no endpoint of the API');
UPDATE pay.round SET run_at = now() WHERE name = 'endpoints';
SELECT pg_temp.pass('16 minutes');
SELECT is(pg_temp.watch(), 'checked', 'a look');
SELECT is(pg_temp.shown('a1') ->> 'state', 'enabled', 'nor is it disabled');
SELECT is(pg_temp.act('rotate', 'a1'), 'stored', 'the API rotates it');

-- a merchant has so many, and those that are gone take no place
SELECT is((SELECT string_agg(DISTINCT pg_temp.declared(p_merchant => 'm2',
    p_id => 'x' || n, p_url => 'https://shop.example/' || n), ', ')
    FROM generate_series(1, 100) n), 'stored', 'a hundred endpoints');
SELECT is(pg_temp.declared(p_merchant => 'm2', p_id => 'y'), 'refused',
    'one more');
SELECT pg_temp.disabled('m2', 'x1', 'undeclared');
SELECT is(pg_temp.declared(p_merchant => 'm2', p_id => 'y'), 'stored',
    'takes the place of one that is gone');

-- each item has its own outcome, and two of one batch are one
SELECT results_eq($$
    SELECT d.item, d.outcome FROM pay_api.declare_endpoints(
        '{m3,m3,m3,"",m3}', '{b,a,a,c,d}',
        '{https://b.example,https://a.example,https://a.example,u,""}',
        '{[],[],[],[],[]}', '{0,0,0,0,0}',
        array_fill(sha256('x'::bytea), ARRAY[5]),
        array_fill('x'::bytea, ARRAY[5]), '{k,k,k,k,k}', '{0,0,0,0,0}') d
    ORDER BY d.item
$$, $$VALUES (1, 'stored'), (2, 'stored'), (3, 'replayed'), (4, 'invalid'),
    (5, 'invalid')$$, 'a batch');
SELECT is(pg_temp.declared(p_types => '["*"]'), 'invalid', 'no such type');
SELECT is(pg_temp.declared(p_overlap => -1), 'invalid', 'no such overlap');
SELECT is(pg_temp.declared(p_url => 'https://else.example'), 'invalid',
    'the id of another URL');
SELECT throws_ok($$UPDATE pay.webhook_endpoint SET declared_at = NULL
                   WHERE endpoint_id = 'e1'$$, '23514', NULL,
    'a line has a time');

SELECT * FROM finish();
ROLLBACK;
