-- Disputes of the console: those that are open by the deadline for evidence, and
-- how many of those that were decided were won.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay.console_dispute(p_dispute dispute)
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT jsonb_build_object('merchant_id', p_dispute.merchant_id,
    'checkout_id', p_dispute.checkout_id,
    'payment_order_id', p_dispute.payment_order_id, 'psp', p_dispute.psp,
    'dispute_id', p_dispute.dispute_id, 'state', p_dispute.state,
    'code', p_dispute.code,
    'evidence_until', iso_time(p_dispute.evidence_until),
    'opened_at', iso_time(p_dispute.opened_at),
    'changed_at', iso_time(p_dispute.changed_at),
    'amount', decimal_text(p_dispute.amount_minor, p_dispute.currency),
    'amount_minor', p_dispute.amount_minor, 'currency', p_dispute.currency)
$$;
COMMENT ON FUNCTION pay.console_dispute IS 'A row of the list of disputes';


-- Those whose PSP has named no deadline come last.
CREATE OR REPLACE FUNCTION pay.console_open_disputes(
    p_scope text[], p_query jsonb, p_most int)
RETURNS TABLE (place text, item jsonb) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT console_us(x.until) || ':' || x.dispute_id || ':' || x.part,
        console_dispute(x.dispute)
    FROM (
        SELECT d AS dispute, d.dispute_id, d.part,
            coalesce(d.evidence_until,
                     '9999-01-01T00:00:00Z'::timestamptz) AS until
        FROM dispute d
        WHERE (d.state = 'open') IS TRUE            -- dispute_deadline's own
            AND console_has(p_query, 'psp', d.psp)
            AND (NOT p_query ? 'before'
                 OR (coalesce(d.evidence_until,
                              '9999-01-01T00:00:00Z'::timestamptz),
                     d.dispute_id::text, d.part::text)
                    > (console_cursor_time(p_query),
                       console_cursor_text(p_query, 2),
                       console_cursor_text(p_query, 3)))
            AND console_sees(p_scope, d.merchant_id)
        ORDER BY coalesce(d.evidence_until,
                          '9999-01-01T00:00:00Z'::timestamptz),
            d.dispute_id::text, d.part::text
        LIMIT p_most) x
    ORDER BY x.until, x.dispute_id::text, x.part::text;
END
$$;
COMMENT ON FUNCTION pay.console_open_disputes IS
    'Open disputes, those with the next deadline first';


-- By the day on which they were opened; of many the newest 10,000.  A dispute
-- counts by its last round, and where it was moved, by the order that bears it.
CREATE OR REPLACE FUNCTION pay.console_dispute_rate(
    p_scope text[], p_query jsonb)
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT jsonb_build_object('days', 180,
    'won', count(*) FILTER (WHERE d.state = 'won'),
    'lost', count(*) FILTER (WHERE d.state = 'lost'),
    'open', count(*) FILTER (WHERE d.state = 'open'))
FROM (SELECT x.state FROM dispute x
      WHERE x.opened_at >= now() - interval '180 days'
          AND x.state <> 'moved'
          AND NOT EXISTS (
              SELECT FROM dispute y
              WHERE y.psp = x.psp AND y.dispute_id = x.dispute_id
                  AND y.state <> 'moved'
                  AND (y.round > x.round
                       OR y.round = x.round AND y.part < x.part))
          AND console_has(p_query, 'psp', x.psp)
          AND console_sees(p_scope, x.merchant_id)
      ORDER BY x.opened_at DESC LIMIT 10000) d
$$;
COMMENT ON FUNCTION pay.console_dispute_rate IS
    'How many disputes of the last 180 days were won, lost, or are open';
