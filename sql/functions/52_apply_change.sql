-- The operation apply_change: PSP events about captures, refunds, disputes and
-- fees, from webhooks or queries.  Each event is stored once, finds its
-- checkout by one of its names, or is parked until it can.  48_news.sql and
-- 49_dispute.sql decide its effects.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay.news_ok(p_about text, p_news text)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce(CASE
    WHEN p_about = 'capture'
        THEN p_news IN ('pending', 'succeeded', 'failed', 'ended', 'single')
    WHEN p_about = 'refund'
        THEN p_news IN ('pending', 'succeeded', 'failed')
    WHEN p_about = 'dispute' THEN p_news IN ('opened', 'won', 'lost')
    WHEN p_about = 'fee' THEN p_news IN ('succeeded', 'failed') END, false)
$$;
COMMENT ON FUNCTION pay.news_ok IS
    'Whether this can be said about it';


-- Checked items, not yet with their checkouts.
CREATE OR REPLACE FUNCTION pay.read_news(
    p_psp text[], p_source text[], p_event_id text[], p_type text[],
    p_about text[], p_news text[], p_token text[], p_reference text[],
    p_object text[], p_operation_id text[], p_amount_minor bigint[],
    p_currency text[], p_fee_minor bigint[], p_fee_currency text[],
    p_code text[], p_digest bytea[], p_request_id text[], p_said_at bigint[])
RETURNS news[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(
        SELECT ROW(u.n, NULL, NULL, u.psp, u.source, nullif(u.event_id, ''),
            nullif(u.type, ''), u.about, u.news, nullif(u.token, ''),
            nullif(u.reference, ''), nullif(u.object, ''),
            nullif(u.operation_id, ''), u.amount_minor,
            nullif(u.currency, ''), u.fee_minor, nullif(u.fee_currency, ''),
            nullif(u.code, ''), u.digest, u.request_id, NULL,
            CASE WHEN u.said_at BETWEEN 1 AND extract(epoch FROM now()) + 86400
                 THEN to_timestamp(u.said_at) END)::news
        FROM unnest(p_psp, p_source, p_event_id, p_type, p_about, p_news,
            p_token, p_reference, p_object, p_operation_id, p_amount_minor,
            p_currency, p_fee_minor, p_fee_currency, p_code, p_digest,
            p_request_id, p_said_at) WITH ORDINALITY AS u (psp, source,
            event_id, type, about, news, token, reference, object,
            operation_id, amount_minor, currency, fee_minor, fee_currency,
            code, digest, request_id, said_at, n)
        WHERE id_ok(u.psp)
            AND u.source IN ('webhook', 'backfill', 'replay', 'query')
            AND (u.source = 'query' OR id_ok(u.event_id))
            AND news_ok(u.about, u.news)
            AND (u.about <> 'refund' OR u.object <> '')
            AND greatest(octet_length(u.type), octet_length(u.token),
                octet_length(u.reference), octet_length(u.object),
                octet_length(u.operation_id), octet_length(u.code), 0) <= 255
            AND greatest(octet_length(u.currency),
                         octet_length(u.fee_currency), 0) <= 16
            AND coalesce(u.amount_minor, 0) BETWEEN 0 AND 999999999999999
            AND coalesce(u.fee_minor, 0) BETWEEN 0 AND 999999999999999
        ORDER BY u.n);
END
$$;
COMMENT ON FUNCTION pay.read_news IS
    'Items of apply_change that pass their checks';


-- The checkout, by the PSP's id of the registration, our id of the change, or
-- the PSP's id of the payment.
CREATE OR REPLACE FUNCTION pay.locate_news(p_news news[])
RETURNS news[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_owner record;
BEGIN
    FOR v_n IN 1 .. cardinality(p_news) LOOP
        SELECT o.* INTO v_owner FROM (
            SELECT t.merchant_id, t.checkout_id, 1 AS k FROM psp_token t
            WHERE t.psp = p_news[v_n].psp AND t.token = p_news[v_n].token
                AND NOT t.is_reference
            UNION ALL
            SELECT c.merchant_id, c.checkout_id, 2 FROM change c
            WHERE c.change_id = p_news[v_n].operation_id
                AND c.psp = p_news[v_n].psp
            UNION ALL
            SELECT t.merchant_id, t.checkout_id, 3 FROM psp_token t
            WHERE t.psp = p_news[v_n].psp
                AND t.token = p_news[v_n].reference AND t.is_reference
            ) o
        WHERE o.checkout_id IS NOT NULL
        ORDER BY o.k LIMIT 1;

        p_news[v_n].merchant_id := v_owner.merchant_id;
        p_news[v_n].checkout_id := v_owner.checkout_id;
    END LOOP;

    RETURN p_news;
END
$$;
COMMENT ON FUNCTION pay.locate_news IS
    'Items of apply_change with their checkouts, where these are known';


-- In the order in which they come, which is that of their keys.  Returns the
-- items that are new.
CREATE OR REPLACE FUNCTION pay.store_news(p_news news[])
RETURNS int[] LANGUAGE plpgsql AS $$
DECLARE
    v_psps   text[];
    v_events text[];
BEGIN
    WITH won AS (
        INSERT INTO webhook_inbox AS w (psp, event_id, state, via, type,
            fact, token, reference, code, amount_minor, currency, digest,
            merchant_id, checkout_id, request_id, about)
        SELECT DISTINCT ON (n.psp COLLATE "C", n.event_id COLLATE "C")
            n.psp, n.event_id, coalesce(n.outcome, 'applied'), n.source,
            n.type, n.about || '.' || n.news,
            coalesce(n.token, n.reference), n.reference, n.code,
            n.amount_minor, n.currency, n.digest, n.merchant_id,
            n.checkout_id, n.request_id,
            jsonb_strip_nulls(jsonb_build_object('about', n.about,
                'news', n.news, 'object', n.object,
                'operation_id', n.operation_id, 'fee_minor', n.fee_minor,
                'fee_currency', n.fee_currency, 'said_at', n.said_at,
                'by_payment', CASE WHEN n.token IS NULL THEN true END))
        FROM unnest(p_news) n
        ORDER BY n.psp COLLATE "C", n.event_id COLLATE "C", n.item
        ON CONFLICT (psp, event_id) DO NOTHING
        RETURNING w.psp, w.event_id
    )
    SELECT array_agg(w.psp::text), array_agg(w.event_id::text)
    INTO v_psps, v_events
    FROM won w;

    RETURN ARRAY(
        SELECT min(n.item) FROM unnest(p_news) n
        WHERE (n.psp, n.event_id) IN (
            SELECT * FROM unnest(v_psps, v_events))
        GROUP BY n.psp, n.event_id);
END
$$;
COMMENT ON FUNCTION pay.store_news IS
    'Rows of the inbox for PSP events about changes, disputes and fees';


-- Stores events in the inbox, in key order, once by (psp, event id).  outcome
-- is final for events that are only stored: duplicate, ignored (there is
-- nothing that it could be about), unknown (of a PSP's list; not kept, unless
-- a recovery is open),
-- not_found (from a query), parked.
CREATE OR REPLACE FUNCTION pay.insert_news(p_news news[])
RETURNS news[] LANGUAGE plpgsql AS $$
DECLARE
    v_kept  news[];
    v_one   news;
    v_items int[] := '{}';
BEGIN
    FOR v_n IN 1 .. cardinality(p_news) LOOP
        p_news[v_n].outcome := CASE
            WHEN p_news[v_n].checkout_id IS NOT NULL THEN NULL
            WHEN p_news[v_n].source = 'query' THEN 'not_found'
            WHEN p_news[v_n].source = 'backfill'
                AND (open_recovery()).recovery_id IS NULL THEN 'unknown'
            WHEN p_news[v_n].token IS NULL AND p_news[v_n].reference IS NULL
                THEN 'ignored'
            ELSE 'parked' END;
    END LOOP;

    v_kept := ARRAY(
        SELECT n FROM unnest(p_news) n
        WHERE n.source <> 'query' AND n.outcome IS DISTINCT FROM 'unknown'
        ORDER BY n.psp COLLATE "C", n.event_id COLLATE "C", n.item);

    IF EXISTS (SELECT FROM unnest(v_kept) n WHERE n.source = 'replay') THEN
        FOREACH v_one IN ARRAY v_kept LOOP
            IF v_one.source = 'replay'
                AND v_one.outcome IS DISTINCT FROM 'ignored'
            THEN
                PERFORM reopen_webhook(v_one.psp, v_one.event_id,
                                       v_one.digest);
            END IF;
            v_items := v_items || store_news(ARRAY[v_one]);
        END LOOP;
    ELSE
        v_items := store_news(v_kept);
    END IF;

    RETURN mark_duplicates(p_news, v_items);
END
$$;
COMMENT ON FUNCTION pay.insert_news IS
    'Stores PSP events about changes, disputes and fees, once';


CREATE OR REPLACE FUNCTION pay.mark_duplicates(p_news news[], p_first int[])
RETURNS news[] LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    FOR v_n IN 1 .. cardinality(p_news) LOOP
        IF p_news[v_n].source <> 'query'
            AND p_news[v_n].outcome IS DISTINCT FROM 'unknown'
            AND p_news[v_n].item <> ALL (p_first)
        THEN
            p_news[v_n].outcome := 'duplicate';
        END IF;
    END LOOP;

    RETURN p_news;
END
$$;
COMMENT ON FUNCTION pay.mark_duplicates IS
    'Items of apply_change whose events were stored before';


-- For names that no checkout has, as await_tokens() does it: waits for a
-- session that is just bringing the name, and one that comes later finds the
-- parked event.
CREATE OR REPLACE FUNCTION pay.await_names(p_news news[])
RETURNS news[] LANGUAGE plpgsql AS $$
DECLARE
    v_found news[];
BEGIN
    IF NOT EXISTS (SELECT FROM unnest(p_news) n WHERE n.outcome = 'parked')
    THEN
        RETURN p_news;
    END IF;

    INSERT INTO psp_token AS t (psp, token, is_reference)
    SELECT DISTINCT n.psp, x.name, x.is_reference
    FROM unnest(p_news) n,
        unnest(ARRAY[n.token, n.reference], '{f,t}'::boolean[])
            x (name, is_reference)
    WHERE n.outcome = 'parked' AND x.name IS NOT NULL
    ORDER BY 1, 2, 3
    ON CONFLICT (psp, token, is_reference) DO UPDATE SET psp = t.psp
    WHERE t.checkout_id IS NULL;

    v_found := locate_news(p_news);
    FOR v_n IN 1 .. cardinality(p_news) LOOP
        IF p_news[v_n].outcome = 'parked'
            AND v_found[v_n].checkout_id IS NOT NULL
        THEN
            p_news[v_n] := v_found[v_n];
            p_news[v_n].outcome := NULL;
        END IF;
    END LOOP;

    RETURN p_news;
END
$$;
COMMENT ON FUNCTION pay.await_names IS
    'Looks unknown names up again, behind a lock';


-- A capture that the PSP makes by itself has failed, of a payment that is not
-- known to be paid.
CREATE OR REPLACE FUNCTION pay.is_early_failure(p_news news)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN p_news.about = 'capture' AND p_news.news = 'failed'
        AND p_news.source <> 'query'
        AND EXISTS (
            SELECT FROM checkout c
            JOIN payment_order o ON o.merchant_id = c.merchant_id
                AND o.checkout_id = c.checkout_id
            WHERE c.merchant_id = p_news.merchant_id
                AND c.checkout_id = p_news.checkout_id
                AND c.capture <> 'manual'
                AND o.status IN ('NOT_STARTED', 'EXECUTING'));
END
$$;
COMMENT ON FUNCTION pay.is_early_failure IS
    'Whether an automatic capture has failed before its payment is known';


-- PSPs keep no sequence: an event that takes money back may arrive before the
-- one that the money came.  As long as that may still come, the former waits
-- for it; for an order that has failed it is not expected.  Refunds leave less
-- room for refunds, but not for a dispute: a PSP takes refunded money, too.
CREATE OR REPLACE FUNCTION pay.is_early(p_news news)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_order text := (named_order(p_news)).payment_order_id;
BEGIN
    RETURN p_news.about IN ('refund', 'dispute')
        AND p_news.source <> 'query'
        AND (
            SELECT sum(o.captured_minor - o.charged_back_minor
                       - CASE p_news.about WHEN 'refund'
                              THEN o.refunding_minor + o.refunded_minor
                              ELSE 0 END) < p_news.amount_minor
                AND bool_or(o.authorized_minor > 0
                            OR o.status IN ('NOT_STARTED', 'EXECUTING'))
            FROM payment_order o
            WHERE o.merchant_id = p_news.merchant_id
                AND o.checkout_id = p_news.checkout_id
                AND o.payment_order_id
                    = coalesce(v_order, o.payment_order_id))
        AND (change_meant(p_news)).change_id IS NULL
        AND NOT EXISTS (
            SELECT FROM late_success l
            WHERE l.merchant_id = p_news.merchant_id
                AND l.checkout_id = p_news.checkout_id)
        AND NOT EXISTS (
            SELECT FROM dispute d
            WHERE d.psp = p_news.psp AND d.dispute_id = p_news.object);
END
$$;
COMMENT ON FUNCTION pay.is_early IS
    'Whether a word about taking money back comes before that money';


-- The money of these facts has come, is free again, or will not come any more:
-- the events that waited for it are applied now.  So is a sum of captures some
-- of which were still open.  judge_facts() has the same kinds for early_news.
CREATE OR REPLACE FUNCTION pay.take_early(p_facts fact[])
RETURNS posting[] LANGUAGE plpgsql AS $$
DECLARE
    v_news news[] := ARRAY(
        SELECT ROW(row_number() OVER (ORDER BY i.received_at, i.event_id),
            i.merchant_id, i.checkout_id, i.psp, i.via, i.event_id, i.type,
            i.about ->> 'about', i.about ->> 'news', i.token, i.reference,
            i.about ->> 'object', i.about ->> 'operation_id',
            i.amount_minor, i.currency, (i.about ->> 'fee_minor')::bigint,
            i.about ->> 'fee_currency', i.code, NULL, i.request_id,
            NULL, (i.about ->> 'said_at')::timestamptz)::news
        FROM (SELECT DISTINCT f.merchant_id, f.checkout_id
              FROM unnest(p_facts) f
              WHERE f.kind IN ('paid', 'captured', 'capture_failed',
                               'cancelled', 'expired', 'declined',
                               'rejected', 'refused', 'refund_failed',
                               'refund_returned', 'dispute_won')) f
        CROSS JOIN LATERAL (
            SELECT w.* FROM webhook_inbox w
            WHERE w.merchant_id = f.merchant_id
                AND w.checkout_id = f.checkout_id AND w.state = 'parked'
            OFFSET 0) i
        ORDER BY i.received_at, i.event_id);
BEGIN
    RETURN CASE WHEN v_news = '{}' THEN '{}'
                ELSE (take_news(v_news)).postings END;
END
$$;
COMMENT ON FUNCTION pay.take_early IS
    'Applies events that came before their money, now that these facts are '
    'known';


-- The number of the last item that can be heard before the others are recorded:
-- the next one is about an object that was spoken of before.
CREATE OR REPLACE FUNCTION pay.turn_end(p_news news[], p_from int)
RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN (
        SELECT coalesce(min(x.n) FILTER (WHERE x.nth > 1) - 1,
                        cardinality(p_news))
        FROM (SELECT u.ordinality::int + p_from - 1 AS n,
                  row_number() OVER (PARTITION BY u.psp, u.about, u.object
                                     ORDER BY u.ordinality) AS nth
              FROM unnest(p_news[p_from:]) WITH ORDINALITY AS u
              WHERE u.outcome IS NULL AND u.object IS NOT NULL) x);
END
$$;
COMMENT ON FUNCTION pay.turn_end IS
    'Where a turn of PSP events ends: each object is spoken of once in it';


-- Books the entries that are about no order: they move no wallet, so they need
-- not wait for post() at the end of the call, and the next event about the same
-- object finds them.  Returns the facts without these entries.
CREATE OR REPLACE FUNCTION pay.book_orderless(p_facts fact[])
RETURNS fact[] LANGUAGE plpgsql AS $$
DECLARE
    v_booked posting[] := '{}';
BEGIN
    FOR v_n IN 1 .. cardinality(p_facts) LOOP
        IF p_facts[v_n].postings <> '{}' AND NOT EXISTS (
            SELECT FROM unnest(p_facts[v_n].postings) p
            WHERE p.seller_account IS NOT NULL)
        THEN
            v_booked := v_booked || p_facts[v_n].postings;
            p_facts[v_n].postings := NULL;
        END IF;
    END LOOP;

    PERFORM post(v_booked);

    RETURN p_facts;
END
$$;
COMMENT ON FUNCTION pay.book_orderless IS
    'Books the entries between accounts of a PSP among these facts';


-- Hears events about different objects, one after the other, and updates their
-- rows of the inbox.  The facts are recorded when all events are applied.
CREATE OR REPLACE FUNCTION pay.take_turn(
    p_news news[], OUT told news[], OUT postings posting[])
LANGUAGE plpgsql AS $$
DECLARE
    v_one   record;
    v_facts fact[] := '{}';
BEGIN
    FOR v_n IN 1 .. cardinality(p_news) LOOP
        CONTINUE WHEN p_news[v_n].outcome IS NOT NULL;
        IF is_early(p_news[v_n]) OR is_early_failure(p_news[v_n]) THEN
            p_news[v_n].outcome := 'parked';
            CONTINUE;
        END IF;
        v_one := hear_news(p_news[v_n]);
        p_news[v_n].outcome := v_one.outcome;
        v_facts := v_facts || v_one.facts;
    END LOOP;

    -- The rows are written before the facts are taken into account: one fact may
    -- bring the money that another event of this call, parked here, waits for.
    UPDATE webhook_inbox w
    SET state = n.outcome, merchant_id = n.merchant_id,
        checkout_id = n.checkout_id
    FROM unnest(p_news) n
    WHERE n.source <> 'query' AND n.checkout_id IS NOT NULL
        AND n.outcome <> 'duplicate'
        AND w.psp = n.psp AND w.event_id = n.event_id
        AND (w.state <> n.outcome OR w.checkout_id IS NULL);

    SELECT t.postings INTO postings
    FROM take_facts(number_facts(book_orderless(v_facts), 0)) t;

    told := p_news;
END
$$;
COMMENT ON FUNCTION pay.take_turn IS
    'Applies PSP events, each about another object';


-- Applies events to locked checkouts, in turns: before a second event about one
-- object is heard, all that the first one has brought is recorded, as if they
-- came in separate calls.  Those of later turns do not wait for money any more,
-- so take_early() does not take them.
CREATE OR REPLACE FUNCTION pay.take_news(
    p_news news[], OUT told news[], OUT postings posting[])
LANGUAGE plpgsql AS $$
DECLARE
    v_from int := 1;
    v_end  int := turn_end(p_news, 1);
    v_step record;
BEGIN
    told := '{}';

    IF v_end < cardinality(p_news) THEN
        UPDATE webhook_inbox w
        SET state = 'applied'
        FROM unnest(p_news[v_end + 1:]) n
        WHERE n.source <> 'query' AND n.outcome IS NULL
            AND w.psp = n.psp AND w.event_id = n.event_id
            AND w.state = 'parked';
    END IF;

    LOOP
        v_step := take_turn(p_news[v_from:v_end]);
        told := told || v_step.told;
        postings := postings || v_step.postings;

        EXIT WHEN v_end >= cardinality(p_news);
        v_from := v_end + 1;
        v_end := turn_end(p_news, v_from);
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay.take_news IS
    'Applies PSP events about changes, disputes and fees';


-- A word that names a registration and a payment makes the payment's id known,
-- and one about a capture that of the capture: a refund may name it.
CREATE OR REPLACE FUNCTION pay.settle_news(p_news news[])
RETURNS news[] LANGUAGE plpgsql AS $$
DECLARE
    v_merchants text[] := ARRAY(SELECT n.merchant_id FROM unnest(p_news) n);
    v_checkouts text[] := ARRAY(
        SELECT CASE WHEN n.outcome IS NULL THEN n.checkout_id END
        FROM unnest(p_news) n);
    v_psps      text[] := ARRAY(SELECT n.psp FROM unnest(p_news) n);
    v_names     text[] := ARRAY(
        SELECT CASE WHEN n.reference IS DISTINCT FROM n.token
                    THEN n.reference END
        FROM unnest(p_news) n) || ARRAY(
        SELECT CASE WHEN n.about = 'capture' AND n.news <> 'failed'
                    THEN n.object END
        FROM unnest(p_news) n);
    v_parked    int[];
    v_taken     record;
BEGIN
    v_merchants := v_merchants || v_merchants;
    v_checkouts := v_checkouts || v_checkouts;
    v_psps := v_psps || v_psps;
    v_parked := claim_references(v_merchants, v_checkouts, v_psps, v_names);
    PERFORM lock_checkouts(v_merchants, v_checkouts);

    v_taken := take_news(p_news);
    PERFORM post(v_taken.postings || apply_named(v_parked, v_merchants,
        v_checkouts, v_psps, v_names));

    IF v_parked <> '{}' THEN
        PERFORM count_declines(v_merchants, v_checkouts);
    END IF;

    RETURN v_taken.told;
END
$$;
COMMENT ON FUNCTION pay.settle_news IS
    'Takes words about known checkouts into account, and books them';


-- A hint for operators: it moves nothing, and the newest one counts.
CREATE OR REPLACE FUNCTION pay.keep_deadline(
    p_psp text, p_object text, p_until bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE dispute d SET evidence_until = to_timestamp(p_until)
    WHERE d.psp = p_psp AND d.dispute_id = p_object
        AND d.evidence_until IS DISTINCT FROM to_timestamp(p_until);
END
$$;
COMMENT ON FUNCTION pay.keep_deadline IS
    'Until when a PSP takes evidence in a dispute';


CREATE OR REPLACE FUNCTION pay_api.apply_change(
    p_psp text[], p_source text[], p_event_id text[], p_type text[],
    p_about text[], p_news text[], p_token text[], p_reference text[],
    p_object text[], p_operation_id text[], p_amount_minor bigint[],
    p_currency text[], p_fee_minor bigint[], p_fee_currency text[],
    p_code text[], p_digest bytea[], p_request_id text[],
    p_evidence_until bigint[] DEFAULT NULL,
    p_said_at bigint[] DEFAULT NULL)
RETURNS SETOF pay_api.checkout_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_news news[];
BEGIN
    PERFORM check_batch(
        array_dims(p_psp), array_dims(p_source), array_dims(p_event_id),
        array_dims(p_type), array_dims(p_about), array_dims(p_news),
        array_dims(p_token), array_dims(p_reference), array_dims(p_object),
        array_dims(p_operation_id), array_dims(p_amount_minor),
        array_dims(p_currency), array_dims(p_fee_minor),
        array_dims(p_fee_currency), array_dims(p_code),
        array_dims(p_digest), array_dims(p_request_id),
        coalesce(array_dims(p_evidence_until), array_dims(p_psp)),
        coalesce(array_dims(p_said_at), array_dims(p_psp)));

    v_news := settle_news(await_names(insert_news(locate_news(read_news(
        p_psp, p_source, p_event_id, p_type, p_about, p_news, p_token,
        p_reference, p_object, p_operation_id, p_amount_minor, p_currency,
        p_fee_minor, p_fee_currency, p_code, p_digest, p_request_id,
        p_said_at)))));

    PERFORM keep_deadline(n.psp, n.object, p_evidence_until[n.item])
    FROM unnest(v_news) n
    WHERE n.about = 'dispute' AND n.outcome NOT IN ('duplicate', 'unknown',
                                                    'not_found', 'ignored')
        AND p_evidence_until[n.item] BETWEEN 1 AND 4102444800;

    RETURN QUERY
    SELECT n.item, n.outcome, s.*
    FROM unnest(v_news) n
    LEFT JOIN LATERAL state_of(n.merchant_id, n.checkout_id) s ON true
    ORDER BY 1, s.place;

    IF cardinality(v_news) < cardinality(p_psp) THEN
        PERFORM keep_invalid(ARRAY(
            SELECT n FROM generate_series(1, cardinality(p_psp)) n
            WHERE n NOT IN (SELECT x.item FROM unnest(v_news) x)),
            p_psp, p_source, p_event_id, p_token, p_reference, p_object,
            p_amount_minor, p_currency, p_request_id);
    END IF;

    RETURN QUERY
    SELECT n, 'invalid', s.*
    FROM generate_series(1, cardinality(p_psp)) n
    LEFT JOIN checkout_state s ON false
    WHERE n NOT IN (SELECT x.item FROM unnest(v_news) x);
END
$$;
COMMENT ON FUNCTION pay_api.apply_change IS
    'Applies PSP events about changes, disputes and fees. Outcomes: applied, '
    'unchanged, contradiction, duplicate, parked, mismatch, ignored, unknown, '
    'not_found, invalid';
