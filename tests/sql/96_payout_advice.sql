-- Remittance advice: opening and movements less the paid money are the closing,
-- the lines are those of the ledger, and an advice that somebody has changed is
-- not shown.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir payout.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.refund(
    p_checkout text, p_order text, p_name text, p_amount bigint)
RETURNS text LANGUAGE sql AS $$
SELECT pg_temp.whole(p_checkout, p_order, 'refund', p_name, p_amount,
                     'DONE', 're-' || p_name)
$$;
-- of the newest item: all members that are not zero
CREATE FUNCTION pg_temp.sums() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(s.name || ' ' || s.minor, ', ' ORDER BY s.n)
FROM pay.payout_advice a
CROSS JOIN LATERAL unnest(
    '{opening,sales,refunds,disputes,fees,reserve,payouts,adjustments,paid,
      closing}'::text[], ARRAY[a.opening_minor, a.sales_minor,
    a.refunds_minor, a.disputes_minor, a.fees_minor, a.reserve_minor,
    a.payouts_minor, a.adjustments_minor, a.paid_minor, a.closing_minor])
    WITH ORDINALITY AS s (name, minor, n)
WHERE a.payout_id = pg_temp.item() AND s.minor <> 0
$$;
CREATE FUNCTION pg_temp.advice(
    p_id text DEFAULT NULL, p_before bigint DEFAULT NULL,
    p_limit bigint DEFAULT 100, p_merchant text DEFAULT 'm1')
RETURNS pay_api.page_row LANGUAGE sql AS $$
SELECT r FROM pay_api.get_payout_advice(ARRAY[p_merchant],
    ARRAY[coalesce(p_id, pg_temp.item())], ARRAY[p_before], ARRAY[p_limit]) r
$$;
CREATE FUNCTION pg_temp.lines(p_page text) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', l ->> 'payment_order_id', l ->> 'kind',
    l ->> 'amount', CASE WHEN (l ->> 'new')::boolean THEN 'new' END,
    CASE WHEN (l ->> 'paid')::boolean THEN 'paid' END), ', ' ORDER BY n)
FROM json_array_elements(p_page::json -> 'lines') WITH ORDINALITY AS x (l, n)
$$;

SELECT is_empty($$
    SELECT r.kind FROM pay.posting_rule r
    LEFT JOIN pay.payout_advice_kind k ON k.kind = r.kind
    WHERE r.account = 'seller_available' AND k.kind IS NULL
$$, 'each kind that moves available money has its part of the advice');

SELECT pg_temp.provider(), pg_temp.account(p_who => 'sue'),
    pay_ops.set_fee_policy('m1', 'proportional', 0, 'ann', 'test'),
    pay_ops.set_commission('m1', NULL, NULL, 'USD', 10, NULL, NULL, NULL,
                           NULL, 'ann', 'test')
\g /dev/null

-- two sales with a fee, of which one is delivered, and a part goes back
SELECT pg_temp.sold('a1', '{a1:1000}'), pg_temp.sold('a2', '{a2:500}'),
    pg_temp.refund('a1', 'a1', 'part', 200)
\g /dev/null
SELECT pg_temp.release('a1')
\g /dev/null
SELECT is(pg_temp.pay(p_currency => 'USD'), 'made 720 USD', 'an item');
SELECT is(pg_temp.sums(), 'sales 1500, refunds -200, fees -130, paid 720, '
          'closing 450', 'sales, refunds and fees less the paid money');
SELECT is((pg_temp.advice()).outcome, 'found', 'the advice holds');
SELECT is(pg_temp.lines((pg_temp.advice()).page),
    'a1 platform_fee_returned 0.20 new paid, a1 refund_reserved -2.00 new '
    'paid, a2 platform_fee -0.50 new, a2 sale 5.00 new, a1 platform_fee '
    '-1.00 new paid, a1 sale 10.00 new paid', 'its lines');
SELECT is((SELECT concat_ws(' ', j ->> 'opening', j ->> 'sales',
               j ->> 'paid', j ->> 'closing', j ->> 'account', j ->> 'state',
               j ->> 'sha256' = a.detail ->> 'advice')
           FROM (SELECT (pg_temp.advice()).page::json AS j) p
           JOIN pay.payout_act a ON a.subject_id = pg_temp.item()
               AND a.act = 'made'),
          '0.00 15.00 7.20 4.50 DE…3000 ready t',
          'its digest is that of the act that made the item');

-- pages
SELECT is(concat_ws(', ', pg_temp.lines(p.page), (p.page::json ->> 'next')
              IS NOT NULL), 'a1 platform_fee_returned 0.20 new paid, '
          'a1 refund_reserved -2.00 new paid, t', 'a page of two lines')
FROM pg_temp.advice(p_limit => 2) p;
SELECT is(pg_temp.lines(q.page), 'a2 platform_fee -0.50 new, a2 sale 5.00 '
          'new, a1 platform_fee -1.00 new paid, a1 sale 10.00 new paid',
          'the next page')
FROM pg_temp.advice(p_limit => 2) p
CROSS JOIN LATERAL pg_temp.advice(
    p_before => (p.page::json ->> 'next')::bigint) q;
SELECT is((pg_temp.advice(p_limit => n)).outcome, 'invalid', n::text)
FROM unnest('{0,1001,-1,NULL,9223372036854775807}'::bigint[]) n;
SELECT is((pg_temp.advice('none')).outcome, 'not_found', 'no such item');
SELECT is((pg_temp.advice(p_merchant => 'm2')).outcome, 'not_found',
          'another merchant reads nothing');

-- an older line is paid by the next item
SELECT pg_temp.release('a2')
\g /dev/null
SELECT is(pg_temp.pay(p_currency => 'USD'), 'made 450 USD', 'the next item');
SELECT is(pg_temp.sums(), 'opening 450, paid 450',
          'opens with the closing of the one before');
SELECT is(pg_temp.lines((pg_temp.advice()).page), 'a2 platform_fee -0.50 paid,'
          ' a2 sale 5.00 paid', 'and pays lines that are not new');

-- a refund of what was paid out is netted
SELECT pg_temp.refund('a1', 'a1', 'more', 300),
    pg_temp.sold('a3', '{a3:1000}')
\g /dev/null
SELECT pg_temp.release('a3')
\g /dev/null
SELECT is((SELECT w.available_minor FROM pay.wallet w), 630::bigint,
          'a seller owes 270 of an order that is paid out');
SELECT is(pg_temp.pay(p_currency => 'USD'), 'made 630 USD', 'which are netted');
SELECT is(pg_temp.sums(), 'sales 1000, refunds -300, fees -70, paid 630',
          'as a refund and its fee');

-- a dispute, and money that an item has given back
SELECT pay_ops.cancel_payout('m1', pg_temp.item(), 'ann', 'odd'),
    pg_temp.sold('a4', '{a4:800}'),
    pg_temp.news('dispute', 'opened', 'dp-1', 800, 't-a4', 'pi-a4')
\g /dev/null
SELECT is(pg_temp.pay(p_currency => 'USD'), 'made 550 USD',
          'the same money, less the fee of a sale that is disputed');
SELECT is((pg_temp.advice()).outcome, 'found', 'and the advice holds');
SELECT is(pg_temp.sums(), 'sales 800, disputes -800, fees -80, payouts 630, '
          'paid 550', 'the item before has given its money back');
SELECT is((pg_temp.advice(p.payout_id)).page::json ->> 'state', 'cancelled',
          'the advice of that one says so')
FROM pay.payout p WHERE p.state = 'cancelled';

-- the rolling reserve
SELECT pg_temp.news('dispute', 'won', 'dp-1', 800, 't-a4', 'pi-a4'),
    pg_temp.policy('delivered', p_percent => 10),
    pg_temp.sold('a5', '{a5:1000}')
\g /dev/null
SELECT pg_temp.release('a4', 'a5')
\g /dev/null
SELECT pg_temp.pay(p_currency => 'USD')
\g /dev/null
SELECT is((SELECT concat_ws(' ', a.sales_minor, a.disputes_minor,
               a.fees_minor, a.reserve_minor)
           FROM pay.payout_advice a WHERE a.payout_id = pg_temp.item()),
          '1000 800 -100 -100', 'a won dispute, and the reserve of a sale');

-- every advice adds up, by another way than the CHECK, and each line is new in
-- one advice
SELECT is_empty($$
    SELECT a.payout_id FROM pay.payout_advice a
    WHERE a.closing_minor <> (
            SELECT -sum(l.amount_minor) FROM pay.journal_line l
            WHERE l.account = 'seller_available' AND l.owner = 'seller-1'
                AND l.currency = 'USD' AND l.wallet_seq <= a.until_seq)
$$, 'the closing is the balance of the wallet at that line');
SELECT is_empty($$
    SELECT p.payout_id FROM pay.payout p
    CROSS JOIN LATERAL pg_temp.advice(p.payout_id) r
    WHERE (SELECT sum((l ->> 'amount')::numeric)
           FROM json_array_elements(r.page::json -> 'lines') l
           WHERE (l ->> 'paid')::boolean) * 100
        IS DISTINCT FROM p.amount_minor
        OR (SELECT coalesce(sum((l ->> 'amount')::numeric)
                FILTER (WHERE (l ->> 'new')::boolean), 0)
            FROM json_array_elements(r.page::json -> 'lines') l)
        IS DISTINCT FROM (r.page::json ->> 'closing')::numeric
            + (r.page::json ->> 'paid')::numeric
            - (r.page::json ->> 'opening')::numeric
$$, 'paid lines are the paid money, and new ones the movements');

-- one that was changed
SELECT throws_ok(sql, state, NULL, sql) FROM (VALUES
    ('UPDATE pay.payout_advice SET sales_minor = 1', 'PAY20'),
    ('DELETE FROM pay.payout_advice', 'PAY20'),
    ('INSERT INTO pay.payout_advice SELECT (jsonb_populate_record(a, '
     'jsonb_build_object(''payout_id'', ''x'', ''until_seq'', 999, '
     '''paid_minor'', a.paid_minor + 1))).* FROM pay.payout_advice a LIMIT 1',
     '23514')) s (sql, state);
CREATE FUNCTION pg_temp.after(p_sql text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_is text;
BEGIN
    SET LOCAL session_replication_role = origin;
    ALTER TABLE pay.payout_advice DISABLE TRIGGER USER;
    ALTER TABLE pay.payout_act DISABLE TRIGGER USER;
    ALTER TABLE pay.journal_line DISABLE TRIGGER USER;
    ALTER TABLE pay.payout_part DISABLE TRIGGER USER;
    EXECUTE p_sql;
    RAISE EXCEPTION '%', (pg_temp.advice()).outcome USING ERRCODE = 'TTT01';
EXCEPTION WHEN SQLSTATE 'TTT01' THEN
    RETURN SQLERRM;
END
$$;
SET CONSTRAINTS ALL IMMEDIATE;
SELECT is(pg_temp.after(sql), 'contradiction', sql) FROM (VALUES
    ('UPDATE pay.payout_advice SET sha256 = sha256(''x'')'),
    ('UPDATE pay.payout_advice SET sales_minor = sales_minor + 1, '
     'refunds_minor = refunds_minor - 1'),
    ('UPDATE pay.payout_act SET detail = detail || ''{"advice": "x"}'''),
    ('UPDATE pay.payout_act SET detail = detail - ''advice'''),
    ('DELETE FROM pay.payout_act WHERE act = ''made'''),
    ('UPDATE pay.journal_line SET amount_minor = amount_minor - 1 WHERE '
     'kind = ''sale'''),
    ('DELETE FROM pay.payout_part WHERE wallet_seq IN (SELECT min(wallet_seq)'
     ' FROM pay.payout_part GROUP BY payout_id)')) s (sql);
SELECT is(pg_temp.after('SELECT 1'), 'found', 'else it holds');

SELECT is((SELECT concat_ws(' ', v.merchant_id, v.outcome,
               v.advice = (pg_temp.advice(p_limit => 1000)).page)
           FROM pay_view.payout_advice(pg_temp.item()) v), 'm1 found t',
          'operators see the same');
SELECT is(pg_temp.run_as('payments_auditor',
    'SELECT FROM pay_view.payout_advice(''x'')'), 'ok', 'auditors, too');
SELECT is(pg_temp.run_as('payments_gateway', 'SELECT FROM pay.payout_advice'),
          '42501', 'the gateway reads no table');

\i :checks

SELECT finish();
ROLLBACK;
