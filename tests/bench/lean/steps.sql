-- The three steps of a payment, one function and one transaction each.

-- created; for a key that was there before: replayed, or key_reused when the
-- request is another one.  An id that another key has taken violates a unique
-- key, which the caller answers with 409.
CREATE FUNCTION lean.create_payment(
    p_merchant_id text, p_key text, p_fingerprint bytea, p_checkout_id text,
    p_payment_order_id text, p_seller_account text, p_amount_minor bigint,
    p_currency text, p_psp text, p_return_url text, p_buyer_info jsonb,
    p_expires_at timestamptz,
    OUT outcome text, OUT payment_order_id text, OUT status text,
    OUT redirect_url text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    INSERT INTO lean.idempotency_key (merchant_id, key, fingerprint,
        payment_order_id)
    VALUES (p_merchant_id, p_key, p_fingerprint, p_payment_order_id)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        SELECT CASE WHEN k.fingerprint = p_fingerprint THEN 'replayed'
                    ELSE 'key_reused' END,
               o.payment_order_id, o.status, o.redirect_url
        INTO outcome, payment_order_id, status, redirect_url
        FROM lean.idempotency_key k
        JOIN lean.payment_order o USING (merchant_id, payment_order_id)
        WHERE k.merchant_id = p_merchant_id AND k.key = p_key;
        RETURN;
    END IF;

    INSERT INTO lean.checkout (merchant_id, checkout_id, psp, return_url,
        buyer_info, expires_at)
    VALUES (p_merchant_id, p_checkout_id, p_psp, p_return_url, p_buyer_info,
        p_expires_at);
    INSERT INTO lean.payment_order AS o (merchant_id, payment_order_id,
        checkout_id, seller_account, amount_minor, currency, psp, seq, head)
    VALUES (p_merchant_id, p_payment_order_id, p_checkout_id,
        p_seller_account, p_amount_minor, p_currency, p_psp, 1,
        lean.event_hash('', p_merchant_id, p_payment_order_id, 1, 'created',
            now()))
    RETURNING 'created', o.payment_order_id, o.status
    INTO outcome, payment_order_id, status;
    INSERT INTO lean.event (merchant_id, payment_order_id, seq, kind, at, hash)
    VALUES (p_merchant_id, p_payment_order_id, 1, 'created', now(),
        lean.event_hash('', p_merchant_id, p_payment_order_id, 1, 'created',
            now()));
END
$$;

-- stored, already (the same token), conflict (another one) or not_found.
CREATE FUNCTION lean.store_token(
    p_merchant_id text, p_payment_order_id text, p_token text,
    p_redirect_url text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_seq  int;
    v_head bytea;
BEGIN
    UPDATE lean.payment_order o
    SET status = 'EXECUTING', psp_token = p_token,
        redirect_url = p_redirect_url, seq = o.seq + 1, updated_at = now(),
        head = lean.event_hash(o.head, o.merchant_id, o.payment_order_id,
            o.seq + 1, 'registered', now())
    WHERE o.merchant_id = p_merchant_id
      AND o.payment_order_id = p_payment_order_id
      AND o.status = 'NOT_STARTED'
    RETURNING o.seq, o.head INTO v_seq, v_head;
    IF NOT FOUND THEN
        RETURN lean.why_not_stored(p_merchant_id, p_payment_order_id, p_token);
    END IF;

    INSERT INTO lean.event (merchant_id, payment_order_id, seq, kind, at, hash)
    VALUES (p_merchant_id, p_payment_order_id, v_seq, 'registered', now(),
        v_head);
    RETURN 'stored';
END
$$;

CREATE FUNCTION lean.why_not_stored(
    p_merchant_id text, p_payment_order_id text, p_token text)
RETURNS text LANGUAGE sql STABLE AS $$
SELECT coalesce((
    SELECT CASE WHEN o.psp_token = p_token THEN 'already' ELSE 'conflict' END
    FROM lean.payment_order o
    WHERE o.merchant_id = p_merchant_id
      AND o.payment_order_id = p_payment_order_id), 'not_found')
$$;

-- applied, duplicate (this event was here before), unchanged (the order has
-- ended so before), mismatch (amount or currency: nothing moves) or unknown:
-- then nothing is kept, and the PSP sends it again.
CREATE FUNCTION lean.apply_webhook(
    p_psp text, p_event_id text, p_kind text, p_token text,
    p_psp_payment_id text, p_amount_minor bigint, p_currency text,
    p_digest bytea)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_order   record;
    v_outcome text;
BEGIN
    INSERT INTO lean.webhook_inbox (psp, event_id, kind, psp_token, digest)
    VALUES (p_psp, p_event_id, p_kind, p_token, p_digest)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN 'duplicate';
    END IF;

    UPDATE lean.payment_order o
    SET status = CASE p_kind WHEN 'paid' THEN 'SUCCESS' ELSE 'FAILED' END,
        psp_payment_id = p_psp_payment_id, seq = o.seq + 1, updated_at = now(),
        head = lean.event_hash(o.head, o.merchant_id, o.payment_order_id,
            o.seq + 1, p_kind, now())
    WHERE o.psp = p_psp AND o.psp_token = p_token
      AND o.amount_minor = p_amount_minor AND o.currency = p_currency
      AND (o.status = 'EXECUTING' OR o.status = 'FAILED' AND p_kind = 'paid')
    RETURNING o.merchant_id, o.payment_order_id, o.seller_account, o.seq,
        o.head
    INTO v_order;
    IF NOT FOUND THEN
        v_outcome := lean.why_not_applied(p_psp, p_token, p_amount_minor,
            p_currency);
        IF v_outcome = 'unknown' THEN
            DELETE FROM lean.webhook_inbox i
            WHERE i.psp = p_psp AND i.event_id = p_event_id;
        END IF;
        RETURN v_outcome;
    END IF;

    INSERT INTO lean.event (merchant_id, payment_order_id, seq, kind, at, hash)
    VALUES (v_order.merchant_id, v_order.payment_order_id, v_order.seq, p_kind,
        now(), v_order.head);
    IF p_kind = 'paid' THEN
        INSERT INTO lean.ledger_line (merchant_id, payment_order_id, account,
            amount_minor, currency)
        VALUES (v_order.merchant_id, v_order.payment_order_id,
                'psp:' || p_psp, p_amount_minor, p_currency),
               (v_order.merchant_id, v_order.payment_order_id,
                'seller:' || v_order.seller_account, -p_amount_minor,
                p_currency);
        INSERT INTO lean.wallet AS w (merchant_id, seller_account, currency,
            balance_minor)
        VALUES (v_order.merchant_id, v_order.seller_account, p_currency,
            p_amount_minor)
        ON CONFLICT (merchant_id, seller_account, currency)
        DO UPDATE SET balance_minor = w.balance_minor + EXCLUDED.balance_minor;
    END IF;
    INSERT INTO lean.outbox (merchant_id, kind, payload)
    VALUES (v_order.merchant_id, 'payment.' || p_kind, jsonb_build_object(
        'payment_order_id', v_order.payment_order_id,
        'amount_minor', p_amount_minor, 'currency', p_currency));
    RETURN 'applied';
END
$$;

CREATE FUNCTION lean.why_not_applied(
    p_psp text, p_token text, p_amount_minor bigint, p_currency text)
RETURNS text LANGUAGE sql STABLE AS $$
SELECT coalesce((
    SELECT CASE WHEN o.amount_minor = p_amount_minor
                 AND o.currency = p_currency THEN 'unchanged'
                ELSE 'mismatch' END
    FROM lean.payment_order o
    WHERE o.psp = p_psp AND o.psp_token = p_token), 'unknown')
$$;
