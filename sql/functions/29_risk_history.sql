-- Risk, looked back at: the outcome of each decision for exports and replays, and
-- the promotion of models.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Nothing in it names a buyer: no keys, no windows, no ids of orders, and of a
-- hit neither the entry of a list nor its value.
CREATE OR REPLACE VIEW pay_view.risk_outcomes AS
SELECT d.merchant_id, d.checkout_id, d.at, d.decision, d.decided_by, h.hits,
    d.version, d.facts, d.features, d.score, c.currency,
    c.total_minor AS amount_minor, o.outcome, o.captured_minor,
    coalesce(l.fraud_minor, 0) AS fraud_minor,
    coalesce(l.labels, '[]') AS labels
FROM pay.risk_decision d
JOIN pay.checkout c ON c.merchant_id = d.merchant_id
    AND c.checkout_id = d.checkout_id
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(x.hit - 'entry' ORDER BY x.place), '[]') AS hits
    FROM jsonb_array_elements(d.hits) WITH ORDINALITY x (hit, place)
    OFFSET 0) h
CROSS JOIN LATERAL (
    SELECT CASE
            WHEN bool_or(o.charged_back_minor > 0) OR EXISTS (
                SELECT FROM pay.dispute x
                WHERE x.merchant_id = d.merchant_id
                    AND x.checkout_id = d.checkout_id) THEN 'disputed'
            WHEN bool_or(o.refunded_minor > 0) THEN 'refunded'
            WHEN bool_or(o.status = 'SUCCESS') THEN 'paid'
            WHEN bool_and(o.status = 'FAILED') THEN 'failed'
            ELSE 'open' END AS outcome,
        sum(o.captured_minor)::bigint AS captured_minor
    FROM pay.payment_order o
    WHERE o.checkout_id = d.checkout_id AND o.merchant_id = d.merchant_id
    OFFSET 0) o
CROSS JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object('label', l.label,
            'source', l.source, 'at', l.at,
            'after_days', round(extract(epoch FROM l.at - d.at) / 86400, 3),
            'age_days', round(extract(epoch FROM now() - l.at) / 86400, 3))
            ORDER BY l.at, l.label, l.source) AS labels,
        max(l.fraud_minor) AS fraud_minor
    FROM (
        SELECT l.label, l.source, min(l.labelled_at) AS at,
            -- an order may have the label of several sources
            sum(sum(o.amount_minor) FILTER (WHERE l.label = 'fraud'
                AND l.is_first)) OVER ()::bigint AS fraud_minor
        FROM pay.payment_order o
        CROSS JOIN LATERAL (
            SELECT x.label, x.source, x.labelled_at, 1 = row_number() OVER (
                PARTITION BY x.label ORDER BY x.labelled_at, x.source)
                AS is_first
            FROM pay.risk_label x
            WHERE x.merchant_id = o.merchant_id
                AND x.payment_order_id = o.payment_order_id
            OFFSET 0) l
        WHERE o.checkout_id = d.checkout_id AND o.merchant_id = d.merchant_id
        GROUP BY l.label, l.source) l
    OFFSET 0) l;
COMMENT ON VIEW pay_view.risk_outcomes IS
    'Decisions of risk as they were made, with outcomes and labels of their '
    'checkouts; nothing personal';


-- A gateway takes its model from its configuration: the row is the person's word
-- for it, and changes nothing there.
CREATE OR REPLACE FUNCTION pay_ops.promote_risk_model(
    p_name text, p_sha256 text, p_report_sha256 text, p_who text, p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why)
        OR (p_name ~ '^[!-~]{1,64}$' AND p_sha256 ~ '^[0-9a-f]{64}$')
            IS NOT TRUE
        OR p_report_sha256 !~ '^[0-9a-f]{64}$'
    THEN
        RETURN 'invalid';
    END IF;

    -- one promotion after the other, so that each sees the one before it
    LOCK TABLE risk_promotion IN SHARE ROW EXCLUSIVE MODE;

    IF p_sha256 = (SELECT p.sha256 FROM risk_promotion p
                   WHERE p.name = p_name
                   ORDER BY p.promotion_id DESC LIMIT 1)
    THEN
        RETURN 'unchanged';
    END IF;

    INSERT INTO risk_promotion (name, sha256, report_sha256, who, why)
    VALUES (p_name, p_sha256, p_report_sha256, p_who, p_why);

    RETURN 'promoted';
END
$$;
COMMENT ON FUNCTION pay_ops.promote_risk_model IS
    'Promotes a model of risk: promoted, unchanged (it is the newest of its '
    'name) or invalid';


-- By the score of each decision, so that it is about all hosts and needs no
-- configuration.
CREATE OR REPLACE VIEW pay_view.risk_models AS
SELECT m.name, m.sha256, m.decisions, m.first_at, m.last_at,
    p.promotion_id IS NOT NULL AS is_promoted, p.who, p.why,
    p.at AS promoted_at
FROM (
    SELECT d.score #>> '{model,name}' AS name,
        d.score #>> '{model,sha256}' AS sha256, count(*) AS decisions,
        min(d.at) AS first_at, max(d.at) AS last_at
    FROM pay.risk_decision d
    WHERE d.at > now() - interval '1 day'
        AND d.score #>> '{model,sha256}' IS NOT NULL
    GROUP BY 1, 2) m
LEFT JOIN LATERAL (
    SELECT p.* FROM pay.risk_promotion p
    WHERE p.name = m.name
    ORDER BY p.promotion_id DESC LIMIT 1) p ON p.sha256 = m.sha256;
COMMENT ON VIEW pay_view.risk_models IS
    'Models by which the gateways scored in the last day, and whether a person '
    'has promoted them';
