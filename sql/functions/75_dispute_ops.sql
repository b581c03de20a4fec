-- The function with which operators end a dispute whose end its PSP does not
-- tell: they have seen it there.  The effects are those of the PSP's own word.
-- For payments_operator; the gateway never calls it.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Facts of an operator, with the name and the reason.  A doubt has a reason of
-- its own.
CREATE OR REPLACE FUNCTION pay.facts_of_operator(
    p_facts fact[], p_who text, p_why text)
RETURNS fact[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_said jsonb := jsonb_build_object('who', p_who, 'why', p_why,
                                       'role', session_user);
BEGIN
    FOR v_n IN 1 .. cardinality(p_facts) LOOP
        IF p_facts[v_n].kind <> 'mismatch' THEN
            p_facts[v_n].detail := coalesce(p_facts[v_n].detail, '{}')
                || v_said;
        END IF;
    END LOOP;

    RETURN number_facts(p_facts, 0);
END
$$;
COMMENT ON FUNCTION pay.facts_of_operator IS
    'Facts with the name of the operator who states them, and the reason';


-- A dispute about which a later word of the PSP comes after all: the same end
-- is no news, another one is a contradiction for the mismatch queue.
CREATE OR REPLACE FUNCTION pay_ops.settle_dispute(
    p_psp text, p_dispute_id text, p_end text, p_who text, p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_first dispute := (dispute_parts(p_psp, p_dispute_id))[1];
    v_news  news;
BEGIN
    IF (p_end IN ('won', 'lost')) IS NOT TRUE OR NOT is_statement(p_who)
        OR NOT is_statement(p_why)
    THEN
        RETURN 'invalid';
    ELSIF v_first.dispute_id IS NULL THEN
        RETURN 'not_found';
    END IF;

    PERFORM lock_checkouts(ARRAY[v_first.merchant_id]::text[],
                           ARRAY[v_first.checkout_id]::text[]);
    v_first := (dispute_parts(p_psp, p_dispute_id))[1];

    IF v_first.state <> 'open' THEN
        RETURN 'closed';
    END IF;

    v_news.item := 0;
    v_news.merchant_id := v_first.merchant_id;
    v_news.checkout_id := v_first.checkout_id;
    v_news.psp := p_psp;
    v_news.source := 'operator';
    v_news.about := 'dispute';
    v_news.news := p_end;
    v_news.object := p_dispute_id;
    v_news.currency := v_first.currency;
    PERFORM record_facts(facts_of_operator((end_dispute(v_news,
        dispute_parts(p_psp, p_dispute_id))).facts, p_who, p_why));

    RETURN 'settled';
END
$$;
COMMENT ON FUNCTION pay_ops.settle_dispute IS
    'Ends a dispute by an operator''s word, won or lost: settled, closed, '
    'not_found or invalid';
