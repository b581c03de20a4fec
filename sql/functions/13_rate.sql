-- Rates of exchange: what the sources say, the median of it, and amounts
-- converted by it.  Rates have 12 significant digits, amounts are whole minor
-- units; both are rounded half to even, and never pass through a float.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Digits are counted in the text: a logarithm is not exact.
CREATE OR REPLACE FUNCTION pay.round_rate(p_rate numeric)
RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS $$
SELECT trim_scale(pay.half_even(p_rate * concat('1e', 12 - d.digits)::numeric)
                  * concat('1e', d.digits - 12)::numeric)
FROM (SELECT CASE
    WHEN p_rate >= 1 THEN length(trunc(p_rate)::text)
    ELSE -length(substring(p_rate::text FROM '^0\.(0*)')) END AS digits) d
$$;
COMMENT ON FUNCTION pay.round_rate IS
    'A positive rate with 12 significant digits, half to even';


CREATE OR REPLACE FUNCTION pay.rate_ok(p_rate text)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN p_rate ~ '^(0|[1-9][0-9]{0,11})(\.[0-9]{1,24})?$'
    THEN p_rate::numeric BETWEEN 0.000000000001 AND 999999999999
        AND length(trim('0' FROM replace(p_rate, '.', ''))) <= 12
    ELSE false END
$$;
COMMENT ON FUNCTION pay.rate_ok IS
    'Whether it is a plain decimal number that may be a rate';


CREATE OR REPLACE FUNCTION pay.rates_ok(p_base text, p_rates jsonb)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN jsonb_typeof(p_rates) = 'object' AND p_rates <> '{}'
        AND NOT p_rates ? p_base
        AND EXISTS (SELECT FROM pay.currency k WHERE k.code = p_base)
        AND (SELECT bool_and(pay.rate_ok(e.value)
                             AND EXISTS (SELECT FROM pay.currency k
                                         WHERE k.code = e.key))
             FROM jsonb_each_text(p_rates) e);
END
$$;
COMMENT ON FUNCTION pay.rates_ok IS
    'Whether these are rates of known currencies to another one';


-- 1 of p_base in p_quote.  A source gives rates of one base, so it knows the
-- pair directly, inverted, or by way of its base; all three are one quotient.
-- It counts while both p_age (NULL: any) and its own max_age allow.  The mean
-- of the two in the middle where their count is even.
CREATE OR REPLACE FUNCTION pay.median_rate(
    p_base text, p_quote text, p_age interval)
RETURNS numeric LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_rates numeric[];
    v_count int;
BEGIN
    SELECT array_agg(r.rate ORDER BY r.rate), count(*)
    INTO v_rates, v_count
    FROM pay.rate_source s
    CROSS JOIN LATERAL (
        SELECT CASE WHEN s.base = p_base THEN 1
                    ELSE (SELECT r.rate FROM pay.rate r
                          WHERE r.source = s.source AND r.quote = p_base)
               END AS base,
            CASE WHEN s.base = p_quote THEN 1
                 ELSE (SELECT r.rate FROM pay.rate r
                       WHERE r.source = s.source AND r.quote = p_quote)
            END AS quote
        OFFSET 0) k
    -- 60 decimals: more than enough to tell a half from what is near it
    CROSS JOIN LATERAL (
        SELECT pay.round_rate(round(k.quote, 60) / k.base) AS rate OFFSET 0) r
    WHERE s.fetched_at > now() - least(p_age, s.max_age)
        AND s.fetched_at < now() + interval '1 minute'
        AND r.rate IS NOT NULL;

    IF v_count = 0 THEN
        RETURN NULL;
    END IF;

    RETURN pay.round_rate((v_rates[(v_count + 1) / 2]
                       + v_rates[v_count / 2 + 1]) / 2.0);
END
$$;
COMMENT ON FUNCTION pay.median_rate IS
    'The median rate of the sources that have a fresh one; NULL: none has';


CREATE OR REPLACE FUNCTION pay.convert(
    p_minor bigint, p_from text, p_to text, p_rate numeric)
RETURNS bigint LANGUAGE sql STABLE AS $$
SELECT CASE WHEN c.minor BETWEEN -9223372036854775807 AND 9223372036854775807
            THEN c.minor::bigint END
FROM pay.currency f, pay.currency t
CROSS JOIN LATERAL (
    SELECT pay.half_even(p_minor * p_rate
                     * concat('1e', t.exponent - f.exponent)::numeric)
        AS minor) c
WHERE f.code = p_from AND t.code = p_to
$$;
COMMENT ON FUNCTION pay.convert IS
    'Minor units of one currency in those of another, half to even; NULL: too '
    'many, or an unknown currency';


-- What an order is credited with when its money is booked for the first
-- time.  A quote holds until credit_until; afterwards the rate of the day
-- counts, and where there is none the quote is still the best that is known.
CREATE OR REPLACE FUNCTION pay.current_credit(
    p_amount_minor bigint, p_currency text, p_credit_currency text,
    p_credit_rate numeric, p_credit_minor bigint, p_credit_until timestamptz,
    OUT credit_rate numeric, OUT credit_minor bigint)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p_credit_until < now() THEN
        credit_rate := pay.median_rate(p_currency, p_credit_currency, NULL);
        credit_minor := pay.convert(p_amount_minor, p_currency,
                                p_credit_currency, credit_rate);
    END IF;

    IF credit_minor IS NULL OR credit_minor > 999999999999999 THEN
        credit_rate := p_credit_rate;
        credit_minor := p_credit_minor;
    END IF;
END
$$;
COMMENT ON FUNCTION pay.current_credit IS
    'Rate and amount that a converted order is booked with now; the columns '
    'of payment_order go in, those to be kept come out';


-- The orders of a new checkout with the quote of each that is converted, all
-- of one moment.  NULL where there is no fresh rate; too_large where the
-- seller would be owed more than one order may be.
CREATE OR REPLACE FUNCTION pay.quote_orders(
    p_item payment_item, OUT orders jsonb, OUT too_large boolean)
LANGUAGE sql STABLE AS $$
SELECT CASE WHEN bool_and(e.line ->> 'credit' IS NULL
                          OR e.line ->> 'credit' = p_item.currency
                          OR coalesce(c.minor <= 999999999999999, false))
       THEN jsonb_agg(CASE WHEN c.minor IS NULL THEN e.line
                ELSE e.line || jsonb_build_object('quote',
                    jsonb_build_object('rate', r.rate, 'minor', c.minor)) END
                ORDER BY e.n) END,
    coalesce(bool_or(r.rate IS NOT NULL
                     AND coalesce(c.minor > 999999999999999, true)), false)
FROM jsonb_array_elements(p_item.orders) WITH ORDINALITY AS e (line, n)
CROSS JOIN LATERAL (
    SELECT CASE WHEN e.line ->> 'credit' <> p_item.currency
                THEN pay.median_rate(p_item.currency, e.line ->> 'credit',
                                 p_item.rate_age) END AS rate
    OFFSET 0) r
LEFT JOIN LATERAL (
    SELECT pay.convert((e.line -> 'amount')::bigint, p_item.currency,
                   e.line ->> 'credit', r.rate) AS minor
    OFFSET 0) c ON r.rate IS NOT NULL
$$;
COMMENT ON FUNCTION pay.quote_orders IS
    'Orders of begin_payment with their quotes; NULL: a rate is missing';


-- Items that can be quoted, or need not be; the numbers of the others.
CREATE OR REPLACE FUNCTION pay.quote_items(
    p_items payment_item[], OUT quoted payment_item[], OUT missing int[],
    OUT too_large int[])
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_item  payment_item;
    v_quote record;
BEGIN
    quoted := p_items;
    missing := '{}';
    too_large := '{}';

    IF NOT EXISTS (SELECT FROM unnest(p_items) i
                   WHERE i.orders @? '$[*].credit')
    THEN
        RETURN;
    END IF;

    quoted := '{}';
    FOREACH v_item IN ARRAY p_items LOOP
        v_quote := quote_orders(v_item);
        IF v_quote.orders IS NOT NULL THEN
            v_item.orders := v_quote.orders;
            quoted := quoted || v_item;
        ELSIF v_quote.too_large THEN
            too_large := too_large || v_item.item;
        ELSE
            missing := missing || v_item.item;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay.quote_items IS
    'Items of begin_payment with the quotes of their orders';
