-- Settlement: the rows of the files of PSPs and banks, beside the entries of
-- the journal.  A file proves itself before anything of it is booked; the
-- meaning of its rows stands in settlement_rule, as data; each row closes
-- entries of the journal at most once, and each entry is closed at most once.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE DOMAIN settlement_name AS text COLLATE "C"
    CHECK (VALUE ~ '^[a-z0-9][a-z0-9_-]{0,62}$');
CREATE DOMAIN settlement_key AS text COLLATE "C"
    CHECK (octet_length(VALUE) BETWEEN 1 AND 511);
CREATE DOMAIN settlement_kind AS text COLLATE "C"
    CHECK (VALUE IN ('sale', 'sale_returned', 'refund', 'refund_returned',
                     'dispute', 'dispute_returned', 'fee', 'tax', 'withheld',
                     'released', 'conversion', 'payout', 'payout_returned',
                     'transfer', 'sent', 'sent_returned', 'adjustment', 'memo',
                     'receipt', 'debit', 'unknown'));
CREATE DOMAIN settlement_class AS smallint CHECK (VALUE BETWEEN 0 AND 3);
COMMENT ON DOMAIN settlement_name IS 'The name of a source of files';
COMMENT ON DOMAIN settlement_key IS
    'The key that distinguishes a row of a source from all its other rows';
COMMENT ON DOMAIN settlement_kind IS
    'The kind of a row: its subject; receipt and debit are rows of a bank';
COMMENT ON DOMAIN settlement_class IS
    '0: agrees; 1: a rule has posted the difference; 2: an operator decides; '
    '3: in suspense until it is investigated';


-- An account at a PSP or at a bank, and its merchant: charges of its files that
-- name no payment are that merchant's.  since: entries booked before are not
-- expected in any file.  overdue_days: after which an entry should have come in
-- a file; checked_until: overdue entries up to this time have been queued.  keep:
-- whether an encrypted copy of each file stays, or its digest alone.
CREATE TABLE settlement_source (
    source         settlement_name PRIMARY KEY,
    medium         text COLLATE "C" NOT NULL
        CHECK (medium IN ('psp', 'bank')),
    format         filled NOT NULL,
    merchant_id    id NOT NULL,
    psp            id,
    account        text COLLATE "C",
    since          timestamptz NOT NULL DEFAULT now(),
    overdue_days   int NOT NULL DEFAULT 9 CHECK (overdue_days > 0),
    checked_until  timestamptz,
    keep           text COLLATE "C" NOT NULL DEFAULT 'digest'
        CHECK (keep IN ('digest', 'copy')),
    CHECK ((medium = 'psp') = (psp IS NOT NULL))
);


-- How workers read a source that stands in the gateway's configuration: one of
-- them at a time, under a lease.  declared_at: when a worker last said that it
-- stands there.  seen_until: the time up to which the PSP's settlements have
-- been pulled.  code: why the last look brought nothing, NULL: it went well.
-- balance_at: when the PSP is asked for the balance of the account next.  helper:
-- a second worker, which books parts of the file that the first one has read.
CREATE TABLE settlement_look (
    source       settlement_name PRIMARY KEY REFERENCES settlement_source,
    way          text COLLATE "C" NOT NULL
        CHECK (way IN ('dir', 'pull', 'report')),
    declared_at  timestamptz NOT NULL DEFAULT now(),
    run_at       timestamptz NOT NULL DEFAULT now(),
    lease_owner  text,
    lease_until  timestamptz,
    helper       text,
    helper_until timestamptz,
    seen_until   timestamptz,
    balance_at   timestamptz NOT NULL DEFAULT now(),
    looked_at    timestamptz,
    runs         bigint NOT NULL DEFAULT 0,
    files        bigint NOT NULL DEFAULT 0,
    failures     bigint NOT NULL DEFAULT 0,
    code         text,
    CHECK ((lease_owner IS NULL) = (lease_until IS NULL)),
    CHECK ((helper IS NULL) = (helper_until IS NULL))
) WITH (fillfactor = 50);


-- A settlement report that a PSP's webhook has announced, until a worker has
-- downloaded and read it.  url: as it was announced, NULL: it was no plain URL;
-- it is never called unless it is where the configuration expects reports.
-- tries: downloads that failed; code: why the last one did.
CREATE TABLE settlement_report (
    psp           id NOT NULL,
    name          text COLLATE "C" NOT NULL
        CHECK (name ~ '^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$'),
    url           text COLLATE "C"
        CHECK (octet_length(url) BETWEEN 1 AND 2048),
    state         text COLLATE "C" NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'read', 'refused')),
    announced_at  timestamptz NOT NULL DEFAULT now(),
    run_at        timestamptz NOT NULL DEFAULT now(),
    changed_at    timestamptz NOT NULL DEFAULT now(),
    tries         tally NOT NULL DEFAULT 0,
    code          text,
    file_id       bigint,
    PRIMARY KEY (psp, name)
);

CREATE INDEX settlement_report_due ON settlement_report (psp, run_at, name)
    WHERE state = 'waiting';


-- A file, once by its bytes.  attempt: who begins to read it again makes the
-- rows of all earlier attempts worthless.  batch_key: the payout, report or statement that
-- it is; the same one with other bytes is its next version.  stated: the sums
-- that it states, by currency.  phase: of its last step, when all its parts are
-- booked.  repeats: rows that were known already.  digest: of the rows that were
-- proven, where they came from a PSP's API; reread_at: when it is asked for
-- them again, NULL: no more.
--
-- page: its number, where a report comes in several files; such a file is staged
-- until all pages are there, and reason says for which it waits.  page_sums: the
-- sums of its own rows, and those that the last page states for all of them.  kept:
-- how many of its rows are in settlement_kept.
CREATE TABLE settlement_file (
    file_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source       settlement_name NOT NULL REFERENCES settlement_source,
    sha256       hash NOT NULL,
    name         text NOT NULL,
    attempt      ordinal NOT NULL DEFAULT 1,
    -- all rows of this attempt are staged
    is_whole     boolean NOT NULL DEFAULT false,
    batch_key    text COLLATE "C",
    version      ordinal NOT NULL DEFAULT 1,
    state        text COLLATE "C" NOT NULL DEFAULT 'received'
        CHECK (state IN ('received', 'staged', 'proven', 'booking', 'booked',
                         'refused')),
    reason       text,
    received_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    stated       jsonb NOT NULL DEFAULT '{}',
    row_count    whole NOT NULL DEFAULT 0,
    phase        text COLLATE "C" NOT NULL DEFAULT 'take'
        CHECK (phase IN ('take', 'tell', 'match', 'change', 'book')),
    matched      whole NOT NULL DEFAULT 0,
    class1       whole NOT NULL DEFAULT 0,
    class2       whole NOT NULL DEFAULT 0,
    class3       whole NOT NULL DEFAULT 0,
    repeats      whole NOT NULL DEFAULT 0,
    digest       hash,
    reread_at    timestamptz CHECK (reread_at IS NULL OR digest IS NOT NULL),
    page         ordinal,
    is_last_page boolean NOT NULL DEFAULT false,
    page_sums    jsonb,
    kept         whole NOT NULL DEFAULT 0,
    UNIQUE (source, sha256),
    CHECK (reason IS NOT NULL OR state <> 'refused'),
    CHECK (reason IS NULL OR state IN ('staged', 'refused')),
    CHECK ((page IS NULL) = (page_sums IS NULL)),
    CHECK (page IS NOT NULL OR NOT is_last_page)
);

-- a page has no version until all pages are there
CREATE UNIQUE INDEX settlement_file_version
    ON settlement_file (source, batch_key, version, coalesce(page, 0),
        (CASE state WHEN 'staged' THEN file_id ELSE 0 END))
    WHERE batch_key IS NOT NULL AND state <> 'refused';
CREATE INDEX settlement_file_kept ON settlement_file (file_id)
    WHERE kept > 0;
CREATE INDEX settlement_file_received
    ON settlement_file (received_at, file_id);
CREATE INDEX settlement_file_booked ON settlement_file (source, changed_at)
    INCLUDE (matched, class1, class2, class3, repeats)
    WHERE state = 'booked';
CREATE INDEX settlement_file_reread
    ON settlement_file (source, reread_at, file_id)
    WHERE reread_at IS NOT NULL;
CREATE INDEX settlement_file_open ON settlement_file (file_id)
    WHERE state IN ('received', 'staged', 'proven', 'booking');

-- A booked file stays booked, and nothing of a refused file is ever booked but
-- by a new attempt from the start.
CREATE TRIGGER settlement_file_state
    BEFORE UPDATE OF state ON settlement_file FOR EACH ROW
    WHEN (OLD.state = 'booked' AND NEW.state <> OLD.state
          OR OLD.state = 'booking' AND NEW.state NOT IN ('booking', 'booked')
          OR OLD.state = 'refused' AND NEW.state NOT IN ('received',
                                                         'refused'))
    EXECUTE FUNCTION refuse_change('no such transition', 'PAY10');
ALTER TABLE settlement_file ENABLE ALWAYS TRIGGER settlement_file_state;


-- A file is booked part by part, in any order and on several connections, each
-- step under the lock of its part.  A part is the rows of the payments that the
-- file names first between two of its lines.  Rows that follow each other in a
-- file are about payments of one time, which are stored side by side: a part
-- reads and writes few pages for that reason.  part_id, negative: under which
-- its work is kept; phase: of its next step.  The parts of a booked file are
-- gone, their counts are the file's.
CREATE TABLE settlement_part (
    file_id       bigint NOT NULL REFERENCES settlement_file,
    first_line    int NOT NULL,
    until_line    int NOT NULL CHECK (until_line > first_line),
    part_id       bigint NOT NULL
        GENERATED ALWAYS AS IDENTITY (INCREMENT -1 MAXVALUE -1 START -1),
    phase         text COLLATE "C" NOT NULL DEFAULT 'take'
        CHECK (phase IN ('take', 'tell', 'match', 'change', 'book')),
    is_done       boolean NOT NULL DEFAULT false,
    matched       whole NOT NULL DEFAULT 0,
    class1        whole NOT NULL DEFAULT 0,
    class2        whole NOT NULL DEFAULT 0,
    class3        whole NOT NULL DEFAULT 0,
    PRIMARY KEY (file_id, first_line)
);

CREATE INDEX settlement_part_open ON settlement_part (file_id, first_line)
    WHERE NOT is_done;


-- Rows of files that are not booked yet.  Unlogged: after a crash of the
-- server a file that is not booked is staged again.  bucket: rows that belong
-- together, since they name the same payment, are in one bucket.  line counts
-- the rows of the file.  first_line: of the first row that names the same
-- payment, when the rows were checked; NULL: of this row.
CREATE UNLOGGED TABLE settlement_staging (
    file_id        bigint NOT NULL,
    line           int NOT NULL,
    row_key        settlement_key NOT NULL,
    kind           settlement_kind NOT NULL,
    raw_type       text,
    psp_ref        id,
    parent_ref     id,
    our_ref        id,
    occurred_at    timestamptz,
    booked_on      date,
    gross_minor    bigint NOT NULL,
    fee_minor      bigint NOT NULL DEFAULT 0,
    tax_minor      bigint NOT NULL DEFAULT 0,
    net_minor      bigint NOT NULL,
    currency       currency_code NOT NULL,
    paid_minor     bigint,
    paid_currency  currency_code,
    rate           positive_rate,
    payout_ref     id,
    account        text COLLATE "C",
    bank_ref       text,
    note           text,
    is_external    boolean NOT NULL DEFAULT false,
    is_detail      boolean NOT NULL DEFAULT false,
    first_line     int,
    bucket         int GENERATED ALWAYS AS (hashtext(coalesce(
        parent_ref, psp_ref, our_ref, row_key)) & 65535) STORED
);

CREATE INDEX settlement_staging_bucket
    ON settlement_staging (file_id, bucket);
CREATE INDEX settlement_staging_place
    ON settlement_staging (file_id, coalesce(first_line, line));
CREATE INDEX settlement_staging_key
    ON settlement_staging (file_id, row_key, line);

-- The staged rows of pages that wait for the other pages of their report, and
-- until all of these are booked.  They may wait for days, and their file is read no
-- more: this table survives a crash.  A statement that reads settlement_staging
-- reads these rows, too; ctid is an address in one of the two tables alone.
CREATE TABLE settlement_kept () INHERITS (settlement_staging);

CREATE INDEX settlement_kept_bucket ON settlement_kept (file_id, bucket);
CREATE INDEX settlement_kept_place
    ON settlement_kept (file_id, coalesce(first_line, line));
CREATE INDEX settlement_kept_key ON settlement_kept (file_id, row_key, line);


-- How far the staged rows of a file have been checked, in pieces of buckets and
-- in pieces of keys, and the first row with which something is wrong.  last_key,
-- last_line: up to which row, in the order of keys; keys_end: of all keys.  Gone
-- in a crash of the server together with the rows.
CREATE UNLOGGED TABLE settlement_proof (
    file_id      bigint PRIMARY KEY,
    attempt      ordinal NOT NULL,
    next_bucket  int NOT NULL DEFAULT 0,
    last_key     text COLLATE "C" NOT NULL DEFAULT '',
    last_line    int NOT NULL DEFAULT 0,
    keys_end     boolean NOT NULL DEFAULT false,
    row_count    bigint NOT NULL DEFAULT 0,
    wrong_line   int,
    wrong        text
) WITH (fillfactor = 50);

-- The sums of those rows, by currency and payout; '': of none.  The first five
-- are of all rows but details, the others of the payout.
CREATE UNLOGGED TABLE settlement_sum (
    file_id      bigint NOT NULL,
    currency     currency_code NOT NULL,
    payout_ref   text COLLATE "C" NOT NULL,
    row_count    bigint NOT NULL,
    gross        numeric NOT NULL,
    fee          numeric NOT NULL,
    tax          numeric NOT NULL,
    net          numeric NOT NULL,
    payout_net   numeric NOT NULL,
    payouts      bigint NOT NULL,
    paid         numeric NOT NULL,
    returned     numeric NOT NULL,
    others       bigint NOT NULL,
    PRIMARY KEY (file_id, currency, payout_ref)
) WITH (fillfactor = 50);

-- Files that are booked or refused and still have staged rows: too many to
-- delete at once.
CREATE UNLOGGED TABLE settlement_leftover (
    file_id  bigint PRIMARY KEY
);


-- A row of a file, append-only.  version: 2 where the same row has come with
-- other contents.  merchant_id: its merchant; checkout_id: the checkout of its
-- payment, where that is known.
CREATE TABLE settlement_row (
    row_id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source         settlement_name NOT NULL,
    row_key        settlement_key NOT NULL,
    version        ordinal NOT NULL DEFAULT 1,
    file_id        bigint NOT NULL,
    line           int NOT NULL,
    kind           settlement_kind NOT NULL,
    raw_type       text,
    psp_ref        id,
    parent_ref     id,
    our_ref        id,
    occurred_at    timestamptz,
    booked_on      date,
    gross_minor    bigint NOT NULL,
    fee_minor      bigint NOT NULL,
    tax_minor      bigint NOT NULL,
    net_minor      bigint NOT NULL,
    currency       currency_code NOT NULL,
    paid_minor     bigint,
    paid_currency  currency_code,
    rate           positive_rate,
    payout_ref     id,
    account        text COLLATE "C",
    -- the name of a payout on the statement of the bank
    bank_ref       text,
    note           text,
    -- settled outside of this balance; a part of the row that parent_ref names
    is_external    boolean NOT NULL,
    is_detail      boolean NOT NULL,
    merchant_id    id NOT NULL,
    checkout_id    id,
    class          settlement_class NOT NULL,
    finding        text COLLATE "C" NOT NULL,
    -- when the row came: the day of the close that it belongs to
    at             timestamptz NOT NULL DEFAULT clock_timestamp(),
    tx             xid8 NOT NULL DEFAULT pg_current_xact_id(),
    UNIQUE (source, row_key, version)
) WITH (autovacuum_analyze_threshold = 1000);

CREATE INDEX settlement_row_file ON settlement_row (file_id, row_id);
CREATE INDEX settlement_row_at ON settlement_row
    USING brin (at, (tx::text::bigint)) WITH (autosummarize = on);
-- lists of a merchant, newest first
CREATE INDEX settlement_row_merchant
    ON settlement_row (merchant_id, at, row_id);
-- a payout and its return are found by their amount
CREATE INDEX settlement_row_payout ON settlement_row (source, net_minor)
    WHERE kind IN ('payout', 'payout_returned');

-- A match joins rows with entries: its number is that of its first row.  A row
-- has one link at most, an entry is closed once at most.
CREATE TABLE settlement_link (
    row_id        bigint PRIMARY KEY,
    match_id      bigint NOT NULL,
    rule          text COLLATE "C" NOT NULL
        CHECK (rule IN ('object', 'reference', 'amount', 'sum', 'group',
                        'payout', 'text', 'window', 'subset', 'fee', 'person')),
    rule_version  ordinal NOT NULL DEFAULT 1,
    at            timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE settlement_closed (
    merchant_id  id NOT NULL,
    source       journal_source NOT NULL,
    kind         text COLLATE "C" NOT NULL,
    match_id     bigint NOT NULL,
    at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (merchant_id, source, kind)
);

CREATE INDEX settlement_closed_match ON settlement_closed (match_id);
CREATE INDEX settlement_link_match ON settlement_link (match_id)
    WHERE match_id <> row_id;


-- Money that a PSP has taken for a dispute that is not decided yet.
CREATE TABLE settlement_hold (
    row_id       bigint PRIMARY KEY,
    psp          id NOT NULL,
    dispute_id   id NOT NULL,
    merchant_id  id NOT NULL,
    checkout_id  id NOT NULL,
    amount_minor positive_minor NOT NULL,
    currency     currency_code NOT NULL,
    ended_at     timestamptz
);

CREATE INDEX settlement_hold_open ON settlement_hold (psp, dispute_id)
    WHERE ended_at IS NULL;
-- whether the money of a dispute was ever taken
CREATE INDEX settlement_hold_dispute ON settlement_hold (psp, dispute_id);


-- Kinds of entries that should come in a file.  family: the kinds of the rows
-- that bring them; sign: +1 where the entry increases the balance at the PSP,
-- -1 where it decreases it (payout: the amount in transit to the bank).
CREATE TABLE settlement_expected (
    kind    text COLLATE "C" PRIMARY KEY REFERENCES posting_kind,
    family  text COLLATE "C" NOT NULL
        CHECK (family IN ('sale', 'refund', 'dispute', 'fee', 'payout')),
    sign    int NOT NULL CHECK (sign IN (-1, 1))
);


-- The findings about a row, and the entries that follow from each.  kind: of the
-- row; balance: the finding is about the balance of a PSP; page: about a page of
-- a report.  posts: the amount of the row that is posted: value, with fee and tax
-- apart, or net.  posting: the kind of entry for an amount into our balance,
-- back: for one out of it; where nothing is posted, it is a proposal.  playbook:
-- the row of docs/reconciliation.md that says how an operator decides.
CREATE TABLE settlement_rule (
    kind      text COLLATE "C" NOT NULL
        CHECK (kind IN ('balance', 'page')
            OR kind::settlement_kind IS NOT NULL),
    finding   text COLLATE "C" NOT NULL,
    version   ordinal NOT NULL DEFAULT 1,
    class     settlement_class NOT NULL,
    posts     text COLLATE "C" NOT NULL
        CHECK (posts IN ('value', 'net', 'none')),
    posting   text COLLATE "C" REFERENCES posting_kind,
    back      text COLLATE "C" REFERENCES posting_kind,
    playbook  text COLLATE "C",
    about     text NOT NULL,
    PRIMARY KEY (kind, finding),
    CHECK ((class >= 2) = (playbook IS NOT NULL))
);


-- An exception waits for an operator: a row (its finding, and that it is gone),
-- an entry that no file has brought (source and kind), the balance of a PSP (the
-- kind balance), or a page of a report (the kind page).  proposed: the entry that
-- accept would post.
CREATE TABLE settlement_exception (
    exception_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    row_id        bigint,
    merchant_id   id NOT NULL,
    psp           id NOT NULL,
    source        journal_source,
    kind          text COLLATE "C",
    checkout_id   id,
    class         settlement_class NOT NULL CHECK (class >= 2),
    finding       text COLLATE "C" NOT NULL,
    playbook      text COLLATE "C" NOT NULL,
    amount_minor  bigint NOT NULL,
    currency      currency_code NOT NULL,
    proposed      jsonb,
    -- an operator has put its money into suspense
    is_suspended  boolean NOT NULL DEFAULT false,
    opened_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    closed_at     timestamptz,
    closed_as     text COLLATE "C"
        CHECK (closed_as IN ('matched', 'accepted', 'resolved',
                             'written_off', 'gone')),
    CHECK ((closed_at IS NULL) = (closed_as IS NULL)),
    CHECK (closed_as <> 'gone' OR finding <> 'gone'),
    CHECK ((row_id IS NULL) = (source IS NOT NULL)),
    CHECK ((source IS NULL) = (kind IS NULL))
);

CREATE UNIQUE INDEX settlement_exception_row
    ON settlement_exception (row_id, (finding = 'gone'));
CREATE UNIQUE INDEX settlement_exception_entry
    ON settlement_exception (merchant_id, source, kind)
    WHERE source IS NOT NULL;
CREATE INDEX settlement_exception_open ON settlement_exception (exception_id)
    WHERE closed_at IS NULL;
-- rows that the end of each file of their PSP matches again
CREATE INDEX settlement_exception_again
    ON settlement_exception (psp, exception_id)
    WHERE closed_at IS NULL AND row_id IS NOT NULL
        AND finding IN ('unknown', 'early', 'proposed', 'amount');
-- rows that a later version may have again
CREATE INDEX settlement_exception_gone ON settlement_exception (psp, row_id)
    WHERE closed_at IS NULL AND finding = 'gone';
CREATE INDEX settlement_exception_waits
    ON settlement_exception (merchant_id, opened_at, exception_id)
    WHERE closed_at IS NULL;
CREATE INDEX settlement_exception_merchant
    ON settlement_exception (merchant_id, opened_at, exception_id);

-- The balance of the account of a source as its PSP tells it, beside the
-- amount that the ledger expects there.  Append-only.  reserved_minor NULL: the
-- PSP does not say it.  difference_minor: the PSP's sum less ours.  below_minor
-- and above_minor: by how much it may be lower or higher, because of money
-- that is unsettled or under way.  known_low, known_high: the difference that an
-- operator has accepted lies between them.  unsettled: it was too early to
-- compare, or another currency is converted, at a rate that nobody knows.
CREATE TABLE psp_balance (
    balance_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source            settlement_name NOT NULL REFERENCES settlement_source,
    currency          currency_code NOT NULL,
    looked_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    available_minor   bigint NOT NULL,
    pending_minor     bigint NOT NULL,
    reserved_minor    bigint,
    our_minor         bigint NOT NULL,
    difference_minor  bigint NOT NULL,
    below_minor       whole NOT NULL,
    above_minor       whole NOT NULL,
    known_low         bigint NOT NULL,
    known_high        bigint NOT NULL,
    verdict           text COLLATE "C" NOT NULL
        CHECK (verdict IN ('agrees', 'differs', 'unsettled')),
    exception_id      bigint,
    CHECK (difference_minor = available_minor + pending_minor
        + coalesce(reserved_minor, 0) - our_minor),
    CHECK (known_low <= known_high),
    CHECK ((verdict = 'differs') = (exception_id IS NOT NULL))
);

CREATE INDEX psp_balance_last
    ON psp_balance (source, currency, balance_id);

-- Acts of operators on an exception, append-only: asked where a second operator
-- has to agree, done by the second one or where one operator is enough.
CREATE TABLE settlement_act (
    exception_id  bigint NOT NULL REFERENCES settlement_exception,
    seq           ordinal NOT NULL,
    at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    act           text COLLATE "C" NOT NULL
        CHECK (act IN ('accept', 'resolve', 'write_off')),
    state         text COLLATE "C" NOT NULL CHECK (state IN ('asked', 'done')),
    who           filled NOT NULL,
    why           filled NOT NULL,
    role          text NOT NULL DEFAULT session_user,
    amount_minor  bigint NOT NULL,
    currency      currency_code NOT NULL,
    detail        jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (exception_id, seq)
);

CREATE INDEX settlement_act_at ON settlement_act (who, at);

-- The amount up to which one operator acts alone, and the amount that an
-- operator writes off on one day at most (UTC); without a row for the currency
-- the row '***' holds, in units of the currency and not in minor units.
CREATE TABLE settlement_limit (
    currency  currency_code PRIMARY KEY,
    alone     numeric NOT NULL CHECK (alone >= 0),
    a_day     numeric NOT NULL CHECK (a_day >= 0)
);

INSERT INTO settlement_limit (currency, alone, a_day)
VALUES ('***', 100, 1000);

-- How many rows of a source have been rounded in a month (UTC), by a minor unit
-- each: at most as many as one operator may write off alone (settlement_limit).
CREATE TABLE settlement_rounding (
    source    settlement_name NOT NULL,
    month     date NOT NULL,
    currency  currency_code NOT NULL,
    rows      whole NOT NULL,
    PRIMARY KEY (source, month, currency)
);

-- A day, as it stood when it was closed.  The document names the digest of the
-- one before, and is signed with the key of the event log's seals.  It covers
-- the entries and rows that were committed before until_tx, came before
-- until_at and are in no document before it.
CREATE TABLE settlement_close (
    number     bigint PRIMARY KEY,
    day        date NOT NULL UNIQUE,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    document   text NOT NULL,
    until_at   timestamptz NOT NULL,
    until_tx   xid8 NOT NULL,
    key_id     id,
    signature  bytea CHECK (octet_length(signature) = 64),
    CHECK ((key_id IS NULL) = (signature IS NULL))
);

INSERT INTO round (name, run_at)
VALUES ('settlement', now()), ('close', now());

CREATE TRIGGER settlement_row_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_row
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('rows of files are append-only', 'PAY20');
ALTER TABLE settlement_row ENABLE ALWAYS TRIGGER settlement_row_append_only;
CREATE TRIGGER psp_balance_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON psp_balance
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('balances are append-only', 'PAY20');
ALTER TABLE psp_balance ENABLE ALWAYS TRIGGER psp_balance_append_only;
CREATE TRIGGER settlement_link_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_link
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('links are append-only', 'PAY20');
ALTER TABLE settlement_link ENABLE ALWAYS TRIGGER settlement_link_append_only;
CREATE TRIGGER settlement_closed_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_closed
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('links are append-only', 'PAY20');
ALTER TABLE settlement_closed
    ENABLE ALWAYS TRIGGER settlement_closed_append_only;
CREATE TRIGGER settlement_act_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_act
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('acts are append-only', 'PAY20');
ALTER TABLE settlement_act ENABLE ALWAYS TRIGGER settlement_act_append_only;
CREATE TRIGGER settlement_close_fixed
    BEFORE UPDATE OF number, day, at, document, until_at, until_tx
    ON settlement_close
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('closed days stay closed', 'PAY20');
ALTER TABLE settlement_close ENABLE ALWAYS TRIGGER settlement_close_fixed;
CREATE TRIGGER settlement_close_kept
    BEFORE DELETE OR TRUNCATE ON settlement_close
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('closed days stay closed', 'PAY20');
ALTER TABLE settlement_close ENABLE ALWAYS TRIGGER settlement_close_kept;

-- Entries of a PSP's account that belong to no payment: fees of a month,
-- payouts.
ALTER TABLE journal_entry ALTER checkout_id DROP NOT NULL;

-- The close reads the entries of a time; these come in the order of time, and
-- of their transactions.  An entry of a transaction that was still under way at
-- the last look is found by its transaction, or all of the day before would be
-- read again.  xid8 has no operators for BRIN.
CREATE INDEX journal_entry_at ON journal_entry
    USING brin (at, (tx::text::bigint)) WITH (autosummarize = on);
-- payouts in transit to the bank
CREATE INDEX journal_entry_payout ON journal_entry (merchant_id, at)
    WHERE kind IN ('psp_paid_out', 'psp_debited', 'psp_payout_returned');

ALTER DOMAIN webhook_way DROP CONSTRAINT webhook_way_check;
ALTER DOMAIN webhook_way ADD CONSTRAINT webhook_way_check
    CHECK (VALUE IN ('webhook', 'backfill', 'replay', 'settlement'));
COMMENT ON DOMAIN webhook_way IS
    'How a webhook came: by itself, by a look at the PSP''s list, out of its '
    'kept body, which an operator has had read again, or as a row of a '
    'settlement file';

-- The rows of one step on their way, with their payments and findings.  file_id
-- is that of their part; of the rows of the queue that the last step of a file
-- looks at again it is that of the file, as of_file is of all.  family,
-- value_minor and value_currency are compared with those of entries.
-- rounding_minor: by how much the row is above its entries.  A row
-- is written again when its link is known, on its page if there is room.
CREATE UNLOGGED TABLE settlement_work (
    LIKE settlement_staging,
    source          settlement_name NOT NULL,
    psp             id NOT NULL,
    merchant_id     id NOT NULL,
    checkout_id     id,
    by_ref          text COLLATE "C",
    family          text COLLATE "C",
    value_minor     bigint NOT NULL,
    value_currency  currency_code NOT NULL,
    version         int NOT NULL DEFAULT 1,
    told            boolean NOT NULL DEFAULT false,
    fee_booked      boolean NOT NULL DEFAULT false,
    match           int,
    rule            text COLLATE "C",
    finding         text COLLATE "C",
    candidate       jsonb,
    of_file            bigint NOT NULL,
    rounding_minor     bigint,
    rounding_currency  currency_code
) WITH (fillfactor = 50);

CREATE INDEX settlement_work_file ON settlement_work (file_id, line);
CREATE INDEX settlement_work_checkout
    ON settlement_work (file_id, checkout_id);

-- The open entries of the payments of one step.
CREATE UNLOGGED TABLE settlement_open (
    file_id       bigint NOT NULL,
    merchant_id   id NOT NULL,
    source        journal_source NOT NULL,
    kind          text COLLATE "C" NOT NULL,
    checkout_id   id,
    family        text COLLATE "C" NOT NULL,
    object        text COLLATE "C",
    amount_minor  bigint NOT NULL,
    currency      currency_code NOT NULL,
    psp           id NOT NULL,
    on_day        date,
    match         int
) WITH (fillfactor = 50);

CREATE INDEX settlement_open_file ON settlement_open (file_id, checkout_id);

RESET ROLE;
