-- Screening by a provider: without its answer nothing is paid, a hit is held and
-- cleared by two operators, an answer grows old, and a question has one answer.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir payout.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.holder(p_name text) RETURNS text LANGUAGE sql AS $$
SELECT d.outcome FROM pay_ops.store_destination('m1', 'seller-1', 'USD', 'bank',
    'iban', 'DE', 'DE89370400440532013000', 'opaque', 'k1', 'sue', 'test',
    p_name) d
$$;
CREATE FUNCTION pg_temp.standing() RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', p.state, p.reason) FROM pay.payout p
WHERE p.payout_id = pg_temp.item()
$$;
CREATE FUNCTION pg_temp.why() RETURNS text LANGUAGE sql
SET search_path = pay, pg_temp AS $$
SELECT string_agg(concat_ws(' ', f.why, f.list, nullif(f.entry_id, '')), ', ')
FROM payout p CROSS JOIN LATERAL screen_payout(p) f
WHERE p.payout_id = pg_temp.item()
$$;
CREATE FUNCTION pg_temp.clear(p_who text) RETURNS text LANGUAGE sql AS
'SELECT pay_ops.clear_payout_screening(''m1'', pg_temp.item(), p_who, ''no'')';
CREATE FUNCTION pg_temp.ask(p_provider text DEFAULT 'watch') RETURNS text
LANGUAGE sql AS $$
SELECT concat_ws(' ', b.outcome, b.version, b.number, b.seller_account,
    b.currency, b.country)
FROM pay_api.begin_screening('{m1}', ARRAY[p_provider], '{40000}') b
$$;
CREATE FUNCTION pg_temp.say(
    p_answer text, p_reference text DEFAULT NULL, p_number int DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
SELECT s.outcome FROM pay.screening_answer a
CROSS JOIN LATERAL pay_api.store_screening('{m1}', '{watch}',
    ARRAY[a.destination_id::text], ARRAY[a.version::bigint],
    ARRAY[coalesce(p_number, a.calls)::bigint], ARRAY[p_answer],
    ARRAY[p_reference], '{NULL}', '{60}') s
ORDER BY a.version DESC LIMIT 1
$$;
-- p_hours later
CREATE FUNCTION pg_temp.later(p_hours int) RETURNS void LANGUAGE sql AS $$
UPDATE pay.screening_answer a
SET run_at = a.run_at - make_interval(hours => p_hours),
    asked_at = a.asked_at - make_interval(hours => p_hours)
$$;

-- accounts, whether one waits, whether a question is due that nobody asks
CREATE FUNCTION pg_temp.waits() RETURNS text LANGUAGE sql
SET search_path = pay, pg_temp AS $$
SELECT concat_ws(' ', f.o ->> 'waits', f.o ? 'waits_at', f.o ? 'unasked_at')
FROM (SELECT payout_figures() AS o) f
$$;
CREATE FUNCTION pg_temp.providers() RETURNS text LANGUAGE sql
SET search_path = pay, pg_temp AS
'SELECT payout_figures() ->> ''providers''';

SELECT pg_temp.provider(), pg_temp.holder('Max Mustermann')
\g /dev/null
SELECT pg_temp.sold('c' || n, ARRAY['o' || n || ':' || n * 100])
FROM generate_series(1, 3) n
\g /dev/null
SELECT FROM pay_ops.import_sanctions('ofac', sha256('x'), '{1}', '{A B}', true,
                                     'ann')
\g /dev/null

-- a provider takes one operator, another one or none two
SELECT is(pay_ops.set_payout_screening('m1', true, '{ofac}', 24, w.who, 'law',
                                       w.provider),
          w.said, concat_ws(' ', w.who, w.provider, w.said))
FROM (VALUES ('ann', NULL, 'stored'), ('ann', 'watch', 'stored'),
    ('ann', 'other', 'second'), ('ann', NULL, 'second'),
    ('ann', 'No Name', 'invalid'), ('ann', '', 'invalid'),
    ('bob', NULL, 'stored'), ('ann', 'watch', 'stored')
    ) w (who, provider, said);
SELECT is(pg_temp.ask(), 'none', 'there is nothing to ask');
SELECT is(pg_temp.waits(), '0 f f', 'nothing waits');
SELECT is(pg_temp.providers(), '[{"merchant": "m1", "provider": "watch"}]',
          'workers hear of the policy');

SELECT pg_temp.release('o1')
\g /dev/null
SELECT pg_temp.pay(p_currency => 'USD')
\g /dev/null
SELECT is(pg_temp.standing(), 'held screening', 'no answer: it is held');
SELECT is(pg_temp.why(), 'pending provider/watch', 'for want of an answer');
SELECT is(pg_temp.clear('ann'), 'no_list', 'which nobody can clear');
SELECT is(pg_temp.waits(), '1 t t', 'an account waits, and nobody asks');
SELECT is(pg_temp.ask('other'), 'none', 'another provider is not asked');
SELECT is(pg_temp.ask(), 'due 1 1 seller-1 USD DE', 'the provider is');
SELECT is(pg_temp.ask(), 'none', 'by one worker');
SELECT is(pg_temp.waits(), '1 t f', 'it waits, and is asked about');
SELECT is(pg_temp.say('failed'), 'stored', 'it fails');
SELECT is(pg_temp.say('clear'), 'gone', 'a question has one answer');
SELECT is(pg_temp.standing(), 'held screening', 'it stays held');
SELECT is(pg_temp.ask(), 'none', 'not at once');
SELECT is(pg_temp.waits(), '1 t f', 'and this is not held against a worker');
SELECT pg_temp.later(1)
\g /dev/null
SELECT is(pg_temp.waits(), '1 t t', 'later it is');
SELECT is((SELECT concat_ws(' ', w.merchant_id, w.provider, w.items,
                            w.questions)
           FROM pay_view.screening_waits() w), 'm1 watch 1 1', 'one row for it');
SELECT is(pg_temp.ask(), 'due 1 2 seller-1 USD DE', 'but later');
SELECT pg_temp.later(1)
\g /dev/null
SELECT is(pg_temp.ask(), 'due 1 3 seller-1 USD DE', 'its worker has died');
SELECT is(pg_temp.say('clear', p_number => 2), 'gone', 'and comes too late');
SELECT is(pg_temp.say('fine'), 'invalid', 'a word that there is not');
SELECT is(pg_temp.say('clear'), 'stored', 'it is clear');
SELECT is(pg_temp.standing(), 'ready', 'the item goes on');
SELECT is(pg_temp.waits(), '0 f f', 'and nothing waits');

-- age: renewed from the half on, and too old behind the whole
SELECT pg_temp.later(11)
\g /dev/null
SELECT is(pg_temp.ask(), 'none', 'it is new');
SELECT is(pg_temp.batch(), 'made 1 100', 'a batch');
SELECT pg_temp.later(2)
\g /dev/null
SELECT is(pg_temp.ask(), 'due 1 4 seller-1 USD DE', 'it is asked for anew');
SELECT is(pg_temp.say('failed'), 'stored', 'in vain');
SELECT is(pg_temp.standing(), 'ready', 'the last answer still counts');
SELECT pg_temp.later(12)
\g /dev/null
SELECT is(pg_temp.approve('ann'), 'changed', 'too old for an approval');
SELECT is(pg_temp.standing(), 'held screening', 'it is held');
SELECT is((SELECT w.due_at = w.since FROM pay_view.screening_waits() w), true,
          'nobody has waited before it was held');
SELECT pg_temp.ask(), pg_temp.say('clear')
\g /dev/null
SELECT is(pg_temp.standing(), 'ready', 'until the next answer');

-- a hit of an item that is ready, and one that is held
SELECT pg_temp.later(13)
\g /dev/null
SELECT pg_temp.ask(), pg_temp.say('hit', 'case-7')
\g /dev/null
SELECT is(pg_temp.standing(), 'held screening', 'a hit holds it');
SELECT is(pg_temp.why(), 'provider provider/watch case-7', 'by its reference');
SELECT is(pg_temp.waits(), '0 f f', 'a hit waits for operators');
SELECT is((SELECT a.detail #>> '{findings,0,entry_id}' FROM pay.payout_act a
           WHERE a.subject = 'screening' AND a.subject_id = pg_temp.item()
           ORDER BY a.act_id DESC LIMIT 1), 'case-7', 'operators read it');
SELECT ok(l.page !~* 'screen|watch|case-7|provider/', 'the merchant does not')
FROM pay_api.list_payouts('{m1}', ARRAY[pg_temp.item()], '{NULL}', '{NULL}',
    '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{1}') l;
SELECT is(pg_temp.clear(w.who), w.said, w.who) FROM (VALUES
    ('max', 'maker'), ('sue', 'entered'), ('ann', 'second'),
    ('ann', 'second'), ('bob', 'ready')) w (who, said);
SELECT pg_temp.later(13)
\g /dev/null
SELECT pg_temp.ask(), pg_temp.say('hit', 'case-7')
\g /dev/null
SELECT is(pg_temp.standing(), 'ready', 'the same hit is cleared');
SELECT pg_temp.later(13)
\g /dev/null
SELECT pg_temp.ask(), pg_temp.say('hit')
\g /dev/null
SELECT is(pg_temp.standing(), 'held screening', 'another one is not');
SELECT ok(pg_temp.why() ~ 'question-', 'one without a reference, either');
SELECT pg_temp.later(13)
\g /dev/null
SELECT pg_temp.ask(), pg_temp.say('clear')
\g /dev/null
SELECT is(pg_temp.standing(), 'ready', 'the provider has taken it back');

-- another version of the account is another question
SELECT pay_ops.cancel_payout('m1', pg_temp.item(), 'ann', 'again')
\g /dev/null
SELECT pg_temp.holder('Eva Muster'), pg_temp.cooled()
\g /dev/null
SELECT pg_temp.pay(p_currency => 'USD')
\g /dev/null
SELECT is(pg_temp.why(), 'pending provider/watch', 'a new holder');
SELECT is(pg_temp.ask(), 'due 2 1 seller-1 USD DE', 'is asked about');
SELECT is(pg_temp.say('clear') || ' ' || pg_temp.standing(), 'stored ready',
          'and clear');

-- sending looks at the age, too
SELECT is(pg_temp.batch(), 'made 1 100', 'a batch');
SELECT pg_temp.approve('ann'), pg_temp.approve('bob')
\g /dev/null
SELECT is(pg_temp.standing(), 'approved', 'it is approved');
SELECT pg_temp.later(25)
\g /dev/null
SELECT is(pg_temp.begin_send(), 'held', 'it is not sent');

\i :checks

SELECT finish();
ROLLBACK;
