-- Pay-outs by the API: the numbers that its lists are read by, and the keys of
-- its requests.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


ALTER TABLE payout ADD number bigint GENERATED ALWAYS AS IDENTITY;
ALTER TABLE payout_batch ADD number bigint GENERATED ALWAYS AS IDENTITY;
CREATE UNIQUE INDEX payout_listed ON payout (merchant_id, number);
CREATE UNIQUE INDEX payout_batch_listed ON payout_batch (merchant_id, number);


-- Idempotency-Keys of requests about pay-outs.  subject_id: the order,
-- item or batch of the first request; one that came to nothing leaves no key.
CREATE TABLE payout_request (
    merchant_id  id NOT NULL,
    route        text COLLATE "C" NOT NULL,
    key          id NOT NULL,
    fingerprint  hash NOT NULL,
    subject_id   text COLLATE "C",
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, route, key)
);
CREATE INDEX payout_request_expires ON payout_request (expires_at);

RESET ROLE;
