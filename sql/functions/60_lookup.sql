-- The reads: get_order, get_payment, get_checkout, get_events, get_handle;
-- explain has a file of its own.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- By its key and nothing else.  Asked for equality, a planner that takes the
-- table to be small may as well read all orders of the merchant by the index
-- on their checkouts; asked for the first one of a range, it cannot.  The
-- range's end keeps the scan from reading the rest of a page.
CREATE OR REPLACE FUNCTION pay.find_order(
    p_merchant_id text, p_payment_order_id text)
RETURNS SETOF payment_order LANGUAGE sql STABLE AS $$
SELECT o.*
FROM payment_order o
WHERE o.merchant_id = p_merchant_id
    AND o.payment_order_id BETWEEN p_payment_order_id AND p_payment_order_id
ORDER BY o.payment_order_id LIMIT 1
$$;
COMMENT ON FUNCTION pay.find_order IS 'An order, by its key';


-- The columns that GET of one order shows, and no others: this is the most
-- frequent read.  The shape order of src/op/rows.list; a NULL column costs
-- nothing, so sums of nothing are NULL.
CREATE OR REPLACE FUNCTION pay_api.get_order(
    p_merchant_id text[], p_payment_order_id text[])
RETURNS SETOF pay_api.order_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id),
                        array_dims(p_payment_order_id));

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN c.checkout_id IS NULL THEN 'not_found' ELSE 'found' END,
        c.checkout_id::text, c.psp::text, c.handle::text, c.token::text,
        c.base_url::text, extract(epoch FROM c.expires_at)::bigint,
        c.version::bigint,
        CASE WHEN o.position > 1
             THEN (SELECT f.status FROM payment_order f
                   WHERE f.merchant_id = o.merchant_id
                       AND f.checkout_id = o.checkout_id
                   ORDER BY f.position LIMIT 1) END::text,
        c.currency::text, l.*
    FROM unnest(p_merchant_id, p_payment_order_id)
        WITH ORDINALITY AS u (merchant_id, payment_order_id, n)
    LEFT JOIN LATERAL find_order(u.merchant_id, u.payment_order_id) o
        ON true
    LEFT JOIN LATERAL (
        SELECT c.* FROM checkout c
        WHERE c.merchant_id = o.merchant_id
            AND c.checkout_id = o.checkout_id
        OFFSET 0) c ON true
    LEFT JOIN LATERAL order_line(o) l ON c.checkout_id IS NOT NULL;
END
$$;
COMMENT ON FUNCTION pay_api.get_order IS
    'An order and the columns of its checkout. Outcomes: found, not_found';


CREATE OR REPLACE FUNCTION pay_api.get_payment(
    p_merchant_id text[], p_payment_order_id text[])
RETURNS SETOF pay_api.checkout_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id),
                        array_dims(p_payment_order_id));

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN s.checkout_id IS NULL THEN 'not_found' ELSE 'found' END,
        s.*
    FROM unnest(p_merchant_id, p_payment_order_id)
        WITH ORDINALITY AS u (merchant_id, payment_order_id, n)
    LEFT JOIN LATERAL find_order(u.merchant_id, u.payment_order_id) o
        ON true
    LEFT JOIN LATERAL state_of(o.merchant_id, o.checkout_id) s ON true
    ORDER BY 1, s.place;
END
$$;
COMMENT ON FUNCTION pay_api.get_payment IS
    'The checkout that an order is part of. Outcomes: found, not_found';


CREATE OR REPLACE FUNCTION pay_api.get_checkout(
    p_merchant_id text[], p_checkout_id text[])
RETURNS SETOF pay_api.checkout_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id),
                        array_dims(p_checkout_id));

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN s.checkout_id IS NULL THEN 'not_found' ELSE 'found' END,
        s.*
    FROM unnest(p_merchant_id, p_checkout_id)
        WITH ORDINALITY AS u (merchant_id, checkout_id, n)
    LEFT JOIN LATERAL state_of(u.merchant_id, u.checkout_id) s ON true
    ORDER BY 1, s.place;
END
$$;
COMMENT ON FUNCTION pay_api.get_checkout IS
    'A checkout with its orders. Outcomes: found, not_found';


-- Whether the PSP's last word about an order is that money is under way.  A
-- decline behind it leaves the buyer free to try again.
CREATE OR REPLACE FUNCTION pay.is_under_way(
    p_merchant_id text, p_checkout_id text, p_payment_order_id text)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_since timestamptz := events_since(p_merchant_id, p_checkout_id);
BEGIN
    RETURN coalesce((
        SELECT e.kind = 'pending'
        FROM event e
        WHERE e.merchant_id = p_merchant_id
            AND e.payment_order_id = p_payment_order_id
            AND e.at >= v_since AND e.kind IN ('pending', 'attempt_declined')
        ORDER BY e.seq DESC LIMIT 1), false);
END
$$;
COMMENT ON FUNCTION pay.is_under_way IS
    'Whether the PSP has said last that an order''s money is under way';


-- The handle is in the address that the buyer has: it cannot be guessed, and it
-- is all that a buyer needs, so there is no argument for the merchant.
CREATE OR REPLACE FUNCTION pay_api.get_handle(p_handle text[])
RETURNS SETOF pay_api.visit_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    PERFORM check_batch(array_dims(p_handle));

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN s.checkout_id IS NULL THEN 'not_found' ELSE 'found' END,
        CASE WHEN s.order_status = 'EXECUTING' AND s.token IS NOT NULL
                AND is_under_way(s.merchant_id, s.checkout_id, s.order_id)
             THEN 1::bigint END,
        CASE WHEN s.checkout_id IS NOT NULL THEN c.page::text END,
        s.*
    FROM unnest(p_handle) WITH ORDINALITY AS u (handle, n)
    LEFT JOIN checkout c ON c.handle = u.handle
    LEFT JOIN LATERAL state_of(c.merchant_id, c.checkout_id) s ON true
    ORDER BY 1, s.place;
END
$$;
COMMENT ON FUNCTION pay_api.get_handle IS
    'The checkout behind a buyer''s address, for its page. '
    'Outcomes: found, not_found';


-- At most its newest 1000 events, of those months that are still here.  The
-- name of an operator who decided something, and the reason, are not shown.
-- A reader gets amounts as the rest of the API has them, beside the minor units
-- of the log.  A currency that only the PSP knows has no decimals here.
CREATE OR REPLACE FUNCTION pay.shown_detail(p_detail jsonb, p_currency text)
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT CASE WHEN p_detail ?| '{amount_minor,captured_minor,assigned}'
    THEN p_detail || jsonb_strip_nulls(jsonb_build_object(
        'amount', decimal_text((p_detail ->> 'amount_minor')::bigint,
            coalesce(p_detail ->> 'currency', p_currency)),
        'amount_captured', decimal_text(
            (p_detail ->> 'captured_minor')::bigint, p_currency),
        'amounts_assigned', (
            SELECT jsonb_object_agg(a.key, decimal_text(a.value::bigint,
                                                        p_currency))
            FROM jsonb_each_text(p_detail -> 'assigned') a)))
    ELSE p_detail END
$$;
COMMENT ON FUNCTION pay.shown_detail IS
    'The detail of an event with its amounts in decimals';


CREATE OR REPLACE FUNCTION pay.timeline(
    p_merchant_id text, p_payment_order_id text, p_inside boolean)
RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_since    timestamptz;
    v_currency text;
BEGIN
    SELECT events_since(o.merchant_id, o.checkout_id), o.currency
    INTO v_since, v_currency
    FROM find_order(p_merchant_id, p_payment_order_id) o;

    IF v_since IS NULL THEN
        RETURN NULL;
    END IF;

    RETURN (
        SELECT coalesce(json_agg(json_build_object('seq', e.seq,
            'at', iso_time(e.at), 'kind', e.kind, 'actor', e.actor,
            'old_status', e.old_status, 'new_status', e.new_status,
            'reason', e.reason,
            'detail', shown_detail(
                CASE WHEN e.actor = 'operator' AND NOT p_inside
                     THEN e.detail - '{who,why,role}'::text[]
                     ELSE e.detail END, v_currency),
            'request_id', e.request_id) ORDER BY e.seq), '[]')
        FROM (SELECT * FROM event x
              WHERE x.merchant_id = p_merchant_id
                  AND x.payment_order_id = p_payment_order_id
                  AND x.at >= v_since
              ORDER BY x.seq DESC LIMIT 1000) e);
END
$$;
COMMENT ON FUNCTION pay.timeline IS
    'An order''s events, oldest first; NULL when there is no such order';


CREATE OR REPLACE FUNCTION pay_api.get_events(
    p_merchant_id text[], p_payment_order_id text[])
RETURNS SETOF pay_api.events_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id),
                        array_dims(p_payment_order_id));

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN l.events IS NULL THEN 'not_found' ELSE 'found' END,
        l.events
    FROM unnest(p_merchant_id, p_payment_order_id)
        WITH ORDINALITY AS u (merchant_id, payment_order_id, n)
    CROSS JOIN LATERAL (
        SELECT timeline(u.merchant_id, u.payment_order_id, false)::text
            AS events
        OFFSET 0) l;
END
$$;
COMMENT ON FUNCTION pay_api.get_events IS
    'An order''s timeline, oldest first, at most its newest 1000 events. '
    'Outcomes: found, not_found';
