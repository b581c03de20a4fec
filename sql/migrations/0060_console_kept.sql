-- For pages of the console: the results of payctl check, which reads all of the
-- books, as no page may; and the deadline for evidence in a dispute.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE TABLE check_result (
    name        text COLLATE "C" PRIMARY KEY
        CHECK (name ~ '^[a-z][a-z0-9_]{0,62}$'),
    at          timestamptz NOT NULL,
    violations  whole NOT NULL
);
COMMENT ON TABLE check_result IS
    'How many rows each check of the books had when payctl last ran it';


-- Until when a PSP takes evidence in a dispute, as it has said.
ALTER TABLE dispute ADD COLUMN evidence_until timestamptz;
COMMENT ON COLUMN dispute.evidence_until IS
    'Until when the PSP takes evidence; NULL: it has not said so';

-- Those that wait for evidence, the most urgent first.  The condition is spelled
-- so that only the console's list fits it: in a database without statistics
-- other queries would read it as a whole.
CREATE INDEX dispute_deadline ON dispute (
    (coalesce(evidence_until, '9999-01-01T00:00:00Z'::timestamptz)),
    dispute_id, part) WHERE (state = 'open') IS TRUE;

-- It has one argument more.
DROP FUNCTION IF EXISTS pay_api.apply_change(text[], text[], text[], text[],
    text[], text[], text[], text[], text[], text[], bigint[], text[], bigint[],
    text[], text[], bytea[], text[]);

-- These have two columns more: the opening and the closing balance.
DROP FUNCTION IF EXISTS pay_view.report_days(timestamptz, timestamptz, text,
                                             text);
DROP FUNCTION IF EXISTS pay_view.report_sellers(timestamptz, timestamptz,
                                                text);
