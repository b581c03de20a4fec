-- Screening: names of lists and of holders are the same in any order and
-- spelling, nothing is paid without a fresh list, a hit is held and cleared by
-- two operators, and the merchant reads nothing of it.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir payout.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.listed(
    p_names text[], p_list text DEFAULT 'ofac', p_shrinks boolean DEFAULT false,
    p_who text DEFAULT 'ann')
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', i.outcome, i.names, i.entries, i.released)
FROM pay_ops.import_sanctions(p_list, sha256('x'),
    ARRAY(SELECT split_part(n, '|', 1) FROM unnest(p_names) n),
    ARRAY(SELECT split_part(n, '|', 2) FROM unnest(p_names) n), p_shrinks,
    p_who) i
$$;
CREATE FUNCTION pg_temp.holder(p_name text, p_seller text DEFAULT 'seller-1')
RETURNS text LANGUAGE sql AS $$
SELECT d.outcome FROM pay_ops.store_destination('m1', p_seller, 'USD', 'bank',
    'iban', 'DE', 'DE89370400440532013000', 'opaque', 'k1', 'sue', 'test',
    p_name) d
$$;
CREATE FUNCTION pg_temp.hit(p_holder text) RETURNS text
LANGUAGE sql SET search_path = pay, pg_temp AS $$
SELECT string_agg(concat(CASE h.why WHEN 'near' THEN '~' END, h.entry_id), ' '
                  ORDER BY h.entry_id)
FROM sanction_hits(name_words(p_holder), name_near(p_holder), '{ofac,eu}') h
$$;
CREATE FUNCTION pg_temp.standing() RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', p.state, p.reason) FROM pay.payout p
WHERE p.payout_id = pg_temp.item()
$$;
CREATE FUNCTION pg_temp.clear(p_who text) RETURNS text LANGUAGE sql AS
'SELECT pay_ops.clear_payout_screening(''m1'', pg_temp.item(), p_who, ''no'')';
CREATE FUNCTION pg_temp.lists_at() RETURNS int LANGUAGE sql
SET search_path = pay, pg_temp AS
'SELECT extract(epoch FROM screening_lists_at())::int';
CREATE FUNCTION pg_temp.late_name(p_name text) RETURNS void LANGUAGE sql
SET search_path = pay, pg_temp AS
'INSERT INTO sanction_name (list, entry_id, name, words)
 SELECT ''ofac'', ''9'', p_name, name_words(p_name)';
CREATE FUNCTION pg_temp.older() RETURNS void LANGUAGE sql AS $$
ALTER TABLE pay.sanction_list DISABLE TRIGGER USER;
UPDATE pay.sanction_list SET imported_at = imported_at - interval '25 h';
ALTER TABLE pay.sanction_list ENABLE ALWAYS TRIGGER sanction_list_append_only
$$;

SELECT pg_temp.provider(), pg_temp.holder('Max Mustermann')
\g /dev/null
SELECT pg_temp.sold('c' || n, ARRAY['o' || n || ':' || n * 100])
FROM generate_series(1, 5) n
\g /dev/null

-- without screening nothing is held, with it and without a list everything
SELECT pg_temp.release('o1')
\g /dev/null
SELECT pg_temp.pay(p_currency => 'USD')
\g /dev/null
SELECT is(pg_temp.standing(), 'ready', 'a merchant without screening');
SELECT pay_ops.cancel_payout('m1', pg_temp.item(), 'ann', 'again')
\g /dev/null
SELECT is(pay_ops.set_payout_screening('m1', true, '{ofac}', 24, 'ann', 'law'),
          'stored', 'screening begins');
SELECT is(pay_ops.set_payout_screening('m1', true, lists, hours, 'ann', 'law'),
          'invalid', 'lists that there are, and not for ever')
FROM (VALUES ('{un}'::text[], 24), ('{}', 24), (NULL, 24), ('{eu}', 721)
    ) v (lists, hours);
SELECT is(pay_ops.set_payout_screening('m1', is_on, lists, hours, who, 'law'),
          said, concat_ws(' ', is_on, lists, hours, who, said))
FROM (VALUES (true, '{ofac,eu}'::text[], 24, 'ann', 'stored'),
    (true, '{eu,ofac}', 12, 'ann', 'stored'),
    (true, '{ofac,eu}', 24, 'ann', 'second'),
    (true, '{ofac,eu}', 25, 'bob', 'second'),
    (true, '{ofac,eu}', 24, 'ann', 'second'),
    (true, '{ofac,eu}', 24, 'Ann', 'second'),
    (true, '{ofac,eu}', 24, 'bob', 'stored'),
    (false, '{ofac,eu}', 24, 'ann', 'second'),
    (true, '{ofac,eu}', 23, 'ann', 'stored'),
    (false, '{ofac,eu}', 24, 'bob', 'second'),
    (true, '{ofac}', 24, 'bob', 'second'),
    (true, '{ofac}', 24, 'ann', 'stored'),
    (false, '{ofac}', 24, 'ann', 'second'),
    (false, '{ofac}', 24, 'bob', 'stored'),
    (true, '{ofac}', 24, 'ann', 'stored')) v (is_on, lists, hours, who, said);
SELECT is(pg_temp.lists_at(), 1, 'a list is missing');
SELECT pg_temp.pay(p_currency => 'USD')
\g /dev/null
SELECT is(pg_temp.standing(), 'held screening', 'no list: it is held');
SELECT is(pg_temp.clear('ann'), 'no_list', 'which nobody can clear');
SELECT is(pay_ops.hold_payout('m1', pg_temp.item(), false, 'ann', 'ok'),
          'no_way', 'nor end as other holds');
SELECT is(pg_temp.listed('{"1|IVANOV, Ivan Ivanovich","2|ACME TRADING LLC",
    "3|MUELLER, Hans","4|ABU","5|O''BRIEN, Sean"}'), 'imported 5 5 1',
    'a list comes, and the item goes on');
SELECT ok(pg_temp.lists_at() > 1, 'which is there');
SELECT is(pg_temp.standing(), 'ready', 'it is ready');

-- names
SELECT is(pg_temp.hit(h.name), h.entry, h.name) FROM (VALUES
    ('Ivan Ivanovich Ivanov', '1'), ('IVANOV IVAN', '1'), ('Ivan', NULL),
    ('Ivan Petrov', NULL), ('Acme Trading GmbH', '2'), ('Acme', NULL),
    ('ACME-TRADING Co.', '2'), ('Hans Mueller', '3'), ('Hans Muller', '3'),
    ('Dr. Hans Peter Mueller', '3'), ('Abu', '4'), ('Abu Bakr', NULL),
    ('Sean OBrien', '5'), ('Sean O''Brien', '5'), ('', NULL), ('GmbH', NULL)
    ) h (name, entry);
SELECT is((SELECT count(*) FROM pay.payout_destination d
           WHERE convert_from(d.details, 'UTF8') ~* 'muster'
               OR d::text ~* 'muster'), 0::bigint, 'no row has the name');

-- a holder on a list
SELECT pg_temp.holder('Ivan Ivanov'), pg_temp.cooled(),
    pg_temp.release('o2')
\g /dev/null
SELECT is(pg_temp.pay(p_currency => 'USD'), 'made 200 USD', 'an item');
SELECT is(pg_temp.standing(), 'held screening', 'a hit is held');
SELECT is(x.j ->> 'state' || coalesce(x.j ->> 'reason', ''), 'held',
          'the merchant reads that it is held')
FROM (SELECT l.page::json AS j FROM pay_api.list_payouts('{m1}',
          ARRAY[pg_temp.item()], '{NULL}', '{NULL}', '{NULL}', '{NULL}',
          '{NULL}', '{NULL}', '{1}') l) x;
SELECT ok(l.page !~* 'screen|ivan|ofac|finding', 'and nothing of the list')
FROM pay_api.list_payouts('{m1}', ARRAY[pg_temp.item()], '{NULL}', '{NULL}',
    '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{1}') l;
SELECT is((SELECT a.detail #>> '{findings,0,entry_id}' FROM pay.payout_act a
           WHERE a.subject = 'screening' AND a.subject_id = pg_temp.item()),
          '1', 'operators read the finding');
SELECT is(pg_temp.clear(w.who), w.said, w.who) FROM (VALUES
    ('max', 'maker'), ('Max', 'maker'), ('sue', 'entered'),
    ('Sue', 'entered'), (' ', 'invalid'), ('ann', 'second'),
    ('ann', 'second'), ('Ann', 'second'), ('bob', 'ready'),
    ('bob', 'no_way')) w (who, said);
SELECT is(pg_temp.standing(), 'ready', 'two operators have cleared it');

-- who has part in a clearance does not make the item that it is for
SELECT pay_ops.cancel_payout('m1', pg_temp.item(), 'ann', 'again')
\g /dev/null
SELECT FROM pay_ops.make_payouts('m1', 'seller-1', 'USD', 'Bob')
\g /dev/null
SELECT is(pg_temp.standing(), 'held screening', 'its clearer has made it');
SELECT is(pg_temp.clear(w), 'maker', 'and nobody else clears it for him')
FROM unnest('{bob,cid}'::text[]) w;
SELECT pay_ops.reject_payout_screening('m1', pg_temp.item(), 'ann', 'is')
\g /dev/null
SELECT pg_temp.pay(p_currency => 'USD')
\g /dev/null
SELECT is(pg_temp.standing(), 'ready', 'another maker, and it is free');

-- approval and sending look again, at the lists as they are then
SELECT is(pg_temp.batch(), 'made 2 300', 'a batch');
SELECT pg_temp.older()
\g /dev/null
SELECT is(pg_temp.approve(), 'changed', 'the list is too old to approve');
SELECT is((SELECT count(*) FROM pay.payout p WHERE p.reason = 'screening'),
          2::bigint, 'all items are held');
SELECT is(pg_temp.listed('{"1|IVANOV, Ivan Ivanovich","2|X Y","3|A B"}'),
          'imported 3 3 2', 'a new one frees them');
SELECT is(pg_temp.approve(), 'second', 'one approver');
SELECT is(pg_temp.approve('bob'), 'approved', 'and another');
-- sending looks at the names as they are, whoever has changed them
SAVEPOINT approved;
SELECT pg_temp.late_name('Ivan Ivanov')
\g /dev/null
SELECT is(pg_temp.begin_send(), 'held', 'an approved item is not sent');
SELECT is(pg_temp.standing(), 'held screening', 'it is a hit again');
ROLLBACK TO approved;

-- an import holds what it hits in its own commit, and nothing else
SELECT is((SELECT string_agg(p.state, ' ') FROM pay.payout p
           WHERE p.batch_id IS NOT NULL AND p.state <> 'cancelled'),
          'approved approved', 'both items are approved');
SELECT is(pg_temp.listed('{"1|Ivan Ivanov","2|X Y","3|A B"}'),
          'imported 3 3 0', 'the entry has another name');
SELECT is(pg_temp.standing(), 'held screening', 'the hit is held at once');
SELECT is((SELECT string_agg(p.state, ' ' ORDER BY p.state) FROM pay.payout p
           WHERE p.batch_id IS NOT NULL AND p.state <> 'cancelled'),
          'approved held', 'the other account''s is not');
SELECT is(pg_temp.begin_send(), 'no_way', 'it is not sent');
SELECT is(pg_temp.listed('{"1|Ivan Ivanov","2|X Y","3|A B"}'),
          'imported 3 3 0', 'the same list once more');
SELECT is((SELECT count(*) FROM pay.payout_act a
           WHERE a.subject = 'screening' AND a.subject_id = pg_temp.item()
               AND a.detail #>> '{findings,0,name}' = 'Ivan Ivanov'),
          1::bigint, 'holds it once');
SELECT is(pay_ops.reject_payout_screening('m1', pg_temp.item(), 'ann', 'is'),
          'cancelled', 'an operator rejects it');
SELECT is(pay_ops.reject_payout_screening('m1', pg_temp.item(), 'ann', 'is'),
          'no_way', 'once');
SELECT is(pg_temp.pay(p_currency => 'USD'), 'made 200 USD', 'the next item');
SELECT is(pg_temp.standing(), 'held screening', 'is held again');

-- a list that was cut, an account without a name
SELECT is(pg_temp.listed('{"1|Ivan Ivanov"}'), 'shrunk', 'a cut file');
SELECT is(pg_temp.listed('{"1|Ivan Ivanov","1|Ivan Ivanov"}'), 'shrunk',
          'a name that is there twice is one');
SELECT is(pg_temp.listed('{"1|Ivan Ivanov"}', p_shrinks => NULL), 'shrunk',
          'nobody has said that it is short');
SELECT is(pg_temp.listed(v.names, p_shrinks => true, p_who => v.who), v.said,
          concat_ws(' ', 'a list that is known to be short:', v.who, v.said))
FROM (VALUES ('{"1|Ivan Ivanov"}'::text[], 'ann', 'second'),
    ('{"1|Ivan Ivanov"}', 'ann', 'second'),
    ('{"1|Ivan Ivanov"}', 'Ann', 'second'),
    ('{"1|Iwan Ivanov"}', 'bob', 'second'),
    ('{"1|Ivan Ivanov"}', 'bob', 'imported 1 1 0')) v (names, who, said);
SELECT is(pg_temp.listed('{"1|Ivan Ivanov","2|A B","3|C D"}'), 'imported 3 3 0',
          'longer again');
SELECT is(pg_temp.listed('{"1|Ivan Ivanov"}', p_shrinks => true, p_who => 'bob'),
          'second', 'two operators again, since it was imported meanwhile');
SELECT is(pg_temp.listed('{"1|Ivan Ivanov"}', p_shrinks => true),
          'imported 1 1 0', 'who are there');
SELECT is((SELECT string_agg(concat_ws(' ', a.who, a.act), ', '
                             ORDER BY a.act_id DESC)
           FROM (SELECT * FROM pay.payout_act a WHERE a.merchant_id = '*'
                 ORDER BY a.act_id DESC LIMIT 2) a),
          'ann imported, bob asked', 'both are kept');
SELECT is(pg_temp.listed('{}'), 'invalid', 'no list is empty');
SELECT is(pg_temp.listed('{"1|a"}', 'un'), 'invalid', 'another list');
SELECT pg_temp.holder(NULL), pg_temp.cooled(), pg_temp.release('o3')
\g /dev/null
SELECT is(pg_temp.pay(p_currency => 'USD'), 'made 300 USD', 'an item');
SELECT is(pg_temp.standing(), 'held screening', 'nobody knows whose it is');
SELECT is(pg_temp.clear('ann') || pg_temp.clear('bob'), 'secondready',
          'operators do');

SELECT throws_ok(sql, state, NULL, sql) FROM (VALUES
    ('UPDATE pay.sanction_list SET names = 1', 'PAY20'),
    ('DELETE FROM pay.screening_clearance', 'PAY20'),
    ('UPDATE pay.screening_clearance SET cleared_by = asked_by', '23514')
    ) s (sql, state);
SELECT is(pg_temp.run_as('payments_gateway', sql), '42501', sql)
FROM (VALUES ('SELECT FROM pay.screening_salt'),
    ('SELECT FROM pay_ops.import_sanctions(NULL, NULL, NULL, NULL, NULL, '
     'NULL)'),
    ('SELECT pay_ops.clear_payout_screening(NULL, NULL, NULL, NULL)')) s (sql);

SELECT is(pg_temp.run_as(role, 'SELECT salt FROM pay.screening_salt'),
          '42501', role || ' cannot guess names by their digests')
FROM (VALUES ('payments_gateway'), ('payments_auditor'),
             ('payments_operator')) r (role);

\i :checks

SELECT finish();
ROLLBACK;
