-- Lists and reviews of risk by the API: each merchant sees and changes its own
-- alone, values that are hashes are not shown, and a repetition finds its act
-- done.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir risk.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.adds(
    p_value text, p_kind text DEFAULT 'ip', p_effect text DEFAULT 'block',
    p_merchant text DEFAULT 'm1', p_until_s bigint DEFAULT NULL,
    p_why text DEFAULT 'a test')
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', s.outcome, s.page::jsonb ->> 'value',
                 s.page::jsonb ->> 'who')
FROM pay_api.store_risk_entry(ARRAY[p_merchant], ARRAY[p_effect],
    ARRAY[p_kind], ARRAY[p_value], ARRAY[(extract(epoch FROM now())::bigint
        + p_until_s) * 1000000], '{ann}', ARRAY[p_why]) s
$$;
CREATE FUNCTION pg_temp.page(
    p_merchant text DEFAULT 'm1', p_after bigint DEFAULT NULL,
    p_limit bigint DEFAULT 100, p_kind text DEFAULT NULL,
    p_effect text DEFAULT NULL)
RETURNS jsonb LANGUAGE sql AS $$
SELECT l.page::jsonb FROM pay_api.list_risk_entries(ARRAY[p_merchant],
    '{NULL}', ARRAY[p_effect], ARRAY[p_kind], ARRAY[p_after],
    ARRAY[p_limit]) l
$$;
CREATE FUNCTION pg_temp.values(p_page jsonb) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(coalesce(e ->> 'value', e ->> 'kind'), ' ' ORDER BY n)
FROM jsonb_array_elements(p_page -> 'entries') WITH ORDINALITY t (e, n)
$$;
CREATE FUNCTION pg_temp.removes(
    p_id bigint, p_merchant text DEFAULT 'm1', p_why text DEFAULT 'over')
RETURNS text LANGUAGE sql AS $$
SELECT r.outcome FROM pay_api.remove_risk_entry(ARRAY[p_merchant],
    ARRAY[p_id], '{bob}', ARRAY[p_why]) r
$$;
CREATE FUNCTION pg_temp.entry(p_value text, p_merchant text DEFAULT 'm1')
RETURNS bigint LANGUAGE sql AS $$
SELECT l.list_id FROM pay.risk_list l
WHERE l.value = p_value AND l.merchant_id = p_merchant
$$;

-- lists
SELECT is(pg_temp.adds('192.0.2.0/24'), 'created 192.0.2.0/24 ann', 'added');
SELECT is(pg_temp.adds('192.0.2.0/24'), 'unchanged 192.0.2.0/24 ann', 'again');
SELECT is(pg_temp.adds('192.0.2.0/24', p_until_s => 60),
          'stored 192.0.2.0/24 ann', 'another end');
SELECT is(pg_temp.adds(pg_temp.hash('eve'), 'email'), 'created ann',
          'a hash is not shown');
SELECT is(pg_temp.adds('DE', 'country', 'review'), 'created DE ann', 'DE');
SELECT is(pg_temp.adds('FR', 'country', p_merchant => 'm2'),
          'created FR ann', 'of another merchant');
SELECT is(pay_ops.risk_list_add('*', 'block', 'country', 'IT', NULL, 'op',
                                'all'), 'added', 'of all');
SELECT is(pg_temp.adds(v, k, e, m, u, w), 'invalid', concat_ws(' ', v, k, e, m))
FROM (VALUES ('XX', 'country', 'block', '*', NULL::bigint, 'w'),
    ('xx', 'country', 'block', 'm1', NULL, 'w'),
    ('192.0.2.1/31', 'ip', 'block', 'm1', NULL, 'w'),
    ('eve@example.org', 'email', 'block', 'm1', NULL, 'w'),
    ('DE', 'country', 'forget', 'm1', NULL, 'w'),
    ('DE', 'country', 'block', 'm1', -1, 'w'),
    ('DE', 'country', 'block', 'm1', NULL, ' ')) t (v, k, e, m, u, w);

SELECT is(pg_temp.values(pg_temp.page()), '192.0.2.0/24 email DE', 'its own');
SELECT is(pg_temp.values(pg_temp.page('m2')), 'FR', 'and nothing else');
SELECT is(pg_temp.values(pg_temp.page('m3')), NULL, 'none');
SELECT is(pg_temp.page() -> 'next', 'null', 'there is no other page');
SELECT is(pg_temp.page(p_limit => 2) -> 'next', to_jsonb(pg_temp.entry(
    pg_temp.hash('eve'))), 'there is');
SELECT is(pg_temp.values(pg_temp.page(p_limit => 2, p_after =>
    pg_temp.entry(pg_temp.hash('eve')))), 'DE', 'the next');
SELECT is(pg_temp.values(pg_temp.page(p_kind => 'country')), 'DE', 'by kind');
SELECT is(pg_temp.values(pg_temp.page(p_effect => 'block')),
          '192.0.2.0/24 email', 'by effect');
SELECT is(l.outcome || coalesce(l.page::jsonb ->> 'kind', ''), s, m)
FROM (VALUES ('m1', 'foundemail'), ('m2', 'not_found')) t (m, s),
    pay_api.list_risk_entries(ARRAY[m], ARRAY[pg_temp.entry(
        pg_temp.hash('eve'))], '{NULL}', '{NULL}', '{NULL}', '{1}') l;
SELECT is(l.outcome, 'invalid', 'a page of ' || coalesce(n::text, 'NULL'))
FROM unnest('{0,1001,NULL}'::bigint[]) n, pay_api.list_risk_entries('{m1}',
    '{NULL}', '{NULL}', '{NULL}', '{NULL}', ARRAY[n]) l;
SELECT unalike(pg_temp.page()::text, '%' || pg_temp.hash('eve') || '%',
               'no page has a hash');

SELECT is(pg_temp.removes(pg_temp.entry('DE'), 'm2'), 'not_found',
          'not of another');
SELECT is(pg_temp.removes(pg_temp.entry('IT', '*')), 'not_found',
          'not of all');
SELECT is(pg_temp.removes(pg_temp.entry('IT', '*'), '*'), 'not_found',
          'not even so');
SELECT is(pg_temp.removes(pg_temp.entry('DE'), p_why => ''), 'invalid',
          'without a reason');
SELECT is(pg_temp.removes(pg_temp.entry('DE')), 'done', 'its own');
SELECT is(pg_temp.values(pg_temp.page()), '192.0.2.0/24 email', 'it is gone');
SELECT is(concat_ws(' ', a.act, a.value, a.who, a.why), 'removed DE bob over',
          'who, and why')
FROM pay.risk_list_act a ORDER BY a.act_id DESC LIMIT 1;

-- reviews
CREATE FUNCTION pg_temp.reviewed(
    p_checkout text, p_minor bigint DEFAULT 100, p_merchant text DEFAULT 'm1')
RETURNS text LANGUAGE sql AS $$
SELECT b.outcome FROM pg_temp.begin(p_merchant, 'k-' || p_checkout,
    p_checkout, ARRAY['o-' || p_checkout || ':' || p_minor],
    p_risk => pg_temp.risk('review', pg_temp.key('mal')),
    p_terms => '{"review": {"deadline_s": 3600, "overdue": "escalate",
        "second_minor": 1000, "second_currency": "USD"}}') b
$$;
CREATE FUNCTION pg_temp.id(p_checkout text) RETURNS bigint LANGUAGE sql AS
'SELECT r.review_id FROM pay.risk_review r WHERE r.checkout_id = p_checkout';
CREATE FUNCTION pg_temp.acts(
    p_checkout text, p_act text, p_who text DEFAULT 'ann',
    p_merchant text DEFAULT 'm1', p_reason text DEFAULT NULL,
    p_blocks bigint DEFAULT 0, p_lease_s bigint DEFAULT 60)
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', a.outcome, a.page::jsonb ->> 'state',
                 a.page::jsonb ->> 'claimed_by', a.page::jsonb ->> 'asked_by')
FROM pay_api.act_on_review(ARRAY[p_merchant], ARRAY[pg_temp.id(p_checkout)],
    ARRAY[p_act], ARRAY[coalesce(p_reason, CASE p_act
        WHEN 'approve' THEN 'known_buyer' WHEN 'reject' THEN 'stolen_card'
        WHEN 'escalate' THEN 'unclear' END)], '{NULL}', ARRAY[p_blocks],
    ARRAY[p_lease_s], ARRAY[p_who]) a
$$;
CREATE FUNCTION pg_temp.reviews(
    p_merchant text DEFAULT 'm1', p_state text DEFAULT NULL,
    p_after bigint DEFAULT NULL, p_limit bigint DEFAULT 100)
RETURNS text LANGUAGE sql AS $$
SELECT string_agg(e ->> 'checkout_id', ' ' ORDER BY n)
FROM pay_api.list_reviews(ARRAY[p_merchant], '{NULL}', ARRAY[p_state],
    ARRAY[p_after], ARRAY[p_limit]) l,
    jsonb_array_elements(l.page::jsonb -> 'reviews') WITH ORDINALITY t (e, n)
$$;

SELECT is(pg_temp.reviewed(c, a, m), 'created', c)
FROM (VALUES ('a', 100, 'm1'), ('b', 2000, 'm1'), ('c', 100, 'm1'),
             ('d', 100, 'm2')) t (c, a, m);
SELECT is(pg_temp.reviews(), 'a b c', 'the queue');
SELECT is(pg_temp.reviews('m2'), 'd', 'of another merchant');
SELECT is(pg_temp.reviews(p_limit => 2), 'a b', 'a page');
SELECT is(pg_temp.reviews(p_after => pg_temp.id('b')), 'c', 'the next');
SELECT is(pg_temp.reviews(p_state => 'approved'), NULL, 'none is');
SELECT is(l.outcome, s, m) FROM (VALUES ('m1', 'found'), ('m2', 'not_found'))
    t (m, s), pay_api.list_reviews(ARRAY[m], ARRAY[pg_temp.id('a')],
        '{NULL}', '{NULL}', '{100}') l;
SELECT is((SELECT string_agg(x ->> 'checkout_id', ' ' ORDER BY
                             x ->> 'checkout_id')
           FROM jsonb_array_elements(l.page::jsonb -> 'linked') x), 'b c',
          'linked checkouts, of this merchant alone')
FROM pay_api.list_reviews('{m1}', ARRAY[pg_temp.id('a')], '{NULL}', '{NULL}',
                          '{100}') l;

SELECT is(pg_temp.acts('a', act, p_merchant => 'm2'), 'not_found', act)
FROM unnest('{claim,approve,reject,escalate}'::text[]) act;
SELECT is(pg_temp.acts('a', 'claim'), 'done open ann', 'claimed');
SELECT is(pg_temp.acts('a', 'claim'), 'done open ann', 'again');
SELECT is(pg_temp.acts('a', act, 'bob'), 'busy', act || ' by another')
FROM unnest('{claim,approve,reject,escalate}'::text[]) act;
SELECT is(pg_temp.acts('a', 'claim', p_lease_s => 0), 'invalid', 'no time');
SELECT is(pg_temp.acts('a', 'approve', p_reason => 'stolen_card'), 'invalid',
          'a reason of another act');
SELECT is(pg_temp.acts('a', 'approve'), 'done approved', 'approved');
SELECT is(pg_temp.acts('a', 'approve'), 'done approved', 'again');
SELECT is(pg_temp.acts('a', 'approve', 'bob'), 'already', 'by another');
SELECT is(pg_temp.acts('a', 'reject'), 'already', 'another act');
SELECT is(count(*), 1::bigint, 'it happened once') FROM pay.risk_review_act a
WHERE a.review_id = pg_temp.id('a') AND a.act = 'approved';
SELECT is(pg_temp.reviews(), 'b c', 'it left the queue');
SELECT is(pg_temp.reviews(p_state => 'approved'), 'a', 'and is found');

SELECT is(pg_temp.acts('b', 'escalate'), 'done escalated', 'to others');
SELECT is(pg_temp.acts('b', 'escalate'), 'done escalated', 'again');
SELECT is(count(*), 1::bigint, 'it happened once') FROM pay.risk_review_act a
WHERE a.review_id = pg_temp.id('b');
SELECT is(pg_temp.acts('b', 'reject'), 'asked escalated ann', 'two are needed');
SELECT is(pg_temp.acts('b', 'reject', 'ANN'), 'asked escalated ann',
          'not the same person twice');
SELECT is(pg_temp.acts('b', 'reject', 'bob', p_blocks => 1),
          'done rejected ann', 'another one');
SELECT is((SELECT string_agg(c.kind || ' ' || c.reason, ',')
           FROM pay.change c WHERE c.checkout_id = 'b'), 'cancel risk',
          'its page is closed');
SELECT is(pg_temp.acts('b', 'reject', 'bob'), 'done rejected ann', 'again');
SELECT is(count(*), 1::bigint, 'still one') FROM pay.change c
WHERE c.checkout_id = 'b';

-- a batch: each item has its own answer
SELECT is(string_agg(a.item || ' ' || a.outcome, ', ' ORDER BY a.item),
          '1 done, 2 not_found, 3 already', 'a batch')
FROM pay_api.act_on_review('{m1,m1,m1}', ARRAY[pg_temp.id('c'), 0,
    pg_temp.id('a')], '{reject,reject,reject}',
    '{no_answer,no_answer,no_answer}', '{NULL,NULL,NULL}', '{0,0,0}',
    '{60,60,60}', '{ann,ann,cat}') a;

-- who may
SELECT is(pg_temp.run_as(r, sql), s, r || ' ' || sql)
FROM (VALUES ('payments_gateway', 'ok'), ('payments_auditor', '42501'),
             ('payments_relay', '42501')) t (r, s),
    unnest(ARRAY['SELECT pay_api.list_reviews(''{m1}'', ''{NULL}'',
            ''{NULL}'', ''{NULL}'', ''{1}'')',
        'SELECT pay_api.list_risk_entries(''{m1}'', ''{NULL}'', ''{NULL}'',
            ''{NULL}'', ''{NULL}'', ''{1}'')']) sql;

\i :checks

SELECT finish();
ROLLBACK;
