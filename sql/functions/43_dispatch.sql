-- The operations begin_dispatch and end_dispatch: the journal of captures,
-- cancellations, refunds and expiries.  The operations of registrations write
-- theirs themselves (21_dispatch.sql).

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay.dispatch_ok(
    p_merchant_id text, p_checkout_id text, p_operation text,
    p_operation_id text)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT pay.id_ok(p_merchant_id) AND pay.id_ok(p_checkout_id)
    AND pay.id_ok(p_operation_id)
    AND coalesce(p_operation IN ('capture', 'cancel', 'refund', 'expire'),
                 false)
$$;
COMMENT ON FUNCTION pay.dispatch_ok IS
    'Whether begin_dispatch and end_dispatch can take this operation';


-- Decides what may be sent now, for locked checkouts:
--   invalid  the key belongs to another PSP, registration or change; a capture
--            of a registration without a token, which may still move to
--            another PSP; or a late payment was accepted or settled elsewhere
--   done     the change or the refund of the late payment has ended, however it
--            did, or the newest attempt is done or pending
--   ask      the newest attempt was not sent or refused, and the PSP may have
--            forgotten the operation's key
--   new      there is no attempt, or the newest one was not sent or refused
--   busy     a call is open and its lease lasts; or it is a duplicate in this
--            batch
--   again    the PSP is sure to know the key when the call arrives, which may
--            take as long as the lease
--   ask      otherwise
-- A refusal of a call before which another one may have arrived does not prove
-- that nothing was done ("already refunded" is such a refusal).  A new attempt
-- uses the old key, so it may be sent only while the PSP knows that.  A
-- cancellation that began with closing a page may be repeated at any time; its
-- window is that of its present kind.
CREATE OR REPLACE FUNCTION pay.send_dispatches(
    p_merchant_id text[], p_checkout_id text[], p_operation text[],
    p_operation_id text[], p_psp text[], p_key_window_s bigint[],
    p_lease_ms bigint[], p_request_id text[], p_items int[],
    OUT items int[], OUT outcomes text[], OUT attempts bigint[],
    OUT sends bigint[])
LANGUAGE plpgsql AS $$
BEGIN
    WITH due AS MATERIALIZED (
        SELECT u.*, d.part, d.tid, d.attempt, d.sends, o.key_until,
            now() + make_interval(secs => p_lease_ms[u.n] / 1000.0) AS lease,
            CASE WHEN p_psp[u.n] <> r.psp
                     OR u.operation = 'capture' AND r.token IS NULL
                     OR u.operation IN ('capture', 'expire')
                        AND u.operation_id <> r.nonce AND x.kind IS NULL
                     OR x.kind <> CASE WHEN u.operation = 'expire'
                                       THEN 'cancel' ELSE u.operation END
                     THEN 'invalid'
                 WHEN x.status IN ('SUCCESS', 'FAILED') THEN 'done'
                 WHEN l.state NOT IN ('refunding', 'refunded') THEN 'invalid'
                 WHEN l.state = 'refunded' THEN 'done'
                 WHEN d.state IN ('NOT_SENT', 'REFUSED')
                     AND now() >= o.key_until THEN 'ask'
                 WHEN d.state IS NULL OR d.state IN ('NOT_SENT', 'REFUSED')
                     THEN 'new'
                 WHEN d.state IN ('DONE', 'PENDING') THEN 'done'
                 WHEN d.psp <> p_psp[u.n] THEN 'invalid'
                 WHEN d.state = 'OPEN' AND d.lease_until > now() THEN 'busy'
                 WHEN now() + make_interval(secs => p_lease_ms[u.n] / 1000.0)
                     < d.known_until
                     AND d.first_sent_at < d.known_until THEN 'again'
                 ELSE 'ask' END AS step
        FROM (
            SELECT i.*, row_number() OVER (
                PARTITION BY i.merchant_id, i.checkout_id, i.operation,
                    i.operation_id ORDER BY i.n) = 1 AS first
            FROM unnest(p_merchant_id, p_checkout_id, p_operation,
                p_operation_id) WITH ORDINALITY AS i (merchant_id,
                checkout_id, operation, operation_id, n)
            WHERE i.n = ANY (p_items)) u
        CROSS JOIN LATERAL (
            SELECT r.psp, r.nonce, r.token FROM registration r
            WHERE r.merchant_id = u.merchant_id
                AND r.checkout_id = u.checkout_id
            OFFSET 0) r
        LEFT JOIN LATERAL (
            SELECT l.state FROM late_success l
            WHERE l.merchant_id = u.merchant_id
                AND l.checkout_id = u.checkout_id
                AND l.refund_id::text = u.operation_id
            OFFSET 0) l ON u.operation = 'refund'
        LEFT JOIN LATERAL (
            SELECT c.kind, c.status FROM change c
            WHERE c.merchant_id = u.merchant_id
                AND c.change_id = u.operation_id
                AND c.checkout_id = u.checkout_id
            OFFSET 0) x ON true
        LEFT JOIN LATERAL (
            SELECT d.tableoid AS part, d.ctid AS tid, d.*,
                least(d.key_until, d.first_sent_at
                    + make_interval(secs => p_key_window_s[u.n]))
                    AS known_until
            FROM dispatch d
            WHERE d.merchant_id = u.merchant_id
                AND d.checkout_id = u.checkout_id
                AND d.operation = u.operation
                AND d.operation_id = u.operation_id
            ORDER BY d.attempt DESC LIMIT 1) d ON true
        LEFT JOIN LATERAL (
            SELECT min(x.key_until) AS key_until FROM dispatch x
            WHERE x.merchant_id = u.merchant_id
                AND x.checkout_id = u.checkout_id
                AND x.operation = u.operation
                AND x.operation_id = u.operation_id
                AND x.state = 'REFUSED' AND x.unsure) o
            ON d.state IN ('NOT_SENT', 'REFUSED')
    ), told AS (
        UPDATE dispatch d
        SET state = CASE u.step WHEN 'again' THEN 'OPEN' ELSE 'UNKNOWN' END,
            sends = d.sends + (u.step = 'again')::int,
            unsure = d.unsure OR u.step = 'again',
            sent_at = CASE u.step WHEN 'again' THEN now() ELSE d.sent_at END,
            lease_until = CASE u.step WHEN 'again' THEN u.lease END,
            ended_at = CASE u.step WHEN 'ask'
                           THEN coalesce(d.ended_at, now()) END
        FROM due u
        WHERE u.first AND u.step IN ('again', 'ask') AND d.ctid = u.tid
            AND d.tableoid = u.part
    ), begun AS (
        INSERT INTO dispatch (merchant_id, checkout_id, operation,
            operation_id, attempt, psp, first_sent_at, sent_at, lease_until,
            key_until, request_id)
        SELECT u.merchant_id, u.checkout_id, u.operation, u.operation_id,
            coalesce(u.attempt, 0) + 1, p_psp[u.n], now(), now(), u.lease,
            least(u.key_until,
                  now() + make_interval(secs => p_key_window_s[u.n])),
            p_request_id[u.n]
        FROM due u
        WHERE u.first AND u.step = 'new'
    )
    SELECT array_agg(u.n), array_agg(
            CASE WHEN u.step NOT IN ('new', 'again') THEN u.step
                 WHEN u.first THEN 'send'
                 ELSE 'busy' END),
        array_agg(CASE u.step WHEN 'new' THEN coalesce(u.attempt, 0) + 1
                              ELSE u.attempt END),
        array_agg(CASE u.step WHEN 'new' THEN 1
                              WHEN 'again' THEN u.sends + 1
                              ELSE u.sends END)
    INTO items, outcomes, attempts, sends
    FROM due u;
END
$$;
COMMENT ON FUNCTION pay.send_dispatches IS
    'Journals what may be sent, and says of the rest why it may not';


CREATE OR REPLACE FUNCTION pay_api.begin_dispatch(
    p_merchant_id text[], p_checkout_id text[], p_operation text[],
    p_operation_id text[], p_psp text[], p_key_window_s bigint[],
    p_lease_ms bigint[], p_request_id text[])
RETURNS SETOF pay_api.dispatch_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_valid int[];
    v_sent  record;
BEGIN
    PERFORM check_batch(
        array_dims(p_merchant_id), array_dims(p_checkout_id),
        array_dims(p_operation), array_dims(p_operation_id),
        array_dims(p_psp), array_dims(p_key_window_s),
        array_dims(p_lease_ms), array_dims(p_request_id));

    v_valid := ARRAY(
        SELECT n FROM generate_series(1, cardinality(p_psp)) n
        WHERE dispatch_ok(p_merchant_id[n], p_checkout_id[n], p_operation[n],
                          p_operation_id[n])
            AND id_ok(p_psp[n]) AND p_key_window_s[n] BETWEEN 0 AND 999999999
            AND p_lease_ms[n] BETWEEN 1 AND 86400000);

    PERFORM lock_checkouts(p_merchant_id, p_checkout_id);

    v_sent := send_dispatches(p_merchant_id, p_checkout_id, p_operation,
        p_operation_id, p_psp, p_key_window_s, p_lease_ms, p_request_id,
        v_valid);

    RETURN QUERY
    SELECT s.* FROM unnest(v_sent.items, v_sent.outcomes, v_sent.attempts,
                           v_sent.sends) s;

    RETURN QUERY
    SELECT n, CASE WHEN n = ANY (v_valid) THEN 'not_found' ELSE 'invalid' END,
        NULL::bigint, NULL::bigint
    FROM generate_series(1, cardinality(p_psp)) n
    WHERE n <> ALL (coalesce(v_sent.items, '{}'));
END
$$;
COMMENT ON FUNCTION pay_api.begin_dispatch IS
    'Journals calls that are about to be made; only send permits the call. '
    'Outcomes: send, busy, ask, done, not_found, invalid';


-- Outcomes of the newest attempts of locked checkouts.  A definite outcome
-- counts whenever it comes: that of an earlier call while a later one is open,
-- or that of a query about an attempt that was given up as unknown; and an
-- attempt that is done stays done, whatever answer another call of it got.
-- Otherwise only an open call can end.  Of several outcomes of one attempt the
-- most definite counts.  NOT_SENT counts only if no earlier call of the attempt
-- may have arrived.
CREATE OR REPLACE FUNCTION pay.hear_dispatches(
    p_merchant_id text[], p_checkout_id text[], p_operation text[],
    p_operation_id text[], p_attempt bigint[], p_state text[],
    p_reach text[], p_http_status bigint[], p_code text[],
    p_reference text[], p_items int[], OUT stored int[])
LANGUAGE plpgsql AS $$
BEGIN
    WITH told AS (
        SELECT DISTINCT ON (d.part, d.tid) u.n, d.part, d.tid
        FROM unnest(p_items) AS u (n)
        CROSS JOIN LATERAL (
            SELECT d.tableoid AS part, d.ctid AS tid, d.attempt, d.state
            FROM dispatch d
            WHERE d.merchant_id = p_merchant_id[u.n]
                AND d.checkout_id = p_checkout_id[u.n]
                AND d.operation = p_operation[u.n]
                AND d.operation_id = p_operation_id[u.n]
            ORDER BY d.attempt DESC LIMIT 1) d
        WHERE d.attempt = p_attempt[u.n]
            AND CASE WHEN p_state[u.n] IN ('DONE', 'PENDING')
                         THEN d.state NOT IN ('DONE', 'PENDING')
                     WHEN p_state[u.n] = 'REFUSED'
                         THEN d.state IN ('OPEN', 'UNKNOWN')
                     ELSE d.state = 'OPEN' END
        ORDER BY d.part, d.tid, array_position(
            '{DONE,PENDING,REFUSED,UNKNOWN,NOT_SENT}', p_state[u.n]), u.n
    ), ended AS (
        UPDATE dispatch d
        SET state = CASE WHEN p_state[t.n] = 'NOT_SENT' AND d.unsure
                         THEN 'UNKNOWN' ELSE p_state[t.n] END,
            ended_at = clock_timestamp(), lease_until = NULL,
            reach = nullif(p_reach[t.n], ''),
            http_status = nullif(p_http_status[t.n], 0),
            code = nullif(p_code[t.n], ''),
            reference = nullif(p_reference[t.n], '')
        FROM told t
        WHERE d.ctid = t.tid AND d.tableoid = t.part
        RETURNING t.n
    )
    SELECT array_agg(e.n) INTO stored FROM ended e;
END
$$;
COMMENT ON FUNCTION pay.hear_dispatches IS
    'Journals how calls ended; returns the items that were news';


-- Late payments that have been paid back; there is nothing left to do.  Facts
-- for record_facts().
CREATE OR REPLACE FUNCTION pay.settle_refunds(
    p_merchant_id text[], p_checkout_id text[], p_operation_id text[],
    p_reference text[], p_request_id text[], p_items int[])
RETURNS fact[] LANGUAGE plpgsql AS $$
DECLARE
    v_facts fact[];
BEGIN
    WITH paid_back AS (
        UPDATE late_success l
        SET state = 'refunded'
        FROM unnest(p_items) n
        CROSS JOIN LATERAL (
            SELECT k.ctid AS tid FROM late_success k
            WHERE k.merchant_id = p_merchant_id[n]
                AND k.checkout_id = p_checkout_id[n]
                AND k.refund_id::text = p_operation_id[n]
                AND k.state IN ('refunding', 'resolved')
            OFFSET 0) k
        WHERE l.ctid = k.tid
        RETURNING n, l.merchant_id, l.checkout_id, l.psp, l.amount_minor,
            l.currency
    )
    SELECT array_agg(ROW(b.n, NULL, b.merchant_id, b.checkout_id,
        'late_refunded', 'gateway', b.psp, NULL, NULL, NULL, NULL, NULL,
        NULL, NULL, p_request_id[b.n],
        jsonb_strip_nulls(jsonb_build_object(
            'refund_id', p_operation_id[b.n],
            'refund_reference', nullif(p_reference[b.n], ''),
            'amount_minor', b.amount_minor, 'currency', b.currency)),
        NULL, NULL, NULL)::fact)
    INTO v_facts
    FROM paid_back b;

    IF v_facts IS NOT NULL THEN
        DELETE FROM job j
        USING unnest(v_facts) f
        CROSS JOIN LATERAL (
            SELECT k.tableoid AS part, k.ctid AS tid FROM job k
            WHERE k.merchant_id = f.merchant_id
                AND k.checkout_id = f.checkout_id AND k.kind = 'refund'
            OFFSET 0) k
        WHERE j.ctid = k.tid AND j.tableoid = k.part;

        PERFORM settle_dead_letters(
            ARRAY(SELECT f.merchant_id FROM unnest(v_facts) f),
            ARRAY(SELECT f.checkout_id FROM unnest(v_facts) f),
            '{refund,late_success}', 'refunded');
    END IF;

    RETURN coalesce(v_facts, '{}');
END
$$;
COMMENT ON FUNCTION pay.settle_refunds IS
    'Late payments whose refund the PSP has accepted';


-- The status of a change after an outcome of its newest attempt (NULL: as
-- before).  A refusal ends it only if no earlier call may have arrived, since
-- "already refunded" is a refusal, too.
CREATE OR REPLACE FUNCTION pay.change_after(p_change change, OUT state text,
    OUT status text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_unsure boolean;
BEGIN
    SELECT (array_agg(d.state ORDER BY d.attempt DESC))[1],
        bool_or(d.unsure)
    INTO state, v_unsure
    FROM dispatch d
    WHERE d.merchant_id = p_change.merchant_id
        AND d.checkout_id = p_change.checkout_id
        AND d.operation_id = p_change.change_id
        AND d.operation IN (p_change.kind, CASE p_change.kind
            WHEN 'cancel' THEN 'expire' END);

    status := CASE
        WHEN state = 'DONE' THEN 'SUCCESS'
        WHEN state = 'REFUSED' AND NOT v_unsure THEN 'FAILED'
        WHEN state IN ('PENDING', 'UNKNOWN', 'REFUSED') THEN 'EXECUTING' END;
END
$$;
COMMENT ON FUNCTION pay.change_after IS
    'The status of a change according to the journal';


-- Changes whose calls have ended, as facts for record_facts().  A state that a
-- PSP event has established meanwhile stays.  If the call says done after an
-- event said failed, operators decide.
CREATE OR REPLACE FUNCTION pay.settle_changes(
    p_merchant_id text[], p_operation_id text[], p_code text[],
    p_reference text[], p_request_id text[], p_items int[])
RETURNS fact[] LANGUAGE plpgsql AS $$
DECLARE
    v_change  change;
    v_after   record;
    v_sorted  record;
    v_word    fact;
    v_facts   fact[] := '{}';
    v_is_none boolean;
    v_n       int;
BEGIN
    FOREACH v_n IN ARRAY p_items LOOP
        v_change := find_change(p_merchant_id[v_n], p_operation_id[v_n]);
        CONTINUE WHEN v_change.change_id IS NULL;

        v_after := change_after(v_change);
        v_word.actor := 'gateway';
        v_word.code := p_code[v_n];
        v_word.request_id := p_request_id[v_n];
        v_word.reference := CASE WHEN v_after.state IN ('DONE', 'PENDING')
                                 THEN p_reference[v_n] END;

        IF v_change.kind IN ('refund', 'capture') THEN
            v_is_none := coalesce(v_after.status = 'FAILED'
                                  OR v_after.state = 'NOT_SENT', false);
            IF v_change.kind = 'refund' THEN
                v_sorted := sort_refund(v_change, v_word, v_is_none);
            ELSE
                v_sorted := sort_capture(v_change, nullif(v_word.reference,
                    ''), v_word, v_is_none);
            END IF;
            v_change := v_sorted.sorted;
            v_facts := v_facts || v_sorted.facts;
        END IF;

        IF v_change.status IN ('NOT_STARTED', 'EXECUTING') THEN
            IF v_after.status IS NOT NULL THEN
                v_facts := v_facts
                    || move_change(v_change, v_after.status, v_word);
            END IF;

            IF v_after.state = 'PENDING' THEN
                PERFORM drop_change_job(v_change, 'PENDING');
            END IF;
        ELSIF v_change.status = 'FAILED' AND v_after.status = 'SUCCESS' THEN
            v_facts := v_facts || doubt(change_fact(v_change, v_word, '',
                NULL), v_change.kind, 'contradiction', p_reference[v_n],
                v_change.amount_minor, v_change.currency);
        END IF;
    END LOOP;

    RETURN v_facts;
END
$$;
COMMENT ON FUNCTION pay.settle_changes IS
    'Changes after the end of a call';


-- Stores the PSP references of these captures: a refund may name one.
CREATE OR REPLACE FUNCTION pay.capture_names(
    p_merchant_id text[], p_checkout_id text[], p_operation text[],
    p_operation_id text[], p_state text[], p_reference text[],
    p_items int[], OUT psps text[], OUT names text[])
LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT array_agg(d.psp::text ORDER BY n),
        array_agg(CASE WHEN d.psp IS NOT NULL THEN p_reference[n] END
                  ORDER BY n)
    INTO psps, names
    FROM generate_subscripts(p_operation, 1) n
    LEFT JOIN LATERAL (
        SELECT d.psp FROM dispatch d
        WHERE n = ANY (p_items) AND p_operation[n] = 'capture'
            AND p_state[n] IN ('DONE', 'PENDING')
            AND p_reference[n] <> ''
            AND d.merchant_id = p_merchant_id[n]
            AND d.checkout_id = p_checkout_id[n]
            AND d.operation = 'capture'
            AND d.operation_id = p_operation_id[n]
        ORDER BY d.attempt DESC LIMIT 1) d ON true;
END
$$;
COMMENT ON FUNCTION pay.capture_names IS
    'The PSPs'' ids of captures, as they end';


CREATE OR REPLACE FUNCTION pay_api.end_dispatch(
    p_merchant_id text[], p_checkout_id text[], p_operation text[],
    p_operation_id text[], p_attempt bigint[], p_state text[],
    p_reach text[], p_http_status bigint[], p_code text[],
    p_reference text[], p_request_id text[])
RETURNS SETOF pay_api.outcome_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_valid  int[];
    v_stored int[];
    v_refund int[];
    v_facts  fact[] := '{}';
    v_named  record;
    v_parked int[];
    v_taken  record;
BEGIN
    PERFORM check_batch(
        array_dims(p_merchant_id), array_dims(p_checkout_id),
        array_dims(p_operation), array_dims(p_operation_id),
        array_dims(p_attempt), array_dims(p_state), array_dims(p_reach),
        array_dims(p_http_status), array_dims(p_code),
        array_dims(p_reference), array_dims(p_request_id));

    v_valid := ARRAY(
        SELECT n FROM generate_series(1, cardinality(p_state)) n
        WHERE dispatch_ok(p_merchant_id[n], p_checkout_id[n], p_operation[n],
                          p_operation_id[n])
            AND p_attempt[n] >= 1
            AND p_state[n] IN ('DONE', 'PENDING', 'REFUSED', 'NOT_SENT',
                               'UNKNOWN')
            AND reach_ok(p_reach[n], p_http_status[n])
            AND coalesce(octet_length(p_code[n]), 0) <= 255
            AND coalesce(octet_length(p_reference[n]), 0) <= 255);

    v_named := capture_names(p_merchant_id, p_checkout_id, p_operation,
        p_operation_id, p_state, p_reference, v_valid);
    v_parked := claim_references(p_merchant_id, p_checkout_id, v_named.psps,
                                 v_named.names);
    PERFORM lock_checkouts(p_merchant_id, p_checkout_id);

    v_stored := coalesce(hear_dispatches(p_merchant_id, p_checkout_id,
        p_operation, p_operation_id, p_attempt, p_state, p_reach,
        p_http_status, p_code, p_reference, v_valid), '{}');

    v_refund := ARRAY(
        SELECT n FROM unnest(v_stored) n
        WHERE p_operation[n] = 'refund'
            AND p_state[n] IN ('DONE', 'PENDING'));
    IF cardinality(v_refund) > 0 THEN
        v_facts := settle_refunds(p_merchant_id, p_checkout_id,
            p_operation_id, p_reference, p_request_id, v_refund);
    END IF;

    v_facts := v_facts || settle_changes(p_merchant_id, p_operation_id,
        p_code, p_reference, p_request_id, v_stored);
    v_taken := take_facts(number_facts(v_facts, 0));
    PERFORM post(v_taken.postings || apply_named(v_parked, p_merchant_id,
        p_checkout_id, v_named.psps, v_named.names));

    IF v_parked <> '{}' THEN
        PERFORM count_declines(p_merchant_id, p_checkout_id);
    END IF;

    RETURN QUERY
    SELECT n, CASE WHEN n <> ALL (v_valid) THEN 'invalid'
                   WHEN n = ANY (v_stored) THEN 'stored'
                   WHEN EXISTS (
                       SELECT FROM dispatch d
                       WHERE d.merchant_id = p_merchant_id[n]
                           AND d.checkout_id = p_checkout_id[n]
                           AND d.operation = p_operation[n]
                           AND d.operation_id = p_operation_id[n])
                       THEN 'already'
                   ELSE 'not_found' END
    FROM generate_series(1, cardinality(p_state)) n;
END
$$;
COMMENT ON FUNCTION pay_api.end_dispatch IS
    'Journals how far a call came. Outcomes: stored, already, not_found, '
    'invalid';
