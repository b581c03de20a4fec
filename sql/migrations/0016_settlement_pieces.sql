-- How far a long work has come that is done in pieces, each in a transaction of
-- its own: the end of a settlement file, sums of the ledger, and the entries that
-- no file has brought; and the copies of files, which are kept piece by piece.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The encrypted copy of a file, in pieces of 64 KiB as they were read; that of
-- its last attempt counts.  kid: the key under which the gateway sealed a piece;
-- PostgreSQL never has the key.  A nonce is used once under a key.
CREATE TABLE settlement_copy (
    file_id  bigint NOT NULL REFERENCES settlement_file,
    attempt  ordinal NOT NULL,
    number   ordinal NOT NULL,
    is_last  boolean NOT NULL,
    kid      text COLLATE "C" NOT NULL
        CHECK (kid ~ '^[A-Za-z0-9._-]{1,63}$'),
    nonce    bytea NOT NULL CHECK (octet_length(nonce) = 12),
    bytes    bytea NOT NULL CHECK (octet_length(bytes) BETWEEN 16 AND 65552),
    kept_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (file_id, attempt, number),
    UNIQUE (kid, nonce)
);

-- sealed bytes cannot be compressed
ALTER TABLE settlement_copy ALTER bytes SET STORAGE EXTERNAL;

CREATE TRIGGER settlement_copy_append_only
    BEFORE UPDATE OR TRUNCATE ON settlement_copy
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('copies of files are append-only',
                                   'PAY20');
ALTER TABLE settlement_copy ENABLE ALWAYS TRIGGER settlement_copy_append_only;


-- How far the end of a file has come, in steps of a bounded number of rows, when
-- all its parts are booked.  queue_after: exceptions up to this one are matched
-- again; queue_until: the last one of the slice that is under way;
-- is_last_slice: none waited behind it when the slice began.  rows_after: rows
-- of earlier versions up to this one are looked for; gone: the file lacks so
-- many of them.
CREATE TABLE settlement_end (
    file_id        bigint PRIMARY KEY REFERENCES settlement_file,
    queue_after    bigint NOT NULL DEFAULT 0,
    queue_until    bigint NOT NULL DEFAULT 0,
    is_last_slice  boolean NOT NULL DEFAULT false,
    rows_after     bigint NOT NULL DEFAULT 0,
    gone           whole NOT NULL DEFAULT 0
) WITH (fillfactor = 50);


-- The ledger and the rows of files are added up piece by piece, from time to
-- time: for the next close, and for the balance of a PSP.  Counted are entries
-- and rows that were committed before until_tx and came before until_at, and
-- were not before from_tx and from_at (NULL: there was nothing before); up to
-- next_at so far.  width: of the last piece.  open_after: open exceptions up to
-- this one are counted; NULL: they are not asked for.
CREATE TABLE settlement_tally (
    name        text COLLATE "C" PRIMARY KEY
        CHECK (name IN ('close', 'balance')),
    day         date,
    from_at     timestamptz,
    from_tx     xid8,
    until_at    timestamptz NOT NULL,
    until_tx    xid8 NOT NULL,
    next_at     timestamptz NOT NULL,
    width       interval NOT NULL,
    open_after  bigint,
    is_done     boolean NOT NULL DEFAULT false,
    CHECK ((name = 'close') = (day IS NOT NULL)),
    CHECK ((from_at IS NULL) = (from_tx IS NULL))
) WITH (fillfactor = 50);

CREATE TABLE settlement_tally_line (
    name         text COLLATE "C" NOT NULL,
    merchant_id  id NOT NULL,
    psp          id NOT NULL,
    currency     currency_code NOT NULL,
    item         text COLLATE "C" NOT NULL,
    count        bigint NOT NULL,
    minor        numeric NOT NULL,
    PRIMARY KEY (name, merchant_id, psp, currency, item)
) WITH (fillfactor = 50);


-- Entries that no file has brought yet, counted by the hour (UTC) in which they
-- were booked: counting them anew for each reader would read all of them.
-- is_final: all entries of the hour have come in files, for good.
CREATE TABLE settlement_hour (
    hour        timestamptz PRIMARY KEY,
    counted_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    is_final    boolean NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE settlement_aged (
    merchant_id   id NOT NULL,
    hour          timestamptz NOT NULL,
    psp           id NOT NULL,
    family        text COLLATE "C" NOT NULL,
    currency      currency_code NOT NULL,
    overdue_days  int NOT NULL,
    entries       bigint NOT NULL,
    minor         numeric NOT NULL,
    oldest_at     timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, hour, psp, family, currency)
) WITH (fillfactor = 50);

CREATE INDEX settlement_aged_hour ON settlement_aged (hour);

-- The hour whose entries are being counted, if there is one, piece by piece: those
-- before next_at are.
CREATE TABLE settlement_count (
    is_only   boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    hour      timestamptz NOT NULL,
    begun_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    next_at   timestamptz NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE settlement_count_line (
    merchant_id   id NOT NULL,
    psp           id NOT NULL,
    family        text COLLATE "C" NOT NULL,
    currency      currency_code NOT NULL,
    overdue_days  int NOT NULL,
    entries       bigint NOT NULL,
    minor         numeric NOT NULL,
    oldest_at     timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, psp, family, currency)
) WITH (fillfactor = 50);

RESET ROLE;
