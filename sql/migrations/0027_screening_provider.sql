-- Screening by a provider that workers ask, beside the lists.  The functions are
-- those of 96_screening.sql and 99_screening_call.sql.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- NULL: the lists alone
ALTER TABLE screening_policy ADD provider payout_name;

-- it has one argument more now
DROP FUNCTION IF EXISTS pay_ops.set_payout_screening(text, boolean, text[],
    int, text, text);

-- The word of a provider about the holder of an account, and when it is asked
-- again.
CREATE TABLE screening_answer (
    merchant_id     id NOT NULL,
    destination_id  id NOT NULL,
    version         ordinal NOT NULL,
    provider        payout_name NOT NULL,
    -- requests so far; the last one's number is a part of its id
    calls           ordinal NOT NULL,
    -- not again before; while a request is under way, the end of its lease
    run_at          timestamptz NOT NULL,
    -- of the request that is under way
    begun_at        timestamptz,
    -- the newest answer, whose age counts from the begin of its request
    answer          text COLLATE "C" CHECK (answer IN ('clear', 'hit')),
    reference       filled,
    asked_at        timestamptz,
    -- why the last request has no answer
    code            filled,
    PRIMARY KEY (merchant_id, destination_id, version, provider),
    FOREIGN KEY (merchant_id, destination_id, version)
        REFERENCES payout_destination,
    CHECK ((answer IS NULL) = (asked_at IS NULL)),
    CHECK ((answer = 'hit') IS TRUE = (reference IS NOT NULL))
) WITH (fillfactor = 80);

-- the items that an answer is about
CREATE INDEX payout_to_screen ON payout (merchant_id, destination_id)
    WHERE state IN ('held', 'ready', 'approved');

RESET ROLE;
