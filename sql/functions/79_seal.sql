-- The operations begin_seal and end_seal: which worker signs the events since
-- the last seal.  A session that writes events never waits for it: transactions
-- show how far the log is complete.  An event below pg_snapshot_xmin() has been
-- committed, or never will be.  One worker of all nodes at a time.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The end of a seal that begins at p_from: as far as the log is complete
-- (p_until), but not over more than p_most events, unless one transaction has
-- more.  Tries the span of the last seal and doubles it while the number of
-- events is within the limit; when it is above and all before was empty, tries
-- the spans in between.
CREATE OR REPLACE FUNCTION pay.seal_end(
    p_from bigint, p_until bigint, p_span bigint, p_most int)
RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_total bigint := p_until - p_from;
    v_span  bigint := least(greatest(p_span, 1), v_total);
    v_least bigint := 0;
    v_some  boolean := false;
    v_over  bigint;
    v_count int;
BEGIN
    LOOP
        v_count := (
            SELECT count(*)
            FROM (SELECT FROM event e
                  WHERE e.tx >= p_from AND e.tx < p_from + v_span
                  LIMIT p_most + 1) e);

        IF v_count > p_most AND v_some THEN
            v_span := v_least;
            EXIT;
        ELSIF v_count > p_most THEN
            EXIT WHEN v_span = v_least + 1;
            v_over := v_span;
        ELSE
            EXIT WHEN v_span = v_total OR v_over > 0 AND v_count > 0;
            v_least := v_span;
            v_some := v_count > 0;
        END IF;

        v_span := CASE WHEN v_over IS NULL THEN least(2 * v_span, v_total)
                       ELSE v_least + greatest((v_over - v_least) / 2, 1) END;
    END LOOP;

    RETURN p_from + v_span;
END
$$;
COMMENT ON FUNCTION pay.seal_end IS
    'The transaction before which a seal of bounded size ends';


-- The newest event of each order in the seal's span covers all before it.
CREATE OR REPLACE FUNCTION pay.take_leaves(
    p_number bigint, p_from bigint, p_until bigint)
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_count int;
BEGIN
    INSERT INTO seal_leaf (number, position, merchant_id, payment_order_id,
        seq, hash)
    SELECT p_number,
        row_number() OVER (ORDER BY l.merchant_id, l.payment_order_id),
        l.merchant_id, l.payment_order_id, l.seq, l.hash
    FROM (SELECT DISTINCT ON (e.merchant_id, e.payment_order_id)
              e.merchant_id, e.payment_order_id, e.seq, e.hash
          FROM event e
          WHERE e.tx >= p_from AND e.tx < p_until
          ORDER BY e.merchant_id, e.payment_order_id, e.seq DESC) l;
    GET DIAGNOSTICS v_count = ROW_COUNT;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.take_leaves IS
    'Puts down the leaves of a seal over these transactions: how many';


-- RFC 9162, 2.1.1.  Joining pairs, and carrying an odd node up unchanged, makes
-- the same tree as splitting at the largest power of two.
CREATE OR REPLACE FUNCTION pay.merkle_root(p_hashes bytea[])
RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_level bytea[] := p_hashes;
BEGIN
    WHILE cardinality(v_level) > 1 LOOP
        v_level := ARRAY(
            SELECT CASE WHEN p.next IS NULL THEN p.hash
                        ELSE sha256('\x01'::bytea || p.hash || p.next) END
            FROM (SELECT u.n, u.hash, lead(u.hash) OVER (ORDER BY u.n) AS next
                  FROM unnest(v_level) WITH ORDINALITY u (hash, n)) p
            WHERE p.n % 2 = 1
            ORDER BY p.n);
    END LOOP;

    RETURN v_level[1];
END
$$;
COMMENT ON FUNCTION pay.merkle_root IS
    'The root of a Merkle tree over these hashes of leaves; NULL of none';


CREATE OR REPLACE FUNCTION pay.seal_root(p_number bigint)
RETURNS bytea LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN pay.merkle_root(ARRAY(
        SELECT sha256('\x00'::bytea || convert_to(concat(l.merchant_id, E'\n',
            l.payment_order_id, E'\n', l.seq, E'\n', encode(l.hash, 'hex')),
            'UTF8'))
        FROM pay.seal_leaf l
        WHERE l.number = p_number
        ORDER BY l.position));
END
$$;
COMMENT ON FUNCTION pay.seal_root IS
    'The root of the Merkle tree over a seal''s leaves';


CREATE OR REPLACE FUNCTION pay.seal_message(p_seal pay.seal)
RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN concat('ngx_payments seal 1', E'\n',
        'number ', p_seal.number, E'\n',
        'at ', pay.iso_micros(p_seal.at), E'\n',
        'from ', p_seal.from_tx, E'\n',
        'until ', p_seal.until_tx, E'\n',
        'leaves ', p_seal.count, E'\n',
        'root ', encode(p_seal.root, 'hex'), E'\n',
        'previous ', encode(p_seal.previous, 'hex'), E'\n');
END
$$;
COMMENT ON FUNCTION pay.seal_message IS
    'The message of a seal, which is signed';


-- The digest that the next seal's message has: zeros before the first seal.
CREATE OR REPLACE FUNCTION pay.seal_digest(p_message text)
RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce(sha256(convert_to(p_message, 'UTF8')),
                decode(repeat('00', 32), 'hex'))
$$;
COMMENT ON FUNCTION pay.seal_digest IS
    'The digest of a seal''s message; NULL: there is no seal';


-- NULL where there is nothing to seal.  behind: the current transaction ids are
-- smaller than those of the last seal, or of an event, so this is another
-- cluster than the one that wrote them, and new events would not be sealed.
CREATE OR REPLACE FUNCTION pay.make_seal(
    p_most int, OUT made seal, OUT is_full boolean, OUT is_behind boolean)
LANGUAGE plpgsql AS $$
DECLARE
    v_last  seal;
    v_until bigint :=
        pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
BEGIN
    SELECT * INTO v_last FROM seal s ORDER BY s.number DESC LIMIT 1;
    made.from_tx := coalesce(v_last.until_tx, 0);
    is_behind := v_until < made.from_tx OR EXISTS (
        SELECT FROM event e
        WHERE e.tx > greatest(this_tx(), pg_snapshot_xmax(
            pg_current_snapshot())::text::bigint - 1));

    IF is_behind OR v_until = made.from_tx THEN
        made := NULL;
        RETURN;
    END IF;

    made.number := coalesce(v_last.number, 0) + 1;
    made.until_tx := seal_end(made.from_tx, v_until,
        coalesce(v_last.until_tx - v_last.from_tx, 1024), p_most);
    is_full := made.until_tx < v_until;
    made.count := take_leaves(made.number, made.from_tx, made.until_tx);

    IF made.count = 0 THEN
        made := NULL;
        RETURN;
    END IF;

    made.at := clock_timestamp();
    made.root := seal_root(made.number);
    made.previous := seal_digest(v_last.message);
    made.message := seal_message(made);
    INSERT INTO seal SELECT (made).*;
END
$$;
COMMENT ON FUNCTION pay.make_seal IS
    'Begins the next seal over at most p_most events, and whether more wait';


-- A seal that was begun and never signed is handed out again: at once to the
-- one that has it, to another when its lease is over.  Where more waits than
-- a seal takes, the next one is due at once.
CREATE OR REPLACE FUNCTION pay.claim_seal(
    p_owner text, p_interval interval, p_lease interval,
    OUT outcome text, OUT number bigint, OUT message text)
LANGUAGE plpgsql AS $$
DECLARE
    v_round round;
    v_seal  seal;
    v_made  record;
    v_full  boolean;
BEGIN
    outcome := 'not_due';

    SELECT * INTO v_round FROM round r
    WHERE r.name = 'seal'
        AND (coalesce(r.lease_until <= clock_timestamp(), true)
             OR r.lease_owner = p_owner)
    FOR UPDATE SKIP LOCKED;

    IF NOT FOUND THEN
        RETURN;
    END IF;

    SELECT * INTO v_seal FROM seal s WHERE s.signature IS NULL;

    IF NOT FOUND AND v_round.run_at <= now() THEN
        v_made := make_seal(20000);
        v_seal := v_made.made;
        v_full := v_made.is_full;
        outcome := CASE WHEN v_made.is_behind THEN 'behind' ELSE outcome END;

        UPDATE round r
        SET run_at = CASE WHEN v_full THEN now() ELSE now() + p_interval END
        WHERE r.name = 'seal';
    END IF;

    IF v_seal.number IS NOT NULL THEN
        outcome := 'due';
        number := v_seal.number;
        message := v_seal.message;

        UPDATE round r
        SET lease_owner = p_owner,
            lease_until = clock_timestamp() + p_lease
        WHERE r.name = 'seal';
    END IF;
END
$$;
COMMENT ON FUNCTION pay.claim_seal IS
    'Leases the signing of the next seal, if one is due';


CREATE OR REPLACE FUNCTION pay_api.begin_seal(
    p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[])
RETURNS SETOF pay_api.seal_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row  pay_api.seal_row;
    v_mine record;
BEGIN
    PERFORM check_batch(array_dims(p_owner), array_dims(p_interval_ms),
                        array_dims(p_lease_ms));

    FOR v_item IN 1 .. coalesce(cardinality(p_owner), 0) LOOP
        v_row.item := v_item;
        v_row.outcome := 'invalid';
        v_row.number := NULL;
        v_row.message := NULL;

        IF coalesce(id_ok(p_owner[v_item])
                    AND p_interval_ms[v_item] BETWEEN 0 AND 31536000000
                    AND p_lease_ms[v_item] BETWEEN 1 AND 86400000, false)
        THEN
            v_mine := claim_seal(p_owner[v_item],
                make_interval(secs => p_interval_ms[v_item] / 1000.0),
                make_interval(secs => p_lease_ms[v_item] / 1000.0));
            v_row.outcome := v_mine.outcome;
            v_row.number := v_mine.number;
            v_row.message := v_mine.message;
        END IF;

        -- so that each host can show its age
        IF v_row.outcome = 'not_due' THEN
            SELECT s.number, s.message INTO v_row.number, v_row.message
            FROM seal s
            WHERE s.signature IS NOT NULL ORDER BY s.number DESC LIMIT 1;
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.begin_seal IS
    'The message of the next seal, to be signed; not_due: the newest one '
    'that is signed; behind: the last seal is of a cluster that had come '
    'further. Outcomes: due, not_due, behind, invalid';


-- The signed text is one and the same, whichever key signs it: the first
-- signature stays.  p_of: seal or close, the name of the round whose lease ends.
CREATE OR REPLACE FUNCTION pay.keep_signatures(
    p_of text, p_number bigint[], p_key_id text[], p_signature bytea[])
RETURNS SETOF pay_api.outcome_row
LANGUAGE plpgsql AS $$
DECLARE
    v_row  pay_api.outcome_row;
    v_item record;
BEGIN
    PERFORM check_batch(array_dims(p_number), array_dims(p_key_id),
                        array_dims(p_signature));

    FOR v_item IN
        SELECT u.*, coalesce(id_ok(u.key_id)
            AND octet_length(u.signature) = 64, false) AS ok
        FROM unnest(p_number, p_key_id, p_signature)
            WITH ORDINALITY AS u (number, key_id, signature, n)
        ORDER BY u.number, u.n
    LOOP
        v_row.item := v_item.n;
        v_row.outcome := 'invalid';

        IF p_of = 'seal' THEN
            UPDATE seal s
            SET key_id = v_item.key_id, signature = v_item.signature
            WHERE v_item.ok AND s.number = v_item.number
                AND s.signature IS NULL;
        ELSE
            UPDATE settlement_close c
            SET key_id = v_item.key_id, signature = v_item.signature
            WHERE v_item.ok AND c.number = v_item.number
                AND c.signature IS NULL;
        END IF;

        IF FOUND THEN
            v_row.outcome := 'stored';
            UPDATE round r SET lease_owner = NULL, lease_until = NULL
            WHERE r.name = p_of;
        ELSIF v_item.ok AND (
            EXISTS (SELECT FROM seal s
                    WHERE p_of = 'seal' AND s.number = v_item.number)
            OR EXISTS (SELECT FROM settlement_close c
                       WHERE p_of = 'close' AND c.number = v_item.number))
        THEN
            v_row.outcome := 'already';
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay.keep_signatures IS
    'Keeps signatures of seals or of closed days, and ends the lease of the '
    'round. Outcomes: stored, already, invalid';


CREATE OR REPLACE FUNCTION pay_api.end_seal(
    p_number bigint[], p_key_id text[], p_signature bytea[])
RETURNS SETOF pay_api.outcome_row
LANGUAGE sql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
    SELECT * FROM keep_signatures('seal', p_number, p_key_id, p_signature);
$$;
COMMENT ON FUNCTION pay_api.end_seal IS
    'Keeps the signature of a seal. Outcomes: stored, already, invalid';
