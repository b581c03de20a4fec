-- Risk after the PSP: words of PSPs about cards, and labels of orders.  The functions are those of 29_risk_after.sql.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- One for each attempt that a PSP has said something about, however often it
-- says so; first wins, and gaps are filled.  Without a checkout:
-- its token is not known yet.  card is a keyed hash, which goes after a while.
CREATE TABLE risk_card (
    psp          id NOT NULL,
    attempt      id NOT NULL,
    merchant_id  id,
    checkout_id  id,
    token        id,
    card         text COLLATE "C" CHECK (card ~ '^[0-9a-f]{64}$'),
    bin          text COLLATE "C" CHECK (bin ~ '^[0-9]{6,8}$'),
    country      text COLLATE "C" CHECK (country ~ '^[A-Z]{2}$'),
    funding      text COLLATE "C"
        CHECK (funding IN ('credit', 'debit', 'prepaid')),
    three_d      text COLLATE "C" CHECK (three_d IN (
        'authenticated', 'attempted', 'exempted', 'failed')),
    level        text COLLATE "C"
        CHECK (level IN ('normal', 'elevated', 'highest')),
    score        int CHECK (score BETWEEN 0 AND 100),
    warning      text COLLATE "C" CHECK (warning ~ '^[a-z0-9_.-]{1,64}$'),
    is_hint      boolean NOT NULL,
    is_declined  boolean NOT NULL,
    at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (psp, attempt)
);
CREATE INDEX risk_card_of ON risk_card (merchant_id, checkout_id)
    WHERE checkout_id IS NOT NULL;
CREATE INDEX risk_card_parked ON risk_card (psp, token)
    WHERE checkout_id IS NULL;
CREATE INDEX risk_card_age ON risk_card (at) WHERE card IS NOT NULL;
COMMENT ON TABLE risk_card IS
    'The words of PSPs about the cards of attempts';


-- Labels of orders.  Of each source the first one counts.
CREATE TABLE risk_label (
    merchant_id       id NOT NULL,
    payment_order_id  id NOT NULL,
    label             text COLLATE "C" NOT NULL
        CHECK (label IN ('fraud', 'rejected', 'not_fraud')),
    source            text COLLATE "C" NOT NULL
        CHECK (source IN ('dispute', 'early_fraud_warning', 'refund',
                          'reviewer')),
    labelled_at       timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, payment_order_id, source)
);
CREATE INDEX risk_label_age ON risk_label (labelled_at);
COMMENT ON TABLE risk_label IS
    'Labels of orders: fraud in the word of the buyer''s bank, rejected by a '
    'reviewer, disputed and not fraud';

-- it has rows of cards now
DROP FUNCTION IF EXISTS pay_api.apply_event(text[], text[], text[], text[],
    text[], text[], text[], text[], bigint[], text[], bytea[], text[], text[],
    text[], text[]);

RESET ROLE;
