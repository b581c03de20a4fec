-- The console's lists of open work begin at the open rows, so that who asks for
-- them does not read the rows that operators have settled in years.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;

-- Reviews that wait, newest first.
CREATE INDEX risk_review_waits ON risk_review (review_id)
    WHERE state IN ('open', 'escalated');

-- The mismatch queue and its settlements stay append-only; triggers keep this
-- list equal to them (checks/mismatch_open.sql).
CREATE TABLE mismatch_open (
    mismatch_id  bigint PRIMARY KEY
);
COMMENT ON TABLE mismatch_open IS
    'The numbers of the rows of the mismatch queue that are not settled';

CREATE FUNCTION open_mismatch() RETURNS trigger
LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
BEGIN
    INSERT INTO mismatch_open (mismatch_id)
    SELECT n.mismatch_id FROM new_rows n;

    RETURN NULL;
END
$$;
COMMENT ON FUNCTION open_mismatch IS
    'A new row of the mismatch queue is open';

CREATE FUNCTION close_mismatch() RETURNS trigger
LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
BEGIN
    DELETE FROM mismatch_open o
    WHERE o.mismatch_id IN (SELECT n.mismatch_id FROM new_rows n);

    RETURN NULL;
END
$$;
COMMENT ON FUNCTION close_mismatch IS
    'A row of the mismatch queue that is settled is open no more';

-- as replica, too: rows that are restored or copied one by one have their list
CREATE TRIGGER mismatch_opened
    AFTER INSERT ON mismatch
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION open_mismatch();
ALTER TABLE mismatch ENABLE ALWAYS TRIGGER mismatch_opened;
CREATE TRIGGER mismatch_closed
    AFTER INSERT ON mismatch_settlement
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION close_mismatch();
ALTER TABLE mismatch_settlement ENABLE ALWAYS TRIGGER mismatch_closed;

-- the triggers' locks keep others from adding rows until the commit
INSERT INTO mismatch_open (mismatch_id)
SELECT m.mismatch_id FROM mismatch m
WHERE NOT EXISTS (
    SELECT FROM mismatch_settlement s
    WHERE s.merchant_id = m.merchant_id AND s.checkout_id = m.checkout_id
        AND s.mismatch_id = m.mismatch_id);
