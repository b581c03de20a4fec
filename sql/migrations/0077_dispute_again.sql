-- A PSP may take the money of a dispute again that was won.  Its own times say
-- which of its words is the newest, since events come in any order.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


ALTER TYPE news ADD ATTRIBUTE said_at timestamptz;

ALTER TABLE dispute ADD said_at timestamptz,
    ADD round int NOT NULL DEFAULT 1;
ALTER TABLE dispute ADD CONSTRAINT dispute_round_check
    CHECK (round >= 1) NOT VALID;
COMMENT ON COLUMN dispute.said_at IS
    'The PSP''s own time of its newest word; NULL: it names none';
COMMENT ON COLUMN dispute.round IS
    '1, and one more each time that the PSP takes the money again';

-- These have one argument more.
DROP FUNCTION IF EXISTS pay.read_news(text[], text[], text[], text[], text[],
    text[], text[], text[], text[], text[], bigint[], text[], bigint[], text[],
    text[], bytea[], text[]);
DROP FUNCTION IF EXISTS pay_api.apply_change(text[], text[], text[], text[],
    text[], text[], text[], text[], text[], text[], bigint[], text[], bigint[],
    text[], text[], bytea[], text[], bigint[]);

RESET ROLE;
