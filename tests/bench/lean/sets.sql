-- The same three steps for many items at once: arrays in, one row an item out,
-- one commit.  Keys are visited in order, so that two sets cannot deadlock.  An
-- item that violates a constraint fails its set; the caller sends its items
-- one by one.

CREATE FUNCTION lean.create_payments(
    p_merchant_id text[], p_key text[], p_fingerprint bytea[],
    p_checkout_id text[], p_payment_order_id text[], p_seller_account text[],
    p_amount_minor bigint[], p_currency text[], p_psp text[],
    p_return_url text[], p_buyer_info jsonb[], p_expires_at timestamptz[])
RETURNS TABLE (item int, outcome text, payment_order_id text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_merchants text[];
    v_keys      text[];
    v_fresh     int[];
BEGIN
    WITH kept AS (
        INSERT INTO lean.idempotency_key AS k (merchant_id, key, fingerprint,
            payment_order_id)
        SELECT u.merchant_id, u.key, u.fingerprint, u.payment_order_id
        FROM unnest(p_merchant_id, p_key, p_fingerprint, p_payment_order_id)
            WITH ORDINALITY
            AS u (merchant_id, key, fingerprint, payment_order_id, item)
        ORDER BY u.merchant_id, u.key, u.item
        ON CONFLICT DO NOTHING
        RETURNING k.merchant_id, k.key
    )
    SELECT array_agg(k.merchant_id), array_agg(k.key)
    INTO v_merchants, v_keys
    FROM kept k;
    IF v_keys IS NULL OR cardinality(v_keys) < cardinality(p_key) THEN
        v_fresh := lean.first_items(p_merchant_id, p_key, v_merchants, v_keys);
        RETURN QUERY SELECT r.item, r.outcome, r.payment_order_id
            FROM lean.replays(p_merchant_id, p_key, p_fingerprint) r
            WHERE r.item <> ALL (v_fresh);
    END IF;

    RETURN QUERY
    WITH input AS MATERIALIZED (
        SELECT u.*, lean.event_hash('', u.merchant_id, u.payment_order_id, 1,
            'created', now()) AS hash
        FROM unnest(p_merchant_id, p_checkout_id, p_payment_order_id,
            p_seller_account, p_amount_minor, p_currency, p_psp, p_return_url,
            p_buyer_info, p_expires_at) WITH ORDINALITY
            AS u (merchant_id, checkout_id, payment_order_id, seller_account,
                  amount_minor, currency, psp, return_url, buyer_info,
                  expires_at, item)
        WHERE v_fresh IS NULL OR u.item = ANY (v_fresh)
    ), checkouts AS (
        INSERT INTO lean.checkout (merchant_id, checkout_id, psp, return_url,
            buyer_info, expires_at)
        SELECT i.merchant_id, i.checkout_id, i.psp, i.return_url, i.buyer_info,
            i.expires_at
        FROM input i
    ), orders AS (
        INSERT INTO lean.payment_order (merchant_id, payment_order_id,
            checkout_id, seller_account, amount_minor, currency, psp, seq,
            head)
        SELECT i.merchant_id, i.payment_order_id, i.checkout_id,
            i.seller_account, i.amount_minor, i.currency, i.psp, 1, i.hash
        FROM input i
    ), events AS (
        INSERT INTO lean.event (merchant_id, payment_order_id, seq, kind, at,
            hash)
        SELECT i.merchant_id, i.payment_order_id, 1, 'created', now(), i.hash
        FROM input i
    )
    SELECT i.item::int, 'created', i.payment_order_id FROM input i;
END
$$;

CREATE FUNCTION lean.replays(
    p_merchant_id text[], p_key text[], p_fingerprint bytea[])
RETURNS TABLE (item int, outcome text, payment_order_id text)
LANGUAGE sql STABLE AS $$
SELECT u.item::int,
       CASE WHEN k.fingerprint = u.fingerprint THEN 'replayed'
            ELSE 'key_reused' END,
       k.payment_order_id
FROM unnest(p_merchant_id, p_key, p_fingerprint) WITH ORDINALITY
    AS u (merchant_id, key, fingerprint, item)
JOIN lean.idempotency_key k USING (merchant_id, key)
$$;

-- The first item of each pair that was written.
CREATE FUNCTION lean.first_items(
    p_a text[], p_b text[], p_written_a text[], p_written_b text[])
RETURNS int[] LANGUAGE sql STABLE AS $$
SELECT coalesce(array_agg(f.item), '{}')
FROM (SELECT min(u.item)::int AS item
      FROM unnest(p_a, p_b) WITH ORDINALITY AS u (a, b, item)
      JOIN unnest(p_written_a, p_written_b) AS w (a, b) USING (a, b)
      GROUP BY u.a, u.b) f
$$;

CREATE FUNCTION lean.store_tokens(
    p_merchant_id text[], p_payment_order_id text[], p_token text[],
    p_redirect_url text[])
RETURNS TABLE (item int, outcome text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_count int;
    v_done  int[];
BEGIN
    WITH stored AS (
        UPDATE lean.payment_order o
        SET status = 'EXECUTING', psp_token = u.token,
            redirect_url = u.redirect_url, seq = o.seq + 1,
            updated_at = now(),
            head = lean.event_hash(o.head, o.merchant_id, o.payment_order_id,
                o.seq + 1, 'registered', now())
        FROM (SELECT u.* FROM unnest(p_merchant_id, p_payment_order_id,
                  p_token, p_redirect_url) WITH ORDINALITY
                  AS u (merchant_id, payment_order_id, token, redirect_url,
                        item)
              ORDER BY u.merchant_id, u.payment_order_id) u
        WHERE o.merchant_id = u.merchant_id
          AND o.payment_order_id = u.payment_order_id
          AND o.status = 'NOT_STARTED'
        RETURNING u.item::int AS item, o.merchant_id, o.payment_order_id,
            o.seq, o.head
    ), events AS (
        INSERT INTO lean.event (merchant_id, payment_order_id, seq, kind, at,
            hash)
        SELECT s.merchant_id, s.payment_order_id, s.seq, 'registered', now(),
            s.head
        FROM stored s
    )
    SELECT count(*), array_agg(s.item) INTO v_count, v_done FROM stored s;

    RETURN QUERY SELECT i, 'stored' FROM unnest(v_done) i;
    IF v_count < cardinality(p_token) THEN
        RETURN QUERY
        SELECT i, lean.why_not_stored(p_merchant_id[i], p_payment_order_id[i],
            p_token[i])
        FROM generate_subscripts(p_token, 1) i
        WHERE v_done IS NULL OR i <> ALL (v_done);
    END IF;
END
$$;

CREATE FUNCTION lean.apply_webhooks(
    p_psp text[], p_event_id text[], p_kind text[], p_token text[],
    p_psp_payment_id text[], p_amount_minor bigint[], p_currency text[],
    p_digest bytea[])
RETURNS TABLE (item int, outcome text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_wanted int := cardinality(p_event_id);
    v_count  int;
    v_psps   text[];
    v_events text[];
    v_fresh  int[];
    v_done   int[];
BEGIN
    WITH kept AS (
        INSERT INTO lean.webhook_inbox AS i (psp, event_id, kind, psp_token,
            digest)
        SELECT u.psp, u.event_id, u.kind, u.token, u.digest
        FROM unnest(p_psp, p_event_id, p_kind, p_token, p_digest)
            WITH ORDINALITY AS u (psp, event_id, kind, token, digest, item)
        ORDER BY u.psp, u.event_id, u.item
        ON CONFLICT DO NOTHING
        RETURNING i.psp, i.event_id
    )
    SELECT count(*), array_agg(k.psp), array_agg(k.event_id)
    INTO v_count, v_psps, v_events
    FROM kept k;
    IF v_count < v_wanted THEN
        v_wanted := v_count;
        v_fresh := lean.first_items(p_psp, p_event_id, v_psps, v_events);
        RETURN QUERY SELECT i, 'duplicate'
            FROM generate_subscripts(p_event_id, 1) i
            WHERE i <> ALL (v_fresh);
    END IF;

    WITH moved AS (
        UPDATE lean.payment_order o
        SET status = CASE u.kind WHEN 'paid' THEN 'SUCCESS' ELSE 'FAILED' END,
            psp_payment_id = u.psp_payment_id, seq = o.seq + 1,
            updated_at = now(),
            head = lean.event_hash(o.head, o.merchant_id, o.payment_order_id,
                o.seq + 1, u.kind, now())
        FROM (SELECT u.* FROM unnest(p_psp, p_token, p_kind, p_psp_payment_id,
                  p_amount_minor, p_currency) WITH ORDINALITY
                  AS u (psp, token, kind, psp_payment_id, amount_minor,
                        currency, item)
              WHERE v_fresh IS NULL OR u.item = ANY (v_fresh)
              ORDER BY u.psp, u.token) u
        WHERE o.psp = u.psp AND o.psp_token = u.token
          AND o.amount_minor = u.amount_minor AND o.currency = u.currency
          AND (o.status = 'EXECUTING'
               OR o.status = 'FAILED' AND u.kind = 'paid')
        RETURNING u.item::int AS item, u.kind, o.merchant_id,
            o.payment_order_id, o.seller_account, o.amount_minor, o.currency,
            o.psp, o.seq, o.head
    ), events AS (
        INSERT INTO lean.event (merchant_id, payment_order_id, seq, kind, at,
            hash)
        SELECT m.merchant_id, m.payment_order_id, m.seq, m.kind, now(), m.head
        FROM moved m
    ), lines AS (
        INSERT INTO lean.ledger_line (merchant_id, payment_order_id, account,
            amount_minor, currency)
        SELECT m.merchant_id, m.payment_order_id, l.account, l.amount_minor,
            m.currency
        FROM moved m
        CROSS JOIN LATERAL (VALUES
            ('psp:' || m.psp, m.amount_minor),
            ('seller:' || m.seller_account, -m.amount_minor))
            AS l (account, amount_minor)
        WHERE m.kind = 'paid'
    ), wallets AS (
        INSERT INTO lean.wallet AS w (merchant_id, seller_account, currency,
            balance_minor)
        SELECT m.merchant_id, m.seller_account, m.currency,
            sum(m.amount_minor)
        FROM moved m
        WHERE m.kind = 'paid'
        GROUP BY 1, 2, 3
        ORDER BY 1, 2, 3
        ON CONFLICT (merchant_id, seller_account, currency)
        DO UPDATE SET balance_minor = w.balance_minor + EXCLUDED.balance_minor
    ), told AS (
        INSERT INTO lean.outbox (merchant_id, kind, payload)
        SELECT m.merchant_id, 'payment.' || m.kind, jsonb_build_object(
            'payment_order_id', m.payment_order_id,
            'amount_minor', m.amount_minor, 'currency', m.currency)
        FROM moved m
    )
    SELECT count(*), array_agg(m.item) INTO v_count, v_done FROM moved m;

    RETURN QUERY SELECT i, 'applied' FROM unnest(v_done) i;
    IF v_count < v_wanted THEN
        RETURN QUERY SELECT * FROM lean.not_applied(p_psp, p_event_id, p_token,
            p_amount_minor, p_currency, coalesce(v_done, '{}'), v_fresh);
    END IF;
END
$$;

CREATE FUNCTION lean.not_applied(
    p_psp text[], p_event_id text[], p_token text[], p_amount_minor bigint[],
    p_currency text[], p_done int[], p_fresh int[])
RETURNS TABLE (item int, outcome text)
LANGUAGE plpgsql AS $$
BEGIN
    FOR item IN
        SELECT i FROM generate_subscripts(p_event_id, 1) i
        WHERE i <> ALL (p_done) AND (p_fresh IS NULL OR i = ANY (p_fresh))
    LOOP
        outcome := lean.why_not_applied(p_psp[item], p_token[item],
            p_amount_minor[item], p_currency[item]);
        IF outcome = 'unknown' THEN
            DELETE FROM lean.webhook_inbox i
            WHERE i.psp = p_psp[item] AND i.event_id = p_event_id[item];
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;
