-- Remittance advice: the lines and sums of a pay-out, for the seller.  It is made
-- with the item from lines of the ledger, never changes, and its digest stands in
-- the act that made the item.  The functions are those of 97_payout_advice.sql.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The part of an advice that entries of a kind belong to.  A kind without a row
-- here belongs to the adjustments.
CREATE TABLE payout_advice_kind (
    kind  text COLLATE "C" PRIMARY KEY REFERENCES posting_kind,
    part  text COLLATE "C" NOT NULL
        CHECK (part IN ('sales', 'refunds', 'disputes', 'fees', 'reserve',
                        'payouts', 'adjustments'))
);
INSERT INTO payout_advice_kind (kind, part)
SELECT k.kind, p.part
FROM (VALUES
    ('sales', 'sale late_accepted'),
    ('refunds', 'refund_reserved refund_released refund_external'
                ' refund_returned'),
    ('disputes', 'dispute_opened dispute_won dispute_moved'
                 ' dispute_loss_moved'),
    ('fees', 'platform_fee platform_fee_returned platform_fee_tax'
             ' platform_fee_tax_returned'),
    ('reserve', 'reserve_held reserve_released'),
    ('payouts', 'payout_reserved payout_released payout_returned')
) AS p (part, kinds),
    regexp_split_to_table(p.kinds, ' ') AS k (kind);


-- The available money of a wallet from the item before (since_seq, the line that
-- reserved it; 0: this is the first one) to this one (until_seq).  payouts: money
-- of earlier items that was given back.
CREATE TABLE payout_advice (
    merchant_id        id NOT NULL,
    payout_id          id NOT NULL,
    seller_account     filled NOT NULL,
    currency           currency_code NOT NULL,
    since_seq          whole NOT NULL,
    until_seq          bigint NOT NULL CHECK (until_seq > since_seq),
    opening_minor      bigint NOT NULL,
    sales_minor        bigint NOT NULL,
    refunds_minor      bigint NOT NULL,
    disputes_minor     bigint NOT NULL,
    fees_minor         bigint NOT NULL,
    reserve_minor      bigint NOT NULL,
    payouts_minor      bigint NOT NULL,
    adjustments_minor  bigint NOT NULL,
    paid_minor         positive_minor NOT NULL,
    closing_minor      minor NOT NULL,
    sha256             hash NOT NULL,
    PRIMARY KEY (merchant_id, payout_id),
    FOREIGN KEY (merchant_id, payout_id) REFERENCES payout,
    CHECK (opening_minor + sales_minor + refunds_minor + disputes_minor
           + fees_minor + reserve_minor + payouts_minor + adjustments_minor
           - paid_minor = closing_minor)
);

CREATE UNIQUE INDEX payout_advice_wallet ON payout_advice (merchant_id,
    seller_account, currency, until_seq);

CREATE TRIGGER payout_advice_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON payout_advice
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('an advice is fixed', 'PAY20');
ALTER TABLE payout_advice ENABLE ALWAYS TRIGGER payout_advice_append_only;

RESET ROLE;
