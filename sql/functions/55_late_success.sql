-- A payment that was proved after its checkout had expired, where that is not
-- simply a sale: held for people, or paid back.  move_orders() tells which
-- facts these are; people decide with pay_ops.

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
