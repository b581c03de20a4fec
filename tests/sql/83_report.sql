-- Reports for finance: each figure is the sum of journal lines, currencies stay
-- apart, times are half open, and a day is a day of its zone.

BEGIN;
\ir helpers.psql
\ir changes.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.paid(p_id text, p_minor bigint, p_currency text)
RETURNS void LANGUAGE sql AS $$
SELECT pg_temp.begin('m1', 'k-' || p_id, p_id, ARRAY[p_id || ':' || p_minor],
                     p_currency => p_currency);
SELECT pg_temp.token('m1', p_id, 't-' || p_id);
SELECT pg_temp.fact('t-' || p_id, 'paid', p_amount => p_minor,
                    p_currency => p_currency, p_reference => 'pi-' || p_id)
$$;
SELECT pg_temp.paid('u1', 123456, 'USD'), pg_temp.paid('u2', 1000, 'USD'),
    pg_temp.paid('j1', 5000, 'JPY'), pg_temp.paid('k1', 12345, 'KWD'),
    pg_temp.paid('k2', 1, 'KWD') \g /dev/null
SELECT pg_temp.begin('m1', 'k-e', 'e1', '{e1:700}'),
    pg_temp.begin('m1', 'k-o', 'o1', '{o1:800}'),
    pg_temp.begin('m2', 'k-o', 'o2', '{o2:900}') \g /dev/null
SELECT pg_temp.token('m1', 'e1', 't-e1') \g /dev/null
SELECT pg_temp.fact('t-e1', 'expired') \g /dev/null
SELECT is(pg_temp.whole('u1', 'u1', 'refund', 'r1', 50, 'PENDING', 're-1'),
          'EXECUTING re-1', 'a refund of ours is on its way');
SELECT is(pg_temp.news(about, news, object, minor, token,
                       p_currency => currency, p_fee => fee),
          'applied', concat_ws(' ', about, news, object))
FROM (VALUES (1, 'refund', 'succeeded', 're-1', 50, 't-u1', 'USD', NULL),
             (2, 'refund', 'succeeded', 're-2', 2345, 't-k1', 'KWD', NULL),
             (3, 'refund', 'succeeded', 're-3', 700, 't-j1', 'JPY', NULL),
             (4, 'refund', 'failed', 're-3', 700, 't-j1', 'JPY', NULL),
             (5, 'dispute', 'opened', 'dp-1', 1000, 't-u2', 'USD', NULL),
             (6, 'dispute', 'lost', 'dp-1', 1000, 't-u2', 'USD', 1500))
    v (n, about, news, object, minor, token, currency, fee) ORDER BY n;

-- all of today
CREATE FUNCTION pg_temp.day(p_currency text, p_merchant text DEFAULT 'm1')
RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', r.orders, r.paid, r.failed, r.expired, r.open,
        r.success_rate, r.volume, r.refunds, r.disputes, r.fees, r.net), ' / ')
FROM pay_view.report_days(now() - interval '1 day', now() + interval '1 day',
                          'UTC', p_merchant) r
WHERE r.currency = p_currency
$$;
SELECT is(pg_temp.day('USD'),
    '4 2 1 1 1 0.6667 1244.56 0.50 10.00 0.00 1234.06', 'dollars');
SELECT is(pg_temp.day('JPY'), '1 1 0 0 0 1.0000 5000 0 0 0 5000',
    'yen have no decimals, and the refund has come back');
SELECT is(pg_temp.day('KWD'), '2 2 0 0 0 1.0000 12.346 2.345 0.000 0.000 10.001',
    'dinars have three');
SELECT is(pg_temp.day('EUR'), '0 0 0 0 0 0.00 0.00 0.00 15.00 -15.00',
    'a fee in a currency without an order has a row of its own');
SELECT is(pg_temp.day('USD', 'm2'), '1 0 0 0 1 0.00 0.00 0.00 0.00 0.00',
    'another merchant, without a rate');
SELECT is(pg_temp.day('USD', NULL), pg_temp.day('USD') || ' / '
    || pg_temp.day('USD', 'm2'), 'each merchant has rows of its own');

-- each figure is that of the ledger
CREATE FUNCTION pg_temp.booked(p_account text, p_kinds text[], p_currency text)
RETURNS numeric LANGUAGE sql AS $$
SELECT coalesce(sum(coalesce(l.debit, 0) - coalesce(l.credit, 0)), 0)
FROM pay_view.ledger l
WHERE l.account = p_account AND l.kind = ANY (p_kinds)
    AND l.currency = p_currency
$$;
SELECT is(concat_ws(' ', r.volume, r.refunds, r.disputes, r.fees),
    concat_ws(' ',
        round(pg_temp.booked('psp_clearing', '{sale}', r.currency),
              k.exponent),
        round(-pg_temp.booked('refunds',
            '{refund,refund_external,refund_returned}', r.currency),
              k.exponent),
        round(-pg_temp.booked('chargebacks', '{dispute_lost}', r.currency),
              k.exponent),
        round(pg_temp.booked('psp_fees', '{psp_fee}', r.currency),
              k.exponent)), r.currency || ': as the ledger has it')
FROM pay_view.report_psps(now() - interval '1 day', now() + interval '1 day') r
JOIN pay.currency k ON k.code = r.currency
WHERE r.merchant_id = 'm1';
SELECT is(array_agg(r.net ORDER BY r.currency),
    array_agg(r2.volume - r2.refunds - r2.disputes - r2.fees
              ORDER BY r.currency), 'days and PSPs agree')
FROM pay_view.report_days('-infinity', 'infinity', 'UTC', 'm1') r
JOIN pay_view.report_psps('-infinity', 'infinity', 'm1') r2 USING (currency);
SELECT is(s.net, w.available + w.reserved,
    s.currency || ': all changes of a debt are the debt')
FROM pay_view.report_sellers('-infinity', 'infinity', 'm1') s
JOIN pay_view.wallets w ON w.merchant_id = s.merchant_id
    AND w.seller_account = s.seller_account AND w.currency = s.currency;
-- opening and closing balances
SELECT is(s.closing, w.available + w.reserved,
    s.currency || ': the closing debt is that of the wallet')
FROM pay_view.report_sellers(now() + interval '1 hour', 'infinity', 'm1') s
JOIN pay_view.wallets w ON w.merchant_id = s.merchant_id
    AND w.seller_account = s.seller_account AND w.currency = s.currency;
SELECT is(string_agg(concat_ws(' ', s.currency, s.opening, s.net, s.closing),
                     ', ' ORDER BY s.currency),
    (SELECT string_agg(concat_ws(' ', a.currency, a.closing, round(0, k.exponent),
                                 a.closing), ', ' ORDER BY a.currency)
     FROM pay_view.report_sellers('-infinity', 'infinity', 'm1') a
     JOIN pay.currency k ON k.code = a.currency WHERE a.closing <> 0),
    'without a move the debt stays, and is shown')
FROM pay_view.report_sellers(now() + interval '1 hour', 'infinity', 'm1') s;
SELECT is(r.closing, (
    SELECT coalesce(round(sum(l.amount_minor) / 10::numeric ^ k.exponent,
                          k.exponent), round(0, k.exponent))
    FROM pay.journal_line l
    WHERE l.merchant_id = 'm1' AND l.account = 'psp_clearing'
        AND l.currency = r.currency),
    r.currency || ': the closing balance is the ledger''s')
FROM pay_view.report_days('-infinity', 'infinity', 'UTC', 'm1') r
JOIN pay.currency k ON k.code = r.currency;
SELECT is(concat_ws(' ', s.sales, s.refunds, s.disputes, s.fees, s.payouts,
                    s.other, s.net), '12.346 2.345 0.000 0.000 0.000 0.000 10.001',
    'a seller''s dinars')
FROM pay_view.report_sellers('-infinity', 'infinity', 'm1') s
WHERE s.currency = 'KWD';
SELECT is(string_agg(concat_ws(' ', f.currency, f.volume, f.fees, f.percent),
                     ', ' ORDER BY f.currency),
    'EUR 0.00 15.00, JPY 5000 0 0.00, KWD 12.346 0.000 0.00, '
    'USD 1244.56 0.00 0.00', 'fees')
FROM pay_view.report_fees('-infinity', 'infinity', 'm1') f;

-- half open, and by the days of a zone: of 23 hours when summer begins
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE pay.journal_entry DISABLE TRIGGER ALL;
SET LOCAL session_replication_role = replica;
UPDATE pay.checkout SET created_at = c.at
FROM (VALUES ('u1', '2026-03-28 23:00:00+00'::timestamptz),
             ('u2', '2026-03-29 21:59:59.999999+00'),
             ('o1', '2026-03-29 22:00:00+00'),
             ('e1', '2026-03-28 22:59:59.999999+00')) c (id, at)
WHERE checkout_id = c.id;
UPDATE pay.journal_entry SET at = c.at
FROM (VALUES ('u1', '2026-03-28 23:00:00+00'::timestamptz),
             ('u2', '2026-03-29 21:59:59.999999+00')) c (id, at)
WHERE checkout_id = c.id AND kind = 'sale';
SET LOCAL session_replication_role = origin;
SELECT is(string_agg(concat_ws(' ', r.day, r.orders, r.volume), ', '
                     ORDER BY r.day), expected, zone)
FROM (VALUES ('Europe/Berlin', '2026-03-29 2 1244.56'),
             ('UTC', '2026-03-29 2 10.00'),
             ('America/New_York', '2026-03-29 2 10.00'),
             ('Asia/Tokyo', '2026-03-29 2 1234.56'))
    v (zone, expected)
CROSS JOIN LATERAL pay_view.report_days(
    pay_view.report_time('2026-03-29', zone),
    pay_view.report_time('2026-03-30', zone), zone, 'm1') r
WHERE r.currency = 'USD'
GROUP BY zone, expected;
SELECT is(pay_view.report_time(text, 'Europe/Berlin'), at::timestamptz, text)
FROM (VALUES ('2026-03-29', '2026-03-28 23:00:00+00'),
             ('2026-03-29T06:00', '2026-03-29 04:00:00+00'),
             ('2026-03-29T06:00Z', '2026-03-29 06:00:00+00'),
             ('2026-03-29 06:00:00.5-05:30', '2026-03-29 11:30:00.5+00'))
    v (text, at);
SELECT is((SELECT count(*) FROM pay_view.report_days(
    '2026-03-30', '2026-03-29', 'UTC')), 0::bigint, 'nothing backwards');
SELECT is(pg_temp.run_as('payments_auditor',
    'SELECT * FROM pay_view.report_fees(now(), now())'), 'ok', 'auditors');
SELECT is(pg_temp.run_as('payments_gateway',
    'SELECT * FROM pay_view.report_fees(now(), now())'), '42501', 'no gateway');

SELECT * FROM finish();
ROLLBACK;
