-- After the sale: captures, cancellations and refunds, disputes, fees, and the
-- PSP events about them.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- A capture, a cancellation or a refund of an order.  Its states are named as
-- an order's: NOT_STARTED is stored and, for a refund, reserved; EXECUTING was
-- taken by the PSP, or may have been; SUCCESS and FAILED are stated by the PSP.
-- It goes out through the journal of calls, whose operation_id is its id.
-- origin psp: it was made at the PSP (in its dashboard) and a PSP event has
-- reported it.  A refund that was done may come back (returned).  No foreign
-- key to its order: a session that checks it with an old plan may read all
-- orders of the merchant, see find_order(); checks/change_orphan.sql compares.
CREATE TABLE change (
    merchant_id       id NOT NULL,
    checkout_id       id NOT NULL,
    -- unique for the PSP, too, which knows of no merchants
    change_id         id NOT NULL UNIQUE,
    payment_order_id  id NOT NULL,
    kind              text COLLATE "C" NOT NULL
        CHECK (kind IN ('capture', 'cancel', 'refund')),
    origin            text COLLATE "C" NOT NULL
        CHECK (origin IN ('merchant', 'psp')),
    psp               id NOT NULL,
    status            order_status NOT NULL DEFAULT 'NOT_STARTED',
    amount_minor      positive_minor NOT NULL,
    currency          currency_code NOT NULL,
    -- of a refund: the part of the seller's credit that it takes
    seller_minor      minor,
    seller_currency   currency_code,
    -- a capture: nothing follows, the rest is released
    is_final          boolean NOT NULL DEFAULT false,
    returned          boolean NOT NULL DEFAULT false,
    reason            text,
    metadata          jsonb,
    code              text,
    reference         id,
    created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    request_id        text,
    PRIMARY KEY (merchant_id, checkout_id, change_id),
    FOREIGN KEY (merchant_id, checkout_id) REFERENCES checkout,
    CHECK ((kind = 'refund') = (seller_minor IS NOT NULL)),
    CHECK ((seller_minor IS NULL) = (seller_currency IS NULL)),
    CHECK (NOT returned OR kind = 'refund' AND status = 'FAILED'),
    CHECK (NOT is_final OR kind = 'capture')
) WITH (fillfactor = 80, autovacuum_analyze_threshold = 1000,
        autovacuum_vacuum_threshold = 1000);

-- for the sweep alone: the condition is spelled differently from that of the
-- query for the open changes of one checkout, so that the planner does not use
-- this index there
CREATE INDEX change_open ON change (created_at)
    WHERE status_rank(status) < 2;

-- Up only, as orders; but a refund that was done may come back.
CREATE TRIGGER change_status
    BEFORE UPDATE OF status ON change FOR EACH ROW
    WHEN (status_rank(NEW.status) < status_rank(OLD.status)
          AND NOT NEW.returned)
    EXECUTE FUNCTION refuse_change('no such transition', 'PAY10');
ALTER TABLE change ENABLE ALWAYS TRIGGER change_status;

-- the same bytes on every attempt; where a payment is cancelled that has no
-- page yet, the PSP may still change
CREATE TRIGGER change_fixed
    BEFORE UPDATE OF merchant_id, change_id, checkout_id, payment_order_id,
        kind, origin, psp, amount_minor, currency, seller_minor,
        seller_currency, is_final, reason
    ON change FOR EACH ROW
    WHEN ((NEW.merchant_id, NEW.change_id, NEW.checkout_id,
           NEW.payment_order_id, NEW.kind, NEW.origin, NEW.amount_minor,
           NEW.currency, NEW.seller_minor, NEW.seller_currency, NEW.is_final,
           NEW.reason)
          IS DISTINCT FROM
          (OLD.merchant_id, OLD.change_id, OLD.checkout_id,
           OLD.payment_order_id, OLD.kind, OLD.origin, OLD.amount_minor,
           OLD.currency, OLD.seller_minor, OLD.seller_currency, OLD.is_final,
           OLD.reason)
          OR NEW.psp <> OLD.psp
             AND (OLD.kind <> 'cancel' OR OLD.status <> 'NOT_STARTED'))
    EXECUTE FUNCTION refuse_change('a change''s terms are fixed', 'PAY11');
ALTER TABLE change ENABLE ALWAYS TRIGGER change_fixed;


-- A dispute that a buyer has opened at the PSP.  Without an order (a checkout
-- with several) its money is in suspense, and operators decide.
CREATE TABLE dispute (
    psp               id NOT NULL,
    dispute_id        id NOT NULL,
    merchant_id       id NOT NULL,
    checkout_id       id NOT NULL,
    payment_order_id  id,
    state             text COLLATE "C" NOT NULL
        CHECK (state IN ('open', 'won', 'lost')),
    amount_minor      positive_minor NOT NULL,
    currency          currency_code NOT NULL,
    seller_minor      minor,
    seller_currency   currency_code,
    code              text,
    opened_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (psp, dispute_id),
    FOREIGN KEY (merchant_id, checkout_id) REFERENCES checkout
);

CREATE INDEX dispute_checkout ON dispute (merchant_id, checkout_id);


-- The id of a change.  A job or a dead letter of a checkout has none.
ALTER TABLE job ADD operation_id text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE job DROP CONSTRAINT job_pkey;
ALTER TABLE job
    ADD PRIMARY KEY (merchant_id, checkout_id, kind, operation_id);
ALTER TABLE job ADD CHECK ((kind = 'change') = (operation_id <> ''));
-- a webhook may bring the id that a refund or a change waits for
ALTER TABLE job DROP CONSTRAINT job_check1;
ALTER TABLE job ADD CONSTRAINT job_check1
    CHECK (again_at IS NULL OR kind <> 'register');

ALTER TABLE dead_letter ADD operation_id id;
ALTER TABLE dead_letter DROP CONSTRAINT dead_letter_kind_check;
ALTER TABLE dead_letter ADD CONSTRAINT dead_letter_kind_check
    CHECK (kind IN ('register', 'poll', 'refund', 'change', 'late_success',
                    'parked', 'stuck'));
ALTER TABLE dead_letter ADD CHECK (kind <> 'change'
                                   OR operation_id IS NOT NULL);
DROP INDEX dead_letter_one_open;
CREATE UNIQUE INDEX dead_letter_one_open
    ON dead_letter (merchant_id, checkout_id, kind, psp, event_id,
                    operation_id)
    NULLS NOT DISTINCT WHERE state = 'open';

-- The columns by which explain() describes changes: whether an order waits to
-- be captured; its oldest open change, when that goes on, whether there is a
-- dead letter, and the outcome of its last attempt; of an order that has
-- failed, whether the PSP has confirmed that its page is closed; whether it
-- waits for the end of the page that it replaces, whose checkout that is, which
-- checkout has replaced it, whether the old one was paid all the same, and
-- whether its page was not closed for one that therefore never had a page
ALTER TYPE standing ADD ATTRIBUTE authorized boolean,
    ADD ATTRIBUTE change text, ADD ATTRIBUTE change_at timestamptz,
    ADD ATTRIBUTE change_letter boolean, ADD ATTRIBUTE change_code text,
    ADD ATTRIBUTE closed boolean, ADD ATTRIBUTE waits boolean,
    ADD ATTRIBUTE replaces text, ADD ATTRIBUTE replaced_by text,
    ADD ATTRIBUTE old_paid boolean, ADD ATTRIBUTE old_open boolean;

CREATE OR REPLACE FUNCTION job_rank(p_kind text) RETURNS int
LANGUAGE sql IMMUTABLE AS
'SELECT CASE p_kind WHEN ''refund'' THEN 1 WHEN ''change'' THEN 1
                    WHEN ''register'' THEN 2 ELSE 3 END';
COMMENT ON FUNCTION job_rank IS 'In which order jobs are handed out';

-- A checkout may replace another one, whose page is closed first by a
-- cancellation (replaced_by): nothing is sent for the new one while it waits.
-- Under locks of both.
ALTER TABLE checkout ADD replaces id, ADD replaced_by id,
    ADD waits boolean NOT NULL DEFAULT false;
ALTER TABLE change ADD replaced_by id;

-- the answer to a repeat of a change is the change
ALTER TABLE idempotency_key ADD change_id id;

-- the members of an event about anything but the payment, beyond its columns:
-- about, news, object, operation_id, fee_minor, fee_currency; fact is
-- "refund.failed" and the like then
ALTER TABLE webhook_inbox ADD about jsonb;

-- An event about a known checkout that needs the sale first, and came before
-- it.
CREATE INDEX webhook_inbox_early ON webhook_inbox (merchant_id, checkout_id)
    WHERE state = 'parked' AND checkout_id IS NOT NULL;

-- A PSP's ids of a payment lead to its checkout, too, since events about
-- changes and disputes name them.  There may be several (attempts of the
-- buyer).  One that is spelled as a token of another checkout is another name.
ALTER TABLE psp_token ADD is_reference boolean NOT NULL DEFAULT false;
ALTER TABLE psp_token DROP CONSTRAINT psp_token_pkey;
ALTER TABLE psp_token ADD PRIMARY KEY (psp, token, is_reference);

-- about changes, disputes and fees: object is the PSP's id of the subject, why
-- is the kind of the mismatch (amount, currency, exceeds, unknown,
-- contradiction)
ALTER TABLE mismatch ADD object text, ADD why text COLLATE "C";
ALTER TABLE mismatch DROP CONSTRAINT mismatch_kind_check;
ALTER TABLE mismatch ADD CONSTRAINT mismatch_kind_check
    CHECK (kind IN ('amount', 'currency', 'token', 'late_token', 'left_psp',
                    'contradiction', 'capture', 'cancel', 'refund', 'dispute',
                    'fee', 'invalid'));
ALTER TABLE mismatch ADD CHECK (
    (kind IN ('capture', 'cancel', 'refund', 'dispute', 'fee', 'invalid'))
    = (why IS NOT NULL));

-- order_id: about this order of the checkout alone (NULL: about all of them);
-- postings: its entries in the ledger
ALTER TYPE fact ADD ATTRIBUTE order_id text, ADD ATTRIBUTE postings posting[];

-- One item of begin_change() after its checks; checkout_id NULL: there is no
-- such order.
CREATE TYPE change_item AS (
    item              int,
    merchant_id       text,
    checkout_id       text,
    payment_order_id  text,
    kind              text,
    is_final          boolean,
    change_id         text,
    route             text,
    key               text,
    fingerprint       bytea,
    ttl               interval,
    amount_minor      bigint,
    currency          text,
    reason            text,
    metadata          jsonb,
    lease             interval,
    request_id        text,
    -- the seller's available money must suffice
    is_covered        boolean,
    asked_by           jsonb            -- see asked_by_ok()
);

-- A PSP event about anything but the payment, on its way to its checkout.
CREATE TYPE news AS (
    item          int,
    merchant_id   text,
    checkout_id   text,
    psp           text,
    source        text,
    event_id      text,
    type          text,
    about         text,
    news          text,
    token         text,
    reference     text,
    object        text,
    operation_id  text,
    amount_minor  bigint,
    currency      text,
    fee_minor     bigint,
    fee_currency  text,
    code          text,
    digest        bytea,
    request_id    text,
    outcome       text
);

INSERT INTO posting_kind (kind, about, example) VALUES
('unknown_dispute', 'A dispute was lost of what no order can be found for',
    'stripe keeps 9.00 EUR of a checkout with two sellers for the buyer:'
    ' operators decide whose loss it is');
INSERT INTO posting_rule (kind, line, side, account, leg) VALUES
('unknown_dispute', 1, 'debit', 'suspense', 'buyer'),
('unknown_dispute', 2, 'credit', 'chargebacks', 'buyer');

RESET ROLE;
