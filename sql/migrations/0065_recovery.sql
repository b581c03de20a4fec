-- After a restore to an earlier moment, PSPs know payments that the database
-- does not know.  A recovery has their lists read again and keeps the storefronts
-- waiting until it has ended (functions/78_recover.sql, docs/operations.md).

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- since: the moment that was restored.  seal, message: the newest number of the
-- event log's seals, and of the messages for storefronts, when it began; those
-- that were made behind them are lost, and their numbers are given again.
CREATE TABLE recovery (
    recovery_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    since        timestamptz NOT NULL CHECK (isfinite(since)),
    begun_at     timestamptz NOT NULL DEFAULT now(),
    begun_by     text NOT NULL,
    seal         bigint NOT NULL,
    message      bigint NOT NULL,
    ended_at     timestamptz,
    ended_by     text,
    ended_why    text,
    CHECK ((ended_at IS NULL) = (ended_by IS NULL)),
    CHECK (since <= begun_at)
);
COMMENT ON TABLE recovery IS
    'Restores to an earlier moment, and the searches at the PSPs that followed';

-- one at a time
CREATE UNIQUE INDEX recovery_open ON recovery ((true)) WHERE ended_at IS NULL;
