-- The acts of the console, behind make_act(), which has judged the right to
-- them and holds the lock of all acts.  Each calls the function that payctl or
-- the API calls, so that there is no second way to do a thing.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The sentence for staff about an outcome of payctl's functions.
CREATE OR REPLACE FUNCTION pay.console_act_words(p_outcome text)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT CASE p_outcome
    WHEN 'nothing_to_do' THEN 'There is nothing to try again: the work is '
        'over, or something else does it already.'
    WHEN 'late_payment' THEN 'Money came too late. payctl dlq accept or '
        'resolve decides about it.'
    WHEN 'closed' THEN 'It is closed already.'
    WHEN 'not_paid' THEN 'The order has no captured money.'
    WHEN 'nothing_left' THEN 'Nothing is left to refund.'
    WHEN 'exceeds' THEN 'The amount is more than is left to refund.'
    WHEN 'overdraws' THEN 'The seller has less available than the refund '
        'takes.'
    WHEN 'not_found' THEN 'It is not there any more.'
    ELSE 'It could not be done: ' || p_outcome || '.' END
$$;
COMMENT ON FUNCTION pay.console_act_words IS
    'A sentence about an outcome, for staff';


CREATE OR REPLACE FUNCTION pay.console_answer(
    p_act text, p_object text, p_result text,
    p_proposal console_proposal DEFAULT NULL, p_change_id text DEFAULT NULL)
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT jsonb_build_object('act', p_act, 'object', p_object,
    'result', p_result, 'proposal_id', p_proposal.proposal_id,
    'until', iso_time(p_proposal.until), 'change_id', p_change_id)
$$;
COMMENT ON FUNCTION pay.console_answer IS 'The answer to one who has acted';


-- The line of payments_console_refund for a currency, in its smallest unit; NULL
-- where there is none.
CREATE OR REPLACE FUNCTION pay.console_limits(
    p_terms jsonb, p_currency text, OUT each bigint, OUT person bigint,
    OUT day bigint)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT console_minor(l.value ->> 'each', p_currency),
        console_minor(l.value ->> 'person', p_currency),
        console_minor(l.value ->> 'day', p_currency)
    INTO each, person, day
    FROM jsonb_array_elements(p_terms -> 'limits') l
    WHERE l.value ->> 'currency' = p_currency;
END
$$;
COMMENT ON FUNCTION pay.console_limits IS
    'The limits of refunds from the console in a currency';


-- Refunds that were approved since midnight UTC, and those that wait: the sums
-- do not grow by an approval, so that one who may propose may be approved.
CREATE OR REPLACE FUNCTION pay.console_limit_fault(
    p_terms jsonb, p_who text, p_currency text, p_amount_minor bigint,
    p_but bigint)
RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_limits record;
    v_sum    record;
BEGIN
    SELECT * INTO v_limits FROM console_limits(p_terms, p_currency);

    SELECT coalesce(sum(p.amount_minor), 0) AS all_of,
        coalesce(sum(p.amount_minor) FILTER (
            WHERE lower(p.proposed_by) = lower(p_who)), 0) AS theirs
    INTO v_sum
    FROM (SELECT w.* FROM console_proposal w
          WHERE w.currency = p_currency AND w.state = 'waiting'
              AND w.until > now()
          UNION ALL
          SELECT d.* FROM console_proposal d
          WHERE d.currency = p_currency AND d.state = 'done'
              AND d.decided_at >= date_trunc('day', now() AT TIME ZONE 'UTC')
                  AT TIME ZONE 'UTC') p
    WHERE p.act = 'refund' AND p.proposal_id <> p_but;

    RETURN CASE
        WHEN v_limits.each IS NULL THEN 'The console refunds nothing in '
            || p_currency || ': payments_console_refund has no line for it.'
        WHEN p_amount_minor > v_limits.each
            THEN 'One refund from the console may be '
            || decimal_text(v_limits.each, p_currency) || ' ' || p_currency
            || ' at most.'
        WHEN v_sum.theirs + p_amount_minor > v_limits.person
            THEN 'A person may refund '
            || decimal_text(v_limits.person, p_currency) || ' ' || p_currency
            || ' a day from the console.'
        WHEN v_sum.all_of + p_amount_minor > v_limits.day
            THEN 'The console may refund '
            || decimal_text(v_limits.day, p_currency) || ' ' || p_currency
            || ' a day.' END;
END
$$;
COMMENT ON FUNCTION pay.console_limit_fault IS
    'The sentence about the limit that a refund breaks; NULL: none';


CREATE OR REPLACE FUNCTION pay.propose_console_act(
    p_act text, p_who text, p_body jsonb, p_order payment_order,
    p_amount_minor bigint)
RETURNS console_proposal LANGUAGE plpgsql AS $$
DECLARE
    v_proposal console_proposal;
BEGIN
    INSERT INTO console_proposal (until, act, merchant_id, checkout_id,
        object, amount_minor, currency, outcome, proposed_by, reason)
    VALUES (clock_timestamp() + console_proposal_life(), p_act,
        p_order.merchant_id, p_order.checkout_id, p_body ->> 'object',
        p_amount_minor, p_order.currency,
        CASE WHEN p_act = 'settle' THEN p_body ->> 'outcome' END, p_who,
        p_body ->> 'reason')
    RETURNING * INTO v_proposal;

    RETURN v_proposal;
END
$$;
COMMENT ON FUNCTION pay.propose_console_act IS
    'Writes a proposal that waits for a second person';


CREATE OR REPLACE FUNCTION pay.propose_refund(
    p_who text, p_body jsonb, p_terms jsonb, OUT outcome text,
    OUT words text, OUT proposal console_proposal)
LANGUAGE plpgsql AS $$
DECLARE
    v_order payment_order;
    v_minor numeric;
    v_terms record;
BEGIN
    SELECT * INTO v_order
    FROM find_order(p_body ->> 'merchant', p_body ->> 'object');
    v_minor := console_minor(p_body ->> 'amount', v_order.currency);

    IF p_body ->> 'currency' <> v_order.currency THEN
        outcome := 'invalid';
        words := 'currency must be ' || v_order.currency
            || ', the order''s';
        RETURN;
    ELSIF v_minor IS NULL OR v_minor NOT BETWEEN 1 AND 999999999999999 THEN
        outcome := 'invalid';
        words := 'amount must be above zero, with no more decimals than '
            || v_order.currency || ' has';
        RETURN;
    END IF;

    v_terms := refund_terms(v_order, v_minor::bigint);
    words := console_limit_fault(p_terms, p_who, v_order.currency,
                                 v_minor::bigint, 0);

    IF v_terms.outcome <> 'created' THEN
        outcome := 'unchanged';
        words := console_act_words(v_terms.outcome);
    ELSIF words IS NOT NULL THEN
        outcome := 'blocked';
    ELSE
        proposal := propose_console_act('refund', p_who, p_body, v_order,
                                        v_minor::bigint);
        outcome := 'done';
    END IF;
END
$$;
COMMENT ON FUNCTION pay.propose_refund IS
    'Proposes a refund that its order and the limits allow';


CREATE OR REPLACE FUNCTION pay.propose_settle(
    p_who text, p_body jsonb, OUT outcome text, OUT words text,
    OUT proposal console_proposal)
LANGUAGE plpgsql AS $$
DECLARE
    v_change change := find_change(p_body ->> 'merchant',
                                   p_body ->> 'object');
    v_order  payment_order;
BEGIN
    IF v_change.status NOT IN ('NOT_STARTED', 'EXECUTING') THEN
        outcome := 'unchanged';
        words := console_act_words('closed');
        RETURN;
    END IF;

    SELECT * INTO v_order
    FROM find_order(v_change.merchant_id, v_change.payment_order_id);
    proposal := propose_console_act('settle', p_who, p_body, v_order,
                                    v_change.amount_minor);
    outcome := 'done';
END
$$;
COMMENT ON FUNCTION pay.propose_settle IS
    'Proposes the outcome of a change that only operators know';


-- As POST …/refunds, with the name of the one who has proposed it; the job is
-- due at once, as no request waits for the PSP.  The staff's reason stays here:
-- that of a refund goes to the merchant and to the PSP.
CREATE OR REPLACE FUNCTION pay.refund_as_proposed(
    p_proposal console_proposal, p_terms jsonb, p_request_id text,
    OUT result text, OUT change_id text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_key text := 'console-' || p_proposal.proposal_id;
BEGIN
    SELECT b.outcome, b.change_id INTO result, change_id
    FROM pay_api.begin_change(ARRAY[p_proposal.merchant_id::text],
        ARRAY[p_proposal.object::text],
        ARRAY[CASE WHEN p_terms -> 'covered' ? p_proposal.merchant_id
                   THEN 'covered_refund' ELSE 'refund' END],
        ARRAY[gen_random_uuid()::text], ARRAY[v_key],
        ARRAY[sha256(convert_to(v_key, 'UTF8'))], ARRAY[315360000::bigint],
        ARRAY[p_proposal.amount_minor::bigint],
        ARRAY[p_proposal.currency::text], ARRAY[NULL::text],
        ARRAY[NULL::jsonb], ARRAY[0::bigint], ARRAY[p_request_id],
        ARRAY[jsonb_build_object('kid', 'console',
                                 'sub', p_proposal.proposed_by)]) b
    LIMIT 1;

    result := CASE result WHEN 'created' THEN 'done' ELSE result END;
END
$$;
COMMENT ON FUNCTION pay.refund_as_proposed IS
    'Begins the refund of a proposal: done, or an outcome of begin_change()';


CREATE OR REPLACE FUNCTION pay.settle_as_proposed(
    p_proposal console_proposal, p_who text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_result text;
BEGIN
    v_result := pay_ops.settle_change(p_proposal.merchant_id,
        p_proposal.object, p_proposal.outcome = 'done',
        left(p_proposal.proposed_by || ' with ' || p_who, 200),
        p_proposal.reason);

    RETURN CASE v_result WHEN 'settled' THEN 'done' ELSE v_result END;
END
$$;
COMMENT ON FUNCTION pay.settle_as_proposed IS
    'Ends the change of a proposal: done, or an outcome of settle_change()';


-- The decision and the act are one transaction: a crash leaves both or none.
CREATE OR REPLACE FUNCTION pay.decide_proposal(
    p_act text, p_who text, p_body jsonb, p_terms jsonb, p_request_id text,
    OUT outcome text, OUT words text, OUT proposal console_proposal,
    OUT change_id text)
LANGUAGE plpgsql AS $$
DECLARE
    v_result text;
    v_made   record;
BEGIN
    SELECT * INTO proposal FROM console_proposal p
    WHERE p.proposal_id = console_number(p_body ->> 'object') FOR UPDATE;

    IF proposal.state <> 'waiting' THEN
        outcome := 'unchanged';
        words := 'The proposal is decided already: ' || proposal.state || '.';
        RETURN;
    ELSIF proposal.until <= now() THEN
        outcome := 'gone';
        words := 'The proposal has expired: it can be made anew.';
        RETURN;
    ELSIF p_act = 'approve' AND proposal.act = 'refund' THEN
        words := console_limit_fault(p_terms, proposal.proposed_by,
            proposal.currency, proposal.amount_minor, proposal.proposal_id);

        IF words IS NOT NULL THEN
            outcome := 'blocked';
            RETURN;
        END IF;

        v_made := refund_as_proposed(proposal, p_terms, p_request_id);
        v_result := v_made.result;
        change_id := v_made.change_id;
    ELSIF p_act = 'approve' THEN
        v_result := settle_as_proposed(proposal, p_who);
        change_id := proposal.object;
    END IF;

    UPDATE console_proposal p
    SET state = CASE WHEN p_act = 'reject' THEN 'rejected'
                     WHEN p_act = 'withdraw' THEN 'withdrawn'
                     WHEN v_result = 'done' THEN 'done' ELSE 'failed' END,
        decided_at = clock_timestamp(), decided_by = p_who,
        decided_why = p_body ->> 'reason', result = v_result
    WHERE p.proposal_id = proposal.proposal_id
    RETURNING * INTO proposal;

    outcome := CASE proposal.state WHEN 'failed' THEN 'unchanged'
                                   ELSE 'done' END;
    words := CASE proposal.state WHEN 'failed'
                  THEN console_act_words(v_result) END;
END
$$;
COMMENT ON FUNCTION pay.decide_proposal IS
    'Approves, rejects or withdraws a proposal, and does an approved one';


-- The document that payctl proof signs, too.
CREATE OR REPLACE FUNCTION pay.console_proof(p_body jsonb)
RETURNS text LANGUAGE sql STABLE AS $$
SELECT pay_ops.make_proof(p_body ->> 'merchant', p_body ->> 'object')
$$;
COMMENT ON FUNCTION pay.console_proof IS
    'The document of the proof of an order, which nginx signs';


CREATE OR REPLACE FUNCTION pay.do_console_act(
    p_act text, p_who text, p_body jsonb, p_terms jsonb, p_request_id text,
    OUT outcome text, OUT words text, OUT answer jsonb,
    OUT checkout_id text, OUT proposal_id bigint)
LANGUAGE plpgsql AS $$
DECLARE
    v_object text := p_body ->> 'object';
    v_result text := 'done';
    v_made   record;
BEGIN
    outcome := 'done';

    IF p_act = 'requeue' THEN
        v_result := pay_ops.requeue_dead_letter(console_number(v_object),
            p_who, p_body ->> 'reason');
    ELSIF p_act IN ('enable', 'disable') THEN
        v_result := pay_ops.enable_endpoint(v_object, p_act = 'enable',
            p_who, p_body ->> 'reason');
    ELSIF p_act NOT IN ('export', 'look', 'proof') THEN
        IF p_act = 'refund' THEN
            SELECT r.*, NULL::text AS change_id INTO v_made
            FROM propose_refund(p_who, p_body, p_terms) r;
        ELSIF p_act = 'settle' THEN
            SELECT s.*, NULL::text AS change_id INTO v_made
            FROM propose_settle(p_who, p_body) s;
        ELSE
            SELECT d.* INTO v_made
            FROM decide_proposal(p_act, p_who, p_body, p_terms,
                                 p_request_id) d;
        END IF;

        outcome := v_made.outcome;
        words := v_made.words;
        proposal_id := (v_made.proposal).proposal_id;
        answer := console_answer(p_act, v_object, (v_made.proposal).state,
                                 v_made.proposal, v_made.change_id);
        RETURN;
    END IF;

    IF v_result NOT IN ('done', 'requeued', 'enabled', 'disabled') THEN
        outcome := 'unchanged';
        words := console_act_words(v_result);
    END IF;

    answer := console_answer(p_act, v_object, v_result);
END
$$;
COMMENT ON FUNCTION pay.do_console_act IS
    'Does an act that is allowed: done, unchanged, blocked, gone or invalid';
