-- Near names: one edit in a word of 5 letters or more is found whatever it is,
-- such an item is held and says that it is near, no word is stored in clear, and
-- the share of false ones on a made-up list is what docs/payouts.md says.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir payout.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.listed(p_names text[]) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', i.outcome, i.names, i.entries, i.released)
FROM pay_ops.import_sanctions('ofac', sha256('x'),
    ARRAY(SELECT split_part(n, '|', 1) FROM unnest(p_names) n),
    ARRAY(SELECT split_part(n, '|', 2) FROM unnest(p_names) n), true,
    'ann') i
$$;
CREATE FUNCTION pg_temp.holder(p_name text) RETURNS text LANGUAGE sql AS $$
SELECT d.outcome FROM pay_ops.store_destination('m1', 'seller-1', 'USD',
    'bank', 'iban', 'DE', 'DE89370400440532013000', 'opaque', 'k1', 'sue',
    'test', p_name) d
$$;
CREATE FUNCTION pg_temp.found(p_holder text, p_has_keys boolean DEFAULT true)
RETURNS TABLE (why text, entry_id text)
LANGUAGE sql SET search_path = pay, pg_temp AS $$
WITH holder AS MATERIALIZED (
    SELECT name_words(p_holder) AS words,
        CASE WHEN p_has_keys THEN name_near(p_holder) END AS near)
SELECT h.why, h.entry_id
FROM holder w CROSS JOIN LATERAL sanction_hits(w.words, w.near, '{ofac,eu}') h
$$;
CREATE FUNCTION pg_temp.hit(p_holder text, p_has_keys boolean DEFAULT true)
RETURNS text LANGUAGE sql AS $$
SELECT string_agg(f.why || ' ' || f.entry_id, ' ' ORDER BY f.entry_id)
FROM pg_temp.found(p_holder, p_has_keys) f
$$;
CREATE FUNCTION pg_temp.keys(p_word text) RETURNS bytea[]
LANGUAGE sql SET search_path = pay, pg_temp AS 'SELECT word_keys(p_word)';
CREATE FUNCTION pg_temp.digest(p_word text) RETURNS bytea
LANGUAGE sql SET search_path = pay, pg_temp AS 'SELECT word_digest(p_word)';
CREATE FUNCTION pg_temp.edits(p_word text) RETURNS SETOF text
LANGUAGE sql AS $$
SELECT overlay(p_word PLACING e.text FROM i FOR e.size)
FROM generate_series(1, length(p_word)) i
CROSS JOIN LATERAL (VALUES ('', 1), ('q', 1), ('q', 0),
    (reverse(substr(p_word, i, 2)), 2)) e (text, size)
UNION SELECT p_word || 'q'
$$;
CREATE FUNCTION pg_temp.alike(p_word text, p_other text) RETURNS boolean
LANGUAGE sql AS 'SELECT pg_temp.keys(p_word) && pg_temp.keys(p_other)';

-- words
SELECT is((SELECT count(*) FROM pg_temp.edits(w) e
           WHERE NOT pg_temp.alike(w, e) AND length(e) >= 4), 0::bigint,
          w || ': every edit is near')
FROM unnest('{petrov,hassan,muhammad,aaaaa,abcde,al1ce}'::text[]) w;
SELECT is(pg_temp.alike(v.word, v.other), v.is_near, v.word || ' ' || v.other)
FROM (VALUES ('abul', 'abut', false), ('abul', 'abu', false),
    ('abula', 'abul', true), ('mohammed', 'muhammad', false),
    ('mohammed', 'mohamed', true), ('petrov', 'petrova', true),
    ('petrov', 'petrovas', false), ('petrov', 'ivanov', false)
    ) v (word, other, is_near);
SELECT is(pg_temp.keys('abul'), ARRAY[substr(pg_temp.digest('abul'), 1, 8)],
          'a short word has one key');

-- names
SELECT is(pg_temp.listed('{"1|IVANOV, Nikolai Petrovich","2|ACME TRADING LLC",
    "3|Mohamed ALI","4|ZARQAWI","5|LI, Wei"}'), 'imported 5 5 0', 'a list');
SELECT is(pg_temp.hit(h.name), h.entry, h.name) FROM (VALUES
    ('Nikolai Ivanov', 'hit 1'), ('Nikolay Ivanov', 'near 1'),
    ('Nikolai Ivanow', 'near 1'), ('Ivanof Nikolaj', 'near 1'),
    ('Nikolai Petrowich Ivanov', 'near 1'), ('Nikolas Ivankov', 'near 1'),
    -- a letter missing here and another one too many there
    ('Nikolas Ivanko', 'near 1'), ('Nikolas Iwankov', NULL),
    ('Nikolay Petrov', NULL), ('Nikolay Nikolai', NULL),
    ('Acme Tradng', 'near 2'), ('Acme Trade', NULL), ('Acne Trading', NULL),
    ('Mohammed Ali', 'near 3'), ('Muhammad Ali', NULL), ('Mohamed Aly', NULL),
    ('Zarqawi', 'hit 4'), ('Zarkawi', 'near 4'), ('Zarkawi Abu', NULL),
    ('Wei Li', 'hit 5'), ('Wei Lin', NULL), ('', NULL)) h (name, entry);
SELECT is(pg_temp.hit(h.name, false), h.entry, h.name || ', of an account from '
          'before')
FROM (VALUES ('Nikolay Ivanov', NULL), ('Nikolai Ivanov', 'hit 1')
    ) h (name, entry);

-- an item
SELECT pg_temp.provider(), pg_temp.holder('Nikolay Ivanow'),
    pay_ops.set_payout_screening('m1', true, '{ofac}', 24, 'ann', 'law'),
    pg_temp.sold('c1', '{o1:100}'), pg_temp.release('o1')
\g /dev/null
SELECT is((SELECT cardinality(d.name_near) FROM pay.payout_destination d), 2,
          'the account has the keys of both words');
SELECT is((SELECT count(*) FROM pay.payout_destination d
           WHERE d::text ~* 'ivano' OR EXISTS (
               SELECT FROM unnest(d.name_near) k
               WHERE position('ivano'::bytea IN k) > 0)),
          0::bigint, 'and no word of them');
SELECT is(pg_temp.pay(p_currency => 'USD'), 'made 100 USD', 'an item');
SELECT is((SELECT concat_ws(' ', p.state, p.reason) FROM pay.payout p
           WHERE p.payout_id = pg_temp.item()), 'held screening',
          'a near name is held');
SELECT is((SELECT a.detail #>> '{findings,0,why}' FROM pay.payout_act a
           WHERE a.subject = 'screening' AND a.subject_id = pg_temp.item()),
          'near', 'operators read that it is near');
SELECT is(pay_ops.clear_payout_screening('m1', pg_temp.item(), w, 'no'), s, w)
FROM (VALUES ('ann', 'second'), ('bob', 'ready')) v (w, s);

-- false ones: 10000 made-up names of a list, and twice 1000 of holders, who have
-- western names, or given names of the list and other family names of its lands
CREATE FUNCTION pg_temp.pick(p_from text[], p_n int, p_salt text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
SELECT p_from[1 + mod(('x' || substr(md5(p_salt || p_n), 1, 7))::bit(28)::int,
                      cardinality(p_from))]
$$;
CREATE TEMP TABLE spelled (kind text, given text, family text);
INSERT INTO spelled VALUES
('list', 'Abdul Abdullah Ahmad Ahmed Ali Amir Anwar Bashir Dmitri Elena Faisal
 Farid Fatima Gennady Hamid Hassan Hussein Ibrahim Igor Ismail Ivan Jamal Jorge
 Jose Juan Karim Khalid Luis Mahmoud Maria Mohammad Mohammed Mustafa Natalia
 Nikolai Oleg Omar Pedro Rashid Reza Saeed Salim Sergei Svetlana Tariq Vladimir
 Viktor Yuri Yusuf Zahra', 'Abbasi Ahmadi Akhundzada Barzani Belov Castro
 Cardenas Dzhabrailov Escobar Farahani Gonzalez Guerrero Guzman Haqqani Hosseini
 Ivanov Jafari Karimov Khan Kovalev Kuznetsov Lopez Lukashenko Malik Mansour
 Medvedev Mohammadi Mousavi Najjar Nasrallah Nazari Ochoa Orlov Petrov Popov
 Qasemi Rahimi Ramirez Rezaei Rodriguez Romanov Sadeghi Salazar Shamkhani
 Smirnov Sokolov Soleimani Suleiman Tajideen Tkachenko Vasiliev Volkov Yakubov
 Zarif Zhukov'),
('same', '', 'Abboud Alvarez Antonov Asadi Aziz Bogdanov Castillo Darwish Diaz
 Egorov Fedorov Fernandez Ghanem Golubev Haddad Hamdan Hashemi Herrera Hosni
 Ivanenko Jaber Kamali Karimi Kozlov Lebedev Mahdavi Martinez Mendoza Morozov
 Nasser Nikolaev Novikov Pavlov Perez Qureshi Rahmani Ramos Rostami Saleh Sanchez
 Semenov Sharifi Sidorov Tarasov Torres Vargas Yilmaz Zaitsev Zamani'),
('west', 'Anna Anton Barbara Bernd Carla Charlotte Christian Daniel David Elena
 Emily Erik Fabian Felix Frank Georg Hannah Heinrich Isabel Jakob James Jan Jonas
 Julia Karin Klaus Laura Leon Lukas Maria Marie Mario Markus Martin Michael Nina
 Oliver Patrick Paul Peter Philip Robert Sandra Sarah Sophie Stefan Thomas Ursula
 Victor Werner', 'Andersen Bauer Becker Bernard Brown Carter Clark Davis Dubois
 Evans Fischer Fontana Garcia Gomez Hansen Hoffmann Huber Jansen Johnson Keller
 Klein Koch Kowalski Lange Lefebvre Lehmann Lopez Maier Martin Meyer Miller Moreau
 Mueller Murphy Nielsen Novak Olsen Peters Petit Richter Romano Rossi Russo
 Schmidt Schneider Schulz Silva Smith Taylor Wagner Walker Weber White Wilson
 Young');
UPDATE spelled s SET given = l.given FROM spelled l
WHERE s.kind = 'same' AND l.kind = 'list';
CREATE TEMP TABLE pool AS
SELECT s.kind, regexp_split_to_array(s.given, '\s+') AS given,
    regexp_split_to_array(s.family, '\s+') AS family
FROM spelled s;
CREATE TEMP TABLE holder AS
SELECT p.kind, pg_temp.pick(p.given, n, 'g') || ' '
    || pg_temp.pick(p.family, n, 'f') AS name
FROM pool p CROSS JOIN generate_series(1, 1000) n
WHERE p.kind <> 'list';
SELECT is(split_part(pg_temp.listed(ARRAY(
    SELECT n || '|' || pg_temp.pick(p.family, n, 'a') || ', '
        || pg_temp.pick(p.given, n, 'b') || ' '
        || CASE WHEN n % 3 > 0 THEN pg_temp.pick(p.family, n, 'c')
                ELSE pg_temp.pick(p.given, n, 'c') END
    FROM pool p CROSS JOIN generate_series(1, 10000) n
    WHERE p.kind = 'list')), ' ', 1), 'imported', 'a long list');
CREATE TEMP TABLE share AS
SELECT h.kind,
    count(*) FILTER (WHERE f.kinds ~ 'hit') AS hits,
    count(*) FILTER (WHERE f.kinds = 'near') AS near
FROM holder h CROSS JOIN LATERAL (
    SELECT string_agg(DISTINCT s.why, ' ') AS kinds
    FROM pg_temp.found(h.name) s) f
GROUP BY h.kind;
SELECT is(concat_ws(' ', s.hits, s.near), v.share,
          s.kind || ': hits and near ones of 1000 holders')
FROM share s JOIN (VALUES ('west', '2 5'), ('same', '0 42')) v (kind, share)
    USING (kind);

\i :checks

SELECT finish();
ROLLBACK;
