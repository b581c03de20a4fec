-- Rates of exchange, as the configured sources gave them last.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Currencies that ISO 4217 has withdrawn stay, so that old orders can be read
-- and paid back; no new order is taken in them.
ALTER TABLE currency ADD is_current boolean NOT NULL DEFAULT true;
UPDATE currency SET is_current = false WHERE code IN ('ANG', 'BGN');


-- A source is read by one worker of all nodes at a time, under a lease, when
-- run_at has come.  max_age: how long its rates are good for.
CREATE TABLE rate_source (
    source       id PRIMARY KEY,
    base         text COLLATE "C" CHECK (octet_length(base) = 3),
    max_age      interval NOT NULL DEFAULT '5 minutes'
        CHECK (max_age > interval '0'),
    run_at       timestamptz NOT NULL DEFAULT now(),
    lease_owner  text,
    lease_until  timestamptz,
    fetched_at   timestamptz,
    runs         bigint NOT NULL DEFAULT 0,
    failures     bigint NOT NULL DEFAULT 0,
    code         text,
    CHECK ((lease_owner IS NULL) = (lease_until IS NULL)),
    CHECK ((base IS NULL) = (fetched_at IS NULL))
) WITH (fillfactor = 50);

-- One of the source's base is worth `rate` of quote: at most 12 significant
-- digits.  All rows of a source came together.
CREATE TABLE rate (
    source      id NOT NULL REFERENCES rate_source,
    quote       text COLLATE "C" NOT NULL CHECK (octet_length(quote) = 3),
    base        text COLLATE "C" NOT NULL CHECK (octet_length(base) = 3),
    rate        numeric NOT NULL
        CHECK (rate BETWEEN 0.000000000001 AND 999999999999),
    fetched_at  timestamptz NOT NULL,
    PRIMARY KEY (source, quote),
    CHECK (quote <> base)
) WITH (fillfactor = 50);

RESET ROLE;
