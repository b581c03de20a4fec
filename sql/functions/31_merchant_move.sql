-- A merchant moves to another cell: the fence, which keeps new payments out of
-- this database, and the balances of sellers that are carried over.
--
--     (note_origin in the other cell)
--     fence_merchant ─▶ end_fence … until it answers moved ─▶ carry_out
--         └▶ lift_fence                 (in the other cell)  carry_in
--                                                     end_transfers ◀┘
--
-- begin_payment() draws its transaction's number first, reads merchant_move
-- behind that, and the keys behind that.  So a transaction that has not seen the
-- fence had a number when the fence was not visible yet.  The horizon is the
-- number of a transaction to which the fence was visible.  When all transactions
-- with a lower number have ended, none that did not see the fence can commit.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Read before the keys are: a key that is not there behind "moved" never comes.
-- p_terms are those of begin_payment.  A node that did not ask the cell from
-- which the merchant came back may not know of the moves.  Its item waits, as
-- behind a fence, and the storefront repeats it at a node that knows.
CREATE OR REPLACE FUNCTION pay.fences_of(
    p_items int[], p_merchant_id text[], p_terms jsonb[],
    OUT items int[], OUT states text[])
LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT coalesce(array_agg(n ORDER BY n), '{}'),
        coalesce(array_agg(m.state ORDER BY n), '{}')
    INTO items, states
    FROM unnest(p_items) n
    CROSS JOIN LATERAL (
        SELECT coalesce(
            (SELECT f.state FROM merchant_move f
             WHERE f.merchant_id = p_merchant_id[n]),
            (SELECT 'fencing' FROM merchant_origin o
             WHERE o.merchant_id = p_merchant_id[n] AND o.is_asked
                AND p_terms[n] -> 'both_cells' IS DISTINCT FROM 'true'))
        OFFSET 0) m (state)
    WHERE m.state IS NOT NULL;
END
$$;
COMMENT ON FUNCTION pay.fences_of IS
    'Items of merchants that begin no payments here, and how their fences stand';


-- p_state: of the merchant's fence, which was read before; NULL: it has none.  A
-- database that was restored does not know all of its keys.
CREATE OR REPLACE FUNCTION pay.explain_elsewhere(
    p_item int, p_state text, p_merchant_id text, p_idempotency_key text,
    p_fingerprint bytea, p_checkout_id text, p_orders text[])
RETURNS SETOF pay_api.checkout_row LANGUAGE plpgsql AS $$
DECLARE
    v_loss record;
BEGIN
    v_loss := explain_loss(p_merchant_id, p_idempotency_key, p_fingerprint,
                           p_checkout_id, p_orders);
    v_loss.outcome := coalesce(v_loss.outcome, CASE
        WHEN EXISTS (SELECT FROM recovery r WHERE r.ended_at IS NULL)
            THEN 'recovering'
        WHEN p_state = 'fencing' THEN 'moving'
        ELSE coalesce(p_state, 'unknown') END);

    RETURN QUERY
    SELECT p_item, v_loss.outcome, s.*
    FROM (SELECT) x
    LEFT JOIN LATERAL state_of(p_merchant_id, v_loss.checkout_id) s
        ON v_loss.outcome IN ('replayed', 'exists')
    ORDER BY s.place;
END
$$;
COMMENT ON FUNCTION pay.explain_elsewhere IS
    'The rows of an item of begin_payment that may not begin here';


-- p_orders: the ids of the orders, with blanks between.
CREATE OR REPLACE FUNCTION pay_api.explain_begin(
    p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[],
    p_checkout_id text[], p_orders text[])
RETURNS SETOF pay_api.checkout_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_count  int;
    v_fences record;
BEGIN
    v_count := check_batch(
        array_dims(p_merchant_id), array_dims(p_idempotency_key),
        array_dims(p_fingerprint), array_dims(p_checkout_id),
        array_dims(p_orders));
    -- this call is the question, so that none has to be asked before it
    v_fences := fences_of(ARRAY(SELECT generate_series(1, v_count)),
        p_merchant_id, array_fill('{"both_cells": true}'::jsonb,
                                  ARRAY[v_count]));

    RETURN QUERY
    SELECT x.*
    FROM generate_series(1, v_count) n
    CROSS JOIN LATERAL explain_elsewhere(n,
        v_fences.states[array_position(v_fences.items, n)], p_merchant_id[n],
        p_idempotency_key[n], p_fingerprint[n], p_checkout_id[n],
        string_to_array(p_orders[n], ' ')) x;
END
$$;
COMMENT ON FUNCTION pay_api.explain_begin IS
    'Whether begin_payment knows this here, and whether the merchant still '
    'begins here. Outcomes: replayed, in_progress, key_reused, exists, unknown, '
    'moving, moved, recovering';


CREATE OR REPLACE FUNCTION pay.move_ok(
    p_merchant_id text, p_cell text, p_who text)
RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN coalesce(is_statement(p_who) AND id_ok(p_merchant_id)
                    AND p_cell ~ '^[a-z0-9-]{1,32}$', false);
END
$$;
COMMENT ON FUNCTION pay.move_ok IS
    'Whether these can be a merchant, a cell and the name of an operator';


-- The commit is flushed, as far as synchronous_standby_names says: the other
-- cell begins to take payments because of it.
CREATE OR REPLACE FUNCTION pay_ops.fence_merchant(
    p_merchant_id text, p_cell text, p_who text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_move merchant_move;
BEGIN
    IF NOT move_ok(p_merchant_id, p_cell, p_who) THEN
        RETURN 'invalid';
    END IF;

    IF EXISTS (SELECT FROM merchant_origin o
               WHERE o.merchant_id = p_merchant_id AND o.cell <> p_cell)
    THEN
        RETURN 'third';
    END IF;

    PERFORM set_config('synchronous_commit', 'on', true);
    INSERT INTO merchant_move (merchant_id, cell, fenced_by)
    VALUES (p_merchant_id, p_cell, p_who)
    ON CONFLICT DO NOTHING;

    SELECT * INTO v_move FROM merchant_move m
    WHERE m.merchant_id = p_merchant_id;

    RETURN CASE WHEN v_move.merchant_id IS NULL THEN 'again'
                WHEN v_move.cell <> p_cell THEN 'elsewhere'
                ELSE v_move.state END;
END
$$;
COMMENT ON FUNCTION pay_ops.fence_merchant IS
    'Keeps new payments of a merchant out, since it moves to that cell: '
    'fencing, moved, elsewhere (it moves to another one), third (it has come '
    'from another one), again or invalid';


-- In front of the fence, so that the note is there when payments begin here.
CREATE OR REPLACE FUNCTION pay_ops.note_origin(
    p_merchant_id text, p_cell text, p_who text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    IF NOT move_ok(p_merchant_id, p_cell, p_who) THEN
        RETURN 'invalid';
    END IF;

    PERFORM set_config('synchronous_commit', 'on', true);
    INSERT INTO merchant_origin (merchant_id, cell, noted_by)
    VALUES (p_merchant_id, p_cell, p_who)
    ON CONFLICT DO NOTHING;

    RETURN CASE WHEN o.cell = p_cell THEN 'noted' ELSE 'third' END
    FROM merchant_origin o WHERE o.merchant_id = p_merchant_id;
END
$$;
COMMENT ON FUNCTION pay_ops.note_origin IS
    'The merchant has older payments in that cell: noted, third (it has come '
    'from another one before) or invalid';


CREATE OR REPLACE FUNCTION pay_ops.forget_origin(
    p_merchant_id text, p_who text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    IF is_statement(p_who) IS NOT TRUE THEN
        RETURN 'invalid';
    END IF;

    UPDATE merchant_origin o SET is_asked = false, noted_by = p_who
    WHERE o.merchant_id = p_merchant_id AND o.is_asked;

    RETURN CASE WHEN FOUND THEN 'forgotten' ELSE 'none' END;
END
$$;
COMMENT ON FUNCTION pay_ops.forget_origin IS
    'Payments may begin again without a question to the cell from which the '
    'merchant came back: forgotten, none (nothing is asked for) or invalid';


-- Each call is a transaction of its own: the fence is visible, and so committed,
-- before the horizon is drawn.  A transaction that has a number already may have
-- drawn it before that.  The end of a snapshot would not do: it is the number
-- behind the last one that has ended, and higher ones may be under way.
-- Prepared transactions are in the snapshot, too.
CREATE OR REPLACE FUNCTION pay_ops.end_fence(p_merchant_id text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_had  xid8 := pg_current_xact_id_if_assigned();
    v_move merchant_move;
BEGIN
    PERFORM set_config('synchronous_commit', 'on', true);
    SELECT * INTO v_move FROM merchant_move m
    WHERE m.merchant_id = p_merchant_id FOR UPDATE;

    IF v_move.merchant_id IS NULL THEN
        RETURN 'none';
    ELSIF v_move.state = 'moved' THEN
        RETURN 'moved';
    ELSIF v_move.horizon IS NULL AND v_had IS NOT NULL THEN
        RETURN 'waiting';
    ELSIF v_move.horizon IS NULL THEN
        UPDATE merchant_move m SET horizon = pg_current_xact_id()
        WHERE m.merchant_id = p_merchant_id;
        RETURN 'waiting';
    ELSIF pg_snapshot_xmin(pg_current_snapshot()) < v_move.horizon THEN
        RETURN 'waiting';
    END IF;

    UPDATE merchant_move m SET state = 'moved', moved_at = clock_timestamp()
    WHERE m.merchant_id = p_merchant_id;
    RETURN 'moved';
END
$$;
COMMENT ON FUNCTION pay_ops.end_fence IS
    'Whether no payment that began before the fence can still be committed: '
    'moved, waiting or none';


-- p_comes_back: the merchant moves back here, and the fence of the cell that it
-- comes from says moved.  That cell has keys which are not known here; the note
-- about it is kept in the transaction that lets payments in.  Otherwise only a
-- fence goes that has not let anything into another cell yet.
CREATE OR REPLACE FUNCTION pay_ops.lift_fence(
    p_merchant_id text, p_comes_back boolean)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_state text;
BEGIN
    PERFORM set_config('synchronous_commit', 'on', true);
    SELECT m.state INTO v_state FROM merchant_move m
    WHERE m.merchant_id = p_merchant_id FOR UPDATE;

    IF v_state IS NULL THEN
        RETURN 'none';
    ELSIF v_state = 'moved' AND p_comes_back IS NOT TRUE THEN
        RETURN 'moved';
    END IF;

    DELETE FROM merchant_move m WHERE m.merchant_id = p_merchant_id;
    UPDATE merchant_origin o SET is_asked = true
    WHERE o.merchant_id = p_merchant_id AND p_comes_back;
    RETURN 'lifted';
END
$$;
COMMENT ON FUNCTION pay_ops.lift_fence IS
    'The merchant begins its payments here again: lifted, none or moved (only '
    'behind the fence of the other cell)';


CREATE OR REPLACE FUNCTION pay.transfer_posting(p_transfer cell_transfer)
RETURNS posting LANGUAGE sql IMMUTABLE AS $$
SELECT ROW(p_transfer.merchant_id, 'cell/' || p_transfer.transfer_id,
    concat('carried_', p_transfer.side,
           CASE WHEN p_transfer.minor < 0 THEN '_debt' END),
    NULL, NULL, 'cell/' || p_transfer.cell, p_transfer.seller_account,
    abs(p_transfer.minor), p_transfer.currency, NULL, NULL, NULL,
    NULL)::posting
$$;
COMMENT ON FUNCTION pay.transfer_posting IS
    'The entry of one leg of a balance that is carried to another cell';


-- The next p_limit wallets behind p_after, a currency and a seller; '': the
-- first.  Only behind the fence, so that they do not grow on.
CREATE OR REPLACE FUNCTION pay_ops.carry_out(
    p_merchant_id text, p_after text, p_limit int, p_who text)
RETURNS TABLE (carried int, last text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_cell     text;
    v_sellers  text[];
    v_currency text[];
    v_made     cell_transfer[];
BEGIN
    SELECT m.cell INTO v_cell FROM merchant_move m
    WHERE m.merchant_id = p_merchant_id AND m.state = 'moved' FOR SHARE;

    IF v_cell IS NULL OR NOT is_statement(p_who) OR p_after IS NULL
        OR coalesce(p_limit NOT BETWEEN 1 AND 1000, true)
    THEN
        RETURN QUERY SELECT -1, NULL::text;
        RETURN;
    END IF;

    PERFORM set_config('synchronous_commit', 'on', true);
    SELECT array_agg(w.seller_account::text), array_agg(w.currency::text)
    INTO v_sellers, v_currency
    FROM (SELECT x.seller_account, x.currency FROM wallet x
          WHERE x.merchant_id = p_merchant_id AND x.available_minor <> 0
              AND (x.seller_account, x.currency)
                  > (substr(p_after, 5), left(p_after, 3))
          ORDER BY x.seller_account, x.currency LIMIT p_limit) w;

    IF v_sellers IS NULL THEN
        RETURN QUERY SELECT 0, NULL::text;
        RETURN;
    END IF;

    PERFORM refresh_payout_wallets(p_merchant_id, v_sellers, v_currency);

    WITH made AS (
        INSERT INTO cell_transfer AS t (transfer_id, merchant_id, side, cell,
            seller_account, currency, minor, made_by)
        SELECT gen_random_uuid(), p_merchant_id, 'out', v_cell,
            b.seller_account, b.currency, b.minor, p_who
        FROM carried_balances(p_merchant_id, v_sellers, v_currency) b
        RETURNING t
    )
    SELECT array_agg(m.t) INTO v_made FROM made m;

    PERFORM post(ARRAY(SELECT transfer_posting(t) FROM unnest(v_made) t));
    carried := coalesce(cardinality(v_made), 0);
    last := concat_ws(' ', v_currency[cardinality(v_currency)],
                      v_sellers[cardinality(v_sellers)]);
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION pay_ops.carry_out IS
    'Takes the money that sellers of a moved merchant may be paid out of this '
    'cell, from p_limit wallets at most: how many, -1: it has not moved; and the '
    'last wallet, NULL: there are no more';


-- Each transfer once, however often it comes.  One that is known with other words
-- is an error of the caller, and nothing is booked.
CREATE OR REPLACE FUNCTION pay_ops.carry_in(
    p_merchant_id text, p_cell text, p_transfer_id uuid[], p_seller text[],
    p_currency text[], p_minor bigint[], p_who text)
RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_count int;
    v_made  cell_transfer[];
    v_other uuid;
BEGIN
    v_count := check_batch(array_dims(p_transfer_id), array_dims(p_seller),
                           array_dims(p_currency), array_dims(p_minor));
    PERFORM set_config('synchronous_commit', 'on', true);

    WITH made AS (
        INSERT INTO cell_transfer AS t (transfer_id, merchant_id, side, cell,
            seller_account, currency, minor, made_by, ended_at)
        SELECT u.id, p_merchant_id, 'in', p_cell, u.seller, u.currency,
            u.minor, p_who, clock_timestamp()
        FROM unnest(p_transfer_id, p_seller, p_currency, p_minor)
            AS u (id, seller, currency, minor)
        ORDER BY u.id
        ON CONFLICT DO NOTHING
        RETURNING t
    )
    SELECT array_agg(m.t) INTO v_made FROM made m;

    SELECT u.id INTO v_other
    FROM unnest(p_transfer_id, p_seller, p_currency, p_minor)
        AS u (id, seller, currency, minor)
    LEFT JOIN cell_transfer t ON t.transfer_id = u.id
    WHERE (t.merchant_id, t.side, t.cell, t.seller_account, t.currency,
           t.minor::bigint) IS DISTINCT FROM (p_merchant_id::id, 'in',
           p_cell::cell_name, u.seller::filled, u.currency::currency_code,
           u.minor)
    LIMIT 1;

    IF FOUND THEN
        RAISE EXCEPTION 'transfer % is known with other words', v_other
            USING ERRCODE = 'PAY24';
    END IF;

    PERFORM post(ARRAY(SELECT transfer_posting(t) FROM unnest(v_made) t));
    RETURN coalesce(cardinality(v_made), 0);
END
$$;
COMMENT ON FUNCTION pay_ops.carry_in IS
    'Books balances that come from another cell, each transfer once: how many '
    'were new';


CREATE OR REPLACE FUNCTION pay_ops.end_transfers(p_transfer_id uuid[])
RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_count int;
BEGIN
    UPDATE cell_transfer t SET ended_at = clock_timestamp()
    WHERE t.transfer_id = ANY (p_transfer_id) AND t.side = 'out'
        AND t.ended_at IS NULL;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay_ops.end_transfers IS
    'The other cell has booked these transfers: how many were open';
