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
                    'fee', 'books'));
ALTER TABLE mismatch ADD detail jsonb;
ALTER TABLE mismatch ADD CHECK ((kind = 'books') <= (detail IS NOT NULL));

CREATE INDEX mismatch_books ON mismatch (merchant_id, checkout_id)
    WHERE kind = 'books';

RESET ROLE;
