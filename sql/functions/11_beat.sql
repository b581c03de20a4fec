-- Beats, by which a process of the gateway knows how far a replica is behind.
-- They are no part of the event log: a beat says nothing of a payment.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The rows of processes that are gone are deleted with a process' first beat
-- and with some later ones, for no round is theirs.
CREATE OR REPLACE FUNCTION pay_api.beat(p_writer text[], p_number bigint[])
RETURNS SETOF pay_api.outcome_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    PERFORM check_batch(array_dims(p_writer), array_dims(p_number));

    INSERT INTO beat AS b (writer, number, at)
    SELECT u.writer, max(u.number), clock_timestamp()
    FROM unnest(p_writer, p_number) AS u (writer, number)
    GROUP BY u.writer
    ORDER BY u.writer
    ON CONFLICT (writer) DO UPDATE
    SET number = greatest(b.number, excluded.number), at = excluded.at;

    IF EXISTS (SELECT FROM unnest(p_number) AS u (number)
               WHERE u.number % 1000 = 1)
    THEN
        DELETE FROM beat b
        WHERE b.writer IN (
            SELECT x.writer FROM beat x
            WHERE x.at < now() - interval '1 hour'
            FOR UPDATE SKIP LOCKED);
    END IF;

    RETURN QUERY
    SELECT u.n::int, 'stored'
    FROM unnest(p_writer) WITH ORDINALITY AS u (writer, n);
END
$$;
COMMENT ON FUNCTION pay_api.beat IS
    'Keeps the newest number of each process. Outcomes: stored';


CREATE OR REPLACE FUNCTION pay_api.read_beat(p_writer text[])
RETURNS SETOF pay_api.beat_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    PERFORM check_batch(array_dims(p_writer));

    RETURN QUERY
    SELECT u.n::int, 'found', coalesce(b.number, 0),
        pg_is_in_recovery()::int::bigint
    FROM unnest(p_writer) WITH ORDINALITY AS u (writer, n)
    LEFT JOIN beat b ON b.writer = u.writer;
END
$$;
COMMENT ON FUNCTION pay_api.read_beat IS
    'The newest number of each process that this server has. Outcomes: found';
