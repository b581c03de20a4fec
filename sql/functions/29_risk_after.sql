-- Risk after the PSP: words of PSPs about cards are kept with their events, and
-- orders are labelled as fraud or not.  Private to schema pay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The label of an order is fraud, rejected (a reviewer's opinion), or
-- not_fraud (disputed for another reason); its source is dispute,
-- early_fraud_warning, refund or reviewer; of each the first word stays.
-- Returns whether it is new.
CREATE OR REPLACE FUNCTION pay.label_order(
    p_merchant_id text, p_payment_order_id text, p_label text,
    p_source text, p_at timestamptz DEFAULT clock_timestamp())
RETURNS boolean
LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
BEGIN
    INSERT INTO risk_label (merchant_id, payment_order_id, label, source,
        labelled_at)
    VALUES (p_merchant_id, p_payment_order_id, p_label, p_source, p_at)
    ON CONFLICT DO NOTHING;

    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION pay.label_order IS
    'Labels an order; false where the source has labelled it before';


-- The reasons of disputes by which a buyer denies that the payment is his, in
-- the words of PSPs made safe: Stripe, Square, PayPal, Braintree, the generic
-- protocol; and those of refunds, in the words of Stripe and Adyen.
CREATE OR REPLACE FUNCTION pay.is_fraud_reason(p_code text)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce(p_code IN ('fraudulent', 'no_knowledge', 'unauthorised',
                           'unauthorized', 'fraud'), false)
$$;
COMMENT ON FUNCTION pay.is_fraud_reason IS
    'Whether a dispute, or a refund, with this reason is about fraud';


-- Without a reason nobody can say which of both it is.
CREATE OR REPLACE FUNCTION pay.label_dispute(p_dispute dispute)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF (p_dispute).payment_order_id IS NOT NULL
        AND (p_dispute).code IS NOT NULL
    THEN
        PERFORM label_order((p_dispute).merchant_id,
            (p_dispute).payment_order_id,
            CASE WHEN is_fraud_reason((p_dispute).code) THEN 'fraud'
                 ELSE 'not_fraud' END, 'dispute');
    END IF;
END
$$;
COMMENT ON FUNCTION pay.label_dispute IS 'Labels the order of a new dispute';


-- A refund that was done, and was asked for as fraud.
CREATE OR REPLACE FUNCTION pay.label_refund(p_change change)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF is_fraud_reason(lower((p_change).reason)) THEN
        PERFORM label_order((p_change).merchant_id,
            (p_change).payment_order_id, 'fraud', 'refund');
    END IF;
END
$$;
COMMENT ON FUNCTION pay.label_refund IS
    'Labels the order of a refund that was done because of fraud';


-- Words of PSPs about cards, with their events: p_facts are those that are no
-- duplicates.  These are hints: a value of another form than ours counts
-- as not said, and none refuses its event.  An attempt has one row, so that its
-- second event, or its query, only fills gaps; two of one batch take turns.  A checkout that
-- no token names is found by its payment.  Where none is known yet, the terms of
-- judge_cards() wait for it.
CREATE OR REPLACE FUNCTION pay.keep_cards(
    p_facts fact[], p_fact text[], p_item bigint[], p_attempt text[],
    p_card text[], p_bin text[], p_country text[], p_funding text[],
    p_three_d text[], p_level text[], p_score bigint[], p_warning text[],
    p_is_hint bigint[], p_before text[], p_terms jsonb[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_turns bigint := (
        SELECT coalesce(max(t.count), 0)
        FROM (SELECT count(*) FROM unnest(p_item, p_attempt) u (item, attempt)
              JOIN unnest(p_facts) f ON f.item = u.item
              GROUP BY f.psp, u.attempt) t);
BEGIN
    FOR v_turn IN 1 .. v_turns LOOP
        WITH kept AS (
            INSERT INTO risk_card AS c (psp, attempt, merchant_id, checkout_id,
                token, card, bin, country, funding, three_d, level, score,
                warning, is_hint, is_declined, waits)
            SELECT f.psp, u.attempt, coalesce(f.merchant_id, k.merchant_id),
                coalesce(f.checkout_id, k.checkout_id), f.token,
                CASE WHEN octet_length(u.card) = 64 AND u.card !~ '[^0-9a-f]'
                     THEN u.card END,
                CASE WHEN octet_length(u.bin) BETWEEN 6 AND 8
                         AND u.bin !~ '[^0-9]' THEN u.bin END,
                CASE WHEN octet_length(u.country) = 2 AND u.country !~ '[^A-Z]'
                     THEN u.country END,
                CASE WHEN u.funding IN ('credit', 'debit', 'prepaid')
                     THEN u.funding END,
                CASE WHEN u.three_d IN ('authenticated', 'attempted', 'exempted',
                                        'failed') THEN u.three_d END,
                CASE WHEN u.level IN ('normal', 'elevated', 'highest')
                     THEN u.level END,
                CASE WHEN u.score BETWEEN 0 AND 100 THEN u.score END,
                CASE WHEN octet_length(u.warning) BETWEEN 1 AND 64
                         AND u.warning !~ '[^a-z0-9_.-]' THEN u.warning END,
                u.is_hint IS DISTINCT FROM 0,
                p_fact[f.item] IN ('attempt_declined', 'declined'),
                CASE WHEN f.checkout_id IS NULL AND k.checkout_id IS NULL
                     THEN p_terms[u.item] || CASE WHEN u.before IS NULL THEN '{}'
                         ELSE jsonb_build_object('before', u.before) END END
            FROM (
                SELECT x.*, row_number() OVER (PARTITION BY y.psp, x.attempt
                                               ORDER BY x.item) AS turn
                FROM unnest(p_item, p_attempt, p_card, p_bin, p_country,
                    p_funding, p_three_d, p_level, p_score, p_warning, p_is_hint,
                    p_before) AS x (item, attempt, card, bin, country, funding,
                                    three_d, level, score, warning, is_hint,
                                    before)
                JOIN unnest(p_facts) y ON y.item = x.item) u
            JOIN unnest(p_facts) f ON f.item = u.item
            LEFT JOIN LATERAL (
                SELECT t.merchant_id, t.checkout_id FROM psp_token t
                WHERE f.checkout_id IS NULL AND t.psp = f.psp
                    AND t.token = f.reference AND t.is_reference
                OFFSET 0) k ON true
            WHERE u.turn = v_turn
                AND f.actor IN ('webhook', 'query') AND f.kind <> 'unknown'
                AND id_ok(u.attempt)
                AND (f.token IS NOT NULL OR f.checkout_id IS NOT NULL
                     OR k.checkout_id IS NOT NULL)
            ORDER BY f.psp COLLATE "C", u.attempt COLLATE "C", u.item
            ON CONFLICT (psp, attempt) DO UPDATE
            SET card = coalesce(c.card, EXCLUDED.card),
                bin = coalesce(c.bin, EXCLUDED.bin),
                country = coalesce(c.country, EXCLUDED.country),
                funding = coalesce(c.funding, EXCLUDED.funding),
                three_d = coalesce(c.three_d, EXCLUDED.three_d),
                level = coalesce(c.level, EXCLUDED.level),
                score = coalesce(c.score, EXCLUDED.score),
                warning = coalesce(c.warning, EXCLUDED.warning),
                is_hint = c.is_hint OR EXCLUDED.is_hint,
                is_declined = c.is_declined OR EXCLUDED.is_declined
            WHERE (c.merchant_id, c.checkout_id) IS NOT DISTINCT FROM
                    (EXCLUDED.merchant_id, EXCLUDED.checkout_id)
                AND (c.checkout_id IS NOT NULL OR c.token = EXCLUDED.token)
            RETURNING c.merchant_id, c.checkout_id, c.warning
        )
        INSERT INTO risk_label (merchant_id, payment_order_id, label, source,
            labelled_at)
        SELECT k.merchant_id, o.payment_order_id, 'fraud',
            'early_fraud_warning', clock_timestamp()
        FROM kept k
        CROSS JOIN LATERAL orders_of(k.merchant_id, k.checkout_id) o
        WHERE k.warning IS NOT NULL AND k.checkout_id IS NOT NULL
        ORDER BY 1, 2
        ON CONFLICT DO NOTHING;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay.keep_cards IS
    'Keeps the words of PSPs about the cards of attempts';


-- Names of checkouts that have just become known: earlier words about them are
-- theirs.
CREATE OR REPLACE FUNCTION pay.adopt_cards(
    p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE risk_card c
    SET merchant_id = u.merchant_id, checkout_id = u.checkout_id
    FROM unnest(p_merchant_id, p_checkout_id, p_psp, p_token)
        AS u (merchant_id, checkout_id, psp, token)
    WHERE c.psp = u.psp AND c.token = u.token AND c.checkout_id IS NULL
        AND EXISTS (
            SELECT FROM psp_token t
            WHERE t.psp = u.psp AND t.token = u.token AND NOT t.is_reference
                AND t.merchant_id = u.merchant_id
                AND t.checkout_id = u.checkout_id);
END
$$;
COMMENT ON FUNCTION pay.adopt_cards IS
    'Gives checkouts the words about their cards that came before their tokens';


-- The PSP's words about the cards of a checkout, without their hashes, as a list
-- of JSON; NULL: there is none.
CREATE OR REPLACE FUNCTION pay.cards_of(
    p_merchant_id text, p_checkout_id text)
RETURNS jsonb LANGUAGE sql STABLE SET search_path = pay, pg_temp AS $$
SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
    'attempt', c.attempt, 'bin', c.bin, 'country', c.country,
    'funding', c.funding, 'three_d_secure', c.three_d, 'level', c.level,
    'score', c.score, 'warning', c.warning, 'is_signed', NOT c.is_hint,
    'is_declined', c.is_declined, 'at', c.at)) ORDER BY c.at, c.attempt)
FROM risk_card c
WHERE c.merchant_id = p_merchant_id AND c.checkout_id = p_checkout_id
    -- not the name that name_attempts() has made
    AND (c.attempt IS DISTINCT FROM c.token OR num_nonnulls(c.card, c.bin,
        c.country, c.funding, c.three_d, c.level, c.score, c.warning) > 0)
$$;
COMMENT ON FUNCTION pay.cards_of IS
    'The words of a PSP about the cards of a checkout';


CREATE OR REPLACE FUNCTION pay.labels_of(
    p_merchant_id text, p_checkout_id text)
RETURNS jsonb LANGUAGE sql STABLE SET search_path = pay, pg_temp AS $$
SELECT jsonb_agg(jsonb_build_object('payment_order_id', l.payment_order_id,
    'label', l.label, 'source', l.source, 'at', l.labelled_at)
    ORDER BY l.labelled_at, l.payment_order_id, l.source)
FROM orders_of(p_merchant_id, p_checkout_id) o
JOIN risk_label l ON l.merchant_id = o.merchant_id
    AND l.payment_order_id = o.payment_order_id
$$;
COMMENT ON FUNCTION pay.labels_of IS
    'The labels of the orders of a checkout';
