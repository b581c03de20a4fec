-- Rates of exchange: the documents of the sources, the median of their rates,
-- and amounts converted by it.  Rates have 12 significant digits, amounts are
-- whole minor units; both are rounded half to even, and never pass through a
-- float.

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
    -- 60 decimals: more than enough to distinguish a half from its neighbours
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


-- The credit of an order when its money is booked for the first time.  A quote
-- holds until credit_until; afterwards the rate of the day counts, and without
-- one the quote is still the best rate that is known.
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


-- Quotes of the lines of new checkouts that are converted, all of one moment;
-- NULL as a whole where none is.  An item is quoted as a whole or not at all:
-- missing has no fresh rate for one of its lines, too_large would owe a seller
-- more than one order may be.
CREATE OR REPLACE FUNCTION pay.quote_lines(
    p_items int[], p_item int[], p_minor bigint[], p_credit text[],
    p_currency text[], p_terms jsonb[], OUT items int[], OUT rate numeric[],
    OUT minor bigint[], OUT missing int[], OUT too_large int[])
LANGUAGE plpgsql STABLE AS $$
BEGIN
    items := p_items;

    IF num_nonnulls(VARIADIC p_credit) = 0 THEN
        RETURN;
    END IF;

    SELECT array_agg(r.rate ORDER BY k), array_agg(c.minor ORDER BY k),
        coalesce(array_agg(n) FILTER (WHERE p_credit[k] <> p_currency[n]
            AND r.rate IS NULL), '{}'),
        coalesce(array_agg(n) FILTER (WHERE r.rate IS NOT NULL
            AND coalesce(c.minor > 999999999999999, true)), '{}')
    INTO rate, minor, missing, too_large
    FROM unnest(p_item) WITH ORDINALITY AS u (n, k)
    CROSS JOIN LATERAL (
        SELECT CASE WHEN p_credit[k] <> p_currency[n]
                    THEN median_rate(p_currency[n], p_credit[k],
                        term_seconds(p_terms[n] ->> 'rate_age_s', '300'))
               END AS rate
        OFFSET 0) r
    LEFT JOIN LATERAL (
        SELECT convert(p_minor[k], p_currency[n], p_credit[k], r.rate)
            AS minor
        OFFSET 0) c ON r.rate IS NOT NULL;

    items := ARRAY(
        SELECT n FROM unnest(p_items) n
        WHERE n <> ALL (missing || too_large));
END
$$;
COMMENT ON FUNCTION pay.quote_lines IS
    'Quotes of the orders of begin_payment, and the items that have theirs';
