-- Models of risk that a person has promoted, and the age of decisions as an
-- index, by which payctl risk export and replay read a range of time.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The newest row of a name is the one that counts.  sha256 and report_sha256
-- are of the bytes of the model's file and of the report about it.
CREATE TABLE risk_promotion (
    promotion_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name           text COLLATE "C" NOT NULL CHECK (name ~ '^[!-~]{1,64}$'),
    sha256         text COLLATE "C" NOT NULL
        CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    report_sha256  text COLLATE "C" CHECK (report_sha256 ~ '^[0-9a-f]{64}$'),
    who            filled NOT NULL,
    why            filled NOT NULL,
    at             timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TRIGGER risk_promotion_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON risk_promotion FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('promotions are append-only', 'PAY20');
ALTER TABLE risk_promotion ENABLE ALWAYS TRIGGER risk_promotion_append_only;
COMMENT ON TABLE risk_promotion IS
    'Models of risk that a person has promoted, with who and why';

-- decisions come in the sequence of their time, so that a page of this index
-- stands for many pages of them, and no sale pays for it
CREATE INDEX risk_decision_time ON risk_decision USING brin (at)
    WITH (pages_per_range = 32, autosummarize = on);

RESET ROLE;
