-- PSP events about disputes and fees, as 48_news.sql does it for refunds, and
-- the choice between all these functions.  Private to schema pay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The source of the entries of one part.  No PSP's id has a blank.
CREATE OR REPLACE FUNCTION pay.dispute_source(p_dispute dispute)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT concat('dispute/', (p_dispute).psp, '/', (p_dispute).dispute_id,
    CASE WHEN (p_dispute).part > 1 THEN ' ' || (p_dispute).part END)
$$;
COMMENT ON FUNCTION pay.dispute_source IS
    'The source of entries of a part of a dispute';


-- NULL where another checkout has just got it.  p_order NULL: no order bears
-- it.  A part behind one that was won is of the next round: the PSP has taken
-- the money again.
CREATE OR REPLACE FUNCTION pay.insert_dispute(
    p_news news, p_order payment_order, p_amount_minor bigint, p_part int)
RETURNS dispute LANGUAGE plpgsql AS $$
DECLARE
    v_dispute dispute;
    v_seller  bigint;
BEGIN
    IF p_order.payment_order_id IS NOT NULL THEN
        v_seller := seller_share(p_order, p_amount_minor);
    END IF;

    INSERT INTO dispute (psp, dispute_id, part, merchant_id, checkout_id,
        payment_order_id, state, amount_minor, currency, seller_minor,
        seller_currency, code, round)
    VALUES (p_news.psp, p_news.object, p_part, p_news.merchant_id,
        p_news.checkout_id, p_order.payment_order_id, 'open',
        p_amount_minor, p_news.currency, v_seller,
        CASE WHEN v_seller IS NOT NULL THEN coalesce(
            p_order.credit_currency, p_order.currency) END, p_news.code,
        coalesce((
            SELECT d.round + (d.state = 'won')::int FROM dispute d
            WHERE d.psp = p_news.psp AND d.dispute_id = p_news.object
                AND d.part < p_part
            ORDER BY d.part DESC LIMIT 1), 1))
    ON CONFLICT (psp, dispute_id, part) DO NOTHING
    RETURNING * INTO v_dispute;

    PERFORM label_dispute(v_dispute);

    RETURN v_dispute;
END
$$;
COMMENT ON FUNCTION pay.insert_dispute IS
    'A dispute, or a part of it, of an order';


-- A part of a dispute that an order bears; p_kind: the kind of its entry.
CREATE OR REPLACE FUNCTION pay.dispute_fact(
    p_news news, p_dispute dispute, p_kind text)
RETURNS fact LANGUAGE plpgsql AS $$
DECLARE
    v_order payment_order;
    v_about jsonb := jsonb_build_object('dispute_id', p_dispute.dispute_id,
        'amount_minor', p_dispute.amount_minor,
        'currency', p_dispute.currency);
BEGIN
    UPDATE payment_order o
    SET charged_back_minor = o.charged_back_minor + p_dispute.amount_minor
        * CASE WHEN p_kind = 'dispute_opened' THEN 1
               WHEN p_kind = 'dispute_lost' THEN 0 ELSE -1 END
    WHERE o.merchant_id = p_dispute.merchant_id
        AND o.checkout_id = p_dispute.checkout_id
        AND o.payment_order_id = p_dispute.payment_order_id
    RETURNING * INTO v_order;

    IF p_kind NOT IN ('dispute_opened', 'dispute_lost') THEN
        PERFORM unsettle_disputed(p_dispute);
    END IF;

    RETURN news_fact(p_news,
        CASE WHEN p_kind IN ('dispute_moved', 'dispute_loss_moved')
             THEN 'dispute_moved' ELSE p_kind END,
        p_dispute.payment_order_id, order_posting(v_order,
            dispute_source(p_dispute), p_kind, p_dispute.psp,
            p_dispute.amount_minor, p_dispute.seller_minor,
            p_news.request_id), v_about);
END
$$;
COMMENT ON FUNCTION pay.dispute_fact IS
    'The effects of an event on the part of a dispute that an order bears';


-- p_first: the number of the first part.
CREATE OR REPLACE FUNCTION pay.lay_dispute(
    p_news news, p_orders payment_order[], p_parts bigint[], p_first int,
    OUT facts fact[])
LANGUAGE plpgsql AS $$
DECLARE
    v_dispute dispute;
BEGIN
    FOR v_n IN 1 .. cardinality(p_parts) LOOP
        v_dispute := insert_dispute(p_news, p_orders[v_n], p_parts[v_n],
                                    p_first + v_n - 1);
        IF v_dispute.dispute_id IS NULL THEN
            RETURN;
        END IF;

        facts := facts || dispute_fact(p_news, v_dispute, 'dispute_opened');
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay.lay_dispute IS
    'Lays a dispute to orders; NULL: another checkout has it';


-- The first event about a dispute, or about one that begins again.  Operators
-- decide if no order can bear it, or if its payment id has just moved to
-- another checkout.
CREATE OR REPLACE FUNCTION pay.open_dispute(
    p_news news, OUT outcome text, OUT facts fact[], OUT is_ours boolean)
LANGUAGE plpgsql AS $$
DECLARE
    v_order  payment_order := named_order(p_news);
    v_nobody payment_order;
    v_split  record := split_orders(p_news);
    v_part   int := (SELECT coalesce(max(d.part), 0) + 1 FROM dispute d
                     WHERE d.psp = p_news.psp
                         AND d.dispute_id = p_news.object);
BEGIN
    IF p_news.amount_minor <= room_of(v_order, 'dispute') THEN
        SELECT ARRAY[v_order] AS orders, ARRAY[p_news.amount_minor] AS parts
        INTO v_split;
    END IF;

    IF v_split.parts IS NULL THEN
        is_ours := v_part = 1 AND (insert_dispute(p_news, v_nobody,
            p_news.amount_minor, 1)).dispute_id IS NOT NULL;
        SELECT * INTO outcome, facts FROM news_doubt(p_news,
            CASE WHEN is_ours OR v_part > 1 THEN 'exceeds'
                 ELSE 'unknown' END);
        RETURN;
    END IF;

    facts := lay_dispute(p_news, v_split.orders, v_split.parts, v_part);
    is_ours := facts IS NOT NULL;
    outcome := 'applied';

    IF NOT is_ours THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'unknown');
    ELSIF cardinality(v_split.orders) > 1
        OR v_order.payment_order_id IS NULL
    THEN
        facts := facts || split_note(p_news);
    END IF;
END
$$;
COMMENT ON FUNCTION pay.open_dispute IS 'A buyer has disputed a payment';


-- The effects on each part.  A lost dispute that no order bears goes into
-- suspense and into the mismatch queue.
CREATE OR REPLACE FUNCTION pay.end_dispute(
    p_news news, p_parts dispute[], OUT outcome text, OUT facts fact[])
LANGUAGE plpgsql AS $$
DECLARE
    v_part dispute;
BEGIN
    facts := '{}';
    outcome := 'applied';

    UPDATE dispute d
    SET state = p_news.news, code = coalesce(p_news.code, d.code),
        changed_at = clock_timestamp()
    FROM unnest(p_parts) x
    WHERE d.psp = x.psp AND d.dispute_id = x.dispute_id AND d.part = x.part;

    FOREACH v_part IN ARRAY p_parts LOOP
        IF v_part.payment_order_id IS NOT NULL THEN
            facts := facts || dispute_fact(p_news, v_part,
                                           'dispute_' || p_news.news);
            CONTINUE;
        END IF;

        facts := facts || news_fact(p_news, 'dispute_' || p_news.news, NULL,
            CASE p_news.news WHEN 'lost' THEN psp_posting(p_news,
                'unknown_dispute', v_part.amount_minor, v_part.currency) END,
            jsonb_build_object('dispute_id', v_part.dispute_id,
                'amount_minor', v_part.amount_minor,
                'currency', v_part.currency));

        IF p_news.news = 'lost' AND NOT EXISTS (
            SELECT FROM open_mismatches(v_part.merchant_id,
                                        v_part.checkout_id) m
            WHERE m.kind = 'dispute' AND m.object = p_news.object)
        THEN
            facts := facts || (news_doubt(p_news, 'exceeds')).facts;
            outcome := 'mismatch';
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay.end_dispute IS 'A dispute was decided';


CREATE OR REPLACE FUNCTION pay.dispute_parts(p_psp text, p_object text)
RETURNS dispute[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(
        SELECT d FROM dispute d
        WHERE d.psp = p_psp AND d.dispute_id = p_object
            AND d.state <> 'moved' AND d.round = (
                SELECT max(x.round) FROM dispute x
                WHERE x.psp = p_psp AND x.dispute_id = p_object)
        ORDER BY d.part);
END
$$;
COMMENT ON FUNCTION pay.dispute_parts IS
    'The parts of the last round of a dispute that count';


-- The fee of a file that the event is about.  Without one of the amount it is the
-- only fee of the payment in this currency, if that stands in a converted row and
-- is a minor unit away, as match_rounded_fees finds it where the event is first.
CREATE OR REPLACE FUNCTION pay.fee_of_file(
    p_news news, p_kind text, p_amount_minor bigint, p_currency text,
    OUT source text, OUT amount_minor bigint, OUT row_id bigint,
    OUT row_kind text, OUT file_source text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT e.source, e.amount_minor, r.row_id, r.kind, e.file_source
    INTO source, amount_minor, row_id, row_kind, file_source
    FROM (SELECT j.source::text, j.amount_minor::bigint,
              split_part(j.source, '/', 2) AS file_source,
              split_part(j.source, '/', 3)::int AS version,
              count(*) OVER () AS fees
          FROM journal_entry j
          WHERE j.checkout_id = p_news.checkout_id
              AND j.merchant_id = p_news.merchant_id AND j.psp = p_news.psp
              AND j.kind = p_kind AND j.currency = p_currency
              AND starts_with(j.source, 'settlement/')
              AND NOT is_booked(j.merchant_id, j.source, CASE p_kind
                  WHEN 'psp_fee' THEN 'psp_fee_returned' ELSE 'psp_fee' END)
          OFFSET 0) e
    CROSS JOIN LATERAL (
        SELECT r.row_id, r.kind, r.psp_ref, r.kind <> 'fee'
                AND r.paid_currency <> r.currency
                AND r.finding IN ('matched', 'confirmed') AS may_round
        FROM settlement_row r
        WHERE r.source = e.file_source AND r.version = e.version
            AND r.row_key = substr(e.source, length(concat('settlement/',
                e.file_source, '/', e.version, '/')) + 1)
        OFFSET 0) r
    WHERE e.amount_minor = p_amount_minor
        OR e.fees = 1 AND abs(e.amount_minor - p_amount_minor) = 1
            AND r.may_round AND roundings_left(e.file_source, p_currency) > 0
    ORDER BY e.amount_minor = p_amount_minor DESC,
        (r.psp_ref = p_news.object) IS TRUE DESC, e.source LIMIT 1;
END
$$;
COMMENT ON FUNCTION pay.fee_of_file IS
    'The fee that a settlement file has brought before its event, or nothing';


-- A settlement file may have brought a fee before the PSP's event about it: the
-- file's entry is taken back, and its row has settled the entry of the event,
-- as if the event had come first.
CREATE OR REPLACE FUNCTION pay.take_over_fee(
    p_news news, p_kind text, p_amount_minor bigint, p_currency text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_fee  record := fee_of_file(p_news, p_kind, p_amount_minor, p_currency);
    v_sign int := CASE p_kind WHEN 'psp_fee' THEN -1 ELSE 1 END;
    v_left bigint := v_sign * (v_fee.amount_minor - p_amount_minor);
BEGIN
    IF v_fee.source IS NULL THEN
        RETURN;
    END IF;

    PERFORM post(ARRAY(
        SELECT ROW(p_news.merchant_id, v_fee.source, b.kind,
            p_news.checkout_id, NULL, p_news.psp, NULL, b.minor, p_currency,
            NULL, NULL, NULL, p_news.request_id)::posting
        FROM (VALUES
            (CASE v_sign WHEN -1 THEN 'psp_fee_returned' ELSE 'psp_fee' END,
                v_fee.amount_minor),
            (CASE WHEN v_left > 0 THEN 'rounded_up' ELSE 'rounded' END,
                abs(v_left))) AS b (kind, minor)
        WHERE b.minor <> 0));

    INSERT INTO settlement_closed (merchant_id, source, kind, match_id)
    VALUES (p_news.merchant_id, news_source(p_news), p_kind, v_fee.row_id);

    INSERT INTO settlement_link (row_id, match_id, rule)
    SELECT v_fee.row_id, v_fee.row_id, 'fee' WHERE v_fee.row_kind = 'fee';

    INSERT INTO settlement_rounding AS r (source, month, currency, rows)
    SELECT v_fee.file_source, date_trunc('month', now() AT TIME ZONE
        'UTC')::date, p_currency, 1
    WHERE v_left <> 0
    ON CONFLICT (source, month, currency) DO UPDATE SET rows = r.rows + 1;
END
$$;
COMMENT ON FUNCTION pay.take_over_fee IS
    'Takes back a fee that a settlement file has brought before its event';


-- Whatever it costs is booked once.
CREATE OR REPLACE FUNCTION pay.dispute_fee(p_news news)
RETURNS fact[] LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(p_news.fee_minor, 0) = 0
        OR NOT is_currency(p_news.fee_currency)
        OR is_booked(p_news.merchant_id, news_source(p_news), 'psp_fee')
    THEN
        RETURN '{}';
    END IF;

    PERFORM take_over_fee(p_news, 'psp_fee', p_news.fee_minor,
                          p_news.fee_currency);

    RETURN ARRAY[news_fact(p_news, 'fee', NULL, psp_posting(p_news,
        'psp_fee', p_news.fee_minor, p_news.fee_currency),
        jsonb_build_object('dispute_id', p_news.object,
            'amount_minor', p_news.fee_minor,
            'currency', p_news.fee_currency))];
END
$$;
COMMENT ON FUNCTION pay.dispute_fee IS 'The fee of a PSP for a dispute';


CREATE OR REPLACE FUNCTION pay.is_booked(
    p_merchant_id text, p_source text, p_kind text)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM journal_entry e
        WHERE e.merchant_id = p_merchant_id AND e.source = p_source
            AND e.kind = p_kind);
END
$$;
COMMENT ON FUNCTION pay.is_booked IS 'Whether the journal has this entry';


CREATE OR REPLACE FUNCTION pay.is_currency(p_currency text)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM currency k WHERE k.code = p_currency);
END
$$;
COMMENT ON FUNCTION pay.is_currency IS 'Whether there is such a currency';


-- The end of a dispute is not its end where the PSP's own time of a word is
-- later: an appeal may follow.  A word without a time is only late.
CREATE OR REPLACE FUNCTION pay.is_after_end(p_news news, p_dispute dispute)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce((p_dispute).state IN ('won', 'lost')
    AND (p_news).news <> (p_dispute).state
    AND (p_news).said_at > coalesce((p_dispute).said_at,
                                    (p_dispute).changed_at), false)
$$;
COMMENT ON FUNCTION pay.is_after_end IS
    'Whether a PSP''s word shows that a decided dispute goes on';


-- The newest time at the PSP of a word that counts.  An end without a time has
-- the one at which it was heard: changed_at.
CREATE OR REPLACE FUNCTION pay.keep_said(p_news news, p_is_end boolean)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE dispute d SET said_at = p_news.said_at
    WHERE d.psp = p_news.psp AND d.dispute_id = p_news.object
        AND (p_news.said_at > coalesce(d.said_at, CASE
                 WHEN d.state IN ('won', 'lost') AND NOT p_is_end
                     THEN d.changed_at ELSE '-infinity' END)
             OR p_is_end AND p_news.said_at IS NULL
                AND d.said_at IS NOT NULL);
END
$$;
COMMENT ON FUNCTION pay.keep_said IS
    'Keeps the PSP''s time of its word about a dispute';


-- A decision may be the first that is heard of it.  A dispute that was won and
-- goes on takes the money again, as parts of a new round.  One that was lost
-- gives none back by going on: operators hear of it.
CREATE OR REPLACE FUNCTION pay.hear_dispute(
    p_news news, OUT outcome text, OUT facts fact[])
LANGUAGE plpgsql AS $$
DECLARE
    v_parts dispute[] := dispute_parts(p_news.psp, p_news.object);
    v_first dispute := v_parts[1];
    v_again boolean := is_after_end(p_news, v_first);
    v_begun boolean := v_parts = '{}' OR v_again AND v_first.state = 'won';
    v_ours  boolean := true;
    v_new   boolean := false;
    v_ended record;
    v_ends  boolean := false;
BEGIN
    outcome := 'unchanged';
    facts := '{}';

    IF p_news.object IS NULL OR (v_first.merchant_id,
        v_first.checkout_id) <> (p_news.merchant_id, p_news.checkout_id)
    THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'unknown');
        RETURN;
    ELSIF v_begun AND coalesce(p_news.amount_minor, 0) = 0 THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'amount');
        RETURN;
    ELSIF v_begun THEN
        SELECT * INTO outcome, facts, v_ours FROM open_dispute(p_news);
        v_new := outcome = 'mismatch';
        v_parts := dispute_parts(p_news.psp, p_news.object);
        v_first := v_parts[1];
    END IF;

    IF NOT v_ours THEN
        RETURN;
    ELSIF p_news.said_at < v_first.said_at THEN
        NULL;                               -- late: a newer word has counted
    ELSIF v_first.state = 'open' AND p_news.news <> 'opened' THEN
        v_ended := end_dispute(p_news, v_parts);
        v_ends := true;
        facts := facts || CASE WHEN v_new THEN v_ended.facts[:1]
                               ELSE v_ended.facts END;
        outcome := CASE outcome WHEN 'mismatch' THEN outcome
                                ELSE v_ended.outcome END;
    ELSIF p_news.news NOT IN ('opened', v_first.state)
        OR v_again AND NOT v_begun AND NOT EXISTS (
            SELECT FROM open_mismatches(v_first.merchant_id,
                                        v_first.checkout_id) m
            WHERE m.kind = 'dispute' AND m.object = p_news.object)
    THEN
        SELECT * INTO outcome, facts
        FROM news_doubt(p_news, 'contradiction');
    END IF;

    PERFORM keep_said(p_news, v_ends);
    facts := facts || dispute_fee(p_news);
END
$$;
COMMENT ON FUNCTION pay.hear_dispute IS
    'The effects of a PSP event about a dispute';


-- Charged, or given back.
CREATE OR REPLACE FUNCTION pay.hear_fee(
    p_news news, OUT outcome text, OUT facts fact[])
LANGUAGE plpgsql AS $$
DECLARE
    v_kind text := CASE p_news.news WHEN 'failed' THEN 'psp_fee_returned'
                                    ELSE 'psp_fee' END;
BEGIN
    outcome := 'unchanged';
    facts := '{}';

    IF coalesce(p_news.amount_minor, 0) = 0
        OR is_booked(p_news.merchant_id, news_source(p_news), v_kind)
    THEN
        RETURN;
    END IF;

    PERFORM take_over_fee(p_news, v_kind, p_news.amount_minor,
                          p_news.currency);

    outcome := 'applied';
    facts := ARRAY[news_fact(p_news, 'fee', NULL, psp_posting(p_news, v_kind,
        p_news.amount_minor, p_news.currency),
        jsonb_build_object('amount_minor', p_news.amount_minor,
            'currency', p_news.currency,
            'returned', CASE WHEN p_news.news = 'failed' THEN true END))];
END
$$;
COMMENT ON FUNCTION pay.hear_fee IS 'The effects of a PSP event about a fee';


-- A second payment is booked nowhere, and neither is its refund or a dispute
-- about it: the order bears nothing of them.  Only the contradiction of a second
-- payment has an object.  A refund that we have asked for is the order's,
-- whichever payment the PSP has taken it from, and so is one, or a dispute, that
-- was booked before the second payment was heard of.
CREATE OR REPLACE FUNCTION pay.is_about_second(p_news news)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN p_news.about IN ('refund', 'dispute') AND EXISTS (
        SELECT FROM mismatch m
        WHERE m.merchant_id = p_news.merchant_id
            AND m.checkout_id = p_news.checkout_id
            AND m.kind = 'contradiction' AND m.object = p_news.reference)
        AND NOT CASE p_news.about
            WHEN 'dispute'
                THEN dispute_parts(p_news.psp, p_news.object) <> '{}'
            ELSE EXISTS (
                SELECT FROM change c
                WHERE c.merchant_id = p_news.merchant_id
                    AND c.checkout_id = p_news.checkout_id
                    AND c.kind = 'refund' AND c.reference = p_news.object)
                OR EXISTS (
                    SELECT FROM dispatch d
                    WHERE d.merchant_id = p_news.merchant_id
                        AND d.checkout_id = p_news.checkout_id
                        AND d.operation = 'refund'
                        AND (d.operation_id = p_news.operation_id
                             OR d.reference = p_news.object)) END;
END
$$;
COMMENT ON FUNCTION pay.is_about_second IS
    'Whether a PSP''s word takes back a second payment of its checkout';


-- Refunds, captures and disputes are in the currency that the buyer pays; a
-- fee may be in another one.
CREATE OR REPLACE FUNCTION pay.hear_news(
    p_news news, OUT outcome text, OUT facts fact[])
LANGUAGE plpgsql AS $$
BEGIN
    IF p_news.amount_minor IS NOT NULL AND NOT (CASE p_news.about
        WHEN 'fee' THEN is_currency(p_news.currency)
        ELSE coalesce(p_news.currency = (
            SELECT c.currency FROM checkout c
            WHERE c.merchant_id = p_news.merchant_id
                AND c.checkout_id = p_news.checkout_id), false) END)
    THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'currency');
        RETURN;
    ELSIF is_about_second(p_news) THEN
        SELECT * INTO outcome, facts
        FROM news_doubt(p_news, 'second_payment');
        facts := facts || dispute_fee(p_news);
        RETURN;
    END IF;

    CASE p_news.about
    WHEN 'refund' THEN
        SELECT * INTO outcome, facts FROM hear_refund(p_news);
    WHEN 'capture' THEN
        SELECT * INTO outcome, facts FROM hear_captures(p_news);
    WHEN 'dispute' THEN
        SELECT * INTO outcome, facts FROM hear_dispute(p_news);
    ELSE
        SELECT * INTO outcome, facts FROM hear_fee(p_news);
    END CASE;
END
$$;
COMMENT ON FUNCTION pay.hear_news IS
    'The effects of a PSP event about a change, a dispute or a fee';
