-- The gateway compares its own books with one another, all the time.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- From which transaction on the round of this name looks next.
ALTER TABLE round ADD from_tx bigint;

INSERT INTO round (name, run_at) VALUES ('books', now());

-- books: our own records contradict each other; detail says which, and how.
ALTER TABLE mismatch DROP CONSTRAINT mismatch_kind_check;
ALTER TABLE mismatch ADD CONSTRAINT mismatch_kind_check
    CHECK (kind IN ('amount', 'currency', 'token', 'late_token', 'left_psp',
                    'contradiction', 'capture', 'cancel', 'refund', 'dispute',
                    'fee', 'invalid', 'books'));
ALTER TABLE mismatch ADD detail jsonb;
ALTER TABLE mismatch ADD CHECK ((kind = 'books') <= (detail IS NOT NULL));

CREATE INDEX mismatch_books ON mismatch (merchant_id, checkout_id)
    WHERE kind = 'books';

-- the operator's name, as it was given
CREATE UNIQUE INDEX mismatch_number ON mismatch (mismatch_id);

-- Decisions of operators about rows of the mismatch queue, which stay as they
-- are: who has settled one, and why.  A row without one here is open.
CREATE TABLE mismatch_settlement (
    merchant_id  id NOT NULL,
    checkout_id  id NOT NULL,
    mismatch_id  bigint NOT NULL,
    at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    who          filled NOT NULL,
    why          filled NOT NULL,
    role         text NOT NULL DEFAULT session_user,
    PRIMARY KEY (merchant_id, checkout_id, mismatch_id),
    FOREIGN KEY (merchant_id, checkout_id, mismatch_id) REFERENCES mismatch
);

CREATE TRIGGER mismatch_settlement_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON mismatch_settlement
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('the queue is append-only', 'PAY20');
ALTER TABLE mismatch_settlement
    ENABLE ALWAYS TRIGGER mismatch_settlement_append_only;

RESET ROLE;
