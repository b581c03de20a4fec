-- The marketplace's fee: a commission that a merchant keeps of its sellers'
-- sales, or the fee that the storefront gives with an order.  It is booked in
-- the commit of the sale (14_fee.sql), and given back when the money goes back.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE DOMAIN fee_percent AS numeric(7, 4) CHECK (VALUE BETWEEN 0 AND 100);
COMMENT ON DOMAIN fee_percent IS 'A part of an amount, with 4 decimals';

ALTER TABLE account_kind DROP CONSTRAINT account_kind_class_check;
ALTER TABLE account_kind ADD CONSTRAINT account_kind_class_check
    CHECK (class IN ('asset', 'liability', 'expense', 'income', 'transit'));

INSERT INTO account_kind (account, class, owner, wallet, about) VALUES
('platform_fees', 'income', 'nobody', NULL,
    'Fees that the merchant keeps of its sellers'' sales, without VAT'),
('tax_on_fees', 'liability', 'nobody', NULL,
    'The VAT on these fees, which the merchant owes to a tax office');

INSERT INTO posting_kind (kind, about, example) VALUES
('platform_fee', 'The merchant keeps its fee of a sale',
    'A commission of 10 % of a sale of 12.00 EUR: the merchant has earned'
    ' 1.20, and owes the seller 1.20 less'),
('platform_fee_returned', 'A fee is given back with the money of its sale',
    '5.00 of the 12.00 EUR go back to the buyer: the seller has 0.50 of the'
    ' fee back'),
('platform_fee_tax', 'VAT is added to the fee of a sale',
    '20 % VAT on the fee of 1.20 EUR: the merchant owes a tax office 0.24,'
    ' and the seller 0.24 less'),
('platform_fee_tax_returned', 'The VAT on a fee is given back with the fee',
    'The seller has 0.10 EUR of VAT back with the 0.50 of the fee');

INSERT INTO posting_rule (kind, line, side, account, leg, only_converted)
VALUES
('platform_fee', 1, 'debit', 'seller_available', 'seller', false),
('platform_fee', 2, 'credit', 'platform_fees', 'seller', false),
('platform_fee_returned', 1, 'debit', 'platform_fees', 'seller', false),
('platform_fee_returned', 2, 'credit', 'seller_available', 'seller', false),
('platform_fee_tax', 1, 'debit', 'seller_available', 'seller', false),
('platform_fee_tax', 2, 'credit', 'tax_on_fees', 'seller', false),
('platform_fee_tax_returned', 1, 'debit', 'tax_on_fees', 'seller', false),
('platform_fee_tax_returned', 2, 'credit', 'seller_available', 'seller',
    false);


-- A merchant without a row here has no fees, and its postings are not looked
-- at.  returns: the part of the fee that is given back when money goes back to
-- the buyer.
CREATE TABLE fee_policy (
    merchant_id  id PRIMARY KEY,
    returns      text COLLATE "C" NOT NULL DEFAULT 'proportional'
        CHECK (returns IN ('all', 'proportional', 'none')),
    tax_percent  fee_percent NOT NULL DEFAULT 0
);

-- The schedule, append-only.  seller_account and psp empty: all.  A row counts
-- from valid_from on, until a later one of the same seller, PSP and currency.
-- percent NULL: from then on there is no such row.  Amounts are in the currency
-- that the buyer pays.
CREATE TABLE commission (
    commission_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id     id NOT NULL,
    seller_account  text COLLATE "C" NOT NULL,
    psp             text COLLATE "C" NOT NULL,
    currency        currency_code NOT NULL,
    percent         fee_percent,
    fixed_minor     minor NOT NULL DEFAULT 0,
    minimum_minor   minor NOT NULL DEFAULT 0,
    maximum_minor   minor,
    valid_from      timestamptz NOT NULL,
    entered_by      filled NOT NULL,
    entered_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (minimum_minor <= maximum_minor)
);

CREATE INDEX commission_key ON commission (merchant_id, currency,
    seller_account, psp, valid_from, commission_id);

CREATE TRIGGER commission_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON commission FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('the schedule is append-only', 'PAY20');
ALTER TABLE commission ENABLE ALWAYS TRIGGER commission_append_only;

-- The terms of an order's fee, fixed with its first sale, or with the order
-- when the storefront gives the fee (given_minor).
CREATE TABLE order_fee (
    merchant_id       id NOT NULL,
    payment_order_id  id NOT NULL,
    given_minor       minor,
    commission_id     bigint REFERENCES commission,
    returns           text COLLATE "C" NOT NULL
        CHECK (returns IN ('all', 'proportional', 'none')),
    tax_percent       fee_percent NOT NULL,
    PRIMARY KEY (merchant_id, payment_order_id),
    CHECK (num_nulls(given_minor, commission_id) = 1)
);

CREATE TRIGGER order_fee_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON order_fee FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('the terms of a fee are fixed', 'PAY20');
ALTER TABLE order_fee ENABLE ALWAYS TRIGGER order_fee_append_only;

-- The fee and its VAT as they are booked, less the parts that were given back,
-- in the currency of the seller's wallet.  NULL: the order has no fee.
ALTER TABLE payment_order
    ADD fee_minor minor,
    ADD fee_tax_minor minor,
    ADD CHECK ((fee_minor IS NULL) = (fee_tax_minor IS NULL));


-- The fee of an order as it should be and as it is booked; entries: how many
-- times it was booked or given back.
CREATE TYPE fee_due AS (
    fee_minor      bigint,
    tax_minor      bigint,
    booked_minor   bigint,
    booked_tax     bigint,
    entries        bigint
);

RESET ROLE;
