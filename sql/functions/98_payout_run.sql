-- Runs of schedules: the items of one due time, made in pieces.  A piece is one
-- transaction under the lock of its run, so that a worker that dies leaves
-- nothing half done, and any worker of any node makes the next piece.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The maker of a run's items and batches.  No operator has made them.
CREATE OR REPLACE FUNCTION pay.run_name(p_run payout_run)
RETURNS text LANGUAGE sql IMMUTABLE AS
'SELECT ''schedule/'' || p_run.run_id';
COMMENT ON FUNCTION pay.run_name IS
    'The maker of the items and batches of a run';


-- Schedules that another worker has locked are left to it.
CREATE OR REPLACE FUNCTION pay.begin_payout_runs(p_most int)
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_schedule payout_schedule;
    v_count    int := 0;
BEGIN
    FOR v_schedule IN
        SELECT * FROM payout_schedule s
        WHERE s.next_at <= now() ORDER BY s.next_at LIMIT p_most
        FOR UPDATE SKIP LOCKED
    LOOP
        INSERT INTO payout_run (merchant_id, seller_account, due_day, due_at,
            batch_items)
        VALUES (v_schedule.merchant_id, v_schedule.seller_account,
            v_schedule.next_day, v_schedule.next_at,
            v_schedule.batch_items)
        ON CONFLICT (merchant_id, seller_account, due_day) DO NOTHING;

        v_schedule.run_day := v_schedule.next_day;
        v_schedule.next_day := next_due_day(v_schedule, v_schedule.run_day);
        UPDATE payout_schedule s
        SET run_day = v_schedule.run_day, next_day = v_schedule.next_day,
            next_at = due_time(v_schedule, v_schedule.next_day)
        WHERE s.merchant_id = v_schedule.merchant_id
            AND s.seller_account = v_schedule.seller_account;
        v_count := v_count + 1;
    END LOOP;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.begin_payout_runs IS
    'Begins the runs whose time has come: how many';


-- The next wallets of a run that may have something to pay, and the last one
-- that was looked at: at most p_look are.  A wallet whose new lines are more than
-- p_lines ends the piece.  is_last: there are no more.  Of each wallet its own
-- rows are looked up, and only until there are enough wallets.
CREATE OR REPLACE FUNCTION pay.next_run_wallets(
    p_run payout_run, p_wallets int, p_lines int, p_look int,
    OUT sellers text[],
    OUT currencies text[], OUT at_seller text, OUT at_currency text,
    OUT is_last boolean)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    WITH looked AS MATERIALIZED (
        SELECT w.seller_account, w.currency, w.seq, w.available_minor,
            row_number() OVER (ORDER BY w.seller_account, w.currency) AS n
        FROM wallet w
        WHERE w.merchant_id = p_run.merchant_id
            AND (w.seller_account, w.currency)
                > (p_run.at_seller, p_run.at_currency)
            AND (p_run.seller_account = ''
                 OR w.seller_account = p_run.seller_account)
        ORDER BY w.seller_account, w.currency
        LIMIT p_look
    ), due AS (
        SELECT l.seller_account, l.currency, l.n, l.seq
        FROM looked l
        WHERE (l.available_minor > 0 OR EXISTS (
                SELECT FROM payout_reserve r
                WHERE r.merchant_id = p_run.merchant_id
                    AND r.seller_account = l.seller_account
                    AND r.currency = l.currency AND r.released_at IS NULL
                    AND r.until <= now()
                OFFSET 0))
            AND (p_run.seller_account <> '' OR NOT EXISTS (
                SELECT FROM payout_schedule o
                WHERE o.merchant_id = p_run.merchant_id
                    AND o.seller_account = l.seller_account
                OFFSET 0))
        -- one that is not taken shows that there are more
        ORDER BY l.n LIMIT p_wallets + 1
    ), chosen AS (
        SELECT d.seller_account, d.currency, d.n,
            row_number() OVER (ORDER BY d.n) AS place,
            sum(d.seq - coalesce(s.seen_seq, 0)) OVER (ORDER BY d.n) AS lines
        FROM due d
        LEFT JOIN LATERAL (
            SELECT x.seen_seq FROM payout_wallet x
            WHERE x.merchant_id = p_run.merchant_id
                AND x.seller_account = d.seller_account
                AND x.currency = d.currency
            OFFSET 0) s ON true
    ), taken AS (
        SELECT c.seller_account, c.currency, c.n, c.place
        FROM chosen c
        WHERE c.place = 1 OR c.place <= p_wallets AND c.lines <= p_lines
    ), ended AS (
        -- all wallets that are chosen are taken: the look ends at its own end
        SELECT CASE WHEN (SELECT count(*) FROM taken)
                        = (SELECT count(*) FROM chosen)
                    THEN (SELECT max(l.n) FROM looked l)
                    ELSE (SELECT max(t.n) FROM taken t) END AS n
    )
    SELECT coalesce((SELECT array_agg(t.seller_account::text ORDER BY t.n)
                     FROM taken t), '{}'),
        coalesce((SELECT array_agg(t.currency::text ORDER BY t.n)
                  FROM taken t), '{}'),
        l.seller_account, l.currency,
        e.n IS NOT DISTINCT FROM (SELECT max(x.n) FROM looked x)
            AND (SELECT count(*) FROM looked) < p_look
    INTO sellers, currencies, at_seller, at_currency, is_last
    FROM ended e
    LEFT JOIN looked l ON l.n = e.n;
END
$$;
COMMENT ON FUNCTION pay.next_run_wallets IS
    'The wallets of the next piece of a run';


-- How many wallets came to each outcome.  Where the items of a piece cannot be
-- made together they are made one by one, so that a single wallet does not keep
-- all others waiting: its outcome is refused, and payctl check says why.
CREATE OR REPLACE FUNCTION pay.make_run_items(
    p_run payout_run, p_seller text[], p_currency text[])
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_outcomes jsonb := '{}';
    v_one      text;
BEGIN
    RETURN (
        SELECT coalesce(jsonb_object_agg(o.outcome, o.count), '{}')
        FROM (SELECT m.outcome, count(*) AS count
              FROM make_payouts(p_run.merchant_id, p_seller, p_currency,
                                run_name(p_run)) m
              GROUP BY m.outcome) o);
EXCEPTION WHEN integrity_constraint_violation THEN
    FOR v_place IN 1 .. cardinality(p_seller) LOOP
        BEGIN
            SELECT m.outcome INTO v_one
            FROM make_payouts(p_run.merchant_id,
                p_seller[v_place : v_place], p_currency[v_place : v_place],
                run_name(p_run)) m;
        EXCEPTION WHEN integrity_constraint_violation THEN
            v_one := 'refused';
        END;
        v_outcomes := add_counts(v_outcomes, jsonb_build_object(v_one, 1));
    END LOOP;

    RETURN v_outcomes;
END
$$;
COMMENT ON FUNCTION pay.make_run_items IS
    'Makes the items of a piece: how many wallets came to each outcome';


CREATE OR REPLACE FUNCTION pay.add_counts(p_one jsonb, p_other jsonb)
RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce(jsonb_object_agg(s.key, s.total), '{}')
FROM (SELECT e.key, sum(e.value::bigint) AS total
      FROM (SELECT * FROM jsonb_each_text(p_one)
            UNION ALL SELECT * FROM jsonb_each_text(p_other)) e
      GROUP BY e.key) s
$$;
COMMENT ON FUNCTION pay.add_counts IS 'Two objects of numbers, added up';


-- Twice as many wallets as a piece takes are looked at, and twenty times as many
-- where few of them have something to pay.
CREATE OR REPLACE FUNCTION pay.make_run_piece(
    p_run payout_run, p_wallets int, p_owner text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_next     record;
    v_outcomes jsonb := '{}';
BEGIN
    v_next := next_run_wallets(p_run, p_wallets, 50 * p_wallets,
                               2 * p_wallets);
    IF NOT v_next.is_last AND cardinality(v_next.sellers) <= p_wallets / 4 THEN
        v_next := next_run_wallets(p_run, p_wallets, 50 * p_wallets,
                                   20 * p_wallets);
    END IF;
    IF v_next.sellers <> '{}' THEN
        v_outcomes := make_run_items(p_run, v_next.sellers,
                                     v_next.currencies);
    END IF;

    UPDATE payout_run r
    SET at_seller = coalesce(v_next.at_seller, r.at_seller),
        at_currency = coalesce(v_next.at_currency, r.at_currency),
        state = CASE WHEN NOT v_next.is_last THEN 'making'
                     WHEN r.batch_items IS NULL THEN 'done'
                     ELSE 'batching' END,
        owner = p_owner, pieces = r.pieces + 1,
        wallets = r.wallets + cardinality(v_next.sellers),
        items = r.items + coalesce((v_outcomes ->> 'made')::bigint, 0),
        outcomes = add_counts(r.outcomes, v_outcomes),
        changed_at = clock_timestamp(),
        ended_at = CASE WHEN v_next.is_last AND r.batch_items IS NULL
                        THEN clock_timestamp() END
    WHERE r.merchant_id = p_run.merchant_id AND r.run_id = p_run.run_id;
END
$$;
COMMENT ON FUNCTION pay.make_run_piece IS
    'Makes the items of the next wallets of a run';


-- A batch takes in all items that are ready, as pay_ops.make_payout_batch does,
-- the oldest first, until none of the run is left.
CREATE OR REPLACE FUNCTION pay.make_run_batch(
    p_run payout_run, p_owner text)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_item payout;
    v_made boolean := false;
BEGIN
    SELECT * INTO v_item FROM payout p
    WHERE p.merchant_id = p_run.merchant_id AND p.state = 'ready'
        AND p.batch_id IS NULL AND p.made_by = run_name(p_run)
    LIMIT 1;
    IF FOUND THEN
        v_made := (
            SELECT b.outcome = 'made'
            FROM pay_ops.make_payout_batch(p_run.merchant_id,
                v_item.provider, v_item.currency, p_run.batch_items,
                run_name(p_run)) b);
    END IF;

    UPDATE payout_run r
    SET batches = r.batches + v_made::int, pieces = r.pieces + 1,
        owner = p_owner, changed_at = clock_timestamp(),
        state = CASE WHEN v_item.payout_id IS NULL THEN 'done'
                     ELSE r.state END,
        ended_at = CASE WHEN v_item.payout_id IS NULL
                        THEN clock_timestamp() END
    WHERE r.merchant_id = p_run.merchant_id AND r.run_id = p_run.run_id;

    RETURN v_made OR v_item.payout_id IS NULL;
END
$$;
COMMENT ON FUNCTION pay.make_run_batch IS
    'Makes the next batch of a run, or ends it; false: others have locked its '
    'items';


-- The wallets of the merchant whose reserve is over for the longest time.
CREATE OR REPLACE FUNCTION pay.wallets_of_due_reserves(
    p_most int, OUT merchant_id text, OUT sellers text[],
    OUT currencies text[])
LANGUAGE sql STABLE AS $$
WITH due AS MATERIALIZED (
    SELECT r.merchant_id, r.seller_account, r.currency, r.until
    FROM payout_reserve r
    WHERE r.released_at IS NULL AND r.until <= now()
    ORDER BY r.until LIMIT p_most
)
SELECT w.merchant_id, array_agg(w.seller_account::text),
    array_agg(w.currency::text)
FROM (SELECT DISTINCT d.merchant_id, d.seller_account, d.currency
      FROM due d
      WHERE d.merchant_id = (SELECT f.merchant_id FROM due f
                             ORDER BY f.until LIMIT 1)) w
GROUP BY w.merchant_id
$$;
COMMENT ON FUNCTION pay.wallets_of_due_reserves IS
    'Wallets of one merchant that have a reserve whose time is over';


-- Reserves whose time is over end at the next turn of a worker, so that a wallet
-- in debt, or one that no schedule comes to, does not keep them.  Where the entries
-- of a wallet cannot be written, it does not keep the others waiting.
CREATE OR REPLACE FUNCTION pay.release_due_reserves(p_wallets int)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_due  record;
    v_some boolean := false;
BEGIN
    SELECT * INTO v_due FROM wallets_of_due_reserves(p_wallets);
    IF v_due.merchant_id IS NULL THEN
        RETURN false;
    END IF;

    PERFORM refresh_payout_wallets(v_due.merchant_id, v_due.sellers,
                                   v_due.currencies);

    RETURN true;
EXCEPTION WHEN integrity_constraint_violation THEN
    FOR v_place IN 1 .. cardinality(v_due.sellers) LOOP
        BEGIN
            PERFORM refresh_payout_wallets(v_due.merchant_id,
                v_due.sellers[v_place : v_place],
                v_due.currencies[v_place : v_place]);
            v_some := true;
        EXCEPTION WHEN integrity_constraint_violation THEN
            NULL;
        END;
    END LOOP;

    RETURN v_some;
END
$$;
COMMENT ON FUNCTION pay.release_due_reserves IS
    'Ends the reserves of some wallets whose time is over: whether there were '
    'any';


-- The run that has waited longest comes first, so that a large one does not keep
-- a small one waiting.
CREATE OR REPLACE FUNCTION pay.make_payout_piece(
    p_owner text, p_wallets int)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_run payout_run;
BEGIN
    IF begin_payout_runs(100) > 0 THEN
        RETURN true;
    END IF;

    SELECT * INTO v_run FROM payout_run r
    WHERE r.ended_at IS NULL ORDER BY r.changed_at LIMIT 1
    FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN release_due_reserves(p_wallets);
    ELSIF v_run.state = 'batching' THEN
        RETURN make_run_batch(v_run, p_owner);
    END IF;

    PERFORM make_run_piece(v_run, p_wallets, p_owner);

    RETURN true;
END
$$;
COMMENT ON FUNCTION pay.make_payout_piece IS
    'Makes the next piece of a run, or ends reserves whose time is over: '
    'whether there was something to do';


CREATE OR REPLACE FUNCTION pay_api.make_due_payouts(
    p_owner text[], p_wallets bigint[])
RETURNS SETOF pay_api.outcome_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row pay_api.outcome_row;
BEGIN
    PERFORM check_batch(array_dims(p_owner), array_dims(p_wallets));

    FOR v_item IN 1 .. coalesce(cardinality(p_owner), 0) LOOP
        v_row.item := v_item;
        v_row.outcome := CASE
            WHEN NOT id_ok(p_owner[v_item])
                OR (p_wallets[v_item] BETWEEN 1 AND 5000) IS NOT TRUE
            THEN 'invalid'
            WHEN make_payout_piece(p_owner[v_item], p_wallets[v_item]::int)
            THEN 'again' ELSE 'not_due' END;
        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.make_due_payouts IS
    'Makes a piece of the pay-outs that schedules have due, or ends reserves '
    'whose time is over. Outcomes: again, not_due, invalid';
