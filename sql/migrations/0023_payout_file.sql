-- Pay-outs: files for a bank, written by payctl, and the bank's answers.  The
-- functions are those of 99_payout_file.sql and 99_payout_report.sql.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- A file of credit transfers.  Its items are claimed with it.
--    claimed   its bytes are being made; nothing has its final name
--    fixed     its bytes are on the disk under a temporary name, and may get
--              the final one at any moment
--    written   it has its final name
--    dropped   it never got one: its items were not sent
--    lost      neither name is there any more: the bank may have it
-- place: the host since its last boot, and the directory, since only there a
-- temporary name proves that the file was never seen.
CREATE TABLE payout_file (
    msg_id       text COLLATE "C" PRIMARY KEY CHECK (msg_id ~ '^[0-9a-f]{32}$'),
    merchant_id  id NOT NULL,
    provider     payout_name NOT NULL,
    state        text COLLATE "C" NOT NULL DEFAULT 'claimed'
        CHECK (state IN ('claimed', 'fixed', 'written', 'dropped', 'lost')),
    debtor_iban  text COLLATE "C" NOT NULL,
    execute_on   date NOT NULL,
    place        filled NOT NULL,
    made_by      filled NOT NULL,
    made_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    item_count   tally NOT NULL DEFAULT 0,
    total_minor  minor NOT NULL DEFAULT 0,
    -- of its bytes
    sha256       hash,
    ended_at     timestamptz,
    FOREIGN KEY (merchant_id, provider) REFERENCES payout_provider,
    CHECK (state IN ('claimed', 'dropped') OR sha256 IS NOT NULL),
    CHECK ((ended_at IS NULL) = (state IN ('claimed', 'fixed')))
) WITH (fillfactor = 80);

-- one at a time: the next run ends the file that the last one has left
CREATE UNIQUE INDEX payout_file_open ON payout_file (merchant_id, provider)
    WHERE ended_at IS NULL;
CREATE INDEX payout_file_made ON payout_file (made_at);

CREATE TRIGGER payout_file_fixed
    BEFORE UPDATE OF msg_id, merchant_id, provider, debtor_iban, execute_on,
        place, made_by, made_at
    ON payout_file FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('the bytes of a file are fixed', 'PAY11');
ALTER TABLE payout_file ENABLE ALWAYS TRIGGER payout_file_fixed;
CREATE TRIGGER payout_file_state
    BEFORE UPDATE ON payout_file FOR EACH ROW
    WHEN (NOT (OLD.state = 'claimed' AND NEW.state IN ('fixed', 'dropped')
               OR OLD.state = 'fixed'
                  AND NEW.state IN ('written', 'dropped', 'lost')
                  AND NEW.sha256 = OLD.sha256
                  AND NEW.item_count = OLD.item_count
                  AND NEW.total_minor = OLD.total_minor))
    EXECUTE FUNCTION refuse_change('the bytes of a file are fixed', 'PAY11');
ALTER TABLE payout_file ENABLE ALWAYS TRIGGER payout_file_state;
CREATE TRIGGER payout_file_kept
    BEFORE DELETE OR TRUNCATE ON payout_file FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('pay-outs are kept', 'PAY20');
ALTER TABLE payout_file ENABLE ALWAYS TRIGGER payout_file_kept;


-- The items of files, each with its call in the journal.  is_in falls where the
-- item was not sent with the file.
CREATE TABLE payout_file_item (
    msg_id       text COLLATE "C" NOT NULL REFERENCES payout_file,
    merchant_id  id NOT NULL,
    payout_id    id NOT NULL,
    number       ordinal NOT NULL,
    -- the EndToEndId
    key          filled NOT NULL,
    is_in        boolean NOT NULL DEFAULT true,
    PRIMARY KEY (msg_id, payout_id),
    FOREIGN KEY (merchant_id, payout_id, number) REFERENCES payout_dispatch
) WITH (fillfactor = 80);

CREATE UNIQUE INDEX payout_file_item_once
    ON payout_file_item (merchant_id, payout_id) WHERE is_in;
CREATE UNIQUE INDEX payout_file_item_key
    ON payout_file_item (key) WHERE is_in;

CREATE TRIGGER payout_file_item_fixed
    BEFORE UPDATE OF msg_id, merchant_id, payout_id, number, key
    ON payout_file_item FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('the items of a file are fixed', 'PAY11');
ALTER TABLE payout_file_item ENABLE ALWAYS TRIGGER payout_file_item_fixed;
CREATE TRIGGER payout_file_item_out
    BEFORE UPDATE ON payout_file_item FOR EACH ROW
    WHEN (NOT OLD.is_in)
    EXECUTE FUNCTION refuse_change('the items of a file are fixed', 'PAY11');
ALTER TABLE payout_file_item ENABLE ALWAYS TRIGGER payout_file_item_out;
CREATE TRIGGER payout_file_item_kept
    BEFORE DELETE OR TRUNCATE ON payout_file_item FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('pay-outs are kept', 'PAY20');
ALTER TABLE payout_file_item ENABLE ALWAYS TRIGGER payout_file_item_kept;


-- The bank's answers that were read to their end, each once by its bytes.
CREATE TABLE payout_report (
    merchant_id  id NOT NULL,
    provider     payout_name NOT NULL,
    sha256       hash NOT NULL,
    kind         text COLLATE "C" NOT NULL
        CHECK (kind IN ('pain.002', 'camt.053')),
    counts       jsonb NOT NULL,
    read_by      filled NOT NULL,
    read_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (merchant_id, provider, sha256),
    FOREIGN KEY (merchant_id, provider) REFERENCES payout_provider
);

CREATE INDEX payout_report_at ON payout_report (read_at);
CREATE TRIGGER payout_report_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON payout_report FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('reports are append-only', 'PAY20');
ALTER TABLE payout_report ENABLE ALWAYS TRIGGER payout_report_append_only;


-- A statement of the bank settles a payment.
ALTER TABLE payout_event DROP CONSTRAINT payout_event_state_check;
ALTER TABLE payout_event ADD CONSTRAINT payout_event_state_check
    CHECK (state IN ('sending', 'sent', 'paid', 'settled', 'returned',
                     'failed', 'cancelled', 'unknown'));
CREATE INDEX payout_event_of ON payout_event (merchant_id, payout_id)
    WHERE payout_id IS NOT NULL;

RESET ROLE;
