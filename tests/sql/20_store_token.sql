-- store_token: first wins, twins, late tokens, parked webhooks.

BEGIN;
\ir helpers.psql
SELECT no_plan();

SELECT b.outcome FROM generate_series(1, 9) n,
    pg_temp.begin('m1', 'k' || n, 'c' || n,
                  ARRAY['o' || n || ':100', 'p' || n || ':50']) b
\g /dev/null

SELECT is(pg_temp.token('m1', 'c1', 't1'), 'stored', 'a token is stored');
SELECT is(pg_temp.status('m1', 'o1'), 'EXECUTING', 'the orders execute');
SELECT is(pg_temp.kinds('m1', 'p1'), 'created registered', 'with an event');
SELECT is(pg_temp.job('m1', 'c1'), 'poll 0', 'the job polls from now on');
SELECT is(j.run_at, now() + interval '5 s', 'after the time given')
FROM pay.job j WHERE j.checkout_id = 'c1';
SELECT is((g.registration_state, g.token, g.hosted_url, g.version)::text,
          '(REGISTERED,t1,https://psp.example/page,2)', 'the view shows it')
FROM pay_api.get_checkout('{m1}', '{c1}') g;

SELECT is(pg_temp.token('m1', 'c1', 't1'), 'already', 'again: already');
SELECT is(pg_temp.kinds('m1', 'p1'), 'created registered', 'writes nothing');
SELECT is(pg_temp.token('m1', 'c1', 't1-other'), 'mismatch', 'other token');
SELECT is(pg_temp.token('m1', 'c2', 't1'), 'mismatch',
          'a token of another checkout');
SELECT is(pg_temp.token('m1', 'c2', 't1'), 'mismatch', 'twice');
SELECT is(g.registration_state || g.version, 'REGISTERING1',
          'moves nothing there')
FROM pay_api.get_checkout('{m1}', '{c2}') g;
SELECT is(string_agg(concat_ws(' ', checkout_id, kind, token), ', '
                     ORDER BY mismatch_id),
          'c1 token t1-other, c2 token t1', 'people hear of it, once')
FROM pay.mismatch;
SELECT is(pg_temp.token('m1', 'c2', 't1-other'), 'stored',
          'a token that was refused belongs to nobody');

SELECT is(pg_temp.token('m1', 'nope', 't9'), 'not_found', 'no such checkout');
SELECT is(pg_temp.token('m2', 'c3', 't9'), 'not_found', 'foreign merchant');
SELECT is(pg_temp.token('m1', 'c3', t), 'invalid', coalesce(t, 'NULL'))
FROM unnest(ARRAY[NULL, '', repeat('t', 256)]) t;
SELECT is(pg_temp.token('m1', 'c3', 't3', ''), 'invalid', 'no page');
SELECT is(pg_temp.token('m1', 'c3', 't3', NULL), 'invalid', 'NULL page');
SELECT is(pg_temp.token(NULL, 'c3', 't3'), 'invalid', 'NULL merchant');
SELECT is((SELECT count(*) FROM pay.psp_token WHERE token = 't3'), 0::bigint,
          'a bad item claims nothing');

-- after store_no_token
SELECT is(pg_temp.no_token('m1', 'c3', 'unknown'), 'stored', 'unknown first');
SELECT is(pg_temp.token('m1', 'c3', 't3'), 'stored', 'then the token');
SELECT is(pg_temp.kinds('m1', 'o3'), 'created registration_unknown registered',
          'the timeline tells');
SELECT is((g.version, g.code)::text, '(3,)',
          'a new version: the address; the failed attempt''s code is gone')
FROM pay_api.get_checkout('{m1}', '{c3}') g;

-- a token for a registration that has given up: no page, but it is known
SELECT is(pg_temp.no_token('m1', 'c4', 'expired', 'too_late'), 'stored',
          'gives up');
SELECT is(pg_temp.token('m1', 'c4', 't4'), 'mismatch', 'a late token');
SELECT is((g.registration_state, g.hosted_url, g.code, g.version)::text,
          '(REFUSED,,too_late,3)', 'nobody is sent there; a new version')
FROM pay_api.get_checkout('{m1}', '{c4}') g;
SELECT is((SELECT kind::text FROM pay.mismatch WHERE checkout_id = 'c4'),
          'late_token', 'people hear of it');
SELECT is(pg_temp.token('m1', 'c4', 't4'), 'already', 'again: already');
SELECT is(g.version, 3::bigint, 'which is no news')
FROM pay_api.get_checkout('{m1}', '{c4}') g;
SELECT is(pg_temp.fact('t4', 'paid'), 'applied', 'a late payment is found');
SELECT is(pg_temp.status('m1', 'o4'), 'SUCCESS', 'and booked');

-- parked webhooks
SELECT is(pg_temp.fact('t5', 'paid', p_amount => 150, p_currency => 'USD'),
          'parked', 'a webhook before the token');
SELECT is(pg_temp.fact('t6', 'declined'), 'parked', 'declined');
SELECT is(pg_temp.fact('t6', 'paid'), 'parked', 'and paid');
SELECT is(pg_temp.fact('t7', 'paid', p_amount => 1), 'parked', 'bad amount');
SELECT is(pg_temp.fact('t7', 'pending'), 'parked', 'and pending');
SELECT is((t.outcome, t.version)::text, '(stored,3)', 'store_token applies it')
FROM pay_api.store_token('{m1}', '{c5}', '{stripe}', '{t5}', '{NULL}', '{u}',
                         '{1}', '{r}') t;
SELECT is(pg_temp.status('m1', 'o5'), 'SUCCESS', 'paid');
SELECT is(pg_temp.job('m1', 'c5'), NULL, 'nothing is left to do');
SELECT is(string_agg(t.item || t.outcome, ' '), '1stored 2stored', 'a batch')
FROM pay_api.store_token('{m1,m1}', '{c7,c6}', '{stripe,stripe}', '{t7,t6}',
                         '{NULL,NULL}', '{u,u}', '{1,1}', '{r,r}') t
WHERE t.place = 1;
SELECT is(pg_temp.status('m1', 'o6'), 'SUCCESS', 'declined, then paid');
SELECT is(pg_temp.status('m1', 'o7'), 'EXECUTING', 'a mismatch moves nothing');
SELECT is(pg_temp.kinds('m1', 'o7'), 'created registered mismatch pending',
          'and is told');
SELECT is(string_agg(concat_ws(' ', token, fact, state), ', '
                     ORDER BY token, fact),
          't5 paid applied, t6 declined applied, t6 paid applied, '
          't7 paid mismatch, t7 pending unchanged', 'the inbox knows')
FROM pay.webhook_inbox WHERE token IN ('t5', 't6', 't7');
SELECT is(pg_temp.fact('t5', 'paid', p_amount => 150, p_currency => 'USD'),
          'duplicate', 'sent again: duplicate');

-- aliases
SELECT b.outcome FROM generate_series(1, 20) n,
    pg_temp.begin('a', 'k' || n, 'c' || n, ARRAY['o' || n || ':100']) b
\g /dev/null
SELECT is(pg_temp.token('a', 'c1', 'at1', p_alias => 'aa1'), 'stored',
          'a token with an alias');
SELECT is((g.token, g.alias)::text, '(at1,aa1)', 'the view shows both')
FROM pay_api.get_checkout('{a}', '{c1}') g;
SELECT is(pg_temp.token('a', 'c1', 'at1', p_alias => a), 'already',
          'again: already, alias ' || coalesce(a, 'NULL'))
FROM unnest(ARRAY['aa1', NULL, '', 'at1']) a;
SELECT is((SELECT count(*) FROM pay.mismatch WHERE merchant_id = 'a'),
          0::bigint, 'which is no news');
SELECT is(pg_temp.token('a', 'c1', 'at1', p_alias => 'other'), 'mismatch',
          'another alias');
SELECT is(pg_temp.token('a', 'c1', 'at1', p_alias => 'other'), 'mismatch',
          'twice');
SELECT is(pg_temp.token('a', 'c1', 'aa1', p_alias => 'at1'), 'mismatch',
          'the names exchanged');
SELECT is(string_agg(concat_ws(' ', checkout_id, kind, token, alias,
                               own_token), ', ' ORDER BY mismatch_id),
          'c1 token at1 other at1, c1 token aa1 at1 at1',
          'people hear of each, once')
FROM pay.mismatch WHERE merchant_id = 'a';
SELECT is(pg_temp.token('a', 'c2', t, p_alias => a), 'mismatch',
          t || ' and ' || a || ': one is somebody''s')
FROM (VALUES ('at2', 'aa1'), ('aa1', 'aa2'), ('at1', 'aa2'), ('at2', 'at1'))
    v (t, a);
SELECT is((g.token, g.alias, g.registration_state)::text, '(,,REGISTERING)',
          'nothing is kept')
FROM pay_api.get_checkout('{a}', '{c2}') g;
SELECT is(pg_temp.token('a', 'c3', 'aa2', p_alias => 'at2'), 'stored',
          'the names that lost are free');
SELECT is(pg_temp.token('a', 'c2', 'other'), 'stored', 'that one, too');
SELECT is(pg_temp.token('a', 'c4', 'at4', p_alias => 'at4'), 'stored',
          'an alias that is the token');
SELECT is(pg_temp.token('a', 'c4', 'at4', p_alias => 'at4'), 'already',
          'is one name');
SELECT is(pg_temp.token('a', 'c5', 'at5', p_alias => ''), 'stored',
          'an empty alias');
SELECT is(g.alias, NULL, 'is none')
FROM pay_api.get_checkout('{a}', '{c5}') g;
SELECT is(pg_temp.token('a', 'c6', 'at6', p_alias => repeat('a', 256)),
          'invalid', 'a long alias');
SELECT is(pg_temp.token('a', 'c6', 'at6', p_psp => p), 'invalid', 'no PSP')
FROM unnest(ARRAY[NULL, '', repeat('p', 256)]) p;
SELECT is(pg_temp.token('a', 'c6', 'at6', p_psp => 'adyen'), 'mismatch',
          'a PSP that it never was at');
SELECT is(m.kind || ' ' || m.psp, 'left_psp adyen', 'is for people')
FROM pay.mismatch m WHERE m.checkout_id = 'c6' AND m.merchant_id = 'a';
SELECT is((SELECT count(*) FROM pay.psp_token
           WHERE token = 'at6' OR token = repeat('a', 256)), 0::bigint,
          'and claims nothing');
SELECT is(pg_temp.fact('aa1', 'paid'), 'applied', 'a webhook by the alias');
SELECT is(pg_temp.status('a', 'o1'), 'SUCCESS', 'pays');

-- parked under an alias, under both names, and one that only asks
SELECT is(pg_temp.fact('aa7', 'paid', p_amount => 100, p_currency => 'USD'),
          'parked', 'by an alias nobody has');
SELECT is(pg_temp.fact('aa8', 'declined'), 'parked', 'declined by one name');
SELECT is(pg_temp.fact('at8', 'paid'), 'parked', 'paid by the other');
SELECT is(pg_temp.fact(t, 'ask', p_amount => 7), 'parked', 'ask about ' || t)
FROM unnest('{aa9,at10}'::text[]) t;
SELECT is(string_agg(t.item || t.outcome, ' '),
          '1stored 2stored 3stored 4stored', 'the tokens come')
FROM pay_api.store_token('{a,a,a,a}', '{c7,c8,c9,c10}',
    '{stripe,stripe,stripe,stripe}', '{at7,at8,at9,at10}',
    '{aa7,aa8,aa9,aa10}', '{u,u,u,u}', '{9000,9000,9000,9000}',
    '{r,r,r,r}') t;
SELECT is(pg_temp.status('a', 'o' || n), want, 'c' || n)
FROM (VALUES (7, 'SUCCESS'), (8, 'SUCCESS'), (9, 'EXECUTING'),
    (10, 'EXECUTING')) v (n, want);
SELECT is(string_agg(concat_ws(' ', token, fact, state, checkout_id), ', '
                     ORDER BY token, fact),
          'aa7 paid applied c7, aa8 declined applied c8, aa9 ask asked c9, '
          'at10 ask asked c10, at8 paid applied c8', 'the inbox knows')
FROM pay.webhook_inbox
WHERE token IN ('aa7', 'aa8', 'at8', 'aa9', 'at10');
SELECT is(pg_temp.kinds('a', 'o9'), 'created registered notified',
          'an ask is told');
SELECT is(string_agg(concat_ws(' ', j.checkout_id, j.kind, j.run_at - now()),
                     ', ' ORDER BY j.checkout_id),
          'c10 poll 00:00:00, c9 poll 00:00:00', 'and polled at once')
FROM pay.job j WHERE j.merchant_id = 'a' AND j.checkout_id IN ('c9', 'c10');

-- a late one with an alias
SELECT is(pg_temp.fact('aa11', 'ask'), 'parked', 'an ask comes first');
SELECT is(pg_temp.no_token('a', 'c11', 'expired'), 'stored', 'gives up');
SELECT is(pg_temp.token('a', 'c11', 'at11', p_alias => 'aa11'), 'mismatch',
          'a late token');
SELECT is((g.token, g.alias, g.hosted_url)::text, '(at11,aa11,)', 'is kept')
FROM pay_api.get_checkout('{a}', '{c11}') g;
SELECT is(pg_temp.job('a', 'c11'), 'poll 0', 'and asked about');

-- one batch: names across items
SELECT is(string_agg(t.item || ' ' || t.outcome, ', ' ORDER BY t.item),
    '1 stored, 2 mismatch, 3 mismatch, 4 already, 5 mismatch, 6 mismatch, '
    '7 stored', 'twins in one batch: the first wins both names')
FROM pay_api.store_token('{a,a,a,a,a,a,a}',
    '{c12,c13,c14,c12,c12,c12,c15}',
    '{stripe,stripe,stripe,stripe,stripe,adyen,stripe}',
    '{x12,x13,y12,x12,x12,x12,x15}', '{y12,y12,x14,y12,z12,y12,NULL}',
    '{u,u,u,u,u,u,u}', '{1,1,1,1,1,1,1}', '{r,r,r,r,r,r,r}') t;
SELECT is(string_agg(concat_ws(' ', token, checkout_id), ', '
                     ORDER BY token),
          'x12 c12, x13, x14, x15 c15, y12 c12, z12', 'who lost has nothing')
FROM pay.psp_token WHERE token ~ '^[xyz]1[2-5]$';
SELECT is(pg_temp.token('a', 'c13', 'x13', p_alias => 'z12'), 'stored',
          'what was lost is free');

-- a parked webhook at another PSP is another token's
SELECT is(pg_temp.fact('t8', 'paid', p_psp => 'adyen'), 'parked', 'adyen');
SELECT is(pg_temp.token('m1', 'c8', 't8'), 'stored', 'stripe');
SELECT is(pg_temp.status('m1', 'o8'), 'EXECUTING', 'is not paid');

-- one batch
SELECT b.outcome FROM generate_series(1, 4) n,
    pg_temp.begin('b', 'k' || n, 'c' || n, ARRAY['o' || n || ':100']) b
\g /dev/null
SELECT is(string_agg(t.item || ' ' || t.outcome, ', ' ORDER BY t.item),
    '1 stored, 2 already, 3 mismatch, 4 mismatch, 5 not_found, 6 invalid, '
    '7 mismatch, 8 stored', 'twins in one batch: the first wins')
FROM pay_api.store_token('{b,b,b,b,b,b,b,b}', '{c1,c1,c1,c2,c9,c3,c4,c4}',
    array_fill('stripe'::text, '{8}'), '{x1,x1,x2,x1,x9,NULL,x1,x4}',
    array_fill(NULL::text, '{8}'), '{u,u,u,u,u,u,u,u}',
    '{1,1,1,1,1,1,1,1}', '{r,r,r,r,r,r,r,r}') t;
SELECT is(g.registration_state, 'REGISTERING', g.checkout_id || ' waits')
FROM pay_api.get_checkout('{b,b}', '{c2,c3}') g;
SELECT is(pg_temp.token('b', 'c2', 'x2'), 'stored',
          'the token that lost is free');


\i :checks
SELECT finish();
ROLLBACK;
