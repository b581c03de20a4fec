-- A merchant moves to another cell, which is another database
-- (functions/31_merchant_move.sql, docs/scaling.md#moving-a-merchant).

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE DOMAIN cell_name AS text COLLATE "C"
    CHECK (octet_length(VALUE) BETWEEN 1 AND 32 AND VALUE !~ '[^a-z0-9-]');
COMMENT ON DOMAIN cell_name IS 'The name of a cell, as payments_database has it';

-- A merchant that has a row begins no payment in this database any more.
-- fencing: payments that began before the fence may still be committed.  moved:
-- none can, so the keys and ids of the merchant are final here.  horizon: every
-- transaction that did not see the fence has a lower number.
CREATE TABLE merchant_move (
    merchant_id  id PRIMARY KEY,
    cell         cell_name NOT NULL,
    state        text COLLATE "C" NOT NULL DEFAULT 'fencing'
        CHECK (state IN ('fencing', 'moved')),
    horizon      xid8,
    fenced_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    fenced_by    filled NOT NULL,
    moved_at     timestamptz,
    CHECK ((state = 'moved') = (moved_at IS NOT NULL)),
    CHECK (state = 'fencing' OR horizon IS NOT NULL)
);
COMMENT ON TABLE merchant_move IS
    'Merchants that begin their payments in another cell; no row: here';

-- Where a merchant has come from.  nginx.conf names one cell with its older
-- payments, so that from here it moves back there and nowhere else: a third
-- cell would not know the keys and ids of the first one.
CREATE TABLE merchant_origin (
    merchant_id  id PRIMARY KEY,
    cell         cell_name NOT NULL,
    at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    noted_by     filled NOT NULL
);
COMMENT ON TABLE merchant_origin IS
    'Merchants that have older payments in another cell';


-- A balance of a seller on its way to another cell, a row in each of the two
-- databases.  minor: the carried amount, below zero where the seller owes it.
-- ended_at: of the leg out, when the leg in is known to be committed.
CREATE TABLE cell_transfer (
    transfer_id     uuid PRIMARY KEY,
    merchant_id     id NOT NULL,
    side            text COLLATE "C" NOT NULL CHECK (side IN ('out', 'in')),
    cell            cell_name NOT NULL,
    seller_account  filled NOT NULL,
    currency        currency_code NOT NULL,
    minor           signed_minor NOT NULL,
    at              timestamptz NOT NULL DEFAULT clock_timestamp(),
    made_by         filled NOT NULL,
    ended_at        timestamptz,
    CHECK (side = 'out' OR ended_at IS NOT NULL)
);
COMMENT ON TABLE cell_transfer IS
    'Balances that were carried to another cell (out), or came from one (in)';

CREATE INDEX cell_transfer_open ON cell_transfer (merchant_id)
    WHERE ended_at IS NULL;


INSERT INTO account_kind (account, class, owner, wallet, about) VALUES
('cell_transfer', 'transit', 'psp', NULL,
    'Balances of sellers that another cell has taken over, or has handed over;'
    ' the sum over both cells is nothing');

INSERT INTO posting_kind (kind, about, example) VALUES
('carried_out', 'A seller''s balance is carried to another cell',
    'The merchant moves to the cell b: the seller is owed 95.00 EUR less here,'
    ' and the cell b is owed 95.00 EUR'),
('carried_out_debt', 'The same of a seller who owes',
    'The seller owes 5.00 EUR less here, and the cell b owes 5.00 EUR'),
('carried_in', 'A seller''s balance comes from another cell',
    'In the cell b the seller is owed 95.00 EUR more'),
('carried_in_debt', 'The same of a seller who owes',
    'In the cell b the seller owes 5.00 EUR');

INSERT INTO posting_rule (kind, line, side, account, leg, only_converted)
VALUES
('carried_out', 1, 'debit', 'seller_available', 'seller', false),
('carried_out', 2, 'credit', 'cell_transfer', 'seller', false),
('carried_out_debt', 1, 'debit', 'cell_transfer', 'seller', false),
('carried_out_debt', 2, 'credit', 'seller_available', 'seller', false),
('carried_in', 1, 'debit', 'cell_transfer', 'seller', false),
('carried_in', 2, 'credit', 'seller_available', 'seller', false),
('carried_in_debt', 1, 'debit', 'seller_available', 'seller', false),
('carried_in_debt', 2, 'credit', 'cell_transfer', 'seller', false);

INSERT INTO payout_advice_kind (kind, part)
SELECT k.kind, 'adjustments'
FROM unnest('{carried_out,carried_out_debt,carried_in,carried_in_debt}'::text[])
    AS k (kind);
