-- Lists for finance, a page at a time, newest first: files, their rows,
-- exceptions, closes.  A merchant sees its own: files of its sources, rows and
-- exceptions of its payments, its lines of a close.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- A page with a filter looks at so many more items than it shows: it may be
-- short, even empty, while next says that there are more.
CREATE OR REPLACE FUNCTION pay.page_window(p_limit int, p_is_filtered boolean)
RETURNS int LANGUAGE sql IMMUTABLE AS
'SELECT p_limit + CASE WHEN p_is_filtered THEN 2000 ELSE 0 END';
COMMENT ON FUNCTION pay.page_window IS
    'How many items a page of a list looks at';


-- Midnight UTC at the beginning of a day, or at its end; without a day all time.
CREATE OR REPLACE FUNCTION pay.day_bounds(
    p_day text, OUT since timestamptz, OUT until timestamptz)
LANGUAGE sql STABLE AS $$
SELECT coalesce(p_day::date::timestamp AT TIME ZONE 'UTC', '-infinity'),
    coalesce((p_day::date + 1)::timestamp AT TIME ZONE 'UTC', 'infinity')
$$;
COMMENT ON FUNCTION pay.day_bounds IS 'A UTC day as a range of time';


-- plpgsql here and below: views are made behind functions.
CREATE OR REPLACE FUNCTION pay.settlement_file_json(p_file_id bigint)
RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT json_build_object('file_id', f.file_id, 'source', f.source,
            'psp', f.psp, 'medium', f.medium, 'format', f.format,
            'name', f.name, 'sha256', f.sha256, 'batch_key', f.batch_key,
            'version', f.version, 'state', f.state, 'reason', f.reason,
            'received_at', iso_time(f.received_at),
            'changed_at', iso_time(f.changed_at), 'rows', f.rows,
            'matched', f.matched, 'class1', f.class1, 'class2', f.class2,
            'class3', f.class3, 'repeats', f.repeats)
        FROM pay_view.settlement_files f WHERE f.file_id = p_file_id);
END
$$;
COMMENT ON FUNCTION pay.settlement_file_json IS 'A settlement file for the API';


CREATE OR REPLACE FUNCTION pay.settlement_file_page(
    p_merchant_id text, p_source text, p_psp text, p_state text, p_day text,
    p_before bigint, p_limit int)
RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_day    record := day_bounds(p_day);
    v_before timestamptz := CASE WHEN p_before IS NULL THEN 'infinity'
        ELSE coalesce((SELECT f.received_at FROM settlement_file f
                       WHERE f.file_id = p_before), '-infinity') END;
    v_window int := page_window(p_limit, true);
BEGIN
    RETURN (
        WITH seen AS MATERIALIZED (
            SELECT f.file_id, f.source, f.state, row_number() OVER (
                ORDER BY f.received_at DESC, f.file_id DESC) AS n
            FROM (SELECT x.* FROM settlement_file x
                  WHERE (x.received_at, x.file_id)
                          < (v_before, coalesce(p_before, 0))
                      AND x.received_at >= v_day.since
                      AND x.received_at < v_day.until
                  ORDER BY x.received_at DESC, x.file_id DESC
                  LIMIT v_window + 1) f
        ), fit AS MATERIALIZED (
            SELECT s.n, s.file_id, row_number() OVER (ORDER BY s.n) AS place
            FROM seen s
            CROSS JOIN LATERAL (
                SELECT u.* FROM settlement_source u
                WHERE u.source = s.source OFFSET 0) u
            WHERE s.n <= v_window AND u.merchant_id = p_merchant_id
                AND (p_source IS NULL OR s.source = p_source)
                AND (p_psp IS NULL OR u.psp = p_psp)
                AND (p_state IS NULL OR s.state = p_state)
        )
        SELECT json_build_object('files', coalesce((
                SELECT json_agg(settlement_file_json(f.file_id) ORDER BY f.n)
                FROM fit f WHERE f.place <= p_limit), '[]'),
            'next', (SELECT s.file_id FROM seen s
                WHERE s.n = CASE
                    WHEN (SELECT count(*) FROM fit) > p_limit
                        THEN (SELECT f.n FROM fit f WHERE f.place = p_limit)
                    WHEN (SELECT count(*) FROM seen) > v_window
                        THEN v_window END)));
END
$$;
COMMENT ON FUNCTION pay.settlement_file_page IS
    'A page of files of a merchant''s sources, and where the next begins';


CREATE OR REPLACE FUNCTION pay_api.list_settlement_files(
    p_merchant_id text[], p_file_id bigint[], p_source text[], p_psp text[],
    p_state text[], p_day text[], p_before bigint[], p_limit bigint[])
RETURNS SETOF pay_api.page_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row pay_api.page_row;
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id), array_dims(p_file_id),
        array_dims(p_source), array_dims(p_psp), array_dims(p_state),
        array_dims(p_day), array_dims(p_before), array_dims(p_limit));

    FOR v_item IN 1 .. coalesce(cardinality(p_merchant_id), 0) LOOP
        v_row := ROW(v_item, 'invalid', NULL);

        IF p_file_id[v_item] IS NOT NULL THEN
            v_row.page := (
                SELECT settlement_file_json(f.file_id)::text
                FROM settlement_file f
                JOIN settlement_source s ON s.source = f.source
                    AND s.merchant_id = p_merchant_id[v_item]
                WHERE f.file_id = p_file_id[v_item]);
            v_row.outcome := CASE WHEN v_row.page IS NULL THEN 'not_found'
                                  ELSE 'found' END;
        ELSIF p_limit[v_item] BETWEEN 1 AND 1000 THEN
            v_row.page := settlement_file_page(p_merchant_id[v_item],
                p_source[v_item], p_psp[v_item], p_state[v_item],
                p_day[v_item], p_before[v_item], p_limit[v_item]::int)::text;
            v_row.outcome := 'found';
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.list_settlement_files IS
    'A page of settlement files, newest first, or the one that is named. '
    'Outcomes: found, not_found, invalid';


-- The rows of one file came between its arrival and its last change.
CREATE OR REPLACE FUNCTION pay.row_bounds(
    p_day text, p_file_id bigint, p_before bigint, OUT since timestamptz,
    OUT until timestamptz, OUT before timestamptz)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_file settlement_file;
BEGIN
    SELECT * INTO since, until FROM day_bounds(p_day);
    before := CASE WHEN p_before IS NULL THEN 'infinity'
        ELSE coalesce((SELECT r.at FROM settlement_row r
                       WHERE r.row_id = p_before), '-infinity') END;

    IF p_file_id IS NOT NULL THEN
        SELECT * INTO v_file FROM settlement_file f
        WHERE f.file_id = p_file_id;
        since := greatest(since, coalesce(v_file.received_at, 'infinity'));
        IF v_file.state = 'booked' THEN
            until := least(until, v_file.changed_at + interval '1 second');
        END IF;
    END IF;
END
$$;
COMMENT ON FUNCTION pay.row_bounds IS
    'Between which times the rows came that a page of a list can show';


CREATE OR REPLACE FUNCTION pay.settlement_row_page(
    p_merchant_id text, p_file_id bigint, p_psp text, p_currency text,
    p_class bigint, p_state text, p_day text, p_before bigint, p_limit int)
RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_time   record := row_bounds(p_day, p_file_id, p_before);
    v_window int := page_window(p_limit, num_nonnulls(p_file_id, p_psp,
                                    p_currency, p_class, p_state) > 0);
BEGIN
    RETURN (
        WITH seen AS MATERIALIZED (
            SELECT r.*, row_number() OVER (
                ORDER BY r.at DESC, r.row_id DESC) AS n
            FROM (SELECT x.row_id, x.at, x.file_id, x.currency, x.class
                  FROM settlement_row x
                  WHERE x.merchant_id = p_merchant_id
                      AND (x.at, x.row_id)
                          < (v_time.before, coalesce(p_before, 0))
                      AND x.at >= v_time.since AND x.at < v_time.until
                  ORDER BY x.at DESC, x.row_id DESC
                  LIMIT v_window + 1) r
        ), near AS MATERIALIZED (
            SELECT s.n, s.row_id FROM seen s
            WHERE s.n <= v_window
                AND (p_file_id IS NULL OR s.file_id = p_file_id)
                AND (p_currency IS NULL OR s.currency = p_currency)
                AND (p_class IS NULL OR s.class = p_class)
        ), fit AS MATERIALIZED (
            SELECT x.n, v.*, row_number() OVER (ORDER BY x.n) AS place
            FROM near x
            CROSS JOIN LATERAL (
                SELECT v.* FROM pay_view.settlement_rows v
                WHERE v.row_id = x.row_id OFFSET 0) v
            WHERE (p_psp IS NULL OR v.psp = p_psp)
                AND (p_state IS NULL OR v.state = p_state)
        )
        SELECT json_build_object('rows', coalesce((
                SELECT json_agg(json_build_object('row_id', f.row_id,
                    'source', f.source, 'psp', nullif(f.psp, '-'),
                    'file_id', f.file_id, 'line', f.line,
                    'row_key', f.row_key, 'version', f.version,
                    'kind', f.kind, 'raw_type', f.raw_type,
                    'psp_ref', f.psp_ref, 'parent_ref', f.parent_ref,
                    'our_ref', f.our_ref,
                    'occurred_at', iso_time(f.occurred_at),
                    'booked_on', f.booked_on, 'payout_ref', f.payout_ref,
                    'bank_ref', f.bank_ref,
                    'checkout_id', f.checkout_id, 'currency', f.currency,
                    'gross', f.gross::text, 'fee', f.fee::text,
                    'tax', f.tax::text, 'net', f.net::text,
                    'class', f.class, 'finding', f.finding,
                    'playbook', f.playbook, 'state', f.state,
                    'rule', f.link_rule, 'match_id', f.match_id,
                    'exception_id', f.exception_id, 'at', iso_time(f.at),
                    'note', f.note) ORDER BY f.n)
                FROM fit f WHERE f.place <= p_limit), '[]'),
            'next', (SELECT s.row_id FROM seen s
                WHERE s.n = CASE
                    WHEN (SELECT count(*) FROM fit) > p_limit
                        THEN (SELECT f.n FROM fit f WHERE f.place = p_limit)
                    WHEN (SELECT count(*) FROM seen) > v_window
                        THEN v_window END)));
END
$$;
COMMENT ON FUNCTION pay.settlement_row_page IS
    'A page of a merchant''s rows of files, and where the next begins';


CREATE OR REPLACE FUNCTION pay_api.list_settlement_rows(
    p_merchant_id text[], p_file_id bigint[], p_psp text[],
    p_currency text[], p_class bigint[], p_state text[], p_day text[],
    p_before bigint[], p_limit bigint[])
RETURNS SETOF pay_api.page_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row pay_api.page_row;
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id), array_dims(p_file_id),
        array_dims(p_psp), array_dims(p_currency), array_dims(p_class),
        array_dims(p_state), array_dims(p_day), array_dims(p_before),
        array_dims(p_limit));

    FOR v_item IN 1 .. coalesce(cardinality(p_merchant_id), 0) LOOP
        v_row := ROW(v_item, 'invalid', NULL);

        IF p_limit[v_item] BETWEEN 1 AND 1000 THEN
            v_row.outcome := 'found';
            v_row.page := settlement_row_page(p_merchant_id[v_item],
                p_file_id[v_item], p_psp[v_item], p_currency[v_item],
                p_class[v_item], p_state[v_item], p_day[v_item],
                p_before[v_item], p_limit[v_item]::int)::text;
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.list_settlement_rows IS
    'A page of rows of settlement files, newest first. Outcomes: found, '
    'invalid';


CREATE OR REPLACE FUNCTION pay.exception_json(p_id bigint)
RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT json_build_object('exception_id', x.id, 'class', x.class,
            'finding', x.finding, 'playbook', x.playbook,
            'state', CASE WHEN x.closed_at IS NULL THEN 'open'
                          ELSE 'closed' END,
            'psp', nullif(x.psp, '-'), 'source', x.source,
            'file_id', x.file_id, 'row_key', x.row_key, 'kind', x.kind,
            'entry', x.entry, 'entry_kind', x.entry_kind,
            'checkout_id', x.checkout_id,
            'payment_order_id', x.payment_order_id, 'psp_ref', x.psp_ref,
            'parent_ref', x.parent_ref, 'our_ref', x.our_ref,
            'currency', x.currency, 'amount', x.amount::text,
            'proposed', x.proposed, 'opened_at', iso_time(x.opened_at),
            'closed_at', iso_time(x.closed_at), 'closed_as', x.closed_as,
            'act', x.act, 'act_state', x.act_state, 'who', x.who,
            'why', x.why)
        FROM pay_view.settlement_queue x WHERE x.id = p_id);
END
$$;
COMMENT ON FUNCTION pay.exception_json IS 'An exception for the API';


CREATE OR REPLACE FUNCTION pay.exception_acts(p_id bigint)
RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce((
        SELECT json_agg(json_build_object('seq', a.seq,
            'at', iso_time(a.at), 'act', a.act, 'state', a.state,
            'who', a.who, 'why', a.why, 'amount', a.amount::text,
            'currency', a.currency, 'detail', a.detail) ORDER BY a.seq)
        FROM pay_view.settlement_acts a WHERE a.id = p_id), '[]');
END
$$;
COMMENT ON FUNCTION pay.exception_acts IS 'The acts about an exception';


-- Open exceptions have an index of their own, however many were closed.
CREATE OR REPLACE FUNCTION pay.see_exceptions(
    p_merchant_id text, p_state text, p_day text, p_before bigint,
    p_limit int)
RETURNS SETOF settlement_exception LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_day    record := day_bounds(p_day);
    v_before timestamptz := CASE WHEN p_before IS NULL THEN 'infinity'
        ELSE coalesce((SELECT x.opened_at FROM settlement_exception x
                       WHERE x.exception_id = p_before), '-infinity') END;
BEGIN
    IF p_state = 'open' THEN
        RETURN QUERY
        SELECT x.* FROM settlement_exception x
        WHERE x.merchant_id = p_merchant_id AND x.closed_at IS NULL
            AND (x.opened_at, x.exception_id)
                < (v_before, coalesce(p_before, 0))
            AND x.opened_at >= v_day.since AND x.opened_at < v_day.until
        ORDER BY x.opened_at DESC, x.exception_id DESC LIMIT p_limit;
    ELSE
        RETURN QUERY
        SELECT x.* FROM settlement_exception x
        WHERE x.merchant_id = p_merchant_id
            AND (x.opened_at, x.exception_id)
                < (v_before, coalesce(p_before, 0))
            AND x.opened_at >= v_day.since AND x.opened_at < v_day.until
        ORDER BY x.opened_at DESC, x.exception_id DESC LIMIT p_limit;
    END IF;
END
$$;
COMMENT ON FUNCTION pay.see_exceptions IS
    'The exceptions that a page of a list looks at, newest first';


CREATE OR REPLACE FUNCTION pay.exception_page(
    p_merchant_id text, p_psp text, p_currency text, p_class bigint,
    p_state text, p_day text, p_before bigint, p_limit int)
RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_window int := page_window(p_limit, num_nonnulls(p_psp, p_currency,
                                    p_class, nullif(p_state, 'open')) > 0);
BEGIN
    RETURN (
        WITH seen AS MATERIALIZED (
            SELECT x.exception_id, x.psp, x.currency, x.class, x.closed_at,
                row_number() OVER (
                    ORDER BY x.opened_at DESC, x.exception_id DESC) AS n
            FROM see_exceptions(p_merchant_id, p_state, p_day, p_before,
                                v_window + 1) x
        ), fit AS MATERIALIZED (
            SELECT s.n, s.exception_id,
                row_number() OVER (ORDER BY s.n) AS place
            FROM seen s
            WHERE s.n <= v_window
                AND (p_psp IS NULL OR s.psp = p_psp)
                AND (p_currency IS NULL OR s.currency = p_currency)
                AND (p_class IS NULL OR s.class = p_class)
                AND (p_state IS NULL
                     OR (p_state = 'open') = (s.closed_at IS NULL))
        )
        SELECT json_build_object('exceptions', coalesce((
                SELECT json_agg(exception_json(f.exception_id) ORDER BY f.n)
                FROM fit f WHERE f.place <= p_limit), '[]'),
            'next', (SELECT s.exception_id FROM seen s
                WHERE s.n = CASE
                    WHEN (SELECT count(*) FROM fit) > p_limit
                        THEN (SELECT f.n FROM fit f WHERE f.place = p_limit)
                    WHEN (SELECT count(*) FROM seen) > v_window
                        THEN v_window END)));
END
$$;
COMMENT ON FUNCTION pay.exception_page IS
    'A page of a merchant''s exceptions, and where the next begins';


CREATE OR REPLACE FUNCTION pay_api.list_settlement_exceptions(
    p_merchant_id text[], p_exception_id bigint[], p_psp text[],
    p_currency text[], p_class bigint[], p_state text[], p_day text[],
    p_before bigint[], p_limit bigint[])
RETURNS SETOF pay_api.page_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row pay_api.page_row;
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id),
        array_dims(p_exception_id), array_dims(p_psp),
        array_dims(p_currency), array_dims(p_class), array_dims(p_state),
        array_dims(p_day), array_dims(p_before), array_dims(p_limit));

    FOR v_item IN 1 .. coalesce(cardinality(p_merchant_id), 0) LOOP
        v_row := ROW(v_item, 'invalid', NULL);

        IF p_exception_id[v_item] IS NOT NULL THEN
            v_row.page := (
                SELECT exception_with_acts(x.exception_id)
                FROM settlement_exception x
                WHERE x.exception_id = p_exception_id[v_item]
                    AND x.merchant_id = p_merchant_id[v_item]);
            v_row.outcome := CASE WHEN v_row.page IS NULL THEN 'not_found'
                                  ELSE 'found' END;
        ELSIF p_limit[v_item] BETWEEN 1 AND 1000 THEN
            v_row.outcome := 'found';
            v_row.page := exception_page(p_merchant_id[v_item],
                p_psp[v_item], p_currency[v_item], p_class[v_item],
                p_state[v_item], p_day[v_item], p_before[v_item],
                p_limit[v_item]::int)::text;
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.list_settlement_exceptions IS
    'A page of exceptions, newest first, or the one that is named with its '
    'acts. Outcomes: found, not_found, invalid';


CREATE OR REPLACE FUNCTION pay.exception_with_acts(p_id bigint)
RETURNS text LANGUAGE sql STABLE AS $$
SELECT left(exception_json(p_id)::text, -1) || ', "acts" : '
    || exception_acts(p_id)::text || '}'
$$;
COMMENT ON FUNCTION pay.exception_with_acts IS
    'An exception and its acts for the API';


-- sha256: of the whole document, which the next close names; a merchant gets
-- its lines of it only.
CREATE OR REPLACE FUNCTION pay.close_json(p_close settlement_close)
RETURNS json LANGUAGE sql STABLE AS $$
SELECT json_build_object('number', p_close.number, 'day', p_close.day,
    'made_at', iso_time(p_close.at), 'until', iso_time(p_close.until_at),
    'sha256', encode(sha256(convert_to(p_close.document, 'UTF8')), 'hex'),
    'previous', p_close.document::json ->> 'previous',
    'key_id', p_close.key_id,
    'signature', encode(p_close.signature, 'hex'))
$$;
COMMENT ON FUNCTION pay.close_json IS 'The head of a close for the API';


CREATE OR REPLACE FUNCTION pay.close_lines_of(
    p_close settlement_close, p_merchant_id text)
RETURNS json LANGUAGE sql STABLE AS $$
SELECT coalesce(json_agg(json_build_object('psp', l.line -> 'psp',
    'currency', l.line -> 'currency', 'item', l.line -> 'item',
    'count', l.line -> 'count', 'amount', l.line -> 'amount')
    ORDER BY l.n), '[]')
FROM json_array_elements(p_close.document::json -> 'lines')
    WITH ORDINALITY AS l (line, n)
WHERE l.line ->> 'merchant_id' = p_merchant_id
$$;
COMMENT ON FUNCTION pay.close_lines_of IS 'A merchant''s lines of a close';


CREATE OR REPLACE FUNCTION pay_api.list_closes(
    p_merchant_id text[], p_day text[], p_before bigint[], p_limit bigint[])
RETURNS SETOF pay_api.page_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row pay_api.page_row;
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id), array_dims(p_day),
                        array_dims(p_before), array_dims(p_limit));

    FOR v_item IN 1 .. coalesce(cardinality(p_merchant_id), 0) LOOP
        v_row := ROW(v_item, 'invalid', NULL);

        IF p_day[v_item] IS NOT NULL THEN
            v_row.page := (
                SELECT left(close_json(c)::text, -1) || ', "lines" : '
                    || close_lines_of(c, p_merchant_id[v_item])::text || '}'
                FROM settlement_close c WHERE c.day = p_day[v_item]::date);
            v_row.outcome := CASE WHEN v_row.page IS NULL THEN 'not_found'
                                  ELSE 'found' END;
        ELSIF p_limit[v_item] BETWEEN 1 AND 1000 THEN
            v_row.outcome := 'found';
            v_row.page := (
                SELECT json_build_object(
                    'closes', coalesce(json_agg(close_json(ROW(c.number,
                        c.day, c.at, c.document, c.until_at, c.until_tx,
                        c.key_id, c.signature)::settlement_close)
                        ORDER BY c.number DESC), '[]'),
                    'next', CASE WHEN min(c.number) > 1
                        AND count(*) = p_limit[v_item]
                        THEN min(c.number) END)::text
                FROM (SELECT x.* FROM settlement_close x
                      WHERE x.number < coalesce(p_before[v_item],
                                                9223372036854775807)
                      ORDER BY x.number DESC LIMIT p_limit[v_item]) c);
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.list_closes IS
    'A page of closes, newest first, or that of the day with the lines of the '
    'merchant. Outcomes: found, not_found, invalid';


-- The same act by the same operator, whose answer was lost: it is done.
CREATE OR REPLACE FUNCTION pay.is_done_by(
    p_exception settlement_exception, p_act text, p_who text)
RETURNS boolean LANGUAGE sql STABLE AS $$
SELECT coalesce((
    SELECT a.act = p_act AND a.state = 'done' AND a.who = p_who
    FROM settlement_act a
    WHERE a.exception_id = p_exception.exception_id
    ORDER BY a.seq DESC LIMIT 1), false)
$$;
COMMENT ON FUNCTION pay.is_done_by IS
    'Whether the last act about an exception is this one of this operator';


CREATE OR REPLACE FUNCTION pay.act_on(
    p_exception settlement_exception, p_act text, p_who text, p_why text,
    p_as_kind text, p_with_id bigint)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_id   bigint := p_exception.exception_id;
    v_said text;
BEGIN
    IF p_with_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM settlement_exception x
        WHERE x.exception_id = p_with_id
            AND x.merchant_id = p_exception.merchant_id)
    THEN
        RETURN 'invalid';
    END IF;

    v_said := CASE p_act
        WHEN 'accept'
            THEN pay_ops.accept_settlement(v_id, p_who, p_why, p_as_kind)
        WHEN 'resolve'
            THEN pay_ops.resolve_settlement(v_id, p_who, p_why, p_with_id)
        WHEN 'write_off'
            THEN pay_ops.write_off_settlement(v_id, p_who, p_why)
        ELSE 'invalid' END;

    RETURN CASE
        WHEN v_said IN ('accepted', 'suspended', 'resolved', 'written_off')
            THEN 'done'
        WHEN v_said IN ('closed', 'nothing')
            AND is_done_by(p_exception, p_act, p_who) THEN 'done'
        WHEN v_said = 'closed' THEN 'already'
        WHEN v_said = 'second' THEN 'asked'
        WHEN v_said = 'limit' THEN 'exceeds'
        WHEN v_said = 'nothing' THEN 'refused'
        WHEN v_said = 'suspense' THEN 'held'
        ELSE v_said END;
END
$$;
COMMENT ON FUNCTION pay.act_on IS
    'An act of an operator on an exception of a merchant';


CREATE OR REPLACE FUNCTION pay_api.act_on_exception(
    p_merchant_id text[], p_exception_id bigint[], p_act text[],
    p_who text[], p_why text[], p_as_kind text[], p_with_id bigint[])
RETURNS SETOF pay_api.page_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row       pay_api.page_row;
    v_exception settlement_exception;
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id),
        array_dims(p_exception_id), array_dims(p_act), array_dims(p_who),
        array_dims(p_why), array_dims(p_as_kind), array_dims(p_with_id));

    FOR v_item IN 1 .. coalesce(cardinality(p_merchant_id), 0) LOOP
        v_row := ROW(v_item, 'not_found', NULL);
        SELECT * INTO v_exception FROM settlement_exception x
        WHERE x.exception_id = p_exception_id[v_item]
            AND x.merchant_id = p_merchant_id[v_item];

        IF FOUND THEN
            v_row.outcome := act_on(v_exception, p_act[v_item],
                p_who[v_item], p_why[v_item], p_as_kind[v_item],
                p_with_id[v_item]);
        END IF;

        IF v_row.outcome IN ('done', 'asked') THEN
            v_row.page := exception_with_acts(p_exception_id[v_item]);
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.act_on_exception IS
    'Accepts, resolves or writes off an exception; asked: a second operator '
    'has to agree. Outcomes: done, asked, already, exceeds, refused, held, '
    'not_found, invalid';
