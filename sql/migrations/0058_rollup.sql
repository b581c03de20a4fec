-- Roll-ups for the console's plots: payments by the time of their creation,
-- counted by minute, quarter of an hour, hour and day.  The functions are those
-- of 98_rollup.sql; docs/console.md describes the figures.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- below: the level that a level is added up of.  keep: the age at which rows of
-- a level end.  Quarters exist for the time zones that are 30 or 45 minutes off.
CREATE TABLE rollup_level (
    level  text COLLATE "C" PRIMARY KEY
        CHECK (level IN ('minute', 'quarter', 'hour', 'day')),
    rank   int NOT NULL UNIQUE,
    width  interval NOT NULL,
    keep   interval
);
COMMENT ON TABLE rollup_level IS
    'The widths of buckets of roll-ups, and how long each is kept';

INSERT INTO rollup_level (level, rank, width, keep) VALUES
    ('minute', 1, '1 minute', '8 days'),
    ('quarter', 2, '15 minutes', '100 days'),
    ('hour', 3, '1 hour', '800 days'),
    ('day', 4, '1 day', NULL);


-- Payments that were created in the bucket, by their outcome.  success, failed
-- (without expired), expired, not_started and executing add up to all.
-- captured: the amounts of those that succeeded.  method: -, none was named.  approved, declined: attempts
-- to pay.  declines: payments by the code of their last declined attempt.
-- registered, called: histograms of times, see rollup_edges(); a JSON object
-- holds the counts of the classes that have any.
CREATE TABLE rollup (
    level        text COLLATE "C" NOT NULL REFERENCES rollup_level,
    merchant_id  id NOT NULL,
    bucket       timestamptz NOT NULL,
    psp          id NOT NULL,
    method       text COLLATE "C" NOT NULL,
    currency     currency_code NOT NULL,
    success      bigint NOT NULL,
    failed       bigint NOT NULL,
    expired      bigint NOT NULL,
    not_started  bigint NOT NULL,
    executing    bigint NOT NULL,
    captured_minor     numeric NOT NULL,
    not_started_minor  numeric NOT NULL,
    executing_minor    numeric NOT NULL,
    approved     bigint NOT NULL,
    declined     bigint NOT NULL,
    declines     jsonb NOT NULL,
    registered   jsonb NOT NULL,
    called       jsonb NOT NULL,
    PRIMARY KEY (level, merchant_id, bucket, psp, method, currency)
) WITH (fillfactor = 80);
COMMENT ON TABLE rollup IS
    'Payments by the time of their creation, counted in buckets';
-- Open money of long ago is looked for without reading all days since then.
CREATE INDEX rollup_open ON rollup (level, merchant_id, bucket)
    WHERE not_started > 0 OR executing > 0;


-- Minutes that have changed since they were counted: since when, and when they
-- are counted again.
CREATE TABLE rollup_due (
    merchant_id  id NOT NULL,
    minute       timestamptz NOT NULL,
    marked_at    timestamptz NOT NULL DEFAULT now(),
    due_at       timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, minute)
);
COMMENT ON TABLE rollup_due IS
    'Minutes of roll-ups that are to be counted again';
CREATE INDEX rollup_due_at ON rollup_due (due_at);

-- counted_at: all changes before it are counted, in seconds since 1970.
INSERT INTO round (name, run_at, counts)
SELECT 'rollup', now(), jsonb_build_object('due', 0, 'counted_at',
    floor(extract(epoch FROM now()))::bigint);


INSERT INTO console_right (page, role)
SELECT p.page, r.role
FROM (VALUES
    ('plots', 'viewer support operations finance finance-approver risk admin '
              'auditor'),
    ('flight', 'viewer support operations finance finance-approver risk admin '
               'auditor'),
    ('waterfall', 'viewer finance finance-approver auditor'),
    ('lines', 'viewer finance finance-approver auditor')) AS p (page, roles)
CROSS JOIN LATERAL regexp_split_to_table(p.roles, ' ') AS r (role);
