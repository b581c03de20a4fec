-- The postings of facts.  Private to schema pay; take_facts() has locked the
-- checkouts; sales are booked by judge_facts().

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Late payments that are no sale: in suspense from the moment that the gateway
-- learns of them, until an operator accepts them or they have been paid back.
-- They come in once, however often the PSP says so; a refund that has come back,
-- and the one behind it, have a source of their own for each time.
CREATE OR REPLACE FUNCTION pay.late_postings(p_facts fact[], p_late int[])
RETURNS posting[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(
        SELECT ROW(l.merchant_id,
            concat_ws('/', 'late', l.checkout_id, CASE
                WHEN f.item = ANY (p_late) THEN NULL ELSE x.returned END),
            CASE WHEN f.item = ANY (p_late) THEN 'late_held'
                 ELSE f.kind END,
            l.checkout_id, NULL, l.psp, NULL, l.amount_minor, l.currency,
            NULL, NULL, NULL, f.request_id)::posting
        FROM unnest(p_facts) f
        CROSS JOIN LATERAL (
            SELECT l.* FROM late_success l
            WHERE l.merchant_id = f.merchant_id
                AND l.checkout_id = f.checkout_id
            OFFSET 0) l
        CROSS JOIN LATERAL (
            SELECT nullif(count(*), 0) AS returned FROM journal_entry e
            WHERE e.merchant_id = l.merchant_id
                AND e.checkout_id = l.checkout_id
                AND e.kind = 'late_refund_returned') x
        WHERE f.item = ANY (p_late)
            OR f.kind IN ('late_refunded', 'late_refund_returned')
        ORDER BY f.item);
END
$$;
COMMENT ON FUNCTION pay.late_postings IS
    'Entries of payments that came too late';
