-- Views for support, finance and payctl.  Amounts are in the currency's own
-- decimals beside the minor units.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE VIEW pay_view.checkouts AS
SELECT c.merchant_id, c.checkout_id, c.checkout_uuid, c.psp, c.currency,
    c.total_minor,
    round(c.total_minor / 10::numeric ^ k.exponent, k.exponent) AS total,
    c.created_at, c.expires_at, c.is_payment_done, c.version,
    c.state AS registration_state, c.attempt, c.nonce, c.token, c.alias,
    c.reference, c.code, c.psps, c.refused_psps, c.open_attempts,
    j.kind AS job, j.run_at AS job_run_at, j.attempts AS job_attempts,
    j.code AS job_code, c.payment_method
FROM pay.checkout c
JOIN pay.currency k ON k.code = c.currency
LEFT JOIN pay.job j ON j.merchant_id = c.merchant_id
    AND j.checkout_id = c.checkout_id AND j.kind <> 'change';
COMMENT ON VIEW pay_view.checkouts IS
    'Checkouts with their registration and job, without buyer details; '
    'open_attempts counts calls that are not known to have come to nothing';


CREATE OR REPLACE VIEW pay_view.orders AS
SELECT o.merchant_id, o.payment_order_id, o.checkout_id, o.position,
    o.seller_account, o.currency, o.amount_minor,
    round(o.amount_minor / 10::numeric ^ k.exponent, k.exponent) AS amount,
    o.status, o.reason, c.psp, c.created_at, o.version AS events
FROM pay.payment_order o
JOIN pay.checkout c ON c.merchant_id = o.merchant_id
    AND c.checkout_id = o.checkout_id
JOIN pay.currency k ON k.code = o.currency;
COMMENT ON VIEW pay_view.orders IS 'Payment orders and their state';


CREATE OR REPLACE VIEW pay_view.timeline AS
SELECT e.merchant_id, o.checkout_id, e.payment_order_id, e.seq, e.at, e.kind,
    e.actor, e.old_status, e.new_status, e.reason, e.detail, e.request_id
FROM pay.event e
JOIN pay.payment_order o ON o.merchant_id = e.merchant_id
    AND o.payment_order_id = e.payment_order_id;
COMMENT ON VIEW pay_view.timeline IS 'The events of each order, in order';


CREATE OR REPLACE VIEW pay_view.jobs AS
SELECT j.merchant_id, j.checkout_id, c.psp, j.kind,
    CASE WHEN j.lease_until > now() THEN 'leased'
         WHEN j.run_at > now() THEN 'waiting'
         ELSE 'due' END AS state,
    j.run_at,
    CASE WHEN greatest(j.run_at, j.lease_until) <= now()
         THEN now() - greatest(j.run_at, j.lease_until) END AS overdue,
    j.attempts, j.code, j.lease_owner, j.lease_until, j.again_at,
    d.state AS dispatch_state, d.sends, d.key_until, j.operation_id
FROM pay.job j
JOIN pay.checkout c ON c.merchant_id = j.merchant_id
    AND c.checkout_id = j.checkout_id
LEFT JOIN LATERAL (
    SELECT x.* FROM pay.journal x
    WHERE x.merchant_id = j.merchant_id AND x.checkout_id = j.checkout_id
        AND CASE j.kind WHEN 'change' THEN x.operation_id = j.operation_id
                        WHEN 'poll' THEN x.operation = 'capture'
                        ELSE x.operation = j.kind END
    ORDER BY x.first_sent_at DESC, x.attempt DESC LIMIT 1) d ON true;
COMMENT ON VIEW pay_view.jobs IS
    'Background work: what is due, since when, and which worker has it; '
    'overdue by more than a minute means that no worker takes jobs. '
    'dispatch_state, sends and key_until are of its newest call (register, '
    'refund; capture of a poll); operation_id: of a change';


CREATE OR REPLACE VIEW pay_view.parked AS
SELECT i.psp, i.event_id, i.received_at, now() - i.received_at AS age,
    i.type, i.fact, i.token, i.reference, i.code, i.currency,
    i.amount_minor,
    round(i.amount_minor / 10::numeric ^ k.exponent, k.exponent) AS amount,
    i.request_id
FROM pay.webhook_inbox i
LEFT JOIN pay.currency k ON k.code = i.currency
WHERE i.state = 'parked';
COMMENT ON VIEW pay_view.parked IS
    'Webhooks about tokens that no checkout has, or about money that goes '
    'back before it has come: normal for seconds; an old one with the fact '
    'paid is money of an unknown checkout, or money that is not booked';


CREATE OR REPLACE VIEW pay_view.mismatches AS
SELECT m.mismatch_id, m.at, m.merchant_id, m.checkout_id, m.kind, m.source,
    m.psp, m.event_id, m.token, m.alias, m.own_token, m.currency,
    round(m.amount_minor / 10::numeric ^ k.exponent, k.exponent) AS amount,
    m.own_currency,
    round(m.total_minor / 10::numeric ^ o.exponent, o.exponent) AS total,
    (SELECT p.status
     FROM pay.payment_order p
     WHERE p.merchant_id = m.merchant_id AND p.checkout_id = m.checkout_id
         AND p.position = 1) AS status,
    m.request_id, m.object, m.why, m.detail, s.at AS settled_at,
    s.who AS settled_by, s.why AS settled_why,
    (SELECT p.payment_order_id
     FROM pay.payment_order p
     WHERE p.merchant_id = m.merchant_id AND p.checkout_id = m.checkout_id
         AND p.position = 1) AS payment_order_id
FROM pay.mismatch m
JOIN pay.currency o ON o.code = m.own_currency
LEFT JOIN pay.currency k ON k.code = m.currency
LEFT JOIN pay.mismatch_settlement s ON s.merchant_id = m.merchant_id
    AND s.checkout_id = m.checkout_id AND s.mismatch_id = m.mismatch_id;
COMMENT ON VIEW pay_view.mismatches IS
    'PSP events that contradict what is stored (token, alias, currency, '
    'amount) beside the stored values (own_token, own_currency, total), and '
    'the orders'' status; object: of a change, dispute or fee, the PSP''s id '
    'of it, and why: the kind of mismatch; detail: of the ledger check; '
    'settled_…: the operator who has settled it, if one has';


-- Each open checkout has a job (checks/job_missing.sql) or an open dead letter,
-- so this looks at open ones only, however many there are in all, and at those
-- failed ones whose PSP is queried for a late payment.
CREATE OR REPLACE VIEW pay_view.stuck AS
SELECT s.*
FROM (
    SELECT c.merchant_id, c.checkout_id, c.psp,
        CASE
            WHEN u.letter IS NOT NULL THEN 'dead_letter'
            WHEN EXISTS (
                SELECT FROM pay_view.mismatches m
                WHERE m.merchant_id = c.merchant_id
                    AND m.checkout_id = c.checkout_id
                    AND m.kind <> 'contradiction'
                    AND m.settled_at IS NULL) THEN 'mismatch'
            WHEN j.code IN ('psp_not_configured', 'request_refused')
                THEN j.code
            WHEN j.overdue > interval '1 minute' THEN 'no_worker'
            WHEN o.status <> 'FAILED' AND j.kind <> 'change'
                AND c.expires_at < now() - interval '30 minutes'
                THEN 'past_expiry'
            WHEN j.kind = 'register' AND j.dispatch_state = 'UNKNOWN'
                AND c.created_at < now() - interval '5 minutes'
                OR j.kind = 'change' AND j.dispatch_state = 'UNKNOWN'
                AND j.attempts >= 5 THEN 'unknown'
            WHEN j.kind = 'register'
                AND c.created_at < now() - interval '5 minutes'
                THEN 'not_registered'
            WHEN j.code = 'no_answer' AND j.attempts >= 5 THEN 'no_answer'
        END AS why,
        o.status, c.currency,
        round(c.total_minor / 10::numeric ^ k.exponent, k.exponent) AS total,
        c.created_at, c.expires_at, c.state AS registration_state, c.attempt,
        c.code, c.token, j.kind AS job, j.run_at AS job_run_at,
        j.attempts AS job_attempts, j.code AS job_code, j.dispatch_state,
        u.letter AS dead_letter_id
    FROM (
        SELECT j.merchant_id, j.checkout_id, j.kind, j.operation_id,
            NULL::bigint AS letter
        FROM pay.job j
        WHERE NOT EXISTS (
            SELECT FROM pay.dead_letter d
            WHERE d.merchant_id = j.merchant_id
                AND d.checkout_id = j.checkout_id AND d.state = 'open')
        UNION ALL
        SELECT d.merchant_id, d.checkout_id, max(j.kind),
            max(j.operation_id), min(d.dead_letter_id)
        FROM pay.dead_letter d
        LEFT JOIN pay.job j ON j.merchant_id = d.merchant_id
            AND j.checkout_id = d.checkout_id AND j.kind <> 'change'
        WHERE d.state = 'open' AND d.kind <> 'parked'
        GROUP BY d.merchant_id, d.checkout_id
        ) u
    JOIN pay.checkout c ON c.merchant_id = u.merchant_id
        AND c.checkout_id = u.checkout_id
    JOIN pay.payment_order o ON o.merchant_id = u.merchant_id
        AND o.checkout_id = u.checkout_id AND o.position = 1
    JOIN pay.currency k ON k.code = c.currency
    LEFT JOIN pay_view.jobs j ON j.merchant_id = u.merchant_id
        AND j.checkout_id = u.checkout_id AND j.kind = u.kind
        AND j.operation_id = u.operation_id
    ) s
WHERE s.why IS NOT NULL;
COMMENT ON VIEW pay_view.stuck IS
    'Checkouts that do not go on as they should: dead_letter, mismatch, '
    'psp_not_configured, request_refused, no_worker, past_expiry, unknown, '
    'not_registered or no_answer';


CREATE OR REPLACE VIEW pay_view.dead_letters AS
SELECT d.dead_letter_id, d.state, d.kind, d.reason, d.merchant_id,
    d.checkout_id,
    (SELECT o.payment_order_id
     FROM pay.payment_order o
     WHERE o.merchant_id = d.merchant_id AND o.checkout_id = d.checkout_id
         AND o.position = 1) AS payment_order_id,
    coalesce(d.psp, c.psp) AS psp, d.event_id, d.code, d.attempts,
    coalesce(l.currency, c.currency, i.currency) AS currency,
    coalesce(l.amount_minor, c.total_minor, i.amount_minor) AS amount_minor,
    round(coalesce(l.amount_minor, c.total_minor, i.amount_minor)
          / 10::numeric ^ k.exponent, k.exponent) AS amount,
    d.at, coalesce(d.closed_at, now()) - d.at AS age, d.closed_at,
    d.closed_by, d.closed_why, i.fact, i.token, d.operation_id
FROM pay.dead_letter d
LEFT JOIN pay.checkout c ON c.merchant_id = d.merchant_id
    AND c.checkout_id = d.checkout_id
LEFT JOIN pay.late_success l ON l.merchant_id = d.merchant_id
    AND l.checkout_id = d.checkout_id AND d.kind IN ('late_success', 'refund')
LEFT JOIN pay.webhook_inbox i ON d.kind = 'parked' AND i.psp = d.psp
    AND i.event_id = d.event_id
LEFT JOIN pay.currency k
    ON k.code = coalesce(l.currency, c.currency, i.currency);
COMMENT ON VIEW pay_view.dead_letters IS
    'Work that the gateway has given up or that an operator should look at, '
    'open and closed; age: until now, or until it was closed; fact and token: '
    'of a parked webhook';


CREATE OR REPLACE VIEW pay_view.dispatches AS
SELECT d.merchant_id, d.checkout_id, d.operation, d.operation_id, d.attempt,
    d.psp, d.state,
    CASE WHEN d.state = 'OPEN' AND coalesce(d.lease_until <= now(), true)
         THEN 'gone' WHEN d.state = 'OPEN' THEN 'sending' END AS sender,
    d.sends, d.unsure, d.first_sent_at, d.sent_at, d.lease_until, d.ended_at,
    d.key_until, d.key_until > now() AS may_be_resent, d.reach,
    d.http_status, d.code, d.reference, d.request_id
FROM pay.journal d;
COMMENT ON VIEW pay_view.dispatches IS
    'The journal of calls that may have changed something at a PSP; sender '
    'of an OPEN one: sending, or gone without a word; may_be_resent: the PSP '
    'still knows the key';


CREATE OR REPLACE VIEW pay_view.late_successes AS
SELECT l.merchant_id, l.checkout_id, l.state, l.at, now() - l.at AS age,
    l.psp, l.source, l.event_id, l.reference, l.currency, l.amount_minor,
    round(l.amount_minor / 10::numeric ^ k.exponent, k.exponent) AS amount,
    l.refund_id, c.expires_at,
    (SELECT d.dead_letter_id
     FROM pay.dead_letter d
     WHERE d.merchant_id = l.merchant_id AND d.checkout_id = l.checkout_id
         AND d.state = 'open' AND d.kind IN ('late_success', 'refund')
     ORDER BY d.dead_letter_id DESC LIMIT 1) AS dead_letter_id
FROM pay.late_success l
JOIN pay.checkout c ON c.merchant_id = l.merchant_id
    AND c.checkout_id = l.checkout_id
LEFT JOIN pay.currency k ON k.code = l.currency;
COMMENT ON VIEW pay_view.late_successes IS
    'Payments that were proved after their checkout had expired, and their '
    'outcome';


CREATE OR REPLACE VIEW pay_view.quarantine AS
SELECT q.psp, q.number, q.received_at, now() - q.received_at AS age,
    q.reason, q.size, encode(q.digest, 'hex') AS digest, q.request_id
FROM pay.webhook_quarantine q;
COMMENT ON VIEW pay_view.quarantine IS
    'Webhooks that were refused because their sender proved nothing: why, '
    'how large, and the SHA-256 of the body; never the body itself';


CREATE OR REPLACE VIEW pay_view.webhook_replays AS
SELECT r.replay_id, r.psp, r.event_id, r.asked_at, r.asked_by, r.why, r.role,
    r.state, r.claims, r.ended_at, r.outcome, r.events, r.applied, r.replaced
FROM pay.webhook_replay r;
COMMENT ON VIEW pay_view.webhook_replays IS
    'Requests of operators to read the kept body of a webhook again: the '
    'operator, the reason, and the result.  outcome: of the event that was '
    'named; events: how many the body has; applied: how many of them were '
    'new; replaced: rows of the inbox without effect, with all their columns';


CREATE OR REPLACE VIEW pay_view.backfills AS
SELECT b.psp, b.seen_until, now() - b.seen_until AS behind, b.run_at,
    coalesce(b.lease_until > now(), false) AS running, b.lease_owner,
    b.runs, b.listed, b.missed, b.code
FROM pay.backfill b;
COMMENT ON VIEW pay_view.backfills IS
    'How far the list of events of each PSP has been compared with the inbox; '
    'missed: events that only the list has brought';


CREATE OR REPLACE VIEW pay_view.ledger AS
SELECT e.merchant_id, e.at, e.source, e.kind, l.line, l.account, l.owner,
    l.currency,
    CASE WHEN l.amount_minor > 0
         THEN round(l.amount_minor / 10::numeric ^ k.exponent, k.exponent)
    END AS debit,
    CASE WHEN l.amount_minor < 0
         THEN round(-l.amount_minor / 10::numeric ^ k.exponent, k.exponent)
    END AS credit,
    l.amount_minor, e.checkout_id, e.payment_order_id, e.psp,
    e.seller_account, e.rate, l.wallet_seq, l.balance_minor, e.request_id
FROM pay.journal_line l
JOIN pay.journal_entry e ON e.merchant_id = l.merchant_id
    AND e.source = l.source AND e.kind = l.kind
JOIN pay.currency k ON k.code = l.currency;
COMMENT ON VIEW pay_view.ledger IS
    'Lines of the journal with their entries; a credit is negative in minor '
    'units';


CREATE OR REPLACE VIEW pay_view.accounts AS
SELECT l.merchant_id, l.account, a.class, l.owner, l.currency,
    round(sum(l.amount_minor) / 10::numeric ^ k.exponent, k.exponent)
        AS balance,
    sum(l.amount_minor) AS balance_minor, count(*) AS lines
FROM pay.journal_line l
JOIN pay.account_kind a ON a.account = l.account
JOIN pay.currency k ON k.code = l.currency
GROUP BY l.merchant_id, l.account, a.class, l.owner, l.currency, k.exponent;
COMMENT ON VIEW pay_view.accounts IS
    'The balance of each account: a debit is positive, a credit of a seller '
    'negative';


CREATE OR REPLACE VIEW pay_view.wallets AS
SELECT w.merchant_id, w.seller_account, w.currency,
    round(w.available_minor / 10::numeric ^ k.exponent, k.exponent)
        AS available,
    round(w.pending_minor / 10::numeric ^ k.exponent, k.exponent) AS pending,
    round(w.reserved_minor / 10::numeric ^ k.exponent, k.exponent)
        AS reserved,
    w.seq AS lines, w.changed_at
FROM pay.wallet w
JOIN pay.currency k ON k.code = w.currency;
COMMENT ON VIEW pay_view.wallets IS 'The balances of sellers';


CREATE OR REPLACE VIEW pay_view.changes AS
SELECT c.merchant_id, c.checkout_id, c.payment_order_id, c.change_id,
    c.kind, c.is_final, c.origin, c.psp, c.status, c.returned, c.currency,
    c.amount_minor,
    round(c.amount_minor / 10::numeric ^ k.exponent, k.exponent) AS amount,
    c.seller_currency, c.seller_minor, c.reason, c.code, c.reference,
    c.created_at, c.changed_at, d.state AS dispatch_state, d.sends,
    d.key_until, j.run_at AS job_run_at, j.attempts AS job_attempts,
    (SELECT x.dead_letter_id FROM pay.dead_letter x
     WHERE x.merchant_id = c.merchant_id AND x.checkout_id = c.checkout_id
         AND x.state = 'open' AND x.kind = 'change'
         AND x.operation_id = c.change_id) AS dead_letter_id, c.request_id,
    j.code AS job_code, c.matched_to
FROM pay.change c
LEFT JOIN pay.currency k ON k.code = c.currency
LEFT JOIN pay.job j ON j.merchant_id = c.merchant_id
    AND j.checkout_id = c.checkout_id AND j.kind = 'change'
    AND j.operation_id = c.change_id
LEFT JOIN LATERAL (
    SELECT x.* FROM pay.dispatch x
    WHERE x.merchant_id = c.merchant_id AND x.checkout_id = c.checkout_id
        AND x.operation_id = c.change_id
    ORDER BY x.attempt DESC LIMIT 1) d ON true;
COMMENT ON VIEW pay_view.changes IS
    'Captures, cancellations and refunds: their state, their newest call and '
    'their job; origin psp: made at the PSP; matched_to: the same as this '
    'requested change, which has its money';


CREATE OR REPLACE VIEW pay_view.disputes AS
SELECT d.merchant_id, d.checkout_id, d.payment_order_id, d.psp,
    d.dispute_id, d.state, d.currency, d.amount_minor,
    round(d.amount_minor / 10::numeric ^ k.exponent, k.exponent) AS amount,
    d.seller_currency, d.seller_minor, d.code, d.opened_at, d.changed_at,
    d.part
FROM pay.dispute d
LEFT JOIN pay.currency k ON k.code = d.currency;
COMMENT ON VIEW pay_view.disputes IS
    'Disputes that buyers have opened at PSPs; without an order the owner of '
    'the money is not certain';


CREATE OR REPLACE VIEW pay_view.seals AS
SELECT s.number, s.at, now() - s.at AS age, s.count AS leaves, s.from_tx,
    s.until_tx, encode(s.root, 'hex') AS root, s.key_id,
    translate(encode(s.signature, 'base64'), E'\n', '') AS signature,
    s.message
FROM pay.seal s;
COMMENT ON VIEW pay_view.seals IS
    'Signed Merkle roots of the event log, one a seal; without a signature: '
    'begun, and handed out again until it has one';


CREATE OR REPLACE VIEW pay_view.settlement_files AS
SELECT f.file_id, f.source, s.medium, s.format, s.merchant_id, s.psp, f.name,
    encode(f.sha256, 'hex') AS sha256, f.batch_key, f.version, f.state,
    f.reason, f.received_at, f.changed_at, f.row_count AS rows,
    (f.matched + p.matched)::pay.whole AS matched,
    (f.class1 + p.class1)::pay.whole AS class1,
    (f.class2 + p.class2)::pay.whole AS class2,
    (f.class3 + p.class3)::pay.whole AS class3, f.repeats
FROM pay.settlement_file f
JOIN pay.settlement_source s ON s.source = f.source
-- of a file that is being booked
CROSS JOIN LATERAL (
    SELECT coalesce(sum(p.matched), 0) AS matched,
        coalesce(sum(p.class1), 0) AS class1,
        coalesce(sum(p.class2), 0) AS class2,
        coalesce(sum(p.class3), 0) AS class3
    FROM pay.settlement_part p WHERE p.file_id = f.file_id) p;
COMMENT ON VIEW pay_view.settlement_files IS
    'Files of PSPs and banks, how far they have come, and how many rows of '
    'them were matched or fell into each class; repeats: known before';


CREATE OR REPLACE VIEW pay_view.settlement_copies AS
SELECT c.file_id, f.source, f.name, c.pieces, c.bytes,
    (f.attempt = c.attempt AND c.has_last AND c.pieces = c.last)
        AS is_whole, c.kids, c.kept_at
FROM (
    SELECT p.file_id, p.attempt, count(*) AS pieces,
        sum(octet_length(p.bytes) - 16) AS bytes, max(p.number) AS last,
        bool_or(p.is_last) AS has_last,
        array_agg(DISTINCT p.kid::text ORDER BY p.kid::text) AS kids,
        max(p.kept_at) AS kept_at
    FROM pay.settlement_copy p
    GROUP BY p.file_id, p.attempt) c
JOIN pay.settlement_file f ON f.file_id = c.file_id;
COMMENT ON VIEW pay_view.settlement_copies IS
    'Encrypted copies of settlement files, one for each attempt to read a file, '
    'and the names of the keys that open them; is_whole: the copy counts';


CREATE OR REPLACE VIEW pay_view.settlement_reports AS
SELECT r.psp, r.name, r.state, r.announced_at, r.changed_at, r.run_at, r.tries,
    r.code, r.file_id
FROM pay.settlement_report r;
COMMENT ON VIEW pay_view.settlement_reports IS
    'Settlement reports that webhooks have announced: waiting to be downloaded '
    'at run_at, read as a file, or refused; tries: downloads that failed, '
    'code: why the last one did';


CREATE OR REPLACE VIEW pay_view.settlement_rows AS
SELECT r.row_id, r.source, coalesce(s.psp, '-') AS psp, r.file_id, r.line,
    r.row_key, r.version, r.kind, r.raw_type, r.psp_ref, r.parent_ref,
    r.our_ref, r.occurred_at, r.booked_on, r.payout_ref, r.bank_ref,
    r.merchant_id, r.checkout_id, r.currency,
    round(r.gross_minor / 10::numeric ^ k.exponent, k.exponent) AS gross,
    round(r.fee_minor / 10::numeric ^ k.exponent, k.exponent) AS fee,
    round(r.tax_minor / 10::numeric ^ k.exponent, k.exponent) AS tax,
    round(r.net_minor / 10::numeric ^ k.exponent, k.exponent) AS net,
    r.class, r.finding, u.playbook, u.about,
    CASE WHEN l.rule IN ('sum', 'group', 'subset') THEN 'matched_group'
         WHEN l.row_id IS NOT NULL THEN 'matched'
         WHEN x.closed_at IS NOT NULL THEN 'resolved'
         WHEN r.finding = 'proposed' THEN 'proposed'
         WHEN x.row_id IS NOT NULL THEN 'exception'
         ELSE 'posted' END AS state,
    l.rule AS link_rule, l.rule_version, l.match_id, x.exception_id,
    r.at, r.note
FROM pay.settlement_row r
JOIN pay.settlement_source s ON s.source = r.source
JOIN pay.currency k ON k.code = r.currency
LEFT JOIN pay.settlement_rule u ON u.kind = r.kind AND u.finding = r.finding
LEFT JOIN pay.settlement_link l ON l.row_id = r.row_id
LEFT JOIN LATERAL (
    -- that it is gone, where that was found
    SELECT x.* FROM pay.settlement_exception x WHERE x.row_id = r.row_id
    ORDER BY x.closed_at IS NULL DESC, x.exception_id DESC LIMIT 1) x ON true;
COMMENT ON VIEW pay_view.settlement_rows IS
    'Rows of files with their findings and their links';


CREATE OR REPLACE VIEW pay_view.settlement_queue AS
SELECT x.exception_id AS id, x.class, x.finding, x.playbook, x.merchant_id,
    x.psp, r.source, r.file_id, r.row_key, r.kind, x.source AS entry,
    x.kind AS entry_kind, x.checkout_id, x.amount_minor, x.currency,
    round(x.amount_minor / 10::numeric ^ k.exponent, k.exponent) AS amount,
    (SELECT min(o.payment_order_id) FROM pay.payment_order o
     WHERE o.merchant_id = x.merchant_id AND o.checkout_id = x.checkout_id)
        AS payment_order_id,
    r.psp_ref, r.parent_ref, r.our_ref,
    CASE WHEN x.proposed ? 'amount_minor' THEN x.proposed - 'amount_minor'
        || jsonb_build_object('amount', round((x.proposed
            ->> 'amount_minor')::bigint / 10::numeric ^ k.exponent,
            k.exponent)::text) ELSE x.proposed END AS proposed, x.opened_at,
    now() - x.opened_at AS age,
    x.closed_at, x.closed_as, a.act, a.state AS act_state, a.who, a.why
FROM pay.settlement_exception x
JOIN pay.currency k ON k.code = x.currency
LEFT JOIN pay.settlement_row r ON r.row_id = x.row_id
LEFT JOIN LATERAL (
    SELECT * FROM pay.settlement_act a
    WHERE a.exception_id = x.exception_id ORDER BY a.seq DESC LIMIT 1) a
    ON true;
COMMENT ON VIEW pay_view.settlement_queue IS
    'Exceptions that wait, or have waited, for operators: a row, or an entry '
    'that no file has brought; the last act about it';


CREATE OR REPLACE VIEW pay_view.settlement_acts AS
SELECT a.exception_id AS id, a.seq, a.at, a.act, a.state, a.who, a.why,
    a.role, round(a.amount_minor / 10::numeric ^ k.exponent, k.exponent)
        AS amount, a.currency, a.detail
FROM pay.settlement_act a
JOIN pay.currency k ON k.code = a.currency;
COMMENT ON VIEW pay_view.settlement_acts IS
    'Acts of operators on rows of files, and who asked whom';


CREATE OR REPLACE VIEW pay_view.settlement_expected AS
SELECT e.merchant_id, e.psp, e.currency, x.family, e.source, e.kind, e.at,
    e.checkout_id, e.payment_order_id, x.sign * e.amount_minor AS minor,
    round(x.sign * e.amount_minor / 10::numeric ^ k.exponent, k.exponent)
        AS amount,
    CASE WHEN now() - e.at < interval '2 days' THEN '0-1'
         WHEN now() - e.at < interval '4 days' THEN '2-3'
         WHEN now() - e.at < interval '8 days' THEN '4-7'
         WHEN now() - e.at < interval '31 days' THEN '8-30'
         ELSE '>30' END AS days,
    now() - e.at > make_interval(days => s.overdue_days) AS is_overdue
FROM (
    SELECT s.psp, s.medium, CASE WHEN s.medium = 'bank'
        THEN s.merchant_id END AS merchant_id, min(s.since) AS since,
        min(s.overdue_days) AS overdue_days
    FROM pay.settlement_source s
    GROUP BY 1, 2, 3) s
JOIN pay.settlement_expected x
    ON (x.family = 'payout') = (s.medium = 'bank')
JOIN pay.journal_entry e ON e.kind = x.kind AND e.at >= s.since
    AND CASE s.medium WHEN 'psp' THEN e.psp = s.psp
             ELSE e.merchant_id = s.merchant_id END
    AND (s.medium = 'bank' OR NOT starts_with(e.source, 'settlement/'))
JOIN pay.currency k ON k.code = e.currency
WHERE NOT EXISTS (
    SELECT FROM pay.settlement_closed c
    WHERE c.merchant_id = e.merchant_id AND c.source = e.source
        AND c.kind = e.kind);
COMMENT ON VIEW pay_view.settlement_expected IS
    'Entries that no file has brought yet, with their age in days';


CREATE OR REPLACE VIEW pay_view.settlement_ageing AS
SELECT e.psp, e.currency, e.family, e.days, count(*) AS entries,
    sum(e.amount) AS amount, count(*) FILTER (WHERE e.is_overdue) AS overdue
FROM pay_view.settlement_expected e
GROUP BY e.psp, e.currency, e.family, e.days;
COMMENT ON VIEW pay_view.settlement_ageing IS
    'Entries that no file has brought yet, summed by PSP, currency and age';


CREATE OR REPLACE VIEW pay_view.psp_balances AS
SELECT b.balance_id, b.source, s.merchant_id, s.psp, b.currency, b.looked_at,
    round(b.available_minor / 10::numeric ^ k.exponent, k.exponent)
        AS available,
    round(b.pending_minor / 10::numeric ^ k.exponent, k.exponent) AS pending,
    round(b.reserved_minor / 10::numeric ^ k.exponent, k.exponent)
        AS reserved,
    round(b.our_minor / 10::numeric ^ k.exponent, k.exponent) AS ledger,
    round(b.difference_minor / 10::numeric ^ k.exponent, k.exponent)
        AS difference,
    CASE WHEN b.known_low = b.known_high
         THEN round(b.known_low / 10::numeric ^ k.exponent, k.exponent)
         END AS accepted,
    round((b.known_low - b.below_minor) / 10::numeric ^ k.exponent,
          k.exponent) AS lowest,
    round((b.known_high + b.above_minor) / 10::numeric ^ k.exponent,
          k.exponent) AS highest,
    b.verdict, b.exception_id, x.closed_as,
    b.balance_id = (SELECT max(l.balance_id) FROM pay.psp_balance l
        WHERE l.source = b.source AND l.currency = b.currency) AS is_last
FROM pay.psp_balance b
JOIN pay.settlement_source s ON s.source = b.source
JOIN pay.currency k ON k.code = b.currency
LEFT JOIN pay.settlement_exception x ON x.exception_id = b.exception_id;
COMMENT ON VIEW pay_view.psp_balances IS
    'The balance of a source''s account as its PSP states it, beside the '
    'ledger; it agrees where the difference lies between lowest and highest';


CREATE OR REPLACE VIEW pay_view.closes AS
SELECT c.number, c.day, c.at, c.document, c.key_id,
    encode(c.signature, 'hex') AS signature
FROM pay.settlement_close c;
COMMENT ON VIEW pay_view.closes IS
    'Closed days: a signed document each, which names the one before it';


CREATE OR REPLACE VIEW pay_view.payouts AS
SELECT p.merchant_id, p.payout_id, p.seller_account, p.currency,
    round(p.amount_minor / 10::numeric ^ k.exponent, k.exponent) AS amount,
    p.amount_minor, p.state, p.reason, p.provider, d.shown AS account,
    p.destination_id, p.destination_version, p.line_count AS lines,
    p.payout_key || '-' || p.attempt AS provider_key, p.provider_ref,
    p.proof, p.batch_id, p.made_by, p.created_at, p.changed_at,
    now() - p.changed_at AS age
FROM pay.payout p
JOIN pay.payout_destination d ON d.merchant_id = p.merchant_id
    AND d.destination_id = p.destination_id
    AND d.version = p.destination_version
JOIN pay.currency k ON k.code = p.currency;
COMMENT ON VIEW pay_view.payouts IS
    'Pay-outs to sellers; age: how long they are in their state';


CREATE OR REPLACE VIEW pay_view.payout_accounts AS
SELECT a.merchant_id, a.destination_id, a.seller_account, a.currency,
    a.version, a.state, a.returns, d.provider, d.kind, d.country,
    d.shown AS account, d.entered_by, d.entered_at, d.usable_from
FROM pay.payout_account a
JOIN pay.payout_destination d ON d.merchant_id = a.merchant_id
    AND d.destination_id = a.destination_id AND d.version = a.version;
COMMENT ON VIEW pay_view.payout_accounts IS
    'Where sellers want their money, in the present version and masked';


CREATE OR REPLACE VIEW pay_view.payout_batches AS
SELECT b.merchant_id, b.batch_id, b.provider, b.currency,
    round(b.total_minor / 10::numeric ^ k.exponent, k.exponent) AS amount,
    b.item_count AS items, b.state, encode(b.hash, 'hex') AS hash, b.made_by,
    b.made_at, a.approvers, b.approved_at, b.until
FROM pay.payout_batch b
JOIN pay.currency k ON k.code = b.currency
LEFT JOIN LATERAL (
    SELECT string_agg(a.approver, ', ' ORDER BY a.at) AS approvers
    FROM pay.payout_approval a
    WHERE a.merchant_id = b.merchant_id AND a.batch_id = b.batch_id) a
    ON true;
COMMENT ON VIEW pay_view.payout_batches IS
    'Batches of pay-outs, and who has approved them';


CREATE OR REPLACE VIEW pay_view.payout_schedules AS
SELECT s.merchant_id, nullif(s.seller_account, '') AS seller_account,
    s.every, s.on_day, s.cut_off, s.zone, s.calendar, s.batch_items,
    s.run_day, s.next_day, s.next_at
FROM pay.payout_schedule s;
COMMENT ON VIEW pay_view.payout_schedules IS
    'When pay-outs are made; seller_account NULL: of all sellers without a '
    'schedule of their own';


CREATE OR REPLACE VIEW pay_view.payout_holidays AS
SELECT c.calendar, c.closed_on, h.day, h.name
FROM pay.payout_calendar c
LEFT JOIN pay.payout_holiday h ON h.calendar = c.calendar;
COMMENT ON VIEW pay_view.payout_holidays IS
    'Calendars: the days of the week that are no bank days, from 1, Monday, '
    'to 7, and the holidays';


CREATE OR REPLACE VIEW pay_view.payout_runs AS
SELECT r.merchant_id, r.run_id, nullif(r.seller_account, '')
    AS seller_account, r.due_day, r.due_at, r.state,
    'schedule/' || r.run_id AS made_by, r.pieces, r.wallets, r.items,
    r.batches, r.outcomes, r.begun_at, r.changed_at, r.ended_at, r.owner,
    CASE WHEN r.ended_at IS NULL THEN now() - r.due_at END AS age
FROM pay.payout_run r;
COMMENT ON VIEW pay_view.payout_runs IS
    'Due times of schedules, and the items that were made; age: how long a run '
    'that has not ended has been due';


CREATE OR REPLACE VIEW pay_view.payout_acts AS
SELECT a.merchant_id, a.subject, a.subject_id, a.at, a.act, a.who, a.why,
    a.role, a.detail, a.act_id
FROM pay.payout_act a;
COMMENT ON VIEW pay_view.payout_acts IS
    'Acts about pay-outs, accounts, releases and settings';


CREATE OR REPLACE VIEW pay_view.commissions AS
SELECT c.merchant_id, c.commission_id, nullif(c.seller_account, '')
        AS seller_account,
    nullif(c.psp, '') AS psp, c.currency, c.percent,
    round(c.fixed_minor / 10::numeric ^ k.exponent, k.exponent) AS fixed,
    round(c.minimum_minor / 10::numeric ^ k.exponent, k.exponent)
        AS minimum,
    round(c.maximum_minor / 10::numeric ^ k.exponent, k.exponent)
        AS maximum,
    c.valid_from, c.entered_by, c.entered_at,
    nullif(c.payment_method, '') AS payment_method
FROM pay.commission c
JOIN pay.currency k ON k.code = c.currency;
COMMENT ON VIEW pay_view.commissions IS
    'The schedule of commissions on sellers'' sales';


CREATE OR REPLACE VIEW pay_view.order_fees AS
SELECT f.merchant_id, o.checkout_id, f.payment_order_id, o.seller_account,
    coalesce(o.credit_currency, o.currency) AS currency,
    round(coalesce(o.fee_minor, 0) / 10::numeric ^ k.exponent, k.exponent)
        AS fee,
    round(coalesce(o.fee_tax_minor, 0) / 10::numeric ^ k.exponent,
          k.exponent) AS tax,
    f.commission_id, f.given_minor, f.returns, f.tax_percent
FROM pay.order_fee f
JOIN pay.payment_order o ON o.merchant_id = f.merchant_id
    AND o.payment_order_id = f.payment_order_id
JOIN pay.currency k ON k.code = coalesce(o.credit_currency, o.currency);
COMMENT ON VIEW pay_view.order_fees IS
    'The fees of orders as they are booked, and their terms';
