-- Screening: names of lists and of account holders are compared by digests of
-- their words.  A pay-out that is not known to be free is held, and the merchant
-- sees that it is held and no more.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay.word_digest(p_word text)
RETURNS bytea LANGUAGE sql STABLE AS $$
SELECT sha256((SELECT s.salt FROM screening_salt s)
              || convert_to(p_word, 'UTF8'))
$$;
COMMENT ON FUNCTION pay.word_digest IS
    'The digest of a word with the salt of this database';


-- p_name is in Latin letters, as src/payout/name.c spells it.  Forms of
-- companies and titles are no words; ae, oe and ue are a, o and u, since lists
-- spell umlauts in both ways.
CREATE OR REPLACE FUNCTION pay.name_parts(p_name text)
RETURNS TABLE (part text, word bytea) LANGUAGE sql STABLE AS $$
SELECT u.part, word_digest(u.part)
FROM (
    SELECT DISTINCT regexp_replace(t, '([aou])e', '\1', 'g') AS part
    FROM regexp_split_to_table(regexp_replace(lower(p_name), '[''.]', '', 'g'),
                               '[^a-z0-9]+') t
    WHERE t <> '' AND t <> ALL ('{mr,mrs,ms,dr,prof,the,and,und,et,y,of,
        gmbh,ag,kg,ohg,ug,ltd,limited,llc,llp,inc,corp,co,company,plc,sa,sas,
        sarl,srl,spa,bv,nv,oy,ab,as,ooo,zao,oao,pjsc,jsc,fze,sro}')) u
$$;
COMMENT ON FUNCTION pay.name_parts IS
    'The words of a name that are compared, and their digests';


CREATE OR REPLACE FUNCTION pay.name_words(p_name text)
RETURNS bytea[] LANGUAGE sql STABLE AS $$
SELECT array_agg(p.word ORDER BY p.word) FROM name_parts(p_name) p
$$;
COMMENT ON FUNCTION pay.name_words IS
    'The digests of the words of a name, sorted; NULL: it has none';


-- A word of fewer than 5 letters has no key but its own: one letter makes another
-- word of it.  8 bytes, since keys are many, and a false one is seen by operators.
CREATE OR REPLACE FUNCTION pay.word_keys(p_word text)
RETURNS bytea[] LANGUAGE sql STABLE AS $$
SELECT array_agg(DISTINCT substr(word_digest(k), 1, 8))
FROM (SELECT p_word
      UNION ALL
      SELECT overlay(p_word PLACING '' FROM i FOR 1)
      FROM generate_series(1, length(p_word)) i
      WHERE length(p_word) >= 5) v (k)
$$;
COMMENT ON FUNCTION pay.word_keys IS
    'The digests of a word and of it without one of its letters: words that are '
    'one edit apart share one';


CREATE OR REPLACE FUNCTION pay.name_near(p_name text)
RETURNS bytea[] LANGUAGE sql STABLE AS $$
SELECT array_agg((SELECT string_agg(k, '') FROM unnest(word_keys(p.part)) k)
                 ORDER BY p.word)
FROM name_parts(p_name) p
$$;
COMMENT ON FUNCTION pay.name_near IS
    'The keys of each word of name_words, joined; NULL: it has none';


-- A word is its own, whether or not a list has its keys.  Without the holder's
-- (p_near NULL) there are no others.
CREATE OR REPLACE FUNCTION pay.words_alike(p_words bytea[], p_near bytea[])
RETURNS TABLE (mine bytea, theirs bytea) LANGUAGE sql STABLE AS $$
SELECT u, u FROM unnest(p_words) u
UNION
SELECT u.word, w.word
FROM unnest(p_words, p_near) AS u (word, keys)
JOIN sanction_word w ON w.near && ARRAY(
    SELECT substr(u.keys, i, 8)
    FROM generate_series(1, length(u.keys), 8) i)
$$;
COMMENT ON FUNCTION pay.words_alike IS
    'For each word of a holder the words of lists that it may be';


-- Names of lists that an account holder may be: each word of the shorter name is
-- one of the longer name or near one, and no two of them are the same one.  A
-- single word must be the whole name.
CREATE OR REPLACE FUNCTION pay.sanction_hits(
    p_words bytea[], p_near bytea[], p_lists text[])
RETURNS TABLE (why text, list text, entry_id text, name text)
LANGUAGE sql STABLE AS $$
WITH candidate AS (
    SELECT n.*, cardinality(p_words) AS mine, cardinality(n.words) AS theirs,
        least(count(DISTINCT a.mine), count(DISTINCT a.theirs)) AS shared
    FROM words_alike(p_words, p_near) a
    JOIN sanction_name n ON n.words @> ARRAY[a.theirs]
    WHERE n.list = ANY (p_lists)
    GROUP BY n.list, n.entry_id, n.name)
SELECT CASE WHEN c.words <@ p_words OR p_words <@ c.words THEN 'hit'
            ELSE 'near' END, c.list, c.entry_id, c.name
FROM candidate c
WHERE c.shared >= least(c.mine, c.theirs)
    AND (c.shared > 1 OR c.mine = c.theirs)
$$;
COMMENT ON FUNCTION pay.sanction_hits IS
    'The names of lists that a holder with these words and keys may be: hit, or '
    'near (a letter of a word is another one, missing or too many)';


-- Whether a merchant's lists are all there and new enough.
CREATE OR REPLACE FUNCTION pay.lists_are_fresh(p_policy screening_policy)
RETURNS boolean LANGUAGE sql STABLE AS $$
SELECT bool_and(coalesce((
    SELECT l.imported_at > clock_timestamp()
        - make_interval(hours => p_policy.max_age_hours)
    FROM sanction_list l WHERE l.list = u
    ORDER BY l.version DESC LIMIT 1), false))
FROM unnest(p_policy.lists) u
$$;
COMMENT ON FUNCTION pay.lists_are_fresh IS
    'Whether all lists of a merchant have been imported lately';


-- The findings that hold an item; none: it is free, or its merchant screens
-- nothing.  An old list, an unknown name and a provider that has not answered
-- are findings.
CREATE OR REPLACE FUNCTION pay.screen_payout(p_payout payout)
RETURNS TABLE (why text, list text, entry_id text, name text)
LANGUAGE sql STABLE AS $$
SELECT f.why, f.list, f.entry_id, f.name
FROM screening_policy s
JOIN payout_destination d ON d.merchant_id = p_payout.merchant_id
    AND d.destination_id = p_payout.destination_id
    AND d.version = p_payout.destination_version
CROSS JOIN LATERAL (
    SELECT 'list' AS why, '' AS list, '' AS entry_id, '' AS name
    WHERE NOT lists_are_fresh(s)
    UNION ALL
    SELECT 'name', '', '', '' WHERE d.name_words IS NULL
    UNION ALL
    SELECT h.why, h.list, h.entry_id, h.name
    FROM sanction_hits(d.name_words, d.name_near, s.lists) h
    UNION ALL
    SELECT v.why, 'provider/' || s.provider,
        CASE v.why WHEN 'provider' THEN a.reference ELSE '' END, ''
    FROM (VALUES (true)) one
    LEFT JOIN screening_answer a ON a.merchant_id = d.merchant_id
        AND a.destination_id = d.destination_id AND a.version = d.version
        AND a.provider = s.provider
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN (a.asked_at > clock_timestamp()
                  - make_interval(hours => s.max_age_hours)) IS NOT TRUE
            THEN 'pending'
            WHEN a.answer = 'hit' THEN 'provider' END) v (why)
    WHERE s.provider IS NOT NULL AND v.why IS NOT NULL) f
WHERE s.merchant_id = p_payout.merchant_id AND s.is_on
    AND (f.why IN ('list', 'pending') OR NOT EXISTS (
        SELECT FROM screening_clearance c
        WHERE c.merchant_id = d.merchant_id
            AND c.destination_id = d.destination_id
            AND c.version = d.version AND c.list = f.list
            AND c.entry_id = f.entry_id AND c.name = f.name
            AND lower(c.cleared_by) <> lower(p_payout.made_by)
            AND lower(c.asked_by) <> lower(p_payout.made_by)))
$$;
COMMENT ON FUNCTION pay.screen_payout IS
    'Why an item may not be paid: list (none, or too old), name (not known), '
    'hit (an entry of a list), near (nearly one), pending (no answer of the '
    'provider, or one that is too old), provider (a hit, by its reference)';


-- Holds an item that has findings.  The merchant's timeline says held alone.
CREATE OR REPLACE FUNCTION pay.hold_by_screening(p_payout payout)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_found jsonb := (
        SELECT jsonb_agg(to_jsonb(f))
        FROM (SELECT * FROM screen_payout(p_payout) s
              ORDER BY s.why, s.list, s.entry_id, s.name LIMIT 50) f);
BEGIN
    IF v_found IS NULL THEN
        RETURN false;
    END IF;

    UPDATE payout p
    SET state = 'held', reason = 'screening', changed_at = clock_timestamp()
    WHERE p.merchant_id = p_payout.merchant_id
        AND p.payout_id = p_payout.payout_id;
    PERFORM keep_payout_act(p_payout.merchant_id, 'payout',
        p_payout.payout_id, 'held', 'gateway', NULL);
    PERFORM keep_payout_act(p_payout.merchant_id, 'screening',
        p_payout.payout_id, 'held', 'gateway', NULL,
        jsonb_build_object('findings', v_found));

    RETURN true;
END
$$;
COMMENT ON FUNCTION pay.hold_by_screening IS
    'Holds an item that may not be paid, by the lists as they are now';


-- An item that was held goes on, approved anew.  p_who is not shown to the
-- merchant.
CREATE OR REPLACE FUNCTION pay.end_screening(
    p_payout payout, p_act text, p_who text, p_why text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE payout p
    SET state = 'ready', reason = NULL, changed_at = clock_timestamp()
    WHERE p.merchant_id = p_payout.merchant_id
        AND p.payout_id = p_payout.payout_id;
    PERFORM leave_payout_batch(p_payout);
    PERFORM keep_payout_act(p_payout.merchant_id, 'payout',
        p_payout.payout_id, 'ready', 'gateway', NULL);
    PERFORM keep_payout_act(p_payout.merchant_id, 'screening',
        p_payout.payout_id, p_act, p_who, p_why);
END
$$;
COMMENT ON FUNCTION pay.end_screening IS
    'Makes an item ready again that screening has held';


-- A setting by which less is screened than before takes two operators.
CREATE OR REPLACE FUNCTION pay_ops.set_payout_screening(
    p_merchant_id text, p_is_on boolean, p_lists text[], p_max_age_hours int,
    p_who text, p_why text, p_provider text DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_detail jsonb := jsonb_strip_nulls(jsonb_build_object('is_on', p_is_on,
        'lists', p_lists, 'max_age_hours', p_max_age_hours,
        'provider', p_provider));
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why)
        OR NOT id_ok(p_merchant_id) OR p_is_on IS NULL
        OR (p_lists <@ '{ofac,eu}' AND p_lists <> '{}') IS NOT TRUE
        OR (p_max_age_hours BETWEEN 1 AND 720) IS NOT TRUE
        OR p_provider !~ '^[a-z0-9][a-z0-9_-]{0,62}$'
    THEN
        RETURN 'invalid';
    END IF;

    PERFORM FROM screening_policy s
    WHERE s.merchant_id = p_merchant_id AND s.is_on
        AND NOT (p_is_on AND p_lists @> s.lists
                 AND p_max_age_hours <= s.max_age_hours
                 AND coalesce(p_provider = s.provider, s.provider IS NULL))
    FOR UPDATE;
    IF FOUND AND NOT is_setting_asked(p_merchant_id, 'screening',
        p_merchant_id, 'policy', v_detail, p_who)
    THEN
        PERFORM keep_payout_act(p_merchant_id, 'screening', p_merchant_id,
                                'asked', p_who, p_why, v_detail);
        RETURN 'second';
    END IF;

    INSERT INTO screening_policy AS s (merchant_id, is_on, lists,
        max_age_hours, provider)
    VALUES (p_merchant_id, p_is_on, p_lists, p_max_age_hours, p_provider)
    ON CONFLICT (merchant_id) DO UPDATE
    SET is_on = EXCLUDED.is_on, lists = EXCLUDED.lists,
        max_age_hours = EXCLUDED.max_age_hours,
        provider = EXCLUDED.provider;
    PERFORM keep_payout_act(p_merchant_id, 'screening', p_merchant_id,
        'policy', p_who, p_why, v_detail);

    RETURN 'stored';
END
$$;
COMMENT ON FUNCTION pay_ops.set_payout_screening IS
    'Says by which lists, and by which provider beside them, a merchant''s '
    'pay-outs are screened, and how old lists and answers may be: stored, second (another operator is needed, since less would be '
    'screened) or invalid';


CREATE OR REPLACE FUNCTION pay.keep_sanction_words(p_name text[])
RETURNS void LANGUAGE sql AS $$
INSERT INTO sanction_word (word, near)
SELECT v.word, word_keys(v.part)
FROM (SELECT DISTINCT p.word, p.part
      FROM unnest(p_name) n CROSS JOIN name_parts(n) p) v
ON CONFLICT (word) DO NOTHING
$$;
COMMENT ON FUNCTION pay.keep_sanction_words IS
    'Keeps the keys of the words of names of a list';


-- Replaces the names of a list.  A list of less than half of the names before is
-- taken for a file that was cut, unless two operators say that it is not: the same
-- files, with the same names.  A name that stands in it twice counts once.  In the
-- same commit, items that are hits now are held, and those that were held for want
-- of a list go on.
CREATE OR REPLACE FUNCTION pay_ops.import_sanctions(
    p_list text, p_sha256 bytea, p_entry_id text[], p_name text[],
    p_shrinks boolean, p_who text)
RETURNS TABLE (outcome text, names bigint, entries bigint, released bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_detail jsonb := jsonb_build_object(
        'sha256', encode(p_sha256, 'hex'), 'names', encode(sha256(
            convert_to(concat(p_entry_id, p_name), 'UTF8')), 'hex'));
    v_shrunk boolean;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('sanctions', 0));
    v_shrunk := 2 * (
        SELECT count(DISTINCT (u.entry_id, u.name))
        FROM unnest(p_entry_id, p_name) AS u (entry_id, name))
        < (SELECT count(*) FROM sanction_name n WHERE n.list = p_list);
    outcome := CASE
        WHEN NOT is_statement(p_who) OR (p_list IN ('ofac', 'eu')) IS NOT TRUE
            OR octet_length(p_sha256) IS DISTINCT FROM 32
            OR cardinality(p_name) IS DISTINCT FROM cardinality(p_entry_id)
            OR coalesce(cardinality(p_name), 0) = 0
        THEN 'invalid'
        WHEN v_shrunk AND p_shrinks IS NOT TRUE THEN 'shrunk'
        WHEN v_shrunk AND NOT is_setting_asked('*', 'screening', p_list,
            'imported', v_detail, p_who) THEN 'second'
        ELSE 'imported' END;
    IF outcome IN ('second', 'imported') THEN
        PERFORM keep_payout_act('*', 'screening', p_list,
            CASE outcome WHEN 'second' THEN 'asked' ELSE outcome END, p_who,
            NULL, v_detail);
    END IF;
    IF outcome <> 'imported' THEN
        RETURN NEXT;
        RETURN;
    END IF;

    PERFORM keep_sanction_words(p_name);
    DELETE FROM sanction_name n WHERE n.list = p_list;
    INSERT INTO sanction_name (list, entry_id, name, words)
    SELECT DISTINCT p_list, u.entry_id, u.name, w
    FROM unnest(p_entry_id, p_name) AS u (entry_id, name)
    CROSS JOIN LATERAL name_words(u.name) w
    WHERE w IS NOT NULL;
    SELECT count(*), count(DISTINCT n.entry_id) INTO names, entries
    FROM sanction_name n WHERE n.list = p_list;
    INSERT INTO sanction_list (list, sha256, names, entries, imported_by)
    VALUES (p_list, p_sha256, import_sanctions.names::int,
        import_sanctions.entries::int, p_who);
    -- for the plans of the comparisons that follow
    ANALYZE sanction_name, sanction_word;
    released := rescreen_payouts();
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION pay_ops.import_sanctions IS
    'Replaces the names of a list: imported, shrunk (less than half of the names '
    'before), second (so it is, and another operator is needed) or invalid';


-- An item that is locked, and may be sent or is held by screening.
CREATE OR REPLACE FUNCTION pay.rescreen_payout(p_payout payout)
RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF p_payout.state <> 'held' THEN
        RETURN CASE WHEN hold_by_screening(p_payout) THEN 'held'
                    ELSE 'same' END;
    ELSIF EXISTS (SELECT FROM screen_payout(p_payout)) THEN
        RETURN 'same';
    END IF;

    PERFORM end_screening(p_payout, 'free', 'gateway', NULL);

    RETURN 'free';
END
$$;
COMMENT ON FUNCTION pay.rescreen_payout IS
    'Compares an item anew: held, free (it is ready again) or same';


-- Compares all items that may still be sent with the lists of this commit: who
-- sends or approves one of them waits for it, and then sees these lists.
CREATE OR REPLACE FUNCTION pay.rescreen_payouts()
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_payout payout;
    v_count  bigint := 0;
BEGIN
    FOR v_payout IN
        SELECT p.* FROM payout p
        WHERE p.state = 'held' AND p.reason = 'screening'
            OR p.state IN ('ready', 'approved')
            AND EXISTS (SELECT FROM screening_policy s
                        WHERE s.merchant_id = p.merchant_id AND s.is_on)
        ORDER BY p.merchant_id, p.payout_id FOR NO KEY UPDATE
    LOOP
        IF rescreen_payout(v_payout) = 'free' THEN
            v_count := v_count + 1;
        END IF;
    END LOOP;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.rescreen_payouts IS
    'Holds the items that the lists stop, and makes those ready again whose '
    'findings are gone: how many';


-- A clearance is no word of its own for an item that one of the two has made.
CREATE OR REPLACE FUNCTION pay.is_cleared_by_maker(p_payout payout)
RETURNS boolean LANGUAGE sql STABLE AS $$
SELECT EXISTS (
    SELECT FROM screen_payout(p_payout) f
    JOIN screening_clearance c ON c.merchant_id = p_payout.merchant_id
        AND c.destination_id = p_payout.destination_id
        AND c.version = p_payout.destination_version AND c.list = f.list
        AND c.entry_id = f.entry_id AND c.name = f.name
    WHERE lower(p_payout.made_by) IN (lower(c.asked_by), lower(c.cleared_by)))
$$;
COMMENT ON FUNCTION pay.is_cleared_by_maker IS
    'Whether the maker of an item has part in a clearance that it needs';


-- The first operator asks, and the second one clears.  Neither has made the
-- item or entered its account.  A list or an answer that is missing cannot be
-- cleared.
CREATE OR REPLACE FUNCTION pay_ops.clear_payout_screening(
    p_merchant_id text, p_payout_id text, p_who text, p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_payout payout;
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why) THEN
        RETURN 'invalid';
    END IF;

    v_payout := lock_payout(p_merchant_id, p_payout_id);
    IF v_payout.payout_id IS NULL THEN
        RETURN 'not_found';
    ELSIF v_payout.state <> 'held'
        OR v_payout.reason IS DISTINCT FROM 'screening'
    THEN
        RETURN 'no_way';
    ELSIF lower(v_payout.made_by) = lower(p_who)
        OR is_cleared_by_maker(v_payout)
    THEN
        RETURN 'maker';
    ELSIF EXISTS (
        SELECT FROM payout_destination d
        WHERE d.merchant_id = p_merchant_id
            AND d.destination_id = v_payout.destination_id
            AND d.version = v_payout.destination_version
            AND lower(d.entered_by) = lower(p_who))
    THEN
        RETURN 'entered';
    ELSIF EXISTS (SELECT FROM screen_payout(v_payout) f
                  WHERE f.why IN ('list', 'pending'))
    THEN
        RETURN 'no_list';
    END IF;

    INSERT INTO screening_clearance AS c (merchant_id, destination_id,
        version, list, entry_id, name, asked_by)
    SELECT p_merchant_id, v_payout.destination_id,
        v_payout.destination_version, f.list, f.entry_id, f.name, p_who
    FROM screen_payout(v_payout) f
    ON CONFLICT (merchant_id, destination_id, version, list, entry_id, name)
    DO UPDATE SET cleared_by = p_who, cleared_at = clock_timestamp()
    WHERE lower(c.asked_by) <> lower(p_who) AND c.cleared_by IS NULL;
    IF EXISTS (SELECT FROM screen_payout(v_payout)) THEN
        PERFORM keep_payout_act(p_merchant_id, 'screening', p_payout_id,
                                'asked', p_who, p_why);
        RETURN 'second';
    END IF;

    PERFORM end_screening(v_payout, 'cleared', p_who, p_why);

    RETURN 'ready';
END
$$;
COMMENT ON FUNCTION pay_ops.clear_payout_screening IS
    'Clears the findings about an item: ready, second (another operator is '
    'needed), maker, entered, no_list (none, or too old, or the provider has not '
    'answered), no_way (screening does '
    'not hold it), not_found or invalid';


-- Gives up an item that screening holds.  The next one is held again.
CREATE OR REPLACE FUNCTION pay_ops.reject_payout_screening(
    p_merchant_id text, p_payout_id text, p_who text, p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_payout payout;
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why) THEN
        RETURN 'invalid';
    END IF;

    v_payout := lock_payout(p_merchant_id, p_payout_id);
    IF v_payout.payout_id IS NULL THEN
        RETURN 'not_found';
    ELSIF v_payout.state <> 'held'
        OR v_payout.reason IS DISTINCT FROM 'screening'
    THEN
        RETURN 'no_way';
    END IF;

    PERFORM keep_payout_act(p_merchant_id, 'screening', p_payout_id,
                            'rejected', p_who, p_why);
    PERFORM post(ARRAY[void_payout(v_payout, 'cancelled', NULL, 'gateway',
                                   NULL)]);

    RETURN 'cancelled';
END
$$;
COMMENT ON FUNCTION pay_ops.reject_payout_screening IS
    'Gives up an item that screening holds: cancelled, no_way, not_found or '
    'invalid';
