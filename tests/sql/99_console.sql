-- Pages of the console: rights by role, rows by merchant, masking, lists that
-- join without a gap, and tiles that count the rows of their lists.

BEGIN;
\ir helpers.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.read(
    p_page text, p_roles text DEFAULT 'auditor', p_query jsonb DEFAULT '{}',
    p_merchants text DEFAULT NULL, OUT outcome text, OUT page text,
    OUT personal bigint)
LANGUAGE sql AS $$
SELECT r.outcome, r.page, r.personal
FROM pay_console.read_page(ARRAY[p_page], '{ann}',
    ARRAY[to_jsonb(regexp_split_to_array(p_roles, ' '))],
    ARRAY[to_jsonb(regexp_split_to_array(p_merchants, ' '))],
    ARRAY[p_query]) r
$$;
CREATE FUNCTION pg_temp.shown(
    p_page text, p_roles text DEFAULT 'auditor', p_query jsonb DEFAULT '{}',
    p_merchants text DEFAULT NULL)
RETURNS jsonb LANGUAGE sql AS $$
SELECT r.page::jsonb
FROM pg_temp.read(p_page, p_roles, p_query, p_merchants) r
WHERE r.outcome = 'found'
$$;
-- all rows of a list, a page after the other
CREATE FUNCTION pg_temp.rows(
    p_page text, p_query jsonb DEFAULT '{}', p_merchants text DEFAULT NULL)
RETURNS SETOF jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_query jsonb := p_query;
    v_page  jsonb;
BEGIN
    FOR n IN 1 .. 500 LOOP
        v_page := pg_temp.shown(p_page, 'auditor', v_query, p_merchants);
        RETURN QUERY SELECT jsonb_array_elements(v_page -> 'items');
        EXIT WHEN v_page ->> 'next' IS NULL;
        v_query := v_query || jsonb_build_object(CASE p_page
            WHEN 'wallets' THEN 'after' ELSE 'before' END, v_page -> 'next');
    END LOOP;
END
$$;

-- m1 and m2 have checkouts of the same names, of the same moment
SELECT b.outcome FROM (VALUES ('m1'), ('m2')) m (id),
    generate_series(1, 7) n,
    pg_temp.begin(m.id, 'k' || n, 'c' || n, ARRAY['o' || n || ':1000'],
                  p_nonce => m.id || 'n' || n) b
\g /dev/null
SELECT pg_temp.token(m.id, 'c1', 'tok_secret_' || m.id)
FROM (VALUES ('m1'), ('m2')) m (id)
\g /dev/null
UPDATE pay.checkout SET buyer_info = '{"email": "ann@example.com", "more":
    {"city": "Ulm", "age": 7, "none": null}, "list": ["a"], "empty": ""}',
    metadata = '{"note": "secret note"}'
WHERE checkout_id = 'c1' AND merchant_id = 'm1';
INSERT INTO pay.dead_letter (merchant_id, checkout_id, psp, kind, reason)
SELECT 'm' || 1 + n % 2, 'c' || n, 'stripe', 'stuck', 'test'
FROM generate_series(1, 7) n;
INSERT INTO pay.dead_letter (psp, event_id, kind, reason)
VALUES ('stripe', 'evt-nobody', 'parked', 'test');
INSERT INTO pay.dispute (psp, dispute_id, merchant_id, checkout_id, state,
    amount_minor, currency)
SELECT 'stripe', 'd' || n, 'm' || 1 + n % 2, 'c' || n, 'open', 100 * n, 'USD'
FROM generate_series(1, 7) n;
INSERT INTO pay.dispute (psp, dispute_id, merchant_id, checkout_id, state,
    amount_minor, currency)
VALUES ('stripe', 'jp', 'm1', 'c1', 'open', 500, 'JPY'),
    ('stripe', 'won', 'm1', 'c1', 'won', 500, 'JPY');
INSERT INTO pay.webhook_inbox (psp, event_id, state, fact, token)
SELECT 'stripe', 'evt' || n, 'parked', 'paid', 'tok_nobody_' || n
FROM generate_series(1, 3) n;
INSERT INTO pay.wallet (merchant_id, seller_account, currency,
    available_minor)
SELECT 'm' || 1 + n % 2, 's:' || n, c, n FROM generate_series(1, 4) n,
    unnest('{EUR,USD}'::text[]) c;

-- rights
SELECT results_eq($$
    SELECT r.role, p.page, (pg_temp.read(p.page, r.role,
        '{"q":"c1","checkout":"c1","merchant":"m1","settings":"{}"}'))
        .outcome <> 'refused'
    FROM pay.console_role r,
        (SELECT DISTINCT page FROM pay.console_right) p
    ORDER BY 1, 2
$$, $$
    SELECT r.role, p.page, EXISTS (
        SELECT FROM pay.console_right x
        WHERE x.role = r.role AND x.page = p.page)
    FROM pay.console_role r,
        (SELECT DISTINCT page FROM pay.console_right) p
    ORDER BY 1, 2
$$, 'each role sees its pages and no other');
SELECT is(concat_ws(' ', r.outcome, r.page), said, asked)
FROM (VALUES
    ('audit', 'viewer', 'refused admin, auditor'),
    ('risk', 'finance support', 'refused auditor, risk, viewer'),
    ('nothing', 'auditor', 'refused'), ('me', 'boss', 'refused admin, '
     'auditor, finance, finance-approver, operations, risk, support, viewer'),
    ('payments', '', 'refused admin, auditor, finance, finance-approver, '
     'operations, risk, support, viewer')) v (asked, roles, said),
    pg_temp.read(asked, roles) r;
SELECT is((pg_temp.read('money', 'support finance')).outcome, 'found',
          'several roles have the union');

-- merchants
SELECT is_empty($$
    SELECT p, r FROM unnest('{payments,letters,disputes,jobs,wallets,late,
        mismatches,unknown,changes,inbox,deliveries,settlement,exceptions,
        payouts,batches,risk}'::text[]) p, pg_temp.rows(p, '{}', 'm1') r
    WHERE r ->> 'merchant_id' IS DISTINCT FROM 'm1'
$$, 'a list has the rows of the merchants of the token');
SELECT is((SELECT count(*) FROM pg_temp.rows(p, q, m)), n, concat_ws(' ', p, m))
FROM (VALUES
    ('payments', '{}'::jsonb, NULL, 14::bigint), ('payments', '{}', 'm1', 7),
    ('payments', '{}', 'm1 m2', 14), ('payments', '{}', 'm3', 0),
    ('payments', '{"merchant":"m2"}', NULL, 7),
    ('payments', '{"merchant":"m2"}', 'm1', 0),
    ('payments', '{"status":"EXECUTING"}', NULL, 2),
    ('payments', '{"status":"NOT_STARTED"}', 'm1', 6),
    ('payments', '{"psp":"adyen"}', NULL, 0),
    ('payments', '{"currency":"USD","min":"10","max":"10.00"}', NULL, 14),
    ('payments', '{"currency":"USD","min":"10.01"}', NULL, 0),
    ('payments', '{"min":"10.001"}', NULL, 0),
    ('payments', '{"from":"0","to":"1"}', NULL, 0),
    ('letters', '{}', NULL, 8), ('letters', '{}', 'm1 m2', 7),
    ('letters', '{"state":"settled"}', NULL, 0),
    ('disputes', '{"state":"open"}', NULL, 8), ('disputes', '{}', 'm1', 5),
    ('inbox', '{}', NULL, 3), ('inbox', '{}', 'm1 m2', 0),
    ('wallets', '{}', NULL, 8), ('wallets', '{"seller":"s:3"}', 'm2', 2),
    ('jobs', '{"kind":"register"}', 'm2', 6)) v (p, q, m, n);
SELECT is((pg_temp.read('payment', 'auditor', q, m)).outcome, said,
          concat_ws(' ', q, m))
FROM (VALUES
    ('{"checkout":"c1"}'::jsonb, NULL, 'invalid'),
    ('{"checkout":"c1"}', 'm1', 'found'), ('{"order":"o1"}', 'm2', 'found'),
    ('{"checkout":"c1","merchant":"m2"}', NULL, 'found'),
    ('{"checkout":"c1","merchant":"m2"}', 'm1', 'not_found'),
    ('{"checkout":"c1"}', 'm3', 'not_found'), ('{}', NULL, 'invalid'),
    ('{"order":"nobody"}', NULL, 'not_found')) v (q, m, said);
SELECT is(jsonb_array_length(pg_temp.shown('find', 'viewer', q, m)
                             -> 'items'), n, concat_ws(' ', q, m))
FROM (VALUES
    ('{"q":"c1"}'::jsonb, NULL, 2), ('{"q":"c1"}', 'm2', 1),
    ('{"q":"o3","merchant":"m1"}', NULL, 1), ('{"q":"k2"}', 'm1 m2', 2),
    ('{"q":"tok_secret_m1"}', 'm1', 1), ('{"q":"tok_secret_m1"}', 'm2', 0),
    ('{"q":"10.00"}', NULL, 14), ('{"q":"10 USD"}', 'm1', 7),
    ('{"q":"10 EUR"}', NULL, 0), ('{"q":"request-1"}', NULL, 0)) v (q, m, n);

-- pages of any size join to the same list
SELECT is(string_agg(r::text, ' ' ORDER BY o), (
        SELECT string_agg(w::text, ' ' ORDER BY n)
        FROM pg_temp.rows(p) WITH ORDINALITY x (w, n)), p || ' by ' || size)
FROM unnest('{payments,letters,disputes,jobs,inbox,wallets}'::text[]) p,
    unnest('{1,4}'::int[]) size,
    pg_temp.rows(p, jsonb_build_object('limit', size::text))
        WITH ORDINALITY x (r, o)
GROUP BY p, size;
SELECT is((SELECT count(DISTINCT (r ->> 'merchant_id', r ->> 'checkout_id'))
           FROM pg_temp.rows('payments', '{"limit":"1"}') r), 14::bigint,
          'also of one moment and one name');

-- tiles
SELECT is((t ->> 'count')::bigint, (
        SELECT count(*) FROM pg_temp.rows(t #>> '{link,page}',
                                          t #> '{link,query}', m)),
          concat_ws(' ', t ->> 'id', m))
FROM (VALUES (NULL), ('m1')) v (m)
CROSS JOIN LATERAL jsonb_array_elements(
    pg_temp.shown('now', 'auditor', '{}', m) -> 'tiles') t;
SELECT is((t ->> 'count')::bigint, (
        SELECT count(*) FROM pg_temp.rows(t #>> '{link,page}',
                                          t #> '{link,query}')),
          concat_ws(' ', t ->> 'id', 'of one merchant'))
FROM jsonb_array_elements(
    pg_temp.shown('now', 'auditor', '{"merchant":"m1"}') -> 'tiles') t
WHERE t ->> 'id' <> 'quarantine';
SELECT is(t -> 'amounts', '[{"amount": "500", "currency": "JPY"},
    {"amount": "28.00", "currency": "USD"}]', 'currencies are not added')
FROM jsonb_array_elements(pg_temp.shown('now') -> 'tiles') t
WHERE t ->> 'id' = 'disputes';
SELECT is((SELECT array_agg(t #>> '{link,page}') FROM jsonb_array_elements(
               pg_temp.shown('now', 'risk') -> 'tiles') t),
          '{disputes,risk,risk}', 'tiles of pages that the role may see');
-- of the second of this transaction nothing counts yet
UPDATE pay.checkout SET created_at = now() - interval '1 hour';
SELECT is(s ->> 'count', n, concat_ws(' ', s ->> 'status', m))
FROM (VALUES (NULL, 'EXECUTING', '2'), (NULL, 'NOT_STARTED', '12'),
    ('m1', 'NOT_STARTED', '6'), ('m3', 'EXECUTING', '0')) v (m, status, n)
CROSS JOIN LATERAL jsonb_array_elements(
    pg_temp.shown('now', 'viewer', '{}', m) -> 'statuses') s
WHERE s ->> 'status' = v.status;

-- masking
SELECT is(pg_temp.shown('payment', r, '{"checkout":"c1","personal":"1"}',
                        'm1')::text LIKE '%ann@example.com%',
          r IN ('support', 'risk', 'auditor'), r || ' sees the buyer')
FROM pay.console_role x (r);
SELECT is((pg_temp.read('payment', r, q, 'm1')).personal, n, r || q)
FROM (VALUES ('auditor', '{"checkout":"c1"}'::jsonb, 0::bigint),
    ('auditor', '{"checkout":"c1","personal":"1"}', 1),
    ('viewer', '{"checkout":"c1","personal":"1"}', 0),
    ('viewer risk', '{"checkout":"c1","personal":"1"}', 1)) v (r, q, n);
SELECT is(pg_temp.shown('payment', 'support', '{"checkout":"c1"}', 'm1')
          -> 'buyer', '{"email": "***", "more": {"city": "***", "age": "***",
    "none": null}, "list": ["***"], "empty": ""}', 'names of members stay');
SELECT is(pg_temp.shown('payment', 'support', '{"checkout":"c2"}', 'm1')
          -> 'buyer', 'null', 'nothing is known');
SELECT is(pg_temp.shown('payment', r, '{"checkout":"c1"}', 'm1')::text
          LIKE '%tok_secret_m1%', r NOT IN ('viewer', 'admin'),
          r || ' sees the token')
FROM pay.console_role x (r);
SELECT is(pg_temp.shown('inbox', r)::text LIKE '%tok_nobody_1%',
          r <> 'viewer', r || ' sees the token of a parked event')
FROM unnest('{viewer,operations}'::text[]) r;
SELECT is(pg_temp.shown('inbox', 'viewer', '{"limit":"1"}') ->> 'next'
          LIKE '%evt%', false, 'nor has the next page its id');
CREATE FUNCTION pg_temp.source(p_source text, p_sees boolean) RETURNS text
LANGUAGE sql SET search_path = pay, pg_temp AS
'SELECT console_source(p_source, p_sees)';
SELECT is(pg_temp.source(s, false), said, 'masked')
FROM (VALUES ('event/stripe/re_1234567', 'event/stripe/…4567'),
    ('dispute/stripe/dp_1234567 2', 'dispute/stripe/…67 2'),
    ('settlement/s/1/txn_1234567', 'settlement/s/1/…4567'),
    ('order/o-1234567', 'order/o-1234567'), (NULL, NULL)) v (s, said);
SELECT is(pg_temp.source('event/stripe/re_1234567', true),
          'event/stripe/re_1234567', 'seen');
SELECT is(pay.console_token(t, false), said, 'masked')
FROM (VALUES ('tok_1234567', '…4567'), ('12345678', '…'), (NULL, NULL))
    v (t, said);

SELECT * FROM finish();
ROLLBACK;
