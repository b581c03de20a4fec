-- Payments that were proved after their checkout had expired, if they are not
-- simply a sale: held for an operator, or paid back.  judge_facts() decides
-- which facts these are; operators decide with pay_ops.  Money that is held for
-- an order that has failed cannot become a sale: it is released, or an operator
-- settles it.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The first such fact about a checkout counts; a repeat may still bring the
-- PSP's payment id, without which nothing can be paid back.  The PSP's last
-- word is known by then, so it is asked no more.
CREATE OR REPLACE FUNCTION pay.keep_late(p_facts fact[], p_items int[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_merchants text[];
    v_checkouts text[];
    v_psps      text[];
    v_states    text[];
BEGIN
    WITH kept AS (
        INSERT INTO late_success AS l (merchant_id, checkout_id, psp,
            event_id, source, reference, amount_minor, currency, state)
        SELECT DISTINCT ON (c.merchant_id, c.checkout_id)
            c.merchant_id, c.checkout_id, c.psp, f.event_id, f.actor,
            coalesce((SELECT g.reference FROM unnest(p_facts) g
                      WHERE g.merchant_id = f.merchant_id
                          AND g.checkout_id = f.checkout_id
                          AND g.item = ANY (p_items)
                          AND g.reference IS NOT NULL
                      ORDER BY g.turn LIMIT 1), r.reference),
            c.total_minor, c.currency,
            CASE c.late_success WHEN 'refund' THEN 'refunding'
                                ELSE 'held' END
        FROM unnest(p_facts) f
        JOIN checkout c ON c.merchant_id = f.merchant_id
            AND c.checkout_id = f.checkout_id
        JOIN registration r ON r.merchant_id = f.merchant_id
            AND r.checkout_id = f.checkout_id
        WHERE f.item = ANY (p_items)
        ORDER BY c.merchant_id, c.checkout_id, f.turn
        ON CONFLICT (merchant_id, checkout_id) DO UPDATE
        SET reference = EXCLUDED.reference
        WHERE l.reference IS NULL AND EXCLUDED.reference IS NOT NULL
        RETURNING l.*, l.xmax = 0 AS new
    )
    SELECT array_agg(k.merchant_id), array_agg(k.checkout_id),
        array_agg(k.psp), array_agg(k.state)
    INTO v_merchants, v_checkouts, v_psps, v_states
    FROM kept k WHERE k.new;

    IF v_merchants IS NULL THEN
        RETURN;
    END IF;

    DELETE FROM job j
    USING unnest(v_merchants, v_checkouts) AS u (merchant_id, checkout_id)
    WHERE j.merchant_id = u.merchant_id AND j.checkout_id = u.checkout_id
        AND j.kind = 'poll';
    PERFORM settle_dead_letters(v_merchants, v_checkouts, '{poll}', 'paid');

    INSERT INTO job (merchant_id, checkout_id, kind, run_at)
    SELECT u.merchant_id, u.checkout_id, 'refund', now()
    FROM unnest(v_merchants, v_checkouts, v_states) AS
        u (merchant_id, checkout_id, state)
    WHERE u.state = 'refunding';

    PERFORM open_dead_letter(array_agg(u.merchant_id),
        array_agg(u.checkout_id), array_agg(u.psp), NULL,
        array_agg('late_success'::text), array_agg('held'::text), NULL, NULL,
        NULL)
    FROM unnest(v_merchants, v_checkouts, v_psps, v_states) AS
        u (merchant_id, checkout_id, psp, state)
    WHERE u.state = 'held'
    HAVING count(*) > 0;
END
$$;
COMMENT ON FUNCTION pay.keep_late IS
    'Holds late payments, or has them paid back';


-- With payments_late_success refund, money that is only held is released, by a
-- change that the gateway itself requests.
CREATE OR REPLACE FUNCTION pay.void_late(p_facts fact[], p_told int[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_change change;
    v_word   fact;
    v_facts  fact[] := '{}';
BEGIN
    v_word.actor := 'gateway';

    FOR v_change IN
        INSERT INTO change (merchant_id, change_id, checkout_id,
            payment_order_id, kind, origin, psp, amount_minor, currency,
            reason, request_id)
        SELECT DISTINCT ON (c.merchant_id, c.checkout_id)
            c.merchant_id, gen_random_uuid()::text, c.checkout_id,
            o.payment_order_id, 'cancel', 'merchant', c.psp, o.amount_minor,
            o.currency, 'authorized late', f.request_id
        FROM unnest(p_facts) f
        JOIN checkout c ON c.merchant_id = f.merchant_id
            AND c.checkout_id = f.checkout_id
        JOIN payment_order o ON o.merchant_id = c.merchant_id
            AND o.checkout_id = c.checkout_id AND o.position = 1
        WHERE f.kind = 'authorized' AND f.item = ANY (p_told)
            AND c.late_success = 'refund' AND is_held_late(o)
            AND NOT EXISTS (
                SELECT FROM change x
                WHERE x.merchant_id = c.merchant_id
                    AND x.checkout_id = c.checkout_id AND x.kind = 'cancel'
                    AND x.status IN ('NOT_STARTED', 'EXECUTING'))
        RETURNING *
    LOOP
        INSERT INTO job (merchant_id, checkout_id, kind, operation_id, run_at)
        VALUES (v_change.merchant_id, v_change.checkout_id, 'change',
            v_change.change_id, now());
        v_word.request_id := v_change.request_id;
        v_facts := v_facts
            || change_fact(v_change, v_word, 'cancel_requested', NULL);
    END LOOP;

    PERFORM take_facts(number_facts(v_facts, 0));
END
$$;
COMMENT ON FUNCTION pay.void_late IS
    'Gives money back that is held for orders that have failed';
