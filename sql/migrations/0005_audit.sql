-- The event log as evidence: each event holds the hash of itself and of the
-- one before it, the log is partitioned by month, and seals (Merkle trees
-- over the newest hashes, signed by the gateway) follow behind.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;

DO $$
BEGIN
    IF current_setting('server_encoding') <> 'UTF8' THEN
        RAISE EXCEPTION 'the hashes are over UTF-8, this database is %',
            current_setting('server_encoding') USING ERRCODE = 'PAY01';
    END IF;
END
$$;


-- The timeline, append-only for every role.  seq runs from 1 without a gap. tx
-- is the transaction that made the event, or that of the event before it if
-- that one is newer: it never falls along a timeline, and by it seals know
-- which events they cover.  Each month has a partition, made ahead by
-- make_partitions(); an event without a partition lands in event_default, and
-- checks/event_default.sql reports it.
DROP VIEW IF EXISTS pay_view.timeline;
ALTER TABLE event RENAME TO event_before;

CREATE TABLE event (
    merchant_id       id NOT NULL,
    payment_order_id  id NOT NULL,
    seq               ordinal NOT NULL,
    at                timestamptz NOT NULL,
    tx                whole NOT NULL,
    kind              filled NOT NULL,
    actor             event_actor NOT NULL,
    old_status        order_status,
    new_status        order_status NOT NULL,
    reason            text COLLATE "C",
    detail            jsonb NOT NULL DEFAULT '{}',
    request_id        text,
    hash              hash NOT NULL,
    CONSTRAINT event_key PRIMARY KEY (merchant_id, payment_order_id, seq, at),
    CONSTRAINT event_begins CHECK ((seq = 1) = (old_status IS NULL))
) PARTITION BY RANGE (at);

CREATE TABLE event_default PARTITION OF event DEFAULT;
ALTER TABLE event_default SET (autovacuum_analyze_threshold = 1000,
                               autovacuum_vacuum_insert_threshold = 500000,
                               autovacuum_vacuum_insert_scale_factor = 0);

-- For the sealer: the events since the last seal.  It costs a writing session
-- next to nothing; the range that is not summarized yet is read whole, so that
-- must be small (make_partition() has the thresholds).
CREATE INDEX event_tx ON event USING brin (tx) WITH (autosummarize = on);
-- for operators, who look for a request by the time in its id
CREATE INDEX event_at ON event USING brin (at) WITH (autosummarize = on);


-- Never to be changed: a verifier outside the database computes the same.
CREATE FUNCTION iso_micros(p_at timestamptz) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
END
$$;
COMMENT ON FUNCTION iso_micros IS
    'A moment as hashes and exports have it: UTC, microseconds';

-- Inlined only as long as all in it is immutable: int || text is not.
CREATE FUNCTION hash_field(p_value text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce(octet_length(p_value)::text || ':'::text || p_value
                || ','::text, '-,'::text)
$$;
COMMENT ON FUNCTION hash_field IS
    'A member of the hashed text: its length, itself; NULL is -,';

-- The hash covers the event's members, not its own column.  This is on the path
-- of every payment: an inlined expression costs a tenth of a call.
CREATE FUNCTION event_bytes(p_previous bytea, p_event pay.event) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_previous text := coalesce(encode(p_previous, 'hex'), '');
    v_seq      text := p_event.seq;
    v_at       text := pay.iso_micros(p_event.at);
    v_tx       text := p_event.tx;
    v_detail   text := p_event.detail;
BEGIN
    RETURN pay.hash_field(v_previous)
        || pay.hash_field(p_event.merchant_id)
        || pay.hash_field(p_event.payment_order_id)
        || pay.hash_field(v_seq)
        || pay.hash_field(v_at)
        || pay.hash_field(v_tx)
        || pay.hash_field(p_event.kind)
        || pay.hash_field(p_event.actor)
        || pay.hash_field(p_event.old_status)
        || pay.hash_field(p_event.new_status)
        || pay.hash_field(p_event.reason)
        || pay.hash_field(v_detail)
        || pay.hash_field(p_event.request_id);
END
$$;
COMMENT ON FUNCTION event_bytes IS
    'The text that an event''s hash is over, each member with its length, '
    'NULL as -; p_previous: the hash before it, NULL for an order''s first';

CREATE FUNCTION event_hash(p_previous bytea, p_event pay.event) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN sha256(convert_to(pay.event_bytes(p_previous, p_event), 'UTF8'));
END
$$;
COMMENT ON FUNCTION event_hash IS 'The value that an event''s hash must have';


-- Events that were there already are chained now, all of them by this
-- transaction.  make_partitions() takes them out of event_default afterwards
-- (16_audit.sql).
INSERT INTO event
WITH RECURSIVE plain AS NOT MATERIALIZED (
    SELECT b.merchant_id, b.payment_order_id, b.seq,
        ROW(b.merchant_id, b.payment_order_id, b.seq, b.at,
            pg_current_xact_id()::text::bigint, b.kind, b.actor,
            b.old_status, b.new_status, b.reason, b.detail, b.request_id,
            NULL)::event AS e
    FROM event_before b
), chain AS (
    SELECT p.e, event_hash(NULL, p.e) AS hash FROM plain p WHERE p.seq = 1
    UNION ALL
    SELECT p.e, event_hash(c.hash, p.e)
    FROM chain c
    JOIN plain p ON p.merchant_id = (c.e).merchant_id
        AND p.payment_order_id = (c.e).payment_order_id
        AND p.seq = (c.e).seq + 1
)
SELECT (c.e).merchant_id, (c.e).payment_order_id, (c.e).seq, (c.e).at,
    (c.e).tx, (c.e).kind, (c.e).actor, (c.e).old_status, (c.e).new_status,
    (c.e).reason, (c.e).detail, (c.e).request_id, c.hash
FROM chain c;

DO $$
BEGIN
    IF (SELECT count(*) FROM event) <> (SELECT count(*) FROM event_before)
    THEN
        RAISE EXCEPTION 'a timeline has a gap: see sql/checks/event_gap.sql'
            USING ERRCODE = 'PAY20';
    END IF;
END
$$;

DROP TABLE event_before;

CREATE TRIGGER event_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON event
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('the log is append-only', 'PAY20');
ALTER TABLE event ENABLE ALWAYS TRIGGER event_append_only;

-- a statement that names a partition fires this one
CREATE TRIGGER event_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON event_default
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('the log is append-only', 'PAY20');
ALTER TABLE event_default ENABLE ALWAYS TRIGGER event_append_only;


-- Hash and tx of the order's newest event: the next one goes on from here.
ALTER TABLE payment_order
    ADD head hash,
    ADD head_tx bigint;

UPDATE payment_order o
SET head = e.hash, head_tx = e.tx
FROM event e
WHERE e.merchant_id = o.merchant_id
    AND e.payment_order_id = o.payment_order_id AND e.seq = o.version;

ALTER TABLE payment_order ALTER head SET NOT NULL, ALTER head_tx SET NOT NULL;

CREATE TRIGGER payment_order_head
    BEFORE UPDATE OF version, head, head_tx ON payment_order FOR EACH ROW
    WHEN (NEW.version < OLD.version OR NEW.head_tx < OLD.head_tx
          OR (NEW.head <> OLD.head) <> (NEW.version <> OLD.version))
    EXECUTE FUNCTION refuse_change(
        'versions grow, and a head has its version', 'PAY11');
ALTER TABLE payment_order ENABLE ALWAYS TRIGGER payment_order_head;


-- The newest event of an order that was dropped with its month, see
-- pay_ops.drop_month(): its chain goes on from here.
CREATE TABLE event_anchor (
    merchant_id       id NOT NULL,
    payment_order_id  id NOT NULL,
    seq               int NOT NULL CHECK (seq >= 1),
    hash              bytea NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (merchant_id, payment_order_id)
);

CREATE TRIGGER event_anchor_kept
    BEFORE DELETE OR TRUNCATE ON event_anchor
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('anchors stay', 'PAY20');
ALTER TABLE event_anchor ENABLE ALWAYS TRIGGER event_anchor_kept;

CREATE TRIGGER event_anchor_grows
    BEFORE UPDATE ON event_anchor FOR EACH ROW
    WHEN ((NEW.merchant_id, NEW.payment_order_id)
          IS DISTINCT FROM (OLD.merchant_id, OLD.payment_order_id)
          OR NEW.seq <= OLD.seq)
    EXECUTE FUNCTION refuse_change('anchors move ahead', 'PAY20');
ALTER TABLE event_anchor ENABLE ALWAYS TRIGGER event_anchor_grows;

-- The months that are gone, which operator dropped them, and why. first_seal:
-- from this one on the log has every event that the seals cover.
CREATE TABLE dropped_month (
    month       date PRIMARY KEY CHECK (extract(day FROM month) = 1),
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    events      bigint NOT NULL,
    max_tx      bigint NOT NULL,
    first_seal  bigint NOT NULL,
    who         filled NOT NULL,
    why         filled NOT NULL
);

CREATE TRIGGER dropped_month_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON dropped_month
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('what was done was done', 'PAY20');
ALTER TABLE dropped_month ENABLE ALWAYS TRIGGER dropped_month_append_only;


-- The signed statements of the gateway about the log.  A seal covers the newest
-- event of each order that the transactions from from_tx up to, and without,
-- until_tx have written to, as a leaf of a Merkle tree; message states this,
-- together with the digest of the message before it, and is signed.  Only the
-- newest seal may be without its signature: the next worker signs the same
-- message.
CREATE TABLE seal (
    number     bigint PRIMARY KEY CHECK (number >= 1),
    from_tx    bigint NOT NULL,
    until_tx   bigint NOT NULL,
    at         timestamptz NOT NULL,
    count      int NOT NULL CHECK (count >= 1),
    root       bytea NOT NULL CHECK (octet_length(root) = 32),
    previous   bytea NOT NULL CHECK (octet_length(previous) = 32),
    message    text NOT NULL,
    key_id     id,
    signature  bytea CHECK (octet_length(signature) = 64),
    CHECK (from_tx < until_tx),
    CHECK ((key_id IS NULL) = (signature IS NULL))
);

CREATE UNIQUE INDEX seal_unsigned ON seal ((1)) WHERE signature IS NULL;

-- Without a foreign key, which would ask for the seal once for each leaf:
-- checks/seal_leaf.sql compares.
CREATE TABLE seal_leaf (
    number            bigint NOT NULL,
    position          int NOT NULL CHECK (position >= 1),
    merchant_id       id NOT NULL,
    payment_order_id  id NOT NULL,
    seq               int NOT NULL CHECK (seq >= 1),
    hash              bytea NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (number, position)
);

CREATE TRIGGER seal_kept
    BEFORE DELETE OR TRUNCATE ON seal
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('seals are append-only', 'PAY20');
ALTER TABLE seal ENABLE ALWAYS TRIGGER seal_kept;

-- It is signed once, and nothing else of it ever changes.
CREATE TRIGGER seal_signed
    BEFORE UPDATE ON seal FOR EACH ROW
    WHEN (OLD.signature IS NOT NULL OR NEW.signature IS NULL
          OR (NEW.number, NEW.from_tx, NEW.until_tx, NEW.at, NEW.count,
              NEW.root, NEW.previous, NEW.message)
          IS DISTINCT FROM
          (OLD.number, OLD.from_tx, OLD.until_tx, OLD.at, OLD.count,
           OLD.root, OLD.previous, OLD.message))
    EXECUTE FUNCTION refuse_change('seals are append-only', 'PAY20');
ALTER TABLE seal ENABLE ALWAYS TRIGGER seal_signed;

CREATE TRIGGER seal_leaf_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON seal_leaf
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('seals are append-only', 'PAY20');
ALTER TABLE seal_leaf ENABLE ALWAYS TRIGGER seal_leaf_append_only;

ALTER TABLE round ADD lease_owner text COLLATE "C", ADD lease_until timestamptz,
    ADD CHECK ((lease_owner IS NULL) = (lease_until IS NULL));
INSERT INTO round (name, run_at) VALUES ('seal', now());

RESET ROLE;
