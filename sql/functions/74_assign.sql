-- The functions with which operators assign money that went back without a
-- certain owner to orders, or have the merchant bear it.  A split that was made
-- before is taken back first.  For payments_operator; the gateway never calls
-- these.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The PSP event that a row of the queue is about, as operators repeat it.
CREATE OR REPLACE FUNCTION pay.news_of_mismatch(
    p_mismatch mismatch, p_news text, p_amount_minor bigint)
RETURNS news LANGUAGE sql STABLE AS $$
SELECT ROW(0, (p_mismatch).merchant_id, (p_mismatch).checkout_id,
    (p_mismatch).psp, 'operator', NULL, NULL, (p_mismatch).kind, p_news,
    NULL, NULL, (p_mismatch).object, NULL, p_amount_minor,
    (SELECT c.currency FROM checkout c
     WHERE c.merchant_id = (p_mismatch).merchant_id
         AND c.checkout_id = (p_mismatch).checkout_id),
    NULL, NULL, NULL, NULL, NULL, NULL, NULL)::news
$$;
COMMENT ON FUNCTION pay.news_of_mismatch IS
    'A row of the mismatch queue as news';


-- The money in suspense of a refund or a dispute that no order bears; NULL:
-- there is none.
CREATE OR REPLACE FUNCTION pay.suspended(p_mismatch mismatch)
RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_source text := news_source(news_of_mismatch(p_mismatch, NULL, NULL));
    v_kind   text := 'unknown_' || p_mismatch.kind;
BEGIN
    IF p_mismatch.kind NOT IN ('refund', 'dispute')
        OR p_mismatch.object IS NULL
        OR is_booked(p_mismatch.merchant_id, v_source, v_kind || '_cleared')
        OR is_booked(p_mismatch.merchant_id, v_source, v_kind || '_borne')
    THEN
        RETURN NULL;
    END IF;

    RETURN (
        SELECT e.amount_minor FROM journal_entry e
        WHERE e.merchant_id = p_mismatch.merchant_id AND e.source = v_source
            AND e.kind = v_kind);
END
$$;
COMMENT ON FUNCTION pay.suspended IS
    'How much money of a refund or a dispute is in suspense';


-- The refund or dispute that can be assigned to orders, as a whole; it is not
-- one of our changes.  state: of a refund pending or succeeded, of a dispute
-- open or lost; NULL: there is nothing to assign.
CREATE OR REPLACE FUNCTION pay.to_be_laid(
    p_mismatch mismatch, OUT state text, OUT amount_minor bigint)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p_mismatch.kind = 'refund' THEN
        SELECT max(CASE c.status WHEN 'SUCCESS' THEN 'succeeded'
                                 ELSE 'pending' END), sum(c.amount_minor)
        INTO state, amount_minor
        FROM unnest(parts_of(p_mismatch.merchant_id, p_mismatch.checkout_id,
            p_mismatch.psp, p_mismatch.object)) c
        WHERE c.status IN ('EXECUTING', 'SUCCESS');

        IF state IS NULL THEN
            amount_minor := suspended(p_mismatch);
            state := CASE WHEN amount_minor IS NOT NULL
                          THEN 'succeeded' END;
        END IF;
    ELSIF p_mismatch.kind = 'dispute' THEN
        SELECT max(d.state), sum(d.amount_minor) INTO state, amount_minor
        FROM unnest(dispute_parts(p_mismatch.psp, p_mismatch.object)) d
        WHERE d.state IN ('open', 'lost')
            AND d.merchant_id = p_mismatch.merchant_id
            AND d.checkout_id = p_mismatch.checkout_id
            AND NOT is_booked(d.merchant_id, dispute_source(d),
                              'unknown_dispute_borne');
    END IF;
END
$$;
COMMENT ON FUNCTION pay.to_be_laid IS
    'The refund or the dispute that a row of the mismatch queue is about';


-- Takes back the entries of the orders it was assigned to, and the money in
-- suspense.
CREATE OR REPLACE FUNCTION pay.take_up(p_news news, p_held bigint)
RETURNS fact[] LANGUAGE plpgsql AS $$
DECLARE
    v_facts fact[] := '{}';
    v_word  fact := news_word(p_news);
    v_part  change;
    v_row   dispute;
BEGIN
    v_word.code := 'reassigned';
    v_word.reference := NULL;

    FOREACH v_part IN ARRAY CASE p_news.about WHEN 'refund' THEN parts_of(
        p_news.merchant_id, p_news.checkout_id, p_news.psp, p_news.object)
        ELSE '{}' END
    LOOP
        v_facts := v_facts || move_change(v_part, 'FAILED', v_word);
        UPDATE change c SET reference = NULL
        WHERE c.merchant_id = v_part.merchant_id
            AND c.change_id = v_part.change_id;
    END LOOP;

    FOREACH v_row IN ARRAY CASE p_news.about WHEN 'dispute'
        THEN dispute_parts(p_news.psp, p_news.object) ELSE '{}' END
    LOOP
        UPDATE dispute d
        SET state = 'moved', changed_at = clock_timestamp()
        WHERE d.psp = v_row.psp AND d.dispute_id = v_row.dispute_id
            AND d.part = v_row.part;
        CONTINUE WHEN v_row.payment_order_id IS NULL;
        v_facts := v_facts || dispute_fact(p_news, v_row,
            CASE v_row.state WHEN 'lost' THEN 'dispute_loss_moved'
                             ELSE 'dispute_moved' END);
    END LOOP;

    IF p_held IS NOT NULL THEN
        v_facts := v_facts || news_fact(p_news, 'none', NULL, psp_posting(
            p_news, 'unknown_' || p_news.about || '_cleared', p_held,
            p_news.currency), '{}');
    END IF;

    RETURN v_facts;
END
$$;
COMMENT ON FUNCTION pay.take_up IS
    'Takes back the assignment of a refund or a dispute';


-- Lays it to these orders, as the PSP's word would have.
CREATE OR REPLACE FUNCTION pay.lay_down(
    p_news news, p_state text, p_orders payment_order[], p_parts bigint[])
RETURNS fact[] LANGUAGE plpgsql AS $$
DECLARE
    v_first int;
    v_facts fact[];
BEGIN
    IF p_news.about = 'refund' THEN
        RETURN lay_refund(p_news, p_orders, p_parts);
    END IF;

    v_first := (SELECT max(d.part) + 1 FROM dispute d
                WHERE d.psp = p_news.psp AND d.dispute_id = p_news.object);
    v_facts := lay_dispute(p_news, p_orders, p_parts, v_first);

    IF p_state = 'lost' THEN
        p_news.news := 'lost';
        v_facts := v_facts || (end_dispute(p_news, dispute_parts(
            p_news.psp, p_news.object))).facts;
    END IF;

    RETURN v_facts;
END
$$;
COMMENT ON FUNCTION pay.lay_down IS 'Lays a refund or a dispute to orders';


-- Orders of this checkout with their amounts, each once; NULL: they are not.
CREATE OR REPLACE FUNCTION pay.orders_named(
    p_mismatch mismatch, p_orders text[], p_amounts bigint[])
RETURNS payment_order[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_orders payment_order[] := ARRAY(
        SELECT o FROM unnest(p_orders) WITH ORDINALITY AS u (id, n)
        CROSS JOIN LATERAL find_order(p_mismatch.merchant_id, u.id) o
        WHERE o.checkout_id = p_mismatch.checkout_id
        ORDER BY u.n);
BEGIN
    RETURN CASE WHEN cardinality(v_orders) = cardinality(p_orders)
        AND cardinality(p_orders) = cardinality(p_amounts)
        AND cardinality(p_orders) = (SELECT count(DISTINCT i)
                                     FROM unnest(p_orders) i)
        AND array_position(p_amounts, NULL) IS NULL
        AND 0 < ALL (p_amounts) THEN v_orders END;
END
$$;
COMMENT ON FUNCTION pay.orders_named IS
    'The orders that an operator has named, or NULL';


-- Assigns it to the orders of a locked checkout.  No orders: the merchant bears
-- it, which is possible only for money in suspense.
CREATE OR REPLACE FUNCTION pay.assign_money(
    p_mismatch mismatch, p_orders text[], p_amounts bigint[],
    OUT outcome text, OUT facts fact[])
LANGUAGE plpgsql AS $$
DECLARE
    v_laid   record := to_be_laid(p_mismatch);
    v_held   bigint := suspended(p_mismatch);
    v_orders payment_order[] := orders_named(p_mismatch, p_orders,
                                             p_amounts);
    v_news   news := news_of_mismatch(p_mismatch,
        CASE WHEN p_mismatch.kind = 'dispute' THEN 'opened'
             ELSE v_laid.state END, v_laid.amount_minor);
BEGIN
    outcome := CASE
        WHEN v_laid.state IS NULL THEN 'nothing'
        WHEN v_orders IS NULL THEN 'invalid'
        WHEN p_orders = '{}' AND v_held IS NULL THEN 'invalid'
        WHEN p_orders <> '{}' AND v_laid.amount_minor
            <> (SELECT sum(a) FROM unnest(p_amounts) a) THEN 'sum' END;

    IF outcome IS NOT NULL THEN
        RETURN;
    ELSIF p_orders = '{}' THEN
        outcome := 'assigned';
        facts := ARRAY[news_fact(v_news, 'none', NULL, psp_posting(v_news,
            'unknown_' || v_news.about || '_borne', v_held,
            v_news.currency), '{}')];
        RETURN;
    END IF;

    facts := take_up(v_news, v_held);
    v_orders := orders_named(p_mismatch, p_orders, p_amounts);

    IF EXISTS (
        SELECT FROM generate_subscripts(p_amounts, 1) n
        WHERE p_amounts[n] > room_of(v_orders[n], p_mismatch.kind))
    THEN
        RAISE EXCEPTION 'more than an order can bear' USING ERRCODE = 'PAY30';
    END IF;

    facts := facts || lay_down(v_news, v_laid.state, v_orders, p_amounts);
    outcome := 'assigned';
END
$$;
COMMENT ON FUNCTION pay.assign_money IS
    'Lays a refund or a dispute to the orders that an operator names';


-- "12.34" in minor units of a currency; NULL for a text that is no amount of
-- it.
CREATE OR REPLACE FUNCTION pay.minor_of(p_amount text, p_currency text)
RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_minor numeric;
BEGIN
    IF p_amount !~ '^[0-9]{1,15}(\.[0-9]{1,4})?$' THEN
        RETURN NULL;
    END IF;

    v_minor := (SELECT p_amount::numeric * 10::numeric ^ k.exponent
                FROM currency k WHERE k.code = p_currency);

    RETURN CASE WHEN v_minor = trunc(v_minor)
                     AND v_minor <= 999999999999999 THEN v_minor END;
END
$$;
COMMENT ON FUNCTION pay.minor_of IS
    'A decimal amount in minor units, exactly, or NULL';


-- The entries of a checkout's refunds or disputes that settlement files bring.
CREATE OR REPLACE FUNCTION pay.expected_entries(p_mismatch mismatch)
RETURNS journal_entry[] LANGUAGE sql STABLE AS $$
SELECT ARRAY(
    SELECT e FROM journal_entry e
    JOIN settlement_expected x ON x.kind = e.kind
        AND x.family = (p_mismatch).kind
    WHERE e.checkout_id = (p_mismatch).checkout_id
        AND e.merchant_id = (p_mismatch).merchant_id
        AND e.psp = (p_mismatch).psp
        AND NOT starts_with(e.source, 'settlement/'))
$$;
COMMENT ON FUNCTION pay.expected_entries IS
    'The entries of a checkout that a settlement file brings';


-- The PSP has moved the money once, and its file brings one row of it.  An entry
-- that was taken back before any file came is settled together with the entry
-- that took it back: match 0 has no row.  Where one row has settled the old entry
-- already, the new entries belong to that row; where several rows have, the new
-- entries stay open, and the queue of overdue entries has them.
-- p_before: the entries before the assignment.
CREATE OR REPLACE FUNCTION pay.settle_assigned(
    p_mismatch mismatch, p_before journal_entry[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_after   journal_entry[] := expected_entries(p_mismatch);
    v_taken   text[];
    v_matches bigint[];
BEGIN
    v_taken := ARRAY(
        SELECT a.source FROM unnest(v_after) a
        JOIN settlement_expected x ON x.kind = a.kind AND x.sign > 0
        WHERE a <> ALL (p_before));
    v_matches := ARRAY(
        SELECT DISTINCT coalesce(c.match_id, 0) FROM unnest(p_before) b
        LEFT JOIN settlement_closed c ON c.merchant_id = b.merchant_id
            AND c.source = b.source AND c.kind = b.kind
        WHERE b.source = ANY (v_taken));

    IF cardinality(v_matches) <> 1 THEN
        RETURN;
    END IF;

    INSERT INTO settlement_closed (merchant_id, source, kind, match_id)
    SELECT a.merchant_id, a.source, a.kind, v_matches[1]
    FROM unnest(v_after) a
    WHERE CASE WHEN v_matches[1] = 0 THEN a.source = ANY (v_taken)
               ELSE a <> ALL (p_before) END
    ON CONFLICT DO NOTHING;

    UPDATE settlement_exception x
    SET closed_at = clock_timestamp(), closed_as = 'matched'
    FROM unnest(p_before) b
    WHERE v_matches[1] = 0 AND b.source = ANY (v_taken)
        AND x.row_id IS NULL AND x.closed_at IS NULL
        AND x.merchant_id = b.merchant_id AND x.source = b.source
        AND x.kind = b.kind;
END
$$;
COMMENT ON FUNCTION pay.settle_assigned IS
    'Settles the entries of an assignment that no file brings';


-- Amounts are decimals in the currency of the checkout.
CREATE OR REPLACE FUNCTION pay_ops.assign_mismatch(
    p_id bigint, p_orders text[], p_amounts text[], p_who text, p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_mismatch mismatch;
    v_amounts  bigint[];
    v_before   journal_entry[];
    v_done     record;
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why)
        OR p_orders IS NULL OR p_amounts IS NULL
        OR cardinality(p_orders) > 20
    THEN
        RETURN 'invalid';
    END IF;

    SELECT * INTO v_mismatch FROM mismatch m WHERE m.mismatch_id = p_id;
    IF NOT FOUND THEN
        RETURN 'not_found';
    END IF;

    -- files, and the round of overdue entries, lock their source first
    PERFORM FROM settlement_source s
    WHERE s.psp = v_mismatch.psp ORDER BY s.source FOR UPDATE;
    PERFORM lock_checkouts(ARRAY[v_mismatch.merchant_id]::text[],
                           ARRAY[v_mismatch.checkout_id]::text[]);
    v_before := expected_entries(v_mismatch);
    v_amounts := ARRAY(
        SELECT minor_of(a, (news_of_mismatch(v_mismatch, NULL,
                                             NULL)).currency)
        FROM unnest(p_amounts) WITH ORDINALITY AS u (a, n) ORDER BY u.n);
    v_done := assign_money(v_mismatch, p_orders, v_amounts);

    IF v_done.outcome = 'assigned' THEN
        INSERT INTO mismatch_settlement (merchant_id, checkout_id,
            mismatch_id, who, why)
        VALUES (v_mismatch.merchant_id, v_mismatch.checkout_id, p_id, p_who,
            p_why)
        ON CONFLICT DO NOTHING;

        PERFORM record_facts(number_facts(v_done.facts || settled_fact(
            v_mismatch, p_who, p_why, jsonb_build_object('assigned', (
                SELECT jsonb_object_agg(u.id, u.amount)
                FROM unnest(p_orders, v_amounts) AS u (id, amount)))), 0));
        PERFORM settle_assigned(v_mismatch, v_before);
    END IF;

    RETURN v_done.outcome;
EXCEPTION WHEN SQLSTATE 'PAY30' THEN
    RETURN 'exceeds';
END
$$;
COMMENT ON FUNCTION pay_ops.assign_mismatch IS
    'Assigns a refund or a dispute to orders by an operator''s decision, or '
    'has the merchant bear it (no orders): assigned, nothing, sum, exceeds, '
    'not_found or invalid';
