-- PSP events about refunds whose identity is not certain: a refund in suspense,
-- one that had failed before the gateway learned of it, one of ours that was
-- taken for one made at the PSP, or the other way round.  Private to schema
-- pay; 48_news.sql has the rest.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- amount_minor NULL: it never was; is_over: it is no more.
CREATE OR REPLACE FUNCTION pay.in_suspense(
    p_merchant_id text, p_psp text, p_object text,
    OUT amount_minor bigint, OUT currency text, OUT is_over boolean,
    OUT is_borne boolean)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_source text := concat('event/', p_psp, '/', p_object);
BEGIN
    SELECT e.amount_minor, e.currency INTO amount_minor, currency
    FROM journal_entry e
    WHERE e.merchant_id = p_merchant_id AND e.source = v_source
        AND e.kind = 'unknown_refund';

    is_over := amount_minor IS NOT NULL
        AND (is_booked(p_merchant_id, v_source, 'unknown_refund_cleared')
             OR is_booked(p_merchant_id, v_source,
                          'unknown_refund_borne_returned'));
    is_borne := NOT is_over
        AND is_booked(p_merchant_id, v_source, 'unknown_refund_borne');
END
$$;
COMMENT ON FUNCTION pay.in_suspense IS
    'The entries of a refund that could be attributed to no order';


CREATE OR REPLACE FUNCTION pay.cleared_as(p_is_borne boolean)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN p_is_borne THEN 'unknown_refund_borne_returned'
            ELSE 'unknown_refund_cleared' END
$$;
COMMENT ON FUNCTION pay.cleared_as IS
    'The news of a refund that was attributed to no order and comes back';


-- A refund in suspense is in the mismatch queue, whether or not a query repeats
-- it; its return goes there, too.
CREATE OR REPLACE FUNCTION pay.hear_suspended(
    p_news news, p_amount_minor bigint, p_currency text, p_is_over boolean,
    p_is_borne boolean, OUT outcome text, OUT facts fact[])
LANGUAGE plpgsql STABLE AS $$
BEGIN
    outcome := 'unchanged';
    facts := '{}';

    IF p_news.news = 'succeeded' THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news,
            CASE WHEN p_is_over THEN 'contradiction' ELSE 'unknown' END);
        facts := CASE WHEN p_news.source = 'query' AND NOT p_is_over
                      THEN '{}' ELSE facts END;
    ELSIF p_news.news = 'failed' AND NOT p_is_over THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'returned',
            psp_posting(p_news, cleared_as(p_is_borne), p_amount_minor,
                        p_currency));
    END IF;
END
$$;
COMMENT ON FUNCTION pay.hear_suspended IS
    'The effects of a PSP event about a refund that is in suspense';


-- A PSP may report that a refund has failed before it reports that it was done:
-- the failure is the newer statement, so it is kept.
CREATE OR REPLACE FUNCTION pay.keep_failure(
    p_news news, p_order payment_order, OUT outcome text, OUT facts fact[])
LANGUAGE plpgsql AS $$
DECLARE
    v_change change;
BEGIN
    IF p_order.payment_order_id IS NULL
        OR coalesce(p_news.amount_minor, 0) = 0
    THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'failed');
        RETURN;
    END IF;

    v_change := insert_outside(p_news, p_order, p_news.amount_minor);
    PERFORM set_change(v_change, 'FAILED', news_word(p_news));
    outcome := 'applied';
    facts := ARRAY[change_fact(v_change, news_word(p_news), 'refund_failed',
                               NULL)];
END
$$;
COMMENT ON FUNCTION pay.keep_failure IS
    'A refund of which nothing is known but that it has failed';


CREATE OR REPLACE FUNCTION pay.has_failed(p_news news)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM mismatch m
        WHERE m.merchant_id = p_news.merchant_id
            AND m.checkout_id = p_news.checkout_id AND m.psp = p_news.psp
            AND m.kind = 'refund' AND m.why = 'failed'
            AND m.object = p_news.object);
END
$$;
COMMENT ON FUNCTION pay.has_failed IS
    'Whether the mismatch queue has the failure of this refund';


-- The news that a PSP event about a refund would have been, for a refund that
-- is one of our changes.
CREATE OR REPLACE FUNCTION pay.news_of(
    p_change change, p_object text, p_word fact)
RETURNS news LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ROW(0, p_change.merchant_id, p_change.checkout_id, p_change.psp,
        p_word.actor, p_word.event_id, p_word.type, 'refund',
        CASE p_change.status WHEN 'SUCCESS' THEN 'succeeded'
                             WHEN 'FAILED' THEN 'failed'
                             ELSE 'pending' END,
        NULL, NULL, p_object, NULL, p_change.amount_minor, p_change.currency,
        NULL, NULL, NULL, NULL, p_word.request_id, NULL, NULL)::news;
END
$$;
COMMENT ON FUNCTION pay.news_of IS
    'The events so far about a refund, as news';


-- The PSP has named this refund of ours.  Entries that were booked under its
-- PSP reference before are taken back: those of a refund made at the PSP, or of
-- one in suspense.  Another change of ours that was matched to it has no PSP
-- reference any more.
-- failed: the PSP has reported that the refund of this reference failed.
-- done: the buyer has the money, and no other event will report it.
CREATE OR REPLACE FUNCTION pay.own_object(
    p_change change, p_object text, p_word fact,
    OUT facts fact[], OUT failed boolean, OUT done boolean)
LANGUAGE plpgsql AS $$
DECLARE
    v_other change;
    v_held  record := in_suspense(p_change.merchant_id, p_change.psp,
                                  p_object);
BEGIN
    facts := '{}';
    failed := v_held.is_over;
    done := v_held.amount_minor IS NOT NULL;
    p_word.code := 'own_refund';
    p_word.reference := NULL;

    FOR v_other IN
        SELECT c.* FROM change c
        WHERE c.merchant_id = p_change.merchant_id
            AND c.checkout_id = p_change.checkout_id AND c.kind = 'refund'
            AND c.psp = p_change.psp AND c.reference = p_object
            AND c.change_id <> p_change.change_id
    LOOP
        failed := failed OR v_other.status = 'FAILED';
        done := done OR v_other.status = 'SUCCESS';
        IF v_other.origin = 'psp' AND v_other.status <> 'FAILED' THEN
            facts := facts || move_change(v_other, 'FAILED', p_word);
        END IF;

        UPDATE change c
        SET reference = NULL, matched_to = CASE v_other.origin
            WHEN 'psp' THEN p_change.change_id END
        WHERE c.merchant_id = v_other.merchant_id
            AND c.change_id = v_other.change_id;
    END LOOP;

    IF v_held.amount_minor IS NOT NULL AND NOT v_held.is_over
        AND p_change.status <> 'FAILED'
    THEN
        facts := facts || doubt(change_fact(p_change, p_word, '',
            psp_posting(news_of(p_change, p_object, p_word),
                cleared_as(v_held.is_borne), v_held.amount_minor,
                v_held.currency)),
            'refund', 'found', p_object, v_held.amount_minor,
            v_held.currency);
    END IF;
END
$$;
COMMENT ON FUNCTION pay.own_object IS
    'Takes back the entries of a refund that proves to be ours';


-- A refund of ours, by our id or its own, or by its amount.
CREATE OR REPLACE FUNCTION pay.hear_own_refund(
    p_change change, p_news news, OUT outcome text, OUT facts fact[])
LANGUAGE plpgsql AS $$
DECLARE
    v_is_named boolean := coalesce(p_change.change_id = p_news.operation_id,
                                   false);
    v_own      record;
    v_heard    record;
BEGIN
    facts := '{}';

    IF p_change.reference IS NULL AND v_is_named THEN
        v_own := own_object(p_change, p_news.object, news_word(p_news));
        facts := v_own.facts;
        p_news.news := CASE WHEN v_own.failed THEN 'failed'
                            WHEN v_own.done AND p_news.news = 'pending'
                            THEN 'succeeded'
                            ELSE p_news.news END;
    END IF;

    IF p_change.reference IS NULL AND p_change.status <> 'FAILED'
        AND (p_change.status <> 'SUCCESS' OR p_news.news <> 'failed')
    THEN
        UPDATE change c
        SET reference = p_news.object, by_amount = NOT v_is_named
        WHERE c.merchant_id = p_change.merchant_id
            AND c.change_id = p_change.change_id
        RETURNING c.* INTO p_change;
    END IF;

    v_heard := hear_change(p_change, p_news);
    outcome := CASE WHEN facts <> '{}' AND v_heard.outcome = 'unchanged'
                    THEN 'applied' ELSE v_heard.outcome END;
    facts := facts || v_heard.facts;
END
$$;
COMMENT ON FUNCTION pay.hear_own_refund IS
    'The effects of a PSP event about a refund that was requested';


-- The answer to our own call says which refund is ours: this one, or none
-- (p_is_none).  A refund that was matched by its amount (change_meant) then was
-- made at the PSP, or is that of a duplicate change.
CREATE OR REPLACE FUNCTION pay.sort_refund(
    p_change change, p_word fact, p_is_none boolean,
    OUT sorted change, OUT facts fact[])
LANGUAGE plpgsql AS $$
DECLARE
    v_name text := nullif(p_word.reference, '');
    v_own  record;
BEGIN
    sorted := p_change;
    facts := '{}';

    IF v_name IS NULL AND NOT (p_is_none AND p_change.by_amount) THEN
        RETURN;
    END IF;

    v_own := own_object(p_change, v_name, p_word);
    facts := v_own.facts;

    UPDATE change c SET reference = v_name, by_amount = false
    WHERE c.merchant_id = p_change.merchant_id
        AND c.change_id = p_change.change_id
    RETURNING c.* INTO sorted;

    IF p_change.status <> 'FAILED' AND v_own.failed
        OR p_change.status = 'SUCCESS' AND v_name IS NULL
    THEN
        facts := facts || move_change(sorted, 'FAILED', p_word);
        sorted := find_change(p_change.merchant_id, p_change.change_id);
    ELSIF v_own.done AND (p_change.status IN ('NOT_STARTED', 'EXECUTING')
        -- an operator had given it up, and the PSP had made it
        OR p_change.status = 'FAILED' AND NOT p_change.returned
            AND NOT v_own.failed)
    THEN
        facts := facts || move_change(sorted, 'SUCCESS', p_word);
        sorted := find_change(p_change.merchant_id, p_change.change_id);
    ELSIF p_change.status = 'EXECUTING' AND v_name IS NULL THEN
        PERFORM start_job(p_change.merchant_id, p_change.checkout_id,
                          'change', p_change.change_id);
    END IF;

    IF p_change.by_amount AND p_change.reference <> coalesce(v_name, '') THEN
        facts := facts || (hear_refund(news_of(p_change, p_change.reference,
                                               p_word))).facts;
    END IF;
END
$$;
COMMENT ON FUNCTION pay.sort_refund IS
    'Separates a refund of ours from one that was matched to it';
