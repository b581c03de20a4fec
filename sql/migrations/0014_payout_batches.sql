-- Pay-outs: batches of items, and their approval.  A batch is not approved by
-- those who made it, its items or their accounts; it never changes, and its
-- approval covers the digest over its items.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- An approval holds so long.
ALTER TABLE payout_policy ADD approval_hours int NOT NULL DEFAULT 24
    CHECK (approval_hours BETWEEN 1 AND 168);

-- The sum up to which one approver is enough, and two are; above it takes
-- three.  In units of the currency and not in minor units; without a row for
-- the currency the row '***' holds.
CREATE TABLE payout_limit (
    merchant_id  id NOT NULL,
    currency     currency_code NOT NULL,
    one          numeric NOT NULL CHECK (one >= 0),
    two          numeric NOT NULL,
    PRIMARY KEY (merchant_id, currency),
    CHECK (two >= one)
);


-- Items of one provider and currency that are approved together.  hash: the
-- digest over them, in the order of their ids.
CREATE TABLE payout_batch (
    merchant_id  id NOT NULL,
    batch_id     id NOT NULL,
    provider     payout_name NOT NULL,
    currency     currency_code NOT NULL,
    item_count   ordinal NOT NULL,
    total_minor  positive_minor NOT NULL,
    hash         hash NOT NULL,
    made_by      filled NOT NULL,
    made_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    state        text COLLATE "C" NOT NULL DEFAULT 'open'
        CHECK (state IN ('open', 'approved', 'expired', 'withdrawn')),
    approved_at  timestamptz,
    -- the end of the approval
    until        timestamptz,
    PRIMARY KEY (merchant_id, batch_id),
    CHECK ((approved_at IS NULL) = (until IS NULL)),
    CHECK (state NOT IN ('approved', 'expired') OR approved_at IS NOT NULL)
) WITH (fillfactor = 80);

CREATE INDEX payout_batch_made ON payout_batch (merchant_id, made_at);

CREATE TABLE payout_batch_item (
    merchant_id  id NOT NULL,
    batch_id     id NOT NULL,
    payout_id    id NOT NULL,
    PRIMARY KEY (merchant_id, batch_id, payout_id),
    FOREIGN KEY (merchant_id, batch_id) REFERENCES payout_batch,
    FOREIGN KEY (merchant_id, payout_id) REFERENCES payout
);

CREATE TABLE payout_approval (
    merchant_id  id NOT NULL,
    batch_id     id NOT NULL,
    approver     filled NOT NULL,
    hash         hash NOT NULL,
    at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    role         text NOT NULL DEFAULT session_user,
    PRIMARY KEY (merchant_id, batch_id, approver),
    FOREIGN KEY (merchant_id, batch_id) REFERENCES payout_batch
);

-- The batch that an item is in now: from approval on it has one.
ALTER TABLE payout
    ADD batch_id id,
    ADD FOREIGN KEY (merchant_id, batch_id) REFERENCES payout_batch,
    ADD CHECK (batch_id IS NOT NULL OR state IN ('draft', 'held', 'ready',
                                                 'cancelled'));
CREATE INDEX payout_unbatched ON payout (merchant_id, provider, currency)
    WHERE state = 'ready' AND batch_id IS NULL;
CREATE INDEX payout_batched ON payout (batch_id, merchant_id);


CREATE TRIGGER payout_batch_fixed
    BEFORE UPDATE OF merchant_id, batch_id, provider, currency, item_count,
        total_minor, hash, made_by, made_at
    ON payout_batch FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('a batch is fixed', 'PAY11');
ALTER TABLE payout_batch ENABLE ALWAYS TRIGGER payout_batch_fixed;
CREATE TRIGGER payout_batch_kept
    BEFORE DELETE OR TRUNCATE ON payout_batch FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('batches are kept', 'PAY20');
ALTER TABLE payout_batch ENABLE ALWAYS TRIGGER payout_batch_kept;
CREATE TRIGGER payout_batch_state
    BEFORE UPDATE OF state ON payout_batch FOR EACH ROW
    WHEN (NEW.state <> OLD.state
          AND (OLD.state IN ('expired', 'withdrawn') OR NEW.state = 'open'))
    EXECUTE FUNCTION refuse_change('no such transition', 'PAY10');
ALTER TABLE payout_batch ENABLE ALWAYS TRIGGER payout_batch_state;
CREATE TRIGGER payout_batch_item_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON payout_batch_item
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('a batch is fixed', 'PAY20');
ALTER TABLE payout_batch_item
    ENABLE ALWAYS TRIGGER payout_batch_item_append_only;
CREATE TRIGGER payout_approval_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON payout_approval
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('approvals are append-only', 'PAY20');
ALTER TABLE payout_approval
    ENABLE ALWAYS TRIGGER payout_approval_append_only;


-- A batch is its items as soon as these are there, and at the commit: so none
-- is added later, and no batch is empty.
CREATE FUNCTION batch_is_whole() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    IF (SELECT b.hash FROM payout_batch b
        WHERE b.merchant_id = NEW.merchant_id
            AND b.batch_id = NEW.batch_id)
        IS DISTINCT FROM
        (payout_batch_hash(NEW.merchant_id, NEW.batch_id)).hash
    THEN
        RAISE EXCEPTION 'batch % is not its items', NEW.batch_id
            USING ERRCODE = 'PAY22';
    END IF;

    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER payout_batch_whole
    AFTER INSERT OR UPDATE ON payout_batch DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION batch_is_whole();
ALTER TABLE payout_batch ENABLE ALWAYS TRIGGER payout_batch_whole;

CREATE FUNCTION batch_items_are_all() RETURNS trigger
LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT a.merchant_id, a.batch_id FROM added a) a
        JOIN payout_batch b ON b.merchant_id = a.merchant_id
            AND b.batch_id = a.batch_id
        WHERE b.hash IS DISTINCT FROM
            (payout_batch_hash(a.merchant_id, a.batch_id)).hash)
    THEN
        RAISE EXCEPTION 'a batch is fixed' USING ERRCODE = 'PAY11';
    END IF;

    RETURN NULL;
END
$$;
CREATE TRIGGER payout_batch_item_all
    AFTER INSERT ON payout_batch_item REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION batch_items_are_all();
ALTER TABLE payout_batch_item ENABLE ALWAYS TRIGGER payout_batch_item_all;


-- Maker and checker are different ones, for each role that writes the row.
CREATE FUNCTION approval_is_foreign() RETURNS trigger
LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM payout_batch b
        WHERE b.merchant_id = NEW.merchant_id AND b.batch_id = NEW.batch_id
            AND b.hash = NEW.hash AND b.state = 'open')
        OR may_approve(NEW.merchant_id, NEW.batch_id, NEW.approver)
            <> 'approved'
    THEN
        RAISE EXCEPTION '% may not approve batch %', NEW.approver,
            NEW.batch_id USING ERRCODE = 'PAY10';
    END IF;

    RETURN NEW;
END
$$;
CREATE TRIGGER payout_approval_foreign
    BEFORE INSERT ON payout_approval FOR EACH ROW
    EXECUTE FUNCTION approval_is_foreign();
ALTER TABLE payout_approval ENABLE ALWAYS TRIGGER payout_approval_foreign;

CREATE FUNCTION batch_is_approved() RETURNS trigger
LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
BEGIN
    IF coalesce(approvals_missing(NEW.merchant_id, NEW.batch_id), 1) > 0
    THEN
        RAISE EXCEPTION 'batch % lacks approvals', NEW.batch_id
            USING ERRCODE = 'PAY10';
    END IF;

    RETURN NEW;
END
$$;
CREATE TRIGGER payout_batch_approved
    BEFORE INSERT OR UPDATE OF state ON payout_batch FOR EACH ROW
    WHEN (NEW.state = 'approved') EXECUTE FUNCTION batch_is_approved();
ALTER TABLE payout_batch ENABLE ALWAYS TRIGGER payout_batch_approved;

-- An item is approved with its batch, and not otherwise.
CREATE FUNCTION payout_is_approved() RETURNS trigger
LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM payout_batch b
        JOIN payout_batch_item i ON i.merchant_id = b.merchant_id
            AND i.batch_id = b.batch_id AND i.payout_id = NEW.payout_id
        WHERE b.merchant_id = NEW.merchant_id AND b.batch_id = NEW.batch_id
            AND b.state = 'approved')
    THEN
        RAISE EXCEPTION 'no approval covers pay-out %', NEW.payout_id
            USING ERRCODE = 'PAY10';
    END IF;

    RETURN NEW;
END
$$;
CREATE TRIGGER payout_approved
    BEFORE UPDATE OF state ON payout FOR EACH ROW
    WHEN (NEW.state <> OLD.state AND NEW.state IN ('approved', 'sending')
          AND OLD.state IN ('ready', 'approved'))
    EXECUTE FUNCTION payout_is_approved();
ALTER TABLE payout ENABLE ALWAYS TRIGGER payout_approved;

RESET ROLE;
