-- Pay-outs: sellers get the money that their wallets hold.  An item pays lines
-- of a wallet to one destination; a line is in one live item at most, and the
-- money of an item is reserved in the commit that makes it.  The functions are
-- those of 96_payout_setup.sql to 98_payout_state.sql.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE DOMAIN payout_name AS text COLLATE "C"
    CHECK (VALUE ~ '^[a-z0-9][a-z0-9_-]{0,62}$');
CREATE DOMAIN payout_key AS text COLLATE "C"
    CHECK (VALUE ~ '^[0-9a-f]{32}$');
CREATE DOMAIN payout_state AS text COLLATE "C"
    CHECK (VALUE IN ('draft', 'held', 'ready', 'approved', 'sending', 'sent',
                     'paid', 'settled', 'returned', 'failed', 'cancelled',
                     'unknown'));
CREATE DOMAIN country_code AS text COLLATE "C" CHECK (VALUE ~ '^[A-Z]{2}$');
COMMENT ON DOMAIN payout_name IS 'The name of a pay-out provider';
COMMENT ON DOMAIN payout_key IS
    'The digest of the lines that an item pays, and of their destination';
COMMENT ON DOMAIN payout_state IS 'docs/payouts.md#states';
COMMENT ON DOMAIN country_code IS 'ISO 3166-1, two letters';


-- Money in an item is reserved, so that the wallet of the seller counts it
-- there.
ALTER TABLE account_kind DROP CONSTRAINT account_kind_wallet_key;
INSERT INTO account_kind (account, class, owner, wallet, about) VALUES
('seller_paying', 'liability', 'seller', 'reserved',
    'Money that a seller is owed and a pay-out is about to pay'),
('payout_clearing', 'asset', 'psp', NULL,
    'Money that a pay-out provider holds for the merchant; below zero: it has'
    ' paid ahead of its funding');

INSERT INTO posting_kind (kind, about, example) VALUES
('payout_reserved', 'A pay-out is made',
    '95.00 EUR of a seller are in a pay-out: nothing else can take them'),
('payout_released', 'A pay-out is cancelled, or has failed with proof',
    'The bank refuses the 95.00 EUR: they are available to the seller again'),
('payout_sent', 'A provider proves that it has paid',
    'wise has sent the 95.00 EUR: the seller is owed 95.00 less'),
('payout_returned', 'A pay-out comes back',
    'The account is closed, and the 95.00 EUR are back at wise: they are the'
    ' seller''s again'),
('reserve_held', 'A part of a sale is held in the rolling reserve',
    '10 % of a sale of 12.00 EUR are held for 90 days: 1.20 EUR'),
('reserve_released', 'The time of a rolling reserve is over',
    'After 90 days the 1.20 EUR are available to the seller');

INSERT INTO posting_rule (kind, line, side, account, leg, only_converted)
VALUES
('payout_reserved', 1, 'debit', 'seller_available', 'seller', false),
('payout_reserved', 2, 'credit', 'seller_paying', 'seller', false),
('payout_released', 1, 'debit', 'seller_paying', 'seller', false),
('payout_released', 2, 'credit', 'seller_available', 'seller', false),
('payout_sent', 1, 'debit', 'seller_paying', 'seller', false),
('payout_sent', 2, 'credit', 'payout_clearing', 'seller', false),
('payout_returned', 1, 'debit', 'payout_clearing', 'seller', false),
('payout_returned', 2, 'credit', 'seller_available', 'seller', false),
('reserve_held', 1, 'debit', 'seller_available', 'seller', false),
('reserve_held', 2, 'credit', 'seller_reserved', 'seller', false),
('reserve_released', 1, 'debit', 'seller_reserved', 'seller', false),
('reserve_released', 2, 'credit', 'seller_available', 'seller', false);


-- When a merchant's orders may be paid out.  release_by: the storefront has
-- said that the goods are delivered, days after the capture, either or both.
-- needs_settled: not before a settlement file has brought the sale.
CREATE TABLE payout_policy (
    merchant_id        id PRIMARY KEY,
    release_by         text COLLATE "C" NOT NULL DEFAULT 'delivered'
        CHECK (release_by IN ('delivered', 'days', 'either', 'both')),
    release_days       int NOT NULL DEFAULT 14
        CHECK (release_days BETWEEN 0 AND 365),
    needs_settled      boolean NOT NULL DEFAULT false,
    reserve_percent    numeric(4, 2) NOT NULL DEFAULT 0
        CHECK (reserve_percent BETWEEN 0 AND 50),
    reserve_days       int NOT NULL DEFAULT 90
        CHECK (reserve_days BETWEEN 1 AND 730),
    cooling_off_hours  int NOT NULL DEFAULT 72
        CHECK (cooling_off_hours BETWEEN 0 AND 720)
);

-- The least amount of an item; less carries over to the next one.
CREATE TABLE payout_minimum (
    merchant_id    id NOT NULL,
    currency       currency_code NOT NULL,
    minimum_minor  positive_minor NOT NULL,
    PRIMARY KEY (merchant_id, currency)
);

-- The account of a merchant at a provider, or its bank.  currencies and
-- countries NULL: all.
CREATE TABLE payout_provider (
    merchant_id  id NOT NULL,
    provider     payout_name NOT NULL,
    adapter      filled NOT NULL,
    takes        text[] NOT NULL
        CHECK (takes <@ '{iban,bban,payee}' AND takes <> '{}'),
    currencies   text[],
    countries    text[],
    stopped_at   timestamptz,
    PRIMARY KEY (merchant_id, provider)
);

-- The lengths of IBANs by country: the registry of ISO 13616.
CREATE TABLE iban_country (
    country  country_code PRIMARY KEY,
    length   int NOT NULL CHECK (length BETWEEN 15 AND 34)
);
INSERT INTO iban_country (country, length)
SELECT c.country, l.length
FROM (VALUES
    (15, 'NO'), (16, 'BE'), (18, 'DK FI FO GL NL SD'), (19, 'MK SI'),
    (20, 'AT BA EE KZ LT LU XK'), (21, 'CH HR LI LV'),
    (22, 'BG BH CR DE GB GE IE ME RS VA'), (23, 'AE GI IL IQ TL'),
    (24, 'AD CZ ES MD PK RO SA SE SK TN VG'), (25, 'LY PT ST'),
    (26, 'IS TR'), (27, 'BI DJ FR GR IT MC MR SM'),
    (28, 'AL AZ BY CY DO GT HU LB NI PL SV'), (29, 'BR EG PS QA UA'),
    (30, 'JO KW MU'), (31, 'MT SC'), (32, 'LC'), (33, 'RU')
) AS l (length, countries),
    regexp_split_to_table(l.countries, ' ') AS c (country);


-- A seller's account in a currency, as it stands.  suspect: a pay-out came
-- back, and an operator looks at it; blocked: a second one did.
CREATE TABLE payout_account (
    merchant_id     id NOT NULL,
    destination_id  id NOT NULL,
    seller_account  filled NOT NULL,
    currency        currency_code NOT NULL,
    version         ordinal NOT NULL DEFAULT 1,
    state           text COLLATE "C" NOT NULL DEFAULT 'open'
        CHECK (state IN ('open', 'suspect', 'blocked', 'closed')),
    returns         tally NOT NULL DEFAULT 0,
    PRIMARY KEY (merchant_id, destination_id)
) WITH (fillfactor = 80);

CREATE UNIQUE INDEX payout_account_seller
    ON payout_account (merchant_id, seller_account, currency)
    WHERE state <> 'closed';

-- The versions of an account, append-only.  details: the number of the account
-- and the name of its holder, encrypted with the key key_id; PostgreSQL never
-- decrypts them.  shown: the part that readers see, for instance DE…3000.
CREATE TABLE payout_destination (
    merchant_id     id NOT NULL,
    destination_id  id NOT NULL,
    version         ordinal NOT NULL,
    provider        payout_name NOT NULL,
    kind            text COLLATE "C" NOT NULL
        CHECK (kind IN ('iban', 'bban', 'payee')),
    country         country_code NOT NULL,
    details         bytea NOT NULL
        CHECK (octet_length(details) BETWEEN 1 AND 4096),
    key_id          id NOT NULL,
    shown           filled NOT NULL CHECK (octet_length(shown) <= 16),
    entered_by      filled NOT NULL,
    entered_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- the end of the cooling-off
    usable_from     timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, destination_id, version),
    FOREIGN KEY (merchant_id, destination_id) REFERENCES payout_account,
    FOREIGN KEY (merchant_id, provider) REFERENCES payout_provider
);


-- Acts about pay-outs, append-only: the timeline of an item, of a
-- destination, of a seller's or an order's release.
CREATE TABLE payout_act (
    act_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id  id NOT NULL,
    subject      text COLLATE "C" NOT NULL
        CHECK (subject IN ('payout', 'batch', 'destination', 'order',
                           'seller', 'provider', 'policy')),
    subject_id   text COLLATE "C" NOT NULL,
    at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    act          filled NOT NULL,
    who          filled NOT NULL,
    why          text,
    role         text NOT NULL DEFAULT session_user,
    detail       jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX payout_act_subject
    ON payout_act (merchant_id, subject, subject_id, act_id);

-- Messages about acts.  A sender that has delivered one deletes its row.
CREATE TABLE payout_outbox (
    act_id       bigint PRIMARY KEY REFERENCES payout_act,
    merchant_id  id NOT NULL,
    kind         filled NOT NULL
);


-- An order whose storefront has said that the goods are delivered.
CREATE TABLE payout_release (
    merchant_id       id NOT NULL,
    payment_order_id  id NOT NULL,
    released_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (merchant_id, payment_order_id)
);

-- A hold by an operator, of a seller (payment_order_id is empty) or of an order.
CREATE TABLE payout_hold (
    merchant_id       id NOT NULL,
    seller_account    filled NOT NULL,
    payment_order_id  text COLLATE "C" NOT NULL,
    why               filled NOT NULL,
    held_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (merchant_id, seller_account, payment_order_id)
);


-- The lines of wallets that pay-outs have taken in, from the account
-- seller_available.  Those of pay-outs themselves are not among them: an item
-- that comes to nothing opens its lines again.  seen_seq: the last line of the
-- wallet that was looked at.
CREATE TABLE payout_wallet (
    merchant_id     id NOT NULL,
    seller_account  filled NOT NULL,
    currency        currency_code NOT NULL,
    seen_seq        whole NOT NULL,
    PRIMARY KEY (merchant_id, seller_account, currency)
) WITH (fillfactor = 80);

CREATE TABLE payout_line (
    merchant_id       id NOT NULL,
    seller_account    filled NOT NULL,
    currency          currency_code NOT NULL,
    wallet_seq        bigint NOT NULL,
    source            journal_source NOT NULL,
    kind              text COLLATE "C" NOT NULL,
    -- an order's lines are paid together
    payment_order_id  id,
    -- a credit of the seller is positive
    amount_minor      signed_minor NOT NULL,
    at                timestamptz NOT NULL,
    -- in no live item
    is_open           boolean NOT NULL DEFAULT true,
    PRIMARY KEY (merchant_id, seller_account, currency, wallet_seq)
) WITH (fillfactor = 80);

CREATE INDEX payout_line_open
    ON payout_line (merchant_id, seller_account, currency) WHERE is_open;
-- not by the merchant first: a plan that was made when there were few lines looks
-- one up by its key all the same
CREATE INDEX payout_line_order ON payout_line (payment_order_id, merchant_id);

-- The rolling reserve of a sale: its entries have this source.
CREATE TABLE payout_reserve (
    merchant_id       id NOT NULL,
    source            journal_source NOT NULL,
    seller_account    filled NOT NULL,
    currency          currency_code NOT NULL,
    payment_order_id  id,
    psp               id NOT NULL,
    amount_minor      positive_minor NOT NULL,
    until             timestamptz NOT NULL,
    released_at       timestamptz,
    PRIMARY KEY (merchant_id, source)
) WITH (fillfactor = 80);

CREATE INDEX payout_reserve_order
    ON payout_reserve (merchant_id, payment_order_id)
    WHERE released_at IS NULL;
CREATE INDEX payout_reserve_open
    ON payout_reserve (merchant_id, seller_account, currency, until)
    WHERE released_at IS NULL;


-- An item: money of one seller in one currency to one destination, as it stood
-- in that version.  left_minor: the money that stayed available, never less
-- than nothing.  The provider gets the key payout_key-attempt: an attempt ends
-- by proof that it paid nothing, and its key is void (voided_at) in the commit
-- that makes the money available again.
CREATE TABLE payout (
    merchant_id          id NOT NULL,
    payout_id            id NOT NULL,
    payout_key           payout_key NOT NULL,
    attempt              ordinal NOT NULL,
    seller_account       filled NOT NULL,
    currency             currency_code NOT NULL,
    amount_minor         positive_minor NOT NULL,
    left_minor           minor NOT NULL,
    line_count           ordinal NOT NULL,
    provider             payout_name NOT NULL,
    destination_id       id NOT NULL,
    destination_version  ordinal NOT NULL,
    made_by              filled NOT NULL,
    created_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    state                payout_state NOT NULL DEFAULT 'draft',
    reason               text,
    provider_ref         id,
    -- how it is known that the provider has paid nothing
    proof                text COLLATE "C"
        CHECK (proof IN ('refused', 'not_found', 'same_key',
                         'returned_by_provider', 'pain002', 'person')),
    voided_at            timestamptz,
    PRIMARY KEY (merchant_id, payout_id),
    UNIQUE (payout_key, attempt),
    FOREIGN KEY (merchant_id, destination_id, destination_version)
        REFERENCES payout_destination,
    CHECK ((voided_at IS NOT NULL)
           = (state IN ('failed', 'returned', 'cancelled'))),
    CHECK ((proof IS NOT NULL) = (state = 'failed')),
    CHECK (state NOT IN ('sent', 'paid', 'settled')
           OR provider_ref IS NOT NULL)
) WITH (fillfactor = 60);

CREATE UNIQUE INDEX payout_live ON payout (payout_key)
    WHERE voided_at IS NULL;
CREATE INDEX payout_seller
    ON payout (seller_account, merchant_id, created_at);
CREATE INDEX payout_state_is ON payout (state, changed_at)
    WHERE state NOT IN ('settled', 'failed', 'cancelled');

-- The lines of items.  is_live falls with the item.
CREATE TABLE payout_part (
    merchant_id     id NOT NULL,
    payout_id       id NOT NULL,
    seller_account  filled NOT NULL,
    currency        currency_code NOT NULL,
    wallet_seq      bigint NOT NULL,
    is_live         boolean NOT NULL DEFAULT true,
    PRIMARY KEY (merchant_id, payout_id, wallet_seq),
    FOREIGN KEY (merchant_id, payout_id) REFERENCES payout,
    FOREIGN KEY (merchant_id, seller_account, currency, wallet_seq)
        REFERENCES payout_line
) WITH (fillfactor = 80);

CREATE UNIQUE INDEX payout_part_live
    ON payout_part (merchant_id, seller_account, currency, wallet_seq)
    WHERE is_live;


-- An item before it is made: why there is none, or its terms.
CREATE TYPE payout_plan AS (
    seller_account  text,
    currency        text,
    outcome         text,
    payout_id       text,
    amount_minor    bigint,
    left_minor      bigint,
    provider        text,
    destination_id  text,
    version         int,
    seqs            bigint[]
);


-- The ways of an item from state to state.
CREATE TABLE payout_transition (
    old_state  payout_state NOT NULL,
    new_state  payout_state NOT NULL,
    PRIMARY KEY (old_state, new_state)
);
INSERT INTO payout_transition (old_state, new_state)
SELECT t.old_state, s.state
FROM (VALUES
    ('draft', 'held ready cancelled'),
    ('held', 'ready cancelled'),
    ('ready', 'held approved cancelled'),
    ('approved', 'held ready sending cancelled'),
    ('sending', 'approved sent paid failed unknown'),
    ('unknown', 'sending sent paid failed'),
    ('sent', 'paid settled returned'),
    ('paid', 'settled returned'),
    ('settled', 'returned')
) AS t (old_state, new_states),
    regexp_split_to_table(t.new_states, ' ') AS s (state);

CREATE TRIGGER payout_transition_fixed
    BEFORE UPDATE OR DELETE OR TRUNCATE ON payout_transition
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('the states are fixed', 'PAY20');

CREATE TRIGGER payout_start
    BEFORE INSERT ON payout FOR EACH ROW WHEN (NEW.state <> 'draft')
    EXECUTE FUNCTION refuse_change('a pay-out begins as draft', 'PAY10');
ALTER TABLE payout ENABLE ALWAYS TRIGGER payout_start;

CREATE FUNCTION payout_moves() RETURNS trigger
LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM payout_transition t
        WHERE t.old_state = OLD.state AND t.new_state = NEW.state)
    THEN
        RAISE EXCEPTION 'a pay-out does not go from % to %', OLD.state,
            NEW.state USING ERRCODE = 'PAY10';
    END IF;

    RETURN NEW;
END
$$;
CREATE TRIGGER payout_state_moves
    BEFORE UPDATE OF state ON payout FOR EACH ROW
    WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION payout_moves();
ALTER TABLE payout ENABLE ALWAYS TRIGGER payout_state_moves;

CREATE TRIGGER payout_fixed
    BEFORE UPDATE OF merchant_id, payout_id, payout_key, attempt,
        seller_account, currency, amount_minor, left_minor, line_count,
        provider, destination_id, destination_version, made_by, created_at
    ON payout FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('the terms of a pay-out are fixed',
                                   'PAY11');
ALTER TABLE payout ENABLE ALWAYS TRIGGER payout_fixed;
CREATE TRIGGER payout_kept
    BEFORE DELETE OR TRUNCATE ON payout FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('pay-outs are kept', 'PAY20');
ALTER TABLE payout ENABLE ALWAYS TRIGGER payout_kept;

CREATE TRIGGER payout_part_fixed
    BEFORE UPDATE OF merchant_id, payout_id, seller_account, currency,
        wallet_seq ON payout_part FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('the lines of a pay-out are fixed',
                                   'PAY11');
ALTER TABLE payout_part ENABLE ALWAYS TRIGGER payout_part_fixed;
CREATE TRIGGER payout_part_dead
    BEFORE UPDATE OF is_live ON payout_part FOR EACH ROW
    WHEN (NEW.is_live AND NOT OLD.is_live)
    EXECUTE FUNCTION refuse_change('a line comes back in another item',
                                   'PAY10');
ALTER TABLE payout_part ENABLE ALWAYS TRIGGER payout_part_dead;
CREATE TRIGGER payout_part_kept
    BEFORE DELETE OR TRUNCATE ON payout_part FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('pay-outs are kept', 'PAY20');
ALTER TABLE payout_part ENABLE ALWAYS TRIGGER payout_part_kept;

CREATE TRIGGER payout_destination_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON payout_destination
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('versions are append-only', 'PAY20');
ALTER TABLE payout_destination
    ENABLE ALWAYS TRIGGER payout_destination_append_only;
CREATE TRIGGER payout_act_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON payout_act
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('acts are append-only', 'PAY20');
ALTER TABLE payout_act ENABLE ALWAYS TRIGGER payout_act_append_only;


-- At the commit the entries of an item are those of its state, and its lines
-- are live exactly as long as it is: so money is never available again while a
-- key is alive, and no item is without its reservation.
CREATE FUNCTION payout_is_booked() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_payout payout;
    v_booked text;
    v_due    text;
BEGIN
    SELECT * INTO v_payout FROM payout p
    WHERE p.merchant_id = NEW.merchant_id AND p.payout_id = NEW.payout_id;

    v_booked := (
        SELECT string_agg(e.kind, ' ' ORDER BY e.kind) FROM journal_entry e
        WHERE e.merchant_id = NEW.merchant_id
            AND e.source = 'pay-out/' || NEW.payout_id
            AND e.amount_minor = v_payout.amount_minor
            AND e.currency = v_payout.currency);
    v_due := CASE
        WHEN v_payout.state IN ('failed', 'cancelled')
            THEN 'payout_released payout_reserved'
        WHEN v_payout.state IN ('sent', 'paid', 'settled')
            THEN 'payout_reserved payout_sent'
        WHEN v_payout.state = 'returned'
            THEN 'payout_reserved payout_returned payout_sent'
        ELSE 'payout_reserved' END;

    IF v_booked IS DISTINCT FROM v_due THEN
        RAISE EXCEPTION 'pay-out % is %, and % is booked', NEW.payout_id,
            v_payout.state, coalesce(v_booked, 'nothing')
            USING ERRCODE = 'PAY22';
    ELSIF (SELECT count(*) FROM payout_part t
           WHERE t.merchant_id = NEW.merchant_id
               AND t.payout_id = NEW.payout_id
               AND t.is_live = (v_payout.voided_at IS NULL))
        <> v_payout.line_count
    THEN
        RAISE EXCEPTION 'the lines of pay-out % are not those of its state',
            NEW.payout_id USING ERRCODE = 'PAY22';
    END IF;

    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER payout_booked
    AFTER INSERT OR UPDATE ON payout DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION payout_is_booked();
ALTER TABLE payout ENABLE ALWAYS TRIGGER payout_booked;

RESET ROLE;
