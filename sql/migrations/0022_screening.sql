-- Sanctions lists, and the screening of pay-outs by the names of account
-- holders.  PostgreSQL keeps digests of the words of a name, and no name.  The
-- functions are those of 96_screening.sql.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- With the words of names in their digests, so that digests of other databases
-- do not fit.
CREATE TABLE screening_salt (
    is_one  boolean PRIMARY KEY CHECK (is_one),
    salt    hash NOT NULL
);
INSERT INTO screening_salt (is_one, salt)
VALUES (true, sha256((gen_random_uuid()::text
                      || gen_random_uuid()::text)::bytea));

-- A merchant with is_on pays nobody out who is not screened by these lists, of
-- which none is older.
CREATE TABLE screening_policy (
    merchant_id    id PRIMARY KEY,
    is_on          boolean NOT NULL,
    lists          text[] NOT NULL
        CHECK (lists <@ '{ofac,eu}' AND lists <> '{}'),
    max_age_hours  int NOT NULL CHECK (max_age_hours BETWEEN 1 AND 720)
);

-- The imports, append-only.  The names are those of the newest one of each list.
CREATE TABLE sanction_list (
    version      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    list         text COLLATE "C" NOT NULL CHECK (list IN ('ofac', 'eu')),
    sha256       hash NOT NULL,
    names        ordinal NOT NULL,
    entries      ordinal NOT NULL,
    imported_by  filled NOT NULL,
    imported_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX sanction_list_newest ON sanction_list (list, version);
CREATE TRIGGER sanction_list_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON sanction_list FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('imports are append-only', 'PAY20');
ALTER TABLE sanction_list ENABLE ALWAYS TRIGGER sanction_list_append_only;

CREATE TABLE sanction_name (
    list      text COLLATE "C" NOT NULL,
    entry_id  text COLLATE "C" NOT NULL,
    name      filled NOT NULL,
    -- digests of its words
    words     bytea[] NOT NULL CHECK (words <> '{}'),
    PRIMARY KEY (list, entry_id, name)
);
CREATE INDEX sanction_name_words ON sanction_name USING gin (words);

-- The words of the holder's name; NULL: it is not known.
ALTER TABLE payout_destination ADD name_words bytea[];

-- A finding that operators have looked at: this account is not that entry.
-- name empty: the account has no name.
CREATE TABLE screening_clearance (
    merchant_id     id NOT NULL,
    destination_id  id NOT NULL,
    version         ordinal NOT NULL,
    list            text COLLATE "C" NOT NULL,
    entry_id        text COLLATE "C" NOT NULL,
    name            text COLLATE "C" NOT NULL,
    asked_by        filled NOT NULL,
    asked_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    cleared_by      filled,
    cleared_at      timestamptz,
    PRIMARY KEY (merchant_id, destination_id, version, list, entry_id, name),
    FOREIGN KEY (merchant_id, destination_id, version)
        REFERENCES payout_destination,
    CHECK (cleared_by <> asked_by),
    CHECK ((cleared_by IS NULL) = (cleared_at IS NULL))
);
CREATE TRIGGER screening_clearance_kept
    BEFORE DELETE OR TRUNCATE ON screening_clearance FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('clearances are kept', 'PAY20');
ALTER TABLE screening_clearance
    ENABLE ALWAYS TRIGGER screening_clearance_kept;

-- Acts about screening are those of a subject that merchants do not read.
ALTER TABLE payout_act DROP CONSTRAINT payout_act_subject_check;
ALTER TABLE payout_act ADD CONSTRAINT payout_act_subject_check
    CHECK (subject IN ('payout', 'batch', 'destination', 'order', 'seller',
                       'provider', 'policy', 'schedule', 'calendar',
                       'screening'));

RESET ROLE;
