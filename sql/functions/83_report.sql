-- Reports for finance over a half-open time [from, to): payctl report, and
-- pay_view.report_… for other readers.  Orders count where they were created,
-- money counts where it was booked, and each amount is a sum of journal lines.
-- Amounts of different currencies are never added: each row has one.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- A time without an offset is one of the zone: 2026-11-01 begins there.
CREATE OR REPLACE FUNCTION pay_view.report_time(p_text text, p_zone text)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
SELECT CASE WHEN p_text ~ '[0-9]:[0-9]{2}.*(Z|[+-][0-9]{2}(:?[0-9]{2})?)$'
            THEN p_text::timestamptz
            ELSE p_text::timestamp AT TIME ZONE p_zone END
$$;
COMMENT ON FUNCTION pay_view.report_time IS
    'A time that an operator has written, in a zone unless it has an offset';


-- Settlement files close contra accounts against psp_clearing: their kinds
-- repeat money that was counted when it moved.  A payment that came late and
-- went back was never a sale.
CREATE OR REPLACE FUNCTION pay.report_lines(
    p_from timestamptz, p_to timestamptz, p_merchant_id text)
RETURNS TABLE (merchant_id text, at timestamptz, psp text, currency text,
    volume numeric, refunds numeric, disputes numeric, fees numeric,
    vat numeric, earned numeric, earned_tax numeric)
LANGUAGE sql STABLE AS $$
SELECT l.merchant_id, l.at, l.psp, l.currency,
    CASE WHEN l.account = 'psp_clearing' AND l.kind = 'sale'
              OR l.account = 'suspense' AND l.kind = 'late_accepted'
         THEN l.amount ELSE 0 END,
    CASE WHEN l.account = 'refunds' AND NOT starts_with(l.kind, 'settled_')
              AND NOT starts_with(l.kind, 'late_')
         THEN -l.amount ELSE 0 END,
    CASE WHEN l.account = 'chargebacks' AND NOT starts_with(l.kind, 'settled_')
              AND l.kind <> 'psp_dispute_lost'
         THEN -l.amount ELSE 0 END,
    CASE WHEN l.account = 'psp_fees' THEN l.amount ELSE 0 END,
    CASE WHEN l.account = 'vat_input' THEN l.amount ELSE 0 END,
    CASE WHEN l.account = 'platform_fees' THEN -l.amount ELSE 0 END,
    CASE WHEN l.account = 'tax_on_fees' THEN -l.amount ELSE 0 END
FROM (
    SELECT e.merchant_id, e.at, e.psp, e.kind, l.account, l.currency,
        l.amount_minor / 10::numeric ^ k.exponent AS amount
    FROM journal_entry e
    JOIN journal_line l ON l.merchant_id = e.merchant_id
        AND l.source = e.source AND l.kind = e.kind
    JOIN currency k ON k.code = l.currency
    WHERE e.at >= p_from AND e.at < p_to
        AND e.merchant_id = coalesce(p_merchant_id, e.merchant_id)
        AND l.account IN ('psp_clearing', 'suspense', 'refunds', 'chargebacks',
                          'psp_fees', 'vat_input', 'platform_fees',
                          'tax_on_fees')) l
$$;
COMMENT ON FUNCTION pay.report_lines IS
    'Journal lines of a time, each amount under the figure that it belongs to';


CREATE OR REPLACE FUNCTION pay.report_sum(p_sum numeric, p_exponent int)
RETURNS numeric LANGUAGE sql IMMUTABLE AS
'SELECT round(coalesce(p_sum, 0), p_exponent)';
COMMENT ON FUNCTION pay.report_sum IS
    'A sum in the decimals of its currency; none is zero';


-- p_by: day or psp
CREATE OR REPLACE FUNCTION pay.report_by(
    p_by text, p_from timestamptz, p_to timestamptz, p_zone text,
    p_merchant_id text)
RETURNS TABLE (bucket text, merchant_id text, currency text, orders bigint,
    paid bigint, failed bigint, expired bigint, open bigint,
    success_rate numeric, volume numeric, refunds numeric, disputes numeric,
    fees numeric, net numeric)
LANGUAGE sql STABLE AS $$
WITH counted AS (
    SELECT CASE p_by WHEN 'psp' THEN c.psp
                ELSE (c.created_at AT TIME ZONE p_zone)::date::text
                END AS bucket,
        c.merchant_id::text AS merchant_id, c.currency::text AS currency,
        count(*) AS orders,
        count(*) FILTER (WHERE o.status = 'SUCCESS') AS paid,
        count(*) FILTER (WHERE o.status = 'FAILED') AS failed,
        count(*) FILTER (WHERE o.status = 'FAILED' AND o.reason = 'expired')
            AS expired
    FROM checkout c
    JOIN payment_order o ON o.checkout_id = c.checkout_id
        AND o.merchant_id = c.merchant_id
    WHERE c.created_at >= p_from AND c.created_at < p_to
        AND c.total_minor > 0
        AND c.merchant_id = coalesce(p_merchant_id, c.merchant_id)
    GROUP BY 1, 2, 3
), booked AS (
    SELECT CASE p_by WHEN 'psp' THEN l.psp
                ELSE (l.at AT TIME ZONE p_zone)::date::text END AS bucket,
        l.merchant_id, l.currency, sum(l.volume) AS volume,
        sum(l.refunds) AS refunds, sum(l.disputes) AS disputes,
        sum(l.fees) AS fees
    FROM report_lines(p_from, p_to, p_merchant_id) l
    GROUP BY 1, 2, 3
), both_of AS (
    SELECT bucket, merchant_id, currency, coalesce(c.orders, 0) AS orders,
        coalesce(c.paid, 0) AS paid, coalesce(c.failed, 0) AS failed,
        coalesce(c.expired, 0) AS expired, coalesce(b.volume, 0) AS volume,
        coalesce(b.refunds, 0) AS refunds, coalesce(b.disputes, 0) AS disputes,
        coalesce(b.fees, 0) AS fees
    FROM counted c FULL JOIN booked b USING (bucket, merchant_id, currency)
)
SELECT r.bucket, r.merchant_id, r.currency, r.orders, r.paid, r.failed,
    r.expired, r.orders - r.paid - r.failed,
    round(r.paid::numeric / nullif(r.paid + r.failed, 0), 4),
    round(r.volume, k.exponent), round(r.refunds, k.exponent),
    round(r.disputes, k.exponent), round(r.fees, k.exponent),
    round(r.volume - r.refunds - r.disputes - r.fees, k.exponent)
FROM both_of r
JOIN currency k ON k.code = r.currency
WHERE (r.orders, r.volume, r.refunds, r.disputes, r.fees) <> (0, 0, 0, 0, 0)
$$;
COMMENT ON FUNCTION pay.report_by IS
    'Orders and money of a time by day or by PSP, merchant and currency';


CREATE OR REPLACE FUNCTION pay_view.report_days(
    p_from timestamptz, p_to timestamptz, p_zone text DEFAULT 'UTC',
    p_merchant_id text DEFAULT NULL)
RETURNS TABLE (day date, merchant_id text, currency text, orders bigint,
    paid bigint, failed bigint, expired bigint, open bigint,
    success_rate numeric, volume numeric, refunds numeric, disputes numeric,
    fees numeric, net numeric, opening numeric, closing numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
WITH moved AS (
    SELECT e.merchant_id::text AS merchant_id, l.currency::text AS currency,
        CASE WHEN e.at >= p_from THEN (e.at AT TIME ZONE p_zone)::date
             END AS day, sum(l.amount_minor) AS minor
    FROM journal_entry e
    JOIN journal_line l ON l.merchant_id = e.merchant_id
        AND l.source = e.source AND l.kind = e.kind
    WHERE e.at < p_to AND l.account = 'psp_clearing'
        AND e.merchant_id = coalesce(p_merchant_id, e.merchant_id)
    GROUP BY 1, 2, 3
), days AS (
    SELECT day, merchant_id, currency, r.orders, r.paid, r.failed, r.expired,
        r.open, r.success_rate, r.volume, r.refunds, r.disputes, r.fees, r.net,
        coalesce(m.minor, 0) AS minor
    FROM (SELECT x.*, x.bucket::date AS day
          FROM report_by('day', p_from, p_to, p_zone, p_merchant_id) x) r
    FULL JOIN (SELECT x.* FROM moved x WHERE x.day IS NOT NULL) m
        USING (day, merchant_id, currency)
)
SELECT d.day, d.merchant_id, d.currency, coalesce(d.orders, 0),
    coalesce(d.paid, 0), coalesce(d.failed, 0), coalesce(d.expired, 0),
    coalesce(d.open, 0), d.success_rate, report_sum(d.volume, k.exponent),
    report_sum(d.refunds, k.exponent), report_sum(d.disputes, k.exponent),
    report_sum(d.fees, k.exponent), report_sum(d.net, k.exponent),
    report_sum((coalesce(b.minor, 0) + sum(d.minor) OVER w - d.minor)
               / 10::numeric ^ k.exponent, k.exponent),
    report_sum((coalesce(b.minor, 0) + sum(d.minor) OVER w)
               / 10::numeric ^ k.exponent, k.exponent)
FROM days d
JOIN currency k ON k.code = d.currency
LEFT JOIN moved b ON b.day IS NULL AND b.merchant_id = d.merchant_id
    AND b.currency = d.currency
WINDOW w AS (PARTITION BY d.merchant_id, d.currency ORDER BY d.day)
ORDER BY 1, 2, 3
$$;
COMMENT ON FUNCTION pay_view.report_days IS
    'Orders and money by day of a zone, merchant and currency; opening and '
    'closing: the money that PSPs hold by the ledger (psp_clearing)';


CREATE OR REPLACE FUNCTION pay_view.report_psps(
    p_from timestamptz, p_to timestamptz, p_merchant_id text DEFAULT NULL)
RETURNS TABLE (psp text, merchant_id text, currency text, orders bigint,
    paid bigint, failed bigint, expired bigint, open bigint,
    success_rate numeric, volume numeric, refunds numeric, disputes numeric,
    fees numeric, net numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
SELECT r.bucket, r.merchant_id, r.currency, r.orders, r.paid, r.failed,
    r.expired, r.open, r.success_rate, r.volume, r.refunds, r.disputes, r.fees,
    r.net
FROM report_by('psp', p_from, p_to, 'UTC', p_merchant_id) r
ORDER BY 1, 2, 3
$$;
COMMENT ON FUNCTION pay_view.report_psps IS
    'Orders and money by PSP, merchant and currency';


-- Entries within the debt to a seller, such as a reserve, sum to zero over its
-- accounts.  Money that is authorised and not captured is not owed yet.
CREATE OR REPLACE FUNCTION pay_view.report_sellers(
    p_from timestamptz, p_to timestamptz, p_merchant_id text DEFAULT NULL)
RETURNS TABLE (seller_account text, merchant_id text, currency text,
    sales numeric, refunds numeric, disputes numeric, fees numeric,
    payouts numeric, other numeric, net numeric, opening numeric,
    closing numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
WITH owed AS (
    SELECT l.owner, l.merchant_id::text AS merchant_id,
        l.currency::text AS currency, -l.amount_minor AS minor,
        CASE WHEN e.at < p_from THEN 'opening'
             WHEN l.kind IN ('sale', 'late_accepted') THEN 'sales'
             WHEN starts_with(l.kind, 'refund') THEN 'refunds'
             WHEN starts_with(l.kind, 'dispute') THEN 'disputes'
             WHEN starts_with(l.kind, 'platform_fee') THEN 'fees'
             WHEN starts_with(l.kind, 'payout_') THEN 'payouts'
             ELSE 'other' END AS figure
    FROM journal_entry e
    JOIN journal_line l ON l.merchant_id = e.merchant_id
        AND l.source = e.source AND l.kind = e.kind
    WHERE e.at < p_to
        AND e.merchant_id = coalesce(p_merchant_id, e.merchant_id)
        AND l.account IN ('seller_available', 'seller_reserved',
                          'seller_paying')
), summed AS (
    SELECT o.owner, o.merchant_id, o.currency,
        coalesce(sum(o.minor) FILTER (WHERE o.figure = 'sales'), 0) AS sales,
        coalesce(-sum(o.minor) FILTER (WHERE o.figure = 'refunds'), 0)
            AS refunds,
        coalesce(-sum(o.minor) FILTER (WHERE o.figure = 'disputes'), 0)
            AS disputes,
        coalesce(-sum(o.minor) FILTER (WHERE o.figure = 'fees'), 0) AS fees,
        coalesce(-sum(o.minor) FILTER (WHERE o.figure = 'payouts'), 0)
            AS payouts,
        coalesce(sum(o.minor) FILTER (WHERE o.figure = 'other'), 0) AS other,
        coalesce(sum(o.minor) FILTER (WHERE o.figure <> 'opening'), 0) AS net,
        coalesce(sum(o.minor) FILTER (WHERE o.figure = 'opening'), 0)
            AS opening, bool_or(o.figure <> 'opening') AS is_moved
    FROM owed o GROUP BY 1, 2, 3
)
SELECT s.owner, s.merchant_id, s.currency, round(s.sales / p.unit, k.exponent),
    round(s.refunds / p.unit, k.exponent),
    round(s.disputes / p.unit, k.exponent),
    round(s.fees / p.unit, k.exponent), round(s.payouts / p.unit, k.exponent),
    round(s.other / p.unit, k.exponent), round(s.net / p.unit, k.exponent),
    round(s.opening / p.unit, k.exponent),
    round((s.opening + s.net) / p.unit, k.exponent)
FROM summed s
JOIN currency k ON k.code = s.currency
CROSS JOIN LATERAL (SELECT 10::numeric ^ k.exponent) p (unit)
WHERE s.is_moved OR s.opening <> 0
ORDER BY 2, 1, 3
$$;
COMMENT ON FUNCTION pay_view.report_sellers IS
    'The changes of the debt to each seller, by merchant and currency, and the '
    'debt before and after them';


CREATE OR REPLACE FUNCTION pay_view.report_fees(
    p_from timestamptz, p_to timestamptz, p_merchant_id text DEFAULT NULL)
RETURNS TABLE (psp text, merchant_id text, currency text, volume numeric,
    fees numeric, percent numeric, vat numeric, earned numeric,
    earned_tax numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
SELECT l.psp, l.merchant_id, l.currency, round(sum(l.volume), k.exponent),
    round(sum(l.fees), k.exponent),
    round(100 * sum(l.fees) / nullif(sum(l.volume), 0), 2),
    round(sum(l.vat), k.exponent), round(sum(l.earned), k.exponent),
    round(sum(l.earned_tax), k.exponent)
FROM report_lines(p_from, p_to, p_merchant_id) l
JOIN currency k ON k.code = l.currency
GROUP BY l.psp, l.merchant_id, l.currency, k.exponent
HAVING (sum(l.volume), sum(abs(l.fees)), sum(abs(l.vat)), sum(abs(l.earned)))
    <> (0, 0, 0, 0)
ORDER BY 1, 2, 3
$$;
COMMENT ON FUNCTION pay_view.report_fees IS
    'Fees of PSPs beside their volume, and fees kept of sellers'' sales, by '
    'PSP, merchant and currency';
