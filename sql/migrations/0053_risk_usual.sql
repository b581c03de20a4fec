-- Card testing: the usual share of declines of each merchant, and messages for
-- receivers when a mode begins and ends.  The functions are those of
-- 29_risk_mode.sql and 71_message.sql.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Attempts of a day that have ended, and the declined ones of them.
CREATE TABLE risk_usual (
    merchant_id  id NOT NULL,
    day          date NOT NULL,
    tries        whole NOT NULL,
    declines     whole NOT NULL,
    PRIMARY KEY (merchant_id, day),
    CHECK (declines <= tries)
) WITH (fillfactor = 80);
COMMENT ON TABLE risk_usual IS
    'Attempts and declines of each merchant by day, for the last four weeks';

-- The hours before this one are in risk_usual.
CREATE TABLE risk_usual_place (
    is_one  boolean PRIMARY KEY DEFAULT true CHECK (is_one),
    hour    timestamptz NOT NULL
);
INSERT INTO risk_usual_place (hour) VALUES ('-infinity');
COMMENT ON TABLE risk_usual_place IS
    'How far declines have been counted by day';

-- In per cent; usual is NULL where too few days are known.
ALTER TABLE risk_mode
    ADD COLUMN usual   int CHECK (usual BETWEEN 0 AND 100),
    ADD COLUMN beyond  int CHECK (beyond BETWEEN 1 AND 100);
ALTER TABLE risk_mode_act
    ADD COLUMN is_shadow boolean NOT NULL DEFAULT false,
    ADD COLUMN usual     int CHECK (usual BETWEEN 0 AND 100),
    ADD COLUMN beyond    int CHECK (beyond BETWEEN 1 AND 100);

-- Beginnings and ends of modes that have no message yet.
CREATE TABLE risk_outbox (
    act_id  bigint PRIMARY KEY
);
COMMENT ON TABLE risk_outbox IS
    'Beginnings and ends of modes that wait to be published';

CREATE FUNCTION pay.tell_mode() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO risk_outbox (act_id)
    SELECT n.act_id FROM new_rows n;

    RETURN NULL;
END
$$;
COMMENT ON FUNCTION pay.tell_mode IS
    'Has receivers hear of modes in the commit that begins or ends them';
CREATE TRIGGER risk_mode_act_told
    AFTER INSERT ON risk_mode_act
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION tell_mode();

-- it has an end now
DROP FUNCTION IF EXISTS pay.decline_shares(timestamptz);

RESET ROLE;
