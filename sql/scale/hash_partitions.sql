-- Cuts the tables that are keyed by the merchant into hash partitions, once,
-- on a database that `payctl migrate` has brought up to date, fresh or filled:
--   psql -v parts=16 -f sql/scale/hash_partitions.sql, then payctl migrate
-- as a superuser, while no gateway runs (docs/scaling.md says when it is worth
-- it, and what it costs).  All of it happens or none: one transaction.
--
-- Kept: columns, defaults, keys, indexes, checks, foreign keys, triggers as
-- they are enabled, storage parameters, comments, owners.  Functions, views
-- and grants depend on the tables' row types; they are dropped, and
-- payctl migrate makes them again, without which the gateway is not ready.
--
-- A key that is unique over all merchants cannot be an index of a table that
-- is spread by merchant: pay.held_key has those instead (a PSP's nonces, the
-- buyers' handles, the ids of changes), kept by triggers.
--
-- Left as they are: event, whose months come and go as partitions already;
-- psp_token, webhook_inbox and dispute, which are found by a PSP's ids;
-- mismatch, dead_letter and late_success, which are few and for operators.

\set ON_ERROR_STOP on
\if :{?parts}
\else
\set parts 16
\endif

BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL search_path = pg_catalog, pg_temp;
SELECT set_config('pay.parts', :'parts', true) \g /dev/null

SELECT pg_advisory_xact_lock(hashtext('pay.hash_partitions')) \g /dev/null

CREATE TEMP TABLE cut (name text PRIMARY KEY) ON COMMIT DROP;
INSERT INTO cut VALUES ('checkout'), ('payment_order'),
    ('idempotency_key'), ('dispatch'), ('change'), ('job'),
    ('journal_entry'), ('journal_line'), ('wallet'), ('outbox'),
    ('event_anchor');

DO $$
DECLARE
    v_parts int := current_setting('pay.parts')::int;
    v_name  text;
BEGIN
    IF v_parts NOT BETWEEN 2 AND 1024 THEN
        RAISE EXCEPTION 'parts is a number from 2 to 1024'
            USING ERRCODE = 'PAY01';
    END IF;

    FOR v_name IN SELECT c.name FROM cut c ORDER BY 1 LOOP
        IF (SELECT c.relkind FROM pg_class c
            WHERE c.oid = format('pay.%I', v_name)::regclass) <> 'r' THEN
            RAISE EXCEPTION 'pay.% is cut already', v_name
                USING ERRCODE = 'PAY01';
        END IF;

        EXECUTE format('LOCK TABLE pay.%I IN ACCESS EXCLUSIVE MODE', v_name);
    END LOOP;
END
$$;


-- The definitions of the objects that are made again below.

CREATE TEMP TABLE made ON COMMIT DROP AS
SELECT c.oid, c.relname::text AS name, c.relowner::regrole::text AS owner,
    array_to_string(c.reloptions, ', ') AS options
FROM pg_class c JOIN cut ON c.oid = format('pay.%I', cut.name)::regclass;

-- Those of the tables, and foreign keys to them.
CREATE TEMP TABLE made_constraint ON COMMIT DROP AS
SELECT k.conrelid::regclass::text AS on_table, k.conname::text AS name,
    k.contype AS type, pg_get_constraintdef(k.oid) AS text,
    ARRAY(SELECT a.attname::text
          FROM unnest(k.conkey) WITH ORDINALITY u (number, n)
          JOIN pg_attribute a ON a.attrelid = k.conrelid
              AND a.attnum = u.number
          ORDER BY u.n) AS columns
FROM pg_constraint k
WHERE k.contype IN ('p', 'u', 'f') AND k.conparentid = 0
    AND (k.conrelid IN (SELECT m.oid FROM made m)
         OR k.confrelid IN (SELECT m.oid FROM made m));

CREATE TEMP TABLE made_index ON COMMIT DROP AS
SELECT m.name AS on_table, i.indexrelid::regclass::text AS name,
    pg_get_indexdef(i.indexrelid) AS text, i.indisunique AS is_unique,
    obj_description(i.indexrelid, 'pg_class') AS about
FROM made m JOIN pg_index i ON i.indrelid = m.oid
WHERE NOT EXISTS (SELECT FROM pg_constraint k
                  WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u'));

CREATE TEMP TABLE made_trigger ON COMMIT DROP AS
SELECT m.name AS on_table, t.tgname::text AS name,
    pg_get_triggerdef(t.oid) AS text, t.tgenabled AS enabled,
    t.tgtype & 1 = 1 AS is_row
FROM made m JOIN pg_trigger t ON t.tgrelid = m.oid
WHERE NOT t.tgisinternal;

CREATE TEMP TABLE made_rows (name text, rows bigint) ON COMMIT DROP;


-- Functions and views that depend on the tables' row types: payctl migrate
-- makes them again.

DO $$
DECLARE
    v_what record;
BEGIN
    FOR v_what IN
        SELECT DISTINCT w.ev_class::regclass::text AS name
        FROM pg_depend d JOIN pg_rewrite w ON w.oid = d.objid
        WHERE d.classid = 'pg_rewrite'::regclass
            AND d.refclassid = 'pg_class'::regclass
            AND d.refobjid IN (SELECT m.oid FROM made m)
    LOOP
        EXECUTE format('DROP VIEW IF EXISTS %s CASCADE', v_what.name);
    END LOOP;

    FOR v_what IN
        SELECT DISTINCT d.objid::regprocedure::text AS name
        FROM made m
        JOIN pg_type t ON t.typrelid = m.oid
        JOIN pg_depend d ON d.refclassid = 'pg_type'::regclass
            AND d.refobjid IN (t.oid, t.typarray)
        WHERE d.classid = 'pg_proc'::regclass
    LOOP
        EXECUTE format('DROP FUNCTION IF EXISTS %s CASCADE', v_what.name);
    END LOOP;

    -- so that payctl migrate does
    DELETE FROM pay.schema_migration WHERE file = 'reapplied';
END
$$;


-- The tables.

DO $$
DECLARE
    v_parts int := current_setting('pay.parts')::int;
    v_what  record;
    v_made  record;
    v_rows  bigint;
BEGIN
    FOR v_what IN
        SELECT * FROM made_constraint k WHERE k.type = 'f'
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', v_what.on_table,
                       v_what.name);
    END LOOP;

    FOR v_made IN SELECT * FROM made m ORDER BY m.name LOOP
        EXECUTE format('ALTER TABLE pay.%I RENAME TO %I', v_made.name,
                       v_made.name || '_whole');
        EXECUTE format('CREATE TABLE pay.%I (LIKE pay.%I INCLUDING ALL'
                       ' EXCLUDING INDEXES EXCLUDING STATISTICS)'
                       ' PARTITION BY HASH (merchant_id)',
                       v_made.name, v_made.name || '_whole');
        EXECUTE format('ALTER TABLE pay.%I OWNER TO %s', v_made.name,
                       v_made.owner);

        FOR v_part IN 0 .. v_parts - 1 LOOP
            EXECUTE format(
                'CREATE TABLE pay.%I PARTITION OF pay.%I'
                ' FOR VALUES WITH (MODULUS %s, REMAINDER %s)%s',
                v_made.name || '_h' || v_part, v_made.name, v_parts, v_part,
                coalesce(' WITH (' || v_made.options || ')', ''));
            EXECUTE format('ALTER TABLE pay.%I OWNER TO %s',
                           v_made.name || '_h' || v_part, v_made.owner);
        END LOOP;

        EXECUTE format('INSERT INTO pay.%I SELECT * FROM pay.%I',
                       v_made.name, v_made.name || '_whole');
        GET DIAGNOSTICS v_rows = ROW_COUNT;
        INSERT INTO made_rows VALUES (v_made.name, v_rows);
        EXECUTE format('DROP TABLE pay.%I', v_made.name || '_whole');
    END LOOP;
END
$$;


-- Keys and indexes.  One that is unique over all merchants becomes one of its
-- merchant's, under its name and in the same order, so it still finds.

DO $$
DECLARE
    v_what record;
BEGIN
    FOR v_what IN
        SELECT k.*, 'merchant_id' = ANY (k.columns) AS is_merchants
        FROM made_constraint k
        ORDER BY array_position('{p,u,f}', k.type::text), k.name
    LOOP
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s', v_what.on_table,
            v_what.name, CASE WHEN v_what.type = 'f' OR v_what.is_merchants
                              THEN v_what.text
                              ELSE replace(v_what.text, ')',
                                           ', merchant_id)') END);
    END LOOP;

    FOR v_what IN SELECT * FROM made_index i ORDER BY i.name LOOP
        IF v_what.is_unique AND v_what.text !~ '\(merchant_id, ' THEN
            RAISE EXCEPTION '% is unique over all merchants: not known here',
                v_what.name USING ERRCODE = 'PAY20';
        END IF;

        EXECUTE replace(v_what.text, ' ON ONLY ', ' ON ');

        IF v_what.about IS NOT NULL THEN
            EXECUTE format('COMMENT ON INDEX %s IS %L', v_what.name,
                           v_what.about);
        END IF;
    END LOOP;
END
$$;


-- Values that are unique over all merchants.

SET LOCAL ROLE payments_owner;

CREATE TABLE pay.held_key (
    what   text COLLATE "C" NOT NULL
        CHECK (what IN ('handle', 'nonce', 'change')),
    -- of a nonce: the PSP
    psp    text COLLATE "C" NOT NULL,
    value  text COLLATE "C" NOT NULL,
    PRIMARY KEY (what, psp, value)
);

COMMENT ON TABLE pay.held_key IS
    'Values that are unique over all merchants, where tables are partitioned '
    'by merchant';

-- As ON CONFLICT DO NOTHING: a row whose key is taken is not inserted; an
-- update to a key that is taken fails, as before.  A checkout that is then not
-- inserted because of its id leaves a handle and a nonce that no checkout has;
-- another checkout that wants the nonce gets its UUID instead.
CREATE FUNCTION pay.hold_key() RETURNS trigger
LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
BEGIN
    INSERT INTO held_key (what, psp, value)
    VALUES (TG_ARGV[0],
        CASE TG_ARGV[0] WHEN 'nonce' THEN to_jsonb(NEW) ->> 'psp' ELSE '' END,
        to_jsonb(NEW) ->> TG_ARGV[1])
    ON CONFLICT DO NOTHING;

    IF FOUND THEN
        RETURN NEW;
    END IF;

    IF TG_OP = 'UPDATE' THEN
        RAISE EXCEPTION '% of % is taken', TG_ARGV[1], TG_TABLE_NAME
            USING ERRCODE = 'unique_violation';
    END IF;

    RETURN NULL;
END
$$;
COMMENT ON FUNCTION pay.hold_key IS
    'Keeps a key that is unique over all merchants, or the row out';

CREATE FUNCTION pay.release_key() RETURNS trigger
LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
BEGIN
    DELETE FROM held_key h
    WHERE h.what = TG_ARGV[0]
        AND h.psp = CASE TG_ARGV[0] WHEN 'nonce' THEN to_jsonb(OLD) ->> 'psp'
                                    ELSE '' END
        AND h.value = to_jsonb(OLD) ->> TG_ARGV[1];
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION pay.release_key IS
    'Lets a key go with its row, or with its row''s old PSP';

INSERT INTO pay.held_key SELECT 'handle', '', c.handle FROM pay.checkout c;
INSERT INTO pay.held_key SELECT 'nonce', c.psp, c.nonce
FROM pay.checkout c;
INSERT INTO pay.held_key SELECT 'change', '', c.change_id FROM pay.change c;

-- in the order of their names: begin_payment tries again with another nonce,
-- so that one is asked for before the handle is taken
CREATE TRIGGER zy_hold_key BEFORE INSERT ON pay.checkout
    FOR EACH ROW EXECUTE FUNCTION pay.hold_key('nonce', 'nonce');
CREATE TRIGGER zz_hold_key BEFORE INSERT ON pay.checkout
    FOR EACH ROW EXECUTE FUNCTION pay.hold_key('handle', 'handle');
CREATE TRIGGER zz_release_key AFTER DELETE ON pay.checkout
    FOR EACH ROW EXECUTE FUNCTION pay.release_key('handle', 'handle');
CREATE TRIGGER zz_move_key BEFORE UPDATE OF psp ON pay.checkout
    FOR EACH ROW WHEN (NEW.psp <> OLD.psp)
    EXECUTE FUNCTION pay.hold_key('nonce', 'nonce');
CREATE TRIGGER zy_release_key AFTER DELETE ON pay.checkout
    FOR EACH ROW EXECUTE FUNCTION pay.release_key('nonce', 'nonce');
CREATE TRIGGER zz_leave_key AFTER UPDATE OF psp ON pay.checkout
    FOR EACH ROW WHEN (NEW.psp <> OLD.psp)
    EXECUTE FUNCTION pay.release_key('nonce', 'nonce');
CREATE TRIGGER zz_hold_key BEFORE INSERT ON pay.change
    FOR EACH ROW EXECUTE FUNCTION pay.hold_key('change', 'change_id');
CREATE TRIGGER zz_release_key AFTER DELETE ON pay.change
    FOR EACH ROW EXECUTE FUNCTION pay.release_key('change', 'change_id');

ALTER TABLE pay.checkout ENABLE ALWAYS TRIGGER zy_hold_key,
    ENABLE ALWAYS TRIGGER zz_hold_key,
    ENABLE ALWAYS TRIGGER zz_move_key,
    ENABLE ALWAYS TRIGGER zy_release_key,
    ENABLE ALWAYS TRIGGER zz_release_key,
    ENABLE ALWAYS TRIGGER zz_leave_key;
ALTER TABLE pay.change ENABLE ALWAYS TRIGGER zz_hold_key,
    ENABLE ALWAYS TRIGGER zz_release_key;

RESET ROLE;


-- Triggers.  A statement trigger fires for the named table only, so each
-- partition gets it, too.

DO $$
DECLARE
    v_what  record;
    v_table text;
BEGIN
    FOR v_what IN SELECT * FROM made_trigger t ORDER BY t.name LOOP
        FOR v_table IN
            SELECT p.relid::regclass::text
            FROM pg_partition_tree(format('pay.%I', v_what.on_table)::regclass)
                p
            WHERE p.level = 0 OR NOT v_what.is_row
        LOOP
            EXECUTE replace(v_what.text,
                format(' ON pay.%I ', v_what.on_table),
                format(' ON %s ', v_table));
        END LOOP;
    END LOOP;

    FOR v_what IN
        SELECT t.tgrelid::regclass::text AS on_table, t.tgname AS name,
            m.enabled
        FROM made_trigger m
        CROSS JOIN LATERAL pg_partition_tree(
            format('pay.%I', m.on_table)::regclass) p
        JOIN pg_trigger t ON t.tgrelid = p.relid AND t.tgname = m.name
        WHERE t.tgenabled <> m.enabled
    LOOP
        EXECUTE format('ALTER TABLE %s %s TRIGGER %I', v_what.on_table,
            CASE v_what.enabled WHEN 'A' THEN 'ENABLE ALWAYS'
                WHEN 'R' THEN 'ENABLE REPLICA' WHEN 'D' THEN 'DISABLE'
                ELSE 'ENABLE' END, v_what.name);
    END LOOP;
END
$$;


-- Statistics.  Autovacuum counts each partition and never the table that they
-- make up: without them a planner takes an empty table for a large one.

DO $$
DECLARE
    v_name text;
BEGIN
    FOR v_name IN SELECT c.name FROM cut c ORDER BY 1 LOOP
        EXECUTE format('ANALYZE pay.%I', v_name);
    END LOOP;
END
$$;

\echo 'rows of each table that was cut:'
SELECT r.name, r.rows FROM made_rows r ORDER BY r.name;

COMMIT;

\echo 'now: payctl migrate'
