-- Money that went back for a checkout with several orders, where the PSP does
-- not say for which: it is split over the orders in proportion to their
-- amounts, and its parts move as one afterwards.  Private to schema pay;
-- operators assign it otherwise with 74_assign.sql.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Splits by the largest remainder: each order gets its proportion, rounded
-- down, and the rest goes unit by unit to the largest remainders.  None gets
-- more than its capacity; where one is full, the rest is split anew over the
-- others.  NULL: the orders together have not enough capacity.
CREATE OR REPLACE FUNCTION pay.split_amount(
    p_amount bigint, p_weights bigint[], p_rooms bigint[])
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_parts  bigint[] := array_fill(0::bigint,
                                    ARRAY[cardinality(p_weights)]);
    v_open   int[] := ARRAY(
        SELECT n FROM generate_subscripts(p_rooms, 1) n
        WHERE p_rooms[n] > 0);
    v_left   bigint := p_amount;
    v_weight numeric;
    v_full   int[];
    v_n      int;
BEGIN
    LOOP
        v_weight := (SELECT sum(p_weights[n]) FROM unnest(v_open) n);
        v_full := ARRAY(
            SELECT n FROM unnest(v_open) n
            WHERE v_left::numeric * p_weights[n] > p_rooms[n] * v_weight);
        EXIT WHEN v_full = '{}';

        FOREACH v_n IN ARRAY v_full LOOP
            v_parts[v_n] := p_rooms[v_n];
            v_left := v_left - p_rooms[v_n];
        END LOOP;
        v_open := ARRAY(SELECT n FROM unnest(v_open) n
                        WHERE n <> ALL (v_full));
    END LOOP;

    IF v_open = '{}' AND v_left > 0 THEN
        RETURN NULL;
    END IF;

    FOREACH v_n IN ARRAY v_open LOOP
        v_parts[v_n] := div(v_left::numeric * p_weights[v_n], v_weight);
    END LOOP;

    FOR v_n IN
        SELECT n FROM unnest(v_open) n
        ORDER BY mod(v_left::numeric * p_weights[n], v_weight) DESC, n
        LIMIT v_left - (SELECT coalesce(sum(v_parts[n]), 0)
                        FROM unnest(v_open) n)
    LOOP
        v_parts[v_n] := v_parts[v_n] + 1;
    END LOOP;

    RETURN v_parts;
END
$$;
COMMENT ON FUNCTION pay.split_amount IS
    'An amount in proportion to weights, exactly, within rooms, or NULL';


-- The capacity of an order: for a refund the captured amount that has not gone
-- back, for a dispute the captured amount that is not disputed.
CREATE OR REPLACE FUNCTION pay.room_of(p_order payment_order, p_about text)
RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
SELECT greatest(0, (p_order).captured_minor - (p_order).charged_back_minor
    - CASE p_about WHEN 'refund' THEN (p_order).refunding_minor
                                      + (p_order).refunded_minor
                   ELSE 0 END)
$$;
COMMENT ON FUNCTION pay.room_of IS
    'How much of a refund or a dispute an order can bear';


-- No parts if the PSP names the order, or if the orders' capacity does not
-- suffice.
CREATE OR REPLACE FUNCTION pay.split_orders(
    p_news news, OUT orders payment_order[], OUT parts bigint[])
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_parts bigint[];
BEGIN
    IF (named_order(p_news)).payment_order_id IS NOT NULL THEN
        RETURN;
    END IF;

    orders := ARRAY(
        SELECT o FROM payment_order o
        WHERE o.merchant_id = p_news.merchant_id
            AND o.checkout_id = p_news.checkout_id
        ORDER BY o.position);

    v_parts := split_amount(p_news.amount_minor,
        ARRAY(SELECT o.amount_minor FROM unnest(orders) o
              ORDER BY o.position),
        ARRAY(SELECT room_of(o, p_news.about) FROM unnest(orders) o
              ORDER BY o.position));

    SELECT array_agg(orders[n] ORDER BY n), array_agg(v_parts[n] ORDER BY n)
    INTO orders, parts
    FROM generate_subscripts(v_parts, 1) n
    WHERE v_parts[n] > 0;
END
$$;
COMMENT ON FUNCTION pay.split_orders IS
    'The orders that bear a refund or a dispute, and how much of it; or NULL';


-- Records that the owner of the money is not certain, since operators may know
-- better.  keep_mismatches() closes the row at once.
CREATE OR REPLACE FUNCTION pay.split_note(p_news news)
RETURNS fact LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_note fact := doubt(news_word(p_news), p_news.about, 'split',
        p_news.object, p_news.amount_minor, p_news.currency);
BEGIN
    v_note.reference := NULL;
    v_note.postings := NULL;

    RETURN v_note;
END
$$;
COMMENT ON FUNCTION pay.split_note IS
    'The record that a refund or a dispute was split over several orders';


-- Each part is a refund of its order that was made at the PSP, under the PSP's
-- one name.
CREATE OR REPLACE FUNCTION pay.lay_refund(
    p_news news, p_orders payment_order[], p_parts bigint[])
RETURNS fact[] LANGUAGE plpgsql AS $$
DECLARE
    v_change change;
    v_facts  fact[] := '{}';
BEGIN
    FOR v_n IN 1 .. cardinality(p_parts) LOOP
        v_change := insert_outside(p_news, p_orders[v_n], p_parts[v_n]);
        v_facts := v_facts || CASE p_news.news
            WHEN 'pending' THEN ARRAY[outside_pending(v_change, p_news)]
            ELSE move_change(v_change, 'SUCCESS', news_word(p_news)) END;
    END LOOP;

    RETURN v_facts;
END
$$;
COMMENT ON FUNCTION pay.lay_refund IS
    'Lays a refund that was made at the PSP to orders';


-- The parts of a refund with this PSP reference.
CREATE OR REPLACE FUNCTION pay.parts_of(
    p_merchant_id text, p_checkout_id text, p_psp text, p_object text)
RETURNS change[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(
        SELECT c FROM change c
        WHERE c.merchant_id = p_merchant_id
            AND c.checkout_id = p_checkout_id AND c.kind = 'refund'
            AND c.origin = 'psp' AND c.psp = p_psp AND c.reference = p_object
        ORDER BY c.created_at, c.change_id);
END
$$;
COMMENT ON FUNCTION pay.parts_of IS
    'The orders to which a refund that was made at the PSP was assigned';


-- An event about a refund that was split is one about each of its parts.  They
-- were made together and move as one, unless an operator has settled a part
-- otherwise: that part keeps its status, and its amount is queued as a
-- contradiction.
CREATE OR REPLACE FUNCTION pay.hear_parts(
    p_parts change[], p_news news, OUT outcome text, OUT facts fact[])
LANGUAGE plpgsql AS $$
DECLARE
    v_part    change;
    v_news    news := p_news;
    v_one     record;
    v_refused bigint := 0;
    v_doubt   record;
BEGIN
    outcome := 'unchanged';
    facts := '{}';

    IF p_news.amount_minor <> (SELECT sum(c.amount_minor)
                               FROM unnest(p_parts) c)
    THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'amount');
        RETURN;
    END IF;

    FOREACH v_part IN ARRAY p_parts LOOP
        v_news.amount_minor := v_part.amount_minor;
        v_one := hear_change(v_part, v_news);

        IF v_one.outcome = 'contradiction' THEN
            v_refused := v_refused + v_part.amount_minor;
        ELSE
            outcome := CASE v_one.outcome WHEN 'unchanged' THEN outcome
                                          ELSE v_one.outcome END;
            facts := facts || v_one.facts;
        END IF;
    END LOOP;

    IF v_refused > 0 THEN
        v_news.amount_minor := v_refused;
        v_doubt := news_doubt(v_news, 'contradiction');
        outcome := v_doubt.outcome;
        facts := facts || v_doubt.facts;
    END IF;
END
$$;
COMMENT ON FUNCTION pay.hear_parts IS
    'The effects of a PSP event about a refund that was split over orders';
