-- Beats: numbers that the processes of the gateway write at the primary and look
-- for at a replica.  A replica that has a beat has all that was committed before
-- the beat was sent, so that a process knows by its own clock how old the
-- replica's answers are, and asks it no more when they are too old.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;

-- updated several times a second for each process, on the row's own page
CREATE TABLE beat (
    writer text COLLATE "C" PRIMARY KEY
           CHECK (octet_length(writer) BETWEEN 1 AND 64),
    number bigint NOT NULL CHECK (number > 0),
    at     timestamptz NOT NULL
) WITH (fillfactor = 25);
COMMENT ON TABLE beat IS
    'The last number that each process of a gateway with a replica has written';
