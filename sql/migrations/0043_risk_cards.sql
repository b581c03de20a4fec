-- Risk after the PSP: windows by card and by issuer number (BIN), lists of cards,
-- and decisions that are made when a PSP's word about a card arrives.  The
-- functions are those of 29_risk_card.sql.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Both sets only grow, so that no row has to be read again.
ALTER DOMAIN risk_key DROP CONSTRAINT risk_key_check;
ALTER DOMAIN risk_key ADD CONSTRAINT risk_key_check
    CHECK (VALUE IN ('ip', 'ip_net', 'email', 'phone', 'buyer', 'device',
                     'seller', 'merchant', 'card', 'bin')) NOT VALID;
COMMENT ON DOMAIN risk_key IS
    'The kind of a counter; its value is a keyed hash in hex, that of bin its '
    'digits';
ALTER DOMAIN risk_kind DROP CONSTRAINT risk_kind_check;
ALTER DOMAIN risk_kind ADD CONSTRAINT risk_kind_check
    CHECK (VALUE IN ('email', 'email_domain', 'phone', 'buyer', 'device', 'ip',
                     'country', 'card', 'bin', 'card_country')) NOT VALID;

-- judged: the parts of the word that were counted and looked up, see
-- card_parts().  waits: the terms of the event, until its token is known.
ALTER TABLE risk_card
    ADD COLUMN judged int NOT NULL DEFAULT 0,
    ADD COLUMN waits  jsonb;
CREATE INDEX risk_card_card ON risk_card (merchant_id, card, at)
    WHERE card IS NOT NULL;
CREATE INDEX risk_card_bin ON risk_card (merchant_id, bin, at)
    WHERE bin IS NOT NULL;

-- Decisions after the PSP, one for each word about a card that met a list or a
-- limit.  A checkout is held or voided once; effect says which.
CREATE TABLE risk_after (
    after_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id  id NOT NULL,
    checkout_id  id NOT NULL,
    psp          id NOT NULL,
    attempt      id NOT NULL,
    decision     risk_word NOT NULL,
    decided_by   text COLLATE "C" NOT NULL
        CHECK (decided_by IN ('list', 'window', 'none')),
    effect       text COLLATE "C" NOT NULL
        CHECK (effect IN ('none', 'hold', 'void')),
    hits         jsonb NOT NULL,
    version      filled NOT NULL,
    at           timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX risk_after_of ON risk_after (merchant_id, checkout_id);
CREATE UNIQUE INDEX risk_after_once ON risk_after (merchant_id, checkout_id)
    WHERE effect <> 'none';
CREATE TRIGGER risk_after_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON risk_after FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('a decision is fixed', 'PAY20');
ALTER TABLE risk_after ENABLE ALWAYS TRIGGER risk_after_append_only;
COMMENT ON TABLE risk_after IS
    'Decisions about checkouts after a PSP has said something about a card';

-- A word about a card that was judged, for the functions that judge it.
CREATE TYPE card_word AS (
    n            int,
    psp          text,
    attempt      text,
    merchant_id  text,
    checkout_id  text,
    card         text,
    before       text,
    bin          text,
    country      text,
    is_declined  boolean,
    parts        int,
    currency     text,
    total_minor  bigint,
    terms        jsonb
);
COMMENT ON TYPE card_word IS
    'A PSP''s word about a card; parts: those that are new, see card_parts()';

-- Merchants whose cards are being tested: while one is here, each new checkout of
-- it gets the word.
CREATE TABLE risk_mode (
    merchant_id  id PRIMARY KEY,
    word         risk_word NOT NULL,
    is_shadow    boolean NOT NULL,
    tries        bigint NOT NULL,
    declines     bigint NOT NULL,
    since        timestamptz NOT NULL DEFAULT clock_timestamp(),
    until        timestamptz NOT NULL
);
COMMENT ON TABLE risk_mode IS
    'Merchants with too large a share of declines, while that lasts';

CREATE TABLE risk_mode_act (
    act_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id  id NOT NULL,
    act          text COLLATE "C" NOT NULL CHECK (act IN ('on', 'off')),
    word         risk_word NOT NULL,
    tries        bigint NOT NULL,
    declines     bigint NOT NULL,
    at           timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TRIGGER risk_mode_act_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON risk_mode_act FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('acts are append-only', 'PAY20');
ALTER TABLE risk_mode_act ENABLE ALWAYS TRIGGER risk_mode_act_append_only;
COMMENT ON TABLE risk_mode_act IS
    'When the mode of a merchant began and ended, and by which counts';

-- they have one argument more now
DROP FUNCTION IF EXISTS pay.keep_cards(fact[], text[], bigint[], text[],
    text[], text[], text[], text[], text[], text[], bigint[], text[],
    bigint[]);
DROP FUNCTION IF EXISTS pay_api.apply_event(text[], text[], text[], text[],
    text[], text[], text[], text[], bigint[], text[], bytea[], text[], text[],
    text[], text[], bigint[], text[], text[], text[], text[], text[], text[],
    text[], bigint[], text[], bigint[]);

RESET ROLE;
