"""Faults of PostgreSQL beyond its death: transactions that it breaks off."""

import contextlib

# The counter is no part of the transaction that is broken off.
PLANT = """
CREATE SCHEMA fault;
CREATE FUNCTION fault.strike() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF nextval('fault.count') <= {times} THEN
        RAISE EXCEPTION 'planted' USING ERRCODE = '{code}';
    END IF;
    RETURN NEW;
END
$$;
CREATE SEQUENCE fault.count;
GRANT USAGE ON SCHEMA fault TO PUBLIC;
CREATE TRIGGER zz_fault BEFORE {event} ON pay.{table}
    FOR EACH ROW EXECUTE FUNCTION fault.strike();
"""
UPROOT = "DROP SCHEMA fault CASCADE"
PLACES = {
    "M1": ("INSERT", "checkout"),
    "M4": ("UPDATE OF token", "checkout"),
    "M6": ("INSERT", "webhook_inbox"),
}
CODES = ("40001", "40P01")  # serialization failure, deadlock
TRIES = 3  # that the gateway makes beyond the first


@contextlib.contextmanager
def contention(scene):
    """It breaks the next few transactions off; then it lets one through."""
    event, table = PLACES[scene.moment]
    plant = PLANT.format(
        times=scene.rng.randint(1, TRIES),
        code=scene.rng.choice(CODES),
        event=event,
        table=table,
    )
    scene.stack.sql(plant)
    try:
        yield
        assert scene.stack.value("SELECT last_value FROM fault.count") > 1
    finally:
        scene.stack.sql(UPROOT)
