-- Endpoints for webhooks that stand in nginx.conf (payments_webhook_endpoint).
-- The functions are those of 72_endpoint_declared.sql.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;

-- declared_at: when a node last said that its nginx.conf has the line.
ALTER TABLE webhook_endpoint
    ADD COLUMN source text COLLATE "C" NOT NULL DEFAULT 'api'
        CHECK (source IN ('api', 'directive')),
    ADD COLUMN declared_at timestamptz,
    ADD CONSTRAINT webhook_endpoint_declared
        CHECK ((source = 'directive') = (declared_at IS NOT NULL)),
    DROP CONSTRAINT webhook_endpoint_reason_check,
    ADD CONSTRAINT webhook_endpoint_reason_check CHECK (reason IN
        ('merchant', 'operator', 'gone', 'failing', 'undeclared'));

-- The secret of a line: PostgreSQL cannot read it, and knows it again by its
-- fingerprint, a digest that nobody can turn round.
ALTER TABLE webhook_secret
    ADD COLUMN fingerprint bytea CHECK (octet_length(fingerprint) = 32),
    ADD COLUMN declared_at timestamptz,
    ADD CHECK ((fingerprint IS NULL) = (declared_at IS NULL));

INSERT INTO round (name, run_at) VALUES ('endpoints', now());

RESET ROLE;
