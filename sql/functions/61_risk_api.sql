-- Lists and reviews of risk for the API.  A merchant sees and changes its own
-- entries alone, never those of all merchants ('*').  A value that is kept as
-- a hash is not shown.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay.risk_entry_json(p_entry risk_list)
RETURNS json LANGUAGE sql STABLE AS $$
SELECT json_build_object('entry_id', p_entry.list_id,
    'effect', p_entry.effect, 'kind', p_entry.kind,
    'value', CASE WHEN p_entry.kind IN ('email_domain', 'ip', 'country')
                  THEN p_entry.value END,
    'until', iso_time(p_entry.until), 'who', p_entry.who,
    'why', p_entry.why, 'changed_at', iso_time(p_entry.at))
$$;
COMMENT ON FUNCTION pay.risk_entry_json IS
    'An entry of a list for the API, without a value that is a hash';


CREATE OR REPLACE FUNCTION pay.risk_entry_of(
    p_merchant_id text, p_list_id bigint)
RETURNS risk_list LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_entry risk_list;
BEGIN
    SELECT * INTO v_entry FROM risk_list l
    WHERE l.merchant_id || '' = p_merchant_id AND l.list_id = p_list_id;
    RETURN v_entry;
END
$$;
COMMENT ON FUNCTION pay.risk_entry_of IS
    'An entry of this merchant''s lists by its id';


-- A filter looks at 10,000 entries for a page, so that none takes long: such a
-- page may be short, or empty, and still have a next one.
CREATE OR REPLACE FUNCTION pay.risk_list_page(
    p_merchant_id text, p_effect text, p_kind text, p_after bigint,
    p_limit int)
RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_read int := CASE WHEN p_effect IS NULL AND p_kind IS NULL THEN p_limit
                       ELSE 10000 END;
BEGIN
    RETURN (
        WITH looked AS (
            SELECT l.* FROM risk_list l
            WHERE l.merchant_id || '' = p_merchant_id
                AND l.list_id > coalesce(p_after, 0)
            ORDER BY l.list_id LIMIT v_read
        ), fit AS (
            SELECT k.* FROM looked k
            WHERE k.effect = coalesce(p_effect, k.effect)
                AND k.kind = coalesce(p_kind, k.kind)
            ORDER BY k.list_id LIMIT p_limit
        )
        SELECT json_build_object('entries', coalesce((
                SELECT json_agg(risk_entry_json(ROW(f.*)::risk_list)
                                ORDER BY f.list_id)
                FROM fit f), '[]'),
            'next', CASE
                WHEN (SELECT count(*) FROM fit) = p_limit
                    THEN (SELECT max(f.list_id) FROM fit f)
                WHEN (SELECT count(*) FROM looked) = v_read
                    THEN (SELECT max(k.list_id) FROM looked k) END)::text);
END
$$;
COMMENT ON FUNCTION pay.risk_list_page IS
    'A page of the entries of a merchant''s lists as JSON';


CREATE OR REPLACE FUNCTION pay_api.list_risk_entries(
    p_merchant_id text[], p_entry_id bigint[], p_effect text[],
    p_kind text[], p_after bigint[], p_limit bigint[])
RETURNS SETOF pay_api.page_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row   pay_api.page_row;
    v_entry risk_list;
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id), array_dims(p_entry_id),
        array_dims(p_effect), array_dims(p_kind), array_dims(p_after),
        array_dims(p_limit));

    FOR v_item IN 1 .. coalesce(cardinality(p_merchant_id), 0) LOOP
        v_row := ROW(v_item, 'found', NULL);

        IF p_entry_id[v_item] IS NOT NULL THEN
            v_entry := risk_entry_of(p_merchant_id[v_item],
                                     p_entry_id[v_item]);
            v_row.page := CASE WHEN v_entry.list_id IS NOT NULL
                               THEN risk_entry_json(v_entry)::text END;
            IF v_row.page IS NULL THEN
                v_row.outcome := 'not_found';
            END IF;
        ELSIF (p_limit[v_item] BETWEEN 1 AND 1000) IS NOT TRUE THEN
            v_row.outcome := 'invalid';
        ELSE
            v_row.page := risk_list_page(p_merchant_id[v_item],
                p_effect[v_item], p_kind[v_item], p_after[v_item],
                p_limit[v_item]::int);
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.list_risk_entries IS
    'Entries of a merchant''s lists, or the one that is named. '
    'Outcomes: found, not_found, invalid';


-- In the sequence of the primary key, as every other batch.
CREATE OR REPLACE FUNCTION pay_api.store_risk_entry(
    p_merchant_id text[], p_effect text[], p_kind text[], p_value text[],
    p_until_us bigint[], p_who text[], p_why text[])
RETURNS SETOF pay_api.page_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row  pay_api.page_row;
    v_item int;
    v_said text;
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id), array_dims(p_effect),
        array_dims(p_kind), array_dims(p_value), array_dims(p_until_us),
        array_dims(p_who), array_dims(p_why));

    FOR v_item IN
        SELECT u.n FROM unnest(p_value, p_kind, p_merchant_id, p_effect)
            WITH ORDINALITY AS u (value, kind, merchant_id, effect, n)
        ORDER BY u.value COLLATE "C", u.kind COLLATE "C",
            u.merchant_id COLLATE "C", u.effect COLLATE "C", u.n
    LOOP
        v_said := CASE WHEN p_merchant_id[v_item] = '*' THEN 'invalid'
            ELSE pay_ops.risk_list_add(p_merchant_id[v_item],
                p_effect[v_item], p_kind[v_item], p_value[v_item],
                to_timestamp(p_until_us[v_item] / 1000000.0), p_who[v_item],
                p_why[v_item]) END;
        v_row := ROW(v_item, CASE v_said WHEN 'added' THEN 'created'
                                         WHEN 'changed' THEN 'stored'
                                         ELSE v_said END, NULL);
        IF v_said <> 'invalid' THEN
            v_row.page := (
                SELECT risk_entry_json(l)::text FROM risk_list l
                WHERE l.value = p_value[v_item] AND l.kind = p_kind[v_item]
                    AND l.merchant_id = p_merchant_id[v_item]
                    AND l.effect = p_effect[v_item]);
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.store_risk_entry IS
    'Adds an entry to a list of a merchant, or gives it another end. Outcomes: '
    'created, stored, unchanged, invalid';


CREATE OR REPLACE FUNCTION pay_api.remove_risk_entry(
    p_merchant_id text[], p_entry_id bigint[], p_who text[], p_why text[])
RETURNS SETOF pay_api.page_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row   pay_api.page_row;
    v_item  int;
    v_entry risk_list;
    v_said  text;
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id), array_dims(p_entry_id),
        array_dims(p_who), array_dims(p_why));

    FOR v_item IN
        SELECT u.n
        FROM unnest(p_merchant_id, p_entry_id) WITH ORDINALITY
            AS u (merchant_id, entry_id, n)
        CROSS JOIN LATERAL risk_entry_of(u.merchant_id, u.entry_id) l
        ORDER BY l.value, l.kind, l.merchant_id, l.effect, u.n
    LOOP
        v_entry := risk_entry_of(p_merchant_id[v_item], p_entry_id[v_item]);
        v_said := CASE
            WHEN v_entry.list_id IS NULL OR v_entry.merchant_id = '*'
                THEN 'not_found'
            ELSE pay_ops.risk_list_remove(v_entry.merchant_id,
                v_entry.effect, v_entry.kind, v_entry.value, p_who[v_item],
                p_why[v_item]) END;
        v_row := ROW(v_item, CASE v_said WHEN 'removed' THEN 'done'
                                         ELSE v_said END,
            CASE v_said WHEN 'removed'
                        THEN risk_entry_json(v_entry)::text END);

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.remove_risk_entry IS
    'Removes an entry from a list of a merchant. Outcomes: done, not_found, '
    'invalid';


CREATE OR REPLACE FUNCTION pay.review_json(p_review risk_review)
RETURNS json LANGUAGE sql STABLE AS $$
SELECT json_build_object('review_id', p_review.review_id,
    'checkout_id', p_review.checkout_id, 'state', p_review.state,
    'amount', decimal_text(c.total_minor, c.currency),
    'currency', c.currency, 'needs_second', p_review.needs_second,
    'deadline', iso_time(p_review.deadline), 'overdue', p_review.overdue,
    'claimed_by', CASE WHEN p_review.claimed_until > now()
                       THEN p_review.claimed_by END,
    'claimed_until', CASE WHEN p_review.claimed_until > now()
                          THEN iso_time(p_review.claimed_until) END,
    'asked', p_review.asked, 'asked_by', p_review.asked_by,
    'settled', p_review.is_settled, 'created_at', iso_time(p_review.at))
FROM checkout c
WHERE c.merchant_id = p_review.merchant_id
    AND c.checkout_id = p_review.checkout_id
$$;
COMMENT ON FUNCTION pay.review_json IS 'A review for the API';


CREATE OR REPLACE FUNCTION pay.review_parts(p_review risk_review)
RETURNS json LANGUAGE sql STABLE AS $$
SELECT json_build_object(
    'decision', (
        SELECT json_build_object('decided_by', d.decided_by,
            'hits', d.hits, 'facts', d.facts)
        FROM risk_decision d
        WHERE d.merchant_id = p_review.merchant_id
            AND d.checkout_id = p_review.checkout_id),
    'orders', (
        SELECT json_agg(json_build_object(
            'payment_order_id', o.payment_order_id,
            'seller_account', o.seller_account, 'status', o.status,
            'reason', o.reason) ORDER BY o.position)
        FROM orders_of(p_review.merchant_id, p_review.checkout_id) o),
    'linked', coalesce((
        SELECT json_agg(json_build_object('checkout_id', l.checkout_id,
            'same', to_json(string_to_array(l.kinds, ' ')),
            'decision', l.decision, 'decided_at', iso_time(l.at))
            ORDER BY l.at DESC)
        FROM linked_checkouts(p_review.merchant_id, p_review.checkout_id,
                              50) l), '[]'),
    'acts', coalesce((
        SELECT json_agg(json_build_object('act', a.act, 'who', a.who,
            'reason', a.reason, 'note', a.note, 'at', iso_time(a.at))
            ORDER BY a.act_id)
        FROM (SELECT x.* FROM risk_review_act x
              WHERE x.review_id = p_review.review_id
              ORDER BY x.act_id DESC LIMIT 100) a), '[]'))
$$;
COMMENT ON FUNCTION pay.review_parts IS
    'Decision, orders, linked checkouts and the last hundred acts of a review';


-- The objects are joined by their text: json has no other way, and jsonb would
-- sort the members.
CREATE OR REPLACE FUNCTION pay.review_whole(
    p_merchant_id text, p_review_id bigint)
RETURNS text LANGUAGE sql STABLE AS $$
SELECT left(review_json(r)::text, -1) || ', '
    || substr(review_parts(r)::text, 2)
FROM risk_review r
WHERE r.review_id = p_review_id AND r.merchant_id = p_merchant_id
$$;
COMMENT ON FUNCTION pay.review_whole IS 'A review with its parts for the API';


-- NULL: those that are open or escalated.  Of others 10,000 reviews are looked
-- at for a page.
CREATE OR REPLACE FUNCTION pay.review_page(
    p_merchant_id text, p_state text, p_after bigint, p_limit int)
RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_reviews risk_review[];
    v_next    bigint;
    v_read    bigint[];
BEGIN
    IF p_state IS NULL THEN
        v_reviews := ARRAY(
            SELECT r FROM risk_review r
            WHERE r.merchant_id || '' = p_merchant_id
                AND r.state IN ('open', 'escalated')
                AND r.review_id > coalesce(p_after, 0)
            ORDER BY r.review_id LIMIT p_limit);
    ELSE
        v_read := ARRAY(
            SELECT r.review_id FROM risk_review r
            WHERE r.merchant_id || '' = p_merchant_id
                AND r.review_id > coalesce(p_after, 0)
            ORDER BY r.review_id LIMIT 10000);
        v_reviews := ARRAY(
            SELECT r FROM risk_review r
            WHERE r.review_id = ANY (v_read) AND r.state = p_state
            ORDER BY r.review_id LIMIT p_limit);
    END IF;

    IF cardinality(v_reviews) = p_limit THEN
        v_next := (v_reviews[p_limit]).review_id;
    ELSIF cardinality(v_read) = 10000 THEN
        v_next := v_read[10000];
    END IF;

    RETURN json_build_object('reviews', coalesce((
            SELECT json_agg(review_json(r) ORDER BY r.review_id)
            FROM unnest(v_reviews) r), '[]'), 'next', v_next)::text;
END
$$;
COMMENT ON FUNCTION pay.review_page IS
    'A page of the reviews of a merchant as JSON';


CREATE OR REPLACE FUNCTION pay_api.list_reviews(
    p_merchant_id text[], p_review_id bigint[], p_state text[],
    p_after bigint[], p_limit bigint[])
RETURNS SETOF pay_api.page_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row pay_api.page_row;
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id), array_dims(p_review_id),
        array_dims(p_state), array_dims(p_after), array_dims(p_limit));

    FOR v_item IN 1 .. coalesce(cardinality(p_merchant_id), 0) LOOP
        v_row := ROW(v_item, 'found', NULL);

        IF p_review_id[v_item] IS NOT NULL THEN
            v_row.page := review_whole(p_merchant_id[v_item],
                                       p_review_id[v_item]);
            IF v_row.page IS NULL THEN
                v_row.outcome := 'not_found';
            END IF;
        ELSIF (p_limit[v_item] BETWEEN 1 AND 1000) IS NOT TRUE THEN
            v_row.outcome := 'invalid';
        ELSE
            v_row.page := review_page(p_merchant_id[v_item],
                p_state[v_item], p_after[v_item], p_limit[v_item]::int);
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.list_reviews IS
    'Reviews of a merchant, those that are not decided unless a state is asked '
    'for, or the one that is named. Outcomes: found, not_found, invalid';


-- The request of the same reviewer may come twice.
CREATE OR REPLACE FUNCTION pay.review_is_so(
    p_review_id bigint, p_act text, p_who text)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce((
        SELECT lower(a.who) = lower(p_who) AND a.act = r.state
        FROM risk_review r
        CROSS JOIN LATERAL (
            SELECT x.act, x.who FROM risk_review_act x
            WHERE x.review_id = r.review_id
            ORDER BY x.act_id DESC LIMIT 1) a
        WHERE r.review_id = p_review_id AND r.state = CASE p_act
            WHEN 'approve' THEN 'approved' WHEN 'reject' THEN 'rejected'
            WHEN 'escalate' THEN 'escalated' END), false);
END
$$;
COMMENT ON FUNCTION pay.review_is_so IS
    'Whether this reviewer''s act was the last one, and is done';


CREATE OR REPLACE FUNCTION pay.act_on_one_review(
    p_merchant_id text, p_review_id bigint, p_act text, p_reason text,
    p_note text, p_blocks boolean, p_lease_s bigint, p_who text,
    OUT outcome text, OUT decided risk_review)
LANGUAGE plpgsql AS $$
DECLARE
    v_done record;
BEGIN
    IF NOT EXISTS (
        SELECT FROM risk_review r
        WHERE r.review_id = p_review_id AND r.merchant_id = p_merchant_id)
    THEN
        outcome := 'not_found';
    ELSIF p_act = 'claim' THEN
        outcome := pay_ops.claim_review(p_review_id, p_lease_s, p_who);
    ELSIF review_is_so(p_review_id, p_act, p_who) THEN
        outcome := 'done';
    ELSE
        v_done := decide_one_review(p_review_id, p_act, p_reason, p_note,
                                    p_blocks, p_who);
        outcome := v_done.outcome;
        decided := v_done.decided;
    END IF;

    outcome := CASE
        WHEN outcome IN ('claimed', 'approved', 'rejected', 'escalated')
            THEN 'done'
        WHEN outcome IN ('second', 'same_person') THEN 'asked'
        WHEN outcome = 'taken' THEN 'busy'
        WHEN outcome = 'ended' THEN 'already' ELSE outcome END;
END
$$;
COMMENT ON FUNCTION pay.act_on_one_review IS
    'An act of a reviewer of a merchant, without its effect on the money: '
    'outcomes as those of pay_api.act_on_review';


-- All reviews are locked first, in the order of their ids, and the money of all
-- is moved at once, since that locks wallets.
CREATE OR REPLACE FUNCTION pay_api.act_on_review(
    p_merchant_id text[], p_review_id bigint[], p_act text[],
    p_reason text[], p_note text[], p_blocks bigint[], p_lease_s bigint[],
    p_who text[])
RETURNS SETOF pay_api.page_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row      pay_api.page_row;
    v_done     record;
    v_outcomes text[] := '{}';
    v_decided  risk_review[] := '{}';
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id), array_dims(p_review_id),
        array_dims(p_act), array_dims(p_reason), array_dims(p_note),
        array_dims(p_blocks), array_dims(p_lease_s), array_dims(p_who));
    PERFORM FROM risk_review r
    WHERE r.review_id = ANY (p_review_id)
    ORDER BY r.review_id FOR UPDATE;

    FOR v_item IN 1 .. coalesce(cardinality(p_merchant_id), 0) LOOP
        v_done := act_on_one_review(p_merchant_id[v_item],
            p_review_id[v_item], p_act[v_item], p_reason[v_item],
            p_note[v_item], p_blocks[v_item] <> 0, p_lease_s[v_item],
            p_who[v_item]);
        v_outcomes := v_outcomes || v_done.outcome;
        IF (v_done.decided).review_id IS NOT NULL THEN
            v_decided := v_decided || v_done.decided;
        END IF;
    END LOOP;

    IF v_decided <> '{}' THEN
        PERFORM carry_out_reviews(v_decided);
    END IF;

    FOR v_item IN 1 .. coalesce(cardinality(p_merchant_id), 0) LOOP
        v_row := ROW(v_item, v_outcomes[v_item], CASE
            WHEN v_outcomes[v_item] IN ('done', 'asked')
            THEN review_whole(p_merchant_id[v_item], p_review_id[v_item])
            END);
        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.act_on_review IS
    'claim, approve, reject or escalate; asked: another reviewer has to say '
    'the same; busy: another one has claimed it; already: it has ended. '
    'Outcomes: done, asked, busy, already, not_found, invalid';
