-- Where the next round goes on with the decided reviews whose money it is to move.
-- Each round took the oldest thousand, so that newer ones waited for ever behind a
-- thousand whose money nobody can move: a PSP has refused their refunds, or their
-- buyers have not paid.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;

CREATE TABLE review_cursor (
    state     text COLLATE "C" PRIMARY KEY
              CHECK (state IN ('approved', 'rejected')),
    review_id bigint NOT NULL
);
COMMENT ON TABLE review_cursor IS
    'The last review that a round has looked at, by the decision; 0: it begins '
    'anew';
INSERT INTO review_cursor VALUES ('approved', 0), ('rejected', 0);

-- each has a limit now
DROP FUNCTION IF EXISTS pay.sweep_reviews();
DROP FUNCTION IF EXISTS pay.sweep_captures();
