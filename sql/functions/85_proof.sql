-- The proof of an order: all that a dispute needs, in one document that payctl
-- signs, with the order's rows of the event log and the paths from them to the
-- signed roots of seals (docs/audit.md#proof).  It holds a buyer's details as far
-- as they are kept, so that only operators make one; card data is left out.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Seals follow each other in numbers and in transactions: a search by halves.
CREATE OR REPLACE FUNCTION pay.seal_over(p_tx bigint)
RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_low  bigint := (SELECT min(s.number) FROM seal s);
    v_high bigint := (SELECT max(s.number) FROM seal s);
    v_seal seal;
BEGIN
    WHILE v_low <= v_high LOOP
        SELECT s.* INTO v_seal FROM seal s
        WHERE s.number = (v_low + v_high) / 2;

        IF p_tx < v_seal.from_tx THEN
            v_high := v_seal.number - 1;
        ELSIF p_tx >= v_seal.until_tx THEN
            v_low := v_seal.number + 1;
        ELSE
            RETURN CASE WHEN v_seal.signature IS NOT NULL
                        THEN v_seal.number END;
        END IF;
    END LOOP;

    RETURN NULL;
END
$$;
COMMENT ON FUNCTION pay.seal_over IS
    'The signed seal that covers a transaction; NULL: there is none yet';


-- RFC 9162 2.1.3: the hashes beside the way from a leaf up to the root.
CREATE OR REPLACE FUNCTION pay.seal_path(p_number bigint, p_position bigint)
RETURNS text[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_at    bigint := p_position;
    v_path  text[] := '{}';
    v_level bytea[] := ARRAY(
        SELECT sha256('\x00'::bytea || convert_to(concat(l.merchant_id, E'\n',
            l.payment_order_id, E'\n', l.seq, E'\n', encode(l.hash, 'hex')),
            'UTF8'))
        FROM seal_leaf l WHERE l.number = p_number ORDER BY l.position);
BEGIN
    WHILE cardinality(v_level) > 1 LOOP
        IF v_at % 2 = 0 OR v_at < cardinality(v_level) THEN
            v_path := v_path || encode(
                v_level[CASE v_at % 2 WHEN 0 THEN v_at - 1 ELSE v_at + 1 END],
                'hex');
        END IF;

        v_at := (v_at + 1) / 2;
        v_level := ARRAY(
            SELECT CASE WHEN p.next IS NULL THEN p.hash
                        ELSE sha256('\x01'::bytea || p.hash || p.next) END
            FROM (SELECT u.n, u.hash, lead(u.hash) OVER (ORDER BY u.n) AS next
                  FROM unnest(v_level) WITH ORDINALITY u (hash, n)) p
            WHERE p.n % 2 = 1
            ORDER BY p.n);
    END LOOP;

    RETURN v_path;
END
$$;
COMMENT ON FUNCTION pay.seal_path IS
    'The hashes that lead from a leaf of a seal to its root, from below';


-- The lines are those of an export of the log (pay_view.audit_export).
CREATE OR REPLACE FUNCTION pay.proof_log(
    p_merchant_id text, p_payment_order_id text)
RETURNS json LANGUAGE sql STABLE AS $$
SELECT coalesce(json_agg(l.line ORDER BY l.seq, l.n), '[]')
FROM (
    SELECT e.seq, 2 AS n, row_to_json(x)::text AS line
    FROM event e
    CROSS JOIN LATERAL (
        SELECT 'event' AS t, e.merchant_id, e.payment_order_id, e.seq,
            iso_micros(e.at) AS at, e.tx, e.kind, e.actor, e.old_status,
            e.new_status, e.reason, e.detail::text AS detail, e.request_id,
            encode(e.hash, 'hex') AS hash) x
    WHERE e.merchant_id = p_merchant_id
        AND e.payment_order_id = p_payment_order_id
    UNION ALL
    SELECT a.seq, 1, row_to_json(x)::text
    FROM event_anchor a
    CROSS JOIN LATERAL (
        SELECT 'anchor' AS t, a.merchant_id, a.payment_order_id, a.seq,
            encode(a.hash, 'hex') AS hash) x
    WHERE a.merchant_id = p_merchant_id
        AND a.payment_order_id = p_payment_order_id) l
$$;
COMMENT ON FUNCTION pay.proof_log IS
    'The rows of the event log of an order, as lines of an export';


CREATE OR REPLACE FUNCTION pay.proof_seals(
    p_merchant_id text, p_payment_order_id text)
RETURNS json LANGUAGE sql STABLE AS $$
SELECT coalesce(json_agg(json_build_object(
        'leaf', row_to_json(f)::text,
        'path', array_to_json(seal_path(l.number, l.position)),
        'seal', row_to_json(w)::text) ORDER BY l.number), '[]')
FROM (
    SELECT DISTINCT seal_over(e.tx) AS number FROM event e
    WHERE e.merchant_id = p_merchant_id
        AND e.payment_order_id = p_payment_order_id) n
JOIN seal s ON s.number = n.number
JOIN seal_leaf l ON l.number = n.number AND l.merchant_id = p_merchant_id
    AND l.payment_order_id = p_payment_order_id
CROSS JOIN LATERAL (
    SELECT 'leaf' AS t, l.number, l.position, l.merchant_id,
        l.payment_order_id, l.seq, encode(l.hash, 'hex') AS hash) f
CROSS JOIN LATERAL (
    SELECT 'seal' AS t, s.number, s.message, s.key_id,
        translate(encode(s.signature, 'base64'), E'\n', '') AS signature) w
$$;
COMMENT ON FUNCTION pay.proof_seals IS
    'The seals over an order''s events: leaf, path to the root, and seal';


CREATE OR REPLACE FUNCTION pay_ops.make_proof(
    p_merchant_id text, p_payment_order_id text)
RETURNS text LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pay, pg_temp SET timezone = 'UTC' AS $$
SELECT replace(json_build_object(
    'version', 1, 'made_at', iso_micros(now()), 'made_by', session_user,
    'merchant_id', o.merchant_id, 'payment_order_id', o.payment_order_id,
    'order', json_build_object('checkout_id', c.checkout_id,
        'seller_account', o.seller_account,
        'amount', round(o.amount_minor / 10::numeric ^ k.exponent,
                        k.exponent)::text,
        'currency', o.currency, 'status', o.status, 'reason', o.reason,
        'created_at', iso_micros(c.created_at),
        'expires_at', iso_micros(c.expires_at),
        'payment_method', c.payment_method, 'psp', c.psp,
        'psp_token', c.token, 'psp_reference', c.reference),
    'buyer', json_build_object('buyer_info', c.buyer_info,
        'metadata', c.metadata,
        'opened_from', (
            SELECT coalesce(json_agg(json_build_object(
                'at', iso_micros(b.at), 'address', b.address)
                ORDER BY b.at), '[]')
            FROM risk_browser b
            WHERE b.merchant_id = c.merchant_id
                AND b.checkout_id = c.checkout_id)),
    'three_d_secure', (
        SELECT coalesce(json_agg(json_build_object('at', iso_micros(r.at),
            'psp', r.psp, 'attempt', r.attempt, 'result', r.three_d,
            'declined', r.is_declined, 'card_country', r.country,
            'card_funding', r.funding) ORDER BY r.at), '[]')
        FROM risk_card r
        WHERE r.merchant_id = c.merchant_id
            AND r.checkout_id = c.checkout_id),
    'psp_codes', json_build_object('decline', o.decline, 'calls', (
        SELECT coalesce(json_agg(json_build_object(
            'operation', d.operation, 'attempt', d.attempt, 'psp', d.psp,
            'state', d.state, 'first_sent_at', iso_micros(d.first_sent_at),
            'ended_at', iso_micros(d.ended_at), 'http_status', d.http_status,
            'code', d.code, 'reference', d.reference)
            ORDER BY d.first_sent_at, d.operation, d.attempt), '[]')
        FROM journal d
        WHERE d.merchant_id = c.merchant_id
            AND d.checkout_id = c.checkout_id)),
    'delivery', json_build_object('released_at', (
        SELECT iso_micros(r.released_at) FROM payout_release r
        WHERE r.merchant_id = o.merchant_id
            AND r.payment_order_id = o.payment_order_id)),
    'changes', (
        SELECT coalesce(json_agg(json_build_object('id', x.change_id,
            'kind', x.kind, 'origin', x.origin, 'status', x.status,
            'returned', x.returned,
            'amount', round(x.amount_minor / 10::numeric ^ q.exponent,
                            q.exponent)::text,
            'currency', x.currency, 'reason', x.reason, 'code', x.code,
            'reference', x.reference, 'created_at', iso_micros(x.created_at),
            'changed_at', iso_micros(x.changed_at))
            ORDER BY x.created_at, x.change_id), '[]')
        FROM change x JOIN currency q ON q.code = x.currency
        WHERE x.merchant_id = c.merchant_id AND x.checkout_id = c.checkout_id
            AND x.payment_order_id = o.payment_order_id),
    'disputes', (
        SELECT coalesce(json_agg(row_to_json(y) ORDER BY y.opened_at), '[]')
        FROM (SELECT v.dispute_id, v.part, v.psp, v.state, v.code,
                  round(v.amount_minor / 10::numeric ^ q.exponent,
                        q.exponent)::text AS amount, v.currency,
                  iso_micros(v.opened_at) AS opened_at,
                  iso_micros(v.changed_at) AS changed_at
              FROM dispute v JOIN currency q ON q.code = v.currency
              WHERE v.merchant_id = o.merchant_id
                  AND v.checkout_id = o.checkout_id
                  AND v.payment_order_id = o.payment_order_id) y),
    'ledger', (
        SELECT coalesce(json_agg(row_to_json(y)
            ORDER BY y.at, y.source, y.kind, y.line), '[]')
        FROM (SELECT iso_micros(e.at) AS at, e.source, e.kind, l.line,
                  l.account, l.owner, l.currency,
                  round(l.amount_minor / 10::numeric ^ q.exponent,
                        q.exponent)::text AS amount
              FROM journal_entry e
              JOIN journal_line l ON l.merchant_id = e.merchant_id
                  AND l.source = e.source AND l.kind = e.kind
              JOIN currency q ON q.code = l.currency
              WHERE e.checkout_id = o.checkout_id
                  AND e.merchant_id = o.merchant_id
                  AND e.payment_order_id = o.payment_order_id) y),
    'log', proof_log(o.merchant_id, o.payment_order_id),
    'seals', proof_seals(o.merchant_id, o.payment_order_id))::text, E'\n', '')
FROM find_order(p_merchant_id, p_payment_order_id) o
JOIN checkout c ON c.merchant_id = o.merchant_id
    AND c.checkout_id = o.checkout_id
JOIN currency k ON k.code = o.currency
$$;
COMMENT ON FUNCTION pay_ops.make_proof IS
    'The document of an order''s proof, which payctl signs; NULL: no such order';
