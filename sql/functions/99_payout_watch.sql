-- The figures of pay-outs for /metrics, which one worker of all nodes gathers at
-- a time.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The items of each state in which something has to happen, and since when the
-- oldest of them is in it.  Counting ends at 10000.
CREATE OR REPLACE FUNCTION pay.payout_item_figures()
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT jsonb_build_object(
    'items', jsonb_object_agg(s.state, (
        SELECT count(*)
        FROM (SELECT FROM payout p WHERE p.state = s.state
                  AND p.state NOT IN ('settled', 'failed', 'cancelled')
              LIMIT 10000) f)),
    'items_at', jsonb_object_agg(s.state, (
        SELECT floor(extract(epoch FROM min(p.changed_at)))::bigint
        FROM payout p WHERE p.state = s.state
            AND p.state NOT IN ('settled', 'failed', 'cancelled'))))
FROM unnest('{draft,held,ready,approved,sending,unknown,sent}'::text[])
    AS s (state)
$$;
COMMENT ON FUNCTION pay.payout_item_figures IS
    'How many items are in each state, and since when';


-- The import of the oldest list that a merchant is screened by; 1970: there is none.
CREATE OR REPLACE FUNCTION pay.screening_lists_at()
RETURNS timestamptz LANGUAGE sql STABLE AS $$
SELECT min(coalesce((
    SELECT l.imported_at FROM sanction_list l WHERE l.list = u.list
    ORDER BY l.version DESC LIMIT 1), to_timestamp(1)))
FROM (SELECT DISTINCT unnest(s.lists) AS list FROM screening_policy s
      WHERE s.is_on) u
$$;
COMMENT ON FUNCTION pay.screening_lists_at IS
    'When the oldest list that a merchant is screened by was imported';


-- due_at: when a worker is to ask, not before the first item was held; in the
-- past: none has asked since.
CREATE OR REPLACE FUNCTION pay_view.screening_waits()
RETURNS TABLE (merchant_id text, provider text, destination_id text,
    version int, items bigint, since timestamptz, due_at timestamptz,
    questions int, code text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
SELECT p.merchant_id, s.provider, p.destination_id, p.destination_version,
    count(*), min(p.changed_at), greatest(a.run_at, min(p.changed_at)),
    coalesce(a.calls, 0), a.code
FROM screening_policy s
JOIN payout p ON p.merchant_id = s.merchant_id AND p.state = 'held'
    AND p.reason = 'screening'
LEFT JOIN screening_answer a ON a.merchant_id = p.merchant_id
    AND a.destination_id = p.destination_id
    AND a.version = p.destination_version AND a.provider = s.provider
WHERE s.is_on AND s.provider IS NOT NULL
    AND (a.asked_at > clock_timestamp()
         - make_interval(hours => s.max_age_hours))
        IS NOT TRUE
GROUP BY p.merchant_id, s.provider, p.destination_id, p.destination_version,
    a.run_at, a.calls, a.code
$$;
COMMENT ON FUNCTION pay_view.screening_waits IS
    'Accounts whose items are held until a screening provider answers, since '
    'when, and why the last question has no answer';


-- Since when an account waits for a provider's answer, and since when a question
-- is due that no worker asks.  Counting ends at 10000.  providers: those that
-- policies name; a worker compares them with the blocks of its configuration.
CREATE OR REPLACE FUNCTION pay.screening_figures()
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT jsonb_build_object(
    'waits', count(*),
    'waits_at', floor(extract(epoch FROM min(w.since)))::bigint,
    'unasked_at', floor(extract(epoch FROM min(w.due_at)
        FILTER (WHERE w.due_at <= clock_timestamp())))::bigint,
    'providers', (
        SELECT jsonb_agg(jsonb_build_object('merchant', s.merchant_id,
            'provider', s.provider) ORDER BY s.merchant_id)
        FROM (SELECT p.merchant_id, p.provider FROM screening_policy p
              WHERE p.is_on AND p.provider IS NOT NULL
              ORDER BY p.merchant_id LIMIT 32) s))
FROM (SELECT v.since, v.due_at FROM pay_view.screening_waits() v
      LIMIT 10000) w
$$;
COMMENT ON FUNCTION pay.screening_figures IS
    'How many accounts wait for the answer of a screening provider, and since '
    'when; and the providers that policies name';


-- due_at: the due time of the oldest run that is not done, begun or not.
-- Times are in seconds since 1970.
CREATE OR REPLACE FUNCTION pay.payout_figures()
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT jsonb_strip_nulls(payout_item_figures() || screening_figures()
    || jsonb_build_object(
    'runs', (SELECT count(*) FROM payout_run r WHERE r.ended_at IS NULL),
    'due_at', floor(extract(epoch FROM least(
        (SELECT min(r.due_at) FROM payout_run r WHERE r.ended_at IS NULL),
        (SELECT min(s.next_at) FROM payout_schedule s
         WHERE s.next_at <= now()))))::bigint,
    'lists_at', floor(extract(epoch FROM screening_lists_at()))::bigint,
    'open_at', (
        SELECT floor(extract(epoch FROM min(b.made_at)))::bigint
        FROM payout_batch b WHERE b.state = 'open')))
$$;
COMMENT ON FUNCTION pay.payout_figures IS
    'The figures of pay-outs for /metrics';


-- A worker that comes too early gets the figures of the last round, so that
-- every node can show them.
CREATE OR REPLACE FUNCTION pay_api.watch_payouts(
    p_owner text[], p_interval_ms bigint[])
RETURNS SETOF pay_api.counts_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row pay_api.counts_row;
BEGIN
    PERFORM check_batch(array_dims(p_owner), array_dims(p_interval_ms));

    FOR v_item IN 1 .. coalesce(cardinality(p_owner), 0) LOOP
        v_row := ROW(v_item, 'invalid', NULL);

        IF id_ok(p_owner[v_item])
            AND p_interval_ms[v_item] BETWEEN 0 AND 86400000
        THEN
            v_row.outcome := CASE WHEN take_round('payouts') THEN 'checked'
                                  ELSE 'not_due' END;
        END IF;

        IF v_row.outcome = 'checked' THEN
            PERFORM end_round('payouts', payout_figures(), make_interval(
                secs => p_interval_ms[v_item] / 1000.0));
        END IF;

        IF v_row.outcome <> 'invalid' THEN
            v_row.counts := round_counts('payouts');
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.watch_payouts IS
    'Gathers the figures of pay-outs, once an interval. Outcomes: checked, '
    'not_due, invalid';
