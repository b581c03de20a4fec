-- More lists of the console (99_console_list.sql): webhooks, finance, risk, the
-- log's seals.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- An event that no checkout knows belongs to nobody yet: those see it who see
-- all merchants.
CREATE OR REPLACE FUNCTION pay.console_inbox(
    p_scope text[], p_query jsonb, p_most int, p_tokens boolean)
RETURNS TABLE (place text, item jsonb) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT console_us(i.received_at) || ':' || h.hash,
        jsonb_build_object('psp', i.psp,
            'event_id', console_token(i.event_id, p_tokens),
            'received_at', iso_time(i.received_at), 'state', i.state,
            'type', i.type, 'fact', i.fact, 'code', i.code,
            'token', console_token(i.token, p_tokens),
            'merchant_id', i.merchant_id, 'checkout_id', i.checkout_id,
            'amount', decimal_text(i.amount_minor, i.currency),
            'amount_minor', i.amount_minor, 'currency', i.currency)
    FROM webhook_inbox i
    -- a PSP's id may have any characters, and is not for everybody
    CROSS JOIN LATERAL (
        SELECT left(md5(concat_ws(' ', i.psp, i.event_id)), 16) AS hash) h
    WHERE i.state = 'parked'                    -- webhook_inbox_parked_at's
        AND console_has(p_query, 'psp', i.psp)
        AND (i.received_at, h.hash) < (console_cursor_time(p_query),
                                       console_cursor_text(p_query, 2))
        AND console_sees(p_scope, i.merchant_id)
    ORDER BY i.received_at DESC, h.hash DESC LIMIT p_most;
END
$$;
COMMENT ON FUNCTION pay.console_inbox IS
    'Webhooks that wait for their checkout, newest first';


-- Never the body, nor a header: both are a stranger's.
CREATE OR REPLACE FUNCTION pay.console_quarantine(
    p_scope text[], p_query jsonb, p_most int)
RETURNS TABLE (place text, item jsonb) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT console_us(q.received_at) || ':' || q.psp || ':' || q.number,
        jsonb_build_object('psp', q.psp, 'number', q.number,
            'received_at', iso_time(q.received_at), 'reason', q.reason,
            'size', q.size, 'digest', encode(q.digest, 'hex'),
            'request_id', q.request_id)
    FROM webhook_quarantine q
    WHERE p_scope IS NULL
        AND console_has(p_query, 'psp', q.psp)
        AND (q.received_at, q.psp::text, q.number::text)
            < (console_cursor_time(p_query), console_cursor_text(p_query, 2),
               console_cursor_text(p_query, 3))
    ORDER BY q.received_at DESC, q.psp DESC, q.number::text DESC
    LIMIT p_most;
END
$$;
COMMENT ON FUNCTION pay.console_quarantine IS
    'Webhooks whose sender proved nothing, newest first';


-- Endpoints are few; of each one those that wait or have failed.
CREATE OR REPLACE FUNCTION pay.console_deliveries(
    p_scope text[], p_query jsonb, p_most int)
RETURNS TABLE (place text, item jsonb) LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_state text := coalesce(p_query ->> 'state', 'failed');
BEGIN
    RETURN QUERY
    SELECT d."position" || ':' || d.endpoint_id || ':' || d.merchant_id,
        jsonb_build_object('merchant_id', d.merchant_id,
            'endpoint_id', d.endpoint_id, 'url', d.url,
            'position', d."position", 'message_id', m.message_id,
            'type', m.type, 'subject', m.subject, 'state', d.state,
            'attempts', d.attempts, 'run_at', iso_time(d.run_at),
            'ended_at', iso_time(d.ended_at), 'http_status', d.status,
            'failure', d.failure, 'took_ms', d.took_ms)
    FROM (SELECT x.*, split_part(e.url, '?', 1) AS url
          FROM webhook_endpoint e
          CROSS JOIN LATERAL (
              SELECT y.* FROM webhook_delivery y
              WHERE y.endpoint_id = e.endpoint_id
                  AND y.merchant_id = e.merchant_id
                  AND y.state = v_state AND v_state IN ('due', 'failed')
                  AND (y."position", y.endpoint_id::text,
                       y.merchant_id::text)
                      < (console_cursor_number(p_query),
                         console_cursor_text(p_query, 2),
                         console_cursor_text(p_query, 3))
              ORDER BY y."position" DESC LIMIT p_most) x
          WHERE console_sees(p_scope, e.merchant_id)
          ORDER BY x."position" DESC, x.endpoint_id DESC, x.merchant_id DESC
          LIMIT p_most) d
    LEFT JOIN LATERAL (
        SELECT x.* FROM message x WHERE x."position" = d."position"
        OFFSET 0) m ON true
    ORDER BY d."position" DESC, d.endpoint_id DESC, d.merchant_id DESC;
END
$$;
COMMENT ON FUNCTION pay.console_deliveries IS
    'Messages to storefronts that have failed, or that are due';


CREATE OR REPLACE FUNCTION pay.console_wallets(
    p_scope text[], p_query jsonb, p_most int)
RETURNS TABLE (place text, item jsonb) LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_merchant text := split_part(p_query ->> 'after', ':', 2);
    v_currency text := split_part(p_query ->> 'after', ':', 3);
    -- may have colons of its own
    v_seller   text := substring(p_query ->> 'after'
                                 FROM '^0:[^:]*:[^:]*:(.*)$');
BEGIN
    RETURN QUERY
    SELECT '0:' || w.merchant_id || ':' || w.currency || ':'
            || w.seller_account,
        jsonb_build_object('merchant_id', w.merchant_id,
            'seller_account', w.seller_account, 'currency', w.currency,
            'available', decimal_text(w.available_minor, w.currency),
            'pending', decimal_text(w.pending_minor, w.currency),
            'reserved', decimal_text(w.reserved_minor, w.currency),
            'changed_at', iso_time(w.changed_at))
    FROM (SELECT x.* FROM all_merchants() m (id)
          CROSS JOIN LATERAL (
              SELECT y.* FROM wallet y
              WHERE y.merchant_id = m.id
                  AND console_has(p_query, 'seller', y.seller_account)
                  AND console_has(p_query, 'currency', y.currency)
                  AND (v_merchant IS NULL
                       OR (y.merchant_id::text, y.seller_account::text,
                           y.currency::text)
                          > (v_merchant, v_seller, v_currency))
              ORDER BY y.merchant_id, y.seller_account, y.currency
              LIMIT p_most) x
          WHERE console_sees(p_scope, m.id)
              AND (v_merchant IS NULL OR m.id >= v_merchant)
          ORDER BY x.merchant_id, x.seller_account, x.currency
          LIMIT p_most) w
    ORDER BY w.merchant_id, w.seller_account, w.currency;
END
$$;
COMMENT ON FUNCTION pay.console_wallets IS
    'The balances of sellers, by merchant and account';


CREATE OR REPLACE FUNCTION pay.console_settlement(
    p_scope text[], p_query jsonb, p_most int)
RETURNS TABLE (place text, item jsonb) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT f.file_id::text,
        jsonb_build_object('file_id', f.file_id, 'source', f.source,
            'medium', s.medium, 'format', s.format,
            'merchant_id', s.merchant_id, 'psp', s.psp, 'name', f.name,
            'sha256', encode(f.sha256, 'hex'), 'state', f.state,
            'reason', f.reason, 'received_at', iso_time(f.received_at),
            'changed_at', iso_time(f.changed_at), 'rows', f.row_count,
            'matched', f.matched, 'class1', f.class1, 'class2', f.class2,
            'class3', f.class3, 'repeats', f.repeats)
    FROM (SELECT x.* FROM settlement_file x
          WHERE x.file_id < console_cursor_number(p_query)
              AND console_has(p_query, 'state', x.state)
              AND EXISTS (
                  SELECT FROM settlement_source y
                  WHERE y.source = x.source
                      AND console_has(p_query, 'psp', y.psp)
                      AND console_sees(p_scope, y.merchant_id) OFFSET 0)
          ORDER BY x.file_id DESC LIMIT p_most) f
    JOIN settlement_source s ON s.source = f.source
    ORDER BY f.file_id DESC;
END
$$;
COMMENT ON FUNCTION pay.console_settlement IS
    'Files of PSPs and banks, newest first';


CREATE OR REPLACE FUNCTION pay.console_exceptions(
    p_scope text[], p_query jsonb, p_most int)
RETURNS TABLE (place text, item jsonb) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT x.exception_id::text,
        jsonb_build_object('exception_id', x.exception_id,
            'merchant_id', x.merchant_id, 'psp', x.psp, 'class', x.class,
            'kind', x.finding, 'playbook', x.playbook,
            'checkout_id', x.checkout_id,
            'opened_at', iso_time(x.opened_at),
            'closed_at', iso_time(x.closed_at), 'closed_as', x.closed_as,
            'state', CASE WHEN x.closed_at IS NULL THEN 'open'
                          ELSE 'closed' END,
            'is_suspended', x.is_suspended,
            'amount', decimal_text(x.amount_minor, x.currency),
            'amount_minor', x.amount_minor, 'currency', x.currency)
    FROM settlement_exception x
    WHERE x.exception_id < console_cursor_number(p_query)
        AND (p_query ->> 'state' IS DISTINCT FROM 'open'
             OR x.closed_at IS NULL)
        AND (p_query ->> 'state' IS DISTINCT FROM 'closed'
             OR x.closed_at IS NOT NULL)
        AND console_has(p_query, 'kind', x.finding)
        AND console_has(p_query, 'psp', x.psp)
        AND console_sees(p_scope, x.merchant_id)
    ORDER BY x.exception_id DESC LIMIT p_most;
END
$$;
COMMENT ON FUNCTION pay.console_exceptions IS
    'Exceptions of the reconciliation, newest first';


-- Without a state those that are not over.
CREATE OR REPLACE FUNCTION pay.console_payouts(
    p_scope text[], p_query jsonb, p_most int)
RETURNS TABLE (place text, item jsonb) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT console_us(p.changed_at) || ':' || p.payout_id || ':'
            || p.merchant_id,
        jsonb_build_object('merchant_id', p.merchant_id,
            'payout_id', p.payout_id, 'seller_account', p.seller_account,
            'state', p.state, 'reason', p.reason, 'provider', p.provider,
            'account', d.shown, 'batch_id', p.batch_id,
            'made_by', p.made_by, 'created_at', iso_time(p.created_at),
            'changed_at', iso_time(p.changed_at), 'lines', p.line_count,
            'amount', decimal_text(p.amount_minor, p.currency),
            'amount_minor', p.amount_minor, 'currency', p.currency)
    FROM (SELECT x.* FROM payout x
          WHERE x.state NOT IN ('settled', 'failed', 'cancelled')
              AND console_has(p_query, 'state', x.state)
              AND (x.changed_at, x.payout_id::text, x.merchant_id::text)
                  < (console_cursor_time(p_query),
                     console_cursor_text(p_query, 2),
                     console_cursor_text(p_query, 3))
              AND console_sees(p_scope, x.merchant_id)
          ORDER BY x.changed_at DESC, x.payout_id DESC, x.merchant_id DESC
          LIMIT p_most) p
    JOIN payout_destination d ON d.merchant_id = p.merchant_id
        AND d.destination_id = p.destination_id
        AND d.version = p.destination_version
    ORDER BY p.changed_at DESC, p.payout_id DESC, p.merchant_id DESC;
END
$$;
COMMENT ON FUNCTION pay.console_payouts IS
    'Pay-outs that are not over, newest change first';


CREATE OR REPLACE FUNCTION pay.console_batches(
    p_scope text[], p_query jsonb, p_most int)
RETURNS TABLE (place text, item jsonb) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT console_us(b.made_at) || ':' || b.batch_id || ':' || b.merchant_id,
        jsonb_build_object('merchant_id', b.merchant_id,
            'batch_id', b.batch_id, 'provider', b.provider,
            'state', b.state, 'items', b.item_count, 'made_by', b.made_by,
            'made_at', iso_time(b.made_at),
            'approved_at', iso_time(b.approved_at),
            'until', iso_time(b.until), 'send_at', iso_time(b.send_at),
            'amount', decimal_text(b.total_minor, b.currency),
            'amount_minor', b.total_minor, 'currency', b.currency,
            'approvers', (SELECT coalesce(jsonb_agg(a.approver ORDER BY a.at),
                                          '[]')
                          FROM payout_approval a
                          WHERE a.merchant_id = b.merchant_id
                              AND a.batch_id = b.batch_id))
    FROM (SELECT x.* FROM all_merchants() m (id)
          CROSS JOIN LATERAL (
              SELECT y.* FROM payout_batch y
              WHERE y.merchant_id = m.id
                  AND console_has(p_query, 'state', y.state)
                  AND (y.made_at, y.batch_id::text, y.merchant_id::text)
                      < (console_cursor_time(p_query),
                         console_cursor_text(p_query, 2),
                         console_cursor_text(p_query, 3))
              ORDER BY y.made_at DESC, y.batch_id DESC LIMIT p_most) x
          WHERE console_sees(p_scope, m.id)
          ORDER BY x.made_at DESC, x.batch_id DESC, x.merchant_id DESC
          LIMIT p_most) b
    ORDER BY b.made_at DESC, b.batch_id DESC, b.merchant_id DESC;
END
$$;
COMMENT ON FUNCTION pay.console_batches IS
    'Batches of pay-outs, newest first';


-- Without a state those that wait for a reviewer.
CREATE OR REPLACE FUNCTION pay.console_risk(
    p_scope text[], p_query jsonb, p_most int)
RETURNS TABLE (place text, item jsonb) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT r.review_id::text,
        jsonb_build_object('review_id', r.review_id,
            'merchant_id', r.merchant_id, 'checkout_id', r.checkout_id,
            'state', r.state, 'at', iso_time(r.at),
            'deadline', iso_time(r.deadline), 'overdue', r.overdue,
            'needs_second', r.needs_second, 'claimed_by', r.claimed_by,
            'claimed_until', iso_time(r.claimed_until), 'asked', r.asked,
            'asked_by', r.asked_by, 'hits', d.hits, 'score', d.score,
            'amount', decimal_text(c.total_minor, c.currency),
            'amount_minor', c.total_minor, 'currency', c.currency)
    FROM (SELECT x.* FROM risk_review x
          WHERE x.review_id < console_cursor_number(p_query)
              AND CASE WHEN p_query ? 'state'
                       THEN x.state = p_query ->> 'state'
                       ELSE x.state IN ('open', 'escalated') END
              AND console_sees(p_scope, x.merchant_id)
          ORDER BY x.review_id DESC LIMIT p_most) r
    CROSS JOIN LATERAL (
        SELECT x.* FROM checkout x
        WHERE x.merchant_id = r.merchant_id
            AND x.checkout_id = r.checkout_id
        OFFSET 0) c
    LEFT JOIN LATERAL (
        SELECT x.* FROM risk_decision x
        WHERE x.merchant_id = r.merchant_id
            AND x.checkout_id = r.checkout_id
        OFFSET 0) d ON true
    ORDER BY r.review_id DESC;
END
$$;
COMMENT ON FUNCTION pay.console_risk IS
    'Checkouts for review, newest first';


CREATE OR REPLACE FUNCTION pay.console_audit(p_query jsonb, p_most int)
RETURNS TABLE (place text, item jsonb) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT s.number::text,
        jsonb_build_object('number', s.number, 'at', iso_time(s.at),
            'leaves', s.count, 'from_tx', s.from_tx, 'until_tx', s.until_tx,
            'root', encode(s.root, 'hex'), 'key_id', s.key_id,
            'is_signed', s.signature IS NOT NULL)
    FROM seal s
    WHERE s.number < console_cursor_number(p_query)
    ORDER BY s.number DESC LIMIT p_most;
END
$$;
COMMENT ON FUNCTION pay.console_audit IS
    'Seals of the event log, newest first';


-- One row more than a page has says that there is a next one.
CREATE OR REPLACE FUNCTION pay.console_items(
    p_page text, p_scope text[], p_query jsonb, p_most int,
    p_tokens boolean)
RETURNS TABLE (place text, item jsonb) LANGUAGE plpgsql STABLE AS $$
BEGIN
    CASE p_page
    WHEN 'payments' THEN
        RETURN QUERY SELECT * FROM console_payments(p_scope, p_query, p_most);
    WHEN 'letters' THEN
        RETURN QUERY SELECT * FROM console_letters(p_scope, p_query, p_most);
    WHEN 'mismatches' THEN
        RETURN QUERY SELECT * FROM console_mismatches(p_scope, p_query,
                                                      p_most, p_tokens);
    WHEN 'late' THEN
        RETURN QUERY SELECT * FROM console_late(p_scope, p_query, p_most);
    WHEN 'unknown' THEN
        RETURN QUERY SELECT * FROM console_unknown(p_scope, p_query, p_most);
    WHEN 'changes' THEN
        RETURN QUERY SELECT * FROM console_changes(p_scope, p_query, p_most,
                                                   p_tokens);
    WHEN 'disputes' THEN
        RETURN QUERY SELECT * FROM console_disputes(p_scope, p_query, p_most);
    WHEN 'jobs' THEN
        RETURN QUERY SELECT * FROM console_jobs(p_scope, p_query, p_most);
    WHEN 'inbox' THEN
        RETURN QUERY SELECT * FROM console_inbox(p_scope, p_query, p_most,
                                                 p_tokens);
    WHEN 'quarantine' THEN
        RETURN QUERY SELECT * FROM console_quarantine(p_scope, p_query,
                                                      p_most);
    WHEN 'deliveries' THEN
        RETURN QUERY SELECT * FROM console_deliveries(p_scope, p_query,
                                                      p_most);
    WHEN 'wallets' THEN
        RETURN QUERY SELECT * FROM console_wallets(p_scope, p_query, p_most);
    WHEN 'settlement' THEN
        RETURN QUERY SELECT * FROM console_settlement(p_scope, p_query,
                                                      p_most);
    WHEN 'exceptions' THEN
        RETURN QUERY SELECT * FROM console_exceptions(p_scope, p_query,
                                                      p_most);
    WHEN 'payouts' THEN
        RETURN QUERY SELECT * FROM console_payouts(p_scope, p_query, p_most);
    WHEN 'batches' THEN
        RETURN QUERY SELECT * FROM console_batches(p_scope, p_query, p_most);
    WHEN 'risk' THEN
        RETURN QUERY SELECT * FROM console_risk(p_scope, p_query, p_most);
    WHEN 'audit' THEN
        RETURN QUERY SELECT * FROM console_audit(p_query, p_most);
    WHEN 'lines' THEN
        RETURN QUERY SELECT * FROM console_lines(p_scope, p_query, p_most,
                                                 p_tokens);
    WHEN 'ledger' THEN
        RETURN QUERY SELECT * FROM console_journal(p_scope, p_query, p_most,
                                                  p_tokens);
    WHEN 'acts' THEN
        RETURN QUERY SELECT * FROM console_acts(p_scope, p_query, p_most);
    WHEN 'approvals' THEN
        RETURN QUERY SELECT * FROM console_approvals(p_scope, p_query,
                                                     p_most);
    END CASE;
END
$$;
COMMENT ON FUNCTION pay.console_items IS
    'The first items of a list, each with its place';
