-- A settlement file may report facts that no webhook has reported: a sale of an
-- order that is still open, a refund or a dispute that was made at the PSP.
-- Such a row goes the way of a webhook: into the inbox, once, and through the
-- state machine.  Private to schema pay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Payments whose rows are all of the money, or one of whose rows is (a second
-- one is another matter, but not one that takes a part back), and whose orders
-- do not know it.  A row that is linked already is no such row.
CREATE OR REPLACE FUNCTION pay.untold_sales(
    p_file_id bigint, p_source settlement_source)
RETURNS fact[] LANGUAGE sql STABLE AS $$
SELECT coalesce(array_agg(ROW(u.n, 1, u.merchant_id, u.checkout_id, 'paid',
    'webhook', p_source.psp, settlement_event(p_source.source, u.row_key),
    u.raw_type, NULL, u.token, u.reference, u.total_minor, u.currency, NULL,
    jsonb_build_object('via', 'settlement'), NULL, NULL, NULL)::fact
    ORDER BY u.n), '{}')
FROM (
    SELECT c.merchant_id, c.checkout_id, c.token, c.total_minor, c.currency,
        s.reference, s.row_key, s.raw_type, (row_number() OVER (
            ORDER BY c.merchant_id, c.checkout_id))::int AS n
    FROM (SELECT w.merchant_id, w.checkout_id, w.value_currency,
              sum(w.value_minor) AS total,
              array_agg(w.value_minor) AS parts,
              min(w.value_minor) AS least, min(w.row_key) AS row_key,
              min(w.raw_type) AS raw_type,
              min(coalesce(w.parent_ref, w.psp_ref)) AS reference
          FROM settlement_work w
          WHERE w.file_id = p_file_id AND w.family = 'sale'
              AND w.checkout_id IS NOT NULL AND w.finding IS NULL
              AND w.match IS NULL
          GROUP BY 1, 2, 3) s
    CROSS JOIN LATERAL (
        SELECT * FROM checkout c
        WHERE c.merchant_id = s.merchant_id
            AND c.checkout_id = s.checkout_id AND c.currency = s.value_currency
            AND (c.total_minor = s.total
                 OR s.least > 0 AND c.total_minor = ANY (s.parts))
        OFFSET 0) c
    WHERE EXISTS (
            SELECT FROM payment_order o
            WHERE o.merchant_id = c.merchant_id
                AND o.checkout_id = c.checkout_id
                AND o.captured_minor < o.amount_minor)
        AND NOT EXISTS (
            SELECT FROM late_success l
            WHERE l.merchant_id = c.merchant_id
                AND l.checkout_id = c.checkout_id)) u
$$;
COMMENT ON FUNCTION pay.untold_sales IS
    'Sales of this work whose orders do not know them, as facts';


-- A registration whose outcome nobody knows: the PSP has it, since it shows its
-- money.  Its name for the payment is the token that never came, and there is
-- no page any more that a buyer could be sent to.  This may book webhooks that
-- have waited for the token, and so lock wallets: it is a step of its own.
CREATE OR REPLACE FUNCTION pay.learn_tokens(p_facts fact[])
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_count int;
BEGIN
    SELECT count(*) FILTER (WHERE t.outcome = 'stored') INTO v_count
    FROM (SELECT array_agg(f.merchant_id) AS merchants,
              array_agg(f.checkout_id) AS checkouts, array_agg(f.psp) AS psps,
              array_agg(f.reference) AS tokens,
              array_agg(c.base_url::text) AS pages
          FROM unnest(p_facts) f
          JOIN checkout c ON c.merchant_id = f.merchant_id
              AND c.checkout_id = f.checkout_id
          WHERE c.state = 'REGISTERING' AND f.reference IS NOT NULL) l
    CROSS JOIN LATERAL pay_api.store_token(l.merchants, l.checkouts, l.psps,
        l.tokens, array_fill(NULL::text, ARRAY[cardinality(l.tokens)]),
        l.pages, array_fill(0::bigint, ARRAY[cardinality(l.tokens)]),
        array_fill(NULL::text, ARRAY[cardinality(l.tokens)])) t
    WHERE l.tokens IS NOT NULL;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.learn_tokens IS
    'Stores what a file shows of registrations that are not known to have '
    'come: how many';


-- The function returns whether all sales are reported to their orders.  It
-- takes locks as apply_event() does, and has to be the first of its transaction
-- that takes any.
CREATE OR REPLACE FUNCTION pay.tell_sales(
    p_file_id bigint, p_source settlement_source)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_facts fact[] := untold_sales(p_file_id, p_source);
    v_known int[];
BEGIN
    IF v_facts = '{}' THEN
        RETURN true;
    ELSIF learn_tokens(v_facts) > 0 THEN
        RETURN false;
    END IF;

    v_known := insert_webhooks(v_facts,
        array_fill('paid'::text, ARRAY[cardinality(v_facts)]),
        array_fill(NULL::bytea, ARRAY[cardinality(v_facts)]),
        cardinality(v_facts));
    v_facts := ARRAY(SELECT f FROM unnest(v_facts) f
                     WHERE f.item <> ALL (v_known));

    IF v_facts <> '{}' THEN
        v_facts := settle_facts(v_facts, false);

        UPDATE settlement_work w SET told = true
        FROM unnest(v_facts) f
        WHERE w.file_id = p_file_id AND w.family = 'sale'
            AND w.merchant_id = f.merchant_id
            AND w.checkout_id = f.checkout_id;
    END IF;

    RETURN true;
END
$$;
COMMENT ON FUNCTION pay.tell_sales IS
    'Tells open orders that a file shows their money; false: not yet, since '
    'tokens had to be stored first';


-- The dispute that a row is about: by its id, or one of the payment and of this
-- amount.  Without an id a row that takes money is not about a dispute whose
-- money was taken before, as long as there is another one, and a row with an id
-- never is; a row that gives money back is about one whose money is held.  The
-- rows of a dispute that was won and goes on say nothing of its rounds: its
-- amount is that of the first one, and it stays won for them.
CREATE OR REPLACE FUNCTION pay.row_dispute(
    p_work settlement_work, p_psp text)
RETURNS TABLE (dispute_id text, state text, amount_minor bigint)
LANGUAGE sql STABLE AS $$
SELECT d.dispute_id, d.state, d.amount_minor
FROM (SELECT d.dispute_id::text, max(d.state) AS state,
          (sum(d.amount_minor) FILTER (WHERE d.round = 1))::bigint
              AS amount_minor,
          coalesce(d.dispute_id = p_work.psp_ref, false) AS is_named
      FROM dispute d
      WHERE d.merchant_id = p_work.merchant_id
          AND d.checkout_id = p_work.checkout_id AND d.psp = p_psp
          AND d.state <> 'moved'
      GROUP BY d.dispute_id) d
CROSS JOIN LATERAL (
    SELECT count(*) > 0 AS was_taken,
        coalesce(bool_or(h.ended_at IS NULL), false) AS is_held
    FROM settlement_hold h
    WHERE h.psp = p_psp AND h.dispute_id = d.dispute_id
        AND h.merchant_id = p_work.merchant_id) h
WHERE d.is_named
    OR d.amount_minor = abs(p_work.value_minor)
        AND (p_work.psp_ref IS NULL OR p_work.kind <> 'dispute'
             OR NOT h.was_taken)
ORDER BY d.is_named DESC,
    CASE p_work.kind WHEN 'dispute' THEN NOT h.was_taken ELSE h.is_held END
        DESC,
    d.state = 'open' DESC, d.dispute_id
LIMIT 1
$$;
COMMENT ON FUNCTION pay.row_dispute IS 'The dispute that a row is about';


-- No entry explains some rows: refunds and disputes that were made at the PSP,
-- and the sum of captures of a payment that is captured by hand.  These rows
-- become news; rows come unsorted, and what comes back has gone before.
CREATE OR REPLACE FUNCTION pay.untold_changes(
    p_file_id bigint, p_source settlement_source)
RETURNS news[] LANGUAGE sql STABLE AS $$
SELECT coalesce(array_agg(ROW(u.n, u.merchant_id, u.checkout_id,
    p_source.psp, 'settlement', settlement_event(p_source.source, u.row_key),
    u.raw_type, u.about, u.news, u.token, u.parent_ref, u.psp_ref, NULL,
    u.amount_minor, u.value_currency, NULL, NULL, NULL, NULL, NULL,
    NULL, NULL)::news ORDER BY u.n), '{}')
FROM (
    SELECT w.merchant_id, w.checkout_id, w.row_key, w.raw_type, w.parent_ref,
        w.psp_ref, w.value_currency, c.token, t.about, t.news,
        coalesce(t.amount_minor, abs(w.value_minor)) AS amount_minor,
        (row_number() OVER (ORDER BY w.family = 'sale' DESC,
            w.kind IN ('refund_returned', 'dispute_returned'), w.line))::int
            AS n
    FROM settlement_work w
    CROSS JOIN LATERAL (
        SELECT c.token, c.capture FROM checkout c
        WHERE c.merchant_id = w.merchant_id AND c.checkout_id = w.checkout_id
        OFFSET 0) c
    CROSS JOIN LATERAL (
        SELECT sum(o.captured_minor) AS captured,
            sum(o.amount_minor) AS total
        FROM payment_order o
        WHERE o.merchant_id = w.merchant_id
            AND o.checkout_id = w.checkout_id
        OFFSET 0) o
    CROSS JOIN LATERAL (
        SELECT sum(g.value_minor) AS minor, min(g.line) AS line
        FROM settlement_work g
        WHERE w.family = 'sale' AND g.file_id = w.file_id
            AND g.merchant_id = w.merchant_id
            AND g.checkout_id = w.checkout_id AND g.family = w.family
            AND g.value_currency = w.value_currency AND g.match IS NULL) g
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(s.amount_minor), 0) AS minor
        FROM settlement_open s
        WHERE w.family = 'sale' AND s.file_id = w.file_id
            AND s.merchant_id = w.merchant_id
            AND s.checkout_id = w.checkout_id AND s.family = w.family
            AND s.currency = w.value_currency AND s.match IS NULL) s
    CROSS JOIN LATERAL (VALUES
        ('refund', CASE WHEN w.psp_ref IS NOT NULL THEN
            CASE WHEN w.kind = 'refund_returned' THEN 'failed'
                 WHEN w.kind = 'refund'
                     AND NOT has_come_back(w, p_source.psp)
                     THEN 'succeeded' END END, NULL),
        ('dispute', CASE WHEN w.psp_ref IS NOT NULL AND NOT EXISTS (
                SELECT FROM row_dispute(w, p_source.psp) d
                WHERE w.kind = 'dispute' OR d.state <> 'open')
            THEN CASE w.kind WHEN 'dispute' THEN 'opened'
                             WHEN 'dispute_returned' THEN 'won' END END, NULL),
        ('capture', CASE WHEN w.kind = 'sale' AND c.capture = 'manual'
            AND w.line = g.line AND g.minor > 0
            AND o.captured - s.minor + g.minor <= o.total
            AND g.minor <> s.minor THEN 'succeeded' END,
         (o.captured - s.minor + g.minor)::bigint))
        AS t (about, news, amount_minor)
    WHERE w.file_id = p_file_id AND w.checkout_id IS NOT NULL
        AND w.match IS NULL AND w.finding IS NULL AND NOT w.told
        AND t.news IS NOT NULL AND t.about = CASE w.family WHEN 'sale'
            THEN 'capture' ELSE w.family END) u
$$;
COMMENT ON FUNCTION pay.untold_changes IS
    'News in rows of this work: refunds, disputes and captures that no entry '
    'explains';


-- It takes locks as apply_change() does, and has to be the first of its
-- transaction that takes any.
CREATE OR REPLACE FUNCTION pay.tell_changes(
    p_file_id bigint, p_source settlement_source)
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_news news[] := untold_changes(p_file_id, p_source);
BEGIN
    IF v_news = '{}' THEN
        RETURN 0;
    END IF;

    v_news := settle_news(insert_news(v_news));

    UPDATE settlement_work w SET told = n.outcome <> 'duplicate'
    FROM unnest(v_news) n
    WHERE w.file_id = p_file_id
        AND settlement_event(p_source.source, w.row_key) = n.event_id;

    RETURN cardinality(v_news);
END
$$;
COMMENT ON FUNCTION pay.tell_changes IS
    'Tells what a file shows of refunds, disputes and captures: how much';
