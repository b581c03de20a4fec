-- The ledger: double entry, wallets of sellers, and the sums of each order's
-- money.  A function that books calls post() (12_ledger.sql); posting_kind and
-- posting_rule define each kind of entry, as data.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE DOMAIN journal_source AS text COLLATE "C"
    CHECK (octet_length(VALUE) BETWEEN 1 AND 600);
CREATE DOMAIN line_number AS int CHECK (VALUE BETWEEN 1 AND 9);
CREATE DOMAIN signed_minor AS bigint CHECK (VALUE <> 0);
CREATE DOMAIN positive_rate AS numeric CHECK (VALUE > 0);
CREATE DOMAIN whole AS bigint CHECK (VALUE >= 0);
COMMENT ON DOMAIN journal_source IS
    'The parts (legs) of which the lines of an entry are made';
COMMENT ON DOMAIN line_number IS 'An entry has 9 lines at most';
COMMENT ON DOMAIN signed_minor IS
    'The amount of a line in minor units: a debit is positive, a credit '
    'negative';
COMMENT ON DOMAIN positive_rate IS 'A rate of exchange';
COMMENT ON DOMAIN whole IS 'A number that is not negative';

CREATE DOMAIN capture_mode AS text COLLATE "C"
    CHECK (VALUE IN ('automatic', 'manual'));
COMMENT ON DOMAIN capture_mode IS
    'automatic: the PSP takes the money when the buyer pays; manual: it is '
    'authorised, and captured by a call of its own';


-- The chart of accounts.  An account is (merchant, kind, owner, currency): its
-- owner is a PSP, a seller, or empty.  Amounts are signed: a debit is positive,
-- a credit negative.
CREATE TABLE account_kind (
    account  text COLLATE "C" PRIMARY KEY,
    class    text COLLATE "C" NOT NULL
        CHECK (class IN ('asset', 'liability', 'expense', 'transit')),
    owner    text COLLATE "C" NOT NULL
        CHECK (owner IN ('psp', 'seller', 'nobody')),
    -- a seller's: the column of its wallet
    wallet   text COLLATE "C" UNIQUE
        CHECK (wallet IN ('available', 'pending', 'reserved')),
    about    text NOT NULL,
    CHECK ((owner = 'seller') = (wallet IS NOT NULL))
);

INSERT INTO account_kind (account, class, owner, wallet, about) VALUES
('psp_clearing', 'asset', 'psp', NULL,
    'What a PSP has taken from buyers and owes the merchant'),
('psp_authorized', 'asset', 'psp', NULL,
    'What buyers have authorised at a PSP and nobody has captured yet'),
('refunds', 'asset', 'psp', NULL,
    'What a PSP has paid back to buyers; nets psp_clearing at settlement'),
('chargebacks', 'asset', 'psp', NULL,
    'What a PSP has taken back in disputes; nets psp_clearing at settlement'),
('psp_fees', 'expense', 'psp', NULL, 'What a PSP has charged'),
('suspense', 'liability', 'psp', NULL,
    'Money that came or went and has no owner yet: operators decide'),
('fx', 'transit', 'nobody', NULL,
    'Between the two legs of a conversion, one account a currency'),
('seller_available', 'liability', 'seller', 'available',
    'What a seller is owed and may be paid out'),
('seller_pending', 'liability', 'seller', 'pending',
    'What a seller will be owed once what is authorised is captured'),
('seller_reserved', 'liability', 'seller', 'reserved',
    'What a seller is owed and a refund or a dispute holds');

-- The kinds of entries, each with an example that finance can read.
CREATE TABLE posting_kind (
    kind     text COLLATE "C" PRIMARY KEY,
    about    text NOT NULL,
    example  text NOT NULL
);

INSERT INTO posting_kind (kind, about, example) VALUES
('sale', 'A PSP has taken an order''s money',
    'The buyer pays 12.00 EUR at stripe: stripe owes the merchant 12.00 more,'
    ' the merchant owes the seller 12.00 more'),
('authorized', 'A buyer has authorised a payment that is captured later',
    'A booking of 80.00 EUR is authorised: 80.00 are pending for the seller'),
('unauthorized', 'An authorisation was captured or has come to nothing',
    '50.00 of the 80.00 are captured: 50.00 are pending no more; the other'
    ' 30.00 when the rest is released'),
('refund_reserved', 'Somebody has asked for a refund',
    'A refund of 5.00 EUR is on its way: the seller''s 5.00 cannot be paid'
    ' out or paid back a second time'),
('refund', 'A PSP has paid a buyer back what was reserved',
    'The 5.00 EUR are with the buyer: stripe owes the merchant 5.00 less'),
('refund_released', 'A refund has come to nothing',
    'The PSP refuses the 5.00 EUR: they are the seller''s again'),
('refund_external', 'A PSP has paid a buyer back without being asked by us',
    'Somebody refunds 5.00 EUR in the PSP''s dashboard'),
('refund_returned', 'A refund that was done has come back',
    'The buyer''s card is closed and the 5.00 EUR come back to the PSP'),
('dispute_opened', 'A buyer has disputed a payment',
    'A buyer disputes 12.00 EUR: they are reserved until it is decided'),
('dispute_won', 'A dispute was decided for the merchant',
    'The 12.00 EUR are the seller''s again'),
('dispute_lost', 'A dispute was decided for the buyer',
    'stripe keeps the 12.00 EUR for the buyer'),
('psp_fee', 'A PSP has charged for something',
    'stripe keeps 0.47 EUR of a payment, or 15.00 EUR for a dispute'),
('psp_fee_returned', 'A PSP has given a fee back',
    'The dispute was won: stripe gives the 15.00 EUR back'),
('late_held', 'Money came after the checkout had expired, and is no sale',
    '12.00 EUR arrive for an order that has expired: in suspense until an '
    'operator decides'),
('late_accepted', 'An operator has made a sale of a late payment',
    'The 12.00 EUR are the seller''s'),
('late_refunded', 'A late payment was paid back',
    'The 12.00 EUR are with the buyer again'),
('late_refund_returned', 'The refund of a late payment has failed after all',
    'The buyer''s account is closed: the 12.00 EUR are in suspense again until '
    'an operator decides'),
('unknown_refund', 'A PSP has paid back what no order can be found for',
    'A refund of 3.00 EUR of a checkout with two sellers: operators decide '
    'whose it is');

-- One line of an entry of this kind.  leg buyer: the amount and currency that
-- the buyer pays; seller: those that the seller is owed, another currency when
-- the order is converted.  Lines with only_converted are booked only then.
CREATE TABLE posting_rule (
    kind            text COLLATE "C" NOT NULL REFERENCES posting_kind,
    line            line_number NOT NULL,
    side            text COLLATE "C" NOT NULL
        CHECK (side IN ('debit', 'credit')),
    account         text COLLATE "C" NOT NULL REFERENCES account_kind,
    leg             text COLLATE "C" NOT NULL
        CHECK (leg IN ('buyer', 'seller')),
    only_converted  boolean NOT NULL DEFAULT false,
    PRIMARY KEY (kind, line)
);

INSERT INTO posting_rule (kind, line, side, account, leg, only_converted)
VALUES
('sale', 1, 'debit', 'psp_clearing', 'buyer', false),
('sale', 2, 'credit', 'fx', 'buyer', true),
('sale', 3, 'debit', 'fx', 'seller', true),
('sale', 4, 'credit', 'seller_available', 'seller', false),
('authorized', 1, 'debit', 'psp_authorized', 'buyer', false),
('authorized', 2, 'credit', 'fx', 'buyer', true),
('authorized', 3, 'debit', 'fx', 'seller', true),
('authorized', 4, 'credit', 'seller_pending', 'seller', false),
('unauthorized', 1, 'debit', 'seller_pending', 'seller', false),
('unauthorized', 2, 'credit', 'fx', 'seller', true),
('unauthorized', 3, 'debit', 'fx', 'buyer', true),
('unauthorized', 4, 'credit', 'psp_authorized', 'buyer', false),
('refund_reserved', 1, 'debit', 'seller_available', 'seller', false),
('refund_reserved', 2, 'credit', 'seller_reserved', 'seller', false),
('refund', 1, 'debit', 'seller_reserved', 'seller', false),
('refund', 2, 'credit', 'fx', 'seller', true),
('refund', 3, 'debit', 'fx', 'buyer', true),
('refund', 4, 'credit', 'refunds', 'buyer', false),
('refund_released', 1, 'debit', 'seller_reserved', 'seller', false),
('refund_released', 2, 'credit', 'seller_available', 'seller', false),
('refund_external', 1, 'debit', 'seller_available', 'seller', false),
('refund_external', 2, 'credit', 'fx', 'seller', true),
('refund_external', 3, 'debit', 'fx', 'buyer', true),
('refund_external', 4, 'credit', 'refunds', 'buyer', false),
('refund_returned', 1, 'debit', 'refunds', 'buyer', false),
('refund_returned', 2, 'credit', 'fx', 'buyer', true),
('refund_returned', 3, 'debit', 'fx', 'seller', true),
('refund_returned', 4, 'credit', 'seller_available', 'seller', false),
('dispute_opened', 1, 'debit', 'seller_available', 'seller', false),
('dispute_opened', 2, 'credit', 'seller_reserved', 'seller', false),
('dispute_won', 1, 'debit', 'seller_reserved', 'seller', false),
('dispute_won', 2, 'credit', 'seller_available', 'seller', false),
('dispute_lost', 1, 'debit', 'seller_reserved', 'seller', false),
('dispute_lost', 2, 'credit', 'fx', 'seller', true),
('dispute_lost', 3, 'debit', 'fx', 'buyer', true),
('dispute_lost', 4, 'credit', 'chargebacks', 'buyer', false),
('psp_fee', 1, 'debit', 'psp_fees', 'buyer', false),
('psp_fee', 2, 'credit', 'psp_clearing', 'buyer', false),
('psp_fee_returned', 1, 'debit', 'psp_clearing', 'buyer', false),
('psp_fee_returned', 2, 'credit', 'psp_fees', 'buyer', false),
('late_held', 1, 'debit', 'psp_clearing', 'buyer', false),
('late_held', 2, 'credit', 'suspense', 'buyer', false),
('late_accepted', 1, 'debit', 'suspense', 'buyer', false),
('late_accepted', 2, 'credit', 'fx', 'buyer', true),
('late_accepted', 3, 'debit', 'fx', 'seller', true),
('late_accepted', 4, 'credit', 'seller_available', 'seller', false),
('late_refunded', 1, 'debit', 'suspense', 'buyer', false),
('late_refunded', 2, 'credit', 'refunds', 'buyer', false),
('late_refund_returned', 1, 'debit', 'refunds', 'buyer', false),
('late_refund_returned', 2, 'credit', 'suspense', 'buyer', false),
('unknown_refund', 1, 'debit', 'suspense', 'buyer', false),
('unknown_refund', 2, 'credit', 'refunds', 'buyer', false);


-- The entries, append-only.  source names their cause: order/<id>, change/<id>,
-- dispute/<psp>/<id>, late/<checkout>, event/<psp>/<event id>; together with
-- the kind it is unique, so nothing is booked twice.  tx is the transaction
-- that made the entry: only that may give it lines.
CREATE TABLE journal_entry (
    merchant_id       id NOT NULL,
    source            journal_source NOT NULL,
    kind              text COLLATE "C" NOT NULL,
    at                timestamptz NOT NULL DEFAULT clock_timestamp(),
    tx                xid8 NOT NULL DEFAULT pg_current_xact_id(),
    checkout_id       id NOT NULL,
    payment_order_id  id,
    psp               id NOT NULL,
    seller_account    text COLLATE "C",
    amount_minor      positive_minor NOT NULL,
    currency          currency_code NOT NULL,
    -- the seller's credit of this entry, and the rate that it was converted by
    seller_minor      minor NOT NULL,
    seller_currency   currency_code NOT NULL,
    rate              positive_rate,
    request_id        text,
    PRIMARY KEY (merchant_id, source, kind),
    CHECK ((rate IS NULL) = (currency = seller_currency)),
    CHECK (rate IS NOT NULL OR seller_minor = amount_minor)
) WITH (autovacuum_analyze_threshold = 1000);

-- Not led by the merchant: a plan that was made while the table was empty
-- would take it for as short a way to one entry as the key.
CREATE INDEX journal_entry_checkout
    ON journal_entry (checkout_id, merchant_id);

-- A seller's lines are numbered along its wallet, and state the balance of the
-- account after them: the statement.
CREATE TABLE journal_line (
    merchant_id    id NOT NULL,
    source         text COLLATE "C" NOT NULL,
    kind           text COLLATE "C" NOT NULL,
    line           line_number NOT NULL,
    account        text COLLATE "C" NOT NULL,
    owner          text COLLATE "C" NOT NULL,
    currency       currency_code NOT NULL,
    amount_minor   signed_minor NOT NULL,
    wallet_seq     bigint,
    balance_minor  bigint,
    PRIMARY KEY (merchant_id, source, kind, line),
    CHECK ((wallet_seq IS NULL) = (balance_minor IS NULL)),
    -- the accounts of the chart that have a wallet
    CHECK ((wallet_seq IS NOT NULL) = starts_with(account, 'seller_'))
) WITH (autovacuum_analyze_threshold = 1000);

CREATE UNIQUE INDEX journal_line_statement
    ON journal_line (merchant_id, owner, currency, wallet_seq)
    WHERE wallet_seq IS NOT NULL;


-- The balance of a seller: the sums of its lines, which are credits, with their
-- sign turned.  available may fall below zero: a buyer is paid back, and a
-- dispute taken, whether or not the seller has been paid out meanwhile.
CREATE TABLE wallet (
    merchant_id      id NOT NULL,
    seller_account   filled NOT NULL,
    currency         currency_code NOT NULL,
    available_minor  bigint NOT NULL DEFAULT 0,
    pending_minor    minor NOT NULL DEFAULT 0,
    reserved_minor   minor NOT NULL DEFAULT 0,
    -- lines so far
    seq              whole NOT NULL DEFAULT 0,
    changed_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (merchant_id, seller_account, currency)
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 1000,
        autovacuum_analyze_threshold = 1000);


-- The sums of an order's money, each the sum of rows elsewhere: captured and
-- authorized (the part that is not captured) by PSP events, refunding
-- (reserved, no outcome yet), refunded, charged_back (disputes that are open or
-- lost).  Nothing can be refunded that was not captured.  credit: the amount
-- that the seller is owed for the order, if that is another currency, by the
-- quoted rate.
ALTER TABLE payment_order
    ADD authorized_minor minor NOT NULL DEFAULT 0,
    ADD captured_minor minor NOT NULL DEFAULT 0,
    ADD refunding_minor minor NOT NULL DEFAULT 0,
    ADD refunded_minor minor NOT NULL DEFAULT 0,
    ADD charged_back_minor minor NOT NULL DEFAULT 0,
    ADD credit_currency currency_code,
    ADD credit_rate positive_rate,
    ADD credit_minor minor,
    ADD credit_until timestamptz,
    ADD CHECK (greatest(authorized_minor, captured_minor) <= amount_minor),
    ADD CHECK (refunding_minor + refunded_minor <= captured_minor),
    ADD CHECK (num_nulls(credit_currency, credit_rate, credit_minor,
                         credit_until) IN (0, 4)),
    ADD CHECK (credit_currency <> currency);


ALTER TABLE checkout ADD capture capture_mode NOT NULL DEFAULT 'automatic';


-- Messages for storefronts, in the commit of their event, which each names.  A
-- sender that has delivered one deletes its row.
CREATE TABLE outbox (
    merchant_id       id NOT NULL,
    payment_order_id  id NOT NULL,
    seq               int NOT NULL,
    at                timestamptz NOT NULL,
    kind              filled NOT NULL,
    PRIMARY KEY (merchant_id, payment_order_id, seq)
);


-- One thing to book, see post().  seller_minor and seller_currency NULL: as
-- the buyer's.
CREATE TYPE posting AS (
    merchant_id       text,
    source            text,
    kind              text,
    checkout_id       text,
    payment_order_id  text,
    psp               text,
    seller_account    text,
    amount_minor      bigint,
    currency          text,
    seller_minor      bigint,
    seller_currency   text,
    rate              numeric,
    request_id        text
);


-- A wallet on its way through post(): its row, and its balances so far.
CREATE TYPE wallet_state AS (
    part       oid,
    tid        tid,
    available  bigint,
    pending    bigint,
    reserved   bigint,
    seq        bigint
);


CREATE TRIGGER journal_entry_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_entry
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('the journal is append-only', 'PAY20');
ALTER TABLE journal_entry ENABLE ALWAYS TRIGGER journal_entry_append_only;

CREATE TRIGGER journal_line_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_line
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('the journal is append-only', 'PAY20');
ALTER TABLE journal_line ENABLE ALWAYS TRIGGER journal_line_append_only;

-- Lines come with their entry, in one transaction: so the check of an entry
-- at its commit sees all that it will ever have.
CREATE FUNCTION lines_with_entry() RETURNS trigger
LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM added n
        LEFT JOIN LATERAL (
            SELECT e.tx FROM journal_entry e
            WHERE e.merchant_id = n.merchant_id AND e.source = n.source
                AND e.kind = n.kind
            OFFSET 0) e ON true
        WHERE e.tx IS DISTINCT FROM pg_current_xact_id())
    THEN
        RAISE EXCEPTION 'a line without an entry of this transaction'
            USING ERRCODE = 'PAY21';
    END IF;

    RETURN NULL;
END
$$;

CREATE TRIGGER journal_line_entry
    AFTER INSERT ON journal_line REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION lines_with_entry();
ALTER TABLE journal_line ENABLE ALWAYS TRIGGER journal_line_entry;

-- Double entry: at the commit each entry has two lines or more, and they sum
-- to nothing in each currency.  A commit is the gateway's, who sees no table:
-- hence SECURITY DEFINER.
CREATE FUNCTION entry_balances() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_lines int;
    v_wrong text;
BEGIN
    SELECT sum(l.lines), min(l.currency) FILTER (WHERE l.total <> 0)
    INTO v_lines, v_wrong
    FROM (SELECT l.currency, count(*) AS lines, sum(l.amount_minor) AS total
          FROM journal_line l
          WHERE l.merchant_id = NEW.merchant_id AND l.source = NEW.source
              AND l.kind = NEW.kind
          GROUP BY l.currency) l;

    IF coalesce(v_lines, 0) < 2 OR v_wrong IS NOT NULL THEN
        RAISE EXCEPTION 'entry % of % does not balance (% lines, %)',
            NEW.kind, NEW.source, coalesce(v_lines, 0),
            coalesce(v_wrong, 'too few') USING ERRCODE = 'PAY22';
    END IF;

    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER journal_entry_balances
    AFTER INSERT ON journal_entry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION entry_balances();
ALTER TABLE journal_entry ENABLE ALWAYS TRIGGER journal_entry_balances;

-- The chart and the rules are changed by migrations, and by nothing else.
CREATE TRIGGER account_kind_fixed
    BEFORE UPDATE OR DELETE OR TRUNCATE ON account_kind
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('the chart is fixed', 'PAY20');
CREATE TRIGGER posting_rule_fixed
    BEFORE UPDATE OR DELETE OR TRUNCATE ON posting_rule
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('the rules are fixed', 'PAY20');

RESET ROLE;
