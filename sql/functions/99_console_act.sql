-- make_act: an act of a member of staff on the console.  Here alone the right to
-- it, the merchants, the age of the log-in and the second person are judged, as
-- the role payments_console_act, which may execute nothing else.  The functions
-- that payctl and the API use do the act then
-- (99_console_act_do.sql).  Each act is a row, refused ones too.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- A log-in that is older than this, in seconds, is asked for again.
CREATE OR REPLACE FUNCTION pay.console_login_max_s()
RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 300';
COMMENT ON FUNCTION pay.console_login_max_s IS
    'How old the log-in of one who acts may be';


CREATE OR REPLACE FUNCTION pay.console_proposal_life()
RETURNS interval LANGUAGE sql IMMUTABLE AS
'SELECT interval ''24 hours''';
COMMENT ON FUNCTION pay.console_proposal_life IS
    'How long a proposal waits for a second person';


-- The acts that decide about a proposal.
CREATE OR REPLACE FUNCTION pay.console_decides(p_act text)
RETURNS boolean LANGUAGE sql IMMUTABLE AS
'SELECT p_act IN (''approve'', ''reject'', ''withdraw'')';
COMMENT ON FUNCTION pay.console_decides IS
    'Whether the object of an act is a proposal';


CREATE OR REPLACE FUNCTION pay.console_number(p_text text)
RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN p_text ~ '^[1-9][0-9]*$' AND octet_length(p_text) <= 18
            THEN p_text::bigint END
$$;
COMMENT ON FUNCTION pay.console_number IS
    'The number of a dead letter or a proposal; NULL: it is none';


-- The members that src/api/console_act.c has read, once more.
CREATE OR REPLACE FUNCTION pay.console_act_fault(p_act text, p_body jsonb)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT CASE
    WHEN NOT coalesce(uuid_ok(p_body ->> 'request'), false)
        THEN 'request must be a UUID in small letters'
    WHEN NOT id_ok(p_body ->> 'object')
        THEN 'object must be an id'
    WHEN p_act NOT IN ('export', 'look')
        AND NOT is_statement(p_body ->> 'reason')
        THEN 'reason must be 1 to 200 bytes that are not all blank'
    WHEN p_act IN ('refund', 'settle', 'proof')
        AND NOT id_ok(p_body ->> 'merchant')
        THEN 'merchant must be the merchant''s id'
    WHEN p_act = 'refund'
        AND num_nulls(p_body ->> 'amount', p_body ->> 'currency') > 0
        THEN 'a refund needs amount and currency'
    WHEN p_act = 'settle'
        AND (p_body ->> 'outcome' IN ('done', 'failed')) IS NOT TRUE
        THEN 'outcome must be done or failed'
    END
$$;
COMMENT ON FUNCTION pay.console_act_fault IS
    'The sentence about a body that is none of this act; NULL: it is one';


-- act, step: the right that it needs.  A look names its payment as the page
-- does.
CREATE OR REPLACE FUNCTION pay.console_target(
    p_act text, p_merchants jsonb, p_body jsonb)
RETURNS console_target LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_object text := p_body ->> 'object';
    v_target console_target;
BEGIN
    v_target.act := p_act;
    v_target.step := CASE WHEN p_act IN ('refund', 'settle') THEN 'propose'
                          WHEN console_decides(p_act) THEN 'approve'
                          ELSE 'act' END;

    IF console_decides(p_act) THEN
        SELECT p.act, p.merchant_id, p.checkout_id, p.proposal_id
        INTO v_target.act, v_target.merchant_id, v_target.checkout_id,
            v_target.proposal_id
        FROM console_proposal p
        WHERE p.proposal_id = console_number(v_object);
    ELSIF p_act = 'requeue' THEN
        SELECT d.merchant_id, d.checkout_id
        INTO v_target.merchant_id, v_target.checkout_id FROM dead_letter d
        WHERE d.dead_letter_id = console_number(v_object);
    ELSIF p_act = 'settle' THEN
        SELECT c.merchant_id, c.checkout_id
        INTO v_target.merchant_id, v_target.checkout_id FROM change c
        WHERE c.merchant_id = p_body ->> 'merchant'
            AND c.change_id = v_object;
    ELSIF p_act IN ('enable', 'disable') THEN
        SELECT w.merchant_id INTO v_target.merchant_id
        FROM webhook_endpoint w WHERE w.endpoint_id = v_object;
    ELSIF p_act IN ('refund', 'proof') THEN
        SELECT o.merchant_id, o.checkout_id
        INTO v_target.merchant_id, v_target.checkout_id
        FROM find_order(p_body ->> 'merchant', v_object) o;
    ELSIF p_act = 'look' THEN
        SELECT c.merchant_id, c.checkout_id
        INTO v_target.merchant_id, v_target.checkout_id
        FROM console_checkout_of(console_scope(p_merchants,
            (p_body ->> 'query')::jsonb), (p_body ->> 'query')::jsonb) c
        LIMIT 1;
    ELSE
        PERFORM 1;
    END IF;

    v_target.is_there := FOUND;

    RETURN v_target;
END
$$;
COMMENT ON FUNCTION pay.console_target IS
    'The object of an act, and the right that the act needs';


-- Those who may see a page may save its rows, those who may see data of buyers
-- may look; one's own proposal is withdrawn without a right.
CREATE OR REPLACE FUNCTION pay.console_may_act(
    p_act text, p_step text, p_roles jsonb, p_object text)
RETURNS boolean LANGUAGE sql STABLE AS $$
SELECT CASE p_act
    WHEN 'export' THEN console_may(p_object, p_roles)
    WHEN 'look' THEN EXISTS (SELECT FROM console_role r
                             WHERE p_roles ? r.role AND r.personal)
    ELSE EXISTS (SELECT FROM console_act_right r
                 WHERE r.act = p_act AND r.step = p_step
                     AND p_roles ? r.role) END
$$;
COMMENT ON FUNCTION pay.console_may_act IS
    'Whether one of these roles may do this step of an act';


CREATE OR REPLACE FUNCTION pay.console_act_roles(p_act text, p_step text)
RETURNS text LANGUAGE sql STABLE AS $$
SELECT coalesce('This act needs the role '
    || string_agg(r.role, ', ' ORDER BY r.role), 'No role may do this.')
FROM console_act_right r WHERE r.act = p_act AND r.step = p_step
$$;
COMMENT ON FUNCTION pay.console_act_roles IS
    'The sentence that names the roles that may';


-- The timeline of acts in the log.  No merchant has such an id.
CREATE OR REPLACE FUNCTION pay.console_log(
    OUT merchant_id text, OUT payment_order_id text)
LANGUAGE sql IMMUTABLE AS $$ SELECT ':console', ':acts' $$;
COMMENT ON FUNCTION pay.console_log IS
    'The merchant and the order that events of acts are logged under';


-- The event of an act.  The row and this document say the same, as a check
-- compares.
CREATE OR REPLACE FUNCTION pay.console_act_detail(p_act console_act)
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT jsonb_strip_nulls(jsonb_build_object('who', p_act.who,
    'roles', p_act.roles, 'act', p_act.act, 'object', p_act.object,
    'merchant_id', p_act.merchant_id, 'checkout_id', p_act.checkout_id,
    'reason', p_act.reason, 'result', p_act.result,
    'proposal_id', p_act.proposal_id, 'detail', p_act.detail,
    'request', p_act.request))
$$;
COMMENT ON FUNCTION pay.console_act_detail IS
    'An act as the detail of its event';


-- The caller has the lock of the acts, so that this one follows the last.
CREATE OR REPLACE FUNCTION pay.keep_console_act(p_act console_act)
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_last console_act;
    v_act  console_act := p_act;
    v_log  record := console_log();
    v_one  event;
BEGIN
    SELECT * INTO v_last FROM console_act a ORDER BY a.seq DESC LIMIT 1;

    v_act.seq := coalesce(v_last.seq, 0) + 1;
    v_act.at := greatest(clock_timestamp(), v_last.at);
    v_act.tx := greatest(this_tx(), v_last.tx);

    v_one := ROW(v_log.merchant_id, v_log.payment_order_id, v_act.seq,
        v_act.at, v_act.tx, 'console_act', 'operator',
        CASE WHEN v_act.seq > 1 THEN 'NOT_STARTED' END, 'NOT_STARTED', NULL,
        console_act_detail(v_act), v_act.request_id, NULL)::event;
    v_act.hash := event_hash(v_last.hash, v_one);
    v_one.hash := v_act.hash;

    INSERT INTO event SELECT (v_one).*;
    INSERT INTO console_act SELECT (v_act).*;

    RETURN v_act.seq;
END
$$;
COMMENT ON FUNCTION pay.keep_console_act IS
    'Writes an act down, as a row and as an event of the log: its number';


-- Whether it may be done: done, or the outcome that refuses it, with a sentence.
-- An object of another merchant is as if it were not there.
CREATE OR REPLACE FUNCTION pay.judge_console_act(
    p_act text, p_who text, p_roles jsonb, p_merchants jsonb,
    p_login_age_s bigint, p_body jsonb, p_target console_target,
    OUT outcome text, OUT words text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_sees boolean := p_act IN ('export', 'look')
        OR console_sees(console_scope(p_merchants, '{}'),
                        p_target.merchant_id);
    v_own  boolean := EXISTS (
        SELECT FROM console_proposal p
        WHERE p.proposal_id = p_target.proposal_id
            AND lower(p.proposed_by) = lower(p_who));
BEGIN
    outcome := CASE
        WHEN NOT p_target.is_there OR NOT v_sees
            THEN CASE WHEN console_decides(p_act)
                        OR console_may_act(p_act, p_target.step, p_roles,
                                           p_body ->> 'object')
                      THEN 'not_found' ELSE 'refused' END
        WHEN p_act = 'withdraw'
            THEN CASE WHEN v_own THEN 'done' ELSE 'refused' END
        WHEN NOT console_may_act(p_target.act, p_target.step, p_roles,
                                 p_body ->> 'object') THEN 'refused'
        WHEN console_decides(p_act) AND v_own THEN 'own'
        ELSE 'done' END;

    IF outcome = 'done' AND p_act NOT IN ('export', 'look', 'proof')
        AND p_login_age_s NOT BETWEEN 0 AND console_login_max_s()
    THEN
        outcome := 'stale';
    END IF;

    words := CASE outcome
        WHEN 'refused' THEN CASE WHEN p_act = 'withdraw'
            THEN 'Only the one who has proposed it may withdraw it.'
            ELSE console_act_roles(p_target.act, p_target.step) END
        WHEN 'own' THEN 'Another person than the one who has proposed it '
            'must decide.'
        WHEN 'stale' THEN CASE WHEN p_login_age_s < 0
            THEN 'The token does not say when you logged in (auth_time).'
            ELSE 'You logged in more than five minutes ago.' END END;
END
$$;
COMMENT ON FUNCTION pay.judge_console_act IS
    'Whether a member of staff may do this, and why not';


-- One act.  The lock has one act follow the other: a double click finds the
-- row of its first half.
CREATE OR REPLACE FUNCTION pay.make_one_act(
    p_act text, p_who text, p_roles jsonb, p_merchants jsonb,
    p_login_age_s bigint, p_body jsonb, p_terms jsonb, p_request_id text,
    OUT outcome text, OUT page text)
LANGUAGE plpgsql AS $$
DECLARE
    v_target console_target;
    v_before console_act;
    v_done   record;
    v_act    console_act;
BEGIN
    page := console_act_fault(p_act, p_body);
    IF page IS NOT NULL THEN
        outcome := 'invalid';
        RETURN;
    END IF;

    PERFORM pg_advisory_xact_lock(hashtext('console acts'));

    v_target := console_target(p_act, p_merchants, p_body);
    SELECT * INTO outcome, page
    FROM judge_console_act(p_act, p_who, p_roles, p_merchants,
                           p_login_age_s, p_body, v_target);

    v_act.fingerprint := sha256(convert_to(p_act || ' ' || p_body, 'UTF8'));
    SELECT * INTO v_before FROM console_act a
    WHERE a.who = p_who AND a.request = p_body ->> 'request'
        AND a.result = 'done';

    IF FOUND AND outcome IN ('done', 'stale') THEN
        outcome := CASE WHEN v_before.fingerprint = v_act.fingerprint
                        THEN 'replayed' ELSE 'key_reused' END;
        page := CASE
            WHEN outcome = 'key_reused'
                THEN 'request was used for another act.'
            WHEN p_act = 'proof' THEN console_proof(p_body)
            ELSE v_before.answer::text END;
        RETURN;
    END IF;

    IF outcome = 'done' THEN
        v_done := do_console_act(p_act, p_who, p_body, p_terms,
                                 p_request_id);
        outcome := v_done.outcome;
        page := v_done.words;
        v_target.checkout_id := coalesce(v_target.checkout_id,
                                         v_done.checkout_id);
        v_target.proposal_id := coalesce(v_target.proposal_id,
                                         v_done.proposal_id);
        v_act.answer := CASE WHEN outcome = 'done' THEN v_done.answer END;
    END IF;

    v_act.who := p_who;
    v_act.roles := p_roles;
    v_act.act := p_act;
    v_act.object := CASE WHEN p_act = 'look' THEN v_target.checkout_id
                         ELSE p_body ->> 'object' END;
    v_act.merchant_id := v_target.merchant_id;
    v_act.checkout_id := v_target.checkout_id;
    v_act.reason := p_body ->> 'reason';
    v_act.result := outcome;
    v_act.proposal_id := v_target.proposal_id;
    v_act.detail := p_body - 'object' - 'reason' - 'request' - 'merchant'
        - CASE WHEN p_act = 'look' THEN 'query' ELSE '' END;
    v_act.request := p_body ->> 'request';
    v_act.request_id := nullif(p_request_id, '');

    IF outcome = 'invalid' THEN
        RETURN;
    END IF;

    v_act.seq := keep_console_act(v_act);
    page := CASE WHEN outcome <> 'done' THEN page
                 WHEN p_act = 'proof' THEN console_proof(p_body)
                 ELSE v_act.answer::text END;
END
$$;
COMMENT ON FUNCTION pay.make_one_act IS
    'Judges an act, does it, and writes it down';


-- login_age_s: -1 when the token does not say it.  terms: the words of
-- nginx.conf about refunds.
CREATE OR REPLACE FUNCTION pay_console_act.make_act(
    p_act text[], p_staff text[], p_roles jsonb[], p_merchants jsonb[],
    p_login_age_s bigint[], p_body jsonb[], p_terms jsonb[],
    p_request_id text[])
RETURNS TABLE (item int, outcome text, page text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_one record;
BEGIN
    PERFORM check_batch(array_dims(p_act), array_dims(p_staff),
        array_dims(p_roles), array_dims(p_merchants),
        array_dims(p_login_age_s), array_dims(p_body), array_dims(p_terms),
        array_dims(p_request_id));

    FOR v_item IN 1 .. coalesce(cardinality(p_act), 0) LOOP
        v_one := make_one_act(p_act[v_item], p_staff[v_item],
            p_roles[v_item], p_merchants[v_item], p_login_age_s[v_item],
            p_body[v_item], p_terms[v_item], p_request_id[v_item]);
        item := v_item;
        outcome := v_one.outcome;
        page := v_one.page;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_console_act.make_act IS
    'An act of staff: done; own: the proposal is theirs; stale: an old log-in; '
    'blocked: a limit; gone: the proposal has expired. Outcomes: done, '
    'replayed, refused, own, stale, blocked, gone, unchanged, key_reused, '
    'not_found, invalid';
