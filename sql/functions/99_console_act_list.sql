-- The pages about acts: those that one may do, those that were done, and the
-- proposals that wait for a second person.  Called by the pages of 99_console.sql.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Acts of operators by payctl stand in the tables of their areas; those that
-- came from the console are its own rows, and are not shown twice.
CREATE OR REPLACE VIEW pay_view.acts AS
SELECT a.at, 'console'::text AS source, a.seq::text AS id, a.who::text,
    a.roles, a.act::text, a.object::text, a.merchant_id::text,
    a.checkout_id::text, a.reason AS why, a.result::text, a.detail,
    a.proposal_id, a.request_id::text
FROM pay.console_act a
UNION ALL
SELECT w.at, 'endpoint', w.act_id::text, w.who::text, NULL,
    CASE w.act WHEN 'enabled' THEN 'enable' WHEN 'disabled' THEN 'disable'
               ELSE 'replay' END,
    w.endpoint_id::text, w.merchant_id::text, NULL, w.why::text, 'done',
    NULL, NULL, NULL
FROM pay.webhook_act w
WHERE w.role <> 'payments_console_act'
UNION ALL
SELECT d.closed_at, 'dead letter', d.dead_letter_id::text, d.closed_by::text,
    NULL, CASE d.state WHEN 'requeued' THEN 'requeue' ELSE 'resolve' END,
    d.dead_letter_id::text, d.merchant_id::text, d.checkout_id::text,
    d.closed_why::text, 'done', jsonb_build_object('kind', d.kind), NULL, NULL
FROM pay.dead_letter d
WHERE d.closed_at IS NOT NULL AND d.closed_by <> 'gateway'
    AND NOT EXISTS (
        SELECT FROM pay.console_act a
        WHERE a.object = d.dead_letter_id::text AND a.act = 'requeue'
            AND a.result = 'done')
UNION ALL
SELECT m.at, 'mismatch', m.mismatch_id::text, m.who::text, NULL, 'settle',
    m.mismatch_id::text, m.merchant_id::text, m.checkout_id::text,
    m.why::text, 'done', NULL, NULL, NULL
FROM pay.mismatch_settlement m
UNION ALL
SELECT s.at, 'settlement', s.exception_id || '.' || s.seq, s.who::text, NULL,
    s.act::text, s.exception_id::text, x.merchant_id::text,
    x.checkout_id::text, s.why::text, s.state::text, s.detail, NULL, NULL
FROM pay.settlement_act s
JOIN pay.settlement_exception x ON x.exception_id = s.exception_id
UNION ALL
SELECT p.at, 'payout', p.act_id::text, p.who::text, NULL, p.act::text,
    p.subject || ' ' || p.subject_id, p.merchant_id::text, NULL, p.why,
    'done', p.detail, NULL, NULL
FROM pay.payout_act p
WHERE p.role = 'payments_operator'
UNION ALL
SELECT r.at, 'risk list', r.act_id::text, r.who::text, NULL, r.act::text,
    r.list_id::text, r.merchant_id::text, NULL, r.why::text, 'done',
    jsonb_build_object('effect', r.effect, 'kind', r.kind), NULL, NULL
FROM pay.risk_list_act r
UNION ALL
SELECT r.at, 'risk model', r.promotion_id::text, r.who::text, NULL,
    'promote', r.name::text, NULL, NULL, r.why::text, 'done',
    jsonb_build_object('sha256', r.sha256), NULL, NULL
FROM pay.risk_promotion r
UNION ALL
SELECT m.at, 'log', m.month::text, m.who::text, NULL, 'drop month',
    m.month::text, NULL, NULL, m.why::text, 'done',
    jsonb_build_object('events', m.events), NULL, NULL
FROM pay.dropped_month m;
COMMENT ON VIEW pay_view.acts IS
    'Acts of staff on the console, and of operators by payctl as far as their '
    'areas keep them';


-- acts: the gateway says that it has a connection that acts.
CREATE OR REPLACE FUNCTION pay.console_my_acts(p_roles jsonb, p_query jsonb)
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT jsonb_build_object('can_act', p_query ? 'acts',
    'acts', coalesce(jsonb_agg(jsonb_build_object('act', r.act,
        'step', r.step) ORDER BY r.act, r.step), '[]'))
FROM (SELECT DISTINCT x.act, x.step FROM console_act_right x
      WHERE p_query ? 'acts' AND p_roles ? x.role) r
$$;
COMMENT ON FUNCTION pay.console_my_acts IS
    'The acts, and their steps, that these roles may do';


-- Acts of nobody's merchant are shown to those who see all merchants.
CREATE OR REPLACE FUNCTION pay.console_acts(
    p_scope text[], p_query jsonb, p_most int)
RETURNS TABLE (place text, item jsonb) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT console_us(a.at) || ':' || a.source || ':' || a.id,
        jsonb_build_object('at', iso_time(a.at), 'source', a.source,
            'who', a.who, 'roles', a.roles, 'act', a.act,
            'object', a.object, 'merchant_id', a.merchant_id,
            'checkout_id', a.checkout_id, 'reason', a.why,
            'result', a.result, 'detail', a.detail,
            'proposal_id', a.proposal_id, 'number', a.id,
            'request_id', a.request_id)
    FROM (SELECT x.* FROM pay_view.acts x
          WHERE x.at <= console_cursor_time(p_query)
              AND x.at >= coalesce(console_time(p_query, 'from'),
                                   '-infinity')
              AND x.at < coalesce(console_time(p_query, 'to'), 'infinity')
              AND (date_trunc('microseconds', x.at), x.source, x.id)
                  < (console_cursor_time(p_query),
                     console_cursor_text(p_query, 2),
                     console_cursor_text(p_query, 3))
              AND console_has(p_query, 'person', x.who)
              AND console_has(p_query, 'act', x.act)
              AND (NOT p_query ? 'object'
                   OR p_query ->> 'object' IN (x.object, x.checkout_id))
              AND console_sees(p_scope, x.merchant_id)
          ORDER BY x.at DESC, x.source DESC, x.id DESC LIMIT p_most) a
    ORDER BY a.at DESC, a.source DESC, a.id DESC;
END
$$;
COMMENT ON FUNCTION pay.console_acts IS
    'Acts of staff and operators, newest first';


-- The newest 100, of the page of a payment.
CREATE OR REPLACE FUNCTION pay.console_acts_of(
    p_merchant_id text, p_checkout_id text)
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT coalesce(jsonb_agg(jsonb_build_object('at', iso_time(a.at),
    'who', a.who, 'act', a.act, 'object', a.object, 'reason', a.reason,
    'result', a.result, 'proposal_id', a.proposal_id,
    'number', a.seq::text) ORDER BY a.seq), '[]')
FROM (SELECT x.* FROM console_act x
      WHERE x.merchant_id = p_merchant_id
          AND x.checkout_id = p_checkout_id
      ORDER BY x.seq DESC LIMIT 100) a
$$;
COMMENT ON FUNCTION pay.console_acts_of IS
    'Acts of staff about a checkout, oldest first';


CREATE OR REPLACE FUNCTION pay.console_proposal_item(
    p_proposal console_proposal)
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT jsonb_build_object('proposal_id', p_proposal.proposal_id,
    'at', iso_time(p_proposal.at), 'until', iso_time(p_proposal.until),
    'act', p_proposal.act, 'merchant_id', p_proposal.merchant_id,
    'checkout_id', p_proposal.checkout_id, 'object', p_proposal.object,
    'amount', decimal_text(p_proposal.amount_minor, p_proposal.currency),
    'currency', p_proposal.currency, 'outcome', p_proposal.outcome,
    'proposed_by', p_proposal.proposed_by, 'reason', p_proposal.reason,
    'state', CASE WHEN p_proposal.state = 'waiting'
                      AND p_proposal.until <= now() THEN 'expired'
                  ELSE p_proposal.state END,
    'decided_at', iso_time(p_proposal.decided_at),
    'decided_by', p_proposal.decided_by,
    'decided_why', p_proposal.decided_why, 'result', p_proposal.result)
$$;
COMMENT ON FUNCTION pay.console_proposal_item IS
    'A proposal as pages show it';


CREATE OR REPLACE FUNCTION pay.console_proposals_of(
    p_merchant_id text, p_checkout_id text)
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT coalesce(jsonb_agg(console_proposal_item(p)
                          ORDER BY p.proposal_id), '[]')
FROM (SELECT x.* FROM console_proposal x
      WHERE x.merchant_id = p_merchant_id
          AND x.checkout_id = p_checkout_id
          AND x.state = 'waiting' AND x.until > now()
      ORDER BY x.proposal_id DESC LIMIT 100) p
$$;
COMMENT ON FUNCTION pay.console_proposals_of IS
    'Proposals about a checkout that wait';


-- Without a state those that wait.
CREATE OR REPLACE FUNCTION pay.console_approvals(
    p_scope text[], p_query jsonb, p_most int)
RETURNS TABLE (place text, item jsonb) LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_state text := coalesce(p_query ->> 'state', 'waiting');
BEGIN
    RETURN QUERY
    SELECT p.proposal_id::text, console_proposal_item(p)
    FROM console_proposal p
    WHERE p.proposal_id < console_cursor_number(p_query)
        AND p.state = CASE v_state WHEN 'expired' THEN 'waiting'
                                   ELSE v_state END
        AND (p.state <> 'waiting'
             OR (p.until <= now()) = (v_state = 'expired'))
        AND console_sees(p_scope, p.merchant_id)
    ORDER BY p.proposal_id DESC LIMIT p_most;
END
$$;
COMMENT ON FUNCTION pay.console_approvals IS
    'Proposals, newest first: those that wait, or those of a state';
