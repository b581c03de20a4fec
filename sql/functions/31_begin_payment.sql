-- The operation begin_payment, on top of the steps in 30_payment.sql.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Items of begin_payment that are valid, in sequence.  A value that is derived
-- from an argument is derived again where it is written.
CREATE OR REPLACE FUNCTION pay.check_items(
    p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[],
    p_checkout_id text[], p_checkout_uuid text[], p_handle text[],
    p_psp text[], p_nonce text[], p_return_url text[], p_base_url text[],
    p_currency text[], p_total_minor bigint[], p_expires_s bigint[],
    p_orders_item bigint[], p_orders_id text[],
    p_orders_seller_account text[], p_orders_amount_minor bigint[],
    p_orders_credit_currency text[], p_ttl_s bigint[], p_lease_ms bigint[],
    p_psps text[], p_route text[], p_key_windows text[], p_late_success text[],
    p_terms jsonb[])
RETURNS int[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    -- from the orders to their item: a join of the two would check each item
    -- once for each other one
    RETURN ARRAY(
        SELECT n
        FROM (
            SELECT u.item::int AS n, count(*) AS count,
                bool_and(order_ok(u.id, u.seller, u.minor)) AS ok,
                bool_and(u.credit IS NULL OR u.credit IN (
                    SELECT k.code::text FROM currency k
                    WHERE k.is_current)) AS credit_ok,
                sum(u.minor) AS total, count(DISTINCT u.id) AS ids
            FROM unnest(p_orders_item, p_orders_id, p_orders_seller_account,
                    p_orders_amount_minor, p_orders_credit_currency)
                AS u (item, id, seller, minor, credit)
            WHERE u.item BETWEEN 1 AND cardinality(p_merchant_id)
            GROUP BY u.item
            OFFSET 0) o
        CROSS JOIN LATERAL (
            SELECT psp_names(p_psps[n], p_psp[n]) AS psps OFFSET 0) l
        WHERE id_ok(p_merchant_id[n]) AND id_ok(p_idempotency_key[n])
            AND id_ok(p_checkout_id[n]) AND id_ok(p_handle[n])
            AND id_ok(p_psp[n]) AND id_ok(p_nonce[n])
            AND octet_length(p_fingerprint[n]) = 32
            AND uuid_ok(p_checkout_uuid[n])
            AND octet_length(p_return_url[n]) BETWEEN 1 AND 8192
            AND octet_length(p_base_url[n]) BETWEEN 1 AND 8192
            AND EXISTS (SELECT FROM currency k
                        WHERE k.code = p_currency[n] AND k.is_current)
            AND p_total_minor[n] > 0
            AND p_expires_s[n] BETWEEN 1 AND 253402300799
            AND p_ttl_s[n] BETWEEN 1 AND 315360000
            AND p_lease_ms[n] BETWEEN 0 AND 86400000
            AND p_psp[n] = ANY (l.psps) AND cardinality(l.psps) <= 8
            AND (SELECT bool_and(id_ok(p)) FROM unnest(l.psps) p)
            AND cardinality(read_windows(p_key_windows[n],
                                         cardinality(l.psps)))
                = cardinality(l.psps)
            AND coalesce(p_late_success[n], '')
                IN ('', 'accept', 'hold', 'refund')
            AND coalesce(octet_length(p_route[n]), 0) <= 1000
            AND (p_terms[n] IS NULL OR terms_ok(p_terms[n]))
            AND o.count BETWEEN 1 AND 20 AND o.ok AND o.credit_ok
            AND o.ids = o.count
            AND o.total = p_total_minor[n]
        ORDER BY n);
END
$$;
COMMENT ON FUNCTION pay.check_items IS
    'Items of begin_payment that can be taken';


CREATE OR REPLACE FUNCTION pay_api.begin_payment(
    p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[],
    p_checkout_id text[], p_checkout_uuid text[], p_handle text[],
    p_psp text[], p_nonce text[], p_return_url text[], p_base_url text[],
    p_buyer_info jsonb[], p_metadata jsonb[], p_credit_card_info jsonb[],
    p_currency text[], p_total_minor bigint[], p_expires_s bigint[],
    p_orders_item bigint[], p_orders_id text[],
    p_orders_seller_account text[], p_orders_amount_minor bigint[],
    p_orders_credit_currency text[], p_ttl_s bigint[], p_lease_ms bigint[],
    p_request_id text[], p_psps text[], p_route text[],
    p_key_windows text[], p_late_success text[], p_terms jsonb[],
    p_risk jsonb[] DEFAULT NULL, p_risk_hits_item bigint[] DEFAULT '{}',
    p_risk_hits_name text[] DEFAULT '{}', p_risk_hits_word text[] DEFAULT '{}',
    p_risk_hits_is_shadow bigint[] DEFAULT '{}',
    p_risk_keys_item bigint[] DEFAULT '{}',
    p_risk_keys_kind text[] DEFAULT '{}',
    p_risk_keys_value text[] DEFAULT '{}',
    p_risk_windows_item bigint[] DEFAULT '{}',
    p_risk_windows_name text[] DEFAULT '{}',
    p_risk_windows_key text[] DEFAULT '{}',
    p_risk_windows_hash text[] DEFAULT '{}',
    p_risk_windows_hours bigint[] DEFAULT '{}',
    p_risk_windows_measure text[] DEFAULT '{}',
    p_risk_windows_threshold bigint[] DEFAULT '{}',
    p_risk_windows_currency text[] DEFAULT '{}',
    p_risk_windows_word text[] DEFAULT '{}',
    p_risk_windows_is_shadow bigint[] DEFAULT '{}')
RETURNS SETOF pay_api.checkout_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_count    int;
    v_begun    int;
    v_items    int[];
    v_left     int[];
    v_keyed    int[];
    v_placed   int[];
    v_made     int[];
    v_waits    int[] := '{}';
    v_line     record;
    v_quote    record;
    v_stored   record;
    v_place    record;
    v_loss     record;
    v_next     int[];
    v_item     int;
    v_replaces boolean;
    v_has_fees boolean;
    v_looks    boolean := coalesce(num_nonnulls(VARIADIC p_risk) > 0, false);
    v_rows     risk_rows;
    v_texts    text[];
    v_terms    text := p_terms::text;
    v_looked   int[] := '{}';
    v_waiting  int[] := '{}';
    v_look     record;
    v_judged   boolean := false;
    v_stopped  int[] := '{}';
    v_blocked  int[] := '{}';
    v_plain    int[];
    v_wrong    int[];
    -- items that lost to no other checkout
    v_unquoted  int[];
    v_too_large int[];
    v_missing   int[];
    v_refused   int[];
    -- drawn before the fence is read, see 31_merchant_move.sql
    v_tx        bigint := this_tx();
    v_fences    record;
BEGIN
    v_count := check_batch(
        array_dims(p_merchant_id), array_dims(p_idempotency_key),
        array_dims(p_fingerprint), array_dims(p_checkout_id),
        array_dims(p_checkout_uuid), array_dims(p_handle),
        array_dims(p_psp), array_dims(p_nonce), array_dims(p_return_url),
        array_dims(p_base_url), array_dims(p_buyer_info),
        array_dims(p_metadata), array_dims(p_credit_card_info),
        array_dims(p_currency), array_dims(p_total_minor),
        array_dims(p_expires_s), array_dims(p_ttl_s),
        array_dims(p_lease_ms), array_dims(p_request_id),
        array_dims(p_psps), array_dims(p_route), array_dims(p_key_windows),
        array_dims(p_late_success), array_dims(p_terms),
        coalesce(array_dims(p_risk), array_dims(p_terms)));
    v_begun := check_batch(
        array_dims(p_orders_item), array_dims(p_orders_id),
        array_dims(p_orders_seller_account),
        array_dims(p_orders_amount_minor),
        array_dims(p_orders_credit_currency));

    v_items := check_items(p_merchant_id, p_idempotency_key, p_fingerprint,
        p_checkout_id, p_checkout_uuid, p_handle, p_psp, p_nonce,
        p_return_url, p_base_url, p_currency, p_total_minor, p_expires_s,
        p_orders_item, p_orders_id, p_orders_seller_account,
        p_orders_amount_minor, p_orders_credit_currency, p_ttl_s, p_lease_ms,
        p_psps, p_route, p_key_windows, p_late_success, p_terms);
    IF v_looks THEN
        v_begun := check_batch(array_dims(p_risk_hits_item),
            array_dims(p_risk_hits_name), array_dims(p_risk_hits_word),
            array_dims(p_risk_hits_is_shadow));
        v_begun := check_batch(array_dims(p_risk_keys_item),
            array_dims(p_risk_keys_kind), array_dims(p_risk_keys_value));
        v_begun := check_batch(array_dims(p_risk_windows_item),
            array_dims(p_risk_windows_name), array_dims(p_risk_windows_key),
            array_dims(p_risk_windows_hash), array_dims(p_risk_windows_hours),
            array_dims(p_risk_windows_measure),
            array_dims(p_risk_windows_threshold),
            array_dims(p_risk_windows_currency),
            array_dims(p_risk_windows_word),
            array_dims(p_risk_windows_is_shadow));
        v_rows := ROW(p_risk_hits_item, p_risk_hits_name, p_risk_hits_word,
            p_risk_hits_is_shadow, p_risk_keys_item, p_risk_keys_kind,
            p_risk_keys_value, p_risk_windows_item, p_risk_windows_name,
            p_risk_windows_key, p_risk_windows_hash, p_risk_windows_hours,
            p_risk_windows_measure, p_risk_windows_threshold,
            p_risk_windows_currency, p_risk_windows_word,
            p_risk_windows_is_shadow);
        v_wrong := wrong_risk_rows(v_rows);
        v_texts := p_risk::text[];
        v_items := ARRAY(
            SELECT n FROM unnest(v_items) n
            WHERE p_risk[n] IS NULL
                OR risk_ok(p_risk[n], v_texts[n])
                    AND n <> ALL (v_wrong)
            ORDER BY n);
    END IF;

    v_left := v_items;

    -- behind a restore, see 78_recover.sql, or of a merchant that begins in
    -- another cell, or has been there: then nothing is inserted
    IF EXISTS (SELECT FROM recovery r WHERE r.ended_at IS NULL)
        OR EXISTS (SELECT FROM merchant_move)
        OR EXISTS (SELECT FROM merchant_origin o WHERE o.is_asked)
    THEN
        v_fences := fences_of(v_items, p_merchant_id, p_terms);

        RETURN QUERY
        SELECT x.*
        FROM unnest(v_fences.items, v_fences.states) AS f (n, state)
        CROSS JOIN LATERAL explain_elsewhere(f.n, f.state, p_merchant_id[f.n],
            p_idempotency_key[f.n], p_fingerprint[f.n], p_checkout_id[f.n],
            orders_of_item(f.n, p_orders_item, p_orders_id)) x;

        v_left := ARRAY(
            SELECT n FROM unnest(v_items) n
            WHERE n <> ALL (v_fences.items) ORDER BY n);

        IF EXISTS (SELECT FROM recovery r WHERE r.ended_at IS NULL) THEN
            v_stopped := unknown_items(v_left, p_merchant_id,
                                       p_idempotency_key);
            v_items := ARRAY(
                SELECT n FROM unnest(v_items) n WHERE n <> ALL (v_stopped)
                ORDER BY n);
            v_left := ARRAY(
                SELECT n FROM unnest(v_left) n WHERE n <> ALL (v_stopped)
                ORDER BY n);
        END IF;
    END IF;

    v_replaces := v_terms LIKE '%"replaces%';
    v_has_fees := v_terms LIKE '%"fees%';

    -- Items that lost only to a batch-mate that lost itself go round again;
    -- each round settles at least one.
    WHILE v_left <> '{}' LOOP
        v_keyed := insert_keys(v_left, p_merchant_id, p_idempotency_key,
            p_fingerprint, p_checkout_id, p_ttl_s);
        v_made := '{}';
        v_placed := '{}';

        IF v_keyed <> '{}' THEN
            v_stored := insert_checkouts(v_keyed, p_merchant_id,
                p_checkout_id, p_checkout_uuid, p_handle, p_psp, p_nonce,
                p_return_url, p_base_url, p_buyer_info, p_metadata,
                p_credit_card_info, p_currency, p_total_minor, p_expires_s,
                p_lease_ms, p_request_id, p_psps, p_key_windows,
                p_late_success, p_terms, p_risk);
            v_placed := v_stored.placed;
        END IF;

        IF v_placed <> '{}' THEN
            v_line := read_lines(v_placed, p_merchant_id, p_psp,
                p_orders_item, p_orders_id, p_orders_seller_account,
                p_orders_amount_minor, p_orders_credit_currency,
                p_request_id, p_route, p_terms);
            v_quote := quote_lines(v_placed, v_line.item, v_line.minor,
                v_line.credit, p_currency, p_terms);
            v_unquoted := v_quote.missing;
            v_too_large := v_quote.too_large;
            v_made := insert_orders(v_quote.items, v_line.item, v_line.place,
                v_line.id, v_line.seller, v_line.minor, v_line.credit,
                v_line.hash, v_quote.rate, v_quote.minor, p_merchant_id,
                p_checkout_id, p_currency, p_terms);

            IF v_replaces THEN
                v_place := take_places(v_made, p_merchant_id, p_checkout_id,
                                       p_terms);
                v_made := v_place.kept;
                v_waits := v_place.waits;
                v_refused := v_place.refused;
                v_missing := v_place.missing;
            END IF;

            v_begun := insert_beginnings(v_made, v_line.item, v_line.id,
                v_line.detail, v_line.hash, p_merchant_id, p_checkout_id,
                p_lease_ms, p_request_id);

            IF v_has_fees THEN
                PERFORM keep_given_fees(v_made, v_line.item, v_line.place,
                    v_line.id, v_line.minor, p_merchant_id, p_terms);
            END IF;

            v_plain := v_made;
            IF v_looks THEN
                v_plain := ARRAY(
                    SELECT n FROM unnest(v_made) n WHERE p_risk[n] IS NULL);
                v_looked := v_looked || ARRAY(
                    SELECT n FROM unnest(v_made) n
                    WHERE p_risk[n] IS NOT NULL);
                v_waiting := v_waiting || v_waits;
            END IF;

            IF v_replaces THEN
                PERFORM close_replaced(v_plain, v_waits, p_merchant_id,
                    p_checkout_id, p_lease_ms, p_request_id, p_terms);
            END IF;

            -- all other locks are held, and most are still as they came
            IF v_looked <> '{}'
                AND cardinality(v_made) = cardinality(v_left)
            THEN
                v_look := look_at_risk(ARRAY(
                        SELECT n FROM unnest(v_looked) n ORDER BY n),
                    v_waiting, p_merchant_id, p_checkout_id, p_psp,
                    p_currency, p_total_minor, p_lease_ms, p_request_id,
                    p_terms, p_risk, v_texts, v_rows, v_replaces);
                v_judged := true;
                v_blocked := v_look.blocked;
                v_plain := ARRAY(
                    SELECT n FROM unnest(v_made) n
                    WHERE n <> ALL (v_look.changed));
                v_looked := ARRAY(
                    SELECT n FROM unnest(v_looked) n WHERE n <> ALL (v_plain));
            END IF;

            -- a quote is PostgreSQL's to say; the rest is as it came
            RETURN QUERY
            SELECT n, CASE WHEN n = ANY (v_waits) THEN 'waiting'
                           ELSE 'created' END,
                p_merchant_id[n], p_checkout_id[n], p_checkout_uuid[n],
                p_psp[n], v_stored.nonces[n], p_handle[n], NULL, NULL, NULL,
                p_return_url[n], p_base_url[n], p_currency[n],
                p_total_minor[n], p_expires_s[n], 'REGISTERING', 1::bigint,
                NULL, 1::bigint,
                coalesce(p_terms[n] ->> 'capture', 'automatic'),
                p_terms[n] ->> 'replaces', NULL, p_risk[n] ->> 'decision',
                p_terms[n] ->> 'trace',
                l.place::bigint, l.id, l.seller, l.minor, 'NOT_STARTED', NULL,
                NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint,
                NULL::bigint, q.credit_currency, q.credit_minor, q.credit_rate,
                q.credit_until, NULL, NULL::bigint, NULL::bigint
            FROM unnest(v_line.item, v_line.place, v_line.id, v_line.seller,
                        v_line.minor, v_line.credit)
                AS l (n, place, id, seller, minor, credit)
            LEFT JOIN LATERAL (
                SELECT s.credit_currency, s.credit_minor, s.credit_rate,
                    s.credit_until
                FROM checkout_state s
                -- in here it is asked before the view is read
                WHERE l.credit IS NOT NULL
                    AND s.merchant_id = p_merchant_id[l.n]
                    AND s.checkout_id = p_checkout_id[l.n]
                    AND s.place = l.place
                OFFSET 0) q ON true
            WHERE n = ANY (v_plain)
            ORDER BY 1, l.place;
        END IF;

        EXIT WHEN cardinality(v_made) = cardinality(v_left);

        IF v_keyed <> '{}' THEN
            PERFORM delete_losers(v_keyed, v_placed, v_made, p_merchant_id,
                                  p_idempotency_key, p_checkout_id);
        END IF;

        v_next := '{}';

        FOREACH v_item IN ARRAY v_left LOOP
            CONTINUE WHEN v_item = ANY (v_made);
            v_loss := explain_loss(p_merchant_id[v_item],
                p_idempotency_key[v_item], p_fingerprint[v_item],
                p_checkout_id[v_item],
                orders_of_item(v_item, p_orders_item, p_orders_id));
            v_loss.outcome := coalesce(v_loss.outcome, CASE
                WHEN v_item = ANY (v_too_large) THEN 'credit_too_large'
                WHEN v_item = ANY (v_unquoted) THEN 'rate_missing'
                WHEN v_item = ANY (v_missing) THEN 'nothing_to_replace'
                WHEN v_item = ANY (v_refused) THEN 'not_replaced' END);

            IF v_loss.outcome IS NULL THEN
                v_next := v_next || v_item;
            ELSE
                RETURN QUERY
                SELECT v_item, v_loss.outcome, s.*
                FROM (SELECT) x
                LEFT JOIN LATERAL state_of(
                    p_merchant_id[v_item], v_loss.checkout_id) s
                    ON v_loss.outcome IN ('replayed', 'exists')
                ORDER BY s.place;
            END IF;
        END LOOP;

        IF cardinality(v_next) = cardinality(v_left) THEN
            -- nothing to be seen in its way, and yet it does not go in:
            -- a handle that another checkout has
            v_items := array_remove(v_items, v_next[1]);
            v_next := v_next[2:];
        END IF;

        v_left := v_next;
    END LOOP;

    IF v_looked <> '{}' THEN
        IF NOT v_judged THEN
            v_look := look_at_risk(ARRAY(
                    SELECT n FROM unnest(v_looked) n ORDER BY n), v_waiting,
                p_merchant_id, p_checkout_id, p_psp, p_currency,
                p_total_minor, p_lease_ms, p_request_id, p_terms, p_risk,
                v_texts, v_rows, v_replaces);
            v_blocked := v_look.blocked;
        END IF;

        RETURN QUERY
        SELECT n, CASE WHEN n = ANY (v_blocked) THEN 'blocked'
                       WHEN n = ANY (v_waiting) THEN 'waiting'
                       ELSE 'created' END, s.*
        FROM unnest(v_looked) n
        CROSS JOIN LATERAL state_of(p_merchant_id[n], p_checkout_id[n]) s
        ORDER BY 1, s.place;
    END IF;

    IF cardinality(v_items) < v_count THEN
        RETURN QUERY
        SELECT n, CASE WHEN n = ANY (v_stopped) THEN 'recovering'
                       ELSE 'invalid' END, s.*
        FROM generate_subscripts(p_merchant_id, 1) n
        LEFT JOIN checkout_state s ON false
        WHERE n <> ALL (v_items);
    END IF;
END
$$;
COMMENT ON FUNCTION pay_api.begin_payment IS
    'Creates checkouts. Outcomes: created, waiting, blocked, replayed, '
    'in_progress, key_reused, exists, rate_missing, credit_too_large, nothing_to_replace, '
    'not_replaced, recovering, moving, moved, invalid';
