-- The classes of data that end, and the rows of each.  pay.purge() and payctl
-- retention run both go by them.  One more class is a row of
-- pay.retention_class, a branch of pay.aged and one of end_class().

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- keep: the age at which rows of the class end; at_least: operators may not have
-- them end sooner.  No window of risk is longer than 30 days; a dispute may come
-- within 13 months; Adyen repeats webhooks for 30 days.
CREATE OR REPLACE VIEW pay.retention_class AS
SELECT c.class, c.keep::interval, c.at_least::interval, c.act, c.data
FROM (VALUES
    ('buyer_info', '13 months', '1 month', 'emptied',
     'buyer_info, credit_card_info and page of checkouts'),
    ('metadata', '13 months', '1 month', 'emptied',
     'metadata of checkouts, refunds and other changes'),
    ('risk_addresses', '30 days', '1 day', 'emptied',
     'single addresses of decisions and of browsers; wider networks stay'),
    ('risk_inputs', '13 months', '31 days', 'emptied',
     'keys, facts, features and buyers of decisions'),
    ('risk_cards', '13 months', '31 days', 'emptied',
     'hashes of cards and browsers of attempts'),
    ('risk_browsers', '13 months', '31 days', 'deleted',
     'browsers in which checkouts were opened'),
    ('risk_counters', '31 days', '31 days', 'deleted',
     'counts of windows of hours'),
    ('risk_entries', '90 days', '0', 'deleted',
     'entries of lists, this long after their end; values in their acts'),
    ('webhook_quarantine', '30 days', '0', 'deleted',
     'webhooks that proved nothing about their sender'),
    ('webhook_bodies', '0', '0', 'deleted',
     'bodies of webhooks, by the days of payments_webhook_bodies'),
    ('webhooks', '90 days', '30 days', 'deleted',
     'webhooks that said nothing about a payment'),
    ('payout_messages', '90 days', '30 days', 'deleted',
     'messages of pay-out providers without effect'),
    ('dead_letters', '1 year', '1 day', 'deleted', 'closed dead letters'),
    ('settlement_copies', '2 years', '1 day', 'deleted',
     'encrypted copies of settlement files'),
    ('idempotency_keys', '0', '0', 'deleted',
     'Idempotency-Keys after their own end'),
    ('messages', '90 days', '1 day', 'deleted',
     'events that all receivers have heard, with their deliveries')
    ) c (class, keep, at_least, act, data);
COMMENT ON VIEW pay.retention_class IS
    'The classes of data that end, at which age, and how';


-- The rows of each class that end: where they are, and the time from which their
-- age counts.  FOR UPDATE of such a view locks the rows of its tables.
CREATE OR REPLACE VIEW pay.aged_buyer AS
SELECT c.ctid AS tid, c.created_at AS at
FROM pay.checkout c
WHERE c.buyer_info IS NOT NULL OR c.credit_card_info IS NOT NULL;

CREATE OR REPLACE VIEW pay.aged_metadata AS
SELECT c.ctid AS tid, c.created_at AS at
FROM pay.checkout c
WHERE c.metadata IS NOT NULL;

CREATE OR REPLACE VIEW pay.aged_change AS
SELECT c.ctid AS tid, c.created_at AS at
FROM pay.change c
WHERE c.metadata IS NOT NULL;

CREATE OR REPLACE VIEW pay.aged_address AS
SELECT d.ctid AS tid, d.at
FROM pay.risk_decision d
WHERE d.has_address OR d.has_address IS NULL AND d.keys
    @? 'strict $[*] ? (@[0] == "ip" && @[1] like_regex "/(32|64|128)$")';

CREATE OR REPLACE VIEW pay.aged_decision AS
SELECT d.ctid AS tid, d.at
FROM pay.risk_decision d
WHERE d.keys IS NOT NULL OR d.facts IS NOT NULL OR d.features IS NOT NULL;

CREATE OR REPLACE VIEW pay.aged_card AS
SELECT c.ctid AS tid, c.at
FROM pay.risk_card c
WHERE c.card IS NOT NULL OR c.browser IS NOT NULL;

CREATE OR REPLACE VIEW pay.aged_browser AS
SELECT b.ctid AS tid, b.at
FROM pay.risk_browser b
WHERE b.place > 0;

CREATE OR REPLACE VIEW pay.aged_browser_address AS
SELECT b.ctid AS tid, b.at
FROM pay.risk_browser b
WHERE masklen(b.address) > CASE family(b.address) WHEN 4 THEN 24 ELSE 48 END;

CREATE OR REPLACE VIEW pay.aged_counter AS
SELECT c.ctid AS tid, c.hour AS at
FROM pay.risk_counter c;

CREATE OR REPLACE VIEW pay.aged_entry AS
SELECT l.ctid AS tid, l.until AS at
FROM pay.risk_list l
WHERE l.until IS NOT NULL;

-- removed, or deleted above
CREATE OR REPLACE VIEW pay.aged_list_act AS
SELECT a.ctid AS tid, greatest(a.at, a.until) AS at
FROM pay.risk_list_act a
WHERE a.value IS NOT NULL AND NOT EXISTS (
    SELECT FROM pay.risk_list l
    WHERE l.value = a.value AND l.kind = a.kind
        AND l.merchant_id = a.merchant_id AND l.effect = a.effect);

CREATE OR REPLACE VIEW pay.aged_quarantined AS
SELECT q.ctid AS tid, q.received_at AS at
FROM pay.webhook_quarantine q;

CREATE OR REPLACE VIEW pay.aged_body AS
SELECT b.ctid AS tid, b.keep_until AS at
FROM pay.webhook_body b;

-- All others stay: one that was applied is evidence, one that is parked may
-- still find its token.
CREATE OR REPLACE VIEW pay.aged_webhook AS
SELECT i.ctid AS tid, i.received_at AS at
FROM pay.webhook_inbox i
WHERE i.state = 'asked' OR i.state = 'ignored' AND i.fact = 'none';

-- A message that was applied, and one that contradicts, is evidence and stays.
CREATE OR REPLACE VIEW pay.aged_payout_event AS
SELECT e.ctid AS tid, e.at
FROM pay.payout_event e
WHERE e.outcome NOT IN ('applied', 'contradiction');

-- A letter about something that is still so stays: without it the sweep would
-- open the next one.  Who closed it, and why, stays in the timeline.
CREATE OR REPLACE VIEW pay.aged_letter AS
SELECT d.ctid AS tid, d.closed_at AS at
FROM pay.dead_letter d
WHERE d.state <> 'open'
    AND (d.kind NOT IN ('stuck', 'parked') OR pay.is_over(d));

-- At once those of attempts that broke off, and of files that were refused,
-- which stay where they came from.
CREATE OR REPLACE VIEW pay.aged_copy AS
SELECT c.ctid AS tid,
    CASE WHEN c.attempt < f.attempt OR f.state = 'refused' THEN '-infinity'
         ELSE c.kept_at END AS at
FROM pay.settlement_copy c
JOIN pay.settlement_file f ON f.file_id = c.file_id;

-- An expired key counts as absent, so its row can go at any time.
CREATE OR REPLACE VIEW pay.aged_key AS
SELECT k.ctid AS tid, k.expires_at AS at
FROM pay.idempotency_key k;

CREATE OR REPLACE VIEW pay.aged_payout_key AS
SELECT r.ctid AS tid, r.expires_at AS at
FROM pay.payout_request r;

-- A message that a reader has not passed, or that is still to be delivered,
-- stays.
CREATE OR REPLACE VIEW pay.aged_message AS
SELECT m.position, m.published_at AS at
FROM pay.message m
WHERE m.position <= coalesce(
        (SELECT min(r.position) FROM pay.message_reader r), m.position)
    AND NOT EXISTS (
        SELECT FROM pay.webhook_endpoint w
        JOIN pay.webhook_delivery d ON d.endpoint_id = w.endpoint_id
            AND d.merchant_id = w.merchant_id AND d.position = m.position
        WHERE w.merchant_id = m.merchant_id AND d.state = 'due');


CREATE OR REPLACE VIEW pay.aged AS
SELECT 'buyer_info' AS class, at FROM pay.aged_buyer
UNION ALL SELECT 'metadata' AS class, at FROM pay.aged_metadata
UNION ALL SELECT 'metadata' AS class, at FROM pay.aged_change
UNION ALL SELECT 'risk_addresses' AS class, at FROM pay.aged_address
UNION ALL SELECT 'risk_addresses' AS class, at FROM pay.aged_browser_address
UNION ALL SELECT 'risk_inputs' AS class, at FROM pay.aged_decision
UNION ALL SELECT 'risk_cards' AS class, at FROM pay.aged_card
UNION ALL SELECT 'risk_browsers' AS class, at FROM pay.aged_browser
UNION ALL SELECT 'risk_counters' AS class, at FROM pay.aged_counter
UNION ALL SELECT 'risk_entries' AS class, at FROM pay.aged_entry
UNION ALL SELECT 'risk_entries' AS class, at FROM pay.aged_list_act
UNION ALL SELECT 'webhook_quarantine' AS class, at FROM pay.aged_quarantined
UNION ALL SELECT 'webhook_bodies' AS class, at FROM pay.aged_body
UNION ALL SELECT 'webhooks' AS class, at FROM pay.aged_webhook
UNION ALL SELECT 'payout_messages' AS class, at FROM pay.aged_payout_event
UNION ALL SELECT 'dead_letters' AS class, at FROM pay.aged_letter
UNION ALL SELECT 'settlement_copies' AS class, at FROM pay.aged_copy
UNION ALL SELECT 'idempotency_keys' AS class, at FROM pay.aged_key
UNION ALL SELECT 'idempotency_keys' AS class, at FROM pay.aged_payout_key
UNION ALL SELECT 'messages' AS class, at FROM pay.aged_message;
COMMENT ON VIEW pay.aged IS
    'The rows of all classes that end once they are old enough';
