-- Counters for /metrics: orders by the status that they have reached, and
-- declined attempts by their code.  pay_api.roll_up() adds each event of the log
-- to them once (98_counts.sql), so that they are of all hosts and never run
-- backwards.  And the trace of a storefront that a checkout belongs to.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- method: -, none was named.  The name comes from storefronts, so the number of
-- rows is bounded: see add_order_counts().
CREATE TABLE order_count (
    psp       id NOT NULL,
    method    text COLLATE "C" NOT NULL,
    currency  text COLLATE "C" NOT NULL,
    status    order_status NOT NULL,
    n         bigint NOT NULL,
    PRIMARY KEY (psp, method, currency, status)
) WITH (fillfactor = 50);
COMMENT ON TABLE order_count IS
    'Orders by the status that they have reached, since this table exists';

CREATE TABLE decline_count (
    psp   id NOT NULL,
    code  text COLLATE "C" NOT NULL,
    n     bigint NOT NULL,
    PRIMARY KEY (psp, code)
) WITH (fillfactor = 50);
COMMENT ON TABLE decline_count IS
    'Declined attempts by our code, since this table exists';


-- A traceparent, as src/core/trace.c writes it.  No row has one yet, so that none
-- has to be read while payments wait.
ALTER TABLE checkout ADD trace text COLLATE "C";
ALTER TABLE checkout ADD CONSTRAINT checkout_trace_check
    CHECK (trace ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$') NOT VALID;
