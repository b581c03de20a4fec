-- The balance that a PSP itself tells of an account, against the ledger: once a
-- day behind a pull that has brought all there is.  The ledger is ahead of the
-- PSP's files, so the two may differ by money that is unsettled or
-- under way.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The ledger is added up piece by piece from one look to the next, the first
-- time from the last close, if there is one: a look that read all of it would
-- take longer than a statement may.  Lines that are being added to are nobody's
-- balance until the entries before p_until are added: false.  A run never ends
-- before the one before it, or entries would be counted twice.
CREATE OR REPLACE FUNCTION pay.sum_ledger(p_rows int, p_until timestamptz)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_tally settlement_tally;
    v_last  settlement_close;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('settlement_balance'));
    SELECT * INTO v_tally FROM settlement_tally t WHERE t.name = 'balance';

    IF NOT FOUND THEN
        SELECT * INTO v_last FROM settlement_close c
        ORDER BY c.number DESC LIMIT 1;
        PERFORM add_tally_lines('balance', ARRAY(
            SELECT ROW(d.merchant_id, d.psp, d.currency,
                'account/' || substr(d.item, 9), 0, d.minor)::close_line
            FROM jsonb_populate_recordset(NULL::close_line,
                coalesce(v_last.document::jsonb -> 'lines', '[]')) d
            WHERE d.item LIKE 'balance/%'));
        v_tally := begin_tally('balance', NULL, v_last.until_at,
                               v_last.until_tx, p_until);
    ELSIF v_tally.is_done THEN
        v_tally := begin_tally('balance', NULL, v_tally.until_at,
            v_tally.until_tx, greatest(p_until, v_tally.until_at));
    END IF;

    RETURN (run_tally(v_tally, p_rows)).is_done;
END
$$;
COMMENT ON FUNCTION pay.sum_ledger IS
    'Adds up the next entries of the ledger: whether it has come to the end';


-- The balances of all accounts, for the console: added up again a quarter of an
-- hour after the last time.  True: more is to be added up at once.
CREATE OR REPLACE FUNCTION pay.sum_accounts(
    p_rows int, p_age interval DEFAULT '15 min')
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_tally settlement_tally;
BEGIN
    SELECT * INTO v_tally FROM settlement_tally t
    WHERE t.name = 'accounts' FOR UPDATE;

    IF NOT FOUND THEN
        v_tally := begin_tally('accounts', NULL, NULL, NULL, now());
    ELSIF v_tally.is_done AND v_tally.until_at > now() - p_age THEN
        RETURN false;
    ELSIF v_tally.is_done THEN
        v_tally := begin_tally('accounts', NULL, v_tally.until_at,
                               v_tally.until_tx, now());
    END IF;

    RETURN NOT (run_tally(v_tally, p_rows)).is_done;
END
$$;
COMMENT ON FUNCTION pay.sum_accounts IS
    'Adds up the next entries on all accounts; true: there are more';


-- The amount that a PSP owes by the ledger: as it was added up, and the entries
-- since, of this snapshot.
CREATE OR REPLACE FUNCTION pay.psp_sums(p_psp text)
RETURNS TABLE (currency text, ours numeric, reserve numeric)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_hashjoin = off
SET enable_mergejoin = off AS $$
DECLARE
    v_tally settlement_tally;
    v_tx    bigint;
BEGIN
    SELECT * INTO v_tally FROM settlement_tally t WHERE t.name = 'balance';
    v_tx := v_tally.until_tx::text::bigint;

    RETURN QUERY
    SELECT b.currency, sum(b.minor),
        coalesce(sum(b.minor) FILTER (WHERE b.account = 'psp_reserve'), 0)
    FROM (
        SELECT l.currency::text, l.account, l.amount_minor::numeric AS minor
        FROM (SELECT * FROM journal_entry e
              WHERE e.at >= v_tally.until_at AND e.psp = p_psp
              UNION ALL
              SELECT * FROM journal_entry e
              WHERE e.at >= v_tally.until_at - interval '1 day'
                  AND e.at < v_tally.until_at
                  AND e.tx::text::bigint >= v_tx AND e.psp = p_psp
              OFFSET 0) e
        CROSS JOIN LATERAL (
            SELECT * FROM journal_line l
            WHERE l.merchant_id = e.merchant_id AND l.source = e.source
                AND l.kind = e.kind
            OFFSET 0) l
        UNION ALL
        SELECT t.currency::text, substr(t.item, 9), t.minor
        FROM settlement_tally_line t
        WHERE t.name = 'balance' AND t.psp = p_psp
            AND t.item LIKE 'account/%') b
    WHERE b.account IN ('psp_clearing', 'refunds', 'chargebacks',
                        'psp_reserve')
    GROUP BY b.currency;
END
$$;
COMMENT ON FUNCTION pay.psp_sums IS
    'The amount that a PSP owes by the ledger; reserve: the part that it '
    'withholds';


-- Hours before this one are counted by the round of settlement (count_hour()),
-- which counts an hour again until it is long over.
CREATE OR REPLACE FUNCTION pay.recent_hour()
RETURNS timestamptz LANGUAGE sql STABLE AS
'SELECT date_trunc(''hour'', now(), ''UTC'') - interval ''1 hour''';
COMMENT ON FUNCTION pay.recent_hour IS
    'Entries since then are not read from settlement_aged';


CREATE OR REPLACE FUNCTION pay.is_counted(p_psp text)
RETURNS boolean LANGUAGE sql STABLE AS $$
SELECT NOT EXISTS (
    SELECT FROM (
        SELECT greatest(min(s.since), now() - interval '400 days') AS since
        FROM settlement_source s WHERE s.psp = p_psp) s
    CROSS JOIN LATERAL generate_series(date_trunc('hour', s.since, 'UTC'),
        recent_hour() - interval '1 hour', interval '1 hour') AS g (hour)
    LEFT JOIN settlement_hour h ON h.hour = g.hour
        AND (h.is_final OR h.counted_at >= g.hour + interval '1 hour')
    WHERE h.hour IS NULL)
$$;
COMMENT ON FUNCTION pay.is_counted IS
    'Whether all entries of a PSP are counted that no file has brought';


-- Entries that no file has brought: incoming ones may have been paid out, or have
-- cost a fee, that no file has brought either; outgoing ones the PSP may not
-- have taken yet.
CREATE OR REPLACE FUNCTION pay.psp_unsettled(p_psp text)
RETURNS TABLE (currency text, incoming numeric, outgoing numeric)
LANGUAGE sql STABLE
SET enable_hashjoin = on SET enable_seqscan = on AS $$
SELECT u.currency, coalesce(sum(u.minor) FILTER (WHERE u.minor > 0), 0),
    coalesce(-sum(u.minor) FILTER (WHERE u.minor < 0), 0)
FROM (
    SELECT a.currency, a.minor
    FROM settlement_aged a
    WHERE a.psp = p_psp AND a.family <> 'payout' AND a.hour < recent_hour()
    UNION ALL
    SELECT e.currency, (x.sign * e.amount_minor)::numeric
    FROM journal_entry e
    JOIN settlement_expected x ON x.kind = e.kind AND x.family <> 'payout'
    LEFT JOIN LATERAL (
        SELECT c.match_id FROM settlement_closed c
        WHERE c.merchant_id = e.merchant_id AND c.source = e.source
            AND c.kind = e.kind
        OFFSET 0) c ON true
    WHERE e.at >= recent_hour() AND e.psp = p_psp
        AND NOT starts_with(e.source, 'settlement/')
        AND c.match_id IS NULL) u
GROUP BY u.currency
$$;
COMMENT ON FUNCTION pay.psp_unsettled IS
    'Entries of a PSP that no file has brought, into and out of its balance';


-- Money that the PSP may have moved although the ledger does not say so yet:
-- checkouts that are open, captures and refunds without an answer, and disputes
-- whose money no file has taken.
CREATE OR REPLACE FUNCTION pay.psp_under_way(p_psp text)
RETURNS TABLE (currency text, incoming numeric, outgoing numeric)
LANGUAGE sql STABLE
SET enable_hashjoin = on SET enable_seqscan = on AS $$
SELECT u.currency, coalesce(sum(u.minor) FILTER (WHERE NOT u.is_out), 0),
    coalesce(sum(u.minor) FILTER (WHERE u.is_out), 0)
FROM (
    SELECT c.currency, c.total_minor::numeric AS minor, j.is_out
    FROM (SELECT DISTINCT j.merchant_id, j.checkout_id,
              j.kind = 'refund' AS is_out
          FROM job j WHERE j.operation_id = '') j
    JOIN checkout c ON c.merchant_id = j.merchant_id
        AND c.checkout_id = j.checkout_id
    WHERE c.psp = p_psp
    UNION ALL
    SELECT g.currency, g.amount_minor, g.kind = 'refund'
    FROM change g
    WHERE status_rank(g.status) < 2 AND g.psp = p_psp
        AND g.kind IN ('capture', 'refund')
    UNION ALL
    SELECT d.currency, d.amount_minor, true
    FROM dispute d
    WHERE d.psp = p_psp AND d.state = 'open' AND NOT EXISTS (
        SELECT FROM settlement_hold h
        WHERE h.psp = d.psp AND h.dispute_id = d.dispute_id
            AND h.ended_at IS NULL)) u
GROUP BY u.currency
$$;
COMMENT ON FUNCTION pay.psp_under_way IS
    'Money that moves at a PSP and is not booked yet, into and out of its '
    'balance';


-- Rows of which nothing is booked before an operator decides.
CREATE OR REPLACE FUNCTION pay.psp_waiting(p_psp text)
RETURNS TABLE (currency text, minor numeric)
LANGUAGE sql STABLE
SET enable_hashjoin = on SET enable_seqscan = on AS $$
SELECT r.currency, sum(abs(r.net_minor::numeric))
FROM settlement_exception x
JOIN settlement_row r ON r.row_id = x.row_id
LEFT JOIN settlement_rule u ON u.kind = r.kind AND u.finding = x.finding
WHERE x.closed_at IS NULL AND x.psp = p_psp AND NOT x.is_suspended
    AND coalesce(u.posts, 'none') = 'none'
GROUP BY r.currency
$$;
COMMENT ON FUNCTION pay.psp_waiting IS
    'The money of a PSP''s rows that wait for an operator';


DO $$
BEGIN
    IF to_regtype('pay.balance_bound') IS NULL THEN
        CREATE TYPE pay.balance_bound AS (
            currency text, ours numeric, reserve numeric, below numeric,
            above numeric, is_foreign_in boolean, is_foreign_out boolean);
    END IF;
END
$$;


-- below, above: by how much the PSP's sum may be lower or higher than ours.
-- Money of a currency that the PSP does not list becomes money of one that it
-- lists, at a rate that nobody knows yet: is_foreign_in, is_foreign_out.
CREATE OR REPLACE FUNCTION pay.balance_bounds(
    p_psp text, p_listed text[])
RETURNS SETOF balance_bound LANGUAGE sql STABLE AS $$
WITH sums AS MATERIALIZED (
    SELECT * FROM psp_sums(p_psp)
), moves AS MATERIALIZED (
    SELECT m.currency, sum(m.below) AS below, sum(m.above) AS above,
        sum(m.incoming) AS incoming, sum(m.outgoing) AS outgoing
    FROM (
        SELECT u.currency, u.incoming AS below, u.outgoing AS above,
            u.incoming, u.outgoing
        FROM psp_unsettled(p_psp) u
        UNION ALL
        SELECT u.currency, u.outgoing, u.incoming, u.incoming, u.outgoing
        FROM psp_under_way(p_psp) u
        UNION ALL
        SELECT w.currency, w.minor, w.minor, 0, 0
        FROM psp_waiting(p_psp) w) m
    GROUP BY m.currency
), foreigners AS (
    SELECT coalesce(bool_or(m.incoming > 0), false) AS is_in,
        coalesce(bool_or(m.outgoing > 0), false) AS is_out
    FROM moves m WHERE m.currency <> ALL (p_listed)
)
SELECT k.currency, coalesce(s.ours, 0), coalesce(s.reserve, 0),
    coalesce(m.below, 0), coalesce(m.above, 0), f.is_in, f.is_out
FROM (SELECT unnest(p_listed) AS currency
      UNION SELECT s.currency FROM sums s
      UNION SELECT m.currency FROM moves m) k
LEFT JOIN sums s ON s.currency = k.currency
LEFT JOIN moves m ON m.currency = k.currency
CROSS JOIN foreigners f
$$;
COMMENT ON FUNCTION pay.balance_bounds IS
    'The amount that a PSP owes by the ledger, and by how much its own '
    'balance may differ';


-- The difference that is known already: that of the look before, or, when an
-- operator has resolved its exception, the one that this look had found.
CREATE OR REPLACE FUNCTION pay.known_difference(
    p_last psp_balance, OUT low bigint, OUT high bigint)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF EXISTS (SELECT FROM settlement_exception x
               WHERE x.exception_id = p_last.exception_id
                   AND x.closed_as = 'resolved')
    THEN
        low := p_last.difference_minor - p_last.above_minor;
        high := p_last.difference_minor + p_last.below_minor;
    ELSE
        low := coalesce(p_last.known_low, 0);
        high := coalesce(p_last.known_high, 0);
    END IF;
END
$$;
COMMENT ON FUNCTION pay.known_difference IS
    'Between which amounts the difference lies that operators have accepted';


-- One exception for each account and currency, as long as the balance differs.
CREATE OR REPLACE FUNCTION pay.raise_balance(
    p_source settlement_source, p_last psp_balance, p_currency text,
    p_minor bigint)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_id bigint;
BEGIN
    UPDATE settlement_exception x SET amount_minor = p_minor
    WHERE x.exception_id = p_last.exception_id AND x.closed_at IS NULL
    RETURNING x.exception_id INTO v_id;

    IF v_id IS NULL THEN
        INSERT INTO settlement_exception (merchant_id, psp, source, kind,
            class, finding, playbook, amount_minor, currency)
        SELECT p_source.merchant_id, p_source.psp,
            concat_ws('/', 'balance', p_source.source, p_currency,
                      iso_micros(clock_timestamp())),
            u.kind, u.class, u.finding, u.playbook, p_minor, p_currency
        FROM settlement_rule u
        WHERE u.kind = 'balance' AND u.finding = 'differs'
        RETURNING exception_id INTO v_id;
    END IF;

    RETURN v_id;
END
$$;
COMMENT ON FUNCTION pay.raise_balance IS
    'Queues a balance that differs, or says by how much it differs now';


-- Outside of the interval it differs.  It is too early to compare while entries
-- are not counted, or when money of another currency may be the reason.
CREATE OR REPLACE FUNCTION pay.balance_verdict(
    p_bound balance_bound, p_row psp_balance, p_is_counted boolean)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT CASE
    WHEN NOT p_is_counted THEN 'unsettled'
    WHEN p_row.difference_minor > p_row.known_high + p_row.above_minor
        THEN CASE WHEN p_bound.is_foreign_in THEN 'unsettled'
                  ELSE 'differs' END
    WHEN p_row.difference_minor < p_row.known_low - p_row.below_minor
        THEN CASE WHEN p_bound.is_foreign_out THEN 'unsettled'
                  ELSE 'differs' END
    ELSE 'agrees' END
$$;
COMMENT ON FUNCTION pay.balance_verdict IS
    'Whether a PSP''s balance agrees with the ledger: agrees, differs or '
    'unsettled';


-- p_said: the row as the PSP says it.  A part of our reserve that the PSP does not
-- show may be outside of its balance: money of disputes is.
CREATE OR REPLACE FUNCTION pay.compare_balance(
    p_source settlement_source, p_said psp_balance, p_bound balance_bound,
    p_is_counted boolean)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_row  psp_balance := p_said;
    v_last psp_balance;
BEGIN
    SELECT * INTO v_last FROM psp_balance b
    WHERE b.source = p_source.source AND b.currency = p_said.currency
    ORDER BY b.balance_id DESC LIMIT 1;

    SELECT k.low, k.high INTO v_row.known_low, v_row.known_high
    FROM known_difference(v_last) k;
    v_row.our_minor := p_bound.ours;
    v_row.difference_minor := p_said.available_minor + p_said.pending_minor
        + coalesce(p_said.reserved_minor, 0) - p_bound.ours;
    v_row.below_minor := p_bound.below + greatest(0,
        p_bound.reserve - coalesce(p_said.reserved_minor, 0));
    v_row.above_minor := p_bound.above;
    v_row.verdict := balance_verdict(p_bound, v_row, p_is_counted);

    IF v_row.verdict = 'differs' THEN
        v_row.exception_id := raise_balance(p_source, v_last,
            p_said.currency, v_row.difference_minor
            - CASE WHEN v_row.difference_minor > v_row.known_high
                   THEN v_row.known_high ELSE v_row.known_low END);
    ELSIF v_row.verdict = 'agrees' THEN
        UPDATE settlement_exception x
        SET closed_at = clock_timestamp(), closed_as = 'matched'
        WHERE x.psp = p_source.psp AND x.closed_at IS NULL
            AND x.kind = 'balance' AND starts_with(x.source, concat_ws('/',
                'balance', p_source.source, p_said.currency, ''));
        v_row.known_low := greatest(v_row.known_low,
            v_row.difference_minor - v_row.above_minor);
        v_row.known_high := least(v_row.known_high,
            v_row.difference_minor + v_row.below_minor);
    END IF;

    INSERT INTO psp_balance (source, currency, available_minor,
        pending_minor, reserved_minor, our_minor, difference_minor,
        below_minor, above_minor, known_low, known_high, verdict,
        exception_id)
    VALUES (v_row.source, v_row.currency, v_row.available_minor,
        v_row.pending_minor, v_row.reserved_minor, v_row.our_minor,
        v_row.difference_minor, v_row.below_minor, v_row.above_minor,
        v_row.known_low, v_row.known_high, v_row.verdict,
        v_row.exception_id);

    RETURN v_row.verdict;
END
$$;
COMMENT ON FUNCTION pay.compare_balance IS
    'Keeps a balance as the PSP says it, beside the ledger: the verdict';


-- p_said: of one source.  A currency that a complete answer leaves out has no
-- balance.  When the next look is due: at the next midnight (UTC), or in an hour
-- when it was too early, or when the ledger is not added up yet: then nothing is
-- compared.
CREATE OR REPLACE FUNCTION pay.compare_balances(
    p_source settlement_source, p_said psp_balance[], p_is_complete boolean)
RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
    v_listed     text[] := ARRAY(
        SELECT s.currency::text FROM unnest(p_said) s);
    v_is_counted boolean := is_counted(p_source.psp);
    v_row        psp_balance;
    v_bound      balance_bound;
    v_verdict    text;
BEGIN
    IF NOT sum_ledger(20000, clock_timestamp()) THEN
        RETURN now() + interval '1 hour';
    END IF;

    FOR v_bound IN
        SELECT * FROM balance_bounds(p_source.psp, v_listed) b
        WHERE b.currency = ANY (v_listed)
            OR p_is_complete AND (b.ours <> 0 OR b.below + b.above > 0)
        ORDER BY b.currency COLLATE "C"
    LOOP
        SELECT * INTO v_row FROM unnest(p_said) s
        WHERE s.currency = v_bound.currency;
        v_row.source := p_source.source;
        v_row.currency := v_bound.currency;
        v_row.available_minor := coalesce(v_row.available_minor, 0);
        v_row.pending_minor := coalesce(v_row.pending_minor, 0);
        v_verdict := compare_balance(p_source, v_row, v_bound,
                                     v_is_counted);
    END LOOP;

    RETURN CASE WHEN v_is_counted
        THEN date_trunc('day', now(), 'UTC') + interval '1 day'
        ELSE now() + interval '1 hour' END;
END
$$;
COMMENT ON FUNCTION pay.compare_balances IS
    'Compares the balances that a PSP says with the ledger: when to ask again';


-- p_code: why the PSP said nothing that can be read; it is asked again in an
-- hour.
CREATE OR REPLACE FUNCTION pay_api.store_balance(
    p_source text[], p_owner text[], p_is_complete bigint[],
    p_code text[], p_rows_item bigint[], p_rows_currency text[],
    p_rows_available_minor bigint[], p_rows_pending_minor bigint[],
    p_rows_reserved_minor bigint[])
RETURNS SETOF pay_api.outcome_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row    pay_api.outcome_row;
    v_source settlement_source;
    v_said   psp_balance[];
    v_next   timestamptz;
BEGIN
    PERFORM check_batch(array_dims(p_source), array_dims(p_owner),
        array_dims(p_is_complete), array_dims(p_code));

    FOR v_item IN 1 .. coalesce(cardinality(p_source), 0) LOOP
        v_row.item := v_item;
        v_row.outcome := 'gone';
        SELECT s.* INTO v_source
        FROM settlement_look l
        JOIN settlement_source s ON s.source = l.source
        WHERE l.source = p_source[v_item]
            AND l.lease_owner = p_owner[v_item] AND s.psp IS NOT NULL
        FOR UPDATE OF l;

        IF FOUND THEN
            v_row.outcome := 'stored';
            v_said := ARRAY(
                SELECT ROW(NULL, p_source[v_item], r.currency, NULL,
                    r.available_minor, r.pending_minor, r.reserved_minor,
                    NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                    NULL)::psp_balance
                FROM unnest(p_rows_item, p_rows_currency,
                    p_rows_available_minor, p_rows_pending_minor,
                    p_rows_reserved_minor) AS r (item, currency,
                    available_minor, pending_minor, reserved_minor)
                WHERE r.item = v_item);
            v_next := CASE
                WHEN p_code[v_item] IS NULL THEN compare_balances(v_source,
                    v_said, p_is_complete[v_item] <> 0)
                ELSE now() + interval '1 hour' END;
            UPDATE settlement_look l SET balance_at = v_next
            WHERE l.source = p_source[v_item];
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.store_balance IS
    'Compares the balance that a PSP says with the ledger. Outcomes: stored, '
    'gone';


CREATE OR REPLACE FUNCTION pay_ops.ask_balance(p_source text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    UPDATE settlement_look l SET balance_at = now()
    WHERE l.source = p_source AND l.way = 'pull';

    RETURN CASE WHEN FOUND THEN 'stored' ELSE 'not_found' END;
END
$$;
COMMENT ON FUNCTION pay_ops.ask_balance IS
    'Has the PSP of a source asked for its balance at the next look: stored '
    'or not_found';


-- The last look at each balance of a merchant's sources.
CREATE OR REPLACE FUNCTION pay.balances_of(
    p_merchant_id text, p_psp text, p_currency text)
RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT json_build_object('balances', coalesce(json_agg(
            json_build_object('source', b.source, 'psp', b.psp,
                'currency', b.currency, 'looked_at', iso_time(b.looked_at),
                'available', b.available::text, 'pending', b.pending::text,
                'reserved', b.reserved::text, 'ledger', b.ledger::text,
                'difference', b.difference::text,
                'accepted', b.accepted::text, 'lowest', b.lowest::text,
                'highest', b.highest::text, 'verdict', b.verdict,
                'exception_id', b.exception_id)
            ORDER BY b.source COLLATE "C", b.currency COLLATE "C"), '[]'),
            'next', NULL)
        FROM pay_view.psp_balances b
        WHERE b.merchant_id = p_merchant_id AND b.is_last
            AND (p_psp IS NULL OR b.psp = p_psp)
            AND (p_currency IS NULL OR b.currency = p_currency));
END
$$;
COMMENT ON FUNCTION pay.balances_of IS
    'The last look at each balance of a merchant''s sources, for the API';


CREATE OR REPLACE FUNCTION pay_api.list_psp_balances(
    p_merchant_id text[], p_psp text[], p_currency text[])
RETURNS SETOF pay_api.page_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id), array_dims(p_psp),
                        array_dims(p_currency));

    RETURN QUERY
    SELECT n, 'found', balances_of(p_merchant_id[n], p_psp[n],
                                   p_currency[n])::text
    FROM generate_series(1, cardinality(p_merchant_id)) n;
END
$$;
COMMENT ON FUNCTION pay_api.list_psp_balances IS
    'The balances that PSPs last stated, beside the ledger. Outcomes: '
    'found';
