-- apply_event: what a PSP says about a payment, from a webhook or a query,
-- or the gateway's own word at the end of a checkout's life.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- What an event tells of an attempt to pay that the PSP has declined: our code
-- for the cause, whether it may help to try again, and the PSP's id of the
-- attempt.
CREATE OR REPLACE FUNCTION pay.decline_detail(
    p_decline text, p_can_retry text, p_attempt text)
RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN p_decline <> '' THEN jsonb_strip_nulls(jsonb_build_object(
    'decline', p_decline, 'can_retry', p_can_retry,
    'attempt', nullif(p_attempt, ''))) END
$$;
COMMENT ON FUNCTION pay.decline_detail IS
    'A declined attempt as the detail of an event';


-- Checked items as facts, with their checkout where the token (or alias) is
-- known, or else the payment.  kind is none for what says nothing about a payment, notified for
-- what only asks that the PSP be asked: a webhook, or a hint that nobody
-- vouches for; unknown for what a PSP's list of its events says of a token
-- that is not ours.  An event from that list is a webhook that came another
-- way.
CREATE OR REPLACE FUNCTION pay.read_facts(
    p_psp text[], p_source text[], p_event_id text[], p_type text[],
    p_fact text[], p_token text[], p_reference text[], p_code text[],
    p_amount_minor bigint[], p_currency text[], p_request_id text[],
    p_decline text[], p_can_retry text[], p_attempt text[])
RETURNS fact[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(
        SELECT ROW(u.n, NULL, c.merchant_id, c.checkout_id,
            fact_kind(CASE WHEN u.source = 'backfill'
                               AND c.checkout_id IS NULL THEN 'unknown'
                           WHEN u.token <> '' THEN u.fact
                           ELSE 'none' END,
                      u.amount_minor, nullif(u.currency, ''),
                      c.total_minor, c.currency),
            CASE u.source WHEN 'backfill' THEN 'webhook' ELSE u.source END,
            u.psp, nullif(u.event_id, ''), nullif(u.type, ''),
            nullif(u.code, ''), nullif(u.token, ''), nullif(u.reference, ''),
            u.amount_minor, nullif(u.currency, ''), u.request_id,
            nullif(coalesce(decline_detail(u.decline, u.can_retry, u.attempt),
                            '{}')
                || CASE u.source WHEN 'backfill'
                       THEN jsonb_build_object('via', u.source)
                       ELSE '{}' END, '{}'),
            NULL, NULL, NULL)::fact
        FROM unnest(p_psp, p_source, p_event_id, p_type, p_fact, p_token,
            p_reference, p_code, p_amount_minor, p_currency, p_request_id,
            p_decline, p_can_retry, p_attempt)
            WITH ORDINALITY AS u (psp, source, event_id, type, fact, token,
            reference, code, amount_minor, currency, request_id, decline,
            can_retry, attempt, n)
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
                WHEN 'ask' THEN u.source IN ('webhook', 'backfill', 'hint')
                ELSE u.source IN ('webhook', 'backfill', 'query', 'gateway')
                END
            AND CASE WHEN u.source IN ('webhook', 'backfill')
                     THEN id_ok(u.event_id)
                     WHEN u.source = 'hint'
                     THEN coalesce(u.event_id, '') = ''
                     ELSE true END
            AND u.fact IN ('none', 'pending', 'authorized', 'paid',
                           'declined', 'expired', 'cancelled', 'rejected',
                           'attempt_declined', 'ask')
            AND (u.fact <> 'attempt_declined' OR u.decline <> '')
            AND coalesce(u.decline, 'unknown') ~ '^[a-z_]{1,32}$'
            AND coalesce(u.can_retry, 'no')
                IN ('same_method', 'later', 'other_method', 'no')
            AND coalesce(octet_length(u.attempt), 0) <= 255
            AND coalesce(octet_length(u.type), 0) <= 255
            AND coalesce(octet_length(u.token), 0) <= 255
            AND coalesce(octet_length(u.reference), 0) <= 255
            AND coalesce(octet_length(u.code), 0) <= 255
            AND coalesce(octet_length(u.currency), 0) <= 16
            AND coalesce(u.amount_minor, 0) >= 0
        ORDER BY u.n);
END
$$;
COMMENT ON FUNCTION pay.read_facts IS
    'Items of apply_event that pass their checks';


-- Webhooks into the inbox, in key order, once by (psp, event id).  The state
-- is a guess that only a late token or an unmoved order proves wrong: total
-- and currency never change.  What is unknown is not kept.
CREATE OR REPLACE FUNCTION pay.insert_webhooks(
    p_facts fact[], p_fact text[], p_digest bytea[])
RETURNS int[] LANGUAGE plpgsql AS $$
DECLARE
    v_psps   text[];
    v_events text[];
    v_wanted int;
BEGIN
    WITH won AS (
        INSERT INTO webhook_inbox AS w (psp, event_id, state, via, type,
            fact, token, reference, code, amount_minor, currency, digest,
            merchant_id, checkout_id, request_id, decline)
        SELECT DISTINCT ON (f.psp, f.event_id)
            f.psp, f.event_id,
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
        ORDER BY f.psp, f.event_id, f.item
        ON CONFLICT (psp, event_id) DO NOTHING
        RETURNING w.psp, w.event_id
    )
    SELECT array_agg(psp), array_agg(event_id), (
        SELECT count(*) FROM unnest(p_facts) f
        WHERE f.actor = 'webhook' AND f.kind <> 'unknown')
    INTO v_psps, v_events, v_wanted
    FROM won;

    IF coalesce(cardinality(v_psps), 0) = v_wanted THEN
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


-- Tokens that nobody has: the rows of the token and of the payment's id are
-- locked, so that whoever is just bringing one of them is waited for, and one
-- that comes later finds what was parked.
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


-- Items that need no lock: duplicates, what says nothing, what nobody knows.
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
-- (insert_webhooks) was wrong.  Whoever is told a payment's id for the first
-- time finds what was parked for it; but not by a word that is not believed,
-- or that only asks.
CREATE OR REPLACE FUNCTION pay.settle_facts(p_facts fact[], p_late boolean)
RETURNS fact[] LANGUAGE plpgsql AS $$
DECLARE
    v_merchants text[];
    v_checkouts text[];
    v_psps      text[];
    v_names     text[];
    v_parked    int[] := '{}';
    v_taken     record;
BEGIN
    SELECT array_agg(f.merchant_id), array_agg(f.checkout_id),
        array_agg(f.psp),
        array_agg(CASE WHEN f.actor IN ('webhook', 'query')
                           AND f.kind NOT IN ('mismatch', 'notified')
                           AND f.reference IS DISTINCT FROM f.token
                       THEN f.reference END)
    INTO v_merchants, v_checkouts, v_psps, v_names
    FROM unnest(p_facts) f;

    IF array_remove(v_names, NULL) <> '{}' THEN
        v_parked := claim_references(v_merchants, v_checkouts, v_psps,
                                     v_names);
    END IF;

    PERFORM lock_checkouts(v_merchants, v_checkouts);

    v_taken := take_facts(p_facts);

    PERFORM post(v_taken.postings || apply_named(v_parked, v_merchants,
                                                 v_checkouts, v_psps,
                                                 v_names));

    IF p_late OR EXISTS (
        SELECT FROM unnest(v_taken.facts) f
        WHERE f.outcome IN ('unchanged', 'held', 'contradiction'))
    THEN
        UPDATE webhook_inbox w
        SET state = f.outcome, merchant_id = f.merchant_id,
            checkout_id = f.checkout_id
        FROM unnest(v_taken.facts) f
        WHERE f.actor = 'webhook' AND w.psp = f.psp
            AND w.event_id = f.event_id AND w.state <> f.outcome;
    END IF;

    RETURN v_taken.facts;
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
        u.amount_minor, left(u.currency, 16), r.token, c.total_minor,
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
    JOIN registration r ON r.merchant_id = c.merchant_id
        AND r.checkout_id = c.checkout_id
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
    'Queues for operators what a PSP said and cannot be read';
