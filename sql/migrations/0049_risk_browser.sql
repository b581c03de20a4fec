-- Browsers in which buyers have opened their checkouts, and windows and lists of
-- browsers that are looked at when a PSP has spoken.  The functions are those of
-- 29_risk_browser.sql and 29_risk_card.sql.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Both sets only grow, so that no row has to be read again.
ALTER DOMAIN risk_key DROP CONSTRAINT risk_key_check;
ALTER DOMAIN risk_key ADD CONSTRAINT risk_key_check
    CHECK (VALUE IN ('ip', 'ip_net', 'email', 'phone', 'buyer', 'device',
                     'seller', 'merchant', 'card', 'bin', 'browser'))
    NOT VALID;
ALTER DOMAIN risk_kind DROP CONSTRAINT risk_kind_check;
ALTER DOMAIN risk_kind ADD CONSTRAINT risk_kind_check
    CHECK (VALUE IN ('email', 'email_domain', 'phone', 'buyer', 'device', 'ip',
                     'country', 'card', 'bin', 'card_country', 'browser'))
    NOT VALID;
COMMENT ON DOMAIN risk_kind IS
    'The kind of an entry of a list.  email, phone, buyer, device, card and '
    'browser are keyed hashes in hex; ip is a prefix';

-- One for each browser of a checkout, written when it comes for the first time.
-- The places are the limit: who throws cookies away fills eight rows.
-- browser: a keyed hash of the cookie, before: under the key before this one.
-- agent: a keyed hash of User-Agent.  address: whole at first, and its network
-- after a while.  distance and same_agent: compared with buyer_info; NULL:
-- that said nothing, or an address of the other family.
CREATE TABLE risk_browser (
    merchant_id  id NOT NULL,
    checkout_id  id NOT NULL,
    place        int NOT NULL CHECK (place BETWEEN 1 AND 8),
    browser      text COLLATE "C" NOT NULL CHECK (browser ~ '^[0-9a-f]{64}$'),
    before       text COLLATE "C" CHECK (before ~ '^[0-9a-f]{64}$'),
    is_new       boolean NOT NULL,
    agent        text COLLATE "C" CHECK (agent ~ '^[0-9a-f]{64}$'),
    same_agent   boolean,
    address      cidr,
    distance     text COLLATE "C"
        CHECK (distance IN ('same', 'network', 'region', 'other')),
    at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (merchant_id, checkout_id, place),
    UNIQUE (merchant_id, checkout_id, browser)
);
CREATE INDEX risk_browser_links ON risk_browser (merchant_id, browser, at);
-- their conditions are those of the retention alone
CREATE INDEX risk_browser_age ON risk_browser (at) WHERE place > 0;
CREATE INDEX risk_browser_address ON risk_browser (at)
    WHERE masklen(address) > CASE family(address) WHEN 4 THEN 24 ELSE 48 END;
COMMENT ON TABLE risk_browser IS
    'Browsers in which buyers have opened their checkouts';

-- The browser of an attempt is the newest one of its checkout.
ALTER TABLE risk_card ADD COLUMN browser text COLLATE "C"
    CHECK (browser ~ '^[0-9a-f]{64}$');
CREATE INDEX risk_card_browser ON risk_card (merchant_id, browser, at)
    WHERE browser IS NOT NULL;
DROP INDEX risk_card_age;
CREATE INDEX risk_card_age ON risk_card (at)
    WHERE card IS NOT NULL OR browser IS NOT NULL;

ALTER TYPE card_word ADD ATTRIBUTE browser text;

-- it has one argument more now
DROP FUNCTION IF EXISTS pay.card_parts(risk_card);

RESET ROLE;
