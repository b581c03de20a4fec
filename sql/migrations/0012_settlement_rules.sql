-- The chart and the rules of settlement: accounts between a PSP and the bank,
-- the kinds of entries that files cause, the kinds of entries that files should
-- bring, and the findings about rows.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


INSERT INTO account_kind (account, class, owner, wallet, about) VALUES
('bank', 'asset', 'nobody', NULL, 'What is on the merchant''s bank accounts'),
('psp_in_transit', 'asset', 'psp', NULL,
    'What a PSP has paid out and the bank has not received yet'),
('psp_reserve', 'asset', 'psp', NULL,
    'What a PSP withholds, or has taken for a dispute that is open'),
('write_off', 'expense', 'psp', NULL,
    'What operators have given up, less what they have kept'),
('rounding', 'expense', 'psp', NULL,
    'What remains of conversions at a PSP'),
('vat_input', 'asset', 'psp', NULL, 'The VAT that a PSP adds to its fees');

INSERT INTO posting_kind (kind, about, example) VALUES
('psp_fee_vat', 'A PSP has charged VAT on a fee',
    'stripe adds 0.09 EUR of VAT to a fee of 0.47 EUR'),
('psp_fee_vat_returned', 'A PSP has given VAT on a fee back',
    'The fee of 0.47 EUR is returned, and its 0.09 EUR of VAT'),
('settled_refund', 'A file shows a refund',
    'stripe''s file has the refund of 5.00 EUR: stripe owes 5.00 less, which'
    ' refunds has said since the refund'),
('settled_refund_returned', 'A file shows a refund that came back',
    'stripe''s file has the 5.00 EUR that came back'),
('settled_chargeback', 'A file shows the money of a dispute that is lost',
    'stripe''s file has the 12.00 EUR that the buyer got'),
('settled_chargeback_returned',
    'A file gives back the money of a dispute that was booked as lost',
    'stripe''s file gives 12.00 EUR back'),
('psp_withheld', 'A PSP withholds money',
    'adyen keeps 50.00 EUR as a deposit: it still owes them'),
('psp_released', 'A PSP releases what it has withheld',
    'adyen gives the 50.00 EUR back into the balance'),
('psp_disputed', 'A PSP has taken the money of a dispute that is open',
    'A buyer disputes 12.00 EUR: stripe takes them until it is decided'),
('psp_dispute_won', 'A PSP gives back the money of a dispute',
    'The dispute was won: the 12.00 EUR are in the balance again'),
('psp_dispute_lost', 'A dispute is lost whose money the PSP has taken before',
    'The dispute was lost: the 12.00 EUR that stripe took are gone'),
('psp_paid_out', 'A PSP pays out',
    'stripe sends 6.50 EUR to the bank'),
('psp_debited', 'A PSP collects a negative balance',
    'The balance is -6.50 EUR: stripe collects 6.50 EUR from the bank'),
('psp_payout_returned', 'A payout did not arrive',
    'The bank account is closed: the 6.50 EUR are in stripe''s balance again'),
('psp_received', 'The bank has received a payout',
    'The 6.50 EUR of stripe''s payout are on the bank account'),
('psp_collected', 'The bank has paid what a PSP collects',
    'stripe has collected the 6.50 EUR from the bank account'),
('payout_fee', 'A bank has kept a part of a payout',
    'Of 6.50 EUR the bank receives 6.40: 0.10 EUR are its fee'),
('unknown_receipt', 'A file credits what nobody knows',
    'adyen credits 3.00 EUR as "ManualCorrected": an operator investigates'),
('unknown_receipt_cleared', 'It is known what such a credit was',
    'The 3.00 EUR are a fee that adyen returned'),
('unknown_debit', 'A file debits what nobody knows',
    'paypal takes 3.00 EUR as T9900: an operator investigates'),
('unknown_debit_cleared', 'It is known what such a debit was',
    'The 3.00 EUR are a fee'),
('unknown_bank_receipt', 'The bank receives what nobody knows',
    '3.00 EUR arrive, and no PSP has paid them out'),
('unknown_bank_receipt_cleared', 'It is known what such a receipt was',
    'The 3.00 EUR are a payout whose file came later'),
('unknown_bank_debit', 'The bank pays what nobody knows',
    'A debit of 3.00 EUR, and no PSP has collected them'),
('unknown_bank_debit_cleared', 'It is known what such a debit was',
    'The 3.00 EUR are what a PSP has collected'),
('written_off', 'Operators give up what a PSP should owe',
    '1.00 EUR of a payment is missing in the file, and nobody finds it'),
('written_up', 'Operators keep what a PSP owes beyond the books',
    'The file has 1.00 EUR more than was sold, and nobody claims it'),
('suspense_written_off', 'Operators give up a debit in suspense',
    'Nobody finds what the 3.00 EUR were that paypal took'),
('suspense_written_up', 'Operators keep a credit in suspense',
    'Nobody claims the 3.00 EUR that arrived'),
('payout_written_off', 'Operators give up a payout that never arrives',
    'The 6.50 EUR never reach the bank, and stripe has gone bankrupt'),
('payout_written_up', 'Operators keep what a PSP never collects',
    'stripe never collects the 6.50 EUR'),
('settled_fx', 'A PSP converts what it owes',
    'stripe settles 10.00 USD as 9.25 EUR'),
('rounded', 'A conversion at a PSP leaves less than a minor unit',
    'The rate makes 9.25 EUR of what should be 9.26'),
('rounded_up', 'A conversion at a PSP brings more, by a minor unit',
    'The rate makes 9.26 EUR of what should be 9.25');

INSERT INTO posting_rule (kind, line, side, account, leg) VALUES
('psp_fee_vat', 1, 'debit', 'vat_input', 'buyer'),
('psp_fee_vat', 2, 'credit', 'psp_clearing', 'buyer'),
('psp_fee_vat_returned', 1, 'debit', 'psp_clearing', 'buyer'),
('psp_fee_vat_returned', 2, 'credit', 'vat_input', 'buyer'),
('settled_refund', 1, 'debit', 'refunds', 'buyer'),
('settled_refund', 2, 'credit', 'psp_clearing', 'buyer'),
('settled_refund_returned', 1, 'debit', 'psp_clearing', 'buyer'),
('settled_refund_returned', 2, 'credit', 'refunds', 'buyer'),
('settled_chargeback', 1, 'debit', 'chargebacks', 'buyer'),
('settled_chargeback', 2, 'credit', 'psp_clearing', 'buyer'),
('settled_chargeback_returned', 1, 'debit', 'psp_clearing', 'buyer'),
('settled_chargeback_returned', 2, 'credit', 'chargebacks', 'buyer'),
('psp_withheld', 1, 'debit', 'psp_reserve', 'buyer'),
('psp_withheld', 2, 'credit', 'psp_clearing', 'buyer'),
('psp_released', 1, 'debit', 'psp_clearing', 'buyer'),
('psp_released', 2, 'credit', 'psp_reserve', 'buyer'),
('psp_disputed', 1, 'debit', 'psp_reserve', 'buyer'),
('psp_disputed', 2, 'credit', 'psp_clearing', 'buyer'),
('psp_dispute_won', 1, 'debit', 'psp_clearing', 'buyer'),
('psp_dispute_won', 2, 'credit', 'psp_reserve', 'buyer'),
('psp_dispute_lost', 1, 'debit', 'chargebacks', 'buyer'),
('psp_dispute_lost', 2, 'credit', 'psp_reserve', 'buyer'),
('psp_paid_out', 1, 'debit', 'psp_in_transit', 'buyer'),
('psp_paid_out', 2, 'credit', 'psp_clearing', 'buyer'),
('psp_debited', 1, 'debit', 'psp_clearing', 'buyer'),
('psp_debited', 2, 'credit', 'psp_in_transit', 'buyer'),
('psp_payout_returned', 1, 'debit', 'psp_clearing', 'buyer'),
('psp_payout_returned', 2, 'credit', 'psp_in_transit', 'buyer'),
('psp_received', 1, 'debit', 'bank', 'buyer'),
('psp_received', 2, 'credit', 'psp_in_transit', 'buyer'),
('psp_collected', 1, 'debit', 'psp_in_transit', 'buyer'),
('psp_collected', 2, 'credit', 'bank', 'buyer'),
('payout_fee', 1, 'debit', 'psp_fees', 'buyer'),
('payout_fee', 2, 'credit', 'psp_in_transit', 'buyer'),
('unknown_receipt', 1, 'debit', 'psp_clearing', 'buyer'),
('unknown_receipt', 2, 'credit', 'suspense', 'buyer'),
('unknown_receipt_cleared', 1, 'debit', 'suspense', 'buyer'),
('unknown_receipt_cleared', 2, 'credit', 'psp_clearing', 'buyer'),
('unknown_debit', 1, 'debit', 'suspense', 'buyer'),
('unknown_debit', 2, 'credit', 'psp_clearing', 'buyer'),
('unknown_debit_cleared', 1, 'debit', 'psp_clearing', 'buyer'),
('unknown_debit_cleared', 2, 'credit', 'suspense', 'buyer'),
('unknown_bank_receipt', 1, 'debit', 'bank', 'buyer'),
('unknown_bank_receipt', 2, 'credit', 'suspense', 'buyer'),
('unknown_bank_receipt_cleared', 1, 'debit', 'suspense', 'buyer'),
('unknown_bank_receipt_cleared', 2, 'credit', 'bank', 'buyer'),
('unknown_bank_debit', 1, 'debit', 'suspense', 'buyer'),
('unknown_bank_debit', 2, 'credit', 'bank', 'buyer'),
('unknown_bank_debit_cleared', 1, 'debit', 'bank', 'buyer'),
('unknown_bank_debit_cleared', 2, 'credit', 'suspense', 'buyer'),
('written_off', 1, 'debit', 'write_off', 'buyer'),
('written_off', 2, 'credit', 'psp_clearing', 'buyer'),
('written_up', 1, 'debit', 'psp_clearing', 'buyer'),
('written_up', 2, 'credit', 'write_off', 'buyer'),
('suspense_written_off', 1, 'debit', 'write_off', 'buyer'),
('suspense_written_off', 2, 'credit', 'suspense', 'buyer'),
('suspense_written_up', 1, 'debit', 'suspense', 'buyer'),
('suspense_written_up', 2, 'credit', 'write_off', 'buyer'),
('payout_written_off', 1, 'debit', 'write_off', 'buyer'),
('payout_written_off', 2, 'credit', 'psp_in_transit', 'buyer'),
('payout_written_up', 1, 'debit', 'psp_in_transit', 'buyer'),
('payout_written_up', 2, 'credit', 'write_off', 'buyer'),
-- buyer: the amount out of the balance, seller: the amount into it
('settled_fx', 1, 'debit', 'fx', 'buyer'),
('settled_fx', 2, 'credit', 'psp_clearing', 'buyer'),
('settled_fx', 3, 'debit', 'psp_clearing', 'seller'),
('settled_fx', 4, 'credit', 'fx', 'seller'),
('rounded', 1, 'debit', 'rounding', 'buyer'),
('rounded', 2, 'credit', 'psp_clearing', 'buyer'),
('rounded_up', 1, 'debit', 'psp_clearing', 'buyer'),
('rounded_up', 2, 'credit', 'rounding', 'buyer');


INSERT INTO settlement_expected (kind, family, sign) VALUES
('sale', 'sale', 1),
('late_held', 'sale', 1),
('refund', 'refund', -1),
('refund_external', 'refund', -1),
('late_refunded', 'refund', -1),
('refund_returned', 'refund', 1),
('late_refund_returned', 'refund', 1),
('unknown_refund', 'refund', -1),
('unknown_refund_cleared', 'refund', 1),
('unknown_refund_borne_returned', 'refund', 1),
('dispute_lost', 'dispute', -1),
('dispute_loss_moved', 'dispute', 1),
('unknown_dispute', 'dispute', -1),
('unknown_dispute_cleared', 'dispute', 1),
('psp_fee', 'fee', -1),
('psp_fee_returned', 'fee', 1),
('psp_paid_out', 'payout', 1),
('psp_debited', 'payout', -1),
('psp_payout_returned', 'payout', -1);


INSERT INTO settlement_rule (kind, finding, class, posts, posting, back,
    playbook, about) VALUES
('sale', 'matched', 0, 'value', NULL, NULL, NULL, 'A sale that is booked'),
('sale_returned', 'matched', 0, 'value', NULL, NULL, NULL,
    'The part of a sale that was not captured'),
('sale', 'confirmed', 1, 'value', NULL, NULL, NULL,
    'A sale that the file has proved: the order has moved as by a webhook'),
('refund', 'matched', 0, 'value', 'settled_refund_returned',
    'settled_refund', NULL,
    'A refund that is booked'),
('refund', 'confirmed', 1, 'value', 'settled_refund_returned',
    'settled_refund', NULL,
    'A refund that was made at the PSP, or whose end nobody had heard'),
('refund_returned', 'matched', 0, 'value', 'settled_refund_returned',
    'settled_refund',
    NULL, 'A refund that came back, as is booked'),
('refund_returned', 'confirmed', 1, 'value', 'settled_refund_returned',
    'settled_refund', NULL, 'A refund that came back, as the file says'),
('dispute', 'matched', 0, 'value', 'settled_chargeback_returned',
    'settled_chargeback',
    NULL, 'A dispute that is booked as lost'),
('dispute', 'confirmed', 1, 'value', 'settled_chargeback_returned',
    'settled_chargeback', NULL,
    'A dispute that is booked as lost since the file says so'),
('dispute', 'disputed', 1, 'value', 'psp_dispute_won', 'psp_disputed', NULL,
    'The money of a dispute that is open'),
('dispute_returned', 'matched', 0, 'value', 'settled_chargeback_returned',
    'settled_chargeback', NULL, 'A dispute that was booked as lost is undone'),
('dispute_returned', 'ended', 1, 'value', 'psp_dispute_won', 'psp_disputed',
    NULL,
    'The money of a dispute comes back'),
('refund', 'exceeds', 2, 'value', 'settled_refund_returned',
    'settled_refund', 'refund-exceeds',
    'A refund of more than the orders can bear: it is in suspense'),
('dispute', 'exceeds', 2, 'value', 'settled_chargeback_returned',
    'settled_chargeback', 'dispute-exceeds',
    'A dispute of more than the orders can bear: it is in suspense'),
('fee', 'charged', 1, 'value', 'psp_fee_returned', 'psp_fee', NULL,
    'A fee, or one that is returned'),
('fee', 'matched', 0, 'value', NULL, NULL, NULL, 'A fee that is booked'),
('tax', 'charged', 1, 'value', 'psp_fee_vat_returned', 'psp_fee_vat', NULL,
    'VAT on fees'),
('withheld', 'reserved', 1, 'value', 'psp_released', 'psp_withheld', NULL,
    'Money that the PSP withholds'),
('released', 'reserved', 1, 'value', 'psp_released', 'psp_withheld', NULL,
    'Money that the PSP has withheld'),
('conversion', 'converted', 1, 'value', 'settled_fx', 'settled_fx', NULL,
    'A conversion at the PSP, of which both sides are there'),
('conversion', 'unpaired', 2, 'none', 'unknown_receipt', 'unknown_debit',
    'conversion-unpaired', 'One side of a conversion is missing'),
('payout', 'paid_out', 1, 'value', 'psp_debited', 'psp_paid_out', NULL,
    'A payout, or what the PSP collects'),
('payout_returned', 'returned', 1, 'value', 'psp_payout_returned',
    'psp_paid_out',
    NULL, 'A payout that did not arrive'),
('transfer', 'carried', 1, 'value', NULL, NULL, NULL,
    'What is carried from one batch to the next'),
('adjustment', 'rounded', 1, 'value', 'rounded_up', 'rounded', NULL,
    'The rest of the rounding of the costs of a settlement'),
('memo', 'moves_nothing', 0, 'value', NULL, NULL, NULL, 'No money has moved'),
('adjustment', 'adjustment', 2, 'none', 'unknown_receipt', 'unknown_debit',
    'correction-by-the-psp', 'A correction that the PSP has made by hand'),
('sent', 'unknown', 3, 'net', 'unknown_receipt', 'unknown_debit',
    'sent-to-others',
    'Money that was sent to somebody else'),
('sent_returned', 'unknown', 3, 'net', 'unknown_receipt', 'unknown_debit',
    'sent-to-others', 'Money that was sent to somebody else has come back'),
('receipt', 'matched', 0, 'value', 'psp_received', 'psp_collected', NULL,
    'The bank has received a payout'),
('debit', 'matched', 0, 'value', 'psp_received', 'psp_collected', NULL,
    'The bank has paid what a PSP collects'),
('receipt', 'part', 0, 'value', NULL, NULL, NULL, 'A part of another row'),
('debit', 'part', 0, 'value', NULL, NULL, NULL, 'A part of another row'),
('receipt', 'amount', 2, 'none', 'psp_received', 'psp_collected',
    'bank-amount-differs', 'The bank''s amount is not that of the payout'),
('debit', 'amount', 2, 'none', 'psp_received', 'psp_collected',
    'bank-amount-differs', 'The bank''s amount is not that of the payout'),
('receipt', 'unknown', 3, 'net', 'unknown_bank_receipt', 'unknown_bank_debit',
    'bank-receipt-unknown', 'No payout is known'),
('debit', 'unknown', 3, 'net', 'unknown_bank_receipt', 'unknown_bank_debit',
    'bank-debit-unknown', 'No PSP has collected it'),
('unknown', 'unknown', 3, 'net', 'unknown_receipt', 'unknown_debit',
    'row-type-unknown', 'Nobody knows what rows of this type are');

-- a conversion leaves a minor unit: the entries are settled as they are booked
INSERT INTO settlement_rule (kind, finding, class, posts, posting, back, about)
SELECT r.kind, 'rounded', 1, r.posts, r.posting, r.back,
    'A converted amount that differs by a minor unit from the booked one'
FROM settlement_rule r
WHERE r.finding = 'matched' AND r.kind IN ('sale', 'sale_returned', 'refund',
    'refund_returned', 'dispute', 'dispute_returned');

-- the same of all rows that are about payments
INSERT INTO settlement_rule (kind, finding, class, posts, posting, back,
    playbook, about)
SELECT k.kind, f.finding, f.class,
    CASE f.class WHEN 3 THEN 'net' ELSE 'none' END, 'unknown_receipt',
    'unknown_debit', f.playbook, f.about
FROM (VALUES ('sale'), ('sale_returned'), ('refund'), ('refund_returned'),
    ('dispute'), ('dispute_returned')) AS k (kind)
CROSS JOIN (VALUES
    ('amount', 2, 'amount-differs', 'The amount is not the one that is booked'),
    ('currency', 2, 'currency-differs',
        'The currency is not the one that is booked'),
    ('duplicate', 2, 'paid-twice',
        'Another row has settled all that is booked of this payment'),
    ('early', 2, 'comes-before-its-payment',
        'Its payment, or its dispute, has not come yet'),
    ('contradiction', 2, 'contradicts-the-order',
        'The order is in a state in which this cannot be'),
    ('proposed', 2, 'check-the-proposal',
        'Nothing but amount and time fits one payment'),
    ('unknown', 3, 'payment-unknown', 'No payment is known by these names'))
    AS f (finding, class, playbook, about);

INSERT INTO settlement_rule (kind, finding, class, posts, posting, back,
    playbook, about)
SELECT k.kind, f.finding, 2, 'none',
    CASE WHEN k.kind IN ('receipt', 'debit') THEN 'unknown_bank_receipt'
         ELSE 'unknown_receipt' END,
    CASE WHEN k.kind IN ('receipt', 'debit') THEN 'unknown_bank_debit'
         ELSE 'unknown_debit' END, f.playbook, f.about
FROM (SELECT DISTINCT r.kind FROM settlement_rule r) k
CROSS JOIN (VALUES
    ('repeated', 'row-told-twice', 'The file has the row twice'),
    ('changed', 'row-changed',
        'The row was booked, and now it has other contents'),
    ('added', 'row-added',
        'A later version of the file has a row that the one before did not have'))
    AS f (finding, playbook, about);

INSERT INTO settlement_rule (kind, finding, class, posts, about)
SELECT DISTINCT r.kind, 'back', 1, 'none',
    'A version lacked the row and this one has it: its money leaves suspense'
FROM settlement_rule r;

INSERT INTO settlement_rule (kind, finding, class, posts, playbook, about)
VALUES ('balance', 'differs', 2, 'none', 'balance-differs',
    'The PSP says another balance than the ledger');


CREATE TRIGGER settlement_expected_fixed
    BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_expected
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('the rules are fixed', 'PAY20');
CREATE TRIGGER settlement_rule_fixed
    BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_rule
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('the rules are fixed', 'PAY20');

RESET ROLE;
