-- Hits, keys and windows of begin_payment come as rows in place of lists in a
-- document, which PostgreSQL took apart several times for each payment.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- A row has the same place in all arrays of its kind; item: of begin_payment's
-- batch.
CREATE TYPE risk_rows AS (
    hit_item          bigint[],
    hit_name          text[],
    hit_word          text[],
    hit_shadow        bigint[],
    key_item          bigint[],
    key_kind          text[],
    key_value         text[],
    window_item       bigint[],
    window_name       text[],
    window_key        text[],
    window_hash       text[],
    window_hours      bigint[],
    window_measure    text[],
    window_threshold  bigint[],
    window_currency   text[],
    window_word       text[],
    window_shadow     bigint[]
);
COMMENT ON TYPE risk_rows IS
    'Findings of the gateway about items of begin_payment';

CREATE TYPE risk_findings AS (
    items    int[],
    bys      text[],
    words    text[],
    shadows  boolean[],
    hits     jsonb[]
);
COMMENT ON TYPE risk_findings IS
    'Findings of lists and windows about items of begin_payment';

-- The age of a counter is only for the purge, and its index has a page for each
-- range of pages instead of an entry for each key and hour.
DROP INDEX risk_counter_age;
CREATE INDEX risk_counter_age ON risk_counter USING brin (hour)
    WITH (pages_per_range = 32, autosummarize = on);

DROP FUNCTION IF EXISTS pay.risk_hit_ok(jsonb);
DROP FUNCTION IF EXISTS pay.risk_window_ok(jsonb);
DROP FUNCTION IF EXISTS pay.risk_lists_ok(jsonb);
DROP FUNCTION IF EXISTS pay.risk_windows(int[], text[], text[], bigint[],
    jsonb[]);
DROP FUNCTION IF EXISTS pay.count_attempts(int[], text[], text[], bigint[],
    jsonb[]);
DROP FUNCTION IF EXISTS pay.window_hits(int[], text[], text[], bigint[],
    jsonb[]);
DROP FUNCTION IF EXISTS pay.list_hits(int[], text[], jsonb[]);
DROP FUNCTION IF EXISTS pay.judge_risk(int[], text[], text[], bigint[],
    jsonb[]);
DROP FUNCTION IF EXISTS pay.keep_decisions(int[], text[], text[], text[],
    bigint[], jsonb[]);
DROP FUNCTION IF EXISTS pay.look_at_risk(int[], int[], text[], text[], text[],
    text[], bigint[], bigint[], text[], jsonb[], jsonb[]);

RESET ROLE;
