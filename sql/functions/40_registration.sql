-- The steps of store_token (41_store_token.sql).  The reason for OFFSET 0 in
-- 10_batch.sql holds for jobs above all, since their table is nearly empty at
-- times.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Claims tokens and aliases for checkouts that have none yet and are still at
-- that PSP, in key order; a name that has an owner keeps it.  This waits for a
-- session that is just parking a webhook: a row that was there without an owner
-- means that a webhook was parked.  sure: every item has claimed all its names.
CREATE OR REPLACE FUNCTION pay.claim_tokens(
    p_items int[], p_merchant_id text[], p_checkout_id text[], p_psp text[],
    p_token text[], p_alias text[], OUT sure boolean, OUT parked boolean)
LANGUAGE plpgsql AS $$
BEGIN
    WITH claim AS (
        INSERT INTO psp_token AS t (psp, token, merchant_id, checkout_id)
        SELECT DISTINCT ON (p_psp[n], x.name)
            p_psp[n], x.name, p_merchant_id[n], p_checkout_id[n]
        FROM unnest(p_items) n
        CROSS JOIN LATERAL (
            SELECT r.psp, r.token FROM checkout r
            WHERE r.merchant_id = p_merchant_id[n]
                AND r.checkout_id = p_checkout_id[n]
            OFFSET 0) r
        CROSS JOIN LATERAL unnest(CASE WHEN p_alias[n] <> p_token[n]
                                           AND p_alias[n] <> ''
                                       THEN ARRAY[p_token[n], p_alias[n]]
                                       ELSE ARRAY[p_token[n]] END) x (name)
        WHERE r.psp = p_psp[n] AND r.token IS NULL
        ORDER BY p_psp[n], x.name, n
        ON CONFLICT (psp, token, is_reference) DO UPDATE
        SET merchant_id = EXCLUDED.merchant_id,
            checkout_id = EXCLUDED.checkout_id
        WHERE t.checkout_id IS NULL
        RETURNING t.xmax <> 0 AS parked
    )
    SELECT count(*) = (
            SELECT count(*) + count(*) FILTER (WHERE p_alias[n] <> ''
                                               AND p_alias[n] <> p_token[n])
            FROM unnest(p_items) n),
        coalesce(bool_or(c.parked), false)
    INTO sure, parked
    FROM claim c;
END
$$;
COMMENT ON FUNCTION pay.claim_tokens IS
    'Makes tokens and aliases the property of checkouts, first wins';


-- Makes a PSP's payment ids lead to their checkouts, since events about changes
-- name them.  Runs before the locks of the checkouts, in key order; returns the
-- items for which a webhook was parked.  If this call has locked tokens as
-- well, two batches may deadlock: PostgreSQL ends one of the two, and its items
-- are sent one by one.
CREATE OR REPLACE FUNCTION pay.claim_references(
    p_merchant_id text[], p_checkout_id text[], p_psp text[],
    p_reference text[])
RETURNS int[] LANGUAGE plpgsql AS $$
DECLARE
    v_psps  text[];
    v_names text[];
BEGIN
    WITH claim AS (
        INSERT INTO psp_token AS t (psp, token, merchant_id, checkout_id,
            is_reference)
        SELECT DISTINCT ON (u.psp, u.reference)
            u.psp, u.reference, u.merchant_id, u.checkout_id, true
        FROM unnest(p_merchant_id, p_checkout_id, p_psp, p_reference)
            WITH ORDINALITY AS u (merchant_id, checkout_id, psp, reference,
                                  n)
        LEFT JOIN LATERAL (
            SELECT k.checkout_id FROM psp_token k
            WHERE k.psp = u.psp AND k.token = u.reference
                AND k.is_reference
            OFFSET 0) k ON true
        WHERE u.checkout_id IS NOT NULL AND u.reference <> ''
            AND k.checkout_id IS NULL
        ORDER BY u.psp, u.reference, u.n
        ON CONFLICT (psp, token, is_reference) DO UPDATE
        SET merchant_id = EXCLUDED.merchant_id,
            checkout_id = EXCLUDED.checkout_id
        WHERE t.checkout_id IS NULL
        RETURNING t.psp, t.token, t.xmax <> 0 AS parked
    )
    SELECT array_agg(c.psp::text), array_agg(c.token::text)
    INTO v_psps, v_names
    FROM claim c WHERE c.parked;

    RETURN CASE WHEN v_psps IS NULL THEN '{}' ELSE ARRAY(
        SELECT n FROM generate_subscripts(p_psp, 1) n
        WHERE (p_psp[n], p_reference[n]) IN (
            SELECT * FROM unnest(v_psps, v_names))) END;
END
$$;
COMMENT ON FUNCTION pay.claim_references IS
    'Makes PSPs'' ids of payments the property of checkouts, first wins';


-- Frees the ids of payments that store_token() has claimed for registrations
-- that left this PSP before they were locked: the webhooks wait for another
-- checkout, or for an operator.
CREATE OR REPLACE FUNCTION pay.free_references(
    p_merchant_id text[], p_checkout_id text[], p_psp text[],
    p_reference text[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE psp_token t
    SET merchant_id = NULL, checkout_id = NULL
    FROM unnest(p_merchant_id, p_checkout_id, p_psp, p_reference)
        AS u (merchant_id, checkout_id, psp, reference)
    JOIN registration r ON r.merchant_id = u.merchant_id
        AND r.checkout_id = u.checkout_id
    WHERE t.psp = u.psp AND t.token = u.reference AND t.is_reference
        AND t.merchant_id = u.merchant_id
        AND t.checkout_id = u.checkout_id AND t.psp <> r.psp;
END
$$;
COMMENT ON FUNCTION pay.free_references IS
    'Gives up ids of payments at PSPs that registrations have left';


-- The names that webhooks about these names bring with them, if they are
-- believed.
CREATE OR REPLACE FUNCTION pay.parked_references(
    p_merchant_id text[], p_checkout_id text[], p_psp text[],
    p_name text[], OUT merchants text[], OUT checkouts text[],
    OUT psps text[], OUT names text[])
LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT array_agg(u.merchant_id), array_agg(u.checkout_id),
        array_agg(u.psp), array_agg(i.reference)
    INTO merchants, checkouts, psps, names
    FROM unnest(p_merchant_id, p_checkout_id, p_psp, p_name) AS
        u (merchant_id, checkout_id, psp, name)
    JOIN webhook_inbox i ON i.psp = u.psp AND i.token = u.name
        AND i.state = 'parked'
    JOIN checkout c ON c.merchant_id = u.merchant_id
        AND c.checkout_id = u.checkout_id
    WHERE i.reference <> i.token
        AND (i.about IS NOT NULL
             OR fact_kind(i.fact, i.amount_minor, i.currency, c.total_minor,
                          c.currency) NOT IN ('mismatch', 'notified'));
END
$$;
COMMENT ON FUNCTION pay.parked_references IS
    'Ids of payments in webhooks that wait for these names';


-- Webhooks that wait for names which locked checkouts have now, tokens first:
-- about their payments as facts, about changes, disputes and fees as news.
CREATE OR REPLACE FUNCTION pay.find_parked(
    p_merchant_id text[], p_checkout_id text[], p_psp text[],
    p_name text[], OUT facts fact[], OUT told news[])
LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT array_agg(ROW(w.n, NULL, w.merchant_id, w.checkout_id,
            fact_kind(w.fact, w.amount_minor, w.currency, c.total_minor,
                      c.currency),
            'webhook', w.psp, w.event_id, w.type, w.code, w.token,
            w.reference, w.amount_minor, w.currency, w.request_id,
            w.decline, NULL, NULL, NULL)::fact ORDER BY w.n)
            FILTER (WHERE w.about IS NULL),
        array_agg(ROW(w.n, w.merchant_id, w.checkout_id, w.psp, w.via,
            w.event_id, w.type, w.about ->> 'about', w.about ->> 'news',
            w.token, w.reference, w.about ->> 'object',
            w.about ->> 'operation_id', w.amount_minor, w.currency,
            (w.about ->> 'fee_minor')::bigint, w.about ->> 'fee_currency',
            w.code, NULL, w.request_id, NULL,
            (w.about ->> 'said_at')::timestamptz)::news ORDER BY w.n)
            FILTER (WHERE w.about IS NOT NULL)
    INTO facts, told
    FROM (
        SELECT x.*,
            row_number() OVER (ORDER BY x.received_at, x.event_id) AS n
        FROM (
            SELECT DISTINCT ON (i.psp, i.event_id) i.psp, i.event_id, i.type,
                i.fact, i.token, i.reference, i.code, i.amount_minor,
                i.currency, i.via, i.about, i.decline, i.request_id,
                i.received_at,
                t.merchant_id, t.checkout_id
            FROM (SELECT DISTINCT * FROM unnest(p_merchant_id, p_checkout_id,
                                                p_psp, p_name)) AS
                u (merchant_id, checkout_id, psp, name)
            JOIN registration r ON r.merchant_id = u.merchant_id
                AND r.checkout_id = u.checkout_id
            JOIN psp_token t ON t.psp = u.psp AND t.token = u.name
                AND t.merchant_id = u.merchant_id
                AND t.checkout_id = u.checkout_id
                AND (t.is_reference OR t.token IN (r.token, r.alias))
            CROSS JOIN LATERAL (
                SELECT * FROM webhook_inbox p
                WHERE p.psp = t.psp AND p.token = t.token
                    AND p.state = 'parked'
                    AND t.is_reference
                        = coalesce(p.about ? 'by_payment', false)
                UNION ALL
                SELECT * FROM webhook_inbox p
                WHERE t.is_reference
                    AND p.psp = t.psp AND p.reference = t.token
                    AND p.reference <> p.token AND p.state = 'parked'
                    AND coalesce(p.checkout_id = t.checkout_id
                        AND p.merchant_id = t.merchant_id, true)) i
            ORDER BY i.psp, i.event_id, i.token = t.token DESC) x) w
    JOIN checkout c ON c.merchant_id = w.merchant_id
        AND c.checkout_id = w.checkout_id;

    facts := coalesce(facts, '{}');
    told := coalesce(told, '{}');
END
$$;
COMMENT ON FUNCTION pay.find_parked IS
    'Webhooks that waited for these names';


-- The names are parallel arrays, each with its checkout, which is locked.
-- Captures, refunds, disputes and fees come after the sale.
CREATE OR REPLACE FUNCTION pay.apply_parked(
    p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[])
RETURNS posting[] LANGUAGE plpgsql AS $$
DECLARE
    v_parked record := find_parked(p_merchant_id, p_checkout_id, p_psp,
                                   p_name);
    v_taken  record;
    v_booked posting[];
BEGIN
    v_taken := take_facts(v_parked.facts);
    v_booked := v_taken.postings;

    UPDATE webhook_inbox i
    SET state = f.outcome, merchant_id = f.merchant_id,
        checkout_id = f.checkout_id
    FROM unnest(with_outcomes(v_taken.facts, v_taken.moved, v_taken.late,
                              v_taken.against)) f
    WHERE i.psp = f.psp AND i.event_id = f.event_id;

    IF cardinality(v_parked.told) > 0 THEN
        v_booked := v_booked || (take_news(v_parked.told)).postings;
    END IF;

    RETURN v_booked;
END
$$;
COMMENT ON FUNCTION pay.apply_parked IS
    'Applies webhooks that waited for these names; returns the postings';


-- p_items: those of which claim_references() says that something waits.
CREATE OR REPLACE FUNCTION pay.apply_named(
    p_items int[], p_merchant_id text[], p_checkout_id text[], p_psp text[],
    p_name text[])
RETURNS posting[] LANGUAGE plpgsql AS $$
BEGIN
    IF p_items = '{}' THEN
        RETURN '{}';
    END IF;

    RETURN apply_parked(
        ARRAY(SELECT p_merchant_id[n] FROM unnest(p_items) n),
        ARRAY(SELECT p_checkout_id[n] FROM unnest(p_items) n),
        ARRAY(SELECT p_psp[n] FROM unnest(p_items) n),
        ARRAY(SELECT p_name[n] FROM unnest(p_items) n));
END
$$;
COMMENT ON FUNCTION pay.apply_named IS
    'Applies webhooks that waited for the names of some items';


CREATE OR REPLACE FUNCTION pay.holds_names(
    p_merchant_id text, p_checkout_id text, p_psp text, p_token text,
    p_alias text)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT count(*) FROM psp_token t
        WHERE t.psp = p_psp AND t.token IN (p_token, p_alias)
            AND NOT t.is_reference
            AND t.merchant_id = p_merchant_id
            AND t.checkout_id = p_checkout_id)
        = CASE WHEN p_alias <> p_token THEN 2 ELSE 1 END;
END
$$;
COMMENT ON FUNCTION pay.holds_names IS
    'Whether a token and its alias are those of this checkout';


-- Stores the tokens of locked checkouts that have none and are still at that
-- PSP; returns the items that won, the first for each checkout.  p_sure: every
-- item has just claimed its names.  A registration that was refused or gave up
-- in the meantime keeps its state, and no buyer is sent to its page; but its
-- token is kept, so that a late payment is recognised.  The attempt is done,
-- whichever of its calls has brought the token.  journaled: the items whose
-- attempt has a row in the journal.  letters: an open dead letter is about one
-- of these registrations.
CREATE OR REPLACE FUNCTION pay.set_tokens(
    p_items int[], p_merchant_id text[], p_checkout_id text[],
    p_psp text[], p_token text[], p_alias text[], p_hosted_url text[],
    p_sure boolean, OUT stored int[], OUT late int[], OUT journaled int[],
    OUT letters boolean)
LANGUAGE plpgsql AS $$
BEGIN
    WITH first AS (
        SELECT DISTINCT ON (p_merchant_id[n], p_checkout_id[n])
            n, r.part, r.tid
        FROM unnest(p_items) n
        CROSS JOIN LATERAL (
            SELECT r.tableoid AS part, r.ctid AS tid, r.psp, r.token
            FROM checkout r
            WHERE r.merchant_id = p_merchant_id[n]
                AND r.checkout_id = p_checkout_id[n]
            OFFSET 0) r
        WHERE r.token IS NULL AND r.psp = p_psp[n]
            AND (p_sure OR holds_names(p_merchant_id[n], p_checkout_id[n],
                    p_psp[n], p_token[n], nullif(p_alias[n], '')))
        ORDER BY p_merchant_id[n], p_checkout_id[n], n
    ), done AS (
        UPDATE checkout r
        SET token = p_token[f.n], alias = nullif(p_alias[f.n], ''),
            lease_until = NULL, version = r.version + 1,
            hosted_url = CASE WHEN r.state = 'REGISTERING'
                              THEN p_hosted_url[f.n] END,
            code = CASE WHEN r.state <> 'REGISTERING' THEN r.code END,
            state = CASE WHEN r.state = 'REGISTERING' THEN 'REGISTERED'
                         ELSE r.state END,
            first_call = CASE WHEN r.first_call = 'OPEN' THEN 'DONE' END,
            first_ended_at = CASE WHEN r.first_call = 'OPEN'
                                  THEN clock_timestamp() END
        FROM first f
        WHERE r.ctid = f.tid AND r.tableoid = f.part
        RETURNING f.n, r.state, r.first_call
    )
    SELECT coalesce(array_agg(d.n) FILTER (WHERE d.state = 'REGISTERED'),
                    '{}'),
        coalesce(array_agg(d.n) FILTER (WHERE d.state <> 'REGISTERED'), '{}'),
        array_agg(d.n) FILTER (WHERE d.first_call IS NULL),
        coalesce(bool_or(l.found), false)
    INTO stored, late, journaled, letters
    FROM done d
    CROSS JOIN LATERAL (
        SELECT EXISTS (
            SELECT FROM dead_letter l
            WHERE l.merchant_id = p_merchant_id[d.n]
                AND l.checkout_id = p_checkout_id[d.n]
                AND l.state = 'open' AND l.kind = 'register') AS found) l;
END
$$;
COMMENT ON FUNCTION pay.set_tokens IS
    'Gives registrations their tokens, once';


CREATE OR REPLACE FUNCTION pay.journal_tokens(
    p_items int[], p_merchant_id text[], p_checkout_id text[],
    p_token text[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE dispatch d
    SET state = 'DONE', ended_at = clock_timestamp(), lease_until = NULL,
        reach = 'complete', http_status = NULL, code = NULL,
        reference = p_token[n]
    FROM unnest(p_items) n
    CROSS JOIN LATERAL (
        SELECT r.nonce FROM checkout r
        WHERE r.merchant_id = p_merchant_id[n]
            AND r.checkout_id = p_checkout_id[n]
        OFFSET 0) r
    CROSS JOIN LATERAL (
        SELECT k.tableoid AS part, k.ctid AS tid FROM dispatch k
        WHERE k.merchant_id = p_merchant_id[n]
            AND k.checkout_id = p_checkout_id[n]
            AND k.operation = 'register' AND k.operation_id = r.nonce
        ORDER BY k.attempt DESC LIMIT 1) k
    WHERE d.ctid = k.tid AND d.tableoid = k.part;
END
$$;
COMMENT ON FUNCTION pay.journal_tokens IS
    'Journals that calls of registrations have brought the token';


CREATE OR REPLACE FUNCTION pay.same_token(
    p_own_psp text, p_own_token text, p_own_alias text, p_psp text,
    p_token text, p_alias text)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT p_psp = p_own_psp AND coalesce(p_token = p_own_token, false)
    AND (p_alias IS NULL OR p_alias = p_token
         OR coalesce(p_alias = p_own_alias, false))
$$;
COMMENT ON FUNCTION pay.same_token IS
    'Whether a PSP has repeated the stored values of a registration';


CREATE OR REPLACE FUNCTION pay.usable_names(
    p_items int[], p_token text[], p_alias text[], OUT tokens text[],
    OUT aliases text[])
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    SELECT array_agg(CASE WHEN n = ANY (p_items) THEN p_token[n] END),
        array_agg(CASE WHEN n = ANY (p_items)
                       THEN nullif(p_alias[n], '') END)
    INTO tokens, aliases
    FROM generate_subscripts(p_token, 1) n;
END
$$;
COMMENT ON FUNCTION pay.usable_names IS
    'Tokens and aliases of store_token, NULL where its item is bad';


-- Frees the names that lost a race during this call; a token that contradicts
-- the stored one goes into the mismatch queue, once.
CREATE OR REPLACE FUNCTION pay.refuse_tokens(
    p_merchant_id text[], p_checkout_id text[], p_psp text[],
    p_token text[], p_alias text[], p_request_id text[], p_late int[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE psp_token t
    SET merchant_id = NULL, checkout_id = NULL
    FROM unnest(p_merchant_id, p_checkout_id, p_psp, p_token, p_alias)
        AS u (merchant_id, checkout_id, psp, token, alias)
    JOIN registration r ON r.merchant_id = u.merchant_id
        AND r.checkout_id = u.checkout_id
    WHERE t.psp = u.psp AND t.token IN (u.token, u.alias)
        AND t.merchant_id = u.merchant_id AND NOT t.is_reference
        AND t.checkout_id = u.checkout_id
        AND (t.psp = r.psp AND t.token IN (r.token, r.alias)) IS NOT TRUE;

    INSERT INTO mismatch (merchant_id, checkout_id, kind, source, psp,
        token, alias, own_token, total_minor, own_currency, request_id)
    SELECT DISTINCT ON (c.merchant_id, c.checkout_id, u.psp, u.token,
                        u.alias)
        c.merchant_id, c.checkout_id, k.kind, 'gateway', u.psp, u.token,
        u.alias, c.token, c.total_minor, c.currency, u.request_id
    FROM unnest(p_merchant_id, p_checkout_id, p_psp, p_token, p_alias,
        p_request_id) WITH ORDINALITY AS u (merchant_id, checkout_id, psp,
        token, alias, request_id, n)
    JOIN checkout c ON c.merchant_id = u.merchant_id
        AND c.checkout_id = u.checkout_id
    CROSS JOIN LATERAL (
        SELECT CASE WHEN u.psp <> c.psp THEN 'left_psp'
                    WHEN u.n = ANY (p_late) THEN 'late_token'
                    ELSE 'token' END AS kind) k
    WHERE u.token IS NOT NULL
        AND (NOT same_token(c.psp, c.token, c.alias, u.psp, u.token,
                            u.alias) OR u.n = ANY (p_late))
        AND NOT EXISTS (
            SELECT FROM mismatch m
            WHERE m.merchant_id = u.merchant_id
                AND m.checkout_id = u.checkout_id
                AND m.kind = k.kind AND m.psp = u.psp AND m.token = u.token
                AND m.alias IS NOT DISTINCT FROM u.alias)
    ORDER BY c.merchant_id, c.checkout_id, u.psp, u.token, u.alias, u.n;
END
$$;
COMMENT ON FUNCTION pay.refuse_tokens IS
    'Queues tokens that contradict the stored ones';


-- Writes the event "registered" for the orders of locked checkouts whose
-- registrations have just got their tokens.  record_facts() would write the
-- same: it moves no money, ends nothing and is no message for storefronts.
CREATE OR REPLACE FUNCTION pay.start_orders(
    p_items int[], p_merchant_id text[], p_checkout_id text[],
    p_request_id text[])
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_now   timestamptz := clock_timestamp();
    v_at    text := iso_micros(v_now);
    v_tx    bigint := this_tx();
    v_count int;
BEGIN
    WITH step AS (
        SELECT p_merchant_id[n] AS merchant_id,
            p_request_id[n] AS request_id, o.part, o.tid,
            o.payment_order_id, o.status, o.reason, o.version + 1 AS version,
            t.next_status AS new_status,
            greatest(o.head_tx, v_tx) AS tx, encode(o.head, 'hex') AS head
        FROM unnest(p_items) n
        CROSS JOIN LATERAL (
            SELECT o.tableoid AS part, o.ctid AS tid, o.payment_order_id,
                o.status, o.reason, o.version, o.head, o.head_tx
            FROM payment_order o
            WHERE o.merchant_id = p_merchant_id[n]
                AND o.checkout_id = p_checkout_id[n]
            OFFSET 0) o
        CROSS JOIN LATERAL (
            SELECT t.next_status FROM transition t
            WHERE t.kind = 'registered' AND t.status = o.status
            ORDER BY t.rank LIMIT 1) t
    ), moved AS (
        UPDATE payment_order o
        SET status = s.new_status, version = s.version, head_tx = s.tx,
            head = chained_hash(s.head, s.merchant_id, s.payment_order_id,
                s.version::text, v_at, s.tx::text, 'registered', 'gateway',
                s.status, s.new_status, s.reason, '{}', s.request_id)
        FROM step s
        WHERE o.ctid = s.tid AND o.tableoid = s.part
        RETURNING o.merchant_id, o.payment_order_id, o.version, o.head_tx,
            s.status AS old_status, o.status, o.reason, s.request_id, o.head
    )
    INSERT INTO event (merchant_id, payment_order_id, seq, at, tx, kind,
        actor, old_status, new_status, reason, request_id, hash)
    SELECT m.merchant_id, m.payment_order_id, m.version, v_now, m.head_tx,
        'registered', 'gateway', m.old_status, m.status, m.reason,
        m.request_id, m.head
    FROM moved m;

    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.start_orders IS
    'Writes down that the orders'' registrations have got their tokens; how '
    'many they are';


-- Moving a job does not require the lock of its checkout.  Where a job has
-- another address by the time of the update, each is looked up by its key.
CREATE OR REPLACE FUNCTION pay.poll_later(
    p_items int[], p_merchant_id text[], p_checkout_id text[],
    p_poll_after_ms bigint[])
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_item   int;
    v_run_at timestamptz;
    v_count  int;
BEGIN
    UPDATE job j
    SET kind = 'poll', attempts = 0, lease_owner = NULL,
        lease_until = NULL, code = NULL,
        run_at = now() + make_interval(secs => p_poll_after_ms[n] / 1000.0)
    FROM unnest(p_items) n
    CROSS JOIN LATERAL (
        SELECT k.tableoid AS part, k.ctid AS tid FROM job k
        WHERE k.merchant_id = p_merchant_id[n]
            AND k.checkout_id = p_checkout_id[n] AND k.kind = 'register'
        OFFSET 0) k
    WHERE j.ctid = k.tid AND j.tableoid = k.part;

    GET DIAGNOSTICS v_count = ROW_COUNT;

    IF v_count = cardinality(p_items) THEN
        RETURN v_count;
    END IF;

    FOREACH v_item IN ARRAY p_items LOOP
        v_run_at := now() + make_interval(
            secs => p_poll_after_ms[v_item] / 1000.0);

        UPDATE job j
        SET kind = 'poll', attempts = 0, lease_owner = NULL,
            lease_until = NULL, code = NULL, run_at = v_run_at
        WHERE j.merchant_id = p_merchant_id[v_item]
            AND j.checkout_id = p_checkout_id[v_item]
            AND j.kind = 'register';

        IF NOT FOUND THEN
            INSERT INTO job (merchant_id, checkout_id, kind, run_at)
            VALUES (p_merchant_id[v_item], p_checkout_id[v_item], 'poll',
                v_run_at)
            ON CONFLICT DO NOTHING;
        END IF;
    END LOOP;

    RETURN cardinality(p_items);
END
$$;
COMMENT ON FUNCTION pay.poll_later IS
    'Turns register jobs into poll jobs; how many';
