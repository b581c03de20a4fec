-- Pay-outs: the calls to providers.  A call is a row of payout_dispatch before a
-- byte of it leaves; a call whose worker died has no end, and counts as unknown.
-- The functions are those of 99_payout_*.sql.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE DOMAIN payout_call AS text COLLATE "C"
    CHECK (VALUE IN ('send', 'ask', 'find', 'cancel'));
CREATE DOMAIN payout_step AS int CHECK (VALUE BETWEEN 0 AND 3);
COMMENT ON DOMAIN payout_call IS
    'A call to a pay-out provider: a step is sent, the payment is asked for by '
    'the provider''s reference, is looked for by our key, or is taken back';
COMMENT ON DOMAIN payout_step IS
    'A step of a pay-out, from 0: some providers take several calls';


-- The facts of an adapter that decide on the next call, as the workers state
-- them (include/pay_payout.h).  window_s: how long a repeat of the step under
-- its key does nothing new; 0: there is no key.  moves: whether the step moves
-- money.  looks: how many complete look-ups without the payment, each gap_s
-- behind the one before, prove that nothing was paid; 0: an operator decides.
-- takes_back: a failure of the last step leaves the money at the provider, and
-- step 0 is cancelled before the item counts as failed.  return_s: how long
-- the payment is asked for behind paid.
CREATE TABLE payout_adapter (
    adapter     filled PRIMARY KEY,
    window_s    int[] NOT NULL
        CHECK (cardinality(window_s) BETWEEN 1 AND 4
               AND 0 <= ALL (window_s)),
    moves       boolean[] NOT NULL,
    looks       int NOT NULL CHECK (looks BETWEEN 0 AND 10),
    gap_s       int NOT NULL CHECK (gap_s BETWEEN 0 AND 604800),
    asks        boolean NOT NULL,
    finds       boolean NOT NULL,
    takes_back  boolean NOT NULL,
    return_s    int NOT NULL CHECK (return_s >= 0),
    CHECK (cardinality(moves) = cardinality(window_s)),
    CHECK (looks = 0 OR finds)
);


-- Where an item that was begun stands: the next call, and when it is due.
CREATE TABLE payout_sending (
    merchant_id  id NOT NULL,
    payout_id    id NOT NULL,
    provider     payout_name NOT NULL,
    adapter      filled NOT NULL REFERENCES payout_adapter,
    call         payout_call NOT NULL DEFAULT 'send',
    step         payout_step NOT NULL DEFAULT 0,
    -- the references that the steps have answered, from step 0 on
    ids          text[] NOT NULL DEFAULT '{NULL,NULL,NULL,NULL}'
        CHECK (cardinality(ids) = 4),
    -- part of the bytes of a call: never changed
    made_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    cursor       text,
    -- the end of the key's window, from the first send of the step on; NULL:
    -- it was not sent, or a repeat does no harm
    key_until    timestamptz,
    -- a send of the step may have arrived
    is_doubtful  boolean NOT NULL DEFAULT false,
    -- complete look-ups that have not found it
    looks        tally NOT NULL DEFAULT 0,
    tries        tally NOT NULL DEFAULT 0,
    calls        tally NOT NULL DEFAULT 0,
    -- NULL: no call is due, and if the item is not at rest an operator decides
    run_at       timestamptz DEFAULT now(),
    lease_until  timestamptz,
    -- of the latest message about it
    occurred_at  timestamptz,
    sequence     bigint,
    PRIMARY KEY (merchant_id, payout_id),
    FOREIGN KEY (merchant_id, payout_id) REFERENCES payout
) WITH (fillfactor = 60);

CREATE INDEX payout_sending_due
    ON payout_sending (merchant_id, provider, run_at)
    WHERE run_at IS NOT NULL;
CREATE INDEX payout_to_send ON payout (merchant_id, provider, payout_id)
    WHERE state = 'approved';

CREATE TRIGGER payout_sending_fixed
    BEFORE UPDATE OF merchant_id, payout_id, provider, adapter, made_at
    ON payout_sending FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('the bytes of a call are fixed', 'PAY11');
ALTER TABLE payout_sending ENABLE ALWAYS TRIGGER payout_sending_fixed;
CREATE TRIGGER payout_sending_kept
    BEFORE DELETE OR TRUNCATE ON payout_sending FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('pay-outs are kept', 'PAY20');
ALTER TABLE payout_sending ENABLE ALWAYS TRIGGER payout_sending_kept;


-- The journal of calls, append-only but for the end of a call.
CREATE TABLE payout_dispatch (
    merchant_id  id NOT NULL,
    payout_id    id NOT NULL,
    number       ordinal NOT NULL,
    call         payout_call NOT NULL,
    step         payout_step NOT NULL,
    -- as the provider gets it, of a send and a find
    key          filled NOT NULL,
    owner        filled NOT NULL,
    begun_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- as payout_sending has it
    key_until    timestamptz,
    outcome      text COLLATE "C"
        CHECK (outcome IN ('done', 'refused', 'not_sent', 'unknown')),
    code         text,
    reference    text,
    ended_at     timestamptz,
    PRIMARY KEY (merchant_id, payout_id, number),
    FOREIGN KEY (merchant_id, payout_id) REFERENCES payout,
    CHECK ((outcome IS NULL) = (ended_at IS NULL))
) WITH (fillfactor = 80);

CREATE UNIQUE INDEX payout_dispatch_open
    ON payout_dispatch (merchant_id, payout_id) WHERE ended_at IS NULL;
CREATE INDEX payout_dispatch_begun ON payout_dispatch (begun_at);

CREATE TRIGGER payout_dispatch_fixed
    BEFORE UPDATE OF merchant_id, payout_id, number, call, step, key, owner,
        begun_at, key_until
    ON payout_dispatch FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('the journal is append-only', 'PAY20');
ALTER TABLE payout_dispatch ENABLE ALWAYS TRIGGER payout_dispatch_fixed;
CREATE TRIGGER payout_dispatch_ends_once
    BEFORE UPDATE ON payout_dispatch FOR EACH ROW
    WHEN (OLD.ended_at IS NOT NULL)
    EXECUTE FUNCTION refuse_change('the journal is append-only', 'PAY20');
ALTER TABLE payout_dispatch ENABLE ALWAYS TRIGGER payout_dispatch_ends_once;
CREATE TRIGGER payout_dispatch_kept
    BEFORE DELETE OR TRUNCATE ON payout_dispatch FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('the journal is append-only', 'PAY20');
ALTER TABLE payout_dispatch ENABLE ALWAYS TRIGGER payout_dispatch_kept;

-- For each role that writes the row: money is sent for a live item alone, under
-- the key of its attempt, and never again when an earlier send may have
-- arrived and the provider may have forgotten its key.
CREATE FUNCTION payout_may_be_sent() RETURNS trigger
LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM payout p
        WHERE p.merchant_id = NEW.merchant_id
            AND p.payout_id = NEW.payout_id
            AND p.state IN ('sending', 'unknown') AND p.voided_at IS NULL
            AND NEW.key = p.payout_key || '-' || p.attempt)
    THEN
        RAISE EXCEPTION 'pay-out % is not to be sent', NEW.payout_id
            USING ERRCODE = 'PAY10';
    ELSIF EXISTS (
        SELECT FROM payout_dispatch d
        WHERE d.merchant_id = NEW.merchant_id
            AND d.payout_id = NEW.payout_id AND d.call = 'send'
            AND d.step = NEW.step
            AND (d.outcome = 'done' OR d.outcome = 'unknown'
                 AND d.key_until <= clock_timestamp()))
    THEN
        RAISE EXCEPTION 'pay-out % was sent, or may have been', NEW.payout_id
            USING ERRCODE = 'PAY10';
    END IF;

    RETURN NEW;
END
$$;
CREATE TRIGGER payout_dispatch_may_be
    BEFORE INSERT ON payout_dispatch FOR EACH ROW
    WHEN (NEW.call = 'send') EXECUTE FUNCTION payout_may_be_sent();
ALTER TABLE payout_dispatch ENABLE ALWAYS TRIGGER payout_dispatch_may_be;


-- Messages of providers, each once.  A message whose item is not known yet
-- (its reference comes with an answer that is under way) is waiting.
CREATE TABLE payout_event (
    merchant_id  id NOT NULL,
    provider     payout_name NOT NULL,
    event_id     id NOT NULL,
    at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    payout_id    id,
    reference    text,
    parcel       text,
    state        text COLLATE "C" NOT NULL
        CHECK (state IN ('sending', 'sent', 'paid', 'returned', 'failed',
                         'cancelled', 'unknown')),
    code         text,
    occurred_at  timestamptz,
    sequence     bigint,
    outcome      filled NOT NULL,
    PRIMARY KEY (merchant_id, provider, event_id)
) WITH (fillfactor = 80);

CREATE INDEX payout_event_waiting
    ON payout_event (merchant_id, provider, reference)
    WHERE outcome = 'waiting';
CREATE INDEX payout_event_at ON payout_event (at);


-- The end of a call, as an adapter reads it.  state: the provider's statement
-- about the payment, in the words of payout_event; NULL: none.  next: the
-- position of the next page.
CREATE TYPE payout_said AS (
    outcome    text,
    code       text,
    reference  text,
    state      text,
    next       text
);

-- Behind a call: the row of its item, and the fact about it with its proof.
CREATE TYPE payout_next AS (
    after  payout_sending,
    fact   text,
    proof  text
);

RESET ROLE;
