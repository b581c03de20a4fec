-- Money that went back for a checkout with several orders, where the PSP did
-- not say for which: it is split over the orders, and operators may assign it
-- otherwise.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- A dispute has a row for each order that bears a part of it, numbered from 1.
-- moved: operators have assigned it to other orders since.
ALTER TABLE dispute ADD part int NOT NULL DEFAULT 1 CHECK (part >= 1);
ALTER TABLE dispute DROP CONSTRAINT dispute_pkey;
ALTER TABLE dispute ADD PRIMARY KEY (psp, dispute_id, part);
ALTER TABLE dispute DROP CONSTRAINT dispute_state_check;
ALTER TABLE dispute ADD CONSTRAINT dispute_state_check
    CHECK (state IN ('open', 'won', 'lost', 'moved'));

INSERT INTO account_kind (account, class, owner, wallet, about) VALUES
('losses', 'expense', 'psp', NULL,
    'What went back to buyers and no order could bear: the merchant bears it');

INSERT INTO posting_kind (kind, about, example) VALUES
('dispute_moved', 'An operator has laid an open dispute to other orders',
    'The 12.00 EUR that were reserved are the seller''s again, and reserved of'
    ' another one'),
('dispute_loss_moved', 'An operator has laid a lost dispute to other orders',
    'The seller has the 12.00 EUR back, and another one bears them'),
('unknown_dispute_cleared', 'It is known whose loss a dispute was',
    'The 9.00 EUR that stripe keeps are laid to the orders of two sellers'),
('unknown_dispute_borne', 'The merchant bears a lost dispute itself',
    'stripe keeps 9.00 EUR more than was sold: they are a loss of the'
    ' merchant'),
('unknown_refund_borne', 'The merchant bears a refund itself',
    'stripe has paid back 3.00 EUR more than was sold: they are a loss of the'
    ' merchant'),
('unknown_refund_borne_returned', 'A refund that the merchant bore comes back',
    'The 3.00 EUR come back to stripe: the merchant has no loss');
INSERT INTO posting_rule (kind, line, side, account, leg, only_converted)
VALUES
('dispute_moved', 1, 'debit', 'seller_reserved', 'seller', false),
('dispute_moved', 2, 'credit', 'seller_available', 'seller', false),
('dispute_loss_moved', 1, 'debit', 'chargebacks', 'buyer', false),
('dispute_loss_moved', 2, 'credit', 'fx', 'buyer', true),
('dispute_loss_moved', 3, 'debit', 'fx', 'seller', true),
('dispute_loss_moved', 4, 'credit', 'seller_available', 'seller', false),
('unknown_dispute_cleared', 1, 'debit', 'chargebacks', 'buyer', false),
('unknown_dispute_cleared', 2, 'credit', 'suspense', 'buyer', false),
('unknown_dispute_borne', 1, 'debit', 'losses', 'buyer', false),
('unknown_dispute_borne', 2, 'credit', 'suspense', 'buyer', false),
('unknown_refund_borne', 1, 'debit', 'losses', 'buyer', false),
('unknown_refund_borne', 2, 'credit', 'suspense', 'buyer', false),
('unknown_refund_borne_returned', 1, 'debit', 'refunds', 'buyer', false),
('unknown_refund_borne_returned', 2, 'credit', 'losses', 'buyer', false);

RESET ROLE;
