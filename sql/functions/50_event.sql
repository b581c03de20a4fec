-- apply_event: PSP events about a payment, from a webhook or a query, and the
-- gateway's own facts at the end of a checkout's life.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The detail of an event about an attempt to pay that the PSP has declined: our
-- code for the cause, whether it may help to try again, and the PSP's id of the
-- attempt.
CREATE OR REPLACE FUNCTION pay.decline_detail(
    p_decline text, p_can_retry text, p_attempt text)
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT CASE WHEN p_decline <> '' THEN jsonb_strip_nulls(jsonb_build_object(
    'decline', p_decline, 'can_retry', p_can_retry,
    'attempt', nullif(p_attempt, ''))) END
$$;
COMMENT ON FUNCTION pay.decline_detail IS
    'A declined attempt as the detail of an event';


-- Checked items as facts, each with its checkout, which the token (or alias)
-- leads to, or else the payment id.
-- kind: none for an event that is not about a payment; notified for one that
-- only requires a query of the PSP (a webhook, or a hint without proof);
-- unknown for an event of a PSP's list whose token is not ours, unless a recovery
-- is open (78_recover.sql): then it is parked as a webhook.  An event from
-- that list, or out of a kept body (replay), is a webhook that came another
-- way.
-- webhooks: how many of them go into the inbox.
-- unsure: some are of no checkout that is known, or of kind none.
CREATE OR REPLACE FUNCTION pay.read_facts(
    p_psp text[], p_source text[], p_event_id text[], p_type text[],
    p_fact text[], p_token text[], p_reference text[], p_code text[],
    p_amount_minor bigint[], p_currency text[], p_request_id text[],
    p_decline text[], p_can_retry text[], p_attempt text[],
    OUT facts fact[], OUT webhooks bigint, OUT unsure boolean)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_forgets boolean := 'backfill' = ANY (p_source)
        AND NOT EXISTS (SELECT FROM recovery r WHERE r.ended_at IS NULL);
BEGIN
    SELECT coalesce(array_agg(ROW(f.n, 1, f.merchant_id, f.checkout_id,
            f.kind, f.actor, f.psp, f.event_id, f.type, f.code, f.token,
            f.reference, f.amount_minor, f.currency, f.request_id, f.detail,
            NULL, NULL, NULL)::fact), '{}'),
        count(*) FILTER (WHERE f.actor = 'webhook' AND f.kind <> 'unknown'),
        bool_or(f.checkout_id IS NULL OR f.kind IN ('none', 'unknown'))
    INTO facts, webhooks, unsure
    FROM (
        SELECT u.n, c.merchant_id, c.checkout_id,
            CASE WHEN u.source = 'backfill' AND c.checkout_id IS NULL
                     AND v_forgets
                 THEN 'unknown'
                 WHEN u.token <> '' THEN fact_kind(u.fact, u.amount_minor,
                     nullif(u.currency, ''), c.total_minor, c.currency)
                 ELSE 'none' END AS kind,
            CASE WHEN u.source IN ('backfill', 'replay') THEN 'webhook'
                 ELSE u.source END AS actor,
            u.psp, nullif(u.event_id, '') AS event_id,
            nullif(u.type, '') AS type, nullif(u.code, '') AS code,
            nullif(u.token, '') AS token,
            nullif(u.reference, '') AS reference, u.amount_minor,
            nullif(u.currency, '') AS currency, u.request_id,
            CASE WHEN u.decline <> '' OR u.source IN ('backfill', 'replay')
                 THEN nullif(coalesce(decline_detail(u.decline, u.can_retry,
                                                     u.attempt), '{}')
                     || CASE WHEN u.source IN ('backfill', 'replay')
                            THEN jsonb_build_object('via', u.source)
                            ELSE '{}' END, '{}') END AS detail
        FROM generate_subscripts(p_psp, 1) i (n)
        CROSS JOIN LATERAL (
            SELECT i.n, p_psp[i.n] AS psp, p_source[i.n] AS source,
                p_event_id[i.n] AS event_id, p_type[i.n] AS type,
                p_fact[i.n] AS fact, p_token[i.n] AS token,
                p_reference[i.n] AS reference, p_code[i.n] AS code,
                p_amount_minor[i.n] AS amount_minor,
                p_currency[i.n] AS currency,
                p_request_id[i.n] AS request_id, p_decline[i.n] AS decline,
                p_can_retry[i.n] AS can_retry, p_attempt[i.n] AS attempt
            OFFSET 0) u
        LEFT JOIN psp_token t ON t.psp = u.psp AND t.token = u.token
            AND NOT t.is_reference
        LEFT JOIN LATERAL (
            SELECT k.merchant_id, k.checkout_id FROM psp_token k
            WHERE t.checkout_id IS NULL AND u.token <> ''
                AND k.psp = u.psp AND k.token = u.reference
                AND k.is_reference
            OFFSET 0) k ON true
        LEFT JOIN checkout c
            ON c.merchant_id = coalesce(t.merchant_id, k.merchant_id)
            AND c.checkout_id = coalesce(t.checkout_id, k.checkout_id)
        WHERE id_ok(u.psp)
            AND CASE u.fact
                WHEN 'ask' THEN u.source IN ('webhook', 'backfill', 'replay',
                                             'hint')
                ELSE u.source IN ('webhook', 'backfill', 'replay', 'query',
                                  'gateway') END
            AND CASE WHEN u.source IN ('webhook', 'backfill', 'replay')
                     THEN id_ok(u.event_id)
                     WHEN u.source = 'hint'
                     THEN coalesce(u.event_id, '') = ''
                     ELSE true END
            AND u.fact IN ('none', 'pending', 'authorized', 'paid',
                           'declined', 'expired', 'cancelled', 'rejected',
                           'attempt_declined', 'ask')
            AND (u.fact <> 'attempt_declined' OR u.decline <> '')
            AND (u.decline IS NULL OR u.decline ~ '^[a-z_]{1,32}$')
            AND coalesce(u.can_retry, 'no')
                IN ('same_method', 'later', 'other_method', 'no')
            AND greatest(octet_length(u.attempt), octet_length(u.type),
                         octet_length(u.token), octet_length(u.reference),
                         octet_length(u.code), 0) <= 255
            AND coalesce(octet_length(u.currency), 0) <= 16
            AND coalesce(u.amount_minor, 0) >= 0
        OFFSET 0) f;
END
$$;
COMMENT ON FUNCTION pay.read_facts IS
    'Items of apply_event that pass their checks';


-- Stores webhooks in the inbox, in key order, once by (psp, event id).  The
-- state is a guess that only a late token or an unmoved order proves wrong:
-- total and currency never change.  Events of kind unknown are not kept.
CREATE OR REPLACE FUNCTION pay.insert_webhooks(
    p_facts fact[], p_fact text[], p_digest bytea[], p_count bigint)
RETURNS int[] LANGUAGE plpgsql AS $$
DECLARE
    v_psps   text[];
    v_events text[];
BEGIN
    WITH won AS (
        INSERT INTO webhook_inbox AS w (psp, event_id, state, via, type,
            fact, token, reference, code, amount_minor, currency, digest,
            merchant_id, checkout_id, request_id, decline)
        SELECT f.psp, f.event_id,
            CASE WHEN f.kind = 'none' THEN 'ignored'
                 WHEN f.checkout_id IS NULL THEN 'parked'
                 WHEN f.kind = 'mismatch' THEN 'mismatch'
                 WHEN f.kind = 'notified' THEN 'asked'
                 ELSE 'applied' END,
            coalesce(f.detail ->> 'via', 'webhook'), f.type, p_fact[f.item],
            f.token, f.reference, f.code, f.amount_minor, f.currency,
            p_digest[f.item], f.merchant_id, f.checkout_id, f.request_id,
            CASE WHEN f.detail ? 'decline' THEN f.detail - 'via' END
        FROM unnest(p_facts) f
        WHERE f.actor = 'webhook' AND f.kind <> 'unknown'
        ORDER BY f.psp COLLATE "C", f.event_id COLLATE "C", f.item
        ON CONFLICT (psp, event_id) DO NOTHING
        RETURNING w.psp, w.event_id
    )
    SELECT array_agg(psp), array_agg(event_id) INTO v_psps, v_events
    FROM won;

    IF cardinality(v_psps) = p_count THEN
        RETURN '{}';
    END IF;

    RETURN ARRAY(
        SELECT f.item FROM unnest(p_facts) f
        WHERE f.actor = 'webhook' AND f.kind <> 'unknown' AND f.item NOT IN (
            SELECT min(g.item) FROM unnest(p_facts) g
            WHERE g.actor = 'webhook' AND g.kind <> 'unknown'
                AND (g.psp, g.event_id) IN (
                    SELECT * FROM unnest(v_psps, v_events))
            GROUP BY g.psp, g.event_id));
END
$$;
COMMENT ON FUNCTION pay.insert_webhooks IS
    'Stores webhooks once; returns the items that are duplicates';


-- The same for a batch in which an operator has bodies read again: one event
-- after the other in key order, see reopen_webhook().  Returns the duplicates.
CREATE OR REPLACE FUNCTION pay.insert_replays(
    p_facts fact[], p_source text[], p_fact text[], p_digest bytea[])
RETURNS int[] LANGUAGE plpgsql AS $$
DECLARE
    v_fact       fact;
    v_duplicates int[] := '{}';
BEGIN
    FOR v_fact IN
        SELECT f.* FROM unnest(p_facts) f
        WHERE f.actor = 'webhook' AND f.kind <> 'unknown'
        ORDER BY f.psp COLLATE "C", f.event_id COLLATE "C", f.item
    LOOP
        IF p_source[v_fact.item] = 'replay' AND v_fact.kind <> 'none' THEN
            PERFORM reopen_webhook(v_fact.psp, v_fact.event_id,
                                   p_digest[v_fact.item]);
        END IF;
        v_duplicates := v_duplicates
            || insert_webhooks(ARRAY[v_fact], p_fact, p_digest, 1);
    END LOOP;

    RETURN v_duplicates;
END
$$;
COMMENT ON FUNCTION pay.insert_replays IS
    'Stores webhooks once, some of which are read again; returns the items '
    'that are duplicates';


-- For tokens that no checkout has: locks the rows of the token and of the
-- payment id.  So this waits for a session that is just bringing one of them,
-- and one that comes later finds the parked webhook.
CREATE OR REPLACE FUNCTION pay.await_tokens(
    p_facts fact[], p_duplicates int[])
RETURNS fact[] LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO psp_token AS t (psp, token, is_reference)
    SELECT DISTINCT f.psp, x.name, x.is_reference
    FROM unnest(p_facts) f,
        unnest(ARRAY[f.token, f.reference], '{f,t}'::boolean[])
            x (name, is_reference)
    WHERE f.actor = 'webhook' AND f.checkout_id IS NULL
        AND f.kind NOT IN ('none', 'unknown') AND f.item <> ALL (p_duplicates)
        AND x.name IS NOT NULL
    ORDER BY f.psp, x.name, x.is_reference
    ON CONFLICT (psp, token, is_reference) DO UPDATE SET psp = t.psp
    WHERE t.checkout_id IS NULL;

    RETURN ARRAY(
        SELECT ROW(f.item, f.turn, c.merchant_id, c.checkout_id,
            fact_kind(f.kind, f.amount_minor, f.currency, c.total_minor,
                      c.currency),
            f.actor, f.psp, f.event_id, f.type, f.code, f.token, f.reference,
            f.amount_minor, f.currency, f.request_id, f.detail, NULL, NULL,
            NULL)::fact
        FROM unnest(p_facts) f
        LEFT JOIN psp_token t ON t.psp = f.psp AND t.token = f.token
            AND NOT t.is_reference
        LEFT JOIN LATERAL (
            SELECT k.merchant_id, k.checkout_id FROM psp_token k
            WHERE t.checkout_id IS NULL AND f.token IS NOT NULL
                AND k.psp = f.psp AND k.token = f.reference
                AND k.is_reference
            OFFSET 0) k ON true
        LEFT JOIN checkout c
            ON c.merchant_id = coalesce(t.merchant_id, k.merchant_id)
            AND c.checkout_id = coalesce(t.checkout_id, k.checkout_id));
END
$$;
COMMENT ON FUNCTION pay.await_tokens IS
    'Looks unknown names up again, behind a lock';


-- Items that need no lock: duplicates, and those of kind none or unknown.
CREATE OR REPLACE FUNCTION pay.set_aside(p_facts fact[], p_duplicates int[])
RETURNS fact[] LANGUAGE plpgsql AS $$
BEGIN
    RETURN ARRAY(
        SELECT with_outcome(f, CASE
            WHEN f.item = ANY (p_duplicates) THEN 'duplicate'
            WHEN f.kind = 'unknown' THEN 'unknown'
            WHEN f.kind = 'none' OR f.actor = 'hint' THEN 'ignored'
            WHEN f.actor = 'webhook' THEN 'parked'
            ELSE 'not_found' END)
        FROM unnest(p_facts) f
        WHERE f.item = ANY (p_duplicates) OR f.kind IN ('none', 'unknown')
            OR f.checkout_id IS NULL);
END
$$;
COMMENT ON FUNCTION pay.set_aside IS
    'Facts that cannot move an order, with their outcome';


-- Facts about known checkouts, and their inbox rows where the first guess
-- (insert_webhooks) was wrong.  An event that is the first with a payment id
-- finds the webhooks that were parked for it, unless it contradicts the order
-- or only requires a query.
CREATE OR REPLACE FUNCTION pay.settle_facts(p_facts fact[], p_late boolean)
RETURNS fact[] LANGUAGE plpgsql AS $$
DECLARE
    v_merchants text[];
    v_checkouts text[];
    v_psps      text[];
    v_names     text[];
    v_wrong     boolean;
    v_declined  boolean;
    v_parked    int[] := '{}';
    v_taken     record;
    v_locked    int;
    v_lines     int;
BEGIN
    SELECT array_agg(f.merchant_id), array_agg(f.checkout_id),
        array_agg(f.psp),
        array_agg(CASE WHEN f.actor IN ('webhook', 'query')
                           AND f.kind NOT IN ('mismatch', 'notified')
                           AND f.reference IS DISTINCT FROM f.token
                       THEN f.reference END),
        bool_or(f.kind = 'mismatch'), bool_or(f.kind = 'declined')
    INTO v_merchants, v_checkouts, v_psps, v_names, v_wrong, v_declined
    FROM unnest(p_facts) f;

    IF array_remove(v_names, NULL) <> '{}' THEN
        v_parked := claim_references(v_merchants, v_checkouts, v_psps,
                                     v_names);
    END IF;

    v_locked := lock_checkouts(v_merchants, v_checkouts);

    -- of one checkout each they need no turns
    v_taken := take_facts(p_facts,
        v_locked = cardinality(p_facts) AND NOT v_wrong);

    IF v_parked <> '{}' THEN
        v_taken.postings := v_taken.postings || apply_named(v_parked,
            v_merchants, v_checkouts, v_psps, v_names);
    END IF;

    v_lines := post(v_taken.postings);

    IF v_declined OR v_parked <> '{}' THEN
        PERFORM count_declines(v_merchants, v_checkouts);
    END IF;

    -- as insert_webhooks() has guessed
    IF NOT p_late AND cardinality(v_taken.moved) = cardinality(p_facts) THEN
        RETURN p_facts;
    END IF;

    p_facts := with_outcomes(v_taken.facts, v_taken.moved, v_taken.late,
                             v_taken.against);

    UPDATE webhook_inbox w
    SET state = f.outcome, merchant_id = f.merchant_id,
        checkout_id = f.checkout_id
    FROM unnest(p_facts) f
    WHERE f.actor = 'webhook' AND w.psp = f.psp AND w.event_id = f.event_id
        AND w.state <> f.outcome;

    RETURN p_facts;
END
$$;
COMMENT ON FUNCTION pay.settle_facts IS
    'Takes facts about known checkouts into account';


-- Items that do not pass their checks: the PSP hears that its message is
-- refused and sends it again for days, so that operators get one row of the
-- queue, where the item names a checkout.  No lock: nothing else is written.
CREATE OR REPLACE FUNCTION pay.keep_invalid(
    p_items int[], p_psp text[], p_source text[], p_event_id text[],
    p_token text[], p_reference text[], p_object text[],
    p_amount_minor bigint[], p_currency text[], p_request_id text[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO mismatch (merchant_id, checkout_id, kind, source, psp,
        event_id, amount_minor, currency, own_token, total_minor,
        own_currency, request_id, object, why)
    SELECT DISTINCT ON (c.merchant_id, c.checkout_id, u.psp, u.event_id)
        c.merchant_id, c.checkout_id, 'invalid',
        coalesce(u.source, 'webhook'), u.psp, left(u.event_id, 255),
        u.amount_minor, left(u.currency, 16), c.token, c.total_minor,
        c.currency, u.request_id, left(u.object, 255),
        CASE WHEN u.amount_minor NOT BETWEEN 0 AND 999999999999999
             THEN 'amount' ELSE 'form' END
    FROM unnest(p_psp, p_source, p_event_id, p_token, p_reference, p_object,
        p_amount_minor, p_currency, p_request_id) WITH ORDINALITY AS
        u (psp, source, event_id, token, reference, object, amount_minor,
           currency, request_id, n)
    CROSS JOIN LATERAL (
        SELECT t.merchant_id, t.checkout_id FROM psp_token t
        WHERE t.psp = u.psp AND t.token IN (u.token, u.reference)
            AND t.checkout_id IS NOT NULL
        ORDER BY t.token = u.token DESC LIMIT 1) o
    JOIN checkout c ON c.merchant_id = o.merchant_id
        AND c.checkout_id = o.checkout_id
    WHERE u.n = ANY (p_items) AND NOT EXISTS (
        SELECT FROM mismatch m
        WHERE m.merchant_id = c.merchant_id
            AND m.checkout_id = c.checkout_id AND m.kind = 'invalid'
            AND m.psp = u.psp
            AND m.event_id IS NOT DISTINCT FROM left(u.event_id, 255))
    ORDER BY c.merchant_id, c.checkout_id, u.psp, u.event_id, u.n;
END
$$;
COMMENT ON FUNCTION pay.keep_invalid IS
    'Queues for operators the PSP events that cannot be read';
