-- The waterfall of a settlement file and its rows, and the parts of plots that
-- need no payments: quantiles, steps, zones, levels.

BEGIN;
\ir helpers.psql
SET search_path = tap, pay, pg_temp;
SELECT no_plan();

CREATE FUNCTION pg_temp.read(
    p_page text, p_query jsonb DEFAULT '{}', p_merchants jsonb DEFAULT NULL)
RETURNS jsonb LANGUAGE sql AS $$
SELECT CASE WHEN r.outcome = 'found' THEN r.page::jsonb
            ELSE jsonb_build_object('outcome', r.outcome) END
FROM pay_console.read_page(ARRAY[p_page], '{ann}', '{"[\"finance\"]"}',
    ARRAY[p_merchants], ARRAY[p_query]) r
$$;

SELECT is(pg_temp.read('waterfall'), '{"file": null, "currencies": []}',
          'there is no file yet');

INSERT INTO pay.settlement_source (source, format, medium, merchant_id, psp)
VALUES ('s', 'stripe', 'psp', 'm1', 'stripe');
INSERT INTO pay.settlement_file (source, sha256, name, state)
VALUES ('s', sha256('a'), 'may.csv', 'booked'),
    ('s', sha256('b'), 'june.csv', 'staged')
\g /dev/null
INSERT INTO pay.settlement_row (source, row_key, file_id, line, kind,
    gross_minor, fee_minor, tax_minor, net_minor, currency, is_external,
    is_detail, merchant_id, class, finding)
SELECT 's', l.line::text, f.file_id, l.line, l.kind, l.gross, l.fee, 0,
    l.gross + l.fee, l.currency, l.line = 10, l.line = 11, 'm1', 0, 'matched'
FROM pay.settlement_file f, (VALUES
    (1, 'sale', 10000, -300, 'EUR'), (2, 'sale', 5000, -150, 'EUR'),
    (3, 'refund', -2000, 0, 'EUR'), (4, 'dispute', -1000, -1500, 'EUR'),
    (5, 'fee', -70, 0, 'EUR'), (6, 'adjustment', 15, 0, 'EUR'),
    (7, 'payout', -9995, 0, 'EUR'), (8, 'sale', 1201, -1, 'JPY'),
    (9, 'sale', 1234567, -5, 'KWD'), (10, 'sale', 7, 0, 'EUR'),
    (11, 'fee', 9, 0, 'EUR')) AS l (line, kind, gross, fee, currency)
WHERE f.name = 'may.csv';

CREATE FUNCTION pg_temp.steps(p_currency text) RETURNS TABLE (step jsonb)
LANGUAGE sql AS $$
SELECT jsonb_array_elements(c -> 'steps')
FROM jsonb_array_elements(pg_temp.read('waterfall') -> 'currencies') c
WHERE c ->> 'currency' = p_currency
$$;
SELECT is((SELECT string_agg(concat_ws(' ', step ->> 'part',
                                       step ->> 'amount', step ->> 'rows'),
                             ', ') FROM pg_temp.steps('EUR')),
    'gross 150.00 2, fees -20.20 4, refunds -20.00 1, disputes -10.00 1, '
    'other 0.15 1, net 99.95 6, paid -99.95 1',
    'gross becomes net; rows of other balances and details do not count');
SELECT is((SELECT step ->> 'amount' FROM pg_temp.steps('JPY')
           WHERE step ->> 'part' = 'net'), '1200', 'JPY has no decimals');
SELECT is((SELECT step ->> 'amount' FROM pg_temp.steps('KWD')
           WHERE step ->> 'part' = 'net'), '1234.562', 'KWD has three');
SELECT is(pg_temp.read('waterfall') -> 'file' ->> 'name', 'may.csv',
          'the newest file that is booked');

-- a row of another merchant, whose payment the account had
INSERT INTO pay.settlement_row (source, row_key, file_id, line, kind,
    gross_minor, fee_minor, tax_minor, net_minor, currency, is_external,
    is_detail, merchant_id, class, finding)
SELECT 's', '12', f.file_id, 12, 'sale', 500, -5, 0, 495, 'EUR', false, false,
    'm2', 0, 'matched'
FROM pay.settlement_file f WHERE f.name = 'may.csv';
SELECT is(concat_ws(' ', s ->> 'amount', s ->> 'rows', (
        SELECT count(*) FROM jsonb_array_elements(pg_temp.read('lines',
            s -> 'link' -> 'query', m) -> 'items'))), said, m::text)
FROM (VALUES ('["m1"]'::jsonb, '150.00 2 2'), (NULL, '155.00 3 3'))
    v (m, said)
CROSS JOIN LATERAL jsonb_array_elements(
    pg_temp.read('waterfall', '{}', m) -> 'currencies') c
CROSS JOIN LATERAL jsonb_array_elements(c -> 'steps') s
WHERE c ->> 'currency' = 'EUR' AND s ->> 'part' = 'gross';

-- each part is the sum of the rows that it links to
SELECT is(concat_ws(' ', count(r), coalesce(sum(CASE s.step ->> 'part'
        WHEN 'fees' THEN (r ->> 'fee')::numeric
            + CASE r ->> 'part' WHEN 'fees' THEN (r ->> 'gross')::numeric
              ELSE 0 END
        WHEN 'net' THEN (r ->> 'net')::numeric
        WHEN 'paid' THEN (r ->> 'net')::numeric
        ELSE (r ->> 'gross')::numeric END), 0)),
    concat_ws(' ', s.step ->> 'rows', s.step ->> 'amount'),
    (s.step ->> 'part') || ' is the sum of its rows')
FROM pg_temp.steps('EUR') s
LEFT JOIN LATERAL jsonb_array_elements(pg_temp.read('lines',
    s.step -> 'link' -> 'query') -> 'items') r ON true
GROUP BY s.step;
SELECT is(pg_temp.read('waterfall', jsonb_build_object('file', f.file_id),
                       '["m2"]') ->> 'outcome', 'not_found',
          'nobody sees another merchant''s file')
FROM pay.settlement_file f WHERE f.name = 'may.csv';
SELECT is(pg_temp.read('lines', jsonb_build_object('file', f.file_id),
                       '["m2"]') -> 'items', '[]', 'nor its rows')
FROM pay.settlement_file f WHERE f.name = 'may.csv';

-- quantiles come from classes, also where two histograms were added up
SELECT is(pay.quantile_of(counts, share), ms::numeric, share || ' of ' || counts)
FROM (VALUES
    ('{"3": 4}'::jsonb, 0.5, 75), ('{"0": 10}', 0.5, 5),
    ('{"3": 1, "19": 99}', 0.99, 30000), ('{}', 0.5, NULL),
    ('{"4": 50, "12": 50}', 0.5, 150), ('{"4": 50, "12": 50}', 0.95, 1950))
    AS t (counts, share, ms);
SELECT is(pay.sum_counts(ARRAY['{"a": 1, "b": 2}', '{"a": 3}', '{}']::jsonb[]),
          '{"a": 4, "b": 2}', 'counts are added up by key');
SELECT is(pay.rollup_class(ms), class, ms || ' ms')
FROM (VALUES (0, '0'), (9, '0'), (10, '1'), (29999, '18'), (30000, '19'),
      (99999999, '19')) AS t (ms, class);

SELECT is(pay.is_zone(zone), fits, zone)
FROM (VALUES ('UTC', true), ('Europe/Berlin', true), ('Etc/GMT+5', true),
      ('America/Argentina/Ushuaia', true), ('FOO5', false),
      ('posix/UTC', false), ('Nowhere/There', false), ('CET', false),
      (';', false)) AS t (zone, fits);
SELECT is(pay.level_for(step, pay.steps_between(step, zone, since,
              since + interval '3 days')), level, step || ' ' || zone)
FROM (VALUES ('minute', 'UTC', 'minute'), ('hour', 'UTC', 'hour'),
      ('day', 'UTC', 'day'), ('day', 'Europe/Berlin', 'hour'),
      ('hour', 'Europe/Berlin', 'hour'), ('day', 'Asia/Kolkata', 'quarter'),
      ('hour', 'Asia/Kathmandu', 'quarter')) AS t (step, zone, level),
    (SELECT '2026-10-24T12:34:56Z'::timestamptz AS since) s;

SELECT is(string_agg(to_char(s AT TIME ZONE 'America/Havana', 'DD HH24'), ', '
                     ORDER BY s), '08 00, 09 01, 10 00, 11 00',
    'a day that begins at one o''clock')
FROM unnest(pay.steps_between('day', 'America/Havana', '2025-03-08T12:00:00Z',
                              '2025-03-10T12:00:00Z')) s;

-- a declined attempt without a word of the PSP is one, too
SELECT is(concat_ws(' ', pay.declined_attempts(o), pay.approved_attempts(o),
                    pay.decline_code(o), pay.outcome_of(o.status, o.reason)),
          seen, about)
FROM (VALUES
    ('FAILED', 'declined', NULL::jsonb, '1 0 unknown failed', 'no word'),
    ('FAILED', 'expired', NULL, '0 0 expired', 'expired'),
    ('FAILED', 'risk', NULL, '0 0 failed', 'blocked here'),
    ('SUCCESS', NULL, '{"code": "lost_card", "attempts": 2}',
     '2 1 lost_card success', 'paid at the third attempt'),
    ('EXECUTING', NULL, '{"code": "lost_card", "attempts": 1}',
     '1 0 lost_card open', 'still open')) AS t (status, reason, decline, seen,
                                                about)
CROSS JOIN LATERAL jsonb_populate_record(NULL::pay.payment_order,
    jsonb_build_object('merchant_id', 'm', 'payment_order_id', 'o',
        'checkout_id', 'c', 'position', 1, 'seller_account', 's',
        'amount_minor', 1, 'currency', 'EUR', 'status', t.status,
        'reason', t.reason, 'version', 1, 'decline', t.decline,
        'authorized_minor', 0, 'captured_minor', 0, 'refunding_minor', 0,
        'refunded_minor', 0, 'charged_back_minor', 0,
        'head', '\x' || repeat('00', 32), 'head_tx', 1)) o;

-- no invariants: the rows of the file were never matched
SELECT finish();
ROLLBACK;
