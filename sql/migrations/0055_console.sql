-- The console: the roles of staff, and which of them may see which page.  The
-- functions are those of 99_console.sql and the files behind it.

CREATE SCHEMA pay_console AUTHORIZATION payments_owner;
COMMENT ON SCHEMA pay_console IS
    'The functions that the console may EXECUTE';

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- personal: data of buyers, when it is asked for.  tokens: names that a PSP
-- has given, with which something could be done there.
CREATE TABLE console_role (
    role      text COLLATE "C" PRIMARY KEY
        CHECK (role ~ '^[a-z][a-z-]{0,31}$'),
    tokens    boolean NOT NULL,
    personal  boolean NOT NULL
);
COMMENT ON TABLE console_role IS
    'Roles of staff, and the values that they see unmasked';

INSERT INTO console_role (role, tokens, personal) VALUES
    ('viewer', false, false),
    ('support', true, true),
    ('operations', true, false),
    ('finance', true, false),
    ('finance-approver', true, false),
    ('risk', true, true),
    ('admin', false, false),
    ('auditor', true, true);


CREATE TABLE console_right (
    page  text COLLATE "C" NOT NULL
        CHECK (page ~ '^[a-z]{1,32}$'),
    role  text COLLATE "C" NOT NULL REFERENCES console_role,
    PRIMARY KEY (page, role)
);
COMMENT ON TABLE console_right IS
    'The pages of the console, and the roles that may see each of them';

INSERT INTO console_right (page, role)
SELECT p.page, r.role
FROM (VALUES
    ('me', 'viewer support operations finance finance-approver risk admin '
           'auditor'),
    ('now', 'viewer support operations finance finance-approver risk admin '
            'auditor'),
    ('psps', 'viewer support operations finance finance-approver risk admin '
             'auditor'),
    ('payments', 'viewer support operations finance finance-approver risk '
                 'admin auditor'),
    ('find', 'viewer support operations finance finance-approver risk admin '
             'auditor'),
    ('payment', 'viewer support operations finance finance-approver risk '
                'admin auditor'),
    ('changes', 'viewer support operations finance finance-approver admin '
                'auditor'),
    ('disputes', 'viewer support operations finance finance-approver risk '
                 'admin auditor'),
    ('letters', 'viewer support operations finance finance-approver admin '
                'auditor'),
    ('mismatches', 'viewer support operations finance finance-approver admin '
                   'auditor'),
    ('late', 'viewer support operations finance finance-approver admin '
             'auditor'),
    ('unknown', 'viewer support operations finance finance-approver admin '
                'auditor'),
    ('jobs', 'viewer support operations admin auditor'),
    ('webhooks', 'viewer support operations admin auditor'),
    ('inbox', 'viewer support operations admin auditor'),
    ('deliveries', 'viewer support operations admin auditor'),
    ('quarantine', 'operations admin auditor'),
    ('money', 'viewer finance finance-approver auditor'),
    ('wallets', 'viewer finance finance-approver auditor'),
    ('settlement', 'viewer finance finance-approver auditor'),
    ('exceptions', 'viewer finance finance-approver auditor'),
    ('payouts', 'viewer finance finance-approver auditor'),
    ('batches', 'viewer finance finance-approver auditor'),
    ('risk', 'viewer risk auditor'),
    ('audit', 'admin auditor'),
    ('settings', 'operations admin auditor')) AS p (page, roles)
CROSS JOIN LATERAL regexp_split_to_table(p.roles, ' ') AS r (role);


-- Lists by time.  Each has few rows beside the orders.
CREATE INDEX dispute_opened ON dispute (opened_at, dispute_id, part);
CREATE INDEX late_success_state ON late_success (at, checkout_id)
    WHERE state IN ('held', 'refunding');
-- for the search by the PSP's id of a refund or of a capture
CREATE INDEX change_reference ON change (reference)
    WHERE reference IS NOT NULL;
