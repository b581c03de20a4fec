-- The balances of the ledger's accounts for the console, and the entries behind
-- each of them.  No page adds up the journal: the round of roll-ups does, piece
-- by piece (98_rollup.sql).

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- A tally between two pieces is the balance as of its last piece.
CREATE OR REPLACE FUNCTION pay.accounts_until()
RETURNS timestamptz LANGUAGE sql STABLE AS $$
SELECT CASE WHEN t.is_done THEN t.until_at
            ELSE greatest(t.next_at, t.from_at) END
FROM settlement_tally t WHERE t.name = 'accounts'
$$;
COMMENT ON FUNCTION pay.accounts_until IS
    'Up to which time the balances of accounts are added up';


CREATE OR REPLACE FUNCTION pay.console_accounts(p_scope text[])
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT jsonb_build_object('until', iso_micros(u.at), 'rows', (
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'merchant_id', t.merchant_id, 'account', t.account,
        'class', k.class, 'psp', t.psp, 'currency', t.currency,
        'balance', decimal_text(t.minor::bigint, t.currency),
        'entries', t.count,
        'link', jsonb_build_object('page', 'ledger',
            'query', jsonb_build_object('account', t.account,
                'currency', t.currency, 'psp', t.psp,
                'merchant', t.merchant_id, 'to', iso_micros(u.at))))
        ORDER BY t.merchant_id, t.account, t.currency, t.psp), '[]')
    FROM (SELECT x.merchant_id::text, x.psp::text, x.currency::text,
              substr(x.item, 9) AS account, x.count, x.minor
          FROM settlement_tally_line x
          WHERE x.name = 'accounts' AND console_sees(p_scope, x.merchant_id)
          ORDER BY x.merchant_id, x.psp, x.currency, x.item
          LIMIT 500) t
    JOIN account_kind k ON k.account = t.account))
FROM (SELECT accounts_until() AS at) u
$$;
COMMENT ON FUNCTION pay.console_accounts IS
    'The balance of each account: a debit is positive, a credit negative';


-- A piece of time that ends here and has so many entries at most, and more than
-- none if there are any.
CREATE OR REPLACE FUNCTION pay.ledger_piece(
    p_until timestamptz, p_from timestamptz, p_width interval, p_rows int,
    OUT since timestamptz, OUT rows bigint)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    since := greatest(p_until - p_width, p_from);
    rows := tally_count(since, p_until, 0, p_rows);

    WHILE rows > p_rows AND p_until - since > interval '10 us' LOOP
        since := p_until - (p_until - since) / 2;
        rows := tally_count(since, p_until, 0, p_rows);
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay.ledger_piece IS
    'The next piece of the journal, newest first, and how many entries it has';


-- The accounts of the entries of a piece; a digest tells entries of one time
-- apart, whose names may have any characters.
CREATE OR REPLACE FUNCTION pay.ledger_items(
    p_scope text[], p_query jsonb, p_since timestamptz, p_until timestamptz,
    p_most int, p_tokens boolean)
RETURNS TABLE (place text, item jsonb) LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_hashjoin = off
SET enable_mergejoin = off AS $$
BEGIN
    RETURN QUERY
    SELECT console_us(e.at) || ':' || h.hash,
        jsonb_build_object('merchant_id', e.merchant_id,
            'at', iso_time(e.at), 'kind', e.kind, 'account', l.account,
            'psp', e.psp, 'owner', l.owner, 'currency', l.currency,
            'debit', CASE WHEN l.minor >= 0
                          THEN decimal_text(l.minor, l.currency) END,
            'credit', CASE WHEN l.minor < 0
                           THEN decimal_text(-l.minor, l.currency) END,
            'minor', l.minor, 'checkout_id', e.checkout_id,
            'payment_order_id', e.payment_order_id,
            'source', console_source(e.source, p_tokens))
    FROM journal_entry e
    CROSS JOIN LATERAL (
        SELECT x.account, x.currency::text, min(x.owner) AS owner,
            sum(x.amount_minor)::bigint AS minor
        FROM journal_line x
        WHERE x.merchant_id = e.merchant_id AND x.source = e.source
            AND x.kind = e.kind
            AND console_has(p_query, 'account', x.account)
            AND console_has(p_query, 'currency', x.currency)
        GROUP BY x.account, x.currency OFFSET 0) l
    CROSS JOIN LATERAL (
        SELECT left(md5(concat_ws(' ', e.merchant_id, e.source, e.kind,
                                  l.account, l.currency)), 16) AS hash) h
    WHERE e.at >= p_since AND e.at < p_until
        AND console_has(p_query, 'psp', e.psp)
        AND console_sees(p_scope, e.merchant_id)
        AND (e.at, h.hash) < (console_cursor_time(p_query),
                              console_cursor_text(p_query, 2))
    ORDER BY e.at DESC, h.hash DESC LIMIT p_most;
END
$$;
COMMENT ON FUNCTION pay.ledger_items IS
    'The entries of a piece of time by account, newest first';


-- The journal has no index for an account: a page looks at 2,000 entries, and a
-- row without an item says where the next one begins.
CREATE OR REPLACE FUNCTION pay.console_journal(
    p_scope text[], p_query jsonb, p_most int, p_tokens boolean)
RETURNS TABLE (place text, item jsonb) LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_until timestamptz := least(console_time(p_query, 'to'),
        console_cursor_time(p_query) + interval '1 us',
        clock_timestamp() + interval '1 second');
    v_from  timestamptz := greatest(console_time(p_query, 'from'),
        (SELECT min(m.applied_at) FROM schema_migration m)
            - interval '1 day');
    v_width interval := '1 hour';
    v_left  int := 2000;
    v_most  int := p_most;
    v_found int;
    v_piece record;
BEGIN
    WHILE v_until > v_from AND v_most > 0 LOOP
        IF v_left <= 0 THEN
            place := console_us(v_until) || ':';
            item := NULL;
            RETURN NEXT;
            RETURN;
        END IF;

        v_piece := ledger_piece(v_until, v_from, v_width, 2000);
        RETURN QUERY SELECT * FROM ledger_items(p_scope, p_query,
            v_piece.since, v_until, v_most, p_tokens);
        GET DIAGNOSTICS v_found = ROW_COUNT;
        v_most := v_most - v_found;
        v_left := v_left - v_piece.rows::int;
        v_width := (v_until - v_piece.since)
            * CASE WHEN v_piece.rows < 500 THEN 4 ELSE 1 END;
        v_until := v_piece.since;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay.console_journal IS
    'The entries of an account, newest first';
