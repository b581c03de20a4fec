-- Rounds: work that one worker of all nodes does at a time, once an interval.
-- The figures of the last round are kept, so that every node can show them.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Waits for nobody: a round that another worker has at this moment is not due.
CREATE OR REPLACE FUNCTION pay.take_round(p_name text)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM round r
    WHERE r.name = p_name AND r.run_at <= now()
    FOR UPDATE SKIP LOCKED;

    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION pay.take_round IS
    'Whether the round is due; its row is locked then';


CREATE OR REPLACE FUNCTION pay.end_round(
    p_name text, p_counts jsonb, p_wait interval)
RETURNS void LANGUAGE sql AS $$
UPDATE round r SET counts = p_counts, run_at = now() + p_wait
WHERE r.name = p_name
$$;
COMMENT ON FUNCTION pay.end_round IS
    'Keeps the figures of a round, and says when the next one is due';


CREATE OR REPLACE FUNCTION pay.round_counts(p_name text)
RETURNS jsonb LANGUAGE sql STABLE AS
'SELECT r.counts FROM round r WHERE r.name = p_name';
COMMENT ON FUNCTION pay.round_counts IS 'The figures of the last round';
